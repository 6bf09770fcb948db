/* SPDX-License-Identifier: GPL-3.0-only */
/* How fast perf script's text is folded: at least 200 MB/s, in the memory of the distinct stacks.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/out.h"
#include "cpu/fold.h"

#define TEXT_BYTES  ((size_t)64 << 20)
#define PIECE_BYTES ((size_t)64 << 10)
#define ROUNDS      5 /* the best one counts: the machine may be shared */

static uint64_t next_random(uint64_t *state)
{
	*state = *state * 6364136223846793005U + 1442695040888963407U;
	return *state >> 33;
}

/* Samples of a program of 3,000 functions with stacks of 10 to 40 frames, `stacks` different ones.
 */
static void make_text(struct out *o, uint64_t stacks)
{
	uint64_t state = 1;

	for (uint64_t sample = 0; o->len < TEXT_BYTES; sample++) {
		uint64_t stack = next_random(&state) % stacks, frame = stack + 1;
		uint64_t depth = 10 + stack % 31;

		out_printf(o, "worker-%" PRIu64 " 4242/%" PRIu64 "  %" PRIu64 ".%06d: cycles:P: \n",
			stack % 8, 4242 + stack % 8, 1000 + sample / 1000, (int)(sample % 1000));
		for (uint64_t i = 0; i < depth; i++) {
			uint64_t function = next_random(&frame) % 3000;

			out_printf(o,
				"\t%16" PRIx64 " server::module_%" PRIu64
				"::handle_request_%" PRIu64 "(Request const&, int) "
				"(/usr/lib/x86_64-linux-gnu/libserver.so.%" PRIu64 ")\n",
				0x7f0000000000 + function * 64, function % 40, function,
				function % 7);
		}
		out_char(o, '\n');
	}
}

static double mb_per_s(const char *text, size_t len, struct fold *f)
{
	uint64_t begin_ns = clock_mono_ns();

	fold_init(f);
	for (size_t i = 0; i < len; i += PIECE_BYTES)
		fold_feed(f, text + i, len - i < PIECE_BYTES ? len - i : PIECE_BYTES);
	fold_end(f);
	return (double)len * 1e3 / (double)(clock_mono_ns() - begin_ns);
}

static size_t kept_bytes(const struct fold *f)
{
	return f->texts.arena.used_bytes + f->frames.arena.used_bytes + f->stacks.arena.used_bytes +
	       f->threads.arena.used_bytes;
}

int main(void)
{
	static const uint64_t stacks[] = {10, 1000, 50000};

	for (size_t i = 0; i < sizeof(stacks) / sizeof(stacks[0]); i++) {
		double best = 0;
		struct out text;

		out_init_mem(&text);
		make_text(&text, stacks[i]);
		for (int round = 0; round < ROUNDS; round++) {
			struct fold f;
			double speed = mb_per_s(text.buf, text.len, &f);

			best = speed > best ? speed : best;
			if (round == ROUNDS - 1)
				printf("fold, %5zu stacks of %7" PRIu64
				       " samples: %6.0f MB/s, %6.1f MiB kept\n",
					f.stacks.len, f.samples, best,
					(double)kept_bytes(&f) / (1 << 20));
			fold_release(&f);
		}
		out_release(&text);
	}
	return 0;
}
