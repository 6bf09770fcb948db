/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/cli/user.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"

/* Where it can be made only by us, as in a directory of ours. One that is there is left as it is.
 */
static int make_dir(const struct as_user *user, const char *path, struct err *err)
{
	cleanup_close int fd = -1;

	if (mkdir(path, 0777) < 0)
		return 0;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 || fchown(fd, user->uid, user->gid) < 0)
		return err_set(
			err, -errno, "cannot give %s to %s: %s", path, user->name, strerror(errno));
	return 0;
}

int user_begin(struct as_user *user, const char *name, struct scenario *const *scenarios,
	size_t len, struct err *err)
{
	int rc = name ? as_user_find(user, name, err) : 0;

	if (!name)
		return 0;
	for (size_t i = 0; i < len && rc == 0; i++) {
		scenarios[i]->user = user;
		rc = make_dir(user, scenarios[i]->output_dir, err);
	}
	return rc < 0 ? rc : as_user_take(user, err);
}

void user_end(struct as_user *user)
{
	as_user_give_back(user);
	as_user_release(user);
}
