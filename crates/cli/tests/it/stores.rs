//! Keys in secret stores: what is stored, what is never overwritten, and what happens if a store
//! fails.
//!
//! The stores are `double/stores.py`, written from the stores' own documentation.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Ran, Tenant, cortexkey, finish};

/// A tenant, and empty stores.
struct World {
    tenant: Tenant,
    folder: tempfile::TempDir,
    vault: Option<(Child, String)>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some((vault, _)) = &mut self.vault {
            vault.kill().unwrap();
            vault.wait().unwrap();
        }
    }
}

const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/double/stores.py");
const VAULT: &str = "vault://secret/cortex/siem";

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["bin", "state", "stores"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        let script = folder.path().join("bin/stores");
        let text = fs::read_to_string(SCRIPT).unwrap();
        fs::write(&script, format!("#!{} -SE\n{text}", python())).unwrap();
        fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
        for name in ["aws", "az", "gcloud", "op", "kubectl", "secret-tool", "pass"] {
            symlink(&script, folder.path().join("bin").join(name)).unwrap();
        }
        Self { tenant: Tenant::start(), folder, vault: None }
    }

    fn with_vault() -> Self {
        let mut world = Self::new();
        let mut command = Command::new(world.folder.path().join("bin/stores"));
        command.env("DOUBLE", world.folder.path().join("stores"));
        let mut vault = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut port = String::new();
        BufReader::new(vault.stdout.take().unwrap()).read_line(&mut port).unwrap();
        world.vault = Some((vault, format!("http://127.0.0.1:{}", port.trim())));
        world
    }

    fn store(&self, name: &str) -> PathBuf {
        self.folder.path().join("stores").join(name)
    }

    fn with(&self, mut command: Command) -> Command {
        let path = std::env::var("PATH").unwrap();
        let bin = self.folder.path().join("bin");
        command
            .env("PATH", format!("{}:{path}", bin.display()))
            .env("DOUBLE", self.folder.path().join("stores"))
            .env("HOME", self.folder.path())
            .env("XDG_STATE_HOME", self.folder.path().join("state"));
        if let Some((_, address)) = &self.vault {
            command.env("VAULT_ADDR", address).env("VAULT_TOKEN", "t0ken");
            command.env("VAULT_NAMESPACE", "ops");
        }
        command
    }

    fn keys(&self, args: &[&str]) -> Ran {
        let args = [&["keys"], args].concat();
        finish(&mut self.with(self.tenant.with_key("advanced", &args)))
    }

    fn generate(&self, url: &str) -> Ran {
        self.generate_in(&self.tenant, url)
    }

    fn generate_in(&self, tenant: &Tenant, url: &str) -> Ran {
        let args = ["generate", "--role", "Viewer", "--security-level", "advanced"];
        let more = ["--lifetime", "30d", "--owner", "team-a", "--sink-store", url];
        let args = [&["keys"], &args[..], &more].concat();
        finish(&mut self.with(tenant.with_key("advanced", &args)))
    }

    fn rotate(&self, id: u64, url: &str) -> Ran {
        self.keys(&["rotate", &id.to_string(), "--grace", "0", "--yes", "--sink-store", url])
    }

    /// A call with the key in a store; apart from that, only the tenant is set.
    fn ping(&self, url: &str, args: &[&str]) -> Ran {
        self.ping_to(&self.tenant, url, args)
    }

    fn ping_to(&self, tenant: &Tenant, url: &str, args: &[&str]) -> Ran {
        let mut command = cortexkey(&[&["ping", "--key-store", url], args].concat());
        command.env("CORTEXKEY_FQDN", tenant.url());
        finish(&mut self.with(command))
    }

    fn ids(&self) -> Vec<u64> {
        let ran = self.keys(&["list", "--format", "json"]);
        let value: Value = serde_json::from_str(&ran.stdout).unwrap();
        value["keys"].as_array().unwrap().iter().map(|key| key["id"].as_u64().unwrap()).collect()
    }

    fn faults(&self, faults: &[&str]) {
        // Faults while reading take effect after the next write.
        let _ = fs::remove_file(self.store("written"));
        fs::write(self.store("faults"), json!(faults).to_string()).unwrap();
    }

    /// The fields in Vault.
    fn vault_data(&self) -> Value {
        let text = fs::read_to_string(self.store("vault-_v1_secret_data_cortex_siem"));
        let held: Value = serde_json::from_str(&text.unwrap()).unwrap();
        held["data"].clone()
    }
}

/// The interpreter itself: what is on the search path may be a slow wrapper.
fn python() -> String {
    let print = ["-c", "import sys; print(sys.executable)"];
    let output = Command::new("python3").args(print).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Generates a key into a store, uses it from there, and rotates it.
fn lives_in(world: &World, url: &str) {
    let ran = world.generate(url);
    assert_eq!(ran.code, 0, "{url}: {ran:?}");
    let first: u64 = ran.stdout.split(' ').nth(2).unwrap().parse().unwrap();
    let ran = world.ping(url, &[]);
    assert_eq!(ran.code, 0, "{url}: {ran:?}");

    let ran = world.generate(url);
    assert_eq!(ran.code, 1, "{url}: {ran:?}");
    assert!(ran.stderr.contains(&format!("key {first},")), "{url}: {ran:?}");

    let ran = world.rotate(first, url);
    assert_eq!(ran.code, 0, "{url}: {ran:?}");
    // The stored id is the new key's.
    let ran = world.ping(url, &["--key-id", &first.to_string()]);
    assert_eq!(ran.code, 2, "{url}: {ran:?}");
}

#[test]
fn every_store_supports_a_keys_life_cycle() {
    let world = World::with_vault();
    let file = format!("file://{}/key.json", world.folder.path().display());
    for url in [
        VAULT,
        "vault://team/kv//cortex/siem",
        "aws-sm://cortex/siem",
        "azure-kv://ops/cortex-siem",
        "gcp-sm://my-project/cortex",
        "op://Ops Vault/Cortex/api key",
        "k8s://monitoring/cortex#token",
        "keychain://prod",
        "pass://cortex/siem",
        &file,
    ] {
        lives_in(&world, url);
    }
    assert!(world.store("vault-_v1_team_kv_data_cortex_siem").exists());
    let wrong = world.generate("vault://team/kv/cortex/siem");
    assert!(wrong.code == 1 && wrong.stderr.contains("`//`"), "{wrong:?}");
    let log = fs::read_to_string(world.store("log")).unwrap();
    assert!(log.lines().count() > 40, "{log}");
    let longest = log.split('"').map(str::len).max().unwrap();
    // A key has 128 characters.
    assert!(longest < 128 && !log.contains("unexpected"), "{log}");
    let mode = fs::metadata(world.folder.path().join("key.json")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);

    let data = world.vault_data();
    let host = world.tenant.url().strip_prefix("http://").unwrap();
    assert_eq!((&data["key_level"], &data["key_host"]), (&json!("advanced"), &json!(host)));
    assert_eq!(data["key_owner"], "team-a");
    assert!(data["key_expires"].as_str().unwrap().ends_with('Z'));
}

#[test]
fn other_fields_stay_and_an_unowned_secret_is_not_replaced() {
    let world = World::new();
    let put = |value: Value| fs::write(world.store("aws-a"), json!(value.to_string()).to_string());
    put(json!({ "password": "p", "nested": { "a": [1] } })).unwrap();
    assert_eq!(world.generate("aws-sm://a").code, 0);
    let text: String = serde_json::from_slice(&fs::read(world.store("aws-a")).unwrap()).unwrap();
    let held: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&held["password"], &held["nested"]), (&json!("p"), &json!({ "a": [1] })));

    let before = world.ids();
    let id = held["key_id"].as_str().unwrap();
    for value in [
        json!({ "key": "k" }),
        json!({ "key": "k", "key_id": id }),
        json!({ "key": "k", "key_id": id, "key_host": "api-other.xdr.us.paloaltonetworks.com" }),
        json!("a key alone"),
    ] {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        fs::write(world.store("aws-a"), json!(text).to_string()).unwrap();
        let ran = world.rotate(id.parse().unwrap(), "aws-sm://a");
        assert_eq!((ran.code, world.ids()), (1, before.clone()), "{value}: {ran:?}");
        assert!(ran.stderr.contains("already"), "{ran:?}");
        let now: String = serde_json::from_slice(&fs::read(world.store("aws-a")).unwrap()).unwrap();
        assert_eq!(now, text);
    }
}

#[test]
fn secrets_that_exist_without_a_value_are_filled() {
    let world = World::new();
    fs::write(world.store("empty"), "true").unwrap();
    for url in ["aws-sm://empty", "gcp-sm://p/empty"] {
        let ran = world.generate(url);
        assert_eq!(ran.code, 0, "{url}: {ran:?}");
    }
}

#[test]
fn a_store_failing_before_a_write_loses_only_the_new_key() {
    let world = World::with_vault();
    assert_eq!(world.generate(VAULT).code, 0);
    let ids = world.ids();
    let data = world.vault_data();
    let id = data["key_id"].as_str().unwrap().parse().unwrap();
    let mut said = String::new();
    for faults in [&["denied"][..], &["sealed"], &["redirect"], &["half"], &["cut"], &["race"]] {
        let before = world.vault_data();
        world.faults(faults);
        let ran = world.rotate(id, VAULT);
        assert_eq!(ran.code, 1, "{faults:?}: {ran:?}");
        said.extend([format!("{faults:?}\n{}", ran.stderr)]);
        assert_eq!(world.ids(), ids, "{faults:?}");
        if faults != ["race"] {
            assert_eq!(world.vault_data(), before, "{faults:?}");
        }
    }
    wording!(said);
}

#[test]
fn the_stored_value_counts_and_not_the_answer() {
    // A write that is reported as failed is repeated, and finds its own change.
    for faults in [&["busy", "silent", "busy"][..], &["made-busy"]] {
        let world = World::with_vault();
        world.faults(faults);
        let ran = world.generate(VAULT);
        assert_eq!(ran.code, 0, "{faults:?}: {ran:?}");
        assert_eq!(world.ping(VAULT, &[]).code, 0);
    }
}

#[test]
fn a_key_that_may_have_been_stored_is_kept() {
    // After `late`, the store is unchanged, but the write may still take effect.
    for faults in [&["blind"][..], &["lost"], &["late"]] {
        let world = World::with_vault();
        assert_eq!(world.generate(VAULT).code, 0);
        let id: u64 = world.vault_data()["key_id"].as_str().unwrap().parse().unwrap();
        world.faults(faults);
        let ran = world.rotate(id, VAULT);
        assert_eq!(ran.code, 1, "{ran:?}");
        // Either key may be the one in use.
        assert!(world.ids().contains(&id) && world.ids().contains(&(id + 1)), "{ran:?}");
        assert_eq!(world.ping(VAULT, &[]).code, 0);

        let ran = world.rotate(id, VAULT);
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!world.ids().contains(&id) && !world.ids().contains(&(id + 1)), "{ran:?}");
        assert_eq!(world.ping(VAULT, &[]).code, 0);
    }
}

#[test]
fn missing_settings_are_found_before_a_key_is_generated() {
    let world = World::with_vault();
    let before = world.ids();
    let run = |url: &str, variables: &[(&str, &str)]| {
        let args = ["keys", "generate", "--role", "Viewer", "--security-level", "advanced"];
        let args = [&args[..], &["--sink-store", url]].concat();
        let mut command = world.with(world.tenant.with_key("advanced", &args));
        for (name, value) in variables {
            command.env(name, value);
        }
        let ran = finish(&mut command);
        assert_eq!(world.ids(), before, "{url}: {ran:?}");
        ran
    };
    let nowhere = format!("file://{}/none/a", world.folder.path().display());
    let mut said = String::new();
    for (url, variables) in [
        (VAULT, &[("VAULT_ADDR", "")][..]),
        (VAULT, &[("VAULT_ADDR", "http://vault.example.com")]),
        (VAULT, &[("VAULT_ADDR", "http://127.0.0.1:1")]),
        (VAULT, &[("VAULT_TOKEN", "wrong")]),
        (VAULT, &[("VAULT_TOKEN", "")]),
        (VAULT, &[("VAULT_NAMESPACE", "other")]),
        ("vault://none/x", &[]),
        ("vault://old/x", &[]),
        ("aws-sm://a", &[("PATH", "/nonexistent")]),
        (&nowhere, &[]),
    ] {
        let ran = run(url, variables);
        assert_eq!(ran.code, 1, "{url} {variables:?}: {ran:?}");
        said.extend([format!("{url} {variables:?}\n{}", ran.stderr)]);
        assert!(!ran.stderr.contains("t0ken"), "{ran:?}");
    }
    wording!(said);
    assert!(!world.store("stray").exists());
    let ran = run("vault://secret/../x", &[]);
    assert_eq!(ran.code, 2, "{ran:?}");
}

#[test]
fn a_programs_message_with_the_secret_is_not_repeated() {
    let world = World::new();
    world.faults(&["denied"]);
    let ran = world.generate("aws-sm://a");
    assert_eq!(ran.code, 1, "{ran:?}");
    wording!(ran.stderr);
    let runs = ran.stderr.split(|c: char| !c.is_ascii_alphanumeric()).map(str::len).max();
    assert!(runs.unwrap() < 60, "{ran:?}");
}

#[test]
fn a_stored_key_is_sent_only_to_its_own_tenant() {
    let world = World::with_vault();
    assert_eq!(world.generate(VAULT).code, 0);
    let mut command = cortexkey(&["ping", "--key-store", VAULT]);
    command.env("CORTEXKEY_FQDN", "acme.xdr.us.paloaltonetworks.com");
    let ran = finish(&mut world.with(command));
    assert_eq!(ran.code, 2, "{ran:?}");
    wording!(ran.stderr);
}

#[test]
fn a_profile_names_its_stores() {
    let world = World::with_vault();
    let folder = world.folder.path().join("config/cortexkey");
    fs::create_dir_all(&folder).unwrap();
    let profile = format!(
        "[profiles.a]\nfqdn = '{}'\nkey_store = '{VAULT}'\nsink_store = '{VAULT}'\n",
        world.tenant.url()
    );
    fs::write(folder.join("config.toml"), profile).unwrap();
    assert_eq!(world.generate(VAULT).code, 0);
    let run = |args: &[&str]| {
        let mut command = world.with(cortexkey(args));
        command.env("CORTEXKEY_PROFILE", "a");
        finish(command.env("XDG_CONFIG_HOME", world.folder.path().join("config")))
    };
    assert_eq!(run(&["ping"]).code, 0);
    let ran = run(&["config", "explain"]);
    assert!(ran.code == 0 && ran.stdout.contains(VAULT), "{ran:?}");
    let ran = run(&["exec", "--as", "generic", "--", "sh", "-c", "echo $CORTEXKEY_API_KEY_ID"]);
    let id = world.vault_data()["key_id"].as_str().unwrap().to_owned();
    assert_eq!((ran.code, ran.stdout.trim()), (0, id.as_str()), "{ran:?}");
}

#[test]
fn a_locked_keychain_is_not_treated_as_empty() {
    let world = World::new();
    assert_eq!(world.generate("keychain://prod").code, 0);
    let ids = world.ids();
    let held = fs::read(world.store("keychain-prod")).unwrap();
    fs::write(world.store("locked"), json!("prod").to_string()).unwrap();
    let ran = world.generate("keychain://prod");
    assert!(ran.code == 1 && ran.stderr.contains("locked"), "{ran:?}");
    assert_eq!((world.ids(), fs::read(world.store("keychain-prod")).unwrap()), (ids, held));
    // An entry that does not exist has nothing to unlock.
    assert_eq!(world.generate("keychain://other").code, 0);
}

/// Programs that are slow between reading and writing: each run has to see what the other wrote. Runs
/// for one tenant wait for each other anyway.
#[test]
fn two_runs_that_write_to_one_secret_lose_no_key() {
    let world = World::new();
    let other = Tenant::start();
    fs::write(world.store("slow"), "true").unwrap();
    let file = format!("file://{}/key.json", world.folder.path().display());
    for (ours, theirs) in [
        ("pass://cortex/a", "pass://cortex/a"),
        ("aws-sm://a#one", "aws-sm://a#other"),
        ("keychain://a#one", "keychain://a#other"),
        (&format!("{file}#one"), &format!("{file}#other")),
    ] {
        let rans = std::thread::scope(|scope| {
            let first = scope.spawn(|| world.generate(ours));
            let second = world.generate_in(&other, theirs);
            [first.join().unwrap(), second]
        });
        let codes = [rans[0].code, rans[1].code];
        assert!(codes.contains(&0), "{ours}: {rans:?}");
        // In one field, the second run finds the first one's key.
        assert_eq!(codes == [0, 0], ours != theirs, "{ours}: {rans:?}");
        for (ran, (tenant, url)) in rans.iter().zip([(&world.tenant, ours), (&other, theirs)]) {
            let ping = world.ping_to(tenant, url, &[]);
            assert!(ran.code != 0 || ping.code == 0, "{url}: {ran:?} {ping:?}");
        }
    }
}

#[test]
fn an_owner_of_several_lines_is_stored_on_one() {
    let world = World::new();
    let args =
        ["generate", "--role", "Viewer", "--security-level", "advanced", "--lifetime", "30d"];
    let more = ["--owner", "team\nkey_id: 99", "--sink-store", "pass://a"];
    let ran = world.keys(&[&args[..], &more].concat());
    assert_eq!(ran.code, 0, "{ran:?}");
    assert_eq!(world.ping("pass://a", &[]).code, 0);
}

#[test]
fn a_misbehaving_store_program_loses_no_key() {
    let world = World::new();
    assert_eq!(world.generate("aws-sm://a").code, 0);
    let ids = world.ids();
    let id = *ids.last().unwrap();
    for fault in ["noise", "flood"] {
        world.faults(&[fault]);
        let ran = world.rotate(id, "aws-sm://a");
        assert_eq!(ran.code, 1, "{fault}: {ran:?}");
        assert_eq!(world.ids(), ids, "{fault}");
    }
    // It reports success and stores nothing.
    world.faults(&["lost"]);
    let ran = world.rotate(id, "aws-sm://a");
    assert_eq!(ran.code, 1, "{ran:?}");
    assert!(world.ids().contains(&id) && world.ids().len() == ids.len() + 1, "{ran:?}");
    assert_eq!(world.ping("aws-sm://a", &[]).code, 0);
    assert_eq!(world.rotate(id, "aws-sm://a").code, 0);
    assert_eq!(world.ids().len(), ids.len());
    assert_eq!(world.ping("aws-sm://a", &[]).code, 0);
}

#[test]
fn a_binary_value_and_fields_of_other_names_are_not_replaced() {
    let world = World::new();
    let ids = world.ids();
    let metadata = json!({ "name": "cortex", "namespace": "monitoring", "resourceVersion": "1" });
    let data = json!({ "key": "/////w==", "other": "/v8=" });
    let secret = json!({ "kind": "Secret", "metadata": metadata, "data": data });
    let item = |fields: Value| json!({ "title": "Cortex", "fields": fields });
    for (url, name, held) in [
        ("k8s://monitoring/cortex", "k8s-monitoring-cortex", secret.clone()),
        (
            "op://ops/by-id/credential",
            "op-ops-by-id",
            item(json!([{ "id": "credential", "label": "API key", "value": "theirs" }])),
        ),
        (
            "op://ops/case/key",
            "op-ops-case",
            item(json!([{ "id": "f0", "label": "KEY", "value": "theirs" }])),
        ),
        (
            "op://ops/two/key",
            "op-ops-two",
            item(json!([
                { "id": "f0", "label": "key", "value": "" },
                { "id": "f1", "label": "key", "value": "" },
            ])),
        ),
    ] {
        let text = held.to_string();
        fs::write(world.store(name), &text).unwrap();
        let ran = world.generate(url);
        assert_eq!((ran.code, world.ids()), (1, ids.clone()), "{url}: {ran:?}");
        assert_eq!(fs::read_to_string(world.store(name)).unwrap(), text, "{url}");
    }

    // Beside them, there is a place for a key, and they stay as they are.
    let fields = json!([
        { "id": "u0", "label": "url", "value": "one" },
        { "id": "u1", "label": "url", "value": "two" },
    ]);
    fs::write(world.store("op-ops-urls"), item(fields.clone()).to_string()).unwrap();
    for url in ["k8s://monitoring/cortex#token", "op://ops/urls/key"] {
        assert_eq!(world.generate(url).code, 0, "{url}");
        assert_eq!(world.ping(url, &[]).code, 0, "{url}");
    }
    let held = |name: &str| -> Value {
        serde_json::from_slice(&fs::read(world.store(name)).unwrap()).unwrap()
    };
    let kept = held("k8s-monitoring-cortex");
    assert_eq!((&kept["data"]["key"], &kept["data"]["other"]), (&data["key"], &data["other"]));
    assert_eq!(held("op-ops-urls")["fields"].as_array().unwrap()[..2], *fields.as_array().unwrap());
}

#[test]
fn a_folder_of_pass_is_not_a_key() {
    let world = World::new();
    fs::write(world.store("pass-cortex"), json!("cortex\n├── dev\n└── prod\n").to_string())
        .unwrap();
    let ran = world.ping("pass://cortex", &["--key-id", "1", "--level", "advanced"]);
    assert!(ran.code == 2 && ran.stderr.contains("folder"), "{ran:?}");
}

#[test]
fn a_rotation_names_the_unfinished_one_before_it() {
    let world = World::new();
    let url = format!("file://{}/key.json", world.folder.path().display());
    assert_eq!(world.generate(&url).code, 0);
    let id = || -> u64 {
        let text = fs::read_to_string(world.folder.path().join("key.json")).unwrap();
        let held: Value = serde_json::from_str(&text).unwrap();
        held["key_id"].as_str().unwrap().parse().unwrap()
    };
    let first = id();
    let args = ["rotate", &first.to_string(), "--grace", "1d", "--yes", "--sink-store", &url];
    assert_eq!(world.keys(&args).code, 0);
    let ran = world.rotate(id(), &url);
    let finish = format!("`cortexkey keys rotate {first} --finish`");
    assert!(ran.code == 0 && ran.stderr.contains(&finish), "{ran:?}");
    let ran = world.rotate(id(), &url);
    assert!(ran.code == 0 && !ran.stderr.contains("--finish"), "{ran:?}");
}
