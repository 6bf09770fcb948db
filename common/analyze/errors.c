/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/errors.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/units.h"
#include "common/view/view_parts.h"

static const struct {
	const char *calls, *name;
	enum error_verdict verdict;
	const char *why;
} known[] = {
#define ERROR(calls, name, verdict, why) {calls, name, ERROR_##verdict, why},
#include "common/analyze/errors.def"
#undef ERROR
};

/* Is name one of the words of list? */
static int has_word(const char *list, const char *name)
{
	size_t len = strlen(name), word;

	if (!strcmp(list, "*"))
		return 1;
	for (; *list; list += word + strspn(list + word, " ")) {
		word = strcspn(list, " ");
		if (word == len && !memcmp(list, name, len))
			return 1;
	}
	return 0;
}

enum error_verdict error_judge(const char *call, const char *errno_name, const char **ret_why)
{
	for (size_t i = 0; i < LEN(known); i++) {
		if (strcmp(known[i].name, errno_name) != 0 || !has_word(known[i].calls, call))
			continue;
		*ret_why = known[i].why;
		return known[i].verdict;
	}
	*ret_why = "";
	return ERROR_UNKNOWN;
}

static int compare_rows(const void *a, const void *b)
{
	const struct error_row *x = a, *y = b;
	int c;

	if (x->count != y->count)
		return x->count < y->count ? 1 : -1;
	c = strcmp(view_name(x->call->name), view_name(y->call->name));
	return c ? c : strcmp(x->errno_name, y->errno_name);
}

/* A call's calls of one process, or of a part of it. */
struct asker {
	uint64_t pid, calls, errors;
};

static int compare_askers(const void *a, const void *b)
{
	const struct asker *x = a, *y = b;

	return (x->pid > y->pid) - (x->pid < y->pid);
}

static struct asker *list_askers(
	struct arena *a, const struct res_result *r, const char *call, size_t *ret_len)
{
	struct asker *list = arena_alloc(a, r->threads.len + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < r->threads.len; i++) {
		const struct res_thread *t = &r->threads.at[i];

		/* Without a number it is many, of which nothing is known apart. */
		for (size_t k = 0; t->pid != U64_NONE && k < t->syscalls.len; k++)
			if (!strcmp(view_name(t->syscalls.at[k].name), call))
				list[n++] =
					(struct asker){t->pid, view_zero(t->syscalls.at[k].calls),
						view_zero(t->syscalls.at[k].errors)};
	}
	qsort(list, n, sizeof(*list), compare_askers);
	*ret_len = n;
	return list;
}

static int is_often(uint64_t errors, uint64_t calls)
{
	return errors >= ERRORS_OFTEN && (double)errors >= ERRORS_OFTEN_SHARE * (double)calls;
}

/* How many of them at most are of processes that fail so often. All, where it is not known who
 * called. */
static uint64_t of_often(struct arena *a, const struct res_result *r, const struct error_row *row)
{
	uint64_t often = 0;
	size_t n;
	struct asker *list;

	if (!is_often(row->count, view_zero(row->call->calls)))
		return 0;
	list = list_askers(a, r, view_name(row->call->name), &n);
	if (!n)
		return row->count;
	for (size_t i = 0, next; i < n; i = next) {
		struct asker of = {0};

		for (next = i; next < n && list[next].pid == list[i].pid; next++) {
			of.calls = sat_add(of.calls, list[next].calls);
			of.errors = sat_add(of.errors, list[next].errors);
		}
		if (is_often(of.errors, of.calls))
			often = sat_add(often, of.errors);
	}
	return often < row->count ? often : row->count;
}

static struct error_row judge(struct arena *a, const struct res_result *r,
	const struct res_syscall *s, const struct res_count *e)
{
	uint64_t calls = view_zero(s->calls);
	struct error_row row = {
		.call = s, .errno_name = view_name(e->key), .count = view_zero(e->count)};

	row.rate = calls ? (double)row.count / (double)calls : NAN;
	row.verdict = error_judge(view_name(s->name), row.errno_name, &row.why);
	if (row.verdict != ERROR_SEARCH)
		return row;
	row.verdict = ERROR_NORMAL;
	row.often = of_often(a, r, &row);
	if (row.often >= ERRORS_OFTEN) {
		row.verdict = ERROR_CHECK;
		row.why = !strcmp(row.errno_name, "ENOENT")
				  ? "most of these calls fail: where they ask for the same, the "
				    "answer could be remembered, or inotify tell when it changes"
				  : "most of these calls fail: the answer could be remembered";
	}
	return row;
}

struct error_row *errors_list(struct arena *a, const struct res_result *r, size_t *ret_len)
{
	struct error_row *rows;
	size_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		n += r->syscalls.at[i].errnos.len;
	rows = arena_alloc(a, n + 1, sizeof(*rows));
	n = 0;
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		for (size_t j = 0; j < s->errnos.len; j++)
			if (view_zero(s->errnos.at[j].count))
				rows[n++] = judge(a, r, s, &s->errnos.at[j]);
	}
	qsort(rows, n, sizeof(*rows), compare_rows);
	*ret_len = n;
	return rows;
}
