//! Checks an installed library besides its functions: its installer, its `CMake` package, an
//! archive for musl, and its own unwinder.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::installed::Installed;
use super::{STATIC_LIBS, library};
use crate::run::check;
use crate::target::Target;

/// Runs all checks; returns their number.
pub(super) fn run(root: &Path, installed: &Installed) -> Result<u64, String> {
    installs_and_removes(installed)?;
    cmake_refuses(installed)?;
    links_with_musl(installed)?;
    catches_panics(root, installed)?;
    Ok(4)
}

/// Twice under a narrow umask: the second time each file is replaced, and all are readable by
/// everyone. Then nothing is left.
fn installs_and_removes(installed: &Installed) -> Result<(), String> {
    let prefix = installed.work.join("again");
    let script = installed.unpacked()?.join("install.sh");
    let call = |more: &str| {
        let line = "umask 077; exec sh \"$0\" \"--prefix=$1//\" --libdir=lib/deep/ $2";
        let mut shell = Command::new("sh");
        check(shell.args(["-c", line]).arg(&script).arg(&prefix).arg(more))
    };
    call("")?;
    let before = files(&prefix)?;
    call("")?;
    let after = files(&prefix)?;
    if before.len() != after.len() || before.len() < 10 {
        return Err(format!("{} files, then {}", before.len(), after.len()));
    }
    for ((path, old), (_, new)) in before.iter().zip(&after) {
        let mode = new.permissions().mode() & 0o7777;
        if !new.is_symlink() && (old.ino() == new.ino() || ![0o644, 0o755].contains(&mode)) {
            return Err(format!("{}: written in place, or its mode is {mode:o}", path.display()));
        }
    }
    let mut pkgconfig = Command::new("pkg-config");
    pkgconfig.args(["--cflags", "cortexkey"]);
    let said = check(pkgconfig.env("PKG_CONFIG_PATH", prefix.join("lib/deep/pkgconfig")))?;
    let include = said.trim().trim_start_matches("-I");
    if !Path::new(include).join("cortexkey.h").exists() {
        return Err(format!("pkg-config leads to {include}, where there is no header"));
    }
    call("--uninstall")?;
    let left = files(&prefix)?;
    if left.is_empty() { Ok(()) } else { Err(format!("--uninstall leaves {left:?}")) }
}

type File = (PathBuf, fs::Metadata);

/// The files below a folder, in order.
fn files(folder: &Path) -> Result<Vec<File>, String> {
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let data = path.symlink_metadata().map_err(failed)?;
        if data.is_dir() {
            all.extend(files(&path)?);
        } else {
            all.push((path, data));
        }
    }
    all.sort_by(|(a, _), (b, _)| a.cmp(b));
    Ok(all)
}

/// Which requests for the package succeed, and which fail.
fn cmake_refuses(installed: &Installed) -> Result<(), String> {
    let major = env!("CARGO_PKG_VERSION_MAJOR");
    let minor = env!("CARGO_PKG_VERSION_MINOR");
    let version = env!("CARGO_PKG_VERSION");
    for (request, is_met) in [
        ("REQUIRED COMPONENTS shared static".to_owned(), true),
        ("REQUIRED COMPONENTS shared dynamic".to_owned(), false),
        ("REQUIRED OPTIONAL_COMPONENTS dynamic".to_owned(), true),
        (format!("{version} EXACT REQUIRED"), true),
        (format!("{major}.{minor}...99 REQUIRED"), true),
        (format!("0.0.1...{version} REQUIRED"), true),
        (format!("0.0.1...<{version} REQUIRED"), false),
        (format!("{major}.{minor}.9999...99999 REQUIRED"), false),
        ("99 REQUIRED".to_owned(), false),
    ] {
        let source = installed.work.join("asked");
        let _ = fs::remove_dir_all(&source);
        fs::create_dir_all(&source).map_err(|e| format!("{}: {e}", source.display()))?;
        let project = format!(
            "cmake_minimum_required(VERSION 3.19)\nproject(user C)\nfind_package(cortexkey {request})\n"
        );
        let list = source.join("CMakeLists.txt");
        fs::write(&list, project).map_err(|e| format!("{}: {e}", list.display()))?;
        let mut configure = Command::new("cmake");
        configure.arg("-S").arg(&source).arg("-B").arg(source.join("build"));
        configure.arg(format!("-DCMAKE_PREFIX_PATH={}", installed.prefix.display()));
        let met = check(&mut configure).is_ok();
        if met != is_met {
            return Err(format!("find_package(cortexkey {request}): met is {met}"));
        }
    }
    Ok(())
}

/// The known answers with musl's C library, with and without its loader.
fn links_with_musl(installed: &Installed) -> Result<(), String> {
    for kind in ["-static", "-no-pie"] {
        let program = installed.work.join(format!("musl{kind}"));
        let mut link = Command::new("musl-gcc");
        link.args(["-std=c99", kind, "-I"]).arg(installed.prefix.join("include"));
        link.arg("-I").arg(&installed.tests).arg(installed.tests.join("vectors.c"));
        link.arg(installed.lib().join("libcortexkey.a")).args(STATIC_LIBS.split(' '));
        check(link.arg("-o").arg(&program))?;
        installed.run(Command::new(program))?;
    }
    Ok(())
}

/// The table that the unwinder needs to find frames, which gcc omits from static programs. It
/// cannot be in `pkg-config --libs`, because Go rejects such a flag.
const FRAMES: &str = "-Wl,--eh-frame-hdr";
const PANICS: &str = "#[unsafe(no_mangle)] pub extern \"C\" fn cxk_try(n: i32) -> i32 {
    std::panic::set_hook(Box::new(|_| {}));
    std::panic::catch_unwind(|| { assert!(n < 3); n }).unwrap_or(-900)
}\n";
const TRIES: &str = "int cxk_try(int n);
int main(void) { return cxk_try(2) != 2 || cxk_try(7) != -900 || cxk_try(8) != -900; }\n";

/// A panic is caught in a library that is built like ours, however a program links it.
fn catches_panics(root: &Path, installed: &Installed) -> Result<(), String> {
    let folder = installed.work.join("panics");
    fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let rust = folder.join("panics.rs");
    let c = folder.join("tries.c");
    for (path, text) in [(&rust, PANICS), (&c, TRIES)] {
        fs::write(path, text).map_err(|e| format!("{}: {e}", path.display()))?;
    }
    let made = folder.join("libpanics.a");
    let mut rustc = Command::new("rustc");
    rustc.args(["--edition=2024", "--crate-type=staticlib", "-O", "-o"]);
    check(rustc.arg(&made).arg(&rust))?;
    let host = Target::host()?;
    let object = library::one_object(root, &folder, &made, &["cxk_try".to_owned()], &host)?;
    let archive = library::archive(&folder, &object)?;
    let (shared, soname) = library::link_shared(root, &folder, &object, &host)?;
    let place = folder.join(soname);
    fs::rename(&shared, &place).map_err(|e| format!("{}: {e}", place.display()))?;
    for (compiler, kind, linked) in [
        ("gcc", "-pie", &place),
        ("gcc", "-pie", &archive),
        ("gcc", "-static", &archive),
        ("musl-gcc", "-static", &archive),
        ("musl-gcc", "-no-pie", &archive),
    ] {
        let program = folder.join("tries");
        let mut link = Command::new(compiler);
        link.arg(kind).arg(&c).arg(linked).args(STATIC_LIBS.split(' ')).arg(FRAMES);
        check(link.arg("-o").arg(&program))?;
        check(Command::new(&program).env("LD_LIBRARY_PATH", &folder))
            .map_err(|error| format!("a panic is not caught: {compiler} {kind}: {error}"))?;
    }
    Ok(())
}
