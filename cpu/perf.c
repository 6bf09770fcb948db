/* SPDX-License-Identifier: GPL-3.0-only */
#include "cpu/perf.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/perf_event.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/units.h"
#include "common/runner/tool.h"

#define ANSWER_WAIT_MS 30000 /* for one that is alive and stands still */
/* As much of the stack as perf copies with each sample: enough for deep stacks through libc. */
#define DWARF_STACK "dwarf,16384"

/* Frames that perf script prints of a stack, by itself 127: more than 16 KB of stack can hold, or a
 * kernel is told to walk. */
#define SCRIPT_STACK "4096"

/* A long run's stacks are unwound for minutes. */
#define SCRIPT_LIMIT_NS (15 * 60 * NS_PER_SEC)

/* ---- what the kernel allows ---- */

/* 0: not known. */
static uint64_t kernel_number(const char *name)
{
	cleanup_free char *path = mem_printf("/proc/sys/kernel/%s", name);
	cleanup_free char *text = NULL;
	uint64_t n;

	if (file_read(path, 64, &text, NULL, NULL) < 0)
		return 0;
	text[strcspn(text, "\n")] = '\0';
	return units_parse_u64(text, 0, INT64_MAX, &n, NULL) < 0 ? 0 : n;
}

uint64_t perf_max_rate(void)
{
	return kernel_number("perf_event_max_sample_rate");
}

/* 0, or the errno of perf_event_open(2). */
static int try_event(uint32_t type, uint64_t config, int user_only, pid_t pid)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config = config,
		.sample_freq = 99,
		.freq = 1,
		.sample_type = PERF_SAMPLE_IP,
		.disabled = 1,
		.exclude_kernel = user_only != 0,
		.exclude_hv = 1,
	};
	long fd = syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd < 0)
		return errno;
	close((int)fd);
	return 0;
}

static int not_allowed(int code, struct err *err)
{
	if (code == ENOSYS)
		return err_set(err, -code,
			"type cpu cannot run: this kernel has no perf events (perf_event_open: %s)",
			strerror(code));
	return err_set(err, -code,
		"type cpu cannot run: the kernel refuses to sample (perf_event_open: %s; "
		"kernel.perf_event_paranoid is %lld): sudo sysctl kernel.perf_event_paranoid=2, or "
		"run with CAP_PERFMON; in a container also allow the system call "
		"perf_event_open",
		strerror(code), (long long)kernel_number("perf_event_paranoid"));
}

int perf_choose_event(struct perf_event *ret, struct err *err)
{
	static const struct {
		struct perf_event event;
		uint32_t type;
		uint64_t config;
	} candidates[] = {
		{{"cycles:P", 1, 0}, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
		{{"cycles:uP", 1, 1}, PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES},
		{{"cpu-clock", 0, 0}, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
		{{"cpu-clock:u", 0, 1}, PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK},
	};
	int code = 0;

	for (size_t i = 0; i < sizeof(candidates) / sizeof(candidates[0]); i++) {
		code = try_event(
			candidates[i].type, candidates[i].config, candidates[i].event.user_only, 0);
		if (!code) {
			*ret = candidates[i].event;
			return 0;
		}
	}
	return not_allowed(code, err);
}

int perf_try_process(const struct perf_event *event, pid_t pid)
{
	if (event->hardware)
		return -try_event(
			PERF_TYPE_HARDWARE, PERF_COUNT_HW_CPU_CYCLES, event->user_only, pid);
	return -try_event(PERF_TYPE_SOFTWARE, PERF_COUNT_SW_CPU_CLOCK, event->user_only, pid);
}

/* ---- control ---- */

/* Open for both, so that opening does not wait for perf and nothing is lost before it reads. */
static int open_fifo(const char *path, int *ret_fd, struct err *err)
{
	if (mkfifo(path, 0600) < 0)
		return err_set(err, -errno, "cannot make %s: %s", path, strerror(errno));
	*ret_fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (*ret_fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	return 0;
}

void perf_control_name(struct perf_control *c, const char *dir)
{
	*c = PERF_CONTROL_NONE;
	c->order_path = mem_printf("%s/perf.order", dir);
	c->answer_path = mem_printf("%s/perf.answer", dir);
}

int perf_control_open(struct perf_control *c, const char *dir, struct err *err)
{
	perf_control_name(c, dir);
	int rc = open_fifo(c->order_path, &c->order, err);

	if (rc == 0)
		rc = open_fifo(c->answer_path, &c->answer, err);
	if (rc < 0)
		perf_control_close(c);
	return rc;
}

void perf_control_close(struct perf_control *c)
{
	if (c->order >= 0)
		close(c->order);
	if (c->answer >= 0)
		close(c->answer);
	free(c->order_path);
	free(c->answer_path);
	*c = PERF_CONTROL_NONE;
}

static int answered(const struct perf_control *c, int perf_pidfd)
{
	struct pollfd fds[] = {
		{.fd = c->answer, .events = POLLIN}, {.fd = perf_pidfd, .events = POLLIN}};
	char buf[64];

	poll(fds, 2, ANSWER_WAIT_MS);
	return read(c->answer, buf, sizeof(buf)) > 0;
}

void perf_control_renew(struct perf_control *c)
{
	char buf[256];

	while (read(c->order, buf, sizeof(buf)) > 0 || read(c->answer, buf, sizeof(buf)) > 0)
		;
	c->asked = c->heard = 0;
}

int perf_control_is_heard(struct perf_control *c)
{
	static const char order[] = "disable\n"; /* which it is: that changes nothing */
	char buf[64];

	if (!c->asked)
		c->asked = write(c->order, order, strlen(order)) > 0;
	if (c->asked && !c->heard)
		c->heard = read(c->answer, buf, sizeof(buf)) > 0;
	return c->heard;
}

void perf_control_mark(struct perf_control *c, enum drive_mark mark, int perf_pidfd)
{
	const char *order = mark == DRIVE_BEGIN ? "enable\n" : "disable\n";

	if (mark == DRIVE_END)
		c->end_ns = clock_mono_ns();
	if (write(c->order, order, strlen(order)) < 0 || !answered(c, perf_pidfd))
		c->unconfirmed = 1;
	if (mark == DRIVE_BEGIN)
		c->begin_ns = clock_mono_ns();
}

/* ---- command lines ---- */

/* Words of a command line, in an arena at the end. */
struct words {
	const char **at;
	size_t len, cap;
};

static void add(struct words *w, const char *word)
{
	*VEC_PUSH(w) = word;
}

static void add_recording(struct words *w, struct arena *a, const struct perf_recording *rec)
{
	const struct scenario *sc = rec->sc;
	int fp = sc->call_graph && !strcmp(sc->call_graph, "fp");
	/* Quiet, as it speaks on the target's stderr; without a cache of build-ids in the user's
	 * home, which nothing here reads; without its watch for BPF programs, whose thread makes
	 * the end wait for up to a second. */
	const char *const words[] = {rec->perf, "record", "-q", "-B", "--no-bpf-event", "-o",
		rec->data_path, "-e", rec->event->name, "-F",
		arena_printf(a, "%llu", (unsigned long long)sc->sampling_hz), "--call-graph",
		fp ? "fp" : DWARF_STACK};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		add(w, words[i]);
	if (!rec->control->order_path)
		return;
	add(w, "-D");
	add(w, "-1");
	add(w, "--control");
	add(w, arena_printf(a, "fifo:%s,%s", rec->control->order_path, rec->control->answer_path));
}

const char *const *perf_record_command(struct arena *a, const struct perf_recording *rec)
{
	struct words w = {0};
	const char **argv;

	add_recording(&w, a, rec);
	if (rec->pids) {
		add(&w, "-p");
		add(&w, rec->pids);
	} else {
		add(&w, "--");
		for (const char *const *word = rec->sc->argv; *word; word++)
			add(&w, *word);
	}
	add(&w, NULL);
	argv = arena_alloc(a, w.len, sizeof(*argv));
	memcpy(argv, w.at, w.len * sizeof(*argv));
	free(w.at);
	return argv;
}

static void feed(void *ctx, const char *p, size_t n)
{
	fold_feed(ctx, p, n);
}

int perf_fold(const char *perf, const char *data_path, const struct signals *signals,
	struct fold *f, struct err *err)
{
	/* Inlined functions would be looked up by a program per file, which takes minutes. -f: the
	 * file is ours, whoever the target was made to run as. */
	const char *const argv[] = {perf, "script", "-f", "--header", "--no-inline", "--max-stack",
		SCRIPT_STACK, "--show-lost-events", "-F", "comm,pid,tid,time,event,ip,sym,dso",
		"-i", data_path, NULL};
	int rc = tool_run(
		&(struct tool){
			.argv = argv, .stdin_fd = -1, .take = feed, .ctx = f, .signals = signals},
		err);

	fold_end(f);
	return rc < 0 ? err_wrap(err, "perf script") : 0;
}
