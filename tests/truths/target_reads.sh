#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a file of 50,000 bytes is read byte by byte.
# run: BUILD/targets/gather reads 1 on 50000
# modes: auto
# says: First target: read, read more of a file at once: priority
# says: with buffers of 64 KiB 49,999 of 50,00... calls on files would not be made: each goes on
#     where one that filled its buffer had ended; at least ... ns each
# never: larger-reads: with buffers of 64 KiB
