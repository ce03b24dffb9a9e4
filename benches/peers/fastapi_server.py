"""A plain FastAPI server that checks Advanced requests as the tenant does: form, key id, digest in
constant time, window of a minute, single use. The peer of `benches/benches/tenant.rs`.

To make the comparison fair, uvicorn runs it with uvloop and httptools, without an access log.
Usage: fastapi_server.py KEY_ID KEY; prints its port.
"""

import hashlib
import hmac
import re
import socket
import sys
import time

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

SKEW_MS = 60_000
KEYS = {sys.argv[1]: sys.argv[2].encode()}
NONCE = re.compile(r"[A-Za-z0-9]{64}")
TIMESTAMP = re.compile(r"[1-9][0-9]{12}")
DIGEST = re.compile(r"[0-9a-f]{64}")
REFUSED = {
    "reply": {"err_code": 401, "err_msg": "Public API request unauthorized", "err_extra": None}
}

used = {}
app = FastAPI()


def is_authentic(headers):
    key_id = headers.get("x-xdr-auth-id", "")
    nonce = headers.get("x-xdr-nonce", "")
    timestamp = headers.get("x-xdr-timestamp", "")
    digest = headers.get("authorization", "")
    if not (NONCE.fullmatch(nonce) and TIMESTAMP.fullmatch(timestamp) and DIGEST.fullmatch(digest)):
        return False
    key = KEYS.get(key_id)
    if key is None:
        return False
    expected = hashlib.sha256(key + nonce.encode() + timestamp.encode()).hexdigest()
    if not hmac.compare_digest(expected, digest):
        return False
    if abs(int(time.time() * 1000) - int(timestamp)) > SKEW_MS:
        return False
    if (key_id, digest) in used:
        return False
    used[key_id, digest] = int(timestamp) + SKEW_MS
    return True


@app.get("/api_keys/validate")
async def validate(request: Request):
    if is_authentic(request.headers):
        return "true"
    return JSONResponse(REFUSED, status_code=401)


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
config = uvicorn.Config(app, loop="uvloop", http="httptools", access_log=False, log_level="error")
uvicorn.Server(config).run(sockets=[listener])
