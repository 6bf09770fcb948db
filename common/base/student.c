/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/student.h"

#include <math.h>

#define LEVEL 0.95

/* The share between -t and t, for a whole df: the integral of a power of the cosine, by parts
 * (Abramowitz and Stegun 26.7.3 and 26.7.4). */
static double inside(double t, int df)
{
	double angle = atan(t / sqrt(df)), c = cos(angle), term = df % 2 ? c : 1, sum = 0;

	for (int i = df % 2 ? 3 : 2; i <= df; i += 2) {
		sum += term;
		term *= c * c * (i - 1) / i;
	}
	sum *= sin(angle);
	return df % 2 ? 2 / M_PI * (angle + sum) : sum;
}

double student_quantile(double df)
{
	const double z = 1.959963984540054;
	double low = z, high = 13; /* 12.71 with one */

	/* By the first terms of its expansion. */
	if (df >= 98)
		return z + (z * z * z + z) / (4 * df);
	while (high - low > 1e-9) {
		double middle = (low + high) / 2;

		*(inside(middle, (int)df) < LEVEL ? &low : &high) = middle;
	}
	return high;
}
