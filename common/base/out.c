/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/out.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/mem.h"

#define OUT_BUF_BYTES (64 * 1024)
#define U64_DIGITS    20

void out_init(struct out *o, int fd)
{
	*o = (struct out){.fd = fd, .cap = OUT_BUF_BYTES};
	o->buf = mem_calloc(o->cap, 1);
}

void out_init_mem(struct out *o)
{
	*o = (struct out){.fd = -1};
}

void out_release(struct out *o)
{
	free(o->buf);
	*o = (struct out){.fd = -1};
}

size_t out_columns(int fd, size_t most)
{
	const char *said = getenv("COLUMNS");
	struct winsize w;
	size_t columns;

	if (ioctl(fd, TIOCGWINSZ, &w) < 0)
		return most;
	columns = said ? strtoul(said, NULL, 10) : 0;
	if (!columns)
		columns = w.ws_col;
	if (!columns || columns > most)
		return most;
	return columns < OUT_COLUMNS_MIN ? OUT_COLUMNS_MIN : columns;
}

/* A descriptor shared with the target may be non-blocking without our doing: wait, don't lose. */
static int wait_writable(int fd)
{
	struct pollfd p = {.fd = fd, .events = POLLOUT};

	if (poll(&p, 1, -1) < 0 && errno != EINTR)
		return -errno;
	return 0;
}

int out_write_all(int fd, const void *bytes, size_t n)
{
	const char *p = bytes;

	while (n) {
		ssize_t done = write(fd, p, n);
		int rc = 0;

		if (done > 0) {
			p += done;
			n -= (size_t)done;
		} else if (done == 0) {
			rc = -EIO;
		} else if (errno == EAGAIN) {
			rc = wait_writable(fd);
		} else if (errno != EINTR) {
			rc = -errno;
		}
		if (rc < 0)
			return rc;
	}
	return 0;
}

int out_flush(struct out *o)
{
	if (o->fd >= 0 && !o->error && o->len)
		o->error = out_write_all(o->fd, o->buf, o->len);
	if (o->fd >= 0)
		o->len = 0;
	return o->error;
}

/* Room for n more bytes in the buffer; 0 if n has to be written past it, or not at all. */
static int reserve(struct out *o, size_t n)
{
	if (o->error)
		return 0;
	if (o->cap - o->len >= n)
		return 1;
	if (o->fd >= 0) {
		out_flush(o);
		return !o->error && n <= o->cap;
	}
	mem_vec_grow((void **)&o->buf, &o->cap, o->len + n, 1);
	return 1;
}

void out_bytes(struct out *o, const void *p, size_t n)
{
	if (!n)
		return;
	if (reserve(o, n)) {
		memcpy(o->buf + o->len, p, n);
		o->len += n;
	} else if (!o->error) {
		o->error = out_write_all(o->fd, p, n);
	}
	if (!o->error)
		o->total_bytes += n;
}

void out_str(struct out *o, const char *s)
{
	out_bytes(o, s, strlen(s));
}

void out_char(struct out *o, char c)
{
	out_bytes(o, &c, 1);
}

/* Digits of v at the end of buf; returns where they start. */
static char *digits(char buf[U64_DIGITS], uint64_t v)
{
	char *p = buf + U64_DIGITS;

	do {
		*--p = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	return p;
}

void out_u64(struct out *o, uint64_t v)
{
	out_pad_u64(o, v, 0);
}

void out_i64(struct out *o, int64_t v)
{
	if (v < 0)
		out_char(o, '-');
	out_u64(o, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void out_hex(struct out *o, uint64_t v)
{
	char buf[16], *end = buf + sizeof(buf), *p = end;

	if (!v) {
		out_char(o, '0');
		return;
	}
	for (; v; v >>= 4)
		*--p = "0123456789abcdef"[v & 15];
	out_bytes(o, "0x", 2);
	out_bytes(o, p, (size_t)(end - p));
}

void out_pad_u64(struct out *o, uint64_t v, unsigned int width)
{
	char buf[U64_DIGITS], *p = digits(buf, v);
	size_t len = (size_t)(buf + U64_DIGITS - p);

	for (size_t i = len; i < width; i++)
		out_char(o, '0');
	out_bytes(o, p, len);
}

void out_printf(struct out *o, const char *fmt, ...)
{
	char *text, small[256];
	va_list ap;
	int len;

	if (o->error)
		return;
	va_start(ap, fmt);
	len = vsnprintf(small, sizeof(small), fmt, ap);
	va_end(ap);
	if (len >= 0 && (size_t)len < sizeof(small)) {
		out_bytes(o, small, (size_t)len);
		return;
	}
	va_start(ap, fmt);
	text = mem_vprintf(fmt, ap);
	va_end(ap);
	out_str(o, text);
	free(text);
}

const char *out_text(struct out *o)
{
	mem_vec_grow((void **)&o->buf, &o->cap, o->len + 1, 1);
	o->buf[o->len] = '\0';
	return o->buf;
}
