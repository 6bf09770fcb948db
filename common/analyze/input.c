/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/model/json.h"

/* The scenario's name as in the file's: "dns" of "x/dns-iotrace.json". The caller's. */
static char *name_of_file(const char *path)
{
	static const char *const ends[] = {"-iotrace.json", "-cpu.json", "-memory.json", ".json"};
	const char *name = basename(path);

	for (size_t i = 0; i < LEN(ends); i++) {
		size_t stem = text_stem_len(name, ends[i]);

		if (stem)
			return mem_strndup(name, stem);
	}
	return mem_strdup(name);
}

static struct analyze_scenario *scenario_named(struct analyze_input *in, const char *name)
{
	size_t at = 0;

	while (at < in->len && strcmp(in->at[at].name, name) < 0)
		at++;
	if (at < in->len && !strcmp(in->at[at].name, name))
		return &in->at[at];
	(void)VEC_PUSH(in);
	memmove(&in->at[at + 1], &in->at[at], (in->len - 1 - at) * sizeof(*in->at));
	in->at[at] = (struct analyze_scenario){.name = mem_strdup(name)};
	return &in->at[at];
}

static int second(const char *path, const char *first, const struct schema *kind, struct err *err)
{
	return err_set(err, -EEXIST, "%s: %s of the same scenario as %s: name one of them", path,
		kind->what, first);
}

static int place_io(struct analyze_scenario *s, struct res_result *io, struct err *err)
{
	struct analyze_runs *runs = mem_calloc(1, sizeof(*runs));

	s->io = io;
	s->io_runs = runs;
	return analyze_runs_read(runs, s->io_file, io, err);
}

/* Hands the document over, or frees it. */
static int place(struct analyze_input *in, const char *path, void *doc, struct err *err)
{
	const struct schema *kind = result_schema(doc);
	const char *given = result_head(doc).scenario;
	cleanup_free char *name = given ? mem_strdup(given) : name_of_file(path);
	struct analyze_scenario *s = scenario_named(in, name);
	const char **file = kind == &schema_result ? &s->io_file
			    : kind == &schema_cpu  ? &s->cpu_file
						   : &s->memory_file;

	if (*file) {
		result_free(doc);
		return second(path, *file, kind, err);
	}
	*file = mem_strdup(path);
	if (kind == &schema_result)
		return place_io(s, doc, err);
	if (kind == &schema_cpu)
		s->cpu = doc;
	else
		s->memory = doc;
	return 0;
}

int analyze_input_add(struct analyze_input *in, const char *path, struct err *err)
{
	static const struct schema *const kinds[] = {
		&schema_result, &schema_cpu, &schema_memory, NULL};
	void *doc;
	int rc = json_read_any(path, kinds, &doc, err);

	return rc < 0 ? rc : place(in, path, doc, err);
}

static void scenario_release(struct analyze_scenario *s)
{
	if (s->io_runs)
		analyze_runs_release((struct analyze_runs *)s->io_runs);
	free((void *)s->io_runs);
	result_free(s->io);
	result_free(s->cpu);
	result_free(s->memory);
	free((void *)s->name);
	free((void *)s->io_file);
	free((void *)s->cpu_file);
	free((void *)s->memory_file);
}

void analyze_input_release(struct analyze_input *in)
{
	for (size_t i = 0; i < in->len; i++)
		scenario_release(&in->at[i]);
	free(in->at);
	*in = (struct analyze_input){0};
}
