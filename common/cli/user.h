/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_USER_H
#define CLI_USER_H

#include "common/base/err.h"
#include "common/runner/as_user.h"
#include "common/runner/scenario.h"

/*
 * -u USER of run: from here on we act for that user, who owns what is made; scenarios know it, and
 * run load, helpers and commands as the caller. The output directory is made for the user if it is
 * missing. Without a name nothing is done. End it with user_end().
 */
int user_begin(struct as_user *user, const char *name, struct scenario *const *scenarios,
	size_t len, struct err *err);
void user_end(struct as_user *user); /* zeroed is fine */

#endif
