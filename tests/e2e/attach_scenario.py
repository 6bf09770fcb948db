#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario --attach, and scenarios that attach for the window: what runs is profiled and left as it was."""
import contextlib
import fcntl
import hashlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import children, gone, status_of, steady, wait_until_it_works
from profile_scenario import (BIN, CLIENT, PYTHON, SERVER, call, client, codes, io, no_files, nothing_left,
                              one_line, said, profile, result, text_of, write)
from runner import on_a_terminal
from schema import Schema
import tap
from tap import (ROOT, Failure, Skip, at_some_pace, check, eq, free_port, main, need_perf, need_recorder, need_root,
                 need_tool, only_from, test, wait_for, wait_for_text)

# SERVER, but every signal that can be caught is written to the file argv[4], and it does not end by one.
WATCHFUL = r"""
import os, signal, sys
log = os.open(sys.argv[4], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for n in range(1, 32):
    if n not in (signal.SIGKILL, signal.SIGSTOP, signal.SIGSEGV, signal.SIGCHLD):
        signal.signal(n, lambda number, _frame: os.write(log, b"%d\n" % number))
""" + SERVER

NOTE = "profile-scenario: note: "


def answers(port):
    """One question to the server; raises if it does not answer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.settimeout(10)
        s.sendto(b"q", ("127.0.0.1", port))
        return s.recv(100) == b"q"


def started(t, *, life=-1, code=SERVER, extra=()):
    """A server that nobody traces; returns it and its port, when it answers."""
    port = free_port()
    p = t.start([PYTHON, "-c", code, str(port), "0", str(life), *extra])
    wait_for("its socket", lambda: p.poll() is not None or ("%04X " % port) in text_of(t, "/proc/net/udp"))
    check(p.poll() is None, "the server lives")
    return p, port


def unharmed(p, port):
    eq(status_of(p.pid).get("TracerPid"), "0", "nobody traces it any more")
    check(p.poll() is None and answers(port), "it lives and answers")


def cpu_result(t, name):
    with open(t.path("results/flamegraphs/%s-cpu.json" % name)) as f:
        return json.load(f)


def is_valid(j, schema="result.schema.json"):
    eq(Schema(os.path.join(ROOT, "docs", schema)).errors(j), [], "the result against its schema")


def background(t, *args, **kw):
    env = {k: v for k, v in os.environ.items() if k != "PROFILE_BINARY"}
    return t.start([os.path.join(BIN, "profile-scenario"), *map(str, args)], env=env, **kw)


def traced(pid):
    return status_of(pid).get("TracerPid", "0") != "0"


def has_heard(pid):
    """Whether iotrace, which traces this process, has read the line that asks whether it has attached."""
    with contextlib.suppress(OSError, KeyError, ValueError):
        tool = status_of(int(status_of(pid)["TracerPid"]))["Tgid"]
        with open("/proc/%s/cmdline" % tool) as f:
            argv = f.read().split("\0")
        control = os.open("/proc/%s/fd/%s" % (tool, argv[argv.index("--control-fd") + 1]), os.O_RDONLY | os.O_NONBLOCK)
        try:
            return not any(fcntl.ioctl(control, termios.FIONREAD, bytes(4)))
        finally:
            os.close(control)
    return False


def wait_attached(p, pid):
    wait_for("attached", lambda: p.poll() is not None or has_heard(pid))
    check(p.poll() is None, "it has ended: %s" % (p.communicate()[1] if p.poll() is not None else ""))


# ---- what runs already

@test
def for_a_time(t):
    """By its number, for --duration; what is known of it is in the result."""
    p, port = started(t)
    r = profile(t, "--attach", p.pid, "--type", "io", "--duration", "0.3", "--scenario", "srv")
    eq(r.err.startswith(NOTE + "attaching to process %d, %s " % (p.pid, PYTHON)), True, "said: %s" % r)
    eq(said(r).count("\n"), 1, "in one line: %s" % r)
    j = result(t, "srv")
    is_valid(j)
    eq((j["complete"], j["exit"], j["load"], j["scenario"]), (True, None, None, "srv"), "result")
    eq(j["attached"], {"pid": p.pid, "processes": 1, "started": False}, "attached")
    eq(j["command"], [PYTHON, "-c", SERVER, str(port), "0", "-1"], "command")
    with open("/proc/%d/exe" % p.pid, "rb") as f:
        eq(j["environment"]["target_sha256"], hashlib.sha256(f.read()).hexdigest(), "its file")
    eq(j["environment"]["target_path"], os.path.realpath(PYTHON), "path of its file")
    eq((j["environment"]["cwd"], j["environment"]["uid"]), (t.dir, os.stat("/proc/%d" % p.pid).st_uid), "where, whose")
    check(j["window"]["wall_ns"] >= 300000000, "window: %r" % j["window"])
    unharmed(p, port)
    nothing_left(t)


def exact_counts(t, mode):
    p, port = started(t)
    answers(port)
    for i in range(1, 4):
        io(t, "srv", "--attach", p.pid, "--mode", mode, "--load", client(port, 30 * i),
           "--work", r"query=completed: +(\d+)")
        j = result(t, "srv")
        eq((j["complete"], j["exit"], j["work"]["count"], j["load"]["status"]), (True, None, 30 * i, 0), "result")
        eq(call(j, "sendto")["ok"], 30 * i, "answers sent, in the window")
        unharmed(p, port)
        answers(port)
    io(t, "srv", "--attach", p.pid, "--mode", mode, "--load", client(port, 20), "--runs", "3", "--warmup", "1")
    for k in (1, 2, 3):
        eq((call(result(t, "srv", run=k), "sendto")["ok"], result(t, "srv", run=k)["attached"]["pid"]), (20, p.pid),
           "run %d" % k)
    eq(result(t, "srv")["runs"]["count"], 3, "runs")
    eq(sorted(os.listdir(t.path("results/logs"))), ["srv-%s-load.log" % k for k in ("1", "2", "3", "w1")], "logs")
    unharmed(p, port)


for _mode in ("auto", "ptrace"):
    test(lambda t, m=_mode: exact_counts(t, m), name="as_many_as_the_load_says__" + _mode)


@test
def ready_is_asked_of_what_runs(t):
    p, port = started(t)
    io(t, "srv", "--attach", p.pid, "--ready", "udp:%d" % port, "--load", client(port, 5))
    eq(call(result(t, "srv"), "sendto")["ok"], 5, "answers")
    shutil.rmtree(t.path("results"))
    r = io(t, "srv", "--attach", p.pid, "--ready", "udp:1", "--ready-timeout", "0.2", "--load", "touch ran", status=2)
    check("not ready within 0.2 s" in r.err and not os.path.exists(t.path("ran")), str(r))
    unharmed(p, port)
    no_files(t)


@test
def redis_says_the_same(t):
    """A GET is one write of the server, by its own count of them; the two commands with which the load begins come
    in one segment or two."""
    need_tool("redis-server")
    bench, cli = need_tool("redis-benchmark"), need_tool("redis-cli")
    port = free_port(socket.SOCK_STREAM)
    p = t.start(["redis-server", "--port", str(port), "--save", "", "--io-threads", "1"])

    def commands():
        out = t.run([cli, "-p", str(port), "info", "commandstats"]).out
        return int((re.findall(r"cmdstat_get:calls=(\d+)", out) or ["0"])[0])

    wait_for("redis", lambda: "PONG" in t.run([cli, "-p", str(port), "ping"]).out)
    for mode in ("auto", "ptrace"):
        before = commands()
        io(t, "redis", "--attach", p.pid, "--mode", mode, "--load",
           "%s -p %d -n 3000 -c 4 -P 1 -q -t get" % (bench, port), "--show-output")
        made = commands() - before
        j = result(t, "redis")
        replies = sum(row["calls"] for fd in j["fds"] if "TCP" in (fd["target"] or "") or "tcp" in (fd["target"] or "")
                      for row in fd["syscalls"] if row["name"] in ("write", "writev"))
        eq(made, 3000, "commands, as the server counts them")
        check(replies - made in (1, 2), "%s: %d replies to %d GETs" % (mode, replies, made))
        eq((status_of(p.pid)["TracerPid"], t.run([cli, "-p", str(port), "ping"]).out), ("0", "PONG\n"), "unharmed")
    check(p.poll() is None, "it lives")


NGINX = """
daemon off; worker_processes 2; pid %(dir)s/nginx.pid; error_log %(dir)s/error.log;
events { worker_connections 64; }
http {
    access_log %(dir)s/access.log; keepalive_timeout 0;
    client_body_temp_path %(dir)s/a; proxy_temp_path %(dir)s/b; fastcgi_temp_path %(dir)s/c;
    uwsgi_temp_path %(dir)s/d; scgi_temp_path %(dir)s/e;
    server { listen 127.0.0.1:%(port)d; location / { return 200 "x"; } }
}
"""
GETS = """
import sys, urllib.request
for i in range(int(sys.argv[2])):
    assert urllib.request.urlopen("http://127.0.0.1:%s/" % sys.argv[1]).read() == b"x"
"""


@test
def nginx_with_its_workers(t):
    """An answer each, as its own log counts them; by the name that master and workers share."""
    nginx = need_tool("nginx")
    port = free_port(socket.SOCK_STREAM)
    name = "aps-nginx-%d" % (os.getpid() % 10000)
    os.symlink(nginx, t.path(name)) # the kernel's name is that of what was executed
    master = t.start([t.path(name), "-p", t.dir, "-c", write(t, "nginx.conf", NGINX % {"dir": t.dir, "port": port})])
    wait_for("nginx", lambda: master.poll() is not None or len(children(master.pid)) == 2)
    load = "%s -c '%s' %d 40" % (PYTHON, GETS, port)

    def log_has(lines):
        """A worker writes there when the client has its answer."""
        wait_for("%d lines in its log" % lines, lambda: len(text_of(t, "access.log").splitlines()) == lines)

    for mode in ("auto", "ptrace"):
        logged = len(text_of(t, "access.log").splitlines()) if mode == "auto" else logged + 43
        log_has(logged)
        r = profile(t, "--attach", name, "--type", "io", "--mode", mode, "--ready", "tcp:%d" % port, "--load", load)
        check("and 2 descendants" in r.err, str(r))
        j = result(t, name)
        eq((j["attached"]["pid"], j["attached"]["processes"]), (master.pid, 3), "whom")
        log_has(logged + 40)
        eq(call(j, "writev")["ok"], 40, "%s: answers" % mode)
        workers = children(master.pid)
        eq([p for p in [master.pid] + workers if status_of(p)["TracerPid"] != "0"], [], "who is traced still")
        check(master.poll() is None and len(workers) == 2, "all live")
        eq(t.run([PYTHON, "-c", GETS, str(port), "3"]).status, 0, "it answers")


@test
def postgresql_with_its_backends(t):
    """A backend for each connection, made before and while it is attached to; commits as it counts them."""
    need_root()
    psql = need_tool("psql")
    found = sorted(d for d in (os.listdir("/usr/lib/postgresql") if os.path.isdir("/usr/lib/postgresql") else [])
                   if os.path.exists("/usr/lib/postgresql/%s/bin/initdb" % d))
    if not found:
        raise Skip("the server of PostgreSQL is not installed")
    where, data, port = "/usr/lib/postgresql/%s/bin" % found[-1], t.path("data"), free_port(socket.SOCK_STREAM)
    argv = [tap._tool("setpriv"), "--reuid=nobody", "--regid=nogroup", "--clear-groups", "--"]
    eq(t.run(argv + [where + "/initdb", "-D", data, "-A", "trust", "-U", "u", "-N"], timeout=60).status, 0, "initdb")
    server_ = t.start(argv + [where + "/postgres", "-D", data, "-p", str(port), "-k", t.dir, "-c", "fsync=off",
                              "-c", "listen_addresses="])
    ask = [psql, "-h", t.dir, "-p", str(port), "-U", "u", "-d", "postgres", "-qAt", "-c"]
    wait_for("the server", lambda: server_.poll() is not None or t.run(ask + ["select 1"]).out == "1\n")
    held = t.start(ask[:-1] + ["-f", "-"], stdin=subprocess.PIPE) # a connection from before
    held.stdin.write(b"select 5;\n")
    held.stdin.flush()
    eq(held.stdout.readline(), b"5\n", "the older connection")
    load = "%s; %s" % (" ".join(ask[:-1]) + " -c 'select pg_sleep(0.01)'",
                       "; ".join([" ".join(ask[:-1]) + " -c 'select 2'"] * 7))
    r = profile(t, "--attach", server_.pid, "--type", "io", "--scenario", "pg", "--ready", "test -S %s/.s.PGSQL.%d"
                % (t.dir, port), "--load", load)
    j = result(t, "pg")
    check(re.search(r"and \d+ descendants", r.err) and j["attached"]["processes"] > 3, "%s" % r)
    eq(j["processes"] - j["attached"]["processes"] >= 8, True, "a backend for each of 8 connections: %d and %d"
       % (j["attached"]["processes"], j["processes"]))
    eq((j["environment"]["uid"], os.path.basename(j["environment"]["target_path"])), (65534, "postgres"), "whose")
    held.stdin.write(b"select 6;\n")
    held.stdin.flush()
    eq(held.stdout.readline(), b"6\n", "the older connection lives")
    held.stdin.close()
    held.stdin = None
    server_.send_signal(signal.SIGINT)
    eq(t.finish(server_).status, 0, "it ends when it is told to")


# ---- who is meant

def named(t, name, *args):
    """A process of a name of its own."""
    path = t.path(name)
    if not os.path.exists(path):
        shutil.copy(t.target("attachee"), path)
    p = t.start([path, *args], stdin=subprocess.PIPE)
    eq(p.stdout.readline(), b"ready\n", "the target")
    return p


@test
def by_name(t):
    name = "aps-%d" % os.getpid()
    a = named(t, name, "busy", "1")
    profile(t, "--attach", name, "--type", "io", "--duration", "0.1")
    eq(result(t, name)["attached"]["pid"], a.pid, "whom")
    profile(t, "--attach", a.pid, "--type", "io", "--duration", "0.1", "--output-dir", "other")
    eq(result(t, name, out="other")["attached"]["pid"], a.pid, "the default name of the results")
    long = "aps-with-a-long-name-%d" % os.getpid()
    b = named(t, long, "busy", "1")
    for who, out in ((long, "1"), (b.pid, "2")):
        profile(t, "--attach", who, "--type", "io", "--duration", "0.1", "--output-dir", out)
        eq(result(t, long, out=out)["attached"]["pid"], b.pid, "a name that the kernel cuts")


@test
def a_name_that_nobody_has(t):
    name = "aps-%d" % os.getpid()
    one_line(profile(t, "--attach", name, "--duration", "1", status=2), "no process is called '%s'" % name)
    named(t, name, "busy", "1")
    one_line(profile(t, "--attach", name + "x", "--duration", "1", status=2), "did you mean '%s'" % name)
    one_line(profile(t, "--attach", "", "--duration", "1", status=2), "no process is called ''")
    one_line(profile(t, "--attach", "2147483646", "--duration", "1", status=2), "no process 2147483646")
    check(not os.path.exists(t.path("results")), "nothing is made")


@test
def a_name_that_several_have(t):
    name = "aps-%d" % os.getpid()
    a, b = named(t, name, "busy", "1"), named(t, name, "busy", "2")
    r = profile(t, "--attach", name, "--type", "io", "--duration", "0.1", status=2)
    one_line(r, "2 processes are called '%s'" % name, "%d (%s busy 1)" % (a.pid, t.path(name)),
             "%d (%s busy 2)" % (b.pid, t.path(name)))
    # As pidof and pgrep print them.
    def both(pids, pace):
        r = profile(t, "--attach", pids, "--type", "io", "--duration", 0.2 * pace, "--scenario", "x")
        check("1 other process" in r.err, str(r))
        eq({row["pid"] for row in result(t, "x")["threads"]}, {a.pid, b.pid}, "whose threads")

    for pids in "%d,%d" % (a.pid, b.pid), "%d %d" % (b.pid, a.pid):
        at_some_pace(lambda pace, pids=pids: both(pids, pace))


@test
def descendants_come_with_it(t):
    """A master and its workers have one name: the master is meant, with them."""
    name = "aps-%d" % os.getpid()
    root = named(t, name, "family", "3")
    wait_for("its children", lambda: len(children(root.pid)) >= 3)

    def all_of_it(pace):
        r = profile(t, "--attach", name, "--type", "io", "--duration", 0.3 * pace)
        j = result(t, name)
        n = int(re.search(r"and (\d+) descendants \(--no-tree leaves them out\)", r.err).group(1))
        check(n >= 3, "how many: %s" % r)
        eq(j["attached"]["pid"], root.pid, "whom")
        check(j["attached"]["processes"] >= 4 and "descendants" not in codes(j), "%r" % j["attached"])
        stay = {row["pid"] for row in j["threads"]}
        check(len([k for k in children(root.pid) if k in stay]) >= 3, "they are in the result")

    at_some_pace(all_of_it)
    r = profile(t, "--attach", name, "--no-tree", "--type", "io", "--duration", "0.2")
    j = result(t, name)
    check("descendant" not in r.err, str(r))
    eq((j["attached"]["processes"], "descendants" in codes(j)), (1, True), "alone, and that is said")
    check(root.poll() is None and len(children(root.pid)) >= 3, "all live")


@test
def whoever_runs_us_is_not_profiled_with_us(t):
    one_line(profile(t, "--attach", os.getpid(), "--type", "io", "--duration", "0.1", status=2),
             "profile-scenario itself is a descendant of process %d" % os.getpid(), "--no-tree")
    check(not os.path.exists(t.path("results")), "nothing is made")


# ---- how it ends

@test
def until_a_signal(t):
    for k, (number, group) in enumerate(((signal.SIGINT, False), (signal.SIGTERM, False), (signal.SIGINT, True))):
        p, port = started(t)
        for _ in range(20):
            run = background(t, "--attach", p.pid, "--type", "io", "--scenario", "x%d" % k)
            wait_attached(run, p.pid)
            for _ in range(5):
                answers(port)
            (os.killpg if group else os.kill)(run.pid, number)
            r = t.finish(run)
            if "before it was attached" not in r.err:
                break
            eq(r.status, 2, "too early: %s" % r)
        eq(r.status, 0, "a detach that was asked for: %s" % r)
        j = result(t, "x%d" % k)
        eq((j["complete"], j["exit"]), (True, None), "result: %r" % j["warnings"])
        check(call(j, "sendto")["ok"] <= 5, "answers")
        unharmed(p, port)
    nothing_left(t)


@test
def a_signal_during_the_load(t):
    p, port = started(t)
    run = background(t, "--attach", p.pid, "--type", "io", "--scenario", "x", "--runs", "3", "--load",
                     "echo $$ >load; exec sleep 50")
    load = int(wait_for_text(t.path("load")))
    run.send_signal(signal.SIGINT)
    r = t.finish(run)
    eq(r.status, 2, "status: %s" % r)
    j = result(t, "x")
    eq((j["complete"], "run_interrupted" in codes(j)), (False, True), "marked")
    check(gone(load), "the load is over")
    eq(len(os.listdir(t.path("results/iotrace/x.runs"))), 1, "no further run")
    unharmed(p, port)


def runs_here(t, pid):
    """Is it a profile-scenario of this test? False of one that is gone meanwhile."""
    try:
        return status_of(pid).get("Name") == "profile-scenari" and os.stat("/proc/%d" % pid).st_uid == os.getuid() and \
            os.readlink("/proc/%d/cwd" % pid) == os.path.realpath(t.dir)
    except (FileNotFoundError, ProcessLookupError):
        return False


@test
def ctrl_c_on_the_terminal(t):
    p, port = started(t)
    pid = os.fork()
    if pid == 0:
        # Presses the key when it is attached to.
        try:
            while not traced(p.pid):
                time.sleep(0.01)
            for q in os.listdir("/proc"):
                if q.isdigit() and runs_here(t, int(q)):
                    os.killpg(os.getpgid(int(q)), signal.SIGINT)
        finally:
            os._exit(0)
    seen = on_a_terminal(t, "--attach", p.pid, "--type", "io", "--scenario", "x")
    os.waitpid(pid, 0)
    check("wrote results/iotrace/x-iotrace.json" in seen, "%r" % seen)
    unharmed(p, port)


@test
def no_signal_ever_comes_to_it(t):
    """Every way to end: the target has handlers for all signals."""
    p, port = started(t, code=WATCHFUL, extra=[t.path("signals")])
    who = ["--attach", p.pid, "--scenario", "x", "--grace", "0.2", "--type"]
    need = ["io"] + (["cpu"] if shutil.which("perf") else [])
    for kind in need:
        profile(t, *who, kind, "--duration", "0.1", status=None)
        profile(t, *who, kind, "--load", "true", status=None)
        eq(profile(t, *who, kind, "--load", "exit 3", status=None).status in (2, 125), True, "the load failed")
        eq(profile(t, *who, kind, "--timeout", "0.7", status=None).status in (124, 125), True, "time limit")
        eq(profile(t, *who, kind, "--timeout", "0.7", "--load", "sleep 20", status=None).status in (2, 125), True,
           "time limit in the load")
        run = background(t, *who, kind, "--load", "trap '' TERM INT; echo >load; sleep 50 & wait; sleep 50")
        wait_for_text(t.path("load"))
        os.unlink(t.path("load"))
        for _ in range(2):
            os.killpg(run.pid, signal.SIGTERM)
            time.sleep(1.1) # another one, not the same again: common/runner/signal_word.h
        eq(t.finish(run).status in (2, 125), True, "signals twice")
        # Whoever kills us does not kill it.
        run = background(t, *who, kind)
        wait_for("it runs", lambda: run.poll() is not None or children(run.pid))
        run.kill()
        run.wait()
    wait_for("it is let go", lambda: not traced(p.pid))
    unharmed(p, port)
    eq(text_of(t, "signals"), "", "signals that came")
    eq(os.path.exists(t.path("results/iotrace/x-iotrace.json")), True, "results")


@test
def a_time_limit_lets_go(t):
    p, port = started(t)
    io(t, "x", "--attach", p.pid, "--timeout", "0.5", "--grace", "20", status=124)
    check("timed_out" in codes(result(t, "x")), "%r" % result(t, "x")["warnings"])
    r = io(t, "x", "--attach", p.pid, "--timeout", "0.5", "--load", "sleep 30", status=2)
    check("time limit" in r.err and r.seconds < 25, str(r))
    unharmed(p, port)


def slow_to_start(t, before):
    """Both programs, of which iotrace does so much before it is itself."""
    os.mkdir(t.path("bin"))
    with open(t.path("bin/iotrace"), "w") as f:
        f.write('#!/bin/sh\n%s\nexec "%s/iotrace" "$@"\n' % (before, BIN))
    os.chmod(t.path("bin/iotrace"), 0o755)
    return shutil.copy(os.path.join(BIN, "profile-scenario"), t.path("bin"))


@test
def a_time_limit_while_it_is_attached_to(t):
    """A tool that has not begun cannot let go: it is asked when it has, so there is a result at any limit."""
    p, port = started(t)
    both = slow_to_start(t, "echo $$ >pid; until [ -e go ]; do sleep 0.01; done")
    args = [both, "--attach", str(p.pid), "--type", "io", "--scenario", "x", "--timeout", "0.001", "--grace", "20"]
    for extra, status in ([], 124), (["--load", "touch load"], 2):
        run = t.start(args + extra)
        pid = int(wait_for_text(t.path("pid")))
        time.sleep(0.2) # longer than the limit: it may be longer yet
        check(not gone(pid) and run.poll() is None, "it waits for iotrace")
        write(t, "go", {})
        r = t.finish(run)
        eq(r.status, status, "status: %s" % r)
        check("the time limit ended the run" in r.err and "timed_out" in codes(result(t, "x")), str(r))
        check(not os.path.exists(t.path("load")), "there is no load then")
        for name in ("pid", "go"):
            os.unlink(t.path(name))
        shutil.rmtree(t.path("results"))
    # One that does not even begin in its grace is ended, and that is said.
    r = t.run(args[:-1] + ["0.2"])
    eq(r.status, 124, "status: %s" % r)
    check("the time limit ended the run" in r.err and "left no result" in r.err, str(r))
    no_files(t)
    unharmed(p, port)


@test
def a_target_that_ends_first(t):
    """Status 7 is its own."""
    p, port = started(t, life=3)
    run = background(t, "--attach", p.pid, "--type", "io", "--duration", "30", "--scenario", "x")
    wait_attached(run, p.pid)
    for _ in range(3):
        answers(port)
    eq(p.wait(10), 7, "its end, as its parent sees it")
    r = t.finish(run)
    eq(r.status, 7, "status: %s" % r)
    j = result(t, "x")
    eq((j["exit"]["status"], j["command"][:2], len(j["environment"]["target_sha256"])), (7, [PYTHON, "-c"], 64),
       "what is known of it all the same")
    p, port = started(t, life=3)
    r = io(t, "x", "--attach", p.pid, "--load", client(port, 5), "--runs", "2", status=2)
    # As what is known only when its parent, which is busy with us, has collected it.
    check("the target ended during the load" in r.err, str(r))
    eq((result(t, "x")["complete"], "target_ended_early" in codes(result(t, "x"))), (False, True), "marked")
    eq(r.err.count("ended before it was ready"), 1, "there is nothing for the second run: %s" % r)


def stopped_by_its_tool(t, p, *args):
    """A runner that its tool has stopped before it attached to p, when that is done."""
    os.makedirs(t.path("bin"), exist_ok=True)
    shutil.copy(os.path.join(BIN, "profile-scenario"), t.path("bin"))
    write(t, "bin/iotrace", "#!/bin/sh\ncase $* in *--control-fd*) kill -STOP $PPID;; esac\nexec %s \"$@\"\n" %
          os.path.join(BIN, "iotrace"), mode=0o755)
    run = t.start([t.path("bin/profile-scenario"), "--attach", str(p.pid), "--type", "io", "--scenario", "x", *args])
    wait_attached(run, p.pid)
    return run


@test
def a_signal_before_the_runner_looks(t):
    """It is attached to by then: let go in order."""
    p, port = started(t)
    run = stopped_by_its_tool(t, p)
    for _ in range(3):
        answers(port)
    os.kill(run.pid, signal.SIGINT)
    os.kill(run.pid, signal.SIGCONT)
    r = t.finish(run)
    eq((r.status, "before it was attached" in r.err), (0, False), str(r))
    eq((result(t, "x")["exit"], result(t, "x")["complete"], call(result(t, "x"), "sendto")["ok"]), (None, True, 3), "result")
    unharmed(p, port)


@test
def a_target_that_ends_before_anybody_looks(t):
    """Attached to and gone, with the tool, while the runner was kept from looking: it was attached to."""
    def with_a_late_runner(*args):
        p, port = started(t, life=3)
        run = stopped_by_its_tool(t, p, *args)
        tool = children(run.pid)[0]
        for _ in range(3):
            answers(port)
        eq(p.wait(10), 7, "its end, as its parent sees it")
        wait_for("the tool's end", lambda: gone(tool))
        os.kill(run.pid, signal.SIGCONT)
        return t.finish(run)

    r = with_a_late_runner("--duration", "30")
    eq((r.status, "before it was attached" in r.err), (7, False), str(r))
    eq((result(t, "x")["exit"]["status"], result(t, "x")["complete"]), (7, True), "its end")
    check(call(result(t, "x"), "sendto")["ok"] == 3, "what it did since")
    r = with_a_late_runner("--duration", "30", "--skip", "20")
    check(r.status == 2 and "the target ended before the time to skip was over" in r.err, str(r))
    r = with_a_late_runner("--load", "touch ran")
    check(r.status == 2 and "the target ended before the load began (status 7)" in r.err, str(r))
    check(not os.path.exists(t.path("ran")), "there is nothing to load")


@test
def iotrace_ends_in_the_middle(t):
    p, port = started(t)
    run = background(t, "--attach", p.pid, "--type", "io", "--scenario", "x", "--load", "echo >load; exec sleep 30")
    wait_for_text(t.path("load"))
    os.kill(int(status_of(int(status_of(p.pid)["TracerPid"]))["Tgid"]), signal.SIGTERM)
    r = t.finish(run)
    eq(r.status, 2, str(r))
    check("let go of the target during the load" in r.err and "let_go" in codes(result(t, "x")), str(r))
    unharmed(p, port)


# ---- other types

@test
def cpu_by_perf(t):
    need_perf()
    p = named(t, "aps-busy", "busy", "1")

    def sampled(pace):
        profile(t, "--attach", p.pid, "--type", "cpu", "--duration", 0.4 * pace, "--sampling-rate", "500", "--scenario", "x")
        j = cpu_result(t, "x")
        is_valid(j, "cpu.schema.json")
        eq((j["complete"], j["exit"], j["attached"]), (True, None, {"pid": p.pid, "processes": 1, "started": False}),
           "result")
        check(j["window"]["wall_ns"] >= 0.4e9 * pace and j["sampling"]["samples"] > 0, "window and samples")
        eq({row["pid"] for row in j["processes"]}, {p.pid}, "whose samples")
        eq(len(j["environment"]["target_sha256"]), 64, "its file")

    at_some_pace(sampled)
    check(p.poll() is None, "it lives")
    run = background(t, "--attach", p.pid, "--type", "cpu", "--scenario", "y")
    wait_for_perf(run)
    os.killpg(run.pid, signal.SIGINT)
    r = t.finish(run)
    if r.status != 0:
        check("before it was attached" in r.err, str(r))
    p.stdin.close()
    p.stdin = None
    eq(t.finish(p).status, 0, "it has not been disturbed")


def is_polling(pid):
    """perf has asked the kernel for its samples, and waits for them. (Who may not be looked at is believed.)"""
    try:
        with open("/proc/%d/syscall" % pid) as f:
            waits = f.read().split()[0] == "7"
        return waits and any(os.readlink("/proc/%d/fd/%s" % (pid, fd)) == "anon_inode:[perf_event]"
                             for fd in os.listdir("/proc/%d/fd" % pid))
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        return True


def wait_for_perf(run):
    """Until it is attached by perf, or has ended."""
    wait_for("perf", lambda: run.poll() is not None or
             any(status_of(c).get("Name") == "perf" and is_polling(c) for c in children(run.pid)))


@test
def cpu_of_a_tree_under_load(t):
    need_perf()
    root = t.start([PYTHON, "-c", "import os\nif os.fork():\n    os.fork()\nwhile os.getppid() != 1:\n    pass"])
    wait_for("its children", lambda: len(children(root.pid)) == 2)
    pids = [root.pid] + children(root.pid)

    def sampled(pace, *options):
        profile(t, "--attach", root.pid, "--type", "cpu", "--load", "sleep %g" % (0.5 * pace), "--sampling-rate", "500",
                "--scenario", "x", *options)
        return cpu_result(t, "x")

    def all_of_it(pace):
        j = sampled(pace)
        eq((sorted(row["pid"] for row in j["processes"]), j["attached"]["processes"]), (sorted(pids), 3), "who was sampled")
        eq((j["load"]["status"], j["exit"]), (0, None), "result")
        eq([p for p in pids if gone(p)], [], "who has ended")

    def alone(pace):
        eq([row["pid"] for row in sampled(pace, "--no-tree")["processes"]], [root.pid], "who was sampled, alone")

    at_some_pace(all_of_it)
    at_some_pace(alone)


@test
def cpu_of_one_whose_children_come_and_go(t):
    """perf takes all or none of those that it is told."""
    need_perf()
    root = t.start([PYTHON, "-c", """if True:
        import os, time
        def child(seconds):
            pid = os.fork()
            if pid == 0:
                time.sleep(seconds)
                os._exit(0)
            return pid
        child(1000)
        for i in range(20):
            child(0.01 * i)
        while True:
            pid, _ = os.wait()
            child(0.05)"""])
    wait_for("its children", lambda: len(children(root.pid)) > 10)
    profile(t, "--attach", root.pid, "--type", "cpu", "--load", "sleep 0.1", "--scenario", "x")
    j = cpu_result(t, "x")
    eq((j["load"]["status"], j["complete"]), (0, True), "result")
    # Those that were just made are left out, or died before perf came.
    check(2 <= j["attached"]["processes"] <= 22, "%r" % j["attached"])
    # A look while they come and go does not see all of them.
    wait_for("all live", lambda: root.poll() is not None or len(children(root.pid)) > 10)
    check(root.poll() is None, "it lives")


@test
def cpu_of_a_target_that_ends_first(t):
    need_perf()
    p, port = started(t, life=3)
    run = background(t, "--attach", p.pid, "--type", "cpu", "--duration", "30", "--scenario", "x")
    wait_for_perf(run) # earlier, it finds nobody
    for _ in range(3):
        answers(port)
    eq(p.wait(10), 7, "its end")
    r = t.finish(run)
    if "before it was" in r.err or "before perf had recorded" in r.err:
        raise Skip("perf was not there in time")
    e = cpu_result(t, "x")["exit"]
    # The kernel tells others than its parent since 6.15.
    check((r.status, e["status"]) in ((7, 7), (0, None)), "%r %s" % (e, r))


@test
def memory_is_for_what_it_starts(t):
    p, port = started(t)
    one_line(profile(t, "--attach", p.pid, "--type", "memory", "--duration", "1", status=2), "massif cannot attach",
             "--type memory, without attaching")
    no_files(t)
    r = profile(t, "--attach", p.pid, "--type", "all", "--duration", "0.2", "--scenario", "x", "--skip-unavailable")
    check(NOTE + "type memory is left out: massif cannot attach" in r.err, str(r))
    check(not os.path.exists(t.path("results/massif")) and result(t, "x")["complete"], "the others are run")
    unharmed(p, port)


@test
def what_it_costs_the_server(t):
    """--control: the same load without a tool first."""
    p, port = started(t)
    io(t, "x", "--attach", p.pid, "--control", "--load", client(port, 20), "--work", r"query=completed: +(\d+)")
    c = result(t, "x")["control"]
    eq((c["native"]["work_count"], c["observed"]["work_count"], c["native"]["cpu_ns"]), (20, 20, None), "control")
    eq(call(result(t, "x"), "sendto")["ok"], 20, "the run itself")
    summary = " ".join(text_of(t, "results/iotrace/x-iotrace-summary.txt").split())
    check(re.search(r"control untraced: [0-9,]+ queries/s, [0-9.]+ m?s long; this run, with the tracer: [0-9,]+ queries/s "
                    r"\([+-][0-9.]+%\), [0-9.]+ m?s long", summary), summary[:1000])
    one_line(io(t, "x", "--attach", p.pid, "--control", "--duration", "1", status=2), "needs a load")
    unharmed(p, port)


# ---- what it does not take

@test
def what_does_not_go_together(t):
    p, port = started(t)
    for args, parts in (
            (["--binary", "/bin/true", "--duration", "1"], ["--binary", "runs already"]),
            (["--duration", "1", "--", "x"], ["arguments after --"]),
            (["--attach-window", "--load", "true"], ["--attach-window exclude"]),
            (["--runs", "2"], ["--duration or a load"]),
            (["--type", "all"], ["--duration or a load"]),
            (["--all"], ["--attach is for one scenario"])):
        one_line(profile(t, "--attach", p.pid, *args, status=2), *parts)
    one_line(profile(t, "--scenario", "x", "--no-tree", "--binary", "/bin/true", status=2), "--no-tree is of")
    one_line(profile(t, "--scenario", "x", "--attach-window", "--binary", "/bin/true", status=2), "needs a load")
    one_line(profile(t, "--attach", "12345678901", "--duration", "1", status=2), "12345678901")
    check(not os.path.exists(t.path("results")), "nothing is made")
    unharmed(p, port)


@test
def of_another_user(t):
    need_root()
    p, port = started(t)
    argv = [tap._tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups", "--"]
    tools = {}
    for name in ("iotrace", "profile-scenario"):
        tools[name] = shutil.copy(os.path.join(BIN, name), t.dir)
    r = t.run(argv + [tools["profile-scenario"], "--attach", str(p.pid), "--type", "io", "--duration", "1", "--scenario",
                      "x"])
    eq(r.status, 125, str(r))
    check("iotrace: cannot attach to process %d: Operation not permitted (run as its user or as root" % p.pid in r.err,
          "why: %s" % r)
    r = t.run(argv + [tools["profile-scenario"], "--attach", str(p.pid), "--type", "cpu", "--duration", "1",
                      "--scenario", "x"])
    eq(r.status, 125, str(r))
    if "type cpu cannot run" not in r.err:
        check("perf cannot attach to process %d: Permission denied" % p.pid in r.err, "why: %s" % r)
    unharmed(p, port)
    # As the same user it works.
    q = t.start(argv + [PYTHON, "-c", SERVER, str(free_port()), "0", "-1"])
    wait_for("the server", lambda: status_of(q.pid).get("Name", "").startswith("python"))
    r = t.run(argv + [tools["profile-scenario"], "--attach", str(q.pid), "--type", "io", "--duration", "0.2",
                      "--scenario", "x"])
    eq(r.status, 0, str(r))
    eq(result(t, "x")["environment"]["uid"], 65534, "whose it is")
    # root's result of another user's process says whose it was.
    profile(t, "--attach", q.pid, "--type", "io", "--duration", "0.2", "--scenario", "x", "--output-dir", "other")
    eq(result(t, "x", out="other")["environment"]["uid"], 65534, "whose it is")


@test
def a_dry_run_says_whom(t):
    p, port = started(t)
    r = profile(t, "--attach", p.pid, "--type", "io", "--duration", "1", "--dry-run")
    check(re.search(r"^attach   process %d, " % p.pid, r.out, re.M), r.out)
    check(re.search(r"^tool .*iotrace .*-p %d --tree --control-fd 3$" % p.pid, r.out, re.M), r.out)
    r = profile(t, "--scenario", "x", "--type", "io", "--attach-window", "--binary", PYTHON, "--load", "true",
                "--no-tree", "--dry-run")
    check(re.search(r"^target   %s$" % PYTHON, r.out, re.M) and re.search(r"^attach   for the window", r.out, re.M)
          and re.search(r"^tool .* -p PID --control-fd 3$", r.out, re.M), r.out)
    check(not os.path.exists(t.path("results")), "nothing is made")
    unharmed(p, port)


# ---- started free, attached to for the window

def window_catalogue(t, port, queries=20, **more):
    write(t, "profile-scenario.json", {"scenarios": {"srv": dict({
        "command": [PYTHON, "-c", more.pop("code", SERVER), str(port), "0.1", "-1", *more.pop("extra", ())],
        "types": ["io"], "attach": True, "ready": "udp:%d" % port, "load": client(port, queries),
        "work": {"unit": "query", "from": "load", "regex": r"completed: +(\d+)"}}, **more)}})


@test
def for_the_window_only(t):
    port = free_port()
    window_catalogue(t, port, runs=3, env={"APS_MARK": "1"})
    profile(t, "--scenario", "srv")
    pids = set()
    for k in (1, 2, 3):
        j = result(t, "srv", run=k)
        is_valid(j)
        eq((j["complete"], j["exit"], j["attached"]["started"]), (True, {"status": 0, "signal": None,
                                                                        "timed_out": False}, True), "result")
        eq(call(j, "sendto")["ok"], 20, "answers in the window")
        eq([row for row in j["phases"][0]["syscalls"] if row["name"] in ("execve", "bind", "openat")], [],
           "its start was not traced")
        eq(j["command"][0], PYTHON, "command")
        pids.add(j["attached"]["pid"])
    eq(len(pids), 3, "one for each run")
    check(all(gone(p) for p in pids), "they are ended")
    eq(sorted(os.listdir(t.path("results/logs"))),
       sorted("srv-%d-%s.log" % (k, w) for k in (1, 2, 3) for w in ("load", "target")), "logs")
    nothing_left(t)
    check(re.search(r"^ +load: .*\n +attached to for the load only$", profile(t, "list").out, re.M),
          profile(t, "list").out)


@test
def by_the_option_too(t):
    port = free_port()
    r = io(t, "srv", "--attach-window", "--binary", PYTHON, "--ready", "udp:%d" % port, "--load", client(port, 7),
           "--control", "--", "-c", SERVER, port, 0.1, -1)
    j = result(t, "srv")
    eq((call(j, "sendto")["ok"], j["attached"]["started"]), (7, True), "result: %s" % r)
    check(j["control"] and j["control"]["native"]["load_wall_ns"] > 0, "control")
    check(gone(j["attached"]["pid"]), "it is ended")


@test
def cpu_for_the_window(t):
    need_perf()
    port = free_port()
    window_catalogue(t, port, types=["all"])
    r = profile(t, "--scenario", "srv", "--skip-unavailable", "--runs", "1")
    check("type memory is left out" in r.err, str(r))
    j = cpu_result(t, "srv")
    eq((j["attached"]["started"], j["exit"]["status"], j["load"]["status"], j["complete"]), (True, 0, 0, True), "result")
    check(gone(j["attached"]["pid"]), "it is ended")


@test
def ended_as_ever_after_the_window(t):
    """TERM to all of its processes, after the grace KILL."""
    port = free_port()
    for code, killed in ((SERVER, False), (WATCHFUL, True)):
        window_catalogue(t, port, code="import os\nif os.fork() == 0:\n    open('child', 'w').write('%d\\n' % os.getpid())"
                         "\n    import time\n    time.sleep(100)\n" + code, extra=[t.path("log")], queries=3)
        r = profile(t, "--scenario", "srv", "--grace", "0.4" if killed else "30")
        eq("did not end within the grace after TERM and was killed" in r.err, killed, "said: %s" % r)
        j = result(t, "srv")
        eq((j["exit"]["status"], j["attached"]["processes"]), (0, 2), "result")
        check(gone(j["attached"]["pid"]), "it is ended")
        wait_for("its child is ended", lambda: gone(int(wait_for_text(t.path("child")))))
    # In any order: where both wait, the handler of the one is interrupted by that of the other.
    eq(sorted(map(int, text_of(t, "log").split())), sorted([signal.SIGTERM, signal.SIGCONT]), "what it was told")


@test
def a_free_target_that_fails(t):
    port = free_port()
    window_catalogue(t, port, ready="udp:1", ready_timeout=0.3)
    r = profile(t, "--scenario", "srv", status=2)
    one_line(r, "the target was not ready within 0.3 s")
    window_catalogue(t, port, code="import sys; sys.exit(3)")
    one_line(profile(t, "--scenario", "srv", status=2), "the target ended before it was ready (status 3)")
    window_catalogue(t, port, command=["./none"])
    one_line(profile(t, "--scenario", "srv", status=2), "./none not found")
    no_files(t)
    window_catalogue(t, port, load="exit 3", work=None)
    r = profile(t, "--scenario", "srv", status=2)
    check("the load failed with status 3" in r.err, str(r))
    eq(result(t, "srv")["complete"], False, "marked")
    check(gone(result(t, "srv")["attached"]["pid"]), "it is ended")
    one_line(profile(t, "--scenario", "srv", "--config", write(t, "bad.json", {"scenarios": {"srv": {
        "command": ["true"], "attach": "yes", "load": "true"}}}), status=2), "scenarios.srv.attach", "true or false")


@test
def an_interrupt_before_the_window(t):
    port = free_port()
    window_catalogue(t, port, ready="echo >asked; false")
    run = background(t, "--scenario", "srv")
    wait_for_text(t.path("asked"))
    target = wait_for("the target", lambda: [c for c in children(run.pid) if "python" in status_of(c).get("Name", "")])[0]
    run.send_signal(signal.SIGINT)
    r = t.finish(run)
    eq(r.status, 130, str(r))
    check("interrupted" in r.err and gone(target), str(r))
    no_files(t)


@test
def attached_and_started_are_not_compared_silently(t):
    port = free_port()
    window_catalogue(t, port)
    for out in ("a", "b"):
        profile(t, "--scenario", "srv", "--runs", "3", "--output-dir", out)

    def sends(r):
        return re.search(r"^.*\bsendto\.calls\b(?!@).*$", r.out, re.M).group(0)

    r = profile(t, "compare", "a", "b", "--all", status=None)
    check("one side was attached" not in r.out and "same" in sends(r), "two that were attached to: %s" % r)
    window_catalogue(t, port, attach=False)
    profile(t, "--scenario", "srv", "--runs", "3", "--output-dir", "c")
    eq(result(t, "srv", out="c")["attached"], None, "started under the tracer")
    why = "counts and times are not compared: one side was attached, the other started"
    r = profile(t, "compare", "a", "c", "--all", status=3)
    check(why in r.out and "not compared" in sends(r), str(r))
    check(why not in profile(t, "compare", "a", "c", "--force", status=1).out, "forced, they are compared")


if __name__ == "__main__":
    only_from("__main__")
    main()
