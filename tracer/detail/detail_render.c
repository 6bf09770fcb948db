/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/detail/detail.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK_BYTES (64 * 1024)

uint64_t detail_calls_max(uint64_t limit_bytes, int times)
{
	return limit_bytes / (times ? DETAIL_LINE_MIN : DETAIL_LINE_MIN_NO_TIMES) + 1;
}

/* Whole lines on their way to out. */
struct chunk {
	struct out text; /* in memory */
	uint64_t lines;
};

/* Where a regular file is written next, -1 with anything else. */
static off_t offset_of(int fd)
{
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) ? lseek(fd, 0, SEEK_CUR) : -1;
}

/* Of a chunk that did not get through: the whole lines among the bytes that did. */
static void count_landed(const struct chunk *c, off_t before, off_t after, struct detail_text *t)
{
	size_t landed = before >= 0 && after > before ? (size_t)(after - before) : 0;
	const char *p = c->text.buf, *end;

	if (landed > c->text.len)
		landed = c->text.len;
	for (; landed && (end = memchr(p, '\n', landed)) != NULL; p = end + 1) {
		landed -= (size_t)(end + 1 - p);
		t->bytes += (uint64_t)(end + 1 - p);
		t->lines++;
	}
}

static int chunk_write(struct chunk *c, struct out *out, struct detail_text *t)
{
	off_t before = offset_of(out->fd);
	int rc;

	out_bytes(out, c->text.buf, c->text.len);
	rc = out_flush(out);
	if (rc == 0) {
		t->lines += c->lines;
		t->bytes += c->text.len;
	} else {
		count_landed(c, before, offset_of(out->fd), t);
	}
	c->text.len = 0;
	c->lines = 0;
	return rc;
}

/* 1: there may be more; 0: all calls, or all that fit, are in; or an error of either side. */
static int add_line(
	struct chunk *c, const struct sys_event *ev, int64_t epoch_offset_ns, uint64_t room_bytes)
{
	size_t before = c->text.len;

	detail_line(&c->text, ev, epoch_offset_ns);
	if (c->text.len > room_bytes) {
		c->text.len = before;
		return 0;
	}
	c->lines++;
	return 1;
}

static int out_error(const struct out *out, struct err *err)
{
	return err_set(err, out->error, "cannot write the detail: %s", strerror(-out->error));
}

int detail_render(struct spool *s, struct out *out, uint64_t limit_bytes, int64_t epoch_offset_ns,
	struct detail_text *ret_text, struct err *err)
{
	struct spool_reader *r;
	struct detail_text t = {0};
	struct chunk c = {0};
	struct sys_event ev;
	int rc = spool_finish(s, err), more = 1, reading;

	r = spool_reader_new(spool_fd(s));
	spool_reader_consume(r);
	out_init_mem(&c.text);
	while (more && !out->error && (reading = spool_read(r, &ev, rc ? NULL : err)) != 0) {
		if (reading < 0) {
			rc = rc ? rc : reading;
			break;
		}
		more = add_line(&c, &ev, epoch_offset_ns, limit_bytes - t.bytes);
		if (c.text.len >= CHUNK_BYTES)
			chunk_write(&c, out, &t);
	}
	chunk_write(&c, out, &t);
	if (out->error && rc == 0)
		rc = out_error(out, err);
	out_release(&c.text);
	spool_reader_free(r);
	*ret_text = t;
	return rc;
}
