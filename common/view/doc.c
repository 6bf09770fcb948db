/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/view/doc.h"

#include <inttypes.h>

#include <assert.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/cleanup.h"
#include "common/model/result.h"
#include "common/base/clock.h"
#include "common/base/units.h"

struct doc *doc_new(void)
{
	return mem_calloc(1, sizeof(struct doc));
}

void doc_free(struct doc *d)
{
	if (!d)
		return;
	for (size_t i = 0; i < d->blocks.len; i++) {
		if (d->blocks.at[i].table)
			free(d->blocks.at[i].table->cells.at);
	}
	free(d->blocks.at);
	arena_release(&d->arena);
	free(d);
}

static void add_block(struct doc *d, enum doc_kind kind, const char *a, const char *b)
{
	*VEC_PUSH(&d->blocks) = (struct doc_block){
		.kind = kind,
		.a = arena_strdup(&d->arena, a ? a : ""),
		.b = arena_strdup(&d->arena, b ? b : ""),
	};
}

void doc_head(struct doc *d, const char *left, const char *right)
{
	add_block(d, DOC_HEAD, left, right);
}

void doc_pair(struct doc *d, const char *key, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	add_block(d, DOC_PAIR, key, text);
}

void doc_section(struct doc *d, const char *title)
{
	add_block(d, DOC_SECTION, title, NULL);
}

void doc_note(struct doc *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	add_block(d, DOC_NOTE, text, NULL);
}

void doc_text(struct doc *d, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	add_block(d, DOC_TEXT, text, NULL);
}

struct doc_table *doc_table(
	struct doc *d, const char *id, const struct doc_column *columns, size_t n)
{
	struct doc_table *t = arena_alloc(&d->arena, 1, sizeof(*t));

	assert(n > 0);
	*t = (struct doc_table){.id = id, .columns = columns, .columns_len = n, .bars_column = -1};
	*VEC_PUSH(&d->blocks) = (struct doc_block){.kind = DOC_TABLE, .table = t};
	return t;
}

void doc_cell_text(struct doc *d, struct doc_table *t, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	cleanup_free char *text = mem_vprintf(fmt, ap);
	va_end(ap);
	*VEC_PUSH(&t->cells) =
		(struct cell){.type = CELL_TEXT, .text = arena_strdup(&d->arena, text)};
}

void doc_cell(struct doc_table *t, enum cell_type type, uint64_t v)
{
	assert(type != CELL_TEXT && type != CELL_RATIO && type != CELL_MEAN);
	*VEC_PUSH(&t->cells) = (struct cell){.type = v == U64_NONE ? CELL_NONE : type, .count = v};
}

void doc_cell_real(struct doc_table *t, enum cell_type type, double v)
{
	assert(type == CELL_RATIO || type == CELL_MEAN);
	*VEC_PUSH(&t->cells) = (struct cell){.type = isfinite(v) ? type : CELL_NONE, .real = v};
}

const char *doc_percent(char *buf, double share)
{
	if (!isfinite(share) || share < 0)
		snprintf(buf, DOC_PERCENT_BUF, "-");
	else if (share == 0 || share == 1)
		snprintf(buf, DOC_PERCENT_BUF, "%d%%", share == 0 ? 0 : 100);
	else if (share < 0.0005)
		snprintf(buf, DOC_PERCENT_BUF, "<0.1%%");
	else if (share >= 0.9995 && share < 1)
		snprintf(buf, DOC_PERCENT_BUF, ">99.9%%");
	else
		snprintf(buf, DOC_PERCENT_BUF, share < 1e12 ? "%.1f%%" : "%.3g%%", share * 100);
	return buf;
}

const char *doc_cell_words(struct arena *a, const struct cell *c)
{
	char buf[UNITS_BUF > DOC_PERCENT_BUF ? UNITS_BUF : DOC_PERCENT_BUF];

	switch (c->type) {
	case CELL_NONE:
		return "-";
	case CELL_TEXT:
		return c->text;
	case CELL_COUNT:
		return arena_strdup(a, units_thousands(buf, c->count));
	case CELL_NS:
		return arena_strdup(a, units_duration(buf, c->count));
	case CELL_US:
		return arena_strdup(a, units_us(buf, c->count));
	case CELL_SECONDS:
		return arena_printf(a, "%" PRIu64 ".%06" PRIu64, (uint64_t)(c->count / NS_PER_SEC),
			(uint64_t)(c->count % NS_PER_SEC / NS_PER_US));
	case CELL_BYTES:
		return arena_strdup(a, units_bytes(buf, c->count));
	case CELL_RATIO:
		return arena_strdup(a, doc_percent(buf, c->real));
	case CELL_MEAN:
		return arena_printf(a, fabs(c->real) < 1e15 ? "%.2f" : "%.3g", c->real);
	}
	return "";
}
