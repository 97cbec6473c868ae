/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The proofs of the handshake, as plain logic without sockets.
 *
 *	connecting node				accepting node
 *	CALL	------------------------------>	has the key
 *		<------------------------------	ANSWER: has it, and is there now
 *	PROOF	------------------------------>	is there now
 *		<------------------------------	VERDICT: let in, or why not
 *	frames, encrypted				frames, encrypted
 *
 * Each record carries a MAC over the hash of all records before it and over
 * itself. CALL's is made with the cluster key; the others with the secret of
 * the connection, to which the cluster key and an X25519 exchange of this
 * connection contribute (the pattern is NNpsk0 of the Noise framework, with
 * SHA-256). So a recorded exchange is of no use, neither side can be
 * impersonated without the key, and who learns the key later cannot read what was
 * recorded before. The keys of the two directions come from the same secret
 * and the hash of all four records, identities and rank included.
 */
#ifndef _NET_HOLON_AUTH_H
#define _NET_HOLON_AUTH_H

#include <crypto/curve25519.h>
#include <crypto/sha2.h>

#include "handshake.h"
#include "key.h"

/**
 * struct holon_auth - one side of a handshake
 * @key: derived from the cluster key that the connecting side chose
 * @private: of our X25519 pair
 * @secret: of the connection, from ANSWER on
 * @transcript: hash of the records so far
 * @mac: HMAC key of the next record
 */
struct holon_auth {
	struct holon_key key;
	u8 private[CURVE25519_KEY_SIZE];
	u8 secret[HOLON_MAC_SIZE];
	u8 transcript[SHA256_DIGEST_SIZE];
	const u8 *mac;
};

/* Key material of one direction, for AES-256-GCM of TLS 1.3. */
struct holon_traffic_key {
	u8 key[32];
	u8 salt[4];
	u8 iv[8];
};

/*
 * All functions: context may sleep; return 0, -EKEYREJECTED for a proof that is
 * wrong, or an error of the crypto layer. Records have been checked by
 * holon_handshake_check(). A holon_auth is used up in the order of the records
 * and freed with kfree_sensitive().
 */

/* Connecting: begin with the key in use. -ENOKEY without one. */
int holon_auth_begin(struct holon_auth *auth);

/* Accepting: begin with the key a CALL names, and check it. -ENOKEY: not ours. */
int holon_auth_called(struct holon_auth *auth, const struct holon_handshake *call);

/* Fill in the public key (CALL, ANSWER) and the proof of a record to be sent. */
int holon_auth_sign(struct holon_auth *auth, struct holon_handshake *record,
		    const struct holon_handshake *call);

/* Check a record that was received: ANSWER, PROOF, VERDICT. */
int holon_auth_check(struct holon_auth *auth, const struct holon_handshake *record);

/**
 * holon_auth_traffic - keys of the connection, after the VERDICT
 * @auth: of either side
 * @connecting: is it the connecting one's?
 * @out: for what we send
 * @in: for what we receive
 */
int holon_auth_traffic(const struct holon_auth *auth, bool connecting,
		       struct holon_traffic_key *out, struct holon_traffic_key *in);

#endif /* _NET_HOLON_AUTH_H */
