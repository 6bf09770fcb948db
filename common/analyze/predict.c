/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/predict.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "common/base/student.h"

/* Mean and standard deviation of values that come one by one (Welford's way). */
struct spread {
	double n, mean, squares;
};

static void spread_add(struct spread *s, double v)
{
	double from = v - s->mean;

	s->n++;
	s->mean += from / s->n;
	s->squares += from * (v - s->mean);
}

static double spread_deviation(const struct spread *s)
{
	return s->n > 1 ? sqrt(s->squares / (s->n - 1)) : NAN;
}

/* How far the times may be from the line at that size, as a share: as far as the bend that the runs
 * agree on goes, or as chance leaves open. */
static double off_line(const struct spread *bend, double t)
{
	return hypot(bend->mean, t * spread_deviation(bend) / sqrt(bend->n));
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Sorts v. */
static double median(double *v, size_t n)
{
	qsort(v, n, sizeof(*v), by_value);
	return (v[(n - 1) / 2] + v[n / 2]) / 2;
}

/* The runs, as a new one will be: logarithms of a unit's time. */
struct look {
	struct spread usual, all; /* of usual calls; of all */
	struct spread bend;
	double units_max;
};

/* 0 if a line comes to no time there. */
static int look_at(const struct cost *runs, size_t n, double units, struct look *ret)
{
	*ret = (struct look){.units_max = INFINITY};
	for (size_t i = 0; i < n; i++) {
		double ns = cost_unit_ns(&runs[i], units);

		if (!(ns > 0) || !isfinite(ns))
			return 0;
		spread_add(&ret->all, log(ns));
		spread_add(&ret->usual, log(ns / runs[i].unusual));
		spread_add(&ret->bend, cost_bend(&runs[i], units));
		ret->units_max = fmin(ret->units_max, runs[i].units_max);
	}
	return 1;
}

/* Below: what usual calls take, for a new run may have no others, whatever those that were made
 * had. Above: what all do. */
static void interval(struct prediction *p, const struct look *l, double units)
{
	double n = l->all.n, t = student_quantile(n - 1), off = off_line(&l->bend, t);
	double beyond = p->beyond ? PREDICT_BEYOND * log2(units / l->units_max) : 0;
	double low = hypot(t * spread_deviation(&l->usual) * sqrt(1 + 1 / n),
		hypot(beyond, log1p(-fmin(off, 0.99))));
	double high =
		hypot(t * spread_deviation(&l->all) * sqrt(1 + 1 / n), hypot(beyond, log1p(off)));

	p->low = fmin(exp(l->usual.mean - low), p->unit_ns);
	p->high = fmax(exp(l->all.mean + high), p->unit_ns);
	p->share_low = 1 - p->high / p->now_ns;
	p->share_high = 1 - p->low / p->now_ns;
}

struct prediction predict(const struct cost *runs, size_t n, double units)
{
	struct prediction p = {.runs = n};
	double *then, *now;
	struct look l;

	if (!n || !look_at(runs, n, units, &l)) {
		p.state = PREDICT_NO_TIME;
		return p;
	}
	then = mem_calloc(n, sizeof(*then));
	now = mem_calloc(n, sizeof(*now));
	for (size_t i = 0; i < n; i++) {
		then[i] = cost_unit_ns(&runs[i], units);
		now[i] = runs[i].unit_ns;
	}
	p.unit_ns = median(then, n);
	p.now_ns = median(now, n);
	p.share = 1 - p.unit_ns / p.now_ns;
	p.beyond = units > l.units_max;
	if (n < PREDICT_RUNS_MIN)
		p.state = PREDICT_FEW_RUNS;
	else
		interval(&p, &l, units);
	free(then);
	free(now);
	return p;
}
