#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 4,096 bytes are read from a pipe one by one: whether more was there is not known.
# run: BUILD/targets/gather reads 1 pipe 0
# modes: auto
# says: Optimization targets
# never: (larger-reads)
# never: calls on files would not be made
