#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: what is asked for is what comes after an hour, and the program ends before.
# run: /bin/true
# options: --skip 3600 -e all
# says: The window that was asked for never began: all figures are those of the whole run.
# says: There was no window, so start-up
# never: no load, --skip or --duration
# never: Everything else here is of the window
