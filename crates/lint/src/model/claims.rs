//! Detects whether a file claims to be a definition: no file outside the corpus may hide one.

use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::{NodeId, NodeKind, Tree};

/// The group of our versions, as `apiVersion` has it.
const GROUP: &str = "cortexkey/";
/// The text that every such file contains, for the search of [`may_claim`].
pub(crate) const SPELLINGS: [&str; 7] = [GROUP, "\\x", "\\u", "\\U", "\\/", "\\0", "\\1"];

/// The field with the group.
const VERSION: &str = "apiVersion";

/// Kinds that are not definitions, and may be anywhere.
const OTHERS: [&str; 3] = ["Policy", "PolicyTest", "Lock"];

/// Whether bytes may claim to be a definition: they contain the group, or an escape that could
/// spell it.
pub(crate) fn may_claim(bytes: &[u8]) -> bool {
    let has_group = |bytes: &[u8]| bytes.windows(GROUP.len()).any(|part| part == GROUP.as_bytes());
    // In UTF-16 and UTF-32, zeros are between the letters.
    let is_wide = || bytes.contains(&0) && has_group(&without_zeros(bytes));
    let spelt = has_group(bytes) || is_wide();
    let escaped = || {
        bytes.windows(2).any(|pair| {
            matches!(pair, [b'\\', b'x' | b'u' | b'U' | b'/' | b'\n' | b'\r' | b'0'..=b'9'])
        })
    };
    spelt || escaped()
}

fn without_zeros(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().copied().filter(|byte| *byte != 0).collect()
}

/// Whether bytes that are not read as YAML contain what a definition does.
pub(crate) fn resembles_definition(bytes: &[u8]) -> bool {
    let bytes = without_zeros(bytes);
    let has = |word: &str| bytes.windows(word.len()).any(|part| part == word.as_bytes());
    has(GROUP) && has(VERSION) && has("ApiKey")
}

/// Where a file claims to be a definition. If its YAML has mistakes, the unread part may contain the
/// claim.
pub(super) fn definition_claim(tree: &Tree, has_mistakes: bool) -> Option<Span> {
    let found = tree.documents().iter().find_map(|document| claim(tree, document.root));
    found.or_else(|| if has_mistakes { spelt(tree.source()) } else { None })
}

fn claim(tree: &Tree, root: NodeId) -> Option<Span> {
    let entries = match &tree.node(root).kind {
        NodeKind::Mapping { entries, .. } => entries,
        // A list of definitions is none, but somebody takes it for some.
        NodeKind::Sequence { items, .. } => {
            let is_mapping =
                |id: &&NodeId| matches!(tree.node(**id).kind, NodeKind::Mapping { .. });
            return items.iter().filter(is_mapping).find_map(|item| claim(tree, *item));
        }
        _ => return None,
    };
    let values = |name: &'static str| {
        let named = entries.iter().filter(move |entry| tree.text_of(entry.key) == Some(name));
        named.map(|entry| entry.value)
    };
    let of_ours = |id: &_| tree.text_of(*id).is_some_and(|text| text.starts_with(GROUP));
    let version = values(VERSION).find(of_ours)?;
    let is_other = |id| tree.text_of(id).is_some_and(|kind| OTHERS.contains(&kind));
    let mut kinds = values("kind").peekable();
    let all_others = kinds.peek().is_some() && kinds.all(is_other);
    (!all_others).then(|| tree.node(version).span)
}

fn spelt(text: &str) -> Option<Span> {
    let on_one_line = text.match_indices(VERSION).find_map(|(at, _)| {
        let line = text.get(at..)?.lines().next()?;
        Some(at + line.find(GROUP)?)
    });
    // An alias may bring it from another line.
    let anywhere = || text.find(GROUP).filter(|_| resembles_definition(text.as_bytes()));
    let at = on_one_line.or_else(anywhere)?;
    let start = u32::try_from(at).ok()?;
    Some(Span { start, end: start + u32::try_from(GROUP.len()).ok()? })
}

#[cfg(test)]
mod tests {
    use cortexkey_manifest::yaml::{Limits, parse};

    use super::*;

    fn claims(text: &str) -> bool {
        let parsed = parse(text, &Limits::default());
        let found = definition_claim(&parsed.tree, !parsed.problems.is_empty()).is_some();
        assert!(!found || may_claim(text.as_bytes()), "{text}");
        found
    }

    #[test]
    fn definitions_are_recognised_in_any_spelling() {
        for text in [
            "apiVersion: cortexkey/v1\nkind: ApiKey\n",
            "apiVersion: cortexkey/v2\n",
            "{\"kind\": \"ApiKey\", \"apiVersion\": \"cortexkey\\/v1\"}",
            "apiVersion: \"\\x63ortexkey/v1\"\nkind: ApiKey\n",
            "\"api\\u0056ersion\": 'cortexkey/v1'\n",
            "a: 1\n---\napiVersion: cortexkey/v1\nkind: ApiKey\n",
            "kind: Policy\nkind: ApiKey\napiVersion: cortexkey/v1\n",
            "apiVersion: cortexkey/v1\nkind: ApiKey\nspec: [\n",
            "x: &v cortexkey/v1\napiVersion: *v\nkind: ApiKey\n",
            "x: &k apiVersion\n*k : cortexkey/v1\nkind: ApiKey\n",
            "- apiVersion: cortexkey/v1\n  kind: ApiKey\n",
        ] {
            assert!(claims(text), "{text}");
        }
        for text in [
            "apiVersion: v1\nkind: ConfigMap\n",
            "apiVersion: cortexkey/v1\nkind: Policy\n",
            "apiVersion: cortexkey/v1\nkind: PolicyTest\ncases: [{definition: 'apiVersion: cortexkey/v1'}]\n",
            "apiVersion: cortexkey/v1\nkind: Lock\n",
            "# apiVersion: cortexkey/v1\na: b\n",
            "metadata: { apiVersion: cortexkey/v1 }\n",
        ] {
            assert!(!claims(text), "{text}");
        }
    }
}
