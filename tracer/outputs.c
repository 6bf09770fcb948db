/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/outputs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/model/json.h"
#include "common/write/writer.h"
#include "tracer/report.h"

/* Behind a draft: what the final text may say more, of a detail that was cut short. */
#define DRAFT_ROOM_BYTES 2048

/* ---- before the run ---- */

static int begin(struct new_file *f, const char *path, struct err *err)
{
	return path ? file_begin(f, path, err) : 0;
}

/* Beside the detail, where there must be room anyway; one that is no file has no such place. */
static char *spool_dir(const struct new_file *detail)
{
	const char *slash = strrchr(detail->path, '/'), *tmp = getenv("TMPDIR");

	if (!detail->appears)
		return mem_strdup(tmp && *tmp ? tmp : "/tmp");
	if (!slash)
		return mem_strdup(".");
	return mem_strndup(
		detail->path, slash == detail->path ? 1 : (size_t)(slash - detail->path));
}

static int spool_begin(struct outputs *o, struct session *s, struct err *err)
{
	cleanup_free char *dir = spool_dir(&o->detail);
	int times = !o->opt->no_times;
	int rc =
		spool_new(&o->spool, dir, detail_calls_max(o->opt->detail_limit_bytes, times), err);

	if (rc == 0)
		book_detail(&s->book, o->spool, &o->opt->detail_trace);
	return rc;
}

/* Not a result: no temporary file, and nothing is renamed. A pipe would wait for its reader. */
static int status_begin(const char *path, struct session *s, struct err *err)
{
	if (!path)
		return 0;
	s->status_fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_NONBLOCK | O_CLOEXEC, 0666);
	if (s->status_fd < 0)
		return err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	return 0;
}

int outputs_begin(struct outputs *o, const struct options *opt, struct session *s, struct err *err)
{
	int rc;

	*o = (struct outputs){.opt = opt};
	rc = begin(&o->summary, opt->summary, err);
	if (rc == 0)
		rc = begin(&o->detail, opt->detail, err);
	if (rc == 0)
		rc = begin(&o->json, opt->json, err);
	for (int i = 0; opt->stacks && i < STACKS_WEIGHTS && rc == 0; i++) {
		cleanup_free char *path =
			mem_printf("%s-%s.folded", opt->stacks, stacks_weight_names[i]);

		if (i == STACKS_TIME && opt->no_times)
			continue;
		rc = begin(&o->stacks[i], path, err);
	}
	if (rc == 0 && opt->detail)
		rc = spool_begin(o, s, err);
	return rc == 0 ? status_begin(opt->status, s, err) : rc;
}

static void spool_drop(struct outputs *o, struct session *s)
{
	spool_free(o->spool);
	o->spool = s->book.detail.spool = NULL;
}

void outputs_abort(struct outputs *o)
{
	file_abort(&o->summary);
	file_abort(&o->detail);
	file_abort(&o->json);
	for (int i = 0; i < STACKS_WEIGHTS; i++)
		file_abort(&o->stacks[i]);
	spool_free(o->spool);
	o->spool = NULL;
}

/* ---- after it ---- */

/* What is printed into a file. */
struct text {
	const struct res_result *r;
	const struct stacks *stacks;
	enum stacks_weight weight;
	const char *writer; /* id; NULL: it is the stacks */
	size_t room_bytes;  /* blanks behind it */
	int is_line;        /* the last one of JSON lines */
};

static int print(int fd, const struct text *t)
{
	struct out o;
	int rc;

	out_init(&o, fd);
	if (t->is_line)
		json_write_line(t->r, &shape_result, &o);
	else if (t->writer)
		writer_by_id(t->writer)->write(t->r, &o);
	else
		stacks_write(t->stacks, t->weight, &o);
	for (size_t i = 0; i < t->room_bytes; i++)
		out_char(&o, ' ');
	rc = out_flush(&o);
	out_release(&o);
	return rc;
}

static struct err *next_err(struct outputs *o)
{
	return &o->errs[o->failed++];
}

static void cannot_write(struct outputs *o, struct new_file *f, int rc)
{
	err_set(next_err(o), rc, "cannot write %s: %s", f->path, strerror(-rc));
	file_abort(f);
}

static void commit(struct outputs *o, struct new_file *f)
{
	struct err err = {0};

	if (f->path && file_commit(f, &err) < 0)
		*next_err(o) = err;
}

/* Takes the room that a file will need before the detail can; the spool's if there is no other. */
static void draft(struct outputs *o, struct session *s, struct new_file *f, struct text t)
{
	int rc;

	if (!f->path || !f->appears)
		return;
	t.room_bytes = DRAFT_ROOM_BYTES;
	rc = print(f->fd, &t);
	if ((rc == -ENOSPC || rc == -EDQUOT) && o->spool) {
		spool_drop(o, s);
		rc = lseek(f->fd, 0, SEEK_SET) < 0 ? -errno : print(f->fd, &t);
	}
	if (rc == 0 && lseek(f->fd, 0, SEEK_SET) < 0)
		rc = -errno;
	if (rc < 0)
		cannot_write(o, f, rc);
}

static void write_final(struct outputs *o, struct new_file *f, const struct text *t)
{
	int rc;

	if (!f->path)
		return;
	rc = t->is_line && o->stdout_error ? o->stdout_error : print(f->fd, t);
	/* A draft was longer. */
	if (rc == 0 && f->appears && ftruncate(f->fd, lseek(f->fd, 0, SEEK_CUR)) < 0)
		rc = -errno;
	if (rc < 0)
		cannot_write(o, f, rc);
	else
		commit(o, f);
}

/* The text of the detail. What was written before the disk was full is kept, in whole lines. */
static int render(struct outputs *o, struct session *s, struct err *err)
{
	struct out text;
	int rc;

	if (!o->spool)
		return err_set(err, -ENOSPC, "%s: cannot write the detail: %s", o->opt->detail,
			strerror(ENOSPC));
	out_init(&text, o->detail.fd);
	rc = book_render(&s->book, &text, o->opt->detail_limit_bytes, err);
	out_release(&text);
	if (rc < 0)
		err_wrap(err, "%s", o->opt->detail);
	if (rc < 0 && o->detail.appears &&
		ftruncate(o->detail.fd, (off_t)s->book.detail.text.bytes) < 0)
		err_set(err, -errno, "cannot cut %s: %s", o->opt->detail, strerror(errno));
	spool_drop(o, s); /* its room is for the other files */
	return rc;
}

static void detail_finish(struct outputs *o, struct session *s, struct res_result *r)
{
	struct err err = {0};
	int rc;

	if (!o->opt->detail)
		return;
	rc = render(o, s, &err);
	report_detail(s, r);
	if (rc == 0)
		return;
	report_detail_failed(r, o->opt->detail, rc);
	*next_err(o) = err;
}

void outputs_finish(struct outputs *o, struct session *s, struct res_result *r)
{
	const struct text json = {.r = r,
				  .writer = "json",
				  .is_line = o->opt->interval_ns && o->opt->json &&
					     strcmp(o->opt->json, "-") == 0},
			  summary = {.r = r, .writer = "summary"};

	if (o->opt->detail) {
		draft(o, s, &o->json, json);
		draft(o, s, &o->summary, summary);
	}
	detail_finish(o, s, r);
	write_final(o, &o->json, &json);
	write_final(o, &o->summary, &summary);
	for (int i = 0; i < STACKS_WEIGHTS; i++)
		write_final(o, &o->stacks[i],
			&(struct text){.stacks = s->stacks, .weight = (enum stacks_weight)i});
	commit(o, &o->detail);
	if (o->opt->summary_stderr) {
		int rc = print(STDERR_FILENO, &summary);

		if (rc < 0)
			err_set(next_err(o), rc, "cannot write -: %s", strerror(-rc));
	}
}
