"""Runs `cortexkey keys watch` against programs that read what it sends, as the campaign `watch`.

aiosmtpd takes mail over TLS, standardwebhooks checks the signature, prometheus-client and promtool read
the metrics, icalendar reads the calendar, and promtool tests the alert rules.

Usage: watch.py CORTEXKEY REPOSITORY
"""

import datetime
import http.server
import json
import os
import shutil
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.request
from pathlib import Path

import icalendar
import standardwebhooks
import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from prometheus_client.openmetrics.parser import text_string_to_metric_families

PROGRAM, REPOSITORY = Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
COMMENT = 'Grüße; "quoted", back\\slash — and a text that is long enough to be folded twice, at least'


class Hook(http.server.BaseHTTPRequestHandler):
    got = []

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        Hook.got.append((dict(self.headers), body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_):
        pass


class Letters:
    def __init__(self):
        self.got = []

    async def handle_DATA(self, _server, _session, envelope):
        self.got.append(envelope)
        return "250 taken"


def sign_in(_server, _session, _envelope, _mechanism, data):
    good = (data.login, data.password) == (b"keys", b"mail-password-7")
    return AuthResult(success=good)


class SmtpOverTls(Controller):
    """A server that encrypts from the start on; the controller's own check connects without TLS."""

    def _trigger_server(self):
        with ssl._create_unverified_context().wrap_socket(
            __import__("socket").create_connection((self.hostname, self.port))
        ) as stream:
            stream.recv(100)


def main():
    folder = Path(tempfile.mkdtemp(prefix="cortexkey-watch-"))
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "ca.pem")
    trustme.CA().cert_pem.write_to_path(folder / "other.pem")
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
    letters = Letters()
    implicit = SmtpOverTls(
        letters, hostname="127.0.0.1", port=free_port(), ssl_context=context,
        authenticator=sign_in, auth_required=True, auth_require_tls=False,
    )
    starttls = Controller(
        letters, hostname="127.0.0.1", port=free_port(), tls_context=context,
        authenticator=sign_in, auth_required=True, require_starttls=True,
    )
    plain = Controller(letters, hostname="127.0.0.1", port=free_port())
    for server in (implicit, starttls, plain):
        server.start()
    hook = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=hook.serve_forever, daemon=True).start()

    tenant = subprocess.Popen([PROGRAM, "tenant", "--quiet"], stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(tenant.stdout.readline())
        key = ready["keys"]["advanced"]
        environment = {
            "PATH": os.environ["PATH"],
            "XDG_CONFIG_HOME": str(folder / "config"),
            "XDG_STATE_HOME": str(folder / "state"),
            "CORTEXKEY_FQDN": ready["url"],
            "CORTEXKEY_API_KEY_ID": str(key["id"]),
            "CORTEXKEY_API_KEY": key["key"],
            "CORTEXKEY_API_KEY_TYPE": "advanced",
            "CORTEXKEY_MAIL_PASSWORD": "mail-password-7",
            "CORTEXKEY_HOOK_SECRET": SECRET,
        }

        def run(*args, code=0):
            ran = subprocess.run(
                [PROGRAM, "keys", *args], env=environment, cwd=folder, capture_output=True,
                text=True, timeout=120, check=False,
            )
            assert ran.returncode == code, (args, ran)
            assert "mail-password-7" not in ran.stdout + ran.stderr
            return ran.stdout

        run("generate", "--role", "Viewer", "--security-level", "advanced", "--lifetime", "5d",
            "--comment", COMMENT, "--sink-file", "one.key")
        mail = """
[targets.{name}]
kind = "mail"
host = "{host}"
port = {port}
tls = "{tls}"
user = "keys"
password_env = "CORTEXKEY_MAIL_PASSWORD"
from = "Cortex keys <keys@a.example>"
to = ["ops@a.example"]
ca_file = "../../{ca}"
"""
        config = folder / "config/cortexkey/config.toml"
        config.parent.mkdir(parents=True)
        good = [
            mail.format(name="implicit", host="localhost", port=implicit.port, tls="implicit", ca="ca.pem"),
            mail.format(name="starttls", host="localhost", port=starttls.port, tls="starttls", ca="ca.pem"),
            f'[targets.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:{hook.server_port}/x"\n'
            'secret_env = "CORTEXKEY_HOOK_SECRET"\n',
        ]
        bad = [
            mail.format(name="untrusted", host="localhost", port=implicit.port, tls="implicit", ca="other.pem"),
            mail.format(name="no-tls", host="localhost", port=plain.port, tls="starttls", ca="ca.pem"),
        ]
        config.write_text("\n".join(bad))
        failed = json.loads(run("watch", "--format", "json", code=1))
        assert {of["outcome"] for of in failed["deliveries"]} == {"failed"}, failed
        assert not letters.got
        config.write_text("\n".join(good))
        run("watch", "--metrics", "keys.prom", "--calendar", "keys.ics")
        run("watch")

        assert len(letters.got) == 2, letters.got
        for letter in letters.got:
            from email import message_from_bytes, policy
            message = message_from_bytes(letter.content, policy=policy.default)
            assert message["subject"] == "cortexkey: 1 key expires soon", message["subject"]
            assert "Grüße" in message.get_content() and message["message-id"].endswith("@a.example>")
        (headers, body), = Hook.got
        standardwebhooks.Webhook(SECRET).verify(body.decode(), headers)
        try:
            standardwebhooks.Webhook(SECRET).verify(body.decode() + " ", headers)
            raise AssertionError("a changed body was accepted")
        except standardwebhooks.WebhookVerificationError:
            pass

        text = (folder / "keys.prom").read_text()
        families = {family.name: family for family in text_string_to_metric_families(text)}
        expires, = families["cortexkey_key_expires_timestamp_seconds"].samples
        left = expires.value - datetime.datetime.now().timestamp()
        assert 4 * 86400 < left < 5 * 86400, left
        subprocess.run(["promtool", "check", "metrics"], input=text, text=True, check=True)
        rules = REPOSITORY / "packaging/watch"
        subprocess.run(["promtool", "check", "rules", rules / "alerts.yaml"], check=True)
        subprocess.run(["promtool", "test", "rules", rules / "alerts.test.yaml"], check=True)

        calendar = icalendar.Calendar.from_ical((folder / "keys.ics").read_bytes())
        event, = calendar.walk("VEVENT")
        assert abs(event["dtstart"].dt.timestamp() - expires.value) < 1
        assert COMMENT in str(event["description"]), event["description"]
        triggers = sorted(alarm["trigger"].dt for alarm in event.walk("VALARM"))
        assert triggers == [datetime.timedelta(days=-7), datetime.timedelta(days=-1)], triggers

        scrape(environment, folder)
        if shutil.which("systemd-analyze"):
            units = [rules / "cortexkey-watch.service", rules / "cortexkey-watch.timer"]
            subprocess.run(["systemd-analyze", "verify", "--man=no", *units], check=False)
    finally:
        tenant.kill()
        tenant.wait()
        for server in (implicit, starttls, plain):
            server.stop()
        shutil.rmtree(folder)
    print("what keys watch sends and writes is what its readers take")


def scrape(environment, folder):
    """Real requests to the loop's own server, as Prometheus makes them."""
    command = [PROGRAM, "keys", "watch", "--every", "6h", "--listen", "127.0.0.1:0"]
    loop = subprocess.Popen(
        command, env=environment, cwd=folder, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        url = loop.stderr.readline().split()[-1]
        loop.stdout.readline()
        request = urllib.request.Request(url, headers={"Accept": "application/openmetrics-text;version=1.0.0"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            assert answer.headers.get_content_type() == "application/openmetrics-text"
            names = {family.name for family in text_string_to_metric_families(answer.read().decode())}
        assert "cortexkey_tenant_up" in names, names
    finally:
        loop.kill()
        loop.wait()


def free_port():
    import socket
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


main()
