// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proofs of the handshake. See auth.h for the exchange.
 */
#include <crypto/algapi.h>
#include <linux/errno.h>
#include <linux/string.h>

#include "auth.h"

/* The MAC covers what precedes it. */
#define SIGNED_SIZE	offsetof(struct holon_handshake, proof)

static_assert(SIGNED_SIZE + HOLON_MAC_SIZE == sizeof(struct holon_handshake));

static int record_mac(const struct holon_auth *auth, const struct holon_handshake *record, u8 *mac)
{
	const struct holon_mac_part parts[] = {
		{ auth->transcript, sizeof(auth->transcript) },
		{ record, SIGNED_SIZE },
	};

	return holon_mac(auth->mac, parts, ARRAY_SIZE(parts), mac);
}

static void note(struct holon_auth *auth, const struct holon_handshake *record)
{
	struct sha256_state state;

	sha256_init(&state);
	sha256_update(&state, auth->transcript, sizeof(auth->transcript));
	sha256_update(&state, (const u8 *)record, sizeof(*record));
	sha256_final(&state, auth->transcript);
}

/* Both public keys are known: from now on the connection has its own secret. */
static int agree(struct holon_auth *auth, const u8 *public)
{
	struct holon_mac_part shared;
	u8 point[CURVE25519_KEY_SIZE];
	int err = -EKEYREJECTED;

	if (curve25519(point, auth->private, public)) {
		shared = (struct holon_mac_part){ point, sizeof(point) };
		/* HKDF-Extract, salted with the cluster key. */
		err = holon_mac(auth->key.session, &shared, 1, auth->secret);
	}
	memzero_explicit(point, sizeof(point));
	memzero_explicit(auth->private, sizeof(auth->private));
	auth->mac = auth->secret;
	return err;
}

static int check(struct holon_auth *auth, const struct holon_handshake *record)
{
	u8 mac[HOLON_MAC_SIZE];
	int err;

	err = record_mac(auth, record, mac);
	if (!err && crypto_memneq(mac, record->proof, sizeof(mac)))
		err = -EKEYREJECTED;
	if (!err)
		note(auth, record);
	return err;
}

int holon_auth_begin(struct holon_auth *auth)
{
	memset(auth, 0, sizeof(*auth));
	auth->mac = auth->key.call;
	return holon_key_get(&auth->key, NULL);
}

int holon_auth_called(struct holon_auth *auth, const struct holon_handshake *call)
{
	memset(auth, 0, sizeof(*auth));
	auth->mac = auth->key.call;
	return holon_key_get(&auth->key, call->key_id) ?: check(auth, call);
}

int holon_auth_sign(struct holon_auth *auth, struct holon_handshake *record,
		    const struct holon_handshake *call)
{
	int err = 0;

	memcpy(record->key_id, auth->key.id, sizeof(record->key_id));
	if (record->kind == HOLON_HANDSHAKE_CALL || record->kind == HOLON_HANDSHAKE_ANSWER) {
		curve25519_generate_secret(auth->private);
		if (!curve25519_generate_public(record->public, auth->private))
			return -EKEYREJECTED;
	}
	if (record->kind == HOLON_HANDSHAKE_ANSWER)
		err = agree(auth, call->public);
	err = err ?: record_mac(auth, record, record->proof);
	if (!err)
		note(auth, record);
	return err;
}

int holon_auth_check(struct holon_auth *auth, const struct holon_handshake *record)
{
	int err = 0;

	if (record->kind == HOLON_HANDSHAKE_ANSWER)
		err = agree(auth, record->public);
	return err ?: check(auth, record);
}

static int expand(const struct holon_auth *auth, const char *direction,
		  struct holon_traffic_key *key)
{
	u8 info[16 + SHA256_DIGEST_SIZE] = {};

	strscpy(info, direction, 16);
	memcpy(info + 16, auth->transcript, sizeof(auth->transcript));
	return holon_hkdf_expand(auth->secret, info, sizeof(info), (u8 *)key, sizeof(*key));
}

int holon_auth_traffic(const struct holon_auth *auth, bool connecting,
		       struct holon_traffic_key *out, struct holon_traffic_key *in)
{
	return expand(auth, "to accepting", connecting ? out : in) ?:
	       expand(auth, "to connecting", connecting ? in : out);
}
