/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/live/screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/units.h"
#include "common/write/safe.h"
#include "tracer/live/interval.h"
#include "tracer/syscalls.h"

#define CELL_BUF   48
#define TIME_WIDTH 7
#define SUSPEND    '\x1a' /* ^Z */

#define BOLD    "\x1b[1m"
#define REVERSE "\x1b[7m"
#define PLAIN   "\x1b[0m"

void screen_init(struct screen *s, const struct screen_facts *facts)
{
	*s = (struct screen){.facts = *facts, .complete = 1};
}

void screen_release(struct screen *s)
{
	arena_release(&s->arena);
}

/* ---- what was counted ---- */

static int is_messages(const struct sys_def *def)
{
	return def->unit == BATCH_MESSAGES;
}

/* Units of different kinds make no sum: a thread's batches are those of messages. */
static void owner_figures(
	const struct counted_owners *owners, const struct counted_owner *o, struct figures *sum)
{
	int any = 0, timed = 0;

	*sum = (struct figures){0};
	for (size_t i = 0; i < o->len; i++) {
		const struct counted_row *row = &owners->rows.at[o->first + i];
		struct figures f = row->f;

		if (is_messages(row->def))
			any = 1;
		else
			f.batch_calls = f.batch_asked = f.batch_moved = NOT_MEASURED;
		timed |= f.wall_ns != NOT_MEASURED;
		figures_add(sum, &f);
	}
	if (!timed)
		sum->wall_ns = NOT_MEASURED;
	if (!any)
		sum->batch_calls = sum->batch_asked = sum->batch_moved = NOT_MEASURED;
}

static char *thread_words(struct arena *a, const struct counted_owner *o)
{
	if (o->merged)
		return arena_strdup(a, "all others");
	if (o->pid == UINT64_MAX)
		return arena_strdup(a, "?");
	return arena_printf(a, "%" PRIu64 " %s", o->number, o->name ? o->name : "");
}

static char *fd_words(struct arena *a, const struct counted_owner *o)
{
	if (o->merged)
		return arena_strdup(a, "all others");
	if (o->pid == UINT64_MAX)
		return arena_strdup(a, "?");
	return arena_printf(
		a, "%" PRIu64 "/%" PRIu64 " %s", o->pid, o->number, o->name ? o->name : "");
}

static void take_calls(
	struct screen *s, const struct counted_rows *since, const struct counted_rows *total)
{
	s->rows[VIEW_CALLS].len = total->len;
	s->rows[VIEW_CALLS].at = arena_alloc(&s->arena, total->len, sizeof(struct screen_row));
	for (size_t i = 0; i < total->len; i++) {
		struct screen_row *row = &s->rows[VIEW_CALLS].at[i];

		row->name = arena_strdup(&s->arena, total->at[i].def->name);
		row->since = since->at[i].f;
		row->total = total->at[i].f;
		s->errors += row->since.errors;
	}
}

static void take_owners(struct screen *s, enum screen_view view, const struct counted_owners *since,
	const struct counted_owners *total)
{
	s->rows[view].len = total->len;
	s->rows[view].at = arena_alloc(&s->arena, total->len, sizeof(struct screen_row));
	for (size_t i = 0; i < total->len; i++) {
		struct screen_row *row = &s->rows[view].at[i];
		const struct counted_owner *o = &total->at[i];
		char *words =
			view == VIEW_FDS ? fd_words(&s->arena, o) : thread_words(&s->arena, o);

		row->name = safe_text(&s->arena, words);
		owner_figures(since, &since->at[i], &row->since);
		owner_figures(total, o, &row->total);
	}
}

void screen_take(struct screen *s, const struct snapshot *before, const struct snapshot *now)
{
	const struct snapshot_phase *p = &now->phases[now->phase];
	const struct counted *was = before ? &before->phases[now->phase].counted : NULL;
	struct counted since;

	if (s->paused)
		return;
	counted_since(was, &p->counted, &since);
	arena_release(&s->arena);
	s->errors = 0;
	s->phase = p->name; /* static */
	s->at_ns = now->at_ns;
	s->interval_ns = snapshot_length_ns(before, now, now->phase);
	s->calls = since.calls;
	s->calls_total = p->counted.calls;
	s->lost = now->lost;
	s->complete = snapshot_is_complete(now, now->phase);
	s->threads_alive = now->threads_alive;
	take_calls(s, &since.calls_by_name, &p->counted.calls_by_name);
	take_owners(s, VIEW_FDS, &since.fds, &p->counted.fds);
	take_owners(s, VIEW_THREADS, &since.threads, &p->counted.threads);
	counted_release(&since);
}

/* ---- the order of rows ---- */

static double per_call(const struct figures *f, uint64_t sum)
{
	if (f->batch_calls == NOT_MEASURED || sum == NOT_MEASURED || !f->batch_calls)
		return -1;
	return (double)sum / (double)f->batch_calls;
}

static double known(uint64_t v)
{
	return v == NOT_MEASURED ? -1 : (double)v;
}

static double sort_value(enum screen_sort sort, const struct figures *f)
{
	switch (sort) {
	case SORT_TIME:
		return known(f->wall_ns);
	case SORT_BYTES:
		return known(f->bytes);
	case SORT_MESSAGES:
		return per_call(f, f->batch_moved);
	case SORT_ERRORS:
		return known(f->errors);
	default:
		return known(f->calls);
	}
}

static int most_first(enum screen_sort sort, const struct figures *a, const struct figures *b)
{
	double x = sort_value(sort, a), y = sort_value(sort, b);

	return (x < y) - (x > y);
}

/* In the interval, then in all. */
static int row_cmp(const void *a, const void *b, void *sort)
{
	const struct screen_row *x = a, *y = b;
	const enum screen_sort keys[] = {*(enum screen_sort *)sort, SORT_CALLS};

	for (size_t i = 0; i < 2; i++) {
		int rc = most_first(keys[i], &x->since, &y->since);

		if (rc == 0)
			rc = most_first(keys[i], &x->total, &y->total);
		if (rc)
			return rc;
	}
	return strcmp(x->name, y->name);
}

/* ---- columns ---- */

/* Thousands while they fit, then 1234k, 1234M ... */
static void put_count(char *buf, uint64_t v, size_t width)
{
	static const char units[] = "kMGTPE";

	units_thousands(buf, v);
	for (const char *u = units; strlen(buf) > width && *u; u++) {
		v /= 1000;
		snprintf(buf, CELL_BUF, "%" PRIu64 "%c", v, *u);
	}
}

static void cell_rate(char *buf, const struct screen *s, const struct screen_row *r)
{
	put_count(buf, interval_rate(r->since.calls, s->interval_ns), 10);
}

static void cell_total(char *buf, const struct screen *s, const struct screen_row *r)
{
	(void)s;
	put_count(buf, r->total.calls, 13);
}

/* Of many threads that wait, or a call that began long before: whole percents, then thousands. */
static void cell_time(char *buf, const struct screen *s, const struct screen_row *r)
{
	if (r->since.wall_ns == NOT_MEASURED) {
		snprintf(buf, CELL_BUF, "-");
		return;
	}
	units_percent(buf, r->since.wall_ns, s->interval_ns);
	if (strlen(buf) > TIME_WIDTH) {
		put_count(buf, sat_u64(100.0 * (double)r->since.wall_ns / (double)s->interval_ns),
			TIME_WIDTH - 1);
		memcpy(buf + strlen(buf), "%", 2);
	}
}

static void cell_bytes(char *buf, const struct screen *s, const struct screen_row *r)
{
	if (r->since.bytes == NOT_MEASURED)
		snprintf(buf, CELL_BUF, "-");
	else
		units_bytes(buf, interval_rate(r->since.bytes, s->interval_ns));
}

static void put_mean(char *buf, double mean)
{
	if (mean < 0)
		snprintf(buf, CELL_BUF, "-");
	else
		snprintf(buf, CELL_BUF, "%.1f", mean);
}

static void cell_asked(char *buf, const struct screen *s, const struct screen_row *r)
{
	(void)s;
	put_mean(buf, per_call(&r->since, r->since.batch_asked));
}

static void cell_got(char *buf, const struct screen *s, const struct screen_row *r)
{
	(void)s;
	put_mean(buf, per_call(&r->since, r->since.batch_moved));
}

static void cell_errors(char *buf, const struct screen *s, const struct screen_row *r)
{
	put_count(buf, interval_rate(r->since.errors, s->interval_ns), 8);
}

static const struct column {
	const char *title;
	size_t width;
	int sort; /* enum screen_sort; -1: not by this one */
	void (*cell)(char *buf, const struct screen *s, const struct screen_row *r);
} columns_all[] = {
	{"calls/s", 10, SORT_CALLS, cell_rate},
	{"calls", 13, -1, cell_total},
	{"time", TIME_WIDTH, SORT_TIME, cell_time},
	{"bytes/s", 10, SORT_BYTES, cell_bytes},
	{"asked", 7, -1, cell_asked},
	{"got", 7, SORT_MESSAGES, cell_got},
	{"errors/s", 8, SORT_ERRORS, cell_errors},
};
#define COLUMNS_LEN (sizeof(columns_all) / sizeof(*columns_all))

/* Those that go first where there is no room; not the one that is sorted by. */
static const size_t least_first[] = {1, 6, 3, 2, 4, 5, 0};

/* Others go before names have less. */
static const size_t name_least[VIEWS] = {12, 24, 18};

/* Which columns fit; returns what is left for names. */
static size_t fit(size_t columns, const struct screen *s, int shown[COLUMNS_LEN])
{
	size_t used = 0;

	for (size_t i = 0; i < COLUMNS_LEN; i++) {
		shown[i] = 1;
		used += columns_all[i].width + 1;
	}
	for (size_t i = 0; i < COLUMNS_LEN && used + name_least[s->view] > columns; i++) {
		size_t least = least_first[i];

		if (columns_all[least].sort == (int)s->sort)
			continue;
		shown[least] = 0;
		used -= columns_all[least].width + 1;
	}
	if (used <= columns)
		return columns - used;
	memset(shown, 0, COLUMNS_LEN * sizeof(*shown)); /* not even that one */
	return columns;
}

/* ---- a frame ---- */

struct frame {
	struct out *o;
	struct arena arena;
	size_t columns, rows, row;
};

/* Each line begins where the last one did, and clears what was there. */
static void begin_line(struct frame *f)
{
	out_str(f->o, f->row++ ? "\r\n" : "\x1b[H");
}

static void end_line(struct frame *f)
{
	out_str(f->o, "\x1b[K");
}

/* Safe text, cut to what is left of the line; returns its width. */
static size_t put(struct frame *f, const char *text, size_t columns)
{
	size_t bytes = safe_fit(text, columns);
	char *cut = arena_strdup(&f->arena, text);

	cut[bytes] = '\0';
	out_str(f->o, cut);
	return safe_width(cut);
}

static void put_blanks(struct frame *f, size_t n)
{
	out_printf(f->o, "%*s", (int)n, "");
}

static void put_line(struct frame *f, const char *style, const char *text)
{
	if (f->row >= f->rows)
		return;
	begin_line(f);
	out_str(f->o, style);
	put(f, text, f->columns);
	if (*style)
		out_str(f->o, PLAIN);
	end_line(f);
}

static void title(struct frame *f, const struct screen *s)
{
	char right[64];
	size_t room, used;

	snprintf(right, sizeof(right), " %s %.1f s", s->phase ? s->phase : "",
		(double)s->at_ns / (double)NS_PER_SEC);
	room = f->columns > strlen(right) ? f->columns - strlen(right) : 0;
	begin_line(f);
	out_str(f->o, REVERSE);
	used = put(f, arena_printf(&f->arena, "iotrace %s", safe_text(&f->arena, s->facts.what)),
		room);
	put_blanks(f, room - used);
	put(f, right, f->columns);
	out_str(f->o, PLAIN);
	end_line(f);
}

static void sums(struct frame *f, const struct screen *s)
{
	char rate[UNITS_BUF], errors[UNITS_BUF], total[UNITS_BUF];

	put_line(f, "",
		arena_printf(&f->arena, "%s calls/s  %s errors/s  %s calls  %zu thread%s%s",
			units_thousands(rate, interval_rate(s->calls, s->interval_ns)),
			units_thousands(errors, interval_rate(s->errors, s->interval_ns)),
			units_thousands(total, s->calls_total), s->threads_alive,
			s->threads_alive == 1 ? "" : "s", s->paused ? "  PAUSED" : ""));
	if (s->lost)
		put_line(f, BOLD,
			arena_printf(
				&f->arena, "%" PRIu64 " calls are known to be missing", s->lost));
	else if (!s->complete)
		put_line(f, BOLD, "the figures of some calls are missing");
	else
		put_line(f, "", "");
}

static const char *const view_titles[VIEWS] = {"CALL", "FD (process/number)", "THREAD"};

static void table_header(
	struct frame *f, const struct screen *s, size_t name_columns, const int *shown)
{
	begin_line(f);
	out_str(f->o, BOLD);
	put_blanks(f, name_columns - put(f, view_titles[s->view], name_columns));
	for (size_t i = 0; i < COLUMNS_LEN; i++) {
		const struct column *c = &columns_all[i];
		int sorted = c->sort == (int)s->sort;

		if (!shown[i])
			continue;
		put_blanks(f, 1 + c->width - strlen(c->title));
		out_printf(
			f->o, "%s%s%s", sorted ? REVERSE : "", c->title, sorted ? PLAIN BOLD : "");
	}
	out_str(f->o, PLAIN);
	end_line(f);
}

static void table_row(struct frame *f, const struct screen *s, const struct screen_row *r,
	size_t name_columns, const int *shown)
{
	char *name = r->name, cell[CELL_BUF];

	if (name_columns >= 8) /* what safe_cut needs */
		name = safe_cut(&f->arena, name, name_columns);
	begin_line(f);
	put_blanks(f, name_columns - put(f, name, name_columns));
	for (size_t i = 0; i < COLUMNS_LEN; i++)
		if (shown[i]) {
			columns_all[i].cell(cell, s, r);
			out_printf(f->o, " %*s", (int)columns_all[i].width, cell);
		}
	end_line(f);
}

/* Where rows are left out, the last line says how many. */
static void table(struct frame *f, struct screen *s)
{
	int shown[COLUMNS_LEN];
	size_t name_columns = fit(f->columns, s, shown);
	size_t n = s->rows[s->view].len, room, whole;

	if (f->row >= f->rows)
		return;
	table_header(f, s, name_columns, shown);
	if (n)
		qsort_r(s->rows[s->view].at, n, sizeof(struct screen_row), row_cmp, &s->sort);
	room = f->rows - f->row;
	whole = n <= room ? n : room ? room - 1 : 0;
	for (size_t k = 0; k < whole; k++)
		table_row(f, s, &s->rows[s->view].at[k], name_columns, shown);
	if (whole < n)
		put_line(f, "", arena_printf(&f->arena, "... %zu more", n - whole));
}

/* For 60 columns. */
static void help(struct frame *f, const struct screen *s)
{
	static const char *const lines[] = {
		"c  by call    f  by fd    t  by thread",
		"",
		"sorted by",
		"   n  calls a second      w  time in calls, of a second",
		"   b  bytes a second      m  units that a call got",
		"   e  errors a second",
		"",
		"asked, got: units a call, of calls that did not fail; by",
		"fd and thread of messages (sendmmsg, recvmmsg) only.",
		"All but `calls` is of the last interval.",
		"",
		"p  pause the screen, not the counting    h  this help",
	};
	static const char *const leave[] = {
		"q  leave: the processes go on untraced, the files are",
		"   written",
	};
	static const char *const close_only[] = {
		"q  close the screen: the program goes on, traced to its",
		"   end, as its filter needs a tracer; ^C ends it",
	};
	const char *const *last = s->facts.attached ? leave : close_only;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		put_line(f, "", lines[i]);
	put_line(f, "", last[0]);
	put_line(f, "", last[1]);
}

static void bottom(struct frame *f, const struct screen *s)
{
	const char *text;

	if (s->said)
		text = s->said;
	else if (!s->facts.keys && s->facts.attached)
		text = "no keys: CMD reads this terminal; ^C leaves the processes";
	else if (!s->facts.keys)
		text = "no keys: the program reads this terminal; ^C ends it";
	else if (s->facts.attached)
		text = "c call f fd t thread  sort nwbme  p pause  h help  q leave";
	else
		text = "c call f fd t thread  sort nwbme  p pause  h help  q close";
	if (f->rows < 2)
		return;
	/* At the bottom, however few lines there are. */
	out_printf(f->o, "\x1b[J\x1b[%zu;1H", f->rows + 1);
	out_str(f->o, REVERSE);
	put_blanks(f, f->columns - put(f, text, f->columns));
	/* Not at the end, where what others print would move it all. */
	out_str(f->o, PLAIN "\x1b[K\x1b[H");
}

void screen_draw(struct screen *s, size_t columns, size_t rows, struct out *o)
{
	/* What stands in the last column would be cleared with the rest of its line. */
	struct frame f = {.o = o, .columns = columns ? columns - 1 : 0, .rows = rows};

	if (f.rows > 1)
		f.rows--; /* the bottom */
	title(&f, s);
	if (s->help) {
		put_line(&f, "", "");
		help(&f, s);
	} else {
		sums(&f, s);
		if (s->facts.shared && f.rows > 8)
			put_line(&f, "",
				"its output comes to this screen; > FILE 2>&1 keeps it off");
		table(&f, s);
	}
	bottom(&f, s);
	arena_release(&f.arena);
}

/* ---- keys ---- */

static int find_key(const char *keys, char key)
{
	const char *at = key ? strchr(keys, key) : NULL;

	return at ? (int)(at - keys) : -1;
}

/* 1: of a key like an arrow, which sends ESC [ or ESC O, maybe numbers, and a letter. */
static int is_of_long_key(struct screen *s, char key)
{
	if (key == '\x1b') {
		s->in_key = KEY_AFTER_ESC;
		return 1;
	}
	switch (s->in_key) {
	case KEY_ALONE:
		return 0;
	case KEY_AFTER_ESC:
		s->in_key = key == '[' ? KEY_CSI : key == 'O' ? KEY_SS3 : KEY_ALONE;
		return 1;
	case KEY_SS3:
		s->in_key = KEY_ALONE;
		return 1;
	case KEY_CSI:
		if (key >= '@' && key <= '~')
			s->in_key = KEY_ALONE;
		return 1;
	}
	return 0;
}

enum screen_answer screen_key(struct screen *s, char key)
{
	int view = find_key("cft", key), sort = find_key("nwbme", key);
	const char *said = s->said;

	if (is_of_long_key(s, key))
		return SCREEN_NOTHING;
	s->said = NULL;
	if (view >= 0) {
		s->view = (enum screen_view)view;
		s->help = 0;
	} else if (sort >= 0) {
		s->sort = (enum screen_sort)sort;
		s->help = 0;
	} else if (key == 'p') {
		s->paused = !s->paused;
	} else if (key == 'h' || key == '?') {
		s->help = !s->help;
	} else if (key == 'q') {
		return SCREEN_QUIT;
	} else if (key == SUSPEND) {
		s->said = "a stopped iotrace would stop the processes too; q leaves them";
	} else if (!said) {
		return SCREEN_NOTHING;
	}
	return SCREEN_CHANGED;
}
