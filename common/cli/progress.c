/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/cli/command.h"

#define WIPE "\r\033[K"

/* ---- the line ---- */

static const char *stage_name(enum drive_stage stage)
{
	static const char *const names[] = {
		[DRIVE_STARTING] = "start",
		[DRIVE_RUNNING] = "run",
		[DRIVE_LOADING] = "load",
		[DRIVE_ENDING] = "end",
	};

	return names[stage];
}

/* 0:12, and with hours 1:02:03 */
static int put_clock(char *buf, size_t size, uint64_t ns)
{
	unsigned long long s = ns / NS_PER_SEC;

	if (s >= 3600)
		return snprintf(buf, size, "%llu:%02llu:%02llu", s / 3600, s / 60 % 60, s % 60);
	return snprintf(buf, size, "%llu:%02llu", s / 60, s % 60);
}

/* The line of what goes on at this moment, cut to so many columns. */
static void put_line(
	char *buf, size_t size, const struct runner_live *live, int color, size_t columns)
{
	char text[512], clock[32], expected[32] = "/";
	int counter;

	put_clock(clock, sizeof(clock), live->elapsed_ns);
	if (live->expected_ns)
		put_clock(expected + 1, sizeof(expected) - 1, live->expected_ns);
	snprintf(text, sizeof(text), "[%llu/%llu]%n %s %s%s%s  %s %s%s%s%s",
		(unsigned long long)live->number, (unsigned long long)live->total, &counter,
		live->type, live->scenario, *live->kind ? ", " : "", live->kind,
		stage_name(live->stage), clock, live->expected_ns ? expected : "",
		live->figures && *live->figures ? "  " : "", live->figures ? live->figures : "");
	if (columns < sizeof(text))
		text[columns] = '\0';
	if (color && strlen(text) > (size_t)counter)
		snprintf(buf, size, "\033[1m%.*s\033[0m%s", counter, text, text + counter);
	else
		snprintf(buf, size, "%s", text);
}

/* ---- the terminal ---- */

static size_t terminal_columns(void)
{
	struct winsize w;

	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) < 0 || w.ws_col < 2)
		return 79;
	return (size_t)w.ws_col - 1; /* the last column would make a new line */
}

static void wipe(struct progress *p)
{
	if (p->live)
		fputs(WIPE, stderr);
	p->live = 0;
}

static void say_trouble(void *ctx, const char *text)
{
	wipe(ctx);
	command_complain(text);
}

/* On stderr: standard output is the target's. */
static void say_note(void *ctx, const char *text)
{
	struct progress *p = ctx;

	wipe(p);
	if (p->kind != PROGRESS_TROUBLES)
		fprintf(stderr, "profile-scenario: note: %s\n", text);
}

static void say_log(void *ctx, const char *path)
{
	wipe(ctx);
	command_show_log(path);
}

/* For a person who waits; a script knows where the files are. */
static void say_progress(void *ctx, const char *text)
{
	struct progress *p = ctx;

	wipe(p);
	if (p->terminal)
		fprintf(stderr, "%s\n", text);
}

static void say_live(void *ctx, const struct runner_live *live)
{
	struct progress *p = ctx;
	char text[600];

	put_line(text, sizeof(text), live, p->color, terminal_columns());
	fprintf(stderr, WIPE "%s", text);
	fflush(stderr);
	p->live = 1;
}

void progress_init(struct progress *p, enum progress_kind kind)
{
	const char *term = getenv("TERM"), *no_color = getenv("NO_COLOR");
	int terminal = kind == PROGRESS_ALL && isatty(STDERR_FILENO);
	int in_place = terminal && term && strcmp(term, "dumb") != 0;

	*p = (struct progress){
		.ui = {say_trouble, say_note, say_progress, say_log, in_place ? say_live : NULL, p},
		.kind = kind,
		.terminal = terminal,
		.color = in_place && !(no_color && *no_color),
	};
}
