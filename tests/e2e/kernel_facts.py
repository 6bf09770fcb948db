#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What the kernel does to tracers, one test a fact. Facts that show in counts alone are cases of
exact.py; here is what needs more than counts, repetition, or something from outside."""
import os
import signal
import subprocess
import sys
from shlex import quote
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap
from tap import Failure, Skip, check, eq, main, need_root, need_tool, test, wait_for

PTRACE = ["--mode=ptrace"]


def status_of(pid):
    """/proc/PID/status as a dict, {} when it is gone."""
    try:
        with open("/proc/%d/status" % pid) as f:
            return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)
    except (FileNotFoundError, ProcessLookupError):
        return {}


def parent_of(pid):
    """0 when it is gone."""
    try:
        with open("/proc/%d/stat" % pid, "rb") as f:
            return int(f.read().rpartition(b")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


def children(pid):
    return [p for p in sorted(int(x) for x in os.listdir("/proc") if x.isdigit()) if parent_of(p) == pid]


def gone(pid):
    return status_of(pid).get("State", "Z").startswith(("Z", "X"))


def threads_of(pid):
    return [int(tid) for tid in os.listdir("/proc/%d/task" % pid)]


def switches(tid):
    """How often a thread went to sleep or was put aside: it grows as long as the thread works."""
    s = status_of(tid)
    return int(s["voluntary_ctxt_switches"]) + int(s["nonvoluntary_ctxt_switches"])


def wait_until_it_works(pid, times=3):
    """Every thread goes on: it has slept again."""
    for tid in threads_of(pid):
        before = switches(tid)
        wait_for("thread %d works" % tid, lambda: switches(tid) >= before + times)


def sleeps(tid):
    return status_of(tid).get("State", "S")[0] == "S"


def all_sleep(pid):
    """All threads at once: none has run from one look at them to the next."""
    def look():
        return [(tid, sleeps(tid), switches(tid)) for tid in threads_of(pid)]
    seen = look()
    return all(sleep for _, sleep, _ in seen) and look() == seen


def wait_until_traced(p, pid):
    """Until iotrace (p) has come through all that it had to do to trace all threads of pid, its window's beginning
    too; that it is their tracer is so before. Their threads wait, or work and sleep by turns."""
    wait_for("all are traced", lambda: p.poll() is not None or all(
        status_of(tid).get("TracerPid", "0") != "0" for tid in threads_of(pid)))
    if p.poll() is not None:
        return
    tracer = int(status_of(int(status_of(pid)["TracerPid"]))["Tgid"])
    # It has asked all to stop; who sleeps then has done so, and is let go; and what that gave it to do is done.
    wait_for("the tracer waits", lambda: all_sleep(tracer))
    for tid in threads_of(pid):
        wait_for("thread %d sleeps" % tid, lambda tid=tid: sleeps(tid))
    wait_for("the tracer waits again", lambda: all_sleep(tracer))


def wait_until_attached(p, pid):
    """Until iotrace (p) has every thread of pid."""
    wait_for("attached", lambda: p.poll() is not None or all(
        status_of(tid).get("TracerPid") not in ("0", None) for tid in threads_of(pid)))
    check(p.poll() is None, "iotrace has ended: %s" % p.communicate()[1] if p.poll() is not None else "")


def steady(t, threads=4):
    """A process that calls pwrite64 for ever; returns it when it is ready."""
    p = t.start([t.target("proc"), "steady", str(threads)])
    eq(p.stdout.readline(), b"ready\n", "the target")
    return p


def traced_steady(t, options, threads=4):
    """The same under iotrace; returns (iotrace, the target's pid, prefix)."""
    argv, prefix = t.iotrace_argv(PTRACE + options, [t.target("proc"), "steady", str(threads)])
    p = t.start(argv)
    eq(p.stdout.readline(), b"ready\n", "the target")
    return p, wait_for("a target", lambda: children(p.pid))[0], prefix


def repeated(t, case, want, times=20, prog="proc"):
    for i in range(times):
        r = t.iotrace(PTRACE + ["--trace=pwrite64,execve"], [t.target(prog), *case.split()])
        eq(r.call("pwrite64")["calls"], want, "pwrite64 calls, run %d" % i)
        check(r.json["complete"], "run %d is complete: %r" % (i, r.json["warnings"]))


@test
def first_stops_of_children_in_any_order(t):
    """A child's first stop can come before its parent's event: none is lost, none is left stopped."""
    repeated(t, "many 20", 200, times=10)


@test
def clone_fork_vfork_from_the_first_instruction(t):
    for case, want in (("fork 10", 101), ("vfork 10", 11), ("clone_vm 5", 51), ("clone3 6", 61)):
        repeated(t, case, want, times=5)


@test
def execve_by_other_threads(t):
    """The one that executes takes the leader's id; the first call after it is not lost."""
    repeated(t, "execthread 5", 5 + 3 * 5, times=10)


@test
def a_leader_that_ends_first(t):
    repeated(t, "leader_exit", 15, times=5)


@test
def sigkill_overtakes(t):
    """Killed by itself and from outside with threads inside calls, again and again."""
    for i in range(15):
        r = t.iotrace(PTRACE + ["--trace=all"], [t.target("proc"), "kill_self", "6"], status=137)
        eq(r.json["exit"], {"status": None, "signal": 9, "timed_out": False}, "exit")
        eq(r.call("recvfrom")["no_return"], 6, "calls in flight, run %d" % i)
        r = t.iotrace(PTRACE + ["--trace=all"], [t.target("proc"), "killed", "6"])
        eq(r.call("recvfrom")["no_return"], 7, "calls in flight, run %d" % i)


@test(timeout=120)
def sigkill_at_any_moment(t):
    """Six threads at work when it comes, and a thread's number that comes again: nothing hangs or is lost."""
    r = t.iotrace(PTRACE + ["--trace=write"], [t.target("storm"), "killed", "40"], timeout=100)
    eq(r.json["tracer"]["lost"], 0, "lost")
    eq(r.json["processes"], 41, "processes")
    check(r.json["complete"], "complete: %r" % r.json["warnings"])
    row = r.call("write")
    eq(row["calls"], row["ok"] + row["errors"] + row["interrupted"] + row["no_return"], "sum")


@test(timeout=120)
def children_of_a_killed_maker_go_on(t):
    """It was killed before it could announce them: they are let go on all the same."""
    r = t.iotrace(PTRACE + ["--trace=write"], [t.target("storm"), "orphans", "30"], timeout=100)
    eq((r.status, r.json["tracer"]["lost"]), (0, 0), "status, lost")


@test
def the_vsyscall_page_is_no_system_call(t):
    r = t.iotrace(PTRACE + ["--trace=all"], [t.target("storm"), "vsyscall"])
    eq(r.json["tracer"]["lost"], 0, "lost")
    check(not [x for x in r.json["syscalls"] if x["name"] == "time"], "time is no call here")


@test
def own_filter_that_says_trace(t):
    """Without a tracer of its own those calls fail with ENOSYS, as natively."""
    r = t.iotrace(PTRACE + ["--trace=pwrite64"], [t.target("sandbox"), "trace"])
    eq(r.call("pwrite64")["errno"], {"ENOSYS": 5}, "errno of pwrite64")


@test
def exit_group_while_threads_work(t):
    """What is counted by thread is what is counted by call, whoever was inside."""
    for _ in range(10):
        r = t.iotrace(PTRACE + ["--trace=all"], [t.target("proc"), "exit_busy", "6"])
        row = r.call("pwrite64")
        eq(row["calls"], row["ok"] + row["errors"] + row["interrupted"] + row["no_return"], "sum")
        check(row["calls"] > 100 and row["no_return"] <= 6, "busy: %r" % row["calls"])
        eq(sum(c["calls"] for th in r.json["threads"] for c in th["syscalls"] if c["name"] == "pwrite64"),
           row["calls"], "by thread")


@test
def group_stop_really_stops(t):
    """The target itself checks that its child stands still; every call is counted."""
    for variant in ("", "static"):
        r = t.iotrace(PTRACE + ["--trace=pwrite64"], [t.target("sig", variant), "group_stop", "6"])
        eq(r.call("pwrite64")["ok"], int(r.out), "calls that the child counted")


@test
def stopped_from_outside(t):
    """kill -STOP of the target while traced: its state is stopped or traced, it makes no call."""
    p, pid, prefix = traced_steady(t, ["--trace=pwrite64"])
    os.kill(pid, signal.SIGSTOP)

    def is_stopped():
        return all(status_of(tid)["State"][0] in "Tt" for tid in threads_of(pid))

    tracer = int(status_of(int(status_of(pid)["TracerPid"]))["Tgid"])
    # With nothing left to do for the tracer; who waits for it only at a call is let go on first.
    wait_for("it is stopped", lambda: is_stopped() and all_sleep(tracer) and is_stopped())
    before = [switches(tid) for tid in threads_of(pid)]
    time.sleep(0.3)  # 30 calls of each thread, if it goes on
    eq((is_stopped(), [switches(tid) for tid in threads_of(pid)]), (True, before), "it stays so")
    os.kill(pid, signal.SIGCONT)
    wait_until_it_works(pid)
    os.kill(pid, signal.SIGTERM)
    eq(t.finish(p).status, 143, "status")


@test
def restart_is_the_interrupted_call(t):
    r = t.iotrace(PTRACE + ["--trace=all"], [t.target("sig"), "restart"])
    eq((r.call("poll")["calls"], r.call("poll")["interrupted"]), (2, 1), "poll")
    eq((r.call("nanosleep")["calls"], r.call("nanosleep")["interrupted"]), (2, 1), "nanosleep")
    eq(r.call("restart_syscall")["calls"], 0, "restart_syscall")


@test
def a_killed_tracer_takes_a_started_target_along(t):
    p, pid, _ = traced_steady(t, [])
    p.kill()
    p.wait()
    wait_for("the target's end", lambda: gone(pid))


def kill_tracer(p, pid):
    """The process that ptraces, which is not the one that was started (tracer/front.h)."""
    os.kill(int(status_of(pid)["TracerPid"]), signal.SIGKILL)
    eq(p.wait(), 125, "status")
    check(b"was killed by signal 9" in p.stderr.read(), "it is said")


@test
def a_killed_tracer_leaves_an_attached_target(t):
    target = steady(t)
    argv, _ = t.iotrace_argv(PTRACE + ["-p", str(target.pid)], [])
    p = t.start(argv)
    wait_until_attached(p, target.pid)
    kill_tracer(p, target.pid)
    wait_for("let go", lambda: status_of(target.pid)["TracerPid"] == "0")
    wait_until_it_works(target.pid)
    check(not gone(target.pid), "the target lives")


@test
def attached_targets_get_no_filter(t):
    target = steady(t)
    argv, _ = t.iotrace_argv(PTRACE + ["--trace=pwrite64", "-p", str(target.pid), "--duration", "0.5"], [])
    before = status_of(target.pid)
    r = t.finish(t.start(argv))
    after = status_of(target.pid)
    check(after, "the target lives (%s)" % r)
    for key in ("Seccomp", "Seccomp_filters", "NoNewPrivs", "SigCgt", "SigIgn", "SigBlk", "Cpus_allowed"):
        eq(after.get(key), before.get(key), key)
    eq(after["TracerPid"], "0", "TracerPid")


@test
def attach_finds_threads_made_meanwhile(t):
    """Threads come and go while the tracer attaches: in the end each is traced."""
    target = t.start(["/usr/bin/python3", "-S", "-c", """
import os, threading, time
fd = os.open('/dev/null', os.O_WRONLY)
def brief(): os.write(fd, b'x')
print('ready', flush=True)
while True:
    ts = [threading.Thread(target=brief) for _ in range(20)]
    for x in ts: x.start()
    for x in ts: x.join()
"""])
    eq(target.stdout.readline(), b"ready\n", "the target")
    for _ in range(5):
        argv, prefix = t.iotrace_argv(PTRACE + ["--trace=write", "-p", str(target.pid), "--duration", "0.3"], [])
        p = t.start(argv)
        r = t.finish(p)
        check(target.poll() is None, "the target lives\n%s" % r)
        eq(status_of(target.pid)["TracerPid"], "0", "TracerPid")


@test
def an_attached_target_goes_on(t):
    """Its threads are all running again after the detach, and work."""
    target = steady(t, 30)
    for _ in range(3):
        argv, prefix = t.iotrace_argv(PTRACE + ["--trace=pwrite64", "-p", str(target.pid), "--duration", "0.3"], [])
        eq(t.finish(t.start(argv)).status in (0, 124), True, "status")
        wait_until_it_works(target.pid)


@test
def clone_untraced_is_said(t):
    """The program does not break, its child is counted all the same, and the result says so."""
    r = t.iotrace(PTRACE + ["--trace=pwrite64"], [t.target("proc"), "untraced"])
    eq(r.call("pwrite64")["calls"], 11, "calls")
    check("clone_untraced" in [w["code"] for w in r.json["warnings"]], "said: %r" % r.json["warnings"])


@test
def the_filter_is_there_for_who_asks(t):
    """PR_GET_SECCOMP and /proc say so, and SECCOMP_MODE_STRICT is refused."""
    script = ("import ctypes; c = ctypes.CDLL(None, use_errno=True); "
              "print(c.prctl(21, 0, 0, 0, 0), %s, "
              "[l.split()[1] for l in open('/proc/self/status') if l.startswith('Seccomp:')])")
    python = [need_tool("/usr/bin/python3"), "-S", "-c"]
    native = t.run(python + [script % "None"])
    if native.out != "0 None ['0']\n":
        raise Skip("a filter is there without us: " + native.out.strip())
    for mode in ("ptrace", "auto"):
        r = t.iotrace(["--mode=" + mode], python + [script % "(c.prctl(22, 1, 0, 0, 0), ctypes.get_errno())"])
        eq(r.out, "2 (-1, 22) ['2']\n", "PR_GET_SECCOMP, PR_SET_SECCOMP strict, /proc by " + mode)


def own_filter(t, case, want):
    for trace in ("pwrite64", "all"):
        r = t.iotrace(PTRACE + ["--trace=" + trace], [t.target("sandbox"), case])
        got = r.call("pwrite64")
        eq((got["ok"], got["errno"]), want, "pwrite64 with --trace=%s" % trace)


@test
def own_filter_errno(t):
    own_filter(t, "errno", (5, {"EPERM": 5}))


@test
def own_filter_notify(t):
    own_filter(t, "notify", (0, {"EACCES": 5}))


@test
def own_filter_tsync(t):
    own_filter(t, "tsync", (0, {"EPERM": 20}))


@test
def own_filter_allow(t):
    own_filter(t, "allow", (5, {}))


@test
def own_filter_inherited(t):
    own_filter(t, "inherit", (0, {"EPERM": 5}))


@test
def own_filter_trap(t):
    """The handler runs as ever. The 5 calls did nothing: what the exit stop shows is their number."""
    r = t.iotrace(PTRACE + ["--trace=pwrite64"], [t.target("sandbox"), "trap"])
    row = r.call("pwrite64")
    eq((row["calls"], row["ok"], row["bytes"]["transferred"]), (5, 0, 0), "pwrite64 calls, ok, bytes")


@test
def own_filter_kills(t):
    r = t.iotrace(PTRACE + ["--trace=pwrite64"], [t.target("sandbox"), "kill"])
    eq((r.call("pwrite64")["calls"], r.call("pwrite64")["no_return"]), (1, 1), "pwrite64 calls, without return")


@test
def interruptions_by_ignored_signals_are_counted(t):
    r = t.iotrace(PTRACE, [t.target("sig"), "ignored"])
    row = r.call("epoll_wait")
    if r.out == "timeout\n":
        eq((row["ok"], row["errors"]), (1, 0), "epoll_wait that timed out")
        eq(r.json["tracer"]["ignored_signal_interruptions"], 0, "ignored_signal_interruptions")
    else:
        eq(row["errno"], {"EINTR": 1}, "epoll_wait")
        eq(r.json["tracer"]["ignored_signal_interruptions"], 1, "ignored_signal_interruptions")
        said = " ".join(r.summary.split())
        check("interrupted by a signal that the target ignores; untraced this would not have happened" in said, said)
        check("interrupted by a signal that the target ignores; untraced this would not have happened." in
              str(r.json["warnings"]), str(r.json["warnings"]))


@test
def handled_signals_are_not_counted_as_ignored(t):
    r = t.iotrace(PTRACE, [t.target("sig"), "storm_epoll", "20"])
    eq(r.json["tracer"]["ignored_signal_interruptions"], 0, "ignored_signal_interruptions")
    check("interrupted by a signal that the target ignores" not in r.summary + str(r.json["warnings"]), r.summary)


@test
def exit_stamps_of_many_threads(t):
    """400 threads that sleep 1 ms: none is stamped early. (How late: `make bench`.)"""
    r = t.iotrace(PTRACE + ["--trace=clock_nanosleep,nanosleep"], [t.target("proc"), "sleepers", "400", "5"])
    row = max((r.call(n) for n in ("clock_nanosleep", "nanosleep")), key=lambda x: x["calls"])
    eq(row["calls"], 2000, "sleeps")
    check(row["wall_ns"]["min"] >= 1000000, "none is shorter than it is: %r" % row["wall_ns"])


@test
def the_own_cost_is_measured(t):
    r = t.iotrace(PTRACE + ["--trace=write"], [t.target("iov"), "loop", "20000"])
    o = r.json["tracer"]["overhead"]
    check(200 <= o["per_stop_ns"] <= 1000000, "per_stop_ns: %r" % o)
    check(o["stops"] >= 40000, "stops: %r" % o)
    # Never more than the run was long.
    check(o["estimated_share"] == 1 or 0 <= o["estimated_ns"] - o["stops"] * o["per_stop_ns"] < o["stops"],
          "estimated_ns: %r" % o)
    check(o["estimated_ns"] <= r.json["wall_ns"], "estimated_ns: %r" % o)
    share = min(1, o["estimated_ns"] / r.json["wall_ns"])
    check(abs(o["estimated_share"] - share) < 0.01, "estimated_share: %r of %r" % (o, r.json["wall_ns"]))
    # On a busy machine most of the time is others'.
    slowed = o["estimated_share"] > 0.1
    eq(any(w["code"] == "slowed" for w in r.json["warnings"]), slowed, "a warning: %r" % r.json["warnings"])
    eq("slow" in r.summary.lower(), slowed, "the summary's head says so")


@test
def untraced_calls_cost_no_stop(t):
    r = t.iotrace(PTRACE + ["--trace=write"], [t.target("iov"), "rare", "100000"])
    eq(r.call("write")["calls"], 100, "writes")
    check(r.json["tracer"]["overhead"]["stops"] < 600, "stops: %r" % r.json["tracer"]["overhead"])


@test
def two_stops_a_traced_call(t):
    """One at the filter, one at the exit."""
    stops = [t.iotrace(PTRACE + ["--trace=write"], [t.target("iov"), "loop", n]).json["tracer"]["overhead"]["stops"]
             for n in ("1000", "3000")]
    eq(stops[1] - stops[0], 4000, "stops of 2000 more calls")


@test
def no_new_privs_only_where_needed(t):
    """With CAP_SYS_ADMIN the filter goes in without it."""
    need_root()
    r = t.iotrace(PTRACE, ["grep", "NoNewPrivs", "/proc/self/status"])
    eq(r.out.split(), ["NoNewPrivs:", "0"], "the target's")


@test
def setuid_programs_are_told(t):
    """Under an unprivileged tracer a setuid program gains nothing; it must still run."""
    if tap.IS_ROOT and not tap.USER:
        raise Skip("for an ordinary user")
    r = t.iotrace(PTRACE, ["sh", "-c", "su --help >/dev/null && echo ran"])
    eq(r.out, "ran\n", "output")


@test
def thirty_two_bit_programs_started_from_64_bit_ones(t):
    r = t.iotrace(PTRACE + ["--trace=write"],
                  ["sh", "-c", "%s loop 100; %s loop 10" % (quote(t.target("iov", "m32")), quote(t.target("iov")))])
    eq(r.call("write")["ok"], 110, "writes")


@test
def calls_without_a_name(t):
    r = t.iotrace(PTRACE + ["--trace=all"], [t.target("abi"), "unknown"])
    eq(r.call("syscall_999")["errno"], {"ENOSYS": 3}, "syscall_999")
    eq(r.call("write")["ok"], 1, "write: a number with the x32 bit is none where the kernel has no x32")


@test
def rows_by_bytes_of_memory_no_one_may_read(t):
    """dumpable 0: calls and batches are exact; bytes may be missing, and then it is said."""
    r = t.iotrace(PTRACE + ["--trace=sendmmsg"], [t.target("sandbox"), "dumpable"])
    row = r.call("sendmmsg")
    eq(row["batch"]["transferred_histogram"], {"3": 2}, "messages")
    if (row["bytes"] or {}).get("transferred") != 60:
        check(r.json["warnings"], "missing bytes are said: %r" % row["bytes"])


@test
def ids_are_the_tracers_view(t):
    """Also of a target in its own pid namespace."""
    r = t.iotrace(PTRACE + ["--trace=pwrite64"], [t.target("sandbox"), "userns"])
    eq(len({th["tid"] for th in r.json["threads"]}), len(r.json["threads"]), "ids differ")
    check(all(th["tid"] > 2 for th in r.json["threads"]), "ids: %r" % [th["tid"] for th in r.json["threads"]])


@test
def iotrace_ends_with_its_last_tracee(t):
    began = time.monotonic()
    r = t.iotrace(PTRACE + ["--trace=pwrite64"], [t.target("proc"), "orphan"])
    check(time.monotonic() - began >= 0.15, "waited for the orphan")
    eq(r.call("pwrite64")["calls"], 21, "calls of the orphan count")


@test
def blind_spot_sqpoll_is_said(t):
    r = t.iotrace(PTRACE, [t.target("aio"), "sqpoll"])
    check(any("SQPOLL" in b for b in r.json["blind_spots"]), "blind_spots: %r" % r.json["blind_spots"])


def text_of(path):
    with open(path) as f:
        return f.read()


@test
def every_process_and_who_started_it(t):
    """Of the whole run, by name; a thread that executes a program is what its process is called."""
    script = ("import os, threading\n"
              "threading.Thread(target=lambda: os.execvp('sh', ['sh', '-c', '/bin/true; /bin/true; (/bin/true; :); :'])).start()\n"
              "threading.Event().wait()")
    for how in ([], PTRACE):
        r = t.iotrace(how + ["-e", "none"], [sys.executable, "-c", script])
        eq([tuple(p.values()) for p in r.json["programs"]],
           [("sh", None, 1, 2, 0), ("true", "sh", 3, 3, 0), ("sh", "sh", 1, 1, 0)], "programs")
        eq((r.json["processes"], r.json["threads_total"]), (5, 6), "in all")


def _cgroup(t):
    need_root()
    root = t.path("cgroup")
    os.mkdir(root)
    if subprocess.run(["mount", "-t", "cgroup2", "none", root], capture_output=True).returncode:
        raise Skip("cannot mount cgroup2")
    group = os.path.join(root, "iotrace-test-%d" % os.getpid())
    try:
        os.mkdir(group)
        check(os.path.exists(group + "/cgroup.freeze"), "freezer")
    except (OSError, Failure) as e:
        subprocess.run(["umount", root], check=False)
        raise Skip("no freezer: %s" % e) from e
    return root, group


@test
def freezer_in_the_middle_of_a_call(t):
    """Frozen and thawed during a call: nothing hangs, the sum of the counts holds."""
    root, group = _cgroup(t)
    try:
        p, pid, prefix = traced_steady(t, ["--trace=all"])
        with open(group + "/cgroup.procs", "w") as f:
            f.write(str(pid))
        for _ in range(3):
            for value in "10":
                with open(group + "/cgroup.freeze", "w") as f:
                    f.write(value)
                wait_for("frozen " + value, lambda: "frozen " + value in text_of(group + "/cgroup.events"))
            wait_until_it_works(pid)
        os.kill(pid, signal.SIGTERM)
        eq(t.finish(p).status, 143, "status")
    finally:
        wait_for("an empty group", lambda: "populated 0" in text_of(group + "/cgroup.events"))
        os.rmdir(group)
        subprocess.run(["umount", root], check=False)


@test
def a_process_that_is_traced_already(t):
    """One clear line, 125, and the other tracer keeps it."""
    p, pid, _ = traced_steady(t, [])
    argv, prefix = t.iotrace_argv(PTRACE + ["-p", str(pid)], [])
    r = t.finish(t.start(argv))
    eq(r.status, 125, "status (%s)" % r.err)
    eq(len(r.err.strip().splitlines()), 1, "lines on stderr: " + r.err)
    check(not os.path.exists(prefix + ".json"), "no result file")
    eq(status_of(pid)["TracerPid"] != "0", True, "the first one keeps it")
    p.terminate()


if __name__ == "__main__":
    main()
