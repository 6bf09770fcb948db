/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"

struct fd_registry {
	struct {
		struct fd_info *at;
		size_t len, cap;
	} infos;
	uint32_t max;
};

struct files {
	struct fd_registry *registry;
	struct map states; /* number + 1 -> struct fd_state */
	struct files_known known;
	unsigned int refs;
};

struct fd_registry *fd_registry_new(uint32_t max)
{
	struct fd_registry *r = mem_calloc(1, sizeof(*r));

	r->max = max;
	return r;
}

void fd_registry_free(struct fd_registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->infos.len; i++)
		free(r->infos.at[i].target);
	free(r->infos.at);
	free(r);
}

const struct fd_info *fd_registry_get(const struct fd_registry *r, uint32_t fd_id)
{
	return fd_id && fd_id <= r->infos.len ? &r->infos.at[fd_id - 1] : NULL;
}

static uint32_t registry_add(struct fd_registry *r, const struct fd_info *info)
{
	if (r->infos.len >= r->max) {
		free(info->target);
		return r->max + 1;
	}
	*VEC_PUSH(&r->infos) = *info;
	return (uint32_t)r->infos.len;
}

struct files *files_new(struct fd_registry *r)
{
	struct files *f = mem_calloc(1, sizeof(*f));

	f->registry = r;
	f->refs = 1;
	return f;
}

struct files *files_ref(struct files *f)
{
	f->refs++;
	return f;
}

void files_unref(struct files *f)
{
	struct map_iter it = {0};

	if (!f || --f->refs)
		return;
	while (map_next(&f->states, &it))
		free(it.value);
	map_release(&f->states);
	if (f->known.at)
		f->known.release(f->known.ctx, f->known.at);
	free(f);
}

/* ---- the known map ---- */

static void set_known(struct files *f, uint32_t fd, struct fd_state *st, uint32_t id)
{
	if (!f->known.at || fd >= f->known.len)
		return;
	st->published = id != 0;
	__atomic_store_n(&f->known.at[fd], id, __ATOMIC_RELEASE);
}

static void publish(struct files *f, uint32_t fd, struct fd_state *st)
{
	if (st->fd_id && !st->closing && !st->gso_size)
		set_known(f, fd, st, st->fd_id);
}

void files_publish(struct files *f, const struct files_known *known)
{
	struct map_iter it = {0};

	f->known = *known;
	while (map_next(&f->states, &it))
		publish(f, (uint32_t)(it.key - 1), it.value);
}

uint32_t *files_known_map(const struct files *f)
{
	return f->known.at;
}

void files_unpublish(struct files *f, uint32_t fd)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);

	if (st && st->published)
		set_known(f, fd, st, 0);
}

/* 1 if the target closed it without a stop. */
static int closed_since(const struct files *f, uint32_t fd, const struct fd_state *st)
{
	return st->published && f->known.at[fd] != st->fd_id;
}

struct files *files_copy(const struct files *f)
{
	struct files *copy = files_new(f->registry);
	struct map_iter it = {0};

	while (map_next(&f->states, &it)) {
		const struct fd_state *from = it.value;
		struct fd_state *to = mem_calloc(1, sizeof(*to));

		/* The same open file, but rows are per files table: it gets an id when used. */
		*to = *from;
		to->fd_id = 0;
		to->closing = to->published = 0;
		map_set(&copy->states, it.key, to);
	}
	return copy;
}

struct fd_state *files_get(struct files *f, uint32_t fd)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);

	if (!st) {
		st = mem_calloc(1, sizeof(*st));
		map_set(&f->states, (uint64_t)fd + 1, st);
	}
	return st;
}

int files_known(const struct files *f, uint32_t fd)
{
	return map_get(&f->states, (uint64_t)fd + 1) != NULL;
}

static int fd_is_open(pid_t tid, uint32_t fd)
{
	char path[64], link[8];

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", tid, fd);
	return readlink(path, link, sizeof(link)) >= 0;
}

static void next_generation(struct files *f, uint32_t fd, struct fd_state *st)
{
	if (st->published)
		set_known(f, fd, st, 0);
	*st = (struct fd_state){.generation = st->generation + 1, .closing = st->closing};
}

uint32_t files_identify(struct files *f, pid_t pid, pid_t tid, uint32_t fd, int must_exist)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);
	struct fd_info info = {.pid = pid, .fd = fd};

	if (st && closed_since(f, fd, st))
		next_generation(f, fd, st);
	if (st && st->fd_id) {
		if (!st->published)
			publish(f, fd, st);
		return st->fd_id;
	}
	info.target = fd_describe(pid, tid, fd);
	if (!info.target && must_exist)
		return 0;
	st = files_get(f, fd);
	info.generation = st->generation;
	st->fd_id = registry_add(f->registry, &info);
	publish(f, fd, st);
	return st->fd_id;
}

void files_close_begin(struct files *f, uint32_t fd)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);

	if (!st)
		return;
	st->closing = 1;
	next_generation(f, fd, st);
}

void files_close_end(struct files *f, uint32_t fd, int closed)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);

	if (!st || !st->closing)
		return;
	st->closing = 0;
	if (closed && st->fd_id)
		next_generation(f, fd, st);
}

void files_close_range(struct files *f, uint32_t first, uint32_t last)
{
	struct map_iter it = {0};

	while (map_next(&f->states, &it))
		if (it.key > first && it.key - 1 <= last)
			next_generation(f, (uint32_t)(it.key - 1), it.value);
}

struct files *files_copy_exec(struct files *f, pid_t pid)
{
	struct files *own = f->refs > 1 ? files_copy(f) : files_ref(f);
	struct map_iter it = {0};

	while (map_next(&own->states, &it))
		if (!fd_is_open(pid, (uint32_t)(it.key - 1)))
			next_generation(own, (uint32_t)(it.key - 1), it.value);
	return own;
}
