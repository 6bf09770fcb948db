/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the recorder gives of a hostile target: calls that can be, with arguments, measures and
 * words of the target's choice, one after another in one files table.
 */
#include "common/base/mem.h"
#include "tests/fuzz/fuzz.h"
#include "tracer/booking.h"
#include "tracer/session.h"

/* A process that is not there: its memory cannot be read. */
#define NOBODY 0x7ffffff0

/* One call; `said` bytes of what it said follow. */
struct step {
	uint16_t nr, said;
	uint32_t flags;
	uint64_t args[6];
	int64_t ret;
	uint64_t bytes, units, dgrams_asked, dgrams;
};

static struct session s;
static struct process process = {.pid = NOBODY};
static struct mm mm = {.id = 1, .refs = 1};
static struct tracee t = {.tid = NOBODY, .process = &process, .mm = &mm, .thread_id = 1};

static void start(const struct recorder_sink *sink)
{
	static struct options options;
	struct filter_pass pass;

	FUZZ_CHECK(sys_set_parse(&options.trace, "all", NULL) == 0);
	s.opt = &options;
	control_map_build(&s.map, &options.trace, 1);
	recorder_init(&s.recorder, &s.map, 0, sink, &pass);
	s.recorder.on = 1;
}

/* The target's memory is not there. */
static ssize_t no_memory(void *ctx, uint64_t addr, void *buf, size_t len)
{
	(void)ctx;
	(void)addr;
	(void)buf;
	(void)len;
	return -1;
}

/* As the recorder does: returned, or taken over at a thread's end. */
static void give(const struct recorder_sink *sink, const struct step *c, const uint8_t *said)
{
	const struct recorded measured = {c->flags, c->bytes, c->units, c->dgrams_asked, c->dgrams};
	struct said words = {said, c->said, {(int32_t)c->units, (int32_t)(c->units >> 32)}};
	struct sys_event ev = {.nr = c->nr,
		.def = sys_by_number(ABI_NATIVE, c->nr),
		.ret = c->ret,
		.seen = SEEN_RECORDED,
		.pid = NOBODY,
		.tid = NOBODY,
		.thread_id = 1,
		.mm_id = 1};
	static uint64_t now_ns = 1000;

	memcpy(ev.args, c->args, sizeof(ev.args));
	ev.entry_ns = now_ns++;
	ev.exit_ns = now_ns++;
	if (c->flags >> 31) {
		ev.outcome = c->flags >> 30 & 1 ? SYS_NO_RETURN : SYS_INTERRUPTED;
		sink->taken_over(sink->ctx, &t, &ev);
	} else {
		sink->recorded(sink->ctx, &t, &ev, &measured, c->flags >> 28 & 1 ? &words : NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct recorder_sink sink = booking_sink(&s);
	struct step c;

	if (!s.opt)
		start(&sink);
	s.memory = (struct mem_reader){no_memory, NULL};
	s.identity = identity_new(100);
	book_init(&s.book, 1000, 0, 1);
	t.files = files_new(identity_registry(s.identity));
	files_state(t.files)->recorded = 1;
	for (; size >= sizeof(c); data += c.said, size -= c.said) {
		memcpy(&c, data, sizeof(c));
		data += sizeof(c);
		size -= sizeof(c);
		c.nr %= BLOCK_KINDS_LEN;
		c.said = (uint16_t)(c.said % (SAID_BYTES_MAX + 1));
		c.said = c.said > size ? (uint16_t)size : c.said;
		if (s.recorder.calls[c.nr].kind != KIND_PASS)
			give(&sink, &c, data);
	}
	recorder_sweep(&s.recorder);
	files_unref(t.files);
	book_close(&s.book, 1000000);
	book_release(&s.book);
	identity_free(s.identity);
	return 0;
}
