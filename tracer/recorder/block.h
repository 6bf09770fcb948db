/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_BLOCK_H
#define TRACER_RECORDER_BLOCK_H

#include "tracer/recorder/recorder.h"

/* What threads may record, and which of our pages they must not touch, goes into their blocks. */

/* What the thread may record: a KIND_* a number. */
const uint8_t *block_kinds(const struct recorder *f, const struct tracee *t);
void block_set(const struct recorder *f, const struct recorder_thread *rt);
/* Into those of all threads that record, or of the mm's (it has got trampolines); NULL: all. */
void block_set_all(const struct recorder *f, const struct mm *mm);

#endif
