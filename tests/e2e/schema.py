#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Results against docs/result.schema.json, and against themselves: figures that must agree do.

With python3-jsonschema installed it judges too; the validator here knows what our schema uses.
"""
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import ROOT, Failure, check, eq, main, test

try:
    import jsonschema
except ImportError:
    jsonschema = None

TYPES = {"object": dict, "array": list, "string": str, "integer": int, "number": (int, float), "boolean": bool,
         "null": type(None)}
KNOWN = {"$schema", "$defs", "$ref", "title", "description", "x-unit", "type", "const", "anyOf", "required",
         "properties", "additionalProperties", "items", "minimum", "maximum"}


class Schema:
    def __init__(self, path):
        with open(path) as f:
            self.root = json.load(f)

    def errors(self, value, schema=None, where="result"):
        """What is wrong, as lines; members that the schema does not name are wrong here."""
        schema = self.root if schema is None else schema
        unknown = set(schema) - KNOWN
        if unknown:
            return ["%s: the schema uses %s, which this validator does not know" % (where, sorted(unknown))]
        if "$ref" in schema:
            schema = self.root["$defs"][schema["$ref"].rsplit("/", 1)[1]]
        if "anyOf" in schema:
            tries = [self.errors(value, s, where) for s in schema["anyOf"]]
            return [] if any(not e for e in tries) else tries[0]
        if "const" in schema and value != schema["const"]:
            return ["%s: %r is not %r" % (where, value, schema["const"])]
        types = schema.get("type", [])
        types = [types] if isinstance(types, str) else types
        if types and not any(self._is(value, t) for t in types):
            return ["%s: %r is not %s" % (where, value, " or ".join(types))]
        if "minimum" in schema and isinstance(value, (int, float)) and value < schema["minimum"]:
            return ["%s: %r is below %r" % (where, value, schema["minimum"])]
        if isinstance(value, dict):
            return self._object(value, schema, where)
        if isinstance(value, list) and "items" in schema:
            return [e for i, v in enumerate(value) for e in self.errors(v, schema["items"], "%s[%d]" % (where, i))]
        return []

    @staticmethod
    def _is(value, name):
        if isinstance(value, bool):
            return name == "boolean"
        return isinstance(value, TYPES[name])

    def _object(self, value, schema, where):
        out = ["%s: %s is missing" % (where, k) for k in schema.get("required", []) if k not in value]
        for k, v in value.items():
            at = "%s.%s" % (where, k)
            if k in schema.get("properties", {}):
                out += self.errors(v, schema["properties"][k], at)
            elif isinstance(schema.get("additionalProperties"), dict):
                out += self.errors(v, schema["additionalProperties"], at)
            else:
                out.append(at + ": the schema does not know it")
        return out


def agree(row):
    """What the contract's counting rules say of one row."""
    name = row["name"]
    eq(row["calls"], row["ok"] + row["errors"] + row["interrupted"] + row["no_return"], name + ": calls")
    eq(sum(row["errno"].values()), row["errors"], name + ": errno")
    w, h = row["wall_ns"], row["latency_histogram"]
    if h:
        eq(sum(b["count"] for b in h), row["calls"] - row["no_return"], name + ": calls of the latency histogram")
        eq([b["le_ns"] for b in h], sorted({b["le_ns"] for b in h}), name + ": rising bounds")
        check(w["min"] <= w["p50"] <= w["p90"] <= w["p99"] <= w["p999"] <= w["max"] <= w["total"], name + ": times")
        check(abs(w["mean"] - w["total"] / (row["calls"] - row["no_return"])) <= 1, name + ": mean")
        check(h[-1]["le_ns"] >= w["max"], name + ": the last bucket has the maximum")
    if row["bytes"] and row["bytes"]["histogram"]:
        eq(sum(b["count"] for b in row["bytes"]["histogram"]), row["ok"], name + ": calls of the bytes histogram")
    b = row["batch"]
    if not b:
        return
    asked = {int(k): v for k, v in b["asked_histogram"].items()}
    moved = {int(k): v for k, v in b["transferred_histogram"].items()}
    pairs = {tuple(map(int, k.split("->"))): v for k, v in b["asked_to_transferred"].items()}
    eq(sum(asked.values()), row["calls"], name + ": calls of the asked histogram")
    eq(sum(moved.values()), row["ok"], name + ": calls of the transferred histogram")
    eq(sum(pairs.values()), row["ok"], name + ": calls of asked->transferred")
    eq(sum(k * v for k, v in moved.items()), b["transferred"], name + ": transferred")
    eq(sum(a * v for (a, _), v in pairs.items()), b["asked"], name + ": asked")
    eq(sum(v for (a, m), v in pairs.items() if a and m == a), b["full"], name + ": full")
    eq(sum(v for (a, m), v in pairs.items() if 0 < m < a), b["partial"], name + ": partial")
    eq(moved.get(1, 0), b["single"], name + ": single")
    eq(moved.get(0, 0) + row["errno"].get("EAGAIN", 0), b["empty"], name + ": empty")
    eq({int(k): v["calls"] for k, v in b["by_transferred"].items()}, moved, name + ": by_transferred")
    some = sum(v for (a, _), v in pairs.items() if a)
    if some:
        check(abs(b["per_call"]["mean"] - b["transferred"] / some) < 1e-6, name + ": per_call.mean")
        check(abs(b["fill"] - b["transferred"] / b["asked"]) < 1e-6, name + ": fill")
        eq(b["per_call"]["max"], max(moved), name + ": per_call.max")


def whole(r):
    by_name = {x["name"]: x for x in r["syscalls"]}
    eq(len(by_name), len(r["syscalls"]), "names are unique")
    for row in r["syscalls"]:
        agree(row)
    for table in ("threads", "fds"):
        for key in ("calls", "errors"):
            for name in by_name:
                total = sum(c[key] for x in r[table] for c in x["syscalls"] if c["name"] == name)
                check(total == by_name[name][key] or (table == "fds" and total <= by_name[name][key]),
                      "%s: %s of %s sum to %d, not %d" % (name, key, table, total, by_name[name][key]))
    counted = "window" if r["window"] else "run"
    phases = {p["name"]: p for p in r["phases"]}
    if counted in phases:
        eq(phases[counted]["calls"], sum(x["calls"] for x in r["syscalls"]), "calls of the phase " + counted)
    check(r["cpu_ns"] is not None, "CPU time")
    eq(sum(p["cpu_ns"] for p in r["phases"] if p["cpu_ns"] is not None), r["cpu_ns"], "CPU time of the phases")
    for p in r["phases"]:
        if p["syscalls"]:
            eq(sum(c["calls"] for c in p["syscalls"]), p["calls"], "calls of the phase " + p["name"])
    timed = r["tracer"]["times"]
    eq(r["timeline"] is not None, timed, "a timeline")
    rows = r["timeline"]["rows"] if timed else []
    check(len(rows) <= 1024, "at most 1024 buckets")
    check(all(x["t_ns"] % r["timeline"]["bucket_ns"] == 0 for x in rows), "bucket starts")
    if timed and not r["window"]:
        eq(sum(x["calls"] for x in rows), sum(x["calls"] for x in r["syscalls"]), "calls of the timeline")
        eq(sum(x["wall_ns"] for x in rows), sum(x["wall_ns"]["total"] for x in r["syscalls"]), "time of the timeline")
    t = r["tracer"]
    eq(t["calls_recorded_in_process"] + t["calls_redirected"] + t["calls_stopped"],
       sum(x["calls"] for x in r["syscalls"]), "calls by the way they were seen")


RUNS = [
    ("true", ["--trace=all"], ["true"]),
    ("a target without traced calls", ["--trace=%network"], ["true"]),
    ("a shell", ["--trace=all"], ["sh", "-c", "ls / | wc -l; cat /nonexistent; exit 3"]),
    ("%io of ls", [], ["ls", "-la", "/usr/bin"]),
    ("batches", [], ["@mmsg", "batches", "50", "20"]),
    ("demo", [], ["@demo"]),
    ("bad messages", [], ["@mmsg", "bad"]),
    ("zero", [], ["@mmsg", "zero"]),
    ("vectors", [], ["@iov", "vectors"]),
    ("segments", [], ["@sock", "gso_option"]),
    ("events", [], ["@wait", "epoll"]),
    ("submissions", [], ["@aio", "aio"]),
    ("mappings", [], ["@maps", "kinds"]),
    ("threads", ["--trace=all"], ["@proc", "threads", "40", "30"]),
    ("many processes", ["--trace=all"], ["@proc", "many", "15"]),
    ("execve of threads", ["--trace=all"], ["@proc", "execthread", "3"]),
    ("killed", ["--trace=all"], ["@proc", "kill_self", "3"]),
    ("interrupted", ["--trace=all"], ["@sig", "storm", "100"]),
    ("reused fds", ["--trace=all"], ["@fds", "over"]),
    ("a window", ["--trace=all", "--skip=0.1", "--duration=0.2", "--timeout=0.5"], ["@proc", "steady", "3"]),
    ("without times", ["--trace=all", "--no-times", "--skip=0"], ["@mmsg", "batches", "50", "20"]),
    ("a time limit", ["--trace=all", "--timeout=0.3"], ["@proc", "steady", "3"]),
]


def one(t, options, argv):
    schema_path = os.path.join(ROOT, "docs", "result.schema.json")
    if not os.path.exists(schema_path):
        raise Failure("docs/result.schema.json is not there")
    schema = Schema(schema_path)
    argv = [t.target(a[1:]) if a.startswith("@") else a for a in argv]
    r = t.iotrace(options, argv, status=None).json
    bad = schema.errors(r)
    if jsonschema and not bad:
        bad = ["jsonschema: " + e.message for e in jsonschema.Draft202012Validator(schema.root).iter_errors(r)]
    if bad:
        raise Failure("\n".join(bad[:10]))
    whole(r)


for n, o, a in RUNS:
    test(lambda t, o=o, a=a: one(t, o, a), name=n)


@test
def the_validator_can_fail(t):
    """Each kind of fault in a result is found."""
    schema = Schema(os.path.join(ROOT, "docs", "result.schema.json"))
    r = t.iotrace(["--trace=all"], ["true"]).json
    for path, value in ((("wall_ns",), "x"), (("wall_ns",), -1), (("schema",), "other/1"), (("exit",), []),
                        (("syscalls", 0, "calls"), 1.5), (("syscalls", 0, "errno"), {"EAGAIN": "1"}),
                        (("tracer", "lost"), True), (("unheard_of",), 1)):
        broken = json.loads(json.dumps(r))
        at = broken
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value
        check(schema.errors(broken), "found: %r = %r" % (path, value))
    del r["syscalls"]
    check(schema.errors(r), "found: a missing member")


if __name__ == "__main__":
    main()
