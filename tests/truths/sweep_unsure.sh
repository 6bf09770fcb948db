#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: what the load says that a unit costs is 100, 137, 174, 111 and 148, whatever the value.
# kind: sweep
# run: sleep 1000
# over: 50,100
# options: --cost latency --latency 'ms=cost (\d+)' --load 'sleep 0.2; k=$(cat k{v} 2>/dev/null || echo 0);
#   echo $((k + 1)) >k{v}; echo cost $((100 + k * 37 % 100))'
# status: 3
# says: Cannot tell where the knee is: the latency differs from run to run by more than the 5% that decide.
# says: No number of runs up to 100 would tell: the costs differ too much from run to run, or lie too near to the limit.
# never: Knee at v =
# never: No knee:
# never: are too few for an interval of
