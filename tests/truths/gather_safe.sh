#!/bin/sh
# SPDX-License-Identifier: GPL-3.0-only
# truth: a log of 1,000 lines that nobody asks about; every call is traced.
# run: BUILD/targets/gather lines 1000
# never: are not in the gathering table
# says: "Saved safely" lets what is held back go before its thread enters a call that can wait
# never: How much is safe is not known everywhere
# never: No thread sent often enough on one descriptor
# never: not traced: calls about other paths
# never: not traced
