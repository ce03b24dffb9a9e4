//! What keys would lose if their tenants enforced scopes.

use cortexkey_core::access::{Area, Axis, Sbac, Unreferenced};
use cortexkey_manifest::access::{Access, ScopeModel};
use serde_json::{Value, json};

use super::files::Key;
use super::words::{endpoints, plain, rows};
use crate::text::{BOLD, DIM};

/// Whether it is worth asking what enforcing scopes would take away.
pub(super) fn asks_what_is_lost(access: &Access) -> bool {
    access.tenant.scopes == ScopeModel::Areas && access.tenant.settings.sbac != Sbac::Enforced
}

/// What the key would lose if scopes were enforced; empty where its scope lets everything in.
pub(super) fn losses(access: &Access) -> Vec<String> {
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
            lost.push(format!("{things} but those of {what} {}", names.join(", ")));
        }
        Area::None | Area::Select(_) => lost.push(things.to_owned()),
    };
    area(&scope.assets, "all assets and findings", "the asset groups");
    area(&cases.area, "all cases and issues", "the domains");
    if scope.assets != Area::All && cases.area != Area::None {
        lost.push("issues, and cases, whose assets are all out of scope".to_owned());
    }
    match (&cases.area, cases.unreferenced) {
        (Area::None, _) | (_, Unreferenced::Yes) => {}
        (_, Unreferenced::No) => {
            lost.push("cases and issues that reference nothing known".to_owned());
        }
        (_, Unreferenced::Unknown) => {
            lost.push("perhaps cases and issues that reference nothing known".to_owned());
        }
    }
    let open = |axis: &Axis<String>| matches!(axis, Axis::SeeAll | Axis::Any);
    if !(open(&scope.endpoints.groups) && open(&scope.endpoints.tags)) {
        let kept = endpoints(scope);
        let but = if kept == "none" { String::new() } else { format!(" but those of: {kept}") };
        lost.push(format!("all endpoints{but}, with the Security issues and cases on the others"));
    }
    let rows = rows(access, scope);
    if access.tenant.settings.datasets && rows != "all" {
        lost.push(format!("rows of datasets; it would see: {rows}"));
    }
    lost
}

/// What a key would lose if its tenant enforced scopes, in words.
enum Loss {
    /// The product has no scopes of this form.
    NotScoped,
    /// Scopes are enforced already.
    Enforced,
    Lost(Vec<String>),
}

impl Loss {
    fn of(access: &Access) -> Self {
        match (access.tenant.scopes, access.tenant.settings.sbac) {
            (ScopeModel::NoScopes | ScopeModel::Older, _) => Self::NotScoped,
            (ScopeModel::Areas, Sbac::Enforced) => Self::Enforced,
            (ScopeModel::Areas, _) => Self::Lost(losses(access)),
        }
    }
}

pub(super) fn losses_json(key: &Key) -> Value {
    let (state, loses) = match Loss::of(&key.access) {
        Loss::NotScoped => ("not-scoped", Vec::new()),
        Loss::Enforced => ("enforced", Vec::new()),
        Loss::Lost(loses) => ("not-enforced", loses),
    };
    json!({
        "key": key.name,
        "file": key.file,
        "line": key.line,
        "tenant": key.access.tenant.name,
        "scopes": state,
        "hasScope": key.access.scope.is_some(),
        "loses": loses,
    })
}

pub(super) fn losses_text(keys: &[Key]) -> String {
    let mut out = String::new();
    let (mut unscoped, mut losing) = (0, 0);
    for key in keys {
        let tenant = key.access.tenant.name.as_deref().map(|name| format!("{name}/"));
        let name = format!("{}{}", tenant.unwrap_or_default(), key.name);
        out += &format!(
            "{BOLD}{}{BOLD:#}  {DIM}{}:{}{DIM:#}\n",
            plain(&name),
            plain(&key.file),
            key.line
        );
        match Loss::of(&key.access) {
            Loss::NotScoped => out += "  nothing: the product has no scopes of this form\n",
            Loss::Enforced => out += "  nothing new: its tenant enforces scopes\n",
            Loss::Lost(lost) if lost.is_empty() => {
                out += "  nothing: its scope lets everything in\n";
            }
            Loss::Lost(lost) => {
                losing += 1;
                unscoped += usize::from(key.access.scope.is_none());
                out += &lost.iter().map(|loss| format!("  {}\n", plain(loss))).collect::<String>();
            }
        }
    }
    out += &format!("\n{losing} of {} keys would lose access", keys.len());
    if unscoped > 0 {
        out += &format!("; without a scope: {unscoped}. Assign one before you turn scopes on");
    }
    out.push('\n');
    out
}
