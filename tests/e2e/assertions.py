#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""iotrace --assert: limits that hold, that do not, that cannot be judged; the examples to copy."""
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, ROOT, Skip, at_some_pace, check, eq, main, need_tool, test, wait_for

EXAMPLES = os.path.join(ROOT, "docs/examples")
# (assertions, status, what each line on standard error says) of `mmsg send`: see the case
SAYS = "iotrace: does not hold: %s: it is %s"
CANNOT = "iotrace: cannot judge: %s: %s"


def asserted(t, limits, argv, options=(), **kw):
    words = [w for limit in limits for w in ("--assert", limit)]
    r = t.run([t.binary, "-q", *options, *words] + (["--", *argv] if argv else []), **kw)
    return r.status, [line for line in r.err.splitlines() if line.startswith("iotrace: ")]


def writes(n, status=0):
    """A program of n writes of its own."""
    return ["/bin/sh", "-c", "i=0; while [ $i -lt %d ]; do echo x; i=$((i+1)); done; exit %d" % (n, status)]


@test
def limits_on_a_run(t):
    """What holds says nothing; what does not says the figure."""
    for limits, status, lines in (
            (["write.calls <= 5", "write.calls == 5", "write.calls>4", "write.bytes <= 1KiB"], 0, []),
            (["write.calls <= 4"], 3, [SAYS % ("write.calls <= 4", 5)]),
            (["write.calls < 5", "write.calls >= 5", "write.bytes == 11"], 3,
             [SAYS % ("write.calls < 5", 5), SAYS % ("write.bytes == 11", 10)]),
            (["sendmmsg.calls == 0", "write.errors <= 0"], 0, []),
            (["sendmmsg.calls >= 1"], 3, [SAYS % ("sendmmsg.calls >= 1", 0)])):
        eq(asserted(t, limits, writes(5)), (status, lines), str(limits))


@test
def batches(t):
    argv = [t.target("mmsg"), "batches"]
    r = t.iotrace([], argv)
    per_call = r.call("sendmmsg")["batch"]["per_call"]["mean"]
    eq(asserted(t, ["sendmmsg.per_call == %.17g" % per_call], argv), (0, []), "the mean itself")
    status, lines = asserted(t, ["sendmmsg.per_call > %.17g" % per_call], argv)
    eq((status, len(lines)), (3, 1), "above the mean")
    eq(float(lines[0].rsplit(" ", 1)[1]), float("%.10g" % per_call), "figure of " + lines[0])


@test
def what_cannot_be_judged_is_no_success(t):
    for limit, options, why in (
            ("execve.calls <= 3", [], "the call is not traced (see --trace)"),
            ("write.calls <= 9", ["-e", "read"], "the call is not traced (see --trace)"),
            ("sendmmsg.per_call >= 8", [], "the call was not made"),
            ("write.p99 <= 1s", [], "it was not measured in this run"),
            ("throughput >= 1", [], "it was not measured in this run"),
            ("write.calls@start-up == 0", [], "there is no window, so no start-up and shutdown (see --skip)")):
        eq(asserted(t, [limit], writes(2), options), (3, [CANNOT % (limit, why)]), limit)
    eq(asserted(t, ["write.calls@start-up == 0", "write.calls@shutdown == 0", "write.calls == 2"], writes(2),
                ["--skip", "0"]), (0, []), "the window is all of it")


@test
def a_set_of_all_calls(t):
    """What is in it and was not made was made 0 times; what it leaves out is not known."""
    for options, judged in ((["--trace", "all"], True), (["--trace", "all,!fsync"], False), (["--trace", "%io"], True)):
        limit = "fsync.calls == 0" if options[1] != "%io" else "write.calls == 2"
        line = CANNOT % (limit, "the call is not traced (see --trace)")
        eq(asserted(t, [limit], writes(2), options), (0, []) if judged else (3, [line]), str(options))
    for limit in ("mmap2.calls <= 1", "of_a_newer_kernel.calls == 0"):  # counted as mmap; not known here
        line = CANNOT % (limit, "the call is not traced (see --trace)")
        eq(asserted(t, [limit], writes(2), ["--trace", "all"]), (3, [line]), limit)


@test
def a_window_that_never_began(t):
    """Figures of the whole run are others than those that were asked about."""
    line = CANNOT % ("write.calls <= 9", "the window that was asked for never began")
    eq(asserted(t, ["write.calls <= 9"], writes(2), ["--skip", "1000"]), (3, [line]), "after the end")
    eq(asserted(t, ["write.calls <= 9"], writes(2), ["--skip", "0"]), (0, []), "from the start")


@test
def a_wrong_one_is_refused_before_the_start(t):
    for limit, says in (("wirte.calls <= 1", "did you mean 'write.calls'?"), ("write.cals <= 1", "did you mean 'write.calls'?"),
                        ("walltime <= 1s", "did you mean 'wall_time'?"), ("write.calls", "is not FIGURE and a limit"),
                        ("<= 3", "is not FIGURE and a limit"), ("", "is not FIGURE and a limit"),
                        ("write.calls =< 3", "understood are"), ("write.calls <= 3kb", "understood are"),
                        ("write.calls <= 40ms", "write.calls is a count, and has no unit"),
                        ("wall_time <= 1KiB", "wall_time is a time (ns, us, ms, s)"),
                        ("write.calls <= nan", "understood are"), ("write.calls +2%", "no other run"),
                        ("peak_heap <= 1MiB", "another profile"),
                        ("write <= 3", "write is a call, not a figure of one; did you mean 'write.calls'?"),
                        ("calls.write <= 3", "did you mean 'write.calls'?"), ("nothing.write <= 3", "no figure of a call")):
        status, lines = asserted(t, [limit], ["/bin/sh", "-c", "touch started"])
        eq((status, len(lines)), (2, 1), limit)
        check("--assert: " in lines[0] and says in lines[0], "%s: %s" % (limit, lines[0]))
    check(not os.path.exists(t.path("started")), "the target was started")
    status, lines = asserted(t, ["write.calls <= 3"], ["true"], ["--verify"])
    eq((status, lines), (2, ["iotrace: --verify and --assert exclude each other"]), "--verify")


@test
def the_targets_failure_goes_before(t):
    """Its status is seen, and the line too."""
    line = [SAYS % ("write.calls <= 1", 2)]
    eq(asserted(t, ["write.calls <= 1"], writes(2, 7)), (7, line), "status 7")
    eq(asserted(t, ["write.calls <= 1"], ["/bin/sh", "-c", "echo; echo; kill -9 $$"]), (137, line), "a signal")
    at_some_pace(lambda pace: eq(asserted(t, ["write.calls <= 1"], ["/bin/sh", "-c", "echo; echo; exec sleep 60"],
                                          ["--timeout", "%g" % (0.5 * pace)]), (124, line), "a time limit"))
    eq(asserted(t, ["write.calls <= 1"], writes(2), ["--json", "/dev/full"])[0], 125, "a file not written")
    eq(asserted(t, ["write.calls <= 1"], ["./missing"])[0], 127, "not found")


@test
def of_what_runs_already(t):
    p = t.start(["sleep", "60"], user=True)
    wait_for("sleep", lambda: open("/proc/%d/comm" % p.pid).read() == "sleep\n")
    for limit, want in (("nanosleep.calls <= 9", 0), ("write.calls >= 1", 3)):
        options = ["-e", "write,nanosleep", "-p", str(p.pid), "--duration", "0.2"]
        status, lines = asserted(t, [limit], [], options)
        if status == 125 and "permitted" in lines[0]:
            raise Skip(lines[0])
        eq(status, want, "%s: %s" % (limit, lines))


def in_path(t):
    """iotrace as installed: by its name."""
    return dict(os.environ, PATH="%s:%s" % (BIN, os.environ["PATH"]), PYTHONDONTWRITEBYTECODE="1")


@test(timeout=120)
def the_example_of_ctest(t):
    need_tool("cmake")
    for name, to in (("assert-CMakeLists.txt", "CMakeLists.txt"), ("assert-test.c", "assert-test.c")):
        shutil.copy(os.path.join(EXAMPLES, name), t.path(to))
    if t.run(["cc", "-include", "setjmp.h", "-include", "stdarg.h", "-include", "stddef.h", "-include", "stdint.h",
              "-include", "cmocka.h", "-E", "-x", "c", "/dev/null"]).status:
        raise Skip("cmocka.h is not there")

    def ctest():
        r = t.run(["cmake", "-S", ".", "-B", "b"], env=in_path(t), timeout=60)
        eq(r.status, 0, str(r))
        r = t.run(["cmake", "--build", "b"], env=in_path(t), timeout=60)
        eq(r.status, 0, str(r))
        return t.run(["ctest", "--test-dir", "b", "--output-on-failure"], env=in_path(t))

    r = ctest()
    eq(r.status, 0, str(r))
    with open(t.path("assert-test.c")) as f:
        text = f.read()
    with open(t.path("assert-test.c"), "w") as f:
        f.write(text.replace("#define BATCH 8", "#define BATCH 4"))
    r = ctest()
    check(r.status != 0 and SAYS % ("sendmmsg.per_call >= 8", 4) in r.out, "half the batch: %s" % r)


@test
def the_example_of_pytest(t):
    python = next((p for p in (sys.executable, "/usr/bin/python3") if t.run([p, "-c", "import pytest"]).status == 0), None)
    if not python:
        raise Skip("python3-pytest is not installed")
    example = shutil.copy(os.path.join(EXAMPLES, "assert_test.py"), t.path("assert_test.py"))
    argv = [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", example]
    r = t.run(argv, env=in_path(t))
    check(r.status == 0 and "1 passed" in r.out, str(r))
    with open(example) as f:
        text = f.read()
    with open(example, "w") as f:
        f.write(text.replace('"w")', '"w", buffering=1)'))
    r = t.run(argv, env=in_path(t))
    check(r.status == 1 and SAYS % ("write.calls <= 10", 10000) in r.out, "a line a write: %s" % r)


main()
