//! Shared by the tests of the C library: builds the libraries, and finds the installed compilers.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
#![allow(dead_code, reason = "each test uses its part")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::OnceLock;

/// The output of `rustc --print native-static-libs` for Linux.
pub(crate) const STATIC_LIBS: [&str; 7] =
    ["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl", "-lc"];

pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// The folder with `libcortexkey.a` and `libcortexkey.so`. Cargo does not build them for tests, so
/// the
/// first caller does.
pub(crate) fn libraries() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        // target/PROFILE/deps/this-test
        let test = std::env::current_exe().unwrap();
        let folder = test.ancestors().nth(2).unwrap();
        let profile = match folder.file_name().unwrap().to_str().unwrap() {
            "debug" => "dev",
            other => other,
        };
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .args(["build", "--quiet", "--offline", "--package", "cortexkey-capi", "--profile"])
            .arg(profile)
            .arg("--target-dir")
            .arg(folder.parent().unwrap())
            .current_dir(root())
            .output()
            .unwrap();
        succeed("cargo build", &built);
        folder.to_owned()
    })
}

/// A separate folder for this test, under target/.
pub(crate) fn scratch(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// The compilers that are installed.
pub(crate) fn present(compilers: &[&'static str]) -> Vec<&'static str> {
    let is_there = |compiler: &&str| {
        let there = Command::new(compiler).arg("--version").output().is_ok();
        if !there {
            println!("skipped: there is no {compiler} on this machine");
        }
        there
    };
    compilers.iter().copied().filter(is_there).collect()
}

/// Whether a C program can include the header.
pub(crate) fn has_header(compiler: &str, header: &str) -> bool {
    let source = scratch("has_header").join(format!("{}.c", header.replace('/', "_")));
    std::fs::write(&source, format!("#include <{header}>\n")).unwrap();
    let there =
        Command::new(compiler).arg("-fsyntax-only").arg(&source).output().unwrap().status.success();
    if !there {
        println!("skipped: {compiler} finds no {header}");
    }
    there
}

/// Fails with the program's output if the program failed.
pub(crate) fn succeed(what: &str, output: &Output) {
    assert!(
        output.status.success(),
        "{what}: {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
}

/// The examples in a header's comments, in order.
pub(crate) fn examples(header: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut inside = false;
    for line in header.lines() {
        let line = line.strip_prefix(" *").unwrap_or_default();
        match line.trim() {
            "```c" => {
                inside = true;
                examples.push(String::new());
            }
            "```" => inside = false,
            _ if inside => {
                let example: &mut String = examples.last_mut().unwrap();
                example.push_str(line.strip_prefix(' ').unwrap_or(line));
                example.push('\n');
            }
            _ => {}
        }
    }
    examples
}
