#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a program that does nothing but calls, each of which is stopped.
# kind: sweep
# run: BUILD/targets/iov loop {v}
# over: 20000,40000
# runs: 4
# options: --mode ptrace
# status: 3
# says: With v = 20000 the calls were seen by stops, which took ... of the time, so nothing is said of what a unit costs. ||
#     With v = 40000 the calls were seen by stops
# never: Knee at v =
# never: Cannot tell where the knee is
