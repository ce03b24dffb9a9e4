//! X005 secret-placeholder-reference: a reference to a variable or a vault, which is not expanded.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::policy::rule_options;
use crate::rule::{FileContext, FindingSink, Fixes, Rule, RuleCheck, RuleExample};

rule_options! {
    struct Options<'a> {
        /// prefixes of allowed references, such as `vault://cortex/`
        allow: &'a [String] = "", Less;
    }
}

pub(crate) static RULE: Rule = Rule {
    code: "X005",
    name: "secret-placeholder-reference",
    severity: Severity::Warning,
    summary: "a reference to a variable or a vault, which is not expanded",
    why: "A definition is read literally: `${TOKEN}` is a string of eight characters, not the \
          value of a variable. A path into a vault also tells every reader where to look.",
    bad: RuleExample::fields("spec:\n  comment: uses ${CORTEX_TOKEN}\n"),
    good: RuleExample::fields("spec:\n  comment: uses the token of its host\n"),
    remedy: "Write the value itself if it is not a secret, and remove it if it is. Add the \
           beginning of intended references to `allow`.",
    options: Options::DOCS,
    fixes: Fixes::No,
    check: RuleCheck::Text(check),
};

/// Prefixes of paths into vaults.
const PATHS: [&str; 8] = [
    "vault://",
    "op://",
    "secret://",
    "aws-sm://",
    "arn:aws:secretsmanager:",
    "gcp-sm://",
    "keyvault://",
    "sops://",
];

/// The references that programs expand: their start and end.
const VARIABLES: [(&str, &str); 5] =
    [("${{", "}}"), ("${", "}"), ("$(", ")"), ("<%", "%>"), ("{{", "}}")];

fn check(cx: &FileContext<'_>, sink: &mut FindingSink<'_>) {
    let allow = Options::of(sink.settings).allow.value;
    for (id, node) in cx.tree.nodes() {
        let found = cx.tree.text_of(id).and_then(|text| reference(text, allow));
        let Some(found) = found else { continue };
        let message = format!("{} is a reference, which is not expanded here", quote(found));
        cx.finding(node.span, message)
            .help("write the value, or remove it; add intended references to `allow`")
            .report(sink);
    }
}

/// The first reference in a string that is not allowed.
fn reference<'t>(text: &'t str, allow: &[String]) -> Option<&'t str> {
    // Most strings contain none of these, and so no reference.
    text.find(['$', '<', '{', ':'])?;
    let begins = |(at, _): &(usize, &str)| !text.split_at(*at).0.ends_with(char::is_alphanumeric);
    let refused = |(at, _): &(usize, &str)| {
        let (_, rest) = text.split_at(*at);
        !allow.iter().any(|allowed| rest.starts_with(allowed.as_str()))
    };
    let paths = PATHS.iter().filter_map(|path| {
        let (at, _) = text.match_indices(path).filter(begins).find(refused)?;
        let (_, rest) = text.split_at(at);
        Some((at, rest.split([' ', '\t', '\n', '"', '\'', ',']).next()?))
    });
    let variables = VARIABLES.iter().filter_map(|(open, close)| {
        let (closed, _) = text.rsplit_once(close)?;
        let (at, _) = closed.match_indices(open).find(refused)?;
        let (_, rest) = text.split_at(at);
        Some((at, rest.split_inclusive(close).next()?))
    });
    let first = paths.chain(variables).min_by_key(|(at, _)| *at);
    first.map(|(_, found)| found)
}
