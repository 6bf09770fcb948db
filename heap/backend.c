/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Type heaptrack of profile-scenario: heaptrack's library is loaded into the target, which is the
 * process that we start; its program makes the figures from what that wrote.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/model/json.h"
#include "common/runner/backend.h"
#include "common/runner/control.h"
#include "common/runner/environment.h"
#include "common/runner/flamegraph.h"
#include "common/runner/program.h"
#include "common/runner/tool.h"
#include "heap/folded.h"

#define JSON   "-heaptrack.json"
#define DATA   "-heaptrack.data"
#define FOLDED "-heaptrack.folded"
#define GRAPH  "-heaptrack.svg"
#define HINT   "apt-get install heaptrack"

static const char *const suffixes[] = {DATA, FOLDED, GRAPH, JSON, NULL};

struct job {
	const struct backend_run *in;
	struct arena arena;
	const char *library, *interpreter;
	const char *raw, *data, *folded;
	struct drive_result drive;
	struct res_memory *r;
};

/* ---- the tool ---- */

/* Its parts lie where its own script looks for them. */
static const char *part(struct arena *a, const char *name)
{
	cleanup_free char *script = program_find("heaptrack");
	cleanup_free char *real = script ? realpath(script, NULL) : NULL;

	return real ? arena_printf(a, "%s/../lib/heaptrack/%s", dirname(real), name) : NULL;
}

static int find_parts(struct job *j, struct err *err)
{
	cleanup_free char *print = program_find("heaptrack_print");

	j->library = part(&j->arena, "libheaptrack_preload.so");
	j->interpreter = part(&j->arena, "libexec/heaptrack_interpret");
	if (!j->library || !print)
		return err_set(err, -ENOENT,
			"type heaptrack cannot run: heaptrack is not installed (" HINT ")");
	if (access(j->library, R_OK) < 0 || access(j->interpreter, X_OK) < 0)
		return err_set(err, -ENOENT,
			"type heaptrack cannot run: %s or heaptrack_interpret is missing (" HINT
			")",
			j->library);
	return 0;
}

/* argv's output to o. */
static int ask(
	const struct job *j, const char *const *argv, int stdin_fd, struct out *o, struct err *err)
{
	const struct signals *signals = j->in ? j->in->signals : NULL;
	int rc = tool_run(&(struct tool){.argv = argv,
				  .stdin_fd = stdin_fd,
				  .take = tool_to_out,
				  .ctx = o,
				  .signals = signals},
		err);

	return rc < 0 ? rc : out_flush(o);
}

/* "heaptrack_print 1.4.0" */
static int ask_version(const struct job *j, struct out *o, struct err *err)
{
	const char *const argv[] = {"heaptrack_print", "--version", NULL};
	int rc = ask(j, argv, -1, o, err);

	if (rc == 0 && strncmp(out_text(o), "heaptrack_print ", strlen("heaptrack_print ")) != 0)
		rc = err_set(err, -EIO, "heaptrack_print does not say its version");
	return rc < 0 ? err_wrap(err, "type heaptrack cannot run (" HINT ")") : 0;
}

static int heaptrack_probe(struct err *err)
{
	struct job j = {0};
	struct out said;
	int rc = find_parts(&j, err);

	out_init_mem(&said);
	if (rc == 0)
		rc = ask_version(&j, &said, err);
	out_release(&said);
	arena_release(&j.arena);
	return rc;
}

/* The script itself puts a shell and a pipe between us and the target; this is what it does. */
static const char *const *command_line(
	struct arena *a, const struct scenario *sc, const char *library, const char *raw)
{
	size_t len = text_list_len(sc->argv), n = 0;
	const char **argv = arena_alloc(a, len + 4, sizeof(*argv));

	argv[n++] = "env";
	argv[n++] = arena_printf(a, "LD_PRELOAD=%s", library);
	argv[n++] = arena_printf(a, "DUMP_HEAPTRACK_OUTPUT=%s", raw);
	memcpy(argv + n, sc->argv, len * sizeof(*argv));
	return argv;
}

/* For a person: nothing is made. */
static const char *const *heaptrack_command(const struct backend_run *in, struct arena *a)
{
	const char *library = part(a, "libheaptrack_preload.so");

	return command_line(a, in->sc, library ? library : "libheaptrack_preload.so",
		arena_printf(a, "%s/%s.raw", in->dir ? in->dir : ".", in->sc->name));
}

static int drive(struct job *j, struct err *err)
{
	const struct backend_run *in = j->in;
	struct drive how = backend_drive(in);
	int rc;

	how.tool_argv = command_line(&j->arena, in->sc, j->library, j->raw);
	rc = drive_run(&how, &j->drive, err);
	drive_judge_end(&j->drive, j->drive.tool_signal);
	return rc;
}

/* ---- the figures ---- */

/* What the library wrote, with its addresses made names. */
static int interpret(struct job *j, struct err *err)
{
	const char *const argv[] = {j->interpreter, NULL};
	cleanup_close int raw = open(j->raw, O_RDONLY | O_CLOEXEC);
	struct new_file f;
	struct out o;
	int rc;

	if (raw < 0)
		return err_set(err, -errno, "heaptrack's library was not loaded into the target");
	rc = file_begin(&f, j->data, err);
	if (rc < 0)
		return rc;
	out_init(&o, f.fd);
	rc = ask(j, argv, raw, &o, err);
	out_release(&o);
	(void)unlink(j->raw);
	if (rc == 0)
		return file_commit(&f, err);
	file_abort(&f);
	return rc;
}

/* cost: of the stacks, for heaptrack_print. Exact, where its text is rounded. */
static int read_folded(const struct job *j, const char *cost, const char *path, struct folded *ret,
	struct err *err)
{
	const char *const argv[] = {"heaptrack_print", "--file", j->data, "--print-peaks=0",
		"--print-allocators=0", "--print-temporary=0", "--disable-builtin-suppressions",
		"--disable-embedded-suppressions", "--print-flamegraph", path,
		"--flamegraph-cost-type", cost, NULL};
	struct out said;

	out_init_mem(&said);
	int rc = ask(j, argv, -1, &said, err);

	out_release(&said);
	return rc < 0 ? rc : folded_read(path, ret, err);
}

static struct res_memory_point *point(struct res_memory *r, uint64_t bytes)
{
	struct res_memory_point *p = RES_OBJ(r, memory_point);

	p->heap_bytes = p->total_bytes = bytes;
	return p;
}

static int fill_heap(struct job *j, struct err *err)
{
	const char *other = arena_printf(&j->arena, "%s/other.folded", j->in->dir);
	struct folded peak = {0}, leaked = {0}, calls = {0};
	int rc = read_folded(j, "peak", j->folded, &peak, err);

	if (rc == 0)
		rc = read_folded(j, "leaked", other, &leaked, err);
	if (rc == 0)
		rc = read_folded(j, "allocations", other, &calls, err);
	if (rc == 0 && calls.total) {
		j->r->peak = point(j->r, peak.total);
		j->r->held_at_end = point(j->r, leaked.total);
		j->r->allocations = calls.total;
		folded_sites(&peak, j->r);
	} else if (rc == 0) {
		rc = err_set(err, -ENODATA,
			"heaptrack saw no allocation: it writes when a process exits, and sees "
			"none "
			"of a static program, of a child, or of one that a signal ends");
	}
	(void)unlink(other);
	folded_release(&peak);
	folded_release(&leaked);
	folded_release(&calls);
	return rc;
}

/* ---- the result ---- */

static void fill_tools(struct job *j)
{
	struct err ignored = {0};
	struct out said;

	out_init_mem(&said);
	RES_LIST(j->r, &j->r->tools, 1, cpu_tool);
	j->r->tools.at[0].name = "heap profile";
	j->r->tools.at[0].path = arena_strdup(result_arena(j->r), j->library);
	if (ask_version(j, &said, &ignored) == 0)
		j->r->tools.at[0].version = arena_printf(result_arena(j->r), "heaptrack %.*s",
			(int)strcspn(out_text(&said) + strlen("heaptrack_print "), "\n"),
			out_text(&said) + strlen("heaptrack_print "));
	out_release(&said);
}

static void fill(struct job *j, uint64_t started_real_ns)
{
	const struct scenario *sc = j->in->sc;
	cleanup_free char *target = program_find(sc->argv[0]);
	const struct drive_result *d = &j->drive;
	struct res_memory *r = j->r;

	r->complete = 1;
	r->scenario = arena_strdup(result_arena(r), sc->name);
	r->command = result_words(r, sc->argv);
	r->started_at = backend_describe_time(r, started_real_ns);
	r->wall_ns = d->wall_ns;
	fill_tools(j);
	r->exit = backend_describe_exit(r, d, 1, d->tool_signal, d->tool_status);
	r->load = backend_describe_load(r, sc, d);
	r->work = backend_describe_work(r, sc, d);
	r->control = control_describe(r, j->in, d);
	r->environment = environment_describe(r, target);
	if (*d->crash)
		result_warn(r, "target_crashed", "%s", d->crash);
	if (d->trouble != DRIVE_FINE) {
		result_warn(r, drive_trouble_code(d->trouble), "%s", d->text);
		r->complete = 0;
	}
}

static void draw(struct job *j)
{
	const char *svg = arena_printf(&j->arena, "%s/%s" GRAPH, j->in->dir, j->in->sc->name);
	struct err err = {0};

	if (flamegraph_render(&(struct flamegraph){.title = "Heap at the peak",
				      .count_name = "bytes",
				      .colors = "mem",
				      .folded_path = j->folded,
				      .svg_path = svg,
				      .signals = j->in->signals},
		    &err) < 0)
		result_warn(j->r, "no_flamegraph", "%s", err.text);
}

static void conclude(const struct job *j, struct backend_result *ret)
{
	const struct drive_result *d = &j->drive;
	const struct res_memory *r = j->r;

	ret->status = d->trouble != DRIVE_FINE ? backend_trouble_status(j->in, d)
		      : d->stopped             ? 0
					       : d->tool_status;
	ret->interrupted = d->interrupted != 0;
	ret->blamed = drive_blames(d);
	ret->incomplete = r->complete != 1;
	ret->window_ns = d->load_started ? d->load_wall_ns : d->wall_ns;
	snprintf(ret->text, sizeof(ret->text), "%s", *d->text ? d->text : d->crash);
	if (r->complete != 1 && !*ret->text && r->warnings.len)
		snprintf(ret->text, sizeof(ret->text), "%.255s", r->warnings.at[0].text);
	if (!r->peak)
		return;
	backend_figure(ret, "bytes", (double)r->peak->heap_bytes, "peak");
	backend_figure(ret, "bytes", (double)r->held_at_end->heap_bytes, "held at the end");
	backend_figure(ret, "", (double)r->allocations, "allocations");
}

static int take_result(
	struct job *j, uint64_t started_real_ns, struct backend_result *ret, struct err *err)
{
	const char *json = arena_printf(&j->arena, "%s/%s" JSON, j->in->dir, j->in->sc->name);
	struct err why = {0};
	int rc;

	j->r = result_make(&schema_memory);
	fill(j, started_real_ns);
	if (interpret(j, &why) == 0 && fill_heap(j, &why) == 0) {
		draw(j);
	} else {
		result_warn(j->r, "no_profile", "there is no heap profile: %s", why.text);
		j->r->complete = 0;
	}
	conclude(j, ret);
	rc = file_write_with(json, json_write_doc, j->r, err);
	result_free(j->r);
	return rc;
}

static int heaptrack_run(const struct backend_run *in, struct backend_result *ret, struct err *err)
{
	struct job j = {.in = in};
	uint64_t started_real_ns = clock_real_ns();
	int rc = find_parts(&j, err);

	j.raw = arena_printf(&j.arena, "%s/%s.raw", in->dir, in->sc->name);
	j.data = arena_printf(&j.arena, "%s/%s" DATA, in->dir, in->sc->name);
	j.folded = arena_printf(&j.arena, "%s/%s" FOLDED, in->dir, in->sc->name);
	if (rc == 0)
		rc = drive(&j, err);
	if (rc == 0)
		rc = take_result(&j, started_real_ns, ret, err);
	arena_release(&j.arena);
	return rc;
}

const struct backend backend_heaptrack = {
	.id = "heaptrack",
	.folder = "heaptrack",
	.meaning = "heap at its peak, who holds it, and how often it is asked for, by heaptrack",
	.suffixes = suffixes,
	.schema = &schema_memory,
	.cannot_attach =
		"heaptrack is loaded into a program as it starts (--type heaptrack, without "
		"attaching)",
	.by_name = 1,
	.probe = heaptrack_probe,
	.command = heaptrack_command,
	.run = heaptrack_run,
};
