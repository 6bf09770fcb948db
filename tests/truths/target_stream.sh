#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 20,000 parts of a stream are sent, each by a call, and a child reads them.
# run: BUILD/targets/gather parts 20000
# options: -e %io
# modes: auto
# says: First target: sendto, gather what is sent on a stream into one send: priority
# says: gathered for up to 1 ms, at most ... of 20,000 calls would not be made ...; at least ... ns
#     each, what a call that does nothing took here
# never: gather sends into sendmmsg
# never: which a message took less in a batch than by itself here, on a local socket
# never: one message a call
# never: evidence for no change
