//! `cortexkey roles`: lists roles, and shows what one grants, with certainty and source.
//!
//! What is not listed is unknown and never shown as "not held".

use std::path::PathBuf;

use cortexkey_core::access::{
    Certainty, Component, Grant, KnownLevel, PREDEFINED_ROLES, PredefinedRole, Product, Role,
};
use cortexkey_manifest::access::{ResolvedRole, RoleOrigin};
use cortexkey_manifest::closest;
use serde_json::{Value, json};

use crate::commands::access::{
    PolicyInForce, line, marked, marks, plain, role_json, role_named, row, rows_aligned,
};
use crate::exit::{Exit, Failure};
use crate::product_arg::product;
use crate::text::{self, BOLD, DIM, Format};

/// List roles, or show what one role grants
///
/// The product's predefined roles are built in; the policy's catalog adds your own. Only part of
/// what predefined roles grant is public. Each level is shown with its certainty and source; the
/// rest is unknown until the catalog lists it.
#[derive(clap::Args)]
#[command(after_help = r#"Examples:
  cortexkey roles
  cortexkey roles --product xsoar-8
  cortexkey roles Responder                      one role's components, with levels
  cortexkey roles Viewer --product xsiam         the public facts about one product
  cortexkey roles --format json --policy cortexkey.yaml

Exit codes: 0 success; 2 usage error, an unknown role, or an invalid policy."#)]
pub(crate) struct Args {
    /// One role, by its display name
    name: Option<String>,

    /// Only the predefined roles of this product: xsoar-8, xsiam, xdr-5, cortex-cloud, agentix, xpanse
    #[arg(long, value_name = "PRODUCT", value_parser = product)]
    product: Option<Product>,

    /// The policy's file or `builtin:…` [default: the nearest cortexkey.yaml in this folder or
    /// above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let found = PolicyInForce::policy(args.policy.as_deref(), None)?;
    let text = match (&args.name, args.format) {
        (Some(name), format) => one(&found, name, args.product, format)?,
        (None, Format::Text) => list(&found, args.product),
        (None, Format::Json) => list_json(&found, args.product),
    };
    text::print(&text)?;
    Ok(Exit::Done)
}

/// The predefined roles of a product, or of all.
fn predefined(product: Option<Product>) -> impl Iterator<Item = &'static PredefinedRole> {
    let of = move |role: &&PredefinedRole| product.is_none_or(|p| role.products.contains(&p));
    PREDEFINED_ROLES.iter().filter(of)
}

/// The catalog's roles, each once; the nearest layer wins.
fn catalog(found: &PolicyInForce) -> Vec<ResolvedRole> {
    let mut roles: Vec<ResolvedRole> = Vec::new();
    for listed in found.catalog() {
        if !roles.iter().any(|known| known.role.name == listed.name.value) {
            roles.push(ResolvedRole::resolve(&listed.name.value, Some(listed), None));
        }
    }
    roles
}

fn list(found: &PolicyInForce, product: Option<Product>) -> String {
    let mut out = String::new();
    let mut headings: Vec<&[Product]> = Vec::new();
    for role in predefined(product) {
        if !headings.contains(&role.products) {
            headings.push(role.products);
        }
    }
    for products in headings {
        out += &format!("{BOLD}Predefined in {}{BOLD:#}\n", products_in_words(products));
        for role in predefined(product).filter(|role| role.products == products) {
            out += &entry(role.name, &marks_of(role), role.note);
        }
        out.push('\n');
    }
    if let Some(product) = product.filter(|product| !product.publishes_roles()) {
        out += &format!("{DIM}The roles of {product} are not published in full.{DIM:#}\n\n");
    }
    let own = catalog(found);
    if own.is_empty() {
        let why = if found.is_default() { "no policy was found" } else { "it lists none" };
        out += &format!("{DIM}No roles of a policy: {why}.{DIM:#}\n");
    } else {
        out += &format!("{BOLD}In the catalog of {}{BOLD:#}\n", plain(found.path()));
        for ResolvedRole { role, facts } in own {
            out += &entry(&role.name, &marks(&facts, &role), &listed(&role));
        }
    }
    out
}

fn products_in_words(products: &[Product]) -> String {
    if products.len() == Product::ALL.len() {
        return "all products".to_owned();
    }
    products.iter().map(|product| product.as_str()).collect::<Vec<_>>().join(", ")
}

fn marks_of(role: &PredefinedRole) -> String {
    marked(role.privileged, role.machine, role.holds_all)
}

fn entry(name: &str, marks: &str, words: &str) -> String {
    let marks = if marks.is_empty() { String::new() } else { format!("[{marks}] ") };
    format!("  {:<40}  {marks}{DIM}{}{DIM:#}\n", plain(name), plain(words))
}

fn listed(role: &Role<String>) -> String {
    let count = |count: usize, what: &str| match count {
        1 => format!("1 {what}"),
        count => format!("{count} {what}s"),
    };
    let actions = match (role.actions.held.len(), role.actions.is_complete) {
        (0, false) => "actions not listed".to_owned(),
        (listed, _) => count(listed, "action"),
    };
    format!("{}, {actions}", count(role.grants.len(), "component"))
}

/// A role as JSON, with the fields of a list of roles.
fn full_json(found: &PolicyInForce, ResolvedRole { role, facts }: &ResolvedRole) -> Value {
    let predefined = PredefinedRole::by_name(&role.name);
    let mut json = role_json(role, facts);
    json["products"] = json!(predefined.map(|role| role.products));
    json["note"] = json!(predefined.map(|role| role.note));
    json["public"] = predefined.map_or(Value::Null, public_json);
    json["implies"] = json!(implied(found, &role.name));
    let replacement = found
        .listed(&role.name)
        .and_then(|role| role.deprecated.get())
        .map(|d| d.replacement.get());
    json["deprecated"] = replacement.map_or(Value::Null, |name| json!({ "use": name }));
    json
}

/// A role's public facts, by product.
fn public_json(role: &PredefinedRole) -> Value {
    let known = |product| role.grants_in(product).map(|grants| (product, grants));
    let known = Product::ALL.into_iter().filter_map(known);
    known.map(|(product, grants)| json!({ "product": product, "grants": grants })).collect()
}

fn implied(found: &PolicyInForce, name: &str) -> Vec<String> {
    let role = found.listed(name);
    role.map_or(&[][..], |role| &role.implies).iter().map(|role| role.value.clone()).collect()
}

fn list_json(found: &PolicyInForce, product: Option<Product>) -> String {
    let own = catalog(found);
    let public =
        predefined(product).filter(|role| !own.iter().any(|own| own.role.name == role.name));
    let all =
        public.map(|role| ResolvedRole::resolve(role.name, None, None)).chain(own.iter().cloned());
    let roles: Vec<Value> = all.map(|role| full_json(found, &role)).collect();
    line(&json!({ "version": 1, "policy": found.path(), "roles": roles }))
}

fn one(
    found: &PolicyInForce,
    name: &str,
    product: Option<Product>,
    format: Format,
) -> Result<String, Failure> {
    let predefined = PredefinedRole::by_name(name);
    let of_another = |product: &Product| predefined.is_some_and(|r| !r.products.contains(product));
    if let Some(product) = product.filter(of_another)
        && found.listed(name).is_none()
    {
        return Err(Failure::usage_error(format!("{product} has no role {}", plain(name)))
            .help(format!("`cortexkey roles --product {product}` lists its roles")));
    }
    let resolved = role_named(found, name, product).ok_or_else(|| no_such_role(found, name))?;
    if format == Format::Json {
        let roles = [full_json(found, &resolved)];
        return Ok(line(&json!({ "version": 1, "policy": found.path(), "roles": roles })));
    }
    let ResolvedRole { role, facts } = resolved;
    let mut out = format!("{BOLD}{}{BOLD:#}", plain(&role.name));
    let marks = marks(&facts, &role);
    if !marks.is_empty() {
        out += &format!("  [{marks}]");
    }
    out.push('\n');
    if let Some(role) = predefined {
        out += &row("predefined in", &products_in_words(role.products));
        out += &row("the documents say", role.note);
    }
    if found.listed(name).is_some() {
        out += &row("in the catalog of", found.path());
    }
    let implied = implied(found, name);
    if !implied.is_empty() {
        out += &row("implies", &implied.join(", "));
    }
    if product.is_none() && facts.origin == RoleOrigin::Predefined && !role.holds_all {
        out += &public(predefined);
        return Ok(out);
    }
    Ok(out + &held(&role, product.unwrap_or(Product::Xsiam)))
}

/// A role's public facts, by product, if the catalog does not list it.
fn public(role: Option<&PredefinedRole>) -> String {
    let mut out = String::new();
    for product in Product::ALL {
        if role.is_some_and(|role| role.grants_in(product).is_some()) {
            let role = role.map_or("", |role| role.name);
            out += &format!("\n{BOLD}In {product}{BOLD:#}\n");
            out += &levels(&ResolvedRole::resolve(role, None, Some(product)).role, product);
        }
    }
    if out.is_empty() {
        out += "\nwhat it grants is not public\n help: list it in `catalog.roles` of your policy\n";
    }
    out
}

fn held(role: &Role<String>, product: Product) -> String {
    let mut out = format!("\n{BOLD}Components{BOLD:#}\n");
    if role.holds_all {
        return out + "  every component at edit, every action\n";
    }
    out += &levels(role, product);
    out += &format!("\n{BOLD}Actions{BOLD:#}\n");
    let held = role.actions.held.iter().map(|action| format!("  {}\n", plain(action)));
    out += &held.collect::<String>();
    if !role.actions.lacked.is_empty() {
        out += &row("not held", &role.actions.lacked.join(", "));
    }
    if !role.actions.is_complete {
        let all = role.actions.held.is_empty() && role.actions.lacked.is_empty();
        out += if all { "  unknown: they are not listed\n" } else { "  others are unknown\n" };
    }
    out
}

/// Each component with its level, certainty and source.
fn levels(role: &Role<String>, product: Product) -> String {
    let words = |grant: &Grant<String>| match (grant.certainty, grant.source) {
        (Certainty::Listed, _) => grant.level.to_string(),
        (certainty, source) => format!("{} ({certainty}: {source})", grant.level),
    };
    let line = |grant: &Grant<String>| (grant.component.clone(), words(grant));
    let mut lines: Vec<_> = role.grants.iter().map(line).collect();
    let names =
        |component: &&Component| role.grants.iter().any(|grant| grant.component == component.name);
    let unlisted =
        Component::for_product(product).iter().filter(|component| !names(component)).count();
    let others = match role.others {
        KnownLevel::UNKNOWN => "unknown: they are not listed".to_owned(),
        level => level.to_string(),
    };
    lines.push((format!("{unlisted} other components"), others));
    rows_aligned(&lines)
}

fn no_such_role(found: &PolicyInForce, name: &str) -> Failure {
    let own = catalog(found);
    let known = PREDEFINED_ROLES.iter().map(|role| role.name);
    let near = closest(name, known.chain(own.iter().map(|own| own.role.name.as_str())));
    let failure = Failure::usage_error(format!("there is no role `{}`", plain(name)));
    failure.help(match near {
        Some(near) => format!(
            "did you mean \"{}\"? Names match exactly, including case and spaces",
            plain(near)
        ),
        None => {
            "`cortexkey roles` lists all, including those of your policy's `catalog.roles`".into()
        }
    })
}
