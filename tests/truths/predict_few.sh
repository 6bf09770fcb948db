#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: predict_gain, run twice: how far another run may be off is not known from so few.
# run: BUILD/truths/predict_gain
# runs: 2
# says: cannot predict from 2 runs; at least 5 are needed; larger than any size measured
# says: writev: 2 of 2 runs can be used. Runs differ by more than the calls of one do, so what
#     another run will take cannot be predicted
# says: of its time at twice the batch (how far another run may be off cannot be said from 2
#     runs; at least 5 are needed)
# says: the cost model says
# says: raise the number of units a call asks for (batch-limit)
# never: of its time at twice the batch (a new run, 95%: ... to ..., from
# never: batch-limit: no prediction, because
# never: writev: predicted from
# never: a new run, 95%
# never: larger than any size measured, so wider
# never: gain; larger
# never: No call's times can be described
