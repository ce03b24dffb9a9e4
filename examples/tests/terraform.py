"""Asks the data source as Terraform does: terraform.py FOLDER CORTEXKEY [TERRAFORM]

With a `terraform` program the whole example is planned and applied, with the provider that
TF_CLI_CONFIG_FILE names; without, only the protocol is spoken.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile


def main() -> None:
    folder, cortexkey = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    tenant = subprocess.Popen([cortexkey, "tenant", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        ready = json.loads(tenant.stdout.readline())
        key = ready["keys"]["advanced"]
        environment = dict(os.environ)
        environment |= {
            "PATH": f"{cortexkey.parent}:{os.environ['PATH']}",
            "CORTEXKEY_FQDN": ready["url"],
            "CORTEXKEY_API_KEY_TYPE": "advanced",
            "CORTEXKEY_API_KEY_ID": str(key["id"]),
            "CORTEXKEY_API_KEY": key["key"],
        }
        with tempfile.TemporaryDirectory() as scratch:
            secret = pathlib.Path(scratch) / "new.key"
            generate = [cortexkey, "keys", "generate", "--role", "Viewer", "--security-level", "advanced"]
            generate += ["--lifetime", "20d", "--sink-file", secret, "--json"]
            made = subprocess.run(generate, env=environment, check=True, stdout=subprocess.PIPE)
            new = json.loads(made.stdout)["id"]
            protocol(folder, environment, new)
            if len(sys.argv) > 3:
                plan(folder, environment, new, sys.argv[3], pathlib.Path(scratch))
    finally:
        tenant.terminate()
        tenant.wait()


def protocol(folder: pathlib.Path, environment: dict, new: int) -> None:
    def ask(key_id: int) -> subprocess.CompletedProcess:
        program = [sys.executable, folder / "key_expiry.py"]
        query = json.dumps({"key_id": str(key_id)})
        return subprocess.run(program, input=query, text=True, env=environment, capture_output=True, check=False)

    result = json.loads(ask(new).stdout)
    assert all(isinstance(value, str) for value in result.values()), result
    assert result["id"] == str(new) and result["days_left"] in ("19", "20"), result
    assert json.loads(ask(int(environment["CORTEXKEY_API_KEY_ID"])).stdout)["expires"] == "never"
    assert ask(99).returncode != 0


def plan(folder: pathlib.Path, environment: dict, new: int, terraform: str, scratch: pathlib.Path) -> None:
    work = scratch / "terraform"
    shutil.copytree(folder, work)
    environment["CHECKPOINT_DISABLE"] = "1"

    def run(*arguments: str) -> subprocess.CompletedProcess:
        command = [terraform, f"-chdir={work}", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    assert (checked := run("fmt", "-check")).returncode == 0, checked.stdout
    for arguments in (["init", "-input=false"], ["validate"]):
        assert (ran := run(*arguments)).returncode == 0, ran.stderr
    enough = run("plan", "-input=false", "-no-color", f"-var=key_id={new}")
    assert enough.returncode == 0 and "Check block assertion failed" not in enough.stdout, enough
    short = run("plan", "-input=false", "-no-color", f"-var=key_id={new}", "-var=days_at_least=30")
    assert "Check block assertion failed" in short.stdout + short.stderr, short


if __name__ == "__main__":
    main()
