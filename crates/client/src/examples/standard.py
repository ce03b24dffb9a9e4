#!/usr/bin/env python3
"""First API call with a Standard key of Cortex. Python 3.8 or later, and nothing else."""
# The key comes from your secret store as CORTEXKEY_API_KEY, never from a file like this.

import os
import sys
import urllib.error
import urllib.request

API_URL = os.environ["CORTEXKEY_API_URL"]
KEY_ID = os.environ["CORTEXKEY_API_KEY_ID"]
KEY = os.environ["CORTEXKEY_API_KEY"]


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """The key is not carried to another host."""

    def redirect_request(self, *_args):
        return None


def call(path, body=b"{}"):
    headers = {
        "x-xdr-auth-id": KEY_ID,
        "Authorization": KEY,
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(API_URL + path, data=body, headers=headers)
    with urllib.request.build_opener(NoRedirect).open(request, timeout=60) as answer:
        return answer.read().decode()


try:
    print(call("/api_keys/validate/"))
except urllib.error.HTTPError as error:
    sys.exit(f"HTTP {error.code}: {error.read().decode(errors='replace')}")
