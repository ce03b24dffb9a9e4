//! `cortexkey proxy`: signs requests on loopback for programs that cannot sign with Advanced keys.

use std::ffi::OsString;
use std::io;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::time::Duration;

use clap::value_parser;
use cortexkey_client::{Tool, ToolKey};
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_proxy::{Allow, AllowList, Listener, OnRequest, Proxy, ProxyOptions, Record};
use cortexkey_system::chain;
use serde_json::json;

use super::exec;
use crate::change::announce;
use crate::connection::{SETTINGS, SingleCallArgs};
use crate::env_file;
use crate::exit::{Exit, Failure};
use crate::text::{self, BAD, DIM};

/// A year of minutes.
const LIFETIME_MINUTES_MAX: u64 = 366 * 24 * 60;
const BODY_MIB_MAX: u64 = 64 * 1024;

/// Sign other tools' requests on loopback and send them to the tenant
///
/// A tool that supports only Standard keys, or cannot sign at all, sends its requests to 127.0.0.1.
/// The proxy signs each one and sends it to the tenant. The tool authenticates with the token that
/// is printed at startup: as its API key, or as the first segment of the path. With --socket,
/// processes of the same user need no token.
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    #[command(flatten)]
    connection: SingleCallArgs,

    /// The port of 127.0.0.1 to listen on; 0 picks a free one
    #[arg(long, value_name = "PORT", default_value_t = 0)]
    port: u16,

    /// Listen on a Unix socket instead, for processes of the same user
    #[arg(long, value_name = "FILE", conflicts_with_all = ["port", "tool"])]
    socket: Option<PathBuf>,

    /// Allow only these calls: a path, or a method and a path; `*` matches within a segment, `**`
    /// across segments [default: all calls except those that administer access: keys, scopes,
    /// users, roles, groups and the sign-in]
    ///
    /// A call that administers access must be named; a wildcard does not allow it.
    #[arg(long, value_name = "[METHOD ]PATH")]
    allow: Vec<Allow>,

    /// The largest request body, in MiB
    #[arg(long, value_name = "N", default_value_t = 256, value_parser = value_parser!(u64).range(1..=BODY_MIB_MAX))]
    max_body_mib: u64,

    /// The largest number of requests at a time
    #[arg(long, value_name = "N", default_value_t = 32, value_parser = value_parser!(u16).range(1..=1024))]
    max_requests: u16,

    /// Stop after this many minutes
    #[arg(long, value_name = "N", value_parser = value_parser!(u64).range(1..=LIFETIME_MINUTES_MAX))]
    lifetime_minutes: Option<u64>,

    /// Do not log requests
    #[arg(long)]
    quiet: bool,

    /// With a COMMAND: the tool whose variables it reads, as for `cortexkey exec`
    #[arg(long = "as", id = "tool", value_name = "TOOL", requires = "command")]
    tool: Option<String>,

    /// Run this program with the proxy's address and token in its environment, and stop when it ends
    #[arg(value_name = "COMMAND", requires = "tool", trailing_var_arg = true)]
    command: Vec<OsString>,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey proxy --profile prod --as demisto-sdk -- demisto-sdk upload -i Packs/Mine
  cortexkey proxy --port 8081 --allow 'GET /public_api/v1/healthcheck' --lifetime-minutes 60
  cortexkey proxy --socket /run/user/1000/cortex.sock
  curl --unix-socket /run/user/1000/cortex.sock http://localhost/public_api/v1/healthcheck

When the proxy accepts requests, it prints one line of JSON: url and token, or socket.

Exit codes: 0 stopped; 1 it cannot listen; 2 usage error; with a COMMAND, those of the program.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let (connection, key) = args.connection.resolve_with_key()?;
    announce(&connection);
    let tools = connection.tools.clone();
    let key_id = connection.credentials.key_id.value;
    let listener = match &args.socket {
        Some(path) => Listener::Socket(path.clone()),
        None => Listener::Tcp(args.port),
    };
    let options = options(args, connection.options.timeout);
    let proxy = Proxy::bind(connection.client(), &listener, options).map_err(|error| {
        let (place, help) = match &listener {
            Listener::Socket(path) => (
                path.display().to_string(),
                "name a new file in a folder of your own; a path has about 100 characters at most",
            ),
            _ => (
                format!("127.0.0.1:{}", args.port),
                "choose another --port; 0 picks one that is free",
            ),
        };
        Failure::new(Exit::Findings, format!("cannot listen at {place}: {}", chain(&error)))
            .help(help)
    })?;
    if let Some(tool) = &args.tool {
        return beside(proxy, tool, &tools, key_id, &key, &args.command);
    }
    let ready = |value| text::json(&value);
    match proxy.socket() {
        // A key by mistake where the socket's path belongs stays hidden.
        Some(path) => text::print(&ready(json!({ "socket": path.display().to_string() }))),
        None => {
            text::print_key(&ready(json!({ "url": proxy.url(), "token": proxy.token().expose() })))
        }
    }?;
    proxy.serve().map_err(|error| Failure::from_error(Exit::Findings, &error))?;
    Ok(Exit::Done)
}

fn options(args: &Args, stall_time: Duration) -> ProxyOptions {
    ProxyOptions {
        allow: AllowList::new(args.allow.clone()),
        body_bytes_max: args.max_body_mib * 1024 * 1024,
        requests_max: args.max_requests.into(),
        stall_time,
        lifetime: args.lifetime_minutes.map(|minutes| Duration::from_secs(minutes * 60)),
        on_request: (!args.quiet).then(|| Box::new(log) as OnRequest),
    }
}

fn log(record: &Record<'_>) {
    let ms = record.elapsed.as_millis();
    let path = record.path.unwrap_or("-");
    let line = match record.denial {
        Some(denial) => format!("{BAD}{} {denial}{BAD:#}", record.status),
        None => record.status.to_string(),
    };
    text::eprint(&format!("{} {path} {line} {DIM}{ms} ms{DIM:#}\n", record.method));
}

/// Runs a program with the proxy. To the program, the token is a Standard key.
fn beside(
    proxy: Proxy,
    tool: &str,
    tools: &[Tool],
    key_id: KeyId,
    key: &[u8],
    program: &[OsString],
) -> Result<Exit, Failure> {
    let url = proxy.url().unwrap_or_default();
    let token = ToolKey {
        api_url: &url,
        key_id,
        level: Level::Standard,
        key: proxy.token().expose(),
        ca_file: None,
    };
    let tool = exec::find(tool, tools)?;
    env_file::check(&tool)?;
    let variables = tool.variables(&token).map_err(Failure::usage)?;
    // No variable can hold a key that is not text.
    let key = std::str::from_utf8(key).unwrap_or_default();
    let Some(command) = exec::command(program, &variables, key, true) else {
        return Err(Failure::usage_error("there is no program to run").help("put it after `--`"));
    };
    match proxy.serve_while(command) {
        Ok(status) => ended(status),
        Err(error) if error.kind() == io::ErrorKind::TimedOut => {
            Err(Failure::new(Exit::Findings, "the program was ended after --lifetime-minutes"))
        }
        Err(error) => Err(exec::not_started(program, &error)),
    }
}

/// Ends as the program did; as shells do if a signal ended it.
fn ended(status: ExitStatus) -> Result<Exit, Failure> {
    match status.code().or_else(|| of_signal(status)) {
        Some(0) => Ok(Exit::Done),
        #[expect(
            clippy::exit,
            reason = "the program's exit code is passed on, and nothing is left to do"
        )]
        Some(code) => std::process::exit(code),
        None => Err(Failure::new(Exit::Findings, "the program ended without an exit code")),
    }
}

#[cfg(unix)]
fn of_signal(status: ExitStatus) -> Option<i32> {
    use std::os::unix::process::ExitStatusExt as _;

    let signal = status.signal()?;
    text::eprint(&format!("{BAD}signal {signal} ended the program{BAD:#}\n"));
    Some(128 + signal)
}

#[cfg(not(unix))]
fn of_signal(_status: ExitStatus) -> Option<i32> {
    None
}
