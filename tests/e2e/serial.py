#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Where the processes of a started tree run: on the tracer's CPU while one runs at a time, and nobody notices."""
import json
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
    script = MASK + "; " + MASK + "; sh -c '" + MASK + "; true'; true | true; for i in 1 2 3 4 5; do /bin/true; done; " + MASK
    for _ in range(20): # one that had to wait for the CPU is given its own
        masks = [x.split()[1] for x in traced(t, "sh", "-c", script).splitlines()]
        eq(len(masks), 4, "processes that say so")
        if [bits(m) for m in masks] == [1] * 4:
            return
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


THREADS = """
import os, threading, time
def say():
    with open("/proc/thread-self/status") as f: mask = next(x.split()[1] for x in f if x.startswith("Cpus_allowed:"))
    print(mask, flush=True)
    return mask
for i in range(20): # python itself has parted them: it makes many calls
    if os.fork() == 0: os._exit(0)
    os.wait()
"""


@test
def threads_one_after_the_other_share_the_cpu(t):
    """Made and waited for. That some do, once, is what can be said where other programs run, too."""
    need_two_cpus()
    for i in range(20):
        masks = python(t, THREADS + """
for i in range(30):
    a = threading.Thread(target=say)
    a.start(); a.join()
""")
        eq(len(masks), 30, "threads that say so")
        if 1 in [bits(m) for m in masks]:
            return
    check(False, "none shares a CPU: %s" % masks)


@test
def threads_at_a_time_have_their_own(t):
    """Two that compute, and hardly stop. The one that looks does so until it is as it should be."""
    need_two_cpus()
    masks = python(t, THREADS + """
whole = "%s"
done = False
def compute():
    while not done: pass
a = threading.Thread(target=compute)
a.start()
for i in range(1000):
    if say() == whole: break
    end = time.monotonic() + 0.01
    while time.monotonic() < end: pass
done = True
a.join()
""" % ours())
    eq(masks[-1], ours(), "mask")


@test
def many_threads_have_their_own(t):
    need_two_cpus()
    masks = python(t, THREADS + """
go = threading.Event()
waiting = [threading.Thread(target=go.wait) for i in range(4)]
for a in waiting: a.start()
say()
b = threading.Thread(target=say)
b.start(); b.join()
go.set()
for a in waiting: a.join()
""")
    eq(masks, [ours()] * 2, "masks")


def stops_of(t, mode, traced, *argv, first="first"):
    r = t.run([t.binary, "-q", "--mode=" + mode, "--trace=" + traced, "--summary", "/dev/null", "--json", t.path("r.json"), "--", *argv],
              env=dict(os.environ, IOTRACE_TEST_INJECT=first))
    eq(r.status, 0, "status (%s)" % r.err)
    with open(t.path("r.json")) as f:
        return json.load(f)["tracer"]["overhead"]["stops"]


def stops_each(t, mode, traced, case):
    """Of one more life, in whole ones: what begins and ends the program is in both runs."""
    few, many = [stops_of(t, mode, traced, t.target("work"), case, str(n)) for n in (100, 300)]
    return (many - few) / 200


@test
def stops_of_a_thread(t):
    """The call that makes it, its event, its first stop and its last: none for its madvise, where that is recorded."""
    for mode, most in (("auto", 4), ("ptrace", 6)):
        each = stops_each(t, mode, "%memory", "joins")
        check(each < most + 0.1, "%s: %.2f stops a thread" % (mode, each))


@test
def stops_of_a_file(t):
    """Opened, read and closed, of which the read is wanted: a close that is sure to close needs no second one."""
    each = stops_each(t, "ptrace", "read", "files")
    check(each < 3.1, "%.2f stops a file" % each)


@test
def a_call_site_is_known_of_its_file(t):
    """Of the later ones of many /bin/true, put under the recorder by what others showed: a site that each calls once is
    as good as one that is called twice."""
    code = "import os\nfor i in range(%d): os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)"
    few, many = [stops_of(t, "auto", "read,mmap,munmap", need_tool("/usr/bin/python3"), "-S", "-c", code % n, first="")
                 for n in (10, 60)]
    check((many - few) / 50 < 11, "%.2f stops a process" % ((many - few) / 50))


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
