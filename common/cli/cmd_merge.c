/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario merge: results of several hosts or runs, added. */
#include "common/cli/command.h"

#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/text.h"
#include "common/merge/merge.h"
#include "common/model/json.h"
#include "common/write/safe.h"

struct merge_args {
	const char *output;
};

#define OPTIONS struct merge_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("output", "FILE", output, "write there, - is standard output (the default)"),
	OPT_OF_ALL,
};

/* ---- what is added ---- */

/* FILE's name without its folder and .json; the caller's. */
static char *name_of(const char *path)
{
	const char *name = basename(path);
	size_t stem = text_stem_len(name, ".json");

	return stem ? mem_strndup(name, stem) : mem_strdup(name);
}

static int add_file(struct merge *m, const char *host, const char *path, struct err *err)
{
	cleanup_free char *name = host ? mem_strdup(host) : name_of(path);
	struct res_result *r = NULL;
	int rc = json_read_result(path, &r, err);

	if (rc < 0)
		return rc;
	merge_add(m, name, r);
	result_free(r);
	return 0;
}

/* Its files; how many, or a negative errno. */
static int add_files(struct merge *m, const char *host, const char *path, struct err *err)
{
	struct arena a = {0};
	const char *const *names = file_names(&a, path, ".json", 0);
	int rc = 0, n = 0;

	if (!names)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	for (; names[n] && rc == 0; n++)
		rc = add_file(m, host, arena_printf(&a, "%s/%s.json", path, names[n]), err);
	arena_release(&a);
	return rc < 0 ? rc : n;
}

static int is_folder(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* A folder for each host, called by it. */
static int add_hosts(struct merge *m, const char *host, const char *path, struct err *err)
{
	struct arena a = {0};
	const char *const *names = file_names(&a, path, "", 0);
	int n = 0;

	for (; names && *names && n >= 0; names++) {
		const char *one = arena_printf(&a, "%s/%s", path, *names);
		int rc = is_folder(one) ? add_files(m, host ? host : *names, one, err) : 0;

		n = rc < 0 ? rc : n + rc;
	}
	arena_release(&a);
	return n;
}

static int add_folder(struct merge *m, const char *host, const char *path, struct err *err)
{
	int n = add_files(m, host, path, err);

	if (n == 0)
		n = add_hosts(m, host, path, err);
	if (n == 0)
		return err_set(err, -ENOENT, "%s: there is no .json in it", path);
	return n < 0 ? n : 0;
}

static int add_word(struct merge *m, const char *word, struct err *err)
{
	const char *equals = strchr(word, '='), *path = word;
	cleanup_free char *host = NULL;

	/* A file may have a = in its name. */
	if (equals && equals != word && access(word, F_OK) < 0) {
		host = mem_strndup(word, (size_t)(equals - word));
		path = equals + 1;
	}
	if (is_folder(path))
		return add_folder(m, host, path, err);
	return add_file(m, host, path, err);
}

/* ---- output ---- */

static void tell(const struct res_merge *d)
{
	struct arena arena = {0};

	fprintf(stderr, "%" PRIu64 " result%s of %zu host%s\n", d->results,
		d->results == 1 ? "" : "s", d->hosts.len, d->hosts.len == 1 ? "" : "s");
	for (size_t i = 0; i < d->notes.len; i++)
		fprintf(stderr, "note: %s\n", d->notes.at[i]);
	for (size_t i = 0; i < d->odd.len; i++) {
		const struct res_merge_odd *x = &d->odd.at[i];

		fprintf(stderr,
			"odd: %s: %s %s is %.6g; the median of %" PRIu64
			" hosts is %.6g (score %.1f)\n",
			safe_text(&arena, x->host), safe_text(&arena, x->call), x->figure, x->value,
			x->hosts, x->median, x->score);
	}
	arena_release(&arena);
}

/* What a result took is kept for the next one: given back and taken again it costs a fault a page.
 */
static void keep_memory(void)
{
	enum { KEPT_BYTES = 64 << 20 };

	mallopt(M_TRIM_THRESHOLD, KEPT_BYTES);
	mallopt(M_MMAP_THRESHOLD, KEPT_BYTES / 2); /* its most */
}

static int merge_run(void *ctx, const struct words *words, struct err *err)
{
	const struct merge_args *args = ctx;
	struct merge *m = merge_new();
	const struct res_merge *d;
	int rc = 0;

	if (!words->len)
		rc = err_set(err, -EINVAL, "merge needs the FILEs of results, or a folder of them");
	keep_memory();
	for (size_t i = 0; i < words->len && rc == 0; i++)
		rc = add_word(m, words->at[i], err);
	if (rc == 0) {
		d = merge_finish(m);
		rc = file_write_with(args->output, json_write_doc, d, err);
		if (rc == 0)
			tell(d);
	}
	merge_free(m);
	return rc;
}

const struct command command_merge = {
	.name = "merge",
	.meaning = "results of several hosts or runs added, odd hosts named",
	.usage =
		"profile-scenario merge RESULT.. [-o OUT]\n"
		"Adds results of iotrace: counts and histograms exactly, with a row for each host, "
		"and names the hosts whose figures lie far from the others'. RESULT is FILE, "
		"HOST=FILE, or a folder: every .json in it. A host is called by its file's "
		"name where no HOST is given; several results of one are added.\n\n",
	.after = "\nexit status: 0, also where a host is odd; 2 if a RESULT cannot be read, or for "
		 "bad usage\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct merge_args){"-"},
	.words = WORDS_MAX,
	.run = merge_run,
};
