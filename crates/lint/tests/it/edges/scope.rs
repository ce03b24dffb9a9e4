//! Family A: what a key may see.

use cortexkey_lint::Severity;

use super::{KEY, fixed, key, lint_text, messages, shown};

const ASSETS: &str = "assets: { mode: none }";
const CASES: &str = "casesAndIssues: { mode: none }";
const ENDPOINTS: &str = "endpoints: { mode: none }";
const NOTHING: [&str; 0] = [];

/// A policy with one tenant that has these fields.
fn tenant(facts: &str) -> String {
    format!("tenants: {{ main: {{ {facts} }} }}\n")
}

/// A key with these assets, cases and endpoints.
fn assets(fields: &str) -> String {
    key(ASSETS, &format!("assets: {{ {fields} }}"))
}

fn cases(fields: &str) -> String {
    key(CASES, &format!("casesAndIssues: {{ {fields} }}"))
}

fn endpoints(fields: &str) -> String {
    key(ENDPOINTS, &format!("endpoints: {{ {fields} }}"))
}

/// A key with one more area.
fn datasets(fields: &str) -> String {
    key(ENDPOINTS, &format!("{ENDPOINTS}\n    datasets: {fields}"))
}

/// A key without a scope.
fn open() -> String {
    KEY.split_once("  scope:").unwrap().0.to_owned()
}

#[test]
fn a_scope_is_required_if_the_product_has_scopes_or_is_unknown() {
    let reported = |line: &str, place: &str| {
        format!(
            "{line} `{place}` | `spec.scope` is missing: if the tenant enforces scopes, the key probably sees nothing; otherwise, it sees everything that its roles allow | write `scope:` with `assets`, `casesAndIssues` and `endpoints`"
        )
    };
    for policy in ["", &tenant("product: xsiam")] {
        assert_eq!(shown("A001", policy, &open()), [reported("6", "spec")], "{policy}");
        let empty = format!("{}  scope:\n", open());
        assert_eq!(shown("A001", policy, &empty), [reported("11", "scope")], "{policy}");
        assert_eq!(messages("A001", policy, KEY), NOTHING);
    }
    for product in ["xsoar-8", "xpanse"] {
        let policy = tenant(&format!("product: {product}"));
        assert_eq!(messages("A001", &policy, &open()), NOTHING, "{product}");
    }
    // What cannot be read is there.
    assert_eq!(messages("A001", "", &format!("{}  scope: all\n", open())), NOTHING);
}

#[test]
fn all_assets_are_reported_unless_a_list_contradicts() {
    let reported = "12 `all` | this key sees all current and future assets | write `mode: \
                select` and name the `groups`";
    for fields in ["mode: all", "mode: all, groups: []"] {
        assert_eq!(shown("A002", "", &assets(fields)), [reported], "{fields}");
    }
    for fields in ["mode: all, groups: [a]", "mode: select, groups: [a]", "mode: none"] {
        assert_eq!(messages("A002", "", &assets(fields)), NOTHING, "{fields}");
    }
    let decided = shown("A002", "rules: { A002: { severity: info } }\n", &assets("mode: all"));
    assert_eq!(decided, [format!("{reported} | `info`: required here")]);
}

#[test]
fn a_selection_selects_something() {
    let reported = |line: usize, place: &str, area: &str, lists: &str| {
        format!(
            "{line} `{place}` | `scope.{area}` has mode `select`, but nothing is selected | name {lists}, or \
             write `mode: none`"
        )
    };
    let areas = [
        (12, "assets", ASSETS, "`groups`", &["groups"][..]),
        (13, "casesAndIssues", CASES, "`domains`", &["domains"]),
        (14, "endpoints", ENDPOINTS, "`groups` or `tags`", &["groups", "tags"]),
    ];
    for (line, area, old, words, lists) in areas {
        let write = |fields: &str| key(old, &format!("{area}: {{ {fields} }}"));
        let list = lists[0];
        for (fields, place) in [
            ("mode: select".to_owned(), "select"),
            (format!("mode: select, {list}: []"), "[]"),
            (format!("mode: select, {list}: "), list),
        ] {
            let wanted = reported(line, place, area, words);
            assert_eq!(shown("A003", "", &write(&fields)), [wanted], "{fields}");
        }
        for list in lists {
            for fields in [
                format!("mode: select, {list}: [Security]"),
                format!("mode: none, {list}: []"),
                format!("mode: all, {list}: []"),
                // Another rule reports that.
                format!("mode: select, {list}: {{ a: b }}"),
            ] {
                assert_eq!(messages("A003", "", &write(&fields)), NOTHING, "{fields}");
            }
        }
    }
    for (fields, place) in
        [("mode: select, groups: [], tags: []", "[]"), ("mode: select, tags: []", "select")]
    {
        let wanted = reported(14, place, "endpoints", "`groups` or `tags`");
        assert_eq!(shown("A003", "", &endpoints(fields)), [wanted], "{fields}");
    }
    let raw = "mode: raw, groupsMode: any, tagsMode: any";
    assert_eq!(messages("A003", "", &endpoints(raw)), NOTHING);
}

const INVENTORY: &str = "product: xsiam, assetGroups: [{ name: prod-eu }, { name: \"no\" }], \
     domains: [Legal], endpointGroups: [Servers], endpointTags: [db]";

#[test]
fn selected_items_must_be_in_the_inventory() {
    let add = "if it exists, add it to the tenant's inventory in the policy";
    let policy = tenant(INVENTORY);
    for (text, what, place, help, expected_fix) in [
        (assets("mode: select, groups: [zzz]"), "asset group", "12 `zzz`", add, None),
        (
            assets("mode: select, groups: [prod-ue]"),
            "asset group",
            "12 `prod-ue`",
            "did you mean `prod-eu`?",
            None,
        ),
        (
            assets("mode: select, groups: [\"No\"]"),
            "asset group",
            "12 `\"No\"`",
            "write `no`",
            Some(assets("mode: select, groups: [\"no\"]")),
        ),
        (
            assets("mode: select, groups: [{ name: ' Prod-EU ' }]"),
            "asset group",
            "12 `' Prod-EU '`",
            "write `prod-eu`",
            Some(assets("mode: select, groups: [{ name: prod-eu }]")),
        ),
        (
            cases("mode: select, domains: [Security, legal], unreferenced: false"),
            "domain",
            "13 `legal`",
            "write `Legal`",
            Some(cases("mode: select, domains: [Security, Legal], unreferenced: false")),
        ),
        (
            endpoints("mode: select, groups: [Servers, Sevrers], tags: [db]"),
            "endpoint group",
            "14 `Sevrers`",
            "did you mean `Servers`?",
            None,
        ),
        (
            endpoints("mode: select, groups: [Servers], tags: [zzz, db]"),
            "endpoint tag",
            "14 `zzz`",
            add,
            None,
        ),
    ] {
        let name = place.split('`').nth(1).unwrap().trim_matches('"').trim_matches('\'');
        let message = format!("tenant `main` has no {what} `{name}`");
        assert_eq!(shown("A004", &policy, &text), [format!("{place} | {message} | {help}")]);
        assert_eq!(fixed("A004", &policy, &text), expected_fix, "{text}");
    }
}

#[test]
fn known_groups_and_unknown_inventories_are_not_reported() {
    let known = [
        assets("mode: select, groups: [prod-eu, \"no\"]"),
        cases("mode: select, domains: [Legal, Security, Health], unreferenced: false"),
        endpoints("mode: select, groups: [Servers], tags: [db]"),
    ];
    for text in known {
        assert_eq!(messages("A004", &tenant(INVENTORY), &text), NOTHING, "{text}");
    }
    let others = [
        assets("mode: select, groups: [a]"),
        cases("mode: select, domains: [b], unreferenced: false"),
        endpoints("mode: select, groups: [c], tags: [d]"),
    ];
    for text in others {
        assert_eq!(messages("A004", &tenant("product: xsiam"), &text), NOTHING, "{text}");
        assert_eq!(messages("A004", "", &text), NOTHING, "{text}");
    }
}

#[test]
fn a_list_is_valid_only_with_select() {
    let reported = |line: usize, field: &str, mode: &str| {
        format!(
            "{line} `{field}` | `{field}` has no effect in this mode | remove `{field}`, or change the mode | `{mode}`: the mode"
        )
    };
    for mode in ["none", "all"] {
        let switch = if mode == "all" { ", unreferenced: false" } else { "" };
        for (line, field, rest, write) in [
            (12, "groups", "groups: [a]", assets as fn(&str) -> String),
            (13, "domains", &format!("domains: [Security]{switch}"), cases),
            (14, "groups", "groups: [a]", endpoints),
            (14, "tags", "tags: [a]", endpoints),
        ] {
            let text = write(&format!("mode: {mode}, {rest}"));
            assert_eq!(shown("A005", "", &text), [reported(line, field, mode)], "{text}");
            let selected = write(&format!("mode: select, {rest}"));
            assert_eq!(fixed("A005", "", &text), Some(selected.clone()));
            assert_eq!(messages("A005", "", &selected), NOTHING, "{selected}");
            let empty = text.replace("[a]", "[]").replace("[Security]", "[]");
            assert_eq!(messages("A005", "", &empty), NOTHING, "{empty}");
        }
    }
    let both = endpoints("mode: all, groups: [a], tags: [b]");
    assert_eq!(
        shown("A005", "", &both),
        [reported(14, "groups", "all"), reported(14, "tags", "all")]
    );
    let none = cases("mode: none, unreferenced: false");
    assert_eq!(shown("A005", "", &none), [reported(13, "unreferenced", "none")]);
    assert_eq!(fixed("A005", "", &none), Some(KEY.to_owned()));
    for mode in ["all", "select, domains: [Security]"] {
        let text = cases(&format!("mode: {mode}, unreferenced: false"));
        assert_eq!(messages("A005", "", &text), NOTHING, "{text}");
    }
    for mode in ["none", "all", "select, groups: [a]"] {
        for axis in ["groupsMode", "tagsMode"] {
            let text = endpoints(&format!("mode: {mode}, {axis}: any"));
            let mode = mode.split(',').next().unwrap();
            assert_eq!(shown("A005", "", &text), [reported(14, axis, mode)], "{text}");
            let left = text.replace(&format!(", {axis}: any"), "");
            assert_eq!(fixed("A005", "", &text), Some(left));
        }
    }
}

#[test]
fn raw_endpoints_are_at_most_a_warning() {
    let raw = endpoints("mode: raw, groupsMode: scope, groups: [a], tagsMode: scope, tags: [b]");
    let reported = "14 `raw` | `raw` endpoints use the product's own modes, which `none`, `all` and `select` may not express | compare it with the tenant, and write `none`, `all` or `select` if one applies";
    assert_eq!(shown("A005", "", &raw), [reported]);
    for (asked, given) in
        [("error", Severity::Warning), ("warning", Severity::Warning), ("info", Severity::Info)]
    {
        let policy = format!("rules: {{ A005: {{ severity: {asked} }} }}\n");
        let found = lint_text(&policy, &raw).findings;
        let found = found.iter().find(|finding| finding.rule.code() == "A005");
        assert_eq!(found.map(|finding| finding.severity), Some(given), "{asked}");
    }
}

#[test]
fn unreferenced_cases_are_excluded_or_reported() {
    let write = |switch: &str| cases(&format!("mode: all, unreferenced: {switch}"));
    for (switch, reported) in [
        (
            "true",
            "13 `true` | the key sees cases and issues that reference no known object, whatever groups its scope has | write `unreferenced: false`",
        ),
        (
            "unknown",
            "13 `unknown` | it is unknown whether the key sees cases and issues that reference no known object | look at the key's scope in the console, and write `true` or `false`",
        ),
    ] {
        assert_eq!(shown("A006", "", &write(switch)), [reported]);
        assert_eq!(fixed("A006", "", &write(switch)), Some(write("false")));
    }
    assert_eq!(messages("A006", "", &write("false")), NOTHING);
    assert_eq!(messages("A006", "", KEY), NOTHING);
}

/// A key with these modes and this value of `unreferenced`.
fn areas(assets: &str, cases: &str, endpoints: &str, unreferenced: &str) -> String {
    let listed = |mode: &str, list: &str| match mode {
        "none" | "all" => mode.to_owned(),
        name => format!("select, {list}: [{name}]"),
    };
    let switch =
        if cases == "none" { String::new() } else { format!(", unreferenced: {unreferenced}") };
    KEY.replace(ASSETS, &format!("assets: {{ mode: {} }}", listed(assets, "groups")))
        .replace(
            CASES,
            &format!("casesAndIssues: {{ mode: {}{switch} }}", listed(cases, "domains")),
        )
        .replace(ENDPOINTS, &format!("endpoints: {{ mode: {} }}", listed(endpoints, "groups")))
}

#[test]
fn only_contradictory_areas_are_reported() {
    let mut found = [Vec::new(), Vec::new()];
    for assets in ["none", "all", "prod"] {
        for cases in ["none", "all", "Security", "Health"] {
            for endpoints in ["none", "all", "servers"] {
                for unreferenced in ["false", "true", "unknown"] {
                    let text = areas(assets, cases, endpoints, unreferenced);
                    let reported = messages("A007", "", &text);
                    let line = format!("{assets} {cases} {endpoints} {unreferenced}");
                    match reported.first() {
                        // No area is effective, or one of them has no effect.
                        Some(reported) if reported.starts_with("no ") => found[0].push(line),
                        Some(_) => found[1].push(line),
                        None => {}
                    }
                }
            }
        }
    }
    let [invisible, opened] = found;
    assert_eq!(
        invisible,
        [
            "none all none false",
            "none Security none false",
            "none Health none false",
            "none Health all false",
            "none Health servers false",
        ]
    );
    assert_eq!(
        opened,
        [
            "none all all false",
            "none all all true",
            "none all all unknown",
            "none Security all false",
            "none Security all true",
            "none Security all unknown",
            "prod all all false",
            "prod all all true",
            "prod all all unknown",
            "prod Security all false",
            "prod Security all true",
            "prod Security all unknown",
        ]
    );
}

#[test]
fn contradictory_areas_are_reported_at_both_places() {
    assert_eq!(
        shown("A007", "", &areas("none", "all", "none", "false")),
        [
            "12 `none` | no assets are in scope, so no case and no issue is visible | select the asset \
          groups that the cases are about, or write `mode: none` for both | `all`: allows cases"
        ]
    );
    assert_eq!(
        shown("A007", "", &areas("prod", "Security", "all", "false")),
        ["14 `all` | all endpoints are in scope, so all of their Security cases are visible | \
          select the endpoints that belong to the selected assets | `select`: does not limit these cases"]
    );
    // Security may follow another domain.
    let second = areas("prod", "Health, Security", "all", "false");
    assert_eq!(messages("A007", "", &second).len(), 1);
}

#[test]
fn a_scope_that_is_not_enforced_is_reported() {
    let help = "assign scopes first (`cortexkey access --all --if-enforced` lists what each key \
                would lose), then turn on SBAC in the tenant and write `sbac: enforced`";
    for (facts, reported) in [
        (
            "product: xsiam, sbac: disabled",
            format!(
                "11 `scope` | tenant `main` does not enforce scopes: this scope has no effect | \
                 {help} | `disabled`: set here"
            ),
        ),
        (
            "product: xsiam, sbac: unknown",
            format!(
                "11 `scope` | it is unknown whether tenant `main` enforces scopes | {help} | \
                 `unknown`: set here"
            ),
        ),
    ] {
        assert_eq!(shown("A008", &tenant(facts), KEY), [reported]);
        assert_eq!(messages("A008", &tenant(facts), &open()), NOTHING);
    }
    for facts in
        ["product: xsiam, sbac: enforced", "product: xsiam", "product: xsoar-8, sbac: disabled"]
    {
        assert_eq!(messages("A008", &tenant(facts), KEY), NOTHING, "{facts}");
    }
    assert_eq!(messages("A008", "", KEY), NOTHING);
}

#[test]
fn rows_are_scoped_where_the_tenant_scopes_them() {
    let has = tenant("product: xsiam, datasets: true");
    let has_not = tenant("product: xsiam, datasets: false");
    let missing = "11 `scope` | `scope.datasets` is missing, but the tenant requires it | write \
                   `datasets: { default: none }` | `true`: set here";
    assert_eq!(shown("A009", &has, KEY), [missing]);
    let none = datasets("{ default: none }");
    assert_eq!(
        shown("A009", &has_not, &none),
        ["15 `datasets` | the tenant does not scope dataset rows | remove `datasets` | \
          `false`: set here"]
    );
    assert_eq!(fixed("A009", &has_not, &none), Some(KEY.to_owned()));
    assert_eq!(fixed("A009", &has, KEY), None);
    for (policy, text) in [
        (has.as_str(), none.as_str()),
        // A mistake of form is reported as such.
        (&has, &datasets("all")),
        (&has, &datasets("")),
        (&has_not, &datasets("all")),
        (&has_not, KEY),
        (&tenant("product: xsiam"), KEY),
        (&tenant("product: xsiam"), &none),
        ("", &none),
        (&has, &open()),
    ] {
        assert_eq!(messages("A009", policy, text), NOTHING, "{policy}{text}");
    }
}

const ROLES: &str = "catalog: { roles: [\
    { name: Runner, components: { Query Center: edit } }, \
    { name: Reader, components: { Cases and Issues: view } }, \
    { name: Both, implies: [Runner, Second] }, \
    { name: Second, components: { Query Center: edit } }, \
    { name: Instance Administrator, components: { Query Center: view } }] }\n";

#[test]
fn a_scope_bypassing_role_is_reported_once() {
    let roles = |roles: &str| key("[Viewer]", roles);
    let reported = messages("A010", ROLES, &roles("[Runner]"));
    wording!(reported[0]);
    let whole = shown("A010", ROLES, &roles("[Reader, Runner]"));
    assert!(whole[0].starts_with("10 `Runner` | ") && whole.len() == 1, "{whole:?}");
    let end = "| remove the component from the role, or do not rely on the scope | \
               `scope`: bypassed by this role";
    assert!(whole[0].ends_with(end), "{whole:?}");
    // Two roles that one role implies cause one finding, for that role.
    assert_eq!(messages("A010", ROLES, &roles("[Both]")).len(), 1);
    assert_eq!(messages("A010", ROLES, &roles("[Both, Runner]")).len(), 2);
    // Viewing the query center does not allow queries.
    let viewer = ROLES.replace(
        "{ Query Center: edit } }, { name: Reader",
        "{ Query Center: view } }, { name: Reader",
    );
    assert_eq!(messages("A010", &viewer, &roles("[Runner]")), NOTHING);
    // A role with full access bypasses everything, which another rule reports.
    for quiet in ["[Reader]", "[Instance Administrator]"] {
        assert_eq!(messages("A010", ROLES, &roles(quiet)), NOTHING, "{quiet}");
    }
}

#[test]
fn a_scope_that_is_open_need_not_bind() {
    for (assets, cases, count) in
        [("all", "all", 0), ("all", "none", 1), ("none", "all", 1), ("none", "none", 1)]
    {
        let text = areas(assets, cases, "none", "false").replace("[Viewer]", "[Runner]");
        assert_eq!(messages("A010", ROLES, &text).len(), count, "{assets} {cases}");
    }
    assert_eq!(messages("A010", ROLES, &open().replace("[Viewer]", "[Runner]")), NOTHING);
}

#[test]
fn a_group_that_scopes_cannot_use_is_reported() {
    let policy = tenant(
        "product: xsiam, assetGroups: [{ name: a, scopable: true }, { name: b, scopable: false }, { name: c }]",
    );
    let text = assets("mode: select, groups: [a, b, c, d]");
    assert_eq!(
        shown("A011", &policy, &text),
        [
            "12 `b` | scopes cannot use asset group `b` | build the group from attributes that scopes accept, or choose another one | `false`: set here"
        ]
    );
    assert_eq!(messages("A011", "", &text), NOTHING);
}

#[test]
fn filters_take_their_fields_and_operators() {
    let write = |filter: &str| {
        datasets(&format!("{{ default: none, filters: [{{ dataset: a, filter: '{filter}' }}] }}"))
    };
    let field = "the filter does not start with a supported field, such as _vendor";
    let operator = "the filter's operator is none of = != > < >= <= in array_contains contains \
                    starts_with";
    let behind = "write one of them after the field, as in `_vendor = \"acme\"`";
    for (filter, part, error, help) in [
        ("vendor = x", "vendor = x", field, "did you mean `_vendor`?"),
        ("_log_typ = x", "_log_typ = x", field, "did you mean `_log_type`?"),
        ("_vendor = a and (foo9 = b)", "foo9 = b", field, "the fields are "),
        ("_vendor = a or _product like b", "_product like b", operator, behind),
        ("_vendr like b", "_vendr like b", field, "did you mean `_vendor`?"),
        ("_vendor = \"a and b\" and foo9 = \"c\"", "foo9 = \"c\"", field, "the fields are "),
        ("_vendor = \"a\" and foo9 = \"c or d\"", "foo9 = \"c or d\"", field, "the fields are "),
        ("_vendor = a and and = b", "and = b", field, "the fields are "),
        // Only the first of several.
        ("foo9 = a or bar9 = b", "foo9 = a", field, "the fields are "),
    ] {
        let reported = shown("A012", "", &write(filter));
        let wanted = format!("15 `'{filter}'` | `{part}`: {error} | {help}");
        assert_eq!(reported.len(), 1, "{filter}");
        assert!(reported[0].starts_with(&wanted), "{reported:?}\n{wanted}");
        assert_eq!(help.ends_with(' '), reported[0].contains("_broker_device_id"), "{reported:?}");
    }
    for filter in [
        "_vendor = a",
        "(_vendor = a and _product = b) or _vendor in (c, d)",
        "_vendor = \"research and development\"",
        "_vendor = \"this or that\" and _product = \"a\"",
        // The valid forms of values are less certain.
        "_vendor = \"a",
        "_vendor =",
    ] {
        assert_eq!(messages("A012", "", &write(filter)), NOTHING, "{filter}");
    }
}

#[test]
fn a_scope_on_a_product_without_scopes_is_reported_and_removed() {
    for product in ["xsoar-8", "xpanse"] {
        let policy = tenant(&format!("product: {product}"));
        let reported = shown("A013", &policy, KEY);
        assert_eq!(reported.len(), 1, "{product}");
        assert!(reported[0].starts_with("11 `scope` | "), "{reported:?}");
        let end = " has no scopes, so this scope has no effect | remove it, and limit the key by \
                   its role";
        assert!(reported[0].ends_with(end), "{reported:?}");
        assert_eq!(fixed("A013", &policy, KEY), Some(open()));
        assert_eq!(messages("A013", &policy, &open()), NOTHING);
    }
    for policy in ["", &tenant("product: xsiam")] {
        assert_eq!(messages("A013", policy, KEY), NOTHING, "{policy}");
    }
}
