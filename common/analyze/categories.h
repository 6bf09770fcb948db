/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_CATEGORIES_H
#define ANALYZE_CATEGORIES_H

#include "common/model/result.h"

enum category {
#define CATEGORY(id, title) CATEGORY_##id,
#define CALL(name, category)
#define CLASS(class, category)
#include "common/analyze/categories.def"
#undef CATEGORY
#undef CALL
#undef CLASS
	CATEGORIES
};

const char *category_title(enum category c);
enum category category_of_call(const char *name, const char *class); /* either may be NULL */

enum { CATEGORY_TOP = 3 };
struct category_row {
	enum category id;
	uint64_t calls, errors, wall_ns;
	struct {
		const char *name;
		uint64_t calls;
	} top[CATEGORY_TOP]; /* most calls first; name NULL: no more */
};

/* All categories, by calls. read, write and the like count as network, files or
 * pipes as far as the fds of the result say what they were called on. */
void categories_count(const struct res_result *r, struct category_row rows[CATEGORIES]);

#endif
