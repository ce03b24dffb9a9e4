//! Family R: the roles of a key.

use super::{fixed, key, lint_text, messages, reported};

/// A key with these roles.
fn roles(list: &str) -> String {
    key("[Viewer]", list)
}

/// A policy with these roles in its catalog.
fn catalog(list: &str) -> String {
    format!("catalog: {{ roles: [{list}] }}\n")
}

/// The line of roles after a fix.
fn fixed_roles(rule: &str, policy: &str, list: &str) -> Option<String> {
    let text = fixed(rule, policy, &roles(list))?;
    text.lines().find_map(|line| line.trim().strip_prefix("roles: ")).map(str::to_owned)
}

#[test]
fn an_unknown_role_is_reported_with_its_nearest_name() {
    let own = catalog("{ name: SIEM Export }");
    for (written, help) in [
        ("Investigatr", "did you mean `Investigator`?"),
        ("SIEM Exprt", "did you mean `SIEM Export`?"),
        ("Zzz Qqq", "add your own roles to the policy's `catalog.roles`"),
    ] {
        let end = 11 + written.len();
        let message =
            format!("unknown role `{written}`: it is neither a predefined role nor in the catalog");
        assert_eq!(
            reported("R001", &lint_text(&own, &roles(&format!("[{written}]")))),
            [format!("svc-a.yaml:10:11-{end} {message}"), format!("help: {help}")],
        );
        assert_eq!(fixed_roles("R001", &own, &format!("[{written}]")), None);
    }
}

#[test]
fn a_role_in_the_wrong_case_is_reported_and_fixed() {
    let own = catalog("{ name: SIEM Export }");
    for (written, known) in [
        ("viewer", "Viewer"),
        ("SecurityAdmin", "Security Admin"),
        ("security  admin", "Security Admin"),
        ("siem export", "SIEM Export"),
    ] {
        let message =
            format!("this role is spelt `{known}`, not `{written}`: case and spaces matter");
        let list = format!("[{written}]");
        let lines = reported("R001", &lint_text(&own, &roles(&list)));
        assert!(lines[0].ends_with(&message), "{lines:?}");
        assert_eq!(lines[1..], [format!("help: write `{known}`")]);
        assert_eq!(fixed_roles("R001", &own, &list), Some(format!("[{known}]")));
    }
    for known in ["[Viewer]", "[SIEM Export]", "[Viewer, Security Admin]"] {
        assert!(messages("R001", &own, &roles(known)).is_empty());
    }
}

#[test]
fn the_roles_of_a_product_count_where_they_are_published_in_full() {
    let unknown = |product: &str, role: &str| {
        let tenant = format!("tenants: {{ only: {{ product: {product} }} }}\n");
        messages("R001", &tenant, &roles(&format!("[{role}]")))
    };
    for (product, role) in [("xsoar-8", "Investigator"), ("xsiam", "Analyst")] {
        let message = format!(
            "unknown role `{role}`: it is neither a predefined role of {product} nor in the catalog"
        );
        assert_eq!(unknown(product, role), [message]);
    }
    for (product, role) in [
        ("xsoar-8", "Analyst"),
        ("xsiam", "Investigator"),
        ("agentix", "Analyst"),
        ("xpanse", "Investigator"),
    ] {
        assert!(unknown(product, role).is_empty(), "{product} {role}");
    }
}

#[test]
fn a_catalog_id_is_reported_by_one_rule_and_fixed() {
    let own =
        catalog("{ name: Other, id: custom_role_1 }, { name: 'SIEM: Export', id: custom_role_2 }");
    let text = roles("[custom_role_2]");
    assert!(messages("R001", &own, &text).is_empty());
    assert_eq!(
        reported("R011", &lint_text(&own, &text)),
        [
            "svc-a.yaml:10:11-24 `custom_role_2` is the id of role `SIEM: Export`",
            "help: write `SIEM: Export`",
        ],
    );
    assert_eq!(fixed_roles("R011", &own, "[custom_role_2]").unwrap(), "[\"SIEM: Export\"]");
    let text = roles("[custom_role_3]");
    assert!(messages("R011", &own, &text).is_empty());
    assert_eq!(
        messages("R001", &own, &text),
        ["unknown role `custom_role_3`: it is neither a predefined role nor in the catalog"]
    );
}

#[test]
fn a_forbidden_role_is_reported_also_if_included() {
    assert_eq!(
        messages("R002", "", &roles("[Viewer, Account Admin]")),
        ["keys must not hold role `Account Admin`"]
    );
    let policy = format!(
        "rules: {{ R002: {{ roles: [Responder] }} }}\n{}",
        catalog("{ name: Outer, implies: [Inner] }, { name: Inner, implies: [Viewer, Responder] }"),
    );
    assert_eq!(
        reported("R002", &lint_text(&policy, &roles("[Outer, Viewer, Responder]"))),
        [
            "svc-a.yaml:10:11-16 keys must not hold role `Responder`, which `Inner` includes,",
            "help: create a custom role with what the key needs",
            "cortexkey.yaml:5:25-36 forbidden here",
            "svc-a.yaml:10:26-35 keys must not hold role `Responder`",
            "help: create a custom role with what the key needs",
            "cortexkey.yaml:5:25-36 forbidden here",
        ],
    );
    assert!(messages("R002", &policy, &roles("[Account Admin, Viewer]")).is_empty());
}

#[test]
fn each_duplicate_role_is_reported_with_the_first() {
    assert_eq!(
        reported("R003", &lint_text("", &roles("[Viewer, Responder, \"viewer \", Viewer]"))),
        [
            "svc-a.yaml:10:30-39 role `viewer ` appears twice",
            "help: remove one of the two",
            "svc-a.yaml:10:11-17 first here",
            "svc-a.yaml:10:41-47 role `Viewer` appears twice",
            "help: remove one of the two",
            "svc-a.yaml:10:11-17 first here",
        ],
    );
    let list = "[Viewer, Responder, Viewer]";
    assert_eq!(fixed_roles("R003", "", list).unwrap(), "[Viewer, Responder]");
    assert!(messages("R003", "", &roles("[Viewer, Responder]")).is_empty());
}

#[test]
fn as_many_roles_as_the_limit_may_be_held() {
    let max = "rules: { R004: { max: 2 } }\n";
    assert!(messages("R004", max, &roles("[Viewer, Responder]")).is_empty());
    assert_eq!(
        reported("R004", &lint_text(max, &roles("[Viewer, Responder, Developer, IT Admin]"))),
        [
            "svc-a.yaml:10:30-39 the key holds 4 roles; the policy allows at most 2",
            "help: create one role with what the key needs, or split the key by consumer",
            "cortexkey.yaml:5:23-24 the limit",
        ],
    );
    let five = "Viewer, Responder, Developer, IT Admin, DevSecOps";
    assert!(messages("R004", "", &roles(&format!("[{five}]"))).is_empty());
    assert_eq!(
        messages("R004", "", &roles(&format!("[{five}, Investigator]"))),
        ["the key holds 6 roles; the policy allows at most 5"]
    );
}

#[test]
fn conflicting_roles_are_reported_at_the_later_one() {
    let policy = "catalog: { conflicts: [[Developer, IT Admin], [Responder, Viewer]] }\n";
    let reported = |list: &str| reported("R005", &lint_text(policy, &roles(list)));
    assert_eq!(
        reported("[Responder, IT Admin, Viewer]"),
        [
            "svc-a.yaml:10:32-38 `Viewer` must not be combined with `Responder`",
            "help: split the key in two, one for each duty",
            "svc-a.yaml:10:11-20 the other role",
            "cortexkey.yaml:5:59-65 set here",
        ],
    );
    assert_eq!(
        reported("[Viewer, Responder]"),
        [
            "svc-a.yaml:10:19-28 `Responder` must not be combined with `Viewer`",
            "help: split the key in two, one for each duty",
            "svc-a.yaml:10:11-17 the other role",
            "cortexkey.yaml:5:59-65 set here",
        ],
    );
    for apart in ["[Responder]", "[Viewer, Developer]", "[Responder, IT Admin]"] {
        assert_eq!(reported(apart), [""; 0]);
    }
}

#[test]
fn conflicting_roles_are_reported_also_if_included() {
    let policy = "catalog:\n  conflicts: [[Responder, Viewer], [Viewer, Viewer]]\n  roles:\n    \
        - { name: Acts, implies: [Responder] }\n    - { name: Both, implies: [Acts, Viewer] }\n";
    let messages = |list: &str| messages("R005", policy, &roles(list));
    assert_eq!(
        messages("[Acts, Viewer]"),
        ["`Viewer` must not be combined with `Responder`, which `Acts` includes"]
    );
    assert_eq!(
        messages("[Viewer, Acts]"),
        ["`Responder`, which `Acts` includes, must not be combined with `Viewer`"]
    );
    assert_eq!(
        reported("R005", &lint_text(policy, &roles("[IT Admin, Both]"))),
        [
            "svc-a.yaml:10:21-25 `Viewer`, which `Both` includes, must not be combined with \
             `Responder`, which `Acts` includes",
            "help: split the key in two, one for each duty",
            "svc-a.yaml:10:21-25 the other role",
            "cortexkey.yaml:6:27-33 set here",
        ],
    );
    assert_eq!(messages("[Viewer]"), [""; 0]);
}

#[test]
fn a_role_is_redundant_when_another_includes_it_in_any_number_of_steps() {
    let policy = catalog(
        "{ name: Top, implies: [Analyst, Middle] }, { name: Middle, implies: [Top, Responder] }",
    );
    assert_eq!(
        reported("R006", &lint_text(&policy, &roles("[Responder, Viewer, Top]"))),
        [
            "svc-a.yaml:10:11-20 `Responder` is included in `Top`",
            "help: remove it; it adds nothing",
            "svc-a.yaml:10:30-33 includes it",
        ],
    );
    assert_eq!(fixed_roles("R006", &policy, "[Responder, Viewer, Top]").unwrap(), "[Viewer, Top]");
    for apart in ["[Viewer, Responder]", "[Top, Viewer]", "[Top]", "[Responder, Analyst]"] {
        assert!(messages("R006", &policy, &roles(apart)).is_empty(), "{apart}");
    }
}

#[test]
fn the_first_of_mutually_including_roles_stays() {
    let policy = catalog("{ name: One, implies: [Two] }, { name: Two, implies: [One] }");
    for (list, reported) in [
        ("[One, Viewer, Two]", "`Two` is included in `One`"),
        ("[Two, Viewer, One]", "`One` is included in `Two`"),
    ] {
        assert_eq!(messages("R006", &policy, &roles(list)), [reported]);
    }
    assert!(messages("R006", &policy, &roles("[One, Viewer]")).is_empty());
}

#[test]
fn a_key_without_a_role_is_reported() {
    for (line, position) in [
        ("  roles: []\n", "10:10-12 `spec.roles` is empty: a key needs a role"),
        ("  roles: [ ]\n", "10:10-13 `spec.roles` is empty: a key needs a role"),
        ("  roles: [ # none\n  ]\n", "10:10-4 `spec.roles` is empty: a key needs a role"),
        ("  roles:\n", "10:3-8 `spec.roles` is missing: a key needs a role"),
        ("", "6:1-5 `spec.roles` is missing: a key needs a role"),
    ] {
        assert_eq!(
            reported("R007", &lint_text("", &key("  roles: [Viewer]\n", line))),
            [format!("svc-a.yaml:{position}"), "help: write `roles: [Viewer]`".to_owned()],
        );
    }
    for line in [
        "  roles: [Viewer]\n",
        "  roles: [{ a: b }]\n",
        "  roles: [[]]\n",
        "  roles: Viewer\n",
        "  rolls: [Viewer]\n",
    ] {
        assert!(messages("R007", "", &key("  roles: [Viewer]\n", line)).is_empty(), "{line}");
    }
}

#[test]
fn a_deprecated_role_is_reported_with_its_replacement() {
    let policy = catalog(
        "{ name: Kept }, { name: Old, deprecated: { use: Viewer } }, { name: Gone, deprecated: {} }",
    );
    assert_eq!(
        reported("R008", &lint_text(&policy, &roles("[Kept, Old, Gone]"))),
        [
            "svc-a.yaml:10:17-20 role `Old` is deprecated",
            "help: use `Viewer`",
            "svc-a.yaml:10:22-26 role `Gone` is deprecated",
            "help: use another role",
        ],
    );
    assert_eq!(fixed_roles("R008", &policy, "[Kept, Old]").unwrap(), "[Kept, Viewer]");
    assert_eq!(fixed_roles("R008", &policy, "[Kept, Gone]"), None);
}

#[test]
fn a_role_is_replaced_without_asking_only_by_one_that_is_the_same() {
    let safe = |old: &str, new: &str| {
        let policy = catalog(&format!(
            "{{ name: Another }}, {{ name: New, {new} }}, {{ name: Old, {old}, deprecated: {{ use: New }} }}"
        ));
        let findings = lint_text(&policy, &roles("[Old]")).findings;
        let finding = findings.into_iter().find(|finding| finding.rule.code() == "R008").unwrap();
        finding.fix.unwrap().safe
    };
    let parts = "Public API: view, Query Center: edit";
    let turned = "Query Center: edit, Public API: view";
    let full = |parts: &str, actions: &str, implies: &str| {
        format!("components: {{ {parts} }}, actions: [{actions}], implies: [{implies}]")
    };
    let old = full(parts, "isolate, scan", "Viewer, Responder");
    assert!(safe(&old, &full(turned, "scan, isolate", "Responder, Viewer")));
    assert!(!safe(&old, &full("Public API: view", "isolate, scan", "Viewer, Responder")));
    assert!(!safe(&old, &full(parts, "isolate", "Viewer, Responder")));
    assert!(!safe(&old, &full(parts, "isolate, scan", "Viewer")));
    assert!(!safe("actions: [scan]", "actions: [scan]"));
    // Nothing is known about a role that is not in the catalog.
    let policy = catalog(&format!(
        "{{ name: Another, components: {{ {parts} }} }}, \
         {{ name: Old, components: {{ {parts} }}, deprecated: {{ use: Viewer }} }}"
    ));
    let findings = lint_text(&policy, &roles("[Old]")).findings;
    let finding = findings.into_iter().find(|finding| finding.rule.code() == "R008").unwrap();
    assert!(!finding.fix.unwrap().safe);
}

#[test]
fn a_privileged_role_needs_an_approver() {
    let with = |approvals: &str| {
        let text = roles("[Viewer, Security Admin]");
        let text = text.replace("  owner: team-a\n", &format!("  owner: team-a\n{approvals}"));
        messages("R009", "", &text)
    };
    let message = "`Security Admin` is privileged, and no approval is recorded";
    for none in [
        "",
        "  approvals: []\n",
        "  approvals: [{ ticket: SEC-1 }]\n",
        "  approvals: [{ by: ' ', ticket: SEC-1 }]\n",
    ] {
        assert_eq!(with(none), [message], "{none}");
    }
    for some in [
        "  approvals: [{ by: a@example.com }]\n",
        "  approvals: [{ ticket: SEC-1 }, { by: a@example.com, ticket: SEC-2 }]\n",
    ] {
        assert_eq!(with(some), [""; 0], "{some}");
    }
}

#[test]
fn a_role_including_privileged_ones_is_reported_once() {
    let policy = catalog(
        "{ name: Other, implies: [Viewer] }, \
         { name: Outer, implies: [Viewer, Inner] }, \
         { name: Inner, implies: [Outer, Security Admin, Investigation Admin] }",
    );
    let help = "help: write `approvals: [{ by: …, ticket: … }]` under `metadata`";
    assert_eq!(
        reported("R009", &lint_text(&policy, &roles("[Other, Outer, Viewer, Inner]"))),
        [
            "svc-a.yaml:10:18-23 `Security Admin`, which `Inner` includes, is privileged, and no approval is recorded",
            help,
            "svc-a.yaml:10:33-38 `Security Admin`, which `Inner` includes, is privileged, and no approval is recorded",
            help,
        ],
    );
    assert!(messages("R009", &policy, &roles("[Other, Viewer]")).is_empty());
}

#[test]
fn a_key_generating_role_is_reported_once_per_including_role() {
    let policy = format!(
        "rules: {{ R002: {{ roles: [] }} }}\n{}",
        catalog(
            "{ name: Reads, components: { Public API: view, Query Center: edit } }, \
             { name: Makes, components: { Query Center: view, Public API: edit } }, \
             { name: Brings, implies: [Reads, Makes, Instance Administrator] }",
        ),
    );
    let help = "help: lower `Public API` to `view` or `none` in the role";
    assert_eq!(
        reported(
            "R010",
            &lint_text(&policy, &roles("[Reads, Brings, Makes, Instance Administrator]"))
        ),
        [
            "svc-a.yaml:10:18-24 `Makes`, which `Brings` includes, grants edit access to Public API, so the key can generate keys",
            help,
            "svc-a.yaml:10:26-31 `Makes` grants edit access to Public API, so the key can generate keys",
            help,
            "svc-a.yaml:10:33-55 `Instance Administrator` grants edit access to Public API, so the key can generate keys",
            help,
        ],
    );
    assert!(messages("R010", &policy, &roles("[Reads, Viewer]")).is_empty());
    let former = format!(
        "rules: {{ R002: {{ roles: [] }}, role-mints-keys: {{ enabled: false }} }}\n{}",
        catalog("{ name: Makes, components: { Public API: edit } }"),
    );
    assert!(messages("R010", &former, &roles("[Makes]")).is_empty());
}
