/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * A load at a steady pace for `make bench`: tcp PORT RATE SECONDS REQUEST. Over four connections in
 * turns, one request of a line each time one is due; prints "us N", the mean time from when a
 * request was due until its answer's first bytes, so that a server that falls behind is seen. \r
 * and \n in REQUEST stand for themselves. An answer must fit in one segment.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <time.h>

#include "t.h"

#define CONNECTIONS 4
#define WAITING_MAX 65536

struct connection {
	int64_t due[WAITING_MAX]; /* of the requests not answered yet */
	unsigned int first, len;
	int asked; /* the first of them was sent */
};

static struct connection connections[CONNECTIONS];
static struct pollfd polled[CONNECTIONS];
static char request[4096];
static size_t request_len;
static int64_t late_ns, answers;

static int64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void unescape(const char *text)
{
	for (; *text; text++) {
		char c = *text;

		if (c == '\\' && (text[1] == 'r' || text[1] == 'n'))
			c = *++text == 'r' ? '\r' : '\n';
		CHECK(request_len < sizeof(request));
		request[request_len++] = c;
	}
}

static void connect_all(int port)
{
	struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
	int on = 1;

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	for (int i = 0; i < CONNECTIONS; i++) {
		int fd = socket(AF_INET, SOCK_STREAM, 0);

		CHECK(fd >= 0 && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0);
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
		polled[i] = (struct pollfd){.fd = fd, .events = POLLIN};
	}
}

static void ask_next(int i)
{
	struct connection *c = &connections[i];

	if (c->asked || !c->len)
		return;
	CHECK(write(polled[i].fd, request, request_len) == (ssize_t)request_len);
	c->asked = 1;
}

static void take_answer(int i)
{
	struct connection *c = &connections[i];
	char answer[65536];

	CHECK(read(polled[i].fd, answer, sizeof(answer)) > 0 && c->asked);
	late_ns += now_ns() - c->due[c->first % WAITING_MAX];
	answers++;
	c->first++;
	c->len--;
	c->asked = 0;
	ask_next(i);
}

static void tcp(char **args)
{
	long rate = t_num(args, 1, 1000), total = rate * t_num(args, 2, 1), sent = 0;
	int64_t began;

	CHECK(args[3]);
	unescape(args[3]);
	connect_all((int)t_num(args, 0, 0));
	began = now_ns();
	while (answers < total) {
		int64_t due = began + sent * 1000000000LL / rate, wait = due - now_ns();
		struct timespec ts = {0, wait > 0 ? (long)wait : 0};

		if (sent < total && wait <= 0) {
			struct connection *c = &connections[sent % CONNECTIONS];

			CHECK(c->len < WAITING_MAX);
			c->due[(c->first + c->len++) % WAITING_MAX] = due;
			ask_next((int)(sent++ % CONNECTIONS));
			ts.tv_nsec = 0;
		}
		CHECK(ppoll(polled, CONNECTIONS, sent < total ? &ts : NULL, NULL) >= 0);
		for (int i = 0; i < CONNECTIONS; i++)
			if (polled[i].revents)
				take_answer(i);
	}
	printf("us %.1f\n", (double)late_ns / 1000 / (double)answers);
}

static const struct tcase cases[] = {{"tcp", tcp}, {NULL, NULL}};

int main(int argc, char **argv)
{
	return t_main(argc, argv, cases);
}
