#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Type heaptrack of profile-scenario, by the real one, on a program whose heap is known."""
import json
import os
import re
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import check, eq, main, need_tool, profile, test

# 1,000 blocks of 1,024 bytes by make(), of which every other one is freed; then 50 that are freed at once.
KNOWN = """
#include <stdlib.h>
#include <string.h>
static void *kept[1000];
__attribute__((noinline)) static void *make(size_t n) { void *p = malloc(n); memset(p, 1, n); return p; }
__attribute__((noinline)) static void *pass(size_t n) { void *p = malloc(n); memset(p, 1, n); return p; }
int main(int argc, char **argv)
{
	for (int i = 0; i < 1000; i++) kept[i] = make(1024);
	for (int i = 0; i < 1000; i += 2) free(kept[i]);
	for (int i = 0; i < 50; i++) free(pass(100));
	return argc > 1 ? atoi(argv[1]) : 0;
}
"""
# What the library itself brings: the pool of libstdc++ for exceptions, and little else.
OTHERS_BYTES, OTHERS_CALLS = 100000, 20


def known(t, *args, options=(), status=0):
    """A run of it: the process, and the result."""
    need_tool("heaptrack")
    need_tool("cc")
    with open(t.path("known.c"), "w") as f:
        f.write(KNOWN)
    subprocess.run(["cc", "-g", "-O1", "-o", "known", "known.c"], cwd=t.dir, check=True)
    r = profile(t, "--type", "heaptrack", "--scenario", "k", "--binary", "./known", *options, "--", *args, status=status)
    with open(t.path("results/heaptrack/k-heaptrack.json")) as f:
        return r, json.load(f)


def by_print(t):
    """What heaptrack_print itself says of the run."""
    r = subprocess.run(["heaptrack_print", "-f", t.path("results/heaptrack/k-heaptrack.data")], capture_output=True,
                       text=True, check=True)
    return {name: value for name, value in re.findall(r"^([a-zA-Z ]+): ([\d.]+[KMGB]*)", r.stdout, re.M)}


@test
def figures_are_the_programs(t):
    p, r = known(t)
    eq((p.status, r["complete"], r["warnings"], r["exit"]["status"]), (0, True, [], 0), "run")
    check(1050 <= r["allocations"] <= 1050 + OTHERS_CALLS, "allocations: %s" % r["allocations"])
    check(1024000 <= r["peak"]["heap_bytes"] <= 1024000 + OTHERS_BYTES, "peak: %s" % r["peak"])
    check(512000 <= r["held_at_end"]["heap_bytes"] <= 512000 + OTHERS_BYTES, "end: %s" % r["held_at_end"])
    site = r["sites"][0]
    eq((site["function"], site["place"], site["bytes"]), ("make", "known.c", 1024000), "first site")
    check("allocations 1,05" in p.err, p.err)
    eq(by_print(t)["calls to allocation functions"], str(r["allocations"]), "heaptrack_print")
    eq(by_print(t)["peak heap memory consumption"], "%.2fM" % (r["peak"]["heap_bytes"] / 1e6), "heaptrack_print")


@test
def files_and_status(t):
    p, r = known(t, "7", status=7)
    eq((p.status, r["exit"]["status"], r["massif"]), (7, 7, None), "status")
    eq([x for x in sorted(os.listdir(t.path("results/heaptrack"))) if not x.endswith(".svg")],
       ["k-heaptrack.data", "k-heaptrack.folded", "k-heaptrack.json"], "files")
    with open(t.path("results/heaptrack/k-heaptrack.folded")) as f:
        check(re.search(r"^main \(known\.c\);make \(known\.c\);? 1024000$", f.read(), re.M), "no stack of make")


@test
def runs_and_other_commands(t):
    _, r = known(t, options=("--runs", "3"))
    eq((r["runs"]["count"], r["tools"][0]["version"].split()[0]), (3, "heaptrack"), "runs")
    shutil.copytree(t.path("results"), t.path("base"))
    known(t, options=("--runs", "3"))
    c = json.loads(profile(t, "compare", "base", "results", "--json").out)
    eq([(x["type"], x["scenario"]) for x in c["parts"]], [("heaptrack", "k")], "compared")
    eq(profile(t, "baseline", "save", "v1").status, 0, "saved")
    with open(t.path("results/baselines/v1/METADATA.md")) as f:
        check("heaptrack k: make (known.c): " in f.read(), "no finding")
    eq(profile(t, "report", "--scenario", "k").status, 0, "report")
    eq(profile(t, "analyze").status, 0, "analyze")


@test
def only_by_its_name(t):
    out = profile(t, "run", "--scenario", "k", "--type", "all", "--dry-run", "--binary", "true", "--").out
    check("massif" in out and "heaptrack" not in out, out)
    with subprocess.Popen(["sleep", "1000"]) as p:
        r = profile(t, "run", "--attach", str(p.pid), "--type", "heaptrack", "--duration", "1", status=2)
        p.kill()
    check("as it starts" in r.err, r.err)


@test
def a_program_that_is_not_seen(t):
    need_tool("heaptrack")
    r = profile(t, "--type", "heaptrack", "--scenario", "k", "--binary", "sh", "--", "-c", "kill -9 $$", status=137)
    with open(t.path("results/heaptrack/k-heaptrack.json")) as f:
        j = json.load(f)
    eq((j["complete"], j["peak"], [w["code"] for w in j["warnings"]]), (False, None, ["no_profile"]), "killed")


@test
def where_there_is_none(t):
    r = profile(t, "--type", "heaptrack", "--scenario", "k", "--binary", "/bin/true", "--", env={"PATH": t.dir},
                status=125)
    check("heaptrack is not installed" in r.err, r.err)
    r = profile(t, "doctor", env={"PATH": t.dir}, status=1)
    check(re.search(r"^WARN +type-heaptrack ", r.out, re.M), r.out)


if __name__ == "__main__":
    main()
