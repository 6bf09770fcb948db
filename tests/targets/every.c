// SPDX-License-Identifier: GPL-3.0-only
/* Every system call there is, with arguments that none of them can use; calls that move nothing. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "t.h"

/* Between them x86-64 has uretprobe and uprobe, which are SIGILL, and then none. */
enum { UNNAMED_BEGIN = 335, UNNAMED_END = 424 };

/* What would end, stop or change more than this process, or does not return. */
static int is_left_out(long nr)
{
	static const long numbers[] = {SYS_exit, SYS_exit_group, SYS_pause, SYS_rt_sigreturn,
		SYS_fork, SYS_vfork, SYS_vhangup, SYS_sync, SYS_setsid, SYS_reboot, SYS_init_module,
		SYS_restart_syscall};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		if (numbers[i] == nr)
			return 1;
	return nr >= UNNAMED_BEGIN && nr < UNNAMED_END;
}

/* Numbers A to B, B left out, each once. */
static void numbers(char **args)
{
	long end = t_num(args, 1, 451);

	for (long nr = t_num(args, 0, 0); nr < end; nr++) {
		if (is_left_out(nr))
			continue;
#ifdef SYS_msgget
		if (nr == SYS_msgget) { /* with all flags it makes one */
			syscall(nr, -1L, 0L);
			continue;
		}
#endif
		syscall(nr, -1L, -1L, -1L, -1L, -1L, -1L);
	}
}

/* N sockets, each connected to where nobody listens, and closed. */
static void connects(char **args)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
		.sin_port = htons(9),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	for (long i = 0; i < t_num(args, 0, 1); i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		CHECK(fd >= 0);
		CHECK(connect(fd, (struct sockaddr *)&to, sizeof(to)) < 0);
		CHECK(close(fd) == 0);
	}
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"numbers", numbers},
		{"connects", connects},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
