#!/usr/bin/env python3
"""Secret stores that share nothing with us, written from their public documents.

Run as `vault`, it serves a key-value engine of version 2 on loopback and prints its port. Run under
the name of a store's program, it does what that program does with the arguments that it documents,
and ends with 97 on any others. State, faults and a log of all arguments are in the folder that
DOUBLE names. A fault is used once.
"""

import base64
import json
import os
import sys
import time

FOLDER = os.environ["DOUBLE"]


def place(*names):
    return os.path.join(FOLDER, "-".join(name.replace("/", "_") for name in names))


def load(*names):
    try:
        with open(place(*names)) as file:
            return json.load(file)
    except FileNotFoundError:
        return None


def save(value, *names):
    with open(place(*names), "w") as file:
        json.dump(value, file)


def fault(name):
    """Whether a fault is due; each is due once per time that it is listed."""
    faults = load("faults") or []
    if name in faults:
        faults.remove(name)
        save(faults, "faults")
        return True
    return False


class Vault:
    protocol_version = "HTTP/1.1"

    def answer(self, status, body, headers=()):
        data = json.dumps(body).encode()
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass

    def refused(self):
        if fault("busy"):
            self.answer(429, {"errors": ["rate limit quota exceeded"]}, [("retry-after", "0")])
        elif fault("sealed"):
            self.answer(503, {"errors": ["Vault is sealed"]}, [("retry-after", "60")])
        elif fault("redirect"):
            self.answer(307, {}, [("location", "http://192.0.2.1/")])
        elif fault("cut"):
            self.close_connection = True
        elif fault("half"):
            self.send_response(200)
            self.send_header("content-length", "1000")
            self.end_headers()
            self.wfile.write(b'{"data":')
            self.close_connection = True
        elif self.headers.get("x-vault-token") != "t0ken":
            self.answer(403, {"errors": ["permission denied"]})
        elif self.headers.get("x-vault-namespace") != "ops":
            self.answer(404, {"errors": ["no handler for route"]})
        else:
            return False
        return True

    def do_GET(self):
        if self.refused():
            return
        if self.path in ("/v1/sys/internal/ui/mounts/secret", "/v1/sys/internal/ui/mounts/team/kv"):
            self.answer(200, {"data": {"type": "kv", "options": {"version": "2"}}})
        elif self.path == "/v1/sys/internal/ui/mounts/old":
            self.answer(200, {"data": {"type": "kv", "options": {"version": "1"}}})
        elif self.path.startswith("/v1/old/"):
            self.answer(404, {"errors": []})
        elif not self.path.startswith(("/v1/secret/data/", "/v1/team/kv/data/")):
            self.answer(404, {"errors": ["no handler for route"]})
        else:
            if load("written") and fault("blind"):
                return self.answer(500, {"errors": ["internal error"]})
            held = load("vault", self.path)
            if held is None:
                return self.answer(404, {"errors": []})
            metadata = {"version": held["version"]}
            if held["data"] is None:
                return self.answer(404, {"data": {"data": None, "metadata": metadata}})
            self.answer(200, {"data": {"data": held["data"], "metadata": metadata}})

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.refused():
            return
        if not self.path.startswith(("/v1/secret/data/", "/v1/team/kv/data/")):
            save(body, "stray")
            return self.answer(204, {})
        if fault("denied"):
            return self.answer(403, {"errors": ["1 error occurred:\n\t* permission denied\n\n"]})
        held = load("vault", self.path) or {"version": 0, "data": None}
        if fault("race"):
            held = {"version": held["version"] + 1, "data": {"key": "another writer's"}}
            save(held, "vault", self.path)
        # A server in front may report a failure of a write that was made, or make it later.
        if fault("late"):
            return self.answer(504, {"errors": ["gateway timeout"]})
        if body["options"]["cas"] != held["version"]:
            text = "check-and-set parameter did not match the current version"
            return self.answer(400, {"errors": [text]})
        if not fault("lost"):
            save({"version": held["version"] + 1, "data": body["data"]}, "vault", self.path)
        save(True, "written")
        if fault("made-busy"):
            return self.answer(503, {"errors": ["busy"]}, [("retry-after", "0")])
        if fault("silent"):
            self.close_connection = True
            return
        self.answer(200, {"data": {"version": held["version"] + 1}})


def vault():
    # The programs start faster without it.
    import http.server

    handler = type("Handler", (Vault, http.server.BaseHTTPRequestHandler), {})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    print(server.server_port, flush=True)
    server.serve_forever()


class Bad(Exception):
    pass


def fail(text, code=1):
    sys.stderr.write(text + "\n")
    sys.exit(code)


def take(args, *expected):
    """The values of arguments: a text must be there, None is a value."""
    if len(args) != len(expected):
        raise Bad(args)
    values = []
    for arg, want in zip(args, expected):
        if want is None:
            values.append(arg)
        elif arg != want:
            raise Bad(args)
    return values


def aws(args):
    if os.environ.get("AWS_PAGER") != "":
        raise Bad("a pager")
    if args[1] == "get-secret-value":
        (name,) = take(args, "secretsmanager", "get-secret-value", "--secret-id", None, "--output", "json")
        if load("aws", name) is None:
            what = "secret value for staging label: AWSCURRENT" if load("empty") else "secret"
            call = "calling the GetSecretValue operation"
            fail(f"An error occurred (ResourceNotFoundException) when {call}: can't find the specified {what}.", 254)
        if fault("noise"):
            print("A new release of the program is available.")
        if fault("flood"):
            print(" " * 1_000_000)
        print(json.dumps({"Name": name, "SecretString": load("aws", name)}))
        return
    flag = "--name" if args[1] == "create-secret" else "--secret-id"
    command, name, source = take(
        args, "secretsmanager", None, flag, None, "--secret-string", None, "--output", "json")
    with open(source.removeprefix("file://")) as file:
        secret = file.read()
    exists = load("aws", name) is not None or load("empty")
    if command == "create-secret" and exists:
        fail("An error occurred (ResourceExistsException) when calling the CreateSecret operation", 254)
    if command == "put-secret-value" and not exists:
        fail("An error occurred (ResourceNotFoundException)", 254)
    if fault("denied"):
        fail("An error occurred (AccessDeniedException): value " + secret, 254)
    if not fault("lost"):
        save(secret, "aws", name)
    print("{}")


def az(args):
    if args[2] == "show":
        vault, name = take(args, "keyvault", "secret", "show", "--vault-name", None, "--name", None, "--output", "json")
        held = load("az", vault, name)
        if held is None:
            fail("ERROR: (SecretNotFound) A secret with (name/id) was not found in this key vault.", 3)
        print(json.dumps({"value": held}))
        return
    vault, name, source, encoding = take(
        args, "keyvault", "secret", "set", "--vault-name", None, "--name", None,
        "--output", "none", "--file", None, "--encoding", None)
    with open(source) as file:
        save(file.read() if encoding == "utf-8" else "", "az", vault, name)


def gcloud(args):
    if args[2] == "access":
        name, project = take(args, "secrets", "versions", "access", "latest", "--secret", None, "--project", None)
        if load("gcloud", project, name) is None:
            fail(f"ERROR: (gcloud.secrets.versions.access) NOT_FOUND: Secret [{name}] not found or has no versions.")
        sys.stdout.write(load("gcloud", project, name))
    elif args[1] == "describe":
        take(args, "secrets", "describe", None, "--project", None, "--format", "json")
        if not load("empty"):
            fail("ERROR: (gcloud.secrets.describe) NOT_FOUND: Secret not found.")
        print("{}")
    elif args[1] == "create":
        name, project = take(
            args, "secrets", "create", None, "--project", None, "--data-file", "-",
            "--replication-policy", "automatic")
        if load("gcloud", project, name) is not None or load("empty"):
            fail("ERROR: ALREADY_EXISTS")
        save(sys.stdin.read(), "gcloud", project, name)
    else:
        name, project = take(args, "secrets", "versions", "add", None, "--project", None, "--data-file", "-")
        if load("gcloud", project, name) is None and not load("empty"):
            fail("ERROR: NOT_FOUND")
        save(sys.stdin.read(), "gcloud", project, name)


def op(args):
    if args[1] == "get":
        item, vault = take(args, "item", "get", None, "--vault", None, "--format", "json")
        held = load("op", vault, item)
        if held is None:
            fail(f'[ERROR] 2026/01/01 00:00:00 "{item}" isn\'t an item in the "{vault}" vault. Specify the item with its UUID.')
        print(json.dumps(held))
        return
    request = json.load(sys.stdin)
    if args[1] == "create":
        (vault,) = take(args, "item", "create", "-", "--vault", None, "--format", "json")
        item = request["title"]
        if request["category"] != "API_CREDENTIAL":
            raise Bad("category")
    else:
        item, vault = take(args, "item", "edit", None, "--vault", None, "--format", "json")
    for number, field in enumerate(request["fields"]):
        field.setdefault("id", f"field{number}")
    save(request, "op", vault, item)
    print(json.dumps(request))


def kubectl(args):
    if args[0] == "get":
        name, namespace = take(
            args, "get", "secret", None, "--namespace", None, "--ignore-not-found", "--output", "json")
        held = load("k8s", namespace, name)
        if held is not None:
            print(json.dumps(held))
        return
    command, namespace = take(args, None, "--namespace", None, "--filename", "-", "--output", "name")
    request = json.load(sys.stdin)
    metadata = request["metadata"]
    held = load("k8s", namespace, metadata["name"])
    if request["kind"] != "Secret" or metadata["namespace"] != namespace:
        raise Bad("manifest")
    for value in request["data"].values():
        base64.b64decode(value, validate=True)
    if command == "create" and held is not None:
        fail("Error from server (AlreadyExists): error when creating: secrets already exists")
    version = held["metadata"]["resourceVersion"] if held else "0"
    if command == "replace" and metadata.get("resourceVersion") != version:
        fail("Error from server (Conflict): the object has been modified")
    metadata["resourceVersion"] = str(int(version) + 1)
    save(request, "k8s", namespace, metadata["name"])


def secret_tool(args):
    if args[0] == "lookup":
        (profile,) = take(args, "lookup", "service", "cortexkey", "profile", None)
        if load("keychain", profile) is None or load("locked") == profile:
            sys.exit(1)
        sys.stdout.write(load("keychain", profile))
        return
    if args[0] == "search":
        (profile,) = take(args, "search", "--all", "service", "cortexkey", "profile", None)
        if load("keychain", profile) is not None:
            print("[/1]\nlabel = x")
        return
    _, profile = take(args, "store", "--label", None, "service", "cortexkey", "profile", None)
    save(sys.stdin.read(), "keychain", profile)


def pass_(args):
    if args[0] == "show":
        (path,) = take(args, "show", None)
        if load("pass", path) is None:
            fail(f"Error: {path} is not in the password store.")
        sys.stdout.write(load("pass", path))
        return
    (path,) = take(args, "insert", "--multiline", "--force", None)
    save(sys.stdin.read(), "pass", path)


PROGRAMS = {
    "aws": aws, "az": az, "gcloud": gcloud, "op": op, "kubectl": kubectl,
    "secret-tool": secret_tool, "pass": pass_,
}


def main():
    name = os.path.basename(sys.argv[0])
    if name not in PROGRAMS:
        return vault()
    with open(place("log"), "a") as log:
        log.write(json.dumps(sys.argv) + "\n")
    if any(secret in os.environ for secret in ("CORTEXKEY_API_KEY", "CORTEXCLOUD_API_KEY")):
        raise Bad("a key in the environment")
    if fault("hang"):
        time.sleep(3600)
    if load("slow"):
        time.sleep(0.2)
    PROGRAMS[name](sys.argv[1:])


try:
    main()
except (Bad, IndexError) as error:
    fail(f"unexpected arguments: {error}", 97)
