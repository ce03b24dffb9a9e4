//! `cargo xtask bindings`: the packages for Python, Node and PowerShell, put together as users get them, and
//! their tests.
//!
//! Python and Node call the C library: as a shared library, and compiled to WebAssembly. PowerShell has a
//! signer of its own, which Mono compiles and runs where PowerShell is not installed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{capture, cargo, check, has, target_dir};
use crate::{setup, tools};

const WASM: &str = "wasm32-unknown-unknown";
/// The files of the npm package besides the library.
const NODE_FILES: [&str; 5] = ["package.json", "index.js", "index.d.ts", "library.js", "README.md"];

/// Builds the packages and runs their tests; how many passed.
pub(crate) fn run(root: &Path) -> Result<u64, String> {
    let python = python(root)?;
    let node = node(root)?;
    let powershell = powershell(root)?;
    Ok(python + node + powershell)
}

/// The Python package with this build's library, as a folder for `PYTHONPATH`.
pub(crate) fn python_package(root: &Path) -> Result<PathBuf, String> {
    let library = debug_library(root)?;
    let folder = target_dir(root).join("bindings/python");
    let package = folder.join("cortexkey");
    copy_tree(&root.join("bindings/python/cortexkey"), &package)?;
    let name = library.file_name().unwrap_or_default();
    fs::copy(&library, package.join(name)).map_err(|e| format!("{}: {e}", library.display()))?;
    Ok(folder)
}

/// The Python that has what the package's tests import.
pub(crate) fn python_program(root: &Path) -> Result<PathBuf, String> {
    Ok(tools::environment(root, "bindings")?.join("python"))
}

/// The npm package, as a folder.
pub(crate) fn node_package(root: &Path) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("bindings/node");
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let sources = root.join("bindings/node");
    let mut files: Vec<_> = NODE_FILES.iter().map(|name| sources.join(name)).collect();
    files.extend(["LICENSE-MIT", "LICENSE-APACHE"].map(|name| root.join(name)));
    files.push(wasm(root)?);
    for file in files {
        let name = file.file_name().unwrap_or_default();
        fs::copy(&file, folder.join(name)).map_err(|e| format!("{}: {e}", file.display()))?;
    }
    Ok(folder)
}

/// The C library without clock and random source, which JavaScript has: the module imports nothing.
fn wasm(root: &Path) -> Result<PathBuf, String> {
    setup::target(WASM)?;
    let target = target_dir(root).join("wasm");
    let mut build = cargo(root);
    build.args(["rustc", "--quiet", "--release", "--locked", "--lib", "-p", "cortexkey-capi"]);
    build.args(["--crate-type", "cdylib", "--target", WASM]);
    let flags = [
        format!("--remap-path-prefix={}=cortexkey", root.display()),
        "--cfg=getrandom_backend=\"unsupported\"".to_owned(),
    ];
    build.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\u{1f}")).env("CARGO_TARGET_DIR", &target);
    check(build.env("CARGO_PROFILE_RELEASE_OPT_LEVEL", "s"))?;
    Ok(target.join(WASM).join("release/cortexkey.wasm"))
}

fn python(root: &Path) -> Result<u64, String> {
    let program = python_program(root)?;
    let package = python_package(root)?;
    let mut test = Command::new(&program);
    test.args(["-W", "error", "-m", "unittest", "discover", "--start-directory"]);
    test.arg(root.join("bindings/python/tests")).env("PYTHONPATH", &package);
    test.env("PYTHONDONTWRITEBYTECODE", "1");
    test.env("CORTEXKEY_VECTORS", root.join("vectors/auth.json"));
    let ran = capture(&mut test);
    // unittest reports on standard error: `Ran 17 tests in 0.9s`.
    let count = ran.stderr.split("\nRan ").nth(1);
    let count = count.and_then(|rest| rest.split(' ').next()?.parse::<u64>().ok());
    let passed = count.filter(|count| ran.success && *count > 0);
    let passed = passed.ok_or_else(|| format!("the Python package's tests:\n{}", ran.all()))?;
    let mut types = Command::new(&program);
    types.args(["-m", "mypy", "--strict", "--package", "cortexkey", "--cache-dir"]);
    types.arg(target_dir(root).join("bindings/mypy")).env("MYPYPATH", &package);
    check(types.current_dir(&package))?;
    Ok(passed + 1)
}

fn node(root: &Path) -> Result<u64, String> {
    let package = node_package(root)?;
    let work = target_dir(root).join("bindings/node-test");
    copy_tree(&root.join("bindings/node/test"), &work)?;
    // A package finds itself by its name where it is among the modules.
    copy_tree(&package, &work.join("node_modules/cortexkey"))?;
    let mut test = Command::new("node");
    test.args(["--test", "--test-reporter=tap", "signer.test.mjs"]).current_dir(&work);
    let ran = capture(test.env("CORTEXKEY_VECTORS", root.join("vectors/auth.json")));
    let count = ran.stdout.lines().find_map(|line| line.strip_prefix("# pass ")?.parse().ok());
    let passed = count.filter(|count: &u64| ran.success && *count > 0);
    passed.ok_or_else(|| format!("the Node package's tests:\n{}", ran.all()))
}

fn powershell(root: &Path) -> Result<u64, String> {
    let folder = root.join("bindings/powershell");
    let vectors = root.join("vectors");
    let mut passed = 0;
    let mut syntax = Command::new(python_program(root)?);
    syntax.arg(folder.join("tests/syntax.py")).arg(&folder);
    check(&mut syntax)?;
    passed += 1;
    if has("mcs") && has("mono") {
        let program = target_dir(root).join("bindings/answers.exe");
        let mut compile = Command::new("mcs");
        compile.args(["-langversion:5", "-warnaserror"]);
        compile.arg(format!("-out:{}", program.display()));
        compile.args(["Cortexkey/Signer.cs", "tests/Answers.cs"].map(|name| folder.join(name)));
        check(&mut compile)?;
        check(Command::new("mono").arg(&program).arg(vectors.join("auth.tsv")))?;
        passed += 1;
    }
    if has("pwsh") {
        let mut module = Command::new("pwsh");
        module.args(["-NoProfile", "-File"]).arg(folder.join("tests/module.ps1"));
        check(module.arg(vectors.join("auth.json")))?;
        passed += 1;
    }
    if passed == 1 {
        return Err("neither mono with mcs nor pwsh is installed".into());
    }
    Ok(passed)
}

/// The shared library as cargo builds it for tests, under the name that a package has it by.
fn debug_library(root: &Path) -> Result<PathBuf, String> {
    check(cargo(root).args(["build", "--quiet", "--locked", "-p", "cortexkey-capi", "--lib"]))?;
    Ok(target_dir(root).join("debug").join(library_name()))
}

/// What the shared library of this platform is called.
pub(crate) const fn library_name() -> &'static str {
    if cfg!(windows) {
        "cortexkey.dll"
    } else if cfg!(target_os = "macos") {
        "libcortexkey.dylib"
    } else {
        "libcortexkey.so"
    }
}

/// The C library in the Python package's folder, where maturin takes it from, until this is dropped.
pub(crate) struct InWheel(PathBuf);

impl InWheel {
    /// Puts a library there, under the name that the package looks for.
    pub(crate) fn put(root: &Path, library: &Path) -> Result<Self, String> {
        let name = library.file_name().unwrap_or_default();
        let place = root.join("bindings/python/cortexkey").join(name);
        fs::copy(library, &place).map_err(|e| format!("{}: {e}", library.display()))?;
        Ok(Self(place))
    }
}

impl Drop for InWheel {
    fn drop(&mut self) {
        let _ = fs::remove_file(&self.0);
    }
}

/// Copies a folder over what is there, without what programs leave in it.
fn copy_tree(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir() && name != "__pycache__" {
            copy_tree(&path, &to.join(name))?;
        } else if path.is_file() {
            fs::copy(&path, to.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}
