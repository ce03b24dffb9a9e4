//! Calls the Cortex API: finds the key and the address, signs every attempt, and explains
//! failures in one clear message.
//!
//! ```no_run
//! use cortexkey_client::{Connection, ExplicitSettings};
//!
//! let environment = |name: &str| std::env::var_os(name);
//! let connection = Connection::resolve(&ExplicitSettings::default(), &environment, &mut std::io::stdin())?;
//! println!("the key works: {:?}", connection.client().ping()?.round_trip);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod doctor;
mod examples;
mod folders;
mod import;
mod lifecycle;
pub mod operations;
mod plan;
pub mod policies;
mod process;
pub mod provision;
mod resources;
mod settings;
mod sink;
mod store;
pub mod table;
pub mod time;
mod transport;
pub mod watch;

pub use examples::{ExampleError, Language, RequestExample, UnknownLanguage, curl_command};
pub use import::{Import, Imported};
pub use lifecycle::{
    Apply, ApplyError, Deletion, DeletionError, Finished, Generation, KeyDelivery, LockFile,
    LockFileEntry, LockFileError, RenewError, Renewal, RenewalJournal, RenewalStep, Replacement,
    ReplacementOptions, RotateError, Rotated, Rotation, Stage, StateError, StatePlaces,
};
pub use plan::{
    Action, ActionKind, DefinedScope, DefinedScopeError, Desired, FieldChange, KnownScopes,
    Membership, MembershipError, Plan, PlanOptions, PlanRequest, PlannedGain, TenantState,
    Unmanaged, check_host, check_names, locked_host,
};
pub use process::{Program, ProgramError};
pub use resources::{
    ApiPermission, AuditLog, CommentError, EditError, ExpiryError, KeyEdit, KeyList, NewKey,
    ObservedScope, Ping, ScopeError, check_comment, creator_key, is_administrator, is_system,
    may_be_pending, write_of,
};
pub use settings::{
    Channel, Config, ConfigProblem, Connection, Credentials, Environment, Explained,
    ExplicitSettings, KEY_SOURCE_BYTES_MAX, KeyProblem, KeySource, Mail, MailTls, NewKeys,
    NoticeTarget, Profile, RETRIES_MAX, RawKey, Resolved, SecretError, SecretSource, SettingOrigin,
    SettingsError, TIMEOUT_MS_MAX, Tool, ToolError, ToolKey, Variable, WebhookUrl, explain,
    resolve_address, state_folder,
};
pub use sink::{KeyInfo, Prepared, Show, Sink, SinkError, StoreSink};
pub use store::{
    Incoming, SecretMetadata, SecretStore, StoreError, StoreSettings, StoreUrl, StoreUrlError,
    StoredSecret, VaultSettings,
};
pub use transport::{
    Call, CallError, CallNotice, ChildTenant, Client, ClientOptions, Forward, Forwarded, Method,
    MethodError, Observer, RefusedCall, Response, ResponseHeaders, Retry, RolesBy, Roots,
    RootsError, SigningClock,
};
