/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MODEL_CAUSES_H
#define MODEL_CAUSES_H

/* Rows of causes.def: the keys of `limited_by` in a result. */
enum cause {
#define CAUSE(id, name, meaning) CAUSE_##id,
#include "common/model/causes.def"
#undef CAUSE
	CAUSES
};

/* "arrivals" */
static inline const char *cause_name(enum cause cause)
{
	static const char *const names[] = {
#define CAUSE(id, name, meaning) name,
#include "common/model/causes.def"
#undef CAUSE
	};

	return names[cause];
}

#endif
