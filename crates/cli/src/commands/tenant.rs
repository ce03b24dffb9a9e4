//! `cortexkey tenant`: the local tenant, an emulator of the product's API.
//!
//! It refuses to listen on anything but loopback, and to print anything on standard output but its
//! ready line.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::ValueEnum;
use cortexkey_core::auth::{NonceLengths, Skew};
use cortexkey_tenant::{LogLine, Options, ReplayMode, StartError, Tenant};

use crate::exit::{Exit, Failure};
use crate::text;

/// Run an emulator of a Cortex tenant on this machine, for trying and testing
///
/// It is no product: it holds its keys in memory and forgets them when it stops. It checks what
/// the product's documents say, and where they are silent it is strict.
///
/// When it accepts connections, it prints one line of JSON: its address, its process id and two
/// keys with the role Instance Administrator. Its log goes to standard error.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey tenant
  cortexkey tenant --listen 127.0.0.1:8080 --explain
  cortexkey tenant --replay observe        accept replays, but say so in the log

Exit codes: 0 ended by a signal; 1 it cannot start; 2 wrong use.")]
pub(crate) struct Args {
    /// Address and port on this machine; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0", value_parser = listen)]
    listen: SocketAddr,

    /// Say in response headers why a request was refused, and what to do about it
    #[arg(long)]
    explain: bool,

    /// What to do about a request that was accepted before
    #[arg(long, value_name = "MODE", default_value = "enforce")]
    replay: Replay,

    /// How far a timestamp may be from this machine's clock, in milliseconds: 1000 to 300000
    #[arg(long, value_name = "MS", default_value_t = Skew::DEFAULT.as_ms())]
    skew_ms: u64,

    /// Take nonces of 16 to 128 characters, as some clients send, instead of exactly 64
    #[arg(long)]
    lenient_nonces: bool,

    /// Log refusals only
    #[arg(long)]
    quiet: bool,
}

#[derive(Clone, Copy, ValueEnum)]
enum Replay {
    /// Refuse it
    Enforce,
    /// Accept it, and say so
    Observe,
    /// Do not look
    Off,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let skew =
        Skew::from_ms(args.skew_ms).map_err(|error| Failure::wrong_use(error.to_string()))?;
    let quiet = args.quiet;
    let log = move |line: &LogLine| {
        if !quiet || line.status >= 400 {
            // With standard error closed the tenant goes on without a log.
            let _ = writeln!(std::io::stderr(), "{line}");
        }
    };
    let options = Options {
        listen: args.listen,
        explain: args.explain,
        skew,
        replay: match args.replay {
            Replay::Enforce => ReplayMode::Enforce,
            Replay::Observe => ReplayMode::Observe,
            Replay::Off => ReplayMode::Off,
        },
        nonce_lengths: if args.lenient_nonces {
            NonceLengths::LENIENT
        } else {
            NonceLengths::EXACT
        },
        log: Some(Arc::new(log)),
        ..Options::default()
    };
    let tenant = Tenant::start(options).map_err(|error| start_failed(&error))?;
    // Before the ready line, so that a signal right after it ends the tenant in good order.
    let signals = tenant.signals().map_err(|error| {
        Failure::new(Exit::Findings, format!("cannot wait for a signal: {error}"))
    })?;
    text::print(&format!("{}\n", tenant.ready_line()))?;
    tenant.wait(signals);
    Ok(Exit::Done)
}

fn listen(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| "it is an IP address and a port, such as 127.0.0.1:8080".to_owned())
}

fn start_failed(error: &StartError) -> Failure {
    let exit = match error {
        StartError::NotLoopback { .. } => Exit::WrongUse,
        _ => Exit::Findings,
    };
    Failure::new(exit, error.to_string())
}
