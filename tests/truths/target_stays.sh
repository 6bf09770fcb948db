#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 2,000 times a file is mapped and unmapped: no memory is.
# run: BUILD/targets/maps churn file 2000
# modes: auto
# says: No optimization target: see below why.
# never: of them when as much had been unmapped before
# never: mapping-churn
# never: keep memory instead of mapping
