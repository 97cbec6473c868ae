// SPDX-License-Identifier: GPL-2.0-only
/*
 * Encoding and decoding of membership messages. What arrives is untrusted:
 * a message has exactly the length that its type and counts give.
 */
#include <linux/holon_transport.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/slab.h>
#include <linux/string.h>

#include "view_wire.h"

static const char * const msg_names[] = {
	[VIEW_MSG_HB - VIEW_MSG_HB]		= "hb",
	[VIEW_MSG_SUSPECT - VIEW_MSG_HB]	= "suspect",
	[VIEW_MSG_JOIN_REQ - VIEW_MSG_HB]	= "join-req",
	[VIEW_MSG_JOIN_WAIT - VIEW_MSG_HB]	= "join-wait",
	[VIEW_MSG_JOIN_NO - VIEW_MSG_HB]	= "join-no",
	[VIEW_MSG_LEAVE_REQ - VIEW_MSG_HB]	= "leave-req",
	[VIEW_MSG_PREPARE - VIEW_MSG_HB]	= "prepare",
	[VIEW_MSG_PROMISE - VIEW_MSG_HB]	= "promise",
	[VIEW_MSG_NACK - VIEW_MSG_HB]		= "nack",
	[VIEW_MSG_ACCEPT - VIEW_MSG_HB]		= "accept",
	[VIEW_MSG_ACCEPTED - VIEW_MSG_HB]	= "accepted",
	[VIEW_MSG_COMMIT - VIEW_MSG_HB]		= "commit",
	[VIEW_MSG_EVICTED - VIEW_MSG_HB]	= "evicted",
	[VIEW_MSG_STEP - VIEW_MSG_HB]		= "step",
	[VIEW_MSG_STEP_DONE - VIEW_MSG_HB]	= "step-done",
};

/* The largest message fits into a frame: a PROMISE with a view of all nodes. */
static_assert(sizeof(struct wire_view_head) + sizeof(struct wire_promise) +
	      struct_size_t(struct wire_view, member, HOLON_NODE_MAX) <= HOLON_FRAME_CONTROL_MAX);

const char *view_msg_name(u16 type)
{
	BUILD_BUG_ON(ARRAY_SIZE(msg_names) != VIEW_MSG_END - VIEW_MSG_HB);
	if (type < VIEW_MSG_HB || type >= VIEW_MSG_END)
		return "unknown";
	return msg_names[type - VIEW_MSG_HB];
}

struct holon_view *holon_view_alloc(void)
{
	/* Membership must go on when memory is short: no waiting for I/O. */
	struct holon_view *view = kzalloc(sizeof(*view), GFP_NOIO);

	if (view)
		refcount_set(&view->ref, 1);
	return view;
}

void holon_view_add(struct holon_view *view, u8 node, u64 incarnation, const uuid_t *uuid)
{
	if (!__test_and_set_bit(node, view->members))
		view->count++;
	view->incarnation[node] = incarnation;
	view->uuid[node] = *uuid;
}

void wire_bitmap_encode(u8 *wire, const unsigned long *bitmap)
{
	unsigned int bit;

	memset(wire, 0, HOLON_NODE_IDS / 8);
	for_each_set_bit(bit, bitmap, HOLON_NODE_IDS)
		wire[bit / 8] |= 1 << bit % 8;
}

void wire_bitmap_decode(unsigned long *bitmap, const u8 *wire)
{
	unsigned int bit;

	bitmap_zero(bitmap, HOLON_NODE_IDS);
	for (bit = 0; bit < HOLON_NODE_IDS; bit++)
		if (wire[bit / 8] & 1 << bit % 8)
			__set_bit(bit, bitmap);
}

static void encode_addr(struct wire_member *wire, const struct sockaddr_storage *addr)
{
	if (addr->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const void *)addr;

		wire->family = 4;
		wire->port = in->sin_port;
		memcpy(wire->addr, &in->sin_addr, sizeof(in->sin_addr));
	} else if (addr->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)addr;

		wire->family = 6;
		wire->port = in6->sin6_port;
		memcpy(wire->addr, &in6->sin6_addr, sizeof(in6->sin6_addr));
	}
}

bool wire_member_addr(const struct wire_member *member, struct sockaddr_storage *addr)
{
	memset(addr, 0, sizeof(*addr));
	if (member->family == 4) {
		struct sockaddr_in *in = (void *)addr;

		in->sin_family = AF_INET;
		in->sin_port = member->port;
		memcpy(&in->sin_addr, member->addr, sizeof(in->sin_addr));
		return true;
	}
	if (member->family == 6) {
		struct sockaddr_in6 *in6 = (void *)addr;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = member->port;
		memcpy(&in6->sin6_addr, member->addr, sizeof(in6->sin6_addr));
		return true;
	}
	return false;
}

void wire_view_encode(struct wire_view *wire, const struct holon_view *view, u8 coordinator,
		      const struct sockaddr_storage *(*addr)(u8 node))
{
	struct wire_member *member = wire->member;
	unsigned int node;

	memset(wire, 0, wire_view_len(view));
	export_uuid(wire->cluster_uuid, &view->cluster_uuid);
	wire->epoch = cpu_to_le64(view->epoch);
	wire->count = cpu_to_le16(view->count);
	wire->coordinator = coordinator;
	wire->evicted = view->evicted;
	for_each_set_bit(node, view->members, HOLON_NODE_IDS) {
		const struct sockaddr_storage *from = addr ? addr(node) : NULL;

		member->incarnation = cpu_to_le64(view->incarnation[node]);
		export_uuid(member->uuid, &view->uuid[node]);
		member->id = node;
		if (from)
			encode_addr(member, from);
		member++;
	}
}

/* The rest of the message must be exactly one view. */
static int decode_view(struct view_msg *msg, const void *data, size_t len)
{
	const struct wire_view *wire = data;
	struct holon_view *view;
	unsigned int i, count;
	u8 last = 0;

	if (len < sizeof(*wire))
		return -EBADMSG;
	count = le16_to_cpu(wire->count);
	if (!count || count > HOLON_NODE_MAX || len != struct_size(wire, member, count))
		return -EBADMSG;
	view = holon_view_alloc();
	if (!view)
		return -ENOMEM;
	import_uuid(&view->cluster_uuid, wire->cluster_uuid);
	view->epoch = le64_to_cpu(wire->epoch);
	for (i = 0; i < count; i++) {
		const struct wire_member *member = &wire->member[i];
		uuid_t uuid;

		if (member->id <= last || !member->incarnation)
			goto bad;
		last = member->id;
		import_uuid(&uuid, member->uuid);
		holon_view_add(view, member->id, le64_to_cpu(member->incarnation), &uuid);
	}
	if (wire->coordinator && !test_bit(wire->coordinator, view->members))
		goto bad;
	if (wire->evicted && test_bit(wire->evicted, view->members))
		goto bad;
	view->evicted = wire->evicted;
	msg->view = view;
	msg->member = wire->member;
	msg->coordinator = wire->coordinator;
	return 0;
bad:
	holon_view_put(view);
	return -EBADMSG;
}

static int decode_body(struct view_msg *msg, const void *data, size_t len)
{
	switch (msg->type) {
	case VIEW_MSG_HB:
		if (len != sizeof(*msg->hb))
			return -EBADMSG;
		msg->hb = data;
		if (msg->hb->state >= HOLON_NODE_STATES)
			return -EBADMSG;
		wire_bitmap_decode(msg->hears, msg->hb->hears);
		return 0;
	case VIEW_MSG_SUSPECT:
		if (len != HOLON_NODE_IDS / 8)
			return -EBADMSG;
		wire_bitmap_decode(msg->hears, data);
		return 0;
	case VIEW_MSG_JOIN_REQ:
		if (len != sizeof(*msg->join))
			return -EBADMSG;
		msg->join = data;
		if (strnlen(msg->join->cluster, HOLON_CLUSTER_NAME_MAX) == HOLON_CLUSTER_NAME_MAX)
			return -EBADMSG;
		return 0;
	case VIEW_MSG_JOIN_NO:
		if (len >= HOLON_REASON_MAX)
			return -EBADMSG;
		memcpy(msg->reason, data, len);
		return 0;
	case VIEW_MSG_PROMISE:
		if (len < sizeof(*msg->promise))
			return -EBADMSG;
		msg->promise = data;
		wire_bitmap_decode(msg->hears, msg->promise->hears);
		if (msg->promise->round)
			return decode_view(msg, data + sizeof(*msg->promise),
					   len - sizeof(*msg->promise));
		return len == sizeof(*msg->promise) ? 0 : -EBADMSG;
	case VIEW_MSG_PREPARE:
	case VIEW_MSG_ACCEPT:
	case VIEW_MSG_COMMIT:
	case VIEW_MSG_EVICTED:
	case VIEW_MSG_JOIN_WAIT:
		return decode_view(msg, data, len);
	case VIEW_MSG_STEP:
	case VIEW_MSG_STEP_DONE:
		if (len != sizeof(*msg->step))
			return -EBADMSG;
		msg->step = data;
		return 0;
	case VIEW_MSG_LEAVE_REQ:
	case VIEW_MSG_NACK:
	case VIEW_MSG_ACCEPTED:
		return len ? -EBADMSG : 0;
	}
	return -EBADMSG;
}

/* What the head says about a view must be what the view says about itself. */
static bool consistent(const struct view_msg *msg)
{
	if (!msg->view)
		return true;
	switch (msg->type) {
	case VIEW_MSG_PREPARE:
		return msg->view->epoch + 1 == msg->epoch && msg->ballot.round;
	case VIEW_MSG_ACCEPT:
		return msg->view->epoch == msg->epoch && msg->ballot.round;
	default:
		return msg->view->epoch == msg->epoch;
	}
}

int view_msg_decode(struct view_msg *msg, u16 type, const void *data, size_t len)
{
	const struct wire_view_head *head = data;
	int err;

	memset(msg, 0, sizeof(*msg));
	if (len < sizeof(*head))
		return -EBADMSG;
	msg->type = type;
	import_uuid(&msg->cluster_uuid, head->cluster_uuid);
	msg->epoch = le64_to_cpu(head->epoch);
	msg->ballot.round = le32_to_cpu(head->round);
	msg->ballot.node = head->proposer;
	err = decode_body(msg, data + sizeof(*head), len - sizeof(*head));
	if (!err && !consistent(msg))
		err = -EBADMSG;
	if (err)
		view_msg_release(msg);
	return err;
}

void view_msg_release(struct view_msg *msg)
{
	if (msg->view)
		holon_view_put(msg->view);
	msg->view = NULL;
}
