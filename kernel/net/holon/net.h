/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the transport share: configuration, work queue, counters. */
#ifndef _NET_HOLON_NET_H
#define _NET_HOLON_NET_H

#include <linux/atomic.h>
#include <linux/holon_rpc_stats.h>
#include <linux/holon_transport.h>
#include <linux/in.h>
#include <linux/jiffies.h>
#include <linux/net.h>

struct workqueue_struct;

/* A handshake that takes longer has failed. */
#define HOLON_HANDSHAKE_TIME	(20 * HZ)

/* Upcalls; set while the transport runs. */
extern const struct holon_transport_events *holon_net_events;

/* All works of the transport: receive, send, accept, teardown, hello. */
extern struct workqueue_struct *holon_net_wq;
extern struct workqueue_struct *holon_bulk_wq;

/* Boot parameters, see transport.c. */
__be32 holon_net_address(void);
u16 holon_net_port(void);
const char *holon_net_interface(void);
const char *holon_net_peers(void);
unsigned int holon_net_tcp_timeout(void);
bool holon_net_encrypts(void);

/* The cluster name of our hello. */
const char *holon_net_cluster(void);

/* Parse "a.b.c.d[:port]"; @end is set behind it. 0 or -EINVAL. */
int holon_net_parse_address(const char *text, struct sockaddr_in *address, const char **end);

/* Counters by enum holon_transport_counter. */
extern atomic64_t holon_net_counters[HOLON_TRANSPORT_COUNTERS];

static inline void holon_net_count(enum holon_transport_counter counter)
{
	atomic64_inc(&holon_net_counters[counter]);
}

static inline void holon_net_add(enum holon_transport_counter counter, s64 value)
{
	atomic64_add(value, &holon_net_counters[counter]);
}

/* hello.c */
int holon_hello_start(void);
void holon_hello_stop(void);
void holon_hello_set(const struct holon_hello *hello);

/* listen.c */
int holon_listen_start(void);
void holon_listen_stop(void);

/* loopback.c: messages of this node to itself, one ordered lane per rank. */
void holon_loopback_queue(struct holon_message *message);
void holon_loopback_stop(void);

#endif /* _NET_HOLON_NET_H */
