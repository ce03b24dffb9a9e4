//! What a key may do and see, on its page: its rights, its scope, what enforcing scopes would
//! remove, and the answer to a question. The core decides.

mod question;

use cortexkey_api::scope::ScopeRead;
use cortexkey_core::access::{Area, Grant, Rights, Sbac, TenantSettings, scope_bypasses};
use cortexkey_manifest::access::{KeyAccess, ScopeModel, describe, losses};
use cortexkey_system::chain;
use maud::{Markup, html};

use super::find::SelectedKey;
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::PageRequest;
use crate::parts::layout::{fault, fault_box};
use crate::snapshot::{Row, Snapshot};

/// The key's access according to the tenant.
pub(super) fn for_row(app: &App, snapshot: &Snapshot, row: &Row) -> Result<KeyAccess, BoxError> {
    let scope = app.options.client.scope(row.record.key_id);
    let scope = scope.map_err(|error| format!("its scope could not be read: {}", chain(&error)))?;
    of_scope(app, snapshot, row, scope.as_ref())
}

fn of_scope(
    app: &App,
    snapshot: &Snapshot,
    row: &Row,
    scope: Option<&ScopeRead>,
) -> Result<KeyAccess, BoxError> {
    let policy = snapshot.definitions.policy();
    let tenant = app.options.tenant.as_deref();
    let access = cortexkey_fleet::access(row, scope, policy, tenant)?;
    Ok(as_the_emulator(app, access))
}

/// The emulator itself reports what a policy would set for a tenant.
fn as_the_emulator(app: &App, mut access: KeyAccess) -> KeyAccess {
    if let Some(controls) = app.options.emulator() {
        let settings = controls.settings();
        let facts = &mut access.tenant;
        facts.scopes = if settings.has_scopes { ScopeModel::Areas } else { ScopeModel::NoScopes };
        facts.settings = TenantSettings {
            sbac: if settings.enforce_scopes { Sbac::Enforced } else { Sbac::Disabled },
            tags: settings.tags,
            datasets: settings.scoped_datasets,
        };
        facts.tags_set = true;
        facts.datasets_set = true;
    }
    access
}

/// The cards of a key's page. What its roles allow is known without its scope, which many signing
/// keys may not read.
pub(super) fn cards(app: &App, request: &PageRequest, selected: &SelectedKey) -> Markup {
    let scope = app.options.client.scope(selected.row.record.key_id);
    let (scope, why) = match scope {
        Ok(scope) => (scope, None),
        Err(error) => (None, Some(chain(&error))),
    };
    let access = match of_scope(app, &selected.view.snapshot, &selected.row, scope.as_ref()) {
        Ok(access) => access,
        Err(error) => return fault("What the key may do is not known.", &chain(error.as_ref())),
    };
    html! {
        section class="card" aria-labelledby="may-do" {
            h2 id="may-do" { "What it may do" }
            div class="body" { (rights(&access)) }
        }
        @if let Some(why) = why {
            (fault_box(
                Some("scope"),
                "What the key may see is not known: its scope could not be read.",
                &why,
            ))
        } @else {
            section class="card" aria-labelledby="may-see" {
                h2 id="may-see" { "What it may see" }
                div class="body" { (areas(&access)) }
            }
            section class="card" aria-labelledby="ask" {
                h2 id="ask" { "Ask about access" }
                div class="body" { (question::card(request, selected, &access)) }
            }
        }
    }
}

fn rights(access: &KeyAccess) -> Markup {
    let rights = Rights(&access.roles);
    let mut components: Vec<&str> = Vec::new();
    for grant in access.roles.iter().flat_map(|role| &role.grants) {
        let Grant { component, .. } = grant;
        if !components.contains(&component.as_str()) {
            components.push(component);
        }
    }
    let is_known = access.roles.iter().all(|role| role.actions.is_complete || role.holds_all);
    let actions: Vec<&str> =
        access.roles.iter().flat_map(|role| &role.actions.held).map(String::as_str).collect();
    html! {
        @if access.roles.iter().any(|role| role.holds_all) {
            p { "Every component at edit, every action." }
        } @else {
            dl class="facts" {
                @for name in components {
                    dt { (name) } dd { (rights.component(name)) }
                }
                dt { "Actions" } dd {
                    @if actions.is_empty() { @if is_known { "none" } @else { "unknown" } }
                    (actions.join(", "))
                    @if !is_known && !actions.is_empty() { "; others unknown" }
                }
            }
            p class="hint" { "A component that is not listed is unknown: its permissions are not \
                              documented." }
        }
        p {
            "Generates keys: "
            @match rights.can_generate_keys() {
                Some(true) => strong class="warn" { "yes" },
                Some(false) => "no",
                None => "unknown",
            }
        }
    }
}

fn areas(access: &KeyAccess) -> Markup {
    let lost = losses(access);
    html! {
        @if access.tenant.scopes != ScopeModel::Areas {
            p { "What its roles allow: the product has no scopes of this form." }
        } @else {
            @if let Some(scope) = &access.scope {
                dl class="facts" {
                    dt { "Assets" } dd { (area(&scope.assets)) }
                    dt { "Cases and Issues" } dd {
                        (area(&scope.cases_and_issues.area)) "; unreferenced: "
                        (scope.cases_and_issues.unreferenced.as_str())
                    }
                    dt { "Endpoints" } dd { (describe::endpoints(scope)) }
                    @if scope.datasets.is_some() { dt { "Datasets" } dd { (describe::rows(access, scope)) } }
                }
            } @else {
                p { "The tenant shows no scope." }
            }
            h3 { "With scopes enforced it would lose" }
            @if lost.is_empty() {
                p { "Nothing: its scope allows everything." }
            } @else {
                ul class="findings" { @for loss in &lost { li { (loss) } } }
            }
            @for (component, how) in scope_bypasses(&access.roles) {
                p class="warn" { "The scope does not bind " (component) ": " (how) }
            }
        }
    }
}

fn area(area: &Area<String>) -> String {
    match area {
        Area::None => "none".to_owned(),
        Area::All => "all".to_owned(),
        Area::Select(names) => names.join(", "),
    }
}
