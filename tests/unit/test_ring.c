/* SPDX-License-Identifier: GPL-3.0-only */
/* What a target writes for us, and what of it is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracer/recorder/ring.h"

struct fixture {
	int memory;
	struct region region;
	struct ring ring;
};

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct err err = {0};

	x->memory = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	*state = x;
	return x->memory < 0 || region_take(&x->region, x->memory, 4, &err) < 0 ||
	       ring_init(&x->ring, &x->region) < 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	region_release(&x->region);
	close(x->memory);
	free(x);
	return 0;
}

/* ---- region ---- */

static void its_size_is_for_good(void **state)
{
	struct fixture *x = *state;

	assert_int_equal(ftruncate(x->memory, 4096), -1);
	assert_int_equal(ftruncate(x->memory, ARENA_BYTES_MAX + 4096LL), -1);
}

static void what_is_no_memory_is_refused(void **state)
{
	struct err err = {0};
	struct region r;
	int other = memfd_create("test", MFD_CLOEXEC); /* cannot be sealed */
	int null[2];

	(void)state;
	assert_int_equal(pipe(null), 0);
	assert_true(region_take(&r, other, 4, &err) < 0);
	assert_null(r.at);
	assert_true(region_take(&r, null[1], 4, &err) < 0);
	assert_true(region_take(&r, -1, 4, &err) < 0);
	close(other);
	close(null[0]);
	close(null[1]);
}

static void units_are_had_once(void **state)
{
	struct fixture *x = *state;
	char *at[4];

	for (int i = 1; i < 4; i++)
		at[i] = region_units(&x->region, 1);
	assert_non_null(at[3]);
	assert_null(region_units(&x->region, 1));
	assert_false(region_has_room(&x->region, 1));
	region_give_back(&x->region, at[2], 1);
	assert_null(region_units(&x->region, 2));
	assert_ptr_equal(region_units(&x->region, 1), at[2]);
	region_grown(&x->region, 4 + LARGE_RING_UNITS);
	assert_int_equal(ring_enlarge(&x->ring, &x->region), 0);
	assert_int_equal(x->ring.block->base, x->ring.at_addr);
	assert_int_equal(x->ring.at_addr, region_addr(&x->region, x->ring.at));
	assert_int_equal(ring_enlarge(&(struct ring){0}, &x->region), -ENOMEM);
}

/* ---- head ---- */

static void heads(void **state)
{
	static const struct {
		uint64_t tail, head;
		int ok;
	} rows[] = {{0, 0, 1}, {0, 1, 1}, {0, 64, 1}, {0, 65, 0}, {5, 4, 0}, {5, 69, 1}, {5, 70, 0},
		{0, UINT64_MAX, 0}, {1ULL << 50, 1ULL << 50, 1}, {1ULL << 50, 0, 0},
		{UINT64_MAX, 3, 1}};
	struct fixture *x = *state;
	uint64_t head;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		x->ring.tail = rows[i].tail;
		x->ring.block->head = rows[i].head;
		assert_int_equal(ring_head(&x->ring, &head), rows[i].ok ? 0 : -EBADMSG);
	}
}

static void tallies(void **state)
{
	struct fixture *x = *state;
	struct ring_call calls[BLOCK_KINDS_LEN] = {
		[3] = {.kind = KIND_TALLY}, [4] = {.kind = KIND_TALLY}, [5] = {.kind = KIND_PLAIN}};
	struct block *b = x->ring.block;
	uint32_t n[BLOCK_KINDS_LEN];

	assert_int_equal(ring_tallies(&x->ring, calls, n), 0);
	b->tallied = 7;
	b->tallies[3] = 5;
	b->tallies[4] = 2;
	b->tallies[5] = 1000; /* of a call that is not counted so */
	assert_int_equal(ring_tallies(&x->ring, calls, n), 7);
	assert_int_equal(n[3], 5);
	assert_int_equal(n[4], 2);
	assert_int_equal(n[5], 0);
	assert_int_equal(ring_tallies(&x->ring, calls, n), 0);
	b->tallied = 10;
	b->tallies[3] = 2; /* it wraps: that would be 2^32 - 3 calls */
	assert_int_equal(ring_tallies(&x->ring, calls, n), UINT32_MAX - 2);
	b->tallied = 11;
	b->tallies[4] = 1;
	x->ring.tallies[4] = UINT32_MAX;
	assert_int_equal(ring_tallies(&x->ring, calls, n), 2);
	assert_int_equal(n[4], 2);
}

static void emptied_memory_is_not_empty(void **state)
{
	struct fixture *x = *state;
	uint64_t head;

	x->ring.block->head = 30;
	assert_int_equal(madvise(x->region.at, 4 * ARENA_UNIT_BYTES, MADV_REMOVE), 0);
	assert_int_equal(ring_head(&x->ring, &head), -EBADMSG);
}

/* The tracer's own ring and tail, whatever the block says of them. */
static void the_block_is_not_asked(void **state)
{
	struct fixture *x = *state;
	struct record r = {.nr = 7}, got;
	struct stub_state st;

	x->ring.at[3] = r;
	memset(x->ring.block, 0xff, BLOCK_STATE);
	x->ring.block->tail = x->ring.block->base = x->ring.block->mask = UINT64_MAX;
	x->ring.block->limit = UINT64_MAX;
	ring_copy(&x->ring, 3 + 64, &got);
	assert_int_equal(got.nr, 7);
	ring_state(&x->ring, &st); /* of a record that is nowhere */
	assert_int_equal(st.record.nr, 0);
	x->ring.block->record = x->ring.at_addr + 3 * RECORD_BYTES + 5;
	ring_state(&x->ring, &st);
	assert_int_equal(st.record.nr, 7);
	x->ring.block->record = x->ring.at_addr - 1;
	ring_state(&x->ring, &st);
	assert_int_equal(st.record.nr, 0);
	assert_int_equal(ring_in_flight(&x->ring, &got), 0);
}

/* ---- records ---- */

enum { NR_WRITE = 1, NR_OPENAT = 2, NR_WRITEV = 3, NR_MMAP = 4, NR_POLL = 5 };

static const struct ring_call calls[BLOCK_KINDS_LEN] = {
	[NR_WRITE] = {KIND_PLAIN, MOST_ARG, 2, 1},
	[NR_POLL] = {KIND_PLAIN, MOST_ARG, 1, 0},
	[NR_OPENAT] = {KIND_PATH_2, MOST_ANY, 0, 0},
	[NR_WRITEV] = {KIND_IOV, MOST_BYTES, 0, 0},
	[NR_MMAP] = {KIND_MMAP, MOST_ANY, 0, 0},
};

#define WRITE_NOT .nr = NR_WRITE, .kind = KIND_PLAIN, .args = {1, 0, 10}
#define WRITE     WRITE_NOT, .t0 = 110, .t1 = 120
#define OPEN      .nr = NR_OPENAT, .kind = KIND_PATH_2, .t0 = 110, .t1 = 120
#define IOV       .nr = NR_WRITEV, .kind = KIND_IOV, .t0 = 110, .t1 = 120, .bytes = 100

static const struct {
	const char *title;
	struct record rec;
	int ok;
} records[] = {
	{"a write", {WRITE, .ret = 10}, 1},
	{"that moved more than it was asked", {WRITE, .ret = 11}, 0},
	{"that failed", {WRITE, .ret = -4095}, 1},
	{"with what is no error", {WRITE, .ret = -4096}, 0},
	{"of another kind", {.nr = NR_WRITE, .kind = KIND_MMAP, .t0 = 110, .t1 = 120}, 0},
	{"a call that is not recorded", {.nr = 0, .kind = KIND_PASS, .t0 = 110, .t1 = 120}, 0},
	{"one outside the table", {.nr = BLOCK_KINDS_LEN, .kind = 1, .t0 = 110, .t1 = 120}, 0},
	{"a number far away", {.nr = UINT32_MAX, .kind = 1, .t0 = 110, .t1 = 120}, 0},
	{"nothing: emptied memory", {0}, 0},
	{"an upper half that the kernel does not look at",
		{.nr = NR_POLL,
			.kind = KIND_PLAIN,
			.args = {0, 0xffffffff00000003},
			.ret = 4,
			.t0 = 110,
			.t1 = 120},
		0},
	{"an address", {.nr = NR_MMAP, .kind = KIND_MMAP, .ret = INT64_MAX, .t0 = 110, .t1 = 120},
		1},
	{"begun before the last one ended", {WRITE_NOT, .t0 = 95, .t1 = 120, .ret = 1}, 1},
	{"and by more than clocks differ", {WRITE_NOT, .t0 = 94, .t1 = 120, .ret = 1}, 0},
	{"ended before it began", {WRITE_NOT, .t0 = 110, .t1 = 104, .ret = 1}, 0},
	{"ends in the future", {WRITE_NOT, .t0 = 110, .t1 = 206, .ret = 1}, 0},
	{"ends just now", {WRITE_NOT, .t0 = 110, .t1 = 205, .ret = 1}, 1},
	{"said nothing", {OPEN, .ret = 3}, 1},
	{"said a path", {OPEN, .ret = 3, .units = 129, .extra = 2}, 1},
	{"places that do not hold what it said", {OPEN, .ret = 3, .units = 129, .extra = 1}, 0},
	{"too much", {OPEN, .ret = 3, .units = 4097, .extra = 33}, 0},
	{"said, by a call that says nothing", {WRITE, .ret = 1, .units = 5, .extra = 1}, 0},
	{"a vector", {IOV, .ret = 100}, 1},
	{"that moved more than it holds", {IOV, .ret = 101}, 0},
	{"too long to sum", {IOV, .ret = 101, .flags = MEASURED_NOT_ASKED}, 1},
	{"unknown flags", {IOV, .ret = 1, .flags = 128}, 0},
	{"a sum that cannot be", {IOV, .ret = 1, .dgrams = UINT64_MAX}, 0},
	{"datagrams not known", {IOV, .ret = 1, .dgrams_asked = UINT64_MAX}, 1},
};

static void what_can_be(void **state)
{
	struct ring ring = {.ended = 100};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(*records); i++) {
		print_message("# %s\n", records[i].title);
		assert_int_equal(
			ring_is_possible(&ring, &records[i].rec, calls, 200, 5), records[i].ok);
	}
}

static void what_was_said(void **state)
{
	struct fixture *x = *state;
	char text[SAID_BYTES_MAX + 1] = {0}, got[SAID_BYTES_MAX] = {0};
	struct record rec = {.units = 1000};

	for (size_t i = 0; i < 1000; i++)
		text[i] = (char)('a' + i % 26);
	/* Over the ring's end. */
	memcpy(&x->ring.at[62], text, 2 * RECORD_BYTES);
	memcpy(&x->ring.at[0], text + 2 * RECORD_BYTES, 1000 - 2 * RECORD_BYTES);
	ring_said(&x->ring, 61, &rec, got);
	assert_memory_equal(got, text, 1000);
	rec.units = UINT64_MAX; /* never more than there is room for */
	ring_said(&x->ring, 61, &rec, got);
}

/* Nothing that is there makes the tracer read or write elsewhere. */
static void garbage(void **state)
{
	struct fixture *x = *state;
	uint8_t said[SAID_BYTES_MAX];

	srandom(1);
	for (int round = 0; round < 2000; round++) {
		struct stub_state st;
		struct record r;
		uint64_t head;

		for (size_t i = 0; i < BLOCK_STACK_END; i += 1 + (size_t)random() % 64)
			((uint8_t *)x->ring.block)[i] = (uint8_t)random();
		if (ring_head(&x->ring, &head) == 0)
			ring_copy(&x->ring, head, &r);
		if (ring_in_flight(&x->ring, &r))
			ring_said(&x->ring, 5, &r, said);
		ring_state(&x->ring, &st);
		ring_copy(&x->ring, (uint64_t)random() << 33, &r);
		if (ring_is_possible(&x->ring, &r, calls, 200, 5))
			ring_said(&x->ring, 7, &r, said);
		ring_cancel(&x->ring);
	}
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(its_size_is_for_good),
		WITH(what_is_no_memory_is_refused),
		WITH(units_are_had_once),
		WITH(heads),
		WITH(tallies),
		WITH(emptied_memory_is_not_empty),
		WITH(the_block_is_not_asked),
		cmocka_unit_test(what_can_be),
		WITH(what_was_said),
		WITH(garbage),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
