// SPDX-License-Identifier: GPL-2.0-only
/*
 * The loaded cluster keys, and the two functions all proofs are made of:
 * HMAC-SHA256 (RFC 2104) and HKDF-Expand (RFC 5869).
 *
 * One transform serves all; setting its key and using it are one step under
 * mac_mutex. Handshakes and hellos are rare and a MAC takes microseconds.
 */
#include <crypto/algapi.h>
#include <crypto/hash.h>
#include <linux/err.h>
#include <linux/init.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/string.h>

#include "key.h"

static const u8 no_key[HOLON_MAC_SIZE];
static struct crypto_shash *hmac;
static DEFINE_MUTEX(mac_mutex);

static struct holon_key keys[HOLON_KEYS_MAX];	/* Lock: keys_lock */
static unsigned int key_count;			/* Lock: keys_lock */
static DEFINE_SPINLOCK(keys_lock);

int holon_mac(const u8 *key, const struct holon_mac_part *parts, unsigned int count,
	      u8 mac[HOLON_MAC_SIZE])
{
	SHASH_DESC_ON_STACK(desc, hmac);
	unsigned int i;
	int err;

	if (!hmac)
		return -ENOENT;
	desc->tfm = hmac;
	mutex_lock(&mac_mutex);
	err = crypto_shash_setkey(hmac, key, HOLON_MAC_SIZE) ?: crypto_shash_init(desc);
	for (i = 0; i < count && !err; i++)
		err = crypto_shash_update(desc, parts[i].data, parts[i].len);
	err = err ?: crypto_shash_final(desc, mac);
	/* The transform shall not remember a secret. */
	crypto_shash_setkey(hmac, no_key, HOLON_MAC_SIZE);
	mutex_unlock(&mac_mutex);
	shash_desc_zero(desc);
	return err;
}

int holon_hkdf_expand(const u8 *secret, const void *info, size_t info_len, u8 *out, size_t len)
{
	u8 block[HOLON_MAC_SIZE];
	u8 counter = 0;
	int err = 0;

	while (len) {
		size_t take = min(len, sizeof(block));
		struct holon_mac_part parts[] = {
			{ block, counter ? sizeof(block) : 0 },
			{ info, info_len },
			{ &counter, sizeof(counter) },
		};

		counter++;
		err = holon_mac(secret, parts, ARRAY_SIZE(parts), block);
		if (err)
			break;
		memcpy(out, block, take);
		out += take;
		len -= take;
	}
	memzero_explicit(block, sizeof(block));
	return err;
}

static int derive(const u8 *bytes, const char *use, u8 *out, size_t len)
{
	return holon_hkdf_expand(bytes, use, strlen(use), out, len);
}

int holon_key_derive(struct holon_key *key, const u8 bytes[HOLON_KEY_SIZE])
{
	BUILD_BUG_ON(HOLON_KEY_SIZE != HOLON_MAC_SIZE);

	/* A cluster key is random: it needs no HKDF-Extract. */
	return derive(bytes, "holon 1 id", key->id, sizeof(key->id)) ?:
	       derive(bytes, "holon 1 call", key->call, sizeof(key->call)) ?:
	       derive(bytes, "holon 1 session", key->session, sizeof(key->session)) ?:
	       derive(bytes, "holon 1 hello", key->hello, sizeof(key->hello));
}

int holon_transport_set_keys(const u8 *bytes, unsigned int count)
{
	struct holon_key fresh[HOLON_KEYS_MAX] = {};
	unsigned int i;
	int err = 0;

	if (count > HOLON_KEYS_MAX)
		return -EINVAL;
	for (i = 0; i < count && !err; i++)
		err = holon_key_derive(&fresh[i], bytes + i * HOLON_KEY_SIZE);
	if (!err) {
		spin_lock_bh(&keys_lock);
		memcpy(keys, fresh, sizeof(keys));
		key_count = count;
		spin_unlock_bh(&keys_lock);
	}
	memzero_explicit(fresh, sizeof(fresh));
	return err;
}

unsigned int holon_transport_key_ids(u8 *ids)
{
	unsigned int i, count;

	spin_lock_bh(&keys_lock);
	count = key_count;
	for (i = 0; i < count; i++)
		memcpy(ids + i * HOLON_KEY_ID_SIZE, keys[i].id, HOLON_KEY_ID_SIZE);
	spin_unlock_bh(&keys_lock);
	return count;
}

int holon_key_get(struct holon_key *key, const u8 *id)
{
	int err = -ENOKEY;
	unsigned int i;

	spin_lock_bh(&keys_lock);
	for (i = 0; i < key_count; i++) {
		if (id && memcmp(keys[i].id, id, HOLON_KEY_ID_SIZE))
			continue;
		*key = keys[i];
		err = 0;
		break;
	}
	spin_unlock_bh(&keys_lock);
	return err;
}

static int __init holon_key_init(void)
{
	struct crypto_shash *tfm = crypto_alloc_shash("hmac(sha256)", 0, 0);

	if (IS_ERR(tfm))
		return PTR_ERR(tfm);
	hmac = tfm;
	return 0;
}
/* After the algorithms, before the membership. */
device_initcall(holon_key_init);
