//! Runs other programs and keeps what they print.
//!
//! It refuses to lose an exit status or the output of a failure.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program printed, both streams, and whether it succeeded.
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) output: String,
}

/// Runs a program to its end with no standard input.
pub(crate) fn capture(command: &mut Command) -> Ran {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => Ran {
            success: output.status.success(),
            output: String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr),
        },
        Err(error) => Ran {
            success: false,
            output: format!("cannot run {}: {error}", command.get_program().to_string_lossy()),
        },
    }
}

/// Runs a program; its output is the error where it fails.
pub(crate) fn check(command: &mut Command) -> Result<String, String> {
    let ran = capture(command);
    if ran.success { Ok(ran.output) } else { Err(ran.output) }
}

/// The cargo that runs this, in the workspace's folder.
pub(crate) fn cargo(root: &Path) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    command.current_dir(root);
    command
}

/// Where cargo builds.
pub(crate) fn target_dir(root: &Path) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), PathBuf::from)
}

/// Whether a program is on the search path.
pub(crate) fn has(program: &str) -> bool {
    std::env::var_os("PATH").is_some_and(|path| {
        std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
    })
}
