/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Finished calls with whatever figures, in any order: counted and printed.
 */
#include "common/model/json.h"
#include "common/view/view.h"
#include "common/write/writer.h"
#include "tests/fuzz/fuzz.h"
#include "tracer/book.h"

struct input {
	uint8_t order, abi, outcome, seen;
	uint16_t nr, thread_id, fd_id, mm_id;
	int32_t ret;
	uint8_t exponents[8]; /* of args, times and figures: sizes of every order */
	uint32_t figures[8];
};

static uint64_t figure(const struct input *in, size_t i)
{
	uint64_t v = (uint64_t)in->figures[i] << in->exponents[i] % 64;

	return in->exponents[i] >= 192 ? NOT_MEASURED : v;
}

static struct sys_event event(const struct input *in)
{
	struct sys_event ev = {.abi = in->abi % ABI_COUNT,
		.nr = in->nr % 600,
		.ret = in->ret,
		.outcome = in->outcome % 3,
		.seen = in->seen % SEEN_COUNT,
		.entry_ns = figure(in, 0),
		.exit_ns = figure(in, 1),
		.m = {figure(in, 2), figure(in, 3), figure(in, 4), figure(in, 5), figure(in, 6),
			figure(in, 7), in->order >> 6 & 1, in->order >> 5 & 1, in->order >> 7},
		.pid = 7,
		.tid = 7,
		.thread_id = in->thread_id,
		.fd_id = in->fd_id,
		.mm_id = in->mm_id % 4};

	ev.def = sys_by_number(ev.abi, ev.nr);
	for (size_t i = 0; i < 6; i++)
		ev.args[i] = figure(in, (i + in->seen) % 8);
	if (in->ret == INT32_MAX)
		ev.ret = (int64_t)figure(in, 3);
	return ev;
}

static int thread_name(void *ctx, uint32_t id, uint64_t *pid, uint64_t *tid, const char **comm)
{
	(void)ctx;
	*pid = *tid = id;
	*comm = "t";
	return 0;
}

static int fd_name(void *ctx, uint32_t id, struct agg_fd *ret)
{
	(void)ctx;
	*ret = (struct agg_fd){.pid = 7, .fd = id, .target = "pipe:[1]"};
	return id ? 0 : -1;
}

static void print(const struct book *b)
{
	static const struct agg_names names = {.thread = thread_name, .fd = fd_name};
	struct res_result *r = result_new();
	struct doc *d;
	struct out o;

	r->tracer = RES_OBJ(r, tracer);
	book_result(b, &names, 1, r);
	out_init_mem(&o);
	d = view_summary(r);
	text_write_doc(d, &o, 100);
	json_write_doc(r, &o);
	out_release(&o);
	doc_free(d);
	result_free(r);
}

static void take(struct book *b, const struct input *in)
{
	struct sys_event ev = event(in);

	switch (in->order % 16) {
	case 0:
		book_begin(b, figure(in, 0));
		break;
	case 1:
		book_end(b, figure(in, 0));
		break;
	case 2:
		book_mark(b, "m", figure(in, 0));
		break;
	case 3:
		mappings_fork(b->mappings, in->mm_id % 4, in->thread_id % 4);
		break;
	case 4:
		mappings_drop(b->mappings, in->mm_id % 4);
		break;
	default:
		book_call(b, &ev);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct book b;
	struct input in;

	if (!size)
		return 0;
	book_init(&b, 1000, data[0] & 1, 1);
	for (size_t at = 1; at + sizeof(in) <= size; at += sizeof(in)) {
		memcpy(&in, data + at, sizeof(in));
		take(&b, &in);
	}
	book_close(&b, 1000000);
	print(&b);
	book_release(&b);
	return 0;
}
