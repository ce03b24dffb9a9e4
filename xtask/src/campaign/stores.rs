//! Campaigns with the real programs that hold keys, and with the programs that use them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, check, target_dir};
use crate::{setup, tools};

/// The version of the Kubernetes API server.
const KUBERNETES: &str = "1.34.4";
/// Its modules, which it takes from its own repository unless they are replaced.
const KUBERNETES_MODULES: [&str; 31] = [
    "api",
    "apiextensions-apiserver",
    "apimachinery",
    "apiserver",
    "cli-runtime",
    "client-go",
    "cloud-provider",
    "cluster-bootstrap",
    "code-generator",
    "component-base",
    "component-helpers",
    "controller-manager",
    "cri-api",
    "cri-client",
    "csi-translation-lib",
    "dynamic-resource-allocation",
    "endpointslice",
    "externaljwt",
    "kms",
    "kube-aggregator",
    "kube-controller-manager",
    "kube-proxy",
    "kube-scheduler",
    "kubectl",
    "kubelet",
    "metrics",
    "mount-utils",
    "pod-security-admission",
    "sample-apiserver",
    "sample-cli-plugin",
    "sample-controller",
];

pub(super) fn stores(root: &Path) -> Vec<Command> {
    setup::secret_stores();
    let mut test = Command::new(python(root, "stores"));
    test.arg("crates/cli/tests/stores.py").arg(program(root)).current_dir(root);
    match kube_apiserver(root) {
        Ok(server) => drop(test.arg("--kube-apiserver").arg(server)),
        Err(why) => eprintln!("kube-apiserver: {why}"),
    }
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

/// The API server, in the build folder; it is built there the first time, which takes half an hour.
fn kube_apiserver(root: &Path) -> Result<PathBuf, String> {
    let folder = target_dir(root).join("kube-apiserver").join(KUBERNETES);
    let server = folder.join("kube-apiserver");
    if server.is_file() {
        return Ok(server);
    }
    setup::go()?;
    // A program whose module replaces others can be built only from another module.
    let mut module = format!(
        "module cortexkey.example/kube-apiserver\n\ngo 1.24.0\n\nrequire k8s.io/kubernetes v{KUBERNETES}\n"
    );
    let of_module = KUBERNETES.strip_prefix('1').unwrap_or_default();
    for name in KUBERNETES_MODULES {
        module += &format!("replace k8s.io/{name} => k8s.io/{name} v0{of_module}\n");
    }
    let failed = |error: std::io::Error| format!("{}: {error}", folder.display());
    fs::create_dir_all(&folder).map_err(failed)?;
    fs::write(folder.join("go.mod"), module).map_err(failed)?;
    let mut go = Command::new("go");
    go.args(["build", "-mod=mod", "-trimpath", "-ldflags=-s -w", "-o"]).arg(&server);
    go.arg("k8s.io/kubernetes/cmd/kube-apiserver").current_dir(&folder);
    check(go.env("CGO_ENABLED", "0").env("GOFLAGS", ""))?;
    Ok(server)
}
