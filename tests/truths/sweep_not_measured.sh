#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: nobody says what a unit costs.
# kind: sweep
# run: sleep 1000
# over: 50,100,300
# options: --cost latency --load 'sleep 0.2; echo {v}'
# status: 3
# says: Nothing is said of a knee: the latency was not measured in every run.
# never: Knee at v =
# never: No knee:
# never: Cannot tell where the knee is
