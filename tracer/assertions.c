/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/assertions.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/compare/limit.h"
#include "common/compare/made.h"
#include "common/compare/metric.h"

struct assertion {
	char *name; /* heap: of the figure */
	const char *condition;
	struct limit limit;
};

/* ---- what is asserted ---- */

static int check_name(const char *name, struct err *err)
{
	int rc = metric_check_name(name, err);

	if (rc == 0 && !metric_is_of(name, &schema_result))
		rc = err_set(
			err, -EINVAL, "%.60s is a figure of another profile than iotrace's", name);
	return rc;
}

int assertions_add(struct assertions *a, const char *text, struct err *err)
{
	size_t len = strcspn(text, " <>=+");
	struct assertion new = {.condition = text + len + strspn(text + len, " ")};
	int rc;

	if (!len || !*new.condition)
		return err_set(err, -EINVAL,
			"'%.60s' is not FIGURE and a limit, as in 'write.calls <= 20'", text);
	new.name = mem_strndup(text, len);
	rc = check_name(new.name, err);
	if (rc == 0)
		rc = metric_parse_limit(new.name, new.condition, &new.limit, err);
	if (rc == 0 && new.limit.op == LIMIT_WORSE)
		rc = err_set(err, -EINVAL,
			"'%.60s': there is no other run that it could be worse than (see "
			"profile-scenario compare)",
			text);
	if (rc < 0) {
		free(new.name);
		return rc;
	}
	*VEC_PUSH(a) = new;
	return 0;
}

const char *assertions_on_times(const struct assertions *a)
{
	for (size_t i = 0; i < a->len; i++)
		if (metric_is_of_call_times(a->at[i].name))
			return a->at[i].name;
	return NULL;
}

void assertions_release(struct assertions *a)
{
	for (size_t i = 0; i < a->len; i++)
		free(a->at[i].name);
	free(a->at);
	*a = (struct assertions){0};
}

/* ---- what became of it ---- */

/* What is known of a run; part and rules are of it alone. */
struct judged {
	struct res_result *r;
	struct metrics metrics;
	struct judge_rules rules;
};

/* Of the run; NULL: it can be judged. */
static const char *why_not_the_run(const struct res_result *r)
{
	const struct result_head head = result_head(r);

	if (r->complete != 1)
		return "the result is incomplete (see its warnings)";
	/* Figures of the whole run, where those of a window were asked for, are others. */
	return result_is_warned(&head, "window_never_began")
		       ? "the window that was asked for never began"
		       : NULL;
}

/* Why a figure that was measured says nothing of the program; NULL: it does. */
static const char *why_not_the_programs(const struct judged *j, const struct metric *m)
{
	if (why_not_the_run(j->r))
		return why_not_the_run(j->r);
	if (m->kind == METRIC_TIME)
		return j->rules.times;
	if (m->kind == METRIC_BATCH || m->kind == METRIC_BATCHES)
		return j->rules.batches ? j->rules.batches : j->rules.counts;
	return j->rules.counts;
}

/* Of a figure that has no value. */
static const char *why_unmeasured(const struct judged *j, const char *name, double *ret)
{
	const char *dot = strrchr(name, '.');

	if (why_not_the_run(j->r))
		return why_not_the_run(j->r);
	if (metric_is_none(j->r, name)) {
		*ret = 0;
		return NULL;
	}
	if (!dot)
		return "it was not measured in this run";
	cleanup_free char *call = mem_strndup(name, (size_t)(dot - name));

	if (!metric_call_is_traced(j->r, call))
		return "the call is not traced (see --trace)";
	if (strchr(dot, '@'))
		return "there is no window, so no start-up and shutdown (see --skip)";
	return metric_call_was_made(j->r, call) ? "it was not measured in this run"
						: "the call was not made";
}

/* Its figure; or NULL in *ret_why and the figure. */
static double figure(const struct judged *j, const char *name, const char **ret_why)
{
	const struct metric *m = metrics_find(&j->metrics, name);
	double v = m ? m->values[0] : NAN;

	*ret_why = !m || isnan(v) ? why_unmeasured(j, name, &v) : why_not_the_programs(j, m);
	return v;
}

static int judge_one(const struct assertion *a, const struct judged *j, struct out *o)
{
	const char *why;
	double v = figure(j, a->name, &why);

	if (why) {
		out_printf(o, "iotrace: cannot judge: %s %s: %s\n", a->name, a->condition, why);
		return 1;
	}
	if (limit_met(&a->limit, v))
		return 0;
	out_printf(o, "iotrace: does not hold: %s %s: it is %.10g\n", a->name, a->condition, v);
	return 1;
}

size_t assertions_judge(const struct assertions *a, struct res_result *r, struct out *o)
{
	static const struct result_kind kind = {.id = "io", .schema = &schema_result};
	void *run = r;
	const struct side_part part = {.kind = &kind, .runs = {&run, 1, 1}};
	struct judged j = {.r = r, .rules = made_rules_alone(&part)};
	size_t n = 0;

	metrics_read(&part, &j.metrics);
	for (size_t i = 0; i < a->len; i++)
		n += (size_t)judge_one(&a->at[i], &j, o);
	metrics_release(&j.metrics);
	made_release(&j.rules);
	return n;
}
