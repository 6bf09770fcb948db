#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario baseline: save, list and verify, in directories of friends and of others."""
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, Done, Failure, Skip, check, eq, for_others, main, need_root, test, wait_for

BIN = os.path.abspath(os.environ.get("BIN", os.path.join(BUILD, "bin")))
PROGRAM = os.path.join(BIN, "profile-scenario")
FOLDERS = {"io": ("iotrace", "-iotrace.json"), "cpu": ("flamegraphs", "-cpu.json"),
           "memory": ("massif", "-memory.json")}
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def profile(t, *args, status=0, before=(), **kw):
    if not os.access(PROGRAM, os.X_OK):
        raise Failure("%s is not built" % PROGRAM)
    path = for_others(t, PROGRAM) if before else PROGRAM
    r = t.run(list(before) + [path] + [str(a) for a in args], timeout=60, **kw)
    if status is not None and r.status != status:
        raise Failure("expected status %d of %s\n%s" % (status, " ".join(map(str, args)), r))
    return r


def baseline(t, *args, **kw):
    return profile(t, "baseline", *args, **kw)


def write(t, name, text):
    path = t.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text if isinstance(text, str) else json.dumps(text))
    return path


def text_of(t, name):
    with open(t.path(name)) as f:
        return f.read()


def result(t, kind="io", name="a", out="results", **members):
    """A result as a run leaves it, with the members that matter here."""
    folder, suffix = FOLDERS[kind]
    schema = "iotrace.result/1" if kind == "io" else "profile.%s/1" % kind
    write(t, "%s/%s/%s%s" % (out, folder, name, suffix),
          dict({"schema": schema, "complete": True, "warnings": [], "command": ["/bin/x"]}, **members))


def tree(t, where):
    """{path below where: its text, or what it is instead}"""
    found = {}
    for at, _, files in os.walk(t.path(where)):
        for name in files:
            path = os.path.join(at, name)
            with open(path, "rb") as f:
                found[os.path.relpath(path, t.path(where))] = f.read()
    return found


def nothing_half_made(t, out="results"):
    where = t.path(out + "/baselines")
    found = [x for x in os.listdir(where) if x.startswith(".")] if os.path.isdir(where) else []
    eq(found, [], "left behind in " + where)


# ---- what is saved

@test
def a_real_result_is_saved_listed_and_verified(t):
    profile(t, "--scenario", "echo", "--type", "io", "--runs", "2", "--binary", "/bin/echo", "--", "hello there")
    r = baseline(t, "save", "v1.0")
    check(r.out.startswith("saved results/baselines/v1.0: 1 result, "), "what save says: %s" % r)
    saved, made = tree(t, "results/baselines/v1.0"), tree(t, "results/iotrace")
    eq({k: v for k, v in saved.items() if k.startswith("io/")}, {"io/" + k: v for k, v in made.items()}, "files")
    eq(sorted(k for k in saved if "/" not in k), ["MANIFEST.sha256", "METADATA.md"], "its own files")
    eq(baseline(t, "verify", "v1.0").out, "v1.0: %d files as they were saved\n" % (len(saved) - 1), "verify")
    listed = baseline(t, "list").out.splitlines()
    check(re.fullmatch(r"v1\.0 +20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ +[\d.]+ \w+  io echo", listed[1]), listed[1])


@test
def the_metadata_is_that_of_the_result(t):
    profile(t, "--scenario", "echo", "--type", "io", "--binary", "/bin/echo", "--", "hello there")
    with open(t.path("results/iotrace/echo-iotrace.json")) as f:
        j = json.load(f)
    baseline(t, "save", "v1")
    text = text_of(t, "results/baselines/v1/METADATA.md")
    env = j["environment"]
    with open("/bin/echo", "rb") as f:
        eq(env["target_sha256"], hashlib.sha256(f.read()).hexdigest(), "hash of the target")
    calls = sum(s["calls"] for s in j["syscalls"])
    for part in ("# Baseline v1\n", "| Kernel | %s |" % env["kernel"], "sha256 " + env["target_sha256"],
                 "build-id %s" % (env["target_build_id"] or "none"), "| Cores | %d |" % env["cores"],
                 "| echo | io | /bin/echo 'hello there' | %s | 1 |" % j["started_at"],
                 "%s calls, " % format(calls, ","), "## Key findings", "iotrace " + j["tracer"]["version"]):
        check(part in text, "%r is not in\n%s" % (part, text))


@test
def all_types_have_their_folders(t):
    for kind in FOLDERS:
        result(t, kind)
    baseline(t, "save", "v1")
    eq(sorted(tree(t, "results/baselines/v1")),
       ["MANIFEST.sha256", "METADATA.md"] + sorted("%s/a%s" % (k, s) for k, (_, s) in FOLDERS.items()), "files")
    check("io a" in baseline(t, "list").out and "memory a" in baseline(t, "list").out, "list")


@test
def sha256sum_reads_the_manifest(t):
    result(t)
    result(t, "cpu", "b")
    baseline(t, "save", "v1")
    r = t.run(["sha256sum", "-c", "--strict", "MANIFEST.sha256"], cwd=t.path("results/baselines/v1"))
    eq((r.status, r.out.count(": OK\n")), (0, 3), "sha256sum: %s" % r)


@test
def the_output_directory(t):
    result(t, out="else/where")
    baseline(t, "save", "v1", "--output-dir", "else/where")
    baseline(t, "--output-dir=else/where", "verify", "v1")
    check("v1" in baseline(t, "list", "--output-dir", t.path("else/where")).out, "list")
    check(not os.path.exists(t.path("results")), "no results/ is made")


@test
def several_versions_are_in_their_order(t):
    result(t)
    for version in ("v1.10", "v1.9", "v1.9-rc1", "_x"):
        baseline(t, "save", version)
    eq([line.split()[0] for line in baseline(t, "list").out.splitlines()[1:]], ["_x", "v1.9", "v1.9-rc1", "v1.10"],
       "versions")
    eq(baseline(t, "verify").out.count("as they were saved"), 4, "verify of all")


@test
def files_keep_their_times(t):
    result(t)
    path = t.path("results/iotrace/a-iotrace.json")
    os.utime(path, (1e9, 1e9))
    baseline(t, "save", "v1")
    eq(os.stat(t.path("results/baselines/v1/io/a-iotrace.json")).st_mtime, 1e9, "modification time")


# ---- warnings

@test
def incomplete_results_are_saved_with_a_warning(t):
    result(t, complete=False, warnings=[{"code": "timed_out", "text": "the time limit ended the run"}])
    result(t, "cpu", "broken")
    write(t, "results/flamegraphs/broken-cpu.json", '{"schema": ')
    r = baseline(t, "save", "v1")
    check("warning: io a is marked incomplete: the time limit ended the run" in r.err, "stderr: %s" % r)
    check("warning: cpu broken cannot be read" in r.err, "stderr: %s" % r)
    text = text_of(t, "results/baselines/v1/METADATA.md")
    check("**incomplete**" in text and "**cannot be read**" in text, text)
    baseline(t, "verify", "v1")


@test
def results_that_do_not_belong_together(t):
    env = {"git_commit": "1" * 40, "kernel": "6.1", "target_path": "/bin/x", "target_sha256": "a"}
    result(t, environment=env)
    result(t, "cpu", environment=dict(env, git_commit="2" * 40, target_sha256="b"))
    r = baseline(t, "save", "v1")
    check("different commits" in r.err and "different builds of /bin/x" in r.err, "stderr: %s" % r)
    check("kernels" not in r.err, "kernels agree: %s" % r)


@test
def nothing_to_save(t):
    r = baseline(t, "save", "v1", status=2)
    check("results" in r.err and not os.path.exists(t.path("results")), "no directory: %s" % r)
    os.makedirs(t.path("results/iotrace"))
    check("no results" in baseline(t, "save", "v1", status=2).err, "empty directory")
    nothing_half_made(t)
    baseline(t, "verify", status=2)
    eq(baseline(t, "list").out, "", "an empty list")


# ---- replacing

@test
def an_existing_version_needs_force(t):
    result(t)
    baseline(t, "save", "v1")
    before = tree(t, "results/baselines/v1")
    result(t, name="b")
    check("--force" in baseline(t, "save", "v1", status=2).err, "it says what to do")
    eq(tree(t, "results/baselines/v1"), before, "nothing was changed")
    baseline(t, "save", "v1", "--force")
    check("io/b-iotrace.json" in tree(t, "results/baselines/v1"), "replaced")
    baseline(t, "verify", "v1")
    nothing_half_made(t)


@test
def while_it_is_replaced_there_is_always_a_whole_one(t):
    result(t)
    baseline(t, "save", "v1")
    gone, looks, done = [], [0], threading.Event()

    def watch():
        while not done.is_set():
            looks[0] += 1
            try:
                os.stat(t.path("results/baselines/v1/MANIFEST.sha256"))
            except OSError as e:
                gone.append(str(e))
    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        for _ in range(30):
            baseline(t, "save", "--force", "v1")
    finally:
        done.set()
        watcher.join()
    check(looks[0] > 100, "looked %d times" % looks[0])
    eq(gone, [], "times without it")
    nothing_half_made(t)


@test
def two_at_a_time(t):
    result(t)
    started = [t.start([PROGRAM, "baseline", "save", "v1"]) for _ in range(4)]
    status = sorted(t.finish(p).status for p in started)
    eq(status, [0, 2, 2, 2], "one of them wins")
    baseline(t, "verify", "v1")
    nothing_half_made(t)


@test
def what_is_in_the_way(t):
    result(t)
    os.makedirs(t.path("results/baselines"))
    write(t, "results/baselines/file", "mine")
    os.symlink("/etc", t.path("results/baselines/link"))
    for name in ("file", "link"):
        baseline(t, "save", name, status=2)
        baseline(t, "verify", name, status=2)
        baseline(t, "save", name, "--force")
        baseline(t, "verify", name)
    check(os.path.isdir("/etc") and not os.path.islink(t.path("results/baselines/link")), "the link went, not its end")


# ---- verify

@test
def every_difference_is_named(t):
    result(t)
    result(t, "cpu")
    baseline(t, "save", "v1")
    baseline(t, "save", "v2")
    os.unlink(t.path("results/baselines/v1/cpu/a-cpu.json"))
    write(t, "results/baselines/v1/io/new\033[31m", "x")
    write(t, "results/baselines/v1/METADATA.md", "# other")
    r = baseline(t, "verify", "v1", status=1)
    eq(r.out, "changed     v1/METADATA.md\nmissing     v1/cpu/a-cpu.json\nextra       v1/io/new?[31m\n", "output")
    r = baseline(t, "verify", status=1)
    check("v2: 3 files as they were saved" in r.out and "v1/METADATA.md" in r.out, "of all: %s" % r)
    baseline(t, "verify", "v3", status=2)


@test
def a_manifest_does_not_lead_outside(t):
    result(t)
    baseline(t, "save", "v1")
    with open("/etc/hostname" if os.path.exists("/etc/hostname") else "/etc/passwd", "rb") as f:
        outside = hashlib.sha256(f.read()).hexdigest()
    with open(t.path("results/baselines/v1/MANIFEST.sha256"), "a") as f:
        f.write("%s  ../../../../../../etc/hostname\n" % outside)
    r = baseline(t, "verify", "v1", status=1)
    check("unreadable  v1/MANIFEST.sha256 (line 3" in r.out, "output: %s" % r)


# ---- hostile directories

@test
def links_are_not_followed(t):
    """Another user's link in the results must not bring a file of ours into the archive."""
    result(t)
    write(t, "secret", "secret\n")
    os.symlink(t.path("secret"), t.path("results/iotrace/x-iotrace.json"))
    os.mkdir(t.path("elsewhere"))
    write(t, "elsewhere/1.json", "secret\n")
    os.symlink(t.path("elsewhere"), t.path("results/iotrace/x.runs"))
    os.symlink(t.path("elsewhere"), t.path("results/massif"))
    os.mkfifo(t.path("results/iotrace/pipe"))
    r = baseline(t, "save", "v1")
    eq(r.err.count("is not copied"), 4, "warnings: %s" % r)
    check(b"secret\n" not in tree(t, "results/baselines/v1").values(), "the secret is in it")
    baseline(t, "verify", "v1")


@test
def names_are_checked(t):
    result(t)
    for name in ("", "..", "../x", "a/b", ".x", "a b", "-"):
        if name != "-":
            check("not a name" in baseline(t, "save", "--", name, status=2).err, name)
    check(not os.path.exists(t.path("results/baselines")), "nothing was made")
    baseline(t, "save", "--", "-odd")
    baseline(t, "verify", "--", "-odd")


@test
def an_ordinary_user(t):
    need_root()
    result(t)
    os.chmod(t.path("results"), 0o777)
    baseline(t, "save", "v1", before=NOBODY)
    eq(os.stat(t.path("results/baselines/v1")).st_uid, 65534, "owner")
    os.chmod(t.path("results"), 0o755)
    os.chmod(t.path("results/baselines"), 0o755)
    baseline(t, "verify", before=NOBODY)


@test
def what_cannot_be_read_is_not_left_out(t):
    need_root()
    result(t)
    result(t, name="private")
    os.chmod(t.path("results"), 0o777)
    os.chmod(t.path("results/iotrace/private-iotrace.json"), 0o600)
    r = baseline(t, "save", "v1", status=2, before=NOBODY)
    check("cannot read io/private-iotrace.json: Permission denied" in r.err, "stderr: %s" % r)
    nothing_half_made(t)
    check(not os.path.exists(t.path("results/baselines/v1")), "nothing is saved")


@test
def a_place_that_cannot_be_written_to(t):
    need_root()
    result(t)
    r = baseline(t, "save", "v1", status=2, before=NOBODY)
    check("Permission denied" in r.err and len(r.err.splitlines()) == 1, "stderr: %s" % r)


@test
def a_full_disk(t):
    need_root()
    os.mkdir(t.path("results"))
    m = t.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", t.path("results")])
    if m.status:
        raise Skip("no tmpfs can be mounted: " + m.err.strip())
    try:
        result(t)
        baseline(t, "save", "v1")
        before = tree(t, "results/baselines/v1")
        write(t, "results/iotrace/a-iotrace-detail.txt", "x" * 600000)
        r = baseline(t, "save", "v2", status=2)
        check("No space left" in r.err, "stderr: %s" % r)
        baseline(t, "save", "v1", "--force", status=2)
        eq(tree(t, "results/baselines/v1"), before, "the old one is untouched")
        eq(os.listdir(t.path("results/baselines")), ["v1"], "baselines")
    finally:
        subprocess.run(["umount", t.path("results")], check=True)


@test
def an_interrupted_save_leaves_nothing(t):
    result(t)
    with open(t.path("results/iotrace/big"), "w") as f:
        f.truncate(16 << 30)  # a hole: takes no room here
    p = t.start([PROGRAM, "baseline", "save", "v1"])
    # It is in the middle of the file: reading 16 GiB of zeros takes longer than to see this.
    wait_for("the copy", lambda: any("big" in files for _, _, files in os.walk(t.path("results/baselines"))))
    p.send_signal(signal.SIGTERM)
    r = t.finish(p, cls=Done)
    eq(r.status, 128 + signal.SIGTERM, "status: %s" % r)
    eq(os.listdir(t.path("results/baselines")), [], "baselines")


@test
def usage(t):
    result(t)
    for args in ((), ("save",), ("copy",), ("list", "v1"), ("save", "a", "b"), ("verify", "a", "b", "c"),
                 ("list", "--force"), ("save", "v1", "--no-such"), ("save", "--output-dir")):
        r = baseline(t, *args, status=2)
        check(r.err.startswith("profile-scenario: ") and not r.out, "one line on stderr: %s" % r)
    check("--force" in baseline(t, "--help").out, "help")
    check(not os.path.exists(t.path("results/baselines")), "nothing was made")


if __name__ == "__main__":
    main()
