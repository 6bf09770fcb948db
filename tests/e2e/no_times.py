#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""iotrace --no-times: what is counted is as with times, and no time of a call is told, in no form and by no reader."""
import collections
import contextlib
import gzip
import json
import os
import shutil
import re
import sqlite3
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import AT_ONCE
from tap import check, eq, main, need_recorder, only_from, profile, section, test

only_from("no_times")

MODES = ("auto", "ptrace")
# Of a result without times: no number there.
OF_CALLS = ("syscalls", "threads", "fds", "gathering", "mappings")
# What rests on times by another name.
ALSO = ("usual_calls", "usual_sq_ns", "sum_sq_ns", "saved_safely", "saved_at_most", "latency_histogram", "reason")
HINT = "calls have no times (--no-times)"
TIME = re.compile(r"\b\d[\d.,]* (?:ns|us|ms)\b")


def traced(t, mode, options, argv, **kw):
    if mode == "auto":
        need_recorder(t)
    return t.iotrace(["--mode=" + mode, "-e", "all", *options], argv, env=AT_ONCE, **kw)


def both(t, mode, argv, options=()):
    """The same program with times and without."""
    return traced(t, mode, options, argv), traced(t, mode, ["--no-times", *options], argv)


def batches(t, n=200, k=3):
    return [t.target("mmsg"), "batches", str(n), str(k)]


def times_in(value, path=""):
    """Where a number (or what is made of times) stands below the value."""
    if isinstance(value, dict):
        for key, x in value.items():
            at = "%s.%s" % (path, key)
            if key.endswith("_ns") and not isinstance(x, (dict, type(None))) or key in ALSO[:-1] and x not in (None, [], {}):
                yield at
            elif key == "wall_ns" and x is not None:
                yield at
            else:
                yield from times_in(x, at)
    elif isinstance(value, list):
        for i, x in enumerate(value):
            yield from times_in(x, "%s[%d]" % (path, i))


def counted(value):
    """The same without what rests on times."""
    if isinstance(value, dict):
        return {k: counted(x) for k, x in value.items() if not k.endswith("_ns") and k not in ALSO}
    return [counted(x) for x in value] if isinstance(value, list) else value


def by_name(rows):
    return {x["name"]: counted(x) for x in rows}


# ---- the result ----

@test
def counts_are_the_same(t):
    """All but times, of every call, thread and descriptor that is the same in each run."""
    for mode in MODES:
        for argv in (batches(t), [t.target("maps"), "kinds"], [t.target("iov"), "plain"]):
            a, b = (r.json for r in both(t, mode, argv))
            # How many of the start are recorded, and so whether the loader's calls are, is not the program's.
            eq(by_name(b["syscalls"]), by_name(a["syscalls"]), "%s %s: syscalls" % (mode, argv[1]))
            eq(counted(b["mappings"]), counted(a["mappings"]), "%s: mappings" % mode)
            for key, owner in (("threads", "comm"), ("fds", "fd")):
                parts = [sorted((x[owner], sorted(map(repr, counted(x["syscalls"])))) for x in j[key]) for j in (a, b)]
                eq(parts[1], parts[0], "%s %s: %s" % (mode, argv[1], key))
            for j in (a, b):
                eq(by_name(j["phases"][0]["syscalls"]).keys(), by_name(j["syscalls"]).keys(), "calls of the phase")
            units = [collections.Counter((g["change"], g["limit_units"], g["calls"], g["saved"])
                                         for g in j["gathering"] if g["limit_units"]) for j in (a, b)]
            eq(units[1], units[0], "%s: gathering by units" % mode)


@test
def no_time_of_a_call_is_told(t):
    for mode in MODES:
        for argv in (batches(t), [t.target("maps"), "kinds"], [t.target("gather"), "lines", "300"]):
            a, b = (r.json for r in both(t, mode, argv))
            eq((a["tracer"]["times"], b["tracer"]["times"]), (True, False), "tracer.times")
            check(len(list(times_in({k: a[k] for k in OF_CALLS}))) > 20 and a["timeline"], "with times there are some")
            eq(list(times_in({k: b[k] for k in OF_CALLS})), [], "%s: times in the JSON" % mode)
            eq(list(times_in([p["syscalls"] for p in b["phases"]])), [], "%s: times of phases' calls" % mode)
            eq(b["timeline"], None, "timeline")
            check(b["syscalls"][0]["batch"] is None or b["syscalls"][0]["batch"]["by_transferred"], "sizes stay")
            # What is no time of a call.
            check(b["wall_ns"] > 0 and b["phases"][0]["wall_ns"] > 0 and b["cpu_ns"] is not None, "how long the run was")
            eq({g["reason"] for g in b["gathering"]} - {HINT}, set(), "why it is not known what is safe")
            eq([g for g in b["gathering"] if g["limit_units"] is None], [], "groups by time")
            calls = [x["calls"] for x in b["syscalls"]]
            eq(calls, sorted(calls, reverse=True), "most calls first")


@test
def a_window(t):
    """How long it and its phases were stays known, and which phase a call was in."""
    for mode in MODES:
        j = traced(t, mode, ["--no-times", "--skip", "0"], batches(t)).json
        eq([p["name"] for p in j["phases"]], ["start-up", "window", "shutdown"], "phases")
        check(j["window"]["wall_ns"] > 0, "the window's length")
        eq(by_name(j["phases"][1]["syscalls"])["sendmmsg"]["calls"], 200, "calls of the window")
        eq(list(times_in([p["syscalls"] for p in j["phases"]])), [], "times")


@test
def of_what_runs_already(t):
    p = t.start(["sh", "-c", "while sleep 0.01; do echo x; done"])
    r = t.iotrace(["--no-times", "--duration", "0.5", "-p", str(p.pid)], [], status=None)
    if r.status == 125 and "permitted" in r.err:
        return
    eq((r.status, r.json["tracer"]["times"]), (0, False), "status, times")
    eq(list(times_in({k: r.json[k] for k in OF_CALLS})), [], "times in the JSON")


# ---- text ----

@test
def the_summary_says_it(t):
    for mode in MODES:
        a, b = both(t, mode, batches(t))
        head, sep, rest = b.summary.partition("\nBATCHING")
        check(sep and head.splitlines()[0].endswith("mode %s, no times" % mode), head)
        check("times    none of calls (--no-times), so not measured: latency" in head, head)
        check("no times" not in a.summary and "--no-times" not in a.summary, "of a run with times")
        check("LATENCY  not measured: " + HINT in rest, rest)
        check("LATENCY us (wall)" in a.summary, "the section of a run with times")
        eq(TIME.findall(rest), [], "times below the head of\n" + rest)
        check("0.00" not in rest, rest)
        table = rest[rest.index("% time"):].splitlines()
        eq(table[2].split(), ["-", "-", "-", "201", "1", "recvmmsg"], "first row: most calls")
        eq(table[-1], "(%s; sorted by calls.)" % HINT, "below the table")
        check("sorted by calls" not in a.summary, "of a run with times")


@test
def what_limits_a_batch(t):
    """What got less was for want of more; whether more was there is not guessed. What sends is told by order and errors."""
    for mode in MODES:
        said = " ".join(traced(t, mode, ["--no-times"], batches(t)).summary.split())
        check("recvmmsg is limited by arrivals, not by its limit of 64: 0 of 200 calls were full" in said, said)
        check("sendmmsg is limited by the batch that the caller makes: 200 of 200 calls were given 3" in said, said)
        said = " ".join(traced(t, mode, ["--no-times"], [t.target("why"), "limit"]).summary.split())
        check("200 of 200 calls took as many as they asked for, or had a time limit, and whether more was there is not "
              "measured: " + HINT in said, said)


@test
def lines_are_those_of_strace(t):
    for mode in MODES:
        a, b = both(t, mode, batches(t), ["--detail-trace", "all"])
        lines = b.detail
        eq([x for x in lines if not re.match(r"\d+ \w+\(.*\) += (\?|-?\w+)( .*)?$", x)], [], "lines of another form")
        eq([x for x in lines if re.search(r"<\d+\.\d{6}>$|^\d+ \d+\.\d+ ", x)], [], "lines with a time")
        eq(len(lines), b.json["tracer"]["detail_lines"], "lines")
        plain = [re.sub(r"^\d+ [\d.]+ | <[\d.]+>$|0x\w+", "", x) for x in a.detail if "mmsg(" in x]
        check(len(plain) == 401 and any(re.search(r"^\d+ [\d.]+ .* <[\d.]+>$", x) for x in a.detail), "of a run with times")
        eq([re.sub(r"^\d+ |0x\w+", "", x) for x in lines if "mmsg(" in x], plain, "the same calls in the same order")


@test
def what_asks_for_times_is_refused(t):
    for options, says in ((["--assert", "write.p99 <= 1s"], "--assert: write.p99 needs the times of calls"),
                          (["--assert", "write.calls <= 1", "--assert", "read.time <= 1s"], "--assert: read.time needs"),
                          (["-fT"], "-T asks for times"), (["-r"], "-r asks for times"), (["-tt"], "-t asks for times"),
                          (["-w"], "-w asks for times")):
        r = t.run([t.binary, *options, "--no-times", "sh", "-c", "touch started"])
        eq(r.status, 2, "status of %s" % options)
        check(says in r.err and "leave one of them out" in r.err and len(r.err.splitlines()) == 1, r.err)
    check(not os.path.exists(t.path("started")), "the target was started")
    # So long that its few stops are no part of it: times of a slowed run are not judged.
    r = t.run([t.binary, "-q", "--no-times", "--assert", "write.calls == 1", "--assert", "wall_time < 60s",
               "--assert", "cpu_time < 60s", "sh", "-c", "echo x; exec sleep 0.5"])
    eq((r.status, r.err), (0, ""), "what is no time of a call")


@test
def verified(t):
    need_recorder(t)
    r = t.run([t.binary, "--verify", "--no-times", "-e", "sendmmsg,recvmmsg", *batches(t)], env=AT_ONCE)
    eq(r.status, 0, r.out + r.err)


# ---- meanwhile ----

@test
def intervals(t):
    for mode in MODES:
        if mode == "auto":
            need_recorder(t)
        r = t.run([t.binary, "-q", "--mode=" + mode, "--no-times", "--interval", "0.05", "--json", "-", "--metrics", "m.prom",
                   *batches(t)], env=AT_ONCE)
        eq(r.status, 0, r.err)
        *lines, result = [json.loads(x) for x in r.out.splitlines()]
        check(lines, "no interval")
        eq(list(times_in([{k: x[k] for k in ("syscalls", "threads", "fds", "total")} for x in lines])), [], "times")
        eq(sum(c["calls"] for x in lines for c in x["syscalls"] if c["name"] == "sendmmsg"), 200, "calls of the intervals")
        for x in lines:
            calls = [c["calls"] for c in x["total"]["syscalls"]]
            eq(calls, sorted(calls, reverse=True), "most calls first")
        eq(result["tracer"]["times"], False, "the result")
        with open(t.path("m.prom")) as f:
            text = f.read()
        check('iotrace_calls_total{call="sendmmsg"} 200' in text and "\niotrace_call_seconds_total" not in text, text)


@test
def stacks(t):
    for mode in MODES:
        r = traced(t, mode, ["--no-times", "--stacks", mode], batches(t))
        shutil.copy(r.prefix + ".json", t.path(mode + ".json"))
        base = t.path(mode)
        eq([k for k in ("time", "bytes", "calls", "messages") if os.path.exists("%s-%s.folded" % (base, k))],
           ["bytes", "calls", "messages"], "files")
        s = r.json["stacks"]
        check(s["every_ns"] is None and s["taken"] > 0, s)
        with open(base + "-calls.folded") as f:
            calls = sum(int(x.rsplit(" ", 1)[1]) for x in f)
        eq(calls, sum(x["calls"] for x in r.json["syscalls"] if x["name"] not in ("execve", "exit_group")) + 2, "calls")
        # A file by time that lies there is another run's.
        with open(base + "-time.folded", "w") as f:
            f.write("of;some_other_run 1\n")
        said = profile(t, "export", base + ".json", "--format", "pprof", "-o", "p.gz").err
        eq(said, "profile-scenario: calls have no times (--no-times): no weight time\n", "what is left out")
        with gzip.open(t.path("p.gz")) as f:
            packed = f.read()
        check(b"nanoseconds" not in packed and b"some_other" not in packed and b"sendmmsg" in packed, "pprof")
        profile(t, "export", base + ".json", "--format", "speedscope", "-o", "p.json")
        with open(t.path("p.json")) as f:
            eq([p["name"] for p in json.load(f)["profiles"]], ["calls", "bytes", "messages"], "speedscope")
        page = profile(t, "report", base + ".json", "-o", t.path("p.html")) and open(t.path("p.html")).read()
        check("some_other" not in page and "-calls.folded" in page, "the page")
        check("of each site (a call instruction). The calls and bytes of a site are exact" in page or mode == "ptrace", page)


# ---- readers ----

@test
def analyze_concludes_nothing_of_times(t):
    for mode in MODES:
        for argv in (batches(t), [t.target("gather"), "lines", "2000"]):
            r = traced(t, mode, ["--no-times"], argv)
            text = profile(t, "analyze", r.prefix + ".json", "--stdout").out
            for title in ["Cost model"] * ("mmsg" in argv[0]) + ["Top calls by time", "Optimization targets"]:
                check(HINT in section(text, title), section(text, title))
            check("What a change would save is not measured: " + HINT in section(text, "Key findings"), text)
            for title in ("Optimization targets", "Batching effectiveness", "What if calls were gathered", "Categories",
                          "Top calls by count", "All calls"):
                found = [x for x in TIME.findall(section(text, title))]
                eq(found, [], "times in %s\n%s" % (title, section(text, title)))
            check("None: the figures give evidence" not in text and "Nothing that would pay" not in text, text)
            check("nan" not in text and "mean times" not in text, text)
    a, b = both(t, MODES[0], [t.target("gather"), "lines", "2000"])
    check(HINT not in profile(t, "analyze", a.prefix + ".json", "--stdout").out, "of a run with times")
    check("Groups by time, what is safe and how long calls would be held are not measured: " + HINT
          in profile(t, "analyze", b.prefix + ".json", "--stdout").out, "gathering")


@test
def all_results_together(t):
    """PROFILING-ANALYSIS.md, METADATA.md of a baseline and the store."""
    need_recorder(t)
    with open(t.path("profile-scenario.json"), "w") as f:
        json.dump({"scenarios": {"s": {"command": batches(t), "types": ["io"], "no_times": True, "runs": 3}}}, f)
    check("--no-times" in profile(t, "--scenario", "s", "--dry-run").out, "the command line")
    profile(t, "--scenario", "s", env=AT_ONCE)
    with open(t.path("results/iotrace/s-iotrace.json")) as f:
        eq(json.load(f)["tracer"]["times"], False, "the scenario's key")
    profile(t, "analyze")
    with open(t.path("results/PROFILING-ANALYSIS.md")) as f:
        text = f.read()
    check("What a change would save is not measured: " + HINT in text and "sendmmsg: 200 calls." in text, text)
    profile(t, "baseline", "save", "v1")
    with open(t.path("results/baselines/v1/METADATA.md")) as f:
        text = f.read()
    check("of the time in calls" not in text and "7 messages" not in text and "sendmmsg: 3.00 messages per call" in text, text)
    profile(t, "history", "add", "--label", "v1")
    profile(t, "--scenario", "s", env=AT_ONCE)
    profile(t, "history", "add", "--label", "v2")
    for args in (["show", "v1"], ["trend"], ["check"]):
        said = profile(t, "history", *args, status=None)
        check(said.status in (0, 1, 3) and "nan" not in said.out + said.err, "%s: %s" % (args, said))
    with contextlib.closing(sqlite3.connect(t.path("results/history.sqlite"))) as db:
        names = {x for x, in db.execute("SELECT name FROM iotrace_figure")}
        check("sendmmsg.per_call" in names and not names & {"sendmmsg.p50", "sendmmsg.time"}, names)
        eq(db.execute("SELECT count(*) FROM iotrace_histogram WHERE what = 'latency_ns'").fetchone(), (0,), "latencies")


def page_of(t, path):
    profile(t, "report", path, "-o", t.path("page.html"))
    with open(t.path("page.html")) as f:
        return re.sub(r"<(style|script)\b.*?</\1>", "", f.read(), flags=re.S)


@test
def report_draws_no_times(t):
    for mode in MODES:
        a, b = both(t, mode, batches(t))
        text = profile(t, "report", "--text", b.prefix + ".json").out
        check("OVER TIME  not measured: " + HINT in text and "LATENCY HISTOGRAMS" not in text, text)
        page = page_of(t, b.prefix + ".json")
        plain = " ".join(re.sub(r"<[^>]+>", " ", page).split())
        check("Not measured: %s." % HINT in plain and "Microseconds, from entry" not in plain, plain)
        check("<h3>Calls, by process and thread</h3>" in page and "Time in calls, by process" not in page, "flame graph")
        check(re.search(r"all calls ([\d,]+) calls, 100%.* recvmmsg 201 calls, ", plain) and "nan" not in re.findall(r'data-v="([^"]*)"', page), plain)
        page = page_of(t, a.prefix + ".json")
        check("Time in calls, by process" in page and "by process and thread" in page and "no times" not in page, "with times")


@test
def exports(t):
    for mode in MODES:
        r = traced(t, mode, ["--no-times"], batches(t))

        def export(form):
            said = profile(t, "export", r.prefix + ".json", "--format", form, "-o", "out")
            with open(t.path("out")) as f:
                return said.err, f.read()
        said, text = export("openmetrics")
        check("calls have no times (--no-times): no seconds of calls" in said, said)
        check('iotrace_batch_calls_total{call="sendmmsg"} 200' in text and "duration" not in text, text)
        check("\niotrace_call_seconds_total" not in text and "iotrace_window_seconds" in text, text)
        said, text = export("perfetto")
        check("calls have no times (--no-times): no single calls, no counters" in said, said)
        eq({e["ph"] for e in json.loads(text)["traceEvents"]}, {"M", "b", "e"}, "events: names and phases")
        _, text = export("ndjson")
        rows = [json.loads(x) for x in text.splitlines()]
        calls = [x for x in rows if x["table"] == "syscalls"]
        check(calls and all(x["wall_ns.total"] is None for x in calls), calls[:1])
        check(not [x for x in rows if x["table"].startswith("timeline") or x["table"].endswith("latency_histogram")], "tables")
        r = profile(t, "export", r.prefix + ".json", "syscalls")
        check(",nan," not in r.out and "sendmmsg,network,200,200" in r.out, r.out)


@test
def a_limit_on_a_time_is_not_met(t):
    """A limit that cannot be judged is named by `run`, without a figure."""
    with open(t.path("c.json"), "w") as f:
        json.dump({"scenarios": {"s": {"no_times": True, "limits": {"write.time": "<= 100s", "wall_time": "<= 0.1ns"}}}}, f)
    r = profile(t, "run", "--scenario", "s", "--type", "io", "--config", t.path("c.json"), "--output-dir", t.path("r"), "--binary",
                "/bin/sh", "--", "-c", "echo; sleep 0.3", status=1)
    check("s: write.time: cannot tell, not measured" in r.err, r.err)
    check(re.search(r"s: wall_time is [\d.]+ [mu]?s: limit missed", r.err), r.err)


@test
def compare_says_why_not(t):
    for mode in MODES:
        a, b = (r.prefix + ".json" for r in both(t, mode, batches(t)))
        for pair in ((a, b), (b, a)):
            r = profile(t, "compare", *pair, "--all", status=None)
            check("calls of one side have no times (--no-times)" in r.out or mode == "ptrace", r.out)
            check("sendmmsg.per_call" in r.out and "nan" not in r.out, r.out)
            for figure in ("p50", "time"):
                eq([x for x in r.out.splitlines() if "mmsg.%s " % figure in x and "not compared" not in x], [],
                   "%s in\n%s" % (figure, r.out))
        r = profile(t, "compare", b, b, "--all", status=None)
        check("calls of one side have no times (--no-times)" not in r.out and ".p50" not in r.out, r.out)
        r = profile(t, "compare", a, a, "--all", status=None)
        check("calls of one side have no times (--no-times)" not in r.out and ".p50" in r.out, r.out)


@test
def merge_adds_no_part_of_times(t):
    for mode in MODES:
        a, b = (r.prefix + ".json" for r in both(t, mode, batches(t)))
        for files, note in (((a, b), "In some results calls have no times"), ((b, a), "In some results calls have no times"),
                            ((b, b), "note: Calls have no times (--no-times).")):
            r = profile(t, "merge", "x=" + files[0], "y=" + files[1], "-o", "m.json")
            check(note in r.err, r.err)
            with open(t.path("m.json")) as f:
                m = json.load(f)
            eq(list(times_in(m["syscalls"])) + list(times_in([h["syscalls"] for h in m["hosts"] if files == (b, b)])), [],
               "times of %s" % (files,))
            row = by_name(m["syscalls"])["sendmmsg"]
            eq((row["calls"], row["batch"]["transferred"]), (400, 1200), "what adds up")
            eq(m["syscalls"][0]["name"], "recvmmsg", "most calls first")
        r = profile(t, "merge", "x=" + a, "y=" + a, "-o", "m.json")
        check("have no times" not in r.err, r.err)
        with open(t.path("m.json")) as f:
            check(list(times_in(json.load(f)["syscalls"])), "times of results that have them")


if __name__ == "__main__":
    main()
