/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/supervise.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/runner/signal_word.h"

/* After KILL: again at this distance, for what was forked in between. */
#define KILL_AGAIN_NS (100 * NS_PER_MS)
/* The tracing thread takes no orders so long after a KILL: it waits for what the target must do. */
#define GIVE_UP_NS      (10 * NS_PER_SEC)
#define WAKE_AGAIN_NS   (10 * NS_PER_MS)
#define LINE_MAX_BYTES  256
#define STATUS_EVERY_NS NS_PER_SEC

enum source { FROM_DONE, FROM_SIGNAL, FROM_CONTROL, FROM_COMMAND, FROM_LIVE, SOURCES };

/* State of one supervise_run. */
struct watch {
	struct supervise *v;
	struct pollfd polls[SOURCES];
	uint64_t kill_at_ns;
	uint64_t give_up_ns; /* UINT64_MAX: nobody is being killed */
	struct signal_last last;
	unsigned int passed_on; /* by the runner, of v->signals */
	char line[LINE_MAX_BYTES];
	size_t line_len;
};

void supervise_signals(sigset_t *ret)
{
	sigemptyset(ret);
	sigaddset(ret, SIGINT);
	sigaddset(ret, SIGTERM);
	sigaddset(ret, SIGHUP);
}

static void watched_signals(sigset_t *ret)
{
	supervise_signals(ret);
	sigaddset(ret, SIGXCPU);
}

void supervise_block_signals(void)
{
	sigset_t set;

	watched_signals(&set);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
}

static void signal_targets(struct watch *w, int signal)
{
	orders_give(w->v->orders, (struct order){.kind = ORDER_SIGNAL, .signal = signal});
}

static void detach(struct watch *w)
{
	orders_give(w->v->orders, (struct order){.kind = ORDER_DETACH});
}

/* 1 if it is one that came already, by another way. */
static int is_known(struct watch *w, const struct signalfd_siginfo *si)
{
	uint64_t word = si->ssi_code == SI_QUEUE ? si->ssi_ptr : 0;

	if (word == SIGNAL_INSISTS)
		return 0;
	int again = signal_is_again(&w->last, si->ssi_signo, clock_mono_ns());

	/* The runner counts for itself, and may be much later than the group's. */
	if (word == SIGNAL_PASSED_ON)
		return ++w->passed_on <= w->v->signals;
	return again;
}

/* What it has left is for the result. */
static void spend_cpu(struct watch *w)
{
	w->v->timed_out = w->v->cpu_spent = 1;
	if (w->v->attached)
		detach(w);
	else
		w->kill_at_ns = clock_mono_ns();
}

static void take_signal(struct watch *w)
{
	struct signalfd_siginfo si;

	if (read(w->polls[FROM_SIGNAL].fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGXCPU) {
		spend_cpu(w);
		return;
	}
	if (w->v->attached) {
		w->v->signals++;
		detach(w);
		return;
	}
	/* A key of the terminal has reached the target too: what it does is its own business. */
	if (si.ssi_code == SI_KERNEL)
		return;
	if (is_known(w, &si))
		return;
	if (w->v->signals++)
		w->kill_at_ns = clock_mono_ns();
	else
		signal_targets(w, (int)si.ssi_signo);
}

static void obey_line(struct watch *w)
{
	w->line[w->line_len] = '\0';
	w->line_len = 0;
	if (strcmp(w->line, "begin") == 0)
		orders_give(w->v->orders, (struct order){.kind = ORDER_BEGIN});
	else if (strcmp(w->line, "end") == 0)
		orders_give(w->v->orders, (struct order){.kind = ORDER_END});
	else if (strncmp(w->line, "mark ", 5) == 0 && w->line[5])
		orders_give(w->v->orders,
			(struct order){.kind = ORDER_MARK, .name = mem_strdup(w->line + 5)});
	else if (w->line[0])
		w->v->control_unknown++;
}

static void take_control(struct watch *w)
{
	char buf[LINE_MAX_BYTES];
	ssize_t n = read(w->polls[FROM_CONTROL].fd, buf, sizeof(buf));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n <= 0) {
		w->polls[FROM_CONTROL].fd = -1; /* the writer is gone; what it said stands */
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (buf[i] == '\n')
			obey_line(w);
		else if (w->line_len < sizeof(w->line) - 1)
			w->line[w->line_len++] = buf[i];
	}
}

static void take_command_end(struct watch *w)
{
	waitpid(w->v->command, &w->v->command_status, 0);
	w->polls[FROM_COMMAND].fd = -1;
	detach(w);
}

static void take_quit(struct watch *w)
{
	w->polls[FROM_LIVE].fd = -1;
	detach(w);
}

uint64_t supervise_next_ns(uint64_t at_ns, uint64_t every_ns, uint64_t now_ns)
{
	return at_ns + (1 + (now_ns - at_ns) / every_ns) * every_ns;
}

static void tick(struct supervise *v, uint64_t now)
{
	v->tick_at_ns = supervise_next_ns(v->tick_at_ns, v->tick_ns, now);
	if (!orders_pending(v->orders))
		orders_give(v->orders, (struct order){.kind = ORDER_TICK});
}

static uint64_t first_of(const struct supervise *v, uint64_t kill_at_ns)
{
	const uint64_t due[] = {v->timeout_at_ns, v->begin_at_ns, v->end_at_ns, v->detach_at_ns,
		v->status_at_ns, v->tick_at_ns, kill_at_ns};
	uint64_t first = UINT64_MAX;

	for (size_t i = 0; i < LEN(due); i++)
		first = due[i] < first ? due[i] : first;
	return first;
}

/* The window's edges, for what is read at its edges: cputime.h. */
static void turn_window(struct supervise *v, uint64_t now)
{
	if (now >= v->begin_at_ns) {
		v->begin_at_ns = UINT64_MAX;
		orders_give(v->orders, (struct order){.kind = ORDER_BEGIN});
	}
	if (now >= v->end_at_ns) {
		v->end_at_ns = UINT64_MAX;
		orders_give(v->orders, (struct order){.kind = ORDER_END});
	}
}

/* What is due by the clock; returns the milliseconds to the next, -1: nothing is. */
static int run_clock(struct watch *w)
{
	struct supervise *v = w->v;
	uint64_t now = clock_mono_ns(), next;

	if (now >= v->timeout_at_ns) {
		v->timeout_at_ns = UINT64_MAX;
		v->timed_out = 1;
		if (v->attached) {
			detach(w);
		} else {
			signal_targets(w, SIGTERM);
			w->kill_at_ns = now + v->grace_ns;
		}
	}
	turn_window(v, now);
	if (now >= v->detach_at_ns) {
		v->detach_at_ns = UINT64_MAX;
		detach(w);
	}
	if (now >= v->status_at_ns) {
		v->status_at_ns = now + STATUS_EVERY_NS;
		orders_give(v->orders, (struct order){.kind = ORDER_STATUS});
	}
	if (now >= v->tick_at_ns)
		tick(v, now);
	if (now >= w->kill_at_ns) {
		if (w->give_up_ns == UINT64_MAX)
			w->give_up_ns = now + GIVE_UP_NS;
		signal_targets(w, SIGKILL);
		w->kill_at_ns = now + KILL_AGAIN_NS;
	}
	next = first_of(v, w->kill_at_ns);
	if (orders_wake(v->orders))
		next = now + WAKE_AGAIN_NS < next ? now + WAKE_AGAIN_NS : next;
	if (next == UINT64_MAX)
		return -1;
	next = next > now ? (next - now + NS_PER_MS - 1) / NS_PER_MS : 0;
	return next < 60000 ? (int)next : 60000;
}

/* 0 when the tracing thread is through, -EDEADLK when it never will be. */
static int watch_loop(struct watch *w)
{
	static void (*const takes[SOURCES])(struct watch *) = {
		[FROM_SIGNAL] = take_signal,
		[FROM_CONTROL] = take_control,
		[FROM_COMMAND] = take_command_end,
		[FROM_LIVE] = take_quit,
	};

	for (;;) {
		int n = poll(w->polls, SOURCES, run_clock(w));

		if (n < 0 && errno != EINTR)
			return -errno;
		if (w->polls[FROM_DONE].revents)
			return 0;
		if (orders_pending(w->v->orders) && clock_mono_ns() >= w->give_up_ns)
			return -EDEADLK;
		for (int i = FROM_SIGNAL; n > 0 && i < SOURCES; i++)
			if (w->polls[i].revents)
				takes[i](w);
	}
}

int supervise_run(struct supervise *v, struct err *err)
{
	sigset_t set;
	cleanup_close int signal_fd = -1, command_fd = -1;
	struct watch w = {.v = v, .kill_at_ns = UINT64_MAX, .give_up_ns = UINT64_MAX};

	watched_signals(&set);
	signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signal_fd < 0)
		return err_set(err, -errno, "signalfd: %s", strerror(errno));
	if (v->command) {
		command_fd = (int)syscall(SYS_pidfd_open, v->command, 0);
		if (command_fd < 0)
			return err_set(err, -errno, "pidfd_open: %s", strerror(errno));
	}
	w.polls[FROM_DONE] = (struct pollfd){.fd = v->done_fd, .events = POLLIN};
	w.polls[FROM_SIGNAL] = (struct pollfd){.fd = signal_fd, .events = POLLIN};
	w.polls[FROM_CONTROL] = (struct pollfd){.fd = v->control_fd, .events = POLLIN};
	w.polls[FROM_COMMAND] = (struct pollfd){.fd = command_fd, .events = POLLIN};
	w.polls[FROM_LIVE] = (struct pollfd){.fd = v->quit_fd, .events = POLLIN};
	if (watch_loop(&w) == -EDEADLK)
		return err_set(err, -EDEADLK,
			"the tracer waits for memory or a file that a traced process must provide: "
			"the target was killed, there is no result");
	return 0;
}

/* ---- while results are written ---- */

/* limit: NULL is none. 0: it is over. */
static int wait_for_signal(const sigset_t *set, const struct timespec *limit)
{
	int got;

	do
		got = limit ? sigtimedwait(set, NULL, limit) : sigwaitinfo(set, NULL);
	while (got < 0 && errno == EINTR);
	return got > 0 ? got : 0;
}

static void *end_anyway(void *status)
{
	static const char said[] = "iotrace: ended by a signal before all results were written: a "
				   "pipe's reader or a file's server may not answer\n";
	const struct timespec none = {0}, limit = {.tv_sec = GIVE_UP_NS / NS_PER_SEC};
	struct signal_last last = {0};
	sigset_t set;
	int got;

	supervise_signals(&set);
	while (wait_for_signal(&set, &none))
		; /* what came before was obeyed */
	got = wait_for_signal(&set, NULL);
	signal_is_again(&last, (uint32_t)got, clock_mono_ns());
	do
		got = wait_for_signal(&set, &limit);
	while (got && signal_is_again(&last, (uint32_t)got, clock_mono_ns()));
	(void)!write(STDERR_FILENO, said, sizeof(said) - 1);
	_exit((int)(intptr_t)status);
}

void supervise_writing(int status)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, end_anyway, (void *)(intptr_t)status) == 0)
		pthread_detach(thread);
}
