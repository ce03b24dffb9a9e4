//! The generated rule pages and schemas are up to date. `cargo xtask rules` renews them.

// A failed step of a test is a failed test.
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use cortexkey_lint::rules::{RULES, page};
use cortexkey_lint::schema;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn wanted() -> BTreeMap<PathBuf, String> {
    let pages = RULES.iter().map(|rule| (format!("docs/rules/{}.md", rule.name), rule.markdown()));
    let index = ("docs/rules/README.md".to_owned(), page::index());
    let schemas = schema::files().map(|(name, text)| (format!("schemas/{name}"), text));
    pages.chain([index]).chain(schemas).map(|(path, text)| (root().join(path), text)).collect()
}

#[test]
fn pages_and_schemas_are_fresh() {
    let wanted = wanted();
    if std::env::var_os("CORTEXKEY_WRITE_PAGES").is_some() {
        for (path, text) in &wanted {
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
    }
    for (path, text) in &wanted {
        let there = fs::read_to_string(path).unwrap_or_default();
        assert_eq!(&there, text, "{} is stale; run `cargo xtask rules`", path.display());
    }
    for entry in fs::read_dir(root().join("docs/rules")).unwrap() {
        let path = entry.unwrap().path();
        assert!(wanted.contains_key(&path), "{} belongs to no rule", path.display());
    }
}
