#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario doctor: on this machine, with tools that are missing or fail, and on programs
built for the purpose."""
import json
import os
import re
import shutil
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, ROOT, USER, Failure, Skip, check, eq, for_others, main, need_root, need_tool, test, wait_for

BIN = os.path.abspath(os.environ.get("BIN", os.path.join(BUILD, "bin")))
TARGET_CHECKS = ("target-symbols", "target-optimization", "target-frame-pointers", "target-sanitizer",
                 "target-linking", "target-privileges")


def ids():
    """Of doctor.def, and one for each backend."""
    with open(os.path.join(ROOT, "common/doctor/doctor.def")) as f:
        found = re.findall(r'^CHECK\(\w+, "([^"]+)"', f.read(), re.M)
    with open(os.path.join(ROOT, "common/runner/backends.def")) as f:
        return found + ["type-" + name for name in re.findall(r"^BACKEND\((\w+)\)", f.read(), re.M)]


def doctor(t, *args, status=None, env=None, **kw):
    path = os.path.join(BIN, "profile-scenario")
    if not os.access(path, os.X_OK):
        raise Failure("%s is not built" % path)
    full = {k: v for k, v in os.environ.items() if k != "PROFILE_BINARY"}
    full.update(env or {})
    r = t.run([path, "doctor"] + [str(a) for a in args], env=full, timeout=60, **kw)
    if status is not None and r.status != status:
        raise Failure("expected status %d of doctor %s\n%s" % (status, " ".join(map(str, args)), r))
    return r


def lines(t, *args, **kw):
    """{id: (level, text, fix)}"""
    r = doctor(t, "--json", *args, **kw)
    try:
        j = json.loads(r.out)
    except ValueError as e:
        raise Failure("not JSON: %s\n%s" % (e, r)) from e
    eq(j["schema"], "profile.doctor/1", "schema")
    levels = [c["level"] for c in j["checks"]]
    worst = "FAIL" if "FAIL" in levels else "WARN" if "WARN" in levels else "OK"
    eq(j["level"], worst, "level of all")
    eq(r.status, 1 if worst == "FAIL" else 0, "status")
    for c in j["checks"]:
        eq(sorted(c), ["fix", "id", "level", "text"], "members of " + c["id"])
        check((c["level"] == "OK") == (c["fix"] is None), "a fix is where it is not OK: %s" % c)
    return {c["id"]: (c["level"], c["text"], c["fix"]) for c in j["checks"]}


def says(got, check_id, level, *parts):
    eq(got[check_id][0], level, "%s: %s" % (check_id, got[check_id]))
    for part in parts:
        check(part in "%s %s" % got[check_id][1:], "%r is not in %s: %s" % (part, check_id, got[check_id]))


def program(t, name, text):
    path = t.path(name)
    with open(path, "w") as f:
        f.write(text)
    os.chmod(path, 0o755)
    return path


def compiled(t, name, *flags, source="int main(void) { return 0; }\n"):
    """A program for whose options the compiler may be missing something."""
    with open(t.path(name + ".c"), "w") as f:
        f.write(source)
    r = subprocess.run([need_tool("gcc"), "-o", t.path(name), t.path(name + ".c"), *flags], capture_output=True,
                       text=True)
    if r.returncode:
        raise Skip("gcc %s: %s" % (" ".join(flags), r.stderr.strip().splitlines()[0]))
    os.chmod(t.path(name), 0o755)
    return t.path(name)


def path_with(t, **tools):
    """A PATH of these scripts alone; None leaves a tool out, anything else keeps the machine's."""
    where = t.path("bin")
    os.makedirs(where)
    os.chmod(where, 0o755)
    for name in ("perf", "valgrind", "ms_print", "true", "sh", "inferno-flamegraph", "flamegraph.pl", "sleep", "perl"):
        real = shutil.which(name, path="/usr/bin:/bin:/usr/local/bin")
        if name in tools:
            if tools[name] is not None:
                program(t, "bin/" + name, tools[name])
        elif real:
            os.symlink(real, os.path.join(where, name))
    return {"PATH": where}


def of_it(t, *args, env=None):
    """lines() of what is no tool: without valgrind, whose trial takes most of the time."""
    if not os.path.exists(t.path("bin")):
        path_with(t, valgrind=None)
    return lines(t, *args, env={"PATH": t.path("bin"), **(env or {})})


# ---- this machine

@test
def every_check_has_a_line(t):
    got = lines(t, "--binary", t.target("wait"))
    # What massif does is not tried without valgrind, which has a line that says so.
    eq(list(got), [i for i in ids() if i != "massif" or shutil.which("valgrind")], "ids of the lines")


@test
def without_a_target_nothing_is_said_of_one(t):
    got = lines(t)
    eq([i for i in got if i.startswith("target")], [], "lines of a target")
    says(got, "catalogue", "OK", "none here")


@test
def what_works_here_is_ok(t):
    """The other tests trace programs on this machine: so doctor must say that it works."""
    t.iotrace(["--trace=write"], ["/bin/echo", "x"])
    got = lines(t)
    for check_id in ("ptrace", "seccomp-filter", "iotrace", "type-io"):
        says(got, check_id, "OK")


@test
def text_and_json_agree(t):
    got = lines(t, "--binary", t.target("wait"))
    out = doctor(t, "--binary", t.target("wait")).out
    found = re.findall(r"^(OK|WARN|FAIL) +([\w-]+)  ", out, re.M)
    eq([(i, level) for level, i in found if i != "load"],
       [(i, line[0]) for i, line in got.items() if i != "load"], "lines")
    count = {level: sum(1 for x, _ in found if x == level) for level in ("OK", "WARN", "FAIL")}
    eq(out.splitlines()[-1], "%(OK)d OK, %(WARN)d WARN, %(FAIL)d FAIL" % count, "last line")
    eq(len(re.findall(r"^ +fix: ", out, re.M)), count["WARN"] + count["FAIL"], "fixes")
    check("\033" not in out, "no colours")


@test
def nothing_is_left_behind(t):
    os.mkdir(t.path("tmp"))
    os.chmod(t.path("tmp"), 0o777)
    before = sorted(os.listdir(t.dir))
    lines(t, env={"TMPDIR": t.path("tmp")})
    eq(sorted(os.listdir(t.dir)), before, "files")
    eq(os.listdir(t.path("tmp")), [], "files in TMPDIR")


@test
def every_line_has_its_section(_t):
    with open(os.path.join(ROOT, "docs/PROFILING-SETUP.md")) as f:
        headings = re.findall(r"^### (.*)$", f.read(), re.M)
    eq(headings, ids(), "sections of docs/PROFILING-SETUP.md")


@test
def links_of_the_guide_lead_somewhere(_t):
    with open(os.path.join(ROOT, "docs/PROFILING-SETUP.md")) as f:
        text = f.read()
    anchors = {re.sub(r"[^\w -]", "", h).lower().replace(" ", "-") for h in re.findall(r"^#+ (.*)$", text, re.M)}
    # Shell comments in examples look like headings too; they do no harm here.
    eq([a for a in re.findall(r"\]\(#([^)]*)\)", text) if a.lower() not in anchors], [], "links to nothing")


@test
def elsewhere_the_build_refuses_with_a_sentence(t):
    """macOS and BSD: the compiler's first error, and what `make` prints before it."""
    with open(t.path("main.c"), "w") as f:
        f.write('#include "common/base/platform.h"\n')
    r = t.run([need_tool("gcc"), "-U__linux__", "-I" + ROOT, "-fsyntax-only", t.path("main.c")], user=False)
    check(r.status != 0 and "Linux VM" in r.err, "platform.h: %s" % r)
    for name in ("common/cli/main.c", "tracer/main.c"):
        with open(os.path.join(ROOT, name)) as f:
            eq(re.search(r"#include .*", f.read()).group(0), '#include "common/base/platform.h"', "first of " + name)
    program(t, "uname", "#!/bin/sh\necho Darwin\n")
    r = t.run(["/bin/sh", os.path.join(ROOT, ".ci/deps"), "build"], env={"PATH": t.dir}, user=False)
    check(r.status == 1 and "Linux VM" in r.err, ".ci/deps: %s" % r)


# ---- tools

@test
def missing_tools_are_named_with_their_packages(t):
    env = path_with(t, perf=None, valgrind=None, ms_print=None)
    got = lines(t, env=env)
    says(got, "perf", "FAIL", "apt-get install linux-perf")
    says(got, "valgrind", "FAIL", "apt-get install valgrind")
    says(got, "ms-print", "FAIL", "valgrind")
    check("massif" not in got, "massif is not tried without valgrind")
    doctor(t, env=env, status=1)


@test
def tools_that_fail_are_told_from_those_that_work(t):
    env = path_with(t, perf="#!/bin/sh\necho 'WARNING: perf not found for kernel 6.5' >&2\nexit 2\n",
                    valgrind="#!/bin/sh\n[ $1 = --version ] && echo valgrind-3.99 && exit\n"
                             "echo 'valgrind: Fatal error at startup' >&2\nexit 1\n",
                    ms_print="#!/bin/sh\necho ms_print-3.99; exit 1\n")
    got = lines(t, env=env)
    says(got, "perf", "FAIL", "perf not found for kernel 6.5", "linux-tools")
    says(got, "valgrind", "OK", "valgrind-3.99")
    says(got, "massif", "FAIL", "Fatal error at startup", "libc6-dbg")
    says(got, "ms-print", "OK", "ms_print-3.99")


@test
def a_massif_that_writes_nothing_is_no_massif(t):
    env = path_with(t, valgrind="#!/bin/sh\necho valgrind-3.99\n")
    says(lines(t, env=env), "massif", "FAIL", "No data", "libc6-dbg")


@test
def tools_that_hang_are_given_up(t):
    need_tool("ps")
    env = path_with(t, perf="#!/bin/sh\necho start\nsleep 1077 & sleep 1077\n")
    says(lines(t, env=env), "perf", "FAIL")
    wait_for("the tool's children are not left behind", lambda: "sleep 1077" not in subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True).stdout)


@test
def what_tools_say_is_made_harmless(t):
    env = path_with(t, perf="#!/bin/sh\nprintf 'perf \\033[31mred\\r\\n'\nhead -c 100000 /dev/zero 2>/dev/null\n")
    r = doctor(t, env=env)
    check("\033" not in r.out and "\r" not in r.out, "control characters")


# ---- targets

@test
def a_program_as_it_should_be(t):
    got = of_it(t, "--binary", compiled(t, "a", "-O2", "-g", "-fno-omit-frame-pointer"))
    for check_id in ("target",) + TARGET_CHECKS:
        says(got, check_id, "OK")


@test
def programs_built_in_ways_that_spoil_a_profile(t):
    for flags, check_id, part in (
            (["-g"], "target-optimization", "1 of 1"),
            (["-O0", "-g"], "target-optimization", "-O2"),
            (["-O2", "-g"], "target-frame-pointers", "-fno-omit-frame-pointer"),
            (["-O2", "-s"], "target-symbols", "stripped"),
            (["-O2"], "target-symbols", "no debug information"),
            (["-O2", "-static"], "target-linking", "static"),
            (["-O2", "-g", "-fsanitize=address"], "target-sanitizer", "AddressSanitizer"),
            (["-O2", "-g", "-fsanitize=leak"], "target-sanitizer", "LeakSanitizer")):
        says(of_it(t, "--binary", compiled(t, "x", *flags)), check_id, "WARN", part)


@test
def a_program_of_several_units(t):
    with open(t.path("slow.c"), "w") as f:
        f.write("int slow(void) { return 1; }\n")
    subprocess.run(["gcc", "-g", "-c", "-o", t.path("slow.o"), t.path("slow.c")], check=True)
    got = of_it(t, "--binary", compiled(t, "m", "-O2", "-g", t.path("slow.o"),
                                        source="int slow(void); int main(void) { return slow(); }\n"))
    says(got, "target-optimization", "WARN", "1 of 2", "slow.c")


@test
def the_32_bit_one(t):
    says(of_it(t, "--binary", t.target("wait", "m32")), "target", "OK", "32-bit")


@test
def what_is_no_program(t):
    plain = program(t, "plain", "text\n")
    os.chmod(plain, 0o644)
    for path, level, part in ((t.path("none"), "FAIL", "not there"), (plain, "FAIL", "not an executable"),
                              (program(t, "script", "#!/bin/sh\n"), "WARN", "interpreter"),
                              (program(t, "text", "text\n"), "FAIL", "neither"), ("/", "FAIL", "not a file")):
        got = of_it(t, "--binary", path)
        says(got, "target", level, part)
        check("target-symbols" not in got, "nothing is said of the symbols of " + path)


@test
def damaged_programs(t):
    """Cut, and with bytes turned over: whatever is said, doctor ends well."""
    whole = compiled(t, "whole", "-O2", "-g")
    with open(whole, "rb") as f:
        data = f.read()
    for i, damaged in enumerate([data[:len(data) // 2], data[:64], data[:70], b"\177ELF",
                                 data[:100] + bytes(b ^ 0xff for b in data[100:])]):
        with open(t.path("damaged"), "wb") as f:
            f.write(damaged)
        os.chmod(t.path("damaged"), 0o755)
        check(of_it(t, "--binary", t.path("damaged")), "case %d" % i)


@test
def other_kinds_of_cpu(t):
    with open(compiled(t, "x", "-O2"), "rb") as f:
        data = bytearray(f.read())
    data[18] = 243  # e_machine: RISC-V
    with open(t.path("riscv"), "wb") as f:
        f.write(data)
    os.chmod(t.path("riscv"), 0o755)
    says(of_it(t, "--binary", t.path("riscv")), "target", "FAIL", "another kind of CPU")


@test
def set_user_id(t):
    path = compiled(t, "x", "-O2", "-g")
    os.chmod(path, 0o4755)
    if not os.stat(path).st_mode & stat.S_ISUID:
        raise Skip("no set-user-ID here")
    root = os.geteuid() == 0 and not USER
    says(of_it(t, "--binary", path), "target-privileges", "OK" if root else "WARN", "set-user-ID")


@test
def where_the_target_comes_from(t):
    here = os.path.join(BUILD, "targets", "wait")
    with open(t.path("profile-scenario.json"), "w") as f:
        json.dump({"target": {"binary": t.path("not-built"), "build": "make it"}, "scenarios": {}}, f)
    says(of_it(t), "target", "WARN", "not-built", "make it")
    says(of_it(t, env={"PROFILE_BINARY": here}), "target", "OK", here)
    says(of_it(t, "--binary", "/bin/true", env={"PROFILE_BINARY": here}), "target", "OK", "/bin/true")
    says(of_it(t, "--binary", "true"), "target", "OK", "true")


@test
def a_bad_catalogue(t):
    with open(t.path("c.json"), "w") as f:
        f.write("{ bad")
    says(of_it(t, "--config", t.path("c.json")), "catalogue", "FAIL", "c.json", "line 1")
    says(of_it(t, "--config", t.path("none.json")), "catalogue", "FAIL", "none.json")
    # what run and compare would refuse
    with open(t.path("m.json"), "w") as f:
        f.write('{"scenarios": {"s": {"limits": {"recvmsg.per_cal": ">= 2"}}}}')
    says(of_it(t, "--config", t.path("m.json")), "catalogue", "FAIL", "per_cal", "did you mean")


# ---- places and rights

@test
def the_output_directory(t):
    says(of_it(t), "disk", "OK" if shutil.disk_usage(t.dir).free >= 2 << 30 else "WARN", "results")
    says(of_it(t, "--output-dir", "a/b/c"), "disk", "OK" if shutil.disk_usage(t.dir).free >= 2 << 30 else "WARN")
    check(not os.path.exists(t.path("a")), "doctor makes no directory")
    says(of_it(t, "--output-dir", "/proc/x"), "disk", "FAIL", "cannot write")


@test
def a_small_disk(t):
    need_root()
    os.mkdir(t.path("small"))
    for size, level in (("1m", "FAIL"), ("100m", "WARN")):
        m = t.run(["mount", "-t", "tmpfs", "-o", "size=" + size, "tmpfs", t.path("small")])
        if m.status:
            raise Skip("no tmpfs can be mounted: " + m.err.strip())
        try:
            says(lines(t, "--output-dir", t.path("small/results")), "disk", level, "free")
        finally:
            subprocess.run(["umount", t.path("small")], check=True)


@test
def an_ordinary_user(t):
    """Whatever a user may not do is said, and nothing else is claimed."""
    need_root()
    path = for_others(t, *(os.path.join(BIN, name) for name in ("profile-scenario", "iotrace")))
    nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    os.mkdir(t.path("closed"), 0o700)
    r = t.run(nobody + [path, "doctor", "--json", "--output-dir", t.path("closed/results")], timeout=60)
    got = {c["id"]: (c["level"], c["text"], c["fix"]) for c in json.loads(r.out)["checks"]}
    says(got, "ptrace", "OK")
    says(got, "seccomp-filter", "OK")
    says(got, "disk", "FAIL", "Permission denied")
    with open("/proc/sys/kernel/perf_event_paranoid") as f:
        paranoid = int(f.read())
    says(got, "perf-event-paranoid", "OK" if paranoid < 2 else "WARN" if paranoid == 2 else "FAIL")


@test
def without_ptrace(t):
    filtered = program(t, "filtered.py", FORBID % 101)
    r = t.run(["/usr/bin/python3", filtered, os.path.join(BIN, "profile-scenario"), "doctor", "--json"], timeout=60)
    if r.status == 77:
        raise Skip(r.err)
    got = {c["id"]: (c["level"], c["text"], c["fix"]) for c in json.loads(r.out)["checks"]}
    says(got, "ptrace", "FAIL", "Operation not permitted", "SYS_PTRACE")
    says(got, "container", "WARN", "seccomp")
    eq(r.status, 1, "status")


@test
def without_perf_events(t):
    filtered = program(t, "filtered.py", FORBID % 298)
    r = t.run(["/usr/bin/python3", filtered, os.path.join(BIN, "profile-scenario"), "doctor", "--json"], timeout=60)
    if r.status == 77:
        raise Skip(r.err)
    got = {c["id"]: (c["level"], c["text"], c["fix"]) for c in json.loads(r.out)["checks"]}
    says(got, "perf-event", "FAIL", "Operation not permitted")
    check("hardware-counters" not in got, "no line about counters then")


# Runs argv with one system call (by number, x86-64) answered by EPERM.
FORBID = r"""
import ctypes, os, platform, struct, sys
if platform.machine() != "x86_64":
    sys.exit(77)
number = %s
libc = ctypes.CDLL(None, use_errno=True)
code = b"".join(struct.pack("HBBI", *x) for x in (
    (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050001), (0x06, 0, 0, 0x7fff0000)))
buf = ctypes.create_string_buffer(code)
prog = struct.pack("HxxxxxxQ", 4, ctypes.addressof(buf))
if libc.prctl(38, 1, 0, 0, 0) or libc.prctl(22, 2, prog):
    print("no filter here", file=sys.stderr)
    sys.exit(77)
os.execv(sys.argv[1], sys.argv[1:])
"""


@test
def usage(t):
    for args in (("--no-such",), ("extra",), ("--", "x"), ("--binary",)):
        r = doctor(t, *args, status=2)
        check(r.err.startswith("profile-scenario: ") and not r.out, "one line: %s" % r)
    check("--json" in doctor(t, "--help", status=0).out, "help")


@test
def a_full_device_for_output(t):
    with open("/dev/full", "w") as full:
        r = doctor(t, stdout=full, status=2)
    check("cannot write" in r.err, "it says so: %s" % r)


if __name__ == "__main__":
    main()
