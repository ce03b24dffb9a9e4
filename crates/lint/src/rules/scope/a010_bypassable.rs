//! A010 scope-bypassable: a role of the key holds a component that is known to go round scopes.

use cortexkey_core::access::{Permission, Role, ways_round_scope};
use cortexkey_manifest::definition::Mode;
use cortexkey_manifest::policy::Severity;
use cortexkey_manifest::quote;

use crate::rules::roles::held;
use crate::rules::{Check, Draft, Example, Fixes, KeyContext, Rule, Sink};
use crate::settings::Settings;

const QUERIES: &str = "catalog:\n  roles:\n    \
    - { name: Query Runner, components: { Query Center: view } }\n    \
    - { name: Case Reader, components: { Cases and Issues: view } }\n";

pub(in crate::rules) static RULE: Rule = Rule {
    code: "A010",
    name: "scope-bypassable",
    severity: Severity::Warning,
    summary: "a role of the key holds a component that is known to go round scopes",
    why: "Queries on the datasets of alerts and incidents, automation rules, correlation rules and dataset views see rows whatever the scope says. A key that may use one of them has a scope that does not bind.",
    bad: Example::fields("spec:\n  roles: [Query Runner]\n").policy(QUERIES),
    good: Example::fields("spec:\n  roles: [Case Reader]\n").policy(QUERIES),
    mend: "Take the component out of the role, or stop relying on the scope. Only components whose level the catalogue lists are looked at.",
    options: &[],
    fixes: Fixes::No,
    check: Check::Key(check),
};

fn check(cx: &KeyContext<'_>, settings: &Settings, sink: &mut Sink<'_>) {
    let Some(scope) = cx.definition.spec.as_ref().and_then(|spec| spec.scope.spanned()) else {
        return;
    };
    let open = |mode: Option<&Mode>| mode == Some(&Mode::All);
    let all = open(scope.value.assets.get().and_then(|assets| assets.mode.get()))
        && open(scope.value.cases.get().and_then(|cases| cases.mode.get()));
    if all {
        return;
    }
    let key = cx.definition.spec.as_ref().and_then(|spec| spec.scope.key());
    let mut seen = Vec::new();
    for &(at, ref role) in held(cx) {
        if role.holds_all || seen.contains(&at) {
            continue;
        }
        let levels: Vec<(&str, Permission)> =
            role.components.iter().map(|(name, level)| (name.as_str(), *level)).collect();
        let one = [Role { components: &levels, ..Role::unknown(&role.name) }];
        let Some((component, how)) = ways_round_scope(&one).next() else { continue };
        seen.push(at);
        let message =
            format!("{} holds {component}, which goes round the scope: {how}", quote(&role.name));
        let mut draft = Draft::at_key(cx, cx.definition.roles()[at].span, message)
            .help("take the component out of the role, or do not rely on the scope");
        if let Some(key) = key {
            draft = draft.also(key, "does not bind");
        }
        sink.report_as(settings, draft);
    }
}
