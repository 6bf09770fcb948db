// SPDX-License-Identifier: GPL-3.0-only
/* Single messages, and UDP segmentation: many datagrams behind one message. */
#include <linux/if_packet.h>
#include <sys/socket.h>

#include "udp.h"

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
#ifndef SOL_UDP
#define SOL_UDP 17
#endif

static char buf[65536];

struct one {
	struct iovec iov[2];
	struct msghdr hdr;
	union {
		struct cmsghdr align;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control;
};

/* One message of len bytes in two vectors. */
static struct msghdr *message(struct one *m, size_t len)
{
	memset(m, 0, sizeof(*m));
	m->iov[0] = (struct iovec){buf, len / 2};
	m->iov[1] = (struct iovec){buf, len - len / 2};
	m->hdr.msg_iov = m->iov;
	m->hdr.msg_iovlen = 2;
	return &m->hdr;
}

/* The same, to be sent in segments of size bytes. */
static struct msghdr *segmented(struct one *m, size_t len, uint16_t size)
{
	struct msghdr *h = message(m, len);
	struct cmsghdr *c;

	h->msg_control = m->control.bytes;
	h->msg_controllen = CMSG_SPACE(sizeof(size));
	c = CMSG_FIRSTHDR(h);
	c->cmsg_level = SOL_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof(size));
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	return h;
}

static void single(char **args)
{
	struct udp u = udp_open();
	struct one m;
	ssize_t n;

	(void)args;
	for (int i = 0; i < 4; i++)
		CHECK(sendto(u.tx, buf, 50, 0, NULL, 0) == 50);
	for (int i = 0; i < 4; i++)
		CHECK(recvfrom(u.rx, buf, 100, 0, NULL, NULL) == 50);
	CHECK(recvfrom(u.rx, buf, 100, MSG_DONTWAIT, NULL, NULL) == -1 && errno == EAGAIN);
	CHECK(sendto(-1, buf, 50, 0, NULL, 0) == -1 && errno == EBADF);
	for (int i = 0; i < 3; i++)
		CHECK(sendmsg(u.tx, message(&m, 300), 0) == 300);
	for (int i = 0; i < 3; i++) {
		n = recvmsg(u.rx, message(&m, 400), 0);
		CHECK(n == 300);
	}
	CHECK(sendmsg(u.tx, (struct msghdr *)8, 0) == -1 && errno == EFAULT);
}

static void need_gso(int fd, int size)
{
	if (setsockopt(fd, SOL_UDP, UDP_SEGMENT, &size, sizeof(size)))
		t_skip("UDP_SEGMENT");
}

/* By control message: 1000 bytes in segments of 200 are 5 datagrams; 950 too; 3 messages are 15. */
static void gso_cmsg(char **args)
{
	struct udp u = udp_open();
	struct one m[3];
	struct mmsghdr mm[3];

	(void)args;
	need_gso(u.tx, 0);
	CHECK(sendmsg(u.tx, segmented(&m[0], 1000, 200), 0) == 1000);
	CHECK(sendmsg(u.tx, segmented(&m[0], 950, 200), 0) == 950);
	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 3; i++)
		mm[i].msg_hdr = *segmented(&m[i], 1000, 200);
	CHECK(syscall(SYS_sendmmsg, u.tx, mm, 3, 0) == 3);
}

/* By socket option: every way of sending is cut into segments of 100. */
static void gso_option(char **args)
{
	struct udp u = udp_open();
	struct one m[2];
	struct mmsghdr mm[2];

	(void)args;
	need_gso(u.tx, 100);
	CHECK(write(u.tx, buf, 1000) == 1000);
	CHECK(sendto(u.tx, buf, 250, 0, NULL, 0) == 250);
	CHECK(sendmsg(u.tx, message(&m[0], 500), 0) == 500);
	memset(mm, 0, sizeof(mm));
	for (int i = 0; i < 2; i++)
		mm[i].msg_hdr = *message(&m[i], 300);
	CHECK(syscall(SYS_sendmmsg, u.tx, mm, 2, 0) == 2);
}

/* The receiver takes segments joined: 1000 bytes of 100 are one message, ten datagrams. */
static void gro(char **args)
{
	struct udp u = udp_open();
	struct one m;
	struct mmsghdr mm;
	int on = 1, size = 0;
	ssize_t n;

	(void)args;
	need_gso(u.tx, 100);
	CHECK(setsockopt(u.rx, SOL_UDP, UDP_GRO, &on, sizeof(on)) == 0);
	CHECK(sendto(u.tx, buf, 1000, 0, NULL, 0) == 1000);
	CHECK(sendto(u.tx, buf, 1000, 0, NULL, 0) == 1000);
	message(&m, 2000);
	m.hdr.msg_control = m.control.bytes;
	m.hdr.msg_controllen = sizeof(m.control.bytes);
	n = recvmsg(u.rx, &m.hdr, 0);
	if (n == 100)
		t_skip("this kernel does not join segments on the loopback device");
	CHECK(n == 1000 && CMSG_FIRSTHDR(&m.hdr));
	memcpy(&size, CMSG_DATA(CMSG_FIRSTHDR(&m.hdr)), sizeof(size));
	CHECK(size == 100);
	memset(&mm, 0, sizeof(mm));
	mm.msg_hdr = *message(&m, 2000);
	mm.msg_hdr.msg_control = m.control.bytes;
	mm.msg_hdr.msg_controllen = sizeof(m.control.bytes);
	CHECK(syscall(SYS_recvmmsg, u.rx, &mm, 1, 0, NULL) == 1 && mm.msg_len == 1000);
}

static void packet_ring(int option)
{
	struct tpacket_req r = {4096, 16, 2048, 32};
	int s = socket(AF_PACKET, SOCK_RAW, 0);

	if (s < 0)
		t_skip("no packet sockets");
	CHECK(setsockopt(s, SOL_PACKET, option, &r, sizeof(r)) == 0);
}

static void rx_ring(char **args)
{
	(void)args;
	packet_ring(PACKET_RX_RING);
}

static void tx_ring(char **args)
{
	(void)args;
	packet_ring(PACKET_TX_RING);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"single", single},
		{"gso_cmsg", gso_cmsg},
		{"gso_option", gso_option},
		{"gro", gro},
		{"rx_ring", rx_ring},
		{"tx_ring", tx_ring},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}
