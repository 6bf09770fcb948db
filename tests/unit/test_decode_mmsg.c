/* SPDX-License-Identifier: GPL-3.0-only */
#include "fake_target.h"

/* sendmmsg, recvmmsg, sendmsg, recvmsg and the datagrams of GSO and GRO. */

#define VEC     MEM_BASE
#define IOVS    (MEM_BASE + 0x30000)
#define CONTROL (MEM_BASE + 0x60000)
#define NO      NOT_MEASURED

enum { SEGMENT = 103, GRO = 104, LEVEL_UDP = 17 };

struct message {
	uint32_t len;         /* msg_len, and what the one iovec has room for */
	uint64_t iov_count;   /* 0 = 1 */
	uint64_t control_len; /* what is said of it; 0 with an option = its real length */
	uint32_t option, value;
	uint32_t flags;
};

static size_t stride(const struct target *t)
{
	return t->ev.abi == ABI_NATIVE ? 64 : 32;
}

static uint64_t put_control(struct target *t, uint64_t addr, const struct message *msg)
{
	uint64_t header = t->ev.abi == ABI_NATIVE ? 16 : 12;
	uint64_t payload = msg->option == SEGMENT ? 2 : 4, at = addr;

	/* Something else before it: IP_PKTINFO. */
	at = target_put_word(t, at, header + 12);
	at = target_put_u32(t, at, 0);
	at = target_put_u32(t, at, 8);
	at += t->ev.abi == ABI_NATIVE ? 16 : 12;
	at = target_put_word(t, at, header + payload);
	at = target_put_u32(t, at, LEVEL_UDP);
	at = target_put_u32(t, at, msg->option);
	target_put(t, at, &msg->value, payload);
	return at + payload - addr;
}

static void put_message(struct target *t, size_t i, const struct message *msg)
{
	uint64_t p = VEC + i * stride(t), control = CONTROL + i * 64, control_len = 0;
	int native = t->ev.abi == ABI_NATIVE;

	if (msg->option)
		control_len = put_control(t, control, msg);
	if (msg->control_len)
		control_len = msg->control_len;
	target_put_iov(t, IOVS + i * 16, msg->len);
	p = target_put_word(t, p, 0);
	p = target_put_word(t, p, 0xffffffff00000000 | 16);
	p = target_put_word(t, p, IOVS + i * 16);
	p = target_put_word(t, p, msg->iov_count ? msg->iov_count : 1);
	p = target_put_word(t, p, control_len ? control : 0);
	p = target_put_word(t, p, control_len);
	p = target_put_u32(t, p, msg->flags);
	target_put_u32(t, native ? p + 4 : p, msg->len);
}

static struct target *mmsg_target(const char *name, enum abi abi, uint64_t vlen)
{
	struct target *t = target_new(name, abi);

	t->ev.args[0] = 5;
	t->ev.args[1] = VEC;
	t->ev.args[2] = vlen;
	return t;
}

/* ---- table: what is measured of a call of up to 4 different messages ---- */

static const struct mmsg_row {
	const char *what, *name;
	uint64_t vlen;
	int64_t ret;
	struct message msgs[4];
	struct decode_env env;
	uint64_t asked, moved, bytes, dgrams_asked, dgrams_moved;
	uint8_t segmented, unreadable;
	unsigned int reads; /* 0: not looked at */
} mmsg_rows[] = {
	{"plain", "sendmmsg", 3, 3, {{.len = 10}, {.len = 20}, {.len = 30}}, {0}, 3, 3, 60, 3, 3, 0,
		0, 1},
	{"partial", "sendmmsg", 4, 2, {{.len = 10}, {.len = 20}, {.len = 30}, {.len = 40}}, {0}, 4,
		2, 30, 4, 2, 0, 0, 1},
	{"none", "sendmmsg", 0, 0, {{0}}, {0}, 0, 0, 0, 0, 0, 0, 0, 0},
	{"empty messages", "sendmmsg", 2, 2, {{0}, {0}}, {0}, 2, 2, 0, 2, 2, 0, 0, 1},
	{"error", "sendmmsg", 3, -EAGAIN, {{.len = 10}}, {0}, 3, NO, NO, NO, NO, 0, 0, 0},
	{"interrupted", "recvmmsg", 3, -512, {{.len = 10}}, {0}, 3, NO, NO, NO, NO, 0, 0, 0},
	{"32 bits of vlen", "recvmmsg", 0xabcd00000002, 1, {{.len = 7}}, {0}, 2, 1, 7, 2, 1, 0, 0,
		1},
	{"largest vlen", "recvmmsg", UINT32_MAX, 1, {{.len = 7}}, {0}, UINT32_MAX, 1, 7, UINT32_MAX,
		1, 0, 0, 1},
	{"largest lengths", "recvmmsg", 2, 2, {{.len = UINT32_MAX}, {.len = UINT32_MAX}}, {0}, 2, 2,
		2ULL * UINT32_MAX, 2, 2, 0, 0, 1},
	{"socket's GSO", "sendmmsg", 3, 3, {{.len = 3000}, {.len = 1000}, {0}}, {.gso_size = 1000},
		3, 3, 4000, 5, 5, 1, 0, 1},
	{"GSO by message", "sendmmsg", 2, 2,
		{{.len = 2001, .option = SEGMENT, .value = 1000}, {.len = 500}}, {0}, 2, 2, 2501, 4,
		4, 1, 0, 2},
	{"GSO off by message", "sendmmsg", 2, 2,
		{{.len = 3000, .option = SEGMENT, .value = 0}, {.len = 3000}}, {.gso_size = 1000},
		2, 2, 6000, 4, 4, 1, 0, 2},
	{"GSO, a part sent", "sendmmsg", 3, 1, {{.len = 3000}, {.len = 2500}, {.len = 10}},
		{.gso_size = 1000}, 3, 1, 3000, 7, 3, 1, 0, 0},
	{"GSO, unsent too long", "sendmmsg", 2, 1, {{.len = 3000}, {.len = 10, .iov_count = 1025}},
		{.gso_size = 1000}, 2, 1, 3000, NO, 3, 1, 0, 0},
	{"GSO, none sent", "sendmmsg", 2, -EAGAIN, {{.len = 3000}, {.len = 10}}, {.gso_size = 1000},
		2, NO, NO, NO, NO, 0, 0, 0},
	{"GRO", "recvmmsg", 4, 2, {{.len = 2500, .option = GRO, .value = 1000}, {.len = 700}},
		{.gro = 1}, 4, 2, 3200, 4, 4, 1, 0, 2},
	{"GRO not used", "recvmmsg", 2, 1, {{.len = 700}}, {.gro = 1}, 2, 1, 700, 2, 1, 0, 0, 1},
	{"GRO without room", "recvmmsg", 2, 1, {{.len = 2500, .flags = 0x8}}, {.gro = 1}, 2, 1,
		2500, NO, NO, 1, 0, 1},
	{"GRO size of 0", "recvmmsg", 1, 1, {{.len = 2500, .option = GRO, .value = 0}}, {0}, 1, 1,
		2500, 1, 1, 0, 0, 2},
	{"control too long", "sendmmsg", 1, 1, {{.len = 10, .control_len = 1 << 17}}, {0}, 1, 1, 10,
		NO, NO, 0, 1, 0},
	{"control largest", "recvmmsg", 1, 1, {{.len = 10, .control_len = 0xffffffff}}, {0}, 1, 1,
		10, NO, NO, 0, 1, 0},
};

static void measures(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(mmsg_rows) / sizeof(*mmsg_rows); i++) {
		const struct mmsg_row *row = &mmsg_rows[i];

		for (enum abi abi = 0; abi < ABI_COUNT; abi++) {
			struct target *t = mmsg_target(row->name, abi, row->vlen);

			print_message("# %s, abi %d\n", row->what, (int)abi);
			for (size_t k = 0; k < 4; k++)
				put_message(t, k, &row->msgs[k]);
			t->env = row->env;
			target_entry(t);
			assert_int_equal(t->m.batch_asked, row->asked);
			assert_int_equal(t->m.bytes_asked, NO);
			assert_int_equal(t->reads, 0);
			target_exit(t, row->ret);
			assert_int_equal(t->m.batch_asked, row->asked);
			assert_int_equal(t->m.batch_moved, row->moved);
			assert_int_equal(t->m.bytes_asked, NO);
			assert_int_equal(t->m.bytes_moved, row->bytes);
			assert_int_equal(t->m.dgrams_asked, row->dgrams_asked);
			assert_int_equal(t->m.dgrams_moved, row->dgrams_moved);
			assert_int_equal(t->m.segmented, row->segmented);
			assert_int_equal(t->m.unreadable, row->unreadable);
			if (row->reads)
				assert_int_equal(t->reads, row->reads);
			free(t);
		}
	}
}

/* 1500 asked: sendmmsg stops at 1024, recvmmsg does not. One read for each 1024 messages. */
static void large(void **state)
{
	static const struct {
		const char *name;
		int64_t ret;
		unsigned int reads;
	} rows[] = {{"sendmmsg", 1024, 1}, {"recvmmsg", 1500, 2}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		for (enum abi abi = 0; abi < ABI_COUNT; abi++) {
			struct target *t = mmsg_target(rows[i].name, abi, 1500);

			for (size_t k = 0; k < 1500; k++)
				put_message(t, k, &(struct message){.len = 3});
			target_entry(t);
			target_exit(t, rows[i].ret);
			assert_int_equal(t->m.batch_asked, 1500);
			assert_int_equal(t->m.batch_moved, rows[i].ret);
			assert_int_equal(t->m.bytes_moved, 3 * rows[i].ret);
			assert_int_equal(t->m.dgrams_asked, 1500);
			assert_int_equal(t->reads, rows[i].reads);
			free(t);
		}
	}
}

/* The array, the control data together, then alone: each read fails once. */
static void faults(void **state)
{
	static const struct {
		unsigned int fail_at;
		uint64_t bytes, dgrams;
		int unreadable;
	} rows[] = {{1, NO, NO, 1}, {2, 2501, 4, 0}, {0, 2501, 4, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct target *t = mmsg_target("sendmmsg", ABI_NATIVE, 2);

		put_message(t, 0, &(struct message){.len = 2001, .option = SEGMENT, .value = 1000});
		put_message(t, 1, &(struct message){.len = 500});
		t->fail_at = rows[i].fail_at;
		target_entry(t);
		target_exit(t, 2);
		assert_int_equal(t->m.batch_moved, 2);
		assert_int_equal(t->m.bytes_moved, rows[i].bytes);
		assert_int_equal(t->m.dgrams_moved, rows[i].dgrams);
		assert_int_equal(t->m.unreadable, rows[i].unreadable);
		free(t);
	}
}

/* Memory ends within the array, and within the second chunk of a large one. */
static void array_cut_off(void **state)
{
	static const struct {
		uint64_t addr;
		int64_t ret;
	} rows[] = {
		{MEM_BASE + MEM_BYTES - 100, 2},
		{MEM_BASE + MEM_BYTES - 64 * 1100, 1500},
		{0, 1},
		{UINT64_MAX - 10, 3},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct target *t = mmsg_target("recvmmsg", ABI_NATIVE, 1500);

		t->ev.args[1] = rows[i].addr;
		target_entry(t);
		target_exit(t, rows[i].ret);
		assert_int_equal(t->m.batch_moved, rows[i].ret);
		assert_int_equal(t->m.bytes_moved, NO);
		assert_int_equal(t->m.dgrams_moved, NO);
		assert_int_equal(t->m.unreadable, 1);
		free(t);
	}
}

/* Control lengths that lie: no loop, no read beyond, no invented datagrams. */
static void hostile_control(void **state)
{
	static const uint64_t lengths[] = {0, 1, 15, 17, 39, 41, 0x7fffffff, 0xffffffff, UINT64_MAX,
		UINT64_MAX - 7, 1ULL << 63};

	(void)state;
	for (size_t i = 0; i < sizeof(lengths) / sizeof(*lengths); i++) {
		for (enum abi abi = 0; abi < ABI_COUNT; abi++) {
			struct target *t = mmsg_target("sendmmsg", abi, 1);
			struct message msg = {.len = 3000, .control_len = 40};

			put_message(t, 0, &msg);
			target_put_word(t, CONTROL, lengths[i]);
			target_entry(t);
			target_exit(t, 1);
			assert_int_equal(t->m.dgrams_moved, 1);
			assert_int_equal(t->m.segmented, 0);
			free(t);
		}
	}
}

/* Control data far apart, or in falling order, is found one by one. */
static void scattered_control(void **state)
{
	struct target *t = mmsg_target("sendmmsg", ABI_NATIVE, 2);
	struct message msg = {.len = 3000, .option = SEGMENT, .value = 1000};
	uint64_t len;

	(void)state;
	put_message(t, 0, &msg);
	put_message(t, 1, &msg);
	len = put_control(t, MEM_BASE + MEM_BYTES - 64, &msg);
	target_put_word(t, VEC + 32, MEM_BASE + MEM_BYTES - 64);
	target_put_word(t, VEC + 40, len);
	target_entry(t);
	target_exit(t, 2);
	assert_int_equal(t->m.dgrams_moved, 6);
	assert_int_equal(t->reads, 3);
	free(t);
}

/* ---- sendmsg and recvmsg ---- */

static const struct msg_row {
	const char *what, *name;
	int64_t ret;
	struct message msg;
	struct decode_env env;
	unsigned int fail_at;
	uint64_t asked, moved, dgrams_asked, dgrams_moved;
	uint8_t segmented, unreadable;
	unsigned int reads;
} msg_rows[] = {
	{"plain", "sendmsg", 100, {.len = 100}, {0}, 0, 100, 100, 1, 1, 0, 0, 2},
	{"a part", "sendmsg", 60, {.len = 100}, {0}, 0, 100, 60, 1, 1, 0, 0, 2},
	{"nothing", "sendmsg", 0, {0}, {0}, 0, 0, 0, 1, 1, 0, 0, 2},
	{"error", "sendmsg", -EPIPE, {.len = 100}, {0}, 0, 100, NO, 1, NO, 0, 0, 2},
	{"too many iovecs", "sendmsg", -EMSGSIZE, {.len = 100, .iov_count = 1025}, {0}, 0, NO, NO,
		NO, NO, 0, 0, 1},
	{"header unreadable", "sendmsg", 100, {.len = 100}, {0}, 1, NO, 100, NO, NO, 0, 1, 1},
	{"iovecs unreadable", "sendmsg", 100, {.len = 100}, {0}, 2, NO, 100, NO, NO, 0, 1, 2},
	{"socket's GSO", "sendmsg", 2500, {.len = 2500}, {.gso_size = 1000}, 0, 2500, 2500, 3, 3, 1,
		0, 2},
	{"GSO by message", "sendmsg", 2500, {.len = 2500, .option = SEGMENT, .value = 500}, {0}, 0,
		2500, 2500, 5, 5, 1, 0, 3},
	{"GSO, control unreadable", "sendmsg", 2500, {.len = 2500, .option = SEGMENT, .value = 500},
		{0}, 3, 2500, 2500, NO, NO, 0, 1, 3},
	{"GSO, a part", "sendmsg", 900, {.len = 2500, .option = SEGMENT, .value = 500}, {0}, 0,
		2500, 900, 5, 2, 1, 0, 5},
	{"plain", "recvmsg", 60, {.len = 100}, {0}, 0, 100, 60, 1, 1, 0, 0, 2},
	{"GRO", "recvmsg", 2500, {.len = 5000, .option = GRO, .value = 1000}, {0}, 0, 5000, 2500, 3,
		3, 1, 0, 4},
	{"GRO, header unreadable", "recvmsg", 2500, {.len = 5000, .option = GRO, .value = 1000},
		{0}, 3, 5000, 2500, NO, NO, 0, 1, 3},
	{"GRO, control unreadable", "recvmsg", 2500, {.len = 5000, .option = GRO, .value = 1000},
		{0}, 4, 5000, 2500, NO, NO, 0, 1, 4},
	{"GRO without room", "recvmsg", 2500, {.len = 5000, .flags = 0x8}, {.gro = 1}, 0, 5000,
		2500, NO, NO, 1, 0, 3},
	{"interrupted", "recvmsg", -512, {.len = 100}, {0}, 0, 100, NO, 1, NO, 0, 0, 2},
};

static void single_message(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(msg_rows) / sizeof(*msg_rows); i++) {
		const struct msg_row *row = &msg_rows[i];

		for (enum abi abi = 0; abi < ABI_COUNT; abi++) {
			struct target *t = target_new(row->name, abi);

			print_message("# %s %s, abi %d\n", row->name, row->what, (int)abi);
			t->ev.args[1] = VEC;
			t->env = row->env;
			t->fail_at = row->fail_at;
			put_message(t, 0, &row->msg);
			target_entry(t);
			target_exit(t, row->ret);
			assert_int_equal(t->m.bytes_asked, row->asked);
			assert_int_equal(t->m.bytes_moved, row->moved);
			assert_int_equal(t->m.batch_asked, NO);
			assert_int_equal(t->m.batch_moved, NO);
			assert_int_equal(t->m.dgrams_asked, row->dgrams_asked);
			assert_int_equal(t->m.dgrams_moved, row->dgrams_moved);
			assert_int_equal(t->m.segmented, row->segmented);
			assert_int_equal(t->m.unreadable, row->unreadable);
			assert_int_equal(t->reads, row->reads);
			free(t);
		}
	}
}

/* ---- calls on a plain buffer, and the options ---- */

static void flat(void **state)
{
	static const struct {
		const char *name;
		int64_t ret;
		struct decode_env env;
		uint64_t dgrams_asked, dgrams_moved;
		uint8_t segmented;
	} rows[] = {
		{"sendto", 2500, {0}, 1, 1, 0},
		{"sendto", 2500, {.gso_size = 1000}, 3, 3, 1},
		{"sendto", -EAGAIN, {.gso_size = 1000}, NO, NO, 0},
		{"recvfrom", 2500, {0}, 1, 1, 0},
		{"recvfrom", 2500, {.gro = 1}, NO, NO, 1},
		{"write", 2500, {0}, NO, NO, 0},
		{"write", 2000, {.gso_size = 1000}, 3, 2, 1},
		{"write", 0, {.gso_size = 1000}, 3, 1, 1},
		{"read", 2500, {0}, NO, NO, 0},
		{"read", 2500, {.gro = 1}, NO, NO, 1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct target *t = target_new(rows[i].name, ABI_NATIVE);

		t->ev.args[2] = 2500;
		t->env = rows[i].env;
		target_entry(t);
		target_exit(t, rows[i].ret);
		assert_int_equal(t->m.bytes_asked, 2500);
		assert_int_equal(t->m.bytes_moved, rows[i].ret < 0 ? NO : (uint64_t)rows[i].ret);
		assert_int_equal(t->m.dgrams_asked, rows[i].dgrams_asked);
		assert_int_equal(t->m.dgrams_moved, rows[i].dgrams_moved);
		assert_int_equal(t->m.segmented, rows[i].segmented);
		assert_int_equal(t->reads, 0);
		free(t);
	}
}

static void options(void **state)
{
	static const struct {
		uint64_t level, option, addr, len;
		int64_t ret;
		uint32_t value;
		int changed;
		uint32_t gso_size;
		int gro;
	} rows[] = {
		{17, SEGMENT, VEC, 4, 0, 1200, 1, 1200, -1},
		{17, SEGMENT, VEC, 4, 0, 0, 1, 0, -1},
		{17, GRO, VEC, 4, 0, 1, 1, 77, 1},
		{17, GRO, VEC, 4, 0, 0, 1, 77, 0},
		{17 | 1ULL << 40, GRO | 1ULL << 40, VEC, 4 | 1ULL << 40, 0, 1, 1, 77, 1},
		{17, SEGMENT, VEC, 4, -EINVAL, 1200, 0, 77, -1},
		{17, SEGMENT, VEC, 2, 0, 1200, 0, 77, -1},
		{17, SEGMENT, 0, 4, 0, 1200, 0, 77, -1},
		{17, 1, VEC, 4, 0, 1200, 0, 77, -1},
		{1, SEGMENT, VEC, 4, 0, 1200, 0, 77, -1},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct target *t = target_new("setsockopt", ABI_NATIVE);
		struct decode_in in = {&t->ev, &t->mem, &t->env};
		uint32_t gso_size = 77;
		int gro = -1;

		t->ev.args[1] = rows[i].level;
		t->ev.args[2] = rows[i].option;
		t->ev.args[3] = rows[i].addr;
		t->ev.args[4] = rows[i].len;
		t->ev.ret = rows[i].ret;
		target_put_u32(t, VEC, rows[i].value);
		assert_int_equal(decode_udp_option(&in, &gso_size, &gro), rows[i].changed);
		assert_int_equal(gso_size, rows[i].gso_size);
		assert_int_equal(gro, rows[i].gro);
		free(t);
	}
}

static void sum_fds(void *ctx, int32_t fd)
{
	*(int64_t *)ctx += fd;
}

/* SCM_RIGHTS in the third of four messages, after something else: 2 fds, cut to one, and none. */
static void rights(void **state)
{
	static const struct {
		enum abi abi;
		const char *name;
		int64_t ret;
		uint32_t payload; /* that the control data says */
		int64_t sum;
	} rows[] = {
		{ABI_X86_64, "recvmmsg", 4, 8, 7 + 100},
		{ABI_I386, "recvmmsg", 4, 8, 7 + 100},
		{ABI_X86_64, "recvmmsg", 4, 7, 7},
		{ABI_X86_64, "recvmmsg", 4, 1000, 0},
		{ABI_X86_64, "recvmmsg", 2, 8, 0},
		{ABI_X86_64, "recvmmsg", -EAGAIN, 8, 0},
		{ABI_X86_64, "recvmsg", 10, 8, 7 + 100},
		{ABI_I386, "recvmsg", 10, 8, 7 + 100},
		{ABI_X86_64, "sendmmsg", 4, 8, 0},
		{ABI_X86_64, "sendmsg", 10, 8, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct target *t = mmsg_target(rows[i].name, rows[i].abi, 4);
		struct decode_in in = {&t->ev, &t->mem, &t->env};
		size_t third = strstr(rows[i].name, "mmsg") ? 2 : 0;
		uint64_t header = rows[i].abi == ABI_X86_64 ? 16 : 12, at = CONTROL + third * 64;
		struct message msg = {.len = 10,
			.option = GRO,
			.control_len = (header + 12 + 7) / 8 * 8 + header + 8};
		int64_t sum = 0;

		put_message(t, third, &msg);
		at += msg.control_len - header - 8; /* where put_control() has the option */
		at = target_put_word(t, at, header + rows[i].payload);
		at = target_put_u32(t, at, 1);
		at = target_put_u32(t, at, 1);
		at = target_put_u32(t, at, 7);
		target_put_u32(t, at, 100);
		t->ev.ret = rows[i].ret;
		decode_rights(&in, sum_fds, &sum);
		assert_int_equal(sum, rows[i].sum);
		free(t);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(measures),
		cmocka_unit_test(large),
		cmocka_unit_test(faults),
		cmocka_unit_test(array_cut_off),
		cmocka_unit_test(hostile_control),
		cmocka_unit_test(scattered_control),
		cmocka_unit_test(single_message),
		cmocka_unit_test(flat),
		cmocka_unit_test(options),
		cmocka_unit_test(rights),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
