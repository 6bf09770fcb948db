#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario history: in SQLite, and in a PostgreSQL that a test starts as an ordinary user. What its noisy changes
are worth is simulated in tests/unit/test_history_points.c."""
import glob
import hashlib
import json
import os
import random
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from profile_scenario import io, one_line, text_of, write
from report import Keyboard, Page, browse, is_closed
from schema import Schema
from tap import BIN, ROOT, Skip, check, eq, fits, main, need_root, on_terminal, only_from, profile, test, wait_for

only_from("history")

STORE = "results/history.sqlite"


def history(t, *args, **kw):
    return profile(t, "history", *args, **kw)


def query(t, sql, path=STORE):
    with sqlite3.connect(t.path(path)) as db:
        return db.execute(sql).fetchall()


def results(t, out, writes=20, runs=3, name="s"):
    """Runs of dd: so many writes."""
    io(t, name, "--runs", runs, "-q", "--output-dir", out, "--binary", "/bin/dd", "--",
       "if=/dev/zero", "of=/dev/null", "bs=1", "count=%d" % writes)


def versions(t, *args):
    return [line.split()[0] for line in history(t, "list", *args).out.splitlines()[1:]]


def changes(text):
    """Rows of `trend` without a figure: [(version, figure, what)], and its notes."""
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines() if re.match(r"  [^ *]", line)]
    return [(r[0], r[2], r[-1]) for r in rows[1:]], re.findall(r"^  \* (\S+): (.*)$", text, re.M)


# ---- a store ----

@test
def add_list_show_trend(t):
    for n, writes in enumerate((20, 20, 25), 1):
        results(t, "r", writes)
        r = history(t, "add", "r", "--label", "v%d" % n)
        eq((r.out, r.err), ("", "%s: version v%d: 3 runs added\n" % (STORE, n)), "add")
    eq(versions(t), ["v1", "v2", "v3"], "in the order in which they were added")
    check(re.search(r"^  v1 +\S+ \S+ +3 +1 +1  s io$", history(t, "list").out, re.M), "list")
    with open(t.path("r/iotrace/s-iotrace.json")) as f:
        calls = sum(c["calls"] for c in json.load(f)["syscalls"])
    check(re.search(r"^  calls +%d +%d +%d$" % (calls, calls, calls), history(t, "show", "v3").out, re.M), "show")
    check("write.calls" not in history(t, "show", "v3").out and "write.calls" in history(t, "show", "v3", "--all").out, "--all")
    r = history(t, "trend", "read.calls", "--svg", "t.svg", env={"LC_ALL": "C.UTF-8"})
    eq(r.err, "wrote t.svg\n", "the picture")
    check("▁▁█" in r.out, r.out)
    eq(len(re.findall(r"WORSE|better|moved|other|otherwise", r.out)), 1, "changes: %s" % r.out)
    # Other arguments: that is no change of the program.
    check(re.search(r"^  v3 +3 +\d+ +\d+ +\d+  run otherwise ", r.out, re.M), r.out)
    check("* v3: counts and times are not compared: the arguments differ" in r.out, r.out)
    svg = text_of(t, "t.svg")
    words = ["".join(x.itertext()) for x in ElementTree.fromstring(svg).iter() if x.tag.endswith("}text")]
    for part in ("read.calls of s, io", "v1", "v3", "v3, run otherwise"):
        check(part in words, "%r is not in the picture: %s" % (part, words))
    one_line(history(t, "trend", "fsync.calls", status=2), "no run has the figure 'fsync.calls'")
    one_line(history(t, "trend", "read.call", status=2), "did you mean 'read.calls'?")


@test
def what_is_stored_is_what_was_measured(t):
    """Whole documents, figures as rows, histograms that SQL merges exactly."""
    results(t, "r")
    history(t, "add", "r", "--label", "v")
    runs = [json.load(open(p)) for p in sorted(glob.glob(t.path("r/iotrace/s.runs/*.json")))]
    eq(len(runs), 3, "runs")
    want = sorted(next(c["calls"] for c in r["syscalls"] if c["name"] == "read") for r in runs)
    eq(sorted(v for v, in query(t, "SELECT value FROM iotrace_figure WHERE name = 'read.calls'")), want, "figure")
    merged = {}
    for r in runs:
        for c in r["syscalls"]:
            for b in c["latency_histogram"]:
                merged[c["name"], b["le_ns"]] = merged.get((c["name"], b["le_ns"]), 0) + b["count"]
    rows = query(t, "SELECT call, le, SUM(count) FROM iotrace_histogram WHERE what = 'latency_ns' GROUP BY call, le")
    eq({(call, le): n for call, le, n in rows}, merged, "merged histograms")
    zstd = shutil.which("zstd")
    blob, sha, size = query(t, "SELECT zstd, sha256, bytes FROM iotrace_document JOIN iotrace_run USING (run)")[0]
    if zstd:
        text = subprocess.run([zstd, "-d"], input=blob, capture_output=True, check=True).stdout
        check(json.loads(text) in runs and len(text) == size, "the document")
        eq(hashlib.sha256(text).hexdigest(), sha, "its name")


@test
def check_says_since_when_the_cpu_time_is_worse(t):
    """Runs of one result, whose CPU time alone is another from version 9 on."""
    results(t, "r", runs=1)
    with open(t.path("r/iotrace/s-iotrace.json")) as f:
        run = json.load(f)
    draw, said = random.Random(1), ""
    for n in range(1, 13):
        os.makedirs(t.path("v%d/iotrace/s.runs" % n))
        for k in range(1, 6):
            run["wall_ns"] = int(50e6 * draw.gauss(1, 0.02))
            run["cpu_ns"] = int((13e6 if n >= 9 else 10e6) * draw.gauss(1, 0.02))
            run["phases"] = []
            for name in ["s-iotrace.json"] * (k == 3) + ["s.runs/%d.json" % k]:
                with open(t.path("v%d/iotrace/%s" % (n, name)), "w") as f:
                    json.dump(run, f)
        history(t, "add", "v%d" % n, "--label", n)
        said += history(t, "check", status=None).out
    eq(len(re.findall(r"^s io: cpu_time is worse since 9: [\d.]+ ms -> 1[23]\.\d ms$", said, re.M)), 1, "once: " + said)
    check("wall_time is worse" not in said, said)


@test
def check_says_worse_the_same_or_cannot_tell(t):
    src = "import os\nfor i in range(%d): os.write(1, b'x')\n"
    for n, writes, status in ((1, 20, 3), (2, 20, 0), (3, 21, 1), (4, 21, 0), (5, 20, 0)):
        write(t, "p.py", src % writes)
        io(t, "s", "--runs", 3, "-q", "--output-dir", "r", "--binary", "/usr/bin/python3", "--", "p.py")
        history(t, "add", "r", "--label", n)
        r = history(t, "check", status=status)
        check(("FAIL   write.calls" in r.out) == (status == 1), r.out)
    history(t, "add", "r", "--label", "1", "--store", "one.sqlite")
    check("s io: nothing came before it\n" in history(t, "check", "--store", "one.sqlite", status=3).out, "the first version")
    # Limits of the catalogue.
    write(t, "profile-scenario.json", {"scenarios": {"s": {"limits": {"write.calls": "<= 10"}}}})
    check("write.calls" in history(t, "check", status=1).out, "a limit")
    rows, _ = changes(history(t, "trend", "write.calls").out)
    eq([r[0] for r in rows if "exact" in r[-1]], ["3", "5"], "where it changed")


SERVER = r"""
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
/* A server and its client, a request at a time. */
int main(void)
{
	int sv[2], null = open("/dev/null", O_WRONLY), build = BUILD;
	char c = 'q';
	sigset_t child;

	/* Else it interrupts the last read now and then, which is one call more. */
	sigemptyset(&child);
	sigaddset(&child, SIGCHLD);
	sigprocmask(SIG_BLOCK, &child, NULL);
	socketpair(AF_UNIX, SOCK_STREAM, 0, sv);
	if (fork() == 0) {
		close(sv[0]);
		for (int i = 0; i < 50; i++)
			if (write(sv[1], &c, 1) != 1 || read(sv[1], &c, 1) != 1)
				_exit(1);
		_exit(0);
	}
	close(sv[1]);
	for (int i = 0; read(sv[0], &c, 1) == 1; i++) {
		if (build >= 5 || i % 10 == 0)
			(void)!write(null, "log line\n", 9);
		if (build >= 12 && i % 25 == 0)
			fsync(null);
		(void)!write(sv[0], &c, 1);
	}
	wait(NULL);
	if (build >= 16 && fork() == 0) {
		execl("/bin/true", "true", NULL);
		_exit(127);
	}
	while (wait(NULL) > 0)
		;
	return 0;
}
"""


@test(timeout=180)
def twenty_builds_with_planted_changes(t):
    """Each is shown at its version, with its culprit, and nothing else that is exact. Times are chance on this machine."""
    cc = shutil.which(os.environ.get("CC", "gcc").split()[0]) or shutil.which("cc")
    if not cc:
        raise Skip("no compiler")
    write(t, "srv.c", SERVER)
    for build in range(1, 21):
        subprocess.run([cc, "-O1", "-DBUILD=%d" % build, "-o", t.path("srv"), t.path("srv.c")], check=True)
        io(t, "srv", "--runs", 3, "-q", "--history", "build-%02d" % build, "--binary", "./srv")
    eq(versions(t), ["build-%02d" % b for b in range(1, 21)], "versions")
    rows, notes = changes(history(t, "trend", timeout=100).out)
    exact = [r for r in rows if "noisy" not in r[2]]
    eq(sorted({r[0] for r in exact}), ["build-05", "build-12", "build-16"], "where something changed: %s" % exact)
    for version, figure in (("build-05", "write.calls"), ("build-12", "fsync.calls"), ("build-16", "processes")):
        check((version, figure, "WORSE, exact") in exact, "%s at %s: %s" % (figure, version, exact))
    for version, words in (("build-05", r"write, .*/dev/null"), ("build-12", r"^fsync, on /dev/null: 0 -> 2 calls"),
                           ("build-16", r"^true, started by srv: its \d+ calls$")):
        check(any(v == version and re.search(words, text) for v, text in notes), "%s of %s: %s" % (words, version, notes))
    r = history(t, "trend", "write.calls")
    eq(re.findall(r"^  (\S+) .*(?:WORSE|better|moved)", r.out, re.M), ["build-05"], r.out)
    check(re.search(r"^  \* build-05: .*write, .*/dev/null.* 5 -> 50 calls", r.out, re.M), r.out)
    r = history(t, "trend", "read.calls")
    eq(re.findall(r"^  (\S+) .*(?:WORSE|better|moved)", r.out, re.M), ["build-16"], r.out)
    check(re.search(r"^  \* build-16: true, started by srv: its", r.out, re.M), r.out)


# ---- a page, JSON ----

WRITES = "import os\nfor i in range(%d): os.write(1, b'x')\n"


def three_versions(t, labels=("1", "2", "3")):
    """The third makes 5 writes more; its runs are said to be of another machine, on which they took a hundred times as long."""
    for label, writes in zip(labels, (20, 20, 25)):
        write(t, "p.py", WRITES % writes)
        io(t, "s", "--runs", 3, "-q", "--output-dir", "r", "--binary", "/usr/bin/python3", "--", "p.py")
        history(t, "add", "r", "--label", label)
    with sqlite3.connect(t.path(STORE)) as db:
        db.execute("UPDATE iotrace_run SET machine = 'another' WHERE label = ?", labels[2:])
        db.execute("UPDATE iotrace_figure SET value = value * 100 WHERE name = 'wall_time' AND run IN "
                   "(SELECT run FROM iotrace_run WHERE label = ?)", labels[2:])


def page_of(t, *args, status=0):
    return text_of(t, profile(t, "report", "--history", *args, status=status).out.strip())


@test
def a_scenario_that_is_gone_is_told(t):
    """What came to no result in the newest version was not found to be good."""
    for label, names in (("1", ("a", "b")), ("2", ("a",)), ("3", ("a",))):
        for name in names:
            results(t, "r" + label, name=name)
        history(t, "add", "r" + label, "--label", label)
        r = history(t, "check", *(["--scenario", "a"] if label == "1" else []), status=0 if label == "3" else 3)
        eq("b io: the newest version has no runs of it, the one before has" in r.out, label == "2", r.out)
    history(t, "prune", "--keep", "2")
    history(t, "check", "--scenario", "a")


@test
def names_of_files_are_scenarios(t):
    """Of files that were renamed; what no server takes is refused."""
    os.makedirs(t.path("odd/iotrace"))

    def rename(name):
        os.rename(t.path("r/iotrace/s-iotrace.json"), t.path("odd/iotrace/%s-iotrace.json" % name))

    for label, writes in (("1", 20), ("2", 21)):
        results(t, "r", writes, runs=1)
        rename("a, b io")
        history(t, "add", "odd", "--label", label)
    r = history(t, "check", status=None)
    check("a, b io io  " in r.out and "nothing came before" not in r.out, str(r))
    eq([v["scenarios"] for v in json.loads(history(t, "list", "--json", "-").out)["versions"]], [["a, b io io"]] * 2, "list")
    for name, why in (("a\udcff", "not UTF-8"), ("a\nb", "control character")):
        shutil.rmtree(t.path("odd/iotrace"))
        os.mkdir(t.path("odd/iotrace"))
        results(t, "r", runs=1)
        rename(name)
        one_line(history(t, "add", "odd", "--label", "3", status=2), "the scenario", why)


@test
def runs_without_times_are_another_machine(t):
    """No clock is read around their calls, which makes them quicker."""
    for label, more in (("1", []), ("2", ["--config", "c.json"])):
        write(t, "c.json", {"scenarios": {"s": {"no_times": True}}})
        io(t, "s", "--runs", 3, "-q", "--output-dir", "r", *more, "--binary", "/bin/true")
        history(t, "add", "r", "--label", label)
    (one,), (two,) = query(t, "SELECT DISTINCT machine FROM iotrace_run ORDER BY label")
    eq(two, one + ", --no-times", "machines")


@test(timeout=120)
def few_versions_are_not_called_unchanged(t):
    """Of three on one machine the last takes a hundred times as long: that may be chance, and is not called no change."""
    three_versions(t)
    with sqlite3.connect(t.path(STORE)) as db:
        db.execute("UPDATE iotrace_run SET machine = 'one'")
    told = " ".join(history(t, "trend", "wall_time").out.split())
    check("no change" not in told, told)
    check("too few versions to tell a change of its level from chance: 3 of one machine with 3 runs or more, at least 10 are "
          "needed" in told, told)
    eq([x["judged"] for x in json.loads(history(t, "trend", "wall_time", "--json", "-").out)["series"]], [3], "judged")
    check(re.search(r"wall_time: [^<]*too few versions to tell", page_of(t)), page_of(t)[:3000])
    told = history(t, "trend", "read.calls").out
    check("too few versions" not in told and "no change" in told, told)


@test(timeout=120)
def a_page_says_since_when(t):
    three_versions(t)
    text = page_of(t)
    page = Page(text)
    is_closed(page)
    eq([a["id"] for a in page.of("section")], ["answer", "part-0", "versions"], "sections: the answer first")
    first = "".join(Page(text[text.index('id="answer"'):text.index('id="part-0"')]).texts)
    check("3 versions, 1 to 3, 9 runs." in first, first)
    check(re.search(r"since 3, s io: write\.calls, \d+ \u2192 \d+ \(\+[0-9.]+%\): write, on the target's output: 20 \u2192 25", first),
          first)
    check("the runs from 3 on are of another machine" in first, first)
    words = "".join(page.texts)
    check(re.search(r"write\.calls: \d+ since 3 \(WORSE, exact, \+", words), "the heading of its picture")
    check(re.search(r"wall_time: \S+ \S+ since 3 \(other machine, \+", words), "of the one that is of another machine")
    check(re.search(r"peak_mapped|calls: \d+ since 3", words), "calls are always there")
    # A picture each, told apart, drawn as `trend --svg` does.
    svgs = re.findall(r"<svg class=\"plot\".*?</svg>", text, re.S)
    of = {re.search(r"<title>(\S+) of s, io</title>", x).group(1): x for x in svgs}
    check({"write.calls", "wall_time", "calls"} <= set(of), "pictures: %s" % sorted(of))
    check('class="peak"' in of["write.calls"] and 'class="edge"' not in of["write.calls"], "a change of the program")
    check('class="edge"' in of["wall_time"] and ">3, machine<" in of["wall_time"], "another machine")
    history(t, "trend", "write.calls", "--svg", "t.svg")
    same = re.sub(r"(?s)<style>.*?</style>\n| xmlns=\"[^\"]*\"", "", text_of(t, "t.svg")).strip()
    eq(of["write.calls"], same, "the same picture")
    eq([r[0] for r in page.tables["versions"][1:]], ["1", "2", "3"], "versions")
    eq({r[0] for r in page.tables["changes"][1:]}, {"3"}, "changes")
    r = profile(t, "report", "--history", "--text")
    check("since 3, s io: write.calls" in r.out and "VERSIONS" in r.out, r.out)
    eq(profile(t, "report", "--history", "--text", "--scenario", "s").out, r.out, "of that scenario")
    one_line(profile(t, "report", "--history", "--scenario", "x", status=2), STORE, "no runs of x")


@test
def of_one_run_a_version_nothing_is_unchanged(t):
    """A step of as many writes again in each of 11 versions: no run says that the next one would do the same."""
    def told(writes, runs, first):
        for n, count in enumerate(writes, first):
            results(t, "r", count, runs=runs)
            history(t, "add", "r", "--label", n, "--store", "s%d" % runs)
        text = page_of(t, "s%d" % runs)
        answer = "".join(Page(text[text.index('id="answer"'):text.index('id="part-0"')]).texts)
        return history(t, "trend", "--store", "s%d" % runs).out, answer, history(t, "trend", "write.calls", "--store", "s%d" % runs).out
    every, answer, figure = told(range(20, 240, 20), 1, 1)
    check(every.startswith("no change that could be told in 11 versions\n"), every)
    check("11 of 11 versions of a scenario have fewer than 3 runs" in every, every)
    check("Nothing that could be judged has changed." in answer and "have fewer than 3 runs" in answer, answer)
    check("no change" not in figure and "11 versions have fewer than 3 runs" in figure, figure)
    every, answer, figure = told((20, 20), 3, 1)
    check("have fewer than 3 runs" not in every + answer + figure, every)
    check("no change" in figure, figure)


@test
def a_page_has_what_is_always_looked_at(t):
    """However many calls are made more often."""
    results(t, "r", runs=1)
    with open(t.path("r/iotrace/s-iotrace.json")) as f:
        run = json.load(f)
    check(len(run["syscalls"]) > 8, "calls")
    run["load"] = {"command": "ask", "status": 0, "wall_ns": 10**9, "latency_ns": 1000}
    run["window"] = {"begin_ns": 0, "end_ns": 10**9, "wall_ns": 10**9}
    for n in (1, 2):
        os.makedirs(t.path("v%d/iotrace/s.runs" % n))
        for k in (1, 2, 3):
            run["wall_ns"] += 1
            run["work"] = {"unit": "query", "count": 100}
            for name in ["s-iotrace.json"] * (k == 3) + ["s.runs/%d.json" % k]:
                with open(t.path("v%d/iotrace/%s" % (n, name)), "w") as f:
                    json.dump(run, f)
        history(t, "add", "v%d" % n, "--label", n)
        for s in run["syscalls"]:
            s["calls"] += 1
            s["ok"] += 1
    shown = re.findall(r"<title>(\S+) of s, io</title>", page_of(t))
    eq({"wall_time", "throughput", "latency", "calls"} - set(shown), set(), "pictures: %s" % shown)
    check(sum(x.endswith(".calls") for x in shown) >= 5, "of what changed: %s" % shown)


@test(timeout=120)
def a_page_narrow_and_wide_by_keyboard(t):
    three_versions(t)
    path = t.path(profile(t, "report", "--history").out.strip())
    browse(t, path)
    for width in (390, 1280):
        k = Keyboard(t, path, width)
        try:
            eq(k.js("innerWidth"), width, "the window")
            eq(k.js("document.documentElement.scrollWidth <= innerWidth"), True, "the page is as wide as the window")
            check(k.js("Array.from(document.querySelectorAll('.scroll')).every(b => b.tabIndex === 0)"), "boxes by keyboard")
            k.js("document.querySelector('summary').focus()")
            k.press("Enter")
            wait_for("the table opens", lambda: k.js("document.querySelector('details').open"))
        finally:
            k.end()


@test
def pages_of_little(t):
    hostile = "<b onmouseover=x>&\"' </title><script>alert(1)</script>" + "x" * 100
    one_line(profile(t, "report", "--history", status=2), STORE, "there is no history")
    write(t, "p.py", WRITES % 3)
    io(t, "s", "-q", "--output-dir", "r", "--binary", "/usr/bin/python3", "--", "p.py")
    history(t, "add", "r", "--label", hostile, "--store", "a store.sqlite")
    page = Page(page_of(t, "a store.sqlite", "-o", "p.html"))
    is_closed(page)
    check(hostile in "".join(page.texts + page.titles), "the label, as text")
    check("nothing can have changed" in "".join(page.texts), "one version")
    svg = history(t, "trend", "calls", "--svg", "-", "--store", "a store.sqlite").out
    check(not [x for x in ElementTree.fromstring(svg).iter() if x.tag.rsplit("}")[-1] in ("script", "b")], "the picture")
    history(t, "prune", hostile, "--store", "a store.sqlite")
    check("There are no versions" in "".join(Page(page_of(t, "a store.sqlite", "-o", "p.html")).texts), "none")
    with sqlite3.connect(t.path("a store.sqlite")) as db:
        db.execute("UPDATE iotrace_history SET value = '99'")
    one_line(profile(t, "report", "--history", "a store.sqlite", status=2), "its schema is 99")
    one_line(profile(t, "report", "--history", "a", "b", status=2), "'b' is one STORE too many")


@test
def as_wide_as_the_terminal(t):
    """list, show, trend and check fit a narrow terminal, and no name is cut; elsewhere they are lines of up to 120 columns."""
    name = "a.scenario-of-20.chr"
    for n, writes in enumerate((20, 20, 25), 1):
        write(t, "p.py", WRITES % writes)
        for scenario in (name, "s"):
            io(t, scenario, "--runs", 3, "-q", "--output-dir", "r", "--binary", "/usr/bin/python3", "--", "p.py")
        history(t, "add", "r", "--label", "a-version-with-a-long-label-%d" % n)
    results(t, "r4", 25, name="another-scenario-with-a-name-of-41-letter")
    env = {k: v for k, v in os.environ.items() if k not in ("COLUMNS", "LC_ALL", "LANG")}

    def asked(store, *args, names=()):
        argv = [os.path.join(BIN, "profile-scenario"), "history", *args, "--store", store]
        wide = subprocess.run(argv, cwd=t.dir, env={**env, "COLUMNS": "60"}, capture_output=True, text=True).stdout
        check(max(map(len, wide.splitlines())) > 60, "nothing to fold: " + wide)
        for columns, more in ((60, {}), (60, {"LC_ALL": "C"}), (80, {"COLUMNS": "60"}), (40, {})):
            fits(on_terminal(argv, columns, cwd=t.dir, env={**env, **more}), int(more.get("COLUMNS", columns)), *names)
        eq(on_terminal(argv, 250, cwd=t.dir, env=env), wide, "where there is room")
    labels = ["a-version-with-a-long-label-%d" % n for n in (1, 2, 3)]
    asked(STORE, "list", names=[name] + labels)
    asked(STORE, "show", labels[2], "--all", names=[name, "write.calls"])
    asked(STORE, "trend", names=[name, labels[2]])
    asked(STORE, "trend", "write.calls", names=[name] + labels)
    asked(STORE, "check", names=[name])
    history(t, "add", "r4", "--label", "a-version-with-a-long-label-4")
    asked(STORE, "check", names=["another-scenario-with-a-name-of-41-letter io: nothing came before it"])
    fits(on_terminal([os.path.join(BIN, "profile-scenario"), "report", "--history", "--text"], 60, cwd=t.dir, env=env), 60, name)


@test
def a_locale_without_utf8(t):
    """The line of a trend is drawn where its characters can be shown; all else is ASCII."""
    three_versions(t)
    for more, drawn in (({"LC_ALL": "C.UTF-8"}, True), ({"LC_ALL": "", "LC_CTYPE": "", "LANG": "de_DE.utf8"}, True),
                        ({"LC_ALL": "C"}, False), ({"LC_ALL": "", "LC_CTYPE": "de_DE.ISO-8859-1", "LANG": "C.UTF-8"}, False)):
        text = history(t, "trend", "write.calls", env=more).out
        eq("▁▁█" in text, drawn, "%s: %s" % (more, text))
        check("write.calls of s, io\n" in text and re.search(r"^  3 +3 +25 ", text, re.M), text)
        check(drawn or text.isascii(), text)


@test
def the_same_as_json(t):
    three_versions(t)
    schema = Schema(os.path.join(ROOT, "docs", "history.schema.json"))

    def document(*args, status=0, of):
        r = history(t, *args, "--json", "-", status=status)
        j = json.loads(r.out)
        eq(schema.errors(j), [], "against its schema")
        eq((j["schema"], j["of"], j["store"], j["status"]), ("profile.history/1", of, STORE, status), "its head")
        eq(history(t, *args, "--json", "f.json", status=status).out, history(t, *args, status=status).out, "beside a file")
        eq(json.loads(text_of(t, "f.json")), j, "the file")
        return j

    eq([(v["version"], v["runs"], v["scenarios"]) for v in document("list", of="list")["versions"]],
       [(v, 3, ["s io"]) for v in "123"], "list")
    j = document("show", "3", of="show")
    eq({f["min"] for f in j["figures"] if f["figure"] == "write.calls"},
       {v for v, in query(t, "SELECT value FROM iotrace_figure JOIN iotrace_run USING (run) WHERE label = '3' AND "
                          "name = 'write.calls'")}, "show")
    j = document("trend", "write.calls", of="trend")
    points = j["series"][0]["points"]
    eq([(p["version"], p["runs"], p["median"] - points[0]["median"]) for p in points], [("1", 3, 0), ("2", 3, 0), ("3", 3, 5)],
       "points")
    change, = j["series"][0]["changes"]
    eq((change["version"], change["before_version"], change["known"], change["verdict"], change["after"] - change["before"]),
       ("3", "2", "exact", "worse", 5), "the change")
    check("20 -> 25 calls" in change["culprit"], change["culprit"])
    change, = document("trend", "wall_time", of="trend")["series"][0]["changes"]
    eq((change["known"], change["verdict"]), ("other machine", None), "of another machine")
    rows, _ = changes(history(t, "trend").out)
    eq([(c["version"], c["figure"]) for c in document("trend", of="changes")["changes"]], [r[:2] for r in rows], "changes")
    j = document("check", status=1, of="check")
    eq((j["version"], j["comparisons"][0]["status"], j["comparisons"][0]["base"]), ("3", 1, "2"), "check")
    one_line(history(t, "merge", STORE, "--json", "-", status=2), "says nothing as JSON")
    one_line(history(t, "trend", "calls", "--json", "-", "--svg", "-", status=2), "only one of them")
    one_line(history(t, "list", "--json", "no/such/f.json", status=2), "no/such/f.json")


# ---- labels ----

@test
def a_label_twice(t):
    results(t, "r")
    history(t, "add", "r", "--label", "v")
    one_line(history(t, "add", "r", "--label", "v", status=2), STORE, "version 'v' has 3 runs of s io on", "--more adds to them")
    one_line(history(t, "add", "r", "--label", "w", status=2), "of s io is there already, as version 'v'")
    eq(versions(t), ["v"], "nothing is left of it")
    check("0 runs added, 3 there already" in history(t, "add", "r", "--label", "v", "--more").err, "the same runs")
    results(t, "r")
    history(t, "add", "r", "--label", "v", "--more")
    results(t, "r")
    history(t, "add", "r", "--label", "v", "--host", "other")
    eq(query(t, "SELECT host = 'other', COUNT(*) FROM iotrace_run GROUP BY 1 ORDER BY 1"), [(0, 6), (1, 3)], "runs")
    one_line(history(t, "add", "r", status=2), "--label VERSION")
    for label, why in (("a\nb", "control character"), ("a\udcff", "not UTF-8"), ("\x1b", "control character"), ("x" * 201, "200 bytes")):
        one_line(history(t, "add", "r", "--label", label, status=2), why)
        one_line(history(t, "add", "r", "--label", "w", "--host", label, status=2), why)
    check("version a\\xe2\\x80\\xaeb: " in history(t, "add", "r", "--label", "a\u202eb", "--store", "x.sqlite").err, "a direction mark")
    # Before anything is run.
    for more in (("--history", "a\nb"), ("--history", "x", "--store", "mysql://h/x")):
        io(t, "s", "-q", *more, "--binary", "/bin/touch", "--", "touched", status=2)
    check(not os.path.exists(t.path("touched")), "it ran")


@test
def merge_and_prune(t):
    for v in ("a", "b", "c"):
        results(t, "r")
        history(t, "add", "r", "--label", v, "--store", "one.sqlite" if v != "b" else "two.sqlite")
    check("3 runs added, 0 there already" in history(t, "merge", "two.sqlite", "--store", "one.sqlite").err, "merge")
    eq(versions(t, "--store", "one.sqlite"), ["a", "b", "c"], "in the order of their times")
    check("0 runs added, 3 there already" in history(t, "merge", "two.sqlite", "--store", "one.sqlite").err, "twice")
    history(t, "add", "r", "--label", "as another", "--store", "three.sqlite")
    check("0 runs added, 3 there already" in history(t, "merge", "three.sqlite", "--store", "one.sqlite").err, "as another")
    eq(versions(t, "--store", "one.sqlite"), ["a", "b", "c"], "no version without runs")
    eq(query(t, "SELECT COUNT(*), COUNT(DISTINCT run) FROM iotrace_document", "one.sqlite"), [(9, 9)], "documents")
    for table in ("figure", "histogram"):
        sql = "SELECT COUNT(*) FROM iotrace_%s JOIN iotrace_run USING (run) WHERE label = 'b'" % table
        eq(query(t, sql, "one.sqlite"), query(t, sql, "two.sqlite"), table)
    history(t, "prune", "--keep", 2, "--store", "one.sqlite")
    eq(versions(t, "--store", "one.sqlite"), ["b", "c"], "the newest stay")
    history(t, "prune", "b", "--store", "one.sqlite")
    eq(versions(t, "--store", "one.sqlite"), ["c"], "but for that one")
    for table in ("figure", "histogram", "document"):
        eq(query(t, "SELECT COUNT(*) FROM iotrace_%s WHERE run NOT IN (SELECT run FROM iotrace_run)" % table, "one.sqlite"),
           [(0,)], "left in " + table)
    one_line(history(t, "prune", "b", "--store", "one.sqlite", status=2), "no version 'b'")
    one_line(history(t, "prune", "--store", "one.sqlite", status=2), "either a VERSION or --keep N")


# ---- what it must withstand ----

@test
def what_is_no_history(t):
    results(t, "r")
    add = ("add", "r", "--label", "v", "--store")
    one_line(history(t, "list", status=2), STORE, "there is no history", "history add")
    check(not os.path.exists(t.path("results")), "a reader makes nothing")
    write(t, "text", "this is no database at all, but it is long enough for a header\n" * 30)
    one_line(history(t, *add, "text", status=2), "text: no SQLite file", "--store")
    query(t, "CREATE TABLE theirs (x)", "theirs.sqlite")
    with open(t.path("theirs.sqlite"), "rb") as f:
        was = f.read()
    one_line(history(t, *add, "theirs.sqlite", status=2), "theirs.sqlite: a database of another program", "'theirs'")
    eq(query(t, "SELECT name FROM sqlite_master", "theirs.sqlite"), [("theirs",)], "it is as it was")
    for args in (add, ("list", "--store"), ("merge", "theirs.sqlite", "--store")):
        history(t, *args, "theirs.sqlite", status=2)
        with open(t.path("theirs.sqlite"), "rb") as f:
            check(f.read() == was, "every byte of it, after %s" % (args,))
    history(t, *add, "new.sqlite")
    with sqlite3.connect(t.path("new.sqlite")) as db:
        db.execute("UPDATE iotrace_history SET value = '99'")
    one_line(history(t, "list", "--store", "new.sqlite", status=2), "its schema is 99, this program knows up to 2")
    query(t, "CREATE VIEW their_view AS SELECT 1", "view.sqlite")
    one_line(history(t, "list", "--store", "view.sqlite", status=2), "a database of another program", "'their_view'")
    os.mkfifo(t.path("fifo"))
    for path, why in (("fifo", "it is no file"), ("/dev/null", "it is no file"), ("r", "it is a folder")):
        for command in (add[:-1], ("list",)):
            one_line(history(t, *command, "--store", path, status=2), "%s: %s" % (path, why))
    one_line(history(t, "ad", status=2), "did you mean 'add'?")


@test
def an_older_store_is_migrated(t):
    results(t, "r")
    history(t, "add", "r", "--label", "v")
    with sqlite3.connect(t.path(STORE)) as db:
        for name in ("iotrace_run_scenario", "iotrace_run_label"):
            db.execute("DROP INDEX " + name)
        db.execute("UPDATE iotrace_history SET value = '1'")
    eq(versions(t), ["v"], "its versions")
    eq(query(t, "SELECT value FROM iotrace_history"), [("2",)], "its schema")
    eq(query(t, "SELECT COUNT(*) FROM sqlite_master WHERE name LIKE 'iotrace_run_%'"), [(2,)], "its indexes")


@test
def a_corrupt_result(t):
    results(t, "r")
    path = t.path("r/iotrace/s.runs/2.json")
    whole = open(path).read()
    write(t, "r/iotrace/s.runs/2.json", whole[:len(whole) // 2])
    one_line(history(t, "add", "r", "--label", "v", status=2), "r/iotrace/s.runs/2.json: line ")
    check(not os.path.exists(t.path(STORE)), "nothing is made")
    twice = json.loads(whole)
    twice["syscalls"] *= 2
    write(t, "r/iotrace/s.runs/2.json", twice)
    one_line(history(t, "add", "r", "--label", "v", status=2), "run 2 of s io: " + STORE)
    write(t, "r/iotrace/s.runs/2.json", whole)
    history(t, "add", "r", "--label", "v")
    with sqlite3.connect(t.path(STORE)) as db:
        db.execute("UPDATE iotrace_document SET zstd = x'28b52ffd'")
    one_line(history(t, "show", "v", status=2), STORE, "s io", "its document is damaged")
    # one that is whole, and another run's
    with sqlite3.connect(t.path("other")) as db:
        results(t, "q")
        history(t, "add", "q", "--label", "w", "--store", "other")
        other = db.execute("SELECT zstd FROM iotrace_document").fetchone()[0]
    with sqlite3.connect(t.path(STORE)) as db:
        db.execute("UPDATE iotrace_document SET zstd = ?", (other,))
    one_line(history(t, "show", "v", status=2), STORE, "s io", "it has not the SHA-256")


@test
def a_full_disk(t):
    need_root()
    results(t, "r")
    os.mkdir(t.path("small"))
    script = "mount -t tmpfs -o size=100k none small && exec \"$@\""
    r = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", os.path.join(BIN, "profile-scenario"), "history", "add",
                        "r", "--label", "v", "--store", "small/h.sqlite"], cwd=t.dir, capture_output=True, text=True)
    if "mount" in r.stderr:
        raise Skip("no tmpfs can be mounted here: " + r.stderr.strip())
    full = "profile-scenario: small/h.sqlite: the disk is full; nothing was changed\n"
    eq((r.returncode, r.stderr), (2, full), "a line")
    # Not even what lies beside a store while it is read has room.
    history(t, "add", "r", "--label", "v")
    script = ("mount -t tmpfs -o size=1m none small && cp results/history.sqlite small/h.sqlite && "
              "! cat /dev/zero 2>&- >small/rest && exec \"$@\"")
    for args in (("list",), ("trend", "calls"), ("prune", "v")):
        r = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", os.path.join(BIN, "profile-scenario"), "history", *args,
                            "--store", "small/h.sqlite"], cwd=t.dir, capture_output=True, text=True)
        eq((r.returncode, r.stderr), (2, full), str(args))


@test
def a_store_that_may_not_be_written(t):
    """It is read: on a medium that cannot be, in a folder of somebody else."""
    need_root()
    results(t, "r")
    os.mkdir(t.path("a b?"))
    history(t, "add", "r", "--label", "v", "--store", "a b?/h%20#.sqlite")
    said = history(t, "trend", "calls", "--store", "a b?/h%20#.sqlite").out
    script = "mount --bind 'a b?' 'a b?' && mount -o remount,ro,bind 'a b?' && exec \"$@\""

    def read_only(*args):
        argv = [os.path.join(BIN, "profile-scenario"), *args]
        r = subprocess.run(["unshare", "-m", "sh", "-c", script, "sh", *argv], cwd=t.dir, capture_output=True, text=True)
        if "mount" in r.stderr:
            raise Skip("nothing can be mounted here: " + r.stderr.strip())
        return r

    r = read_only("history", "trend", "calls", "--store", "a b?/h%20#.sqlite")
    eq((r.returncode, r.stderr, r.stdout), (0, "", said), "what it says")
    eq(read_only("report", "--history", "a b?/h%20#.sqlite", "--text").returncode, 0, "report")
    r = read_only("history", "merge", "a b?/h%20#.sqlite", "--store", "own.sqlite")
    check("3 runs added" in r.stderr, "it is merged from: %s" % r)
    for args in (("add", "r", "--label", "w"), ("prune", "v"), ("merge", "own.sqlite")):
        r = read_only("history", *args, "--store", "a b?/h%20#.sqlite")
        eq((r.returncode, r.stdout), (2, ""), args[0])
        check("h%20#.sqlite: it or its folder may not be written" in r.stderr and r.stderr.count("\n") == 1, r.stderr)
    eq(os.listdir(t.path("a b?")), ["h%20#.sqlite"], "nothing is left beside it")


@test
def eight_writers_at_once(t):
    """They make the file, too."""
    for k in range(8):
        results(t, "r%d" % k, runs=2)
    argv = [os.path.join(BIN, "profile-scenario"), "history", "add"]
    done = [t.start(argv + ["r%d" % k, "--label", "v%d" % (k // 2), "--host", "h%d" % k]) for k in range(8)]
    for p in done:
        r = t.finish(p)
        eq((r.status, r.out), (0, ""), "writer: %s" % r)
    eq(query(t, "SELECT COUNT(*), COUNT(DISTINCT label), COUNT(DISTINCT host) FROM iotrace_run"), [(16, 4, 8)], "runs")
    eq(query(t, "PRAGMA integrity_check"), [("ok",)], "the file")


@test(timeout=180)
def killed_two_hundred_times(t):
    """The store stays whole: all of an add or nothing."""
    results(t, "r", runs=2)
    results(t, "last", runs=2)
    argv = [os.path.join(BIN, "profile-scenario"), "history", "add"]
    began = time.monotonic()
    history(t, "add", "r", "--label", "whole")
    length = time.monotonic() - began
    killed = 0
    for i in range(200):
        history(t, "prune", "whole", status=None)
        p = t.start(argv + ["r", "--label", "whole"])
        # Somewhere in its life: where it meets it is chance, and each place is right.
        began = time.monotonic()
        time.sleep(length * (i % 50) / 50)
        p.send_signal(signal.SIGKILL)
        t.finish(p)
        killed += p.returncode == -signal.SIGKILL
        if p.returncode == 0: # its life is shorter than the machine was busy at first
            length = min(length, time.monotonic() - began)
        if i % 20 == 0:
            eq(query(t, "PRAGMA integrity_check"), [("ok",)], "the file")
        runs = query(t, "SELECT COUNT(*) FROM iotrace_run")[0][0]
        check(runs in (0, 2), "%d runs" % runs)
        eq(query(t, "SELECT COUNT(DISTINCT f.run) FROM iotrace_figure f JOIN iotrace_document USING (run)"), [(runs,)], "whole")
    check(killed >= 50, "only %d of 200 were killed" % killed)
    history(t, "add", "last", "--label", "last")
    check("last" in versions(t), "and takes more")


# ---- a server ----

class Server:
    """A PostgreSQL of this test: a Unix socket in its folder, a password."""

    def __init__(self, t):
        found = sorted(glob.glob("/usr/lib/postgresql/*/bin/initdb"))
        if not found:
            raise Skip("no PostgreSQL: the package postgresql")
        self.t, self.bin, self.dir = t, os.path.dirname(found[-1]), t.path("pg")
        self.prefix = []
        os.mkdir(self.dir)
        write(t, "pw", "geheim7\n", 0o644)
        if os.getuid() == 0:
            self.prefix = ["setpriv", "--reuid", "nobody", "--regid", "nogroup", "--clear-groups"]
            shutil.chown(self.dir, "nobody")
        self.run([self.bin + "/initdb", "-D", self.dir + "/data", "-A", "scram-sha-256", "-U", "me", "--no-sync",
                  "--pwfile", t.path("pw")])
        self.start()

    def run(self, argv):
        r = subprocess.run(self.prefix + argv, capture_output=True, text=True, cwd=self.dir)
        eq(r.returncode, 0, r.stdout + r.stderr)

    def start(self):
        self.p = self.t.start(self.prefix + [self.bin + "/postgres", "-D", self.dir + "/data", "-k", self.dir, "-h", "", "-F"],
                              user=False, cwd=self.dir)
        wait_for("PostgreSQL", lambda: "ready" in self.pid_file())

    def pid_file(self):
        try:
            with open(self.dir + "/data/postmaster.pid") as f:
                return f.read()
        except OSError:
            return ""

    def stop(self):
        self.p.send_signal(signal.SIGINT)
        self.p.wait()

    def address(self, password="geheim7"):
        return "postgresql://me:%s@/postgres?host=%s" % (password, self.dir)

    def ask(self, sql):
        r = subprocess.run(["psql", "-At", self.address(), "-c", sql], capture_output=True, text=True)
        eq(r.returncode, 0, r.stderr)
        return r.stdout.split()


@test(timeout=120)
def the_same_on_a_server(t):
    """Every command, and its answers are those of a file."""
    server = Server(t)
    src = "import os\nfor i in range(%d): os.write(1, b'x')\n"
    store = ("--store", server.address())
    for n, writes in enumerate((20, 20, 23), 1):
        write(t, "p.py", src % writes)
        io(t, "s", "--runs", 3, "-q", "--output-dir", "r", "--binary", "/usr/bin/python3", "--", "p.py")
        for where in (store, ()):
            history(t, "add", "r", "--label", n, *where)
    for args in (("show", "2", "--all"), ("trend", "write.calls"), ("trend", "calls"), ("trend",)):
        eq(history(t, *args, *store).out, history(t, *args).out, " ".join(args))
    eq(versions(t, *store), ["1", "2", "3"], "list")
    eq(history(t, "check", *store, status=1).out, history(t, "check", status=1).out, "check")
    sql = "SELECT SUM(count) FROM iotrace_histogram WHERE what = 'latency_ns'"
    eq(int(server.ask(sql)[0]), query(t, sql)[0][0], "histograms")
    one_line(history(t, "add", "r", "--label", "3", *store, status=2), "postgresql://me:***@/postgres", "has 3 runs of s io")
    history(t, "prune", "--keep", 1, *store)
    eq(versions(t, *store), ["3"], "pruned")
    check("6 runs added, 3 there already" in history(t, "merge", STORE, *store).err, "merged")
    history(t, "merge", server.address(), "--store", "copy.sqlite")
    eq(query(t, "SELECT COUNT(*), MIN(bytes) FROM iotrace_document", "copy.sqlite"),
       query(t, "SELECT COUNT(*), MIN(bytes) FROM iotrace_document"), "and back")
    eq(history(t, "trend", "calls", "--store", "copy.sqlite").out, history(t, "trend", "calls").out, "the copy")
    # docs/HISTORY.md
    with open(os.path.join(ROOT, "docs/HISTORY.md")) as f:
        for sql in re.findall(r"(?m)^    (SELECT (?!create_)(?:.|\n    )*?;)", f.read()):
            check(server.ask(sql.replace("dns", "s").replace("1.4.0", "3").replace("sendmmsg.per_call", "write.calls")), sql)


@test(timeout=120)
def a_server_that_is_away(t):
    server = Server(t)
    server.stop()
    store = ("--store", server.address())
    for v in ("1", "2"):
        results(t, "results")
        r = history(t, "add", "--label", v, *store)
        one_line(r, "no server answers", "3 runs are of version %s kept in results/history-unsent-" % v, "the next")
        check("geheim7" not in r.err, r.err)
    one_line(history(t, "list", *store, status=2), "no server answers")
    server.start()
    results(t, "results")
    r = history(t, "add", "--label", "3", *store)
    check("6 runs sent that had been kept\n" in r.err and "version 3: 3 runs added" in r.err, r.err)
    eq(versions(t, *store), ["1", "2", "3"], "in the order in which they were made")
    results(t, "results")
    check("sent" not in history(t, "add", "--label", "4", *store).err, "once")
    eq(server.ask("SELECT COUNT(*) FROM iotrace_document"), ["12"], "documents")


@test(timeout=120)
def writers_that_bring_the_same_runs(t):
    """Several adds send what was kept, at the same time: each run is there once, and each add succeeds."""
    server = Server(t)
    server.stop()
    results(t, "results", runs=12)
    one_line(history(t, "add", "--label", "kept", "--store", server.address()), "12 runs are")
    for k in range(6):
        results(t, "r%d" % k, runs=1)
    server.start()
    argv = [os.path.join(BIN, "profile-scenario"), "history", "add", "--store", server.address()]
    done = [t.start(argv + ["r%d" % k, "--label", "v%d" % k]) for k in range(6)]
    for p in done:
        r = t.finish(p)
        check(r.status == 0 and "1 run added" in r.err, "writer: %s" % r)
    eq(server.ask("SELECT label, COUNT(*) FROM iotrace_run GROUP BY label ORDER BY label"),
       ["kept|12"] + ["v%d|1" % k for k in range(6)], "runs")


@test(timeout=120)
def a_server_that_refuses(t):
    """In whatever words: that is no server that is away, to which the runs are sent later. One that has no room is."""
    server = Server(t)
    for sql in ("CREATE ROLE nobody_logs_in PASSWORD 'kommt1'", "CREATE ROLE other LOGIN PASSWORD 'kommt1'", "CREATE DATABASE closed",
                "REVOKE CONNECT ON DATABASE closed FROM PUBLIC", "CREATE ROLE few LOGIN PASSWORD 'kommt1' CONNECTION LIMIT 0"):
        server.ask(sql)
    results(t, "r")
    for who, where, why in (("nobody_logs_in", "postgres", "is not permitted to log in"), ("other", "closed", "permission denied"),
                            ("other", "none", "does not exist")):
        store = "postgresql://%s:kommt1@/%s?host=%s" % (who, where, server.dir)
        one_line(history(t, "add", "r", "--label", "v", "--store", store, status=2), "the server refuses", why)
    check(not os.path.exists(t.path("results")), "nothing is kept")
    store = "postgresql://few:kommt1@/postgres?host=" + server.dir
    one_line(history(t, "add", "r", "--label", "v", "--store", store), "no server answers", "too many", "3 runs are")


@test(timeout=120)
def eight_writers_at_a_server(t):
    server = Server(t)
    for k in range(8):
        results(t, "r%d" % k, runs=2)
    argv = [os.path.join(BIN, "profile-scenario"), "history", "add", "--store", server.address()]
    done = [t.start(argv + ["r%d" % k, "--label", "v%d" % (k // 2), "--host", "h%d" % k]) for k in range(8)]
    for p in done:
        r = t.finish(p)
        check(r.status == 0 and "2 runs added" in r.err, "writer: %s" % r)
    eq(server.ask("SELECT COUNT(*), COUNT(DISTINCT label), COUNT(DISTINCT host) FROM iotrace_run"), ["16|4|8"], "runs")


@test(timeout=120)
def a_password_is_never_printed(t):
    server = Server(t)
    results(t, "r")
    add = ("add", "r", "--label", "v", "--store")
    r = history(t, *add, server.address("falsch99"), status=2)
    one_line(r, "postgresql://me:***@/postgres", "the server refuses", "password authentication failed", "~/.pgpass")
    for address in (server.address("falsch99"), "postgresql://me:falsch99@[/x", "postgresql://me:falsch99@h:port/x",
                    "postgresql://me:fals/ch99@/postgres", "postgresql://me:fa?ls@ch99@/x", "postgresql://h/x?password=falsch99"):
        for command in (add, ("list", "--store"), ("merge", address, "--store")):
            r = history(t, *command, address, status=None)
            check(not re.search("falsch|fals|ch99", r.out + r.err), "%s: %s" % (address, r))
    # No file is made of what is no address of a PostgreSQL, nor is it said.
    for address in ("mysql://me:falsch99@h/x", "POSTGRESQL://me:falsch99@/x", "postgresql:/me:falsch99@h/x",
                    "host=h user=me password=falsch99"):
        for command in (add, ("list", "--store")):
            one_line(history(t, *command, address, status=2), "--store: neither a file nor postgresql://USER@HOST/DATABASE")
    for more in ("&sslpassword=falsch99", "&%70assword=geheim7&application_name=x"):
        r = history(t, "add", "r", "--label", "v", "--more", "--store", server.address() + more)
        check("=***" in r.err and not re.search("falsch|geheim", r.err), r.err)
    check(not glob.glob(t.path("**/*falsch*"), recursive=True), "in no name")
    history(t, *add, "postgresql:///postgres?user=me&host=" + server.dir, "--more", env={"PGPASSWORD": "geheim7"})


if __name__ == "__main__":
    main()
