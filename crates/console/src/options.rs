//! [`Options`]: the console's tenant, and what it may do there.

use core::fmt;
use core::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use cortexkey_client::time::now_ms;
use cortexkey_client::{Client, Sink};
use cortexkey_fleet::DefinitionSource;
use cortexkey_tenant::Controls;

/// Reading scopes takes one call per key. With more keys than this, they are not read when a page
/// is opened.
pub(crate) const SCOPES_MAX: usize = 200;

/// The options of a console.
#[derive(Clone)]
#[non_exhaustive]
pub struct Options {
    /// Calls the tenant. The console makes no other calls.
    pub client: Arc<Client>,
    /// The kind of tenant.
    pub kind: TenantKind,
    /// Whether keys may be generated, edited, rotated and deleted.
    pub allow_changes: bool,
    /// The folder with key definitions and their policy.
    pub keys: Option<PathBuf>,
    /// The policy's name for the tenant, if known.
    pub tenant: Option<String>,
    /// Where a new key goes instead of being shown once.
    pub sink: Option<Sink>,
    /// Where unfinished work on keys is stored between runs.
    pub state_folder: Option<PathBuf>,
    /// The certificates that the printed examples trust instead of the system's.
    pub ca_file: Option<PathBuf>,
    /// Address and port; loopback only.
    pub listen: SocketAddr,
    /// The name that the browser opens.
    pub host: HostName,
    /// Receives a new one-time address when one is needed, to show it where the console was
    /// started.
    pub on_address: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Options {
    /// A console for a tenant: read-only, any free port, a random host name.
    pub fn new(client: Client) -> Self {
        Self {
            client: Arc::new(client),
            kind: TenantKind::Profile(None),
            allow_changes: false,
            keys: None,
            tenant: None,
            sink: None,
            state_folder: None,
            ca_file: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            host: HostName::Random,
            on_address: Arc::new(|_| {}),
        }
    }
}

impl Options {
    /// The local emulator, if the tenant is one.
    pub(crate) fn emulator(&self) -> Option<&Controls> {
        match &self.kind {
            TenantKind::Emulator(controls) => Some(controls),
            TenantKind::Profile(_) => None,
        }
    }

    /// Where the definitions are, if there are any.
    pub(crate) fn definition_source(&self) -> Option<DefinitionSource> {
        let folder = self.keys.clone()?;
        let tenant = self.tenant.clone();
        let scopes_max = Some(SCOPES_MAX);
        Some(DefinitionSource { folder, tenant, scopes_max, ..DefinitionSource::default() })
    }

    /// The tenant's time, in milliseconds since 1970.
    pub(crate) fn now_ms(&self) -> u64 {
        self.emulator().map_or_else(now_ms, Controls::now_ms)
    }
}

/// The kind of a console's tenant.
#[derive(Clone)]
#[non_exhaustive]
pub enum TenantKind {
    /// The local emulator, in this process.
    Emulator(Controls),
    /// A tenant that settings name, and the name of the profile.
    Profile(Option<String>),
}

/// The name in the console's address. Cookies ignore ports: with its own name, no other server on
/// this machine receives the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HostName {
    /// A random name below `localhost`.
    Random,
    /// The address itself, for browsers and systems that do not resolve names below `localhost`.
    Address,
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("client", &self.client)
            .field("allow_changes", &self.allow_changes)
            .field("keys", &self.keys)
            .field("listen", &self.listen)
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}
