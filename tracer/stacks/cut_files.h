/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STACKS_CUT_FILES_H
#define TRACER_STACKS_CUT_FILES_H

#include <signal.h>

/*
 * elfutils maps the files of code that it reads. One of them may be cut short meanwhile, as when a
 * library is written anew in its place, or not be readable any more, as when its server is gone:
 * who reads such a page gets SIGBUS. Between these two the calling thread finds zeros there.
 */
void cut_files_begin(struct sigaction *ret_before);
void cut_files_end(const struct sigaction *before);

#endif
