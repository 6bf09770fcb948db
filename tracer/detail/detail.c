/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/detail/detail.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/clock.h"
#include "tracer/detail/symbols.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- pieces of a line: a million lines are common, so no printf, and few calls into out ---- */

#define NUMBER_MAX 24 /* room for any number, with a sign or 0x */

struct line {
	struct out *o;
	size_t len;
	char buf[256];
};

static void flush(struct line *l)
{
	out_bytes(l->o, l->buf, l->len);
	l->len = 0;
}

static inline char *room(struct line *l, size_t n)
{
	if (sizeof(l->buf) - l->len < n)
		flush(l);
	return l->buf + l->len;
}

static inline void put_bytes(struct line *l, const char *text, size_t n)
{
	if (n > sizeof(l->buf)) {
		flush(l);
		out_bytes(l->o, text, n);
		return;
	}
	memcpy(room(l, n), text, n);
	l->len += n;
}

static inline void put_str(struct line *l, const char *text)
{
	put_bytes(l, text, strlen(text));
}

static inline void put_char(struct line *l, char c)
{
	*room(l, 1) = c;
	l->len++;
}

/* At least `width` digits, in front of end; returns where they start. */
static char *digits(char *end, uint64_t v, int width)
{
	static const char pairs[] = "00010203040506070809101112131415161718192021222324"
				    "25262728293031323334353637383940414243444546474849"
				    "50515253545556575859606162636465666768697071727374"
				    "75767778798081828384858687888990919293949596979899";
	char *p = end;

	for (; v >= 10; v /= 100) {
		p -= 2;
		memcpy(p, &pairs[v % 100 * 2], 2);
	}
	if (v || p == end)
		*--p = (char)('0' + v);
	while (end - p < width)
		*--p = '0';
	return p;
}

static void put_padded(struct line *l, uint64_t v, int width)
{
	char buf[NUMBER_MAX], *end = buf + sizeof(buf), *p = digits(end, v, width);

	put_bytes(l, p, (size_t)(end - p));
}

static void put_u64(struct line *l, uint64_t v)
{
	if (v < 10)
		put_char(l, (char)('0' + v));
	else
		put_padded(l, v, 1);
}

static void put_i64(struct line *l, int64_t v)
{
	if (v < 0)
		put_char(l, '-');
	put_u64(l, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

static void put_hex(struct line *l, uint64_t v)
{
	char *p = room(l, NUMBER_MAX);

	if (!v) {
		put_char(l, '0');
		return;
	}
	*p++ = '0';
	*p++ = 'x';
	for (int shift = (63 - __builtin_clzll(v)) & ~3; shift >= 0; shift -= 4)
		*p++ = "0123456789abcdef"[v >> shift & 15];
	l->len = (size_t)(p - l->buf);
}

/* ---- arguments ---- */

static void put_octal(struct line *l, uint32_t v)
{
	char buf[12], *end = buf + sizeof(buf), *p = end;

	for (; v; v >>= 3)
		*--p = (char)('0' + (v & 7));
	*--p = '0';
	if (end - p == 1) /* as strace: a mode of 0 is 000 */
		put_str(l, "00");
	put_bytes(l, p, (size_t)(end - p));
}

static void put_pointer(struct line *l, uint64_t v)
{
	if (v)
		put_hex(l, v);
	else
		put_str(l, "NULL");
}

/* ---- vectors ---- */

static const char *const unit_nouns[] = {
	[BATCH_NONE] = "",
	[BATCH_MESSAGES] = " msgs",
	[BATCH_IOVECS] = " iovs",
	[BATCH_EVENTS] = " events",
	[BATCH_SUBMISSIONS] = " submissions",
};

/* {64 msgs, 4096 bytes}; a part that was not measured is left out. 0 if there is none at all. */
static int put_vector(struct line *l, enum batch_unit unit, uint64_t count, uint64_t bytes)
{
	int counted = unit != BATCH_NONE && count != NOT_MEASURED;

	if (!counted && bytes == NOT_MEASURED)
		return 0;
	put_char(l, '{');
	if (counted) {
		put_u64(l, count);
		put_str(l, unit_nouns[unit]);
	}
	if (bytes != NOT_MEASURED) {
		put_str(l, counted ? ", " : "");
		put_u64(l, bytes);
		put_str(l, " bytes");
	}
	put_char(l, '}');
	return 1;
}

static int put_asked(struct line *l, const struct sys_event *ev)
{
	return put_vector(l, ev->def->unit, ev->m.batch_asked, ev->m.bytes_asked);
}

static int put_moved(struct line *l, const struct sys_event *ev)
{
	return sys_ok(ev) && put_vector(l, ev->def->unit, ev->m.batch_moved, ev->m.bytes_moved);
}

static int fcntl_has_argument(uint32_t command)
{
	static const uint32_t without[] = {
		F_GETFD, F_GETFL, F_GETOWN, F_GETSIG, F_GETLEASE, F_GETPIPE_SZ, F_GET_SEALS};

	for (size_t i = 0; i < ARRAY_LEN(without); i++)
		if (without[i] == command)
			return 0;
	return 1;
}

/* Is the argument at `i` there at all, seeing the one before it? */
static int is_present(const struct sys_event *ev, size_t i)
{
	uint64_t before = i ? ev->args[i - 1] : 0;

	switch (ev->def->args[i]) {
	case '-':
		return 0;
	case 'c':
		return (before & O_CREAT) || (before & O_TMPFILE) == O_TMPFILE;
	case 'n':
		return (before & MREMAP_FIXED) != 0;
	case 'a':
		return fcntl_has_argument((uint32_t)before);
	default:
		return 1;
	}
}

static void put_vector_argument(struct line *l, const struct sys_event *ev, size_t i)
{
	int done;

	switch (ev->def->args[i]) {
	case 'V':
		done = put_asked(l, ev);
		break;
	case 'M':
		done = put_moved(l, ev) || put_asked(l, ev);
		break;
	default:
		done = put_moved(l, ev);
	}
	if (!done)
		put_pointer(l, ev->args[i]);
}

static void put_value(struct line *l, char letter, uint64_t v)
{
	switch (letter) {
	case 'd':
		put_i64(l, (int32_t)v);
		break;
	case 'u':
		put_u64(l, (uint32_t)v);
		break;
	case 'l':
		put_i64(l, (int64_t)v);
		break;
	case 'z':
		put_u64(l, v);
		break;
	case 'w':
		put_hex(l, (uint32_t)v);
		break;
	case 'x':
	case 'a':
		put_hex(l, v);
		break;
	case 'o':
	case 'c':
		put_octal(l, (uint32_t)v & 0177777);
		break;
	case 'p':
	case 'n':
		put_pointer(l, v);
		break;
	default: /* its symbols */
		flush(l);
		if (!symbols_argument(l->o, letter, (uint32_t)v))
			put_pointer(l, v);
	}
}

static void put_argument(struct line *l, const struct sys_event *ev, size_t i)
{
	char letter = ev->def->args[i];

	if (letter == 'V' || letter == 'M' || letter == 'R')
		put_vector_argument(l, ev, i);
	else
		put_value(l, letter, ev->args[i]);
}

static void put_call(struct line *l, const struct sys_event *ev)
{
	const char *letters = ev->def->args;

	put_str(l, ev->def->name);
	put_char(l, '(');
	for (size_t i = 0; i < ARRAY_LEN(ev->args) && letters[i] && letters[i] != '>'; i++) {
		if (!is_present(ev, i))
			continue;
		if (i)
			put_bytes(l, ", ", 2);
		put_argument(l, ev, i);
	}
	put_char(l, ')');
}

/* ---- results ---- */

static void put_interrupted(struct line *l, int64_t ret)
{
	switch (ret) {
	case -512:
		put_str(l, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
		break;
	case -513:
		put_str(l, "? ERESTARTNOINTR (To be restarted)");
		break;
	case -514:
		put_str(l, "? ERESTARTNOHAND (To be restarted if no handler)");
		break;
	case -516:
		put_str(l, "? ERESTART_RESTARTBLOCK (Interrupted by signal)");
		break;
	default:
		put_str(l, "? ENOIOCTLCMD");
	}
}

static void put_error(struct line *l, int error)
{
	const char *name = strerrorname_np(error), *text = strerrordesc_np(error);

	put_str(l, "-1 ");
	if (name && text) {
		put_str(l, name);
		put_str(l, " (");
		put_str(l, text);
	} else {
		put_str(l, "(errno ");
		put_i64(l, error);
	}
	put_char(l, ')');
}

static void put_ok(struct line *l, const struct sys_event *ev)
{
	const char *form = strchr(ev->def->args, '>');

	if (form && form[1] == 'p')
		put_hex(l, (uint64_t)ev->ret);
	else if (form && form[1] == 'o')
		put_octal(l, (uint32_t)ev->ret);
	else
		put_i64(l, ev->ret);
}

static void put_result(struct line *l, const struct sys_event *ev)
{
	put_bytes(l, " = ", 3);
	if (ev->outcome == SYS_NO_RETURN)
		put_char(l, '?');
	else if (ev->outcome == SYS_INTERRUPTED)
		put_interrupted(l, ev->ret);
	else if (!sys_ok(ev))
		put_error(l, (int)-ev->ret);
	else
		put_ok(l, ev);
}

/* S.uuuuuu, cut to the microsecond, as strace does. */
static void put_time(struct line *l, uint64_t ns)
{
	put_u64(l, ns / NS_PER_SEC);
	put_char(l, '.');
	put_padded(l, ns % NS_PER_SEC / NS_PER_US, 6);
}

void detail_line(struct out *o, const struct sys_event *ev, int64_t epoch_offset_ns)
{
	int timed = epoch_offset_ns != DETAIL_NO_TIMES;
	struct line l;

	l.o = o;
	l.len = 0;
	put_i64(&l, ev->tid);
	put_char(&l, ' ');
	if (timed) {
		put_time(&l, ev->entry_ns + (uint64_t)epoch_offset_ns);
		put_char(&l, ' ');
	}
	put_call(&l, ev);
	put_result(&l, ev);
	if (timed && ev->outcome != SYS_NO_RETURN) {
		put_bytes(&l, " <", 2);
		put_time(&l, ev->exit_ns > ev->entry_ns ? ev->exit_ns - ev->entry_ns : 0);
		put_char(&l, '>');
	}
	put_char(&l, '\n');
	flush(&l);
}
