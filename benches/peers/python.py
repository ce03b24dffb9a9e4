"""What the vendor's guide has a Python script do: all four headers as text.

Prints a line of JSON with nanoseconds a signature, a figure a round.
"""

import hashlib
import json
import platform
import secrets
import string
import time
from datetime import datetime, timezone

KEY = (
    "DCdIeow0xm73EwnxjPza1tdHTfZQv2eH7bTKlTPkgBHLj8aSjFzjgTE9bQUK1Did"
    "lWLrnYRhaYQ4PCIyNrNJbMUC6DOWi8ANIn1JWpMTE2neGvoDIRsKUbj6pJ1z7Gmr"
)
ALPHABET = string.ascii_letters + string.digits


def sign(key_id, key):
    """The steps of the guide, in its order: a choice a character, whole seconds, one format."""
    nonce = "".join(secrets.choice(ALPHABET) for _ in range(64))
    timestamp = int(datetime.now(timezone.utc).timestamp()) * 1000
    digest = hashlib.sha256(f"{key}{nonce}{timestamp}".encode("utf-8")).hexdigest()
    return {
        "x-xdr-timestamp": str(timestamp),
        "x-xdr-nonce": nonce,
        "x-xdr-auth-id": str(key_id),
        "Authorization": digest,
    }


def main():
    """Measures, and prints."""
    figures = []
    for _ in range(21):
        start = time.perf_counter_ns()
        for _ in range(500):
            sign(7, KEY)
        figures.append((time.perf_counter_ns() - start) / 500)
    name = "Python: as in the vendor's guide (secrets.choice, hashlib)"
    print(json.dumps({"name": name, "version": platform.python_version(), "ns": figures}))


main()
