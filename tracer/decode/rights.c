/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

#include <string.h>
#include <sys/socket.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/decode/read.h"

/* recvmsg(2), recvmmsg(2): fds that came as SCM_RIGHTS. */

static void control_fds(const struct decode_in *in, const struct msg *msg,
	void (*found)(void *, int32_t), void *ctx)
{
	size_t len = (size_t)msg->control_bytes;
	cleanup_free uint8_t *bytes = NULL;
	struct control c;

	if (!len || len > CONTROL_MAX)
		return;
	bytes = mem_calloc(len, 1);
	if (read_exact(in->mem, msg->control, bytes, len) < 0)
		return;
	for (c = (struct control){.next = bytes, .left = len}; control_next(&c, is_compat(in->ev));)
		for (size_t at = 0;
			c.level == SOL_SOCKET && c.type == SCM_RIGHTS && at + 4 <= c.len; at += 4) {
			int32_t fd;

			memcpy(&fd, c.data + at, sizeof(fd));
			found(ctx, fd);
		}
}

void decode_rights(const struct decode_in *in, void (*found)(void *ctx, int32_t fd), void *ctx)
{
	const struct sys_event *ev = in->ev;
	int many = ev->def->decoder == &decoder_mmsg_recv;
	size_t stride = many ? mmsg_stride(ev) : msg_bytes(ev);
	uint64_t n = many ? (uint64_t)ev->ret : 1;
	uint8_t raw[MSG_BYTES_MAX];
	struct msg msg;

	if (!sys_ok(ev) || (!many && ev->def->decoder != &decoder_msg_recv))
		return;
	for (uint64_t i = 0; i < n; i++) {
		if (read_exact(in->mem, ev->args[1] + i * stride, raw, stride) < 0)
			return;
		msg_parse(ev, raw, &msg);
		control_fds(in, &msg, found, ctx);
	}
}
