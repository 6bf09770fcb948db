/* SPDX-License-Identifier: GPL-3.0-only */
/* One line of a detail file, taken apart only as far as the replay needs it. */
#include <ctype.h>
#include <string.h>

#include "common/analyze/whatif_parts.h"

/* A number and where it ends; NULL: there is none, or it is too large to be
 * true. */
static const char *number(const char *p, const char *end, uint64_t *ret)
{
	const char *start = p;
	uint64_t v = 0;

	for (; p < end && *p >= '0' && *p <= '9' && p - start < 18; p++)
		v = v * 10 + (uint64_t)(*p - '0');
	*ret = v;
	return p > start ? p : NULL;
}

/* "TID SECONDS.uuuuuu " */
static const char *head(const char *p, const char *end, struct detail_call *c)
{
	uint64_t seconds, us;
	const char *dot;

	p = number(p, end, &c->tid);
	if (!p || p == end || *p != ' ')
		return NULL;
	dot = number(p + 1, end, &seconds);
	if (!dot || dot == end || *dot != '.' || seconds > UINT32_MAX * 16ULL)
		return NULL;
	p = number(dot + 1, end, &us);
	if (!p || p - dot != 7 || p == end || *p != ' ')
		return NULL;
	c->entry_us = seconds * 1000000 + us;
	return p + 1;
}

/* "fd, {64 msgs, 4096 bytes}, 64, .." and "fd, {4096 bytes}, ..". What a call
 * of messages has in its braces is what it moved; how many it was given stands
 * behind. */
static void vector(const char *p, const char *end, struct detail_call *c)
{
	const char *open = memchr(p, '{', (size_t)(end - p)), *after, *close;
	uint64_t first;

	if (!open || !(after = number(open + 1, end, &first)))
		return;
	close = memchr(after, '}', (size_t)(end - after));
	if (close && end - close > 3 && !number(close + 3, end, &c->asked_units))
		c->asked_units = 0;
	if (end - after > 2 && after[1] == 'b') { /* bytes only */
		c->asked_bytes = first;
		return;
	}
	after = memchr(after, ',', (size_t)(end - after));
	if (after && end - after > 2)
		number(after + 2, end, &c->asked_bytes);
}

/* "fd, 0x7f.., 4096": the third argument. */
static void third(const char *p, const char *end, struct detail_call *c)
{
	for (int i = 0; p && i < 2; i++) {
		p = memchr(p, ',', (size_t)(end - p));
		p = p ? p + 1 : NULL;
	}
	if (p && p < end)
		number(p + 1, end, &c->asked_bytes);
}

static void result(const char *p, const char *end, struct detail_call *c)
{
	c->ok = number(p, end, &c->ret) != NULL;
	if (!c->ok && end - p > 9)
		c->again = !memcmp(p, "-1 EAGAIN", 9);
}

int detail_parse(const char *line, size_t len, struct detail_call *ret)
{
	const char *end = line + len, *equals = memrchr(line, '=', len), *open, *p;

	*ret = (struct detail_call){.fd = UINT64_MAX};
	p = head(line, end, ret);
	if (!p || !equals || equals - p < 4 || end - equals < 3)
		return -1;
	if (equals[-2] != ')' || equals[-1] != ' ' || equals[1] != ' ')
		return -1;
	open = memchr(p, '(', (size_t)(equals - p));
	if (!open || open == p)
		return -1;
	ret->name = p;
	ret->name_len = (size_t)(open - p);
	for (; p < open; p++)
		if (!islower((unsigned char)*p) && !isdigit((unsigned char)*p) && *p != '_')
			return -1;
	ret->args = open + 1;
	ret->args_end = equals - 2;
	ret->result = equals + 2;
	ret->end = end;
	return 0;
}

void detail_parse_more(struct detail_call *c)
{
	const char *p = number(c->args, c->args_end, &c->fd);

	if (!p)
		c->fd = UINT64_MAX;
	vector(c->args, c->args_end, c);
	if (c->asked_units == 0 && c->asked_bytes == 0)
		third(c->args, c->args_end, c);
	result(c->result, c->end, c);
}
