#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""The suites again, with iotrace and its targets run as an ordinary user (from root)."""
import os
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
BUILD = os.path.abspath(os.path.join(HERE, "../..", os.environ.get("BUILD", "build")))
sys.path.insert(0, HERE)
os.environ.update(TEST_USER="nobody", EXACT_SELECT="quick")
# A checkout may be closed to other users: below /root it always is.
if os.geteuid() == 0 and subprocess.run(["setpriv", "--reuid=65534", "--clear-groups", "--regid=65534", "test", "-x",
                                         BUILD + "/bin/iotrace"], check=False).returncode:
    copy = tempfile.TemporaryDirectory(prefix="iotrace-build-")
    os.chmod(copy.name, 0o755)
    for folder in ("bin", "targets"):
        shutil.copytree(os.path.join(BUILD, folder), os.path.join(copy.name, folder))
    os.environ.update(BUILD=copy.name)
import cli
import exact
import harm
import kernel_facts
import live
import tap

assert cli and exact and harm and kernel_facts and live  # each registers its tests
tap.main()
