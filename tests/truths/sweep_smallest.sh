#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: the load says that a unit costs 100, 150 and 200.
# kind: sweep
# run: sleep 1000
# over: 50,100,300
# options: --cost latency --latency 'ms=cost (\d+)' --load 'sleep 0.2; case {v} in 50) echo cost 100;; 100) echo cost 150;; 300) echo cost 200;; esac'
# says: No knee: already the smallest value, 50, is within 5% of the least latency. A smaller one may be as good.
# never: is the same at every value from
# never: still falls at the largest value
# never: Knee at v =
# never: does not pay
