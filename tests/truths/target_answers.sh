#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: each of 2,000 requests waits for its answer.
# run: BUILD/targets/gather ping 2000
# modes: auto
# says: write, gathering: ... calls could be saved only by holding them back over calls that can
#     wait, tell others something or see what was written, which an answer or their order may depend on; none safely.
# never: gather sends into sendmmsg
# never: gather writes into writev or one buffer
# never: (gather-writes)
# never: gathered for up to 1 ms
