#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""iotrace --stacks: the code paths of calls, by stops exactly and recorded by chance."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, eq, main, need_root, need_tool, test

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


def program(t, *options):
    with open(t.path("p.c"), "w") as f:
        f.write(PROGRAM)
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
    eq(sum(lines.values()), 10 * r.json["stacks"]["taken"], "calls")
    for part, exact in EXACT["calls"].items():
        check(0.7 * exact < share_of(lines, part) < 1.3 * exact, "%s: %r" % (part, lines))


@test
def without_frame_pointers_and_symbols(t):
    binary = program(t, "-fomit-frame-pointer", "-s")
    t.iotrace(["--mode=ptrace", "--trace=write", "--stacks", t.path("s")], [binary])
    lines = folded(t, "calls")
    eq(sum(lines.values()), 9000, "calls")
    check(any(k.count("[p]") >= 2 and "libc_start" in k for k in lines), str(lines))


@test
def code_without_a_file_is_unknown(t):
    t.iotrace(["--mode=ptrace", "--trace=write", "--stacks", t.path("s")], [t.target("rec_code"), "generated", "20"])
    check(any("[unknown];write" in k for k in folded(t, "calls")), str(folded(t, "calls")))


@test
def a_32_bit_process_has_none(t):
    r = t.iotrace(["--trace=write", "--stacks", t.path("s"), "--stacks-every", "1"],
                  [t.target("iov", "m32"), "loop", "100"])
    eq((r.call("write")["calls"], folded(t, "calls")), (100, {}), "calls, stacks")


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
