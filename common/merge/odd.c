/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/merge/odd.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/mem.h"

#define THRESHOLD  3.5
#define FAMILY     0.05
#define EFFICIENCY 0.37

/* Above |t| of Student's t with an even number of degrees of freedom, both tails. */
static double tails(double t, unsigned int df)
{
	double cos2 = (double)df / ((double)df + t * t), term = 1, sum = 1;

	for (unsigned int k = 2; k < df; k += 2) {
		term *= cos2 * (k - 1) / k;
		sum += term;
	}
	return 1 - sqrt(1 - cos2) * sum;
}

double odd_threshold(size_t values, size_t hosts)
{
	double low = 0, high = 1e4;
	unsigned int df = 2 * (unsigned int)(EFFICIENCY * (double)(hosts - (hosts > 0)) / 2);

	if (!values)
		return THRESHOLD;
	for (int i = 0; i < 100; i++) {
		double mid = (low + high) / 2;

		if ((double)values * tails(mid, df ? df : 2) > FAMILY)
			low = mid;
		else
			high = mid;
	}
	return fmax(THRESHOLD, high);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static double median_of(double *v, size_t len)
{
	qsort(v, len, sizeof(*v), by_value);
	return len % 2 ? v[len / 2] : (v[len / 2 - 1] + v[len / 2]) / 2;
}

/* What stands below the score's fraction line, of v, which is sorted anew; 0: all are the same. */
static double spread_of(double *v, size_t len, double median)
{
	double sum = 0, mad;

	for (size_t i = 0; i < len; i++) {
		v[i] = fabs(v[i] - median);
		sum += v[i];
	}
	mad = median_of(v, len);
	return mad > 0 ? mad / 0.6745 : 1.253314 * sum / (double)len;
}

double odd_scores(const double *values, size_t len, double *scores)
{
	double *v = mem_calloc(len + 1, sizeof(*v)), median = NAN, spread = 0;
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		scores[i] = NAN;
		if (!isnan(values[i]))
			v[n++] = values[i];
	}
	if (n >= ODD_HOSTS_MIN) {
		median = median_of(v, n);
		spread = spread_of(v, n, median);
		for (size_t i = 0; i < len; i++)
			if (!isnan(values[i]))
				scores[i] = spread > 0 ? (values[i] - median) / spread : 0;
	}
	free(v);
	return median;
}
