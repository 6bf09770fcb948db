// SPDX-License-Identifier: GPL-3.0-only
/* Other ways into the kernel: int 0x80 from 64-bit code, the 32-bit calls of their own, no calls.
 */
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>

#include "t.h"

/* The i386 numbers: another call has each of them on x86-64. */
enum { I386_WRITE = 4, I386_MMAP = 90, I386_MUNMAP = 91, I386_SOCKETCALL = 102, I386_MMAP2 = 192 };

#if defined(__x86_64__) || defined(__i386__)
static int int80(int nr, uint32_t a, uint32_t b, uint32_t c)
{
	int ret;

#ifdef __x86_64__
	__asm__ volatile("int $0x80"
			 : "=a"(ret)
			 : "a"(nr), "b"(a), "c"(b), "d"(c), "S"(0), "D"(-1)
			 : "memory", "r8", "r9", "r10", "r11");
#else
	ret = (int)syscall(nr, a, b, c, 0, -1, 0);
#endif
	return ret;
}
#endif

/* Memory that 32 bits can name. */
static char *low(void)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *p;

#ifdef MAP_32BIT
	flags |= MAP_32BIT;
#endif
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, flags, -1, 0);
	CHECK(p != MAP_FAILED && (uintptr_t)p <= UINT32_MAX);
	return p;
}

/* 9 writes of 3 bytes by the i386 number, 2 by the 64-bit one. */
static void writes80(char **args)
{
	int null = t_null();
	char *text = low();

	(void)args;
	for (int i = 0; i < 9; i++)
		CHECK(int80(I386_WRITE, (uint32_t)null, (uint32_t)(uintptr_t)text, 3) == 3);
	for (int i = 0; i < 2; i++)
		CHECK(write(null, "xyz", 3) == 3);
	CHECK(int80(I386_WRITE, UINT32_MAX, (uint32_t)(uintptr_t)text, 3) < 0);
}

/* socketcall(SYS_SENDMMSG) of 4 messages of 5 bytes and socketcall(SYS_SEND): they count as what
 * they carry.
 */
static void socketcall(char **args)
{
	struct {
		uint32_t name, name_len, iov, iov_len, control, control_len, flags, msg_len;
	} mm[4];
	char *text = low(), *at = text + 1024;
	uint32_t iov[2] = {(uint32_t)(uintptr_t)text, 5}, call[4];
	int s[2];

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 4; i++) {
		mm[i].iov = (uint32_t)(uintptr_t)(text + 64);
		mm[i].iov_len = 1;
	}
	memcpy(text + 64, iov, sizeof(iov));
	memcpy(at, mm, sizeof(mm));
	call[0] = (uint32_t)s[0];
	call[1] = (uint32_t)(uintptr_t)at;
	call[2] = 4;
	call[3] = 0;
	memcpy(text + 128, call, sizeof(call));
	CHECK(int80(I386_SOCKETCALL, 20, (uint32_t)(uintptr_t)(text + 128), 0) == 4);
	call[1] = (uint32_t)(uintptr_t)text;
	call[2] = 7;
	memcpy(text + 128, call, sizeof(call));
	CHECK(int80(I386_SOCKETCALL, 9, (uint32_t)(uintptr_t)(text + 128), 0) == 7);
}

/* mmap with its arguments in memory, and mmap2: 8 KB each, both unmapped. */
static void old_mmap(char **args)
{
	uint32_t *block = (uint32_t *)(void *)low();
	uint32_t with[6] = {0, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, UINT32_MAX, 0};
	int at;

	(void)args;
	memcpy(block, with, sizeof(with));
	at = int80(I386_MMAP, (uint32_t)(uintptr_t)block, 0, 0);
	CHECK(!(at < 0 && at > -4096));
	CHECK(int80(I386_MUNMAP, (uint32_t)at, 8192, 0) == 0);
}

/* Numbers that are no calls: 3 of 999, 2 of -1, 1 of x32. */
static void unknown(char **args)
{
	int null = t_null();

	(void)args;
	for (int i = 0; i < 3; i++)
		CHECK(syscall(999) == -1 && errno == ENOSYS);
	for (int i = 0; i < 2; i++)
		CHECK(syscall(-1) == -1 && errno == ENOSYS);
#ifdef __x86_64__
	CHECK(syscall(0x40000000L | SYS_write, null, "x", 1) == -1 || errno == 0);
#endif
	CHECK(write(null, "x", 1) == 1);
}

#ifdef SYS_recvmmsg_time64
/* recvmmsg_time64 is recvmmsg: 2 of 8. */
static void time64(char **args)
{
	struct mmsghdr mm[8];
	char text[8][16];
	struct iovec iov[8];
	int s[2];

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 8; i++) {
		iov[i] = (struct iovec){text[i], sizeof(text[i])};
		mm[i].msg_hdr.msg_iov = &iov[i];
		mm[i].msg_hdr.msg_iovlen = 1;
	}
	CHECK(send(s[0], "ab", 2, 0) == 2 && send(s[0], "abc", 3, 0) == 3);
	CHECK(syscall(SYS_recvmmsg_time64, s[1], mm, 8, MSG_DONTWAIT, NULL) == 2);
}
#endif

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"int80", writes80},
		{"socketcall", socketcall},
		{"old_mmap", old_mmap},
		{"unknown", unknown},
#ifdef SYS_recvmmsg_time64
		{"time64", time64},
#endif
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
