/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef COMPARE_SIDE_H
#define COMPARE_SIDE_H

#include <stddef.h>

#include "common/base/err.h"
#include "common/model/result.h"

/*
 * One side of a comparison: every run of every scenario and type that was found in a place.
 *
 *	DIR/FOLDER/NAME.runs/K.json   all runs, if there were several
 *	DIR/FOLDER/NAME-SUFFIX        the one run
 *
 * where FOLDER is that of the results (iotrace) or of a baseline (io).
 */
struct side_part {
	char *scenario;
	const struct result_kind *kind;
	struct {
		void **at; /* documents: struct res_result, res_cpu or res_memory */
		size_t len, cap;
	} runs;
};

struct side {
	char *label; /* as given */
	struct {
		struct side_part *at;
		size_t len, cap;
	} parts;
	size_t runs; /* of all parts */
};

/*
 * Adds what lies at path, a directory or one result file, to a side that is zeroed or was read
 * before: several files of one scenario are its runs. kinds ends with a NULL id. An error names the
 * file and the place in it; the side is then still to be released.
 */
int side_read(struct side *s, const char *path, const struct result_kind *kinds, struct err *err);
/* Only that scenario and kind of the results in dir; nothing if there are none. */
int side_read_one(struct side *s, const char *dir, const char *scenario,
	const struct result_kind *kind, struct err *err);
void side_release(struct side *s);
void side_part_release(struct side_part *p);
/* NULL: the side does not have it. */
const struct side_part *side_find(
	const struct side *s, const char *scenario, const struct result_kind *kind);
/* The same, made where it is not there yet; valid until the next one is made. */
struct side_part *side_part_of(
	struct side *s, const char *scenario, const struct result_kind *kind);

#endif
