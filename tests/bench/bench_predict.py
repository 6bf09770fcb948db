#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Does the cost model of `analyze` foretell a larger batch? (`make bench`)

Runs a program BENCH_RUNS (5) times with batches of up to 8, takes out of IO-ANALYSIS.md what a new run with batches of
twice and three times that mean will take, and makes BENCH_FRESH (4) of each: the share of them that are where it was
said. BENCH_ROUNDS (5) rounds, as Markdown.
"""
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
RUNS = int(os.environ.get("BENCH_RUNS", "5"))
FRESH = int(os.environ.get("BENCH_FRESH", "4"))
UNITS = int(os.environ.get("BENCH_UNITS", "400000"))
PROFILE = os.path.join(BUILD, "bin", "profile-scenario")
SIZES = os.path.join(BUILD, "targets", "sizes")


def profiled(out, case, batch, runs=1):
    """The call's row of a run with batches of batch/2 to batch."""
    subprocess.run([PROFILE, "run", "--scenario", "s", "--type", "io", "--runs", str(runs), "--binary", SIZES,
                    "--output-dir", out, "--", case, str(batch), str(UNITS)], check=True, capture_output=True,
                   timeout=600)
    with open(out + "/iotrace/s-iotrace.json") as f:
        rows = json.load(f)["syscalls"]
    return [r for r in rows if r["batch"] and r["batch"]["transferred"] and r["batch"]["transferred"] >= UNITS][0]


def unit_ns(row):
    return row["wall_ns"]["total"] / row["batch"]["transferred"]


def predictions(out):
    """(units a call, ns a unit now, then, least, most) for each line of the table that has an interval."""
    subprocess.run([PROFILE, "analyze", "--output-dir", out], check=True, capture_output=True, timeout=60)
    with open(out + "/IO-ANALYSIS.md") as f:
        text = f.read().split("What larger batches would save", 1)[1].split("\n- ", 1)[0]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")][2:]
    found = [(r, re.match(r"([0-9.]+) ns \(([0-9.]+) to ([0-9.]+)\)", r[4])) for r in rows]
    return [(float(r[2]), float(r[3].split()[0]), *map(float, m.groups())) for r, m in found if m]


def main():
    print("\n| program | units a call, now -> then | ns a unit now | predicted (95%) | measured | error of the prediction "
          "| new runs where it was said |")
    print("|---|---|---|---|---|---|---|")
    for case, call in (("iov", "writev to /dev/null"), ("udp", "sendmmsg on loopback")):
        lines, inside = {}, {}
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory(prefix="iotrace-bench-") as d:
                mean = profiled(d, case, 8, RUNS)["batch"]["per_call"]["mean"]
                for times, (then, now, predicted, low, high) in zip((2, 3), predictions(d)):
                    for _ in range(FRESH):
                        # Sizes are spread evenly from batch/2 to batch: their mean is 3/4 of it.
                        fresh = unit_ns(profiled(d + "/large", case, round(then * 4 / 3)))
                        lines.setdefault(times, []).append((mean, then, now, predicted, low, high, fresh,
                                                            100 * (predicted / fresh - 1)))
                        inside.setdefault(times, []).append(low <= fresh <= high)
        for times, rows in sorted(lines.items()):
            m = [statistics.median(x) for x in zip(*rows)]
            errors = [r[-1] for r in rows]
            print("| %s | %.1f -> %.1f | %.0f | %.0f (%.0f to %.0f) | %.0f | **%+.1f%%** [%+.1f..%+.1f] | **%d of %d** |" % (
                call, *m[:7], m[7], min(errors), max(errors), sum(inside[times]), len(inside[times])), flush=True)


if __name__ == "__main__":
    sys.exit(main())
