//! Policies with several parents: locks hold in every order of the parents, and loading is limited.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use cortexkey_manifest::policy::{Merged, OptionKind, PolicyLayers, Rules, Severity, load};
use cortexkey_manifest::yaml::YamlLimits;

struct Table;

impl Rules for Table {
    fn code(&self, written: &str) -> Option<String> {
        ["L001", "L002"].into_iter().find(|code| *code == written).map(str::to_owned)
    }

    fn severity(&self, _: &str) -> Severity {
        Severity::Info
    }

    fn tightens(&self, _: &str, _: &str, from: Option<&OptionKind>, to: &OptionKind) -> bool {
        let number = |kind: &OptionKind| match kind {
            OptionKind::Text(text) => text.parse::<u32>().ok(),
            _ => None,
        };
        from.is_none_or(|from| number(to) <= number(from))
    }
}

/// Loads policies from a table, starting with the first one.
fn layers(files: &[(&str, &str)]) -> (PolicyLayers, usize) {
    let files: BTreeMap<_, _> = files.iter().copied().collect();
    let mut asked = 0;
    let mut read = |path: &str| {
        asked += 1;
        let body = files.get(path).ok_or_else(|| format!("cannot read {path}"))?;
        let head = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: x }\n";
        Ok(format!("{head}{body}\n").into_bytes())
    };
    let layers = load("child", &YamlLimits::default(), &mut read).unwrap();
    (layers, asked)
}

fn merged(files: &[(&str, &str)]) -> Merged {
    let (layers, _) = layers(files);
    assert!(layers.faults.is_empty(), "{:?}", layers.faults);
    Merged::new(&layers.layers, &Table)
}

fn what(merged: &Merged) -> Vec<&str> {
    merged.refused.iter().map(|refused| refused.what.as_str()).collect()
}

const CORP: (&str, &str) =
    ("corp", "rules: { L001: { enabled: true, severity: error, max: 90, locked: true } }");
const ORDERS: [(&str, &str); 2] =
    [("child", "extends: [weak, corp]"), ("child", "extends: [corp, weak]")];

#[test]
fn a_sibling_does_not_loosen_a_lock_whether_it_comes_before_or_after() {
    for child in ORDERS {
        for (weak, expected) in [
            ("{ enabled: false }", "enabled"),
            ("{ severity: warning }", "severity"),
            ("{ waivable: true, max: 100 }", "max"),
            ("{ overrides: [{ match: { name: x }, enabled: false }] }", "enabled"),
            // More severe than the rule's default, but less than the lock requires.
            ("{ overrides: [{ match: { name: x }, severity: warning }] }", "severity"),
            ("{ overrides: [{ match: { name: x }, max: 91 }] }", "max"),
            ("{ locked: false }", "locked"),
        ] {
            let weak = format!("rules: {{ L001: {weak} }}");
            let merged = merged(&[child, CORP, ("weak", &weak)]);
            assert_eq!(what(&merged), [expected], "{child:?} {weak}");
            let rule = &merged.rules["L001"];
            assert!(rule.enabled.as_ref().unwrap().value && rule.locked.is_some());
            assert_eq!(rule.severity.as_ref().unwrap().value, Severity::Error);
            assert_eq!(rule.options["max"].value.kind, OptionKind::Text("90".into()));
            for item in &rule.overrides {
                assert!(item.enabled.is_none() && item.severity.is_none());
                assert!(item.options.is_empty());
            }
        }
    }
}

#[test]
fn a_policy_below_a_sibling_cannot_loosen_a_lock() {
    let weak = ("weak", "extends: [weaker]");
    let weaker = ("weaker", "rules: { L001: { enabled: false }, L002: { enabled: false } }");
    for child in ORDERS {
        let merged = merged(&[child, CORP, weak, weaker]);
        assert_eq!(what(&merged), ["enabled"], "{child:?}");
        assert!(!merged.rules["L002"].enabled.as_ref().unwrap().value, "nobody locks it");
    }
}

#[test]
fn two_locks_exclude_each_other() {
    let other = "rules: { L001: { severity: warning, locked: true, \
                 overrides: [{ match: { name: x }, enabled: false }] } }";
    for child in ORDERS {
        let merged = merged(&[child, CORP, ("weak", other)]);
        assert_eq!(what(&merged), ["severity", "enabled"], "{child:?}");
        assert_eq!(merged.rules["L001"].severity.as_ref().unwrap().value, Severity::Error);
    }
}

#[test]
fn a_locking_policy_decides_about_its_own_parents() {
    let base = "rules: { L001: { enabled: false, overrides: [{ match: { name: x }, max: 400 }] } }";
    let merged = merged(&[
        ("child", "extends: [base, corp]"),
        ("base", base),
        ("corp", "extends: [base]\nrules: { L001: { enabled: true, max: 90, locked: true } }"),
    ]);
    assert!(merged.refused.is_empty(), "{:?}", merged.refused);
    assert!(merged.rules["L001"].enabled.as_ref().unwrap().value);
    assert_eq!(merged.rules["L001"].overrides[0].options.len(), 1);
}

#[test]
fn a_sibling_may_tighten() {
    let strict =
        "rules: { L001: { severity: error, overrides: [{ match: { name: x }, max: 9 }] } }";
    for child in ORDERS {
        let merged = merged(&[child, CORP, ("weak", strict)]);
        assert!(merged.refused.is_empty(), "{:?}", merged.refused);
        assert_eq!(merged.rules["L001"].overrides[0].options.len(), 1);
    }
}

#[test]
fn one_file_under_many_paths_is_read_a_limited_number_of_times() {
    // Like links back to their own folder: every path exists, and each is new.
    let mut asked = 0;
    let mut read = |_: &str| {
        asked += 1;
        let text = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: x }\n\
                    extends: [l1/p.yaml, l2/p.yaml]\n";
        Ok(text.as_bytes().to_vec())
    };
    let layers = load("p.yaml", &YamlLimits::default(), &mut read).unwrap();
    assert_eq!(asked, 64);
    let problems = layers.faults.iter().flat_map(|fault| &fault.problems);
    let mut said: Vec<&str> = problems.map(|problem| problem.message.as_str()).collect();
    said.sort_unstable();
    said.dedup();
    insta::assert_snapshot!(said.join("\n"));
    assert!(layers.faults.len() <= 64);
}

#[test]
fn reading_stops_at_the_limits() {
    let chain: Vec<(String, String)> = (1..=16)
        .map(|n| {
            (format!("p{n}"), if n < 16 { format!("extends: [p{}]", n + 1) } else { String::new() })
        })
        .collect();
    let with = |child: &str| {
        let mut files = vec![("child", child)];
        files.extend(chain.iter().map(|(name, body)| (name.as_str(), body.as_str())));
        layers(&files).0
    };
    assert_eq!(with("extends: [p2]").layers.len(), 16);
    assert!(with("extends: [p2]").faults.is_empty());
    let deep = with("extends: [p1]");
    let message = &deep.faults[0].problems[0].message;
    assert_eq!(message, "at most 16 policies may extend one another; this is one more");

    for (parents, faults) in [(63, 0), (64, 1)] {
        let names: Vec<String> = (0..parents).map(|n| format!("w{n}")).collect();
        let child = format!("extends: [{}]", names.join(", "));
        let mut files = vec![("child", child.as_str())];
        files.extend(names.iter().map(|name| (name.as_str(), "")));
        let (layers, asked) = layers(&files);
        assert_eq!((layers.faults.len(), asked), (faults, 64));
    }
}

#[test]
fn the_first_of_many_equal_names_counts() {
    let tenants: Vec<String> =
        (0..30_000).map(|n| format!("  t{}: {{ product: xsiam }}\n", n % 20_000)).collect();
    let text = format!(
        "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: {{ name: x }}\ntenants:\n{}",
        tenants.concat()
    );
    let parsed = cortexkey_manifest::yaml::parse(&text, &YamlLimits::default());
    assert_eq!(parsed.problems.len(), 10_000);
    let read = cortexkey_manifest::policy::read(&parsed.tree, parsed.tree.documents()[0]);
    let names = read.policy.unwrap().tenants;
    assert_eq!(names.len(), 20_000);
    assert!(names.iter().enumerate().all(|(at, (name, _))| name.value == format!("t{at}")));
}

#[test]
fn a_policy_sets_when_keys_are_due() {
    let (found, _) = layers(&[("child", "rotateBefore: 14d")]);
    let said = found.layers[0].file.rotate_before.get().map(jiff::SignedDuration::as_hours);
    assert_eq!((said, found.faults.len()), (Some(14 * 24), 0));
    for wrong in ["rotateBefore: two weeks", "rotateBefore:", "rotateBefore: [14d]"] {
        assert_eq!(layers(&[("child", wrong)]).0.faults.len(), 1, "{wrong}");
    }
}

#[test]
fn a_policy_sets_when_notices_are_due() {
    let (found, _) = layers(&[("child", "notifyBefore: [30d, 12h]")]);
    let set = found.layers[0].file.notify_before.get().unwrap();
    let hours: Vec<i64> = set.iter().map(jiff::SignedDuration::as_hours).collect();
    assert_eq!((hours, found.faults.len()), (vec![30 * 24, 12], 0));
    for wrong in
        ["notifyBefore: [soon]", "notifyBefore:", "notifyBefore: 14d", "notifyBefore: [0d]"]
    {
        assert_eq!(layers(&[("child", wrong)]).0.faults.len(), 1, "{wrong}");
    }
}
