//! Runs the lifecycle of a key against an independent tenant: `double/tenant.py`, written only from
//! the vendor's interface description, with a switch for each point that the description leaves
//! open.
//!
//! Every combination of switches is tested, and every call is interrupted before and after its
//! effect. Nothing is lost, nothing gets stuck, and a second run finishes.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::print_stdout, reason = "what is skipped is said")]
#![allow(missing_docs, reason = "a test has no users")]
#![allow(clippy::format_push_string, reason = "text for people, a few lines of it")]
#![allow(clippy::disallowed_methods, reason = "a test has no secret variables")]

mod common;

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use common::definitions::POLICY;
use common::{Ran, cortexkey, finish};

/// A tenant with the other readings, and a folder with definitions.
struct World {
    process: Child,
    port: u64,
    seeds: Value,
    folder: tempfile::TempDir,
}

impl World {
    /// `None` if this machine cannot run it.
    fn new(switches: &Value) -> Option<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/double/tenant.py");
        let mut command = Command::new("python3");
        command.args([script, &switches.to_string()]).stdin(Stdio::piped()).stdout(Stdio::piped());
        let Ok(mut process) = command.spawn() else {
            assert!(std::env::var_os("CI").is_none(), "there is no python3");
            println!("skipped: there is no python3 on this machine");
            return None;
        };
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let folder = tempfile::tempdir().unwrap();
        for name in ["keys", "secrets", "config/cortexkey"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        let git = Command::new("git").args(["init", "-q"]).current_dir(folder.path()).status();
        assert!(git.unwrap().success());
        fs::write(folder.path().join("cortexkey.yaml"), POLICY).unwrap();
        let config =
            "[profiles.p]\nsink_folder = '../../secrets'\nretries = 0\ntimeout_ms = 5000\n";
        fs::write(folder.path().join("config/cortexkey/config.toml"), config).unwrap();
        let port = ready["port"].as_u64().unwrap();
        Some(Self { process, port, seeds: ready["keys"].clone(), folder })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, seed: &str, args: &[&str]) -> Command {
        let key = &self.seeds[seed];
        let mut command = cortexkey(args);
        command.env("CORTEXKEY_FQDN", format!("http://127.0.0.1:{}", self.port));
        command.env("CORTEXKEY_API_KEY", key["key"].as_str().unwrap());
        command.env("CORTEXKEY_API_KEY_ID", key["id"].to_string());
        command.env("CORTEXKEY_API_KEY_TYPE", "advanced").env("CORTEXKEY_PROFILE", "p");
        command.env("XDG_CONFIG_HOME", self.path("config"));
        command.env("XDG_STATE_HOME", self.path("state"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command("admin", args))
    }

    fn good(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:#?}\n{:#}", self.state());
        ran.stdout
    }

    /// Writes a definition with a scope.
    fn define(&self, name: &str, comment: &str, role: &str, domain: &str) {
        self.define_for(90, name, comment, role, domain);
    }

    fn define_for(&self, days: u64, name: &str, comment: &str, role: &str, domain: &str) {
        let text = format!(
            "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {name}, owner: team }}\n\
             spec:\n  securityLevel: advanced\n  comment: {comment}\n  lifetime: {days}d\n  \
             roles: [{role}]\n  scope:\n    assets: {{ mode: select, groups: [prod-eu] }}\n    \
             casesAndIssues: {{ mode: select, domains: [{domain}], unreferenced: false }}\n    \
             endpoints: {{ mode: select, groups: [servers-eu] }}\n"
        );
        fs::write(self.path(&format!("keys/{name}.yaml")), text).unwrap();
    }

    fn control(&self, path: &str, body: &Value) -> Value {
        let mut stream =
            TcpStream::connect(("127.0.0.1", u16::try_from(self.port).unwrap())).unwrap();
        let body = body.to_string();
        let head = format!("POST {path} HTTP/1.0\r\nContent-Length: {}\r\n\r\n", body.len());
        stream.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        serde_json::from_str(answer.split("\r\n\r\n").nth(1).unwrap()).unwrap()
    }

    fn state(&self) -> Value {
        self.control("/double/state", &json!({}))
    }

    fn break_at(&self, path: &str, when: &str, kind: &Value, times: u64) {
        let fault = match kind.as_f64() {
            Some(seconds) if seconds < 100.0 => {
                json!({ "path": path, "when": when, "kind": "slow", "seconds": seconds, "times": times })
            }
            _ => json!({ "path": path, "when": when, "kind": kind, "times": times }),
        };
        self.control("/double/fault", &fault);
    }

    /// The tenant's keys that were generated since the start.
    fn made(&self, child: &str) -> Vec<Value> {
        let keys = self.state()[child]["keys"].as_array().unwrap().clone();
        let seeds: Vec<Value> = if child.is_empty() {
            self.seeds.as_object().unwrap().values().map(|seed| seed["id"].clone()).collect()
        } else {
            Vec::new()
        };
        keys.into_iter().filter(|key| !seeds.contains(&key["id"])).collect()
    }

    /// The tenant's key that a file contains.
    fn in_file(&self, name: &str) -> Option<Value> {
        let text = fs::read_to_string(self.path(&format!("secrets/{name}"))).ok()?;
        self.made("").into_iter().find(|key| key["secret"] == text.as_str())
    }

    /// Checks that nothing is in progress.
    fn check_settled(&self, what: &str) {
        let lock = fs::read_to_string(self.path("cortexkey.lock")).unwrap_or_default();
        assert!(!lock.contains("pending") && !lock.contains("retiring"), "{what}: {lock}");
        let inner = |path: PathBuf| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path());
        let names = inner(self.path("state/cortexkey")).flat_map(inner);
        let states: Vec<String> =
            names.map(|name| fs::read_to_string(name.join("cortexkey.lock")).unwrap()).collect();
        assert!(!states.is_empty(), "{what}");
        assert!(states.iter().all(|state| state.contains("tenants: {}")), "{what}: {states:?}");
    }
}

impl Drop for World {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        self.process.wait().unwrap();
    }
}

#[test]
fn a_key_completes_its_life_cycle_under_every_reading() {
    let readings = [
        json!({}),
        json!({ "put_roles": "names" }),
        json!({ "put_roles": "drop" }),
        json!({ "put_roles": "drop_names" }),
        json!({ "case": "lower", "levels": "capital" }),
        json!({ "count": "page", "page_max": 2 }),
        json!({ "count": "none", "page_max": 2 }),
        json!({ "count": "text" }),
        json!({ "nulls": true }),
        json!({ "seconds": true }),
        json!({ "seconds": true, "maker": "absent" }),
        json!({ "validate": false }),
        json!({ "extra": true }),
        json!({ "delete_unknown": "error", "maker": "absent" }),
        json!({
            "put_roles": "names", "case": "lower", "levels": "capital", "count": "page",
            "page_max": 3, "nulls": true, "seconds": true, "validate": false, "extra": true,
            "delete_unknown": "error",
        }),
    ];
    std::thread::scope(|scope| {
        for readings in readings.chunks(4) {
            scope.spawn(move || readings.iter().for_each(live));
        }
    });
}

fn live(reading: &Value) {
    let Some(world) = World::new(reading) else { return };
    println!("{reading}");
    // One key at a time.
    let generate = ["keys", "generate", "--role", "Viewer", "--security-level", "advanced"];
    let with = ["--lifetime", "90d", "--comment", "ci job", "--json"];
    let made: Value = serde_json::from_str(&world.good(&[&generate[..], &with].concat())).unwrap();
    let id = made["id"].to_string();
    assert_eq!(world.in_file(&format!("key-{id}")).unwrap()["comment"], "ci job");
    assert!(world.good(&["keys", "show", &id]).contains("Viewer"));
    world.good(&["keys", "edit", &id, "--role", "Responder", "--comment", "triage", "--yes"]);
    assert_eq!(world.made("")[0]["roles"], json!(["Responder"]));
    world.good(&["keys", "rotate", &id, "--grace", "0m", "--yes"]);
    let [key] = world.made("").try_into().unwrap();
    assert_eq!((&key["comment"], &key["roles"]), (&"triage".into(), &json!(["Responder"])));
    assert_eq!(world.in_file(&format!("key-{id}")).unwrap()["id"], key["id"]);
    assert!(world.good(&["keys", "list"]).contains("triage"));
    // By definitions.
    world.good(&["import"]);
    assert!(!fs::exists(world.path("keys/key-3.yaml")).unwrap(), "the product's own key");
    world.good(&["plan", "--exit-code"]);
    world.define("svc-export", "Exports", "Viewer", "Security");
    world.good(&["apply", "--yes"]);
    let made = world.in_file("svc-export").unwrap();
    assert_eq!(world.state()[""]["scopes"][made["id"].to_string()]["assets"]["mode"], "scope");
    world.good(&["apply", "--yes"]);
    assert_eq!(world.in_file("svc-export"), Some(made.clone()), "the second run changes nothing");
    world.define("svc-export", "Exports again", "Responder", "IT");
    world.good(&["apply", "--yes"]);
    let edited = world.in_file("svc-export").unwrap();
    assert_eq!((&edited["id"], &edited["roles"]), (&made["id"], &json!(["Responder"])));
    assert_eq!(edited["comment"], "Exports again");
    world.good(&["plan", "--exit-code"]);
    // Keys without a definition.
    world.good(&generate);
    assert_eq!(world.made("").len(), 3);
    let pruned = world.good(&["apply", "--prune", "--yes"]);
    assert_eq!(world.made("").len(), 2, "{pruned}");
    assert_eq!(world.state()[""]["keys"].as_array().unwrap().len(), 5, "the seeds live");
    fs::remove_file(world.path("keys/svc-export.yaml")).unwrap();
    world.good(&["apply", "--yes"]);
    world.good(&["keys", "delete", &key["id"].to_string(), "--yes"]);
    assert!(world.made("").is_empty());
    world.good(&["doctor"]);
    world.good(&["ping"]);
    world.check_settled(&reading.to_string());
}

/// Each call is interrupted before and after its effect, once and repeatedly.
#[test]
fn a_failure_at_any_call_is_repaired_by_the_second_run() {
    let calls = [
        "/public_api/v1/api_keys/generate",
        "/public_api/v1/api_keys/get_api_keys",
        "/public_api/v1/api_keys/delete",
        "/platform/iam/v1/scope",
        "/platform/iam/v1/role",
        "/api_keys/validate",
    ];
    let other = json!({ "seconds": true, "delete_unknown": "error" });
    std::thread::scope(|scope| {
        for (reading, calls) in
            [(json!({}), &calls[..3]), (json!({}), &calls[3..]), (other, &calls[..1])]
        {
            scope.spawn(move || {
                let Some(world) = World::new(&reading) else { return };
                world.define("svc-export", "Exports", "Viewer", "Security");
                world.good(&["apply", "--yes"]);
                let mut days = 90;
                for call in calls {
                    for kind in [json!(429), json!(500), json!("reset"), json!(0.6)] {
                        let lasting = kind == 500 || kind == "reset";
                        for (when, times) in [("before", 1), ("after", if lasting { 9 } else { 1 })]
                        {
                            // A different lifetime needs a new key.
                            days = 150 - days;
                            broken(&world, days, (call, when, &kind, times));
                        }
                    }
                }
            });
        }
    });
}

fn broken(world: &World, days: u64, fault: (&str, &str, &Value, u64)) {
    let what = format!("{fault:?}");
    world.define_for(days, "svc-export", "Exports", "Viewer", "Security");
    let before = world.in_file("svc-export").unwrap();
    let (call, when, kind, times) = fault;
    world.break_at(call, when, kind, times);
    let apply = ["apply", "--yes", "--grace", "0m"];
    world.run(&[&apply[..], &["--timeout-ms", "300"]].concat());
    world.break_at("/nothing", "before", &json!(500), 0);
    assert!(world.in_file("svc-export").is_some(), "{what}: nobody has a key that works");
    if kind.is_f64() {
        // A request may take effect after the client has stopped waiting.
        std::thread::sleep(std::time::Duration::from_millis(700));
    }
    let second = world.run(&apply);
    assert_eq!(second.code, 0, "{what}: {second:#?}");
    let after = world.in_file("svc-export").unwrap();
    assert_ne!(before["id"], after["id"], "{what}");
    assert_eq!(world.made("").len(), 1, "{what}: {:#}", world.state());
    assert_eq!(after["comment"], "Exports", "{what}");
    assert_eq!(world.run(&["plan", "--exit-code"]).code, 0, "{what}");
    let lock = fs::read_to_string(world.path("cortexkey.lock")).unwrap();
    assert!(!lock.contains("pending") && !lock.contains("retiring"), "{what}: {lock}");
}

/// The vendor's own self-service keys hold only Public API.
#[test]
fn a_public_api_key_does_what_it_can_and_reports_the_rest() {
    let Some(world) = World::new(&json!({})) else { return };
    let narrow = |args: &[&str]| finish(&mut world.command("narrow", args));
    let generate = ["keys", "generate", "--role", "Viewer", "--security-level", "advanced"];
    let made = narrow(&[&generate[..], &["--json"]].concat());
    assert_eq!(made.code, 0, "{made:?}");
    let id = serde_json::from_str::<Value>(&made.stdout).unwrap()["id"].to_string();
    assert_eq!(narrow(&["keys", "list"]).code, 0);
    let shown = narrow(&["keys", "show", &id]);
    assert!(shown.code == 4 && shown.stdout.contains("Viewer"), "{shown:?}");
    assert!(shown.stderr.contains("Access Management (View)"), "{shown:?}");
    let rotated = narrow(&["keys", "rotate", &id, "--grace", "0m", "--yes"]);
    assert_eq!(rotated.code, 4, "{rotated:?}");
    let [key] = world.made("").try_into().unwrap();
    assert_eq!(world.in_file(&format!("key-{id}")).unwrap()["id"], key["id"]);
    let id = key["id"].to_string();
    let edited = narrow(&["keys", "edit", &id, "--comment", "x", "--yes"]);
    assert!(edited.code == 1 && edited.stderr.contains("Access Management (View)"), "{edited:?}");
    // No key is generated if its scope could not be set.
    let scope = json!({
        "assets": { "mode": "see_all" }, "cases_issues": { "mode": "no_scope" },
        "endpoints": { "endpoint_groups": { "mode": "any" }, "endpoint_tags": { "mode": "any" } },
    });
    fs::write(world.path("scope.json"), scope.to_string()).unwrap();
    let scoped = narrow(&[&generate[..], &["--scope-file", "scope.json"]].concat());
    assert_eq!((scoped.code, world.made("").len()), (1, 1), "{scoped:?}");
    assert!(scoped.stderr.contains("Access Management"), "{scoped:?}");
    world.define("svc-export", "Exports", "Viewer", "Security");
    let planned = narrow(&["plan"]);
    assert!(planned.code == 1 && planned.stdout.contains("Access Management"), "{planned:?}");
    let imported = narrow(&["import", "--id", &id]);
    assert_eq!(imported.code, 4, "{imported:?}");
    let text = fs::read_to_string(world.path(&format!("keys/key-{id}.yaml"))).unwrap();
    assert!(text.contains("# scope: unknown"), "{text}");
    let checked = narrow(&["keys", "edit", &id, "--comment", "x", "--check"]);
    assert_eq!(checked.code, 1, "{checked:?}");
    assert_eq!(narrow(&["keys", "delete", &id, "--yes"]).code, 0);
    assert!(world.made("").is_empty());
}

#[test]
fn children_of_a_parent_are_done_one_by_one() {
    let Some(world) = World::new(&json!({ "children": ["111", "222"] })) else { return };
    world.define("svc-export", "Exports", "Viewer", "Security");
    // A missing key does not stop the others.
    let first = world.run(&["apply", "--yes", "--children", "111,999"]);
    assert_eq!(first.code, 1, "{first:?}");
    assert_eq!((world.made("111").len(), world.made("222").len()), (1, 0), "{first:?}");
    world.good(&["apply", "--yes", "--children", "111,222"]);
    assert_eq!((world.made("111").len(), world.made("222").len()), (1, 1));
    assert!(world.made("").is_empty(), "the parent has none");
    for child in ["111", "222"] {
        let text = fs::read_to_string(world.path(&format!("secrets/svc-export@{child}"))).unwrap();
        assert_eq!(world.made(child)[0]["secret"], text.as_str());
    }
    let plan = world.good(&["plan", "--children", "all", "--exit-code", "--format", "json"]);
    let plans: Value = serde_json::from_str(&plan).unwrap();
    assert_eq!(plans["plans"].as_array().unwrap().len(), 2);
    let listed = world.good(&["keys", "list", "--children", "111,222", "--format", "json"]);
    let listed: Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed["children"][1]["child"], "222");
    let rotated = world.run(&[
        "keys",
        "rotate",
        "svc-export",
        "--children",
        "111,222",
        "--grace",
        "0m",
        "--yes",
    ]);
    assert_eq!(rotated.code, 0, "{rotated:?}");
    for child in ["111", "222"] {
        let [key] = world.made(child).try_into().unwrap();
        let text = fs::read_to_string(world.path(&format!("secrets/svc-export@{child}"))).unwrap();
        assert_eq!((&key["secret"], &key["id"]), (&text.into(), &json!(2)));
    }
}

#[test]
fn several_profiles_are_done_in_one_run_and_one_that_fails_stops_no_other() {
    let (Some(one), Some(other)) = (World::new(&json!({})), World::new(&json!({}))) else { return };
    let policy = POLICY.replace(
        "tenants:\n",
        "tenants:\n  test: { product: xsiam, sbac: enforced }\n  down: { product: xsiam }\n",
    );
    fs::write(one.path("cortexkey.yaml"), policy).unwrap();
    let mut config = String::new();
    for (name, port, seeds) in [
        ("prod-eu", one.port, &one.seeds),
        ("test", other.port, &other.seeds),
        ("down", 1, &one.seeds),
    ] {
        let key = one.path(&format!("{name}.key"));
        fs::write(&key, seeds["admin"]["key"].as_str().unwrap()).unwrap();
        fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
        config += &format!(
            "[profiles.{name}]\nfqdn = 'http://127.0.0.1:{port}'\nkey_id = 1\nlevel = 'advanced'\n\
             key_file = '{}'\ntenant = '{name}'\nsink_folder = '../../secrets'\nretries = 0\n",
            key.display()
        );
    }
    fs::write(one.path("config/cortexkey/config.toml"), config).unwrap();
    for tenant in ["prod-eu", "test"] {
        let name = format!("svc-{tenant}");
        one.define(&name, "Exports", "Viewer", "Security");
        let path = one.path(&format!("keys/{name}.yaml"));
        let text = fs::read_to_string(&path).unwrap();
        fs::write(path, text.replace("owner: team", &format!("owner: team, tenant: {tenant}")))
            .unwrap();
    }
    let run = |args: &[&str]| {
        let mut command = cortexkey(args);
        command.env("XDG_CONFIG_HOME", one.path("config")).env("XDG_STATE_HOME", one.path("state"));
        finish(command.current_dir(one.folder.path()))
    };
    let applied = run(&["apply", "--yes", "--profiles", "down,prod-eu,test"]);
    assert_eq!(applied.code, 1, "{applied:?}");
    assert_eq!((one.made("").len(), other.made("").len()), (1, 1));
    for line in ["down: failed", "prod-eu: done", "test: done"] {
        assert!(applied.stderr.contains(line), "{line}: {applied:?}");
    }
    let planned = run(&["plan", "--profiles", "all", "--exit-code"]);
    assert_eq!(planned.code, 0, "{planned:?}");
    // A name belongs to one host.
    let config = fs::read_to_string(one.path("config/cortexkey/config.toml")).unwrap();
    let moved = config.replace(&format!(":{}'", other.port), &format!(":{}'", one.port));
    let localhost = moved.replace(
        "[profiles.test]\nfqdn = 'http://127.0.0.1",
        "[profiles.test]\nfqdn = 'http://localhost",
    );
    fs::write(one.path("config/cortexkey/config.toml"), localhost).unwrap();
    let moved = run(&["plan", "--profiles", "test"]);
    assert!(moved.code == 1 && moved.stderr.contains("localhost"), "{moved:?}");
}

/// Runs the command that a message names twice: it finishes what is left, and generates no key.
fn finish_as_said(world: &World, ran: &Ran) {
    assert_eq!(ran.code, 1, "{ran:?}");
    let said = ran.stderr.split('`').find(|part| part.starts_with("cortexkey keys"));
    let args: Vec<&str> = said.unwrap_or_else(|| panic!("{ran:?}")).split(' ').skip(1).collect();
    let before = world.made("").len();
    for _ in 0..2 {
        world.good(&args);
        assert!(world.made("").len() <= before);
    }
}

#[test]
fn the_command_in_a_message_completes_the_work() {
    let Some(world) = World::new(&json!({})) else { return };
    let generate = ["keys", "generate", "--role", "Viewer", "--security-level", "advanced"];
    // The response to `generate` is lost, and the key is found.
    world.break_at("/public_api/v1/api_keys/generate", "after", &json!("reset"), 1);
    let lost = world.run(&generate);
    assert!(world.made("").is_empty(), "{lost:?}");
    // The key is generated, and the tenant does not accept it.
    world.break_at("/api_keys/validate", "before", &json!(500), 1);
    let broken = world.run(&generate);
    assert!(broken.code == 1 && world.made("").is_empty(), "{broken:?}");

    let id: Value =
        serde_json::from_str(&world.good(&[&generate[..], &["--json"]].concat())).unwrap();
    let id = id["id"].to_string();
    world.break_at("/public_api/v1/api_keys/delete", "before", &json!(500), 9);
    let half = world.run(&["keys", "rotate", &id, "--grace", "0m", "--yes"]);
    assert_eq!(world.made("").len(), 2, "{half:?}");
    // The existing keys, where their secrets are, and what is still to do.
    let new = world.in_file(&format!("key-{id}"));
    let new_id = new.as_ref().unwrap()["id"].to_string();
    assert!(half.stderr.contains(&new_id) && half.stderr.contains("secrets"), "{half:?}");
    world.break_at("/nothing", "before", &json!(500), 0);
    finish_as_said(&world, &half);
    assert_eq!(world.made("").len(), 1);
    assert_eq!(world.in_file(&format!("key-{id}")), new);
    world.check_settled("a rotation");

    // The key is not found, and cannot be searched for.
    world.control("/double/fault", &json!({
        "path": "/public_api/v1/api_keys/generate", "when": "after", "kind": "reset", "times": 1,
        "then": { "path": "/public_api/v1/api_keys", "when": "before", "kind": 500, "times": 9 },
    }));
    let lost = world.run(&generate);
    assert_eq!(world.made("").len(), 2, "{lost:?}");
    world.break_at("/nothing", "before", &json!(500), 0);
    finish_as_said(&world, &lost);
    assert_eq!(world.made("").len(), 1);
    world.check_settled("a lost key");
}
