/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/detail.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/clock.h"
#include "tracer/symbols.h"

/* A million lines are common: no printf. */

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- arguments ---- */

static void out_octal(struct out *o, uint32_t v)
{
	char buf[12], *end = buf + sizeof(buf), *p = end;

	for (; v; v >>= 3)
		*--p = (char)('0' + (v & 7));
	*--p = '0';
	if (end - p == 1) /* as strace: a mode of 0 is 000 */
		out_str(o, "00");
	out_bytes(o, p, (size_t)(end - p));
}

static void out_pointer(struct out *o, uint64_t v)
{
	if (v)
		out_hex(o, v);
	else
		out_str(o, "NULL");
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
static int out_vector(struct out *o, enum batch_unit unit, uint64_t count, uint64_t bytes)
{
	int counted = unit != BATCH_NONE && count != NOT_MEASURED;

	if (!counted && bytes == NOT_MEASURED)
		return 0;
	out_char(o, '{');
	if (counted) {
		out_u64(o, count);
		out_str(o, unit_nouns[unit]);
	}
	if (bytes != NOT_MEASURED) {
		out_str(o, counted ? ", " : "");
		out_u64(o, bytes);
		out_str(o, " bytes");
	}
	out_char(o, '}');
	return 1;
}

static int out_asked(struct out *o, const struct sys_event *ev)
{
	return out_vector(o, ev->def->unit, ev->m.batch_asked, ev->m.bytes_asked);
}

static int out_moved(struct out *o, const struct sys_event *ev)
{
	return sys_ok(ev) && out_vector(o, ev->def->unit, ev->m.batch_moved, ev->m.bytes_moved);
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

static void out_vector_argument(struct out *o, const struct sys_event *ev, size_t i)
{
	int done;

	switch (ev->def->args[i]) {
	case 'V':
		done = out_asked(o, ev);
		break;
	case 'M':
		done = out_moved(o, ev) || out_asked(o, ev);
		break;
	default:
		done = out_moved(o, ev);
	}
	if (!done)
		out_pointer(o, ev->args[i]);
}

static void out_number(struct out *o, const struct sys_event *ev, size_t i)
{
	uint64_t v = ev->args[i];

	switch (ev->def->args[i]) {
	case 'd':
		out_i64(o, (int32_t)v);
		break;
	case 'u':
		out_u64(o, (uint32_t)v);
		break;
	case 'l':
		out_i64(o, (int64_t)v);
		break;
	case 'z':
		out_u64(o, v);
		break;
	case 'w':
		out_hex(o, (uint32_t)v);
		break;
	case 'x':
	case 'a':
		out_hex(o, v);
		break;
	case 'o':
	case 'c':
		out_octal(o, (uint32_t)v & 0177777);
		break;
	default: /* p n */
		out_pointer(o, v);
	}
}

static void out_argument(struct out *o, const struct sys_event *ev, size_t i)
{
	char letter = ev->def->args[i];

	if (letter == 'V' || letter == 'M' || letter == 'R')
		out_vector_argument(o, ev, i);
	else if (!symbols_argument(o, letter, (uint32_t)ev->args[i]))
		out_number(o, ev, i);
}

static void out_call(struct out *o, const struct sys_event *ev)
{
	const char *letters = ev->def->args;

	out_str(o, ev->def->name);
	out_char(o, '(');
	for (size_t i = 0; i < ARRAY_LEN(ev->args) && letters[i] && letters[i] != '>'; i++) {
		if (!is_present(ev, i))
			continue;
		if (i)
			out_bytes(o, ", ", 2);
		out_argument(o, ev, i);
	}
	out_char(o, ')');
}

/* ---- results ---- */

static void out_interrupted(struct out *o, int64_t ret)
{
	switch (ret) {
	case -512:
		out_str(o, "? ERESTARTSYS (To be restarted if SA_RESTART is set)");
		break;
	case -513:
		out_str(o, "? ERESTARTNOINTR (To be restarted)");
		break;
	case -514:
		out_str(o, "? ERESTARTNOHAND (To be restarted if no handler)");
		break;
	case -516:
		out_str(o, "? ERESTART_RESTARTBLOCK (Interrupted by signal)");
		break;
	default:
		out_str(o, "? ENOIOCTLCMD");
	}
}

static void out_error(struct out *o, int error)
{
	const char *name = strerrorname_np(error), *text = strerrordesc_np(error);

	out_str(o, "-1 ");
	if (name && text) {
		out_str(o, name);
		out_str(o, " (");
		out_str(o, text);
	} else {
		out_str(o, "(errno ");
		out_i64(o, error);
	}
	out_char(o, ')');
}

static void out_ok(struct out *o, const struct sys_event *ev)
{
	const char *form = strchr(ev->def->args, '>');

	if (form && form[1] == 'p')
		out_hex(o, (uint64_t)ev->ret);
	else if (form && form[1] == 'o')
		out_octal(o, (uint32_t)ev->ret);
	else
		out_i64(o, ev->ret);
}

static void out_result(struct out *o, const struct sys_event *ev)
{
	out_bytes(o, " = ", 3);
	if (ev->outcome == SYS_NO_RETURN)
		out_char(o, '?');
	else if (ev->outcome == SYS_INTERRUPTED)
		out_interrupted(o, ev->ret);
	else if (!sys_ok(ev))
		out_error(o, (int)-ev->ret);
	else
		out_ok(o, ev);
}

/* S.uuuuuu, cut to the microsecond, as strace does. */
static void out_time(struct out *o, uint64_t ns)
{
	out_u64(o, ns / NS_PER_SEC);
	out_char(o, '.');
	out_pad_u64(o, ns % NS_PER_SEC / NS_PER_US, 6);
}

void detail_line(struct out *o, const struct sys_event *ev, int64_t epoch_offset_ns)
{
	out_i64(o, ev->tid);
	out_char(o, ' ');
	out_time(o, ev->entry_ns + (uint64_t)epoch_offset_ns);
	out_char(o, ' ');
	out_call(o, ev);
	out_result(o, ev);
	if (ev->outcome != SYS_NO_RETURN) {
		out_bytes(o, " <", 2);
		out_time(o, ev->exit_ns > ev->entry_ns ? ev->exit_ns - ev->entry_ns : 0);
		out_char(o, '>');
	}
	out_char(o, '\n');
}
