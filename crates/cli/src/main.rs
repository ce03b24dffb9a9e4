//! The binary `cortexkey`: arguments in, text out.
//!
//! It refuses logic that another front end would want; that lives in the crates below. It refuses
//! a key as an argument, wherever it is put.

#![allow(clippy::doc_markdown, reason = "the comments of arguments are their help")]
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "text for people, a few lines of it"
)]

mod change;
mod commands;
mod connection;
mod exit;
mod input;
mod many;
mod mask;
mod needs;
mod output_file;
mod progress;
mod secret_args;
mod sink_args;
mod text;
mod verify_line;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches as _, Parser, Subcommand};
use cortexkey_manifest::{escape, quote};

use crate::exit::{Exit, Failure};

/// Sign Cortex API calls, verify their headers, and lint key definitions
///
/// For the API keys of Palo Alto Networks Cortex: XSOAR 8, XDR, XSIAM, Cortex Cloud.
#[derive(Parser)]
#[command(name = "cortexkey", version, max_term_width = 100, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 success; 1 findings, a refusal or a failed call; 2 usage error, or an invalid policy
or configuration; 3 nothing could be read; 4 done in part.

Start with: cortexkey quickstart";

#[derive(Subcommand)]
enum Command {
    Quickstart(commands::quickstart::Args),
    Sign(commands::sign::Args),
    Verify(commands::verify::Args),
    Curl(commands::curl::Args),
    Call(commands::call::Args),
    Exec(commands::exec::Args),
    Ping(commands::ping::Args),
    Keys(commands::keys::Args),
    Import(commands::definitions::import::Args),
    Plan(commands::definitions::plan::Args),
    Apply(commands::definitions::apply::Args),
    Doctor(commands::doctor::Args),
    Examples(commands::examples::Args),
    Config(commands::config::Args),
    Lint(commands::lint::Args),
    Explain(commands::explain::Args),
    Rules(commands::rules::Args),
    Policy(commands::policy::Args),
    Roles(commands::roles::Args),
    Access(commands::access::Args),
    Compile(commands::compile::Args),
    Tenant(commands::tenant::Args),
    Completions(commands::completions::Args),
    Man(commands::man::Args),
}

fn main() -> ExitCode {
    leave_no_core();
    mask::start();
    if let Some(failure) = file_as_option(std::env::args_os().skip(1)) {
        return failure.report();
    }
    let matches = match command().try_get_matches() {
        Ok(matches) => matches,
        Err(error) => return secret_args::report(&error),
    };
    let outcome = match Cli::from_arg_matches(&matches) {
        Ok(cli) => run(cli.command),
        Err(error) => return secret_args::report(&error),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(failure) => failure.report(),
    }
}

/// Refuses a file's name that would be read as an option. Whoever hands over the names of changed
/// files, as pre-commit does, hands over names that others chose.
fn file_as_option(args: impl Iterator<Item = OsString>) -> Option<Failure> {
    let mut options = args.take_while(|arg| arg != "--");
    let name = options.find(|arg| {
        let begins = arg.as_encoded_bytes().starts_with(b"-") && arg.len() > 1;
        begins && Path::new(arg).symlink_metadata().is_ok()
    })?;
    let name = name.to_string_lossy();
    let message = format!("{} is a file here, and would be read as an option", quote(&name));
    let help = format!("write ./{name}, or put `--` before the files", name = escape(&name));
    Some(Failure::usage_error(message).help(help))
}

/// A crash leaves no memory behind in which others could look for keys. Where the system does not
/// let us, the command works all the same.
fn leave_no_core() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Programs that we run do not inherit it.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(all(unix, not(target_os = "linux")))]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    }
}

/// The whole command line, as completions and man pages need it.
pub(crate) fn command() -> clap::Command {
    Cli::command()
}

fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        Command::Quickstart(args) => commands::quickstart::run(&args),
        Command::Sign(args) => commands::sign::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        Command::Curl(args) => commands::curl::run(&args),
        Command::Call(args) => commands::call::run(&args),
        Command::Exec(args) => commands::exec::run(&args),
        Command::Doctor(args) => commands::doctor::run(&args),
        Command::Examples(args) => commands::examples::run(&args),
        Command::Ping(args) => commands::ping::run(&args),
        Command::Keys(args) => commands::keys::run(&args),
        Command::Import(args) => commands::definitions::import::run(&args),
        Command::Plan(args) => commands::definitions::plan::run(&args),
        Command::Apply(args) => commands::definitions::apply::run(&args),
        Command::Config(args) => commands::config::run(&args),
        Command::Lint(args) => commands::lint::run(&args),
        Command::Explain(args) => commands::explain::run(&args),
        Command::Rules(args) => commands::rules::run(&args),
        Command::Policy(args) => commands::policy::run(&args),
        Command::Roles(args) => commands::roles::run(&args),
        Command::Access(args) => commands::access::run(&args),
        Command::Compile(args) => commands::compile::run(&args),
        Command::Tenant(args) => commands::tenant::run(&args),
        Command::Completions(args) => commands::completions::run(&args),
        Command::Man(args) => commands::man::run(&args),
    }
}
