//! Kills `cortexkey keys rotate` at every step, and runs it again.
//!
//! After each kill, a working key remains. After the next complete run, there is exactly one new
//! key, with the old key's properties, in its sink.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use cortexkey_api::api_keys::{ApiKeyRecord, GenerateRequest, SecurityLevel};
use cortexkey_client::{Client, ClientOptions, ObservedScope};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{Options, Tenant};
use serde_json::json;

use crate::common::cortexkey;
use crate::common::killer::{Killer, When};

struct World {
    tenant: Tenant,
    killer: Killer,
    admin: Client,
    folder: tempfile::TempDir,
    old: KeyId,
    scope: ObservedScope,
}

impl World {
    fn new() -> Self {
        let tenant = Tenant::start(Options::default()).unwrap();
        let seeded = &tenant.seeded_keys().unwrap().advanced;
        let key = Key::new(seeded.expose().as_bytes()).unwrap();
        let admin = client(&tenant, Signer::new(seeded.id(), Level::Advanced, key));
        let made = admin
            .generate_key(&GenerateRequest {
                roles: vec!["Viewer".into()],
                security_level: SecurityLevel::Advanced,
                expiration: None,
                comment: Some("Exports. SEC-1".into()),
            })
            .unwrap();
        let old = KeyId::new(made.id).unwrap();
        let scope = serde_json::from_value(json!({
            "assets": { "mode": "see_all" },
            "cases_issues": { "mode": "scope", "names": ["Security"] },
            "endpoints": {
                "endpoint_groups": { "mode": "no_scope" }, "endpoint_tags": { "mode": "no_scope" },
            },
        }))
        .unwrap();
        admin.set_scope(old, &scope).unwrap();
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("keys")).unwrap();
        fs::write(folder.path().join("keys/key"), made.key.expose()).unwrap();
        let killer = Killer::before(tenant.url());
        Self { killer, admin, folder, old, scope: ObservedScope::from(&scope), tenant }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("keys/key")
    }

    fn rotate(&self, sink: &[&str]) -> Command {
        let seeded = &self.tenant.seeded_keys().unwrap().advanced;
        let id = self.old.to_string();
        let args = ["keys", "rotate", &id, "--grace", "0", "--yes", "--unreferenced", "false"];
        let mut command = cortexkey(&[&args[..], sink].concat());
        command.env("CORTEXKEY_FQDN", &self.killer.url).env("CORTEXKEY_API_KEY", seeded.expose());
        command.env("CORTEXKEY_API_KEY_ID", "2").env("CORTEXKEY_API_KEY_TYPE", "advanced");
        command.env("XDG_STATE_HOME", self.folder.path());
        command.stdout(Stdio::null()).stderr(Stdio::null()).current_dir(self.folder.path());
        command
    }

    fn keys(&self) -> Vec<ApiKeyRecord> {
        let all = self.admin.all_keys(&[]).unwrap();
        all.into_iter().filter(|record| record.id > 2).collect()
    }

    /// The tenant's key that the file contains.
    fn in_file(&self) -> Option<u64> {
        let text = fs::read(self.path()).unwrap();
        self.keys().into_iter().map(|record| record.id).find(|id| {
            let id = KeyId::new(*id).unwrap();
            let key = Key::new(&text).unwrap();
            client(&self.tenant, Signer::new(id, Level::Advanced, key)).ping().is_ok()
        })
    }

    /// One new key with the old key's properties, in the file; no state and no other key is left.
    fn check_done(&self, what: &str) {
        let keys = self.keys();
        assert_eq!(keys.len(), 1, "{what}: {keys:?}");
        assert_ne!(keys[0].id, self.old.get(), "{what}");
        assert_eq!(self.in_file(), Some(keys[0].id), "{what}");
        assert_eq!(keys[0].comment.as_deref(), Some("Exports. SEC-1"), "{what}");
        assert_eq!(keys[0].roles, ["Viewer"], "{what}");
        let read = self.admin.scope(KeyId::new(keys[0].id).unwrap()).unwrap().unwrap();
        assert_eq!(ObservedScope::from(&read), self.scope, "{what}");
        assert_eq!(fs::read_dir(self.folder.path().join("keys")).unwrap().count(), 1, "{what}");
        let tenant = self.killer.url.replace([':', '/'], "_");
        let state = format!("cortexkey/{tenant}/key-{}/cortexkey.lock", self.old);
        let state = fs::read_to_string(self.folder.path().join(state));
        assert!(state.unwrap().contains("tenants: {}"), "{what}");
    }
}

fn client(tenant: &Tenant, signer: Signer) -> Client {
    Client::new(tenant.url().parse().unwrap(), signer, ClientOptions::default())
}

#[test]
fn a_rotation_killed_at_any_request_is_finished_by_the_next_run() {
    let world = World::new();
    let path = world.path();
    let sink = ["--sink-file", path.to_str().unwrap()];
    let (requests, good) = world.killer.run(&mut world.rotate(&sink), None);
    assert!(good && requests >= 10, "{requests}");
    println!("killed before and after each of {requests} requests");
    world.check_done("without a kill");
    for at in 1..=requests {
        for when in [When::Before, When::After] {
            let what = format!("killed at request {at}, {when:?}");
            let world = World::new();
            let path = world.path();
            let sink = ["--sink-file", path.to_str().unwrap()];
            let (_, good) = world.killer.run(&mut world.rotate(&sink), Some((at, when)));
            assert!(!good, "{what}");
            assert!(world.in_file().is_some(), "{what}: nobody has a key that works");
            // The last step may have been completed: then there is nothing left to finish.
            let (_, good) = world.killer.run(&mut world.rotate(&sink), None);
            assert!(good, "{what}: the next run fails");
            world.check_done(&what);
        }
    }
}

#[test]
fn a_rotation_killed_in_its_sink_is_finished_by_the_next_run() {
    for (script, what) in [
        ("kill -9 $PPID; sleep 0.2", "before the key is stored"),
        ("cat > \"$0\"; kill -9 $PPID; sleep 0.2", "after the key is stored"),
    ] {
        let world = World::new();
        let config = world.folder.path().join("config/cortexkey");
        fs::create_dir_all(&config).unwrap();
        let write = |script: &str| {
            let path = world.path();
            let text = format!(
                "[profiles.p]\nfqdn = '{}'\nkey_id = 2\nlevel = 'advanced'\n\
                 sink_command = ['sh', '-c', '{script}', '{}']\n",
                world.killer.url,
                path.display()
            );
            fs::write(config.join("config.toml"), text).unwrap();
        };
        let run = || {
            let mut command = world.rotate(&["--profile", "p"]);
            command.env("XDG_CONFIG_HOME", world.folder.path().join("config"));
            // Otherwise, the closed pipe would tell the sink about the kill.
            world.killer.run(command.env_remove("CORTEXKEY_FQDN"), None).1
        };
        write(script);
        assert!(!run(), "{what}");
        assert!(world.in_file().is_some(), "{what}: nobody has a key that works");
        write("cat > \"$0\"");
        assert!(run(), "{what}: the next run fails");
        world.check_done(what);
    }
}
