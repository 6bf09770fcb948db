#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Does the cost model of `analyze` foretell a larger batch? (`make bench`)

Runs a program with batches of up to 8, takes the prediction out of IO-ANALYSIS.md, runs the same
program with that batch and prints both, for BENCH_ROUNDS (5) rounds, as Markdown.
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
UNITS = 400000
PROFILE = os.path.join(BUILD, "bin", "profile-scenario")
SIZES = os.path.join(BUILD, "targets", "sizes")


def profiled(out, case, batch):
    """The call's row of a run with batches of batch/2 to batch."""
    subprocess.run([PROFILE, "--scenario", "s", "--type", "io", "--binary", SIZES, "--output-dir", out, "--",
                    case, str(batch), str(UNITS)], check=True, capture_output=True, timeout=120)
    with open(out + "/iotrace/s-iotrace.json") as f:
        rows = json.load(f)["syscalls"]
    return [r for r in rows if r["batch"] and r["batch"]["transferred"] and r["batch"]["transferred"] >= UNITS][0]


def unit_ns(row):
    return row["wall_ns"]["total"] / row["batch"]["transferred"]


def number(text):
    value, unit = re.match(r"([0-9.]+) (ns|us|ms)", text).groups()
    return float(value) * {"ns": 1, "us": 1e3, "ms": 1e6}[unit]


def predictions(out):
    """(units a call, ns saved a unit) for each line of the table."""
    subprocess.run([PROFILE, "analyze", "--output-dir", out], check=True, capture_output=True, timeout=60)
    with open(out + "/IO-ANALYSIS.md") as f:
        text = f.read().split("What larger batches would save", 1)[1].split("\n- ", 1)[0]
    rows = [[c.strip() for c in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")][2:]
    return [(float(r[2]), number(r[3]), r[-1]) for r in rows]


def main():
    print("\n| program | units a call, now -> then | ns a unit now | predicted | measured | error of the prediction |")
    print("|---|---|---|---|---|---|")
    for case, call in (("iov", "writev to /dev/null"), ("udp", "sendmmsg on loopback")):
        errors, lines = [], []
        for _ in range(ROUNDS):
            with tempfile.TemporaryDirectory(prefix="iotrace-bench-") as d:
                small = profiled(d, case, 8)
                now = unit_ns(small)
                then, saved, _ = predictions(d)[1]
                # Sizes are spread evenly from batch/2 to batch: their mean is 3/4 of it.
                large = profiled(d + "/large", case, round(then * 4 / 3))
                errors.append((now - saved) / unit_ns(large) - 1)
                lines.append((small["batch"]["per_call"]["mean"], large["batch"]["per_call"]["mean"], now, now - saved,
                              unit_ns(large)))
        m = [statistics.median(x) for x in zip(*lines)]
        print("| %s | %.1f -> %.1f | %.0f | %.0f | %.0f | **%+.1f%%** [%+.1f..%+.1f] |" % (
            call, m[0], m[1], m[2], m[3], m[4], 100 * statistics.median(errors), 100 * min(errors), 100 * max(errors)),
            flush=True)


if __name__ == "__main__":
    sys.exit(main())
