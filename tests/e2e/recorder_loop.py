#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What could break the recorder, again and again: each case 40 times (RECORDER_LOOP=N; those whose run
is many in one, fewer), small.

A race that is lost once in a hundred runs is lost every day by somebody. Two at a time, so that the
machine is busy meanwhile. tests/soak.py does the same for as long as one likes (`make soak`).
"""
import json
import os
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import recorder
from tap import BUILD, Failure, check, main, need_recorder, only_from, test

TIMES = int(os.environ.get("RECORDER_LOOP", "40"))
RUN_LIMIT = 20  # seconds for one run: more is a hang

# program, arguments, calls that the program's own line must agree in, which part of the times where one run is long
NASTY = [
    ("rec_signal", "storm 300", ("write", "read")),
    ("rec_signal", "storm 300 1", ("write",)),
    ("rec_signal", "blocked 4", ()),
    ("rec_signal", "jump 6", ()),
    ("rec_signal", "cancel 3", ()),
    ("rec_signal", "flood 60", ("write",)),
    ("rec_signal", "altstack 300", ("write",)),
    ("rec_signal", "stopped 4", ("write",)),
    ("rec_signal-musl", "storm 300", ("write",)),
    ("rec_signal-musl", "cancel 3", ()),
    ("rec_signal-static", "storm 300", ("write",)),
    ("rec_life", "threads 12 20", ("write",)),
    ("rec_life", "many 16", ("write",)),
    ("rec_life", "children 3", ("write",)),
    ("rec_life", "fork_busy 3", ("write",), 2),
    ("rec_life-static", "fork_busy 3", ("write",), 2),
    ("rec_life-musl", "threads 12 20", ("write",)),
    ("rec_life", "exec_thread 2", ()),
    ("rec_life", "ends 24", (), 4),
    ("rec_life", "reuse 12", ("write",)),
    ("rec_life", "race 100", ("write",)),
    ("rec_life", "numbers 8", ("write",)),
    ("rec_life", "close_all", ("write",)),
    ("rec_life", "own_table 6", ("write",)),
    ("storm", "killed 3", ()),
    ("rec_life", "beginnings 6", ("write",)),
    ("rec_life", "cut_short 12", ()),
    ("rec_life", "mappings 1", ("write",)),
    ("rec_code", "registers 12", ("write",)),
    ("rec_code", "own_gs", ("write",)),
    ("rec_code", "generated 8", ("write", )),
    ("rec_code", "mapped_code 8", ("write",)),
    ("rec_code", "vanishing 60", ()),
    ("rec_code", "filtered 1", ("write",)),
    ("rec_code", "filtered 2", ("write",)),
    ("rec_code", "filtered 3", ("write",)),
]


class Run:
    def __init__(self, program, args, counts, options):
        self.counts = counts
        fd, self.json = tempfile.mkstemp(prefix="iotrace-loop-")
        os.close(fd)
        self.argv = [os.path.join(BUILD, "bin", "iotrace"), "-q", "--json", self.json, recorder.SET, *options, "--",
                     os.path.join(BUILD, "targets", program), *args.split()]
        self.p = subprocess.Popen(self.argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, start_new_session=True)

    def finish(self):
        try:
            out, err = self.p.communicate(timeout=RUN_LIMIT)
        except subprocess.TimeoutExpired:
            os.killpg(self.p.pid, 9)
            self.p.communicate()
            raise Failure("still running after %d s: %s" % (RUN_LIMIT, " ".join(self.argv))) from None
        try:
            if self.p.returncode:
                raise Failure("status %d: %s\n%s" % (self.p.returncode, " ".join(self.argv), err[-500:]))
            with open(self.json) as f:
                result = json.load(f)
        finally:
            os.unlink(self.json)
        check(result["tracer"]["lost"] == 0, "lost: %s" % " ".join(self.argv))
        said = recorder.own_counts(out)
        for name in self.counts:
            got = recorder.returned(result, name)
            # The loader reads too: the same number each time, and few.
            check(got == said[name] or (name == "read" and 0 <= got - said[name] <= 4),
                  "%s: %d counted, %d made: %s" % (name, got, said[name], " ".join(self.argv)))


def loop(program, args, counts, times, options=()):
    for _ in range((times + 1) // 2):
        two = [Run(program, args, counts, options), Run(program, args, counts, options)]
        for run in two:
            run.finish()


def add(program, args, counts, part=1):
    times = max(1, TIMES // part)

    def body(t):
        need_recorder(t)
        t.target(*program.split("-", 1))
        loop(program, args, counts, times)
    test(body, "%d times %s %s" % (times, program, args), timeout=120)


only_from("nothing of recorder.py")
for _case in NASTY:
    add(*_case)

if __name__ == "__main__":
    main()
