/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/tally.h"

#include <stdlib.h>
#include <string.h>

#include "tracer/agg/asks.h"

struct tally *tally_new(const struct sys_def *def)
{
	struct tally *t = mem_calloc(1, sizeof(*t));

	t->def = def;
	return t;
}

void tally_free(struct tally *t)
{
	if (!t)
		return;
	counts_release(&t->errnos);
	hist_release(&t->latency);
	hist_release(&t->bytes_moved);
	hist_release(&t->small);
	hist_release(&t->dgrams_moved);
	batch_release(&t->batch);
	free(t);
}

/* Summed from the first call on: a segmented one may come late, and then those before it count too.
 * Plain messages are one datagram each, decoders say. */
static void add_datagrams(struct tally *t, const struct measure *m)
{
	call_sum(&t->dgrams_asked, m->dgrams_asked);
	if (m->dgrams_moved != NOT_MEASURED)
		hist_add(&t->dgrams_moved, m->dgrams_moved, 1);
	if (!m->segmented)
		return;
	t->dgrams_asked_unknown += m->dgrams_asked == NOT_MEASURED;
	t->dgrams_moved_unknown += m->dgrams_moved == NOT_MEASURED;
}

void tally_add(struct tally *t, const struct call *c)
{
	const struct sys_event *ev = c->ev;

	t->fates[c->fate]++;
	t->unreadable += ev->m.unreadable != 0;
	t->segmented += ev->m.segmented != 0;
	if (c->fate != CALL_NO_RETURN)
		hist_add(&t->latency, c->wall_ns, 1);
	if (ev->m.bytes_asked != NOT_MEASURED) {
		t->bytes_asked_calls++;
		t->bytes_asked = sat_add(t->bytes_asked, ev->m.bytes_asked);
	}
	if (c->bytes_moved != NOT_MEASURED)
		hist_add(&t->bytes_moved, c->bytes_moved, 1);
	/* NOT_MEASURED is not small. What mappings "move" are lengths. */
	if (c->bytes_moved && c->bytes_moved <= TALLY_SMALL_BYTES && t->def->class != CLASS_MEMORY)
		hist_add(&t->small, c->wall_ns, 1);
	if (t->def->unit != BATCH_NONE)
		batch_add(&t->batch, c);
	if (c->fate == CALL_OK)
		add_datagrams(t, &ev->m);
	else if (c->fate == CALL_ERROR)
		counts_add(&t->errnos, (uint64_t)-ev->ret, 1);
}

uint64_t tally_calls(const struct tally *t)
{
	return t->fates[CALL_OK] + t->fates[CALL_ERROR] + t->fates[CALL_INTERRUPTED] +
	       t->fates[CALL_NO_RETURN];
}

int tally_has_bytes(const struct tally *t)
{
	return t->def->bytes || t->def->bytes_ret || t->def->bytes_decoded ||
	       t->bytes_asked_calls || t->bytes_moved.count;
}

int tally_knows_moved_bytes(const struct tally *t)
{
	return tally_has_bytes(t) && (t->bytes_moved.count || t->fates[CALL_OK] == 0);
}

int tally_knows_asked_units(const struct tally *t)
{
	return t->def->unit != BATCH_NONE && (t->batch.asked_calls || t->fates[CALL_OK] == 0);
}

int tally_knows_moved_units(const struct tally *t)
{
	return t->def->unit != BATCH_NONE && (t->batch.moved_calls || t->fates[CALL_OK] == 0);
}

/* ---- result ---- */

static int by_count_then_name(const void *a, const void *b)
{
	const struct res_count *x = a, *y = b;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	return strcmp(x->key, y->key);
}

static const char *errno_name(uint64_t number, struct res_result *r)
{
	const char *name = strerrorname_np((int)number);

	return name ? name : arena_printf(result_arena(r), "E%d", (int)number);
}

static void errnos_result(const struct counts *c, struct res_counts *to, struct res_result *r)
{
	if (c->len == 0)
		return;
	to->at = arena_alloc(result_arena(r), c->len, sizeof(*to->at));
	to->len = c->len;
	for (size_t i = 0; i < c->len; i++)
		to->at[i] = (struct res_count){errno_name(c->at[i].key, r), c->at[i].count};
	qsort(to->at, to->len, sizeof(*to->at), by_count_then_name);
}

/* Lists of buckets are made in two passes: how many, then what. */
static void count_bucket(void *ctx, uint64_t le, uint64_t count)
{
	(void)le;
	(void)count;
	++*(size_t *)ctx;
}

static size_t buckets(const struct hist *h)
{
	size_t n = 0;

	hist_each(h, count_bucket, &n);
	return n;
}

static void put_le(void *ctx, uint64_t le, uint64_t count)
{
	struct res_le **next = ctx;

	*(*next)++ = (struct res_le){.le = le, .count = count};
}

static void put_le_ns(void *ctx, uint64_t le, uint64_t count)
{
	struct res_le_ns **next = ctx;

	*(*next)++ = (struct res_le_ns){.le_ns = le, .count = count};
}

static void times_result(const struct hist *h, struct res_syscall *to, struct res_result *r)
{
	struct res_times *times = RES_OBJ(r, times);
	struct res_le_ns *next;

	to->wall_ns = times;
	times->total = h->sum;
	if (h->count == 0)
		return;
	times->min = h->min;
	times->max = h->max;
	times->mean = h->sum / h->count;
	times->p50 = hist_percentile(h, 0.5);
	times->p90 = hist_percentile(h, 0.9);
	times->p99 = hist_percentile(h, 0.99);
	times->p999 = hist_percentile(h, 0.999);
	RES_LIST(r, &to->latency_histogram, buckets(h), le_ns);
	next = to->latency_histogram.at;
	hist_each(h, put_le_ns, &next);
}

static struct res_bytes *bytes_result(const struct tally *t, struct res_result *r)
{
	struct res_bytes *to = RES_OBJ(r, bytes);
	struct res_le *next;

	if (t->bytes_asked_calls)
		to->asked = t->bytes_asked;
	if (tally_knows_moved_bytes(t))
		to->transferred = t->bytes_moved.sum;
	if (t->bytes_moved.count) {
		RES_LIST(r, &to->histogram, buckets(&t->bytes_moved), le);
		next = to->histogram.at;
		hist_each(&t->bytes_moved, put_le, &next);
	}
	return to;
}

static struct res_small_calls *small_result(const struct tally *t, struct res_result *r)
{
	struct res_small_calls *to;

	if (!t->small.count)
		return NULL;
	to = RES_OBJ(r, small_calls);
	to->calls = t->small.count;
	to->p10_ns = hist_percentile(&t->small, 0.1);
	to->p50_ns = hist_percentile(&t->small, 0.5);
	return to;
}

static struct res_datagrams *datagrams_result(const struct tally *t, struct res_result *r)
{
	struct res_datagrams *to = RES_OBJ(r, datagrams);
	struct res_le *next;

	if (t->dgrams_asked_unknown == 0)
		to->asked = t->dgrams_asked;
	if (t->dgrams_moved_unknown == 0)
		to->transferred = t->dgrams_moved.sum;
	if (t->dgrams_moved.count) {
		RES_LIST(r, &to->histogram, buckets(&t->dgrams_moved), le);
		next = to->histogram.at;
		hist_each(&t->dgrams_moved, put_le, &next);
	}
	return to;
}

void tally_result(const struct tally *t, struct res_syscall *to, struct res_result *r)
{
	to->name = arena_strdup(result_arena(r), t->def->name);
	to->class = sys_class_name(t->def->class);
	to->calls = tally_calls(t);
	to->ok = t->fates[CALL_OK];
	to->errors = t->fates[CALL_ERROR];
	to->interrupted = t->fates[CALL_INTERRUPTED];
	to->no_return = t->fates[CALL_NO_RETURN];
	errnos_result(&t->errnos, &to->errnos, r);
	times_result(&t->latency, to, r);
	if (tally_has_bytes(t))
		to->bytes = bytes_result(t, r);
	to->small_calls = small_result(t, r);
	if (t->def->unit != BATCH_NONE) {
		to->batch = batch_result(&t->batch, r);
		to->batch->unit = batch_unit_name(t->def->unit);
		if (tally_knows_asked_units(t))
			to->batch->asked = t->batch.asked_sum;
		if (tally_knows_moved_units(t))
			to->batch->transferred = t->batch.moved_sum;
		if (batch_receives(t->def))
			to->batch->could_wait = t->batch.could_wait;
	}
	if (asks_receives(t->def))
		to->empty_again = t->empty_again;
	if (t->segmented)
		to->datagrams = datagrams_result(t, r);
}
