//! The arguments for the tenant and the key, shared by every command.
//!
//! The key itself is never an argument. The client reads it from where the settings say.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::RangedU64ValueParser;
use clap::value_parser;
use cortexkey_client::{
    CallError, CallNotice, Client, Connection, Credentials, ExplicitSettings, KeySource, Observer,
    RETRIES_MAX, SettingOrigin, SettingsError, StoreUrl, TIMEOUT_MS_MAX,
};
use cortexkey_core::auth::Level;
use zeroize::Zeroizing;

use crate::exit::{BoxError, Exit, Failure};
use crate::mask;
use crate::text::{self, DIM};

fn timeout_ms() -> RangedU64ValueParser {
    value_parser!(u64).range(1..=TIMEOUT_MS_MAX)
}

/// The profile, and which key of the tenant it is.
#[derive(clap::Args)]
pub(crate) struct KeyIdArgs {
    /// Use this profile, even if variables are set [env: CORTEXKEY_PROFILE]
    #[arg(long, value_name = "NAME", help_heading = "Tenant")]
    profile: Option<String>,

    /// The key's id [env: CORTEXKEY_API_KEY_ID]
    #[arg(long, value_name = "N", allow_hyphen_values = true, help_heading = "Key")]
    key_id: Option<String>,

    /// The key's security level, standard or advanced [env: CORTEXKEY_API_KEY_TYPE]
    #[arg(long, value_name = "LEVEL", value_parser = level, ignore_case = true, help_heading = "Key")]
    level: Option<Level>,
}

/// The key that signs.
#[derive(clap::Args)]
pub(crate) struct KeyArgs {
    #[command(flatten)]
    id: KeyIdArgs,

    /// Read the key from this file, which only you can read [env for the key itself:
    /// CORTEXKEY_API_KEY]
    #[arg(long, value_name = "FILE", conflicts_with = "key_stdin", help_heading = "Key")]
    key_file: Option<PathBuf>,

    /// Read the key from standard input
    #[arg(long, help_heading = "Key")]
    key_stdin: bool,

    /// Read the key from a secret store, such as vault://secret/cortex/siem; its id and level are read
    /// from there too unless they are set
    #[arg(long, value_name = "URL", value_parser = store_url, help_heading = "Key")]
    #[arg(conflicts_with_all = ["key_file", "key_stdin"])]
    key_store: Option<StoreUrl>,

    /// Accept a key file that its group or others can read
    #[arg(long, requires = "key_file", help_heading = "Key")]
    allow_readable_key_file: bool,
}

/// The arguments that belong to one tenant, and so cannot be given for several profiles.
pub(crate) const OF_ONE_TENANT: [&str; 8] =
    ["profile", "fqdn", "child_tenant", "key_id", "level", "key_file", "key_stdin", "key_store"];

/// The tenant's address.
#[derive(clap::Args)]
pub(crate) struct AddressArgs {
    /// The tenant's FQDN or API address, as the console shows it [env: CORTEXKEY_FQDN]
    #[arg(long, value_name = "FQDN", help_heading = "Tenant")]
    fqdn: Option<String>,

    /// Use the host unchanged, without adding api-
    #[arg(long, help_heading = "Tenant")]
    on_premises: bool,

    /// Trust the certificates in this file instead of the system's
    #[arg(long, value_name = "FILE", help_heading = "Tenant")]
    ca_file: Option<PathBuf>,
}

/// The tenant that is called, and the key that signs, for a command whose calls curl makes.
#[derive(clap::Args)]
pub(crate) struct CalledTenantArgs {
    #[command(flatten)]
    tenant: TenantKeyArgs,

    /// Call this child tenant
    #[arg(long, value_name = "ID", help_heading = "Tenant")]
    child_tenant: Option<String>,
}

/// The tenant, and the key that signs, for a command that makes no call itself.
#[derive(clap::Args)]
pub(crate) struct TenantKeyArgs {
    #[command(flatten)]
    address: AddressArgs,

    #[command(flatten)]
    key: KeyArgs,
}

/// The tenant, the key that signs, and the timeout, for a command that makes each call once.
#[derive(clap::Args)]
pub(crate) struct SingleCallArgs {
    #[command(flatten)]
    called: CalledTenantArgs,

    /// Timeout of each attempt, in milliseconds [default: 60000]
    #[arg(long, value_name = "MS", value_parser = timeout_ms(), help_heading = "Tenant")]
    timeout_ms: Option<u64>,
}

/// The tenant, the key that signs, and how calls are made.
#[derive(clap::Args)]
pub(crate) struct ConnectionArgs {
    #[command(flatten)]
    single: SingleCallArgs,

    /// How often to retry a call that is safe to repeat [default: 2]
    #[arg(
        long,
        value_name = "N",
        value_parser = value_parser!(u32).range(..=i64::from(RETRIES_MAX)),
        help_heading = "Tenant"
    )]
    retries: Option<u32>,
}

/// Where settings come from, for the help of commands that call a tenant.
pub(crate) const SETTINGS: &str = "\
Settings come from arguments, CORTEXKEY_… variables and profiles; `cortexkey config explain --help`
lists them in order of precedence.";

impl KeyArgs {
    /// Finds the signing key.
    pub(crate) fn resolve(&self) -> Result<Credentials, Failure> {
        let environment = |name: &str| std::env::var_os(name);
        Credentials::resolve(&self.given(), &environment, &mut std::io::stdin())
            .map_err(|error| failure(&error))
    }

    fn given(&self) -> ExplicitSettings {
        let key = if self.key_stdin {
            Some(KeySource::Stdin)
        } else if let Some(url) = &self.key_store {
            Some(KeySource::Store(url.clone()))
        } else {
            self.key_file.as_ref().map(|path| KeySource::File {
                path: path.clone(),
                allow_readable: self.allow_readable_key_file,
            })
        };
        let on_key = Some(mask::remember_key as fn(&[u8]));
        ExplicitSettings { key, on_key, ..self.id.given() }
    }
}

impl KeyIdArgs {
    /// The settings given as arguments.
    pub(crate) fn given(&self) -> ExplicitSettings {
        ExplicitSettings {
            profile: self.profile.clone(),
            key_id: self.key_id.clone(),
            level: self.level,
            ..ExplicitSettings::default()
        }
    }
}

impl AddressArgs {
    /// The settings given as arguments, and those of the key.
    pub(crate) fn given(&self, key: ExplicitSettings) -> ExplicitSettings {
        ExplicitSettings {
            fqdn: self.fqdn.clone(),
            on_premises: self.on_premises,
            ca_file: self.ca_file.clone(),
            ..key
        }
    }
}

impl TenantKeyArgs {
    fn given(&self) -> ExplicitSettings {
        self.address.given(self.key.given())
    }

    /// Resolves the tenant and the signing key, for a program that signs requests.
    pub(crate) fn resolve_with_key(&self) -> Result<(Connection, Zeroizing<Vec<u8>>), Failure> {
        resolved_with_key(&self.given())
    }
}

impl CalledTenantArgs {
    fn given(&self) -> ExplicitSettings {
        ExplicitSettings { child_tenant: self.child_tenant.clone(), ..self.tenant.given() }
    }

    /// Resolves the tenant and the signing key.
    pub(crate) fn resolve(&self) -> Result<Connection, Failure> {
        resolved(&self.given())
    }
}

impl SingleCallArgs {
    /// Whether the key is read from standard input.
    pub(crate) fn key_is_on_stdin(&self) -> bool {
        self.called.tenant.key.key_stdin
    }

    /// The settings given as arguments.
    pub(crate) fn given(&self) -> ExplicitSettings {
        let timeout = self.timeout_ms.map(Duration::from_millis);
        ExplicitSettings { timeout, ..self.called.given() }
    }

    /// Resolves the tenant and the signing key, with the key itself.
    pub(crate) fn resolve_with_key(&self) -> Result<(Connection, Zeroizing<Vec<u8>>), Failure> {
        resolved_with_key(&self.given())
    }
}

impl ConnectionArgs {
    /// Whether the key is read from standard input.
    pub(crate) fn key_is_on_stdin(&self) -> bool {
        self.single.key_is_on_stdin()
    }

    /// The settings given as arguments.
    pub(crate) fn given(&self) -> ExplicitSettings {
        ExplicitSettings { retries: self.retries, ..self.single.given() }
    }

    /// Resolves the tenant, the signing key and the options of calls.
    pub(crate) fn resolve(&self) -> Result<Connection, Failure> {
        resolved(&self.given())
    }

    /// Like [`resolve`](Self::resolve); `None` if neither an option nor a setting names a tenant or
    /// a key.
    pub(crate) fn resolve_if_set(&self) -> Result<Option<Connection>, Failure> {
        match try_resolved(&self.given()) {
            Err(SettingsError::NoAddress) if !self.is_given() => Ok(None),
            Err(error) => Err(failure(&error)),
            Ok(connection) => Ok(Some(connection)),
        }
    }

    /// Whether a tenant or a key is named by hand.
    pub(crate) fn is_given(&self) -> bool {
        let CalledTenantArgs { tenant, child_tenant } = &self.single.called;
        let TenantKeyArgs { address, key } = tenant;
        let of_key = key.id.key_id.is_some()
            || key.id.level.is_some()
            || key.key_file.is_some()
            || key.key_store.is_some();
        let of_tenant = address.fqdn.is_some() || address.on_premises || address.ca_file.is_some();
        let is_named = key.id.profile.is_some() || child_tenant.is_some();
        of_key || of_tenant || is_named || key.key_stdin
    }

    /// Returns these settings for another profile. If several profiles are used, each needs its own
    /// key: a key from the environment belongs to one tenant, and must not reach the others.
    pub(crate) fn resolve_profile(
        &self,
        profile: &str,
        is_one_of_several: bool,
    ) -> Result<Connection, Failure> {
        let connection =
            resolved(&ExplicitSettings { profile: Some(profile.to_owned()), ..self.given() })?;
        match &connection.credentials.key_origin {
            SettingOrigin::Environment(name) if is_one_of_several => Err(Failure::usage_error(
                format!("profile {profile} does not say where its key is"),
            )
            .help(format!(
                "set key_file, key_command or key_store in the profile; the key in {name} is for \
                         one tenant, and several were given"
            ))),
            _ => Ok(connection),
        }
    }

    /// A client for the tenant.
    pub(crate) fn client(&self) -> Result<Client, Failure> {
        Ok(self.resolve()?.client())
    }
}

fn resolved_with_key(
    given: &ExplicitSettings,
) -> Result<(Connection, Zeroizing<Vec<u8>>), Failure> {
    let environment = |name: &str| std::env::var_os(name);
    Connection::resolve_with_key(given, &environment, &mut std::io::stdin())
        .map_err(|error| failure(&error))
}

fn resolved(given: &ExplicitSettings) -> Result<Connection, Failure> {
    try_resolved(given).map_err(|error| failure(&error))
}

fn try_resolved(given: &ExplicitSettings) -> Result<Connection, SettingsError> {
    let environment = |name: &str| std::env::var_os(name);
    let mut connection = Connection::resolve(given, &environment, &mut std::io::stdin())?;
    connection.options.observer = Some(Observer::new(print_notice));
    Ok(connection)
}

/// Reports on standard error what happens during a call.
fn print_notice(notice: &CallNotice<'_>) {
    let text = match notice {
        CallNotice::Again { error, wait } => {
            let error = error.to_string();
            let first = error.lines().next().unwrap_or_default().to_owned();
            format!("{first}\n{DIM}retrying in {:.1} s{DIM:#}", wait.as_secs_f64())
        }
        CallNotice::ClockCorrected { offset_ms } => {
            let way = if *offset_ms > 0 { "behind" } else { "ahead of" };
            let seconds = offset_ms.unsigned_abs() / 1000;
            format!(
                "this machine's clock is {seconds} s {way} the tenant's; signing with the tenant's \
                 time from now on; set the clock"
            )
        }
        CallNotice::UnreadableRecord(record) => format!("skipped: {record}"),
        CallNotice::ShortList { shown, missing } => {
            format!("the tenant returned {shown} keys, and has at least {missing} more")
        }
        CallNotice::RolesByName => {
            "the tenant does not take the ids of roles and takes their names; \
                                names are sent from now on (set roles_by = \"name\" in the profile)"
                .to_owned()
        }
        _ => return,
    };
    text::eprint(&format!("{text}\n"));
}

/// Invalid settings are a usage error.
pub(crate) fn failure(error: &SettingsError) -> Failure {
    Failure::from_error(Exit::UsageError, error)
}

/// A failed call. Its message says what to do; wrong input is a usage error.
pub(crate) fn call_failure(error: &CallError) -> Failure {
    let exit = match error {
        CallError::Path(_) | CallError::BodyNotAllowed { .. } => Exit::UsageError,
        _ => Exit::Findings,
    };
    let failure = Failure::from_error(exit, error);
    match error {
        CallError::Tls { .. } => {
            failure.help("--ca-file FILE trusts the authority of a company or of the emulator")
        }
        // An error that explains itself needs no hint.
        CallError::Refused(refused)
            if refused.status == 401 && refused.headers.verdict.is_none() =>
        {
            failure.help("`cortexkey doctor`, with the same settings, looks for the cause")
        }
        _ => failure,
    }
}

fn store_url(text: &str) -> Result<StoreUrl, BoxError> {
    text.parse().map_err(|error| format!("it {error}").into())
}

/// The error does not repeat the value, which may be a key in the wrong place.
pub(crate) fn level(text: &str) -> Result<Level, BoxError> {
    // The console writes Standard and Advanced.
    text.to_ascii_lowercase().parse().map_err(|_| "expected `standard` or `advanced`".into())
}
