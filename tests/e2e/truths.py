#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""Programs of known truth (tests/truths/): what must be said of each, what must not, and that no sentence is without.

A truth is a program whose head says what it does and what the product has to say of that:

    truth: 100 writes to a pipe whose reader has gone
    says: write failed with EPIPE in 100 calls: the reader was gone.
    never: No error that the table of errors calls worth a look.

says: and never: are looked for in all that is written of the run: summary, analysis and report; "..." stands for
anything, and "||" between what a quiet machine shows and what one does that is too busy to tell. "auto says:" and
"ptrace never:" are of one mode. Other lines of the head, each once:

    args: ...         what the program is given; ROOT, BUILD and DIR are replaced
    run: ...          another program than this file's, e.g. BUILD/targets/mmsg batches 200 7
    options: ...      of iotrace (io; default -e all) or of profile-scenario (memory, cpu)
    kind: ...         io (the default); sweep: over the values of over:, which stand for {v}; compare: the program is copied to BASE and NEW, and told by its own path
                      which it is; memory; cpu
    runs: ...         of each side of a comparison (default 3); of io: as many by profile-scenario, recorded
    modes: ...        of io; default: auto ptrace
    tries: ...        of a sentence with an interval, which is wrong now and then: so many runs, most of which must be right
    status: ...       how the program ends (default 0)
    needs: ...        root; slowed, unslowed: that stops take more or less than a tenth of the time, which is otherwise on
                      a machine that is too busy

tests/truths/SENTENCES has every sentence of the sources, with the truth or test that shows it and the one that must
not. What is checked of it is in the functions below.
"""
import difflib
import glob
import json
import os
import re
import shlex
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from recorder import AT_ONCE
from tap import (BUILD, ROOT, Failure, Skip, check, eq, main, need_perf, need_recorder, need_root, need_tool, only_from, profile,
                 test)

only_from("truths")

TRUTHS = os.path.join(ROOT, "tests", "truths")
KEYS = ("truth", "says", "never", "args", "run", "options", "kind", "modes", "status", "runs", "needs", "over", "tries")


# ---- a truth ----

def head_of(path):
    """The lines of the file's first comment (after the license), without what makes them a comment."""
    with open(path, encoding="utf-8") as f:
        text = f.read()
    if path.endswith(".c"):
        found = re.search(r"^/\*\n(.*?)^ \*/", text, re.M | re.S)
        return [re.sub(r"^ \* ?", "", line) for line in found.group(1).splitlines()] if found else []
    lines = [re.sub(r"^# ?", "", line) for line in text.splitlines() if line.startswith("#")]
    return [line for line in lines if not line.startswith("!") and not line.startswith("SPDX")]


class Truth:
    def __init__(self, path):
        self.path = path
        self.name = os.path.splitext(os.path.basename(path))[0]
        self.says, self.never = [], []  # (mode or None, pattern)
        self.of = {}
        key = None
        for line in head_of(path):
            found = re.match(r"(?:(auto|ptrace) )?(%s): *(.*)$" % "|".join(KEYS), line)
            if found:
                mode, key, value = found.groups()
                if key in ("says", "never"):
                    getattr(self, key).append([mode, value])
                else:
                    check(key not in self.of and not mode, "%s: %s: twice, or of one mode" % (self.name, key))
                    self.of[key] = value
            elif key and re.match(r" +\S", line):
                if key in ("says", "never"):
                    getattr(self, key)[-1][1] += " " + line.strip()
                else:
                    self.of[key] += " " + line.strip()
            else:
                key = None
        self.kind = self.of.get("kind", "io")

    def argv(self, t, args):
        """The program, and what it is given."""
        places = {"ROOT": ROOT, "BUILD": BUILD, "DIR": t.dir}

        def words(text):
            return [re.sub(r"\b(ROOT|BUILD|DIR)\b", lambda m: places[m[0]], word) for word in shlex.split(text)]

        if "run" in self.of:
            return words(self.of["run"]) + words(args)
        if self.path.endswith(".c"):
            return [os.path.join(BUILD, "truths", self.name)] + words(args)
        return [need_tool("python3" if self.path.endswith(".py") else "sh"), self.path] + words(args)

    def options(self, default=""):
        return shlex.split(self.of.get("options", default))


def plain(text):
    """One line, without what Markdown and the terminal's columns need."""
    return " ".join(re.sub(r"\\([^\w\s])", r"\1", text).replace("<br>", " ").split())


def pattern(text):
    return re.compile(".{0,300}?".join(re.escape(x) for x in " ".join(text.split()).split("...")))


def judge(truth, mode, said):
    for of, text in truth.says:
        check(of not in (None, mode) or any(pattern(x).search(said) for x in text.split(" || ")),
              "%s: not said: %s\n%s" % (mode, text, said[:6000]))
    for of, text in truth.never:
        found = of in (None, mode) and pattern(text).search(said)
        check(not found, "%s: said, and not true: %s" % (mode, said[max(found.start() - 200, 0):found.end() + 200]
                                                         if found else ""))


def written_of(t, *results):
    """What analyze writes of them, and report of each."""
    docs = [profile(t, "analyze", "--output-dir", t.path("results")).out] if not results else []
    if not results:
        for name in ("IO-ANALYSIS.md", "PROFILING-ANALYSIS.md"):
            if os.path.exists(t.path("results/" + name)):
                with open(t.path("results/" + name), encoding="utf-8") as f:
                    docs.append(f.read())
        docs.append(profile(t, "report", "--text", "--scenario", "s", "--output-dir", t.path("results")).out)
    for path in results:
        docs.append(profile(t, "analyze", path, "--stdout").out)
        docs.append(profile(t, "report", "--text", path).out)
    return plain("\n".join(docs))


def as_slow_as_needed(truth, share):
    need = truth.of.get("needs")
    if need in ("slowed", "unslowed") and (share > 0.1) != (need == "slowed"):
        raise Skip("the stops took %.0f%% of the time here" % (100 * share))


def of_runs(t, truth):
    """Of several runs, whose files are read together."""
    need_recorder(t)
    program, *args = truth.argv(t, truth.of.get("args", ""))
    r = profile(t, "--scenario", "s", "--type", "io", "--binary", program, "--runs", truth.of["runs"], *truth.options(),
                "--", *args, env=AT_ONCE)
    with open(t.path("results/iotrace/s-iotrace.json"), encoding="utf-8") as f:
        as_slow_as_needed(truth, json.load(f)["tracer"]["overhead"]["estimated_share"])
    judge(truth, "auto", plain(r.out + r.err) + " " + written_of(t))


def of_io(t, truth):
    if "runs" in truth.of:
        of_runs(t, truth)
        return
    for mode in truth.of.get("modes", "auto ptrace").split():
        if mode == "auto":
            need_recorder(t)
        r = t.iotrace(["--mode=" + mode] + truth.options("-e all"), truth.argv(t, truth.of.get("args", "")),
                      env=AT_ONCE, status=int(truth.of.get("status", "0")))
        if mode == "ptrace":
            as_slow_as_needed(truth, r.json["tracer"]["overhead"]["estimated_share"])
        judge(truth, mode, plain(r.summary + r.err) + " " + written_of(t, r.prefix + ".json"))


def of_compare(t, truth):
    need_recorder(t)
    for side in ("base", "new"):
        program, *args = truth.argv(t, truth.of.get("args", ""))
        os.makedirs(t.path(side))
        copy = shutil.copy(program, t.path(side + "/" + truth.name))
        profile(t, "--scenario", "s", "--type", "io", "--binary", copy, "--runs", truth.of.get("runs", "3"),
                "--output-dir", t.path(side + "/results"), *truth.options(), "--", *args, env=AT_ONCE, status=None)
    sides = [t.path(side + "/results") for side in ("base", "new")]
    r, short = (profile(t, "compare", *sides, *more, status=None) for more in (["--all"], []))
    with open(t.path("compare.json"), "w") as f:
        f.write(profile(t, "compare", *sides, "--json", status=None).out)
    page = profile(t, "report", "--text", t.path("new/results/iotrace/s-iotrace.json"), t.path("compare.json"))
    judge(truth, "auto", plain("\n".join((r.out, r.err, short.out, page.out))))


def of_sweep(t, truth):
    need_recorder(t)
    program, *args = truth.argv(t, truth.of.get("args", ""))
    r = profile(t, "sweep", "--scenario", "s", "--over", "v=" + truth.of["over"], "--binary", program,
                "--runs", truth.of.get("runs", "5"), *truth.options(), "--", *args,
                status=int(truth.of.get("status", "0")))
    with open(t.path("results/sweep/s-sweep.md"), encoding="utf-8") as f:
        judge(truth, "auto", plain(r.out + f.read()))


def of_profile(t, truth):
    if truth.kind == "cpu":
        need_perf()
    else:
        need_tool("valgrind")
    program, *args = truth.argv(t, truth.of.get("args", ""))
    r = profile(t, "--scenario", "s", "--type", truth.kind, "--binary", program, *truth.options(), "--", *args,
                status=int(truth.of.get("status", "0")))
    judge(truth, truth.kind, plain(r.out + r.err) + " " + written_of(t))


KINDS = {"io": of_io, "compare": of_compare, "sweep": of_sweep, "memory": of_profile, "cpu": of_profile}


def truths():
    files = sorted(x for ext in ("c", "sh", "py") for x in glob.glob(os.path.join(TRUTHS, "*." + ext)))
    return {x.name: x for x in (Truth(path) for path in files)}


ALL = truths()


def most_of(tries, run):
    wrong, right = [], 0
    while right <= tries // 2:
        try:
            run()
            right += 1
        except Failure as e:
            wrong.append(e)
            if len(wrong) > tries // 2:
                raise


def add(truth):
    def run(t):
        check("truth" in truth.of and truth.says and truth.never,
              "a truth says what it is (truth:), what must be said (says:) and what must not (never:)")
        if truth.of.get("needs") == "root":
            need_root()
        most_of(int(truth.of.get("tries", "1")), lambda: KINDS[truth.kind](t, truth))
    test(run, name="truth-" + truth.name)





# ---- no sentence without a truth ----

LITERAL = r'"(?:[^"\\\n]|\\.)*"'
DIRECTIVE = re.compile(r"%(?:%|[-+ #0]*(?:\*|\d+)?(?:\.(?:\*|\d+))?(?:hh|h|ll|l|z|j)?[a-zA-Z])")
MARKUP = re.compile(r"<(?:[^<>]|\\\">)*>?|[\w:-]+=\\\"[^<>]*?\\\"|\\n|\\t")
# What prints sentences; a file that calls one of them is in SENTENCES, and so is each that has a sentence where they are
# made in pieces (arena_printf, tables of words) and printed elsewhere.
SAYS = r"\b(?:doc_note|doc_text|sentence|result_warn|doctor_say|md_note)\("
PLACES = ("common", *sorted(d for d in os.listdir(ROOT) if os.path.isfile(os.path.join(ROOT, d, "backend.c"))))
MADE_IN = ("common/analyze/", "common/compare/", "common/report/", "common/view/")


def text_of(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return f.read()


def literals_of(path):
    """(text, code of the warning or None) of each literal of the source that could be a sentence: three words."""
    text = re.sub("(%s)|/\\*.*?\\*/" % LITERAL, lambda m: m.group(1) or " ", text_of(path), flags=re.S)
    text = re.sub(r"static const struct doc_column \w+\[\] = \{.*?\n\};", "", text, flags=re.S)
    text = re.sub(r"^\s*#.*$", "", text, flags=re.M)
    for m in re.finditer(r'(?:"(\w+)",\s*)?(%s(?:\s*%s)*)' % (LITERAL, LITERAL), text):
        words = "".join(x[1:-1] for x in re.findall(LITERAL, m.group(2)))
        if len(re.findall("[A-Za-z]{2,}", DIRECTIVE.sub(" ", MARKUP.sub(" ", words)))) >= 3:
            yield words, m.group(1)


def sentences():
    """{source: [(text, shown by, must not appear in)]}; shown None: no conclusion. {source: why}: not listed."""
    listed, left_out, source = {}, {}, None
    for number, line in enumerate(text_of("tests/truths/SENTENCES").splitlines(), 1):
        fields = [x.strip() for x in line.split(" | ")]
        if not line.strip() or line.startswith("#"):
            continue
        if not line.startswith("\t"):
            source, _, why = line.partition(" not: ")
            if why:
                left_out[source] = why
            else:
                listed[source] = []
        elif len(fields) == 2 and (fields[1] == "fact" or fields[1].startswith("none: ")):
            listed[source].append((fields[0], None if fields[1] == "fact" else fields[1], None))
        else:
            check(len(fields) == 3, "SENTENCES, line %d: TEXT | SHOWN BY | NEVER IN" % number)
            listed[source].append(tuple(fields))
    return listed, left_out


def pieces(text, of=DIRECTIVE):
    return [x.strip(" .,:;()") for x in of.split(text.replace('\\"', '"'))]


def speaks_of(line, text):
    """Is the line of a truth's head about that sentence? Most of its longest words must be the same."""
    longest, text = max(pieces(text), key=len), text.replace('\\"', '"')
    same = difflib.SequenceMatcher(None, line, text, autojunk=False).find_longest_match(0, len(line), 0, len(text))
    return longest in line or same.size >= 16


def literal_speaks_of(literal, text, code):
    """Of a test, which may look for few words of it, for a figure in it, or for the warning's code."""
    words = re.split(r"\d[\d.,]*", literal)
    return literal == code or max(pieces(text), key=len) in literal or any(
        len(x.strip()) >= 4 and x.strip() in text for x in words)


def test_speaks_of(name, text, code):
    """FILE:TEST, whose function (of C: whose file, with its tables) has a literal of the sentence."""
    file, function = name.split(":")
    folder = "tests/unit/" if file.endswith(".c") else "tests/e2e/"
    check(os.path.exists(os.path.join(ROOT, folder + file)), "no such test: " + name)
    body = text_of(folder + file)
    found = re.search(r"^(?:def|static void) %s\(.*?(?=^\S|\Z)" % re.escape(function), body, re.M | re.S)
    if not found:  # a row of a table
        check('"%s' % function in body, "no such test: " + name)
    if found and file.endswith(".py"):
        body = found.group(0)
    return any(literal_speaks_of(x[1:-1], text, code) for x in re.findall(LITERAL, body))


def wrong_place(name, text, code, never):
    """What is wrong with that entry; None: nothing."""
    if ":" in name:
        return None if test_speaks_of(name, text, code) else "%s has nothing of the sentence: %s" % (name, text)
    if name not in ALL:
        return "no such truth: %s" % name
    if any(speaks_of(line, text) for _, line in (ALL[name].never if never else ALL[name].says)):
        return None
    return "%s does not %s: %s" % (name, "forbid" if never else "ask for", text)


def check_source(source, listed):
    found, wrong = list(literals_of(source)), []
    for words, _ in found:
        if not any(text in words for text, _, _ in listed):
            wrong.append("in SENTENCES neither with its truths nor as a fact: " + words)
    for text, shown, never in listed:
        codes = [code for words, code in found if text in words]
        if not codes:
            wrong.append("not in the source any more: " + text)
        elif shown and never:
            wrong += [wrong_place(name, text, codes[0], False) for name in shown.split(", ")]
            wrong += [wrong_place(name, text, codes[0], True) for name in never.split(", ")]
    wrong = [x for x in wrong if x]
    check(not wrong, "\n".join(wrong))


def add_source(source, listed):
    shown, none = sum(1 for x in listed if x[2]), sum(1 for x in listed if x[1] and not x[2])
    test(lambda t: check_source(source, listed),
         name="sentences-%s (%d%s)" % (source, shown, ", %d without a truth" % none if none else ""))


def add_left_out(source):
    test(lambda t: text_of(source), name="sentences-%s is left out" % source)


LISTED, LEFT_OUT = sentences()


def says_something(source, text):
    return re.search(SAYS, text) or source.startswith(MADE_IN) and any(True for _ in literals_of(source))


@test
def every_source_that_concludes_is_listed(t):
    sources = [os.path.relpath(path, ROOT) for place in PLACES
               for path in glob.glob(os.path.join(ROOT, place, "**", "*.*"), recursive=True)
               if path.endswith((".c", ".def"))]
    eq([x for x in sources if x not in LISTED and x not in LEFT_OUT and says_something(x, text_of(x))], [],
       "sources of which SENTENCES has nothing")
    made = [x for x in LISTED if x.startswith(MADE_IN) and not re.search(SAYS, text_of(x))]
    check("common/view/view_limited.c" in made, "sentences made in pieces are not seen: %s" % made)


@test
def the_check_can_fail(t):
    for line, text, want in (("write failed with EPIPE in 100 calls: the reader was gone.", "the reader was gone", True),
                             ("every ... given was sent.", "%s: every %s given was %s.", True),
                             ("sendmmsg: every message given was sent", "%s: every %s given was %s by the calls that succeeded", False),
                             ("called in ... calls", "no memory", False)):
        eq(speaks_of(line, text), want, "%r of %r" % (line, text))


for one in ALL.values():
    add(one)
for one in LISTED.items():
    add_source(*one)
for one in LEFT_OUT:
    add_left_out(one)

if __name__ == "__main__":
    main()
