#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""What docs/ARCHITECTURE.md promises of the source tree, checked."""
import concurrent.futures
import glob
import os
import re
import shutil
import subprocess
import sys
import tempfile
from shlex import quote

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "e2e"))
from tap import BUILD, ROOT, Skip, check, eq, main, need_tool, test

# Each room of common/ and the rooms that it may include, itself aside.
ROOMS = {
    "base": set(),
    "model": {"base"},
    "view": {"base", "model"},
    "write": {"base", "model", "view"},
    "runner": {"base", "model", "report"},
    "doctor": {"base", "runner"},
    "baseline": {"base", "model", "runner"},
    "compare": {"base", "model", "view", "write"},
    "analyze": {"base", "model", "view", "write"},
    "export": {"base", "model", "write"},
    "merge": {"base", "model"},
    "report": {"base", "model", "view", "write", "analyze"},
    "history": {"base", "model", "write", "compare"},
    "cli": {"base", "model", "view", "write", "runner", "doctor", "baseline", "compare", "analyze", "report",
            "export", "history", "merge"},
}
BACKENDS = tuple(sorted(os.path.basename(os.path.dirname(p)) for p in glob.glob(os.path.join(ROOT, "*", "backend.c"))))
FRAGMENTS = {"common/model/undef.h"}  # parts of another header
MAY_PRINT = re.compile(r"^(common/cli/|tracer/main\.c$)")
DATABASES = re.compile(r"^common/history/(sqlite|postgres)\.c$")
JANSSON = re.compile(r"^common/model/json\w*\.[ch]$|^common/model/walk\.h$")
PRINTS = re.compile(r"\b(?:printf|puts|putchar|perror|psignal)\s*\(|"
                    r"\bv?f?printf\s*\(\s*std(?:err|out)|\bfput[sc]\s*\([^;]*\bstd(?:err|out)|"
                    r"\bfwrite\s*\([^;]*\bstd(?:err|out)|\bv?dprintf\s*\(\s*[12]\b|\berrx?\s*\(\s*\d")
SPDX = "SPDX-License-Identifier: GPL-3.0-only"
CODE = (".c", ".h", ".def", ".S")
WITH_SPDX = CODE + (".py", ".sh", ".mk", ".bash")
ALSO_SPDX = {"docs/completion/zsh", "docs/completion/fish", "Makefile", ".clang-format", ".clang-tidy", ".ci/run", ".ci/deps", "tests/matrix", "tests/repro",
             "tests/run"}


def tree():
    """Every file that git has or would add; without git every file outside the build."""
    git = shutil.which("git") and subprocess.run(["git", "-C", ROOT, "ls-files", "-co", "--exclude-standard"],
                                                 capture_output=True, text=True)
    if git and git.returncode == 0:
        return sorted(f for f in set(git.stdout.splitlines()) if os.path.isfile(os.path.join(ROOT, f)))
    out = []
    for d, dirs, files in os.walk(ROOT):
        dirs[:] = [x for x in dirs if x not in (".git", "build", "__pycache__")]
        out += [os.path.relpath(os.path.join(d, f), ROOT) for f in files]
    return sorted(out)


FILES = tree()


def text(path):
    with open(os.path.join(ROOT, path), errors="replace") as f:
        return f.read()


def code(path):
    """Without comments and strings, line by line as it was."""
    def blank(m):
        return '""' if m.group(0)[0] == '"' else re.sub(r"[^\n]", " ", m.group(0))
    return re.sub(r'"(?:\\.|[^"\\\n])*"|//[^\n]*|/\*.*?\*/', blank, text(path), flags=re.S)


def sources(*rooms):
    return [f for f in FILES if f.endswith(CODE) and f.startswith(tuple(r + "/" for r in rooms))]


def includes(path):
    return re.findall(r'^\s*#\s*include\s+"([^"]+)"', text(path), re.M)


@test
def includes_go_one_way(_t):
    bad = []
    for f in sources("common", *BACKENDS):
        parts = f.split("/")
        for inc in includes(f):
            to = inc.split("/")
            if not os.path.isfile(os.path.join(ROOT, inc)):
                bad.append("%s: %s is not a path from the top" % (f, inc))
            elif parts[0] == "common" and to[0] != "common":
                bad.append("%s includes %s: common includes no backend" % (f, inc))
            elif parts[0] == "common" and to[1] != parts[1] and to[1] not in ROOMS.get(parts[1], set()):
                bad.append("%s includes %s: %s does not know %s" % (f, inc, parts[1], to[1]))
            elif parts[0] in BACKENDS and to[0] not in ("common", parts[0]):
                bad.append("%s includes %s: backends know only common" % (f, inc))
            elif parts[0] in BACKENDS and to[:2] == ["common", "cli"]:
                bad.append("%s includes %s: nobody includes the command line" % (f, inc))
    eq(bad, [], "includes against the direction")


def circles(arrows):
    """Sets of nodes that lead to each other, each sorted; arrows: node -> the nodes it leads to."""
    def from_here(start):
        seen, rest = set(), [start]
        while rest:
            for to in arrows.get(rest.pop(), ()):
                if to not in seen:
                    seen.add(to)
                    rest.append(to)
        return seen

    reach = {n: from_here(n) for n in arrows}
    return sorted({tuple(sorted(m for m in reach[n] if n in reach.get(m, ()))) for n in arrows if n in reach[n]})


@test
def no_circle_of_includes(_t):
    """A module is X.c with X.h. One that another one needs does not need that one."""
    def module(path):
        return re.sub(r"\.[ch]$", "", path)

    arrows = {}
    for f in sources("common", *BACKENDS):
        if f.endswith((".c", ".h")):
            arrows.setdefault(module(f), set()).update(module(i) for i in includes(f) if module(i) != module(f))
    bad = ["; ".join("%s -> %s" % (m, ", ".join(sorted(arrows[m] & set(circle)))) for m in circle)
           for circle in circles(arrows)]
    eq(bad, [], "modules that include each other")


@test
def every_room_is_known(_t):
    eq(sorted({f.split("/")[1] for f in sources("common")} ^ set(ROOMS)), [], "rooms without a rule, or rules without a room")
    eq(circles(ROOMS), [], "rooms that know each other")


@test
def only_json_knows_jansson(_t):
    eq([f for f in sources("common", *BACKENDS) if "jansson.h" in text(f) and not JANSSON.match(f)], [],
       "files that include jansson")


@test
def only_history_knows_databases(_t):
    eq([f for f in sources("common", *BACKENDS) if re.search(r"<(postgresql/)?(sqlite3|libpq-fe)\.h>", text(f))
        and not DATABASES.match(f)], [], "files that include a database's header")


@test
def nothing_prints_below_the_command_line(_t):
    bad = []
    for f in sources("common", *BACKENDS):
        if MAY_PRINT.match(f):
            continue
        for n, line in enumerate(code(f).splitlines(), 1):
            if PRINTS.search(line):
                bad.append("%s:%d: %s" % (f, n, line.strip()))
    eq(bad, [], "lines that print")


@test
def decoders_are_pure(_t):
    """No system interface in tracer/decode: only the memory reader that they are given."""
    banned = re.compile(r"\b(ptrace|process_vm_readv|open|read|syscall)\s*\((?!ctx)|sys/ptrace\.h|stdio\.h")
    bad = ["%s:%d: %s" % (f, n, line.strip()) for f in sources("tracer/decode")
           for n, line in enumerate(code(f).splitlines(), 1)
           if banned.search(line) and "->read(" not in line and "(*read)(" not in line]
    eq(bad, [], "effects in decoders")


BEYOND_THE_SINK = re.compile(r"\b(session_\w+|struct session|identity_\w+|book_\w+|booking_\w+|colocate_\w+)\b")
NOT_THE_RECORDERS = {"tracer/%s.h" % name for name in ("session", "fd/identity", "book", "booking", "colocate", "report")}


def beyond_the_sink(path):
    """What a file of the recorder knows of the tracer around it."""
    return sorted(set(includes(path)) & NOT_THE_RECORDERS) + BEYOND_THE_SINK.findall(code(path))


@test
def the_recorder_knows_a_sink(_t):
    """Not the session, nor what it makes of a call; not by way of another header either."""
    files = sources("tracer/recorder")
    check(len(files) > 10, "no recorder")
    eq(sorted(NOT_THE_RECORDERS - set(FILES)), [], "headers that are not there")
    bad = ["%s: %s" % (f, what) for f in files for what in beyond_the_sink(f)]
    todo, seen = list(files), set(files)
    while todo:
        f = todo.pop()
        for inc in set(includes(f)) - seen:
            if inc in NOT_THE_RECORDERS:
                bad.append("%s includes %s" % (f, inc))
            seen.add(inc)
            todo.append(inc)
    eq(bad, [], "what the recorder is not to know")


@test(timeout=300)
def every_header_compiles_alone(t):
    bad = []
    headers = [f for f in sources("common", *BACKENDS) if f.endswith(".h") and f not in FRAGMENTS]
    empty = t.path("alone.c")
    for h in headers:
        with open(empty, "w") as f:
            f.write('#include "%s"\n' % h)
        r = subprocess.run([os.environ.get("CC", "gcc"), "-std=gnu17", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64",
                            "-fsyntax-only", "-Wall", "-Werror", "-I" + ROOT, empty], capture_output=True, text=True)
        if r.returncode:
            bad.append("%s: %s" % (h, r.stderr.splitlines()[1] if len(r.stderr.splitlines()) > 1 else r.stderr))
    eq(bad, [], "headers that need another one")


# ---- architectures ----

# Registers, requests and headers of x86-64.
ONE_ARCH = re.compile(r"\b(?:r[abcd]x|r[sd]i|r[sbi]p|orig_rax|[fg]s_base|eflags|AUDIT_ARCH_X86_64|PTRACE_[GS]ETREGS|"
                      r"PTRACE_(?:PEEK|POKE)USER|ARCH_[SG]ET_[FG]S|SCMP_ARCH_X86_64|ABI_X86_64|"
                      r"__rdtsc|__get_cpuid)\b|<(?:asm/prctl|x86intrin|cpuid)\.h>")
# The package gcc-aarch64-linux-gnu and gcc-multilib, which 32-bit targets need, are not installed together; clang is enough.
CROSS_CC = ("aarch64-linux-gnu-gcc", "clang --target=aarch64-linux-gnu -isystem /usr/aarch64-linux-gnu/include")


@test
def only_arch_knows_an_architecture(_t):
    """docs/ARCHITECTURE.md, "An architecture". syscalls.def has numbers that one of them has alone."""
    bad = ["%s:%d: %s" % (f, n, line.strip()) for f in sources("common", *BACKENDS)
           if not f.startswith("tracer/arch/") and f != "tracer/syscalls.def"
           for n, line in enumerate(code(f).splitlines(), 1) if ONE_ARCH.search(line)]
    eq(bad, [], "one architecture's, outside tracer/arch/")


def cross_compiler(t):
    """One for aarch64 with a C library, as words of a command."""
    own = os.environ.get("AARCH64_CC")
    probe = t.path("probe.c")
    with open(probe, "w") as f:
        # Another architecture's headers, which clang takes where there are no others, have other sizes.
        f.write("#include <stdint.h>\n#include <stdio.h>\n#include <sys/user.h>\n#ifndef __aarch64__\n#error\n#endif\n"
                "_Static_assert(sizeof(uintptr_t) == sizeof(void *), \"\");\n")
    for cc in [own] if own else CROSS_CC:
        words = cc.split()
        if shutil.which(words[0]) and not subprocess.run(words + ["-fsyntax-only", probe], capture_output=True).returncode:
            return words
    if own:
        raise AssertionError("AARCH64_CC=%s does not compile for aarch64" % own)
    raise Skip("no compiler for aarch64: clang and libc6-dev-arm64-cross, or gcc-aarch64-linux-gnu, or AARCH64_CC")


def cross_compile(cc, path, obj):
    # The libraries' headers are the same for each architecture; the cross C library's own go before.
    r = subprocess.run(cc + ["-std=gnu17", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64", '-DIOTRACE_VERSION=""', "-Wall",
                             "-Werror", "-I.", "-I" + os.path.join(BUILD, "gen"), "-idirafter", "/usr/include", "-c", "-o", obj, path],
                       cwd=ROOT, capture_output=True, text=True)
    return "\n".join([path] + [line for line in r.stderr.splitlines() if "error" in line][:2]) if r.returncode else ""


@test(timeout=900)
def everything_but_its_own_compiles_for_aarch64(t):
    """And what the rest wants of tracer/arch/ is there, in tracer/arch/aarch64/."""
    cc = cross_compiler(t)
    chosen = [f for f in FILES if f.endswith((".c", ".S")) and f.startswith(tuple(room + "/" for room in ("common", *BACKENDS)))
              and not re.match(r"tracer/arch/(?!aarch64/)", f)]
    check(len(chosen) > 150, "only %d files" % len(chosen))
    objs = [t.path("%d.o" % n) for n in range(len(chosen))]
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        bad = [e for e in pool.map(lambda pair: cross_compile(cc, *pair), zip(chosen, objs)) if e]
    eq(bad, [], "do not compile")
    symbols = [line.split()[-2:] for line in binutil("nm", "-g", *objs).splitlines() if len(line.split()) > 1]
    defined = {name for kind, name in symbols if kind != "U"}
    wanted = {name for kind, name in symbols if kind == "U" and re.match("(arch|regs|code)_", name)}
    check(wanted, "nothing is wanted of tracer/arch/")
    eq(sorted(wanted - defined), [], "wanted, and not in tracer/arch/aarch64/")


def measured_rows():
    """Names of the rows of syscalls.def that count units or bytes, or have a decoder."""
    rows = re.findall(r"^SYSCALL\((\w+),(.*?)\)\s*$", code("tracer/syscalls.def"), re.M | re.S)
    return [n for n, rest in rows if re.search(r"\.(unit|batch|bytes|bytes_ret|decoder)\b", rest)]


@test
def every_measured_call_has_a_target(_t):
    rows = measured_rows()
    if not rows:
        raise AssertionError("no rows read from tracer/syscalls.def")
    targets = " ".join(code(f) for f in FILES if re.match(r"tests/targets/\w+\.[ch]$", f))
    other = {"pwrite64": "pwrite", "pread64": "pread"}
    eq([n for n in rows if not re.search(r"\b(SYS_)?(%s|%s)\s*[(,]" % (n, other.get(n, n)), targets)], [],
       "measured calls without a target")


@test
def every_measured_call_has_an_expectation(_t):
    expected = text("tests/e2e/exact.py")
    eq([n for n in measured_rows() if not re.search(r"\b%s=(call|work)\(" % n, expected)], [],
       "measured calls that no row of exact.py names")


# ---- limits ----

NAMED_TEST = re.compile(r"`tests/(e2e/\w+\.py|unit/\w+\.c) ([^`]+)`")
NAMES = "import tap; tap.main = lambda: None; import %s as m; print(*(n for n, f, _ in tap._tests if f.__module__ == %r), sep='\\n')"


def names_of_tests(path):
    """What the tests of a file print their names as."""
    if path.endswith(".c"):
        tables = re.findall(r"\bstatic const struct CMUnitTest .*?};", code("tests/" + path), re.S)
        return re.findall(r"\w+\((\w+)\)", " ".join(tables))
    module = os.path.basename(path)[:-3]
    env = {k: v for k, v in os.environ.items() if k != "EXACT_ORACLE"}
    r = subprocess.run([sys.executable, "-c", NAMES % (module, module)], capture_output=True, text=True, env=env,
                       cwd=os.path.join(ROOT, "tests/e2e"))
    check(r.returncode == 0, r.stderr)
    return r.stdout.splitlines()


def unknown_tests(named):
    """Of (file, name) those that no test is called, or begins with."""
    have = {path: names_of_tests(path) if "tests/" + path in FILES else [] for path in {p for p, _ in named}}
    return [pair for pair in named if not any(re.match(re.escape(pair[1]) + r"(?!\w)", n) for n in have[pair[0]])]


@test
def every_limit_names_its_test(_t):
    """docs/LIMITS.md: tests that are there, or why there is none."""
    lines = text("docs/LIMITS.md").splitlines()
    rows = [line.split(" | ") for line in lines if line.startswith("| ") and not line.startswith("| fault ")]
    check(len(rows) > 50, "rows: %d" % len(rows))
    eq([r[0] for r in rows if len(r) != 4 or not (NAMED_TEST.search(r[-1]) or "no test: " in r[-1])], [],
       "rows without a test or a reason")
    eq(unknown_tests([m for r in rows for m in NAMED_TEST.findall(r[-1])]), [], "no such tests")
    eq(unknown_tests([("e2e/cli.py", "a_target_notices"), ("unit/test_tsc.c", "main"), ("e2e/none.py", "x")]),
       [("e2e/cli.py", "a_target_notices"), ("unit/test_tsc.c", "main"), ("e2e/none.py", "x")], "the check can fail")


@test
def every_file_has_its_licence(_t):
    bad = []
    for f in FILES:
        if f.endswith(WITH_SPDX) or f in ALSO_SPDX:
            if SPDX not in "\n".join(text(f).splitlines()[:3]):
                bad.append(f)
    eq(bad, [], "files without " + SPDX)


def columns(line):
    return len(line.expandtabs(8))


@test
def no_line_above_100_columns(_t):
    bad = []
    for f in FILES:
        if f.endswith((".c", ".h", ".S")):
            bad += ["%s:%d" % (f, n) for n, line in enumerate(text(f).splitlines(), 1) if columns(line) > 100]
    eq(bad, [], "lines above 100 columns")


@test
def formatted(t):
    """clang-format decides, if it is the version that the tree is formatted with."""
    try:
        version = subprocess.run(["clang-format", "--version"], capture_output=True, text=True).stdout
    except OSError:
        raise Skip("clang-format is not installed") from None
    if "version 14." not in version:
        raise Skip("formatted with clang-format 14, here is " + version.strip())
    chosen = [f for f in FILES if f.endswith((".c", ".h"))]
    r = subprocess.run(["clang-format", "--dry-run", "-Werror", *chosen], capture_output=True, text=True, cwd=ROOT)
    eq(sorted({line.split(":")[0] for line in r.stderr.splitlines() if "error:" in line}), [],
       "files that `make fmt` would change")


def help_of(program):
    """--help, and that of every command that is named there."""
    path = os.path.join(BUILD, "bin", program)
    if not os.access(path, os.X_OK):
        raise Skip("%s is not built" % program)
    text_ = subprocess.run([path, "--help"], capture_output=True, text=True).stdout
    for command in commands_in(text_):
        text_ += subprocess.run([path, command, "--help"], capture_output=True, text=True).stdout
    return text_


def commands_in(help_):
    return re.findall(r"^  ([a-z]+) ", help_.split("commands (", 1)[1].split("\n\n", 1)[0], re.M) if "commands (" in help_ else []


def options_of_help(program):
    found = set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", help_of(program)))
    return sorted(found | set(re.findall(r"^  (-[a-z]), ", help_of(program), re.M)))


def in_document(program, path, read):
    def run(_t):
        if path not in FILES:
            raise Skip("no " + path)
        document, options = read(text(path)), options_of_help(program)
        assert options, "no options in --help"
        eq([o for o in options if not re.search(r"(?<![\w-])" + re.escape(o) + r"(?![\w-])", document)], [],
           "not in " + path)
        known = set(options) | {"--"}
        eq(sorted(o for o in set(re.findall(r"(?<![\w-])--[a-z][a-z-]+", document)) - known
                  if path.endswith(".bash")), [], "no such option, in " + path)
    return run


def manual(page):
    return page.replace("\\-", "-").replace("\\fB", "").replace("\\fR", "")


for program in ("iotrace", "profile-scenario"):
    test(in_document(program, "docs/man/%s.1" % program, manual), name="every_option_of_%s_is_in_its_manual" % program)
test(in_document("iotrace", "docs/completion/iotrace.bash", str), name="every_option_of_iotrace_is_completed")


@test
def package_lists_have_what_the_build_asks_for(_t):
    """docs/PROFILING-SETUP.md has what .ci/deps, which the matrix tries, asks for: Debian's names exactly, others by their stem."""
    asked = re.findall(r"^(?:libraries='|programs=')?(lib\S+-dev|zlib1g-dev) \S+\.h ([\w-]+)",
                       text(".ci/deps").split("what the archives of", 1)[0], re.M)
    check(len(asked) > 10, "libraries of .ci/deps: %s" % asked)
    lists = re.findall(r"^sudo (apt-get|dnf|pacman|apk) \S+ (.*\n)", text("docs/PROFILING-SETUP.md"), re.M)
    builds = [(how, set(re.findall(r"[\w.+-]+", names))) for how, names in lists if "gcc make" in names]
    eq([how for how, _ in builds], ["apt-get", "apt-get", "dnf", "pacman", "apk"], "lists")
    others = {"dw": "elfutils", "elf": "elfutils", "md": "libmd", "pq": "(libpq|postgresql-libs)", "z": "zlib", "sqlite3": "sqlite",
              "pcre2-8": "pcre2"}
    for how, names in builds:
        for package, library in asked + [("protobuf-c-compiler", "protobuf-c")]:
            there = package in names if how == "apt-get" else any(
                re.fullmatch("(lib)?%s(-dev|-devel)?" % others.get(library, library.lower()), n) for n in names)
            check(there, "%s: %s is not in its list" % (how, package))


STRINGS = r'"(?:[^"\\\n]|\\.)*"(?:\s*"(?:[^"\\\n]|\\.)*")*'


def habits():
    """Rows of the table of docs/FROM-STRACE.md, from tracer/habits.def."""
    kinds = {"ALWAYS": "always so", "NOTHING": "taken", "MISSING": "not there"}
    for row in re.finditer(r"""^HABIT\((0|'.'),\s*(NULL|"[^"]*"),\s*(NULL|"[^"]*"),\s*\w+,\s*(\w+),\s*(%s)\)$""" % STRINGS,
                           text("tracer/habits.def"), re.M):
        letter, name, qualifiers, kind, sentence = row.groups()
        names = ["`-%s`" % letter[1:2]] * (letter != "0") + ["`--%s`" % name.strip('"')] * (name != "NULL")
        if qualifiers != "NULL":
            names.append("`-e %s=`" % qualifiers.strip('"').split("|")[0])
        sentence = "".join(re.findall(r'"((?:[^"\\\n]|\\.)*)"', sentence)).replace('\\"', '"').replace("|", "\\|")
        yield "| %s | %s | %s |" % (", ".join(names), kinds[kind], sentence)


@test
def straces_options_are_in_their_document(_t):
    """docs/FROM-STRACE.md has tracer/habits.def as a table."""
    rows = list(habits())
    eq(len(rows), len(re.findall(r"^HABIT\(", text("tracer/habits.def"), re.M)), "rows that are understood")
    have = text("docs/FROM-STRACE.md").split("<!-- habits.def -->\n", 1)[1].split("<!-- end -->", 1)[0]
    eq(have.splitlines()[2:], rows, "rows of docs/FROM-STRACE.md")


# (program, words, what is offered; "": nothing)
TYPED = (("profile-scenario", ["--typ"], "--type"), ("profile-scenario", ["--type", "mem"], "memory"),
         ("profile-scenario", ["bas"], "baseline"), ("profile-scenario", ["doctor", "--js"], "--json"),
         ("profile-scenario", ["export", "--format", ""], "pprof"), ("profile-scenario", ["compare", "--format", "g"], "github"),
         ("profile-scenario", ["report", "--history", "READ"], "README.md"), ("profile-scenario", ["--history", "READ"], ""),
         ("iotrace", ["--contr"], "--control-fd"), ("iotrace", ["--mode", "pt"], "ptrace"),
         ("iotrace", ["-e", "%net"], "%network"), ("iotrace", ["-e", "read,sendm"], "read,sendmmsg"),
         ("iotrace", ["--mode=ptrace", "--contr"], "--control-fd"), ("profile-scenario", ["--runs=3", "--typ"], "--type"),
         ("iotrace", ["-q", "tru"], "true"), ("iotrace", ["ls", "--mode"], ""))
# --option=value: bash has it as three words, and wants the last alone; others have and want it whole.
TYPED_VALUES = (("iotrace", "--trace=", "read,sendm", "read,sendmmsg"), ("iotrace", "--mode=", "pt", "ptrace"),
                ("profile-scenario", "--type=", "mem", "memory"), ("profile-scenario", "--mode=", "", "auto"))
WHOLE = tuple((p, [o + v], o + want) for p, o, v, want in TYPED_VALUES) + (("iotrace", ["-e", "trace=recvmm"], "trace=recvmmsg"),)
# What the programs say must be there: with a catalogue and a baseline.
TYPED_THERE = (("profile-scenario", ["--scenario", "qu"], "query"), ("profile-scenario", ["accept", "qu"], "query"),
               ("profile-scenario", ["compare", "v1"], "v1.2"), ("profile-scenario", ["baseline", "verify", "v1"], "v1.2"),
               ("profile-scenario", ["--type", "heapt"], "heaptrack"))


def by_bash(program, words):
    """Words as bash has them: = is one of its own."""
    name = os.path.basename(program)
    words = [part for word in words for part in (re.split("(?<==)|(?==)", word) if "=" in word else [word]) if part or not word]
    return ["bash", "--norc", "-c", "source %s/docs/completion/%s.bash; COMP_WORDS=(%s); COMP_CWORD=%d; _%s; "
            "printf '%%s\\n' \"${COMPREPLY[@]}\"" % (quote(ROOT), name, " ".join(quote(w) for w in [program] + words), len(words),
                                                   name.replace("-", "_"))]


def by_zsh(program, words):
    """The function, with what it hands to the shell printed."""
    return ["zsh", "-fc", "compadd() { print -rl -- $found; }; words=(%s); CURRENT=%d; source %s/docs/completion/zsh" % (
        " ".join(quote(w) for w in [program] + words), len(words) + 1, quote(ROOT))]


def by_fish(program, words):
    return ["fish", "--no-config", "-c", "source %s/docs/completion/fish; complete -C %s" % (
        quote(ROOT), quote(" ".join([program] + words)))]


def completes(shell, argv, typed, **where):
    """The programs are asked, too: those that were built."""
    if not shutil.which(shell):
        raise Skip(shell + " is not installed")
    where["env"] = dict(os.environ, PATH=os.path.dirname(built("bin/profile-scenario")) + ":" + os.environ["PATH"], **where.get("env", {}))
    for program, words, want in typed:
        out = subprocess.run(argv(program, words), capture_output=True, text=True, **where)
        eq((want in out.stdout.split() or not want and not out.stdout.strip(), out.stderr), (True, ""),
           "%s: %s of %s: %s" % (shell, want, words, out.stdout))


@test
def completion_completes(_t):
    """In a bash of its own, as a person who types and presses the tab key."""
    completes("bash", by_bash, TYPED + tuple((p, [o + v], want) for p, o, v, want in TYPED_VALUES) + (
        ("iotrace", ["-e", "trace=recvmm"], "recvmmsg"),), cwd=ROOT)


@test
def every_option_of_each_command_is_completed(_t):
    program = built("bin/profile-scenario")

    def help_(*words):
        return subprocess.run([program, *words, "--help"], capture_output=True, text=True).stdout
    for command in commands_in(help_()):
        options = re.findall(r"^  (?:(-\w), )?(--[a-z][a-z-]+)", help_(command), re.M)
        asked = subprocess.run(by_bash(program, [command, "-"]), capture_output=True, text=True, cwd=ROOT)
        eq(sorted({o for both in options for o in both if o} - set(asked.stdout.split())), [], "after " + command)


@test
def completion_of_zsh(_t):
    completes("zsh", by_zsh, TYPED + WHOLE, cwd=ROOT)


@test
def completion_of_fish(t):
    completes("fish", by_fish, TYPED + WHOLE, cwd=ROOT, env={"HOME": t.dir})


@test
def completion_of_scenarios_and_baselines(t):
    with open(t.path("profile-scenario.json"), "w") as f:
        f.write('{"scenarios": {"query": {"command": ["true"]}}}')
    os.makedirs(t.path("results/baselines/v1.2"))
    for name in ("METADATA.md", "MANIFEST.sha256"):
        with open(t.path("results/baselines/v1.2/" + name), "w"):
            pass
    completes("bash", by_bash, TYPED_THERE, cwd=t.dir)


@test
def completion_knows_every_call(_t):
    have = re.search(r"^_iotrace_calls='(.*?)'", text("docs/completion/iotrace.bash"), re.M | re.S).group(1).split()
    rows = re.findall(r"^SYSCALL\((\w+)", text("tracer/syscalls.def"), re.M)
    eq([n for n in rows if n not in have], [], "calls that docs/completion/iotrace.bash lacks")
    eq([n for n in have if n not in rows], [], "names in docs/completion/iotrace.bash that are no calls")
    eq([(a, b) for a, b in zip(have, rows) if a != b][:1], [], "first place where their order differs")


@test
def no_machine_paths(_t):
    """Nothing names a home directory or a place of the machine that it was written on."""
    where = re.compile(r"/home/\w+|/root/|/tmp/build-")
    bad = ["%s:%d" % (f, n) for f in FILES if f.endswith(WITH_SPDX + (".md", ".1", ".json")) or f in ALSO_SPDX
           for n, line in enumerate(text(f).splitlines(), 1)
           if where.search(line) and not f.startswith("tests/structure/")]
    eq(bad, [], "paths of a machine")


@test
def the_version_stands_in_one_place(_t):
    version = re.search(r"^VERSION := (\S+)$", text("Makefile"), re.M).group(1)
    told = {"Makefile", "CHANGELOG.md", "docs/BENCHMARKS.md"}  # the last two say what was, and stay
    word = re.compile(r"(?<![\w.])" + re.escape(version) + r"(?![\w.])")
    eq([f for f in FILES if f not in told and "/corpus/" not in f and word.search(text(f))], [],
       "also have the version " + version)


# ---- what was built ----

def built(path):
    path = os.path.join(BUILD, path)
    if not os.path.isfile(path):
        raise Skip("%s is not built" % path)
    return path


def binutil(*argv):
    need_tool(argv[0])
    r = subprocess.run(argv, capture_output=True, text=True, env=dict(os.environ, LC_ALL="C"))
    eq((r.returncode, r.stderr), (0, ""), " ".join(argv))
    return r.stdout


def hardened(program):
    def run(_t):
        path = built("bin/" + program)
        segments, dynamic = binutil("readelf", "-hlW", path), binutil("readelf", "-dW", path)
        check(re.search(r"Type: +DYN", segments) and re.search(r"FLAGS_1\).*\bPIE\b", dynamic), "no PIE")
        check("GNU_RELRO" in segments and re.search(r"FLAGS\).*BIND_NOW|FLAGS_1\).*\bNOW\b", dynamic), "no full RELRO")
        eq(re.findall(r"GNU_STACK .* (\w+) +0x", segments), ["RW"], "stack")
        symbols = binutil("nm", "-D", path)
        check("__stack_chk_fail" in symbols, "no stack protector")
        with open(built("flags")) as f:
            fortified = "-D_FORTIFY_SOURCE=" in f.read()
        check(not fortified or re.search(r"__(?!stack)\w+_chk\b", symbols), "not fortified")
    return run


def without_its_path(program):
    def run(_t):
        with open(built("flags")) as f:
            if "--coverage" in f.read():
                raise Skip("gcov keeps paths")
        with open(built("bin/" + program), "rb") as f:
            check(ROOT.encode() not in f.read(), "the path of the checkout is in it")
    return run


for program in ("iotrace", "profile-scenario"):
    test(hardened(program), name="%s_is_hardened" % program)
    test(without_its_path(program), name="%s_does_not_know_where_it_was_built" % program)


@test
def what_runs_in_targets_needs_nothing(_t):
    """No canary, no sanitizer, no memcpy of a C library: there is none at that address."""
    for arch in os.listdir(os.path.join(ROOT, "tracer/arch")):
        if "tracer/arch/%s/measure.c" % arch not in FILES:
            continue
        eq(binutil("nm", "-u", built("obj/tracer/arch/%s/measure.o" % arch)).split(), [], "wanted from outside")


@test
def uninstall_removes_what_install_put(t):
    for path in ("bin/iotrace", "bin/profile-scenario", "man/iotrace.1"):
        built(path)

    def make(goal):
        env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MFLAGS", "DESTDIR", "PREFIX")}
        r = subprocess.run(["make", "-o", "all", goal, "O=" + os.path.relpath(BUILD, ROOT), "PREFIX=/usr",
                            "DESTDIR=" + dest], cwd=ROOT, env=env, capture_output=True, text=True)
        eq((r.returncode, r.stderr), (0, ""), "make " + goal)
        folders.clear()
        folders.update(os.path.relpath(d, dest) for d, _, _ in os.walk(dest))
        return {os.path.relpath(os.path.join(d, f), dest) for d, _, files in os.walk(dest) for f in files}

    dest, folders = os.path.join(t.dir, "a place"), set()
    put = make("install")
    for f in ("bin/iotrace", "share/man/man1/profile-scenario.1", "share/bash-completion/completions/iotrace",
              "share/zsh/vendor-completions/_iotrace", "share/fish/vendor_completions.d/profile-scenario.fish"):
        check("usr/" + f in put, f + " is not installed")
    with open(os.path.join(dest, "usr/share/man/man1/iotrace.1")) as f:
        check("@" not in f.read().splitlines()[1], "no version in the manual")
    with open(os.path.join(dest, "usr/bin/mine"), "w"):
        pass
    eq(make("uninstall"), {"usr/bin/mine"}, "left")
    eq(folders, {".", "usr", "usr/bin", "usr/share", "usr/share/doc", "usr/share/man"}, "folders: those of any system")


@test
def the_checks_can_fail(_t):
    """The patterns find what they are for."""
    eq(circles({"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set()}), [("b", "c")], "circles")
    eq(circles({"a": {"b", "c"}, "b": {"c"}, "c": {"d"}}), [], "circles where there are none")
    for line in ('printf("x");', 'fprintf(stderr, "x");', 'perror("x");', 'dprintf(2, "x");', 'fputs("x", stdout);'):
        assert PRINTS.search(line), line
    for line in ('out_printf(o, "x");', 'snprintf(buf, 2, "x");', 'mem_printf("x");', 'fprintf(f, "x");'):
        assert not PRINTS.search(line), line
    for line in ("regs.rip = 1;", "regs->orig_rax", "ptrace(PTRACE_GETREGS, tid)", "#include <asm/prctl.h>"):
        assert ONE_ARCH.search(line), line
    for line in ("ptrace(PTRACE_GETREGSET, tid)", "r.r11 += x;", "regs_ip(&regs)", "AUDIT_ARCH_NATIVE", "parser(si)"):
        assert not ONE_ARCH.search(line), line
    with tempfile.TemporaryDirectory() as d:
        path = os.path.join(d, "x.c")
        with open(path, "w") as f:
            f.write('/* printf(1) */ char *s = "puts(2)"; // perror(3)\n')
        assert not PRINTS.search(code(path))
        with open(path, "w") as f:
            f.write('#include "tracer/session.h"\nvoid f(struct session *s) { book_call(s); } /* struct session */\n')
        eq(beyond_the_sink(path), ["tracer/session.h", "struct session", "book_call"], "in a recorder that knows too much")


if __name__ == "__main__":
    main()
