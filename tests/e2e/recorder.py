#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""The recorder inside the target: what it counts, and that the target does not notice it.

The targets rec_*.c say themselves how often they made a call and check their own results, so each
run is its own oracle; the same runs by stops, without patching and recorded must agree. RECORDER_LOOP=N
repeats the nasty ones N times (recorder_loop.py).
"""
import json
import os
import re
import select
import shutil
import socket
import subprocess
import sys
import types
from shlex import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import wait_until_traced
from tap import (Failure, Skip, check, eq, for_others, main, need_recorder, need_root, need_tool, only_from, test)

GLIBC, ALL = ("",), ("", "static", "musl", "musl-static")
MODES = (("auto", ()), ("auto", ("--no-patch",)), ("auto", ("--trap=dispatch",)), ("ptrace", ()))
NO_TIMES = MODES + (("auto", ("--no-times",)), ("auto", ("--no-times", "--trap=dispatch")))
# By stops, recorded by either trap, and without times.
WAYS = {"ptrace": ["--mode=ptrace"], "auto": ["--mode=auto"], "dispatch": ["--trap=dispatch"],
        "no-times": ["--no-times", "--trap=dispatch"]}
SET = "--trace=%io,%memory"
# From the first call on: most targets end before they would be worth it.
AT_ONCE = dict(os.environ, IOTRACE_TEST_INJECT="first")


class Case:
    """counts: the program's own line holds; recorded: so many calls at least go through the recorder
    when the code may be patched (0: it depends)."""

    def __init__(self, args, variants=ALL, counts=("write",), recorded=0, modes=MODES):
        self.args, self.variants, self.counts = args.split(), variants, counts
        self.recorded, self.modes = recorded, modes


SIGNAL = [
    Case("storm 4000", counts=("write", "read"), recorded=7000, modes=NO_TIMES),
    Case("storm 4000 1", counts=("write", "read"), recorded=7000),
    Case("blocked 60", counts=()),
    Case("blocked 60 1", counts=("read",)),
    Case("jump 60", counts=(), recorded=100),
    Case("cancel 20", counts=(), recorded=50),
    Case("flood 500", recorded=500),
    Case("altstack 4000", recorded=3500),
    Case("stopped 20", counts=("write", "read")),
    Case("masked 80", recorded=50),
    Case("halted 20"),
]
LIFE = [
    Case("threads 60", recorded=2500, modes=NO_TIMES),
    Case("many 100", recorded=15000),
    Case("children 12", recorded=150),
    Case("fork_busy 5", recorded=150, modes=NO_TIMES),
    Case("exec_thread 5", counts=()),
    Case("ends 24", counts=()),
    Case("reuse 100"),
    Case("race 1000"),
    Case("lingering", counts=()),
    Case("numbers 20", recorded=500),
    Case("close_all"),
    Case("own_table 20"),
    Case("killed 6", counts=(), modes=NO_TIMES),
    Case("beginnings 30"),
    Case("cut_short 60", counts=()),
    Case("limited 60"),
    # Of rings: stops have none.
    Case("limited 20000 1", recorded=1000, modes=MODES[:3] + NO_TIMES[-1:]),
    Case("mappings 1", recorded=1000, modes=NO_TIMES),
]
CODE = [
    Case("registers 60", GLIBC, recorded=30),
    Case("registers 60 6", GLIBC, recorded=200),
    Case("own_gs", ALL),
    Case("own_gs 1", ALL),
    Case("asked_gs", recorded=150),
    Case("generated 20"),
    Case("mapped_code 20"),
    Case("own_code 20"),
    Case("moved_code 20", recorded=100),
    Case("copied_code 20", ALL, recorded=200),
    Case("copied_part 20", recorded=80),
    Case("copied_alike 20", counts=("write", "read"), recorded=150),
    # At low addresses there is nothing but the heap.
    Case("jumps_lead_far", ("", "musl"), recorded=50),
    Case("jumps_lead_together", recorded=3000),
    Case("heap_grows", counts=("write", "read"), recorded=50),
    Case("copied_and_moved", counts=("write", "read"), recorded=150),
    Case("copied_at_once 100", recorded=150),
    Case("unchanged", recorded=400),
    Case("vanishing 400", counts=()),
    Case("dropped_page"),
    Case("bad_pointers 20"),
    Case("filtered 0"), Case("filtered 1"), Case("filtered 2"), Case("filtered 3"),
    Case("filtered 0 0"), Case("filtered 1 0"), Case("filtered 2 0"), Case("filtered 3 0"),
    Case("trapped_all", recorded=100),
    # Its memory is open to root alone.
    Case("undumpable", recorded=250 if os.geteuid() == 0 else 0),
    Case("locked"),
]


def own_counts(out):
    return {k: int(v) for k, v in re.findall(r"(\w+)=(\d+)", out)}


def returned(result, name):
    """Calls that came back to the program."""
    for row in result["syscalls"]:
        if row["name"] == name:
            return row["calls"] - row["interrupted"] - row["no_return"]
    return 0


def check_ways(r, complete=True):
    t = r.json["tracer"]
    total = sum(row["calls"] for row in r.json["syscalls"])
    eq(t["lost"], 0, "lost")
    if complete:
        eq(r.json["complete"], True, "complete")
    eq(t["calls_recorded_in_process"] + t["calls_redirected"] + t["calls_stopped"], total,
       "the ways in which calls were seen")
    return t


_loader_reads = {}


def reads_of_the_loader(t, target):
    if target not in _loader_reads:
        _loader_reads[target] = returned(t.iotrace(["--mode=ptrace", SET], [target, "none"]).json, "read")
    return _loader_reads[target]


def run_case(t, program, case, variant, mode, options):
    target = t.target(program, variant)
    r = t.iotrace(["--mode=" + mode, SET, *options], [target] + case.args)
    # Stops cannot read what the target has unmapped since.
    ways = check_ways(r, complete=case.args[0] != "vanishing")
    said = own_counts(r.out)
    for name in case.counts:
        base = reads_of_the_loader(t, target) if name == "read" else 0
        eq(returned(r.json, name) - base, said[name], "%s by the program's own count" % name)
    if mode == "auto" and "--no-patch" not in options and case.recorded:
        check(ways["calls_recorded_in_process"] >= case.recorded,
              "only %d calls recorded; unpatched: %r"
              % (ways["calls_recorded_in_process"], ways["unpatched_sites"]))
    if mode == "ptrace":
        eq(ways["calls_recorded_in_process"] + ways["calls_redirected"], 0, "recorded by stops")
    return r


def add_cases(program, cases):
    for case in cases:
        for variant in case.variants:
            def body(t, case=case, variant=variant):
                need_recorder(t)
                for mode, options in case.modes:
                    run_case(t, program, case, variant, mode, options)
            test(body, "%s%s %s" % (program, "-" + variant if variant else "", " ".join(case.args)))


add_cases("rec_signal", SIGNAL)
add_cases("rec_life", LIFE)
add_cases("rec_code", CODE)


@test
def what_nobody_asked_for_is_counted(t):
    """By dispatch each call comes into the stub: signals find the thread anywhere between the call and its count."""
    need_recorder(t)
    for program, args in (("rec_signal", "storm 4000"), ("rec_signal", "storm 4000 1"), ("rec_signal", "flood 500"),
                          ("rec_signal", "altstack 4000"), ("rec_life", "threads 60"), ("rec_life", "many 100")):
        for variant in ALL:
            target = t.target(program, variant)
            r = t.iotrace(["--trap=dispatch", "--trace=mremap"], [target] + args.split())
            eq(r.json["tracer"]["lost"], 0, "lost")
            seen = {row["name"]: row["calls"] for row in r.json["tracer"]["untraced"]}
            eq(seen["write"], own_counts(r.out)["write"], "writes of %s %s" % (target, args))


@test
def code_is_unchanged_without_patching(t):
    for options in (["--mode=auto", "--no-patch"], ["--mode=ptrace"]):
        t.iotrace(options, [t.target("rec_code"), "unchanged", "1"])


@test
def code_is_changed_with_patching(t):
    """The check of the test before can fail."""
    need_recorder(t)
    eq(t.iotrace(["--mode=auto"], [t.target("rec_code"), "unchanged", "1"], status=None).status, 1,
       "status of a program that checks its code")


@test
def no_core_has_the_shared_memory(t):
    """It lies before the libraries and the stack: where the size of cores is limited, these would be missing."""
    need_recorder(t)
    for options in ([], ["--trap=dispatch"]):
        r = t.iotrace(options, ["cat", "/proc/self/smaps"], env=AT_ONCE)
        flags = re.findall(r"memfd:iotrace.*\n(?:.*\n)*?VmFlags: (.*)", r.out)
        check(flags and all("dd" in f.split() for f in flags), "flags of our mappings: %s" % flags)


@test
def the_clock_is_known_without_sys(t):
    """Its name is in a file of /sys. Where that is not mounted it is found out; what the file says is believed."""
    need_recorder(t)
    where = "/sys/devices/system/clocksource/clocksource0"
    for make, warned in (("true", []), ("mkdir -p %s && echo hpet >%s/current_clocksource" % (where, where),
                                        ["no_recorder"])):
        argv, prefix = t.iotrace_argv(["--trace=write"], [t.target("rec_code"), "unchanged"])
        r = t.run([need_tool("unshare"), "-rm", "sh", "-c",
                   'mount -t tmpfs none /sys && { %s; } || exit 77; exec "$@"' % make, "sh", *argv])
        if r.status == 77 or r.err.startswith("unshare:"):
            raise Skip("no mount namespace here: " + r.err.strip())
        with open(prefix + ".json") as f:
            j = json.load(f)
        eq([w["code"] for w in j["warnings"] if w["code"] == "no_recorder"], warned, "with %s: %s" % (make, r))
        check((j["tracer"]["calls_recorded_in_process"] > 400) != bool(warned), "recorded: %r" % j["tracer"])


@test
def signals_of_faults_stay_as_they_are(t):
    """Measuring reads what the kernel has read: it is never us who make a call fault."""
    for mode in ("ptrace", "auto"):
        r = t.iotrace(["--mode=" + mode, "--trace=writev,sendmsg,recvmsg,sendmmsg"],
                      [t.target("rec_code"), "fault_signals"], env=AT_ONCE)
        check_ways(r)
        rows = {row["name"]: row for row in r.json["syscalls"]}
        for name, errors, asked in (
                ("writev", {"EFAULT": 60, "EBADF": 120}, 60 * 6), ("sendmsg", {"EFAULT": 120, "EBADF": 60}, 60 * 6),
                ("recvmsg", {"EFAULT": 120, "EAGAIN": 60}, 60 * 6), ("sendmmsg", {"EFAULT": 60}, None)):
            eq(rows[name]["errno"], errors, "%s by %s" % (name, mode))
            if asked:
                eq(rows[name]["bytes"]["asked"], asked, "bytes asked of %s by %s" % (name, mode))


@test
def nobody_is_set_up_while_a_number_is_closed(t):
    """The memory of the set-up has a number for a moment, which a close or dup2 that is under way could take away.
    Where fds are not reported too."""
    need_recorder(t)
    for traced in ("getppid", "getppid,dup"):
        r = t.iotrace(["--trace=" + traced], [t.target("rec_life"), "while_closing", "200"])
        ways = check_ways(r)
        check(ways["calls_stopped"] >= 200, "%d calls stopped of 200 during the close" % ways["calls_stopped"])
        check(ways["calls_recorded_in_process"] >= 150, "recorded after it: %d" % ways["calls_recorded_in_process"])


@test
def what_is_written_over_is_not_measured(t):
    """Vectors that are other ones when the stub reads them: what they asked for is not known then, which is said;
    what was moved is."""
    for mode in ("ptrace", "auto"):
        r = t.iotrace(["--mode=" + mode, "--trace=writev,preadv,recvmsg"], [t.target("rec_code"), "overwritten"],
                      env=AT_ONCE)
        ways = check_ways(r, complete=mode == "ptrace")
        rows = {row["name"]: row for row in r.json["syscalls"]}
        for name, calls, size in (("preadv", 60, 132), ("recvmsg", 60, 72), ("writev", 10, 100000)):
            row = rows[name]
            eq((row["ok"], row["bytes"]["transferred"]), (calls, calls * size), "%s by %s" % (name, mode))
            if mode == "ptrace":
                eq(row["bytes"]["asked"], calls * size, "asked by " + name)
        codes = [w["code"] for w in r.json["warnings"]]
        if ways["calls_recorded_in_process"]:
            check("memory_unreadable" in codes, "not said: %r" % codes)
            for name in rows:
                check((rows[name]["bytes"]["asked"] or 0) < 10**7, "asked: %r" % rows[name]["bytes"])


@test
def a_socket_that_was_given_is_known(t):
    """It cuts all that it sends; the process that had it do so is not traced."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as rx, \
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tx:
        rx.bind(("127.0.0.1", 0))
        tx.connect(rx.getsockname())
        rx.setblocking(False)
        try:
            tx.setsockopt(socket.IPPROTO_UDP, 103, 100) # UDP_SEGMENT
        except OSError as e:
            raise Skip("UDP_SEGMENT: %s" % e) from None
        os.dup2(tx.fileno(), 100)
        try:
            for mode in ("ptrace", "auto"):
                r = t.iotrace(["--mode=" + mode, "--trace=sendto,sendmsg,sendmmsg"], [t.target("fds"), "given"],
                              env=AT_ONCE, pass_fds=[100])
                eq({row["name"]: row["datagrams"]["transferred"] for row in r.json["syscalls"]},
                   {"sendto": 30, "sendmmsg": 10, "sendmsg": 3}, "datagrams by " + mode)
                came = 0
                while select.select([rx], [], [], 0)[0]:
                    rx.recv(2000)
                    came += 1
                eq(came, 43, "datagrams that came")
        finally:
            os.close(100)


@test
def an_address_that_was_cut_off_is_not_told(t):
    """The sockets are closed before the kernel is asked for their names."""
    for env in (AT_ONCE, None):
        r = t.iotrace(["--trace=read"], [t.target("fds"), "cut_off"], env=env)
        names = [row["target"] for row in r.json["fds"] if (row["target"] or "").startswith("tcp")]
        eq(len(names), 30, "sockets read from")
        for name in names:
            check(re.fullmatch(r"tcp 127\.0\.0\.1(:\d+)?( -> 127\.0\.0\.1:\d+)?", name), "no such socket: %r" % name)


@test
def a_process_that_ends_takes_no_memory_from_us(t):
    """Its threads are ended while they ask us about what they have just received."""
    for mode in ("ptrace", "auto"):
        r = t.iotrace(["--mode=" + mode, "--trace=%io,close"], [t.target("fds"), "received_last"])
        check_ways(r)
        row = r.call("recvmsg")
        eq((row["errors"], row["calls"]), (0, row["ok"] + row["no_return"]), "recvmsg by " + mode)


@test
def two_files_are_never_one(t):
    """A file gets 3 bytes a write, the other 5, both by the same number."""
    r = t.iotrace(["--trace=write"], [t.target("rec_life"), "reuse", "60"])
    seen = set()
    for row in r.json["fds"]:
        if "rec-" not in (row["target"] or ""):
            continue
        size = 5 if "/rec-b" in row["target"] else 3
        for c in row["syscalls"]:
            seen.add(row["generation"])
            eq(c["bytes"], size * c["calls"], "bytes of %s" % row["target"])
            eq(c["calls"], 4, "writes between open and close")
    eq(len(seen), 60, "generations of the number")


@test
def what_could_not_be_set_up_leaves_nothing(t):
    """The tracer cannot give the memory its size. The same with no limit: the check can fail."""
    need_recorder(t)
    show = ["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do echo x; done; "
            "while read l; do case $l in *memfd:iotrace*) echo mapped;; esac; done </proc/$$/maps; ls -l /proc/$$/fd"]
    for before, mapped, reason in (("", 1, None), ("ulimit -f 2000; ", 0, "the tracer's file size is limited")):
        argv, prefix = t.iotrace_argv(["--trace=write"], show)
        r = t.run(["/bin/sh", "-c", before + 'exec "$@"', "sh", *argv])
        with open(prefix + ".json") as f:
            j = json.load(f)
        eq((r.status, r.out.count("mapped"), r.out.count("memfd")), (0, mapped, 0), "status, mappings, fds: %s" % r)
        reasons = [u["reason"] for u in j["tracer"]["unpatched_sites"]]
        check(not reason or any(reason in x for x in reasons), "reasons: %r" % reasons)


@test
def what_has_no_path_has_no_type(t):
    """Also where a path led to it, and it was closed before it was looked at: a namespace."""
    need_recorder(t)
    source = """import os
for i in range(100):
    fd = os.open("/proc/self/ns/uts", os.O_RDONLY)
    try: os.read(fd, 1)
    except OSError: os.close(fd)"""
    for mode in ("ptrace", "auto"):
        r = t.iotrace(["--mode=" + mode], [sys.executable, "-c", source])
        types = [fd["type"] for fd in r.json["fds"] if (fd["target"] or "").startswith("uts:[")]
        eq((len(types), set(types)), (100, {None}), "namespaces, types by " + mode)


# 40 processes at once that are all worth the recorder, then one that has a socket.
CROWD = """
import os, socket
null = os.open(os.devnull, os.O_WRONLY)
(go, stop), (told, tell) = os.pipe(), os.pipe()
for i in range(40):
    if not os.fork():
        os.close(stop)
        for k in range(60): os.write(null, b"x")
        os.write(tell, b"x")
        os.read(go, 1)
        os._exit(0)
for i in range(40): os.read(told, 1)
if not os.fork():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    s.bind(("127.0.0.1", 0))
    for i in range(30): s.sendto(b"x", s.getsockname())
    os._exit(0)
os.wait()
os.close(stop)
for i in range(40): os.wait()
"""


@test
def the_tracer_keeps_descriptors_for_itself(t):
    """With few of them it still knows what others are, and takes stacks; the rest goes by stops."""
    need_recorder(t)
    for options in ([], ["--trap=dispatch"], ["--stacks", t.path("s"), "--stacks-every", "1"]):
        argv, prefix = t.iotrace_argv(options, [sys.executable, "-c", CROWD])
        r = t.run(["/bin/sh", "-c", 'ulimit -n 32; exec "$@"', "sh", *argv])
        with open(prefix + ".json") as f:
            j = json.load(f)
        eq((r.status, j["complete"], j["tracer"]["lost"]), (0, True, 0), "status, complete, lost: %s" % r)
        eq(sum(c["calls"] for c in j["syscalls"] if c["name"] == "write"), 40 * 61, "writes")
        sockets = [fd["target"] for fd in j["fds"] if fd["target"] and re.match("udp|socket", fd["target"])]
        check(len(sockets) == 1 and sockets[0].startswith("udp 127.0.0.1:"), "sockets: %r" % sockets)
        reasons = {u["reason"] for u in j["tracer"]["unpatched_sites"]}
        check("the tracer's descriptors are limited (RLIMIT_NOFILE)" in reasons, "reasons: %r" % reasons)
        eq(j["stacks"]["failed"] if "--stacks" in options else 0, 0, "stacks that failed")


@test
def a_filter_for_all_threads_is_obeyed(t):
    """It ends who makes a call that nobody but the recorder would: memfd_create, to begin in the process; mremap,
    to grow in it."""
    for call, before in ((319, 0), (25, 60)):
        for mode in ("ptrace", "auto"):
            r = t.iotrace(["--mode=" + mode, "--trace=write"],
                          [t.target("rec_life"), "filtered_all", str(call), str(before)])
            check_ways(r)
            eq(returned(r.json, "write"), 8 * 200 + before + 1, "writes by " + mode)


@test
def a_number_is_used_again_while_its_close_waits(t):
    """A row may be split then, but what is done with the new file is never counted for the old one."""
    for mode in ("ptrace", "auto"):
        r = t.iotrace(["--mode=" + mode, "--trace=sendto,pwrite64"], [t.target("rec_life"), "lingering"], env=AT_ONCE)
        rows = [(row["target"], c["name"], c["calls"]) for row in r.json["fds"] if row["fd"] == 100
                for c in row["syscalls"]]
        eq(sum(n for target, name, n in rows if name == "pwrite64" and target == "/dev/null"), 8, "pwrites: %r" % rows)
        eq({target for target, name, _ in rows if name == "pwrite64"}, {"/dev/null"}, "files of pwrites")
        check(all((target or "").startswith("tcp ") for target, name, _ in rows if name == "sendto"),
              "files of sends: %r" % rows)


def unpatched(t, argv):
    """Traces what counts its own writes, which must agree; {reason: calls} of sites that were left alone."""
    r = t.iotrace(["--trace=write"], argv, env=AT_ONCE)
    eq(returned(r.json, "write"), own_counts(r.out)["write"], "writes")
    return {u["reason"]: u["calls"] for u in check_ways(r)["unpatched_sites"]}


@test
def code_that_the_program_changed_is_not_patched(t):
    """A plan is made from the file, and holds for what is there only if that is the same."""
    need_recorder(t)
    left = unpatched(t, [t.target("rec_code"), "own_code", "50"])
    check(left.get("the code is not as in its file", 0) >= 49, "unpatched: %r" % left)


@test
def more_sites_than_are_kept(t):
    """As of generated code: what the tracer keeps, and puts into the process, has an end."""
    need_recorder(t)
    for trap in ("filter", "dispatch"):
        r = t.iotrace(["--trace=write", "--trap=" + trap], [t.target("rec_code"), "many_places", "70000"])
        eq(returned(r.json, "write"), own_counts(r.out)["write"], "writes")
        left = {u["reason"]: u["calls"] for u in check_ways(r)["unpatched_sites"]}
        check(4000 < left.get("more than 65,536 call sites in one process", 0) < 4600, "unpatched: %r" % left)


@test
def code_of_a_chroot_is_found(t):
    """The files of its code are not where its root says: they are named as we see them."""
    need_recorder(t)
    need_root()
    jail = t.path("jail")
    os.makedirs(jail + "/dev")
    open(jail + "/dev/null", "w").close()
    shutil.copy(t.target("rec_life", "static"), jail + "/inside")
    eq(unpatched(t, [need_tool("chroot"), jail, "/inside", "threads", "40"]), {}, "unpatched")


@test
def code_of_a_deleted_file_is_found(t):
    """As that of a server whose package was upgraded meanwhile."""
    need_recorder(t)
    need_root()
    shutil.copy(t.target("rec_life", "static"), t.path("gone"))
    argv = ["/bin/sh", "-c", "exec 9<%s; rm %s; exec /proc/self/fd/9 threads 40" % ((quote(t.path("gone")),) * 2)]
    eq(unpatched(t, argv), {}, "unpatched")


@test
def a_blocked_call_dies_with_its_process(t):
    need_recorder(t)
    r = t.iotrace(["--trace=read,write"], [t.target("rec_life"), "killed", "6"])
    eq(r.call("read")["no_return"], 3, "reads that were cut off")


@test
def a_32_bit_child(t):
    target = t.target("iov", "m32")
    r = t.iotrace(["--trace=write"], ["/bin/sh", "-c", "for i in 1 2 3 4 5 6 7 8 9; do echo x; done; "
                                      "%s none; %s close_all" % (quote(target), quote(t.target("rec_life")))])
    check_ways(r)
    eq(r.call("write")["calls"] - r.call("write")["no_return"], 9 + own_counts(r.out)["write"], "writes")


@test
def detail_has_every_call(t):
    need_recorder(t)
    r = t.iotrace(["--trace=write", "--detail-trace=write"], [t.target("rec_life"), "threads", "40"])
    eq(len(r.detail), r.call("write")["calls"], "lines")
    eq(r.json["tracer"]["detail_lines"], len(r.detail), "detail_lines")


@test
def an_address_space_limit_is_left_alone(t):
    need_recorder(t)
    r = t.iotrace(["--trace=write"], ["/bin/sh", "-c", "ulimit -v 500000; exec %s threads 8"
                                      % quote(t.target("rec_life"))])
    t_ = check_ways(r)
    eq(t_["calls_recorded_in_process"], 0, "recorded")
    check(any("RLIMIT_AS" in u["reason"] for u in t_["unpatched_sites"]), "the reason is in the result")


@test
def what_uses_gs_is_told(t):
    """The calls of a program that sets gs itself, and no others, have that reason."""
    need_recorder(t)
    r = t.iotrace([SET], [t.target("rec_code"), "own_gs"])
    left = {u["reason"]: u["calls"] for u in check_ways(r)["unpatched_sites"]}
    told = sum(n for reason, n in left.items() if "(gs)" in reason)
    check(200 <= told <= 210, "calls of 200 with that reason: %r" % left)
    # Not of a fork's child, which is born with our register of its maker's.
    for program, *args in (("rec_code", "registers", "60"), ("rec_life", "children", "12")):
        r = t.iotrace([SET], [t.target(program), *args])
        left = [u["reason"] for u in check_ways(r)["unpatched_sites"]]
        check(not any("(gs)" in reason for reason in left), "of %s: %r" % (program, left))


@test
def calls_before_a_fork_are_told_of_once(t):
    """Not again for each child that is left alone as its maker was."""
    need_recorder(t)
    r = t.iotrace(["--trace=write"], ["/bin/sh", "-c", "ulimit -v 500000; for i in $(seq 40); do echo x; done; "
                                      "for i in $(seq 30); do (echo y); done"])
    tracer = check_ways(r)
    left = sum(u["calls"] for u in tracer["unpatched_sites"] if "RLIMIT_AS" in u["reason"])
    check(70 <= left <= tracer["overhead"]["stops"], "%d calls, by %d stops" % (left, tracer["overhead"]["stops"]))


@test
def another_user(t):
    need_root()
    need_recorder(t)
    os.chmod(t.dir, 0o777) # the files are that user's
    target = for_others(t, t.target("rec_life"))
    r = t.iotrace(["-u", "nobody", "--trace=write"], [target, "threads", "40"])
    said = own_counts(r.out)["write"]
    eq(r.call("write")["calls"], said, "writes")
    check(check_ways(r)["calls_recorded_in_process"] > said // 2, "recorded: %r" % r.json["tracer"])
    fds = t.iotrace(["-u", "nobody", "--trace=write"],
                    ["/bin/sh", "-c", "i=0; while [ $i -lt 30 ]; do echo x; i=$((i+1)); done; ls /proc/$$/fd"])
    eq(fds.out.split()[30:], t.run(["/bin/sh", "-c", "ls /proc/$$/fd"]).out.split(), "fds of the target")


@test
def all_calls(t):
    need_recorder(t)
    r = t.iotrace(["--trace=all"], [t.target("rec_life"), "children", "12"])
    check_ways(r)
    eq(r.call("write")["calls"], own_counts(r.out)["write"], "writes")


# ---- libraries: the same addresses, other code ----

LIBRARY = """long NAME(int fd)
{
	long ret = -1;
	for (int i = 0; i < 4; i++) {
		BEFORE
		__asm__ volatile("syscall" : "=a"(ret) : "a"(1L), "D"((long)fd), "S"("12345678"), "d"((long)BYTES)
				 : "rcx", "r11", "memory");
		if (ret != BYTES)
			return -1;
	}
	return 0;
}
"""
OPENER = """#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>
static int fd, end;
static long more;
static void *beside(void *arg)
{
	while (!__atomic_load_n(&end, __ATOMIC_ACQUIRE))
		more += write(fd, "x", 1);
	return arg;
}
int main(int argc, char **argv)
{
	void *last = 0;
	int same = 0;
	pthread_t t;
	fd = open("/dev/null", O_WRONLY);
	pthread_create(&t, 0, beside, 0);
	for (int i = 0; i < 60; i++) {
		void *lib = dlopen(argv[1 + i % 2], RTLD_NOW);
		long (*fn)(int) = lib ? (long (*)(int))dlsym(lib, "fn") : 0;
		if (!fn || fn(fd) < 0)
			return 1;
		same += (char *)fn - (char *)last < 4096 && (char *)last - (char *)fn < 4096;
		last = (void *)fn;
		dlclose(lib);
	}
	__atomic_store_n(&end, 1, __ATOMIC_RELEASE);
	pthread_join(t, 0);
	char line[80];
	int n = snprintf(line, sizeof(line), "same=%d write=%ld\\n", same, more + 60 * 4 + 1);
	return write(1, line, n) != n;
}
"""


def compiled(t, name, text, *options):
    with open(t.path(name + ".c"), "w") as f:
        f.write(text)
    t.run([need_tool("gcc"), "-O2", "-o", t.path(name), t.path(name + ".c"), *options], timeout=60, user=False)
    return t.path(name)


@test(timeout=120)
def libraries_come_and_go(t):
    """Two libraries in turns at the same addresses, while another thread makes calls."""
    need_recorder(t)
    libs = [compiled(t, name, LIBRARY.replace("NAME", "fn").replace("BYTES", size).replace("BEFORE", before),
                     "-shared", "-fPIC")
            for name, size, before in (("a.so", "3", ""), ("b.so", "5", '__asm__ volatile("nop; nop; nop");'))]
    program = compiled(t, "opener", OPENER, "-ldl", "-lpthread")
    for options in ((), ("--no-patch",), ("--trace=write,mmap,munmap",)):
        r = t.iotrace(["--trace=write", *options], [program] + libs)
        said = own_counts(r.out)
        check(said["same"] > 30, "the addresses are used again: %d of 60" % said["same"])
        eq(r.call("write")["ok"], said["write"], "writes")
        eq(r.call("write")["bytes"]["transferred"], said["write"] - 241 + 30 * 4 * (3 + 5) + len(r.out),
           "bytes of all writes")
        check_ways(r)


# ---- languages: the program does not notice, and nothing is lost ----
# Each says that it is there and goes on when it reads a byte, so that it can be attached to.

SOURCES = {
    "go": ("h.go", """package main
import ("fmt"; "os"; "sync")
func main() {
	fmt.Println("ready")
	os.Stdin.Read(make([]byte, 1))
	f, _ := os.OpenFile("/dev/null", os.O_WRONLY, 0)
	var wg sync.WaitGroup
	for g := 0; g < 8; g++ {
		wg.Add(1)
		go func() { defer wg.Done(); for i := 0; i < 2000; i++ { f.Write([]byte("x")) } }()
	}
	wg.Wait()
	fmt.Println("done")
}
"""),
    "rustc": ("h.rs", """use std::io::{Read, Write};
fn main() {
    println!("ready");
    std::io::stdin().read(&mut [0u8; 1]).unwrap();
    let hs: Vec<_> = (0..4).map(|_| std::thread::spawn(|| {
        let mut f = std::fs::OpenOptions::new().write(true).open("/dev/null").unwrap();
        for _ in 0..2000 { f.write_all(b"x").unwrap(); }
    })).collect();
    for h in hs { h.join().unwrap(); }
    println!("done");
}
"""),
    "node": ("h.js", """const fs = require('fs'); const f = fs.openSync('/dev/null', 'w');
fs.writeSync(1, 'ready\\n');
fs.readSync(0, Buffer.alloc(1));
for (let i = 0; i < 5000; i++) fs.writeSync(f, 'x');
fs.readFile('/etc/passwd', (e, d) => console.log(d.length > 0 ? 'done' : 'empty'));
"""),
    "javac": ("H.java", """public class H { public static void main(String[] a) throws Exception {
    System.out.println("ready");
    System.in.read();
    try (java.io.FileOutputStream f = new java.io.FileOutputStream("/dev/null")) {
        for (int i = 0; i < 5000; i++) f.write(1); }
    Thread t = new Thread(() -> System.out.println("done")); t.start(); t.join(); } }
"""),
    "luajit": ("h.lua", """local ffi = require "ffi"
ffi.cdef[[int open(const char *, int); long write(int, const void *, size_t);]]
local f = ffi.C.open("/dev/null", 1)
print("ready")
io.stdout:flush()
io.read(1)
for i = 1, 20000 do ffi.C.write(f, "x", 1) end
print("done")
"""),
    "python3": ("h.py", """import os, threading, subprocess
f = os.open('/dev/null', 1)
print('ready', flush=True)
os.read(0, 1)
def w():
    for i in range(1000): os.write(f, b'x')
ts = [threading.Thread(target=w) for _ in range(4)]
[x.start() for x in ts]; [x.join() for x in ts]
print(subprocess.run(['/bin/echo', 'done'], capture_output=True).stdout.decode().strip())
"""),
}
WRITES = {"go": 16000, "rustc": 8000, "node": 5000, "javac": 5000, "luajit": 20000, "python3": 4000}


def command_of(t, tool):
    path = need_tool(tool)
    name, text = SOURCES[tool]
    src = t.path(name)
    with open(src, "w") as f:
        f.write(text)
    if tool == "go":
        env = dict(os.environ, GO111MODULE="off", GOCACHE=t.path("cache"), GOPATH=t.path("go"))
        t.run([path, "build", "-o", t.path("prog"), src], timeout=100, env=env, user=False)
        return [t.path("prog")]
    if tool == "rustc":
        t.run([path, "-O", "-o", t.path("prog"), src], timeout=100, user=False)
        return [t.path("prog")]
    if tool == "javac":
        t.run([path, "-d", t.dir, src], timeout=60, user=False)
        return [need_tool("java"), "-cp", t.dir, "H"]
    return [path, src]


def add_language(tool):
    def body(t):
        need_recorder(t)
        argv = command_of(t, tool)
        if not shutil.which(argv[0]) and not os.path.exists(argv[0]):
            raise Skip("%s cannot build here" % tool)
        plain = t.run(argv, timeout=60)
        eq(plain.status, 0, "status untraced")
        r = t.iotrace(["--trace=%io"], argv, timeout=60)
        eq(r.out, plain.out, "output")
        check_language(tool, r)
        r = attached(t, argv)
        eq(r.out, plain.out, "output, attached to")
        check_language(tool, r)
    test(body, "language %s" % tool, timeout=180)


def check_language(tool, r):
    ways = check_ways(r)
    check(returned(r.json, "write") >= WRITES[tool], "writes: %d" % returned(r.json, "write"))
    check(ways["calls_recorded_in_process"] >= WRITES[tool] // 2,
          "only %d recorded: %r" % (ways["calls_recorded_in_process"], ways["unpatched_sites"]))


def attached(t, argv):
    """Attached to once it is there, until its end."""
    p = t.start(argv, stdin=subprocess.PIPE)
    eq(p.stdout.readline(), b"ready\n", "the target")
    tracer = t.start([t.binary, "-q", "--json", t.path("attached.json"), "--trace=%io", "-p", str(p.pid)])
    wait_until_traced(tracer, p.pid)
    out, _ = p.communicate(b"x", timeout=60)
    eq(p.returncode, 0, "its status, attached to")
    r = t.finish(tracer, timeout=60)
    eq(r.status, 0, "iotrace: " + r.err)
    with open(t.path("attached.json")) as f:
        return types.SimpleNamespace(out="ready\n" + out.decode(), json=json.load(f))


for _tool in SOURCES:
    add_language(_tool)

if __name__ == "__main__":
    only_from(__name__)
    main()
