#!/usr/bin/env python3
"""First API call with an Advanced key of Cortex. Python 3.8 or later, and nothing else."""
# The key comes from your secret store as CORTEXKEY_API_KEY, never from a file like this.

import hashlib
import os
import secrets
import string
import sys
import time
import urllib.error
import urllib.request

API_URL = os.environ["CORTEXKEY_API_URL"]
KEY_ID = os.environ["CORTEXKEY_API_KEY_ID"]
KEY = os.environ["CORTEXKEY_API_KEY"]
ALPHABET = string.ascii_letters + string.digits


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Signed headers are not carried to another host."""

    def redirect_request(self, *_args):
        return None


def headers():
    """Headers for one attempt: each request is accepted once."""
    nonce = "".join(secrets.choice(ALPHABET) for _ in range(64))
    timestamp_ms = str(time.time_ns() // 1_000_000)
    digest = hashlib.sha256((KEY + nonce + timestamp_ms).encode("ascii")).hexdigest()
    return {
        "x-xdr-auth-id": KEY_ID,
        "x-xdr-nonce": nonce,
        "x-xdr-timestamp": timestamp_ms,
        "Authorization": digest,
        "Content-Type": "application/json",
    }


def call(path, body=b"{}"):
    request = urllib.request.Request(API_URL + path, data=body, headers=headers())
    with urllib.request.build_opener(NoRedirect).open(request, timeout=60) as answer:
        return answer.read().decode()


try:
    print(call("/api_keys/validate/"))
except urllib.error.HTTPError as error:
    sys.exit(f"HTTP {error.code}: {error.read().decode(errors='replace')}")
