#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""How often compare is wrong, by real programs (`make bench`). Prints Markdown.

False alarms: a program against itself, BENCH_SELF (40) times in all, in turns and as two results that were made one
after the other. Detection: a change that was made, BENCH_FOUND (20) times each. Words choose rows: bench_compare.py
tar "10%".
"""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
PROFILE = os.path.join(BUILD, "bin", "profile-scenario")
SELF = int(os.environ.get("BENCH_SELF", "40"))
FOUND = int(os.environ.get("BENCH_FOUND", "20"))
ALARMS_MOST, FOUND_LEAST = 0.05, 0.95
RUNS = 5

SQL = ("pragma journal_mode=delete; drop table if exists t; create table t(a, b); with recursive c(x) as "
       "(values(1) union all select x + 1 from c where x < 20000) insert into t select x, hex(x) from c; "
       "create index i on t(b); select count(*) from t where b > 'A';")
PYTHON = "import json\nfor i in range(200):\n    print(json.dumps(list(range(i))), flush=True)\n"
# Answers a request by eight datagrams, BATCH a call.
SERVER = r"""#define _GNU_SOURCE
#include <arpa/inet.h>
#include <sys/socket.h>
int main(void)
{
	struct sockaddr_in a = {AF_INET, htons(PORT), {htonl(INADDR_LOOPBACK)}}, from;
	struct mmsghdr m[8] = {0};
	struct iovec v = {"answer", 6};
	char b[64];
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	if (bind(s, (void *)&a, sizeof(a)))
		return 1;
	for (int i = 0; i < 8; i++)
		m[i].msg_hdr = (struct msghdr){.msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &v, .msg_iovlen = 1};
	for (;;) {
		socklen_t len = sizeof(from);
		if (recvfrom(s, b, sizeof(b), 0, (void *)&from, &len) < 0)
			return 1;
		for (int i = 0; i < 8; i += BATCH)
			sendmmsg(s, m, BATCH, 0);
	}
}
"""
# As many requests as chance has it.
LOAD = """import random, socket, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(20)
n = random.randint(150, 250)
for _ in range(n):
    s.sendto(b"x", ("127.0.0.1", int(sys.argv[1])))
    for _ in range(8):
        s.recvfrom(9)
print("requests", n)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def write(path, text, mode=0o644):
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, mode)
    return path


def run(argv, d, ok):
    p = subprocess.run(argv, cwd=d, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    if p.returncode not in ok:
        sys.exit("status %d: %s\n%s" % (p.returncode, " ".join(argv), p.stderr))
    return p


class Program:
    """What is run: options of compare and of run, and the target's arguments."""

    def __init__(self, base, args=(), options=(), new=None):
        self.base, self.new, self.args, self.options = base, new or base, list(args), list(options)

    def in_turns(self, d, runs=RUNS):
        p = run([PROFILE, "compare", "--scenario", "s", "--base-binary", self.base, "--new-binary", self.new, "--runs", str(runs),
                 "--output-dir", os.path.join(d, "turns"), "--json", *self.options, "--", *self.args], d, (0, 1, 2, 3))
        return p.returncode, json.loads(p.stdout)

    def one_after_the_other(self, d):
        sides = [os.path.join(d, x) for x in ("one", "two")]
        for side, binary in zip(sides, (self.base, self.new)):
            shutil.rmtree(side, ignore_errors=True)
            run([PROFILE, "--scenario", "s", "--type", "io", "--binary", binary, "--runs", str(RUNS), "--output-dir", side,
                 *self.options, "--", *self.args], d, range(256))
        p = run([PROFILE, "compare", *sides, "--json"], d, (0, 1, 2, 3))
        return p.returncode, json.loads(p.stdout)


def regressions(result):
    return [m["name"] for part in result["parts"] for m in part["metrics"] if m["verdict"] == "REGRESSION"]


def tool(name):
    return shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin")


def sqlite(d):
    return Program(tool("sqlite3"), [os.path.join(d, "t.db"), SQL])


def python(d):
    return Program(tool("python3"), [write(os.path.join(d, "p.py"), PYTHON)])


def tar(d):
    return Program(tool("tar"), ["-cf", os.path.join(d, "t.tar"), "-C", ROOT, "common"])


def redis(_d):
    port = free_port()
    load = "redis-benchmark -p %d -n 2000 -c 20 -q -t set,get && echo asked 4000" % port
    return Program(tool("redis-server"), ["--port", str(port), "--save", "", "--appendonly", "no"],
                   ["--ready", "tcp:%d" % port, "--load", load, "--work", "request=asked ([0-9]+)"])


SAME = (("sqlite3", "sqlite3", sqlite), ("python3", "python3", python), ("tar", "tar", tar),
        ("redis-server under redis-benchmark", "redis-server", redis))


def same(what, needs, make, times):
    if not tool(needs):
        print("| %s against itself | not measured: %s is not installed | | |" % (what, needs), flush=True)
        return 0, 0
    alarms, odd, figures = 0, 0, {}
    for i in range(times):
        with tempfile.TemporaryDirectory(prefix="iotrace-bench-") as d:
            program = make(d)
            status, result = program.in_turns(d) if i % 2 else program.one_after_the_other(d)
        alarms += status == 1
        odd += status > 1
        for name in regressions(result) if status == 1 else []:
            figures[name] = figures.get(name, 0) + 1
    notes = ["%d without a verdict" % odd] if odd else []
    notes += ["%s %d" % x for x in sorted(figures.items(), key=lambda x: -x[1])[:4]]
    print("| %s against itself%s | %d of %d alarm | | |" % (what, ": " + ", ".join(notes) if notes else "", alarms, times),
          flush=True)
    return alarms, times


def false_alarms(chosen):
    rows = [x for x in SAME if chosen(x[0])]
    alarms, times = (sum(x) for x in zip(*(same(*row, max(1, SELF // len(SAME))) for row in rows))) if rows else (0, 0)
    if times:
        print("| all of them | %d of %d alarm (%.1f%%) | <= %.0f%% | %s |" % (
            alarms, times, 100 * alarms / times, 100 * ALARMS_MOST, "yes" if alarms <= ALARMS_MOST * times else "NO"), flush=True)


def wrapped(d, name, python_text):
    """A program of its own for each side: the arguments of both must be the same."""
    script = write(os.path.join(d, name + ".py"), python_text)
    return write(os.path.join(d, name), "#!/bin/sh\nexec %s %s\n" % (tool("python3"), script), 0o755)


def added_write(d):
    return Program(wrapped(d, "base", PYTHON), new=wrapped(d, "new", PYTHON + "print('one more', flush=True)\n")), RUNS, "write.calls"


def halved_batch(d):
    port, binaries = free_port(), []
    for name, batch in (("base", 8), ("new", 4)):
        source = write(os.path.join(d, name + ".c"), SERVER)
        binaries.append(os.path.join(d, name))
        run([os.environ.get("CC", "cc"), "-O1", "-w", "-DPORT=%d" % port, "-DBATCH=%d" % batch, "-o", binaries[-1], source], d, (0,))
    load = "%s %s %d" % (tool("python3"), write(os.path.join(d, "load.py"), LOAD), port)
    return Program(binaries[0], new=binaries[1], options=[
        "--ready", "udp:%d" % port, "--load", load, "--work", "request=requests ([0-9]+)"]), RUNS, "sendmmsg.per_call"


def tenth_more_time(d):
    text = "n = 0\nfor i in range(%d):\n    n += i * i\n"
    return Program(wrapped(d, "base", text % 10000000), new=wrapped(d, "new", text % 11000000)), 8, "wall_time"


def tenth_more_cpu(d):
    return (*tenth_more_time(d)[:2], "cpu_time")


CHANGES = (("a write more of 200, python3", added_write), ("a halved batch under a load that varies", halved_batch),
           ("10% more time, python3, 8 runs, by wall_time", tenth_more_time),
           ("10% more time, python3, 8 runs, by cpu_time", tenth_more_cpu))


def detected(what, make):
    found = 0
    for _ in range(FOUND):
        with tempfile.TemporaryDirectory(prefix="iotrace-bench-") as d:
            program, runs, figure = make(d)
            status, result = program.in_turns(d, runs)
        found += status == 1 and figure in regressions(result)
    print("| %s | found %d of %d | >= %.0f%% | %s |" % (
        what, found, FOUND, 100 * FOUND_LEAST, "yes" if found >= FOUND_LEAST * FOUND else "NO"), flush=True)


def main():
    def chosen(name):
        return not sys.argv[1:] or any(word in name for word in sys.argv[1:])

    print("\n| compare | came out | goal | met |\n|---|---|---|---|")
    false_alarms(chosen)
    for what, make in CHANGES:
        if chosen(what):
            detected(what, make)


if __name__ == "__main__":
    sys.exit(main())
