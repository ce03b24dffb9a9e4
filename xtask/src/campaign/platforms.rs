//! Campaigns about other systems: Windows under wine, macOS by checking, Linux without a libc of its own, and the
//! files of a release.

use std::path::Path;
use std::process::Command;

use crate::run::{cargo, target_dir};
use crate::target::Target;
use crate::{setup, tools};

const WINDOWS: &str = "x86_64-pc-windows-gnu";
const MACOS: [&str; 2] = ["aarch64-apple-darwin", "x86_64-apple-darwin"];

/// The C library and the command, under wine.
pub(super) fn windows(root: &Path) -> Vec<Command> {
    setup::windows();
    let script = |path: &str| {
        let mut script = Command::new("sh");
        script.arg(root.join(path)).arg(target_dir(root).join("windows"));
        script
    };
    vec![script("crates/capi/tests/windows.sh"), script("crates/cli/tests/windows.sh")]
}

/// Lints for Windows, and checks for macOS, for which there is no linker here.
pub(super) fn check(root: &Path) -> Vec<Command> {
    setup::windows();
    let packages = ["-p", "cortexkey", "-p", "cortexkey-capi", "-p", "cortexkey-system"];
    let mut clippy = cargo(root);
    clippy.args(["clippy", "--quiet", "--locked", "--target", WINDOWS]).args(packages);
    clippy.args(["--", "-D", "warnings"]);
    clippy.env("CARGO_TARGET_DIR", target_dir(root).join("platforms"));
    let mut all = vec![clippy];
    let programs = match tools::environment(root, "release") {
        Ok(programs) => programs,
        Err(why) => {
            eprintln!("{why}");
            return all;
        }
    };
    for target in MACOS {
        if let Err(why) = setup::target(target) {
            eprintln!("{why}");
        }
        let mut check = Command::new(programs.join("cargo-zigbuild"));
        check.args(["check", "--quiet", "--locked", "--target", target]).args(packages);
        check.env("CARGO_TARGET_DIR", target_dir(root).join("platforms")).current_dir(root);
        if let Err(why) = tools::put_first(&mut check, programs.clone()) {
            eprintln!("{why}");
        }
        all.push(check);
    }
    all
}

/// The static command, alone in its root.
pub(super) fn musl(root: &Path) -> Vec<Command> {
    let output = target_dir(root).join("musl");
    let target = Target::named("x86_64-unknown-linux-musl");
    let build = target.and_then(|target| Ok((target.cargo(root, "build")?, target)));
    let (mut build, target) = match build {
        Ok(build) => build,
        Err(why) => {
            eprintln!("{why}");
            return vec![Command::new("false")];
        }
    };
    build.args(["--quiet", "--locked", "-p", "cortexkey"]).env("CARGO_TARGET_DIR", &output);
    let place = output.join("root");
    let program = target.folder(&output, "dev").join("cortexkey");
    let mut lay_out = Command::new("sh");
    lay_out.args(["-c", "rm -rf \"$0\" && mkdir -p \"$0/tmp\" && cp \"$1\" \"$0/\""]);
    lay_out.arg(&place).arg(program);
    let mut run = Command::new("chroot");
    run.arg(&place).args(["/cortexkey", "quickstart"]);
    vec![build, lay_out, run]
}

/// The target that is built twice.
const TWICE: &str = "x86_64-unknown-linux-musl";

/// All files for the systems that can be tried here, one target's twice from nothing.
pub(super) fn release(root: &Path) -> Vec<Command> {
    setup::release_users();
    let xtask = |arguments: &[&str]| {
        let mut again = cargo(root);
        again.args(["xtask", "release"]).args(arguments);
        again
    };
    let target = target_dir(root);
    let shell = |line: &str| {
        let mut shell = Command::new("sh");
        shell.args(["-ec", line]).arg(&target);
        shell
    };
    let mut recipes = xtask(&["recipes", "--check"]);
    recipes.env("CORTEXKEY_RELEASE_FILES", target.join("release-files"));
    let mut users = Command::new("sh");
    users.arg(root.join("packaging/tests/use.sh"));
    users.args([target.join("release-files"), target.join("release-users")]);
    vec![
        xtask(&["rehearse", TWICE]),
        shell("cd \"$0/release-files\" && sha256sum * >../release-sums"),
        shell("rm -r \"$0/release-build\" \"$0/dist\""),
        xtask(&["rehearse", "x86_64-unknown-linux-gnu", TWICE, WINDOWS]),
        shell("cd \"$0/release-files\" && sha256sum --check --quiet ../release-sums"),
        xtask(&["go-bundle"]),
        recipes,
        users,
    ]
}
