#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Type memory of profile-scenario: with the real valgrind on heaps of known size, and with fake tools
that are missing, crash, print garbage, write half a file or hang.
"""
import json
import os
import signal
import sys
import xml.dom.minidom

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, Failure, check, eq, main, need_tool, profile, test

REAL = "/usr/bin:/bin:/usr/sbin:/sbin"


def memory(t, name, *args, **kw):
    return profile(t, "--type", "memory", "--scenario", name, *args, **kw)


def heap(t, name, *args, options=(), **kw):
    need_tool("valgrind")
    return memory(t, name, "--binary", t.target("heap"), *options, "--", *args, **kw)


def path(t, name, suffix, out="results"):
    return t.path("%s/massif/%s%s" % (out, name, suffix))


def result(t, name, run=None):
    p = path(t, name, ".runs/%d.json" % run if run else "-memory.json")
    try:
        with open(p) as f:
            return json.load(f)
    except OSError as e:
        raise Failure("no result: %s" % e) from e


def text(t, name, suffix):
    with open(path(t, name, suffix)) as f:
        return f.read()


def codes(r):
    return [w["code"] for w in r["warnings"]]


def nothing_left(t):
    folder = t.path("results/massif")
    left = [x for x in os.listdir(folder) if x.startswith(".")] if os.path.isdir(folder) else []
    eq(left, [], "what is left of the work directory")


# ---- the real valgrind ----

@test
def peak_is_exact(t):
    heap(t, "p", "peak", "1000000", "300000", "50000")
    r = result(t, "p")
    eq(r["schema"], "profile.memory/1", "schema")
    eq((r["complete"], r["warnings"]), (True, []), "complete, warnings")
    eq(r["peak"]["heap_bytes"], 1350000, "peak")
    eq(r["held_at_end"]["heap_bytes"], 50000, "held at the end")
    eq(r["peak"]["stacks_bytes"], None, "stacks were not measured")
    eq(r["exit"], {"status": 0, "signal": None, "timed_out": False}, "exit")
    eq(r["massif"]["time_unit"], "i", "time unit")
    eq([s["bytes"] for s in r["sites"]], [1350000], "sites")
    eq(r["peak_tree"]["nodes"][0]["bytes"], 1350000, "root of the tree")
    check(r["environment"]["target_sha256"], "the environment is described")
    nothing_left(t)


@test
def every_file_of_the_contract(t):
    heap(t, "p", "peak")
    eq(sorted(os.listdir(t.path("results/massif"))),
       ["p-massif-flamegraph.svg", "p-massif-plot.svg", "p-massif-report.txt", "p-massif.folded",
        "p-massif.log", "p-massif.out", "p-memory.json"], "files")
    check("Massif arguments" in text(t, "p", "-massif-report.txt"), "report of ms_print")
    stacks = dict(line.rsplit(" ", 1) for line in text(t, "p", "-massif.folded").splitlines())
    eq(sum(map(int, stacks.values())), 1350000, "sum of the folded stacks")
    check(any(s.endswith("run_peak;heap_wide;heap_block") for s in stacks), "callers first: %s" % list(stacks))
    for svg in ("-massif-plot.svg", "-massif-flamegraph.svg"):
        xml.dom.minidom.parseString(text(t, "p", svg))
    check("peak 1.3 MiB" in text(t, "p", "-massif-plot.svg"), "the plot says the peak")


@test
def runs_of_the_same_work_are_the_same(t):
    heap(t, "p", "steps", "5", "1000", options=["--runs", "3"], timeout=60)
    r = [result(t, "p", k) for k in (1, 2, 3)]
    eq(r[0]["snapshots"], r[1]["snapshots"], "run 1 and 2")
    eq(r[1]["snapshots"], r[2]["snapshots"], "run 2 and 3")
    eq(result(t, "p")["runs"]["count"], 3, "runs")


@test
def sizes_of_every_step(t):
    heap(t, "s", "steps", "6", "12345", options=["--time-unit", "B", "--detailed-freq", "1"])
    r = result(t, "s")
    eq([s["heap_bytes"] for s in r["snapshots"]], [12345 * i for i in range(7)], "heap at each snapshot")
    eq({s["tree"] for s in r["snapshots"][1:]} - {"detailed", "peak"}, set(), "every snapshot is detailed")


@test
def options_reach_massif(t):
    heap(t, "o", "peak", options=["--detailed-freq=2", "--max-snapshots=10", "--threshold=30", "--depth=2",
                                  "--stacks", "--alloc-fn=heap_block;heap_wide", "--ignore-fn=heap_narrow",
                                  "--time-unit=ms"])
    r = result(t, "o")
    eq(r["massif"]["options"], ["--time-unit=ms", "--detailed-freq=2", "--max-snapshots=10", "--depth=2",
                                "--threshold=30", "--stacks=yes", "--alloc-fn=heap_block",
                                "--alloc-fn=heap_wide", "--ignore-fn=heap_narrow"], "options")
    eq(r["massif"]["stacks"], True, "stacks")
    check(r["peak"]["stacks_bytes"] > 0, "stacks at the peak")
    check("heap_wide" not in [n["function"] for n in r["peak_tree"]["nodes"]], "alloc-fn")


@test
def pages_as_heap(t):
    heap(t, "pg", "peak", options=["--pages-as-heap"])
    r = result(t, "pg")
    eq((r["massif"]["pages_as_heap"], r["peak"]["extra_bytes"]), (True, None), "pages, extra")
    check(r["peak"]["heap_bytes"] > 1350000, "peak")


@test
def bad_options_are_refused(t):
    for options, words in ((["--time-unit=s"], "--time-unit"), (["--threshold=101"], "--threshold"),
                           (["--threshold=x"], "--threshold"), (["--stacks", "--pages-as-heap"], "--stacks"),
                           (["--depth=201"], "--depth"), (["--depth=0"], "--depth"),
                           (["--max-snapshots=9"], "--max-snapshots"), (["--detailed-freq=0"], "--detailed-freq")):
        r = heap(t, "b", "peak", options=options, status=2)
        check(words in r.err, "%s: %s" % (options, r.err))
        nothing_left(t)
        check(not os.path.exists(path(t, "b", "-memory.json")), "no result")


@test
def children_are_kept_apart(t):
    heap(t, "f", "fork", "100000", "400000")
    r = result(t, "f")
    eq(r["peak"]["heap_bytes"], 100000, "peak of the target")
    eq([p["main"] for p in r["processes"]], [True, False], "processes")
    # A fork starts with what its parent held.
    eq(r["processes"][1]["peak"]["heap_bytes"], 500000, "peak of the child")
    check("larger_child" in codes(r), "warning: %s" % codes(r))
    eq(text(t, "f", "-massif-children.out").count("desc:"), 1, "files of children")


@test
def children_of_a_shell(t):
    need_tool("valgrind")
    memory(t, "sh", "--binary", "/bin/sh", "--", "-c",
           "%s peak 1000 1 1; %s status 0; exit 5" % (t.target("heap"), t.target("heap")), status=5)
    r = result(t, "sh")
    commands = [p["command"] for p in r["processes"]]
    check(commands[0].startswith("/bin/sh"), "the target is the shell: %s" % commands)
    eq([p["peak"]["heap_bytes"] for p in r["processes"][1:]], [1002, 70000], "peaks of the children")
    eq([p["parent_pid"] for p in r["processes"][1:]], [r["processes"][0]["pid"]] * 2, "parents")
    eq(r["exit"]["status"], 5, "status")


@test
def target_that_becomes_another(t):
    heap(t, "x", "exec", t.target("heap"), "peak", "200000", "1", "1")
    r = result(t, "x")
    eq((len(r["processes"]), r["peak"]["heap_bytes"]), (1, 200002), "processes, peak")


@test
def status_and_output_are_the_targets(t):
    r = heap(t, "st", "status", "3", status=3)
    eq(r.out, "", "stdout")
    check("==" not in r.err, "valgrind's words on stderr: %s" % r.err)
    eq(result(t, "st")["exit"]["status"], 3, "status")
    r = memory(t, "echo", "--binary", "/bin/echo", "--", "hello")
    eq(r.out, "hello\n", "output of the target")


@test
def directory_with_percent_and_blanks(t):
    heap(t, "d", "peak", options=["--output-dir", "100%p %n x/y"])
    with open(t.path("100%p %n x/y/massif/d-memory.json")) as f:
        eq(json.load(f)["peak"]["heap_bytes"], 1350000, "peak")


@test
def options_of_the_environment_do_not_count(t):
    heap(t, "e", "peak", env={"VALGRIND_OPTS": "--tool=memcheck --time-unit=B"})
    eq(result(t, "e")["massif"]["time_unit"], "i", "time unit")


@test
def killed_leaves_no_profile_and_says_so(t):
    heap(t, "k", "kill", status=137)
    r = result(t, "k")
    eq((r["complete"], r["peak"]), (False, None), "complete, peak")
    check("no_profile" in codes(r), codes(r))
    check(any("SIGKILL" in w["text"] for w in r["warnings"]), r["warnings"])
    eq(r["exit"]["signal"], signal.SIGKILL, "signal")
    check(not os.path.exists(path(t, "k", "-massif.out")), "no massif.out")
    xml.dom.minidom.parseString(text(t, "k", "-massif-plot.svg"))


@test
def older_files_do_not_stand_beside_a_run_without(t):
    heap(t, "k", "peak")
    heap(t, "k", "kill", status=137)
    # The killer may still be running when its parent is gone: it leaves a profile or does not.
    eq(sorted(set(os.listdir(t.path("results/massif"))) - {"k-massif-children.out"}),
       ["k-massif-plot.svg", "k-massif.log", "k-memory.json"], "files")


@test
def time_limit_ends_by_term_and_keeps_the_profile(t):
    heap(t, "w", "wait", options=["--timeout", "5"], status=124)
    r = result(t, "w")
    eq((r["complete"], r["exit"]["timed_out"]), (False, True), "complete, timed out")
    eq(r["peak"]["heap_bytes"], 70000, "peak")
    eq(r["exit"]["signal"], signal.SIGTERM, "signal")


@test
def time_limit_of_one_that_ignores_term(t):
    heap(t, "w", "wait", "1", options=["--timeout", "5", "--grace", "1"], status=124)
    r = result(t, "w")
    check("no_profile" in codes(r) and r["peak"] is None, "no profile: %s" % codes(r))


@test
def window_is_marked(t):
    os.mkfifo(t.path("fifo"))
    heap(t, "sv", "serve", "fifo", "40000", "up", timeout=60, options=[
        "--ready", "test -e up", "--load",
        "i=0; while [ $i -lt 10 ]; do printf x >fifo; sleep 0.05; i=$((i+1)); done; echo requests 10",
        "--work", r"request=requests (\d+)"])
    r = result(t, "sv")
    w = r["window"]
    eq(r["exit"]["status"], 0, "a target that we ended")
    eq((r["load"]["status"], r["work"]), (0, {"unit": "request", "count": 10}), "load, work")
    check(0 < w["begin_ns"] < w["end_ns"] and w["wall_ns"] == w["end_ns"] - w["begin_ns"], "window: %s" % w)
    check(w["begin"] and w["begin"]["heap_bytes"] <= 80000, "heap at the beginning: %s" % w["begin"])
    eq(r["held_at_end"]["heap_bytes"], 400000, "held at the end")
    check('class="window"' in text(t, "sv", "-massif-plot.svg"), "the plot has the window")
    nothing_left(t)


@test
def interrupted_keeps_what_there_is(t):
    need_tool("valgrind")
    p = t.start([os.path.join(BIN, "profile-scenario"), "--type", "memory", "--scenario", "i",
                 "--binary", t.target("heap"), "--", "wait"])
    eq(p.stdout.readline(), b"ready\n", "the target")
    p.send_signal(signal.SIGTERM)
    t.finish(p)
    eq(result(t, "i")["peak"]["heap_bytes"], 70000, "peak")
    nothing_left(t)


# ---- fake tools ----

# A valgrind that says its version, finds the names of its files and then does what FAKE says.
FAKE = r"""#!/bin/sh
case "$*" in *--version*) echo valgrind-9.9.9; exit 0;; esac
for a; do case "$a" in
  --massif-out-file=*) out=$(echo "${a#*=}" | sed "s/%p/$$/");;
  --log-file=*) log=$(echo "${a#*=}" | sed "s/%p/$$/");;
esac; done
"""
GOOD = r"printf 'desc: x\ntime_unit: i\nsnapshot=0\ntime=1\nmem_heap_B=5\nheap_tree=empty\n' >$out" + "\n"


def fakes(t, ms_print=None, **tools):
    """A directory of tools in front of PATH; valgrind=None leaves only what lies there."""
    d = t.path("fakes")
    os.makedirs(d, exist_ok=True)
    if ms_print is not None:
        tools["ms_print"] = ms_print
    for name, body in tools.items():
        with open(os.path.join(d, name), "w") as f:
            f.write((FAKE if name == "valgrind" else "#!/bin/sh\n") + body + "\n")
        os.chmod(os.path.join(d, name), 0o755)
    return {"PATH": d + ":" + REAL}


def fake_run(t, valgrind, status=0, options=(), **kw):
    return memory(t, "x", "--binary", "/bin/true", *options, env=fakes(t, valgrind=valgrind, **kw), status=status)


@test
def valgrind_is_missing(t):
    os.makedirs(t.path("empty"))
    r = memory(t, "x", "--binary", "/bin/true", env={"PATH": t.path("empty")}, status=125)
    check("valgrind is not installed" in r.err and "apt-get install" in r.err, r.err)
    check(not os.path.exists(path(t, "x", "-memory.json")), "no result")
    memory(t, "x", "--binary", "/bin/true", "--skip-unavailable", env={"PATH": t.path("empty")}, status=0)


@test
def valgrind_is_another_program(t):
    d = t.path("other")
    os.makedirs(d)
    os.symlink("/bin/true", os.path.join(d, "valgrind"))
    r = memory(t, "x", "--binary", "/bin/true", env={"PATH": d + ":" + REAL}, status=125)
    check("does not say its version" in r.err, r.err)


@test
def valgrind_crashes(t):
    r = fake_run(t, r"echo '==1== valgrind: the impossible happened' >$log; exit 1", status=125)
    check("left no heap profile: valgrind: the impossible happened" in r.err, r.err)
    check(not os.path.exists(path(t, "x", "-memory.json")), "no result")
    nothing_left(t)


@test
def valgrind_is_killed(t):
    fake_run(t, "kill -KILL $$", status=137)
    eq(codes(result(t, "x")), ["no_profile"], "warnings")


@test
def valgrind_writes_garbage(t):
    fake_run(t, "head -c 100000 /dev/urandom >$out", status=0)
    r = result(t, "x")
    eq((r["complete"], r["peak"]), (False, None), "complete, peak")
    check("massif_file_unreadable" in codes(r), codes(r))


@test
def valgrind_writes_nothing_into_its_file(t):
    fake_run(t, ": >$out")
    check("massif_file_unreadable" in codes(result(t, "x")), "warnings")


@test
def valgrind_writes_half_a_file(t):
    fake_run(t, GOOD + r"printf 'snapshot=1\ntime=2\nmem_heap_B=99' >>$out")
    r = result(t, "x")
    eq((r["complete"], r["peak"]["heap_bytes"]), (False, 5), "complete, peak")
    check("massif_file_cut" in codes(r), codes(r))


@test
def valgrind_hangs(t):
    fake_run(t, "trap '' TERM; while :; do sleep 0.1; done", options=["--timeout", "0.5", "--grace", "0.5"],
             status=124)
    r = result(t, "x")
    check("no_profile" in codes(r) and r["exit"]["timed_out"], codes(r))


@test
def ms_print_fails(t):
    for body, words in (("echo no such option >&2; exit 3", "no such option"), ("exit 0", "nothing"),
                        ("kill -SEGV $$", "139")):
        fake_run(t, GOOD, ms_print=body)
        r = result(t, "x")
        eq((r["complete"], r["peak"]["heap_bytes"]), (True, 5), "complete, peak")
        w = [w["text"] for w in r["warnings"] if w["code"] == "no_report"]
        check(w and words in w[0], "%s: %s" % (body, r["warnings"]))
        check(not os.path.exists(path(t, "x", "-massif-report.txt")), "no report")


@test
def renderer_fails(t):
    tree = GOOD.replace("empty", r"peak\nn0: 5 root")
    fake_run(t, tree, **{"inferno-flamegraph": "echo '<svg half'; exit 0", "flamegraph.pl": "exit 1"})
    r = result(t, "x")
    check("no_flamegraph" in codes(r) and r["complete"], codes(r))
    check(not os.path.exists(path(t, "x", "-massif-flamegraph.svg")), "no flame graph")


@test
def many_children(t):
    fake_run(t, "d=${out%/*}\n" + GOOD + "i=1; while [ $i -lt 300 ]; do cp $out $d/massif.$((i+5000000)).out; "
             "i=$((i+1)); done")
    eq(len(result(t, "x")["processes"]), 300, "processes")


main()
