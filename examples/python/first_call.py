"""Asks a tenant whether a key is good: python first_call.py URL

The key comes from CORTEXKEY_API_KEY and CORTEXKEY_API_KEY_ID, never from an argument.
"""

import os
import sys
import urllib.error
import urllib.request

from cortexkey import ADVANCED, Signer


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: another host must not get the headers."""

    def redirect_request(self, *_: object) -> None:
        return None


def main() -> int:
    signer = Signer(int(os.environ["CORTEXKEY_API_KEY_ID"]), ADVANCED, os.environ["CORTEXKEY_API_KEY"])
    headers = {"Content-Type": "application/json", **signer.headers()}
    request = urllib.request.Request(sys.argv[1], data=b"{}", headers=headers, method="POST")
    try:
        with urllib.request.build_opener(NoRedirect).open(request, timeout=30) as answer:
            print(answer.status, answer.read(1 << 20).decode())
            return 0
    except urllib.error.HTTPError as error:
        print(error.status, error.read(1 << 20).decode())
        return 1


if __name__ == "__main__":
    sys.exit(main())
