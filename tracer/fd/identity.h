/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FD_IDENTITY_H
#define TRACER_FD_IDENTITY_H

#include <stddef.h>

#include "tracer/decode/decode.h"
#include "tracer/event.h"
#include "tracer/fd/files.h"

/*
 * The one owner of the question which file a call was about, and of what calls do to files tables.
 * Each finished call goes through identity_call(), in the order in which they ended; before that
 * the tables are as they were.
 *
 * Names are read from the kernel: at a stop of a call whose table is not recorded, for it is known
 * there to be about this file (identity_entry); for recorded ones at the end of a sweep, if the
 * number is still the same life then (identity_read_names). What is gone by then is called what the
 * call that made it said.
 */
struct identity;
struct filler;

/* max: as fd_registry_new(). */
struct identity *identity_new(uint32_t max);
void identity_free(struct identity *id);
/* A traced process may serve the file systems in which paths are looked up: f, the caller's, does.
 */
void identity_beware(struct identity *id, struct filler *f);
struct fd_registry *identity_registry(const struct identity *id);

/* ---- which calls ---- */
/* 1 if a call of that row changes what a number is, or what a file is called: identity_call() must
 * see it where the table is recorded, traced or not. */
int identity_follows(const struct sys_def *def);
/* 1 if one of them closes numbers, so that it must be seen in every table. */
int identity_closes(const struct sys_def *def);
/* KIND_* of the recorder for a call that says something, else 0. */
uint8_t identity_kind(const struct sys_def *def);

/* Who made the call. */
struct caller {
	struct files *files;
	int32_t pid, tid;
};

/* A call stops before it is made, in a table that is not recorded: its fd's life, with its name as
 * the kernel has it now; NULL: the call has no fd, or none that is open. */
struct life *identity_entry(
	struct identity *id, const struct caller *c, const struct sys_event *ev);
/* The call is over (ev->fd_id may be known from its entry): finds what it was about, sets ev->fd_id
 * where a traced call has an fd, and applies what it did. said: NULL, nothing is known. *ret_file:
 * whose options measure the call, or NULL. */
void identity_call(struct identity *id, const struct caller *c, struct sys_event *ev, int traced,
	const struct said *said, const struct file **ret_file);

/* The numbers that the call is about to close, in any table: first..last. 0: none. */
int identity_closing(const struct sys_event *ev, uint32_t *ret_first, uint32_t *ret_last);
/* The table is about to be recorded: what it has is looked at, so that what is new has been seen.
 */
void identity_begin(struct identity *id, const struct caller *c);
/* 1 if the process has a ring of io_uring, which opens and closes without a call. */
int identity_has_ring(pid_t pid);
/* A call that is over has received the fd just now, and is booked: what it is, is looked at. */
void identity_received(
	struct identity *id, const struct caller *c, uint32_t fd, const struct sys_event *ev);
/* A socket option has been set just now; the calls before are booked. */
void identity_set_gso(struct identity *id, const struct caller *c, uint32_t fd, uint32_t size);
void identity_set_gro(struct identity *id, const struct caller *c, uint32_t fd, uint8_t on);
/* 1 if any socket has or had one of them: then a call's measures depend on which socket it is. */
int identity_segments(const struct identity *id);

/* Which numbers may have been changed by calls that are not booked yet: begin() takes those that
 * there are at that moment, touched() is 1 if one of them may have changed the number. */
struct identity_check {
	void (*begin)(void *ctx);
	int (*touched)(void *ctx, const struct files *files, uint32_t fd);
	void *ctx;
};
/* Reads the names that are wanted, after a sweep. */
void identity_read_names(struct identity *id, const struct identity_check *check);

#endif
