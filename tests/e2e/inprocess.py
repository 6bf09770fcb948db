#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""-p with the recorder: the targets count their own calls, and are left as they were.
ATTACH_ROUNDS: how often one is attached to and left (default 12)."""
import json
import os
import select
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import kill_tracer, status_of, wait_for, wait_until_traced
import tap
from tap import Skip, check, eq, main, test

ROUNDS = int(os.environ.get("ATTACH_ROUNDS", "12"))
AUTO, PTRACE = ("--mode=auto",), ("--mode=ptrace",)
MASKS = ("SigBlk", "SigIgn", "SigCgt", "Seccomp")


def start(t, *setup, variant=""):
    p = t.start([t.target("obey", variant), "obey", *setup], stdin=subprocess.PIPE)
    if p.stdout.readline() != b"ready\n":
        r = t.finish(p)
        raise Skip(r.err) if r.status == 77 else AssertionError("the target: %s" % r)
    return p


def order(p, *words):
    """What it says of the calls that it made: {name: calls}."""
    p.stdin.write((" ".join(map(str, words)) + "\n").encode())
    p.stdin.flush()
    words = p.stdout.readline().decode().split()
    check(words and words[0] == "done", "it answers: %r" % (words or p.stderr.read()))
    return dict(w.split("=") for w in words[1:])


def tasks(pid):
    return sorted(map(int, os.listdir("/proc/%d/task" % pid)))


def state(pid):
    """All that is to be as it was: the mappings, what is in those of code, masks and dispositions."""
    maps = maps_of(pid)
    text = {}
    with open("/proc/%d/mem" % pid, "rb", 0) as mem:
        for line in maps.splitlines():
            where, perms = line.split()[:2]
            start_, end = (int(x, 16) for x in where.split("-"))
            if "x" in perms and end < 1 << 47:
                mem.seek(start_)
                text[where] = mem.read(end - start_)
    masks = {tid: {k: status_of(tid)[k] for k in MASKS} for tid in tasks(pid)}
    return {"maps": maps.splitlines(), "text": text, "masks": masks}


REGION = "551000010000-" # of tracer/recorder/layout.h: the arena


def maps_of(pid):
    with open("/proc/%d/maps" % pid) as f:
        return f.read()


def not_its_own(m):
    """A mapping that a program does not make by having threads and memory."""
    fields = m.split()
    return "x" in fields[1] or (len(fields) > 5 and fields[5] != "[heap]") or m.startswith("5510")


def same(pid, before, where, at_rest=True):
    """at_rest: it has made nothing meanwhile but calls."""
    after = state(pid)
    if not at_rest:
        for s in before, after:
            s["maps"] = [m for m in s["maps"] if not_its_own(m)]
    eq([m for m in after["maps"] if m not in before["maps"]], [], "new mappings " + where)
    eq([m for m in before["maps"] if m not in after["maps"]], [], "mappings that are gone " + where)
    eq([w for w in before["text"] if after["text"].get(w) != before["text"][w]], [], "code that was changed " + where)
    for tid, masks in before["masks"].items():
        eq(after["masks"].get(tid), masks, "masks of thread %d %s" % (tid, where))


class Attached:
    """iotrace -p of a process, from when all its threads have stopped."""

    def __init__(self, t, pid, mode=AUTO, how="INT", trace="all"):
        self.t, self.pid, self.how = t, pid, how
        self.p = t.start([t.binary, "-q", "--json", t.path("a.json"), "-e", trace, *mode, "--control-fd", "0",
                          "-p", str(pid)], stdin=subprocess.PIPE)
        wait_until_traced(self.p, pid)

    def leave(self):
        self.p.send_signal(getattr(signal, "SIG" + self.how))
        r = self.t.finish(self.p)
        eq(r.status, 0, "status (%s)" % r.err)
        with open(self.t.path("a.json")) as f:
            self.result = json.load(f)
        eq((self.result["complete"], self.result["tracer"]["lost"]), (True, 0), "complete, lost")
        check("left_mapped" not in [w["code"] for w in self.result["warnings"]], "pages stay")
        return self.result


# They never return but by a signal, and are not made again then.
ONCE = ("rt_sigsuspend", "ppoll")


def calls(result):
    return {row["name"]: row["calls"] - (row["name"] not in ONCE and row["interrupted"]) for row in result["syscalls"]}


def counted(t, p, mode, *words):
    """The order's calls, as the target and as iotrace counts them."""
    before = state(p.pid)
    a = Attached(t, p.pid, mode)
    said = order(p, *words)
    result = a.leave()
    got = calls(result)
    for name, n in said.items():
        eq(got.get(name, 0), int(n), "%s calls of %s" % (name, " ".join(map(str, words))))
    same(p.pid, before, "after " + " ".join(map(str, words)), at_rest=words[0] == "plain")
    return result


def reasons(result):
    return [row["reason"] for row in result["tracer"]["unpatched_sites"]]


ORDERS = (("plain", 20000), ("threads", 100), ("pool", 500), ("forks", 20), ("spawns", 10), ("vforks", 10),
          ("execs", 100), ("signals", 50), ("suspended", 20), ("masks", 50))


def all_orders(t, *setup, variant="", mode=AUTO, plain=ORDERS[0][1]):
    """In-process calls of the plain ones. plain: how many there are of them: fewer, where each of them stops."""
    p = start(t, *setup, variant=variant)
    checked = order(p, "check")
    results = []
    for words in (("plain", plain), *ORDERS[1:]):
        results.append(counted(t, p, mode, *words))
        eq(order(p, "check"), checked, "what it sees of itself after " + words[0])
    eq(p.poll(), None, "it lives")
    return sum(r["tracer"]["calls_recorded_in_process"] for r in results), results[0]


@test(timeout=300)
def counts_are_the_targets_own(t):
    recorded, _ = all_orders(t, "plain", "pool")
    check(recorded > 20000, "recorded in process: %d" % recorded)


@test(timeout=300)
def counts_without_times_are_the_same(t):
    recorded, _ = all_orders(t, "plain", "pool", mode=("--no-times",))
    check(recorded > 20000, "recorded in process: %d" % recorded)


@test(timeout=300)
def counts_by_stops_are_the_same(t):
    recorded, _ = all_orders(t, "plain", "pool", mode=PTRACE, plain=2000)
    eq(recorded, 0, "recorded in process")


def recorded(setup, variant=""):
    def run(t):
        n, _ = all_orders(t, setup, "pool", variant=variant)
        check(n > 20000, "recorded in process: %d" % n)
    return run


for _setup in ("blocked", "ignored", "handled"):
    test(recorded(_setup), name="where_sigsys_is_" + _setup, timeout=300)
for _variant in ("static", "musl", "musl-static"):
    test(recorded("plain", _variant), name="programs_that_are_" + _variant, timeout=300)


def by_stops(setup, word, variant=""):
    def run(t):
        _, result = all_orders(t, setup, "pool", variant=variant, plain=2000)
        eq(result["tracer"]["calls_recorded_in_process"], 0, "recorded in process")
        check(any(word in r for r in reasons(result)), "the reason: %r" % reasons(result))
    return run


for _setup, _word in (("dispatch", "dispatches"), ("filter", "seccomp")):
    test(by_stops(_setup, _word), name="by_stops_where_it_is_" + _setup, timeout=300)
test(by_stops("plain", "32 bits", "m32"), name="by_stops_where_it_is_of_32_bits", timeout=300)


@test(timeout=300)
def a_program_that_uses_gs(t):
    _, result = all_orders(t, "gs", "pool", plain=2000)
    check(any("gs" in r for r in reasons(result)), "the reason: %r" % reasons(result))


@test
def a_program_that_ignores_sigsys_meanwhile(t):
    """It sees what it has set, and is recorded all the same."""
    p = start(t)
    result = counted(t, p, AUTO, "handles", 500)
    check(result["tracer"]["calls_recorded_in_process"] > 1400, "recorded: %r" % result["tracer"])
    eq(order(p, "check"), {"sigsys": "default"}, "what it sees of itself")


@test
def sigsys_that_is_sent_comes(t):
    for setup in "blocked", "ignored", "handled":
        p = start(t, setup, "pool")
        result = counted(t, p, AUTO, "sigsys", 300)
        check(result["tracer"]["calls_recorded_in_process"] > 250, "recorded: %r" % result["tracer"])


@test
def the_way_back_from_a_handler_has_no_exit_stop(t):
    """Where that call is not traced; it is counted, and masks are what they are without us."""
    n, stops = 200, {}
    p = start(t)
    for trace in "all", "!rt_sigreturn":
        a = Attached(t, p.pid, trace=trace)
        said = order(p, "signals", n)
        result = a.leave()
        got = {**calls(result), **{row["name"]: row["calls"] for row in result["tracer"]["untraced"]}}
        for name, calls_ in said.items():
            eq(got.get(name, 0), int(calls_), "%s calls of %s" % (name, trace))
        stops[trace] = result["tracer"]["overhead"]["stops"]
    # That at its exit; at its entry too, where the handler has made a call and SIGSYS is not blocked in it.
    saved = stops["all"] - stops["!rt_sigreturn"]
    check(4.5 * n < saved < 5.5 * n, "stops: %r" % stops)


@test(timeout=300)
def calls_outside_of_the_set_are_counted(t):
    """In the target itself, without a record; nothing of them is lost where threads, children and handlers come and go."""
    p = start(t, "plain", "pool")
    for words in ORDERS:
        a = Attached(t, p.pid, trace="mremap")
        said = order(p, *words)
        result = a.leave()
        got = {row["name"]: row["calls"] for row in result["tracer"]["untraced"]}
        for name, n in said.items():
            eq(got.get(name, 0), int(n), "%s calls of %s" % (name, " ".join(map(str, words))))
        if words[0] == "plain":
            eq(result["tracer"]["calls_recorded_in_process"], 0, "records")
            # Until each of its threads is set up its calls are stops: on a busy machine one in ten was.
            check(result["tracer"]["overhead"]["stops"] < int(words[1]) / 2, "stops: %r" % result["tracer"]["overhead"])


@test
def a_program_that_installs_a_filter_meanwhile(t):
    p = start(t)
    before = state(p.pid)
    a = Attached(t, p.pid)
    said = order(p, "filters", 500)
    result = a.leave()
    for name, n in said.items():
        eq(calls(result).get(name, 0), int(n), name)
    check(result["tracer"]["calls_recorded_in_process"] > 450, "recorded before: %r" % result["tracer"])
    check(any("seccomp" in r for r in reasons(result)), "the reason: %r" % result["tracer"])
    for task in before["masks"].values():
        task["Seccomp"] = "2"
    same(p.pid, before, "with its filter")
    eq(order(p, "check"), {"sigsys": "default"}, "what it sees of itself")


@test(timeout=60 + 10 * ROUNDS)
def left_as_it_was_each_time(t):
    """While threads are at work: attached to and left again and again."""
    p = t.start([t.target("attachee"), "busy", "4"], stdin=subprocess.PIPE)
    eq(p.stdout.readline(), b"ready\n", "the target")
    wait_for("its threads", lambda: len(tasks(p.pid)) == 6 and all(
        int(status_of(tid)["SigBlk"], 16) == 0 for tid in tasks(p.pid)))
    before = state(p.pid)
    for i in range(ROUNDS):
        how = ("duration", "INT", "timeout", "TERM")[i % 4]
        argv = [t.binary, "-q", "--json", t.path("r.json"), "-e", "all", "-p", str(p.pid)]
        argv += {"duration": ["--duration", "0.05"], "timeout": ["--timeout", "0.05"]}.get(how, [])
        tracer = t.start(argv)
        if how in ("INT", "TERM"):
            wait_for("attached", lambda: status_of(p.pid).get("TracerPid") != "0")
            tracer.send_signal(getattr(signal, "SIG" + how))
        r = t.finish(tracer)
        eq(r.status, 124 if how == "timeout" else 0, "status in round %d: %s" % (i, r.err))
        check(p.poll() is None, "it lives after round %d" % i)
        same(p.pid, before, "in round %d" % i)
    p.stdin.close()
    p.stdin = None
    eq(t.finish(p).status, 0, "its own verdict")


def left_again_and_again(t, case, rounds):
    """Attached for a moment each time; nothing of ours stays, and nobody is made up."""
    p = t.start([t.target("attachee"), *case], stdin=subprocess.PIPE)
    eq(p.stdout.readline(), b"ready\n", "the target")
    for i in range(rounds):
        r = t.run([t.binary, "-q", "--json", t.path("r.json"), "-e", "all", "--duration", "0.03", "-p", str(p.pid)])
        eq(r.status, 0, "status in round %d: %s" % (i, r.err))
        with open(t.path("r.json")) as f:
            j = json.load(f)
        eq([w["text"] for w in j["warnings"] if w["code"] in ("left_mapped", "cpu_time")], [], "said in round %d" % i)
        eq([m for m in maps_of(p.pid).splitlines() if m.startswith("5510")], [], "mapped after round %d" % i)
    p.stdin.close()
    p.stdin = None
    eq(t.finish(p).status, 0, "its own verdict")


@test(timeout=60 + 10 * ROUNDS)
def left_while_threads_are_made(t):
    """They are over before their makers can be asked who they were."""
    for _ in range(ROUNDS):
        left_again_and_again(t, ["makers", "3"], 3)


@test(timeout=60 + 10 * ROUNDS)
def left_while_it_asks_for_its_handler(t):
    """No thread makes a call that could see ours before it is out of it."""
    left_again_and_again(t, ["asking"], 4 * ROUNDS)


@test(timeout=60 + 10 * ROUNDS)
def left_while_children_are_made(t):
    """Nothing of ours is in a copy of the memory that was being made when we left."""
    for _ in range(ROUNDS):
        left_again_and_again(t, ["staying", "2"], 1)


# ---- it is killed ----

@test(timeout=60 + 10 * ROUNDS)
def left_in_sections_that_are_begun_anew(t):
    """rseq: a thread that is stopped in one, and makes calls for the recorder, does not go on in it as if nothing were."""
    left_again_and_again(t, ["restartable"], ROUNDS)


@test(timeout=60 + 10 * ROUNDS)
def who_kills_what_was_started_harms_nothing(t):
    """At any moment, from the first: the one that traces leaves in order, and writes what it has."""
    for i in range(ROUNDS):
        for case in (["signals", "32"], ["busy", "8"], ["family", "3"]):
            p = t.start([t.target("attachee"), *case], stdin=subprocess.PIPE)
            eq(p.stdout.readline(), b"ready\n", "the target")
            was = {m for m in maps_of(p.pid).splitlines() if not_its_own(m)}
            if os.path.exists(t.path("k.json")):
                os.unlink(t.path("k.json"))
            a = t.start([t.binary, "-q", "--json", t.path("k.json"), "-e", "all", "-p", str(p.pid)])
            wait_for("traced", lambda p=p: status_of(p.pid).get("TracerPid", "0") != "0")
            select.select([], [], [], 0.6 * (i * 7 % 12) / 12) # another moment each time
            a.kill()
            eq(a.wait(), -9, "it was killed")
            wait_for("untraced", lambda p=p: all(status_of(tid).get("TracerPid", "0") == "0" for tid in tasks(p.pid)))
            wait_for("the result", lambda: os.path.exists(t.path("k.json")))
            select.select([], [], [], 0.05)
            check(p.poll() is None, "%s died in round %d: %r" % (case, i, p.returncode))
            eq({m for m in maps_of(p.pid).splitlines() if not_its_own(m)}, was, "mappings in round %d" % i)
            p.stdin.close()
            p.stdin = None
            r = t.finish(p)
            eq((case, r.status), (case, 0), "its own verdict in round %d: %s%s" % (i, r.out, r.err))


# ---- the tracer is killed ----

def goes_without_stops(pid, threads):
    """1 once so many threads have waited less than 20 times for each tick of the CPU that it used, as it has when
    rings are full; by stops it waits some thousand times: the recorder is there for all of them."""
    since, done = {}, set()

    def look():
        for tid in set(os.listdir("/proc/%d/task" % pid)) - done:
            with open("/proc/%d/task/%s/stat" % (pid, tid)) as f:
                used = sum(int(v) for v in f.read().rsplit(")", 1)[1].split()[11:13])
            waited = int(status_of(int(tid))["voluntary_ctxt_switches"])
            was = since.setdefault(tid, (waited, used))
            if used - was[1] >= 2:
                if waited - was[0] < 20 * (used - was[1]):
                    done.add(tid)
                since[tid] = (waited, used)
        return len(done) == threads
    return look


def goes_on(pid):
    """1 once each thread, but for the one that reads our orders, has waited a hundred times more: what is done to it at
    its begin is behind it."""
    since = {}

    def look():
        waited = {tid: int(status_of(tid).get("voluntary_ctxt_switches", "0")) for tid in tasks(pid)}
        return sum(n - since.setdefault(tid, n) < 100 for tid, n in waited.items()) <= 1
    return look


@test(timeout=60 + 10 * ROUNDS)
def a_killed_tracer_costs_nothing(t):
    """At any moment when the recorder is there: no thread dies, no signal is lost, no call returns what it should not,
    and the programs go on to make threads and children. They say so themselves."""
    for i in range(max(ROUNDS * 2 // 3, 1)):
        for case in (["busy", "6"], ["signals", "16"], ["family", "3"]):
            p = t.start([t.target("attachee"), *case], stdin=subprocess.PIPE)
            eq(p.stdout.readline(), b"ready\n", "the target")
            tracer = t.start([t.binary, "-q", "--json", t.path("k.json"), "-e", "all", "-p", str(p.pid)])
            wait_for("the recorder in %s" % case[0], lambda p=p: REGION in maps_of(p.pid))
            # Not while threads make calls for it, or stop at each call (docs/LIMITS.md), as they do at its begin; what
            # they do then is left to chance, another moment each time.
            wait_for("all threads to be recorded", goes_without_stops(p.pid, 6) if case[0] == "busy" else goes_on(p.pid))
            select.select([], [], [], 0.5 + 0.03 * (i % 8))
            kill_tracer(tracer, p.pid)
            wait_for("untraced", lambda: status_of(p.pid).get("TracerPid", "0") == "0")
            select.select([], [], [], 0.05)
            check(p.poll() is None, "%s died in round %d: %r" % (case, i, p.returncode))
            p.stdin.close()
            p.stdin = None
            r = t.finish(p)
            eq((case, r.status), (case, 0), "its own verdict in round %d: %s%s" % (i, r.out, r.err))


@test
def after_that_it_does_all_it_did(t):
    for setup in (["plain", "pool"], ["blocked", "pool"]):
        p = start(t, *setup)
        a = Attached(t, p.pid)
        order(p, "plain", 20000)
        order(p, "pool", 100)
        kill_tracer(a.p, p.pid)
        wait_for("untraced", lambda: status_of(p.pid).get("TracerPid", "0") == "0")
        if setup[0] == "plain":
            for words in ORDERS:
                order(p, *words)
        else: # SIGSYS is no longer blocked (docs/LIMITS.md), which the others check
            for words in ("plain", 20000), ("execs", 100):
                order(p, *words)
        check(p.poll() is None, "it lives")


if __name__ == "__main__":
    tap.only_from(__name__)
    main()
