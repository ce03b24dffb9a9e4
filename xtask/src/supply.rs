//! `cargo xtask supply`: checks the licence and source of every crate, and that none is banned,
//! according to `deny.toml`.
//!
//! The database of advisories is fetched from GitHub, so it is used only with `--advisories`.

use std::path::Path;
use std::process::Command;

use crate::run::check;
use crate::tools;

/// The workspaces, each with a lock file.
const MANIFESTS: [&str; 3] =
    ["Cargo.toml", "crates/core/probe/Cargo.toml", "crates/capi/direct/Cargo.toml"];

/// Runs cargo-deny over each workspace.
pub(crate) fn run(root: &Path, advisories: bool) -> Result<(), String> {
    let program = tools::environment(root, "checks")?.join("cargo-deny");
    for manifest in MANIFESTS {
        let mut deny = Command::new(&program);
        deny.args(["--locked", "--all-features", "--manifest-path"]).arg(root.join(manifest));
        deny.arg("--config").arg(root.join("deny.toml"));
        deny.args(["check", "bans", "licenses", "sources"]);
        if advisories {
            deny.arg("advisories");
        }
        check(&mut deny).map_err(|error| format!("{manifest}:\n{error}"))?;
    }
    Ok(())
}
