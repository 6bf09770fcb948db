/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_LIVE_SCREEN_H
#define TRACER_LIVE_SCREEN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/out.h"
#include "tracer/live/snapshot.h"

/* The screen of --live, apart from the terminal it is on: snapshots and keys in, text out. Pure. */

enum screen_view { VIEW_CALLS, VIEW_FDS, VIEW_THREADS, VIEWS };
enum screen_sort { SORT_CALLS, SORT_TIME, SORT_BYTES, SORT_MESSAGES, SORT_ERRORS, SORTS };

/* What does not change while it is shown. Text is the target's, and made safe here. */
struct screen_facts {
	const char *what; /* command line, or the processes attached to */
	int attached;     /* -p: it can be left */
	int keys;         /* they come to us; else they are the program's */
	int shared;       /* the program prints on this terminal too */
};

struct screen_row {
	char *name; /* safe */
	struct figures since, total;
};

struct screen {
	struct screen_facts facts;
	enum screen_view view;
	enum screen_sort sort;
	int paused, help;
	const char *said; /* to the last key; static; NULL: nothing */
	enum { KEY_ALONE, KEY_AFTER_ESC, KEY_SS3, KEY_CSI } in_key; /* what its bytes so far are */
	/* what was counted: screen_take */
	struct arena arena;
	struct {
		struct screen_row *at;
		size_t len;
	} rows[VIEWS];
	const char *phase;
	uint64_t at_ns, interval_ns, calls, errors, calls_total, lost;
	size_t threads_alive;
	int complete;
};

enum screen_answer {
	SCREEN_NOTHING,
	SCREEN_CHANGED, /* draw it again */
	SCREEN_QUIT,
};

void screen_init(struct screen *s, const struct screen_facts *facts);
void screen_release(struct screen *s);
/* Shows what came between two snapshots (before NULL: since the start), unless it is paused. */
void screen_take(struct screen *s, const struct snapshot *before, const struct snapshot *now);
/* The next byte of what was typed. */
enum screen_answer screen_key(struct screen *s, char key);
/* One whole frame, of that size at most. */
void screen_draw(struct screen *s, size_t columns, size_t rows, struct out *o);

#endif
