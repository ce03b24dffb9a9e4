//! Several policies in one repository: each file is checked against its nearest policy, and the
//! result does not depend on the folder where the command runs.

use crate::common::{HEAD, code, folder, found, key, lint, lint_with, repository, write};

fn faulty_key(name: &str) -> String {
    key(name).replace("advanced", "standard")
}

#[test]
fn a_child_policy_cannot_exclude_its_parents_files() {
    let outer = format!("{HEAD}keys: ['keys/**/*.yaml']\n");
    for narrowed in ["keys: []", "keys: ['other/*.yaml']", "keys: ['x.yaml']"] {
        let inner = format!("{HEAD}extends: [../../cortexkey.yaml]\n{narrowed}\n");
        let folder = repository(&[
            ("cortexkey.yaml", &outer),
            ("keys/prod/cortexkey.yaml", &inner),
            ("keys/prod/a.yaml", &faulty_key("a")),
        ]);
        let prod = folder.path().join("keys/prod");
        let runs = [
            lint(&folder, &[]),
            lint(&folder, &["keys/prod/a.yaml"]),
            lint(&folder, &["keys"]),
            lint(&folder, &["keys/prod/cortexkey.yaml"]),
            lint_with(&prod, &[], |_| {}),
            lint_with(&prod, &["a.yaml"], |_| {}),
        ];
        for outcome in runs {
            let lines = found(&outcome);
            assert_eq!((code(&outcome), lines.len()), (1, 1), "{narrowed} {lines:?}");
            assert!(lines[0].contains("a.yaml:5:18: error[L001"), "{lines:?}");
        }
    }
}

#[test]
fn a_child_adds_files_and_its_rules_apply_to_them() {
    let outer = format!("{HEAD}keys: ['keys/*.yaml']\n");
    let inner = format!(
        "{HEAD}extends: [../cortexkey.yaml]\nkeys: ['*.yaml']\nrules: {{ role-forbidden: {{ roles: [Viewer] }} }}\n"
    );
    let folder = repository(&[
        ("cortexkey.yaml", &outer),
        ("keys/a.yaml", &key("a")),
        ("team/cortexkey.yaml", &inner),
        ("team/b.yaml", &key("b")),
    ]);
    for run in [lint(&folder, &[]), lint_with(&folder.path().join("team"), &[], |_| {})] {
        let lines = found(&run);
        assert!(
            lines.len() == 1 && lines[0].contains("b.yaml") && lines[0].contains("R002"),
            "{lines:?}"
        );
        assert_eq!(run.report.unwrap().summary.files, 2);
    }
    // A name is taken wherever the other key is.
    let folder = repository(&[
        ("cortexkey.yaml", &outer),
        ("keys/a.yaml", &key("same")),
        ("team/cortexkey.yaml", &inner),
        ("team/b.yaml", &key("SAME")),
    ]);
    let lines = found(&lint(&folder, &[])).join("\n");
    assert!(lines.contains("team/b.yaml:3:19: error[C001"), "{lines}");
}

#[test]
fn each_policy_mistake_is_reported_once() {
    let outer = format!(
        "{HEAD}keys: ['keys/**/*.yaml']\nwaivers: [\
         {{ rule: L001, key: a, reason: r, approvedBy: b, expires: 2026-01-20 }},\
         {{ rule: L001, key: gone, reason: r, approvedBy: b, expires: 2026-01-20 }}]\n"
    );
    let inner = format!("{HEAD}extends: [../../cortexkey.yaml]\n");
    let folder = repository(&[
        ("cortexkey.yaml", &outer),
        ("keys/prod/cortexkey.yaml", &inner),
        ("keys/prod/a.yaml", &faulty_key("a")),
        ("keys/b.yaml", &key("b")),
    ]);
    let outcome = lint(&folder, &[]);
    let lines = found(&outcome);
    // Only the child's run uses the waiver for `a`, which counts as use.
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].contains("P002") && lines[1].contains("P009"), "{lines:?}");
    assert_eq!(outcome.report.unwrap().summary.waived, 1);
}

#[test]
fn unrelated_policies_apply_to_their_own_files() {
    let strict = format!("{HEAD}extends: ['builtin:strict']\nkeys: ['keys/*.yaml']\n");
    let loose = format!("{HEAD}extends: ['builtin:minimal']\nkeys: ['keys/*.yaml']\n");
    let folder = repository(&[
        ("a/cortexkey.yaml", &strict),
        ("a/keys/x.yaml", &faulty_key("x")),
        ("b/cortexkey.yaml", &loose),
        ("b/keys/y.yaml", &faulty_key("y")),
        ("k8s/pod.yaml", "apiVersion: v1\nkind: Pod\n"),
    ]);
    let both = ["b/keys/y.yaml", "a/keys/x.yaml", "k8s/pod.yaml"];
    for paths in [&[][..], &both, &["a", "b"]] {
        let outcome = lint(&folder, paths);
        let lines = found(&outcome).join("\n");
        assert!(lines.contains("a/keys/x.yaml:5:18: error[L001"), "{paths:?} {lines}");
        assert!(!lines.contains("b/keys/y.yaml:5"), "{lines}");
        // The message names those policies.
        let said = outcome.messages.join("\n");
        assert!(said.contains("a/cortexkey.yaml") && said.contains("b/cortexkey.yaml"), "{said}");
    }
    // A run in one policy's folder covers only that policy.
    assert_eq!(code(&lint_with(&folder.path().join("b"), &[], |_| {})), 0);
    // Files of no corpus are skipped, even if there are no others.
    for paths in [&["k8s/pod.yaml"][..], &["k8s"]] {
        let outcome = lint(&folder, paths);
        assert_eq!((code(&outcome), outcome.report.unwrap().summary.skipped), (0, 1));
    }
}

#[test]
fn a_nested_policy_is_recognised_anywhere() {
    let outer = format!("{HEAD}keys: ['keys/**']\n");
    let inner = format!("{HEAD}extends: [../../cortexkey.yaml]\n");
    for build in [repository, folder] {
        let folder = build(&[
            ("cortexkey.yaml", &outer),
            ("keys/prod/cortexkey.yaml", &inner),
            ("keys/prod/a.yaml", &key("a")),
        ]);
        for paths in [&[][..], &["keys/prod/a.yaml"], &["keys/prod/cortexkey.yaml"]] {
            let outcome = lint(&folder, paths);
            assert_eq!((code(&outcome), found(&outcome).len()), (0, 0), "{:?}", found(&outcome));
        }
    }
}

#[test]
fn fixes_and_baselines_reach_the_files_of_every_policy() {
    use cortexkey_lint::files::FixMode;
    let outer = format!("{HEAD}keys: ['keys/**/*.yaml']\n");
    let inner = format!("{HEAD}extends: [../../cortexkey.yaml]\n");
    let twice = |name: &str| key(name).replace("[Viewer]", "[Viewer, Viewer]");
    let folder = repository(&[
        ("cortexkey.yaml", &outer),
        ("keys/a.yaml", &twice("a")),
        ("keys/prod/cortexkey.yaml", &inner),
        ("keys/prod/b.yaml", &twice("b").replace("advanced", "standard")),
    ]);
    let outcome = lint_with(folder.path(), &[], |options| options.fix = FixMode::Write);
    let lines = found(&outcome);
    assert!(lines.len() == 1 && lines[0].contains("L001"), "{lines:?}");
    let known = lint_with(folder.path(), &[], |options| options.write_baseline = true);
    assert_eq!(code(&known), 0, "{:?}", known.messages);
    let known = lint_with(folder.path(), &[], |options| {
        options.baseline = Some("cortexkey-baseline.json".into());
    });
    assert_eq!(code(&known), 0, "{:?}", found(&known));
}

#[test]
fn a_definition_outside_every_corpus_is_reported() {
    let json = "{\"apiVersion\": \"cortexkey\\/v1\", \"kind\": \"ApiKey\", \"metadata\": {\"name\": \"j\"}}";
    let lowered = "rules: { S007: { severity: warning } }\n";
    let ways =
        [("recommended", "", "error", 1), ("strict", "", "error", 1), ("minimal", "", "error", 1)];
    for (parent, rules, severity, expected) in
        ways.into_iter().chain([("recommended", lowered, "warning", 0)])
    {
        let policy = format!("{HEAD}extends: ['builtin:{parent}']\nkeys: ['keys/*.yaml']\n{rules}");
        let folder = repository(&[
            ("cortexkey.yaml", &policy),
            ("keys/a.yaml", &key("a")),
            ("other/b.yaml", &faulty_key("b")),
            ("other/deep/c.yml", "a: 1\n---\napiVersion: \"\\x63ortexkey/v1\"\nkind: ApiKey\n"),
            ("j.json", json),
            ("broken.yaml", "apiVersion: cortexkey/v1\nspec: [\n"),
            ("k8s/pod.yaml", "apiVersion: v1\nkind: Pod\n"),
            ("org/base.yaml", HEAD),
            ("notes.md", "apiVersion: cortexkey/v1\n"),
        ]);
        let outside = ["broken.yaml", "j.json", "other/b.yaml", "other/deep/c.yml"];
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome);
        assert_eq!((code(&outcome), lines.len()), (expected, 4), "{lines:?}");
        for (line, path) in lines.iter().zip(outside) {
            assert!(line.starts_with(path) && line.contains("S007"), "{lines:?}");
            assert!(line.contains(&format!("{severity}[S007")), "{lines:?}");
        }
        assert_eq!(outcome.report.unwrap().summary.files, 1);
        // The same applies if only a commit contains it.
        let outcome = lint(&folder, &["other/b.yaml", "k8s/pod.yaml"]);
        let lines = found(&outcome);
        assert!(lines.len() == 1 && lines[0].contains("S007"), "{lines:?}");
        assert_eq!(outcome.report.unwrap().summary.skipped, 2);
    }
}

#[test]
fn definitions_without_a_policy_are_checked_against_the_default() {
    let other = format!("{HEAD}keys: ['own/*.yaml']\n");
    let folder = repository(&[
        ("x/cortexkey.yaml", &other),
        ("x/own/a.yaml", &key("a")),
        ("keys/b.yaml", &faulty_key("b")),
        ("keys/broken.yaml", "apiVersion: cortexkey/v1\nspec: [\n"),
        ("keys/values.yaml", "a: {{ .Values.b }}\n"),
        ("k8s/pod.yaml", "apiVersion: v1\nkind: Pod\n"),
    ]);
    let keys = folder.path().join("keys");
    let runs = [
        lint(&folder, &[]),
        lint(&folder, &["keys"]),
        lint(&folder, &["keys/b.yaml", "keys/broken.yaml"]),
        lint(&folder, &["x", "keys"]),
        lint_with(&keys, &[], |_| {}),
        lint_with(&keys, &["b.yaml", "broken.yaml"], |_| {}),
    ];
    for (nth, outcome) in runs.into_iter().enumerate() {
        let lines = found(&outcome).join("\n");
        assert_eq!(code(&outcome), 1, "{nth} {lines}");
        assert!(lines.contains("b.yaml:5:18: error[L001"), "{nth} {lines}");
        assert!(lines.contains("broken.yaml") && lines.contains("Y001"), "{nth} {lines}");
        assert!(!lines.contains("values.yaml") && !lines.contains("pod.yaml"), "{nth} {lines}");
        let messages = outcome.messages.join("\n");
        assert!(messages.contains("builtin:recommended"), "{nth} {messages}");
    }
    // The other policy alone is not affected.
    for outcome in [lint(&folder, &["x"]), lint_with(&folder.path().join("x"), &[], |_| {})] {
        assert_eq!((code(&outcome), found(&outcome).len()), (0, 0), "{:?}", found(&outcome));
    }
}

#[test]
fn a_folder_is_searched_for_definitions_outside_of_the_corpus() {
    let policy = format!("{HEAD}keys: ['keys/*.yaml']\n");
    let folder = repository(&[
        ("cortexkey.yaml", &policy),
        ("keys/a.yaml", &key("a")),
        ("keys/deep/b.yaml", &faulty_key("b")),
        ("other/c.yaml", &faulty_key("c")),
        ("other/pod.yaml", "apiVersion: v1\nkind: Pod\n"),
    ]);
    for (path, skipped) in [("other", 2), ("keys", 0), ("keys/deep", 1)] {
        let outcome = lint(&folder, &[path]);
        let lines = found(&outcome);
        assert!(lines.len() == 1 && lines[0].contains("S007"), "{path} {lines:?}");
        assert_eq!(outcome.report.unwrap().summary.skipped, skipped, "{path}");
    }
}

#[test]
fn a_definition_is_found_with_any_file_extension() {
    let policy = format!("{HEAD}keys: ['keys/**/*.yaml']\n");
    for name in ["b.yaml.bak", "b.yaml~", "b.txt", "b", "b.YAML.disabled", "deep/b.yml"] {
        let path = format!("keys/{name}");
        let folder = repository(&[
            ("cortexkey.yaml", &policy),
            ("keys/a.yaml", &key("a")),
            ("keys/README.md", "# Keys\n\n```yaml\napiVersion: cortexkey/v1\nkind: ApiKey\n```\n"),
            ("keys/note.txt", "apiVersion cortexkey/v1\n"),
            (&path, &faulty_key("b")),
        ]);
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome);
        assert!(lines.len() == 1 && lines[0].contains("S007"), "{name} {lines:?}");
        assert!(lines[0].starts_with(&path) && code(&outcome) == 1, "{name} {lines:?}");
    }
}

#[test]
fn a_policy_that_is_not_a_file_is_not_missing() {
    let inner = "team/cortexkey.yaml";
    let folder = repository(&[
        ("cortexkey.yaml", &format!("{HEAD}keys: ['team/*.yaml']\n")),
        ("team/a.yaml", &key("a")),
        ("team/cortexkey.yaml/x", "x"),
    ]);
    assert!(folder.path().join(inner).is_dir());
    for outcome in
        [lint(&folder, &["team/a.yaml"]), lint_with(&folder.path().join("team"), &[], |_| {})]
    {
        assert_eq!(code(&outcome), 2, "{:?}", outcome.messages);
    }
}

#[test]
fn a_definition_is_found_however_its_text_is_stored() {
    let wide = |text: &str| -> Vec<u8> {
        let units = core::iter::once('\u{feff}').chain(text.chars());
        units.flat_map(|c| u16::try_from(u32::from(c)).unwrap().to_le_bytes()).collect()
    };
    let bad = faulty_key("b");
    let large = format!("{bad}# {}\n", "x".repeat(2 << 20));
    let alias = bad.replacen("apiVersion: cortexkey/v1", "x: &v cortexkey/v1\napiVersion: *v", 1);
    let list = format!("- {}", bad.trim_end().replace('\n', "\n  "));
    for bytes in [wide(&bad), large.into_bytes(), alias.into_bytes(), list.into_bytes()] {
        let policy = format!("{HEAD}keys: ['keys/*.yaml']\n");
        let folder = repository(&[("cortexkey.yaml", &policy), ("keys/a.yaml", &key("a"))]);
        write(folder.path(), "other.yaml", &bytes);
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome);
        let is_found = lines.len() == 1 && lines[0].contains("S007") && code(&outcome) == 1;
        assert!(is_found, "{lines:?} {:?}", String::from_utf8_lossy(&bytes[..60]));
    }
}
