# SPDX-License-Identifier: GPL-3.0-only
"""The harness of the end-to-end tests: registers tests, runs them, prints TAP.

    from tap import test, main, Skip, eq, check

    @test
    def one_call_is_one_call(t):
        r = t.iotrace(["--trace=write"], [t.target("iov"), "loop", "10"])
        eq(r.call("write")["calls"], 10, "write calls")

    main()

A test gets t: a directory of its own (t.dir), and run/iotrace/start, which end what they started.
Environment:
    BUILD          the build directory (default: build)
    TEST_USER      run iotrace and its targets as this user (from root)
    TEST_USERNS=1  ... in a user namespace of its own
    TEST_TIMES=1   a comment after each test: seconds, and seconds of CPU of what it started
    EXACT_ORACLE   see exact.py
Arguments of a test file choose the tests whose names contain one of them.
"""
import io
import json
import os
import re
import pwd
import random
import resource
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.abspath(os.path.join(ROOT, os.environ.get("BUILD", "build")))
USER = os.environ.get("TEST_USER")
USERNS = os.environ.get("TEST_USERNS") == "1"
TIMES = os.environ.get("TEST_TIMES") == "1"
IS_ROOT = os.geteuid() == 0

_tests = []


class Skip(Exception):
    """Not possible here; the reason is printed."""


class Failure(AssertionError):
    """A check that does not hold."""


def check(cond, what):
    if not cond:
        raise Failure(what)


def eq(got, want, what):
    if got != want:
        raise Failure("%s: got %r, expected %r" % (what, got, want))


def test(fn=None, name=None, timeout=60):
    """Registers a function of one argument (see Test) under its name."""
    if fn is None:
        return lambda f: test(f, name, timeout)
    _tests.append((name or fn.__name__, fn, timeout))
    return fn


def only_from(module):
    """Keeps the tests of one module: for a test file that borrows another's helpers."""
    _tests[:] = [x for x in _tests if x[1].__module__ == module]


def shown_until_the_end(master):
    """What a terminal shows until all that have it are gone; its side of it is closed."""
    seen = b""
    try:
        while True:
            chunk = os.read(master, 65536)
            if not chunk:
                break
            seen += chunk
    except OSError:
        pass  # the other side has closed it
    os.close(master)
    return seen


def on_terminal(argv, columns, **kw):
    """What argv, which must end by itself, prints on a terminal of so many columns, as text."""
    import fcntl, pty, struct, termios
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    with subprocess.Popen(argv, stdout=slave, stderr=slave, stdin=subprocess.DEVNULL, **kw) as p:
        os.close(slave)
        seen = shown_until_the_end(master)
    return seen.decode().replace("\r\n", "\n")


def fits(text, columns, *names):
    """No line of text is wider, and none of the names is cut: a long one may go on on the next line."""
    eq([x for x in text.splitlines() if len(x) > columns], [], "lines wider than %d" % columns)
    joined = re.sub(r"\s+", "", text)
    eq([n for n in names if re.sub(r"\s+", "", n) not in joined], [], "names that are cut in:\n" + text)
    check(not re.search(r"\S\.\.\.", text), "something is cut in:\n" + text)


def wait_for(what, fn, seconds=40):
    """Until fn() is true; returns that. The limit is for what never happens."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = fn()
        if got:
            return got
        time.sleep(0.02)
    raise Failure("not within %d s: %s" % (seconds, what))


def at_some_pace(fn, paces=(1, 5, 25)):
    """fn(pace) with one pace after the other, until it does not fail: for what is about time itself and has nothing to
    wait for. Its times are to be that many times as long: those that a busy machine cannot keep are no matter at the next."""
    for pace in paces:
        try:
            return fn(pace)
        except Failure:
            if pace == paces[-1]:
                raise


def wait_for_text(path):
    """What a file holds, once there is a line in it."""
    def text():
        try:
            with open(path) as f:
                return f.read()
        except FileNotFoundError:
            return ""
    return wait_for("a line in " + path, lambda: text() if "\n" in text() else "")


_ports = []


def free_port(kind=socket.SOCK_DGRAM):
    """A port of 127.0.0.1 that nobody has and no other test is given while this program runs; not one of those that the
    kernel gives to clients, of which there are many beside us."""
    with open("/proc/sys/net/ipv4/ip_local_port_range") as f:
        low, high = map(int, f.read().split())
    ports = [x for x in range(20000, 65536) if not low <= x <= high] or range(low, high)
    for _ in range(1000):
        port, name = random.choice(ports), socket.socket(socket.AF_UNIX)
        try:
            name.bind("\0iotrace-test-port-%d" % port)
            with socket.socket(socket.AF_INET, kind) as s:
                s.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _ports.append(name)
        return port
    raise Failure("no port is free")


def need_root():
    if not IS_ROOT or USER or USERNS:
        raise Skip("needs root")


def need_tool(name):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if not path:
        raise Skip("%s is not installed" % name)
    return path


def built(t, name, text, **defines):
    """A program of the test's own, of C. What gcc 14 refuses is refused by all."""
    path = t.path(name)
    with open(path + ".c", "w") as f:
        f.write(text)
    r = t.run([need_tool("gcc"), "-O1", "-w", "-Werror=implicit-function-declaration",
               *("-D%s=%d" % x for x in defines.items()), "-o", path, path + ".c"], timeout=60, user=False)
    if r.status:
        raise Failure("%s: %s" % (name, r.err))
    return path


_no_recorder = {}


def need_recorder(t, *options):
    """Where every call stops, some figures are others. Tried once for all tests of a file."""
    if options not in _no_recorder:
        r = t.iotrace(options, ["/bin/true"])
        _no_recorder[options] = [w["text"] for w in r.json["warnings"] if w["code"] == "no_recorder"]
    if _no_recorder[options]:
        raise Skip(_no_recorder[options][0])


def for_others(t, *paths):
    """Copies for another user, in the test's directory: the checkout may be closed to others. Returns the first."""
    return [shutil.copy(p, t.dir) for p in paths][0]


class Done:
    """How a program ended. status: as a shell says it, 128+N for signal N."""

    def __init__(self, status, out, err, seconds):
        self.status = status if status >= 0 else 128 - status
        self.out, self.err, self.seconds = out, err, seconds

    def __str__(self):
        return "status %d\nstdout: %s\nstderr: %s" % (self.status, self.out[-2000:], self.err[-2000:])


class Traced(Done):
    """A run under iotrace with -o: .json, .summary and .detail are read when asked for."""

    prefix = None
    _json = None

    @property
    def json(self):
        if self._json is None:
            try:
                with open(self.prefix + ".json") as f:
                    self._json = json.load(f)
            except OSError as e:
                raise Failure("no result: %s\n%s" % (e, self)) from e
        return self._json

    @property
    def summary(self):
        with open(self.prefix + "-summary.txt") as f:
            return f.read()

    @property
    def detail(self):
        with open(self.prefix + "-detail.txt") as f:
            return f.read().splitlines()

    def call(self, name):
        """The row of a call; one with zeros where there is none."""
        for row in self.json["syscalls"]:
            if row["name"] == name:
                return row
        return {"name": name, "calls": 0, "ok": 0, "errors": 0, "interrupted": 0, "no_return": 0,
                "errno": {}, "bytes": None, "batch": None, "datagrams": None}


class Test:
    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="iotrace-test-")
        os.chmod(self.dir, 0o777)
        self._n = 0
        self._started = []

    def close(self):
        for p in self._started:
            end_group(p)
        shutil.rmtree(self.dir, ignore_errors=True)

    @property
    def binary(self):
        path = os.path.join(BUILD, "bin", "iotrace")
        if not os.access(path, os.X_OK):
            raise Failure("%s is not built" % path)
        return path

    def target(self, name, variant=""):
        """A target program's path, e.g. target("mmsg", "m32")."""
        plain = os.path.join(BUILD, "targets", name)
        if not os.access(plain, os.X_OK):
            raise Failure("%s is not built" % plain)
        path = plain + "-" + variant if variant else plain
        if not os.access(path, os.X_OK):
            raise Skip("no %s variant was built: its compiler is not installed" % variant)
        return path

    def path(self, name):
        return os.path.join(self.dir, name)

    def start(self, argv, user=True, **kw):
        """A process in a group of its own, which is killed when the test ends."""
        kw.setdefault("stdin", subprocess.DEVNULL)
        kw.setdefault("stdout", subprocess.PIPE)
        kw.setdefault("stderr", subprocess.PIPE)
        # finish() reads the pipes themselves: what readline() had taken into a buffer, with the line it was asked for,
        # would be missing there.
        p = subprocess.Popen((_prefix() if user else []) + list(argv), start_new_session=True,
                             cwd=kw.pop("cwd", self.dir), bufsize=0, **kw)
        if p.stdin:
            p.stdin = io.BufferedWriter(p.stdin)
        self._started.append(p)
        return p

    def finish(self, p, timeout=30, cls=Done, began=None):
        try:
            out, err = p.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            end_group(p)
            raise Failure("still running after %d s: %s" % (timeout, " ".join(p.args))) from None
        seconds = time.monotonic() - began if began else 0
        return cls(p.returncode, *(x.decode(errors="replace") if x else "" for x in (out, err)), seconds)

    def run(self, argv, timeout=30, input=None, **kw):
        began = time.monotonic()
        if input is not None:
            kw["stdin"] = subprocess.PIPE
        p = self.start(argv, **kw)
        if input is not None:
            p.stdin.write(input)
            p.stdin.close()
            p.stdin = None
        return self.finish(p, timeout, began=began)

    def iotrace_argv(self, options, argv):
        """With -o PREFIX in the test's directory. Returns (argv, prefix)."""
        self._n += 1
        prefix = self.path("r%d" % self._n)
        return [self.binary, "-o", prefix] + list(options) + (["--"] + list(argv) if argv else []), prefix

    def iotrace(self, options, argv, timeout=30, status=0, **kw):
        """Runs to the end; status: what is expected, None for anything."""
        full, prefix = self.iotrace_argv(options, argv)
        began = time.monotonic()
        p = self.start(full, **kw)
        r = self.finish(p, timeout, Traced, began)
        r.prefix = prefix
        if r.status == 77 and status != 77:
            raise Skip("not possible here: " + r.err.strip().splitlines()[0])
        if status is not None and r.status != status:
            raise Failure("expected status %d of %s\n%s" % (status, " ".join(argv), r))
        return r


BIN = os.path.abspath(os.environ.get("BIN", os.path.join(BUILD, "bin")))


def analyze(t, *args, status=0):
    return profile(t, "analyze", *args, status=status)


def section(text, title):
    """What stands below a heading of Markdown."""
    found = re.search(r"^## %s\n(.*?)(?=^#|\Z)" % re.escape(title), text, re.M | re.S)
    check(found, "no section %s in\n%s" % (title, text[:2000]))
    return found.group(1)


def profile(t, *args, status=0, env=None, timeout=40, **kw):
    """Runs profile-scenario in the test's directory; status: what is expected, None for anything."""
    path = os.path.join(BIN, "profile-scenario")
    if not os.access(path, os.X_OK):
        raise Failure("%s is not built" % path)
    full = {k: v for k, v in os.environ.items() if k != "PROFILE_BINARY"}
    full.update(env or {})
    r = t.run([path] + [str(a) for a in args], env=full, timeout=timeout, **kw)
    if status is not None and r.status != status:
        raise Failure("expected status %d of %s\n%s" % (status, " ".join(map(str, args)), r))
    return r


_perf = {}


def need_perf():
    """Skips where perf cannot run at all, which is tried and not guessed."""
    if "why" not in _perf:
        perf = shutil.which("perf")
        with tempfile.NamedTemporaryFile() as data:
            busy = "i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done"
            p = perf and subprocess.run([perf, "record", "-q", "-e", "cpu-clock", "-F", "499", "-o", data.name, "sh", "-c",
                                         busy], capture_output=True, text=True, stdin=subprocess.DEVNULL)
            q = perf and subprocess.run([perf, "script", "-i", data.name], capture_output=True, text=True,
                                        stdin=subprocess.DEVNULL)
        _perf["why"] = "no perf (linux-perf)" if not perf else \
            "perf cannot sample here: " + p.stderr.strip()[:100] if p.returncode else \
            "" if q.stdout.strip() else "perf takes no samples here" + ("" if os.path.isdir("/sys/kernel") else ", without /sys")
    if _perf["why"]:
        raise Skip(_perf["why"])


def _tool(name):
    """By its whole path: a test may give the target another PATH."""
    return shutil.which(name, path="/usr/bin:/bin:/usr/sbin:/sbin") or name


def _prefix():
    if USER:
        u = pwd.getpwnam(USER)
        return [_tool("setpriv"), "--reuid=%d" % u.pw_uid, "--regid=%d" % u.pw_gid, "--clear-groups", "--"]
    return [_tool("unshare"), "-Ur", "--"] if USERNS else []


def end_group(p):
    # Numbers begin anew when they are used up: once its leader was waited for, a group of that number that has a leader is
    # another test's.
    try:
        if p.returncode is None or not os.path.exists("/proc/%d" % p.pid):
            os.killpg(p.pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        pass
    if p.poll() is None:
        p.kill()
    p.communicate()


def _alarm(_sig, _frame):
    raise Failure("time limit of the test")


def _skip_all_reason():
    if USER:
        if not IS_ROOT:
            return "running as %s needs root" % USER
        probe = subprocess.run(_prefix() + ["test", "-x", os.path.join(BUILD, "bin", "iotrace")],
                               stderr=subprocess.DEVNULL)
        if probe.returncode:
            return "%s cannot reach %s" % (USER, BUILD)
    if USERNS:
        probe = subprocess.run(_prefix() + ["true"], capture_output=True, text=True)
        if probe.returncode:
            return "no user namespaces here: " + probe.stderr.strip()
    return None


def _run_one(fn, timeout):
    """-> (ok, reason of a skip or None, text of a failure or None)"""
    t = Test()
    signal.alarm(timeout)
    try:
        fn(t)
        return True, None, None
    except Skip as e:
        return True, str(e), None
    except Failure as e:
        return False, None, str(e)
    except Exception as e:  # a broken test fails by name too, and the others still run
        return False, None, "%s: %s" % (type(e).__name__, e)
    finally:
        signal.alarm(0)
        t.close()


def _cpu():
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


def main():
    signal.signal(signal.SIGALRM, _alarm)
    # A shell without job control starts what runs in the background with these ignored, and every
    # target would inherit it.
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, signal.SIG_DFL)
    chosen = [x for x in _tests if not sys.argv[1:] or any(a in x[0] for a in sys.argv[1:])]
    reason = _skip_all_reason()
    print("1..%d" % (1 if reason else len(chosen)), flush=True)
    if reason:
        print("ok 1 - all %d tests # SKIP %s" % (len(chosen), reason))
        sys.exit(0)
    failed = 0
    for i, (name, fn, timeout) in enumerate(chosen, 1):
        began, cpu = time.monotonic(), _cpu()
        ok, skipped, text = _run_one(fn, timeout)
        failed += not ok
        print("%sok %d - %s%s" % ("" if ok else "not ", i, name,
                                  " # SKIP " + " ".join(skipped.split()) if skipped else ""))
        if text:
            print("\n".join("# " + line for line in text.splitlines()))
        if TIMES:
            print("# %.2f s, %.2f s of CPU: %s" % (time.monotonic() - began, _cpu() - cpu, name))
        sys.stdout.flush()
    sys.exit(1 if failed else 0)
