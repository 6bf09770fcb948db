/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/plan.h"

#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/runner/backend.h"
#include "common/runner/program.h"

static void line(struct out *o, const char *what, const char *text)
{
	out_printf(o, "%-9s%s\n", what, text);
}

static void command_line(struct out *o, const char *what, const char *const *argv)
{
	cleanup_free char *text = text_command(argv);

	line(o, what, text);
}

static void build_line(const struct scenario *sc, struct out *o)
{
	cleanup_free char *found = program_find(sc->argv[0]);

	if (!sc->build)
		return;
	out_printf(o, "%-9s%s%s\n", "build", sc->build,
		found ? "   (not needed: the target is there)" : "");
}

static void ready_text(struct out *o, const struct ready *r)
{
	if (r->kind == READY_COMMAND)
		out_printf(o, "%-9s%s\n", "ready", r->command);
	else
		out_printf(
			o, "%-9s%s:%u\n", "ready", r->kind == READY_UDP ? "udp" : "tcp", r->port);
}

static void prepare_line(const struct scenario *sc, struct out *o)
{
	if (sc->prepare)
		line(o, "prepare", sc->prepare);
}

static void surroundings(const struct scenario *sc, struct out *o)
{
	if (sc->cwd)
		line(o, "cwd", sc->cwd);
	for (const char *const *e = sc->env; e && *e; e++)
		out_printf(o, "%-9s%s%s\n", "env", strchr(*e, '=') ? "" : "without ", *e);
	if (sc->stdin_path)
		line(o, "stdin", sc->stdin_path);
	for (size_t i = 0; i < sc->helpers_len; i++) {
		command_line(o, "helper", sc->helpers[i].argv);
		if (sc->helpers[i].has_ready)
			ready_text(o, &sc->helpers[i].ready);
	}
}

static void tool_line(const struct scenario *sc, const char *type, struct out *o)
{
	const struct backend *b = backend_by_id(type);
	struct err err = {0};

	if (!b) {
		out_printf(
			o, "%-9stype %s is not built into this profile-scenario\n", "tool", type);
		return;
	}
	if (b->probe(&err) < 0)
		line(o, "trouble", err.text);
	if (!b->command)
		return;
	cleanup_free char *dir = mem_printf("%s/%s", sc->output_dir, b->folder);
	struct arena a = {0};

	command_line(o, "tool",
		b->command(&(struct backend_run){.sc = sc, .attach = sc->attach, .dir = dir}, &a));
	arena_release(&a);
}

static void type_block(const struct scenario *sc, const char *type, struct out *o)
{
	char limit[UNITS_BUF];

	out_printf(o, "# %s %s: %llu warm-up, %llu run%s%s", sc->name, type,
		(unsigned long long)sc->warmup, (unsigned long long)sc->runs,
		sc->runs == 1 ? "" : "s", sc->control ? ", each after one without a tool" : "");
	if (sc->timeout_ns)
		out_printf(o, ", time limit %s", units_duration(limit, sc->timeout_ns));
	out_char(o, '\n');
	prepare_line(sc, o);
	build_line(sc, o);
	surroundings(sc, o);
	if (sc->attach)
		line(o, "attach", attach_text(sc->attach));
	else
		command_line(o, "target", sc->argv);
	if (sc->attach_window)
		line(o, "attach",
			"for the window, to the target and its descendants: PID is known then");
	tool_line(sc, type, o);
	if (sc->has_ready)
		ready_text(o, &sc->ready);
	if (sc->load)
		command_line(o, "load", sc->load);
}

void plan_write(const struct scenario *sc, struct out *o)
{
	if (sc->left_out)
		out_printf(o, "# %s: %s\n", sc->name, sc->left_out);
	for (size_t i = 0; sc->types[i]; i++)
		type_block(sc, sc->types[i], o);
}
