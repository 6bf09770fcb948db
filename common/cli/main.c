/* SPDX-License-Identifier: GPL-3.0-only */
/* profile-scenario: finds the command and runs it. */
#include "common/base/platform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/out.h"
#include "common/base/text.h"
#include "common/cli/command.h"
#include "common/write/tail.h"
#include "common/write/writer.h"

static const struct command *const commands[] = {
#define COMMAND(name) &command_##name,
#include "common/cli/commands.def"
#undef COMMAND
};

void command_complain(const char *text)
{
	fputs("profile-scenario: ", stderr);
	for (; *text; text++)
		fputc(text_is_control(*text) ? '?' : *text, stderr);
	fputc('\n', stderr);
}

void command_put(struct out *o, const char *text)
{
	for (; *text; text++)
		out_char(o, text_is_control(*text) ? '?' : *text);
}

void command_show_log(const char *path)
{
	enum { LINES = 10 };
	struct arena arena = {0};
	const char *text = tail_text(&arena, path, LINES);

	if (text)
		fprintf(stderr, "profile-scenario: %s ends with\n%s", path, text);
	arena_release(&arena);
}

int command_flush(struct out *o, struct err *err)
{
	int rc = out_flush(o);

	out_release(o);
	return rc < 0 ? err_set(err, rc, "cannot write to standard output: %s", strerror(-rc)) : 0;
}

int command_write(void (*write)(const void *ctx, struct out *o), const void *ctx, struct err *err)
{
	struct out o;

	out_init(&o, STDOUT_FILENO);
	write(ctx, &o);
	return command_flush(&o, err);
}

static void put_help(const struct command *c, struct out *o)
{
	out_str(o, c->usage);
	optable_help(&c->options, o);
	if (c->help)
		c->help(o);
	if (c->after)
		out_str(o, c->after);
}

static void put_commands(struct out *o)
{
	out_str(o, "profile-scenario [COMMAND] [OPTIONS] [-- ARGS...]\n"
		   "Runs a scenario of a target under a profiler and keeps the results.\n\n"
		   "commands (run, when none is named; COMMAND --help says more):\n");
	for (size_t i = 0; i < LEN(commands); i++)
		out_printf(o, "  %-10s %s\n", commands[i]->name, commands[i]->meaning);
	out_char(o, '\n');
}

/* Of a command; NULL: of all that there are, and of the one that is run when none is named. */
static void write_help(const void *c, struct out *o)
{
	struct out text;

	out_init_mem(&text);
	if (!c)
		put_commands(&text);
	put_help(c ? c : &command_run, &text);
	text_fold(out_text(&text), o, out_columns(o->fd, HELP_COLUMNS));
	out_release(&text);
}

static void write_version(const void *ctx, struct out *o)
{
	(void)ctx;
	out_str(o, "profile-scenario " IOTRACE_VERSION "\n");
}

/* --help and --version before any "--", or their letters. */
static int has_flag(const struct command *c, char **argv, const char *flag)
{
	for (; *argv && strcmp(*argv, "--") != 0; argv++) {
		const char *option = optable_option(&c->options, *argv);

		if (option && !strcmp(option, flag))
			return 1;
	}
	return 0;
}

static int run_command(const struct command *c, char **argv, struct err *err)
{
	static struct words words;
	cleanup_free void *args = mem_calloc(1, c->args_size);
	int rc = 0;

	if (has_flag(c, argv, "--help"))
		return command_write(write_help, c, err);
	if (has_flag(c, argv, "--version"))
		return command_write(write_version, NULL, err);
	if (c->defaults)
		memcpy(args, c->defaults, c->args_size);
	if (c->words)
		rc = words_split(&c->options, argv, c->words, c->keeps_rest, &words, err);
	if (rc == 0)
		rc = optable_parse(&c->options, argv, args, &words.rest, err);
	if (rc == 0)
		rc = c->run(args, &words, err);
	if (rc < 0 && c->refuse)
		c->refuse(args, err);
	return rc;
}

static int unknown(const char *name, struct err *err)
{
	struct nearest n = nearest_to(name, 1 + strlen(name) / 4);

	for (size_t i = 0; i < LEN(commands); i++)
		nearest_try(&n, commands[i]->name);
	cleanup_free char *hint = nearest_hint(&n);

	return err_set(err, -EINVAL, "unknown command '%.100s'%s%s (see --help)", name, hint,
		strchr(name, '/') ? "; a target is given by --binary" : "");
}

static int run(char **argv, struct err *err)
{
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return command_write(write_help, NULL, err);
	if (argv[1][0] == '-')
		return run_command(&command_run, argv + 1, err);
	for (size_t i = 0; i < LEN(commands); i++)
		if (!strcmp(commands[i]->name, argv[1]))
			return run_command(commands[i], argv + 2, err);
	return unknown(argv[1], err);
}

int main(int argc, char **argv)
{
	struct err err = {0};

	file_hold_streams();
	int rc = argc < 2 ? err_set(&err, -EINVAL, "--scenario NAME is needed (see --help)")
			  : run(argv, &err);

	if (rc >= 0)
		return rc;
	command_complain(err.text);
	return STATUS_USAGE;
}
