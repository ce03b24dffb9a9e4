//! Runs the binary as a user would, without the user's own settings.
//!
//! It refuses the environment of whoever runs the tests.

#![allow(dead_code, reason = "each test file uses some of it")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// 128 letters and digits that no message may ever hold.
pub(crate) const CANARY: &str = "CANARYxQ7rV2mB9pK4sT8wZ1cF6hJ3nL5dG0yR7uE2iA9oP4kS8lM1bN6vC3xW5zCANARYxQ7rV2mB9pK4sT8wZ1cF6hJ3nL5dG0yR7uE2iA9oP4kS8lM1bN6vC3xW5z";

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// The binary, with an empty environment but for the search path.
pub(crate) fn cortexkey(args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortexkey"));
    command.args(args).env_clear().env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub(crate) fn run(args: &[&str]) -> Ran {
    finish(&mut cortexkey(args))
}

/// Runs the binary with something on standard input.
pub(crate) fn run_with(args: &[&str], input: &[u8]) -> Ran {
    finish_with(&mut cortexkey(args), input)
}

pub(crate) fn finish(command: &mut Command) -> Ran {
    ran(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap())
}

pub(crate) fn finish_with(command: &mut Command, input: &[u8]) -> Ran {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // A program that answers before it has read all would otherwise wait for us, and we for it.
    let writer = std::thread::spawn(move || {
        let _ = stdin.write_all(&input);
    });
    let ran = ran(child);
    writer.join().unwrap();
    ran
}

fn ran(child: std::process::Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}
