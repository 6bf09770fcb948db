#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Targets that write into the memory which they share with the recorder: the tracer lives, says what
it lost, believes nothing that cannot be, and no other process is led by it. TRUST_ROUNDS (20) makes the
garbage go on for longer."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import AT_ONCE, need_recorder
from tap import Skip, check, eq, main, only_from, test

only_from(__name__)
ROUNDS = int(os.environ.get("TRUST_ROUNDS", "20"))
VARIANTS = ("", "static", "musl-static")


def run(t, args, variant, options=()):
    need_recorder(t)
    return t.iotrace(["--mode=auto", "--trace=%io", *options], [t.target("rec_trust", variant)] + args, env=AT_ONCE)


def add(name, body):
    for variant in VARIANTS:
        test(lambda t, v=variant: body(t, v), name=name + (" " + variant if variant else ""))


def possible(r):
    for call in r.json["syscalls"]:
        b = call["bytes"]
        if call["name"] in ("write", "read"):
            check(b["transferred"] <= b["asked"], "%s moved more than was asked: %r" % (call["name"], b))


def lost_and_said(t, args, variant, options=()):
    r = run(t, args, variant, options)
    eq(r.status, 0, "status\n%s" % r)
    possible(r)
    check(r.json["tracer"]["lost"] > 0 and not r.json["complete"], "lost: %r" % r.json["tracer"])
    codes = [w["code"] for w in r.json["warnings"]]
    check("corrupt" in codes and "lost" in codes, "warnings: %r" % codes)
    writes = [c["calls"] for c in r.json["syscalls"] if c["name"] == "write"]
    check(40 <= sum(writes) <= 101, "writes: %r" % writes)


add("false records", lambda t, v: lost_and_said(t, ["false_records"], v))
add("records of before there was a thread", lambda t, v: lost_and_said(t, ["early_records"], v))
add("the same without times", lambda t, v: lost_and_said(t, ["early_records"], v, ["--no-times"]))


def not_emptied(t, variant):
    """To the program there is a hole; what empties it all the same is in tests/unit/test_ring.c."""
    r = run(t, ["emptied"], variant)
    eq((r.status, r.json["tracer"]["lost"], r.json["complete"]), (0, 0, True), "status, lost, complete\n%s" % r)


add("emptied memory", not_emptied)
for power in (7, 20, 31, 45, 63):
    add("a head of 2^%d" % power, lambda t, v, p=power: lost_and_said(t, ["far_head", str(p)], v))


def garbage(t, variant):
    for seed in range(1, 1 + max(1, ROUNDS // 10)):
        r = run(t, ["garbage", str(seed * 1000), str(min(ROUNDS, 10))], variant)
        eq(r.status, 0, "status\n%s" % r)
        possible(r)


add("garbage", garbage)


def neighbour(t, variant):
    r = run(t, ["neighbour"], variant)
    if r.status == 77:
        raise Skip(r.err.strip())
    eq(r.status, 0, "status\n%s" % r)
    eq(r.json["tracer"]["lost"], 0, "lost")


add("a child cannot lead its parent", neighbour)


def meddled(t, variant):
    r = run(t, ["meddled", "20"], variant)
    writes = [c["calls"] for c in r.json["syscalls"] if c["name"] == "write"]
    eq((r.status, r.json["tracer"]["lost"], writes), (0, 0, [20 + 20 * 25]), "status, lost, writes\n%s" % r)


add("a thread meddles with the set-up", meddled)

def spoiled(t, case, writes, variant):
    """It is for nobody to wait for, and its neighbour is recorded as ever."""
    r = run(t, [case], variant)
    eq((r.status, r.call("write")["calls"]), (0, writes), "status, writes\n%s" % r)
    check(r.json["tracer"]["calls_recorded_in_process"] > 10000, "recorded: %r" % r.json["tracer"])


add("code of the recorder's that does not come back", lambda t, v: spoiled(t, "spoiled", 20050, v))
add("the same in a child that inherits it", lambda t, v: spoiled(t, "spoiled_for_child", 20100, v))


def put_back(t, variant):
    r = run(t, ["put_back"], variant)
    eq((r.status, r.call("write")["calls"], r.json["complete"]), (0, 300, True), "status, writes, complete\n%s" % r)


add("code that is put back, between many mappings", put_back)

if __name__ == "__main__":
    main()
