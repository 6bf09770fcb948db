/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * served FOLDER PROGRAM [ARG...]: serves PROGRAM as FOLDER/program by FUSE, in one thread, and has
 * a child make calls about what is in it and run it from there three times, once there is a byte of
 * standard input or its end, with the limit of address space taken back. Nothing is cached: who
 * asks for it, whoever that is, waits for us. Status: the program's; 77: no FUSE here.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <linux/userfaultfd.h>
#include <setjmp.h>
#include <signal.h>
#ifdef __x86_64__
#include <asm/prctl.h>
#endif
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>

#include "t.h"

enum { RUNS = 3, PROGRAM = 2, BUFFER = 1 << 18 };

static struct {
	char *bytes;
	size_t len;
	int fuse;
} served;

static void answer(const struct fuse_in_header *in, int error, const void *data, size_t len)
{
	struct fuse_out_header out = {(uint32_t)(sizeof(out) + len), error, in->unique};
	struct iovec iov[2] = {{&out, sizeof(out)}, {(void *)(uintptr_t)data, len}};

	if (writev(served.fuse, iov, len ? 2 : 1) < 0)
		CHECK(errno == ENOENT || errno == ENODEV); /* who asked is gone */
}

static struct fuse_attr attributes(uint64_t node)
{
	int is_file = node == PROGRAM;

	return (struct fuse_attr){.ino = node,
		.size = is_file ? served.len : 0,
		.mode = is_file ? S_IFREG | 0755 : S_IFDIR | 0755,
		.nlink = 1,
		.uid = getuid(),
		.gid = getgid(),
		.blksize = 4096};
}

static void answer_read(const struct fuse_in_header *in, const struct fuse_read_in *read)
{
	size_t from = read->offset < served.len ? (size_t)read->offset : served.len;
	size_t rest = served.len - from;

	answer(in, 0, served.bytes + from, rest < read->size ? rest : read->size);
}

static void serve(const struct fuse_in_header *in, const void *arg)
{
	struct fuse_init_out init = {.major = FUSE_KERNEL_VERSION, .minor = 31, .max_write = 65536};
	struct fuse_attr_out attr = {.attr = attributes(in->nodeid)};
	struct fuse_entry_out entry = {.nodeid = PROGRAM, .attr = attributes(PROGRAM)};
	struct fuse_open_out opened = {.fh = 1};

	switch (in->opcode) {
	case FUSE_INIT:
		answer(in, 0, &init, sizeof(init));
		break;
	case FUSE_LOOKUP:
		answer(in, strcmp(arg, "program") ? -ENOENT : 0, &entry,
			strcmp(arg, "program") ? 0 : sizeof(entry));
		break;
	case FUSE_GETATTR:
		answer(in, 0, &attr, sizeof(attr));
		break;
	case FUSE_OPEN:
		answer(in, 0, &opened, sizeof(opened));
		break;
	case FUSE_READ:
		answer_read(in, arg);
		break;
	case FUSE_RELEASE:
	case FUSE_FLUSH:
		answer(in, 0, NULL, 0);
		break;
	case FUSE_FORGET:
	case FUSE_BATCH_FORGET:
	case FUSE_INTERRUPT:
		break; /* nobody waits */
	default:
		answer(in, -ENOSYS, NULL, 0);
	}
}

static sigjmp_buf back;

static void came_back(int signal)
{
	(void)signal;
	siglongjmp(back, 1);
}

#ifdef __x86_64__
/* The call's caller would be in that memory. */
static long write_from(int fd, const char *stack)
{
	long rc = SYS_write;

	__asm__ volatile(
		"mov %%rsp, %%r12; mov %%rbp, %%r13; mov %3, %%rsp; mov %3, %%rbp; syscall;"
		"mov %%r12, %%rsp; mov %%r13, %%rbp"
		: "+a"(rc)
		: "D"((long)fd), "S"(stack), "r"(stack), "d"(0L)
		: "rcx", "r11", "r12", "r13", "memory");
	return rc;
}
#endif

/* What calls point to, and where the thread jumps to, lies in pages of the program, none of which
 * is there yet. */
static void ask(void)
{
	int fd = open("program", O_RDONLY | O_CLOEXEC), null = t_null();
	char *page = mmap(NULL, 5 * 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);

	CHECK(fd >= 0 && page != MAP_FAILED && madvise(page, 5 * 4096, MADV_RANDOM) == 0);
	CHECK(ioctl(null, UFFDIO_REGISTER, page) < 0);
	CHECK(syscall(SYS_process_madvise, null, page + 4096, 1, MADV_DONTNEED, 0) < 0);
#ifdef __x86_64__
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, page + 2 * 4096) == 0);
	CHECK(write_from(null, page + 4 * 4096 + 512) == 0);
#endif
	CHECK(signal(SIGSEGV, came_back) != SIG_ERR);
	if (sigsetjmp(back, 1) == 0)
		((void (*)(void))(uintptr_t)(page + 3 * 4096))();
	CHECK(signal(SIGSEGV, SIG_DFL) != SIG_ERR && munmap(page, 5 * 4096) == 0);
	close(fd);
	close(null);
}

static int run(const char *folder, char **argv)
{
	struct rlimit limit;
	int status = 0;
	char byte;
	pid_t pid;

	CHECK(read(STDIN_FILENO, &byte, 1) >= 0);
	CHECK(getrlimit(RLIMIT_AS, &limit) == 0);
	limit.rlim_cur = limit.rlim_max;
	CHECK(setrlimit(RLIMIT_AS, &limit) == 0 && chdir(folder) == 0);
	for (int i = -1; i < RUNS && !status; i++) {
		pid = fork();
		if (!pid) {
			if (i < 0)
				execl("/proc/self/exe", "ask", NULL);
			else
				execv("program", argv);
			_exit(127);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
	}
	CHECK(chdir("/") == 0 && umount2(folder, MNT_DETACH) == 0);
	return status ? 1 : 0;
}

static void load(const char *path)
{
	int fd = open(path, O_RDONLY);
	struct stat st;

	CHECK(fd >= 0 && fstat(fd, &st) == 0);
	served.len = (size_t)st.st_size;
	served.bytes = malloc(served.len);
	CHECK(read(fd, served.bytes, served.len) == (ssize_t)served.len);
	close(fd);
}

int main(int argc, char **argv)
{
	static char request[BUFFER];
	char options[128];
	cpu_set_t set;
	int status;
	pid_t pid;

	if (argc == 1) {
		ask();
		return 0;
	}
	CHECK(argc >= 3);
	load(argv[2]);
	served.fuse = open("/dev/fuse", O_RDWR | O_CLOEXEC);
	snprintf(options, sizeof(options), "fd=%d,rootmode=40000,user_id=%u,group_id=%u",
		served.fuse, getuid(), getgid());
	if (served.fuse < 0 ||
		mount("served", argv[1], "fuse", MS_NOSUID | MS_NODEV, options) < 0) {
		fprintf(stderr, "no FUSE here: %s\n", strerror(errno));
		return 77;
	}
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		_exit(run(argv[1], argv + 2));
	while (read(served.fuse, request, sizeof(request)) > 0 || errno == EINTR ||
		errno == ENOENT) {
		CHECK(sched_getaffinity(0, sizeof(set), &set) ==
			0); /* no recorder spares its stop */
		serve((struct fuse_in_header *)request, request + sizeof(struct fuse_in_header));
	}
	CHECK(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
	return WEXITSTATUS(status);
}
