#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario compare judges the runs before their figures: the table of exit statuses of docs/COMPARE.md, a test a row."""
import copy
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import ROOT, built, check, eq, main, profile, test

PROGRAM = """#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	int f = open("/dev/null", O_WRONLY);
	for (int i = 0; i < 100; i++)
		write(f, "x", 1);
	END
}
"""


def program(t, name, end="return 0;"):
    return built(t, name, PROGRAM.replace("END", end))


def in_turns(t, base, new, *args, status=0):
    return profile(t, "compare", "--scenario", "s", "--base-binary", base, "--new-binary", new, "--runs", 3, *args,
                   status=status, timeout=90)


def one_run(t):
    """A real result, to be changed."""
    if not hasattr(t, "one"):
        profile(t, "--scenario", "s", "--type", "io", "--binary", program(t, "plain"), "--output-dir", t.path("real"))
        with open(t.path("real/iotrace/s-iotrace.json")) as f:
            t.one = json.load(f)
        t.one["warnings"] = [{"code": "slowed", "text": "of no weight"}]
        t.one["tracer"]["overhead"]["estimated_share"] = 0.01  # as of a longer run
    return t.one


def side(t, name, *changes, scenario="s"):
    """A directory of results: a copy of the real run for each change (a function, or None)."""
    for k, change in enumerate(changes, 1):
        r = copy.deepcopy(one_run(t))
        if change:
            change(r)
        for path in ["%s/iotrace/%s.runs/%d.json" % (name, scenario, k), "%s/iotrace/%s-iotrace.json" % (name, scenario)]:
            os.makedirs(os.path.dirname(t.path(path)), exist_ok=True)
            with open(t.path(path), "w") as f:
                json.dump(r, f)
    return t.path(name)


def ended(status=None, signal=None, timed_out=False, warning=None, complete=True):
    def change(r):
        r["exit"] = {"status": status, "signal": signal, "timed_out": timed_out}
        r["complete"] = complete
        if warning:
            r["warnings"].append({"code": warning, "text": "words of " + warning})
    return change


def made(**fields):
    """tracer__mode="ptrace" sets r["tracer"]["mode"]."""
    def change(r):
        for name, value in fields.items():
            *path, last = name.split("__")
            at = r
            for key in path:
                at = at[key]
            at[last] = value
    return change


def compare(t, base, new, *args, status=0):
    return profile(t, "compare", base, new, *args, status=status)


def first(r):
    return r.out.splitlines()[0]


@test(timeout=120)
def programs_that_end_otherwise(t):
    good, crash = program(t, "good"), program(t, "crash", "abort();")
    three, two = program(t, "three", "return 3;"), program(t, "two", "return 2;")
    term = program(t, "term", "kill(getpid(), 15); for (;;) pause();")
    for base, new, status, words in ((good, crash, 1, ("FAIL s io: new: killed by signal 6 (SIGABRT) in 3 of 3 runs",
                                                       "base: exit status 0 in 3 of 3 runs")),
                                     (good, three, 1, ("FAIL", "new: exit status 3 in 3")),
                                     (good, two, 1, ("FAIL", "new: exit status 2 in 3")),  # as of the runner's trouble
                                     (good, term, 1, ("FAIL", "signal 15 (SIGTERM)")),
                                     (crash, good, 1, ("FAIL", "base: killed by signal 6")),
                                     (crash, crash, 0, ("note", "killed by signal 6")),
                                     (three, three, 0, ("note", "exit status 3"))):
        r = in_turns(t, base, new, status=status)
        for w in words:
            check(w in first(r), "%s in the first line of %s" % (w, r.out))
    r = in_turns(t, good, good)
    check("FAIL" not in r.out and "exit status" not in r.out, r.out)


@test(timeout=120)
def time_limits(t):
    good, hang = program(t, "good"), program(t, "hang", "for (;;) pause();")
    c = t.path("c.json")
    with open(c, "w") as f:
        json.dump({"scenarios": {"s": {"timeout": 1}}}, f)
    check("new: timed out in 3 of 3 runs" in first(in_turns(t, good, hang, "--config", c, status=1)), "a new side that hangs")
    check(first(in_turns(t, hang, hang, "--config", c)).startswith("note"), "both sides are ended by the limit")


@test
def ends_of_some_runs(t):
    ok, crash = ended(status=0), ended(signal=11)
    base = side(t, "base", ok, ok, ok, ok, ok)
    r = compare(t, base, side(t, "one", ok, ok, crash, ok, ok), status=1)
    check("exit status 0 in 4 of 5 runs, killed by signal 11 (SIGSEGV) in 1" in first(r), r.out)
    flaky = side(t, "flaky", ok, crash, ok, ok, ok)
    check(first(compare(t, flaky, side(t, "one"))).startswith("note"), "one of five on both sides")
    compare(t, flaky, base)
    r = compare(t, flaky, side(t, "all", *[crash] * 5), status=1)
    check("FAIL" in first(r), "from one of five to all: " + r.out)
    eq(json.loads(compare(t, flaky, side(t, "all"), "--json", status=1).out)["parts"][0]["runs"][0]["verdict"], "REGRESSION",
       "verdict in JSON")
    compare(t, side(t, "unknown", *[made(exit=None)] * 5), side(t, "all"))


@test
def ends_under_a_load(t):
    """By contract a target that the runner ended after the load has exit status 0: this is no crash."""
    ok = ended(status=0)
    base = side(t, "base", ok, ok, ok)
    for name, change in (("early", ended(status=0, warning="target_ended_early", complete=False)),
                         ("crash", ended(signal=11, warning="target_ended_early", complete=False)),
                         ("ready", ended(status=0, warning="never_ready", complete=False))):
        check("FAIL" in first(compare(t, base, side(t, name, change, change, change), status=1)), name)
        compare(t, side(t, name), side(t, name), status=2)  # alike, and yet of no use
    failed = ended(status=0, warning="load_failed", complete=False)
    r = compare(t, base, side(t, "failed", ok, failed, ok), status=2)
    check("trouble s io: new: 1 of 3 runs are incomplete: words of load_failed" in r.out, r.out)


@test
def runs_that_cannot_be_trusted(t):
    ok, lost, part = made(), made(tracer__lost=7, complete=False), made(complete=False)
    base = side(t, "base", ok, ok, ok)
    for name, changes, words in (("lost", (ok, ok, lost), "7 records were lost, in 1 of 3 runs"),
                                 ("part", (part, ok, ok), "1 of 3 runs are incomplete")):
        bad = side(t, name, *changes)
        r = compare(t, base, bad, status=2)
        check("trouble s io: new: " + words in first(r), r.out)
        check("trouble s io: base: " + words in first(compare(t, bad, base, status=2)), "on the base's side")
        check(r.out.splitlines()[-1].endswith("exit 2"), r.out)
        compare(t, base, bad, "--fail-on", "limits", status=2)
        compare(t, base, bad, "--force", status=2)
    crash = side(t, "crash", *[ended(signal=11)] * 3)
    compare(t, base, crash, "--markdown", t.path("c.md"), "--html", t.path("c.html"), status=1)
    for form in ("c.md", "c.html"):
        with open(t.path(form)) as f:
            check("killed by signal 11" in f.read(), form)
    compare(t, side(t, "lost"), crash, status=1)  # the crash is certain
    compare(t, base, crash, "--fail-on", "limits", status=1)
    compare(t, base, crash, "--fail-on", "nothing")
    compare(t, base, t.path("nothing"), status=2)


def the_table():
    """Status and text of each row of the table in docs/COMPARE.md."""
    with open(os.path.join(ROOT, "docs/COMPARE.md")) as f:
        rows = re.findall(r"^\| ([0-3]) \| (.+) \|$", f.read(), re.M)
    return [(int(status), text) for status, text in rows]


@test
def the_table_of_exit_statuses(t):
    """Each row by results that are the row's only, and then with what stands below it added: the first that holds wins."""
    def writes(n):
        def change(r):
            for s in r["syscalls"]:
                s["calls"] = n if s["name"] == "write" else s["calls"]
        return change

    def both(*changes):
        return lambda r: [c(r) for c in changes]
    ok, crash, lost, more = made(), ended(signal=11), made(tracer__lost=3), writes(200)
    base, limits = side(t, "base", ok, ok, ok), t.path("limits.json")
    with open(limits, "w") as f:
        json.dump({"scenarios": {"s": {"limits": {"peak_heap": "<= 1"}}}}, f)
    cases = {"new runs crashed": (1, both(crash, lost, more)), "records were lost": (2, both(lost, more)),
             "a figure is a regression": (1, more), "nothing could be judged": (3, ok), "none of these": (0, ok)}
    rows = the_table()
    eq([s for s, _ in rows], [s for s, _ in cases.values()], "statuses in docs/COMPARE.md")
    for (status, text), (words, (_, change)) in zip(rows, cases.items()):
        check(text.startswith(words), "%r is tested by %r" % (text, words))
        new = side(t, "new", change, change, change)
        r = compare(t, base, new, *(["--config", limits] if status != 0 else []), status=status)
        check(r.out.rstrip().endswith("exit %d" % status), r.out)
        if status != 2:
            compare(t, base, new, "--fail-on", "nothing", "--config", limits)
    only = side(t, "few", ok)
    check(compare(t, only, only, status=3).out.splitlines()[-1].startswith("cannot tell: of so few runs"), "one run")
    compare(t, base, "--no-such-option", status=2)
    with open(t.path("cut.json"), "w") as f:
        f.write('{"schema": "iotrace.result/1"')
    compare(t, t.path("cut.json"), base, status=2)


@test
def nothing_judged_of_one_of_several(t):
    """A scenario of which nothing can be judged does not pass because another one can."""
    base = side(t, "base", None, None, None)
    side(t, "base", None, None, None, scenario="other")
    many = counts(write=5000)
    for name, changes, words in (("args", [both(made(command=["x", "y"]), many)] * 3, "counts and times are not compared: the arguments differ"),
                                 ("few", [many], "counts are described, not judged: 3 and 1 runs")):
        new = side(t, name, None, None, None)
        side(t, name, *changes, scenario="other")
        r = compare(t, base, new, status=3)
        check(first(r).startswith("cannot tell other io: nothing of it could be judged: " + words), r.out)
        check("::error::other io: nothing of it could be judged" in compare(t, base, new, "--format", "github", status=3).out, "annotated")
        compare(t, base, new, "--fail-on", "limits")
        compare(t, base, new, "--scenario", "s")


@test
def every_run_is_read(t):
    """One run of any side that was made otherwise, first or last, is enough."""
    ok = made()
    base = side(t, "base", ok, ok, ok)
    for name, change, words in (("mode", made(tracer__mode="ptrace"), "mode differs: auto and ptrace"),
                                ("version", made(tracer__version="9.9"), "the tracer's version differs"),
                                ("machine", made(environment__machine="riscv64"), "machine differs"),
                                ("libc", made(environment__libc="musl 1"), "libc differs"),
                                ("nowhere", made(environment=None), "of one side it is not known where it was run"),
                                ("arguments", made(command=["x", "y"]), "the arguments differ"),
                                ("load", made(load={"command": "ask 9", "status": 0, "wall_ns": 5, "latency_ns": None}),
                                 "the loads differ")):
        for where in (0, 2):
            changes = [ok, ok, ok]
            changes[where] = change
            other = side(t, name, *changes)
            for pair in ((base, other), (other, base)):
                r = compare(t, *pair, status=3)
                check("counts and times are not compared: " + words.split(":")[0] in r.out, r.out)
    check("not compared" not in compare(t, base, base).out, "the same")
    for name, change, words in (("cpu", made(environment__cpu="other"), "CPU differs"),
                                ("cores", made(environment__cores=99), "the number of cores differs"),
                                ("overhead", made(tracer__overhead__estimated_share=0.5), "time slowed by stops")):
        r = compare(t, base, side(t, name, ok, ok, change))
        check("times are not compared: " + words in r.out, r.out)


def call(r, name):
    return next(s for s in r["syscalls"] if s["name"] == name)


def counts(**calls):
    """As often each of these was called."""
    def change(r):
        for name, n in calls.items():
            call(r, name).update(calls=n, ok=n)
    return change


def both(*changes):
    return lambda r: [c(r) for c in changes]


def loaded(units, unit="query", **calls):
    """Ten seconds under a load that did so much."""
    return both(counts(**calls), made(load={"command": "ask", "status": 0, "wall_ns": 10**10, "latency_ns": None},
                                      window={"begin_ns": 0, "end_ns": 10**10, "wall_ns": 10**10},
                                      work={"unit": unit, "count": units}))


def verdicts(r):
    return {m["name"]: m["verdict"] for p in json.loads(r.out)["parts"] for m in p["metrics"]}


@test
def no_work_is_an_end(t):
    """Calls for each unit of no work are not known: all would be described, and nothing fail."""
    base = side(t, "base", *[loaded(1000 + k, write=1000 + k) for k in range(4)])
    none = side(t, "none", *[loaded(0, write=3) for k in range(4)])
    r = compare(t, base, none, status=1)
    check("FAIL s io: new: no work done, exit status 0 in 4 of 4 runs" in first(r), r.out)
    check("better" not in r.out, "praise: " + r.out)
    check("note s io: base: no work done" in compare(t, none, none).out, "on both sides")


@test
def slower_by_the_unit_of_work(t):
    """Of a load of ten seconds the window always takes ten; a server that only waits more takes no more CPU time either."""
    def runs(name, units):
        return side(t, name, *[both(drop_others("write"), loaded(units + k, write=2 * (units + k)), made(cpu_ns=1000 * (units + k)))
                               for k in range(6)])
    base, half = runs("base", 1000), runs("half", 500)
    r = compare(t, base, half, "--json", status=1)
    eq({n for n, v in verdicts(r).items() if v == "REGRESSION"}, {"throughput"}, "regressions")
    eq(verdicts(compare(t, half, base, "--json"))["throughput"], "better", "the other way")
    eq(verdicts(compare(t, base, side(t, "base"), "--json"))["throughput"], "ok", "the same")


def drop_others(name):
    def change(r):
        r["syscalls"] = [s for s in r["syscalls"] if s["name"] == name]
        r["threads"] = []
    return change


@test
def latency_is_judged(t):
    """At a fixed rate a slower server shows nowhere else."""
    def runs(name, ns):
        return side(t, name, *[both(loaded(1000, write=2000), made(load__latency_ns=ns + k)) for k in range(6)])
    base, slow = runs("base", 1000000), runs("slow", 2000000)
    eq({n for n, v in verdicts(compare(t, base, slow, "--json", status=1)).items() if v == "REGRESSION"}, {"latency"}, "regressions")
    compare(t, slow, base)


@test
def what_too_few_runs_cannot_test(t):
    """Counts of three runs that differ are not tested: what is clearly worse must not pass all the same."""
    base = side(t, "base", None, None, None)
    r = compare(t, base, side(t, "more", *[counts(write=n) for n in (500, 600, 700)]), "--json", status=3)
    eq(verdicts(r)["write.calls"], "looks worse", "verdict")
    r = compare(t, base, t.path("more"), "--format", "github", status=3)
    check("::error::s io write.calls: 100 -> 600, looks worse: needs " in r.out, r.out)
    compare(t, t.path("more"), base)
    compare(t, base, t.path("more"), "--fail-on", "limits")
    r = compare(t, base, side(t, "wide", *[counts(write=n) for n in (200, 300, 400)]), "--json", status=3)
    eq(verdicts(r)["write.calls"], "looks worse", "as far apart as they are from the base, which is the same in each run")
    compare(t, t.path("wide"), side(t, "wider", *[counts(write=n) for n in (450, 600, 700)]))
    near = side(t, "near", *[counts(write=n) for n in (99, 103, 107)])
    compare(t, side(t, "base2", *[counts(write=n) for n in (97, 100, 105)]), near)
    twice = [side(t, name, *[loaded(1000 + k, write=f * (1000 + k) + k) for k in range(3)]) for name, f in (("one", 2), ("two", 4))]
    eq(verdicts(compare(t, *twice, "--json", status=3))["write.per_work"], "looks worse", "of a loaded server")
    compare(t, twice[1], twice[0])


@test
def what_one_side_has_otherwise(t):
    """Counts of other windows and other units of work are others, however alike the programs are."""
    def window(ns, left=5, **more):
        return made(window={"begin_ns": 0, "end_ns": ns, "wall_ns": ns}, phases=[{
            "name": "shutdown", "wall_ns": left, "cpu_ns": None, "calls": 0, "syscalls": []}], **more)

    def held(a, b, words, status=3):
        r = compare(t, side(t, "a", a, a, a), side(t, "b", b, b, b), status=status)
        eq("counts and times are not compared: " + words in r.out, status == 3, r.out)
        return r
    r = held(loaded(1000, write=1000), loaded(2000, "packet", write=1900), "the units of work differ")
    check("so few runs" not in r.out, "more runs would not help: " + r.out)
    r = held(loaded(1000, write=1000), both(loaded(1000, write=400), made(work=None)), "the work of one side is not known")
    check("(--work tells)" not in r.out, "it was given: " + r.out)
    held(window(10**10), both(window(5 * 10**9), counts(write=50)), "the windows are not of the same length")
    held(window(10**10, exit=None), both(window(5 * 10**9, exit=None), counts(write=50)), "the windows are not of the same length")
    held(window(10**10), window(10**10 + 10**7), "windows", status=0)
    held(window(10**10, left=0), window(5 * 10**9, left=0), "windows", status=0)  # the target's own end
    held(window(10**10), counts(write=50), "one side has a window")

    def skipped(ns, left=0):
        return both(window(10**10, left), made(window__begin_ns=ns, window__end_ns=ns + 10**10, window__skip_ns=ns))
    held(skipped(10**9), both(skipped(5 * 10**9), counts(write=50)), "the windows do not begin at the same time (--skip)")
    held(skipped(10**9), skipped(10**9), "windows", status=0)
    held(skipped(10**9), window(10**10, left=0), "windows", status=0)  # of an earlier version

    def cut(ns, duration=0):
        return both(loaded(1000, write=1000), made(window={
            "begin_ns": 0, "end_ns": ns, "wall_ns": ns, "skip_ns": 0, "duration_ns": duration or ns}))
    held(cut(10**10, 2 * 10**10), cut(9 * 10**9, 2 * 10**10), "windows", status=0)  # the load was over before it
    held(cut(3 * 10**7, 2 * 10**7), cut(2 * 10**7, 2 * 10**7), "windows", status=0)  # a busy machine
    held(cut(5 * 10**9), cut(8 * 10**9), "the windows are not of the same length")  # a load of ten seconds


def sampled(t, name, *samples, wall_ns=10**9):
    """CPU profiles of runs with so many samples each."""
    for k, n in enumerate(samples, 1):
        for path in ("%s/flamegraphs/s.runs/%d.json" % (name, k), "%s/flamegraphs/s-cpu.json" % name):
            os.makedirs(os.path.dirname(t.path(path)), exist_ok=True)
            with open(t.path(path), "w") as f:
                json.dump({"schema": "profile.cpu/1", "complete": True, "command": ["p"], "wall_ns": wall_ns + k,
                           "exit": {"status": 0, "signal": None, "timed_out": False}, "started_at": name + path,
                           "sampling": {"samples": n, "rate_hz": 99}, "functions_by_self": []}, f)
    return t.path(name)


@test
def of_so_few_samples(t):
    """A run of two samples has no more CPU time than one of one sample: another phase of the clock is enough."""
    words = "CPU time is not compared: no run has 20 samples"
    one, two = sampled(t, "one", *[1] * 8), sampled(t, "two", *[2] * 8)
    r = compare(t, one, two, "--type", "cpu", status=None)
    check(words in r.out and "REGRESSION" not in r.out and "FAIL" not in r.out, r.out)
    check(not re.search(r"cpu_time.*(ok|better)", compare(t, two, one, "--type", "cpu", status=None).out), "nor less")
    r = compare(t, one, sampled(t, "many", *range(200, 208)), "--type", "cpu", status=1)
    check(words not in r.out and re.search("FAIL +cpu_time", r.out), "enough on one side tell: " + r.out)


@test
def what_a_cpu_profile_has_otherwise(t):
    """Samples of another part of the program are others, too."""
    def profiles(name, skip_s, seconds=10):
        os.makedirs(t.path(name + "/flamegraphs"))
        with open(t.path(name + "/flamegraphs/s-cpu.json"), "w") as f:
            begin, ns = skip_s * 10**9, seconds * 10**9
            json.dump({"schema": "profile.cpu/1", "complete": True, "command": ["p"], "wall_ns": 2 * ns, "exit": None,
                       "window": {"begin_ns": begin, "end_ns": begin + ns, "wall_ns": ns, "skip_ns": begin},
                       "sampling": {"samples": 1000, "frequency_hz": 99}, "functions_by_self": []}, f)
        return t.path(name)
    base = profiles("base", 1)
    for name, skip, seconds, words in (("later", 5, 10, "the windows do not begin at the same time (--skip)"),
                                       ("longer", 1, 20, "the windows are not of the same length (--duration)")):
        check(words in compare(t, base, profiles(name, skip, seconds), "--type", "cpu", status=3).out, name)
    check("windows" not in compare(t, base, profiles("same", 1), "--type", "cpu", status=None).out, "the same")


@test
def limits_of_what_was_not_measured(t):
    """A limit that one run of three meets, and the others did not make the call for, is not met."""
    def without(name):
        return lambda r: r.update(syscalls=[s for s in r["syscalls"] if s["name"] != name])

    def limited(limit, *changes, status):
        with open(t.path("c.json"), "w") as f:
            json.dump({"scenarios": {"s": {"limits": limit}}}, f)
        return compare(t, base, side(t, "new", *changes), "--config", t.path("c.json"), status=status)
    base = side(t, "base", None, None, None)
    r = limited({"write.p50": "<= 1s"}, None, without("write"), without("write"), status=3)
    check("measured in 1 of 3 runs" in r.out and "so few runs" not in r.out, r.out)
    limited({"write.p50": "<= 1s"}, None, None, None, status=0)
    for changes in ([counts(write=None)] * 3, [None, None, counts(write=None)]):
        limited({"write.calls": "<= 100"}, *changes, status=3)  # not known is not 0
    limited({"write.calls": "<= 0"}, *[without("write")] * 3, status=0)


@test
def a_gate_without_limits_says_so(t):
    base, more = side(t, "base", None, None, None), side(t, "more", *[counts(write=900)] * 3)
    words = "with --fail-on limits nothing of it can fail"
    check(words in compare(t, base, more, "--fail-on", "limits").out.replace("\n", " "), "no limits at all")
    with open(t.path("c.json"), "w") as f:
        json.dump({"scenarios": {"s": {"limits": {"write.calls": "<= 900"}}}}, f)
    check(words not in compare(t, base, more, "--fail-on", "limits", "--config", t.path("c.json")).out, "with one")
    check(words not in compare(t, base, base).out, "another gate")


@test
def limits_on_a_call_that_was_not_made(t):
    """It was made 0 times where it was traced, as for --assert."""
    def held(limits, status, change=None):
        base, new = side(t, "base", *[change] * 3), side(t, "new", *[change] * 3)
        return compare(t, base, new, *limits_of(t, **limits), status=status).out
    held({"fsync.calls": "== 0", "fsync.errors": "<= 0", "sendmmsg.messages": "<= 9"}, 0)
    held({"fsync.calls": "+0"}, 0)
    check(re.search(r"FAIL +fsync.calls +0 +0 +0 +limit > 0", held({"fsync.calls": "> 0"}, 1)), "not met")
    for limits, change in (({"fsync.calls": "== 0"}, made(tracer__traced_set=["write"])),
                           ({"mmap2.calls": "== 0"}, None), ({"of_a_newer_kernel.calls": "== 0"}, None),
                           ({"write.calls": ">= 0", "fsync.calls": "== 0"}, made(tracer__traced_set=["all", "!fsync"])),
                           ({"fsync.per_call": "<= 9"}, None), ({"fsync.calls@start-up": "<= 0"}, None)):
        check("not measured in the new runs" in held(limits, 3, change), "%s" % limits)
    window = made(window={"begin_ns": 0, "end_ns": 10**9, "wall_ns": 10**9})
    held({"fsync.calls@start-up": "<= 0"}, 0, window)


def limits_of(t, **limits):
    with open(t.path("limits.json"), "w") as f:
        json.dump({"scenarios": {"s": {"limits": limits}}}, f)
    return "--config", t.path("limits.json")


@test
def what_the_gate_lets_through(t):
    """The last line counts all that says FAIL, whatever the gate minds."""
    base, more = side(t, "base", None, None, None), side(t, "more", *[counts(write=900)] * 3)

    def last(*args, status=0):
        return re.sub(r"in \d+ metrics", "in N metrics", compare(t, base, more, *args, status=status).out.splitlines()[-1])
    found = "2 REGRESSIONS in N metrics that could be judged"
    eq(last(status=1), found + ".  exit 1", "by default")
    eq(last("--fail-on", "nothing"), found + ", 2 let through by --fail-on nothing.  exit 0", "nothing")
    eq(last("--fail-on", "limits", *limits_of(t, **{"read.calls": "<= 9"})),
       found + ", 2 let through by --fail-on limits.  exit 0", "a limit that is met")
    eq(last("--fail-on", "limits", *limits_of(t, **{"write.calls": "<= 9"}), status=1),
       found + ", 1 let through by --fail-on limits.  exit 1", "one that is not")
    eq(last("--fail-on", "limits", *limits_of(t, **{"peak_heap": "<= 9"}), status=3),
       found + ", 2 let through by --fail-on limits; cannot tell.  exit 3", "one that cannot be judged")
    r = compare(t, base, base, "--fail-on", "limits")
    check(re.search(r"^no regression in \d+ metrics that could be judged.  exit 0$", r.out, re.M), r.out)


@test
def why_nothing_was_judged(t):
    """A job that is red by an exit status of 3 has an annotation, too."""
    one, three = side(t, "one", None), side(t, "three", None, None, None)
    other = side(t, "other", *[made(tracer__version="9.9")] * 3)
    for new, words in ((one, "counts are described, not judged: 3 and 1 runs"), (other, "counts and times are not compared: the tracer's")):
        r = compare(t, three, new, "--format", "github", status=3)
        check(first(r).startswith("cannot tell s io: nothing of it could be judged: " + words), r.out)
        check("::error::s io: nothing of it could be judged: " + words in r.out, r.out)
        compare(t, three, new, "--fail-on", "limits", status=3)
        r = compare(t, three, new, "--format", "github", "--fail-on", "nothing")
        check("::warning::s io: nothing of it could be judged" in r.out and "::error::" not in r.out, r.out)
    check("only one of them" in compare(t, three, three, "--json", "--format", "github", status=2).err, "what reads JSON reads JSON only")


@test
def accept_takes_what_every_type_meets(t):
    """wall_time is measured under each type, and has one limit."""
    both = side(t, "both", *[made(wall_ns=10**8)] * 3)
    for seconds in (0.06, 0.16):
        sampled(t, "both", 50, 50, 50, wall_ns=int(seconds * 10**9) - 2)  # the median of three, each 1 ns longer
        least, most = "%gms" % min(1000 * seconds, 100), "%gms" % max(1000 * seconds, 100)
        for was, want in (("<= 50ms", "<= " + most), (">= 200ms", ">= " + least), ("<= 500ms", "<= " + most)):
            config = limits_of(t, wall_time=was)
            for out in ("wall_time: %s -> %s\n" % (was, want), "s: nothing to rewrite\n"):
                eq(profile(t, "accept", "s", "--output-dir", both, "--all", *config).out, out, "%s of %g s" % (was, seconds))


@test
def names_that_are_not_there(t):
    """The version meant, where one is near; a type that is none."""
    new = side(t, "new", None, None, None)
    for version in ("1.10", "release-2"):
        profile(t, "baseline", "save", version, "--output-dir", new)
    for word, end in (("1.1", "; did you mean '1.10'?"), ("relaese-2", "; did you mean 'release-2'?"), ("main", "(baseline list names those there are)")):
        for words in ([word], [new, word]):
            err = profile(t, "compare", *words, "--output-dir", new, status=2).err
            check("%s: no file, no directory, and no baseline in " % word in err and err.rstrip().endswith(end), err)
    for word, end in (("IO", "no type is called 'IO'; did you mean 'io'?"), ("none", "no type is called 'none'")):
        eq(compare(t, new, new, "--type", word, status=2).err.rstrip().split("--type: ")[1], end, word)
    check("s io" in compare(t, new, new, "--type", "all").out, "all")


@test
def what_only_the_base_has_is_annotated(t):
    base, new = side(t, "base", None, None, None), side(t, "new", None, None, None)
    side(t, "base", None, None, None, scenario="gone")
    r = compare(t, base, new, "--format", "github")
    check("::warning::gone io is not compared: only the base has it" in r.out, r.out)
    check("only the base" not in compare(t, new, new, "--format", "github").out, "both have all")


@test
def attached_and_gone(t):
    """What was attached to and lived on has an end, too."""
    def attached(**end):
        return made(attached={"pid": 1, "processes": 1, "started": False}, exit=end or None)
    on, gone = attached(), attached(status=None, signal=11, timed_out=False)
    r = compare(t, side(t, "on", on, on, on), side(t, "gone", gone, gone, gone), status=1)
    check("new: killed by signal 11 (SIGSEGV) in 3 of 3 runs; base: left running in 3" in first(r), r.out)
    check("left running" not in compare(t, t.path("on"), side(t, "on2", on, on, on)).out, "both lived on")
    def crashed(r):
        r["warnings"].append({"code": "process_crashed", "text": "x"})
    r = compare(t, t.path("on"), side(t, "worker", *[both(on, crashed)] * 3), status=1)
    check("new: left running after a process that it started crashed in 3 of 3 runs" in first(r), r.out)


@test
def how_many_crashed(t):
    """An end that both sides have may be that of one process in ten or of all; results of earlier versions do not tell."""
    def crashed(n, writes=100):
        def change(r):
            r["warnings"].append({"code": "process_crashed", "text": "x"})
            r["programs"][0]["crashed"] = 0
            r["programs"].append({"name": "worker", "started_by": r["programs"][0]["name"], "processes": 20, "threads": 20, "crashed": n})
            call(r, "write")["calls"] = writes
        return change
    one, ten = [side(t, name, *[crashed(n, writes)] * 3) for name, n, writes in (("one", 1, 100), ("ten", 10, 50))]
    r = compare(t, one, ten, status=1)
    check(re.search(r"FAIL +crashed +1 +10 ", r.out) and "better" not in r.out, r.out)
    check("* worker: 1 -> 10 of its processes crashed" in r.out, "which: " + r.out)
    r = compare(t, ten, one, status=1)
    check(re.search(r"better +crashed +10 +1 ", r.out) and "of its processes crashed" not in r.out, "fewer of them: " + r.out)
    old = side(t, "old", *[crashed(None)] * 3)
    for sides in ((old, ten), (ten, old)):
        check(not re.search(r"(FAIL|better) +crashed", compare(t, *sides, status=None).out), "not told")


@test
def complete_must_be_said(t):
    compare(t, side(t, "base", None, None, None), side(t, "new", *[made(complete=None)] * 3), status=2)


@test
def a_cause_takes_no_regression_with_it(t):
    """A helper that is gone took the calls of a name with it; that the target makes more of them at start-up is not its doing."""
    def phased(n):
        return made(window={"begin_ns": 9, "end_ns": 10**8, "wall_ns": 10**8}, phases=[
            {"name": "start-up", "wall_ns": 9, "cpu_ns": None, "calls": n,
             "syscalls": [{"name": "fsync", "calls": n, "errors": 0, "wall_ns": 5}]},
            {"name": "window", "wall_ns": 10**8, "cpu_ns": None, "calls": 1, "syscalls": []},
            {"name": "shutdown", "wall_ns": 0, "cpu_ns": None, "calls": 0, "syscalls": []}])

    def helper(r):
        one = copy.deepcopy(r["threads"][0])
        one.update(pid=one["pid"] + 1, tid=one["pid"] + 1, comm="helper")
        one["syscalls"] = [dict(one["syscalls"][0], name="fsync", calls=50, errors=0, bytes=None)]
        r["threads"].append(one)
        r["processes"] = r["threads_total"] = 2
        r["programs"].append({"name": "helper", "started_by": r["programs"][0]["name"], "processes": 1, "threads": 1})
        r["syscalls"].append(dict(copy.deepcopy(call(r, "write")), name="fsync", calls=50, ok=50, bytes=None, batch=None))
    base = side(t, "base", *[both(helper, phased(2))] * 3)
    r = compare(t, base, side(t, "new", *[phased(100)] * 3), status=1)
    def unnamed(r):
        r["programs"].append({"name": None, "started_by": None, "processes": 1, "threads": 1})
    some = compare(t, base, side(t, "some", *[both(phased(100), unnamed)] * 3), status=1)
    check("helper, not" not in some.out, "the one without a name may be it: " + some.out)
    check("helper, not started any more" in r.out and re.search(r"FAIL +fsync.calls@start-up +2 +100", r.out), r.out)
    compare(t, base, side(t, "good", *[phased(2)] * 3))


@test
def a_cause_of_what_grows_with_the_work(t):
    """Calls that only another process makes: where the runs did not do the same work, they are worse by the unit of it."""
    def helper(name, units, write, fsync):
        def change(r):
            one = copy.deepcopy(r["threads"][0])
            one.update(pid=one["pid"] + 1, tid=one["pid"] + 1, comm=name)
            one["syscalls"] = [dict(one["syscalls"][0], name="fsync", calls=fsync, errors=0, bytes=None)] if fsync else []
            r["threads"].append(one)
            r["processes"] = r["threads_total"] = 2
            r["programs"].append({"name": name, "started_by": r["programs"][0]["name"], "processes": 1, "threads": 1})
            if fsync:
                r["syscalls"].append(dict(copy.deepcopy(call(r, "write")), name="fsync", calls=fsync, ok=fsync, bytes=None, batch=None))
        return both(loaded(units, write=write), change)
    base = side(t, "base", *[helper("old", 1000 + k, 4 * (1000 + k), 0) for k in range(6)])
    new = side(t, "new", *[helper("synced", 1000 + k, 2 * (1000 + k), 1000 + k) for k in range(6)])
    r = compare(t, base, new, status=1)
    check(re.search(r"FAIL +synced, started by plain: its 1,0\d\d calls", r.out), r.out)
    compare(t, base, new, "--fail-on", "limits")
    check(re.search(r"better:? .*synced, not started any more: its 1,0\d\d calls", compare(t, new, base, status=1).out), "the other way")


WINDOWED = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <unistd.h>
int main(int argc, char **argv)
{
	sigset_t set;
	int sig, f = open("/dev/null", O_WRONLY);
	sigemptyset(&set), sigaddset(&set, SIGUSR1), sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (HELPER && !fork()) {
		prctl(PR_SET_NAME, "helper"), prctl(PR_SET_PDEATHSIG, SIGTERM);
		fclose(fopen("ready", "w"));
		sigwait(&set, &sig);
		return 0;
	}
	FILE *own = fopen("pid", "w");
	fprintf(own, "%d\n", getpid()), fclose(own);
	if (!HELPER)
		fclose(fopen("ready", "w"));
	while (!sigwait(&set, &sig) && sig == SIGUSR1) {
		for (int i = 0; i < 20; i++)
			write(f, "x", 1);
		fclose(fopen("done", "w"));
	}
	return 0;
}
"""


@test
def a_process_from_before_the_window(t):
    """It makes no call in the window, and is told with who started it."""
    sides = []
    for name, helper in (("old", 0), ("new", 1)):
        binary = built(t, name, WINDOWED, HELPER=helper)
        profile(t, "--scenario", "s", "--type", "io", "--binary", binary, "--runs", 3, "--output-dir", t.path(name + ".d"),
                "--ready", "test -e ready -a -s pid",
                "--load", "kill -USR1 $(cat pid); while ! test -e done; do :; done; rm done ready pid")
        sides.append(t.path(name + ".d"))
    r = compare(t, *sides, status=1)
    check(re.search(r"FAIL +helper, started by new: none of its calls counted +- +- +- +2 figures", r.out), r.out)
    check("fewer" not in r.out and "a new process" not in r.out, r.out)
    check("helper, not started any more: none of its calls counted" in compare(t, *sides[::-1]).out, "the other way")


@test
def processes_of_another_file(t):
    """What a program forks and runs in threads has its name, which is another on each side."""
    def forks(name, more):
        return program(t, name, """if (!fork()) { for (int i = 0; i < 50; i++) write(f, "x", 1); _exit(0); }
	wait(0);
	for (int i = 0; i < %d; i++) write(-1, "x", 1);
	return 0;""" % more)
    old, new = forks("old", 10), forks("new", 200)
    r = in_turns(t, old, new, status=1)
    check("more of them" not in r.out and "not started" not in r.out, "as many processes: " + r.out)
    check(re.search(r"FAIL +write.errors +10 +200", r.out), r.out)
    check("write, in threads named new: 160 -> 350 calls" in r.out.replace("\n    ", " "), r.out)
    check("FAIL" not in in_turns(t, old, forks("other", 10)).out, "the same under another name")


@test
def what_looks_worse_is_told_as_a_reason(t):
    """Calls that only new makes, never as many of them, and too few runs to test them: who reads why all calls are more looks for these."""
    def added(n):
        def change(r):
            more = copy.deepcopy(call(r, "write"))
            more.update(name="fsync", calls=n, ok=n, errors=0, errno={}, batch=None, bytes=None, **{"class": "file"})
            r["syscalls"].append(more)
            call(r, "write").update(calls=1000 + n, ok=1000 + n)
        return change
    base, new = side(t, "base", *[counts(write=1000 + n) for n in range(3)]), side(t, "new", *[added(1000 + n) for n in range(3)])
    r = compare(t, base, new, status=3)
    check(re.search("looks worse +calls", r.out) and re.search("looks worse +fsync.calls", r.out), r.out)
    check("* new, the base never calls it: fsync" in r.out, r.out)


@test
def what_no_count_shows(t):
    """Told beside the verdict, which counts alone make."""
    def failed(name):
        return lambda r: call(r, "write").update(errors=50, ok=50, errno={name: 50})

    def less(r):
        for s in r["syscalls"]:
            s.update(calls=1, ok=1)
    base = side(t, "base", *[failed("EAGAIN")] * 3)
    words = "write failed with EIO in 100% of its errors (base: EAGAIN in 100%)"
    check(words in compare(t, base, side(t, "new", *[failed("EIO")] * 3)).out, "another error")
    check("of its errors" not in compare(t, base, side(t, "same", *[failed("EAGAIN")] * 3)).out, "the same")
    words = "new makes less than half of the base's calls"
    check(words in compare(t, base, side(t, "less", less, less, less)).out, "hardly any calls")
    check(words not in compare(t, base, side(t, "same")).out, "as many")
    words = "new makes fewer calls than the base: whether it did the same work is not known (--work tells)"
    fewer = counts(write=80)
    check(words not in compare(t, base, side(t, "fewer", fewer, fewer, fewer)).out, "the same arguments are the same work")

    def served(name, units, write):
        r = both(loaded(1000, write=write), *([made(work=None)] if not units else [made(work={"unit": "query", "count": units})]))
        return side(t, name, r, r, r)
    check(words in compare(t, served("a", 0, 100), served("b", 0, 80)).out, "who is slower serves less")
    for sides in ((("c", 0, 80), ("d", 0, 100)), (("e", 0, 100), ("f", 0, 100)), (("g", 1000, 100), ("h", 1000, 80))):
        check(words not in compare(t, *[served(*s) for s in sides], status=None).out, "%s" % (sides,))


if __name__ == "__main__":
    main()
