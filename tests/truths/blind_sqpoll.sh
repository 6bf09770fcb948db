#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: requests that a kernel thread takes out of the ring.
# run: BUILD/targets/aio sqpoll
# options:
# says: SQPOLL: a kernel thread takes io_uring submissions without a system call
# never: none found
