/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/baseline/baseline.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/out.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "common/baseline/baseline_manifest.h"
#include "common/baseline/baseline_metadata.h"
#include "common/baseline/baseline_tree.h"
#include "common/runner/layout.h"

#define METADATA_MAX_BYTES ((size_t)16 << 20)
#define MANIFEST_MAX_BYTES ((size_t)64 << 20)

static int check_version(const char *version, struct err *err)
{
	if (layout_name_ok(version))
		return 0;
	return err_set(err, -EINVAL,
		"version '%.100s' is not a name: letters, digits, '.', '_' and '-' (not starting "
		"with a dot)",
		version);
}

static int open_dir(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* ---- save ---- */

/* A baseline that is being made: directory `temp` in the directory of all baselines. */
struct making {
	const struct baseline_place *place;
	const char *version;
	char *parent, *temp; /* path; name in it */
	int parent_fd, fd;
	struct manifest manifest;
};

static int making_begin(struct making *mk, struct err *err)
{
	cleanup_free char *temp = NULL;
	mode_t mask;

	mk->parent = mem_printf("%s/" BASELINE_FOLDER, mk->place->out_dir);
	int rc = file_mkdirs(mk->parent, err);

	if (rc < 0)
		return rc;
	mk->parent_fd = open_dir(mk->parent);
	if (mk->parent_fd < 0)
		return err_set(err, mk->parent_fd, "cannot open %s: %s", mk->parent,
			strerror(-mk->parent_fd));
	temp = mem_printf("%s/.%s.XXXXXX", mk->parent, mk->version);
	if (!mkdtemp(temp))
		return err_set(err, -errno, "cannot write to %s: %s", mk->parent, strerror(errno));
	mk->temp = mem_strdup(strrchr(temp, '/') + 1);
	mk->fd = openat(mk->parent_fd, mk->temp, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (mk->fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", temp, strerror(errno));
	/* mkdtemp() lets nobody else in, a baseline is as open as other directories. */
	mask = umask(0);
	umask(mask);
	if (fchmod(mk->fd, 0777 & ~mask) < 0)
		return err_set(err, -errno, "cannot change %s: %s", temp, strerror(errno));
	return 0;
}

static void making_end(struct making *mk)
{
	if (mk->temp)
		tree_remove(mk->parent_fd, mk->temp);
	if (mk->fd >= 0)
		close(mk->fd);
	if (mk->parent_fd >= 0)
		close(mk->parent_fd);
	free(mk->parent);
	free(mk->temp);
	manifest_release(&mk->manifest);
}

static int copy_results(struct making *mk, struct baseline_notes *notes, struct err *err)
{
	const struct tree_copy copy = {&mk->manifest, notes, mk->fd, mk->place->interrupted};
	int rc = 0;

	for (const struct result_kind *k = mk->place->kinds; k->id && rc == 0; k++) {
		cleanup_free char *from = mem_printf("%s/%s", mk->place->out_dir, k->folder);

		rc = tree_copy_results(&copy, from, k->id, err);
	}
	return rc;
}

/* NAME of "ID/NAMEsuffix", the JSON of a result of that kind; NULL for other files. The caller's.
 */
static char *result_name(const struct result_kind *k, const char *path)
{
	size_t folder = strlen(k->id), suffix = strlen(k->json_suffix), len = strlen(path);

	if (strncmp(path, k->id, folder) != 0 || path[folder] != '/' ||
		strchr(path + folder + 1, '/') || len <= folder + 1 + suffix ||
		strcmp(path + len - suffix, k->json_suffix) != 0)
		return NULL;
	return mem_strndup(path + folder + 1, len - folder - 1 - suffix);
}

/* The copies are read, so that the text is of what was saved. */
static void read_results(const struct making *mk, struct metadata *m)
{
	for (const struct result_kind *k = mk->place->kinds; k->id; k++) {
		for (size_t i = 0; i < mk->manifest.len; i++) {
			const char *path = mk->manifest.at[i].path;
			cleanup_free char *name = result_name(k, path);
			cleanup_free char *file =
				mem_printf("%s/%s/%s", mk->parent, mk->temp, path);

			if (name)
				metadata_read(m, k->id, k->schema, name, file);
		}
	}
}

static int write_text(
	struct making *mk, const char *name, struct out *o, struct manifest *m, struct err *err)
{
	const char *text = out_text(o);

	return tree_write_file(mk->fd, name, text, strlen(text), m, err);
}

static int write_manifest(struct making *mk, struct err *err)
{
	struct out o;
	int rc;

	manifest_sort(&mk->manifest);
	out_init_mem(&o);
	manifest_write(&mk->manifest, &o);
	rc = write_text(mk, BASELINE_MANIFEST, &o, NULL, err);
	out_release(&o);
	return rc;
}

static const char *date_now(char *buf, size_t size)
{
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(buf, size, "%Y-%m-%dT%H:%M:%SZ", &tm);
	return buf;
}

static int write_metadata(struct making *mk, struct baseline_saved *ret, struct err *err)
{
	char date[32];
	struct metadata m = {.version = mk->version, .date = date_now(date, sizeof(date))};
	struct metadata_lines doubts = {0};
	struct out o;
	int rc;

	read_results(mk, &m);
	ret->results = m.results.len;
	metadata_doubts(&m, &doubts);
	for (size_t i = 0; i < doubts.len; i++)
		baseline_note(&ret->warnings, "%s", doubts.at[i]);
	out_init_mem(&o);
	metadata_write(&m, &o);
	rc = write_text(mk, BASELINE_METADATA, &o, &mk->manifest, err);
	out_release(&o);
	free(doubts.at);
	metadata_release(&m);
	return rc;
}

static int exists_error(const struct making *mk, struct err *err)
{
	return err_set(
		err, -EEXIST, "%s/%s exists already; --force replaces it", mk->parent, mk->version);
}

/* Where two directories cannot be exchanged in one step (NFS): for a moment there is none, and if
 * the second step fails the first is undone. */
static int replace_in_two_steps(struct making *mk)
{
	cleanup_free char *old = mem_printf("%s.old", mk->temp);
	int code;

	if (renameat(mk->parent_fd, mk->version, mk->parent_fd, old) < 0)
		return -errno;
	if (renameat(mk->parent_fd, mk->temp, mk->parent_fd, mk->version) < 0) {
		code = -errno;
		renameat(mk->parent_fd, old, mk->parent_fd, mk->version);
		return code;
	}
	tree_remove(mk->parent_fd, old);
	return 0;
}

static int exchange(struct making *mk)
{
	/* Afterwards the old one has the name of the new one, and goes with it. */
	if (renameat2(mk->parent_fd, mk->temp, mk->parent_fd, mk->version, RENAME_EXCHANGE) == 0)
		return 0;
	return errno == EINVAL || errno == ENOSYS ? replace_in_two_steps(mk) : -errno;
}

/* Without renameat2() or its flag: a directory does not replace one that has files in it. */
static int take_free_name(struct making *mk)
{
	int fd = mk->parent_fd;

	if (renameat2(fd, mk->temp, fd, mk->version, RENAME_NOREPLACE) == 0)
		return 0;
	if (errno != EINVAL && errno != ENOSYS)
		return -errno;
	if (renameat(fd, mk->temp, fd, mk->version) == 0)
		return 0;
	return errno == ENOTEMPTY || errno == ENOTDIR ? -EEXIST : -errno;
}

/* Gives it its name. */
static int publish(struct making *mk, int force, struct err *err)
{
	int rc = fsync(mk->fd) < 0 ? -errno : take_free_name(mk);

	if (rc == -EEXIST && !force)
		return exists_error(mk, err);
	if (rc == -EEXIST)
		rc = exchange(mk);
	if (rc < 0)
		return err_set(
			err, rc, "cannot create %s/%s: %s", mk->parent, mk->version, strerror(-rc));
	fsync(mk->parent_fd);
	return 0;
}

static int no_results(const char *dir, struct err *err)
{
	return err_set(err, -ENOENT,
		"there are no results in %s: run a scenario first, or give --output-dir", dir);
}

static int make(struct making *mk, int force, struct baseline_saved *ret, struct err *err)
{
	struct stat st;
	int rc = making_begin(mk, err);

	if (rc < 0)
		return rc;
	/* Before much is copied; publish() makes sure. */
	if (!force && fstatat(mk->parent_fd, mk->version, &st, AT_SYMLINK_NOFOLLOW) == 0)
		return exists_error(mk, err);
	rc = copy_results(mk, &ret->warnings, err);
	if (rc < 0)
		return rc;
	if (!mk->manifest.len)
		return no_results(mk->place->out_dir, err);
	manifest_sort(&mk->manifest);
	rc = write_metadata(mk, ret, err);
	if (rc == 0)
		rc = write_manifest(mk, err);
	return rc == 0 ? publish(mk, force, err) : rc;
}

int baseline_save(const struct baseline_place *place, const char *version, int force,
	struct baseline_saved *ret, struct err *err)
{
	struct making mk = {.place = place, .version = version, .parent_fd = -1, .fd = -1};
	struct stat st;
	int rc = check_version(version, err);

	*ret = (struct baseline_saved){0};
	if (rc < 0)
		return rc;
	if (stat(place->out_dir, &st) < 0 && errno == ENOENT)
		return no_results(place->out_dir, err);
	if (stat(place->out_dir, &st) < 0)
		return err_set(err, -errno, "cannot read %s: %s", place->out_dir, strerror(errno));
	rc = make(&mk, force, ret, err);
	if (rc == 0) {
		ret->path = mem_printf("%s/%s", mk.parent, version);
		ret->files = mk.manifest.len;
		for (size_t i = 0; i < mk.manifest.len; i++)
			ret->bytes = sat_add(ret->bytes, mk.manifest.at[i].bytes);
	}
	making_end(&mk);
	return rc;
}

void baseline_saved_release(struct baseline_saved *s)
{
	free(s->path);
	baseline_notes_release(&s->warnings);
}

/* ---- list ---- */

/* "io a b; cpu a" */
static char *scenarios_in(const struct baseline_place *place, const struct manifest *m)
{
	char *all = mem_strdup("");

	for (const struct result_kind *k = place->kinds; k->id; k++) {
		char *names = mem_strdup("");

		for (size_t i = 0; i < m->len; i++) {
			cleanup_free char *name = result_name(k, m->at[i].path);

			if (name)
				text_append(&names, " ", name);
		}
		if (*names) {
			text_append(&all, "; ", k->id);
			text_append(&all, " ", names);
		}
		free(names);
	}
	return all;
}

/* A file of a baseline as text, never through a symbolic link. The caller's. */
static int read_below(int fd, const char *name, size_t max_bytes, char **ret, struct err *err)
{
	cleanup_close int file =
		openat(fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	struct stat st;

	if (file < 0)
		return err_set(err, -errno, "cannot open %s: %s", name, strerror(errno));
	if (fstat(file, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(err, -EINVAL, "%s is not a regular file", name);
	cleanup_free char *path = mem_printf("/proc/self/fd/%d", file);
	return file_read(path, max_bytes, ret, NULL, err);
}

static void describe(
	const struct baseline_place *place, int fd, const char *version, struct baseline_entry *ret)
{
	struct manifest m = {0};
	struct arena arena = {0};
	cleanup_free char *text = NULL;
	const char *date = NULL;

	*ret = (struct baseline_entry){.version = mem_strdup(version)};
	/* What cannot be read is for verify to say. */
	(void)tree_scan(fd, 0, &m, NULL);
	for (size_t i = 0; i < m.len; i++)
		ret->bytes = sat_add(ret->bytes, m.at[i].bytes);
	ret->files = m.len;
	ret->scenarios = scenarios_in(place, &m);
	if (read_below(fd, BASELINE_METADATA, METADATA_MAX_BYTES, &text, NULL) == 0)
		date = metadata_date(&arena, text);
	ret->date = mem_strdup(date ? date : "-");
	arena_release(&arena);
	manifest_release(&m);
}

static int by_version(const void *a, const void *b)
{
	const struct baseline_entry *x = a, *y = b;

	return strverscmp(x->version, y->version);
}

int baseline_list(const struct baseline_place *place, struct baseline_list *ret, struct err *err)
{
	cleanup_free char *parent = mem_printf("%s/" BASELINE_FOLDER, place->out_dir);
	DIR *d = opendir(parent);
	struct dirent *entry;

	*ret = (struct baseline_list){0};
	if (!d && errno == ENOENT)
		return 0;
	if (!d)
		return err_set(err, -errno, "cannot read %s: %s", parent, strerror(errno));
	while ((entry = readdir(d))) {
		cleanup_close int fd = -1;

		if (!layout_name_ok(entry->d_name))
			continue;
		fd = openat(
			dirfd(d), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd >= 0)
			describe(place, fd, entry->d_name, VEC_PUSH(ret));
	}
	closedir(d);
	if (ret->len)
		qsort(ret->at, ret->len, sizeof(*ret->at), by_version);
	return 0;
}

void baseline_list_release(struct baseline_list *l)
{
	for (size_t i = 0; i < l->len; i++) {
		free(l->at[i].version);
		free(l->at[i].date);
		free(l->at[i].scenarios);
	}
	free(l->at);
	*l = (struct baseline_list){0};
}

/* ---- verify ---- */

static void forget(struct manifest *m, const char *path)
{
	for (size_t i = 0; i < m->len; i++) {
		if (strcmp(m->at[i].path, path) != 0)
			continue;
		memmove(&m->at[i], &m->at[i + 1], (m->len - i - 1) * sizeof(*m->at));
		m->len--;
		return;
	}
}

static int read_manifest(int fd, struct manifest *ret, struct baseline_check *check)
{
	cleanup_free char *text = NULL;
	struct err err = {0};
	int rc = read_below(fd, BASELINE_MANIFEST, MANIFEST_MAX_BYTES, &text, &err);

	if (rc == 0)
		rc = manifest_parse(text, ret, &err);
	if (rc < 0)
		*VEC_PUSH(&check->findings) = (struct baseline_finding){
			rc == -ENOENT ? BASELINE_MISSING : BASELINE_UNREADABLE,
			rc == -ENOENT
				? BASELINE_MANIFEST
				: arena_printf(&check->arena, BASELINE_MANIFEST " (%s)", err.text)};
	return rc;
}

int baseline_verify(const struct baseline_place *place, const char *version,
	struct baseline_check *ret, struct err *err)
{
	struct manifest saved = {0}, there = {0};
	int rc = check_version(version, err);

	*ret = (struct baseline_check){0};
	if (rc < 0)
		return rc;
	cleanup_free char *path = mem_printf("%s/" BASELINE_FOLDER "/%s", place->out_dir, version);
	cleanup_close int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return err_set(err, -errno, "cannot read %s: %s%s", path, strerror(errno),
			errno == ENOENT ? " (see baseline list)" : "");
	if (read_manifest(fd, &saved, ret) == 0) {
		rc = tree_scan(fd, 1, &there, err);
		forget(&there, BASELINE_MANIFEST);
		if (rc == 0)
			manifest_compare(&saved, &there, ret);
		else
			err_wrap(err, "%s", path);
	}
	manifest_release(&saved);
	manifest_release(&there);
	return rc;
}
