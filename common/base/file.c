/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/base/text.h"

#define TEMP_TRIES    100
#define TEMP_NAME_MAX (NAME_MAX - 8) /* ".", ".XXXXXX" */
#define READ_STEP     16384

/* What to do about an error of the file system. */
static const char *advice(int code)
{
	switch (-code) {
	case ENOENT:
	case ENOTDIR:
		return "; create the directory first or name another one";
	case EACCES:
	case EPERM:
	case EROFS:
		return "; name a place that you can write to";
	case ENOSPC:
	case EDQUOT:
		return "; free some space or name another place";
	default:
		return "";
	}
}

static int write_error(struct err *err, int code, const char *what, const char *path)
{
	return err_set(err, code, "cannot %s %s: %s%s", what, path, strerror(-code), advice(code));
}

/* "dir/.name.XXXXXX" beside path, X a random letter or digit. */
static char *temp_name(const char *path)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	unsigned char random[6] = {0};
	char tail[sizeof(random) + 1] = "";

	/* Only to avoid clashes: O_EXCL is what makes the file ours. */
	if (getrandom(random, sizeof(random), GRND_NONBLOCK) < 0)
		memcpy(random, &(int){getpid()}, sizeof(int));
	for (size_t i = 0; i < sizeof(random); i++)
		tail[i] = letters[random[i] % (sizeof(letters) - 1)];
	return mem_printf("%.*s.%.*s.%s", (int)(name - path), path, TEMP_NAME_MAX, name, tail);
}

/* The directory of a file's path; the caller frees. */
static char *dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	if (!slash)
		return mem_strdup(".");
	return mem_strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

/* "/proc/self/fd/N" of fd, which linkat() follows to a file without a name. */
static void fd_path(int fd, char buf[32])
{
	snprintf(buf, 32, "/proc/self/fd/%d", fd);
}

/* A file that no name leads to, so that nothing stays if we are killed. -1: not there. */
static int open_nameless(const char *path)
{
	cleanup_free char *dir = dir_of(path);
	int fd = open(dir, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
	char link[32];

	if (fd < 0)
		return -1;
	fd_path(fd, link);
	if (access(link, F_OK) == 0)
		return fd;
	close(fd); /* without /proc it would never get its name */
	return -1;
}

/*
 * Creates the file with 0666 less umask (the kernel applies it, and default ACLs, at creation):
 * without a name, or where the file system has none such, as f->temp.
 */
static int open_temp(struct new_file *f, struct err *err)
{
	int code = -EEXIST;

	f->appears = 1;
	f->fd = open_nameless(f->path);
	if (f->fd >= 0)
		return 0;
	for (int i = 0; i < TEMP_TRIES; i++) {
		f->temp = temp_name(f->path);
		f->fd = open(f->temp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
		if (f->fd >= 0)
			return 0;
		code = -errno;
		free(f->temp);
		f->temp = NULL;
		if (code != -EEXIST)
			break;
	}
	return write_error(err, code, "create", f->path);
}

/* In a sticky directory only the owner of the file or of the directory may replace the file. */
static int is_kept_by_sticky(const char *path, const struct stat *st)
{
	cleanup_free char *dir = dir_of(path);
	uid_t we = geteuid();
	struct stat d;

	return we && stat(dir, &d) == 0 && (d.st_mode & S_ISVTX) && d.st_uid != we &&
	       st->st_uid != we;
}

static int open_existing(struct new_file *f, const struct stat *st, struct err *err)
{
	char *real;

	if (S_ISDIR(st->st_mode))
		return err_set(
			err, -EISDIR, "cannot write %s: it is a directory; name a file", f->path);

	if (!S_ISREG(st->st_mode)) {
		/* A pipe or /dev/null is written to, never replaced by a file. */
		f->fd = open(f->path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		return f->fd < 0 ? write_error(err, -errno, "write", f->path) : 0;
	}
	/* By the effective ids, as everything else here. */
	if (faccessat(AT_FDCWD, f->path, W_OK, AT_EACCESS) < 0)
		return write_error(err, -errno, "replace", f->path);
	/* Through a symbolic link, what it names is replaced, not the link. */
	real = realpath(f->path, NULL);
	if (is_kept_by_sticky(real ? real : f->path, st)) {
		free(real);
		return write_error(err, -EPERM, "replace", f->path);
	}
	if (real) {
		free(f->path);
		f->path = real;
	}
	return open_temp(f, err);
}

int file_begin(struct new_file *f, const char *path, struct err *err)
{
	struct stat st;
	int rc;

	*f = (struct new_file){.fd = -1, .path = mem_strdup(path)};
	if (!strcmp(path, "-")) {
		f->fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
		rc = f->fd < 0 ? write_error(err, -errno, "write to", "standard output") : 0;
	} else if (!*path || path[strlen(path) - 1] == '/') {
		rc = err_set(err, -EISDIR, "cannot write '%s': it has no file name", path);
	} else if (stat(path, &st) == 0) {
		rc = open_existing(f, &st, err);
	} else {
		rc = open_temp(f, err);
	}
	if (rc < 0)
		file_abort(f);
	return rc;
}

/* Gives a nameless file its name: the final one if that is free, else a temporary one. */
static int give_name(struct new_file *f)
{
	char from[32];

	fd_path(f->fd, from);
	if (linkat(AT_FDCWD, from, AT_FDCWD, f->path, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	for (int i = 0; errno == EEXIST && i < TEMP_TRIES; i++) {
		f->temp = temp_name(f->path);
		if (linkat(AT_FDCWD, from, AT_FDCWD, f->temp, AT_SYMLINK_FOLLOW) == 0)
			return 0;
		free(f->temp);
		f->temp = NULL;
	}
	return -errno;
}

/* What a file system says only when a file is closed: of one that has no name yet, by a copy. */
static int close_error(struct new_file *f)
{
	int fd = f->fd;

	if (f->appears && !f->temp)
		fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	else
		f->fd = -1;
	/* Not again on EINTR: Linux has closed it by then. */
	return close(fd) < 0 && errno != EINTR ? -errno : 0;
}

int file_commit(struct new_file *f, struct err *err)
{
	int rc = close_error(f), code = 0;

	if (rc < 0)
		rc = write_error(err, rc, "write", f->path);
	else if (f->appears && !f->temp && (code = give_name(f)) < 0)
		rc = write_error(err, code, "create", f->path);
	else if (f->temp && rename(f->temp, f->path) < 0)
		rc = write_error(err, -errno, "create", f->path);
	if (rc == 0) {
		free(f->temp);
		f->temp = NULL;
	}
	file_abort(f);
	return rc;
}

void file_abort(struct new_file *f)
{
	if (!f->path)
		return;
	if (f->fd >= 0)
		close(f->fd);
	if (f->temp)
		unlink(f->temp);
	free(f->temp);
	free(f->path);
	*f = (struct new_file){.fd = -1};
}

static int make_dir(const char *path, struct err *err)
{
	struct stat st;
	int code;

	if (mkdir(path, 0777) == 0)
		return 0;
	/* Whatever the reason (EEXIST, EROFS, an automounter's EACCES): a directory is there. */
	code = -errno;
	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	if (code == -EEXIST)
		return err_set(err, -ENOTDIR,
			"cannot create directory %s: a file of that name is in the "
			"way",
			path);
	return write_error(err, code, "create directory", path);
}

int file_mkdirs(const char *path, struct err *err)
{
	cleanup_free char *part = mem_strdup(path);

	for (char *p = part; *p; p++) {
		int rc;

		if (p == part || *p != '/' || p[-1] == '/')
			continue;
		*p = '\0';
		rc = make_dir(part, err);
		*p = '/';
		if (rc < 0)
			return rc;
	}
	return make_dir(part, err);
}

int file_read(const char *path, size_t max_bytes, char **ret_text, size_t *ret_len, struct err *err)
{
	struct {
		char *at;
		size_t len, cap;
	} text = {0};
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t n;
	int rc = 0;

	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	/* Sizes of /proc files are 0, so read until the end whatever stat says. */
	for (;;) {
		mem_vec_grow((void **)&text.at, &text.cap, text.len + READ_STEP + 1, 1);
		n = read(fd, text.at + text.len, READ_STEP);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		text.len += (size_t)n;
		if (text.len > max_bytes)
			break;
	}
	if (n < 0)
		rc = err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
	else if (text.len > max_bytes)
		rc = err_set(err, -EFBIG, "%s is larger than %zu bytes", path, max_bytes);
	if (rc < 0) {
		free(text.at);
		return rc;
	}
	text.at[text.len] = '\0';
	*ret_text = text.at;
	if (ret_len)
		*ret_len = text.len;
	return 0;
}

const char *const *file_names(struct arena *a, const char *dir, const char *suffix, int by_version)
{
	struct dirent **all;
	int found = scandir(dir, &all, NULL, by_version ? versionsort : alphasort);
	const char **names = found < 0 ? NULL : arena_alloc(a, (size_t)found + 1, sizeof(*names));
	size_t len = 0;

	for (int i = 0; i < found; i++) {
		const char *name = all[i]->d_name;
		size_t stem = *name == '.' ? 0 : text_stem_len(name, suffix);

		if (stem)
			names[len++] = arena_printf(a, "%.*s", (int)stem, name);
		free(all[i]);
	}
	if (found >= 0)
		free(all);
	return names;
}

int file_write_with(const char *path, void (*write)(const void *ctx, struct out *o),
	const void *ctx, struct err *err)
{
	struct new_file f;
	struct out o;
	int rc = file_begin(&f, path, err);

	if (rc < 0)
		return rc;
	out_init(&o, f.fd);
	write(ctx, &o);
	rc = out_flush(&o);
	out_release(&o);
	if (rc < 0) {
		write_error(err, rc, "write", path);
		file_abort(&f);
		return rc;
	}
	return file_commit(&f, err);
}

void file_hold_streams(void)
{
	for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
		if (fcntl(fd, F_GETFD) < 0)
			(void)!open("/dev/null", O_RDONLY | O_CLOEXEC);
}

struct bytes {
	const void *at;
	size_t len;
};

static void write_bytes(const void *ctx, struct out *o)
{
	const struct bytes *b = ctx;

	out_bytes(o, b->at, b->len);
}

int file_write(const char *path, const void *p, size_t n, struct err *err)
{
	return file_write_with(path, write_bytes, &(struct bytes){p, n}, err);
}
