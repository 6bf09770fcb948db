/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/target.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/runner/program.h"

/* Of shell text: *ret_status as a shell says it. */
static int run_shell(
	const struct scenario *sc, const char *command, int *ret_status, struct err *err)
{
	const char *argv[] = {"sh", "-c", command, NULL};
	struct program p = PROGRAM_NONE;
	/* Standard output belongs to the target. */
	int rc = program_start(&(struct program_spec){.argv = argv,
				       .streams = {PROGRAM_OURS, STDERR_FILENO, PROGRAM_OURS},
				       .caller = sc->user},
		&p, err);

	if (rc < 0)
		return rc;
	program_wait(&p);
	*ret_status = program_status(&p);
	program_release(&p);
	return 0;
}

static int build(const struct scenario *sc, struct err *err)
{
	int status, rc = run_shell(sc, sc->build, &status, err);

	if (rc == 0 && status)
		return err_set(err, -ENOENT, "the build command of %s failed with status %d: %s",
			sc->argv[0], status, sc->build);
	return rc;
}

static int make_ready(const struct scenario *sc, struct err *err)
{
	int status, rc = sc->prepare ? run_shell(sc, sc->prepare, &status, err) : 0;

	if (rc == 0 && sc->prepare && status)
		return err_set(err, -ECHILD, "the command to prepare failed with status %d: %s",
			status, sc->prepare);
	return rc;
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

static void set_program(struct scenario *sc, const char *path)
{
	size_t len = text_list_len(sc->argv);
	const char **argv = arena_alloc(&sc->arena, len + 1, sizeof(*argv));

	memcpy(argv, sc->argv, len * sizeof(*argv));
	argv[0] = path;
	sc->argv = argv;
}

static int same_file(const char *a, const char *b)
{
	struct stat x, y;

	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

void target_locate(struct scenario *sc, void (*note)(void *ctx, const char *text), void *ctx)
{
	const char *name = sc->argv[0];
	cleanup_free char *found = NULL, *here = NULL, *text = NULL;

	if (sc->attach || strchr(name, '/'))
		return;
	found = program_find(name);
	cleanup_free char *beside = mem_printf("./%s", name);

	here = program_find(beside);
	if (!here || (found && same_file(found, here)))
		return;
	if (found)
		text = mem_printf("target %s is that of PATH, %s; for the one here say %s", name,
			found, here);
	else
		text = mem_printf("target %s is %s: PATH has none", name, here);
	if (note)
		note(ctx, text);
	if (!found)
		set_program(sc, arena_strdup(&sc->arena, here));
}

/* The directory is changed before the target is executed, its name is meant from here. */
static int make_absolute(struct scenario *sc, struct err *err)
{
	if (!sc->cwd || sc->argv[0][0] == '/' || !strchr(sc->argv[0], '/'))
		return 0;
	cleanup_free char *here = getcwd(NULL, 0);

	if (!here)
		return err_set(
			err, -errno, "cannot tell the working directory: %s", strerror(errno));
	set_program(sc, arena_printf(&sc->arena, "%s/%s", here, sc->argv[0]));
	return 0;
}

int target_prepare(
	struct scenario *sc, void (*note)(void *ctx, const char *text), void *ctx, struct err *err)
{
	cleanup_free char *found = NULL;
	int rc = make_ready(sc, err);

	if (rc < 0)
		return rc;
	target_locate(sc, note, ctx);
	found = program_find(sc->argv[0]);
	if (!found && errno == ENOENT && sc->build) {
		cleanup_free char *text =
			mem_printf("target %s is missing, building it: %s", sc->argv[0], sc->build);

		note(ctx, text);
		rc = build(sc, err);
		if (rc < 0)
			return rc;
		target_locate(sc, NULL, NULL);
	}
	rc = check(sc, err);
	return rc < 0 ? rc : make_absolute(sc, err);
}
