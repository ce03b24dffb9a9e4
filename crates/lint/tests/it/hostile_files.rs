//! Hostile files: written to be skipped, to control the terminal, or to take long.

use crate::common::{HEAD, code, folder, found, git, key, lint, write};
use cortexkey_lint::Finding;
use cortexkey_lint::files::RunOutcome;
use cortexkey_lint::report::Format;

#[test]
fn a_key_below_a_policy_is_checked() {
    let standard = key("a").replace("advanced", "standard");
    let behind = |head: &str| {
        let folder = folder(&[("x.yaml", &format!("{head}---\n{standard}"))]);
        let outcome = lint(&folder, &[]);
        (code(&outcome), found(&outcome).join("\n"))
    };
    let (code_of, lines) = behind(HEAD);
    assert_eq!(code_of, 1, "{lines}");
    assert!(lines.contains("L001") && lines.contains("S005"), "{lines}");
    // A second `kind` or an unreadable document does not make a file a policy.
    let twice = HEAD.replace("kind: Policy", "kind: ApiKey\nkind: Policy");
    assert!(behind(&twice).1.contains("L001"));
    let broken = folder(&[("x.yaml", &format!("{HEAD}---\na: [\n"))]);
    assert!(found(&lint(&broken, &[])).join("\n").contains("Y001"));
    let policies = folder(&[("x.yaml", &format!("{HEAD}---\n{HEAD}"))]);
    let outcome = lint(&policies, &[]);
    assert_eq!((code(&outcome), outcome.report.unwrap().summary.skipped), (0, 1));
}

#[test]
fn many_findings_on_one_long_line_are_shown_in_part_and_all_counted() {
    let names: Vec<String> = (0..12_000).map(|n| format!("x{n}: v{n}")).collect();
    let owner = format!("owner: team-a, {}", names.join(", "));
    let text = key("a").replace("owner: team-a", &owner).replace("advanced", "standard");
    let folder = folder(&[("a.yaml", &text), ("b.yaml", &key("b").replace("90d", "9y"))]);
    let outcome = lint(&folder, &[]);
    let report = outcome.report.as_ref().unwrap();
    let human = report.render(Format::Human, false);
    assert!(human.len() < 1_000_000, "{} bytes", human.len());
    assert!(human.lines().all(|line| line.chars().count() < 260));
    for text in [human.clone(), report.render(Format::Human, true)] {
        assert!(!text.contains(":::"), "{}", &text[..4000]);
    }
    let concise = report.render(Format::Concise, false);
    let places: Vec<&str> =
        concise.lines().filter_map(|line| Some(line.split_once(": ")?.0)).collect();
    let shown: Vec<&str> = human.lines().filter_map(|l| l.trim().strip_prefix("--> ")).collect();
    assert_eq!(shown, places);
    let of_first = |f: &&Finding| report.sources[f.location.source].path == "a.yaml";
    assert_eq!(report.findings.iter().filter(of_first).count(), 1001);
    let next = concise.lines().position(|line| line.starts_with("b.yaml")).unwrap();
    wording!(concise.lines().nth(next - 1).unwrap());
    assert!(report.summary.errors > 12_001 && concise.contains("12002 errors"), "{concise}");
}

#[test]
fn excluded_findings_still_fail_a_run() {
    let names: Vec<String> = (0..1500).map(|n| format!("x{n}: v{n}")).collect();
    let owner = format!("owner: team-a, {}", names.join(", "));
    let text = key("a").replace("owner: team-a", &owner).replace("advanced", "standard");
    let policy = format!("{HEAD}keys: ['*.key']\nrules: {{ S001: {{ severity: info }} }}\n");
    let folder = folder(&[("cortexkey.yaml", &policy), ("a.key", &text)]);
    let outcome = lint(&folder, &[]);
    let lines = found(&outcome);
    assert_eq!((code(&outcome), lines.len()), (1, 1000), "{:?}", lines.last());
    assert!(lines[999].contains("error[L001"), "{:?}", lines[999]);
}

#[test]
fn texts_of_a_policy_or_a_definition_are_printed_masked_and_on_one_line() {
    let token = "aB3".repeat(43);
    let say = |outcome: &RunOutcome| {
        let mut said = outcome.messages.join("\n");
        // The lines of the GitHub format are commands.
        for (_, format) in Format::ALL.into_iter().filter(|(_, f)| *f != Format::Github) {
            said += &outcome.report.as_ref().map_or(String::new(), |r| r.render(format, false));
        }
        said
    };
    let check = |file: &str, text: &str| {
        let folder = folder(&[(file, text), ("keys/ok.yaml", &key("ok"))]);
        let said = say(&lint(&folder, &[]));
        for secret in ["aB3aB3", "hunter", "Sup3r"] {
            assert!(!said.contains(secret), "{text}\n{said}");
        }
        assert!(!said.contains('\u{1b}') && !said.contains("\n::error"), "{text}\n{said}");
    };
    let commands = |text: &str| {
        let folder = folder(&[("keys/a.yaml", text)]);
        let report = lint(&folder, &[]).report.unwrap();
        let lines = report.render(Format::Github, false);
        assert_eq!(lines.lines().count(), report.findings.len() + 1, "{lines}");
        assert!(!lines.contains('\u{1b}') && !lines.contains("aB3aB3"), "{lines}");
    };
    for odd in [token.as_str(), "x\\e[31m\\n::error y", "x\\r\\n::error z"] {
        let labels = format!("owner: team-a, labels: {{ \"{odd}\": [x], \"{odd}2\": {{}} }}");
        check("keys/a.yaml", &key("a").replace("owner: team-a", &labels));
        commands(&key("a").replace("owner: team-a", &labels));
        check("cortexkey.yaml", &format!("{HEAD}tenants: {{ \"{odd}\": {{ product: odd }} }}\n"));
        check("cortexkey.yaml", &format!("{HEAD}tenants: {{ \"{odd}\": x }}\n"));
        check(
            "cortexkey.yaml",
            &format!("{HEAD}rules: {{ \"{odd}\": x, E003: {{ \"{odd}\": y }} }}\n"),
        );
        check("cortexkey.yaml", &format!("{HEAD}extends: [\"{odd}\"]\n"));
        check("cortexkey.yaml", &format!("{HEAD}extends: [\"builtin:{odd}\"]\n"));
        check("cortexkey.yaml", &format!("{HEAD}keys: [\"../{odd}\"]\n"));
        check("cortexkey.yaml", &format!("{HEAD}keys: [\"{odd}[\"]\n"));
        check("cortexkey.yaml", &format!("{HEAD}keys: [\"{odd}\"]\n"));
    }
    for value in [
        "!Sup3rS3cret",
        "&Sup3rS3cret x",
        "*Sup3rS3cret",
        "!Sup3r!S3cret x",
        "!<Sup3rS3cret> x",
        "\n    !Sup3rS3cret",
        "\n    - !Sup3rS3cret",
        "\n  - !Sup3rS3cret",
        "\n  - &Sup3rS3cret x",
        "[!Sup3rS3cret x, *Sup3rS3cret]",
        "!Sup3rS3cret [x]",
        "{!Sup3rS3cret x: *Sup3rS3cret}",
        "\"hunter2\u{85}zz\"",
        "hunter2\u{2028}zz",
        "[\"hunter2\u{85}zz\"]",
        "\"hunter2\\u0085zz\"",
        "\n  - \"hunter2\u{85}zz\"",
        "a\r    hunter2\u{85}zz",
        "\"hunter2\\q\"",
        "@hunter2",
        "%hunter2",
        "hunter2: Sup3r",
        "[hunter2: Sup3r",
        "\"hunter2\" Sup3r",
        "|hunter2",
    ] {
        check("keys/a.yaml", &format!("{}  password: {value}\n", key("a")));
        check("keys/a.yaml", &format!("{}  ? password\n  : {value}\n", key("a")));
        check("cortexkey.yaml", &format!("{HEAD}tenants:\n  password: {value}\n"));
    }
    for value in [
        "!Sup3rS3cret",
        "&Sup3rS3cret x",
        "*Sup3rS3cret",
        "\n  - !Sup3rS3cret",
        "\"hunter2\u{85}z\"",
    ] {
        check("keys/a.yaml", &format!("{}  \"pass\\x77ord\": {value}\n", key("a")));
    }
    for body in [
        "tenants: { password: hunter4 }",
        "tenants: { password: { product: hunter4, domains: hunter4, datasets: hunter4 } }",
        "rules: { password: hunter4 }",
        "rules: { E003: { password: hunter4 } }",
        "catalog: { roles: [{ name: x, components: { password: hunter4 } }] }",
        "password: hunter4",
    ] {
        check("cortexkey.yaml", &format!("{HEAD}{body}\n"));
    }
}

#[cfg(unix)]
#[test]
fn file_names_start_no_line_of_a_text_format() {
    let names = ["a\n::error file=x,line=1::b\u{1b}[2J.yaml", "::error ::c.yaml"];
    let wrong = key("a").replace("roles: [Viewer]", "roles: [Viewer, Viewer]\n  x: 1");
    let files: Vec<(&str, &str)> = names.iter().map(|name| (*name, wrong.as_str())).collect();
    let folder = folder(&files);
    let outcome = lint(&folder, &[]);
    assert_eq!(code(&outcome), 1);
    let report = outcome.report.as_ref().unwrap();
    for format in [Format::Human, Format::Concise] {
        let text = report.render(format, false);
        assert!(!text.contains('\u{1b}'), "{text}");
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::e")), "{text}");
    }
    let concise = report.render(Format::Concise, false);
    assert!(concise.contains("./::error ::c.yaml:9:3"), "{concise}");
    let json: serde_json::Value =
        serde_json::from_str(&report.render(Format::Json, false)).unwrap();
    let file = |at: usize| json["findings"][at]["file"].as_str().unwrap().to_owned();
    assert!((0..report.findings.len()).any(|at| file(at) == names[0]), "{json}");
    // The same on standard error.
    let said = lint(&folder, &["no\n::error such"]).messages.join("|");
    assert!(!said.contains('\n'), "{said}");
}

#[test]
fn only_git_excludes_a_definition() {
    let wrong = key("a").replace("advanced", "standard");
    let inner = format!("{HEAD}extends: ['builtin:minimal']\n");
    let folder = folder(&[
        (".ignore", "a.yaml\nteam\n"),
        (".gitignore", "rendered/\n"),
        ("a.yaml", &wrong),
        ("B.YML", &wrong.replace("name: a, owner: team-a", "name: b, owner: team-b")),
        ("team/c.Yaml", &wrong.replace("name: a, owner: team-a", "name: c, owner: team-c")),
        ("rendered/e.yaml", &wrong.replace("name: a, owner: team-a", "name: e, owner: team-e")),
    ]);
    let is = |expected: &[&str]| {
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome);
        assert_eq!((code(&outcome), lines.len()), (1, expected.len()), "{lines:?}");
        for (line, file) in lines.iter().zip(expected) {
            assert!(line.starts_with(file) && line.contains("L001"), "{lines:?}");
        }
        assert_eq!(outcome.report.unwrap().summary.skipped, 0);
    };
    // Without a repository, ignore files have no effect.
    is(&["B.YML", "a.yaml", "rendered/e.yaml", "team/c.Yaml"]);
    git(folder.path(), &["init", "--quiet"]);
    is(&["B.YML", "a.yaml", "team/c.Yaml"]);
    // A key in a file with a policy's name is found too.
    write(folder.path(), "team/cortexkey.yaml", wrong.replace("name: a", "name: d").as_bytes());
    let outcome = lint(&folder, &[]);
    assert!(code(&outcome) == 2 && found(&outcome).join("\n").contains("S005"));
    // A folder that contains only its own policy has nothing to check.
    let only = crate::common::folder(&[("team/cortexkey.yaml", &inner)]);
    assert_eq!(code(&lint(&only, &[])), 3);
}

#[test]
fn unreadable_files_are_errors_under_any_policy() {
    for (file, settings) in [
        ("a: [", "Y001: { enabled: false }"),
        ("a: [", "yaml-syntax: { severity: warning }"),
        ("kind: Pod", "S005: { severity: info }"),
        ("kind: Pod", "S005: { overrides: [{ match: { name: x }, enabled: false }] }"),
    ] {
        let policy = format!("{HEAD}keys: ['*.key']\nrules: {{ {settings} }}\n");
        let folder = folder(&[("cortexkey.yaml", &policy), ("a.key", file)]);
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome).join("\n");
        assert_eq!(code(&outcome), 2, "{lines}");
        assert!(lines.contains("P006"), "{lines}");
        assert!(lines.contains("a.key:1:") && !lines.contains("warning["), "{lines}");
    }
    let policy = format!("{HEAD}rules: {{ Y001: {{ severity: error, enabled: true }} }}\n");
    let folder = folder(&[("cortexkey.yaml", &policy), ("a.yaml", &key("a"))]);
    assert_eq!(code(&lint(&folder, &[])), 0);
}

#[cfg(unix)]
#[test]
fn two_paths_to_one_parent_are_one_parent() {
    use std::os::unix::fs::symlink;
    let policy = format!("{HEAD}extends: [base.yaml, link.yaml]\nkeys: ['*.key']\n");
    let base = format!("{HEAD}rules: {{ no-such-rule: {{}} }}\n");
    let files = folder(&[("cortexkey.yaml", &policy), ("base.yaml", &base), ("a.key", &key("a"))]);
    symlink("base.yaml", files.path().join("link.yaml")).unwrap();
    let lines = found(&lint(&files, &[]));
    assert_eq!(lines.len(), 1, "{lines:?}");
    // A link back to the policy itself is a cycle under any name.
    let own = folder(&[("cortexkey.yaml", &format!("{HEAD}extends: [own.yaml]\n"))]);
    symlink("cortexkey.yaml", own.path().join("own.yaml")).unwrap();
    let lines = found(&lint(&own, &[])).join("\n");
    wording!(lines);
}

#[test]
fn very_many_unknown_rules_are_all_reported_and_the_first_get_a_suggestion() {
    let names: Vec<String> = (0..30_000).map(|n| format!("role-unknow{n}")).collect();
    let comment =
        format!("# cortexkey: ignore[{}] reason=\"x\" until=2026-02-01\n", names.join(","));
    let rules: Vec<String> = names.iter().take(9_000).map(|name| format!("{name}: {{}}")).collect();
    let policy = format!("{HEAD}keys: ['*.key']\nrules: {{ {} }}\n", rules.join(", "));
    for (policy, text, count) in [
        (format!("{HEAD}keys: ['*.key']\n"), format!("{comment}{}", key("abc")), 30_000),
        (policy, key("abc"), 9_000),
    ] {
        let folder = folder(&[("cortexkey.yaml", &policy), ("abc.key", &text)]);
        let outcome = lint(&folder, &[]);
        let report = outcome.report.as_ref().unwrap();
        assert_eq!((code(&outcome), report.summary.errors), (2, count));
        let suggested = report.findings.iter().filter(|finding| {
            finding.help.as_ref().is_some_and(|help| help.contains("`role-unknown`"))
        });
        assert_eq!(suggested.count(), 20);
    }
}

#[test]
fn long_chains_of_roles_are_followed_to_their_end() {
    let role = |n: usize| format!("{{ name: R{n}, implies: [R{}, R{}] }}", n + 1, n + 2);
    let roles: Vec<String> = (0..8_000).map(role).collect();
    let held: Vec<String> = (0..300).map(|n| format!("R{n}")).collect();
    let policy = format!(
        "{HEAD}keys: ['*.key']\ncatalog: {{ roles: [{}] }}\n\
         rules: {{ R002: {{ roles: [R8001] }}, R004: {{ enabled: false }} }}\n",
        roles.join(", ")
    );
    let text = key("abc").replace("[Viewer]", &format!("[{}]", held.join(", ")));
    let folder = folder(&[("cortexkey.yaml", &policy), ("abc.key", &text)]);
    let report = lint(&folder, &[]).report.unwrap();
    let of = |code: &str| report.findings.iter().filter(|f| f.rule.code() == code).count();
    assert_eq!(of("R006"), 299);
    assert!(of("R002") > 0);
}
