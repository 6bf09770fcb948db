#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Ordinary deterministic programs under `strace -f` and under iotrace by stops and by both traps: calls, results and
errors by name must be the same for the whole run, and so must be the files that each process had at
each fd, in order, with the calls on them. Recorded means from the first call on."""
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fdrows
import recorder
import stracelog
from tap import Failure, Traced, check, eq, main, need_tool, only_from, test

# Their number depends on who runs first: waiting, waking, and memory that such calls make room for.
# clock_nanosleep stays: nothing here sleeps in a loop.
RACY = {"futex", "wait4", "waitid", "sched_yield", "rt_sigreturn", "restart_syscall", "poll", "read",
        "ppoll", "pselect6", "select", "epoll_wait", "rt_sigprocmask", "madvise"}

# Begun anew where a signal is pending, the end of an earlier child for instance: how often is by when it comes.
CREATE = {"clone", "clone3", "fork", "vfork"}


def by_strace(t, argv, cwd, stdin):
    need_tool("strace")
    path = t.path("strace.log")
    # The same environment: its length moves what the programs do.
    r = t.run(["strace", "-f", "-qq", "-yy", "-s", "0", "-o", path] + argv, cwd=cwd, input=stdin,
              env=recorder.AT_ONCE)
    log = stracelog.read(path)
    if log.unparsed:
        raise Failure("strace lines not understood: %r" % log.unparsed[:3])
    return r, log, fdrows.StraceFds(path)


def lines_of(path, name):
    """What a log says of a call, to see which one is too many."""
    with open(path, errors="replace") as f:
        return [line.rstrip() for line in f if re.search(r"\b%s\b" % name, line)][:100]


def compare(t, argv, mode, racy=(), before=None, stdin=None, racy_fds=()):
    """before: run in each of two fresh directories that the program then works in. racy: calls whose number
    may differ; racy_fds: more of them where they are counted by fd, None for all."""
    if mode != "ptrace":
        recorder.need_recorder(t, *recorder.WAYS[mode])
    dirs = []
    for name in ("by_strace", "by_iotrace"):
        dirs.append(t.path(name))
        os.mkdir(dirs[-1])
        os.chmod(dirs[-1], 0o777)
        if before:
            before(dirs[-1])
    want, log, fds = by_strace(t, argv, dirs[0], stdin)
    full, prefix = t.iotrace_argv(recorder.WAYS[mode] + ["--trace=all"], argv)
    got = t.run(full, input=stdin, cwd=dirs[1], env=recorder.AT_ONCE)
    eq(got.status, want.status, "status")
    eq(got.out, want.out, "standard output")
    r = Traced(got.status, got.out, got.err, 0)
    r.prefix = prefix
    rows = {x["name"]: x for x in r.json["syscalls"]}
    wrong = []
    for name in sorted(set(log.calls) | set(rows)):
        if name in racy:
            continue
        w, g = log.calls.get(name, stracelog.Call()), r.call(name)
        a = (w.ok, w.errors, dict(w.errno), name in CREATE or w.interrupted + w.no_return)
        b = (g["ok"], g["errors"], g["errno"], name in CREATE or g["interrupted"] + g["no_return"])
        if a != b:
            wrong.append("%s: strace %r, iotrace %r" % (name, a, b))
            wrong += lines_of(t.path("strace.log"), name) + lines_of(prefix + "-detail.txt", name)
    if wrong:
        raise Failure("\n".join(wrong))
    if racy_fds is not None:
        leave_out = set(racy) | set(racy_fds)
        differ = fdrows.difference(fds.processes(leave_out), fdrows.processes(r.json, leave_out))
        check(not differ, "files by strace (here) and by iotrace (there):\n" + differ)
    tracer = recorder.check_ways(r)
    recorded = tracer["calls_recorded_in_process"]
    if mode in ("dispatch", "no-times") and "vfork" in argv:  # a signal before each call lifts it, so each has one stop
        recorded += tracer["calls_redirected"]
    check((recorded > 0) == (mode != "ptrace"), "%d calls recorded" % recorded)


def register(name, run):
    for mode in recorder.WAYS:
        test(lambda t, mode=mode: run(t, mode), name=name + (" " + mode if mode != "ptrace" else ""), timeout=120)


def program(name, argv, tool=None, **kw):
    def run(t, mode):
        need_tool(tool or argv[0])
        compare(t, argv, mode, **kw)
    register(name, run)


def a_tree(directory):
    for i in range(20):
        with open(os.path.join(directory, "f%d" % i), "w") as f:
            f.write("line %d\n" % i * (100 * i))


def a_project(directory):
    for i in range(3):
        with open(os.path.join(directory, "f%d.c" % i), "w") as f:
            f.write("#include <stdio.h>\nint f%d(int x) { return printf(\"%%d\", x); }\n" % i)
    with open(os.path.join(directory, "Makefile"), "w") as f:
        f.write("all: f0.o f1.o f2.o\n%.o: %.c ; gcc -pipe -O1 -c -o $@ $<\n")


only_from(__name__)
PYTHON = "/usr/bin/python3"

program("true", ["true"])
program("echo", ["/bin/echo", "hello"])
program("ls", ["ls", "-la", "/usr/lib"])
program("cat a file", ["cat", "/etc/services", "/nonexistent"])
program("cat standard input", ["cat"], stdin=b"some text\n" * 1000)
program("dd", ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=3000", "status=none"])
# It reads /proc/self/maps, which is longer by the recorder's mappings.
program("grep -r", ["grep", "-rc", "line", "."], before=a_tree, racy={"read"})
program("tar", ["tar", "cf", "t.tar", "--exclude=t.tar", "."], before=a_tree)
program("sort", ["sort", "-r", "f9", "f5"], before=a_tree, racy={"futex"})
program("cp -r", ["cp", "-r", "/usr/share/terminfo", "copy"])
program("find", ["find", "/usr/share/terminfo", "-name", "x*"])
program("sh: a failing program", ["sh", "-c", "ls /nonexistent; exit 3"], racy={"rt_sigreturn", "wait4"})
program("sh: a pipeline", ["sh", "-c", "cat f9 | sort | uniq -c | wc -l"], before=a_tree, racy=RACY)
program("sh: subshells", ["sh", "-c", "i=0; while [ $i -lt 20 ]; do (echo $i); i=$((i+1)); done"],
        racy={"rt_sigreturn", "wait4"})
program("bash: exec of exec", ["bash", "-c", "exec sh -c 'exec env true'"])
program("python3", [PYTHON, "-S", "-c", "import json; print(json.dumps({'a': list(range(9))}))"], tool=PYTHON)
program("python3: threads", [PYTHON, "-S", "-c", """
import os, threading
def work():
    fd = os.open('/dev/null', os.O_WRONLY)
    for _ in range(50): os.write(fd, b'x')
    os.close(fd)
ts = [threading.Thread(target=work) for _ in range(8)]
for t in ts: t.start()
for t in ts: t.join()
"""], tool=PYTHON, racy_fds=None,
        racy=RACY - {"read"} | {"mmap", "munmap", "mprotect", "brk", "rseq", "set_robust_list", "exit"})
program("python3: subprocess", [PYTHON, "-S", "-c", """
import subprocess
for i in range(5): subprocess.run(['true'])
"""], tool=PYTHON, racy=RACY)
program("perl", ["perl", "-e", 'open(F, ">", "o"); print F "x" x $_, "\\n" for 1..500; close F; system("true")'],
        racy=RACY - {"read"})
program("make with gcc", ["make", "-s"], tool="gcc", before=a_project,
        racy=RACY | {"getrandom", "brk"})  # brk: by where the heap happens to lie
program("make -j2 with gcc", ["make", "-s", "-j2"], tool="gcc", before=a_project, racy_fds=None,
        racy=RACY | {"getrandom", "brk", "write", "fcntl", "dup2", "prlimit64"})  # who gets a job token
program("static busybox", ["busybox", "sh", "-c", "busybox dd if=/dev/zero of=/dev/null bs=1 count=999 2>/dev/null"],
        racy={"rt_sigreturn", "wait4"})


def a_target(prog, case, variant=""):
    def run(t, mode):
        compare(t, [t.target(prog, variant), *case.split()], mode, racy={"rt_sigreturn"})
    register("target %s %s %s" % (prog, case, variant), run)


for v in ("", "static", "musl"):
    for p, c in (("mmsg", "batches 5 7"), ("iov", "plain"), ("iov", "offsets"), ("sock", "single"),
                 ("proc", "fork 5"), ("proc", "vfork 5"), ("proc", "spawn 3"), ("fds", "reuse"),
                 ("fds", "over"), ("fds", "failed"), ("fds", "forked"),
                 ("sandbox", "errno"), ("wait", "epoll"), ("aio", "aio")):
        a_target(p, c, v)

if __name__ == "__main__":
    main()
