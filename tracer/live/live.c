/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/live/live.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/model/json.h"
#include "tracer/live/interval.h"
#include "tracer/live/metrics.h"
#include "tracer/live/screen.h"
#include "tracer/live/snapshot.h"
#include "tracer/live/terminal.h"
#include "tracer/options.h"

#define HEADER_EVERY 20 /* lines */

struct live {
	const struct options *opt;
	/* between the threads */
	pthread_mutex_t lock;
	struct snapshot *box; /* not taken yet; NULL: none */
	int stop;             /* nothing more will come */
	int wake_fd;          /* eventfd: look at both */
	int quit_fd;          /* eventfd: q */
	pthread_t thread;
	int started;
	sigset_t mask; /* as it was before live_block_signals */
	/* of the printing thread */
	struct snapshot *before;
	struct terminal terminal;
	struct screen screen;
	int signal_fd;
	int json, lines; /* lines go to stdout, to stderr */
	int closed;      /* the screen is, for good */
	unsigned int printed;
	int error;          /* of standard output */
	int metrics_failed; /* and was told of */
};

/* ---- lines ---- */

static void print_json(struct live *l, const struct res_interval *i)
{
	struct out o;

	if (!l->json || l->error)
		return;
	out_init(&o, STDOUT_FILENO);
	json_write_line(i, &shape_interval, &o);
	l->error = out_flush(&o);
	out_release(&o);
}

/* Of a phase that is over there is nothing a second. */
static void print_line(struct live *l, const struct res_interval *i)
{
	int windows = l->opt->has_window || l->opt->control_fd >= 0;
	struct out o;

	if (!l->lines || !i->interval_ns)
		return;
	out_init(&o, STDERR_FILENO);
	if (l->printed++ % HEADER_EVERY == 0)
		interval_print_header(&o, windows);
	interval_print(&o, i, windows);
	out_flush(&o);
	out_release(&o);
}

static void print_phases(struct live *l, const struct snapshot *now)
{
	for (int phase = 0; phase < PHASE_COUNT; phase++) {
		struct res_interval *i;

		if (!interval_has(l->before, now, (enum book_phase)phase))
			continue;
		i = interval_build(l->before, now, (enum book_phase)phase);
		print_json(l, i);
		print_line(l, i);
		result_free(i);
	}
}

/* ---- the screen ---- */

static void draw(struct live *l)
{
	size_t columns, rows;
	struct out o;

	if (l->terminal.fd < 0 || l->closed || !terminal_enter(&l->terminal))
		return;
	terminal_size(&l->terminal, &columns, &rows);
	out_init_mem(&o);
	screen_draw(&l->screen, columns, rows, &o);
	out_text(&o);
	terminal_write(&l->terminal, o.buf, o.len);
	out_release(&o);
}

static void say(const char *text)
{
	struct out o;

	out_init(&o, STDERR_FILENO);
	out_str(&o, text);
	out_flush(&o);
	out_release(&o);
}

static void quit(struct live *l)
{
	if (l->opt->pids.len) {
		eventfd_write(l->quit_fd, 1);
		return;
	}
	l->closed = 1;
	terminal_leave(&l->terminal);
	if (!l->opt->quiet)
		say("iotrace: the screen is closed; the program goes on and is traced to its "
		    "end\n");
}

static void take_keys(struct live *l)
{
	char keys[64];
	long n = terminal_read(&l->terminal, keys, sizeof(keys));
	int changed = 0;

	if (n < 0) { /* hung up */
		l->closed = 1;
		terminal_close(&l->terminal);
		return;
	}
	for (long i = 0; i < n; i++) {
		enum screen_answer answer = screen_key(&l->screen, keys[i]);

		if (answer == SCREEN_QUIT) {
			quit(l);
			return;
		}
		changed |= answer == SCREEN_CHANGED;
	}
	if (changed)
		draw(l);
}

/* As if it had not been blocked: the kernel knows whether this stops us, and our shell when. */
static void suspend(struct live *l)
{
	sigset_t set;

	terminal_leave(&l->terminal);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	pthread_kill(pthread_self(), SIGTSTP);
	pthread_sigmask(SIG_UNBLOCK, &set, NULL);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	draw(l);
}

static void take_signals(struct live *l)
{
	struct signalfd_siginfo si;

	while (read(l->signal_fd, &si, sizeof(si)) == sizeof(si)) {
		if (si.ssi_signo == SIGTSTP)
			suspend(l);
		else /* SIGWINCH; SIGCONT: in the foreground again? */
			draw(l);
	}
}

/* The next one may succeed; who watches must know why the file is old. */
static void put_metrics(struct live *l, const struct snapshot *now)
{
	struct err err = {0};
	cleanup_free char *text = NULL;

	if (!l->opt->metrics)
		return;
	if (metrics_put(l->opt->metrics, now, &err) == 0) {
		l->metrics_failed = 0;
		return;
	}
	if (l->metrics_failed++)
		return;
	text = mem_printf("iotrace: --metrics: %s\n", err.text);
	say(text);
}

/* ---- the thread ---- */

static void take(struct live *l, struct snapshot *now)
{
	print_phases(l, now);
	put_metrics(l, now);
	if (l->terminal.fd >= 0) {
		screen_take(&l->screen, l->before, now);
		draw(l);
	}
	snapshot_free(l->before);
	l->before = now;
}

/* 1 while more may come. */
static int look(struct live *l)
{
	struct snapshot *now;
	eventfd_t value;
	int stop;

	(void)eventfd_read(l->wake_fd, &value);
	pthread_mutex_lock(&l->lock);
	now = l->box;
	l->box = NULL;
	stop = l->stop;
	pthread_mutex_unlock(&l->lock);
	if (now)
		take(l, now);
	return !stop;
}

static void *printing_thread(void *arg)
{
	struct live *l = arg;
	int more = 1;

	while (more) {
		struct pollfd polls[] = {
			{.fd = l->wake_fd, .events = POLLIN},
			{.fd = l->signal_fd, .events = POLLIN},
			/* Only while they are ours: the terminal is as we need it. */
			{.fd = l->terminal.on && l->terminal.takes_keys ? l->terminal.fd : -1,
				.events = POLLIN},
		};

		if (poll(polls, 3, -1) < 0)
			continue;
		if (polls[2].revents)
			take_keys(l);
		if (polls[1].revents)
			take_signals(l);
		if (polls[0].revents)
			more = look(l);
	}
	terminal_leave(&l->terminal);
	return NULL;
}

/* ---- its owner's ---- */

static void terminal_signals(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTSTP);
	sigaddset(set, SIGCONT);
	sigaddset(set, SIGWINCH);
}

static char *what_is_traced(const struct options *opt)
{
	struct out o;
	char *text;

	out_init_mem(&o);
	for (size_t i = 0; i < opt->pids.len; i++)
		out_printf(&o, "%s%d", i ? ", " : "-p ", (int)opt->pids.at[i]);
	for (int i = 0; i < opt->command_len && !opt->pids.len; i++)
		out_printf(&o, "%s%s", i ? " " : "", opt->command[i]);
	text = mem_strdup(out_text(&o));
	out_release(&o);
	return text;
}

static int open_screen(struct live *l, struct err *err)
{
	const struct options *opt = l->opt;
	/* A program of ours that could read the terminal must get all that is typed. */
	int keys = !opt->command_len || !isatty(STDIN_FILENO);
	const struct screen_facts facts = {.what = what_is_traced(opt),
		.attached = opt->pids.len != 0,
		.keys = keys,
		.shared = opt->command_len && (isatty(STDOUT_FILENO) || isatty(STDERR_FILENO))};

	screen_init(&l->screen, &facts);
	if (terminal_open(&l->terminal, err) < 0)
		return err->code;
	l->terminal.takes_keys = keys;
	l->terminal.keeps_going = opt->pids.len != 0;
	return 0;
}

int live_new(struct live **ret, const struct options *opt, struct err *err)
{
	struct live *l;

	*ret = NULL;
	if (!opt->live && !opt->interval_ns && !opt->metrics)
		return 0;
	if (opt->metrics && metrics_try(opt->metrics, err) < 0)
		return err->code;
	l = mem_calloc(1, sizeof(*l));
	l->opt = opt;
	l->signal_fd = l->terminal.fd = -1;
	l->json = opt->interval_ns && opt->json && strcmp(opt->json, "-") == 0;
	l->lines = !opt->live && !l->json && !opt->metrics;
	pthread_mutex_init(&l->lock, NULL);
	l->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->quit_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (l->wake_fd < 0 || l->quit_fd < 0)
		err_set(err, -errno, "eventfd: %s", strerror(errno));
	else if (!opt->live || open_screen(l, err) == 0)
		*ret = l;
	if (*ret)
		return 0;
	live_free(l);
	return err->code;
}

void live_block_signals(struct live *l)
{
	sigset_t set;

	if (!l || l->terminal.fd < 0)
		return;
	terminal_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, &l->mask);
}

/* The terminal may tell it to stop where the shell has taken it away just now. */
static int start_blocked(struct live *l)
{
	sigset_t set, before;
	int rc;

	sigemptyset(&set);
	sigaddset(&set, SIGTTIN);
	sigaddset(&set, SIGTTOU);
	pthread_sigmask(SIG_BLOCK, &set, &before);
	rc = -pthread_create(&l->thread, NULL, printing_thread, l);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return rc;
}

int live_start(struct live *l, struct err *err)
{
	sigset_t set;
	int rc;

	if (!l)
		return 0;
	terminal_signals(&set);
	if (l->terminal.fd >= 0) {
		l->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
		if (l->signal_fd < 0)
			return err_set(err, -errno, "signalfd: %s", strerror(errno));
	}
	rc = start_blocked(l);
	if (rc < 0)
		return err_set(err, rc, "cannot start a thread: %s", strerror(-rc));
	l->started = 1;
	return 0;
}

int live_quit_fd(const struct live *l)
{
	return l ? l->quit_fd : -1;
}

void live_put(struct live *l, struct session *s, int last)
{
	struct snapshot *now, *old;

	if (!l)
		return;
	now = snapshot_take(s, last);
	pthread_mutex_lock(&l->lock);
	old = l->box;
	l->box = now;
	pthread_mutex_unlock(&l->lock);
	eventfd_write(l->wake_fd, 1);
	snapshot_free(old);
}

int live_finish(struct live *l)
{
	if (!l)
		return 0;
	pthread_mutex_lock(&l->lock);
	l->stop = 1;
	pthread_mutex_unlock(&l->lock);
	eventfd_write(l->wake_fd, 1);
	if (l->started)
		pthread_join(l->thread, NULL);
	l->started = 0;
	if (l->terminal.fd >= 0)
		pthread_sigmask(SIG_SETMASK, &l->mask, NULL);
	return l->error;
}

void live_free(struct live *l)
{
	if (!l)
		return;
	terminal_close(&l->terminal);
	screen_release(&l->screen);
	free((char *)(uintptr_t)l->screen.facts.what);
	snapshot_free(l->before);
	snapshot_free(l->box);
	if (l->signal_fd >= 0)
		close(l->signal_fd);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->quit_fd >= 0)
		close(l->quit_fd);
	pthread_mutex_destroy(&l->lock);
	free(l);
}
