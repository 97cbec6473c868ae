/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Images: a process, or what an exec needs of one, as a row of records.
 *
 * The framing is that of ELF notes (name "HOLON"), so that a tool for notes can
 * read one. A reader skips records it does not know, except those that have
 * HOLON_RECORD_MUST set: then the image is refused.
 */
#ifndef _KERNEL_HOLON_IMAGE_H
#define _KERNEL_HOLON_IMAGE_H

#include <linux/holon_file.h>
#include <linux/types.h>

struct holon_task;
struct linux_binprm;

/* Largest image: the arguments of one execve() have at most 6 MiB. */
#define HOLON_IMAGE_MAX		(8U << 20)
#define HOLON_IMAGE_VERSION	1

#define HOLON_RECORD_MUST	0x80000000U

enum holon_record_type {
	HOLON_RECORD_EXEC	= HOLON_RECORD_MUST | 1,
	HOLON_RECORD_CREDS	= HOLON_RECORD_MUST | 2,
	HOLON_RECORD_TASK	= HOLON_RECORD_MUST | 3,
	HOLON_RECORD_FILE	= HOLON_RECORD_MUST | 4,
	HOLON_RECORD_CWD	= HOLON_RECORD_MUST | 5,	/* path, absent when not shared */
	HOLON_RECORD_NAME	= HOLON_RECORD_MUST | 6,	/* as given to execve() */
	HOLON_RECORD_PROGRAM	= HOLON_RECORD_MUST | 7,	/* path of the file */
	HOLON_RECORD_STRINGS	= HOLON_RECORD_MUST | 8,	/* arguments, environment */
};

/* Must come first. */
struct holon_record_exec {
	__le32 version;
	__le32 argc;
	__le32 envc;
	__le32 flags;
} __packed __aligned(4);

struct holon_record_task {
	__le32 policy;
	__le32 nice;
	__le32 priority;
	__le32 ioprio;
	__le32 personality;
	__le32 umask;
	__le32 oom_score_adj;
	__le32 oom_score_adj_min;
	__le64 timer_slack;
	__le64 blocked;
	__le64 ignored;
	__le64 rlimit[16][2];
} __packed __aligned(4);

/**
 * struct holon_record_file - one descriptor
 * @info: what a remote file has to look like
 * @pos: position
 * @ino: identity, checked after opening
 * @first: lowest descriptor of the same description
 * @reopen: the path that follows may be opened at the guest's node
 */
struct holon_record_file {
	struct holon_file_info info;
	__le64 pos;
	__le64 ino;
	__le32 first;
	__le32 reopen;
} __packed __aligned(4);

struct holon_image {
	void *data;
	size_t len;
	size_t size;	/* allocated */
};

struct holon_record {
	u32 type;
	const void *data;
	size_t len;
};

void *holon_image_add(struct holon_image *image, u32 type, size_t len);
int holon_image_put(struct holon_image *image, u32 type, const void *data, size_t len);
int holon_image_next(const struct holon_image *image, size_t *pos, struct holon_record *record);
void holon_image_free(struct holon_image *image);

/* image_export.c: what an exec needs */
int holon_image_export(struct holon_image *image, struct linux_binprm *bprm);

/* image_import.c: the same, at the guest's node */
struct holon_import;
struct holon_import *holon_image_parse(const struct holon_image *image);
int holon_image_import(struct holon_import *import, struct holon_task *ht);
int holon_image_execute(struct holon_import *import);
/* Descriptors that were opened again. */
const __le32 *holon_import_reopened(const struct holon_import *import, unsigned int *n);
void holon_import_free(struct holon_import *import);

#endif /* _KERNEL_HOLON_IMAGE_H */
