//! R005 role-toxic-combination: two roles that must not be combined.

use std::collections::HashMap;

use cortexkey_manifest::access::ResolvedRole;
use cortexkey_manifest::policy::{SettingSource, Severity};

use crate::model::folded;
use crate::rule::{FindingSink, Fixes, KeyContext, Rule, RuleCheck, RuleExample};
use crate::rules::roles::held::{held, role_text};

const CONFLICT: &str = "catalog: { conflicts: [[Responder, Investigation Admin]] }\nrules: { role-privileged-without-approval: { enabled: false } }\n";

pub(crate) static RULE: Rule = Rule {
    code: "R005",
    name: "role-toxic-combination",
    severity: Severity::Error,
    summary: "two roles that must not be combined",
    why: "Separation of duties: a key that takes an action must not also control the audit of that \
        action. A key with two roles has the permissions of both.",
    bad: RuleExample::fields("spec:\n  roles: [Responder, Investigation Admin]\n").policy(CONFLICT),
    good: RuleExample::fields("spec:\n  roles: [Responder, Viewer]\n").policy(CONFLICT),
    remedy: "Split the key in two, one for each duty. The policy's `catalog.conflicts` lists the \
           pairs.",
    options: &[],
    fixes: Fixes::No,
    check: RuleCheck::Key(check),
};

fn check(cx: &KeyContext<'_>, sink: &mut FindingSink<'_>) {
    let roles = cx.definition.roles();
    let mut conflicts = cx.policy.conflicts().peekable();
    if conflicts.peek().is_none() {
        return;
    }
    let mut by_name: HashMap<String, &(usize, ResolvedRole)> = HashMap::new();
    for one in held(cx) {
        by_name.entry(folded(one.1.name())).or_insert(one);
    }
    for (layer, pair) in conflicts {
        let of_pair = |name: &str| by_name.get(&folded(name)).copied();
        let mut found = pair.iter().filter_map(|name| Some((of_pair(&name.value)?, name)));
        let Some((one, first)) = found.next() else { continue };
        let Some((other, name)) = found.find(|(_, name)| name.value != first.value) else {
            continue;
        };
        let mut both = [one, other];
        both.sort_by_key(|(at, _)| *at);
        let [(first_at, first), (second_at, second)] = both;
        let first_words = role_text(first);
        let message = format!(
            "{} must not be combined with {}",
            role_text(second),
            first_words.trim_end_matches(',')
        );
        cx.finding(roles[*second_at].span, message)
            .detail(format!("{}\n{}", first.name(), second.name()))
            .help("split the key in two, one for each duty")
            .also(roles[*first_at].span, "the other role")
            .also_at(cx.policy.location(SettingSource { layer, span: name.span }), "set here")
            .report(sink);
    }
}
