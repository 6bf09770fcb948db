#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""--interval and --live: lines that sum up to the result, and a screen that leaves terminal and target as they were.
The terminal here knows what ours sends and refuses all else; with python3-pyte installed that judges too."""
import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
from shlex import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import children, status_of
from schema import Schema
import tap
from tap import ROOT, Failure, Skip, check, eq, main, need_tool, test, wait_for

try:
    import pyte
except ImportError:
    pyte = None

SCHEMA = Schema(os.path.join(ROOT, "docs", "interval.schema.json"))
RESULT = Schema(os.path.join(ROOT, "docs", "result.schema.json"))
COUNTED = ("calls", "errors", "wall_ns", "bytes", "batch_calls", "batch_asked", "batch_transferred")
EVERY = "0.05"


# ---- targets ----

class Ongoing:
    """A program that goes on until end() is called."""

    def __init__(self, t):
        self.t, self.file = t, t.path("goes-on")
        with open(self.file, "w"):
            pass
        os.chmod(self.file, 0o666)
        self.argv = [t.target("ongoing"), "all", self.file]

    def start(self):
        """Not traced; returned when its child is there too."""
        p = self.t.start(self.argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("its child", lambda: children(p.pid))
        return p

    def end(self):
        os.unlink(self.file)


def read_bytes(path):
    with open(path, "rb") as f:
        return f.read()


def is_free(pid):
    return status_of(pid).get("TracerPid") == "0"


# ---- lines ----

def lines_of(text):
    """The objects of JSON lines: intervals and the result, each against its schema."""
    check(text.endswith("\n"), "the last line is whole")
    objects = [json.loads(line) for line in text.splitlines()]
    for o in objects[:-1]:
        eq(SCHEMA.errors(o), [], "an interval")
    eq(RESULT.errors(objects[-1]), [], "the last line")
    return objects[:-1], objects[-1]


def add(sums, key, rows):
    for row in rows:
        to = sums.setdefault((key, row["name"]), dict.fromkeys(COUNTED, 0))
        for c in COUNTED:
            to[c] += row[c] or 0


def sums_of(intervals):
    """What the lines sum up to: by call, by thread and by fd."""
    calls, threads, fds = {}, {}, {}
    for i in intervals:
        add(calls, None, i["syscalls"])
        for x in i["threads"]:
            add(threads, (x["pid"], x["tid"]), x["syscalls"])
        for x in i["fds"]:
            add(fds, (x["pid"], x["fd"], x["generation"]), x["syscalls"])
        eq(sum(x["calls"] for x in i["syscalls"]), i["calls"], "calls of a line")
    return calls, threads, fds


def expect_parts(sums, rows, key, what):
    want = {}
    for x in rows:
        for c in x["syscalls"]:
            want[tuple(x[k] for k in key), c["name"]] = [c[k] or 0 for k in COUNTED if k != "batch_calls"]
    got = {k: [v[c] for c in COUNTED if c != "batch_calls"] for k, v in sums.items()}
    eq(got, want, "sums of the lines, by " + what)


def expect_whole(intervals, result):
    """The sum of the lines is the result, exactly."""
    calls, threads, fds = sums_of(intervals)
    want = {}
    for row in result["syscalls"]:
        bytes_, batch = row["bytes"] or {}, row["batch"] or {}
        want[None, row["name"]] = [row["calls"], row["errors"], row["wall_ns"]["total"], bytes_.get("transferred") or 0,
                                   row["ok"] if batch.get("transferred") is not None else 0,
                                   batch.get("asked") or 0, batch.get("transferred") or 0]
    eq({k: [v[c] for c in COUNTED] for k, v in calls.items()}, want, "sums of the lines, by call")
    expect_parts(threads, result["threads"], ("pid", "tid"), "thread")
    expect_parts(fds, result["fds"], ("pid", "fd", "generation"), "fd")
    if intervals:
        total = intervals[-1]["total"]
        eq(total["calls"], sum(r["calls"] for r in result["syscalls"]), "total of the last line")
        eq({c["name"]: c["calls"] for c in total["syscalls"]}, {r["name"]: r["calls"] for r in result["syscalls"]},
           "total by call")
        eq((intervals[-1]["lost"], intervals[-1]["complete"]), (result["tracer"]["lost"], result["complete"]),
           "lost and complete")


def expect_clock(intervals, every_ns):
    """No interval is missing, none overlaps, each is one or more, the last is shorter."""
    at = 0
    for n, i in enumerate(intervals):
        eq(i["t_ns"] - at, i["interval_ns"], "length of line %d" % n)
        eq(i["last"], n + 1 == len(intervals), "last, in line %d" % n)
        at = i["t_ns"]
    # From one clock, not each from the last: so no line comes before its time, however many there were.
    for n, i in enumerate(intervals[:-1]):
        check(i["t_ns"] >= (n + 1) * every_ns, "line %d is not early: %d" % (n, i["t_ns"]))


PROGRAMS = {
    "threads": ["@proc", "threads", "8", "400"],
    "children": ["@work", "forks", "60", "40"],
    "calls": ["@work", "mixed", "2000"],
    "batches": ["@work", "batches", "3000"],
    "killed": ["@storm", "killed", "20"],
    "short": ["true"],
}


def whole(t, mode, argv):
    argv = [t.target(a[1:]) if a.startswith("@") else a for a in argv]
    r = t.run([t.binary, "-q", "--mode", mode, "-e", "all", "--interval", "0.01", "--json", "-", "--", "sh", "-c",
               '"$@" >/dev/null', "sh", *argv])
    eq(r.status, 0, "status (%s)" % r.err)
    intervals, result = lines_of(r.out)
    expect_whole(intervals, result)
    expect_clock(intervals, 10**7)
    eq({i["phase"] for i in intervals}, {"run"}, "phases")
    return intervals, result


for _name, _argv in PROGRAMS.items():
    for _mode in ("auto", "ptrace"):
        test(lambda t, m=_mode, a=_argv: whole(t, m, a), name="lines_sum_up_%s_%s" % (_name, _mode))


@test
def lines_come_while_it_runs(t):
    """Each is written when its interval ends, whatever comes later."""
    o = Ongoing(t)
    p = t.start([t.binary, "--interval", EVERY, "--json", "-", "-e", "all", "--", *o.argv])
    seen = [p.stdout.readline() for _ in range(4)]
    while not {"sendmmsg", "recvmmsg", "read", "write"} <= {c["name"] for c in json.loads(seen[-1])["total"]["syscalls"]}:
        seen.append(p.stdout.readline())
    check(p.poll() is None, "it runs")
    o.end()
    r = t.finish(p)
    intervals, result = lines_of(b"".join(seen).decode() + r.out)
    expect_whole(intervals, result)
    expect_clock(intervals, 5 * 10**7)
    send = [c for i in intervals for c in i["syscalls"] if c["name"] == "sendmmsg"]
    eq({c["batch_transferred"] / c["batch_calls"] for c in send}, {8.0}, "messages a call")
    eq({x["comm"] for i in intervals for x in i["threads"] if "write" in {c["name"] for c in x["syscalls"]}}, {"writer"},
       "the name that the thread gave itself before its first write")


def writes_so_far(line):
    return sum(c["calls"] for c in json.loads(line)["total"]["syscalls"] if c["name"] == "write")


def wait_for_total(p, calls):
    wait_for("a line with %d writes" % calls, lambda: writes_so_far(p.stdout.readline()) == calls)


@test
def a_line_has_all_until_then(t):
    """What is recorded in the target and what stopped, though nothing more comes."""
    for mode in ("auto", "ptrace"):
        o, word = Ongoing(t), t.path("word-" + mode)
        with open(word, "wb") as f:
            f.write(b"-")
        os.chmod(word, 0o666)
        p = t.start([t.binary, "--mode", mode, "-e", "write", "--interval", "0.01", "--json", "-", "--",
                     t.target("ongoing"), "burst", o.file, word, "300"])
        # It records seldom by now, so that what is recorded is looked at seldom.
        wait_for_total(p, 300)
        for _ in range(50):
            p.stdout.readline()
        with open(word, "r+b") as f:
            f.write(b"b")
        wait_for("the last write", lambda: read_bytes(word) == b"e")
        while select.select([p.stdout], [], [], 0)[0]:
            os.read(p.stdout.fileno(), 65536)
        # One may be being written, one may be waiting for that: the next was made after the last write.
        for _ in range(4):
            p.stdout.readline()
        eq(writes_so_far(p.stdout.readline()), 600, "writes so far, " + mode)
        o.end()
        t.finish(p)


@test
def attached(t):
    for options in ([], ["--mode", "ptrace"]):
        o = Ongoing(t)
        target = o.start()
        p = t.start([t.binary, "-q", "--interval", EVERY, "--json", "-", "-e", "all", "--tree", *options,
                     "-p", str(target.pid)])
        seen = [p.stdout.readline() for _ in range(3)]
        p.send_signal(signal.SIGINT)
        r = t.finish(p)
        eq(r.status, 0, "status (%s)" % r.err)
        intervals, result = lines_of(b"".join(seen).decode() + r.out)
        expect_whole(intervals, result)
        check(target.poll() is None and is_free(target.pid), "the target goes on")
        o.end()
        eq(t.finish(target).status, 0, "the target's own verdict")


def by_phase(intervals):
    out = {}
    for i in intervals:
        out.setdefault(i["phase"], []).append(i)
    return out


def expect_phases(intervals, result):
    """The lines of each phase are what the result says of it, and those of the window its tables."""
    phases = by_phase(intervals)
    for p in result["phases"]:
        if p["name"] not in ("start-up", "window", "shutdown"):
            continue
        got = sums_of(phases.get(p["name"], []))[0]
        eq({k[1]: (v["calls"], v["errors"], v["wall_ns"]) for k, v in got.items()},
           {c["name"]: (c["calls"], c["errors"], c["wall_ns"]) for c in p["syscalls"]}, "lines of " + p["name"])
        eq(sum(i["interval_ns"] for i in phases.get(p["name"], [])), p["wall_ns"], "length of " + p["name"])
    window = phases["window"]
    calls, threads, fds = sums_of(window)
    eq({k[1]: v["calls"] for k, v in calls.items()}, {r["name"]: r["calls"] for r in result["syscalls"]}, "window")
    expect_parts(threads, result["threads"], ("pid", "tid"), "thread")
    expect_parts(fds, result["fds"], ("pid", "fd", "generation"), "fd")


@test
def windows(t):
    for mode in ("auto", "ptrace"):
        o = Ongoing(t)
        p = t.start([t.binary, "--mode", mode, "--interval", EVERY, "--json", "-", "-e", "all", "--skip", "0.12",
                     "--duration", "0.13", "--", *o.argv])
        seen = []
        while not seen or json.loads(seen[-1])["phase"] != "shutdown":
            seen.append(p.stdout.readline())
        o.end()
        r = t.finish(p)
        intervals, result = lines_of(b"".join(seen).decode() + r.out)
        expect_phases(intervals, result)
        eq(list(by_phase(intervals)), ["start-up", "window", "shutdown"], "phases, in order")


@test
def windows_of_a_runner(t):
    read, write = os.pipe()
    o = Ongoing(t)
    p = t.start([t.binary, "--interval", EVERY, "--json", "-", "-e", "all", "--control-fd", str(read), "--", *o.argv],
                pass_fds=[read])
    os.close(read)
    seen = [p.stdout.readline() for _ in range(2)]
    eq(json.loads(seen[-1])["phase"], "start-up", "before begin")
    os.write(write, b"begin\n")
    while json.loads(seen[-1])["phase"] != "window":
        seen.append(p.stdout.readline())
    o.end()
    r = t.finish(p)
    os.close(write)
    intervals, result = lines_of(b"".join(seen).decode() + r.out)
    expect_phases(intervals, result)


@test
def a_phase_in_which_nothing_ends_has_its_lines(t):
    """The target waits in one call, from before the window to its end."""
    read, write = os.pipe()
    p = t.start([t.binary, "--interval", EVERY, "--json", "-", "-e", "all", "--control-fd", str(read), "--", "cat"],
                pass_fds=[read], stdin=subprocess.PIPE)
    os.close(read)
    seen = [p.stdout.readline()]
    while json.loads(seen[-1])["calls"]:
        seen.append(p.stdout.readline())
    for word, phase in ((b"begin\n", "window"), (b"end\n", "shutdown")):
        os.write(write, word)
        while json.loads(seen[-1])["phase"] != phase:
            seen.append(p.stdout.readline())
    r = t.finish(p)
    os.close(write)
    intervals, result = lines_of(b"".join(seen).decode() + r.out)
    expect_phases(intervals, result)


@test
def a_window_that_never_begins(t):
    """The result's tables are then those of the lines before it."""
    r = t.run([t.binary, "--interval", EVERY, "--json", "-", "-e", "all", "--skip", "100", "--", "sh", "-c",
               "sleep 0.2; true"])
    intervals, result = lines_of(r.out)
    eq({i["phase"] for i in intervals}, {"start-up"}, "phases")
    expect_whole(intervals, result)


@test
def a_slow_reader_slows_nobody(t):
    """Nobody reads: the target comes to its end all the same, and then no call is missing."""
    done = t.path("done")
    argv = ["sh", "-c", '"$0" writes 300000 >/dev/null; for i in 1 2 3; do "$0" files 300 >/dev/null; done; echo >"$1"',
            t.target("work"), done]
    p = t.start([t.binary, "--interval", "0.01", "--json", "-", "-e", "all", "--", *argv])
    fcntl.fcntl(p.stdout.fileno(), 1031, 4096)  # F_SETPIPE_SZ
    wait_for("the target's end", lambda: os.path.exists(done))
    r = t.finish(p)
    intervals, result = lines_of(r.out)
    expect_whole(intervals, result)


@test
def a_reader_that_leaves(t):
    """It is told, the target goes on to its end, and the other files are written."""
    o = Ongoing(t)
    p = t.start([t.binary, "-q", "--interval", EVERY, "--json", "-", "--summary", t.path("s"), "--", *o.argv])
    p.stdout.readline()
    p.stdout.close()
    p.stdout = open(os.devnull)
    traced = wait_for("the target", lambda: children(p.pid))[0]
    wait_for("its child", lambda: children(traced))
    check(p.poll() is None, "it runs")
    o.end()
    _, err = p.communicate(timeout=30)
    eq(p.returncode, 125, "status")
    check(b"cannot write -" in err, "message: %r" % err)
    check(os.path.getsize(t.path("s")) > 500, "the summary")


SMALL_DISK = """
mkdir small
mount -t tmpfs -o size=64k none small || exit 77
dd if=/dev/zero of=small/room bs=1k count=60 2>/dev/null
"$@" >small/lines &
while [ "$(stat -f -c %a small)" != 0 ] || [ $(($(stat -c %s small/lines) % 4096)) != 0 ]; do sleep 0.01; done
# Each comes after its line: before the second of them is one that had no room.
for metrics in 1 2; do
	was=$(stat -c %i,%y metrics 2>&1)
	while [ "$(stat -c %i,%y metrics 2>&1)" = "$was" ]; do sleep 0.01; done
done
rm small/room goes-on
wait $!
echo "status $?"
cat small/lines
"""


@test
def a_disk_that_was_full(t):
    """Where a line was cut nothing is written after it, though there is room again."""
    o = Ongoing(t)
    r = t.run([need_tool("unshare"), "-m", *([] if tap.IS_ROOT and not tap.USER else ["-Ur"]), "sh", "-c", SMALL_DISK, "sh",
               t.binary, "--interval", "0.01", "--metrics", "metrics", "--json", "-", "-e", "all", "--", *o.argv])
    if r.status == 77:
        raise Skip("cannot mount a tmpfs: " + r.err.strip())
    status, *lines = r.out.split("\n")
    eq(status, "status 125", "status: " + r.err)
    eq(r.err.splitlines(), ["iotrace: cannot write -: No space left on device"], "message")
    check(lines and not any("iotrace.result" in line for line in lines), "the result is not there")
    for line in lines[:-1]:
        eq(SCHEMA.errors(json.loads(line)), [], "an interval")


@test
def lines_for_people(t):
    o = Ongoing(t)
    argv, prefix = t.iotrace_argv(["--interval", "0.02"], o.argv)
    p = t.start(argv)
    seen = [p.stderr.readline() for _ in range(24)]
    while not any(b"sendmmsg" in line and b"(8.0/8.0)" in line for line in seen):
        seen.append(p.stderr.readline())
    o.end()
    r = t.finish(p, cls=tap.Traced)
    r.prefix = prefix
    lines = (b"".join(seen).decode() + r.err).splitlines()
    header = "    time     calls/s  errors/s  calls/s of the busiest (got/asked a call)"
    eq([n for n, line in enumerate(lines) if line == header][:2], [0, 21], "the header, and again")
    rows = [line for line in lines if line != header]
    for line in rows:
        check(re.match(r"^ {1,7}\d+\.\d\d  [ \d,]{10}  [ \d,]{8}(  \w+ [\d,]+( \([\d.]+/[\d.]+\))?)*$", line),
              "line: %r" % line)
        check(len(line) <= 100, "width: %r" % line)
    eq(r.out, "", "standard output is the target's")
    eq(r.json["complete"], True, "the files are as ever")
    check("BATCHING" in r.summary and r.detail, "summary and detail")
    # Without files: lines, then the summary.
    r = t.run([t.binary, "--interval", "10", "true"])
    check(r.err.startswith(header) and "exit status 0" in r.err, r.err)


# ---- a terminal ----

class Terminal:
    """A pseudoterminal, and what stands on it. Only what iotrace sends is understood."""

    SEQUENCE = re.compile(rb"\x1b\[(\?)?([\d;]*)([A-Za-z])")

    def __init__(self, columns=100, rows=24):
        self.master, self.slave = pty.openpty()
        self.raw = b""
        self.resize(columns, rows)
        self.before = self.attributes()
        self._reset()

    def close(self):
        for fd in (self.master, self.slave):
            os.close(fd)

    def attributes(self):
        return termios.tcgetattr(self.slave)

    def resize(self, columns, rows):
        self.columns, self.rows = columns, rows
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def control(self):
        """In a new process: this is its controlling terminal."""
        fcntl.ioctl(self.slave, termios.TIOCSCTTY, 0)

    def type(self, keys):
        os.write(self.master, keys.encode())

    def pump(self):
        while select.select([self.master], [], [], 0)[0]:
            self.raw += os.read(self.master, 65536)
        return self.raw

    def shows(self, *texts):
        """On the screen, all at once."""
        text = self.text()
        return all(x in text for x in texts)

    def wait(self, *texts):
        try:
            wait_for("on the screen: %r" % (texts,), lambda: self.shows(*texts))
        except Failure as e:
            raise Failure("%s\n%s" % (e, self.text())) from None

    def _reset(self):
        self.lines, self.x, self.y, self.alternate, self.cursor = {}, 0, 0, False, True

    def _sequence(self, private, numbers, letter):
        if private:
            on = letter == b"h"
            if numbers == b"1049":
                self.alternate = on
                self.lines = {}
            elif numbers == b"25":
                self.cursor = on
            else:
                raise Failure("a mode that is not ours: %r" % numbers)
        elif letter == b"H":
            parts = [int(n) for n in numbers.split(b";") if n] or [1, 1]
            self.y, self.x = parts[0] - 1, parts[1] - 1
        elif letter == b"K" and not numbers:
            self.lines[self.y] = self.lines.get(self.y, "")[:self.x]
        elif letter == b"J":
            if numbers == b"2":
                self.lines = {}
            self.lines = {y: line if y < self.y else line[:self.x] for y, line in self.lines.items() if y <= self.y}
        elif letter != b"m":
            raise Failure("a sequence that is not ours: %r %r" % (numbers, letter))

    def _put(self, c):
        line = self.lines.get(self.y, "").ljust(self.x)
        self.lines[self.y] = line[:self.x] + c + line[self.x + 1:]
        self.x += 1
        check(not self.alternate or (self.x < self.columns and self.y < self.rows),
              "%r is beyond the border (%d, %d)" % (line, self.x, self.y))

    def text(self):
        """All of it; taken in anew, from the last time that it was cleared whole."""
        raw = self.pump()
        self._reset()
        at = 0
        while at < len(raw):
            m = self.SEQUENCE.match(raw, at)
            if m:
                self._sequence(*m.groups())
                at = m.end()
                continue
            c = raw[at:at + 1]
            if c == b"\x1b":
                if len(raw) - at < 12:
                    break  # the rest is still to come
                raise Failure("a sequence that is not ours: %r" % raw[at:at + 12])
            if c == b"\r":
                self.x = 0
            elif c == b"\n":
                self.y += 1
            elif c >= b" ":
                self._put(c.decode("latin-1"))
            at += 1
        return "\n".join(self.lines.get(y, "").rstrip() for y in range(max(self.lines, default=0) + 1))

    def judge(self):
        """The same by another's terminal."""
        mine = self.text()
        screen = pyte.Screen(self.columns, self.rows)
        pyte.ByteStream(screen).feed(self.raw)
        got = "\n".join(line.rstrip() for line in screen.display).rstrip()
        eq(mine.rstrip(), got, "the screen, and pyte's")

    def is_as_before(self):
        return self.attributes() == self.before

    def left(self):
        """Entered once, left, and as it was."""
        self.text()
        check(b"\x1b[?1049h" in self.raw, "it was entered: %r" % self.raw[:100])
        eq((self.alternate, self.cursor), (False, True), "the screen was left, the cursor is there")
        check(self.is_as_before(), "attributes: %r, before %r" % (self.attributes(), self.before))


def on_terminal(t, argv, stdin=None, columns=100, rows=24, outputs=True, env=None):
    """iotrace on a terminal of its own. stdin None: the terminal; outputs: those go there too."""
    term = Terminal(columns, rows)
    out = term.slave if outputs else subprocess.DEVNULL
    p = t.start([t.binary, *argv], stdin=term.slave if stdin is None else stdin, stdout=out,
                stderr=term.slave, preexec_fn=term.control, env=dict(os.environ, TERM="xterm", **(env or {})))
    return p, term


def wait_end(p, term, status):
    """A terminal must be read, or what writes there waits."""
    wait_for("the end", lambda: term.pump() is not None and p.poll() is not None)
    eq(p.returncode if p.returncode >= 0 else 128 - p.returncode, status, "status: %r" % term.raw[-300:])


def attached_screen(t, *options, **kw):
    o = Ongoing(t)
    target = o.start()
    p, term = on_terminal(t, ["--live", "--tree", "-p", str(target.pid), *options], **kw)
    term.wait("sendmmsg", "recvmmsg", "write")
    return o, target, p, term


def end_target(t, o, target):
    check(target.poll() is None, "the target goes on")
    o.end()
    eq(t.finish(target).status, 0, "the target's own verdict")


@test
def screen_of_an_attached_program(t):
    o, target, p, term = attached_screen(t, "--interval", "0.2", "-o", t.path("r"))
    term.wait("iotrace -p %d" % target.pid, "calls/s", "CALL")
    wait_for("figures", lambda: re.search(r"^sendmmsg +\d[\d,]* +[\d,]+ +\S+% +\S+ (B|KiB) +8\.0 +8\.0 +0$",
                                          term.text(), re.M))
    wait_for("those of the other", lambda: re.search(r"^recvmmsg .* 32\.0 +8\.0 ", term.text(), re.M))
    eq(term.attributes()[3] & (termios.ECHO | termios.ICANON), 0, "keys come one by one")
    check(term.attributes()[3] & termios.ISIG, "^C is a signal as ever")
    term.type("t")
    term.wait("THREAD", " ongoing", " writer")
    term.type("f")
    term.wait("FD (process/number)", "/dev/null", "127.0.0.1")
    term.type("c")
    term.type("e")
    wait_for("the failing call first", lambda: re.search(r"^CALL.*\nread ", term.text(), re.M))
    term.type("m")
    wait_for("a batch first", lambda: re.search(r"^CALL.*\n(sendmmsg|recvmmsg) ", term.text(), re.M))
    term.type("h")
    term.wait("sorted by", "q  leave")
    term.type("h")
    term.wait("CALL")
    term.type("p")
    term.wait("PAUSED")
    term.type("p")
    wait_for("it goes on", lambda: "PAUSED" not in term.text())
    term.type("\x1a")
    term.wait("a stopped iotrace would stop the processes too")
    check("T" not in status_of(p.pid)["State"], "^Z stops nobody")
    # An arrow's sequence ends in letters that are keys.
    term.type("\x1bOq")
    term.type("x")
    wait_for("the message is gone", lambda: "a stopped iotrace" not in term.text())
    check(p.poll() is None, "it is no q")
    term.type("q")
    wait_end(p, term, 0)
    term.left()
    with open(t.path("r.json")) as f:
        check(json.load(f)["complete"], "the result")
    check(is_free(target.pid), "nobody traces it")
    end_target(t, o, target)


@test
def narrow_screens(t):
    o, target, p, term = attached_screen(t, "--interval", "0.2", columns=60, rows=10)
    term.wait("q leave")
    check(all(len(x) < 60 for x in term.text().splitlines()), term.text())
    wait_for("figures", lambda: re.search(r"^sendmmsg +[\d,]+ +\S+% +\S+ (B|KiB) +8\.0 +8\.0$", term.text(), re.M))
    for columns, rows in ((30, 5), (120, 30), (1, 1), (60, 10)):
        term.resize(columns, rows)
        at = len(term.pump())
        os.kill(p.pid, signal.SIGWINCH)
        wait_for("a frame of that size", lambda: b"\x1b[H" in term.pump()[at:])
        term.raw = term.raw[:term.raw.index(b"\x1b[?25l") + 6] + term.raw[at:]
        term.text()
    term.wait("q leave")
    term.type("q")
    wait_end(p, term, 0)
    term.left()
    end_target(t, o, target)


@test
def another_terminal_shows_the_same(t):
    if not pyte:
        raise Skip("python3-pyte is not installed")
    for columns, rows in ((100, 24), (60, 10)):
        o, target, p, term = attached_screen(t, "--interval", "0.2", columns=columns, rows=rows)
        for keys in ("", "t", "f", "h"):
            at = len(term.raw)
            term.type(keys)
            wait_for("a frame", lambda: b"\x1b[H" in term.pump()[at:])
            term.judge()
        term.type("q")
        wait_end(p, term, 0)
        end_target(t, o, target)


def signalled(t, number):
    o, target, p, term = attached_screen(t)
    os.kill(p.pid, number)
    wait_end(p, term, 0)
    term.left()
    check(is_free(target.pid), "nobody traces it")
    end_target(t, o, target)


for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    test(lambda t, n=_number: signalled(t, n), name="an_attached_program_is_left_by_" + _number.name)


@test
def a_terminal_that_is_held(t):
    """^S keeps frames away, and not the screen from being left."""
    o, target, p, term = attached_screen(t, "--interval", EVERY)
    term.type("\x13")
    wait_for("it is held", lambda: not select.select([term.master], [], [], 0.5)[0] or not term.pump())
    os.kill(p.pid, signal.SIGTERM)
    wait_end(p, term, 0)
    term.left()
    end_target(t, o, target)


@test
def an_interrupt_key_leaves(t):
    o, target, p, term = attached_screen(t)
    term.type("\x03")
    wait_end(p, term, 0)
    term.left()
    end_target(t, o, target)


@test
def a_quit_key_ends_us_in_order(t):
    """As without a screen ^\\ ends iotrace at once; the terminal is as before all the same."""
    o, target, p, term = attached_screen(t)
    term.type("\x1c")
    wait_end(p, term, 128 + signal.SIGQUIT)
    term.left()
    end_target(t, o, target)


@test
def the_targets_end(t):
    o, target, p, term = attached_screen(t, "-q")
    o.end()
    wait_end(p, term, 0)
    term.left()
    eq(t.finish(target).status, 0, "the target's own verdict")


@test
def a_started_program_cannot_be_left(t):
    """q closes the screen and says what is so: the program goes on, traced to its end, and the files are whole."""
    o = Ongoing(t)
    p, term = on_terminal(t, ["--live", "-e", "all", "-o", t.path("r"), "--", *o.argv], stdin=subprocess.DEVNULL)
    term.wait("sendmmsg", "its output comes to this screen", "q close")
    term.type("h")
    term.wait("q  close the screen: the program goes on")
    term.type("q")
    wait_for("it is said", lambda: b"the program goes on and is traced to its end" in term.pump())
    term.left()
    target = wait_for("the target", lambda: children(p.pid))[0]
    check(not is_free(target) and p.poll() is None, "it goes on")
    o.end()
    wait_end(p, term, 0)
    with open(t.path("r.json")) as f:
        r = json.load(f)
    check(r["complete"] and r["exit"]["status"] == 0, "the result")
    check(term.is_as_before(), "attributes")


@test
def keys_of_the_program_are_its_own(t):
    """Its input is the terminal: nothing is read there, nothing changed."""
    p, term = on_terminal(t, ["--live", "-q", "--", "sh", "-c", "read x; echo \"$x\" >got; read y; echo \"$y\" >more"])
    term.wait("no keys: the program reads this terminal")
    check(term.is_as_before(), "attributes while it is shown")
    term.type("q\n")
    eq(tap.wait_for_text(t.path("got")), "q\n", "what the program read")
    check(p.poll() is None, "q is the program's")
    term.type("end\n")
    wait_end(p, term, 0)
    eq(tap.wait_for_text(t.path("more")), "end\n", "what it read then")
    term.left()


@test
def a_started_program_ends_by_the_interrupt_key(t):
    p, term = on_terminal(t, ["--live", "-o", t.path("r"), "--", "sleep", "1000"], stdin=subprocess.DEVNULL,
                          outputs=False)
    term.wait("iotrace sleep 1000")
    term.type("\x03")
    wait_end(p, term, 130)
    term.left()
    with open(t.path("r.json")) as f:
        eq(json.load(f)["exit"]["signal"], signal.SIGINT, "how it ended")


@test
def a_program_that_is_not_there(t):
    p, term = on_terminal(t, ["--live", "--", t.path("nothing")])
    wait_end(p, term, 127)
    check(b"\x1b" not in term.raw, "no screen: %r" % term.raw)
    check(term.is_as_before(), "attributes")


@test
def json_lines_beside_the_screen(t):
    o = Ongoing(t)
    term = Terminal()
    with open(t.path("lines"), "w+b") as lines:
        p = t.start([t.binary, "--live", "--interval", EVERY, "--json", "-", "-e", "all", "--", *o.argv],
                    stdout=lines, stderr=term.slave, preexec_fn=term.control, env=dict(os.environ, TERM="xterm"))
        term.wait("sendmmsg")
        wait_for("three lines", lambda: term.pump() is not None and read_bytes(lines.name).count(b"\n") >= 3)
        o.end()
        wait_end(p, term, 0)
    intervals, result = lines_of(read_bytes(lines.name).decode())
    expect_whole(intervals, result)
    term.left()


def no_screen(t, word, **kw):
    r = t.run([t.binary, "--live", "touch", t.path("ran")], **kw)
    eq(r.status, 2, "status (%s)" % r.err)
    eq(len(r.err.splitlines()), 1, "one line: " + r.err)
    check(word in r.err and "--interval SEC prints lines" in r.err, r.err)
    check(not os.path.exists(t.path("ran")), "nothing was started")


@test
def without_a_terminal(t):
    no_screen(t, "--live needs a terminal", env=dict(os.environ, TERM="xterm"))
    no_screen(t, "TERM=dumb", env=dict(os.environ, TERM="dumb"))


# ---- job control ----

def shell_on_terminal(t):
    """An interactive shell, as people have it."""
    term = Terminal(rows=30)
    shell = need_tool("bash")
    p = t.start([shell, "--norc", "--noprofile", "--noediting", "-i"], stdin=term.slave, stdout=term.slave,
                stderr=term.slave, preexec_fn=term.control, env=dict(os.environ, TERM="xterm", PS1="$ "))
    wait_for("a prompt", lambda: term.pump().endswith(b"$ "))
    return p, term


def type_line(term, line):
    at = len(term.pump())
    term.type(line + "\n")
    return at


def prompt_after(term, at):
    wait_for("a prompt: %r" % term.raw[at:], lambda: term.pump()[at:].endswith(b"$ "))


def tracer_of(pid):
    return int(status_of(int(status_of(pid).get("TracerPid", 0)))["Tgid"]) if not is_free(pid) else 0


@test
def stopped_and_continued(t):
    """The shell gets its terminal back as it was, and the screen comes again with fg."""
    o = Ongoing(t)
    _, term = shell_on_terminal(t)
    at = type_line(term, "exec 3<>/dev/null; %s --live -e all -o %s -- %s <&3 >&3 2>&3" % (
        quote(t.binary), t.path("r"), " ".join(map(quote, o.argv))))
    wait_for("the screen", lambda: b"sendmmsg" in term.pump()[at:])
    at = len(term.raw)
    term.type("\x1a")
    wait_for("the shell says so", lambda: b"Stopped" in term.pump()[at:])
    prompt_after(term, at)
    check(term.raw[at:].index(b"\x1b[?1049l") < term.raw[at:].index(b"Stopped"), "the screen was left first")
    check(term.attributes()[3] & (termios.ECHO | termios.ICANON) == termios.ECHO | termios.ICANON, "the shell's terminal")
    at = type_line(term, "fg")
    wait_for("the screen again", lambda: b"\x1b[?1049h" in term.pump()[at:] and b"sendmmsg" in term.raw[at:])
    check(term.attributes()[3] & termios.ICANON == 0, "keys are ours again")
    at = len(term.raw)
    o.end()
    prompt_after(term, at)
    check(b"\x1b[?1049l" in term.raw[at:], "left")
    with open(t.path("r.json")) as f:
        check(json.load(f)["complete"], "the result")


@test
def in_the_background(t):
    """Nothing is drawn there, and nobody is stopped; fg brings the screen."""
    o = Ongoing(t)
    target = o.start()
    _, term = shell_on_terminal(t)
    at = type_line(term, "%s --live --interval %s --status %s -e all -p %d &" % (
        quote(t.binary), EVERY, t.path("st"), target.pid))
    wait_for("calls are counted", lambda: re.search(r"^\d+\.\d+ [1-9]", tap.wait_for_text(t.path("st"))))
    tracer = tracer_of(target.pid)
    check(tracer and "T" not in status_of(tracer)["State"], "it was not stopped")
    check(b"\x1b[?1049h" not in term.pump()[at:], "nothing is drawn: %r" % term.raw[at:])
    at = type_line(term, "fg")
    wait_for("the screen", lambda: b"\x1b[?1049h" in term.pump()[at:] and b"sendmmsg" in term.raw[at:])
    at = len(term.raw)
    term.type("q")
    wait_for("left", lambda: b"\x1b[?1049l" in term.pump()[at:])
    prompt_after(term, at)
    check(is_free(target.pid), "nobody traces it")
    end_target(t, o, target)


if __name__ == "__main__":
    tap.only_from(__name__)
    main()
