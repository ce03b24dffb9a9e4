//! Converts links between documents from the repository's form to the site's, and adds the blank
//! lines that MkDocs' Markdown needs where GitHub's does not.

use std::collections::BTreeMap;
use std::path::{Component, Path, PathBuf};

/// The address of files that are not on the site.
const REPOSITORY: &str = "https://github.com/cortexkey/cortexkey/blob/main";

/// The text with its relative links adapted to its place on the site.
pub(super) fn rewrite(
    root: &Path,
    source: &str,
    place: &str,
    text: &str,
    places: &BTreeMap<String, String>,
) -> Result<String, String> {
    // The site's own pages are written for the site.
    if source.starts_with("docs/site/") {
        return Ok(text.to_owned());
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("](") {
        let (before, after) = rest.split_at(at + 2);
        out += before;
        let end = after.find(')').ok_or_else(|| format!("{source}: a link does not end"))?;
        out += &one(root, source, place, &after[..end], places)?;
        rest = &after[end..];
    }
    Ok(out + rest)
}

fn one(
    root: &Path,
    source: &str,
    place: &str,
    link: &str,
    places: &BTreeMap<String, String>,
) -> Result<String, String> {
    let (path, anchor) =
        link.split_once('#').map_or((link, None), |(path, anchor)| (path, Some(anchor)));
    if path.is_empty() || link.contains("://") || link.starts_with("mailto:") {
        return Ok(link.to_owned());
    }
    let anchor = anchor.map(|anchor| format!("#{anchor}")).unwrap_or_default();
    let target = normal(&Path::new(source).parent().unwrap_or(Path::new("")).join(path))?;
    if let Some(there) = places.get(&target) {
        return Ok(relative(place, there) + &anchor);
    }
    if root.join(&target).exists() {
        return Ok(format!("{REPOSITORY}/{target}{anchor}"));
    }
    Err(format!("{source}: links to {link}, which is not there"))
}

/// A path without `.` and `..`.
fn normal(path: &Path) -> Result<String, String> {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::Normal(name) => out.push(name),
            Component::CurDir => {}
            Component::ParentDir if out.pop() => {}
            _ => return Err(format!("{}: leads out of the repository", path.display())),
        }
    }
    Ok(out.to_string_lossy().replace('\\', "/"))
}

/// The relative path from one page to another.
fn relative(from: &str, to: &str) -> String {
    let depth = from.matches('/').count();
    format!("{}{to}", "../".repeat(depth))
}

/// The text with a blank line before each list and table that follows a paragraph, and nested lists
/// indented by four.
pub(super) fn with_blank_lines(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut previous = "";
    let mut is_code = false;
    for line in text.lines() {
        let is_fence = line.trim_start().starts_with("```");
        let item = line.trim_start();
        let is_item = item.starts_with("- ")
            || item.split_once(". ").is_some_and(|(number, _)| {
                !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
            });
        let is_new = |begins: fn(&str) -> bool| {
            !previous.trim().is_empty() && !begins(previous) && !previous.starts_with(' ')
        };
        let begins_list = is_item
            && !line.starts_with(' ')
            && is_new(|previous| {
                previous.starts_with("- ") || previous.starts_with(|c: char| c.is_ascii_digit())
            });
        let begins_table = line.starts_with('|') && is_new(|previous| previous.starts_with('|'));
        if !is_code && (begins_list || begins_table) {
            out.push('\n');
        }
        let indent = line.len() - item.len();
        if !is_code && is_item && indent > 0 && indent < 4 {
            out += "    ";
            out += item;
        } else {
            out += line;
        }
        out.push('\n');
        is_code ^= is_fence;
        previous = line;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_follow_their_pages() {
        let root = crate::root();
        let places = BTreeMap::from([
            ("docs/verdicts.md".to_owned(), "reference/verdicts.md".to_owned()),
            ("README.md".to_owned(), "guides/start.md".to_owned()),
        ]);
        let of =
            |source: &str, place: &str, text: &str| rewrite(&root, source, place, text, &places);
        assert_eq!(
            of("docs/tenant.md", "guides/tenant.md", "[a](verdicts.md#b) [c](../README.md)")
                .unwrap(),
            "[a](../reference/verdicts.md#b) [c](../guides/start.md)"
        );
        assert_eq!(
            of("README.md", "guides/start.md", "[a](include/cortexkey.h)").unwrap(),
            format!("[a]({REPOSITORY}/include/cortexkey.h)")
        );
        of("README.md", "guides/start.md", "[a](no-such-file.md)").unwrap_err();
        of("README.md", "guides/start.md", "[a](../outside.md)").unwrap_err();
    }

    #[test]
    fn lists_and_tables_stand_apart() {
        let text = "a\n- b\n  - c\n- d\n\n1. e\nf\n| g |\n```\nh\n- i\n```\n";
        let expected = "a\n\n- b\n    - c\n- d\n\n1. e\nf\n\n| g |\n```\nh\n- i\n```\n";
        assert_eq!(with_blank_lines(text), expected);
    }
}
