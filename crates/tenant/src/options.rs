//! [`Options`]: how a tenant is started. [`Tenant::start`](crate::Tenant::start) checks them.

use core::fmt;
use core::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use cortexkey_core::access::{Product, TagMode};
use cortexkey_core::auth::{NonceLengths, Skew};

use crate::clock::Clock;
use crate::log::{DroppedLog, Log, WebhookLog};
use crate::roles::CustomRole;

/// How a tenant is started.
#[derive(Clone)]
pub struct Options {
    /// Where it listens: an address of loopback; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Whether it speaks TLS, and for which names beside this machine's own; in the clear without.
    pub tls: Option<Vec<String>>,
    /// Whether answers say in `x-cortexkey-verdict` and `x-cortexkey-remedy` why a request was
    /// refused. Without it every refusal looks the same.
    pub explain: bool,
    /// What of `/_cortexkey/` there is.
    pub control: Control,
    /// How many of the last requests are remembered.
    pub remembered_requests: usize,
    /// Where notices that keys expire are sent, by HTTP POST.
    pub webhook: Option<String>,
    /// What is done about requests that come twice.
    pub replay: ReplayMode,
    /// A server of Redis or Valkey that remembers accepted requests for several tenants, as
    /// `redis://[:password@]host:port[/db]`; without one this process remembers them.
    pub replay_server: Option<String>,
    /// How far a timestamp may be off.
    pub skew: Skew,
    /// Which nonces are taken.
    pub nonce_lengths: NonceLengths,
    /// How many requests the replay guard remembers: requests a second times twice the skew.
    /// One key gets at most half of them.
    pub guard_entries: usize,
    /// The folder where keys, roles and the audit log are kept; in memory alone without one.
    pub data: Option<PathBuf>,
    /// When two new keys with the role Instance Administrator are made and shown.
    pub new_admin_keys: NewAdminKeys,
    /// The ids of child tenants, for which this one is the parent (MSSP). Each listens on a port of
    /// its own.
    pub children: Vec<String>,
    /// Whether keys can be generated as in the console, at `/_cortexkey/keys`.
    pub console_keys: ConsoleKeys,
    /// How many keys there may be.
    pub max_keys: usize,
    /// How `PUT api-key/{id}` reads the roles that it is given.
    pub edit_roles: EditRoles,
    /// The file with what scopes can name; a small inventory is built in.
    pub inventory: Option<PathBuf>,
    /// Which product it is: says which predefined roles there are.
    pub product: Product,
    /// Whether scopes are enforced (SBAC). In a new tenant of the product they are not.
    pub enforce_scopes: bool,
    /// How the tags of an endpoint are matched with those of a scope.
    pub tag_mode: TagMode,
    /// Whether there are scopes for rows of datasets: then each scope must hold them.
    pub scoped_datasets: bool,
    /// What the tenant has no licence for: such calls answer 402.
    pub unlicensed: Vec<Licence>,
    /// The roles besides the predefined ones.
    pub custom_roles: Vec<CustomRole>,
    /// The time.
    pub clock: Clock,
    /// What is called for each answered request, on a thread of its own: one that blocks holds up
    /// nothing, and what it does not take in time is dropped.
    pub log: Option<Log>,
    /// What is called for each notice that the webhook did not take.
    pub webhook_log: Option<WebhookLog>,
    /// What is called when lines of the log were dropped.
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

/// What of `/_cortexkey/` there is: calls that are no part of the product and ask for no key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Control {
    /// Nothing.
    #[default]
    Off,
    /// The last requests and the notices, to look at.
    Look,
    /// The clock, the faults and the settings as well, to change.
    Change,
}

/// Whether keys can be generated as in the console: with any role, and without an expiry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ConsoleKeys {
    /// Through the product's API alone, where every key expires.
    #[default]
    Off,
    /// At `/_cortexkey/keys` as well, by programs on this machine, without a key.
    On,
}

/// When two new keys with the role Instance Administrator are made and shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum NewAdminKeys {
    /// When there is no key.
    #[default]
    WhenEmpty,
    /// At this start, whatever there is: when every other was lost.
    Always,
}

/// Calls that a tenant may have no licence for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Licence {
    /// Assets.
    Assets,
    /// Endpoints.
    Endpoints,
    /// Cases and issues.
    CasesAndIssues,
}

/// How `PUT api-key/{id}` reads the roles that it is given. The product's description says ids; the
/// other calls on keys take display names, and no public record shows which a tenant takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum EditRoles {
    /// As role ids.
    #[default]
    Id,
    /// As display names.
    Name,
}

/// What is done about an Advanced request that was accepted before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReplayMode {
    /// It is refused.
    #[default]
    Enforce,
    /// It is accepted, and the log and the explaining headers say what would have been.
    Observe,
    /// Nobody looks.
    Off,
}
