//! `cortexkey tenant`: runs the local emulator of the product's API.
//!
//! It listens on loopback only, and prints only its ready line on standard output.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{ValueEnum, value_parser};
use cortexkey_core::access::{Product, TagMode};
use cortexkey_core::auth::{NonceLengths, Skew};
use cortexkey_system::io_reason;
use cortexkey_tenant::{
    ConsoleKeys, Control, DroppedLog, EditRoles, Licence, Log, LogLine, NewAdminKeys, Notification,
    Options, ReplayMode, StartError, Tenant, TlsError, WebhookLog,
};

use crate::exit::{BoxError, Exit, Failure};
use crate::text;

/// Run a local emulator of a Cortex tenant
///
/// The emulator follows the vendor's interface description where there is one, and is strict where
/// there is none. Without --data it keeps everything in memory and forgets it when it stops.
///
/// When it accepts connections, it prints one line of JSON: its address, its process id and, if it
/// had no keys, two new ones with the role Instance Administrator. Its log goes to standard error.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey tenant
  cortexkey tenant --listen 127.0.0.1:8080 --explain
  cortexkey tenant --console               with the API Keys page in a browser
  cortexkey tenant --replay observe        accept replays, and report them in the log
  cortexkey tenant --tls --tls-host api-acme.xdr.us.paloaltonetworks.com
  cortexkey tenant --replay redis://127.0.0.1:6379
  cortexkey tenant --enforce-scopes --product xdr-5
  cortexkey tenant --listen 127.0.0.1:8080 --control
  curl -X PUT http://127.0.0.1:8080/_cortexkey/clock -H 'Content-Type: application/json' \\
      -d '{\"advanceMs\": 86400000}'

Exit codes: 0 stopped by a signal; 1 cannot start; 2 usage error.")]
pub(crate) struct Args {
    /// Address and port on this machine; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0", value_parser = listen)]
    listen: SocketAddr,

    /// Explain refusals in response headers, and show the last requests at /_cortexkey/requests
    #[arg(long)]
    explain: bool,

    /// Replays: enforce (refuse them), observe (accept and report them), off (do not detect them),
    /// or redis://HOST:PORT (refuse what any emulator on that server accepted; put a URL with a
    /// password into the environment)
    #[arg(
        long,
        value_name = "MODE",
        default_value = "enforce",
        env = "CORTEXKEY_TENANT_REPLAY",
        hide_env_values = true,
        value_parser = replay
    )]
    replay: Replay,

    /// How many accepted requests the replay guard remembers: requests per second × twice the skew
    /// in seconds [default: 1000000]
    ///
    /// More requests are refused as replay-guard-full. One key may use at most half of the entries;
    /// beyond that it gets replay-guard-quota. For 1,000 requests per second and a skew of 60
    /// seconds, set 120000: a burst of up to 60,000 requests of one key is accepted, and 60,000
    /// entries are left for all other keys. An entry takes 16 to 20 bytes.
    #[arg(long, value_name = "COUNT", value_parser = value_parser!(u32).range(2..=100_000_000))]
    guard_entries: Option<u32>,

    /// How far a timestamp may differ from this machine's clock, in milliseconds: 1000 to 300000
    #[arg(long, value_name = "MS", default_value_t = Skew::DEFAULT.as_ms())]
    skew_ms: u64,

    /// Accept nonces of 16 to 128 characters, as some clients send, instead of exactly 64
    #[arg(long)]
    lenient_nonces: bool,

    /// Log refusals only
    #[arg(long)]
    quiet: bool,

    /// Log format: a line of text per request, or the JSON object that /_cortexkey/requests shows
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    log_format: LogFormat,

    #[command(flatten)]
    tls: TlsArgs,

    #[command(flatten)]
    kept: Storage,

    #[command(flatten)]
    handles: EmulatorOptions,

    #[command(flatten)]
    kind: EmulatedTenant,
}

/// TLS options.
#[derive(clap::Args)]
#[command(next_help_heading = "TLS")]
struct TlsArgs {
    /// Serve TLS with a local certificate authority; the printed line has its certificate (ca) and
    /// the served names (hosts)
    #[arg(long)]
    tls: bool,

    /// Also serve TLS for this name, such as api-acme.xdr.us.paloaltonetworks.com; repeatable
    #[arg(long, value_name = "HOST", requires = "tls")]
    tls_host: Vec<String>,
}

/// Storage options.
#[derive(clap::Args)]
#[command(next_help_heading = "Storage")]
struct Storage {
    /// Keep keys, roles, scopes and the audit log in this folder, sealed; a change is on disk
    /// before it is answered
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,

    /// Generate two new administrator keys and print them, as a tenant without keys does
    #[arg(long)]
    new_admin_keys: bool,
}

/// Options for what the product does not have.
#[derive(clap::Args)]
#[command(next_help_heading = "Not part of the product")]
struct EmulatorOptions {
    /// Enable the calls under /_cortexkey/, which need no key: move the clock, inject faults, change
    /// settings
    #[arg(long)]
    control: bool,

    /// Serve the API Keys page in a browser; the printed line has its address (console), which
    /// works once
    #[cfg(feature = "console")]
    #[arg(long)]
    console: bool,

    /// Enable POST /_cortexkey/keys, which needs no key: generate keys as the product's console does,
    /// by default without an expiry
    #[arg(long)]
    console_keys: bool,

    /// Send expiry notices to this URL, by HTTP POST
    #[arg(long, value_name = "URL", value_parser = web_address)]
    webhook: Option<String>,
}

/// Options that choose the emulated tenant.
#[derive(clap::Args)]
#[command(next_help_heading = "Emulated tenant")]
struct EmulatedTenant {
    /// The emulated product; it determines the predefined roles, and whether keys have scopes
    #[arg(long, value_name = "PRODUCT", default_value = "xsiam", value_parser = product_parser())]
    product: Product,

    /// Enforce the scopes of keys (SBAC); off in a new tenant
    #[arg(long)]
    enforce_scopes: bool,

    /// How a scope's tags match an endpoint
    #[arg(long, value_name = "MODE", default_value = "permissive")]
    tags: Tags,

    /// Have scopes for dataset rows; every PUT of a scope must then contain them
    #[arg(long)]
    scoped_datasets: bool,

    /// Load groups, domains, endpoints, assets and users from this JSON file [default: a small
    /// built-in inventory]
    #[arg(long, value_name = "FILE")]
    inventory: Option<PathBuf>,

    /// Emulate the parent of a child tenant with this id, like that of a managed security service
    /// provider; repeatable. The printed line has the address of each
    #[arg(long, value_name = "ID")]
    child: Vec<String>,

    /// How PUT api-key/{id} names roles; the product's description says ids
    #[arg(long, value_name = "WHAT", default_value = "id")]
    edit_roles_by: RolesBy,

    /// The largest number of keys
    #[arg(
        long,
        value_name = "COUNT",
        default_value_t = 10_000,
        value_parser = value_parser!(u32).range(2..=100_000)
    )]
    max_keys: u32,

    /// Answer these calls with 402, as without a licence; repeatable
    #[arg(long, value_name = "CALLS", value_delimiter = ',')]
    unlicensed: Vec<Unlicensed>,
}

#[derive(Clone)]
enum Replay {
    In(ReplayMode),
    /// The address may contain a password.
    On(String),
}

#[derive(Clone, Copy, ValueEnum)]
enum LogFormat {
    Text,
    Json,
}

#[derive(Clone, Copy, ValueEnum)]
enum Tags {
    /// One of the endpoint's tags is selected
    Permissive,
    /// All of the endpoint's tags are selected
    Restrictive,
}

#[derive(Clone, Copy, ValueEnum)]
enum RolesBy {
    /// Role ids
    Id,
    /// Display names
    Name,
}

#[derive(Clone, Copy, ValueEnum)]
enum Unlicensed {
    /// The asset inventory
    Assets,
    /// Endpoints
    Endpoints,
    /// Cases and issues
    CasesAndIssues,
}

impl From<Tags> for TagMode {
    fn from(tags: Tags) -> Self {
        match tags {
            Tags::Permissive => Self::Permissive,
            Tags::Restrictive => Self::Restrictive,
        }
    }
}

impl From<RolesBy> for EditRoles {
    fn from(by: RolesBy) -> Self {
        match by {
            RolesBy::Id => Self::Id,
            RolesBy::Name => Self::Name,
        }
    }
}

impl From<Unlicensed> for Licence {
    fn from(unlicensed: Unlicensed) -> Self {
        match unlicensed {
            Unlicensed::Assets => Self::Assets,
            Unlicensed::Endpoints => Self::Endpoints,
            Unlicensed::CasesAndIssues => Self::CasesAndIssues,
        }
    }
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let tenant = Tenant::start(options(args)?).map_err(|error| start_failed(&error))?;
    #[cfg(feature = "console")]
    let console =
        args.handles.console.then(|| super::console::emulator::of_tenant(&tenant)).transpose()?;
    // Before the ready line, so that a signal right after it stops the emulator properly.
    let signals = tenant.signals().map_err(|error| {
        Failure::new(Exit::Findings, format!("cannot handle signals: {}", io_reason(&error)))
    })?;
    #[cfg(feature = "console")]
    let line = tenant.ready_line_with(console.as_ref().map(cortexkey_console::Console::address));
    #[cfg(not(feature = "console"))]
    let line = tenant.ready_line();
    text::print_key(&format!("{line}\n"))?;
    tenant.wait(signals);
    Ok(Exit::Done)
}

fn options(args: &Args) -> Result<Options, Failure> {
    let Args { tls, kept, handles, kind, .. } = args;
    let mut options = Options {
        listen: args.listen,
        tls: tls.tls.then(|| tls.tls_host.clone()),
        explain: args.explain,
        control: handles.control(args.explain),
        data: kept.data.clone(),
        new_admin_keys: kept.new_admin_keys(),
        webhook: handles.webhook.clone(),
        skew: Skew::from_ms(args.skew_ms).map_err(|error| {
            Failure::usage_error(format!("--skew-ms {}: {error}", args.skew_ms))
        })?,
        nonce_lengths: args.nonce_lengths(),
        product: kind.product,
        enforce_scopes: kind.enforce_scopes,
        tag_mode: kind.tags.into(),
        scoped_datasets: kind.scoped_datasets,
        unlicensed: kind.unlicensed.iter().copied().map(Licence::from).collect(),
        max_keys: kind.max_keys as usize,
        inventory: kind.inventory.clone(),
        children: kind.child.clone(),
        console_keys: if handles.console_keys { ConsoleKeys::On } else { ConsoleKeys::Off },
        edit_roles: kind.edit_roles_by.into(),
        log: Some(log(args.log_format, args.quiet)),
        webhook_log: Some(webhook_log(args.log_format)),
        dropped_log: Some(dropped_log(args.log_format)),
        ..Options::default()
    };
    args.set_replay_guard(&mut options)?;
    #[cfg(feature = "console")]
    if handles.console {
        super::console::emulator::prepare(&mut options);
    }
    Ok(options)
}

impl Args {
    fn nonce_lengths(&self) -> NonceLengths {
        if self.lenient_nonces { NonceLengths::LENIENT } else { NonceLengths::EXACT }
    }

    fn set_replay_guard(&self, options: &mut Options) -> Result<(), Failure> {
        match &self.replay {
            Replay::In(mode) => options.replay = *mode,
            Replay::On(server) => options.replay_server = Some(server.clone()),
        }
        let Some(entries) = self.guard_entries else { return Ok(()) };
        if !matches!(self.replay, Replay::In(ReplayMode::Enforce | ReplayMode::Observe)) {
            let why = "--guard-entries is for a replay guard in memory: remove it, or give --replay enforce or observe";
            return Err(Failure::usage_error(why));
        }
        options.guard_entries = entries as usize;
        Ok(())
    }
}

impl Storage {
    fn new_admin_keys(&self) -> NewAdminKeys {
        if self.new_admin_keys { NewAdminKeys::Always } else { NewAdminKeys::WhenEmpty }
    }
}

impl EmulatorOptions {
    fn control(&self, explain: bool) -> Control {
        match (self.control, explain) {
            (true, _) => Control::Change,
            (false, true) => Control::Read,
            (false, false) => Control::Off,
        }
    }
}

/// Writes a line per request to standard error.
fn log(format: LogFormat, quiet: bool) -> Log {
    Arc::new(move |line: &LogLine| {
        if quiet && line.status < 400 {
            return;
        }
        let text = match format {
            LogFormat::Text => line.to_string(),
            LogFormat::Json => serde_json::to_string(line).unwrap_or_default(),
        };
        text::eprint(&format!("{text}\n"));
    })
}

/// Writes a line for each notice that the webhook did not accept.
fn webhook_log(format: LogFormat) -> WebhookLog {
    Arc::new(move |notification: &Notification, why: &str| {
        let notice = notification.id;
        let key = notification.key_id;
        let text = match format {
            LogFormat::Text => {
                format!("notice {notice} key {key}: the webhook did not accept it: {why}")
            }
            LogFormat::Json => {
                serde_json::json!({ "notice": notice, "keyId": key, "webhookError": why })
                    .to_string()
            }
        };
        text::eprint(&format!("{text}\n"));
    })
}

/// Writes a line when lines were dropped because standard error was not read.
fn dropped_log(format: LogFormat) -> DroppedLog {
    Arc::new(move |dropped| {
        let text = match format {
            LogFormat::Text => {
                format!("{dropped} lines dropped: standard error was not read in time")
            }
            LogFormat::Json => serde_json::json!({ "dropped": dropped }).to_string(),
        };
        text::eprint(&format!("{text}\n"));
    })
}

fn replay(text: &str) -> Result<Replay, BoxError> {
    Ok(match text {
        "enforce" => Replay::In(ReplayMode::Enforce),
        "observe" => Replay::In(ReplayMode::Observe),
        "off" => Replay::In(ReplayMode::Off),
        server if server.starts_with("redis://") => Replay::On(server.to_owned()),
        _ => return Err("expected enforce, observe, off, or redis://HOST:PORT".into()),
    })
}

fn product_parser() -> impl TypedValueParser<Value = Product> {
    PossibleValuesParser::new(Product::ALL.map(Product::as_str))
        .try_map(|name| name.parse().map_err(|()| "there is no such product"))
}

fn web_address(text: &str) -> Result<String, BoxError> {
    let rest = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://"));
    match rest {
        Some(rest) if !rest.is_empty() && !rest.contains(char::is_whitespace) => {
            Ok(text.to_owned())
        }
        _ => Err("expected a URL that starts with http:// or https://".into()),
    }
}

fn listen(text: &str) -> Result<SocketAddr, BoxError> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8080".into())
}

fn start_failed(error: &StartError) -> Failure {
    let exit = match error {
        StartError::NotLoopback { .. } | StartError::Tls(TlsError::Host) => Exit::UsageError,
        _ => Exit::Findings,
    };
    Failure::from_error(exit, error)
}
