#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""tests/gate: adds up what its stages count, and takes nothing for passed that did not say so."""
import os
import signal
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import tap  # noqa: E402
from tap import BUILD, ROOT, Skip, eq, check, main, need_recorder, test  # noqa: E402

# A make whose goals do what the environment says; the stages themselves would take half an hour.
MAKE = """#!/bin/sh
case " $* " in
*" -pn "*) for goal in $GOALS; do echo "$goal:"; done ;;
*" check-san "*) eval "$SAN" ;;
*" check "*) eval "$CHECK" ;;
*" tidy "*) eval "$TIDY" ;;
*" fuzz "*) eval "$FUZZ" ;;
*" matrix-here "*) eval "$MATRIX" ;;
*) exit 99 ;;
esac
"""
GOOD = {"CHECK": "echo 5 passed, 0 failed, 1 skipped", "SAN": "echo 2 passed, 0 failed, 0 skipped", "TIDY": ":",
        "FUZZ": "echo 22 passed, 0 failed, 0 skipped", "MATRIX": "echo 3 passed, 0 failed, 2 skipped",
        "GOALS": "check check-san tidy fuzz matrix-here"}


def gate(t, **changes):
    """(status, last line, all lines) with one stage or more doing something else."""
    path = os.path.join(t.dir, "make")
    with open(path, "w") as f:
        f.write(MAKE)
    os.chmod(path, stat.S_IRWXU)
    env = dict(os.environ, **GOOD, PATH=t.dir + ":" + os.environ["PATH"])
    env.update(changes)
    r = t.run([sys.executable, os.path.join(ROOT, "tests/gate")], env=env)
    lines = r.out.splitlines()
    return r.status, lines[-1], lines


CASES = [
    ("all_pass", {}, 0, "33 passed, 0 failed, 3 skipped"),
    ("one_fails", {"SAN": "echo 1 passed, 1 failed, 0 skipped; exit 2"}, 1, "32 passed, 1 failed, 3 skipped"),
    ("it_failed_before_make_said_so",
     {"SAN": "echo 1 passed, 1 failed, 0 skipped; echo 'make: *** Error 1' >&2; exit 2"}, 1,
     "32 passed, 1 failed, 3 skipped"),
    ("one_dies_without_a_count", {"CHECK": "echo built; exit 2"}, 1, "28 passed, 1 failed, 2 skipped"),
    ("one_is_silent", {"CHECK": ":"}, 1, "28 passed, 1 failed, 2 skipped"),
    ("its_count_is_not_the_last_line", {"CHECK": "echo 5 passed, 0 failed, 0 skipped; echo x"}, 1,
     "28 passed, 1 failed, 2 skipped"),
    ("status_without_a_failure", {"CHECK": "echo 5 passed, 0 failed, 0 skipped; exit 1"}, 1,
     "33 passed, 1 failed, 2 skipped"),
    ("tidy_complains", {"TIDY": "exit 2"}, 1, "32 passed, 1 failed, 3 skipped"),
    ("tidy_is_missing", {"TIDY": "echo '  SKIP     clang-tidy: it is missing'"}, 0,
     "32 passed, 0 failed, 4 skipped"),
    ("a_stage_that_make_does_not_have", {"GOALS": "check check-san tidy fuzz"}, 0, "30 passed, 0 failed, 2 skipped"),
]


def add(name, changes, status, last):
    @test(name="gate_" + name)
    def _(t):
        got = gate(t, **changes)
        eq(got[1], last, "last line")
        eq(got[0], status, "status")


for row in CASES:
    add(*row)


@test
def the_goals_are_those_of_the_makefile(t):
    r = t.run(["make", "-C", ROOT, "-pn", "O=" + os.path.relpath(BUILD, ROOT), "help"], stderr=None)
    for goal in ("check", "check-san", "tidy", "fuzz"):
        check("\n%s:" % goal in r.out, "make " + goal)
    check("\nnosuch:" not in r.out, "and no other")


@test
def a_soak_can_begin(t):
    need_recorder(t)
    t.target("rec_signal")
    r = t.run([sys.executable, os.path.join(ROOT, "tests/soak.py")], env=dict(os.environ, BUILD=BUILD, SOAK_MINUTES="0"))
    eq((r.status, r.out), (0, "4 runs, no failure\n"), "its end (%s)" % r.err)


@test
def gate_shows_each_stage_with_its_output(t):
    _, _, lines = gate(t, TIDY="echo warning: this is what it said")
    check("warning: this is what it said" in lines, "the output of a stage is shown")
    for stage in ("check", "sanitizers", "tidy", "fuzzing", "matrix"):
        check(any(line.split()[:2] == ["PASS", stage] for line in lines), stage + " has a line")


@test
def gate_ends_with_what_failed(t):
    _, _, lines = gate(t, SAN="printf '  FAIL     x\\n    not ok: y\\n      # why\\n  PASS     z\\n    skipped: w\\n';"
                       "echo '1 passed, 1 failed, 0 skipped'; exit 2", TIDY="echo warning; exit 1")
    at = lines.index("== what failed")
    eq(lines[at + 1:lines.index("== all stages")], ["  FAIL     x", "    not ok: y", "      # why", "warning"], "once more")
    check("== what failed" not in gate(t)[2], "nothing did")


@test
def a_number_that_is_taken_again_is_another_tests(t):
    """What a test has started is killed at its end, by its group; not the group that has the number by then."""
    last = "/proc/sys/kernel/ns_last_pid"
    ended = t.start(["true"])
    ended.wait()
    for _ in range(100):
        try:
            with open(last, "w") as f:
                f.write(str(ended.pid - 1))
        except OSError as e:
            raise Skip("%s cannot be set: %s" % (last, e.strerror)) from e
        other = subprocess.Popen(["sleep", "1000"], start_new_session=True)
        if other.pid == ended.pid:
            break
        other.kill()
        other.wait()
    else:
        raise Skip("the number was not to be had again")
    tap.end_group(ended)
    alive = other.poll() is None
    other.kill()
    eq((alive, other.wait()), (True, -signal.SIGKILL), "the other process lives")


main()
