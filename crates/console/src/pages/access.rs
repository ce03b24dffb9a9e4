//! What a key may do and see, on its page: its rights, its scope, what enforcing scopes would
//! remove, and the answer to a question. The core decides.

use cortexkey_core::access::{
    Answer, Area, Endpoint, Grant, Permission, Question, Rights, Sbac, Tenant, decide,
    scope_bypasses,
};
use cortexkey_manifest::access::{Access, ScopeModel, losses, words};
use maud::{Markup, html};
use serde_json::{Value, json};

use super::find::Found;
use crate::app::App;
use crate::error::BoxError;
use crate::page_request::PageRequest;
use crate::parts::layout::fault;
use crate::snapshot::{Row, Snapshot};

/// The key's access according to the tenant.
pub(super) fn of_row(app: &App, snapshot: &Snapshot, row: &Row) -> Result<Access, BoxError> {
    let scope = app.options.client.scope(row.record.key_id);
    let scope = scope.map_err(|error| format!("its scope could not be read: {error}"))?;
    let policy = snapshot.definitions.policy();
    let tenant = app.options.tenant.as_deref();
    let access = cortexkey_fleet::access(row, scope.as_ref(), policy, tenant)?;
    Ok(as_the_emulator(app, access))
}

/// The emulator itself reports what a policy would set for a tenant.
fn as_the_emulator(app: &App, mut access: Access) -> Access {
    if let Some(controls) = app.options.emulator() {
        let settings = controls.settings();
        let facts = &mut access.tenant;
        facts.scopes = if settings.has_scopes { ScopeModel::Areas } else { ScopeModel::NoScopes };
        facts.settings = Tenant {
            sbac: if settings.enforce_scopes { Sbac::Enforced } else { Sbac::Disabled },
            tags: settings.tags,
            datasets: settings.scoped_datasets,
        };
        facts.tags_said = true;
        facts.datasets_said = true;
    }
    access
}

/// The cards of a key's page.
pub(super) fn cards(app: &App, ask: &PageRequest, found: &Found) -> Markup {
    let access = match of_row(app, &found.view.snapshot, &found.row) {
        Ok(access) => access,
        Err(error) => return fault("What the key may do is not known.", &error.to_string()),
    };
    html! {
        section class="card" aria-labelledby="may-do" {
            h2 id="may-do" { "What it may do" }
            div class="body" { (rights(&access)) }
        }
        section class="card" aria-labelledby="may-see" {
            h2 id="may-see" { "What it may see" }
            div class="body" { (areas(&access)) }
        }
        section class="card" aria-labelledby="ask" {
            h2 id="ask" { "May it …?" }
            div class="body" { (question(ask, found, &access)) }
        }
    }
}

fn rights(access: &Access) -> Markup {
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
            @match rights.makes_keys() {
                Some(true) => strong class="warn" { "yes" },
                Some(false) => "no",
                None => "unknown",
            }
        }
    }
}

fn areas(access: &Access) -> Markup {
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
                    dt { "Endpoints" } dd { (words::endpoints(scope)) }
                    @if scope.datasets.is_some() { dt { "Datasets" } dd { (words::rows(access, scope)) } }
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

const KINDS: [(&str, &str); 5] = [
    ("component", "hold a component (NAME=view or NAME=edit)"),
    ("action", "do an action"),
    ("asset", "see an asset in these groups"),
    ("endpoint", "see an endpoint in these groups"),
    ("manage", "manage an endpoint in these groups"),
];

fn question(ask: &PageRequest, found: &Found, access: &Access) -> Markup {
    let kind = ask.query.get("ask");
    let value = ask.query.get("value").unwrap_or_default();
    html! {
        form class="form" method="get" action={ "/keys/" (found.row.record.key_id) } {
            div class="tools" {
                select name="ask" aria-label="Question" {
                    @for (word, text) in KINDS {
                        option value=(word) selected[kind == Some(word)] { (text) }
                    }
                }
                input name="value" aria-label="Of what" value=(value) placeholder="prod-eu, prod-us";
                input name="tags" aria-label="Tags of the endpoint" placeholder="tags"
                    value=[ask.query.get("tags")];
                button type="submit" { "PageRequest" }
            }
        }
        @if let Some(kind) = kind { (answer(access, kind, value, ask.query.get("tags"))) }
    }
}

fn names(text: &str) -> Vec<&str> {
    text.split(',').map(str::trim).filter(|name| !name.is_empty()).collect()
}

fn answer(access: &Access, kind: &str, value: &str, tags: Option<&str>) -> Markup {
    let groups = names(value);
    let tags = names(tags.unwrap_or_default());
    let endpoint = Endpoint { groups: &groups, tags: &tags };
    let question = match kind {
        "component" => {
            let (name, level) = value.rsplit_once('=').unwrap_or((value, "view"));
            let permission = match level {
                "edit" => Permission::Edit,
                "none" => Permission::None,
                _ => Permission::View,
            };
            Question::Component { name, permission }
        }
        "action" => Question::Action { name: value },
        "endpoint" => Question::Endpoint(endpoint),
        "manage" => Question::ManageEndpoint(endpoint),
        _ => Question::Asset { groups: &groups },
    };
    let decision = decide(&access.key(), &access.tenant.settings, &question);
    let (class, word) = match decision.answer() {
        Answer::Allowed => ("ok", "Allowed"),
        Answer::Refused => ("bad", "Refused"),
        Answer::Unknown => ("warn", "Unknown"),
    };
    let written = json!(decision);
    let list = |name: &str| written[name].as_array().cloned().unwrap_or_default();
    html! {
        p { span class={ "tag " (class) } { (word) }
            @if decision.scopes_are_off() {
                " Scopes are off. With scopes on: " (decision.if_enforced()) "."
            }
        }
        table class="plain" {
            caption class="unseen" { "How the answer came about" }
            thead { tr { th scope="col" { "Asked" } th scope="col" { "Answer" } } }
            tbody { @for step in list("steps") {
                tr { th scope="row" { (text(&step["asked"])) } td { (text(&step["message"])) } }
            } }
        }
        @for change in list("changes") {
            p { "It would be allowed with: " (text(&change["message"])) }
        }
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
