#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What tracing costs, as ratios of one interleaved run (`make bench`).

Prints Markdown for docs/BENCHMARKS.md. Each row: A and B are run in turns, ABAB...; the ratio is the
median of the pairs' ratios, the times are medians. BENCH_ROUNDS (9) sets how many pairs, BENCH_SCALE
(1) scales the work; arguments choose rows by a part of their name.
"""
import json
import os
import platform
import re
import resource
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
IOTRACE = os.path.join(BUILD, "bin", "iotrace")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "9"))
SCALE = float(os.environ.get("BENCH_SCALE", "1"))
PINNED = ["taskset", "-c", "0"]
MODE = ["--mode=" + os.environ.get("BENCH_MODE", "ptrace")]
# The calls that both tracers follow: strace gets the same, its output goes to /dev/null.
SET = "sendmmsg,recvmmsg,write,writev,mmap,munmap"
STRACE = ["strace", "-f", "--seccomp-bpf", "-qq", "-o", "/dev/null", "-e", "trace=" + SET]


def target(name, *args):
    return [os.path.join(BUILD, "targets", name), *map(str, args)]


def scaled(n):
    return max(1, int(n * SCALE))


def iotrace(*options):
    return [IOTRACE, "-q", *MODE, *options, "--"]


def start_quiet(argv):
    return subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def check_end(p):
    if p.wait():
        sys.exit("status %d: %s" % (p.returncode, " ".join(p.args)))


def run(argv):
    """Seconds."""
    began = time.perf_counter()
    p = start_quiet(argv)
    p.wait()
    seconds = time.perf_counter() - began
    check_end(p)
    return seconds


def peak_kib(argv):
    """The most memory that the process had, in KiB. Read while it runs: what wait4() says has our own in it, from
    before its exec."""
    p = start_quiet(argv)
    most = 0
    while p.poll() is None:
        try:
            with open("/proc/%d/status" % p.pid) as f:
                found = re.search(r"^VmHWM:\s+(\d+)", f.read(), re.M)
        except OSError:
            found = None
        if found and os.readlink("/proc/%d/exe" % p.pid) == os.path.realpath(argv[0]):
            most = max(most, int(found.group(1)))
        time.sleep(0.01)
    check_end(p)
    return most


def pairs(a, b, rounds=ROUNDS):
    """(median seconds of a, of b, median and spread of the pairs' ratios a/b)"""
    run(a), run(b)
    seen = [(run(a), run(b)) for _ in range(rounds)]
    ratios = sorted(x / y for x, y in seen)
    return (statistics.median(x for x, _ in seen), statistics.median(y for _, y in seen),
            statistics.median(ratios), ratios[0], ratios[-1])


def ratio_row(what, a, b, limit, rounds=ROUNDS):
    ta, tb, ratio, low, high = pairs(a, b, rounds)
    return [what, "%.3f s" % ta, "%.3f s" % tb, "**%.2f** [%.2f..%.2f]" % (ratio, low, high),
            "<= %.2f" % limit, "yes" if ratio <= limit else "NO"]


def against_strace(pin, what):
    if not shutil.which("strace"):
        return [what, "-", "-", "strace is not installed", "", ""]
    loop = target("iov", "loop", scaled(100000))
    return ratio_row(what, pin + iotrace("--trace=" + SET) + loop, pin + STRACE + loop, 0.85)


def few_traced():
    """The filter's own cost, and beside it what a traced call in a thousand adds by its stops."""
    for every in (10000, 1000):
        work = target("iov", "rare", scaled(3000000), every)
        yield ratio_row("3,000,000 untraced calls, %s traced: iotrace / native" % format(3000000 // every, ","),
                        iotrace("--trace=" + SET) + work, work, 1.35)


def detail():
    loop = target("iov", "loop", scaled(100000))
    with tempfile.TemporaryDirectory() as d:
        return ratio_row("write loop: with detail file / without",
                         iotrace("--trace=" + SET, "--detail", os.path.join(d, "d")) + loop,
                         iotrace("--trace=" + SET) + loop, 1.50)


def cpu_seconds(argv):
    """Of target and tracer: what other work on the machine does not change much."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    run(argv)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def interval():
    """A hundred lines a second, so that they are seen: a hundredth of it is what --interval 1 costs."""
    loop = target("work", "writes", scaled(3000000))
    a, b = iotrace("--mode=auto", "--interval", "0.01") + loop, iotrace("--mode=auto") + loop
    seen = [(cpu_seconds(a), cpu_seconds(b)) for _ in range(ROUNDS)]
    ratios = sorted(x / y for x, y in seen)
    ratio = statistics.median(ratios)
    return ["write loop, recorded, CPU time: --interval 0.01 / none", "%.3f s" % statistics.median(x for x, _ in seen),
            "%.3f s" % statistics.median(y for _, y in seen),
            "**%.2f** [%.2f..%.2f]" % (ratio, ratios[0], ratios[-1]), "<= 1.10", "yes" if ratio <= 1.10 else "NO"]


def start():
    """`iotrace true` against `true`, in ms."""
    work = [shutil.which("true")]
    rounds = max(3, int(100 * min(1, SCALE)))
    run(iotrace() + work)
    seen = [(run(iotrace() + work), run(work)) for _ in range(rounds)]
    a, b = (statistics.median(x) for x in zip(*seen))
    over = statistics.median(x - y for x, y in seen) * 1000
    return ["`iotrace true` - `true`, %d pairs" % rounds, "%.2f ms" % (a * 1000), "%.2f ms" % (b * 1000),
            "**+%.2f ms**" % over, "<= 5 ms", "yes" if over <= 5 else "NO"]


def runner():
    """`profile-scenario` against the iotrace that it runs, called by hand; both write the same files."""
    with tempfile.TemporaryDirectory() as d:
        ours = [os.path.join(BUILD, "bin", "profile-scenario"), "--scenario", "x", "--type", "io", "--binary",
                shutil.which("true"), "--output-dir", d]
        shown = subprocess.run(ours + ["--dry-run"], capture_output=True, text=True, check=True).stdout
        by_hand = shlex.split(next(x for x in shown.splitlines() if x.startswith("tool"))[len("tool"):])
        return over_row("profile-scenario - iotrace by hand", ours, by_hand)


def runner_of_perf():
    """The same with perf record and perf script, which is what it runs."""
    if not shutil.which("perf"):
        return ["profile-scenario - perf by hand", "-", "-", "perf is not installed", "", ""]
    with tempfile.TemporaryDirectory() as d:
        ours = [os.path.join(BUILD, "bin", "profile-scenario"), "--scenario", "x", "--type", "cpu", "--binary",
                shutil.which("true"), "--output-dir", d]
        by_hand = ["sh", "-c", "perf record -q -B --no-bpf-event -o %s/d -e cpu-clock -F 99 --call-graph dwarf,16384 -- true &&"
                   " perf script -f -i %s/d --no-inline -F comm,pid,tid,time,event,ip,sym,dso" % (d, d)]
        return over_row("profile-scenario - perf by hand", ours, by_hand)


def over_row(what, ours, by_hand):
    run(ours), run(by_hand)
    seen = [(run(ours), run(by_hand)) for _ in range(max(3, int(50 * min(1, SCALE))))]
    a, b = (statistics.median(x) for x in zip(*seen))
    over = statistics.median(x - y for x, y in seen) * 1000
    return ["%s, %d pairs" % (what, len(seen)), "%.2f ms" % (a * 1000), "%.2f ms" % (b * 1000),
            "**+%.2f ms**" % over, "<= 20 ms", "yes" if over <= 20 else "NO"]


def stamps():
    """400 threads that sleep 1 ms: an end that is stamped when its turn comes reads as 12 ms."""
    with tempfile.TemporaryDirectory() as d:
        out = os.path.join(d, "r.json")
        run(iotrace("--trace=clock_nanosleep,nanosleep", "--json", out) + target("proc", "sleepers", 400, 5))
        with open(out) as f:
            ms = max((x["calls"], x["wall_ns"]["p50"]) for x in json.load(f)["syscalls"])[1] / 1e6
    return ["400 threads sleeping 1 ms: median", "%.2f ms" % ms, "", "", "<= 6 ms", "yes" if ms <= 6 else "NO"]


def memory():
    """Peak RSS of iotrace: it must not grow with events, and only a little with threads."""
    rows = []
    few, many = scaled(1000000), scaled(10000000)
    peak = {}
    for n in (few, many):
        peak[n] = peak_kib(iotrace("--trace=write") + target("iov", "loop", n))
    for n in (few, many):
        rows.append(["memory: %s events" % format(n, ","), "%.1f MiB" % (peak[n] / 1024), "", "",
                     "<= 16 MB", "yes" if peak[n] * 1024 <= 16e6 else "NO"])
    grown = (peak[many] - peak[few]) * 1024
    rows.append(["memory: ten times the events", "", "", "**%+.0f KiB**" % (grown / 1024), "the same",
                 "yes" if abs(grown) <= 256 * 1024 else "NO"])
    kib = peak_kib(iotrace() + target("proc", "sleepers", 400, 20))
    rows.append(["memory: 400 live threads", "%.1f MiB" % (kib / 1024), "", "", "<= 40 MB",
                 "yes" if kib * 1024 <= 40e6 else "NO"])
    return rows


ROWS = [
    ("strace pinned", lambda: [against_strace(PINNED, "write loop, all on one CPU: iotrace / strace --seccomp-bpf")]),
    ("strace free", lambda: [against_strace([], "write loop, CPUs as they come: iotrace / strace --seccomp-bpf")]),
    ("few", few_traced),
    ("detail", lambda: [detail()]),
    ("interval", lambda: [interval()]),
    ("start", lambda: [start()]),
    ("runner", lambda: [runner()]),
    ("perf", lambda: [runner_of_perf()]),
    ("stamps", lambda: [stamps()]),
    ("memory", memory),
]


def machine():
    cpu = "unknown CPU"
    with open("/proc/cpuinfo") as f:
        for line in f:
            if line.startswith("model name"):
                cpu = line.split(":", 1)[1].strip()
                break
    version = subprocess.run([IOTRACE, "--version"], capture_output=True, text=True).stdout.strip()
    strace = subprocess.run(["strace", "--version"], capture_output=True, text=True).stdout.splitlines() \
        if shutil.which("strace") else []
    return "%s, %s; %d CPUs, %s; Linux %s; %d pairs, medians [min..max of the ratios]." % (
        version, (strace or ["no strace"])[0].replace(" -- version", ""), os.cpu_count(), cpu,
        platform.release(), ROUNDS)


def main():
    if not os.access(IOTRACE, os.X_OK):
        sys.exit("%s is not built" % IOTRACE)
    print(machine() + "\n")
    print("| what | A | B | A / B | goal | met |\n|---|---|---|---|---|---|", flush=True)
    for name, rows in ROWS:
        if sys.argv[1:] and not any(a in name for a in sys.argv[1:]):
            continue
        for row in rows():
            print("| " + " | ".join(row) + " |", flush=True)


main()
