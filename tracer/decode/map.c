/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

static void map_exit(const struct decode_in *in, struct measure *m)
{
	(void)in;
	m->bytes_moved = m->bytes_asked;
}

const struct decoder decoder_map = {.no_memory = 1, .exit = map_exit};

/*
 * brk(2) the system call never fails: it returns the break, the new one or, refused, the old one.
 * Only growth counts as bytes; brk(0) asks where the break is.
 */
static uint64_t growth(uint64_t from, uint64_t to)
{
	return to > from ? to - from : 0;
}

static void brk_entry(const struct decode_in *in, struct measure *m)
{
	uint64_t wanted = in->ev->args[0], prev = in->env->prev_brk;

	if (!wanted)
		m->bytes_asked = 0;
	else if (prev)
		m->bytes_asked = growth(prev, wanted);
}

static void brk_exit(const struct decode_in *in, struct measure *m)
{
	uint64_t prev = in->env->prev_brk;

	if (!in->ev->args[0])
		m->bytes_moved = 0;
	else if (prev)
		m->bytes_moved = growth(prev, (uint64_t)in->ev->ret);
}

const struct decoder decoder_brk = {.no_memory = 1, .entry = brk_entry, .exit = brk_exit};
