#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario compare and accept, and limits of run: a planted change is found, nothing else is."""
import json
import os
import random
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, eq, main, need_recorder, need_tool, profile, test

# EXTRA writes and SLOW more work than the base; batches of BATCH on a socket pair.
PROGRAM = """#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
	struct mmsghdr m[64] = {0};
	struct iovec v = {"x", 1};
	int s[2];
	volatile unsigned long n = 0;
	socketpair(AF_UNIX, SOCK_DGRAM, 0, s);
	for (int i = 0; i < 64; i++)
		m[i].msg_hdr = (struct msghdr){.msg_iov = &v, .msg_iovlen = 1};
	for (int i = 0; i < 64; i += BATCH) {
		char b[64];
		sendmmsg(s[0], m, BATCH, 0);
		for (int k = 0; k < BATCH; k++)
			read(s[1], b, sizeof(b));
	}
	for (int i = 0; i < 20 + EXTRA; i++)
		if (write(1, "x\\n", 2) != 2)
			return 1;
	while (n < 20000000UL * (100 + SLOW) / 100)
		n++;
	return 0;
}
"""


def program(t, name, extra=0, slow=0, batch=8):
    path = t.path(name)
    with open(path + ".c", "w") as f:
        f.write(PROGRAM)
    t.run([need_tool("gcc"), "-O1", "-w", "-DEXTRA=%d" % extra, "-DSLOW=%d" % slow, "-DBATCH=%d" % batch,
           "-o", path, path + ".c"], timeout=60, user=False)
    return path


def results(t, out, binary, runs=3, scenario="s", status=0, config=None):
    return profile(t, "--scenario", scenario, "--type", "io", "--binary", binary, "--runs", runs, "--output-dir",
                   t.path(out), *(("--config", config) if config else ()), status=status)


def compare(t, *args, status=0, timeout=60):
    return profile(t, "compare", *args, status=status, timeout=timeout)


def metrics(r):
    return {m["name"]: m for p in json.loads(r.out)["parts"] for m in p["metrics"]}


def catalogue(t, limits):
    path = t.path("catalogue.json")
    with open(path, "w") as f:
        f.write('{\n  "scenarios": {\n    "other": {"limits": {"write.calls": "<= 1"}},\n    "s": {"limits": {\n      %s\n    }}\n  }\n}\n'
                % ",\n      ".join('"%s": "%s"' % kv for kv in limits))
    return path


@test
def the_same_program(t):
    a = program(t, "a")
    results(t, "one", a)
    results(t, "two", a)
    r = compare(t, t.path("one"), t.path("two"))
    check("no regression" in r.out, r.out)
    eq(metrics(compare(t, t.path("one"), t.path("two"), "--json"))["write.calls"]["kind"], "exact", "kind")


@test
def one_write_more(t):
    results(t, "one", program(t, "a"))
    results(t, "two", program(t, "b", extra=1))
    r = compare(t, t.path("one"), t.path("two"), status=1)
    check(re.search(r"FAIL +write\.calls +20 +21 +\+5\.0% +exact", r.out), r.out)
    m = metrics(compare(t, t.path("one"), t.path("two"), "--json", status=1))
    eq([n for n, x in sorted(m.items()) if x["verdict"] == "REGRESSION"], ["calls", "write.bytes", "write.calls"],
       "regressions")
    r = compare(t, t.path("two"), t.path("one"))
    check("better" in r.out and "FAIL" not in r.out, r.out)


@test
def a_smaller_batch_is_explained(t):
    results(t, "one", program(t, "a"))
    results(t, "two", program(t, "b", batch=1))
    r = compare(t, t.path("one"), t.path("two"), status=1)
    check(re.search(r"FAIL +sendmmsg\.per_call +8 +1 +-87\.5%", r.out), r.out)
    check("sendmmsg asked for 1 in 100% of calls (base: 8 in 100%)" in r.out, r.out)


@test
def new_and_vanished_calls(t):
    results(t, "one", "/bin/true")
    results(t, "two", "/bin/ls")
    r = compare(t, t.path("one"), t.path("two"), status=1)
    check("new, the base never calls it" in r.out, r.out)


@test
def too_few_runs(t):
    a, b = program(t, "a"), program(t, "b", extra=1)
    results(t, "one", a, runs=1)
    results(t, "two", b, runs=1)
    r = compare(t, t.path("one"), t.path("two"), status=3)
    check("exact counts need 3 a side" in r.out, r.out)
    check("write.calls" in r.out, "and the difference is shown: " + r.out)
    need_recorder(t)
    check("needs 4 runs" in r.out, r.out)


@test
def made_differently(t):
    a = program(t, "a")
    results(t, "one", a)
    profile(t, "--scenario", "s", "--type", "io", "--binary", a, "--runs", 3, "--output-dir", t.path("two"), "--", "x")
    r = compare(t, t.path("one"), t.path("two"), status=3)
    check("the arguments differ" in r.out, r.out)
    compare(t, t.path("one"), t.path("two"), "--force")


@test
def times_by_stops_are_not_judged(t):
    a = program(t, "a")
    for out in ("one", "two"):
        profile(t, "--scenario", "s", "--type", "io", "--binary", a, "--runs", 4, "--mode", "ptrace", "--output-dir",
                t.path(out))
    m = metrics(compare(t, t.path("one"), t.path("two"), "--json", "--force"))
    eq(m["wall_time"]["verdict"], "not compared", "wall time by stops")


@test(timeout=120)
def a_slower_program_in_turns(t):
    need_recorder(t)
    a, b = program(t, "a"), program(t, "b", slow=60)
    r = compare(t, "--scenario", "s", "--base-binary", a, "--new-binary", b, "--runs", 8, "--output-dir", t.path("out"),
                "--json", status=None, timeout=100)
    m = metrics(r)["wall_time"]
    check(m["p"] is not None and m["ratio_low"] < m["ratio_high"], str(m))
    eq(r.status, 1 if m["verdict"] == "REGRESSION" else 0, "status with wall_time %r" % m)
    eq(sorted(os.listdir(t.path("out/compare/s"))), ["base", "new"], "what is left")


@test
def limits_of_the_catalogue(t):
    results(t, "one", program(t, "a"))
    results(t, "two", program(t, "b", extra=1, batch=4))
    for limits, status in (([("write.calls", "<= 20"), ("sendmmsg.per_call", ">= 8")], 1),
                           ([("write.calls", "+1"), ("sendmmsg.per_call", ">= 3.5")], 0),
                           ([("write.calls", "+5%"), ("nothing.calls", "<= 3")], 3)):
        c = catalogue(t, limits)
        r = compare(t, t.path("one"), t.path("two"), "--config", c, "--fail-on", "limits", status=status)
        check("LIMITS" in r.out, r.out)
    r = compare(t, t.path("one"), t.path("two"), "--config", catalogue(t, [("write.calls", "fewer")]), status=2)
    check("write.calls" in r.err and "fewer" in r.err and len(r.err.splitlines()) == 1, r.err)
    compare(t, t.path("one"), t.path("two"), "--fail-on", "nothing")


@test
def budgets_of_run_and_accept(t):
    a, b = program(t, "a"), program(t, "b", extra=3, batch=4)
    c = catalogue(t, [("write.calls", "<= 20"), ("sendmmsg.per_call", ">= 7.5"), ("wall_time", "+10%"), ("calls", "< 4000")])
    with open(c) as f:
        before = f.read()
    results(t, "out", a, config=c)
    r = results(t, "out", b, config=c, status=1)
    check("write.calls is 23: limit missed, limit <= 20" in r.err, r.err)
    check("sendmmsg.per_call is 4" in r.err, r.err)
    r = profile(t, "accept", "s", "--config", c, "--output-dir", t.path("out"), "--dry-run")
    eq(r.out, "write.calls: <= 20 -> <= 23\nsendmmsg.per_call: >= 7.5 -> >= 4\n", "what would be written")
    with open(c) as f:
        eq(f.read(), before, "a dry run writes nothing")
    profile(t, "accept", "--config", c, "s", "--output-dir", t.path("out"))
    with open(c) as f:
        eq(f.read(), before.replace('"<= 20"', '"<= 23"').replace('">= 7.5"', '">= 4"'), "the catalogue")
    results(t, "out", b, config=c)
    r = profile(t, "accept", "s", "--config", c, "--output-dir", t.path("out"))
    check("nothing to rewrite" in r.out, r.out)
    for bad in (["accept", "none", "--config", c], ["accept"], ["accept", "s", "--config", t.path("missing")],
                ["accept", "s", "--config", c, "--output-dir", t.path("empty")]):
        eq(len(profile(t, *bad, status=2).err.splitlines()), 1, "lines for %r" % bad)


@test
def baselines(t):
    results(t, "results", program(t, "a"))
    profile(t, "baseline", "save", "v1", "--output-dir", t.path("results"))
    results(t, "results", program(t, "b", extra=1))
    profile(t, "baseline", "save", "v2", "--output-dir", t.path("results"))
    for args in (["v1", "v2"], ["v1"]):
        r = compare(t, *args, "--output-dir", t.path("results"), status=1)
        check("write.calls" in r.out, r.out)
    r = compare(t, "v1", "v9", "--output-dir", t.path("results"), status=2)
    check("v9" in r.err, r.err)


@test
def profiles_of_cpu_and_memory(t):
    """Heap peaks are exact, functions that moved are named, their difference is drawn."""
    for out, n, type_ in (("one", 1000, "memory"), ("two", 3000, "memory")):
        if shutil.which("valgrind"):
            profile(t, "--scenario", "m", "--type", type_, "--binary", need_tool("awk"), "--runs", 3, "--output-dir",
                    t.path(out), "--", "BEGIN { for (i = 0; i < %d; i++) a[i] = i }" % n)
    if shutil.which("valgrind"):
        m = metrics(compare(t, t.path("one"), t.path("two"), "--json", "--force", status=1))
        eq((m["peak_heap"]["kind"], m["peak_heap"]["verdict"]), ("exact", "REGRESSION"), "peak_heap")
    for name, rows in (("b1", "p;main;a 800\np;main;b 200\n"), ("b2", "p;main;a 300\np;main;b 700\n")):
        os.makedirs(t.path(name + "/flamegraphs"))
        with open(t.path(name + "/flamegraphs/c.folded"), "w") as f:
            f.write(rows)
        counts = {r.split(";")[2].split()[0]: int(r.split()[1]) for r in rows.splitlines()}
        with open(t.path(name + "/flamegraphs/c-cpu.json"), "w") as f:
            json.dump({"schema": "profile.cpu/1", "command": ["p"], "sampling": {"samples": 1000}, "functions_by_self": [
                {"name": k, "self": v} for k, v in counts.items()]}, f)
    r = compare(t, t.path("b1"), t.path("b2"), "--type", "cpu", "--output-dir", t.path("out"), status=None)
    check("b: 20.0% -> 70.0% of the samples" in r.out, r.out)
    with open(t.path("out/compare/c-diff.folded")) as f:
        eq(sorted(f.read().split("\n")[:2]), ["main;a 800 300", "main;b 200 700"], "difference")


@test
def other_forms(t):
    results(t, "one", program(t, "a"))
    results(t, "two", program(t, "b", extra=1))
    r = compare(t, t.path("one"), t.path("two"), "--markdown", t.path("c.md"), "--format", "github", status=1)
    check("::error::s io write.calls: 20 -> 21" in r.out, r.out)
    compare(t, t.path("one"), t.path("two"), "--html", t.path("c.html"), status=1)
    with open(t.path("c.html")) as f:
        page = f.read()
    check("Content-Security-Policy" in page and "write.calls" in page and "http" not in page.split("</head>")[1], "page")
    with open(t.path("c.md")) as f:
        check("| write.calls |" in f.read().replace("\\", ""), "Markdown")


def copies(t, name, text, rng, factor, runs=8):
    """Result files of runs whose wall time scatters by 2%, with a slow one now and then."""
    out = []
    r = json.loads(text)
    r["tracer"]["overhead"]["estimated_share"] = 0.01  # as of a longer run
    for k in range(runs):
        r["wall_ns"] = int(1e9 * factor * rng.gauss(1, 0.02) * (1.3 if rng.random() < 0.05 else 1))
        out.append(t.path("%s/iotrace/s.runs/%d.json" % (name, k)))
        os.makedirs(os.path.dirname(out[-1]), exist_ok=True)
        with open(out[-1], "w") as f:
            json.dump(r, f)
    with open(t.path(name + "/iotrace/s-iotrace.json"), "w") as f:
        json.dump(r, f)
    return t.path(name)


@test(timeout=120)
def false_alarms_and_planted_slowness(t):
    """200 comparisons of a program with itself, 50 with one that is 10% slower."""
    profile(t, "--scenario", "s", "--type", "io", "--binary", "/bin/true", "--output-dir", t.path("one"))
    with open(t.path("one/iotrace/s-iotrace.json")) as f:
        text = f.read()
    rng, alarms, found = random.Random(4), 0, 0
    for _ in range(200):
        r = compare(t, copies(t, "x", text, rng, 1), copies(t, "y", text, rng, 1), "--json", status=None)
        check(r.status in (0, 1), r.err)
        alarms += r.status
    for _ in range(50):
        found += compare(t, copies(t, "x", text, rng, 1), copies(t, "y", text, rng, 1.1), "--json", status=None).status
    check(alarms <= 10, "%d false alarms in 200" % alarms)
    check(found >= 45, "only %d of 50 slow-downs found" % found)


@test
def files_that_are_no_results(t):
    results(t, "one", program(t, "a"), runs=1)
    good = t.path("one/iotrace/s-iotrace.json")
    with open(good) as f:
        text = f.read()
    cases = {"cut": text[:len(text) // 2], "empty": "", "newer": text.replace("iotrace.result/1", "iotrace.result/2"),
             "foreign": '{"a": 1}', "list": "[]", "deep": "[" * 100000, "type": text.replace('"calls": ', '"calls": "x", "c": ', 1),
             "binary": "\x00\x01\x02"}
    for name, bad in cases.items():
        path = t.path(name + ".json")
        with open(path, "w") as f:
            f.write(bad)
        for args in ([path, good], [good, path]):
            r = compare(t, *args, status=2)
            eq(len(r.err.splitlines()), 1, "lines for %s: %s" % (name, r.err))
            check(name + ".json" in r.err, r.err)
    compare(t, good, good, status=3)


if __name__ == "__main__":
    main()
