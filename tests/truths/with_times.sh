#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 200 batches of 7 messages are sent and received, and calls have times.
# run: BUILD/targets/mmsg batches 200 7
# options: -e all
# says: sendmmsg is limited by the batch that the caller makes: 200 of 200 calls were given 7
# says: time is wall time, summed over threads
# never: so not measured: latency, whether more was there than was taken
# never: and whether more was there is not measured
# never: What a change would save is not measured
# never: Groups by time, what is safe and how long calls would be held are not measured
# never: whether they could have gone together is not measured
# never: have no times
# never: sorted by calls.)
