/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Of the static build only. elfutils would load its client for debug information from the network,
 * and with it a second C library: here there is nothing to be loaded.
 */
#include <dlfcn.h>
#include <stddef.h>

void *dlopen(const char *file, int mode)
{
	(void)file;
	(void)mode;
	return NULL;
}

void *dlsym(void *restrict handle, const char *restrict name)
{
	(void)handle;
	(void)name;
	return NULL;
}

int dlclose(void *handle)
{
	(void)handle;
	return 0;
}

char *dlerror(void)
{
	return NULL;
}
