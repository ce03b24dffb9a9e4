//! The schema of one organisation's key definitions: the format, with the names that its policy has.
//!
//! Editors use it to complete and check tenants, owners, roles and groups. It rejects a name only
//! if a rule of the policy reports it for every key; otherwise the names are suggestions. Parts
//! that depend on the tenant are in one condition per tenant.

use cortexkey_core::access::{BUILT_IN_DOMAINS, PREDEFINED_ROLES, Product};
use cortexkey_manifest::Spanned;
use cortexkey_manifest::definition::UNASSIGNED;
use cortexkey_manifest::policy::CatalogTenant;
use serde_json::{Map, Value, json};

use super::{definition, text};
use crate::policy::{Fact, Policy};
use crate::rules::{find, may_have};

/// The schema of key definitions under a policy, as the contents of a file.
#[must_use]
pub fn of_policy(policy: &Policy) -> String {
    let mut schema = definition();
    if let Some(schema) = schema.as_object_mut() {
        // It is published under no address.
        schema.remove("$id");
    }
    schema["title"] = json!("key definitions of this organisation");
    schema["$comment"] = json!("Written by `cortexkey policy schema`. Do not edit.");
    tenant(&mut schema, policy);
    owner(&mut schema, policy);
    notes(&mut schema, policy);
    let tenants: Vec<_> = policy.tenants().collect();
    let conditions: Vec<Value> = if tenants.is_empty() {
        vec![of_tenant(policy, None)]
    } else {
        tenants.iter().map(|(name, tenant)| conditional(policy, name, tenant)).collect()
    };
    schema["allOf"] = json!(conditions);
    format!("{schema:#}\n")
}

/// The schema of a field of the definition.
fn field<'s>(schema: &'s mut Value, path: &[&str]) -> &'s mut Value {
    path.iter().fold(schema, |schema, name| &mut schema["properties"][name])
}

/// Adds to the schema of a field, and keeps its descriptions.
fn narrow(schema: &mut Value, path: &[&str], to: Value) {
    let field = field(schema, path);
    let (mut kept, Value::Object(mut to)) = (Map::new(), to) else { return };
    for name in ["description", "markdownDescription"] {
        kept.extend(field.get(name).map(|words| (name.to_owned(), words.clone())));
    }
    kept.append(&mut to);
    *field = Value::Object(kept);
}

/// One of some names, or any string if the rule that reports other names does not always apply.
fn names(policy: &Policy, rule: &str, names: &[&str]) -> Value {
    if runs_always(policy, rule) {
        json!({ "enum": names })
    } else {
        json!({ "anyOf": [{ "enum": names }, text()] })
    }
}

fn runs_always(policy: &Policy, rule: &str) -> bool {
    let Some(rule) = find(rule) else { return false };
    let turned_off =
        |fact: &Fact| fact.what == "enabled" && fact.value == "false" && fact.keys.is_some();
    policy.settings(rule).enabled && !policy.facts(rule).iter().any(turned_off)
}

fn tenant(schema: &mut Value, policy: &Policy) {
    let known: Vec<&str> = policy.tenants().map(|(name, _)| name.value.as_str()).collect();
    if known.is_empty() {
        return;
    }
    narrow(schema, &["metadata", "tenant"], names(policy, "tenant-unknown", &known));
    if known.len() > 1 && runs_always(policy, "tenant-unknown") {
        let metadata = field(schema, &["metadata"]);
        metadata["required"] = json!(["name", "tenant"]);
    }
}

fn owner(schema: &mut Value, policy: &Policy) {
    let mut teams: Vec<&str> = policy.teams().collect();
    let domains: Vec<String> = policy.email_domains().map(in_any_case).collect();
    if teams.is_empty() && domains.is_empty() {
        return;
    }
    teams.push(UNASSIGNED);
    let mut owners = vec![json!({ "enum": teams })];
    if !domains.is_empty() {
        let pattern = format!("^.+@({})$", domains.join("|"));
        owners.push(json!({ "type": "string", "pattern": pattern }));
    }
    if !runs_always(policy, "owner-not-allowed") {
        owners.push(text());
    }
    narrow(schema, &["metadata", "owner"], json!({ "anyOf": owners }));
}

/// A pattern for a domain: upper and lower case are the same.
fn in_any_case(domain: &str) -> String {
    let letter = |c: char| match c {
        c if c.is_ascii_alphabetic() => {
            format!("[{}{}]", c.to_ascii_lowercase(), c.to_ascii_uppercase())
        }
        c if c.is_ascii_digit() || c == '-' => c.to_string(),
        c if c.is_ascii() => format!("\\{c}"),
        c => c.to_string(),
    };
    domain.chars().map(letter).collect()
}

/// What the policy requires of a field beyond its form, in words.
fn notes(schema: &mut Value, policy: &Policy) {
    let shown: [(&[&str], &str, &str, &str); 4] = [
        (&["metadata", "name"], "name-pattern", "pattern", "must match"),
        (&["spec", "comment"], "ticket-missing", "pattern", "must name a ticket that matches"),
        (&["spec", "expires"], "expiry-too-long", "max", "at most"),
        (&["spec", "lifetime"], "expiry-too-long", "max", "at most"),
    ];
    for (path, rule, option, words) in shown {
        let Some(rule) = find(rule).filter(|rule| policy.settings(rule).enabled) else { continue };
        let facts = policy.facts(rule);
        let set = facts.iter().find(|fact| fact.what == option && fact.keys.is_none());
        let Some(value) = set.map(|fact| &fact.value) else { continue };
        let note = format!("\n\nThis organisation's policy: {words} `{value}` ({}).", rule.name);
        for name in ["description", "markdownDescription"] {
            let doc = &mut field(schema, path)[name];
            *doc = json!(format!("{}{note}", doc.as_str().unwrap_or_default()));
        }
    }
}

/// The part for the keys of a tenant.
fn conditional(policy: &Policy, name: &Spanned<String>, tenant: &CatalogTenant) -> Value {
    let is_default = policy.only_tenant() == Some(&name.value);
    let mut metadata = json!({ "properties": { "tenant": { "const": name.value } } });
    if !is_default {
        metadata["required"] = json!(["tenant"]);
    }
    let applies = json!({ "properties": { "metadata": metadata }, "required": ["metadata"] });
    json!({ "if": applies, "then": of_tenant(policy, Some(tenant)) })
}

fn of_tenant(policy: &Policy, tenant: Option<&CatalogTenant>) -> Value {
    let product = tenant.and_then(|tenant| tenant.product.get().copied());
    let mut spec = Map::new();
    spec.insert("roles".into(), json!({ "items": roles(policy, product) }));
    if let Some(tenant) = tenant {
        spec.insert("scope".into(), scope(policy, tenant));
    }
    json!({ "properties": { "spec": { "properties": spec } } })
}

/// The roles that keys of a product may have, each with a short description.
fn roles(policy: &Policy, product: Option<Product>) -> Value {
    let mut known: Vec<(&str, String)> = Vec::new();
    for role in policy.roles() {
        let mut words = "A role of the policy's catalog.".to_owned();
        if role.privileged.get() == Some(&true) {
            words += " Privileged: it needs an approval.";
        }
        if let Some(deprecated) = role.deprecated.get() {
            words += " Deprecated.";
            if let Some(other) = deprecated.replacement.get() {
                words = format!("{words} Use `{other}`.");
            }
        }
        known.push((&role.name.value, words));
    }
    for role in PREDEFINED_ROLES.iter().filter(|role| may_have(product, role)) {
        if !known.iter().any(|(name, _)| *name == role.name) {
            let words = if role.privileged { " Privileged: it needs an approval." } else { "" };
            known.push((role.name, format!("A predefined role.{words}")));
        }
    }
    let (names, words): (Vec<&str>, Vec<String>) = known.into_iter().unzip();
    let mut out = self::names(policy, "role-unknown", &names);
    let list = match out.get_mut("anyOf") {
        Some(any) => &mut any[0],
        None => &mut out,
    };
    list["enumDescriptions"] = json!(words);
    list["markdownEnumDescriptions"] = json!(words);
    out
}

/// The groups, domains and tags of a tenant. An empty inventory is not known.
fn scope(policy: &Policy, tenant: &CatalogTenant) -> Value {
    let items = |known: &[&str]| {
        let is_known = !known.is_empty();
        is_known.then(|| names(policy, "scope-unknown-group", known))
    };
    let list = |texts: &[Spanned<String>]| {
        items(&texts.iter().map(|text| text.value.as_str()).collect::<Vec<_>>())
            .map(|items| json!({ "items": items }))
    };
    let groups: Vec<&str> =
        tenant.asset_groups.iter().filter_map(|group| Some(group.name.get()?.as_str())).collect();
    let groups = items(&groups).map(|name| {
        let named = json!({ "type": "object", "properties": { "name": name } });
        json!({ "items": { "anyOf": [name, named] } })
    });
    let mut domains: Vec<&str> = tenant.domains.iter().map(|text| text.value.as_str()).collect();
    if !domains.is_empty() {
        domains.extend(BUILT_IN_DOMAINS);
    }
    let domains = items(&domains).map(|items| json!({ "items": items }));
    let area = |fields: Vec<(&str, Option<Value>)>| {
        let fields: Map<String, Value> = fields
            .into_iter()
            .filter_map(|(name, schema)| Some((name.to_owned(), schema?)))
            .collect();
        json!({ "properties": fields })
    };
    json!({ "properties": {
        "assets": area(vec![("groups", groups)]),
        "casesAndIssues": area(vec![("domains", domains)]),
        "endpoints": area(vec![
            ("groups", list(&tenant.endpoint_groups)),
            ("tags", list(&tenant.endpoint_tags)),
        ]),
    } })
}
