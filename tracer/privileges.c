/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/privileges.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "tracer/filler.h"

#define STATUS_MAX 65536

/* The n-th number of a line of /proc/PID/status; name has its newline and colon. */
static uint64_t status_number(const char *status, const char *name, int n, int base)
{
	const char *p = strstr(status, name);
	uint64_t value = 0;
	char *end;

	if (!p)
		return UINT64_MAX;
	for (p += strlen(name); n >= 0; n--, p = end)
		value = strtoull(p, &end, base);
	return value;
}

/* What the file permits of what the process may have at all. */
static uint64_t file_capabilities(const char *exe, const char *status)
{
	struct vfs_cap_data caps = {0};
	ssize_t n = getxattr(exe, "security.capability", &caps, sizeof(caps));

	if (n < (ssize_t)XATTR_CAPS_SZ_2)
		return 0;
	return ((uint64_t)caps.data[1].permitted << 32 | caps.data[0].permitted) &
	       status_number(status, "\nCapBnd:", 0, 16);
}

static int is_nosuid(const char *exe)
{
	struct statvfs fs;

	return statvfs(exe, &fs) == 0 && (fs.f_flag & ST_NOSUID);
}

static int may_trace_all(void)
{
	cleanup_free char *status = NULL;

	return file_read("/proc/thread-self/status", STATUS_MAX, &status, NULL, NULL) == 0 &&
	       (status_number(status, "\nCapEff:", 0, 16) >> CAP_SYS_PTRACE & 1);
}

/* 1 if no program of ours can lose any: the kernel would have given none untraced either, or we
 * take none. That is as it was when we began. */
static int takes_none(void)
{
	static int none = -1;

	if (none < 0)
		none = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 0 || may_trace_all();
	return none;
}

static int lost_by(pid_t tid, int ask_file)
{
	cleanup_free char *status = NULL;
	char exe[32], path[32];
	struct statx st;
	int lost = 0;

	snprintf(exe, sizeof(exe), "/proc/%d/exe", tid);
	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	/* Without asking a server for what is not known here. */
	if (statx(AT_FDCWD, exe, AT_STATX_DONT_SYNC, STATX_MODE | STATX_UID | STATX_GID, &st) < 0)
		return 0;
	if (!(st.stx_mode & (S_ISUID | S_ISGID)) &&
		(!ask_file || getxattr(exe, "security.capability", NULL, 0) <= 0))
		return 0;
	if (file_read(path, STATUS_MAX, &status, NULL, NULL) < 0)
		return 0;
	if (st.stx_mode & S_ISUID)
		lost |= status_number(status, "\nUid:", 1, 10) != st.stx_uid;
	if ((st.stx_mode & S_ISGID) && (st.stx_mode & S_IXGRP))
		lost |= status_number(status, "\nGid:", 1, 10) != st.stx_gid;
	if (ask_file)
		lost |= (file_capabilities(exe, status) &
				~status_number(status, "\nCapPrm:", 0, 16)) != 0;
	return lost && !(ask_file && is_nosuid(exe));
}

struct asked {
	pid_t tid;
	int lost;
};

static void ask(void *arg)
{
	struct asked *a = arg;

	a->lost = lost_by(a->tid, 1);
}

int privileges_lost(pid_t tid, struct filler *f)
{
	static int late; /* a file was not to be had in time: none is asked any more */
	struct asked *a;
	int lost;

	if (takes_none())
		return 0;
	if (late)
		return lost_by(tid, 0);
	a = mem_calloc(1, sizeof(*a));
	a->tid = tid;
	if (filler_run(f, ask, free, a) < 0) {
		late = 1;
		return lost_by(tid, 0);
	}
	lost = a->lost;
	free(a);
	return lost;
}
