#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: more is there than each receive asks for, and no clock is read around a call.
# run: BUILD/targets/why limit
# options: -e all --no-times
# says: recvmmsg is limited by something that is not known: 200 of 200 calls took as many as they
#     asked for, or had a time limit, and whether more was there is not measured: calls have no times (--no-times)
# never: limited by its limit of 8
# never: limited by arrivals
# never: nothing that was seen tells why
