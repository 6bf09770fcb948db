#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario compare and accept, and limits of run: a planted change is found, nothing else is."""
import copy
import itertools
import json
import os
import random
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, at_some_pace, built, check, eq, free_port, main, need_recorder, need_tool, on_terminal, profile, test

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
    return built(t, name, PROGRAM, EXTRA=extra, SLOW=slow, BATCH=batch)


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
    worse = [n for n, m in metrics(r).items() if m["verdict"] == "REGRESSION"]
    check(set(worse) <= {"wall_time", "cpu_time"}, "worse: %s" % worse)
    eq(r.status, 1 if worse else 0, "status, worse is %s" % worse)
    eq(sorted(os.listdir(t.path("out/compare/s"))), ["base", "new"], "what is left")


VARYING = """#include <fcntl.h>
#include <time.h>
#include <unistd.h>
int main(void)
{
	struct timespec now;
	int f = open("/dev/null", O_WRONLY);
	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < 1000 * TIMES + (now.tv_nsec / 1000 + getpid()) % 3; i++)
		write(f, "x", 1);
	return 0;
}
"""

# A server that writes TIMES times a request, and a load that makes not the same number of requests twice.
SERVER = """#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
int main(void)
{
	struct sockaddr_in a = {AF_INET, htons(PORT), {htonl(INADDR_LOOPBACK)}};
	struct sockaddr_in from;
	socklen_t len;
	char b[64];
	int s = socket(AF_INET, SOCK_DGRAM, 0), f = open("/dev/null", O_WRONLY);
	if (bind(s, (void *)&a, sizeof(a)))
		return 1;
	for (;;) {
		struct pollfd p = {s, POLLIN};
		poll(&p, 1, -1);
		len = sizeof(from);
		if (recvfrom(s, b, sizeof(b), 0, (void *)&from, &len) < 0)
			return 1;
		for (int i = 0; i < TIMES; i++)
			write(f, b, 1);
		sendto(s, b, 1, 0, (void *)&from, len);
	}
}
"""
LOAD = """import os, random, socket
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
n = random.randint(150, 250)
for _ in range(n):
    s.sendto(b"x", ("127.0.0.1", %d))
    s.recvfrom(9)
print("requests", n)
"""


@test(timeout=120)
def a_count_that_varies(t):
    need_recorder(t)
    a, b = built(t, "a", VARYING, TIMES=1), built(t, "b", VARYING, TIMES=2)
    args = ("--scenario", "s", "--base-binary", a, "--runs", 5, "--json")
    m = metrics(compare(t, *args, "--new-binary", b, status=1))["write.calls"]
    eq((m["kind"], m["verdict"]), ("noisy", "REGRESSION"), "write.calls")
    check(1.98 < m["ratio_low"] <= m["ratio_high"] < 2.02, str(m))
    m = metrics(compare(t, *args, "--new-binary", a))["write.calls"]
    eq((m["verdict"], m["why"]), ("ok", "all runs within 5%"), str(m))


@test(timeout=120)
def a_loaded_server_that_calls_more_for_a_request(t):
    """The load varies by a half: calls say nothing, calls per request everything."""
    need_recorder(t)
    port = free_port()
    with open(t.path("load.py"), "w") as f:
        f.write(LOAD % port)
    a, b = (built(t, n, SERVER, PORT=port, TIMES=k) for n, k in (("a", 1), ("b", 5)))
    args = ("--scenario", "s", "--base-binary", a, "--runs", 5, "--ready", "udp:%d" % port, "--load",
            "%s %s" % (sys.executable, t.path("load.py")), "--work", "request=requests ([0-9]+)")
    r = compare(t, *args, "--new-binary", b, "--json", status=1, timeout=100)
    m = metrics(r)
    eq([(n, m[n]["verdict"], round(m[n]["new_median"], 2)) for n in ("write.per_work", "calls_per_work")],
       [("write.per_work", "REGRESSION", 5), ("calls_per_work", "REGRESSION", 8)], "per request")
    eq(m["recvfrom.per_work"]["verdict"], "same", "what has not changed")
    eq({m[n]["kind"] for n in ("write.calls", "calls", "recvfrom.calls")}, {"described"}, "counts")
    m = metrics(compare(t, *args, "--new-binary", a, "--json", timeout=100))
    check(m["calls_per_work"]["verdict"] in ("same", "ok"), "the same server: %r" % m["calls_per_work"])


@test(timeout=120)
def options_of_run_in_turns(t):
    """A server is started, loaded and ended for each run; what the catalogue has is not needed, and what is given wins."""
    port = free_port()
    with open(t.path("load.py"), "w") as f:
        f.write(LOAD % port)
    with open(t.path("c.json"), "w") as f:
        json.dump({"scenarios": {"s": {"load": "exit 1", "work": {"unit": "x", "regex": "none"}}}}, f)
    a, dies = built(t, "a", SERVER, PORT=port, TIMES=1), built(t, "dies", SERVER.replace("sendto(", "abort(); sendto("), PORT=port, TIMES=1)
    args = ("--scenario", "s", "--base-binary", a, "--runs", 3, "--output-dir", t.path("out"), "--ready", "udp:%d" % port,
            "--ready-timeout", "20", "--work", "request=requests ([0-9]+)", "--mode", "ptrace")
    load = ("--load", "%s %s" % (sys.executable, t.path("load.py")))
    compare(t, *args, *load, "--new-binary", a, "--config", t.path("c.json"), timeout=100)
    runs = {}
    for side, k in itertools.product(("base", "new"), (1, 2, 3)):
        with open(t.path("out/compare/s/%s/%d/iotrace/s-iotrace.json" % (side, k))) as f:
            runs[side, k] = json.load(f)
    eq([side for side, k in sorted(runs, key=lambda x: runs[x]["started_us"])], ["base", "new", "new", "base", "base", "new"],
       "the order of the runs")
    for k in (1, 2, 3):
        r = runs["new", k]
        eq((r["work"]["unit"], r["load"]["status"], r["exit"]["status"], r["tracer"]["mode"]), ("request", 0, 0, "ptrace"), "run")
        check(150 <= r["work"]["count"] <= 250, str(r["work"]))
    # the load of the new side fails with the server: what came of it is judged, not an error of ours
    quick = ("--load", "%s -c 'import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.settimeout(3); "
             "s.sendto(b\"x\", (\"127.0.0.1\", %d)); s.recvfrom(9); print(\"requests 1\")'" % (sys.executable, port))
    r = compare(t, *args, *quick, "--new-binary", dies, status=1, timeout=100)
    check(r.out.startswith("FAIL s io: new: before the end of the load, killed by signal 6 (SIGABRT) in 3 of 3 runs"), r.out)
    check("better" not in r.out, "who crashes makes fewer calls: " + r.out)
    deaf = built(t, "deaf", SERVER.replace("bind(", "0 && bind("), PORT=port, TIMES=1)

    def never_ready(pace):
        r = compare(t, *(x if x != "20" else pace for x in args), *load, "--new-binary", deaf, status=1, timeout=100)
        check(r.out.startswith("FAIL s io: new: never ready in 3 of 3 runs"), r.out)

    at_some_pace(never_ready, (1, 4, 12))
    for bad in (["x", "--load", "true"], ["x", "y", "--mode", "auto"]):
        check("is for runs in turns" in compare(t, *bad, status=2).err, str(bad))
    r = compare(t, "--scenario", "s", "--base-binary", a, "--new-binary", a, "--work", "nonsense", status=2)
    log = t.path("results/compare/s/base/1/log")
    check("the run with %s failed with status 2 and left no result, see results/compare/s/base/1/log" % a in r.err, r.err)
    with open(log) as f:
        last = f.read().splitlines()[-1]
    check("results/compare/s/base/1/log ends with\n" in r.err and "    %s\n" % last in r.err, r.err)


@test
def the_very_results_that_were_saved(t):
    """A baseline, and nothing run since; then one run of each, of which times cannot be told."""
    def run():
        profile(t, "--scenario", "s", "--type", "io", "--binary", "/bin/true")
    run()
    profile(t, "baseline", "save", "1")
    r = compare(t, "1", status=None)
    check("base and new are the same runs: run the scenario again" in r.out, r.out)
    run()
    r = compare(t, "1", status=3)
    check("the same runs" not in r.out, r.out)
    check("cannot tell: of so few runs; make more of both sides (run --runs 5).  exit 3" in r.out, r.out)


RELAY = """#include <sys/wait.h>
#include <unistd.h>
int main(void)
{
	for (int i = 0; i < 20 + EXTRA; i++)
		write(1, "x", 1);
	if (STARTS && !fork())
		execl("/bin/sh", "sh", "-c", "echo one > /dev/null; echo two > /dev/null", 0);
	if (STARTS)
		wait(0);
	return 0;
}
"""


def changed_rows(r):
    """The rows of CHANGED: (verdict, name)."""
    part = r.out.split("CHANGED", 1)[1].split("\n\n")[0]
    return re.findall(r"^  (FAIL|better|moved) +(.+?)  ", part, re.M)


@test
def one_cause_for_many_rows(t):
    """A new process moves the count of each call that it makes: one row, and what its starter does more."""
    results(t, "one", built(t, "relay", RELAY, EXTRA=0, STARTS=0))
    results(t, "two", built(t, "relay", RELAY, EXTRA=1, STARTS=1))
    r = compare(t, t.path("one"), t.path("two"), status=1)
    rows = changed_rows(r)
    check(re.fullmatch(r"sh, started by relay: its [0-9]+ calls", rows[0][1]) and rows[0][0] == "FAIL", r.out)
    names = [n for _, n in rows[1:]]
    check("openat.calls" not in names and "processes" not in names and "calls" not in names, "explained: %s" % names)
    check("wait4.calls" in names and len(rows) < 9, "what relay does: %s" % names)
    # the shell writes too: what is left of write.calls is relay's own, so that row stays
    check("write.calls" in names, "not explained wholly: %s" % names)
    m = json.loads(compare(t, t.path("one"), t.path("two"), "--json", status=1).out)
    part = m["parts"][0]
    (cause,) = part["causes"]
    explained = [x["name"] for x in part["metrics"] if x["cause"] == cause["text"]]
    check(len(explained) == cause["figures"] > 10 and "processes" in explained, str(explained))
    alone = sum(x["verdict"] == "REGRESSION" and not x["cause"] for x in part["metrics"])
    eq(m["regressions"], alone + 1, "the cause is one regression")
    r = compare(t, t.path("two"), t.path("one"))
    eq(changed_rows(r)[0][0], "better", "the other way")
    check("sh, not started any more" in r.out, r.out)
    check(len(changed_rows(compare(t, t.path("one"), t.path("two"), "--all", status=1))) > len(rows) + 10, "--all")
    r = compare(t, t.path("one"), t.path("one"))
    check("CHANGED" not in r.out, r.out)


@test
def the_order_of_rows(t):
    """Limits, the cause, then what moved most, in calls and not in percent."""
    results(t, "one", built(t, "relay", RELAY, EXTRA=0, STARTS=0))
    results(t, "two", built(t, "relay", RELAY, EXTRA=30, STARTS=1))
    c = catalogue(t, [("write.calls", "<= 20")])
    r = compare(t, t.path("one"), t.path("two"), "--config", c, "--scenario", "s", status=1)
    at = [r.out.index(x) for x in ("LIMITS", "write.calls", "CHANGED", "sh, started by relay", "ALSO MOVED")]
    eq(at, sorted(at), "order of " + r.out)
    rows = compare(t, t.path("one"), t.path("two"), "--json", status=1)
    m = [x for x in json.loads(rows.out)["parts"][0]["metrics"] if x["verdict"] == "REGRESSION" and not x["cause"]
         and x["name"].endswith(".calls")]
    moved = [x["new_median"] - x["base_median"] for x in m]
    check(m[0]["name"] == "write.calls" and moved == sorted(moved, reverse=True), str([x["name"] for x in m]))


@test
def names_of_our_own_files(t):
    """The log of each run and side has a name of its own: one write more is one, wherever it went. Names are never cut."""
    long = "x" * 150
    for out, extra in (("one", 0), (long, 1)):
        results(t, out, program(t, "p", extra=extra))
    r = compare(t, t.path("one"), t.path(long), status=1)
    check("write, on the target's output: 20 -> 21 calls" in r.out, r.out)
    for side, where in (("one", "/tmp/a/"), (long, "/tmp/b/")):  # a file of the program's own is not ours
        for k in (1, 2, 3):
            path = t.path("%s/iotrace/s.runs/%d.json" % (side, k))
            with open(path) as f:
                text = f.read()
            with open(path, "w") as f:
                f.write(re.sub(r'"target": "[^"]*-target.log"', '"target": "%s%s"' % (where, "y" * 300), text))
    r = compare(t, t.path("one"), t.path(long), "--json", status=1)
    check("write, on /tmp/b/%s: 0 -> 21 calls" % ("y" * 300) in json.loads(r.out)["parts"][0]["why"], r.out[-3000:])


@test
def limits_of_the_catalogue(t):
    results(t, "one", program(t, "a"))
    results(t, "two", program(t, "b", extra=1, batch=4))
    for limits, status in (([("write.calls", "<= 20"), ("sendmmsg.per_call", ">= 8")], 1),
                           ([("write.calls", "+1"), ("sendmmsg.per_call", ">= 3.5")], 0),
                           ([("write.calls", "+5%"), ("nothing.calls", "<= 3")], 3),
                           ([("write.calls", "+5%"), ("sendmmsg.fill", "+1%")], 3)):
        c = catalogue(t, limits)
        r = compare(t, t.path("one"), t.path("two"), "--config", c, "--fail-on", "limits", "--scenario", "s", status=status)
        check("LIMITS" in r.out, r.out)
        eq(bool(re.search(r"cannot tell +(nothing\.calls|sendmmsg\.fill) .*(not measured|worse)", r.out)), status == 3, r.out)
    compare(t, t.path("one"), t.path("two"), "--fail-on", "nothing")


@test
def limits_on_what_is_missing(t):
    """A scenario, a type or a figure that has a limit and that a side lacks: 3, and it is named."""
    a = program(t, "a")
    results(t, "one", a)
    results(t, "two", a)
    one, two = t.path("one"), t.path("two")
    c = catalogue(t, [("write.calls", "<= 20")])
    missing = "cannot tell other: write.calls has the limit <= 1, and "
    check(missing + "neither side has results of it" in compare(t, one, two, "--config", c, status=3).out, "of neither side")
    compare(t, one, two, "--config", c, "--scenario", "s")
    compare(t, one, two, "--config", c, "--fail-on", "nothing")
    files = [os.path.join(d, "iotrace/s-iotrace.json") for d in (one, two)]
    check("other" not in compare(t, *files, "--config", c).out, "result files are asked about what is in them")
    results(t, "one", a, scenario="other")
    check(missing + "the new side does not have" in compare(t, one, two, "--config", c, status=3).out, "new")
    check(missing + "the base does not have" in compare(t, two, one, "--config", c, status=3).out, "base")
    shutil.rmtree(two)
    results(t, "two", a, scenario="alone")
    r = compare(t, one, two, "--config", c, status=3)
    check(r.out.startswith(missing) and "s: write.calls has the limit <= 20" in r.out, r.out)
    c = catalogue(t, [("peak_heap", "<= 20KiB"), ("wall_time", "+500%")])
    for args, status in (([], 3), (["--type", "io"], 3), (["--type", "memory"], 3)):
        r = compare(t, one, one, "--config", c, "--scenario", "s", *args, status=status)
        eq("s: peak_heap has the limit <= 20KiB, and neither side" in r.out, args != ["--type", "io"], r.out)


@test
def the_catalogue_is_checked_when_it_is_read(t):
    a = program(t, "a")
    for limits, what in (([("write.calls", "<= 9"), ("wirte.calls", "<= 20")], "line 6 column 7: scenarios.s.limits.wirte.calls: "
                          "no system call is called 'wirte'; did you mean 'write.calls'?"),
                         ([("write.cals", "<= 20")], "did you mean 'write.calls'?"),
                         ([("walltime", "+5%")], "did you mean 'wall_time'?"),
                         ([("write.calls", "=< 20")], "limit '=< 20': understood are"),
                         ([("write.calls", "<= 120ms")], "limit '<= 120ms': write.calls is a count, and has no unit"),
                         ([("write.calls", ">= 5%")], "limit '>= 5%': write.calls is a count"),
                         ([("peak_heap", "<= 12ms")], "limit '<= 12ms': peak_heap is in bytes (B, KiB, MiB, GiB)"),
                         ([("wall_time", "<= 1GiB")], "limit '<= 1GiB': wall_time is a time (ns, us, ms, s)"),
                         ([("sendmmsg.fill", ">= 1ms")], "limit '>= 1ms': sendmmsg.fill is a share (%)"),
                         ([("mmap.calls@start-up", "+2s")], "limit '+2s': mmap.calls@start-up is a count"),
                         ([("write.calls", "fewer")], "limit 'fewer': understood are")):
        c = catalogue(t, limits)
        for command in (["compare", "."], ["accept", "s"], ["list"], ["--scenario", "s", "--binary", a]):
            r = profile(t, *command, "--config", c, status=2)
            check(what in r.err and len(r.err.splitlines()) == 1, "%s: %s" % (command, r.err))
    with open(t.path("types.json"), "w") as f:
        json.dump({"scenarios": {"s": {"types": ["io", "memroy"]}}}, f)
    r = profile(t, "list", "--config", t.path("types.json"), status=2)
    check("scenarios.s.types: no type is called 'memroy'; did you mean 'memory'?" in r.err, r.err)
    with open(t.path("keys.json"), "w") as f:
        json.dump({"scenarios": {"s": {"limts": {}}}}, f)
    check("unknown key; did you mean 'limits'?" in profile(t, "list", "--config", t.path("keys.json"), status=2).err, "keys")


@test
def accept_takes_the_statistic_that_is_judged(t):
    """The median of the runs, in a number that the parser reads: with it the same results are met."""
    results(t, "out", program(t, "a"))
    folder = t.path("out/iotrace/s.runs")
    for k, n in enumerate((12884901890, 12884901000, 99884901890), 1):
        with open("%s/%d.json" % (folder, k)) as f:
            r = json.load(f)
        r["mappings"] = {"peak_mapped": n}
        r["wall_ns"] = n
        for s in r["syscalls"]:
            if s["name"] == "write":
                s["bytes"]["transferred"] = 1000 * k
        with open("%s/%d.json" % (folder, k), "w") as f:
            json.dump(r, f)
    for limits, is_ in (([("peak_mapped", "<= 1GiB")], "peak_mapped: <= 1GiB -> <= 12.01GiB"),
                        ([("peak_mapped", "<= 5")], "peak_mapped: <= 5 -> <= 12884901890"),
                        ([("write.bytes", "<= 5")], "write.bytes: <= 5 -> <= 2000"),
                        ([("write.bytes", ">= 3000")], "write.bytes: >= 3000 -> >= 2000")):
        c = catalogue(t, limits)
        r = profile(t, "accept", "s", "--config", c, "--output-dir", t.path("out"))
        eq(r.out.strip(), is_, "rewritten")
        check("nothing to rewrite" in profile(t, "accept", "s", "--config", c, "--output-dir", t.path("out")).out, "met now")
        compare(t, t.path("out"), t.path("out"), "--config", c, "--fail-on", "limits", "--scenario", "s")


@test
def accept_takes_no_incomplete_results(t):
    results(t, "out", program(t, "a"))
    c = catalogue(t, [("write.calls", "<= 5")])
    path = t.path("out/iotrace/s.runs/2.json")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace('"complete": true', '"complete": false'))
    r = profile(t, "accept", "s", "--config", c, "--output-dir", t.path("out"), status=2)
    check("s io: the runs: 1 of 3 runs are incomplete" in r.err and len(r.err.splitlines()) == 1, r.err)
    with open(path, "w") as f:
        f.write(text)
    check("<= 5 -> <= 20" in profile(t, "accept", "s", "--config", c, "--output-dir", t.path("out")).out, "complete")


@test
def accept_takes_nothing_of_what_was_cut_short(t):
    """Who crashed, or did nothing, made fewer calls than who did not; by --all only what could be judged."""
    results(t, "out", program(t, "a"))
    folder = t.path("out/iotrace/s.runs")
    c = catalogue(t, [("write.calls", "<= 5"), ("write.p50", "<= 1s")])

    def change(what):
        for k in (1, 2, 3):
            with open("%s/%d.json" % (folder, k)) as f:
                r = json.load(f)
            what(r)
            with open("%s/%d.json" % (folder, k), "w") as f:
                json.dump(r, f)

    def accept(status, *args):
        return profile(t, "accept", "s", "--dry-run", "--config", c, "--output-dir", t.path("out"), *args, status=status)
    good = {"exit": {"status": 0, "signal": None, "timed_out": False}, "work": None, "warnings": []}
    for words, changed in (("killed by signal 11 (SIGSEGV)", {"exit": {"status": None, "signal": 11, "timed_out": False}}),
                           ("timed out", {"exit": {"status": None, "signal": 15, "timed_out": True}}),
                           ("no work done", {"work": {"unit": "query", "count": 0}}),
                           ("never began", {"warnings": [{"code": "window_never_began", "text": "x"}]})):
        change(lambda r: r.update(copy.deepcopy(dict(good, **changed))))
        check(words in accept(2).err, words)
        never = "the window that was asked for never began in" in accept(2, "--all").err
        eq(never, words == "never began", words)
    change(lambda r: r.update(copy.deepcopy(dict(good, exit={"status": 3, "signal": None, "timed_out": False}))))
    eq(accept(0).out, "write.calls: <= 5 -> <= 20\n", "a status of the target's own")
    change(lambda r: r["tracer"].update(mode="ptrace"))
    eq(accept(0, "--all").out, "write.calls: <= 5 -> <= 20\n", "times by stops say nothing to tighten a limit to")


@test
def a_limit_that_an_incomplete_run_meets(t):
    """run: what was lost made no calls that count, and the limit is not met by that; nor by what an earlier run has left."""
    c = catalogue(t, [("write.calls", "<= 500"), ("peak_heap", "<= 1")])
    a = program(t, "a")
    results(t, "out", a, runs=1, config=c)  # the heap was not measured, and is not asked about
    os.makedirs(t.path("out/massif"))
    with open(t.path("out/massif/s-memory.json"), "w") as f:
        json.dump({"schema": "profile.memory/1", "complete": True, "scenario": "s", "peak": {"heap_bytes": 4096}}, f)
    results(t, "out", a, runs=1, config=c)
    r = profile(t, "--scenario", "s", "--type", "io", "--binary", a, "--skip", "1000", "--output-dir", t.path("out"), "--config", c,
                status=1)
    check("its limits cannot be judged: the runs: the window that was asked for never began in 1 of 1 run" in r.err, r.err)


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
    eq(r.out, "sendmmsg.per_call: >= 7.5 -> >= 4\nwrite.calls: <= 20 -> <= 23\n", "what would be written")
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
        r = compare(t, t.path("one"), t.path("two"), "--force", status=1)
        check(" at the peak" in r.out, r.out)
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
def interrupts_are_no_change_of_the_program(t):
    """A busy machine's samples on interrupts are the program's where they came upon it; older results know only where samples fell."""
    def result(name, functions):
        os.makedirs(t.path(name + "/flamegraphs"))
        with open(t.path(name + "/flamegraphs/c-cpu.json"), "w") as f:
            json.dump({"schema": "profile.cpu/1", "command": ["p"], "sampling": {"samples": 1000}, "functions_by_self": [
                {"name": n, "self": s} | ({"charged": c} if c is not None else {}) for n, s, c in functions]}, f)
        return t.path(name)

    def sentences(base, new):
        return [x.strip() for x in compare(t, base, new, "--type", "cpu", "--output-dir", t.path("out"), status=None).out.splitlines()
                if "of the samples" in x]
    quiet = result("quiet", [("a", 790, 800), ("b", 190, 200), ("irqentry_exit_to_user_mode", 20, 0)])
    busy = result("busy", [("a", 530, 800), ("b", 130, 200), ("irqentry_exit_to_user_mode", 340, 0)])
    eq(sentences(quiet, busy), [], "busier machine")
    changed = result("changed", [("a", 330, 500), ("b", 330, 500), ("irqentry_exit_to_user_mode", 340, 0)])
    eq(sorted(x.lstrip("* ") for x in sentences(quiet, changed)),
       ["a: 80.0% -> 50.0% of the samples", "b: 20.0% -> 50.0% of the samples"], "changed program on it")
    old = result("old", [("a", 790, None), ("b", 190, None), ("irqentry_exit_to_user_mode", 20, None)])
    check(any("a: 79.0% -> 33.0% of the samples" in x for x in sentences(old, changed)), "self where one side has no more")


@test
def annotations(t):
    """An error is what fails the gate, and nothing else is one."""
    results(t, "one", program(t, "a"))
    results(t, "two", program(t, "b", extra=1))
    one, two, c = t.path("one"), t.path("two"), catalogue(t, [("write.calls", "<= 20"), ("sendmmsg.calls", "<= 9")])

    def lines(*args, status):
        r = compare(t, one, two, "--format", "github", "--config", c, "--scenario", "s", *args, status=status)
        return [x for x in r.out.splitlines() if x.startswith("::")]
    got = lines(status=1)
    check("::error::s io write.calls: 20 -> 21, REGRESSION: limit <= 20" in got, str(got))
    eq(sorted(x.split()[2].rstrip(":") for x in got), ["calls", "write.bytes", "write.calls"], "errors")
    got = lines("--fail-on", "limits", status=1)
    eq([x for x in got if x.startswith("::error::")], ["::error::s io write.calls: 20 -> 21, REGRESSION: limit <= 20"], "errors")
    eq(len([x for x in got if x.startswith("::warning::")]), 2, "warnings: %s" % got)
    eq([x for x in lines("--fail-on", "nothing", status=0) if x.startswith("::error::")], [], "nothing fails")
    c = catalogue(t, [("sendmmsg.calls", "<= 9")])
    eq([x for x in lines("--fail-on", "limits", status=0) if x.startswith("::error::")], [], "no limit is missed")
    r = compare(t, one, one, "--format", "github", "--config", c, "--scenario", "s")
    check("::" not in r.out, r.out)
    r = compare(t, one, one, "--format", "github", "--config", catalogue(t, [("recvmmsg.per_call", "+1")]), status=3)
    check("::error::s io recvmmsg.per_call: not measured -> not measured, cannot tell: " in r.out and "::error::other: write.calls has the limit" in r.out, r.out)
    path = os.path.join(two, "iotrace/s.runs/1.json")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace('"signal": null', '"signal": 9').replace('"complete": true', '"complete": false'))
    got = lines("--fail-on", "limits", status=1)
    check(any(x.startswith("::error::s io new: ") and "SIGKILL" in x for x in got), str(got))
    check(any(x.startswith("::error::s io new: 1 of 3 runs are incomplete") for x in got), str(got))


@test
def limits_against_a_base_wait_for_one(t):
    """run has nothing to hold them against: it is no miss."""
    results(t, "one", "/bin/true", config=catalogue(t, [("calls", "+10%")]))
    results(t, "one", "/bin/true", config=catalogue(t, [("calls", "+10%"), ("write.calls", "<= 0"), ("read.calls", "<= 0")]), status=1)


@test
def what_the_base_does_not_have(t):
    """--allow-new: limits on values are judged, all else is new; without it nothing has changed."""
    a = program(t, "a")
    results(t, "one", a)
    results(t, "two", a)
    results(t, "two", a, scenario="other")
    one, two = t.path("one"), t.path("two")
    for limits, status in (([], 0), ([("write.calls", "<= 20"), ("calls", "+1")], 0), ([("write.calls", "<= 19")], 1),
                           ([("openat2.calls", "<= 1")], 0), ([("recvmmsg.per_call", "<= 1")], 3)):
        c = t.path("c.json")
        with open(c, "w") as f:
            json.dump({"scenarios": {"other": {"limits": dict(limits)}}}, f)
        r = compare(t, one, two, "--config", c, "--allow-new", status=status)
        check("other io: only the new side has it" in r.out, r.out)
        check("does not have what is new" not in r.out, "something was compared: " + r.out)
        compare(t, one, two, "--config", c, status=3 if limits else 0)
        j = json.loads(compare(t, t.path("none"), two, "--config", c, "--allow-new", "--json", status=status).out)
        eq([(p["scenario"], p["base"], p["base_runs"]) for p in j["parts"]], [("other", None, None), ("s", None, None)], "parts")
        eq(j["only_new"], ["other io", "s io"], "new")
    r = compare(t, t.path("none"), two, "--allow-new")
    check(r.out.startswith("nothing was compared: %s does not have what is new" % t.path("none")), r.out)
    path = os.path.join(two, "iotrace/other.runs/1.json")
    with open(path) as f:
        text = f.read()
    with open(path, "w") as f:
        f.write(text.replace('"complete": true', '"complete": false'))
    check("1 of 3 runs are incomplete" in compare(t, one, two, "--allow-new", status=2).out, "what is new and cannot be trusted")
    compare(t, t.path("none"), two, status=2)
    compare(t, one, t.path("none"), "--allow-new", status=2)
    compare(t, "--scenario", "s", "--base-binary", a, "--new-binary", a, "--allow-new", status=2)


@test
def other_forms(t):
    results(t, "one", program(t, "a"))
    results(t, "two", program(t, "b", extra=1))
    compare(t, t.path("one"), t.path("two"), "--markdown", t.path("c.md"), status=1)
    compare(t, t.path("one"), t.path("two"), "--html", t.path("c.html"), status=1)
    with open(t.path("c.html")) as f:
        page = f.read()
    check("Content-Security-Policy" in page and "write.calls" in page and "http" not in page.split("</head>")[1], "page")
    with open(t.path("c.md")) as f:
        check("| write.calls |" in f.read().replace("\\", ""), "Markdown")


def simulated(t, name, text, rng, runs=8, write=20, batch=8, slow=1.0, burns=1.0, loaded=True):
    """Result files of runs under a load of some 1,000 requests: time scatters by 2% with a slow run in fifty, CPU time by 1%
    and with it, waits and errors as they come, the batch by 1%, and what a request costs is exact. loaded: by a load, whose
    work is not the same in each run; else of a program that always does the same."""
    folder = t.path(name + "/iotrace/s.runs")
    os.makedirs(folder, exist_ok=True)
    r = json.loads(text)
    r["tracer"]["overhead"]["estimated_share"] = 0.01  # as of a longer run
    r["exit"], r["load"] = {"status": 0, "signal": None, "timed_out": False}, {"command": "load", "status": 0}
    rows = {}
    for call in ("recvfrom", "write", "sendmmsg", "epoll_wait", "futex", "openat", "mmap"):
        rows[call] = {"name": call, "calls": 0, "errors": 0, "bytes": None, "batch": None, "wall_ns": None}
    r["syscalls"] = list(rows.values())
    for k in range(runs):
        work = int(rng.gauss(1000, 30)) if loaded else 1000
        machine = rng.gauss(1, 0.02) * (1.3 if rng.random() < 0.02 else 1)
        r["wall_ns"] = int(1e9 * slow * machine)
        r["cpu_ns"] = int(5e5 * work * burns * slow * machine ** 0.5 * rng.gauss(1, 0.01))
        r["work"] = {"unit": "request", "count": work} if loaded else None
        rows["write"].update(calls=write * work, bytes={"transferred": write * work * 64})
        rows["recvfrom"].update(calls=work + int(rng.expovariate(0.05)), errors=int(rng.expovariate(0.05)))
        rows["epoll_wait"].update(calls=int(work * rng.gauss(0.7, 0.05)))
        rows["futex"].update(calls=abs(int(rng.gauss(200, 60))), errors=abs(int(rng.gauss(20, 10))) if rng.random() < 0.5 else 0)
        mean = batch * rng.gauss(1, 0.01)
        rows["sendmmsg"].update(calls=int(work / mean), batch={
            "unit": "messages", "transferred": work, "fill": mean / 64, "single": abs(int(rng.gauss(9, 3))) if work % 2 else 3,
            "partial": 0, "empty": 0, "per_call": {"mean": mean, "p50": 8, "max": 64}})
        rows["openat"].update(calls=7)
        rows["mmap"].update(calls=40 + int(rng.random() * 3))
        with open("%s/%d.json" % (folder, k), "w") as f:
            json.dump(r, f)
    with open(t.path(name + "/iotrace/s-iotrace.json"), "w") as f:
        json.dump(r, f)
    return t.path(name)


def simulation(t, **both):
    """-> a function: the metrics of a comparison of two simulated sides, and its status."""
    profile(t, "--scenario", "s", "--type", "io", "--binary", "/bin/true", "--output-dir", t.path("one"))
    with open(t.path("one/iotrace/s-iotrace.json")) as f:
        text = f.read()

    def once(rng, **new):
        r = compare(t, simulated(t, "x", text, rng, **both), simulated(t, "y", text, rng, **both, **new), "--json", status=None)
        check(r.status in (0, 1), r.err)
        return metrics(r), r.status
    return once


def alarms_of(t, rounds, **both):
    """How many comparisons of a program with itself raise an alarm, and by which figures."""
    once, rng = simulation(t, **both), random.Random(4)
    alarms = [[n for n, m in once(rng)[0].items() if m["verdict"] == "REGRESSION"] for _ in range(rounds)]
    return [x for x in alarms if x]


SIMULATED = int(os.environ.get("COMPARE_SIMULATED", "200"))


@test(timeout=200 + SIMULATED)
def false_alarms(t):
    """200 comparisons of a program with itself, with some twenty figures that vary: at most 5%."""
    alarms = alarms_of(t, SIMULATED)
    check(len(alarms) <= 0.05 * SIMULATED, "%d false alarms in %d: %s" % (len(alarms), SIMULATED, alarms))


@test(timeout=200 + SIMULATED)
def false_alarms_where_the_work_is_the_same(t):
    """wall_time and cpu_time, which move with each other, and counts."""
    alarms = alarms_of(t, SIMULATED, loaded=False)
    check(len(alarms) <= 0.05 * SIMULATED, "%d false alarms in %d: %s" % (len(alarms), SIMULATED, alarms))


@test(timeout=120)
def what_is_planted_is_found(t):
    """An added write, half the batch, 10% more time and 10% more CPU time, with 8 runs a side: at least 19 of 20 each."""
    once = simulation(t)
    for new, name in (({"write": 21}, "write.per_work"), ({"batch": 4}, "sendmmsg.per_call"), ({"slow": 1.1}, "wall_time"),
                      ({"slow": 1.1}, "cpu_per_work"), ({"burns": 1.1}, "cpu_per_work")):
        rng = random.Random(5)
        found = sum(once(rng, **new)[0][name]["verdict"] == "REGRESSION" for _ in range(20))
        check(found >= 19, "%s: %d of 20 found" % (name, found))


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


@test
def as_wide_as_the_terminal(t):
    """Tables and sentences fit 60 columns where the terminal has no more, and 120 elsewhere."""
    for side in ("a", "b"):
        subprocess.run([os.path.join(BIN, "iotrace"), "-q", "-o", side, "--", "true"], cwd=t.dir, check=True)
    words = [os.path.join(BIN, "profile-scenario"), "compare", "a.json", "b.json", "--all"]
    wide = subprocess.run(words, cwd=t.dir, capture_output=True, text=True).stdout
    check(max(map(len, wide.splitlines())) > 60, "nothing to fold: " + wide)
    for columns in (60, 40):
        narrow = on_terminal(words, columns, cwd=t.dir)
        eq([x for x in narrow.splitlines() if len(x) > columns and not re.search(r"  exit \d$", x)], [], "too wide")


if __name__ == "__main__":
    main()
