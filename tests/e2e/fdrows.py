# SPDX-License-Identifier: GPL-3.0-only
"""The fds[] of a result so that those of two runs can be compared: what a run chooses anew (process
ids, inode numbers, ports, names of temporary files) is left out."""
import collections
import re

PASSING = ((re.compile(r"\[\d+\]"), "[N]"), (re.compile(r":\d+\b"), ":N"),
           (re.compile(r"/proc/\d+"), "/proc/N"), (re.compile(r"/tmp/\S+"), "/tmp/N"),
           (re.compile(r"(\.|-)[A-Za-z0-9]{6}\b"), ".N"))


def plain(target):
    for pattern, text in PASSING:
        target = pattern.sub(text, target) if target else target
    return target


def by_process(result, leave_out=(), figures=("calls", "errors", "bytes", "batch_asked", "batch_transferred")):
    """-> Counter of processes, each a tuple of rows (fd, generation, target, ((call, figures), ...))."""
    processes = collections.defaultdict(list)
    for row in result["fds"]:
        calls = tuple(sorted((c["name"],) + tuple(c[f] for f in figures)
                             for c in row["syscalls"] if c["name"] not in leave_out))
        if calls:
            processes[row["pid"]].append((row["fd"], row["generation"], plain(row["target"]), calls))
    return collections.Counter(tuple(sorted(rows, key=repr)) for rows in processes.values())


def difference(one, other):
    """What processes have on one side only, as text; empty where they are equal."""
    left, right = one - other, other - one
    rows = [collections.Counter(r for p in side.elements() for r in p) for side in (left, right)]
    return "\n".join(["only here:  %r" % (r,) for r in sorted(rows[0] - rows[1], key=repr)]
                     + ["only there: %r" % (r,) for r in sorted(rows[1] - rows[0], key=repr)])
