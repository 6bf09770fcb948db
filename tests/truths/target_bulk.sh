#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 500 writes of 64 KiB: what they take is for their bytes, not for the calls.
# run: BUILD/targets/gather bulk 500 65536
# modes: auto
# says: write, gathering: ... of 500 calls could be saved, but what one costs is not known: too few of
#     its kind moved few bytes, and what others take is for their bytes.
# says: None: the figures give evidence for no change that pays.
# never: (gather-writes)
# never: gathered for up to 1 ms
# never: recording a call took as long
# never: what a call that does nothing takes was not measured
