//! Decides whether a file defines keys: no file outside the corpus may hide a definition, and no key
//! is deleted while a file may define it.
//!
//! A definition with mistakes counts too. Only text that no YAML reader accepts, such as a guide
//! with an example, does not count.

use std::borrow::Cow;

use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::{NodeId, NodeKind, Tree};

/// The group of our versions, as `apiVersion` has it.
const GROUP: &str = "cortexkey/";
/// The field with the group.
const VERSION: &str = "apiVersion";
/// The kind of a definition.
const KIND: &str = "ApiKey";
/// Kinds that are not definitions, and may be anywhere.
const OTHERS: [&str; 3] = ["Policy", "PolicyTest", "Lock"];
/// What starts a line of a template.
const TEMPLATE: [&str; 6] = ["{{", "{%", "{#", "<%", "<#", "${"];

/// Whether a file defines keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Claim {
    /// It does not.
    No,
    /// One of its documents claims to be a definition, here.
    Yes(Span),
    /// It contains what a definition does, here, and is not YAML that could be read to its end.
    Unclear(Span),
}

/// Whether bytes may define keys: they contain the group of our versions in any encoding or
/// spelling. What has no such bytes does not have to be parsed.
pub(crate) fn may_claim(bytes: &[u8]) -> bool {
    let bytes = without_zeros(bytes);
    contains(&bytes, GROUP) || contains(&unescaped(&bytes), GROUP)
}

/// Whether a parsed file defines keys. If its YAML has mistakes, the unread part may contain the
/// claim.
pub(super) fn claim(tree: &Tree, has_mistakes: bool) -> Claim {
    let found = tree.documents().iter().find_map(|document| claimed(tree, document.root));
    match found {
        Some(span) => Claim::Yes(span),
        None if has_mistakes => claim_of_text(tree.source()),
        None => Claim::No,
    }
}

fn claimed(tree: &Tree, root: NodeId) -> Option<Span> {
    let entries = match &tree.node(root).kind {
        NodeKind::Mapping { entries, .. } => entries,
        // A list of definitions is not a definition, but its author may believe that it is.
        NodeKind::Sequence { items, .. } => {
            let is_mapping =
                |id: &&NodeId| matches!(tree.node(**id).kind, NodeKind::Mapping { .. });
            return items.iter().filter(is_mapping).find_map(|item| claimed(tree, *item));
        }
        _ => return None,
    };
    let values = |name: &'static str| {
        let named = entries.iter().filter(move |entry| tree.text_of(entry.key) == Some(name));
        named.map(|entry| entry.value)
    };
    // A list as kubectl writes it.
    let is_list = values("kind").any(|kind| tree.text_of(kind) == Some("List"));
    let of_list = || values("items").filter(|_| is_list).find_map(|items| claimed(tree, items));
    let of_ours = |id: &_| tree.text_of(*id).is_some_and(|text| text.starts_with(GROUP));
    let Some(version) = values(VERSION).find(of_ours) else { return of_list() };
    let is_other = |id| tree.text_of(id).is_some_and(|kind| OTHERS.contains(&kind));
    let mut kinds = values("kind").peekable();
    let all_others = kinds.peek().is_some() && kinds.all(is_other);
    (!all_others).then(|| tree.node(version).span)
}

/// Whether text with mistakes defines keys.
fn claim_of_text(text: &str) -> Claim {
    let found = documents(text).iter().find_map(|document| version_of(document));
    match found {
        Some(at) => Claim::Yes(group_span(text, at)),
        None => spelt(text).map_or(Claim::No, Claim::Unclear),
    }
}

/// Where a text contains what a definition does.
fn spelt(text: &str) -> Option<Span> {
    let on_one_line = text.match_indices(VERSION).find_map(|(at, _)| {
        let line = text.get(at..)?.lines().next()?;
        line.contains(GROUP).then_some(at)
    });
    // An alias may bring the group from another line, and an escape may spell it.
    let anywhere = || resembles(text).then(|| text.find(GROUP).unwrap_or(0));
    Some(group_span(text, on_one_line.or_else(anywhere)?))
}

/// Whether a text contains the words of a definition.
fn resembles(text: &str) -> bool {
    let plain = without_zeros(text.as_bytes());
    let spelt = unescaped(&plain);
    [GROUP, VERSION, KIND].iter().all(|word| contains(&plain, word) || contains(&spelt, word))
}

/// The first group of a line from a place on; the rest of the line if an escape spells the group.
fn group_span(text: &str, at: usize) -> Span {
    let line = text.get(at..).and_then(|rest| rest.lines().next()).unwrap_or_default();
    match line.find(GROUP) {
        Some(group) => Span::new(at + group, at + group + GROUP.len()),
        None => Span::new(at, at + line.len()),
    }
}

/// One line of a text, without spaces around it.
#[derive(Clone, Copy)]
struct Line<'t> {
    /// Its offset in the text.
    at: usize,
    /// Its indentation.
    column: usize,
    text: &'t str,
}

impl<'t> Line<'t> {
    /// The lines of a text, split wherever any reader of YAML splits them.
    fn all(text: &'t str) -> impl Iterator<Item = Self> {
        text.split_inclusive(['\n', '\r', '\u{85}', '\u{2028}', '\u{2029}']).scan(
            0,
            |next, line| {
                let start = *next;
                *next += line.len();
                let own = line.trim_start_matches(['\u{feff}', '\0']);
                let content = own.trim_start();
                let at = start + line.len() - content.len();
                Some(Self { at, column: own.len() - content.len(), text: content.trim_end() })
            },
        )
    }

    /// What follows an indicator and spaces, such as the item after a dash.
    fn after(self, indicator: &str) -> Option<Self> {
        let rest = self.text.strip_prefix(indicator)?;
        let text = rest.trim_start();
        let skipped = self.text.len() - text.len();
        let is_apart = rest.is_empty() || text.len() < rest.len();
        is_apart.then_some(Self { at: self.at + skipped, column: self.column + skipped, text })
    }

    /// The item of a list, or the key, that starts here.
    fn item(self) -> Option<Self> {
        ["-", "?"].iter().find_map(|indicator| self.after(indicator))
    }

    /// Whether YAML readers skip the line, or a template may.
    fn is_skipped(self) -> bool {
        let is_directive = self.column == 0 && self.text.starts_with('%');
        let is_template = TEMPLATE.iter().any(|start| self.text.starts_with(start));
        self.text.is_empty() || self.text.starts_with('#') || is_directive || is_template
    }
}

/// The lines of each YAML document of a text with mistakes, up to the first line that cannot begin a
/// document, such as prose or code.
fn documents(text: &str) -> Vec<Vec<Line<'_>>> {
    let mut documents = vec![Vec::new()];
    let mut document = Vec::new();
    let mut is_fenced = false;
    for mut line in Line::all(text) {
        let is_fence = line.text.starts_with("```") || line.text.starts_with("~~~");
        is_fenced ^= is_fence && line.column == 0;
        let end = ["---", "..."].iter().find_map(|mark| line.after(mark));
        if let Some(rest) = end.filter(|_| line.column == 0 && !is_fenced) {
            documents.push(std::mem::take(&mut document));
            line = Line { column: 0, ..rest };
        }
        if document.is_empty() && (is_fence || !(line.is_skipped() || begins_document(line))) {
            break;
        }
        if !is_fenced && !is_fence && !line.is_skipped() {
            document.push(line);
        }
    }
    documents.push(document);
    documents
}

/// Whether a document may begin with a line.
fn begins_document(line: Line<'_>) -> bool {
    if line.after("?").is_some() {
        return true;
    }
    if let Some(item) = line.after("-") {
        return item.text.is_empty() || begins_document(item);
    }
    let text = line.text;
    if let Some(rest) = text.strip_prefix('[') {
        return rest.trim_start().is_empty()
            || rest.trim_start().starts_with(['{', '"', '\'', '[']);
    }
    if let Some(property) = text.strip_prefix(['&', '!']) {
        let (name, rest) = property.split_once([' ', '\t']).unwrap_or((property, ""));
        let rest = Line { text: rest.trim_start(), ..line };
        return !name.starts_with('[') && (rest.text.is_empty() || begins_document(rest));
    }
    text.starts_with('{') || field(text).is_some_and(|(key, _)| is_key(key))
}

/// Whether text before a colon can be a key, rather than a comment, code or the beginning of a string
/// over several lines.
fn is_key(key: &str) -> bool {
    match key.chars().next() {
        Some(quote @ ('"' | '\'')) => key.len() > 1 && key.ends_with(quote),
        Some('/' | '-' | ';' | '.' | '@' | '`' | '=') | None => false,
        Some(_) => key == "<<" || !key.contains(['(', ')', '=', ';', '<', '>']),
    }
}

/// The key and the value of a line.
fn field(text: &str) -> Option<(&str, &str)> {
    let is_quoted = text.starts_with(['"', '\'']);
    let ends = |rest: &str| rest.is_empty() || rest.starts_with([' ', '\t']) || is_quoted;
    let mut colons = text.match_indices(':');
    let (at, _) = colons.find(|(at, _)| text.get(at + 1..).is_some_and(ends))?;
    Some((text.get(..at)?.trim(), text.get(at + 1..)?.trim()))
}

/// Where a document of a text claims to be a definition.
fn version_of(document: &[Line<'_>]) -> Option<usize> {
    let first = document.first()?;
    if first.text.starts_with(['{', '[']) {
        return version_in_braces(document);
    }
    let mut columns = vec![first.column];
    columns.extend(first.item().map(|item| item.column));
    let own = document.iter().filter(|line| columns.contains(&line.column));
    let fields: Vec<(usize, &str, &str)> = own
        .map(|line| {
            let line = line.item().unwrap_or(*line);
            let (key, value) = field(line.text).unwrap_or((line.text, ""));
            (line.at, key.trim_matches(['"', '\'']), value.trim_matches(['"', '\'']))
        })
        .collect();
    let mut kinds = fields.iter().filter(|(_, key, _)| *key == "kind").peekable();
    if kinds.peek().is_some() && kinds.all(|(_, _, kind)| OTHERS.contains(kind)) {
        return None;
    }
    let is_ours = |(_, key, value): &&(_, &str, &str)| *key == VERSION && value.starts_with(GROUP);
    if let Some((at, _, _)) = fields.iter().find(is_ours) {
        return Some(*at);
    }
    // What an alias, an escape or a block spells is ours if the rest of a definition is there.
    let is_indirect = |(_, key, value): &&(_, &str, &str)| {
        let is_version = *key == VERSION && (value.is_empty() || starts_indirectly(value));
        is_version || starts_indirectly(key) || *key == "<<"
    };
    let (at, _, _) = fields.iter().find(is_indirect)?;
    resembles(&joined(document)).then_some(*at)
}

/// Whether a key or value may stand for other text.
fn starts_indirectly(text: &str) -> bool {
    text.starts_with(['*', '&', '!', '|', '>', '#']) || text.contains('\\')
}

/// Finds the version of a JSON document, where a line may contain anything.
fn version_in_braces(document: &[Line<'_>]) -> Option<usize> {
    let is_ours = |line: &&Line<'_>| {
        line.text
            .split(VERSION)
            .skip(1)
            .any(|rest| rest.trim_start_matches(['"', '\'', ':', ' ', '\t']).starts_with(GROUP))
    };
    let found = document.iter().find(is_ours);
    let anywhere = || document.first().filter(|_| resembles(&joined(document)));
    found.or_else(anywhere).map(|line| line.at)
}

fn joined(document: &[Line<'_>]) -> String {
    let lines: Vec<&str> = document.iter().map(|line| line.text).collect();
    lines.join("\n")
}

fn contains(bytes: &[u8], word: &str) -> bool {
    let Some((last, rest)) = word.as_bytes().split_last() else { return true };
    let mut places = bytes.iter().enumerate().filter(|(_, byte)| *byte == last);
    places.any(|(at, _)| bytes.get(..at).is_some_and(|before| before.ends_with(rest)))
}

/// In UTF-16 and UTF-32, zeros are between the letters.
fn without_zeros(bytes: &[u8]) -> Cow<'_, [u8]> {
    if bytes.contains(&0) {
        Cow::Owned(bytes.iter().copied().filter(|byte| *byte != 0).collect())
    } else {
        Cow::Borrowed(bytes)
    }
}

/// The bytes with the escapes of double-quoted strings resolved: they may spell any letter, and a
/// line may end in the middle of a word.
fn unescaped(bytes: &[u8]) -> Cow<'_, [u8]> {
    if !bytes.contains(&b'\\') {
        return Cow::Borrowed(bytes);
    }
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| *byte == b'\\') {
        out.extend_from_slice(&rest[..at]);
        rest = &rest[at + 1..];
        let digits = match rest.first() {
            Some(b'x') => 2,
            Some(b'u') => 4,
            Some(b'U') => 8,
            Some(b'\n' | b'\r') => {
                rest = rest.trim_ascii_start();
                continue;
            }
            Some(letter) => {
                out.push(*letter);
                rest = &rest[1..];
                continue;
            }
            None => break,
        };
        let number = rest.get(1..=digits).and_then(|digits| std::str::from_utf8(digits).ok());
        let number = number.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        if let Some(letter) = number.and_then(char::from_u32) {
            out.extend_from_slice(letter.encode_utf8(&mut [0; 4]).as_bytes());
            rest = &rest[digits + 1..];
        }
    }
    out.extend_from_slice(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use cortexkey_manifest::yaml::{YamlLimits, parse};

    use super::*;

    fn claim_in(text: &str) -> Claim {
        let parsed = parse(text, &YamlLimits::default());
        let found = claim(&parsed.tree, !parsed.problems.is_empty());
        assert!(found == Claim::No || may_claim(text.as_bytes()), "{text}");
        found
    }

    #[test]
    fn definitions_are_recognised_in_any_spelling() {
        for text in [
            "apiVersion: cortexkey/v1\nkind: ApiKey\n",
            "apiVersion: cortexkey/v2\n",
            "{\"kind\": \"ApiKey\", \"apiVersion\": \"cortexkey\\/v1\"}",
            "apiVersion: \"\\x63ortexkey/v1\"\nkind: ApiKey\n",
            "apiVersion: \"cort\\\n  exkey/v1\"\nkind: ApiKey\n",
            "\"api\\u0056ersion\": 'cortexkey/v1'\n",
            "a: 1\n---\napiVersion: cortexkey/v1\nkind: ApiKey\n",
            "kind: Policy\nkind: ApiKey\napiVersion: cortexkey/v1\n",
            "apiVersion: cortexkey/v1\nkind: ApiKey\nspec: [\n",
            "x: &v cortexkey/v1\napiVersion: *v\nkind: ApiKey\n",
            "x: &k apiVersion\n*k : cortexkey/v1\nkind: ApiKey\n",
            "- apiVersion: cortexkey/v1\n  kind: ApiKey\n",
            "apiVersion: v1\nkind: List\nitems:\n- apiVersion: cortexkey/v1\n  kind: ApiKey\n",
        ] {
            assert!(matches!(claim_in(text), Claim::Yes(_)), "{text}");
        }
        for text in [
            "apiVersion: v1\nkind: ConfigMap\n",
            "apiVersion: cortexkey/v1\nkind: Policy\n",
            "apiVersion: cortexkey/v1\nkind: PolicyTest\ncases: [{definition: 'apiVersion: cortexkey/v1'}]\n",
            "apiVersion: cortexkey/v1\nkind: Lock\n",
            "# apiVersion: cortexkey/v1\na: b\n",
            "metadata: { apiVersion: cortexkey/v1 }\n",
        ] {
            assert_eq!(claim_in(text), Claim::No, "{text}");
        }
    }

    /// No mistake makes a definition anything else.
    #[test]
    fn definitions_with_mistakes_are_definitions() {
        let good = "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: a }\n";
        for (before, after) in [
            ("", "x: &a 1\n"),
            ("", "kind: Policy\n"),
            ("", "x: !r 1\n"),
            ("", "<<: { a: b }\n"),
            ("", "x:\n\ty: 1\n"),
            ("", "x: a\u{85}y: b\n"),
            ("", "x: \u{7}\n"),
            ("", "x: \0\n"),
            ("", "x: \u{fffd}\n"),
            ("%FOO\n---\n", ""),
            ("%YAML 3.1\n---\n", ""),
            ("", "---\na: [\n"),
            ("", "x: [\n"),
            ("", "  x: [\n"),
            ("x: [\n---\n", ""),
            ("{{ if .Values.x }}\n", "{{ end }}\n"),
            ("{% if x %}\n", "{% endif %}\n"),
            ("# a key\n\n\u{feff}---\n", "}\n"),
            ("x: |\n  ```\n", "y: [\n"),
        ] {
            let text = format!("{before}{good}{after}");
            let Claim::Yes(span) = claim_in(&text) else { panic!("{text}") };
            assert!(span.slice(&text).starts_with(GROUP), "{text}");
        }
        for text in [
            "- kind: ApiKey\n  apiVersion: cortexkey/v1\n  x: [\n",
            "{\n  \"kind\": \"ApiKey\",\n  \"apiVersion\": \"cortexkey/v1\",\n  \"x\": [\n",
            "{\"apiVersion\": \"cortexkey\\/v1\", \"kind\": \"ApiKey\"}\n{}\n",
            "apiVersion: \"cort\\\n  exkey/v1\"\nkind: ApiKey\nx: [\n",
            "b: &b { apiVersion: cortexkey/v1, kind: ApiKey }\n<<: *b\n",
            "? apiVersion\n: cortexkey/v1\nkind: ApiKey\nx: [\n",
        ] {
            assert!(matches!(claim_in(text), Claim::Yes(_)), "{text}");
        }
    }

    #[test]
    fn text_of_another_kind_does_not_define_keys() {
        let key = "apiVersion: cortexkey/v1\nkind: ApiKey\n";
        for text in [
            format!("# Keys\n\n```yaml\n{key}---\n{key}```\n"),
            format!("---\ntitle: Keys\n---\n# Keys\n\n```yaml\n{key}```\n"),
            format!("Note: these are keys.\n\n```yaml\n{key}```\n"),
            format!("Keys\n====\n\n{key}"),
            format!("#!/bin/sh\nset -eu\ncat > a.yaml <<EOF\n{key}---\n{key}EOF\n"),
            format!("\"\"\"Tests: keys.\"\"\"\n\nKEY = \"\"\"\n{key}\"\"\"\n"),
            format!("//! Tests.\nconst KEY: &str = \"\\\n{key}\";\n"),
            format!("//! Tests: keys.\n\nconst KEY: &str = \"\\\n{key}\";\n"),
            format!("-- keys: all\nSELECT '\n{key}';\n"),
            format!("<pre>\n{key}</pre>\n"),
            "kind: Policy\napiVersion: cortexkey/v1\ncustomRules: [{ assert: 'ApiKey'\n".to_owned(),
        ] {
            let found = claim_in(&text);
            assert!(matches!(found, Claim::Unclear(_)), "{found:?} {text}");
        }
    }

    #[test]
    fn wide_text_may_claim() {
        let wide: Vec<u8> = "apiVersion: cortexkey/v1".bytes().flat_map(|b| [b, 0, 0, 0]).collect();
        assert!(may_claim(&wide));
        assert!(!may_claim("apiVersion: v1\nx: \"\\u0063ortex\"\n".as_bytes()));
    }
}
