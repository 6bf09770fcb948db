/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/run/target.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/run/program.h"

static int build(const struct scenario *sc, struct err *err)
{
	const char *argv[] = {"sh", "-c", sc->build, NULL};
	struct program p = PROGRAM_NONE;
	/* Standard output belongs to the target. */
	int rc = program_start(&(struct program_spec){.argv = argv,
				       .stdin_fd = -1,
				       .stdout_fd = STDERR_FILENO,
				       .stderr_fd = -1,
				       .keep_fd = -1},
		&p, err);

	if (rc < 0)
		return rc;
	program_wait(&p);
	int status = program_status(&p);
	program_release(&p);
	if (status)
		return err_set(err, -ENOENT, "the build command of %s failed with status %d: %s",
			sc->argv[0], status, sc->build);
	return 0;
}

static int check(const struct scenario *sc, struct err *err)
{
	const char *target = sc->argv[0];
	cleanup_free char *found = program_find(target);

	if (found)
		return 0;
	if (errno == EACCES)
		return err_set(err, -EACCES, "target %s is not an executable file", target);
	return err_set(err, -ENOENT, "target %s not found%s", target,
		sc->build ? " after it was built" : ": build it, or give --binary PATH");
}

/* The directory is changed before the target is executed, its name is meant from here. */
static int make_absolute(struct scenario *sc, struct err *err)
{
	if (!sc->cwd || sc->argv[0][0] == '/' || !strchr(sc->argv[0], '/'))
		return 0;
	cleanup_free char *here = getcwd(NULL, 0);
	size_t len = 0;

	if (!here)
		return err_set(
			err, -errno, "cannot tell the working directory: %s", strerror(errno));
	while (sc->argv[len])
		len++;
	const char **argv = arena_alloc(&sc->arena, len + 1, sizeof(*argv));

	memcpy(argv, sc->argv, len * sizeof(*argv));
	argv[0] = arena_printf(&sc->arena, "%s/%s", here, sc->argv[0]);
	sc->argv = argv;
	return 0;
}

int target_prepare(
	struct scenario *sc, void (*note)(void *ctx, const char *text), void *ctx, struct err *err)
{
	cleanup_free char *found = program_find(sc->argv[0]);
	int rc;

	if (!found && errno == ENOENT && sc->build) {
		cleanup_free char *text =
			mem_printf("target %s is missing, building it: %s", sc->argv[0], sc->build);

		note(ctx, text);
		rc = build(sc, err);
		if (rc < 0)
			return rc;
	}
	rc = check(sc, err);
	return rc < 0 ? rc : make_absolute(sc, err);
}
