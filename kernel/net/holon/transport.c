// SPDX-License-Identifier: GPL-2.0-only
/*
 * The transport as a whole: boot parameters, start and stop, counters.
 *
 *	holon.addr=A[/PREFIX]	this node's address; the prefix is for user space
 *	holon.if=NAME		interface for the multicast hello
 *	holon.port=N		TCP and UDP port
 *	holon.peers=A[:P],...	addresses that get the hello directly
 *	holon.insecure=1	do not encrypt; nodes are authenticated all the same
 *	holon.tcp_timeout=MS	unacknowledged data for that long: the peer is lost
 *
 * All are settings: written at run time as well, until the node has an id.
 *
 * Files: frame.c (messages, decoder), key.c (cluster keys), handshake.c
 * (records), auth.c (their proofs), lane.c (one connection), peer.c (a node's
 * lanes, up and down), listen.c (accept), hello.c (finding each other),
 * loopback.c (this node itself).
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/atomic.h>
#include <linux/holon_setting.h>
#include <linux/inet.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>

#include "net.h"
#include "peer.h"

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

/* Not assigned by IANA. */
#define HOLON_PORT	29477

static char addr[32];
holon_setting_string(addr, addr);
MODULE_PARM_DESC(addr, "address of this node, with or without /prefix");

static char interface[IFNAMSIZ];
holon_setting_string(if, interface);
MODULE_PARM_DESC(if, "interface of the multicast hello");

static ushort port = HOLON_PORT;
module_param_cb(port, &holon_setting_ushort_ops, &port, 0644);
MODULE_PARM_DESC(port, "TCP and UDP port");

/* An address and a port for each node that there can be. */
static char peer_list[255 * sizeof("255.255.255.255:65535")];
holon_setting_string(peers, peer_list);
MODULE_PARM_DESC(peers, "addresses of other nodes, comma-separated");

static bool insecure;
module_param_cb(insecure, &holon_setting_bool_ops, &insecure, 0644);
MODULE_PARM_DESC(insecure, "do not encrypt what nodes say to each other");

static uint tcp_timeout = 30000;
module_param_cb(tcp_timeout, &holon_setting_uint_ops, &tcp_timeout, 0644);
MODULE_PARM_DESC(tcp_timeout, "ms that sent data may wait for the peer until it counts as lost");

const struct holon_transport_events *holon_net_events;
struct workqueue_struct *holon_net_wq;
struct workqueue_struct *holon_bulk_wq;	/* sends what gives way to all else */
atomic64_t holon_net_counters[HOLON_TRANSPORT_COUNTERS];
static struct sockaddr_in self_address;
static DEFINE_MUTEX(start_mutex);

__be32 holon_net_address(void)
{
	return self_address.sin_addr.s_addr;
}

u16 holon_net_port(void)
{
	return port;
}

const char *holon_net_interface(void)
{
	return interface;
}

const char *holon_net_peers(void)
{
	return peer_list;
}

unsigned int holon_net_tcp_timeout(void)
{
	return tcp_timeout;
}

bool holon_net_encrypts(void)
{
	return !insecure;
}

int holon_net_parse_address(const char *text, struct sockaddr_in *address, const char **end)
{
	unsigned int number = port;
	int used = 0;

	if (!in4_pton(text, -1, (u8 *)&address->sin_addr, -1, end))
		return -EINVAL;
	if (**end == ':') {
		if (sscanf(*end, ":%u%n", &number, &used) != 1 || !number || number > U16_MAX)
			return -EINVAL;
		*end += used;
	}
	address->sin_family = AF_INET;
	address->sin_port = htons(number);
	return 0;
}

/* Wrong parameters are refused when they can still be read on the console. */
static int check_parameters(void)
{
	struct sockaddr_in ignored;
	const char *at;

	memset(&self_address, 0, sizeof(self_address));
	if (addr[0]) {
		if (!in4_pton(addr, -1, (u8 *)&self_address.sin_addr, '/', &at)) {
			pr_err("holon.addr=%s is not an IPv4 address\n", addr);
			return -EINVAL;
		}
	}
	at = peer_list;
	while (*at) {
		if (holon_net_parse_address(at, &ignored, &at) || (*at && *at != ',')) {
			pr_err("holon.peers=%s: not a list of IPv4 addresses\n", peer_list);
			return -EINVAL;
		}
		if (*at)
			at++;
	}
	return 0;
}

int holon_transport_start(const struct holon_transport_events *events)
{
	u8 ids[HOLON_KEYS_MAX * HOLON_KEY_ID_SIZE];
	int err;

	if (!holon_transport_key_ids(ids))
		return -ENOKEY;
	mutex_lock(&start_mutex);
	err = -EBUSY;
	if (holon_net_events)
		goto unlock;
	err = check_parameters();
	if (err)
		goto unlock;
	if (insecure)
		pr_warn("holon.insecure=1: nothing is encrypted; whoever is on the wire reads and changes what nodes say\n");
	holon_net_events = events;
	err = holon_listen_start();
	if (err)
		goto clear_events;
	err = holon_hello_start();
	if (err)
		goto stop_listen;
	goto unlock;

stop_listen:
	holon_listen_stop();
	holon_peers_stop();
clear_events:
	holon_net_events = NULL;
unlock:
	mutex_unlock(&start_mutex);
	return err;
}

void holon_transport_stop(void)
{
	mutex_lock(&start_mutex);
	if (holon_net_events) {
		holon_hello_stop();
		holon_listen_stop();
		holon_peers_stop();
		holon_loopback_stop();
		holon_net_events = NULL;
	}
	mutex_unlock(&start_mutex);
}

u64 holon_transport_counter(enum holon_transport_counter counter)
{
	return atomic64_read(&holon_net_counters[counter]);
}

const char *holon_transport_counter_name(enum holon_transport_counter counter)
{
	static const char * const names[HOLON_TRANSPORT_COUNTERS] = {
		[HOLON_TRANSPORT_CONNECTIONS]	= "connections",
		[HOLON_TRANSPORT_PEERS_UP]	= "peers-up",
		[HOLON_TRANSPORT_PEERS_DOWN]	= "peers-down",
		[HOLON_TRANSPORT_FRAMES_IN]	= "frames-in",
		[HOLON_TRANSPORT_FRAMES_OUT]	= "frames-out",
		[HOLON_TRANSPORT_BYTES_IN]	= "bytes-in",
		[HOLON_TRANSPORT_BYTES_OUT]	= "bytes-out",
		[HOLON_TRANSPORT_MALFORMED]	= "malformed",
		[HOLON_TRANSPORT_STRANGERS]	= "strangers",
		[HOLON_TRANSPORT_REFUSED]	= "refused",
		[HOLON_TRANSPORT_HELLOS]	= "hellos",
		[HOLON_TRANSPORT_HELLOS_BAD]	= "hellos-bad",
		[HOLON_TRANSPORT_UNPROVEN]	= "unproven",
	};

	return counter < HOLON_TRANSPORT_COUNTERS ? names[counter] : NULL;
}

static int __init holon_net_init(void)
{
	holon_net_wq = alloc_workqueue("holon_net", WQ_MEM_RECLAIM | WQ_HIGHPRI, 0);
	holon_bulk_wq = alloc_workqueue("holon_net_bulk", WQ_MEM_RECLAIM, 0);
	return holon_net_wq && holon_bulk_wq ? 0 : -ENOMEM;
}
subsys_initcall(holon_net_init);
