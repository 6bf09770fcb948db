#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-only
"""The recipes for CI of docs/COMPARE.md, action.yml and docs/examples/gitlab-ci.yml, as they stand there: each step is run
as GitHub and GitLab run it, through the life of a project. What is read and not known here fails."""
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from tap import BUILD, ROOT, Failure, Skip, check, eq, main, test  # noqa: E402

try:
    import yaml
except ImportError:
    yaml = None

# As GitHub runs a step: without `shell`, and with `shell: bash`.
SHELLS = {None: ["bash", "-e"], "bash": ["bash", "--noprofile", "--norc", "-eo", "pipefail"]}
CACHE_KEYS = {"path", "key", "restore-keys"}


# ---- expressions ----

TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|(\|\||&&|==|!=|[!(),])|([A-Za-z_][\w.*-]*))")


class Expression:
    """${{ .. }}, of what is used here: ! == != && || always() success() failure() contains() and contexts."""

    def __init__(self, text, job, contexts):
        self.text, self.job, self.contexts, self.tokens, at = text, job, contexts, [], 0
        while text[at:].strip():
            m = TOKEN.match(text, at)
            check(m, "not understood: %s" % text)
            self.tokens.append(m.group().strip())
            at = m.end()

    def take(self, *which):
        if self.tokens and self.tokens[0] in which:
            return self.tokens.pop(0)
        return None

    def value(self):
        v = self.either()
        eq(self.tokens, [], "not understood in %s" % self.text)
        return v

    def either(self):
        v = self.both()
        while self.take("||"):
            other = self.both()
            v = v or other
        return v

    def both(self):
        v = self.compared()
        while self.take("&&"):
            other = self.compared()
            v = v and other
        return v

    def compared(self):
        v = self.single()
        op = self.take("==", "!=")
        return v if not op else (v == self.single()) == (op == "==")

    def single(self):
        if self.take("!"):
            return not self.single()
        if self.take("("):
            v = self.either()
            check(self.take(")"), "no ) in " + self.text)
            return v
        word = self.tokens.pop(0)
        if word.startswith("'"):
            return word[1:-1].replace("''", "'")
        if not self.take("("):
            return self.looked_up(word)
        known = {"always": lambda: True, "success": lambda: not self.job.failed, "failure": lambda: self.job.failed,
                 "contains": lambda among, what: what in among}
        given = []
        while not self.take(")"):
            given.append(self.either())
            self.take(",")
        check(word in known, "no such function: %s in %s" % (word, self.text))
        return known[word](*given)

    def looked_up(self, word):
        v = self.contexts
        for part in word.split("."):
            if part == "*" or isinstance(v, list):
                v = v if part == "*" else [x[part] for x in v]
                continue
            check(isinstance(v, dict) and part in v, "not known here: %s in %s" % (word, self.text))
            v = v[part]
        return v


class Outputs(dict):
    """Of a step: what it has not said is empty."""

    def __contains__(self, key):
        return True

    def __missing__(self, key):
        return ""


def as_text(v):
    return str(v).lower() if isinstance(v, bool) else str(v)


# ---- a job ----

class Job:
    """One run of a workflow: its steps in a checkout of their own, with the cache of the repository."""

    def __init__(self, t, project, event="pull_request", ref="refs/pull/1/merge"):
        self.t, self.project, self.failed, self.ran = t, project, False, []
        self.log = self.summary = ""
        self.number = project.next_run()
        self.workspace = t.path("workspace-%d" % self.number)
        self.temp = t.path("temp-%d" % self.number)
        os.mkdir(self.temp)
        shutil.copytree(project.folder, self.workspace)
        self.path = project.path
        self.github = {"workflow": "profile", "job": "profile", "run_id": str(self.number), "run_attempt": "1",
                       "event": {"repository": {"default_branch": "main"}}}
        self.env = {"HOME": self.temp, "RUNNER_TEMP": self.temp, "GITHUB_WORKSPACE": self.workspace, "CI": "true",
                    "GITHUB_EVENT_NAME": event, "GITHUB_REF": ref, "LC_ALL": "C.UTF-8"}

    def steps(self, steps, inputs=None, action=None):
        """Runs them. -> their outcomes, by id"""
        contexts = {"github": self.github, "inputs": inputs or {}, "steps": {}}
        for step in steps:
            extra = set(step) - {"name", "id", "if", "run", "shell", "env", "uses", "with"}
            eq(extra, set(), "keys of a step that this does not know")
            check(("run" in step) != ("uses" in step), "run or uses: %s" % step)
            check(not action or "uses" in step or "shell" in step, "a run step of an action needs its shell")

            def put(text):
                return re.sub(r"\$\{\{(.*?)\}\}", lambda m: as_text(Expression(m.group(1), self, contexts).value()), str(text))
            condition = str(step.get("if", "success()")).strip()
            condition = re.sub(r"^\$\{\{(.*)\}\}$", r"\1", condition)
            if not re.search(r"\b(always|success|failure)\(", condition):
                condition = "success() && (%s)" % condition
            outputs = Outputs()
            if not Expression(condition, self, contexts).value():
                outcome = "skipped"
            elif "run" in step:
                outcome = self.run(put(step["run"]), step.get("shell"), {k: put(v) for k, v in step.get("env", {}).items()},
                                   outputs, action)
            else:
                outcome = self.use(step["uses"], {k: put(v) for k, v in step.get("with", {}).items()}, outputs)
            self.failed |= outcome == "failure"
            self.ran.append((step.get("name") or step.get("uses") or step["run"].split()[0], outcome))
            if "id" in step:
                contexts["steps"][step["id"]] = {"outcome": outcome, "conclusion": outcome, "outputs": outputs}
        return contexts["steps"]

    def run(self, script, shell, env, outputs, action):
        files = {n: os.path.join(self.temp, "%d-%s" % (len(self.ran), n)) for n in ("script", "OUTPUT", "PATH", "STEP_SUMMARY")}
        for name, path in files.items():
            with open(path, "w") as f:
                f.write(script if name == "script" else "")
        check(shell in SHELLS, "no such shell: %s" % shell)
        env = dict(self.env, PATH=self.path, **env, **{"GITHUB_" + n: p for n, p in files.items() if n != "script"})
        if action:
            env["GITHUB_ACTION_PATH"] = action
        r = self.t.run(SHELLS[shell] + [files["script"]], env=env, cwd=self.workspace, timeout=100, user=False)
        self.log += r.out + r.err
        said = {}
        for name in ("OUTPUT", "PATH", "STEP_SUMMARY"):
            with open(files[name]) as f:
                said[name] = f.read()
        self.summary += said["STEP_SUMMARY"]
        for line in said["OUTPUT"].splitlines():
            key, value = line.split("=", 1)
            outputs[key] = value
        self.path = ":".join(said["PATH"].split("\n")[:-1] + [self.path])
        return "failure" if r.status else "success"

    def use(self, what, given, outputs):
        if re.fullmatch(r"actions/checkout@v\d+", what):
            eq(given, {}, "inputs of the checkout")
        elif re.fullmatch(r"actions/cache/restore@v\d+", what):
            self.restore(given)
        elif re.fullmatch(r"actions/cache/save@v\d+", what):
            eq(set(given), {"path", "key"}, "inputs of the cache")
            check(given["key"] not in self.project.cache, "a key of the cache is written once")
            self.project.cache[given["key"]] = kept = self.t.path("cache-%d" % len(self.project.cache))
            shutil.copytree(os.path.join(self.workspace, given["path"]), kept)
        elif re.fullmatch(r"OWNER/iotrace@\w+", what):
            return self.composite(given, outputs)
        else:
            raise Failure("no such action here: " + what)
        return "success"

    def restore(self, given):
        """The key itself, else the newest that begins as restore-keys says."""
        eq(set(given), CACHE_KEYS, "inputs of the cache")
        for key in reversed(self.project.cache):
            if key == given["key"] or key.startswith(given["restore-keys"]):
                shutil.copytree(self.project.cache[key], os.path.join(self.workspace, given["path"]))
                return

    def composite(self, given, outputs):
        action = parsed(read("action.yml"))
        eq(action["runs"]["using"], "composite", "kind of action")
        eq(set(given) - set(action["inputs"]), set(), "inputs that the action does not have")
        inputs = {k: str(v["default"]) for k, v in action["inputs"].items()}
        steps = self.steps(action["runs"]["steps"], dict(inputs, **given), self.project.action)
        for name, o in action["outputs"].items():
            m = re.fullmatch(r"\$\{\{ (.*) \}\}", o["value"])
            outputs[name] = Expression(m.group(1), self, {"steps": steps}).value()
        return "failure" if self.failed else "success"


def read(path):
    with open(os.path.join(ROOT, path)) as f:
        return f.read()


def parsed(text):
    if not yaml:
        raise Skip("python3-yaml is not installed")
    return yaml.safe_load(text)


def recipes():
    """The workflows in docs/COMPARE.md: the action's, and the one without it."""
    found = [parsed(x) for x in re.findall(r"^```yaml\n(.*?)^```", read("docs/COMPARE.md"), re.M | re.S)]
    eq(len(found), 2, "workflows in docs/COMPARE.md")
    for workflow in found:
        eq((set(workflow), list(workflow["jobs"])), ({True, "jobs"}, ["profile"]), "a workflow")  # `on` is true in YAML 1.1
        eq(set(workflow["jobs"]["profile"]), {"runs-on", "steps"}, "a job")
    return [w["jobs"]["profile"]["steps"] for w in found]


# ---- a project ----

APP = """#!/bin/sh
i=0
while [ $i -lt $1 ]; do
	echo line
	i=$((i + 1))
done
%s"""


class Project:
    def __init__(self, t):
        self.t, self.cache, self.runs = t, {}, 0
        self.folder = t.path("project")
        self.path = os.path.join(BUILD, "bin") + ":" + os.environ["PATH"]
        self.action = ROOT
        os.mkdir(self.folder)
        self.write("Makefile", "app: app.sh\n\tcp app.sh app\n\tchmod +x app\n")
        self.scenarios = {}
        self.scenario("small", {"write.calls": "<= 20", "calls": "+50%"})
        self.app()

    def next_run(self):
        self.runs += 1
        return self.runs

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as f:
            f.write(text)

    def app(self, more=""):
        self.write("app.sh", APP % more)

    def scenario(self, name, limits=None, lines=20):
        self.scenarios[name] = {"args": [str(lines)], "types": ["io"], **({"limits": limits} if limits else {})}
        self.write("profile-scenario.json", json.dumps({"target": {"binary": "./app"}, "scenarios": self.scenarios}, indent=1))

    def accept(self, job, name):
        """On somebody's machine, from the results of a job; the catalogue is part of the change."""
        r = self.t.run(["profile-scenario", "accept", name, "--output-dir", os.path.join(job.workspace, "results")],
                       env=dict(os.environ, PATH=self.path), cwd=self.folder, user=False)
        eq(r.status, 0, "accept: %s" % r)
        with open(os.path.join(self.folder, "profile-scenario.json")) as f:
            self.scenarios = json.load(f)["scenarios"]


PUSH = {"event": "push", "ref": "refs/heads/main"}


def ended(job, failed, *, shown=(), not_shown=(), said=()):
    text = "%s\n%s\nsummary: %s" % (job.ran, job.log[-3000:], job.summary[:2000])
    eq(job.failed, failed, "red: %s" % text)
    summary = job.summary.replace("\\", "")
    for what in shown:
        check(what in summary, "%r is not in the summary: %s" % (what, text))
    for what in not_shown:
        check(what not in summary, "%r is in the summary: %s" % (what, text))
    for what in said:
        check(what in job.log, "%r is not in the log: %s" % (what, text))
    return job


def life(t, once):
    """The cases, by once(project, failed, what is shown, push to the default branch?)."""
    p = Project(t)
    p.app("exit 3")
    once(p, True, {"shown": ["nothing was compared"]}, push=True)
    p.app()
    once(p, False, {"shown": ["nothing was compared"], "said": ["::warning::nothing was compared: all is new", "::notice::small io is new"]}, push=True)
    once(p, False, {"not_shown": ["FAIL", "nothing was compared"], "said": ["no regression"]})
    p.scenario("small", {"calls": "+10%"})
    p.app("echo 1; echo 2; echo 3; echo 4; echo 5; echo 6; echo 7; echo 8; echo 9; echo 10")
    once(p, True, {"shown": ["FAIL", "+10%"], "said": ["::error::small io calls: "]})
    p.scenario("small", {"write.calls": "<= 20", "calls": "+50%"})
    p.app("echo one more")
    red = once(p, True, {"shown": ["FAIL", "write.calls"], "said": ["::error::small io write.calls: 20 -> 21, REGRESSION: limit"]})
    p.accept(red, "small")
    eq(p.scenarios["small"]["limits"], {"write.calls": "<= 21", "calls": "+50%"}, "accepted")
    once(p, False, {"shown": ["write.calls"], "not_shown": ["REGRESSION"]})
    p.scenario("other", {"write.calls": "<= 6", "calls": "+50%"}, lines=5)
    once(p, False, {"shown": ["other io"], "said": ["::notice::other io is new"]})
    p.scenario("other", {"write.calls": "<= 5"}, lines=5)
    once(p, True, {"shown": ["FAIL", "write.calls"], "said": ["::error::other io write.calls: not measured -> 6"]})
    p.scenario("other", {"write.calls": "<= 6", "peak_heap": "<= 1GiB"}, lines=5)  # of a type that is not run here
    once(p, False, {}, push=True)
    once(p, False, {"not_shown": ["only the new side"], "said": ["no regression"]})
    p.write("Makefile", "app:\n\tfalse\n")
    job = once(p, True, {})
    check("profile-scenario" not in job.log, "a build that fails is red by itself: " + job.log)


@test(timeout=200)
def five_lines(t):
    steps = recipes()[0]

    def once(p, failed, want, push=False):
        job = Job(t, p, **(PUSH if push else {}))
        job.steps(steps)
        return ended(job, failed, **want)
    life(t, once)


@test(timeout=200)
def without_the_action(t):
    """Something else keeps the baseline: here, what a push has measured when it was green."""
    steps = recipes()[1]

    def once(p, failed, want, push=False):
        job = Job(t, p, **(PUSH if push else {}))
        job.steps(steps)
        ended(job, failed, **want)
        if push and not failed:
            r = t.run(["profile-scenario", "baseline", "save", "main", "--force"], env=dict(os.environ, PATH=p.path), cwd=job.workspace,
                      user=False)
            eq(r.status, 0, str(r))
            kept = os.path.join(p.folder, "results/baselines")
            shutil.rmtree(kept, ignore_errors=True)
            shutil.copytree(os.path.join(job.workspace, "results/baselines"), kept)
        return job
    life(t, once)


def used(t, p, inputs=None, **event):
    job = Job(t, p, **event)
    steps = job.steps([{"uses": "actions/checkout@v4"}, {"run": "make"},
                       {"uses": "OWNER/iotrace@main", "id": "action", "with": inputs or {}}])
    job.status = steps["action"]["outputs"]["status"]
    return job


@test(timeout=200)
def inputs_of_the_action(t):
    p = Project(t)
    p.scenario("small")
    p.scenario("other", lines=3)
    ended(used(t, p, **PUSH), False, shown=["nothing was compared"])
    eq(len(p.cache), 1, "accepted")
    p.app("echo one more")
    job = ended(used(t, p), True, shown=["FAIL"],
                said=["::error::small io write.calls: 20 -> 21", "::error::other io write.calls: 3 -> 4"])
    eq(job.status, "1", "output")
    p.scenario("small", {"write.calls": "<= 20"})
    job = ended(used(t, p, {"fail-on": "nothing"}), False, shown=["FAIL"], said=["::warning::small io write.calls: 20 -> 21"])
    eq(job.status, "0", "output")
    job = ended(used(t, p, {"scenario": "other"}), False, shown=["nothing was compared"])
    check("small" not in job.log, "only the one: " + job.log)
    eq(len(p.cache), 1, "a pull request accepts nothing")
    p.scenario("small")
    for event in ({"event": "pull_request_target", "ref": "refs/heads/main"}, {"event": "push", "ref": "refs/heads/other"}):
        ended(used(t, p, **event), True)
        eq(len(p.cache), 1, "nor does %s" % event)
    ended(used(t, p, {"accept": "true"}), False, shown=["FAIL"])
    eq(len(p.cache), 2, "accepted by a person")
    job = ended(used(t, p), False, not_shown=["FAIL"])
    shutil.copytree(os.path.join(job.workspace, "results/baselines/accepted"), os.path.join(p.folder, "of the repository"))
    p.app("echo one more; echo two more")
    ended(used(t, p, {"baseline": "of the repository", "runs": "4"}), True, shown=["FAIL", "3 and 4 runs"],
          said=["::error::small io write.calls: 21 -> 22"])


@test(timeout=200)
def a_baseline_of_its_own(t):
    """Not that of a scenario whose name goes on, of another type, another catalogue or another value of a matrix."""
    p = Project(t)
    p.scenario("small")
    p.scenario("small-x", lines=3)
    own = {"scenario": "small"}
    others = [{"scenario": "small-x"}, {"scenario": "small", "type": "all"}, {"scenario": "small", "key": "clang"}]
    ended(used(t, p, own, **PUSH), False)
    for other in others:
        ended(used(t, p, other, **PUSH), False, shown=["nothing was compared"])
    eq(len(set(p.cache)), 4, "baselines")
    p.app("echo one more")
    for inputs in (own, *others):
        ended(used(t, p, inputs), True, shown=["FAIL"], said=["::error::%s io write.calls: " % inputs["scenario"]])


@test(timeout=100)
def the_action_fails_where_it_should(t):
    p = Project(t)
    ended(used(t, p, {"config": "none.json"}), True, said=["none.json"])
    ended(used(t, p, {"scenario": "$(touch pwned)"}), True)
    check(not os.path.exists(os.path.join(t.path("workspace-2"), "pwned")), "an input is run as a command")
    ended(used(t, p, {"baseline": "no folder"}), True, said=["::error::baseline: there is no folder no folder"])
    p.app("exit 3")
    ended(used(t, p, **PUSH), True)
    eq(p.cache, {}, "what failed is not accepted")


@test
def the_action_builds_what_is_not_there(t):
    """With a tree of its own whose make is quick; make itself is tested elsewhere."""
    p = Project(t)
    p.action = t.path("action")
    os.mkdir(p.action)
    with open(os.path.join(p.action, "Makefile"), "w") as f:
        f.write("all:\n\ttest -z '$(CI)'\n\tmkdir -p '$(O)'\n\tln -s '%s/bin' '$(O)/bin'\n" % BUILD)
    bare = t.path("bin")
    os.mkdir(bare)
    for program in ("bash", "sh", "make", "cp", "chmod", "mkdir", "ln", "nproc", "touch"):
        os.symlink(shutil.which(program), os.path.join(bare, program))
    p.path = bare
    ended(used(t, p, **PUSH), False, shown=["nothing was compared"])


# ---- GitLab ----

def rule(job, variables):
    """The variables of the first rule that holds; None: no job."""
    for r in job["rules"]:
        eq(set(r), {"if", "variables"}, "a rule")
        m = re.fullmatch(r'\$(\w+) == (?:\$(\w+)|"(\w+)")', r["if"])
        check(m, "a condition that this does not know: " + r["if"])
        if variables.get(m.group(1)) == (m.group(3) or variables.get(m.group(2))):
            return r["variables"]
    return None


@test(timeout=200)
def gitlab(t):
    text = parsed(read("docs/examples/gitlab-ci.yml"))
    eq(list(text), ["profile"], "jobs")
    spec = text["profile"]
    eq(set(spec), {"image", "rules", "cache", "script", "artifacts"}, "keys of the job")
    eq((spec["cache"]["paths"], spec["cache"]["policy"], spec["artifacts"]["when"]), (["results/baselines"], "$POLICY", "always"),
       "cache and artifacts")
    eq(rule(spec, {"CI_COMMIT_BRANCH": "other", "CI_DEFAULT_BRANCH": "main"}), None, "of another branch")

    def once(p, failed, want, push=False):
        variables = {"CI_DEFAULT_BRANCH": "main", **({"CI_COMMIT_BRANCH": "main"} if push else
                                                     {"CI_PIPELINE_SOURCE": "merge_request_event"})}
        variables.update(rule(spec, variables))
        check(variables["POLICY"] in ("pull", "pull-push"), "policy")
        job = Job(t, p)
        kept = os.path.join(job.workspace, "results/baselines")
        if "baseline" in p.cache:
            shutil.copytree(p.cache["baseline"], kept)
        job.env.update(variables)
        # A job's lines are one script, which ends at the first that fails.
        job.failed = job.run("\n".join(spec["script"]), "bash", {}, {}, None) == "failure"
        path = os.path.join(job.workspace, "results/compare.md")
        if os.path.exists(path):
            with open(path) as f:
                job.summary = f.read()
        ended(job, failed, **dict(want, said=[x for x in want.get("said", []) if not x.startswith("::")]))
        if not job.failed and variables["POLICY"] == "pull-push":
            p.cache["baseline"] = t.path("cache-%d" % job.number)
            shutil.copytree(kept, p.cache["baseline"])
        return job
    life(t, once)


# ---- what reads all that ----

@test
def expressions(t):
    job = Job(t, Project(t))
    contexts = {"inputs": {"a": "x", "b-c": ""}, "steps": {"s": {"outputs": Outputs(y="1"), "outcome": "skipped"}}}

    def value(text):
        return Expression(text, job, contexts).value()
    for text, want in (("inputs.a == 'x' && inputs.b-c == ''", True), ("steps.s.outputs.none == ''", True),
                       ("!(steps.s.outputs.y == '1') || failure()", False), ("always() && steps.s.outcome != 'skipped'", False),
                       ("inputs.b-c || 'it''s'", "it's"), ("success()", True)):
        eq(value(text), want, text)
    said = re.search(r"`accept: \$\{\{(.*?)\}\}`", read("docs/COMPARE.md"), re.S).group(1)
    for labels, want in ((["x", "profile-accepted"], True), (["x"], "auto"), ([], "auto")):
        contexts["github"] = {"event": {"pull_request": {"labels": [{"name": x} for x in labels]}}}
        eq(value(said), want, "who is labelled %s" % labels)
    for text in ("inputs.none", "cancelled()", "inputs.a == 'x' inputs.a", "1 + 1", "secrets.x", "steps.t.outcome"):
        try:
            got = value(text)
        except Failure:
            continue
        raise Failure("%s was taken for %r" % (text, got))
    job.failed = True
    eq((value("success()"), value("failure()"), value("always()")), (False, True, True), "after a failure")


if __name__ == "__main__":
    main()
