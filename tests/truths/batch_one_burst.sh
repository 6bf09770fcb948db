#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: batch_bursts, where of 41 calls one is full, and brings 8 of 48 messages.
# run: BUILD/truths/batch_bursts 1 40
# says: limited by arrivals, not by its limit of 8: 20 of 820 calls were full
# never: and brought
