#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario export: every figure of a result is in its CSV, once, and reads back."""
import csv
import io
import json
import os
import sys
from shlex import quote

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BIN, check, eq, main, need_tool, profile, test

HOSTILE = ['=cmd|"/c calc"!A1', "+1", "-1", "@x", "\tt", "\rr", 'a"b,c', "two\nlines", "\x1b[31m", "é", "", "x\r\ny"]


def tables(t, path):
    """{name: number of rows} of what export lists."""
    return {line.split()[0]: int(line.split()[1]) for line in profile(t, "export", path).out.splitlines()}


def rows(t, path, table):
    """Written to a file, as a pipe's text would lose what its lines end in."""
    profile(t, "export", path, table, "--output", t.path("table.csv"))
    with open(t.path("table.csv"), newline="") as f:
        text = f.read()
    got = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    for row in got:
        eq(len(row), len(got[0]), "fields of a row of " + table)
    return [dict(zip(got[0], row)) for row in got[1:]]


def cell(value):
    """What a JSON value is as a field."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return ("'" if value[:1] in tuple("=+-@\t\r") else "") + value
    return value


def same(got, want):
    if isinstance(want, (int, float)) and not isinstance(want, bool):
        return got != "" and (int(got) if isinstance(want, int) else float(got)) == want
    return got == cell(want)


def values(obj, prefix=""):
    """Every single value of an object: {"wall_ns.p50": ..}."""
    found = {}
    for k, v in obj.items():
        if isinstance(v, dict):
            found.update(values(v, prefix + k + "."))
        elif not isinstance(v, list):
            found[prefix + k] = v
    return found


def inside(obj, path):
    """What lies at a path; lists are walked: [(elements that were walked, what is there)]"""
    found = [((), obj)]
    for step in path.split("."):
        following = []
        for above, at in found:
            for element in at if isinstance(at, list) else [at]:
                if element is not None and element.get(step) is not None:
                    following.append((above + ((element,) if isinstance(at, list) else ()), element[step]))
        found = following
    return found


def expected(result, table):
    """(parents, the values of one row), as the JSON has them."""
    for above, at in inside(result, table):
        if isinstance(at, dict):
            for k, v in at.items():
                yield above, dict(values(v), key=k) if isinstance(v, dict) else {"key": k, "count": v}
        for i, v in enumerate(at if isinstance(at, list) else ()):
            yield above, values(v) if isinstance(v, dict) else {"index": i, "value": v}


def compare_row(table, row, above, want):
    for name, value in want.items():
        if name not in row:  # null objects have columns of their members, {} has none of its own
            check(value is None and any(c.startswith(name + ".") for c in row) or is_counts(table, name),
                  "%s has no column %s: %s" % (table, name, sorted(row)))
            continue
        check(same(row[name], value), "%s.%s: %r, in the JSON %r" % (table, name, row[name], value))
    # the columns that say of which row: each stands in an element above
    for name in row:
        if name not in want and row[name] != "" and above:
            check(any(same(row[name], e.get(name.split(".")[-1])) for e in above), "%s: %s=%s" % (table, name, row[name]))


def is_counts(table, name):
    """values() goes into counts and keyed structs, which are tables of their own."""
    return table in ("timeline.latency", "timeline.threads") or any(
        part in name for part in ("errno.", "_histogram.", "asked_to_transferred.", "by_transferred.", "limited_by."))


def all_agree(t, path):
    """Every table of the file against its JSON. Returns {name: rows}."""
    with open(path) as f:
        result = json.load(f)
    listed = tables(t, path)
    for table, n in listed.items():
        got = rows(t, path, table)
        want = [((), values(result))] if table == "whole" else list(expected(result, table))
        eq((len(got), n), (len(want), len(want)), "rows of " + table)
        for row, (above, value) in zip(got, want):
            compare_row(table, row, above, value)
    for at in lists(result):
        check(at in listed, "no table %s: %s" % (at, sorted(listed)))
    return listed


def lists(obj, prefix=""):
    """Names of every list that is there."""
    for k, v in obj.items() if isinstance(obj, dict) else ():
        if isinstance(v, list):
            yield prefix + k
            for element in v:
                yield from lists(element, prefix + k + ".")
        else:
            yield from lists(v, prefix + k + ".")


@test
def a_traced_run(t):
    r = t.iotrace([], ["sh", "-c", "ls /nonexistent; ls /; cat /etc/passwd | wc -l"], status=None)
    listed = all_agree(t, r.prefix + ".json")
    for table in ("syscalls", "syscalls.latency_histogram", "syscalls.bytes.histogram", "threads.syscalls",
                  "fds.syscalls", "phases.syscalls", "timeline.rows", "tracer.traced_set"):
        check(listed[table] > 0, "no rows in %s: %s" % (table, listed))


@test
def batches(t):
    r = t.iotrace([], [t.target("mmsg"), "batches", "10", "32"])
    listed = all_agree(t, r.prefix + ".json")
    for table in ("asked_histogram", "transferred_histogram", "asked_to_transferred", "by_transferred", "limited_by"):
        check(listed["syscalls.batch." + table] > 0, listed)
    got = [x for x in rows(t, r.prefix + ".json", "syscalls.batch.asked_histogram") if x["name"] == "sendmmsg"]
    want = {"32": 10}
    eq({x["key"]: int(x["count"]) for x in got}, want, "sendmmsg by messages asked")


@test
def a_heap_profile(t):
    need_tool("valgrind")
    profile(t, "--type", "memory", "--scenario", "m", "--binary", "/bin/ls")
    listed = all_agree(t, t.path("results/massif/m-memory.json"))
    check(listed["snapshots"] > 0 and listed["peak_tree.nodes"] > 0 and listed["processes"] == 1, listed)


@test
def a_comparison_and_an_outcome(t):
    for out in ("one", "two"):
        r = profile(t, "--scenario", "s", "--type", "io", "--binary", "/bin/ls", "--runs", 3, "--output-dir",
                    t.path(out), "--json", "--", "/")
    for name, text in (("run", r.out), ("compare", profile(t, "compare", t.path("one"), t.path("two"), "--json",
                                                           status=None).out)):
        with open(t.path(name + ".json"), "w") as f:
            f.write(text)
    eq(all_agree(t, t.path("run.json"))["scenarios.types"], 1, "types")
    check(all_agree(t, t.path("compare.json"))["parts.metrics"] > 10, "metrics")


def hostile(t):
    result = {"schema": "iotrace.result/1", "command": HOSTILE, "scenario": '"', "wall_ns": 2 ** 63 - 1,
              "syscalls": [{"name": n, "calls": i, "errno": {n: i}, "batch": {"fill": 1 / 3, "per_call": {"mean": 1e-7}}}
                           for i, n in enumerate(HOSTILE)],
              "threads": [{"pid": 1, "tid": i, "comm": n, "syscalls": [{"name": n}]} for i, n in enumerate(HOSTILE)]}
    with open(t.path("h.json"), "w") as f:
        json.dump(result, f)
    return t.path("h.json")


@test
def hostile_names_stay_one_field(t):
    path = hostile(t)
    listed = all_agree(t, path)
    eq((listed["threads"], listed["syscalls.errno"]), (len(HOSTILE),) * 2, "rows")
    for row in rows(t, path, "threads"):
        check(row["comm"][:1] not in tuple("=+-@\t\r"), "a spreadsheet would calculate %r" % row["comm"])
    eq(rows(t, path, "whole")[0]["wall_ns"], "9223372036854775807", "a large integer")


@test
def on_a_terminal_nothing_is_sent_to_it(t):
    r = t.run([need_tool("script"), "-qec", "%s export %s threads" % (quote(BIN + "/profile-scenario"), hostile(t)), "/dev/null"])
    check("\\x1b[31m" in r.out and "\x1b" not in r.out, repr(r.out))
    eq(len(r.out.splitlines()), len(HOSTILE) + 1, "lines")


@test
def where_it_goes(t):
    path = hostile(t)
    r = profile(t, "export", path, "threads", "-o", t.path("x.csv"))
    eq(r.out, t.path("x.csv") + "\n", "what is printed")
    eq(profile(t, "export", path, "fds").out, "pid,fd,generation,target,type\n", "a table without rows")
    eq(profile(t, "export", path, "fds", "--output=-").out, "pid,fd,generation,target,type\n", "to standard output")


@test
def what_cannot_be_read(t):
    good = hostile(t)
    with open(good) as f:
        whole = f.read()
    for text, words in ((whole[:300], "line 1"), ("", "line"), ("[]", "schema"), ("{}", "schema"), ("\x7fELF", "line"),
                        ('{"schema": "iotrace.result/2"}', "newer"), ('{"schema": "profile.cpu/7"}', "newer"),
                        ('{"schema": "other/1"}', "profile.compare/1"), ('{"schema": "\\u001b[31m"}', "schema"),
                        ('{"schema": "iotrace.result/1", "syscalls": 3}', "syscalls: not a list")):
        with open(t.path("bad.json"), "w") as f:
            f.write(text)
        for more in ((), ("syscalls",)):
            r = profile(t, "export", t.path("bad.json"), *more, status=2)
            check(r.out == "" and r.err.count("\n") == 1 and "bad.json" in r.err and words in r.err
                  and "\x1b" not in r.err, "%r: %s" % (text, r))
    for args, words in (((good, "nope"), "syscalls.errno"), ((good, "syscalls.\n"), "no table"), ((), "FILE"),
                        ((t.path("none"),), "No such file"), ((t.dir,), "Is a directory"),
                        ((good, "-o", "x"), "TABLE"), ((good, "fds", "fds"), "too many"), ((good, "--nope"), "--nope"),
                        ((good, "fds", "-o", t.path("no/such/place")), "no/such/place")):
        r = profile(t, "export", *args, status=2)
        check(r.out == "" and r.err.count("\n") == 1 and words in r.err, "%s: %s" % (args, r))


main()
