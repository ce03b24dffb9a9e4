"""Calls the tenant as the vendor's guide does it in Python: `requests`, `hashlib`, `secrets`.

An independent oracle: it shares no code with the crates. It stops at the first unexpected
result. Usage: client.py PATH-OF-CORTEXKEY
"""

import hashlib
import json
import secrets
import string
import subprocess
import sys
import time

import requests

ALPHABET = string.ascii_letters + string.digits


def standard_headers(key):
    return {"x-xdr-auth-id": str(key["id"]), "Authorization": key["key"]}


def advanced_headers(key):
    nonce = "".join(secrets.choice(ALPHABET) for _ in range(64))
    # The guide takes whole seconds, so the number always ends in 000.
    timestamp = str(int(time.time()) * 1000)
    digest = hashlib.sha256((key["key"] + nonce + timestamp).encode("utf-8")).hexdigest()
    return {
        "x-xdr-timestamp": timestamp,
        "x-xdr-nonce": nonce,
        "x-xdr-auth-id": str(key["id"]),
        "Authorization": digest,
    }


def check(what, answer, status):
    assert answer.status_code == status, f"{what}: {answer.status_code} {answer.text}"
    print(f"{what}: {answer.status_code}")


def main():
    tenant = subprocess.Popen([sys.argv[1], "tenant", "--quiet"], stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(tenant.stdout.readline())
        url = ready["url"] + "/api_keys/validate/"
        standard, advanced = ready["keys"]["standard"], ready["keys"]["advanced"]

        check("standard", requests.post(url, headers=standard_headers(standard), json={}), 200)
        headers = advanced_headers(advanced)
        check("advanced", requests.post(url, headers=headers, json={}), 200)
        check("the same again", requests.post(url, headers=headers, json={}), 401)
        check("advanced, by GET", requests.get(url, headers=advanced_headers(advanced)), 200)
        sent_as_it_is = standard_headers(advanced)
        check("an Advanced key as it is", requests.post(url, headers=sent_as_it_is, json={}), 401)
        signed = advanced_headers(standard)
        check("a Standard key, signed", requests.post(url, headers=signed, json={}), 401)

        listed = requests.post(
            ready["url"] + "/public_api/v1/api_keys/get_api_keys",
            headers=advanced_headers(advanced),
            json={"request_data": {"filters": []}},
        )
        check("list", listed, 200)
        assert [key["id"] for key in listed.json()["reply"]["DATA"]] == [1, 2], listed.text
    finally:
        tenant.terminate()
    assert tenant.wait(timeout=10) == 0, "the tenant did not end in good order"


main()
