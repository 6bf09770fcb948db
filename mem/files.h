/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MEM_FILES_H
#define MEM_FILES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What valgrind leaves of each process in a directory: massif.PID.out and valgrind.PID.log.
 */
#define FILES_MASSIF "massif.%p.out"
#define FILES_LOG    "valgrind.%p.log"

struct files_process {
	pid_t pid;
	pid_t parent;       /* as of the start of its program; 0: its log does not say */
	int signal;         /* that ended it, 0: its log says of none */
	int is_main;        /* one at most */
	char *massif, *log; /* paths; NULL: there is none */
};

struct files {
	struct files_process *at; /* the main process first, then by pid */
	size_t len, cap;
	char version[32]; /* of valgrind, e.g. "3.19.0"; empty: no log says it */
};

/* Looks through dir. starter is the process that started valgrind: its child is the main one.
 * Where no log says so (a valgrind of another version), it is the one with the lowest pid. */
void files_find(struct files *f, const char *dir, pid_t starter);
void files_release(struct files *f);

/* What the log of a process says last, without valgrind's "==PID== ", cut to size. Empty if there
 * is nothing. */
void files_last_words(const char *log, char *buf, size_t size);

#endif
