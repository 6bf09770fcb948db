#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: the load says that a unit costs 200, 101 and 100, of which three runs are made.
# kind: sweep
# run: sleep 1000
# over: 50,100,300
# options: --cost latency --latency 'ms=cost (\d+)' --load 'sleep 0.2; case {v} in 50) echo cost 200;; 100) echo cost 101;; 300) echo cost 100;; esac'
# runs: 3
# status: 3
# says: Cannot tell where the knee is: 3 runs of a value are too few for an interval of 3 values.
# says: Run it again with --runs 5.
# never: Knee at v =
# never: No knee:
# never: differs from run to run by more than the
# never: No number of runs up to 100 would tell
