#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Programs of known truth (tests/truths/): what must be said of each, what must not, and that no sentence is without.

A truth is a program whose head says what it does and what the product has to say of that:

    truth: 100 writes to a pipe whose reader has gone
    says: write failed with EPIPE in 100 calls: the reader was gone.
    never: No error that the table of errors calls worth a look.

says: and never: are looked for in all that is written of the run: summary, analysis and report; "..." stands for
anything. "auto says:" and "ptrace never:" are of one mode. Other lines of the head, each once:

    args: ...         what the program is given; ROOT, BUILD and DIR are replaced
    run: ...          another program than this file's, e.g. BUILD/targets/mmsg batches 200 7
    options: ...      of iotrace (io; default -e all) or of profile-scenario (memory, cpu)
    kind: ...         io (the default); compare: the program is copied to BASE and NEW, and told by its own path
                      which it is; memory; cpu
    runs: ...         of each side of a comparison (default 3)
    modes: ...        of io; default: auto ptrace
    status: ...       how the program ends (default 0)

tests/truths/SENTENCES has every sentence of the sources, with the truth or test that shows it and the one that must
not. What is checked of it is in the functions below.
"""
import glob
import os
import re
import shlex
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import AT_ONCE
from tap import (BUILD, ROOT, Skip, check, eq, main, need_recorder, need_root, need_tool, only_from, profile, test)

only_from("truths")

TRUTHS = os.path.join(ROOT, "tests", "truths")
KEYS = ("truth", "says", "never", "args", "run", "options", "kind", "modes", "status", "runs", "needs")


# ---- a truth ----

def head_of(path):
    """The lines of the file's first comment (after the license), without what makes them a comment."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if path.endswith(".c"):
        found = re.search(r"^/\*\n(.*?)^ \*/", text, re.M | re.S)
        return [re.sub(r"^ \* ?", "", line) for line in found.group(1).splitlines()] if found else []
    lines = [re.sub(r"^# ?", "", line) for line in text.splitlines() if line.startswith("#")]
    return [line for line in lines if not line.startswith("!") and not line.startswith("SPDX")]


class Truth:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.says, self.never = [], []  # (mode or None, pattern)
        self.of = {}
        key = None
        for line in head_of(path):
            found = re.match(r"(?:(auto|ptrace) )?(%s): *(.*)$" % "|".join(KEYS), line)
            if found:
                mode, key, value = found.groups()
                if key in ("says", "never"):
                    getattr(self, key).append([mode, value])
                else:
                    check(key not in self.of and not mode, "%s: %s: twice, or of one mode" % (self.name, key))
                    self.of[key] = value
            elif key and re.match(r" +\S", line):
                if key in ("says", "never"):
                    getattr(self, key)[-1][1] += " " + line.strip()
                else:
                    self.of[key] += " " + line.strip()
            else:
                key = None
        self.kind = self.of.get("kind", "io")

    def argv(self, t, args):
        """The program, and what it is given."""
        def words(text):
            for name, value in (("ROOT", ROOT), ("BUILD", BUILD), ("DIR", t.dir)):
                text = re.sub(r"\b%s\b" % name, value, text)
            return shlex.split(text)

        if "run" in self.of:
            return words(self.of["run"]) + words(args)
        if self.path.endswith(".c"):
            return [os.path.join(BUILD, "truths", self.name)] + words(args)
        return [need_tool("python3" if self.path.endswith(".py") else "sh"), self.path] + words(args)

    def options(self, default=""):
        return shlex.split(self.of.get("options", default))


def plain(text):
    """One line, without what Markdown and the terminal's columns need."""
    return " ".join(re.sub(r"\\([^\w\s])", r"\1", text).replace("<br>", " ").split())


def pattern(text):
    return re.compile(".{0,300}?".join(re.escape(x) for x in " ".join(text.split()).split("...")))


def judge(truth, mode, said):
    for of, text in truth.says:
        check(of not in (None, mode) or pattern(text).search(said),
              "%s: not said: %s\n%s" % (mode, text, said[:6000]))
    for of, text in truth.never:
        found = of in (None, mode) and pattern(text).search(said)
        check(not found, "%s: said, and not true: %s" % (mode, said[max(found.start() - 200, 0):found.end() + 200]
                                                         if found else ""))


def written_of(t, *results):
    """What analyze writes of them, and report of each."""
    docs = [profile(t, "analyze", "--output-dir", t.path("results")).out] if not results else []
    if not results:
        for name in ("IO-ANALYSIS.md", "PROFILING-ANALYSIS.md"):
            if os.path.exists(t.path("results/" + name)):
                with open(t.path("results/" + name), encoding="utf-8") as f:
                    docs.append(f.read())
        docs.append(profile(t, "report", "--text", "--scenario", "s", "--output-dir", t.path("results")).out)
    for path in results:
        docs.append(profile(t, "analyze", path, "--stdout").out)
        docs.append(profile(t, "report", "--text", path).out)
    return plain("\n".join(docs))


def of_io(t, truth):
    for mode in truth.of.get("modes", "auto ptrace").split():
        if mode == "auto":
            need_recorder(t)
        r = t.iotrace(["--mode=" + mode] + truth.options("-e all"), truth.argv(t, truth.of.get("args", "")),
                      env=AT_ONCE, status=int(truth.of.get("status", "0")))
        judge(truth, mode, plain(r.summary + r.err) + " " + written_of(t, r.prefix + ".json"))


def of_compare(t, truth):
    need_recorder(t)
    for side in ("base", "new"):
        program, *args = truth.argv(t, truth.of.get("args", ""))
        os.makedirs(t.path(side))
        copy = shutil.copy(program, t.path(side + "/" + truth.name))
        profile(t, "--scenario", "s", "--type", "io", "--binary", copy, "--runs", truth.of.get("runs", "3"),
                "--output-dir", t.path(side + "/results"), *truth.options(), "--", *args, env=AT_ONCE, status=None)
    sides = [t.path(side + "/results") for side in ("base", "new")]
    r, short = (profile(t, "compare", *sides, *more, status=None) for more in (["--all"], []))
    with open(t.path("compare.json"), "w") as f:
        f.write(profile(t, "compare", *sides, "--json", status=None).out)
    page = profile(t, "report", "--text", t.path("new/results/iotrace/s-iotrace.json"), t.path("compare.json"))
    judge(truth, "auto", plain("\n".join((r.out, r.err, short.out, page.out))))


def of_profile(t, truth):
    need_tool({"memory": "valgrind", "cpu": "perf"}[truth.kind])
    program, *args = truth.argv(t, truth.of.get("args", ""))
    r = profile(t, "--scenario", "s", "--type", truth.kind, "--binary", program, *truth.options(), "--", *args,
                status=int(truth.of.get("status", "0")))
    judge(truth, truth.kind, plain(r.out + r.err) + " " + written_of(t))


KINDS = {"io": of_io, "compare": of_compare, "memory": of_profile, "cpu": of_profile}


def truths():
    files = sorted(x for ext in ("c", "sh", "py") for x in glob.glob(os.path.join(TRUTHS, "*." + ext)))
    return {x.name: x for x in (Truth(path) for path in files)}


ALL = truths()


def add(truth):
    def run(t):
        check("truth" in truth.of and truth.says and truth.never,
              "a truth says what it is (truth:), what must be said (says:) and what must not (never:)")
        if truth.of.get("needs") == "root":
            need_root()
        KINDS[truth.kind](t, truth)
    test(run, name="truth-" + truth.name)


for one in ALL.values():
    add(one)


if __name__ == "__main__":
    main()
