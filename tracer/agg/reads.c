/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/reads.h"

#include <stddef.h>

/* What is read next may be there since: its thread waited for others, or asked them something. */
static int brings_news(const struct sys_event *ev)
{
	return sys_waits(ev->def) && !ev->def->gather && ev->def->class != CLASS_FILE &&
	       ev->path != PATH_YES;
}

int reads_add(struct reads *r, const struct sys_event *ev, uint64_t *ret_saved)
{
	uint64_t asked = ev->m.bytes_asked, moved = ev->m.bytes_moved, begin, was;
	uint32_t thread = rows_id(ev->thread_id);
	int goes_on;

	*ret_saved = 0;
	if (brings_news(ev))
		r->news[thread]++;
	if (!rows_id(ev->fd_id))
		return 0;
	if (!ev->def->reads || ev->path != PATH_YES || !sys_ok(ev) || moved == NOT_MEASURED) {
		r->fds[ev->fd_id].def = NULL;
		return 0;
	}
	begin = sys_place(ev);
	goes_on = r->fds[ev->fd_id].def == ev->def && r->fds[ev->fd_id].full &&
		  r->fds[ev->fd_id].thread == thread && r->fds[ev->fd_id].news == r->news[thread] &&
		  (!ev->def->offset || begin == r->fds[ev->fd_id].end);
	was = goes_on ? r->fds[ev->fd_id].bytes : 0;
	r->fds[ev->fd_id].def = ev->def;
	r->fds[ev->fd_id].thread = thread;
	r->fds[ev->fd_id].news = r->news[thread];
	r->fds[ev->fd_id].end = begin + moved;
	r->fds[ev->fd_id].bytes = was + moved;
	r->fds[ev->fd_id].full = moved && moved == asked && moved < READS_BYTES;
	/* The one at the end, of nothing, is made all the same. */
	*ret_saved = goes_on && moved && (was - 1) / READS_BYTES == (was + moved - 1) / READS_BYTES;
	return 1;
}
