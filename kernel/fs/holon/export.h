/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exports: files of one node that others use. See export.c.
 */
#ifndef _FS_HOLON_EXPORT_H
#define _FS_HOLON_EXPORT_H

#include <linux/types.h>

struct file;
struct holon_reply;
struct holon_request;
struct list_head;

/**
 * enum holon_export_kind - what may be done with an export
 * @HOLON_EXPORT_PAGES: be mapped, see paged.c
 * @HOLON_EXPORT_HOSTED: whatever the description allows, see hosted.c
 */
enum holon_export_kind {
	HOLON_EXPORT_PAGES,
	HOLON_EXPORT_HOSTED,
};

/**
 * struct holon_export_key - which export of which node
 * @owner: that node
 * @incarnation: of it
 * @id: its number there, never 0
 */
struct holon_export_key {
	u8 owner;
	u64 incarnation;
	u64 id;
};

/* --- owner ------------------------------------------------------------------- */

/**
 * holon_export_offer - let a node open a file
 * @kind: what it may do then
 * @object: which file: there is one export of a kind and an object; stays as long as
 *	what @open returns
 * @file: of it
 * @open: what to keep open, from @file; an ERR_PTR()
 * @node: which
 * @offers: the offer is put there, until holon_export_withdraw()
 * @id: set to the number of the export
 *
 * Context: process context.
 * Return: 0; -ENOMEM; why it cannot be opened.
 */
int holon_export_offer(enum holon_export_kind kind, const void *object, struct file *file,
		       struct file *(*open)(struct file *file), u8 node,
		       struct list_head *offers, u64 *id);

/* The file behind a number that @node has opened, with a reference, or NULL. */
struct file *holon_export_get(enum holon_export_kind kind, u64 id, u8 node);

/* The same for a message: it is meant for us as we are, from a node as it is. Or NULL. */
struct file *holon_export_asked(enum holon_export_kind kind, const struct holon_request *request,
				__le64 id, __le64 incarnation);

/**
 * holon_export_give - answer a request with an export that its sender has opened
 * @kind: what it may do with it
 * @request: the reply is set; without effect if its sender is gone
 * @file: its reference is taken over
 * @incarnation: of this node, as the request has it
 *
 * The type of the request has holon_export_orphan(). Return: 0 or an errno, for the handler.
 */
int holon_export_give(enum holon_export_kind kind, struct holon_request *request,
		      struct file *file, __le64 incarnation);

/* hosted_serve.c: @node uses @file no more; what its processes have locked is free. */
void holon_hosted_unlock(struct file *file, u8 node);

/* --- user --------------------------------------------------------------------- */

/**
 * holon_export_open - have an export kept open for this node
 * @key: of a node that offers it
 * @sequence: for holon_export_drop()
 *
 * Context: process context, asks the owner; killable. Return: 0 or an errno.
 */
int holon_export_open(const struct holon_export_key *key, u64 *sequence);

/* What holon_export_give() has answered. Return: 0, or -EBADMSG. */
int holon_export_taken(const struct holon_reply *reply, u64 *id, u64 *sequence);

/* Nobody is there any more to take it. */
void holon_export_orphan(u8 node, int status, const void *data, size_t len);

/* It is used no more. Context: process context, also of reclaim. */
void holon_export_drop(const struct holon_export_key *key, u64 sequence);

#endif /* _FS_HOLON_EXPORT_H */
