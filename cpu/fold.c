/* SPDX-License-Identifier: GPL-3.0-only */
#include "cpu/fold.h"

#include <stdlib.h>
#include <string.h>

#include "common/write/safe.h"

/* What perf prints is shorter by far; this only bounds the memory that nonsense can take. */
#define LINE_MAX_BYTES ((size_t)1 << 20)
#define DEPTH_MAX      65536

struct text {
	const char *p, *end;
};

void fold_init(struct fold *f)
{
	*f = (struct fold){0};
}

void fold_release(struct fold *f)
{
	intern_release(&f->texts);
	intern_release(&f->frames);
	intern_release(&f->stacks);
	intern_release(&f->threads);
	intern_release(&f->events);
	free(f->text_frame.at);
	free(f->frame.at);
	free(f->stack_samples.at);
	free(f->event_samples.at);
	free(f->thread.at);
	free(f->now.at);
	free(f->rest.at);
	fold_init(f);
}

/* ---- pieces of a line ---- */

static int is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int is_hex(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'f');
}

static void skip_blanks(struct text *t)
{
	while (t->p < t->end && is_blank(*t->p))
		t->p++;
}

static void trim_end(struct text *t)
{
	while (t->p < t->end && is_blank(t->end[-1]))
		t->end--;
}

/* A decimal number; -1 stands for a process that perf did not know. */
static int take_number(struct text *t, int64_t *ret)
{
	const char *p = t->p;
	int negative = p < t->end && *p == '-';
	int64_t n = 0;

	p += negative;
	if (p == t->end || !is_digit(*p))
		return 0;
	for (; p < t->end && is_digit(*p); p++) {
		if (n > INT64_MAX / 10 - 1)
			return 0;
		n = 10 * n + (*p - '0');
	}
	*ret = negative ? -n : n;
	t->p = p;
	return 1;
}

static struct text take_word(struct text *t)
{
	struct text word;

	skip_blanks(t);
	word.p = t->p;
	while (t->p < t->end && !is_blank(*t->p))
		t->p++;
	word.end = t->p;
	return word;
}

static int all_of(struct text t, int (*is)(char c))
{
	if (t.p == t.end)
		return 0;
	while (t.p < t.end && is(*t.p))
		t.p++;
	return t.p == t.end;
}

/* "4547.460733:" */
static int is_time(struct text t)
{
	struct text seconds = t, fraction;
	const char *dot = memchr(t.p, '.', (size_t)(t.end - t.p));

	if (!dot || t.end[-1] != ':')
		return 0;
	seconds.end = dot;
	fraction = (struct text){dot + 1, t.end - 1};
	return all_of(seconds, is_digit) && all_of(fraction, is_digit);
}

/* ---- frames ---- */

/* What can be said in a folded line, which flamegraph.pl also puts into JavaScript. */
static void make_safe(char *name)
{
	char *space;

	for (char *p = name; *p; p++) {
		if (*p == ';')
			*p = ':';
		else if (*p == '\\')
			*p = '/';
	}
	/* A number after a space would be taken for a column. */
	space = strrchr(name, ' ');
	if (space && space[1] && strspn(space + 1, "0123456789.") == strlen(space + 1))
		*space = '_';
}

static uint32_t add_frame(struct fold *f, const char *name, size_t name_len, struct fold_frame like)
{
	struct arena *a = &f->frames.arena;
	char *plain = arena_alloc(a, name_len + 1, 1), *key;
	size_t known = f->frames.len;
	uint32_t id;

	memcpy(plain, name, name_len);
	/* A line of the folded file without a stack would be none. */
	like.name = safe_text(a, *plain ? plain : "[no name]");
	make_safe((char *)like.name);
	key = arena_printf(a, "%d%s\n%s", like.comm, like.name, like.module ? like.module : "");
	id = intern_get(&f->frames, key, strlen(key));
	if (f->frames.len > known)
		*VEC_PUSH(&f->frame) = like;
	return id;
}

/*
 * Where the " (FILE)" at the end of t begins, or NULL. Symbols have parentheses too, and so may the
 * file: it is the last that is closed at the end, else the last before a path.
 */
static const char *find_module(struct text t)
{
	int depth = 0;

	if (t.p == t.end || t.end[-1] != ')')
		return NULL;
	for (const char *p = t.end - 1; p >= t.p; p--) {
		depth += *p == ')';
		depth -= *p == '(';
		if (*p == '(' && depth <= 0 && (p == t.p || is_blank(p[-1])))
			return p;
	}
	for (const char *p = t.end - 1; p > t.p; p--)
		if (*p == '(' && (p[1] == '/' || p[1] == '['))
			return p;
	return NULL;
}

/* "sym+0x1f" without the offset. */
static void cut_offset(struct text *t)
{
	const char *p = t->end;

	while (p > t->p && is_hex(p[-1]))
		p--;
	if (p < t->end && p - t->p > 3 && !memcmp(p - 3, "+0x", 3))
		t->end = p - 3;
}

static int equals(struct text t, const char *s)
{
	return (size_t)(t.end - t.p) == strlen(s) && !memcmp(t.p, s, strlen(s));
}

/* The file's name without its directory and without " (deleted)" or the like behind it. */
static struct text base_name(struct text module)
{
	const char *deleted = memmem(module.p, (size_t)(module.end - module.p), " (deleted)", 10);
	const char *slash;

	if (deleted)
		module.end = deleted;
	slash = memrchr(module.p, '/', (size_t)(module.end - module.p));
	if (slash && slash + 1 < module.end)
		module.p = slash + 1;
	return module;
}

/* "sym (FILE)", "sym", "(FILE)": what stands behind the address. */
static uint32_t parse_frame(struct fold *f, struct text t)
{
	struct arena *a = &f->frames.arena;
	const char *open;
	struct text module = {0}, symbol = t;
	struct fold_frame like = {0};

	trim_end(&symbol);
	open = find_module(symbol);
	if (open) {
		module = (struct text){open + 1, symbol.end - 1};
		symbol.end = open;
		trim_end(&symbol);
	}
	cut_offset(&symbol);
	if (open && !equals(module, "[unknown]") && !equals(module, "inlined")) {
		char *copy = arena_alloc(a, (size_t)(module.end - module.p) + 1, 1);

		memcpy(copy, module.p, (size_t)(module.end - module.p));
		like.module = copy;
	}
	if (symbol.p < symbol.end && !equals(symbol, "[unknown]"))
		return add_frame(f, symbol.p, (size_t)(symbol.end - symbol.p), like);
	like.unknown = 1;
	if (!like.module)
		return add_frame(f, "[unknown]", 9, like);
	module = base_name(module);
	char *bracketed =
		*module.p == '['
			? arena_printf(a, "%.*s", (int)(module.end - module.p), module.p)
			: arena_printf(a, "[%.*s]", (int)(module.end - module.p), module.p);
	return add_frame(f, bracketed, strlen(bracketed), like);
}

/* A line of a stack: address, then the text that is parsed only when it is seen first. */
static int frame_line(struct fold *f, struct text line)
{
	size_t known = f->texts.len;
	struct text address;
	uint32_t id;

	skip_blanks(&line);
	address.p = line.p;
	while (line.p < line.end && is_hex(*line.p))
		line.p++;
	address.end = line.p;
	if (address.p == address.end || line.p == line.end || !is_blank(*line.p) ||
		f->now.len >= DEPTH_MAX)
		return 0;
	skip_blanks(&line);
	if (line.p == line.end)
		return 0;
	id = intern_get(&f->texts, line.p, (size_t)(line.end - line.p));
	if (f->texts.len > known)
		*VEC_PUSH(&f->text_frame) = parse_frame(f, line);
	*VEC_PUSH(&f->now) = f->text_frame.at[id];
	return 1;
}

/* ---- samples ---- */

static void end_sample(struct fold *f)
{
	size_t known = f->stacks.len, len;
	uint32_t *at, id;

	if (!f->in_sample)
		return;
	f->in_sample = 0;
	f->samples++;
	f->without_stack += f->now.len == 0;
	*VEC_PUSH(&f->now) = f->now_comm;
	at = f->now.at;
	len = f->now.len;
	for (size_t i = 0; i < len / 2; i++) {
		uint32_t other = at[i];

		at[i] = at[len - 1 - i];
		at[len - 1 - i] = other;
	}
	id = intern_get(&f->stacks, at, len * sizeof(*at));
	if (f->stacks.len > known)
		*VEC_PUSH(&f->stack_samples) = 0;
	f->stack_samples.at[id]++;
}

/* The line that begins a sample. */
struct head {
	struct text comm, event, behind;
	int64_t pid, tid;
};

static void count_thread(struct fold *f, const struct head *h)
{
	const int64_t key[] = {h->pid, h->tid};
	size_t known = f->threads.len;
	uint32_t id = intern_get(&f->threads, key, sizeof(key));

	if (f->threads.len > known)
		*VEC_PUSH(&f->thread) = (struct fold_thread){.pid = h->pid, .tid = h->tid};
	f->thread.at[id].comm = f->now_comm;
	f->thread.at[id].samples++;
}

static void count_event(struct fold *f, const struct head *h)
{
	size_t known = f->events.len;
	uint32_t id = intern_get(&f->events, h->event.p, (size_t)(h->event.end - h->event.p));

	if (f->events.len > known)
		*VEC_PUSH(&f->event_samples) = 0;
	f->event_samples.at[id]++;
}

/* Spaces become underscores, as every other folder has it. */
static uint32_t comm_frame(struct fold *f, struct text comm)
{
	char name[256] = "\n"; /* which no frame's text holds */
	size_t known = f->texts.len, len = (size_t)(comm.end - comm.p);
	uint32_t id;

	if (len >= sizeof(name) - 1)
		len = sizeof(name) - 1;
	memcpy(name + 1, comm.p, len);
	id = intern_get(&f->texts, name, len + 1);
	if (f->texts.len > known) {
		struct fold_frame like = {.comm = 1,
			.module = safe_text(&f->frames.arena, f->texts.at[id].bytes + 1)};

		for (size_t i = 1; i <= len; i++)
			if (is_blank(name[i]))
				name[i] = '_';
		*VEC_PUSH(&f->text_frame) = add_frame(f, name + 1, len, like);
	}
	return f->text_frame.at[id];
}

static void begin_sample(struct fold *f, const struct head *h)
{
	end_sample(f);
	f->in_sample = 1;
	f->now.len = 0;
	f->now_comm = comm_frame(f, h->comm);
	count_thread(f, h);
	count_event(f, h);
	frame_line(f, h->behind);
}

static int is_cpu(struct text t)
{
	return t.end - t.p > 2 && *t.p == '[' && t.end[-1] == ']';
}

/* What may stand behind the ids: "[003] 4547.460733: 10101010 event:", the event at least. */
static int parse_fields(struct text t, struct head *h)
{
	struct text word = take_word(&t);

	if (word.p < word.end && is_cpu(word))
		word = take_word(&t);
	if (word.p < word.end && is_time(word)) {
		word = take_word(&t);
		if (all_of(word, is_digit))
			word = take_word(&t);
	}
	if (word.end - word.p < 2 || word.end[-1] != ':')
		return 0;
	h->event = (struct text){word.p, word.end - 1};
	h->behind = t;
	return !all_of(h->event, is_digit);
}

/* "comm pid/tid .."; the comm may hold spaces and numbers, so each number is tried. */
static int parse_head(struct text line, struct head *h)
{
	skip_blanks(&line);
	for (const char *p = line.p + 1; p + 1 < line.end; p++) {
		struct text t = {p, line.end};

		if (!is_blank(p[-1]) || is_blank(*p) || !take_number(&t, &h->pid))
			continue;
		h->tid = h->pid;
		if (t.p < t.end && *t.p == '/') {
			t.p++;
			if (!take_number(&t, &h->tid))
				continue;
		}
		if (t.p == t.end || !is_blank(*t.p) || !parse_fields(t, h))
			continue;
		h->comm = (struct text){line.p, p};
		trim_end(&h->comm);
		return 1;
	}
	return 0;
}

/* ".. PERF_RECORD_LOST lost 27": 1 if it is one. */
static int lost_line(struct fold *f, struct text line)
{
	static const char mark[] = "PERF_RECORD_LOST";
	const char *at = memmem(line.p, (size_t)(line.end - line.p), mark, strlen(mark));
	int64_t n;

	if (!at)
		return 0;
	for (struct text t = {at, line.end}; t.p < t.end;) {
		struct text word = take_word(&t);

		if (take_number(&word, &n) && n > 0) {
			f->lost += (uint64_t)n;
			return 1;
		}
	}
	return 1;
}

static void take_comment(struct fold *f, struct text line)
{
	static const char version[] = "# perf version : ";
	size_t len = (size_t)(line.end - line.p);

	if (len <= strlen(version) || memcmp(line.p, version, strlen(version)) != 0)
		return;
	len -= strlen(version);
	if (len >= sizeof(f->perf_version))
		len = sizeof(f->perf_version) - 1;
	memcpy(f->perf_version, line.p + strlen(version), len);
	f->perf_version[len] = '\0';
}

static void take_line(struct fold *f, struct text line)
{
	struct text trimmed = line;
	struct head head;

	skip_blanks(&trimmed);
	if (trimmed.p == trimmed.end) {
		end_sample(f);
		return;
	}
	if (f->in_sample && is_blank(*line.p) && frame_line(f, line))
		return;
	if (lost_line(f, line)) {
		end_sample(f);
	} else if (parse_head(line, &head)) {
		begin_sample(f, &head);
	} else if (*line.p == '#') {
		take_comment(f, line);
	} else {
		f->unreadable_lines++;
	}
}

/* ---- lines ---- */

static void keep_rest(struct fold *f, const char *p, size_t n)
{
	if (f->rest.len + n > LINE_MAX_BYTES) {
		f->too_long = 1;
		f->rest.len = 0;
		return;
	}
	if (f->too_long || !n)
		return;
	mem_vec_grow((void **)&f->rest.at, &f->rest.cap, f->rest.len + n, 1);
	memcpy(f->rest.at + f->rest.len, p, n);
	f->rest.len += n;
}

static void end_rest(struct fold *f)
{
	if (f->too_long)
		f->unreadable_lines++;
	else
		take_line(f, (struct text){f->rest.at, f->rest.at + f->rest.len});
	f->too_long = 0;
	f->rest.len = 0;
}

void fold_feed(struct fold *f, const char *p, size_t n)
{
	const char *end = p + n, *newline;

	while ((newline = memchr(p, '\n', (size_t)(end - p)))) {
		if (f->rest.len || f->too_long) {
			keep_rest(f, p, (size_t)(newline - p));
			end_rest(f);
		} else {
			take_line(f, (struct text){p, newline});
		}
		p = newline + 1;
	}
	keep_rest(f, p, (size_t)(end - p));
}

void fold_end(struct fold *f)
{
	if (f->rest.len || f->too_long)
		end_rest(f);
	end_sample(f);
}

/* ---- what came of it ---- */

const uint32_t *fold_stack(const struct fold *f, size_t i, size_t *ret_len)
{
	*ret_len = f->stacks.at[i].len / sizeof(uint32_t);
	/* Aligned: each key is an allocation of its own. */
	return (const uint32_t *)(const void *)f->stacks.at[i].bytes;
}

const char *fold_event(const struct fold *f)
{
	size_t most = 0;

	for (size_t i = 1; i < f->event_samples.len; i++)
		if (f->event_samples.at[i] > f->event_samples.at[most])
			most = i;
	return f->event_samples.len ? f->events.at[most].bytes : NULL;
}

/* -1, 0, 1 by the names; frames of one name in two modules are equal here. */
static int compare_stacks(const void *a, const void *b, void *fold)
{
	const struct fold *f = fold;
	size_t len_a, len_b;
	const uint32_t *stack_a = fold_stack(f, *(const uint32_t *)a, &len_a);
	const uint32_t *stack_b = fold_stack(f, *(const uint32_t *)b, &len_b);

	for (size_t i = 0; i < len_a && i < len_b; i++) {
		int order = stack_a[i] == stack_b[i] ? 0
						     : strcmp(f->frame.at[stack_a[i]].name,
							       f->frame.at[stack_b[i]].name);

		if (order)
			return order;
	}
	return len_a < len_b ? -1 : len_a > len_b;
}

static void write_stack(const struct fold *f, size_t i, uint64_t samples, struct out *o)
{
	size_t len;
	const uint32_t *stack = fold_stack(f, i, &len);

	for (size_t k = 0; k < len; k++) {
		if (k)
			out_char(o, ';');
		out_str(o, f->frame.at[stack[k]].name);
	}
	out_char(o, ' ');
	out_u64(o, samples);
	out_char(o, '\n');
}

void fold_write(const struct fold *f, struct out *o)
{
	uint32_t *order = mem_calloc(f->stacks.len + 1, sizeof(*order));
	uint64_t samples = 0;

	for (size_t i = 0; i < f->stacks.len; i++)
		order[i] = (uint32_t)i;
	qsort_r(order, f->stacks.len, sizeof(*order), compare_stacks, (void *)f);
	for (size_t i = 0; i < f->stacks.len; i++) {
		samples += f->stack_samples.at[order[i]];
		if (i + 1 < f->stacks.len && !compare_stacks(&order[i], &order[i + 1], (void *)f))
			continue;
		write_stack(f, order[i], samples, o);
		samples = 0;
	}
	free(order);
}
