// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accepting connections, and those that have not named themselves yet.
 *
 * Connections come from a privileged port of another machine, so that a program
 * on a node is nobody here, and otherwise from anybody on the wire. Until the
 * caller has proven to be an admitted node, a connection is half open: its number
 * is limited, in all and by source address, and so is its time. Where there is no
 * room, the oldest one that has shown no key makes it, so that those who have one
 * are not kept out by those who do not. What does not come that far is
 * counted and closed, and nothing else happens.
 *
 * Locks: half_open_mutex protects the list; a connection leaves it either to
 * its peer (holon_half_open_take()) or to be closed, never both. The sweep
 * closes, because the receive work of a connection cannot close it itself.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/sched/mm.h>
#include <linux/slab.h>
#include <net/ip.h>
#include <net/route.h>
#include <net/net_namespace.h>
#include <net/sock.h>
#include <linux/tcp.h>

#include "lane.h"
#include "net.h"
#include "peer.h"

#define HALF_OPEN_MAX		128	/* in all */
#define HALF_OPEN_PER_SOURCE	16	/* a peer needs HOLON_RANKS at a time */
#define CALL_TIME		(5 * HZ)	/* for the first record */
#define SWEEP_PERIOD		HZ
#define ACCEPTS			32	/* in one run of the work */

static DEFINE_MUTEX(half_open_mutex);
static LIST_HEAD(half_open);
static unsigned int half_open_count;	/* Lock: half_open_mutex */
static struct socket *listener;

static void sweep_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(sweep_work, sweep_work_fn);

/* Close what is dead or late; everything with @all. */
static void half_open_sweep(bool all)
{
	struct holon_lane *lane, *next;
	LIST_HEAD(doomed);
	bool again;

	mutex_lock(&half_open_mutex);
	list_for_each_entry_safe(lane, next, &half_open, half_open) {
		unsigned long time = READ_ONCE(lane->proven) ? HOLON_HANDSHAKE_TIME : CALL_TIME;
		bool late = time_after(jiffies, lane->accepted + time);

		if (!all && !late && !READ_ONCE(lane->dead))
			continue;
		if (late && !lane->dead)
			holon_net_count(HOLON_TRANSPORT_STRANGERS);
		list_move(&lane->half_open, &doomed);
		half_open_count--;
	}
	again = half_open_count;
	mutex_unlock(&half_open_mutex);

	list_for_each_entry_safe(lane, next, &doomed, half_open) {
		holon_lane_close(lane);
		/*
		 * Its receive work may have become the peer's while we decided:
		 * holon_half_open_take() has told it no, so it is still ours.
		 */
		list_del_init(&lane->half_open);
		holon_lane_free(lane);
	}
	if (again && !all)
		queue_delayed_work(holon_net_wq, &sweep_work, SWEEP_PERIOD);
}

static void sweep_work_fn(struct work_struct *work)
{
	half_open_sweep(false);
}

bool holon_half_open_take(struct holon_lane *lane)
{
	struct holon_lane *at;
	bool found = false;

	mutex_lock(&half_open_mutex);
	list_for_each_entry(at, &half_open, half_open) {
		if (at != lane)
			continue;
		list_del_init(&lane->half_open);
		half_open_count--;
		found = true;
		break;
	}
	mutex_unlock(&half_open_mutex);
	return found;
}

void holon_half_open_discard(struct holon_lane *lane)
{
	WRITE_ONCE(lane->dead, true);
	mod_delayed_work(holon_net_wq, &sweep_work, 0);
}

void holon_peer_stranger(struct holon_lane *lane)
{
	if (lane->dead)
		return;
	holon_net_count(HOLON_TRANSPORT_STRANGERS);
	holon_half_open_discard(lane);
}

/* Let the oldest without a key go, of all or of one address. Was there one? */
static bool half_open_evict(__be32 source, bool all)
{
	struct holon_lane *at;

	lockdep_assert_held(&half_open_mutex);
	list_for_each_entry(at, &half_open, half_open) {
		if (at->dead || READ_ONCE(at->proven) || (!all && at->source != source))
			continue;
		holon_net_count(HOLON_TRANSPORT_STRANGERS);
		holon_half_open_discard(at);
		return true;
	}
	return false;
}

/* Is there, or can be made, room for one more of that address? Then take it. */
static bool half_open_add(struct holon_lane *lane)
{
	unsigned int same = 0, count = 0;
	struct holon_lane *at;
	bool room;

	mutex_lock(&half_open_mutex);
	list_for_each_entry(at, &half_open, half_open) {
		/* Those that are dead are gone in a moment; but they do use memory. */
		count += !at->dead;
		same += !at->dead && at->source == lane->source;
	}
	room = half_open_count < 2 * HALF_OPEN_MAX &&
	       (same < HALF_OPEN_PER_SOURCE || half_open_evict(lane->source, false)) &&
	       (count < HALF_OPEN_MAX || half_open_evict(0, true));
	if (room) {
		list_add_tail(&lane->half_open, &half_open);
		half_open_count++;
	}
	mutex_unlock(&half_open_mutex);
	return room;
}

/* Does it come from where the connections of nodes come from? */
static bool from_a_node(const struct sock *sk)
{
	return ntohs(inet_sk(sk)->inet_dport) < PROT_SOCK &&
	       inet_addr_type(&init_net, inet_sk(sk)->inet_daddr) == RTN_UNICAST;
}

static void accept_one(struct socket *sock)
{
	struct holon_lane *lane;

	if (!from_a_node(sock->sk)) {
		holon_net_count(HOLON_TRANSPORT_STRANGERS);
		sock_release(sock);
		return;
	}
	lane = holon_lane_create(sock, LANE_CALLED, NULL, HOLON_CONTROL);
	if (!lane)
		return;
	lane->source = inet_sk(sock->sk)->inet_daddr;
	lane->accepted = jiffies;
	if (!half_open_add(lane)) {
		holon_net_count(HOLON_TRANSPORT_STRANGERS);
		holon_lane_close(lane);
		holon_lane_free(lane);
		return;
	}
	holon_lane_start(lane);
	holon_lane_kick(lane);
	queue_delayed_work(holon_net_wq, &sweep_work, SWEEP_PERIOD);
}

static void accept_work_fn(struct work_struct *work)
{
	unsigned int noio = memalloc_noio_save();
	struct socket *sock;
	int i;

	for (i = 0; i < ACCEPTS && !kernel_accept(listener, &sock, O_NONBLOCK); i++)
		accept_one(sock);
	if (i == ACCEPTS)
		queue_work(holon_net_wq, work);
	memalloc_noio_restore(noio);
}

static DECLARE_WORK(accept_work, accept_work_fn);

static void listener_data_ready(struct sock *sk)
{
	/* Children inherit this until they are accepted. */
	if (sk->sk_state == TCP_LISTEN)
		queue_work(holon_net_wq, &accept_work);
}

int holon_listen_start(void)
{
	struct sockaddr_in local = {
		.sin_family = AF_INET,
		.sin_port = htons(holon_net_port()),
		.sin_addr.s_addr = holon_net_address(),
	};
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_STREAM, IPPROTO_TCP, &listener);
	if (err)
		return err;
	sock_set_reuseaddr(listener->sk);
	/* The address may be configured after us. */
	ip_sock_set_freebind(listener->sk);
	err = kernel_bind(listener, (struct sockaddr *)&local, sizeof(local));
	if (err)
		goto release;
	write_lock_bh(&listener->sk->sk_callback_lock);
	listener->sk->sk_data_ready = listener_data_ready;
	write_unlock_bh(&listener->sk->sk_callback_lock);
	err = kernel_listen(listener, HALF_OPEN_MAX);
	if (err)
		goto release;
	return 0;
release:
	sock_release(listener);
	listener = NULL;
	return err;
}

void holon_listen_stop(void)
{
	kernel_sock_shutdown(listener, SHUT_RDWR);
	cancel_work_sync(&accept_work);
	sock_release(listener);
	cancel_work_sync(&accept_work);
	listener = NULL;
	cancel_delayed_work_sync(&sweep_work);
	half_open_sweep(true);
	cancel_delayed_work_sync(&sweep_work);
}
