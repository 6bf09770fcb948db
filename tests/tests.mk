# SPDX-License-Identifier: GPL-3.0-only
# Included by the Makefile: how targets and tests are built and run.
