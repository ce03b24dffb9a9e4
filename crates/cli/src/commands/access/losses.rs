//! What keys would lose if their tenants enforced scopes.

use cortexkey_core::access::Sbac;
use cortexkey_manifest::access::{KeyAccess, ScopeModel, losses};
use serde_json::{Value, json};

use super::files::Key;
use super::layout::plain;
use crate::text::{BOLD, DIM};

/// Whether enforcing scopes could remove any access.
pub(super) fn may_lose_access(access: &KeyAccess) -> bool {
    access.tenant.scopes == ScopeModel::Areas && access.tenant.settings.sbac != Sbac::Enforced
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
    fn of(access: &KeyAccess) -> Self {
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
    let mut unscoped = 0;
    let mut losing = 0;
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
            Loss::Enforced => out += "  nothing: its tenant already enforces scopes\n",
            Loss::Lost(lost) if lost.is_empty() => {
                out += "  nothing: its scope allows everything\n";
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
        out += &format!(
            ", {unscoped} of them without a scope\n help: assign scopes before you turn scopes on"
        );
    }
    out.push('\n');
    out
}
