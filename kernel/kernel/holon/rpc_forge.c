// SPDX-License-Identifier: GPL-2.0-only
/*
 * A member that lies, for the tests of a debug kernel:
 *
 *	/sys/kernel/debug/holon/forge	takes frames and sends them as they are
 *
 * One write has any number of frames, each a struct forged_frame and then the
 * payload. The header is sent as given, but for three fields: @length is always
 * that of the payload, @rank must be that of a lane, and @version becomes what the
 * lane has agreed on.
 *
 * Requests are answered. A call id with FORGED_CALL set is one of ours, so that
 * the answer does not look like a lie of the one who was lied to.
 *
 * Changing what is sent honestly is another fault: rpc_mutate/ of rpc_fault.c.
 */
#include <linux/bits.h>
#include <linux/debugfs.h>
#include <linux/err.h>
#include <linux/holon_debugfs.h>
#include <linux/holon_view.h>
#include <linux/init.h>
#include <linux/overflow.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/uaccess.h>

#include "rpc.h"

#define FORGED_CALL	BIT_ULL(63)

struct forged_frame {
	u8 node;		/* to whom; a member */
	u8 reserved[7];
	struct holon_frame frame;
};

bool rpc_forged(u64 call)
{
	return call & FORGED_CALL;
}

/* Send the frame at @from, of @left bytes. Return: the bytes used. */
static ssize_t forge(const char __user *from, size_t left)
{
	struct holon_message *message;
	struct holon_peer_id peer;
	struct forged_frame head;
	size_t len;
	int err;

	if (left < sizeof(head))
		return -EINVAL;
	if (copy_from_user(&head, from, sizeof(head)))
		return -EFAULT;
	len = le32_to_cpu(head.frame.length);
	if (head.frame.rank >= HOLON_RANKS || len > HOLON_FRAME_PAYLOAD_MAX ||
	    size_add(sizeof(head), len) > left)
		return -EINVAL;
	message = holon_message_alloc(head.frame.rank, le16_to_cpu(head.frame.type), 0, len,
				      GFP_KERNEL);
	if (!message)
		return -ENOMEM;
	message->frame = head.frame;
	if (copy_from_user(message->data, from + sizeof(head), len)) {
		holon_message_free(message);
		return -EFAULT;
	}
	peer.node = head.node;
	peer.incarnation = holon_view_incarnation(head.node);
	err = holon_transport_queue(&peer, message);
	return err ?: (ssize_t)(sizeof(head) + len);
}

static ssize_t forge_write(struct file *file, const char __user *from, size_t len, loff_t *pos)
{
	size_t at = 0;
	ssize_t used;

	while (at < len) {
		used = forge(from + at, len - at);
		if (used < 0)
			return used;
		at += used;
	}
	return len;
}

static const struct file_operations forge_fops = {
	.open = simple_open,
	.write = forge_write,
};

static int __init rpc_forge_init(void)
{
	debugfs_create_file("forge", 0200, holon_debugfs(), NULL, &forge_fops);
	return 0;
}
late_initcall(rpc_forge_init);
