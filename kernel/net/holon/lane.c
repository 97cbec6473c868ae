// SPDX-License-Identifier: GPL-2.0-only
/*
 * Lanes: one TCP connection each.
 *
 * The callbacks of the socket run in softirq and only queue a work:
 *
 *	sk_data_ready, sk_state_change, sk_error_report	-> receive work: read_sock() into the
 *		decoder, then, without the socket's lock, deliver
 *	sk_write_space, a message queued	-> send work: sendmsg(MSG_DONTWAIT)
 *
 * Behind the handshake the connection is encrypted by the kernel's TLS, which has
 * our keys, and which puts itself between the socket and these callbacks. One
 * sendmsg() is one TLS record, or several full ones. A record that cannot be
 * decrypted is a malformed frame: fail-stop.
 *
 * The state of reading belongs to the receive work alone. Sending has a mutex:
 * a caller that may sleep sends its message itself if the mutex is free, and
 * leaves it to the send work if not. The message is queued before it tries, so
 * that either it or the work finds it. All others wait for who has the mutex, so
 * tasks that wait long for a processor do not try.
 *
 * BULK gives way: its send work has a queue of ordinary priority, its works do
 * less at a time, and its receive buffer is small, because what is on the wire
 * already stands before a message of any other lane.
 *
 * Nothing here ever waits for the peer. A full socket leaves messages in the
 * queue; what bounds the queue are the credits of the RPC layer.
 *
 * Memory: the ranks that reclaim may depend on (all but BULK) have memalloc
 * sockets: sending, with PF_MEMALLOC, and decrypting take from the reserves;
 * messages of CONTROL, RSP and FWD are also received into them, because their
 * delivery frees memory. The end of a record for which the socket had no room is
 * sent by a work of TLS on the system's queue, which has no rescuer. When there
 * is none for the others, reading pauses for a moment.
 *
 * Life: holon_lane_create(), holon_lane_start(), works, holon_lane_close() by
 * whoever owns it (the half-open list of listen.c, later the peer), then
 * holon_lane_free(). Senders look lanes up under RCU and meet @closed.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/sched/mm.h>
#include <linux/sched/rt.h>
#include <linux/slab.h>
#include <linux/tcp.h>
#include <net/sock.h>
#include <net/tcp.h>
#include <net/tcp_states.h>
#include <net/tls.h>
#include <trace/events/holon.h>

#include "auth.h"
#include "lane.h"
#include "net.h"
#include "peer.h"

#define LANE_VECS	16		/* messages in one sendmsg() */
#define LANE_BUDGET	(512U << 10)	/* bytes of one run of a work */
#define LANE_BULK_BUDGET	(32U << 10)
#define LANE_BULK_WINDOW	(128U << 10)	/* bytes on the wire */
#define LANE_RETRY	(HZ / 100 + 1)	/* until memory is asked for again */

static bool lane_reclaim(enum holon_rank rank)
{
	return rank != HOLON_BULK;
}

static gfp_t lane_gfp(enum holon_rank rank)
{
	return rank <= HOLON_FWD ? GFP_NOIO | __GFP_MEMALLOC : GFP_NOIO;
}

/*
 * Replies travel on another lane: an acknowledgment may wait for more data. Of a
 * connected socket, the handshake of TCP would undo it.
 */
static void lane_slow_ack(struct sock *sk)
{
	tcp_sock_set_quickack(sk, 0);
}

/* --- callbacks of the socket, softirq ---------------------------------------*/

static void lane_data_ready(struct sock *sk)
{
	struct holon_lane *lane;

	read_lock_bh(&sk->sk_callback_lock);
	lane = sk->sk_user_data;
	if (lane)
		queue_delayed_work(holon_net_wq, &lane->receive_work, 0);
	read_unlock_bh(&sk->sk_callback_lock);
}

static void lane_write_space(struct sock *sk)
{
	struct holon_lane *lane;

	read_lock_bh(&sk->sk_callback_lock);
	lane = sk->sk_user_data;
	if (lane && sk_stream_is_writeable(sk)) {
		clear_bit(SOCK_NOSPACE, &sk->sk_socket->flags);
		queue_work(lane->wq, &lane->send_work);
	}
	read_unlock_bh(&sk->sk_callback_lock);
}

/* --- sending ----------------------------------------------------------------*/

/* Return: false when it is closed: the message has been freed. */
static bool lane_append(struct holon_lane *lane, struct holon_message *message)
{
	unsigned long flags;
	bool closed;

	message->frame.version = lane->version;
	spin_lock_irqsave(&lane->lock, flags);
	closed = lane->closed;
	if (!closed)
		list_add_tail(&message->link, &lane->queue);
	spin_unlock_irqrestore(&lane->lock, flags);
	if (closed)
		holon_message_free(message);
	return !closed;
}

int holon_lane_queue(struct holon_lane *lane, struct holon_message *message)
{
	if (!lane_append(lane, message))
		return -EHOSTDOWN;
	/* Refused when it has been closed since. */
	queue_work(lane->wq, &lane->send_work);
	return 0;
}

int holon_lane_write(struct holon_lane *lane, const void *data, size_t len)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = { .iov_base = (void *)data, .iov_len = len };
	int sent;

	sent = kernel_sendmsg(lane->sock, &msg, &vec, 1, len);
	if (sent < 0)
		return sent;
	return sent == len ? 0 : -EPIPE;
}

static size_t message_size(const struct holon_message *message)
{
	return sizeof(message->frame) + le32_to_cpu(message->frame.length);
}

/* Bytes left the queue: free the messages that are complete with them. */
static void lane_sent(struct holon_lane *lane, size_t sent)
{
	struct holon_message *message, *next;

	holon_net_add(HOLON_TRANSPORT_BYTES_OUT, sent);
	sent += lane->sent;
	list_for_each_entry_safe(message, next, &lane->sending, link) {
		if (sent < message_size(message))
			break;
		sent -= message_size(message);
		list_del(&message->link);
		holon_message_free(message);
		holon_net_count(HOLON_TRANSPORT_FRAMES_OUT);
	}
	lane->sent = sent;
}

/* One sendmsg(). Return: bytes, 0 when there is nothing to do, or an errno. */
static int lane_send_some(struct holon_lane *lane)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct holon_message *message;
	struct kvec vec[LANE_VECS];
	size_t total = 0;
	int n = 0;

	list_for_each_entry(message, &lane->sending, link) {
		size_t skip = n ? 0 : lane->sent;

		if (n == LANE_VECS) {
			msg.msg_flags |= MSG_MORE;
			break;
		}
		vec[n].iov_base = (u8 *)&message->frame + skip;
		vec[n].iov_len = message_size(message) - skip;
		total += vec[n++].iov_len;
	}
	if (!n)
		return 0;
	return kernel_sendmsg(lane->sock, &msg, vec, n, total);
}

/* Send what is queued, up to a budget. */
static void lane_send(struct holon_lane *lane)
{
	unsigned int noreclaim = 0;
	size_t budget = lane->budget;
	int sent;

	lockdep_assert_held(&lane->send_mutex);
	if (!lane->sock)
		return;
	if (lane_reclaim(lane->rank))
		noreclaim = memalloc_noreclaim_save();
	do {
		spin_lock_irq(&lane->lock);
		list_splice_tail_init(&lane->queue, &lane->sending);
		spin_unlock_irq(&lane->lock);

		sent = lane_send_some(lane);
		if (sent > 0) {
			lane_sent(lane, sent);
			budget -= min_t(size_t, budget, sent);
		}
	} while (sent > 0 && budget);
	if (lane_reclaim(lane->rank))
		memalloc_noreclaim_restore(noreclaim);

	if (sent > 0)
		queue_work(lane->wq, &lane->send_work);
	else if (sent == -EINTR)
		/* A caller with a signal, while TLS sends what it had left. */
		queue_work(lane->wq, &lane->send_work);
	else if (sent == -ENOMEM || sent == -ENOBUFS ||
		 /* TLS calls want of memory so; nothing under way will wake us. */
		 (sent == -EAGAIN && tcp_rtx_and_write_queues_empty(lane->sock->sk)))
		mod_delayed_work(holon_net_wq, &lane->receive_work, LANE_RETRY);
	else if (sent < 0 && sent != -EAGAIN && lane->peer)
		holon_peer_fail(lane->peer, "cannot send");
}

static void lane_send_work(struct work_struct *work)
{
	struct holon_lane *lane = container_of(work, struct holon_lane, send_work);

	mutex_lock(&lane->send_mutex);
	lane_send(lane);
	mutex_unlock(&lane->send_mutex);
}

/* Will current soon get a processor again when it loses it? */
static bool current_is_prompt(void)
{
	return rt_or_dl_task(current) ||
	       (current->policy == SCHED_NORMAL && task_nice(current) <= 0);
}

int holon_lane_send(struct holon_lane *lane, struct holon_message *message)
{
	if (!lane_append(lane, message))
		return -EHOSTDOWN;
	if (current_is_prompt() && mutex_trylock(&lane->send_mutex)) {
		lane_send(lane);
		mutex_unlock(&lane->send_mutex);
	} else {
		/* Who sends may have looked at the queue before. */
		queue_work(lane->wq, &lane->send_work);
	}
	return 0;
}

/* --- receiving --------------------------------------------------------------*/

struct lane_read {
	struct holon_lane *lane;
	size_t budget;
	int err;
};

/* Move complete messages from the decoder to the list. 0 or its error. */
static int lane_collect(struct holon_lane *lane)
{
	struct holon_message *message;

	while ((message = holon_decoder_next(&lane->decoder))) {
		if (IS_ERR(message))
			return PTR_ERR(message);
		list_add_tail(&message->link, &lane->received);
		holon_net_count(HOLON_TRANSPORT_FRAMES_IN);
	}
	return 0;
}

static int lane_actor(read_descriptor_t *desc, struct sk_buff *skb, unsigned int offset, size_t len)
{
	struct lane_read *read = desc->arg.data;
	struct holon_lane *lane = read->lane;
	size_t used = 0;

	while (used < len && read->budget) {
		size_t room;
		void *to = holon_decoder_room(&lane->decoder, &room);

		room = min3(room, len - used, read->budget);
		if (skb_copy_bits(skb, offset + used, to, room)) {
			read->err = -EPROTO;
			break;
		}
		lane->decoder.have += room;
		used += room;
		read->budget -= room;
		read->err = lane_collect(lane);
		if (read->err)
			break;
	}
	if (read->err || !read->budget)
		desc->count = 0;
	return used;
}

/**
 * lane_read_frames - read what has arrived, up to a budget
 * @lane: open
 * @more: set when there may be more
 *
 * Return: 0, -ENOMEM, -EPROTO, -EIO when the connection has come to its end.
 */
static int lane_read_frames(struct holon_lane *lane, bool *more)
{
	struct lane_read read = { .lane = lane, .budget = lane->budget };
	read_descriptor_t desc = { .arg.data = &read, .count = 1 };
	struct sock *sk = lane->sock->sk;
	int got;

	*more = false;
	/* A header may have waited for memory. */
	read.err = lane_collect(lane);
	if (read.err)
		return read.err;
	lock_sock(sk);
	got = READ_ONCE(lane->sock->ops)->read_sock(sk, &desc, lane_actor);
	release_sock(sk);
	/* What TLS says to records that are wrong in themselves, and to all else. */
	if (got == -EBADMSG || got == -EINVAL || got == -EMSGSIZE)
		return -EPROTO;
	if (got < 0 && got != -EAGAIN && got != -ENOTCONN)
		return -EIO;
	holon_net_add(HOLON_TRANSPORT_BYTES_IN, lane->budget - read.budget);
	/* Stopped early: by the budget, or by a want of memory that has passed. */
	*more = !desc.count;
	return read.err;
}

/* Hand up what is complete. 0, -ENOMEM (the rest stays), -EPROTO. */
static int lane_deliver(struct holon_lane *lane)
{
	const struct holon_peer_id *peer = holon_peer_id(lane->peer);
	struct holon_message *message, *next;
	int err;

	if (!list_empty(&lane->received))
		holon_net_events->heard(peer);
	list_for_each_entry_safe(message, next, &lane->received, link) {
		list_del_init(&message->link);
		if (lane->rank == HOLON_CONTROL) {
			holon_net_events->control(peer, le16_to_cpu(message->frame.type),
						  message->data,
						  le32_to_cpu(message->frame.length));
			holon_message_free(message);
			continue;
		}
		err = holon_rpc_receive(peer, lane->rank, message);
		if (err == -ENOMEM)
			list_add(&message->link, &lane->received);
		if (err)
			return err;
	}
	return 0;
}

static bool lane_eof(struct holon_lane *lane)
{
	struct sock *sk = lane->sock->sk;

	return READ_ONCE(sk->sk_err) || (READ_ONCE(sk->sk_shutdown) & RCV_SHUTDOWN) ||
	       inet_sk_state_load(sk) == TCP_CLOSE;
}

static void lane_malformed(struct holon_lane *lane)
{
	lane->broken = true;
	holon_net_count(HOLON_TRANSPORT_MALFORMED);
	trace_holon_malformed(holon_peer_id(lane->peer)->node, lane->rank);
	holon_peer_fail(lane->peer, "malformed frame");
}

/* Return: true when there may be more to read at once. */
static bool lane_frames(struct holon_lane *lane)
{
	bool eof = lane_eof(lane), more;
	int err;

	if (lane->broken)
		return false;
	err = lane_deliver(lane);
	if (!err) {
		int read = lane_read_frames(lane, &more);

		/* What precedes a malformed frame is delivered. */
		err = lane_deliver(lane) ?: read;
	}
	if (err == -ENOMEM) {
		mod_delayed_work(holon_net_wq, &lane->receive_work, LANE_RETRY);
		return false;
	}
	if (err == -EPROTO) {
		lane_malformed(lane);
		return false;
	}
	if (err || (!more && eof)) {
		holon_peer_fail(lane->peer, err ? "cannot read" : "connection closed by the peer");
		return false;
	}
	/* An error behind what has just been read: look again. */
	return more || READ_ONCE(lane->sock->sk->sk_err);
}

/* Collect the record of the handshake. Return: 1 complete, 0 not yet, errno. */
static int lane_read_record(struct holon_lane *lane)
{
	struct msghdr msg = { .msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL };
	struct kvec vec = {
		.iov_base = (u8 *)&lane->record + lane->have,
		.iov_len = sizeof(lane->record) - lane->have,
	};
	int got;

	got = kernel_recvmsg(lane->sock, &msg, &vec, 1, vec.iov_len, msg.msg_flags);
	if (got == -EAGAIN)
		return 0;
	if (got <= 0)
		return got ?: -ECONNRESET;
	lane->have += got;
	if (lane->have < sizeof(lane->record))
		return 0;
	lane->have = 0;
	return 1;
}

/* A record has arrived: which one it must be says the state. */
static void lane_record(struct holon_lane *lane)
{
	bool go_on;

	switch (lane->state) {
	case LANE_CALLING:
		go_on = holon_peer_answered(lane->peer, lane);
		break;
	case LANE_PROVING:
		go_on = holon_peer_judged(lane->peer, lane);
		break;
	case LANE_CALLED:
		go_on = holon_peer_called(lane);
		break;
	default:
		go_on = holon_peer_proven(lane);
		break;
	}
	/* It waits to be closed: whatever else comes is not looked at. */
	if (!go_on)
		lane->broken = true;
}

static int lane_set_option(struct holon_lane *lane, int level, int option, void *value, size_t size)
{
	return READ_ONCE(lane->sock->ops)->setsockopt(lane->sock, level, option,
						      KERNEL_SOCKPTR(value), size);
}

static int lane_set_tls(struct holon_lane *lane, int option, const struct holon_traffic_key *key)
{
	struct tls12_crypto_info_aes_gcm_256 info = {
		.info.version = TLS_1_3_VERSION,
		.info.cipher_type = TLS_CIPHER_AES_GCM_256,
	};
	int err;

	memcpy(info.key, key->key, sizeof(info.key));
	memcpy(info.salt, key->salt, sizeof(info.salt));
	memcpy(info.iv, key->iv, sizeof(info.iv));
	err = lane_set_option(lane, SOL_TLS, option, &info, sizeof(info));
	memzero_explicit(&info, sizeof(info));
	return err;
}

int holon_lane_encrypt(struct holon_lane *lane, const struct holon_traffic_key *out,
		       const struct holon_traffic_key *in)
{
	char tls[] = "tls";

	return lane_set_option(lane, SOL_TCP, TCP_ULP, tls, sizeof(tls)) ?:
	       lane_set_tls(lane, TLS_TX, out) ?: lane_set_tls(lane, TLS_RX, in);
}

static void lane_connected(struct holon_lane *lane)
{
	int state = inet_sk_state_load(lane->sock->sk);

	if (state == TCP_SYN_SENT)
		return;
	if (state != TCP_ESTABLISHED && state != TCP_CLOSE_WAIT) {
		holon_peer_fail(lane->peer, "cannot connect");
		return;
	}
	lane->state = LANE_CALLING;
	lane_slow_ack(lane->sock->sk);
	lane->broken = !holon_peer_send_call(lane->peer, lane);
}

static void lane_handshake(struct holon_lane *lane)
{
	int err;

	if (lane->broken)
		return;
	err = lane_read_record(lane);
	if (err > 0)
		lane_record(lane);
	else if (err < 0 && lane->peer)
		holon_peer_fail(lane->peer, "connection lost in the handshake");
	else if (err < 0)
		holon_peer_stranger(lane);
}

static void lane_receive_work(struct work_struct *work)
{
	struct holon_lane *lane = container_of(to_delayed_work(work), struct holon_lane,
					       receive_work);
	enum holon_lane_state before;
	unsigned int noio = memalloc_noio_save();
	bool more = false;

	/* Sending, short of memory, asked to be woken. */
	if (lane->state >= LANE_READY && !list_empty_careful(&lane->sending))
		queue_work(lane->wq, &lane->send_work);
	do {
		before = lane->state;
		switch (lane->state) {
		case LANE_CONNECTING:
			lane_connected(lane);
			break;
		case LANE_CALLING:
		case LANE_PROVING:
		case LANE_CALLED:
		case LANE_ANSWERED:
			lane_handshake(lane);
			break;
		case LANE_READY:
			if (holon_peer_reading(lane->peer))
				lane->state = LANE_OPEN;
			else if (lane_eof(lane))
				holon_peer_fail(lane->peer, "connection closed by the peer");
			break;
		case LANE_OPEN:
			more = lane_frames(lane);
			break;
		}
	} while (lane->state != before);
	if (more)
		queue_delayed_work(holon_net_wq, &lane->receive_work, 0);
	memalloc_noio_restore(noio);
}

void holon_lane_kick(struct holon_lane *lane)
{
	unsigned long flags;

	spin_lock_irqsave(&lane->lock, flags);
	if (!lane->closed)
		queue_delayed_work(holon_net_wq, &lane->receive_work, 0);
	spin_unlock_irqrestore(&lane->lock, flags);
}

/* --- life -------------------------------------------------------------------*/

void holon_lane_set_version(struct holon_lane *lane, u8 version)
{
	lane->version = version;
	lane->decoder.version = version;
}

void holon_lane_set_rank(struct holon_lane *lane, enum holon_rank rank)
{
	struct sock *sk = lane->sock->sk;

	lane->rank = rank;
	if (rank == HOLON_BULK) {
		lane->wq = holon_bulk_wq;
		lane->budget = LANE_BULK_BUDGET;
		sock_set_rcvbuf(sk, LANE_BULK_WINDOW);
	}
	if (lane_reclaim(rank))
		sk_set_memalloc(sk);
	holon_decoder_init(&lane->decoder, lane->version, rank, lane_gfp(rank));
}

struct holon_lane *holon_lane_create(struct socket *sock, enum holon_lane_state state,
				     struct holon_peer *peer, enum holon_rank rank)
{
	struct holon_lane *lane;
	struct sock *sk = sock->sk;

	lane = kzalloc(sizeof(*lane), GFP_KERNEL);
	if (!lane) {
		sock_release(sock);
		return NULL;
	}
	lane->sock = sock;
	lane->peer = peer;
	lane->state = state;
	INIT_DELAYED_WORK(&lane->receive_work, lane_receive_work);
	INIT_WORK(&lane->send_work, lane_send_work);
	spin_lock_init(&lane->lock);
	mutex_init(&lane->send_mutex);
	lane->wq = holon_net_wq;
	lane->budget = LANE_BUDGET;
	INIT_LIST_HEAD(&lane->queue);
	INIT_LIST_HEAD(&lane->sending);
	INIT_LIST_HEAD(&lane->received);
	INIT_LIST_HEAD(&lane->half_open);

	/* An allocation for the wire may not wait for a disk behind the wire. */
	sk->sk_allocation = GFP_NOIO;
	sk->sk_use_task_frag = false;
	tcp_sock_set_nodelay(sk);
	if (state == LANE_CALLED)
		lane_slow_ack(sk);
	tcp_sock_set_user_timeout(sk, holon_net_tcp_timeout());
	if (peer)
		holon_lane_set_rank(lane, rank);
	return lane;
}

void holon_lane_start(struct holon_lane *lane)
{
	struct sock *sk = lane->sock->sk;

	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = lane;
	sk->sk_data_ready = lane_data_ready;
	sk->sk_state_change = lane_data_ready;
	/* TLS reports a record that is none so. */
	sk->sk_error_report = lane_data_ready;
	sk->sk_write_space = lane_write_space;
	write_unlock_bh(&sk->sk_callback_lock);
}

static void lane_free_messages(struct list_head *list)
{
	struct holon_message *message, *next;

	list_for_each_entry_safe(message, next, list, link) {
		list_del(&message->link);
		holon_message_free(message);
	}
}

/* The works are stopped: deliver what came in before the end. */
static void lane_drain(struct holon_lane *lane)
{
	bool more = true;

	while (more && !lane->broken) {
		int err = lane_read_frames(lane, &more);

		if (lane_deliver(lane) || err)
			break;
	}
}

void holon_lane_close(struct holon_lane *lane)
{
	struct sock *sk;
	bool closed;

	spin_lock_irq(&lane->lock);
	closed = lane->closed;
	lane->closed = true;
	spin_unlock_irq(&lane->lock);
	if (closed)
		return;

	sk = lane->sock->sk;
	write_lock_bh(&sk->sk_callback_lock);
	sk->sk_user_data = NULL;
	write_unlock_bh(&sk->sk_callback_lock);
	/* Each may queue the other. */
	disable_work_sync(&lane->send_work);
	disable_delayed_work_sync(&lane->receive_work);

	if (lane->state == LANE_OPEN)
		lane_drain(lane);
	mutex_lock(&lane->send_mutex);
	kernel_sock_shutdown(lane->sock, SHUT_RDWR);
	if (sock_flag(sk, SOCK_MEMALLOC))
		sk_clear_memalloc(sk);
	sock_release(lane->sock);
	lane->sock = NULL;
	lane_free_messages(&lane->queue);
	lane_free_messages(&lane->sending);
	mutex_unlock(&lane->send_mutex);
	holon_decoder_reset(&lane->decoder);
	lane_free_messages(&lane->received);
	kfree_sensitive(lane->auth);
	lane->auth = NULL;
}

void holon_lane_free(struct holon_lane *lane)
{
	if (lane)
		kfree_rcu(lane, rcu);
}
