//! `cargo xtask docs`: builds the documentation site into `target/site`, and checks it.
//!
//! Pages come from the repository's own documents, from the command line, from the header and from Go's
//! documentation. They are collected in `target/site-src`, where links that lead out of the site become
//! links to the repository, and MkDocs builds them strictly and without the network.

mod accessible;
mod built;
mod go;
mod header;
mod links;
mod pages;
pub(crate) mod plot;
mod recording;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{cargo, check, target_dir};
use crate::text_file;
use crate::tools;

/// The crates whose rustdoc is part of the site.
const CRATES: [&str; 5] =
    ["cortexkey-core", "cortexkey-client", "cortexkey-manifest", "cortexkey-lint", "cortexkey-api"];

/// Builds the site and checks links, anchors, and the number of clicks to each page.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let source = target_dir(root).join("site-src");
    let site = folder(root);
    empty(&source)?;
    let docs = source.join("docs");
    let pages = pages::collect(root, &docs)?;
    assets(root, &docs)?;
    let settings = fs::read_to_string(root.join("docs/site/mkdocs.yml"))
        .map_err(|error| format!("docs/site/mkdocs.yml: {error}"))?;
    write(&source.join("mkdocs.yml"), &(settings + &pages::navigation(&pages)))?;
    let mut build = Command::new(tools::environment(root, "docs")?.join("mkdocs"));
    build.args(["build", "--strict", "--quiet", "--site-dir"]).arg(&site).current_dir(&source);
    // The theme advertises its successor, which is irrelevant in the log.
    build.env("NO_MKDOCS_2_WARNING", "1").env("DISABLE_MKDOCS_2_WARNING", "true");
    check(&mut build)?;
    search_of_files(root, &site)?;
    rustdoc(root, &site)?;
    built::check(&site)?;
    println!("{}", site.join("index.html").display());
    Ok(())
}

/// Where the site is.
pub(crate) fn folder(root: &Path) -> PathBuf {
    target_dir(root).join("site")
}

fn assets(root: &Path, docs: &Path) -> Result<(), String> {
    let assets = docs.join("assets");
    fs::create_dir_all(&assets).map_err(|error| format!("{}: {error}", assets.display()))?;
    for name in ["site.css", "site.js"] {
        let from = root.join("docs/site").join(name);
        fs::copy(&from, assets.join(name)).map_err(|error| format!("{name}: {error}"))?;
    }
    Ok(())
}

/// What lets the search work when the site is opened as files. The theme would load it from
/// elsewhere.
const SHIM: &str = "https://unpkg.com/iframe-worker/shim";

/// Copies that script into the site, from the package that `docs/site/package-lock.json` pins.
fn search_of_files(root: &Path, site: &Path) -> Result<(), String> {
    let folder = target_dir(root).join("site-node");
    empty(&folder)?;
    for name in ["package.json", "package-lock.json"] {
        copy(&root.join("docs/site").join(name), &folder.join(name))?;
    }
    tools::npm(&folder)?;
    let here = "assets/javascripts/iframe-worker.js";
    copy(&folder.join("node_modules/iframe-worker/shim/index.js"), &site.join(here))?;
    for path in built::pages(site)? {
        let file = site.join(&path);
        let html =
            fs::read_to_string(&file).map_err(|error| format!("{}: {error}", path.display()))?;
        let up = "../".repeat(path.components().count() - 1);
        write(&file, &accessible::fix(&html.replace(SHIM, &format!("{up}{here}"))))?;
    }
    Ok(())
}

/// Builds the crates' documentation into the site, where `reference/rust.md` links to it.
fn rustdoc(root: &Path, site: &Path) -> Result<(), String> {
    let mut doc = cargo(root);
    doc.args(["doc", "--quiet", "--locked", "--no-deps"]);
    for name in CRATES {
        doc.args(["-p", name]);
    }
    check(doc.env("RUSTDOCFLAGS", "-D warnings"))?;
    let from = target_dir(root).join("doc");
    let to = site.join("rust");
    fs::create_dir_all(&to).map_err(|error| format!("{}: {error}", to.display()))?;
    for name in CRATES.map(|name| name.replace('-', "_")).iter().map(String::as_str) {
        copy(&from.join(name), &to.join(name))?;
    }
    // Files that every crate's pages use.
    for name in ["static.files", "search.index", "src-files.js", "crates.js"] {
        if from.join(name).exists() {
            copy(&from.join(name), &to.join(name))?;
        }
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    if from.is_file() {
        return fs::copy(from, to).map(drop).map_err(failed);
    }
    fs::create_dir_all(to).map_err(failed)?;
    for entry in fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        copy(&entry.path(), &to.join(entry.file_name()))?;
    }
    Ok(())
}

fn empty(folder: &Path) -> Result<(), String> {
    if folder.exists() {
        fs::remove_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    }
    text_file::write(path, text)
}
