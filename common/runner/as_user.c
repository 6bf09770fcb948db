/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/as_user.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
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

#ifdef IOTRACE_STATIC
/*
 * What /etc/nsswitch.conf names would be loaded, with a C library of its own, into a program that
 * has one: only the files are read.
 */
static int find(struct as_user *id, struct err *err)
{
	FILE *f = fopen("/etc/passwd", "re");
	const struct passwd *pw = NULL;

	while (f && (pw = fgetpwent(f)) && strcmp(pw->pw_name, id->name) != 0)
		;
	if (pw) {
		id->uid = pw->pw_uid;
		id->gid = pw->pw_gid;
	}
	if (f)
		fclose(f);
	return pw ? 0
		  : err_set(err, -ENOENT,
			    "-u: no user '%s' in /etc/passwd; this static iotrace looks nowhere "
			    "else",
			    id->name);
}

static void find_groups(struct as_user *id)
{
	FILE *f = fopen("/etc/group", "re");
	const struct group *g;

	id->groups = mem_realloc(NULL, 1, sizeof(gid_t));
	id->groups[id->groups_len++] = id->gid;
	while (f && (g = fgetgrent(f))) {
		char **member = g->gr_mem;

		while (*member && strcmp(*member, id->name) != 0)
			member++;
		if (!*member || g->gr_gid == id->gid)
			continue;
		id->groups = mem_realloc(id->groups, (size_t)id->groups_len + 1, sizeof(gid_t));
		id->groups[id->groups_len++] = g->gr_gid;
	}
	if (f)
		fclose(f);
}
#else
static int find(struct as_user *id, struct err *err)
{
	const struct passwd *pw = getpwnam(id->name);

	if (!pw)
		return err_set(err, -ENOENT, "-u: no user '%s'", id->name);
	id->uid = pw->pw_uid;
	id->gid = pw->pw_gid;
	return 0;
}

static void find_groups(struct as_user *id)
{
	int n = GROUPS_FIRST;

	do {
		id->groups_len = n;
		id->groups = mem_realloc(id->groups, (size_t)n, sizeof(gid_t));
	} while (getgrouplist(id->name, id->gid, id->groups, &n) < 0 && n > id->groups_len);
	id->groups_len = n;
}
#endif

int as_user_find(struct as_user *id, const char *name, struct err *err)
{
	int ours = getgroups(0, NULL);
	int rc;

	*id = (struct as_user){.name = name};
	if (ours < 0)
		return err_set(err, -errno, "getgroups: %s", strerror(errno));
	rc = find(id, err);
	if (rc < 0)
		return rc;
	find_groups(id);
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
	return err_set(err, code, "cannot become user %s: %s%s", id->name, strerror(-code),
		as_user_hint(-code));
}

const char *as_user_hint(int error)
{
	return error == EPERM ? " (only root can: run it as root)" : "";
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
