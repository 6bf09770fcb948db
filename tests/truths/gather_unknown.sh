#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: the same log, but what could come between the lines is not traced.
# run: BUILD/targets/gather lines 1000
# options: -e %io
# says: How much is safe is not known everywhere: not traced: futex and ... more.
# never: No thread sent often enough on one descriptor
