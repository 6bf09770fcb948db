/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/scenario.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/nearest.h"
#include "common/base/text.h"
#include "common/runner/layout.h"
#include "common/runner/load.h"
#include "common/runner/optable.h"

enum { SAMPLING_HZ = 99, GRACE_S = 5, READY_TIMEOUT_S = 30 };

#define DEFAULT_TYPE "cpu"

static const char *text_or(const char *a, const char *b)
{
	return a ? a : b;
}

static uint64_t number_or(uint64_t a, uint64_t b, uint64_t otherwise)
{
	if (a != OPTION_UNSET)
		return a;
	return b != CONFIG_UNSET ? b : otherwise;
}

static const struct scenario_type *find_type(const struct scenario_type *there, const char *id)
{
	while (there->id && strcmp(there->id, id) != 0)
		there++;
	return there->id ? there : NULL;
}

static int check_type(
	struct scenario *sc, const struct scenario_type *there, const char *type, struct err *err)
{
	struct nearest n = nearest_to(type, 2);
	const char *names = "";

	nearest_try(&n, "all");
	for (const struct scenario_type *t = there; t->id; t++) {
		nearest_try(&n, t->id);
		names = arena_printf(&sc->arena, "%s%s%s", names, *names ? ", " : "", t->id);
	}
	if (n.name && !n.distance)
		return 0;
	cleanup_free char *hint = nearest_hint(&n);

	return err_set(err, -EINVAL, "unknown type '%s': %s or all%s", type, names, hint);
}

/* All but those that are only run when they are named. */
static const char *const *all_types(struct scenario *sc, const struct scenario_type *there)
{
	size_t len = 0;

	while (there[len].id)
		len++;
	const char **list = arena_alloc(&sc->arena, len + 1, sizeof(*list));

	len = 0;
	for (; there->id; there++)
		if (!there->by_name)
			list[len++] = there->id;
	return list;
}

static const char *const *list_of(struct scenario *sc, const char *only)
{
	const char **list = arena_alloc(&sc->arena, 2, sizeof(*list));

	list[0] = only;
	return list;
}

static int merge_types(struct scenario *sc, const struct scenario_args *args,
	const char *const *types, struct err *err)
{
	const char *type = args->type;

	if (type)
		types = list_of(sc, type);
	else if (!types || !types[0])
		types = list_of(sc, DEFAULT_TYPE);
	for (size_t i = 0; types[i]; i++) {
		if (check_type(sc, args->there, types[i], err) < 0)
			return err->code;
		if (!strcmp(types[i], "all"))
			types = all_types(sc, args->there);
	}
	sc->types = types;
	return 0;
}

static int is_attaching(const struct scenario *sc)
{
	return sc->attach || sc->attach_window;
}

/* Of the types those whose tool can attach. */
static int merge_attachable(struct scenario *sc, const struct scenario_type *there, struct err *err)
{
	size_t len = text_list_len(sc->types), kept = 0;
	const char **list = arena_alloc(&sc->arena, len + 1, sizeof(*list));

	for (size_t i = 0; i < len; i++) {
		const struct scenario_type *t = find_type(there, sc->types[i]);

		if (!t->cannot_attach)
			list[kept++] = t->id;
		else
			sc->left_out = arena_printf(
				&sc->arena, "type %s is left out: %s", t->id, t->cannot_attach);
	}
	if (!kept)
		return err_set(err, -EINVAL, "type %s: %s", sc->types[len - 1],
			find_type(there, sc->types[len - 1])->cannot_attach);
	sc->types = list;
	return 0;
}

/* What attaching needs to come to an end, and what it has no use for. */
static int merge_attach(struct scenario *sc, const struct scenario_args *args,
	const struct config_scenario *from, struct err *err)
{
	sc->attach = args->attached;
	sc->attach_window = args->attach_window || (from->attach && !sc->attach);
	sc->no_tree = args->no_tree;
	if (!is_attaching(sc)) {
		if (args->no_tree)
			return err_set(
				err, -EINVAL, "--no-tree is of --attach and --attach-window");
		return 0;
	}
	if (args->attach_window && sc->attach)
		return err_set(err, -EINVAL,
			"--attach and --attach-window exclude each other: one is for a process "
			"that runs already");
	if (sc->attach_window && !sc->load)
		return err_set(err, -EINVAL,
			"a target that is attached to for the window needs a load (--load CMD)");
	if (merge_attachable(sc, args->there, err) < 0)
		return err->code;
	if (sc->attach && (args->binary || args->rest))
		return err_set(err, -EINVAL,
			"--attach takes neither --binary nor arguments after --: its target runs "
			"already");
	if (sc->load)
		return 0;
	if (sc->control)
		return err_set(err, -EINVAL, "--control of a process that runs needs a load");
	if (!sc->duration_ns && (sc->runs + sc->warmup > 1 || sc->types[1]))
		return err_set(err, -EINVAL,
			"several runs or types of a process that runs need --duration or a load: "
			"each must come to an end");
	return 0;
}

int scenario_has_type(
	const struct scenario_type *there, const struct config_scenario *s, const char *type)
{
	const struct scenario_type *t = type ? find_type(there, type) : NULL;

	if (!type || !strcmp(type, "all"))
		return 1;
	if (s->attach && t && t->cannot_attach)
		return 0;
	if (!s->types || !s->types[0])
		return !strcmp(type, DEFAULT_TYPE);
	for (size_t i = 0; s->types[i]; i++)
		if (!strcmp(s->types[i], type) || (!strcmp(s->types[i], "all") && t && !t->by_name))
			return 1;
	return 0;
}

/* head, then every word of tail. */
static const char *const *join(struct scenario *sc, const char *head, const char *const *tail)
{
	size_t len = text_list_len(tail);
	const char **list = arena_alloc(&sc->arena, len + 2, sizeof(*list));

	list[0] = head;
	for (size_t i = 0; tail && i < len; i++)
		list[i + 1] = tail[i];
	return list;
}

static int is_shell(const char *const *argv)
{
	return !strcmp(argv[0], "sh") && argv[1] && !strcmp(argv[1], "-c");
}

static int merge_argv(struct scenario *sc, const struct scenario_args *args,
	const struct config *config, const char *env_binary, struct err *err)
{
	const struct config_scenario *from = config ? config_find(config, sc->name) : NULL;
	const char *const *command = from ? from->command : NULL;
	const char *const *rest = (const char *const *)args->rest;
	const char *binary = text_or(args->binary, env_binary && *env_binary ? env_binary : NULL);

	if (sc->attach) {
		sc->argv = sc->attach->command;
		return 0;
	}
	if (command) {
		if (is_shell(command) && (rest || args->binary))
			return err_set(err, -EINVAL,
				"the command of scenario %s is shell text: it takes neither "
				"--binary nor arguments after --",
				sc->name);
		/* $PROFILE_BINARY stands for the target, which a command does not use. */
		sc->argv = join(sc, text_or(args->binary, command[0]), rest ? rest : command + 1);
		return 0;
	}
	if (!binary && config) {
		binary = config->binary;
		sc->build = config->build;
	} else if (config && config->binary && !strcmp(binary, config->binary)) {
		sc->build = config->build;
	}
	if ((!binary || !*binary) && rest && rest[0])
		return err_set(err, -EINVAL,
			"no target: what comes after -- are its arguments; give --binary %s, "
			"and those behind it after --",
			rest[0]);
	if (!binary || !*binary)
		return err_set(err, -EINVAL,
			"no target: give --binary PATH, set PROFILE_BINARY, or write target.binary "
			"in " CONFIG_DEFAULT_FILE);
	sc->argv = join(sc, binary, rest ? rest : from ? from->args : NULL);
	return 0;
}

/* A number in the load's output. */
struct measure {
	const char *name, *unit, *regex;
};

static int merge_load(struct scenario *sc, const struct scenario_args *args,
	const struct config_scenario *from, struct err *err)
{
	const char *ready = text_or(args->ready, from->ready);

	if (ready) {
		sc->has_ready = 1;
		if (ready_parse(ready, &sc->ready, err) < 0)
			return err->code;
	}
	sc->load = from->load;
	if (args->load) {
		const char *shell[] = {"-c", args->load, NULL};
		sc->load = join(sc, "sh", shell);
	}
	if (!sc->load && sc->has_ready)
		return err_set(err, -EINVAL, "ready needs a load (--load CMD)");
	return 0;
}

/* UNIT=REGEX of an option over what the catalogue says. */
static int merge_measure(
	struct scenario *sc, const char *option, struct measure *m, struct err *err)
{
	char *unit, *regex;

	if (option) {
		if (work_split(option, &unit, &regex, err) < 0)
			return err_wrap(err, "%s", m->name);
		m->unit = arena_strdup(&sc->arena, unit);
		m->regex = arena_strdup(&sc->arena, regex);
		free(unit);
		free(regex);
	}
	if (!m->regex)
		return 0;
	if (!sc->load)
		return err_set(err, -EINVAL, "%s needs a load (--load CMD)", m->name);
	/* Tried here, so that a bad one is told before anything is started. */
	struct work_scan scan;

	if (work_scan_init(&scan, m->regex, 1, err) < 0)
		return err_wrap(err, "%s", m->name);
	work_scan_release(&scan);
	return 0;
}

static int merge_measures(struct scenario *sc, const struct scenario_args *args,
	const struct config_scenario *from, struct err *err)
{
	struct measure work = {"work", from->work_unit, from->work_regex};
	struct measure latency = {"latency", from->latency_unit, from->latency_regex};

	if (merge_measure(sc, args->work, &work, err) < 0 ||
		merge_measure(sc, args->latency, &latency, err) < 0)
		return err->code;
	sc->work_unit = work.unit;
	sc->work_regex = work.regex;
	sc->latency_regex = latency.regex;
	sc->latency_unit_ns = latency.regex ? load_unit_ns(latency.unit) : 0;
	if (latency.regex && !sc->latency_unit_ns)
		return err_set(err, -EINVAL, "latency: '%s' is no unit of time: ns, us, ms or s",
			latency.unit);
	return 0;
}

static int merge_helpers(struct scenario *sc, const struct config_helper *from, struct err *err)
{
	size_t len = 0;

	while (from && from[len].command)
		len++;
	sc->helpers = arena_alloc(&sc->arena, len + 1, sizeof(*sc->helpers));
	sc->helpers_len = len;
	for (size_t i = 0; i < len; i++) {
		sc->helpers[i].argv = from[i].command;
		sc->helpers[i].has_ready = from[i].ready != NULL;
		if (from[i].ready && ready_parse(from[i].ready, &sc->helpers[i].ready, err) < 0)
			return err_wrap(err, "helper %s", from[i].command[0]);
	}
	return 0;
}

static int merge_mode(struct scenario *sc, const char *mode, struct err *err)
{
	sc->mode = text_or(mode, "auto");
	if (strcmp(sc->mode, "auto") != 0 && strcmp(sc->mode, "ptrace") != 0)
		return err_set(err, -EINVAL, "unknown mode '%s': auto or ptrace", sc->mode);
	return 0;
}

static int merge_call_graph(struct scenario *sc, const char *call_graph, struct err *err)
{
	sc->call_graph = text_or(call_graph, "dwarf");
	if (strcmp(sc->call_graph, "dwarf") != 0 && strcmp(sc->call_graph, "fp") != 0)
		return err_set(
			err, -EINVAL, "unknown call graph '%s': dwarf or fp", sc->call_graph);
	return 0;
}

static void merge_plain(
	struct scenario *sc, const struct scenario_args *args, const struct config_scenario *from)
{
	sc->output_dir = text_or(args->output_dir, "results");
	sc->env = from->env;
	sc->cwd = from->cwd;
	sc->stdin_path = from->stdin_path;
	sc->trace = from->trace;
	sc->no_times = from->no_times;
	sc->limits = from->limits;
	sc->sampling_hz = number_or(args->sampling_hz, from->sampling_hz, SAMPLING_HZ);
	sc->runs = number_or(args->runs, from->runs, 1);
	sc->warmup = number_or(args->warmup, from->warmup, 0);
	sc->timeout_ns = number_or(args->timeout_ns, from->timeout_ns, 0);
	sc->grace_ns = number_or(args->grace_ns, CONFIG_UNSET, GRACE_S * NS_PER_SEC);
	sc->ready_timeout_ns = number_or(
		args->ready_timeout_ns, from->ready_timeout_ns, READY_TIMEOUT_S * NS_PER_SEC);
	sc->skip_ns = number_or(args->skip_ns, from->skip_ns, 0);
	sc->duration_ns = number_or(args->duration_ns, from->duration_ns, 0);
	sc->control = args->control;
	sc->diff = args->diff;
	sc->show_output = args->show_output;
	sc->skip_unavailable = args->skip_unavailable;
}

static int merge(struct scenario *sc, const struct scenario_args *args, struct config *config,
	const char *env_binary, struct err *err)
{
	const struct config_scenario *from = config ? config_find(config, sc->name) : NULL;
	int rc;

	/* A name that is not in the catalogue is a scenario of the command line, which then says
	 * what to run; without that it is a typing error. */
	if (!from && config && !args->rest && !args->binary && !args->attached)
		return err_set(err, -EINVAL,
			"no scenario %s in %s (there: %s); for one without the catalogue give "
			"arguments after --",
			sc->name, config->path, config_names(config, sc->name));
	if (!from)
		from = &config_nothing;
	merge_plain(sc, args, from);
	sc->memory = args->memory;
	rc = merge_types(sc, args, from->types, err);
	if (rc == 0)
		rc = merge_mode(sc, args->mode, err);
	sc->io_stacks = args->io_stacks;
	if (rc == 0)
		rc = merge_call_graph(sc, args->call_graph, err);
	if (rc == 0)
		rc = merge_load(sc, args, from, err);
	if (rc == 0)
		rc = merge_attach(sc, args, from, err);
	if (rc == 0)
		rc = merge_measures(sc, args, from, err);
	if (rc == 0)
		rc = merge_helpers(sc, from->helpers, err);
	if (rc == 0)
		rc = merge_argv(sc, args, config, env_binary, err);
	sc->prepare = args->prepare;
	return rc;
}

int scenario_merge(const struct scenario_args *args, struct config *config, const char *env_binary,
	struct scenario **ret, struct err *err)
{
	if (!args->scenario)
		return err_set(err, -EINVAL, "--scenario NAME is needed (see --help)");
	if (!layout_name_ok(args->scenario))
		return err_set(err, -EINVAL,
			"'%s' is no name for a scenario: letters, digits, '.', '_' and '-', not "
			"starting with a dot, at most 200",
			args->scenario);

	struct scenario *sc = mem_calloc(1, sizeof(*sc));
	sc->name = args->scenario;
	int rc = merge(sc, args, config, env_binary, err);
	if (rc < 0) {
		scenario_free(sc);
		return rc;
	}
	*ret = sc;
	return 0;
}

void scenario_free(struct scenario *sc)
{
	if (!sc)
		return;
	arena_release(&sc->arena);
	free(sc);
}
