/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/detail/spool.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "tracer/detail/spool_format.h"

#define BLOCKS     3
#define ZSTD_LEVEL 1 /* the records are small before it: more gains little */

struct block {
	struct sys_event *ev; /* SPOOL_BLOCK_CALLS */
	size_t len;
};

/* Names of a block, in the order of their first use. */
struct names {
	struct {
		uint32_t *at; /* by row index: its place in the order + 1, 0 = not in this block */
		size_t len, cap;
	} known;
	uint32_t used[SPOOL_BLOCK_CALLS]; /* row indexes */
	uint32_t used_len;
};

/* The writer's own. */
struct packer {
	ZSTD_CCtx *zstd;
	uint8_t *raw, *packed;
	size_t packed_cap;
	struct names names;
	struct spool_slot slots[SPOOL_SLOTS];
	uint64_t calls, file_bytes; /* in the file, in whole blocks */
};

struct spool {
	/* the adding thread's */
	struct sys_event *at, *end; /* where the next call goes, in `fill` */
	struct block *fill;         /* NULL before the first call and when no more is taken */
	uint64_t max_calls;         /* beyond the blocks begun so far */
	/* shared, under the lock */
	pthread_mutex_t lock;
	pthread_cond_t filled_more, emptied_more;
	uint64_t filled, emptied; /* blocks since the start */
	int closing;
	int error; /* negative errno of the first failed write */

	struct block blocks[BLOCKS];
	int fd;
	int started, stopped; /* the thread */
	pthread_t thread;
	struct packer packer;
};

/* ---- records ---- */

static uint8_t *put(uint8_t *p, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		*p++ = (uint8_t)(v | 0x80);
	*p++ = (uint8_t)v;
	return p;
}

/* Small for small differences of either sign. */
static uint8_t *put_difference(uint8_t *p, uint64_t from, uint64_t to)
{
	uint64_t d = to - from;

	return put(p, d << 1 ^ (0 - (d >> 63)));
}

/* What of a call its line can show, by the letters of its row. */
static void words_of(const struct sys_event *ev, uint64_t *w)
{
	const char *letters = ev->def->args;
	int asked = 0, moved = 0;

	memset(&w[WORD_ARGS], 0, 6 * sizeof(*w));
	for (size_t i = 0; i < 6 && letters[i] && letters[i] != '>'; i++) {
		if (letters[i] != '-')
			w[WORD_ARGS + i] = ev->args[i];
		asked |= letters[i] == 'V' || letters[i] == 'M';
		moved |= letters[i] == 'M' || letters[i] == 'R';
	}
	w[WORD_OUTCOME] = ev->outcome;
	w[WORD_RET] = (uint64_t)ev->ret;
	w[WORD_BYTES_ASKED] = asked ? ev->m.bytes_asked : NOT_MEASURED;
	w[WORD_BYTES_MOVED] = moved ? ev->m.bytes_moved : NOT_MEASURED;
	w[WORD_BATCH_ASKED] = asked ? ev->m.batch_asked : NOT_MEASURED;
	w[WORD_BATCH_MOVED] = moved ? ev->m.batch_moved : NOT_MEASURED;
}

/* The words that differ from the slot's, and in front of them which ones these are. */
static uint8_t *put_words(uint8_t *mask_at, uint8_t *p, struct spool_slot *slot, const uint64_t *w)
{
	uint32_t mask = 0;

	for (uint32_t i = 0; i < WORD_COUNT; i++) {
		if (w[i] == slot->word[i])
			continue;
		mask |= 1U << i;
		p = put_difference(p, slot->word[i], w[i]);
		slot->word[i] = w[i];
	}
	mask_at[0] = (uint8_t)mask;
	mask_at[1] = (uint8_t)(mask >> 8);
	return p;
}

/* The name's number in this block; its text follows the number at its first use. */
static uint8_t *put_name(uint8_t *p, struct names *n, const struct sys_def *def, uint32_t *ret)
{
	size_t len;

	if (def->index >= n->known.len) {
		size_t had = n->known.len;

		n->known.len = def->index + 1U;
		mem_vec_grow(
			(void **)&n->known.at, &n->known.cap, n->known.len, sizeof(*n->known.at));
		memset(n->known.at + had, 0, (n->known.len - had) * sizeof(*n->known.at));
	}
	if (n->known.at[def->index]) {
		*ret = n->known.at[def->index] - 1;
		return put(p, *ret);
	}
	*ret = n->used_len;
	n->used[n->used_len++] = def->index;
	n->known.at[def->index] = n->used_len;
	p = put(p, *ret);
	len = strnlen(def->name, SPOOL_NAME_MAX);
	*p++ = (uint8_t)len;
	memcpy(p, def->name, len);
	return p + len;
}

static void names_clear(struct names *n)
{
	while (n->used_len)
		n->known.at[n->used[--n->used_len]] = 0;
}

/* All of a block's calls at raw; returns how many bytes. A block needs no other one to be read. */
static size_t encode(struct packer *pk, const struct block *b)
{
	uint64_t w[WORD_COUNT], entry_ns = 0;
	uint32_t tid = 0, name;
	uint8_t *p = pk->raw;

	memset(pk->slots, 0, sizeof(pk->slots));
	names_clear(&pk->names);
	for (size_t i = 0; i < b->len; i++) {
		const struct sys_event *ev = &b->ev[i];
		uint8_t *mask_at = p;

		p = put_name(p + 2, &pk->names, ev->def, &name);
		p = put_difference(p, tid, (uint32_t)ev->tid);
		p = put_difference(p, entry_ns, ev->entry_ns);
		p = put_difference(p, ev->entry_ns, ev->exit_ns);
		words_of(ev, w);
		p = put_words(mask_at, p, &pk->slots[spool_slot_of(name, (uint32_t)ev->tid)], w);
		tid = (uint32_t)ev->tid;
		entry_ns = ev->entry_ns;
	}
	return (size_t)(p - pk->raw);
}

/* ---- the file ---- */

static int write_header(struct spool *s)
{
	struct spool_file_header h = {.version = SPOOL_VERSION,
		.byte_order = SPOOL_BYTE_ORDER,
		.record_bytes = SPOOL_RECORD_MAX,
		.block_calls = SPOOL_BLOCK_CALLS};
	int rc;

	memcpy(h.magic, SPOOL_MAGIC, sizeof(h.magic));
	rc = out_write_all(s->fd, &h, sizeof(h));
	if (rc == 0)
		s->packer.file_bytes = sizeof(h);
	return rc;
}

static int write_block(struct spool *s, const struct block *b)
{
	struct packer *pk = &s->packer;
	struct spool_block_header h = {
		.mark = SPOOL_BLOCK_MARK, .calls = (uint32_t)b->len, .calls_before = pk->calls};
	size_t raw = encode(pk, b);
	size_t packed = ZSTD_compress2(
		pk->zstd, pk->packed + sizeof(h), pk->packed_cap - sizeof(h), pk->raw, raw);
	int rc;

	if (ZSTD_isError(packed))
		return -ENOMEM; /* the room is enough for the worst case */
	h.raw_bytes = (uint32_t)raw;
	h.packed_bytes = (uint32_t)packed;
	memcpy(pk->packed, &h, sizeof(h));
	rc = out_write_all(s->fd, pk->packed, sizeof(h) + packed);
	if (rc == 0) {
		pk->calls += b->len;
		pk->file_bytes += sizeof(h) + packed;
	}
	return rc;
}

static int write_end(struct spool *s)
{
	struct spool_block_header h = {.mark = SPOOL_END_MARK, .calls_before = s->packer.calls};

	return out_write_all(s->fd, &h, sizeof(h));
}

/* ---- the writer ---- */

static void set_error(struct spool *s, int error)
{
	/* A half block gives its room back to the text; should that fail, readers stop there. */
	int rc = ftruncate(s->fd, (off_t)s->packer.file_bytes);

	(void)rc;
	pthread_mutex_lock(&s->lock);
	s->error = error;
	pthread_cond_signal(&s->emptied_more);
	pthread_mutex_unlock(&s->lock);
}

/* The next full block, NULL when there will be none. */
static struct block *take_block(struct spool *s)
{
	struct block *b = NULL;

	pthread_mutex_lock(&s->lock);
	while (s->filled == s->emptied && !s->closing)
		pthread_cond_wait(&s->filled_more, &s->lock);
	if (s->filled != s->emptied)
		b = &s->blocks[s->emptied % BLOCKS];
	pthread_mutex_unlock(&s->lock);
	return b;
}

static void give_back(struct spool *s)
{
	pthread_mutex_lock(&s->lock);
	s->emptied++;
	pthread_cond_signal(&s->emptied_more);
	pthread_mutex_unlock(&s->lock);
}

static void *writer(void *arg)
{
	struct spool *s = arg;
	struct block *b;
	int rc = write_header(s);

	while (rc == 0 && (b = take_block(s)) != NULL) {
		rc = write_block(s, b);
		if (rc == 0)
			give_back(s);
	}
	if (rc == 0)
		rc = write_end(s);
	if (rc < 0)
		set_error(s, rc);
	return NULL;
}

static int start_writer(struct spool *s, struct err *err)
{
	sigset_t all, before;
	int rc;

	sigfillset(&all); /* signals are for the threads that expect them */
	pthread_sigmask(SIG_SETMASK, &all, &before);
	rc = -pthread_create(&s->thread, NULL, writer, s);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (rc < 0)
		return err_set(err, rc, "cannot start a thread: %s", strerror(-rc));
	s->started = 1;
	return 0;
}

static void stop_writer(struct spool *s)
{
	if (!s->started || s->stopped)
		return;
	pthread_mutex_lock(&s->lock);
	s->closing = 1;
	pthread_cond_signal(&s->filled_more);
	pthread_mutex_unlock(&s->lock);
	pthread_join(s->thread, NULL);
	s->stopped = 1;
}

/* ---- adding ---- */

static void hand_over(struct spool *s)
{
	s->fill->len = (size_t)(s->at - s->fill->ev);
	s->fill = NULL;
	s->at = s->end = NULL;
	pthread_mutex_lock(&s->lock);
	s->filled++;
	pthread_cond_signal(&s->filled_more);
	pthread_mutex_unlock(&s->lock);
}

/* Waits for a free block. 0 if nothing more is to be taken. */
static int begin_block(struct spool *s)
{
	uint64_t room = s->max_calls < SPOOL_BLOCK_CALLS ? s->max_calls : SPOOL_BLOCK_CALLS;
	int takes;

	pthread_mutex_lock(&s->lock);
	while (s->filled - s->emptied == BLOCKS && !s->error)
		pthread_cond_wait(&s->emptied_more, &s->lock);
	takes = !s->error && !s->closing;
	if (takes)
		s->fill = &s->blocks[s->filled % BLOCKS];
	pthread_mutex_unlock(&s->lock);
	if (!takes) {
		s->max_calls = 0;
		return 0;
	}
	s->max_calls -= room;
	s->at = s->fill->ev;
	s->end = s->at + room;
	return 1;
}

/* Once in many calls: kept out of the way of the others. */
static __attribute__((noinline)) int next_block(struct spool *s)
{
	if (s->fill)
		hand_over(s);
	return s->max_calls && begin_block(s);
}

int spool_add(struct spool *s, const struct sys_event *ev)
{
	if (s->at == s->end && !next_block(s))
		return 0;
	*s->at++ = *ev;
	return 1;
}

int spool_finish(struct spool *s, struct err *err)
{
	if (s->fill && s->at != s->fill->ev)
		hand_over(s);
	s->fill = NULL;
	s->at = s->end = NULL;
	s->max_calls = 0;
	stop_writer(s);
	if (s->error)
		return err_set(err, s->error, "cannot write the detail's temporary file: %s",
			strerror(-s->error));
	return 0;
}

int spool_fd(const struct spool *s)
{
	return s->fd;
}

/* ---- the spool ---- */

/* A file that no name leads to: it is gone when its descriptor is. */
static int open_nameless(const char *dir, struct err *err)
{
	cleanup_free char *name = NULL;
	int fd = open(dir, O_TMPFILE | O_RDWR | O_EXCL | O_CLOEXEC, 0600);

	if (fd >= 0)
		return fd;
	/* Not every file system has O_TMPFILE. */
	name = mem_printf("%s/.iotrace.XXXXXX", dir);
	fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "cannot make a temporary file in %s: %s", dir,
			strerror(errno));
	unlink(name);
	return fd;
}

static int packer_init(struct packer *pk, struct err *err)
{
	pk->packed_cap = sizeof(struct spool_block_header) + ZSTD_compressBound(SPOOL_RAW_MAX);
	pk->raw = mem_calloc(SPOOL_RAW_MAX, 1);
	pk->packed = mem_calloc(pk->packed_cap, 1);
	pk->zstd = ZSTD_createCCtx();
	if (!pk->zstd)
		return err_set(err, -ENOMEM, "cannot start the compression: out of memory");
	ZSTD_CCtx_setParameter(pk->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL);
	ZSTD_CCtx_setParameter(pk->zstd, ZSTD_c_checksumFlag, 1);
	return 0;
}

static int spool_init(struct spool *s, const char *dir, struct err *err)
{
	int rc;

	for (int i = 0; i < BLOCKS; i++)
		s->blocks[i].ev = mem_calloc(SPOOL_BLOCK_CALLS, sizeof(struct sys_event));
	rc = packer_init(&s->packer, err);
	if (rc < 0)
		return rc;
	s->fd = open_nameless(dir, err);
	return s->fd < 0 ? s->fd : start_writer(s, err);
}

int spool_new(struct spool **ret, const char *dir, uint64_t max_calls, struct err *err)
{
	struct spool *s = mem_calloc(1, sizeof(*s));
	int rc;

	s->fd = -1;
	s->max_calls = max_calls;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->filled_more, NULL);
	pthread_cond_init(&s->emptied_more, NULL);
	rc = spool_init(s, dir, err);
	if (rc < 0)
		spool_free(s);
	else
		*ret = s;
	return rc;
}

void spool_free(struct spool *s)
{
	if (!s)
		return;
	stop_writer(s);
	if (s->fd >= 0)
		close(s->fd);
	for (int i = 0; i < BLOCKS; i++)
		free(s->blocks[i].ev);
	ZSTD_freeCCtx(s->packer.zstd);
	free(s->packer.raw);
	free(s->packer.packed);
	free(s->packer.names.known.at);
	pthread_mutex_destroy(&s->lock);
	pthread_cond_destroy(&s->filled_more);
	pthread_cond_destroy(&s->emptied_more);
	free(s);
}
