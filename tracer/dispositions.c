/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/dispositions.h"

#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "tracer/sigmask.h"

#define PF_EXITING       0x00000004 /* include/linux/sched.h */
#define PF_KTHREAD       0x00200000
#define STATUS_MAX_BYTES (1 << 16)

/* Heap, or NULL. */
static char *status_read(pid_t tid)
{
	char path[64];
	char *text = NULL;

	snprintf(path, sizeof(path), "/proc/%d/status", tid);
	return file_read(path, STATUS_MAX_BYTES, &text, NULL, NULL) < 0 ? NULL : text;
}

/* The text after "\nField:", or NULL. */
static const char *status_field(const char *status, const char *field)
{
	size_t n = strlen(field);

	for (const char *at = status; (at = strstr(at, field)); at += n)
		if (at > status && at[-1] == '\n' && at[n] == ':')
			return at + n + 1;
	return NULL;
}

static uint64_t status_mask(const char *status, const char *field)
{
	const char *at = status_field(status, field);

	return at ? strtoull(at, NULL, 16) : 0;
}

static uint64_t bit(int signal)
{
	return 1ULL << (signal - 1);
}

int disposition_ignores(pid_t tid, int signal)
{
	cleanup_free char *status = NULL;

	if (signal < 1 || signal > 64)
		return 0;
	status = status_read(tid);
	if (!status)
		return 0;
	if (status_mask(status, "SigIgn") & bit(signal))
		return 1;
	if (signal != SIGCHLD && signal != SIGURG && signal != SIGWINCH && signal != SIGCONT)
		return 0;
	return !(status_mask(status, "SigCgt") & bit(signal));
}

int disposition_catches(pid_t tid, int signal)
{
	cleanup_free char *status = status_read(tid);

	return status && (status_mask(status, "SigCgt") & bit(signal));
}

int disposition_mask(pid_t tid, uint64_t *ret)
{
	cleanup_free char *status = status_read(tid);

	if (!status)
		return -ESRCH;
	*ret = status_mask(status, "SigBlk");
	return 0;
}

void disposition_block_trap(pid_t tid)
{
	const uint64_t faults = bit(SIGILL) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGSEGV);
	uint64_t mask;

	if (sigmask_get(tid, &mask) == 0 && (mask & faults) == faults)
		(void)sigmask_set(tid, mask | bit(SIGTRAP));
}

int disposition_number(pid_t tid, const char *field)
{
	cleanup_free char *status = status_read(tid);
	const char *at = status ? status_field(status, field) : NULL;

	return at ? (int)strtol(at, NULL, 10) : -1;
}

pid_t disposition_tracer(pid_t tid)
{
	return disposition_number(tid, "TracerPid");
}

char disposition_state(pid_t tid)
{
	cleanup_free char *status = status_read(tid);
	const char *at = status ? status_field(status, "State") : NULL;

	return at ? at[strspn(at, " \t")] : '\0';
}

int disposition_seccomp(pid_t tid)
{
	return disposition_number(tid, "Seccomp");
}

/* Heap: /proc/TID/stat behind the name, which can have anything in it; or NULL. */
static char *stat_read(pid_t tid)
{
	cleanup_free char *text = NULL;
	char path[64];
	const char *at;

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (file_read(path, STATUS_MAX_BYTES, &text, NULL, NULL) < 0)
		return NULL;
	at = strrchr(text, ')');
	return at ? mem_strdup(at + 1) : NULL;
}

/* Field `number` as proc(5) counts, from 3 on; 0: not there. */
static unsigned long stat_field(const char *stat, int number)
{
	for (int i = 3; stat && i <= number; i++) {
		stat += strspn(stat, " ");
		if (i == number)
			return strtoul(stat, NULL, 10);
		stat = strchr(stat, ' ');
	}
	return 0;
}

int disposition_cpu(pid_t tid)
{
	cleanup_free char *stat = stat_read(tid);

	return stat ? (int)stat_field(stat, 39) : -1;
}

int disposition_is_ending(pid_t tid)
{
	cleanup_free char *stat = stat_read(tid);

	return (stat_field(stat, 9) & PF_EXITING) != 0;
}

int disposition_is_kernel_thread(pid_t pid)
{
	cleanup_free char *stat = stat_read(pid);

	return (stat_field(stat, 9) & PF_KTHREAD) != 0;
}
