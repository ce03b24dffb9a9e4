//! [`World`]: an emulator, a folder with definitions, and the state after they were applied.

use std::fs;

use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};
use cortexkey_client::time::now_ms;
use cortexkey_client::{Client, ClientOptions, LockFile};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_fleet::{DefinitionSource, KeyInventory, Scopes, Snapshot, TenantReport};
use cortexkey_manifest::lock::{Lock, LockedKey, LockedTenant};
use cortexkey_tenant::Tenant;

pub(crate) const DAY_MS: u64 = 24 * 60 * 60 * 1000;

pub(crate) struct World {
    pub(crate) tenant: Tenant,
    pub(crate) client: Client,
    pub(crate) folder: tempfile::TempDir,
}

impl World {
    pub(crate) fn new() -> Self {
        let tenant = Tenant::start(cortexkey_tenant::Options::default()).unwrap();
        let client = client(&tenant);
        Self { tenant, client, folder: tempfile::tempdir().unwrap() }
    }

    /// A policy, and definitions by name, owner and role.
    pub(crate) fn define(&self, definitions: &[(&str, &str, &str)]) {
        let write =
            |path: &str, text: &str| fs::write(self.folder.path().join(path), text).unwrap();
        let policy = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: acme }\n\
                      tenants:\n  main: { product: xsiam }\nkeys: [\"keys/*.yaml\"]\n\
                      extends: [\"builtin:recommended\"]\n";
        write("cortexkey.yaml", policy);
        fs::create_dir_all(self.folder.path().join("keys")).unwrap();
        for (name, owner, role) in definitions {
            let text = format!(
                "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata:\n  name: {name}\n  owner: {owner}\n\
                 spec:\n  securityLevel: advanced\n  comment: \"{name}\"\n  lifetime: 60d\n  roles: \
                 [{role}]\n"
            );
            write(&format!("keys/{name}.yaml"), &text);
        }
    }

    /// Generates a key.
    pub(crate) fn generate(&self, role: &str, comment: &str, days: u64) -> u64 {
        generate(&self.client, role, comment, days)
    }

    /// Records which key belongs to which definition, as `import` does.
    pub(crate) fn lock(&self, keys: &[(&str, LockedKey)]) {
        let keys = keys.iter().map(|(name, key)| ((*name).to_owned(), key.clone())).collect();
        let host = self.client.address().host().to_owned();
        let tenants = [("main".to_owned(), LockedTenant { host, keys })].into();
        let path = self.folder.path().join("cortexkey.lock");
        fs::write(&path, Lock { tenants }.to_yaml()).unwrap();
        LockFile::read(&path).unwrap();
    }

    pub(crate) fn source(&self) -> DefinitionSource {
        let folder = self.folder.path().to_owned();
        DefinitionSource { folder, ..DefinitionSource::default() }
    }

    pub(crate) fn snapshot(&self, source: Option<&DefinitionSource>) -> Snapshot {
        Snapshot::read(&self.client, source, now_ms()).unwrap()
    }

    pub(crate) fn scopes(&self, snapshot: &Snapshot) -> Scopes {
        let ids = snapshot.rows.iter().map(|row| row.record.key_id);
        Scopes::read(&self.client, ids, &|| {}).unwrap()
    }

    pub(crate) fn report(&self, source: Option<&DefinitionSource>) -> TenantReport {
        let snapshot = self.snapshot(source);
        TenantReport::of_tenant(&self.client, &snapshot, &self.scopes(&snapshot), None)
    }

    pub(crate) fn inventory(
        &self,
        source: Option<&DefinitionSource>,
        from_ms: u64,
    ) -> KeyInventory {
        let snapshot = self.snapshot(source);
        let scopes = self.scopes(&snapshot);
        KeyInventory::read(&self.client, &snapshot, &scopes, None, from_ms).unwrap()
    }
}

/// A client with the emulator's own administrator's key.
fn client(tenant: &Tenant) -> Client {
    let seeded = &tenant.seeded_keys().unwrap().advanced;
    client_of(tenant, seeded.id().get(), seeded.expose())
}

/// A client with an Advanced key.
pub(crate) fn client_of(tenant: &Tenant, id: u64, key: &str) -> Client {
    let id = KeyId::new(id).unwrap();
    let key = Key::new(key.as_bytes()).unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    Client::new(tenant.url().parse().unwrap(), signer, ClientOptions::default())
}

/// Generates a key with another key; returns its id.
pub(crate) fn generate(client: &Client, role: &str, comment: &str, days: u64) -> u64 {
    generate_key(client, role, comment, days).0
}

/// Like [`generate`], and returns the key too.
pub(crate) fn generate_key(client: &Client, role: &str, comment: &str, days: u64) -> (u64, String) {
    let request = GenerateRequest {
        roles: vec![role.to_owned()],
        security_level: SecurityLevel::Advanced,
        expiration: Some(now_ms() + days * DAY_MS),
        comment: Some(comment.to_owned()),
    };
    let reply = client.generate_key(&request).unwrap();
    (reply.id, reply.key.expose().to_owned())
}

/// An entry of the lock file.
pub(crate) fn locked(id: u64) -> LockedKey {
    LockedKey { id: KeyId::new(id), ..LockedKey::default() }
}
