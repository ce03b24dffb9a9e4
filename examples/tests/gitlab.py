"""Runs the GitLab job in a repository with a bad change: gitlab.py JOB CORPUS WHEELS"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import yaml


def main() -> None:
    job = yaml.safe_load(pathlib.Path(sys.argv[1]).read_text())["key-definitions"]
    with tempfile.TemporaryDirectory() as folder:
        work = pathlib.Path(folder) / "work"
        shutil.copytree(sys.argv[2], work)
        environment = {**os.environ, **job["variables"], "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": sys.argv[3]}

        def git(*arguments: str) -> str:
            identity = ["-c", "user.name=example", "-c", "user.email=example@example.com"]
            return subprocess.run(
                ["git", *identity, *arguments], cwd=work, check=True, capture_output=True, text=True
            ).stdout.strip()

        def run(key: str) -> int:
            script = "set -eu\n" + "\n".join(job[key])
            return subprocess.run(["sh", "-c", script], cwd=work, env=environment, check=False).returncode

        git("init", "--quiet")
        (work / ".gitignore").write_text("venv\ngl-code-quality-report.json\n")
        git("add", "--all")
        git("commit", "--quiet", "--message", "Begin")
        environment["CI_MERGE_REQUEST_DIFF_BASE_SHA"] = git("rev-parse", "HEAD")
        assert run("before_script") == 0
        assert run("script") == 0
        report = work / job["artifacts"]["reports"]["codequality"]
        known = len(json.loads(report.read_text()))
        (work / "keys/broken.yaml").write_text("kind: [\n")
        assert run("script") == 1
        assert len(json.loads(report.read_text())) > known


if __name__ == "__main__":
    main()
