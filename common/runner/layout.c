/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/layout.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"

enum { NAME_MAX_LEN = 200 }; /* leaves room for suffixes below the 255 of most file systems */

int layout_name_ok(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";
	size_t len = strlen(name);

	return len > 0 && len <= NAME_MAX_LEN && name[0] != '.' && strspn(name, allowed) == len;
}

char *layout_file(const char *out_dir, const char *folder, const char *name, const char *suffix)
{
	return mem_printf("%s/%s/%s%s", out_dir, folder, name, suffix);
}

char *layout_runs_dir(const char *out_dir, const char *folder, const char *name)
{
	return mem_printf("%s/%s/%s.runs", out_dir, folder, name);
}

char *layout_run_json(const char *out_dir, const char *folder, const char *name, unsigned int run)
{
	return mem_printf("%s/%s/%s.runs/%u.json", out_dir, folder, name, run);
}

char *layout_log(const char *out_dir, const char *name, const char *run, const char *who)
{
	return mem_printf("%s/logs/%s-%s-%s.log", out_dir, name, run, who);
}

int layout_work_dir(
	const char *out_dir, const char *folder, const char *name, char **ret, struct err *err)
{
	cleanup_free char *parent = mem_printf("%s/%s", out_dir, folder);
	int rc = file_mkdirs(parent, err);

	if (rc < 0)
		return rc;
	char *dir = mem_printf("%s/.%s.XXXXXX", parent, name);
	if (!mkdtemp(dir)) {
		rc = -errno;
		free(dir);
		return err_set(err, rc, "cannot write to %s: %s", parent, strerror(-rc));
	}
	/* The tool may be started in another directory. */
	*ret = realpath(dir, NULL);
	rc = *ret ? 0 : -errno;
	if (rc < 0) {
		err_set(err, rc, "cannot resolve %s: %s", dir, strerror(-rc));
		rmdir(dir);
	}
	free(dir);
	return rc;
}

/* Removes from dir the plain files that `which` wants gone, and the directory if it is empty then.
 */
static void remove_files(const char *dir, int (*which)(const char *name))
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	if (!d)
		return;
	while ((entry = readdir(d)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
			which(entry->d_name))
			unlinkat(dirfd(d), entry->d_name, 0);
	closedir(d);
	rmdir(dir);
}

static int every_name(const char *name)
{
	return *name != '\0';
}

static int run_json_name(const char *name)
{
	size_t digits = strspn(name, "0123456789");

	return digits > 0 && !strcmp(name + digits, ".json");
}

void layout_remove_dir(const char *dir)
{
	if (dir)
		remove_files(dir, every_name);
}

void layout_clear_runs(const char *out_dir, const char *folder, const char *name)
{
	cleanup_free char *dir = layout_runs_dir(out_dir, folder, name);

	remove_files(dir, run_json_name);
}
