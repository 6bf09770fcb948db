#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario export --format: each form is read by a reader of its own, whose figures are the JSON's.

SPEEDSCOPE: the folder of npm's package speedscope (npm pack speedscope; tar xf), for its importer."""
import collections
import glob
import json
import os
import re
import shutil
import subprocess
import sys
from shlex import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, ROOT, Skip, check, eq, main, need_tool, profile, test, wait_for

READER = os.path.join(ROOT, "tests/e2e/speedscope_reader.mjs")


def traced(t, *options, argv=None):
    """A run with stacks and detail beside its JSON; by stops, where each call has its stack."""
    prefix = t.path("r1")
    r = t.iotrace(["--mode=ptrace", "-e", "%io", "--detail-trace", "all", "--stacks", prefix, *options],
                  argv or [t.target("mmsg"), "batches"])
    eq(r.prefix, prefix, "prefix")
    return r


def exported(t, fmt, *options):
    path = t.path("out." + fmt)
    r = profile(t, "export", t.path("r1.json"), "--format", fmt, "-o", path, *options)
    return path, r


def by_call(r, value):
    """{call: value} of the calls that have one that is not 0."""
    return {s["name"]: value(s) for s in r.json["syscalls"] if value(s)}


def is_messages(s):
    return s["batch"]["transferred"] if s["batch"] and s["batch"]["unit"] == "messages" else 0


def is_moved(s):
    return s["bytes"]["transferred"] if s["bytes"] and s["class"] != "memory" else 0


WEIGHTS = {"time": lambda s: s["wall_ns"]["total"], "calls": lambda s: s["calls"], "bytes": is_moved, "messages": is_messages}


@test
def pprof(t):
    """go tool pprof: what each call weighs at the leaf of its stacks."""
    need_tool("go")
    r = traced(t)
    path, _ = exported(t, "pprof")
    env = dict(os.environ, HOME=t.dir, PPROF_TMPDIR=t.dir)
    for weight, value in WEIGHTS.items():
        unit = {"time": "nanoseconds", "bytes": "B"}.get(weight, "")
        p = t.run(["go", "tool", "pprof", "-top", "-nodecount=0", "-nodefraction=0", "-unit=" + (unit or "count"),
                   "-sample_index=" + weight, path], env=env)
        eq(p.status, 0, str(p))
        got = {m[2]: int(m[1]) for m in re.finditer(r"^ *(\d+)(?:ns|B)? +[\d.]+% .* (\S+)$", p.out, re.M) if m[1] != "0"}
        eq(got, by_call(r, value), weight)
    p = t.run(["go", "tool", "pprof", "-raw", path], env=env)
    check("\nTime: " in p.out and "\nDuration: " in p.out, p.out[:500])
    check(re.search(r"^time/nanoseconds\[dflt\] calls/count bytes/bytes messages/count$", p.out, re.M), p.out[:500])
    with open(path, "rb") as f:
        first = f.read()
    with open(exported(t, "pprof")[0], "rb") as f:
        eq(f.read(), first, "the same bytes again")


def read_by_speedscope(t, path):
    folder = os.environ.get("SPEEDSCOPE")
    bundle = glob.glob(os.path.join(folder, "dist/release/speedscope-*.js")) if folder else []
    if not bundle:
        raise Skip("SPEEDSCOPE does not name the folder of npm's package speedscope")
    need_tool("node")
    p = t.run(["node", READER, bundle[0], path])
    eq(p.status, 0, str(p))
    return json.loads(p.out)


@test
def speedscope_is_its_json(t):
    """Without its importer: the shape that its schema asks for, and the figures."""
    r = traced(t)
    with open(exported(t, "speedscope")[0]) as f:
        d = json.load(f)
    eq(d["$schema"], "https://www.speedscope.app/file-format-schema.json", "schema")
    eq([p["name"] for p in d["profiles"]], list(WEIGHTS), "profiles")
    for p in d["profiles"]:
        eq((len(p["samples"]), sum(p["weights"]), p["type"]), (len(p["weights"]), p["endValue"], "sampled"), p["name"])
        got = collections.Counter()
        for stack, w in zip(p["samples"], p["weights"]):
            got[d["shared"]["frames"][stack[-1]]["name"]] += w
        eq(dict(got), by_call(r, WEIGHTS[p["name"]]), p["name"])


@test
def speedscope_reads_it(t):
    r = traced(t)
    got = {p["name"]: p["self"] for p in read_by_speedscope(t, exported(t, "speedscope")[0])}
    for weight, value in WEIGHTS.items():
        eq(got.get("%s" % weight, got.get("out.speedscope - %s" % weight)), by_call(r, value), weight)


@test
def speedscope_reads_trace_events(t):
    """Its importer takes them too: the time of each call in microseconds, as the detail has it."""
    r = traced(t)
    want = collections.Counter()
    for line in r.detail:
        if int(float(line.rsplit("<", 1)[1][:-1]) * 1e6 + 0.5):
            want[re.match(r"\d+ \S+ (\w+)\(", line).group(1)] += int(float(line.rsplit("<", 1)[1][:-1]) * 1e6 + 0.5)
    profiles = read_by_speedscope(t, exported(t, "perfetto")[0])
    got = collections.Counter()
    for p in profiles:
        for frame, w in p["self"].items():
            name = re.match(r"\w+", frame).group(0)
            got[name] += round(w)
    eq({k: got[k] for k in want}, dict(want), "microseconds by call")


@test
def trace_events(t):
    """Slices: a line of the detail each; counters sum up to the timeline; phases are those of the result."""
    r = traced(t, "--skip", "0")
    path, said = exported(t, "perfetto")
    eq(said.err, "", "notes")
    with open(path) as f:
        d = json.load(f)
    events = d["traceEvents"]
    slices = [e for e in events if e["ph"] in "Xi"]
    eq(len(slices), len(r.detail), "calls with a line")
    eq(d["otherData"], {"calls": len(slices), "calls_left_out": 0}, "other data")
    for e, line in zip(slices, r.detail):
        args = e["args"]
        back = "%d %d.%06d %s(%s) = %s" % (e["tid"], e["ts"] // 1000000, e["ts"] % 1000000, e["name"], args["arguments"],
                                          args["result"])
        if "dur" in e:
            back += " <%d.%06d>" % (e["dur"] // 1000000, e["dur"] % 1000000)
        eq(back, line, "a call")
    eq({e["pid"] for e in slices}, {x["pid"] for x in r.json["threads"]}, "processes")
    rows = r.json["timeline"]["rows"]
    for name, value in (("calls", lambda w: w["calls"]), ("bytes", lambda w: w["bytes"] - w["mapped"])):
        eq(sum(e["args"]["value"] for e in events if e["ph"] == "C" and e["name"] == name), sum(map(value, rows)), name)
    start, window = r.json["started_us"], r.json["window"]
    for ph, at in (("b", "begin_ns"), ("e", "end_ns")):
        eq([e["ts"] for e in events if e["ph"] == ph and e["name"] == "window"], [start + window[at] // 1000], at)
    first = min(e["ts"] for e in slices)
    check(start <= first <= start + r.json["wall_ns"] // 1000 + 1, "the first call at %d, start %d" % (first, start))


# What the Trace Event Format asks of each phase: its keys beside ph, pid, tid and name, all of them and no others.
TRACE_KEYS = {"M": {"args"}, "C": {"ts", "args"}, "X": {"ts", "dur", "cat", "args"}, "i": {"ts", "s", "cat", "args"},
              "b": {"ts", "cat", "id"}, "e": {"ts", "cat", "id"}}


def trace_event_errors(d):
    """What is wrong with a trace in JSON object form, as lines."""
    out, open_, ends = [], collections.Counter(), {}

    def wrong(e, what):
        out.append("%s: %s" % (what, json.dumps(e)))

    def is_whole(v, most=2 ** 63):
        return isinstance(v, int) and not isinstance(v, bool) and 0 <= v < most

    if d.get("displayTimeUnit") not in ("ns", "ms") or not isinstance(d.get("traceEvents"), list):
        return ["no trace"]
    for e in d["traceEvents"]:
        ph = e.get("ph")
        if ph not in TRACE_KEYS:
            wrong(e, "ph")
            continue
        if set(e) != TRACE_KEYS[ph] | {"ph", "pid", "tid", "name"}:
            wrong(e, "keys")
            continue
        if not is_whole(e["pid"], 2 ** 31) or not is_whole(e["tid"], 2 ** 31):
            wrong(e, "pid, tid")
        if not isinstance(e["name"], str) or not e["name"] or not all(is_whole(e.get(k, 0)) for k in ("ts", "dur")):
            wrong(e, "name, ts, dur")
            continue
        if "cat" in e and (not isinstance(e["cat"], str) or not e["cat"]):
            wrong(e, "cat")
        if ph == "M" and (e["name"] not in ("process_name", "thread_name") or list(map(type, e["args"].values())) != [str] or
                          list(e["args"]) != ["name"]):
            wrong(e, "metadata")
        if ph == "C" and (not e["args"] or not all(type(v) in (int, float) for v in e["args"].values())):
            wrong(e, "a counter's values")
        if ph == "i" and e["s"] not in ("g", "p", "t"):
            wrong(e, "an instant's scope")
        if ph in "be":
            key = (e["cat"], str(e["id"]), e["name"])
            open_[key] += 1 if ph == "b" else -1
            if not 0 <= open_[key] <= 1:
                wrong(e, "begins and ends")
        if ph == "X":
            # Complete events of a thread lie one in the other or apart; calls lie apart.
            ends.setdefault((e["pid"], e["tid"]), []).append((e["ts"], e["ts"] + e["dur"], e))
    for spans in ends.values():
        spans.sort(key=lambda s: s[:2])
        for was, is_ in zip(spans, spans[1:]):
            if is_[0] < was[1]:
                wrong(is_[2], "lies over " + json.dumps(was[2]))
    return out + ["%s never ends" % (k,) for k, n in open_.items() if n]


@test
def trace_events_by_the_format(t):
    """Several processes, one of which is killed in a call."""
    traced(t, argv=["/bin/sh", "-c", "ls / >/dev/null; (kill -9 $(sh -c 'echo $PPID')); sleep 0.01 & wait"])
    with open(exported(t, "perfetto")[0]) as f:
        d = json.load(f)
    eq(trace_event_errors(d), [], "against the Trace Event Format")
    events = d["traceEvents"]
    pids = {e["pid"] for e in events if e["ph"] == "X"}
    check(len(pids) >= 3, "processes: %s" % pids)
    eq({e["pid"] for e in events if e["name"] == "process_name"}, pids, "each has a name")
    eq(len({(e["pid"], e["tid"]) for e in events if e["ph"] == "X"}),
       len([e for e in events if e["name"] == "thread_name"]), "each thread, too")
    # It can fail.
    for change in ({"ts": "1"}, {"pid": -1}, {"tid": 2 ** 31}, {"name": ""}, {"dur": 1.5}, {"ph": "B"}, {"x": 1}):
        e = dict(next(e for e in events if e["ph"] == "X"), **change)
        check(trace_event_errors(dict(d, traceEvents=[e])), "%s is not found" % change)


DUCK = """
const [folder, ndjson, trace] = process.argv.slice(2);
const { DuckDBInstance } = await import(folder + '/node_modules/@duckdb/node-api/lib/index.js');
const c = await (await DuckDBInstance.create(':memory:')).connect();
const ask = async (sql) => (await c.runAndReadAll(sql)).getRowsJson();
await c.run(`CREATE TABLE line AS SELECT * FROM read_ndjson_objects('${ndjson}')`);
const calls = await ask(`SELECT json->>'name', (json->>'calls')::BIGINT FROM line WHERE json->>'table' = 'syscalls' ORDER BY 1`);
const slices = await ask(`SELECT e->>'name', count(*) FROM (SELECT unnest(traceEvents) AS e FROM read_json('${trace}',
  columns={traceEvents: 'JSON[]'}, maximum_object_size=200000000)) WHERE e->>'ph' IN ('X', 'i') GROUP BY 1 ORDER BY 1`);
console.log(JSON.stringify({calls, slices}));
"""


@test
def duckdb_reads_lines_and_trace(t):
    folder = os.environ.get("DUCKDB")
    if not folder or not os.path.isdir(os.path.join(folder, "node_modules/@duckdb/node-api")):
        raise Skip("DUCKDB names no folder in which npm's package @duckdb/node-api is installed")
    need_tool("node")
    r = traced(t)
    lines, trace = shutil.copy(exported(t, "ndjson")[0], t.path("l.ndjson")), exported(t, "perfetto")[0]
    with open(t.path("d.mjs"), "w") as f:
        f.write(DUCK)
    p = t.run(["node", t.path("d.mjs"), folder, lines, t.path(trace)])
    eq(p.status, 0, str(p))
    got = json.loads(p.out)
    eq({name: int(n) for name, n in got["calls"]}, {s["name"]: s["calls"] for s in r.json["syscalls"]}, "calls by ndjson")
    eq({name: int(n) for name, n in got["slices"]},
       dict(collections.Counter(re.match(r"\d+ \S+ (\w+)\(", line).group(1) for line in r.detail)), "slices")


@test
def trace_events_are_bounded(t):
    r = traced(t)
    path, said = exported(t, "perfetto", "--calls", "7")
    with open(path) as f:
        d = json.load(f)
    eq(d["otherData"], {"calls": 7, "calls_left_out": len(r.detail) - 7}, "left out")
    check("%d calls are left out" % (len(r.detail) - 7) in said.err, said.err)
    # What is not in the detail is left out, too.
    cut = t.iotrace(["--mode=ptrace", "-e", "%io", "--detail-trace", "all", "--detail-limit", "1000"], [t.target("mmsg"), "batches"])
    missing = cut.json["tracer"]["detail_lines_left_out"]
    check(missing > 0 and len(cut.detail) > 2, "a detail that is cut")
    for options, more in (((), 0), (("--calls", "2"), len(cut.detail) - 2)):
        said = profile(t, "export", cut.prefix + ".json", "--format", "perfetto", "-o", "cut", *options).err
        check("%d calls are left out, as the detail has no line of them (iotrace --detail-limit)\n" % missing in said, said)
        eq("%d calls are left out; --calls N takes more" % more in said, bool(more), said)
        with open(t.path("cut")) as f:
            eq(json.load(f)["otherData"]["calls_left_out"], missing + more, "left out")
    os.remove(t.path("r1-detail.txt"))
    path, said = exported(t, "perfetto")
    check("there is no detail" in said.err, said.err)
    with open(path) as f:
        eq(json.load(f)["otherData"]["calls"], 0, "without a detail")


@test
def nothing_is_said_into_the_file(t):
    """Where a standard stream is closed no file of ours has its number."""
    traced(t)
    path = exported(t, "perfetto", "--calls", "7")[0]
    for closed in ("2>&-", "1>&-", "0<&- 1>&- 2>&-"):
        out = t.path("closed.trace")
        r = t.run(["sh", "-c", "%s export %s --format perfetto --calls 7 -o %s %s" % (
            quote(os.path.join(BUILD, "bin/profile-scenario")), quote(t.path("r1.json")), quote(out), closed)])
        eq((r.status, open(out).read()), (0, open(path).read()), closed)


def samples(text):
    """{name{labels}: value} of Prometheus's text form."""
    return {m[1]: float(m[2]) for m in re.finditer(r"^([^#\n].*) (\S+)$", text, re.M)}


@test
def openmetrics(t):
    r = traced(t)
    with open(exported(t, "openmetrics")[0]) as f:
        text = f.read()
    got = samples(text)
    for s in r.json["syscalls"]:
        call = '{call="%s"}' % s["name"]
        for name, want in (("calls_total", s["calls"]), ("call_errors_total", s["errors"]),
                           ("call_seconds_total", s["wall_ns"]["total"] / 1e9),
                           ("call_duration_seconds_sum", s["wall_ns"]["total"] / 1e9),
                           ("call_duration_seconds_count", sum(b["count"] for b in s["latency_histogram"])),
                           ("call_bytes_total", s["bytes"] and s["bytes"]["transferred"]),
                           ("batch_transferred_total", s["batch"] and s["batch"]["transferred"]),
                           ("batch_asked_total", s["batch"] and s["batch"]["asked"])):
            eq(got.get("iotrace_" + name + call), want, name + call)
        for m in re.finditer(r'^iotrace_call_duration_seconds_bucket\{call="%s",le="([^"]+)"\} (\d+)$' % s["name"], text, re.M):
            bound = float(m[1]) * 1e9
            eq(int(m[2]), sum(b["count"] for b in s["latency_histogram"] if b["le_ns"] <= bound + 0.5), m[0])
    eq(got["iotrace_complete"], 1, "complete")
    eq(got["iotrace_window_seconds"], r.json["wall_ns"] / 1e9, "window")
    eq(got["iotrace_cpu_seconds_total"], r.json["cpu_ns"] / 1e9, "CPU time")


@test
def metrics_while_it_runs(t):
    """The file is there, whole, while the program waits; at the end it is the result."""
    path = t.path("now.prom")
    argv, prefix = t.iotrace_argv(["--metrics", path, "--interval", "0.05"],
                                  ["/bin/sh", "-c", "echo; echo; read x; echo; echo; echo"])
    p = t.start(argv, stdin=subprocess.PIPE)

    def now():
        try:
            with open(path) as f:
                return samples(f.read())
        except FileNotFoundError:
            return {}

    writes = 'iotrace_calls_total{call="write"}'
    eq(wait_for("two writes in " + path, lambda: now() if now().get(writes) == 2 else None)["iotrace_complete"], 1, "complete")
    p.stdin.write(b"x\n")
    p.stdin.close()
    p.stdin = None
    r = t.finish(p)
    eq((r.status, r.err), (0, ""), "no lines")
    with open(prefix + ".json") as f:
        result = json.load(f)
    for s in result["syscalls"]:
        for name, want in (("calls_total", s["calls"]), ("call_errors_total", s["errors"]),
                           ("call_seconds_total", s["wall_ns"]["total"] / 1e9),
                           ("call_bytes_total", s["bytes"] and s["bytes"]["transferred"])):
            eq(now().get('iotrace_%s{call="%s"}' % (name, s["name"])), want, name + " of " + s["name"])
    eq([x for x in os.listdir(t.dir) if "now.prom" in x], ["now.prom"], "nothing else is left")
    r = t.run([t.binary, "--metrics", t.path("no/where"), "/bin/sh", "-c", "touch started"])
    eq((r.status, os.path.exists(t.path("started"))), (2, False), "refused before the start")


@test
def promtool_takes_it(t):
    need_tool("promtool")
    traced(t)
    with open(exported(t, "openmetrics")[0], "rb") as f:
        p = t.run(["promtool", "check", "metrics"], input=f.read())
    eq((p.status, p.out + p.err), (0, ""), "promtool")


@test
def sqlite_takes_the_lines(t):
    need_tool("sqlite3")
    r = traced(t)
    shutil.copy(exported(t, "ndjson")[0], t.path("run.ndjson"))
    with open(os.path.join(ROOT, "docs/examples/ndjson-sqlite.sql"), "rb") as f:
        p = t.run(["sqlite3", t.path("h.db")], input=f.read())
    eq((p.status, p.err), (0, ""), str(p))

    def ask(sql):
        p = t.run(["sqlite3", "-json", t.path("h.db"), sql])
        eq(p.status, 0, str(p))
        return json.loads(p.out or "[]")

    want = [{"name": s["name"], "calls": s["calls"], "wall_ns": s["wall_ns"]["total"],
             "bytes": s["bytes"] and s["bytes"]["transferred"], "units": s["batch"] and s["batch"]["transferred"]}
            for s in sorted(r.json["syscalls"], key=lambda s: s["name"])]
    eq(ask("SELECT name, calls, wall_ns, bytes, units FROM syscalls ORDER BY name"), want, "syscalls")
    eq(ask("SELECT name, sum(count) AS n FROM latency GROUP BY name ORDER BY name"),
       [{"name": s["name"], "n": sum(b["count"] for b in s["latency_histogram"])} for s in
        sorted(r.json["syscalls"], key=lambda s: s["name"]) if s["latency_histogram"]], "histograms merge by SQL")


@test
def lines_are_the_tables(t):
    """As many lines as the tables have rows, each with its table's name; null is not measured."""
    r = traced(t)
    with open(exported(t, "ndjson")[0]) as f:
        lines = [json.loads(line) for line in f]
    listed = {w[0]: int(w[1]) for w in (x.split() for x in profile(t, "export", t.path("r1.json")).out.splitlines())}
    eq(collections.Counter(x["table"] for x in lines), collections.Counter({k: v for k, v in listed.items() if v}), "rows")
    whole = next(x for x in lines if x["table"] == "whole")
    eq((whole["complete"], whole["exit.signal"], whole["wall_ns"]), (True, None, r.json["wall_ns"]), "the whole")
    eq({x["run"] for x in lines}, {r.json["started_at"]}, "run")


@test
def what_is_refused(t):
    traced(t)
    path = t.path("r1.json")
    for args, says in ((["--format", "pproff"], "did you mean 'pprof'?"), (["--format", "csv"], "there are pprof, "),
                       (["syscalls", "--format", "pprof"], "without --format"),
                       (["--stacks", "x"], "are of --format"),
                       (["--format", "pprof", "--stacks", "nowhere"], "there are no stacks nowhere-time.folded"),
                       (["--format", "perfetto", "--detail", "nowhere"], "cannot read nowhere"),
                       (["--format", "perfetto", "--detail", path], "line 1 is not a line"),
                       (["--format", "pprof", "-o", "/dev/full"], "No space left"),
                       (["--format", "perfetto", "-o", "/nowhere/x"], "/nowhere/x")):
        p = profile(t, "export", path, *args, status=2)
        check(says in p.err and p.err.count("\n") == 1, "%s: %s" % (args, p.err))
    with open(t.path("r1-bytes.folded"), "a") as f:
        f.write("a;b\n")
    p = profile(t, "export", path, "--format", "pprof", "-o", t.path("none"), status=2)
    check("r1-bytes.folded: line" in p.err and not os.path.exists(t.path("none")), p.err)
    p = profile(t, "compare", path, path, "--json", status=None)
    with open(t.path("c.json"), "w") as f:
        f.write(p.out)
    p = profile(t, "export", t.path("c.json"), "--format", "openmetrics", status=2)
    check("is not for results of" in p.err, p.err)


main()
