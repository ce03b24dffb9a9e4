//! Error messages for an invalid command line.
//!
//! An argument that may be a key is not repeated: the message says where a key belongs.

use std::borrow::Cow;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::exit::{Exit, Failure};
use crate::{mask, text};

/// Keys have 128 letters and digits; no option or value of this program is a run of this length.
const ARGUMENT_RUN_MIN: usize = 24;

/// Prints clap's error, or explains why a key must not be an argument.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match text::print(&error.render().ansi().to_string()) {
            Ok(()) => Exit::Done.into(),
            Err(error) => Failure::output(&error).report(),
        };
    }
    if std::env::args_os().skip(1).any(|arg| is_key_option(&arg.to_string_lossy())) {
        return key_as_argument("").report();
    }
    let plain = error.render().to_string();
    let masked = mask::hide(&plain);
    let masked = mask::hide_runs(&masked, ARGUMENT_RUN_MIN).map_or(masked, Cow::Owned);
    if masked != plain {
        let first = masked.lines().next().unwrap_or_default().trim_start_matches("error: ");
        let first = first.trim_end_matches(':');
        return key_as_argument(&format!("{first}\na value looks like a key, and ")).report();
    }
    text::eprint(&error.render().ansi().to_string());
    Exit::UsageError.into()
}

fn key_as_argument(seen: &str) -> Failure {
    Failure::usage_error(format!(
        "{seen}cortexkey never takes a key as an argument, because other processes can read it and \
         the shell remembers it"
    ))
    .help("put it in CORTEXKEY_API_KEY, or use --key-file FILE or --key-stdin")
}

/// Options by which other tools take keys, and which users try here.
fn is_key_option(arg: &str) -> bool {
    let name = arg.split('=').next().unwrap_or_default();
    let names = ["--key", "--api-key", "--api_key", "--apikey", "--authorization", "--secret"];
    names.contains(&name) || matches!(name, "-k" | "--token" | "--password")
}
