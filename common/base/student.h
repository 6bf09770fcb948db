/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_STUDENT_H
#define BASE_STUDENT_H

/* The 97.5% quantile of Student's t: half an interval of 95% in standard errors. df: whole, 1 or
 * more. Good to 0.001. */
double student_quantile(double df);

#endif
