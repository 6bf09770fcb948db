/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario baseline: results kept per version. */
#include "common/cli/command.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/units.h"
#include "common/cli/gather.h"
#include "common/runner/signals.h"
#include "common/baseline/baseline.h"

enum { STATUS_DIFFERENT = 1 };

struct baseline_args {
	const char *output_dir;
	int force;
};

#define OPTIONS struct baseline_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("output-dir", "DIR", output_dir,
		"where the results are (default results); baselines are in DIR/baselines"),
	OPT_FLAG("force", force, "of save: replace a baseline of that name, in one step"),
	OPT_OF_ALL,
};

/* ---- save ---- */

/* A signal that ends us has come and waits: nothing half-made stays behind, then it ends us as
 * usual. */
static int interrupted(void)
{
	sigset_t pending, ending;

	signals_ending(&ending);
	sigpending(&pending);
	sigandset(&pending, &pending, &ending);
	return !sigisemptyset(&pending);
}

static int save_uninterrupted(const struct baseline_place *place, const char *version,
	const struct baseline_args *args, struct baseline_saved *saved, struct err *err)
{
	sigset_t ending, old;
	int rc;

	signals_ending(&ending);
	sigprocmask(SIG_BLOCK, &ending, &old);
	rc = baseline_save(place, version, args->force, saved, err);
	sigprocmask(SIG_SETMASK, &old, NULL);
	return rc;
}

static int save(const struct baseline_place *place, const char *version,
	const struct baseline_args *args, struct err *err)
{
	struct baseline_saved saved;
	char files[UNITS_BUF], bytes[UNITS_BUF];
	struct out o;
	int rc = save_uninterrupted(place, version, args, &saved, err);

	for (size_t i = 0; i < saved.warnings.lines.len; i++)
		fprintf(stderr, "profile-scenario: warning: %s\n", saved.warnings.lines.at[i]);
	if (rc == 0) {
		out_init(&o, STDOUT_FILENO);
		out_printf(&o, "saved %s: %zu result%s, %s files, %s\n", saved.path, saved.results,
			saved.results == 1 ? "" : "s", units_thousands(files, saved.files),
			units_bytes(bytes, saved.bytes));
		rc = command_flush(&o, err);
	}
	baseline_saved_release(&saved);
	return rc;
}

/* ---- list ---- */

static int list(const struct baseline_place *place, struct err *err)
{
	struct baseline_list l;
	int rc = baseline_list(place, &l, err), width = (int)strlen("version");
	char bytes[UNITS_BUF];
	struct out o;

	if (rc < 0)
		return rc;
	if (!l.len)
		fprintf(stderr, "profile-scenario: no baselines in %s/" BASELINE_FOLDER "\n",
			place->out_dir);
	for (size_t i = 0; i < l.len; i++)
		if ((int)strlen(l.at[i].version) > width)
			width = (int)strlen(l.at[i].version);
	out_init(&o, STDOUT_FILENO);
	if (l.len)
		out_printf(&o, "%-*s  %-20s  %10s  %s\n", width, "version", "date", "size",
			"scenarios");
	for (size_t i = 0; i < l.len; i++) {
		out_printf(&o, "%-*s  %-20s  %10s  ", width, l.at[i].version, l.at[i].date,
			units_bytes(bytes, l.at[i].bytes));
		command_put(&o, l.at[i].scenarios);
		out_char(&o, '\n');
	}
	baseline_list_release(&l);
	return command_flush(&o, err);
}

/* ---- verify ---- */

/* STATUS_OK, STATUS_DIFFERENT or a negative errno. */
static int verify_one(
	const struct baseline_place *place, const char *version, struct out *o, struct err *err)
{
	static const char *const names[] = {
		[BASELINE_CHANGED] = "changed",
		[BASELINE_MISSING] = "missing",
		[BASELINE_EXTRA] = "extra",
		[BASELINE_UNREADABLE] = "unreadable",
	};
	struct baseline_check check;
	char files[UNITS_BUF];
	int rc = baseline_verify(place, version, &check, err);

	for (size_t i = 0; i < check.findings.len && rc == 0; i++) {
		out_printf(o, "%-10s  %s/", names[check.findings.at[i].what], version);
		command_put(o, check.findings.at[i].path);
		out_char(o, '\n');
	}
	if (rc == 0 && !check.findings.len)
		out_printf(o, "%s: %s files as they were saved\n", version,
			units_thousands(files, check.files));
	if (rc == 0)
		rc = check.findings.len ? STATUS_DIFFERENT : STATUS_OK;
	baseline_check_release(&check);
	return rc;
}

static int verify_all(const struct baseline_place *place, struct out *o, struct err *err)
{
	struct baseline_list l;
	int status = STATUS_OK, rc = baseline_list(place, &l, err);

	if (rc == 0 && !l.len)
		rc = err_set(err, -ENOENT, "no baselines in %s/" BASELINE_FOLDER, place->out_dir);
	for (size_t i = 0; i < l.len && rc >= 0; i++) {
		rc = verify_one(place, l.at[i].version, o, err);
		status = rc > 0 ? rc : status;
	}
	baseline_list_release(&l);
	return rc < 0 ? rc : status;
}

static int verify(const struct baseline_place *place, const char *version, struct err *err)
{
	struct out o;
	int rc, flushed;

	out_init(&o, STDOUT_FILENO);
	rc = version ? verify_one(place, version, &o, err) : verify_all(place, &o, err);
	flushed = command_flush(&o, err);
	return rc < 0 ? rc : flushed < 0 ? flushed : rc;
}

/* ---- the command ---- */

static int baseline_run(void *ctx, const struct words *w, struct err *err)
{
	const struct baseline_args *args = ctx;
	const struct baseline_place place = {
		.out_dir = args->output_dir, .kinds = gather_kinds(), .interrupted = interrupted};
	const char *verb = w->len ? w->at[0] : "";
	const char *version = w->at[1];

	if (args->force && strcmp(verb, "save") != 0)
		return err_set(err, -EINVAL, "--force is of baseline save");
	if (!strcmp(verb, "save")) {
		if (!version)
			return err_set(err, -EINVAL, "baseline save needs a VERSION");
		return save(&place, version, args, err);
	}
	if (!strcmp(verb, "list") && !version)
		return list(&place, err);
	if (!strcmp(verb, "verify"))
		return verify(&place, version, err);
	return err_set(err, -EINVAL,
		"baseline is followed by save VERSION, list, or verify [VERSION] (see baseline "
		"--help)");
}

const struct command command_baseline = {
	.name = "baseline",
	.meaning = "archive results per version: save, list, verify",
	.usage = "profile-scenario baseline save VERSION [OPTIONS]\n"
		 "profile-scenario baseline list [OPTIONS]\n"
		 "profile-scenario baseline verify [VERSION] [OPTIONS]\n"
		 "save copies the results that lie in DIR, with what they were made on and a "
		 "manifest; verify names every file that was changed, is missing or was added "
		 "since (of all baselines, when none is named).\n\n",
	.after = "\nexit status: 0; verify 1 if anything differs; 2 if nothing could be saved or "
		 "checked, or for bad usage\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct baseline_args){.output_dir = "results"},
	.words = 2,
	.run = baseline_run,
};
