/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario doctor: what a profile needs here and what is missing. */
#include "common/cli/command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli/gather.h"
#include "common/model/json.h"
#include "common/runner/backend.h"
#include "common/doctor/doctor.h"

enum { STATUS_FAILED = 1 };

struct doctor_args {
	const char *binary, *config, *output_dir;
	int json;
};

#define OPTIONS struct doctor_args
static const struct optable_row option_rows[] = {
	OPT_TEXT("binary", "PATH", binary,
		"the target to look at (else $PROFILE_BINARY, else the catalogue's)"),
	OPT_TEXT("config", "FILE", config,
		"the catalogue (default profile-scenario.json, if there is one)"),
	OPT_TEXT("output-dir", "DIR", output_dir, "where results will go (default results)"),
	OPT_FLAG("json", json, "for programs"),
	OPT_OF_ALL,
};

/* Whether each type of profile can run, by its backend's own word. */
static void add_backends(struct doctor_report *report)
{
	const struct backend *b;

	for (size_t i = 0; (b = backend_at(i)); i++) {
		struct err err = {0};
		int failed = b->probe(&err) < 0;
		char *id = mem_printf("type-%s", b->id);

		doctor_add(report,
			&(struct doctor_line){id,
				!failed      ? DOCTOR_OK
				: b->by_name ? DOCTOR_WARN
					     : DOCTOR_FAIL,
				failed ? err.text : "can run here",
				!failed      ? NULL
				: b->by_name ? "none is needed, unless it is asked for by its name"
					     : "see the lines above"});
		free(id);
	}
}

/* ---- as text ---- */

static const char *level_name(enum doctor_level level)
{
	static const char *const names[] = {"OK", "WARN", "FAIL"};

	return names[level];
}

static void print_line(struct out *o, const struct doctor_line *line, int width)
{
	out_printf(o, "%-4s  %-*s  ", level_name(line->level), width, line->id);
	/* Paths are the user's, and what tools say is theirs: nothing of it may drive the terminal.
	 */
	command_put(o, line->text);
	if (line->fix) {
		out_printf(o, "\n%*s  fix: ", width + 6, "");
		command_put(o, line->fix);
	}
	out_char(o, '\n');
}

static void print_report(struct out *o, const struct doctor_report *report)
{
	size_t count[DOCTOR_FAIL + 1] = {0};
	int width = 0;

	for (size_t i = 0; i < report->len; i++)
		if ((int)strlen(report->at[i].id) > width)
			width = (int)strlen(report->at[i].id);
	for (size_t i = 0; i < report->len; i++) {
		print_line(o, &report->at[i], width);
		count[report->at[i].level]++;
	}
	out_printf(o, "%zu OK, %zu WARN, %zu FAIL\n", count[DOCTOR_OK], count[DOCTOR_WARN],
		count[DOCTOR_FAIL]);
}

/* ---- as JSON ---- */

static void write_member(struct out *o, const char *name, const char *value, const char *end)
{
	out_printf(o, "\"%s\": ", name);
	json_write_string(o, value);
	out_str(o, end);
}

static void write_report(struct out *o, const struct doctor_report *report)
{
	out_str(o, "{\n  \"schema\": \"profile.doctor/1\",\n  ");
	write_member(o, "level", level_name(doctor_worst(report)), ",\n  \"checks\": [");
	for (size_t i = 0; i < report->len; i++) {
		const struct doctor_line *line = &report->at[i];

		out_str(o, i ? ",\n    {" : "\n    {");
		write_member(o, "id", line->id, ", ");
		write_member(o, "level", level_name(line->level), ", ");
		write_member(o, "text", line->text, ", ");
		write_member(o, "fix", line->fix, "}");
	}
	out_str(o, "\n  ]\n}\n");
}

static int doctor_run(void *ctx, const struct words *words, struct err *err)
{
	const struct doctor_args *args = ctx;
	struct doctor_facts facts = {0};
	struct doctor_report report = {0};
	enum doctor_level worst;
	struct out o;
	int rc;

	if (words->rest && *words->rest)
		return err_set(err, -EINVAL, "doctor takes no arguments (see doctor --help)");
	doctor_probe(&facts, &(struct doctor_ask){
				     .output_dir = args->output_dir,
				     .binary = args->binary,
				     .env_binary = getenv("PROFILE_BINARY"),
				     .config = args->config,
				     .read_catalogue = gather_config,
			     });
	doctor_judge(&facts, &report);
	add_backends(&report);
	worst = doctor_worst(&report);
	out_init(&o, STDOUT_FILENO);
	(args->json ? write_report : print_report)(&o, &report);
	rc = command_flush(&o, err);
	doctor_report_release(&report);
	doctor_facts_release(&facts);
	if (rc < 0)
		return rc;
	return worst == DOCTOR_FAIL ? STATUS_FAILED : STATUS_OK;
}

const struct command command_doctor = {
	.name = "doctor",
	.meaning = "find out what profiles need here and what is missing",
	.usage = "profile-scenario doctor [OPTIONS]\n"
		 "Finds out by trying what profiles need here, what is missing, and what fixes "
		 "it.\n\n",
	.after = "\nexit status: 0 if all is OK or WARN, 1 if anything is FAIL, 2 for bad usage\n"
		 "docs/PROFILING-SETUP.md has a section for each line\n",
	COMMAND_OPTIONS(option_rows),
	.defaults = &(const struct doctor_args){.output_dir = "results"},
	.run = doctor_run,
};
