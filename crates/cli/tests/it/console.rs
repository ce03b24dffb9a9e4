//! `cortexkey console`: what its pages show of a folder with definitions is what the commands print.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};

use serde_json::Value;

use crate::common::definitions::{World, git};

/// A console that runs, and a browser's session in it.
struct Console {
    child: Child,
    host: String,
    cookie: String,
}

impl Console {
    fn start(world: &World) -> Self {
        let mut command = world.command(&["console"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut address = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut address).unwrap();
        let rest = address.trim().strip_prefix("http://").unwrap();
        let (host, entry) = rest.split_once('/').unwrap();
        let mut console = Self { child, host: host.to_owned(), cookie: String::new() };
        let (head, _) = console.ask(&format!("/{entry}"));
        let cookie = head.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
        cookie.split(';').next().unwrap().clone_into(&mut console.cookie);
        console
    }

    /// A page's head and body.
    fn ask(&self, path: &str) -> (String, String) {
        let port = self.host.rsplit(':').next().unwrap();
        let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let host = &self.host;
        let cookie = &self.cookie;
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {cookie}\r\nConnection: close\r\n\r\n"
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
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The rows of a page's tables that begin so, as text with single spaces.
fn rows(page: &str, begin: &str) -> Vec<String> {
    let rows = page.split(begin).skip(1).map(|row| row.split("</tr>").next().unwrap());
    rows.map(|row| text(&format!("<{row}"))).collect()
}

/// The text of markup. A tag parts words.
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
    // Its definition is gone from the work tree alone, which proves nothing.
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
    // The linter's errors end what makes a plan, as they do on the command line.
    assert_eq!(world.run(&["plan"]).code, 1);
    assert!(console.page("/plan").contains("The linter finds errors"));
    let code = findings[0]["code"].as_str().unwrap();
    let rule = self::text(&console.page(&format!("/findings/rules/{code}")));
    let explained = world.good(&["explain", code]);
    for line in explained.lines().filter(|line| !line.trim().is_empty()) {
        assert!(rule.contains(&normal(line)), "{line}");
    }
    assert!(console.ask("/findings/rules/X999").0.starts_with("HTTP/1.1 404"));
}
