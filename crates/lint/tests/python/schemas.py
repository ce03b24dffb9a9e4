"""Checks the linter's output against its readers' schemas, and its own schemas against its findings.

usage: schemas.py ROOT BINARY SARIF_SCHEMA

SARIF_SCHEMA is OASIS' own. The test writes only to a temporary folder.
"""

import copy
import itertools
import json
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

import jsonschema
import markdown_it
import yaml

ROOT, BINARY, SARIF_SCHEMA = (pathlib.Path(arg).resolve() for arg in sys.argv[1:4])

# The members that GitLab asks for, and the severities that it knows.
GITLAB = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["description", "check_name", "fingerprint", "severity", "location"],
        "properties": {
            "description": {"type": "string", "minLength": 1},
            "check_name": {"type": "string", "minLength": 1},
            "fingerprint": {"type": "string", "minLength": 1},
            "severity": {"enum": ["info", "minor", "major", "critical", "blocker"]},
            "location": {
                "type": "object",
                "required": ["path", "lines"],
                "properties": {
                    "path": {"type": "string", "pattern": "^(?!\\./)"},
                    "lines": {
                        "type": "object",
                        "required": ["begin"],
                        "properties": {"begin": {"type": "integer", "minimum": 1}},
                    },
                },
            },
        },
    },
}

POSITION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["line", "column"],
    "properties": {name: {"type": "integer", "minimum": 1} for name in ("line", "column")},
}
RANGE = {
    "type": "object",
    "additionalProperties": False,
    "required": ["start", "end"],
    "properties": {"start": POSITION, "end": POSITION},
}
LOCATION = {
    "type": "object",
    "additionalProperties": False,
    "required": ["path", "range"],
    "properties": {"path": {"type": "string", "pattern": "^(?!/|\\./)"}, "range": RANGE},
}


def record(required, **properties):
    """An object with these members and no others."""
    names = [name for name in properties if name in required]
    return {"type": "object", "additionalProperties": False, "required": names, "properties": properties}


TEXT = {"type": "string", "minLength": 1}
# The members of the Reviewdog Diagnostic Format that are written.
RDJSON = record(
    ["source", "diagnostics"],
    source=record(["name", "url"], name=TEXT, url=TEXT),
    diagnostics={
        "type": "array",
        "items": record(
            ["message", "location", "severity", "code"],
            message=TEXT,
            location=LOCATION,
            severity={"enum": ["ERROR", "WARNING", "INFO"]},
            code=record(["value"], value=TEXT, url=TEXT),
            suggestions={
                "type": "array",
                "items": record(["range", "text"], range=RANGE, text={"type": "string"}),
            },
            relatedLocations={
                "type": "array",
                "items": record(["message", "location"], message={"type": "string"}, location=LOCATION),
            },
        ),
    },
)

FIRST = """apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-first-prod, owner: team-detection, labels: { env: prod } }
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  expires: "2026-06-01T00:00:00Z"
  roles: [Viewer]
  scope:
    assets: { mode: select, groups: [prod-eu, { name: prod-us, id: 17 }] }
    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }
    endpoints: { mode: none }
"""

POLICY = """apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: ["keys/**/*.yaml"]
tenants: { main: { product: xsiam } }
waivers:
  - { rule: L001, key: svc-waived, reason: r, approvedBy: b, expires: 2026-03-01 }
"""


def run(folder, *arguments):
    command = [BINARY, "lint", "--now", "2026-01-01T00:00:00Z", *arguments]
    return subprocess.run(command, cwd=folder, text=True, capture_output=True).stdout


def write(folder, path, text):
    target = pathlib.Path(folder) / path
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(text.encode() if isinstance(text, str) else text)


def corpus(folder):
    """Something of everything: good, wrong, broken, waived, odd names."""
    write(folder, "cortexkey.yaml", POLICY)
    write(folder, "keys/svc-first-prod.yaml", FIRST)
    waived = FIRST.replace("svc-first-prod", "svc-waived").replace("advanced", "standard")
    write(folder, "keys/svc-waived.yaml", waived)
    write(folder, "keys/svc <&\"'> é:,%.yaml", FIRST.replace("advanced", "advnaced"))
    write(folder, "keys/svc-many.yaml", FIRST.replace("[Viewer]", "[viewer, Viewer, Nobody]"))
    write(folder, "keys/broken.yaml", "spec: [\n")
    write(folder, "keys/binary.yaml", b"\x00\xff")
    write(folder, "keys/empty.yaml", "")
    write(folder, "keys/secret.yaml", FIRST + "  apiKey: " + "aB3" * 43 + "\n")


def reports():
    with tempfile.TemporaryDirectory() as folder:
        for full in (False, True):
            if full:
                corpus(folder)
            findings = check(folder)
            assert (len(findings["findings"]) > 10) == full, findings
    print("ok  reports")


def check(folder):
    own = json.loads((ROOT / "schemas/lint.v1.json").read_text())
    findings = json.loads(run(folder, "--format", "json"))
    validate(findings, own)
    log = json.loads(run(folder, "--format", "sarif"))
    validate(log, json.loads(SARIF_SCHEMA.read_text()))
    results = log["runs"][0]["results"]
    assert len(results) == len(findings["findings"]) + len(findings["waived"])
    for result in results:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert not uri.startswith("/") and " " not in uri, uri
    quality = json.loads(run(folder, "--format", "gitlab"))
    validate(quality, GITLAB)
    prints = [entry["fingerprint"] for entry in quality]
    assert len(prints) == len(set(prints)) == len(findings["findings"])
    junit(run(folder, "--format", "junit"), findings)
    rdjson(folder, run(folder, "--format", "rdjson"), findings)
    checkstyle(run(folder, "--format", "checkstyle"), findings)
    markdown(run(folder, "--format", "markdown"), findings)
    # Several in one run, and all of them the same as one by one.
    run(folder, "--format", "json=a.json", "--format", "sarif=b.sarif", "--format", "junit=c.xml")
    assert json.loads((pathlib.Path(folder) / "a.json").read_text()) == findings
    assert json.loads((pathlib.Path(folder) / "b.sarif").read_text()) == log
    return findings


def rdjson(folder, text, findings):
    document = json.loads(text)
    validate(document, RDJSON)
    assert len(document["diagnostics"]) == len(findings["findings"])
    for diagnostic, finding in zip(document["diagnostics"], findings["findings"]):
        location = diagnostic["location"]
        assert location["path"] == finding["file"]
        start = location["range"]["start"]
        assert start["line"] == finding["line"]
        # Columns count bytes.
        lines = (pathlib.Path(folder) / finding["file"]).read_bytes().split(b"\n")
        before = lines[start["line"] - 1][: start["column"] - 1]
        if b"\xff" not in before:
            assert len(before.decode()) == finding["column"] - 1, (finding, before)
        for suggestion in diagnostic.get("suggestions", []):
            edit = finding["fix"]["edits"][0]
            assert suggestion["text"] == edit["text"]


def checkstyle(text, findings):
    root = xml.etree.ElementTree.fromstring(text)
    assert root.tag == "checkstyle" and root.get("version")
    errors = [(file.get("name"), error) for file in root for error in file]
    assert len(errors) == len(findings["findings"])
    for (name, error), finding in zip(errors, findings["findings"]):
        assert name == finding["file"] and error.tag == "error"
        place = (int(error.get("line")), int(error.get("column")))
        assert place == (finding["line"], finding["column"])
        assert error.get("severity") == finding["severity"]
        assert error.get("source") == f"cortexkey.{finding['code']}.{finding['name']}"
        # An end of line in an attribute is kept.
        message = finding["message"] + ("\nhelp: " + finding["help"] if finding["help"] else "")
        assert error.get("message") == message, (error.get("message"), message)


def markdown(text, findings):
    """Every finding is one row of four cells, and nothing of a file becomes markup."""
    parser = markdown_it.MarkdownIt("commonmark").enable("table")
    tokens = parser.parse(text)
    inline = [child for token in tokens for child in token.children or []]
    kinds = {token.type for token in [*tokens, *inline]}
    assert not kinds & {"html_block", "html_inline", "image", "code_inline", "fence", "em_open"}, kinds
    links = [token.attrGet("href") for token in inline if token.type == "link_open"]
    assert all("/docs/rules/" in link for link in links), links
    rows, cells = [], 0
    for token in tokens:
        if token.type == "tr_open":
            cells = 0
        cells += token.type in ("td_open", "th_open")
        if token.type == "tr_close":
            rows.append(cells)
    if findings["findings"]:
        rules = {finding["code"] for finding in findings["findings"]}
        # Two tables with a heading each.
        assert len(rows) == len(rules) + len(findings["findings"]) + 2, rows
        assert set(rows) == {4}
        texts = [token.content for token in inline if token.type == "text"]
        for finding in findings["findings"]:
            assert finding["message"][:20] in "".join(texts), finding
    else:
        assert not rows


def junit(text, findings):
    suites = xml.etree.ElementTree.fromstring(text)
    assert suites.tag == "testsuites"
    for suite in suites:
        cases = suite.findall("testcase")
        assert suite.tag == "testsuite" and len(cases) == int(suite.get("tests"))
        failed = [case for case in cases if case.find("failure") is not None]
        assert len(failed) == int(suite.get("failures"))
        for case in cases:
            assert case.get("name") and case.get("classname")
    assert int(suites.get("failures")) == len(findings["findings"])
    assert int(suites.get("tests")) == len(list(suites.iter("testcase")))


def validate(document, schema):
    jsonschema.validators.validator_for(schema)(schema).validate(document)


def mutations():
    """Documents with one fault of form each, and some with none."""
    good = yaml.safe_load(FIRST)
    yield good
    for path in paths(good):
        changed = copy.deepcopy(good)
        remove(changed, path)
        yield changed
        for value in ({"x": 1}, ["a"], "word", 7, True):
            changed = copy.deepcopy(good)
            put(changed, path, value)
            yield changed
        changed = copy.deepcopy(good)
        put(changed, path[:-1] + (str(path[-1]) + "x",), "word")
        yield changed


def paths(value, before=()):
    for name in value if isinstance(value, dict) else ():
        yield before + (name,)
        yield from paths(value[name], before + (name,))


def place(document, path):
    for name in path[:-1]:
        document = document[name]
    return document


def remove(document, path):
    del place(document, path)[path[-1]]


def put(document, path, value):
    place(document, path)[path[-1]] = value


def definitions():
    """The schema of definitions refuses what the rules of the family S refuse, and E005."""
    schema = json.loads((ROOT / "schemas/key.v1.json").read_text())
    validator = jsonschema.Draft7Validator(schema)
    jsonschema.Draft7Validator.check_schema(schema)
    with tempfile.TemporaryDirectory() as folder:
        documents = list(mutations())
        for number, document in enumerate(documents):
            write(folder, f"keys/{number:04}.yaml", yaml.safe_dump(document, sort_keys=False))
        write(folder, "cortexkey.yaml", POLICY.replace("recommended", "minimal").split("tenants")[0])
        findings = json.loads(run(folder, "--format", "json"))["findings"]
    form = {"S001", "S002", "S003", "S004", "S005"}
    by_file = {}
    for finding in findings:
        by_file.setdefault(finding["file"], set()).add(finding["code"])
    wrong = []
    for number, document in enumerate(documents):
        codes = by_file.get(f"keys/{number:04}.yaml", set()) & form
        errors = [error.message for error in validator.iter_errors(document)]
        if bool(codes) != bool(errors):
            wrong.append((document, codes, errors))
    assert not wrong, f"{len(wrong)} of {len(documents)}: {wrong[:3]}"
    print(f"ok  {len(documents)} definitions")


def policies():
    schema = json.loads((ROOT / "schemas/policy.v1.json").read_text())
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    # Dates stay texts, as here.
    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {
            first: [pair for pair in pairs if "timestamp" not in pair[0]]
            for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    found = itertools.chain(ROOT.glob("policies/*.yaml"), ROOT.glob("policies/**/cortexkey.yaml"))
    good = sorted(set(found))
    for path in good:
        document = yaml.load(path.read_text(), Loader)
        errors = [error.message for error in validator.iter_errors(document)]
        assert not errors, (path, errors)
        for fault in ({"rulez": {}}, {"rules": {"no-such-rule": {}}}, {"rules": {"E003": {"mx": "3d"}}}):
            assert list(validator.iter_errors({**document, **fault})), (path, fault)
    print(f"ok  {len(good)} policies")


ORGANISATION = """
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:minimal]
keys: ["keys/*.yaml"]
tenants:
  eu: { product: xsiam, assetGroups: [{ name: eu-servers }], endpointTags: [vip], domains: [Finance] }
  us: { product: xsiam, endpointGroups: [us-servers] }
rules:
  owner-not-allowed: { enabled: true }
  tenant-unknown: { enabled: true }
  role-unknown: { enabled: true }
  scope-unknown-group: { enabled: true }
catalog:
  roles: [{ name: SIEM Export }]
  teams: [team-detection]
  emailDomains: [example.com]
"""


def organisation():
    """A policy's own schema refuses the names that the linter reports, and no others."""
    scope = {
        "assets": {"mode": "select", "groups": ["eu-servers"]},
        "casesAndIssues": {"mode": "select", "domains": ["Finance", "Security"], "unreferenced": False},
        "endpoints": {"mode": "select", "groups": ["any"], "tags": ["vip"]},
    }
    good = yaml.safe_load(FIRST)
    good["metadata"].update(tenant="eu", owner="team-detection")
    good["spec"].update(roles=["Viewer", "SIEM Export"], scope=scope)
    changes = [()]
    for path, values in {
        ("metadata", "tenant"): ["eu", "us", "uk", None],
        ("metadata", "owner"): ["team-response", "a@example.com", "a@EXAMPLE.com", "a@exampleXcom",
                                "@example.com", "unassigned", "a@example.org"],
        ("spec", "roles"): [["Viewer"], ["viewer"], ["SIEM Exports"], ["Viewer", "No Such Role"]],
        ("spec", "scope", "assets", "groups"): [["eu-servers", {"name": "eu-servers", "id": 3}],
                                                ["us-servers"], [{"name": "no-such-group"}]],
        ("spec", "scope", "casesAndIssues", "domains"): [["IT"], ["Finances"]],
        ("spec", "scope", "endpoints", "groups"): [["us-servers"], ["eu-servers"]],
        ("spec", "scope", "endpoints", "tags"): [["vip"], ["vips"]],
    }.items():
        changes += [((path, value),) for value in values]
        if path[0] == "spec":
            changes += [((("metadata", "tenant"), "us"), (path, value)) for value in values]
    documents = []
    for change in changes:
        document = copy.deepcopy(good)
        for path, value in change:
            put(document, path, value) if value is not None else remove(document, path)
        documents.append(document)
    with tempfile.TemporaryDirectory() as folder:
        write(folder, "cortexkey.yaml", ORGANISATION)
        for number, document in enumerate(documents):
            write(folder, f"keys/{number:04}.yaml", yaml.safe_dump(document, sort_keys=False))
        findings = json.loads(run(folder, "--format", "json"))["findings"]
        command = [BINARY, "policy", "schema"]
        schema = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    schema = json.loads(schema.stdout)
    jsonschema.Draft7Validator.check_schema(schema)
    validator = jsonschema.Draft7Validator(schema)
    reported = {}
    for finding in findings:
        reported.setdefault(finding["file"], set()).add(finding["code"])
    wrong = []
    for number, document in enumerate(documents):
        codes = reported.get(f"keys/{number:04}.yaml", set()) & {"R001", "A004", "N005", "N009"}
        errors = [error.message for error in validator.iter_errors(document)]
        if bool(codes) != bool(errors):
            wrong.append((document, codes, errors))
    assert not wrong, f"{len(wrong)} of {len(documents)}: {wrong[:3]}"
    assert any(codes for codes in reported.values())
    # Every field explains itself.
    for path in (("metadata",), ("metadata", "owner"), ("spec", "roles"), ("spec", "scope", "assets")):
        field = schema
        for name in path:
            field = field["properties"][name]
        assert field["description"] and field["markdownDescription"], path
    print(f"ok  {len(documents)} definitions of an organisation")


reports()
definitions()
policies()
organisation()
