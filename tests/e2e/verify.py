#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""iotrace --verify: the modes and the kernel count the same program."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, eq, main, need_root, test


def verify(t, argv, options=()):
    return t.run([t.binary, "--verify", *options, "--", *argv], timeout=60)


@test
def a_program_that_does_the_same_each_time(t):
    r = verify(t, [t.target("iov"), "none"])
    eq(r.status, 0, "status of %s" % r)
    check("auto and ptrace agree on all" in r.out, "the last line says so: %s" % r)


@test
def the_kernel_agrees(t):
    need_root()
    r = verify(t, [t.target("rec_life"), "children", "9"], ["--trace=all"])
    eq(r.status, 0, "status of %s" % r)
    check("and so does the kernel" in r.out or "The kernel did not count" in r.out, str(r))


@test
def many_calls_are_recorded(t):
    r = verify(t, [t.target("rec_life"), "threads", "40"], ["--trace=write"])
    eq(r.status, 0, "status of %s" % r)
    row = [line for line in r.out.splitlines() if line.startswith("write ")][0].split()
    eq(row[1], row[2], "writes by stops and recorded")


@test
def a_program_that_differs_by_itself(t):
    """It writes as often as its process id says: no two runs are the same."""
    r = verify(t, ["/bin/sh", "-c", "i=0; while [ $i -lt $(($$ % 97)) ]; do echo x; i=$((i+1)); done"],
               ["--trace=write"])
    eq(r.status, 3, "status of %s" % r)


@test
def a_program_that_is_not_there(t):
    r = verify(t, ["/nonexistent/program"])
    eq(r.status, 125, "status")
    check("127" in r.err and len(r.err.splitlines()) == 1, "one line with the status: %s" % r.err)


@test
def not_for_a_running_process(t):
    r = t.run([t.binary, "--verify", "-p", "1"])
    eq(r.status, 2, "status")


if __name__ == "__main__":
    main()
