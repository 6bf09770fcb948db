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

/* What the row's columns say of the arguments. */
static void columns_asked(const struct sys_event *ev, struct measure *m)
{
	const struct sys_def *def = ev->def;

	*m = nothing;
	if (def->batch)
		m->batch_asked = count_asked(ev, def->batch);
	if (def->bytes)
		m->bytes_asked = count_asked(ev, def->bytes);
}

/* And of the result. */
static void columns_moved(const struct sys_event *ev, struct measure *m)
{
	if (ev->def->unit)
		m->batch_moved = (uint64_t)ev->ret;
	if (ev->def->bytes_ret)
		m->bytes_moved = (uint64_t)ev->ret;
}

void decode_entry(const struct decode_in *in, struct measure *m)
{
	const struct sys_def *def = in->ev->def;

	columns_asked(in->ev, m);
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
	columns_moved(in->ev, m);
	if (def->decoder && def->decoder->exit)
		def->decoder->exit(in, m);
}

void decode_recorded(const struct decode_in *in, const struct recorded *r, struct measure *m)
{
	const struct sys_def *def = in->ev->def;

	if (!def->decoder || !def->decoder->recorded) {
		decode_entry(in, m);
		decode_exit(in, m);
		return;
	}
	columns_asked(in->ev, m);
	if (sys_ok(in->ev))
		columns_moved(in->ev, m);
	def->decoder->recorded(in, r, m);
}
