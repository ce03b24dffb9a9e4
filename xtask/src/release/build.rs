//! `cargo xtask release build`: the files of a release for one or more targets.
//!
//! For each: the command's archive, the C library's, a wheel, a bill of materials, and for Linux with glibc
//! packages for Debian and Fedora. The packages for Node and PowerShell, which are the same everywhere, come with
//! the target of x86-64 Linux.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{VERSION, binary, commit_time, copy, files, pack, packages};
use crate::run::{check, target_dir};
use crate::target::Target;
use crate::{bindings, capi, tools};

/// The target with which the files are built that are the same for all.
const FIRST: &str = "x86_64-unknown-linux-gnu";

/// Builds into an empty folder.
pub(super) fn run(root: &Path, targets: &[Target], profile: &str) -> Result<(), String> {
    let folder = files(root);
    if folder.exists() {
        fs::remove_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    for target in targets {
        build(root, target, profile, &folder)
            .map_err(|why| format!("{}: {why}", target.triple()))?;
    }
    for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
        println!("{}", entry.path().display());
    }
    Ok(())
}

fn build(root: &Path, target: &Target, profile: &str, folder: &Path) -> Result<(), String> {
    let command = binary::archive(root, target, profile, folder)?;
    let (library, shared) = library(root, target, folder)?;
    wheel(root, target, profile, &shared, folder)?;
    if target.is_linux() && !target.is_musl() {
        packages::build(root, target, &command, &library, folder)?;
    }
    if target.triple() == FIRST {
        everywhere(root, folder)?;
    }
    Ok(())
}

/// The C library's archive; its folder, and the shared library in it.
fn library(root: &Path, target: &Target, folder: &Path) -> Result<(PathBuf, PathBuf), String> {
    let packed = if target.is_linux() {
        let packed = capi::dist::dist_for(root, target)?;
        let name = format!("{}.tar.gz", packed.file_name().unwrap_or_default().display());
        copy(&packed.with_file_name(&name), &folder.join(name))?;
        packed
    } else {
        let packed = plain_library(root, target)?;
        let name = packed.file_name().unwrap_or_default().display();
        pack::archive(root, &packed, &folder.join(format!("{name}.{}", target.archive_end())))?;
        packed
    };
    let shared = if target.is_windows() {
        "bin/cortexkey.dll"
    } else if target.is_macos() {
        "lib/libcortexkey.dylib"
    } else {
        "lib/libcortexkey.so"
    };
    let shared = packed.join(shared);
    Ok((packed, shared))
}

/// The library as cargo builds it, for systems whose linkers keep Rust's own names out of it.
fn plain_library(root: &Path, target: &Target) -> Result<PathBuf, String> {
    let output = target_dir(root).join("release-build");
    let abi = capi::abi_version(root)?;
    let mut build = target.cargo(root, "build")?;
    build.args(["--quiet", "--release", "--locked", "--lib", "-p", "cortexkey-capi"]);
    let name = format!("-Clink-arg=-Wl,-install_name,@rpath/libcortexkey.{abi}.dylib");
    let flags: &[&str] = if target.is_macos() { &[&name] } else { &[] };
    crate::target::without_paths(root, &mut build, flags);
    check(build.env("CARGO_TARGET_DIR", &output))?;
    let output = target.folder(&output, "release");
    let folder = target_dir(root).join("release");
    let folder = folder.join(format!("libcortexkey-{VERSION}-{}", target.triple()));
    let _ = fs::remove_dir_all(&folder);
    for part in ["bin", "lib", "include", "share/doc/cortexkey"] {
        let part = folder.join(part);
        fs::create_dir_all(&part).map_err(|error| format!("{}: {error}", part.display()))?;
    }
    for header in ["cortexkey.h", "cortexkey.hpp"] {
        copy(&root.join("include").join(header), &folder.join("include").join(header))?;
    }
    for (from, to) in [
        ("LICENSE-MIT", "LICENSE-MIT.txt"),
        ("LICENSE-APACHE", "LICENSE-APACHE.txt"),
        ("crates/capi/README.md", "README.md"),
        ("docs/abi.md", "abi.md"),
    ] {
        copy(&root.join(from), &folder.join("share/doc/cortexkey").join(to))?;
    }
    if target.is_windows() {
        copy(&output.join("cortexkey.dll"), &folder.join("bin/cortexkey.dll"))?;
        copy(&output.join("libcortexkey.dll.a"), &folder.join("lib/libcortexkey.dll.a"))?;
        import_library(root, &folder)?;
    } else {
        copy(&output.join("libcortexkey.dylib"), &folder.join("lib/libcortexkey.dylib"))?;
    }
    // On Windows for MinGW.
    copy(&output.join("libcortexkey.a"), &folder.join("lib/libcortexkey.a"))?;
    Ok(folder)
}

/// What MSVC links a program against, from the functions of the header.
fn import_library(root: &Path, folder: &Path) -> Result<(), String> {
    let functions = capi::functions(root)?.join("\n");
    let definitions = folder.join("lib/cortexkey.def");
    fs::write(&definitions, format!("LIBRARY cortexkey.dll\nEXPORTS\n{functions}\n"))
        .map_err(|error| format!("{}: {error}", definitions.display()))?;
    let mut tool = Command::new(tools::environment(root, "release")?.join("python"));
    tool.args(["-m", "ziglang", "dlltool", "-m", "i386:x86-64", "-D", "cortexkey.dll", "-d"]);
    check(tool.arg(&definitions).arg("-l").arg(folder.join("lib/cortexkey.lib"))).map(drop)
}

/// The wheel, with the shared library in its package. On Linux Zig links for a glibc that every supported
/// distribution has.
fn wheel(
    root: &Path,
    target: &Target,
    profile: &str,
    shared: &Path,
    folder: &Path,
) -> Result<(), String> {
    let _place = bindings::InWheel::put(root, shared)?;
    let programs = tools::environment(root, "release")?;
    let mut build = Command::new(programs.join("maturin"));
    build.args(["build", "--quiet", "--locked", "--profile", profile, "--out"]).arg(folder);
    build.args(["--target", target.triple()]).current_dir(root);
    if target.is_linux() {
        let libc = if target.is_musl() { "musllinux_1_2" } else { "manylinux2014" };
        build.args(["--zig", "--compatibility", libc]);
    }
    tools::put_first(&mut build, programs)?;
    crate::target::without_paths(root, &mut build, &[]);
    build.env("CARGO_TARGET_DIR", target_dir(root).join("release-build"));
    // The same sources give the same archive, whenever it is made.
    build.env("SOURCE_DATE_EPOCH", commit_time(root)?);
    check(&mut build).map(drop)
}

/// The packages that are the same for every target.
fn everywhere(root: &Path, folder: &Path) -> Result<(), String> {
    let node = bindings::node_package(root)?;
    let mut npm = Command::new("npm");
    npm.args(["pack", "--silent", "--pack-destination"]).arg(folder).current_dir(node);
    check(&mut npm)?;
    let module = root.join("bindings/powershell/Cortexkey");
    pack::archive(root, &module, &folder.join(format!("Cortexkey-{VERSION}-powershell.zip")))
}
