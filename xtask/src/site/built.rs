//! Checks the built site: every link leads to a file, every anchor to an element, nothing is loaded from
//! elsewhere, and every page is two clicks from the start.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::run::check as run;

/// Checks all pages but rustdoc's own, which rustdoc checks.
pub(super) fn check(site: &Path) -> Result<(), String> {
    let pages = read(site)?;
    let mut problems = Vec::new();
    for (path, page) in &pages {
        for link in &page.links {
            if let Some(problem) = problem(site, path, link, &pages) {
                problems.push(format!("{}: {problem}", path.display()));
            }
        }
    }
    problems.extend(
        far(&pages)
            .into_iter()
            .map(|path| format!("{}: more than two clicks from the start", path.display())),
    );
    if problems.is_empty() { Ok(()) } else { Err(problems.join("\n")) }
}

struct Page {
    links: Vec<Link>,
    anchors: BTreeSet<String>,
}

struct Link {
    target: String,
    /// Whether the browser loads it automatically.
    is_loaded: bool,
}

fn read(site: &Path) -> Result<BTreeMap<PathBuf, Page>, String> {
    let mut read = BTreeMap::new();
    for path in pages(site)? {
        let text = fs::read_to_string(site.join(&path))
            .map_err(|error| format!("{}: {error}", path.display()))?;
        read.insert(path, page(&text));
    }
    Ok(read)
}

/// The site's own pages: not rustdoc's.
pub(super) fn pages(site: &Path) -> Result<Vec<PathBuf>, String> {
    let mut find = std::process::Command::new("find");
    find.args([".", "-name", "*.html", "-not", "-path", "./rust/*"]).current_dir(site);
    Ok(run(&mut find)?.lines().map(|path| normal(Path::new(path))).collect())
}

fn page(html: &str) -> Page {
    let mut page = Page { links: Vec::new(), anchors: BTreeSet::new() };
    for tag in html.split('<').skip(1).filter_map(|rest| rest.split('>').next()) {
        let attribute = |name: &str| {
            // Values in quotes, or bare, as in the theme's own pages.
            let at = tag.find(&format!(" {name}="))? + name.len() + 2;
            let value = &tag[at..];
            let value = match value.chars().next()? {
                quote @ ('"' | '\'') => value[1..].split(quote).next()?,
                _ => value.split([' ', '/']).next()?,
            };
            Some(value.replace("&amp;", "&"))
        };
        page.anchors.extend(attribute("id"));
        page.anchors.extend(attribute("name"));
        let is_link = tag.starts_with("a ") || tag.starts_with("a\n");
        if let Some(target) = attribute("href").filter(|_| is_link) {
            page.links.push(Link { target, is_loaded: false });
        }
        let source = attribute("src");
        let sheet =
            attribute("href").filter(|_| tag.starts_with("link ") && !tag.contains("canonical"));
        page.links
            .extend(source.into_iter().chain(sheet).map(|target| Link { target, is_loaded: true }));
    }
    page
}

fn problem(
    site: &Path,
    from: &Path,
    link: &Link,
    pages: &BTreeMap<PathBuf, Page>,
) -> Option<String> {
    let target = link.target.as_str();
    if target.starts_with("data:")
        || target.starts_with("mailto:")
        || target.starts_with("javascript:")
    {
        return None;
    }
    if target.contains("://") || target.starts_with("//") {
        return link.is_loaded.then(|| format!("loads {target} from elsewhere"));
    }
    let (path, anchor) = target.split_once('#').unwrap_or((target, ""));
    let path = path.split('?').next().unwrap_or_default();
    let there = if path.is_empty() {
        from.to_owned()
    } else if let Some(path) = path.strip_prefix('/') {
        // Error pages are served from any path.
        PathBuf::from(path)
    } else {
        normal(&from.parent().unwrap_or(Path::new("")).join(path))
    };
    let file = site.join(&there);
    if !file.exists() {
        return Some(format!("links to {target}, which is not there"));
    }
    let page = pages.get(&there)?;
    let is_missing = !anchor.is_empty() && !page.anchors.contains(anchor);
    is_missing.then(|| format!("links to {target}, and there is no such anchor"))
}

/// Pages that two clicks do not reach.
fn far(pages: &BTreeMap<PathBuf, Page>) -> Vec<PathBuf> {
    let start = PathBuf::from("index.html");
    let mut clicks = BTreeMap::from([(start.clone(), 0)]);
    let mut open = VecDeque::from([start]);
    while let Some(path) = open.pop_front() {
        let count = clicks[&path];
        let Some(page) = pages.get(&path) else { continue };
        for link in page.links.iter().filter(|link| !link.is_loaded) {
            let target = link.target.split(['#', '?']).next().unwrap_or_default();
            if target.is_empty() || target.contains("://") {
                continue;
            }
            let there = normal(&path.parent().unwrap_or(Path::new("")).join(target));
            if count < 2 && pages.contains_key(&there) && !clicks.contains_key(&there) {
                clicks.insert(there.clone(), count + 1);
                open.push_back(there);
            }
        }
    }
    let is_error = |path: &&PathBuf| path.as_os_str() == "404.html";
    pages.keys().filter(|path| !clicks.contains_key(*path) && !is_error(path)).cloned().collect()
}

fn normal(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(out.pop()),
            Component::Normal(name) => out.push(name),
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn site(files: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        folder
    }

    #[test]
    fn a_sound_site_passes_and_each_fault_is_found() {
        let start = "<a href=\"a/b.html#here\">b</a>";
        let good =
            [("index.html", start), ("a/b.html", "<h1 id=\"here\"><a href='../index.html'>")];
        check(site(&good).path()).unwrap();
        for (name, text) in [
            ("a/b.html", "no anchor"),
            ("a/b.html", "<p id=here><img src=\"https://example.org/a.png\">"),
            ("a/b.html", "<p id=\"here\"><a href=\"c.html\">"),
            ("index.html", "no link"),
        ] {
            let files: Vec<_> =
                good.iter().map(|file| if file.0 == name { (name, text) } else { *file }).collect();
            check(site(&files).path()).unwrap_err();
        }
    }

    #[test]
    fn three_clicks_are_too_many() {
        let link = |to: &str| format!("<a href=\"{to}\">");
        let one = link("1.html");
        let two = link("2.html");
        let three = link("3.html");
        let files = [("index.html", &*one), ("1.html", &*two), ("2.html", &*three), ("3.html", "")];
        assert!(check(site(&files).path()).unwrap_err().starts_with("3.html"));
        check(site(&files[..2]).path()).unwrap_err();
    }
}
