//! Sinks of new keys: existing content is never lost, and no rotation waits for another tenant's.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::common::{Ran, Tenant, cortexkey, finish};

/// Tenants whose profiles share a home, and with it state and sink.
struct World {
    tenants: Vec<Tenant>,
    folder: tempfile::TempDir,
}

impl World {
    fn new(profiles: &[&str], sink: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("config/cortexkey")).unwrap();
        fs::create_dir(folder.path().join("sink")).unwrap();
        let tenants: Vec<_> = profiles.iter().map(|_| Tenant::start()).collect();
        let mut config = Vec::new();
        for (name, tenant) in profiles.iter().zip(&tenants) {
            let (_, key) = tenant.key("advanced");
            let file = folder.path().join(name);
            fs::write(&file, key).unwrap();
            let private = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            fs::set_permissions(&file, private).unwrap();
            config.push(format!(
                "[profiles.{name}]\nfqdn = '{}'\nkey_id = 2\nlevel = 'advanced'\nkey_file = '{}'\n{sink}\n",
                tenant.url(),
                file.display()
            ));
        }
        fs::write(folder.path().join("config/cortexkey/config.toml"), config.concat()).unwrap();
        Self { tenants, folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    fn command(&self, profile: &str, args: &[&str]) -> std::process::Command {
        let mut command = cortexkey(&[&["keys"], args, &["--profile", profile]].concat());
        command
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_STATE_HOME", self.path("state"));
        command.current_dir(self.folder.path());
        command
    }

    fn keys(&self, profile: &str, args: &[&str]) -> Ran {
        finish(&mut self.command(profile, args))
    }

    fn generate(&self, profile: &str, sink: &[&str]) -> Ran {
        let args =
            ["generate", "--role", "Viewer", "--security-level", "advanced", "--lifetime", "30d"];
        self.keys(profile, &[&args[..], sink].concat())
    }

    fn ids(&self, profile: &str) -> Vec<u64> {
        let ran = self.keys(profile, &["list", "--format", "json"]);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        value["keys"].as_array().unwrap().iter().map(|key| key["id"].as_u64().unwrap()).collect()
    }
}

#[test]
fn two_tenants_with_one_sink_folder_lose_no_key() {
    let world = World::new(&["a", "b"], "sink_folder = '../../sink'");
    assert_eq!(world.generate("a", &[]).code, 0);
    let first = world.read("sink/key-3");
    let second = world.generate("b", &[]);
    assert_eq!(second.code, 1, "{second:?}");
    wording!(second.stderr);
    assert_eq!((world.read("sink/key-3"), world.ids("b")), (first.clone(), vec![1, 2]));

    // b's key of the same id has another sink; its rotation leaves a's file alone.
    assert_eq!(world.generate("b", &["--sink-file", "b.key"]).code, 0);
    let id = world.ids("b").last().unwrap().to_string();
    fs::rename(world.path("sink/key-3"), world.path(&format!("sink/key-{id}"))).unwrap();
    let owner = |id: &str| world.path(&format!("sink/.key-{id}.cortexkey-tenant"));
    fs::rename(owner("3"), owner(&id)).unwrap();
    for sink in [&[][..], &["--sink-file", &format!("sink/key-{id}")]] {
        let rotate = [&["rotate", &id, "--grace", "0", "--yes"], sink].concat();
        let ran = world.keys("b", &rotate);
        assert_eq!(ran.code, 1, "{ran:?}");
    }
    assert_eq!(world.read(&format!("sink/key-{id}")), first);
    assert!(world.ids("b").contains(&id.parse().unwrap()));
}

#[test]
fn a_rotation_replaces_its_own_file_and_keeps_a_link_to_it() {
    let world = World::new(&["a"], "sink_folder = '../../sink'");
    assert_eq!(world.generate("a", &[]).code, 0);
    let first = world.read("sink/key-3");
    let ran = world.keys("a", &["rotate", "3", "--grace", "0", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_ne!(world.read("sink/key-3"), first);

    fs::write(world.path("real"), "old").unwrap();
    symlink("real", world.path("link")).unwrap();
    let ran = world.keys("a", &["rotate", "4", "--grace", "0", "--yes", "--sink-file", "link"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(world.path("link").symlink_metadata().unwrap().is_symlink());
    assert_eq!(world.read("real").len(), 128);

    // If the path is not a file, no key is generated.
    let made = cortexkey(&[]).arg("--version").output().is_ok()
        && std::process::Command::new("mkfifo").arg(world.path("fifo")).status().unwrap().success();
    assert!(made);
    for place in ["fifo", "/dev/null", "/dev/stdout", "/proc/self/fd/1", "."] {
        let ran = world.keys("a", &["rotate", "5", "--yes", "--sink-file", place]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{place}: {ran:?}");
        assert_eq!(world.ids("a"), [1, 2, 5], "{place}");
    }
}

#[test]
fn an_existing_secret_in_a_store_is_not_replaced() {
    let sink = "sink_command = ['sh', '-c', 'cat > \"$0\"', '../store-{name}']\n\
                sink_exists_command = ['sh', '-c', '[ -z \"$CORTEXKEY_REPLACED_KEY_ID\" ] && [ -e \"$0\" ]', '../store-{name}']";
    let sink = sink.replace("../store", "store");
    let world = World::new(&["a", "b"], &sink);
    assert_eq!(world.generate("a", &[]).code, 0);
    let first = world.read("store-key-3");
    let second = world.generate("b", &[]);
    assert_eq!(second.code, 1, "{second:?}");
    wording!(second.stderr);
    assert_eq!((world.read("store-key-3"), world.ids("b")), (first.clone(), vec![1, 2]));
    // The program gets the id of the key that a rotation replaces, and allows it.
    let ran = world.keys("a", &["rotate", "3", "--grace", "0", "--yes"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_ne!(world.read("store-key-3"), first);
}

#[test]
fn waiting_for_a_grace_blocks_no_other_rotation() {
    let world = World::new(&["a", "b"], "");
    for profile in ["a", "b"] {
        for number in ["1", "2"] {
            let file = format!("{profile}{number}.key");
            assert_eq!(world.generate(profile, &["--sink-file", &file]).code, 0);
        }
    }
    let mut waits = world.command(
        "a",
        &["rotate", "3", "--grace", "1h", "--wait", "--yes", "--sink-file", "a1.key"],
    );
    let mut waits = waits.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let until = Instant::now() + Duration::from_secs(60);
    while world.ids("a").len() < 5 {
        assert!(Instant::now() < until, "the rotation does not begin");
    }
    // The same id of another tenant, another key of the same one, and the waiting key itself.
    for (profile, id, file) in [("b", "3", "b1.key"), ("a", "4", "a2.key")] {
        let rotate = ["rotate", id, "--grace", "0", "--yes", "--sink-file", file];
        let ran = world.keys(profile, &rotate);
        assert_eq!(ran.code, 0, "{profile} {id}: {ran:?}");
    }
    assert_eq!(waits.try_wait().unwrap(), None);
    waits.kill().unwrap();
    waits.wait().unwrap();
    assert_eq!(world.tenants.len(), 2);
}

#[test]
fn a_program_that_times_out_may_have_stored_the_key() {
    let script = "cat > sink/svc; test -e sink/fast || exec sleep 60";
    let sink = format!("sink_command = ['sh', '-c', '{script}']\nsink_command_timeout_ms = 2000");
    let world = World::new(&["a"], &sink);
    assert_eq!(world.generate("a", &["--sink-file", "first"]).code, 0);
    let first = *world.ids("a").last().unwrap();
    let rotate = || world.keys("a", &["rotate", &first.to_string(), "--grace", "0", "--yes"]);
    let ran = rotate();
    assert!(ran.code == 1 && ran.stderr.contains("finish"), "{ran:?}");
    // Either key may be in use.
    assert_eq!(world.ids("a").iter().filter(|id| **id >= first).count(), 2, "{ran:?}");
    fs::write(world.path("sink/fast"), "").unwrap();
    let ran = rotate();
    assert_eq!(ran.code, 0, "{ran:?}");
    let left: Vec<u64> = world.ids("a").into_iter().filter(|id| *id >= first).collect();
    assert_eq!(left, [first + 2], "{ran:?}");
}
