/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/categories.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

static const char *const titles[CATEGORIES] = {
#define CATEGORY(id, title) [CATEGORY_##id] = title,
#define CALL(name, category)
#define CLASS(class, category)
#include "common/analyze/categories.def"
#undef CATEGORY
#undef CALL
#undef CLASS
};

struct named {
	const char *name;
	enum category category;
};

static const struct named calls[] = {
#define CATEGORY(id, title)
#define CALL(name, category) {name, CATEGORY_##category},
#define CLASS(class, category)
#include "common/analyze/categories.def"
#undef CATEGORY
#undef CALL
#undef CLASS
};

static const struct named classes[] = {
#define CATEGORY(id, title)
#define CALL(name, category)
#define CLASS(class, category) {class, CATEGORY_##category},
#include "common/analyze/categories.def"
#undef CATEGORY
#undef CALL
#undef CLASS
};

const char *category_title(enum category c)
{
	return titles[c];
}

static enum category find(const struct named *list, size_t n, const char *name, enum category other)
{
	for (size_t i = 0; name && i < n; i++)
		if (!strcmp(list[i].name, name))
			return list[i].category;
	return other;
}

enum category category_of_call(const char *name, const char *class)
{
	enum category by_class = find(classes, LEN(classes), class, CATEGORY_OTHER);

	return find(calls, LEN(calls), name, by_class);
}

/* By how the result writes what an fd is. */
static enum category category_of_fd(const char *target)
{
	static const char *const sockets[] = {
		"udp", "tcp", "unix", "netlink", "packet", "raw", "icmp", "socket"};

	if (!target)
		return CATEGORY_DESCRIPTORS;
	if (target[0] == '/')
		return CATEGORY_FILES;
	if (!strncmp(target, "pipe:", 5))
		return CATEGORY_PIPES;
	for (size_t i = 0; i < LEN(sockets); i++)
		if (!strncmp(target, sockets[i], strlen(sockets[i])))
			return CATEGORY_NETWORK;
	return CATEGORY_DESCRIPTORS;
}

static void add_top(struct category_row *row, const char *name, uint64_t n)
{
	size_t at = 0;

	while (at < CATEGORY_TOP && row->top[at].name && row->top[at].calls >= n)
		at++;
	if (at == CATEGORY_TOP)
		return;
	memmove(&row->top[at + 1], &row->top[at], (CATEGORY_TOP - 1 - at) * sizeof(row->top[0]));
	row->top[at].name = name;
	row->top[at].calls = n;
}

struct sums {
	uint64_t calls, errors, wall_ns;
};

static void add(struct category_row *row, const char *name, const struct sums *s)
{
	if (!s->calls)
		return;
	row->calls = sat_add(row->calls, s->calls);
	row->errors = sat_add(row->errors, s->errors);
	row->wall_ns = sat_add(row->wall_ns, s->wall_ns);
	add_top(row, name, s->calls);
}

/* Never more than there is: a file may say anything. */
static void take(uint64_t *whole, uint64_t part, uint64_t *into)
{
	part = view_zero(part) < *whole ? view_zero(part) : *whole;
	*whole -= part;
	*into += part;
}

/* Splits what is left of a call on descriptors by what its fds are. */
static void split(const struct res_result *r, const char *name, struct sums *left,
	struct category_row rows[CATEGORIES])
{
	struct sums of[CATEGORIES] = {0};

	for (size_t i = 0; i < r->fds.len; i++) {
		struct sums *to = &of[category_of_fd(r->fds.at[i].target)];

		for (size_t j = 0; j < r->fds.at[i].syscalls.len; j++) {
			const struct res_part *part = &r->fds.at[i].syscalls.at[j];

			if (!part->name || strcmp(part->name, name) != 0)
				continue;
			take(&left->calls, part->calls, &to->calls);
			take(&left->errors, part->errors, &to->errors);
			take(&left->wall_ns, part->wall_ns, &to->wall_ns);
		}
	}
	for (int i = 0; i < CATEGORIES; i++)
		add(&rows[i], name, &of[i]);
}

static int compare_rows(const void *a, const void *b)
{
	const struct category_row *x = a, *y = b;

	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	return (x->id > y->id) - (x->id < y->id);
}

void categories_count(const struct res_result *r, struct category_row rows[CATEGORIES])
{
	for (int i = 0; i < CATEGORIES; i++)
		rows[i] = (struct category_row){.id = (enum category)i};
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];
		const char *name = view_name(s->name);
		enum category category = category_of_call(s->name, s->class);
		struct sums left = {view_zero(s->calls), view_zero(s->errors), view_total_ns(s)};

		if (category == CATEGORY_DESCRIPTORS)
			split(r, name, &left, rows);
		add(&rows[category], name, &left);
	}
	for (int i = 0; i < CATEGORIES && !result_has_times(r); i++)
		rows[i].wall_ns = U64_NONE;
	qsort(rows, CATEGORIES, sizeof(*rows), compare_rows);
}
