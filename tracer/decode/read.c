/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/read.h"

#include <errno.h>
#include <string.h>

#include "common/base/units.h"

/* Offsets in struct msghdr and struct mmsghdr, native and compat (include/net/compat.h). */
struct layout {
	size_t msg_bytes, mmsg_stride;
	size_t word_bytes; /* of pointers and sizes */
	size_t iov, iov_count, control, control_bytes, flags, len_bytes;
};

static const struct layout native = {56, 64, 8, 16, 24, 32, 40, 48, 56};
static const struct layout compat = {28, 32, 4, 8, 12, 16, 20, 24, 28};

static const struct layout *layout_of(const struct sys_event *ev)
{
	return is_compat(ev) ? &compat : &native;
}

int read_exact(const struct mem_reader *mem, uint64_t addr, void *buf, size_t len)
{
	ssize_t n = len ? mem->read(mem->ctx, addr, buf, len) : 0;

	return n >= 0 && (size_t)n == len ? 0 : -EFAULT;
}

static uint64_t word(const uint8_t *p, size_t bytes)
{
	uint64_t wide;
	uint32_t narrow;

	if (bytes == sizeof(wide)) {
		memcpy(&wide, p, sizeof(wide));
		return wide;
	}
	memcpy(&narrow, p, sizeof(narrow));
	return narrow;
}

size_t msg_bytes(const struct sys_event *ev)
{
	return layout_of(ev)->msg_bytes;
}

size_t mmsg_stride(const struct sys_event *ev)
{
	return layout_of(ev)->mmsg_stride;
}

void msg_parse(const struct sys_event *ev, const uint8_t *p, struct msg *ret)
{
	const struct layout *l = layout_of(ev);

	*ret = (struct msg){
		.iov = word(p + l->iov, l->word_bytes),
		.iov_count = word(p + l->iov_count, l->word_bytes),
		.control = word(p + l->control, l->word_bytes),
		.control_bytes = word(p + l->control_bytes, l->word_bytes),
		.flags = (uint32_t)word(p + l->flags, sizeof(uint32_t)),
	};
}

void mmsg_parse(const struct sys_event *ev, const uint8_t *p, struct msg *ret)
{
	msg_parse(ev, p, ret);
	ret->len_bytes = (uint32_t)word(p + layout_of(ev)->len_bytes, sizeof(uint32_t));
}

int iov_read(const struct decode_in *in, uint64_t addr, uint64_t count, struct iov_lengths *ret)
{
	size_t bytes = layout_of(in->ev)->word_bytes;
	uint8_t raw[IOV_MAX_KERNEL * 2 * sizeof(uint64_t)];

	if (count > IOV_MAX_KERNEL)
		return -EINVAL;
	if (read_exact(in->mem, addr, raw, (size_t)count * 2 * bytes) < 0)
		return -EFAULT;
	ret->len = (size_t)count;
	for (size_t i = 0; i < ret->len; i++)
		ret->at[i] = word(raw + (2 * i + 1) * bytes, bytes);
	return 0;
}

int iov_sum(const struct decode_in *in, uint64_t addr, uint64_t count, uint64_t *ret_bytes)
{
	struct iov_lengths iov;
	uint64_t sum = 0;
	int rc = iov_read(in, addr, count, &iov);

	if (rc < 0)
		return rc;
	for (size_t i = 0; i < iov.len; i++)
		sum = sat_add(sum, iov.at[i]);
	*ret_bytes = sum;
	return 0;
}

int control_next(struct control *c, int narrow)
{
	size_t bytes = narrow ? 4 : 8, header = bytes + 8, step;
	uint64_t len;

	if (c->left < header)
		return 0;
	len = word(c->next, bytes);
	if (len < header || len > c->left)
		return 0;
	memcpy(&c->level, c->next + bytes, sizeof(c->level));
	memcpy(&c->type, c->next + bytes + sizeof(c->level), sizeof(c->type));
	c->data = c->next + header;
	c->len = (size_t)len - header;
	step = ((size_t)len + bytes - 1) & ~(bytes - 1);
	if (step > c->left)
		step = c->left; /* nothing can follow */
	c->next += step;
	c->left -= step;
	return 1;
}
