#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario --type cpu as a user runs it, with the real perf, and with fakes that fail.

BIN: the directory of the programs (default: $BUILD/bin).
"""
import html
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import xml.dom.minidom

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import (BUILD, Failure, Skip, at_some_pace, check, eq, free_port, main, need_perf, need_tool, test,
                 wait_for, wait_for_text)

BIN = os.path.abspath(os.environ.get("BIN", os.path.join(BUILD, "bin")))
NYTPROF = "/usr/share/perl5/Devel/NYTProf/flamegraph.pl"
OUTPUTS = ["-flamegraph.svg", ".folded", "-cpu.json"]

# A thread and a child beside the first thread, each with its own work; argv: rounds, exit status or -signal.
BURN = r"""
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
static volatile unsigned long x;
static void burn(int rounds) { for (long i = 0; i < rounds * 1000000L; i++) x += (unsigned long)i; }
__attribute__((noinline)) void in_main(int n) { burn(n); x++; }
__attribute__((noinline)) void in_thread(int n) { burn(n); x++; }
__attribute__((noinline)) void in_child(int n) { burn(n); x++; }
static void *thread(void *n) { prctl(PR_SET_NAME, "my worker 1"); in_thread(*(int *)n); return n; }
int main(int argc, char **argv)
{
	int rounds = atoi(argv[1]), how = argc > 2 ? atoi(argv[2]) : 0;
	pthread_t t;
	pthread_create(&t, NULL, thread, &rounds);
	if (!fork()) { in_child(rounds); _exit(0); }
	in_main(rounds);
	pthread_join(t, NULL);
	wait(NULL);
	if (how < 0) raise(-how);
	return how;
}
"""
# A server that works hard before it is ready, while it serves, and after TERM; argv: port, "stubborn" ignores TERM. LOAD
# lasts until it has served for a while, however little it runs on a busy machine.
SERVER = r"""
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
static volatile unsigned long x;
static volatile sig_atomic_t stop;
static void on_term(int s) { stop = s; }
__attribute__((noinline)) void start_up(void) { for (long i = 0; i < 100000000L; i++) x++; x += 2; }
__attribute__((noinline)) void serve(void) { for (long i = 0; i < 1000000L; i++) x++; x += 3; }
__attribute__((noinline)) void shut_down(void) { for (long i = 0; i < 100000000L; i++) x++; x += 4; }
int main(int argc, char **argv)
{
	struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((unsigned short)atoi(argv[1]))};
	int s = socket(AF_INET, SOCK_DGRAM, 0);
	signal(SIGTERM, argc > 2 ? SIG_IGN : on_term);
	start_up();
	if (bind(s, (struct sockaddr *)&a, sizeof(a)) < 0) return 9;
	for (int served = 0; !stop; serve())
		if (access("load", F_OK) == 0 && ++served == 400) mkdir("served", 0777);
	shut_down();
	return 7;
}
"""
LOAD = "rm -rf served; touch load; until test -e served; do sleep 0.05; done; rm load"
_built = {}
PROGRAMS = tempfile.TemporaryDirectory(prefix="iotrace-cpu-")


def build(t, source, *options):
    """The program of that C source, compiled once; a copy for the test."""
    cc = shutil.which(os.environ.get("CC", "gcc")) or shutil.which("cc")
    if not cc:
        raise Skip("no C compiler")
    once = _built.get((source, options))
    if not once:
        once = os.path.join(PROGRAMS.name, "prog%d" % len(_built))
        p = subprocess.run([cc, "-O1", "-g", "-fno-omit-frame-pointer", "-pthread", *options, "-x", "c", "-", "-o", once],
                           input=source, text=True, capture_output=True)
        if p.returncode:
            raise Failure("cannot build the target: " + p.stderr)
        _built[source, options] = once
    return shutil.copy(once, t.path("prog%d" % len(os.listdir(t.dir))))


def need_renderer():
    if not (shutil.which("inferno-flamegraph") or shutil.which("flamegraph.pl") or os.path.exists(NYTPROF)):
        raise Skip("no flame graph renderer (libdevel-nytprof-perl)")


def profile(t, name, *args, status=0, path=None, timeout=60, env=None, **kw):
    """Runs --type cpu; path: a directory of fakes that come first, or the whole PATH if it has a colon."""
    program = os.path.join(BIN, "profile-scenario")
    if not os.access(program, os.X_OK):
        raise Failure("%s is not built" % program)
    full = {k: v for k, v in os.environ.items() if k != "PROFILE_BINARY"}
    if path:
        full["PATH"] = path if ":" in path else path + ":" + full["PATH"]
    full.update(env or {})
    r = t.run([program, "--type", "cpu", "--scenario", name] + [str(a) for a in args], env=full, timeout=timeout, **kw)
    if status is not None and r.status != status:
        raise Failure("expected status %d of %s\n%s" % (status, " ".join(map(str, args)), r))
    return r


def there(t, name, out="results"):
    """Which of the outputs are there; anything that is not one is a failure."""
    folder = t.path(out + "/flamegraphs")
    found = sorted(os.listdir(folder)) if os.path.isdir(folder) else []
    for f in found:
        check(f.startswith(name) and not f.startswith("."), "unexpected file %s" % f)
    return [s for s in OUTPUTS if name + s in found]


def result(t, name, run=None):
    part = "%s.runs/%d.json" % (name, run) if run else name + "-cpu.json"
    with open(t.path("results/flamegraphs/" + part)) as f:
        return json.load(f)


def folded(t, name):
    """{stack: count} of the folded file."""
    with open(t.path("results/flamegraphs/%s.folded" % name)) as f:
        return {k: int(v) for k, v in (line.rstrip("\n").rsplit(" ", 1) for line in f)}


def codes(r):
    return [w["code"] for w in r["warnings"]]


def fake(t, name, script):
    path = t.path("fakes/" + name)
    os.makedirs(t.path("fakes"), exist_ok=True)
    with open(path, "w") as f:
        f.write("#!/bin/sh\n" + script + "\n")
    os.chmod(path, 0o755)
    return t.path("fakes")


def running(path):
    return subprocess.run([need_tool("pgrep"), "-f", path], capture_output=True).returncode == 0


# ---- what a profile holds ----

@test
def every_file_and_its_figures(t):
    need_perf()
    need_renderer()
    r = profile(t, "burn", "--sampling-rate", 499, "--binary", build(t, BURN), "--", 150)
    eq(there(t, "burn"), OUTPUTS, "files")
    j, stacks = result(t, "burn"), folded(t, "burn")
    s = j["sampling"]
    eq(j["schema"], "profile.cpu/1", "schema")
    eq(j["complete"], True, "complete")
    eq(j["exit"], {"status": 0, "signal": None, "timed_out": False}, "exit")
    check(s["samples"] > 50 and sum(stacks.values()) == s["samples"], "samples: %s, folded %d" %
          (s["samples"], sum(stacks.values())))
    check(s["event_used"].startswith(s["event_asked"].split(":")[0]), "event: %s" % s)
    eq(("no_hardware_counters" in codes(j)), "cpu-clock" in s["event_used"], "said that it is the clock")
    check("%d samples" % s["samples"] in r.err, "the number of samples is printed: %s" % r.err)
    for comm, function in (("my_worker_1", "in_thread"), ("", "in_main"), ("", "in_child")):
        check(any(function in k and k.startswith(comm) for k in stacks), "%s in %s" % (function, stacks))
    eq(sum(f["samples"] for f in j["threads"]), s["samples"], "by thread")
    eq(sum(p["samples"] for p in j["processes"]), s["samples"], "by process")
    eq((len(j["threads"]), len(j["processes"])), (3, 2), "threads and processes")
    check("my worker 1" in [f["comm"] for f in j["threads"]], "the thread's own name: %s" % j["threads"])
    check(j["functions_by_self"][0]["name"] in ("burn", "in_main", "in_thread", "in_child"), "hot function")
    check(all(a["total"] >= b["total"] for a, b in zip(j["functions_by_total"], j["functions_by_total"][1:])), "order")
    check(j["tools"][0]["version"], "version of perf")
    check(j["environment"]["target_sha256"] and j["environment"]["kernel"], "environment")


@test
def frame_pointers(t):
    need_perf()
    profile(t, "burn", "--call-graph", "fp", "--binary", build(t, BURN), "--sampling-rate", 499, "--", 100)
    eq(result(t, "burn")["sampling"]["call_graph"], "fp", "call graph")
    # Without the frame of the function's caller: a leaf has none of its own.
    check(any("__libc_start_call_main;main;" in k for k in folded(t, "burn")), "stacks: %s" % folded(t, "burn"))


DEEP = r"""
#include <stdlib.h>
#include <time.h>
static volatile unsigned long x;
#define PAD %d
__attribute__((noinline)) long deep(int n)
{
	volatile char pad[PAD];
	pad[n %% PAD] = (char)n;
	if (n <= 0) { for (int i = 0; i < 5000; i++) x += (unsigned long)i; return pad[1]; }
	return deep(n - 1) + pad[3];
}
int main(int argc, char **argv)
{
	clock_t end = clock() + CLOCKS_PER_SEC / 2;
	while (clock() < end) deep(atoi(argv[1]));
	return argc - 2;
}
"""


@test
def stacks_that_do_not_reach_their_start(t):
    """By the folded stacks: as many as lack main. Deeper than 16 KB, deeper than the kernel walks, without pointers."""
    need_perf()
    wide, narrow = build(t, DEEP % 200, "-fno-optimize-sibling-calls"), build(t, DEEP % 8, "-fno-optimize-sibling-calls")
    bare = build(t, DEEP % 8, "-O2", "-fomit-frame-pointer", "-fno-optimize-sibling-calls")
    for binary, graph, depth, cut in ((wide, "dwarf", 200, True), (wide, "dwarf", 10, False), (narrow, "dwarf", 200, False),
                                      (wide, "fp", 200, True), (wide, "fp", 10, False), (bare, "fp", 10, True)):
        what = "%s, %d frames" % (graph, depth)
        profile(t, "deep", "--binary", binary, "--call-graph", graph, "--sampling-rate", 199, "--", depth)
        j, stacks = result(t, "deep"), folded(t, "deep")
        without = sum(n for k, n in stacks.items() if not re.search(";(_start|main|__libc_start_call_main)(;|$)", k))
        check(j["sampling"]["samples"] > 20, "samples: %s" % j["sampling"])
        # Those of before main and of the kernel alone are few.
        check(abs(j["sampling"]["cut"] - without) <= 3, "%s: %s, %d without main" % (what, j["sampling"], without))
        eq("cut_stacks" in codes(j), cut, "%s: said, %s" % (what, j["sampling"]))
    if cut:
        check(any("frame pointers" in w["text"] for w in j["warnings"]), j["warnings"])


@test
def a_program_without_symbols_is_not_called_cut(t):
    need_perf()
    for options in (["-s"], ["-s", "-static"]):
        profile(t, "bare", "--binary", build(t, DEEP % 8, *options), "--sampling-rate", 199, "--", 10)
        j = result(t, "bare")
        check(j["sampling"]["samples"] > 20 and "cut_stacks" not in codes(j), "%s: %s" % (options, j["sampling"]))


@test
def few_samples_are_said_with_the_rate_that_helps(t):
    need_perf()
    r = profile(t, "burn", "--binary", build(t, BURN), "--", 100)
    j = result(t, "burn")
    check("few_samples" in codes(j), "warnings: %s" % codes(j))
    rate = int(re.search(r"use --sampling-rate (\d+)", r.err).group(1))
    check(abs(rate - 99 * 1000 / j["sampling"]["samples"]) <= 1, "rate %d for %d samples" %
          (rate, j["sampling"]["samples"]))


def shares_said(t, rate):
    """How many samples there are, and the shares that the page of text and the archive name."""
    profile(t, "burn", "--binary", build(t, BURN), "--sampling-rate", rate, "--", 150)
    program = os.path.join(BIN, "profile-scenario")
    text = t.run([program, "report", "--scenario", "burn", "--text"]).out
    t.run([program, "baseline", "save", "v%d" % rate])
    with open(t.path("results/baselines/v%d/METADATA.md" % rate)) as f:
        findings = f.read().split("## Key findings")[1].split("## ")[0]
    rows = re.findall(r"^ *(?:burn|in_main) .*%|^symbols.*%|shares below.*%", text, re.M)
    return result(t, "burn")["sampling"]["samples"], rows, re.findall(r"[0-9.]+% of the samples", findings)


@test(timeout=120)
def nothing_is_concluded_from_few(t):
    need_perf()
    for hz in (19, 39, 59, 79, 97):  # a machine that is busy gives fewer samples
        samples, rows, findings = shares_said(t, hz)
        if samples:
            break
    check(0 < samples < 100 and not rows and not findings, "%d samples: %s, %s" % (samples, rows, findings))
    for hz in (499, 999, 1999, 3999):
        samples, rows, findings = shares_said(t, hz)
        if samples >= 100:
            break
    check(samples >= 100 and rows and findings, "%d samples: %s, %s" % (samples, rows, findings))


@test
def no_samples_at_all(t):
    need_perf()
    profile(t, "none", "--binary", "true", "--sampling-rate", 1)
    j = result(t, "none")
    eq((j["sampling"]["samples"], j["functions_by_self"]), (0, []), "nothing")
    check("no_samples" in codes(j), "warnings: %s" % codes(j))
    eq(there(t, "none"), OUTPUTS, "files")
    with open(t.path("results/flamegraphs/none-flamegraph.svg")) as f:
        check("No samples were taken." in f.read(), "the picture")


@test
def the_targets_own_input_output_and_environment(t):
    """perf itself sets some variables, and puts a directory before PATH: docs/CPU-PROFILE.md."""
    need_perf()
    script = ("cat; echo oops >&2; env | grep -vE '^(_|PATH|PREFIX|DEBUGINFOD_URLS|PERF_BUILDID_DIR)=' | sort; pwd; "
              "exit 5")
    alone = t.run(["sh", "-c", script], input=b"some input\n")
    under = profile(t, "sh", "--binary", "sh", "--", "-c", script, input=b"some input\n", status=5)
    eq(under.out, alone.out, "standard output")
    own = [line for line in under.err.splitlines() if not line.startswith("profile-scenario: ")]
    eq(own, ["oops"], "standard error")


@test
def exit_status(t):
    need_perf()
    burn = build(t, BURN)
    for how, status, want in ((0, 0, (0, None)), (42, 42, (42, None)), (-15, 143, (None, 15)), (-9, 137, (None, 9))):
        profile(t, "burn", "--binary", burn, "--", 20, how, status=status)
        e = result(t, "burn")["exit"]
        eq((e["status"], e["signal"]), want, "exit of %d" % how)


# ---- window, limits ----

@test
def a_window_lasts_from_its_confirmation(t):
    """A perf that takes longer than skip and duration together to begin it."""
    need_perf()
    fakes = fake(t, "perf", '[ "$1" = record ] && sleep 2.2; exec %s "$@"' % shutil.which("perf"))
    # The target goes on for so long after that: it costs nothing.
    profile(t, "x", "--binary", "sleep", "--skip", "0.1", "--duration", "0.3", "--", 5, path=fakes)
    w = result(t, "x")["window"]
    check(w["begin_ns"] >= 2e9 and w["wall_ns"] >= 0.29e9, "window: %s" % w)
    check("window_not_confirmed" not in codes(result(t, "x")), "confirmed")


@test
def a_perf_that_writes_is_not_killed(t):
    """The target ends by TERM; the grace is for it, not for perf, whose files take longer."""
    need_perf()
    sample = r"printf 'sleep 1/1 1.0: e: \n\t1 main (/t)\n\n'"
    fakes = fake(t, "perf", FAKE_PERF.replace('exec "$@"', '"$@"; i=0; while [ $i -lt 2000000 ]; do i=$((i + 1)); done; '
                                              'echo data >"$out"; exit 1')
                 .replace('echo data >"$2"', 'out=$2') % sample)

    def ended(pace):
        profile(t, "x", "--binary", "sleep", "--timeout", 0.3 * pace, "--grace", "0.1", "--", "1000", path=fakes, status=124)
        j = result(t, "x")
        eq((j["exit"]["timed_out"], j["sampling"]["samples"]), (True, 1), "samples kept")
        check("target_killed" not in codes(j), "warnings: %s" % codes(j))

    at_some_pace(ended)


@test
def only_the_window_is_sampled(t):
    need_perf()
    port = free_port()
    profile(t, "srv", "--binary", build(t, SERVER), "--ready", "udp:%d" % port, "--load", LOAD, "--sampling-rate", 199,
            "--", port)
    j, stacks = result(t, "srv"), folded(t, "srv")
    check(any("serve" in k for k in stacks) and not any("start_up" in k or "shut_down" in k for k in stacks),
          "only serve(): %s" % stacks)
    eq(j["exit"]["status"], 0, "ended by us after the load")
    # How much of a second the server runs is the machine's affair.
    seconds = j["window"]["wall_ns"] / 1e9
    check(j["load"]["wall_ns"] <= j["window"]["wall_ns"] < j["wall_ns"], "window: %s" % j["window"])
    check(5 < j["sampling"]["samples"] < 199 * seconds + 20, "samples: %s in %.2f s" % (j["sampling"], seconds))
    eq(j["load"]["status"], 0, "load")
    check("window_not_confirmed" not in codes(j), "perf confirmed the window")


@test
def skip_and_duration_without_a_load(t):
    need_perf()
    burn = build(t, BURN)

    def cut(pace):
        profile(t, "burn", "--binary", burn, "--skip", 0.2 * pace, "--duration", 0.1 * pace, "--", 500 * pace)
        j = result(t, "burn")
        check(j["window"] and 0.05e9 < j["window"]["wall_ns"] < j["wall_ns"] - 0.15e9 * pace, "window: %s of %s" % (
            j["window"], j["wall_ns"]))

    at_some_pace(cut, (1, 4, 16))
    profile(t, "burn", "--binary", burn, "--skip", "30", "--", 10, status=None)
    check("no_window" in codes(result(t, "burn")), "ended before the skip was over")


@test
def a_crash_in_the_shutdown_is_a_crash(t):
    need_perf()
    if tuple(int(x) for x in re.findall(r"\d+", os.uname().release)[:2]) < (6, 15):
        raise Skip("the kernel does not tell how another's child ended (PIDFD_GET_INFO)")
    port = free_port()
    server = build(t, SERVER.replace("stop = s;", "(void)s; __builtin_trap();"))
    profile(t, "srv", "--binary", server, "--ready", "udp:%d" % port, "--load", "sleep 0.3", "--", port, status=132)
    j = result(t, "srv")
    eq((j["exit"]["status"], j["exit"]["signal"]), (None, signal.SIGILL), "exit")
    check("target_crashed" in codes(j), "warnings: %s" % codes(j))


@test
def a_stubborn_target_is_killed(t):
    need_perf()
    port, server = free_port(), build(t, SERVER)
    profile(t, "srv", "--binary", server, "--ready", "udp:%d" % port, "--load", LOAD, "--grace", "0.5",
            "--", port, "stubborn")
    j = result(t, "srv")
    check("target_killed" in codes(j), "warnings: %s" % codes(j))
    check(j["sampling"]["samples"] > 0, "its samples are kept")
    wait_for("it is gone", lambda: not running(server))


@test
def time_limit(t):
    need_perf()
    server = build(t, SERVER)
    r = profile(t, "srv", "--binary", server, "--timeout", "4", "--grace", "0.5", "--", free_port(), "stubborn",
                status=124)
    j = result(t, "srv")
    eq((j["exit"]["timed_out"], j["complete"]), (True, False), "marked")
    check("timed_out" in codes(j) and "time limit" in r.err, "said: %s" % r)
    check(j["sampling"]["samples"] > 0, "samples kept")
    wait_for("the target is gone", lambda: not running(server))


@test
def several_runs(t):
    need_perf()
    r = profile(t, "burn", "--binary", build(t, BURN), "--runs", 3, "--warmup", 1, "--", 30)
    j = result(t, "burn")
    eq(j["runs"]["count"], 3, "runs")
    kept = "run %d of 3" % j["runs"]["chosen"]
    check("(%s; 2 others have a note too)" % kept in r.err and r.err.count("note:") == 1, "one note: %s" % r)
    check("(%s); results/" % kept in r.err, "which of them: %s" % r)
    walls = sorted(result(t, "burn", k)["wall_ns"] for k in (1, 2, 3))
    eq(j["wall_ns"], walls[1], "the median is kept")


# ---- difference ----

@test
def differences(t):
    need_perf()
    need_renderer()
    burn = build(t, BURN)
    profile(t, "burn", "--binary", burn, "--sampling-rate", 499, "--", 100)
    shutil.move(t.path("results"), t.path("base"))
    other = build(t, BURN.replace("void in_main(int n) { burn(n);", "void in_main(int n) { burn(8 * n);"))
    profile(t, "burn", "--binary", other, "--sampling-rate", 499, "--diff", "base", "--", 100)
    d = result(t, "burn")["diff"]
    check(d["base"].endswith("base/flamegraphs/burn.folded") and d["significant"] > 0, "diff: %s" % d)
    with open(t.path("results/flamegraphs/burn-diff.folded")) as f:
        rows = [line.rsplit(" ", 2) for line in f.read().splitlines()]
    changed = [row for row in rows if row[1] != row[2]]
    check(changed and len(changed) == d["significant"], "rows: %s" % rows)
    check(any("in_main" in row[0] and int(row[2]) > int(row[1]) for row in changed), "in_main grew: %s" % changed)
    check(os.path.exists(t.path("results/flamegraphs/burn-diff-flamegraph.svg")), "a picture")
    # Without --diff those of before are gone: they would not belong to the rest.
    profile(t, "burn", "--binary", burn, "--", 30)
    check(not os.path.exists(t.path("results/flamegraphs/burn-diff.folded")), "old difference")
    r = profile(t, "burn", "--binary", burn, "--diff", "nowhere", "--", 30, status=2)
    check("nowhere" in r.err, str(r))


@test
def the_same_program_under_another_name(t):
    """Whatever is coloured would be the name's doing. Rarely, chance is (1 of 100): then it is done again."""
    need_perf()
    for options in ([], ["-s"]):
        burn = build(t, BURN, *options)
        for name in ("burn_of_old_days", "burn_new"):
            shutil.copy(burn, t.path(name))
        for attempt in range(5):
            profile(t, "burn", "--output-dir", "base", "--sampling-rate", 499, "--binary", t.path("burn_of_old_days"), "--", 100)
            profile(t, "burn", "--binary", t.path("burn_new"), "--sampling-rate", 499, "--diff", "base", "--", 100)
            d = result(t, "burn")["diff"]
            if not d["significant"]:
                break
        eq([c for c in d["changes"] if c["significant"]], [], "functions")
        eq(d["significant"], 0, "stacks")
        with open(t.path("results/flamegraphs/burn-diff.folded")) as f:
            text = f.read()
        check("burn_new" not in text and "burn_of" not in text, "no name: %s" % text)


@test
def compare_in_turns_draws_its_picture(t):
    """Of all runs of a side together."""
    need_perf()
    need_renderer()
    old = build(t, BURN)
    new = build(t, BURN.replace("void in_main(int n) { burn(n);", "void in_main(int n) { burn(8 * n);"))
    r = t.run([os.path.join(BIN, "profile-scenario"), "compare", "--type", "cpu", "--scenario", "burn", "--runs", "2",
               "--base-binary", old, "--new-binary", new, "--", "40"], timeout=60)
    check(os.path.exists(t.path("results/compare/burn-diff-flamegraph.svg")) and "burn-diff-flamegraph.svg" in r.err, str(r))
    with open(t.path("results/compare/burn-diff.folded")) as f:
        rows = [line.rsplit(" ", 2) for line in f.read().splitlines()]
    samples = 0
    for k in (1, 2):
        with open(t.path("results/compare/burn/new/%d/flamegraphs/burn-cpu.json" % k)) as f:
            samples += json.load(f)["sampling"]["samples"]
    eq(sum(int(row[2]) for row in rows), samples, "samples of the picture")
    r = t.run([os.path.join(BIN, "profile-scenario"), "compare", "--type", "io", "--scenario", "burn", "--runs", "1",
               "--base-binary", "/bin/true", "--new-binary", "/bin/true"], timeout=60)
    check("burn io" in r.out and "burn cpu" not in r.out, "those of before are not compared: %s" % r)
    check("flamegraph" not in r.err, str(r))


# ---- bad input and broken tools ----

@test
def bad_input(t):
    need_perf()
    with open("/proc/sys/kernel/perf_event_max_sample_rate") as f:
        too_much = int(f.read()) + 1
    for args, part in ((["--sampling-rate", "0"], "sampling-rate"), (["--sampling-rate", too_much], str(too_much - 1)),
                       (["--call-graph", "magic"], "dwarf or fp")):
        r = profile(t, "x", "--binary", "true", *args, status=2)
        check(part in r.err and len(r.err.splitlines()) == 1, "one line with %s: %s" % (part, r))
        eq(there(t, "x"), [], "files")
    profile(t, "x", "--binary", "/etc/passwd", status=2)
    eq(there(t, "x"), [], "files")


def expect_nothing(t, r, *parts):
    eq(r.status, 125, "status of %s" % r)
    for part in parts:
        check(part in r.err, "%r is not in: %s" % (part, r))
    eq(there(t, "x"), [], "files")
    eq([f for f in os.listdir(t.path("results/flamegraphs"))], [], "leftovers")


@test
def perf_is_missing(t):
    os.makedirs(t.path("empty"))
    expect_nothing(t, profile(t, "x", "--binary", "/bin/true", path=t.path("empty") + ":/nonexistent", status=None),
                   "no perf", "apt-get install -y linux-perf")


@test
def perf_record_fails(t):
    need_perf()
    for script in ("kill -SEGV $$", "echo 'perf: trouble' >&2; exit 255", "exit 0"):
        fakes = fake(t, "perf", script)
        expect_nothing(t, profile(t, "x", "--binary", "true", path=fakes, status=None), "perf record")


# perf: "record" makes its file and runs the target, "script" does what is tested.
FAKE_PERF = """case $1 in
record) while [ "$1" != -- ]; do [ "$1" = -o ] && echo data >"$2"; shift; done; shift; exec "$@";;
script) %s;;
esac"""


@test
def perf_script_fails(t):
    need_perf()
    half = r"printf 't 1/1 1.0: e: \n\t1 main (/t)\n\nt 1/1 1.0: e: \n\t1 ma'"
    for script in (half + "; kill -SEGV $$", "echo 'bad file' >&2; exit 1"):
        fakes = fake(t, "perf", FAKE_PERF % script)
        expect_nothing(t, profile(t, "x", "--binary", "true", path=fakes, status=None), "perf")


@test
def perf_leaves_a_file_that_is_not_finished(t):
    """It was killed, or all whom it was attached to have ended: the size of the data is still 0. perf script would say
    other things of that."""
    need_perf()
    for size, says in ((0, "left no data"), (1, "perf script")):
        head = "PERFILE2" + r"\150\0\0\0\0\0\0\0" + r"\0" * 32 + r"\%d\0\0\0\0\0\0\0" % size
        fakes = fake(t, "perf", FAKE_PERF.replace("echo data", "printf '%s'" % head.replace("%", "%%"))
                     % "echo 'bad file' >&2; exit 1")
        expect_nothing(t, profile(t, "x", "--binary", "true", path=fakes, status=None), says)


@test
def interrupted_while_perf_script_hangs(t):
    need_perf()
    fakes = fake(t, "perf", FAKE_PERF % ("echo $$ >%s; exec sleep 1000" % t.path("pid")))
    p = t.start([os.path.join(BIN, "profile-scenario"), "--type", "cpu", "--scenario", "x", "--binary", "true"],
                env=dict(os.environ, PATH=fakes + ":" + os.environ["PATH"]))
    pid = int(wait_for_text(t.path("pid")))
    p.send_signal(signal.SIGINT)
    r = t.finish(p)
    expect_nothing(t, r)
    check(not os.path.exists("/proc/%d" % pid), "perf script is gone")


@test
def perf_script_prints_garbage(t):
    need_perf()
    fakes = fake(t, "perf", FAKE_PERF % "head -c 100000 /dev/urandom")
    profile(t, "x", "--binary", "true", path=fakes)
    j = result(t, "x")
    check("unreadable_lines" in codes(j) and j["sampling"]["unreadable_lines"] > 0, "said: %s" % codes(j))


@test
def perf_that_takes_no_samples_is_no_idle_target(t):
    """As perf 6.12 is without /sys: it ends well, and has nothing."""
    need_perf()
    profile(t, "x", "--binary", build(t, BURN), "--sampling-rate", 4000, "--", 300,
            path=fake(t, "perf", FAKE_PERF % ": nothing"))
    j = result(t, "x")
    eq((j["sampling"]["samples"], j["complete"]), (0, False), "samples, complete")
    check("perf_took_none" in codes(j) and "no_samples" not in codes(j), "said: %s" % codes(j))


@test
def renderer_fails(t):
    need_perf()
    burn = build(t, BURN)
    for script, part in (("kill -SEGV $$", "139"), ("echo hello", "whole SVG"), ("echo '<?xml'; echo '<svg>'", "whole SVG"),
                         ("echo broken >&2; exit 1", "broken")):
        fakes = fake(t, "inferno-flamegraph", script)
        r = profile(t, "x", "--binary", burn, "--", 30, path=fakes, status=125)
        check(part in r.err and "flame graph" in r.err, "%r: %s" % (part, r))
        eq(there(t, "x"), OUTPUTS[1:], "the rest is kept")
        check("no_flamegraph" in codes(result(t, "x")), "and marked")


@test
def renderer_is_missing(t):
    need_perf()
    bare = t.path("bare")
    os.makedirs(bare)
    for name in ("perf", "sh", "git"):
        if shutil.which(name):
            os.symlink(os.path.realpath(shutil.which(name)), os.path.join(bare, name))
    profile(t, "x", "--binary", build(t, BURN), "--", 100, path=bare + ":/nonexistent")
    eq(there(t, "x"), OUTPUTS, "everything is made all the same")
    with open(t.path("results/flamegraphs/x-flamegraph.svg")) as f:
        svg = f.read()
    xml.dom.minidom.parseString(svg)
    check("in_main\n" in svg and " samples" in svg and "<script" not in svg, svg[:2000])
    check("No samples were taken." not in svg and "There are no stacks." not in svg, svg[:2000])
    profile(t, "x", "--binary", build(t, BURN), "--diff", "results", "--", 100, path=bare + ":/nonexistent")
    check(os.path.exists(t.path("results/flamegraphs/x-diff-flamegraph.svg")), "the difference too")


# ---- the picture ----

PROBE = """window.reportErrors = [];
window.addEventListener('error', function (e) { reportErrors.push(String(e.message)); });"""
DRIVE = """window.addEventListener('load', function () {
	var report = {errors: reportErrors};
	var frames = Array.prototype.filter.call(document.querySelectorAll('g'), function (g) {
		return g.querySelector('title') && g.querySelector('rect'); });
	var width = function (g) { return parseFloat(g.querySelector('rect').getAttribute('width')); };
	var marked = function () { return frames.filter(function (g) {
		return /230, ?0, ?230/.test(g.querySelector('rect').getAttribute('fill')); }).length; };
	var click = function (e) { e.dispatchEvent(new MouseEvent('click', {bubbles: true})); };
	try {
		var frame = frames.filter(function (g) {
			return g.querySelector('title').textContent.indexOf('in_main ') === 0; })[0];
		search('in_main'); report.found = marked();
		reset_search(); report.after = marked();
		report.before = width(frame);
		click(frame); report.zoomed = width(frame);
		click(document.getElementById('unzoom')); report.unzoomed = width(frame);
	} catch (e) { report.errors.push(String(e)); }
	document.documentElement.setAttribute('data-report', JSON.stringify(report));
});"""


def browse(t, svg):
    """Opens the picture in a browser that searches and zooms in it; what came of that."""
    browser = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not browser:
        raise Skip("no chromium")
    script = '<script type="text/ecmascript"><![CDATA[%s]]></script>'
    begin, end = svg.index(">", svg.index("<svg")) + 1, svg.rindex("</svg>")
    with open(t.path("driven.svg"), "w") as f:
        f.write(svg[:begin] + script % PROBE + svg[begin:end] + script % DRIVE + svg[end:])
    p = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + t.path("browser"),
                        "--virtual-time-budget=5000", "--dump-dom", "file://" + t.path("driven.svg")],
                       capture_output=True, text=True, timeout=50)
    found = re.search('data-report="([^"]*)"', p.stdout)
    if not found:
        raise Failure("the scripts did not run: %s\n%s" % (p.stdout[-500:], p.stderr[-500:]))
    return json.loads(html.unescape(found.group(1)))


@test(timeout=120)
def picture_in_a_browser(t):
    need_perf()
    need_renderer()
    profile(t, "burn", "--sampling-rate", 199, "--binary", build(t, BURN), "--", 100)
    with open(t.path("results/flamegraphs/burn-flamegraph.svg")) as f:
        r = browse(t, f.read())
    eq(r["errors"], [], "script errors")
    check(r["found"] >= 1 and r["after"] == 0, "search: %s" % r)
    check(r["zoomed"] > 1.2 * r["before"] and abs(r["unzoomed"] - r["before"]) < 1, "zoom: %s" % r)


@test(timeout=120)
def picture_of_hostile_names(t):
    """Names that would break XML or a script reach the picture through the folder."""
    need_perf()
    need_renderer()
    lines = [r"evil 1/1 1.0: cpu-clock: \n"] + [r"\t%d %s (/opt/x)\n" % (i, n) for i, n in enumerate((
        "a\"b", "c<d>&e", "f;g", r"h\\\\", "i 12", r"j\\033[31m", r"k\\377\\376l", "m]]>n", "in_main", "o(p", "${q}"))]
    fakes = fake(t, "perf", FAKE_PERF % ("printf '%s'" % "".join(lines).replace("\\\\0", "\\0").replace("\\\\3", "\\3")))
    profile(t, "evil", "--binary", "true", path=fakes)
    with open(t.path("results/flamegraphs/evil-flamegraph.svg"), encoding="utf-8") as f:
        r = browse(t, f.read())
    eq(r["errors"], [], "script errors")
    eq(r["found"], 1, "search")


main()
