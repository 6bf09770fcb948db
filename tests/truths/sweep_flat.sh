#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: the load says that a unit costs 103, 100 and 102.
# kind: sweep
# run: sleep 1000
# over: 50,100,300
# options: --cost latency --latency 'ms=cost (\d+)' --load 'sleep 0.2; case {v} in 50) echo cost 103;; 100) echo cost 100;; 300) echo cost 102;; esac'
# says: No knee: the latency is the same at every value from 50 to 300, within 5%.
# never: Knee at v = ... no larger value lowers the
# never: does not pay
# never: Cannot tell where the knee is
# never: still falls at the largest value
# never: already the smallest value
