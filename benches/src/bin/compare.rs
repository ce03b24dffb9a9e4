//! Ours and the peers in one run; `cargo xtask compare` builds and runs it.
//!
//! It refuses to judge but where it is asked to: `--check` fails where a ratio has decayed.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the terminal")]

use std::process::ExitCode;

use cortexkey_benches::compare::{Comparison, Extent, check, markdown, run, text};

const HELP: &str = "\
compare [--check | --json | --markdown] [--merge FILE]

  --check       measure briefly, and fail where a ratio has fallen under its floor
  --json        print JSON
  --markdown    print docs/performance.md
  --merge FILE  add what another run printed as JSON";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let mut args: Vec<&str> = args.iter().map(String::as_str).collect();
    let merge = match args.iter().position(|arg| *arg == "--merge") {
        Some(at) if at + 1 < args.len() => {
            args.remove(at);
            Some(args.remove(at))
        }
        _ => None,
    };
    let print: fn(&Comparison) -> String = match args.as_slice() {
        [] => text,
        ["--check"] => return checked(),
        ["--json"] => |comparison| serde_json::to_string_pretty(comparison).unwrap_or_default(),
        ["--markdown"] => markdown,
        _ => {
            eprintln!("{HELP}");
            return ExitCode::from(2);
        }
    };
    let mut comparison = run(Extent::FULL);
    if let Some(file) = merge {
        let read = std::fs::read_to_string(file).map_err(|error| error.to_string());
        let other = read.and_then(|text| {
            serde_json::from_str::<Comparison>(&text).map_err(|error| error.to_string())
        });
        match other {
            Ok(other) => comparison.merge(other),
            Err(error) => {
                eprintln!("compare: {file}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    println!("{}", print(&comparison).trim_end());
    ExitCode::SUCCESS
}

/// A ratio that has fallen is measured again: a busy moment is no decay.
fn checked() -> ExitCode {
    for attempt in 1..=3 {
        let comparison = run(Extent::QUICK);
        let decayed = check(&comparison);
        if decayed.is_empty() {
            println!("every ratio holds");
            return ExitCode::SUCCESS;
        }
        println!("attempt {attempt}:\n{}\n{}", text(&comparison), decayed.join("\n"));
    }
    ExitCode::FAILURE
}
