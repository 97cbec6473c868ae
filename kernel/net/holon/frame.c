// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames: messages in memory, and the decoder that takes them out of a stream.
 *
 * The decoder knows nothing of sockets. It is asked where the next bytes go,
 * the caller puts them there and says how many. A header is looked at when it
 * is complete and before anything is allocated for it, so that a stranger's
 * length never becomes an allocation: lengths above holon_frame_payload_max() are
 * malformed, and so is any bit that this version does not know.
 */
#include <linux/err.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>

#include "frame.h"

struct holon_message *holon_message_alloc(enum holon_rank rank, u16 type, u64 call, size_t len,
					  gfp_t gfp)
{
	struct holon_message *message;

	if (len > holon_frame_payload_max(rank))
		return NULL;
	message = kvmalloc(struct_size(message, data, len), gfp);
	if (!message)
		return NULL;
	INIT_LIST_HEAD(&message->link);
	message->frame = (struct holon_frame){
		.magic = cpu_to_le32(HOLON_FRAME_MAGIC),
		.version = HOLON_PROTOCOL_MAX,
		.rank = rank,
		.type = cpu_to_le16(type),
		.length = cpu_to_le32(len),
		.call = cpu_to_le64(call),
	};
	return message;
}

/* Replies are given in any context, in which vfree() would not be legal. */
void holon_message_free(struct holon_message *message)
{
	if (is_vmalloc_addr(message))
		vfree_atomic(message);
	else
		kfree(message);
}

int holon_frame_check(const struct holon_frame *frame, u8 version, enum holon_rank rank)
{
	if (le32_to_cpu(frame->magic) != HOLON_FRAME_MAGIC || frame->version != version ||
	    frame->rank != rank || frame->reserved)
		return -EPROTO;
	if (!frame->type || le16_to_cpu(frame->type) > HOLON_RPC_ID_MAX)
		return -EPROTO;
	if (le16_to_cpu(frame->flags) & ~HOLON_FRAME_FLAGS)
		return -EPROTO;
	if (le32_to_cpu(frame->length) > holon_frame_payload_max(rank))
		return -EPROTO;
	return 0;
}

void holon_decoder_init(struct holon_decoder *decoder, u8 version, enum holon_rank rank, gfp_t gfp)
{
	*decoder = (struct holon_decoder){ .version = version, .rank = rank, .gfp = gfp };
}

void holon_decoder_reset(struct holon_decoder *decoder)
{
	holon_message_free(decoder->message);
	decoder->message = NULL;
	decoder->have = 0;
}

/* The header is complete: check it and make place for its payload. */
static int decoder_begin(struct holon_decoder *decoder)
{
	const struct holon_frame *frame = &decoder->frame;
	struct holon_message *message;
	int err;

	err = holon_frame_check(frame, decoder->version, decoder->rank);
	if (err)
		return err;
	message = holon_message_alloc(decoder->rank, le16_to_cpu(frame->type),
				      le64_to_cpu(frame->call), le32_to_cpu(frame->length),
				      decoder->gfp | __GFP_NOWARN);
	if (!message)
		return -ENOMEM;
	message->frame = *frame;
	decoder->message = message;
	decoder->have = 0;
	return 0;
}

struct holon_message *holon_decoder_next(struct holon_decoder *decoder)
{
	struct holon_message *message;
	int err;

	if (!decoder->message) {
		if (decoder->have < sizeof(decoder->frame))
			return NULL;
		err = decoder_begin(decoder);
		if (err)
			return ERR_PTR(err);
	}
	if (decoder->have < le32_to_cpu(decoder->frame.length))
		return NULL;
	message = decoder->message;
	decoder->message = NULL;
	decoder->have = 0;
	return message;
}

void *holon_decoder_room(struct holon_decoder *decoder, size_t *room)
{
	if (!decoder->message) {
		*room = sizeof(decoder->frame) - decoder->have;
		return (u8 *)&decoder->frame + decoder->have;
	}
	*room = le32_to_cpu(decoder->frame.length) - decoder->have;
	return decoder->message->data + decoder->have;
}
