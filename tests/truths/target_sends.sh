#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 20,000 messages are sent, each by a call, and nothing else is done.
# run: BUILD/targets/gather sends 20000
# options: -e %io
# modes: auto
# says: First target: sendto, gather sends into sendmmsg: priority || sendto, gather-sends: what it is
#     known to save is || a message took no less in a batch than by itself here
# says: gathered for up to 1 ms, at most ... of 20,000 calls would not be made (whether that is safe
#     is not known: not traced: futex and ...); about ... ns each, which a message took less in a
#     batch than by itself here, on a local socket || sendto, gather-sends: what it is known to save
#     is || a message took no less in a batch than by itself here
# never: what a call that does nothing took here
# never: gather what is sent on a stream
# never: could be saved only by holding them back
# never: it would save
# never: that moved few bytes took no longer
