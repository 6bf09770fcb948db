#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What the recorder costs, beside the other ways to see system calls (`make bench`).

Prints Markdown for docs/BENCHMARKS.md. Every row is one interleaved run: all tools in turns, round
after round; a figure is the median of the ratios to native of the same round. BENCH_ROUNDS (5) says
how many rounds; arguments choose rows by a part of their name. BENCH_BEFORE: an older iotrace, which
takes its turns beside this one.
"""
import glob
import json
import os
import re
import shlex
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
IOTRACE = os.path.join(BUILD, "bin", "iotrace")
WORK = os.path.join(BUILD, "targets", "work")
ROUNDS = int(os.environ.get("BENCH_ROUNDS", "5"))
SET = "sendmmsg,recvmmsg,write,writev,read,mmap,munmap"
BEFORE = os.environ.get("BENCH_BEFORE")
DIR = tempfile.mkdtemp(prefix="iotrace-bench-")


def path(name):
    return os.path.join(DIR, name)


def have(*names):
    return all(shutil.which(n) for n in names)


def is_permitted(argv):
    try:
        return subprocess.run(argv, capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def tools():
    """name -> (what comes before the program, how much slower at most: it gets less work)"""
    t = {"iotrace": ([IOTRACE, "-q", "--summary", "/dev/null", "--trace=" + SET, "--"], 1),
         "iotrace, detail": ([IOTRACE, "-q", "--detail", path("d"), "--detail-limit", "4G",
                              "--trace=" + SET, "--detail-trace=" + SET, "--"], 1),
         "iotrace --trap=dispatch": ([IOTRACE, "-q", "--trap=dispatch", "--summary", "/dev/null", "--trace=" + SET, "--"], 1),
         "iotrace --no-times": ([IOTRACE, "-q", "--no-times", "--summary", "/dev/null", "--trace=" + SET, "--"], 1),
         "iotrace --no-patch": ([IOTRACE, "-q", "--no-patch", "--summary", "/dev/null", "--trace=" + SET, "--"], 50),
         "iotrace --mode=ptrace": ([IOTRACE, "-q", "--mode=ptrace", "--summary", "/dev/null",
                                    "--trace=" + SET, "--"], 50)}
    if BEFORE:
        t["iotrace before"] = ([BEFORE] + t["iotrace"][0][1:], 1)
    if have("strace"):
        base = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + SET]
        t["strace --seccomp-bpf"] = (base[:2] + ["--seccomp-bpf"] + base[2:], 100)
        t["strace"] = (base, 100)
    perf = ["perf", "trace", "-s", "-o", "/dev/null"]
    if have("perf") and is_permitted(perf + ["true"]):
        t["perf trace -s"] = (perf + ["--"], 50)
        t["perf record"] = (["perf", "record", "-q", "-o", path("perf.data"), "-e", "raw_syscalls:sys_enter",
                             "-e", "raw_syscalls:sys_exit", "--"], 10)
    if have("bpftrace") and is_permitted(["bpftrace", "-e", "BEGIN { exit(); }"]):
        t["bpftrace"] = (None, 5)
    return t


class Attach:
    """A tool that attaches to the program that it is put before."""

    def __init__(self, *argv):
        self.argv = list(argv)

    def __add__(self, program):
        return Attached(self, program)


class Attached(list):
    def __init__(self, tool, program):
        super().__init__(program)
        self.tool = tool

    def begin(self, pid):
        """Returns when the tool is at work: who ptraces is seen, of others it is not told."""
        self.p = subprocess.Popen(self.tool.argv + [str(pid)], stdin=subprocess.DEVNULL,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        if not self.tool.argv[0].endswith(("iotrace", "strace")):
            return time.sleep(1.5)
        for _ in range(250):
            if field(pid, "TracerPid") != "0":
                break
            time.sleep(0.02)
        time.sleep(0.05)

    def end(self):
        """Seconds that it took to leave."""
        began = time.perf_counter()
        self.p.send_signal(2)
        self.p.wait(60)
        return time.perf_counter() - began


def field(pid, name):
    """A number of /proc/PID/status; "0" of a process that is gone."""
    try:
        with open("/proc/%s/status" % pid) as f:
            return re.search(r"^%s:\t(\d+)" % name, f.read(), re.M).group(1)
    except OSError:
        return "0"


def attaching():
    """As tools()."""
    iotrace = [IOTRACE, "-q", "--summary", "/dev/null", "--trace=" + SET]
    t = {"iotrace -p": (Attach(*iotrace, "-p"), 1),
         "iotrace -p --no-times": (Attach(*iotrace, "--no-times", "-p"), 1),
         "iotrace -p --mode=ptrace": (Attach(*iotrace, "--mode=ptrace", "-p"), 50)}
    if have("strace"):
        t["strace -p"] = (Attach("strace", "-f", "-qq", "-o", "/dev/null", "-e", "trace=" + SET, "-p"), 100)
    if "perf trace -s" in tools():
        t["perf trace -s -p"] = (Attach("perf", "trace", "-s", "-o", "/dev/null", "-p"), 50)
    return t


def bpftrace(argv):
    return ["bpftrace", "-q", "-e", "tracepoint:raw_syscalls:sys_enter { @[args->id] = count(); } "
            "tracepoint:raw_syscalls:sys_exit { @r[args->id] = count(); }", "-c", " ".join(argv)]


def ns_in(argv, status, out, err):
    m = re.search(r"^ns ([0-9.]+)$", out, re.M)
    if not m:
        sys.exit("status %d: %s\n%s" % (status, " ".join(argv), err[-500:]))
    return float(m.group(1))


def ns_of(argv):
    p = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
    return ns_in(argv, p.returncode, p.stdout, p.stderr)


def ns_attached(program):
    """Of the work itself, which begins when the tool is there."""
    p = subprocess.Popen(list(program), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    p.stdout.readline()
    program.begin(p.pid)
    out, _ = p.communicate("\n", timeout=300)
    program.p.wait(60)
    return ns_in(program, p.returncode, out, "")


def print_table(head, rows):
    print("\n| " + " | ".join(head) + " |\n|" + "---|" * len(head), flush=True)
    for row in rows:
        print("| " + " | ".join(str(x) for x in row) + " |", flush=True)


def spread(ratios):
    return "**%.2f** [%.2f..%.2f]" % (statistics.median(ratios), min(ratios), max(ratios))


# ---- programs that measure themselves ----

WORKS = {"write loop": ("writes", 1000000, {"iotrace": 1.5, "iotrace, detail": 2.5}),
         "sendmmsg of 32": ("batches", 20000, {"iotrace": 1.02}),
         "4 threads, mixed": ("mixed", 6000, {"iotrace": 1.12})}


def work_row(name, pin):
    case, n, limits = WORKS[name]
    found = tools()
    ratios, native = {t: [] for t in found}, []
    ns_of(pin + [WORK, case, str(n)])
    for _ in range(ROUNDS):
        base = ns_of(pin + [WORK, case, str(n)])
        native.append(base)
        for t, (before, slower) in found.items():
            argv = [WORK, case, str(max(50, n // slower))]
            argv = bpftrace(argv) if before is None else before + argv
            ratios[t].append(ns_of(pin + argv) / base)
    rows = [["native", "%.0f ns a call" % statistics.median(native), ""]]
    for t in found:
        limit = limits.get(t)
        rows.append([t, spread(ratios[t]), "" if limit is None else
                     "<= %.2f: %s" % (limit, "yes" if statistics.median(ratios[t]) <= limit else "NO")])
    print_table([name + (", one CPU" if pin else ""), "ratio to native", "goal"], rows)


ATTACHED_LIMITS = {"write loop": 1.42, "sendmmsg of 32": 1.02, "4 threads, mixed": 1.1}


def attached_row(name):
    case, n, _ = WORKS[name]
    found = attaching()
    ratios = {t: [] for t in found}
    ns_of([WORK, case, str(n)])
    for _ in range(ROUNDS):
        base = ns_of([WORK, case, str(n)])
        for t, (tool, slower) in found.items():
            ratios[t].append(ns_attached(tool + [WORK, "await", case, str(max(50, n // slower))]) / base)
    limits = {"iotrace -p": ATTACHED_LIMITS[name]}
    if case == "writes":
        limits["iotrace -p --no-times"] = 1.28
    rows = [[t, spread(ratios[t]), "<= %.2f: %s" % (limits[t], "yes" if statistics.median(ratios[t]) <= limits[t] else "NO")
             if t in limits else ""] for t in found]
    print_table([name + ", attached", "ratio to native", "goal"], rows)


def threads_row():
    """1,000 threads that make 10 calls a second each, not at one time: the longest that one of them overslept, and how
    long leaving took."""
    def worst(tool, leaves):
        argv = (tool or []) + [WORK, "naps", "1000", "100000"]
        p = subprocess.Popen(list(argv), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        p.stdout.readline()
        time.sleep(1)
        if tool:
            argv.begin(p.pid)
        time.sleep(1)
        left = argv.end() if leaves else 0
        out, _ = p.communicate("", timeout=60)
        if tool and not leaves:
            argv.p.wait(60)
        return ns_in(argv, p.returncode, out, "") / 1e6, left
    rows = []
    for t, (tool, _) in {"native": (None, 1), **attaching()}.items():
        if "perf" in t:
            continue
        only = [worst(tool, False)[0] for _ in range(ROUNDS)]
        row = [t, "**%.0f ms** [%.0f..%.0f]" % (statistics.median(only), min(only), max(only)), "", ""]
        if tool:
            both = [worst(tool, True) for _ in range(ROUNDS)]
            row[2] = "%.0f ms, which took %.0f ms" % tuple(statistics.median(x) for x in zip(*((w, 1e3 * s) for w, s in both)))
        if t == "iotrace -p":
            row[3] = "<= 20 ms: " + ("yes" if statistics.median(only) <= 20 else "NO")
        rows.append(row)
    print_table(["1,000 threads of 10 calls a second: the longest that one waited", "when attached to", "and left", "goal"], rows)


# ---- fds and children: the set decides what is seen ----

LIVES = {"open, read, close": (["files"], 20000, "all", 1.5), "connect scan": (["scan"], 20000, "all", 1.3),
         "child of 0 writes": (["forks", "0"], 300, "%io", None), "child of 50 writes": (["forks", "50"], 300, "%io", None),
         "child of 500 writes": (["forks", "500"], 300, "%io", None)}


def lives_row(name):
    (case, *more), n, traced, limit = LIVES[name]
    found = {"iotrace": ([IOTRACE, "-q", "--summary", "/dev/null", "--trace=" + traced, "--"], 1),
             "iotrace --trap=dispatch": ([IOTRACE, "-q", "--trap=dispatch", "--summary", "/dev/null",
                                          "--trace=" + traced, "--"], 1),
             "iotrace --mode=ptrace": ([IOTRACE, "-q", "--mode=ptrace", "--summary", "/dev/null", "--trace=" + traced,
                                        "--"], 10)}
    if BEFORE:
        found["iotrace before"] = ([BEFORE] + found["iotrace"][0][1:], 1)
    if have("strace"):
        found["strace --seccomp-bpf"] = (["strace", "-f", "-qq", "--seccomp-bpf", "-o", "/dev/null"] + (
            [] if traced == "all" else ["-e", "trace=write,read,mmap,munmap"]), 20)
    ratios, native = {t: [] for t in found}, []
    for _ in range(ROUNDS):
        base = ns_of([WORK, case, str(n)] + more)
        native.append(base)
        for t, (before, slower) in found.items():
            ratios[t].append(ns_of(before + [WORK, case, str(max(20, n // slower))] + more) / base)
    rows = [["native", "%.1f us" % (statistics.median(native) / 1000), ""]]
    for t, r in ratios.items():
        rows.append([t, spread(r), "<= %.2f: %s" % (limit, "yes" if statistics.median(r) <= limit else "NO")
                     if t == "iotrace" and limit else ""])
    if BEFORE:
        pairs = [a / b for a, b in zip(ratios["iotrace"], ratios["iotrace before"])]
        goal = "" if limit else "<= 1.25: " + ("yes" if statistics.median(pairs) <= 1.25 else "NO")
        rows.append(["iotrace / before", spread(pairs), goal])
    print_table([name, "ratio to native", "goal"], rows)


# ---- short lives ----

# What a test suite in shell does: functions, command substitutions, pipelines, files, small programs, a child that fails.
SUITE = r"""
d=$(mktemp -d) || exit 1
trap 'rm -rf "$d"' EXIT
equal() { [ "$1" = "$2" ] || { echo "got $1, expected $2"; exit 1; }; }
i=0
while [ $i -lt 25 ]; do
	printf 'b\na\nc\n' >"$d/in"
	equal "$(sort "$d/in" | tr -d '\n')" abc
	equal "$(grep -c . "$d/in")" 3
	equal "$(sed -n 2p "$d/in")" a
	equal "$(head -n 1 "$d/in" | wc -c | tr -d ' ')" 2
	cp "$d/in" "$d/out" && cmp "$d/in" "$d/out" || exit 1
	(exit 3); equal $? 3
	mkdir "$d/x" && rmdir "$d/x" || exit 1
	equal "$(expr $i + 1)" $((i + 1))
	i=$((i + 1))
done
"""

SHORT = {"200 times /bin/true, shell": (["dash", "-c", "i=0; while [ $i -lt 200 ]; do /bin/true; i=$((i+1)); done"], 1.5),
         "200 times /bin/true, fork and exec": ([WORK, "runs", "200"], 1.5),
         "1,000 pthread_create and join": ([WORK, "joins", "1000"], 1.5),
         "shell suite": (["dash", "-c", SUITE], 1.25)}


def seconds(argv):
    began = time.perf_counter()
    # Without a timeout: with one Python looks every 50 ms whether it is over.
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def short_row(name, pin):
    """Beside native, and iotrace to strace --seccomp-bpf with the same set."""
    argv, limit = SHORT[name]
    if not have(argv[0]):
        return print("\n%s: skipped, no %s" % (name, argv[0]))
    found = {t: b for t, (b, _) in tools().items() if b and t in (
        "iotrace", "iotrace before", "iotrace --mode=ptrace", "strace", "strace --seccomp-bpf", "perf trace -s")}
    if have("bpftrace") and "bpftrace" in tools():
        found["bpftrace"] = None
    spent, native = {t: [] for t in found}, []
    script = path("short")
    with open(script, "w") as f: # bpftrace -c knows no quotes
        f.write("exec " + " ".join(map(shlex.quote, argv)) + "\n")
    seconds(pin + argv)
    for _ in range(ROUNDS):
        native.append(seconds(pin + argv))
        for t, before in found.items():
            spent[t].append(seconds(pin + (bpftrace(["/bin/sh", script]) if before is None else before + argv)))
    rows = [["native", "%.0f ms" % (1000 * statistics.median(native)), ""]]
    for t, times in spent.items():
        ratios = [x / n for x, n in zip(times, native)]
        rows.append([t, spread(ratios), "<= %.2f: %s" % (limit, "yes" if statistics.median(ratios) <= limit else "NO")
                     if t == "iotrace" else ""])
    if "strace --seccomp-bpf" in spent:
        pairs = [a / b for a, b in zip(spent["iotrace"], spent["strace --seccomp-bpf"])]
        rows.append(["iotrace / strace --seccomp-bpf", spread(pairs), "<= 0.80: %s" % (
            "yes" if statistics.median(pairs) <= 0.8 else "NO") if "true" in name else ""])
    print_table([name + (", one CPU" if pin else ""), "ratio to native", "goal"], rows)


# ---- a build ----

def make_row(pin=()):
    if not have("make", "gcc"):
        return print("\nmake -j4: skipped, no make or gcc")
    d = path("build" + "".join(pin).replace("/", ""))
    os.mkdir(d)
    for i in range(24):
        with open("%s/f%d.c" % (d, i), "w") as f:
            f.write("#include <stdio.h>\n#include <stdlib.h>\nint f%d(int x){return printf(\"%%d\",x)+%d;}\n" % (i, i))
    with open(d + "/main.c", "w") as f:
        f.write("int main(void){return 0;}\n")
    with open(d + "/Makefile", "w") as f:
        f.write("O := $(patsubst %.c,%.o,$(sort $(wildcard *.c)))\nprog: $(O) ; gcc -o $@ $(O)\n"
                "%.o: %.c ; gcc -pipe -O1 -c -o $@ $<\n")
    found = {t: b for t, (b, _) in tools().items() if b and t in (
        "iotrace", "iotrace before", "iotrace --mode=ptrace", "strace", "strace --seccomp-bpf", "perf trace -s")}
    ratios, native = {t: [] for t in found}, []

    def once(before):
        subprocess.run("rm -f *.o prog", shell=True, cwd=d)
        began = time.perf_counter()
        subprocess.run(list(pin) + before + ["make", "-s", "-j4"], cwd=d, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)
        return time.perf_counter() - began
    once([])
    for _ in range(ROUNDS):
        base = once([])
        native.append(base)
        for t, before in found.items():
            ratios[t].append(once(before) / base)
    rows = [["native", "%.2f s" % statistics.median(native), ""]]
    rows += [[t, spread(r), "<= 1.20: %s" % ("yes" if statistics.median(r) <= 1.2 else "NO") if t == "iotrace" else ""]
             for t, r in ratios.items()]
    print_table(["make -j4 of 25 files" + (", one CPU" if pin else ""), "ratio to native", "goal"], rows)


# ---- servers ----

def free_port(kind=socket.SOCK_STREAM):
    with socket.socket(socket.AF_INET, kind) as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A server under a tool (or none), ended by TERM to itself."""

    def __init__(self, argv, port, kind=socket.SOCK_STREAM):
        self.port, self.kind = port, kind
        self.attached = argv if isinstance(argv, Attached) else None
        self.p = subprocess.Popen(list(argv), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        self.pid = self.wait()
        if self.attached:
            self.attached.begin(self.pid)

    def wait(self):
        flag = "-lnup" if self.kind == socket.SOCK_DGRAM else "-lntp"
        for _ in range(300):
            out = subprocess.run(["ss", flag, "sport = :%d" % self.port], capture_output=True, text=True).stdout
            for pid in re.findall(r"pid=(\d+)", out):
                if "pid=%s," % field(pid, "PPid") not in out:  # children have the socket, too
                    return int(pid)
            time.sleep(0.05)
        self.p.kill()
        sys.exit("no server on port %d" % self.port)

    def end(self):
        if self.attached:
            self.attached.end()
        os.kill(self.pid, 15)
        try:
            self.p.wait(30)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()


def out_of(argv, timeout=120):
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout).stdout


def paced_ms(port, rate, request):
    """Average latency of requests that come at a steady rate."""
    out = out_of([os.path.join(BUILD, "targets", "paced"), "tcp", str(port), str(rate), "3", request])
    return float(re.search(r"us ([0-9.]+)", out).group(1)) / 1000


def redis(before):
    port = free_port()
    s = Server(before + ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"], port)
    try:
        many = out_of(["redis-benchmark", "-p", str(port), "-t", "get", "-n", "100000", "-c", "50", "--csv"])
        latency = paced_ms(port, 10000, "GET key:1\\r\\n")
    finally:
        s.end()
    return float(many.strip().splitlines()[-1].replace('"', "").split(",")[1]), latency


def nginx(before):
    port = free_port()
    conf = path("nginx.conf")
    with open(conf, "w") as f:
        f.write("worker_processes 1; daemon off; master_process off; pid %s; error_log /dev/null;\n"
                "events { worker_connections 512; }\nhttp { access_log off; keepalive_requests 10000000;\n"
                "server { listen 127.0.0.1:%d; location / { return 200 \"hello\"; } } }\n" % (path("nginx.pid"), port))
    s = Server(before + ["nginx", "-p", DIR, "-c", conf], port)
    try:
        many = out_of(["wrk", "-t", "1", "-c", "16", "-d", "3s", "http://127.0.0.1:%d/" % port])
        latency = paced_ms(port, 5000, "GET / HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
    finally:
        s.end()
    return float(re.search(r"Requests/sec: +([0-9.]+)", many).group(1)), latency


def knot_config(port):
    os.makedirs(path("zones"), exist_ok=True)
    with open(path("zones/bench.test.zone"), "w") as f:
        f.write("$ORIGIN bench.test.\n@ 60 IN SOA ns. a. 1 60 60 60 60\n@ 60 IN NS ns.\n* 60 IN A 192.0.2.1\n")
    with open(path("knot.conf"), "w") as f:
        f.write('server:\n    rundir: "%s"\n    listen: 127.0.0.1@%d\n    udp-workers: 1\n    tcp-workers: 1\n'
                "    background-workers: 1\ndatabase:\n    storage: \"%s\"\ncontrol:\n    listen: \"%s\"\nzone:\n"
                "  - domain: bench.test\n    storage: \"%s\"\n    file: bench.test.zone\n"
                % (DIR, port, path("knotdb"), path("knot.sock"), path("zones")))
    with open(path("queries"), "w") as f:
        f.write("".join("h%d.bench.test A\n" % i for i in range(20000)))
    return path("knot.conf")


def dnsperf(port, seconds, rate=None):
    argv = ["dnsperf", "-s", "127.0.0.1", "-p", str(port), "-d", path("queries"), "-l", str(seconds), "-q", "50",
            "-c", "4", "-T", "1"] + (["-Q", str(rate)] if rate else [])
    out = out_of(argv)
    return (float(re.search(r"Queries per second: +([0-9.]+)", out).group(1)),
            float(re.search(r"Average Latency \(s\): +([0-9.]+)", out).group(1)))


def knotd(before):
    port = free_port(socket.SOCK_DGRAM)
    s = Server(before + ["knotd", "-c", knot_config(port)], port, socket.SOCK_DGRAM)
    try:
        most = dnsperf(port, 3)[0]
        latency = dnsperf(port, 3, 15000)[1]
    finally:
        s.end()
    return most, latency * 1000


def postgres_bin():
    return max(glob.glob("/usr/lib/postgresql/*/bin"), key=lambda p: int(p.split("/")[4]), default="/nowhere")


def postgres(before):
    """A process for each connection, which begins when the tool is attached. It refuses to run as root."""
    port, data = free_port(), path("pgdata")
    who = ["setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups"] if os.getuid() == 0 else []
    client = ["pgbench", "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-n", "-S", "-M", "prepared", "-j", "1"]
    fresh = not os.path.exists(data)
    if fresh:
        os.mkdir(data, 0o700)
        os.chmod(DIR, 0o755)
        if who:
            shutil.chown(data, "postgres", "postgres")
        subprocess.run(who + [postgres_bin() + "/initdb", "-D", data, "-U", "bench", "-A", "trust", "--no-sync"],
                       check=True, stdout=subprocess.DEVNULL)
    server = who + [postgres_bin() + "/postgres", "-D", data, "-p", str(port), "-k", "", "-c", "listen_addresses=127.0.0.1",
                    "-c", "fsync=off"]
    s = Server(before + server, port)
    try:
        if fresh:
            subprocess.run(["pgbench", "-h", "127.0.0.1", "-p", str(port), "-U", "bench", "-i", "-q", "postgres"],
                           check=True, capture_output=True)
        many = out_of(client + ["-c", "4", "-T", "3", "postgres"])
        paced = out_of(client + ["-c", "4", "-T", "3", "-R", "1000", "postgres"])
    finally:
        s.end()
    return (float(re.search(r"tps = ([0-9.]+)", many).group(1)),
            float(re.search(r"latency average = ([0-9.]+)", paced).group(1)))


SERVERS = {"redis-server": (redis, ("redis-server", "redis-benchmark")), "nginx": (nginx, ("nginx", "wrk")),
           "knotd": (knotd, ("knotd", "dnsperf")),
           "PostgreSQL": (postgres, ("pgbench", "setpriv"))}


def server_row(name):
    fn, needs = SERVERS[name]
    if not have("ss", *needs):
        return print("\n%s: skipped, not all of %s is installed" % (name, ", ".join(needs)))
    found = {t: b for t, (b, _) in tools().items() if b and t in (
        "iotrace", "iotrace --mode=ptrace", "strace --seccomp-bpf", "strace")}
    found["iotrace --trace=all"] = [IOTRACE, "-q", "--summary", "/dev/null", "--trace=all", "--"]
    found.update({t: tool for t, (tool, _) in attaching().items()})
    speed, late, native = {t: [] for t in found}, {t: [] for t in found}, []
    fn([])
    for _ in range(ROUNDS):
        base = fn([])
        native.append(base)
        for t, before in found.items():
            got = fn(before)
            speed[t].append(got[0] / base[0])
            late[t].append(got[1] / base[1])
    rows = [["native", "%.0f/s" % statistics.median(x[0] for x in native),
             "%.3f ms" % statistics.median(x[1] for x in native), ""]]
    for t in found:
        least, most = (0.97, 1.1) if t == "iotrace -p" else (0.95, 1.15)
        ok = statistics.median(speed[t]) >= least and statistics.median(late[t]) <= most
        rows.append([t, spread(speed[t]), spread(late[t]), ">= %.2f, <= %.2f: %s" % (least, most, "yes" if ok else "NO")
                     if t in ("iotrace", "iotrace -p") else ""])
    print_table([name, "throughput at most", "average latency at a pace", "goal"], rows)


# ---- what a recvmmsg of knotd really carries ----

def by_tracepoints(pid, port, rate):
    """Messages a call, by the kernel's tracepoints on a running server."""
    script = ("tracepoint:syscalls:sys_exit_recvmmsg /pid == %d && args->ret > 0/ "
              "{ @c = count(); @m = sum(args->ret); } interval:s:5 { exit(); }" % pid)
    b = subprocess.Popen(["bpftrace", "-q", "-e", script], stdout=subprocess.PIPE, text=True)
    time.sleep(1.5)
    dnsperf(port, 3, rate)
    out = b.communicate(timeout=30)[0]
    calls, messages = (int(re.search(r"@%s: (\d+)" % k, out).group(1)) for k in "cm")
    return messages / calls


def by_tool(text):
    row = [s for s in json.loads(text)["syscalls"] if s["name"] == "recvmmsg"][0]
    got = {int(k): v for k, v in row["batch"]["transferred_histogram"].items() if int(k) > 0}
    return sum(k * v for k, v in got.items()) / sum(got.values())


def by_strace(log):
    got = [int(x) for x in re.findall(r"recvmmsg\(.*\) = ([1-9][0-9]*)", log)]
    return sum(got) / len(got)


def paced_row():
    if not have("ss", "knotd", "dnsperf", "bpftrace", "strace"):
        return print("\nknotd's batches: skipped, not all tools are installed")
    rows = []
    for rate in (5000, 15000, 25000):
        row = ["%s" % format(rate, ",")]
        for before, read in (([], None),
                             ([IOTRACE, "-q", "--json", path("k.json"), "--trace=recvmmsg", "--"], by_tool),
                             ([IOTRACE, "-q", "--mode=ptrace", "--json", path("k.json"), "--trace=recvmmsg", "--"],
                              by_tool),
                             (Attach(IOTRACE, "-q", "--json", path("k.json"), "--trace=recvmmsg", "-p"), by_tool),
                             (["strace", "-f", "-qq", "--seccomp-bpf", "-o", path("k.log"), "-e", "trace=recvmmsg"],
                              by_strace),
                             (["strace", "-f", "-qq", "-o", path("k.log"), "-e", "trace=recvmmsg"], by_strace)):
            port = free_port(socket.SOCK_DGRAM)
            s = Server(before + ["knotd", "-c", knot_config(port)], port, socket.SOCK_DGRAM)
            try:
                kernel = by_tracepoints(s.pid, port, rate) if not before or read is by_tool else None
                if kernel is None:
                    dnsperf(port, 3, rate)
            finally:
                s.end()
            if not before:
                row.append("%.2f" % kernel)
                continue
            with open(path("k.json" if read is by_tool else "k.log")) as f:
                said = read(f.read())
            row.append("%.2f" % said + (" (%.2f)" % kernel if kernel is not None else ""))
        rows.append(row)
    print_table(["knotd at q/s: messages a recvmmsg", "tracepoints, untraced", "iotrace (tracepoints meanwhile)",
                 "iotrace --mode=ptrace (tracepoints)", "iotrace -p (tracepoints)", "strace --seccomp-bpf", "strace"], rows)


# ---- a server that runs already ----

class Bpftrace(Attach):
    """Its own count of the batches is what it prints at its end."""

    def __init__(self):
        super().__init__("sh", "-c", "exec bpftrace -q -e \"tracepoint:syscalls:sys_exit_recvmmsg /pid == $1 && args->ret > 0/ "
                         "{ @c = count(); @m = sum(args->ret); }\" >%s" % path("k.log"), "sh")


def by_bpftrace(log):
    calls, messages = (int(re.search(r"@%s: (\d+)" % k, log).group(1)) for k in "cm")
    return messages / calls


def running_row():
    if not have("ss", "knotd", "dnsperf", "bpftrace", "strace", "perf"):
        return print("\na server that runs already: skipped, not all tools are installed")
    found = {"native": ([], None),
             "iotrace -p": (Attach(IOTRACE, "-q", "--json", path("k.json"), "--trace=recvmmsg", "-p"), by_tool),
             "bpftrace": (Bpftrace(), by_bpftrace),
             "perf trace -s -p": (Attach("perf", "trace", "-s", "-o", "/dev/null", "-p"), None),
             "strace -p": (Attach("strace", "-f", "-qq", "-o", path("k.log"), "-e", "trace=recvmmsg", "-p"), by_strace)}
    said, really, late = ({t: [] for t in found} for _ in range(3))
    for _ in range(ROUNDS):
        for t, (before, read) in found.items():
            port = free_port(socket.SOCK_DGRAM)
            s = Server(before + ["knotd", "-c", knot_config(port)], port, socket.SOCK_DGRAM)
            try:
                late[t].append(dnsperf(port, 3, 15000)[1] * 1e6)
                really[t].append(by_tracepoints(s.pid, port, 15000))
            finally:
                s.end()
            if read:
                with open(path("k.json" if read is by_tool else "k.log")) as f:
                    said[t].append(read(f.read()))
    base = statistics.median(late["native"])
    rows = [[t, "%.2f" % statistics.median(said[t]) if said[t] else "", "%.2f" % statistics.median(really[t]),
             "%.0f us: %s" % (statistics.median(late[t]), spread([x / base for x in late[t]]))] for t in found]
    print_table(["knotd runs, 15,000 queries a second", "messages a call, it says", "tracepoints meanwhile", "average latency"],
                rows)


# ---- beginning, memory ----

def start_row():
    def ms(argv):
        began = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return (time.perf_counter() - began) * 1000
    tool = [IOTRACE, "-q", "--summary", "/dev/null", "true"]
    over = [ms(tool) - ms(["true"]) for _ in range(60)]
    print_table(["start", "median of 60 pairs", "goal"],
                [["`iotrace true` - `true`", "**+%.2f ms**" % statistics.median(over),
                  "<= 5 ms: %s" % ("yes" if statistics.median(over) <= 5 else "NO")]])


def pss_kib(pid):
    with open("/proc/%d/smaps_rollup" % pid) as f:
        return int(re.search(r"^Pss: +(\d+)", f.read(), re.M).group(1))


def memory_row():
    """Threads and processes that wait after their calls: what they and the tracer have together."""
    def total(case, n, before):
        p = subprocess.Popen(before + [os.path.join(BUILD, "targets", "rec_life"), case, str(n)],
                             stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        pids = [int(x) for x in p.stdout.readline().split()]
        kib = sum(map(pss_kib, pids)) + (pss_kib(p.pid) if before else 0)
        p.communicate("\n", timeout=30)
        return kib / 1024
    rows = []
    for what, case, n, most in (("1000 threads", "idle", 1000, 100), ("300 processes", "idle_children", 300, 40)):
        native = total(case, n, [])
        traced = total(case, n, [IOTRACE, "-q", "--summary", "/dev/null", "--trace=write", "--"])
        rows.append([what, "%.1f MiB" % native, "**%.1f MiB**" % traced,
                     "<= %d MB more: %s" % (most, "yes" if traced - native <= most * 1e6 / 2**20 else "NO")])
    print_table(["memory of target and tracer", "native", "traced", "goal"], rows)


ROWS = {"%s%s" % (n, p): lambda n=n, p=p: work_row(n, ["taskset", "-c", "1"] if p else [])
        for p in ("", ", pinned") for n in WORKS}
ROWS.update({"make": make_row, "start": start_row, "memory": memory_row, "batches of knotd": paced_row,
             "knotd runs already": running_row})
ROWS.update({n + ", attached": lambda n=n: attached_row(n) for n in WORKS})
ROWS["1000 threads, attached"] = threads_row
ROWS.update({n: lambda n=n: lives_row(n) for n in LIVES})
ROWS.update({"short: %s%s" % (n, p): lambda n=n, p=p: short_row(n, ["taskset", "-c", "1"] if p else [])
             for p in ("", ", pinned") for n in SHORT})
ROWS["short: make, pinned"] = lambda: make_row(["taskset", "-c", "1"])
ROWS.update({"server " + n: lambda n=n: server_row(n) for n in SERVERS})


def main():
    try:
        for name, fn in ROWS.items():
            if not sys.argv[1:] or any(a in name for a in sys.argv[1:]):
                fn()
    finally:
        shutil.rmtree(DIR, ignore_errors=True)


if __name__ == "__main__":
    main()
