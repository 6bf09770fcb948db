/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/write/writer.h"

#include <string.h>

static const struct writer *const writers[] = {
#define WRITER(name) &writer_##name,
#include "common/write/writers.def"
#undef WRITER
};

const struct writer *writer_by_id(const char *id)
{
	for (size_t i = 0; i < LEN(writers); i++) {
		if (!strcmp(writers[i]->id, id))
			return writers[i];
	}
	return NULL;
}
