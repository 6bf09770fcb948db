/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

static const struct measure nothing = {
	.bytes_asked = NOT_MEASURED,
	.bytes_moved = NOT_MEASURED,
	.batch_asked = NOT_MEASURED,
	.batch_moved = NOT_MEASURED,
	.dgrams_asked = NOT_MEASURED,
	.dgrams_moved = NOT_MEASURED,
};

/* A count that the call is given, as wide as the row's letter says. The kernel refuses negative
 * ones: they ask for nothing that could be counted. */
static uint64_t count_asked(const struct sys_event *ev, unsigned int position)
{
	uint64_t v = ev->args[position - 1];
	int64_t count;

	switch (ev->def->args[position - 1]) {
	case 'u':
		return (uint32_t)v;
	case 'd':
		count = (int32_t)v;
		return count < 0 ? NOT_MEASURED : (uint64_t)count;
	case 'l':
		count = (int64_t)v;
		return count < 0 ? NOT_MEASURED : (uint64_t)count;
	default:
		return v > INT64_MAX ? INT64_MAX : v;
	}
}

void decode_entry(const struct decode_in *in, struct measure *m)
{
	const struct sys_def *def = in->ev->def;

	*m = nothing;
	if (def->batch)
		m->batch_asked = count_asked(in->ev, def->batch);
	if (def->bytes)
		m->bytes_asked = count_asked(in->ev, def->bytes);
	if (def->decoder && def->decoder->entry)
		def->decoder->entry(in, m);
}

void decode_exit(const struct decode_in *in, struct measure *m)
{
	const struct sys_def *def = in->ev->def;

	if (!sys_ok(in->ev)) {
		m->unreadable =
			0; /* nothing was moved, and mostly the kernel could not read it either */
		return;
	}
	if (def->unit)
		m->batch_moved = (uint64_t)in->ev->ret;
	if (def->bytes_ret)
		m->bytes_moved = (uint64_t)in->ev->ret;
	if (def->decoder && def->decoder->exit)
		def->decoder->exit(in, m);
}
