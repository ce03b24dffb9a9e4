//! Checks of the linter outside Rust: its schemas in other programs, and pre-commit.
//!
//! The checks are in the scripts next to the linter's tests; this module runs them.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, check, target_dir};
use crate::setup;

/// Reports, definitions and policies against their schemas.
pub(crate) fn schemas(root: &Path) -> Result<(), String> {
    let python = setup::python(root)?;
    let binary = binary(root)?;
    let mut script = Command::new(python);
    script.arg(root.join("crates/lint/tests/python/schemas.py"));
    check(script.args([root, &binary, &sarif_schema(root)?])).map(drop)
}

/// The hooks in new repositories, with the real pre-commit; one of them with a wheel. For the hook
/// that builds from a checkout, which would rebuild everything, only the configuration is checked.
pub(crate) fn pre_commit(root: &Path) -> Result<(), String> {
    let mut cargo_hook = Command::new(root.join("packaging/pre-commit-cargo"));
    cargo_hook.arg("--help").env("CORTEXKEY_HOOK_PROFILE", "dev");
    check(cargo_hook.env("CARGO_TARGET_DIR", target_dir(root)))?;
    hooks(root, &["cortexkey", "cortexkey-system"])
}

/// Runs these hooks in new repositories.
pub(crate) fn hooks(root: &Path, names: &[&str]) -> Result<(), String> {
    let python = setup::python(root)?;
    let binary = binary(root)?;
    let wheels = wheel(root)?;
    let mut script = Command::new(python);
    script.arg(root.join("crates/lint/tests/python/pre_commit.py"));
    check(script.args([root, &binary, &wheels]).args(names)).map(drop)
}

/// A folder with the wheel of this platform, built like the tests.
pub(crate) fn wheel(root: &Path) -> Result<PathBuf, String> {
    let wheels = target_dir(root).join("wheels");
    // A wheel of another version must not be found.
    let _ = std::fs::remove_dir_all(&wheels);
    let mut wheel = Command::new(setup::python(root)?);
    wheel.args(["-m", "maturin", "build", "--quiet", "--profile", "dev", "--out"]).arg(&wheels);
    check(wheel.current_dir(root))?;
    Ok(wheels)
}

fn binary(root: &Path) -> Result<PathBuf, String> {
    check(cargo(root).args(["build", "--quiet", "--locked", "-p", "cortexkey"]))?;
    Ok(target_dir(root).join("debug/cortexkey"))
}

/// OASIS' schema of SARIF, from a crate of the tests.
fn sarif_schema(root: &Path) -> Result<PathBuf, String> {
    let metadata = check(cargo(root).args(["metadata", "--locked", "--format-version", "1"]))?;
    let metadata: serde_json::Value =
        serde_json::from_str(&metadata).map_err(|error| format!("cargo metadata: {error}"))?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let mut found = packages.filter(|package| package["name"] == "serde-sarif");
    let manifest = found.find_map(|package| package["manifest_path"].as_str());
    let manifest = manifest.ok_or("serde-sarif is not among the packages")?;
    Ok(Path::new(manifest).with_file_name("src").join("schema.json"))
}
