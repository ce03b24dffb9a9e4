//! What commands read, write and print in a hostile repository: one with links that lead out of it,
//! pipes, endless files, and workflow commands in names and texts.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::definitions::{World, git};
use crate::common::{Ran, cortexkey, finish};

fn in_folder(folder: &Path, args: &[&str]) -> Ran {
    finish(cortexkey(args).current_dir(folder))
}

fn pipe(path: &Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

const LOCK: &str = "apiVersion: cortexkey/v1\nkind: Lock\ntenants: {}\n";

#[test]
fn a_lock_file_linked_from_outside_is_not_read() {
    let world = World::new();
    let outside = tempfile::tempdir().unwrap();
    fs::write(outside.path().join("lock"), LOCK).unwrap();
    world.define("svc-a", "securityLevel: advanced; roles: [Viewer]; lifetime: 30d", "");
    let lock = world.path("cortexkey.lock");
    let places = [outside.path().join("lock"), outside.path().join("gone"), "/dev/zero".into()];
    for place in places {
        symlink(&place, &lock).unwrap();
        for args in [
            &["plan"][..],
            &["import", "--id", "3"],
            &["report", "--format", "json"],
            &["keys", "inventory"],
            &["keys", "list"],
        ] {
            let ran = world.run(args);
            let reads_it = !args.contains(&"list");
            assert_eq!(ran.code != 0, reads_it, "{args:?} {place:?}: {ran:?}");
            assert!(!reads_it || ran.stderr.contains("cortexkey.lock"), "{args:?}: {ran:?}");
        }
        fs::remove_file(&lock).unwrap();
    }
    // A link within the repository is followed.
    fs::write(world.path("own.lock"), LOCK).unwrap();
    symlink("own.lock", &lock).unwrap();
    let ran = world.run(&["plan"]);
    assert!(!ran.stderr.contains("cortexkey.lock"), "{ran:?}");
}

#[test]
fn nothing_is_written_through_a_link_out_of_the_repository() {
    let world = World::new();
    let outside = tempfile::tempdir().unwrap();
    let target = outside.path().join("victim");
    let id = world.make("Viewer", "svc-old").get().to_string();
    let id = id.as_str();
    symlink(outside.path(), world.path("linked")).unwrap();
    symlink(&target, world.path("link")).unwrap();
    for args in [
        &["import", "--id", id, "--out", "linked"][..],
        &["import", "--id", id, "--out", "linked/deep/er"],
        &["import", "--inventory", "linked/inventory.json"],
        &["policy", "schema", "--output", "linked/key.json"],
        &["policy", "schema", "--output", "link"],
        &["lint", "--output-file", "linked/report"],
        &["lint", "--format", "json=link"],
        &["lint", "--write-baseline", "--baseline", "linked/baseline.json"],
        &["report", "--format", "json", "--out", "linked/report.json"],
        &["report", "--format", "json", "--output", "linked/report.json"],
        &["policy", "init", "--output", "link", "--name", "x", "keys"],
    ] {
        for is_there in [false, true] {
            if is_there {
                fs::write(&target, "somebody's").unwrap();
            }
            let ran = world.run(args);
            assert_ne!(ran.code, 0, "{args:?}: {ran:?}");
            if is_there {
                assert_eq!(fs::read_to_string(&target).unwrap(), "somebody's", "{args:?}");
                fs::remove_file(&target).unwrap();
            }
            let found = fs::read_dir(outside.path()).unwrap().count();
            assert_eq!(found, 0, "{args:?}: {ran:?}");
        }
    }
}

#[test]
fn pipes_and_endless_files_are_errors_at_once() {
    let world = World::new();
    let mut said = String::new();
    let mut fails = |code: i32, args: &[&str]| {
        let ran = world.run(args);
        assert_eq!(ran.code, code, "{args:?}: {ran:?}");
        let mut lines = ran.stdout.lines().chain(ran.stderr.lines());
        let why = lines.find(|line| line.starts_with("error") || line.starts_with("keys/"));
        said.extend([args.join(" "), format!("\n{}\n\n", why.unwrap_or_default())]);
    };
    pipe(&world.path("pipe"));
    fails(2, &["policy", "schema", "--check", "--output", "pipe"]);
    fails(2, &["policy", "schema", "--check", "--output", "/dev/zero"]);
    fails(3, &["verify", "/dev/zero"]);
    // A pipe in place of the file that an import writes.
    let id = world.make("Viewer", "old").get().to_string();
    let name = format!("keys/key-{id}.yaml");
    pipe(&world.path(&name));
    fails(1, &["import", "--id", &id]);
    fails(3, &["lint", &name]);
    // A pipe in place of a tracked file is an error, too.
    fs::remove_file(world.path(&name)).unwrap();
    world.define("svc-a", "securityLevel: advanced; roles: [Viewer]; lifetime: 30d", "");
    git(world.folder.path(), &["add", "keys"]);
    fs::remove_file(world.path("keys/svc-a.yaml")).unwrap();
    pipe(&world.path("keys/svc-a.yaml"));
    fails(3, &["lint"]);
    symlink("gone", world.path("dangling")).unwrap();
    fails(2, &["policy", "init", "--output", "dangling", "--name", "x", "keys"]);
    wording!(said);
}

/// The lines that GitHub, Azure Pipelines or `TeamCity` would execute.
fn executed_lines(text: &str) -> Vec<&str> {
    let is_live = |line: &&str| {
        let start = line.trim_start();
        let is_v2 = start.strip_prefix("::").is_some_and(|rest| !rest.starts_with(':'));
        let lower = line.to_lowercase();
        is_v2 || ["##[", "##vso[", "##teamcity["].iter().any(|mark| lower.contains(mark))
    };
    text.split(['\n', '\r']).filter(is_live).collect()
}

const POLICY: &str = "apiVersion: cortexkey/v1
kind: Policy
metadata: { name: t }
extends: ['builtin:recommended']
keys: ['**/*.yaml']
catalog:
  roles:
    - { name: Used }
    - { name: 'COMMAND' }
waivers:
  - { rule: E003, key: 'COMMAND', reason: 'COMMAND', approvedBy: a, expires: 2126-01-01 }
";

const DEFINITION: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: 'COMMAND'
  owner: >
    a

    COMMAND
  'COMMAND': 1
spec:
  roles:
  - 'COMMAND'
  - viewer
  comment: |
    a
    COMMAND
  expires: 'COMMAND'
COMMAND
";

#[test]
fn no_output_contains_a_workflow_command() {
    let commands = ["::error::x", "##[error]x", "##vso[task.setvariable variable=a]b"];
    for command in commands {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| fs::write(folder.path().join(name), text).unwrap();
        git(folder.path(), &["init", "--quiet"]);
        fs::create_dir(folder.path().join(command)).unwrap();
        write("cortexkey.yaml", &POLICY.replace("COMMAND", command));
        let key = DEFINITION.replace("COMMAND", command);
        write(&format!("{command}/{command}.yaml"), &key);
        write(&format!("{command}.yaml"), &key.replace(&format!("\n{command}\n"), "\n"));
        let formats = [
            "human",
            "concise",
            "grouped",
            "json",
            "sarif",
            "junit",
            "gitlab",
            "markdown",
            "rdjson",
            "checkstyle",
        ];
        for format in formats {
            let ran = in_folder(folder.path(), &["lint", "--format", format]);
            assert!(ran.code == 1 && ran.stdout.len() > 200, "{format}: {ran:?}");
            assert_eq!(executed_lines(&ran.stdout), [""; 0], "{format}");
            assert_eq!(executed_lines(&ran.stderr), [""; 0], "{format}");
        }
        let name = format!("{command}.yaml");
        for args in [
            &["lint", "--color", "always"][..],
            &["lint", "--diff", "--unsafe-fixes"],
            &["lint", "--show-files"],
            &["lint", "--statistics", "--format", "json"],
            &["lint", &name],
            &["lint", command],
            &["lint", "--exclude", command],
            &["policy", "show"],
            &["policy", "schema", "--output", "-"],
            &["policy", "eval", "key.metadata.name", "."],
            &["roles"],
            &["rules", "--format", "json"],
            &["explain", command],
            &["access", command],
            &["access", "--all"],
            &["compile", "--output", "x", "."],
            &["waive", command, "E003", "--reason", command, "--until", "2100-01-01"],
            &["baseline", "show"],
            &["verify", command],
            &[command],
        ] {
            let ran = in_folder(folder.path(), args);
            assert_eq!(executed_lines(&ran.stdout), [""; 0], "{args:?}: {ran:?}");
            assert_eq!(executed_lines(&ran.stderr), [""; 0], "{args:?}: {ran:?}");
        }
        // The format `github` contains our own commands and no others.
        let ran = in_folder(folder.path(), &["lint", "--format", "github"]);
        let ours = ["::error file=", "::warning file=", "::notice file="];
        let others = executed_lines(&ran.stdout).into_iter().filter(|line| {
            !ours.iter().any(|start| line.starts_with(start)) || line.contains("##[")
        });
        assert_eq!(others.collect::<Vec<_>>(), [""; 0]);
    }
}

#[test]
fn comments_from_a_tenant_are_not_workflow_commands() {
    let world = World::new();
    for comment in ["##vso[task.complete]", "::error::x", "##[group]x"] {
        world.make("Viewer", comment);
    }
    for format in ["table", "row", "json", "csv"] {
        let ran = world.run(&["keys", "list", "--format", format]);
        assert_eq!((ran.code, executed_lines(&ran.stdout)), (0, vec![]), "{format}: {ran:?}");
    }
    for args in [&["report", "--format", "csv", "--from", "tenant"][..], &["keys", "inventory"]] {
        let ran = world.run(args);
        assert_eq!(executed_lines(&ran.stdout), [""; 0], "{args:?}: {ran:?}");
    }
}
