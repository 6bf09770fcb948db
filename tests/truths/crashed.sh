#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: two processes that the target has started are killed, one as by a fault; it ends well.
# says: Of the processes that the target started 1 crashed (the first: sh, by SIGSEGV): what they had still to do is in no figure.
# never: by SIGKILL)
ulimit -c 0
sh -c 'kill -SEGV $$'
sh -c 'kill -KILL $$'
exit 0
