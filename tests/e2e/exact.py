#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""The targets' known counts, call by call, in every variant that could be built and in four ways:
by stops, and recorded inside the target from its first call on, by a filter, by dispatch, and (one variant)
without times.

The expectations are rows of CASES. What the loader and libc do is taken off by a run of the same
program's case "none". EXACT_ORACLE=strace checks the rows themselves: strace counts instead of
iotrace (but for what strace cannot say: batches and bytes). EXACT_SELECT=quick runs one variant.
What the two modes say of each fd must be equal.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import fdrows
import recorder
import stracelog
from tap import Failure, Skip, check, eq, main, need_tool, only_from, test

KB = 1024
ALL = ("", "m32", "static", "musl", "musl-static")
QUICK = ("",) if os.environ.get("EXACT_SELECT") == "quick" else None
BY_STRACE = os.environ.get("EXACT_ORACLE") == "strace"


def call(ok=0, err=None, interrupted=0, no_return=0, **figures):
    """A row of one system call. figures: asked, moved ({units: calls}), asked_bytes, bytes,
    full, partial, single, empty, datagrams (asked, moved), unit. None: any number; (): no figure."""
    return dict(ok=ok, errno=err or {}, interrupted=interrupted, no_return=no_return, **figures)


class Case:
    def __init__(self, args, variants=("", "m32"), status=0, processes=None, threads=None,
                 fds=None, strace=True, readable=True, recorded=True, racy=(),
                 trace="all", **calls):
        self.args, self.variants, self.status = args.split(), variants, status
        self.processes, self.threads, self.fds = processes, threads, fds
        self.strace, self.readable, self.calls = strace, readable, calls
        # recorded: some calls go through the recorder; racy: calls whose number by fd may differ
        self.recorded, self.racy, self.trace = recorded, racy, trace


def work(n, **kw):
    """n calls of pwrite64, 1 byte each."""
    return call(ok=n, bytes=n, **kw)


# fds turns 60: calls on each of the files
TURNS = [2 + i % 7 for i in range(60)]

CASES = [
    # ---- batches of messages
    Case("mmsg batches 10 32", variants=ALL,
         sendmmsg=call(10, asked={32: 10}, moved={32: 10}, bytes=3200, full=10, partial=0, unit="messages"),
         recvmmsg=call(10, {"EAGAIN": 1}, asked={64: 11}, moved={32: 10}, bytes=3200, full=0, partial=10,
                       empty=1, single=0, unit="messages")),
    Case("mmsg batches 3 1",
         sendmmsg=call(3, asked={1: 3}, moved={1: 3}, bytes=30, single=3, full=3),
         recvmmsg=call(3, {"EAGAIN": 1}, asked={64: 4}, moved={1: 3}, bytes=30, single=3)),
    Case("mmsg cap", sendmmsg=call(1, asked={1500: 1}, moved={1024: 1}, bytes=1024, partial=1)),
    Case("mmsg bad", sendmmsg=call(1, {"EFAULT": 2, "EBADF": 1}, asked={5: 2, 3: 2}, moved={2: 1},
                                   bytes=16, partial=1)),
    Case("mmsg zero", sendmmsg=call(1, asked={0: 1}, moved={0: 1}, bytes=0, empty=1),
         recvmmsg=call(1, asked={0: 1}, moved={0: 1}, bytes=0, empty=1)),
    Case("mmsg recv1500", recvmmsg=call(1, asked={1500: 1}, moved={1500: 1}, bytes=1500, full=1),
         sendto=call(1500, bytes=1500)),
    Case("mmsg waitforone", sendmmsg=call(1, asked={5: 1}, moved={5: 1}, bytes=50),
         recvmmsg=call(1, asked={10: 1}, moved={5: 1}, bytes=50)),
    Case("mmsg trunc", sendmmsg=call(1, asked={2: 1}, moved={2: 1}, bytes=6),
         recvmmsg=call(2, asked={1: 2}, moved={1: 2}, bytes=5)),
    Case("mmsg timeout", recvmmsg=call(1, asked={2: 1}, moved={1: 1}, bytes=1)),
    # ---- bytes
    Case("iov plain", variants=ALL,
         write=call(3, {"EAGAIN": 1, "EBADF": 1, "EFAULT": 1}, asked_bytes=5117, bytes=4196),
         read=call(1, {"EAGAIN": 1, "EBADF": 1}, asked_bytes=5010, bytes=4096)),
    Case("iov vectors", variants=ALL,
         writev=call(2, {"EINVAL": 1, "EFAULT": 1}, asked={4: 1, 0: 1, 1025: 1, 2: 1}, bytes=321, unit="iovecs"),
         readv=call(1, asked={4: 1}, bytes=321, asked_bytes=321)),
    Case("iov offsets", pwrite64=call(2, bytes=1001, asked_bytes=1001),
         pread64=call(3, bytes=2001, asked_bytes=6000),
         pwritev=call(1, asked={3: 1}, bytes=321), preadv=call(1, {"EBADF": 1}, asked={2: 2}, bytes=21),
         pwritev2=call(1, asked={2: 1}, bytes=21), preadv2=call(1, asked={3: 1}, bytes=321)),
    Case("iov copies", sendfile=call(2, bytes=3000, asked_bytes=8000),
         splice=call(1, {"EBADF": 1}, bytes=500, asked_bytes=510), tee=call(1, bytes=100),
         vmsplice=call(1, bytes=321), copy_file_range=call(2, bytes=2000, asked_bytes=4000)),
    Case("iov loop 3000", variants=ALL, write=call(3000, bytes=3000, asked_bytes=3000)),
    Case("iov rare 20000", trace="write", write=call(20, bytes=20)),
    Case("sock single", sendto=call(4, {"EBADF": 1}, bytes=200, asked_bytes=250),
         recvfrom=call(4, {"EAGAIN": 1}, bytes=200, asked_bytes=500),
         sendmsg=call(3, {"EFAULT": 1}, bytes=900), recvmsg=call(3, bytes=900, asked_bytes=1200)),
    Case("sock gso_cmsg", sendmsg=call(2, bytes=1950, datagrams=(10, 10)),
         sendmmsg=call(1, asked={3: 1}, moved={3: 1}, bytes=3000, datagrams=(15, 15))),
    Case("sock gso_option", write=call(1, bytes=1000, datagrams=(10, 10)),
         sendto=call(1, bytes=250, datagrams=(3, 3)), sendmsg=call(1, bytes=500, datagrams=(5, 5)),
         sendmmsg=call(1, bytes=600, asked={2: 1}, datagrams=(6, 6))),
    Case("sock gro", sendto=call(2, bytes=2000, datagrams=(20, 20)),
         recvmsg=call(1, bytes=1000, datagrams=(None, 10)),
         recvmmsg=call(1, bytes=1000, asked={1: 1}, moved={1: 1}, datagrams=(None, 10))),
    # ---- waiting, submissions
    Case("wait epoll", epoll_wait=call(3, {"EINVAL": 1}, asked={16: 2, 3: 1, 0: 1}, moved={5: 1, 3: 1, 0: 1},
                                       unit="events", empty=1, full=1),
         epoll_pwait=call(2, asked={8: 2}, moved={5: 1, 0: 1}),
         epoll_pwait2=call(1, asked={5: 1}, moved={5: 1})),
    Case("wait poll", poll=call(2), ppoll=call(1), select=call(1), pselect6=call(1)),
    Case("aio aio", io_submit=call(2, {"EBADF": 1}, asked={4: 1, 3: 1, 1: 1}, moved={4: 1, 1: 1}, unit="submissions"),
         io_getevents=call(3, asked={8: 3}, moved={4: 1, 1: 1, 0: 1}, unit="events"),
         io_pgetevents=call(1, asked={8: 1}, moved={0: 1})),
    Case("aio uring", io_uring_enter=call(3, {"EBADF": 1}, asked={3: 1, 5: 1, 0: 1, 1: 1},
                                          moved={3: 1, 2: 1, 0: 1}, unit="submissions")),
    # ---- mappings
    Case("maps kinds", mmap=call(5, {"EBADF": 1}, bytes=264 * KB, asked_bytes=268 * KB),
         munmap=call(3, {"EINVAL": 1}, bytes=136 * KB, asked_bytes=136 * KB + 1),
         madvise=call(1, {"EINVAL": 1}, bytes=32 * KB, asked_bytes=64 * KB)),
    Case("maps mremap", mmap=call(1, bytes=16 * KB), mremap=call(2), munmap=call(1, bytes=8 * KB)),
    Case("maps brk", brk=call(3)),
    Case("maps fixed", mmap=call(2, bytes=64 * KB), munmap=call(1, bytes=48 * KB)),
    # ---- processes and threads
    Case("proc threads 8 500", variants=ALL, pwrite64=work(4000), processes=1, threads=9),
    Case("proc threads 100 20", pwrite64=work(2000), processes=1, threads=101),
    Case("proc leader_exit", variants=ALL, pwrite64=work(15), processes=1, threads=2),
    Case("proc fork 20", variants=ALL, pwrite64=work(201), processes=21, threads=21),
    Case("proc chain 10", pwrite64=work(11), processes=11),
    Case("proc many 20", pwrite64=work(200), processes=21, threads=61),
    Case("proc vfork 10", variants=ALL, pwrite64=work(11), processes=11),
    Case("proc clone_vm 5", variants=ALL, pwrite64=work(51), processes=6),
    Case("proc clone3 6", pwrite64=work(61), processes=7),
    # strace does not clear the flag, and misses the child
    Case("proc untraced", pwrite64=work(11), strace=False),
    Case("proc spawn 5", variants=ALL, pwrite64=work(35), execve=call(5), processes=6),
    Case("proc execthread 4", variants=ALL, pwrite64=work(17), execve=call(4),
         recvfrom=call(no_return=8), processes=1),
    Case("proc orphan", variants=ALL, pwrite64=work(21), processes=2),
    Case("proc kill_self 4", variants=ALL, status=137, pwrite64=work(5), recvfrom=call(no_return=4),
         kill=call(no_return=1)),
    Case("proc killed 4", pwrite64=work(6), recvfrom=call(no_return=5), kill=call(1)),
    # ---- signals, stops, restarts
    Case("sig storm 200", variants=ALL, recvfrom=call(interrupted=200)),
    Case("sig storm_restart 200", variants=ALL, racy={"recvfrom"}, recvfrom=call(1, interrupted=None, bytes=1), sendto=call(1)),
    Case("sig storm_epoll 30", epoll_wait=call(0, {"EINTR": 30}, moved={}, asked={1: 30})),
    Case("sig storm_work 2000", variants=ALL, pwrite64=work(2000)),
    Case("sig restart", poll=call(1, interrupted=1), nanosleep=call(1, interrupted=1),
         restart_syscall=call()),
    Case("sig stop_kill", poll=call(interrupted=1)),
    Case("sig faulting 100", mprotect=call(200)),
    # ---- sandboxes
    Case("sandbox errno", pwrite64=call(5, {"EPERM": 5}, bytes=5)),
    Case("sandbox prctl", pwrite64=call(0, {"EPERM": 5})),
    Case("sandbox allow", pwrite64=work(5)),
    Case("sandbox notify", pwrite64=call(0, {"EACCES": 5})),
    Case("sandbox tsync", racy={"recvfrom"}, pwrite64=call(0, {"EPERM": 20})),
    Case("sandbox inherit", pwrite64=call(0, {"EPERM": 5})),
    # without privileges no tracer can read this one's memory
    Case("sandbox dumpable", readable=False, pwrite64=work(5), sendmmsg=call(2, asked={3: 2}, moved={3: 2})),
    Case("sandbox drop_user", pwrite64=work(5), sendmmsg=call(2, asked={3: 2}, moved={3: 2})),
    Case("sandbox namespaces", variants=ALL, pwrite64=work(10), processes=3),
    Case("sandbox userns", variants=ALL, pwrite64=work(10), processes=3),
    # ---- other ways into the kernel
    Case("abi int80", variants=("", "m32", "static"), write=call(11, {"EBADF": 1}, bytes=33, asked_bytes=36)),
    Case("abi socketcall", variants=("", "m32"),
         sendmmsg=call(1, asked={4: 1}, moved={4: 1}, bytes=20), sendto=call(1, bytes=7)),
    Case("abi old_mmap", mmap=call(2, bytes=4096 + 8192), munmap=call(1, bytes=8192)),
    Case("abi time64", variants=("m32",), recvmmsg=call(1, asked={8: 1}, moved={2: 1}, bytes=5)),
    # ---- fds: calls on each file that had the number 100
    Case("fds reuse", pwrite64=work(10), fds=[2, 3, 5]),
    Case("fds turns 60", pwrite64=work(sum(TURNS)), fds=TURNS),
    Case("fds turns 60 1", pwrite64=work(sum(TURNS)), fds=TURNS),
    Case("fds turns 700 2", pwrite64=work(100 * 35), fds=[2 + i % 7 for i in range(700)]),
    Case("fds over", pwrite64=work(6), fds=[2, 4]),
    Case("fds range", pwrite64=work(3), fds=[1, 2]),
    Case("fds forked", pwrite64=work(12), fds=[5, 7]),
    Case("fds exec", pwrite64=work(5), fds=[2, 3]),
    Case("fds passed", pwrite64=work(6)),
    Case("fds failed", pwrite64=work(10), fds=[5, 4]),
    # ---- the same where calls that close are not traced, and socket options
    Case("fds reuse", trace="pwrite64", pwrite64=work(10), fds=[2, 3, 5]),
    Case("fds turns 60", trace="pwrite64", pwrite64=work(sum(TURNS)), fds=TURNS),
    Case("fds forked", trace="pwrite64", pwrite64=work(12), fds=[5, 7]),
    Case("fds exec", trace="pwrite64", pwrite64=work(5), fds=[2, 3]),
    Case("fds failed", trace="pwrite64", pwrite64=work(10), fds=[5, 4]),
    Case("proc spawn 5", trace="pwrite64", variants=ALL, pwrite64=work(35), processes=6),
    Case("fds options", trace="sendto", sendto=call(14, datagrams=(77, 77))),
    Case("fds swapped", recvfrom=call(1, datagrams=())),
    Case("fds swapped 1", recvfrom=call(1, datagrams=(None, None))),
    # ---- threads with tables of their own
    Case("fds made"),
    Case("fds made", trace="read"),
    Case("fds alone", pwrite64=work(10), fds=[6, 4]),
    Case("fds alone", trace="pwrite64", pwrite64=work(10), fds=[6, 4]),
    Case("fds twins", sendto=call(5, datagrams=(50, 50))),
    Case("fds twins", trace="sendto", sendto=call(5, datagrams=(50, 50))),
    Case("fds tables", variants=ALL, pwrite64=work(28), fds=[8, 3, 4, 3, 4, 6], threads=3),
    Case("fds tables", trace="pwrite64", pwrite64=work(28), fds=[8, 3, 4, 3, 4, 6]),
    # ---- a socket of another process cuts what it sends, too; passing it is 1 datagram
    Case("fds rights 10", variants=ALL, sendto=call(30, datagrams=(165, 165)),
         sendmmsg=call(10, datagrams=(60, 60)), sendmsg=call(20, datagrams=(30, 30))),
    Case("fds rights 10", trace="sendto,sendmsg,sendmmsg,recvmsg,recvmmsg", sendto=call(30, datagrams=(165, 165)),
         sendmmsg=call(10, datagrams=(60, 60)), sendmsg=call(20, datagrams=(30, 30))),
    Case("fds stolen 10", sendto=call(30, datagrams=(165, 165)),
         sendmmsg=call(10, datagrams=(60, 60)), sendmsg=call(10, datagrams=(20, 20))),
    Case("fds stolen 10", trace="sendto,sendmsg,sendmmsg,recvmsg,recvmmsg", sendto=call(30, datagrams=(165, 165)),
         sendmmsg=call(10, datagrams=(60, 60)), sendmsg=call(10, datagrams=(20, 20))),
]

FD = 100
OWN_FILTER = {"errno", "prctl", "notify", "tsync", "inherit"}
MODES = ("ptrace",) if BY_STRACE else tuple(recorder.WAYS)
baselines = {}
fds_by_stops = {}


def measure(t, case, variant, mode, args, status):
    """The calls of one run as {name: row of call()}, and the result JSON (None by strace)."""
    program = [t.target(case.args[0], variant)] + args
    if BY_STRACE:
        need_tool("strace")
        log = t.path("strace.log")
        r = t.run(["strace", "-f", "-qq", "-s", "0", "-o", log] + program)
        if r.status == 77:
            raise Skip("not possible here: " + r.err.strip())
        eq(r.status, status, "status under strace (%s)" % r.err)
        return {n: dict(ok=c.ok, errno=dict(c.errno), interrupted=c.interrupted, no_return=c.no_return)
                for n, c in stracelog.read(log).calls.items()}, None
    r = t.iotrace(recorder.WAYS[mode] + ["--trace=" + case.trace], program, status=status, env=recorder.AT_ONCE)
    return {row["name"]: figures(row) for row in r.json["syscalls"]}, r


def figures(row):
    eq(row["calls"], row["ok"] + row["errors"] + row["interrupted"] + row["no_return"],
       row["name"] + ": the sum of calls")
    eq(row["errors"], sum(row["errno"].values()), row["name"] + ": the sum of errno")
    if row["name"] in ("sendmmsg", "recvmmsg"):
        eq(row["bytes"]["asked"], None, row["name"] + ": bytes asked")
    f = dict(ok=row["ok"], errno=row["errno"], interrupted=row["interrupted"], no_return=row["no_return"])
    if row["bytes"]:
        f["asked_bytes"], f["bytes"] = row["bytes"]["asked"], row["bytes"]["transferred"]
    b = row["batch"]
    if b:
        f["asked"] = {int(k): v for k, v in b["asked_histogram"].items()}
        f["moved"] = {int(k): v for k, v in b["transferred_histogram"].items()}
        f.update((k, b[k]) for k in ("full", "partial", "single", "empty", "unit"))
        eq(sum(k * v for k, v in f["moved"].items()), b["transferred"], row["name"] + ": the histogram's sum")
    if row["datagrams"]:
        f["datagrams"] = (row["datagrams"]["asked"], row["datagrams"]["transferred"])
    return f


def less(value, base):
    """value without what the baseline has."""
    if isinstance(value, dict):
        base = base or {}
        return {k: v - base.get(k, 0) for k, v in value.items() if v != base.get(k, 0)}
    if isinstance(value, int):
        return value - (base or 0)
    return value


def compare(name, want, have, base):
    for key, expected in want.items():
        if expected is None:
            continue
        if expected == (): # it is not to be there
            eq(have.get(key), None, "%s %s" % (name, key))
            continue
        zero = {} if isinstance(expected, dict) else 0 if isinstance(expected, int) else None
        if key not in have and key not in ("ok", "errno", "interrupted", "no_return"):
            if BY_STRACE:
                continue
            if have:
                raise Failure("%s: no figure for %s" % (name, key))
        got = less(have.get(key, zero), base.get(key))
        if isinstance(expected, tuple):
            got = tuple(None if e is None else g for e, g in zip(expected, got or ()))
        eq(got, expected, "%s %s" % (name, key))


def run_case(t, case, variant, mode):
    if BY_STRACE and not case.strace:
        raise Skip("strace does not see it")
    if mode != "ptrace":
        recorder.need_recorder(t, *recorder.WAYS[mode])
    key = (case.args[0], case.trace, variant, mode)
    if key not in baselines:
        baselines[key] = measure(t, case, variant, mode, ["none"], 0)[0]
    have, r = measure(t, case, variant, mode, case.args[1:], case.status)
    for name, want in case.calls.items():
        base = baselines[key].get(name, {})
        if name == "execve" and "spawn" in case.args or "execthread" in case.args:
            base = base if name in ("execve", "pwrite64") else {}
        compare(name, want, have.get(name, {}), base)
    if r is not None:
        check_result(case, r)
        check_fds(t, case, variant, mode, r)
        check_mode(case, variant, mode, r)


def check_result(case, r):
    codes = {w["code"] for w in r.json["warnings"]}
    check(r.json["complete"] or (not case.readable and "memory_unreadable" in codes),
          "complete: %r" % r.json["warnings"])
    check("own_filter" not in codes or case.args[1] in OWN_FILTER, "warnings: %r" % r.json["warnings"])
    if case.processes is not None:
        eq(r.json["processes"], case.processes, "processes")
    if case.threads is not None:
        eq(r.json["threads_total"], case.threads, "threads_total")
    keys = [(x["pid"], x["fd"], x["generation"]) for x in r.json["fds"]]
    eq(len(keys), len(set(keys)), "rows of fds and their keys")
    if case.fds is not None:
        rows = [(x["generation"], c["calls"]) for x in r.json["fds"] if x["fd"] == FD
                for c in x["syscalls"] if c["name"] == "pwrite64"]
        eq(sorted(c for _, c in rows), sorted(case.fds), "calls by file at number 100: %r" % rows)
    threads_add_up(r.json)


def check_fds(t, case, variant, mode, r):
    """The stops saw the same files, each with the same calls."""
    key = (tuple(case.args), case.trace, variant)

    def rows(result):
        # What stops cannot look at (memory, files) the target itself records.
        return fdrows.by_process(result, case.racy, fdrows.FIGURES if case.readable else fdrows.COUNTS,
                                 targets=case.readable)

    if mode == "ptrace":
        fds_by_stops[key] = rows(r.json)
        return
    if key not in fds_by_stops: # this test was chosen alone
        _, by_stops = measure(t, case, variant, "ptrace", case.args[1:], case.status)
        fds_by_stops[key] = rows(by_stops.json)
    differ = fdrows.difference(fds_by_stops[key], rows(r.json))
    check(not differ, "fds by stops (here) and recorded (there):\n" + differ)


def check_mode(case, variant, mode, r):
    """Without this the calls could all have been stopped, and the test would prove nothing."""
    recorded = recorder.check_ways(r, complete=False)["calls_recorded_in_process"]
    eq(r.json["tracer"]["trap"], {"ptrace": None, "auto": "filter"}.get(mode, "dispatch"), "the trap")
    if mode == "ptrace":
        eq(recorded, 0, "calls recorded by stops")
    elif variant == "m32": # there is no stub for 32 bit
        eq(recorded, 0, "calls recorded of 32 bit")
    elif mode in ("dispatch", "no-times") and "vfork" in case.args: # a signal before each call lifts it, so each has one stop
        check(recorded + r.json["tracer"]["calls_redirected"] > 0, "nothing was led: %r" % r.json["tracer"])
    elif case.recorded:
        check(recorded > 0, "nothing was recorded: %r" % r.json["tracer"])


def threads_add_up(result):
    """The rows by thread are the rows by call, cut another way."""
    for row in result["syscalls"]:
        parts = [c for th in result["threads"] for c in th["syscalls"] if c["name"] == row["name"]]
        eq(sum(c["calls"] for c in parts), row["calls"], row["name"] + ": calls of all threads")
        eq(sum(c["errors"] for c in parts), row["errors"], row["name"] + ": errors of all threads")


def register(case, variant, mode):
    test(lambda t: run_case(t, case, variant, mode),
         name=" ".join(case.args + ["of " + case.trace] * (case.trace != "all") + ["(%s)" % variant] * bool(variant)
                       + [mode] * (mode != "ptrace")))


only_from(__name__)
for m in MODES:
    for c in CASES:
        for v in QUICK or c.variants:
            if v in c.variants and (m != "no-times" or not v):
                register(c, v, m)

if __name__ == "__main__":
    main()
