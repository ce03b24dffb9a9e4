//! `cargo xtask public-api`: the public interface of the crates that others build on, one item a line,
//! so that a review sees each change of it.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::run::{cargo, check, target_dir};
use crate::text_file;
use crate::tools;

/// The crates, by folder. The others are parts of the command.
const CRATES: [&str; 2] = ["core", "client"];
/// Reads the descriptions that rustdoc of `rust-toolchain.toml` writes.
const PROGRAM: (&str, &str) = ("cargo-public-api", "0.52.0");

/// Compares each interface with its record in the crate's folder, or rewrites the records.
pub(crate) fn run(root: &Path, renew: bool) -> Result<(), String> {
    let (name, version) = PROGRAM;
    let (mut install, program) = tools::from_crates(root, name, version);
    check(&mut install)?;
    let mut changed = Vec::new();
    for name in CRATES {
        let found = listing(root, &program, name)?;
        let record = root.join("crates").join(name).join("public-api.txt");
        let recorded = fs::read_to_string(&record).unwrap_or_default();
        if renew {
            text_file::write(&record, &found)?;
        } else if found != recorded {
            print!("{}", difference(&recorded, &found));
            changed.push(format!("crates/{name}/public-api.txt"));
        }
    }
    if changed.is_empty() {
        return Ok(());
    }
    Err(format!(
        "the interface differs from {}; `cargo xtask public-api --renew` records it",
        changed.join(" and ")
    ))
}

/// One line an item, without what the compiler derives or every type has.
fn listing(root: &Path, program: &Path, name: &str) -> Result<String, String> {
    let mut rustdoc = cargo(root);
    rustdoc.args(["rustdoc", "--quiet", "--locked", "--lib", "--all-features", "-p"]);
    rustdoc.arg(format!("cortexkey-{name}"));
    rustdoc.args(["--", "-Zunstable-options", "--output-format", "json"]);
    // The format is not stable; the compiler is.
    check(rustdoc.env("RUSTC_BOOTSTRAP", "1"))?;
    let json = target_dir(root).join("doc").join(format!("cortexkey_{name}.json"));
    check(Command::new(program).arg("--rustdoc-json").arg(json).args(["-sss", "--color", "never"]))
}

/// The lines that went, and those that came.
fn difference(before: &str, after: &str) -> String {
    let only_in = |these: &str, others: &str, sign: char| -> String {
        let others: std::collections::BTreeSet<_> = others.lines().collect();
        these
            .lines()
            .filter(|line| !others.contains(line))
            .map(|line| format!("{sign} {line}\n"))
            .collect()
    };
    only_in(before, after, '-') + &only_in(after, before, '+')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_item_is_shown_as_removed_and_added() {
        let shown = difference("pub fn a()\npub fn b()\n", "pub fn a()\npub fn b(x: u8)\n");
        assert_eq!(shown, "- pub fn b()\n+ pub fn b(x: u8)\n");
        assert_eq!(difference("pub fn a()\n", "pub fn a()\n"), "");
    }
}
