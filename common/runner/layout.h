/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_LAYOUT_H
#define RUNNER_LAYOUT_H

#include "common/base/err.h"

/*
 * Where results lie:
 *
 *	OUT/FOLDER/NAME-SUFFIX       the chosen run
 *	OUT/FOLDER/NAME.runs/K.json  each of several runs
 *	OUT/sweep/NAME-sweep.SUFFIX  what a sweep says; OUT/sweep/NAME/VALUE/K is the OUT of a run
 *	OUT/compare/NAME/SIDE/K      the OUT of a run in turns
 *	OUT/logs/NAME-K-WHO.log      output of target, load, helper of run K
 *
 * For logs warm-up W is wW, the run without a tool cK; a scenario of several types has K-TYPE.
 *
 * Returned paths are the caller's: free().
 */

/* 1 if name is [A-Za-z0-9._-]+ and does not start with a dot. */
int layout_name_ok(const char *name);
char *layout_file(const char *out_dir, const char *folder, const char *name, const char *suffix);
char *layout_runs_dir(const char *out_dir, const char *folder, const char *name);
char *layout_run_json(const char *out_dir, const char *folder, const char *name, unsigned int run);
/* run: "K", and see above. */
char *layout_log(const char *out_dir, const char *name, const char *run, const char *who);

/* Makes OUT/FOLDER and a private directory .NAME.XXXXXX in it, where a run's files are made before
 * they are renamed into place; its absolute path is returned. */
int layout_work_dir(
	const char *out_dir, const char *folder, const char *name, char **ret, struct err *err);
/* Removes that directory with the files in it. NULL is fine. */
void layout_remove_dir(const char *dir);
/* Forgets the K.json of earlier runs; a directory that is not there is fine. */
void layout_clear_runs(const char *out_dir, const char *folder, const char *name);

#endif
