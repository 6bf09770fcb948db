/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Files of recorded calls. An input that begins with the magic is such a file; any other is the
 * records of one block, as no mutation of a compressed block gets as far as that.
 */
#include <zstd.h>

#include "tests/fuzz/fuzz.h"
#include "tracer/detail/detail.h"
#include "tracer/detail/spool.h"
#include "tracer/detail/spool_format.h"

static uint8_t file[1 << 18];

static size_t put(size_t at, const void *bytes, size_t n)
{
	memcpy(file + at, bytes, n);
	return at + n;
}

/* The first two bytes are how many calls the block is said to have. */
static size_t block_of(const uint8_t *data, size_t size)
{
	struct spool_file_header h = {.version = SPOOL_VERSION,
		.byte_order = SPOOL_BYTE_ORDER,
		.record_bytes = SPOOL_RECORD_MAX,
		.block_calls = SPOOL_BLOCK_CALLS};
	struct spool_block_header b = {.mark = SPOOL_BLOCK_MARK};
	size_t at = sizeof(h) + sizeof(b), packed;

	b.calls = 1 + (data[0] | (uint32_t)data[1] << 8) % SPOOL_BLOCK_CALLS;
	b.raw_bytes = (uint32_t)(size - 2);
	packed = ZSTD_compress(file + at, sizeof(file) - 2 * at, data + 2, size - 2, 1);
	FUZZ_CHECK(!ZSTD_isError(packed));
	b.packed_bytes = (uint32_t)packed;
	memcpy(h.magic, SPOOL_MAGIC, sizeof(h.magic));
	put(put(0, &h, sizeof(h)), &b, sizeof(b));
	b = (struct spool_block_header){.mark = SPOOL_END_MARK, .calls_before = b.calls};
	return put(at + packed, &b, sizeof(b));
}

static void print(struct out *o, const struct sys_event *ev)
{
	out_init_mem(o);
	detail_line(o, ev, 0);
	FUZZ_CHECK(o->len >= DETAIL_LINE_MIN && out_text(o)[o->len - 1] == '\n');
	out_release(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spool_reader *r;
	struct sys_event ev;
	struct err err = {0};
	struct out o;
	int rc, fd;

	if (size < 2 || size > sizeof(file) / 2)
		return 0;
	if (size >= 8 && memcmp(data, SPOOL_MAGIC, 8) == 0)
		fd = fuzz_fd(0, data, size);
	else
		fd = fuzz_fd(0, file, block_of(data, size));
	r = spool_reader_new(fd);
	while ((rc = spool_read(r, &ev, &err)) > 0)
		print(&o, &ev);
	FUZZ_CHECK(rc == 0 || err.text[0]);
	spool_reader_free(r);
	return 0;
}
