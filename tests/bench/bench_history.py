#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What history takes (`make bench`). Prints Markdown. The store is filled with copies of one real run."""
import os
import resource
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
PROFILE = os.path.join(BUILD, "bin", "profile-scenario")
SCENARIOS, RUNS, ROUNDS = 11, 5, 9


def run(d, *args):
    """(seconds, seconds of CPU)"""
    began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    r = subprocess.run([PROFILE, *args], cwd=d, capture_output=True, text=True)
    if r.returncode:
        sys.exit("status %d: %s\n%s" % (r.returncode, " ".join(args), r.stderr))
    took, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    return took, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def fill(db, per_scenario, figures):
    """per_scenario runs of each scenario, RUNS a version; figures: how many each has."""
    one = db.execute("SELECT machine, started_at, complete FROM iotrace_run").fetchone()
    rows = db.execute("SELECT name, kind, worse, unit, value FROM iotrace_figure ORDER BY name = 'wall_time' DESC, "
                      "name = 'write.calls' DESC LIMIT ?", (figures,)).fetchall()
    for v in range(per_scenario // RUNS):
        db.execute("INSERT INTO iotrace_version VALUES (?, ?)", ("v%05d" % v, 10 ** 18 + v))
    # As hashes are: in no order.
    runs = [(1 + (i * 2654435761 % 2 ** 40), i) for i in range(per_scenario * SCENARIOS)]
    db.executemany("INSERT INTO iotrace_run VALUES (?, 'x', ?, ?, 'io', 'h', ?, ?, 0, ?)",
                   ((run, "v%05d" % (i // SCENARIOS // RUNS), "s%d" % (i % SCENARIOS), *one) for run, i in runs))
    for name, kind, worse, unit, value in rows:
        noise = value if name == "wall_time" else 0
        db.executemany("INSERT INTO iotrace_figure VALUES (?, ?, ?, ?, ?, ?)",
                       ((run, name, kind, worse, unit, value + noise * ((i * 40503) % 1000) / 1e4) for run, i in runs))
    db.commit()


def row(what, times, goal):
    """On a busy machine the CPU's time is what can be compared."""
    seconds, cpu = (statistics.median(t[k] for t in times) for k in (0, 1))
    print("| %s | %.3f s | %.3f s | %s | %s |" % (what, seconds, cpu, "<= %g s" % goal if goal else "-",
                                                "-" if not goal else "yes" if seconds <= goal else "NO"), flush=True)


def trends(d, per_scenario, figures, goals):
    path = os.path.join(d, "s%d.sqlite" % per_scenario)
    run(d, "history", "add", "r", "--label", "v", "--store", path)
    with sqlite3.connect(path) as db:
        fill(db, per_scenario, figures)
    words = "%d runs of %d scenarios" % (per_scenario * SCENARIOS, SCENARIOS)
    for what, args in (("of one scenario", ["--scenario", "s3"]), ("of all", [])):
        for metric in ("write.calls", "wall_time"):
            t = [run(d, "history", "trend", metric, "--store", path, *args) for _ in range(ROUNDS)]
            row("trend %s %s, %s" % (metric, what, words), t, goals[bool(args)])
    os.unlink(path)


def main():
    with tempfile.TemporaryDirectory(prefix="iotrace-bench-") as d:
        run(d, "run", "--scenario", "s", "--type", "io", "-q", "--output-dir", "r", "--binary", "/bin/ls", "--", "/")
        print("\n| what | median | CPU | goal | met |\n|---|---|---|---|---|")
        trends(d, 10000 // SCENARIOS, 1000, (0.3, 0.3))
        trends(d, 10000, 4, (None, None))
        adds = []
        for n in range(40):
            run(d, "run", "--scenario", "s", "--type", "io", "-q", "--output-dir", "r", "--binary", "/bin/ls", "--", "/")
            adds.append(run(d, "history", "add", "r", "--label", "v%d" % n))
        row("add of a run, SQLite", adds, 0.05)


if __name__ == "__main__":
    main()
