/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_CALL_ENV_H
#define TRACER_CALL_ENV_H

#include "tracer/decode/decode.h"
#include "tracer/fd/identity.h"

struct session;
struct tracee;

/* What a call has around it: the memory, the files and the address space of the thread that makes
 * it. */

/* The reader of t's memory, until it is asked for another one. */
const struct mem_reader *call_env_memory(struct session *s, const struct tracee *t);
/* What is known around the call in ev, about that file (NULL: none), for its decoder. */
struct decode_env call_env(const struct session *s, const struct tracee *t,
	const struct sys_event *ev, const struct file *file);
struct caller call_env_caller(const struct tracee *t);

#endif
