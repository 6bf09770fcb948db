#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a shell reads lines of a file byte by byte, and now and then another process reads the next one from where it is.
# args: ROOT/tests/truths/SENTENCES
# modes: auto
# says: Optimization targets
# never: (larger-reads)
# never: read more of a file at once
# never: calls on files would not be made
n=0
while read -r line; do
	n=$((n + 1))
	if [ $((n % 100)) = 0 ]; then
		(
			read -r line
			:
		)
	fi
done < "$1"
