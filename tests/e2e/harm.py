#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""That the tools do no harm themselves: to files, to the machine, to the program they watch."""
import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from shlex import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import wait_for
from recorder import AT_ONCE
import tap
from tap import Skip, at_some_pace, check, eq, main, need_recorder, need_root, need_tool, profile, test

NOBODY = 65534


# ---- as root for another user ----

def victim(t):
    """A file of root's that nobody else can read, and a folder of USER's beside it."""
    need_root()
    os.chmod(t.dir, 0o755)
    path = t.path("victim")
    with open(path, "w") as f:
        f.write("root-only\n")
    os.chmod(path, 0o600)
    os.mkdir(t.path("home"))
    os.chown(t.path("home"), NOBODY, NOBODY)
    return path


def untouched(path):
    st = os.lstat(path)
    eq((st.st_uid, stat.S_IMODE(st.st_mode), stat.S_ISREG(st.st_mode)), (0, 0o600, True), "root's file")
    with open(path) as f:
        eq(f.read(), "root-only\n", "what is in it")


def for_nobody(t, *options, argv=("true",), **kw):
    return t.run([t.binary, "-q", "-u", "nobody", *options, "--", *argv], **kw)


OUTPUTS = (["--json"], ["--summary"], ["--detail"], ["--status"])


@test
def a_link_to_a_file_of_roots(t):
    path = victim(t)
    for option in OUTPUTS:
        link = t.path("home/" + option[0][2:])
        os.symlink(path, link)
        r = for_nobody(t, *option, link)
        untouched(path)
        eq(r.status, 125, "status with %s (%s)" % (option[0], r.err))
        check(link in r.err and "Permission denied" in r.err, "said: " + r.err)
    os.symlink(path, t.path("home/s-time.folded"))
    eq(for_nobody(t, "--stacks", t.path("home/s")).status, 125, "--stacks")
    untouched(path)


@test
def a_link_above_the_file(t):
    """The folder that is named is one of root's."""
    path = victim(t)
    os.mkdir(t.path("roots"), 0o755)
    os.symlink(t.path("roots"), t.path("home/sub"))
    r = for_nobody(t, "-o", t.path("home/sub/r"))
    eq((r.status, os.listdir(t.path("roots"))), (125, []), "status (%s), files of root's folder" % r.err)
    for option in (["--detail", "-"], ["--status", t.path("home/sub/s")]):
        for_nobody(t, *option)
    eq(os.listdir(t.path("roots")), [], "root's folder")
    untouched(path)


@test
def a_hard_link_to_a_file_of_roots(t):
    path = victim(t)
    for option in OUTPUTS:
        link = t.path("home/" + option[0][2:])
        os.link(path, link)
        eq(for_nobody(t, *option, link).status, 125, "status with " + option[0])
    untouched(path)
    eq(os.stat(path).st_nlink, 1 + len(OUTPUTS), "links")


@test
def a_device_or_pipe_of_roots(t):
    victim(t)
    os.mkfifo(t.path("home/pipe"), 0o600)
    os.mknod(t.path("home/null"), 0o600 | stat.S_IFCHR, os.makedev(1, 3))
    for name in ("pipe", "null"):
        for option in OUTPUTS:
            r = for_nobody(t, *option, t.path("home/" + name))
            eq(r.status, 125, "%s %s (%s)" % (option[0], name, r.err))


@test
def a_sticky_folder(t):
    """One of root's files there is not replaced, though everyone may write it; one of theirs is."""
    victim(t)
    os.mkdir(t.path("tmp"))
    os.chmod(t.path("tmp"), 0o1777)
    for name, uid in (("roots", 0), ("own", NOBODY)):
        with open(t.path("tmp/" + name), "w") as f:
            f.write("old")
        os.chmod(t.path("tmp/" + name), 0o666)
        os.chown(t.path("tmp/" + name), uid, uid)
    marker = t.path("home/ran")
    r = for_nobody(t, "--json", t.path("tmp/roots"), argv=("touch", marker))
    eq((r.status, open(t.path("tmp/roots")).read()), (125, "old"), "status (%s), root's file" % r.err)
    check(not os.path.exists(marker), "known before the target is started")
    eq(for_nobody(t, "--json", t.path("tmp/own")).status, 0, "one of theirs")
    eq(json.load(open(t.path("tmp/own")))["environment"]["uid"], NOBODY, "the result")


@test
def a_folder_that_appears_in_the_way(t):
    """While the target runs. One line, nothing left behind, the other files are written."""
    victim(t)
    r = for_nobody(t, "-o", t.path("home/r"), argv=("mkdir", t.path("home/r.json")))
    eq(r.status, 125, "status")
    eq(len(r.err.strip().splitlines()), 1, "lines: " + r.err)
    eq(sorted(os.listdir(t.path("home"))), ["r-detail.txt", "r-summary.txt", "r.json"], "files")


@test
def files_are_the_users_from_the_start(t):
    """With the user's groups, in a folder that only a group of theirs may write."""
    victim(t)
    setpriv = need_tool("setpriv")
    os.mkdir(t.path("group"))
    os.chown(t.path("group"), 0, NOBODY)
    os.chmod(t.path("group"), 0o2770)
    r = t.run([t.binary, "-u", "nobody", "-o", t.path("group/r"), "--stacks", t.path("group/s"), "--status",
               t.path("group/status"), "--", "sh", "-c", "id -u; id -G"])
    eq((r.status, r.out), (0, "65534\n65534\n"), "who the target is (%s)" % r.err)
    names = sorted(os.listdir(t.path("group")))
    eq(len(names), 8, "files: %r" % names)
    for name in names:
        st = os.stat(t.path("group/" + name))
        eq((st.st_uid, st.st_gid), (NOBODY, NOBODY), "owner of " + name)
    # Root's own groups are no help to the user.
    os.mkdir(t.path("games"))
    os.chown(t.path("games"), 0, 60)
    os.chmod(t.path("games"), 0o770)
    r = t.run([setpriv, "--groups", "0,60", t.binary, "-q", "-u", "nobody", "--json", t.path("games/j"), "true"])
    eq((r.status, os.listdir(t.path("games"))), (125, []), "a folder of a group of root's")


@test
def git_of_another_user(t):
    """What git runs for a repository of the user's is nobody but the user."""
    victim(t)
    git = need_tool("git")
    home = t.path("home")
    script = """set -e; cd %s; export HOME=%s; git init -q .; echo x >f; echo 'f filter=z' >.gitattributes
git config filter.z.clean 'grep -E "^(Uid|Groups)" /proc/self/status >%s/who; cat'
git config user.email a@b; git config user.name n; git add f .gitattributes; git commit -qm x; rm who; sleep 0.01; echo x >f
""" % (home, home, home)
    done = t.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script])
    eq(done.status, 0, "a repository (%s) with %s" % (done.err, git))
    r = t.run([t.binary, "-q", "-u", "nobody", "--json", "r.json", "true"], cwd=home)
    eq(r.status, 0, "status (%s)" % r.err)
    check(os.path.exists(home + "/who"), "git looked at the file, so the filter ran")
    eq(open(home + "/who").read().split()[:6], ["Uid:"] + ["65534"] * 4 + ["Groups:"], "who it was")


# ---- a full disk ----

FULL = """set -e
mount -t tmpfs -o size=%s none small
%s
rc=0; "$1" %s -- "$2" loop %d 2>err || rc=$?
echo "status $rc"; ls -A small
cp small/r* kept 2>/dev/null || :
"""


def on_a_small_disk(t, size, options, before="", calls=20000):
    unshare = need_tool("unshare")
    for name in ("small", "kept"):
        os.makedirs(t.path(name), exist_ok=True)
        os.chmod(t.path(name), 0o777)
    how = ["-m"] if tap.IS_ROOT and not tap.USER and not tap.USERNS else ["-Urm"]
    r = t.run([unshare, *how, "sh", "-c", FULL % (size, before, options, calls), "sh", t.binary, t.target("iov")])
    if "status" not in r.out:
        raise Skip("cannot mount a tmpfs: " + r.err.strip())
    with open(t.path("err")) as f:
        return r.out.splitlines(), f.read().splitlines()


CALLS = 400000


@test
def a_full_disk_keeps_the_json(t):
    """The spool has filled it: JSON and summary get their room, the detail what is left."""
    # Room for any JSON, whose timeline is the longer the slower the run, and not for the spool.
    out, err = on_a_small_disk(t, "512k", "-o small/r --trace=write", calls=CALLS)
    eq(out, ["status 125", "r-detail.txt", "r-summary.txt", "r.json"], "status and files (%s)" % err)
    eq(len(err), 1, "lines: %r" % err)
    check("r-detail.txt" in err[0] and "No space left" in err[0], "the reason: " + err[0])
    with open(t.path("kept/r.json")) as f:
        r = json.load(f)
    eq(r["syscalls"][0]["ok"], CALLS, "the counts are whole")
    check(not r["complete"], "complete")
    eq([w["code"] for w in r["warnings"] if w["code"].startswith("detail")],
       ["detail_limit", "detail_incomplete"], "said in it")
    with open(t.path("kept/r-detail.txt")) as f:
        lines = f.readlines()
    eq(r["tracer"]["detail_lines"], len(lines), "lines of the detail")
    check(all(x.endswith("\n") for x in lines), "whole lines")
    with open(t.path("kept/r-summary.txt")) as f:
        check("detail" in f.read(), "the summary says it")


@test
def a_disk_without_any_room(t):
    """A line for each file that could not be written, nothing half, nothing left."""
    out, err = on_a_small_disk(t, "32k", "-o small/r --trace=write",
                               "dd if=/dev/zero of=small/other bs=1k count=64 2>/dev/null || :")
    eq(out[0], "status 125", "status")
    eq(sorted(x.split("small/")[1].split(":")[0] for x in err), ["r-detail.txt", "r-summary.txt", "r.json"],
       "lines: %r" % err)
    eq([x for x in out[1:] if x not in ("other", "r-detail.txt")], [], "files left")


# ---- temporary files ----

@test
def killed_in_the_middle(t):
    """Not even KILL leaves a temporary file."""
    for sig in (signal.SIGKILL, signal.SIGTERM):
        where = t.path("out-%d" % sig)
        os.mkdir(where)
        os.chmod(where, 0o777)
        p = t.start([t.binary, "-o", where + "/r", "--stacks", where + "/s", "--", t.target("sig"), "listens"])
        eq(p.stdout.readline(), b"ready\n", "the target")
        eq(os.listdir(where), [], "files while it runs")
        p.send_signal(sig)
        if sig == signal.SIGTERM:
            p.send_signal(signal.SIGINT)  # another one: it kills
        p.wait(20)
        wait_for("the files", lambda: sig == signal.SIGKILL or "r.json" in os.listdir(where))
        eq([x for x in os.listdir(where) if x.startswith(".")], [], "left behind")


@test
def a_pipe_without_a_reader_can_be_ended(t):
    os.mkfifo(t.path("pipe"))
    os.chmod(t.path("pipe"), 0o666)
    p = t.start([t.binary, "--json", t.path("pipe"), "true"])
    wait_for("it waits for a reader", lambda: "fifo" in open("/proc/%d/wchan" % p.pid).read()
             or "wait_for_partner" in open("/proc/%d/wchan" % p.pid).read())
    p.terminate()
    eq(t.finish(p).status, 143, "status")


@test
def a_pipe_that_is_not_read_can_be_ended(t):
    """Results wait for the reader. One signal may be meant for the target, which has ended; another is for us."""
    os.mkfifo(t.path("pipe"))
    os.chmod(t.path("pipe"), 0o666)
    for again in (False, True):
        reader = os.open(t.path("pipe"), os.O_RDONLY | os.O_NONBLOCK)
        fcntl.fcntl(reader, fcntl.F_SETPIPE_SZ, 4096)
        p = t.start([t.binary, "-q", "--json", t.path("pipe"), "true"])
        wait_for("it waits for its reader", lambda: "pipe_w" in open("/proc/%d/wchan" % p.pid).read())
        p.terminate()
        if again:
            wait_for("its end", lambda: p.poll() is not None or p.send_signal(signal.SIGHUP))
        else:
            os.set_blocking(reader, True)
            with open(reader, "rb", closefd=False) as f:
                eq(json.load(f)["exit"]["status"], 0, "the result is whole")
        os.close(reader)
        r = t.finish(p)
        eq((r.status, "before all results were written" in r.err), (125, True) if again else (0, False), r.err)


# ---- pages that a traced thread fills ----

@test
def arguments_in_a_page_that_another_thread_fills(t):
    """No hang, whatever reads them; what was not read is not measured, the call counts."""
    native = t.run([t.target("filled"), "iovec"])
    if native.status == 77:
        raise Skip(native.err.strip())
    for mode in ("ptrace", "auto"):
        for case, call in (("iovec", "writev"), ("messages", "sendmmsg"), ("clone_args", "clone3"),
                           ("filter", "prctl")):
            r = t.iotrace(["--mode=" + mode, "--trace=all"], [t.target("filled"), case])
            check(r.call(call)["ok"] >= 1, "%s by %s: %r" % (case, mode, r.call(call)))
            if case == "messages":
                eq(r.call(call)["batch"]["transferred"], 2, "messages")


@test
def a_tracer_that_waits_for_its_target_can_be_ended(t):
    """Of a filler that it could not know: --timeout or a second TERM, one line, no result, nothing left."""
    native = t.run([t.target("filled"), "device"])
    if native.status == 77:
        raise Skip(native.err.strip())

    def is_ended(pace):
        os.mkdir(t.path(str(pace)))
        os.chmod(t.path(str(pace)), 0o777)
        r = t.run([t.binary, "-o", "r", "--mode=ptrace", "--trace=all", "--timeout=%d" % pace, "--grace=0.2", "--status",
                   "status", "--", t.target("filled"), "device"], cwd=t.path(str(pace)))
        eq(r.status, 124, "status (%s)" % r)
        eq(len(r.err.strip().splitlines()), 1, "lines: " + r.err)
        check("must provide" in r.err, "said: " + r.err)
        eq(os.listdir(t.path(str(pace))), ["status"], "files")

    at_some_pace(is_ended, (1, 4, 16))


# ---- what is said ----

@test
def our_own_start_slows_no_program(t):
    """Its probes are stops of ours, not of the program's."""
    # With the recorder the loader's opens and mappings are looked at.
    for mode, most in (("ptrace", 8), ("auto", 24)):
        o = t.iotrace(["--mode=" + mode, "--trace=sendmmsg"], ["true"]).json["tracer"]["overhead"]
        check(0 < o["stops"] <= most, "stops of a program without a traced call: %r" % o)


def privileged(t, how):
    """A program that would be more than its caller."""
    need_root()
    path = t.path(how)
    subprocess.run(["cp", "/usr/bin/id", path], check=True)
    if how == "caps":
        subprocess.run([need_tool("setcap"), "cap_net_raw+ep", path], check=True)
    else:
        os.chmod(path, {"setuid": 0o4755, "setgid": 0o2755}[how])
    os.chmod(t.dir, 0o777)
    return path


@test
def privileges_that_tracing_takes_are_said(t):
    codes = lambda f: [w["code"] for w in json.load(open(f))["warnings"] if w["code"] == "no_privileges"]
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    for how in ("setuid", "setgid", "caps"):
        path = privileged(t, how)
        out = t.path(how + ".json")
        r = t.run([*nobody, t.binary, "--json", out, "sh", "-c", path])
        eq((r.status, codes(out)), (0, ["no_privileges"]), "%s, warnings" % how)
        eq([x for x in r.err.splitlines() if "privileges" in x], r.err.splitlines(), "stderr")
        check(len(r.err.splitlines()) == 1 and how in r.err, "one line: " + r.err)
        # Root's tracer takes none, and without new privileges there are none to take.
        own = ["setpriv", "--no-new-privs"]
        for argv in ([t.binary, "-u", "nobody"], [*nobody, "--no-new-privs", t.binary],
                     [t.binary, "-u", "nobody"] + own):
            at = argv.index(t.binary) + (3 if "-u" in argv else 1)
            r = t.run([*argv[:at], "--json", out, *argv[at:], path])
            eq((r.status, codes(out), r.err), (0, [], ""), "%s with %r" % (how, argv[0]))
    out = t.path("plain.json")
    eq((t.run([*nobody, t.binary, "--json", out, "id"]).err, codes(out)), ("", []), "an ordinary program")


@test
def packet_rings_are_blind_spots(t):
    need_root()
    for case, name in (("rx_ring", "PACKET_RX_RING"), ("tx_ring", "PACKET_TX_RING")):
        for mode in ("ptrace", "auto"):
            r = t.iotrace(["--mode=" + mode], [t.target("sock"), case])
            eq([x.split(":")[0] for x in r.json["blind_spots"] if "RING" in x], [name], "blind spots")


@test
def what_makes_no_system_call_is_a_blind_spot(t):
    xdp = ["/usr/bin/python3", "-S", "-c", "import socket\ntry: socket.socket(44, socket.SOCK_RAW)\nexcept OSError: pass"]
    for mode in ("ptrace", "auto"):
        for options, argv, name in ((["--trace=%io"], [t.target("aio"), "uring"], "io_uring"),
                                    (["--trace=%io"], xdp, "AF_XDP"),
                                    (["--trace=clock_gettime"], ["true"], "vDSO")):
            r = t.iotrace(["--mode=" + mode, *options], argv)
            eq([x.split(":")[0] for x in r.json["blind_spots"]], [name], "blind spots by " + mode)
    eq(t.iotrace([], ["true"]).json["blind_spots"], [], "of a program without any")


# ---- one TERM is one TERM ----

def ended(t, kind, send, status=7):
    """The result's exit and the output of a target that takes its time, after send(process)."""
    p = t.start([os.path.join(tap.BIN, "profile-scenario"), "--scenario", kind, "--type", kind, "--binary",
                 t.target("sig"), "--", "lingers", str(status)])
    eq(p.stdout.readline(), b"ready\n", "the target")
    send(p)
    r = t.finish(p, 40)
    path = {"io": "iotrace/io-iotrace.json", "cpu": "flamegraphs/cpu-cpu.json", "memory": "massif/memory-memory.json"}
    try:
        with open(t.path("results/" + path[kind])) as f:
            return json.load(f)["exit"], r.out
    except OSError:
        if "cannot run" in r.err:
            raise Skip(r.err.strip().splitlines()[0]) from None
        raise tap.Failure("no result: %s" % r) from None


def as_a_time_limit(p):
    """timeout(1): to its child, and to the group."""
    os.kill(p.pid, signal.SIGTERM)
    os.killpg(p.pid, signal.SIGTERM)


def one_term(t, kind, unknown=False):
    for send in (as_a_time_limit, lambda p: os.killpg(p.pid, signal.SIGTERM), lambda p: p.terminate()):
        e, out = ended(t, kind, send)
        eq(out, "clean end\n", "the target's end")
        if unknown and e == {"status": None, "signal": None, "timed_out": False}:
            continue
        eq(e, {"status": 7, "signal": None, "timed_out": False}, "exit")


@test
def one_term_under_io(t):
    one_term(t, "io")


@test
def one_term_under_cpu(t):
    """perf ends by the TERM that it hears too: never said of the target. Kernels before 6.15 cannot tell."""
    need_tool("perf")
    release = tuple(int(x) for x in os.uname().release.split(".")[:2])
    one_term(t, "cpu", unknown=release < (6, 15))


@test
def one_term_under_memory(t):
    need_tool("valgrind")
    one_term(t, "memory")


@test
def one_term_under_iotrace(t):
    for send in (as_a_time_limit, lambda p: [p.terminate() for _ in range(3)]):
        argv, prefix = t.iotrace_argv([], [t.target("sig"), "lingers", "7"])
        p = t.start(argv)
        eq(p.stdout.readline(), b"ready\n", "the target")
        send(p)
        r = t.finish(p)
        eq((r.status, r.out), (7, "clean end\n"), "status and output")


@test
def another_term_later_kills(t):
    """Under iotrace and under the runner."""
    argv, _ = t.iotrace_argv([], [t.target("sig"), "listens"])
    runner = [os.path.join(tap.BIN, "profile-scenario"), "--scenario", "x", "--type", "io", "--binary",
              t.target("sig"), "--", "listens"]
    for command in (argv, runner):
        p = t.start(command)
        eq(p.stdout.readline(), b"ready\n", "the target")
        began = time.monotonic()
        while p.poll() is None and time.monotonic() < began + 20:
            p.terminate()
            time.sleep(0.1)
        took = time.monotonic() - began
        t.finish(p)
        check(took >= 0.9, "not the same again: after %.2f s" % took)
    with open(t.path("results/iotrace/x-iotrace.json")) as f:
        eq(json.load(f)["exit"]["signal"], 9, "killed")


@test
def a_short_grace_is_kept(t):
    """The runner's second TERM to iotrace is another one, however soon."""
    r = profile(t, "--scenario", "x", "--type", "io", "--grace", "0.2",
                "--load", "until test -e up; do :; done", "--binary", "/bin/sh", "--", "-c",
                "trap '' TERM; touch up; while :; do sleep 1; done", status=None)
    with open(t.path("results/iotrace/x-iotrace.json")) as f:
        j = json.load(f)
    check("target_killed" in [w["code"] for w in j["warnings"]], "warnings: %r (%s)" % (j["warnings"], r))
    check(r.seconds < 25, "%.1f s" % r.seconds) # one that does not end is given 30 by the runner


@test
def what_was_run_can_be_unmounted(t):
    """No file of a target is kept open: its file system could not be unmounted, its disk space not be freed."""
    os.mkdir(t.path("disk"))
    script = ("set -e; cd %s; mount -t tmpfs none disk; cp $(command -v cat) disk/; disk/cat disk/cat >copy; "
              "cmp copy disk/cat; umount disk" % quote(t.dir))
    unshare = [need_tool("unshare"), "-m" if os.geteuid() == 0 else "-rm"]
    if t.run(unshare + ["sh", "-c", script]).status:
        raise Skip("no mounts here")
    for options in (["--mode=ptrace"], ["--mode=auto"], ["--mode=auto", "--stacks", t.path("paths")]):
        argv, prefix = t.iotrace_argv(["-q"] + options, ["sh", "-c", script])
        r = t.run(unshare + argv)
        eq((r.status, r.err), (0, ""), " ".join(options))
        with open(prefix + ".json") as f:
            check(any(fd["target"] == t.path("disk/cat") for fd in json.load(f)["fds"]), "it was not traced")


@test
def what_a_program_has_unmapped_can_be_unmounted_by_it(t):
    unshare = [need_tool("unshare"), "-m" if os.geteuid() == 0 else "-rm"]
    target = [t.target("unmounts"), t.path("disk")]
    os.mkdir(t.path("disk"))
    if t.run(unshare + ["true"]).status:
        raise Skip("no namespaces here")
    native = t.run(unshare + target)
    if native.status == 77:
        raise Skip(native.err.strip())
    eq(native.status, 0, "untraced: %s" % native)
    for mode in ("ptrace", "auto"):
        argv, prefix = t.iotrace_argv(["-q", "--mode=" + mode, "--trace=getppid", "--stacks", t.path("paths")], target)
        r = t.run(unshare + argv)
        eq((r.status, r.err), (0, ""), mode)
        with open(prefix + ".json") as f:
            eq(sum(row["calls"] for row in json.load(f)["syscalls"] if row["name"] == "getppid"), 200, "calls")


@test
def a_program_on_a_file_system_that_is_traced_too(t):
    """FUSE: who looks at the program waits for its server, which may be stopped and waits for the tracer. So that a
    tracer that does wait, which no signal ends, is not left behind, the file system is taken away after a time."""
    namespace = [need_tool("unshare"), "-m" if os.geteuid() == 0 else "-rm", "sh", "-c"]
    folder, data = t.path("served"), t.path("data")
    os.mkdir(folder)
    with open(data, "wb") as f:
        f.write(os.urandom(100000))
    serve = "sh -c 'ulimit -S -v 200000; exec %s %s $(command -v cat) %s'" % (t.target("served"), folder, data)
    if t.run(namespace + ["true"]).status:
        raise Skip("no namespaces here")
    native = t.run(namespace + [serve])
    if native.status == 77:
        raise Skip(native.err.strip())
    eq(native.status, 0, "untraced: %s" % native)
    rescue = "(for i in $(seq 200); do sleep 0.1; done; umount -f %s) 2>%s & rescue=$!; " % (folder, os.devnull)
    for options in (["--mode=ptrace"], ["--mode=auto"], ["--mode=auto", "--stacks", t.path("paths"), "--stacks-every", "1"]):
        argv, prefix = t.iotrace_argv(["-q"] + options, [])
        r = t.run(namespace + [rescue + "%s -- %s >%s; status=$?; kill $rescue; exit $status" % (
            " ".join(quote(a) for a in argv), serve, t.path("copies"))], env=AT_ONCE)
        eq((r.status, r.err), (0, ""), " ".join(options))
        with open(t.path("copies"), "rb") as copies, open(data, "rb") as f:
            eq(copies.read() == 3 * f.read(), True, "what the program wrote, " + " ".join(options))
        with open(prefix + ".json") as f:
            j = json.load(f)
        check(any(fd["target"] == data for fd in j["fds"]), "the program was not traced")
        eq((j["tracer"]["lost"], j["complete"]), (0, True), "lost, complete")


@test
def a_file_system_is_there_before_its_server_is_attached(t):
    """Whether a program has lost privileges to a tracer that may not trace all is asked of its file, too."""
    need_root()
    need_tool("unshare")
    lacking = need_tool("setpriv") + " --bounding-set=-sys_ptrace --inh-caps=-sys_ptrace "
    folder, data, copies, begin = t.path("served"), t.path("data"), t.path("copies"), t.path("begin")
    os.mkdir(folder)
    os.mkfifo(begin)
    with open(data, "w", encoding="ascii") as f:
        f.write("some data\n")
    argv, prefix = t.iotrace_argv(["-q", "--mode=ptrace", "--tree"], [])
    script = (
        "(for i in $(seq 200); do sleep 0.1; done; umount -f {folder}) 2>{null} & rescue=$!; "
        "{lacking} {served} {folder} $(command -v cat) {data} <{begin} >{copies} & served=$!; exec 3<>{begin}; "
        "until grep -q ' {folder} ' /proc/self/mountinfo; do kill -0 $served || exit 77; done; export served; "
        "{lacking} {iotrace} -p $served -- sh -c 'echo >{begin}; while kill -0 $served; do :; done' 2>{null} & traced=$!; "
        "wait $served; status=$?; wait $traced || status=$?; kill $rescue; exit $status").format(
            folder=folder, null=os.devnull, lacking=lacking, served=t.target("served"), data=quote(data),
            begin=quote(begin), copies=quote(copies), iotrace=" ".join(quote(a) for a in argv))
    r = t.run(["unshare", "-m", "sh", "-c", script])
    if r.status == 77:
        raise Skip(r.err.strip())
    eq(r.status, 0, "%s" % r)
    with open(copies, encoding="ascii") as f:
        eq(f.read(), 3 * "some data\n", "what the program wrote")
    with open(prefix + ".json") as f:
        j = json.load(f)
    check(any(fd["target"] == data for fd in j["fds"]), "the program was not traced")


@test
def a_process_that_may_not_be_looked_into_keeps_nothing_of_ours(t):
    """To root every process is open: then the recorder is there."""
    need_recorder(t)
    for variant in ("", "static", "musl-static"):
        r = t.iotrace(["--trace=write"], [t.target("rec_code", variant), "undumpable", "1"])
        mapped = int(re.search(r"mapped=(\d+)", r.err).group(1))
        failed = "the stub could not be mapped" in [u["reason"] for u in r.json["tracer"]["unpatched_sites"]]
        eq(mapped == 0, failed, "nothing is mapped, it could not be: %s" % r)


if __name__ == "__main__":
    tap.only_from(__name__)
    main()
