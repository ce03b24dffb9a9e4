//! `cargo xtask release verify` and `pin`: checks that files, tag, changelog and pinned digests
//! agree.
//!
//! The action installs the wheels that `packaging/action/wheels.txt` pins. So the digests are
//! committed before the tag is created: a manual run of the workflow builds the wheels, `pin`
//! writes their digests, and the run for the tag must produce the same bytes, or it publishes
//! nothing.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, files, files_ending};
use crate::run::{cargo, check};
use crate::text_file;

/// The wheels' digests, as pip reads them.
const PINS: &str = "packaging/action/wheels.txt";
const PINS_HEAD: &str = "\
# The wheels of this release, which the GitHub action installs. `cargo xtask release pin` writes it.
";

/// Checks everything, then writes checksums and the notes of the release.
pub(super) fn run(root: &Path, tag: &str) -> Result<(), String> {
    if tag != format!("v{VERSION}") {
        return Err(format!("the tag is {tag}; Cargo.toml has version {VERSION}"));
    }
    let notes = notes(&text_file::read(&root.join("CHANGELOG.md"))?, VERSION)?;
    let wheels = files_ending(root, ".whl")?;
    let pins = text_file::read(&root.join(PINS))?;
    let expected = pins_of(&wheels)?;
    if pins != expected {
        return Err(format!(
            "{PINS} does not pin the wheels that were built; they are:\n{expected}"
        ));
    }
    // Every crate can be packed, in order.
    let mut package = cargo(root);
    package.args(["package", "--quiet", "--locked", "--workspace", "--no-verify"]);
    for private in ["cortexkey-fuzz", "cortexkey-benches", "cortexkey-examples", "xtask"] {
        package.args(["--exclude", private]);
    }
    check(&mut package)?;
    let folder = files(root);
    text_file::write(&folder.join("NOTES.md"), &notes)?;
    let mut sums = Command::new("sh");
    sums.args([
        "-c",
        "LC_ALL=C ls | grep -v -e SHA256SUMS -e NOTES.md | xargs sha256sum > SHA256SUMS",
    ]);
    check(sums.current_dir(&folder)).map(drop)
}

/// Pins the existing wheels.
pub(super) fn write_pins(root: &Path) -> Result<(), String> {
    text_file::write(&root.join(PINS), &pins_of(&files_ending(root, ".whl")?)?)
}

fn pins_of(wheels: &[PathBuf]) -> Result<String, String> {
    let mut digests = BTreeSet::new();
    for wheel in wheels {
        let sum = check(Command::new("sha256sum").arg("--").arg(wheel))?;
        let digest = sum.split_whitespace().next().unwrap_or_default().trim_start_matches('\\');
        digests.insert(format!(" \\\n    --hash=sha256:{digest}"));
    }
    let digests: String = digests.into_iter().collect();
    Ok(format!("{PINS_HEAD}cortexkey=={VERSION}{digests}\n"))
}

/// The section of a version in the changelog.
fn notes(changelog: &str, version: &str) -> Result<String, String> {
    let head = format!("## {version}");
    let begins = |line: &&str| {
        line.strip_prefix(&head).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let section: Vec<_> = changelog
        .lines()
        .skip_while(|line| !begins(line))
        .skip(1)
        .take_while(|line| !line.starts_with("## "))
        .collect();
    let text = section.join("\n").trim().to_owned();
    if text.is_empty() {
        return Err(format!("CHANGELOG.md has nothing under `{head}`"));
    }
    Ok(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_notes_are_one_versions_section() {
        let changelog =
            "# Changelog\n\n## 1.2.0 (2027-01-02)\n\n- One\n\n## 1.2\n- Two\n## 1.1.0\n";
        assert_eq!(notes(changelog, "1.2.0").unwrap(), "- One\n");
        assert_eq!(notes(changelog, "1.2").unwrap(), "- Two\n");
        notes(changelog, "1.1.0").unwrap_err();
        notes(changelog, "1.3.0").unwrap_err();
    }

    #[test]
    fn pins_are_valid_for_pip_and_follow_the_wheel() {
        let folder = tempfile::tempdir().unwrap();
        let wheel = folder.path().join("one.whl");
        std::fs::write(&wheel, "abc").unwrap();
        let pins = pins_of(std::slice::from_ref(&wheel)).unwrap();
        // SHA-256 of `abc`, from FIPS 180-4.
        let digest = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let expected = format!("{PINS_HEAD}cortexkey=={VERSION} \\\n    --hash=sha256:{digest}\n");
        assert_eq!(pins, expected);
        std::fs::write(&wheel, "abd").unwrap();
        assert_ne!(pins_of(&[wheel]).unwrap(), pins);
    }
}
