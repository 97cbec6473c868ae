// SPDX-License-Identifier: GPL-2.0-only
/*
 * Timers of a process that moves: the three of setitimer(), and those of timer_create().
 *
 * They are read, stopped and made by the system calls that a program would use, with
 * arguments in a window of memory that is there for as long. A timer is stopped when
 * it is written down, so that it goes off in one place, and started again with what
 * was left: there, or here when the process stays. What has gone off is a signal, and
 * moves as one.
 *
 * A timer of CLOCK_REALTIME that was set to a point of time goes off after the time
 * that was left to it, also if the clock is set meanwhile.
 */
#include <linux/cred.h>
#include <linux/init_task.h>
#include <linux/posix-timers.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include <asm/unistd.h>

#include "move.h"
#include "syscall.h"
#include "task.h"

#define ITIMERS		ARRAY_SIZE(((struct holon_record_process *)0)->itimer)

/* What the calls take and give. */
union arguments {
	struct {
		struct __kernel_itimerspec new, old;
	} timer;
	struct {
		struct __kernel_old_itimerval new, old;
	} itimer;
	struct {
		struct sigevent event;
		int id;
	} create;
};

static union arguments __user *arguments(const union arguments *data)
{
	unsigned long window = holon_window(current->holon, sizeof(*data));

	if (IS_ERR_VALUE(window) || copy_to_user((void __user *)window, data, sizeof(*data)))
		return NULL;
	return (union arguments __user *)window;
}

static long call(unsigned int nr, unsigned long a, unsigned long b, const void __user *c,
		 const void __user *d)
{
	return holon_native_call(nr, a, b, (unsigned long)c, (unsigned long)d);
}

static const struct holon_record_times never;

/* --- one timer ----------------------------------------------------------------- */

/* Start it with what is left, or stop it. @was: what was left, or NULL. */
static int set_timer(int id, const struct holon_record_times *times,
		     struct holon_record_times *was)
{
	union arguments data = {}, __user *user;
	struct __kernel_itimerspec *spec = &data.timer.new;
	long err;

	spec->it_value = holon_timespec(le64_to_cpu(times->left));
	spec->it_interval = holon_timespec(le64_to_cpu(times->interval));
	user = arguments(&data);
	if (!user)
		return -ENOMEM;
	err = call(__NR_timer_settime, id, 0, &user->timer.new, &user->timer.old);
	if (err || !was)
		return err;
	spec = &data.timer.old;
	if (copy_from_user(spec, &user->timer.old, sizeof(*spec)))
		return -EFAULT;
	was->left = cpu_to_le64(spec->it_value.tv_sec * NSEC_PER_SEC + spec->it_value.tv_nsec);
	was->interval = cpu_to_le64(spec->it_interval.tv_sec * NSEC_PER_SEC +
				    spec->it_interval.tv_nsec);
	return 0;
}

/* Less than a microsecond is not never. */
static struct __kernel_old_timeval round_up_to_us(__le64 ns)
{
	return ns_to_kernel_old_timeval(min_t(u64, le64_to_cpu(ns), KTIME_MAX - NSEC_PER_USEC) +
					NSEC_PER_USEC - 1);
}

/* ITIMER_REAL has gone off, and goes on when its signal is taken. */
static void wait_for_signal(const struct holon_record_times *times)
{
	u64 every = min_t(u64, le64_to_cpu(times->interval), KTIME_MAX);

	spin_lock_irq(&current->sighand->siglock);
	current->signal->it_real_incr = ns_to_ktime(every);
	spin_unlock_irq(&current->sighand->siglock);
}

static int set_itimer(int which, const struct holon_record_times *times,
		      struct holon_record_times *was)
{
	union arguments data = {}, __user *user;
	struct __kernel_old_itimerval *value = &data.itimer.new;
	long err;

	if (which == ITIMER_REAL && !times->left && times->interval) {
		wait_for_signal(times);
		return 0;
	}
	value->it_value = round_up_to_us(times->left);
	value->it_interval = round_up_to_us(times->interval);
	user = arguments(&data);
	if (!user)
		return -ENOMEM;
	err = call(__NR_setitimer, which, (unsigned long)&user->itimer.new, &user->itimer.old,
		   NULL);
	if (err || !was)
		return err;
	value = &data.itimer.old;
	if (copy_from_user(value, &user->itimer.old, sizeof(*value)))
		return -EFAULT;
	was->left = cpu_to_le64(value->it_value.tv_sec * NSEC_PER_SEC +
				value->it_value.tv_usec * NSEC_PER_USEC);
	was->interval = cpu_to_le64(value->it_interval.tv_sec * NSEC_PER_SEC +
				    value->it_interval.tv_usec * NSEC_PER_USEC);
	return 0;
}

/* --- export ---------------------------------------------------------------------- */

/* Nobody makes or deletes one: all threads stand still. */
static unsigned int count_timers(void)
{
	struct k_itimer *timer;
	unsigned int n = 0;

	rcu_read_lock();
	hlist_for_each_entry_rcu(timer, &current->signal->posix_timers, list)
		n++;
	rcu_read_unlock();
	return n;
}

static void describe(struct k_itimer *timer, struct holon_record_timer *record)
{
	record->id = cpu_to_le32(timer->it_id);
	record->clock = cpu_to_le32(timer->it_clock);
	record->notify = cpu_to_le32(timer->it_sigev_notify);
	record->signo = cpu_to_le32(timer->sigq->info.si_signo);
	record->value = cpu_to_le64((unsigned long)timer->sigq->info.si_value.sival_ptr);
	record->overrun = cpu_to_le64(timer->it_overrun_last);
	if (timer->it_sigev_notify & SIGEV_THREAD_ID)
		record->pid = cpu_to_le32(pid_vnr(timer->it_pid));
}

int holon_timers_export(struct holon_image *image, struct holon_record_process *process)
{
	struct holon_task *ht = current->holon;
	struct k_itimer *timer;
	unsigned int i = 0;
	int err = 0;

	ht->timers = kvzalloc(struct_size(ht->timers, timer, count_timers()), GFP_KERNEL_ACCOUNT);
	if (!ht->timers)
		return -ENOMEM;
	rcu_read_lock();
	hlist_for_each_entry_rcu(timer, &current->signal->posix_timers, list)
		describe(timer, &ht->timers->timer[i++]);
	rcu_read_unlock();
	/* From here on none must go off here and there. */
	while (!err && ht->timers->timers < i) {
		struct holon_record_timer *record = &ht->timers->timer[ht->timers->timers];

		err = set_timer(le32_to_cpu(record->id), &never, &record->times);
		if (err)
			break;
		ht->timers->timers++;
		err = holon_image_put(image, HOLON_RECORD_TIMER, record, sizeof(*record));
	}
	while (!err && ht->timers->itimers < ITIMERS) {
		struct holon_record_times *was = &ht->timers->itimer[ht->timers->itimers];

		err = set_itimer(ht->timers->itimers, &never, was);
		if (err)
			break;
		process->itimer[ht->timers->itimers++] = *was;
	}
	/* What the program has mapped has been written down. */
	holon_window_free(ht);
	return err;
}

void holon_timers_rearm(void)
{
	struct holon_task *ht = current->holon;
	unsigned int i;

	if (!ht->timers)
		return;
	for (i = 0; i < ht->timers->timers; i++)
		if (ht->timers->timer[i].times.left)
			set_timer(le32_to_cpu(ht->timers->timer[i].id), &ht->timers->timer[i].times,
				  NULL);
	for (i = 0; i < ht->timers->itimers; i++)
		if (ht->timers->itimer[i].interval || ht->timers->itimer[i].left)
			set_itimer(i, &ht->timers->itimer[i], NULL);
	holon_window_free(ht);
	holon_timers_forget(ht);
}

void holon_timers_forget(struct holon_task *ht)
{
	kvfree(ht->timers);
	ht->timers = NULL;
}

void holon_timers_deputy(struct holon_task *ht)
{
	exit_itimers(current);
	holon_timers_forget(ht);
}

/* An import has failed: whoever was a deputy goes on as one, which has no timers. */
static void drop_all(void)
{
	unsigned int i;

	exit_itimers(current);
	for (i = 0; i < ITIMERS; i++)
		set_itimer(i, &never, NULL);
}

/* --- import ---------------------------------------------------------------------- */

static void set_overrun(int id, s64 overrun)
{
	struct k_itimer *timer;

	rcu_read_lock();
	hlist_for_each_entry_rcu(timer, &current->signal->posix_timers, list)
		if (timer->it_id == id)
			timer->it_overrun_last = clamp_t(s64, overrun, 0, INT_MAX);
	rcu_read_unlock();
}

static int make_timer(const struct holon_record_timer *record)
{
	union arguments data = {}, __user *user;
	int id = le32_to_cpu(record->id), got;
	long err;

	if (id < 0)
		return -EBADMSG;
	data.create.event.sigev_notify = le32_to_cpu(record->notify);
	data.create.event.sigev_signo = le32_to_cpu(record->signo);
	data.create.event.sigev_value.sival_ptr =
		(void __user *)(unsigned long)le64_to_cpu(record->value);
	data.create.event.sigev_notify_thread_id = le32_to_cpu(record->pid);
	user = arguments(&data);
	if (!user)
		return -ENOMEM;
	/* The next one that is free: the program knows it by this number. */
	current->signal->next_posix_timer_id = id;
	err = call(__NR_timer_create, (int)le32_to_cpu(record->clock),
		   (unsigned long)&user->create.event, &user->create.id, NULL);
	if (err)
		return err;
	if (get_user(got, &user->create.id) || got != id)
		return -EBADMSG;
	set_overrun(id, le64_to_cpu(record->overrun));
	return le64_to_cpu(record->times.left) ? set_timer(id, &record->times, NULL) : 0;
}

int holon_timers_import(const struct holon_image *image,
			const struct holon_record_process *process)
{
	const struct cred *cred = override_creds(&init_cred);
	struct holon_record record;
	unsigned int i;
	size_t pos = 0;
	int err = 0;

	while (!err && holon_image_next(image, &pos, &record) > 0) {
		if (record.type == HOLON_RECORD_TIMER)
			err = make_timer(record.data);
		cond_resched();
	}
	for (i = 0; !err && i < ITIMERS; i++)
		if (process->itimer[i].left || process->itimer[i].interval)
			err = set_itimer(i, &process->itimer[i], NULL);
	if (err)
		drop_all();
	holon_window_free(current->holon);
	revert_creds(cred);
	return err;
}
