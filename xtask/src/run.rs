//! Runs other programs and captures their output.
//!
//! Only standard output is parsed: programs such as cargo report downloads and warnings on standard
//! error, which is only for messages.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What a program printed, and whether it succeeded.
pub(crate) struct Ran {
    pub(crate) success: bool,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Both streams, for a message.
    pub(crate) fn all(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a program to its end with no standard input.
pub(crate) fn capture(command: &mut Command) -> Ran {
    match command.stdin(Stdio::null()).output() {
        Ok(output) => Ran {
            success: output.status.success(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        },
        Err(error) => Ran {
            success: false,
            stdout: String::new(),
            stderr: format!("cannot run {}: {error}", command.get_program().to_string_lossy()),
        },
    }
}

/// Runs a program; returns its standard output, or both streams as the error where it fails.
pub(crate) fn check(command: &mut Command) -> Result<String, String> {
    let ran = capture(command);
    if ran.success { Ok(ran.stdout) } else { Err(ran.all()) }
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
