//! The C header as Markdown: functions first, then structures and constants, each with its comment.

/// A comment, and what it documents.
struct Item<'a> {
    comment: String,
    declaration: &'a str,
}

/// Whether an item belongs to a group.
type Belongs = fn(&Item<'_>) -> bool;

/// The page of the C header.
pub(super) fn markdown(header: &str) -> String {
    let (about, items) = read(header);
    let mut out = format!("# C\n\n{about}\n");
    let groups: [(&str, Belongs); 3] = [
        ("Functions", |item| item.declaration.contains('(') && !item.declaration.starts_with('#')),
        ("Types", |item| item.declaration.starts_with("typedef")),
        ("Constants", |item| item.declaration.starts_with("#define")),
    ];
    for (name, belongs) in groups {
        out += &format!("\n## {name}\n");
        for item in items.iter().filter(|item| belongs(item)) {
            out += &show(item);
        }
    }
    out
}

/// The page of the C++ header, which is short and documented by its comments.
pub(super) fn cpp(header: &str) -> String {
    let about = comment(header).map(|(comment, _)| comment).unwrap_or_default();
    format!("# C++\n\n{}\n\n## The header\n\n```cpp\n{}\n```\n", about.trim(), header.trim())
}

fn show(item: &Item<'_>) -> String {
    let Some(name) = name(item.declaration) else { return String::new() };
    format!("\n### `{name}`\n\n```c\n{}\n```\n\n{}\n", item.declaration.trim(), item.comment.trim())
}

/// The comment of the file, and everything that has a comment.
fn read(header: &str) -> (String, Vec<Item<'_>>) {
    let mut rest = header;
    let about = match comment(rest) {
        Some((about, after)) => {
            rest = after;
            about
        }
        None => String::new(),
    };
    let mut items = Vec::new();
    while let Some((comment, after)) = comment(rest) {
        let declaration = declaration(after);
        rest = &after[declaration.len()..];
        items.push(Item { comment, declaration: declaration.trim() });
    }
    (about, items)
}

/// The next comment, without its marks, and what follows it.
fn comment(text: &str) -> Option<(String, &str)> {
    let begin = text.find("/**")?;
    let end = begin + text[begin..].find("*/")?;
    let lines = text[begin + 3..end].lines().map(|line| {
        let line = line.trim_start();
        let line = line.strip_prefix("* ").or_else(|| line.strip_prefix('*')).unwrap_or(line);
        // `# Safety` must not become a heading of the page.
        match line.strip_prefix("# ") {
            Some(heading) => format!("**{heading}**"),
            None if line.starts_with("@file") => String::new(),
            None => line.to_owned(),
        }
    });
    Some((lines.collect::<Vec<_>>().join("\n").trim().to_owned(), &text[end + 2..]))
}

/// The item that a comment precedes: a macro's line, a structure up to its name, or up to the
/// semicolon.
fn declaration(text: &str) -> &str {
    let start = text.len() - text.trim_start().len();
    let body = &text[start..];
    let end = if body.starts_with("typedef struct")
        && body.split(';').next().is_some_and(|one| one.contains('{'))
    {
        let close = body.find("\n}").map_or(body.len(), |at| at + 2);
        close + body[close..].find(';').map_or(0, |at| at + 1)
    } else if body.starts_with('#') {
        body.find('\n').unwrap_or(body.len())
    } else {
        body.find(';').map_or(body.len(), |at| at + 1)
    };
    &text[..start + end]
}

fn name(declaration: &str) -> Option<&str> {
    let word_before = |text: &'_ str| -> Option<std::ops::Range<usize>> {
        let end = text.trim_end().len();
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let start = text[..end].rfind(|c| !is_word(c)).map_or(0, |at| at + 1);
        (start < end).then_some(start..end)
    };
    if let Some(rest) = declaration.strip_prefix("#define ") {
        return rest.split([' ', '(', '\n']).next();
    }
    let upto = if declaration.starts_with("typedef") {
        declaration.rfind(';')?
    } else {
        declaration.find('(')?
    };
    word_before(&declaration[..upto]).map(|range| &declaration[range])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_function_type_and_constant_of_the_header_is_on_the_page() {
        let header = std::fs::read_to_string(crate::root().join("include/cortexkey.h")).unwrap();
        let page = markdown(&header);
        let words = header.split(|c: char| !c.is_alphanumeric() && c != '_');
        let declared = header.lines().filter_map(|line| {
            let line = line.strip_prefix("CXK_API ").unwrap_or(line);
            let line = line.strip_prefix("CXK_MUST_USE ").unwrap_or(line);
            let call = line.split('(').next()?;
            let is_function =
                line.contains('(') && line.starts_with(|c: char| c.is_ascii_lowercase());
            is_function.then(|| call.rsplit([' ', '*']).next().unwrap_or_default())
        });
        let mut count = 0;
        for function in declared.filter(|name| name.starts_with("cxk_")) {
            assert!(page.contains(&format!("\n### `{function}`\n")), "{function}");
            count += 1;
        }
        assert!(count > 20, "{count}");
        for name in ["cxk_headers", "cxk_principal", "CXK_VERSION", "CXK_VERDICT_REPLAYED"] {
            assert!(words.clone().any(|word| word == name));
            assert!(page.contains(&format!("\n### `{name}`\n")), "{name}");
        }
    }
}
