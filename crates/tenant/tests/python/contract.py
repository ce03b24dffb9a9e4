"""Checks the emulator against the vendor's description of the interface, with schemathesis.

The description is data that is read where it is, and no part of the repository. Usage:
contract.py PATH-OF-CORTEXKEY FOLDER-OF-THE-DESCRIPTION
"""

import json
import pathlib
import subprocess
import sys

# The description's files.
FILES = ["iam.json", "notifications.json", "platform.json"]
# They delete and edit keys, those of the run as well.
LEFT_OUT = ["editAPIKey", "post-public_api-v1-api_keys-delete"]
# What cannot hold, since the description contradicts itself or leaves it out; docs/tenant-calls.md has them in
# the table "Contradictions in the description".
STATUS, TYPE = "status_code_conformance", "content_type_conformance"
SCHEMA = "response_schema_conformance"
EXCEPT = {
    # Lists in the schema, and another form in the example or in clients.
    "post-public_api-v1-rbac-get_roles": [SCHEMA],
    "post-public_api-v1-asset-groups-get": [SCHEMA],
    "post-public_api-v1-asset-groups-create": [SCHEMA],
    "post-public_api-v1-asset-groups-update-by-id": [SCHEMA],
    "post-public_api-v1-asset-groups-delete-by-id": [SCHEMA],
    # No status but 200.
    "post-public_api-v1-api_keys-get_api_keys": [STATUS],
    "post-public_api-v1-api_keys-generate": [STATUS],
    # A body of `null` with status 204, which has no body.
    "deleteRule": [SCHEMA, TYPE],
    "updateRuleStatus": [SCHEMA, TYPE],
}


def operations(path):
    paths = json.loads(path.read_text(encoding="utf-8"))["paths"]
    calls = [call for item in paths.values() for call in item.values() if isinstance(call, dict)]
    return [call["operationId"] for call in calls if "operationId" in call]


def run(url, key, path, checks, chosen):
    command = [sys.executable, "-m", "schemathesis.cli", "run", str(path), "--url", url]
    command += ["--checks", ",".join(checks), "--max-examples", "50", "--seed", "1", "--workers", "2"]
    command += ["--phases", "examples,fuzzing", "--suppress-health-check", "all"]
    command += ["--generation-database", "none", "--no-color", "--continue-on-failure"]
    command += ["-H", "x-xdr-auth-id: " + str(key["id"]), "-H", "Authorization: " + key["key"]]
    for option, names in chosen:
        for name in names:
            command += [option, name]
    return subprocess.run(command, check=False).returncode


def main():
    binary, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    command = [binary, "tenant", "--quiet", "--max-keys", "100000"]
    tenant = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    failed = []
    try:
        ready = json.loads(tenant.stdout.readline())
        key = ready["keys"]["standard"]
        for name in FILES:
            path = folder / name
            ids = operations(path)
            known = [each for each in ids if each in EXCEPT]
            out = [each for each in ids if each in LEFT_OUT] + known
            checks = [STATUS, TYPE, SCHEMA]
            if run(ready["url"], key, path, checks, [("--exclude-operation-id", out)]):
                failed.append(name)
            for each in known:
                rest = [check for check in checks if check not in EXCEPT[each]]
                if run(ready["url"], key, path, rest, [("--include-operation-id", [each])]):
                    failed.append(each)
    finally:
        tenant.terminate()
        tenant.wait(timeout=10)
    assert not failed, "the emulator differs from the description: " + "; ".join(failed)


main()
