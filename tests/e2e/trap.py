#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""--trap: which trap leads calls to the recorder. What it counts by dispatch: exact.py, recorder.py, oracle.py."""
import ctypes
import os
import re
import struct
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import gone
from recorder import AT_ONCE, check_ways, own_counts
from tap import USERNS, Skip, check, eq, main, need_recorder, only_from, test, wait_for

only_from(__name__)

DISPATCH = ["--trap=dispatch"]
GET_CONFIG = 0x4211 # PTRACE_GET_SYSCALL_USER_DISPATCH_CONFIG


def seccomp_word(r):
    return re.search(r"^Seccomp:\s*(\d)", r.out, re.M).group(1)


@test
def the_result_says_which(t):
    need_recorder(t, *DISPATCH)
    for options, trap, word in (([], "filter", "mode auto\n"), (["--trap=auto"], "filter", "mode auto\n"),
                                (["--trap=filter"], "filter", "mode auto\n"),
                                (DISPATCH, "dispatch", "mode auto by dispatch\n"),
                                (["--mode=ptrace"], None, "mode ptrace\n")):
        r = t.iotrace(options, ["cat", "/proc/self/status"])
        eq(r.json["tracer"]["trap"], trap, "trap of %r" % options)
        check(word in r.summary, "'%s' in the head: %s" % (word, r.summary[:200]))
        filters = int(seccomp_word(t.run(["cat", "/proc/self/status"])) != "0") or trap != "dispatch"
        eq(seccomp_word(r), "2" if filters else "0", "what the target has, %r" % options)


@test
def attached_is_by_dispatch(t):
    need_recorder(t, *DISPATCH)
    if USERNS:
        raise Skip("a process in another user namespace is not to be attached to")
    for options in ([], DISPATCH):
        p = t.start(["sleep", "60"])
        wait_for("sleep", lambda: "sleep" in open("/proc/%d/comm" % p.pid).read())
        r = t.iotrace(options + ["-p", str(p.pid), "--duration=0.1"], [])
        eq(r.json["tracer"]["trap"], "dispatch", "trap")
        check((r.json["tracer"]["overhead"]["per_record_ns"] or 0) > 0, "the cost: %r" % r.json["tracer"])
    r = t.iotrace(["--trap=filter", "-p", str(os.getpid())], [], status=2)
    eq(r.err, "iotrace: --trap=filter is for a program that iotrace starts, not for -p: a filter cannot be set "
       "from outside\n", "what is said")


@test
def what_a_record_costs_is_measured(t):
    need_recorder(t, *DISPATCH)
    overhead = t.iotrace(DISPATCH, ["true"]).json["tracer"]["overhead"]
    for name in ("per_record_ns", "per_stop_ns", "plain_call_ns"):
        check(overhead[name] and overhead[name] > 0, "%s: %r" % (name, overhead))


@test
def a_shell_and_its_programs(t):
    """Forks, vforks and programs that live shortly: the same calls by both."""
    need_recorder(t, *DISPATCH)
    script = "for i in 1 2 3 4 5 6 7 8; do /bin/echo $i | /bin/cat; (echo sub $i); done; exit 3"
    rows = []
    for options in (["--trap=filter"], DISPATCH, ["--mode=ptrace"]):
        r = t.iotrace(options + ["--trace=write,execve,exit_group,clone,vfork,fork,clone3"], ["sh", "-c", script],
                      status=3, env=AT_ONCE)
        check_ways(r)
        rows.append(({s["name"]: (s["calls"], s["ok"], s["errors"]) for s in r.json["syscalls"]},
                     r.json["processes"], r.out))
    eq(rows[1], rows[0], "by dispatch, and by filter")
    eq(rows[1], rows[2], "by dispatch, and by stops")


@test
def the_target_dies_with_the_tracer(t):
    need_recorder(t, *DISPATCH)
    full, _ = t.iotrace_argv(DISPATCH, ["sh", "-c", "echo $$; while :; do echo > /dev/null; done"])
    p = t.start(full, env=AT_ONCE)
    pid = int(p.stdout.readline())
    p.kill()
    p.wait()
    wait_for("its end", lambda: gone(pid))


# ---- where it cannot be ----

def filtered(request_answer):
    """Puts a seccomp filter on the process: of ptrace the request for the dispatch of a thread is answered so
    (None: allowed), everything else is allowed."""
    def insn(code, jt, jf, k):
        return struct.pack("HBBI", code, jt, jf, k)
    ptrace = {"x86_64": 101, "aarch64": 117}[os.uname().machine]
    deny = 0x7fff0000 if request_answer is None else 0x00050000 | request_answer
    code = (insn(0x20, 0, 0, 0) + insn(0x15, 0, 3, ptrace) + insn(0x20, 0, 0, 16) + insn(0x15, 0, 1, GET_CONFIG)
            + insn(0x06, 0, 0, deny) + insn(0x06, 0, 0, 0x7fff0000))

    def install():
        libc = ctypes.CDLL(None, use_errno=True)
        buf = ctypes.create_string_buffer(code)
        prog = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buf))
        held = ctypes.create_string_buffer(prog)
        if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, held, 0, 0): # no new privileges; a filter
            raise OSError(ctypes.get_errno(), "seccomp")
    return install


def writes(t, options, variant="", **kw):
    """A program's own count of its writes holds; returns what the tracer says of itself, and codes of warnings."""
    r = t.iotrace(options + ["--trace=write"], [t.target("rec_life", variant), "threads", "20"], env=AT_ONCE, **kw)
    check_ways(r)
    eq([s["calls"] for s in r.json["syscalls"] if s["name"] == "write"], [own_counts(r.out)["write"]], "writes")
    return r.json["tracer"], [w["code"] for w in r.json["warnings"]]


@test
def a_kernel_without_it(t):
    """The call that asks for it fails as on an older kernel: by stops, and the result says so."""
    need_recorder(t, *DISPATCH)
    tracer, codes = writes(t, DISPATCH, preexec_fn=filtered(5)) # EIO
    eq((tracer["trap"], tracer["calls_recorded_in_process"], "no_recorder" in codes), (None, 0, True), "by stops")
    check("Linux 6.4" in tracer["unpatched_sites"][0]["reason"], "the reason: %r" % tracer["unpatched_sites"])
    tracer, codes = writes(t, [], preexec_fn=filtered(5))
    eq((tracer["trap"], [c for c in codes if c != "slowed"]), ("filter", []), "a filter needs none")


@test
def what_cannot_be_dispatched_stops(t):
    need_recorder(t, *DISPATCH)
    tracer, _ = writes(t, DISPATCH, preexec_fn=filtered(None))
    eq(tracer["calls_recorded_in_process"], 0, "recorded under a filter")
    check("seccomp" in tracer["unpatched_sites"][0]["reason"], "the reason: %r" % tracer["unpatched_sites"])
    r = t.iotrace(DISPATCH + ["--trace=write"], [t.target("iov", "m32"), "loop", "500"], env=AT_ONCE)
    eq((r.call("write")["calls"], check_ways(r)["calls_recorded_in_process"]), (500, 0), "of 32 bits")
    check("32 bits" in r.json["tracer"]["unpatched_sites"][0]["reason"], "the reason: %r" % r.json["tracer"])


if __name__ == "__main__":
    main()
