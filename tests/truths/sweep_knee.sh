#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: the load says that a unit costs 200, 101 and 100 at 50, 100 and 300.
# kind: sweep
# run: sleep 1000
# over: 50,100,300
# options: --cost latency --latency 'ms=cost (\d+)' --load 'sleep 0.2; case {v} in 50) echo cost 200;; 100) echo cost 101;; 300) echo cost 100;; esac'
# says: Knee at v = 100: no larger value lowers the latency by more than 5%, and 50 costs 100% (100 to 100) more than the best.
# says: 100 -> 300 does not pay.
# never: No knee:
# never: Cannot tell where the knee is
# never: Run it again with --runs
# never: No number of runs up to 100 would tell
# never: Nothing is said of a knee
# never: the calls were seen by stops
