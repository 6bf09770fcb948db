#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario: several types and scenarios, helpers, control runs, and what it says of all that."""
import contextlib
import fcntl
import glob
import json
import os
import re
import signal
import struct
import sys
import termios

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from profile_scenario import (BIN, CLIENT, PYTHON, SERVER, client, io, no_files, nothing_left, one_line, said,
                              profile, result, server, text_of, write, _login_tty)
from schema import Schema
from tap import (ROOT, Failure, Skip, check, eq, free_port, main, only_from, shown_until_the_end, test, wait_for,
                 wait_for_text)

# What the contract says of each type: folder and the ends of the names.
FILES = {
    "cpu": ("flamegraphs", ("-flamegraph.svg", ".folded", "-cpu.json")),
    "memory": ("massif", ("-massif.out", "-massif-report.txt", "-memory.json")),
    "io": ("iotrace", ("-iotrace-summary.txt", "-iotrace-detail.txt", "-iotrace.json")),
}
SCHEMAS = {"cpu": "cpu.schema.json", "memory": "memory.schema.json", "io": "result.schema.json"}


def catalogue(t, scenarios, **target):
    return write(t, "profile-scenario.json", {"target": target, "scenarios": scenarios} if target
                 else {"scenarios": scenarios})


def report(t, *args, **kw):
    """What --json prints."""
    r = profile(t, *(["run"] if args[0] == "run" else []), "--json", *[a for a in args if a != "run"], **kw)
    try:
        j = json.loads(r.out)
    except ValueError as e:
        raise Failure("no JSON on stdout: %s\n%s" % (e, r)) from e
    eq(Schema(os.path.join(ROOT, "docs", "run.schema.json")).errors(j), [], "the report against its schema")
    return j


def no_tools(t):
    """A PATH with a shell and nothing that profiles."""
    os.makedirs(t.path("bin"), exist_ok=True)
    for name in ("sh", "cat", "sleep", "true", "echo", "test"):
        if not os.path.exists(t.path("bin/" + name)):
            os.symlink("/bin/" + name, t.path("bin/" + name))
    return {"PATH": t.path("bin")}


def alive(pid):
    try:
        with open("/proc/%d/stat" % pid) as f:
            return f.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


# ---- several types

@test
def a_type_that_cannot_run_does_not_keep_the_others_from_it(t):
    r = profile(t, "--scenario", "x", "--type", "all", "--binary", "/bin/true", env=no_tools(t), status=125)
    lines = said(r).splitlines()
    check(len(lines) == 2 and "perf" in lines[0] and "valgrind" in lines[1], "what is missing, and only that: %s" % r)
    eq(result(t, "x")["complete"], True, "io is run")
    eq(sorted(os.listdir(t.path("results/iotrace"))), sorted("x" + s for s in FILES["io"][1]), "files")
    nothing_left(t)


@test
def what_is_not_available_can_be_skipped(t):
    r = profile(t, "--scenario", "x", "--type", "all", "--skip-unavailable", "--binary", "/bin/true", env=no_tools(t))
    eq(r.err.count("skipped"), 2, "notes: %s" % r)
    eq(result(t, "x")["complete"], True, "io is run")
    profile(t, "--scenario", "x", "--type", "all", "--skip-unavailable", "--binary", "/bin/false", env=no_tools(t),
            status=1)


@test
def logs_of_several_types_have_the_type_in_their_name(t):
    profile(t, "--scenario", "x", "--type", "all", "--skip-unavailable", "--runs", "2", "--warmup", "1", "--binary",
            "/bin/echo", "--", "hi", env=no_tools(t))
    eq(sorted(os.listdir(t.path("results/logs"))), ["x-%s-io-target.log" % k for k in ("1", "2", "w1")], "logs")
    eq(text_of(t, "results/logs/x-2-io-target.log"), "hi\n", "log")


def every_file(t, outcome, missing):
    """Checks one type of a scenario of a report; collects what this machine cannot do."""
    name, kind = outcome["name"], outcome["type"]
    folder, suffixes = FILES[kind["type"]]
    if kind["unavailable"]:
        missing.add("%s: %s" % (kind["type"], kind["unavailable"]))
        return
    eq((kind["status"], kind["troubles"]), (0, []), "%s of %s" % (kind["type"], name))
    for suffix in suffixes:
        path = "results/%s/%s%s" % (folder, name, suffix)
        # A short run of an ordinary user can have no sample, and then no stack to fold.
        check(os.path.exists(t.path(path)) and (suffix == ".folded" or os.path.getsize(t.path(path)) > 0),
              path + " is there")
        check(path in kind["files"], path + " is told: %s" % kind["files"])
    with open(t.path("results/%s/%s%s" % (folder, name, suffixes[-1]))) as f:
        j = json.load(f)
    eq(j["scenario"], name, "scenario in the result")
    eq(Schema(os.path.join(ROOT, "docs", SCHEMAS[kind["type"]])).errors(j), [], "%s against its schema" % path)


@test(timeout=300)
def the_example_catalogue_gives_every_file_of_the_contract(t):
    example = os.path.join(ROOT, "docs", "examples", "everyday.json")
    turn = open(example)  # the other test that runs it uses the same port: one at a time
    fcntl.flock(turn, fcntl.LOCK_EX)
    with open(example) as f:
        names = list(json.load(f)["scenarios"])
    outcome = report(t, "run", "--all", "--config", example, "--skip-unavailable", timeout=280)
    eq(([s["name"] for s in outcome["scenarios"]], outcome["status"]), (names, 0), "scenarios and status")
    missing, seen = set(), set()
    for s in outcome["scenarios"]:
        for kind in s["types"]:
            every_file(t, {"name": s["name"], "type": kind}, missing)
            seen.add(kind["type"])
    eq(seen, set(FILES), "types in the example")
    nothing_left(t)
    if missing:
        raise Skip("the others were checked; " + "; ".join(sorted(missing)))


@test
def the_port_scanners_catalogue_is_complete(t):
    example = os.path.join(ROOT, "docs", "examples", "port-scanner.json")
    r = profile(t, "list", "--config", example)
    for name, types in (("syn-scan-1k", "cpu,memory,io"), ("connect-scan-100", "cpu,io"), ("ipv6-scan-500", "cpu"),
                        ("service-detect-20", "cpu"), ("service-detect-2", "memory,io"), ("tls-cert-10", "cpu,memory")):
        check(re.search(r"^%s +%s " % (name, types), r.out, re.M), "%s with %s in\n%s" % (name, types, r.out))
    plan = profile(t, "run", "--all", "--config", example, "--dry-run").out
    check("build    cargo build --release" in plan and "prtip -sS -p 1-1000 127.0.0.1" in plan, plan)


# ---- all scenarios of a catalogue

@test
def all_scenarios_are_run_and_the_first_bad_status_counts(t):
    catalogue(t, {"a": {"command": "exit 3", "types": ["io"]}, "b": {"command": ["echo", "b"], "types": ["io"]},
                  "c": {"types": ["cpu"], "command": ["true"]}, "d": {"command": ["./none"], "types": ["io"]}})
    r = profile(t, "run", "--all", "--type", "io", status=3)
    one_line(r, "d: target ./none not found")
    eq((result(t, "a")["exit"]["status"], result(t, "b")["complete"]), (3, True), "results")
    check(not os.path.exists(t.path("results/iotrace/c-iotrace.json")), "c has no type io")
    eq(text_of(t, "results/logs/b-1-target.log"), "b\n", "output of several runs goes to logs")


@test
def what_all_does_not_take(t):
    one_line(profile(t, "run", "--all", status=2), "needs a catalogue")
    catalogue(t, {"a": {"command": ["true"], "types": ["io"]}})
    one_line(profile(t, "run", "--all", "--scenario", "a", status=2), "--all", "--scenario")
    one_line(profile(t, "run", "--all", "--", "x", status=2), "--all")
    one_line(profile(t, "run", "--all", "--type", "memory", status=2), "no scenario", "memory")
    no_files(t)


# ---- what is said: --json, --dry-run, a terminal

@test
def the_report_of_a_run(t):
    j = report(t, "--scenario", "x", "--type", "io", "--runs", "2", "--binary", "/bin/sh", "--", "-c", "echo hi; exit 4",
               status=4)
    eq((j["schema"], j["status"], [s["name"] for s in j["scenarios"]]), ("profile.run/1", 4, ["x"]), "head")
    kind, = j["scenarios"][0]["types"]
    eq((kind["type"], kind["status"], kind["runs"], kind["unavailable"]), ("io", 4, 2, None), "type")
    eq(kind["chosen"], result(t, "x")["runs"]["chosen"], "chosen run")
    eq(sorted(kind["files"]), sorted("results/iotrace/x" + s for s in FILES["io"][1]), "files")
    calls = {f["name"]: f["value"] for f in kind["figures"]}["calls"]
    eq(calls, sum(s["calls"] for s in result(t, "x")["syscalls"]), "key figure")
    eq(text_of(t, "results/logs/x-1-target.log"), "hi\n", "the target's output")


@test
def a_report_of_what_could_not_be_run(t):
    j = report(t, "--scenario", "x", "--type", "io", "--binary", "./none", status=2)
    eq((j["status"], j["scenarios"][0]["types"]), (2, []), "status")
    check("not found" in j["scenarios"][0]["troubles"][0], str(j))
    j = report(t, "--scenario", "x", "--type", "all", "--binary", "/bin/true", env=no_tools(t), status=125)
    cpu = j["scenarios"][0]["types"][0]
    check(cpu["type"] == "cpu" and cpu["status"] == 125 and "perf" in cpu["unavailable"], str(cpu))
    j = report(t, "--scenario", "x", "--type", "disk", "--binary", "true", status=2)
    eq((j["status"], j["scenarios"], len(j["troubles"])), (2, [], 1), "bad usage")
    j = report(t, "--scenario", "x", "--type", "io", "--binary", "true", "--show-output", status=2)
    check("--show-output" in j["troubles"][0], str(j))


@test
def a_dry_run_makes_nothing(t):
    catalogue(t, {"x": {"args": ["-p", "1 2"], "types": ["io"], "env": {"K": "v w"}, "cwd": "/", "stdin": "in",
                        "helpers": ["sleep 9"], "ready": "udp:5300", "load": ["client", "a b"], "runs": 3}},
              binary="./prog", build="touch prog")
    r = profile(t, "--scenario", "x", "--dry-run")
    tool = re.search(r"^tool +(.*)$", r.out, re.M)
    check(tool and tool.group(1).endswith("-- ./prog -p '1 2'") and "--env 'K=v w'" in tool.group(1), r.out)
    for line in ("build    touch prog", "cwd      /", "env      K=v w", "stdin    in", "helper   sh -c 'sleep 9'",
                 "target   ./prog -p '1 2'", "ready    udp:5300", "load     client 'a b'"):
        check(line in r.out.splitlines(), "%r is not in\n%s" % (line, r.out))
    eq(sorted(os.listdir(t.dir)), ["profile-scenario.json"], "files")


@test
def the_command_line_that_is_shown_is_the_one_that_is_run(t):
    catalogue(t, {"x": {"command": ["sh", "-c", "tr '\\0' '\\n' </proc/$PPID/cmdline"], "types": ["io"], "timeout": 9,
                        "trace": "write"}})
    shown = re.search(r"^tool +(.*)$", profile(t, "--scenario", "x", "--dry-run").out, re.M).group(1)
    real = profile(t, "--scenario", "x").out.split("\n")
    words = t.run(["sh", "-c", "printf '%s\\n' " + shown]).out.split("\n")
    eq([w for w in real if "/x-iotrace" not in w], [w for w in words if "/x-iotrace" not in w], "words")


def on_a_terminal(t, *args, env=None, columns=100):
    """Runs it on a terminal of its own; what is printed there."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    pid = os.fork()
    if pid == 0:
        _login_tty(slave)
        os.chdir(t.dir)
        full = dict(os.environ, TERM="xterm")
        full.pop("NO_COLOR", None)
        full.update(env or {})
        os.execve(os.path.join(BIN, "profile-scenario"), ["profile-scenario", *map(str, args)], full)
    os.close(slave)
    seen = shown_until_the_end(master)
    os.waitpid(pid, 0)
    return seen.decode(errors="replace")


@test
def progress_on_a_terminal(t):
    port = free_port()
    catalogue(t, {"srv": {"command": [PYTHON, "-c", SERVER, str(port), "0", "-1"], "types": ["io"], "runs": 2,
                          "ready": "udp:%d" % port, "load": "sleep 0.7"}})
    seen = on_a_terminal(t, "--scenario", "srv")
    check(re.search(r"\r\x1b\[K\x1b\[1m\[1/2\]\x1b\[0m io srv  load \d:\d\d", seen), "updated in place: %r" % seen)
    check(re.search(r"\[2/2\]\S* io srv  load \d:\d\d/\d:\d\d", seen), "with the time it will take: %r" % seen)
    check(re.search(r"\r\x1b\[K\[2/2\] io srv  \d+\.?\d* ms  \d+ calls", seen), "one line stays of each: %r" % seen)
    check("wrote results/iotrace/srv-iotrace.json\r\n" in seen, "files: %r" % seen)
    seen = on_a_terminal(t, "--scenario", "srv", env={"NO_COLOR": "1"}, columns=20)
    check("\x1b[1m" not in seen and "\x1b[0m" not in seen, "NO_COLOR: %r" % seen)
    check("\r\x1b[K[1/2] io srv  load" in seen and "load 0:0" not in seen, "cut to the terminal: %r" % seen)
    seen = on_a_terminal(t, "--scenario", "srv", env={"TERM": "dumb"})
    check("\x1b" not in seen and "[2/2] io srv" in seen, "nothing in place on a dumb terminal: %r" % seen)


@test
def a_single_run_has_the_terminal_for_itself(t):
    seen = on_a_terminal(t, "--scenario", "x", "--type", "io", "--binary", "/bin/sh", "--", "-c",
                         "echo a; sleep 0.5; echo b")
    check(seen.startswith("a\r\nb\r\nwrote "), "%r" % seen)


@test
def quiet_otherwise(t):
    r = io(t, "x", "--runs", "2", "--binary", "/bin/true")
    eq((r.out, said(r)), ("", ""), "output without a terminal, but for where the results are")


# ---- helpers and environment

@test
def helpers_live_as_long_as_the_run(t):
    port = free_port()
    catalogue(t, {"x": {
        "command": [PYTHON, "-c", CLIENT, str(port), "3", "0"], "types": ["io"], "runs": 2,
        "helpers": [{"command": "echo $$ >>setup", "ready": "false"},
                    {"command": [PYTHON, "-c", SERVER, str(port), "0.3", "-1"], "ready": "udp:%d" % port},
                    {"command": "echo $$ >>pids; sleep 60 & echo $! >>pids; wait",
                     "ready": "test $(wc -l <pids) = $((2 * $(wc -l <setup)))"}]}})
    profile(t, "--scenario", "x")
    eq(result(t, "x")["exit"]["status"], 0, "the target found the server")
    pids = [int(p) for p in text_of(t, "pids").split()]
    eq(len(pids), 4, "helpers of two runs")
    wait_for("none is left", lambda: not any(map(alive, pids))) # one was told to end, and is nobody's child
    eq(len(text_of(t, "setup").split()), 2, "one that ends by itself with 0 is fine")


@test
def helpers_that_fail(t):
    forever = "sleep 50.%d" % os.getpid() # no other test's
    for helper, parts, extra in (
            ({"command": "exit 3", "ready": "udp:9"}, ("helper 'exit 3'", "status 3", "before it was ready"), []),
            ({"command": forever, "ready": "false"}, (forever, "not ready in time"), ["--ready-timeout", "0.5"]),
            (["./none"], ("helper './none'", "cannot execute"), [])):
        catalogue(t, {"x": {"command": ["touch", "ran"], "types": ["io"], "helpers": [forever + "1", helper]}})
        one_line(profile(t, "--scenario", "x", *extra, status=2), *parts)
        check(not os.path.exists(t.path("ran")), "the target is not started")
    no_files(t)
    # The one goes before the other, and is a zombie until the run is over.
    helper = "until test -e up; do sleep 0.01; done; echo $$ >pid; exit 4"
    target = "touch up; until grep -qs '^State:.Z' /proc/$(cat pid || echo none)/status; do sleep 0.01; done"
    catalogue(t, {"x": {"command": target + " 2>/dev/null", "types": ["io"], "helpers": [helper]}})
    one_line(profile(t, "--scenario", "x", status=2), "status 4", "during the run")

    def commands():
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            with contextlib.suppress(OSError), open(path, encoding="utf-8", errors="replace") as f:
                yield f.read().replace("\0", " ")

    wait_for("no helper is left", lambda: not any(c.startswith(forever) for c in commands()))


@test
def a_helper_that_ignores_term_is_killed(t):
    catalogue(t, {"x": {"command": ["true"], "types": ["io"], "helpers": [
        {"command": "trap '' TERM; echo $$ >pid; while :; do sleep 1; done", "ready": "test -s pid"}]}})
    profile(t, "--scenario", "x", "--grace", "0.3")
    check(not alive(int(text_of(t, "pid"))), "it is still there")


@test
def an_interrupt_while_a_helper_gets_ready(t):
    catalogue(t, {"x": {"command": ["touch", "ran"], "types": ["io"], "runs": 3,
                        "helpers": [{"command": "echo $$ >pid; exec sleep 60", "ready": "false"}]}})
    p = t.start([os.path.join(BIN, "profile-scenario"), "--scenario", "x"])
    wait_for_text(t.path("pid"))
    p.send_signal(signal.SIGINT)
    r = t.finish(p, 20)
    eq(r.status, 130, "status\n%s" % r)
    check("interrupted" in r.err and not alive(int(text_of(t, "pid"))), str(r))
    check(not os.path.exists(t.path("ran")), "the target is not started")
    nothing_left(t)


@test
def the_environment_is_the_targets_alone(t):
    catalogue(t, {"x": {"command": ["/bin/sh", "-c", "echo ${A-unset} ${HOME-unset}"], "types": ["io"],
                        "env": {"A": "1 = 2", "HOME": None, "LD_PRELOAD": "/no/such.so"}}})
    r = profile(t, "--scenario", "x")
    eq(r.out, "1 = 2 unset\n", "output")
    eq(r.err.count("/no/such.so"), 1, "programs that were started with LD_PRELOAD: %s" % r)


# ---- a run without a tool beside it

@test
def a_control_run_beside_each_run(t):
    port = free_port()
    load = "%s; echo 'latency 0.25 ms'" % client(port, 20)
    server(t, port, "--control", "--runs", "2", "--load", load, "--work", r"query=completed: +(\d+)",
           "--latency", r"ms=latency ([0-9.]+)")
    for k in (1, 2):
        c = result(t, "srv", k)["control"]
        for side in ("native", "observed"):
            eq((c[side]["work_count"], c[side]["latency_ns"]), (20, 250000), side)
            check(c[side]["cpu_ns"] > 0 and c[side]["wall_ns"] > c[side]["load_wall_ns"] > 0, str(c))
    eq(result(t, "srv")["load"]["latency_ns"], 250000, "latency of the load")
    summary = text_of(t, "results/iotrace/srv-iotrace-summary.txt")
    check(re.search(r"^control +untraced: .*queries/s, latency 250.*CPU", summary, re.M), summary)
    check("srv-c2-load.log" in os.listdir(t.path("results/logs")), "it has logs")


@test
def a_control_run_that_fails_is_told(t):
    port = free_port()
    r = server(t, port, "--control", "--load", "test -e once || { touch once; exit 5; }")
    check("without a tool failed" in r.err and "status 5" in r.err, str(r))
    j = result(t, "srv")
    eq((j["control"], j["complete"], "control_failed" in [w["code"] for w in j["warnings"]]), (None, True, True), "result")


@test
def an_interrupted_control_run_ends_all(t):
    p = t.start([os.path.join(BIN, "profile-scenario"), "--scenario", "x", "--type", "io", "--control", "--runs", "3",
                 "--binary", "/bin/sh", "--", "-c", "echo $$ >pid; exec sleep 60"])
    wait_for_text(t.path("pid"))
    p.send_signal(signal.SIGTERM)
    r = t.finish(p, 20)
    eq((r.status, alive(int(text_of(t, "pid")))), (130, False), "status and target\n%s" % r)
    no_files(t, "results/iotrace")
    nothing_left(t)


@test
def latency_needs_a_load_and_a_unit_of_time(t):
    ok = ["--binary", "true"]
    one_line(io(t, "x", "--latency", "ms=(x)", *ok, status=2), "latency needs a load")
    one_line(io(t, "x", "--latency", "h=(x)", "--load", "true", *ok, status=2), "'h' is no unit of time")
    one_line(io(t, "x", "--latency", "ms=x", "--load", "true", *ok, status=2), "latency", "group")
    no_files(t)


if __name__ == "__main__":
    only_from("__main__")
    main()
