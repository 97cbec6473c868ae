// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of a process that moves, and its vDSO: x86-64.
 *
 * They are what a debugger sees: the register sets of ptrace. Reading is allowed
 * for current, writing is not; it needs a stopped task. So who imports sleeps,
 * uninterruptibly, while a worker writes, exactly as a tracer does.
 *
 * A new guest is a child of a system call of the spawner, and what its creation
 * returns from sets the result register to 0. So this one is set last, on the way
 * to user mode, and until then signals stay blocked.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/completion.h>
#include <linux/crc32.h>
#include <linux/elf.h>
#include <linux/mm.h>
#include <linux/ptrace.h>
#include <linux/regset.h>
#include <linux/sched/task.h>
#include <linux/sched/task_stack.h>
#include <linux/slab.h>
#include <linux/workqueue.h>

#include <asm/cpufeature.h>
#include <asm/mmu_context.h>
#include <asm/processor.h>
#include <asm/user.h>
#include <asm/vdso.h>

#include "move.h"
#include "task.h"

static bool has_ldt(void)
{
#ifdef CONFIG_MODIFY_LDT_SYSCALL
	return READ_ONCE(current->mm->context.ldt);
#else
	return false;
#endif
}

enum holon_stay holon_regs_check(void)
{
	const struct thread_struct *thread = &current->thread;

	if (!user_64bit_mode(current_pt_regs()) || test_thread_flag(TIF_ADDR32) ||
	    in_ia32_syscall())
		return HOLON_STAY_IA32;
	if (has_ldt() || thread->io_bitmap || thread->iopl_emul)
		return HOLON_STAY_ARCH;
	return HOLON_STAY_NONE;
}

static const struct user_regset *find_regset(unsigned int type)
{
	const struct user_regset_view *view = task_user_regset_view(current);
	unsigned int i;

	for (i = 0; i < view->n; i++)
		if (view->regsets[i].core_note_type == type)
			return &view->regsets[i];
	return NULL;
}

static int export_set(struct holon_image *image, u32 record, unsigned int type)
{
	const struct user_regset *regset = find_regset(type);
	void *data = NULL;
	int len, err;

	if (!regset)
		return -EOPNOTSUPP;
	len = regset_get_alloc(current, regset, regset->n * regset->size, &data);
	if (len < 0)
		return len;
	err = holon_image_put(image, record, data, len);
	kvfree(data);
	return err;
}

/* What programs ask the processor for, and then use. */
static const unsigned int cpu_words[] = {
	CPUID_1_EDX, CPUID_1_ECX, CPUID_8000_0001_EDX, CPUID_8000_0001_ECX, CPUID_D_1_EAX,
	CPUID_7_0_EBX, CPUID_7_ECX, CPUID_7_EDX, CPUID_7_1_EAX,
};

int holon_cpu_export(struct holon_image *image)
{
	__le32 word[ARRAY_SIZE(cpu_words)];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(word); i++)
		word[i] = cpu_to_le32(boot_cpu_data.x86_capability[cpu_words[i]]);
	return holon_image_put(image, HOLON_RECORD_CPU, word, sizeof(word));
}

/* Has this processor all that the program has seen? That is asked once for all threads. */
static bool has_cpu(const struct holon_regs_import *import)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cpu_words) && import->cpu; i++)
		if (le32_to_cpu(import->cpu[i]) &
		    ~boot_cpu_data.x86_capability[cpu_words[i]])
			return false;
	return true;
}

int holon_regs_export(struct holon_image *image)
{
	return export_set(image, HOLON_RECORD_REGS, NT_PRSTATUS) ?:
	       export_set(image, HOLON_RECORD_XSTATE, NT_X86_XSTATE);
}

int holon_regs_parse(struct holon_regs_import *import, const struct holon_record *record)
{
	switch (record->type) {
	case HOLON_RECORD_REGS:
		import->regs = record->data;
		import->regs_len = record->len;
		return record->len == sizeof(struct user_regs_struct) ? 0 : -EBADMSG;
	case HOLON_RECORD_XSTATE:
		import->xstate = record->data;
		import->xstate_len = record->len;
		return 0;
	case HOLON_RECORD_CPU:
		import->cpu = record->data;
		return record->len == sizeof(cpu_words) ? 0 : -EBADMSG;
	default:
		return 1;
	}
}

/* What a tracer does, on behalf of the task itself. */
struct write_regs {
	struct work_struct work;
	struct completion done;
	struct task_struct *task;
	const struct user_regset *general, *xstate;
	const void *regs, *state;
	size_t regs_len, state_len;
	int err;
};

static void write_regs(struct work_struct *work)
{
	struct write_regs *w = container_of(work, struct write_regs, work);

	/* It sleeps in holon_regs_import(), or is about to. */
	while (!wait_task_inactive(w->task, TASK_UNINTERRUPTIBLE))
		cond_resched();
	w->err = w->general->set(w->task, w->general, 0, w->regs_len, w->regs, NULL) ?:
		 w->xstate->set(w->task, w->xstate, 0, w->state_len, w->state, NULL);
	complete(&w->done);
}

int holon_regs_import(const struct holon_regs_import *import)
{
	const struct user_regset *general = find_regset(NT_PRSTATUS);
	const struct user_regset *xstate = find_regset(NT_X86_XSTATE);
	struct write_regs w = {
		.task = current,
		.general = general,
		.xstate = xstate,
		.regs_len = import->regs_len,
		.state_len = import->xstate_len,
	};
	void *regs, *state;

	/* Another layout is that of another processor. */
	if (!has_cpu(import) || !general || !xstate ||
	    xstate->n * xstate->size != import->xstate_len)
		return -EOPNOTSUPP;
	/* Records are aligned to 4 bytes, registers want more. */
	regs = kmemdup(import->regs, import->regs_len, GFP_KERNEL);
	state = kvmemdup(import->xstate, import->xstate_len, GFP_KERNEL);
	if (!regs || !state) {
		kfree(regs);
		kvfree(state);
		return -ENOMEM;
	}
	w.regs = regs;
	w.state = state;
	INIT_WORK_ONSTACK(&w.work, write_regs);
	init_completion(&w.done);
	queue_work(system_unbound_wq, &w.work);
	wait_for_completion(&w.done);
	flush_work(&w.work);
	destroy_work_on_stack(&w.work);
	kfree(regs);
	kvfree(state);
	return w.err == -EINVAL || w.err == -EFAULT ? -EOPNOTSUPP : w.err;
}

/* --- vDSO ------------------------------------------------------------------ */

/* A program keeps addresses inside of it, so it has to be the same one. */
static u32 vdso_crc(void)
{
	return crc32(0, vdso_image_64.data, vdso_image_64.size);
}

unsigned long holon_vdso_address(u32 *size, u32 *crc)
{
	unsigned long text = (unsigned long)current->mm->context.vdso;

	*size = vdso_image_64.size;
	*crc = vdso_crc();
	return text ? text + vdso_image_64.sym_vvar_start : 0;
}

int holon_vdso_map(unsigned long addr, u32 size, u32 crc)
{
	int err;

	if (!addr)
		return 0;
	if (size != vdso_image_64.size || crc != vdso_crc())
		return -EOPNOTSUPP;
	err = map_vdso_once(&vdso_image_64, addr);
	if (err)
		return err;
	return (unsigned long)current->mm->context.vdso + vdso_image_64.sym_vvar_start == addr ?
	       0 : -ENOMEM;
}

/* In it, values of two machines would be mixed. */
bool holon_vdso_runs(void)
{
	unsigned long text = (unsigned long)current->mm->context.vdso;
	unsigned long ip = instruction_pointer(current_pt_regs());

	return text && ip >= text && ip < text + vdso_image_64.size;
}
