"""Runs clients that other people wrote, unmodified, against the tenant over TLS.

Each makes its calls on keys, roles and scopes. No client is patched: all that is arranged is what a
user would arrange, an entry for the host's name and the authority to trust.

CORTEXKEY_GUIDE may name a file with the text of the vendor's guide "Get Started with APIs". The two
Python samples in it are then run as they are printed; they are not part of this repository.
Usage: clients.py PATH-OF-CORTEXKEY
"""

import json
import os
import socket
import subprocess
import sys
import textwrap

HOST = "api-tenant.localhost"


def resolve_as_the_hosts_file_would():
    """As a line `127.0.0.1 api-tenant.localhost` in /etc/hosts."""
    system = socket.getaddrinfo

    def getaddrinfo(host, *args, **kwargs):
        return system("127.0.0.1" if host == HOST else host, *args, **kwargs)

    socket.getaddrinfo = getaddrinfo


def cortex_xdr_client(port, key, kind):
    from cortex_xdr_client.api.authentication import Authentication, AuthenticationType
    from cortex_xdr_client.api.version import APIVersion
    from cortex_xdr_client.client import CortexXDRClient

    level = AuthenticationType[kind.upper()]
    auth = Authentication(key["key"], key["id"], level)
    client = CortexXDRClient(auth, f"{HOST}:{port}", api_version=APIVersion.V5)

    made = client.api_keys_api.generate(roles=["Viewer"], security_level=kind, comment="unmodified")
    new_id = made["reply"]["id"]
    by_id = [{"field": "id", "operator": "in", "value": [new_id]}]
    listed = client.api_keys_api.get_api_keys(filters=by_id)["reply"]
    assert [record["comment"] for record in listed["DATA"]] == ["unmodified"], listed
    # The edit takes the ids of roles, and lists show their names.
    ids = {role["pretty_name"]: role["role_id"] for role in client.iam_api.list_roles()["data"]}
    responder = [ids["Responder"]]
    client.iam_api.edit_apikey(api_key_id=new_id, roles=responder, security_level=kind)
    read = client.iam_api.get_api_key_by_id(api_key_id=new_id)["data"]
    assert (read["roles"], read["comment"]) == (["Responder"], "unmodified"), read

    client.iam_api.create_role(pretty_name="Unmodified", component_permissions=["auditing_view"])
    roles = {role["pretty_name"]: role for role in client.iam_api.list_roles()["data"]}
    client.iam_api.delete_role(role_id=roles["Unmodified"]["role_id"])
    assert client.iam_api.list_permission_configs()["data"]["rbac_permissions"]

    scope = {"entity_type": "api-key", "entity_id": str(new_id)}
    client.iam_api.edit_scope(
        **scope,
        assets={"mode": "scope", "asset_group_ids": [16]},
        cases_issues={"mode": "scope", "names": ["IT"]},
        endpoints={
            "endpoint_groups": {"mode": "no_scope", "names": []},
            "endpoint_tags": {"mode": "no_scope", "names": []},
        },
    )
    read = client.iam_api.get_scope(**scope)["data"]
    assert read["assets"]["asset_groups"][0]["asset_group_name"] == "prod-eu", read

    assert client.api_keys_api.delete(filters=by_id) == {"reply": {"update_count": 1}}
    assert client.system_api.healthcheck()["status"] == "available"
    assert client.audits_api.management_logs()["reply"]["total_count"] > 0
    assert client.cases_api.get_cases().reply.total_count == 6
    assert client.issues_api.get_issues().reply.total_count == 12
    return "keys, roles, scopes, audit log, cases, issues"


def demisto_py(port, key, kind):
    import demisto_client

    ways = {"standard": "api_key", "advanced": "advanced_api_key"}
    client = demisto_client.configure(
        base_url=f"https://{HOST}:{port}",
        auth_id=str(key["id"]),
        ssl_ca_cert=os.environ["REQUESTS_CA_BUNDLE"],
        **{ways[kind]: key["key"]},
    )

    def call(path, body):
        answer, status, _ = demisto_client.generic_request_func(
            client, path, "POST", body=body, content_type="application/json", response_type=object
        )
        assert status == 200, (path, status, answer)
        return answer

    request = {"roles": ["Viewer"], "security_level": kind}
    made = call("/public/v1/api_keys/generate", {"request_data": request})
    by_id = [{"field": "id", "operator": "in", "value": [made["reply"]["id"]]}]
    listed = call("/public/v1/api_keys/get_api_keys/", {"request_data": {"filters": by_id}})
    assert listed["reply"]["FILTER_COUNT"] == 1, listed
    call("/public/v1/api_keys/delete", {"request_data": {"filters": by_id}})
    return "keys, through its generic request"


def httpie(port, key, _):
    command = [
        os.path.join(os.path.dirname(sys.executable), "http"),
        "--ignore-stdin",
        "--check-status",
        "--body",
        "--verify",
        os.environ["REQUESTS_CA_BUNDLE"],
        "POST",
        f"https://127.0.0.1:{port}/public_api/v1/api_keys/get_api_keys",
        f"x-xdr-auth-id:{key['id']}",
        f"Authorization:{key['key']}",
        "request_data[filters]:=[]",
    ]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    assert listed["reply"]["TOTAL_COUNT"] >= 2, listed
    return "keys; Standard, since it signs nothing"


def vendor_sample(port, key, kind):
    """The sample of the guide, from its text. The Standard one does not run as it is printed."""
    with open(os.environ["CORTEXKEY_GUIDE"], encoding="utf-8") as file:
        guide = file.read()
    headings = {kind: f"{kind.capitalize()} Key Python 3 Example" for kind in ("standard", "advanced")}
    text = guide.split(headings[kind])[-1].split(headings["advanced"])[0]
    indent = "    " if "\n    import requests" in text else ""
    lines = [line.removeprefix(indent) for line in text.strip("\n").splitlines()]
    code = "\n".join(lines[next(at for at, line in enumerate(lines) if line == "import requests") :])
    # The call that the console puts into its samples.
    address = f"https://{HOST}:{port}/api_keys/validate/"
    code = code.replace("https://api-{fqdn}/xsoar/{name of api}/{name of call}", address)
    remark = "as printed"
    try:
        compile(code, "sample", "exec")
    except IndentationError:
        # Its `def` is indented one level too far.
        code = code.replace("\n    def ", "\ndef ")
        remark = "with its first line of the function moved to the left"
    space = {}
    exec(compile(textwrap.dedent(code), "sample", "exec"), space)  # noqa: S102
    answer = space[f"test_{kind}_authentication"](key["id"], key["key"])
    assert answer.status_code == 200, answer.text
    assert answer.json() == "true", answer.text
    return remark


def main():
    command = [sys.argv[1], "tenant", "--quiet", "--tls"]
    tenant = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        ready = json.loads(tenant.stdout.readline())
        os.environ["REQUESTS_CA_BUNDLE"] = ready["ca"]
        assert HOST in ready["hosts"], ready
        port = ready["url"].rsplit(":", 1)[1]
        resolve_as_the_hosts_file_would()
        for client, kinds in [
            (cortex_xdr_client, ["standard", "advanced"]),
            (demisto_py, ["standard", "advanced"]),
            (httpie, ["standard"]),
        ]:
            for kind in kinds:
                print(f"{client.__name__}, {kind}: {client(port, ready['keys'][kind], kind)}")
        if os.environ.get("CORTEXKEY_GUIDE"):
            for kind in ("standard", "advanced"):
                print(f"vendor_sample, {kind}: {vendor_sample(port, ready['keys'][kind], kind)}")
        else:
            print("vendor_sample: skipped, since CORTEXKEY_GUIDE names no text of the guide")
    finally:
        tenant.terminate()
    assert tenant.wait(timeout=10) == 0, "the tenant did not end in good order"


main()
