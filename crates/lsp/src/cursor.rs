//! [`Cursor`]: the field of a format at a position of a text.
//!
//! It depends on the indentation of blocks and on brackets, because a text that is being typed is often
//! not valid YAML. Brackets may span lines; they end at the latest where a line is indented like the
//! one on which they begin.

use cortexkey_manifest::format::{
    FieldKind, FieldSpec, KEY, KEY_KIND, Mapping, POLICY, POLICY_KIND,
};

use crate::position::lines;

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
    /// How a name or value is written here.
    pub(crate) style: Style,
}

/// How a string is written at a position.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Style {
    /// The quote around the position.
    pub(crate) quote: Option<char>,
    /// Whether strings are always quoted, as in JSON.
    pub(crate) is_json: bool,
    /// Whether a colon follows the name at the position.
    pub(crate) has_colon: bool,
}

impl Cursor {
    /// Finds the field at a byte of a line.
    pub(crate) fn at(text: &str, line: usize, column: usize) -> Self {
        let lines: Vec<&str> = lines(text).collect();
        let begins = |line: &&str| line.starts_with("---");
        let first = lines[..line.min(lines.len())].iter().rposition(begins).map_or(0, |at| at + 1);
        let after = lines[first..].iter().skip(1).position(begins);
        let document = &lines[first..after.map_or(lines.len(), |at| first + 1 + at)];
        let at = line.saturating_sub(first);
        let current = document.get(at).copied().unwrap_or_default();
        let before = current.get(..column).unwrap_or(current);
        let scan = Scan::of(document, at, before.len());
        let style = Style {
            quote: scan.quote,
            is_json: scan.is_json,
            has_colon: has_colon(current, before.len()),
        };
        if let Some(flow) = scan.flow {
            let begin = Line::of(document[scan.line]);
            let is_item = begin.is_item && begin.key.is_none();
            let mut path = parents(document, scan.line, begin.indent, is_item);
            path.extend(flow.path);
            let mapping = walk(root(document), &path);
            let field = if flow.is_value { field(root(document), &path) } else { None };
            let is_value = flow.is_value;
            return Self { mapping, field, is_value, path, present: flow.present, style };
        }
        let own = Line::of(current);
        let is_value = own.key.is_some_and(|key| before.len() > own.indent + key.width);
        let is_item = own.is_item && own.key.is_none();
        let mut path = parents(document, at, own.indent, is_item);
        let mapping = walk(root(document), &path);
        let present = siblings(document, at, own.indent);
        if is_value {
            path.extend(own.key.map(|key| key.name.to_owned()));
        }
        let is_value = is_value || is_item;
        let field = if is_value { field(root(document), &path) } else { None };
        Self { mapping, field, is_value, path, present, style }
    }
}

/// Where the comment of a line begins.
pub(crate) fn comment_at(line: &str) -> Option<usize> {
    let mut scan = Brackets::beginning_with(line);
    line.char_indices().find(|(at, c)| scan.step(line, *at, *c) == Step::Comment).map(|(at, _)| at)
}

/// The contents of a line of a block mapping.
struct Line<'l> {
    /// The start of its key or value, after the dashes of items.
    indent: usize,
    is_item: bool,
    key: Option<Key<'l>>,
}

/// The name before a colon.
#[derive(Clone, Copy)]
struct Key<'l> {
    name: &'l str,
    /// Its bytes in the text, including quotes.
    width: usize,
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
        let key = rest.split_once(':').and_then(|(key, value)| {
            let name = unquoted(key.trim_end());
            let is_name =
                name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./".contains(&byte));
            let is_key =
                is_name && !name.is_empty() && (value.is_empty() || value.starts_with(' '));
            is_key.then_some(Key { name, width: key.len() })
        });
        Self { indent, is_item, key }
    }
}

/// A name without the quotes around it.
fn unquoted(name: &str) -> &str {
    let inner = |quote: char| name.strip_prefix(quote)?.strip_suffix(quote);
    inner('"').or_else(|| inner('\'')).unwrap_or(name)
}

/// Whether a colon follows the name at a byte of a line.
fn has_colon(line: &str, column: usize) -> bool {
    let rest = line.get(column..).unwrap_or_default();
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
    rest.trim_start_matches(is_name).trim_start_matches(['"', '\'']).starts_with(':')
}

/// What surrounds a position.
struct Scan {
    /// The line on which the outermost brackets around it begin.
    line: usize,
    /// The innermost brackets around it.
    flow: Option<Flow>,
    quote: Option<char>,
    is_json: bool,
}

/// A position between brackets.
struct Flow {
    /// The keys from the line's own to the innermost one.
    path: Vec<String>,
    /// Whether it is at a value, or at an item of a list.
    is_value: bool,
    /// The keys of its mapping.
    present: Vec<String>,
}

impl Scan {
    fn of(document: &[&str], at: usize, column: usize) -> Self {
        let line = open_since(document, at).unwrap_or(at);
        let first = document.get(line).copied().unwrap_or_default();
        let start = Line::of(first).indent;
        // Later lines are read only as long as brackets are open.
        let text = document.get(line..).unwrap_or_default().join("\n");
        let before: usize = document.iter().take(at).skip(line).map(|line| line.len() + 1).sum();
        let position = before + column;
        let mut scan = Brackets::beginning_with(first);
        let mut found = None;
        for (at, c) in text.char_indices().skip_while(|(at, _)| *at < start) {
            if at >= position && found.is_none() {
                found = Some(scan.here());
            }
            if found.is_some() && (!scan.is_open() || c == '\n' && scan.is_over(&text[at + 1..])) {
                break;
            }
            scan.step(&text, at, c);
        }
        let here = found.unwrap_or_else(|| scan.here());
        let flow = here.brackets.map(|brackets| Flow {
            path: here.path,
            is_value: here.is_value,
            present: core::mem::take(&mut scan.all[brackets].present),
        });
        Self { line, flow, quote: here.quote, is_json: scan.is_json }
    }
}

/// The line on which brackets begin that are open at the start of a line.
fn open_since(document: &[&str], at: usize) -> Option<usize> {
    let mut open: Option<(usize, Brackets)> = None;
    let mut literal = None;
    for (number, line) in document.iter().enumerate().take(at) {
        let indent = indent(line);
        if is_blank(line) || literal.is_some_and(|limit| indent > limit) {
            continue;
        }
        literal = None;
        if open.as_ref().is_some_and(|(_, scan)| scan.is_over(line)) {
            open = None;
        }
        let own = Line::of(line);
        let (since, mut scan) =
            open.take().unwrap_or_else(|| (number, Brackets::beginning_with(line)));
        if since != number {
            scan.token = 0;
            scan.comment = None;
        }
        let start = scan.token;
        for (at, c) in line.char_indices().skip_while(|(at, _)| *at < start) {
            if scan.step(line, at, c) == Step::Comment {
                break;
            }
        }
        if scan.is_open() {
            open = Some((since, scan));
        } else if own.key.is_some() && is_literal(line) {
            literal = Some(indent);
        }
    }
    let line = document.get(at).copied().unwrap_or_default();
    open.filter(|(_, scan)| is_blank(line) || !scan.is_over(line)).map(|(since, _)| since)
}

/// Whether a block of literal text follows a line.
fn is_literal(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or_default().trim_end();
    let mark = line.trim_end_matches(|c: char| c.is_ascii_digit() || "+-".contains(c));
    mark.ends_with(": |") || mark.ends_with(": >")
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

/// The brackets that are open while a text is read.
struct Brackets {
    all: Vec<Bracket>,
    /// Those that are open, the innermost last. The first is the line itself.
    open: Vec<usize>,
    /// Where the current name or value begins.
    token: usize,
    quote: Option<char>,
    /// Whether the next character is part of an escape.
    is_escaped: bool,
    /// Where the last quote was closed.
    closed: Option<usize>,
    /// Where the comment begins that is being read.
    comment: Option<usize>,
    /// Brackets on lines that are not indented more than this are over; `None` if they began a line.
    limit: Option<usize>,
    is_json: bool,
}

/// A pair of brackets, or the line around them.
#[derive(Default)]
struct Bracket {
    is_mapping: bool,
    /// The key whose value is being read.
    key: Option<String>,
    present: Vec<String>,
}

#[derive(PartialEq, Eq)]
enum Step {
    Comment,
    Other,
}

/// What surrounds a position.
struct Here {
    /// The innermost brackets; `None` if there are none.
    brackets: Option<usize>,
    path: Vec<String>,
    is_value: bool,
    quote: Option<char>,
}

impl Brackets {
    /// Those of a line, of which nothing has been read.
    fn beginning_with(line: &str) -> Self {
        let own = Line::of(line);
        Self {
            all: vec![Bracket { is_mapping: true, ..Bracket::default() }],
            open: vec![0],
            token: own.indent,
            quote: None,
            is_escaped: false,
            closed: None,
            comment: None,
            limit: (own.key.is_some() || own.is_item).then(|| indent(line)),
            is_json: false,
        }
    }

    fn is_open(&self) -> bool {
        self.open.len() > 1
    }

    fn innermost(&mut self) -> &mut Bracket {
        let at = self.open.last().copied().unwrap_or_default();
        &mut self.all[at]
    }

    /// Whether the brackets were left open by mistake, because a text goes on with another block.
    fn is_over(&self, text: &str) -> bool {
        let line = text.lines().next().unwrap_or_default();
        let is_closing = line.trim_start().starts_with([']', '}']);
        !is_blank(line) && !is_closing && self.limit.is_some_and(|limit| indent(line) <= limit)
    }

    fn here(&self) -> Here {
        let path = self.open.iter().filter_map(|at| self.all[*at].key.clone()).collect();
        let innermost = self.open.last().copied().filter(|_| self.is_open());
        let is_value =
            innermost.is_some_and(|at| !self.all[at].is_mapping || self.all[at].key.is_some());
        Here { brackets: innermost, path, is_value, quote: self.quote }
    }

    /// Reads a character.
    fn step(&mut self, text: &str, at: usize, c: char) -> Step {
        if let Some(start) = self.comment {
            if c != '\n' {
                return Step::Comment;
            }
            self.comment = None;
            if text.get(self.token..start).is_some_and(is_properties) {
                self.token = at + 1;
            }
            return Step::Other;
        }
        if let Some(quote) = self.quote {
            let is_escape = quote == '"' && c == '\\' && !self.is_escaped;
            if c == quote && !self.is_escaped {
                self.quote = None;
                self.closed = Some(at);
            }
            self.is_escaped = is_escape;
            return Step::Other;
        }
        // Elsewhere, a bracket or quote is part of a plain string.
        let is_start = || text.get(self.token..at).is_some_and(is_properties);
        match c {
            '"' | '\'' if is_start() => self.quote = Some(c),
            // Two single quotes are one in the string.
            '\'' if at > 0 && self.closed == Some(at - 1) && text[..at].ends_with(c) => {
                self.quote = Some(c);
            }
            '#' if text[..at].is_empty() || text[..at].ends_with([' ', '\n']) => {
                self.comment = Some(at);
                return Step::Comment;
            }
            '{' | '[' if is_start() => {
                self.open.push(self.all.len());
                self.all.push(Bracket { is_mapping: c == '{', ..Bracket::default() });
                self.token = at + 1;
            }
            '}' | ']' if self.is_open() => {
                self.open.pop();
                self.token = at + 1;
            }
            ',' if self.is_open() => {
                self.innermost().key = None;
                self.token = at + 1;
            }
            ':' => self.colon(text, at),
            _ => {}
        }
        Step::Other
    }

    /// Reads the colon after a name.
    fn colon(&mut self, text: &str, at: usize) {
        let innermost = self.innermost();
        if !innermost.is_mapping || innermost.key.is_some() {
            return;
        }
        let name = text.get(self.token..at).unwrap_or_default().trim();
        let is_quoted = name.len() > 1 && unquoted(name).len() < name.len();
        let rest = &text[at + 1..];
        if !is_quoted && !rest.is_empty() && !rest.starts_with([' ', '\n']) {
            return;
        }
        if self.is_open() {
            self.is_json |= name.starts_with('"');
        }
        let name = unquoted(name).to_owned();
        let innermost = self.innermost();
        innermost.present.push(name.clone());
        innermost.key = Some(name);
        self.token = at + 1;
    }
}

/// Whether a text before a value has nothing but tags and anchors.
fn is_properties(text: &str) -> bool {
    text.split_whitespace().all(|word| word.starts_with(['!', '&']))
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
            path.push(key.name.to_owned());
            let dash = self::indent(line);
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
                keys.push(key.name.to_owned());
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
    match kind(document) {
        Some(kind) if kind == POLICY_KIND => &POLICY,
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

/// The `kind` of a document, which may be a mapping between brackets.
fn kind<'d>(document: &[&'d str]) -> Option<&'d str> {
    let first = document.iter().find(|line| !is_blank(line));
    let is_flow = first.is_some_and(|line| line.starts_with('{'));
    document.iter().find_map(|line| {
        let at =
            if is_flow { line.find("kind")? } else { usize::from(line.starts_with(['"', '\''])) };
        let rest = line.get(at..)?.strip_prefix("kind")?.trim_start_matches(['"', '\'']);
        let value = rest.trim_start().strip_prefix(':')?.split(['#', ',', '}']).next()?;
        Some(unquoted(value.trim()))
    })
}

fn walk(root: &'static Mapping, path: &[String]) -> Option<&'static Mapping> {
    let mut mapping = root;
    let mut names = path.iter();
    while let Some(name) = names.next() {
        let kind = &mapping.field(name)?.kind;
        if matches!(kind, FieldKind::Map(_) | FieldKind::Rules(_)) {
            // Any name may be an entry of it.
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
    fn brackets_of_several_lines_and_quoted_names_are_read() {
        let at = |text: &str| {
            let (before, after) = text.split_once('|').unwrap_or((text, ""));
            let line = before.matches('\n').count();
            let column = before.rsplit('\n').next().map_or(0, str::len);
            let cursor = Cursor::at(&format!("{before}{after}"), line, column);
            (cursor.path.join("."), cursor.is_value, cursor.style)
        };
        let path = |text: &str| at(text).0;
        let head = "kind: ApiKey\nspec:\n";
        for (text, expected) in [
            ("  roles: [\n    Viewer,\n    |\n  ]\n", "spec.roles"),
            ("  roles: [ # }\n    'it''s ], x',\n    \"\\\" ]\",\n    |\n  ]\n", "spec.roles"),
            (
                "  scope: {\n    assets: { mode: none },\n    endpoints: { mode: | },\n  }\n",
                "spec.scope.endpoints.mode",
            ),
            // Closed, or left open by mistake.
            ("  roles: [\n    Viewer,\n  ]\n  lifetime: |\n", "spec.lifetime"),
            ("  roles: [Viewer,\n  lifetime: |\n", "spec.lifetime"),
            // Not brackets.
            ("  comment: don't [x\n  lifetime: |\n", "spec.lifetime"),
            ("  comment: |-\n    a: [\n  lifetime: @\n", "spec.lifetime"),
            ("  \"securityLevel\": |\n", "spec.securityLevel"),
        ] {
            // A mark that is not the one of a block of text.
            let text = match text.split_once('@') {
                Some((before, after)) => {
                    let whole = format!("{head}{before}{after}");
                    let line = 2 + before.matches('\n').count();
                    let column = before.rsplit('\n').next().map_or(0, str::len);
                    Cursor::at(&whole, line, column).path.join(".")
                }
                None => path(&format!("{head}{text}")),
            };
            assert_eq!(text, expected);
        }
        let json =
            "{\n  \"kind\": \"ApiKey\",\n  \"spec\": {\n    \"securityLevel\":\"|\"\n  }\n}\n";
        let style = Style { quote: Some('"'), is_json: true, has_colon: false };
        assert_eq!(at(json), ("spec.securityLevel".to_owned(), true, style));
        let names = at("{\n  \"spec\": {\n    \"sec|\": 1 } }\n");
        let style = Style { quote: Some('"'), is_json: true, has_colon: true };
        assert_eq!(names, ("spec".to_owned(), false, style));
        let policy = "{\n  \"kind\": \"Policy\",\n  \"rules\": { \"E003\": { | } } }\n";
        assert_eq!(path(policy), "rules.E003");
    }

    #[test]
    fn a_comment_begins_outside_of_strings() {
        for (line, expected) in [
            ("# all", Some(0)),
            ("  a: b # c", Some(7)),
            ("a: b#c", None),
            ("a: \"b # c\"", None),
            ("- 'b # c' # d", Some(10)),
            ("a: don't # c", Some(9)),
            ("a: { b: \"#\", c: 1 } # d", Some(20)),
        ] {
            assert_eq!(comment_at(line), expected, "{line}");
        }
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
        let odd = "{ é: [\r\n'ü\n]\r- { \"\\\": [ # ]\n--- {\n  - [&a !!x 'ö''ö' ] }: |\n}\n";
        for end in (0..=odd.len()).filter(|end| odd.is_char_boundary(*end)) {
            for line in 0..8 {
                for column in 0..20 {
                    Cursor::at(&odd[..end], line, column);
                }
                comment_at(&odd[..end]);
            }
        }
    }
}
