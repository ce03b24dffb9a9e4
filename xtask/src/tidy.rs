//! Checks what no other tool does. It runs as a test of this crate, too.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::cycles::Crate;
use crate::run::check;
use crate::words;

/// Prints what is untidy; an error where anything is.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let problems = problems(root)?;
    for problem in &problems {
        println!("{problem}");
    }
    if problems.is_empty() { Ok(()) } else { Err(format!("{} untidy places", problems.len())) }
}

fn problems(root: &Path) -> Result<Vec<String>, String> {
    let mut git = Command::new("git");
    git.args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"]).current_dir(root);
    let listing = check(&mut git)?;
    let files: Vec<File> = listing
        .split('\0')
        .filter(|path| !path.is_empty())
        .filter_map(|path| {
            // Binary files have no text to be untidy.
            let text = fs::read_to_string(root.join(path)).ok()?;
            Some(File { path, text })
        })
        .collect();
    let mut problems = Vec::new();
    for file in &files {
        module_comment(file, &mut problems);
        marks(file, &mut problems);
        if !file.is_generated() {
            words::check(file.path, &file.text, &mut problems);
        }
        links(root, file, &mut problems);
        lint_tables(file, &mut problems);
        dependency_reasons(file, &mut problems);
    }
    package_comments(&files, &mut problems);
    module_cycles(&files, &mut problems);
    invariants(&files, &mut problems);
    Ok(problems)
}

struct File<'a> {
    path: &'a str,
    text: String,
}

impl File<'_> {
    fn is(&self, extension: &str) -> bool {
        Path::new(self.path).extension().is_some_and(|found| found == extension)
    }

    /// Made by a tool, which has its own idea of form.
    fn is_generated(&self) -> bool {
        [
            "Cargo.lock",
            "go.sum",
            "include/cortexkey.h",
            "internal/capi/cortexkey.h",
            "public-api.txt",
        ]
        .iter()
        .any(|name| self.path.ends_with(name))
            || self.is("snap")
    }
}

/// In no crate do modules use each other in a circle.
fn module_cycles(files: &[File], problems: &mut Vec<String>) {
    for folder in files.iter().filter_map(|file| file.path.strip_suffix("Cargo.toml")) {
        let source = format!("{folder}src/");
        let of_crate = files.iter().filter(|file| file.is("rs")).filter_map(|file| {
            let path = file.path.strip_prefix(source.as_str())?;
            // Tests may use everything, and each program is a crate of its own.
            let mut parts = path.split('/');
            let is_apart = parts.any(|part| ["tests", "tests.rs", "bin"].contains(&part));
            (!is_apart).then_some((path, &*file.text))
        });
        let cycles = Crate::read(of_crate).map(|read| read.cycles());
        let cycles = cycles.unwrap_or_else(|error| vec![error]);
        problems.extend(cycles.into_iter().map(|cycle| format!("{source}: {cycle}")));
    }
}

fn module_comment(file: &File, problems: &mut Vec<String>) {
    if file.is("rs") && !file.text.starts_with("//!") {
        problems.push(format!("{}: does not begin with `//!`: say what it is for", file.path));
    }
}

/// In Go the package is the module; one of its files has the comment.
fn package_comments(files: &[File], problems: &mut Vec<String>) {
    let folder = |file: &File| Path::new(file.path).parent().map(Path::to_path_buf);
    let folders: BTreeSet<_> = files.iter().filter(|file| file.is("go")).map(folder).collect();
    for wanted in folders {
        let in_folder = files.iter().filter(|file| file.is("go") && folder(file) == wanted);
        if !in_folder.into_iter().any(|file| file.text.contains("// Package ")) {
            let folder = wanted.unwrap_or_default();
            problems.push(format!("{}: no file has a package comment", folder.display()));
        }
    }
}

/// Words that a finished file does not have, and paths of one machine.
fn marks(file: &File, problems: &mut Vec<String>) {
    // Written so that this file does not hold them.
    let marks = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")];
    let paths = [concat!("/ro", "ot/"), concat!("/ho", "me/"), concat!("/wo", "rk/")];
    // Rules that look for placeholders name them, in code and in their documents.
    let names_marks = ["rules/secret", "comment_missing", "comment-missing", "policies"]
        .iter()
        .any(|place| file.path.contains(place));
    for (number, line) in file.text.lines().enumerate() {
        let mark = marks.iter().find(|mark| {
            line.split(|c: char| !c.is_ascii_alphanumeric()).any(|word| word == **mark)
        });
        let found = mark.filter(|_| !names_marks && !file.is_generated());
        if let Some(found) = found.or_else(|| paths.iter().find(|path| line.contains(**path))) {
            problems.push(format!("{}:{}: holds `{found}`", file.path, number + 1));
        }
    }
}

/// Relative links in documents lead to files, and to headings where they say so.
fn links(root: &Path, file: &File, problems: &mut Vec<String>) {
    if !file.is("md") {
        return;
    }
    for link in file.text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
        if link.contains("://") || link.starts_with("mailto:") {
            continue;
        }
        let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
        let here = root.join(file.path);
        let target =
            if path.is_empty() { here.clone() } else { here.parent().unwrap_or(root).join(path) };
        if !target.exists() {
            problems.push(format!("{}: links to {link}, which is not there", file.path));
        } else if !anchor.is_empty() && !has_heading(&target, anchor) {
            problems.push(format!("{}: links to {link}, which has no such heading", file.path));
        }
    }
}

fn has_heading(document: &Path, anchor: &str) -> bool {
    let slug = |heading: &str| -> String {
        let kept = heading.trim_start_matches('#').trim().to_lowercase();
        let kept = kept.chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    let text = fs::read_to_string(document).unwrap_or_default();
    text.lines().any(|line| line.starts_with('#') && slug(line) == anchor)
}

/// Every crate takes the workspace's lints, but the two that may hold unsafe code.
fn lint_tables(file: &File, problems: &mut Vec<String>) {
    let own = ["crates/capi/Cargo.toml", "crates/kernels/Cargo.toml", "Cargo.toml"];
    let is_manifest = file.path.ends_with("Cargo.toml");
    if is_manifest && !own.contains(&file.path) && !file.text.contains("[lints]\nworkspace = true")
    {
        problems.push(format!("{}: does not take the workspace's lints", file.path));
    }
}

/// Every dependency of the workspace says in a word why it is there.
fn dependency_reasons(file: &File, problems: &mut Vec<String>) {
    if file.path != "Cargo.toml" {
        return;
    }
    let dependencies = file.text.split("[workspace.dependencies]").nth(1).unwrap_or_default();
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    for line in dependencies.lines().filter(|line| line.contains(" = ")) {
        if !line.contains("path = ") && !line.contains(" # ") && !line.starts_with('#') {
            problems.push(format!("Cargo.toml: no reason beside: {line}"));
        }
    }
}

/// Every invariant of ARCHITECTURE.md names a test, and the test is there.
fn invariants(files: &[File], problems: &mut Vec<String>) {
    let Some(document) = files.iter().find(|file| file.path == "ARCHITECTURE.md") else {
        problems.push("ARCHITECTURE.md is missing".into());
        return;
    };
    let mut numbers = BTreeSet::new();
    for paragraph in document.text.split("\n\n").filter(|text| text.starts_with("**INV-")) {
        let number = paragraph.split("**").nth(1).unwrap_or_default();
        if !numbers.insert(number) {
            problems.push(format!("ARCHITECTURE.md: {number} is there twice"));
        }
        let tests = paragraph.split("Test:").nth(1).unwrap_or_default();
        let mut names = tests.split('`').skip(1).step_by(2).peekable();
        if names.peek().is_none() {
            problems.push(format!("ARCHITECTURE.md: {number} names no test"));
        }
        for name in names {
            let functions = [format!("fn {name}("), format!("func {name}(")];
            let exists = files.iter().any(|file| {
                file.path == name || functions.iter().any(|function| file.text.contains(function))
            });
            // What writes files is no check of them.
            let generates = |file: &&File| file.path == name && file.text.contains("fs::write(");
            if name.starts_with("xtask/") && files.iter().any(|file| generates(&file)) {
                problems.push(format!("ARCHITECTURE.md: {number}: {name} generates what it tests"));
            }
            if !exists {
                problems.push(format!("ARCHITECTURE.md: {number}: there is no test `{name}`"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_repository_is_tidy() {
        let problems = super::problems(&crate::root()).unwrap();
        assert!(problems.is_empty(), "\n{}\n", problems.join("\n"));
    }
}
