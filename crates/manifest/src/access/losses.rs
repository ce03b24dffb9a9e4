//! What a key would lose if its tenant enforced scopes.

use cortexkey_core::access::{Area, Axis, Unreferenced};

use super::{KeyAccess, describe};

/// What the key would lose if scopes were enforced; empty if its scope allows everything.
#[must_use]
pub fn losses(access: &KeyAccess) -> Vec<String> {
    let Some(scope) = &access.scope else {
        return vec![
            "all assets, findings, cases, issues and endpoints: it has no scope".to_owned(),
        ];
    };
    let cases = &scope.cases_and_issues;
    let mut lost = Vec::new();
    let mut area = |area: &Area<String>, things: &str, what: &str| match area {
        Area::All => {}
        Area::Select(names) if !names.is_empty() => {
            lost.push(format!("{things} except those of {what} {}", names.join(", ")));
        }
        Area::None | Area::Select(_) => lost.push(things.to_owned()),
    };
    area(&scope.assets, "all assets and findings", "the asset groups");
    area(&cases.area, "all cases and issues", "the domains");
    if scope.assets != Area::All && cases.area != Area::None {
        lost.push("issues and cases whose assets are all out of scope".to_owned());
    }
    match (&cases.area, cases.unreferenced) {
        (Area::None, _) | (_, Unreferenced::Yes) => {}
        (_, Unreferenced::No) => {
            lost.push("cases and issues that reference no known object".to_owned());
        }
        (_, Unreferenced::Unknown) => {
            lost.push("possibly cases and issues that reference no known object".to_owned());
        }
    }
    let open = |axis: &Axis<String>| matches!(axis, Axis::SeeAll | Axis::Any);
    if !(open(&scope.endpoints.groups) && open(&scope.endpoints.tags)) {
        let kept = describe::endpoints(scope);
        let but = if kept == "none" { String::new() } else { format!(" (except those of {kept})") };
        lost.push(format!(
            "all endpoints{but}, and the Security issues and cases on these endpoints"
        ));
    }
    let rows = describe::rows(access, scope);
    if access.tenant.settings.datasets && rows != "all" {
        lost.push(format!("rows of datasets; it would see: {rows}"));
    }
    lost
}
