// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hello: how nodes find each other.
 *
 * A datagram that says who we are, sent to an organisation-local multicast
 * group on the chosen interface and to each address of holon.peers=: every
 * second until this node is a member, every few seconds afterwards, and at once
 * when what it says changes. It carries a MAC made with the cluster key, our
 * address, and a number that grows, so that nobody can say anything for another
 * node. Who replays one says what was true once, and is not listened to while
 * that node says something newer; it is a hint, on which connections are made,
 * and no member is ever put out because of one. An address gets so many
 * a second looked at.
 *
 * One socket receives (bound to the port on all addresses, as multicast needs),
 * one sends (bound to our address). The interface may come up after us: joining
 * the group is tried again with each hello until it succeeds.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <crypto/algapi.h>
#include <linux/build_bug.h>
#include <linux/hash.h>
#include <linux/holon_view.h>
#include <linux/inetdevice.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include <net/ip.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "handshake.h"
#include "key.h"
#include "net.h"
#include "peer.h"

#define HELLO_MAGIC	0x494c4f48U	/* "HOLI" */
#define HELLO_GROUP	0xefff484fU	/* 239.255.72.79 */
#define HELLO_PERIOD	HZ
#define HELLO_PERIOD_MEMBER	(5 * HZ)

/* A later version may append to it: longer datagrams are legal. The MAC covers what precedes it. */
struct holon_hello_wire {
	__le32 magic;
	__le16 protocol_min;
	__le16 protocol_max;
	struct holon_wire_ident ident;
	u8 cluster_uuid[UUID_SIZE];
	char cluster[HOLON_CLUSTER_NAME_MAX];
	__le64 epoch;
	__le16 port;
	u8 expect;
	u8 state;
	__be32 address;			/* 0: from where it comes */
	__le64 number;			/* grows during a life */
	u8 key_id[HOLON_KEY_ID_SIZE];
	u8 proof[HOLON_MAC_SIZE];
};

static_assert(sizeof(struct holon_hello_wire) == 152);

static struct socket *receiver, *sender;
static bool joined;		/* owned by hello_work */
static DEFINE_SPINLOCK(hello_lock);
static struct holon_hello hello;	/* Lock: hello_lock */
static bool hello_known;		/* Lock: hello_lock */
static char cluster_name[HOLON_CLUSTER_NAME_MAX];

#define HELLOS			64	/* in one run of the work */
#define HELLOS_PER_SECOND	32	/* of one address */
#define LIFE_TIME		(60 * HZ)	/* an older life is ignored so long */

/* The last hello of each id; owned by hello_receive_work. */
static struct {
	u64 incarnation;
	u64 number;
	unsigned long when;
} heard_last[HOLON_NODE_IDS];

/* Hellos of this second by a hash of their address; owned by hello_receive_work. */
static struct {
	unsigned long since;
	unsigned int count;
} sources[256];

static void hello_work_fn(struct work_struct *work);
static DECLARE_DELAYED_WORK(hello_work, hello_work_fn);

const char *holon_net_cluster(void)
{
	return cluster_name;
}

/* --- sending ----------------------------------------------------------------*/

/* The interface to say hello on, or 0 while there is none. */
static int hello_interface(void)
{
	const char *name = holon_net_interface();
	__be32 address = holon_net_address();
	struct net_device *dev;
	int index = 0;

	rcu_read_lock();
	if (*name) {
		dev = dev_get_by_name_rcu(&init_net, name);
	} else if (address) {
		dev = __ip_dev_find(&init_net, address, false);
	} else {
		for_each_netdev_rcu(&init_net, dev) {
			if ((dev->flags & (IFF_UP | IFF_LOOPBACK | IFF_MULTICAST)) ==
			    (IFF_UP | IFF_MULTICAST))
				break;
		}
		if (dev && &dev->dev_list == &init_net.dev_base_head)
			dev = NULL;
	}
	if (dev && dev->flags & IFF_UP)
		index = dev->ifindex;
	rcu_read_unlock();
	return index;
}

static int hello_set_option(struct socket *sock, int option, int index)
{
	struct ip_mreqn request = {
		.imr_multiaddr.s_addr = htonl(HELLO_GROUP),
		.imr_ifindex = index,
	};

	return sock->ops->setsockopt(sock, SOL_IP, option, KERNEL_SOCKPTR(&request),
				     sizeof(request));
}

static void hello_join(void)
{
	int index = hello_interface();
	int err;

	if (!index)
		return;
	err = hello_set_option(receiver, IP_ADD_MEMBERSHIP, index);
	if (err && err != -EADDRINUSE)
		return;
	joined = !hello_set_option(sender, IP_MULTICAST_IF, index);
}

static void hello_send_to(const struct holon_hello_wire *wire, const struct sockaddr_in *to)
{
	struct msghdr msg = {
		.msg_name = (void *)to,
		.msg_namelen = sizeof(*to),
		.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
	};
	struct kvec vec = { .iov_base = (void *)wire, .iov_len = sizeof(*wire) };

	/* A hello that cannot be sent now is said again in a moment. */
	kernel_sendmsg(sender, &msg, &vec, 1, sizeof(*wire));
}

static void hello_send(const struct holon_hello_wire *wire)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET,
		.sin_port = htons(holon_net_port()),
		.sin_addr.s_addr = htonl(HELLO_GROUP),
	};
	const char *peers = holon_net_peers();

	if (!joined)
		hello_join();
	if (joined)
		hello_send_to(wire, &to);
	while (peers && *peers) {
		if (holon_net_parse_address(peers, &to, &peers))
			break;
		if (*peers == ',')
			peers++;
		hello_send_to(wire, &to);
	}
}

static int hello_mac(const struct holon_hello_wire *wire, const struct holon_key *key, u8 *mac)
{
	const struct holon_mac_part part = { wire, offsetof(struct holon_hello_wire, proof) };

	return holon_mac(key->hello, &part, 1, mac);
}

static int hello_sign(struct holon_hello_wire *wire)
{
	static u64 number;	/* owned by hello_work */
	struct holon_key key;
	int err;

	err = holon_key_get(&key, NULL);
	if (err)
		return err;
	wire->number = cpu_to_le64(++number);
	memcpy(wire->key_id, key.id, sizeof(wire->key_id));
	err = hello_mac(wire, &key, wire->proof);
	memzero_explicit(&key, sizeof(key));
	return err;
}

static void hello_work_fn(struct work_struct *work)
{
	struct holon_hello_wire wire = { .magic = cpu_to_le32(HELLO_MAGIC) };
	unsigned long period = HELLO_PERIOD;
	bool known;

	spin_lock(&hello_lock);
	known = hello_known;
	wire.protocol_min = cpu_to_le16(hello.protocol_min);
	wire.protocol_max = cpu_to_le16(hello.protocol_max);
	holon_wire_ident_put(&wire.ident, &hello.ident);
	export_uuid(wire.cluster_uuid, &hello.cluster_uuid);
	strscpy_pad(wire.cluster, hello.cluster);
	wire.epoch = cpu_to_le64(hello.epoch);
	wire.port = cpu_to_le16(hello.port ?: holon_net_port());
	wire.expect = hello.expect;
	wire.state = hello.state;
	if (hello.state == HOLON_NODE_MEMBER)
		period = HELLO_PERIOD_MEMBER;
	spin_unlock(&hello_lock);

	wire.address = holon_net_address();
	if (known && !hello_sign(&wire))
		hello_send(&wire);
	queue_delayed_work(holon_net_wq, &hello_work, period);
}

void holon_hello_set(const struct holon_hello *new)
{
	spin_lock(&hello_lock);
	hello = *new;
	hello_known = true;
	if (!cluster_name[0])
		strscpy(cluster_name, new->cluster);
	spin_unlock(&hello_lock);
}

void holon_transport_hello(const struct holon_hello *new)
{
	holon_hello_set(new);
	if (holon_net_events)
		mod_delayed_work(holon_net_wq, &hello_work, 0);
}

/* --- receiving --------------------------------------------------------------*/

/* Is it from a node with a key, and newer than the last one? */
static int hello_prove(const struct holon_hello_wire *wire, const struct holon_hello *heard)
{
	u64 number = le64_to_cpu(wire->number);
	u8 id = heard->ident.id;
	u8 mac[HOLON_MAC_SIZE];
	struct holon_key key;
	int err;

	err = holon_key_get(&key, wire->key_id) ?: hello_mac(wire, &key, mac);
	memzero_explicit(&key, sizeof(key));
	if (err)
		return err;
	if (crypto_memneq(mac, wire->proof, sizeof(mac)))
		return -EKEYREJECTED;
	if (heard_last[id].incarnation == heard->ident.incarnation &&
	    heard_last[id].number >= number)
		return -EALREADY;
	/* Clocks that were set back give lives that only look older: not for ever. */
	if (heard_last[id].incarnation > heard->ident.incarnation &&
	    time_before(jiffies, heard_last[id].when + LIFE_TIME))
		return -EALREADY;
	heard_last[id].incarnation = heard->ident.incarnation;
	heard_last[id].number = number;
	heard_last[id].when = jiffies;
	return 0;
}

static bool hello_too_many(__be32 source)
{
	unsigned int i = hash_32((__force u32)source, 8);

	if (time_after(jiffies, sources[i].since + HZ)) {
		sources[i].since = jiffies;
		sources[i].count = 0;
	}
	return sources[i].count++ >= HELLOS_PER_SECOND;
}

/* 0, -EPROTO for garbage or another cluster, -EALREADY for our own. */
static int hello_decode(struct holon_hello *heard, const struct holon_hello_wire *wire, size_t len)
{
	struct holon_ident self;

	memset(heard, 0, sizeof(*heard));
	if (len < sizeof(*wire) || le32_to_cpu(wire->magic) != HELLO_MAGIC ||
	    holon_wire_ident_get(&heard->ident, &wire->ident) ||
	    strnlen(wire->cluster, sizeof(wire->cluster)) == sizeof(wire->cluster) ||
	    strcmp(wire->cluster, cluster_name) || wire->state > HOLON_NODE_GONE || !wire->port)
		return -EPROTO;
	heard->protocol_min = le16_to_cpu(wire->protocol_min);
	heard->protocol_max = le16_to_cpu(wire->protocol_max);
	import_uuid(&heard->cluster_uuid, wire->cluster_uuid);
	strscpy(heard->cluster, wire->cluster);
	heard->epoch = le64_to_cpu(wire->epoch);
	heard->port = le16_to_cpu(wire->port);
	heard->expect = wire->expect;
	heard->state = wire->state;
	holon_node_ident(&self);
	if (heard->ident.incarnation == self.incarnation && heard->ident.id == self.id)
		return -EALREADY;
	return hello_prove(wire, heard);
}

static void hello_receive_work_fn(struct work_struct *work)
{
	struct sockaddr_storage from = {};
	struct sockaddr_in *in = (struct sockaddr_in *)&from;
	struct holon_hello_wire wire;
	struct holon_hello heard;
	int i, len, err;

	for (i = 0; i < HELLOS; i++) {
		struct msghdr msg = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL,
		};
		struct kvec vec = { .iov_base = &wire, .iov_len = sizeof(wire) };

		len = kernel_recvmsg(receiver, &msg, &vec, 1, sizeof(wire), msg.msg_flags);
		if (len < 0)
			return;
		if (hello_too_many(in->sin_addr.s_addr)) {
			holon_net_count(HOLON_TRANSPORT_HELLOS_BAD);
			continue;
		}
		err = hello_decode(&heard, &wire, len);
		if (err == -EPROTO)
			holon_net_count(HOLON_TRANSPORT_HELLOS_BAD);
		if (err == -ENOKEY || err == -EKEYREJECTED) {
			holon_net_count(HOLON_TRANSPORT_UNPROVEN);
			holon_peer_show_stranger(heard.ident.id, HOLON_WRONG_KEY);
		}
		if (err)
			continue;
		holon_net_count(HOLON_TRANSPORT_HELLOS);
		in->sin_port = htons(heard.port);
		if (wire.address)
			in->sin_addr.s_addr = wire.address;
		holon_net_events->hello(&heard, &from);
	}
	queue_work(holon_net_wq, work);
}

static DECLARE_WORK(hello_receive_work, hello_receive_work_fn);

static void hello_data_ready(struct sock *sk)
{
	queue_work(holon_net_wq, &hello_receive_work);
}

/* --- life -------------------------------------------------------------------*/

static struct socket *hello_socket(__be32 address, u16 port)
{
	struct sockaddr_in local = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = address,
	};
	struct socket *sock;
	int err;

	err = sock_create_kern(&init_net, AF_INET, SOCK_DGRAM, IPPROTO_UDP, &sock);
	if (err)
		return ERR_PTR(err);
	/* No SO_REUSEADDR: with it programs could be bound to the port as well. */
	ip_sock_set_freebind(sock->sk);
	sock->sk->sk_allocation = GFP_NOIO;
	sock->sk->sk_use_task_frag = false;
	err = kernel_bind(sock, (struct sockaddr *)&local, sizeof(local));
	if (err) {
		sock_release(sock);
		return ERR_PTR(err);
	}
	return sock;
}

int holon_hello_start(void)
{
	receiver = hello_socket(htonl(INADDR_ANY), holon_net_port());
	if (IS_ERR(receiver))
		return PTR_ERR(receiver);
	sender = hello_socket(holon_net_address(), 0);
	if (IS_ERR(sender)) {
		sock_release(receiver);
		return PTR_ERR(sender);
	}
	joined = false;
	write_lock_bh(&receiver->sk->sk_callback_lock);
	receiver->sk->sk_data_ready = hello_data_ready;
	write_unlock_bh(&receiver->sk->sk_callback_lock);
	queue_work(holon_net_wq, &hello_receive_work);
	queue_delayed_work(holon_net_wq, &hello_work, 0);
	return 0;
}

void holon_hello_stop(void)
{
	cancel_delayed_work_sync(&hello_work);
	kernel_sock_shutdown(receiver, SHUT_RDWR);
	cancel_work_sync(&hello_receive_work);
	sock_release(receiver);
	cancel_work_sync(&hello_receive_work);
	sock_release(sender);
	receiver = NULL;
	sender = NULL;
	cluster_name[0] = '\0';
	hello_known = false;
}
