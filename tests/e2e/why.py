#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Why batches are not larger, of programs of which it is known (targets/why.c), in both modes."""
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from kernel_facts import wait_until_traced
from recorder import AT_ONCE
from tap import Skip, analyze, check, eq, main, only_from, section, test

only_from("why")

# What is said of a call, by its verdict; each must not be said by any other.
SAID = {
    "arrivals": "limited by arrivals",
    "bursts": "limited by arrivals, not by its limit of 8: 40 of 240 calls were full, and more was there after",
    "limit": "limited by its limit of",
    "met": "limited by its limit or by arrivals",
    "time": "limited by its time limit",
    "kernel": "limited by the kernel, which takes 1,024 a call",
    "buffer": "limited by the buffer behind it",
    "refused": "limited by messages that are refused",
    "refused-buffers": "limited by iovecs that are refused",
    "received": "limited by the caller, who sends what it received",
    "exchanged": "limited by the caller, who gives as many as it receives",
    "made": "limited by the batch that the caller makes",
    "caller": "limited by what the caller has",
    "mixed": "limited by several things",
    "unknown": "limited by something that",
}

# The same in a cell.
CELL = {"arrivals": "arrivals", "bursts": "arrivals", "limit": "its limit", "met": "its limit or arrivals", "time": "its time limit", "kernel": "the kernel's limit", "buffer": "the buffer behind it",
        "refused": "refusals", "refused-buffers": "refusals", "received": "what the caller received", "made": "what the caller gives", "exchanged": "what the caller exchanges",
        "caller": "what the caller gives", "unknown": "something that is not known"}

# case, arguments, call, verdict, the key of limited_by that has at least two thirds (None: none has)
TRUTHS = (
    ("arrivals", [], "recvmmsg", "arrivals", "arrivals"),
    ("fit", [], "recvmmsg", "arrivals", "arrivals"),
    ("bursts", [], "recvmmsg", "bursts", "arrivals"),
    ("all", [], "recvmmsg", "arrivals", "arrivals"),
    ("limit", [], "recvmmsg", "limit", "limit"),
    ("timeout", [], "recvmmsg", "time", "time"),
    ("timeout", ["empty"], "recvmmsg", "arrivals", "arrivals"),
    ("limit", ["first"], "recvmmsg", "limit", "limit"),
    ("half", [], "recvmmsg", "mixed", None),
    ("fit", ["single"], "recvmmsg", "arrivals", "arrivals"),
    ("own", [], "recvmmsg", "arrivals", "arrivals"),
    ("rest", [], "recvmmsg", "limit", "limit"),
    ("error-queue", [], "recvmmsg", "limit", "limit"),
    ("pause", ["poll"], "recvmmsg", "met", "met"),
    ("pause", ["epoll"], "recvmmsg", "met", "met"),
    ("pause", ["sleep"], "recvmmsg", "met", "met"),
    ("lockstep", [], "recvmmsg", "met", "met"),
    ("other-wait", [], "recvmmsg", "met", "met"),
    ("kernel", ["1024"], "sendmmsg", "kernel", "kernel"),
    ("kernel", ["2000"], "sendmmsg", "kernel", "kernel"),
    ("kernel-iovecs", [], "writev", "kernel", "kernel"),
    ("refused", ["retry"], "sendmmsg", "refused", "refused"),
    ("refused", ["skip"], "sendmmsg", "refused", "refused"),
    ("closed-port", [], "sendmmsg", "refused", "refused"),
    ("closed-port", ["flag"], "sendmmsg", "refused", "refused"),
    ("closed-port", ["mode"], "sendmmsg", "refused", "refused"),
    ("closed-port", ["ioctl"], "sendmmsg", "refused", "refused"),
    ("file-limit", [], "writev", "refused-buffers", "refused"),
    ("bad-address", [], "sendmmsg", "refused", "refused"),
    ("buffer", [], "sendmmsg", "buffer", "buffer"),
    ("buffer", ["flag"], "sendmmsg", "buffer", "buffer"),
    ("buffer", ["late"], "sendmmsg", "buffer", "buffer"),
    ("buffer", ["time"], "sendmmsg", "buffer", "buffer"),
    ("dropped", [], "sendmmsg", "unknown", "unknown"),
    ("pipe-full", [], "writev", "buffer", "buffer"),
    ("stream-full", [], "writev", "buffer", "buffer"),
    ("caller", [], "sendmmsg", "made", "caller"),
    ("caller", ["varied"], "sendmmsg", "caller", "caller"),
    ("server", [], "sendmmsg", "received", "received"),
    ("server", ["drop"], "sendmmsg", "received", "received"),
    ("server", ["other"], "sendmmsg", "received", "received"),
    ("server", ["split"], "sendmmsg", "made", "caller"),
    ("server", ["peek"], "sendmmsg", "received", "received"),
    ("server", ["announce"], "sendmmsg", "received", "received"),
    ("client", [], "sendmmsg", "made", "caller"),
    ("client", ["greeted"], "sendmmsg", "made", "caller"),
    ("client", ["doubled"], "sendmmsg", "made", "caller"),
    ("client", [], "recvmmsg", "arrivals", "arrivals"),
    ("turns", [], "sendmmsg", "received", "received"),
    ("turns", [], "recvmmsg", "met", "met"),
    ("turns", ["client"], "sendmmsg", "made", "caller"),
    ("turns", ["client"], "recvmmsg", "arrivals", "arrivals"),
    ("mixed", [], "sendmmsg", "mixed", None),
    ("events", ["32"], "epoll_wait", "limit", "limit"),
    ("events", ["4"], "epoll_wait", "met", "met"),
    ("events", ["2"], "epoll_wait", "arrivals", "arrivals"),
    ("aio", [], "io_getevents", "arrivals", "arrivals"),
)


def the_call(r, name):
    return next(s for s in r.json["syscalls"] if s["name"] == name)


def sum_parts(rows, name):
    total = {}
    for row in rows:
        for part in row["syscalls"]:
            for cause, n in part["limited_by"].items() if part["name"] == name else ():
                total[cause] = total.get(cause, 0) + n
    return total


def says_only(text, call, verdict, where):
    lines = [re.sub(r"\s+", " ", x) for x in re.findall(r"%s(?: is|:) (limited by[^|]*?)\." % call, text, re.S)]
    check(lines, "%s says nothing of %s: %s" % (where, call, text))
    for line in lines:
        check(line.startswith(SAID[verdict]), "%s says of %s: %s" % (where, call, line))


# By stops, what comes so late after a full batch may have come meanwhile, and that is what is said (causes.c).
LATE_US = 100


def late_share(r, call):
    """Of those calls that took something, after how many the next on the descriptor came so late: on a machine that is
    too busy, after most."""
    late, last = [], {}  # by descriptor: when such a call was over
    found = [re.match(r"\d+ (\d+)\.(\d{6}) (\w+)\((\d+)\b.*\) = (-?\d+) .*<(\d+)\.(\d{6})>$", line) for line in r.detail
             if "MSG_ERRQUEUE" not in line]
    for at, name, fd, ret, took in sorted((int(m[1] + m[2]), m[3], m[4], int(m[5]), int(m[6] + m[7])) for m in found if m):
        if fd in last:
            late.append(at - last.pop(fd) > LATE_US)
        if name == call and ret > 0:
            last[fd] = at + took
    return sum(late) / len(late)


def when_calm(run, call):
    """A run in which the program had its CPU: else the next of its calls (None: whenever) comes too late to tell
    whether more was there."""
    for _ in range(5):
        r = run()
        if not call or late_share(r, call) <= 0.3:
            return r
    raise Skip("the machine is too busy to tell a limit")


def truth(case, args, call, verdict, main_cause):
    def run(t):
        for mode in ("auto", "ptrace"):
            r = when_calm(lambda: t.iotrace(["--mode=" + mode, "--detail-trace=%io"], [t.target("why"), case] + args,
                                            env=AT_ONCE), call if main_cause == "limit" else None)
            of = the_call(r, call)["batch"]["limited_by"]
            most = max(of, key=of.get)
            share = of[most] / sum(of.values())
            if main_cause:
                check(most == main_cause and share >= 2 / 3, "%s: %r" % (mode, of))
            else:
                check(share < 2 / 3, "%s: %r" % (mode, of))
            eq(sum_parts(r.json["threads"], call), of, mode + ", by thread")
            if call != "io_getevents":
                eq(sum_parts(r.json["fds"], call), of, mode + ", by fd")
            with open(r.prefix + "-summary.txt") as f:
                says_only(f.read(), call, verdict, mode + ", the summary")
            text = analyze(t, r.prefix + ".json", "--stdout").out
            says_only(section(text, "Batching effectiveness"), call, verdict, mode + ", the analysis")
            says_only(section(text, "Key findings"), call, verdict, mode + ", the findings")
            check("| %s |" % CELL.get(verdict, "") in text or verdict == "mixed", "no cell has it: " + text)
            check(("socket-buffer" in section(text, "Optimization targets")) <= (verdict == "buffer"),
                  "a larger buffer is no target here: " + section(text, "Optimization targets"))
    return run


for row in TRUTHS:
    test(truth(*row), name="-".join([row[0]] + row[1] + [row[2]]))

TAKES = ("recvmmsg", "epoll_wait", "io_getevents")


def without_times(case, args, call, verdict, main_cause):
    """The same is said of calls that give. Of those that take, what got less than it asked for, and had no time limit,
    is for want of more; of the others it is not known whether more was there."""
    def run(t):
        for mode in ("auto", "ptrace"):
            r = t.iotrace(["--mode=" + mode, "--no-times"], [t.target("why"), case] + args, env=AT_ONCE)
            batch = the_call(r, call)["batch"]
            of = batch["limited_by"]
            if call in TAKES:
                eq(set(of) - {"arrivals", "unknown"}, set(), mode + ", causes")
                cut = sum(n for pair, n in batch["asked_to_transferred"].items()
                          if 0 < int(pair.split("->")[1]) < int(pair.split("->")[0]))
                # As many as had been asked of others, or submitted, are all that could come.
                check(of.get("arrivals", 0) == (0 if case == "timeout" else cut) or main_cause == "arrivals",
                      "%s: %r, %d were cut" % (mode, of, cut))
                said = "unknown" if of.get("unknown", 0) >= 2 / 3 * sum(of.values()) else \
                    "arrivals" if of["arrivals"] >= 2 / 3 * sum(of.values()) else "mixed"
                check(said == "unknown" if case == "turns" else said != "arrivals" or main_cause == "arrivals",
                      "%s: %r" % (mode, of))
            else:  # which of two threads came first is not known
                said = "exchanged" if case == "turns" else verdict
            with open(r.prefix + "-summary.txt") as f:
                says_only(f.read(), call, said, mode + ", the summary")
            text = analyze(t, r.prefix + ".json", "--stdout").out
            says_only(section(text, "Batching effectiveness"), call, said, mode + ", the analysis")
            check("| %s |" % CELL.get(said, "") in text or said == "mixed", "no cell has it: " + text)
    return run


for row in TRUTHS:
    test(without_times(*row), name="-".join([row[0]] + row[1] + [row[2], "no-times"]))


@test
def calls_that_could_wait(t):
    """Not with MSG_DONTWAIT, not with O_NONBLOCK; of a call that sends it is not asked."""
    for args, call, waits in ((["arrivals"], "recvmmsg", 0), (["nonblock"], "recvmmsg", 0), (["all"], "recvmmsg", 60),
                              (["caller"], "sendmmsg", None)):
        for mode in ("auto", "ptrace"):
            r = t.iotrace(["--mode=" + mode], [t.target("why")] + args, env=AT_ONCE)
            eq(the_call(r, call)["batch"]["could_wait"], waits, "%s, %s" % (args, mode))


@test
def attached_who_began_is_not_known(t):
    """A server that is attached to sends as many as it receives; a client does, too."""
    p = t.start([t.target("why"), "server", "late"], stdin=subprocess.PIPE)
    eq(p.stdout.readline(), b"ready\n", "the target")
    tracer = t.start([t.binary, "-q", "-o", t.path("a"), "-p", str(p.pid)])
    wait_until_traced(tracer, p.pid)
    p.stdin.write(b"\n")
    p.stdin.close()
    p.stdin = None
    eq((t.finish(p).status, t.finish(tracer).status), (0, 0), "both end well")
    with open(t.path("a-summary.txt")) as f:
        says_only(f.read(), "sendmmsg", "exchanged", "the summary")
    text = analyze(t, t.path("a.json"), "--stdout").out
    says_only(section(text, "Key findings"), "sendmmsg", "exchanged", "the analysis")
    check("| what the caller exchanges |" in text, section(text, "Batching effectiveness"))


if __name__ == "__main__":
    main()
