//! The binary `cortexkey`: arguments in, text out.
//!
//! Logic that another front end would need is in the crates below. A key is never an argument. The
//! features `lint`, `client` and `tenant` select the commands.

#![allow(clippy::doc_markdown, reason = "the comments of arguments are their help")]
#![cfg_attr(
    not(all(feature = "client", feature = "tenant")),
    allow(dead_code, reason = "what commands share, and this build's commands may not need")
)]
#![allow(
    clippy::format_collect,
    clippy::format_push_string,
    reason = "text for people, a few lines of it"
)]

#[cfg(feature = "client")]
mod change;
mod commands;
#[cfg(feature = "client")]
mod completion;
#[cfg(feature = "client")]
mod connection;
#[cfg(feature = "client")]
mod corpus_args;
#[cfg(feature = "client")]
mod env_file;
mod exit;
mod input;
#[cfg(feature = "client")]
mod many;
mod mask;
#[cfg(feature = "client")]
mod needs;
#[cfg(feature = "lint")]
mod output_file;
#[cfg(feature = "lint")]
mod product_arg;
#[cfg(feature = "lint")]
mod progress;
#[cfg(feature = "client")]
mod renewal;
mod secret_args;
#[cfg(feature = "client")]
mod sink_args;
mod surroundings;
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
#[command(name = "cortexkey", version, max_term_width = 100, after_help = after_help())]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 success; 1 findings, a refusal or a failed call; 2 usage error, or an invalid policy
or configuration; 3 nothing could be read; 4 done in part.";

fn after_help() -> String {
    let first = if cfg!(all(feature = "client", feature = "tenant")) {
        "Start with: cortexkey quickstart"
    } else {
        "This build has some of the commands."
    };
    format!("{EXIT_CODES}\n\n{first}")
}

#[derive(Subcommand)]
enum Command {
    #[cfg(all(feature = "client", feature = "tenant"))]
    Quickstart(commands::quickstart::Args),
    #[cfg(feature = "client")]
    Sign(commands::sign::Args),
    Verify(commands::verify::Args),
    #[cfg(feature = "client")]
    Curl(commands::curl::Args),
    #[cfg(feature = "client")]
    Call(commands::call::Args),
    #[cfg(feature = "client")]
    Exec(commands::exec::Args),
    #[cfg(feature = "client")]
    Proxy(commands::proxy::Args),
    #[cfg(feature = "client")]
    Ping(commands::ping::Args),
    #[cfg(feature = "client")]
    Keys(commands::keys::Args),
    #[cfg(feature = "client")]
    Import(commands::definitions::import::Args),
    #[cfg(feature = "client")]
    Plan(commands::definitions::plan::Args),
    #[cfg(feature = "client")]
    Apply(commands::definitions::apply::Args),
    #[cfg(feature = "client")]
    Doctor(commands::doctor::Args),
    #[cfg(feature = "client")]
    Examples(commands::examples::Args),
    #[cfg(feature = "client")]
    Config(commands::config::Args),
    #[cfg(feature = "lint")]
    Lint(commands::lint::Args),
    #[cfg(feature = "lsp")]
    Lsp(commands::lsp::Args),
    #[cfg(feature = "lint")]
    Waive(commands::waive::Args),
    #[cfg(feature = "lint")]
    Baseline(commands::baseline::Args),
    #[cfg(feature = "lint")]
    Explain(commands::explain::Args),
    #[cfg(feature = "lint")]
    Rules(commands::rules::Args),
    #[cfg(feature = "lint")]
    Policy(commands::policy::Args),
    #[cfg(feature = "lint")]
    Roles(commands::roles::Args),
    #[cfg(feature = "lint")]
    Access(commands::access::Args),
    #[cfg(feature = "lint")]
    Compile(commands::compile::Args),
    #[cfg(feature = "tenant")]
    Tenant(commands::tenant::Args),
    #[cfg(feature = "console")]
    Console(commands::console::Args),
    #[cfg(feature = "client")]
    Report(commands::report::Args),
    #[cfg(feature = "client")]
    Completions(commands::completions::Args),
    #[cfg(feature = "client")]
    Man(commands::man::Args),
}

fn main() -> ExitCode {
    leave_no_core();
    #[cfg(feature = "client")]
    if let Some(code) = completion::answer() {
        return code;
    }
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

/// Refuses a file name that would be parsed as an option. Tools such as pre-commit pass the names
/// of changed files, which other people chose.
fn file_as_option(args: impl Iterator<Item = OsString>) -> Option<Failure> {
    let mut options = args.take_while(|arg| arg != "--");
    let name = options.find(|arg| {
        let begins = arg.as_encoded_bytes().starts_with(b"-") && arg.len() > 1;
        begins && Path::new(arg).symlink_metadata().is_ok()
    })?;
    let name = name.to_string_lossy();
    let message =
        format!("{} is a file in this folder, but would be parsed as an option", quote(&name));
    let help = format!("write ./{name}, or put `--` before the files", name = escape(&name));
    Some(Failure::usage_error(message).help(help))
}

/// A crash leaves no memory dump in which others could look for keys. The command also works on a
/// system that does not allow this.
fn leave_no_core() {
    #[cfg(target_os = "linux")]
    {
        use rustix::process::{DumpableBehavior, set_dumpable_behavior};
        // Child processes do not inherit it.
        let _ = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    }
    #[cfg(all(unix, not(target_os = "linux")))]
    {
        use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
        let maximum = getrlimit(Resource::Core).maximum;
        let _ = setrlimit(Resource::Core, Rlimit { current: Some(0), maximum });
    }
}

/// The complete command line; completions and man pages need it too.
pub(crate) fn command() -> clap::Command {
    unwrapped(Cli::command())
}

/// Leaves the wrapping of the texts after the options to clap, which knows the terminal's width.
fn unwrapped(mut command: clap::Command) -> clap::Command {
    if let Some(text) = command.get_after_help() {
        let text = paragraphs(&text.to_string());
        command = command.after_help(text);
    }
    command.mut_subcommands(unwrapped)
}

/// Joins the lines of each paragraph. An indented line is an example, and stays.
fn paragraphs(text: &str) -> String {
    let mut out = String::new();
    let mut is_open = false;
    for line in text.lines() {
        let is_text = !line.is_empty() && !line.starts_with(' ');
        if !out.is_empty() {
            out.push(if is_open && is_text { ' ' } else { '\n' });
        }
        out.push_str(line);
        is_open = is_text && !line.ends_with(':');
    }
    out
}

fn run(command: Command) -> Result<Exit, Failure> {
    match command {
        #[cfg(all(feature = "client", feature = "tenant"))]
        Command::Quickstart(args) => commands::quickstart::run(&args),
        #[cfg(feature = "client")]
        Command::Sign(args) => commands::sign::run(&args),
        Command::Verify(args) => commands::verify::run(&args),
        #[cfg(feature = "client")]
        Command::Curl(args) => commands::curl::run(&args),
        #[cfg(feature = "client")]
        Command::Call(args) => commands::call::run(&args),
        #[cfg(feature = "client")]
        Command::Exec(args) => commands::exec::run(&args),
        #[cfg(feature = "client")]
        Command::Proxy(args) => commands::proxy::run(&args),
        #[cfg(feature = "client")]
        Command::Doctor(args) => commands::doctor::run(&args),
        #[cfg(feature = "client")]
        Command::Examples(args) => commands::examples::run(&args),
        #[cfg(feature = "client")]
        Command::Ping(args) => commands::ping::run(&args),
        #[cfg(feature = "client")]
        Command::Keys(args) => commands::keys::run(&args),
        #[cfg(feature = "client")]
        Command::Import(args) => commands::definitions::import::run(&args),
        #[cfg(feature = "client")]
        Command::Plan(args) => commands::definitions::plan::run(&args),
        #[cfg(feature = "client")]
        Command::Apply(args) => commands::definitions::apply::run(&args),
        #[cfg(feature = "client")]
        Command::Config(args) => commands::config::run(&args),
        #[cfg(feature = "lint")]
        Command::Lint(args) => commands::lint::run(&args),
        #[cfg(feature = "lsp")]
        Command::Lsp(args) => commands::lsp::run(&args),
        #[cfg(feature = "lint")]
        Command::Waive(args) => commands::waive::run(&args),
        #[cfg(feature = "lint")]
        Command::Baseline(args) => commands::baseline::run(&args),
        #[cfg(feature = "lint")]
        Command::Explain(args) => commands::explain::run(&args),
        #[cfg(feature = "lint")]
        Command::Rules(args) => commands::rules::run(&args),
        #[cfg(feature = "lint")]
        Command::Policy(args) => commands::policy::run(&args),
        #[cfg(feature = "lint")]
        Command::Roles(args) => commands::roles::run(&args),
        #[cfg(feature = "lint")]
        Command::Access(args) => commands::access::run(&args),
        #[cfg(feature = "lint")]
        Command::Compile(args) => commands::compile::run(&args),
        #[cfg(feature = "tenant")]
        Command::Tenant(args) => commands::tenant::run(&args),
        #[cfg(feature = "console")]
        Command::Console(args) => commands::console::run(&args),
        #[cfg(feature = "client")]
        Command::Report(args) => commands::report::run(&args),
        #[cfg(feature = "client")]
        Command::Completions(args) => commands::completions::run(&args),
        #[cfg(feature = "client")]
        Command::Man(args) => commands::man::run(&args),
    }
}
