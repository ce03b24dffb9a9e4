//! Shows what a key may see and do, in words and as JSON.
//!
//! What is unknown is shown as unknown, never as no. The output contains nothing that a terminal
//! would interpret.

use cortexkey_core::access::{
    Axis, Certainty, Component, Grant, KnownLevel, Permission, Product, Rights, Role, Sbac,
    Unreferenced, scope_bypasses,
};
use cortexkey_manifest::access::describe::areas;
use cortexkey_manifest::access::{KeyAccess, RoleFacts, RoleOrigin, ScopeModel, losses};
use serde_json::{Value, json};

use super::files::Located;
use super::layout::{plain, row, rows_aligned};
use super::losses::may_lose_access;
use crate::text::{BOLD, DIM};

/// The facts about a key, gathered once for both forms.
pub(super) struct Overview<'l> {
    located: &'l Located,
    components: Vec<ComponentRight>,
    actions: Vec<String>,
    /// Whether all actions of every role are known.
    actions_complete: bool,
    holds_all: bool,
    can_generate_keys: Option<bool>,
    bypasses: Vec<(&'static str, &'static str)>,
    /// Components that would bypass the scope and that the key may hold.
    unknown_bypasses: Vec<&'static str>,
}

/// The level of a component that the roles grant together; at least one of them names it.
struct ComponentRight {
    name: String,
    level: KnownLevel,
    /// What the documents suggest, if the level is not known exactly.
    assumed: Option<KnownLevel>,
    /// Whether the level rests on user reports alone.
    observed: bool,
}

impl<'l> Overview<'l> {
    pub(super) fn of(located: &'l Located) -> Self {
        let access = &located.access;
        let product = access.tenant.product.unwrap_or(Product::Xsiam);
        let roles = &access.roles;
        let rights = Rights(roles);
        let mut names: Vec<&str> = Vec::new();
        for grant in roles.iter().flat_map(|role| &role.grants) {
            if !names.contains(&grant.component.as_str()) {
                names.push(&grant.component);
            }
        }
        let mut actions: Vec<String> = Vec::new();
        for action in roles.iter().flat_map(|role| &role.actions.held) {
            if !actions.contains(action) {
                actions.push(action.clone());
            }
        }
        Self {
            located,
            components: names.into_iter().map(|name| ComponentRight::of(rights, name)).collect(),
            actions,
            actions_complete: roles.iter().all(|role| role.actions.is_complete || role.holds_all),
            holds_all: roles.iter().any(|role| role.holds_all),
            can_generate_keys: rights.can_generate_keys(),
            unknown_bypasses: unknown_bypasses(roles, product),
            bypasses: scope_bypasses(roles).collect(),
        }
    }

    pub(super) fn json(&self) -> Value {
        let access = &self.located.access;
        let mut json = head_json(self.located);
        let components = self.components.iter().map(ComponentRight::json);
        json["rights"] = json!({
            "holdsAll": self.holds_all,
            "components": components.collect::<Vec<_>>(),
            "actions": self.actions,
            "actionsComplete": self.actions_complete,
            "makesKeys": self.can_generate_keys,
        });
        json["scope"] = json!(access.scope);
        let bypasses = self.bypasses.iter();
        let bypasses: Value = bypasses
            .map(|(component, how)| json!({ "component": component, "how": how }))
            .collect();
        json["scopeBypasses"] = bypasses.clone();
        json["scopeBypassesUnknown"] = json!(self.unknown_bypasses);
        // The names of earlier versions.
        json["waysRoundScope"] = bypasses;
        json["waysRoundScopeUnknown"] = json!(self.unknown_bypasses);
        json["withScopesOn"] = Value::Null;
        if may_lose_access(access) {
            json["withScopesOn"] = json!({ "loses": losses(access) });
        }
        json["notes"] = json!(notes(access));
        json
    }

    pub(super) fn text(&self) -> String {
        let access = &self.located.access;
        let mut out = head_text(self.located);
        out += &format!("\n{BOLD}May do{BOLD:#}\n");
        if self.holds_all {
            out += &row("everything", "every component at edit, every action");
        } else {
            let of = |component: &ComponentRight| (component.name.clone(), component.words());
            let mut lines: Vec<_> = self.components.iter().map(of).collect();
            lines.push(("other components".to_owned(), others(access)));
            lines.push(("actions".to_owned(), self.actions_in_words()));
            out += &rows_aligned(&lines);
        }
        out += &row(
            "can generate keys",
            self.can_generate_keys.map_or("unknown", |yes| if yes { "yes" } else { "no" }),
        );
        if access.tenant.scopes == ScopeModel::NoScopes {
            out += &format!("\n{BOLD}May see{BOLD:#} {DIM}(what its roles allow){DIM:#}\n");
            return out + &notes_text(&notes(access));
        }
        out += &format!("\n{BOLD}May see{BOLD:#} {DIM}({}){DIM:#}\n", enforcement(access));
        for (area, words) in areas(access) {
            out += &row(area, &words);
        }
        out += &self.bypasses_in_words();
        if may_lose_access(access) {
            out += &format!("\n{BOLD}If scopes were enforced, it would lose{BOLD:#}\n");
            let lost = losses(access);
            out += &lost.iter().map(|loss| format!("  {}\n", plain(loss))).collect::<String>();
            if lost.is_empty() {
                out += "  nothing: its scope allows everything\n";
            }
        }
        out + &notes_text(&notes(access))
    }

    fn bypasses_in_words(&self) -> String {
        let mut out = format!("\n{BOLD}Scope bypasses{BOLD:#}\n");
        for (component, how) in &self.bypasses {
            out += &row(component, how);
        }
        if self.bypasses.is_empty() {
            out += "  none is known to be held\n";
        }
        if !self.unknown_bypasses.is_empty() {
            out += &row("unknown", &self.unknown_bypasses.join(", "));
        }
        out
    }

    fn actions_in_words(&self) -> String {
        match (self.actions.as_slice(), self.actions_complete) {
            ([], true) => "none".to_owned(),
            ([], false) => "unknown: they are not listed".to_owned(),
            (actions, true) => actions.join(", "),
            (actions, false) => format!("{}; others unknown", actions.join(", ")),
        }
    }
}

impl ComponentRight {
    fn of(rights: Rights<'_, String>, name: &str) -> Self {
        let level = rights.component(name);
        let assumed =
            rights.assumed(name).filter(|assumed| level.exact().is_none() && *assumed != level);
        let certainty = rights.reaches(name, level.lowest()).map(|(_, certainty)| certainty);
        let observed = level != KnownLevel::UNKNOWN && certainty == Some(Certainty::Observed);
        Self { name: name.to_owned(), level, assumed, observed }
    }

    fn json(&self) -> Value {
        let lowest = self.level.lowest();
        let is_known = lowest > Permission::None || self.level.exact().is_some();
        json!({
            "name": self.name,
            "permission": is_known.then_some(lowest),
            "atMost": self.level.highest(),
            "sure": self.level.exact().is_some(),
            "assumed": self.assumed,
            "observed": self.observed,
        })
    }

    fn words(&self) -> String {
        let mut words = self.level.to_string();
        if self.observed {
            words += " (observed, not documented)";
        }
        if let Some(assumed) = self.assumed {
            words += &format!("; the documents suggest {assumed}");
        }
        words
    }
}

/// The level of the components that no role names.
fn others(access: &KeyAccess) -> String {
    let none = KnownLevel::exactly(Permission::None);
    let known = access.roles.iter().fold(none, |level, role| level.union(role.others));
    if known == KnownLevel::UNKNOWN {
        "unknown: they are not listed".to_owned()
    } else {
        known.to_string()
    }
}

/// The key's identity, tenant and roles.
pub(super) fn head_json(located: &Located) -> Value {
    let KeyAccess { roles, role_facts, tenant, .. } = &located.access;
    let roles = roles.iter().zip(role_facts).map(|(role, facts)| role_json(role, facts));
    json!({
        "version": 1,
        "key": located.name,
        "file": located.file,
        "line": located.line,
        "policy": located.found.path(),
        "tenant": {
            "name": tenant.name,
            "listed": tenant.listed,
            "product": tenant.product,
            "scopes": match tenant.scopes {
                ScopeModel::Areas => "areas",
                ScopeModel::NoScopes => "none",
                ScopeModel::Older => "older-model",
            },
            "sbac": tenant.settings.sbac,
            "tags": tenant.settings.tags,
            "datasets": tenant.settings.datasets,
        },
        "roles": roles.collect::<Vec<_>>(),
    })
}

pub(crate) fn role_json(role: &Role<String>, facts: &RoleFacts) -> Value {
    let settled = |grant: &&Grant<String>| grant.certainty < Certainty::Assumed;
    let exact = role
        .grants
        .iter()
        .filter(settled)
        .filter_map(|grant| Some((grant.component.clone(), json!(grant.level.exact()?))));
    let components: serde_json::Map<String, Value> = exact.collect();
    let lists_actions = role.actions.is_complete || !role.actions.held.is_empty();
    json!({
        "name": role.name,
        "origin": origin(facts.origin),
        "impliedBy": facts.implied_by,
        "privileged": facts.privileged,
        "machine": facts.machine,
        "holdsAll": role.holds_all,
        "components": components,
        "grants": role.grants.iter().map(grant_json).collect::<Vec<_>>(),
        "others": role.others,
        "actions": lists_actions.then_some(&role.actions.held),
        "actionsLacked": role.actions.lacked,
        "actionsComplete": role.actions.is_complete,
    })
}

fn grant_json(grant: &Grant<String>) -> Value {
    json!({
        "component": grant.component,
        "atLeast": grant.level.lowest(),
        "atMost": grant.level.highest(),
        "certainty": grant.certainty,
        "source": grant.source,
    })
}

pub(crate) const fn origin(origin: RoleOrigin) -> &'static str {
    match origin {
        RoleOrigin::Catalog => "catalog",
        RoleOrigin::Predefined => "predefined",
        RoleOrigin::Unknown => "unknown",
    }
}

/// A role's marks: privileged, machine, full access.
pub(crate) fn marks(facts: &RoleFacts, role: &Role<String>) -> String {
    marked(facts.privileged, facts.machine, role.holds_all)
}

pub(crate) fn marked(privileged: bool, machine: bool, holds_all: bool) -> String {
    let marks = [(privileged, "privileged"), (machine, "machine"), (holds_all, "holds everything")];
    let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
    marks.join(", ")
}

fn head_text(located: &Located) -> String {
    let KeyAccess { roles, role_facts, tenant, .. } = &located.access;
    let mut out = format!(
        "{BOLD}{}{BOLD:#}  {DIM}{}:{}{DIM:#}\n",
        plain(&located.name),
        plain(&located.file),
        located.line
    );
    let product = tenant.product.map_or("product not known".to_owned(), |p| p.to_string());
    let tenant = tenant.name.as_deref().map_or("no tenant named".to_owned(), plain);
    out += &format!("tenant {tenant} ({product}), policy {}\n", plain(located.found.path()));
    out += &format!("\n{BOLD}Roles{BOLD:#}\n");
    for (role, facts) in roles.iter().zip(role_facts) {
        let mut words = vec![match facts.origin {
            RoleOrigin::Catalog => "from the policy's catalog".to_owned(),
            RoleOrigin::Predefined => "predefined".to_owned(),
            RoleOrigin::Unknown => "unknown to the product and the catalog".to_owned(),
        }];
        let marks = marks(facts, role);
        words.extend((!marks.is_empty()).then_some(marks));
        words.extend(facts.implied_by.as_ref().map(|by| format!("implied by {by}")));
        let is_known = !role.grants.is_empty() || role.others != KnownLevel::UNKNOWN;
        if !is_known && !role.holds_all {
            words.push("what it grants is unknown".to_owned());
        }
        out += &row(&role.name, &words.join(", "));
    }
    out
}

/// Whether the scope has an effect.
fn enforcement(access: &KeyAccess) -> String {
    let tenant = &access.tenant;
    match (tenant.scopes, tenant.settings.sbac) {
        (ScopeModel::NoScopes, _) => "this product has no scopes".to_owned(),
        (ScopeModel::Older, _) => "this product has an older model of scopes".to_owned(),
        (ScopeModel::Areas, Sbac::Enforced) => "the tenant enforces scopes".to_owned(),
        (ScopeModel::Areas, Sbac::Disabled) => {
            "the tenant stores scopes and does not enforce them".to_owned()
        }
        (ScopeModel::Areas, Sbac::Unknown) => {
            "it is unknown whether the tenant enforces scopes".to_owned()
        }
    }
}

/// The assumptions made where facts are missing.
pub(super) fn notes(access: &KeyAccess) -> Vec<String> {
    let tenant = &access.tenant;
    let mut notes = Vec::new();
    match (&tenant.name, tenant.listed) {
        (None, _) => notes.push(
            "the definition names no tenant, and the policy has none or several: its settings are unknown"
                .to_owned(),
        ),
        (Some(name), false) => {
            notes.push(format!("the policy has no tenant {name}: its settings are unknown"));
        }
        _ => {}
    }
    match tenant.scopes {
        ScopeModel::NoScopes => {
            notes.push("the product has no scopes: roles alone limit what is seen".to_owned());
            return notes;
        }
        ScopeModel::Older => {
            notes.push("the product's older scopes are not evaluated".to_owned());
            return notes;
        }
        ScopeModel::Areas => {}
    }
    if tenant.settings.sbac == Sbac::Disabled {
        notes.push(
            "scopes are off in this tenant: the key sees everything that its roles allow".into(),
        );
    }
    if tenant.settings.sbac == Sbac::Unknown {
        notes.push(
            "the policy does not say whether the tenant enforces scopes, so the answer assumes that it does"
                .to_owned(),
        );
    }
    let Some(scope) = &access.scope else { return notes };
    let by_tags = matches!(scope.endpoints.tags, Axis::Scope(_));
    if by_tags && !tenant.tags_set {
        notes.push(
            "the policy does not say how endpoint tags are matched, so the answer assumes restrictive"
                .to_owned(),
        );
    }
    if scope.cases_and_issues.unreferenced == Unreferenced::Unknown {
        notes.push(
            "it is unknown whether the scope allows cases and issues that reference no known object"
                .to_owned(),
        );
    }
    notes
}

pub(super) fn notes_text(notes: &[String]) -> String {
    if notes.is_empty() {
        return String::new();
    }
    let notes = notes.iter().map(|note| format!("{DIM}note: {}{DIM:#}\n", plain(note)));
    format!("\n{}", notes.collect::<String>())
}

/// The components of a product that would bypass a scope and that the roles may grant.
fn unknown_bypasses(roles: &[Role<String>], product: Product) -> Vec<&'static str> {
    let unknown = |component: &&Component| {
        let bypass = component.scope_bypass;
        bypass.is_some_and(|bypass| {
            Rights(roles).component(component.name).reaches(bypass.level).is_none()
        })
    };
    Component::for_product(product).iter().filter(unknown).map(|component| component.name).collect()
}
