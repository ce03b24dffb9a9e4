//! What is said of a wrong command line.
//!
//! It refuses to print an argument that may be a key: somebody may have put one where it does not
//! belong, and the message ends in a log.

use std::io::Write as _;
use std::process::ExitCode;

use clap::error::ErrorKind;

use crate::exit::{Exit, Failure};

/// Keys have 128 letters and digits; no option or value of ours is a run of this many.
const ARGUMENT_RUN_MIN: usize = 24;
/// Longer than what names of files hold, such as a SHA-256.
const PATH_RUN_MIN: usize = 65;

/// Hides what may be a key in a message.
pub(crate) fn hide_keys(message: &str) -> String {
    mask(message, PATH_RUN_MIN)
}

/// Prints what clap says, or what is wrong with giving a key as an argument.
pub(crate) fn report(error: &clap::Error) -> ExitCode {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        return match error.print() {
            Ok(()) => Exit::Done.into(),
            Err(error) => Failure::output(&error).report(),
        };
    }
    if std::env::args_os().skip(1).any(|arg| is_key_option(&arg.to_string_lossy())) {
        return key_as_argument("").report();
    }
    let plain = error.render().to_string();
    let masked = mask(&plain, ARGUMENT_RUN_MIN);
    if masked != plain {
        let first = masked.lines().next().unwrap_or_default().trim_start_matches("error: ");
        return key_as_argument(&format!("{first}: it looks like a key, and ")).report();
    }
    let _ = anstream::stderr().write_all(error.render().ansi().to_string().as_bytes());
    Exit::WrongUse.into()
}

fn key_as_argument(seen: &str) -> Failure {
    Failure::wrong_use(format!(
        "{seen}a key is never taken as an argument, where every process on the machine can read \
         it and the shell remembers it"
    ))
    .help("put it in CORTEXKEY_API_KEY, or use --key-file FILE or --key-stdin")
}

/// Options that tools take keys by, and that people try here.
fn is_key_option(arg: &str) -> bool {
    let name = arg.split('=').next().unwrap_or_default();
    let names = ["--key", "--api-key", "--api_key", "--apikey", "--authorization", "--secret"];
    names.contains(&name) || matches!(name, "-k" | "--token" | "--password")
}

/// Hides every run of what keys are made of that is as long, and is no word. What separates the
/// parts of a path, an option and a sentence ends a run.
fn mask(text: &str, run_min: usize) -> String {
    let mut masked = String::new();
    let mut run = String::new();
    for c in text.chars().chain(['\n']) {
        if c.is_ascii_alphanumeric() || matches!(c, '+' | '=' | '_' | '$' | '!' | '%' | '&') {
            run.push(c);
            continue;
        }
        let is_word = run.chars().all(|c| c.is_ascii_lowercase() || c == '_');
        masked += if run.len() >= run_min && !is_word { "[hidden]" } else { &run };
        run.clear();
        masked.push(c);
    }
    masked.pop();
    masked
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn long_runs_are_hidden_and_nothing_else() {
        let mask = |text: &str| mask(text, 24);
        let key = "k7".repeat(64);
        assert_eq!(mask(&format!("unexpected '{key}' found\n")), "unexpected '[hidden]' found\n");
        assert_eq!(mask("--allow-readable-key-file é"), "--allow-readable-key-file é");
        assert_eq!(mask(&key), "[hidden]");
        let option = "--averyveryverylongoptionname";
        assert_eq!(mask(option), option);
    }
}
