/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/detail/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/mem.h"
#include "common/base/units.h"
#include "tracer/detail/spool_format.h"

#define FREE_ALIGN 65536ULL /* no page is larger */

/*
 * Nothing in the file is believed: a block is read whole and decompressed into room that is larger
 * by one record than what it may hold, so that a record can be decoded first and judged after.
 */
struct spool_reader {
	int fd;
	int error;   /* of the last read, stays */
	uint64_t at; /* in the file: where the next block starts */
	uint64_t calls;
	int ended, consume;
	uint64_t freed; /* bytes of the file, from its start */
	ZSTD_DCtx *zstd;
	uint8_t *raw, *packed;
	size_t packed_cap;
	/* the block at hand */
	const uint8_t *next, *end;
	uint32_t left; /* calls */
	uint32_t tid;
	uint64_t entry_ns;
	const struct sys_def *names[SPOOL_BLOCK_CALLS];
	uint32_t names_len;
	struct spool_slot slots[SPOOL_SLOTS];
};

struct spool_reader *spool_reader_new(int fd)
{
	struct spool_reader *r = mem_calloc(1, sizeof(*r));

	r->fd = fd;
	r->packed_cap = ZSTD_compressBound(SPOOL_RAW_MAX);
	r->raw = mem_calloc(SPOOL_RAW_MAX + SPOOL_RECORD_MAX, 1);
	r->packed = mem_calloc(r->packed_cap, 1);
	r->zstd = ZSTD_createDCtx();
	return r;
}

void spool_reader_free(struct spool_reader *r)
{
	if (!r)
		return;
	ZSTD_freeDCtx(r->zstd);
	free(r->raw);
	free(r->packed);
	free(r);
}

void spool_reader_consume(struct spool_reader *r)
{
	r->consume = 1;
}

/* ---- blocks ---- */

static int damaged(const struct spool_reader *r, const char *why, struct err *err)
{
	return err_set(err, -EBADMSG,
		"the recorded calls are damaged after call %llu, near byte %llu: %s",
		(unsigned long long)r->calls, (unsigned long long)r->at, why);
}

/* n bytes, or an error. */
static int read_bytes(struct spool_reader *r, void *buf, size_t n, struct err *err)
{
	for (size_t got = 0; got < n;) {
		ssize_t k = pread(r->fd, (char *)buf + got, n - got, (off_t)(r->at + got));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return err_set(
				err, -errno, "cannot read the recorded calls: %s", strerror(errno));
		if (k == 0)
			return damaged(r, "it is cut short", err);
		got += (size_t)k;
	}
	r->at += n;
	return 0;
}

/* Only whole pages are freed: those that the last time left in part are tried again. */
static void free_read(struct spool_reader *r)
{
	uint64_t from = r->freed & ~(FREE_ALIGN - 1);

	if (fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)from,
		    (off_t)(r->at - from)) < 0)
		r->consume = 0; /* not on this file system */
	r->freed = r->at;
}

static int read_file_header(struct spool_reader *r, struct err *err)
{
	struct spool_file_header h;
	int rc = read_bytes(r, &h, sizeof(h), err);

	if (rc < 0)
		return rc;
	if (memcmp(h.magic, SPOOL_MAGIC, sizeof(h.magic)) != 0)
		return err_set(err, -EBADMSG, "this is no file of recorded calls");
	if (h.byte_order != SPOOL_BYTE_ORDER)
		return err_set(err, -ENOTSUP,
			"the recorded calls are of a machine with another byte order");
	if (h.version != SPOOL_VERSION || h.record_bytes != SPOOL_RECORD_MAX ||
		h.block_calls != SPOOL_BLOCK_CALLS)
		return err_set(err, -ENOTSUP,
			"the recorded calls are of version %u (%u, %u); this is version %u (%u, "
			"%u)",
			h.version, h.record_bytes, h.block_calls, SPOOL_VERSION,
			(unsigned int)SPOOL_RECORD_MAX, SPOOL_BLOCK_CALLS);
	return 0;
}

static int read_end(struct spool_reader *r, const struct spool_block_header *h, struct err *err)
{
	char more;

	if (h->calls || h->raw_bytes || h->packed_bytes || h->calls_before != r->calls)
		return damaged(r, "its end does not fit", err);
	if (pread(r->fd, &more, 1, (off_t)r->at) != 0)
		return damaged(r, "it goes on after its end", err);
	r->ended = 1;
	return 0;
}

static int is_block(const struct spool_reader *r, const struct spool_block_header *h)
{
	return h->mark == SPOOL_BLOCK_MARK && h->calls && h->calls <= SPOOL_BLOCK_CALLS &&
	       h->raw_bytes <= SPOOL_RAW_MAX && h->packed_bytes <= r->packed_cap &&
	       h->calls_before == r->calls;
}

/* The next block, or the end. */
static int read_block(struct spool_reader *r, struct err *err)
{
	struct spool_block_header h = {0};
	size_t raw;
	int rc = r->at ? 0 : read_file_header(r, err);

	if (rc == 0)
		rc = read_bytes(r, &h, sizeof(h), err);
	if (rc < 0)
		return rc;
	if (h.mark == SPOOL_END_MARK)
		return read_end(r, &h, err);
	if (!is_block(r, &h))
		return damaged(r, "no block starts here", err);
	rc = read_bytes(r, r->packed, h.packed_bytes, err);
	if (rc < 0)
		return rc;
	if (r->consume)
		free_read(r);
	raw = ZSTD_decompressDCtx(r->zstd, r->raw, SPOOL_RAW_MAX, r->packed, h.packed_bytes);
	if (ZSTD_isError(raw))
		return damaged(r, ZSTD_getErrorName(raw), err);
	if (raw != h.raw_bytes)
		return damaged(r, "a block of another length", err);
	r->next = r->raw;
	r->end = r->raw + raw;
	r->left = h.calls;
	r->tid = 0;
	r->entry_ns = 0;
	r->names_len = 0;
	memset(r->slots, 0, sizeof(r->slots));
	return 0;
}

/* ---- records ---- */

static uint64_t get(struct spool_reader *r)
{
	uint64_t v = 0;

	for (unsigned int shift = 0; shift < 64; shift += 7) {
		uint8_t byte = *r->next++;

		v |= (uint64_t)(byte & 0x7f) << shift;
		if (byte < 0x80)
			break;
	}
	return v;
}

static uint64_t get_difference(struct spool_reader *r, uint64_t from)
{
	uint64_t v = get(r);

	return from + (v >> 1 ^ (0 - (v & 1)));
}

/* NULL: a name that is no call's. */
static const struct sys_def *def_named(const char *name)
{
	static const char prefix[] = "syscall_";
	const struct sys_def *def = sys_by_name(name);
	uint64_t nr;

	/* A number without a name: has this process met it? */
	if (def || strncmp(name, prefix, sizeof(prefix) - 1) != 0 ||
		units_parse_u64(name + sizeof(prefix) - 1, 0, UINT32_MAX, &nr, NULL) < 0)
		return def;
	return sys_by_number(ABI_NATIVE, (uint32_t)nr);
}

/* The def of the name at hand, NULL if there is none; its text follows at the first use. */
static const struct sys_def *get_name(struct spool_reader *r, uint32_t *ret)
{
	char name[SPOOL_NAME_MAX + 1];
	uint64_t number = get(r);
	uint8_t len;

	*ret = (uint32_t)number;
	if (number < r->names_len)
		return r->names[number];
	len = *r->next++;
	if (number != r->names_len || number >= SPOOL_BLOCK_CALLS || len > SPOOL_NAME_MAX)
		return NULL;
	memcpy(name, r->next, len);
	name[len] = '\0';
	r->next += len;
	return r->names[r->names_len++] = def_named(name);
}

static void get_words(struct spool_reader *r, uint32_t mask, struct spool_slot *slot)
{
	for (; mask; mask &= mask - 1) {
		int i = __builtin_ctz(mask);

		slot->word[i] = get_difference(r, slot->word[i]);
	}
}

static void event_of(const uint64_t *w, struct sys_event *ev)
{
	ev->outcome = (enum outcome)w[WORD_OUTCOME];
	memcpy(ev->args, &w[WORD_ARGS], sizeof(ev->args));
	ev->ret = (int64_t)w[WORD_RET];
	ev->m = (struct measure){.bytes_asked = w[WORD_BYTES_ASKED],
		.bytes_moved = w[WORD_BYTES_MOVED],
		.batch_asked = w[WORD_BATCH_ASKED],
		.batch_moved = w[WORD_BATCH_MOVED],
		.dgrams_asked = NOT_MEASURED,
		.dgrams_moved = NOT_MEASURED};
}

/* 0, or -1: no such record can have been written. */
static int get_event(struct spool_reader *r, struct sys_event *ev)
{
	uint32_t mask = r->next[0] | (uint32_t)r->next[1] << 8, name;
	struct spool_slot *slot;

	*ev = (struct sys_event){0};
	if (mask >> WORD_COUNT)
		return -1;
	r->next += 2;
	ev->def = get_name(r, &name);
	if (!ev->def)
		return -1;
	r->tid = (uint32_t)get_difference(r, r->tid);
	r->entry_ns = get_difference(r, r->entry_ns);
	ev->tid = (int32_t)r->tid;
	ev->entry_ns = r->entry_ns;
	ev->exit_ns = get_difference(r, r->entry_ns);
	slot = &r->slots[spool_slot_of(name, r->tid)];
	get_words(r, mask, slot);
	event_of(slot->word, ev);
	if (r->next > r->end || slot->word[WORD_OUTCOME] > SYS_NO_RETURN)
		return -1;
	return --r->left || r->next == r->end ? 0 : -1;
}

int spool_read(struct spool_reader *r, struct sys_event *ret_ev, struct err *err)
{
	if (!r->error && !r->left && !r->ended)
		r->error = read_block(r, err);
	else if (r->error)
		err_set(err, r->error, "the recorded calls cannot be read");
	if (r->error || r->ended)
		return r->error;
	if (get_event(r, ret_ev) < 0) {
		r->error = damaged(r, "a record that no call makes", err);
		return r->error;
	}
	r->calls++;
	return 1;
}
