/* SPDX-License-Identifier: GPL-2.0-only */
/* Counters of the RPC layer and the transport, for netlink and debugfs. */
#ifndef _LINUX_HOLON_RPC_STATS_H
#define _LINUX_HOLON_RPC_STATS_H

#include <linux/types.h>

/*
 * Latency histograms: bucket i counts calls of [2^i, 2^(i+1)) microseconds,
 * bucket 0 also what was faster, the last one all that was slower.
 */
#define HOLON_RPC_BUCKETS	24

/**
 * enum holon_rpc_counter - per type
 * @HOLON_RPC_CALLS: calls begun here
 * @HOLON_RPC_REPLIES: ended by a reply of status >= 0
 * @HOLON_RPC_ERRORS: ended by a reply with an errno
 * @HOLON_RPC_HOSTDOWN: ended because the peer is not, or no longer, a member
 * @HOLON_RPC_REFUSED: ended before anything was sent (no memory, too long,
 *	killed while waiting for credit)
 * @HOLON_RPC_CANCELS: cancels sent; each of these calls also ends as above
 * @HOLON_RPC_ORPHANED: callers killed; each of these calls also ends as above
 * @HOLON_RPC_SENT: one-way messages sent from here
 * @HOLON_RPC_HANDLED: requests and one-way messages handled here
 * @HOLON_RPC_CANCELLED: cancels received here for calls being handled
 * @HOLON_RPC_CREDIT_WAITS: callers that had to wait for credit
 * @HOLON_RPC_BYTES_OUT: payload of requests and one-way messages sent
 * @HOLON_RPC_BYTES_IN: payload of requests and one-way messages received
 * @HOLON_RPC_COUNTERS: their number
 *
 * Once no call is under way: CALLS = REPLIES + ERRORS + HOSTDOWN + REFUSED.
 */
enum holon_rpc_counter {
	HOLON_RPC_CALLS,
	HOLON_RPC_REPLIES,
	HOLON_RPC_ERRORS,
	HOLON_RPC_HOSTDOWN,
	HOLON_RPC_REFUSED,
	HOLON_RPC_CANCELS,
	HOLON_RPC_ORPHANED,
	HOLON_RPC_SENT,
	HOLON_RPC_HANDLED,
	HOLON_RPC_CANCELLED,
	HOLON_RPC_CREDIT_WAITS,
	HOLON_RPC_BYTES_OUT,
	HOLON_RPC_BYTES_IN,
	HOLON_RPC_COUNTERS
};

/**
 * struct holon_rpc_type_stats - what is known about one type
 * @name: of the type
 * @id: stable number
 * @rank: enum holon_rank
 * @counter: by enum holon_rpc_counter
 * @latency: of calls that ended by a reply, from the call to its end
 */
struct holon_rpc_type_stats {
	const char *name;
	u16 id;
	u8 rank;
	u64 counter[HOLON_RPC_COUNTERS];
	u64 latency[HOLON_RPC_BUCKETS];
};

/**
 * holon_rpc_stats_next - the counters of a type
 * @id: the first id to look at, 0 to begin; afterwards last @stats->id + 1
 * @stats: filled in
 *
 * Context: any that may sleep. Return: false when there is no further type.
 */
bool holon_rpc_stats_next(unsigned int id, struct holon_rpc_type_stats *stats);

/* "calls", "replies", ... */
const char *holon_rpc_counter_name(enum holon_rpc_counter counter);

/**
 * enum holon_rpc_gauge - state of the whole layer
 * @HOLON_RPC_CALLS_OPEN: call records that wait for their end
 * @HOLON_RPC_REQUESTS_OPEN: requests of others being handled or deferred
 * @HOLON_RPC_STRAY: messages dropped because their sender's incarnation is not
 *	in the view
 * @HOLON_RPC_EARLY: messages that waited for a view their sender had already
 * @HOLON_RPC_GAUGES: their number
 */
enum holon_rpc_gauge {
	HOLON_RPC_CALLS_OPEN,
	HOLON_RPC_REQUESTS_OPEN,
	HOLON_RPC_STRAY,
	HOLON_RPC_EARLY,
	HOLON_RPC_GAUGES
};

u64 holon_rpc_gauge(enum holon_rpc_gauge gauge);
const char *holon_rpc_gauge_name(enum holon_rpc_gauge gauge);

/**
 * enum holon_transport_counter - of this node's transport since boot
 * @HOLON_TRANSPORT_CONNECTIONS: lanes that passed the handshake
 * @HOLON_TRANSPORT_PEERS_UP: peers of which all lanes did
 * @HOLON_TRANSPORT_PEERS_DOWN: peers lost or given up
 * @HOLON_TRANSPORT_FRAMES_IN: complete frames received
 * @HOLON_TRANSPORT_FRAMES_OUT: frames sent
 * @HOLON_TRANSPORT_BYTES_IN: with headers
 * @HOLON_TRANSPORT_BYTES_OUT: with headers
 * @HOLON_TRANSPORT_MALFORMED: frames that cost a peer its connection
 * @HOLON_TRANSPORT_STRANGERS: connections closed before they named a node that
 *	may connect: garbage, silence, too many at once
 * @HOLON_TRANSPORT_REFUSED: well-formed handshakes that were refused
 * @HOLON_TRANSPORT_HELLOS: hellos of this cluster heard
 * @HOLON_TRANSPORT_UNPROVEN: handshakes and hellos without a valid proof
 * @HOLON_TRANSPORT_HELLOS_BAD: datagrams that were none, or of another cluster
 * @HOLON_TRANSPORT_COUNTERS: their number
 */
enum holon_transport_counter {
	HOLON_TRANSPORT_CONNECTIONS,
	HOLON_TRANSPORT_PEERS_UP,
	HOLON_TRANSPORT_PEERS_DOWN,
	HOLON_TRANSPORT_FRAMES_IN,
	HOLON_TRANSPORT_FRAMES_OUT,
	HOLON_TRANSPORT_BYTES_IN,
	HOLON_TRANSPORT_BYTES_OUT,
	HOLON_TRANSPORT_MALFORMED,
	HOLON_TRANSPORT_STRANGERS,
	HOLON_TRANSPORT_REFUSED,
	HOLON_TRANSPORT_HELLOS,
	HOLON_TRANSPORT_HELLOS_BAD,
	HOLON_TRANSPORT_UNPROVEN,
	HOLON_TRANSPORT_COUNTERS
};

u64 holon_transport_counter(enum holon_transport_counter counter);
const char *holon_transport_counter_name(enum holon_transport_counter counter);

#endif /* _LINUX_HOLON_RPC_STATS_H */
