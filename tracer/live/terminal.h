/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LIVE_TERMINAL_H
#define TRACER_LIVE_TERMINAL_H

#include <stddef.h>
#include <termios.h>

#include "common/base/err.h"

/*
 * The terminal of --live: a screen of our own on it, and its keys where nobody else reads them.
 * What was there before comes back with terminal_leave(), and also where a signal ends us.
 * Nothing here waits for long: what the terminal does not take is left out.
 */
struct terminal {
	int fd;          /* an open file of our own; -1: none */
	int on;          /* our screen is on it */
	int takes_keys;  /* to be set by the owner: keys come to us, one by one, unseen */
	int keeps_going; /* the key that stops the foreground (^Z) is a key like others */
	int changed;     /* `before` is to be put back */
	struct termios before;
};

/* Opens the controlling terminal, or what stderr is. -ENOTTY says what to do instead. */
int terminal_open(struct terminal *t, struct err *err);
void terminal_close(struct terminal *t);
/* Puts our screen on it, if we are in its foreground: 1 if it is (already), 0 if not. */
int terminal_enter(struct terminal *t);
void terminal_leave(struct terminal *t);
/* 80 x 24 where it does not say. */
void terminal_size(const struct terminal *t, size_t *ret_columns, size_t *ret_rows);
void terminal_write(const struct terminal *t, const char *text, size_t len);
/* What was typed: so many bytes, 0: nothing, -1: the terminal is gone. */
long terminal_read(const struct terminal *t, char *buf, size_t size);

#endif
