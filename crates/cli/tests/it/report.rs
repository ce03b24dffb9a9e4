//! `cortexkey report` and `cortexkey keys inventory`, against a tenant in its own process.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use crate::common::{Ran, Tenant, cortexkey, definitions, finish};

struct World {
    tenant: Tenant,
    folder: tempfile::TempDir,
}

impl World {
    /// A tenant with its own administrator's key, and a folder with one definition.
    fn new() -> Self {
        let world = Self { tenant: Tenant::start(), folder: tempfile::tempdir().unwrap() };
        let write = |name: &str, text: &str| fs::write(world.path(name), text).unwrap();
        write(
            "cortexkey.yaml",
            "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: acme }\n\
             keys: [\"*.key.yaml\"]\nrules: { A001: { severity: warning } }\n",
        );
        write(
            "svc.key.yaml",
            "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: svc, owner: soc }\nspec:\n  \
             securityLevel: advanced\n  lifetime: 60d\n  roles: [Viewer]\n",
        );
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn run(&self, args: &[&str]) -> Ran {
        self.finish(&mut self.tenant.with_key("advanced", args))
    }

    fn finish(&self, command: &mut Command) -> Ran {
        finish(command.current_dir(self.folder.path()).env("XDG_STATE_HOME", self.folder.path()))
    }

    fn json(&self, args: &[&str]) -> Value {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        serde_json::from_str(&ran.stdout).unwrap()
    }
}

#[test]
fn a_report_contains_the_available_and_requested_parts() {
    let world = World::new();
    let both = world.json(&["report", "--format", "json"]);
    assert_eq!(both["compared"], true);
    assert_eq!(both["overview"]["figures"]["unmanaged"], 2);
    assert_eq!(both["overview"]["figures"]["notGenerated"], 1);
    let tenant = world.json(&["report", "--format", "json", "--from", "tenant"]);
    assert_eq!((&tenant["definitions"], &tenant["compared"]), (&Value::Null, &false.into()));
    let definitions = world.json(&["report", "--format", "json", "--from", "definitions"]);
    assert_eq!(definitions["tenant"], Value::Null);
    assert_eq!(definitions["keys"][0]["name"], "svc");

    // Without settings, it covers only the definitions, and says so; requested parts must be
    // available.
    let alone = world.finish(&mut cortexkey(&["report", "--format", "json"]));
    assert_eq!(alone.code, 0, "{alone:?}");
    wording!(alone.stderr);
    for args in [&["report", "--from", "both"][..], &["report", "--from", "tenant"]] {
        assert_eq!(world.finish(&mut cortexkey(args)).code, 2, "{args:?}");
    }
    for args in [
        &["report", "--from", "tenant", "--keys", "."][..],
        &["report", "--from", "definitions", "--profile", "x"],
        &["keys", "inventory", "--no-definitions", "--keys", "."],
    ] {
        assert_eq!(world.run(args).code, 2, "{args:?}");
    }
    let typo = ["report", "--profile", "nobody", "--format", "json"];
    assert_eq!(world.finish(&mut cortexkey(&typo)).code, 2);
}

#[test]
fn exit_codes_are_those_of_the_linter_and_of_what_could_not_be_read() {
    let world = World::new();
    let key = world.path("svc.key.yaml");
    let text = fs::read_to_string(&key).unwrap();
    fs::write(&key, text.replace(", owner: soc", "")).unwrap();
    let report = |more: &[&str]| world.run(&[&["report", "--format", "json"], more].concat());
    assert_eq!(report(&[]).code, 1);
    assert_eq!(report(&["--fail-on", "never"]).code, 0);
    assert!(report(&[]).stdout.contains("owner-missing"));
    // If two definitions have the same name, nothing is compared, which is an error.
    fs::write(&key, &text).unwrap();
    fs::write(world.path("other.key.yaml"), &text).unwrap();
    let twice = report(&["--fail-on", "never"]);
    assert_eq!(twice.code, 1, "{twice:?}");
    assert!(serde_json::from_str::<Value>(&twice.stdout).unwrap()["faults"][0].is_string());
    fs::remove_file(&key).unwrap();
    fs::remove_file(world.path("other.key.yaml")).unwrap();
    assert_eq!(report(&[]).code, 3);
    fs::write(world.path("cortexkey.yaml"), "kind: [").unwrap();
    assert_eq!(report(&[]).code, 2);
    assert_eq!(world.run(&["keys", "inventory"]).code, 2);
    assert_eq!(world.run(&["keys", "inventory", "--no-definitions"]).code, 0);
}

#[test]
fn a_file_is_replaced_only_on_request() {
    let world = World::new();
    let out = world.path("report.html");
    let path = out.to_str().unwrap();
    for args in [&["report"][..], &["keys", "inventory", "--format", "html"]] {
        let _ = fs::remove_file(&out);
        let args = [args, &["--out", path]].concat();
        let first = world.run(&args);
        assert_eq!((first.code, first.stdout.as_str()), (0, ""), "{first:?}");
        let html = fs::read_to_string(&out).unwrap();
        assert!(html.starts_with("<!DOCTYPE html>") && html.ends_with("</html>"));
        fs::write(&out, "mine").unwrap();
        assert_eq!(world.run(&args).code, 2);
        assert_eq!(fs::read_to_string(&out).unwrap(), "mine");
        assert_eq!(world.run(&[&args[..], &["--overwrite"]].concat()).code, 0);
        assert_ne!(fs::read_to_string(&out).unwrap(), "mine");
    }
    assert_eq!(world.run(&["report", "--overwrite"]).code, 2);
}

#[test]
fn an_inventory_has_the_same_keys_in_every_form_and_states_its_range() {
    let world = World::new();
    let json = world.json(&["keys", "inventory", "--format", "json", "--audit", "7d"]);
    let keys = json["keys"].as_array().unwrap();
    assert_eq!(keys.len(), 3);
    assert!(json["audit"]["from"].is_string() && json["limits"].as_array().unwrap().len() > 3);
    let csv = world.run(&["keys", "inventory", "--format", "csv"]);
    assert_eq!((csv.code, csv.stdout.lines().count()), (0, 4), "{csv:?}");
    let table = world.run(&["keys", "inventory"]);
    assert_eq!((table.code, table.stdout.lines().count()), (0, 4), "{table:?}");
    wording!(table.stderr);
    let html = world.run(&["keys", "inventory", "--format", "html"]);
    assert_eq!(html.stdout.matches("<th scope=\"row\">").count(), 3 + 2, "keys and roles");
}

#[test]
fn no_form_has_the_key_that_signs() {
    let world = World::new();
    let (_, secret) = world.tenant.key("advanced");
    for args in [
        &["report", "--format", "json"][..],
        &["report", "--format", "csv"],
        &["report"],
        &["keys", "inventory", "--format", "json"],
        &["keys", "inventory", "--format", "html"],
    ] {
        let ran = world.run(args);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!ran.stdout.contains(&secret) && !ran.stderr.contains(&secret), "{args:?}");
    }
}

/// The comparison with the definitions and the report both need scopes, which are one call each.
#[test]
fn each_scope_is_read_once() {
    let world = definitions::World::new();
    let scope = "  scope:\n    assets: { mode: none }\n    casesAndIssues: { mode: none }\n    \
                 endpoints: { mode: none }\n";
    for name in ["svc-a", "svc-b"] {
        let spec = "securityLevel: advanced; lifetime: 30d; roles: [Viewer]";
        world.define(name, spec, scope);
    }
    world.good(&["apply", "--yes"]);
    let keys = world.admin.all_keys(&[]).unwrap().len();
    for command in [&["report", "--fail-on", "never"][..], &["keys", "inventory"]] {
        let before = world.tenant.requests(usize::MAX).len();
        let ran = world.run(&[command, &["--format", "json"]].concat());
        assert_eq!(ran.code, 0, "{ran:?}");
        let report: Value = serde_json::from_str(&ran.stdout).unwrap();
        let svc = report["keys"].as_array().unwrap().iter().find(|key| key["name"] == "svc-a");
        assert_eq!(svc.unwrap()["state"], "in-place", "the scope was compared");
        let requests = world.tenant.requests(usize::MAX);
        let mut read: BTreeMap<&str, usize> = BTreeMap::new();
        for line in &requests[before..] {
            if let Some(id) = line.path.strip_prefix("/platform/iam/v1/scope/api-key/") {
                *read.entry(id).or_default() += 1;
            }
        }
        assert_eq!(read.len(), keys, "{command:?}");
        assert!(read.values().all(|times| *times == 1), "{command:?}: {read:?}");
    }
}
