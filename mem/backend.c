/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The memory backend: runs the target under valgrind's massif and reads what that leaves of each
 * process. The whole run is profiled: a heap is made of all that came before, so a window is marked
 * and nothing is left out.
 */
#include "common/runner/backend.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/units.h"
#include "common/model/json.h"
#include "common/report/plot.h"
#include "common/runner/control.h"
#include "common/doctor/doctor.h"
#include "common/runner/environment.h"
#include "common/runner/flamegraph.h"
#include "common/runner/program.h"
#include "common/runner/tool.h"
#include "mem/command.h"
#include "mem/files.h"
#include "mem/folded.h"
#include "mem/marks.h"
#include "mem/massif.h"
#include "mem/profile.h"
#include "mem/unseen.h"

#define OUT      "-massif.out"
#define CHILDREN "-massif-children.out"
#define LOG      "-massif.log"
#define REPORT   "-massif-report.txt"
#define FOLDED   "-massif.folded"
#define GRAPH    "-massif-flamegraph.svg"
#define PLOT     "-massif-plot.svg"
#define JSON     "-memory.json"

static const char *const suffixes[] = {OUT, CHILDREN, LOG, REPORT, FOLDED, GRAPH, PLOT, JSON, NULL};

static const char install_hint[] = "apt-get install -y valgrind";

/* One run while its files are made. */
struct job {
	const struct backend_run *in;
	struct drive_result drive;
	struct marks marks;
	uint64_t start_ns;
	struct files files;
	struct res_memory *r;
};

/* ---- can it run ---- */

/* The tool alone does not start without its preloaded libraries, so it is tried. */
static int memory_probe(struct err *err)
{
	const char *const argv[] = {
		"valgrind", "--command-line-only=yes", "--tool=massif", "--version", NULL};
	struct out said;
	struct err why = {0};
	int rc, known;

	out_init_mem(&said);
	rc = tool_run(
		&(struct tool){.argv = argv, .stdin_fd = -1, .take = tool_to_out, .ctx = &said},
		&why);
	known = strncmp(out_text(&said), "valgrind-", strlen("valgrind-")) == 0;
	out_release(&said);
	if (rc == -ENOENT)
		return err_set(err, rc, "type memory cannot run: valgrind is not installed (%s)",
			install_hint);
	if (rc < 0)
		return err_set(err, rc, "type memory cannot run: %s (%s)", why.text, install_hint);
	if (!known)
		return err_set(err, -EIO,
			"type memory cannot run: the valgrind in PATH does not say its version; "
			"is it another program? (%s)",
			install_hint);
	return 0;
}

/* ---- paths ---- */

static char *path_of(const struct backend_run *in, const char *suffix)
{
	return mem_printf("%s/%s%s", in->dir, in->sc->name, suffix);
}

static int write_out(const char *path, struct out *o, struct err *err)
{
	int rc = o->error;

	if (rc < 0)
		return err_set(err, rc, "cannot write %s: %s", path, strerror(-rc));
	return file_write(path, out_text(o), o->len, err);
}

/* ---- the run ---- */

static int has_window(const struct scenario *sc)
{
	return sc->load || sc->skip_ns || sc->duration_ns;
}

static int drive(struct job *j, struct err *err)
{
	const struct backend_run *in = j->in;
	struct arena arena = {0};
	int window = has_window(in->sc);
	struct drive how = backend_drive(in);
	int rc;

	how.tool_argv = command_line(&arena, in->sc, "valgrind", in->dir, window);
	how.mark = window ? marks_mark : NULL;
	how.ctx = &j->marks;
	j->start_ns = clock_mono_ns();
	rc = drive_run(&how, &j->drive, err);
	marks_end(&j->marks);
	drive_judge_end(&j->drive, j->drive.tool_signal);
	arena_release(&arena);
	return rc;
}

/* ---- files of the processes ---- */

static int copy_to(int to, const char *from, struct err *err)
{
	cleanup_close int fd = open(from, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n = fd < 0 ? -1 : 0;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		int rc = out_write_all(to, buf, (size_t)n);

		if (rc < 0)
			return err_set(err, rc, "cannot write: %s", strerror(-rc));
	}
	return n < 0 ? err_set(err, -errno, "cannot read %s: %s", from, strerror(errno)) : 0;
}

/* Puts the files of all processes from `first` on one behind the other, which field says. */
static int join(
	const struct job *j, size_t first, size_t field, const char *suffix, struct err *err)
{
	cleanup_free char *path = path_of(j->in, suffix);
	struct new_file f = {.fd = -1};
	int rc = 0, any = 0;

	for (size_t i = first; i < j->files.len && rc == 0; i++) {
		const char *from = *(char *const *)((const char *)&j->files.at[i] + field);

		if (!from)
			continue;
		if (!any)
			rc = file_begin(&f, path, err);
		any |= rc == 0;
		if (rc == 0)
			rc = copy_to(f.fd, from, err);
		if (rc == 0)
			(void)unlink(from);
	}
	if (!any)
		return rc;
	if (rc == 0)
		return file_commit(&f, err);
	file_abort(&f);
	return rc;
}

/* The target's own file, under its final name. */
static int keep_target(struct job *j, struct err *err)
{
	struct files_process *target = j->files.len ? &j->files.at[0] : NULL;

	if (!target || !target->massif)
		return 0;
	char *path = path_of(j->in, OUT);

	if (rename(target->massif, path) < 0) {
		int rc = err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));

		free(path);
		return rc;
	}
	free(target->massif);
	target->massif = path;
	return 0;
}

/* Those of its children, and the logs of all. */
static int keep_others(const struct job *j, struct err *err)
{
	int rc = join(j, 1, offsetof(struct files_process, massif), CHILDREN, err);

	return rc < 0 ? rc : join(j, 0, offsetof(struct files_process, log), LOG, err);
}

/* ---- what the files say ---- */

static int is_parsed(const char *path, struct massif *m, struct res_memory *r)
{
	struct err err = {0};

	if (massif_read(path, m, &err) == 0)
		return 1;
	result_warn(r, "massif_file_unreadable", "%s", err.text);
	r->complete = 0;
	return 0;
}

/* Of a fork that executed nothing: as the target, whose copy it most likely is. */
static int is_unseen(const struct job *j, size_t i)
{
	const struct files_process *p = &j->files.at[j->files.at[i].program ? i : 0];

	return !j->in->sc->memory.pages_as_heap && p->program && !p->replaced;
}

/* Without it the end is not measured; the rest is. */
static void read_end(const char *path, struct massif *m, struct res_memory *r)
{
	struct err err = {0};

	if (massif_read_end(path, m, &err) < 0)
		result_warn(r, "no_end", "what was held at the end is not known: %s", err.text);
	(void)unlink(path);
}

static void add_process(struct job *j, size_t i, struct massif *m)
{
	const struct files_process *from = &j->files.at[i];
	struct res_memory_process *to = &j->r->processes.at[i];

	to->pid = (uint64_t)from->pid;
	to->parent_pid = from->parent ? (uint64_t)from->parent : U64_NONE;
	to->main = from->is_main;
	profile_fill_process(j->r, to, m, is_unseen(j, i));
}

static void warn_larger_child(struct job *j)
{
	const struct res_memory_process *all = j->r->processes.at, *most = all;
	char there[UNITS_BUF], here[UNITS_BUF];

	for (size_t i = 1; i < j->r->processes.len; i++)
		if (all[i].peak &&
			(!most->peak || all[i].peak->total_bytes > most->peak->total_bytes))
			most = &all[i];
	if (most != all && most->peak)
		result_warn(j->r, "larger_child",
			"process %llu (%.200s) held %s at its peak, the target itself %s: see "
			"processes and the file "
			"of the children",
			(unsigned long long)most->pid, most->command ? most->command : "?",
			units_bytes(there, most->peak->total_bytes),
			units_bytes(here, all->peak ? all->peak->total_bytes : 0));
}

/* A process that goes on in the background when the target has ended, or was killed. */
static void warn_without_profile(struct job *j)
{
	size_t without = 0;

	for (size_t i = 1; i < j->files.len; i++)
		without += !j->files.at[i].massif;
	if (without)
		result_warn(j->r, "children_without_profile",
			"%zu of the target's %zu other processes left no profile: they were killed "
			"or still run",
			without, j->files.len - 1);
}

static void warn_unseen_children(struct job *j)
{
	size_t unseen = 0;

	for (size_t i = 1; i < j->files.len; i++)
		unseen += (size_t)(j->files.at[i].massif && is_unseen(j, i));
	if (unseen)
		result_warn(j->r, "children_not_seen",
			"massif's malloc could not be loaded into %zu of the target's %zu other "
			"processes (they are static): their heaps are not measured",
			unseen, j->files.len - 1);
}

/* Reads every process's file; *target is left open for those who need its tree. 1: it is there. */
static int read_processes(struct job *j, struct massif *target)
{
	struct files *f = &j->files;
	int found = 0;

	RES_LIST(j->r, &j->r->processes, f->len, memory_process);
	for (size_t i = 0; i < f->len; i++) {
		struct massif m = {0};
		int parsed = f->at[i].massif && is_parsed(f->at[i].massif, &m, j->r);

		if (parsed && f->at[i].end)
			read_end(f->at[i].end, &m, j->r);
		add_process(j, i, parsed ? &m : NULL);
		if (i == 0 && parsed) {
			*target = m;
			found = 1;
		} else {
			massif_release(&m);
		}
	}
	if (f->len) {
		warn_larger_child(j);
		warn_without_profile(j);
		warn_unseen_children(j);
	}
	return found;
}

/* ---- what massif could not see ---- */

static struct unseen look_for_unseen(const struct job *j, const struct massif *m)
{
	const struct files_process *p = &j->files.at[0];
	cleanup_free char *found = p->program ? NULL : program_find(j->in->sc->argv[0]);
	struct doctor_target program = {0};

	if (p->program || found)
		doctor_look_at_allocation(p->program ? p->program : found, &program);
	return unseen_judge(&(struct unseen_facts){
		.process = p,
		.program = &program,
		.seen_bytes = massif_total(massif_at(m, m->peak)),
		/* Of several processes it is not known whose that is. */
		.resident_bytes = j->files.len == 1 ? j->drive.most_resident_bytes : 0,
	});
}

/* 0: what massif saw says nothing of the target's heap. */
static int warn_unseen(struct job *j, const struct massif *m)
{
	struct unseen u = {0};
	char bytes[UNITS_BUF];

	if (!j->in->sc->memory.pages_as_heap)
		u = look_for_unseen(j, m);
	if (!u.why)
		return 1;
	units_bytes(bytes, u.bytes);
	if (u.all) {
		result_warn(j->r, "heap_not_seen",
			"massif does not see what the program allocates: %s. Its heap is not "
			"measured%s%s; --pages-as-heap counts pages instead",
			u.why, u.bytes ? ", but it held at least " : "", u.bytes ? bytes : "");
		return 0;
	}
	result_warn(j->r, "heap_partly_seen",
		"beside the heap that massif sees the program held at least %s: %s; "
		"--pages-as-heap "
		"counts pages instead",
		bytes, u.why);
	return 1;
}

/* ---- what the run says ---- */

static struct res_memory_point *mark_point(struct res_memory *r, const struct mark *mark)
{
	struct res_memory_point *p = NULL;
	struct massif m;

	if (!mark->at_ns || massif_read(mark->file, &m, NULL) < 0)
		return NULL;
	p = profile_point(r, &m.snapshots.at[0]);
	p->snapshot = U64_NONE; /* it is none of the file's */
	massif_release(&m);
	return p;
}

static void fill_window(struct job *j)
{
	const struct mark *begin = &j->marks.begin, *end = &j->marks.end;
	struct res_memory *r = j->r;

	if (!begin->at_ns)
		return;
	r->window = RES_OBJ(r, memory_window);
	r->window->begin_ns = begin->at_ns - j->start_ns;
	r->window->end_ns = end->at_ns ? end->at_ns - j->start_ns : j->drive.wall_ns;
	if (r->window->end_ns < r->window->begin_ns)
		r->window->end_ns = r->window->begin_ns;
	r->window->wall_ns = r->window->end_ns - r->window->begin_ns;
	r->window->begin = mark_point(r, begin);
	r->window->end = mark_point(r, end);
	if (!r->window->begin)
		result_warn(r, "window_not_marked",
			"massif did not say what the heap was when the window began (it is asked "
			"with vgdb; the "
			"target may have done nothing in it): the window is not in the plot");
}

/* Valgrind is the process of its client, and ends as that did: massif writes its file then. Where
 * it does not, it is valgrind that failed, but for a KILL; and some instructions of the client's it
 * does not know. */
static int by_valgrind(const struct job *j)
{
	const struct files_process *target = j->files.len ? &j->files.at[0] : NULL;

	if (!target || !target->massif)
		return j->drive.tool_signal != SIGKILL;
	return target->unknown_instruction;
}

static void fill_options(struct job *j)
{
	struct res_memory *r = j->r;
	size_t len;
	const char **options = command_options(result_arena(r), &j->in->sc->memory, &len);

	r->massif = RES_OBJ(r, memory_massif);
	r->massif->options = result_words(r, options);
	if (*j->files.version)
		r->massif->version = arena_strdup(result_arena(r), j->files.version);
}

static void fill_run(struct job *j, uint64_t started_real_ns)
{
	const struct scenario *sc = j->in->sc;
	struct res_memory *r = j->r;

	r->complete = 1;
	r->scenario = arena_strdup(result_arena(r), sc->name);
	r->command = result_words(r, sc->argv);
	r->started_at = backend_describe_time(r, started_real_ns);
	r->wall_ns = j->drive.wall_ns;
	fill_options(j);
	/* By valgrind: how the program would have ended is not known. */
	r->exit = backend_describe_exit(
		r, &j->drive, !by_valgrind(j), j->drive.tool_signal, j->drive.tool_status);
	r->load = backend_describe_load(r, sc, &j->drive);
	r->work = backend_describe_work(r, sc, &j->drive);
	fill_window(j);
	r->control = control_describe(r, j->in, &j->drive);
	if (j->files.len && j->files.at[0].unknown_instruction) {
		result_warn(r, "valgrind_failed",
			"valgrind ended the program at an instruction that it does not know: the "
			"heap is measured up to there, and how the program ends is not known");
		r->complete = 0;
	}
	if (j->drive.stopped && j->drive.insisted)
		result_warn(r, "target_killed",
			"the target did not end within the grace after TERM and was killed");
	if (*j->drive.crash)
		result_warn(r, "target_crashed", "%s", j->drive.crash);
	if (j->drive.trouble != DRIVE_FINE) {
		result_warn(r, drive_trouble_code(j->drive.trouble), "%s", j->drive.text);
		r->complete = 0;
	}
}

/* Massif writes its file at the end of the process; a KILL leaves it no time to. */
static void warn_no_profile(struct job *j)
{
	char words[200];

	files_last_words(j->files.len ? j->files.at[0].log : NULL, words, sizeof(words));
	j->r->complete = 0;
	if (j->drive.insisted || j->drive.tool_signal == SIGKILL)
		result_warn(j->r, "no_profile",
			"there is no heap profile: the target was killed by SIGKILL, and massif "
			"writes its file only "
			"when a process ends otherwise");
	else
		result_warn(j->r, "no_profile", "there is no heap profile: massif wrote none%s%s",
			*words ? "; its last words: " : "", words);
}

/* ---- the pictures and the report ---- */

/* What could not be made is told in the result; the run is good without it. */
static void make_report(struct job *j)
{
	cleanup_free char *from = path_of(j->in, OUT);
	cleanup_free char *path = path_of(j->in, REPORT);
	const char *const argv[] = {"ms_print", from, NULL};
	struct err err = {0};
	struct out o;

	out_init_mem(&o);
	int rc = tool_run(&(struct tool){.argv = argv,
				  .stdin_fd = -1,
				  .take = tool_to_out,
				  .ctx = &o,
				  .signals = j->in->signals},
		&err);

	if (rc == 0 && o.len == 0)
		rc = err_set(&err, -EIO, "it wrote nothing");
	if (rc == 0)
		rc = write_out(path, &o, &err);
	if (rc < 0)
		result_warn(j->r, "no_report", "no report of ms_print: %s", err.text);
	out_release(&o);
}

static int make_folded(struct job *j, const struct massif *m, struct err *err)
{
	cleanup_free char *path = path_of(j->in, FOLDED);
	uint64_t left_out;
	struct out o;

	out_init_mem(&o);
	folded_write(m, &o, &left_out);
	if (left_out)
		result_warn(j->r, "folded_cut",
			"the folded stacks lack %llu bytes of the heap: they would be too large",
			(unsigned long long)left_out);
	int rc = write_out(path, &o, err);

	out_release(&o);
	return rc;
}

static void make_graph(struct job *j)
{
	cleanup_free char *folded = path_of(j->in, FOLDED);
	cleanup_free char *svg = path_of(j->in, GRAPH);
	int other = j->r->peak_tree && !strcmp(j->r->peak_tree->moment, "other");
	cleanup_free char *title = mem_printf("Heap %s: %s",
		other ? "at a moment that is not the peak" : "at the peak", j->in->sc->name);
	struct err err = {0};

	if (flamegraph_render(&(struct flamegraph){.title = title,
				      .count_name = "bytes",
				      .colors = "mem",
				      .folded_path = folded,
				      .svg_path = svg,
				      .signals = j->in->signals},
		    &err) < 0)
		result_warn(j->r, "no_flamegraph", "%s", err.text);
}

static int make_plot(struct job *j, struct err *err)
{
	cleanup_free char *path = path_of(j->in, PLOT);
	struct out o;

	out_init_mem(&o);
	plot_write(j->r, 1, &o);
	int rc = write_out(path, &o, err);

	out_release(&o);
	return rc;
}

/* ---- the outcome ---- */

static int run_status(const struct job *j)
{
	const struct drive_result *d = &j->drive;

	if (d->trouble != DRIVE_FINE)
		return backend_trouble_status(j->in, d);
	if (d->stopped)
		return 0;
	return j->files.len && j->files.at[0].unknown_instruction ? BACKEND_FAILED : d->tool_status;
}

static void note_figures(const struct res_memory *r, struct backend_result *ret)
{
	if (!r->peak)
		return;
	backend_figure(ret, "bytes", (double)r->peak->total_bytes, "peak");
	if (r->held_at_end)
		backend_figure(
			ret, "bytes", (double)r->held_at_end->total_bytes, "held at the end");
	for (size_t i = 0; i < r->sites.len && i < 3; i++)
		if (strcmp(r->sites.at[i].function, "???") != 0)
			backend_figure(ret, "bytes", (double)r->sites.at[i].bytes, "%.40s",
				r->sites.at[i].function);
}

/* What a person who looks for a file or a figure would wonder about. */
static void note_warnings(const struct res_memory *r, struct backend_result *ret)
{
	static const char *const codes[] = {"heap_not_seen", "heap_partly_seen", "tree_not_of_peak",
		"larger_child", "no_flamegraph", "no_report"};

	for (size_t i = 0; i < r->warnings.len; i++)
		for (size_t k = 0; k < sizeof(codes) / sizeof(codes[0]) && !*ret->note; k++)
			if (!strcmp(r->warnings.at[i].code, codes[k]))
				snprintf(ret->note, sizeof(ret->note), "%.255s",
					r->warnings.at[i].text);
}

static void conclude(const struct job *j, struct backend_result *ret)
{
	const struct res_memory *r = j->r;

	ret->status = run_status(j);
	ret->blamed = drive_blames(&j->drive);
	ret->incomplete = r->complete != 1;
	ret->window_ns = r->window ? r->window->wall_ns : r->wall_ns;
	snprintf(ret->text, sizeof(ret->text), "%s",
		*j->drive.text ? j->drive.text : j->drive.crash);
	if (r->complete != 1 && !*ret->text && r->warnings.len)
		snprintf(ret->text, sizeof(ret->text), "%.255s", r->warnings.at[0].text);
	note_warnings(r, ret);
	note_figures(r, ret);
}

/* Valgrind did not even begin: nothing of it is worth keeping. */
static int never_began(const struct job *j)
{
	const struct drive_result *d = &j->drive;

	for (size_t i = 0; i < j->files.len; i++)
		if (j->files.at[i].massif)
			return 0;
	return d->trouble == DRIVE_FINE && !d->insisted && d->tool_signal != SIGKILL &&
	       !d->interrupted;
}

static int make_files(struct job *j, struct err *err)
{
	struct massif m = {.tree = MASSIF_NONE};
	int found = read_processes(j, &m), rc = 0;

	if (found && !warn_unseen(j, &m)) {
		struct res_memory_process *target = &j->r->processes.at[0];

		target->peak = target->end = NULL;
		target->sites.len = 0;
		profile_fill_unseen(j->r, &m);
		make_report(j);
	} else if (found) {
		profile_fill(j->r, &m);
		make_report(j);
		rc = make_folded(j, &m, err);
		if (rc == 0 && m.nodes.len)
			make_graph(j);
	} else {
		warn_no_profile(j);
	}
	massif_release(&m);
	if (rc == 0)
		rc = make_plot(j, err);
	return rc;
}

static int take_results(
	struct job *j, uint64_t started_real_ns, struct backend_result *ret, struct err *err)
{
	const struct scenario *sc = j->in->sc;
	char words[200];

	files_find(&j->files, j->in->dir, getpid());
	if (never_began(j)) {
		files_last_words(j->files.len ? j->files.at[0].log : NULL, words, sizeof(words));
		return err_set(err, -EIO,
			"valgrind ended with status %d and left no heap profile%s%s",
			j->drive.tool_status, *words ? ": " : "", words);
	}
	cleanup_free char *target = program_find(sc->argv[0]);
	cleanup_free char *json = path_of(j->in, JSON);

	j->r = result_make(&schema_memory);
	fill_run(j, started_real_ns);
	j->r->environment = environment_describe(j->r, target);
	int rc = keep_target(j, err);

	if (rc == 0)
		rc = make_files(j, err);
	if (rc == 0)
		rc = keep_others(j, err);
	if (rc == 0)
		conclude(j, ret);
	if (rc == 0)
		rc = file_write_with(json, json_write_doc, j->r, err);
	result_free(j->r);
	return rc;
}

/* For a person: nothing is made. */
static const char *const *memory_command(const struct backend_run *in, struct arena *a)
{
	return command_line(a, in->sc, "valgrind", in->dir ? in->dir : ".", has_window(in->sc));
}

static int memory_run(const struct backend_run *in, struct backend_result *ret, struct err *err)
{
	struct job j = {.in = in};
	uint64_t started_real_ns = clock_real_ns();
	int rc = command_check(&in->sc->memory, err);

	if (rc < 0) {
		ret->status = BACKEND_TROUBLE;
		return rc;
	}
	marks_init(&j.marks, in->sc, in->signals, in->dir);
	rc = drive(&j, err);
	if (rc == 0) {
		ret->interrupted = j.drive.interrupted != 0;
		rc = take_results(&j, started_real_ns, ret, err);
	}
	files_release(&j.files);
	marks_release(&j.marks);
	return rc;
}

const struct backend backend_memory = {
	.id = "memory",
	.folder = "massif",
	.meaning = "heap over time and who holds it, by valgrind's massif",
	.suffixes = suffixes,
	.schema = &schema_memory,
	/* It counts what goes through its own malloc, from the program's first instruction on. */
	.cannot_attach = "massif cannot attach to a process that runs: have it started under "
			 "massif (--type memory, without attaching)",
	.probe = memory_probe,
	.command = memory_command,
	.run = memory_run,
};
