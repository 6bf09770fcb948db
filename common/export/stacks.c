/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/export/stacks.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/units.h"

static const struct {
	const char *name, *unit;
} io_weights[] = {
	{"time", "nanoseconds"}, {"calls", "count"}, {"bytes", "bytes"}, {"messages", "count"}};

/* ---- names and stacks, each once ---- */

static size_t name_of(struct export_stacks *s, const char *name)
{
	uint64_t h = map_text_key(name);
	size_t at;

	while ((at = (size_t)(uintptr_t)map_get(&s->by_name, h)) &&
		strcmp(s->names.at[at - 1], name) != 0)
		h++;
	if (at)
		return at - 1;
	*VEC_PUSH(&s->names) = arena_strdup(&s->arena, name);
	map_set(&s->by_name, h, (void *)(uintptr_t)s->names.len);
	return s->names.len - 1;
}

static struct export_stack new_stack(struct export_stacks *s, char *text)
{
	size_t len = 1, i = 0;
	size_t *frames;
	char *save = NULL;

	for (const char *p = text; *p; p++)
		len += *p == ';';
	frames = arena_alloc(&s->arena, len, sizeof(*frames));
	for (char *f = strtok_r(text, ";", &save); f; f = strtok_r(NULL, ";", &save))
		frames[i++] = name_of(s, f);
	return (struct export_stack){.frames = frames, .len = i};
}

static struct export_stack *stack_of(struct export_stacks *s, char *text)
{
	uint64_t h = map_text_key(text);
	size_t at;

	while ((at = (size_t)(uintptr_t)map_get(&s->by_text, h)) &&
		strcmp(s->texts.at[at - 1], text) != 0)
		h++;
	if (at)
		return &s->stacks.at[at - 1];
	*VEC_PUSH(&s->texts) = arena_strdup(&s->arena, text);
	struct export_stack stack = new_stack(s, text);

	*VEC_PUSH(&s->stacks) = stack;
	map_set(&s->by_text, h, (void *)(uintptr_t)s->stacks.len);
	return &s->stacks.at[s->stacks.len - 1];
}

/* ---- files ---- */

static int add_line(struct export_stacks *s, size_t weight, char *line)
{
	char *blank = strrchr(line, ' ');
	struct export_stack *stack;
	uint64_t v;

	if (!blank || blank == line || units_parse_u64(blank + 1, 0, INT64_MAX, &v, NULL) < 0)
		return -EINVAL;
	*blank = '\0';
	stack = stack_of(s, line);
	if (__builtin_add_overflow(stack->weight[weight], v, &stack->weight[weight]) ||
		stack->weight[weight] > INT64_MAX)
		return -ERANGE;
	return 0;
}

/* 0 also where the file is not there. */
static int read_weight(struct export_stacks *s, const char *path, const char *name,
	const char *unit, struct err *err)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t cap = 0, n = 0;
	ssize_t len;
	int rc = 0;

	if (!f && errno == ENOENT)
		return 0;
	if (!f)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	s->weights[s->weights_len].name = name;
	s->weights[s->weights_len].unit = unit;
	while (rc == 0 && (len = getline(&line, &cap, f)) >= 0) {
		n++;
		if (len && line[len - 1] == '\n')
			line[len - 1] = '\0';
		rc = add_line(s, s->weights_len, line);
	}
	if (rc < 0)
		err_set(err, rc, "%s: line %zu: not a stack and its number", path, n);
	else if (ferror(f))
		rc = err_set(err, -EIO, "cannot read %s", path);
	s->weights_len++;
	free(line);
	fclose(f);
	return rc;
}

/* Where calls have no times a file of such is another run's. */
static int read_io(struct export_stacks *s, const char *base, int times, struct err *err)
{
	size_t first = times ? 0 : 1;
	int rc = 0;

	for (size_t i = first; rc == 0 && i < LEN(io_weights); i++) {
		cleanup_free char *path = mem_printf("%s-%s.folded", base, io_weights[i].name);

		rc = read_weight(s, path, io_weights[i].name, io_weights[i].unit, err);
	}
	if (rc == 0 && !s->weights_len)
		rc = err_set(err, -ENOENT,
			"there are no stacks %s-%s.folded: iotrace --stacks PREFIX or "
			"profile-scenario --io-stacks writes them, export --stacks PREFIX names "
			"them",
			base, io_weights[first].name);
	return rc;
}

int export_stacks_read(const struct export_source *s, struct export_stacks *ret, struct out *notes,
	struct err *err)
{
	cleanup_free char *base = s->stacks ? mem_strdup(s->stacks) : export_base(s);
	int rc;

	*ret = (struct export_stacks){0};
	if (s->schema == &schema_result) {
		if (!result_has_times(s->doc))
			export_timeless(notes, "no weight time");
		return read_io(ret, base, result_has_times(s->doc), err);
	}
	cleanup_free char *path = mem_printf("%s.folded", base);

	rc = read_weight(ret, path, "samples", "count", err);
	if (rc == 0 && !ret->weights_len)
		rc = err_set(err, -ENOENT, "there are no stacks %s", path);
	return rc;
}

void export_stacks_release(struct export_stacks *s)
{
	map_release(&s->by_name);
	map_release(&s->by_text);
	free(s->names.at);
	free(s->stacks.at);
	free(s->texts.at);
	arena_release(&s->arena);
	*s = (struct export_stacks){0};
}
