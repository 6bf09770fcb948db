# SPDX-License-Identifier: GPL-3.0-only
"""Reads `strace -f -o FILE` independently of iotrace and counts by the same rules (docs/RESULT_SCHEMA.md).

    calls = count("FILE")          {"write": Call, ...}
"""
import collections
import re

PID = re.compile(r"^(\d+) +")
RESUMED = re.compile(r"^<\.\.\. ([a-z_0-9]+) resumed>(.*)$")
ENTERED = re.compile(r"^([a-z_][a-z0-9_]*)\((.*)$")
RESUMING = re.compile(r"<\.\.\. resuming interrupted (\w+) \.\.\.>")
CHANGED = re.compile(r" <pid changed to (\d+) \.\.\.>$")
SUPERSEDED = re.compile(r"^\+\+\+ superseded by execve in pid (\d+) \+\+\+$")
RESULT = re.compile(r"\) *= (\?|-?\d+|0x[0-9a-f]+)(?:<.*>(?:\(deleted\))?)?(?: ([A-Z][A-Z0-9_]+))?(?: \(.*\))?$")

# 32-bit names that are not the 64-bit one plus a suffix.
OTHER_NAMES = {"mmap2": "mmap", "old_mmap": "mmap", "_newselect": "select", "_llseek": "lseek",
               "fcntl64": "fcntl", "ugetrlimit": "getrlimit", "send": "sendto", "recv": "recvfrom",
               "fstatat64": "newfstatat", "waitpid": "wait4", "sendfile64": "sendfile",
               "statfs64": "statfs", "fstatfs64": "fstatfs", "semtimedop_time64": "semtimedop"}
SUFFIXES = ("_time64", "_time32")


def canonical(name):
    if name in OTHER_NAMES:
        return OTHER_NAMES[name]
    for s in SUFFIXES:
        if name.endswith(s):
            return name[:-len(s)]
    return name


class Call:
    def __init__(self):
        self.calls = self.ok = self.errors = self.interrupted = self.no_return = 0
        self.errno = collections.Counter()
        self.returned = collections.Counter()  # results of ok calls

    def add(self, ret, err):
        self.calls += 1
        if ret is None and err and err.startswith("ERESTART"):
            self.interrupted += 1
        elif ret is None:
            self.no_return += 1
        elif err:
            self.errors += 1
            self.errno[err] += 1
        else:
            self.ok += 1
            self.returned[ret] += 1

    def __repr__(self):
        return "%d calls: %d ok, %d errors %s, %d interrupted, %d without return" % (
            self.calls, self.ok, self.errors, dict(self.errno), self.interrupted, self.no_return)


class Log:
    def __init__(self):
        self.calls = collections.defaultdict(Call)
        self.tids = set()
        self.unparsed = []
        self._open = {}  # tid -> name of the call it is in

    def feed(self, line):
        m = PID.match(line)
        tid, text = (m.group(1), line[m.end():]) if m else ("0", line)
        self.tids.add(tid)
        m = SUPERSEDED.match(text)
        if m:
            self._take_over(tid, m.group(1))
        if text.startswith(("---", "+++")):
            return
        m = RESUMED.match(text)
        if m:
            name = self._open.pop(tid, None) or canonical(m.group(1))
            self._end(tid, name, m.group(2))
            return
        m = ENTERED.match(text)
        if not m:
            self.unparsed.append(line)
            return
        name = canonical(m.group(1))
        if name == "restart_syscall":
            of = RESUMING.search(text)
            name = canonical(of.group(1)) if of else name
        self._end(tid, name, text)

    def _end(self, tid, name, text):
        m = CHANGED.search(text)
        if m:
            self._open[tid] = name
            self._take_over(m.group(1), tid)
            return
        if text.endswith("<unfinished ...>"):
            self._open[tid] = name
            return
        m = RESULT.search(text)
        if not m:
            self.unparsed.append(text)
            return
        ret = None if m.group(1) == "?" else int(m.group(1), 0)
        # "= 0 (Timeout)" has no errno; "= 0x... (flags ...)" neither
        err = m.group(2) if ret is None or ret < 0 else None
        self.calls[name].add(ret, err)

    def _take_over(self, leader, tid):
        """A thread that is not the leader executes: it goes on under the leader's id."""
        name = self._open.pop(tid, None)
        self._lost(leader)
        if name:
            self._open[leader] = name

    def _lost(self, tid):
        name = self._open.pop(tid, None)
        if name:
            self.calls[name].add(None, None)

    def close(self):
        for tid in list(self._open):
            self._lost(tid)


def read(path):
    log = Log()
    with open(path, errors="replace") as f:
        for line in f:
            log.feed(line.rstrip("\n"))
    log.close()
    return log
