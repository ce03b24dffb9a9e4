//! Proofs that build the core in ways of their own: with a checker's locks, without a standard
//! library, and for valgrind.
//!
//! It refuses to build any of it where the other steps build, whose results it would throw away.

use std::path::Path;
use std::process::Command;

use crate::run::{cargo, target_dir};

/// The replay guard with loom's lock: every schedule.
pub(crate) fn loom(root: &Path) -> Vec<Command> {
    vec![schedules(root, "loom")]
}

/// The replay guard with shuttle's lock: chance schedules, as many as a campaign wants.
pub(crate) fn shuttle(root: &Path) -> Vec<Command> {
    let mut test = schedules(root, "shuttle");
    test.env("CORTEXKEY_SCHEDULES", "1000000");
    vec![test]
}

fn schedules(root: &Path, checker: &str) -> Command {
    let mut test = cargo(root);
    test.args(["test", "--locked", "--release", "-p", "cortexkey-core"]);
    test.args(["--test", "replay_schedules"]);
    test.env("RUSTFLAGS", format!("--cfg {checker}"));
    test.env("CARGO_TARGET_DIR", target_dir(root).join(checker));
    test
}
