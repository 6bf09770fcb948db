/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASELINE_NOTES_H
#define BASELINE_NOTES_H

#include <stddef.h>

#include "common/base/mem.h"

/* Lines for a person, in an arena of their own. */
struct baseline_notes {
	struct arena arena;
	struct {
		const char **at;
		size_t len, cap;
	} lines;
};
__attribute__((format(printf, 2, 3))) void baseline_note(
	struct baseline_notes *n, const char *fmt, ...);
void baseline_notes_release(struct baseline_notes *n);

#endif
