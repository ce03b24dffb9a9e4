"""Runs the rotation as its container would, against a local emulator: kubernetes.py MANIFEST CORTEXKEY

The manifest is checked against Kubernetes' own schemas. A `kubectl` of the test keeps the Secret in a file.
"""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

import kubernetes_validate
import yaml

KUBECTL = """#!{python}
import json, pathlib, sys
store = pathlib.Path({store!r})
if sys.argv[1] == "create":
    pairs = dict(arg.split("=", 2)[1:] for arg in sys.argv if arg.startswith("--from-"))
    assert pairs.pop("key") == "/dev/stdin" and sys.argv[2:5] == ["secret", "generic", "cortex-key"]
    json.dump({{**pairs, "key": sys.stdin.read()}}, sys.stdout)
else:
    assert sys.argv[1:] == ["replace", "--filename=-"], sys.argv
    store.write_text(sys.stdin.read())
"""


def main() -> None:
    manifest, cortexkey = pathlib.Path(sys.argv[1]), sys.argv[2]
    documents = {one["kind"]: one for one in yaml.safe_load_all(manifest.read_text())}
    for document in documents.values():
        kubernetes_validate.validate(document, "1.33", strict=True)
    tenant = subprocess.Popen([cortexkey, "tenant", "--quiet"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    try:
        rotate(documents, cortexkey, json.loads(tenant.stdout.readline()))
    finally:
        tenant.terminate()
        tenant.wait()


def rotate(documents: dict, cortexkey: str, tenant: dict) -> None:
    admin = tenant["keys"]["advanced"]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        (root / "bin").mkdir()
        (root / "cortexkey").mkdir()
        shutil.copy(cortexkey, root / "bin/cortexkey")
        kubectl = root / "bin/kubectl"
        kubectl.write_text(KUBECTL.format(python=sys.executable, store=str(root / "secret")))
        kubectl.chmod(0o755)
        config = documents["ConfigMap"]["data"]
        store = root / "cortexkey/store-key"
        store.write_text(config["store-key"])
        store.chmod(0o755)
        settings = config["config.toml"].replace("/etc/cortexkey", str(root / "cortexkey"))
        settings = settings.replace("acme.xdr.us.paloaltonetworks.com", tenant["url"])
        (root / "cortexkey/config.toml").write_text(settings)
        pod = documents["CronJob"]["spec"]["jobTemplate"]["spec"]["template"]["spec"]
        command = pod["containers"][0]["command"]
        assert "--grace=10m" in command
        folders = {"/etc": root, "/var/lib/rotation": root / "state"}
        named = {one["name"]: folders[one["value"]] for one in pod["containers"][0]["env"] if "value" in one}
        mounted = {one["mountPath"] for one in pod["containers"][0]["volumeMounts"]}
        assert mounted == {"/etc/cortexkey", "/var/lib/rotation"}
        environment = {
            "PATH": f"{root / 'bin'}:{os.environ['PATH']}",
            **{name: str(folder) for name, folder in named.items()},
            "CORTEXKEY_API_KEY_ID": str(admin["id"]),
            "CORTEXKEY_API_KEY": admin["key"],
        }
        generate = [cortexkey, "keys", "generate", "--role", "Viewer", "--security-level", "advanced"]
        generate += ["--lifetime", "60d", "--sink-file", root / "old", "--json"]
        made = subprocess.run(generate, env=environment, check=True, stdout=subprocess.PIPE)
        old = {"id": json.loads(made.stdout)["id"], "key": (root / "old").read_text()}
        values = {"$(SERVICE_KEY_ID)": str(old["id"]), "--grace=10m": "--grace=0"}
        run = [values.get(word, word) for word in command]
        subprocess.run(run, env=environment, check=True, cwd=root, stdin=subprocess.DEVNULL)
        new = json.loads((root / "secret").read_text())
        assert new["key"] not in ("", old["key"])
        assert int(new["key-id"]) != old["id"]
        ping = [cortexkey, "ping", "--fqdn", tenant["url"], "--level", "advanced"]
        for key_id, key, is_good in [(new["key-id"], new["key"], True), (old["id"], old["key"], False)]:
            keys = {"CORTEXKEY_API_KEY_ID": str(key_id), "CORTEXKEY_API_KEY": key}
            answer = subprocess.run(ping, env=keys, capture_output=True, check=False, stdin=subprocess.DEVNULL)
            assert (answer.returncode == 0) == is_good, answer.stderr.decode()


if __name__ == "__main__":
    main()
