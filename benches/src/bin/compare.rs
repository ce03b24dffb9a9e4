//! Compares this project with its peers in one run; `cargo xtask compare` builds and runs it.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a tool of the terminal")]

use std::process::ExitCode;

use cortexkey_benches::compare::{Comparison, Extent, check, markdown, run, svg, text};

const HELP: &str = "\
compare [--check | --json | --markdown | --write FOLDER] [--merge FILE]

  --check         measure briefly, and fail if a ratio has fallen below its minimum
  --json          print JSON
  --markdown      print performance.md
  --write FOLDER  write performance.md and images/performance.svg
  --merge FILE    add what another run printed as JSON";

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
    let mut folder = None;
    let print: fn(&Comparison) -> String = match args.as_slice() {
        [] => text,
        ["--check"] => return checked(),
        ["--json"] => |comparison| serde_json::to_string_pretty(comparison).unwrap_or_default(),
        ["--markdown"] => markdown,
        ["--write", into] => {
            folder = Some((*into).to_owned());
            text
        }
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
    if let Some(folder) = folder {
        let folder = std::path::Path::new(&folder);
        let files = [
            ("performance.md", markdown(&comparison)),
            ("images/performance.svg", svg(&comparison)),
        ];
        for (name, content) in files {
            if let Err(error) = std::fs::write(folder.join(name), content) {
                eprintln!("compare: {name}: {error}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Measures again if a ratio has fallen, since the machine may have been busy.
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
