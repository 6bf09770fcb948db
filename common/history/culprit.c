/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/history/culprit.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/compare/compare.h"
#include "common/compare/judge.h"

static int compare(const struct side *base, const struct side *new, const struct culprit_ask *ask,
	struct res_compare **ret, struct err *err)
{
	const struct compare_options options = {.limits = ask->limits,
		.scenario = ask->scenario,
		.type = ask->type,
		.only_found = 1};

	return compare_sides(base, new, &options, ret, err);
}

int culprit_compare(
	struct history *h, const struct culprit_ask *ask, struct res_compare **ret, struct err *err)
{
	struct side base = {0}, new = {0};
	int rc = history_side(h, ask->base, ask->scenario, ask->type, &base, err);

	if (rc == 0)
		rc = history_side(h, ask->new, ask->scenario, ask->type, &new, err);
	if (rc == 0)
		rc = compare(&base, &new, ask, ret, err);
	side_release(&base);
	side_release(&new);
	return rc;
}

/* ---- of one figure ---- */

static const struct res_compare_metric *row_of(
	const struct res_compare_part *part, const char *metric)
{
	for (size_t i = 0; i < part->metrics.len; i++)
		if (!strcmp(part->metrics.at[i].name, metric))
			return &part->metrics.at[i];
	return NULL;
}

/* A word of the sentence, not a part of one: read is in pread64. */
static int speaks_of(const char *sentence, const char *call, size_t len)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789_";

	for (const char *p = sentence; (p = strstr(p, call)); p += len)
		if ((p == sentence || !strchr(letters, p[-1])) && !strchr(letters, p[len]))
			return 1;
	return 0;
}

static const char *sentences_about(const struct res_strs *why, const char *call, struct arena *a)
{
	const char *all = "";

	for (size_t i = 0; i < why->len; i++)
		if (!call || speaks_of(why->at[i], call, strlen(call)))
			all = arena_printf(a, "%s%s%s", all, *all ? "; " : "", why->at[i]);
	return all;
}

static int is_not_compared(const struct res_compare_metric *row)
{
	return row && row->verdict && !strcmp(row->verdict, VERDICT_NOT_COMPARED);
}

/* One line, "" where nothing is said: the cause of the row, or the sentences about its call, or why
 * it is not compared. In a. */
static const char *culprit_of(
	const struct res_compare_part *part, const char *metric, struct arena *a)
{
	const struct res_compare_metric *row = row_of(part, metric);
	const char *dot = strrchr(metric, '.');
	const char *call = dot ? arena_printf(a, "%.*s", (int)(dot - metric), metric) : NULL;

	if (row && row->cause)
		return arena_strdup(a, row->cause);
	if (is_not_compared(row))
		return sentences_about(&part->notes, NULL, a);
	return sentences_about(&part->why, call, a);
}

static int tell_culprit(struct history *h, struct trend *t, const struct trend_series *s,
	struct trend_change *c, struct err *err)
{
	size_t was = c->at;
	struct res_compare *doc = NULL;
	int rc;

	do
		was--;
	while (was > 0 && isnan(s->points.at[was].median));
	rc = culprit_compare(h,
		&(struct culprit_ask){.base = s->points.at[was].label,
			.new = s->points.at[c->at].label,
			.scenario = s->scenario,
			.type = s->type},
		&doc, err);
	if (rc == 0 && doc->parts.len && is_not_compared(row_of(&doc->parts.at[0], t->metric)))
		c->why = TREND_MADE;
	if (rc == 0 && doc->parts.len)
		c->culprit = culprit_of(&doc->parts.at[0], t->metric, &t->arena);
	result_free(doc);
	return rc;
}

int trend_culprits(struct history *h, struct trend *t, struct err *err)
{
	size_t left = TREND_CULPRITS;
	int rc = 0;

	for (size_t i = 0; i < t->series.len; i++) {
		struct trend_series *s = &t->series.at[i];

		for (size_t k = s->changes.len; k-- > 0 && left && rc == 0;) {
			if (s->changes.at[k].why != TREND_EXACT)
				continue;
			left--;
			rc = tell_culprit(h, t, s, &s->changes.at[k], err);
		}
	}
	return rc;
}

/* ---- of all of them ---- */

static int is_change(const struct res_compare_metric *m)
{
	return !m->cause && m->kind && !strcmp(m->kind, "exact") &&
	       (!strcmp(m->verdict, VERDICT_REGRESSION) || !strcmp(m->verdict, VERDICT_BETTER));
}

struct pair {
	const char *was, *is;
	size_t version;
};

static struct change *add_change(
	struct changes *c, const struct pair *p, const struct res_compare_part *part)
{
	struct change *new = VEC_PUSH(c);

	*new = (struct change){.label = arena_strdup(&c->arena, p->is),
		.before_label = arena_strdup(&c->arena, p->was),
		.scenario = arena_strdup(&c->arena, part->scenario),
		.type = arena_strdup(&c->arena, part->type),
		.why = TREND_EXACT,
		.unit = "",
		.before = NAN,
		.after = NAN,
		.culprit = "",
		.version = p->version};
	return new;
}

static void add_part(struct changes *c, const struct pair *p, const struct res_compare_part *part)
{
	for (size_t i = 0; i < part->runs.len; i++)
		if (!strcmp(part->runs.at[i].verdict, VERDICT_REGRESSION)) {
			struct change *new = add_change(c, p, part);

			new->metric = "how it ends";
			new->direction = 1;
			new->culprit = arena_strdup(&c->arena, part->runs.at[i].text);
		}
	for (size_t i = 0; i < part->causes.len; i++) {
		struct change *new = add_change(c, p, part);

		new->metric = "processes";
		new->direction = strcmp(part->causes.at[i].verdict, VERDICT_BETTER) != 0 ? 1 : -1;
		new->culprit = arena_strdup(&c->arena, part->causes.at[i].text);
	}
	for (size_t i = 0; i < part->metrics.len; i++) {
		const struct res_compare_metric *m = &part->metrics.at[i];
		struct change *new;

		if (!is_change(m))
			continue;
		new = add_change(c, p, part);
		new->metric = arena_strdup(&c->arena, m->name);
		new->unit = arena_strdup(&c->arena, m->unit);
		new->before = m->base_median;
		new->after = m->new_median;
		new->direction = !strcmp(m->verdict, VERDICT_BETTER) ? -1 : 1;
		new->culprit = culprit_of(part, m->name, &c->arena);
	}
}

struct ran {
	char *scenario, *type, *label;
	int64_t runs;
};
struct rans {
	struct ran *at;
	size_t len, cap;
};

static int see_ran(void *ctx, const struct db_value *cells)
{
	*VEC_PUSH((struct rans *)ctx) = (struct ran){mem_strdup(db_text(&cells[0])),
		mem_strdup(db_text(&cells[1])), mem_strdup(db_text(&cells[2])), db_int(&cells[3])};
	return 0;
}

/* Every scenario and type with its versions, in order. */
static int find_rans(
	struct history *h, const struct trend_ask *ask, struct rans *ret, struct err *err)
{
	return db_run(h->db,
		&(struct db_query){
			.sql = "SELECT r.scenario, r.type, r.label, COUNT(*) FROM iotrace_run r "
			       "JOIN "
			       "iotrace_version v ON v.label = r.label WHERE ($1 = '' OR "
			       "r.scenario = $1) AND ($2 = '' OR r.type = $2) GROUP BY r.scenario, "
			       "r.type, r.label, v.added_ns ORDER BY r.scenario, r.type, "
			       "v.added_ns, r.label",
			.params = (const struct db_value[]){DB_STR(ask->scenario ? ask->scenario
										 : ""),
				DB_STR(ask->type ? ask->type : "")},
			.params_len = 2,
			.row = see_ran,
			.ctx = ret,
		},
		err);
}

static size_t place_of(const struct history_versions *v, const char *label)
{
	for (size_t i = 0; i < v->len; i++)
		if (!strcmp(v->at[i].label, label))
			return i;
	return v->len;
}

static int add_pair(struct changes *c, const struct pair *p, const struct side sides[2],
	const struct ran *is, struct err *err)
{
	const struct culprit_ask ask = {.scenario = is->scenario, .type = is->type};
	struct res_compare *doc = NULL;
	int rc = compare(&sides[0], &sides[1], &ask, &doc, err);

	if (rc == 0 && doc->parts.len)
		add_part(c, p, &doc->parts.at[0]);
	result_free(doc);
	return rc;
}

/* Each version is read once: it is the new side, and then the base. */
static int add_pairs(struct history *h, const struct rans *r, const struct history_versions *v,
	struct changes *c, struct err *err)
{
	struct side sides[2] = {0};
	int rc = 0;

	for (size_t i = 0; i < r->len && rc == 0; i++) {
		const struct ran *is = &r->at[i], *was = i ? is - 1 : is;
		int same =
			i && !strcmp(was->scenario, is->scenario) && !strcmp(was->type, is->type);

		c->sets++;
		c->few += is->runs < JUDGE_RUNS_EXACT;
		rc = history_side(h, is->label, is->scenario, is->type, &sides[1], err);
		if (rc == 0 && same)
			rc = add_pair(c,
				&(struct pair){was->label, is->label, place_of(v, is->label)},
				sides, is, err);
		side_release(&sides[0]);
		sides[0] = sides[1];
		sides[1] = (struct side){0};
	}
	side_release(&sides[0]);
	return rc;
}

/* What compare judges though no two runs of it agree. */
static int add_noisy(struct history *h, const struct trend_ask *ask, const char *metric,
	struct changes *c, struct err *err)
{
	struct trend t;
	const struct trend_ask one = {metric, ask->scenario, ask->type};
	struct err none = {0};
	int rc = trend_read(h, &one, &t, &none);

	for (size_t i = 0; i < t.series.len && rc == 0; i++) {
		const struct trend_series *s = &t.series.at[i];

		c->judged = s->judged < c->judged ? s->judged : c->judged;
		for (size_t k = 0; k < s->changes.len; k++) {
			const struct trend_change *at = &s->changes.at[k];

			if (at->why == TREND_EXACT)
				continue;
			*VEC_PUSH(c) = (struct change){
				.label = arena_strdup(&c->arena, s->points.at[at->at].label),
				.before_label =
					arena_strdup(&c->arena, s->points.at[at->at - 1].label),
				.scenario = arena_strdup(&c->arena, s->scenario),
				.type = arena_strdup(&c->arena, s->type),
				.metric = metric,
				.unit = arena_strdup(&c->arena, s->unit),
				.why = at->why,
				.direction = trend_direction(s, at),
				.before = at->before,
				.after = at->after,
				.culprit = ""};
		}
	}
	trend_release(&t);
	return rc < 0 && rc != -ENOENT ? err_set(err, rc, "%s", none.text) : 0;
}

static int by_version(const void *a, const void *b)
{
	const struct change *x = a, *y = b;

	if (x->version != y->version)
		return x->version < y->version ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

const char *const changes_noisy[CHANGES_NOISY] = {
	"wall_time", "throughput", "cpu_time", "latency", "peak_heap"};

int changes_read(
	struct history *h, const struct trend_ask *ask, struct changes *ret, struct err *err)
{
	struct history_versions v = {0};
	struct rans r = {0};
	int rc = history_list(h, &v, err);

	*ret = (struct changes){.versions = v.len, .judged = SIZE_MAX};
	if (rc == 0)
		rc = find_rans(h, ask, &r, err);
	if (rc == 0)
		rc = add_pairs(h, &r, &v, ret, err);
	for (size_t i = 0; i < CHANGES_NOISY && rc == 0; i++)
		rc = add_noisy(h, ask, changes_noisy[i], ret, err);
	for (size_t i = 0; i < ret->len; i++) {
		ret->at[i].version = place_of(&v, ret->at[i].label);
		ret->at[i].order = i;
	}
	if (ret->len)
		qsort(ret->at, ret->len, sizeof(*ret->at), by_version);
	for (size_t i = 0; i < r.len; i++) {
		free(r.at[i].scenario);
		free(r.at[i].type);
		free(r.at[i].label);
	}
	free(r.at);
	history_versions_release(&v);
	return rc;
}

void changes_release(struct changes *c)
{
	free(c->at);
	arena_release(&c->arena);
}
