#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 200 calls send one message each, back to back, and 50 send two, and no clock is read.
# run: BUILD/truths/batch_ones
# options: -e all --no-times
# says: sendmmsg: 200 of 250 calls moved one message only: whether they could have gone together is
#     not measured: calls have no times (--no-times).
# never: could have gone with the one before
# never: gains nothing
