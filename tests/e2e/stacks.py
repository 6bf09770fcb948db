#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""iotrace --stacks: the code paths of calls, by stops exactly and recorded by chance."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, eq, main, need_recorder, need_root, need_tool, test

PROGRAM = """#include <fcntl.h>
#include <pthread.h>
#include <unistd.h>
static int fd;
__attribute__((noinline)) void flush_log(int n) { for (int i = 0; i < n; i++) write(fd, "0123456789", 10); __asm__(""); }
__attribute__((noinline)) void serve(void) { for (int i = 0; i < 1000; i++) { flush_log(3); write(fd, "x", 1); } __asm__(""); }
__attribute__((noinline)) void *other(void *a) { for (int i = 0; i < 5000; i++) write(fd, "abc", 3); return a; }
int main(void)
{
	pthread_t t;
	fd = open("/dev/null", O_WRONLY);
	pthread_create(&t, 0, other, 0);
	serve();
	pthread_join(t, 0);
	return 0;
}
"""
EXACT = {"calls": {"serve;flush_log": 3000, "main;serve;": 1000, ";other;": 5000},
         "bytes": {"serve;flush_log": 30000, "main;serve;": 1000, ";other;": 15000}}


# One site each, few long calls of one function among many short ones of another: what is written into a full pipe, and
# what a signal interrupts.
LONG = """#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
static int null, ends[2];
static char block[65536];
__attribute__((noinline)) void shorty(void) { for (int i = 0; i < 1000; i++) write(null, "x", 1); __asm__(""); }
__attribute__((noinline)) void slow(void) { write(ends[1], block, sizeof(block)); write(ends[1], block, sizeof(block)); __asm__(""); }
__attribute__((noinline)) void looks(void) { for (int i = 0; i < 100; i++) poll(0, 0, 0); __asm__(""); }
__attribute__((noinline)) void waits(void) { poll(0, 0, -1); __asm__(""); }
static void handler(int n) { (void)n; }
static void drain(void)
{
	struct timespec t = {0, 5000000};
	ssize_t n, left = 0;
	close(ends[1]);
	for (;; left = left > 0 ? left : (nanosleep(&t, 0), (ssize_t)sizeof(block)), left -= n)
		if ((n = read(ends[0], block, left > 0 ? left : 1)) <= 0)
			_exit(0);
}
int main(void)
{
	struct sigaction act = {.sa_handler = handler};
	struct itimerval timer = {{0, 5000}, {0, 5000}}, off = {0};
	null = open("/dev/null", O_WRONLY);
	pipe(ends);
	if (!fork())
		drain();
	close(ends[0]);
	for (int i = 0; i < 40; i++) { shorty(); slow(); }
	sigaction(SIGALRM, &act, 0);
	setitimer(ITIMER_REAL, &timer, 0);
	for (int i = 0; i < 60; i++) { looks(); waits(); }
	setitimer(ITIMER_REAL, &off, 0);
	return 0;
}
"""
# Code that is led to the stub already in the child of a fork, where it makes few calls.
CHILD = """#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>
static int fd;
__attribute__((noinline)) void many(void) { for (int i = 0; i < 1000; i++) write(fd, "0123456789", 10); __asm__(""); }
__attribute__((noinline)) void few(void) { for (int i = 0; i < 20; i++) write(fd, "x", 1); __asm__(""); }
int main(void)
{
	fd = open("/dev/null", O_WRONLY);
	many();
	if (!fork()) { few(); _exit(0); }
	wait(0);
	return 0;
}
"""
# A library that is cut off behind its code while it is used: its unwind tables and symbols are gone.
PLUGIN = """
__attribute__((noinline)) int first(int (*call)(void)) { return call() + 1; }
__attribute__((noinline)) int second(int (*call)(void)) { return call() + 2; }
"""
CUT = """#include <dlfcn.h>
#include <unistd.h>
__attribute__((noinline)) int call(void) { return (int)write(2, "", 0); }
int main(int argc, char **argv)
{
	void *plugin = dlopen(argv[1], RTLD_NOW);
	int (*first)(int (*)(void)) = dlsym(plugin, "first"), (*second)(int (*)(void)) = dlsym(plugin, "second"), sum = 0;
	for (int i = 0; i < 100; i++) sum += first(call);
	if (truncate(argv[1], 8192) < 0) return 1;
	for (int i = 0; i < 100; i++) sum += second(call);
	_exit(sum == 300 ? 0 : 2);
}
"""


def program(t, *options, source=PROGRAM):
    with open(t.path("p.c"), "w") as f:
        f.write(source)
    t.run([need_tool("gcc"), "-O2", "-g", "-w", "-pthread", *options, "-o", t.path("p"), t.path("p.c")], timeout=60,
          user=False)
    return t.path("p")


def folded(t, weight, prefix="s"):
    with open(t.path("%s-%s.folded" % (prefix, weight))) as f:
        return {k: int(v) for k, v in (line.rsplit(" ", 1) for line in f)}


def share_of(lines, part):
    """What lies on stacks with that part, flush_log's apart from its caller's own."""
    return sum(v for k, v in lines.items() if part in k and not (part == "main;serve;" and "flush_log" in k))


def check_exact(t):
    for weight, parts in EXACT.items():
        lines = folded(t, weight)
        eq({p: share_of(lines, p) for p in parts}, parts, weight)
        check(all(k.startswith("p;") and k.endswith(";write") for k in lines), str(lines))
    check(share_of(folded(t, "time"), ";other;") > 0, "time")


@test
def exact_by_stops(t):
    r = t.iotrace(["--mode=ptrace", "--trace=write", "--stacks", t.path("s")], [program(t)])
    check_exact(t)
    eq({k: r.json["stacks"][k] for k in ("every", "taken", "failed", "cut")},
       {"every": 1, "taken": 9000, "failed": 0, "cut": 0}, "stacks")


@test
def exact_recorded(t):
    for options in ((), ("--no-patch",)):
        t.iotrace(["--trace=write", "--stacks", t.path("s"), "--stacks-every", "1", *options], [program(t)])
        check_exact(t)


@test
def by_chance(t):
    """One in 10 keeps no step with a loop of four calls."""
    r = t.iotrace(["--trace=write", "--stacks", t.path("s"), "--stacks-every", "10"], [program(t)])
    eq(r.call("write")["calls"], 9000, "all calls are counted")
    lines = folded(t, "calls")
    eq(sum(lines.values()), 9000, "the calls of the site")
    check(600 < r.json["stacks"]["taken"] < 3000, str(r.json["stacks"]))
    for part, exact in EXACT["calls"].items():
        check(0.7 * exact < share_of(lines, part) < 1.3 * exact, "%s: %r" % (part, lines))


def longest(t, call, part):
    """The exact share of the calls with that part in their line, of the time of all calls of that name."""
    took = {True: 0.0, False: 0.0}
    with open(t.path("r-detail.txt")) as f:
        for line in f:
            found = re.search(r" %s\((.*)<([0-9.]+)>$" % call, line)
            if found:
                took[part in found[1]] += float(found[2])
    return took[True] / sum(took.values())


@test
def few_long_calls(t):
    """Whatever it took is known exactly, by line; its stacks are found although one call in 1000 is taken by chance."""
    r = t.iotrace(["--trace=write,poll", "--detail-trace=write,poll", "--detail", t.path("r-detail.txt"), "--stacks",
                   t.path("s"), "--stacks-every", "1000"], [program(t, "-fno-inline", source=LONG)])
    lines = folded(t, "time")
    for name, part, function in (("write", ", 65536)", ";slow;"), ("poll", ", -1)", ";waits;")):
        of = {k: v for k, v in lines.items() if k.endswith(";" + name)}
        share, exact = share_of(of, function) / sum(of.values()), longest(t, name, part)
        check(abs(share - exact) < 0.08, "%s: %.3f of the time, exactly %.3f" % (name, share, exact))
    check(r.json["stacks"]["taken"] < 1000, str(r.json["stacks"]))


@test
def sums_of_all_calls(t):
    """Over all stacks, what the tables say: of every call."""
    for options in ((), ("--mode=ptrace", "--stacks-every", "50")):
        r = t.iotrace(["--trace=all", "--stacks", t.path("s"), *options], [program(t, source=LONG)])
        for weight, of in (("calls", lambda c: c["calls"]), ("time", lambda c: c["wall_ns"]["total"]),
                           ("bytes", lambda c: c["bytes"]["transferred"] if c["bytes"] and c["class"] != "memory"
                            else 0)):
            got = {}
            for k, v in folded(t, weight).items():
                got[k.rsplit(";", 1)[1]] = got.get(k.rsplit(";", 1)[1], 0) + v
            eq(got, {c["name"]: of(c) for c in r.json["syscalls"] if of(c)}, weight)


@test
def first_ones_always(t):
    r = t.iotrace(["--trace=write", "--stacks", t.path("s"), "--stacks-every", "1000000"],
                  [program(t, source=CHILD)])
    eq(r.json["stacks"]["first"], 32, "first")
    lines = folded(t, "calls")
    eq({p: share_of(lines, p) for p in (";many;", ";few;")}, {";many;": 1000, ";few;": 20}, "calls")


@test
def short_processes_stop_for_stacks_only(t):
    """What a loader opens, maps and closes is recorded, once a process has shown where it does that."""
    need_recorder(t)
    r = t.iotrace(["--trace=%io,mmap", "--stacks", t.path("s")],
                  ["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do /bin/ls >/dev/null; done"])
    taken, stops = r.json["stacks"]["taken"], r.json["tracer"]["overhead"]["stops"]
    eq(taken, sum(row["calls"] for row in r.json["syscalls"]), "stacks: of all calls, as all are first ones")
    check(stops < 1.7 * taken, "%d stops for %d stacks" % (stops, taken))


@test
def without_frame_pointers_and_symbols(t):
    binary = program(t, "-fomit-frame-pointer", "-s")
    t.iotrace(["--mode=ptrace", "--trace=write", "--stacks", t.path("s")], [binary])
    lines = folded(t, "calls")
    eq(sum(lines.values()), 9000, "calls")
    check(any(k.count("[p]") >= 2 and "libc_start" in k for k in lines), str(lines))


@test
def libraries_that_are_loaded_later_are_known_at_once(t):
    """A process begins with the loader's calls, of which the first has a stack: then nothing else is there yet."""
    binary = program(t, source="""#include <unistd.h>
        int main(void) { for (int i = 0; i < 5; i++) write(2, "", 0); return 0; }""")
    for mode in ("ptrace", "auto"):
        t.iotrace(["--mode=" + mode, "--trace=write,mmap", "--stacks", t.path("s")], [binary])
        lines = folded(t, "calls")
        eq(sum(n for k, n in lines.items() if ";main;" in k and k.endswith(";write")), 5, "writes: %s" % lines)


@test
def code_without_a_file_is_unknown(t):
    t.iotrace(["--mode=ptrace", "--trace=write", "--stacks", t.path("s")], [t.target("rec_code"), "generated", "20"])
    check(any("[unknown];write" in k for k in folded(t, "calls")), str(folded(t, "calls")))


@test
def a_library_that_is_cut_short_harms_nobody(t):
    plugin = program(t, "-shared", "-fPIC", "-Wl,-z,separate-code", source=PLUGIN)
    os.rename(plugin, t.path("plugin"))
    binary = program(t, source=CUT)
    with open(t.path("plugin"), "rb") as f:
        whole = f.read()
    for mode in ("ptrace", "auto"):
        with open(t.path("plugin"), "wb") as f:
            f.write(whole)
        r = t.iotrace(["--mode=" + mode, "--trace=write", "--stacks", t.path("s"), "--stacks-every", "1"],
                      [binary, t.path("plugin")])
        eq((r.status, r.call("write")["calls"]), (0, 200), "status, calls: %s" % r)
        lines = folded(t, "calls")
        eq(sum(n for k, n in lines.items() if "call;" in k), 200, "stacks: %s" % lines)
        eq(sum(n for k, n in lines.items() if "main;first;call;" in k), 100, "those before: %s" % lines)


@test
def a_32_bit_process_has_none(t):
    r = t.iotrace(["--trace=write", "--stacks", t.path("s"), "--stacks-every", "1"],
                  [t.target("iov", "m32"), "loop", "100"])
    eq((r.call("write")["calls"], folded(t, "calls")), (100, {'[no stack taken];write': 100}), "calls, stacks")


@test
def programs_of_a_tree(t):
    t.iotrace(["--trace=write", "--stacks", t.path("s"), "--stacks-every", "1"],
              ["/bin/sh", "-c", "/bin/echo one; /bin/echo two"])
    check({"echo"} <= {k.split(";")[0] for k in folded(t, "calls")}, str(folded(t, "calls")))


@test
def only_the_window(t):
    r = t.iotrace(["--trace=write", "--stacks", t.path("s"), "--stacks-every", "1", "--duration", "0.05"],
                  ["/bin/sh", "-c", "echo a; sleep 0.3; echo b; echo c"])
    eq(sum(folded(t, "calls").values()), r.call("write")["calls"], "as the counts")


@test
def another_user(t):
    need_root()
    os.chmod(t.dir, 0o777) # the files are that user's
    t.iotrace(["-u", "nobody", "--mode=ptrace", "--trace=write", "--stacks", t.path("s")], [program(t)])
    check_exact(t)
    eq(os.stat(t.path("s-calls.folded")).st_uid, os.stat(t.path("s-time.folded")).st_uid, "owner")


@test
def bad_usage(t):
    for options, part in ((["--stacks-every", "5"], "--stacks"), (["--stacks", "x", "--stacks-every", "0"], "0"),
                          (["--stacks", "/nonexistent/x"], "/nonexistent/x")):
        r = t.iotrace(options, ["/bin/true"], status=None)
        check(r.status in (2, 125) and part in r.err, str(r))


if __name__ == "__main__":
    main()
