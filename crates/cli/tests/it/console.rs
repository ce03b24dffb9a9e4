//! `cortexkey console`: its pages show the same facts about a folder with definitions as the
//! commands print.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_client::time::{now_ms, time_text};
use cortexkey_core::auth::KeyId;
use serde_json::{Value, json};

use crate::common::definitions::{World, git};
use crate::common::{Tenant, finish};

/// A running console, and a browser's session in it.
struct Console {
    /// The console's process, unless it is its tenant's.
    child: Option<Child>,
    host: String,
    cookie: String,
}

impl Console {
    fn start(world: &World) -> Self {
        Self::start_with(world, &[])
    }

    /// With further arguments.
    fn start_with(world: &World, args: &[&str]) -> Self {
        let mut command = world.command(&[&["console"], args].concat());
        command.env("XDG_STATE_HOME", world.path("state"));
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        Self::enter(Some(child), address.trim())
    }

    /// Enters a console with its one-time address.
    fn enter(child: Option<Child>, address: &str) -> Self {
        let rest = address.strip_prefix("http://").unwrap();
        let (host, entry) = rest.split_once('/').unwrap();
        let mut console = Self { child, host: host.to_owned(), cookie: String::new() };
        let (head, _) = console.ask(&format!("/{entry}"));
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        cookie.split(';').next().unwrap().clone_into(&mut console.cookie);
        console
    }

    /// A page's head and body.
    fn ask(&self, path: &str) -> (String, String) {
        self.send("GET", path, "")
    }

    /// Sends a form of a page; returns the head and body of the response.
    fn form(&self, path: &str, fields: &str) -> (String, String) {
        let page = self.page("/keys");
        let token = page.split("name=\"token\" value=\"").nth(1).unwrap();
        let token = token.split('"').next().unwrap();
        self.send("POST", path, &format!("token={token}&{fields}"))
    }

    fn send(&self, method: &str, path: &str, body: &str) -> (String, String) {
        let port = self.host.rsplit(':').next().unwrap();
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let host = &self.host;
        let cookie = &self.cookie;
        let form = match method {
            "POST" => format!(
                "Origin: http://{host}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
                 Content-Length: {}\r\n",
                body.len()
            ),
            _ => String::new(),
        };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\n{form}\
             Connection: close\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.to_owned(), body.to_owned())
    }

    fn page(&self, path: &str) -> String {
        let (head, body) = self.ask(path);
        assert!(head.starts_with("HTTP/1.1 200 "), "{path}: {head}");
        body
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// The rows of a page's tables that begin with a text, with single spaces.
fn rows(page: &str, begin: &str) -> Vec<String> {
    let rows = page.split(begin).skip(1).map(|row| row.split("</tr>").next().unwrap());
    rows.map(|row| text(&format!("<{row}"))).collect()
}

/// The text of markup. Tags separate words.
fn text(markup: &str) -> String {
    let parts = markup.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
    let text = parts.collect::<Vec<_>>().join(" ");
    let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"");
    normal(&text.replace("&amp;", "&"))
}

fn normal(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Asserts that a row has these texts.
fn has(row: &str, texts: &[&Value]) {
    for wanted in texts {
        let wanted = match wanted {
            Value::String(text) => normal(text),
            Value::Null => continue,
            other => other.to_string(),
        };
        assert!(row.contains(&wanted), "{wanted:?} is not in {row:?}");
    }
}

fn spec(role: &str) -> String {
    format!("securityLevel: advanced; lifetime: 90d; roles: [{role}]")
}

/// A folder and a tenant with every kind of difference.
fn world() -> World {
    let world = World::new();
    for name in ["svc-kept-prod", "svc-edited-prod", "svc-changed-prod", "svc-gone-prod"] {
        world.define(name, &spec("Viewer"), "");
    }
    world.good(&["apply", "--yes"]);
    git(world.folder.path(), &["add", "."]);
    git(world.folder.path(), &["commit", "--quiet", "-m", "keys"]);
    let drifted = world.keys().into_iter().nth(1).unwrap();
    let id = drifted.id.to_string();
    world.good(&["keys", "edit", &id, "--role", "Responder", "--yes"]);
    world.define("svc-changed-prod", &spec("Investigator"), "");
    world.define("svc-new-prod", &spec("Viewer"), "");
    // Its definition is missing only from the work tree, which proves nothing.
    world.undefine("svc-gone-prod");
    world.make("Viewer", "nobody's & <b>bold</b>");
    world
}

#[test]
fn the_plan_is_the_commands_plan() {
    let world = world();
    let plan: Value =
        serde_json::from_str(&world.run(&["plan", "--format", "json"]).stdout).unwrap();
    let console = Console::start(&world);
    let page = console.page("/plan");
    let actions = plan["actions"].as_array().unwrap();
    let shown = rows(&page, "<tr data-action=");
    assert_eq!(shown.len(), actions.len(), "{page}");
    assert!(actions.len() >= 4, "{plan:#}");
    for (row, action) in shown.iter().zip(actions) {
        has(row, &[&action["action"], &action["key"], &action["id"], &action["reason"]]);
        for change in action["changes"].as_array().into_iter().flatten() {
            has(row, &[&change["field"], &change["from"], &change["to"]]);
        }
        for gain in action["widens"].as_array().into_iter().flatten() {
            has(row, &[&gain["message"]]);
        }
        assert_eq!(row.contains(" drift"), action["drift"] == true, "{row}");
    }
    let unmanaged = plan["unmanaged"].as_array().unwrap();
    let shown = rows(&page, "<tr data-unmanaged=");
    assert_eq!(shown.len(), unmanaged.len());
    for (row, key) in shown.iter().zip(unmanaged) {
        has(row, &[&key["id"], &key["comment"]]);
    }
    let notes = plan["notes"].as_array().unwrap();
    assert_eq!(page.matches("<li data-note").count(), notes.len());
    has(&text(&page), &notes.iter().collect::<Vec<_>>());
    assert!(!page.contains("<b>bold"));
}

#[test]
fn the_findings_are_the_linters() {
    let world = world();
    world.define("Bad Name", "roles: []; securityLevel: standard", "");
    let path = world.path("keys/svc-kept-prod.yaml");
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::write(&path, format!("# cortexkey: ignore[N004] known\n{text}")).unwrap();
    let report: Value =
        serde_json::from_str(&world.run(&["lint", "--format", "json"]).stdout).unwrap();
    let console = Console::start(&world);
    let page = console.page("/findings");
    let findings = report["findings"].as_array().unwrap();
    let all: Vec<&Value> = findings.iter().chain(report["waived"].as_array().unwrap()).collect();
    assert!(findings.len() >= 3, "{report:#}");
    let shown = rows(&page, "<tr data-finding=");
    assert_eq!(shown.len(), all.len());
    for (row, finding) in shown.iter().zip(&all) {
        has(row, &[&finding["severity"], &finding["code"], &finding["name"], &finding["message"]]);
        has(row, &[&finding["help"], &finding["key"], &finding["by"], &finding["file"]]);
    }
    for severity in ["error", "warning", "info"] {
        let page = console.page(&format!("/findings?severity={severity}"));
        let wanted = findings.iter().filter(|finding| finding["severity"] == severity).count();
        assert_eq!(rows(&page, "<tr data-finding=").len(), wanted, "{severity}");
    }
    // The linter's errors prevent a plan, as on the command line.
    assert_eq!(world.run(&["plan"]).code, 1);
    assert!(rows(&console.page("/plan"), "<tr data-action=").is_empty());
    let code = findings[0]["code"].as_str().unwrap();
    let rule = self::text(&console.page(&format!("/findings/rules/{code}")));
    let explained = world.good(&["explain", code]);
    for line in explained.lines().filter(|line| !line.trim().is_empty()) {
        assert!(rule.contains(&normal(line)), "{line}");
    }
    assert!(console.ask("/findings/rules/X999").0.starts_with("HTTP/1.1 404"));
}

/// The keys of a tenant with their scopes, without the times at which they were generated.
fn state(world: &World) -> Vec<Value> {
    let admin = &world.admin;
    let one = |record: ApiKeyRecord| {
        let scope = admin.scope(KeyId::new(record.id).unwrap()).unwrap();
        let mut value = json!({ "key": record, "scope": scope });
        value["key"]["creation_time"] = Value::Null;
        // A generated key's milliseconds mark the run that generated it.
        if let Some(ms) = value["key"]["expiration"].as_u64() {
            value["key"]["expiration"] = (ms / 1000).into();
        }
        value
    };
    admin.all_keys(&[]).unwrap().into_iter().map(one).collect()
}

/// Runs a command that keeps its state in the tenant's folder.
fn run(world: &World, args: &[&str]) {
    let mut command = world.command(args);
    let ran = finish(command.env("XDG_STATE_HOME", world.path("state")));
    assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
}

/// Asserts that two tenants have the same keys.
fn same(page: &[Value], command: &[Value], what: &str) {
    assert_eq!(page.len(), command.len(), "{what}");
    for (page, command) in page.iter().zip(command) {
        assert_eq!(page, command, "{what}");
    }
}

#[test]
fn the_page_changes_keys_as_the_commands_do() {
    let by_page = World::new();
    let by_command = World::new();
    let console = Console::start_with(&by_page, &["--allow-changes"]);
    let day = &time_text(now_ms() + 90 * 24 * 3_600_000)[..10];
    let sees = "{ assets: { mode: select, groups: [prod-eu] }, casesAndIssues: { mode: select, domains: [Security], \
                unreferenced: true }, endpoints: { mode: all } }\n";
    std::fs::write(by_command.path("scope.yaml"), sees).unwrap();
    let group = by_command.admin.asset_groups().unwrap();
    let group = group.iter().find(|group| group.name == "prod-eu").unwrap().id;
    let scope = format!(
        "has-scope=1&assets=select&group={group}&cases=select&domain=Security&unreferenced=1&endpoints=all"
    );
    let page = |path: &str, fields: &str| {
        let (head, body) = console.form(path, fields);
        let is_done = head.starts_with("HTTP/1.1 200 ") || head.starts_with("HTTP/1.1 303 ");
        let why = body.split("role=\"alert\">").last().unwrap_or_default();
        assert!(is_done, "{path}: {head}\n{}", why.split("<form").next().unwrap_or_default());
    };
    let command = |args: &[&str]| run(&by_command, args);
    let same = |what: &str| same(&state(&by_page), &state(&by_command), what);
    let fields =
        format!("level=advanced&role=Viewer&comment=SEC-1&has-date=1&date={day}&time=12:30");
    page("/keys/new", &format!("{fields}&{scope}&once=1"));
    let expires = format!("{day}T12:30:00Z");
    command(&[
        "keys",
        "generate",
        "--role",
        "Viewer",
        "--security-level",
        "advanced",
        "--comment",
        "SEC-1",
        "--expires",
        &expires,
        "--scope-file",
        "scope.yaml",
        "--sink-file",
        "one",
    ]);
    same("generate");
    page("/keys/3/edit", "level=standard&role=Responder&role=Viewer&comment=changed");
    command(&[
        "keys",
        "edit",
        "3",
        "--role",
        "Responder",
        "--role",
        "Viewer",
        "--security-level",
        "standard",
        "--comment",
        "changed",
        "--yes",
    ]);
    same("edit");
    std::fs::write(
        by_command.path("scope.yaml"),
        "{ assets: { mode: all }, casesAndIssues: { mode: none }, endpoints: { mode: none } }\n",
    )
    .unwrap();
    page(
        "/keys/3/edit",
        "level=standard&role=Responder&role=Viewer&comment=changed&has-scope=1&assets=all&cases=none\
         &endpoints=none",
    );
    command(&["keys", "edit", "3", "--scope-file", "scope.yaml", "--yes"]);
    same("scope");
    page("/keys/3/rotate", "grace=0&once=2&unreferenced=no");
    command(&[
        "keys",
        "rotate",
        "3",
        "--grace",
        "0",
        "--unreferenced",
        "false",
        "--sink-file",
        "two",
        "--yes",
    ]);
    let rotated = by_page.keys();
    assert_eq!(rotated.len(), 1);
    let id = rotated[0].id.to_string();
    assert_ne!(id, "3");
    // A rotated key lives as long as the old one did, counted from when each was rotated.
    let without_expiry = |world: &World| {
        let mut state = state(world);
        for value in &mut state {
            value["key"]["expiration"] = Value::Null;
        }
        state
    };
    assert_eq!(without_expiry(&by_page), without_expiry(&by_command), "rotate");
    page(&format!("/keys/{id}/delete"), &format!("confirm={id}"));
    command(&["keys", "delete", &id, "--yes"]);
    same("delete");
    assert!(by_page.keys().is_empty());
}

#[test]
fn the_table_has_the_rows_of_the_command() {
    let world = World::new();
    for (role, comment) in
        [("Viewer", "Jira"), ("Responder", "a jira bridge"), ("Viewer", "Backup")]
    {
        world.make(role, comment);
    }
    let console = Console::start(&world);
    for (query, args) in [
        ("", &[][..]),
        ("f.role=Viewer&o.role=is", &["--role", "viewer"]),
        ("f.comment=jira", &["--comment", "jira"]),
        ("f.comment=jira&f.role=Viewer&o.role=is", &["--comment", "jira", "--role", "Viewer"]),
        ("f.security-level=standard", &["--security-level", "standard"]),
        ("f.id=3,5", &["--id", "3", "--id", "5"]),
        ("f.role=Viewer&o.role=not", &["--not", "role=Viewer"]),
        ("sort=expires&desc=1", &["--sort", "expires", "--descending"]),
    ] {
        let page = console.page(&format!("/keys?{query}"));
        let shown: Vec<&str> = page
            .split("<tr data-id=\"")
            .skip(1)
            .map(|row| row.split('"').next().unwrap())
            .collect();
        let listed: Value = serde_json::from_str(
            &world.good(&[&["keys", "list", "--format", "json"], args].concat()),
        )
        .unwrap();
        let keys = listed["keys"].as_array().unwrap();
        let listed: Vec<String> = keys.iter().map(|key| key["id"].to_string()).collect();
        assert_eq!(shown, listed, "{query}");
    }
}

#[test]
fn the_answers_about_a_key_are_the_commands() {
    let world = World::new();
    let scope = "  scope: { assets: { mode: select, groups: [prod-eu] }, casesAndIssues: { mode: all, \
                 unreferenced: false }, endpoints: { mode: none } }\n";
    world.define("svc-one-prod", &spec("Viewer"), scope);
    world.good(&["apply", "--yes"]);
    let id = world.keys()[0].id;
    let console = Console::start(&world);
    for (query, question) in [
        ("ask=asset&groups=prod-eu", json!({"asset":{"groups":["prod-eu"]}})),
        ("ask=asset&groups=prod-us", json!({"asset":{"groups":["prod-us"]}})),
        ("ask=finding&groups=prod-us", json!({"finding":{"assetGroups":["prod-us"]}})),
        (
            "ask=issue&domain=Security&reference=asset&groups=prod-us",
            json!({"issue":{"domain":"Security","references":[{"asset":{"groups":["prod-us"]}}]}}),
        ),
        (
            "ask=case&domain=Security&reference=asset&groups=prod-eu",
            json!({"case":{"domain":"Security","issues":[
                {"domain":"Security","references":[{"asset":{"groups":["prod-eu"]}}]}]}}),
        ),
        ("ask=endpoint&groups=a&tags=b", json!({"endpoint":{"groups":["a"],"tags":["b"]}})),
        ("ask=manage&groups=a&tags=b", json!({"manage-endpoint":{"groups":["a"],"tags":["b"]}})),
        (
            "ask=row&name=xdr_data&row=vendor%3Dacme",
            json!({"dataset-row":{"dataset":"xdr_data","row":{"vendor":"acme"}}}),
        ),
        (
            "ask=component&name=Public+API&level=edit",
            json!({"component":{"name":"Public API","permission":"edit"}}),
        ),
    ] {
        std::fs::write(world.path("question.json"), question.to_string()).unwrap();
        let asked = world.run(&[
            "access",
            "svc-one-prod",
            "--question",
            "question.json",
            "--format",
            "json",
        ]);
        let asked: Value =
            serde_json::from_str(&asked.stdout).unwrap_or_else(|_| panic!("{asked:?}"));
        let page = text(&console.page(&format!("/keys/{id}?{query}")));
        let answer = asked["answer"].as_str().unwrap();
        let shown = format!("Ask {}{} ", answer[..1].to_uppercase(), &answer[1..]);
        assert!(page.contains(&shown), "{query}: {shown}: {page}");
        for step in asked["decision"]["steps"].as_array().unwrap() {
            has(&page, &[&step["subject"], &step["message"]]);
        }
    }
    for nonsense in ["ask=nothing", "ask=component", "ask=issue", "ask=row&name=x&row=y"] {
        let page = console.page(&format!("/keys/{id}?{nonsense}"));
        assert!(page.contains("The question cannot be answered."), "{nonsense}");
    }
}

/// The console signs its own calls with the emulator's time.
#[test]
fn the_emulators_console_stays_usable_when_its_clock_is_moved() {
    let tenant = Tenant::start_with(&["--console"]);
    let console = Console::enter(None, tenant.ready["console"].as_str().unwrap());
    for step in ["week", "half-year", "half-year"] {
        let (head, body) = console.form("/settings", &format!("set=clock&to=step&step={step}"));
        assert!(head.starts_with("HTTP/1.1 303 "), "{step}: {head} {body}");
        let page = console.page("/keys?fresh=1");
        assert!(!page.contains("data-fault"), "{step}: {page}");
    }
}
