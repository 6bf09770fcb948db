#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a file is read by place from its end, 20,000 times one byte: no call goes on where another ended.
# run: BUILD/targets/gather reads 1 back 20000
# modes: auto
# says: Optimization targets
# never: (larger-reads)
# never: read more of a file at once
# never: calls on files would not be made
