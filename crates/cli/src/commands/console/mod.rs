//! `cortexkey console`: serves the API Keys page of a tenant to a browser, on loopback.

pub(super) mod emulator;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use cortexkey_client::state_folder;
use cortexkey_console::{Console, HostName, Options, StartError, TenantKind};

use crate::change::print_note;
use crate::connection::{ConnectionArgs, SETTINGS};
use crate::exit::{BoxError, Exit, Failure};
use crate::surroundings;
use crate::text;

/// Show the API Keys page of a tenant in a browser
///
/// The console listens on this machine only and prints the address to open, which works once. It
/// never shows stored keys, and it changes nothing unless you give --allow-changes. A new key is
/// shown once, or goes to the profile's sink (sink_command, sink_folder or sink_store).
#[derive(clap::Args)]
#[command(after_help = format!("{EXAMPLES}\n\n{SETTINGS}"))]
pub(crate) struct Args {
    /// Allow keys to be generated, edited, rotated and deleted
    #[arg(long)]
    allow_changes: bool,

    /// The folder with the key definitions and their policy [default: the current folder]
    #[arg(long, value_name = "FOLDER")]
    keys: Option<PathBuf>,

    /// The policy's name for the tenant [default: the profile's, or the policy's only tenant]
    #[arg(long, value_name = "NAME")]
    tenant: Option<String>,

    /// Address and port on this machine; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0", value_parser = listen)]
    listen: SocketAddr,

    /// The host name in the address: a random name below localhost, or the IP address, for browsers
    /// that do not resolve names below localhost
    #[arg(long, value_name = "NAME", default_value = "random")]
    host: Host,

    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Clone, Copy, ValueEnum)]
enum Host {
    /// ck….localhost: a name of its own, so that no other server on this machine shares its cookies
    Random,
    /// The IP address
    #[value(name = "127.0.0.1")]
    Address,
}

const EXAMPLES: &str = "\
Examples:
  cortexkey console --profile prod
  cortexkey console --profile prod --keys keys
  cortexkey console --profile test --allow-changes
  cortexkey tenant --console               the same for the local emulator

Exit codes: 0 stopped by a signal; 1 it cannot start; 2 usage error.";

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let connection = args.connection.resolve()?;
    let folder = surroundings::keys_folder(args.keys.as_deref())?;
    let profile_sink = connection.new_keys.sink();
    let address = connection.address.value.clone();
    let profile = connection.profile.clone();
    let ca_file = connection.ca_file.clone();
    let tenant = args.tenant.clone().or_else(|| connection.tenant.clone());
    let mut options = Options::new(connection.client());
    options.kind = TenantKind::Profile(profile);
    options.allow_changes = args.allow_changes;
    options.keys = Some(folder);
    options.tenant = tenant;
    options.sink = profile_sink;
    options.ca_file = ca_file;
    options.listen = args.listen;
    options.host = match args.host {
        Host::Random => HostName::Random,
        Host::Address => HostName::Address,
    };
    options.state_folder = state_folder(&|name: &str| std::env::var_os(name));
    options.on_address = Arc::new(print_address);
    let console = Console::start(options).map_err(|error| start_failed(&error))?;
    let changes = if args.allow_changes { "changes allowed" } else { "read-only" };
    print_note(&format!("API keys of {address} ({changes})"));
    print_note("open this address, which works once:");
    text::print_key(&format!("{}\n", console.address()))?;
    console.wait()?;
    Ok(Exit::Done)
}

/// Prints a new one-time address on the terminal that started the console.
fn print_address(address: &str) {
    text::eprint_address(&format!("open this address, which works once: {address}\n"));
}

fn listen(text: &str) -> Result<SocketAddr, BoxError> {
    text.parse().map_err(|_| "expected an IP address and a port, such as 127.0.0.1:8080".into())
}

fn start_failed(error: &StartError) -> Failure {
    let exit = match error {
        StartError::NotLoopback { .. } => Exit::UsageError,
        _ => Exit::Findings,
    };
    Failure::from_error(exit, error)
}
