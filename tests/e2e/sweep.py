#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario sweep: a scenario over values. What it concludes is tested by the truths sweep_* of tests/truths."""
import json
import os
import re
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from profile_scenario import PYTHON, no_files, one_line, text_of, write
from recorder import AT_ONCE
from schema import Schema
from tap import ROOT, check, eq, main, need_recorder, need_tool, only_from, profile, test

only_from("sweep")


def sweep(t, *args, over="v=2,7,30", name="s", **kw):
    return profile(t, "sweep", "--scenario", name, "--over", over, *args, timeout=100, **kw)


def read(t, out="results", name="s"):
    with open(t.path("%s/sweep/%s-sweep.json" % (out, name))) as f:
        j = json.load(f)
    eq(Schema(os.path.join(ROOT, "docs", "sweep.schema.json")).errors(j), [], "against its schema")
    return j


def order(r):
    return re.findall(r"^run (\d+) of \d+, v = (\S+)$", r.err, re.M)


def texts(svg):
    return ["".join(x.itertext()) for x in ElementTree.fromstring(svg).iter() if x.tag.endswith("}text")]


@test
def real_batches(t):
    """Batches of known size: what a call got is the value, and there are as many calls as that makes."""
    need_recorder(t)
    r = sweep(t, "--runs", 2, "--binary", t.target("mmsg"), "--cost", "sendmmsg", "--", "batches", "40", "{v}",
              over="v=30,2,7", env=AT_ONCE, status=3)
    eq(order(r), [("1", "2"), ("1", "7"), ("1", "30"), ("2", "30"), ("2", "7"), ("2", "2")],
       "in turns, ascending, there and back")
    j = read(t)
    eq((j["scenario"], j["over"], j["cost"], j["cost_unit"], j["call"], j["unit"], j["verdict"], j["runs_needed"]),
       ("s", "v", "sendmmsg", "ns", "sendmmsg", "messages", "few runs", 5), "the sweep")
    for p, v in zip(j["points"], (2, 7, 30)):
        eq((p["value"], p["runs"], p["got"]), (str(v), 2, {"median": v, "min": v, "max": v}), "point")
        eq(p["cost"], p["unit_time"], "the cost is the time in the call per unit")
        check(0 < p["cost"]["min"] <= p["cost"]["median"] <= p["cost"]["max"], str(p))
        with open(t.path("results/sweep/s/%d/2/iotrace/s-iotrace.json" % v)) as f:
            one = json.load(f)
        check(str(v) in one["command"], "the run of the value: %s" % one["command"])
    eq(j["results"], ["results/sweep/s/%d" % v for v in (2, 7, 30)], "where the runs are")
    for text in (r.out, text_of(t, "results/sweep/s-sweep.md")):
        check("time in sendmmsg per message" in text and "Run it again with" in text, text)
    check("![cost by value](s-sweep.svg)" in text_of(t, "results/sweep/s-sweep.md"), "the picture is in the page")
    svg = texts(text_of(t, "results/sweep/s-sweep.svg"))
    for part in ("s over v", "v (logarithmic)", "2", "7", "30", "30 a call", "time in sendmmsg per message"):
        check(part in svg, "%r is not in the picture: %s" % (part, svg))
    check("the cost was not measured" not in svg, str(svg))


@test
def bytes_where_there_are_no_batches(t):
    """dd writes a MiB in blocks of the value: that is what a call got, in KiB."""
    need_recorder(t)
    r = sweep(t, "--runs", 2, "--binary", "dd", "--cost", "write", "--", "if=/dev/zero", "of=/dev/null", "bs={v}k",
              "count=100", over="v=2,32", env=AT_ONCE, status=3)
    j = read(t)
    eq((j["cost"], j["call"], j["unit"], j["verdict"]), ("write", "write", "KiB", "few runs"), "the sweep")
    eq([round(p["got"]["median"]) for p in j["points"]], [2, 31], "KiB a call: %s" % j["points"])
    check("time in write per KiB" in r.out, r.out)


# A load that says what a unit costs.
LOAD = "sleep 0.2; case {v} in 50) echo cost 200;; 100) echo cost 101;; 300) echo cost 100;; esac"
COST = ["--cost", "latency", "--latency", r"ms=cost (\d+)", "--load", LOAD, "--binary", "sleep"]


@test
def the_picture_marks_the_knee(t):
    need_recorder(t)
    sweep(t, *COST, "--", "1000", over="v=50,100,300", name="k")
    j = read(t, name="k")
    eq((j["verdict"], j["knee"], j["best"], j["runs_needed"]), ("knee", "100", "300", None), "verdict")
    eq([p["place"] for p in j["points"]], ["above", "within", "within"], "places")
    eq([p["over_best"] for p in j["points"]], [2, 1.01, 1], "above the best")
    svg = text_of(t, "results/sweep/k-sweep.svg")
    check("knee" in texts(svg), "the knee is marked")
    at = float(re.search(r'class="peak" x1="([\d.]+)"', svg).group(1))
    check(any(abs(float(x) - at) < 0.2 for x in re.findall(r'class="heap" cx="([\d.]+)"', svg)[1:2]), "at its value")


@test
def the_picture_of_costs_that_nobody_measured(t):
    sweep(t, "--runs", 1, "--cost", "latency", "--load", "true {v}", "--binary", "sleep", "--", "1000", status=3)
    svg = texts(text_of(t, "results/sweep/s-sweep.svg"))
    check("the cost was not measured" in svg, str(svg))
    eq([p["cost"] for p in read(t)["points"]], [None] * 3, "costs")


@test
def the_cost_of_work(t):
    """With --work it is the window's time per unit; without it that of the run."""
    load = "sleep 0.1; echo did 1000"
    sweep(t, "--runs", 1, "--work", r"thing=did (\d+)", "--load", load + " {v}", "--binary", "sleep", "--", "1000", status=3)
    j = read(t)
    eq((j["cost"], j["work_unit"]), ("work", "thing"), "cost")
    for p in j["points"]:
        check(abs(p["cost"]["median"] * p["throughput"]["median"] / 1e9 - 1) < 1e-6, str(p))
        check(p["cost"]["median"] >= 1e8 / 1000, "a window of at least 100 ms: %s" % p)
    sweep(t, "--runs", 1, "--binary", "true", "--", "{v}", status=3)
    eq(read(t)["cost"], "wall_time", "without work")


@test
def json_alone_on_stdout(t):
    r = sweep(t, "--runs", 1, "--binary", "/bin/echo", "--json", "--output-dir", "o", "--", "{v}", status=3)
    eq(json.loads(r.out), read(t, "o"), "what is printed is what is written")


@test
def a_value_goes_everywhere(t):
    """Into arguments, environment, load and helpers of the catalogue, into the target's name, and into what makes it."""
    write(t, "profile-scenario.json", {"target": {"binary": "./prog-{v}"}, "scenarios": {"s": {
        "args": ["arg-{v}"], "env": {"COLOR": "env-{v}"}, "load": "echo load-{v} >>seen", "ready": "test -e up-{v}",
        "helpers": ["echo helper-{v} >>seen"], "types": ["io"]}}})
    make = ("rm -f up-{v}; printf '#!/bin/sh\\necho $0 $1 $COLOR up-{v} >>seen; touch up-{v}; exec sleep 1000\\n' >prog-{v}; chmod +x prog-{v}; "
            "echo made-{v} >>seen")
    sweep(t, "--runs", 2, "--prepare", make, over="v=8,16", status=3)
    got, want = text_of(t, "seen").splitlines(), []
    for v in (8, 16, 16, 8):
        # The helper and the target are begun in this order, and run at the same time.
        got[len(want) + 1:len(want) + 3] = sorted(got[len(want) + 1:len(want) + 3], reverse=True)
        want += ["made-%d" % v, "helper-%d" % v, "./prog-%d arg-%d env-%d up-%d" % (v, v, v, v), "load-%d" % v]
    eq(got, want, "what was run, in order")


@test
def what_fails_to_prepare_ends_the_sweep(t):
    r = sweep(t, "--prepare", "echo trying {v}; test {v} != 7 || exit 9", "--binary", "/bin/true", status=2)
    eq(order(r), [("1", "2"), ("1", "7")], "nothing is run after it")
    check("results/sweep/s/7/1/log ends with\n    trying 7\n" in r.err, r.err)
    check("the command to prepare failed with status 9" in r.err and "the run with v = 7 failed" in r.err, r.err)
    check(not os.path.exists(t.path("results/sweep/s-sweep.json")), "nothing is concluded")


@test
def a_run_that_fails_ends_the_sweep(t):
    r = sweep(t, "--load", "echo load {v}; exit 4", "--binary", "sleep", "--", "1000", status=2)
    check("load 2\n" in r.err and "the run with v = 2 left an incomplete result, see results/sweep/s/2/1/log" in r.err, r.err)


@test
def a_target_that_ends_otherwise(t):
    r = sweep(t, "--binary", "/bin/sh", "--", "-c", "echo here {v}; exit 3", status=2)
    check("    here 2\n" in r.err and "the run with v = 2 ended with: exit status 3, see" in r.err, r.err)
    check("incomplete result" not in r.err, r.err)


@test
def of_other_types(t):
    need_tool("valgrind")
    r = sweep(t, "--type", "memory", "--runs", 1, "--binary", PYTHON, "--", "-c", "x = 'a' * ({v} << 20)", over="v=1,16",
              status=3)
    j = read(t)
    eq((j["type"], j["cost"], j["cost_unit"], j["call"]), ("memory", "peak_heap", "bytes", None), "cost")
    small, large = (p["cost"]["median"] for p in j["points"])
    check(14 << 20 < large - small < 16 << 20, "%d and %d: %s" % (small, large, r.out))


@test
def bad_usage(t):
    ok = ["--binary", "/bin/true"]
    for args, parts in (
            (["--over", "v=1,2"] + ok, ("--scenario",)),
            (["--scenario", "s"] + ok, ("--over NAME=V1,V2,..",)),
            (["--scenario", "s", "--over", "v"] + ok, ("--over NAME=V1,V2,..", "v")),
            (["--scenario", "s", "--over", "v=1"] + ok, ("at least two values",)),
            (["--scenario", "s", "--over", "v=1,2,1.0"] + ok, ("1.0 is there twice",)),
            (["--scenario", "s", "--over", "v=1,lz4"] + ok, ("'lz4' is no number",)),
            (["--scenario", "s", "--over", "batch=1,-2"] + ok + ["--", "{w}"],
             ("{batch} stands nowhere: not in target, arguments and environment, nor in load, helpers, build, prepare and ready\n",)),
            (["--scenario", "s", "--over", "v=" + ",".join(map(str, range(1, 40)))] + ok, ("more than 32",)),
            (["--scenario", "s", "--over", "v=1,2", "--type", "all"] + ok, ("of one type",)),
            (["--scenario", "s", "--over", "v=1,2", "--cost", "wall-time"] + ok, ("did you mean 'wall_time'?",)),
            (["--scenario", "s", "--over", "v=1,2", "--cost", "throughput"] + ok, ("more throughput is not worse",)),
            (["--scenario", "s", "--over", "v=1,2", "--cost", "peak_heap"] + ok, ("type io has no peak_heap",)),
            (["--scenario", "s", "--over", "v=1,2", "--cost", "work", "--type", "memory"] + ok, ("measures no time",)),
            (["--scenario", "s", "--over", "v=1,2", "--cost", "read", "--type", "cpu"] + ok, ("knows no calls",)),
            (["--scenario", "s", "--over", "v=1,2", "--rusn", "3"] + ok, ("did you mean '--runs'?",))):
        r = profile(t, "sweep", *args, status=2)
        for part in parts:
            check(part in r.err, "%s: %s" % (args, r))
    check(not os.path.exists(t.path("results/sweep/s-sweep.json")), "nothing is concluded")


if __name__ == "__main__":
    main()
