#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""The suites again, with iotrace and its targets run as an ordinary user (from root)."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ.update(TEST_USER="nobody", EXACT_SELECT="quick")
import cli
import exact
import harm
import kernel_facts
import tap

assert cli and exact and harm and kernel_facts  # each registers its tests
tap.main()
