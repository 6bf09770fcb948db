/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MODEL_ENOUGH_H
#define MODEL_ENOUGH_H

/* What it takes to conclude something. Whoever draws a sentence or a share from figures, for a page
 * or an archive, keeps to these. */

/* Fewer calls than this say nothing about how a call is used. */
#define JUDGE_CALLS_MIN 30
/* Fewer samples than this say nothing about where the time goes. */
#define JUDGE_SAMPLES_MIN 100
/* In fewer versions no change of what is noisy can be told from chance: of the orders of n values
 * at least 2 (n/2)!^2/n! divide as well as the best one, which is below 1% from 10 on. */
#define JUDGE_VERSIONS_MIN 10
/* A call that took longer than this for each message and byte, and what a call costs, has waited.
 */
#define TAKE_EACH_NS 5000
#define TAKE_BYTE_NS 1

#endif
