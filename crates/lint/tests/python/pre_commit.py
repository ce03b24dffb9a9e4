"""Real pre-commit runs each hook in a fresh repository: what it stops, and what it lets pass.

usage: pre_commit.py ROOT BINARY WHEELS HOOK…

It writes only to temporary folders, and uses the network only for what pip needs to install the
wheel.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

ROOT, BINARY, WHEELS = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])
HOOKS = sys.argv[4:]

POLICY = """apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: ["keys/**/*.yaml"]
"""

CHART = """apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "chart.fullname" . }}
{{- if .Values.enabled }}
data: {}
{{- end }}
"""


def key(name, level="advanced"):
    return f"""apiVersion: cortexkey/v1
kind: ApiKey
metadata: {{ name: {name}, owner: team-{name} }}
spec:
  securityLevel: {level}
  comment: Exports incidents to the SIEM
  lifetime: 90d
  roles: [Viewer]
  scope:
    assets: {{ mode: none }}
    casesAndIssues: {{ mode: none }}
    endpoints: {{ mode: none }}
"""


class Repository:
    """A fresh git repository with one hook of pre-commit in it."""

    def __init__(self, folder, env, source, hook, rev):
        self.folder, self.env = pathlib.Path(folder), env
        self.git("init", "--quiet", "--initial-branch", "main")
        self.write(
            ".pre-commit-config.yaml",
            f"repos:\n  - repo: {source}\n    rev: {rev}\n    hooks:\n      - id: {hook}\n",
        )
        self.write("cortexkey.yaml", POLICY)
        self.write("keys/svc-first.yaml", key("svc-first"))
        self.git("add", "--all")
        subprocess.run(
            [sys.executable, "-m", "pre_commit", "install", "--install-hooks"],
            cwd=folder, env=env, check=True, stdout=subprocess.DEVNULL,
        )
        self.commit("first", passes=True)

    def git(self, *args, check=True):
        command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *args]
        return subprocess.run(
            command, cwd=self.folder, env=self.env, check=check, text=True, capture_output=True
        )

    def write(self, path, text):
        target = self.folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)

    def commit(self, words, passes, says=""):
        """Commits all that has changed, and says whether the hook let it through."""
        self.git("add", "--all")
        done = self.git("commit", "--message", words, check=False)
        said = done.stdout + done.stderr
        assert (done.returncode == 0) == passes, f"{words}: {done.returncode}\n{said}"
        assert says in said, f"{words}: {says!r} is not in\n{said}"
        if not passes:
            self.git("reset", "--quiet", "--hard")
            self.git("clean", "--quiet", "-fd")


def story(repository):
    """What every hook has to stop and to let pass."""
    repository.write("keys/svc-good.yaml", key("svc-good"))
    repository.commit("a good key", passes=True)
    repository.write("keys/svc-bad.yaml", key("svc-bad", level="standard"))
    repository.commit("a bad key", passes=False, says="L001 level-standard-forbidden")
    repository.write("keys/svc-broken.yaml", "spec: [\n")
    repository.commit("a key that is no YAML", passes=False, says="Y001 yaml-syntax")
    repository.write("chart/templates/config.yaml", CHART)
    repository.commit("a chart with templates", passes=True)
    repository.write("chart/templates/config.yaml", CHART + "# changed\n")
    repository.write("keys/svc-good.yaml", key("svc-good").replace("90d", "30d"))
    repository.commit("a chart and a good key", passes=True)
    # The other one lies in a file that this commit does not touch.
    repository.write("keys/more/svc-first.yaml", key("SVC-first"))
    repository.commit("a name that is taken", passes=False, says="C001 duplicate-name")
    # A policy among the files means all of the corpus.
    repository.write("cortexkey.yaml", POLICY + "rules: { role-forbidden: { roles: [Viewer] } }\n")
    repository.commit("a stricter policy", passes=False, says="R002 role-forbidden")
    repository.write("cortexkey.yaml", POLICY + "rules: { role-forbiden: {} }\n")
    repository.commit("a policy with a mistake", passes=False, says="P006 policy-unknown-rule")
    repository.write("README.md", "# nothing of ours\n")
    repository.commit("no YAML at all", passes=True)
    links_and_names(repository)


def links_and_names(repository):
    """Files that a hook for YAML files alone would not see."""
    # A definition outside the corpus, which a link brings into it.
    outside = "schema-outside-corpus: { severity: warning }"
    repository.write("cortexkey.yaml",
                     POLICY.replace("**/*.yaml", "**/*") + f"rules: {{ {outside} }}\n")
    repository.write("shared/svc-link.yaml", key("svc-link", level="standard"))
    repository.commit("definitions of any name", passes=True)
    (repository.folder / "keys/svc-link.yaml").symlink_to("../shared/svc-link.yaml")
    repository.commit("a link to a bad key", passes=False, says="L001 level-standard-forbidden")
    (repository.folder / "keys/svc-out.yaml").symlink_to("/proc/self/environ")
    repository.commit("a link that leads out", passes=False, says="leads out of the repository")
    repository.write("keys/svc-json.json", json.dumps({
        "apiVersion": "cortexkey/v1", "kind": "ApiKey",
        "metadata": {"name": "svc-json", "owner": "team-json"}, "spec": {"securityLevel": "standard"},
    }))
    repository.commit("a bad key in JSON", passes=False, says="L001 level-standard-forbidden")
    # What a deletion leaves behind is looked at, and nothing else is in this commit.
    repository.write("cortexkey.yaml", POLICY + "waivers: [{ rule: L002, key: svc-good, reason: r, "
                     "approvedBy: a, expires: 2099-01-31 }]\nrules: { waiver-too-long: { enabled: false }, "
                     f"waiver-unused: {{ enabled: false }}, {outside} }}\n")
    repository.commit("a waiver", passes=True)
    (repository.folder / "keys/svc-good.yaml").unlink()
    repository.commit("a deletion alone", passes=False, says="P009 waiver-incomplete")
    # A name is not an option.
    repository.write("lax.yaml", POLICY.replace("recommended", "minimal"))
    repository.write("--policy=lax.yaml", "")
    repository.write("keys/svc-bad.yaml", key("svc-bad", level="standard"))
    repository.commit("a file named as an option", passes=False, says="L001 level-standard-forbidden")


def one_among_a_thousand(repository):
    for number in range(1000):
        name = f"svc-many-{number}"
        repository.write(f"keys/many/{name}.yaml", key(name))
    repository.commit("a thousand keys", passes=True)
    repository.write("keys/many/svc-many-500.yaml", key("svc-many-500").replace("[Viewer]", "[Viewr]"))
    repository.commit("one of them", passes=False, says="R001 role-unknown")


def clone(folder, source):
    """The repository of hooks: what is there now, committed."""
    target = pathlib.Path(folder) / "hooks"
    shutil.copytree(source, target, symlinks=True, ignore=shutil.ignore_patterns("target", ".git"))
    for args in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "hooks"]):
        subprocess.run(
            ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *args],
            cwd=target, check=True,
        )
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=target, check=True, text=True, capture_output=True
    )
    return target, head.stdout.strip()


def main():
    mirror = ROOT / "packaging/pre-commit-mirror"
    with tempfile.TemporaryDirectory() as folder:
        env = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        env["PRE_COMMIT_HOME"] = f"{folder}/home"
        env["PATH"] = f"{BINARY.parent}{os.pathsep}{env['PATH']}"
        env["PIP_FIND_LINKS"] = str(WHEELS)
        # The hook that builds from the sources uses what this build has already.
        env["CORTEXKEY_HOOK_PROFILE"] = "dev"
        for hook in HOOKS:
            source = mirror if hook == "cortexkey" else ROOT
            with tempfile.TemporaryDirectory() as place:
                source, rev = clone(place, source)
                if hook == "cortexkey-cargo":
                    env["CARGO_TARGET_DIR"] = str(BINARY.parent.parent)
                inside = pathlib.Path(place) / "repository"
                inside.mkdir()
                repository = Repository(inside, env, source, hook, rev)
                story(repository)
                if hook == "cortexkey-system":
                    one_among_a_thousand(repository)
            print(f"ok  {hook}")


main()
