/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/verify.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/model/json.h"
#include "common/runner/program.h"
#include "tracer/kernel_counts.h"

enum { AGREE = 0, DISAGREE = 1, CANNOT_TELL = 3, FAILED = 125 };
enum run { BY_STOPS, BY_STOPS_AGAIN, RECORDED, RUNS };

static const char *const modes[RUNS] = {"--mode=ptrace", "--mode=ptrace", "--mode=auto"};

/* What must be the same. */
struct figures {
	uint64_t calls, returned, ok, errors, bytes;
};

struct row {
	const char *name;
	struct figures by[RUNS];
	uint64_t kernel, kernel_again; /* U64_NONE: not counted */
	const char *verdict;
};

struct verification {
	struct res_result *results[RUNS];
	struct row *rows;
	size_t len;
	struct err kernel_err; /* code 0: it has counted */
	unsigned int differ, vary;
};

/* ---- the runs ---- */

static int run_once(const struct options *o, enum run run, struct res_result **ret, struct err *err)
{
	const char *tmp = getenv("TMPDIR");
	cleanup_free char *path = mem_printf("%s/iotrace-verify-XXXXXX", tmp ? tmp : "/tmp");
	cleanup_close int file = mkostemp(path, O_CLOEXEC);
	const char **argv = mem_calloc((size_t)o->command_len + 13, sizeof(*argv));
	struct program p = PROGRAM_NONE;
	size_t n = 0;
	int rc;

	if (file < 0) {
		free(argv);
		return err_set(err, -errno, "%s: %s", path, strerror(errno));
	}
	argv[n++] = "/proc/self/exe";
	argv[n++] = modes[run];
	argv[n++] = "-q";
	argv[n++] = "--json";
	argv[n++] = path;
	if (o->no_patch)
		argv[n++] = "--no-patch";
	if (o->no_times)
		argv[n++] = "--no-times";
	if (o->trap == OPTIONS_TRAP_DISPATCH && run == RECORDED)
		argv[n++] = "--trap=dispatch";
	if (o->trace_spec) {
		argv[n++] = "--trace";
		argv[n++] = o->trace_spec;
	}
	argv[n++] = "--";
	for (int i = 0; i < o->command_len; i++)
		argv[n++] = o->command[i];
	rc = program_start(&(struct program_spec){.argv = argv,
				   .streams = {PROGRAM_NULL, PROGRAM_NULL, PROGRAM_NULL}},
		&p, err);
	if (rc == 0) {
		program_wait(&p);
		rc = json_read_result(path, ret, &(struct err){0});
		if (rc < 0)
			err_set(err, rc, "the run with %s failed with status %d", modes[run],
				program_status(&p));
	}
	program_release(&p);
	unlink(path);
	free(argv);
	return rc;
}

/* ---- the rows ---- */

static struct row *row_of(struct verification *v, const char *name)
{
	for (size_t i = 0; i < v->len; i++)
		if (strcmp(v->rows[i].name, name) == 0)
			return &v->rows[i];
	v->rows = mem_realloc(v->rows, v->len + 1, sizeof(*v->rows));
	v->rows[v->len] = (struct row){.name = name, .kernel = U64_NONE, .kernel_again = U64_NONE};
	return &v->rows[v->len++];
}

static void add_result(struct verification *v, enum run run)
{
	const struct res_result *r = v->results[run];

	assert(r); /* both runs have ended well */
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		row_of(v, s->name)->by[run] = (struct figures){.calls = s->calls,
			.returned = s->calls - s->interrupted,
			.ok = s->ok,
			.errors = s->errors,
			.bytes = s->bytes ? s->bytes->transferred : 0};
	}
}

static int row_cmp(const void *a, const void *b)
{
	const struct row *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* The first execve is ours, and has begun before the kernel counts. */
static void take_counts(
	struct verification *v, const struct kernel_count *counts, size_t n, int again)
{
	for (size_t i = 0; i < n; i++) {
		const char *name = sys_by_number(ABI_NATIVE, counts[i].nr)->name;
		struct row *r = row_of(v, name);

		*(again ? &r->kernel_again : &r->kernel) =
			counts[i].calls + (strcmp(name, "execve") == 0);
	}
}

static void count_by_kernel(const struct options *o, struct verification *v)
{
	struct kernel_count *counts = mem_calloc(v->len + 1, sizeof(*counts));
	size_t n = 0;

	for (size_t i = 0; i < v->len; i++) {
		const struct sys_def *def = sys_by_name(v->rows[i].name);

		if (def && sys_number(ABI_NATIVE, def) >= 0)
			counts[n++].nr = (uint32_t)sys_number(ABI_NATIVE, def);
	}
	for (int again = 0; again < 2; again++)
		if (kernel_counts(o->command, counts, n, &v->kernel_err) == 0)
			take_counts(v, counts, n, again);
	free(counts);
}

/* ---- the verdicts ---- */

static int same(const struct figures *a, const struct figures *b)
{
	return a->returned == b->returned && a->ok == b->ok && a->errors == b->errors &&
	       a->bytes == b->bytes;
}

/* The kernel counts restarts of calls that were interrupted, as we do by stops; recorded they may
 * be one call. */
static int kernel_agrees(const struct row *r, enum run run)
{
	uint64_t calls = r->by[run].calls;

	return r->kernel == U64_NONE || r->kernel == calls || r->kernel_again == calls ||
	       calls != r->by[run].returned;
}

static void judge(struct verification *v, struct row *r)
{
	int varies =
		!same(&r->by[BY_STOPS], &r->by[BY_STOPS_AGAIN]) || r->kernel != r->kernel_again;
	int modes_agree = same(&r->by[BY_STOPS], &r->by[RECORDED]) ||
			  same(&r->by[BY_STOPS_AGAIN], &r->by[RECORDED]);

	if (modes_agree && kernel_agrees(r, RECORDED)) {
		r->verdict = "yes";
	} else if (r->kernel != U64_NONE && kernel_agrees(r, RECORDED)) {
		r->verdict = "auto and the kernel: stops slow it";
	} else if (varies || modes_agree) {
		r->verdict = modes_agree ? "with each other: not as untraced" : "varies by itself";
		v->vary++;
	} else {
		r->verdict = "NO";
		v->differ++;
	}
}

/* ---- what is printed ---- */

static void print_figures(
	struct out *out, const struct row *r, const char *label, const struct figures *f)
{
	out_printf(out, "  %-20s %-8s %12llu %12llu %10llu %16llu\n", label == NULL ? "" : r->name,
		label ? label : "auto", (unsigned long long)f->returned, (unsigned long long)f->ok,
		(unsigned long long)f->errors, (unsigned long long)f->bytes);
}

static void print_rows(struct out *out, const struct verification *v)
{
	out_printf(out, "%-22s%12s %12s %12s   %s\n", "call", "ptrace", "auto", "kernel", "agree?");
	for (size_t i = 0; i < v->len; i++) {
		const struct row *r = &v->rows[i];
		char kernel[24] = "-";

		if (r->kernel != U64_NONE)
			snprintf(kernel, sizeof(kernel), "%llu", (unsigned long long)r->kernel);
		out_printf(out, "%-22s%12llu %12llu %12s   %s\n", r->name,
			(unsigned long long)r->by[BY_STOPS].calls,
			(unsigned long long)r->by[RECORDED].calls, kernel, r->verdict);
	}
}

static void print_details(struct out *out, const struct verification *v)
{
	for (size_t i = 0; i < v->len; i++) {
		const struct row *r = &v->rows[i];

		if (strcmp(r->verdict, "yes") == 0)
			continue;
		out_printf(out, "\n  %-20s %-8s %12s %12s %10s %16s\n", "", "", "returned", "ok",
			"errors", "bytes");
		print_figures(out, r, "ptrace", &r->by[BY_STOPS]);
		print_figures(out, r, "ptrace", &r->by[BY_STOPS_AGAIN]);
		print_figures(out, r, "auto", &r->by[RECORDED]);
	}
}

static uint64_t calls_in(const struct res_result *r)
{
	uint64_t n = 0;

	for (size_t i = 0; i < r->syscalls.len; i++)
		n += r->syscalls.at[i].calls;
	return n;
}

static int print_words(struct out *out, const struct verification *v)
{
	const struct res_tracer *t = v->results[RECORDED]->tracer;

	out_printf(out, "\n%llu of %llu calls were recorded in the process, %llu took one stop.\n",
		(unsigned long long)t->calls_recorded_in_process,
		(unsigned long long)calls_in(v->results[RECORDED]),
		(unsigned long long)t->calls_redirected);
	if (v->kernel_err.code)
		out_printf(out, "The kernel did not count: %s.\n", v->kernel_err.text);
	if (t->lost || v->results[BY_STOPS]->tracer->lost) {
		out_printf(
			out, "Calls are known to be missing: %llu.\n", (unsigned long long)t->lost);
		return DISAGREE;
	}
	if (v->differ) {
		out_printf(out, "%u of %zu calls DISAGREE.\n", v->differ, v->len);
		return DISAGREE;
	}
	if (v->vary) {
		out_printf(out,
			"%u of %zu calls differ from run to run, or traced and not; the others "
			"agree.\n",
			v->vary, v->len);
		return CANNOT_TELL;
	}
	out_printf(out, "auto and ptrace agree on all %zu calls%s.\n", v->len,
		v->kernel_err.code ? "" : ", and so does the kernel");
	return AGREE;
}

int verify(const struct options *o, struct out *out, struct err *err)
{
	struct verification v = {0};
	int status = FAILED, rc = 0;

	for (enum run run = 0; rc == 0 && run < RUNS; run++) {
		rc = run_once(o, run, &v.results[run], err);
		if (rc == 0)
			add_result(&v, run);
	}
	if (rc == 0) {
		count_by_kernel(o, &v);
		qsort(v.rows, v.len, sizeof(*v.rows), row_cmp);
		for (size_t i = 0; i < v.len; i++)
			judge(&v, &v.rows[i]);
		print_rows(out, &v);
		print_details(out, &v);
		status = print_words(out, &v);
	}
	for (int i = 0; i < RUNS; i++)
		result_free(v.results[i]);
	free(v.rows);
	return status;
}
