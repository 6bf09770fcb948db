# SPDX-License-Identifier: GPL-3.0-only
"""The fds[] of a result so that those of two runs can be compared: what a run chooses anew (process
ids, inode numbers, ports, names of temporary files) is left out."""
import collections
import re

PASSING = ((re.compile(r"\[\d+\]"), "[N]"), (re.compile(r":\d+\b"), ":N"),
           (re.compile(r"/proc/\d+(/task/\d+)?"), "/proc/N"), (re.compile(r"/tmp/\S+"), "/tmp/N"),
           (re.compile(r"(\.|-)[A-Za-z0-9]{6}\b"), ".N"),
           # What is closed before a sweep is called what connect() said, without its own address.
           (re.compile(r"^(udp|tcp) \S+ -> "), r"\1 -> "))


def plain(target):
    for pattern, text in PASSING:
        target = pattern.sub(text, target) if target else target
    return target


COUNTS = ("calls", "errors")
FIGURES = COUNTS + ("bytes", "batch_asked", "batch_transferred")


def by_process(result, leave_out=(), figures=FIGURES, targets=True):
    """-> Counter of processes, each a tuple of rows (fd, generation, target, ((call, figures), ...))."""
    processes = collections.defaultdict(list)
    waited = collections.Counter() # generations that are left out, by process and fd
    for row in sorted(result["fds"], key=lambda r: (r["pid"] or 0, r["fd"] or 0, r["generation"] or 0)):
        place = row["pid"], row["fd"]
        if (row["target"] or "").startswith("/proc/"):
            waited[place] += 1 # a target that waits for a state there looks a different number of times
            continue
        calls = tuple(sorted((c["name"],) + tuple(c[f] for f in figures)
                             for c in row["syscalls"] if c["name"] not in leave_out))
        if calls:
            target = plain(row["target"]) if targets else None
            generation = row["generation"] and row["generation"] - waited[place]
            processes[row["pid"]].append((row["fd"], generation, target, calls))
    return collections.Counter(tuple(sorted(rows, key=repr)) for rows in processes.values())


def difference(one, other):
    """What processes have on one side only, as text; empty where they are equal."""
    left, right = one - other, other - one
    rows = [collections.Counter(r for p in side.elements() for r in p) for side in (left, right)]
    return "\n".join(["only here:  %r" % (r,) for r in sorted(rows[0] - rows[1], key=repr)]
                     + ["only there: %r" % (r,) for r in sorted(rows[1] - rows[0], key=repr)])


# ---- the same out of a log of `strace -f -yy` ----

# Calls on the fd in their first argument, as far as strace prints it with its file.
OF_FIRST = {"read", "write", "pread64", "pwrite64", "readv", "writev", "preadv", "pwritev", "close", "sendto",
            "recvfrom", "sendmsg", "recvmsg", "sendmmsg", "recvmmsg", "ftruncate", "fsync", "getdents64", "connect",
            "bind", "listen", "accept", "accept4", "epoll_wait", "epoll_pwait", "shutdown", "getsockname"}
LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?([a-z_0-9]+)(?:\((.*)| resumed>(.*))$")
SHOWN = r"<((?:[^<>]|->|<[^<>]*>)*)>(\(deleted\))?"
FIRST = re.compile(r"^(\d+)" + SHOWN)
RESULT = re.compile(r"\) *= (-?\d+)(?:<.*>(?:\(deleted\))?)?(?: .*)?$")
SECOND = re.compile(r"^\d+(?:" + SHOWN + r")?, (\d+)")
DEVICE = re.compile(r"<(char|block) [0-9:]+>$")
SOCKET = re.compile(r"^(TCP|UDP|UNIX)(?:v6)?(?:-([A-Z]+))?:\[(.*)\]$")


def target_of(shown, more):
    """What strace shows of a file as iotrace says it."""
    m = SOCKET.match(shown)
    if m:
        return "%s %s" % (m.group(1).lower(), m.group(3).replace("->", " -> "))
    return DEVICE.sub("", shown) + (" (deleted)" if more else "")


def comparable(target):
    """None where the two do not say the same of one thing: strace names a socket at each call, and a file
    that is not in the file system in its own way."""
    if target and target.startswith("pipe"):
        return "pipe" # its number is known only while it is open
    return plain(target) if target and target.startswith("/") else None


class Table:
    """Of one process: number -> the file there now, a list of rows by number."""

    def __init__(self, of=None):
        self.now = dict(of.now) if of else {} # number -> name that strace showed
        self.rows = {}                        # number -> [[target, Counter of calls]...]
        self.used = set()                     # numbers whose last row is of the file that is there now

    def call(self, name, fd, shown, more):
        if self.now.get(fd) is None:
            self.used.discard(fd)
        self.now[fd] = shown
        if fd not in self.used:
            self.rows.setdefault(fd, []).append([comparable(target_of(shown, more)), collections.Counter()])
            self.used.add(fd)
        self.rows[fd][-1][1][name] += 1

    def ended(self, fd):
        self.now[fd] = None
        self.used.discard(fd)


class StraceFds:
    def __init__(self, path):
        with open(path, errors="replace") as f:
            self.lines = [m.groups() for m in map(LINE.match, f) if m]
        self.tables, self.open = {}, {}
        self.maker = self._makers()
        for tid, name, args, rest in self.lines:
            if args is not None:
                self._begin(tid, name, args.rstrip("\n"))
            elif tid in self.open:
                name, args = self.open.pop(tid)
                self._end(tid, name, args, rest)

    def _makers(self):
        """Who made whom: (thread, it shares the table)"""
        flags, makers = {}, {}
        for tid, name, args, rest in self.lines:
            if name not in ("clone", "clone3", "fork", "vfork"):
                continue
            if args is not None:
                flags[tid] = args
            m = RESULT.search(args or rest)
            if m:
                makers[m.group(1)] = (tid, "CLONE_FILES" in flags.get(tid, ""))
        return makers

    def _table(self, tid):
        if tid not in self.tables:
            maker, shares = self.maker.get(tid, (None, False))
            of = self._table(maker) if maker else None
            self.tables[tid] = of if shares else Table(of)
        return self.tables[tid]

    def _begin(self, tid, name, args):
        table, m = self._table(tid), FIRST.match(args)
        if name in OF_FIRST and m:
            table.call(name, int(m.group(1)), m.group(2), m.group(3))
        if args.endswith("<unfinished ...>"):
            self.open[tid] = (name, args)
        else:
            self._end(tid, name, args, args)

    def _end(self, tid, name, args, text):
        m = RESULT.search(text.rstrip("\n"))
        ok = m and int(m.group(1)) >= 0
        if name == "close" and ok:
            self._table(tid).ended(int(re.match(r"\d+", args).group()))
        elif name in ("dup2", "dup3") and ok and SECOND.match(args):
            self._table(tid).ended(int(SECOND.match(args).group(3)))

    def processes(self, leave_out=()):
        """-> Counter of processes, each a tuple of rows (fd, targets and calls of its files in order)"""
        tables = {id(t): t for t in self.tables.values()}
        return _processes([{fd: [(target, calls.items()) for target, calls in files]
                            for fd, files in t.rows.items()} for t in tables.values()], leave_out)


def processes(result, leave_out=()):
    """A result in the form of StraceFds.processes()."""
    of = collections.defaultdict(lambda: collections.defaultdict(list))
    for row in sorted(result["fds"], key=lambda r: (r["pid"] or 0, r["fd"] or 0, r["generation"] or 0)):
        calls = [(c["name"], c["calls"]) for c in row["syscalls"]]
        of[row["pid"]][row["fd"]].append((comparable(row["target"]), calls))
    return _processes(of.values(), leave_out)


def _processes(tables, leave_out):
    out = collections.Counter()
    for table in tables:
        rows = []
        for fd in sorted(table):
            files = [(target, tuple(sorted(c for c in calls if c[0] in OF_FIRST and c[0] not in leave_out)))
                     for target, calls in table[fd]]
            files = tuple(f for f in files if f[1])
            if files:
                rows.append((fd, files))
        if rows:
            out[tuple(rows)] += 1
    return out
