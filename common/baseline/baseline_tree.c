/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/baseline/baseline_tree.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sha256.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/out.h"
#include "common/base/text.h"
#include "common/runner/environment.h"

#define BLOCK_BYTES ((size_t)64 << 10)
enum { DEPTH_MAX = 32 };

static int open_dir(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

/* A regular file, or a negative errno: -ELOOP for a symbolic link, -EINVAL for what else it is. */
static int open_file(int at, const char *name, struct stat *st)
{
	int fd = openat(at, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return errno == ENXIO ? -EINVAL : -errno;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return -EINVAL;
}

/* A copy of the stream of its own, as closedir() closes it. */
static DIR *list_dir(int fd)
{
	int own = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = own < 0 ? NULL : fdopendir(own);

	if (!d && own >= 0)
		close(own);
	return d;
}

static int is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* ---- copying ---- */

/* Copies to the end of `from`; the hash is of what was written. */
static int copy_bytes(const struct tree_copy *c, int from, int to, struct manifest_row *row)
{
	cleanup_free char *block = mem_calloc(1, BLOCK_BYTES);
	SHA2_CTX ctx;
	ssize_t n;
	int rc;

	SHA256Init(&ctx);
	while ((n = read(from, block, BLOCK_BYTES)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		if (c->interrupted && c->interrupted())
			return -EINTR;
		rc = out_write_all(to, block, (size_t)n);
		if (rc < 0)
			return rc;
		SHA256Update(&ctx, (const uint8_t *)block, (size_t)n);
		row->bytes += (uint64_t)n;
	}
	SHA256End(&ctx, row->sha256);
	return fsync(to) < 0 ? -errno : 0;
}

/* The place of a file: NAME in the directory fd, called `path` in manifest and messages. */
struct place {
	int fd;
	const char *name, *path;
};

static int copy_file(const struct tree_copy *c, int from, const struct stat *st,
	const struct place *to, struct err *err)
{
	const struct timespec times[] = {st->st_atim, st->st_mtim};
	cleanup_close int fd = openat(
		to->fd, to->name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int rc = fd < 0 ? -errno : copy_bytes(c, from, fd, manifest_add(c->manifest, to->path));

	if (rc == 0 && futimens(fd, times) < 0)
		rc = -errno;
	return rc < 0 ? err_set(err, rc, "cannot copy %s: %s", to->path, strerror(-rc)) : 0;
}

/* What a user may have put there is left out; what cannot be read is an error, as the baseline
 * would lack it. */
static int skip_or_fail(const struct tree_copy *c, const char *path, int code, struct err *err)
{
	if (code == -ELOOP || code == -EINVAL || code == -ENOTDIR)
		baseline_note(c->notes, "%s is not copied: it is not a regular file", path);
	else if (code == -ENOENT)
		baseline_note(c->notes, "%s is not copied: it has vanished", path);
	else
		return err_set(err, code, "cannot read %s: %s", path, strerror(-code));
	return 0;
}

/* Made of the characters of scenarios' names: such names need no escapes in the manifest. */
static int is_result_name(const char *name)
{
	static const char allowed[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				      "0123456789._-";

	return strspn(name, allowed) == strlen(name);
}

static int copy_dir(const struct tree_copy *c, int from, const struct place *to, struct err *err);

static int copy_entry(const struct tree_copy *c, int from, const struct place *to, struct err *err)
{
	struct stat st;
	int fd, rc;

	if (fstatat(from, to->name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return skip_or_fail(c, to->path, -errno, err);
	if (S_ISDIR(st.st_mode)) {
		if (!text_stem_len(to->name, ".runs")) {
			baseline_note(c->notes, "%s is not copied: no result lies there", to->path);
			return 0;
		}
		return copy_dir(c, from, to, err);
	}
	fd = open_file(from, to->name, &st);
	if (fd < 0)
		return skip_or_fail(c, to->path, fd, err);
	rc = copy_file(c, fd, &st, to, err);
	close(fd);
	return rc;
}

/* Entries of directory `from` into the new directory to->name. Names that start with a dot are
 * files that are being made. */
static int copy_entries(
	const struct tree_copy *c, int from, const struct place *to, struct err *err)
{
	DIR *d = list_dir(from);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return err_set(err, -errno, "cannot read %s: %s", to->path, strerror(errno));
	while (rc == 0 && (entry = readdir(d))) {
		cleanup_free char *path = mem_printf("%s/%s", to->path, entry->d_name);

		if (entry->d_name[0] == '.')
			continue;
		if (is_result_name(entry->d_name))
			rc = copy_entry(c, from, &(struct place){to->fd, entry->d_name, path}, err);
		else
			baseline_note(
				c->notes, "%s is not copied: no result has such a name", path);
	}
	closedir(d);
	return rc;
}

/* to: the place of the new directory. */
static int copy_dir(const struct tree_copy *c, int from, const struct place *to, struct err *err)
{
	cleanup_close int source = open_dir(from, to->name);
	cleanup_close int target = -1;

	if (source < 0)
		return skip_or_fail(c, to->path, source, err);
	if (mkdirat(to->fd, to->name, 0777) < 0)
		return err_set(err, -errno, "cannot create %s: %s", to->path, strerror(errno));
	target = open_dir(to->fd, to->name);
	if (target < 0)
		return err_set(err, target, "cannot open %s: %s", to->path, strerror(-target));
	return copy_entries(c, source, &(struct place){target, to->name, to->path}, err);
}

int tree_copy_results(
	const struct tree_copy *c, const char *from, const char *name, struct err *err)
{
	cleanup_close int source = open_dir(AT_FDCWD, from);
	cleanup_close int target = -1;
	int rc;

	if (source == -ENOENT)
		return 0;
	if (source < 0)
		return skip_or_fail(c, from, source, err);
	if (mkdirat(c->to_fd, name, 0777) < 0)
		return err_set(err, -errno, "cannot create %s: %s", name, strerror(errno));
	target = open_dir(c->to_fd, name);
	if (target < 0)
		return err_set(err, target, "cannot open %s: %s", name, strerror(-target));
	rc = copy_entries(c, source, &(struct place){target, name, name}, err);
	unlinkat(c->to_fd, name, AT_REMOVEDIR); /* only if it is empty */
	return rc;
}

int tree_write_file(int dir_fd, const char *name, const char *text, size_t len, struct manifest *m,
	struct err *err)
{
	cleanup_close int fd =
		openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
	int rc = fd < 0 ? -errno : out_write_all(fd, text, len);

	if (rc == 0 && fsync(fd) < 0)
		rc = -errno;
	if (rc < 0)
		return err_set(err, rc, "cannot write %s: %s", name, strerror(-rc));
	if (m) {
		struct manifest_row *row = manifest_add(m, name);

		row->bytes = len;
		SHA256Data((const uint8_t *)text, len, row->sha256);
	}
	return 0;
}

/* ---- looking ---- */

struct scan {
	struct manifest *manifest;
	int with_hash;
};

static void scan_file(const struct scan *s, int at, const char *name, const char *path)
{
	struct manifest_row *row = manifest_add(s->manifest, path);
	struct stat st = {0};
	cleanup_close int fd = open_file(at, name, &st);

	row->bytes = fd < 0 ? 0 : (uint64_t)st.st_size;
	if (fd >= 0 && s->with_hash)
		(void)sha256_fd(fd, row->sha256); /* stays "" where that fails */
}

static int scan_dir(const struct scan *s, int fd, const char *path, int depth, struct err *err)
{
	DIR *d = list_dir(fd);
	struct dirent *entry;
	int rc = 0;

	if (!d)
		return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	while (rc == 0 && (entry = readdir(d))) {
		const char *name = entry->d_name;
		cleanup_free char *below =
			*path ? mem_printf("%s/%s", path, name) : mem_strdup(name);
		cleanup_close int sub = is_dots(name) ? -1 : open_dir(fd, name);

		if (is_dots(name))
			continue;
		if (sub >= 0 && depth < DEPTH_MAX)
			rc = scan_dir(s, sub, below, depth + 1, err);
		else if (sub == -EACCES)
			rc = err_set(err, sub, "cannot read %s: %s", below, strerror(EACCES));
		else
			scan_file(s, fd, name, below);
	}
	closedir(d);
	return rc;
}

int tree_scan(int dir_fd, int with_hash, struct manifest *m, struct err *err)
{
	int rc = scan_dir(&(struct scan){m, with_hash}, dir_fd, "", 0, err);

	manifest_sort(m);
	return rc;
}

static void remove_below(int at, const char *name, int depth)
{
	cleanup_close int fd = open_dir(at, name);
	DIR *d = fd < 0 || depth > DEPTH_MAX ? NULL : list_dir(fd);
	struct dirent *entry;

	while (d && (entry = readdir(d)))
		if (!is_dots(entry->d_name) && unlinkat(fd, entry->d_name, 0) < 0 &&
			(errno == EISDIR || errno == EPERM))
			remove_below(fd, entry->d_name, depth + 1);
	if (d)
		closedir(d);
	unlinkat(at, name, AT_REMOVEDIR);
}

void tree_remove(int dir_fd, const char *name)
{
	if (unlinkat(dir_fd, name, 0) < 0)
		remove_below(dir_fd, name, 0);
}
