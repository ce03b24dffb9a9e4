//! X005 secret-placeholder-reference: a reference to a variable or a vault, where nothing is filled in.

use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rules::{
    Check, Draft, Example, FileContext, Fixes, OptionDoc, OptionType, Rule, Sink, Tighter,
};
use crate::settings::Settings;

pub(in crate::rules) static RULE: Rule = Rule {
    code: "X005",
    name: "secret-placeholder-reference",
    severity: Severity::Warning,
    summary: "a reference to a variable or a vault, where nothing is filled in",
    why: "A definition is read as it stands: `${TOKEN}` is a text of eight characters, not what some program would put there. And a path into a vault tells every reader where to look.",
    bad: Example::fields("spec:\n  comment: uses ${CORTEX_TOKEN}\n"),
    good: Example::fields("spec:\n  comment: uses the token of its host\n"),
    mend: "Write the value itself where it is no secret, and nothing where it is. References that are meant go on the list `allow`, by how they begin.",
    options: &[OptionDoc {
        name: "allow",
        kind: OptionType::Texts,
        default: Some(""),
        what: "how references begin that are allowed, as in `vault://cortex/`",
        tighter: Tighter::Less,
    }],
    fixes: Fixes::No,
    check: Check::Text(check),
};

fn check(cx: &FileContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    if !may_refer(cx.tree.source()) {
        return;
    }
    let (allow, _) = settings.texts("allow");
    for (id, node) in cx.tree.nodes() {
        let Some(text) = cx.tree.text_of(id) else { continue };
        let Some(found) =
            reference(text).filter(|found| !allow.iter().any(|allowed| found.starts_with(allowed)))
        else {
            continue;
        };
        let span = node.span;
        let draft = Draft::new(
            cx.source,
            span,
            format!("{} is a reference, and nothing is filled in here", quote(found)),
        )
        .key(cx.key_at(span).as_deref())
        .help("write the value, or nothing; what is meant goes on the list `allow`");
        sink.report_as(settings, draft);
    }
}

/// False for most texts, which hold nothing that a reference begins with.
fn may_refer(text: &str) -> bool {
    let bytes = text.as_bytes();
    let opens = |pair: &[u8]| matches!(pair, b"${" | b"$(" | b"<%" | b"{{" | b"//");
    bytes.windows(2).any(opens) || bytes.windows(4).any(|four| four == b"arn:")
}

/// The first reference in a text.
fn reference(text: &str) -> Option<&str> {
    const SCHEMES: [&str; 8] = [
        "vault://",
        "op://",
        "secret://",
        "aws-sm://",
        "arn:aws:secretsmanager:",
        "gcp-sm://",
        "keyvault://",
        "sops://",
    ];
    let at = SCHEMES.iter().filter_map(|scheme| text.find(scheme)).min();
    let at = at.or_else(|| {
        // `${NAME}`, `$(NAME)`, `%NAME%` and `{{ name }}`, as many programs fill them in.
        let opens = [("${", '}'), ("$(", ')'), ("<%", '>'), ("{{", '}')];
        let found = opens.iter().filter_map(|(open, close)| {
            let at = text.find(open)?;
            text.get(at..)?.contains(*close).then_some(at)
        });
        found.min()
    })?;
    let rest = text.get(at..)?;
    let end = rest.find([' ', '\t', '\n', '"', '\'', ',']).unwrap_or(rest.len());
    rest.get(..end)
}
