/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_ERR_H
#define BASE_ERR_H

/*
 * One error object, filled once where the error arises, prefixed on the way up, untouched on
 * success. Functions that can fail return 0 or a negative errno and take `struct err *err` last.
 *
 *	if (fd < 0)
 *		return err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
 *	...
 *	rc = config_read(path, &cfg, err);
 *	if (rc < 0)
 *		return err_wrap(err, "scenario %s", name);
 */
struct err {
	int code;       /* negative errno, 0 = no error */
	char text[768]; /* one line for a person: what happened, where, what to do */
};

/* Fills err (may be NULL) and returns code, which must be negative. The first error stays. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "text: " before the error's text; returns its code. */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
