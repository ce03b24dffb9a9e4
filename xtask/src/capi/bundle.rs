//! `cargo xtask go-bundle`: the Go module with the C library's archives in it, as a release file.
//! Users who unpack it and name it in a `replace` directive build with the tag `cortexkey_bundled`,
//! and need only a C compiler.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::dist;
use crate::run::{check, target_dir};
use crate::tools;

/// How the names of releases' archives end, and where `link_bundled.go` expects them. The archives for Linux link
/// with musl as well.
const TARGETS: [(&str, &str); 3] = [
    ("x86_64-unknown-linux-gnu.tar.gz", "linux_amd64"),
    ("aarch64-unknown-linux-gnu.tar.gz", "linux_arm64"),
    ("x86_64-pc-windows-gnu.zip", "windows_amd64"),
];
/// Writes the static library in an archive of either kind to standard output.
const EXTRACT: &str = "\
import sys, tarfile, zipfile
path, end = sys.argv[1], '/lib/libcortexkey.a'
if path.endswith('.zip'):
    packed = zipfile.ZipFile(path)
    [name] = [name for name in packed.namelist() if name.endswith(end)]
    library = packed.read(name)
else:
    packed = tarfile.open(path)
    [name] = [name for name in packed.getnames() if name.endswith(end)]
    library = packed.extractfile(name).read()
open(sys.argv[2], 'wb').write(library)
";

/// Bundles the named packed libraries, `libcortexkey-VERSION-TARGET.tar.gz` or `.zip`; without any, the one
/// for this machine, which it builds. Returns the packed folder.
pub(crate) fn run(root: &Path, packed: &[&str]) -> Result<PathBuf, String> {
    if packed.is_empty() {
        let built = format!("{}.tar.gz", dist::dist(root)?.display());
        return bundle(root, &[&built]);
    }
    bundle(root, packed)
}

/// Bundles those libraries in a folder that a bundle has a place for.
pub(crate) fn of_folder(root: &Path, files: &Path) -> Result<PathBuf, String> {
    let version = env!("CARGO_PKG_VERSION");
    let packed = TARGETS.map(|(end, _)| files.join(format!("libcortexkey-{version}-{end}")));
    let packed: Vec<_> =
        packed.iter().filter(|path| path.is_file()).map(|p| p.to_string_lossy()).collect();
    if packed.is_empty() {
        return Err(format!("{}: there is no library for a Go bundle", files.display()));
    }
    bundle(root, &packed.iter().map(|path| &**path).collect::<Vec<_>>())
}

pub(super) fn bundle(root: &Path, packed: &[&str]) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("dist");
    let folder = folder.join(format!("cortexkey-go-{}", env!("CARGO_PKG_VERSION")));
    let _ = fs::remove_dir_all(&folder);
    copy(&root.join("go"), &folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for archive in packed {
        let name = Path::new(archive).file_name().unwrap_or_default().to_string_lossy();
        let is_of = |(end, _): &&(&str, &str)| name.ends_with(&format!("-{end}"));
        let (_, go) = TARGETS.iter().find(is_of).ok_or_else(|| {
            let known = TARGETS.map(|(end, _)| end).join(", ");
            format!("{archive} is not a packed library; the names of these end in: {known}")
        })?;
        let place = folder.join(format!("internal/capi/libcortexkey_{go}.a"));
        let mut extract = Command::new(tools::python());
        check(extract.args(["-c", EXTRACT, archive]).arg(place))?;
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
