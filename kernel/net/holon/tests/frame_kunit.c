// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames and handshake records: what is written is read back, and everything
 * else is refused before it costs anything.
 */
#include <kunit/test.h>
#include <linux/prandom.h>
#include <linux/slab.h>
#include <linux/unaligned.h>

#include "../frame.h"
#include "../handshake.h"

#define RANK	HOLON_REQ
#define FUZZ	100000

/* Give @len bytes to the decoder in steps of @step. Return: what it says last. */
static struct holon_message *feed(struct holon_decoder *decoder, const u8 *bytes, size_t len,
				  size_t step, size_t *used)
{
	struct holon_message *message = NULL;
	size_t at = 0;

	while (at < len && !message) {
		size_t room;
		void *to = holon_decoder_room(decoder, &room);

		room = min3(room, len - at, step);
		memcpy(to, bytes + at, room);
		decoder->have += room;
		at += room;
		message = holon_decoder_next(decoder);
	}
	if (used)
		*used = at;
	return message;
}

static struct holon_message *make(struct kunit *test, size_t len)
{
	struct holon_message *message;
	size_t i;

	message = holon_message_alloc(RANK, HOLON_RPC_ID_ECHO, 0x1122334455667788, len, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, message);
	message->frame.epoch = cpu_to_le64(42);
	for (i = 0; i < len; i++)
		message->data[i] = i * 7;
	return message;
}

static void round_trip(struct kunit *test)
{
	static const size_t sizes[] = { 0, 1, 7, 8, 4095, 65536, HOLON_MSG_MAX,
					HOLON_FRAME_PAYLOAD_MAX };
	static const size_t steps[] = { 1, 31, 4096, SIZE_MAX };
	struct holon_message *in, *out;
	struct holon_decoder decoder;
	size_t i, j, used;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		in = make(test, sizes[i]);
		for (j = 0; j < ARRAY_SIZE(steps); j++) {
			if (steps[j] < 4096 && sizes[i] > 65536)
				continue;
			holon_decoder_init(&decoder, HOLON_PROTOCOL_MAX, RANK, GFP_KERNEL);
			out = feed(&decoder, (u8 *)&in->frame, sizeof(in->frame) + sizes[i],
				   steps[j], &used);
			KUNIT_ASSERT_NOT_ERR_OR_NULL(test, out);
			KUNIT_EXPECT_EQ(test, used, sizeof(in->frame) + sizes[i]);
			KUNIT_EXPECT_MEMEQ(test, &out->frame, &in->frame, sizeof(in->frame));
			KUNIT_EXPECT_EQ(test, memcmp(out->data, in->data, sizes[i]), 0);
			holon_message_free(out);
		}
		holon_message_free(in);
	}
}

static void header_is_little_endian(struct kunit *test)
{
	struct holon_message *message = make(test, 3);
	const u8 *bytes = (u8 *)&message->frame;

	KUNIT_EXPECT_EQ(test, memcmp(bytes, "HOLN", 4), 0);
	KUNIT_EXPECT_EQ(test, bytes[4], HOLON_PROTOCOL_MAX);
	KUNIT_EXPECT_EQ(test, bytes[5], RANK);
	KUNIT_EXPECT_EQ(test, get_unaligned_le16(bytes + 6), HOLON_RPC_ID_ECHO);
	KUNIT_EXPECT_EQ(test, get_unaligned_le32(bytes + 12), 3);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(bytes + 16), 0x1122334455667788);
	KUNIT_EXPECT_EQ(test, get_unaligned_le64(bytes + 24), 42);
	holon_message_free(message);
}

/* Two frames in one piece come out one by one, and in order. */
static void back_to_back(struct kunit *test)
{
	struct holon_message *in = make(test, 5), *out;
	size_t size = sizeof(in->frame) + 5, used;
	struct holon_decoder decoder;
	u8 *bytes = kunit_kmalloc(test, 2 * size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	memcpy(bytes, &in->frame, size);
	in->frame.call = cpu_to_le64(9);
	memcpy(bytes + size, &in->frame, size);
	holon_decoder_init(&decoder, HOLON_PROTOCOL_MAX, RANK, GFP_KERNEL);
	out = feed(&decoder, bytes, 2 * size, SIZE_MAX, &used);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, out);
	KUNIT_EXPECT_EQ(test, used, size);
	holon_message_free(out);
	out = feed(&decoder, bytes + used, size, SIZE_MAX, NULL);
	KUNIT_ASSERT_NOT_ERR_OR_NULL(test, out);
	KUNIT_EXPECT_EQ(test, le64_to_cpu(out->frame.call), 9);
	holon_message_free(out);
	holon_message_free(in);
}

/* The truncated twin: one byte less is no message, and leaves nothing behind. */
static void truncated(struct kunit *test)
{
	struct holon_message *in = make(test, 64);
	struct holon_decoder decoder;
	size_t len;

	for (len = 0; len < sizeof(in->frame) + 64; len++) {
		holon_decoder_init(&decoder, HOLON_PROTOCOL_MAX, RANK, GFP_KERNEL);
		KUNIT_EXPECT_NULL(test, feed(&decoder, (u8 *)&in->frame, len, 13, NULL));
		holon_decoder_reset(&decoder);
		KUNIT_EXPECT_NULL(test, decoder.message);
	}
	holon_message_free(in);
}

static void expect_refused(struct kunit *test, const struct holon_frame *frame, const char *what)
{
	struct holon_decoder decoder;

	holon_decoder_init(&decoder, HOLON_PROTOCOL_MAX, RANK, GFP_KERNEL);
	KUNIT_EXPECT_EQ_MSG(test, PTR_ERR(feed(&decoder, (u8 *)frame, sizeof(*frame), 8, NULL)),
			    -EPROTO, "%s", what);
	KUNIT_EXPECT_NULL(test, decoder.message);
}

/* The oversized twin, and every field that can be wrong. */
static void malformed(struct kunit *test)
{
	struct holon_message *message = make(test, 0);
	struct holon_frame good = message->frame, bad;

	holon_message_free(message);
	bad = good;
	bad.length = cpu_to_le32(HOLON_FRAME_PAYLOAD_MAX + 1);
	expect_refused(test, &bad, "length");
	bad.length = cpu_to_le32(U32_MAX);
	expect_refused(test, &bad, "largest length");
	bad = good;
	bad.magic ^= cpu_to_le32(1);
	expect_refused(test, &bad, "magic");
	bad = good;
	bad.version++;
	expect_refused(test, &bad, "version");
	bad = good;
	bad.rank = HOLON_BULK;
	expect_refused(test, &bad, "rank of another lane");
	bad.rank = HOLON_RANKS;
	expect_refused(test, &bad, "rank");
	bad = good;
	bad.type = 0;
	expect_refused(test, &bad, "no type");
	bad.type = cpu_to_le16(HOLON_RPC_ID_MAX + 1);
	expect_refused(test, &bad, "type");
	bad = good;
	bad.flags = cpu_to_le16(~HOLON_FRAME_FLAGS);
	expect_refused(test, &bad, "flags");
	bad = good;
	bad.reserved = cpu_to_le16(1);
	expect_refused(test, &bad, "reserved");
	KUNIT_EXPECT_NULL(test, holon_message_alloc(RANK, 1, 0, HOLON_FRAME_PAYLOAD_MAX + 1,
						    GFP_KERNEL));
}

/*
 * Damaged frames in random pieces: each is refused or is a message whose length
 * is the one its header says. What the decoder writes outside of its buffers,
 * or forgets, KFENCE, KASAN and kmemleak report.
 */
static void fuzzed(struct kunit *test)
{
	struct holon_message *in = make(test, 512), *out;
	size_t size = sizeof(in->frame) + 512;
	unsigned int i, refused = 0, passed = 0;
	struct holon_decoder decoder;
	struct rnd_state rnd;
	u8 *bytes = kunit_kmalloc(test, size, GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, bytes);
	prandom_seed_state(&rnd, 20261122);
	for (i = 0; i < FUZZ; i++) {
		unsigned int hits = prandom_u32_state(&rnd) % 4;
		size_t at = 0, used;

		memcpy(bytes, &in->frame, size);
		/* Lengths that are legal are the interesting ones. */
		if (prandom_u32_state(&rnd) % 2)
			put_unaligned_le32(prandom_u32_state(&rnd) % 1024, bytes + 12);
		while (hits--)
			bytes[prandom_u32_state(&rnd) % sizeof(in->frame)] ^=
				BIT(prandom_u32_state(&rnd) % 8);
		holon_decoder_init(&decoder, HOLON_PROTOCOL_MAX, RANK, GFP_KERNEL);
		do {
			out = feed(&decoder, bytes + at, size - at,
				   1 + prandom_u32_state(&rnd) % 600, &used);
			at += used;
			if (IS_ERR(out)) {
				refused++;
			} else if (out) {
				passed++;
				KUNIT_ASSERT_LE(test, le32_to_cpu(out->frame.length), 1023);
				KUNIT_ASSERT_EQ(test, holon_frame_check(&out->frame,
									HOLON_PROTOCOL_MAX, RANK),
						0);
				holon_message_free(out);
			}
		} while (!IS_ERR_OR_NULL(out) && at < size);
		holon_decoder_reset(&decoder);
		if (!(i % 1024))
			cond_resched();
	}
	kunit_info(test, "%u refused, %u passed\n", refused, passed);
	KUNIT_EXPECT_GT(test, refused, FUZZ / 4);
	KUNIT_EXPECT_GT(test, passed, FUZZ / 16);
	holon_message_free(in);
}

static void handshake_make(struct holon_handshake *record, enum holon_handshake_kind kind)
{
	struct holon_ident ident = { .id = 3, .incarnation = 77 };

	holon_handshake_init(record, kind, HOLON_FWD, 5, "cluster");
	holon_wire_ident_put(&record->from, &ident);
	ident.id = 4;
	holon_wire_ident_put(&record->to, &ident);
}

static void handshake(struct kunit *test)
{
	struct holon_handshake *good = kunit_kmalloc(test, sizeof(*good), GFP_KERNEL);
	struct holon_handshake *bad = kunit_kmalloc(test, sizeof(*bad), GFP_KERNEL);
	struct holon_ident ident;

	KUNIT_ASSERT_NOT_NULL(test, good);
	KUNIT_ASSERT_NOT_NULL(test, bad);
	handshake_make(good, HOLON_HANDSHAKE_CALL);
	KUNIT_EXPECT_EQ(test, holon_handshake_check(good, HOLON_HANDSHAKE_CALL), 0);
	KUNIT_EXPECT_EQ(test, holon_handshake_check(good, HOLON_HANDSHAKE_ANSWER), -EPROTO);
	KUNIT_EXPECT_EQ(test, holon_wire_ident_get(&ident, &good->from), 0);
	KUNIT_EXPECT_EQ(test, ident.id, 3);
	KUNIT_EXPECT_EQ(test, ident.incarnation, 77);

#define EXPECT_BAD(_change)						\
	do {								\
		*bad = *good;						\
		_change;						\
		KUNIT_EXPECT_EQ_MSG(test, holon_handshake_check(bad,	\
				    HOLON_HANDSHAKE_CALL), -EPROTO, #_change);\
	} while (0)
	EXPECT_BAD(bad->magic = 0);
	EXPECT_BAD(bad->rank = HOLON_RANKS);
	EXPECT_BAD(bad->encrypt = 2);
	EXPECT_BAD(bad->reserved[2] = 1);
	EXPECT_BAD(bad->status = cpu_to_le16(1));
	EXPECT_BAD(bad->from.id = 0);
	EXPECT_BAD(bad->to.id = 0);
	EXPECT_BAD(bad->from.incarnation = 0);
	EXPECT_BAD(bad->from.reserved[6] = 1);
	EXPECT_BAD(memset(bad->cluster, 'x', sizeof(bad->cluster)));
	EXPECT_BAD(memset(bad->reason, 'x', sizeof(bad->reason)));
	EXPECT_BAD(bad->protocol_min = cpu_to_le16(HOLON_PROTOCOL_MAX + 1));
#undef EXPECT_BAD
}

static void handshake_fuzzed(struct kunit *test)
{
	struct holon_handshake *record = kunit_kmalloc(test, sizeof(*record), GFP_KERNEL);
	struct rnd_state rnd;
	unsigned int i;

	KUNIT_ASSERT_NOT_NULL(test, record);
	prandom_seed_state(&rnd, 4711);
	for (i = 0; i < FUZZ / 10; i++) {
		handshake_make(record, HOLON_HANDSHAKE_CALL);
		((u8 *)record)[prandom_u32_state(&rnd) % sizeof(*record)] ^=
			BIT(prandom_u32_state(&rnd) % 8);
		if (holon_handshake_check(record, HOLON_HANDSHAKE_CALL))
			continue;
		KUNIT_ASSERT_LT(test, record->rank, HOLON_RANKS);
		KUNIT_ASSERT_LT(test, strnlen(record->cluster, sizeof(record->cluster)),
				sizeof(record->cluster));
	}
}

static void protocol_ranges(struct kunit *test)
{
	KUNIT_EXPECT_EQ(test, holon_protocol_agree(HOLON_PROTOCOL_MIN, HOLON_PROTOCOL_MAX),
			HOLON_PROTOCOL_MAX);
	KUNIT_EXPECT_EQ(test, holon_protocol_agree(1, U16_MAX), HOLON_PROTOCOL_MAX);
	KUNIT_EXPECT_EQ(test, holon_protocol_agree(HOLON_PROTOCOL_MAX + 1, U16_MAX), 0);
	KUNIT_EXPECT_EQ(test, holon_protocol_agree(0, HOLON_PROTOCOL_MIN - 1), 0);
}

static struct kunit_case frame_cases[] = {
	KUNIT_CASE(round_trip),
	KUNIT_CASE(header_is_little_endian),
	KUNIT_CASE(back_to_back),
	KUNIT_CASE(truncated),
	KUNIT_CASE(malformed),
	KUNIT_CASE_SLOW(fuzzed),
	KUNIT_CASE(handshake),
	KUNIT_CASE(handshake_fuzzed),
	KUNIT_CASE(protocol_ranges),
	{}
};

static struct kunit_suite frame_suite = {
	.name = "holon_frame",
	.test_cases = frame_cases,
};

kunit_test_suite(frame_suite);
