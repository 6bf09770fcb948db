#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: requests that go by io_uring; what they move, no system call says.
# run: BUILD/targets/aio uring
# options:
# says: io_uring: what its requests move is not in the bytes and batches of other calls
# never: none found: but for reading files that are mapped
# never: mapped files: what is written
# never: SQPOLL: a kernel thread takes io_uring submissions
# never: PACKET_TX_RING
# never: AF_XDP
# never: vDSO: clock_gettime
# never: PACKET_TX_RING: frames are sent from a ring that is mapped into the program
# never: PACKET_RX_RING: frames are received in a ring that is mapped into the program
