#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: the load says that a unit costs 400, 200 and 100.
# kind: sweep
# run: sleep 1000
# over: 50,100,300
# options: --cost latency --latency 'ms=cost (\d+)' --load 'sleep 0.2; case {v} in 50) echo cost 400;; 100) echo cost 200;; 300) echo cost 100;; esac'
# says: No knee: the latency still falls at the largest value, 300, and every smaller one costs more than 5% above it. Try larger ones.
# never: already the smallest value
# never: is the same at every value from
# never: Knee at v = ... no larger value lowers the
# never: does not pay
