#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: calls for the time are traced, which mostly are none.
# run: /bin/true
# options: -e clock_gettime,write
# says: vDSO: clock_gettime, gettimeofday, time and getcpu mostly make no system call
# never: io_uring: what its requests move
# never: none found
