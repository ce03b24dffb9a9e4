//! `cortexkey keys provision`: exactly one key per line, delivered to its sink, whatever fails on
//! the way.

use std::fs;
use std::process::{Command, Stdio};

use cortexkey_api::scope::ScopeWrite;
use cortexkey_client::ObservedScope;
use cortexkey_core::auth::KeyId;
use serde_json::{Value, json};

use crate::common::definitions::World;
use crate::common::killer::{Killer, When};
use crate::common::{Ran, Tenant, finish, finish_with};

const OPTIONS: [&str; 4] = ["--security-level", "advanced", "--lifetime", "30d"];
const LIST: &str = "name,owner,roles,assets,cases,unreferenced,endpoints\n\
                    svc-a,team-a,Viewer,all,Security,false,none\n\
                    ana@example.com,ana@example.com,Viewer; Responder,none,none,,none\n";

struct Listed(World);

impl Listed {
    fn new(list: &str) -> Self {
        let listed = Self(World::new());
        fs::write(listed.0.path("team.csv"), list).unwrap();
        listed
    }

    fn command(&self, args: &[&str]) -> Command {
        let provision = ["keys", "provision", "team.csv"];
        let mut command = self.0.command(&[&provision[..], &OPTIONS, args].concat());
        command.env("XDG_STATE_HOME", self.0.path("state"));
        command
    }

    fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args))
    }

    /// The states of the lines.
    fn states(&self, code: i32, args: &[&str]) -> Vec<String> {
        let ran = self.run(&[args, &["--format", "json"]].concat());
        assert_eq!(ran.code, code, "{ran:?}");
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        let lines = value["lines"].as_array().unwrap().iter();
        lines.map(|line| line["state"].as_str().unwrap().to_owned()).collect()
    }

    /// Exactly one key for each of these names, in its sink.
    fn check_done(&self, names: &[&str], what: &str) {
        let keys = self.0.keys();
        assert_eq!(keys.len(), names.len(), "{what}: {keys:?}");
        for name in names {
            let id = self.0.in_place(name).unwrap_or_else(|| panic!("{what}: {name}"));
            let key = keys.iter().find(|key| key.id == id).unwrap();
            let comment = key.comment.as_deref().unwrap();
            assert!(comment.starts_with(&format!("{name}, owner ")), "{what}: {comment}");
        }
        let record = fs::read_to_string(self.0.path("team.csv.lock")).unwrap();
        assert!(!record.contains("pending") && !record.contains("retiring"), "{what}: {record}");
    }
}

#[test]
fn each_line_gets_one_key_in_its_place_and_none_twice() {
    let listed = Listed::new(LIST);
    let world = &listed.0;
    assert_eq!(listed.states(0, &["--dry-run"]), ["generate", "generate"]);
    assert!(world.keys().is_empty() && !world.path("team.csv.lock").exists());
    // Without confirmation.
    assert_eq!(listed.run(&[]).code, 2);
    assert!(world.keys().is_empty());

    let ran = listed.run(&["--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    listed.check_done(&["svc-a", "ana@example.com"], "first run");
    for name in ["svc-a", "ana@example.com"] {
        let key = fs::read_to_string(world.path(&format!("secrets/{name}"))).unwrap();
        assert!(!ran.stdout.contains(&key) && !ran.stderr.contains(&key));
        let record = fs::read_to_string(world.path("team.csv.lock")).unwrap();
        assert!(!record.contains(&key));
    }
    let id = KeyId::new(world.in_place("svc-a").unwrap()).unwrap();
    let read = world.admin.scope(id).unwrap().unwrap();
    let scope: ScopeWrite = serde_json::from_value(json!({
        "assets": { "mode": "see_all" },
        "cases_issues": { "mode": "scope", "names": ["Security"] },
        "endpoints": {
            "endpoint_groups": { "mode": "no_scope" }, "endpoint_tags": { "mode": "no_scope" },
        },
    }))
    .unwrap();
    assert_eq!(ObservedScope::from(&read), ObservedScope::from(&scope));
    let keys = world.keys();
    let ana = keys.iter().find(|key| key.roles.len() == 2).unwrap();
    assert_eq!(ana.roles, ["Viewer", "Responder"]);

    assert_eq!(listed.states(0, &["--yes"]), ["in-place", "in-place"]);
    // A new line is a new key, and needs confirmation again.
    let more = format!("{LIST}bo,team-b,Viewer,none,none,,none\n");
    fs::write(world.path("team.csv"), more).unwrap();
    assert_eq!(listed.states(0, &["--yes"]), ["in-place", "in-place", "generated"]);
    listed.check_done(&["svc-a", "ana@example.com", "bo"], "another line");
}

#[test]
fn a_key_that_differs_from_its_line_is_reported() {
    let listed = Listed::new("name,owner,roles\na,t,Viewer\nb,t,Viewer\n");
    assert_eq!(listed.states(0, &["--yes"]), ["generated", "generated"]);
    let edited = "name,owner,roles\na,t,Responder\nb,t,Viewer\n";
    fs::write(listed.0.path("team.csv"), edited).unwrap();
    assert_eq!(listed.states(1, &["--yes"]), ["in-place", "in-place"]);
    assert_eq!(listed.run(&["--dry-run"]).code, 1);
}

#[test]
fn a_run_killed_at_any_request_is_finished_by_the_next() {
    let start = || {
        let listed = Listed::new("name,owner,roles\na,t,Viewer\n");
        let killer = Killer::before(listed.0.tenant.url());
        (listed, killer)
    };
    let run = |listed: &Listed, killer: &Killer, kill_at| {
        let mut command = listed.command(&["--yes"]);
        command.env("CORTEXKEY_FQDN", &killer.url).stdout(Stdio::null()).stderr(Stdio::null());
        killer.run(&mut command, kill_at)
    };
    let (listed, killer) = start();
    let (requests, good) = run(&listed, &killer, None);
    assert!(good && requests >= 6, "{requests}");
    listed.check_done(&["a"], "without a kill");
    for at in 1..=requests {
        for when in [When::Before, When::After] {
            let what = format!("killed at request {at}, {when:?}");
            let (listed, killer) = start();
            assert!(!run(&listed, &killer, Some((at, when))).1, "{what}");
            assert!(run(&listed, &killer, None).1, "{what}: the next run fails");
            listed.check_done(&["a"], &what);
        }
    }
}

#[test]
fn a_line_without_a_key_is_named_after_a_failure() {
    let listed = Listed::new(LIST);
    let ran = listed.run(&["--sink-folder", "missing", "--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    wording!(ran.stdout);
    for name in ["svc-a", "ana@example.com"] {
        assert!(ran.stdout.contains(name), "{ran:?}");
    }
    assert!(listed.0.keys().is_empty());
    // With the folder, the same command is complete.
    fs::create_dir(listed.0.path("missing")).unwrap();
    assert_eq!(listed.run(&["--sink-folder", "missing", "--yes"]).code, 0);
    let again = listed.run(&["--sink-folder", "missing", "--yes"]);
    assert_eq!((again.code, again.stdout.as_str()), (0, "every line has its key\n"));
}

#[test]
fn a_pipe_as_list_is_refused_instead_of_waited_for() {
    let listed = Listed::new(LIST);
    fs::remove_file(listed.0.path("team.csv")).unwrap();
    let pipe = listed.0.path("team.csv");
    assert!(cortexkey_system::command("mkfifo").arg(&pipe).status().unwrap().success());
    let ran = listed.run(&["--dry-run"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    wording!(ran.stderr);
}

#[test]
fn a_run_killed_in_its_sink_is_finished_by_the_next() {
    for script in ["kill -9 $PPID; sleep 0.2", "cat > \"$0\"; kill -9 $PPID; sleep 0.2"] {
        let listed = Listed::new("name,owner,roles\na,t,Viewer\n");
        let configure = |script: &str| {
            let config = format!(
                "[profiles.p]\nsink_command = ['sh', '-c', '{script}', 'secrets/{{name}}']\n"
            );
            fs::write(listed.0.path("config/cortexkey/config.toml"), config).unwrap();
        };
        configure(script);
        assert_ne!(listed.run(&["--yes"]).code, 0);
        configure("cat > \"$0\"");
        let ran = listed.run(&["--yes"]);
        assert_eq!(ran.code, 0, "{script}: {ran:?}");
        listed.check_done(&["a"], script);
    }
}

#[test]
fn a_failed_line_is_repaired_and_affects_no_other() {
    let listed = Listed::new("name,owner,roles\na,t,Viewer\nb,t,Viewer\nc,t,Viewer\n");
    // The file for the second line already exists.
    fs::write(listed.0.path("secrets/b"), "somebody's").unwrap();
    let ran = listed.run(&["--yes"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    wording!(ran.stderr);
    assert_eq!(listed.0.keys().len(), 1);
    assert_eq!(fs::read_to_string(listed.0.path("secrets/b")).unwrap(), "somebody's");
    fs::remove_file(listed.0.path("secrets/b")).unwrap();
    assert_eq!(listed.states(0, &["--yes"]), ["in-place", "generated", "generated"]);
    listed.check_done(&["a", "b", "c"], "the file is out of the way");

    // A key that lacks permissions, a wrong address, and a missing folder.
    let listed = Listed::new("name,owner,roles\na,t,Viewer\n");
    let ran = listed.run(&["--yes", "--sink-folder", "no/such/folder"]);
    assert_eq!((ran.code, listed.0.keys().len()), (1, 0), "{ran:?}");
    let ran = finish(
        listed.command(&["--yes", "--retries", "0"]).env("CORTEXKEY_FQDN", "http://127.0.0.1:9"),
    );
    assert_eq!(ran.code, 1, "{ran:?}");
    let ran = finish(listed.command(&["--yes"]).env("CORTEXKEY_API_KEY", "k7".repeat(64)));
    assert_eq!((ran.code, listed.0.keys().len()), (1, 0), "{ran:?}");
    // If the record cannot be written, no key is generated, because it would not be recorded.
    let ran = listed.run(&["--yes", "--record", "team.csv/record"]);
    assert_eq!((ran.code, listed.0.keys().len()), (1, 0), "{ran:?}");
    fs::write(listed.0.path("damaged.lock"), "keys: [").unwrap();
    let ran = listed.run(&["--yes", "--record", "damaged.lock"]);
    assert_eq!((ran.code, listed.0.keys().len()), (2, 0), "{ran:?}");
}

#[test]
fn a_lost_record_causes_no_second_key() {
    let listed = Listed::new("name,owner,roles\na,t,Viewer\nb,t,Viewer\n");
    assert_eq!(listed.run(&["--yes"]).code, 0);
    let record = fs::read(listed.0.path("team.csv.lock")).unwrap();
    fs::remove_file(listed.0.path("team.csv.lock")).unwrap();
    assert_eq!(listed.states(1, &["--yes"]), ["taken", "taken"]);
    assert_eq!(listed.0.keys().len(), 2);
    fs::write(listed.0.path("team.csv.lock"), record).unwrap();

    let id = KeyId::new(listed.0.in_place("a").unwrap()).unwrap();
    listed.0.admin.delete_keys(&[id]).unwrap();
    assert_eq!(listed.states(1, &["--yes"]), ["gone", "in-place"]);
    assert_eq!(listed.0.keys().len(), 1);
    assert_eq!(listed.states(0, &["--yes", "--recreate"]), ["generated", "in-place"]);
    listed.check_done(&["a", "b"], "recreated");

    // An edited key is shown and left alone.
    let id = listed.0.in_place("b").unwrap();
    listed.0.good(&["keys", "edit", &id.to_string(), "--role", "Responder", "--yes"]);
    let ran = listed.run(&["--dry-run"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    wording!(ran.stdout);
}

#[test]
fn a_list_with_mistakes_changes_nothing() {
    let listed = Listed::new("");
    let mut said = String::new();
    for (list, args) in [
        ("", &[][..]),
        ("name,owner,roles\na,t,No Such Role\n", &[]),
        ("name,owner\na,t\n", &[]),
        ("name,owner,roles,expires\na,t,Viewer,2020-01-01\n", &[]),
        // The first line alone would be carried out.
        ("name,owner,roles,lifetime\na,t,Viewer,30d\nb,t,Viewer,185d\n", &[]),
        ("name,owner,roles\na,t,Viewer\nA,t,Viewer\n", &[]),
        ("name,owner,roles\na,t,Viewer\nb,t,Viewer\n", &["--comment", "keys"]),
        ("name,owner,roles\na,t,Viewer\n", &["--sink-store", "vault://secret/one"]),
        ("name,owner,roles,assets,cases,endpoints\na,t,Viewer,no such group,none,none\n", &[]),
        ("name,owner,roles\na,t,Viewer\n", &["--scope-file", "no-such-file"]),
    ] {
        fs::write(listed.0.path("team.csv"), list).unwrap();
        let ran = listed.run(&[&["--yes"], args].concat());
        assert!(matches!(ran.code, 2 | 3), "{list}: {ran:?}");
        said.extend([format!("{list}{args:?}\n{}\n", ran.stderr)]);
        assert!(listed.0.keys().is_empty() && !listed.0.path("team.csv.lock").exists());
    }
    wording!(said);
    // For standard input, there is no default path for the record.
    let world = &listed.0;
    let stdin = |args: &[&str]| {
        let mut command =
            world.command(&[&["keys", "provision", "-", "--yes"], &OPTIONS[..], args].concat());
        finish_with(&mut command, b"name,owner,roles\na,t,Viewer\n")
    };
    assert_eq!(stdin(&[]).code, 2);
    assert_eq!(stdin(&["--record", "team.csv.lock"]).code, 0);
    listed.check_done(&["a"], "from standard input");
}

#[test]
fn each_user_of_a_group_gets_a_key() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let inventory = json!({
        "users": [
            { "user_email": "ana@b.example" }, { "user_email": "bo@b.example" },
            { "user_email": "old@b.example", "status": "Inactive" },
        ],
        "userGroups": [
            { "group_id": "g1", "group_name": "Analysts", "users": ["ana@b.example", "old@b.example"] },
        ],
    });
    fs::write(path("inventory.json"), inventory.to_string()).unwrap();
    fs::create_dir(path("secrets")).unwrap();
    let tenant = Tenant::start_with(&["--inventory", path("inventory.json").to_str().unwrap()]);
    let run = |args: &[&str]| {
        let users =
            ["keys", "provision", "--users", "--role", "Viewer", "--sink-folder", "secrets"];
        let mut command = tenant
            .with_key("advanced", &[&users[..], &OPTIONS, &["--format", "json"], args].concat());
        command.env("XDG_STATE_HOME", path("state")).current_dir(folder.path());
        let ran = finish(&mut command);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap_or_default();
        let lines = value["lines"].as_array().cloned().unwrap_or_default();
        let lines = lines.iter().map(|line| format!("{} {}", line["name"], line["state"]));
        (ran.code, lines.collect::<Vec<_>>().join(", ").replace('"', ""))
    };
    assert_eq!(run(&["--user-group", "Nobodies", "--yes"]).0, 2);
    assert_eq!(run(&["--user-group", "Analysts", "--yes"]), (0, "ana@b.example generated".into()));
    assert!(path("secrets/ana@b.example").is_file() && !path("secrets/bo@b.example").exists());
    let all = "ana@b.example in-place, bo@b.example generate";
    assert_eq!(run(&["--dry-run"]), (0, all.into()));
}
