//! Tests of the client, in one test program, because each program takes time to link.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

/// Compares a message with its snapshot: tests assert codes, and the wording is reviewed there.
macro_rules! wording {
    ($message:expr) => {
        insta::assert_snapshot!($message)
    };
}

mod again;
mod any_input;
mod calls;
mod doctor;
mod inventory;
mod plan;
mod proxies;
mod renew;
mod settings;
mod strange_tenants;
mod tls;

use std::process::Command;

/// No process listens on this port, and no system assigns it.
const NOBODY: &str = "127.0.0.1:1";

/// Runs one test in a separate process, because variables are set for the whole process.
fn alone(test: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", test]);
    command
}

/// Asserts that the test passes and was run: an unknown name is not a failure.
fn passed(alone: &mut Command) {
    let output = alone.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && text.contains("1 passed"), "{text}");
}
