// SPDX-License-Identifier: GPL-2.0-only
/*
 * Files without a name: eventfd, timerfd, signalfd, epoll. Of a process that moves they
 * are made anew where it comes to, if no other process has them. A signalfd also then, for
 * it tells each process of its own signals; and away from home an epoll, of which each has
 * one from then on. What they contain is read in their fdinfo, as /proc shows it, and set
 * by the system calls that a program would use: neither needs a line in their code.
 *
 * An epoll is filled when all descriptors are there. What is ready then is reported
 * once more, also with EPOLLET: that is allowed, and a program has to expect it.
 */
#include <linux/anon_inodes.h>
#include <linux/eventfd.h>
#include <linux/fdtable.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/magic.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>
#include <linux/timerfd.h>
#include <linux/uaccess.h>

/* Needs those before it. */
#include <linux/eventpoll.h>

#include <asm/unistd.h>

#include "image.h"
#include "move.h"
#include "syscall.h"
#include "task.h"

/* The text of an epoll has about 100 bytes for each of its entries. */
#define FDINFO_MAX	SZ_4M

static const char *const names[] = {
	[HOLON_ANON_EVENTFD]	= "[eventfd]",
	[HOLON_ANON_TIMERFD]	= "[timerfd]",
	[HOLON_ANON_SIGNALFD]	= "[signalfd]",
	[HOLON_ANON_EPOLL]	= "[eventpoll]",
};

unsigned int holon_anon_kind(const struct file *file)
{
	const char *name = file->f_path.dentry->d_name.name;
	unsigned int kind;

	if (file_inode(file)->i_sb->s_magic != ANON_INODE_FS_MAGIC || !file->f_op->show_fdinfo)
		return 0;
	for (kind = 1; kind < ARRAY_SIZE(names); kind++)
		if (!strcmp(name, names[kind]))
			return kind;
	return 0;
}

/* --- export ------------------------------------------------------------------ */

/* What /proc/self/fdinfo says below its first lines; kvmalloc()ed, or an ERR_PTR(). */
static char *read_fdinfo(struct file *file)
{
	struct seq_file m = { .size = PAGE_SIZE };

	for (; m.size <= FDINFO_MAX; m.size *= 4) {
		m.buf = kvmalloc(m.size, GFP_KERNEL_ACCOUNT);
		if (!m.buf)
			return ERR_PTR(-ENOMEM);
		m.count = 0;
		file->f_op->show_fdinfo(&m, file);
		if (!seq_has_overflowed(&m)) {
			m.buf[m.count] = 0;
			return m.buf;
		}
		kvfree(m.buf);
	}
	return ERR_PTR(-E2BIG);
}

static const char *next_line(const char *text)
{
	text = strchr(text, '\n');
	return text ? text + 1 : NULL;
}

static bool read_eventfd(const char *text, struct holon_record_anon *record)
{
	unsigned int id, semaphore;
	u64 count;

	if (sscanf(text, "eventfd-count: %llx\neventfd-id: %u\neventfd-semaphore: %u", &count, &id,
		   &semaphore) != 3)
		return false;
	record->value[0] = cpu_to_le64(count);
	record->value[1] = cpu_to_le64(semaphore);
	return true;
}

static bool read_timerfd(const char *text, struct holon_record_anon *record)
{
	u64 ticks, s, ns, every_s, every_ns;
	unsigned int clock, flags;

	if (sscanf(text, "clockid: %u\nticks: %llu\nsettime flags: 0%o\nit_value: (%llu, %llu)\n"
		   "it_interval: (%llu, %llu)", &clock, &ticks, &flags, &s, &ns, &every_s,
		   &every_ns) != 7)
		return false;
	record->value[0] = cpu_to_le64(clock);
	record->value[1] = cpu_to_le64(flags);
	record->value[2] = cpu_to_le64(ticks);
	record->value[3] = cpu_to_le64(s * NSEC_PER_SEC + ns);
	record->value[4] = cpu_to_le64(every_s * NSEC_PER_SEC + every_ns);
	return true;
}

static bool read_signalfd(const char *text, struct holon_record_anon *record)
{
	u64 mask;

	if (sscanf(text, "sigmask: %llx", &mask) != 1)
		return false;
	record->value[0] = cpu_to_le64(mask);
	return true;
}

/* Is it the file that has the number now? Descriptors are closed, files stay in an epoll. */
static bool is_open(unsigned int fd, unsigned long ino, unsigned int dev)
{
	struct file *file = fget_raw(fd);
	bool same;

	if (!file)
		return false;
	same = file_inode(file)->i_ino == ino && file_inode(file)->i_sb->s_dev == dev;
	fput(file);
	return same;
}

static bool read_entry(const char *text, struct holon_record_epoll *entry)
{
	unsigned int target, events, dev;
	unsigned long ino;
	u64 data;
	s64 pos;

	if (sscanf(text, "tfd: %u events: %x data: %llx pos:%lli ino:%lx sdev:%x", &target,
		   &events, &data, &pos, &ino, &dev) != 6)
		return false;
	entry->fd = cpu_to_le32(target);
	entry->events = cpu_to_le32(events);
	entry->data = cpu_to_le64(data);
	return is_open(target, ino, dev);
}

static int put_entries(struct holon_image *image, unsigned int fd, const char *text)
{
	struct holon_record_epoll entry = { .epoll = cpu_to_le32(fd) };
	int err = 0;

	for (; !err && text && *text; text = next_line(text))
		err = read_entry(text, &entry) ?
		      holon_image_put(image, HOLON_RECORD_EPOLL, &entry, sizeof(entry)) : -EBUSY;
	return err;
}

bool holon_epoll_stays(struct file *file)
{
	struct holon_record_epoll entry;
	const char *line;
	bool stays = false;
	char *text;

	text = read_fdinfo(file);
	if (IS_ERR(text))
		return true;
	for (line = text; !stays && line && *line; line = next_line(line))
		stays = !read_entry(line, &entry);
	kvfree(text);
	return stays;
}

int holon_anon_export(struct holon_image *image, struct file *file, unsigned int fd, bool cloexec)
{
	struct holon_record_anon record = {
		.fd = cpu_to_le32(fd),
		.kind = cpu_to_le32(holon_anon_kind(file)),
		.flags = cpu_to_le32((file->f_flags & O_NONBLOCK) | (cloexec ? O_CLOEXEC : 0)),
	};
	bool known = true;
	char *text;
	int err;

	text = read_fdinfo(file);
	if (IS_ERR(text))
		return PTR_ERR(text);
	switch (le32_to_cpu(record.kind)) {
	case HOLON_ANON_EVENTFD:
		known = read_eventfd(text, &record);
		break;
	case HOLON_ANON_TIMERFD:
		known = read_timerfd(text, &record);
		break;
	case HOLON_ANON_SIGNALFD:
		known = read_signalfd(text, &record);
		break;
	}
	err = known ? holon_image_put(image, HOLON_RECORD_ANON, &record, sizeof(record)) : -EBUSY;
	if (!err && le32_to_cpu(record.kind) == HOLON_ANON_EPOLL)
		err = put_entries(image, fd, text);
	kvfree(text);
	return err;
}

/* --- import ------------------------------------------------------------------ */

/* The arguments of calls; a guest to be is in the address space of its spawner still. */
static void __user *scratch(struct holon_task *ht, const void *data, size_t len)
{
	unsigned long window = holon_window(ht, len);

	if (IS_ERR_VALUE(window) || copy_to_user((void __user *)window, data, len))
		return NULL;
	return (void __user *)window;
}

static int make_eventfd(struct holon_task *ht, const struct holon_record_anon *record)
{
	u64 count = le64_to_cpu(record->value[0]);
	unsigned int flags = le32_to_cpu(record->flags) & O_NONBLOCK;
	void __user *data;
	long fd, err = 0;

	fd = holon_native_call(__NR_eventfd2, 0,
			       flags | (record->value[1] ? EFD_SEMAPHORE : 0), 0, 0);
	if (fd < 0 || !count)
		return fd;
	/* More than that would wait for a reader. */
	count = min_t(u64, count, ULLONG_MAX - 1);
	data = scratch(ht, &count, sizeof(count));
	err = data ? holon_native_call(__NR_write, fd, (unsigned long)data, sizeof(count), 0) :
		     -ENOMEM;
	if (err >= 0)
		return fd;
	close_fd(fd);
	return err;
}

static u64 now(clockid_t clock)
{
	switch (clock) {
	case CLOCK_REALTIME:
	case CLOCK_REALTIME_ALARM:
		return ktime_get_real_ns();
	case CLOCK_MONOTONIC:
		return ktime_get_ns();
	default:
		return ktime_get_boottime_ns();
	}
}

static int set_timerfd(struct holon_task *ht, const struct holon_record_anon *record, int fd)
{
	u64 left = min_t(u64, le64_to_cpu(record->value[3]), KTIME_MAX / 2);
	unsigned int flags = le64_to_cpu(record->value[1]);
	u64 ticks = le64_to_cpu(record->value[2]);
	struct __kernel_itimerspec spec = {};
	void __user *data;
	long err;

	if (left) {
		/* The program has set when, not how long. */
		if (flags & TFD_TIMER_ABSTIME)
			left += now(le64_to_cpu(record->value[0]));
		spec.it_value = holon_timespec(left);
		spec.it_interval = holon_timespec(le64_to_cpu(record->value[4]));
		data = scratch(ht, &spec, sizeof(spec));
		err = data ? holon_native_call(__NR_timerfd_settime, fd,
					       flags & TFD_SETTIME_FLAGS, (unsigned long)data, 0) :
			     -ENOMEM;
		if (err)
			return err;
	}
	if (!ticks)
		return 0;
	data = scratch(ht, &ticks, sizeof(ticks));
	return data ? holon_native_call(__NR_ioctl, fd, TFD_IOC_SET_TICKS, (unsigned long)data, 0) :
		      -ENOMEM;
}

static int make_timerfd(struct holon_task *ht, const struct holon_record_anon *record)
{
	int fd, err;

	fd = holon_native_call(__NR_timerfd_create, le64_to_cpu(record->value[0]),
			       le32_to_cpu(record->flags) & O_NONBLOCK, 0, 0);
	if (fd < 0)
		return fd;
	err = set_timerfd(ht, record, fd);
	if (!err)
		return fd;
	close_fd(fd);
	return err;
}

static int make_signalfd(struct holon_task *ht, const struct holon_record_anon *record)
{
	u64 mask = le64_to_cpu(record->value[0]);
	void __user *data = scratch(ht, &mask, sizeof(mask));

	if (!data)
		return -ENOMEM;
	return holon_native_call(__NR_signalfd4, -1, (unsigned long)data, sizeof(mask),
				 le32_to_cpu(record->flags) & O_NONBLOCK);
}

/* Move what has been made from the number that it got to the one that it had. */
static int put_at(int own, const struct holon_record_anon *record)
{
	struct file *file = fget_raw(own);
	int err;

	if (!file)
		return -EBADF;
	close_fd(own);
	err = replace_fd(le32_to_cpu(record->fd), file, le32_to_cpu(record->flags) & O_CLOEXEC);
	fput(file);
	return min(err, 0);
}

int holon_anon_import(struct holon_task *ht, const struct holon_record_anon *record)
{
	int fd;

	switch (le32_to_cpu(record->kind)) {
	case HOLON_ANON_EVENTFD:
		fd = make_eventfd(ht, record);
		break;
	case HOLON_ANON_TIMERFD:
		fd = make_timerfd(ht, record);
		break;
	case HOLON_ANON_SIGNALFD:
		fd = make_signalfd(ht, record);
		break;
	case HOLON_ANON_EPOLL:
		fd = holon_native_call(__NR_epoll_create1, 0, 0, 0, 0);
		break;
	default:
		return -EBADMSG;
	}
	return fd < 0 ? fd : put_at(fd, record);
}

int holon_epoll_import(const struct holon_record_epoll *record)
{
	struct epoll_event event = {
		.events = (__force __poll_t)le32_to_cpu(record->events),
		.data = le64_to_cpu(record->data),
	};

	return do_epoll_ctl(le32_to_cpu(record->epoll), EPOLL_CTL_ADD, le32_to_cpu(record->fd),
			    &event, false);
}
