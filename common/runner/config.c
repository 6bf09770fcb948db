/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/config.h"

#include "common/model/json.h"

#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/nearest.h"
#include "common/base/units.h"
#include "common/runner/layout.h"
#include "common/runner/locate.h"

enum { CONFIG_MAX_BYTES = 16 << 20, DEPTH_MAX = 4 };

/* A reading in progress, and the keys on the way to where it is. */
struct reader {
	struct config *config;
	const char *text;
	struct err *err;
	const char *keys[DEPTH_MAX];
	size_t depth;
};

enum key_kind {
	KEY_TEXT,    /* string */
	KEY_LIST,    /* list of strings */
	KEY_COMMAND, /* list of strings, or one string for sh -c */
	KEY_COUNT,   /* whole number from min */
	KEY_SECONDS, /* number, or a string with a unit */
	KEY_FLAG,    /* true or false */
	KEY_ENV,     /* object of strings; null unsets */
	KEY_PAIRS,   /* object of strings */
	KEY_HELPERS, /* list of commands, or of objects with command and ready */
	KEY_OBJECT,  /* object with keys of its own, at the same struct */
	KEY_SCENARIOS,
};

const struct config_scenario config_nothing = {
	.sampling_hz = CONFIG_UNSET,
	.runs = CONFIG_UNSET,
	.warmup = CONFIG_UNSET,
	.timeout_ns = CONFIG_UNSET,
	.ready_timeout_ns = CONFIG_UNSET,
	.skip_ns = CONFIG_UNSET,
	.duration_ns = CONFIG_UNSET,
};

struct key_def {
	const char *name;
	enum key_kind kind;
	size_t offset;
	uint64_t min;
	const struct key_def *keys; /* KEY_OBJECT, ends with a NULL name */
};

#define AT(member) offsetof(struct config_scenario, member)
static const struct key_def work_keys[] = {
	{"unit", KEY_TEXT, AT(work_unit), 0, NULL},
	{"from", KEY_TEXT, AT(work_from), 0, NULL},
	{"regex", KEY_TEXT, AT(work_regex), 0, NULL},
	{NULL, KEY_TEXT, 0, 0, NULL},
};

static const struct key_def latency_keys[] = {
	{"unit", KEY_TEXT, AT(latency_unit), 0, NULL},
	{"regex", KEY_TEXT, AT(latency_regex), 0, NULL},
	{NULL, KEY_TEXT, 0, 0, NULL},
};

static const struct key_def helper_keys[] = {
	{"command", KEY_COMMAND, offsetof(struct config_helper, command), 0, NULL},
	{"ready", KEY_TEXT, offsetof(struct config_helper, ready), 0, NULL},
	{NULL, KEY_TEXT, 0, 0, NULL},
};

static const struct key_def scenario_keys[] = {
	{"args", KEY_LIST, AT(args), 0, NULL},
	{"command", KEY_COMMAND, AT(command), 0, NULL},
	{"env", KEY_ENV, AT(env), 0, NULL},
	{"cwd", KEY_TEXT, AT(cwd), 0, NULL},
	{"stdin", KEY_TEXT, AT(stdin_path), 0, NULL},
	{"helpers", KEY_HELPERS, AT(helpers), 0, NULL},
	{"types", KEY_LIST, AT(types), 0, NULL},
	{"sampling_rate", KEY_COUNT, AT(sampling_hz), 1, NULL},
	{"runs", KEY_COUNT, AT(runs), 1, NULL},
	{"warmup", KEY_COUNT, AT(warmup), 0, NULL},
	{"timeout", KEY_SECONDS, AT(timeout_ns), 0, NULL},
	{"ready", KEY_TEXT, AT(ready), 0, NULL},
	{"ready_timeout", KEY_SECONDS, AT(ready_timeout_ns), 0, NULL},
	{"load", KEY_COMMAND, AT(load), 0, NULL},
	{"work", KEY_OBJECT, 0, 0, work_keys},
	{"latency", KEY_OBJECT, 0, 0, latency_keys},
	{"attach", KEY_FLAG, AT(attach), 0, NULL},
	{"skip", KEY_SECONDS, AT(skip_ns), 0, NULL},
	{"duration", KEY_SECONDS, AT(duration_ns), 0, NULL},
	{"trace", KEY_TEXT, AT(trace), 0, NULL},
	{"no_times", KEY_FLAG, AT(no_times), 0, NULL},
	{"limits", KEY_PAIRS, AT(limits), 0, NULL},
	{NULL, KEY_TEXT, 0, 0, NULL},
};
#undef AT

static const struct key_def target_keys[] = {
	{"binary", KEY_TEXT, offsetof(struct config, binary), 0, NULL},
	{"build", KEY_TEXT, offsetof(struct config, build), 0, NULL},
	{NULL, KEY_TEXT, 0, 0, NULL},
};

static const struct key_def root_keys[] = {
	{"target", KEY_OBJECT, 0, 0, target_keys},
	{"ease", KEY_PAIRS, offsetof(struct config, ease), 0, NULL},
	{"scenarios", KEY_SCENARIOS, 0, 0, NULL},
	{NULL, KEY_TEXT, 0, 0, NULL},
};

/* "FILE: line 3 column 7: scenarios.x.runs: WHAT". */
static int fail(struct reader *rd, const char *what)
{
	char dotted[256];
	size_t used = 0, line, column;

	dotted[0] = '\0';
	for (size_t i = 0; i < rd->depth && used < sizeof(dotted); i++)
		used += (size_t)snprintf(
			dotted + used, sizeof(dotted) - used, "%s%s", i ? "." : "", rd->keys[i]);
	err_set(rd->err, -EINVAL, "%s%s%s", dotted, rd->depth ? ": " : "", what);
	/* Inside of a list only the list's place is known. */
	for (size_t depth = rd->depth; depth; depth--) {
		const char *at = locate_key(rd->text, rd->keys, depth);

		if (!at)
			continue;
		locate_place(rd->text, at, &line, &column);
		err_wrap(rd->err, "line %zu column %zu", line, column);
		break;
	}
	return err_wrap(rd->err, "%s", rd->config->path);
}

static void enter(struct reader *rd, const char *key)
{
	rd->keys[rd->depth++] = key;
}

static void leave(struct reader *rd)
{
	rd->depth--;
}

static const char *copy_string(struct reader *rd, const struct json_value *v)
{
	return arena_strdup(&rd->config->arena, json_text(v));
}

static const char **new_list(struct reader *rd, size_t len)
{
	return arena_alloc(&rd->config->arena, len + 1, sizeof(char *));
}

static int read_list(struct reader *rd, const struct json_value *v, const char *const **ret)
{
	if (json_kind_of(v) != JSON_KIND_ARRAY)
		return fail(rd, "should be a list of strings");
	const char **list = new_list(rd, json_len(v));

	for (size_t i = 0; i < json_len(v); i++) {
		list[i] = copy_string(rd, json_at(v, i));
		if (!list[i])
			return fail(rd, "should be a list of strings");
	}
	*ret = list;
	return 0;
}

static int read_command(struct reader *rd, const struct json_value *v, const char *const **ret)
{
	if (json_kind_of(v) == JSON_KIND_STRING) {
		const char **list = new_list(rd, 3);

		list[0] = "sh";
		list[1] = "-c";
		list[2] = copy_string(rd, v);
		*ret = list;
		return 0;
	}
	if (json_kind_of(v) != JSON_KIND_ARRAY || json_len(v) == 0)
		return fail(rd, "should be a command: a list of strings, or a string for sh -c");
	return read_list(rd, v, ret);
}

static int read_count(
	struct reader *rd, const struct key_def *key, const struct json_value *v, uint64_t *ret)
{
	int64_t n = json_int(v, -1);

	if (json_kind_of(v) != JSON_KIND_INT || n < (int64_t)key->min)
		return fail(rd, key->min ? "should be a whole number, at least 1"
					 : "should be a whole number, not negative");
	*ret = (uint64_t)n;
	return 0;
}

static int read_seconds(struct reader *rd, const struct json_value *v, uint64_t *ret)
{
	enum json_kind kind = json_kind_of(v);
	double seconds = json_number(v, -1);

	if (kind == JSON_KIND_STRING && units_parse_seconds(json_text(v), ret, NULL) == 0)
		return 0;
	if ((kind != JSON_KIND_INT && kind != JSON_KIND_REAL) || !(seconds >= 0 && seconds <= 1e9))
		return fail(rd, "should be a time in seconds");
	*ret = (uint64_t)(seconds * (double)NS_PER_SEC + 0.5);
	return 0;
}

static int read_flag(struct reader *rd, const struct json_value *v, int *ret)
{
	if (json_kind_of(v) != JSON_KIND_BOOL)
		return fail(rd, "should be true or false");
	*ret = json_bool(v, 0);
	return 0;
}

static int read_env(struct reader *rd, const struct json_value *v, const char *const **ret)
{
	if (json_kind_of(v) != JSON_KIND_OBJECT)
		return fail(rd, "should be an object of strings (null unsets)");
	const char **list = new_list(rd, json_len(v));

	for (size_t i = 0; json_key(v, i); i++) {
		const char *key = json_key(v, i);
		const struct json_value *value = json_get(v, key);

		enter(rd, key);
		if (!*key || strchr(key, '='))
			return fail(rd, "is no name of an environment variable");
		if (json_kind_of(value) == JSON_KIND_STRING)
			list[i] = arena_printf(&rd->config->arena, "%s=%s", key, json_text(value));
		else if (json_kind_of(value) == JSON_KIND_NULL)
			list[i] = arena_strdup(&rd->config->arena, key);
		else
			return fail(rd, "should be a string, or null to unset it");
		leave(rd);
	}
	*ret = list;
	return 0;
}

static int read_pairs(struct reader *rd, const struct json_value *v, const char *const **ret)
{
	if (json_kind_of(v) != JSON_KIND_OBJECT)
		return fail(rd, "should be an object of strings");
	const char **list = new_list(rd, json_len(v) * 2);

	for (size_t i = 0; json_key(v, i); i++) {
		const char *key = json_key(v, i);

		enter(rd, key);
		list[2 * i] = arena_strdup(&rd->config->arena, key);
		list[2 * i + 1] = copy_string(rd, json_get(v, key));
		if (!list[2 * i + 1])
			return fail(rd, "should be a string");
		leave(rd);
	}
	*ret = list;
	return 0;
}

static int read_object(
	struct reader *rd, const struct key_def *keys, const struct json_value *v, void *into);

static int read_scenarios(struct reader *rd, const struct json_value *v);

static int read_helper(struct reader *rd, const struct json_value *v, struct config_helper *ret)
{
	if (json_kind_of(v) != JSON_KIND_OBJECT)
		return read_command(rd, v, &ret->command);
	int rc = read_object(rd, helper_keys, v, ret);

	if (rc == 0 && !ret->command)
		return fail(rd, "a helper needs a command");
	return rc;
}

static int read_helpers(
	struct reader *rd, const struct json_value *v, const struct config_helper **ret)
{
	if (json_kind_of(v) != JSON_KIND_ARRAY)
		return fail(
			rd, "should be a list of commands, or of objects with command and ready");
	struct config_helper *list =
		arena_alloc(&rd->config->arena, json_len(v) + 1, sizeof(*list));

	for (size_t i = 0; i < json_len(v); i++) {
		int rc = read_helper(rd, json_at(v, i), &list[i]);

		if (rc < 0)
			return rc;
	}
	*ret = list;
	return 0;
}

static int read_key(
	struct reader *rd, const struct key_def *key, const struct json_value *v, char *into)
{
	void *field = into + key->offset;

	/* null is the same as not given, so that a catalogue can show every key. */
	if (json_kind_of(v) == JSON_KIND_NULL)
		return 0;
	switch (key->kind) {
	case KEY_TEXT:
		*(const char **)field = copy_string(rd, v);
		return *(const char **)field ? 0 : fail(rd, "should be a string");
	case KEY_LIST:
		return read_list(rd, v, field);
	case KEY_COMMAND:
		return read_command(rd, v, field);
	case KEY_COUNT:
		return read_count(rd, key, v, field);
	case KEY_SECONDS:
		return read_seconds(rd, v, field);
	case KEY_FLAG:
		return read_flag(rd, v, field);
	case KEY_ENV:
		return read_env(rd, v, field);
	case KEY_PAIRS:
		return read_pairs(rd, v, field);
	case KEY_HELPERS:
		return read_helpers(rd, v, field);
	case KEY_OBJECT:
		return read_object(rd, key->keys, v, into);
	case KEY_SCENARIOS:
		return read_scenarios(rd, v);
	}
	return 0;
}

static int unknown_key(struct reader *rd, const struct key_def *keys, const char *name)
{
	struct nearest n = nearest_to(name, 2 + strlen(name) / 4);

	for (; keys->name; keys++)
		nearest_try(&n, keys->name);
	cleanup_free char *hint = nearest_hint(&n);
	cleanup_free char *what = mem_printf("unknown key%s", hint);

	return fail(rd, what);
}

static int read_object(
	struct reader *rd, const struct key_def *keys, const struct json_value *v, void *into)
{
	if (json_kind_of(v) != JSON_KIND_OBJECT)
		return fail(rd, "should be an object");
	for (size_t i = 0; json_key(v, i); i++) {
		const char *name = json_key(v, i);
		const struct key_def *key = keys;

		enter(rd, name);
		while (key->name && strcmp(key->name, name) != 0)
			key++;
		if (!key->name)
			return unknown_key(rd, keys, name);
		int rc = read_key(rd, key, json_get(v, name), into);
		if (rc < 0)
			return rc;
		leave(rd);
	}
	return 0;
}

/* What the types alone do not say. The key at fault is entered by the caller's depth. */
static int check_scenario(struct reader *rd, const struct config_scenario *s)
{
	if (s->command && s->args) {
		enter(rd, "args");
		return fail(rd, "there is a command too: give args (of the target) or command");
	}
	if (s->work_from && strcmp(s->work_from, "load") != 0) {
		enter(rd, "work");
		enter(rd, "from");
		return fail(rd, "only \"load\" is known");
	}
	if (!s->work_unit != !s->work_regex) {
		enter(rd, "work");
		return fail(rd, "needs both unit and regex");
	}
	if (!s->latency_unit != !s->latency_regex) {
		enter(rd, "latency");
		return fail(rd, "needs both unit and regex");
	}
	return 0;
}

static int read_scenario(struct reader *rd, const char *name, const struct json_value *v)
{
	struct config *c = rd->config;
	struct config_scenario *s = &c->scenarios[c->scenarios_len];

	*s = config_nothing;
	s->name = arena_strdup(&c->arena, name);
	if (!layout_name_ok(name))
		return fail(rd, "a scenario's name is of letters, digits, '.', '_' and '-', "
				"and does not start with a dot");
	int rc = read_object(rd, scenario_keys, v, s);
	if (rc == 0)
		rc = check_scenario(rd, s);
	if (rc == 0)
		c->scenarios_len++;
	return rc;
}

static int read_scenarios(struct reader *rd, const struct json_value *v)
{
	struct config *c = rd->config;

	if (json_kind_of(v) != JSON_KIND_OBJECT)
		return fail(rd, "should be an object");
	c->scenarios = arena_alloc(&c->arena, json_len(v) + 1, sizeof(*c->scenarios));
	for (size_t i = 0; json_key(v, i); i++) {
		const char *name = json_key(v, i);

		enter(rd, name);
		int rc = read_scenario(rd, name, json_get(v, name));
		if (rc < 0)
			return rc;
		leave(rd);
	}
	return 0;
}

int config_read(const char *path, struct config **ret, struct err *err)
{
	struct json_doc *doc = NULL;
	cleanup_free char *text = NULL;
	int rc = json_doc_read(path, &doc, err);

	if (rc < 0)
		return rc;
	/* Read again for the places of keys only: the parser keeps none. */
	rc = file_read(path, CONFIG_MAX_BYTES, &text, NULL, err);
	if (rc == 0) {
		struct config *c = mem_calloc(1, sizeof(*c));
		struct reader rd = {.config = c, .text = text, .err = err};

		c->path = arena_strdup(&c->arena, path);
		rc = read_object(&rd, root_keys, json_doc_root(doc), c);
		if (rc == 0)
			*ret = c;
		else
			config_free(c);
	}
	json_doc_free(doc);
	return rc;
}

int config_fault(const struct config *c, const char *const *keys, size_t len, const char *what,
	struct err *err)
{
	cleanup_free char *text = NULL;
	struct config copy = *c;
	struct reader rd = {.config = &copy, .err = err};

	if (file_read(c->path, CONFIG_MAX_BYTES, &text, NULL, err) < 0)
		text = mem_strdup("");
	rd.text = text;
	for (size_t i = 0; i < len; i++)
		enter(&rd, keys[i]);
	return fail(&rd, what);
}

void config_free(struct config *c)
{
	if (!c)
		return;
	arena_release(&c->arena);
	free(c);
}

const struct config_scenario *config_find(const struct config *c, const char *name)
{
	for (size_t i = 0; i < c->scenarios_len; i++)
		if (!strcmp(c->scenarios[i].name, name))
			return &c->scenarios[i];
	return NULL;
}

const char *config_names(struct config *c, const char *name)
{
	const char *names = c->scenarios_len ? "" : "none";
	struct nearest n = nearest_to(name, 1 + strlen(name) / 4);

	for (size_t i = 0; i < c->scenarios_len; i++) {
		names = arena_printf(
			&c->arena, "%s%s%s", names, i ? ", " : "", c->scenarios[i].name);
		nearest_try(&n, c->scenarios[i].name);
	}
	cleanup_free char *hint = nearest_hint(&n);

	return arena_printf(&c->arena, "%s%s", names, hint);
}
