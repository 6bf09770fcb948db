#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: predict_gain, run once: what a call costs by itself follows from the sizes of its calls.
# run: BUILD/truths/predict_gain
# modes: auto
# says: gathered for up to 1 ms, ... of 7,000 calls would not be made; at least ... ns each,
#     the low end of its fixed cost
# never: that moved few bytes took no longer
# never: what a call that does nothing took here
