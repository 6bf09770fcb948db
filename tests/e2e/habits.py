#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What one who knows strace types: its sets of calls, with strace itself as the oracle, its options, where output goes,
and what is said where the set leaves out nearly all that a program does. docs/FROM-STRACE.md."""
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import AT_ONCE
from stracelog import canonical
from tap import USER, Skip, check, eq, main, need_recorder, need_tool, only_from, test

only_from("habits")

# The numbers that strace 6.1 has names for.
NUMBERS = ["numbers", "0", "451"]
SETS = ["%network", "%net", "network", "%file", "file", "%process", "process", "%desc", "desc", "%memory", "memory",
        "%signal", "signal", "%ipc", "ipc", "%clock", "%creds", "%pure", "%stat", "%lstat", "%fstat", "%%stat", "%statfs",
        "%fstatfs", "%%statfs", "all", "none", "!none", "!all", "!!read", "read,write", "read,,write,", "!read,write",
        "!%file,desc", "/^epoll", "/.*at$,read", "!/e", "?nosuch,read", "!?nosuch,read", "?nosuch", "t=read", "trace=!read",
        "trace=/sched", "1,0", "%creds,%clock,getpid"]
# What strace refuses is no set here, either.
REFUSED = ["read,none", "read,nosuch", "!nosuch", "%nosuch", "/nosuch_call", "", ",", "!"]


def need_strace():
    """What is in a class, and how -P takes each call, are those of one version."""
    text = subprocess.run([need_tool("strace"), "--version"], capture_output=True, text=True).stdout
    if not re.search(r"version 6\.1\b", text):
        raise Skip("the oracle is strace 6.1, this is " + text.splitlines()[0])


def by_strace(t, argv):
    """{name: calls} of strace -c."""
    need_strace()
    path = t.path("counts")
    r = t.run([need_tool("strace"), "-f", "-c", "-o", path] + argv)
    eq(r.status, 0, "status of strace: %s" % r)
    found = {}
    with open(path) as f:
        for line in f:
            fields = line.split()
            if len(fields) >= 5 and re.match(r"\d", fields[0]) and fields[-1] != "total":
                found[fields[-1]] = int(fields[3])
    return found


def by_iotrace(t, options, argv):
    """The same of iotrace. strace counts no call that does not return."""
    r = t.iotrace(options, argv, env=AT_ONCE)
    return {x["name"]: x["calls"] - x["no_return"] for x in r.json["syscalls"] if x["calls"] > x["no_return"]}


def add_set(spec, mode):
    def run(t):
        if mode == "auto":
            need_recorder(t)
        argv = [t.target("every"), *NUMBERS]
        want = by_strace(t, ["-e", spec] + argv)
        got = by_iotrace(t, ["--mode=" + mode, "-e", spec], argv)
        differ = {x: (want.get(x), got.get(x)) for x in set(want) | set(got) if want.get(x) != got.get(x)}
        eq(differ, {}, "calls of strace, of iotrace")
    test(run, name="set-%s-%s" % (spec, mode))


for spec in SETS:
    for mode in ("auto", "ptrace"):
        add_set(spec, mode)


@test
def the_oracle_can_tell(t):
    """Every class has calls there, and no two of them the same."""
    argv = [t.target("every"), *NUMBERS]
    of = {spec: frozenset(by_strace(t, ["-e", spec] + argv)) for spec in SETS if spec.startswith("%")}
    check(all(of.values()), "a class without calls: %s" % [x for x in of if not of[x]])
    eq(len(set(of.values())), len(of) - 1, "different classes; %net is %network")  # all but one pair


@test
def sets_that_are_refused(t):
    for spec in REFUSED:
        for tool in ([need_tool("strace"), "-o", "/dev/null"], [t.binary]):
            r = t.run(tool + ["-e", "trace=" + spec, "/bin/true"])
            check(r.status != 0, "%s takes %r" % (tool[0], spec))
    eq(len(r.err.splitlines()), 1, "lines: " + r.err)


@test
def sets_that_leave_nothing(t):
    """strace traces none, and says nothing."""
    eq(by_strace(t, ["-e", "!read,all", "/bin/true"]), {}, "calls of strace")
    for spec in ("!read,all", "read,!read", "!all,read,all"):
        r = t.run([t.binary, "-e", spec, "/bin/true"])
        eq((r.status, len(r.err.splitlines())), (2, 1), r.err)
        check("no call" in r.err, r.err)


@test
def the_last_set_counts(t):
    argv = [t.target("iov"), "plain"]
    options = ["-e", "trace=read", "-e", "trace=write"]
    eq(sorted(by_iotrace(t, options, argv)), sorted(by_strace(t, options + argv)), "calls")


@test
def an_empty_set_is_said(t):
    for spec, said in (("?nosuch", 1), ("none", 0), ("!all", 0)):
        r = t.run([t.binary, "-e", spec, "--json", "r.json", "/bin/true"])
        eq((r.status, "none is traced" in r.err), (0, bool(said)), spec)
    eq(r.err, "", "nothing else is said")


# ---- options ----

@test
def options_are_taken(t):
    """Each clustered, glued, repeated, before the program as strace has it; one line says what changes nothing."""
    rows = [
        (["-f"], "iotrace: -f: always so"),
        (["-ff", "-tt"], "iotrace: -f -t: always so"),
        (["-fttT"], "iotrace: -f -t -T: always so"),
        (["-f", "-s128", "-v"], "iotrace: -f: always so; -s: "),
        (["-s", "128"], "iotrace: -s: "),
        (["-yy", "-X", "raw"], "iotrace: -y: always so; -X: "),
        (["-e", "signal=none", "-e", "abbrev=all"], "iotrace: -e signal=: "),
        (["--follow-forks", "--seccomp-bpf"], "iotrace: --follow-forks --seccomp-bpf: always so"),
    ]
    for options, said in rows:
        r = t.run([t.binary, *options, "--json", "r.json", "/bin/echo", "-f", "hello"])
        eq((r.status, r.out), (0, "-f hello\n"), "status and output with %r" % options)
        check(r.err.startswith(said) and len(r.err.splitlines()) == 1, "%r: %r" % (options, r.err))
        r = t.run([t.binary, *options, "-q", "--json", "r.json", "/bin/true"])
        eq((r.status, r.err), (0, ""), "%r with -q" % options)


@test
def options_that_are_not_there(t):
    for options, *words in ((["-e", "inject=all:error=EPERM"], "strace"), (["-k"], "--stacks"),
                            (["-z"], "--json"), (["-b", "execve"], "-p PID"), (["-A", "-o", "x"], "--detail -"),
                            (["-o", "|cat"], "--detail -"), (["--inject=all:error=EPERM"], "strace"), (["-S", "calls"], "jq"),
                            (["-C"], "--summary")):
        r = t.run([t.binary, *options, "/bin/true"])
        eq((r.status, r.out, len(r.err.splitlines())), (2, "", 1), "%r: %s" % (options, r.err))
        check("unknown" not in r.err and all(w in r.err for w in words), "%r: %s" % (options, r.err))
        check("/bin/true" not in os.listdir(t.dir), "nothing was run")
    eq(os.listdir(t.dir), [], "files")


# Many ways to touch the file that is given, of which most are by descriptor.
TOUCHES = """
import fcntl, mmap, os, select, sys
f = sys.argv[1]
d, name = os.path.split(f)
os.chdir(d)
fd = os.open(f, os.O_RDWR)
other = os.open(f + ".other", os.O_RDWR | os.O_CREAT, 0o600)
os.write(fd, b"x" * 100)
os.pwritev(fd, [b"a", b"b"], 0)
os.lseek(fd, 0, os.SEEK_SET)
os.read(fd, 10)
os.write(other, b"y")
os.sendfile(other, fd, 0, 10)
os.sendfile(fd, other, 0, 1)
os.copy_file_range(fd, other, 10, 0, 0)
os.copy_file_range(other, fd, 1, 0, 0)
mmap.mmap(fd, 10).close()
os.dup2(fd, 100)
os.dup2(other, 100)
os.dup2(fd, 101)
os.close(101)
fcntl.flock(fd, fcntl.LOCK_EX)
os.fsync(fd)
os.fstat(fd)
for fds in ([fd, other], [other]):
    p = select.poll()
    for x in fds:
        p.register(x)
    p.poll(0)
select.select([other], [fd], [], 0)
select.select([other], [other], [], 0)
for x in (fd, other):
    try:
        select.epoll().register(x)
    except OSError:
        pass
at = os.open(d, os.O_RDONLY)
os.stat(f); os.stat(name); os.lstat(f); os.access(f, os.R_OK); os.statvfs(f); os.chmod(f, 0o600); os.utime(f)
os.stat(name, dir_fd=at)
try:
    os.getxattr(f, "user.x")
except OSError:
    pass
os.truncate(f, 50)
for make in (os.link, os.symlink):
    make(f, f + ".l"); os.unlink(f + ".l")
os.symlink(f, f + ".s"); os.readlink(f + ".s"); os.open(f + ".s", os.O_RDONLY); os.unlink(f + ".s")
os.rename(f, f + ".r"); os.rename(name + ".r", name, src_dir_fd=at, dst_dir_fd=at)
if os.fork() == 0:
    os.read(fd, 1)
    os.execv("/bin/cat", ["cat", f])
os.wait()
os.unlink(f)
os.fstat(fd)
os.write(fd, b"z")
"""


def python():
    """One that every user can run."""
    path = shutil.which("python3", path="/usr/bin:/bin")
    if not path:
        raise Skip("no python3 in /usr/bin")
    return path


def touched(t, tool, options):
    path = t.path("file")
    with open(path, "w") as f:
        f.write("hello" * 100)
    if USER:
        shutil.chown(path, USER)
    return tool(t, options + [python(), "-c", TOUCHES, path])


@test
def calls_about_a_path(t):
    """As strace -P, call by call: by path, by descriptor, by one of several descriptors, after the path is gone."""
    os.symlink("file", t.path("link"))
    for paths, most in ((["file"], 30), ([t.path("file")], 40), (["link"], 30), (["file", "file.other"], 40),
                        (["/dev/null"], 0), (["nowhere"], 0)):
        options = [x for p in paths for x in ("-P", p)]
        want = touched(t, by_strace, options)
        got = touched(t, lambda t, argv: by_iotrace(t, argv[:len(options)], argv[len(options):]), options)
        differ = {x: (want.get(x), got.get(x)) for x in set(want) | set(got) if want.get(x) != got.get(x)}
        eq(differ, {}, "calls of strace, of iotrace, with %s" % paths)
        check(sum(want.values()) >= most, "calls with %s: %s" % (paths, want))


@test
def calls_about_a_path_of_a_32_bit_program(t):
    options = ["-P", "/dev/null", "-P", "/etc/ld.so.cache"]
    argv = [t.target("iov", "m32"), "plain"]
    want = {canonical(name): calls for name, calls in by_strace(t, options + argv).items()}
    eq(by_iotrace(t, options, argv), want, "calls")
    check("mmap" in want and "write" in want, want)


@test
def a_path_that_a_file_gets(t):
    """rename(2) to the path is about it; strace looks at the first name only."""
    with open(t.path("old"), "w") as f:
        f.write("x")
    r = t.iotrace(["-P", t.path("new")], [python(), "-c", "import os; os.rename('old', '%s')" % t.path("new")])
    eq({x["name"]: x["calls"] for x in r.json["syscalls"]}, {"rename": 1}, "calls")


@test
def what_a_path_implies(t):
    """All calls, each with a line, by stops; a set narrows them; what is said of others is not."""
    r = t.iotrace(["-P", "/etc/passwd"], [need_tool("cat"), "/etc/passwd", "/etc/hostname"])
    eq((r.json["tracer"]["mode"], r.json["tracer"]["traced_paths"]), ("ptrace", ["/etc/passwd"]), "mode and paths")
    eq(len(r.detail), sum(x["calls"] for x in r.json["syscalls"]), "lines")
    eq(traced_line(r), "all calls; only those about /etc/passwd", "head")
    check("was not called" not in r.summary and "traced and not called" not in r.summary, r.summary)
    eq(r.json["mappings"], None, "mappings of others are not known")
    r = t.iotrace(["-P", "/etc/passwd", "-e", "read"], [need_tool("cat"), "/etc/passwd", "/etc/hostname"])
    eq({x["name"] for x in r.json["syscalls"]} - {"read"}, set(), "calls")
    r = t.run([t.binary, "--verify", "-P", "/", "/bin/true"])
    eq(r.status, 2, "with --verify")


@test
def help_and_version(t):
    for short, long_ in (("-h", "--help"), ("-V", "--version")):
        a, b = t.run([t.binary, short]), t.run([t.binary, long_])
        eq((a.status, a.out, a.err), (0, b.out, ""), short)


@test
def a_summary_is_printed_with_c(t):
    header = "% time     seconds  usecs/call     calls    errors syscall"
    for options, there in ((["-c"], True), (["-c", "-q"], True), (["-q"], False), (["-c", "--json", "r.json"], True),
                           (["--json", "r.json"], False), (["-c", "-o", "r"], False), (["-fc"], True)):
        r = t.run([t.binary, *options, "/bin/true"])
        eq((r.status, header in r.err), (0, there), "%r: %s" % (options, r.err[-300:]))


@test
def environment_as_straces(t):
    r = t.run([t.binary, "-q", "-E", "A=1", "-E", "HOME", "/bin/sh", "-c", "echo $A ${HOME-unset}"])
    eq(r.out, "1 unset\n", "output")


@test
def options_after_the_program(t):
    for dashes in ([], ["--"]):
        r = t.run([t.binary, "-q", "-c", *dashes, "/bin/echo", "-c", "-f", "--json", "x"])
        eq((r.status, r.out), (0, "-c -f --json x\n"), "output")


@test
def where_the_output_went(t):
    """One who means strace's -o FILE is told, others are not."""
    for options, said in ((["-o", "out.txt"], True), (["-f", "-o", "run"], True), (["-o", "run"], False),
                          (["-q", "-o", "out.txt"], False), (["-o", "run.d/x"], False)):
        os.makedirs(t.path("run.d"), exist_ok=True)
        os.chmod(t.path("run.d"), 0o777)
        r = t.run([t.binary, *options, "/bin/true"])
        prefix = options[-1]
        line = [x for x in r.err.splitlines() if "-o is a prefix" in x]
        eq((r.status, len(line)), (0, int(said)), "%r: %s" % (options, r.err))
        for end in ("-detail.txt", "-summary.txt", ".json"):
            check(os.path.exists(t.path(prefix + end)), "no " + prefix + end)
            check(not line or prefix + end in line[0], line)


@test
def lines_of_the_calls_that_were_asked_for(t):
    """The default lines are of sendmmsg, write ...; a set without one of them has lines of its own."""
    r = t.iotrace(["-e", "trace=openat"], ["/bin/true"])
    eq(len(r.detail), r.call("openat")["calls"], "lines")
    check(r.detail and all(" openat(" in x for x in r.detail), r.detail)


@test
def long_options_and_expressions_are_offered(t):
    for options, offered in ((["--folow-forks"], "--follow-forks"), (["--sumary=x"], "--summary"),
                             (["-e", "singal=none"], "signal="), (["-e", "trace=wirte"], "'write'"),
                             (["-e", "%netwrok"], "'%network'")):
        r = t.run([t.binary, *options, "/bin/true"])
        eq(r.status, 2, "status")
        check("did you mean" in r.err and offered in r.err, r.err)


# ---- what the set leaves out ----

def traced_line(r):
    """All of it, of several lines."""
    found = re.search(r"^traced +(.*?)\n(?=\S)", r.summary, re.M | re.S)
    check(found, r.summary[:2000])
    return " ".join(found.group(1).split())


@test
def the_set_stands_in_the_head(t):
    for options, want in (([], "%io: "), (["-e", "all"], "all calls"), (["-e", "write,read"], "write,read: 2 system calls"),
                          (["-e", "trace=!read"], "!read: all but 1 call"), (["-e", "write"], "write: 1 system call")):
        r = t.iotrace(options, ["/bin/true"])
        check(traced_line(r).startswith(want), traced_line(r))
        eq(r.json["tracer"]["traced_spec"], options[-1].replace("trace=", "") if options else "%io", "in the JSON")


@test
def connects_outside_of_the_set(t):
    """3,000 connects under the default set: that they were made is known, and said."""
    need_recorder(t)
    all_ = by_strace(t, [t.target("every"), "connects", "3000"])
    for mode in ("auto", "ptrace"):
        r = t.iotrace(["--mode=" + mode], [t.target("every"), "connects", "3000"], env=AT_ONCE)
        seen = {x["name"]: x["calls"] for x in r.json["tracer"]["untraced"]}
        eq([x for x in seen if seen[x] > all_.get(x, 0) + (x == "execve")], [], "more than there were, %s: %s" % (mode, seen))
        for name in ("close", "connect", "socket") if mode == "auto" else ("close",):
            eq(seen.get(name), all_[name], name + " with " + mode)
        check("others that the set leaves out" in traced_line(r) and "--trace=all" in traced_line(r), traced_line(r))
        r = t.iotrace(["--mode=" + mode, "-e", "all"], [t.target("every"), "connects", "3000"], env=AT_ONCE)
        eq((traced_line(r), r.json["tracer"]["untraced"]), ("all calls", []), "with all")


if __name__ == "__main__":
    main()
