# SPDX-License-Identifier: GPL-3.0-only
"""pytest: a program that makes more calls than it should fails a test. Run: pytest assert_test.py"""
import subprocess
import sys

WRITER = """
with open("numbers.txt", "w") as f:
    for i in range(10000):
        f.write("%d\\n" % i)
"""


def iotrace(argv, *limits, **kw):
    """Runs argv; the message of a failure has the figure."""
    options = [word for limit in limits for word in ("--assert", limit)]
    r = subprocess.run(["iotrace", "-q", *options, "--", *argv], stderr=subprocess.PIPE, text=True, **kw)
    assert r.returncode == 0, "status %d\n%s" % (r.returncode, r.stderr)


def test_the_writer_buffers(tmp_path):
    iotrace([sys.executable, "-c", WRITER], "write.calls <= 10", "writev.calls == 0", cwd=tmp_path)
