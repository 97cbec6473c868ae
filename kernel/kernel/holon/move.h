/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Moving processes that run: what the files of it share. See move.c for the
 * protocol.
 */
#ifndef _KERNEL_HOLON_MOVE_H
#define _KERNEL_HOLON_MOVE_H

#include <linux/ktime.h>
#include <linux/time64.h>
#include <linux/types.h>

#include "image.h"

struct file;
struct holon_guest_answer;
struct holon_guest_request;
struct holon_rpc_type;
struct holon_task;
struct mm_struct;
struct task_struct;

/**
 * enum holon_stay - why a process stays where it is
 *
 * The order is that of the table in move_check.c, and of the wire: a number is
 * not given to another reason.
 */
enum holon_stay {
	HOLON_STAY_NONE,
	HOLON_STAY_ERROR,	/* an errno says why */
	HOLON_STAY_GONE,
	HOLON_STAY_LATE,
	HOLON_STAY_OTHER_MOVE,
	HOLON_STAY_NODE,
	HOLON_STAY_FROZEN,
	HOLON_STAY_RIGHTS,
	HOLON_STAY_KERNEL,
	HOLON_STAY_CONTAINER,
	HOLON_STAY_ROOT,
	HOLON_STAY_LEADER,
	HOLON_STAY_VFORK,
	HOLON_STAY_SHARES,
	HOLON_STAY_TRACED,
	HOLON_STAY_SECCOMP,
	HOLON_STAY_IA32,
	HOLON_STAY_ARCH,
	HOLON_STAY_IO_URING,
	HOLON_STAY_AIO,
	HOLON_STAY_TIMERS,
	HOLON_STAY_PI,
	HOLON_STAY_DEADLINE,
	HOLON_STAY_RESTART,
	HOLON_STAY_VDSO,
	HOLON_STAY_FILE,
	HOLON_STAY_FILE_KIND,
	HOLON_STAY_MAP_LOCAL,
	HOLON_STAY_MAP_SHARED,
	HOLON_STAY_MAP_DELETED,
	HOLON_STAY_MAP_KIND,
	HOLON_STAY_IMAGE,
	HOLON_STAY_OTHER_KERNEL,
	HOLON_STAY_UNDERWAY,
	HOLON_STAY_SELF,
	HOLON_STAY_MOVABLE,	/* what who only asks is told */
	HOLON_STAY_VERSION,
	HOLON_STAY_CGROUP,
	HOLON_STAYS
};

/* A sentence for people, and the errno that goes with it. @stay may be untrusted. */
const char *holon_stay_text(enum holon_stay stay);
int holon_stay_errno(enum holon_stay stay);
/* Does that pass by itself, and soon? */
bool holon_stay_passes(enum holon_stay stay);

/**
 * holon_move_check - may the process of current be moved?
 *
 * Of what does not lie in its files and mappings, which their export finds.
 * Context: current, in its hook on the way to user mode, other threads are held.
 */
enum holon_stay holon_move_check(void);

/* And may this thread? Context: the same. */
enum holon_stay holon_thread_check(void);

/* --- move_mm.c: address spaces --------------------------------------------- */

/* Records of the address space of current: MM, EXE, AREA. */
int holon_mm_export(struct holon_image *image, enum holon_stay *stay);

/* What an importer needs; points into the image. */
struct holon_mm_import {
	const struct holon_record_mm *mm;
	const struct holon_record_exe *exe;
	unsigned int areas;
};

/* Look at one of them. 0, -EBADMSG; 1 when it is another record. */
int holon_mm_parse(struct holon_mm_import *import, const struct holon_record *record);

/**
 * holon_mm_import - give current the address space of an image, without contents
 * @import: parsed
 * @image: for the mappings
 *
 * Context: current, which has nothing to lose in its own. On errors it has a new
 * one, with anything in it, or its old one.
 */
int holon_mm_import(const struct holon_mm_import *import, const struct holon_image *image);

/**
 * holon_mm_deputy - leave the address space of the program behind
 *
 * What remains is the command line. Context: current.
 * Return: 0, or an errno when nothing has been done.
 */
int holon_mm_deputy(void);

/**
 * holon_mm_join - leave the address space of the program for that of another thread
 * @mm: of that thread, which waits
 *
 * As the last step of execve(), of one thread of several. Context: current.
 */
void holon_mm_join(struct mm_struct *mm);

/**
 * holon_mm_send - send what the mappings of current contain
 * @ht: of current
 * @node: where the other half is, which has holon_mm_import()ed them
 */
int holon_mm_send(struct holon_task *ht, u8 node);

/* --- process_vm.c: memory that others read and write ---------------------------- */

/**
 * holon_memory_close - wait until nobody copies to or from the memory of current
 *
 * Whoever begins to from now on waits until the move is over: it has been said that
 * current moves. Context: current, which is moved; its other threads are held.
 * Return: 0; -EBUSY when somebody stays; -EINTR when killed.
 */
int holon_memory_close(void);

/* --- move_map.c: files that are mapped ---------------------------------------- */

struct holon_record_map;

/**
 * holon_map_export - say which file is mapped
 * @ht: of current
 * @file: it
 * @shared: by a mapping that is not private
 * @map: filled in
 * @stay: why it cannot be had at the other node
 *
 * Home may offer it to the other node, until holon_export_withdraw().
 * Return: 0; -EBUSY with @stay; -EIO when it could not be written back; -ENOMEM.
 */
int holon_map_export(struct holon_task *ht, struct file *file, bool shared,
		     struct holon_record_map *map, enum holon_stay *stay);

/**
 * holon_map_import - find it at the other node
 * @ht: of current, which imports
 * @map: untrusted
 * @name: path at home
 *
 * Return: an open file; -ESTALE when there is another one of that name; an errno.
 */
struct file *holon_map_import(const struct holon_task *ht, const struct holon_record_map *map,
			      const char *name);

/* --- move_anon.c: files without a name --------------------------------------- */

/**
 * holon_anon_export - write down an eventfd, timerfd, signalfd or epoll
 * @image: for its records
 * @file: one of them
 * @fd: its lowest descriptor
 * @cloexec: of that
 *
 * Return: 0; -EBUSY when it is in a state that cannot be written down; -E2BIG; -ENOMEM.
 */
int holon_anon_export(struct holon_image *image, struct file *file, unsigned int fd, bool cloexec);

/* enum holon_anon, 0 for any other file. */
unsigned int holon_anon_kind(const struct file *file);
/* An epoll of current that looks at a file whose descriptor has been closed? */
bool holon_epoll_stays(struct file *file);

/* Make it, by means of holon_window(). 0 or an errno. */
int holon_anon_import(struct holon_task *ht, const struct holon_record_anon *record);
/* The same when all descriptors are there. */
int holon_epoll_import(const struct holon_record_epoll *record);

/* As system calls take it; what does not fit is hundreds of years. */
static inline struct __kernel_timespec holon_timespec(u64 ns)
{
	struct timespec64 ts = ns_to_timespec64(min_t(u64, ns, KTIME_MAX));

	return (struct __kernel_timespec){ .tv_sec = ts.tv_sec, .tv_nsec = ts.tv_nsec };
}

/* --- move_regs.c: registers ------------------------------------------------ */

/* Of the machine: is there a state that no register set describes? */
enum holon_stay holon_regs_check(void);
int holon_cpu_export(struct holon_image *image);
int holon_regs_export(struct holon_image *image);

struct holon_regs_import {
	const void *regs, *xstate;
	const __le32 *cpu;
	size_t regs_len, xstate_len;
};

int holon_regs_parse(struct holon_regs_import *import, const struct holon_record *record);
/* Set those of current, all but the result of a system call. */
int holon_regs_import(const struct holon_regs_import *import);

/* Map the vDSO of current at @addr, which must have @size and @crc. */
int holon_vdso_map(unsigned long addr, u32 size, u32 crc);
/* Where that of current lies, with the area of its variables. 0: none. */
unsigned long holon_vdso_address(u32 *size, u32 *crc);
bool holon_vdso_runs(void);

/* --- move_thread.c: what the kernel keeps for the program ------------------ */

int holon_thread_export(struct holon_image *image, enum holon_stay *stay);
/* Of all threads; stops their timers. */
int holon_process_export(struct holon_image *image);
/* 0, or -EBADMSG when nothing has been done. */
int holon_thread_import(const struct holon_record_thread *thread);
/* Signals must stay blocked until the registers are complete. */
void holon_process_import(const struct holon_record_process *process,
			  const struct holon_record_action *actions);
/* Nothing of it may happen when current leaves its address space. */
void holon_thread_forget(void);

/**
 * holon_mm_access - read or write memory of a process
 * @mm: its address space, with a reference
 * @addr: where, of whatever alignment
 * @data: from or to here
 * @len: bytes
 * @gup_flags: FOLL_WRITE to write, FOLL_FORCE
 *
 * Context: may sleep; takes mmap_lock, but does not hold it for what a page is read
 * from.
 * Return: how many bytes there were before the first that cannot be had.
 */
size_t holon_mm_access(struct mm_struct *mm, unsigned long addr, void *data, size_t len,
		       unsigned int gup_flags);

/* --- move_seccomp.c ---------------------------------------------------------- */

/* Of current, which has a half: its filters, one record behind the other. */
int holon_seccomp_export(struct holon_image *image, enum holon_stay *stay);
/* Has a thread, which is held, got another one since then? */
bool holon_seccomp_changed(const struct holon_task *ht);
bool holon_seccomp_valid(const struct holon_record *record);
/* How many records from @pos and from @other on are the same. */
unsigned int holon_seccomp_common(const struct holon_image *image, size_t pos, size_t other);
/*
 * Those at @pos, if it is not 0, that current does not have: the first @common for all
 * threads at once. 0 or an errno.
 */
int holon_seccomp_import(const struct holon_image *image, size_t pos, unsigned int common);

/* --- move_timers.c ---------------------------------------------------------- */

/**
 * struct holon_timers - those that an export has stopped
 * @itimer: of setitimer()
 * @itimers: as many of them
 * @timers: number of the others
 * @timer: the others
 */
struct holon_timers {
	struct holon_record_times itimer[3];
	unsigned int itimers, timers;
	struct holon_record_timer timer[];
};

/* Write them down, and stop them. Maps something for a moment. */
int holon_timers_export(struct holon_image *image, struct holon_record_process *process);
/* Start them again, if they were stopped, after an export that led to nothing. */
void holon_timers_rearm(void);
/* It has led to something: a deputy has none. */
void holon_timers_deputy(struct holon_task *ht);
void holon_timers_forget(struct holon_task *ht);
/* Other threads are there by now. */
int holon_timers_import(const struct holon_image *image,
			const struct holon_record_process *process);

/* --- image_export.c, image_import.c ---------------------------------------- */

/**
 * holon_image_export_move - write down a whole process, but for its memory
 * @image: empty
 * @stay: why not, set when a reason is known
 *
 * Context: current on its way to user mode, other threads are held.
 */
int holon_image_export_move(struct holon_image *image, enum holon_stay *stay);

/**
 * holon_image_export_sibling - the same for what another thread has for itself
 * @ht: of current; its ->image is written to
 * @stay: why not, set when a reason is known
 */
int holon_image_export_sibling(struct holon_task *ht, enum holon_stay *stay);

/* Put the records of @part behind those of @image. */
int holon_image_append(struct holon_image *image, const struct holon_image *part);

struct holon_import;
/* Is it the image of a process that moves? */
bool holon_import_moves(const struct holon_import *import);
/* At the guest's node: what is left to do after holon_image_import(). */
int holon_import_program(struct holon_import *import);
/* At home, in the deputy: everything that its guest changed. */
int holon_import_home(struct holon_import *import);
/* The same of another thread, of current, in the address space that is there by then. */
int holon_import_home_sibling(struct holon_import *import, pid_t pid);
/* Is thread @pid among the others of the image? */
bool holon_import_has(const struct holon_import *import, pid_t pid);
/* After a failure. */
void holon_import_undo(struct holon_import *import);

/* --- move.c ----------------------------------------------------------------- */

extern const struct holon_rpc_type holon_rpc_task_recall;

/* Of current: a deputy to be, MOVING. */
void holon_move_away(struct holon_task *ht);
/*
 * Of current: a guest that is to come home, or is held. Does not return when it is
 * there. Return: false when other work has to be done first.
 */
bool holon_move_home(struct holon_task *ht);
/* Of current: another thread of what is MOVING. */
void holon_move_along(struct holon_task *ht);
/* The requests of such a guest, at the deputy. */
int holon_land(struct holon_task *ht, const struct holon_guest_request *request, size_t len);
/* What a deputy keeps while its guest comes home. Also when there is nothing. */
void holon_landing_free(struct holon_task *ht);
/* Of current: the deputy that is one no more. */
void holon_landed(struct holon_task *ht);
/* Set the last register, and the signal mask, of what has been imported. */
void holon_move_settle(struct holon_task *ht);

/* --- move_ask.c: who waits, of the leader's half ------------------------------ */

/* Tell them of the end of it. */
void holon_move_done(struct holon_task *ht, enum holon_stay stay, int err);
/* Current is at home as ever: it has no half any more, then they are told. */
void holon_move_detach(enum holon_stay stay, int err);
/* A guest stays, which is what question @number is answered; with its memory in bytes. */
void holon_move_stays(struct holon_task *ht, u32 number, enum holon_stay stay, int err,
		      u64 memory);
/* Do they only want to know whether it could move? */
bool holon_move_only_asked(struct holon_task *ht);

#endif /* _KERNEL_HOLON_MOVE_H */
