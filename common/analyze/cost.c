/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/cost.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/student.h"

/* Sums over sizes, weighted by calls. */
struct sums {
	double calls, units, ns;
	double xx, xxx, xy; /* about the mean */
};

struct size {
	double units, calls, ns, sq; /* calls that count */
	double all_calls, all_ns;
};

/* 0: nothing that can be used. */
static int read_size(const struct res_by_transferred *row, int usual, struct size *ret)
{
	if (!row->key || row->calls == U64_NONE || !row->calls || row->total_ns == U64_NONE)
		return 0;
	if (!isfinite(row->sum_sq_ns))
		return 0;
	ret->units = strtod(row->key, NULL);
	ret->all_calls = (double)row->calls;
	ret->all_ns = (double)row->total_ns;
	ret->calls = usual ? (double)row->usual_calls : ret->all_calls;
	ret->ns = usual ? (double)row->usual_ns : ret->all_ns;
	ret->sq = usual ? row->usual_sq_ns : row->sum_sq_ns;
	return ret->units >= 1 && isfinite(ret->units);
}

/* Whether it is known of every size what is usual, and nearly all calls are. */
static int most_are_usual(const struct res_batch *b)
{
	double all = 0, usual = 0;
	struct size z;

	for (size_t i = 0; i < b->by_transferred.len; i++) {
		const struct res_by_transferred *row = &b->by_transferred.at[i];

		if (!read_size(row, 0, &z))
			continue;
		if (row->usual_calls == U64_NONE || !row->usual_calls ||
			row->usual_calls > row->calls || row->usual_ns == U64_NONE ||
			!isfinite(row->usual_sq_ns))
			return 0;
		all += z.calls;
		usual += (double)row->usual_calls;
	}
	return usual >= COST_USUAL_MIN * all;
}

static struct sums add_up(const struct res_batch *b, int usual, struct cost *c)
{
	struct sums s = {0};
	double all_units = 0, all_ns = 0, as_usual_ns = 0;
	struct size z;

	for (size_t i = 0; i < b->by_transferred.len; i++) {
		if (!read_size(&b->by_transferred.at[i], usual, &z))
			continue;
		s.calls += z.calls;
		s.units += z.units * z.calls;
		s.ns += z.ns;
		all_units += z.units * z.all_calls;
		all_ns += z.all_ns;
		as_usual_ns += z.all_calls * z.ns / z.calls;
		c->calls += (uint64_t)z.all_calls;
		c->sizes += z.calls >= COST_SIZE_CALLS;
		c->different++;
		if (z.units > c->units_max)
			c->units_max = z.units;
	}
	c->mean_units = s.units / s.calls;
	c->mean_ns = s.ns / s.calls;
	c->unit_ns = all_ns / all_units;
	c->unusual = all_ns / as_usual_ns;
	for (size_t i = 0; i < b->by_transferred.len; i++) {
		if (!read_size(&b->by_transferred.at[i], usual, &z))
			continue;
		double x = z.units - c->mean_units;

		s.xx += z.calls * x * x;
		s.xxx += z.calls * x * x * x;
		s.xy += x * (z.ns - z.calls * c->mean_ns);
	}
	return s;
}

static double off_slope(const struct cost *c, double units)
{
	double x = units - c->mean_units;

	return x * x - c->bend_slope * x - c->bend_rest;
}

/* A parabola's part that is no line: least squares along it. */
static void fit_bend(struct cost *c, const struct res_batch *b, int usual, const struct sums *s)
{
	double along = 0, squares = 0;
	struct size z;

	c->bend_slope = s->xxx / s->xx;
	c->bend_rest = s->xx / s->calls;
	for (size_t i = 0; i < b->by_transferred.len; i++) {
		if (!read_size(&b->by_transferred.at[i], usual, &z))
			continue;
		double q = off_slope(c, z.units);

		along += q * z.ns;
		squares += z.calls * q * q;
	}
	c->bend = squares > 0 ? along / squares : 0;
}

/* What lies between the line and the times: `between` the line and the mean of
 * each size, and the sums of squares that the intervals need. */
struct rest {
	double of_means, means; /* squares about the line, about the mean */
	double within;          /* of calls about the mean of their size */
	size_t sizes;
	double r00, r01, r11; /* of calls, times powers of the distance to the mean size */
};

static struct rest look_back(const struct res_batch *b, int usual, const struct cost *c)
{
	struct rest r = {0};
	struct size z;

	for (size_t i = 0; i < b->by_transferred.len; i++) {
		if (!read_size(&b->by_transferred.at[i], usual, &z))
			continue;
		double line = c->fixed_ns + c->each_ns * z.units, mean = z.ns / z.calls;
		double squares = z.sq - 2 * line * z.ns + z.calls * line * line;
		double x = z.units - c->mean_units;

		if (squares < 0)
			squares = 0; /* rounding, or a file whose sums do not fit together */
		r.of_means += z.calls * (mean - line) * (mean - line);
		r.means += z.calls * (mean - c->mean_ns) * (mean - c->mean_ns);
		r.within += fmax(z.sq - z.ns * mean, 0);
		r.sizes++;
		r.r00 += squares;
		r.r01 += squares * x;
		r.r11 += squares * x * x;
	}
	return r;
}

static void intervals(struct cost *c, const struct sums *s, const struct rest *r)
{
	double small = s->calls / (s->calls - 2), t = student_quantile(s->calls - 2);
	double v00 = small * r->r00 / (s->calls * s->calls);
	double v01 = small * r->r01 / (s->calls * s->xx);
	double v11 = small * r->r11 / (s->xx * s->xx);
	double fixed = v00 - 2 * c->mean_units * v01 + c->mean_units * c->mean_units * v11;
	double half_fixed = t * sqrt(fixed > 0 ? fixed : 0), half_each = t * sqrt(v11);

	c->fixed_low = c->fixed_ns - half_fixed;
	c->fixed_high = c->fixed_ns + half_fixed;
	c->each_low = c->each_ns - half_each;
	c->each_high = c->each_ns + half_each;
}

/* How far the sizes' mean times lie off the line beyond what chance does: calls differ among
 * themselves, and so do means of them. */
static double miss(const struct cost *c, const struct sums *s, const struct rest *r)
{
	double chance = s->calls > (double)r->sizes
				? ((double)r->sizes - 2) * r->within / (s->calls - (double)r->sizes)
				: 0;

	return c->mean_ns > 0 ? sqrt(fmax(r->of_means - chance, 0) / s->calls) / c->mean_ns : NAN;
}

struct cost cost_fit(const struct res_batch *b)
{
	struct cost c = {0};
	int usual = most_are_usual(b);
	struct sums s = add_up(b, usual, &c);

	if (c.calls < COST_CALLS_MIN)
		c.state = COST_FEW_CALLS;
	else if (c.sizes < COST_SIZES_MIN)
		c.state = COST_FEW_SIZES;
	if (c.state != COST_OK)
		return c;
	c.each_ns = s.xy / s.xx;
	c.fixed_ns = c.mean_ns - c.each_ns * c.mean_units;

	struct rest r = look_back(b, usual, &c);

	fit_bend(&c, b, usual, &s);
	intervals(&c, &s, &r);
	c.r2 = r.means > 0 ? 1 - r.of_means / r.means : NAN;
	c.miss = miss(&c, &s, &r);
	if (!(c.miss <= COST_MISS_MAX))
		c.state = COST_NO_LINE;
	return c;
}

double cost_unit_ns(const struct cost *c, double units)
{
	return (c->fixed_ns / units + c->each_ns) * c->unusual;
}

double cost_bend(const struct cost *c, double units)
{
	return c->bend * off_slope(c, units) / (c->fixed_ns + c->each_ns * units);
}

struct cost_gain cost_gain(const struct cost *c, double units)
{
	double times = 1 / c->mean_units - 1 / units, now = c->mean_ns / c->mean_units;
	struct cost_gain g = {.saved_ns = c->fixed_ns * times,
		.saved_low = c->fixed_low * times,
		.saved_high = c->fixed_high * times,
		.beyond = units > c->units_max};

	g.share = g.saved_ns / now;
	g.share_low = g.saved_low / now;
	g.share_high = g.saved_high / now;
	return g;
}
