// SPDX-License-Identifier: GPL-2.0-only
/*
 * The proofs of the handshake: two sides that have a key in common end with the
 * same traffic keys, and whatever else happens is refused.
 */
#include <kunit/test.h>
#include <linux/slab.h>

#include "../auth.h"

enum { CALL, ANSWER, PROOF, VERDICT, RECORDS };

static const enum holon_handshake_kind kinds[RECORDS] = {
	HOLON_HANDSHAKE_CALL, HOLON_HANDSHAKE_ANSWER,
	HOLON_HANDSHAKE_PROOF, HOLON_HANDSHAKE_VERDICT,
};

static const u8 key_a[HOLON_KEY_SIZE] = "the key that everybody has";
static const u8 key_b[HOLON_KEY_SIZE] = "the key that comes next";

/* Both sides of a handshake and what went over the wire. */
struct talk {
	struct holon_auth connecting, accepting;
	struct holon_handshake record[RECORDS];
};

static void use(struct kunit *test, const u8 *first, const u8 *second)
{
	u8 keys[2 * HOLON_KEY_SIZE];

	memcpy(keys, first, HOLON_KEY_SIZE);
	if (second)
		memcpy(keys + HOLON_KEY_SIZE, second, HOLON_KEY_SIZE);
	KUNIT_ASSERT_EQ(test, holon_transport_set_keys(keys, second ? 2 : 1), 0);
}

static void make(struct holon_handshake *record, int which)
{
	struct holon_ident to = { .id = 4, .incarnation = 78 };
	struct holon_ident from = { .id = 3, .incarnation = 77 };
	bool back = which == ANSWER || which == VERDICT;

	holon_handshake_init(record, kinds[which], HOLON_REQ, 5, "cluster");
	holon_wire_ident_put(&record->from, back ? &to : &from);
	holon_wire_ident_put(&record->to, back ? &from : &to);
}

/*
 * Send the records up to @last; @flip is a bit of that one that changes on the
 * way, -1: none. Return: what the receiver of it says.
 */
static int talk(struct talk *t, int last, int flip)
{
	int which, err = 0;

	err = holon_auth_begin(&t->connecting);
	for (which = CALL; which <= last && !err; which++) {
		bool back = which == ANSWER || which == VERDICT;
		struct holon_handshake *record = &t->record[which];

		make(record, which);
		err = holon_auth_sign(back ? &t->accepting : &t->connecting, record,
				      &t->record[CALL]);
		if (err)
			return -EIO;
		if (which == last && flip >= 0)
			((u8 *)record)[flip / 8] ^= BIT(flip % 8);
		if (which == CALL)
			err = holon_auth_called(&t->accepting, record);
		else
			err = holon_auth_check(back ? &t->connecting : &t->accepting, record);
	}
	return err;
}

static struct talk *new_talk(struct kunit *test)
{
	struct talk *t = kunit_kzalloc(test, sizeof(*t), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, t);
	return t;
}

static void both_sides_agree(struct kunit *test)
{
	struct holon_traffic_key out[2], in[2];
	struct talk *t = new_talk(test);

	use(test, key_a, NULL);
	KUNIT_ASSERT_EQ(test, talk(t, VERDICT, -1), 0);
	KUNIT_ASSERT_EQ(test, holon_auth_traffic(&t->connecting, true, &out[0], &in[0]), 0);
	KUNIT_ASSERT_EQ(test, holon_auth_traffic(&t->accepting, false, &out[1], &in[1]), 0);
	KUNIT_EXPECT_MEMEQ(test, &out[0], &in[1], sizeof(out[0]));
	KUNIT_EXPECT_MEMEQ(test, &out[1], &in[0], sizeof(out[0]));
	KUNIT_EXPECT_MEMNEQ(test, &out[0], &in[0], sizeof(out[0]));
	/* Not again the same keys. */
	KUNIT_ASSERT_EQ(test, talk(t, VERDICT, -1), 0);
	KUNIT_ASSERT_EQ(test, holon_auth_traffic(&t->connecting, true, &out[1], &in[1]), 0);
	KUNIT_EXPECT_MEMNEQ(test, &out[0], &out[1], sizeof(out[0]));
}

static void any_changed_bit_is_noticed(struct kunit *test)
{
	struct talk *t = new_talk(test);
	int which, bit;

	use(test, key_a, NULL);
	for (which = CALL; which < RECORDS; which++) {
		/* Every byte once; which bit of it takes turns. */
		for (bit = 0; bit < 8 * sizeof(struct holon_handshake); bit += 9) {
			int err = talk(t, which, bit);

			KUNIT_ASSERT_TRUE_MSG(test, err == -EKEYREJECTED || err == -ENOKEY,
					      "record %d bit %d: %d", which, bit, err);
		}
	}
}

static void another_key_is_refused(struct kunit *test)
{
	struct talk *t = new_talk(test);

	use(test, key_a, NULL);
	KUNIT_ASSERT_EQ(test, talk(t, CALL, -1), 0);
	use(test, key_b, NULL);
	KUNIT_EXPECT_EQ(test, holon_auth_called(&t->accepting, &t->record[CALL]), -ENOKEY);
	/* The name of a key is no secret and proves nothing. */
	KUNIT_ASSERT_EQ(test, talk(t, CALL, -1), 0);
	memcpy(t->record[CALL].key_id, t->accepting.key.id, HOLON_KEY_ID_SIZE);
	t->record[CALL].proof[0] ^= 1;
	KUNIT_EXPECT_EQ(test, holon_auth_called(&t->accepting, &t->record[CALL]), -EKEYREJECTED);
	KUNIT_ASSERT_EQ(test, holon_transport_set_keys(NULL, 0), 0);
	KUNIT_EXPECT_EQ(test, holon_auth_begin(&t->connecting), -ENOKEY);
}

/* First all accept the new key, then it is used, then the old one goes. */
static void keys_are_exchanged(struct kunit *test)
{
	struct talk *t = new_talk(test);

	use(test, key_a, NULL);
	KUNIT_ASSERT_EQ(test, talk(t, CALL, -1), 0);
	use(test, key_a, key_b);
	KUNIT_EXPECT_EQ(test, holon_auth_called(&t->accepting, &t->record[CALL]), 0);
	use(test, key_b, key_a);
	KUNIT_EXPECT_EQ(test, holon_auth_called(&t->accepting, &t->record[CALL]), 0);
	KUNIT_ASSERT_EQ(test, talk(t, VERDICT, -1), 0);
	use(test, key_b, NULL);
	KUNIT_EXPECT_EQ(test, holon_auth_called(&t->accepting, &t->record[CALL]), 0);
}

static void a_recording_is_of_no_use(struct kunit *test)
{
	struct holon_handshake old[RECORDS];
	struct talk *t = new_talk(test);
	struct holon_handshake answer;

	use(test, key_a, NULL);
	KUNIT_ASSERT_EQ(test, talk(t, VERDICT, -1), 0);
	memcpy(old, t->record, sizeof(old));

	/* To the accepting side: the CALL is taken, and answered with another key pair. */
	KUNIT_ASSERT_EQ(test, holon_auth_called(&t->accepting, &old[CALL]), 0);
	make(&answer, ANSWER);
	KUNIT_ASSERT_EQ(test, holon_auth_sign(&t->accepting, &answer, &old[CALL]), 0);
	KUNIT_EXPECT_EQ(test, holon_auth_check(&t->accepting, &old[PROOF]), -EKEYREJECTED);

	/* To the connecting side. */
	KUNIT_ASSERT_EQ(test, talk(t, CALL, -1), 0);
	KUNIT_EXPECT_EQ(test, holon_auth_check(&t->connecting, &old[ANSWER]), -EKEYREJECTED);

	/* Nor does a CALL that comes back pass for an ANSWER. */
	KUNIT_ASSERT_EQ(test, talk(t, CALL, -1), 0);
	answer = t->record[CALL];
	answer.kind = HOLON_HANDSHAKE_ANSWER;
	KUNIT_EXPECT_EQ(test, holon_auth_check(&t->connecting, &answer), -EKEYREJECTED);
}

/* A point of small order would make the secret known to everybody. */
static void weak_public_keys_are_refused(struct kunit *test)
{
	struct talk *t = new_talk(test);
	struct holon_handshake answer;

	use(test, key_a, NULL);
	KUNIT_ASSERT_EQ(test, talk(t, CALL, -1), 0);
	memset(t->record[CALL].public, 0, sizeof(t->record[CALL].public));
	make(&answer, ANSWER);
	KUNIT_EXPECT_EQ(test, holon_auth_sign(&t->accepting, &answer, &t->record[CALL]),
			-EKEYREJECTED);
}

/* RFC 5869, test case 1: the pseudorandom key and what becomes of it. */
static void hkdf_expand(struct kunit *test)
{
	static const u8 prk[] = {
		0x07, 0x77, 0x09, 0x36, 0x2c, 0x2e, 0x32, 0xdf, 0x0d, 0xdc, 0x3f, 0x0d, 0xc4,
		0x7b, 0xba, 0x63, 0x90, 0xb6, 0xc7, 0x3b, 0xb5, 0x0f, 0x9c, 0x31, 0x22, 0xec,
		0x84, 0x4a, 0xd7, 0xc2, 0xb3, 0xe5,
	};
	static const u8 info[] = {
		0xf0, 0xf1, 0xf2, 0xf3, 0xf4, 0xf5, 0xf6, 0xf7, 0xf8, 0xf9,
	};
	static const u8 okm[] = {
		0x3c, 0xb2, 0x5f, 0x25, 0xfa, 0xac, 0xd5, 0x7a, 0x90, 0x43, 0x4f, 0x64, 0xd0,
		0x36, 0x2f, 0x2a, 0x2d, 0x2d, 0x0a, 0x90, 0xcf, 0x1a, 0x5a, 0x4c, 0x5d, 0xb0,
		0x2d, 0x56, 0xec, 0xc4, 0xc5, 0xbf, 0x34, 0x00, 0x72, 0x08, 0xd5, 0xb8, 0x87,
		0x18, 0x58, 0x65,
	};
	u8 out[sizeof(okm)];

	KUNIT_ASSERT_EQ(test, holon_hkdf_expand(prk, info, sizeof(info), out, sizeof(out)), 0);
	KUNIT_EXPECT_MEMEQ(test, out, okm, sizeof(okm));
}

static void forget_keys(struct kunit *test)
{
	holon_transport_set_keys(NULL, 0);
}

static struct kunit_case auth_cases[] = {
	KUNIT_CASE(hkdf_expand),
	KUNIT_CASE(both_sides_agree),
	KUNIT_CASE_SLOW(any_changed_bit_is_noticed),
	KUNIT_CASE(another_key_is_refused),
	KUNIT_CASE(keys_are_exchanged),
	KUNIT_CASE(a_recording_is_of_no_use),
	KUNIT_CASE(weak_public_keys_are_refused),
	{}
};

static struct kunit_suite auth_suite = {
	.name = "holon_auth",
	.exit = forget_keys,
	.test_cases = auth_cases,
};

kunit_test_suite(auth_suite);
