"""Checks a key with a call to its tenant: python first_call.py https://api-TENANT

The key comes from CORTEXKEY_API_KEY, CORTEXKEY_API_KEY_ID and CORTEXKEY_API_KEY_TYPE, never from an argument.
"""

import sys

import requests
from cortexkey import Signer
from cortexkey.requests import CortexAuth


def main() -> int:
    tenant = sys.argv[1]
    auth = CortexAuth(Signer.from_env(), tenant)
    answer = requests.post(f"{tenant}/api_keys/validate/", json={}, auth=auth, timeout=30)
    print(answer.status_code, answer.text)
    return 0 if answer.ok else 1


if __name__ == "__main__":
    sys.exit(main())
