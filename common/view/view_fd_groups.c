/* SPDX-License-Identifier: GPL-3.0-only */
/* Fds that are the same thing to a person: one file opened again and again, a socket for each
 * request.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

/* Where Linux takes the ports of connecting sockets from (ip_local_port_range). */
#define EPHEMERAL_MIN 32768

/* The port at the end of an address, 0 if there is none. */
static unsigned long port_of(const char *address, size_t len)
{
	const char *colon = memrchr(address, ':', len);

	return colon ? strtoul(colon + 1, NULL, 10) : 0;
}

/* "127.0.0.1:40000" -> "127.0.0.1:*" */
static const char *without_port(struct arena *a, const char *address, size_t len)
{
	const char *colon = memrchr(address, ':', len);

	return arena_printf(a, "%.*s:*", (int)(colon - address), address);
}

/* "udp LOCAL -> PEER" with the side that is ephemeral made general. */
static const char *socket_key(struct arena *a, const char *target)
{
	const char *local = strchr(target, ' '), *arrow = strstr(target, " -> ");
	size_t local_len;

	if (!local || !arrow || arrow <= local)
		return target;
	local++;
	local_len = (size_t)(arrow - local);
	if (port_of(local, local_len) >= EPHEMERAL_MIN)
		return arena_printf(a, "%.*s%s%s", (int)(local - target), target,
			without_port(a, local, local_len), arrow);
	arrow += strlen(" -> ");
	if (port_of(arrow, strlen(arrow)) >= EPHEMERAL_MIN)
		return arena_printf(a, "%.*s%s", (int)(arrow - target), target,
			without_port(a, arrow, strlen(arrow)));
	return target;
}

static const char *key_of(struct arena *a, const struct res_fd *fd)
{
	const char *target = fd->target ? fd->target : "";

	if (!strncmp(target, "udp ", 4) || !strncmp(target, "tcp ", 4))
		return socket_key(a, target);
	if (!strncmp(target, "pipe:[", 6))
		return "pipe";
	return target;
}

/* What is not measured on either side stays so. */
static void add(uint64_t *to, uint64_t more)
{
	if (more != U64_NONE)
		*to = sat_add(*to == U64_NONE ? 0 : *to, more);
}

/* Causes are few: a list of its own has room for all. */
static void merge_causes(struct arena *a, struct res_counts *to, const struct res_counts *more)
{
	struct res_count *sum = arena_alloc(a, CAUSES, sizeof(*sum));
	size_t n = 0;

	for (enum cause i = 0; i < CAUSES; i++) {
		uint64_t count =
			sat_add(view_counter(to, cause_name(i)), view_counter(more, cause_name(i)));

		if (count)
			sum[n++] = (struct res_count){cause_name(i), count};
	}
	*to = (struct res_counts){sum, n};
}

static void merge_part(struct arena *a, struct fd_group *g, const struct res_part *p)
{
	struct res_part *to = NULL;

	for (size_t i = 0; i < g->parts_len && !to; i++)
		if (p->name && g->parts[i].name && !strcmp(g->parts[i].name, p->name))
			to = &g->parts[i];
	if (!to) {
		g->parts[g->parts_len++] = *p;
		return;
	}
	add(&to->calls, p->calls);
	add(&to->errors, p->errors);
	add(&to->wall_ns, p->wall_ns);
	add(&to->bytes, p->bytes);
	add(&to->batch_asked, p->batch_asked);
	add(&to->batch_transferred, p->batch_transferred);
	if (p->limited_by.len)
		merge_causes(a, &to->limited_by, &p->limited_by);
}

struct keyed {
	const char *key;
	const struct res_fd *fd;
	size_t order;
};

static int compare_keyed(const void *a, const void *b)
{
	const struct keyed *x = a, *y = b;
	int c = strcmp(x->key, y->key);

	return c ? c : (x->order > y->order) - (x->order < y->order);
}

static int compare_first(const void *a, const void *b)
{
	const struct fd_group *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

/* Fds that share a key, but for those whose target is unknown: nothing says they are the same. */
static size_t run_length(const struct keyed *k, size_t n)
{
	size_t len = 1;

	while (k->key[0] && len < n && !strcmp(k[len].key, k->key))
		len++;
	return len;
}

static struct fd_group make_group(struct arena *a, const struct keyed *k, size_t n)
{
	struct fd_group g = {.key = k->key, .first = k->fd, .len = n};
	size_t parts = 0;

	for (size_t i = 0; i < n; i++)
		parts += k[i].fd->syscalls.len;
	g.parts = arena_alloc(a, parts, sizeof(*g.parts));
	for (size_t i = 0; i < n; i++) {
		g.processes += i == 0 || k[i].fd->pid != k[i - 1].fd->pid;
		for (size_t j = 0; j < k[i].fd->syscalls.len; j++)
			merge_part(a, &g, &k[i].fd->syscalls.at[j]);
	}
	return g;
}

struct fd_groups view_fd_groups(struct arena *arena, const struct res_result *r)
{
	struct keyed *keyed = arena_alloc(arena, r->fds.len, sizeof(*keyed));
	struct fd_groups groups = {arena_alloc(arena, r->fds.len, sizeof(*groups.at)), 0};

	for (size_t i = 0; i < r->fds.len; i++)
		keyed[i] = (struct keyed){key_of(arena, &r->fds.at[i]), &r->fds.at[i], i};
	qsort(keyed, r->fds.len, sizeof(*keyed), compare_keyed);
	for (size_t i = 0, n; i < r->fds.len; i += n) {
		n = run_length(&keyed[i], r->fds.len - i);
		groups.at[groups.len++] = make_group(arena, &keyed[i], n);
	}
	qsort(groups.at, groups.len, sizeof(*groups.at), compare_first);
	return groups;
}
