//! Campaigns with the real programs that hold keys, and with the programs that use them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, target_dir};
use crate::{setup, tools};

pub(super) fn stores(root: &Path) -> Vec<Command> {
    setup::secret_stores();
    let mut test = Command::new(python(root, "stores"));
    test.arg("crates/cli/tests/stores.py").arg(program(root)).current_dir(root);
    match tools::environment(root, "azure") {
        Ok(programs) => drop(test.arg("--az").arg(programs.join("az"))),
        Err(error) => eprintln!("{error}"),
    }
    // No package has one.
    if let Some(server) = std::env::var_os("CORTEXKEY_KUBE_APISERVER") {
        test.arg("--kube-apiserver").arg(server);
    }
    vec![build(root), test]
}

pub(super) fn tools(root: &Path) -> Vec<Command> {
    let mut test = Command::new(python(root, "tools"));
    test.arg("crates/cli/tests/tools.py").arg(program(root)).current_dir(root);
    vec![build(root), test]
}

pub(super) fn killed(root: &Path) -> Vec<Command> {
    let mut test = Command::new(tools::python());
    test.arg("crates/cli/tests/killed.py").arg(program(root)).args(["--kills", "1000"]);
    test.current_dir(root);
    vec![build(root), test]
}

fn build(root: &Path) -> Command {
    let mut build = cargo(root);
    build.args(["build", "--quiet", "--locked", "--package", "cortexkey"]);
    build
}

fn program(root: &Path) -> PathBuf {
    target_dir(root).join("debug/cortexkey")
}

/// The Python of a set of packages; if it cannot be installed, running it reports what is missing.
fn python(root: &Path, set: &str) -> PathBuf {
    tools::environment(root, set).map_or_else(
        |error| {
            eprintln!("{error}");
            tools::python().into()
        },
        |programs| programs.join("python"),
    )
}
