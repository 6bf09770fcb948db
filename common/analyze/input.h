/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_INPUT_H
#define ANALYZE_INPUT_H

#include "common/analyze/analyze.h"
#include "common/base/err.h"

/*
 * The files of an analysis, sorted by scenario:
 *
 *	struct analyze_input in = {0};
 *	rc = analyze_input_add(&in, "results/iotrace/dns-iotrace.json", err);
 *	use(in.at, in.len);
 *	analyze_input_release(&in);
 */
struct analyze_input {
	struct analyze_scenario *at; /* by name; strings, results and runs are owned */
	size_t len, cap;
};

/* Reads a result of any of the three kinds, and the other runs beside one of I/O. -EINVAL: it is
 * none, a newer one, or the second of its kind and scenario; the message names the file. */
int analyze_input_add(struct analyze_input *in, const char *path, struct err *err);
void analyze_input_release(struct analyze_input *in);

#endif
