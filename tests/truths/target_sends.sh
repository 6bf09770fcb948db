#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: 20,000 messages are sent, each by a call, and nothing else is done.
# run: BUILD/targets/gather sends 20000
# options: -e %io
# modes: auto
# says: First target: sendto, gather sends into sendmmsg: priority
# says: gathered for up to 1 ms, at most ... of 20,000 calls would not be made (whether that is safe
#     is not known: not traced: futex and ...); at least ... ns each, what a call that does nothing
#     took here
# never: gather what is sent on a stream
# never: gather-sends: what it is known to save is about ... of the, less than 0.5%
# never: evidence for no change
# never: could be saved only by holding them back
# never: could be saved, but what one costs is not known
# never: it would save
# never: that moved few bytes took no longer
