/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DETAIL_H
#define TRACER_DETAIL_H

#include <stdint.h>

#include "common/base/out.h"
#include "tracer/event.h"

/*
 * One line a call in the shape of `strace -f -ttt -T`:
 *	TID EPOCH.uuuuuu name(args) = RET [ERRNO (text)] <S.uuuuuu>
 * Vectors are abbreviated; never payload. epoch_offset_ns: CLOCK_REALTIME - CLOCK_MONOTONIC.
 */
void detail_line(struct out *o, const struct sys_event *ev, int64_t epoch_offset_ns);

#endif
