#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario as a user runs it, with the real iotrace.

BIN: the directory of both programs (default: $BUILD/bin).
"""
import fcntl
import json
import os
import pwd
import re
import shutil
import signal
import socket
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import (BIN, ROOT, Failure, Skip, USER, USERNS, at_some_pace, check, eq, fits, for_others, free_port, main,
                 need_root, need_tool, on_terminal, profile, shown_until_the_end, test, wait_for, wait_for_text)

# One that TEST_USER can execute too.
PYTHON = "/usr/bin/python3" if os.access("/usr/bin/python3", os.X_OK) else sys.executable

# A UDP server that answers every datagram; argv: port, seconds before it binds, datagrams to live.
SERVER = r"""
import socket, sys, time
port, delay, life = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3])
time.sleep(delay)
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(("127.0.0.1", port))
while life:
    data, peer = s.recvfrom(100)
    s.sendto(data, peer)
    life -= 1
sys.exit(7)
"""
# Its client: argv: port, queries, pause between them.
CLIENT = r"""
import socket, sys, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(10)
for i in range(int(sys.argv[2])):
    s.sendto(b"q", ("127.0.0.1", int(sys.argv[1])))
    s.recv(100)
    time.sleep(float(sys.argv[3]))
print("Queries completed:  %s (100%%)" % sys.argv[2])
"""


def io(t, name, *args, **kw):
    return profile(t, "--type", "io", "--scenario", name, *args, **kw)


def result(t, name, run=None, out="results"):
    path = t.path("%s/iotrace/%s" % (out, "%s.runs/%d.json" % (name, run) if run else name + "-iotrace.json"))
    try:
        with open(path) as f:
            return json.load(f)
    except OSError as e:
        raise Failure("no result: %s" % e) from e


def text_of(t, path):
    with open(t.path(path)) as f:
        return f.read()


def call(r, name):
    for row in r["syscalls"]:
        if row["name"] == name:
            return row
    return {"calls": 0, "ok": 0}


def codes(r):
    return [w["code"] for w in r["warnings"]]


def write(t, name, text, mode=0o644):
    with open(t.path(name), "w") as f:
        f.write(text if isinstance(text, str) else json.dumps(text, indent=2))
    os.chmod(t.path(name), mode)
    return t.path(name)


def said(r):
    """Standard error, but for the lines that tell where the results are."""
    return re.sub(r"^profile-scenario: (\S+ )?(io|cpu|memory): .*; \S+\n", "", r.err, flags=re.M)


def one_line(r, *parts):
    """Standard error is one line of profile-scenario that holds these, but for where the results are."""
    lines = said(r).strip().splitlines()
    check(len(lines) == 1 and lines[0].startswith("profile-scenario: "), "one line on stderr: %s" % r)
    for part in parts:
        check(part in lines[0], "%r is not in: %s" % (part, lines[0]))


def nothing_left(t, out="results"):
    for where, dirs, files in os.walk(t.path(out)):
        for name in dirs + files:
            check(not name.startswith("."), "left behind: %s/%s" % (where, name))


def no_files(t, out="results"):
    found = [f for _, _, files in os.walk(t.path(out)) for f in files]
    eq(found, [], "files under " + out)


def server(t, port, *options, delay=0.2, life=-1, **kw):
    return io(t, "srv", "--binary", PYTHON, "--ready", "udp:%d" % port, *options,
              "--", "-c", SERVER, port, delay, life, **kw)


def client(port, queries, pause=0):
    return "%s -c '%s' %d %d %s" % (PYTHON, CLIENT, port, queries, pause)


# ---- one run without load

@test
def a_program_gives_three_files(t):
    r = io(t, "hello-1", "--binary", "/bin/echo", "--", "hi", "there")
    eq(r.out, "hi there\n", "the target's output")
    j = result(t, "hello-1")
    eq(j["scenario"], "hello-1", "scenario")
    eq(j["command"], ["/bin/echo", "hi", "there"], "command")
    eq((j["complete"], j["load"], j["work"], j["runs"], j["window"]), (True, None, None, None, None), "result")
    eq(call(j, "write")["calls"], 1, "write calls")
    eq(sorted(os.listdir(t.path("results/iotrace"))),
       ["hello-1-iotrace-detail.txt", "hello-1-iotrace-summary.txt", "hello-1-iotrace.json"], "files")
    check("write" in text_of(t, "results/iotrace/hello-1-iotrace-summary.txt"), "summary has write")
    check("write(1, " in text_of(t, "results/iotrace/hello-1-iotrace-detail.txt"), "detail has write")
    nothing_left(t)


@test
def the_status_is_the_targets(t):
    io(t, "x", "--binary", "/bin/sh", "--", "-c", "exit 42", status=42)
    eq(result(t, "x")["exit"], {"status": 42, "signal": None, "timed_out": False}, "exit")
    io(t, "x", "--binary", "/bin/sh", "--", "-c", "kill -9 $$", status=137)
    io(t, "x", "--binary", "/bin/sh", "--", "-c", "exit 125", status=125)


@test
def the_time_limit_ends_the_target(t):
    io(t, "x", "--binary", "/bin/sleep", "--timeout", "0.5", "--", "1000", status=124)
    check(result(t, "x")["exit"]["timed_out"], "timed_out")


@test
def a_single_run_leaves_stdin_alone(t):
    eq(io(t, "x", "--binary", "/bin/cat", input=b"from stdin\n").out, "from stdin\n", "cat's output")


@test
def where_the_results_are_is_told(t):
    """Without a terminal too, on standard error; of several types and scenarios a line each."""
    r = io(t, "x", "--binary", "/bin/echo", "--", "hi")
    calls = sum(row["calls"] for row in result(t, "x")["syscalls"])
    eq((r.out, r.err), ("hi\n", "profile-scenario: io: %d calls; results/iotrace/x-iotrace-summary.txt\n" % calls), "told")
    for quiet in ("-q", "--quiet"):
        r = profile(t, quiet, "--scenario", "x", "--type", "io", "--binary", "/bin/echo", "--", "hi")
        eq((r.out, r.err), ("hi\n", ""), "told nothing with " + quiet)
    r = io(t, "x", "--json", "--binary", "/bin/true")
    eq((json.loads(r.out)["status"], r.err), (0, ""), "with --json it is in the JSON alone")
    write(t, "profile-scenario.json", {"target": {"binary": "/bin/true"},
                                       "scenarios": {"a": {"types": ["io"]}, "b": {"types": ["io"]}}})
    lines = profile(t, "--all").err.splitlines()
    eq([x.split(":")[1] for x in lines], [" a io", " b io"], "a line for each: %s" % lines)
    check(lines[1].endswith("; results/iotrace/b-iotrace-summary.txt"), lines[1])


@test
def batches_are_told_with_what_was_asked_for(t):
    r = io(t, "x", "--binary", t.target("mmsg"), "--", "batches", "20", "7")
    row = call(result(t, "x"), "sendmmsg")
    check(list(row["batch"]["asked_histogram"]) == ["7"], str(row["batch"]))
    check(re.search(", sendmmsg 7 of 7 a call[,;].* results/", r.err), r.err)
    figures = json.loads(io(t, "x", "--json", "--binary", t.target("mmsg"), "--", "batches", "20", "7").out)
    figures = {f["name"]: f for f in figures["scenarios"][0]["types"][0]["figures"]}
    eq((figures["sendmmsg per call"]["of"], figures["calls"]["of"]), (7, None), "of how many")


@test
def what_an_earlier_run_has_left_is_noted(t):
    """A result stays until the same scenario and type is run again."""
    os.makedirs(t.path("results/massif"))
    write(t, "results/massif/x-memory.json", "{}")
    r = io(t, "x", "--binary", "/bin/true")
    check("note: results/massif/x-memory.json is of an earlier run" in r.err, r.err)
    check("note" not in io(t, "y", "--binary", "/bin/true").err, "that of another scenario is not its")


@test
def a_failure_shows_the_end_of_its_log(t):
    """In text that is safe for a terminal: the last ten lines, once for all runs."""
    lines = "i=0; while [ $i -lt 30 ]; do echo line-$i-; i=$((i+1)); done; printf 'bad \\033[2J end\\n' >&2; exit 3"
    r = io(t, "x", "--runs", "3", "--binary", "/bin/sh", "--", "-c", lines, status=3)
    check("profile-scenario: results/logs/x-1-target.log ends with\n    line-21-\n" in r.err, r.err)
    check("    line-29-\n    bad \\x1b[2J end\n" in r.err and "\x1b" not in r.err, repr(r.err))
    eq(r.err.count(" ends with\n"), 1, "how often")
    port = free_port()
    r = server(t, port, "--runs", "2", "--load", "echo this is why; exit 4", status=2)
    check("results/logs/srv-1-load.log ends with\n    this is why\n" in r.err, r.err)
    check("target.log" not in r.err, "the target is not to blame: " + r.err)
    r = io(t, "x", "--json", "--binary", "/bin/sh", "--", "-c", "echo so; exit 5", status=5)
    check("x-1-target.log ends with\n    so\n" in r.err and json.loads(r.out)["status"] == 5, str(r))
    r = io(t, "x", "--runs", "2", "--binary", "/bin/sh", "--", "-c", "exit 6", status=6)
    check("ends with" not in r.err, "of an empty log nothing is shown: " + r.err)
    r = io(t, "x", "--binary", "/bin/sh", "--", "-c", "echo here; exit 7", status=7)
    check("ends with" not in r.err, "one run has the terminal: " + r.err)
    check(re.search(r"^profile-scenario: io: [0-9,]+ calls, status 7; ", r.err, re.M), "which one failed, and how: " + r.err)
    r = server(t, free_port(), "--load", "exit 4", status=2)
    check("the load failed with status 4" in r.err and ", status" not in r.err, "said once: " + r.err)


@test
def several_runs_read_nothing_and_keep_each(t):
    r = io(t, "x", "--runs", "3", "--warmup", "1", "--binary", "/bin/sh", "--", "-c",
           "cat; echo out; echo err >&2; sleep 0.$(($$ % 3 + 1))", input=b"from stdin\n")
    eq(r.out, "", "output of several runs goes to logs")
    times = [result(t, "x", k)["wall_ns"] for k in (1, 2, 3)]
    chosen = result(t, "x")
    eq(chosen["wall_ns"], sorted(times)[1], "the median run")
    eq(chosen["runs"], {"count": 3, "chosen": times.index(sorted(times)[1]) + 1,
                        "min_ns": min(times), "max_ns": max(times)}, "runs")
    eq(len(os.listdir(t.path("results/iotrace/x.runs"))), 3, "kept runs")
    eq(text_of(t, "results/logs/x-2-target.log"), "out\nerr\n", "log of run 2")
    # One run afterwards does not leave the old ones lying beside it.
    io(t, "x", "--binary", "/bin/true")
    check(not os.path.exists(t.path("results/iotrace/x.runs")), "x.runs is forgotten")
    nothing_left(t)


@test
def show_output_lets_it_through(t):
    eq(io(t, "x", "--runs", "2", "--show-output", "--binary", "/bin/echo", "--", "hi").out, "hi\nhi\n", "output")


@test
def the_first_bad_status_of_several_counts(t):
    io(t, "x", "--runs", "3", "--binary", "/bin/sh", "--", "-c",
       "n=$(cat n 2>/dev/null || echo 0); echo $((n + 1)) >n; exit $n", status=1)


@test
def an_interrupt_ends_the_target_and_keeps_the_result(t):
    p = t.start([os.path.join(BIN, "profile-scenario"), "--scenario", "x", "--type", "io", "--runs", "5",
                 "--binary", "/bin/sh", "--", "-c", "touch started; exec sleep 1000"])
    wait_for("the target", lambda: os.path.exists(t.path("started")))
    p.send_signal(signal.SIGTERM)
    r = t.finish(p, 20)
    eq(r.status, 143, "status\n%s" % r)
    eq(result(t, "x")["exit"]["signal"], 15, "signal")
    eq(os.listdir(t.path("results/iotrace/x.runs")), ["1.json"], "no further run is started")


@test
def the_target_keeps_the_terminal(t):
    master, slave = os.openpty()
    pid = os.fork()
    if pid == 0:
        _login_tty(slave)
        os.chdir(t.dir)
        os.execv(os.path.join(BIN, "profile-scenario"), [
            "profile-scenario", "--scenario", "x", "--type", "io", "--binary", "/bin/sh", "--", "-c",
            "read line; echo got $line; exec cat"])
    os.close(slave)
    os.write(master, b"hello\n")
    seen = b""
    while b"got hello" not in seen:
        seen += os.read(master, 1000)
    os.write(master, b"\x03")
    seen += shown_until_the_end(master)
    _, status = os.waitpid(pid, 0)
    eq(os.waitstatus_to_exitcode(status), 130, "status after ^C\n%s" % seen.decode(errors="replace"))
    eq(result(t, "x")["exit"]["signal"], 2, "signal")
    check(b"wrote results/iotrace/x-iotrace.json" in seen, "the files are told on a terminal: %r" % seen)
    nothing_left(t)


def _login_tty(fd):
    os.setsid()
    fcntl.ioctl(fd, termios.TIOCSCTTY, 0)
    for n in range(3):
        os.dup2(fd, n)


# ---- a server under load

@test
def a_server_under_load(t):
    port = free_port()
    r = server(t, port, "--load", client(port, 50), "--work", r"query=completed: +(\d+)")
    check("Queries completed:  50" in r.out, "the load's output goes through: %s" % r)
    j = result(t, "srv")
    # The recvfrom that brought the first query was entered before the window, and one never returns; if the server was
    # no later for the one and the other than the load for its beginning and its end.
    eq(call(j, "sendto")["ok"], 50, "answers in the window")
    row = call(j, "recvfrom")
    check(row["ok"] in (49, 50) and row["calls"] - row["ok"] in (0, 1), "queries in the window: %r" % row)
    # Its start-up (reading the standard library) is outside.
    eq(call(j, "openat")["calls"] + call(j, "read")["calls"], 0, "start-up calls in the window")
    eq(j["work"], {"unit": "query", "count": 50}, "work")
    eq(j["load"]["status"], 0, "status of the load")
    check(j["load"]["wall_ns"] <= j["window"]["wall_ns"] < j["wall_ns"], "the load's life is in the window")
    eq([p["name"] for p in j["phases"]], ["start-up", "window", "shutdown"], "phases")
    eq((j["exit"]["status"], j["exit"]["signal"], j["complete"]), (0, None, True), "a good end")
    summary = text_of(t, "results/iotrace/srv-iotrace-summary.txt")
    check("load" in summary and "50" in summary, "summary names the load:\n" + summary)


@test
def the_load_waits_for_its_window(t):
    """For as long as iotrace needs to begin it: here it is stopped. All that the load asks is in it."""
    os.mkdir(t.path("bin"))
    shutil.copy(os.path.join(BIN, "profile-scenario"), t.path("bin"))
    write(t, "bin/iotrace", "#!/bin/sh\necho $$ >tool\nexec %s \"$@\"\n" % os.path.join(BIN, "iotrace"), mode=0o755)
    port = free_port()
    code = SERVER.replace("while life", "open('bound', 'w')\nwhile life")
    for no_times in False, True:
        write(t, "profile-scenario.json", {"scenarios": {"srv": {
            "command": [PYTHON, "-c", code, str(port), "0", "-1"], "types": ["io"], "no_times": no_times,
            "ready": "test -e bound && rm bound && kill -STOP $(cat tool)", "load": "touch loaded; " + client(port, 20)}}})
        run = t.start([t.path("bin/profile-scenario"), "--scenario", "srv"])
        tool = int(wait_for_text(t.path("tool")))
        wait_for("it is stopped", lambda: "\nState:\tT" in text_of(t, "/proc/%d/status" % tool))
        time.sleep(1.5) # it may be longer yet
        check(not os.path.exists(t.path("loaded")), "the load waits")
        os.kill(tool, signal.SIGCONT)
        r = t.finish(run)
        eq((r.status, call(result(t, "srv"), "sendto")["ok"]), (0, 20), "answers in the window: %s" % r)
        for name in ("loaded", "tool"):
            os.unlink(t.path(name))


@test
def a_load_in_several_runs_is_logged(t):
    port = free_port()
    r = server(t, port, "--load", client(port, 20), "--work", r"query=completed: +(\d+)", "--runs", "2")
    eq(r.out, "", "standard output")
    check("Queries completed:  20" in text_of(t, "results/logs/srv-2-load.log"), "log of the load")
    for k in (1, 2):
        j = result(t, "srv", k)
        eq((call(j, "sendto")["ok"], j["work"]["count"]), (20, 20), "run %d" % k)


@test
def skip_and_duration_cut_the_window(t):
    port = free_port()

    def cut(pace):
        server(t, port, "--skip", 0.4 * pace, "--duration", 0.3 * pace, "--load", client(port, 100, 0.01 * pace))
        j = result(t, "srv")
        check(0.25e9 * pace < j["window"]["wall_ns"] < 0.6e9 * pace, "window of %d ns" % j["window"]["wall_ns"])
        check(0 < call(j, "sendto")["ok"] < 70, "%d calls" % call(j, "sendto")["ok"])
        eq(j["complete"], True, "complete")

    at_some_pace(cut, (1, 4, 16))


@test
def a_ready_command(t):
    port = free_port()
    io(t, "srv", "--binary", PYTHON, "--ready", "test -e bound", "--load", client(port, 3), "--",
       "-c", SERVER.replace("while life", "open('bound', 'w')\nwhile life"), port, 0.2, -1)
    eq(call(result(t, "srv"), "sendto")["ok"], 3, "sendto")


@test
def a_tcp_port_is_ready_when_it_listens(t):
    port = free_port(socket.SOCK_STREAM)
    code = ("import socket, sys, time\ns = socket.socket()\n"
            "s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)\n"
            "s.bind(('127.0.0.1', %d))\ntime.sleep(0.3)\ns.listen()\n"
            "while True:\n    c = s.accept()[0]; c.sendall(c.recv(9)); c.close()\n" % port)
    load = PYTHON + ' -c "import socket; s = socket.create_connection((\'127.0.0.1\', %d)); s.sendall(b\'x\')"' % port
    io(t, "srv", "--binary", PYTHON, "--ready", "tcp:%d" % port, "--load", load, "--", "-c", code)


@test
def a_server_in_its_own_network_namespace(t):
    if os.geteuid() != 0 or USER or USERNS:
        raise Skip("needs root")
    r = io(t, "srv", "--binary", "/usr/bin/unshare", "--ready", "udp:15302", "--load", "true", "--", "-n",
           PYTHON, "-c", SERVER.replace("127.0.0.1", "0.0.0.0"), "15302", "0.2", "-1", status=None)
    if "unshare" in r.err:
        raise Skip("no network namespaces here")
    eq(r.status, 0, "status\n%s" % r)


@test
def a_crash_in_the_shutdown_is_a_crash(t):
    """An exit there is none, whatever its status; nor is the TERM's own end."""
    code = ("import os, resource, signal, sys, time\nresource.setrlimit(resource.RLIMIT_CORE, (0, 0))\n"
            "def down(*_):\n    %s\nsignal.signal(signal.SIGTERM, down)\nopen('up', 'w')\n"
            "while True:\n    time.sleep(1000)")
    for way, status, exit_ in (("os.kill(os.getpid(), signal.SIGSEGV)", 139, (None, 11)),
                               ("os.abort()", 134, (None, 6)),
                               ("os.kill(os.getpid(), signal.SIGKILL)", 137, (None, 9)),
                               ("sys.exit(5)", 0, (0, None)),
                               ("signal.signal(signal.SIGTERM, signal.SIG_DFL); os.kill(os.getpid(), signal.SIGTERM)",
                                0, (0, None))):
        r = io(t, "x", "--binary", PYTHON, "--ready", "test -e up", "--load", "true", "--", "-c", code % way,
               status=status)
        os.unlink(t.path("up"))
        j = result(t, "x")
        eq((j["exit"]["status"], j["exit"]["signal"]), exit_, way)
        eq("target_crashed" in codes(j), status != 0, "a warning for " + way)
        if status:
            one_line(r, "while it shut down")


@test
def a_target_that_ignores_term_is_killed_after_the_grace(t):
    code = "import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\nopen('up', 'w')\ntime.sleep(1000)"
    io(t, "x", "--binary", PYTHON, "--grace", "0.5", "--ready", "test -e up", "--load", "true", "--", "-c", code)
    check("target_killed" in codes(result(t, "x")), "a warning says so")


# ---- trouble under load: status 2, the result is there and marked

@test
def a_target_that_dies_before_it_is_ready(t):
    r = io(t, "x", "--binary", "/bin/sh", "--ready", "udp:9", "--load", "true", "--", "-c", "exit 3", status=2)
    one_line(r, "ended before it was ready", "status 3")
    j = result(t, "x")
    eq(("target_ended_early" in codes(j), j["complete"], j["exit"]["status"], j["load"]), (True, False, 3, None),
       "result")


@test
def a_target_that_dies_during_the_load(t):
    port = free_port()
    r = server(t, port, "--load", client(port, 5) + "; exec sleep 1000", life=5, status=2)
    one_line(r, "during the load", "status 7")
    j = result(t, "srv")
    eq(("target_ended_early" in codes(j), j["complete"], j["load"]["status"]), (True, False, 143), "result")


@test
def a_load_that_fails(t):
    port = free_port()
    one_line(server(t, port, "--load", "exit 4", status=2), "load failed", "4")
    j = result(t, "srv")
    eq(("load_failed" in codes(j), j["complete"], j["load"]["status"]), (True, False, 4), "result")


@test
def a_load_whose_work_cannot_be_found(t):
    port = free_port()
    r = server(t, port, "--load", "echo nothing", "--work", r"query=(\d+) done", status=2)
    one_line(r, "no line of the load's output", r"(\d+) done")
    j = result(t, "srv")
    eq(("no_work_found" in codes(j), j["complete"], j["work"]), (True, False, None), "result")
    r = server(t, port, "--load", "echo 1; echo " + "a" * 200 + "b2", "--work", r"query=^(?:a|aa)*(\d)$", status=2)
    one_line(r, "too many steps", r"^(?:a|aa)*(\d)$")
    check("no_work_found" in codes(result(t, "srv")), "a line of which it is not known whether it matches")


@test
def a_load_shorter_than_the_skip(t):
    port = free_port()
    one_line(server(t, port, "--load", "true", "--skip", "3600", status=2), "before the time to skip")
    check("no_window" in codes(result(t, "srv")), "a warning says so")


@test
def the_time_limit_under_load(t):
    port = free_port()
    r = server(t, port, "--timeout", "2", "--load", "exec sleep 1000", status=2)
    one_line(r, "time limit")
    j = result(t, "srv")
    eq(("timed_out" in codes(j), j["exit"]["timed_out"]), (True, True), "result")


@test
def a_target_that_is_never_ready(t):
    # The port is taken by someone else, which must not pass for readiness.
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("127.0.0.1", 0))
        r = io(t, "x", "--binary", "/bin/sleep", "--ready", "udp:%d" % s.getsockname()[1], "--load", "true",
               "--ready-timeout", "1", "--", "60", status=2, timeout=60)
    one_line(r, "not ready within 1 s", "held by another process")
    check("never_ready" in codes(result(t, "x")), "a warning says so")
    for ready, said in (("tcp:1", "no process of it has tcp port 1 open"),
                        ("false", "the ready command has not ended with 0")):
        one_line(io(t, "x", "--binary", "/bin/sleep", "--ready", ready, "--load", "true", "--ready-timeout", "0.3",
                    "--", "60", status=2, timeout=60), "not ready within 0.3 s: " + said)


@test
def what_compare_finds_on_no_side_is_named(t):
    for name in ("a", "b"):
        io(t, name, "--binary", "/bin/true", "--")
    files = ["results/iotrace/%s-iotrace.json" % name for name in ("a", "b")]
    one_line(profile(t, "compare", *files, status=2), "both %s and %s have: base has a io; new has b io" % tuple(files))
    one_line(profile(t, "compare", "results", "--scenario", "c", status=2), "new has none of scenario c")


# ---- the target

@test
def profile_binary_names_the_target(t):
    env = {"PROFILE_BINARY": "/bin/echo"}
    eq(io(t, "x", "--", "env", env=env).out, "env\n", "output")
    eq(io(t, "x", "--binary", "/bin/true", "--", "env", env=env).out, "", "--binary wins")
    write(t, "profile-scenario.json", {"target": {"binary": "/bin/false"}, "scenarios": {"x": {"args": ["a"]}}})
    eq(io(t, "x", env=env).out, "a\n", "it wins over the catalogue")
    io(t, "x", status=1)


@test
def a_missing_target_is_built(t):
    build = "echo building; printf '#!/bin/sh\\necho built\\n' >prog; chmod +x prog"
    write(t, "profile-scenario.json",
          {"target": {"binary": "./prog", "build": build}, "scenarios": {"x": {"types": ["io"]}}})
    r = profile(t, "--scenario", "x")
    eq(r.out, "built\n", "output")
    check("is missing, building it" in r.err and "building\n" in r.err, "the build is shown: %s" % r)
    check("building" not in profile(t, "--scenario", "x").err, "it is built once")


@test
def a_target_that_cannot_be_built(t):
    write(t, "profile-scenario.json", {"target": {"binary": "./prog", "build": "exit 9"}, "scenarios": {"x": {}}})
    r = io(t, "x", status=2)
    check("failed with status 9" in r.err, str(r))
    no_files(t)


@test
def a_program_that_lies_here(t):
    """A name without a slash is that of PATH; only where PATH has none, of the working directory."""
    write(t, "relay", "#!/bin/sh\necho relay here\n", 0o755)
    r = io(t, "x", "--binary", "relay")
    eq(r.out, "relay here\n", "output")
    check("note: target relay is ./relay: PATH has none\n" in r.err, r.err)
    check("target   ./relay" in io(t, "x", "--binary", "relay", "--dry-run").out, "the dry run shows it")
    os.mkdir(t.path("bin"))
    write(t, "bin/relay", "#!/bin/sh\necho relay of PATH\n", 0o755)
    env = {"PATH": "%s:%s" % (t.path("bin"), os.environ["PATH"])}
    r = io(t, "x", "--binary", "relay", env=env)
    eq(r.out, "relay of PATH\n", "output where both have it")
    check("note: target relay is that of PATH, %s; for the one here say ./relay\n" % t.path("bin/relay") in r.err, r.err)
    r = io(t, "x", "--binary", "./relay", env=env)
    eq((r.out, said(r)), ("relay here\n", ""), "with a slash nothing is looked up")
    write(t, "plain", "no program")
    one_line(io(t, "x", "--binary", "plain", status=2), "target plain not found")


def nobody_can_run(t):
    """The programs where user nobody can execute them, and a directory for results."""
    need_root()
    pw = pwd.getpwnam("nobody")
    for_others(t, os.path.join(BIN, "profile-scenario"), os.path.join(BIN, "iotrace"))
    return pw.pw_uid


def as_nobody(t, *args, status=0):
    r = t.run([t.path("profile-scenario"), "-u", "nobody", "--scenario", "x", *map(str, args)], timeout=60)
    if status is not None:
        eq(r.status, status, "status of %s\n%s" % (args, r))
    return r


def owners(path):
    return {os.lstat(os.path.join(where, f)).st_uid for where, dirs, files in os.walk(path) for f in dirs + files + ["."]}


WHO = "touch %s-$(id -u)-$(id -G | tr ' ' -)-$(sed -n 's/^Uid://p' /proc/self/status | tr '\\t' -)"


@test
def a_target_of_another_user(t):
    """Target and files are the user's, wholly; load, helper, ready command and build are the caller's."""
    uid = nobody_can_run(t)
    os.chmod(t.path("."), 0o777)
    write(t, "profile-scenario.json", {"target": {"binary": "/bin/sh"}, "scenarios": {"x": {
        "args": ["-c", WHO % "target" + "; touch up; exec sleep 1000"], "types": ["io"],
        "helpers": [WHO % "helper"], "ready": WHO % "ready" + "; test -e up", "load": WHO % "load"}}})
    r = as_nobody(t, "--runs", 2, "--prepare", WHO % "prepare")
    made = sorted(f for f in os.listdir(t.dir) if re.match("(target|helper|ready|load|prepare)-", f))
    ids = {who: set(f[len(who) + 1:] for f in made if f.startswith(who)) for who in
           ("target", "helper", "ready", "load", "prepare")}
    for who, found in ids.items():
        want = uid if who == "target" else 0
        check(len(found) == 1 and next(iter(found)).startswith("%d-" % want), "%s: %s" % (who, found))
        eq(next(iter(found)).split("--")[-1].split("-")[-4:], [str(want)] * 4, "real, effective, saved: " + who)
    eq(owners(t.path("results")), {uid}, "who owns the results")
    j = result(t, "x")
    check(j["complete"], "a whole result: %s" % r)


@test
def what_the_user_may_not_write(t):
    """As that user: a link of the user's leads nowhere that only root may write."""
    uid = nobody_can_run(t)
    os.mkdir(t.path("closed"), 0o755)
    r = as_nobody(t, "--type", "io", "--output-dir", "closed", "--binary", "/bin/true", status=2)
    one_line(r, "closed", "Permission denied")
    eq(os.listdir(t.path("closed")), [], "nothing is made there")
    write(t, "secret", "root only\n", 0o600)
    os.makedirs(t.path("results/iotrace"))
    os.symlink(t.path("secret"), t.path("results/iotrace/x-iotrace.json"))
    for path in ("results", "results/iotrace"):
        os.chown(t.path(path), uid, uid)
    as_nobody(t, "--type", "io", "--binary", "/bin/true")
    check(not os.path.islink(t.path("results/iotrace/x-iotrace.json")), "the link is replaced")
    eq((text_of(t, "secret"), os.stat(t.path("secret")).st_uid), ("root only\n", 0), "what it led to")
    r = t.run([t.path("profile-scenario"), "-u", "no-such-user", "--scenario", "x", "--binary", "/bin/true"])
    eq(r.status, 2, "status")
    one_line(r, "-u: no user 'no-such-user'")
    r = t.run([t.path("profile-scenario"), "-u", "nobody", "--attach", str(os.getpid()), "--duration", "1"])
    one_line(r, "--user is of a target that is started")


@test
def every_type_of_another_user(t):
    uid = nobody_can_run(t)
    need_tool("valgrind")
    as_nobody(t, "--type", "memory", "--binary", "/bin/true")
    eq(owners(t.path("results")), {uid}, "who owns the results")
    need_tool("perf")
    r = as_nobody(t, "--type", "cpu", "--binary", "/bin/sh", "--", "-c", "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done",
                  status=None)
    if r.status == 125:
        raise Skip("nobody may not sample here: " + r.err)
    eq((r.status, owners(t.path("results"))), (0, {uid}), "type cpu")
    check(os.path.exists(t.path("results/flamegraphs/x-cpu.json")), "its result")


@test
def a_command_prepares_the_target(t):
    """--set writes a value wherever its name stands; --prepare is run before the target is looked for."""
    make = "echo making; printf '#!/bin/sh\\necho {what} $1\\n' >prog-{what}; chmod +x prog-{what}"
    r = io(t, "x", "--set", "what=red", "--prepare", make, "--binary", "./prog-{what}", "--", "a{what}b{what}")
    eq(r.out, "red aredbred\n", "output")
    check("making\n" in r.err, "what it prints is shown: " + r.err)
    r = io(t, "x", "--prepare", "echo no; exit 9", "--binary", "/bin/true", status=2)
    check("the command to prepare failed with status 9: echo no; exit 9" in r.err, r.err)
    write(t, "profile-scenario.json", {"target": {"binary": "/bin/sh"}, "scenarios": {"s": {
        "args": ["-c", "echo $COLOR {n}"], "env": {"COLOR": "c{n}"}, "types": ["io"]}}})
    eq(profile(t, "--scenario", "s", "--set", "n=7").out, "c7 7\n", "in the catalogue's")
    one_line(io(t, "x", "--set", "n=7", "--binary", "/bin/true", status=2), "{n} stands nowhere")
    for bad in ("n", "=7", "1=7", "a b=7"):
        one_line(io(t, "x", "--set", bad, "--binary", "/bin/true", status=2), "'%s' is not NAME=VALUE" % bad)
    no = profile(t, "--scenario", "s", "--set", "n=7", "--prepare", "make {n}", "--dry-run").out
    check("prepare  make 7\n" in no, no)


@test
def bad_targets(t):
    write(t, "plain", "no program")
    for args, parts in ((["--binary", "./none"], ("./none not found",)),
                        (["--binary", "no-such-program-here"], ("not found",)),
                        (["--binary", "./plain"], ("not an executable",)),
                        (["--binary", "/tmp"], ("not an executable",)),
                        (["--", "sh", "-c", "true"], ("no target", "--binary sh")),
                        ([], ("no target", "--binary", "PROFILE_BINARY"))):
        one_line(io(t, "x", *args, status=2), *parts)
    no_files(t)


# ---- the catalogue

@test
def a_scenario_from_the_catalogue(t):
    os.mkdir(t.path("sub"))
    write(t, "sub/input", "the input\n")
    write(t, "prog", "#!/bin/sh\npwd | sed 's|.*/||'; echo $1 $GREETING ${HOME-unset}; cat\n", 0o755)
    write(t, "other.json", {"target": {"binary": "./prog"}, "scenarios": {"x": {
        "args": ["one"], "env": {"GREETING": "hello", "HOME": None}, "cwd": "sub", "stdin": "input",
        "types": ["io"], "trace": "write", "runs": 1, "timeout": "20"}}})
    eq(profile(t, "--config", "other.json", "--scenario", "x").out,
       "sub\none hello unset\nthe input\n", "output")
    eq([s["name"] for s in result(t, "x")["syscalls"]], ["write"], "only write is traced")
    eq(profile(t, "--config", "other.json", "--scenario", "x", "--", "two").out,
       "sub\ntwo hello unset\nthe input\n", "arguments after -- replace the catalogue's")


@test
def a_server_from_the_catalogue(t):
    port = free_port()
    write(t, "profile-scenario.json", {"target": {"binary": PYTHON}, "scenarios": {"srv": {
        "args": ["-c", SERVER, str(port), "0", "-1"], "types": ["io"], "runs": 2, "ready": "udp:%d" % port,
        "load": [PYTHON, "-c", CLIENT, str(port), "5", "0"],
        "work": {"unit": "query", "from": "load", "regex": r"completed: +(\d+)"},
        "limits": {"calls_per_work": "<= 2"}}}})
    eq(said(profile(t, "--scenario", "srv")), "", "nothing to say of limits that are met")
    j = result(t, "srv")
    eq((j["work"]["count"], j["runs"]["count"], call(j, "sendto")["ok"]), (5, 2, 5), "result")


@test
def a_command_instead_of_the_target(t):
    write(t, "profile-scenario.json", {"scenarios": {
        "list": {"command": ["echo", "a"], "types": ["io"]}, "shell": {"command": "echo b; exit 3", "types": ["io"]}}})
    eq(profile(t, "--scenario", "list").out, "a\n", "a list")
    eq(profile(t, "--scenario", "shell", status=3).out, "b\n", "a string is for the shell")
    one_line(profile(t, "--scenario", "shell", "--", "x", status=2), "shell text")


@test
def errors_in_the_catalogue_have_line_and_column(t):
    for text, parts in (
            ('{\n  "scenarios": {,\n}', ("bad.json", "line 2")),
            ('', ("bad.json",)),
            ('[]', ("bad.json", "object")),
            ('{\n "target": {"binary": "a"},\n "scenarois": {}\n}', ("line 3 column 2", "scenarois", "unknown key")),
            ('{"scenarios": {"a": {"runs": 1},\n "b": {"runs": "two"}}}', ("line 2 column 8", "scenarios.b.runs", "whole number")),
            ('{"scenarios": {"a": {"runs": 0}}}', ("column 22", "at least 1")),
            ('{"scenarios": {\n"a": {\n\t"work": {"unit": "q", "regexp": "x"}}}}', ("line 3 column 24", "work.regexp")),
            ('{"scenarios": {"a": {"args": ["x", 1]}}}', ("scenarios.a.args", "list of strings")),
            ('{"scenarios": {"a": {"timeout": -1}}}', ("a.timeout", "seconds")),
            ('{"scenarios": {"../x": {}}}', ("column 16", "name")),
            ('{"scenarios": {\n"a": {"helpers": [{"ready": "x"}]}}}', ("line 2 column 7", "a.helpers", "needs a command"))):
        write(t, "bad.json", text)
        one_line(io(t, "a", "--config", "bad.json", "--binary", "true", status=2), *parts)
    no_files(t)
    one_line(io(t, "a", "--config", "none.json", status=2), "none.json")


@test
def a_name_that_is_not_in_the_catalogue(t):
    write(t, "profile-scenario.json", {"target": {"binary": "true"}, "scenarios": {"alpha": {}, "beta": {}}})
    one_line(io(t, "alhpa", status=2), "no scenario alhpa", "alpha, beta")


@test
def list_as_wide_as_the_terminal(t):
    """Lines that are too long for the terminal are folded, in any locale, and no name is cut; elsewhere they are lines."""
    name = "a.scenario-with_a-name-of-50-characters.0123456789"
    words = ["a-program-with-a-rather-long-name", "--option=" + "x" * 80, "sch\u00f6n", "two\nlines"]
    write(t, "profile-scenario.json", {"scenarios": {name: {"command": words, "types": ["io", "cpu"],
                                                              "load": "sleep 1", "ready": "true"},
                                                       "b": {"args": ["1"]}}})
    lines = profile(t, "list").out
    eq(len(lines.splitlines()), 4, "lines:\n" + lines)
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LC_ALL", "LANG")}
    for columns, more in ((60, {}), (60, {"LC_ALL": "C"}), (200, {"COLUMNS": "60"}), (40, {})):
        text = on_terminal([os.path.join(BIN, "profile-scenario"), "list"], columns, cwd=t.dir, env={**env, **more})
        fits(text, int(more.get("COLUMNS", columns)), name, words[0], words[1], words[2], "io,cpu", "load sleep 1", "b")
    eq(on_terminal([os.path.join(BIN, "profile-scenario"), "list"], 250, cwd=t.dir, env=env), lines, "where there is room")


@test
def the_catalogue_is_listed(t):
    write(t, "profile-scenario.json", {"target": {"binary": "/bin/x"}, "scenarios": {
        "alpha": {"args": ["-p", "1 2"], "types": ["io", "cpu"], "runs": 5, "load": "hey | tee"}, "beta": {}}})
    r = profile(t, "list")
    for part in ("alpha", "io,cpu", "/bin/x -p '1 2'", "load: hey | tee", "beta"):
        check(part in r.out, "%r in %s" % (part, r))
    one_line(profile(t, "list", "--config", "none.json", status=2), "none.json")


@test(timeout=120)
def the_shipped_examples_work(t):
    examples = os.path.join(ROOT, "docs", "examples")
    for name in sorted(x for x in os.listdir(examples) if x.endswith(".json")):
        profile(t, "list", "--config", os.path.join(examples, name))
    everyday = os.path.join(examples, "everyday.json")
    if not os.access("/usr/bin/python3", os.X_OK):
        raise Skip("there is no /usr/bin/python3")
    turn = open(everyday)  # the other test that runs it uses the same port: one at a time
    fcntl.flock(turn, fcntl.LOCK_EX)
    with open(everyday) as f:
        scenario = json.load(f)["scenarios"]["http-server"]
    port = int(scenario["ready"].split(":")[1])
    for _ in range(100):  # the test of all examples may be using it
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) != 0:
                break
        time.sleep(0.2)
    else:
        raise Skip("port %d is taken" % port)
    profile(t, "run", "--all", "--config", everyday, "--type", "io", "--runs", "1")
    j = result(t, "http-server")
    eq(j["work"], {"unit": "request", "count": 200}, "work")
    check(0 < j["load"]["latency_ns"] < 1e9, "latency: %s" % j["load"])
    # dd writes 8,000 blocks, and cat passes on what it read.
    check(call(result(t, "copy"), "write")["bytes"]["transferred"] >= 2 * 8000 * 65536, "bytes of copy")


# ---- the command line

def commands(t):
    """Those that --help lists."""
    named = re.findall(r"^  ([a-z]+) ", profile(t, "--help").out.split("commands (", 1)[1].split("\n\n", 1)[0], re.M)
    check(len(named) > 8, "commands: %s" % named)
    return named


@test
def every_option_is_in_the_man_page(t):
    with open(os.path.join(ROOT, "docs", "man", "profile-scenario.1")) as f:
        page = f.read().replace("\\-", "-")
    for command in commands(t):
        options = set(re.findall(r"^  (?:-\w, )?(--[a-z-]+)", profile(t, command, "--help").out, re.M))
        check(len(options) >= 3, "options in %s --help: %s" % (command, sorted(options)))
        for option in options:
            check(re.search(re.escape(option) + r"(?![a-z-])", page), "%s of %s is not in the man page" % (option, command))


@test
def help_is_as_wide_as_the_terminal(t):
    """Of both programs and every command: no line is wider, and the words are the same as in a pipe, where 100 columns are."""
    program = os.path.join(BIN, "profile-scenario")
    for argv in [[os.path.join(BIN, "iotrace")], [program]] + [[program, name] for name in commands(t)]:
        wide = t.run(argv + ["--help"], user=False).out
        check(60 < max(map(len, wide.splitlines())) <= 100, wide)
        narrow = on_terminal(argv + ["--help"], 60)
        eq([x for x in narrow.splitlines() if len(x) > 60], [], "lines that are too wide: %s" % argv)
        eq("".join(narrow.split()), "".join(wide.split()), "words of %s" % argv)


@test
def help_and_version_are_on_stdout(t):
    for args in (["--help"], ["-h"], ["run", "--help"], ["list", "--help"], ["list", "-h"]):
        r = profile(t, *args)
        check("--config FILE" in r.out and not r.err, str(r))
    for args in (["--version"], ["-V"], ["list", "-V"]):
        r = profile(t, *args)
        check(r.out.startswith("profile-scenario ") and not r.err, str(r))


@test
def bad_usage(t):
    ok = ["--binary", "true"]
    for args, parts in (
            ([], ("--scenario",)),
            (["--type", "io"] + ok, ("--scenario",)),
            (["--scenario", "a/b", "--type", "io"] + ok, ("a/b", "name")),
            (["--scenario", ".a", "--type", "io"] + ok, (".a",)),
            (["--scenario", "", "--type", "io"] + ok, ("name",)),
            (["--scenario", "a" * 300, "--type", "io"] + ok, ("name",)),
            (["--scenario", "a", "--type", "disk"] + ok, ("disk", "cpu, memory, io", " or all")),
            (["--scenario", "a", "--type", "io", "--mode", "fast"] + ok, ("fast", "auto or ptrace")),
            (["--scenario", "a", "--runs", "0"] + ok, ("--runs",)),
            (["--scenario", "a", "--runs", "x"] + ok, ("--runs",)),
            (["--scenario", "a", "--timeout", "-1"] + ok, ("--timeout",)),
            (["--scenario", "a", "--sampling-rate", "0"] + ok, ("--sampling-rate",)),
            (["--scenario"], ("--scenario", "value")),
            (["--scenraio", "a"], ("--scenraio",)),
            (["--scenario", "a", "--show-output=1"], ("--show-output",)),
            (["run", "--scenario", "a", "ls"], ("ls", "--")),
            (["--scenario", "a", "--type", "io", "--ready", "udp:x", "--load", "true"] + ok, ("udp:x",)),
            (["--scenario", "a", "--type", "io", "--ready", "udp:5"] + ok, ("--load",)),
            (["--scenario", "a", "--type", "io", "--load", "true", "--work", "q=x"] + ok, ("group",)),
            (["--scenario", "a", "--type", "io", "--load", "true", "--work", "q=(x"] + ok, ("(x",)),
            (["--scenario", "a", "--type", "io", "--load", "true", "--work", "(x)"] + ok, ("UNIT=REGEX",)),
            (["frobnicate"], ("frobnicate",)),
            # what was meant
            (["--scenraio", "a"], ("did you mean '--scenario'?",)),
            (["--scenario", "a", "--laod=x"] + ok, ("unknown option '--laod'; did you mean '--load'?",)),
            (["comapre"], ("did you mean 'compare'?",)),
            (["compare", "a", "--markdwon", "x"], ("did you mean '--markdown'?",)),
            (["compare", "a", "b", "--markdwon", "x"], ("did you mean '--markdown'?",)),
            (["--scenario", "a", "--type", "oi"] + ok, ("cpu, memory, io", " or all; did you mean 'io'?")),
            (["--scenario", "a", "--ready", "tpc:7777", "--load", "true"] + ok,
             ("neither udp:PORT nor tcp:PORT nor a command; did you mean 'tcp:7777'?",)),
            (["--scenario", "a", "--ready", "localhost:80", "--load", "true"] + ok, ("'localhost:80' is neither",)),
            (["--scenario", "a", "-x"] + ok, ("there is no such option",)),
            (["list", "-q"], ("there is no such option",)),
            (["/bin/true"], ("unknown command '/bin/true'; a target is given by --binary",)),
            (["--scenario", "a", "--ready", "5300", "--load", "true"] + ok, ("a port is udp:5300 or tcp:5300",)),
            (["run", "./x"], ("'./x': a target is given by --binary, its arguments after --",)),
            (["list", "x"], ("'x': no argument is taken",)),
            # where nothing is yet
            (["list"], ("no catalogue", "--config FILE names another")),
            (["accept", "a"], ("no catalogue", "--config FILE names another")),
            (["report"], ("no results in results: run a scenario first",)),
            (["report", "--scenario", "a"], ("no results of a in results: run a scenario first",)),
            (["analyze"], ("no results in results: run a scenario first",)),
            (["baseline", "save", "1"], ("no results in results: run a scenario first",)),
            (["compare", "1"], ("no baseline in results/baselines (baseline list names those there are)",)),
            (["history"], ("history is followed by add, list, show, trend, check, merge or prune (see",))):
        one_line(profile(t, *args, status=2), *parts)
    no_files(t)


@test
def directories_are_made_and_must_be_writable(t):
    io(t, "x", "--binary", "/bin/true", "--output-dir", "a/b/c")
    result(t, "x", out="a/b/c")
    write(t, "file", "")
    one_line(io(t, "x", "--binary", "/bin/true", "--output-dir", "file", status=2), "file")
    os.mkdir(t.path("closed"), 0o555)
    if os.geteuid() == 0 and not USER:
        one_line(io(t, "x", "--binary", "/bin/true", "--output-dir", "/proc/closed", status=2), "/proc/closed")
    else:
        one_line(io(t, "x", "--binary", "/bin/true", "--output-dir", "closed/r", status=2), "closed")


@test
def a_bad_trace_set_is_told(t):
    write(t, "profile-scenario.json", {"target": {"binary": "true"}, "scenarios": {"x": {"trace": "sendmsgg"}}})
    r = io(t, "x", status=2)
    check("sendmsgg" in r.err, str(r))
    no_files(t)
    nothing_left(t)


@test
def iotrace_is_taken_from_beside_it(t):
    # Alone in a directory, without an iotrace in PATH: the type cannot run.
    os.mkdir(t.path("alone"))
    with open(os.path.join(BIN, "profile-scenario"), "rb") as f, open(t.path("alone/profile-scenario"), "wb") as g:
        g.write(f.read())
    os.chmod(t.path("alone/profile-scenario"), 0o755)
    argv = [t.path("alone/profile-scenario"), "--scenario", "x", "--type", "io", "--binary", "/bin/true"]
    env = {"PATH": "/usr/bin:/bin"}
    if os.path.exists("/usr/bin/iotrace"):
        raise Skip("an iotrace is installed in /usr/bin")
    r = t.run(argv, env=env)
    eq(r.status, 125, "status\n%s" % r)
    one_line(r, "iotrace is neither beside")
    eq(t.run(argv + ["--skip-unavailable"], env=env).status, 0, "--skip-unavailable")
    eq(t.run(argv, env={"PATH": BIN + ":/usr/bin:/bin"}).status, 0, "found in PATH")


if __name__ == "__main__":
    main()
