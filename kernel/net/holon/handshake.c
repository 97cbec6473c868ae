// SPDX-License-Identifier: GPL-2.0-only
/*
 * The records of the handshake: filling in and checking. What is done with
 * them, and when, is in peer.c.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
#include <linux/string.h>

#include "handshake.h"
#include "net.h"

#ifdef MODULE_PARAM_PREFIX
#undef MODULE_PARAM_PREFIX
#endif
#define MODULE_PARAM_PREFIX "holon."

void holon_wire_ident_put(struct holon_wire_ident *wire, const struct holon_ident *ident)
{
	memset(wire, 0, sizeof(*wire));
	wire->incarnation = cpu_to_le64(ident->incarnation);
	export_uuid(wire->uuid, &ident->uuid);
	wire->id = ident->id;
}

int holon_wire_ident_get(struct holon_ident *ident, const struct holon_wire_ident *wire)
{
	memset(ident, 0, sizeof(*ident));
	if (!wire->incarnation || !wire->id ||
	    memchr_inv(wire->reserved, 0, sizeof(wire->reserved)))
		return -EPROTO;
	ident->incarnation = le64_to_cpu(wire->incarnation);
	import_uuid(&ident->uuid, wire->uuid);
	ident->id = wire->id;
	return 0;
}

void holon_handshake_init(struct holon_handshake *record, enum holon_handshake_kind kind,
			  enum holon_rank rank, u64 attempt, const char *cluster)
{
	struct holon_ident self;

	memset(record, 0, sizeof(*record));
	record->magic = cpu_to_le32(HOLON_HANDSHAKE_MAGIC);
	record->kind = kind;
	record->rank = rank;
	record->protocol_min = cpu_to_le16(holon_protocol_min());
	record->protocol_max = cpu_to_le16(holon_protocol_max());
	record->attempt = cpu_to_le64(attempt);
	holon_node_ident(&self);
	holon_wire_ident_put(&record->from, &self);
	record->encrypt = holon_net_encrypts();
	strscpy_pad(record->cluster, cluster);
}

static bool terminated(const char *text, size_t size)
{
	return strnlen(text, size) < size;
}

int holon_handshake_check(struct holon_handshake *record, enum holon_handshake_kind kind)
{
	struct holon_ident ident;

	if (le32_to_cpu(record->magic) != HOLON_HANDSHAKE_MAGIC || record->kind != kind ||
	    record->rank >= HOLON_RANKS || record->encrypt > 1 ||
	    memchr_inv(record->reserved, 0, sizeof(record->reserved)))
		return -EPROTO;
	if (!terminated(record->cluster, sizeof(record->cluster)) ||
	    !terminated(record->reason, sizeof(record->reason)))
		return -EPROTO;
	if (le16_to_cpu(record->protocol_min) > le16_to_cpu(record->protocol_max))
		return -EPROTO;
	/* Who refuses may have lost, or not yet have, what it would name. */
	if (record->status)
		return kind == HOLON_HANDSHAKE_ANSWER || kind == HOLON_HANDSHAKE_VERDICT ?
		       0 : -EPROTO;
	if (holon_wire_ident_get(&ident, &record->from) ||
	    holon_wire_ident_get(&ident, &record->to))
		return -EPROTO;
	return 0;
}

#ifdef CONFIG_HOLON_DEBUG
/* Take part as a build of other versions would: "MIN-MAX". */
static u16 other_min, other_max;

static int protocol_param_set(const char *text, const struct kernel_param *kp)
{
	u16 min, max;

	if (sscanf(text, "%hu-%hu", &min, &max) != 2 || !min || min > max || max > U8_MAX)
		return -EINVAL;
	other_min = min;
	other_max = max;
	return 0;
}

static const struct kernel_param_ops protocol_ops = { .set = protocol_param_set };
module_param_cb(protocol, &protocol_ops, NULL, 0);
MODULE_PARM_DESC(protocol, "range of protocol versions to speak, for tests of upgrades");
#else
#define other_min 0
#define other_max 0
#endif

u16 holon_protocol_min(void)
{
	return other_min ?: HOLON_PROTOCOL_MIN;
}

u16 holon_protocol_max(void)
{
	return other_max ?: HOLON_PROTOCOL_MAX;
}

u16 holon_protocol_agree(u16 min, u16 max)
{
	u16 version = min(max, holon_protocol_max());

	return version >= max(min, holon_protocol_min()) ? version : 0;
}
