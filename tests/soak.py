#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""`make soak`: the cases of tests/e2e/recorder_loop.py in turns for SOAK_MINUTES (60), by the filter, by dispatch and
without times. Stops at the first failure, whose command it prints; else says how many runs there were."""
import itertools
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "e2e"))
import recorder_loop
from tap import Failure

WAYS = ((), ("--trap=dispatch",), ("--no-times",))


def main():
    until = time.monotonic() + 60 * float(os.environ.get("SOAK_MINUTES", "60"))
    runs = 0
    for options, (program, args, counts, *_) in itertools.cycle(itertools.product(WAYS, recorder_loop.NASTY)):
        try:
            recorder_loop.loop(program, args, counts, 4, options)
        except Failure as e:
            sys.exit("after %d runs: %s" % (runs, e))
        runs += 4
        if time.monotonic() >= until:
            break
    print("%d runs, no failure" % runs)


if __name__ == "__main__":
    main()
