/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Cluster keys: who has one belongs to the cluster.
 *
 * A cluster key is 32 random bytes that all nodes have. Up to HOLON_KEYS_MAX are
 * loaded at a time, so that a key can be exchanged while the cluster runs: all
 * of them are accepted, the first one is used. What is loaded is never read
 * back; connections that stand are not touched by a change of keys.
 */
#ifndef _NET_HOLON_KEY_H
#define _NET_HOLON_KEY_H

#include <linux/holon_transport.h>
#include <linux/types.h>

#define HOLON_MAC_SIZE	32	/* HMAC-SHA256 */

/**
 * struct holon_key - what is derived from a cluster key, one for each use
 * @id: tells keys apart, secret to nobody
 * @call: proves that the caller has the key
 * @session: goes into the secret of a connection
 * @hello: proves a hello
 */
struct holon_key {
	u8 id[HOLON_KEY_ID_SIZE];
	u8 call[HOLON_MAC_SIZE];
	u8 session[HOLON_MAC_SIZE];
	u8 hello[HOLON_MAC_SIZE];
};

/* One part of what an HMAC is made over. */
struct holon_mac_part {
	const void *data;
	size_t len;
};

/**
 * holon_mac - HMAC-SHA256
 * @key: HOLON_MAC_SIZE bytes
 * @parts: one after the other
 * @count: number of parts
 * @mac: result
 *
 * Context: may sleep. Return: 0 or an error of the crypto layer.
 */
int holon_mac(const u8 *key, const struct holon_mac_part *parts, unsigned int count,
	      u8 mac[HOLON_MAC_SIZE]);

/**
 * holon_hkdf_expand - HKDF-Expand of RFC 5869 with SHA-256
 * @secret: pseudorandom key, HOLON_MAC_SIZE bytes
 * @info: what the output is for
 * @info_len: its length
 * @out: result
 * @len: its length, up to 255 * HOLON_MAC_SIZE
 *
 * HKDF-Extract is holon_mac() with the salt as its key.
 *
 * Context: may sleep. Return: 0 or an error of the crypto layer.
 */
int holon_hkdf_expand(const u8 *secret, const void *info, size_t info_len, u8 *out, size_t len);

/* Derive everything from the bytes of a cluster key. 0 or a crypto error. */
int holon_key_derive(struct holon_key *key, const u8 bytes[HOLON_KEY_SIZE]);

/**
 * holon_key_get - a copy of a loaded key
 * @key: filled in; the caller clears it with memzero_explicit()
 * @id: which one; NULL: the one in use
 *
 * Context: any but hard interrupts. Return: 0 or -ENOKEY.
 */
int holon_key_get(struct holon_key *key, const u8 *id);

#endif /* _NET_HOLON_KEY_H */
