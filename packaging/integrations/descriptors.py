"""Runs what MegaLinter and trunk would run, according to their descriptors, in the current folder.

usage: descriptors.py PACKAGING SCRATCH
"""

import json
import pathlib
import shlex
import subprocess
import sys

import yaml

# What MegaLinter demands of a plugin: its folder and name, some of the fields, and those of a linter.
FOLDER, SUFFIX = "mega-linter-plugin-", ".megalinter-descriptor.yml"
DESCRIPTOR = {"descriptor_id", "descriptor_type", "file_extensions", "active_only_if_file_found", "linters"}
REQUIRED = {"linter_name", "linter_url", "examples"}
KNOWN = REQUIRED | {
    "linter_repo", "linter_text", "cli_lint_mode", "cli_lint_extra_args", "cli_lint_fix_arg_name", "can_output_sarif",
    "cli_sarif_args", "cli_version_arg_name", "install",
}

# The finding of the bad definition.
RULE = "L001"


def results(path_or_text):
    log = json.loads(path_or_text)
    assert log["version"] == "2.1.0", log["version"]
    return [result["ruleId"] for result in log["runs"][0]["results"]]


def megalinter(descriptor, scratch):
    assert set(descriptor) == DESCRIPTOR, set(descriptor)
    (linter,) = descriptor["linters"]
    assert REQUIRED <= set(linter) <= KNOWN, set(linter)
    assert linter["cli_lint_mode"] == "project", linter
    # It runs nothing else when it installs a plugin.
    assert list(linter["install"]) == ["dockerfile"], linter
    assert all(line.startswith("RUN ") for line in linter["install"]["dockerfile"]), linter
    report = scratch / "megalinter.sarif"
    report.unlink(missing_ok=True)
    sarif = [arg.replace("{{SARIF_OUTPUT_FILE}}", str(report)) for arg in linter["cli_sarif_args"]]
    command = [linter["linter_name"], *linter["cli_lint_extra_args"], *sarif]
    run = subprocess.run(command, capture_output=True, text=True)
    assert run.returncode == 1, run
    assert results(report.read_text()) == [RULE], run
    version = subprocess.run([linter["linter_name"], linter["cli_version_arg_name"]], capture_output=True)
    assert version.returncode == 0, version
    print("ok  MegaLinter's command")


def trunk(plugin):
    (linter,) = plugin["lint"]["definitions"]
    (command,) = linter["commands"]
    target = "keys/svc-good.yaml keys/svc-bad.yaml"
    run = subprocess.run(shlex.split(command["run"].replace("${target}", target)), capture_output=True, text=True)
    assert run.returncode in command["success_codes"] and run.returncode == 1, run
    assert results(run.stdout) == [RULE], run
    print("ok  trunk's command")


packaging, scratch = map(pathlib.Path, sys.argv[1:])
(descriptor,) = packaging.glob(f"{FOLDER}*/*{SUFFIX}")
megalinter(yaml.safe_load(descriptor.read_text()), scratch)
trunk(yaml.safe_load((packaging / "trunk/plugin.yaml").read_text()))
