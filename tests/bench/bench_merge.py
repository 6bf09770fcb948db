#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario merge of 1,000 results, of 20 KB and of 1 MB: seconds, of them on a CPU, and the memory at its most."""
import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e"))
from tap import BUILD

RESULTS = int(os.environ.get("RESULTS", "1000"))


def real_result(folder):
    path = os.path.join(folder, "base.json")
    subprocess.run([os.path.join(BUILD, "bin/iotrace"), "-q", "--json", path, os.path.join(BUILD, "targets/mmsg"), "batches"],
                   check=True)
    with open(path) as f:
        return json.load(f)


def grown(r, size):
    """With histograms and rows of fds until it has that size; the figures are nonsense, the form is right."""
    r = json.loads(json.dumps(r))
    text = json.dumps(r)
    if len(text) >= size:
        return text
    for s in r["syscalls"]:
        s["latency_histogram"] = [{"le_ns": 64 + i, "count": 1} for i in range(60)]
    fds = r["fds"] or [{"pid": 1, "fd": 1, "generation": 0, "target": "x", "syscalls": []}]
    row = json.dumps(fds[0])
    r["fds"] = [dict(json.loads(row), fd=i) for i in range(max(1, (size - len(json.dumps(r))) // (len(row) + 2)))]
    return json.dumps(r)


def cost(argv):
    pid = os.fork()
    if pid == 0:
        null = os.open("/dev/null", os.O_WRONLY)
        os.dup2(null, 1)
        os.dup2(null, 2)
        os.execv(argv[0], argv)
    _, status, usage = os.wait4(pid, 0)
    assert status == 0, status
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss


def main():
    with tempfile.TemporaryDirectory() as folder:
        base = real_result(folder)
        for size in (20000, 1000000):
            text = grown(base, size)
            for count in (RESULTS // 10, RESULTS):
                into = os.path.join(folder, "%d-%d" % (size, count))
                os.mkdir(into)
                with open(os.path.join(into, "h0.json"), "w") as f:
                    f.write(text)
                for i in range(1, count):
                    os.link(os.path.join(into, "h0.json"), os.path.join(into, "h%d.json" % i))
                began = time.monotonic()
                cpu, peak = cost([os.path.join(BUILD, "bin/profile-scenario"), "merge", into, "-o", os.path.join(folder, "out")])
                print("merge %5d results of %7d bytes: %6.2f s, %6.2f on a CPU, %6d KiB at most"
                      % (count, len(text), time.monotonic() - began, cpu, peak), flush=True)


main()
