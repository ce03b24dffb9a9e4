//! [`Options`]: the options of a tenant. [`Tenant::start`](crate::Tenant::start) validates them.

use core::fmt;
use core::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use cortexkey_core::access::{Product, TagMode};
use cortexkey_core::auth::{NonceLengths, Skew};

use crate::clock::Clock;
use crate::log::{DroppedLog, Log, WebhookLog};
use crate::roles::CustomRole;

/// The options of a tenant.
#[derive(Clone)]
pub struct Options {
    /// The address to listen on, a loopback address; port 0 picks a free one.
    pub listen: SocketAddr,
    /// Whether to serve TLS, and for which names besides this machine's; plain HTTP by default.
    pub tls: Option<Vec<String>>,
    /// Whether responses explain refusals in `x-cortexkey-verdict` and `x-cortexkey-remedy`.
    /// Otherwise every refusal looks the same.
    pub explain: bool,
    /// Which parts of `/_cortexkey/` are enabled.
    pub control: Control,
    /// How many of the last requests are stored.
    pub remembered_requests: usize,
    /// The URL for notices about expiring keys, sent by HTTP POST.
    pub webhook: Option<String>,
    /// How replays are handled.
    pub replay: ReplayMode,
    /// A Redis or Valkey server that stores accepted requests for several tenants, as
    /// `redis://[:password@]host:port[/db]`; without one this process stores them.
    pub replay_server: Option<String>,
    /// How far a timestamp may differ.
    pub skew: Skew,
    /// The accepted nonces.
    pub nonce_lengths: NonceLengths,
    /// How many requests the replay guard stores: requests per second times twice the skew. One key
    /// gets at most half of them.
    pub guard_entries: usize,
    /// The folder for keys, roles and the audit log; without one, they are only in memory.
    pub data: Option<PathBuf>,
    /// When two new keys with the role Instance Administrator are generated and shown.
    pub new_admin_keys: NewAdminKeys,
    /// The ids of child tenants, for which this one is the parent (MSSP). Each listens on its own
    /// port.
    pub children: Vec<String>,
    /// Whether keys can be generated as in the console, at `/_cortexkey/keys`.
    pub console_keys: ConsoleKeys,
    /// The largest number of keys.
    pub max_keys: usize,
    /// How `PUT api-key/{id}` identifies roles.
    pub edit_roles: EditRoles,
    /// The file with the objects that scopes can name; a small inventory is built in.
    pub inventory: Option<PathBuf>,
    /// The emulated product, which determines the predefined roles.
    pub product: Product,
    /// Whether scopes are enforced (SBAC). In a new tenant of the product they are not.
    pub enforce_scopes: bool,
    /// How the tags of an endpoint are matched with those of a scope.
    pub tag_mode: TagMode,
    /// Whether there are scopes for rows of datasets; each scope must then contain them.
    pub scoped_datasets: bool,
    /// The calls without a licence, which return 402.
    pub unlicensed: Vec<Licence>,
    /// Custom roles.
    pub custom_roles: Vec<CustomRole>,
    /// The clock.
    pub clock: Clock,
    /// Called for each request with its response, on its own thread: if it blocks, nothing is
    /// delayed, and what it does not process in time is dropped.
    pub log: Option<Log>,
    /// Called for each notice that the webhook did not accept.
    pub webhook_log: Option<WebhookLog>,
    /// Called when lines of the log were dropped.
    pub dropped_log: Option<DroppedLog>,
}

impl Default for Options {
    /// On a free port of 127.0.0.1, replays refused, nothing explained, nothing logged.
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            tls: None,
            explain: false,
            control: Control::Off,
            remembered_requests: 1_000,
            webhook: None,
            replay: ReplayMode::Enforce,
            replay_server: None,
            skew: Skew::DEFAULT,
            nonce_lengths: NonceLengths::EXACT,
            guard_entries: 1_000_000,
            data: None,
            new_admin_keys: NewAdminKeys::WhenEmpty,
            children: Vec::new(),
            console_keys: ConsoleKeys::Off,
            max_keys: 10_000,
            edit_roles: EditRoles::default(),
            inventory: None,
            product: Product::Xsiam,
            enforce_scopes: false,
            tag_mode: TagMode::Permissive,
            scoped_datasets: false,
            unlicensed: Vec::new(),
            custom_roles: Vec::new(),
            clock: Clock::System,
            log: None,
            webhook_log: None,
            dropped_log: None,
        }
    }
}

impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Options")
            .field("listen", &self.listen)
            .field("explain", &self.explain)
            .field("replay", &self.replay)
            .field("skew", &self.skew)
            .finish_non_exhaustive()
    }
}

/// Which parts of `/_cortexkey/` are enabled: calls that the product does not have and that need no
/// key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Control {
    /// Nothing.
    #[default]
    Off,
    /// Reading the last requests and the notices.
    Read,
    /// Also changing the clock, the faults and the settings.
    Change,
}

/// Whether keys can be generated as in the console: with any role, and without an expiry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleKeys {
    /// Only through the product's API, where every key expires.
    #[default]
    Off,
    /// Also at `/_cortexkey/keys`, by programs on this machine, without a key.
    On,
}

/// When two new keys with the role Instance Administrator are generated and shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewAdminKeys {
    /// If there is no key.
    #[default]
    WhenEmpty,
    /// At this start in any case: if all other keys were lost.
    Always,
}

/// Calls for which a tenant may have no licence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Licence {
    /// Assets.
    Assets,
    /// Endpoints.
    Endpoints,
    /// Cases and issues.
    CasesAndIssues,
}

/// How `PUT api-key/{id}` identifies roles. The product's description says ids; the other calls on
/// keys use display names, and no public source shows which a tenant accepts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EditRoles {
    /// By role id.
    #[default]
    Id,
    /// By display name.
    Name,
}

/// How an Advanced request that was accepted before is handled.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplayMode {
    /// It is refused.
    #[default]
    Enforce,
    /// It is accepted, and the log and the explaining headers show what enforcing would do.
    Observe,
    /// Replays are not detected.
    Off,
}
