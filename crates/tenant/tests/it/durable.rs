//! A tenant with a data folder: every acknowledged change survives a restart, and nothing is
//! accepted twice.

#![allow(clippy::print_stderr, reason = "a skip says why")]

use std::path::Path;

use cortexkey_core::auth::{Level, Signer};
use cortexkey_tenant::{Clock, Control, NewAdminKeys, Options, Tenant};
use serde_json::{Value, json};

use crate::common::{DELETE, Fixture, LIST, NOW_MS, VALIDATE, sign_at, signer_of, start};

fn on_disk(folder: &Path) -> Fixture {
    start(|options| {
        options.data = Some(folder.to_owned());
        options.explain = true;
    })
}

/// Two signers of the seeded keys, for after the restart.
fn signers(f: &Fixture) -> (Signer, Signer) {
    let keys = f.tenant.seeded_keys().unwrap();
    (signer_of(&keys.standard), signer_of(&keys.advanced))
}

fn verdict(f: &Fixture, headers: &crate::common::Headers) -> String {
    f.send(headers, VALIDATE, "{}").header("x-cortexkey-verdict").unwrap().to_owned()
}

#[test]
fn keys_scopes_and_roles_survive_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let f = on_disk(folder.path());
    let (standard, advanced) = signers(&f);
    let role = json!({ "pretty_name": "R", "component_permissions": ["public_api_view"] });
    assert_eq!(f.call(&advanced, "/platform/iam/v1/role", &role).status, 201);
    let made = f.generate(
        &json!({ "roles": ["R"], "security_level": "advanced", "comment": "é" }),
        Level::Advanced,
    );
    let gone =
        f.generate(&json!({ "roles": ["R"], "security_level": "standard" }), Level::Standard);
    let delete = json!({ "filters": [{ "field": "id", "operator": "in", "value": [4] }] });
    assert_eq!(f.call(&standard, DELETE, &delete).status, 200);
    let list = json!({ "filters": [] });
    let before = f.call(&standard, LIST, &list).body;
    f.tenant.stop();

    let f = on_disk(folder.path());
    assert!(f.tenant.seeded_keys().is_none(), "shown once");
    assert!(!f.tenant.ready_line().contains("keys"));
    assert_eq!(f.call(&standard, LIST, &list).body, before);
    f.clock.advance(1);
    assert_eq!(verdict(&f, &f.sign(&made)), "accept");
    assert_eq!(f.call(&made, LIST, &list).status, 200, "with its role");
    assert_eq!(verdict(&f, &f.sign(&gone)), "unknown-key");
    assert_eq!(verdict(&f, &f.sign(&advanced)), "accept");
    f.tenant.stop();

    let f = start(|options| {
        options.data = Some(folder.path().to_owned());
        options.new_admin_keys = NewAdminKeys::Always;
    });
    assert_eq!(f.tenant.seeded_keys().unwrap().standard.id().get(), 5, "no id is given twice");
}

#[test]
fn requests_accepted_before_a_restart_are_refused_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let f = on_disk(folder.path());
    let (_, advanced) = signers(&f);
    let accepted = f.sign(&advanced);
    // From the future half of the window.
    let ahead = sign_at(&advanced, NOW_MS + 30_000);
    assert_eq!((verdict(&f, &accepted), verdict(&f, &ahead)), ("accept".into(), "accept".into()));
    f.tenant.stop();
    let f = on_disk(folder.path());
    for headers in [&accepted, &ahead] {
        assert_eq!(verdict(&f, headers), "replay-guard-starting");
    }
    // Nothing above the highest accepted timestamp can have been accepted.
    assert_eq!(verdict(&f, &sign_at(&advanced, NOW_MS + 30_001)), "accept");
}

#[test]
fn the_data_folder_reveals_no_key() {
    let folder = tempfile::tempdir().unwrap();
    let f = on_disk(folder.path());
    let keys = f.tenant.seeded_keys().unwrap();
    let texts = [keys.standard.expose().to_owned(), keys.advanced.expose().to_owned()];
    f.generate(
        &json!({ "roles": ["Viewer"], "security_level": "standard", "comment": "find-me-not" }),
        Level::Standard,
    );
    f.tenant.stop();
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let bytes = std::fs::read(file.unwrap().path()).unwrap();
        let found = |text: &[u8]| bytes.windows(text.len()).any(|part| part == text);
        for text in &texts {
            for part in text.as_bytes().chunks(16) {
                assert!(!found(part));
            }
        }
        assert!(!found(b"find-me-not") && !found(b"Viewer"));
    }
}

/// A small separate file system in memory; `None` without permission to mount one.
#[cfg(target_os = "linux")]
struct SmallDisk(tempfile::TempDir);

#[cfg(target_os = "linux")]
impl SmallDisk {
    fn new(size: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = std::process::Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"]).arg(folder.path());
        let is_mounted = mount.output().is_ok_and(|output| output.status.success());
        if !is_mounted {
            assert!(std::env::var("CI").is_err(), "no file system can be mounted");
            eprintln!("skipped: only root can mount a file system");
        }
        is_mounted.then_some(Self(folder))
    }
}

#[cfg(target_os = "linux")]
impl Drop for SmallDisk {
    fn drop(&mut self) {
        let done = std::process::Command::new("umount").arg("-l").arg(self.0.path()).status();
        assert!(done.is_ok_and(|status| status.success()) || std::thread::panicking());
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_allows_deleting_but_not_generating() {
    let Some(disk) = SmallDisk::new("40m") else { return };
    let data = disk.0.path().join("data");
    let f = start(|options| {
        options.data = Some(data.clone());
        options.max_keys = 100_000;
    });
    let take = |name: &str, bytes: usize| {
        // The file gets as much as fits on the disk.
        let _ = std::fs::write(disk.0.path().join(name), vec![1; bytes]);
    };
    take("other", 18 << 20);
    let about = json!({ "roles": ["Viewer"], "security_level": "standard",
        "comment": "c".repeat(1_000) });
    let make = || f.call(&f.standard(), crate::common::GENERATE, &about);
    let ids: Vec<u64> = core::iter::from_fn(|| {
        let answer = make();
        (answer.status == 200).then(|| answer.json()["reply"]["id"].as_u64().unwrap())
    })
    .take(20_000)
    .collect();
    assert!((100..20_000).contains(&ids.len()), "{}", ids.len());
    assert_eq!(make().status, 500);
    take("more", 14 << 20);
    let delete = |ids: &[u64]| {
        let filters = json!([{ "field": "id", "operator": "in", "value": ids }]);
        f.call(&f.standard(), DELETE, &json!({ "filters": filters })).status
    };
    assert!(ids[..50].iter().all(|id| delete(&[*id]) == 200));
    assert_eq!(f.call(&f.advanced(), VALIDATE, &json!({})).status, 200);
    assert_eq!(delete(&ids[50..]), 200);
    for name in ["other", "more"] {
        std::fs::remove_file(disk.0.path().join(name)).unwrap();
    }
    assert_eq!(make().status, 200, "there is room again");
    f.tenant.stop();
    let f = on_disk(&data);
    assert!(f.tenant.seeded_keys().is_none(), "the keys are there");
}

#[test]
fn a_folder_has_one_tenant_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let _first = on_disk(folder.path());
    let options = Options { data: Some(folder.path().to_owned()), ..Options::default() };
    let error = Tenant::start(options).unwrap_err().to_string();
    assert!(error.contains(folder.path().to_str().unwrap()), "{error}");
}

#[test]
fn a_clock_that_was_moved_stays_moved_and_notices_are_not_given_again() {
    const DAY_MS: u64 = 24 * 60 * 60 * 1000;
    let folder = tempfile::tempdir().unwrap();
    let run = || {
        start(|options| {
            options.data = Some(folder.path().to_owned());
            options.clock = Clock::System;
            options.control = Control::Change;
        })
    };
    let clock = |f: &Fixture| {
        let answer = f.get(&vec![], "/_cortexkey/clock").json();
        answer["nowMs"].as_u64().unwrap()
    };
    let f = run();
    let standard = signers(&f).0;
    let now_ms = clock(&f);
    let request = json!({ "roles": ["Viewer"], "security_level": "standard",
        "expiration": now_ms + 20 * DAY_MS });
    assert_eq!(f.call(&standard, crate::common::GENERATE, &request).status, 200);
    let change: Value = json!({ "advanceMs": 15 * DAY_MS });
    assert_eq!(f.put(&vec![], "/_cortexkey/clock", &change).status, 200);
    assert_eq!(f.tenant.notifications().len(), 1);
    f.tenant.stop();
    let f = run();
    assert!(clock(&f) >= now_ms + 15 * DAY_MS);
    assert_eq!(f.tenant.notifications(), []);
}
