/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/export/format.h"

#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/text.h"

#define FORMAT(name) extern const struct export_format export_##name;
#include "common/export/formats.def"
#undef FORMAT

static const struct export_format *const formats[] = {
#define FORMAT(name) &export_##name,
#include "common/export/formats.def"
#undef FORMAT
};

#define FORMATS (LEN(formats))

const struct export_format *export_format_at(size_t i)
{
	return i < FORMATS ? formats[i] : NULL;
}

const struct export_format *export_format_find(const char *id, struct err *err)
{
	struct nearest n = nearest_to(id, 3);
	struct arena arena = {0};
	const char *names = "";

	for (size_t i = 0; i < FORMATS; i++) {
		if (!strcmp(formats[i]->id, id)) {
			arena_release(&arena);
			return formats[i];
		}
		nearest_try(&n, formats[i]->id);
		names = arena_printf(&arena, "%s%s%s", names, i ? ", " : "", formats[i]->id);
	}
	cleanup_free char *hint = nearest_hint(&n);

	err_set(err, -EINVAL, "no format is called '%.60s'; there are %s%s", id, names, hint);
	arena_release(&arena);
	return NULL;
}

char *export_base(const struct export_source *s)
{
	static const char *const ends[] = {"-cpu.json", ".json"};

	for (size_t i = 0; i < LEN(ends); i++) {
		size_t stem = text_stem_len(s->path, ends[i]);

		if (stem)
			return mem_strndup(s->path, stem);
	}
	return mem_strdup(s->path);
}

const char *export_scenario(const struct export_source *s)
{
	const char *name = NULL;

	if (s->schema == &schema_result)
		name = ((const struct res_result *)s->doc)->scenario;
	else if (s->schema == &schema_cpu)
		name = ((const struct res_cpu *)s->doc)->scenario;
	return name ? name : "";
}

void export_timeless(struct out *notes, const char *what)
{
	out_printf(notes, "profile-scenario: calls have no times (--no-times): %s\n", what);
}
