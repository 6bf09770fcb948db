/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/run/as_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"

#define GROUPS_FIRST 32
#define KEEP         (-1)

/*
 * By raw calls: glibc's change all threads, and the tracing thread needs its privileges.
 * Supplementary groups first, while we may; on the way back the user first.
 */
static int set_groups(const gid_t *groups, int n)
{
	return (int)syscall(SYS_setgroups, (long)n, groups);
}

static int set_gid(gid_t gid)
{
	return (int)syscall(SYS_setresgid, KEEP, gid, KEEP);
}

static int set_uid(uid_t uid)
{
	return (int)syscall(SYS_setresuid, KEEP, uid, KEEP);
}

int as_user_find(struct as_user *id, const char *name, struct err *err)
{
	const struct passwd *pw = getpwnam(name);
	int n = GROUPS_FIRST, ours = getgroups(0, NULL);

	if (!pw)
		return err_set(err, -ENOENT, "-u: no user '%s'", name);
	if (ours < 0)
		return err_set(err, -errno, "getgroups: %s", strerror(errno));
	*id = (struct as_user){.name = name, .uid = pw->pw_uid, .gid = pw->pw_gid};
	do {
		id->groups_len = n;
		id->groups = mem_realloc(id->groups, (size_t)n, sizeof(gid_t));
	} while (getgrouplist(name, id->gid, id->groups, &n) < 0 && n > id->groups_len);
	id->groups_len = n;
	id->our_groups = mem_calloc((size_t)ours + 1, sizeof(gid_t));
	id->our_groups_len = getgroups(ours, id->our_groups);
	id->our_gid = getegid();
	id->dumpable = prctl(PR_GET_DUMPABLE);
	return 0;
}

void as_user_release(struct as_user *id)
{
	free(id->groups);
	free(id->our_groups);
	*id = (struct as_user){0};
}

int as_user_take(struct as_user *id, struct err *err)
{
	if (!id->groups)
		return 0;
	id->taken = set_groups(id->groups, id->groups_len) == 0;
	if (id->taken && set_gid(id->gid) == 0 && set_uid(id->uid) == 0)
		return 0;
	int code = -errno;

	as_user_give_back(id);
	return err_set(err, code, "cannot become user %s: %s", id->name, strerror(-code));
}

void as_user_give_back(struct as_user *id)
{
	if (!id->taken)
		return;
	id->taken = 0;
	/* Cannot fail: the saved user is still ours. If it did, going on would be wrong. */
	if (set_uid(getuid()) < 0 || set_gid(id->our_gid) < 0 ||
		set_groups(id->our_groups, id->our_groups_len) < 0)
		abort();
	/* The change took it away. Nobody but us may look into a thread with ids of both. */
	if (id->dumpable == 1)
		prctl(PR_SET_DUMPABLE, 1);
}
