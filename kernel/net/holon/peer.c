// SPDX-License-Identifier: GPL-2.0-only
/*
 * Peers: who is connected, and how they come and go.
 *
 *	connect ordered, or a caller that has proven itself admitted
 *		-> connecting: lanes pass the handshake one by one
 *		-> up: all have; peer_up() is told, then reading begins
 *		-> failed: a lane broke, the time ran out, RPC or the membership
 *		   code said so. down_work stops the lanes, delivers what was
 *		   complete, takes the peer out of the table, tells peer_down()
 *
 * The lower id connects. Its five lanes carry the same attempt number; one of
 * another attempt meets a peer that its owner has given up already, fails
 * that one and is refused with -EAGAIN, so that the next attempt succeeds.
 *
 * The table is not touched, and nobody is told anything, for a caller that has not
 * given its PROOF (handshake.h); what it costs us until then is bounded by the
 * limits of listen.c and by handshake_limit.
 *
 * No upcall that may take a mutex of the membership code runs in the receive
 * work of an RPC lane of a peer: holon_transport_drop() waits for these works
 * and may be called under such a mutex.
 *
 * Locks: peers_mutex (table, building of peers) > stop_lock of a peer > lane.
 * No upcall is made under any of them. Senders find peers under RCU.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/ctype.h>
#include <linux/kref.h>
#include <linux/random.h>
#include <linux/ratelimit.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <linux/tcp.h>

#define CREATE_TRACE_POINTS
#include <trace/events/holon.h>

#include <linux/holon_view.h>

#include "auth.h"
#include "lane.h"
#include "net.h"
#include "peer.h"

#define ALL_RANKS	(BIT(HOLON_RANKS) - 1)

enum {
	PEER_WANTED,	/* holon_transport_connect() asked for it */
	PEER_UP,	/* all lanes passed the handshake: sending is legal */
	PEER_READING,	/* peer_up() has returned */
	PEER_FAILED,	/* down_work is queued or running */
	PEER_DROPPED,	/* by order: peer_down() is not told */
	PEER_REFUSED,	/* the answer said no: @reason */
};

/**
 * struct holon_peer - a node in one life
 * @id: whom we expect
 * @ident: with the uuid, once a handshake has told it. Lock: peers_mutex
 * @flags: PEER_*
 * @attempt: number of the connecting side
 * @lanes: set once, under peers_mutex, before PEER_UP
 * @ready: lanes that passed the handshake. Lock: peers_mutex
 * @why: of the failure; written once, by who set PEER_FAILED
 * @reason: what a refusal said; written once, by who set PEER_REFUSED
 */
struct holon_peer {
	struct holon_peer_id id;
	struct holon_ident ident;
	unsigned long flags;
	u64 attempt;
	struct holon_lane *lanes[HOLON_RANKS];
	unsigned int ready;
	const char *why;
	char reason[HOLON_HANDSHAKE_REASON];
	struct mutex stop_lock;		/* one closes the lanes */
	struct work_struct up_work;
	struct work_struct down_work;
	struct delayed_work timeout_work;
	struct kref ref;
	struct rcu_head rcu;
};

static DEFINE_MUTEX(peers_mutex);
static struct holon_peer __rcu *peers[HOLON_NODE_IDS];
static u64 refused[HOLON_NODE_IDS];	/* dropped incarnations. Lock: peers_mutex */
static atomic_t peer_count = ATOMIC_INIT(0);
static DECLARE_WAIT_QUEUE_HEAD(peers_gone);

const struct holon_peer_id *holon_peer_id(const struct holon_peer *peer)
{
	return &peer->id;
}

bool holon_peer_reading(const struct holon_peer *peer)
{
	return test_bit(PEER_READING, &peer->flags);
}

static void peer_free(struct kref *ref)
{
	struct holon_peer *peer = container_of(ref, struct holon_peer, ref);
	int rank;

	for (rank = 0; rank < HOLON_RANKS; rank++)
		holon_lane_free(peer->lanes[rank]);
	kfree_rcu(peer, rcu);
}

static struct holon_peer *peer_locked(u8 node)
{
	return rcu_dereference_protected(peers[node], lockdep_is_held(&peers_mutex));
}

void holon_peer_fail(struct holon_peer *peer, const char *why)
{
	if (test_and_set_bit(PEER_FAILED, &peer->flags))
		return;
	peer->why = why;
	queue_work(holon_net_wq, &peer->down_work);
}

/* --- up and down ------------------------------------------------------------*/

static void peer_up_work(struct work_struct *work)
{
	struct holon_peer *peer = container_of(work, struct holon_peer, up_work);
	struct holon_ident ident;
	int rank;

	mutex_lock(&peers_mutex);
	ident = peer->ident;
	mutex_unlock(&peers_mutex);
	if (test_bit(PEER_FAILED, &peer->flags))
		return;
	holon_net_count(HOLON_TRANSPORT_PEERS_UP);
	trace_holon_peer(peer->id.node, peer->id.incarnation, "up");
	pr_info("node %u is connected, protocol %u%s\n", peer->id.node,
		peer->lanes[HOLON_CONTROL]->version, holon_net_encrypts() ? "" : ", not encrypted");
	set_bit(PEER_UP, &peer->flags);
	holon_net_events->peer_up(&ident);
	set_bit(PEER_READING, &peer->flags);
	for (rank = 0; rank < HOLON_RANKS; rank++)
		holon_lane_kick(peer->lanes[rank]);
}

static void peer_timeout_work(struct work_struct *work)
{
	struct holon_peer *peer = container_of(to_delayed_work(work), struct holon_peer,
					       timeout_work);

	if (!test_bit(PEER_UP, &peer->flags))
		holon_peer_fail(peer, "not connected in time");
}

/* Everything that is not CONTROL: their works make no upcall that waits. */
static void peer_close_rpc_lanes(struct holon_peer *peer)
{
	int rank;

	mutex_lock(&peer->stop_lock);
	for (rank = HOLON_RSP; rank < HOLON_RANKS; rank++) {
		if (peer->lanes[rank])
			holon_lane_close(peer->lanes[rank]);
	}
	mutex_unlock(&peer->stop_lock);
}

static void peer_down_work(struct work_struct *work)
{
	struct holon_peer *peer = container_of(work, struct holon_peer, down_work);
	u8 node = peer->id.node;
	bool tell;

	/* Nobody who saw the peer without PEER_FAILED attaches a lane any more. */
	mutex_lock(&peers_mutex);
	mutex_unlock(&peers_mutex);
	cancel_delayed_work_sync(&peer->timeout_work);
	cancel_work_sync(&peer->up_work);
	peer_close_rpc_lanes(peer);
	if (peer->lanes[HOLON_CONTROL])
		holon_lane_close(peer->lanes[HOLON_CONTROL]);

	mutex_lock(&peers_mutex);
	if (peer_locked(node) == peer)
		RCU_INIT_POINTER(peers[node], NULL);
	mutex_unlock(&peers_mutex);

	holon_net_count(HOLON_TRANSPORT_PEERS_DOWN);
	trace_holon_peer(node, peer->id.incarnation, peer->why);
	tell = test_bit(PEER_WANTED, &peer->flags) || test_bit(PEER_UP, &peer->flags);
	if (tell)
		pr_info_ratelimited("node %u: %s%s%s\n", node, peer->why,
				    peer->reason[0] ? ": " : "", peer->reason);
	if (tell && !test_bit(PEER_DROPPED, &peer->flags)) {
		if (test_bit(PEER_REFUSED, &peer->flags))
			holon_net_events->refused(node, peer->reason);
		holon_net_events->peer_down(&peer->id, peer->why);
	}
	kref_put(&peer->ref, peer_free);
	if (atomic_dec_and_test(&peer_count))
		wake_up_all(&peers_gone);
}

static struct holon_peer *peer_create(const struct holon_peer_id *id, u64 attempt)
{
	struct holon_peer *peer;

	lockdep_assert_held(&peers_mutex);
	peer = kzalloc(sizeof(*peer), GFP_KERNEL);
	if (!peer)
		return NULL;
	peer->id = *id;
	peer->attempt = attempt;
	mutex_init(&peer->stop_lock);
	kref_init(&peer->ref);
	INIT_WORK(&peer->up_work, peer_up_work);
	INIT_WORK(&peer->down_work, peer_down_work);
	INIT_DELAYED_WORK(&peer->timeout_work, peer_timeout_work);
	atomic_inc(&peer_count);
	rcu_assign_pointer(peers[id->node], peer);
	queue_delayed_work(holon_net_wq, &peer->timeout_work, HOLON_HANDSHAKE_TIME);
	return peer;
}

static void peer_lane_ready(struct holon_peer *peer, struct holon_lane *lane)
{
	lockdep_assert_held(&peers_mutex);
	lane->state = LANE_READY;
	peer->ready |= BIT(lane->rank);
	holon_net_count(HOLON_TRANSPORT_CONNECTIONS);
	if (peer->ready == ALL_RANKS && !test_bit(PEER_FAILED, &peer->flags))
		queue_work(holon_net_wq, &peer->up_work);
}

/* --- the connecting side ----------------------------------------------------*/

/*
 * From our address and a port that programs without privileges do not get: the
 * other side takes no connection from another one. Two connections may have the
 * same port when they go to different nodes.
 */
static int peer_bind(struct socket *sock)
{
	struct sockaddr_in local = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = holon_net_address(),
	};
	int tries = 32, err;

	sock_set_reuseaddr(sock->sk);
	do {
		local.sin_port = htons(get_random_u32_inclusive(PROT_SOCK / 2, PROT_SOCK - 1));
		err = kernel_bind(sock, (struct sockaddr *)&local, sizeof(local));
	} while (err == -EADDRINUSE && --tries);
	return err;
}

static int peer_connect_lane(struct holon_peer *peer, enum holon_rank rank,
			     const struct sockaddr_in *address)
{
	struct holon_lane *lane;
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &sock);
	if (err)
		return err;
	err = peer_bind(sock);
	if (err) {
		sock_release(sock);
		return err;
	}
	lane = holon_lane_create(sock, LANE_CONNECTING, peer, rank);
	if (!lane)
		return -ENOMEM;
	peer->lanes[rank] = lane;
	holon_lane_start(lane);
	err = kernel_connect(sock, (struct sockaddr *)address, sizeof(*address), O_NONBLOCK);
	if (err && err != -EINPROGRESS)
		return err;
	holon_lane_kick(lane);
	return 0;
}

int holon_transport_connect(const struct holon_peer_id *id, const struct sockaddr_storage *addr)
{
	const struct sockaddr_in *address = (const struct sockaddr_in *)addr;
	struct holon_peer *peer;
	unsigned int noio;
	int rank, err = 0;

	if (!holon_net_events)
		return -ENOTCONN;
	if (!id->node || id->node == holon_node_id())
		return -EINVAL;
	noio = memalloc_noio_save();
	mutex_lock(&peers_mutex);
	peer = peer_locked(id->node);
	if (refused[id->node] == id->incarnation) {
		err = -ECONNREFUSED;
	} else if (peer) {
		if (peer->id.incarnation != id->incarnation ||
		    test_bit(PEER_FAILED, &peer->flags))
			err = -EAGAIN;
		else
			set_bit(PEER_WANTED, &peer->flags);
	} else if (id->node < holon_node_id()) {
		peer = peer_create(id, 0);
		if (peer)
			set_bit(PEER_WANTED, &peer->flags);
		else
			err = -ENOMEM;
	} else if (addr->ss_family != AF_INET) {
		err = -EAFNOSUPPORT;
	} else {
		peer = peer_create(id, get_random_u64() | 1);
		if (!peer) {
			err = -ENOMEM;
			goto unlock;
		}
		set_bit(PEER_WANTED, &peer->flags);
		for (rank = 0; rank < HOLON_RANKS; rank++) {
			/* From here on a failure is told by peer_down(). */
			if (peer_connect_lane(peer, rank, address)) {
				holon_peer_fail(peer, "cannot connect");
				break;
			}
		}
	}
unlock:
	mutex_unlock(&peers_mutex);
	memalloc_noio_restore(noio);
	return err;
}

/* Fill in the proof and write it. */
static int peer_write(struct holon_lane *lane, struct holon_handshake *record)
{
	const struct holon_handshake *call = &lane->record;

	return holon_auth_sign(lane->auth, record, call) ?:
	       holon_lane_write(lane, record, sizeof(*record));
}

static bool handshake_failed(struct holon_peer *peer, const char *why)
{
	holon_peer_fail(peer, why);
	return false;
}

bool holon_peer_send_call(struct holon_peer *peer, struct holon_lane *lane)
{
	struct holon_ident to = { .id = peer->id.node, .incarnation = peer->id.incarnation };
	struct holon_handshake record;

	holon_handshake_init(&record, HOLON_HANDSHAKE_CALL, lane->rank, peer->attempt,
			     holon_net_cluster());
	holon_wire_ident_put(&record.to, &to);
	lane->auth = kmalloc(sizeof(*lane->auth), GFP_KERNEL);
	if (!lane->auth || holon_auth_begin(lane->auth) || peer_write(lane, &record))
		return handshake_failed(peer, "connection lost in the handshake");
	return true;
}

/* Its words go to the log and, before a proof, may be anybody's. */
static bool peer_refused(struct holon_peer *peer, const struct holon_handshake *record)
{
	unsigned int i;

	if (!test_and_set_bit(PEER_REFUSED, &peer->flags)) {
		strscpy(peer->reason, record->reason);
		for (i = 0; peer->reason[i]; i++)
			if (!isascii(peer->reason[i]) || !isprint(peer->reason[i]))
				peer->reason[i] = '?';
	}
	return handshake_failed(peer, "connection refused");
}

/* The handshake has ended well: from here on there are frames. */
static bool peer_begin(struct holon_peer *peer, struct holon_lane *lane, bool connecting)
{
	struct holon_traffic_key out, in;
	int err = 0;

	if (holon_net_encrypts()) {
		err = holon_auth_traffic(lane->auth, connecting, &out, &in) ?:
		      holon_lane_encrypt(lane, &out, &in);
		memzero_explicit(&out, sizeof(out));
		memzero_explicit(&in, sizeof(in));
	}
	kfree_sensitive(lane->auth);
	lane->auth = NULL;
	if (err)
		return handshake_failed(peer, "cannot encrypt");
	mutex_lock(&peers_mutex);
	peer_lane_ready(peer, lane);
	mutex_unlock(&peers_mutex);
	return true;
}

bool holon_peer_answered(struct holon_peer *peer, struct holon_lane *lane)
{
	struct holon_handshake *record = &lane->record;
	struct holon_handshake proof;
	struct holon_ident from;
	u16 version;

	if (holon_handshake_check(record, HOLON_HANDSHAKE_ANSWER) || record->rank != lane->rank) {
		holon_net_count(HOLON_TRANSPORT_MALFORMED);
		return handshake_failed(peer, "malformed answer in the handshake");
	}
	if (record->status)
		return peer_refused(peer, record);
	if (holon_auth_check(lane->auth, record)) {
		holon_net_count(HOLON_TRANSPORT_UNPROVEN);
		return handshake_failed(peer, "who answered does not have the cluster key");
	}
	holon_wire_ident_get(&from, &record->from);
	/* An answer names the version, which we must speak. */
	version = holon_protocol_agree(le16_to_cpu(record->protocol_min),
				       le16_to_cpu(record->protocol_max));
	if (from.id != peer->id.node || from.incarnation != peer->id.incarnation || !version ||
	    le64_to_cpu(record->attempt) != peer->attempt)
		return handshake_failed(peer, "another node answered");
	holon_handshake_init(&proof, HOLON_HANDSHAKE_PROOF, lane->rank, peer->attempt,
			     holon_net_cluster());
	proof.to = record->from;
	mutex_lock(&peers_mutex);
	peer->ident = from;
	mutex_unlock(&peers_mutex);
	holon_lane_set_version(lane, version);
	lane->state = LANE_PROVING;
	if (peer_write(lane, &proof))
		return handshake_failed(peer, "connection lost in the handshake");
	return true;
}

bool holon_peer_judged(struct holon_peer *peer, struct holon_lane *lane)
{
	struct holon_handshake *record = &lane->record;

	if (holon_handshake_check(record, HOLON_HANDSHAKE_VERDICT) ||
	    holon_auth_check(lane->auth, record)) {
		holon_net_count(HOLON_TRANSPORT_MALFORMED);
		return handshake_failed(peer, "malformed verdict in the handshake");
	}
	if (record->status)
		return peer_refused(peer, record);
	return peer_begin(peer, lane, true);
}

/* --- the accepting side -----------------------------------------------------*/

/* Handshakes of one second that get as far as public-key arithmetic. */
static struct ratelimit_state handshake_limit =
	RATELIMIT_STATE_INIT_FLAGS(handshake_limit, HZ, 512, RATELIMIT_MSG_ON_RELEASE);
static struct ratelimit_state show_limit =
	RATELIMIT_STATE_INIT_FLAGS(show_limit, HZ, 4, RATELIMIT_MSG_ON_RELEASE);

void holon_peer_show_stranger(u8 node, const char *reason)
{
	if (node && node != holon_node_id() && __ratelimit(&show_limit))
		holon_net_events->stranger(node, reason);
}

/* Tell the caller why not, proven when it has proven to be there, and let go of it. */
static bool peer_refuse(struct holon_lane *lane, enum holon_handshake_kind kind, int err,
			const char *reason)
{
	struct holon_handshake record;

	holon_net_count(HOLON_TRANSPORT_REFUSED);
	pr_debug("refused node %u: %s\n", lane->record.from.id, reason);
	holon_handshake_init(&record, kind, lane->record.rank,
			     le64_to_cpu(lane->record.attempt), holon_net_cluster());
	record.to = lane->record.from;
	record.status = cpu_to_le16(-err);
	strscpy(record.reason, reason);
	if (kind == HOLON_HANDSHAKE_VERDICT)
		peer_write(lane, &record);
	else
		holon_lane_write(lane, &record, sizeof(record));
	holon_half_open_discard(lane);
	return false;
}

static bool peer_stranger(struct holon_lane *lane)
{
	holon_peer_stranger(lane);
	return false;
}

/* What a CALL says. 0, or an errno with a reason. */
static int call_check(struct holon_lane *lane, const struct holon_handshake *call,
		      const char **reason)
{
	struct holon_ident self;
	int err;

	holon_node_ident(&self);
	lane->auth = kmalloc(sizeof(*lane->auth), GFP_KERNEL);
	if (!lane->auth) {
		*reason = "out of memory";
		return -ENOMEM;
	}
	err = holon_auth_called(lane->auth, call);
	if (err) {
		holon_net_count(HOLON_TRANSPORT_UNPROVEN);
		*reason = HOLON_WRONG_KEY;
		return -EKEYREJECTED;
	}
	/* Also: a CALL that was recorded is of use against one life of one node only. */
	if (call->to.id != self.id || le64_to_cpu(call->to.incarnation) != self.incarnation) {
		*reason = "this node has begun a new life";
		return -ESTALE;
	}
	if (strcmp(call->cluster, holon_net_cluster())) {
		*reason = "the names of the clusters differ";
		return -EXDEV;
	}
	if (!holon_protocol_agree(le16_to_cpu(call->protocol_min),
				  le16_to_cpu(call->protocol_max))) {
		*reason = "no protocol version in common";
		return -EPROTONOSUPPORT;
	}
	if (call->encrypt != holon_net_encrypts()) {
		*reason = "of the two nodes one encrypts and one does not: see holon.insecure";
		return -EPROTOTYPE;
	}
	return 0;
}

bool holon_peer_called(struct holon_lane *lane)
{
	const struct holon_handshake *call = &lane->record;
	struct holon_handshake answer;
	const char *reason;
	u16 version;
	int err;

	if (holon_handshake_check(&lane->record, HOLON_HANDSHAKE_CALL))
		return peer_stranger(lane);
	err = call_check(lane, call, &reason);
	if (err) {
		if (err != -ESTALE)
			holon_peer_show_stranger(call->from.id, reason);
		return peer_refuse(lane, HOLON_HANDSHAKE_ANSWER, err, reason);
	}
	/* Only what a node with a key has made is counted here. */
	if (!__ratelimit(&handshake_limit))
		return peer_stranger(lane);
	WRITE_ONCE(lane->proven, true);
	holon_handshake_init(&answer, HOLON_HANDSHAKE_ANSWER, call->rank,
			     le64_to_cpu(call->attempt), holon_net_cluster());
	version = holon_protocol_agree(le16_to_cpu(call->protocol_min),
				       le16_to_cpu(call->protocol_max));
	answer.to = call->from;
	answer.protocol_min = cpu_to_le16(version);
	answer.protocol_max = answer.protocol_min;
	lane->rank = call->rank;
	holon_lane_set_version(lane, version);
	lane->state = LANE_ANSWERED;
	if (peer_write(lane, &answer))
		return peer_stranger(lane);
	return true;
}

/* May this node connect? It is there now, and has the key. */
static int caller_check(const struct holon_handshake *proof, const struct holon_ident *from,
			const struct holon_ident *to, const char **reason)
{
	struct holon_ident self;

	holon_node_ident(&self);
	if (from->id == self.id) {
		*reason = "your node id is in use by this node";
		return -EEXIST;
	}
	if (to->incarnation != self.incarnation) {
		*reason = "this node has begun a new life";
		return -ESTALE;
	}
	if (from->id > self.id) {
		*reason = "the lower node id connects";
		return -EINVAL;
	}
	return holon_net_events->admit(from, proof->cluster, reason);
}

/* Find or make the peer of an admitted caller and give it the lane. */
static int caller_attach(struct holon_lane *lane, const struct holon_ident *from,
			 const char **reason)
{
	struct holon_peer_id id = { .node = from->id, .incarnation = from->incarnation };
	u64 attempt = le64_to_cpu(lane->record.attempt);
	enum holon_rank rank = lane->record.rank;
	struct holon_peer *peer;

	lockdep_assert_held(&peers_mutex);
	if (refused[id.node] == id.incarnation) {
		*reason = "this incarnation was removed from the cluster";
		return -ESTALE;
	}
	peer = peer_locked(id.node);
	if (!peer) {
		peer = peer_create(&id, attempt);
		if (!peer) {
			*reason = "out of memory";
			return -ENOMEM;
		}
	}
	if (!peer->attempt && peer->id.incarnation == id.incarnation)
		peer->attempt = attempt;
	if (peer->id.incarnation != id.incarnation || test_bit(PEER_FAILED, &peer->flags) ||
	    peer->attempt != attempt || peer->lanes[rank]) {
		/* An earlier attempt, or life, whose end we have not seen yet. */
		if (!test_bit(PEER_UP, &peer->flags) &&
		    (peer->id.incarnation != id.incarnation || peer->attempt != attempt))
			holon_peer_fail(peer, "connects anew");
		*reason = "an earlier connection is being closed, try again";
		return -EAGAIN;
	}
	if (!holon_half_open_take(lane))
		return -ETIMEDOUT;

	holon_lane_set_rank(lane, rank);
	lane->peer = peer;
	peer->lanes[rank] = lane;
	peer->ident = *from;
	return 0;
}

/* The lane is its peer's: tell the caller and begin with frames. */
static bool caller_admit(struct holon_lane *lane)
{
	struct holon_peer *peer = lane->peer;
	struct holon_handshake verdict;

	holon_handshake_init(&verdict, HOLON_HANDSHAKE_VERDICT, lane->rank,
			     le64_to_cpu(lane->record.attempt), holon_net_cluster());
	verdict.to = lane->record.from;
	if (peer_write(lane, &verdict))
		return handshake_failed(peer, "connection lost in the handshake");
	return peer_begin(peer, lane, false);
}

bool holon_peer_proven(struct holon_lane *lane)
{
	struct holon_handshake *proof = &lane->record;
	const char *reason = "refused";
	struct holon_ident from, to;
	int err;

	if (holon_handshake_check(proof, HOLON_HANDSHAKE_PROOF) || proof->rank != lane->rank ||
	    holon_auth_check(lane->auth, proof)) {
		/* What was recorded comes to its end here. */
		holon_net_count(HOLON_TRANSPORT_UNPROVEN);
		return peer_stranger(lane);
	}
	holon_wire_ident_get(&from, &proof->from);
	holon_wire_ident_get(&to, &proof->to);
	err = caller_check(proof, &from, &to, &reason);
	if (!err) {
		mutex_lock(&peers_mutex);
		err = caller_attach(lane, &from, &reason);
		mutex_unlock(&peers_mutex);
	}
	if (!err)
		return caller_admit(lane);
	return err != -ETIMEDOUT && peer_refuse(lane, HOLON_HANDSHAKE_VERDICT, err, reason);
}

/* --- orders from above ------------------------------------------------------*/

void holon_transport_drop(const struct holon_peer_id *id, const char *why)
{
	struct holon_peer *peer;

	mutex_lock(&peers_mutex);
	refused[id->node] = id->incarnation;
	peer = peer_locked(id->node);
	if (peer && peer->id.incarnation == id->incarnation) {
		kref_get(&peer->ref);
		set_bit(PEER_DROPPED, &peer->flags);
		holon_peer_fail(peer, why);
	} else {
		peer = NULL;
	}
	mutex_unlock(&peers_mutex);
	if (!peer)
		return;
	peer_close_rpc_lanes(peer);
	kref_put(&peer->ref, peer_free);
}

void holon_transport_fail(const struct holon_peer_id *id, const char *why)
{
	struct holon_peer *peer;

	rcu_read_lock();
	peer = rcu_dereference(peers[id->node]);
	if (peer && peer->id.incarnation == id->incarnation)
		holon_peer_fail(peer, why);
	rcu_read_unlock();
}

static bool is_self(const struct holon_peer_id *id)
{
	struct holon_ident self;

	if (id->node != holon_node_id())
		return false;
	holon_node_ident(&self);
	return id->incarnation == self.incarnation;
}

int holon_transport_queue(const struct holon_peer_id *id, struct holon_message *message)
{
	struct holon_peer *peer;
	int err = -EHOSTDOWN;

	if (is_self(id)) {
		holon_loopback_queue(message);
		return 0;
	}
	rcu_read_lock();
	peer = rcu_dereference(peers[id->node]);
	if (peer && peer->id.incarnation == id->incarnation &&
	    test_bit_acquire(PEER_UP, &peer->flags)) {
		err = holon_lane_queue(peer->lanes[message->frame.rank], message);
		message = NULL;
	}
	rcu_read_unlock();
	holon_message_free(message);
	return err;
}

int holon_transport_push(const struct holon_peer_id *id, struct holon_message *message)
{
	struct holon_peer *peer;
	int err = -EHOSTDOWN;

	might_sleep();
	if (is_self(id)) {
		holon_loopback_queue(message);
		return 0;
	}
	rcu_read_lock();
	peer = rcu_dereference(peers[id->node]);
	if (peer && (peer->id.incarnation != id->incarnation ||
		     !test_bit_acquire(PEER_UP, &peer->flags) ||
		     !kref_get_unless_zero(&peer->ref)))
		peer = NULL;
	rcu_read_unlock();
	if (peer) {
		err = holon_lane_send(peer->lanes[message->frame.rank], message);
		kref_put(&peer->ref, peer_free);
	} else {
		holon_message_free(message);
	}
	return err;
}

int holon_transport_send(const struct holon_peer_id *peer, enum holon_rank rank, u16 type,
			 u16 flags, u64 call, const struct holon_vec *vec, unsigned int nvec,
			 gfp_t gfp)
{
	struct holon_message *message;
	size_t len = 0, at = 0;
	unsigned int i;

	for (i = 0; i < nvec; i++)
		len += vec[i].len;
	if (len > holon_frame_payload_max(rank))
		return -EMSGSIZE;
	message = holon_message_alloc(rank, type, call, len, gfp);
	if (!message)
		return -ENOMEM;
	for (i = 0; i < nvec; i++) {
		memcpy(message->data + at, vec[i].base, vec[i].len);
		at += vec[i].len;
	}
	message->frame.flags = cpu_to_le16(flags);
	message->frame.epoch = cpu_to_le64(holon_view_epoch());
	return holon_transport_queue(peer, message);
}

void holon_peers_stop(void)
{
	unsigned int node;

	mutex_lock(&peers_mutex);
	for (node = 0; node < HOLON_NODE_IDS; node++) {
		struct holon_peer *peer = peer_locked(node);

		if (!peer)
			continue;
		set_bit(PEER_DROPPED, &peer->flags);
		holon_peer_fail(peer, "this node stops");
	}
	mutex_unlock(&peers_mutex);
	wait_event(peers_gone, !atomic_read(&peer_count));
}
