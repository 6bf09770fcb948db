/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/run/backend.h"

#include <string.h>

static const struct backend *const backends[] = {
#define BACKEND(name) &backend_##name,
#include "common/run/backends.def"
#undef BACKEND
};

const struct backend *backend_at(size_t i)
{
	return i < sizeof(backends) / sizeof(backends[0]) ? backends[i] : NULL;
}

const struct backend *backend_by_id(const char *id)
{
	for (size_t i = 0; backend_at(i); i++)
		if (!strcmp(backend_at(i)->id, id))
			return backend_at(i);
	return NULL;
}
