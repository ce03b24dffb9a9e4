//! Builds both libraries from one object, in which only the header's names are global.
//!
//! Two archives from rustc cannot be linked into one program, because each defines Rust's own
//! symbols. And the shared library that rustc builds has neither a SONAME nor versions. So the
//! archive is linked into one object here, without code that the header's functions do not reach;
//! its other names become local, and both libraries are built from it.
//!
//! Both contain GCC's unwinder and do not need libgcc.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{abi_version, functions};
use crate::run::{cargo, check, target_dir};
use crate::setup;
use crate::target::Target;

/// The build settings of the released library, besides the crate's own features.
const FEATURES: &str = "";

/// The libraries that were made, and the folder of each.
pub(crate) struct Libraries {
    pub(crate) archive: PathBuf,
    /// `libcortexkey.so.ABI.MINOR.PATCH`
    pub(crate) shared: PathBuf,
    pub(crate) soname: String,
}

/// Makes both libraries in a folder.
pub(crate) fn build(root: &Path, folder: &Path, target: &Target) -> Result<Libraries, String> {
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let from = rust_archive(root, target)?;
    let object = one_object(root, folder, &from, &functions(root)?, target)?;
    let archive = archive(folder, &object)?;
    let (shared, soname) = link_shared(root, folder, &object, target)?;
    Ok(Libraries { archive, shared, soname })
}

/// Everything that the functions of a Rust archive need, as one object with no other global names.
pub(super) fn one_object(
    root: &Path,
    folder: &Path,
    archive: &Path,
    functions: &[String],
    target: &Target,
) -> Result<PathBuf, String> {
    let names = folder.join("functions.txt");
    fs::write(&names, functions.join("\n") + "\n")
        .map_err(|error| format!("{}: {error}", names.display()))?;
    let all = folder.join("all.o");
    let mut link = Command::new(target.binutil("ld"));
    // Sections that come in groups are shared by name with other objects: a program that links
    // another Rust library behind this one would lose that one's, and not find ours.
    link.args(["-r", "--gc-sections", "--force-group-allocation", "-o"]).arg(&all);
    for function in functions {
        link.args(["-u", function]);
    }
    link.arg(archive).arg(find_object(root, folder, target)?);
    // The unwinder is part of the object, so neither library needs that of the machine it is on.
    let unwinder = check(Command::new(target.binutil("gcc")).arg("-print-file-name=libgcc_eh.a"))?;
    check(link.arg(unwinder.trim()))?;

    let object = folder.join("cortexkey.o");
    let mut localise = Command::new(target.binutil("objcopy"));
    localise.arg(format!("--keep-global-symbols={}", names.display()));
    localise.args(["--strip-debug", "--strip-unneeded"]);
    // What the compiler reserves for its own link.
    localise.args(["-R", ".llvmbc", "-R", ".llvmcmd", "-R", ".comment"]);
    check(localise.arg(&all).arg(&object)).map(|_| object)
}

/// An archive of one object.
pub(super) fn archive(folder: &Path, object: &Path) -> Result<PathBuf, String> {
    let archive = folder.join("libcortexkey.a");
    let _ = fs::remove_file(&archive);
    check(Command::new("ar").arg("Drcs").arg(&archive).arg(object)).map(|_| archive)
}

/// The shared library of an object, and its SONAME.
pub(super) fn link_shared(
    root: &Path,
    folder: &Path,
    object: &Path,
    target: &Target,
) -> Result<(PathBuf, String), String> {
    let abi = abi_version(root)?;
    let soname = format!("libcortexkey.so.{abi}");
    let minor = env!("CARGO_PKG_VERSION_MINOR");
    let patch = env!("CARGO_PKG_VERSION_PATCH");
    let shared = folder.join(format!("{soname}.{minor}.{patch}"));
    let versions = folder.join("versions.map");
    fs::write(&versions, format!("CXK_{abi} {{ global: cxk_*; local: *; }};\n"))
        .map_err(|error| format!("{}: {error}", versions.display()))?;
    // With the names and versions of an old glibc, because linking against a new one would require
    // it.
    let mut link = Command::new(setup::zig(root)?);
    link.args(["cc", "-target", &target.zig()]);
    link.args(["-shared", "-o"]).arg(&shared).arg(object);
    link.env("ZIG_GLOBAL_CACHE_DIR", target_dir(root).join("zig/cache"));
    link.arg(format!("-Wl,-soname,{soname}"));
    link.arg(format!("-Wl,--version-script,{}", versions.display()));
    link.arg("-Wl,-z,relro,-z,now,-z,noexecstack,--no-undefined,--gc-sections,--as-needed");
    link.arg("-Wl,--build-id=sha1,--hash-style=gnu,-s");
    check(&mut link)?;
    Ok((shared, soname))
}

/// Compiles the function that the unwinder calls and that an older glibc lacks.
fn find_object(root: &Path, folder: &Path, target: &Target) -> Result<PathBuf, String> {
    let object = folder.join("find_object.o");
    let mut cc = Command::new(target.binutil("gcc"));
    cc.args(["-std=gnu11", "-O2", "-fPIC", "-Wall", "-Wextra", "-Werror", "-c", "-o"]).arg(&object);
    check(cc.arg(root.join("crates/capi/package/find_object.c"))).map(|_| object)
}

/// Builds the archive as rustc makes it. In a folder of its own, since what it is built with would
/// rebuild everything else.
fn rust_archive(root: &Path, target: &Target) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("dist");
    // Without this setting, getrandom finds the function through a weak symbol, which static
    // programs do not link. It would then read /dev/urandom, which some containers lack. Also,
    // glibc has the function only since 2.25.
    let mut flags = vec!["--cfg=getrandom_backend=\"linux_raw\""];
    let mut build = cargo(root);
    build.args(["rustc", "--release", "--locked", "--lib", "-p", "cortexkey-capi"]);
    build.args(["--crate-type", "staticlib"]).arg("--features").arg(FEATURES);
    let mut output = folder.join("release");
    if *target != Target::host()? {
        setup::target(target.triple())?;
        build.args(["--target", target.triple()]);
        output = target.folder(&folder, "release");
    }
    if target.is_musl() {
        // musl itself is the program's, not a part of the archive.
        flags.push("-Ctarget-feature=-crt-static");
    }
    crate::target::without_paths(root, &mut build, &flags);
    check(build.env("CARGO_TARGET_DIR", &folder))?;
    Ok(output.join("libcortexkey.a"))
}
