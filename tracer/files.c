/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/files.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tracer/fast/layout.h"

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

static uint32_t entry_of(const struct fd_state *st)
{
	if (st->closing)
		return 0;
	if (st->fd_id && !st->options.gso_size)
		return st->fd_id;
	return st->seen || st->options.gso_size || st->options.gro ? FDMAP_WATCHED : 0;
}

static void publish(struct files *f, uint32_t fd, struct fd_state *st)
{
	uint32_t entry = entry_of(st);

	if (!f->known.at || fd >= f->known.len || entry == st->published)
		return;
	st->published = entry;
	__atomic_store_n(&f->known.at[fd], entry, __ATOMIC_RELEASE);
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

/* ---- states ---- */

/* What the number is next: nothing that we know of yet. */
static void next_generation(struct files *f, uint32_t fd, struct fd_state *st)
{
	st->generation += st->seen;
	st->fd_id = st->seen = 0;
	st->options = (struct fd_options){0};
	publish(f, fd, st);
}

/* The target may have closed it without a stop. */
static void settle(struct files *f, uint32_t fd, struct fd_state *st)
{
	if (!st->published || __atomic_load_n(&f->known.at[fd], __ATOMIC_ACQUIRE) == st->published)
		return;
	st->published = 0;
	next_generation(f, fd, st);
}

struct files *files_copy(struct files *f)
{
	struct files *copy = files_new(f->registry);
	struct map_iter it = {0};

	while (map_next(&f->states, &it)) {
		struct fd_state *from = it.value, *to = mem_calloc(1, sizeof(*to));

		settle(f, (uint32_t)(it.key - 1), from);
		/* The same open file, but rows are per files table: it gets an id when used. */
		to->generation = from->generation;
		to->seen = from->seen;
		to->options = from->options;
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
	settle(f, fd, st);
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

uint32_t files_identify(struct files *f, pid_t pid, pid_t tid, uint32_t fd, int must_exist)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);
	struct fd_info info = {.pid = pid, .fd = fd};

	if (st)
		settle(f, fd, st);
	if (!st || !st->fd_id) {
		info.target = fd_describe(pid, tid, fd);
		if (!info.target && must_exist)
			return 0;
		st = files_get(f, fd);
		info.generation = st->generation;
		info.options = st->options;
		st->fd_id = registry_add(f->registry, &info);
		st->seen = 1;
	}
	publish(f, fd, st);
	return st->fd_id;
}

/* ---- options ---- */

static struct fd_info *info_of(const struct files *f, uint32_t fd_id)
{
	struct fd_registry *r = f->registry;

	return fd_id && fd_id <= r->infos.len ? &r->infos.at[fd_id - 1] : NULL;
}

void files_set_options(struct files *f, uint32_t fd, const struct fd_options *options)
{
	struct fd_state *st = files_get(f, fd);
	struct fd_info *info = info_of(f, st->fd_id);

	st->options = *options;
	if (info)
		info->options = *options;
	publish(f, fd, st);
}

struct fd_options files_options(struct files *f, uint32_t fd)
{
	return files_get(f, fd)->options;
}

/* ---- ends ---- */

void files_close_begin(struct files *f, uint32_t fd)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);

	if (!st)
		return;
	settle(f, fd, st);
	if (!st->closing++) {
		st->has_before = 1;
		st->before.generation = st->generation;
		st->before.fd_id = st->fd_id;
		st->before.seen = st->seen;
		st->before.options = st->options;
	}
	next_generation(f, fd, st);
}

/* Nothing was closed. Who used the number meanwhile has a row of its own, but of the same file. */
static void restore(struct fd_state *st)
{
	st->options = st->before.options;
	if (st->seen || st->generation != st->before.generation + st->before.seen)
		return;
	st->generation = st->before.generation;
	st->fd_id = st->before.fd_id;
	st->seen = st->before.seen;
}

void files_close_end(struct files *f, uint32_t fd, int closed)
{
	struct fd_state *st = map_get(&f->states, (uint64_t)fd + 1);

	if (!st || !st->closing)
		return;
	st->closing--;
	if (closed) {
		st->has_before = 0;
		next_generation(f, fd, st);
	} else if (!st->closing && st->has_before) {
		restore(st);
	}
	publish(f, fd, st);
}

void files_close_range(struct files *f, uint32_t first, uint32_t last)
{
	struct map_iter it = {0};

	while (map_next(&f->states, &it)) {
		struct fd_state *st = it.value;

		if (it.key <= first || it.key - 1 > last)
			continue;
		st->has_before = 0;
		settle(f, (uint32_t)(it.key - 1), st);
		next_generation(f, (uint32_t)(it.key - 1), st);
	}
}

struct files *files_copy_exec(struct files *f, pid_t pid)
{
	struct files *own = f->refs > 1 ? files_copy(f) : files_ref(f);
	struct map_iter it = {0};

	while (map_next(&own->states, &it)) {
		struct fd_state *st = it.value;

		st->closing = st->has_before = 0; /* whoever did it is gone */
		settle(own, (uint32_t)(it.key - 1), st);
		if (!fd_is_open(pid, (uint32_t)(it.key - 1)))
			next_generation(own, (uint32_t)(it.key - 1), st);
	}
	return own;
}
