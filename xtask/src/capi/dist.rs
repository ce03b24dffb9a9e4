//! `cargo xtask dist` and `install`: the folder and the archive for users.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{STATIC_LIBS, abi_version, elf, library};
use crate::run::{check, target_dir};
use crate::target::Target;

/// Builds and packs for this machine; returns the packed folder.
pub(crate) fn dist(root: &Path) -> Result<PathBuf, String> {
    dist_for(root, &Target::host()?)
}

/// Builds and packs for a Linux target; returns the packed folder.
pub(crate) fn dist_for(root: &Path, target: &Target) -> Result<PathBuf, String> {
    let work = target_dir(root).join("dist");
    let libraries = library::build(root, &work.join("object").join(target.triple()), target)?;
    elf::check_shared(root, &libraries.shared, target)?;
    elf::check_archive(root, &libraries.archive)?;
    let name = format!("libcortexkey-{}-{}", env!("CARGO_PKG_VERSION"), target.triple());
    let folder = work.join(&name);
    lay_out(root, &folder, &libraries).map_err(|error| format!("{}: {error}", folder.display()))?;
    pack(&folder)?;
    Ok(folder)
}

/// Packs a folder into an archive next to it, with checksums inside and next to it.
pub(super) fn pack(folder: &Path) -> Result<(), String> {
    let mut sums = Command::new("sh");
    sums.args([
        "-c",
        "find . -type f ! -name SHA256SUMS | LC_ALL=C sort | xargs sha256sum > SHA256SUMS",
    ]);
    check(sums.current_dir(folder))?;
    let (Some(work), Some(name)) = (folder.parent(), folder.file_name()) else {
        return Err(format!("{} is not a folder that can be packed", folder.display()));
    };
    let archive = format!("{}.tar.gz", name.display());
    let mut tar = Command::new("tar");
    tar.args(["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner"]);
    // Independent of the umask.
    tar.args(["--format=gnu", "--mode=u=rwX,go=rX"]);
    tar.args(["--use-compress-program=gzip -n9", "-cf", &archive]);
    check(tar.arg(name).current_dir(work))?;
    let mut sum = Command::new("sh");
    sum.args(["-c", &format!("sha256sum {archive} > {archive}.sha256")]);
    check(sum.current_dir(work)).map(drop)
}

/// Builds, packs, and runs the package's own installer with these arguments.
pub(crate) fn install(root: &Path, arguments: &[&str]) -> Result<(), String> {
    let folder = dist(root)?;
    let said = check(Command::new("sh").arg(folder.join("install.sh")).args(arguments))?;
    print!("{said}");
    Ok(())
}

/// Builds and packs, and prints where.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let folder = dist(root)?;
    println!("{}\n{}.tar.gz", folder.display(), folder.display());
    Ok(())
}

fn lay_out(root: &Path, folder: &Path, libraries: &library::Libraries) -> std::io::Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)?;
    }
    let package = root.join("crates/capi/package");
    let lib = folder.join("lib");
    let doc = folder.join("share/doc/cortexkey");
    let pkgconfig = lib.join("pkgconfig");
    let cmake = lib.join("cmake/cortexkey");
    for new in [&folder.join("include"), &pkgconfig, &cmake, &doc.join("examples")] {
        fs::create_dir_all(new)?;
    }
    copy_all(&root.join("include"), &folder.join("include"))?;
    copy_all(&root.join("crates/capi/examples"), &doc.join("examples"))?;
    for (from, to) in [
        ("crates/capi/README.md", "README.md"),
        ("docs/abi.md", "abi.md"),
        ("LICENSE-MIT", "LICENSE-MIT.txt"),
        ("LICENSE-APACHE", "LICENSE-APACHE.txt"),
    ] {
        fs::copy(root.join(from), doc.join(to))?;
    }
    fs::copy(package.join("install.sh"), folder.join("install.sh"))?;
    fs::copy(&libraries.archive, lib.join("libcortexkey.a"))?;
    let shared = libraries.shared.file_name().unwrap_or_default();
    fs::copy(&libraries.shared, lib.join(shared))?;
    std::os::unix::fs::symlink(shared, lib.join(&libraries.soname))?;
    std::os::unix::fs::symlink(&libraries.soname, lib.join("libcortexkey.so"))?;
    let abi = abi_version(root).map_err(std::io::Error::other)?;
    for (name, to) in [
        ("cortexkey.pc", &pkgconfig),
        ("cortexkey-static.pc", &pkgconfig),
        ("cortexkeyConfig.cmake", &cmake),
        ("cortexkeyConfigVersion.cmake", &cmake),
    ] {
        let template = fs::read_to_string(package.join(format!("{name}.in")))?;
        // CMake separates libraries with semicolons.
        let separator = if to == &cmake { ";" } else { " " };
        let text = template
            .replace("@VERSION@", env!("CARGO_PKG_VERSION"))
            .replace("@ABI@", &abi)
            .replace("@STATIC_LIBS@", &STATIC_LIBS.replace(' ', separator))
            .replace("@UP@", "..");
        fs::write(to.join(name), text)?;
    }
    Ok(())
}

pub(super) fn copy_all(from: &Path, to: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        if entry.file_type()?.is_file() {
            fs::copy(entry.path(), to.join(entry.file_name()))?;
        }
    }
    Ok(())
}
