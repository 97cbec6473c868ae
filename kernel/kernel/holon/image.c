// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing and reading images: records in the framing of ELF notes.
 *
 * The reader believes nothing: every length is checked against what is left,
 * and a record that it cannot step over ends the image with an error.
 */
#define pr_fmt(fmt) "holon: " fmt

#include <linux/align.h>
#include <linux/elf.h>
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/vmalloc.h>

#include "image.h"

#define NOTE_NAME	"HOLON"

struct note {
	__le32 namesz, descsz, type;
	char name[8];
} __packed __aligned(4);

/**
 * holon_image_add - append an empty record
 * @image: being written
 * @type: of the record
 * @len: of its content
 *
 * Return: where the content goes, zeroed, valid until the next record is
 *	added; NULL without memory or when the image becomes too large.
 */
void *holon_image_add(struct holon_image *image, u32 type, size_t len)
{
	size_t need, size;
	struct note *note;
	void *data;

	if (len > HOLON_IMAGE_MAX)
		return NULL;
	need = sizeof(*note) + ALIGN(len, 4);
	if (need > HOLON_IMAGE_MAX - image->len)
		return NULL;
	if (image->len + need > image->size) {
		size = clamp_t(size_t, image->size * 2, PAGE_SIZE, HOLON_IMAGE_MAX);
		size = max(size, image->len + need);
		data = kvrealloc(image->data, size, GFP_KERNEL_ACCOUNT);
		if (!data)
			return NULL;
		image->data = data;
		image->size = size;
	}
	note = image->data + image->len;
	memset(note, 0, need);
	note->namesz = cpu_to_le32(sizeof(NOTE_NAME));
	note->descsz = cpu_to_le32(len);
	note->type = cpu_to_le32(type);
	memcpy(note->name, NOTE_NAME, sizeof(NOTE_NAME));
	image->len += need;
	return note + 1;
}

/**
 * holon_image_put - append a record
 * @image: being written
 * @type: of the record
 * @data: content
 * @len: its length
 *
 * Return: 0 or -ENOMEM.
 */
int holon_image_put(struct holon_image *image, u32 type, const void *data, size_t len)
{
	void *to = holon_image_add(image, type, len);

	if (!to)
		return -ENOMEM;
	memcpy(to, data, len);
	return 0;
}

/**
 * holon_image_next - read a record
 * @image: untrusted
 * @pos: where; 0 at first, moved to the next record
 * @record: filled in; its data lies in the image, aligned to 4
 *
 * Return: 1, 0 at the end, -EBADMSG. On errors @pos stays.
 */
int holon_image_next(const struct holon_image *image, size_t *pos, struct holon_record *record)
{
	size_t left = image->len - *pos, len, step;
	const struct note *note;

	if (!left)
		return 0;
	if (left < sizeof(*note))
		return -EBADMSG;
	note = image->data + *pos;
	if (le32_to_cpu(note->namesz) != sizeof(NOTE_NAME) ||
	    memcmp(note->name, NOTE_NAME, sizeof(NOTE_NAME)))
		return -EBADMSG;
	len = le32_to_cpu(note->descsz);
	left -= sizeof(*note);
	if (len > left)
		return -EBADMSG;
	step = ALIGN(len, 4);
	if (step > left)
		return -EBADMSG;
	record->type = le32_to_cpu(note->type);
	record->data = note + 1;
	record->len = len;
	*pos += sizeof(*note) + step;
	return 1;
}

void holon_image_free(struct holon_image *image)
{
	/* An ABORT frees in the receive work, which must not sleep. */
	if (is_vmalloc_addr(image->data))
		vfree_atomic(image->data);
	else
		kfree(image->data);
	*image = (struct holon_image){};
}
