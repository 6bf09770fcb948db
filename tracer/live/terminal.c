/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/live/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* The alternate screen, without a cursor; and back. xterm's, which all others took over. */
#define ENTER "\x1b[?1049h\x1b[?25l\x1b[H\x1b[2J"
#define LEAVE "\x1b[0m\x1b[?25h\x1b[?1049l"

#define WAIT_MS 200 /* for a terminal that is slow, or held (^S) */

/* ---- when a signal ends us ---- */

/* The one that is on: for the handler. */
static const struct terminal *volatile shown;

static const int fatal[] = {SIGQUIT, SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGSYS, SIGALRM,
	SIGUSR1, SIGUSR2, SIGXCPU};
#define FATAL_LEN (sizeof(fatal) / sizeof(*fatal))

static void put_back(const struct terminal *t)
{
	if (t->changed)
		tcsetattr(t->fd, TCSANOW, &t->before);
}

/* SA_RESETHAND: the signal then does what it does. */
static void on_fatal(int signal)
{
	const struct terminal *t = shown;

	if (t) {
		(void)!write(t->fd, LEAVE, sizeof(LEAVE) - 1);
		put_back(t);
	}
	raise(signal);
}

/* What was ignored stays so, for the target too. */
static void watch_fatal(void)
{
	struct sigaction act = {.sa_handler = on_fatal, .sa_flags = (int)SA_RESETHAND};

	sigemptyset(&act.sa_mask);
	for (size_t i = 0; i < FATAL_LEN; i++) {
		struct sigaction was;

		if (sigaction(fatal[i], NULL, &was) == 0 && was.sa_handler == SIG_DFL)
			sigaction(fatal[i], &act, NULL);
	}
}

static void unwatch_fatal(void)
{
	const struct sigaction act = {.sa_handler = SIG_DFL};

	for (size_t i = 0; i < FATAL_LEN; i++) {
		struct sigaction was;

		if (sigaction(fatal[i], NULL, &was) == 0 && was.sa_handler == on_fatal)
			sigaction(fatal[i], &act, NULL);
	}
}

/* ---- */

int terminal_open(struct terminal *t, struct err *err)
{
	const char *term = getenv("TERM"), *name;

	*t = (struct terminal){.fd = -1};
	if (!term || !*term || strcmp(term, "dumb") == 0)
		return err_set(err, -ENOTTY,
			"--live: this terminal (TERM=%s) has no screen; --interval SEC prints "
			"lines",
			term ? term : "");
	/* Of our own, so that O_NONBLOCK is nobody else's. */
	t->fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0 && (name = ttyname(STDERR_FILENO)))
		t->fd = open(name, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (t->fd < 0)
		return err_set(err, -ENOTTY,
			"--live needs a terminal, and there is none; --interval SEC prints lines");
	return 0;
}

void terminal_close(struct terminal *t)
{
	terminal_leave(t);
	if (t->fd >= 0)
		close(t->fd);
	t->fd = -1;
}

/* A terminal that is not our controlling one has no foreground for us. */
static int is_in_foreground(const struct terminal *t)
{
	pid_t group = tcgetpgrp(t->fd);

	return group < 0 ? errno == ENOTTY : group == getpgrp();
}

static void take_keys(struct terminal *t)
{
	struct termios ours;

	if (!t->takes_keys || tcgetattr(t->fd, &t->before) < 0)
		return;
	ours = t->before;
	ours.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	ours.c_cc[VMIN] = 1;
	ours.c_cc[VTIME] = 0;
	if (t->keeps_going)
		ours.c_cc[VSUSP] = _POSIX_VDISABLE;
	t->changed = tcsetattr(t->fd, TCSANOW, &ours) == 0;
}

int terminal_enter(struct terminal *t)
{
	if (t->on)
		return 1;
	if (t->fd < 0 || !is_in_foreground(t))
		return 0;
	take_keys(t);
	shown = t;
	watch_fatal();
	t->on = 1;
	terminal_write(t, ENTER, sizeof(ENTER) - 1);
	return 1;
}

/* Held by ^S it would never take what leaves the screen. Without IXON nothing is held, and what was
 * is not held again when that is back (n_tty_set_termios): TCOON lifts its own TCOOFF only. */
static void let_go(const struct terminal *t)
{
	struct pollfd p = {.fd = t->fd, .events = POLLOUT};
	struct termios now, free_running;

	if (poll(&p, 1, WAIT_MS) != 0 || tcgetattr(t->fd, &now) < 0)
		return;
	free_running = now;
	free_running.c_iflag &= ~(tcflag_t)IXON;
	tcsetattr(t->fd, TCSANOW, &free_running);
	tcsetattr(t->fd, TCSANOW, &now);
}

void terminal_leave(struct terminal *t)
{
	if (!t->on)
		return;
	let_go(t);
	terminal_write(t, LEAVE, sizeof(LEAVE) - 1);
	put_back(t);
	t->changed = t->on = 0;
	unwatch_fatal();
	shown = NULL;
}

void terminal_size(const struct terminal *t, size_t *ret_columns, size_t *ret_rows)
{
	struct winsize w = {0};

	if (ioctl(t->fd, TIOCGWINSZ, &w) < 0 || !w.ws_col || !w.ws_row)
		w = (struct winsize){.ws_col = 80, .ws_row = 24};
	*ret_columns = w.ws_col;
	*ret_rows = w.ws_row;
}

void terminal_write(const struct terminal *t, const char *text, size_t len)
{
	struct pollfd p = {.fd = t->fd, .events = POLLOUT};

	while (len) {
		ssize_t n = write(t->fd, text, len);

		if (n > 0) {
			text += n;
			len -= (size_t)n;
		} else if (n == 0 || (errno != EINTR && errno != EAGAIN) ||
			   (errno == EAGAIN && poll(&p, 1, WAIT_MS) <= 0)) {
			return;
		}
	}
}

long terminal_read(const struct terminal *t, char *buf, size_t size)
{
	ssize_t n = read(t->fd, buf, size);

	if (n > 0)
		return n;
	return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}
