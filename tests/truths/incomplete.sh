#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: calls point to memory that is gone when a stop could read it.
# run: BUILD/targets/rec_code vanishing 400
# modes: ptrace
# says: this result is incomplete, for the reasons that follow
# says: This result is incomplete: see the warnings above.
# says: the target's memory could not be read in some calls
# never: exit status 1
