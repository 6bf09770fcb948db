/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TESTS_STEPS_H
#define TESTS_STEPS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tracer/event.h"

/* A test of calls in a row: it has a `struct step` of its own, and goes() through an array of them.
 */

/* A call of the first thread, or of the second ("2 read"). */
static inline struct sys_event step_event(const char *name, uint32_t fd)
{
	int other = strncmp(name, "2 ", 2) == 0;
	struct sys_event ev = {
		.def = sys_by_name(name + 2 * other), .thread_id = other ? 2 : 1, .fd_id = fd};

	assert_non_null(ev.def);
	return ev;
}

#define GOES(...)                                                                                  \
	goes((const struct step[]){__VA_ARGS__}, LEN(((const struct step[]){__VA_ARGS__})))

#endif
