/* SPDX-License-Identifier: GPL-2.0-only */
/* Taking frames out of a stream of bytes. */
#ifndef _NET_HOLON_FRAME_H
#define _NET_HOLON_FRAME_H

#include <linux/holon_transport.h>

/**
 * struct holon_decoder - a stream cut into frames
 * @version: every frame must have, from the handshake
 * @rank: every frame must have
 * @gfp: for the payloads
 * @have: bytes of the header, or of the payload once @message is there
 * @frame: header being collected
 * @message: frame whose payload is being collected
 */
struct holon_decoder {
	u8 version;
	enum holon_rank rank;
	gfp_t gfp;
	size_t have;
	struct holon_frame frame;
	struct holon_message *message;
};

void holon_decoder_init(struct holon_decoder *decoder, u8 version, enum holon_rank rank, gfp_t gfp);
void holon_decoder_reset(struct holon_decoder *decoder);

/**
 * holon_decoder_next - take a complete message out
 * @decoder: what
 *
 * To be asked after bytes have been put in, until it returns NULL.
 *
 * Return: a message, now the caller's; NULL when more bytes are needed; an
 *	error pointer: -EPROTO for a malformed header, -ENOMEM when there is no
 *	memory for the payload (ask again later).
 */
struct holon_message *holon_decoder_next(struct holon_decoder *decoder);

/**
 * holon_decoder_room - where the next bytes of the stream go
 * @decoder: holon_decoder_next() has returned NULL
 * @room: set to the number of bytes wanted, never 0
 *
 * The caller adds to @decoder->have what it has put there.
 */
void *holon_decoder_room(struct holon_decoder *decoder, size_t *room);

/* Is this a header we take on that lane? 0 or -EPROTO. */
int holon_frame_check(const struct holon_frame *frame, u8 version, enum holon_rank rank);

#endif /* _NET_HOLON_FRAME_H */
