"""When a key expires, in the protocol of Terraform's external data source.

Terraform writes the query as JSON to standard input, and reads an object of strings from standard output. The
tenant and the key that asks are those of the environment or a profile, as for every command.
"""

import datetime
import json
import subprocess
import sys

# A key without an expiry is valid for longer than any plan requires.
NEVER = ("never", 10_000)


def main() -> None:
    key_id = int(json.load(sys.stdin)["key_id"])
    command = ["cortexkey", "keys", "show", str(key_id), "--format", "json"]
    # Errors go to standard error, which Terraform shows; a failed command fails the plan.
    shown = subprocess.run(command, check=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
    key = json.loads(shown.stdout)["key"]
    expires, days = NEVER
    if key["expiration"] is not None:
        now = datetime.datetime.now(datetime.timezone.utc)
        end = datetime.datetime.fromtimestamp(key["expiration"] / 1000, datetime.timezone.utc)
        expires, days = end.date().isoformat(), (end - now).days
    result = {"id": str(key_id), "state": key["state"], "expires": expires, "days_left": str(days)}
    json.dump(result, sys.stdout)


if __name__ == "__main__":
    try:
        main()
    except subprocess.CalledProcessError as error:
        sys.exit(f"cortexkey ended with exit code {error.returncode}")
