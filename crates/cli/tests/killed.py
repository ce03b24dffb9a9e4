"""Kills `keys provision` and `keys watch` at random moments, as the campaign `killed`.

Each kill is SIGKILL after a random time, while the tenant fails at random, too. Then: each line of the list has one key, in its place, in whatever
order runs were killed; each notice arrived at each target, and a message that was confirmed arrived again only
if the run was killed before it could record that, with the same id and marked as a repeat. At last, both
commands meet full file systems and files that were cut off.

Usage: killed.py CORTEXKEY [--kills N] [--seed N]
"""

import argparse
import collections
import http.server
import json
import os
import random
import shutil
import subprocess
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

ARGUMENTS = argparse.ArgumentParser()
ARGUMENTS.add_argument("program")
ARGUMENTS.add_argument("--kills", type=int, default=300)
ARGUMENTS.add_argument("--seed", type=int, default=int(time.time()))
ARGUMENTS = ARGUMENTS.parse_args()
PROGRAM = Path(ARGUMENTS.program).resolve()
RANDOM = random.Random(ARGUMENTS.seed)
PATIENCE_S = 120


class Tenant:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="cortexkey-killed-"))
        self.process = subprocess.Popen(
            [PROGRAM, "tenant", "--quiet", "--control"], stdout=subprocess.PIPE, text=True, cwd=self.folder
        )
        ready = json.loads(self.process.stdout.readline())
        key = ready["keys"]["advanced"]
        self.url = ready["url"]
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "CORTEXKEY_FQDN": ready["url"],
            "CORTEXKEY_API_KEY_ID": str(key["id"]),
            "CORTEXKEY_API_KEY": key["key"],
            "CORTEXKEY_API_KEY_TYPE": "advanced",
        }

    def start(self, *args):
        return subprocess.Popen(
            [PROGRAM, *args], env=self.environment, cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )

    def run(self, *args, code=0):
        process = self.start(*args)
        out, errors = process.communicate(timeout=PATIENCE_S)
        assert code in (None, process.returncode), (args, process.returncode, out, errors)
        return out

    def kill_after(self, seconds, *args):
        """Whether the run was killed."""
        process = self.start(*args)
        try:
            process.communicate(timeout=seconds)
            return False
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            return True

    def fail(self, count):
        """Lets some of the next requests fail."""
        kinds = [
            {"status": {"status": 429, "retryAfterS": 0, "envelope": "public-api"}},
            {"status": {"status": 500, "envelope": "public-api"}},
            {"slow": {"delayMs": 100}}, "truncated", "reset",
        ]
        faults = [
            {"kind": RANDOM.choice(kinds), "times": 1, "path": "", "after": RANDOM.random() < 0.5}
            for _ in range(count)
        ]
        request = urllib.request.Request(f"{self.url}/_cortexkey/faults", method="PUT")
        request.add_header("content-type", "application/json")
        urllib.request.urlopen(request, json.dumps({"faults": faults}).encode(), timeout=PATIENCE_S).close()

    def keys(self):
        return json.loads(self.run("keys", "list", "--format", "json"))["keys"]

    def delete(self, ids):
        if ids:
            self.run("keys", "delete", *map(str, ids), "--yes")

    def stop(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def provision(tenant, kills):
    """Lists of five lines, until as many runs were killed."""
    killed, lists = 0, 0
    own = {key["id"] for key in tenant.keys()}
    while killed < kills:
        lists += 1
        folder = tenant.folder / f"list-{lists}"
        (folder / "keys").mkdir(parents=True, mode=0o700)
        (folder / "list.csv").write_text(
            "name,owner\n" + "".join(f"svc-{lists}-{line},team-{line}\n" for line in range(5))
        )
        sink = RANDOM.choice([
            ("--sink-folder", str(folder / "keys")),
            ("--sink-store", f"file://{folder}/keys/{{name}}.json"),
        ])
        command = (
            "keys", "provision", str(folder / "list.csv"), "--role", "Viewer", "--security-level",
            "advanced", "--lifetime", "30d", "--yes", *sink,
        )
        runs = 0
        tenant.fail(RANDOM.choice([0, 0, 1, 3]))
        # The first run takes longest. Later ones have less to do.
        while tenant.kill_after(RANDOM.uniform(0.005, max(0.05, whole(tenant) / (1 + runs / 3))), *command):
            killed += 1
            runs += 1
            tenant.fail(RANDOM.choice([0, 0, 1, 3]))
            if runs > 40:
                break
        tenant.fail(0)
        tenant.run(*command)
        check_list(tenant, folder, own, sink[0])
        tenant.delete({key["id"] for key in tenant.keys()} - own)
    print(f"provision: {lists} lists, {killed} runs killed: one key for each line, in its place", flush=True)


def whole(tenant, known=[]):
    """How long a run with five keys takes here."""
    if not known:
        folder = tenant.folder / "timed"
        folder.mkdir(mode=0o700)
        (folder / "list.csv").write_text("name,owner\n" + "".join(f"timed-{line},a\n" for line in range(5)))
        before = {key["id"] for key in tenant.keys()}
        start = time.monotonic()
        tenant.run(
            "keys", "provision", str(folder / "list.csv"), "--role", "Viewer", "--security-level",
            "advanced", "--lifetime", "30d", "--yes", "--sink-folder", str(folder),
        )
        known.append(time.monotonic() - start)
        tenant.delete({key["id"] for key in tenant.keys()} - before)
    return known[0]


def check_list(tenant, folder, own, sink):
    keys = {key["id"]: key for key in tenant.keys() if key["id"] not in own}
    assert len(keys) == 5, (folder, keys)
    record = (folder / "list.csv.lock").read_text()
    assert "pending" not in record and "retiring" not in record and "doubtful" not in record, record
    places = [path for path in (folder / "keys").iterdir() if not path.name.startswith(".")]
    assert len(places) == 5, places
    used = set()
    for place in places:
        name = place.name.removesuffix(".json")
        key_id, = (key_id for key_id, key in keys.items() if key["comment"].startswith(f"{name}, owner"))
        used.add(key_id)
        assert f"id: {key_id}" in record, (name, record)
        source = (
            ("--key-file", str(place)) if sink == "--sink-folder" else ("--key-store", f"file://{place}")
        )
        environment = {**tenant.environment, "CORTEXKEY_API_KEY_ID": str(key_id)}
        del environment["CORTEXKEY_API_KEY"]
        ping = subprocess.run(
            [PROGRAM, "ping", *source], env=environment, capture_output=True, text=True, check=False,
            timeout=PATIENCE_S,
        )
        assert ping.returncode == 0, (name, ping)
    assert used == set(keys), (used, keys)
    # A killed run may leave the temporary file of its write, which the next one removes.
    left = [path.name for path in (folder / "keys").iterdir() if path.name.startswith(".cortexkey-")]
    left = [name for name in left if not name.endswith("tenant")]
    assert not left, f"temporary files with keys are left: {left}"


class Hook(http.server.BaseHTTPRequestHandler):
    """A webhook that fails in every way, and knows what it confirmed."""

    # Message -> [(run, confirmed, repeat, notices)]
    got = collections.defaultdict(list)
    run, fails = 0, True
    lock = threading.Lock()

    def do_POST(self):
        length = int(self.headers["content-length"])
        fault = RANDOM.choice([None] * 4 + ["refuse", "busy", "drop", "half", "slow"]) if self.fails else None
        if fault == "drop":
            # The body is cut off, so nothing was received.
            self.rfile.read(length // 2)
            self.close_connection = True
            return
        body = self.rfile.read(length)
        self.close_connection = True
        if len(body) < length:
            # The sender was killed meanwhile.
            return
        body = json.loads(body)
        assert self.headers["webhook-id"] == body["id"]
        if fault == "slow":
            time.sleep(RANDOM.uniform(0, 0.1))
        status = {"refuse": 500, "busy": 429}.get(fault, 204)
        answer = (f"HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n").encode()
        if fault == "half":
            answer = answer[:7]
        sent = True
        with self.lock:
            try:
                self.wfile.write(answer)
                self.wfile.flush()
            except OSError:
                sent = False
            if status == 204:
                ids = [notice["id"] for notice in body["notices"]]
                confirmed = sent and fault != "half"
                self.got[body["id"]].append((Hook.run, confirmed, body["repeat"], ids))

    def log_message(self, *_):
        pass


def watch(tenant, kills):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = tenant.folder / "config/cortexkey/config.toml"
    config.parent.mkdir(parents=True)
    config.write_text(
        f'[targets.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:{server.server_port}/"\n'
        f'[targets.log]\nkind = "file"\npath = "{tenant.folder}/notices.jsonl"\n'
    )
    killed, took = set(), 0.5
    while len(killed) < kills:
        tenant.run(
            "keys", "generate", "--role", "Viewer", "--security-level", "standard", "--lifetime",
            f"{RANDOM.randint(1, 20)}d", "--sink-file", f"key-{Hook.run}",
        )
        for _ in range(RANDOM.randint(1, 8)):
            Hook.run += 1
            tenant.fail(RANDOM.choice([0, 0, 0, 1]))
            start = time.monotonic()
            if tenant.kill_after(RANDOM.uniform(0.005, took * 1.2), "keys", "watch"):
                killed.add(Hook.run)
            else:
                # So that about as many runs are killed as finish.
                took = (took + time.monotonic() - start) / 2
        tenant.fail(0)
    Hook.fails = False
    Hook.run += 1
    tenant.run("keys", "watch")
    Hook.run += 1
    before = sum(len(attempts) for attempts in Hook.got.values())
    tenant.run("keys", "watch")
    assert before == sum(len(attempts) for attempts in Hook.got.values()), "a notice is sent without end"
    check_notices(tenant, killed)
    server.shutdown()
    server.server_close()


def check_notices(tenant, killed):
    week_ms = 7 * 86_400_000
    now_ms = time.time() * 1000
    expiring = [key for key in tenant.keys() if key["expiration"]]
    soon = {key["id"] for key in expiring if key["expiration"] - now_ms < week_ms}
    assert soon, "no key expires soon"
    repeats = 0
    of_notice = collections.defaultdict(set)
    for message, attempts in Hook.got.items():
        for number, (run, confirmed, repeat, ids) in enumerate(attempts):
            for of in ids:
                of_notice[of].add(message)
            if number > 0:
                repeats += 1
                assert repeat, f"{message} came again without the mark"
                assert ids == attempts[0][3], f"{message} has other notices the second time"
                earlier_run, earlier_confirmed = attempts[number - 1][:2]
                assert not earlier_confirmed or earlier_run in killed, f"{message} came again after its confirmation"
    for notice, messages in of_notice.items():
        assert len(messages) == 1, f"{notice} is in {len(messages)} messages"
    told = {int(notice.split("/")[-3]) for notice in of_notice if "/unreachable/" not in notice}
    assert soon <= told, f"lost: {soon - told}"
    lines = (tenant.folder / "notices.jsonl").read_text().splitlines()
    in_file = collections.Counter(json.loads(line)["id"] for line in lines)
    assert set(in_file) == set(of_notice), set(in_file) ^ set(of_notice)
    assert set(in_file.values()) == {1}, in_file
    print(
        f"watch: {len(killed)} runs killed, {len(of_notice)} notices in {len(Hook.got)} messages: none lost, "
        f"{repeats} sent again, each after a failure or a kill, and marked", flush=True,
    )


def full(tenant):
    """File systems without space, and files that were cut off."""
    place = tenant.folder / "full"
    place.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "none", place]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        print("full: skipped: no file system can be mounted here", flush=True)
        return
    try:
        full_list(tenant, place)
        full_watch(tenant, place)
    finally:
        subprocess.run(["umount", place], check=True)
    print("full: nothing was lost without space, and the next run finished", flush=True)


def full_list(tenant, place):
    own = {key["id"] for key in tenant.keys()}
    filler = place / "filler"
    for on_full in ("record", "keys", "both"):
        folder = tenant.folder / f"full-{on_full}"
        folder.mkdir(mode=0o700)
        keys, record = folder / "keys", folder / "list.csv.lock"
        if on_full != "record":
            keys = place / f"keys-{on_full}"
        if on_full != "keys":
            record = place / f"{on_full}.lock"
        keys.mkdir(mode=0o700)
        (folder / "list.csv").write_text("name,owner\n" + "".join(f"{on_full}-{n},a\n" for n in range(3)))
        command = (
            "keys", "provision", str(folder / "list.csv"), "--role", "Viewer", "--security-level", "advanced",
            "--lifetime", "30d", "--yes", "--sink-folder", str(keys), "--record", str(record),
        )
        # No space at all, and space for some of it.
        for room in (0, 1, 2):
            fill(filler, place, room)
            tenant.run(*command, code=None)
            filler.unlink()
        tenant.run(*command)
        made = {key["id"]: key["comment"] for key in tenant.keys() if key["id"] not in own}
        names = sorted(path.name for path in keys.iterdir() if not path.name.startswith("."))
        assert len(made) == 3 and names == [f"{on_full}-{n}" for n in range(3)], (made, names)
        for name in names:
            key_id, = (key_id for key_id, comment in made.items() if comment.startswith(f"{name}, owner"))
            environment = {**tenant.environment, "CORTEXKEY_API_KEY_ID": str(key_id)}
            del environment["CORTEXKEY_API_KEY"]
            ping = [PROGRAM, "ping", "--key-file", keys / name]
            subprocess.run(ping, env=environment, check=True, capture_output=True, timeout=PATIENCE_S)
        tenant.delete(made)
        # A record that was cut off is an error, and nothing is generated.
        text = record.read_text()
        record.write_text(text[: len(text) // 2])
        tenant.run(*command, code=None)
        assert {key["id"] for key in tenant.keys()} == own, "a damaged record was taken for an empty one"


def fill(filler, place, pages):
    """Takes all space of a file system but some pages."""
    with filler.open("wb") as file:
        free = os.statvfs(place).f_bavail - pages
        file.write(b"x" * max(0, free) * os.statvfs(place).f_frsize)


def full_watch(tenant, place):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hook)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    Hook.fails, Hook.got = False, collections.defaultdict(list)
    config = tenant.folder / "config/cortexkey/config.toml"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(
        f'[targets.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:{server.server_port}/"\n'
        f'[targets.log]\nkind = "file"\npath = "{place}/notices.jsonl"\n'
    )
    tenant.run("keys", "generate", "--role", "Viewer", "--security-level", "standard", "--lifetime", "5d",
               "--sink-file", "soon.key")
    filler = place / "filler"
    state = ("--state", str(place / "state/state.json"))
    fill(filler, place, 0)
    tenant.run("keys", "watch", *state, code=1)
    assert not Hook.got, "a notice was sent that cannot be recorded"
    filler.unlink()
    # The state has space, and neither the file of notices nor the metrics have.
    state = ("--state", str(tenant.folder / "watch/state.json"))
    fill(filler, place, 0)
    outputs = ("--metrics", str(place / "a.prom"), "--calendar", str(place / "a.ics"))
    tenant.run("keys", "watch", *state, *outputs, code=1)
    assert sum(map(len, Hook.got.values())) == 1, Hook.got
    assert not (place / "a.prom").exists() and not (place / "a.ics").exists()
    filler.unlink()
    tenant.run("keys", "watch", *state, *outputs)
    assert sum(map(len, Hook.got.values())) == 1, "the hook got its notice twice"
    assert len((place / "notices.jsonl").read_text().splitlines()) == 1
    assert (place / "a.prom").stat().st_size and (place / "a.ics").stat().st_size
    # A state that was cut off.
    path = tenant.folder / "watch/state.json"
    path.write_text(path.read_text()[:-20])
    tenant.run("keys", "watch", *state, code=2)
    assert sum(map(len, Hook.got.values())) == 1
    server.shutdown()
    server.server_close()


def main():
    print(f"seed {ARGUMENTS.seed}", flush=True)
    for campaign in (provision, watch, full):
        tenant = Tenant()
        try:
            campaign(tenant, *([] if campaign is full else [ARGUMENTS.kills]))
        finally:
            tenant.stop()


main()
