//! Generates `docs/roles.md` from the tables of predefined roles and components, and reports a stale page.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::Write as _;
use std::path::Path;

use cortexkey_core::access::{Component, ComponentLevels, PREDEFINED_ROLES, Product, RoleGrants};

const PAGE: &str = "docs/roles.md";

const HEAD: &str = "\
# Public facts about roles

Generated from [`crates/core/src/access`](../crates/core/src/access) by `CORTEXKEY_RENEW=1 cargo test -p cortexkey-core
--test roles_page`; edit the tables there, not this page. [access.md](access.md#roles) explains the marks.
`cortexkey roles NAME` shows these facts for one role.

Decisions ignore *assumed* rows. For such a component, the row *every other component* applies if the role has one;
otherwise the component's level is unknown.

";

#[test]
fn the_page_is_up_to_date() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = page();
    if std::env::var_os("CORTEXKEY_RENEW").is_some() {
        std::fs::write(root.join(PAGE), &page).unwrap();
    }
    let stands = std::fs::read_to_string(root.join(PAGE)).unwrap_or_default();
    assert!(stands == page, "{PAGE} is stale; run this test with CORTEXKEY_RENEW=1");
}

fn page() -> String {
    let mut page = HEAD.to_owned();
    page += "## Predefined roles\n\n| role | products | marks | description |\n|---|---|---|---|\n";
    for role in PREDEFINED_ROLES {
        let products: Vec<&str> = role.products.iter().map(|product| product.as_str()).collect();
        let products = match products.len() {
            n if n == Product::ALL.len() => "all".to_owned(),
            _ => products.join(", "),
        };
        let marks = [
            (role.holds_all, "grants everything"),
            (role.privileged && !role.holds_all, "privileged"),
            (role.machine, "machine"),
        ];
        let marks: Vec<&str> = marks.iter().filter(|(is, _)| *is).map(|(_, word)| *word).collect();
        writeln!(page, "| {} | {products} | {} | {} |", role.name, marks.join(", "), role.note)
            .unwrap();
    }
    for product in Product::ALL {
        let known = PREDEFINED_ROLES.iter().filter_map(|role| role.grants_in(product));
        let known: Vec<&RoleGrants> = known.collect();
        if !known.is_empty() {
            writeln!(page, "\n## {}", title(product)).unwrap();
            for grants in known {
                of_role(&mut page, grants);
            }
        }
    }
    page += "\n## Components\n";
    for (title, product) in [
        ("XSIAM, XDR 5, Cortex Cloud, AgentiX", Product::Xsiam),
        ("XSOAR 8", Product::Xsoar8),
        ("Xpanse", Product::Xpanse),
    ] {
        writeln!(page, "\n### {title}\n").unwrap();
        page +=
            "| group | component | levels | actions | bypasses scopes |\n|---|---|---|---|---|\n";
        for component in Component::for_product(product) {
            let Component { group, name, .. } = component;
            let levels = match component.levels {
                ComponentLevels::Three => "none, view, edit",
                ComponentLevels::NoneView => "none, view",
                ComponentLevels::NoneEdit => "none, edit",
                ComponentLevels::Switch => "disabled, enabled",
            };
            let actions = component.actions.join(", ");
            let bypass = component.scope_bypass;
            let bypass =
                bypass.map_or(String::new(), |by| format!("from {}: {}", by.level, by.how));
            writeln!(page, "| {group} | {name} | {levels} | {actions} | {bypass} |").unwrap();
        }
    }
    page
}

/// The product's name in a heading.
const fn title(product: Product) -> &'static str {
    match product {
        Product::Xsiam => "Cortex XSIAM",
        Product::Xdr5 => "Cortex XDR 5",
        Product::Xsoar8 => "Cortex XSOAR 8",
        Product::CortexCloud => "Cortex Cloud",
        Product::Agentix => "Cortex AgentiX",
        Product::Xpanse => "Cortex Xpanse",
    }
}

fn of_role(page: &mut String, known: &RoleGrants) {
    writeln!(page, "\n### {}\n", known.role).unwrap();
    *page += "| component | level | mark | source |\n|---|---|---|---|\n";
    for grant in known.grants {
        writeln!(
            page,
            "| {} | {} | *{}* | {} |",
            grant.component, grant.level, grant.certainty, grant.source
        )
        .unwrap();
    }
    if let Some(others) = known.others {
        writeln!(
            page,
            "| every other component | {} | *{}* | {} |",
            others.level, others.certainty, others.source
        )
        .unwrap();
    }
    for (what, actions) in
        [("Grants", known.actions.held), ("Does not grant", known.actions.lacked)]
    {
        if !actions.is_empty() {
            writeln!(page, "\n{what} the actions {}.", actions.join(", ")).unwrap();
        }
    }
}
