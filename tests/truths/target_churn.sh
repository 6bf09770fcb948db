#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 2,000 times memory is mapped and unmapped.
# run: BUILD/targets/maps churn anonymous 2000
# modes: auto
# says: anonymous regions were mapped, ... of them when as much had been unmapped before; a pair at the mean
#     times of both
# says: keep memory instead of mapping and unmapping it again and again (mapping-churn)
# never: call only when something is there
# never: at least the call's shortest time each
# never: No optimization target
