#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario merge: sums are exact, hosts are kept, odd ones are named and nobody else."""
import collections
import copy
import json
import os
import random
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, eq, main, profile, test


def merged(t, *words, status=0):
    p = profile(t, "merge", *words, "-o", t.path("m.json"), status=status)
    with open(t.path("m.json")) as f:
        return json.load(f), p.err


def save(t, name, result):
    os.makedirs(os.path.dirname(t.path(name)), exist_ok=True)
    with open(t.path(name), "w") as f:
        json.dump(result, f)
    return t.path(name)


def some(t):
    """Results of programs that call differently."""
    return [t.iotrace([], argv).json for argv in ([t.target("mmsg"), "batches"], [t.target("mmsg"), "cap"],
                                                  ["/bin/sh", "-c", "echo a; echo b; cat /nowhere; true"], [t.target("iov"), "loop", "50"])]


def figures(value, path=""):
    """{path: number or text} of a call; rows of histograms and keyed rows by their bound or key."""
    if isinstance(value, dict):
        return {k: v for name, x in value.items() for k, v in figures(x, path + "." + name).items()}
    if isinstance(value, list):
        return {k: v for row in value for k, v in
                figures({n: x for n, x in row.items() if not n.startswith("le")},
                        "%s[%d]" % (path, row.get("le_ns", row.get("le")))).items()}
    return {path: value}


NOT_SUMS = (".wall_ns.min", ".wall_ns.max", ".wall_ns.mean", ".wall_ns.p", ".per_call.", ".fill", ".small_calls.p", ".usual_",
            ".unit", ".name", ".class")


def sums(results):
    """{call: {path: sum}} of all results; null where one is null."""
    all_ = collections.defaultdict(dict)
    for r in results:
        for s in r["syscalls"]:
            for path, v in figures(s).items():
                if any(x in path for x in NOT_SUMS):
                    continue
                have = all_[s["name"]].get(path, 0)
                all_[s["name"]][path] = None if v is None or have is None else have + v
    return all_


def without_none_objects(d):
    """An object that is null in one result and there in another is that of the other."""
    return {k: v for k, v in d.items() if v is not None}


@test
def sums_are_exact(t):
    results = some(t)
    files = [save(t, "in/%d.json" % i, r) for i, r in enumerate(results)]
    m, _ = merged(t, *files)
    want = sums(results)
    eq(m["cpu_ns"], sum(r["cpu_ns"] for r in results), "CPU time")
    eq(sum(h["cpu_ns"] for h in m["hosts"]), m["cpu_ns"], "CPU time of the hosts")
    old = save(t, "old/0.json", {k: v for k, v in results[0].items() if k != "cpu_ns"})
    eq(merged(t, old, *files[1:])[0]["cpu_ns"], None, "CPU time with a result of an earlier version")
    eq({s["name"] for s in m["syscalls"]}, set(want), "calls")
    for s in m["syscalls"]:
        got = {k: v for k, v in figures(s).items() if not any(x in k for x in NOT_SUMS)}
        got, exp = without_none_objects(got), without_none_objects(want[s["name"]])
        for k in set(got) | set(exp):
            same = got.get(k) == exp.get(k) or (isinstance(exp.get(k), float) and abs(got[k] / exp[k] - 1) < 1e-12)
            check(same, "%s%s: got %r, expected %r" % (s["name"], k, got.get(k), exp.get(k)))
        parts = [x for r in results for x in r["syscalls"] if x["name"] == s["name"]]
        eq(s["wall_ns"]["min"], min(x["wall_ns"]["min"] for x in parts if x["wall_ns"]), "min of " + s["name"])
        eq(s["wall_ns"]["max"], max(x["wall_ns"]["max"] for x in parts if x["wall_ns"]), "max of " + s["name"])
        check_percentiles(s)
    eq((m["results"], m["complete"], [h["host"] for h in m["hosts"]]), (4, True, ["0", "1", "2", "3"]), "head")
    for h, r in zip(m["hosts"], results):
        eq({s["name"]: (s["calls"], s["errors"], s["wall_ns"]) for s in h["syscalls"]},
           {s["name"]: (s["calls"], s["errors"], s["wall_ns"]["total"]) for s in r["syscalls"]}, "host " + h["host"])


def check_percentiles(s):
    rows = s["latency_histogram"]
    n = sum(b["count"] for b in rows)
    for p, name in ((0.5, "p50"), (0.9, "p90"), (0.99, "p99"), (0.999, "p999")):
        seen = 0
        for b in rows:
            seen += b["count"]
            if seen >= p * n:
                eq(s["wall_ns"][name], min(b["le_ns"], s["wall_ns"]["max"]), "%s of %s" % (name, s["name"]))
                break


@test
def one_is_itself(t):
    """And the order is nothing."""
    results = some(t)
    for i, r in enumerate(results):
        m, _ = merged(t, save(t, "one/%d.json" % i, r))
        want = {s["name"]: s for s in r["syscalls"]}
        for s in m["syscalls"]:
            w = want[s["name"]]
            eq(s["wall_ns"], w["wall_ns"], "times of " + s["name"])
            if w["batch"] and w["batch"]["per_call"]:
                eq(s["batch"]["per_call"]["mean"], w["batch"]["per_call"]["mean"], "mean of " + s["name"])
                eq(s["batch"]["fill"], w["batch"]["fill"], "fill of " + s["name"])
    files = ["h%d=%s" % (i, t.path("one/%d.json" % i)) for i in range(len(results))]
    first, _ = merged(t, *files)
    second, _ = merged(t, *reversed(files))
    eq(first, second, "in another order")
    check(merged(t, files[0])[1].startswith("1 result of 1 host\n"), "one")
    m, _ = merged(t, *["same=" + f.split("=")[1] for f in files])
    eq([(h["host"], h["results"]) for h in m["hosts"]], [("same", 4)], "four of one host")


def fleet(t, hosts, change=None, seed=1):
    """Results of hosts that scatter by 5%, of one real one; change(i, result)."""
    base = t.iotrace([], [t.target("mmsg"), "batches"]).json
    rng = random.Random(seed)
    for i in range(hosts):
        r = copy.deepcopy(base)
        r["wall_ns"] = 10**10
        for s in r["syscalls"]:
            s["calls"] = int(1000 * rng.gauss(1, 0.05))
            s["wall_ns"]["total"] = int(10**6 * rng.gauss(1, 0.05))
            s["errors"] = 0
            if s["batch"]:
                s["batch"]["transferred"] = int(s["calls"] * 8 * rng.gauss(1, 0.01))
        if change:
            change(i, r)
        save(t, "fleet/host-%03d.json" % i, r)
    return t.path("fleet")


def call(r, name):
    return next(s for s in r["syscalls"] if s["name"] == name)


@test
def odd_hosts_are_named(t):
    def change(i, r):
        if i == 7:
            call(r, "sendmmsg")["batch"]["transferred"] //= 4
        if i == 11:
            call(r, "recvmmsg")["errors"] = 500
        if i == 23:
            call(r, "recvmmsg")["wall_ns"]["total"] *= 3

    names = {s["name"] for s in t.iotrace([], [t.target("mmsg"), "batches"]).json["syscalls"]}
    check({"recvmmsg", "sendmmsg"} <= names, "calls of the target: %s" % names)
    m, said = merged(t, fleet(t, 40, change))
    eq({(o["host"], o["call"], o["figure"]) for o in m["odd"]},
       {("host-007", "sendmmsg", "units_per_call"), ("host-011", "recvmmsg", "errors_per_call"),
        ("host-023", "recvmmsg", "time_per_call")}, "odd")
    check("odd: host-007: sendmmsg units_per_call is " in said, said)
    eq(len(m["hosts"]), 40, "hosts")
    os.rename(t.path("fleet/host-007.json"), t.path("fleet/\x1b[31m.json"))
    check("odd: \\x1b[31m: sendmmsg " in merged(t, t.path("fleet"))[1], "a name that a terminal would obey")


@test
def others_are_not(t):
    """200 fleets would take too long here: 5 of 40 hosts, fixed seeds. And few hosts: nobody."""
    for seed in range(5):
        m, _ = merged(t, fleet(t, 40, seed=seed))
        eq(m["odd"], [], "seed %d" % seed)

    def change(i, r):
        if i == 3:
            call(r, "recvmmsg")["calls"] *= 50

    for f in os.listdir(t.path("fleet")):
        os.remove(os.path.join(t.path("fleet"), f))
    m, said = merged(t, fleet(t, 9, change))
    eq((m["odd"], m["odd_threshold"]), ([], None), "of nine")
    check("Fewer than 10 hosts" in said, said)


@test
def what_is_refused(t):
    good = save(t, "x/good.json", some(t)[0])
    cut = t.path("x/cut.json")
    with open(good) as f, open(cut, "w") as g:
        g.write(f.read()[:1000])
    os.mkdir(t.path("empty"))
    for words, says in (([], "merge needs"), ([good, cut], "cut.json: line"), ([good, "nowhere.json"], "nowhere.json"),
                        (["h=nowhere.json"], "nowhere.json"), ([t.path("empty")], "there is no .json"),
                        ([good, "-o", "/dev/full"], "No space left")):
        p = profile(t, "merge", *words, *(["-o", t.path("none.json")] if "-o" not in words else []), status=2)
        check(says in p.err and p.err.count("\n") == 1, "%s: %s" % (words, p.err))
    check(not os.path.exists(t.path("none.json")), "a part was written")

    bad = some(t)[0]
    bad["complete"], bad["tracer"]["traced_spec"] = False, "write"
    m, said = merged(t, good, save(t, "x/bad.json", bad))
    eq((m["complete"], len(m["notes"])), (False, 3), "notes: %s" % m["notes"])
    check("not complete" in said or "Not all results are complete" in said, said)


@test
def its_tables(t):
    merged(t, save(t, "x/a.json", some(t)[0]))
    out = profile(t, "export", t.path("m.json"), "hosts.syscalls").out.splitlines()
    check(out[0].startswith("host,name,calls,errors,wall_ns,bytes"), out[0])


@test
def a_folder_for_each_host(t):
    """Where a folder has no results of its own; else what lies below it are the runs of one of them."""
    results = some(t)
    for path, r in (("hosts/web-1/a.json", results[0]), ("hosts/web-2/a.json", results[1]), ("hosts/web-2/b.json", results[2]),
                    ("hosts/web-2/deep/c.json", results[3]), ("one/s.json", results[0]), ("one/s.runs/1.json", results[0])):
        save(t, path, r)
    os.makedirs(t.path("hosts/none"))
    d, _ = merged(t, t.path("hosts"))
    eq([(h["host"], h["results"]) for h in d["hosts"]], [("web-1", 1), ("web-2", 2)], "hosts")
    d, _ = merged(t, "db=" + t.path("hosts"))
    eq([(h["host"], h["results"]) for h in d["hosts"]], [("db", 3)], "of one name")
    d, _ = merged(t, t.path("one"))
    eq([(h["host"], h["results"]) for h in d["hosts"]], [("s", 1)], "a result beside its runs")
    profile(t, "merge", t.path("hosts/none"), status=2)


@test
def what_does_not_belong_together_is_said(t):
    results = some(t)
    window = dict(copy.deepcopy(results[1]), window={"begin_ns": 1, "end_ns": 2, "wall_ns": 1})
    twice, part = "A run is in it more than once", "Some results are of a window"
    one, other, with_window = save(t, "1.json", results[0]), save(t, "2.json", results[1]), save(t, "3.json", window)
    for words, said in (((one, other), ()), ((one, "copy=" + one), (twice,)), ((one, with_window), (part,)),
                        ((other, with_window), (twice, part))):
        _, err = merged(t, *words)
        eq([x in err for x in (twice, part)], [x in said for x in (twice, part)], err)


main()
