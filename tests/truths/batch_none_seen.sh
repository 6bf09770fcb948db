#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: /bin/true makes no call that is traced.
# run: /bin/true
# options: -e sendmmsg
# says: no calls were seen, so none that batches
# says: None: the figures give evidence for no change that pays.
# says: No optimization target: see below why.
# says: Nothing that would pay is found to change.
# never: First target: ..., ...: priority ..., about ... of the run.
# says: None of the traced calls batches; sendmmsg or recvmmsg was not traced, so nothing is known of it.
# never: To check the gain
# never: saves about ..., ... of the run: ... Evidence:
# says: None was seen.
# says: No thread sent often enough on one descriptor to say anything
# says: were seen; below ... nothing is concluded from them.
# never: was not called
# never: all calls were made by one thread
# never: No error that the table of errors calls worth a look.
# never: "Saved safely" lets
