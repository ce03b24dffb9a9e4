//! Findings that nothing can suppress: those that report that something could not be checked, facts
//! of a parent policy, locked custom rules, and secrets.

#![allow(clippy::format_collect, reason = "short texts of a test")]

use crate::common::{HEAD, code, folder, found, key, lint, lint_with};
use cortexkey_lint::rules::RULES;
use cortexkey_lint::{Corpus, CorpusFile, Policy, Severity, lint as lint_corpus};
use cortexkey_manifest::yaml::YamlLimits;

const WHY: &str = "reason=\"SEC-77\" until=2026-03-31";

fn policy(rest: &str) -> String {
    format!("{HEAD}extends: ['builtin:strict']\nkeys: ['*.key']\n{rest}")
}

fn codes(lines: &[String]) -> Vec<&str> {
    let mut codes: Vec<&str> =
        lines.iter().filter_map(|line| line.split('[').nth(1)?.split(' ').next()).collect();
    codes.sort_unstable();
    codes.dedup();
    codes
}

/// Each way to leave a part of a definition unread: the rule that reports it, and the text.
fn unread() -> Vec<(&'static str, String)> {
    let with = |from: &str, to: &str| key("abc").replace(from, to);
    let roles = "  roles: [Viewer]";
    vec![
        ("Y002", with(roles, "  roles: [Viewer]\n  roles: [Instance Administrator]")),
        ("Y003", format!("%FOO bar\n---\n{}", key("abc"))),
        ("Y006", with(roles, "  roles: [&a Viewer]")),
        ("Y006", with(roles, "  <<: { roles: [Instance Administrator] }\n  roles: [Viewer]")),
        ("Y006", with("comment: For", "comment: !!binary For")),
        ("S001", with(roles, "  rols: [Instance Administrator]")),
        ("S001", with("  securityLevel: advanced", "  security_level: standard")),
        ("S001", with("spec:", "spce:")),
        ("S002", with("    endpoints: { mode: none }\n", "    endpoints: { groups: [a] }\n")),
        ("S003", with(roles, "  roles: Instance Administrator")),
        ("S003", with(roles, "  roles: { Instance Administrator: }")),
        ("S004", with("advanced", "Standard")),
        ("S005", with("cortexkey/v1", "cortexkey/v2")),
        ("E005", with("90d", "9000 days")),
        ("E005", with("  lifetime: 90d", "  expires: 2099-01-01T00:00:00")),
    ]
}

/// A stricter setting for keys that no `match` can select would have no effect.
#[test]
fn a_match_that_selects_no_key_is_a_mistake_of_the_policy() {
    let facts = "tenants: { prod: { product: xsiam } }\ncatalog: { teams: [team-a], roles: [{ name: \
                 SIEM Export, id: r-1 }] }\n";
    let run = |wanted: &str| {
        let rules = format!(
            "rules: {{ E003: {{ overrides: [{{ match: {{ {wanted} }}, max: 30d }}] }} }}\n"
        );
        let folder = folder(&[
            ("cortexkey.yaml", &format!("{HEAD}keys: ['*.key']\n{facts}{rules}")),
            ("abc.key", &key("abc")),
        ]);
        let outcome = lint(&folder, &[]);
        (code(&outcome), found(&outcome).iter().any(|line| line.contains("S004")))
    };
    for wanted in [
        "securityLevel: advnaced",
        "securityLevel: [advanced, Standard]",
        "tenant: pord",
        "owner: team-b",
        "roles: [Vewer]",
        "name: 'svc-*'",
        "path: 'keys/*/'",
        "path: 'keys//prod'",
        "path: '!keys/dev/**'",
    ] {
        assert_eq!(run(wanted), (2, true), "{wanted}");
    }
    for wanted in [
        "securityLevel: advanced",
        "tenant: [prod]",
        "owner: [team-a, a@example.com]",
        "roles: [viewer, r-1, Our Own Role With No Near Name]",
        "name: abc",
        "path: '*.key'",
        "labels: { env: prod }",
    ] {
        assert!(!run(wanted).1, "{wanted}");
    }
}

#[test]
fn coverage_findings_cannot_be_suppressed() {
    for (rule, text) in unread() {
        // A comment before each line, a waiver, and a lower severity.
        let comment = format!("# cortexkey: ignore[{rule}] {WHY}");
        let head = format!("{comment}\n{text}");
        let each: String = text
            .split_inclusive('\n')
            .map(|line| {
                format!("{}{comment}\n{line}", " ".repeat(line.len() - line.trim_start().len()))
            })
            .collect();
        let trailing: String = text.lines().map(|line| format!("{line}  {comment}\n")).collect();
        let waiver = format!(
            "waivers: [{{ rule: {rule}, key: abc, reason: SEC-1, approvedBy: a@example.com, expires: 2026-03-01 }}]\n"
        );
        let lower = format!("rules: {{ {rule}: {{ severity: info }} }}\n");
        let off = format!("rules: {{ {rule}: {{ enabled: false }} }}\n");
        let some = format!(
            "rules: {{ {rule}: {{ overrides: [{{ match: {{ name: abc }}, enabled: false }}] }} }}\n"
        );
        for (policy_text, text) in [
            ("", &head),
            ("", &each),
            ("", &trailing),
            (waiver.as_str(), &text),
            (lower.as_str(), &text),
            (off.as_str(), &text),
            (some.as_str(), &text),
        ] {
            let folder = folder(&[("cortexkey.yaml", &policy(policy_text)), ("abc.key", text)]);
            let outcome = lint(&folder, &[]);
            let lines = found(&outcome);
            assert!(code(&outcome) > 0, "{rule} {policy_text}\n{text}\n{lines:?}");
            let kept = |finding: &&cortexkey_lint::Finding| {
                finding.rule.code() == rule && finding.severity == Severity::Error
            };
            let report = outcome.report.as_ref().unwrap();
            // A policy that tries to turn it off is invalid: exit code 2.
            assert!(
                report.findings.iter().any(|f| kept(&f)) || code(&outcome) == 2,
                "{rule} {policy_text}\n{text}\n{lines:?}"
            );
        }
        // A baseline does not accept it either.
        let folder = folder(&[("cortexkey.yaml", &policy("")), ("abc.key", &text)]);
        lint_with(folder.path(), &[], |options| options.write_baseline = true);
        let outcome = lint(&folder, &[]);
        assert!(codes(&found(&outcome)).contains(&rule), "{rule}: {:?}", found(&outcome));
    }
}

#[test]
fn a_comment_over_what_could_not_be_checked_is_not_allowed() {
    let rule = |name: &str| format!("# cortexkey: ignore[{name}] {WHY}");
    let text = |line: &str, comment: &str| {
        key("abc")
            .replace("  roles: [Viewer]", &format!("  {comment}\n  {line}\n  roles: [Viewer]"))
    };
    let lines = |text: &str| {
        let folder = folder(&[("cortexkey.yaml", &policy("")), ("abc.key", text)]);
        found(&lint(&folder, &[]))
    };
    let misspelt = lines(&text("rols: [x]", &rule("S001")));
    assert_eq!(codes(&misspelt), ["P004", "S001"], "{misspelt:?}");
    // A field that means nothing here hides nothing.
    assert!(lines(&text("ticketSystem: x", &rule("S001"))).is_empty());
}

#[test]
fn rules_of_the_reader_are_those_that_leave_something_unchecked() {
    let of = RULES.iter().filter(|rule| rule.leaves_unchecked()).map(|rule| rule.code);
    assert_eq!(
        of.collect::<Vec<_>>(),
        ["Y001", "Y002", "Y003", "Y006", "S002", "S003", "S004", "S005", "E005"]
    );
    for rule in RULES.iter().filter(|rule| rule.leaves_unchecked()) {
        assert_eq!(rule.levels(), ["error"; 3], "{}", rule.code);
    }
}

/// The findings of a key in the corpus of a child policy.
fn below(parent: &str, child: &str, text: &str) -> (u8, Vec<String>) {
    let folder = folder(&[
        ("cortexkey.yaml", &format!("{HEAD}extends: ['builtin:recommended']\n{parent}")),
        (
            "team/cortexkey.yaml",
            &format!("{HEAD}extends: [../cortexkey.yaml]\nkeys: ['*.key']\n{child}"),
        ),
        ("team/abc.key", text),
    ]);
    let outcome = lint_with(&folder.path().join("team"), &[], |_| {});
    (code(&outcome), found(&outcome))
}

const PARENT: &str = "tenants: { main: { product: xsiam, sbac: enforced, assetGroups: [{ name: prod-eu }] } }\n\
    catalog: { teams: [team-abc], roles: [{ name: Minter, components: { Public API: edit } }] }\n\
    rules: { R010: { locked: true, waivable: false }, A001: { locked: true, waivable: false }, \
    N005: { locked: true, waivable: false }, R001: { locked: true } }\n";

#[test]
fn a_child_policy_cannot_change_its_parents_facts() {
    let minter = key("abc").replace("[Viewer]", "[Minter]");
    let unscoped = {
        let text = key("abc");
        let scope = text.find("  scope:").unwrap();
        text[..scope].to_owned()
    };
    let of_another_team = key("abc").replace("team-abc", "team-xyz");
    let group =
        key("abc").replace("assets: { mode: none }", "assets: { mode: select, groups: [dev] }");
    for (child, text, rule) in [
        (
            "catalog: { roles: [{ name: Minter, components: { Public API: none } }] }\n",
            &minter,
            "R010",
        ),
        (
            "catalog: { roles: [{ name: minter, components: { Public API: none } }] }\n",
            &minter,
            "R010",
        ),
        ("tenants: { main: { product: xsoar-8 } }\n", &unscoped, "A001"),
        ("tenants: { main: { product: xsiam, sbac: disabled } }\n", &unscoped, "A001"),
        ("catalog: { teams: [team-xyz] }\n", &of_another_team, "N005"),
        ("tenants: { main: { product: xsiam, assetGroups: [{ name: dev }] } }\n", &group, "A004"),
    ] {
        let (exit, lines) = below(PARENT, child, text);
        let codes = codes(&lines);
        assert_eq!(exit, 1, "{child} {lines:?}");
        assert!(codes.contains(&rule) && codes.contains(&"P007"), "{child} {lines:?}");
    }
    // Repeating what the parent states changes nothing, and a new name is added.
    for child in [
        "catalog: { roles: [{ name: Minter, components: { Public API: edit } }], teams: [team-abc] }\n",
        "catalog: { roles: [{ name: Own Role, components: { Public API: none } }] }\n",
        "tenants: { main: { product: xsiam, sbac: enforced, assetGroups: [{ name: prod-eu }] } }\n",
    ] {
        let (exit, lines) = below(PARENT, child, &key("abc"));
        assert!(exit == 0 && !codes(&lines).contains(&"P007"), "{child} {lines:?}");
    }
}

#[test]
fn a_tenant_that_a_child_adds_is_not_that_of_keys_without_one() {
    let scope = key("abc").find("  scope:").unwrap();
    let unscoped = key("abc")[..scope].to_owned();
    for child in [
        "tenants: { other: { product: xsoar-8 } }\n",
        "tenants: { a: { product: xsoar-8 }, b: { product: xsoar-8 } }\n",
    ] {
        let (exit, lines) = below(PARENT, child, &unscoped);
        assert!(exit == 1 && codes(&lines).contains(&"A001"), "{child} {lines:?}");
    }
}

#[test]
fn a_predefined_role_is_the_products_unless_the_parent_opens_it() {
    let admin = key("abc").replace("[Viewer]", "[Deployment Admin]");
    let child =
        "catalog: { roles: [{ name: Deployment Admin, components: { Public API: none } }] }\n";
    let (_, lines) = below(PARENT, child, &admin);
    assert!(codes(&lines).contains(&"P007"), "{lines:?}");
    let open = PARENT.replace("catalog: { ", "catalog: { open: [roles], ");
    assert!(!codes(&below(&open, child, &admin).1).contains(&"P007"));
}

#[test]
fn a_child_widens_only_what_its_parent_opens() {
    let of_another_team = key("abc").replace("team-abc", "team-xyz");
    let open = PARENT.replace("catalog: { ", "catalog: { open: [teams, assetGroups], ");
    let child = "catalog: { teams: [team-xyz] }\n\
        tenants: { main: { product: xsiam, assetGroups: [{ name: dev }] } }\n";
    let text = of_another_team
        .replace("assets: { mode: none }", "assets: { mode: select, groups: [dev] }");
    let (exit, lines) = below(&open, child, &text);
    assert_eq!(exit, 0, "{lines:?}");
    // Whatever is opened, an existing group keeps its facts.
    let closed =
        "tenants: { main: { product: xsiam, assetGroups: [{ name: prod-eu, scopable: true }] } }\n";
    assert!(codes(&below(&open, closed, &key("abc")).1).contains(&"P007"));
}

#[test]
fn a_sibling_policy_changes_nothing_in_either_order() {
    let minter = key("abc").replace("[Viewer]", "[Minter]").replace("team-abc", "team-xyz");
    for extends in ["[../cortexkey.yaml, soft.yaml]", "[soft.yaml, ../cortexkey.yaml]"] {
        for (soft, wanted) in [
            ("catalog: { roles: [{ name: Minter, components: { Public API: none } }] }\n", "P007"),
            ("catalog: { teams: [team-xyz] }\n", "P007"),
            ("tenants: { main: { product: xsoar-8 } }\n", "P007"),
            ("tenants: { a: { product: xsoar-8 } }\n", "P007"),
            ("catalog: { roles: [{ name: Viewer, privileged: false }] }\n", "P007"),
        ] {
            let folder = folder(&[
                ("cortexkey.yaml", &format!("{HEAD}extends: ['builtin:recommended']\n{PARENT}")),
                ("team/soft.yaml", &format!("{HEAD}{soft}")),
                ("team/cortexkey.yaml", &format!("{HEAD}extends: {extends}\nkeys: ['*.key']\n")),
                ("team/abc.key", &minter),
            ]);
            let outcome = lint_with(&folder.path().join("team"), &[], |_| {});
            let lines = found(&outcome);
            assert!(codes(&lines).contains(&wanted), "{extends} {soft} {lines:?}");
            assert_eq!(code(&outcome), 1);
        }
    }
}

#[test]
fn a_custom_rule_can_be_locked_and_not_waivable() {
    let own = "customRules:\n  - { id: ORG001, name: own-rule, message: no, \
        assert: \"key.spec.roles == ['Nobody']\"FIELDS }\n";
    let comment = format!("  # cortexkey: ignore[ORG001] {WHY}\n  roles: [Viewer]");
    let suppressed = key("abc").replace("  roles: [Viewer]", &comment);
    let says = |fields: &str, rules: &str| own.replace("FIELDS", fields) + rules;
    assert!(!codes(&below(&says("", ""), "", &suppressed).1).contains(&"ORG001"));
    for parent in [
        says(", waivable: false", ""),
        says(", locked: true", ""),
        says("", "rules: { ORG001: { waivable: false } }\n"),
        says("", "rules: { own-rule: { locked: true } }\n"),
    ] {
        let (exit, lines) = below(&parent, "", &suppressed);
        assert!(exit == 1 && codes(&lines) == ["ORG001", "P004"], "{parent} {lines:?}");
    }
    let locked = says(", locked: true", "");
    for child in [
        "rules: { ORG001: { enabled: false } }\n",
        "rules: { own-rule: { severity: info } }\n",
        "rules: { ORG001: { overrides: [{ match: { name: abc }, enabled: false }] } }\n",
        "waivers: [{ rule: ORG001, key: abc, reason: r, approvedBy: a, expires: 2026-02-01 }]\n",
    ] {
        let (exit, lines) = below(&locked, child, &key("abc"));
        assert!(exit == 1 && codes(&lines).contains(&"ORG001"), "{child} {lines:?}");
    }
    // A child can set what is not locked; an unknown rule is still a mistake.
    let (exit, lines) =
        below(&says("", ""), "rules: { ORG001: { enabled: false } }\n", &key("abc"));
    assert!(exit == 0 && lines.is_empty(), "{lines:?}");
    let (exit, _) = below(&says("", ""), "rules: { ORG002: { enabled: false } }\n", &key("abc"));
    assert_eq!(exit, 2);
    let (exit, _) = below(&says("", ""), "rules: { ORG001: { max: 3 } }\n", &key("abc"));
    assert_eq!(exit, 2);
}

#[test]
fn the_rules_of_a_policy_are_shown_with_what_holds() {
    let text = format!(
        "{HEAD}customRules:\n  - {{ id: ORG001, name: own-rule, message: no, locked: true, \
         match: {{ path: 'keys/prod/**' }}, assert: \"key.spec.roles != []\" }}\n"
    );
    let policy = Policy::from_text("cortexkey.yaml", &text);
    assert!(policy.is_valid());
    let rule = policy.custom("own-rule").unwrap();
    let facts: Vec<(String, String)> =
        policy.custom_facts(rule).into_iter().map(|fact| (fact.what, fact.value)).collect();
    let has = |what: &str, value: &str| facts.iter().any(|(w, v)| w == what && v.contains(value));
    assert!(has("severity", "error") && has("locked", "true"), "{facts:?}");
    assert!(has("match", "keys/prod/**") && has("assert", "key.spec.roles"), "{facts:?}");
    assert!(policy.effective().contains("ORG001:"));
}

#[test]
fn a_match_by_path_is_for_files_below_the_policy_that_has_it() {
    let strict = "rules: { L001: { enabled: false, overrides: [{ match: { path: PATTERN }, enabled: true }] } }\n";
    let standard = key("abc").replace("advanced", "standard");
    let lint_with = |pattern: &str, file: &str| {
        let text = format!("{HEAD}keys: ['**/*.key']\n{}", strict.replace("PATTERN", pattern));
        let folder = folder(&[("cortexkey.yaml", &text), (file, &standard)]);
        let outcome = lint(&folder, &[]);
        (code(&outcome), codes(&found(&outcome)).contains(&"L001"))
    };
    assert_eq!(lint_with("'keys/prod/**'", "keys/prod/abc.key"), (1, true));
    assert_eq!(lint_with("'keys/prod/**'", "keys/prod/eu/abc.key"), (1, true));
    assert_eq!(lint_with("[other, 'keys/*/abc.key']", "keys/prod/abc.key"), (1, true));
    assert_eq!(lint_with("'keys/prod/**'", "keys/dev/abc.key"), (0, false));
    assert_eq!(lint_with("'keys/prod/'", "keys/prod/eu/abc.key"), (1, true));
    assert_eq!(lint_with("keys/prod", "keys/dev/abc.key"), (0, false));
    assert_eq!(lint_with("'keys/*'", "keys/prod/abc.key"), (0, false));
    for wrong in ["'../prod/**'", "'/etc/**'", "'keys/{a'"] {
        assert_eq!(lint_with(wrong, "keys/prod/abc.key").0, 2, "{wrong}");
    }
    // A parent's pattern starts from the parent's folder, wherever the run starts.
    let parent = strict.replace("PATTERN", "'team/**'");
    assert!(codes(&below(&parent, "", &standard).1).contains(&"L001"));
    let other = strict.replace("PATTERN", "'abc.key'");
    assert!(!codes(&below(&other, "", &standard).1).contains(&"L001"));
}

#[test]
fn a_waiver_by_a_bare_name_is_for_one_tenant() {
    let of = |tenant: &str| {
        key("abc")
            .replace("name: abc", &format!("name: abc, tenant: {tenant}"))
            .replace("90d", "900d")
    };
    let lint_with = |key: &str| {
        let text = policy(&format!(
            "tenants: {{ eu: {{ product: xsiam, sbac: enforced }}, us: {{ product: xsiam, sbac: enforced }} }}\n\
             waivers: [{{ rule: E003, key: {key}, reason: r, approvedBy: a, expires: 2026-02-01 }}]\n"
        ));
        let folder =
            folder(&[("cortexkey.yaml", &text), ("a.key", &of("eu")), ("b.key", &of("us"))]);
        let lines = found(&lint(&folder, &[]));
        let count = |code: &str| lines.iter().filter(|line| line.contains(code)).count();
        (count("[P009"), count("[E003"))
    };
    assert_eq!(lint_with("abc"), (1, 2));
    assert_eq!(lint_with("eu/abc"), (0, 1));
}

#[test]
fn a_baseline_entry_covers_a_finding_as_it_was() {
    let record = |text: &str, then: &str, rules: &str| {
        let policy = format!("{HEAD}keys: ['*.key']\n{rules}");
        let folder = folder(&[("cortexkey.yaml", &policy), ("abc.key", text)]);
        lint_with(folder.path(), &[], |options| options.write_baseline = true);
        assert_eq!(code(&lint_with(folder.path(), &[], |_| {})), 0, "{text}");
        crate::common::write(folder.path(), "abc.key", then.as_bytes());
        code(&lint(&folder, &[]))
    };
    let roles = |count: usize| {
        let roles: Vec<String> = (0..count).map(|at| format!("R{at}")).collect();
        key("abc").replace("[Viewer]", &format!("[{}]", roles.join(", ")))
    };
    let max = "rules: { R004: { max: 2, severity: error }, R001: { enabled: false } }\n";
    assert_eq!(record(&roles(3), &roles(3).replace("For this", "For that"), max), 0);
    assert_eq!(record(&roles(3), &roles(7), max), 1);
    let standard = |role: &str| key("abc").replace("advanced", "standard").replace("Viewer", role);
    let without =
        "rules: { L001: { enabled: false }, R009: { enabled: false }, R002: { enabled: false } }\n";
    assert_eq!(
        record(&standard("Deployment Admin"), &standard("Instance Administrator"), without),
        1
    );
}

#[test]
fn expressions_stop_at_their_budget() {
    let nested = |depth: usize| {
        (0..depth)
            .fold("true".to_owned(), |inner, _| format!("[1,2,3,4,5,6,7,8,9,0].all(x, {inner})"))
    };
    let grown =
        |times: usize| format!("[1]{} != []", ".map(x,[x,x,x,x,x,x,x,x,x,x])".repeat(times));
    let joined = |times: usize| format!("['x']{} != []", ".map(x, x + x)".repeat(times));
    for assert in [
        nested(9),
        grown(7),
        joined(40),
        format!("{} || true", nested(9)),
        format!("!({})", nested(9)),
        format!("{}.exists(x, x == [])", grown(6).trim_end_matches(" != []")),
    ] {
        let text = format!(
            "{HEAD}customRules:\n  - {{ id: ORG001, name: own-rule, message: m, \
             assert: \"key.metadata.name != '' && ({assert})\" }}\n"
        );
        let policy = Policy::from_text("cortexkey.yaml", &text);
        assert!(!policy.is_valid(), "{assert}");
    }
    // An expression that is cheap for a small key may exceed the limit for a large one, which is a
    // finding.
    let own = "customRules:\n  - { id: ORG001, name: own-rule, message: m, waivable: true, \
        assert: \"key.spec.roles.all(a, key.spec.roles.exists(b, b == a)) || true\" }\n";
    let roles: Vec<String> = (0..5000).map(|at| format!("role {at}")).collect();
    let large = key("abc").replace("[Viewer]", &format!("[{}]", roles.join(", ")));
    let comment = format!("  # cortexkey: ignore[ORG001] {WHY}\n  roles:");
    let policy = format!(
        "{HEAD}keys: ['*.key']\nrules: {{ R001: {{ enabled: false }}, R004: {{ enabled: false }} }}\n{own}"
    );
    for text in [&large, &large.replace("  roles:", &comment)] {
        let folder = folder(&[("cortexkey.yaml", &policy), ("abc.key", text)]);
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome);
        assert!(code(&outcome) == 1 && codes(&lines).contains(&"ORG001"), "{lines:?}");
    }
    let folder = folder(&[("cortexkey.yaml", &policy), ("abc.key", &key("abc"))]);
    assert_eq!(code(&lint(&folder, &[])), 0);
}

#[test]
fn a_file_in_utf_16_is_one_finding() {
    let text = key("abc");
    let bytes: Vec<u8> =
        [0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect();
    let policy = Policy::builtin("builtin:strict").unwrap();
    let file = CorpusFile::new("abc.yaml", bytes, &YamlLimits::default());
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    let report = lint_corpus(&corpus, &policy, "2026-01-01T00:00:00Z".parse().unwrap());
    let codes: Vec<&str> = report.findings.iter().map(|finding| finding.rule.code()).collect();
    assert_eq!(codes, ["Y001"]);
}

#[test]
fn an_empty_match_selects_no_key_and_is_an_error() {
    let admin = key("abc").replace("[Viewer]", "[Instance Administrator]");
    for wanted in [
        "{}",
        "{ roles: [] }",
        "{ name: [] }",
        "{ owner: [] }",
        "{ tenant: [] }",
        "{ securityLevel: [] }",
        "{ path: [] }",
        "{ labels: {} }",
        "{ labels: { env: [] } }",
        "{ roles: [Instance Administrator], labels: { env: [] } }",
        "{ roles: [], name: abc }",
    ] {
        let in_override = format!(
            "rules: {{ R002: {{ overrides: [{{ match: {wanted}, enabled: false }}] }} }}\n"
        );
        let of_custom = format!(
            "customRules: [{{ id: ORG001, name: a-b, match: {wanted}, assert: 'size(key.spec.roles) > 9', message: m }}]\n"
        );
        for body in [in_override, of_custom] {
            let policy = format!("{HEAD}keys: ['*.key']\n{body}");
            let folder = folder(&[("cortexkey.yaml", &policy), ("abc.key", &admin)]);
            let outcome = lint(&folder, &[]);
            let lines = found(&outcome);
            assert_eq!(code(&outcome), 2, "{body} {lines:?}");
            assert_eq!(lines.iter().filter(|line| line.contains("[S004 ")).count(), 1, "{lines:?}");
            assert_eq!(lines.len(), 1, "{body} {lines:?}");
        }
    }
}

#[test]
fn no_spelling_of_a_role_avoids_the_rules_about_it() {
    let policy = format!(
        "{HEAD}keys: ['*.key']\ncatalog:\n  roles:\n    - {{ name: Instance Administrator, id: r-1 }}\n    \
         - {{ name: Key Minter, components: {{ Public API: edit }} }}\n    \
         - {{ name: Outer, implies: [instance administrator] }}\n  \
         conflicts: [[KEY MINTER, viewer]]\n\
         rules: {{ R002: {{ locked: true, waivable: false }}, L001: {{ enabled: false }}, C003: {{ enabled: false }}, \
         E003: {{ overrides: [{{ match: {{ roles: [Instance Administrator] }}, max: 30d }}] }} }}\n\
         customRules: [{{ id: ORG001, name: no-admin, message: m, \
         assert: \"!('Instance Administrator' in key.spec.roles)\" }}]\n"
    );
    let codes_of = |roles: &str, level: &str| {
        let comment = "  # cortexkey: ignore[R001, R011] reason=\"x\" until=2026-02-01\n  roles:";
        let text = key("abc")
            .replace("  roles:", comment)
            .replace("[Viewer]", roles)
            .replace("advanced", level);
        let folder = folder(&[("cortexkey.yaml", &policy), ("abc.key", &text)]);
        let outcome = lint(&folder, &[]);
        let report = outcome.report.unwrap();
        let mut codes: Vec<String> =
            report.findings.iter().map(|finding| finding.rule.code().to_owned()).collect();
        codes.sort();
        codes.dedup();
        codes
    };
    let admin = codes_of("[Instance Administrator]", "standard");
    for code in ["E003", "L003", "ORG001", "R002"] {
        assert!(admin.iter().any(|known| known == code), "{code} {admin:?}");
    }
    let without_unused =
        |codes: Vec<String>| codes.into_iter().filter(|code| code != "P005").collect::<Vec<_>>();
    let admin = without_unused(admin);
    for spelling in [
        "[instance administrator]",
        "['Instance  Administrator']",
        "[' Instance Administrator']",
        "[InstanceAdministrator]",
        "[INSTANCE ADMINISTRATOR]",
        "[\u{ff29}nstance Administrator]",
        "[r-1]",
    ] {
        let codes = without_unused(codes_of(spelling, "standard"));
        let missing: Vec<_> = admin.iter().filter(|code| !codes.contains(code)).collect();
        assert!(missing.is_empty(), "{spelling} {missing:?} {codes:?}");
    }
    for (roles, expected) in [
        ("[Outer]", "R002"),
        ("[outer]", "R002"),
        ("[key minter]", "R010"),
        ("[key minter, VIEWER]", "R005"),
        ("[OUTER, instance administrator]", "R006"),
        ("[Viewer, 'vie wer']", "R003"),
    ] {
        let codes = codes_of(roles, "advanced");
        assert!(codes.iter().any(|code| code == expected), "{roles} {codes:?}");
    }
}
