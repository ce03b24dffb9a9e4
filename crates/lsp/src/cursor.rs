//! [`Cursor`]: the field of a format at a position of a text.
//!
//! It depends on the indentation of blocks and on the brackets of the line, because a text that is being
//! typed is often not valid YAML.

use cortexkey_manifest::format::{
    FieldKind, FieldSpec, KEY, KEY_KIND, Mapping, POLICY, POLICY_KIND,
};

/// A position in a mapping.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// The fields of the line's mapping; `None` if the format has none there.
    pub(crate) mapping: Option<&'static Mapping>,
    /// The field whose value is at the position.
    pub(crate) field: Option<&'static FieldSpec>,
    /// Whether the position is at a value or an item of a list.
    pub(crate) is_value: bool,
    /// The names from the document's root, including that field.
    pub(crate) path: Vec<String>,
    /// The names that the mapping already has.
    pub(crate) present: Vec<String>,
}

impl Cursor {
    /// Finds the field at a byte of a line.
    pub(crate) fn at(text: &str, line: usize, column: usize) -> Self {
        let lines: Vec<&str> = text.lines().collect();
        let begins = |line: &&str| line.starts_with("---");
        let first = lines[..line.min(lines.len())].iter().rposition(begins).map_or(0, |at| at + 1);
        let after = lines[first..].iter().skip(1).position(begins);
        let document = &lines[first..after.map_or(lines.len(), |at| first + 1 + at)];
        let at = line.saturating_sub(first);
        let current = document.get(at).copied().unwrap_or_default();
        let before = current.get(..column).unwrap_or(current);
        let own = Line::of(current);
        if let Some(flow) = Flow::at(current, before.len(), own.indent) {
            let is_item = own.is_item && own.key.is_none();
            let mut path = parents(document, at, own.indent, is_item);
            path.extend(flow.path);
            let mapping = walk(root(document), &path);
            let field = if flow.is_value { field(root(document), &path) } else { None };
            return Self { mapping, field, is_value: flow.is_value, path, present: flow.present };
        }
        let is_value = own.key.is_some_and(|key| before.len() > own.indent + key.len());
        let is_item = own.is_item && own.key.is_none();
        let mut path = parents(document, at, own.indent, is_item);
        let mapping = walk(root(document), &path);
        let present = siblings(document, at, own.indent);
        if is_value {
            path.extend(own.key.map(str::to_owned));
        }
        let is_value = is_value || is_item;
        let field = if is_value { field(root(document), &path) } else { None };
        Self { mapping, field, is_value, path, present }
    }
}

/// The contents of a line of a block mapping.
struct Line<'l> {
    /// The start of its key or value, after the dashes of items.
    indent: usize,
    is_item: bool,
    key: Option<&'l str>,
}

impl<'l> Line<'l> {
    fn of(line: &'l str) -> Self {
        let mut rest = line.trim_start_matches(' ');
        let mut is_item = false;
        while let Some(item) = rest.strip_prefix("- ").or_else(|| (rest == "-").then_some("")) {
            is_item = true;
            rest = item.trim_start_matches(' ');
        }
        let indent = line.len() - rest.len();
        let key = rest.split_once(':').filter(|(key, value)| {
            let is_name =
                key.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
            is_name && !key.is_empty() && (value.is_empty() || value.starts_with(' '))
        });
        Self { indent, is_item, key: key.map(|(key, _)| key) }
    }
}

/// A position between the brackets of a line.
struct Flow {
    /// The keys from the line's own to the innermost one.
    path: Vec<String>,
    /// Whether it is at a value, or at an item of a list.
    is_value: bool,
    /// The keys of its mapping.
    present: Vec<String>,
}

/// A pair of brackets, or the line around them.
#[derive(Default)]
struct Brackets {
    is_mapping: bool,
    /// The key whose value is being read.
    key: Option<String>,
    present: Vec<String>,
}

impl Flow {
    /// The innermost brackets around a byte of a line; `None` if there are none.
    fn at(line: &str, column: usize, start: usize) -> Option<Self> {
        let mut all = vec![Brackets { is_mapping: true, ..Brackets::default() }];
        let mut open = vec![0];
        let mut token = start;
        let mut quote = None;
        let mut found = None;
        let state = |all: &[Brackets], open: &[usize]| {
            let path = open.iter().filter_map(|at| all[*at].key.clone()).collect();
            let innermost = *open.last()?;
            let is_value = !all[innermost].is_mapping || all[innermost].key.is_some();
            (open.len() > 1).then_some((innermost, path, is_value))
        };
        for (at, c) in line.char_indices().skip_while(|(at, _)| *at < start) {
            if at >= column && found.is_none() {
                found = Some(state(&all, &open)?);
            }
            if let Some(mark) = quote {
                quote = (c != mark).then_some(mark);
                continue;
            }
            let innermost = &mut all[*open.last()?];
            match c {
                '"' | '\'' => quote = Some(c),
                '#' if line[..at].ends_with(' ') => break,
                '{' | '[' => {
                    open.push(all.len());
                    all.push(Brackets { is_mapping: c == '{', ..Brackets::default() });
                    token = at + 1;
                }
                '}' | ']' if open.len() > 1 => {
                    open.pop();
                    token = at + 1;
                }
                ',' if open.len() > 1 => {
                    innermost.key = None;
                    token = at + 1;
                }
                ':' if innermost.is_mapping && is_end_of_key(&line[at + 1..]) => {
                    let key = line[token..at].trim().trim_matches(['"', '\'']).to_owned();
                    innermost.present.push(key.clone());
                    innermost.key = Some(key);
                    token = at + 1;
                }
                _ => {}
            }
        }
        let (brackets, path, is_value) = found.map_or_else(|| state(&all, &open), Some)?;
        Some(Self { path, is_value, present: core::mem::take(&mut all[brackets].present) })
    }
}

fn is_end_of_key(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(' ')
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// The keys above a line that contain it, from the root.
fn parents(document: &[&str], at: usize, indent: usize, is_item: bool) -> Vec<String> {
    let mut path = Vec::new();
    let mut limit = indent;
    // The items of a list may be indented like its key.
    let mut may_equal = is_item;
    for line in document[..at.min(document.len())].iter().rev().filter(|line| !is_blank(line)) {
        let found = Line::of(line);
        let holds =
            found.indent < limit || may_equal && !found.is_item && found.indent + 2 == limit;
        if let Some(key) = found.key.filter(|_| holds) {
            path.push(key.to_owned());
            let dash = line.len() - line.trim_start_matches(' ').len();
            limit = if found.is_item { dash } else { found.indent };
            may_equal = found.is_item;
            if found.is_item {
                limit += 2;
            }
        }
    }
    path.reverse();
    path
}

/// The keys of the line's mapping.
fn siblings(document: &[&str], at: usize, indent: usize) -> Vec<String> {
    let same = |lines: &mut dyn Iterator<Item = &&str>| {
        let mut keys = Vec::new();
        for line in lines.filter(|line| !is_blank(line)) {
            let found = Line::of(line);
            if found.indent < indent {
                break;
            }
            if let Some(key) = found.key.filter(|_| found.indent == indent) {
                keys.push(key.to_owned());
            }
            if found.is_item && found.indent == indent {
                break;
            }
        }
        keys
    };
    let at = at.min(document.len());
    let mut keys = same(&mut document[..at].iter().rev());
    keys.extend(same(&mut document[at..].iter().skip(1)));
    keys
}

/// The format of a document, by its `kind`.
fn root(document: &[&str]) -> &'static Mapping {
    let kind = document.iter().find_map(|line| line.strip_prefix("kind:"));
    let kind = kind.map(|kind| kind.split('#').next().unwrap_or_default().trim());
    match kind {
        Some(kind) if kind.trim_matches(['"', '\'']) == POLICY_KIND => &POLICY,
        None if document
            .iter()
            .any(|line| line.starts_with("rules:") || line.starts_with("keys:")) =>
        {
            &POLICY
        }
        _ => {
            debug_assert_ne!(KEY_KIND, POLICY_KIND);
            &KEY
        }
    }
}

fn walk(root: &'static Mapping, path: &[String]) -> Option<&'static Mapping> {
    let mut mapping = root;
    let mut names = path.iter();
    while let Some(name) = names.next() {
        let kind = &mapping.field(name)?.kind;
        if matches!(kind, FieldKind::Map(_) | FieldKind::Rules(_)) {
            // Any name stands for an entry of it.
            names.next()?;
        }
        mapping = kind.mapping()?;
    }
    Some(mapping)
}

fn field(root: &'static Mapping, path: &[String]) -> Option<&'static FieldSpec> {
    let (last, parents) = path.split_last()?;
    walk(root, parents)?.field(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: a
  owner: team
  approvals:
    - by: me
      ticket: T-1
spec:
  securityLevel: advanced
  roles:
  - Viewer
  scope:
    assets:
      mode: none

---
kind: Policy
rules:
  expiry-too-long:
    max: 90d
";

    fn at(line: usize, column: usize) -> (String, Option<&'static str>) {
        let cursor = Cursor::at(KEY, line, column);
        (cursor.path.join("."), cursor.field.map(|field| field.name))
    }

    #[test]
    fn the_path_follows_from_indentation() {
        assert_eq!(at(3, 8), ("metadata.name".to_owned(), Some("name")));
        assert_eq!(at(3, 3), ("metadata".to_owned(), None));
        assert_eq!(at(7, 15), ("metadata.approvals.ticket".to_owned(), Some("ticket")));
        assert_eq!(at(9, 20), ("spec.securityLevel".to_owned(), Some("securityLevel")));
        assert_eq!(at(11, 5), ("spec.roles".to_owned(), Some("roles")));
        assert_eq!(at(14, 12), ("spec.scope.assets.mode".to_owned(), Some("mode")));
        let of_policy = Cursor::at(KEY, 20, 4);
        assert_eq!(of_policy.path, ["rules", "expiry-too-long"]);
        assert!(of_policy.mapping.is_some());
    }

    #[test]
    fn brackets_of_a_line_are_mappings_and_lists() {
        let whole = "spec:\n  scope:\n    assets: { mode: select, groups: [a, \"}\"], ids: [1] } # {\n\
                    metadata: { name: x, o }\nroles: [a] \n";
        let cursor = |line: usize, after: &str| {
            let text = whole.lines().nth(line).unwrap_or_default();
            let column = text.find(after).map_or(0, |at| at + after.len());
            Cursor::at(whole, line, column)
        };
        let path = |line: usize, after: &str| {
            let cursor = cursor(line, after);
            (cursor.path.join("."), cursor.field.map(|field| field.name))
        };
        assert_eq!(path(2, "mode: "), ("spec.scope.assets.mode".to_owned(), Some("mode")));
        assert_eq!(path(2, "[a, "), ("spec.scope.assets.groups".to_owned(), Some("groups")));
        assert_eq!(path(2, "\"}\"").0, "spec.scope.assets.groups");
        assert_eq!(path(2, "}\"], "), ("spec.scope.assets".to_owned(), None));
        assert_eq!(cursor(2, "}\"], ").present, ["mode", "groups", "ids"]);
        assert_eq!(path(3, "x, o"), ("metadata".to_owned(), None));
        assert_eq!(cursor(3, "x, o").present, ["name"]);
        assert!(cursor(3, "x, o").mapping.is_some_and(|it| it.field("owner").is_some()));
    }

    #[test]
    fn siblings_belong_to_the_same_mapping() {
        let cursor = Cursor::at(KEY, 4, 3);
        assert_eq!(cursor.present, ["name", "approvals"]);
        assert!(cursor.mapping.is_some_and(|mapping| mapping.field("labels").is_some()));
    }

    #[test]
    fn no_position_panics() {
        for line in 0..30 {
            for column in 0..40 {
                Cursor::at(KEY, line, column);
                Cursor::at("é: x\n- - ü:\n", line, column);
            }
        }
        Cursor::at("", 3, 3);
    }
}
