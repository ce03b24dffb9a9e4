//! Adds a waiver to a policy's text, in the form that its other waivers have.
//!
//! The rest of the file stays the same, byte for byte. The new text is parsed before it is
//! returned: a form that this module does not understand is an error, never a damaged policy.

use cortexkey_manifest::policy::{self, PolicyFile};
use cortexkey_manifest::yaml::{NodeId, NodeKind, Tree, YamlLimits, parse};
use cortexkey_manifest::{quoted, scalar};

/// A waiver to be written.
#[derive(Clone, Debug)]
pub struct NewWaiver {
    /// The rule, by name or code.
    pub rule: String,
    /// The key, as `name` or `tenant/name`.
    pub key: String,
    /// Why the finding is accepted.
    pub reason: String,
    /// Who accepted it.
    pub approved_by: Option<String>,
    /// A date or a time with its offset.
    pub expires: String,
}

/// Why a waiver cannot be added to a policy's text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WaiveError {
    /// The text is not a policy without mistakes.
    #[error("the policy has mistakes")]
    Mistakes,
    /// The text has a form that this module cannot extend.
    #[error("the form of the policy's `waivers` is not one that a waiver can be added to")]
    Form,
}

impl NewWaiver {
    fn fields(&self) -> Vec<String> {
        let is_date = self.expires.len() == 10
            && self.expires.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        let expires = if is_date { self.expires.clone() } else { quoted(&self.expires) };
        let mut fields = vec![
            format!("rule: {}", scalar(&self.rule)),
            format!("key: {}", scalar(&self.key)),
            format!("reason: {}", quoted(&self.reason)),
        ];
        fields.extend(self.approved_by.as_ref().map(|by| format!("approvedBy: {}", scalar(by))));
        fields.push(format!("expires: {expires}"));
        fields
    }

    /// The entry in braces, as a person would add it by hand.
    #[must_use]
    pub fn entry(&self) -> String {
        format!("{{ {} }}", self.fields().join(", "))
    }
}

/// The policy's text with the waiver, and the waiver's line.
pub fn add_waiver(text: &str, waiver: &NewWaiver) -> Result<(String, usize), WaiveError> {
    let before = read(text).ok_or(WaiveError::Mistakes)?;
    let tree = parse(text, &YamlLimits::default()).tree;
    let mut edits = edits(&tree, waiver).ok_or(WaiveError::Form)?;
    let place = edits.last().map_or(0, |(at, _)| *at);
    let mut new = text.to_owned();
    edits.sort_by_key(|(at, _)| core::cmp::Reverse(*at));
    for (at, inserted) in edits {
        new.insert_str(at, &inserted);
    }
    let after = read(&new).ok_or(WaiveError::Form)?;
    let is_ours = |waivers: &PolicyFile| {
        let Some(last) = waivers.waivers.last() else { return false };
        last.rule.get() == Some(&waiver.rule)
            && last.key.get() == Some(&waiver.key)
            && last.reason.get() == Some(&waiver.reason)
            && last.approved_by.get() == waiver.approved_by.as_ref()
            && last.expires.get().is_some()
    };
    if after.waivers.len() != before.waivers.len() + 1 || !is_ours(&after) {
        return Err(WaiveError::Form);
    }
    let line = after.waivers.last().map_or(place, |waiver| waiver.span.start as usize);
    let line = new.get(..line).unwrap_or_default().matches('\n').count() + 1;
    Ok((new, line))
}

fn read(text: &str) -> Option<PolicyFile> {
    let parsed = parse(text, &YamlLimits::default());
    let lowered = policy::read(&parsed.tree, parsed.first()?);
    lowered.policy.filter(|_| lowered.problems.is_empty())
}

/// What is inserted, and where; `None` for a form that is not understood.
fn edits(tree: &Tree, waiver: &NewWaiver) -> Option<Vec<(usize, String)>> {
    let text = tree.source();
    let end_of_line = if text.contains("\r\n") { "\r\n" } else { "\n" };
    let root = tree.documents().first()?.root;
    let NodeKind::Mapping { entries, flow: false } = &tree.node(root).kind else { return None };
    let waivers = entries.iter().find(|entry| tree.text_of(entry.key) == Some("waivers"));
    let Some(waivers) = waivers else {
        let at = tree.line_end(tree.node(root).span.range().end);
        let item = format!("waivers:{end_of_line}  - {}", waiver.entry());
        return Some(vec![(at, format!("{end_of_line}{end_of_line}{item}"))]);
    };
    match &tree.node(waivers.value).kind {
        NodeKind::Sequence { items, flow: true } => {
            in_brackets(tree, waivers.value, items.last().copied(), waiver, end_of_line)
        }
        NodeKind::Sequence { items, flow: false } => {
            below(tree, *items.last()?, waiver, end_of_line)
        }
        _ => None,
    }
}

/// After the last item of a list in brackets, on a line of its own if that item is on one.
fn in_brackets(
    tree: &Tree,
    brackets: NodeId,
    last: Option<NodeId>,
    waiver: &NewWaiver,
    end_of_line: &str,
) -> Option<Vec<(usize, String)>> {
    let text = tree.source();
    let close = tree.node(brackets).span.range().end.checked_sub(1)?;
    let Some(last) = last else { return Some(vec![(close, waiver.entry())]) };
    let span = tree.node(last).span.range();
    let indent = text.get(tree.line_start(span.start)..span.start)?;
    // A comment may hold a comma of its own.
    let behind = text.get(span.end..close)?;
    let comma = behind.split('#').next()?.find(',');
    let mut edits = Vec::new();
    if comma.is_none() {
        edits.push((span.end, ",".to_owned()));
    }
    if indent.trim().is_empty() && !indent.is_empty() {
        let at = tree.line_end(span.end);
        edits.push((at.min(close), format!("{end_of_line}{indent}{}", waiver.entry())));
    } else {
        let at = comma.map_or(span.end, |comma| span.end + comma + 1);
        edits.push((at, format!(" {}", waiver.entry())));
    }
    // Two insertions at one place would change their order.
    if let [(first, comma), (second, item)] = edits.as_slice()
        && first == second
    {
        return Some(vec![(*first, format!("{comma}{item}"))]);
    }
    Some(edits)
}

/// Below the last item of a list with hyphens, with the same indentation.
fn below(
    tree: &Tree,
    last: NodeId,
    waiver: &NewWaiver,
    end_of_line: &str,
) -> Option<Vec<(usize, String)>> {
    let text = tree.source();
    let node = tree.node(last);
    let span = node.span.range();
    let before = text.get(tree.line_start(span.start)..span.start)?;
    let indent = before.get(..before.find('-')?)?;
    let gap = before.get(indent.len() + 1..)?;
    if !indent.trim().is_empty() || !gap.trim().is_empty() {
        return None;
    }
    let is_flow = matches!(node.kind, NodeKind::Mapping { flow: true, .. });
    let item = if is_flow {
        waiver.entry()
    } else {
        let deeper = format!("{end_of_line}{indent} {gap}");
        waiver.fields().join(&deeper)
    };
    let at = tree.line_end(span.end);
    Some(vec![(at, format!("{end_of_line}{indent}-{gap}{item}"))])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    const HEAD: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: acme }\n";
    const ENTRY: &str = "{ rule: E003, key: eu/svc, reason: \"the vendor, SEC-7\", \
                         approvedBy: ciso@example.com, expires: 2026-12-31 }";
    const OLD: &str = "{ rule: E001, key: a, reason: \"r\", approvedBy: b, expires: 2026-12-31 }";

    fn waiver() -> NewWaiver {
        NewWaiver {
            rule: "E003".into(),
            key: "eu/svc".into(),
            reason: "the vendor, SEC-7".into(),
            approved_by: Some("ciso@example.com".into()),
            expires: "2026-12-31".into(),
        }
    }

    #[test]
    fn a_waiver_is_added_in_the_form_of_the_file() {
        for (body, expected) in [
            ("", "\nwaivers:\n  - NEW\n"),
            ("tests: [a]\n", "tests: [a]\n\nwaivers:\n  - NEW\n"),
            ("tests: [a]", "tests: [a]\n\nwaivers:\n  - NEW"),
            ("waivers: []\n", "waivers: [NEW]\n"),
            ("waivers: [OLD]\n", "waivers: [OLD, NEW]\n"),
            ("waivers: [OLD,]\n", "waivers: [OLD, NEW]\n"),
            (
                "waivers:\n  - OLD # why, so\ntests: [a]\n",
                "waivers:\n  - OLD # why, so\n  - NEW\ntests: [a]\n",
            ),
            ("waivers:\n- OLD\n", "waivers:\n- OLD\n- NEW\n"),
            ("waivers:\n  [\n    OLD\n  ]\n", "waivers:\n  [\n    OLD,\n    NEW\n  ]\n"),
            ("waivers: [\n    OLD, # a, b\n  ]\n", "waivers: [\n    OLD, # a, b\n    NEW\n  ]\n"),
            ("waivers: [\n    OLD # a, b\n  ]\n", "waivers: [\n    OLD, # a, b\n    NEW\n  ]\n"),
            (
                "waivers:\n  -   rule: E001\n      key: a\n      reason: r\n# end\n",
                "waivers:\n  -   rule: E001\n      key: a\n      reason: r\n  -   rule: E003\n      \
                 key: eu/svc\n      reason: \"the vendor, SEC-7\"\n      \
                 approvedBy: ciso@example.com\n      expires: 2026-12-31\n# end\n",
            ),
        ] {
            for end in ["\n", "\r\n"] {
                let form = |text: &str| {
                    let text = text.replace("NEW", ENTRY).replace("OLD", OLD);
                    format!("{HEAD}{text}").replace('\n', end)
                };
                let (new, line) = add_waiver(&form(body), &waiver()).unwrap();
                assert_eq!(new, form(expected), "{body:?}");
                assert!(new.lines().nth(line - 1).unwrap().contains("E003"), "{line} {new}");
            }
        }
    }

    #[test]
    fn files_that_cannot_be_extended_are_left_alone() {
        let braces = "{ apiVersion: cortexkey/v1, kind: Policy, metadata: { name: a } }\n";
        assert_eq!(add_waiver(braces, &waiver()), Err(WaiveError::Form));
        for bad in ["waivers: 1\n", "waivers:\n", "rulez: {}\n", "a: [\n"] {
            let text = format!("{HEAD}{bad}");
            assert_eq!(add_waiver(&text, &waiver()), Err(WaiveError::Mistakes), "{bad}");
        }
        assert_eq!(add_waiver("", &waiver()), Err(WaiveError::Mistakes));
        let late = NewWaiver { expires: "soon".into(), ..waiver() };
        assert_eq!(add_waiver(HEAD, &late), Err(WaiveError::Form));
    }

    #[test]
    fn texts_that_yaml_would_take_for_something_else_are_quoted() {
        let odd =
            NewWaiver { reason: "a\"b\\ # {x}: \u{202e}".into(), key: "no".into(), ..waiver() };
        let (new, _) = add_waiver(HEAD, &odd).unwrap();
        assert!(new.contains("key: \"no\""), "{new}");
    }
}
