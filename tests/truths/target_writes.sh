#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a log of 50,000 lines that nobody asks about; every call is traced.
# run: BUILD/targets/gather lines 50000
# modes: auto
# says: First target: write, gather writes into writev or one buffer: priority
# says: ns each, one in ten of 50,000 calls of write that moved few bytes took no longer
# says: gathered for up to 1 ms, ... of 50,000 calls would not be made; at least
# never: whether that is safe is not known
# never: what a call that does nothing took here
# never: the low end of its fixed cost
# never: recording a call took as long
# never: too few of its kind moved few bytes
# never: calls could be saved, but what one costs is not known
# never: which a message took less in a batch than by itself here, on a local socket
# never: a message took no less in a batch than by itself here
# never: how much less a message takes in a batch than by itself was not measured
