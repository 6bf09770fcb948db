/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/nearest.h"

#include <string.h>

#include "common/base/mem.h"

/* Longer ones are compared up to there. */
#define WORD_MAX 64

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Optimal string alignment: a swap of neighbours, the commonest slip, counts once. */
static size_t distance(const char *a, const char *b)
{
	size_t d[3][WORD_MAX + 1], n = strnlen(a, WORD_MAX), m = strnlen(b, WORD_MAX);

	for (size_t j = 0; j <= m; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *row = d[i % 3], *above = d[(i + 2) % 3], *two_above = d[(i + 1) % 3];

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] = least(above[j - 1] + (a[i - 1] != b[j - 1]),
				least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], two_above[j - 2] + 1);
		}
	}
	return d[n % 3][m];
}

struct nearest nearest_to(const char *word, size_t most)
{
	return (struct nearest){word, NULL, most + 1};
}

void nearest_try(struct nearest *n, const char *name)
{
	size_t d = distance(n->word, name), word = strlen(n->word), len = strlen(name);

	/* With half of its letters changed it is another word, but for one slip in a short one, and
	 * for letters that are large or small alone. */
	if (d < n->distance &&
		(d < 2 || 2 * d < (word > len ? word : len) || strcasecmp(n->word, name) == 0))
		*n = (struct nearest){n->word, name, d};
}

char *nearest_hint(const struct nearest *n)
{
	return n->name ? mem_printf("; did you mean '%s'?", n->name) : mem_strdup("");
}
