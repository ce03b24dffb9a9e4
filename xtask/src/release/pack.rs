//! Archives whose bytes depend on the files alone: names in order, no owner, one time.

use std::path::Path;
use std::process::Command;

use crate::run::check;
use crate::tools;

/// Packs a folder into a `.tar.gz` or `.zip`, under the folder's own name.
pub(super) fn archive(root: &Path, folder: &Path, archive: &Path) -> Result<(), String> {
    let mut pack = Command::new(tools::python());
    pack.arg(root.join("xtask/python/pack.py")).arg(folder).arg(archive);
    check(&mut pack).map(drop)
}
