#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""iotrace's command line: options, files, exit status, signals, limits, what the target must not notice."""
import fcntl
import json
import os
import re
import resource
import signal
import subprocess
import sys
from shlex import quote
import termios
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import (children, gone, status_of, steady, traced_steady, wait_until_attached,
                          wait_until_it_works)
import tap
from tap import Skip, at_some_pace, check, eq, main, need_root, need_tool, test, wait_for, wait_for_text

HEADER = "% time     seconds  usecs/call     calls    errors syscall"
LINE = re.compile(r"^\d+ \d{10,}\.\d{6} [a-z_0-9]+\(.*\) = "
                  r"(\?( [A-Z]+ \(.*\)( <\d+\.\d{6}>)?)?|-?\d+( E[A-Z0-9]+ \(.*\))?( <\d+\.\d{6}>)|0x[0-9a-f]+ <\d+\.\d{6}>)$")


def bare(t, *args, **kw):
    """iotrace with just these arguments."""
    return t.run([t.binary, *args], **kw)


def one_line(r, *words):
    """The error is one line on stderr that has the words; nothing on stdout."""
    eq(len(r.err.strip().splitlines()), 1, "lines on stderr: " + r.err)
    for w in words:
        check(w.lower() in r.err.lower(), "%r in: %s" % (w, r.err))
    eq(r.out, "", "stdout")


def left_over(directory):
    return sorted(f for f in os.listdir(directory))


# ---- usage ----

@test
def help_and_version(t):
    r = bare(t, "--help")
    eq((r.status, r.err), (0, ""), "--help")
    for option in ("--output", "--summary", "--detail", "--json", "--trace", "--detail-trace", "--detail-limit",
                   "--mode", "--no-patch", "--no-times", "--trap", "-p", "--skip", "--duration", "--control-fd", "--timeout",
                   "--grace", "-u", "-q", "--version", "--help"):
        check(option in r.out, "%s in --help" % option)
    r = bare(t, "--version")
    eq((r.status, r.err), (0, ""), "--version")
    check(re.search(r"\d+\.\d+", r.out), "a version: " + r.out)


@test
def bad_usage(t):
    rows = [
        ([], "program"),
        (["--nonsense", "true"], "--nonsense"),
        (["-Z", "true"], "-Z"),
        (["--output"], "--output"),
        (["--trace=sendmmsgg", "true"], "'sendmmsg'", "sendmmsgg"),
        (["--trace=%nosuch", "true"], "nosuch"),
        (["--trace=", "true"], "--trace"),
        (["--trace=!nosuch", "true"], "nosuch"),
        (["--detail-trace=nosuch", "true"], "nosuch"),
        (["--detail-limit=many", "true"], "--detail-limit", "many"),
        (["--mode=fast", "true"], "fast"),
        (["--timeout=soon", "true"], "--timeout", "soon"),
        (["--timeout=-1", "true"], "--timeout"),
        (["--skip=x", "true"], "--skip"),
        (["--duration=", "true"], "--duration"),
        (["--grace=x", "true"], "--grace"),
        (["--control-fd=x", "true"], "--control-fd"),
        (["--control-fd=77", "true"], "77"),
        (["-p", "x"], "x"),
        (["-p", "0"], "0"),
        (["-u", "no-such-user", "true"], "no-such-user"),
    ]
    for args, *words in rows:
        r = bare(t, *args)
        eq(r.status, 2, "status of iotrace %s (%s)" % (" ".join(args), r.err))
        one_line(r, *words)


@test
def programs_that_cannot_run(t):
    text = t.path("text")
    with open(text, "w") as f:
        f.write("no program\n")
    os.chmod(text, 0o644)
    for argv, status in ((["/no/such/program"], 127), (["no-such-program-anywhere"], 127), ([text], 126),
                         (["/"], 126)):
        r = bare(t, "-o", t.path("r"), *argv, env=dict(os.environ, PATH="/usr/bin:/bin"))
        eq(r.status, status, "status of " + argv[0])
        one_line(r, argv[0])
    eq(left_over(t.dir), ["text"], "files left")


@test
def a_script_without_interpreter_line(t):
    """execve says ENOEXEC; a shell would run it, a tracer says 126."""
    text = t.path("script")
    with open(text, "w") as f:
        f.write("echo hi\n")
    os.chmod(text, 0o755)
    r = bare(t, "-o", t.path("r"), text)
    eq(r.status, 126, "status (%s)" % r.err)
    one_line(r)
    eq(left_over(t.dir), ["script"], "files left")


@test
def a_missing_interpreter(t):
    text = t.path("script")
    with open(text, "w") as f:
        f.write("#!/no/such/interpreter\n")
    os.chmod(text, 0o755)
    r = bare(t, text)
    eq(r.status in (126, 127), True, "status %d" % r.status)
    one_line(r)


# ---- exit status ----

@test
def environment_of_the_target(t):
    env = {"PATH": "/usr/bin:/bin", "A": "old", "B": "old", "C": "kept"}
    show = ["/bin/sh", "-c", "echo ${A-unset} ${B-unset} ${C-unset} ${D-unset}"]
    eq(t.iotrace(["--env", "A=first", "--env", "A=x=y", "--env", "B", "--env", "D="], show, env=env).out,
       "x=y unset kept\n", "set, unset, left alone")
    eq(t.iotrace(["--env", "B=1", "--env", "B"], show, env=env).out, "old unset kept unset\n", "the last one wins")
    # One execve, whether the environment is changed or not.
    for options in ([], ["--env", "A=1"]):
        eq(t.iotrace(["--trace=execve"] + options, ["/bin/true"], env=env).call("execve")["calls"], 1, "execve")


@test
def exit_status_is_the_targets(t):
    for status in (0, 1, 3, 77, 124, 255):
        eq(bare(t, "-q", t.target("proc"), "end", str(status)).status, status, "status")


@test
def status_after_a_signal(t):
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    for sig in (1, 2, 6, 9, 11, 13, 15, 34):
        r = t.iotrace([], [t.target("proc"), "end", "0", str(sig)], status=128 + sig)
        eq(r.json["exit"], {"status": None, "signal": sig, "timed_out": False}, "exit")


# ---- outputs ----

@test
def three_files_of_one_run(t):
    r = t.iotrace(["--trace=write"], [t.target("iov"), "loop", "25"])
    eq((r.out, r.err), ("", ""), "output beside the files")
    eq(r.call("write")["ok"], 25, "JSON")
    check(HEADER in r.summary, "strace's table header in the summary")
    check(re.search(r"^ *100\.00 +\S+ +\d+ +25 +write$", r.summary, re.M), "its row:\n" + r.summary[-800:])
    eq(len([x for x in r.detail if " write(" in x]), 25, "detail lines")
    eq(left_over(t.dir), ["r1-detail.txt", "r1-summary.txt", "r1.json"], "files")
    check(max(map(len, r.summary.splitlines())) <= 100, "summary within 100 columns")


# Datagrams, iovecs, a file with a long name and one with bytes that are no text, and a call with a long name.
NARROW = r"""
import os, socket, sys, time
a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
a.bind(("127.0.0.1", 0))
for name in sys.argv[1:]:
    with open(os.fsencode(name), "w") as f:
        for i in range(60):
            a.sendto(b"x" * 20, a.getsockname())
            a.recv(100)
            os.writev(f.fileno(), [b"a", b"b"])
            time.sleep(0.00001)
"""


@test
def summary_as_wide_as_the_terminal(t):
    """Nothing is wider than a narrow terminal and no name is cut, in any locale; elsewhere it is as it always was."""
    names = [t.path("a_rather_long_name_of_a_file_" + "which_is_longer_" * 3 + "than_the_terminal_is_wide"),
             t.path("sch\u00f6n\udcff")]
    shown = [names[0], t.path("sch\u00f6n\ufffd")]
    argv = [t.binary, "--trace=all", "-P", names[0], "-P", names[1], "--", sys.executable, "-c", NARROW, *names]
    argv = [os.fsencode(x) for x in argv]
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LC_ALL", "LANG")}
    for columns, more in ((60, {}), (60, {"LC_ALL": "C"}), (60, {"LC_ALL": "POSIX", "LANG": "de_DE.ISO-8859-1"}),
                          (40, {}), (99, {}), (100, {"COLUMNS": "60"}), (70, {"COLUMNS": "none"})):
        text = tap.on_terminal(argv, columns, env={**env, **more})
        tap.fits(text, int(more["COLUMNS"]) if more.get("COLUMNS", "").isdigit() else columns, *shown, "writev")
    text = tap.on_terminal(argv, 200, env=env)
    check(max(map(len, text.splitlines())) in range(80, 101), "a wide terminal:\n" + text)
    check(HEADER in text, "strace's header:\n" + text)
    with open(t.path("err"), "w") as f:  # no terminal
        subprocess.run(argv, env=dict(env, COLUMNS="60"), stderr=f, check=True)
    text = open(t.path("err")).read()
    check(HEADER in text and max(map(len, text.splitlines())) in range(80, 101), "a file:\n" + text)


@test
def calls_with_long_names_on_a_narrow_terminal(t):
    """The last table is strace's, whose columns are narrower where a name would not fit."""
    argv = [t.binary, "--trace=rt_sigprocmask,clock_nanosleep,sched_getaffinity,write", "--", sys.executable, "-c",
            "import os, time; os.sched_getaffinity(0); time.sleep(0.001); os.write(1, b'')"]
    text = tap.on_terminal(argv, 60)
    tap.fits(text, 60)
    rows = text[text.index("% time"):].splitlines()
    check(any(r.endswith(" sched_getaffinity") for r in rows), "its row:\n" + text)
    eq(rows[0].split(), HEADER.split(), "titles")


@test
def each_file_alone(t):
    for option, word in (("--summary", HEADER), ("--detail", " write("), ("--json", '"iotrace.result/1"')):
        path = t.path("out" + option)
        r = bare(t, option, path, "--trace=write", t.target("iov"), "loop", "3")
        eq((r.status, r.out, r.err), (0, "", ""), "output with %s" % option)
        with open(path) as f:
            check(word in f.read(), "%r in %s" % (word, option))


@test
def dash_is_stdout(t):
    r = bare(t, "--json", "-", "--trace=write", t.target("iov"), "loop", "3")
    eq(json.loads(r.out)["syscalls"][0]["calls"], 3, "JSON on stdout")
    check(HEADER in bare(t, "--summary", "-", t.target("iov"), "loop", "3").out, "summary on stdout")
    eq(len(bare(t, "--detail", "-", "--trace=write", t.target("iov"), "loop", "3").out.splitlines()), 3,
       "detail on stdout")


@test
def summary_on_stderr_by_default(t):
    r = bare(t, "/bin/echo", "hello")
    eq(r.out, "hello\n", "the target's stdout")
    check(HEADER in r.err, "summary on stderr")
    eq(bare(t, "-q", "/bin/echo", "hello").err, "", "nothing with -q")


@test
def directories_that_cannot_be_written(t):
    marker = t.path("ran")
    for options in (["-o", "/no/such/dir/x"], ["--json", "/proc/x.json"], ["--summary", t.dir]):
        r = bare(t, *options, "touch", marker)
        eq(r.status, 125, "status with %s (%s)" % (" ".join(options), r.err))
        one_line(r, options[1])
        check(not os.path.exists(marker), "the target was not started")
    eq(left_over(t.dir), [], "files left")


@test
def a_directory_without_permission(t):
    if tap.IS_ROOT and not tap.USER:
        raise Skip("root may write everywhere")
    d = t.path("closed")
    os.mkdir(d)
    os.chmod(d, 0o555)
    r = bare(t, "-o", d + "/x", "true")
    eq(r.status, 125, "status")
    one_line(r, "x-summary.txt")


@test
def full_disk(t):
    """The target goes on to its end, the result says what is missing, 125, no half JSON."""
    unshare = need_tool("unshare")
    script = """set -e
mount -t tmpfs -o size=64k none small
rc=0; "$1" --detail small/d --json whole.json --trace=write -- "$2" loop 20000 2>err || rc=$?
echo "status $rc"; ls -A small; wc -c <small/d
rc=0; "$1" --json small/j --summary whole.txt --trace=write -- "$2" loop 20000 2>err2 || rc=$?
echo "second $rc"; ls -A small
"""
    os.mkdir(t.path("small"))
    how = ["-m"] if tap.IS_ROOT and not tap.USER and not tap.USERNS else ["-Urm"]
    r = t.run([unshare, *how, "sh", "-c", script, "sh", t.binary, t.target("iov")])
    if "status" not in r.out:
        raise Skip("cannot mount a tmpfs: " + r.err.strip())
    lines = r.out.splitlines()
    eq(lines[0], "status 125", "first run (%s)" % r)
    with open(t.path("err")) as f:
        text = f.read()
    eq(len(text.strip().splitlines()), 1, "lines on stderr: " + text)
    check("No space left" in text, "the reason: " + text)
    with open(t.path("whole.json")) as f:
        result = json.load(f)
    row = result["syscalls"][0]
    eq((row["name"], row["ok"]), ("write", 20000), "the target went on")
    check(not result["complete"] and result["warnings"], "said in the result: %r" % result["warnings"])
    check(result["tracer"]["detail_lines_left_out"] > 0, "lines left out are counted")
    check("second 125" in r.out or "second 0" in r.out, "second run: " + r.out)


@test
def detail_lines(t):
    r = t.iotrace(["--trace=all", "--detail-trace=all"], [t.target("mmsg"), "bad"])
    for line in r.detail:
        check(LINE.match(line), "shape of: " + line)
    eq(len(r.detail), sum(x["calls"] for x in r.json["syscalls"]), "a line a call")
    eq(r.json["tracer"]["detail_lines"], len(r.detail), "detail_lines")
    joined = "\n".join(r.detail)
    check(re.search(r"sendmmsg\(\d+, \{2 msgs, 16 bytes\}, 5, 0\) = 2 <", joined), "a batch:\n" + joined[-600:])
    check(re.search(r"sendmmsg\(.*\) = -1 EFAULT \(Bad address\) <", joined), "an error:\n" + joined[-600:])
    check(re.search(r"exit_group\(0\) = \?$", joined, re.M), "a call without return:\n" + joined[-600:])
    by_entry = sorted(float(x.split()[1]) for x in r.detail)
    check(by_entry[-1] - by_entry[0] < 20 and abs(by_entry[0] - time.time()) < 60, "times are of the day")


@test
def detail_of_interrupted_calls(t):
    r = t.iotrace(["--trace=recvfrom", "--detail-trace=recvfrom"], [t.target("sig"), "storm", "20"])
    lines = [x for x in r.detail if re.search(r"= \? ERESTARTSYS \(.*\)( <.*>)?$", x)]
    eq(len(lines), 20, "interrupted lines, e.g. %r" % r.detail[:1])


@test
def detail_has_no_payload(t):
    r = t.iotrace(["--trace=all", "--detail-trace=all"], ["/bin/echo", "s3cret-text"])
    check("s3cret" not in "\n".join(x for x in r.detail if "execve" not in x), "no payload in the detail")


@test
def detail_trace_default(t):
    r = t.iotrace(["--trace=all"], [t.target("iov"), "vectors"])
    names = {x.split()[2].split("(")[0] for x in r.detail}
    check("writev" in names and "mmap" in names, "names: %r" % names)
    check(names <= {"sendmmsg", "recvmmsg", "write", "writev", "mmap", "munmap"}, "names: %r" % names)


@test
def detail_limit(t):
    r = t.iotrace(["--trace=write", "--detail-limit=10k"], [t.target("iov"), "loop", "2000"])
    size = os.path.getsize(r.prefix + "-detail.txt")
    check(5000 < size <= 10240, "size %d" % size)
    check(all(LINE.match(x) for x in r.detail), "whole lines")
    tracer = r.json["tracer"]
    eq(tracer["detail_lines"], len(r.detail), "detail_lines")
    eq(tracer["detail_lines"] + tracer["detail_lines_left_out"], 2000, "all lines")


# ---- what is traced ----

@test
def trace_sets(t):
    rows = [
        (["--trace=write,read"], {"write", "read"}, {"mmap", "openat"}),
        (["-e", "trace=write"], {"write"}, {"read", "mmap"}),
        (["-e", "write"], {"write"}, {"read"}),
        (["--trace=all"], {"write", "read", "mmap", "execve", "exit_group", "openat"}, set()),
        (["--trace=!mmap"], {"write", "execve"}, {"mmap"}),
        (["--trace=all,!write"], {"read", "execve"}, {"write"}),
        (["--trace=%file"], {"execve", "openat"}, {"write"}),
        (["--trace=%memory"], {"mmap", "brk"}, {"write", "read"}),
        (["--trace=%process"], {"execve", "exit_group"}, {"write"}),
        (["--trace=%desc"], {"write", "read", "openat"}, {"brk"}),
        (["--trace=%network"], set(), {"write"}),
        (["--trace=%io,!read"], {"write", "mmap"}, {"read", "openat"}),
        ([], {"write", "read", "mmap", "brk"}, {"openat", "execve", "exit_group"}),
    ]
    for options, present, absent in rows:
        r = t.iotrace(options, [t.target("iov"), "plain"])
        names = {x["name"] for x in r.json["syscalls"]}
        check(present <= names, "%r: %r are missing in %r" % (options, present - names, names))
        check(not absent & names, "%r: %r should not be there" % (options, absent & names))


@test
def default_set_has_every_decoder_and_wait(t):
    r = t.iotrace([], ["true"])
    have = set(r.json["tracer"]["traced_set"])
    want = set("""sendmmsg recvmmsg write writev pwrite64 pwritev pwritev2 read readv pread64 preadv preadv2
        sendto sendmsg recvfrom recvmsg sendfile splice copy_file_range io_uring_enter epoll_wait epoll_pwait
        epoll_pwait2 io_submit io_getevents mmap munmap mremap brk madvise poll ppoll select pselect6""".split())
    eq(sorted(want - have), [], "missing in %io")


@test
def first_execve_counts(t):
    eq(t.iotrace(["--trace=execve"], ["true"]).call("execve")["ok"], 1, "execve")


# ---- the window ----

@test
def skip_and_duration(t):
    def parted(pace):
        part = t.iotrace(["--timeout=%g" % pace, "--trace=pwrite64", "--skip=%g" % (0.3 * pace),
                          "--duration=%g" % (0.3 * pace)], [t.target("proc"), "steady", "1"], status=124)
        w, wall = part.json["window"], part.json["wall_ns"]
        check(w["wall_ns"] >= 290e6 * pace and w["begin_ns"] >= 290e6 * pace and w["begin_ns"] + w["wall_ns"] < wall,
              "window %r of %r" % (w, wall))
        b = part.call("pwrite64")["calls"]
        # It sleeps 10 ms after each call.
        check(0 < b <= w["wall_ns"] / 10e6 + 2, "%d calls in the window %r" % (b, w))
        phases = {p["name"]: p["calls"] for p in part.json["phases"]}
        eq(phases["window"], b, "calls of the phase")
        check(phases["start-up"] > 0 and phases["shutdown"] > 0, "phases %r" % phases)

    at_some_pace(parted, (1, 5, 20))
    whole = t.iotrace(["--timeout=0.1", "--trace=pwrite64"], [t.target("proc"), "steady", "1"], status=124)
    check(whole.json["window"] is None, "no window without options")


@test
def status_line(t):
    """Rewritten every second, with what has been counted so far."""
    path = os.path.join(t.dir, "status")
    argv, _ = t.iotrace_argv(["--trace=pwrite64", "--status", path], [t.target("proc"), "steady", "1"])
    p = t.start(argv)
    seconds, calls = map(float, wait_for_text(path).split()[:2])

    def has_more():
        now = wait_for_text(path).split()
        return float(now[0]) > seconds and float(now[1]) > calls

    wait_for("a later line with more calls", has_more)
    p.terminate()
    eq(t.finish(p).status, 143, "status")
    r = t.iotrace(["--status", "/nonexistent/x"], ["true"], status=125)
    check("/nonexistent/x" in r.err, "stderr: %r" % r.err)


@test
def a_file_size_limit_is_a_full_disk(t):
    """Not the signal: the target's end is told, the files that fit are whole, the status is 125."""
    r = t.run(["sh", "-c", "ulimit -f 8; exec %s -o %s -e all --detail-trace=all -- python3 -S -c pass" % (
        quote(t.binary), t.path("lim"))])
    eq(r.status, 125, "status")
    check("lim-detail.txt" in r.err or "lim.json" in r.err, "stderr: %r" % r.err)
    eq([f for f in os.listdir(t.dir) if f.startswith(".")], [], "half-written files")


@test
def without_any_file_there_is_a_summary(t):
    """A file size limit of 0: nothing that iotrace needs for itself is a file that grows."""
    for mode in ("auto", "ptrace"):
        r = t.run(["sh", "-c", "ulimit -f 0; exec %s --mode=%s -e write sh -c 'ulimit -f; echo hello'" % (
            quote(t.binary), mode)])
        eq((r.status, r.out), (0, "0\nhello\n"), "status and output: %s" % r)
        check(re.search(r"\b2 .*\bwrite\b", r.err), "the summary: %r" % r.err)


@test
def a_limit_of_cpu_time_is_the_programs(t):
    """Of many programs each has its own time; the tracer, which all of them cost some, is not ended by it: it lifts the
    limit or, where it may not, is told a second before."""
    show = ("p=$(sed -n 's/^TracerPid:[^0-9]*//p' /proc/self/status); "
            "for i in self $p; do sed -n 's/^Max cpu time *\\([a-z0-9]*\\) *\\([a-z0-9]*\\).*/\\1 \\2/p' /proc/$i/limits; done")
    lifted = t.run(["sh", "-c", "ulimit -t 777; ulimit -t unlimited"]).status == 0
    own = "unlimited unlimited" if lifted else "776 777"
    for mode in ("ptrace", "auto"):
        r = t.run(["sh", "-c", "ulimit -S -t 55; ulimit -H -t 777; exec %s -q --mode=%s --json %s sh -c %s" % (
            quote(t.binary), mode, t.path("cpu.json"), quote(show))])
        eq(r.out, "55 777\n%s\n" % own, "soft and hard limit of the program and the tracer: %s" % r)


@test
def the_tracers_own_cpu_time_is_over(t):
    """It may not lift its limit: what it traces is ended by it, as it would be by the tracer's end, and there is a result."""
    ordinary = [need_tool("setpriv"), "--reuid=65534", "--regid=65534", "--clear-groups"] if os.geteuid() == 0 else []
    os.chmod(t.dir, 0o777)
    if t.run(ordinary + ["test", "-x", t.binary]).status:
        raise Skip("another user may not enter the folder of the build")
    dd = "dd if=/dev/zero of=/dev/null bs=1 2>/dev/null"
    for options, before in ((["--mode=ptrace", "--", "sh", "-c", dd], ""),
                            (["--mode=ptrace", "-p", "$target"], dd + " & target=$!; ")):
        limit = "ulimit -t 2; exec " if not before else "(ulimit -t 2; exec "
        after = "" if not before else "); status=$?; kill $target && exit $status"
        argv = " ".join(word if word.startswith("$") else quote(word) for word in
                        [t.binary, "-q", "--json", t.path("spent.json")] + options)
        r = t.run(ordinary + ["sh", "-c", before + limit + argv + after])
        eq(r.status, 124, "status, %s: %s" % (options, r))
        with open(t.path("spent.json")) as f:
            j = json.load(f)
        eq([w["text"] for w in j["warnings"] if w["code"] == "timed_out"],
           ["The limit of CPU time that iotrace is under itself (ulimit -t) ended the run."], "what is said")
        os.unlink(t.path("spent.json"))


@test
def who_started_a_process_that_is_another_program_now(t):
    """As a script that prepares something and executes its server."""
    for mode in ("auto", "ptrace"):
        r = t.iotrace(["-q", "--mode=" + mode, "--json", t.path("j")], ["sh", "-c", "/bin/true; /bin/true; exec env sh -c '/bin/echo; :'"])
        eq(r.status, 0, "status: %s" % r)
        eq(sorted((p["name"], p["started_by"] or "", p["processes"]) for p in json.load(open(t.path("j")))["programs"]),
           [("echo", "sh", 1), ("sh", "", 1), ("true", "sh", 2)], "programs")
        t.iotrace(["-q", "--mode=" + mode, "--json", t.path("j")], ["sh", "-c", "/bin/true; exec env"])
        eq([(p["name"], p["started_by"]) for p in json.load(open(t.path("j")))["programs"]],
           [("env", None), ("true", "sh")], "programs")


@test
def a_name_of_two_lines(t):
    """As a thread may call itself; the kernel ends it with a newline of its own."""
    for name, is_called in (("one\\ntwo", "one\ntwo"), ("one\\n", "one"), ("fifteen\\nletter", "fifteen\nletter")):
        for mode in ("auto", "ptrace"):
            r = t.iotrace(["-q", "--mode=" + mode, "--json", t.path("j")],
                          ["sh", "-c", "printf '%s' > /proc/self/comm; (/bin/true; :); :" % name])
            eq(r.status, 0, "status: %s" % r)
            eq([p["started_by"] for p in json.load(open(t.path("j")))["programs"] if p["name"] == "true"], [is_called], name)


@test
def closed_standard_descriptors(t):
    """The target's stay closed, and nothing of ours is written into what it opens."""
    for closed in ("0<&-", "1>&-", "2>&-", "0<&- 1>&- 2>&-"):
        out = t.path("own")
        r = t.run(["sh", "-c", "exec %s -q --json %s -- sh -c 'exec 7>%s; echo x >&7' %s" % (
            quote(t.binary), t.path("j.json"), out, closed)])
        eq((r.status, open(out).read()), (0, "x\n"), closed)
    # What was to be printed there is lost, and no success.
    for words in ("-q --json - true", "-q --summary - true", "-q --detail - true", "--help"):
        r = t.run(["sh", "-c", "exec %s %s >&-" % (quote(t.binary), words)])
        eq(r.status, 125, words)
        check("Bad file descriptor" in r.err, "%s: %s" % (words, r))


@test
def control_fd(t):
    r, w = os.pipe()
    argv, prefix = t.iotrace_argv(["--trace=pwrite64", "--control-fd", str(r)], [t.target("proc"), "steady", "1"])
    p = t.start(argv, pass_fds=[r])
    os.close(r)
    eq(p.stdout.readline(), b"ready\n", "the target")
    pid = wait_for("a target", lambda: children(p.pid))[0]

    def say(words):
        os.write(w, words)
        wait_for("it has read it", lambda: not any(fcntl.ioctl(w, termios.FIONREAD, bytes(4))))

    wait_until_it_works(pid, 10)
    began = time.monotonic()
    say(b"begin\n")
    wait_until_it_works(pid, 30)
    say(b"mark half way\nma")
    say(b"rk two\nnonsense\n")
    wait_until_it_works(pid, 30)
    say(b"end\n")
    wait_until_it_works(pid, 10)
    p.terminate()
    done = t.finish(p)
    ended = time.monotonic()
    os.close(w)
    eq(done.status, 143, "status (%s)" % done.err)
    with open(prefix + ".json") as f:
        result = json.load(f)
    wall = result["window"]["wall_ns"]
    check(0 < wall < 1e9 * (ended - began), "window: %r in %r s" % (result["window"], ended - began))
    names = [x["name"] for x in result["phases"]]
    for name in ("start-up", "window", "shutdown", "half way", "two"):
        check(name in names, "%s in phases %r" % (name, names))
    check("Lines on the control descriptor that are not begin, end or mark NAME: 1." in str(result["warnings"]),
          "nonsense: %s" % result["warnings"])
    # It sleeps 10 ms after each call.
    check(0 < result["syscalls"][0]["calls"] <= wall / 10e6 + 2, "%r calls in a window of %r ns" %
          (result["syscalls"][0]["calls"], wall))


@test
def control_fd_that_is_closed_early(t):
    """The runner dies: the target goes on."""
    r, w = os.pipe()
    argv, prefix = t.iotrace_argv(["--control-fd", str(r)], [t.target("iov"), "loop", "5000"])
    p = t.start(argv, pass_fds=[r])
    os.close(r)
    os.close(w)
    eq(t.finish(p).status, 0, "status")
    with open(prefix + ".json") as f:
        check("on the control descriptor that" not in f.read(), "a line that nobody wrote")


@test
def the_control_fd_is_not_the_targets(t):
    r, w = os.pipe()
    argv, _ = t.iotrace_argv(["--control-fd", str(r)], ["ls", "/proc/self/fd"])
    p = t.start(argv, pass_fds=[r])
    os.close(r)
    done = t.finish(p)
    os.close(w)
    eq(done.out.split(), ["0", "1", "2", "3"], "its descriptors")


# ---- limits and signals ----

@test
def timeout(t):
    def ended(pace):
        r = t.iotrace(["--timeout=%g" % (0.3 * pace), "--trace=pwrite64"], [t.target("proc"), "steady", "4"], status=124)
        eq(r.json["exit"], {"status": None, "signal": 15, "timed_out": True}, "exit")
        check(r.call("pwrite64")["ok"] > 0, "calls")
        check(HEADER in r.summary, "the summary is written")

    at_some_pace(ended)


@test
def timeout_then_kill(t):
    def ended(pace):
        r = t.iotrace(["--timeout=%g" % (0.3 * pace), "--grace=%g" % (0.4 * pace)], [t.target("sig"), "listens"], status=124)
        check(r.seconds > 0.6 * pace, "%.1f s" % r.seconds)
        eq(r.json["exit"], {"status": None, "signal": 9, "timed_out": True}, "exit")
        check("got 15\n" in r.out, "it got TERM first: " + r.out)

    at_some_pace(ended)


@test
def a_target_that_ends_in_time(t):
    r = t.iotrace(["--timeout=20"], ["true"])
    check(r.seconds < 20 and r.json["exit"]["timed_out"] is False, "ended by itself")


@test
def signals_are_passed_on(t):
    for sig in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        argv, prefix = t.iotrace_argv([], [t.target("sig"), "listens", "5"])
        p = t.start(argv)
        eq(p.stdout.readline(), b"ready\n", "the target")
        p.send_signal(sig)
        r = t.finish(p)
        eq((r.status, r.out), (5, "got %02d\n" % sig), "status and output after %s" % sig.name)
        check(os.path.exists(prefix + ".json"), "files written")


@test
def signals_reach_every_process(t):
    """The orphan too: the first process has long gone."""
    argv, prefix = t.iotrace_argv([], ["sh", "-c", "%s listens 5 & exec %s listens 6" % ((quote(t.target("sig")),) * 2)])
    p = t.start(argv)
    eq(p.stdout.readline() + p.stdout.readline(), b"ready\nready\n", "the targets")
    p.terminate()
    r = t.finish(p)
    eq((r.status, r.out), (6, "got 15\ngot 15\n"), "status and output")


@test
def the_second_signal_kills(t):
    argv, prefix = t.iotrace_argv([], [t.target("sig"), "listens"])
    p = t.start(argv)
    eq(p.stdout.readline(), b"ready\n", "the target")
    p.terminate()
    eq(p.stdout.readline(), b"got 15\n", "the target got the first")
    check(p.poll() is None, "it stays after the first")
    p.send_signal(signal.SIGINT)
    r = t.finish(p)
    eq(r.status, 137, "status")
    with open(prefix + ".json") as f:
        eq(json.load(f)["exit"]["signal"], 9, "the files are written all the same")


# ---- -p ----

@test
def attach_and_detach(t):
    target = steady(t, 6)

    def attached(how, pace):
        options, seconds = ["--trace=pwrite64", "-p", str(target.pid)], "%g" % (0.3 * pace)
        options += {"duration": ["--duration", seconds], "timeout": ["--timeout", seconds]}.get(how, [])
        command = ["sleep", seconds] if how == "command" else []
        argv, prefix = t.iotrace_argv(options, command)
        began = time.monotonic()
        p = t.start(argv)
        if how == "signal":
            wait_until_attached(p, target.pid)
            wait_until_it_works(target.pid, 10)
            p.send_signal(signal.SIGINT)
        r = t.finish(p)
        seconds = time.monotonic() - began
        want = {"timeout": (124,), "duration": (0, 124)}.get(how, (0,))
        check(r.status in want, "%s: status %d (%s)" % (how, r.status, r.err))
        check(not gone(target.pid) and target.poll() is None, "%s: the target lives" % how)
        eq(status_of(target.pid)["TracerPid"], "0", how + ": TracerPid")
        with open(prefix + ".json") as f:
            result = json.load(f)
        check(result["exit"] is None, "%s: exit %r" % (how, result["exit"]))
        calls = sum(x["calls"] for x in result["syscalls"] if x["name"] == "pwrite64")
        # Each sleeps 10 ms after a call.
        check(6 <= calls <= 6 * (seconds * 100 + 2), "%s: %d calls of 6 threads in %.2f s" % (how, calls, seconds))
        eq(len(result["threads"]), 6, how + ": threads")

    for how in ("signal", "duration", "timeout", "command"):
        at_some_pace(lambda pace, how=how: attached(how, pace))


@test
def attach_to_one_that_ends(t):
    target = t.start(["sh", "-c", "echo ready; read line; exit 9"], stdin=subprocess.PIPE)
    eq(target.stdout.readline(), b"ready\n", "the target")
    argv, prefix = t.iotrace_argv(["-p", str(target.pid)], [])
    p = t.start(argv)
    wait_until_attached(p, target.pid)
    target.stdin.write(b"end\n")
    target.stdin.flush()
    r = t.finish(p)
    eq(r.status, 9, "status is the target's (%s)" % r.err)
    with open(prefix + ".json") as f:
        eq(json.load(f)["exit"]["status"], 9, "exit")


@test
def attach_to_nothing(t):
    gone_pid = subprocess.Popen(["true"])
    gone_pid.wait()
    argv, prefix = t.iotrace_argv(["-p", str(gone_pid.pid)], [])
    r = t.finish(t.start(argv))
    eq(r.status, 125, "status (%s)" % r.err)
    one_line(r, str(gone_pid.pid))
    check(not os.path.exists(prefix + ".json"), "no result file")


@test
def attach_to_one_of_another_user(t):
    if not tap.USER and tap.IS_ROOT:
        raise Skip("for an ordinary user")
    argv, _ = t.iotrace_argv(["-p", str(os.getpid() if tap.USER else 1)], [])
    r = t.finish(t.start(argv))
    eq(r.status, 125, "status")
    one_line(r, "permi")
    check("ptrace" in r.err or "root" in r.err or "same user" in r.err, "what to change is named: " + r.err)


@test
def attach_to_a_stopped_process(t):
    """It stays stopped, during and after."""
    target = steady(t, 3)
    os.kill(target.pid, signal.SIGSTOP)
    wait_for("stopped", lambda: status_of(target.pid)["State"].startswith("T"))
    argv, prefix = t.iotrace_argv(["-p", str(target.pid), "--duration=0.3"], [])
    r = t.finish(t.start(argv))
    check(r.status in (0, 124), "status %d (%s)" % (r.status, r.err))
    wait_for("stopped after the detach", lambda: status_of(target.pid)["State"][0] == "T")
    time.sleep(0.1)  # time in which it could run
    eq(status_of(target.pid)["State"][0], "T", "it stays so")
    os.kill(target.pid, signal.SIGCONT)
    wait_for("it runs again", lambda: status_of(target.pid)["State"][0] in "SR")


@test
def the_attached_targets_children_are_followed(t):
    """Those made while attached count, and run on after the detach."""
    target = t.start(["sh", "-c", "while :; do /bin/echo x >>said; done"])
    wait_for_text(t.path("said"))
    argv, prefix = t.iotrace_argv(["--trace=write,execve", "-p", str(target.pid)], [])
    p = t.start(argv)
    wait_until_attached(p, target.pid)
    said = os.path.getsize(t.path("said"))
    wait_for("ten children", lambda: os.path.getsize(t.path("said")) >= said + 2 * 10)
    p.send_signal(signal.SIGINT)
    t.finish(p)
    with open(prefix + ".json") as f:
        result = json.load(f)
    check(result["processes"] > 4, "processes: %r" % result["processes"])
    check(target.poll() is None, "the target lives")


# ---- what the target must not notice ----

PROBE = r"""
import os, resource, signal, sys
def text(p):
    with open(p) as f: return f.read()
keep = ("SigBlk", "SigIgn", "SigCgt", "Umask", "CapEff", "CapInh", "CapBnd", "Groups", "Threads")
for l in text("/proc/self/status").splitlines():
    if l.split(":")[0] in keep: print(l)
print(os.getcwd(), sorted(os.environ.items()), sys.argv[1:])
print([(fd, os.readlink("/proc/self/fd/" + fd)) for fd in sorted(os.listdir("/proc/self/fd")) if int(fd) < 3],
      len(os.listdir("/proc/self/fd")))
print([resource.getrlimit(getattr(resource, n)) for n in dir(resource) if n.startswith("RLIMIT_")])
print(text("/proc/self/oom_score_adj"), os.getpriority(os.PRIO_PROCESS, 0), os.sched_getscheduler(0))
print(len(os.sched_getaffinity(0)), os.cpu_count(), text("/proc/self/personality") if os.access("/proc/self/personality", os.R_OK) else "")
print(sys.stdin.read())
"""


@test
def a_target_notices_nothing(t):
    """stdin, stdout, stderr, directory, environment, masks, limits, CPUs, descriptors."""
    python = need_tool("/usr/bin/python3")
    argv = [python, "-S", "-c", PROBE, "a b", "", "*"]
    kw = {"input": b"text for stdin\n", "env": dict(os.environ, PROBE_VALUE="x y")}
    native = t.run(argv, **kw)
    traced = t.run([t.binary, "-o", t.path("r"), "--", *argv], **kw)
    eq(native.status, 0, "the probe (%s)" % native.err)
    pipes = re.compile(r"(pipe|socket):\[\d+\]")
    lines = [pipes.sub("pipe", x.out).splitlines() for x in (native, traced)]
    eq([b for a, b in zip(*lines) if a != b], [], "what the target sees otherwise (%d lines natively, %d traced)"
       % (len(lines[0]), len(lines[1])))
    eq(len(lines[1]), len(lines[0]), "lines")


@test
def ignored_and_blocked_signals_are_passed_on(t):
    def ignore():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
    argv = ["grep", "-E", "Sig(Blk|Ign)|ShdPnd", "/proc/self/status"]
    eq(t.run([t.binary, "-q", *argv], preexec_fn=ignore).out, t.run(argv, preexec_fn=ignore).out, "signals")


@test
def closed_descriptors(t):
    """Without stdin, stdout or stderr nothing of ours lands in the target's files."""
    for fd in (0, 1, 2):
        r = t.run(["sh", "-c", 'exec %d>&-; exec "$@"' % fd, "sh", t.binary, "-o", t.path("r"), "--",
                   "sh", "-c", "ls /proc/self/fd >out 2>/dev/null; echo x >&2; echo y; true"])
        eq(r.status, 0, "status with %d closed (%s)" % (fd, r.err))
        with open(t.path("r.json")) as f:
            check(json.load(f)["complete"], "complete")


@test
def terminal_and_process_group_are_untouched(t):
    need_tool("ps")
    out = t.run(["setsid", "sh", "-c", 'exec "$0" -q ps -o pid=,pgid=,sid= -p $$', t.binary]).out.split()
    eq(out[1:], [out[0], out[0]], "pid, group and session of iotrace itself: %r" % out)
    r = t.run([t.binary, "-q", "sh", "-c", "ps -o pgid=,sid= -p $$; true"])
    a, b = r.out.split()
    eq(a, b, "the target is in the group and session that iotrace was started in")


# ---- users and permissions ----

@test
def user_option(t):
    need_root()
    r = t.iotrace(["-u", "nobody"], ["sh", "-c", "id -u; id -G; touch made"])
    eq(r.out.split()[0], "65534", "uid")
    check("0" not in r.out.split()[1:], "groups: " + r.out)
    for name in ("made", "r1.json", "r1-summary.txt", "r1-detail.txt"):
        eq(os.stat(t.path(name)).st_uid, 65534, "owner of " + name)


@test
def user_option_needs_root(t):
    if tap.IS_ROOT and not tap.USER:
        raise Skip("for an ordinary user")
    r = bare(t, "-u", "daemon", "true")
    check(r.status in (2, 125), "status %d" % r.status)
    one_line(r, "daemon")


FORBID = r"""
import ctypes, os, struct, sys
# a filter that answers EPERM to one call; to be inherited by the program that follows
nr = int(sys.argv[1])
libc = ctypes.CDLL(None, use_errno=True)
code = [(0x20, 0, 0, 0), (0x15, 0, 1, nr), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)]
buf = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *c) for c in code))
prog = struct.pack("HxxxxxxP", len(code), ctypes.addressof(buf))
assert libc.prctl(38, 1, 0, 0, 0) == 0
assert libc.prctl(22, 2, ctypes.c_char_p(prog)) == 0
os.execv(sys.argv[2], sys.argv[2:])
"""


@test
def ptrace_or_seccomp_not_permitted(t):
    """As in a container: one clear line that names what to change, 125, nothing written, no target left."""
    python = need_tool("/usr/bin/python3")
    for name, nr, word in (("ptrace", 101, "ptrace"), ("seccomp", 317, "seccomp")):
        argv, prefix = t.iotrace_argv(["--mode=ptrace"], ["touch", t.path("ran")])
        r = t.run([python, "-c", FORBID, str(nr), *argv])
        if r.status == 0 and name == "seccomp":
            continue  # it found another way to install its filter: prctl
        eq(r.status, 125, "%s: status (%s)" % (name, r))
        one_line(r, word)
        check(not os.path.exists(prefix + ".json"), name + ": no result file")
        check(not os.path.exists(t.path("ran")), name + ": the target did not run")


# ---- other names ----

@test
def programs_are_found_by_path(t):
    r = bare(t, "--json", "-", "--trace=write", "echo", "x", env=dict(os.environ, PATH="/nowhere:/usr/bin:/bin"))
    eq(r.status, 0, "status (%s)" % r.err)
    eq(bare(t, "true", env={"PATH": "/nowhere"}).status, 127, "status without it in PATH")


@test
def options_after_the_program_are_its_own(t):
    eq(bare(t, "-q", "echo", "--help", "-o", "x").out, "--help -o x\n", "output")
    eq(bare(t, "-q", "--", "echo", "--", "-q").out, "-- -q\n", "output after --")


@test
def odd_arguments_survive(t):
    r = t.iotrace([], ["printf", "%s|", "a b", "", "é", "\t", "x\ny"])
    eq(r.out, "a b||é|\t|x\ny|", "output")
    eq(r.json["command"][1:], ["%s|", "a b", "", "é", "\t", "x\ny"], "command in the result")


@test
def bytes_that_are_no_text(t):
    argv, prefix = t.iotrace_argv([], [])
    r = t.finish(t.start([x.encode() for x in argv] + [b"--", b"printf", b"%s", b"\xff\xfe"]))
    eq(r.status, 0, "status")
    with open(prefix + ".json", encoding="utf-8", errors="strict") as f:
        check(json.load(f)["command"][0] == "printf", "the JSON is UTF-8")


if __name__ == "__main__":
    tap.only_from(__name__)
    main()
