/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/session.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "tracer/filler.h"
#include "tracer/trap/filter.h"
#include "tracer/memory.h"

int session_init(struct session *s, const struct options *opt, const struct recorder_sink *sink,
	struct err *err)
{
	struct filter_pass pass;
	int rc;

	*s = (struct session){.opt = opt, .first_status = -1, .status_fd = -1};
	control_map_build(&s->map, &opt->trace, opt->mode_auto);
	if (opt->mode_auto) {
		s->recorder.dispatch = opt->pids.len || opt->trap == OPTIONS_TRAP_DISPATCH;
		s->recorder.timeless = opt->no_times;
		recorder_init(&s->recorder, &s->map, opt->no_patch, sink, &pass);
		if (!s->recorder.on) { /* nothing can be recorded: fewer calls must be seen */
			control_map_release(&s->map);
			control_map_build(&s->map, &opt->trace, 0);
		}
	}
	rc = filter_build(&s->map, opt->trace.all, s->recorder.on ? &pass : NULL, &s->filter, err);
	if (rc < 0) {
		recorder_release(&s->recorder);
		control_map_release(&s->map);
		return rc;
	}
	if (opt->stacks)
		s->stacks = stacks_new(opt->stacks_every ? opt->stacks_every
				       : s->recorder.on  ? STACKS_EVERY
							 : 1,
			!opt->no_times);
	s->recorder.stacks = s->stacks;
	tracees_init(&s->tracees, AGG_ROWS_MAX);
	outside_init(&s->outside);
	s->identity = identity_new(AGG_ROWS_MAX);
	s->memory = memory_reader(&s->reads);
	orders_init(&s->orders);
	book_init(
		&s->book, clock_mono_ns(), opt->has_window || opt->control_fd >= 0, !opt->no_times);
	cputime_init(&s->cputime, s->book.wants_window);
	if (opt->pids.len) {
		book_attached(&s->book);
		session_beware(s);
	}
	s->book.stacks = s->stacks;
	return 0;
}

void session_beware(struct session *s)
{
	if (!s->filler)
		s->filler = filler_new();
	s->recorder.filler = s->filler;
	identity_beware(s->identity, s->filler);
	if (s->stacks)
		stacks_beware(s->stacks, s->filler);
}

void session_release(struct session *s)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it))
		recorder_end(&s->recorder, it.value, 0);
	recorder_release(&s->recorder);
	stacks_free(s->stacks);
	it = (struct map_iter){0};
	book_release(&s->book);
	orders_release(&s->orders);
	tracees_release(&s->tracees);
	stops_release(&s->stops);
	colocate_release(&s->serial);
	identity_free(s->identity);
	filler_free(s->filler);
	while (map_next(&s->epochs, &it))
		free(it.value);
	map_release(&s->epochs);
	control_map_release(&s->map);
	outside_release(&s->outside);
	free(s->filter.filter);
	free(s->launch.environ);
	free(s->roots.at);
	free(s->touched.at);
}

static int thread_name(
	void *ctx, uint32_t id, uint64_t *ret_pid, uint64_t *ret_tid, const char **ret_comm)
{
	const struct session *s = ctx;
	const struct thread_info *info = tracees_info(&s->tracees, id);

	if (!info)
		return -1;
	*ret_pid = (uint64_t)info->pid;
	*ret_tid = (uint64_t)info->tid;
	*ret_comm = info->comm[0] ? info->comm : NULL;
	return 0;
}

static int fd_name(void *ctx, uint32_t id, struct agg_fd *ret)
{
	const struct session *s = ctx;
	const struct fd_info *info = fd_registry_get(identity_registry(s->identity), id);

	if (!info)
		return -1;
	*ret = (struct agg_fd){(uint64_t)info->pid, info->fd, info->generation, info->file->target,
		info->file->type, info->file->shared};
	return 0;
}

struct agg_names session_names(const struct session *s)
{
	return (struct agg_names){thread_name, fd_name, (void *)(uintptr_t)s};
}

uint64_t session_lost(const struct session *s)
{
	return s->lost + s->recorder.lost;
}
