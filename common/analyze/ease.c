/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <string.h>

#include "common/analyze/analyze.h"

static const struct {
	const char *name, *change;
	unsigned int ease;
} kinds[TARGET_KINDS] = {
#define TARGET(id, name, ease, change) {name, change, ease},
#include "common/analyze/targets.def"
#undef TARGET
};

struct ease_table ease_defaults(void)
{
	struct ease_table t;

	for (int i = 0; i < TARGET_KINDS; i++)
		t.of[i] = kinds[i].ease;
	return t;
}

int ease_set(struct ease_table *t, const char *kind, uint64_t ease, struct err *err)
{
	for (int i = 0; i < TARGET_KINDS; i++) {
		if (strcmp(kinds[i].name, kind) != 0)
			continue;
		if (ease < 1 || ease > 10)
			return err_set(err, -EINVAL, "ease of %s: not from 1 to 10", kind);
		t->of[i] = (unsigned int)ease;
		return 0;
	}
	return err_set(err, -EINVAL, "'%.60s' is no kind of target (see --help)", kind);
}

const char *ease_name(enum target_kind kind)
{
	return kinds[kind].name;
}

const char *ease_change(enum target_kind kind)
{
	return kinds[kind].change;
}
