//! R004 role-too-many: more roles than a key should hold.

use cortexkey_manifest::Spanned;
use cortexkey_manifest::policy::Severity;

use crate::policy::{OptionDoc, OptionType, Tighter};
use crate::rule::{Check, Example, Fixes, KeyContext, Rule, Sink};

pub(crate) static RULE: Rule = Rule {
    code: "R004",
    name: "role-too-many",
    severity: Severity::Warning,
    summary: "more roles than a key should hold",
    why: "Rights of roles add up: the highest level of each component counts. Past a handful \
          nobody can say any more what a key may do.",
    bad: Example::fields("spec:\n  roles: [Viewer, Responder, Developer]\n")
        .policy("rules: { role-too-many: { max: 2 } }\n"),
    good: Example::fields("spec:\n  roles: [Viewer, Responder]\n")
        .policy("rules: { role-too-many: { max: 2 } }\n"),
    mend: "Make one custom role with what the key needs, or split the key by consumer.",
    options: &[OptionDoc {
        name: "max",
        kind: OptionType::Number,
        default: Some("5"),
        what: "how many roles a key may hold",
        tighter: Tighter::Less,
    }],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut Sink<'_>) {
    let Some((max, source)) = sink.settings.number("max") else { return };
    let roles = cx.definition.roles();
    let Some(first_over) = roles.get(max) else { return };
    let message = format!("{} roles; the policy allows at most {max}", roles.len());
    let finding = cx
        .finding(first_over.span, message)
        .detail(names(roles))
        .help("make one role with what the key needs, or split the key by consumer")
        .decided(source, "the limit");
    sink.report(finding);
}

/// All roles in one text, whatever their order: one more is another fault.
fn names(roles: &[Spanned<String>]) -> String {
    let mut names: Vec<&str> = roles.iter().map(|role| role.value.as_str()).collect();
    names.sort_unstable();
    names.join("\n")
}
