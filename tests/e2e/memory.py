#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Type memory of profile-scenario: with the real valgrind on heaps of known size, and with fake tools
that are missing, crash, print garbage, write half a file or hang.
"""
import json
import os
import signal
import sys
from shlex import quote
import xml.dom.minidom

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, Failure, at_some_pace, check, eq, main, need_tool, profile, test

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
    plot = text(t, "p", "-massif-plot.svg")
    check("peak 1.3 MiB" in plot and "there is no heap profile of this run" not in plot, "the plot says the peak")


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
           "%s peak 1000 1 1; %s status 0; exit 5" % ((quote(t.target("heap")),) * 2), status=5)
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
    check("there is no heap profile of this run" in text(t, "k", "-massif-plot.svg"), "the plot says that there is none")


@test
def older_files_do_not_stand_beside_a_run_without(t):
    heap(t, "k", "peak")
    heap(t, "k", "kill", status=137)
    # The killer may still be running when its parent is gone: it leaves a profile or does not.
    eq(sorted(set(os.listdir(t.path("results/massif"))) - {"k-massif-children.out"}),
       ["k-massif-plot.svg", "k-massif.log", "k-memory.json"], "files")


@test
def time_limit_ends_by_term_and_keeps_the_profile(t):
    def ended(pace):
        heap(t, "w", "wait", options=["--timeout", str(3 * pace)], status=124)
        r = result(t, "w")
        eq((r["complete"], r["exit"]["timed_out"]), (False, True), "complete, timed out")
        eq(r["peak"] and r["peak"]["heap_bytes"], 70000, "peak")
        eq(r["exit"]["signal"], signal.SIGTERM, "signal")

    at_some_pace(ended, (1, 3, 9))


@test
def time_limit_of_one_that_ignores_term(t):
    def ended(pace):
        heap(t, "w", "wait", "1", options=["--timeout", str(3 * pace), "--grace", "1"], status=124)
        r = result(t, "w")
        check("no_profile" in codes(r) and r["peak"] is None, "no profile: %s" % codes(r))

    at_some_pace(ended, (1, 3, 9))


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
def a_crash_in_the_shutdown_is_a_crash(t):
    need_tool("valgrind")
    memory(t, "c", "--binary", "/bin/sh", "--ready", "test -e up", "--load", "true", "--", "-c",
           "ulimit -c 0; trap 'kill -SEGV $$' TERM; : >up; while :; do sleep 0.1; done", status=139)
    r = result(t, "c")
    eq(r["exit"], {"status": None, "signal": 11, "timed_out": False}, "exit")
    check("target_crashed" in codes(r), "warnings: %s" % codes(r))


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


# ---- the tree, the end, and what massif does not see ----

@test
def tree_of_a_peak_that_nothing_follows(t):
    """Massif takes a peak only where something is freed. What the heap holds at the end tells the rest."""
    heap(t, "g", "grow", "100000", "67108864")
    r = result(t, "g")
    eq(r["peak"]["heap_bytes"], 1600000 + 67108864, "peak")
    eq((r["peak_tree"]["moment"], r["peak_tree"]["total_bytes"]), ("end", 1600000 + 67108864), "tree")
    eq([(s["function"], s["bytes"]) for s in r["sites"]], [("heap_block", 68708864)], "sites")
    eq(r["held_at_end"]["heap_bytes"], 68708864, "held at the end")
    eq(codes(r), [], "warnings")
    stacks = dict(line.rsplit(" ", 1) for line in text(t, "g", "-massif.folded").splitlines())
    eq({k.split(";")[-2]: int(v) for k, v in stacks.items()}, {"heap_wide": 67108864, "heap_narrow": 1600000}, "stacks")
    heap(t, "g", "grow", "100000", "67108864", options=["--alloc-fn", "heap_block"])
    eq([(s["function"], s["bytes"]) for s in result(t, "g")["sites"]], [("heap_wide", 67108864)], "with --alloc-fn")


@test
def tree_of_a_peak_in_the_middle(t):
    heap(t, "p", "peak", "1000000", "300000", "50000")
    eq(result(t, "p")["peak_tree"]["moment"], "peak", "moment")


@test
def all_is_freed_at_the_end(t):
    heap(t, "f", "freed", "400", "10000")
    r = result(t, "f")
    eq((r["peak"]["heap_bytes"], r["held_at_end"]["heap_bytes"]), (4000000, 0), "peak, held at the end")
    eq(r["processes"][0]["end"]["heap_bytes"], 0, "of the process")
    heap(t, "f", "steps", "5", "1000")
    eq(result(t, "f")["held_at_end"]["heap_bytes"], 5000, "nothing is freed")


def report(t, name):
    return t.run([os.path.join(BIN, "profile-scenario"), "report", "--scenario", name, "--text"]).out


@test
def a_tree_of_another_moment_is_named(t):
    """Of a valgrind that says nothing of the end."""
    tree = r"printf 'desc: --x\ntime_unit: i\nsnapshot=0\ntime=1\nmem_heap_B=50\nheap_tree=peak\nn1: 50 r\n" \
           r" n0: 50 0x1: low (a.c:1)\nsnapshot=1\ntime=2\nmem_heap_B=%d\nheap_tree=empty\n' >$out" + "\n"
    fake_run(t, tree % 900)
    r = result(t, "x")
    eq((r["peak_tree"]["moment"], r["held_at_end"]), ("other", None), "moment, end")
    check("tree_not_of_peak" in codes(r), codes(r))
    said = report(t, "x")
    check("of snapshot 0 (50 B), not of the peak" in said, said)
    check("900 B at the peak; most is held by low, 100%, by the tree of snapshot 0" in " ".join(said.split()), said)
    fake_run(t, tree % 50)
    r = result(t, "x")
    check(r["peak_tree"]["moment"] == "peak" and "tree_not_of_peak" not in codes(r), r["peak_tree"])
    said = report(t, "x")
    check("of the peak" in said and "not of the peak" not in said, said)


def unseen(t, name, *args, binary=None, options=()):
    need_tool("valgrind")
    r = memory(t, name, "--binary", binary or t.target("heap"), *options, "--", *args)
    j = result(t, name)
    said = [w["text"] for w in j["warnings"] if w["code"] in ("heap_not_seen", "heap_partly_seen")]
    check(all(s[:100] in r.err for s in said), "the run says it: %s, %s" % (said, r.err))
    return j, said


def doctor(t, binary):
    r = t.run([os.path.join(BIN, "profile-scenario"), "doctor", "--json", "--binary", binary])
    return [c for c in json.loads(r.out)["checks"] if c["id"] == "target-linking"][0]


def nothing_measured(j, said, words):
    eq((j["complete"], j["peak"], j["held_at_end"], j["peak_tree"], j["sites"], j["snapshots"]),
       (True, None, None, None, [], []), "not measured")
    check(len(said) == 1 and words in said[0], said)
    eq(j["processes"][0]["peak"], None, "of the process")


@test
def a_static_program(t):
    for variant in ("static", "musl-static"):
        binary = t.target("heap", variant)
        j, said = unseen(t, "s", "peak", "1000", "1000", "1000", binary=binary)
        nothing_measured(j, said, "static")
        d = doctor(t, binary)
        check(d["level"] == "WARN" and "static" in d["text"], d)
        j, said = unseen(t, "s", "peak", "3000000", "1", "1", binary=binary, options=["--pages-as-heap"])
        check(j["peak"]["heap_bytes"] >= 3000000 and not said, "pages: %s %s" % (j["peak"], said))


@test
def a_dynamic_program_is_seen(t):
    j, said = unseen(t, "d", "peak", "1000000", "300000", "50000")
    eq((said, j["peak"]["heap_bytes"]), ([], 1350000), "peak")
    eq(doctor(t, t.target("heap"))["level"], "OK", "doctor")
    j, said = unseen(t, "d", binary="/bin/true")
    eq((said, j["peak"] is not None), ([], True), "a program without a heap")


GO = """package main
import "fmt"
var kept [][]byte
func main() { for i := 0; i < 64; i++ { b := make([]byte, 1<<20); for k := range b { b[k] = 1 }; kept = append(kept, b) }
	fmt.Println(len(kept)) }
"""


@test(timeout=180)
def a_go_program(t):
    go = need_tool("go")
    with open(t.path("x.go"), "w") as f:
        f.write(GO)
    r = t.run([go, "build", "-o", t.path("gone"), t.path("x.go")], timeout=150,
              env=dict(os.environ, GOCACHE=t.path("cache"), GOFLAGS="-p=1", HOME=t.dir, GO111MODULE="off"))
    check(r.status == 0, str(r))
    j, said = unseen(t, "go", binary=t.path("gone"))
    nothing_measured(j, said, "Go program")
    check("Go program" in doctor(t, t.path("gone"))["text"], "doctor")


@test
def a_program_that_maps(t):
    j, said = unseen(t, "m", "map", str(96 << 20), "1000")
    nothing_measured(j, said, "maps memory or files itself")
    j, said = unseen(t, "m", "map", str(96 << 20), str(80 << 20))
    eq(j["peak"]["heap_bytes"], 80 << 20, "the heap is measured")
    check(len(said) == 1 and "beside the heap" in said[0], said)
    j, said = unseen(t, "m", "map", "4096", str(80 << 20))
    eq((said, j["peak"]["heap_bytes"]), ([], 80 << 20), "a large heap alone")


def compiled(t, source, *options):
    cc = need_tool("gcc")
    with open(t.path("x.c"), "w") as f:
        f.write(source)
    r = t.run([cc, "-O1", "-o", t.path("made"), t.path("x.c"), *options])
    check(r.status == 0, str(r))
    return t.path("made")


@test
def a_program_that_only_maps(t):
    """Whatever little it maps: no malloc, and mmap among the functions that it calls."""
    binary = compiled(t, "#include <sys/mman.h>\nint main(void) { char *p = mmap(0, 1 << 20, 3, 34, -1, 0);"
                         " p[5] = 1; return p[6]; }")
    j, said = unseen(t, "o", binary=binary)
    nothing_measured(j, said, "calls mmap and no malloc")
    check("calls mmap and no malloc" in doctor(t, binary)["text"], "doctor")


@test
def a_program_with_an_allocator_of_its_own(t):
    """One that is called malloc massif replaces; one of another name it does not see."""
    source = ("#include <sys/mman.h>\n#include <stdlib.h>\nstatic char *at;\n"
              "__attribute__((noinline)) void *%s(size_t n) { if (!at) at = mmap(0, 1 << 28, 3, 34, -1, 0);"
              " at += (n + 15) & ~15ul; return at - ((n + 15) & ~15ul); }\n"
              "int main(void) { volatile char *p = %s(64 << 20); for (long i = 0; i < 64 << 20; i += 4096) p[i] = 1;"
              " return p[5] - p[5]; }\n")
    binary = compiled(t, source % ("malloc", "malloc"))
    j, said = unseen(t, "a", binary=binary)
    eq((said, j["peak"]["heap_bytes"]), ([], 64 << 20), "a malloc of its own")
    binary = compiled(t, source % ("_rjem_malloc", "_rjem_malloc"))
    j, said = unseen(t, "a", binary=binary)
    nothing_measured(j, said, "allocator of its own")
    check("allocator of its own" in doctor(t, binary)["text"], "doctor")


@test
def a_static_child_is_not_measured(t):
    need_tool("valgrind")
    binary = t.target("heap", "static")
    memory(t, "c", "--binary", "/bin/sh", "--", "-c", "%s peak; :" % quote(binary))
    r = result(t, "c")
    check(r["peak"] and [p["peak"] for p in r["processes"][1:]] == [None], r["processes"])
    eq(codes(r), ["children_not_seen"], "warnings")
    memory(t, "f", "--binary", binary, "--", "fork", "100000", "400000")
    r = result(t, "f")
    eq([p["peak"] for p in r["processes"]], [None, None], "a static program and its fork")
    heap(t, "d", "fork", "100000", "400000")
    check("children_not_seen" not in codes(result(t, "d")), "a dynamic one")


# ---- valgrind's end and the program's ----

@test
def an_instruction_that_valgrind_does_not_know(t):
    alone = t.run([t.target("heap"), "unknown"])
    eq(alone.status, 7, "the program alone")
    heap(t, "u", "unknown", status=125)
    r = result(t, "u")
    eq(r["exit"], {"status": None, "signal": None, "timed_out": False}, "exit")
    eq((r["complete"], codes(r)), (False, ["valgrind_failed"]), "complete, warnings")


@test
def a_program_that_dies_of_an_instruction(t):
    heap(t, "u", "trap", status=132)
    r = result(t, "u")
    eq((r["exit"]["signal"], r["complete"], codes(r)), (signal.SIGILL, True, []), "its own end")


# ---- wrappers of the standard libraries ----

CPP = """#include <cstdlib>
#include <memory>
#include <string>
#include <vector>
#define N __attribute__((noinline))
struct block { char at[400000]; };
N std::vector<long> in_vector(int n) { std::vector<long> v; for (int i = 0; i < n; i++) v.push_back(i); return v; }
N std::string in_string(int n) { return std::string(n, 'x'); }
N std::shared_ptr<block> in_shared() { return std::make_shared<block>(); }
N char *in_new(int n) { char *volatile p = new char[n]; return p; }
int main() { auto a = in_vector(65536); auto b = in_string(400000); auto c = in_shared(); auto d = in_new(400000);
	std::_Exit(a.empty() || b.empty() || !c || !d); }
"""
RUST = """#[inline(never)] fn in_vec(n: usize) -> Vec<u64> { let mut v = Vec::new(); for i in 0..n { v.push(i as u64); } v }
#[inline(never)] fn in_string(n: usize) -> String { let mut s = String::new(); for _ in 0..n { s.push('x'); } s }
#[inline(never)] fn in_box() -> Box<[u8; 400000]> { Box::new([3; 400000]) }
fn main() { let a = in_vec(65536); let b = in_string(400000); let c = in_box();
	std::process::exit((a.len() + b.len() + c.len() == 0) as i32); }
"""


def sites_of(t, source, name, command, options, *functions):
    with open(t.path(name), "w") as f:
        f.write(source)
    for o in options:
        r = t.run([command, "-g", *o, "-o", t.path("made"), t.path(name)], timeout=100,
                  env=dict(os.environ, HOME=os.environ.get("HOME", "/")))
        check(r.status == 0, str(r))
        memory(t, "w", "--binary", t.path("made"))
        found = [s["function"].split("(")[0].split("[")[0].split("::")[-1] for s in result(t, "w")["sites"]]
        eq(sorted(set(found)), sorted(functions), "sites with %s" % (o,))


@test(timeout=120)
def wrappers_of_cpp(t):
    need_tool("valgrind")
    sites_of(t, CPP, "x.cpp", need_tool("g++"), (["-O0"], ["-O2"]), "in_vector", "in_string", "in_shared", "in_new")


@test(timeout=200)
def wrappers_of_rust(t):
    need_tool("valgrind")
    sites_of(t, RUST, "x.rs", need_tool("rustc"), (["-Copt-level=0"], ["-Copt-level=3"]), "in_vec", "in_string", "in_box")


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
