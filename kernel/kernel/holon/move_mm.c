// SPDX-License-Identifier: GPL-2.0-only
/*
 * Address spaces of processes that move.
 *
 * The mappings travel in the image, and are made at the other node as the
 * program made them: by mmap() and madvise(), in the importing task. What they
 * contain follows in messages of TASK_PAGES, and only what is not in a file:
 * anonymous pages, private copies of file pages included. Each message is a call,
 * so when the last one has been answered everything is in its place.
 *
 * The address space of the old program is left by exec_mmap(), as execve() does,
 * but after everything was forgotten that would tell the program, or others, of
 * the end of a thread: see holon_thread_forget().
 *
 * Locks: mmap_lock of current, innermost of what is taken here; paths are looked
 * up without it. The handler takes that of the importing task, but a page of it that
 * another node has to be asked for is waited for without.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/cred.h>
#include <linux/binfmts.h>
#include <linux/dcache.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/init_task.h>
#include <linux/mm.h>
#include <linux/mmu_context.h>
#include <linux/mman.h>
#include <linux/mount.h>
#include <linux/namei.h>
#include <linux/pagewalk.h>
#include <linux/pkeys.h>
#include <linux/sched/coredump.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/swapops.h>
#include <linux/uaccess.h>
#include <linux/userfaultfd_k.h>
#include <linux/writeback.h>

#include <linux/holon.h>
#include <linux/holon_file.h>
#include <linux/holon_rpc.h>
#include <linux/holon_view.h>

#include "move.h"
#include "task.h"

/* Command line and environment that ps shows of a deputy. */
#define HOLON_ARGS_MAX		SZ_128K
/* Pages in one message. */
#define HOLON_PAGES		250

static int holon_pages_handler(struct holon_request *request);

static HOLON_RPC(task_pages, HOLON_RPC_ID_TASK_PAGES, HOLON_BULK, 0,
		 sizeof(struct holon_wire_pages), holon_pages_handler);

/* What cannot be had by mmap() and madvise(). */
#define HOLON_VM_NEVER	(VM_PFNMAP | VM_IO | VM_MIXEDMAP | VM_HUGETLB | VM_SHADOW_STACK | VM_SEALED)

/* What madvise() sets. */
static const struct {
	unsigned long flag;
	int advice;
} advices[] = {
	{ VM_DONTCOPY, MADV_DONTFORK },
	{ VM_WIPEONFORK, MADV_WIPEONFORK },
	{ VM_DONTDUMP, MADV_DONTDUMP },
	{ VM_SEQ_READ, MADV_SEQUENTIAL },
	{ VM_RAND_READ, MADV_RANDOM },
	{ VM_MERGEABLE, MADV_MERGEABLE },
	{ VM_HUGEPAGE, MADV_HUGEPAGE },
	{ VM_NOHUGEPAGE, MADV_NOHUGEPAGE },
};

/* --- export ---------------------------------------------------------------- */

struct area {
	unsigned long start, end, flags, offset;
	struct file *file;
};

struct areas {
	struct area *list;
	unsigned int n;
};

static void areas_free(struct areas *areas)
{
	while (areas->n)
		if (areas->list[--areas->n].file)
			fput(areas->list[areas->n].file);
	kvfree(areas->list);
}

static bool special(const struct vm_area_struct *vma)
{
	return vma->vm_ops && vma->vm_ops->name && !vma->vm_file;
}

static enum holon_stay check_area(struct vm_area_struct *vma)
{
	if (vma->vm_flags & HOLON_VM_NEVER || userfaultfd_armed(vma) || vma_pkey(vma) ||
	    vma->vm_flags & VM_LOCKONFAULT)
		return HOLON_STAY_MAP_KIND;
	return HOLON_STAY_NONE;
}

/* The mappings of current, with a reference to their files. */
static int collect_areas(struct areas *areas, enum holon_stay *stay)
{
	struct mm_struct *mm = current->mm;
	struct vm_area_struct *vma;
	VMA_ITERATOR(vmi, mm, 0);
	unsigned int size = READ_ONCE(mm->map_count);
	int err = 0;

	areas->n = 0;
	areas->list = kvmalloc_array(size + 1, sizeof(*areas->list), GFP_KERNEL_ACCOUNT);
	if (!areas->list)
		return -ENOMEM;
	mmap_read_lock(mm);
	for_each_vma(vmi, vma) {
		/* Those of the vDSO are made by the kernel. */
		if (special(vma))
			continue;
		*stay = check_area(vma);
		if (*stay || areas->n > size) {
			err = -EBUSY;
			break;
		}
		areas->list[areas->n++] = (struct area) {
			.start = vma->vm_start,
			.end = vma->vm_end,
			.flags = vma->vm_flags,
			.offset = vma->vm_pgoff,
			.file = vma->vm_file ? get_file(vma->vm_file) : NULL,
		};
	}
	mmap_read_unlock(mm);
	return err;
}

/* Its file, which the area before may have had as well: @last is that one, or NULL. */
static int export_file(const struct area *area, const struct area *last,
		       struct holon_record_map *map, enum holon_stay *stay)
{
	bool shared = area->flags & VM_MAYSHARE;
	int err;

	/* Said once, so that it is opened once. */
	if (last && last->file == area->file && !shared)
		return 0;
	err = holon_map_export(current->holon, area->file, shared, map, stay);
	if (!err && shared && area->flags & VM_MAYWRITE) {
		*stay = HOLON_STAY_MAP_SHARED;
		err = -EBUSY;
	}
	return err;
}

/* @map: of the area before, then of this one. */
static int put_area(struct holon_image *image, const struct area *area, const struct area *last,
		    struct holon_record_map *map, char *page, enum holon_stay *stay)
{
	struct holon_record_area record = {
		.start = cpu_to_le64(area->start),
		.end = cpu_to_le64(area->end),
		.flags = cpu_to_le64(area->flags),
		.offset = cpu_to_le64(area->offset),
	};
	const char *name = "";
	void *data;
	int err;

	if (area->file) {
		name = d_path(file_user_path(area->file), page, PATH_MAX);
		if (IS_ERR(name))
			return PTR_ERR(name);
		err = export_file(area, last, map, stay);
		if (err)
			return err;
		record.map = *map;
	}
	data = holon_image_add(image, HOLON_RECORD_AREA, sizeof(record) + strlen(name) + 1);
	if (!data) {
		*stay = HOLON_STAY_IMAGE;
		return -E2BIG;
	}
	memcpy(data, &record, sizeof(record));
	memcpy(data + sizeof(record), name, strlen(name) + 1);
	return 0;
}

static int put_exe(struct holon_image *image, char *page, enum holon_stay *stay)
{
	struct file *exe = get_mm_exe_file(current->mm);
	struct holon_record_exe record = {};
	const char *name;
	void *data;
	int err;

	*stay = HOLON_STAY_MAP_DELETED;
	if (!exe)
		return -EBUSY;
	*stay = HOLON_STAY_NONE;
	name = d_path(file_user_path(exe), page, PATH_MAX);
	err = PTR_ERR_OR_ZERO(name) ?:
	      holon_map_export(current->holon, exe, false, &record.map, stay);
	if (!err) {
		data = holon_image_add(image, HOLON_RECORD_EXE, sizeof(record) + strlen(name) + 1);
		if (data) {
			memcpy(data, &record, sizeof(record));
			memcpy(data + sizeof(record), name, strlen(name) + 1);
		} else {
			*stay = HOLON_STAY_IMAGE;
			err = -E2BIG;
		}
	}
	fput(exe);
	return err;
}

static int put_mm(struct holon_image *image)
{
	struct mm_struct *mm = current->mm;
	struct holon_record_mm *record;
	u32 vdso_size = 0, vdso_crc = 0;
	unsigned int i;

	BUILD_BUG_ON(ARRAY_SIZE(mm->saved_auxv) > HOLON_AUXV_WORDS);
	record = holon_image_add(image, HOLON_RECORD_MM, sizeof(*record));
	if (!record)
		return -ENOMEM;
	spin_lock(&mm->arg_lock);
	record->start_code = cpu_to_le64(mm->start_code);
	record->end_code = cpu_to_le64(mm->end_code);
	record->start_data = cpu_to_le64(mm->start_data);
	record->end_data = cpu_to_le64(mm->end_data);
	record->start_brk = cpu_to_le64(mm->start_brk);
	record->brk = cpu_to_le64(mm->brk);
	record->start_stack = cpu_to_le64(mm->start_stack);
	record->arg_start = cpu_to_le64(mm->arg_start);
	record->arg_end = cpu_to_le64(mm->arg_end);
	record->env_start = cpu_to_le64(mm->env_start);
	record->env_end = cpu_to_le64(mm->env_end);
	spin_unlock(&mm->arg_lock);
	record->mmap_base = cpu_to_le64(mm->mmap_base);
	record->flags = cpu_to_le64(mm->flags);
	record->def_flags = cpu_to_le64(mm->def_flags);
#ifdef CONFIG_MEMBARRIER
	record->membarrier = cpu_to_le64(atomic_read(&mm->membarrier_state));
#endif
	record->vdso = cpu_to_le64(holon_vdso_address(&vdso_size, &vdso_crc));
	record->vdso_size = cpu_to_le32(vdso_size);
	record->vdso_crc = cpu_to_le32(vdso_crc);
	for (i = 0; i < ARRAY_SIZE(mm->saved_auxv); i++)
		record->auxv[i] = cpu_to_le64(mm->saved_auxv[i]);
	return 0;
}

int holon_mm_export(struct holon_image *image, enum holon_stay *stay)
{
	struct holon_record_map map = {};
	struct areas areas = {};
	char *page = __getname();
	unsigned int i;
	int err;

	if (!page)
		return -ENOMEM;
	err = put_mm(image) ?: put_exe(image, page, stay) ?: collect_areas(&areas, stay);
	for (i = 0; i < areas.n && !err; i++) {
		err = put_area(image, &areas.list[i], i ? &areas.list[i - 1] : NULL, &map, page,
			       stay);
		cond_resched();
	}
	areas_free(&areas);
	__putname(page);
	return err;
}

/* --- import ---------------------------------------------------------------- */

/* Is what follows the first @head bytes of it one path? */
static bool has_path(const struct holon_record *record, size_t head)
{
	size_t len = record->len - head;

	return record->len > head && len <= PATH_MAX &&
	       strnlen(record->data + head, len) == len - 1;
}

static bool valid_area(const struct holon_record *record)
{
	const struct holon_record_area *area = record->data;
	u64 start, end;

	if (!has_path(record, sizeof(*area)))
		return false;
	start = le64_to_cpu(area->start);
	end = le64_to_cpu(area->end);
	return start < end && end <= TASK_SIZE_MAX && PAGE_ALIGNED(start) && PAGE_ALIGNED(end) &&
	       le64_to_cpu(area->offset) <= ULONG_MAX >> PAGE_SHIFT &&
	       !(le64_to_cpu(area->flags) & HOLON_VM_NEVER);
}

int holon_mm_parse(struct holon_mm_import *import, const struct holon_record *record)
{
	switch (record->type) {
	case HOLON_RECORD_MM:
		import->mm = record->data;
		return record->len == sizeof(*import->mm) ? 0 : -EBADMSG;
	case HOLON_RECORD_EXE:
		import->exe = record->data;
		return has_path(record, sizeof(*import->exe)) ? 0 : -EBADMSG;
	case HOLON_RECORD_AREA:
		import->areas++;
		return valid_area(record) ? 0 : -EBADMSG;
	default:
		return 1;
	}
}

static int advise(unsigned long start, unsigned long end, unsigned long flags)
{
	unsigned int i;
	int err;

	for (i = 0; i < ARRAY_SIZE(advices); i++) {
		if (!(flags & advices[i].flag))
			continue;
		err = do_madvise(current->mm, start, end - start, advices[i].advice);
		/* A kernel without that is as good. */
		if (err && err != -EINVAL)
			return err;
	}
	return 0;
}

/* The file of the area before, mostly the same one. */
struct last_file {
	struct file *file;
	const struct holon_record_area *area;
};

static bool is_last(const struct last_file *last, const struct holon_record_area *area)
{
	return last->file && !memcmp(&last->area->map, &area->map, sizeof(area->map)) &&
	       !strcmp((const char *)(last->area + 1), (const char *)(area + 1));
}

static void forget_last(struct last_file *last)
{
	if (last->file)
		fput(last->file);
	last->file = NULL;
}

static int find_file(const struct holon_record_area *area, struct last_file *last)
{
	struct file *file;

	if (is_last(last, area))
		return 0;
	forget_last(last);
	file = holon_map_import(current->holon, &area->map, (const char *)(area + 1));
	if (IS_ERR(file))
		return PTR_ERR(file);
	*last = (struct last_file){ file, area };
	return 0;
}

static int map_area(const struct holon_record_area *area, struct last_file *last)
{
	unsigned long flags = le64_to_cpu(area->flags), start = le64_to_cpu(area->start);
	unsigned long end = le64_to_cpu(area->end), prot = 0, how = MAP_FIXED_NOREPLACE, addr;
	const char *name = (const char *)(area + 1);
	int err;

	if (flags & VM_READ)
		prot |= PROT_READ;
	if (flags & VM_WRITE)
		prot |= PROT_WRITE;
	if (flags & VM_EXEC)
		prot |= PROT_EXEC;
	how |= flags & VM_MAYSHARE ? MAP_SHARED : MAP_PRIVATE;
	if (flags & VM_GROWSDOWN)
		how |= MAP_GROWSDOWN;
	if (flags & VM_NORESERVE)
		how |= MAP_NORESERVE;
	if (flags & VM_LOCKED)
		how |= MAP_LOCKED;
	if (*name) {
		err = find_file(area, last);
		if (err)
			return err;
		addr = vm_mmap(last->file, start, end - start, prot, how,
			       le64_to_cpu(area->offset) << PAGE_SHIFT);
	} else {
		if (flags & VM_MAYSHARE)
			return -EBADMSG;
		addr = vm_mmap(NULL, start, end - start, prot, how | MAP_ANONYMOUS, 0);
	}
	if (IS_ERR_VALUE(addr))
		return addr;
	return addr == start ? advise(start, end, flags) : -ENOMEM;
}

static int map_areas(const struct holon_image *image)
{
	struct last_file last = {};
	struct holon_record record;
	size_t pos = 0;
	int err = 0;

	while (!err && holon_image_next(image, &pos, &record) > 0) {
		if (record.type != HOLON_RECORD_AREA)
			continue;
		err = map_area(record.data, &last);
		if (fatal_signal_pending(current))
			err = -EINTR;
		cond_resched();
	}
	forget_last(&last);
	return err;
}

/* An empty address space that runs @exe, and current in it. */
static int enter(struct file *exe, unsigned long flags)
{
	struct linux_binfmt *format = current->mm->binfmt;
	struct mm_struct *mm = mm_alloc();
	struct rlimit stack;
	int err;

	if (!mm)
		return -ENOMEM;
	mm->flags = mmf_init_flags(flags);
	task_lock(current->group_leader);
	stack = current->signal->rlim[RLIMIT_STACK];
	task_unlock(current->group_leader);
	arch_pick_mmap_layout(mm, &stack);
	mm->task_size = TASK_SIZE;
	/* Somebody may be writing to the program. */
	if (exe && set_mm_exe_file(mm, exe))
		pr_debug("no program for a process that moves\n");
	holon_thread_forget();
	sched_mm_cid_before_execve(current);
	err = exec_mmap(mm);
	if (!err) {
		up_write(&current->signal->exec_update_lock);
		/* Of a spawner, too, that is ELF: who dumps core. */
		set_binfmt(format);
	}
	sched_mm_cid_after_execve(current);
	if (err)
		mmput(mm);
	return err;
}

void holon_mm_join(struct mm_struct *mm)
{
	struct mm_struct *old = current->mm;

	holon_thread_forget();
	exec_mm_release(current, old);
	mmget(mm);
	sched_mm_cid_before_execve(current);
	task_lock(current);
	local_irq_disable();
	current->active_mm = mm;
	current->mm = mm;
	if (!IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	activate_mm(old, mm);
	if (IS_ENABLED(CONFIG_ARCH_WANT_IRQS_OFF_ACTIVATE_MM))
		local_irq_enable();
	/* Other threads are in it already. */
	membarrier_update_current_mm(mm);
	task_unlock(current);
	sched_mm_cid_after_execve(current);
	setmax_mm_hiwater_rss(&current->signal->maxrss, old);
	mm_update_next_owner(old);
	mmput(old);
}

static void set_layout(const struct holon_record_mm *record)
{
	struct mm_struct *mm = current->mm;
	unsigned int i;

	mmap_write_lock(mm);
	spin_lock(&mm->arg_lock);
	mm->start_code = le64_to_cpu(record->start_code);
	mm->end_code = le64_to_cpu(record->end_code);
	mm->start_data = le64_to_cpu(record->start_data);
	mm->end_data = le64_to_cpu(record->end_data);
	mm->start_brk = le64_to_cpu(record->start_brk);
	mm->brk = le64_to_cpu(record->brk);
	mm->start_stack = le64_to_cpu(record->start_stack);
	mm->arg_start = le64_to_cpu(record->arg_start);
	mm->arg_end = le64_to_cpu(record->arg_end);
	mm->env_start = le64_to_cpu(record->env_start);
	mm->env_end = le64_to_cpu(record->env_end);
	spin_unlock(&mm->arg_lock);
	mm->mmap_base = le64_to_cpu(record->mmap_base);
	mm->def_flags = le64_to_cpu(record->def_flags) & VM_LOCKED;
	for (i = 0; i < ARRAY_SIZE(mm->saved_auxv); i++)
		mm->saved_auxv[i] = le64_to_cpu(record->auxv[i]);
	/* It has an end, whatever came. */
	mm->saved_auxv[ARRAY_SIZE(mm->saved_auxv) - 2] = 0;
	mm->saved_auxv[ARRAY_SIZE(mm->saved_auxv) - 1] = 0;
	mmap_write_unlock(mm);
#ifdef CONFIG_MEMBARRIER
	atomic_set(&mm->membarrier_state, le64_to_cpu(record->membarrier));
	membarrier_update_current_mm(mm);
#endif
}

/* prctl() knows the same limits. */
static bool valid_layout(const struct holon_record_mm *record)
{
	const __le64 *word = &record->start_code;

	for (; word <= &record->mmap_base; word++)
		if (le64_to_cpu(*word) > TASK_SIZE_MAX)
			return false;
	return le64_to_cpu(record->start_code) <= le64_to_cpu(record->end_code) &&
	       le64_to_cpu(record->start_data) <= le64_to_cpu(record->end_data) &&
	       le64_to_cpu(record->start_brk) <= le64_to_cpu(record->brk) &&
	       le64_to_cpu(record->arg_start) <= le64_to_cpu(record->arg_end) &&
	       le64_to_cpu(record->env_start) <= le64_to_cpu(record->env_end);
}

int holon_mm_import(const struct holon_mm_import *import, const struct holon_image *image)
{
	const struct holon_record_mm *record = import->mm;
	struct file *exe;
	int err;

	if (!valid_layout(record))
		return -EBADMSG;
	exe = holon_map_import(current->holon, &import->exe->map,
			       (const char *)(import->exe + 1));
	if (IS_ERR(exe))
		return PTR_ERR(exe);
	err = enter(exe, le64_to_cpu(record->flags));
	fput(exe);
	if (err)
		return err;
	/* The vDSO first: it wants its place, and only hints at it. */
	err = holon_vdso_map(le64_to_cpu(record->vdso), le32_to_cpu(record->vdso_size),
			     le32_to_cpu(record->vdso_crc));
	if (!err)
		err = map_areas(image);
	if (!err)
		set_layout(record);
	return err;
}

/* --- deputy ---------------------------------------------------------------- */

struct args {
	unsigned long arg_start, arg_end, env_start, env_end;
	unsigned long start;
	size_t len;
	void *data;
};

/* Its command line and environment, as far as they fit. */
static void copy_args(struct args *args)
{
	struct mm_struct *mm = current->mm;
	unsigned long end;

	*args = (struct args){};
	spin_lock(&mm->arg_lock);
	args->arg_start = mm->arg_start;
	args->arg_end = mm->arg_end;
	args->env_start = mm->env_start;
	args->env_end = mm->env_end;
	spin_unlock(&mm->arg_lock);
	/* As execve() lays them out, and not as a program has changed them. */
	if (args->arg_end != args->env_start) {
		args->env_start = args->arg_end;
		args->env_end = args->arg_end;
	}
	args->start = PAGE_ALIGN_DOWN(args->arg_start);
	end = PAGE_ALIGN(args->env_end);
	if (end <= args->start || end - args->start > HOLON_ARGS_MAX)
		return;
	args->len = end - args->start;
	args->data = kvmalloc(args->len, GFP_KERNEL_ACCOUNT);
	if (!args->data)
		return;
	if (copy_from_user(args->data, (void __user *)args->start, args->len)) {
		kvfree(args->data);
		args->data = NULL;
	}
}

static void show_args(const struct args *args)
{
	struct mm_struct *mm = current->mm;
	unsigned long addr;

	if (!args->data)
		return;
	addr = vm_mmap(NULL, args->start, args->len, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, 0);
	if (addr != args->start ||
	    copy_to_user((void __user *)args->start, args->data, args->len))
		return;
	spin_lock(&mm->arg_lock);
	mm->arg_start = args->arg_start;
	mm->arg_end = args->arg_end;
	mm->env_start = args->env_start;
	mm->env_end = args->env_end;
	spin_unlock(&mm->arg_lock);
}

int holon_mm_deputy(void)
{
	struct file *exe = get_mm_exe_file(current->mm);
	struct args args;
	int err;

	copy_args(&args);
	err = enter(exe, current->mm->flags);
	if (exe)
		fput(exe);
	if (!err)
		show_args(&args);
	kvfree(args.data);
	return err;
}

/* --- contents -------------------------------------------------------------- */

struct batch {
	struct holon_wire_pages *msg;
	unsigned long addr[HOLON_PAGES];
	unsigned int found;
	unsigned long next;	/* where the walk goes on */
};

/* A page that is in no file. Lock: page table. Return: 1 to end the walk. */
static int note_pte(pte_t *pte, unsigned long addr, unsigned long next, struct mm_walk *walk)
{
	struct batch *batch = walk->private;
	pte_t entry = ptep_get(pte);
	struct folio *folio;

	if (pte_none(entry))
		return 0;
	if (pte_present(entry)) {
		folio = vm_normal_folio(walk->vma, addr, entry);
		if (!folio || !folio_test_anon(folio))
			return 0;
	} else if (is_pte_marker(entry)) {
		return 0;
	}
	batch->addr[batch->found++] = addr;
	batch->next = next;
	return batch->found == HOLON_PAGES;
}

static const struct mm_walk_ops note_ops = {
	.pte_entry = note_pte,
	.walk_lock = PGWALK_RDLOCK,
};

static void *page_data(const struct holon_wire_pages *msg, unsigned int max)
{
	return (void *)(msg->addr + max);
}

/* Send those that were noted. A page of zeros is what an anonymous mapping has anyway. */
static int send_batch(struct holon_task *ht, u8 node, struct batch *batch, bool anonymous)
{
	struct holon_wire_pages *msg = batch->msg;
	void *data = page_data(msg, HOLON_PAGES);
	unsigned int i, n = 0;
	struct holon_vec vec[2];

	for (i = 0; i < batch->found; i++) {
		void *page = data + n * PAGE_SIZE;

		if (access_remote_vm(current->mm, batch->addr[i], page, PAGE_SIZE, FOLL_FORCE) !=
		    PAGE_SIZE)
			return -EFAULT;
		if (anonymous && !memchr_inv(page, 0, PAGE_SIZE))
			continue;
		msg->addr[n++] = cpu_to_le64(batch->addr[i]);
	}
	batch->found = 0;
	if (!n)
		return 0;
	msg->task.inc = cpu_to_le64(ht->inc);
	msg->task.pid = cpu_to_le32(ht->pid);
	msg->pages = cpu_to_le32(n);
	vec[0] = (struct holon_vec){ msg, struct_size(msg, addr, n) };
	vec[1] = (struct holon_vec){ data, n * PAGE_SIZE };
	return holon_call(node, &holon_rpc_task_pages, vec, 2, NULL);
}

static int send_area(struct holon_task *ht, u8 node, struct batch *batch, unsigned long start,
		     unsigned long end, bool anonymous)
{
	int err, more;

	do {
		batch->next = end;
		mmap_read_lock(current->mm);
		more = walk_page_range(current->mm, start, end, &note_ops, batch);
		mmap_read_unlock(current->mm);
		if (more < 0)
			return more;
		start = batch->next;
		err = send_batch(ht, node, batch, anonymous);
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
		if (err)
			return err;
		cond_resched();
	} while (more && start < end);
	return 0;
}

int holon_mm_send(struct holon_task *ht, u8 node)
{
	struct areas areas = {};
	enum holon_stay stay;
	struct batch *batch;
	unsigned int i;
	int err;

	batch = kvmalloc(sizeof(*batch), GFP_KERNEL_ACCOUNT);
	if (!batch)
		return -ENOMEM;
	batch->found = 0;
	batch->msg = kvzalloc(struct_size(batch->msg, addr, HOLON_PAGES) +
			      HOLON_PAGES * PAGE_SIZE, GFP_KERNEL_ACCOUNT);
	err = batch->msg ? collect_areas(&areas, &stay) : -ENOMEM;
	for (i = 0; i < areas.n && !err; i++)
		err = send_area(ht, node, batch, areas.list[i].start, areas.list[i].end,
				!areas.list[i].file);
	areas_free(&areas);
	kvfree(batch->msg);
	kvfree(batch);
	return err;
}

/* Their number is what fits on the stack. */
#define PIN_PAGES	16

static void copy_pages(struct page **pages, unsigned long offset, void *data, size_t len,
		       bool write)
{
	size_t n;

	for (; len; pages++, data += n, len -= n, offset = 0) {
		n = min(len, PAGE_SIZE - offset);
		if (write)
			memcpy_to_page(*pages, offset, data, n);
		else
			memcpy_from_page(data, *pages, offset, n);
	}
}

size_t holon_mm_access(struct mm_struct *mm, unsigned long addr, void *data, size_t len,
		       unsigned int gup_flags)
{
	bool write = gup_flags & FOLL_WRITE;
	struct page *pages[PIN_PAGES];
	size_t done = 0, n;
	long got;
	int locked;

	while (done < len) {
		unsigned long offset = offset_in_page(addr + done);

		n = min(DIV_ROUND_UP(offset + len - done, PAGE_SIZE), PIN_PAGES);
		if (mmap_read_lock_killable(mm))
			break;
		locked = 1;
		got = pin_user_pages_remote(mm, addr + done, n, gup_flags, pages, &locked);
		if (locked)
			mmap_read_unlock(mm);
		if (got <= 0)
			break;
		n = min(len - done, got * PAGE_SIZE - offset);
		copy_pages(pages, offset, data + done, n, write);
		unpin_user_pages_dirty_lock(pages, got, write);
		done += n;
		cond_resched();
	}
	return done;
}

static int take_pages(struct mm_struct *mm, const struct holon_wire_pages *msg, unsigned int n)
{
	void *data = page_data(msg, n);
	unsigned int i, run;
	size_t len;
	u64 addr;

	for (i = 0; i < n; i += run) {
		addr = le64_to_cpu(msg->addr[i]);
		if (!PAGE_ALIGNED(addr) || addr >= TASK_SIZE_MAX)
			return -EBADMSG;
		for (run = 1; i + run < n; run++)
			if (le64_to_cpu(msg->addr[i + run]) != addr + run * PAGE_SIZE)
				break;
		len = run * PAGE_SIZE;
		if (holon_mm_access(mm, addr, data + i * PAGE_SIZE, len,
				    FOLL_WRITE | FOLL_FORCE) != len)
			return -EFAULT;
		cond_resched();
	}
	return 0;
}

/* The address space of the half that imports, with a reference, or NULL. */
static struct mm_struct *importing_mm(const struct holon_request *request)
{
	const struct holon_wire_pages *msg = request->data;
	pid_t pid = le32_to_cpu(msg->task.pid);
	u64 inc = le64_to_cpu(msg->task.inc);
	struct task_struct *task = NULL;
	struct mm_struct *mm = NULL;
	struct holon_task *ht;

	ht = holon_task_find(HOLON_ROLE_GUEST, request->node, pid, inc);
	if (!ht)
		ht = holon_task_find(HOLON_ROLE_DEPUTY, holon_node_id(), pid, inc);
	if (!ht)
		return NULL;
	if (READ_ONCE(ht->importing) &&
	    (ht->role == HOLON_ROLE_GUEST || ht->node == request->node))
		task = holon_task_of(ht);
	if (task) {
		mm = get_task_mm(task);
		put_task_struct(task);
	}
	holon_task_put(ht);
	return mm;
}

static int holon_pages_handler(struct holon_request *request)
{
	const struct holon_wire_pages *msg = request->data;
	unsigned int n = le32_to_cpu(msg->pages);
	struct mm_struct *mm;
	int err;

	if (!n || n > HOLON_PAGES || request->len != struct_size(msg, addr, n) + n * PAGE_SIZE)
		return -EBADMSG;
	mm = importing_mm(request);
	if (!mm)
		return -ESTALE;
	err = take_pages(mm, msg, n);
	mmput_async(mm);
	return err;
}
