//! Detects whether a file claims to be a definition: no file outside the corpus may hide one.

use cortexkey_manifest::Span;
use cortexkey_manifest::yaml::{Document, NodeKind, Tree};

/// The group of our versions, as `apiVersion` has it.
const GROUP: &str = "cortexkey/";
/// The text that every such file contains, for the search of [`may_claim`].
pub(crate) const SPELLINGS: [&str; 7] = [GROUP, "\\x", "\\u", "\\U", "\\/", "\\0", "\\1"];

/// Kinds that are not definitions, and may be anywhere.
const OTHERS: [&str; 3] = ["Policy", "PolicyTest", "Lock"];

/// Whether bytes may claim to be a definition: they contain the group, or an escape that could
/// spell it.
pub(crate) fn may_claim(bytes: &[u8]) -> bool {
    let spelt = bytes.windows(GROUP.len()).any(|part| part == GROUP.as_bytes());
    let escaped = || {
        bytes.windows(2).any(|pair| {
            matches!(pair, [b'\\', b'x' | b'u' | b'U' | b'/' | b'\n' | b'\r' | b'0'..=b'9'])
        })
    };
    spelt || escaped()
}

/// Where a file claims to be a definition. If its YAML has mistakes, the unread part may contain the
/// claim.
pub(super) fn definition_claim(tree: &Tree, has_mistakes: bool) -> Option<Span> {
    let found = tree.documents().iter().find_map(|document| claim(tree, *document));
    found.or_else(|| if has_mistakes { spelt(tree.source()) } else { None })
}

fn claim(tree: &Tree, document: Document) -> Option<Span> {
    let NodeKind::Mapping { entries, .. } = &tree.node(document.root).kind else { return None };
    let values = |name: &'static str| {
        let named = entries.iter().filter(move |entry| tree.text_of(entry.key) == Some(name));
        named.map(|entry| entry.value)
    };
    let of_ours = |id: &_| tree.text_of(*id).is_some_and(|text| text.starts_with(GROUP));
    let version = values("apiVersion").find(of_ours)?;
    let is_other = |id| tree.text_of(id).is_some_and(|kind| OTHERS.contains(&kind));
    let mut kinds = values("kind").peekable();
    let all_others = kinds.peek().is_some() && kinds.all(is_other);
    (!all_others).then(|| tree.node(version).span)
}

fn spelt(text: &str) -> Option<Span> {
    let at = text.match_indices("apiVersion").find_map(|(at, _)| {
        let line = text.get(at..)?.lines().next()?;
        Some(at + line.find(GROUP)?)
    })?;
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
    fn definitions_are_seen_however_they_are_spelt() {
        for text in [
            "apiVersion: cortexkey/v1\nkind: ApiKey\n",
            "apiVersion: cortexkey/v2\n",
            "{\"kind\": \"ApiKey\", \"apiVersion\": \"cortexkey\\/v1\"}",
            "apiVersion: \"\\x63ortexkey/v1\"\nkind: ApiKey\n",
            "\"api\\u0056ersion\": 'cortexkey/v1'\n",
            "a: 1\n---\napiVersion: cortexkey/v1\nkind: ApiKey\n",
            "kind: Policy\nkind: ApiKey\napiVersion: cortexkey/v1\n",
            "apiVersion: cortexkey/v1\nkind: ApiKey\nspec: [\n",
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
