"""A small tenant, written from the vendor's interface description alone.

It shares no code and no types with the project, so that a misreading of the description on our side
meets somebody else's reading here. Where the description is ambiguous, a switch chooses the reading:

    put_roles      ids | names | drop | drop_names   what the PUT of a key takes; "drop" forgets what
                                                     it does not know, and says that all is well
    case           upper | lower                     DATA or data in a list of keys
    levels         lower | capital                   "standard" or "Standard"
    count          all | page | none | text          what FILTER_COUNT says
    page_max       N                                 the longest page
    nulls          true                              an empty list is null
    seconds        true                              an expiry is kept in whole seconds
    maker          described | absent                whether a key says which key made it
    validate       true | false                      whether there is api_keys/validate
    extra          true                              unknown members, and a record that nobody can read
    delete_unknown count | error                     what deleting a key that is gone answers

`POST /double/fault` sets one fault: {"path": ..., "when": before | after, "kind": 429 | 500 | reset |
slow, "times": N}, and with "then" another one after it. `GET /double/state` shows everything, secrets too: this is a test's tenant.

It prints one line, {"port": ..., "keys": {...}}, and ends when its standard input does.
"""

import hashlib
import http.server
import json
import re
import secrets
import string
import sys
import threading
import time

SWITCHES = {
    "put_roles": "ids",
    "case": "upper",
    "levels": "lower",
    "count": "all",
    "page_max": 100,
    "nulls": False,
    "seconds": False,
    "maker": "described",
    "validate": True,
    "extra": False,
    "delete_unknown": "count",
}
DAY = 24 * 3600 * 1000
ROLES = [
    ("r_7f3a", "Instance Administrator", {"pv", "pa", "mv", "ma"}),
    ("r_91bc", "Self Service", {"pv", "pa"}),
    ("r_02de", "Viewer", set()),
    ("r_44aa", "Responder", set()),
    ("r_5599", "App Service Account", set()),
]
DOMAINS = ["Security", "IT", "Health"]
GROUPS = {1: "prod-eu", 2: "prod-us"}
ENDPOINT_GROUPS = ["servers-eu"]
ENDPOINT_TAGS = ["vip"]


def now():
    return int(time.time() * 1000)


def text(length):
    return "".join(secrets.choice(string.ascii_letters + string.digits) for _ in range(length))


class Refuse(Exception):
    def __init__(self, status, body):
        super().__init__(status)
        self.status, self.body = status, body


def public_error(status, message, extra=None):
    return Refuse(status, {"reply": {"err_code": status, "err_msg": message, "err_extra": extra}})


def iam_error(extra, status=400):
    message = "The request contains invalid or missing parameters."
    metadata = {"err_extra": extra, "err_code": status}
    return Refuse(status, {"data": {"err_msg": message, "metadata": metadata}})


def forbidden(iam):
    reply = {
        "err_code": 403,
        "err_msg": "Forbidden. Access was denied to this resource.",
        "err_extra": "Insufficient permissions for api key",
    }
    return Refuse(403, {"data": {"reply": reply}} if iam else {"reply": reply})


class Tenant:
    """What one tenant has; a parent's child is another one."""

    def __init__(self, switches):
        self.switches = switches
        self.keys, self.scopes, self.last = {}, {}, 0
        self.lock = threading.RLock()

    def make(self, roles, level, comment, expiration, user="Ada", by="ada@acme.example"):
        self.last += 1
        self.keys[self.last] = {
            "id": self.last,
            "creation_time": now(),
            "created_by": by,
            "user_name": user,
            "roles": roles,
            "security_level": level,
            "comment": comment,
            "expiration": expiration,
            "secret": text(128),
        }
        return self.keys[self.last]

    def empty(self, items):
        return None if self.switches["nulls"] and not items else items

    def shown(self, key):
        record = {name: value for name, value in key.items() if name != "secret"}
        record["roles"] = self.empty(record["roles"])
        if self.switches["maker"] == "absent":
            record["created_by"] = record["user_name"] = None
        if self.switches["levels"] == "capital":
            record["security_level"] = record["security_level"].capitalize()
        if self.switches["extra"]:
            record["last_used"] = {"ip": None}
        return record

    def scope(self, key_id):
        nothing = {"mode": "no_scope", "names": []}
        return self.scopes.get(
            key_id,
            {
                "assets": {"mode": "no_scope", "asset_group_ids": []},
                "cases_issues": nothing,
                "endpoints": {"endpoint_groups": nothing, "endpoint_tags": nothing},
            },
        )

    def shown_scope(self, key_id):
        scope = self.scope(key_id)

        def tagged(area, prefix):
            if area["mode"] == "any":
                return {"mode": "any", "tags": [{"tag_id": None, "tag_name": "Any"}]}
            tags = [
                {"tag_id": f"{prefix}:{at}", "tag_name": name}
                for at, name in enumerate(area.get("names") or [])
            ]
            return {"mode": area["mode"], "tags": self.empty(tags)}

        groups = [
            {"asset_group_id": at, "asset_group_name": GROUPS[at]}
            for at in scope["assets"].get("asset_group_ids") or []
        ]
        return {
            "assets": {"mode": scope["assets"]["mode"], "asset_groups": self.empty(groups)},
            "cases_issues": tagged(scope["cases_issues"], "DOM"),
            "endpoints": {
                "endpoint_groups": tagged(scope["endpoints"]["endpoint_groups"], "EG"),
                "endpoint_tags": tagged(scope["endpoints"]["endpoint_tags"], "ET"),
            },
        }

    # The calls of the public API.

    def list(self, request, caller):
        need(caller, "pv", False)
        records = sorted(self.keys.values(), key=lambda key: key["id"], reverse=True)
        for condition in request.get("filters") or []:
            field, value = condition["field"], condition["value"]
            operator = condition["operator"]
            tests = {
                ("id", "in"): lambda key: key["id"] in value,
                ("roles", "contains"): lambda key: set(value) & set(key["roles"]),
                ("expiration", "gte"): lambda key: (key["expiration"] or 1 << 62) >= value,
                ("expiration", "lte"): lambda key: (key["expiration"] or 1 << 62) <= value,
            }
            if (field, operator) not in tests:
                raise public_error(500, "bad filter", f"{field} {operator}")
            records = [key for key in records if tests[field, operator](key)]
        fit = len(records)
        start, end = request.get("search_from") or 0, request.get("search_to") or 100
        page = records[start : min(end, start + self.switches["page_max"])]
        data = [self.shown(key) for key in page]
        if self.switches["extra"] and not request.get("filters") and start == 0:
            data.append({"id": 900000, "security_level": "quantum", "roles": []})
        names = ["DATA", "FILTER_COUNT", "TOTAL_COUNT"]
        if self.switches["case"] == "lower":
            names = [name.lower() for name in names]
        count = {"all": fit, "page": len(page), "none": None, "text": str(fit)}
        reply = {names[0]: self.empty(data), names[2]: len(self.keys)}
        if self.switches["count"] != "none":
            reply[names[1]] = count[self.switches["count"]]
        else:
            del reply[names[2]]
        return {"reply": reply}

    def generate(self, request, caller):
        need(caller, "pa", False)
        known = {name for _, name, _ in ROLES}
        roles, level = request.get("roles"), request.get("security_level")
        if not isinstance(roles, list) or not set(roles) <= known:
            raise public_error(500, "An error occurred while processing", "Unknown custom roles")
        if level not in ("standard", "advanced"):
            raise public_error(500, "An error occurred while processing", "security_level")
        expiration = request.get("expiration", now() + 7 * DAY)
        if not isinstance(expiration, int) or not now() < expiration <= now() + 184 * DAY:
            raise public_error(500, "must be integer in epoch milliseconds")
        if self.switches["seconds"]:
            expiration = expiration // 1000 * 1000
        user = f"Public API - {caller['id']}"
        key = self.make(roles, level, request.get("comment"), expiration, user, "N/A")
        return {"reply": {"id": key["id"], "key": key["secret"]}}

    def delete(self, request, caller):
        need(caller, "pa", False)
        (condition,) = request["filters"]
        if (condition["field"], condition["operator"]) != ("id", "in"):
            raise public_error(500, "bad filter")
        ids = [key_id for key_id in condition["value"] if key_id in self.keys]
        if len(ids) < len(condition["value"]) and self.switches["delete_unknown"] == "error":
            raise public_error(500, "An error occurred while processing", "no such key")
        for key_id in ids:
            del self.keys[key_id]
            self.scopes.pop(key_id, None)
        return {"reply": {"update_count": len(ids)}}

    # The calls of the platform.

    def roles(self, caller):
        need(caller, "mv", True)
        data = [
            {
                "role_id": role_id,
                "pretty_name": name,
                "description": None,
                "is_custom": False,
                "created_by": "Palo Alto Networks",
                "created_ts": 1661171650679,
                "updated_ts": 1661171650679,
            }
            for role_id, name, _ in ROLES
        ]
        return {"data": data, "metadata": {"total_count": len(data)}}

    def read(self, key_id, caller):
        need(caller, "mv", True)
        if key_id not in self.keys:
            raise iam_error(f"Api Key fetch failed: api_key_id does not exist, id={key_id}.")
        return {"data": self.shown(self.keys[key_id]), "metadata": {}}

    def edit(self, key_id, request, caller):
        need(caller, "ma", True)
        if key_id not in self.keys:
            raise iam_error("Invalid api_key_id")
        if not {"roles", "security_level"} <= set(request) <= {"roles", "security_level", "comment"}:
            raise iam_error("additional or missing properties")
        mode = self.switches["put_roles"]
        by_id = {role_id: name for role_id, name, _ in ROLES}
        table = by_id if mode in ("ids", "drop") else {name: name for name in by_id.values()}
        unknown = [role for role in request["roles"] if role not in table]
        if unknown and mode in ("ids", "names"):
            raise iam_error(f"The role {unknown[0]} does not exist.")
        key = self.keys[key_id]
        key["roles"] = [table[role] for role in request["roles"] if role in table]
        key["security_level"] = request["security_level"]
        if "comment" in request:
            key["comment"] = request["comment"]
        return {"data": {"message": "API key updated successfully"}}

    def read_scope(self, key_id, caller):
        need(caller, "mv", True)
        if key_id not in self.keys:
            raise iam_error(f"api_key_id does not exist, id={key_id}.")
        return {"data": self.shown_scope(key_id), "metadata": {}}

    def edit_scope(self, key_id, request, caller):
        need(caller, "ma", True)
        if key_id not in self.keys:
            raise iam_error("Invalid api_key_id")
        if set(request) != {"assets", "cases_issues", "endpoints"}:
            raise iam_error("the scope has other areas than it should")
        names = (
            (request["cases_issues"], DOMAINS),
            (request["endpoints"]["endpoint_groups"], ENDPOINT_GROUPS),
            (request["endpoints"]["endpoint_tags"], ENDPOINT_TAGS),
        )
        for area, known in names:
            for name in area.get("names") or []:
                if name not in known:
                    raise iam_error(f"The scope name {name} does not exist.")
        for group in request["assets"].get("asset_group_ids") or []:
            if group not in GROUPS:
                raise iam_error(f"The scope name {group} does not exist.")
        self.scopes[key_id] = request
        return {"data": {"message": f"Scope updated for api-key {key_id} successfully"}}


def need(caller, permission, iam):
    held = set().union(*[has for _, name, has in ROLES if name in caller["roles"]], set())
    if permission not in held:
        raise forbidden(iam)


class Double:
    def __init__(self, switches, children):
        self.switches = switches
        self.parent = Tenant(switches)
        self.children = {child: Tenant(switches) for child in children}
        self.fault, self.calls = None, []
        administrator, self_service = "Instance Administrator", "Self Service"
        self.seeds = {
            "admin": self.parent.make([administrator], "advanced", "admin", None),
            "narrow": self.parent.make([self_service], "advanced", "self service", None),
            "system": self.parent.make(
                ["App Service Account"], "standard", "notebooks", None, "System", "System"
            ),
        }

    def caller(self, headers):
        try:
            key = self.parent.keys[int(headers.get("x-xdr-auth-id", ""))]
        except (KeyError, ValueError):
            return None
        given = headers.get("authorization", "")
        if key["expiration"] and key["expiration"] <= now():
            return None
        if key["security_level"] == "standard":
            return key if secrets.compare_digest(given, key["secret"]) else None
        signed = key["secret"] + headers.get("x-xdr-nonce", "") + headers.get("x-xdr-timestamp", "")
        digest = hashlib.sha256(signed.encode()).hexdigest()
        return key if secrets.compare_digest(given, digest) else None

    def answer(self, method, path, headers, body):
        caller = self.caller(headers)
        # A child's own keys sign for it too; the key identifies it.
        tenant = self.parent
        child = headers.get("x-child-tenant-id")
        if child is not None:
            if child not in self.children:
                raise forbidden(False)
            tenant = self.children[child]
        if caller is None and child is not None:
            self.parent, parent = tenant, self.parent
            try:
                caller = self.caller(headers)
            finally:
                self.parent = parent
        if caller is None:
            raise public_error(401, "Public API request unauthorized")
        request = (body or {}).get("request_data") or {}
        path = path.rstrip("/")
        with tenant.lock:
            if path == "/api_keys/validate" and self.switches["validate"]:
                return "true"
            if (method, path) == ("GET", "/public_api/v1/healthcheck"):
                return {"status": "available"}
            posts = {
                "/public_api/v1/api_keys/get_api_keys": tenant.list,
                "/public_api/v1/api_keys/generate": tenant.generate,
                "/public_api/v1/api_keys/delete": tenant.delete,
            }
            if method == "POST" and path in posts:
                return posts[path](request, caller)
            if (method, path) == ("POST", "/public_api/v1/asset-groups"):
                groups = [
                    {"XDM.ASSET_GROUP.ID": at, "XDM.ASSET_GROUP.NAME": name}
                    for at, name in GROUPS.items()
                ]
                return {"reply": {"data": groups, "metadata": {"filter_count": len(groups)}}}
            if (method, path) == ("GET", "/platform/iam/v1/role"):
                return tenant.roles(caller)
            found = re.fullmatch(r"/platform/iam/v1/(scope/)?api-key/(\d+)", path)
            if found and method in ("GET", "PUT"):
                key_id = int(found[2])
                if found[1]:
                    if method == "GET":
                        return tenant.read_scope(key_id, caller)
                    return tenant.edit_scope(key_id, request, caller)
                if method == "GET":
                    return tenant.read(key_id, caller)
                return tenant.edit(key_id, request, caller)
        raise Refuse(404, {"reply": {"err_code": 404, "err_msg": "not found", "err_extra": None}})

    def control(self, path, body):
        if path == "/double/fault":
            self.fault = body
            return {}
        if path == "/double/calls":
            calls, self.calls = self.calls, []
            return calls
        tenants = {"": self.parent, **self.children}
        return {
            name: {
                "keys": list(tenant.keys.values()),
                "scopes": {str(at): tenant.shown_scope(at) for at in tenant.keys},
            }
            for name, tenant in tenants.items()
        }

    def fault_of(self, path):
        fault = self.fault
        if not fault or not path.startswith(fault["path"]) or fault["times"] <= 0:
            return None
        fault["times"] -= 1
        if fault["times"] == 0:
            self.fault = fault.get("then")
        return fault


def handler(double):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def run(self):
            length = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(length) if length else b""
            if self.path.startswith("/double/"):
                return self.send(200, double.control(self.path, json.loads(raw or b"{}")))
            double.calls.append(f"{self.command} {self.path}")
            fault = double.fault_of(self.path)
            if fault and fault["when"] == "before" and self.spoil(fault):
                return None
            try:
                body = json.loads(raw) if raw else None
                status, answer = 200, double.answer(self.command, self.path, self.headers, body)
            except Refuse as refuse:
                status, answer = refuse.status, refuse.body
            if fault and fault["when"] == "after" and self.spoil(fault):
                return None
            return self.send(status, answer)

        do_GET = do_POST = do_PUT = run

        def spoil(self, fault):
            """True where the fault is the answer."""
            kind = fault["kind"]
            if kind == "slow":
                time.sleep(fault["seconds"])
                return False
            if kind == "reset":
                self.close_connection = True
                self.connection.close()
                return True
            body = {"reply": {"err_code": kind, "err_msg": "trouble", "err_extra": None}}
            self.send(kind, body)
            return True

        def send(self, status, answer):
            body = json.dumps(answer).encode()
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
            except OSError:
                self.close_connection = True

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, *_):
        pass


def main():
    given = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
    children = given.pop("children", [])
    unknown = set(given) - set(SWITCHES)
    if unknown:
        sys.exit(f"no such switch: {sorted(unknown)}")
    double = Double({**SWITCHES, **given}, children)
    server = Server(("127.0.0.1", 0), handler(double))
    keys = {name: {"id": key["id"], "key": key["secret"]} for name, key in double.seeds.items()}
    print(json.dumps({"port": server.server_address[1], "keys": keys}), flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
