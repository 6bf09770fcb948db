/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_FILES_H
#define MEM_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What valgrind leaves of each process in a directory: massif.PID.out, end.PID.ms and
 * valgrind.PID.log.
 */
#define FILES_MASSIF "massif.%p.out"
#define FILES_END    "end.%p.ms"
#define FILES_LOG    "valgrind.%p.log"

#define FILES_UNKNOWN UINT64_MAX /* of a number that the log does not have */

struct files_process {
	pid_t pid;
	int64_t made_ns; /* when its log was made, since 1970; 0: not known */
	pid_t parent;    /* as of the start of its program; 0: its log does not say */
	int signal;      /* that ended it, 0: its log says of none */
	int is_main;     /* one at most */
	/* What its log says. A fork that executed nothing has no program there. */
	char *program;            /* the file that was executed, NULL: not said */
	int replaced;             /* massif's malloc was loaded into it */
	int unknown_instruction;  /* valgrind ended it: there was one that it does not know */
	uint64_t allocations;     /* calls of malloc and the like that massif saw */
	uint64_t accounted_bytes; /* valgrind's own memory, the heap, and files of code, at most */
	char *massif, *end, *log; /* paths; NULL: there is none */
};

struct files {
	struct files_process *at; /* the main process first, then as they started; by pid where that
				     is not known */
	size_t len, cap;
	char version[32]; /* of valgrind, e.g. "3.19.0"; empty: no log says it */
};

/* Looks through dir. starter is the process that started valgrind: its child is the main one.
 * Where no log says so (a valgrind of another version), it is the first. */
void files_find(struct files *f, const char *dir, pid_t starter);
void files_release(struct files *f);

/* What the log of a process says last, without valgrind's "==PID== ", cut to size. Empty if there
 * is nothing. */
void files_last_words(const char *log, char *buf, size_t size);

#endif
