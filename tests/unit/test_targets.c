/* SPDX-License-Identifier: GPL-3.0-only */
/* What is worth changing: the rules of targets.c, a result each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/analyze/targets.h"
#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/model/json.h"
#include "common/model/result.h"

static struct res_result *read_json(const char *members)
{
	cleanup_free char *text = mem_printf("{\"schema\": \"iotrace.result/1\", %s}", members);
	char path[] = "/tmp/test-targets-XXXXXX";
	cleanup_close int fd = mkstemp(path);
	struct res_result *r = NULL;
	struct err err = {0};

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	if (json_read_result(path, &r, &err) < 0)
		fail_msg("%s", err.text);
	unlink(path);
	return r;
}

/* "KIND CALL: CALLS calls, SAVED us, IMPACT x FREQUENCY x EASE\n" each, then why it is one, and
 * what is said of those that are none. */
static char *told(const char *members)
{
	struct res_result *r = read_json(members);
	struct analyze_scenario s = {.io = r, .io_file = "r.json"};
	struct ease_table ease = ease_defaults();
	struct doc *d = doc_new();
	size_t n;
	struct batching *b = batching_list(d, r, &n);
	struct targets t = targets_find(d, &s, b, n, &ease);
	char *text = mem_strdup("");

	for (size_t i = 0; i < t.len; i++) {
		const struct target *x = &t.at[i];
		char *more = mem_printf("%s%s %s: %llu calls, %.0f us, %u x %u x %u\n", text,
			ease_name(x->kind), x->call, (unsigned long long)x->calls,
			x->saved_ns / 1e3, x->impact, x->frequency, x->ease);

		free(text);
		text = more;
		assert_true(x->priority == x->impact * x->frequency * x->ease / 10.0);
	}
	for (size_t i = 0; i < t.len + t.without_len; i++) {
		char *more = mem_printf(
			"%s- %s\n", text, i < t.len ? t.at[i].why : t.without[i - t.len]);

		free(text);
		text = more;
	}
	doc_free(d);
	result_free(r);
	return text;
}

struct row {
	const char *members, *told;
	const char *said; /* among the sentences; NULL: whatever they are */
};

static void tell_each(const struct row *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		cleanup_free char *is = told(rows[i].members);
		size_t len = strlen(rows[i].told);

		if (strncmp(is, rows[i].told, len) != 0 || (is[len] && is[len] != '-'))
			fail_msg("row %zu: %sexpected: %s", i, is, rows[i].told);
		if (rows[i].said && !strstr(is, rows[i].said))
			fail_msg("row %zu: %sexpected: %s", i, is, rows[i].said);
	}
}

#define TENTH    "\"wall_ns\": 100000000, "
#define SECOND   "\"wall_ns\": 1000000000, "
#define RECORDED "\"tracer\": {\"calls_recorded_in_process\": 1000, \"calls_stopped\": 0}, "
/* A call that does nothing takes 20 us here, and a message 20 us less in a batch than by sendto. */
#define PLAIN                                                                                      \
	"\"tracer\": {\"calls_recorded_in_process\": 1000, \"calls_stopped\": 0, \"overhead\": "   \
	"{\"per_record_ns\": 1000, \"plain_call_ns\": 20000, \"sendto_gathered_ns\": 20000, "      \
	"\"sendmsg_gathered_ns\": 30000}}, "
/* It takes no less in a batch. */
#define NO_LESS                                                                                    \
	"\"tracer\": {\"calls_recorded_in_process\": 1000, \"calls_stopped\": 0, \"overhead\": "   \
	"{\"per_record_ns\": 1000, \"plain_call_ns\": 20000, \"sendto_gathered_ns\": 0}}, "
/* A call of so many calls and errors, each of so many nanoseconds. */
#define CALL(name, calls, errnos, min, p50, mean)                                                  \
	"{\"name\": \"" name "\", \"calls\": " #calls ", \"ok\": " #calls ", \"errno\": {" errnos  \
	"}, \"wall_ns\": {\"min\": " #min ", \"p50\": " #p50 ", \"mean\": " #mean                  \
	", \"max\": 900000}}"
/* One that receives, with so many empty calls that need not have been made. */
#define ASKS(name, calls, empty, again, min)                                                       \
	"{\"name\": \"" name "\", \"calls\": " #calls ", \"errno\": {\"EAGAIN\": " #empty          \
	"}, \"empty_again\": " #again ", \"wall_ns\": {\"min\": " #min                             \
	", \"p50\": 200000, \"mean\": 300000}}"
#define CALLS(...) "\"syscalls\": [" __VA_ARGS__ "]"

#define EMPTY      RECORDED CALLS(ASKS("read", 1000, 310, 300, 100000))
#define EMPTY_TOLD "empty-calls read: 300 calls, 30000 us, 2 x 6 x 6\n"

/* A share is one of the window, where there is one, and of the run otherwise. */
static void shares_are_of_the_window(void **state)
{
	static const struct row rows[] = {
		{SECOND EMPTY, EMPTY_TOLD, NULL},
		{"\"wall_ns\": 60000000000, \"window\": {\"wall_ns\": 1000000000}, " EMPTY,
			EMPTY_TOLD, NULL},
		{"\"wall_ns\": 60000000000, " EMPTY, "",
			"read, empty-calls: what it is known to save is about 0.1% of the run, "
			"less than 0.5%."},
		{"\"wall_ns\": 1000000000, \"window\": {\"wall_ns\": 60000000000}, " EMPTY, "",
			"read, empty-calls: what it is known to save is about 0.1% of the window, "
			"less than 0.5%."},
		{EMPTY, "", "How long it ran is not known"},
		{"\"wall_ns\": 0, " EMPTY, "", "How long it ran is not known"},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

static void nothing_is_concluded_from(void **state)
{
	static const struct row rows[] = {
		/* few calls */
		{SECOND RECORDED CALLS(CALL("read", 99, "\"EAGAIN\": 99", 900000, 900000, 900000)),
			"", "99 calls were seen; below 100"},
		/* times of stops */
		{SECOND "\"tracer\": {\"calls_recorded_in_process\": 800, \"calls_stopped\": "
			"200}, " CALLS(ASKS("read", 1000, 300, 300, 100000)),
			"", "20.0% of the calls were seen by stops"},
		/* the recorder counts redirected calls as its own */
		{SECOND "\"tracer\": {\"calls_recorded_in_process\": 500, \"calls_redirected\": "
			"1400, \"calls_stopped\": 100}, " CALLS(
				ASKS("read", 1000, 300, 300, 100000)),
			EMPTY_TOLD, NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

static void calls_that_bring_nothing(void **state)
{
	static const struct row rows[] = {
		{SECOND EMPTY, EMPTY_TOLD, NULL},
		/* not one that receives, or a result that does not tell */
		{SECOND RECORDED CALLS(
			 CALL("write", 1000, "\"EAGAIN\": 300", 100000, 200000, 300000)),
			"", NULL},
		{SECOND RECORDED CALLS(
			 CALL("read", 1000, "\"EAGAIN\": 300", 100000, 200000, 300000)),
			"", NULL},
		/* fewer than 100, and less than a tenth */
		{SECOND RECORDED CALLS(ASKS("read", 500, 300, 99, 400000)), "", NULL},
		{SECOND RECORDED CALLS(ASKS("read", 3001, 900, 300, 100000)), "", NULL},
		{SECOND RECORDED CALLS(ASKS("read", 3000, 900, 300, 100000)), EMPTY_TOLD, NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

static void lookups_that_fail(void **state)
{
	static const struct row rows[] = {
		{SECOND RECORDED CALLS(
			 CALL("openat", 1000, "\"ENOENT\": 900", 10000, 50000, 70000)),
			"failed-lookup openat: 900 calls, 45000 us, 3 x 7 x 7\n", NULL},
		/* a search as any */
		{SECOND RECORDED CALLS(
			 CALL("openat", 3000, "\"ENOENT\": 900", 10000, 50000, 70000)),
			"", NULL},
		/* another error */
		{SECOND RECORDED CALLS(
			 CALL("openat", 1000, "\"EACCES\": 900", 10000, 50000, 70000)),
			"", NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

/* So many anonymous regions mapped, and so many unmapped, in 10 us each. */
#define MAPS(maps, unmaps)                                                                         \
	"\"mappings\": {\"anonymous\": {\"maps\": " maps ", \"maps_ns\": " maps                    \
	"0000, \"unmaps\": " unmaps ", \"unmaps_ns\": " unmaps "0000, \"again\": " maps "}}, "
/* Both calls are made 500 times all the same: of files, too. */
#define BOTH CALLS(CALL("mmap", 500, "", 1, 2, 900000) ", " CALL("munmap", 500, "", 1, 2, 900000))

static void memory_mapped_again_and_again(void **state)
{
	static const struct row rows[] = {
		{SECOND RECORDED MAPS("400", "300") BOTH,
			"mapping-churn mmap and munmap: 300 calls, 6000 us, 1 x 6 x 5\n", NULL},
		{SECOND RECORDED MAPS("300", "500") BOTH,
			"mapping-churn mmap and munmap: 300 calls, 6000 us, 1 x 6 x 5\n", NULL},
		{SECOND RECORDED MAPS("400", "99") BOTH, "", NULL},
		{SECOND RECORDED MAPS("99", "400") BOTH, "", NULL},
		/* all at once, and then all unmapped; or a result that does not tell */
		{SECOND RECORDED
			"\"mappings\": {\"anonymous\": {\"maps\": 500, \"maps_ns\": "
			"5000000, \"unmaps\": 500, \"unmaps_ns\": 5000000, \"again\": 3}}, " BOTH,
			"", NULL},
		{SECOND RECORDED "\"mappings\": {\"anonymous\": {\"maps\": 500, \"maps_ns\": "
				 "5000000, \"unmaps\": 500, \"unmaps_ns\": 5000000}}, " BOTH,
			"", NULL},
		/* mapped, and hardly unmapped */
		{SECOND RECORDED MAPS("500", "1") BOTH, "", NULL},
		/* which were unmapped is not known */
		{SECOND RECORDED "\"mappings\": {\"anonymous\": {\"maps\": 500}}, " BOTH, "", NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

/* so many calls moved part of 8 messages, so many failed with EAGAIN */
#define SENDS(partial, refused) SENT(partial, "EAGAIN", refused)
#define SENT(partial, error, refused)                                                              \
	"{\"name\": \"sendmmsg\", \"calls\": 1000, \"ok\": 900, \"errno\": {\"" error              \
	"\": " #refused                                                                            \
	"}, \"wall_ns\": {\"min\": 1, \"p50\": 150000, \"max\": 900000}, \"batch\": {\"unit\": "   \
	"\"messages\", \"asked\": 7200, \"transferred\": 7000, \"full\": 800, "                    \
	"\"partial\": " #partial ", \"empty\": 0, \"single\": 0, \"per_call\": {\"mean\": 7.5}, "  \
	"\"asked_histogram\": {\"8\": 1000}, \"asked_to_transferred\": {\"8->8\": 800, "           \
	"\"8->4\": 100}, \"limited_by\": {\"buffer\": 1000}}}"

static void a_buffer_that_is_full(void **state)
{
	static const struct row rows[] = {
		/* not at the median of calls that moved 8 */
		{TENTH PLAIN CALLS(SENDS(100, 100)),
			"socket-buffer sendmmsg: 125 calls, 2500 us, 2 x 7 x 8\n", NULL},
		{SECOND RECORDED CALLS(SENDS(100, 100)), "",
			"up to 125 of 1,000 calls more than needed, but what one costs is not "
			"known: what a call "
			"that does nothing takes was not measured."},
		{SECOND RECORDED CALLS(SENDS(50, 49)), "", NULL},
		/* that is not the socket's buffer */
		{SECOND RECORDED CALLS(SENT(100, "ENOBUFS", 100)), "",
			"ENOBUFS is of a queue behind"},
		/* whole or nothing, as a pipe has it */
		{TENTH PLAIN CALLS(SENDS(0, 200)),
			"socket-buffer sendmmsg: 125 calls, 2500 us, 2 x 7 x 8\n", NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

/* Calls of 2, 4 and 8 messages (100, 100, 800) whose costs lie on a line: 8000 + 100 n, or 10 +
 * 5000 n; most are of the limit, 8. */
#define LIMITED(sizes) BATCHED(800, sizes)
#define BATCHED(whole, sizes)                                                                      \
	"{\"name\": \"sendmmsg\", \"calls\": 1000, \"ok\": 1000, \"wall_ns\": {\"p50\": 8800}, "   \
	"\"batch\": {\"unit\": \"messages\", \"asked\": 7000, \"transferred\": 7000, \"full\": "   \
	"1000, \"partial\": 0, \"single\": 0, \"empty\": 0, \"per_call\": {\"mean\": 7}, "         \
	"\"asked_histogram\": {\"2\": 100, \"4\": 100, \"8\": 800}, \"asked_to_transferred\": "    \
	"{\"2->2\": 100, \"4->4\": 100, \"8->8\": " #whole                                         \
	"}, \"limited_by\": {\"caller\": 1000}, \"by_transferred\": {" sizes "}}}"
#define FIXED_COST                                                                                 \
	"\"2\": {\"calls\": 100, \"total_ns\": 820000, \"sum_sq_ns\": 6724000000}, "               \
	"\"4\": {\"calls\": 100, \"total_ns\": 840000, \"sum_sq_ns\": 7056000000}, "               \
	"\"8\": {\"calls\": 800, \"total_ns\": 7040000, \"sum_sq_ns\": 61952000000}"
#define COST_OF_EACH                                                                               \
	"\"2\": {\"calls\": 100, \"total_ns\": 1001000, \"sum_sq_ns\": 10020010000}, "             \
	"\"4\": {\"calls\": 100, \"total_ns\": 2001000, \"sum_sq_ns\": 40040010000}, "             \
	"\"8\": {\"calls\": 800, \"total_ns\": 32008000, \"sum_sq_ns\": 1280640080000}"
static void a_larger_limit(void **state)
{
	static const struct row rows[] = {
		/* half of the fixed cost of 1,000 calls: 4 ms of 100 */
		{TENTH RECORDED CALLS(LIMITED(FIXED_COST)),
			"batch-limit sendmmsg: 1000 calls, 4000 us, 3 x 9 x 9\n", NULL},
		{TENTH RECORDED CALLS(LIMITED(COST_OF_EACH)), "", "batch-limit: no gain"},
		/* most were given less: the limit is not what holds them */
		{TENTH RECORDED CALLS(BATCHED(100, FIXED_COST)), "", NULL},
		{TENTH RECORDED CALLS(LIMITED("\"8\": {\"calls\": 1000, \"total_ns\": 8800000, "
					      "\"sum_sq_ns\": 77440000000}")),
			"", "batch-limit: no prediction, because"},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

/* ---- gathering ---- */

#define GATHERING(...) "\"gathering\": [" __VA_ARGS__ "], "
/* A place: what is saved with a limit of 1 ms; more: other members. */
#define PLACE(change, calls, saved, safely, at_most, more)                                         \
	"{\"change\": \"" change "\", \"calls\": " #calls                                          \
	", \"limit_ns\": 1000000, \"saved\": " #saved ", \"saved_safely\": " #safely               \
	", \"saved_at_most\": " #at_most more "}"
#define STREAM ", \"pid\": 1, \"fd\": 4, \"generation\": 0"
#define SENDTO CALL("sendto", 2000, "", 40000, 50000, 60000)
/* Writes of 64 KiB; more: other members. */
#define LARGE(more)                                                                                \
	"{\"name\": \"write\", \"class\": \"desc\", \"calls\": 2000, \"ok\": 2000, \"wall_ns\": "  \
	"{\"min\": 40000, \"mean\": 50000}, \"bytes\": {\"transferred\": 131072000}" more "}"
#define SMALL(calls, p10)                                                                          \
	"\"small_calls\": {\"calls\": " #calls ", \"p10_ns\": " #p10 ", \"p50_ns\": 900000}"
#define OTHER(name, calls, p10) "{\"name\": \"" name "\", \"calls\": 500, " SMALL(calls, p10) "}"
#define WRITES                  GATHERING(PLACE("write -> writev", 2000, 1967, 1967, 1967, ""))
#define NOT_KNOWN                                                                                  \
	"1,967 of 2,000 calls could be saved, but what one costs is not known: too few of its "    \
	"kind moved few bytes"

/* 105 calls that take about 70 us and 5.3 us a message; the 95% interval of the former, made by a
 * program that knows nothing of sums (test_analyze.c), begins at 69.327 us. */
#define NOISY                                                                                      \
	"\"1\": {\"calls\": 40, \"total_ns\": 3017300, \"sum_sq_ns\": 227950290000}, "             \
	"\"2\": {\"calls\": 30, \"total_ns\": 2450600, \"sum_sq_ns\": 200379900000}, "             \
	"\"4\": {\"calls\": 20, \"total_ns\": 1857100, \"sum_sq_ns\": 173001110000}, "             \
	"\"8\": {\"calls\": 10, \"total_ns\": 1116200, \"sum_sq_ns\": 125000980000}, "             \
	"\"16\": {\"calls\": 5, \"total_ns\": 783800, \"sum_sq_ns\": 123307360000}"

/* Where a call's own cost is modelled its low end is what is saved at least. */
static void a_fixed_cost_is_taken_at_its_low_end(void **state)
{
	static const struct row rows[] = {
		{SECOND RECORDED GATHERING(PLACE(
			 "sendmmsg -> sendmmsg", 1000, 1000, 1000, 1000, "")) CALLS(LIMITED(NOISY)),
			"gather-sends sendmmsg: 1000 calls, 69327 us, 4 x 7 x 6\n",
			"at least 69327 ns each, the low end of its fixed cost"},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

static void sends_that_could_be_gathered(void **state)
{
	static const struct row rows[] = {
		/* all places together; other limits are others'. Each saves what a message takes
		 * less in a batch, not what sending does. */
		{SECOND PLAIN GATHERING(PLACE("sendto -> sendmmsg", 1500, 1400, 600, 600,
			 "") ", " PLACE("sendto -> sendmmsg", 500, 400, 150, 150,
			 "") ", "
			     "{\"change\": \"sendto -> sendmmsg\", \"calls\": 500, "
			     "\"limit_units\": 8, "
			     "\"saved_safely\": 499}, " PLACE(
				     "write -> writev", 500, 500, 99, 99, "")) CALLS(SENDTO),
			"gather-sends sendto: 2000 calls, 15000 us, 1 x 8 x 6\n",
			"write, gathering: 500 of 500 calls could be saved only by holding them "
			"back over calls that can wait, tell others something or see what was "
			"written, which an answer or their order may depend on; 99 safely"},
		/* small ones do not tell: each message is sent by itself all the same */
		{SECOND RECORDED GATHERING(PLACE("sendto -> sendmmsg", 2000, 750, 750, 750, ""))
				CALLS(OTHER("sendto", 2000, 40000)),
			"",
			"750 of 2,000 calls could be saved, but what one costs is not known: "
			"how much less a message takes in a batch than by itself was not "
			"measured."},
		{SECOND NO_LESS GATHERING(PLACE("sendto -> sendmmsg", 2000, 750, 750, 750, ""))
				CALLS(SENDTO),
			"",
			"750 of 2,000 calls could be saved, but what one costs is not known: a "
			"message took no less in a batch than by itself here."},
		/* by sendmsg it is another difference, and write is one like sendto */
		{SECOND PLAIN GATHERING(PLACE("sendmsg -> sendmmsg", 2000, 1967, 750, 750, ""))
				CALLS(CALL("sendmsg", 2000, "", 40000, 50000, 60000)),
			"gather-sends sendmsg: 2000 calls, 22500 us, 2 x 8 x 6\n", NULL},
		{SECOND PLAIN GATHERING(PLACE("write -> sendmmsg", 2000, 1967, 750, 750, ""))
				CALLS(LARGE(", " SMALL(2000, 6000))),
			"gather-sends write: 2000 calls, 15000 us, 1 x 8 x 6\n", NULL},
		/* a batch that becomes larger saves entering the kernel */
		{SECOND NO_LESS GATHERING(PLACE("sendmmsg -> larger sendmmsg", 2000, 1967, 750, 750,
			 "")) CALLS(CALL("sendmmsg", 2000, "", 40000, 50000, 60000)),
			"gather-sends sendmmsg: 2000 calls, 15000 us, 1 x 8 x 6\n", NULL},
		/* or all of its fixed cost, where that is known: 8 us */
		{TENTH RECORDED GATHERING(PLACE("sendmmsg -> larger sendmmsg", 1000, 900, 500, 500,
			 "")) CALLS(BATCHED(100, FIXED_COST)),
			"gather-sends sendmmsg: 1000 calls, 4000 us, 3 x 9 x 6\n",
			"at least 8000 ns each, the low end of its fixed cost"},
		/* nothing safely */
		{SECOND PLAIN GATHERING(PLACE("sendto -> sendmmsg", 2000, 1967, 0, 0, ""))
				CALLS(SENDTO),
			"",
			"only by holding them back over calls that can wait, tell others something "
			"or see what was written, which an answer or their order may depend on; "
			"none safely"},
		/* how much is safe is not known */
		{SECOND PLAIN GATHERING(PLACE("sendto -> sendmmsg", 2000, 1967, null, 750,
			 ", \"reason\": \"futex was not traced\"")) CALLS(SENDTO),
			"gather-sends sendto: 2000 calls, 15000 us, 1 x 8 x 6\n", NULL},
		/* on a stream it is not sendmmsg that gathers */
		{SECOND PLAIN GATHERING(PLACE("sendto -> sendmmsg", 2000, 1967, 750, 750,
			 STREAM)) "\"fds\": [{\"pid\": 1, \"fd\": 4, \"generation\": 0, "
				  "\"target\": "
				  "\"tcp 127.0.0.1:1\", \"syscalls\": []}], " CALLS(SENDTO),
			"gather-stream sendto: 2000 calls, 15000 us, 1 x 8 x 6\n", NULL},
		{SECOND RECORDED GATHERING(PLACE("sendto -> sendmmsg", 2000, 1967, 750, 750,
			 STREAM)) "\"fds\": [{\"pid\": 1, \"fd\": 4, \"generation\": 0, "
				  "\"target\": "
				  "\"tcp 127.0.0.1:1\", \"syscalls\": []}], " CALLS(SENDTO),
			"", "not known: what a call that does nothing takes was not measured."},
		/* no rows that say anything */
		{SECOND PLAIN GATHERING(PLACE("sendto", 2000, 1967, 1967, 1967, "")) CALLS(SENDTO),
			"", NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

static void writes_that_could_be_gathered(void **state)
{
	static const struct row rows[] = {
		/* 64 KiB each: the time is that of the bytes, and what other calls take says
		 * nothing of writes */
		{SECOND PLAIN WRITES CALLS(LARGE("")), "", NOT_KNOWN},
		{SECOND PLAIN WRITES CALLS(LARGE("") ", " CALL(
			 "getpid", 500, "", 1000, 2000, 3000) ", " OTHER("sendto", 500, 1000)),
			"", NOT_KNOWN},
		/* two populations: its own small calls, less what the recorder adds */
		{SECOND PLAIN WRITES CALLS(LARGE(", " SMALL(100, 6000))),
			"gather-writes write: 2000 calls, 9835 us, 1 x 8 x 6\n", NULL},
		{SECOND PLAIN WRITES CALLS(LARGE(", " SMALL(99, 6000))), "", NOT_KNOWN},
		/* the cheapest of its kind, if it has none */
		{SECOND PLAIN WRITES CALLS(LARGE("") ", " OTHER("pwrite64", 100, 9000) ", " OTHER(
			 "writev", 100, 6000) ", " OTHER("pwritev", 99, 2000)),
			"gather-writes write: 2000 calls, 9835 us, 1 x 8 x 6\n", NULL},
		/* no more than the calls took */
		{SECOND PLAIN WRITES CALLS(LARGE(", " SMALL(100, 80000))),
			"gather-writes write: 2000 calls, 96383 us, 5 x 8 x 6\n", NULL},
		/* all of it may be the recorder's */
		{SECOND PLAIN WRITES CALLS(LARGE(", " SMALL(100, 1000))), "",
			"not known: recording a call took as long (1000 ns) as a short one took "
			"here."},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

#define FIVE_S          "\"wall_ns\": 5000000000, "
#define GATHERED(saved) GATHERING(PLACE("sendto -> sendmmsg", 2000, saved, saved, saved, ""))

/* Others had the CPU: the window is ten times as long, what the calls take at their median is not.
 */
static void a_busy_machine_hides_no_target(void **state)
{
	static const struct row rows[] = {
		/* 0.3% of the window, of calls that take 2% of it */
		{FIVE_S PLAIN GATHERED(750) CALLS(SENDTO),
			"gather-sends sendto: 2000 calls, 15000 us, 1 x 6 x 6\n",
			"by itself here, on a local socket: little of the run, but 15.0% "
			"of what the calls of sendto take at their median"},
		/* which take less than 1% of it */
		{"\"wall_ns\": 10100000000, " PLAIN GATHERED(750) CALLS(SENDTO), "",
			"sendto, gather-sends: what it is known to save is about 0.1% of the run, "
			"less "
			"than 0.5%."},
		/* less than 2% of theirs */
		{FIVE_S PLAIN GATHERED(100) CALLS(CALL("sendto", 2000, "", 50000, 51000, 52000)),
			"",
			"sendto, gather-sends: what it is known to save is about <0.1% of the run"},
		/* the median is not known */
		{FIVE_S PLAIN GATHERED(750) CALLS(CALL("sendto", 2000, "", 50000, null, 52000)), "",
			"sendto, gather-sends: what it is known to save is about 0.3% of the run"},
		/* never "about 0.5%, less than 0.5%" */
		{"\"wall_ns\": 1210000000, " RECORDED MAPS("400", "300") BOTH, "",
			"mapping-churn: what it is known to save is less than 0.5% of the run."},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

/* ---- reads ---- */

#define READER(target, name, calls, fewer)                                                         \
	"{\"pid\": 1, \"fd\": 4, \"generation\": 0, \"target\": \"" target                         \
	"\", \"syscalls\": [{\"name\": \"" name "\", \"calls\": " #calls                           \
	", \"larger_reads\": " #fewer "}]}"
#define READERS(...) "\"fds\": [" __VA_ARGS__ "], "
#define OF_4K        CALL("read", 3000, "", 40000, 50000, 60000)
#define OF_FEW(p10)  "{\"name\": \"read\", \"calls\": 3000, " SMALL(100, p10) "}"

static void reads_that_could_be_larger(void **state)
{
	static const struct row rows[] = {
		/* all files together; none of small ones, so at what entering the kernel takes */
		{SECOND PLAIN READERS(READER("/a", "read", 2000, 1500) ", " READER(
			 "/b", "read", 1000, 500)) CALLS(OF_4K),
			"larger-reads read: 2000 calls, 40000 us, 3 x 8 x 8\n", NULL},
		/* it is written as well, by another descriptor */
		{SECOND PLAIN READERS(READER("/a", "read", 2000, 1500) ", " READER(
			 "/a", "write", 1000, null)) CALLS(OF_4K),
			"", NULL},
		/* small ones tell; a write's do not */
		{SECOND PLAIN READERS(READER("/a", "read", 3000, 2000)) CALLS(OF_FEW(6000)),
			"larger-reads read: 2000 calls, 10000 us, 1 x 8 x 8\n", NULL},
		{SECOND PLAIN READERS(READER("/a", "read", 3000, 2000)) CALLS(
			 OF_4K ", " OTHER("pread64", 100, 6000) ", " OTHER("write", 100, 2000)),
			"larger-reads read: 2000 calls, 10000 us, 1 x 8 x 8\n", NULL},
		/* all of it may be the recorder's: entering the kernel is saved */
		{SECOND PLAIN READERS(READER("/a", "read", 3000, 2000)) CALLS(OF_FEW(1000)),
			"larger-reads read: 2000 calls, 40000 us, 3 x 8 x 8\n", NULL},
		{SECOND RECORDED READERS(READER("/a", "read", 3000, 2000)) CALLS(OF_4K), "",
			"read, larger-reads: with buffers of 64 KiB 2,000 of 3,000 calls on files "
			"would not be made, but what one costs is not known: what a call that does "
			"nothing takes was not measured."},
		/* few, another call's, of a device, not known */
		{SECOND PLAIN READERS(READER("/a", "read", 3000, 99)) CALLS(OF_4K), "", NULL},
		{SECOND PLAIN READERS(READER("/a", "pread64", 3000, 2000)) CALLS(OF_4K), "", NULL},
		{SECOND PLAIN READERS(READER("/dev/input/event0", "read", 3000, 2000)) CALLS(OF_4K),
			"", NULL},
		{SECOND PLAIN READERS(READER("/a", "read", 3000, null)) CALLS(OF_4K), "", NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

/* Nothing is safe; the descriptor is 4 of process 1. */
#define ON_4 ", \"pid\": 1, \"fd\": 4, \"generation\": 0"
#define LOG  PLACE("write -> writev", 2000, 1967, 0, 0, ON_4)
#define ON(target, calls)                                                                          \
	"\"fds\": [{\"pid\": 1, \"fd\": 4, \"generation\": 0, \"target\": \"" target               \
	"\", \"syscalls\": [{\"name\": \"write\", \"calls\": 2000}" calls "]}], "
#define UNSAFE                                                                                     \
	"1,967 of 2,000 calls could be saved only by holding them back over calls that can wait"

static void logs(void **state)
{
	static const struct row rows[] = {
		/* 1,967 at 6 us less what a record costs */
		{SECOND PLAIN GATHERING(LOG) ON("/var/log/x", "")
				CALLS(LARGE(", " SMALL(100, 6000))),
			"",
			"- write, gathering: a buffer that is written after 1 ms would save 1,967 "
			"of 2,000 "
			"calls to files that are not synced (at least 1.0% of the run, 5000 ns "
			"each, one in "
			"ten of 100 calls of write that moved few bytes took no longer); what is "
			"in it is "
			"lost if the program is killed, and others read it later.\n"},
		{SECOND PLAIN GATHERING(LOG) ON("/var/log/x", "") CALLS(LARGE("")), "",
			"not synced (what one costs is not known: too few of its kind moved few "
			"bytes, and what others take is for their bytes); what"},
		/* it is said to be on disk; devices, pipes and what is not known are no logs */
		{SECOND PLAIN GATHERING(LOG) ON("/var/log/x", ", {\"name\": \"fdatasync\"}")
				CALLS(LARGE("")),
			"", UNSAFE},
		{SECOND PLAIN GATHERING(LOG) ON("/var/log/x", "")
				CALLS(LARGE("") ", {\"name\": \"syncfs\", \"calls\": 1}"),
			"", UNSAFE},
		{SECOND PLAIN GATHERING(LOG) ON("/var/log/x", "")
				CALLS(LARGE("") ", {\"name\": \"io_uring_enter\", \"calls\": 1}"),
			"", UNSAFE},
		{SECOND PLAIN GATHERING(PLACE("write -> writev", 2000, 1967, 0, 0,
			 ON_4 ", \"synced\": true")) ON("/var/log/x", "") CALLS(LARGE("")),
			"", UNSAFE},
		/* other things are done with it as often */
		{SECOND PLAIN GATHERING(LOG) ON(
			 "/var/log/x", ", {\"name\": \"lseek\", \"calls\": 2000}") CALLS(LARGE("")),
			"", UNSAFE},
		{SECOND PLAIN GATHERING(LOG) ON("/var/log/x",
			 ", {\"name\": \"pwrite64\", \"calls\": 201}") CALLS(LARGE("")),
			"", UNSAFE},
		{SECOND PLAIN GATHERING(LOG) ON("/dev/pts/1", "") CALLS(LARGE("")), "", UNSAFE},
		{SECOND PLAIN GATHERING(LOG) ON("pipe:[7]", "") CALLS(LARGE("")), "", UNSAFE},
		{SECOND PLAIN GATHERING(LOG) CALLS(LARGE("")), "", UNSAFE},
		/* others beside it */
		{SECOND PLAIN GATHERING(LOG ", " PLACE("write -> writev", 500, 400, 7, 7, ""))
				ON("/var/log/x", "") CALLS(LARGE("")),
			"",
			"400 of 500 calls to others could be saved only by holding them back over "
			"calls that can wait, tell others something or see what was written, which "
			"an answer or their order may depend on; 7 safely."},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

/* By priority, then by what is saved. */
static void the_first_is_the_most_worth(void **state)
{
	static const struct row rows[] = {
		{SECOND RECORDED MAPS("400", "300") CALLS(ASKS("read", 1000, 300, 300,
			 100000) ", " ASKS("readv", 1000, 301, 301, 100000)),
			"empty-calls readv: 301 calls, 30100 us, 2 x 6 x 6\n" EMPTY_TOLD
			"mapping-churn mmap and munmap: 300 calls, 6000 us, 1 x 6 x 5\n",
			NULL},
	};

	(void)state;
	tell_each(rows, LEN(rows));
}

static void steps(void **state)
{
	(void)state;
	assert_int_equal(target_impact(0), 1);
	assert_int_equal(target_impact(0.0199), 1);
	assert_int_equal(target_impact(0.0201), 2);
	assert_int_equal(target_impact(0.1799), 9);
	assert_int_equal(target_frequency(30), 4); /* 3.95 */
	assert_int_equal(target_frequency(20), 4); /* 3.60 */
	assert_int_equal(target_frequency(17), 3); /* 3.46 */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(shares_are_of_the_window),
		cmocka_unit_test(nothing_is_concluded_from),
		cmocka_unit_test(calls_that_bring_nothing),
		cmocka_unit_test(lookups_that_fail),
		cmocka_unit_test(memory_mapped_again_and_again),
		cmocka_unit_test(a_buffer_that_is_full),
		cmocka_unit_test(a_larger_limit),
		cmocka_unit_test(a_fixed_cost_is_taken_at_its_low_end),
		cmocka_unit_test(sends_that_could_be_gathered),
		cmocka_unit_test(writes_that_could_be_gathered),
		cmocka_unit_test(a_busy_machine_hides_no_target),
		cmocka_unit_test(reads_that_could_be_larger),
		cmocka_unit_test(logs),
		cmocka_unit_test(the_first_is_the_most_worth),
		cmocka_unit_test(steps),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
