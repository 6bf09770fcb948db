#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario analyze: what it writes of real results, and what it refuses."""
import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import AT_ONCE
from tap import BIN, analyze, check, eq, fits, main, need_recorder, on_terminal, only_from, profile, section, test

only_from(__name__)


def text_of(t, name):
    with open(t.path(name), encoding="utf-8") as f:
        return f.read()


def write(t, name, obj):
    path = t.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(obj if isinstance(obj, str) else json.dumps(obj))
    return path


def one_error_line(r, *words):
    eq(len(r.err.strip().split("\n")), 1, "lines of the error: " + r.err)
    for word in words:
        check(word in r.err, "no %r in %r" % (word, r.err))


def run_mmsg(t, n, k):
    return t.iotrace([], [t.target("mmsg"), "batches", str(n), str(k)])


@test
def real_batches_are_judged_by_their_figures(t):
    r = run_mmsg(t, 200, 7)
    text = analyze(t, r.prefix + ".json", "--stdout").out
    batching = section(text, "Batching effectiveness")
    row = [x for x in batching.splitlines() if x.startswith("| sendmmsg ")][0]
    eq([c.strip() for c in row.strip("|").split("|")][2:6], ["200", "1,400", "1,400", "7.00"], "row of sendmmsg")
    # the target receives what it has sent, in one thread, and sends first
    check("sendmmsg: limited by the batch that the caller makes: 200 of 200 calls were given 7" in batching, batching)
    check("recvmmsg: limited by arrivals, not by its limit of 64: 0 of 200 calls were full" in batching, batching)
    check(re.search(r"^\| .* \| recvmmsg \| 201 \|.*\| arrivals \|$", batching, re.M), batching)
    check(re.search(r"^\| .* \| sendmmsg \| 200 \| 1,400 \|.*\| what the caller gives \|$", batching, re.M), batching)
    cost = section(text, "Cost model")
    check("sendmmsg: no model: every call moved 7, so what a call" in cost or "seen by stops" in cost, cost)


@test
def as_wide_as_the_terminal(t):
    """On a terminal it is text that fits it, in any locale, and no name is cut; elsewhere Markdown."""
    prefix = run_mmsg(t, 100, 4).prefix
    r = analyze(t, prefix + ".json", "--stdout")
    check(r.out.startswith("# I/O analysis") and max(map(len, r.out.splitlines())) > 100, "no Markdown: " + r.out)
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LC_ALL", "LANG")}
    for columns, more in ((60, {}), (60, {"LC_ALL": "C"}), (80, {"COLUMNS": "60"}), (40, {})):
        text = on_terminal([os.path.join(BIN, "profile-scenario"), "analyze", prefix + ".json", "--stdout"], columns,
                           cwd=t.dir, env={**env, **more})
        fits(text.replace("Markdown", ""), int(more.get("COLUMNS", columns)), "sendmmsg", "Optimization targets")
        check("|--" not in text and not text.startswith("#"), "Markdown: " + text)


@test
def few_calls_give_no_conclusion(t):
    r = run_mmsg(t, 5, 7)
    text = analyze(t, r.prefix + ".json", "--stdout").out
    check("| too few calls to judge |" in text, "by thread: " + section(text, "Batching effectiveness"))
    check("too few calls to judge: 5" in text, section(text, "Batching effectiveness"))
    targets = section(text, "Optimization targets")
    check("None:" in targets and "| " not in targets, targets)


@test
def what_gathering_saves_is_in_the_result(t):
    r = run_mmsg(t, 200, 7)
    os.unlink(r.prefix + "-detail.txt")
    text = analyze(t, r.prefix + ".json", "--stdout").out
    gathering = section(text, "What if calls were gathered")
    row = [x for x in gathering.splitlines() if "sendmmsg -> larger sendmmsg" in x and "| 32 units" in x][0]
    cells = [c.strip() for c in row.strip("|").split("|")]
    # 5 calls of 7 make 35: 200 calls become 40; each is received before the next is sent
    eq((cells[2], cells[4], cells[6]), ("200", "160", "0"), "calls, saved, safely: " + row)
    # an option of older command lines; nothing is read
    eq(analyze(t, r.prefix + ".json", "--stdout", "--detail", t.path("gone.txt")).out, text, "with --detail")


@test
def who_waits_for_the_disk_is_told(t):
    """The disk's time of a real run is the machine's, so it is put into the result."""
    r = run_mmsg(t, 50, 3).json
    said = "that sync (fsync and its kin) took"

    def findings(calls, share):
        one = next(s for s in json.loads(json.dumps(r))["syscalls"] if s["name"] == "sendmmsg")
        syncs = [dict(one, name=name, calls=calls // 2, ok=calls // 2, batch=None, wall_ns=one["wall_ns"] and dict(
            one["wall_ns"], total=int(share * r["wall_ns"] / 2))) for name in ("fsync", "fdatasync")]
        path = write(t, "r.json", dict(r, syscalls=r["syscalls"] + syncs, fds=[], threads=[]))
        return section(analyze(t, path, "--stdout").out, "Key findings")
    check("100 calls " + said in findings(100, 0.8), findings(100, 0.8))
    check("only fewer of them, each for more writes, would change that" in findings(100, 0.8), "the change")
    check(said not in findings(100, 0.1), "little of the run")
    check(said not in findings(20, 0.8), "few calls")


@test
def same_input_same_bytes(t):
    r = run_mmsg(t, 50, 3)
    for d in ("a", "b"):
        analyze(t, r.prefix + ".json", "--output-dir", t.path(d))
    for name in ("IO-ANALYSIS.md", "PROFILING-ANALYSIS.md"):
        eq(text_of(t, "a/" + name), text_of(t, "b/" + name), name)
        check(text_of(t, "a/" + name).startswith("# "), "no title in " + name)


# what churn does in the target, how many of the anonymous mappings a munmap ends
CHURN = (("anonymous", 400), ("file", 0), ("ends", 0), ("trimmed", 400), ("half", 0), ("moved", 400), ("over", 0),
         ("elsewhere", 400))


def churns(how, ended):
    def run(t):
        figures = []
        for mode, *options in (["auto"], ["auto", "--no-times"], ["ptrace"]):
            r = t.iotrace(["--mode=" + mode, *options], [t.target("maps"), "churn", how, "400"], env=AT_ONCE)
            got = r.json["mappings"]["anonymous"]
            figures.append(([v for k, v in got.items() if not k.endswith("_ns")], r.json["mappings"]["peak_mapped"]))
            eq(figures[-1], figures[0], "%s, as in the first mode" % [mode, *options])
            # the loader unmaps one or two of its own
            check(ended <= got["unmaps"] <= ended + 5, "%s: %d of %d" % ([mode, *options], got["unmaps"], got["maps"]))
            check(got["maps"] >= 400 or how == "over", "maps: %d" % got["maps"])
            # the first one has none before it; what the loader unmapped may do for it
            check(ended - 1 <= got["again"] <= ended + 5 if how == "anonymous" else got["again"] <= got["unmaps"],
                  "again: %d" % got["again"])
            if mode == "auto" and not ended:
                text = analyze(t, r.prefix + ".json", "--stdout").out
                check("mapping-churn" not in text, section(text, "Optimization targets"))
    test(run, "mappings_again_and_again_" + how)


for row in CHURN:
    churns(*row)


@test
def memory_that_is_mapped_again_and_again_is_a_target(t):
    need_recorder(t)
    r = t.iotrace([], [t.target("maps"), "churn", "anonymous", "400"], env=AT_ONCE)
    text = section(analyze(t, r.prefix + ".json", "--stdout").out, "Optimization targets")
    check("(mapping-churn)" in text and re.search(r"(399|40\d) of them when as much had been unmapped before", text), text)
    check("of the run" in text and "of the window" not in text, "there was no window: " + text)


def gather_targets(t, *args):
    """The result, and what is said of gathering, of a program whose truth is known."""
    need_recorder(t)
    r = t.iotrace(["--trace", "all"], [t.target("gather")] + [str(a) for a in args], env=AT_ONCE)
    text = section(analyze(t, r.prefix + ".json", "--stdout").out, "Optimization targets")
    return r, [x for x in text.splitlines() if x.startswith("| ") and "gather-" in x], text


@test
def bulk_writes_do_not_say_what_a_write_costs(t):
    for args in (("bulk", 500, 65536), ("bulk", 500, 8192), ("bulk", 500, 65536, 99)):
        r, rows, text = gather_targets(t, *args)
        eq(rows, [], "targets of %s" % (args,))
        check("but what one costs is not known: too few of its kind moved few bytes" in text, text)


@test
def small_writes_say_what_a_bulk_write_costs(t):
    # So many that they are a target of a run that stood still for most of its time, too.
    r, rows, text = gather_targets(t, "bulk", 4000, 65536, 40000)
    small, overhead = r.call("write")["small_calls"], r.json["tracer"]["overhead"]
    eq(small["calls"], 40000, "writes of one byte")
    each = small["p10_ns"] - overhead["per_record_ns"]
    check("at least %d ns each, one in ten of 40,000 calls of write that moved few bytes" % each in text, text)
    # most of the time is that of the bytes, and no gathering saves it
    check(each * 44000 < r.call("write")["wall_ns"]["total"] / 2, "%d ns each" % each)


@test
def a_message_is_sent_by_itself_all_the_same(t):
    r, rows, text = gather_targets(t, "sends", 2000)
    overhead = r.json["tracer"]["overhead"]
    plain, less = overhead["plain_call_ns"], overhead["sendto_gathered_ns"]
    least = r.call("sendto")["wall_ns"]["min"]
    check(0 < plain < least, "%s ns for a call that does nothing" % plain)
    check(0 <= less < least, "%s ns less in a batch" % less)
    check("about %d ns each, which a message took less in a batch" % less in text or
          "what it is known to save is" in text or not less, text)


def result(**members):
    return dict({"schema": "iotrace.result/1", "complete": True, "warnings": [], "command": ["/bin/x"],
                 "scenario": "a", "wall_ns": 10 ** 9, "syscalls": []}, **members)


@test
def all_kinds_of_a_scenario_come_together(t):
    out = t.path("results")
    write(t, "results/iotrace/a-iotrace.json", result())
    write(t, "results/iotrace/b-iotrace.json", result(scenario="b"))
    write(t, "results/massif/a-memory.json", {
        "schema": "profile.memory/1", "complete": True, "warnings": [], "command": ["/bin/x"], "scenario": "a",
        "peak": {"total_bytes": 2097152},
        "sites": [{"function": "grow", "place": "x.c:1", "bytes": 1048576, "share": 0.5, "callers": ["main"]}]})
    write(t, "results/flamegraphs/a-cpu.json", {
        "schema": "profile.cpu/1", "complete": True, "warnings": [], "command": ["/bin/x"], "scenario": "a",
        "sampling": {"samples": 20, "rate_hz": 99, "lost": 0, "call_graph": "fp", "unknown_share": 0.0},
        "functions_by_self": [{"name": "hot", "self": 20, "total": 20, "self_share": 1.0, "total_share": 1.0}]})
    analyze(t, "--output-dir", out)
    text = text_of(t, "results/PROFILING-ANALYSIS.md")
    one = section(text, "Scenario a")
    check("2.0 MiB at the peak" in one and "| grow | x.c:1 | 1.0 MiB | 50.0% | main |" in one, one)
    check("Too few samples" in one and "hot" not in one, one)
    section(text, "Scenario b")
    eq(re.findall(r"^# (.*)", text_of(t, "results/IO-ANALYSIS.md"), re.M), ["I/O analysis: a", "I/O analysis: b"],
       "chapters")
    analyze(t, "--output-dir", out, "--scenario", "b")
    check("Scenario a" not in text_of(t, "results/PROFILING-ANALYSIS.md"), "scenario a although b was asked for")


@test
def what_is_not_known_of_the_samples_is_said(t):
    hot = {"name": "hot", "self": 800, "total": 800, "self_share": 0.8, "total_share": 0.8}

    def said(sampling):
        cpu = {"schema": "profile.cpu/1", "complete": True, "warnings": [], "command": ["/bin/x"], "scenario": "a",
               "sampling": sampling, "functions_by_self": [hot]}
        analyze(t, write(t, "a-cpu.json", cpu), "--output-dir", t.path("out"))
        return text_of(t, "out/PROFILING-ANALYSIS.md")

    text = said(None)
    check("CPU: how many samples there are is not known; nothing is concluded." in text and "hot" not in text, text)
    text = said({"samples": 1000, "rate_hz": 99, "unknown_share": 0.5})
    check("50.0% of the frames have no symbol: build with symbols and frame pointers" in text and "hot" in text, text)
    text = said({"samples": 1000, "rate_hz": 99, "unknown_share": 0.01})
    check("of the frames have no symbol" not in text and "how many samples there are is not known" not in text, text)
    check("None: there is no result of type io" in text, text)


@test
def who_held_the_heap_is_not_known_without_a_tree(t):
    heap = {"schema": "profile.memory/1", "complete": True, "warnings": [], "command": ["/bin/x"], "scenario": "a",
            "peak": {"total_bytes": 2097152}}
    analyze(t, write(t, "a-memory.json", heap), "--output-dir", t.path("out"))
    text = text_of(t, "out/PROFILING-ANALYSIS.md")
    check("Who held it is not known: there is no tree in the result." in text, text)
    check("No place holds" not in text, text)


def sends(n, a, b, **tracer):
    """sendmmsg of 2, 4 and 8 messages that cost exactly a + b x messages; most calls are of 8."""
    sizes = {2: n, 4: n, 8: 8 * n}
    calls, units = sum(sizes.values()), sum(k * c for k, c in sizes.items())
    cost = {k: a + b * k for k in sizes}
    total = sum(c * cost[k] for k, c in sizes.items())
    times = {"total": total, "min": cost[2], "max": cost[8], "mean": total // calls, "p50": cost[8]}
    row = {"name": "sendmmsg", "class": "network", "calls": calls, "ok": calls, "errors": 0, "wall_ns": times, "batch": {
        "unit": "messages", "asked": units, "transferred": units, "fill": 1.0, "full": calls, "partial": 0, "single": 0,
        "empty": 0, "per_call": {"mean": units / calls}, "asked_histogram": {str(k): c for k, c in sizes.items()},
        "transferred_histogram": {str(k): c for k, c in sizes.items()},
        "asked_to_transferred": {"%d->%d" % (k, k): c for k, c in sizes.items()},
        "limited_by": {"caller": calls},
        "by_transferred": {str(k): {"calls": c, "total_ns": c * cost[k], "sum_sq_ns": c * cost[k] ** 2}
                           for k, c in sizes.items()}}}
    tracer = dict({"calls_recorded_in_process": calls, "calls_redirected": 0, "calls_stopped": 0}, **tracer)
    return result(wall_ns=4 * total, syscalls=[row], tracer=tracer)


@test
def a_target_has_its_priority_and_its_evidence(t):
    path = write(t, "r/s.json", sends(100, 8000, 100))
    text = analyze(t, path, "--stdout").out
    check("8000 ns (8000 to 8000)" in section(text, "Cost model"), section(text, "Cost model"))
    targets = section(text, "Optimization targets")
    row = [x for x in targets.splitlines() if "batch-limit" in x][0]
    cells = [c.strip() for c in row.strip("|").split("|")]
    # half of the fixed cost of 1,000 calls: 4 ms of the window
    eq(cells[6], "4.0 ms", "saved: " + row)
    impact, frequency, ease = (int(x) for x in cells[3:6])
    eq(ease, 9, "ease of the table")
    eq(float(cells[0]), impact * frequency * ease / 10, "priority")
    check("Evidence: %s: syscalls" % path in targets.replace("\\", "") and "compare OLD NEW" in targets, targets)
    text = analyze(t, path, "--stdout", "--ease", "batch-limit=1").out
    eq(float(re.search(r"^\| ([0-9.]+) \| sendmmsg", text, re.M).group(1)), impact * frequency / 10, "priority")
    catalogue = write(t, "c.json", {"ease": {"batch-limit": "1"}})
    eq(analyze(t, path, "--stdout", "--config", catalogue).out, text, "ease in the catalogue")
    one_error_line(analyze(t, path, "--config", write(t, "d.json", {"ease": {"x": "1"}}), status=2), "x")


def several(t, factors, *costs, **members):
    """A scenario of several runs, each of which took so many times longer; its result is the first."""
    for k, factor in enumerate(factors, 1):
        r = sends(100, *(int(c * factor) for c in costs), **members)
        write(t, "results/iotrace/a.runs/%d.json" % k, r)
        if k == 1:
            path = write(t, "results/iotrace/a-iotrace.json", dict(r, runs={"count": len(factors), "chosen": 1}))
    return path


def gains(text):
    rows = [x for x in section(text, "Cost model").splitlines() if x.startswith("| sendmmsg") and "gain" in x
            or "cannot" in x and x.startswith("|")]
    return [[c.strip() for c in x.strip("|").split("|")] for x in rows]


FACTORS = (1.0, 1.1, 0.9, 1.05, 0.95)


@test
def no_gain_where_the_messages_cost(t):
    path = several(t, (1.0, 1.001, 1.002, 0.999, 0.998), 10, 5000)
    text = analyze(t, path, "--stdout").out
    check("no gain: b dominates" in section(text, "Cost model"), section(text, "Cost model"))
    check("None:" in section(text, "Optimization targets"), section(text, "Optimization targets"))
    targets = section(text, "Optimization targets")
    check("sendmmsg, batch-limit: no gain: " in targets, targets)
    check("cannot tell" not in targets and "the cost model says" not in targets, targets)


@test
def from_five_runs_on_another_is_predicted(t):
    text = analyze(t, several(t, FACTORS, 8000, 100), "--stdout").out
    rows = gains(text)
    eq([r[2] for r in rows], ["14.00", "21.00", "8.00"], "then")
    # 8000/14 + 100 ns, times e^(2.776 x 0.0791 x sqrt(1.2)) and less, and beyond the sizes more
    ns, low, high = (float(x) for x in re.match(r"(\d+) ns \((\d+) to (\d+)\)$", rows[2][4]).groups())
    check(1095 <= ns <= 1101 and 1390 <= high <= 1400 and 862 <= low <= 868, "at 8: %s" % rows[2])
    check(rows[2][6] == "cannot tell" and "so wider" in rows[0][6] and rows[0][6].startswith("gain"), rows)
    ratios = []
    for r in (rows[2], rows[0], rows[1]):
        ns, low, high = (float(x) for x in re.match(r"(\d+) ns \((\d+) to (\d+)\)$", r[4]).groups())
        ratios.append(high / low)
    check(ratios == sorted(ratios) and ratios[0] < ratios[1] < ratios[2], "wider, the farther: %s" % ratios)
    check("sendmmsg: predicted from 5 of 5 runs." in text, text)
    targets = section(text, "Optimization targets")
    check("the cost model says" in targets and "of its time at twice the batch (a new run, 95%: " in targets, targets)
    check("cannot predict" not in text and "no gain: b dominates" not in text and "reaches no gain" not in text, text)


@test
def runs_that_differ_by_too_much_cannot_tell(t):
    text = analyze(t, several(t, (1.0, 4.0, 0.25, 2.0, 0.5), 8000, 100), "--stdout").out
    eq({r[6].split(";")[0] for r in gains(text)}, {"cannot tell"}, "readings")
    targets = section(text, "Optimization targets")
    check("sendmmsg, batch-limit: cannot tell; the interval reaches no gain: 4" in targets, targets)
    check("the cost model says" not in targets and "(batch-limit)" not in targets, targets)


@test
def from_fewer_it_says_that_it_cannot(t):
    def cannot(path, used, made):
        text = analyze(t, path, "--stdout").out
        for r in gains(text):
            check(r[6].startswith("cannot predict from %s; at least 5 are needed" % used), r)
            check("to" not in r[4] + r[5], "an interval: %s" % r)
        check("sendmmsg: %s of %s can be used. " % (used.split()[0], made) in text, section(text, "Cost model"))
        enough = int(made.split()[0]) + 5 - int(used.split()[0])
        check("run the scenario with --runs %d or more." % enough in text, section(text, "Cost model"))
        check("cannot be said from %s; at least 5" % used in section(text, "Optimization targets"),
              section(text, "Optimization targets"))

    cannot(write(t, "alone.json", sends(100, 8000, 100)), "1 run", "1 run")
    path = several(t, FACTORS[:4], 8000, 100)
    cannot(path, "4 runs", "4 runs")
    # five that were made, one of which tells nothing
    several(t, FACTORS, 8000, 100)
    for lame in (dict(sends(100, 8000, 100), complete=False), sends(100, 8000, 100, calls_stopped=1000),
                 sends(5, 8000, 100)):
        write(t, "results/iotrace/a.runs/3.json", lame)
        cannot(path, "4 runs", "5 runs")
    write(t, "results/iotrace/a.runs/3.json", "{")
    one_error_line(analyze(t, path, "--stdout", status=2), "a.runs/3.json")


@test
def real_runs_are_all_read(t):
    need_recorder(t)
    profile(t, "run", "--scenario", "s", "--type", "io", "--runs", "5", "--binary", t.target("sizes"), "--", "iov", "8",
            "20000")
    # a machine so busy that a run has no line says that instead
    said = r"writev: (predicted from 5|[1-4]) of 5 runs|writev: no model: its times are no line"
    check(re.search(said, analyze(t, "--stdout").out), "what the analysis is from")
    page = text_of(t, profile(t, "report", "--scenario", "s").out.strip())
    check(re.search(said, page.replace("\xa0", " ")), "what the report is from")


@test
def one_size_of_batch_needs_another_build(t):
    need_recorder(t)
    r = t.iotrace([], [t.target("sizes"), "same", "8", "20000"], env=AT_ONCE)
    text = section(analyze(t, r.prefix + ".json", "--stdout").out, "Optimization targets")
    check("every call moved 8, so what a call and what a unit costs cannot be told apart. Build with another batch and "
          "compare: profile-scenario compare --scenario" in text, text)
    check("NEW with a batch of 16" in text and "at least 3 runs of each for counts (writev.per" in text, text)
    r = t.iotrace([], [t.target("sizes"), "iov", "8", "20000"], env=AT_ONCE)
    text = analyze(t, r.prefix + ".json", "--stdout").out
    check("Build with another batch" not in text, section(text, "Optimization targets"))


@test
def times_of_stops_are_not_believed(t):
    path = write(t, "r/s.json", sends(100, 8000, 100, calls_stopped=1000))
    text = analyze(t, path, "--stdout").out
    check("seen by stops" in section(text, "Cost model"), section(text, "Cost model"))
    check("seen by stops" in section(text, "Optimization targets"), section(text, "Optimization targets"))


@test
def hostile_names_stay_text(t):
    evil = "</script><b>|`x`|\n# head\n\x1b[31m[l](http://e)"
    call = {"name": evil, "class": evil, "calls": 500, "ok": 0, "errors": 500, "errno": {evil: 500}}
    r = sends(100, 8000, 100)
    r.update(command=[evil, "x" * 10000], scenario=evil, warnings=[{"code": evil, "text": evil}],
             threads=[{"pid": 1, "tid": 1, "comm": evil, "syscalls": [
                 {"name": "sendmmsg", "calls": 9, "batch_asked": 9, "batch_transferred": 9}]}],
             fds=[{"pid": 1, "fd": 3, "target": evil, "syscalls": [
                 {"name": "sendmmsg", "calls": 9, "batch_asked": 9, "batch_transferred": 9}]}])
    r["syscalls"].append(call)
    path = write(t, "r/evil.json", r)
    analyze(t, path, "--output-dir", t.path("out"))
    for name in ("IO-ANALYSIS.md", "PROFILING-ANALYSIS.md"):
        text = text_of(t, "out/" + name)
        check("<" not in text, "HTML in " + name)
        check(not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", text), "control characters in " + name)
        check(not re.search(r"(?<!\\)`", text), "code in " + name)
        check(not re.search(r"(?<!\\)\]\(", text), "a link in " + name)
        check("\n# head" not in text, "a heading in " + name)
        for line in text.splitlines():
            check(len(line) < 6000, "a line of %d characters in %s" % (len(line), name))
        tables = re.findall(r"(?:^\|.*\n)+", text, re.M)
        for table in tables:
            eq(len({len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}), 1, "cells a row of " + table)


@test
def bad_files_are_one_line_and_status_2(t):
    good = json.dumps(result())
    for name, text, words in (
            ("cut.json", good[:60], ["cut.json", "line 1"]),
            ("newer.json", json.dumps(result(schema="iotrace.result/2")), ["newer.json", "newer"]),
            ("foreign.json", '{"schema": "other/1"}', ["foreign.json", "other/1"]),
            ("none.json", "[]", ["none.json"]),
            ("type.json", json.dumps(result(wall_ns="x")), ["type.json", "wall_ns"]),
            ("empty.json", "", ["empty.json"])):
        one_error_line(analyze(t, write(t, name, text), "--stdout", status=2), *words)
    one_error_line(analyze(t, t.path("gone.json"), status=2), "gone.json")
    one_error_line(analyze(t, "--output-dir", t.path("nowhere"), status=2), "nowhere")
    one_error_line(analyze(t, "--ease", "x=1", status=2), "x")
    one_error_line(analyze(t, "--ease", "batch-limit=11", status=2), "11")
    one_error_line(analyze(t, "--nonsense", status=2), "nonsense")
    path = write(t, "a.json", good)
    one_error_line(analyze(t, path, write(t, "b.json", good), status=2), "a.json", "b.json")
    check(not os.path.exists(t.path("results")), "files were written all the same")


main()
