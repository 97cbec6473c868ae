// SPDX-License-Identifier: GPL-2.0-only
/*
 * RPC without a wire: a made-up member whose connection does not exist. What it
 * would send is put in by hand, so every order of events can be had.
 */
#include <kunit/test.h>
#include <linux/cred.h>
#include <linux/delay.h>
#include <linux/holon_view.h>
#include <linux/kthread.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/user_namespace.h>

#include "../cred_value.h"
#include "../rpc.h"

#define NODE		250
#define INCARNATION	0x1234567890abcdef
#define ID		(HOLON_RPC_ID_MAX - 8)

static const struct holon_peer_id peer = { .node = NODE, .incarnation = INCARNATION };

/* --- types ------------------------------------------------------------------*/

static atomic_t handled, cancelled, orphans;
static struct completion may_end;
static struct holon_request *deferred;
static char orphan_data[8];

static int plain_handler(struct holon_request *request)
{
	atomic_inc(&handled);
	return 0;
}

static int waiting_handler(struct holon_request *request)
{
	wait_for_completion(&may_end);
	atomic_inc(&handled);
	return 0;
}

static int deferring_handler(struct holon_request *request)
{
	deferred = request;
	atomic_inc(&handled);
	return HOLON_DEFER;
}

static void test_cancel(struct holon_request *request)
{
	atomic_inc(&cancelled);
}

static void test_orphan(u8 node, int status, const void *data, size_t len)
{
	memcpy(orphan_data, data, min(len, sizeof(orphan_data)));
	atomic_inc(&orphans);
}

static int cred_handler(struct holon_request *request)
{
	if (request->cred && uid_eq(current_fsuid(), make_kuid(&init_user_ns, 1234)))
		atomic_inc(&handled);
	return 0;
}

static HOLON_RPC(test_plain, ID, HOLON_REQ, HOLON_RPC_INLINE, 4, plain_handler,
		 .orphan = test_orphan);
static HOLON_RPC(test_waiting, ID + 1, HOLON_FWD, 0, 0, waiting_handler);
static HOLON_RPC(test_deferring, ID + 2, HOLON_REQ, HOLON_RPC_INLINE, 0, deferring_handler,
		 .cancel = test_cancel);
static HOLON_RPC(test_cred, ID + 3, HOLON_REQ, HOLON_RPC_INLINE | HOLON_RPC_CREDS, 0,
		 cred_handler);
static int relay_handler(struct holon_request *request);
static HOLON_RPC(test_relay, ID + 5, HOLON_REQ, HOLON_RPC_INLINE, 0, relay_handler);
static HOLON_RPC(test_oneway, ID + 4, HOLON_BULK, HOLON_RPC_INLINE | HOLON_RPC_ONEWAY, 0,
		 plain_handler);

/* --- helpers ----------------------------------------------------------------*/

static struct rpc_node *node;

static int rpc_test_init(struct kunit *test)
{
	node = rpc_node_make(NODE, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, node);
	rpc_node_install(node, INCARNATION);
	atomic_set(&handled, 0);
	atomic_set(&cancelled, 0);
	atomic_set(&orphans, 0);
	init_completion(&may_end);
	deferred = NULL;
	return 0;
}

static void rpc_test_exit(struct kunit *test)
{
	rpc_node_install(node, 0);
	rpc_flush_forget(node);
	rpc_calls_lost(node);
	rpc_requests_lost(node);
}

static int receive(struct kunit *test, enum holon_rank rank, u16 type, u64 call, const void *data,
		   size_t len)
{
	struct holon_message *message = holon_message_alloc(rank, type, call, len, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, message);
	memcpy(message->data, data, len);
	return holon_rpc_receive(&peer, rank, message);
}

static int receive_reply(struct kunit *test, u64 call, int status, const void *data, size_t len)
{
	u8 bytes[64] = {};

	((struct holon_wire_reply *)bytes)->status = cpu_to_le32(status);
	memcpy(bytes + sizeof(struct holon_wire_reply), data, len);
	return receive(test, HOLON_RSP, HOLON_RPC_ID_REPLY, call, bytes,
		       sizeof(struct holon_wire_reply) + len);
}

/* The id of the one call that is open, 0 when there is none. */
static u64 open_call(void)
{
	struct rpc_call *call;
	int bucket;
	u64 id = 0;

	spin_lock_irq(&node->lock);
	hash_for_each(node->calls, bucket, call, hash)
		id = call->id;
	spin_unlock_irq(&node->lock);
	return id;
}

struct caller {
	struct task_struct *task;
	struct completion done;
	struct holon_reply reply;
	int status;
};

static int caller_thread(void *arg)
{
	struct holon_vec vec = { .base = "data", .len = 4 };
	struct caller *caller = arg;

	allow_signal(SIGUSR1);
	allow_signal(SIGKILL);
	caller->status = holon_call(NODE, &holon_rpc_test_plain, &vec, 1, &caller->reply);
	complete(&caller->done);
	return 0;
}

static void until(struct kunit *test, bool (*what)(void))
{
	int i;

	for (i = 0; i < 500 && !what(); i++)
		msleep(20);
	KUNIT_ASSERT_TRUE(test, what());
}

static bool call_is_open(void)
{
	return open_call();
}

static bool one_orphan(void)
{
	return atomic_read(&orphans) == 1;
}

static bool one_handled(void)
{
	return atomic_read(&handled) == 1;
}

static void caller_start(struct kunit *test, struct caller *caller)
{
	memset(caller, 0, sizeof(*caller));
	init_completion(&caller->done);
	caller->task = kthread_run(caller_thread, caller, "holon-rpc-test");
	KUNIT_ASSERT_FALSE(test, IS_ERR(caller->task));
	until(test, call_is_open);
}

/* --- calls ------------------------------------------------------------------*/

static void reply_ends_call(struct kunit *test)
{
	struct caller caller;
	u64 id;

	caller_start(test, &caller);
	id = open_call();
	KUNIT_EXPECT_EQ(test, receive_reply(test, id, 7, "hello", 5), 0);
	wait_for_completion(&caller.done);
	KUNIT_EXPECT_EQ(test, caller.status, 7);
	KUNIT_ASSERT_EQ(test, caller.reply.len, 5);
	KUNIT_EXPECT_EQ(test, memcmp(caller.reply.data, "hello", 5), 0);
	holon_reply_free(&caller.reply);
	KUNIT_EXPECT_NULL(test, caller.reply.data);
	/* One too many. */
	KUNIT_EXPECT_EQ(test, receive_reply(test, id, 0, NULL, 0), -EPROTO);
	KUNIT_EXPECT_EQ(test, open_call(), 0);
}

static void wrong_replies(struct kunit *test)
{
	struct caller caller;
	u64 id;

	caller_start(test, &caller);
	id = open_call();
	KUNIT_EXPECT_EQ(test, receive_reply(test, id + 1, 0, NULL, 0), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_RSP, HOLON_RPC_ID_REPLY, id, "1234567", 7),
			-EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, HOLON_RPC_ID_REPLY, id, "12345678", 8),
			-EPROTO);
	KUNIT_EXPECT_EQ(test, open_call(), id);
	KUNIT_EXPECT_EQ(test, receive_reply(test, id, -ENOENT, NULL, 0), 0);
	wait_for_completion(&caller.done);
	KUNIT_EXPECT_EQ(test, caller.status, -ENOENT);
	holon_reply_free(&caller.reply);
}

static void loss_ends_call(struct kunit *test)
{
	struct holon_vec vec = { .base = "data", .len = 4 };
	struct caller caller;

	caller_start(test, &caller);
	rpc_node_install(node, 0);
	rpc_calls_lost(node);
	wait_for_completion(&caller.done);
	KUNIT_EXPECT_EQ(test, caller.status, -EHOSTDOWN);
	KUNIT_EXPECT_NULL(test, caller.reply.data);
	/* And no new one begins. */
	KUNIT_EXPECT_EQ(test, holon_call(NODE, &holon_rpc_test_plain, &vec, 1, NULL), -EHOSTDOWN);
	KUNIT_EXPECT_EQ(test, holon_call(NODE + 1, &holon_rpc_test_plain, &vec, 1, NULL),
			-EHOSTDOWN);
}

static void signal_waits_for_reply(struct kunit *test)
{
	struct caller caller;

	caller_start(test, &caller);
	send_sig(SIGUSR1, caller.task, 1);
	msleep(50);
	KUNIT_EXPECT_FALSE(test, completion_done(&caller.done));
	KUNIT_EXPECT_EQ(test, receive_reply(test, open_call(), -EINTR, NULL, 0), 0);
	wait_for_completion(&caller.done);
	KUNIT_EXPECT_EQ(test, caller.status, -EINTR);
	KUNIT_EXPECT_EQ(test, atomic_read(&orphans), 0);
	holon_reply_free(&caller.reply);
}

static void killed_caller_leaves_orphan(struct kunit *test)
{
	struct caller caller;

	caller_start(test, &caller);
	send_sig(SIGKILL, caller.task, 1);
	wait_for_completion(&caller.done);
	KUNIT_EXPECT_EQ(test, caller.status, -EINTR);
	KUNIT_EXPECT_EQ(test, atomic_read(&orphans), 0);
	KUNIT_EXPECT_EQ(test, receive_reply(test, open_call(), 0, "effect", 6), 0);
	until(test, one_orphan);
	KUNIT_EXPECT_EQ(test, memcmp(orphan_data, "effect", 6), 0);
	KUNIT_EXPECT_EQ(test, open_call(), 0);
}

static void too_long(struct kunit *test)
{
	struct holon_vec vec[] = {
		{ .base = "x", .len = SIZE_MAX }, { .base = "y", .len = SIZE_MAX },
	};

	KUNIT_EXPECT_EQ(test, holon_call(NODE, &holon_rpc_test_plain, vec, 2, NULL), -EMSGSIZE);
	KUNIT_EXPECT_EQ(test, holon_send(NODE, &holon_rpc_test_oneway, vec, 1, GFP_KERNEL),
			-EMSGSIZE);
}

/* --- requests ---------------------------------------------------------------*/

static void requests_are_checked(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID, 1, "1234", 4), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&handled), 1);
	/* The truncated twin, and all that does not fit the type. */
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID, 2, "123", 3), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_FWD, ID, 3, "1234", 4), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID, 0, "1234", 4), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID + 7, 4, "1234", 4), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_BULK, ID + 4, 5, NULL, 0), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID + 3, 6, NULL, 0), -EPROTO);
	KUNIT_EXPECT_EQ(test, atomic_read(&handled), 1);
}

static void strangers_are_dropped(struct kunit *test)
{
	struct holon_peer_id stranger = { .node = NODE, .incarnation = INCARNATION + 1 };
	u64 before = holon_rpc_gauge(HOLON_RPC_STRAY);
	struct holon_message *message;

	message = holon_message_alloc(HOLON_REQ, ID, 1, 4, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, message);
	memset(message->data, 0, 4);
	KUNIT_EXPECT_EQ(test, holon_rpc_receive(&stranger, HOLON_REQ, message), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&handled), 0);
	KUNIT_EXPECT_EQ(test, holon_rpc_gauge(HOLON_RPC_STRAY), before + 1);
}

/* While a view is installed: something of a member whose turn comes later. */
static int relay_handler(struct holon_request *request)
{
	struct holon_peer_id next = { .node = NODE + 1, .incarnation = INCARNATION };
	struct holon_message *message = holon_message_alloc(HOLON_REQ, ID, 1, 4, GFP_ATOMIC);

	if (!message)
		return -ENOMEM;
	memset(message->data, 0, 4);
	message->frame.epoch = cpu_to_le64(request->epoch);
	return holon_rpc_receive(&next, HOLON_REQ, message);
}

static void members_are_early_until_all_are_there(struct kunit *test)
{
	struct holon_view *view = kunit_kzalloc(test, sizeof(*view), GFP_KERNEL);
	u64 before = holon_rpc_gauge(HOLON_RPC_STRAY);
	struct holon_message *message;

	KUNIT_ASSERT_NOT_NULL(test, view);
	/* What the handler must not allocate. */
	KUNIT_ASSERT_NOT_NULL(test, rpc_node_make(NODE + 1, GFP_KERNEL));
	rpc_node_install(node, 0);
	view->epoch = 9;
	view->incarnation[NODE] = INCARNATION;
	view->incarnation[NODE + 1] = INCARNATION;
	message = holon_message_alloc(HOLON_REQ, ID + 5, 1, 0, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, message);
	message->frame.epoch = cpu_to_le64(view->epoch);
	KUNIT_EXPECT_EQ(test, holon_rpc_receive(&peer, HOLON_REQ, message), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&handled), 0);
	rpc_view_lost(view, NULL);
	KUNIT_EXPECT_EQ(test, atomic_read(&handled), 1);
	KUNIT_EXPECT_EQ(test, holon_rpc_gauge(HOLON_RPC_STRAY), before);

	/* Of a member of the past, and of nobody: dropped. */
	rpc_view_lost(NULL, NULL);
	holon_rpc_reborn();
	atomic_set(&handled, 0);
	strangers_are_dropped(test);
}

static void one_reply_with_cancel(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID + 2, 77, NULL, 0), 0);
	KUNIT_ASSERT_NOT_NULL(test, deferred);
	/* An id that is open twice is malformed. */
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID + 2, 77, NULL, 0), -EPROTO);
	/* So is a cancel on another lane, and one with a payload. */
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_BULK, HOLON_RPC_ID_CANCEL, 77, NULL, 0), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, HOLON_RPC_ID_CANCEL, 77, "x", 1), -EPROTO);
	KUNIT_EXPECT_EQ(test, atomic_read(&cancelled), 0);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, HOLON_RPC_ID_CANCEL, 77, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, HOLON_RPC_ID_CANCEL, 77, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&cancelled), 1);
	holon_reply(deferred, -EINTR);
	/* The cancel crosses the reply: nothing happens. */
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, HOLON_RPC_ID_CANCEL, 77, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&cancelled), 1);
}

static void loss_cancels_deferred(struct kunit *test)
{
	u64 before = holon_rpc_gauge(HOLON_RPC_REQUESTS_OPEN);

	KUNIT_EXPECT_EQ(test, receive(test, HOLON_REQ, ID + 2, 78, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, holon_rpc_gauge(HOLON_RPC_REQUESTS_OPEN), before + 1);
	rpc_node_install(node, 0);
	rpc_requests_lost(node);
	KUNIT_EXPECT_EQ(test, atomic_read(&cancelled), 1);
	holon_reply(deferred, 0);
	KUNIT_EXPECT_EQ(test, holon_rpc_gauge(HOLON_RPC_REQUESTS_OPEN), before);
}

/* --- credit -----------------------------------------------------------------*/

static void credit_is_bounded(struct kunit *test)
{
	__le32 back[3] = { cpu_to_le32(HOLON_REQ), cpu_to_le32(4 << 20) };
	unsigned int taken = 0;

	while (rpc_credit_take(node, HOLON_REQ, 1 << 20, false) == 1)
		taken++;
	KUNIT_EXPECT_EQ(test, taken, 4);
	KUNIT_EXPECT_EQ(test, rpc_credit_take(node, HOLON_REQ, 1, false), 0);
	KUNIT_EXPECT_EQ(test, rpc_credit_take(node, HOLON_BULK, 1, false), 1);
	/* Replies need none. */
	KUNIT_EXPECT_EQ(test, rpc_credit_take(node, HOLON_RSP, 16 << 20, false), 1);
	KUNIT_EXPECT_EQ(test, rpc_credit_take(node, HOLON_RSP, 16 << 20, false), 1);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_RSP, HOLON_RPC_ID_CREDIT, 0, back, 8), 0);
	KUNIT_EXPECT_EQ(test, rpc_credit_take(node, HOLON_REQ, 1, false), 1);
	/* Truncated, oversized, of a rank that is none. */
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_RSP, HOLON_RPC_ID_CREDIT, 0, back, 7), -EPROTO);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_RSP, HOLON_RPC_ID_CREDIT, 0, back, 9), -EPROTO);
	back[0] = cpu_to_le32(HOLON_RANKS);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_RSP, HOLON_RPC_ID_CREDIT, 0, back, 8), -EPROTO);
	rpc_node_install(node, 0);
	KUNIT_EXPECT_EQ(test, rpc_credit_take(node, HOLON_REQ, 1, false), -EHOSTDOWN);
}

/* --- markers ----------------------------------------------------------------*/

static int receive_marker(struct kunit *test, enum holon_rank rank, u64 epoch, u32 round)
{
	struct holon_wire_flush wire = {
		.epoch = cpu_to_le64(epoch), .round = cpu_to_le32(round),
	};

	return receive(test, rank, HOLON_RPC_ID_FLUSH, 0, &wire, sizeof(wire));
}

static u32 reached(int lane)
{
	u32 round;

	spin_lock_irq(&node->lock);
	round = node->reached[lane].round;
	spin_unlock_irq(&node->lock);
	return round;
}

static bool forward_reached_two(void)
{
	return reached(0) == 2;
}

static void marker_waits_for_handlers(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, receive_marker(test, HOLON_FWD, 9, 1), 0);
	KUNIT_EXPECT_EQ(test, reached(0), 1);
	KUNIT_EXPECT_EQ(test, reached(1), 0);
	KUNIT_EXPECT_EQ(test, receive_marker(test, HOLON_RSP, 9, 1), 0);
	KUNIT_EXPECT_EQ(test, reached(1), 1);

	KUNIT_EXPECT_EQ(test, receive(test, HOLON_FWD, ID + 1, 1, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_FWD, ID + 1, 2, NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, receive_marker(test, HOLON_FWD, 9, 2), 0);
	KUNIT_EXPECT_EQ(test, receive(test, HOLON_FWD, ID + 1, 3, NULL, 0), 0);
	complete(&may_end);
	until(test, one_handled);
	KUNIT_EXPECT_EQ(test, receive_marker(test, HOLON_REQ, 9, 1), -EPROTO);
	complete(&may_end);
	complete(&may_end);
	until(test, forward_reached_two);
	/* Older ones change nothing. */
	KUNIT_EXPECT_EQ(test, receive_marker(test, HOLON_FWD, 8, 3), 0);
	KUNIT_EXPECT_EQ(test, reached(0), 2);
}

/* --- credentials ------------------------------------------------------------*/

static void credentials_travel(struct kunit *test)
{
	struct cred *cred = prepare_kernel_cred(&init_task), *copy;
	struct group_info *groups = groups_alloc(3);
	size_t size, used, len;
	u8 *bytes;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	KUNIT_ASSERT_NOT_NULL(test, groups);
	groups->gid[0] = KGIDT_INIT(5);
	groups->gid[1] = KGIDT_INIT(6);
	groups->gid[2] = KGIDT_INIT(70000);
	set_groups(cred, groups);
	put_group_info(groups);
	cred->fsuid = KUIDT_INIT(1234);
	cred->egid = KGIDT_INIT(4321);
	cred->cap_effective = CAP_EMPTY_SET;
	cap_raise(cred->cap_effective, CAP_KILL);

	size = holon_cred_size(cred);
	KUNIT_EXPECT_EQ(test, size % 8, 0);
	bytes = kunit_kzalloc(test, size + 1, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, bytes);
	holon_cred_pack(bytes, cred);
	copy = holon_cred_unpack(bytes, size, &used);
	KUNIT_ASSERT_FALSE(test, IS_ERR(copy));
	KUNIT_EXPECT_EQ(test, used, size);
	KUNIT_EXPECT_TRUE(test, uid_eq(copy->fsuid, cred->fsuid));
	KUNIT_EXPECT_TRUE(test, gid_eq(copy->egid, cred->egid));
	KUNIT_EXPECT_EQ(test, copy->cap_effective.val, cred->cap_effective.val);
	KUNIT_EXPECT_EQ(test, copy->group_info->ngroups, 3);
	KUNIT_EXPECT_TRUE(test, gid_eq(copy->group_info->gid[2], KGIDT_INIT(70000)));
	put_cred(copy);
	put_cred(cred);

	for (len = 0; len < size; len++)
		KUNIT_EXPECT_EQ(test, PTR_ERR(holon_cred_unpack(bytes, len, &used)), -EPROTO);
	memset(bytes + 36, 0xff, 4);	/* number of groups */
	KUNIT_EXPECT_EQ(test, PTR_ERR(holon_cred_unpack(bytes, size, &used)), -EPROTO);
	memset(bytes + 36, 0, 4);
	memset(bytes, 0xff, 4);		/* a uid that is none */
	KUNIT_EXPECT_EQ(test, PTR_ERR(holon_cred_unpack(bytes, size, &used)), -EPROTO);
}

static void handler_runs_under_them(struct kunit *test)
{
	struct cred *cred = prepare_kernel_cred(&init_task);
	struct holon_message *message;
	size_t size;

	KUNIT_ASSERT_NOT_NULL(test, cred);
	cred->fsuid = KUIDT_INIT(1234);
	size = holon_cred_size(cred);
	message = holon_message_alloc(HOLON_REQ, ID + 3, 5, size, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, message);
	holon_cred_pack(message->data, cred);
	message->frame.flags = cpu_to_le16(HOLON_FRAME_CREDS);
	put_cred(cred);
	KUNIT_EXPECT_EQ(test, holon_rpc_receive(&peer, HOLON_REQ, message), 0);
	KUNIT_EXPECT_EQ(test, atomic_read(&handled), 1);
	KUNIT_EXPECT_TRUE(test, uid_eq(current_fsuid(), GLOBAL_ROOT_UID));
}

static void buckets(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, rpc_latency_bucket(0), 0);
	KUNIT_EXPECT_EQ(test, rpc_latency_bucket(1), 0);
	KUNIT_EXPECT_EQ(test, rpc_latency_bucket(2), 1);
	KUNIT_EXPECT_EQ(test, rpc_latency_bucket(1023), 9);
	KUNIT_EXPECT_EQ(test, rpc_latency_bucket(1024), 10);
	KUNIT_EXPECT_EQ(test, rpc_latency_bucket(U64_MAX), HOLON_RPC_BUCKETS - 1);
}

static struct kunit_case rpc_cases[] = {
	KUNIT_CASE(reply_ends_call),
	KUNIT_CASE(wrong_replies),
	KUNIT_CASE(loss_ends_call),
	KUNIT_CASE(signal_waits_for_reply),
	KUNIT_CASE(killed_caller_leaves_orphan),
	KUNIT_CASE(too_long),
	KUNIT_CASE(requests_are_checked),
	KUNIT_CASE(strangers_are_dropped),
	KUNIT_CASE(one_reply_with_cancel),
	KUNIT_CASE(loss_cancels_deferred),
	KUNIT_CASE(credit_is_bounded),
	KUNIT_CASE(marker_waits_for_handlers),
	KUNIT_CASE(credentials_travel),
	KUNIT_CASE(handler_runs_under_them),
	KUNIT_CASE(buckets),
	KUNIT_CASE(members_are_early_until_all_are_there),
	{}
};

static struct kunit_suite rpc_suite = {
	.name = "holon_rpc",
	.init = rpc_test_init,
	.exit = rpc_test_exit,
	.test_cases = rpc_cases,
};

kunit_test_suite(rpc_suite);
