//! Family N: names, owners, comments, tenants.

use super::{KEY, fixed, key, lint_files, lint_text, messages, reported};

fn called(name: &str) -> String {
    key("svc-a", name)
}

#[test]
fn a_name_is_shown_as_far_as_it_fits() {
    let reported = |pattern: &str, name: &str| {
        let policy = format!("rules: {{ N001: {{ pattern: '{pattern}' }} }}\n");
        messages("N001", &policy, &called(name))
    };
    let parts = "^(svc|ci)-[a-z]+-(prod|dev)$";
    for (pattern, name, says) in [
        (parts, "svc-a-prod", None),
        (
            parts,
            "svc-a-test",
            Some("name `svc-a-test` matches the pattern up to `svc-a-`, but not `test`"),
        ),
        (
            parts,
            "svc-a-prod2",
            Some("name `svc-a-prod2` matches the pattern up to `svc-a-prod`, but not `2`"),
        ),
        (parts, "svc-A", Some("name `svc-A` matches the pattern up to `svc-`, but not `A`")),
        (
            parts,
            "svc-a",
            Some("name `svc-a` matches the beginning of the pattern, but ends too early"),
        ),
        (parts, "svc", Some("name `svc` matches the beginning of the pattern, but ends too early")),
        (parts, "bot-a", Some("name `bot-a` does not match the pattern")),
        // A prefix that may be empty matches every name, so it is not mentioned.
        ("^x*y$", "abc", Some("name `abc` does not match the pattern")),
        ("^abc", "abd", Some("name `abd` does not match the pattern")),
        ("abc|def", "abd", Some("name `abd` does not match the pattern")),
    ] {
        assert_eq!(
            reported(pattern, name),
            says.into_iter().collect::<Vec<_>>(),
            "{pattern} {name}"
        );
    }
}

#[test]
fn the_pattern_of_names_is_shown() {
    let policy = "rules: { N001: { pattern: '^svc-b$' } }\n";
    assert_eq!(
        reported("N001", &lint_text(policy, KEY)),
        [
            "svc-a.yaml:4:9-14 name `svc-a` does not match the pattern",
            "help: the pattern is `^svc-b$`",
            "cortexkey.yaml:5:27-36 the pattern",
        ]
    );
    assert_eq!(messages("N001", "", KEY), [""; 0]);
}

#[test]
fn a_name_has_from_three_to_64_characters() {
    let long = |count: usize| "é".repeat(count);
    for (name, says) in [
        ("ab".to_owned(), Some("the name has 2 characters; the policy requires at least 3")),
        ("abc".to_owned(), None),
        ("'ab '".to_owned(), Some("the name has 2 characters; the policy requires at least 3")),
        (long(64), None),
        (format!("' {} '", long(64)), None),
        (long(65), Some("the name has 65 characters; the policy requires at most 64")),
    ] {
        assert_eq!(messages("N002", "", &called(&name)), says.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn the_limit_of_a_name_is_shown_and_the_upper_one_first() {
    assert_eq!(
        reported("N002", &lint_text("rules: { N002: { min: 6 } }\n", KEY)),
        [
            "svc-a.yaml:4:9-14 the name has 5 characters; the policy requires at least 6",
            "help: choose a name that says what the key is for, in a few words",
            "cortexkey.yaml:5:23-24 the limit",
        ]
    );
    assert_eq!(
        messages("N002", "rules: { N002: { max: 4, min: 6 } }\n", KEY),
        ["the name has 5 characters; the policy requires at most 4"]
    );
}

#[test]
fn a_file_is_called_like_its_only_key() {
    let two = format!("{KEY}---\n{}", called("svc-b"));
    for (path, text, finds) in [
        ("svc-a.yaml", KEY, false),
        ("keys/svc-a.yaml", KEY, false),
        ("svc-a", KEY, false),
        ("svc-a/svc-b.yaml", KEY, true),
        ("svc-b.yaml", KEY, true),
        ("svc-a.v2.yaml", KEY, true),
        // Standard input, and files without a name.
        ("<stdin>", KEY, false),
        ("keys/.yaml", KEY, false),
        ("svc-c.yaml", &two, false),
    ] {
        let findings = reported("N003", &lint_files("", &[(path, text)]));
        assert_eq!(!findings.is_empty(), finds, "{path} {findings:?}");
    }
}

#[test]
fn the_file_is_renamed_and_never_the_key() {
    let text = called("svc-b");
    assert_eq!(
        reported("N003", &lint_text("", &text)),
        [
            "svc-a.yaml:4:9-14 the file is named `svc-a`, but its key is named `svc-b`",
            "help: rename the file to `svc-b.yaml`",
        ]
    );
    // The new name keeps the extension.
    for (path, renamed) in [("x.yml", "svc-b.yml"), ("x.json", "svc-b.json"), ("x", "svc-b.yaml")] {
        let findings = reported("N003", &lint_files("", &[(path, &text)]));
        assert_eq!(findings[1], format!("help: rename the file to `{renamed}`"));
    }
    // A key with another name is another key, so there is no fix.
    assert_eq!(fixed("N003", "", &text), None);
}

#[test]
fn a_placeholder_is_not_an_owner() {
    let missing = "`metadata.owner` is missing: nobody is responsible for this key";
    for (owner, place, says) in [
        ("", "3:1-9", missing),
        ("  owner:\n", "5:3-8", missing),
        ("  owner: ''\n", "5:10-12", missing),
        ("  owner: ' '\n", "5:10-13", missing),
        (
            "  owner: unassigned\n",
            "5:10-20",
            "`metadata.owner` is `unassigned`: nobody is responsible for this key",
        ),
        (
            "  owner: 'unassigned '\n",
            "5:10-23",
            "`metadata.owner` is `unassigned`: nobody is responsible for this key",
        ),
    ] {
        assert_eq!(
            reported("N004", &lint_text("", &key("  owner: team-a\n", owner))),
            [
                format!("svc-a.yaml:{place} {says}"),
                "help: write `owner: team-detection`, or an e-mail address".to_owned(),
            ]
        );
    }
    // A value that is not a string is an invalid owner.
    for owner in ["team-unassigned", "[team-a]"] {
        assert_eq!(messages("N004", "", &key("team-a", owner)), [""; 0]);
    }
}

#[test]
fn an_owner_is_a_team_or_an_address_that_the_policy_knows() {
    const TEAMS: &str = "catalog: { teams: [team-a, team-b] }\n";
    const DOMAINS: &str = "catalog: { emailDomains: [example.com] }\n";
    const BOTH: &str = "catalog: { teams: [team-a, team-b], emailDomains: [example.com] }\n";
    const WAYS: &str =
        "name a team of `catalog.teams`, or an e-mail address in `catalog.emailDomains`";
    for (policy, owner, says) in [
        ("", "somebody", None),
        ("", "ana@example.org", None),
        (BOTH, "team-a", None),
        (BOTH, "' team-a '", None),
        (BOTH, "ana@example.com", None),
        (BOTH, "ana@EXAMPLE.com", None),
        (BOTH, "'ana@home@example.com'", None),
        // Another rule reports these as missing owners.
        (BOTH, "unassigned", None),
        (BOTH, "''", None),
        (TEAMS, "unassigned", None),
        (TEAMS, "''", None),
        (
            TEAMS,
            "Team-a",
            Some(("owner `Team-a` is not a team of the catalog", "did you mean `team-a`?")),
        ),
        (TEAMS, "somebody", Some(("owner `somebody` is not a team of the catalog", WAYS))),
        (
            TEAMS,
            "ana@example.com",
            Some(("owner `ana@example.com`: `example.com` is not a domain of the catalog", WAYS)),
        ),
        (
            TEAMS,
            "ana@team-a",
            Some(("owner `ana@team-a`: `team-a` is not a domain of the catalog", WAYS)),
        ),
        (DOMAINS, "team-a", Some(("owner `team-a` is not a team of the catalog", WAYS))),
        (
            DOMAINS,
            "ana@example.con",
            Some((
                "owner `ana@example.con`: `example.con` is not a domain of the catalog",
                "did you mean `example.com`?",
            )),
        ),
        (BOTH, "example.com", Some(("owner `example.com` is not a team of the catalog", WAYS))),
        (BOTH, "'@example.com'", Some(("owner `@example.com` is not a team of the catalog", WAYS))),
    ] {
        let text = key("owner: team-a", &format!("owner: {owner}"));
        let lines = reported("N005", &lint_text(policy, &text));
        let place = format!("svc-a.yaml:5:10-{}", 10 + owner.len());
        let expected =
            says.map(|(says, help)| [format!("{place} {says}"), format!("help: {help}")]);
        assert_eq!(lines, expected.into_iter().flatten().collect::<Vec<_>>(), "{policy}{owner}");
    }
}

#[test]
fn a_comment_has_at_least_eight_characters() {
    let missing = "`spec.comment` is missing; the product shows nothing else about a key's purpose";
    for (line, says) in [
        ("", vec![format!("6:1-5 {missing}")]),
        ("  comment:\n", vec![format!("8:3-10 {missing}")]),
        (
            "  comment: éxports\n",
            vec!["8:12-19 comment `éxports` is too short to say what the key is for".to_owned()],
        ),
        ("  comment: éxports!\n", vec![]),
        (
            "  comment: ' exports '\n",
            vec!["8:12-23 comment `exports` is too short to say what the key is for".to_owned()],
        ),
        (
            "  comment: ''\n",
            vec!["8:12-14 comment `` is too short to say what the key is for".to_owned()],
        ),
        (
            "  comment: 'Placeholder...'\n",
            vec!["8:12-28 comment `Placeholder...` is a placeholder".to_owned()],
        ),
        (
            "  comment: 'Test key!?:'\n",
            vec!["8:12-25 comment `Test key!?:` is a placeholder".to_owned()],
        ),
        ("  comment: Placeholder of ours\n", vec![]),
        // A value that is not a string is present; another rule reports it.
        ("  comment: [Placeholder]\n", vec![]),
    ] {
        let lines = reported("N006", &lint_text("", &key("  comment: For this test\n", line)));
        let help = "help: say in a few words what uses the key, and why";
        let expected = says.iter().flat_map(|says| [format!("svc-a.yaml:{says}"), help.to_owned()]);
        assert_eq!(lines, expected.collect::<Vec<_>>(), "{line}");
    }
}

#[test]
fn the_limit_of_a_comment_is_shown() {
    let lines = reported("N006", &lint_text("rules: { N006: { min: 14 } }\n", KEY));
    assert_eq!(
        lines,
        [
            "svc-a.yaml:8:12-25 comment `For this test` is too short to say what the key is for",
            "help: say in a few words what uses the key, and why",
            "cortexkey.yaml:5:23-25 the limit",
        ]
    );
    assert_eq!(messages("N006", "rules: { N006: { min: 13 } }\n", KEY), [""; 0]);
}

#[test]
fn a_comment_names_a_ticket_where_the_policy_requires_one() {
    let policy = "rules: { N007: { pattern: 'SEC-[0-9]+' } }\n";
    assert_eq!(
        reported("N007", &lint_text(policy, KEY)),
        [
            "svc-a.yaml:8:12-25 the comment contains no ticket",
            "help: add the ticket; the pattern is `SEC-[0-9]+`",
            "cortexkey.yaml:5:27-39 the pattern",
        ]
    );
    let with = key("For this test", "For SEC-1, this test");
    let without = key("  comment: For this test\n", "");
    for (policy, text) in [("", KEY), (policy, &with), (policy, &without)] {
        assert_eq!(messages("N007", policy, text), [""; 0]);
    }
}

const ENVIRONMENTS: &str = "rules: { N008: { environments: [prod, dev] } }\n";

#[test]
fn the_environment_of_a_name_is_its_last_one() {
    let folder = "keys/dev";
    for (name, folder, finds) in [
        ("svc-prod", folder, true),
        ("svc-PROD", folder, true),
        ("prod-svc", folder, true),
        ("svc_prod.a", folder, true),
        ("dev-svc-prod", folder, true),
        ("prod-svc-dev", folder, false),
        ("svc-dev", folder, false),
        ("svc-product", folder, false),
        ("svc-a", folder, false),
        ("svc-prod", "keys", false),
        ("svc-prod", "keys/prod", false),
        ("svc-prod", "dev/prod/eu", false),
        ("svc-prod", "prod/dev/eu", true),
        ("svc-prod", "keys/Dev", true),
    ] {
        let path = format!("{folder}/{name}.yaml");
        let report = lint_files(ENVIRONMENTS, &[(&path, &called(name))]);
        let lines = reported("N008", &report);
        assert_eq!(!lines.is_empty(), finds, "{path} {lines:?}");
    }
    // The file's name is not part of its folder, and nothing is checked until environments are set.
    for (policy, path) in [(ENVIRONMENTS, "dev.yaml"), ("", "dev/svc-prod.yaml")] {
        let report = lint_files(policy, &[(path, &called("svc-prod"))]);
        assert_eq!(reported("N008", &report), [""; 0]);
    }
}

#[test]
fn another_environment_is_named() {
    let report = lint_files(ENVIRONMENTS, &[("dev/svc-prod.yaml", &called("svc-prod"))]);
    assert_eq!(
        reported("N008", &report),
        [
            "dev/svc-prod.yaml:4:9-17 the name says `prod`, but the folder says `dev`",
            "help: move the file, or rename the key",
            "cortexkey.yaml:5:32-43 the environments",
        ]
    );
    let tenants = format!("{ENVIRONMENTS}tenants: {{ dev-eu: {{ product: xsiam }} }}\n");
    let report = lint_text(&tenants, &called("svc-prod"));
    let tenant = "svc-a.yaml:4:9-17 the name says `prod`, but the tenant says `dev`";
    assert_eq!(reported("N008", &report)[0], tenant);
    assert_eq!(reported("N008", &report)[2], "cortexkey.yaml:5:32-43 the environments");
    let messages = called("svc-prod").replace("team-a\n", "team-a\n  tenant: dev-us\n");
    let lines = reported("N008", &lint_text(ENVIRONMENTS, &messages));
    assert_eq!(lines[0], tenant);
    assert_eq!(lines[2], "svc-a.yaml:6:11-17 says another environment");
    let labels = |labels: &str| {
        let labels = format!("team-a\n  labels: {{ {labels} }}\n");
        let text = called("svc-prod").replace("team-a\n", &labels);
        reported("N008", &lint_text(ENVIRONMENTS, &text))
    };
    let lines = labels("stage: prod, env: dev");
    assert_eq!(lines[0], "svc-a.yaml:4:9-17 the name says `prod`, but the label `env` says `dev`");
    assert_eq!(lines[2], "svc-a.yaml:6:31-34 says another environment");
    assert_eq!(labels("env: prod"), [""; 0]);
    assert_eq!(labels("stage: dev"), [""; 0]);
}

#[test]
fn a_tenant_is_one_of_the_policy() {
    const ONE: &str = "tenants: { prod-eu: { product: xsiam } }\n";
    const TWO: &str = "tenants: { prod-eu: { product: xsiam }, dev: { product: xsiam } }\n";
    let with = |tenant: &str| key("team-a\n", &format!("team-a\n  tenant: {tenant}\n"));
    assert_eq!(
        reported("N009", &lint_text(ONE, &with("prod-us"))),
        [
            "svc-a.yaml:6:11-18 tenant `prod-us` is not in the policy",
            "help: did you mean `prod-eu`?",
        ]
    );
    assert_eq!(
        reported("N009", &lint_text(TWO, &with("stage"))),
        [
            "svc-a.yaml:6:11-16 tenant `stage` is not in the policy",
            "help: expected one of `prod-eu`, `dev`",
        ]
    );
    assert_eq!(
        reported("N009", &lint_text(TWO, KEY)),
        [
            "svc-a.yaml:3:1-9 `metadata.tenant` is missing: the policy has 2",
            "help: expected one of `prod-eu`, `dev`",
        ]
    );
    for (policy, text) in [
        ("", KEY.to_owned()),
        ("", with("anything")),
        (ONE, KEY.to_owned()),
        (ONE, with("prod-eu")),
        (TWO, with("dev")),
        // Another rule reports that this is not a string.
        (TWO, with("[dev]")),
        (TWO, with("")),
    ] {
        assert_eq!(messages("N009", policy, &text), [""; 0], "{policy}");
    }
}

#[test]
fn many_tenants_are_not_listed() {
    let tenants: Vec<String> = (0..13).map(|at| format!("t{at}: {{ product: xsiam }}")).collect();
    let policy = format!("tenants: {{ {} }}\n", tenants.join(", "));
    let lines = reported("N009", &lint_text(&policy, KEY));
    assert_eq!(lines[1], "help: the policy lists its tenants under `tenants`");
}
