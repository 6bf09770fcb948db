#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a kilobyte is kept of the lines of a thousand writes: all are counted.
# run: BUILD/targets/gather lines 1000
# options: --detail-limit 1000 -e write
# says: lines are in the detail file, ... were left out (limit or full disk); the figures below
#     count all calls
# never: No thread sent often enough on one descriptor
# never: this result is incomplete
