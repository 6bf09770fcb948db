/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/load_output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/out.h"
#include "common/runner/streams.h"

static int is_wanted(const struct load_output *o)
{
	return o->sc->work_regex || o->sc->latency_regex;
}

static int scans_init(struct load_stream *s, const struct scenario *sc, struct err *err)
{
	int rc = 0;

	if (sc->work_regex)
		rc = work_scan_init(&s->work, sc->work_regex, 1, err);
	if (rc == 0 && sc->latency_regex)
		rc = work_scan_init(&s->latency, sc->latency_regex, sc->latency_unit_ns, err);
	return rc;
}

static void feed(struct load_stream *s, const char *p, size_t n)
{
	work_scan_feed(&s->work, p, n);
	work_scan_feed(&s->latency, p, n);
}

/* ---- where it goes ---- */

static int begin_log(const struct load_output *o, int fds[2], struct err *err)
{
	fds[0] = streams_log(o->log, err);
	if (fds[0] < 0)
		return fds[0];
	fds[1] = fcntl(fds[0], F_DUPFD_CLOEXEC, 0);
	return fds[1] < 0
		       ? err_set(err, -errno, "cannot open %s twice: %s", o->log, strerror(errno))
		       : 0;
}

static int begin_pipe(struct load_stream *s, int *ret_fd, struct err *err)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return err_set(err, -errno, "cannot make a pipe: %s", strerror(errno));
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	s->from = ends[0];
	*ret_fd = ends[1];
	return 0;
}

int load_output_begin(struct load_output *o, const struct scenario *sc, const char *log,
	int ret_fds[2], struct err *err)
{
	int rc = 0;

	*o = LOAD_OUTPUT_NONE;
	o->sc = sc;
	o->log = log;
	ret_fds[0] = ret_fds[1] = -1;
	if (log)
		rc = begin_log(o, ret_fds, err);
	for (int i = 0; rc == 0 && i < 2 && is_wanted(o); i++) {
		rc = scans_init(&o->streams[i], sc, err);
		if (rc == 0 && !log)
			rc = begin_pipe(&o->streams[i], &ret_fds[i], err);
	}
	for (int i = 0; rc < 0 && i < 2; i++) {
		if (ret_fds[i] >= 0)
			close(ret_fds[i]);
		ret_fds[i] = -1;
	}
	return rc;
}

void load_output_pump(struct load_output *o, int which)
{
	struct load_stream *s = &o->streams[which];
	char buf[65536];
	ssize_t n;

	while (s->from >= 0 && (n = read(s->from, buf, sizeof(buf))) != 0) {
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n < 0)
			break;
		feed(s, buf, (size_t)n);
		/* Nobody reads us any more: nor is the load's output read. */
		if (out_write_all(which + 1, buf, (size_t)n) < 0)
			break;
	}
	if (s->from >= 0)
		close(s->from);
	s->from = -1;
}

/* ---- what it said ---- */

static void read_log(struct load_output *o)
{
	cleanup_close int fd = open(o->log, O_RDONLY | O_CLOEXEC);
	char buf[65536];
	ssize_t n;

	while (fd >= 0 && (n = read(fd, buf, sizeof(buf))) > 0)
		feed(&o->streams[0], buf, (size_t)n);
}

/* The first that was found: standard output goes before standard error. 1 if a line was too hard.
 */
static int take(struct work_scan *scan, uint64_t *ret)
{
	work_scan_end(scan);
	if (scan->regex && *ret == UINT64_MAX)
		*ret = scan->count;
	return scan->too_hard;
}

int load_output_end(
	struct load_output *o, uint64_t *ret_work, uint64_t *ret_latency_ns, struct err *err)
{
	int work_hard = 0, latency_hard = 0;

	*ret_work = *ret_latency_ns = UINT64_MAX;
	if (!o->sc || !is_wanted(o)) /* it was not begun, or nobody asks */
		return 0;
	if (o->log)
		read_log(o);
	for (int i = 0; i < 2; i++) {
		load_output_pump(o, i);
		work_hard |= take(&o->streams[i].work, ret_work);
		latency_hard |= take(&o->streams[i].latency, ret_latency_ns);
	}
	if (work_hard || latency_hard)
		return err_set(err, -E2BIG,
			"whether a line of the load's output matches '%.150s' takes too many steps "
			"to tell: say it without repetitions of repetitions",
			work_hard ? o->sc->work_regex : o->sc->latency_regex);
	if (o->sc->work_regex && *ret_work == UINT64_MAX)
		return err_set(err, -ENOMSG, "no line of the load's output matches '%.150s'",
			o->sc->work_regex);
	return 0;
}

void load_output_release(struct load_output *o)
{
	for (int i = 0; i < 2; i++) {
		work_scan_release(&o->streams[i].work);
		work_scan_release(&o->streams[i].latency);
		if (o->streams[i].from >= 0)
			close(o->streams[i].from);
	}
	*o = LOAD_OUTPUT_NONE;
}
