/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DETAIL_DETAIL_H
#define TRACER_DETAIL_DETAIL_H

#include <stdint.h>

#include "common/base/out.h"
#include "tracer/event.h"
#include "tracer/detail/spool.h"

/*
 * One line a call in the shape of `strace -f -ttt -T`:
 *	TID EPOCH.uuuuuu name(args) = RET [ERRNO (text)] <S.uuuuuu>
 * and without times as `strace -f` has it: TID name(args) = RET [ERRNO (text)]
 * Vectors are abbreviated; never payload. epoch_offset_ns: CLOCK_REALTIME - CLOCK_MONOTONIC, or
 * DETAIL_NO_TIMES.
 */
#define DETAIL_NO_TIMES INT64_MIN
void detail_line(struct out *o, const struct sys_event *ev, int64_t epoch_offset_ns);

/* No line is shorter: "0 0.000000 brk() = ?\n", and without times "0 brk() = ?\n". */
#define DETAIL_LINE_MIN          21
#define DETAIL_LINE_MIN_NO_TIMES 12

/* So many calls can have a line, with times or without, in limit_bytes of text, and one that
 * cannot. */
uint64_t detail_calls_max(uint64_t limit_bytes, int times);

/* What is in the text: whole lines. */
struct detail_text {
	uint64_t lines, bytes;
};

/*
 * Finishes the spool, uses it up and writes its calls to out, as long as no line has to be left out
 * for limit_bytes. 0, or the first error, of the spool or of out: what could be saved is in the
 * text. An error of out may leave a part of a line behind the text, and what a pipe took of the
 * last 64 KiB is not known: it does not count.
 */
int detail_render(struct spool *s, struct out *out, uint64_t limit_bytes, int64_t epoch_offset_ns,
	struct detail_text *ret_text, struct err *err);

#endif
