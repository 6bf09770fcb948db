/* SPDX-License-Identifier: GPL-3.0-only */
/* Reads a file, whichever kind it is, and looks for the folded stacks beside it. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/model/json.h"
#include "common/report/report.h"

#define FOLDED_MAX ((size_t)256 << 20)

/* ---- stacks beside a result ---- */

static void read_stacks(struct report_stacks *s)
{
	struct err err = {0};

	if (file_read(s->path, FOLDED_MAX, &s->text, &s->len, &err) < 0)
		s->unread = mem_strdup(err.text);
}

/* path with `suffix` at its end exchanged; NULL if it does not end so. */
static char *sibling(const char *path, const char *suffix, const char *with)
{
	size_t stem = text_stem_len(path, suffix);

	return stem ? mem_printf("%.*s%s", (int)stem, path, with) : NULL;
}

static void find_cpu_stacks(struct report *r)
{
	r->cpu_stacks.path = sibling(r->cpu_path, "-cpu.json", ".folded");
	if (r->cpu_stacks.path)
		read_stacks(&r->cpu_stacks);
}

/* What iotrace --stacks PREFIX writes, where PREFIX is that of the JSON. */
static void find_io_stacks(struct report *r)
{
	static const char *const kinds[] = {"time", "bytes", "calls"};
	cleanup_free char *base = sibling(r->io_path, ".json", "");

	for (size_t i = 0; base && i < LEN(kinds); i++) {
		char *path = mem_printf("%s-%s.folded", base, kinds[i]);
		struct report_stacks *s;
		/* One by time is of another run, then. */
		int other = i == 0 && !result_has_times(r->io);

		if (other || access(path, F_OK) != 0) {
			free(path);
			continue;
		}
		s = VEC_PUSH(&r->io_stacks);
		*s = (struct report_stacks){.path = path, .kind = kinds[i]};
		read_stacks(s);
	}
}

/* ---- the files ---- */

int report_read(struct report *r, const char *path, struct err *err)
{
	static const struct schema *const kinds[] = {
		&schema_result, &schema_cpu, &schema_memory, &schema_compare, NULL};
	char **const paths[] = {&r->io_path, &r->cpu_path, &r->memory_path, &r->compare_path};
	void *doc = NULL;
	size_t k = 0;
	int rc = json_read_any(path, kinds, &doc, err);

	if (rc < 0)
		return rc;
	while (kinds[k] != result_schema(doc))
		k++;
	if (*paths[k]) {
		result_free(doc);
		return err_set(err, -EEXIST,
			"%s: a report is of one scenario, and %s is %s as well", path, *paths[k],
			kinds[k]->what);
	}
	*paths[k] = mem_strdup(path);
	if (kinds[k] == &schema_compare) {
		r->compare = doc;
	} else if (kinds[k] == &schema_memory) {
		r->memory = doc;
	} else if (kinds[k] == &schema_cpu) {
		r->cpu = doc;
		find_cpu_stacks(r);
	} else {
		r->io = doc;
		find_io_stacks(r);
		return analyze_runs_read(&r->io_runs, path, r->io, err);
	}
	return 0;
}

static void stacks_release(struct report_stacks *s)
{
	free(s->path);
	free(s->text);
	free(s->unread);
}

void report_release(struct report *r)
{
	analyze_runs_release(&r->io_runs);
	result_free(r->io);
	result_free(r->cpu);
	result_free(r->memory);
	result_free(r->compare);
	free(r->io_path);
	free(r->cpu_path);
	free(r->memory_path);
	free(r->compare_path);
	stacks_release(&r->cpu_stacks);
	for (size_t i = 0; i < r->io_stacks.len; i++)
		stacks_release(&r->io_stacks.at[i]);
	free(r->io_stacks.at);
	*r = (struct report){0};
}

const char *report_name(const struct report *r)
{
	const void *const docs[] = {r->io, r->cpu, r->memory};

	if (r->scenario)
		return r->scenario;
	for (size_t i = 0; i < LEN(docs); i++)
		if (docs[i] && result_head(docs[i]).scenario)
			return result_head(docs[i]).scenario;
	return "";
}
