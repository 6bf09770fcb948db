/* SPDX-License-Identifier: GPL-3.0-only */
/* The session's end state as a result. */
#include "tracer/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/runner/environment.h"
#include "tracer/agg/gather.h"
#include "tracer/agg/timeless.h"
#include "tracer/attach.h"
#include "tracer/probe.h"

#define SLOWED_SHARE 0.1

/* ---- parts ---- */

static void fill_exit(const struct session *s, const struct supervise *v, struct res_result *r)
{
	if (s->first_status < 0)
		return; /* detached: it lives */
	r->exit = RES_OBJ(r, exit);
	r->exit->timed_out = v->timed_out;
	if (WIFSIGNALED(s->first_status))
		r->exit->signal = (uint64_t)WTERMSIG(s->first_status);
	else
		r->exit->status = (uint64_t)WEXITSTATUS(s->first_status);
}

static void fill_paths(const struct session *s, struct res_result *r)
{
	struct res_strs *paths = &r->tracer->traced_paths;

	paths->at = arena_alloc(result_arena(r), s->opt->paths.len + 1, sizeof(char *));
	for (size_t i = 0; i < s->opt->paths.len; i++)
		paths->at[paths->len++] = arena_strdup(result_arena(r), s->opt->paths.at[i]);
}

static void fill_traced_set(const struct session *s, struct res_result *r)
{
	struct res_strs *set = &r->tracer->traced_set;

	r->tracer->traced_spec = arena_strdup(result_arena(r), s->opt->trace_spec);
	fill_paths(s, r);
	if (s->opt->trace.all) {
		set->at = arena_alloc(result_arena(r), s->map.len + 1, sizeof(char *));
		set->at[set->len++] = "all";
		for (size_t i = 0; i < s->map.len; i++)
			if (!s->map.traced[i])
				set->at[set->len++] =
					arena_printf(result_arena(r), "!%s", sys_by_index(i)->name);
		return;
	}
	set->at = arena_alloc(result_arena(r), s->map.len, sizeof(char *));
	for (size_t i = 0; i < s->map.len; i++)
		if (s->map.traced[i])
			set->at[set->len++] = sys_by_index(i)->name;
}

static int gathers_messages(const struct res_result *r)
{
	for (size_t i = 0; i < r->gathering.len; i++)
		if (strstr(r->gathering.at[i].change, "sendmmsg"))
			return 1;
	return 0;
}

static void fill_overhead(const struct session *s, struct res_result *r)
{
	struct res_overhead *o = RES_OBJ(r, overhead);
	uint64_t wall = book_wall_ns(&s->book);
	struct book_stops stops = book_stops(&s->book);
	uint64_t stops_ns;

	r->tracer->overhead = o;
	o->stops = stops.near + stops.far;
	if (s->plain_call_ns)
		o->plain_call_ns = s->plain_call_ns;
	if (s->plain_call_ns && gathers_messages(r)) /* else by stops: no gain is computed */
		probe_gathered(&o->sendto_gathered_ns, &o->sendmsg_gathered_ns);
	if (!s->far_stop_ns)
		return;
	stops_ns = s->near_stop_ns * stops.near + s->far_stop_ns * stops.far;
	o->estimated_ns = stops_ns;
	if (s->record_ns) {
		const uint64_t *seen = book_seen(&s->book);

		o->per_record_ns = s->record_ns;
		o->estimated_ns += s->record_ns * (seen[SEEN_RECORDED] + seen[SEEN_ONE_STOP]);
	}
	o->per_stop_ns = o->stops ? stops_ns / o->stops : s->near_stop_ns;
	/* Threads are stopped and record at the same time: their sum can be longer than the run. */
	if (wall && o->estimated_ns > wall)
		o->estimated_ns = wall;
	if (wall)
		o->estimated_share = (double)o->estimated_ns / (double)wall;
	if (wall && o->estimated_share > SLOWED_SHARE)
		result_warn(r, "slowed",
			"The stops took about %.0f%% of the time: batch sizes%s are those "
			"of a slowed program, counts and bytes are what this run did.",
			o->estimated_share * 100, s->opt->no_times ? "" : " and times");
}

/* Most calls first. */
static int by_calls(const void *a, const void *b)
{
	const struct res_unpatched *x = a, *y = b;

	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	return strcmp(x->reason, y->reason);
}

static void fill_unpatched(const struct session *s, struct res_result *r)
{
	struct res_tracer *t = r->tracer;
	struct map_iter it = {0};
	size_t n = 0;

	RES_LIST(r, &t->unpatched_sites, s->recorder.reasons.len, unpatched);
	while (map_next(&s->recorder.reasons, &it)) {
		const struct recorder_reason *reason = it.value;
		struct res_unpatched *row = &t->unpatched_sites.at[n++];

		row->reason = reason->text;
		row->sites = reason->sites;
		row->calls = reason->calls;
	}
	qsort(t->unpatched_sites.at, n, sizeof(*t->unpatched_sites.at), by_calls);
}

static void fill_tracer(const struct session *s, struct res_result *r)
{
	struct res_tracer *t = r->tracer;
	const uint64_t *seen = book_seen(&s->book);

	t->version = IOTRACE_VERSION;
	t->mode = s->opt->mode_auto ? "auto" : "ptrace";
	t->times = !s->opt->no_times;
	if (s->recorder.on && !s->recorder.reason)
		t->trap = s->recorder.dispatch ? "dispatch" : "filter";
	t->calls_stopped = seen[SEEN_STOPPED];
	t->calls_redirected = seen[SEEN_ONE_STOP];
	t->calls_recorded_in_process = seen[SEEN_RECORDED];
	t->lost = session_lost(s);
	t->ignored_signal_interruptions = s->ignored_signal_interruptions;
	fill_traced_set(s, r);
	outside_result(&s->outside, r);
	fill_unpatched(s, r);
	fill_overhead(s, r);
}

static int traces_all(const struct session *s, const char *const *names, size_t n)
{
	if (s->opt->paths.len)
		return 0;
	for (size_t i = 0; i < n; i++) {
		const struct sys_def *def = sys_by_name(names[i]);

		if (!def || !s->map.traced[def->index])
			return 0;
	}
	return 1;
}

static int traces_all_mappings(const struct session *s)
{
	static const char *const names[] = {"mmap", "munmap", "mremap", "brk"};

	return traces_all(s, names, LEN(names));
}

/* Who was told of something, and by what, must be known. */
static void fill_empty_again(const struct session *s, struct res_result *r)
{
	static const char *const names[] = {
		"epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll", "select", "pselect6"};

	if (traces_all(s, names, LEN(names)))
		return;
	for (size_t i = 0; i < r->syscalls.len; i++)
		r->syscalls.at[i].empty_again = U64_NONE;
}

/* Calls that end what gathering holds back, those that programs make most first. */
static const char *const telling[] = {"futex", "clock_nanosleep", "wait4", "fsync", "accept4",
	"lseek", "close", "execve", "read", "poll", "epoll_wait", "recvfrom"};

/* The call that best says what is missing; NULL: nothing is. *ret_len: how many are. */
static const char *untraced(const struct session *s, size_t *ret_len)
{
	const struct sys_def *any = NULL;

	*ret_len = 0;
	for (size_t i = 0; i < s->map.len; i++)
		if (gather_needs(sys_by_index(i)) && !s->map.traced[i]) {
			any = any ? any : sys_by_index(i);
			++*ret_len;
		}
	for (size_t i = 0; any && i < sizeof(telling) / sizeof(*telling); i++) {
		const struct sys_def *def = sys_by_name(telling[i]);

		if (def && !s->map.traced[def->index])
			return def->name;
	}
	return any ? any->name : NULL;
}

static void fill_gathering(const struct session *s, struct res_result *r)
{
	size_t n;
	const char *name = untraced(s, &n);

	if (s->opt->paths.len)
		gather_unknown(r, "not traced: calls about other paths");
	else if (n > 1)
		gather_unknown(r,
			arena_printf(result_arena(r), "not traced: %s and %zu more", name, n - 1));
	else if (n)
		gather_unknown(r, arena_printf(result_arena(r), "not traced: %s", name));
}

static void fill_blind_spots(const struct session *s, struct res_result *r)
{
	const struct sys_def *gettime = sys_by_name("clock_gettime");
	const struct {
		int seen;
		const char *text;
	} spots[] = {
		{s->seen.sqpoll,
			"SQPOLL: a kernel thread takes io_uring submissions without a system call"},
		{s->seen.io_uring, "io_uring: what its requests move is not in the bytes and "
				   "batches of other calls"},
		{s->seen.packet_tx, "PACKET_TX_RING: frames are sent from a ring that is mapped "
				    "into the program"},
		{s->seen.packet_rx, "PACKET_RX_RING: frames are received in a ring that is mapped "
				    "into the program"},
		{s->seen.xdp, "AF_XDP: frames move through rings that are mapped into the program"},
		{s->seen.mapped_file, "mapped files: what is written through a mapping that is "
				      "shared (MAP_SHARED) makes no system call"},
		{gettime && s->map.traced[gettime->index],
			"vDSO: clock_gettime, gettimeofday, time and getcpu mostly make no system "
			"call"},
	};

	r->blind_spots.at =
		arena_alloc(result_arena(r), sizeof(spots) / sizeof(*spots), sizeof(char *));
	for (size_t i = 0; i < sizeof(spots) / sizeof(*spots); i++)
		if (spots[i].seen)
			r->blind_spots.at[r->blind_spots.len++] = spots[i].text;
}

static const char *comm_or_null(const struct thread_info *info)
{
	return info && info->comm[0] ? info->comm : NULL;
}

static void fill_warnings(const struct session *s, const struct supervise *v, struct res_result *r)
{
	const char *crash = comm_or_null(tracees_info(&s->tracees, s->crash_id));
	char left_out[128];

	if (session_lost(s)) {
		r->complete = 0;
		result_warn(r, "lost", "%llu calls are known to be missing.",
			(unsigned long long)session_lost(s));
	}
	if (s->recorder.corrupt)
		result_warn(r, "corrupt",
			"%llu threads wrote into the recorder's memory, so their calls stopped "
			"from "
			"then on.",
			(unsigned long long)s->recorder.corrupt);
	if (s->recorder.reason)
		result_warn(r, "no_recorder",
			"The recorder cannot work here, so every call stopped: %s.",
			s->recorder.reason);
	if (attach_left_out(s, left_out, sizeof(left_out)))
		result_warn(r, "descendants", "Not all is seen: %s.", left_out);
	if (s->kept)
		result_warn(r, "left_mapped",
			"Pages of the recorder stay mapped in %llu process%s (the first: %d), and "
			"do nothing: a thread did not stop when it was left, or a seccomp filter "
			"might refuse the calls that unmap them.",
			(unsigned long long)s->kept, s->kept == 1 ? "" : "es", (int)s->kept_pid);
	if (s->crashed)
		result_warn(r, "process_crashed",
			"Of the processes that the target started %llu crashed (the first: %s, by "
			"SIG%s): what they had still to do is in no figure.",
			(unsigned long long)s->crashed, crash ? crash : "?",
			sigabbrev_np(s->crash));
	if (v->timed_out)
		result_warn(r, "timed_out",
			v->cpu_spent ? "The limit of CPU time that iotrace is under itself "
				       "(ulimit -t) ended the run."
				     : "The time limit ended the run.");
	if (s->seen.own_filter)
		result_warn(r, "own_filter",
			"The target installed a seccomp filter that hides calls from ours: from "
			"then on every call of it stopped, traced or not, which is slower.");
	if (s->seen.untraced_clones)
		result_warn(r, "clone_untraced",
			"The target asked for children that cannot be traced (CLONE_UNTRACED): "
			"they were traced all the same.");
	if (*s->unprivileged)
		result_warn(r, "no_privileges",
			"%s ran without the privileges of its file (set-user-ID, set-group-ID or "
			"capabilities): the kernel gives none under a tracer that is not "
			"privileged. As root, iotrace -u USER traces it as it is.",
			s->unprivileged);
	if (s->ignored_signal_interruptions)
		result_warn(r, "ignored_signals",
			"%llu call%s interrupted by a signal that the target ignores; untraced "
			"this would not have happened.",
			(unsigned long long)s->ignored_signal_interruptions,
			s->ignored_signal_interruptions == 1 ? " was" : "s were");
	if (v->control_unknown)
		result_warn(r, "control_unknown",
			"Lines on the control descriptor that are not begin, end or mark NAME: %u.",
			v->control_unknown);
}

static const char *iso_time(struct res_result *r, uint64_t real_ns)
{
	time_t t = (time_t)(real_ns / NS_PER_SEC);
	struct tm tm;
	char text[32];

	gmtime_r(&t, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return arena_strdup(result_arena(r), text);
}

static int same_or_null(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static struct res_program *program(struct res_result *r, const char *name, const char *started_by)
{
	struct res_program *p = r->programs.at, *end = p + r->programs.len;

	while (p < end && !(same_or_null(p->name, name) && same_or_null(p->started_by, started_by)))
		p++;
	if (p == end) {
		r->programs.len++;
		p->name = name ? arena_strdup(result_arena(r), name) : NULL;
		p->started_by = started_by ? arena_strdup(result_arena(r), started_by) : NULL;
		p->processes = p->threads = p->crashed = 0;
	}
	return p;
}

static const char *maker_of(const struct tracees *t, const struct thread_info *first)
{
	return first->maker_comm[0] ? first->maker_comm
				    : comm_or_null(tracees_info(t, first->maker));
}

static void fill_programs(const struct session *s, struct res_result *r)
{
	const struct tracees *t = &s->tracees;
	uint64_t processes = t->processes_total, threads = t->threads_total, crashed = s->crashed;
	struct res_program *p;

	RES_LIST(r, &r->programs, t->infos.len + 1, program);
	r->programs.len = 0;
	for (size_t i = 0; i < t->infos.len; i++) {
		const struct thread_info *first = tracees_info(t, t->infos.at[i].process);

		if (!first)
			continue;
		p = program(r, comm_or_null(first), maker_of(t, first));
		p->processes += first == &t->infos.at[i];
		processes -= first == &t->infos.at[i];
		p->threads++;
		threads--;
		p->crashed += t->infos.at[i].crashed;
		crashed -= t->infos.at[i].crashed;
	}
	if (threads) {
		p = program(r, NULL, NULL);
		p->processes += processes;
		p->threads += threads;
		p->crashed += crashed;
	}
}

struct res_result *report_build(const struct session *s, const struct report_facts *facts)
{
	struct res_result *r = result_new();
	struct agg_names names = session_names(s);

	r->complete = 1;
	r->started_at = iso_time(r, facts->started_real_ns);
	r->started_us = facts->started_real_ns / NS_PER_US;
	r->tracer = RES_OBJ(r, tracer);
	r->command = result_words(r, facts->command);
	fill_exit(s, facts->supervise, r);
	if (s->attached) {
		r->attached = RES_OBJ(r, attached);
		r->attached->pid = (uint64_t)s->first_pid;
		r->attached->processes = s->attached_processes;
		r->attached->started = 0;
	}
	book_result(&s->book, &names, traces_all_mappings(s), r);
	if (r->window) {
		r->window->skip_ns = s->opt->skip_ns;
		r->window->duration_ns = s->opt->duration_ns;
	}
	fill_empty_again(s, r);
	cputime_result(&s->cputime, r);
	fill_gathering(s, r);
	if (s->opt->no_times)
		result_without_times(r);
	fill_tracer(s, r);
	if (s->stacks)
		stacks_result(s->stacks, r);
	fill_blind_spots(s, r);
	fill_warnings(s, facts->supervise, r);
	r->processes = s->tracees.processes_total;
	r->threads_total = s->tracees.threads_total;
	fill_programs(s, r);
	/* The summary shows the machine only; hashing and git take time. */
	if (!s->opt->json)
		environment_machine(r);
	else if (!s->opt->pids.len)
		environment_capture(r, facts->target_path);
	else {
		environment_capture(r, NULL);
		environment_running(r, r->environment, facts->target_path, facts->target_fd);
	}
	if (r->environment)
		r->environment->uid = facts->uid;
	return r;
}

void report_detail(const struct session *s, struct res_result *r)
{
	book_result_detail(&s->book, r);
	if (r->tracer->detail_lines_left_out)
		result_warn(r, "detail_limit",
			"The detail holds the first %llu calls; %llu more are counted, but have no "
			"line.",
			(unsigned long long)r->tracer->detail_lines,
			(unsigned long long)r->tracer->detail_lines_left_out);
}

void report_detail_failed(struct res_result *r, const char *path, int error)
{
	r->complete = 0;
	result_warn(r, "detail_incomplete",
		"The detail %s could not be written to its end: %s. The counts here are whole.",
		path, strerror(-error));
}
