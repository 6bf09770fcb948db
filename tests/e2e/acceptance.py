#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""The acceptance recipes beside the checkout, stops only: real programs with strace as the oracle.

ACCEPT=1 runs all of them (servers under load, which are slow); otherwise those that take seconds.
"""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import ROOT, Skip, eq, main, need_root, test

FOLDER = os.path.join(os.path.dirname(ROOT), "shared", "acceptance")
QUICK = ["13-static-busybox-musl.sh", "15-make-gcc.sh"]


def recipes():
    if not os.path.isdir(FOLDER):
        return ["all"]
    every = sorted(f for f in os.listdir(FOLDER) if f[:2].isdigit() and f.endswith(".sh"))
    return every if os.environ.get("ACCEPT") == "1" else QUICK


def agrees(t, recipe):
    need_root()
    if not os.path.isdir(FOLDER):
        raise Skip("the recipes are not beside the checkout")
    env = dict(os.environ, MODES="ptrace", WL_TMP=t.path("work"), TMPDIR=t.dir)
    r = t.run([os.path.join(FOLDER, "accept.sh"), t.binary, recipe], timeout=280, env=env)
    if ": skipped" in r.out:
        raise Skip(r.out.strip().replace("\n", "; "))
    eq((r.status, r.out.strip().splitlines()[-1:]), (0, ["1 of 1 agree, 0 skipped"]), "result\n%s" % r)


for name in recipes():
    test(lambda t, n=name: agrees(t, n), name=name, timeout=300)

if __name__ == "__main__":
    main()
