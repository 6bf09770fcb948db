#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""profile-scenario report: the page as a browser sees it, with names that want to be more than text,
and files that are no results.
"""
import fcntl
import html.parser
import json
import os
import re
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, Failure, check, eq, fits, main, need_tool, on_terminal, profile, test, wait_for


# What every name of a hostile result holds.
HOSTILE = ("<b id=x>&lt;</script></title></svg><script>document.title='OWNED'</script>"
           "<img src=http://evil.example/x onerror=document.title='OWNED'>\"'`&amp;\x1b[31m\n\t\x7f\u202e")
LONG = "/" + "long" * 2560 + HOSTILE


def write(t, name, what):
    path = t.path(name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(what if isinstance(what, str) else json.dumps(what))
    return path


def text_of(t, name):
    with open(t.path(name), newline="") as f:
        return f.read()


# ---- results

def part(name="sendmmsg", calls=10):
    return {"name": name, "calls": calls, "errors": 0, "wall_ns": calls * 1000, "bytes": 100,
            "batch_asked": calls * 4, "batch_transferred": calls * 2}


def syscall(name="sendmmsg", calls=1000, **members):
    le = [{"le_ns": n, "count": calls // 4} for n in (1000, 1500, 40000, 9000000)]
    return dict({
        "name": name, "class": "network", "calls": calls, "ok": calls, "errors": 0, "interrupted": 0,
        "no_return": 0, "errno": {}, "latency_histogram": le, "bytes": None, "batch": None, "datagrams": None,
        "wall_ns": {"total": calls * 2000, "min": 900, "max": 9000000, "mean": 2000, "p50": 1500, "p90": 40000,
                    "p99": 9000000, "p999": 9000000}}, **members)


def batch(unit="messages"):
    return {"unit": unit, "asked": 4000, "transferred": 2000, "fill": 0.5, "full": 0, "partial": 1000, "single": 0,
            "empty": 0, "per_call": {"mean": 2.0, "p50": 2, "p90": 2, "max": 3}, "asked_histogram": {"4": 1000},
            "transferred_histogram": {"2": 1000}, "asked_to_transferred": {"4->2": 1000}, "by_transferred": {},
            "histogram_overflow": 0}


def io_result(**members):
    rows = [{"t_ns": i * 1000000, "calls": i % 7 + 1, "errors": i % 2, "wall_ns": 5000, "bytes": 64 * i,
             "batch_calls": 1, "messages": i % 5} for i in range(300)]
    return dict({
        "schema": "iotrace.result/1", "complete": True, "warnings": [], "command": ["/bin/server", "-v"],
        "scenario": "a", "started_at": "2026-01-01T00:00:00Z", "wall_ns": 300000000, "exit": {"status": 0},
        "window": None, "phases": [], "processes": 1, "threads_total": 2, "blind_spots": [],
        "tracer": {"version": "1", "mode": "auto", "traced_set": ["sendmmsg"], "calls_recorded_in_process": 1000,
                   "calls_stopped": 5, "lost": 0, "unpatched_sites": [],
                   "overhead": {"per_stop_ns": 5000, "stops": 5, "estimated_ns": 25000, "estimated_share": 0.01}},
        "syscalls": [syscall(batch=batch()), syscall("read", 30), syscall("openat", 200, errors=9, ok=191,
                                                                          errno={"ENOENT": 9})],
        "threads": [{"pid": 1, "tid": 1 + i, "comm": "worker", "syscalls": [part(calls=10 + i)]} for i in range(3)],
        "fds": [{"pid": 1, "fd": 3 + i, "generation": 0, "target": "/data/%d" % i, "syscalls": [part(calls=5 * i + 1)]}
                for i in range(5)],
        "timeline": {"bucket_ns": 1000000, "rows": rows}}, **members)


def cpu_result(name="main"):
    function = {"name": name, "module": "/bin/x", "self": 150, "total": 300, "self_share": 0.5, "total_share": 1.0}
    return {"schema": "profile.cpu/1", "complete": True, "warnings": [], "command": ["/bin/server"], "scenario": "a",
            "wall_ns": 1, "sampling": {"samples": 300, "rate_hz": 99, "lost": 0, "event_used": "cycles"},
            "functions_by_self": [function], "functions_by_total": [function],
            "threads": [{"pid": 1, "tid": 1, "comm": name, "samples": 300, "share": 1.0}]}


def memory_result(name="malloc"):
    nodes = [{"depth": 0, "kind": "root", "bytes": 1000, "function": "(heap)"},
             {"depth": 1, "kind": "place", "bytes": 900, "function": name, "place": name},
             {"depth": 2, "kind": "place", "bytes": 500, "function": "main", "place": None}]
    return {"schema": "profile.memory/1", "complete": True, "warnings": [], "command": ["/bin/server"],
            "scenario": "a", "wall_ns": 1, "massif": {"time_unit": "i", "version": "3.19"},
            "peak": {"time": 50.0, "heap_bytes": 900, "total_bytes": 1000},
            "snapshots": [{"snapshot": i, "time": 10.0 * i, "heap_bytes": 100 * i, "extra_bytes": i}
                          for i in range(10)],
            "sites": [{"function": name, "place": name, "bytes": 900, "share": 0.9, "callers": [name]}],
            "peak_tree": {"total_bytes": 1000, "nodes": nodes}, "processes": []}


FOLDED = "server;main;work;send 150\nserver;main;work 100\nserver;main;idle 50\n"


def results(t, name="a", io=None, cpu=None, memory=None, folded=FOLDED):
    write(t, "results/iotrace/%s-iotrace.json" % name, io or io_result())
    write(t, "results/flamegraphs/%s-cpu.json" % name, cpu or cpu_result())
    write(t, "results/flamegraphs/%s.folded" % name, folded)
    write(t, "results/massif/%s-memory.json" % name, memory or memory_result())


def report(t, *args, **kw):
    """The page's path."""
    r = profile(t, "report", *args, **kw)
    return t.path(r.out.strip()) if r.out.endswith(".html\n") else r


# ---- the page

class Page(html.parser.HTMLParser):
    """What is in a page: its elements, and its tables as lists of rows of texts."""

    def __init__(self, text):
        super().__init__()
        self.elements, self.tables, self.texts, self.titles = [], {}, [], []
        self._table = self._cell = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        if tag == "table":
            self._table = self.tables.setdefault(attrs["data-t"], [])
        elif tag == "tr" and self._table is not None:
            self._table.append([])
        elif tag in ("td", "th"):
            self._table[-1].append("")
            self._cell = True
        if attrs.get("title"):
            self.titles.append(attrs["title"])

    def handle_endtag(self, tag):
        if tag in ("td", "th"):
            self._cell = None
        elif tag == "table":
            self._table = None

    def handle_data(self, data):
        self.texts.append(data)
        if self._cell:
            self._table[-1][-1] += data

    def of(self, tag):
        return [a for g, a in self.elements if g == tag]

    def classes(self):
        return [c for _, a in self.elements for c in (a.get("class") or "").split()]


# Everything that the page is made of.
TAGS = {"html", "head", "meta", "title", "style", "script", "body", "header", "main", "footer", "nav", "section", "a",
        "h1", "h2", "h3", "p", "ul", "li", "dl", "div", "dt", "dd", "span", "code", "figure", "table", "thead",
        "tbody", "tr", "th", "td", "details", "summary", "svg", "g", "path", "rect", "line", "circle", "text", "button", "input",
        "output"}


def is_closed(page):
    """Nothing in it comes from outside, or runs but for its one script."""
    eq(sorted({g for g, _ in page.elements} - TAGS), [], "elements that a report does not have")
    eq(len(page.of("script")), 1, "scripts")
    for tag, attrs in page.elements:
        eq([k for k in attrs if k in ("src", "style", "srcset", "action", "data", "xlink:href") or k.startswith("on")],
           [], "attributes of a " + tag)
        check(attrs.get("href", "#").startswith("#"), "a link leads outside: %s" % attrs)
    policy = page.of("meta")[1]["content"]
    check(policy.startswith("default-src 'none'; style-src 'sha256-") and "unsafe" not in policy, policy)


def browse(t, path, hash_=""):
    """The page after its script ran; the browser's console must be empty."""
    chromium = need_tool("chromium")
    r = t.run([chromium, "--headless", "--no-sandbox", "--disable-gpu", "--user-data-dir=" + t.path("browser"),
               "--disable-background-networking", "--log-net-log=" + t.path("net.json"), "--enable-logging=stderr",
               "--v=0", "--dump-dom",
               "file://%s%s" % (path, hash_)], timeout=50)
    if r.status or "<html" not in r.out:
        raise Failure("the browser: %s" % r)
    # What Chromium says of its own on a slow machine is not the page's.
    eq([line for line in r.err.splitlines() if "CONSOLE" in line and "chrome://" not in line], [], "the console")
    check(' class="live"' in r.out, "the script did not run")
    check("evil.example" not in text_of(t, "net.json"), "a request was made")
    return Page(r.out)


@test(timeout=120)
def a_browser_finds_nothing_wrong(t):
    results(t)
    path = report(t)
    is_closed(Page(text_of(t, path)))
    page = browse(t, path)
    is_closed(page)
    eq(len(page.of("input")), 3, "search fields: one a flame graph")


@test(timeout=120)
def hostile_names_stay_text(t):
    io = io_result(
        command=["/bin/x", HOSTILE, LONG], scenario=HOSTILE, started_at=HOSTILE,
        warnings=[{"code": HOSTILE, "text": HOSTILE}], blind_spots=[HOSTILE],
        environment={"kernel": HOSTILE, "cpu": HOSTILE, "cwd": HOSTILE, "git_commit": HOSTILE},
        load={"command": HOSTILE, "status": 0, "wall_ns": 1}, work={"unit": HOSTILE, "count": 10},
        phases=[{"name": HOSTILE, "wall_ns": 1, "calls": 1, "syscalls": []}] * 2,
        syscalls=[syscall(HOSTILE, batch=batch(HOSTILE), errno={HOSTILE: 3}, **{"class": HOSTILE}), syscall(LONG)],
        threads=[{"pid": 1, "tid": 1, "comm": HOSTILE, "syscalls": [part(HOSTILE)]}],
        fds=[{"pid": 1, "fd": 3, "generation": 0, "target": LONG, "syscalls": [part(HOSTILE)]}])
    io["tracer"]["unpatched_sites"] = [{"reason": HOSTILE, "sites": 1, "calls": 1}]
    frame = HOSTILE.replace("\n", "").replace(";", "")
    results(t, io=io, cpu=cpu_result(HOSTILE), memory=memory_result(HOSTILE),
            folded="server;%s;%s 30\n" % (frame, LONG.replace("\n", "").replace(";", "")))
    path = report(t)
    text = text_of(t, path)
    eq(sorted(set(re.findall("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)) - {"\t"}), [], "control characters")
    is_closed(Page(text))
    page = browse(t, path)
    is_closed(page)
    check("OWNED" not in text_of(t, path).split("</title>")[0] and not page.of("img"), "it became more than text")
    shown = HOSTILE.replace("\x1b[31m\n\t\x7f\u202e", "\\x1b[31m\\n\\t\\x7f\\xe2\\x80\\xae")
    for where, text in (("heading", page.texts), ("tooltip", page.titles)):
        check(any(shown in x for x in text), "the whole of it is text in a " + where)
    whole = [x for x in page.titles if x.startswith("/longlong")]
    check(whole and max(map(len, whole)) > 10000, "the whole of a long name is in the title")
    check(max(len(c) for c in page.tables["fds"][1]) <= 80, "a long name is cut in the middle")


@test(timeout=120)
def sorting(t):
    results(t)
    path = report(t)
    column = [r[2] for r in browse(t, path, "#sort=calls").tables["syscalls"]]
    eq(column, ["calls", "1,000", "200", "30"], "calls, the most first")
    page = browse(t, path, "#sort=target")
    eq([r[3] for r in page.tables["fds"][1:]], ["/data/%d" % i for i in range(5)], "names, rising")
    check("ascending" in [a.get("aria-sort") for a in page.of("th")], "aria-sort")


def visible(page):
    return [a for a in page.of("g") if "off" not in (a.get("class") or "")]


@test(timeout=120)
def search_and_zoom(t):
    results(t)
    path = report(t)
    page = browse(t, path, "#find=work")
    eq(page.classes().count("hit"), 5, "frames that match: work, the worker process and its threads")
    check("83.3% of the whole" in "".join(page.texts), "share of what matches")
    page = browse(t, path, "#zoom=work")
    classes = page.classes()
    eq((classes.count("off"), classes.count("up")), (1, 3), "what is beside it is hidden, what is above it fades")
    widest = [a for a in page.of("rect") if a.get("width") == "1200.00"]
    check(len(widest) >= 4, "the frame is as wide as the graph")
    check("zoomed to work" in "".join(page.texts), "it says so")
    eq(browse(t, path, "#zoom=%3Cimg%20src%3Dx%3E&find=%3Cb%3E").of("img"), [], "images from the address")


class Keyboard:
    """A browser with the page, in which keys are pressed; by its debugging pipe."""

    def __init__(self, t, path, width=1280):
        to_browser, from_browser = os.pipe(), os.pipe()

        def pipes():
            ends = [fcntl.fcntl(fd, fcntl.F_DUPFD, 20) for fd in (to_browser[0], from_browser[1])]
            for fd, end in zip((3, 4), ends):
                os.dup2(end, fd)

        self.browser = subprocess.Popen(
            [need_tool("chromium"), "--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe",
             "--user-data-dir=" + t.path("keyboard"), "--disable-background-networking",
             "--window-size=%d,900" % width, "about:blank"],
            pass_fds=(3, 4), preexec_fn=pipes, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.close(to_browser[0])
        os.close(from_browser[1])
        self.to, self.answers, self.id, self.session = to_browser[1], os.fdopen(from_browser[0], "rb"), 0, None
        target = [x for x in self.ask("Target.getTargets")["targetInfos"] if x["type"] == "page"][0]
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"], flatten=True)["sessionId"]
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        self.ask("Page.navigate", url="file://" + path)
        while self.js("document.readyState + location.protocol") != "completefile:":
            pass

    def ask(self, method, **params):
        self.id += 1
        message = {"id": self.id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")
        while True:
            text = b""
            while not text.endswith(b"\0"):
                c = self.answers.read(1)
                if not c:
                    raise Failure("the browser went away")
                text += c
            answer = json.loads(text[:-1])
            if answer.get("id") == self.id:
                check("result" in answer, str(answer))
                return answer["result"]

    def js(self, expression):
        return self.ask("Runtime.evaluate", expression=expression, returnByValue=True)["result"].get("value")

    def press(self, *keys):
        for key in keys:
            for kind in ("keyDown", "keyUp"):
                self.ask("Input.dispatchKeyEvent", type=kind, key=key, text="\r" if key == "Enter" else "")

    def end(self):
        os.close(self.to)
        self.browser.kill()
        self.browser.wait()
        self.answers.close()


HERE = "document.activeElement.querySelector('title')?.textContent.split('\\n')[0]"


@test(timeout=120)
def frames_by_keyboard(t):
    results(t)
    k = Keyboard(t, t.path(report(t)))
    try:
        eq(k.js("Array.from(document.querySelectorAll('svg.flame'), "
                "s => s.querySelectorAll('g[tabindex=\"0\"]').length).join()"), "1,1,1", "one stop of the tab key a graph")
        k.js("document.querySelectorAll('svg.flame')[1].querySelector('g[tabindex=\"0\"]').focus()")
        seen = []
        for key in ("ArrowDown", "ArrowDown", "ArrowDown", "ArrowLeft", "ArrowRight", "ArrowDown", "ArrowUp", "Home"):
            k.press(key)
            seen.append(k.js(HERE))
        eq(seen, ["server", "main", "work", "idle", "work", "send", "work", "all"], "where the arrows lead")
        check("all: 300 samples" in k.js("document.querySelectorAll('output')[1].textContent"), "it is said")
        off = "document.querySelectorAll('svg.flame .off').length"
        k.press("ArrowDown", "ArrowDown", "ArrowDown", "Enter")
        eq((k.js(HERE), k.js(off)), ("work", 1), "zoomed")
        k.press("Escape")
        eq((k.js(HERE), k.js(off)), ("work", 0), "the whole again")
    finally:
        k.end()


@test(timeout=120)
def narrow_and_wide(t):
    """Only boxes scroll sideways, and have something at their edge that says so."""
    results(t)
    path = t.path(report(t))
    for width in (390, 1280):
        k = Keyboard(t, path, width)
        try:
            eq(k.js("innerWidth"), width, "the window")
            eq(k.js("document.documentElement.scrollWidth <= innerWidth"), True, "the page is as wide as the window")
            k.js("const boxes = Array.from(document.querySelectorAll('.scroll'));"
                 "const scrolls = boxes.filter(b => b.scrollWidth > b.clientWidth + 1);"
                 "const edges = b => ['more-left', 'more-right'].map(c => +b.classList.contains(c)).join('')")
            check(k.js("scrolls.length") > 0 or width > 390, "boxes that scroll")
            wait_for("what fades at the right edge", lambda: k.js(
                "scrolls.every(b => edges(b) === '01' && getComputedStyle(b).maskImage !== 'none')"))
            check(k.js("boxes.every(b => b.tabIndex === 0 && (scrolls.includes(b) || edges(b) === '00'))"), "the others")
            k.js("for (const b of scrolls) b.scrollLeft = 1e6")
            wait_for("and at the left one", lambda: k.js("scrolls.every(b => edges(b) === '10')"))
        finally:
            k.end()


@test
def the_answer_comes_first(t):
    """What tracing did, what limits batches, what to change, what a comparison says; the charts after it."""
    sends = syscall(batch=batch())
    looks = syscall("openat", 100000, errors=99000, ok=1000, errno={"ENOENT": 99000})
    metric = {"name": "sendmmsg.calls", "unit": "", "kind": "exact", "verdict": "REGRESSION", "why": None, "change": 0.25,
              "base_median": 800, "base_min": 800, "base_max": 800, "new_median": 1000, "new_min": 1000, "new_max": 1000}
    write(t, "results/a-compare.json", {
        "schema": "profile.compare/1", "status": 1, "base": "v1" + HOSTILE, "new": "v2", "regressions": 1, "troubles": 0,
        "judged": 7, "missing": [], "only_base": [], "only_new": [], "parts": [
            {"scenario": "a", "type": "io", "runs": [{"verdict": "trouble", "text": HOSTILE}], "metrics": [metric],
             "causes": [], "why": [], "notes": []}]})
    results(t, io=io_result(syscalls=[sends, looks]))
    text = text_of(t, report(t))
    page = Page(text)
    is_closed(page)
    ids = [a["id"] for a in page.of("section")]
    eq(ids[:3], ["answer", "batches", "latency"], "sections: the answer, then charts")
    first = "".join(Page(text[text.index('id="answer"'):text.index('id="batches"')]).texts).replace("\xa0", " ")
    for want in ("about 25.0 us = 1.0% of the run", "sendmmsg is limited by", "1. openat, ask less often for what is not there",
                 "of the run", "Evidence: ", "syscalls[openat].errno.ENOENT", "v2 against v1", "a regression; 7 figures",
                 "REGRESSION: sendmmsg.calls +25.0%", "trouble, io: <b id=x>"):
        check(want in first, "%r is not in it: %s" % (want, first))
    eq({"targets", "categories", "batching", "errors", "metrics"} - set(page.tables), set(), "analyze's tables, compare's")
    check("network" in [r[0] for r in page.tables["categories"]], str(page.tables["categories"]))
    # priorities are by the program's own ease, as analyze has them
    hard = Page(text_of(t, report(t, "--ease", "failed-lookup=1"))).tables["targets"]
    eq([(r[5], "%.2f" % (float(r[0]) * 7)) for r in hard[1:]], [("1", r[0]) for r in page.tables["targets"][1:]], "ease")
    check("IN SHORT" in profile(t, "report", "--text").out.splitlines()[:3], "the text begins so too")
    check("the runs cannot be trusted" not in first, first)
    write(t, "results/a-compare.json", {
        "schema": "profile.compare/1", "status": 2, "base": "v1", "new": "v2", "regressions": 0, "troubles": 1, "judged": 0,
        "missing": [], "only_base": [], "only_new": [], "parts": []})
    check("v2 against v1: the runs cannot be trusted" in "".join(Page(text_of(t, report(t))).texts).replace("\xa0", " "),
          "of runs that cannot be")
    r = profile(t, "report", "-o", "x.html", t.path("results/a-compare.json"), status=2)
    check("with a result" in r.err, str(r))


@test
def units_stay_with_figures(t):
    """What may be broken into lines has no blank between a figure and its unit."""
    results(t)
    text = text_of(t, report(t))
    prose = re.findall(r"<(li|p|dd)>(.*?)</\1>", text, re.S)
    broken = [p for _, p in prose if re.search(r"\d (ns|us|ms|s|KiB|MiB|GiB|TiB|B)\b", p)]
    eq(broken, [], "figures that lose their unit")
    check(any(re.search("\\d\xa0us\\b", p) for _, p in prose), "units at all")


@test
def readable_without_script(t):
    results(t)
    page = Page(text_of(t, report(t)))
    text = "".join(page.texts).replace("\xa0", " ")
    for want in ("sendmmsg", "2.00 messages a call on average", "50.0% of what was asked for", "/data/4",
                 "No such file or directory", "about 25.0 us", "peak 1000 B", "work"):
        check(want in text, "%r is not in the page" % want)
    eq({"syscalls", "fds", "threads", "errors", "functions-self", "sites"} - set(page.tables), set(), "tables")
    eq(page.tables["errors"][1][:4], ["openat", "ENOENT", "9", "4.5%"], "errors")
    check(any(a.get("href") == "#batches" for a in page.of("a")), "links to the sections")


@test
def large_results_stay_small(t):
    """Rows and frames are limited, and what is left out is counted."""
    name = "/" + "x" * 4000
    io = io_result(
        fds=[{"pid": 1, "fd": i, "generation": 0, "target": name + str(i), "syscalls": [part(calls=i + 1), part("read")]}
             for i in range(5000)],
        threads=[{"pid": 1, "tid": i, "comm": "t%d" % i, "syscalls": [part(calls=i + 1)]} for i in range(5000)])
    folded = "".join("s;f%d;%s%d;leaf %d\n" % (i % 900, "g" * 300, i, i % 7 + 1) for i in range(50000))
    results(t, io=io, folded=folded)
    path = report(t)
    size = os.path.getsize(path)
    check(size < 5 << 20, "%d bytes" % size)
    text = "".join(Page(text_of(t, path)).texts)
    check(re.search(r"The 300 rows with the most calls of 10,000 rows are here; the others have [\d,]+ calls", text),
          "what is left out of the fds")
    check(re.search(r"Left out: [\d,]+ frames", text), "what is left out of the flame graph")


@test
def few_samples_have_no_share(t):
    for samples, share in ((99, False), (100, True)):
        cpu = cpu_result()
        cpu["sampling"]["samples"] = samples
        results(t, cpu=cpu, folded="server;main;work %d\n" % samples)
        page = Page(text_of(t, report(t)))
        tips = [x for x in page.texts if x.startswith("work\n")]
        eq(tips, ["work\n%d samples%s" % (samples, ", 100%" if share else "")], "tooltips")
        eq("50.0%" in "".join(sum(page.tables["functions-self"], [])), share, "the table's share")
        eq("Fewer than 100 samples: widths" in "".join(page.texts), not share, "what is said of the graph")


@test
def a_normal_page_is_small(t):
    results(t)
    check(os.path.getsize(report(t)) < 250000, "bytes")


@test
def not_measured(t):
    """A result with nothing but its schema, and one of each kind alone."""
    for kind in ("iotrace.result", "profile.cpu", "profile.memory"):
        path = write(t, "x.json", {"schema": kind + "/1"})
        report(t, "-o", t.path("x.html"), path)
        is_closed(Page(text_of(t, "x.html")))
        check("NaN" not in text_of(t, "x.html").split("<script>")[0] and "18446744073709551615" not in
              text_of(t, "x.html"), "figures that nobody measured, of " + kind)
        report(t, "--text", path)


# ---- which files

@test
def of_a_real_run(t):
    # Of a system's program nobody knows how many calls it makes: that depends on the locale, too.
    profile(t, "--scenario", "real", "--type", "io", "--binary", t.target("iov"), "--", "loop", "100")
    page = Page(text_of(t, report(t, "--scenario", "real")))
    is_closed(page)
    check(page.tables["syscalls"][1:], "calls")
    check("iov loop 100" in "".join(page.texts), "the command")
    text = profile(t, "report", "--scenario", "real", "--text").out
    check("LATENCY HISTOGRAMS" in text and "OVER TIME" in text, text)
    check(max(map(len, text.splitlines())) <= 100, "a line is too wide")


@test
def the_text(t):
    results(t)
    text = profile(t, "report", "--text").out
    for want in ("BATCHING", "ASKED AGAINST GOT", "LATENCY HISTOGRAMS", "time of sendmmsg", "OVER TIME", "CPU", "HEAP"):
        check(want in text, "%s is not in it:\n%s" % (want, text))
    check(max(map(len, text.splitlines())) <= 100, "a line is too wide")
    check(max(map(len, text.splitlines())) > 60, "nothing to fold")
    fits(on_terminal([os.path.join(BUILD, "bin", "profile-scenario"), "report", "--text"], 60, cwd=t.dir), 60, "sendmmsg", "OVER TIME")
    check(not os.path.exists(t.path("results/a-report.html")), "no page is made")


@test
def where_the_page_goes(t):
    results(t)
    eq(profile(t, "report").out, "results/a-report.html\n", "the page's name")
    eq(profile(t, "report", "--output-dir", t.path("results")).out, t.path("results/a-report.html") + "\n", "with DIR")
    check(profile(t, "report", "-o", "-").out.startswith("<!DOCTYPE html>"), "-o -")
    profile(t, "report", "-o", t.path("b.html"), t.path("results/iotrace/a-iotrace.json"))
    check("Functions by their own" not in text_of(t, "b.html"), "only the named file is in it")
    results(t, "b")
    r = profile(t, "report", status=2)
    check("several scenarios" in r.err and "--scenario" in r.err, "which one: %s" % r)
    profile(t, "report", "--scenario", "b")


@test
def the_same_input_gives_the_same_page(t):
    results(t)
    profile(t, "report", "-o", t.path("1.html"))
    profile(t, "report", "-o", t.path("2.html"))
    eq(text_of(t, "1.html"), text_of(t, "2.html"), "pages")


@test
def missing_stacks_are_said(t):
    results(t)
    os.unlink(t.path("results/flamegraphs/a.folded"))
    check("The stacks are not there: cannot" in text_of(t, report(t)), "that they are missing")


@test
def what_is_missing_is_said(t):
    """Of the result that lacks it, and not of one that has all."""
    mappings = {"anonymous": {"maps": 1, "mapped_bytes": 4096, "unmapped_bytes": 0}, "peak_bytes": 4096}
    overflow = dict(batch(), histogram_overflow=7)
    still = [{"t_ns": i * 1000000, "calls": 1, "errors": 0, "wall_ns": 5000, "bytes": 1} for i in range(9)]
    lacking = (
        ("The result has no timeline.", {"io": io_result(timeline=None)}),
        ("No call moved messages.", {"io": io_result(timeline={"bucket_ns": 1000000, "rows": still})}),
        ("Not known: not all of mmap, munmap, mremap and brk were traced.", {"io": io_result()}),
        ("The result does not say.", {"io": {"schema": "iotrace.result/1", "scenario": "a"}}),
        ("7 calls with other sizes are not drawn: there were too many different ones.",
         {"io": io_result(syscalls=[syscall(calls=1007, batch=overflow)])}),
        ("There is nothing to draw: no stacks were found.", {"folded": ""}),
        ("1 line of the folded file could not be read.", {"folded": FOLDED + "no number\n"}),
        ("5 snapshots not in the result; the peak is never left out.",
         {"memory": dict(memory_result(), snapshots_left_out=5)}),
        ("this profile is incomplete; what is missing is not known", {"cpu": dict(cpu_result(), complete=False)}),
        ("iotrace let go of it before its end", {"io": io_result(mappings=mappings, exit=None)}),
        ("3 calls are known to have been missed: counts below are too low",
         {"io": io_result(mappings=mappings, tracer=dict(io_result()["tracer"], lost=3))}),
        ("how it ended is not known", {"io": io_result(mappings=mappings, exit={})}),
        ("what is missing is not known",
         {"io": io_result(mappings=mappings, complete=False)}),
        ("There is no tree of the peak.", {"memory": dict(memory_result(), peak_tree=None)}))

    def said():
        return " ".join("".join(Page(text_of(t, report(t))).texts).replace("\xa0", " ").split())

    results(t, io=io_result(mappings=mappings))
    whole = said()
    check("The stacks are in NAME.folded" not in whole and "The stacks are not there" not in whole, whole[:3000])
    for sentence, of in lacking:
        check(sentence not in whole, "%r, of a page that has all" % sentence)
        results(t, **dict({"io": io_result(mappings=mappings)}, **of))
        text = said()
        check(sentence in text, "%r is not said: %s" % (sentence, text[:5000]))
    report(t, "-o", t.path("x.html"), write(t, "x.json", cpu_result()))
    check("The stacks are in NAME.folded beside NAME-cpu.json, and this file is not called so." in text_of(t, "x.html"),
          "of a file by another name")


@test
def stacks_of_io(t):
    results(t)
    write(t, "results/iotrace/a-iotrace-time.folded", "server;send_all;sendmmsg 2000000\nno number\n")
    write(t, "results/iotrace/a-iotrace2-time.folded", "of another run 1\n")
    text = text_of(t, report(t))
    eq(text.count("Code paths: "), 1, "graphs")
    check("1 in 97" not in text and " calls, of one for each " not in text, "an older result does not say how stacks were taken")
    check("send_all\n2.0 ms, 100%" in text and "1 line of the folded file could not be read" in text, "its frames")


@test
def how_stacks_were_taken(t):
    for every, want in ((97, "1,234 stacks, of 1 in 97 calls, of one for each 1 ms of a thread in calls, and of the first 32"),
                        (1, "The stack of every call was taken")):
        results(t, io=io_result(stacks={"every": every, "every_ns": 1000000 if every > 1 else 0, "first": 32, "sites": 9,
                                        "taken": 1234, "failed": 0, "cut": 0, "different": 5}))
        write(t, "results/iotrace/a-iotrace-time.folded", "server;send_all;sendmmsg 2000000\n")
        text = text_of(t, report(t)).replace("\xa0", " ")
        check(want in text, "it says %r" % want)
        eq("all figures are exact" in text, every == 1, "that they are exact")
        check("The calls and bytes of a site are exact" not in text, "that times are not")


@test
def bad_files(t):
    """One clear line with file and place, and no page."""
    whole = json.dumps(io_result(), indent=1)
    for name, content, want in (
            ("truncated", whole[:len(whole) // 2], r"line \d+ column \d+: "),
            ("empty", "", r"line 1 column "),
            ("binary", "\x00\x01", r"line 1 column "),
            ("foreign", '{"version": 1}', r"schema: missing"),
            ("list", "[1, 2]", r"schema: missing"),
            ("other", '{"schema": "profile.run/1"}', r"schema: profile.run/1; it must be one of"),
            ("newer", '{"schema": "iotrace.result/2"}', r"schema: iotrace.result/2 is newer"),
            ("newer cpu", '{"schema": "profile.cpu/7"}', r"schema: profile.cpu/7 is newer"),
            ("wrong type", '{"schema": "iotrace.result/1", "syscalls": [{"calls": "many"}]}',
             r"syscalls\[0\].calls: not an integer"),
            ("deep", "[" * 1000, r"line 1 column \d+: nested")):
        path = write(t, "bad.json", content)
        r = profile(t, "report", "-o", t.path("bad.html"), path, status=2)
        lines = r.err.splitlines()
        check(len(lines) == 1 and re.search("^profile-scenario: .*bad.json: " + want, lines[0]),
              "%s: %s" % (name, r))
        check(not os.path.exists(t.path("bad.html")) and not r.out, name + ": a page was made")
    for args, want in ((["/no/such.json"], "No such file"), (["--no-such"], "no-such"), (["--scenario", "../x"], "name"),
                       (["--scenario", "x"], "no results of x"), ([], "no results"), (["--text", "-o", "x"], "--text")):
        r = profile(t, "report", *args, status=2)
        check(len(r.err.splitlines()) == 1 and want in r.err, "%s: %s" % (args, r))


@test
def two_of_a_kind(t):
    results(t)
    path = t.path("results/iotrace/a-iotrace.json")
    r = profile(t, "report", "-o", "x.html", path, path, status=2)
    check("one scenario" in r.err, "stderr: %s" % r)


@test
def a_page_that_cannot_be_written(t):
    results(t)
    r = profile(t, "report", "-o", "/no/such/place.html", status=2)
    eq(len(r.err.splitlines()), 1, "lines: %s" % r)


if __name__ == "__main__":
    main()
