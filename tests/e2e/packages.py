#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""make deb, make dist, make static and packaging/: what is in them, that they run, and that they come out the same twice.
In clean roots: tests/packages."""
import gzip
import hashlib
import json
import os
import re
import shutil
import sys
import tarfile
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, ROOT, Skip, check, eq, main, need_root, need_tool, test  # noqa: E402

def read(path):
    with open(os.path.join(ROOT, path)) as f:
        return f.read()


VERSION = re.search(r"^VERSION := (\S+)$", read("Makefile"), re.M).group(1)


def ran(t, argv, timeout=50, **kw):
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "DESTDIR", "PREFIX")}
    env.update(LC_ALL="C", **kw.pop("env", {}))
    r = t.run(argv, timeout=timeout, user=False, env=env, cwd=kw.pop("cwd", ROOT), **kw)
    eq(r.status, 0, "%s: %s" % (" ".join(argv)[:300], r))
    return r.out


def digest(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


# ---- the Debian package ----

PLACE = tempfile.TemporaryDirectory(prefix="iotrace-deb-")
made = {}


def deb(t, **env):
    """Of what is built; nothing is compiled. The same one for all tests, but with another environment."""
    key = tuple(env.items())
    if key not in made:
        made[key] = make_deb(t, os.path.join(PLACE.name, str(len(made))), env)
    return made[key]


def make_deb(t, folder, env):
    for tool in ("dpkg-deb", "dpkg-shlibdeps", "dpkg-gencontrol", "strip"):
        need_tool(tool)
    for path in ("bin/iotrace", "bin/profile-scenario", "man/iotrace.1"):
        if not os.path.exists(os.path.join(BUILD, path)):
            raise Skip(path + " is not built")
    with open(os.path.join(BUILD, "flags")) as f:
        if "-fsanitize" in f.read():
            raise Skip("built with sanitizers")
    out = ran(t, ["make", "-s", "-o", "all", "deb", "O=" + os.path.relpath(BUILD, ROOT), "DEB=" + folder], env=env)
    path = out.strip().splitlines()[-1]
    eq(path, "%s/iotrace_%s-1_%s.deb" % (folder, VERSION, ran(t, ["dpkg", "--print-architecture"]).strip()), "its name")
    return path


def unpacked(t, path):
    ran(t, ["dpkg-deb", "-R", path, t.path("x")])
    return t.path("x")


@test
def what_the_package_has(t):
    path = deb(t)
    x = unpacked(t, path)
    doc = os.path.join(x, "usr/share/doc/iotrace")
    for f in ("usr/bin/iotrace", "usr/bin/profile-scenario", "usr/share/man/man1/iotrace.1.gz",
              "usr/share/man/man1/profile-scenario.1.gz", "usr/share/bash-completion/completions/profile-scenario",
              "usr/share/doc/iotrace/copyright", "usr/share/doc/iotrace/examples/gitlab-ci.yml"):
        check(os.path.isfile(os.path.join(x, f)), f + " is not in it")
    for page in ("iotrace", "profile-scenario"):
        with gzip.open(os.path.join(x, "usr/share/man/man1/%s.1.gz" % page), "rt") as f:
            text = f.read()
        check(VERSION in text.splitlines()[1], "no version in the manual")
        named = set(re.findall(r"docs/([\w-]+\.\w+)", text.replace("\\-", "-")))
        check(named, "%s.1 names no document" % page)
        eq(sorted(n for n in named if not os.path.exists(os.path.join(doc, n))), [], "named by %s.1, not in the package" % page)
        check("share/doc/iotrace" in text, "%s.1 does not say where they are" % page)
    with gzip.open(os.path.join(doc, "changelog.gz"), "rt") as f:
        eq(f.read(), read("CHANGELOG.md"), "changelog")
    eq(ran(t, ["dpkg-deb", "-f", path, "Version"]).strip(), VERSION + "-1", "version")
    owners = [line.split() for line in ran(t, ["dpkg-deb", "-c", path]).splitlines()]
    eq({w[1] for w in owners}, {"root/root"}, "owners")
    eq([w[-1] for w in owners if w[0] not in ("drwxr-xr-x", "-rw-r--r--") and "/usr/bin/" not in w[-1]], [], "odd modes")
    ran(t, ["md5sum", "--quiet", "-c", "DEBIAN/md5sums"], cwd=x)
    sums = len(read(os.path.join(x, "DEBIAN/md5sums")).splitlines())
    eq(sums, sum(len(files) for d, _, files in os.walk(os.path.join(x, "usr"))), "files with a sum")


@test
def what_the_package_needs(t):
    """The packages of the libraries that the loader would look for, with versions, and nothing else."""
    path = deb(t)
    x = unpacked(t, path)
    depends = {re.sub(r" .*", "", d) for d in ran(t, ["dpkg-deb", "-f", path, "Depends"]).strip().split(", ")}
    suggests = ran(t, ["dpkg-deb", "-f", path, "Suggests"]).strip().split(", ")
    eq(sorted(suggests), ["heaptrack", "libdevel-nytprof-perl", "linux-perf", "valgrind"], "the tools of all types, and a renderer")
    found = set()
    for program in ("iotrace", "profile-scenario"):
        program = os.path.join(x, "usr/bin", program)
        loaded = dict(re.findall(r"^\s*(\S+) => (\S+) \(", ran(t, ["ldd", program]), re.M))
        found |= {os.path.realpath(loaded[name]) for name in
                  re.findall(r"NEEDED.*\[(.*)\]", ran(t, ["readelf", "-d", program]))}
    # dpkg knows some by their path of before /usr was merged
    names = {path: {path, "/usr" + path, re.sub("^/usr", "", path)} for path in found}
    r = t.run(["dpkg", "-S", *sorted(set().union(*names.values()))], user=False)
    owners = {line.split(": ")[1]: line.split(":")[0] for line in r.out.splitlines()}
    for path in found:
        if not names[path] & set(owners):
            raise Skip("%s is of no package" % path)
    wanted = {owners[name] for path in found for name in names[path] if name in owners}
    check(len(wanted) > 4, str(wanted))
    eq(depends, wanted, "Depends")


@test
def the_package_runs(t):
    x = unpacked(t, deb(t))
    env = {"PATH": os.path.join(x, "usr/bin") + ":" + os.environ["PATH"]}
    check(VERSION in ran(t, ["iotrace", "--version"], env=env), "version")
    r = t.run(["profile-scenario", "--scenario", "s", "--type", "io", "--binary", "/bin/true"], user=False,
              env=dict(os.environ, **env))
    eq(r.status, 0, str(r))
    check(os.path.exists(t.path("results/iotrace/s-iotrace.json")), "no result")


@test
def the_package_is_the_same_twice(t):
    """In another folder and time zone, at another moment."""
    first = deb(t)
    again = deb(t, TZ="Asia/Tokyo", LANG="C.UTF-8")
    eq(digest(first), digest(again), "bytes")
    check(digest(deb(t, SOURCE_DATE_EPOCH="1700000000")) != digest(first), "the time is in it")


@test(timeout=120)
def lintian(t):
    need_tool("lintian")
    path = deb(t)
    r = t.run(["lintian", "--allow-root", "--tag-display-limit", "0", path], user=False, timeout=100)
    check(r.status in (0, 1, 2), str(r))
    eq([line for line in r.out.splitlines() if line.startswith("E:")], [], "errors")


# ---- the tarball ----

@test
def the_tarball(t):
    need_tool("git")
    need_tool("xz")
    if t.run(["git", "-C", ROOT, "rev-parse", "HEAD"], user=False).status:
        raise Skip("not a git checkout")
    # Quickly packed: -9 takes most of the time, and the same is in it.
    paths = [ran(t, ["make", "-s", "dist", "DIST_XZ=-0", "O=" + t.path(name)]).strip().splitlines()[-1] for name in ("a", "b")]
    eq(os.path.basename(paths[0]), "iotrace-%s.tar.xz" % VERSION, "its name")
    eq(*map(digest, paths), "bytes")
    with tarfile.open(paths[0]) as tar:
        names = sorted(m.name for m in tar if not m.isdir())
        makefile = tar.extractfile("iotrace-%s/Makefile" % VERSION).read().decode()
    tracked = ran(t, ["git", "-C", ROOT, "ls-tree", "-rz", "--name-only", "HEAD"]).split("\0")
    eq(names, sorted("iotrace-%s/%s" % (VERSION, n) for n in tracked if n), "files")
    check("VERSION := %s\n" % VERSION in makefile, "its version")


# ---- the static program ----

def static():
    path = os.path.join(BUILD, "iotrace-static")
    if not os.access(path, os.X_OK):
        raise Skip("iotrace-static is not built: make static")
    return path


@test
def the_static_program_needs_nothing(t):
    path = static()
    need_tool("readelf")
    headers, dynamic = ran(t, ["readelf", "-hlW", path]), ran(t, ["readelf", "-dW", path])
    check(" INTERP " not in headers, "it has an interpreter")
    eq(re.findall(r"NEEDED.*", dynamic), [], "libraries")
    check(re.search(r"Type: +DYN", headers) and "GNU_RELRO" in headers, "not hardened")
    with open(path, "rb") as f:
        check(ROOT.encode() not in f.read(), "the path of the checkout is in it")
    eq(ran(t, [path, "--version"]).splitlines(), ["iotrace " + VERSION, "static: -u knows the users of /etc/passwd only"], "version")


def empty_root(t, *programs):
    """-> what runs the static program there: no library, no /etc, no /proc."""
    path = static()
    need_root()
    need_tool("chroot")
    root = t.path("root")
    os.makedirs(root + "/etc")
    for program in [path, *programs]:
        shutil.copy(program, root)

    def inside(*argv, status=0):
        r = t.run(["chroot", root, "/iotrace-static", *argv], user=False)
        eq(r.status, status, "%s: %s" % (argv, r))
        return r
    return inside


@test
def the_static_program_in_an_empty_root(t):
    inside = empty_root(t, t.target("mmsg", "static"))
    for mode in ("auto", "ptrace"):
        inside("--mode=" + mode, "--json", "/r.json", "/mmsg-static", "batches")
        r = json.loads(read(t.path("root/r.json")))
        check(any(c["name"] == "sendmmsg" and c["calls"] for c in r["syscalls"]), "no sendmmsg: %s" % r["syscalls"])


@test
def users_of_the_static_program(t):
    """/etc/nsswitch.conf names what could be loaded; the groups are those of the file."""
    inside = empty_root(t, need_tool("busybox"))
    check("no user 'one' in /etc/passwd" in inside("-u", "one", "/busybox", "true", status=2).err, "no file of users")
    for name, text in (("passwd", "root:x:0:0::/:/\none:x:4001:4002::/:/\n"), ("nsswitch.conf", "passwd: files systemd sss\n"),
                       ("group", "other:x:9:two\nmore:x:4003:two,one\nown:x:4002:one\n")):
        with open(t.path("root/etc/" + name), "w") as f:
            f.write(text)
    eq(inside("-q", "-u", "one", "/busybox", "id", "-u").out, "4001\n", "user")
    eq(inside("-q", "-u", "one", "/busybox", "id", "-G").out, "4002 4003\n", "groups")
    check("looks nowhere else" in inside("-u", "two", "/busybox", "true", status=2).err, "no such user")


@test
def the_static_program_does_what_the_other_does(t):
    """Calls are recorded, and stacks have names."""
    path = static()
    told = []
    for program in (path, t.binary):
        out = t.path("r%d.json" % len(told))
        ran(t, [program, "--json", out, "--stacks", t.path("s"), t.target("iov"), "loop", "1000"])
        r = json.loads(read(out))
        names = set(re.findall(r"(?:^|;)([\w.]+)", read(t.path("s-calls.folded")), re.M))
        check("main" in names, "no main in the stacks: %s" % names)
        told.append((names, [w["code"] for w in r["warnings"]], {c["name"]: c["calls"] for c in r["syscalls"]}))
    eq(told[0], told[1], "stacks, warnings, calls")
    out = t.path("r.json")
    for program in (t.binary, path):
        ran(t, [program, "--json", out, t.target("iov"), "loop", "1000"])
        recorded = json.loads(read(out))["tracer"]["calls_recorded_in_process"]
        if not recorded and program == t.binary:
            raise Skip("no recorder here")
        check(recorded > 900, "%d calls are recorded" % recorded)


# ---- for containers ----

@test
def the_containerfile(t):
    text = read("packaging/Containerfile")
    lines = [x.strip() for x in re.sub(r"\\\n", " ", text).splitlines() if x.strip() and not x.startswith("#")]
    words = [x.split()[0] for x in lines]
    eq(sorted(set(words) - {"FROM", "RUN", "COPY", "WORKDIR"}), [], "instructions")
    eq([x.split()[1] for x in lines if x.startswith("FROM")], ["debian:12-slim"] * 2, "bases")
    last = len(words) - 1 - words[::-1].index("FROM")
    eq(words[last:], ["FROM", "RUN"], "layers of the image")
    for x in lines:
        if x.startswith("RUN"):
            script = re.sub(r"^RUN (--\S+ )*", "", x)
            eq(t.run(["sh", "-nc", script], user=False).status, 0, "shell: " + script)
    made, taken = re.search(r"O=(\S+) deb", text).group(1), re.search(r"source=(\S+),target=(\S+)", text)
    eq(taken.group(1), made + "/deb", "where the package is")
    check(taken.group(2) + "/*.deb" in text, "what is installed")
    linter = shutil.which("hadolint")
    if linter:
        ran(t, [linter, "--ignore", "DL3008", os.path.join(ROOT, "packaging/Containerfile")])


if __name__ == "__main__":
    main()
