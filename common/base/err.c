/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/err.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Names in a message come from outside: a newline or an escape sequence in one must not reach the
 * terminal, and an error stays one line. */
static void make_one_line(char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
	}
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	assert(code < 0);
	if (!err || err->code)
		return code;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	make_one_line(err->text);
	err->code = code;
	return code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	char cause[sizeof(err->text)];
	va_list ap;
	size_t len;

	/* Without an object the caller still has to return something negative. */
	if (!err)
		return -1;

	assert(err->code < 0);
	memcpy(cause, err->text, sizeof(cause));
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	len = strlen(err->text);
	snprintf(err->text + len, sizeof(err->text) - len, ": %s", cause);
	make_one_line(err->text);
	return err->code;
}
