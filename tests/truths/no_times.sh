#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 200 batches of 7 messages are sent and received, and no clock is read around a call.
# run: BUILD/targets/mmsg batches 200 7
# options: -e all --no-times
# says: none of calls (--no-times), so not measured: latency, whether more was there than was
#     taken, what gathering saves safely, the run over time
# says: recvmmsg is limited by arrivals, not by its limit of 64: 0 of 200 calls were full
# says: sendmmsg is limited by the batch that the caller makes: 200 of 200 calls were given 7
# says: What a change would save is not measured: calls have no times (--no-times).
# says: Groups by time, what is safe and how long calls would be held are not measured: calls
# says: LATENCY not measured: calls have no times (--no-times)
# says: calls have no times (--no-times); sorted by calls.)
# says: OVER TIME not measured: calls have no times (--no-times)
# never: time is wall time, summed over threads
# never: None: the figures give evidence for no change that pays.
# never: Nothing that would pay is found to change.
# never: and whether more was there is not measured
# never: in calls that only wait
# never: nothing that was seen tells why
# never: are mostly waiting
