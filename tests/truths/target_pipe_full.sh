#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a pipe has no room for every second vector; nothing says what a small write costs.
# run: BUILD/targets/why pipe-full
# modes: auto
# says: writev, socket-buffer: up to ... calls more than needed, but what one costs is not known: too few of
# never: a larger send buffer (SO_SNDBUF), or wait until it has room
# never: (socket-buffer)
# never: each such call takes another
