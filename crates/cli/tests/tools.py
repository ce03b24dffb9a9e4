"""Runs programs that use a key through `exec` and `proxy`, as the campaign `tools`: curl, a Go program,
demisto-py and demisto-sdk.

They talk to the emulator. In front of it is a server that also answers the call of demisto-sdk, which the
emulator does not have, after it has asked the emulator whether the request's signature is valid.

Usage: tools.py CORTEXKEY, with a Python that has demisto-py and demisto-sdk
"""

import http.server
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import urllib.error
import urllib.request
from pathlib import Path

PROGRAM = Path(sys.argv[1]).resolve()
PROGRAMS = Path(sys.executable).parent
HEALTH = "/public_api/v1/healthcheck"
# The same call for demisto-py, which puts `/xsoar` before it.
PUBLIC = "/public/v1/healthcheck"
PATIENCE_S = 300
SCRIPT = "commonfields:\n  id: cortexkey-test\n  version: -1\nname: cortexkey-test\nscript: ''\ntype: python\n"

DEMISTO_PY = """
import sys, demisto_client
client = demisto_client.configure()
for path in sys.argv[1:]:
    body, status, _ = client.generic_request(path=path, method="GET")
    print(status)
"""

GO = """
package main

import ("fmt"; "io"; "net/http"; "os"; "strings")

func main() {
	client := &http.Client{}
	for _, call := range [][2]string{{"GET", "/public_api/v1/healthcheck"}, {"POST", "/api_keys/validate/"}, {"POST", "/public_api/v1/api_keys/generate"}} {
		request, _ := http.NewRequest(call[0], os.Getenv("CORTEXKEY_API_URL")+call[1], strings.NewReader("{}"))
		if call[0] == "GET" {
			request, _ = http.NewRequest(call[0], os.Getenv("CORTEXKEY_API_URL")+call[1], nil)
		}
		request.Header.Set("Content-Type", "application/json")
		request.Header.Set("Authorization", os.Getenv("CORTEXKEY_API_KEY"))
		request.Header.Set("x-xdr-auth-id", os.Getenv("CORTEXKEY_API_KEY_ID"))
		answer, err := client.Do(request)
		if err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
		io.Copy(io.Discard, answer.Body)
		answer.Body.Close()
		fmt.Println(answer.StatusCode)
	}
}
"""


class Front(http.server.BaseHTTPRequestHandler):
    """Answers demisto-sdk's call, and passes everything else on to the emulator."""

    protocol_version = "HTTP/1.1"
    tenant, seen = None, []

    def do_GET(self):
        self.seen.append(self.path)
        if self.path.endswith("/content/bundle"):
            status, _ = self.ask("GET", HEALTH)
            return self.answer(status, bundle() if status == 200 else b"", "application/gzip")
        self.answer(*self.ask("GET", self.path))

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer(*self.ask("POST", self.path, body))

    def ask(self, method, path, body=None):
        names = ("authorization", "x-xdr-auth-id", "x-xdr-nonce", "x-xdr-timestamp", "content-type")
        headers = {name: self.headers[name] for name in names if self.headers[name]}
        request = urllib.request.Request(self.tenant + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()

    def answer(self, status, body, kind="application/json"):
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def bundle():
    """The custom content of a tenant: one script."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        entry = tarfile.TarInfo("/script-cortexkey-test.yml")
        entry.size = len(SCRIPT)
        archive.addfile(entry, io.BytesIO(SCRIPT.encode()))
    return data.getvalue()


class Tools:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cortexkey-tools-"))
        self.tenant = subprocess.Popen([PROGRAM, "tenant", "--quiet"], stdout=subprocess.PIPE)
        ready = json.loads(self.tenant.stdout.readline())
        handler = type("Handler", (Front,), {"tenant": ready["url"], "seen": []})
        self.seen = handler.seen
        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.keys = ready["keys"]
        (self.folder / "content/Packs").mkdir(parents=True)
        git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com", "-C", self.folder / "content"]
        subprocess.run([*git, "init", "--quiet"], check=True)
        subprocess.run([*git, "commit", "--quiet", "--allow-empty", "--message", "a"], check=True)

    def run(self, level, how, command, code=0, data=None):
        """Runs a command with a key of this level, and returns what it prints."""
        environment = {
            "PATH": f"{PROGRAMS}:{os.environ['PATH']}", "HOME": str(self.folder), "LANG": "C.UTF-8",
            "GOCACHE": str(self.folder / "go-cache"), "DEMISTO_SDK_SKIP_VERSION_CHECK": "true",
            "DEMISTO_SDK_IGNORE_CONTENT_WARNING": "true", "DEMISTO_SDK_OFFLINE_ENV": "true",
            "CORTEXKEY_FQDN": f"http://127.0.0.1:{self.server.server_port}",
            "CORTEXKEY_API_KEY_ID": str(self.keys[level]["id"]), "CORTEXKEY_API_KEY": self.keys[level]["key"],
            "CORTEXKEY_API_KEY_TYPE": level,
        }
        ran = subprocess.run(
            [PROGRAM, *how, "--", *command], env=environment, cwd=self.folder / "content", input=data,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )
        assert ran.returncode == code, ran
        for key in self.keys.values():
            assert key["key"] not in ran.stdout + ran.stderr, "a key was printed"
        return ran.stdout

    def curl(self):
        call = 'curl --silent --output /dev/null --write-out "%{http_code}\\n" --header "Authorization: $CORTEXKEY_API_KEY"'
        own = f'{call} --header "x-xdr-auth-id: $CORTEXKEY_API_KEY_ID" "$CORTEXKEY_API_URL{HEALTH}"'
        assert self.run("standard", ["exec", "--as", "generic"], ["sh", "-c", own]) == "200\n"
        two = f'{call} --output /dev/null "$CORTEXKEY_API_URL{HEALTH}" "$CORTEXKEY_API_URL{HEALTH}"'
        assert self.run("advanced", ["proxy", "--quiet", "--as", "generic"], ["sh", "-c", two]) == "200\n200\n"
        deny = f'{call} --data "{{}}" "$CORTEXKEY_API_URL/public_api/v1/api_keys/generate"'
        assert self.run("advanced", ["proxy", "--quiet", "--as", "generic"], ["sh", "-c", deny]) == "403\n"

    def go(self):
        source, program = self.folder / "main.go", self.folder / "program"
        source.write_text(GO)
        subprocess.run(["go", "build", "-o", program, source], check=True)
        # The emulator knows no such body, so the last call reaches it and is refused there.
        direct = self.run("standard", ["exec", "--as", "generic"], [program]).split()
        assert direct[:2] == ["200", "200"] and direct[2] != "403", direct
        assert self.run("advanced", ["proxy", "--quiet", "--as", "generic"], [program]).split() == ["200", "200", "403"]

    def demisto_py(self):
        command = [sys.executable, "-c", DEMISTO_PY, PUBLIC, PUBLIC]
        for level in ("standard", "advanced"):
            assert self.run(level, ["exec", "--as", "demisto-py"], command).split() == ["200", "200"]
            assert self.run(level, ["proxy", "--quiet", "--as", "demisto-py"], command).split() == ["200", "200"]

    def demisto_sdk(self):
        command = [PROGRAMS / "demisto-sdk", "download", "--list-files"]
        for level, how in (("standard", ["exec"]), ("advanced", ["proxy", "--quiet"])):
            self.seen.clear()
            printed = self.run(level, [*how, "--as", "demisto-sdk"], command)
            assert "cortexkey-test" in printed, printed
            assert any(path.endswith("/content/bundle") for path in self.seen), self.seen
        # It signs with Standard keys only.
        self.run("advanced", ["exec", "--as", "demisto-sdk"], command, code=2)

    def stop(self):
        self.tenant.kill()
        self.tenant.wait()
        self.server.shutdown()
        shutil.rmtree(self.folder)


def main():
    tools = Tools()
    try:
        for name in ("curl", "go", "demisto_py", "demisto_sdk"):
            getattr(tools, name)()
            print(f"{name.replace('_', '-')}: passed", flush=True)
    finally:
        tools.stop()


main()
