/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The first exchange on every connection, before any frame.
 *
 *	connecting node			accepting node
 *	CALL	------------------------>
 *		<-----------------------	ANSWER, or a refusal
 *	PROOF	------------------------>
 *		<-----------------------	VERDICT; frames may follow
 *
 * The records have one fixed length. What they prove is in auth.h. Nothing of
 * a CALL is believed before its proof has been checked, and nothing is done
 * for a caller before its PROOF, which a recorded exchange cannot give. Only a
 * refusal instead of an ANSWER is not proven: it comes from nodes without a key
 * in common, and means no more than that this connection fails.
 */
#ifndef _NET_HOLON_HANDSHAKE_H
#define _NET_HOLON_HANDSHAKE_H

#include <linux/build_bug.h>
#include <linux/holon_transport.h>

#define HOLON_HANDSHAKE_MAGIC	0x48534c48U	/* "HLSH" */
#define HOLON_HANDSHAKE_REASON	96

enum holon_handshake_kind {
	HOLON_HANDSHAKE_CALL	= 1,
	HOLON_HANDSHAKE_ANSWER	= 2,
	HOLON_HANDSHAKE_PROOF	= 3,
	HOLON_HANDSHAKE_VERDICT	= 4,
};

/* A struct holon_ident on the wire. */
struct holon_wire_ident {
	__le64 incarnation;
	u8 uuid[UUID_SIZE];
	u8 id;
	u8 reserved[7];
};

struct holon_handshake {
	__le32 magic;
	u8 kind;		/* enum holon_handshake_kind */
	u8 rank;
	__le16 protocol_min;
	__le16 protocol_max;	/* in an answer both are what was agreed on */
	__le16 status;		/* to the connecting node: 0, or an errno: refused */
	u8 encrypt;		/* 1: frames will be encrypted */
	u8 reserved[3];
	__le64 attempt;		/* the same on all lanes of one attempt */
	struct holon_wire_ident from;
	struct holon_wire_ident to;	/* uuid null in a call: known by incarnation */
	char cluster[HOLON_CLUSTER_NAME_MAX];
	u8 public[32];		/* X25519, fresh; CALL and ANSWER */
	char reason[HOLON_HANDSHAKE_REASON];	/* of a refusal, NUL-terminated */
	u8 key_id[HOLON_KEY_ID_SIZE];	/* of the cluster key in use */
	u8 proof[32];
};

static_assert(sizeof(struct holon_handshake) == 288);

void holon_wire_ident_put(struct holon_wire_ident *wire, const struct holon_ident *ident);

/* Return: 0, or -EPROTO for an id or incarnation that cannot be. */
int holon_wire_ident_get(struct holon_ident *ident, const struct holon_wire_ident *wire);

/* Fill in what all kinds have; holon_auth_sign() does the rest. */
void holon_handshake_init(struct holon_handshake *record, enum holon_handshake_kind kind,
			  enum holon_rank rank, u64 attempt, const char *cluster);

/**
 * holon_handshake_check - is this a record of that kind?
 * @record: untrusted; its strings are terminated and all ids in range
 *	afterwards
 * @kind: what it must be
 *
 * Return: 0 or -EPROTO.
 */
int holon_handshake_check(struct holon_handshake *record, enum holon_handshake_kind kind);

#endif /* _NET_HOLON_HANDSHAKE_H */
