#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""The known counts again, in a user namespace: root in there, an ordinary user outside."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
os.environ.update(TEST_USERNS="1", EXACT_SELECT="quick")
import exact
import tap

assert exact
tap.main()
