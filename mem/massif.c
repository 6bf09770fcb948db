/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/massif.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"

/* Lines one after another. at is the next; len counts without the newline. */
struct lines {
	const char *text;
	size_t len, at, number;
	int whole; /* the last line taken had its newline */
};

static int next_line(struct lines *l, struct massif_text *ret)
{
	if (l->at >= l->len)
		return 0;
	const char *begin = l->text + l->at;
	const char *end = memchr(begin, '\n', l->len - l->at);

	l->whole = end != NULL;
	*ret = (struct massif_text){begin, end ? (size_t)(end - begin) : l->len - l->at};
	l->at += ret->len + (size_t)l->whole;
	l->number++;
	if (ret->len > 0 && begin[ret->len - 1] == '\r')
		ret->len--;
	return 1;
}

/* ---- values ---- */

/* What follows prefix, or 0. */
static int value_of(struct massif_text line, const char *prefix, struct massif_text *ret)
{
	size_t len = strlen(prefix);

	if (line.len < len || memcmp(line.at, prefix, len) != 0)
		return 0;
	*ret = (struct massif_text){line.at + len, line.len - len};
	return 1;
}

static int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Takes a decimal number off the start of *t. Sums in JSON end at INT64_MAX, so do these. */
static int take_u64(struct massif_text *t, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < t->len && is_digit(t->at[i]); i++)
		if (__builtin_mul_overflow(v, 10, &v) ||
			__builtin_add_overflow(v, (uint64_t)(t->at[i] - '0'), &v) || v > INT64_MAX)
			return 0;
	if (i == 0)
		return 0;
	*ret = v;
	*t = (struct massif_text){t->at + i, t->len - i};
	return 1;
}

static int parse_u64(struct massif_text t, uint64_t *ret)
{
	uint64_t v;

	if (!take_u64(&t, &v) || t.len > 0)
		return 0;
	*ret = v;
	return 1;
}

/* Massif's times are whole, other profilers write seconds with a fraction. */
static int parse_time(struct massif_text t, double *ret)
{
	char buf[64], *end;

	if (t.len == 0 || t.len >= sizeof(buf) || !is_digit(t.at[0]))
		return 0;
	memcpy(buf, t.at, t.len);
	buf[t.len] = '\0';
	double v = strtod(buf, &end);
	if (*end || !isfinite(v))
		return 0;
	*ret = v;
	return 1;
}

/* ---- header and snapshots ---- */

struct parse {
	struct massif *m;
	struct lines lines;
	struct massif_snapshot now;
	int open; /* a snapshot has begun */
	int has_time, has_heap, has_tree;
	int any_tree; /* some snapshot said whether it has a tree */
};

static void note_line(struct massif *m, size_t number, uint64_t *counter)
{
	(*counter)++;
	if (!m->first_bad_line)
		m->first_bad_line = number;
}

/* Keeps the snapshot that is open, if it says enough to be one. */
static void end_snapshot(struct parse *p, int at_end)
{
	struct massif *m = p->m;

	if (!p->open)
		return;
	p->open = 0;
	if (p->has_time && p->has_heap)
		*VEC_PUSH(&m->snapshots) = p->now;
	else if (!at_end)
		m->bad_lines++;
	p->any_tree |= p->has_tree;
	if (at_end && (!p->has_time || !p->has_heap || (p->any_tree && !p->has_tree)))
		m->cut = 1;
}

static void begin_snapshot(struct parse *p, uint64_t number)
{
	end_snapshot(p, 0);
	p->now = (struct massif_snapshot){
		.number = number,
		.extra_bytes = UINT64_MAX,
		.stacks_bytes = UINT64_MAX,
		.tree_at = MASSIF_NONE,
	};
	p->open = 1;
	p->has_time = p->has_heap = p->has_tree = 0;
}

static int tree_value(struct parse *p, struct massif_text value)
{
	static const struct {
		const char *name;
		enum massif_tree tree;
	} names[] = {{"empty", MASSIF_EMPTY}, {"detailed", MASSIF_DETAILED}, {"peak", MASSIF_PEAK}};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (value.len != strlen(names[i].name) ||
			memcmp(value.at, names[i].name, value.len) != 0)
			continue;
		p->now.tree = names[i].tree;
		p->now.tree_at = names[i].tree == MASSIF_EMPTY ? MASSIF_NONE : p->lines.at;
		p->has_tree = 1;
		return 1;
	}
	return 0;
}

/* 1: taken, 0: the value is none, -1: no line of a snapshot. */
static int snapshot_line(struct parse *p, struct massif_text line)
{
	struct massif_text value;
	uint64_t number;

	if (value_of(line, "snapshot=", &value)) {
		if (!parse_u64(value, &number))
			return 0;
		begin_snapshot(p, number);
		return 1;
	}
	if (!p->open)
		return -1;
	if (value_of(line, "time=", &value))
		return p->has_time = parse_time(value, &p->now.time);
	if (value_of(line, "mem_heap_B=", &value))
		return p->has_heap = parse_u64(value, &p->now.heap_bytes);
	if (value_of(line, "mem_heap_extra_B=", &value))
		return parse_u64(value, &p->now.extra_bytes);
	if (value_of(line, "mem_stacks_B=", &value))
		return parse_u64(value, &p->now.stacks_bytes);
	if (value_of(line, "heap_tree=", &value))
		return tree_value(p, value);
	return -1;
}

static int header_line(struct massif *m, struct massif_text line)
{
	static const struct {
		const char *key;
		size_t offset;
	} keys[] = {
		{"desc:", offsetof(struct massif, desc)},
		{"cmd:", offsetof(struct massif, command)},
		{"time_unit:", offsetof(struct massif, time_unit)},
	};
	struct massif_text value;

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		struct massif_text *field = (void *)((char *)m + keys[i].offset);

		if (field->at || !value_of(line, keys[i].key, &value))
			continue;
		while (value.len > 0 && value.at[0] == ' ')
			value = (struct massif_text){value.at + 1, value.len - 1};
		*field = value;
		return 1;
	}
	return 0;
}

/* A line of a tree, cheaply: nearly all lines of a large file are. */
static int looks_like_tree(struct massif_text line)
{
	size_t i = 0;

	while (i < line.len && line.at[i] == ' ')
		i++;
	return i + 1 < line.len && line.at[i] == 'n' && is_digit(line.at[i + 1]);
}

static void take_line(struct parse *p, struct massif_text line)
{
	struct massif *m = p->m;
	int taken;

	if (line.len == 0 || line.at[0] == '#')
		return;
	if (p->open && p->now.tree_at != MASSIF_NONE && looks_like_tree(line))
		return;
	/* A number may lack its last digits. */
	if (!p->lines.whole && p->open) {
		m->cut = 1;
		return;
	}
	taken = snapshot_line(p, line);
	if (taken == 0)
		note_line(m, p->lines.number, &m->bad_lines);
	else if (taken < 0 && !header_line(m, line))
		note_line(m, p->lines.number, &m->unknown_lines);
}

/* ---- the tree ---- */

/* "0x109168: main (a.c:2)" without the address. Names hold parentheses too: the place is in the
 * last pair, for a library in the last that begins with "in ". */
static void split_place(struct massif_text label, struct massif_node *n)
{
	size_t at = MASSIF_NONE;

	n->function = label;
	if (label.len < 4 || label.at[label.len - 1] != ')')
		return;
	for (size_t i = label.len - 1; i-- > 1;) {
		if (label.at[i] != '(' || label.at[i - 1] != ' ')
			continue;
		if (at == MASSIF_NONE)
			at = i;
		if (label.len - i > 4 && memcmp(label.at + i, "(in /", 5) == 0) {
			at = i;
			break;
		}
	}
	if (at == MASSIF_NONE)
		return; /* "(below main)" */
	n->function = (struct massif_text){label.at, at - 1};
	n->place = (struct massif_text){label.at + at + 1, label.len - at - 2};
}

static int hex_digit(char c)
{
	if (is_digit(c))
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Takes "0x109168: " off the start. */
static void take_address(struct massif_text *t, uint64_t *ret)
{
	uint64_t v = 0;
	size_t i = 2;

	if (t->len < 4 || t->at[0] != '0' || t->at[1] != 'x')
		return;
	for (; i < t->len && i < 18 && hex_digit(t->at[i]) >= 0; i++)
		v = v << 4 | (uint64_t)hex_digit(t->at[i]);
	if (i == 2 || i + 1 >= t->len || t->at[i] != ':')
		return;
	i += t->at[i + 1] == ' ' ? 2 : 1;
	*ret = v;
	*t = (struct massif_text){t->at + i, t->len - i};
}

/* "in 3 places, below massif's threshold (1.00%)". */
static int is_below(struct massif_text label)
{
	struct massif_text rest;
	uint64_t places;

	return value_of(label, "in ", &rest) && take_u64(&rest, &places) && rest.len > 6 &&
	       memcmp(rest.at, " place", 6) == 0;
}

/* "  n2: 101000 LABEL"; 0: no line of a tree. */
static int parse_node(struct massif_text line, struct massif_node *ret)
{
	struct massif_node n = {.parent = MASSIF_NONE};
	size_t indent = 0;

	while (indent < line.len && line.at[indent] == ' ')
		indent++;
	if (indent >= line.len || indent > UINT32_MAX || line.at[indent] != 'n')
		return 0;
	struct massif_text rest = {line.at + indent + 1, line.len - indent - 1};

	if (!take_u64(&rest, &n.children_told) || rest.len < 2 || memcmp(rest.at, ": ", 2) != 0)
		return 0;
	rest = (struct massif_text){rest.at + 2, rest.len - 2};
	if (!take_u64(&rest, &n.bytes))
		return 0;
	if (rest.len > 0 && rest.at[0] == ' ')
		rest = (struct massif_text){rest.at + 1, rest.len - 1};
	n.depth = (uint32_t)indent;
	if (indent == 0)
		n.kind = MASSIF_ROOT;
	else
		n.kind = is_below(rest) ? MASSIF_BELOW : MASSIF_PLACE;
	n.function = rest;
	if (n.kind == MASSIF_PLACE) {
		take_address(&rest, &n.address);
		split_place(rest, &n);
	}
	*ret = n;
	return 1;
}

/* Hangs n below the line before it, or below an ancestor of that. 0: it fits nowhere. */
static int add_node(struct massif *m, struct massif_node *n)
{
	size_t parent = m->nodes.len ? m->nodes.len - 1 : MASSIF_NONE;

	if (parent == MASSIF_NONE) {
		if (n->depth != 0)
			return 0;
		*VEC_PUSH(&m->nodes) = *n;
		return 1;
	}
	while (parent != MASSIF_NONE && m->nodes.at[parent].depth >= n->depth)
		parent = m->nodes.at[parent].parent;
	if (parent == MASSIF_NONE || m->nodes.at[parent].depth + 1 != n->depth)
		return 0;
	struct massif_node *above = &m->nodes.at[parent];

	above->children++;
	if (__builtin_add_overflow(above->children_bytes, n->bytes, &above->children_bytes))
		above->children_bytes = UINT64_MAX;
	n->parent = parent;
	*VEC_PUSH(&m->nodes) = *n;
	return 1;
}

static void read_tree(struct massif *m, size_t at)
{
	struct lines lines = {.text = m->text, .len = m->len, .at = at};
	struct massif_text line;

	while (next_line(&lines, &line) && looks_like_tree(line)) {
		struct massif_node n;

		/* The last line of a file that was cut has a label that may lack its end. */
		if (!lines.whole)
			m->cut = 1;
		if (!parse_node(line, &n) || !add_node(m, &n))
			m->tree_short = 1;
	}
	for (size_t i = 0; i < m->nodes.len; i++)
		if (m->nodes.at[i].children != m->nodes.at[i].children_told)
			m->tree_short = 1;
}

/* ---- the peak ---- */

uint64_t massif_total(const struct massif_snapshot *s)
{
	uint64_t total = s->heap_bytes;

	if (s->extra_bytes != UINT64_MAX)
		total += s->extra_bytes; /* each at most INT64_MAX */
	if (s->stacks_bytes != UINT64_MAX && __builtin_add_overflow(total, s->stacks_bytes, &total))
		return INT64_MAX;
	return total < INT64_MAX ? total : INT64_MAX;
}

/* The better snapshot for the tree: one that is called the peak, then the larger. */
static int better_tree(const struct massif_snapshot *a, const struct massif_snapshot *b)
{
	if ((a->tree == MASSIF_PEAK) != (b->tree == MASSIF_PEAK))
		return a->tree == MASSIF_PEAK;
	return massif_total(a) > massif_total(b);
}

static void find_peak(struct massif *m)
{
	m->tree = MASSIF_NONE;
	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct massif_snapshot *s = &m->snapshots.at[i];
		uint64_t most = massif_total(&m->snapshots.at[m->peak]), total = massif_total(s);

		/* Of the same size, the one with the tree. */
		if (total > most || (total == most && s->tree == MASSIF_PEAK &&
					    m->snapshots.at[m->peak].tree != MASSIF_PEAK))
			m->peak = i;
		if (s->tree_at != MASSIF_NONE &&
			(m->tree == MASSIF_NONE || better_tree(s, &m->snapshots.at[m->tree])))
			m->tree = i;
	}
	if (m->tree != MASSIF_NONE)
		read_tree(m, m->snapshots.at[m->tree].tree_at);
	if (m->nodes.len == 0)
		m->tree = MASSIF_NONE;
}

/* Massif writes 0 for what it was not told to measure. */
static void forget_unmeasured(struct massif *m)
{
	int extra = massif_has_option(m, "--pages-as-heap=yes")
			    ? 0
			    : m->desc.len > 0 && (m->desc.at[0] == '-' || m->desc.at[0] == '(');
	int stacks = massif_has_option(m, "--stacks=yes");

	for (size_t i = 0; i < m->snapshots.len; i++) {
		const struct massif_snapshot *s = &m->snapshots.at[i];

		extra |= s->extra_bytes != 0 && s->extra_bytes != UINT64_MAX;
		stacks |= s->stacks_bytes != 0 && s->stacks_bytes != UINT64_MAX;
	}
	for (size_t i = 0; i < m->snapshots.len; i++) {
		if (!extra)
			m->snapshots.at[i].extra_bytes = UINT64_MAX;
		if (!stacks)
			m->snapshots.at[i].stacks_bytes = UINT64_MAX;
	}
}

/* ---- all of it ---- */

int massif_parse(struct massif *m, const char *text, size_t len, struct err *err)
{
	struct parse p = {.m = m, .lines = {.text = text, .len = len}};
	struct massif_text line;

	*m = (struct massif){.text = text, .len = len, .tree = MASSIF_NONE};
	while (next_line(&p.lines, &line))
		take_line(&p, line);
	end_snapshot(&p, 1);
	if (m->snapshots.len == 0) {
		size_t bad = m->first_bad_line;

		massif_release(m);
		if (bad)
			return err_set(err, -EINVAL,
				"no file of massif: there is no whole snapshot in it (line %zu is "
				"unknown)",
				bad);
		return err_set(err, -EINVAL, "no file of massif: %s",
			len ? "there is no whole snapshot in it" : "it is empty");
	}
	forget_unmeasured(m);
	find_peak(m);
	return 0;
}

/* The whole file, of *ret_len bytes; NULL if it is empty. */
static int map_file(const char *path, void **ret, size_t *ret_len, struct err *err)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	void *at = NULL;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "cannot read %s: not a plain file", path);
	if (st.st_size > 0) {
		at = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		if (at == MAP_FAILED)
			return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	}
	*ret = at;
	*ret_len = (size_t)st.st_size;
	return 0;
}

int massif_read(const char *path, struct massif *m, struct err *err)
{
	void *at = NULL;
	size_t len = 0;
	int rc = map_file(path, &at, &len, err);

	if (rc < 0)
		return rc;
	rc = massif_parse(m, at ? at : "", len, err);
	if (rc < 0) {
		if (at)
			munmap(at, len);
		return err_wrap(err, "%s", path);
	}
	m->mapped = len;
	return 0;
}

/* Moves the end's tree into *m. */
static void take_tree(struct massif *m, struct massif *end)
{
	free(m->nodes.at);
	memcpy(&m->nodes, &end->nodes, sizeof(m->nodes));
	memset(&end->nodes, 0, sizeof(end->nodes));
	m->tree = MASSIF_END;
	m->tree_short = end->tree_short;
}

/* The file's first snapshot has bytes, what follows is blocks in the same form. */
int massif_read_end(const char *path, struct massif *m, struct err *err)
{
	struct massif end;
	int rc = massif_read(path, &end, err);

	if (rc < 0 || !end.snapshots.at) /* what was read has one at least */
		return rc;
	m->end.snapshot = (struct massif_snapshot){.number = UINT64_MAX,
		.time = NAN,
		.heap_bytes = end.snapshots.at[0].heap_bytes,
		.extra_bytes = UINT64_MAX,
		.stacks_bytes = UINT64_MAX,
		.tree = end.snapshots.at[0].tree,
		.tree_at = end.snapshots.at[0].tree_at};
	m->end.known = 1;
	m->end.text = (void *)end.text;
	m->end.mapped = end.mapped;
	end.mapped = 0;
	if (m->end.snapshot.heap_bytes > massif_at(m, m->peak)->heap_bytes)
		m->peak = MASSIF_END;
	if (end.tree == 0 && m->end.snapshot.heap_bytes > 0 &&
		(m->tree == MASSIF_NONE ||
			m->end.snapshot.heap_bytes > massif_at(m, m->tree)->heap_bytes))
		take_tree(m, &end);
	massif_release(&end);
	return 0;
}

void massif_release(struct massif *m)
{
	free(m->snapshots.at);
	free(m->nodes.at);
	if (m->mapped)
		munmap((void *)m->text, m->mapped);
	if (m->end.mapped)
		munmap(m->end.text, m->end.mapped);
	*m = (struct massif){.tree = MASSIF_NONE};
}

/* ---- questions ---- */

const struct massif_snapshot *massif_at(const struct massif *m, size_t i)
{
	return i == MASSIF_END ? &m->end.snapshot : &m->snapshots.at[i];
}

/* Calls it a word only between blanks. */
static int next_word(struct massif_text *rest, struct massif_text *ret)
{
	while (rest->len > 0 && rest->at[0] == ' ')
		*rest = (struct massif_text){rest->at + 1, rest->len - 1};
	if (rest->len == 0)
		return 0;
	const char *end = memchr(rest->at, ' ', rest->len);
	size_t len = end ? (size_t)(end - rest->at) : rest->len;

	*ret = (struct massif_text){rest->at, len};
	*rest = (struct massif_text){rest->at + len, rest->len - len};
	return 1;
}

int massif_has_option(const struct massif *m, const char *word)
{
	struct massif_text rest = m->desc, here, tail;

	while (next_word(&rest, &here))
		if (value_of(here, word, &tail) && tail.len == 0)
			return 1;
	return 0;
}

double massif_option(const struct massif *m, const char *option, double otherwise)
{
	struct massif_text rest = m->desc, here, value;

	while (next_word(&rest, &here))
		if (value_of(here, option, &value))
			parse_time(value, &otherwise);
	return otherwise;
}

size_t massif_heaviest(const struct massif *m, size_t node)
{
	size_t best = MASSIF_NONE;

	/* The subtree ends at the first line that is not deeper. */
	for (size_t i = node + 1;
		i < m->nodes.len && m->nodes.at[i].depth > m->nodes.at[node].depth; i++) {
		const struct massif_node *n = &m->nodes.at[i];

		if (n->parent == node && n->kind == MASSIF_PLACE &&
			(best == MASSIF_NONE || n->bytes > m->nodes.at[best].bytes))
			best = i;
	}
	return best;
}
