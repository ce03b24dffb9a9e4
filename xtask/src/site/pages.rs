//! The pages of the site: where each comes from, where it goes, and its place in the navigation.
//!
//! A document under `docs` that is not named here becomes a guide, so that a new one needs no change.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use super::{go, header, links, plot, recording, write};
use crate::run::{cargo, check, target_dir};
use crate::text_file;

/// A section of the navigation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Section {
    Home,
    Guides,
    Commands,
    Rules,
    Reference,
    Performance,
    Project,
}

/// A page of the site.
pub(super) struct Page {
    section: Section,
    /// Its path in the site.
    pub(super) path: String,
    title: String,
    /// The repository's document, if it is one.
    source: Option<String>,
    text: String,
}

/// Documents that are not guides, each with its section and path in the site.
const PLACED: [(&str, Section, &str); 20] = [
    ("docs/site/index.md.in", Section::Home, "index.md"),
    ("README.md", Section::Guides, "guides/start.md"),
    ("docs/install.md", Section::Guides, "guides/install.md"),
    ("examples/README.md", Section::Guides, "guides/examples.md"),
    ("docs/rules/README.md", Section::Rules, "rules/README.md"),
    ("docs/verdicts.md", Section::Reference, "reference/verdicts.md"),
    ("docs/roles.md", Section::Reference, "reference/roles.md"),
    ("docs/abi.md", Section::Reference, "reference/abi.md"),
    ("crates/capi/README.md", Section::Reference, "reference/c-library.md"),
    ("go/README.md", Section::Reference, "reference/go-module.md"),
    ("docs/performance.md", Section::Performance, "performance/README.md"),
    ("ARCHITECTURE.md", Section::Project, "project/README.md"),
    ("docs/assurance.md", Section::Project, "project/assurance.md"),
    ("docs/invariants.md", Section::Project, "project/invariants.md"),
    ("docs/records.md", Section::Project, "project/records.md"),
    ("docs/support.md", Section::Project, "project/support.md"),
    ("docs/releasing.md", Section::Project, "project/releasing.md"),
    ("docs/extending.md", Section::Project, "project/extending.md"),
    ("CHANGELOG.md", Section::Project, "project/changelog.md"),
    ("SECURITY.md", Section::Project, "project/security.md"),
];
const MORE: [(&str, Section, &str); 2] = [
    ("CONTRIBUTING.md", Section::Project, "project/contributing.md"),
    ("CODE_OF_CONDUCT.md", Section::Project, "project/code-of-conduct.md"),
];

/// Collects all pages and writes them into a folder.
pub(super) fn collect(root: &Path, docs: &Path) -> Result<Vec<Page>, String> {
    let mut pages = Vec::new();
    for (source, section, path) in PLACED.into_iter().chain(MORE) {
        pages.push(document(root, source, section, path)?);
    }
    for source in guides(root)? {
        let path = source.replacen("docs/", "guides/", 1).replacen("guides/guides/", "guides/", 1);
        pages.push(document(root, &source, Section::Guides, &path)?);
    }
    for name in markdown_files(&root.join("docs/rules"))? {
        if name != "README.md" {
            let source = format!("docs/rules/{name}");
            pages.push(document(root, &source, Section::Rules, &format!("rules/{name}"))?);
        }
    }
    pages.extend(commands(root)?);
    pages.extend(references(root)?);
    let mut places: BTreeMap<_, _> =
        pages.iter().filter_map(|page| Some((page.source.clone()?, page.path.clone()))).collect();
    places.extend(images(root, docs)?);
    for page in &pages {
        let text = match &page.source {
            Some(source) => links::rewrite(root, source, &page.path, &page.text, &places)?,
            None => page.text.clone(),
        };
        let text = links::with_blank_lines(&text);
        let text = match page.path.as_str() {
            "index.md" => text.replace("<!-- recording -->", &recording::record(root)?),
            "performance/README.md" => plot::beside_tables(root, docs, &text)?,
            _ => text,
        };
        write(&docs.join(&page.path), &text)?;
    }
    Ok(pages)
}

/// Copies the documents' pictures.
fn images(root: &Path, docs: &Path) -> Result<Vec<(String, String)>, String> {
    let from = root.join("docs/images");
    let to = docs.join("assets/images");
    super::copy(&from, &to)?;
    let entries = fs::read_dir(&from).map_err(|error| format!("{}: {error}", from.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    Ok(names.map(|name| (format!("docs/images/{name}"), format!("assets/images/{name}"))).collect())
}

/// Documents without a place.
fn guides(root: &Path) -> Result<Vec<String>, String> {
    let mut found = Vec::new();
    for folder in ["docs", "docs/guides"] {
        if root.join(folder).is_dir() {
            let names = markdown_files(&root.join(folder))?;
            found.extend(names.into_iter().map(|name| format!("{folder}/{name}")));
        }
    }
    found.retain(|source| !PLACED.iter().chain(&MORE).any(|(placed, _, _)| placed == source));
    Ok(found)
}

fn markdown_files(folder: &Path) -> Result<Vec<String>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let names = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    let mut names: Vec<_> =
        names.filter(|name| Path::new(name).extension().is_some_and(|end| end == "md")).collect();
    names.sort();
    Ok(names)
}

fn document(root: &Path, source: &str, section: Section, path: &str) -> Result<Page, String> {
    let text =
        fs::read_to_string(root.join(source)).map_err(|error| format!("{source}: {error}"))?;
    let title = if source == "README.md" { "Start".to_owned() } else { title(&text) };
    Ok(Page { section, path: path.to_owned(), title, source: Some(source.to_owned()), text })
}

/// The first heading, without marks.
fn title(text: &str) -> String {
    let heading = text.lines().find_map(|line| line.strip_prefix("# ")).unwrap_or("Untitled");
    heading.replace('`', "")
}

fn made(section: Section, path: &str, text: String) -> Page {
    Page { section, path: path.to_owned(), title: title(&text), source: None, text }
}

/// A page for each command, written by the command line itself.
fn commands(root: &Path) -> Result<Vec<Page>, String> {
    let folder = target_dir(root).join("site-commands");
    super::empty(&folder)?;
    let mut man = cargo(root);
    man.args(["run", "--quiet", "--locked", "-p", "cortexkey", "--", "man", "--markdown"]);
    check(man.arg(&folder))?;
    let names = markdown_files(&folder)?;
    let read = |name: &String| {
        let path = folder.join(name);
        let text = text_file::read(&path)?;
        Ok(made(Section::Commands, &format!("commands/{name}"), text))
    };
    names.iter().map(read).collect()
}

/// References generated from sources in other languages.
fn references(root: &Path) -> Result<Vec<Page>, String> {
    let read = |path: &str| {
        fs::read_to_string(root.join(path)).map_err(|error| format!("{path}: {error}"))
    };
    let go_doc = |package: &str| {
        let mut doc = Command::new("go");
        doc.args(["doc", "-all", package]).current_dir(root.join("go")).env("CGO_ENABLED", "1");
        check(&mut doc)
    };
    let index = "# Reference\n\n\
        | page | what it has |\n|---|---|\n\
        | [C](c.md), [C++](cpp.md) | the functions, structures and constants of the headers |\n\
        | [C library](c-library.md), [ABI](abi.md) | installing, linking, and what stays as it is |\n\
        | [Rust](rust.md) | the crates' documentation |\n\
        | [Go](go.md), [package lib](go-lib.md), [Go module](go-module.md) | the packages' documentation |\n\
        | [Verdicts](verdicts.md) | why a request is refused: codes, numbers, remedies |\n\
        | [Roles and components](roles.md) | what the product's roles are known to hold |\n";
    let crates: String = super::CRATES
        .iter()
        .map(|name| {
            format!(
                "| [{name}](../rust/{}/index.html){{ target=_self }} |\n",
                name.replace('-', "_")
            )
        })
        .collect();
    let rust = format!(
        "# Rust\n\nThe documentation of each crate, with examples.\n\n| crate |\n|---|\n{crates}"
    );
    let go = go_doc(".")?;
    let library = go_doc("./lib")?;
    Ok(vec![
        made(Section::Reference, "reference/README.md", index.to_owned()),
        made(Section::Reference, "reference/c.md", header::markdown(&read("include/cortexkey.h")?)),
        made(Section::Reference, "reference/cpp.md", header::cpp(&read("include/cortexkey.hpp")?)),
        made(Section::Reference, "reference/rust.md", rust),
        made(Section::Reference, "reference/go.md", go::markdown("Go", &go)),
        made(Section::Reference, "reference/go-lib.md", go::markdown("Go, package lib", &library)),
    ])
}

/// The navigation, in the format of `mkdocs.yml`.
pub(super) fn navigation(pages: &[Page]) -> String {
    let mut out = String::from("\nnav:\n");
    for (section, name) in [
        (Section::Home, "Home"),
        (Section::Guides, "Guides"),
        (Section::Commands, "Commands"),
        (Section::Rules, "Rules"),
        (Section::Reference, "Reference"),
        (Section::Performance, "Performance"),
        (Section::Project, "Project"),
    ] {
        let of_section: Vec<_> = pages.iter().filter(|page| page.section == section).collect();
        if let [only] = of_section.as_slice() {
            out += &format!("  - {name}: {}\n", only.path);
            continue;
        }
        out += &format!("  - {name}:\n");
        // An index is the section's own page.
        let (index, rest): (Vec<_>, Vec<_>) =
            of_section.into_iter().partition(|page| page.path.ends_with("README.md"));
        for page in index {
            out += &format!("      - {}\n", page.path);
        }
        for page in rest {
            out += &format!(
                "      - {}: {}\n",
                serde_json::Value::from(page.title.as_str()),
                page.path
            );
        }
    }
    out
}
