#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What gathering would save, of programs whose truth is known (targets/gather.c)."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import AT_ONCE
from tap import check, eq, main, only_from, profile, test

only_from("gather")


def rows(r, change, limit, least=2):
    """The rows of a change and a limit ("8" units, "1ms") with at least so many calls."""
    units, ns = (int(limit), None) if limit.isdigit() else (None, 10 ** 6)
    return [g for g in r.json["gathering"] if g["change"] == change and g["limit_units"] == units
            and g["limit_ns"] == ns and g["calls"] >= least]


def total(found, field):
    return sum(g[field] for g in found)


def trace(t, args, mode="auto", which="all", **kw):
    return t.iotrace(["--mode=" + mode, "-e", which], [t.target("gather")] + [str(a) for a in args],
                     env=AT_ONCE, **kw)


# case, arguments, change, calls of the rows, saved safely by 8 units and by 32
TRUTHS = (
    ("ping", [200], "write -> writev", 400, 0, 0),
    ("pipes", [200], "write -> writev", 400, 0, 0),
    ("asks", [200, "signal"], "write -> writev", 200, 0, 0),
    ("asks", [200, "place"], "write -> writev", 200, 0, 0),
    ("asks", [200, "size"], "write -> writev", 200, 0, 0),
    ("asks", [200, "end"], "write -> writev", 200, 0, 0),
    ("tells", [200, "epoll_ctl"], "write -> writev", 200, 160, 180),
    ("tells", [200, "setsockopt"], "write -> writev", 200, 160, 180),
    ("tells", [200, "utimensat"], "write -> writev", 200, 160, 180),
    ("tells", [200, "timer"], "write -> writev", 200, 160, 180),
    ("tells", [200, "place"], "write -> writev", 200, 161, 181),  # of the first it is not known that it comes again
    ("waits", [200], "write -> writev", 200, 0, 0),
    ("relay", [200], "sendto -> sendmmsg", 600, 0, 0),
    ("threads", [100], "write -> writev", 200, 0, 0),
    ("lines", [1000], "write -> writev", 1000, 875, 968),
    ("pages", [160], "pwrite64 -> pwritev", 160, 140, 140),
    ("sends", [1000], "sendto -> sendmmsg", 1000, 875, 968),
    ("served", [1000], "write -> writev", 1000, 875, 968),
    ("served", [1000, "log"], "write -> writev", 1000, 875, 968),
    ("served", [1000, "log"], "pwrite64 -> pwritev", 1000, 0, 0),
    ("served", [1000, "read"], "write -> writev", 1000, 0, 0),
    ("reread", [1000], "write -> writev", 1000, 0, 0),
    ("between", [200, "fsync"], "write -> writev", 200, 160, 180),
    ("between", [200, "dup"], "write -> writev", 200, 160, 180),
    ("between", [200, "fork"], "write -> writev", 200, 160, 180),
    ("between", [200, "lseek"], "write -> writev", 200, 160, 180),
    ("between", [200, "close"], "write -> writev", 200, 160, 180),
    ("between", [200, "other"], "write -> writev", 220, 160, 180),
    ("many", [10, 5], "write -> writev", 50, 0, 0),
)


def truth(case, args, change, calls, of_8, of_32):
    def run(t):
        for mode in ("auto", "ptrace"):
            r = trace(t, [case] + args, mode)
            for limit, safely in (("8", of_8), ("32", of_32)):
                found = rows(r, change, limit)
                what = "%s, %s units: " % (mode, limit)
                eq(total(found, "calls"), calls, what + "calls")
                eq(total(found, "saved_safely"), safely, what + "saved safely")
                eq({g["reason"] for g in found}, {None}, what + "reasons")
                check(total(found, "saved") >= safely, what + "less saved freely than safely")
            for g in r.json["gathering"]:
                if g["limit_ns"]:
                    check(g["delay_ns_total"] <= g["calls"] * g["limit_ns"], "held longer than the limit: %r" % g)
                    check(g["delay_safely_ns_total"] <= g["calls"] * g["limit_ns"], "held safely too long: %r" % g)
    return run


for row in TRUTHS:
    test(truth(*row), name="-".join([row[0]] + [str(a) for a in row[1]] + row[2].split(" -> ")[:row[2] != "write -> writev"]))


# bytes of a part, how, bytes of the file: which call, its calls, how many fewer with 64 KiB (None: not known)
READS = (
    (1, "on", 5000, "read", 5001, 4999),
    (1024, "on", 65536, "read", 65, 63),
    (1024, "on", 65535, "read", 65, 63),
    (4096, "on", 1 << 20, "read", 257, 240),
    (65536, "on", 1 << 20, "read", 17, 0),
    (1000, "on", 100000, "read", 101, 98),
    (1024, "place", 65536, "pread64", 65, 63),
    (1024, "back", 65536, "pread64", 64, 0),
    (1024, "seek", 65536, "read", 65, 0),
    (1024, "copy", 65536, "read", 65, 63),
    (1024, "pipe", 0, "read", 5, None),
)


def reading(part, how, size, call, calls, saved):
    def run(t):
        for mode in ("auto", "ptrace"):
            for times in ([], ["--no-times"]):
                r = t.iotrace(["--mode=" + mode, "-e", "all"] + times, [t.target("gather"), "reads", str(part), how, str(size)],
                              env=AT_ONCE)
                found = [s for f in r.json["fds"] for s in f["syscalls"]
                         if s["name"] == call and s["calls"] == calls]
                eq([s["larger_reads"] for s in found], [saved], "%s %s: fewer" % (mode, times))
                eq({s["larger_reads"] for f in r.json["threads"] for s in f["syscalls"]}, {None}, "of a thread")
    return run


for row in READS:
    test(reading(*row), name="reads-%d-%s-%d" % row[:3])


@test
def what_is_not_traced_is_not_called_safe(t):
    r = trace(t, ["between", 200, "fsync"], which="%io")
    for g in rows(r, "write -> writev", "32"):
        eq((g["saved_safely"], g["delay_safely_ns_total"]), (None, None), "safely, without fsync")
        check(g["reason"].startswith("not traced: futex and "), "the reason: %r" % g["reason"])
        check(g["saved_at_most"] >= 180, "at most: %r" % g)
    for g in rows(trace(t, ["between", 200, "fsync"], which="all,!uname,!fsync"), "write -> writev", "32"):
        eq((g["saved_safely"], g["saved_at_most"], g["reason"]), (None, 193, "not traced: fsync"), "without fsync")
    # what the traced calls forbid already is known all the same
    for g in rows(trace(t, ["ping", 200], which="%io"), "write -> writev", "32"):
        eq((g["saved_safely"], g["reason"]), (0, None), "ping, by its reads alone")


@test
def rows_are_bounded(t):
    r = trace(t, ["many", 2, 5000], which="write")
    rows_of_8 = rows(r, "write -> writev", "8", least=0)
    check(len(rows_of_8) <= 4096, "%d rows" % len(rows_of_8))
    left = [w for w in r.json["warnings"] if w["code"] == "gathering_left_out"]
    check(left, "what was left out is not told")
    eq(total(rows_of_8, "calls") + int(left[0]["text"].split()[0]), 10000, "calls in rows and left out")


def analysis(t, args, which="all"):
    r = trace(t, args, which=which)
    return profile(t, "analyze", "--stdout", r.prefix + ".json").out.replace("\\", "")


@test
def no_target_where_an_answer_is_waited_for(t):
    for case in ("ping", "pipes", "waits"):
        for which in ("all", "%io"):
            text = analysis(t, [case, 2000], which)
            check("(gather-writes)" not in text, "%s, %s: %s" % (case, which, text[:3000]))
            check("none safely" in text, "%s, %s: nothing is said of it: %s" % (case, which, text[:3000]))


@test
def twenty_thousand_sends_are_told(t):
    for which in ("all", "%io"):
        text = analysis(t, ["sends", 20000], which)
        worth = "First target: sendto, gather sends into sendmmsg" in text
        # what a message takes less in a batch is next to nothing on some machines
        check(worth or "sendto, gather-sends: what it is known to save is" in text or
              "a message took no less in a batch" in text, which + ": " + text[:3000])
        if not worth:
            continue
        eq("whether that is safe is not known" in text, which == "%io", which + ": safety")


main()
