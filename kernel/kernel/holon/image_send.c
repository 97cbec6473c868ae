// SPDX-License-Identifier: GPL-2.0-only
/*
 * The image on its way: from where the process is, to where it shall be.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched/coredump.h>

#include <linux/holon_rpc.h>

#include "cred_value.h"
#include "image.h"
#include "spawner.h"
#include "task.h"

/**
 * holon_image_pieces - send an image that does not fit into a message
 * @ht: of the process
 * @node: whom to
 * @image: complete
 *
 * Return: 0 or a negative errno; then send_go() with abort frees what is there.
 */
int holon_image_pieces(const struct holon_task *ht, u8 node, const struct holon_image *image)
{
	struct holon_wire_piece piece = {
		.task.inc = cpu_to_le64(ht->inc),
		.task.pid = cpu_to_le32(ht->pid),
		.total = cpu_to_le32(image->len),
	};
	struct holon_vec vec[2] = { { &piece, sizeof(piece) } };
	size_t done;
	int err;

	for (done = 0; done < image->len; done += vec[1].len) {
		piece.offset = cpu_to_le32(done);
		vec[1].base = image->data + done;
		vec[1].len = min_t(size_t, image->len - done, HOLON_IMAGE_INLINE);
		err = holon_call(node, &holon_rpc_task_image, vec, 2, NULL);
		if (err)
			return err;
	}
	return 0;
}

/**
 * holon_image_call - have a guest made of an image
 * @ht: of current
 * @image: complete
 * @reply: for holon_ready_parse()
 *
 * Return: 0 or what the other node says.
 */
int holon_image_call(const struct holon_task *ht, const struct holon_image *image,
		     struct holon_reply *reply)
{
	struct holon_wire_task task = {
		.inc = cpu_to_le64(ht->inc),
		.pid = cpu_to_le32(ht->pid),
	};
	struct holon_vec vec[2] = {
		{ &task, sizeof(task) },
		{ image->data, image->len },
	};
	int err;

	if (holon_image_in_pieces(image)) {
		err = holon_image_pieces(ht, ht->node, image);
		if (err)
			return err;
		task.flags = cpu_to_le32(HOLON_EXEC_PIECES);
		vec[1].len = 0;
	}
	return holon_call(ht->node, &holon_rpc_task_exec, vec, vec[1].len ? 2 : 1, reply);
}

/* Tell the guest to begin, or to vanish. */
static void send_go(u8 node, __le32 pid, __le64 inc, bool abort)
{
	struct holon_wire_task msg = {
		.inc = inc,
		.pid = pid,
		.flags = cpu_to_le32(abort ? HOLON_GO_ABORT : 0),
	};
	struct holon_vec vec = { &msg, sizeof(msg) };

	/* It waits for this; if its node has gone, it has gone, too. */
	holon_send(node, &holon_rpc_task_go, &vec, 1, GFP_KERNEL | __GFP_NOFAIL);
}

/* Let the guest of @ht begin, or vanish. */
void holon_image_go(const struct holon_task *ht, bool abort)
{
	send_go(ht->node, cpu_to_le32(ht->pid), cpu_to_le64(ht->inc), abort);
}

/* The caller was killed while it waited for a guest, which is now READY. */
void holon_exec_orphan(u8 node, int status, const void *data, size_t len)
{
	const struct holon_wire_ready *wire = data;

	if (!status && len >= sizeof(*wire))
		send_go(node, wire->task.pid, wire->task.inc, true);
}

/* The ABORT of a caller that was killed may have overtaken its piece. */
void holon_image_orphan(u8 node, int status, const void *data, size_t len)
{
	const struct holon_wire_task *task = data;

	if (!status && len >= sizeof(*task))
		send_go(node, task->pid, task->inc, true);
}

/**
 * holon_ready_parse - the reply of the other node, which is a member but may be wrong
 * @reply: of holon_image_call()
 * @ready: filled in, points into it
 *
 * Return: 0 or -EBADMSG.
 */
int holon_ready_parse(const struct holon_reply *reply, struct holon_ready *ready)
{
	const struct holon_wire_ready *wire = reply->data;
	size_t left = reply->len;
	ssize_t len;

	if (left < sizeof(*wire))
		return -EBADMSG;
	left -= sizeof(*wire);
	ready->creds = wire + 1;
	len = holon_creds_length(ready->creds, left);
	if (len < 0)
		return len;
	left -= len;
	ready->creds_len = len;
	ready->dumpable = le32_to_cpu(wire->dumpable);
	if (ready->dumpable > SUID_DUMP_ROOT)
		return -EBADMSG;
	ready->n = le32_to_cpu(wire->reopened);
	if (left % sizeof(__le32) || ready->n != left / sizeof(__le32))
		return -EBADMSG;
	ready->reopened = ready->creds + len;
	return 0;
}
