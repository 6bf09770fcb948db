/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CPU_INTERN_H
#define CPU_INTERN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/mem.h"

/*
 * Numbers byte strings in the order in which they first appear: 0, 1, 2, .. Zeroed storage is
 * empty. Memory is that of the distinct strings.
 */
struct intern {
	struct arena arena;
	struct intern_key {
		const char *bytes; /* NUL behind them */
		size_t len;
		uint64_t hash;
	} * at;
	size_t len, cap;
	uint32_t *slots; /* number + 1, or 0 */
	size_t slots_len;
};

void intern_release(struct intern *t);
/* The number of these bytes; t->len has grown if they are new. */
uint32_t intern_get(struct intern *t, const void *bytes, size_t len);

#endif
