#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Where the processes of a started tree run: on the tracer's CPU while one runs at a time, and nobody notices."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import Skip, check, eq, main, need_tool, test

MASK = "grep Cpus_allowed: /proc/self/status"


def need_two_cpus():
    if len(os.sched_getaffinity(0)) < 2:
        raise Skip("one CPU only")


def ours():
    """As MASK has it."""
    with open("/proc/self/status") as f:
        return next(x.split()[1] for x in f if x.startswith("Cpus_allowed:"))


def traced(t, *argv):
    r = t.run([t.binary, "-q", "--", *argv])
    eq(r.status, 0, "status (%s)" % r.err)
    return r.out


def python(t, code):
    return traced(t, need_tool("/usr/bin/python3"), "-S", "-c", code).split()


def bits(mask):
    return bin(int(mask.replace(",", ""), 16)).count("1")


@test
def one_after_the_other_shares_the_cpu(t):
    """What it is about: a shell and those it waits for. The last ones come after a pipeline, which parts them."""
    need_two_cpus()
    masks = [x.split()[1] for x in traced(t, "sh", "-c", MASK + "; " + MASK + "; sh -c '" + MASK + "; true'; true | true; "
                                          + "for i in 1 2 3 4 5; do /bin/true; done; " + MASK).splitlines()]
    eq(len(masks), 4, "processes that say so")
    eq([bits(m) for m in masks], [1] * 4, "CPUs")


@test
def two_at_a_time_have_their_own(t):
    """The second child, while the first one lives: it waits for the second, not for time."""
    need_two_cpus()
    out = traced(t, "sh", "-c", "mkfifo '%s'; cat '%s' & %s; echo >'%s'; wait" % (*[t.path("f")] * 2, MASK, t.path("f")))
    eq(out.split()[1], ours(), "mask")


@test
def who_asks_gets_the_own_mask(t):
    """In a grandchild, of itself and of the one above; what it then sets stays, also of its child, and is nobody else's."""
    need_two_cpus()
    out = python(t, """
import os
me = os.getpid()
def child(f):
    if os.fork() == 0:
        f()
        os._exit(0)
    os.wait()
def mask(pid=0):
    print(",".join(map(str, sorted(os.sched_getaffinity(pid)))), flush=True)
def of_all():
    mask(); mask(me); mask(os.getppid())
def sets():
    os.sched_setaffinity(0, [min(os.sched_getaffinity(0))])
    child(mask)
    child(lambda: child(mask))
child(lambda: child(of_all))
for i in range(20): # together again
    child(lambda: None)
child(of_all)
child(sets)
child(mask)
mask()
""")
    own = sorted(os.sched_getaffinity(0))
    whole = ",".join(map(str, own))
    eq(out, [whole] * 6 + [str(own[0])] * 2 + [whole] * 2, "masks")


@test
def threads_have_their_own(t):
    need_two_cpus()
    masks = python(t, """
import os, threading
def say():
    with open("/proc/thread-self/status") as f: print(next(x.split()[1] for x in f if x.startswith("Cpus_allowed:")), flush=True)
def child():
    if os.fork() == 0:
        go = threading.Event()
        a = threading.Thread(target=go.wait)
        a.start(); say()
        b = threading.Thread(target=say)
        b.start(); b.join()
        go.set(); a.join()
        os._exit(0)
    os.wait()
child()
""")
    eq(masks, [ours()] * 2, "masks")


@test
def a_parent_that_goes_on_is_found(t):
    """Parent and child compute, neither makes a call: they must not share one CPU for long. A look of the child's own
    is a stop, and six in a row are what it takes; it looks four times, unless it is found before."""
    need_two_cpus()
    masks = python(t, """
import mmap, os, time
done = mmap.mmap(-1, 4096)
whole = "%s"
for i in range(20): # python itself has parted them: it makes many calls
    if os.fork() == 0: os._exit(0)
    os.wait()
def say():
    with open("/proc/self/status") as f: mask = next(x.split()[1] for x in f if x.startswith("Cpus_allowed:"))
    print(mask, flush=True)
    return mask
if os.fork() == 0:
    for i in range(4):
        mask = say()
        if mask == whole: break
        end = time.monotonic() + 1
        while time.monotonic() < end: pass
    done[0] = 1
    os._exit(0)
while not done[0]: pass
os.wait()
say()
""" % ours())
    eq(masks[-2:], [ours()] * 2, "masks of the child after it has computed, and of the parent")


main()
