#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""CPU time: that of the result against what the kernel told those who waited for the same processes (wait4's rusage,
through targets/cputime.c), of processes whose time is easily lost; and what their clocks show, and when."""
import json
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import wait_until_traced
from tap import at_some_pace, check, eq, main, need_recorder, only_from, test

AT_ONCE = dict(os.environ, IOTRACE_TEST_INJECT="first")

CASES = ("alone", "threads", "first_ends", "forks", "many", "execs", "vforks", "thread_exits", "thread_execs",
         "first_ends_and_execs", "double_forks", "ignores", "kills")
# Nobody waits for the first process: its start, its end. What is lost is 30 ms or more.
OWN_NS = 20e6
SHARE = 0.03
# A thread that runs at the window's edge has its time as of the last tick.
EDGE_NS = 30e6


def expect(got, want, what, edges=0):
    check(got is not None, "%s: not measured" % what)
    check(want - edges - 1e6 <= got <= want * (1 + SHARE) + OWN_NS + edges,
          "%s: %.1f ms, by who waited for them %.1f ms" % (what, got / 1e6, want / 1e6))


def result_of(t):
    with open(t.path("r.json")) as f:
        return json.load(f)


def started(t, case, *options, env=None):
    r = t.run([t.binary, "-q", "--json", t.path("r.json"), *options, "--", t.target("cputime"), "run", case], env=env)
    eq(r.status, 0, "status (%s)" % r.err)
    result = result_of(t)
    expect(result["cpu_ns"], int(r.out), case)
    eq([x["cpu_ns"] for x in result["phases"]], [result["cpu_ns"]], "of the run as its only phase")
    check("cpu_time" not in str(result["warnings"]), "warned: %s" % result["warnings"])


def add(case):
    def by_stops(t):
        started(t, case, "--mode=ptrace", "-e", "all")

    def recorded(t):
        need_recorder(t)
        started(t, case, "-e", "all", env=AT_ONCE)

    def dispatched(t):
        need_recorder(t, "--trap=dispatch")
        started(t, case, "--trap=dispatch")

    for fn in (by_stops, recorded, dispatched):
        test(fn, name="%s_%s" % (case, fn.__name__))


for name in CASES:
    add(name)


class Served:
    """A target that does what it is told, and says what it has used so far."""

    def __init__(self, t, prefix=(), fds=()):
        read, write = os.pipe()
        self.p = t.start([*prefix, "sh", "-c", 'exec "$0" serve >&%d' % write, t.target("cputime")], stdin=subprocess.PIPE,
                         pass_fds=[write, *fds])
        os.close(write)
        self.says = open(read)
        eq(self.says.readline(), "ready\n", "the target")
        self.order("alone")

    def order(self, case=""):
        self.p.stdin.write(case.encode() + b"\n")
        self.p.stdin.flush()
        return int(self.says.readline())


def attach(t, s, *options):
    p = t.start([t.binary, "-q", "--json", t.path("r.json"), *options, "-p", str(s.p.pid)])
    wait_until_traced(p, s.p.pid)
    return p


def attached(t, mode):
    """What it used before and afterwards is not counted."""
    s = Served(t)
    before = s.order("threads")
    p = attach(t, s, "--mode=" + mode)
    for case in CASES:
        after = s.order(case)
    p.send_signal(signal.SIGINT)
    eq(t.finish(p).status, 0, "iotrace")
    s.order("threads")
    expect(result_of(t)["cpu_ns"], after - before, "attached, %s" % mode, EDGE_NS)


@test
def attached_by_stops(t):
    attached(t, "ptrace")


@test
def attached_recorded(t):
    need_recorder(t)
    attached(t, "auto")


@test
def attached_to_its_end(t):
    """The process that was attached to ends under control."""
    s = Served(t)
    before = s.order()
    p = attach(t, s)
    after = s.order("forks")
    s.p.stdin.close()
    s.p.stdin = None
    eq(t.finish(p).status, 0, "iotrace")
    expect(result_of(t)["cpu_ns"], after - before, "to its end", EDGE_NS)


def phases(result):
    return {x["name"]: x["cpu_ns"] for x in result["phases"]}


@test
def a_window_by_the_control_pipe(t):
    read, write = os.pipe()
    s = Served(t, [t.binary, "-q", "--interval", "0.05", "--json", "-", "--control-fd", str(read), "--"], [read])
    os.close(read)

    def said(word, phase):
        """It has been obeyed when a line of --interval says so."""
        os.write(write, word)
        while json.loads(s.p.stdout.readline())["phase"] != phase:
            pass

    begin = s.order("threads")
    said(b"begin\n", "window")
    for case in CASES:
        end = s.order(case)
    said(b"end\n", "shutdown")
    last = s.order("threads")
    r = t.finish(s.p)
    eq(r.status, 0, "iotrace: %s" % r.err)
    os.close(write)
    result = json.loads(r.out.splitlines()[-1])
    got = phases(result)
    expect(got["window"], end - begin, "window", EDGE_NS)
    expect(got["shutdown"], last - end, "shutdown", EDGE_NS)
    eq(sum(got.values()), result["cpu_ns"], "all phases")


@test
def a_window_by_the_clock(t):
    """A busy program in a window by the clock: no more than its length, and the rest in the other phases."""
    def parted(pace):
        r = t.run([t.binary, "-q", "--json", t.path("r.json"), "--skip", "%g" % (0.1 * pace), "--duration",
                   "%g" % (0.1 * pace), "--", t.target("cputime"), "burn", str(400 * pace)], timeout=50)
        eq(r.status, 0, "status (%s)" % r.err)
        result = result_of(t)
        got = phases(result)
        expect(result["cpu_ns"], 400e6 * pace, "run")
        eq(sum(got.values()), result["cpu_ns"], "all phases")
        for i, name in enumerate(("start-up", "window", "shutdown")):
            check(0 < got[name] <= result["phases"][i]["wall_ns"] + EDGE_NS, "%s: %r" % (name, result["phases"][i]))

    at_some_pace(parted)


# ---- what the clocks show ----


def clock(pid):
    """Of a process, by the number of its clock; None: there is none."""
    try:
        return time.clock_gettime(~pid << 3 | 2)
    except OSError:
        return None


@test
def a_zombie_has_its_clock_until_it_is_waited_for(t):
    p = t.start([t.target("cputime"), "burn", "100"], user=False)
    os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
    zombie = clock(p.pid)
    _, _, usage = os.wait4(p.pid, 0)
    p.returncode = 0
    check(zombie is not None and zombie >= 0.1, "of a zombie: %r" % zombie)
    check(abs(zombie - usage.ru_utime - usage.ru_stime) < 1e-4, "%r, rusage %r" % (zombie, usage))
    eq(clock(p.pid), None, "of one that was waited for")


@test
def a_thread_has_no_clock_of_a_process(t):
    p = t.start([t.target("cputime"), "burn", "2000"], user=False)
    check(clock(p.pid) is not None, "of a process")
    eq(clock(2 ** 22 + 1), None, "of no process")
    p.kill()


if __name__ == "__main__":
    only_from(__name__)
    main()
