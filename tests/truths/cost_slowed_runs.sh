#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 20,000 writes of a line, each seen by a stop: the program is mostly stopped.
# run: BUILD/targets/gather lines 20000
# runs: 1
# needs: slowed
# options: --mode ptrace
# says: I/O: ... calls; tracing slowed the program, so times and batches are those of a slowed one
# says: None: the figures of the I/O give evidence for no change that pays.
# never: None: there is no result of type io
