/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/alternate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/cli/command.h"
#include "common/cli/gather.h"
#include "common/runner/layout.h"
#include "common/runner/program.h"

struct words_vec {
	const char **at;
	size_t len, cap;
};

static void add(struct words_vec *v, const char *option, const char *value)
{
	if (!value)
		return;
	*VEC_PUSH(v) = option;
	*VEC_PUSH(v) = value;
}

static const struct {
	const char *name;
	size_t offset;
} passed_on[] = {
#define PASSED(name, arg, member, help)                                                            \
	{                                                                                          \
		"--" name, offsetof(struct alternate, member)                                      \
	}
	ALTERNATE_OPTIONS(PASSED),
	{"--prepare", offsetof(struct alternate, prepare)},
};

static const char *option_value(const struct alternate *a, size_t i)
{
	const char *value;

	memcpy(&value, (const char *)a + passed_on[i].offset, sizeof(value));
	return value;
}

const char *alternate_option(const struct alternate *a)
{
	for (size_t i = 0; i < LEN(passed_on); i++)
		if (option_value(a, i))
			return passed_on[i].name + strlen("--");
	return NULL;
}

static struct words_vec command_of(
	const struct alternate *a, const struct alternate_way *way, const char *dir)
{
	struct words_vec v = {0};

	*VEC_PUSH(&v) = "/proc/self/exe";
	*VEC_PUSH(&v) = "run";
	add(&v, "--scenario", a->scenario);
	add(&v, "--binary", way->binary);
	add(&v, "--set", way->set);
	add(&v, "--type", a->type ? a->type : "io");
	add(&v, "--config", a->config);
	add(&v, "--output-dir", dir);
	add(&v, "--runs", "1");
	for (size_t i = 0; i < LEN(passed_on); i++)
		add(&v, passed_on[i].name, option_value(a, i));
	if (a->rest)
		*VEC_PUSH(&v) = "--";
	for (char **w = a->rest; w && *w; w++)
		*VEC_PUSH(&v) = *w;
	*VEC_PUSH(&v) = NULL;
	return v;
}

/* What an earlier comparison left would be taken for what this run has not made. The folder may be
 * another user's (--user), who could put a link there. */
static void forget_results(const struct alternate *a, const char *dir)
{
	for (const struct result_kind *k = gather_kinds(); k->id; k++) {
		cleanup_free char *folder = mem_printf("%s/%s", dir, k->folder);
		cleanup_free char *name = mem_printf("%s%s", a->scenario, k->json_suffix);
		cleanup_close int fd = open(folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

		if (fd >= 0)
			(void)unlinkat(fd, name, 0);
	}
}

static int has_result(const struct alternate *a, const char *dir)
{
	int found = 0;

	for (const struct result_kind *k = gather_kinds(); k->id; k++) {
		cleanup_free char *path = layout_file(dir, k->folder, a->scenario, k->json_suffix);

		found |= access(path, F_OK) == 0;
	}
	return found;
}

/* What a person needs to see of a run that was in vain. */
static int in_vain(
	const struct alternate_way *way, const char *log, const char *why, struct err *err)
{
	command_show_log(log);
	return err_set(err, -EIO, "the run with %s %s, see %s", way->label, why, log);
}

/* Output of the target and of the runner goes to a file that has one name while it runs, so that
 * all ways write to the same, and then to DIR/log. */
static int run_once(const struct alternate *a, const struct alternate_way *way, const char *dir,
	struct err *err)
{
	cleanup_free char *log = mem_printf("%s/%s/%s/log", a->output_dir, a->folder, a->scenario);
	cleanup_free char *kept = mem_printf("%s/log", dir);
	cleanup_close int fd = -1;
	struct words_vec v = command_of(a, way, dir);
	struct program p = PROGRAM_NONE;
	/* The run makes its own directory, as whom it runs. */
	cleanup_free char *parent =
		mem_printf("%s/%s/%s/%s", a->output_dir, a->folder, a->scenario, way->name);
	int rc = file_mkdirs(parent, err);

	forget_results(a, dir);
	if (rc == 0) {
		fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		rc = fd < 0 ? err_set(err, -errno, "%s: %s", log, strerror(errno)) : 0;
	}
	if (rc == 0)
		rc = program_start(
			&(struct program_spec){.argv = v.at, .streams = {PROGRAM_NULL, fd, fd}}, &p,
			err);
	if (rc == 0)
		program_wait(&p);
	if (rc == 0)
		rc = file_mkdirs(dir, err);
	if (fd >= 0 && rename(log, kept) < 0 && rc == 0)
		rc = err_set(err, -errno, "%s: %s", kept, strerror(errno));
	/* How the target and the run ended is in the result, for the caller to judge. */
	if (rc == 0 && !has_result(a, dir)) {
		cleanup_free char *why =
			mem_printf("failed with status %d and left no result", program_status(&p));

		rc = in_vain(way, kept, why, err);
	}
	program_release(&p);
	free(v.at);
	return rc;
}

static char *dir_of(const struct alternate *a, size_t way, uint64_t run)
{
	return mem_printf("%s/%s/%s/%s/%llu", a->output_dir, a->folder, a->scenario,
		a->ways[way].name, (unsigned long long)run);
}

/* One more run of a side. */
static int take_turn(
	const struct alternate *a, size_t way, uint64_t run, struct side *side, struct err *err)
{
	cleanup_free char *dir = dir_of(a, way, run);
	cleanup_free char *log = mem_printf("%s/log", dir);
	cleanup_free char *why = NULL;
	int rc;

	fprintf(stderr, "run %llu of %llu, %s\n", (unsigned long long)run,
		(unsigned long long)a->runs,
		a->ways[way].set ? a->ways[way].label : a->ways[way].name);
	rc = run_once(a, &a->ways[way], dir, err);
	if (rc == 0)
		rc = side_read(side, dir, gather_kinds(), err);
	for (size_t i = 0; rc == 0 && a->refuse && i < side->parts.len && !why; i++)
		why = a->refuse(&side->parts.at[i], side->parts.at[i].runs.len - 1);
	return why ? in_vain(&a->ways[way], log, why, err) : rc;
}

int alternate_run(const struct alternate *a, struct side *sides, struct err *err)
{
	int rc = 0;

	if (!layout_name_ok(a->scenario))
		return err_set(err, -EINVAL,
			"'%.100s' is no name of a scenario: letters, digits, . _ - only",
			a->scenario);
	for (size_t way = 0; way < a->ways_len; way++)
		sides[way].label = mem_strdup(a->ways[way].label);
	for (uint64_t run = 1; run <= a->runs && rc == 0; run++)
		for (size_t i = 0; i < a->ways_len && rc == 0; i++) {
			/* There and back: a steady drift of the machine meets all alike. */
			size_t way = run % 2 == 0 ? a->ways_len - 1 - i : i;

			rc = take_turn(a, way, run, &sides[way], err);
		}
	return rc;
}

const char *const *alternate_places(const struct alternate *a, size_t way, struct arena *arena)
{
	const char **places = arena_alloc(arena, a->runs + 1, sizeof(*places));

	for (uint64_t run = 1; run <= a->runs; run++) {
		cleanup_free char *dir = dir_of(a, way, run);

		places[run - 1] = arena_strdup(arena, dir);
	}
	return places;
}
