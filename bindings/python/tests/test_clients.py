"""The auth classes of requests and httpx, with a server that records the headers."""

import asyncio
import hashlib
import http.server
import threading
import unittest

import httpx
import requests

import cortexkey.httpx
import cortexkey.requests
from cortexkey import CortexkeyError, ForeignHostError, RedirectError, Signer

KEY = "k" * 128
SIGNER = Signer(7, KEY)


class Server:
    """Responds to every request, with a redirect if `location` is set, and records the headers."""

    def __enter__(self):
        received = self.received = []
        self.location = None
        server = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                received.append(dict(self.headers.items()))
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                self.send_response(307 if server.location else 200)
                if server.location:
                    self.send_header("Location", server.location)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_GET = do_POST

            def log_message(self, *_):
                pass

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        threading.Thread(target=self.http.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *_):
        self.http.shutdown()
        self.http.server_close()


def is_signed(headers):
    headers = {name.lower(): value for name, value in headers.items()}
    text = KEY + headers["x-xdr-nonce"] + headers["x-xdr-timestamp"]
    return headers["authorization"] == hashlib.sha256(text.encode()).hexdigest()


class Requests(unittest.TestCase):
    def test_each_request_has_its_own_signature(self):
        with Server() as server, requests.Session() as session:
            session.auth = cortexkey.requests.CortexAuth(SIGNER, server.url)
            for _ in range(3):
                self.assertEqual(session.post(server.url + "/path?q=1", json={}).status_code, 200)
            self.assertTrue(all(map(is_signed, server.received)))
            self.assertEqual(len({headers["x-xdr-nonce"] for headers in server.received}), 3)

    def test_another_host_gets_nothing(self):
        with Server() as tenant, Server() as other:
            auth = cortexkey.requests.CortexAuth(SIGNER, tenant.url)
            same_port = tenant.url.rsplit(":", 1)[1]
            for url in (other.url, f"http://localhost:{same_port}", tenant.url.replace("//", "//user@")):
                self.assertRaises(ForeignHostError, requests.get, url, auth=auth)
            self.assertEqual(tenant.received + other.received, [])

    def test_a_redirect_is_not_followed(self):
        with Server() as tenant, Server() as other:
            auth = cortexkey.requests.CortexAuth(SIGNER, tenant.url)
            for tenant.location in (other.url, tenant.url + "/again"):
                self.assertRaises(RedirectError, requests.post, tenant.url, auth=auth)
            self.assertEqual((len(tenant.received), other.received), (2, []))


class Httpx(unittest.TestCase):
    def test_each_request_has_its_own_signature(self):
        with Server() as server:
            auth = cortexkey.httpx.CortexAuth(SIGNER, server.url)

            async def call():
                async with httpx.AsyncClient(auth=auth) as client:
                    return (await client.post(server.url, json={})).status_code

            with httpx.Client(auth=auth) as client:
                self.assertEqual(client.post(server.url, json={}).status_code, 200)
            self.assertEqual(asyncio.run(call()), 200)
            self.assertTrue(all(map(is_signed, server.received)))
            self.assertEqual(len({headers["x-xdr-nonce"] for headers in server.received}), 2)

    def test_another_host_gets_nothing(self):
        with Server() as tenant, Server() as other:
            auth = cortexkey.httpx.CortexAuth(SIGNER, tenant.url)
            for url in (other.url, tenant.url.replace("127.0.0.1", "localhost")):
                self.assertRaises(ForeignHostError, httpx.get, url, auth=auth)
            self.assertEqual(tenant.received + other.received, [])

    def test_a_redirect_is_an_error_and_leaves_the_digest_here(self):
        with Server() as tenant, Server() as other:
            tenant.location = other.url
            auth = cortexkey.httpx.CortexAuth(SIGNER, tenant.url)
            self.assertRaises(RedirectError, httpx.post, tenant.url, auth=auth)
            self.assertEqual(other.received, [])
            httpx.post(tenant.url, auth=auth, follow_redirects=True)
            self.assertNotIn("authorization", {name.lower() for name in other.received[0]})


class Tenants(unittest.TestCase):
    def test_a_tenant_is_reached_over_https_or_on_this_machine(self):
        for tenant in ("api-x.example", "https://api-x.example", "https://api-x.example:8443/", "http://[::1]:1"):
            cortexkey.requests.CortexAuth(SIGNER, tenant)
        for tenant in ("http://api-x.example", "ftp://api-x.example", "", "https://", "https://a@api-x.example",
                       "https://api-x.example\\@evil.example", "https://api-x.example:port", "http://127.0.0.1.example"):
            with self.assertRaises(CortexkeyError, msg=tenant):
                cortexkey.requests.CortexAuth(SIGNER, tenant)

    def test_the_standard_port_may_be_written(self):
        auth = cortexkey.requests.CortexAuth(SIGNER, "api-x.example")
        request = requests.Request("GET", "HTTPS://API-X.example:443/path").prepare()
        self.assertIn("Authorization", auth(request).headers)


if __name__ == "__main__":
    unittest.main()
