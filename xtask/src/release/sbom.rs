//! The bill of materials of the command, as CycloneDX 1.6: every crate in it, with version, licence
//! and the digest of its source from the lock file.
//!
//! cargo knows all of it; this only converts it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde_json::{Value, json};

use super::VERSION;
use crate::run::{cargo, check};
use crate::text_file;

/// The bill for a target.
pub(super) fn cyclonedx(root: &Path, target: &str) -> Result<String, String> {
    let mut metadata = cargo(root);
    metadata.args(["metadata", "--locked", "--format-version", "1", "--filter-platform", target]);
    let metadata: Value = serde_json::from_str(&check(&mut metadata)?)
        .map_err(|error| format!("cargo metadata: {error}"))?;
    let lock = root.join("Cargo.lock");
    let lock = text_file::read(&lock)?;
    let bill = bill(&metadata, &checksums(&lock))?;
    serde_json::to_string_pretty(&bill).map(|text| text + "\n").map_err(|error| error.to_string())
}

fn bill(metadata: &Value, checksums: &BTreeMap<String, &str>) -> Result<Value, String> {
    let packages = metadata["packages"].as_array().ok_or("cargo metadata has no packages")?;
    let by_id: BTreeMap<_, _> = packages.iter().map(|one| (text(&one["id"]), one)).collect();
    let (command, _) = by_id
        .iter()
        .find(|(_, package)| package["name"] == "cortexkey")
        .ok_or("cargo metadata does not name the command")?;
    let needs = needs(metadata);
    let mut reached = BTreeSet::from([*command]);
    let mut open = vec![*command];
    while let Some(id) = open.pop() {
        let next = needs.get(id).into_iter().flatten();
        open.extend(next.filter(|id| reached.insert(**id)).copied());
    }
    reached.remove(command);
    let reference = |id: &str| by_id.get(id).map(|package| purl(package)).unwrap_or_default();
    let depends = |id: &str| {
        let needs = needs.get(id).into_iter().flatten();
        let on: BTreeSet<_> = needs.map(|id| reference(id)).collect();
        json!({ "ref": reference(id), "dependsOn": on })
    };
    let components: Vec<_> =
        reached.iter().filter_map(|id| Some(component(by_id.get(id)?, checksums))).collect();
    let dependencies: Vec<_> = std::iter::once(*command).chain(reached).map(depends).collect();
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": reference(command),
                "name": "cortexkey",
                "version": VERSION,
                "purl": reference(command),
                "licenses": [{ "expression": "MIT OR Apache-2.0" }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

/// What each package links; build and test dependencies are in no binary.
fn needs(metadata: &Value) -> BTreeMap<&str, BTreeSet<&str>> {
    let nodes = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    nodes
        .map(|node| {
            let dependencies = node["deps"].as_array().into_iter().flatten();
            let linked = dependencies.filter(|one| {
                let mut kinds = one["dep_kinds"].as_array().into_iter().flatten();
                kinds.any(|kind| kind["kind"].is_null())
            });
            (text(&node["id"]), linked.map(|one| text(&one["pkg"])).collect())
        })
        .collect()
}

fn component(package: &Value, checksums: &BTreeMap<String, &str>) -> Value {
    let name = text(&package["name"]);
    let version = text(&package["version"]);
    let mut component = json!({
        "type": "library",
        "bom-ref": purl(package),
        "name": name,
        "version": version,
        "purl": purl(package),
    });
    // Older crates use a slash for `OR`.
    if let Some(license) = package["license"].as_str() {
        component["licenses"] = json!([{ "expression": license.replace('/', " OR ") }]);
    }
    if let Some(digest) = checksums.get(&format!("{name} {version}")) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": digest }]);
    }
    component
}

fn purl(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(&package["name"]), text(&package["version"]))
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// The digests of a lock file, by name and version.
fn checksums(lock: &str) -> BTreeMap<String, &str> {
    let field = |package: &'_ str, name: &str| -> Option<std::ops::Range<usize>> {
        let begin = package.find(&format!("{name} = \""))? + name.len() + 4;
        Some(begin..begin + package[begin..].find('"')?)
    };
    lock.split("[[package]]")
        .filter_map(|package| {
            let name = &package[field(package, "name")?];
            let version = &package[field(package, "version")?];
            Some((format!("{name} {version}"), &package[field(package, "checksum")?]))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_has_what_is_linked_and_nothing_that_builds_it() {
        let package = |name: &str| json!({ "id": name, "name": name, "version": "1.2.3", "license": "MIT/Apache-2.0" });
        let dependency =
            |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [package("cortexkey"), package("linked"), package("below"), package("tool")],
            "resolve": { "nodes": [
                { "id": "cortexkey",
                  "deps": [dependency("linked", Value::Null), dependency("tool", "build".into())] },
                { "id": "linked", "deps": [dependency("below", Value::Null)] },
                { "id": "below", "deps": [dependency("tool", "dev".into())] },
            ] },
        });
        let lock = "[[package]]\nname = \"below\"\nversion = \"1.2.3\"\nchecksum = \"abc\"\n";
        let bill = bill(&metadata, &checksums(lock)).unwrap();
        let names: Vec<_> =
            bill["components"].as_array().unwrap().iter().map(|one| text(&one["name"])).collect();
        assert_eq!(names, ["below", "linked"]);
        assert_eq!(bill["components"][0]["hashes"][0]["content"], "abc");
        assert_eq!(bill["components"][1]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        let on = &bill["dependencies"][0];
        assert_eq!(
            on,
            &json!({ "ref": "pkg:cargo/cortexkey@1.2.3",
                                "dependsOn": ["pkg:cargo/linked@1.2.3"] })
        );
    }
}
