//! `cargo xtask go-bundle`: the Go module with the C library's archives in it, as a release file.
//! Users who unpack it and name it in a `replace` directive build with the tag `cortexkey_bundled`,
//! and need only a C compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dist;
use crate::run::{check, target_dir};

/// The names of releases' archives, and where `link_bundled.go` expects them.
const TARGETS: [(&str, &str); 2] =
    [("x86_64-unknown-linux-gnu", "linux_amd64"), ("aarch64-unknown-linux-gnu", "linux_arm64")];

/// Bundles the named packed libraries, `libcortexkey-VERSION-TARGET.tar.gz`; without any, the one
/// for this machine, which it builds. Returns the packed folder.
pub(crate) fn run(root: &Path, packed: &[&str]) -> Result<PathBuf, String> {
    if packed.is_empty() {
        let built = format!("{}.tar.gz", dist::dist(root)?.display());
        return bundle(root, &[&built]);
    }
    bundle(root, packed)
}

pub(super) fn bundle(root: &Path, packed: &[&str]) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("dist");
    let folder = folder.join(format!("cortexkey-go-{}", env!("CARGO_PKG_VERSION")));
    let _ = fs::remove_dir_all(&folder);
    copy(&root.join("go"), &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for archive in packed {
        let name = Path::new(archive).file_name().unwrap_or_default().to_string_lossy();
        let is_of = |(target, _): &&(&str, &str)| name.ends_with(&format!("-{target}.tar.gz"));
        let (_, go) = TARGETS.iter().find(is_of).ok_or_else(|| {
            let known = TARGETS.map(|(target, _)| target).join(", ");
            format!("{archive} is not a packed library for {known}")
        })?;
        let place = folder.join(format!("internal/capi/libcortexkey_{go}.a"));
        let mut extract = Command::new("sh");
        extract.args(["-c", "tar -xzOf \"$0\" --wildcards '*/lib/libcortexkey.a' > \"$1\""]);
        check(extract.arg(archive).arg(place))?;
    }
    dist::pack(&folder)?;
    Ok(folder)
}

/// Copies a folder, except for what `go mod vendor` creates in it.
fn copy(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::create_dir_all(to)?;
    dist::copy_all(from, to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() && entry.file_name() != "vendor" {
            copy(&entry.path(), &to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
