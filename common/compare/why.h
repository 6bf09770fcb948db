/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_WHY_H
#define COMPARE_WHY_H

#include "common/compare/side.h"
#include "common/model/result.h"

/* A list of sentences in a document. */
struct sentences {
	void *doc;
	struct {
		const char **at;
		size_t len, cap;
	} lines; /* at is freed by sentences_into() */
};
void sentence(struct sentences *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void sentences_into(struct sentences *s, struct res_strs *list);

/* What is behind a change of that system call: on which fd, in which thread, which batch was asked
 * for. From the first run of each side. */
void why_call(struct sentences *s, const struct side_part *base, const struct side_part *new,
	const char *call);
/* What no count shows: of a call made as often as before, another batch asked for in most calls, or
 * another error in most that failed. For calls that why_call() has not told of. */
void why_quiet(struct sentences *s, const struct side_part *base, const struct side_part *new,
	const char *const *told, size_t told_len);
/* Functions whose share of the samples moved, over all runs. Samples on interrupts are those of
 * what they came upon, but for results that do not tell: there they are those of the interrupt. */
void why_cpu(struct sentences *s, const struct side_part *base, const struct side_part *new);
/* Places that hold more or less at the peak. */
void why_heap(struct sentences *s, const struct side_part *base, const struct side_part *new);

#endif
