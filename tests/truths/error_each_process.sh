#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 150 programs are started, whose loader looks each time for what is not there: no process could remember it.
# says: No error that the table of errors calls worth a look.
# never: could be remembered
# never: (failed-lookup)
i=0
while [ $i -lt 150 ]; do
	/bin/true
	i=$((i + 1))
done
