/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_AS_USER_H
#define RUNNER_AS_USER_H

#include <sys/types.h>

#include "common/base/err.h"

/*
 * Whom the calling thread acts for (-u of both programs): its effective user, group and
 * supplementary groups, and so its capabilities. Of this thread alone, and of threads and programs
 * that it starts meanwhile. Its real and saved user stay ours, so that the user can neither trace
 * nor signal it.
 *
 *	rc = as_user_take(&id, err);
 *	... open, link, rename what lies where the user may write ...
 *	as_user_give_back(&id);
 */
struct as_user {
	const char *name; /* the caller's */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* heap */
	int groups_len;
	/* what it was before */
	int taken;
	gid_t our_gid;
	gid_t *our_groups; /* heap */
	int our_groups_len, dumpable;
};

/* Fills it for the user of that name, which must live as long. -ENOENT: there is none; a static
 * build asks /etc/passwd and /etc/group alone. */
int as_user_find(struct as_user *id, const char *name, struct err *err);
void as_user_release(struct as_user *id); /* zeroed is fine */
/* One that was not filled takes nothing. */
int as_user_take(struct as_user *id, struct err *err);
void as_user_give_back(struct as_user *id);
/* Behind strerror(error) where a user could not be taken: what to do; "" where nothing is known. */
const char *as_user_hint(int error);

#endif
