#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What compare, analyze and report take on large results (`make bench`). Prints Markdown."""
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
PROFILE = os.path.join(BUILD, "bin", "profile-scenario")
IOTRACE = os.path.join(BUILD, "bin", "iotrace")
WORK = os.path.join(BUILD, "targets", "work")
EVENTS = int(os.environ.get("BENCH_EVENTS", "10000000"))


def run(argv, cwd, ok=(0,)):
    """(seconds, peak MiB)"""
    began = time.perf_counter()
    p = subprocess.Popen(argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, usage = os.wait4(p.pid, 0)
    p.returncode = os.waitstatus_to_exitcode(status)
    if p.returncode not in ok:
        sys.exit("status %d: %s" % (p.returncode, " ".join(argv)))
    return time.perf_counter() - began, usage.ru_maxrss / 1024


def row(what, seconds, goal_s, mib=None, goal_mib=None):
    met = seconds <= goal_s and (goal_mib is None or mib <= goal_mib)
    print("| %s | %.2f s%s | <= %g s%s | %s |" % (
        what, seconds, "" if mib is None else ", %.0f MiB" % mib, goal_s,
        "" if goal_mib is None else ", %g MB" % goal_mib, "yes" if met else "NO"), flush=True)


def main():
    with tempfile.TemporaryDirectory(prefix="iotrace-bench-") as d:
        print("\n| what | figure | goal | met |\n|---|---|---|---|")
        for i in range(11):
            run([PROFILE, "--scenario", "s%d" % i, "--type", "io", "--runs", "3", "--binary", "/bin/ls", "--", "-l",
                 "/usr/lib"], d)
        for version in ("v1", "v2"):
            run([PROFILE, "baseline", "save", version], d)
        row("compare of two baselines of 11 scenarios, 3 runs each",
            statistics.median(run([PROFILE, "compare", "v1", "v2"], d)[0] for _ in range(5)), 0.2)
        os.makedirs(d + "/large/iotrace")
        run([IOTRACE, "-q", "--trace=%io", "--detail-limit", "8G", "--json", d + "/large/iotrace/s-iotrace.json", "--detail",
             d + "/large/iotrace/s-iotrace-detail.txt", WORK, "writes", str(EVENTS)], d)
        seconds, mib = run([PROFILE, "analyze", "--output-dir", d + "/large"], d)
        row("analyze of %s detail events" % format(EVENTS, ","), seconds, 10, mib, 200)
        seconds, mib = run([PROFILE, "report", "--output-dir", d + "/large"], d)
        page = [f for f in os.listdir(d + "/large") if f.endswith(".html")][0]
        row("report of %s events: %.2f MB" % (format(EVENTS, ","), os.path.getsize(d + "/large/" + page) / 1e6), seconds,
            10, mib)


if __name__ == "__main__":
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.exit(main())
