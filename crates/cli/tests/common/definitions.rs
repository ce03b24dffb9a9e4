//! A folder with definitions and a policy, a tenant, and commands that use both.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use cortexkey_api::api_keys::{ApiKeyRecord, GenerateRequest, SecurityLevel};
use cortexkey_client::{Client, ClientOptions};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{Options, Tenant};

use super::{Ran, cortexkey, finish};

pub(crate) const POLICY: &str = "apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:minimal]
keys: [\"keys/**/*.yaml\"]
tenants:
  prod-eu: { product: xsiam, sbac: enforced }
";

pub(crate) struct World {
    pub(crate) tenant: Tenant,
    pub(crate) admin: Client,
    pub(crate) folder: tempfile::TempDir,
    /// The address for commands.
    pub(crate) url: String,
}

/// Runs git in a folder, with a test user's name.
pub(crate) fn git(folder: &Path, args: &[&str]) {
    let mut git = cortexkey_system::command("git");
    git.arg("-C").arg(folder).args(["-c", "user.name=t", "-c", "user.email=t@example.com"]);
    let output = git.args(["-c", "commit.gpgsign=false"]).args(args).output().unwrap();
    assert!(output.status.success(), "{args:?}: {}", String::from_utf8_lossy(&output.stderr));
}

impl World {
    pub(crate) fn new() -> Self {
        let tenant = Tenant::start(Options::default()).unwrap();
        let seeded = &tenant.seeded_keys().unwrap().advanced;
        let key = Key::new(seeded.expose().as_bytes()).unwrap();
        let signer = Signer::new(seeded.id(), Level::Advanced, key);
        let admin = Client::new(tenant.url().parse().unwrap(), signer, ClientOptions::default());
        let folder = tempfile::tempdir().unwrap();
        for name in ["keys", "secrets", "config/cortexkey"] {
            fs::create_dir_all(folder.path().join(name)).unwrap();
        }
        // Only git can show that a definition is gone.
        git(folder.path(), &["init", "--quiet"]);
        fs::write(folder.path().join("cortexkey.yaml"), POLICY).unwrap();
        let config = "[profiles.p]\nsink_folder = '../../secrets'\n";
        fs::write(folder.path().join("config/cortexkey/config.toml"), config).unwrap();
        let url = tenant.url().to_owned();
        Self { tenant, admin, folder, url }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a definition; `spec` and `scope` are lines in flow style.
    pub(crate) fn define(&self, name: &str, spec: &str, scope: &str) {
        let text = format!(
            "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {name}, owner: team }}\n\
             spec:\n  {}\n{scope}",
            spec.replace("; ", "\n  ")
        );
        fs::write(self.path(&format!("keys/{name}.yaml")), text).unwrap();
    }

    pub(crate) fn undefine(&self, name: &str) {
        fs::remove_file(self.path(&format!("keys/{name}.yaml"))).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let seeded = &self.tenant.seeded_keys().unwrap().advanced;
        let mut command = cortexkey(args);
        command.env("CORTEXKEY_FQDN", &self.url).env("CORTEXKEY_API_KEY", seeded.expose());
        command.env("CORTEXKEY_API_KEY_ID", "2").env("CORTEXKEY_API_KEY_TYPE", "advanced");
        command.env("CORTEXKEY_PROFILE", "p").env("XDG_CONFIG_HOME", self.path("config"));
        command.current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Ran {
        finish(&mut self.command(args))
    }

    pub(crate) fn good(&self, args: &[&str]) -> String {
        let ran = self.run(args);
        assert_eq!(ran.code, 0, "{args:?}: {ran:?}");
        ran.stdout
    }

    /// A plan as text, without the parts that differ between runs.
    pub(crate) fn plan(&self) -> String {
        let ran = self.run(&["plan"]);
        assert!(ran.stderr.is_empty(), "{ran:?}");
        without_times(&ran.stdout)
    }

    /// All keys except the seeded ones.
    pub(crate) fn keys(&self) -> Vec<ApiKeyRecord> {
        let all = self.admin.all_keys(&[]).unwrap();
        all.into_iter().filter(|record| record.id > 2).collect()
    }

    /// A key without a definition.
    pub(crate) fn make(&self, role: &str, comment: &str) -> KeyId {
        let request = GenerateRequest {
            roles: vec![role.to_owned()],
            security_level: SecurityLevel::Advanced,
            expiration: None,
            comment: Some(comment.to_owned()),
        };
        KeyId::new(self.admin.generate_key(&request).unwrap().id).unwrap()
    }

    /// The tenant's key whose secret the definition's file contains.
    pub(crate) fn in_place(&self, name: &str) -> Option<u64> {
        let text = fs::read(self.path(&format!("secrets/{name}"))).ok()?;
        let key = || Key::new(&text).unwrap();
        self.keys().into_iter().map(|record| record.id).find(|id| {
            [Level::Advanced, Level::Standard].into_iter().any(|level| {
                let signer = Signer::new(KeyId::new(*id).unwrap(), level, key());
                let address = self.tenant.url().parse().unwrap();
                Client::new(address, signer, ClientOptions::default()).ping().is_ok()
            })
        })
    }

    pub(crate) fn lock(&self) -> String {
        fs::read_to_string(self.path("cortexkey.lock")).unwrap_or_default()
    }
}

/// Times are replaced, because their day differs in every run.
pub(crate) fn without_times(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('T').filter(|_| rest.contains('Z')) {
        let is_time = at >= 10
            && rest.get(at - 10..at).is_some_and(|day| day.starts_with("20") && day.contains('-'))
            && rest.get(at..at + 10).is_some_and(|time| time.ends_with('Z'));
        let end = if is_time { at + 10 } else { at + 1 };
        out += rest.get(..if is_time { at - 10 } else { end }).unwrap_or_default();
        if is_time {
            out += "TIME";
        }
        rest = rest.get(end..).unwrap_or_default();
    }
    out + rest
}
