//! Each rule's examples are right: the bad one is reported by this rule and no other, the good one
//! by none.

use std::collections::BTreeSet;

use crate::examples::{now, run};
use cortexkey_lint::rules::{RULES, Rule};
use cortexkey_lint::{Corpus, CorpusFile, Policy, Report, Severity, lint};
use cortexkey_manifest::yaml::YamlLimits;

/// The codes of a report. A catalog next to a single definition has unused roles, which
/// are not about the example.
fn codes<'r>(report: &'r Report, rule: &Rule) -> BTreeSet<&'r str> {
    let reported = |code: &&str| *code != "C003" || rule.code == "C003";
    report.findings.iter().map(|finding| finding.rule.code()).filter(reported).collect()
}

#[test]
fn bad_examples_are_reported_by_their_rule_only() {
    for rule in RULES {
        let report = run(&rule.bad);
        let found: Vec<String> =
            report.findings.iter().map(|f| format!("{} {}", f.rule.code(), f.message)).collect();
        assert_eq!(codes(&report, rule), BTreeSet::from([rule.code]), "{}: {found:?}", rule.code);
        for finding in &report.findings {
            assert!(!finding.message.is_empty() && finding.fingerprint.len() == 64);
        }
    }
}

#[test]
fn good_examples_have_no_findings() {
    for rule in RULES {
        let report = run(&rule.good);
        let found: Vec<String> =
            report.findings.iter().map(|f| format!("{} {}", f.rule.code(), f.message)).collect();
        assert!(
            codes(&report, rule).is_empty(),
            "{}: {found:?}\n{}",
            rule.code,
            rule.good.document()
        );
    }
}

#[test]
fn each_rule_has_its_own_id_and_a_page() {
    let mut seen = BTreeSet::new();
    for rule in RULES.iter().copied() {
        let Rule { code, name, summary, why, remedy, options, .. } = rule;
        assert!(seen.insert(*code) && seen.insert(*name), "{code} {name} is there twice");
        assert!(rule.id().family().is_some(), "{code} has no family");
        for text in [summary, why, remedy] {
            assert!(text.len() > 10 && !text.contains("  "), "{code}: {text:?}");
        }
        for option in *options {
            assert!(option.what.len() > 10, "{code}: {}", option.name);
        }
    }
}

#[test]
fn built_in_policies_are_valid_and_name_only_known_rules() {
    for name in ["builtin:minimal", "builtin:recommended", "builtin:strict"] {
        let policy = Policy::builtin(name).unwrap();
        assert!(policy.is_valid(), "{name}");
    }
    assert!(Policy::builtin("builtin:other").is_none());
}

/// The settings of a rule in a built-in policy, derived from the findings of its bad example.
fn under(name: &str, rule: &Rule) -> Option<Severity> {
    let policy = Policy::builtin(name).unwrap();
    let path = rule.bad.file_name();
    let text = rule.bad.document();
    let file = CorpusFile::new(path, text.into_bytes(), &YamlLimits::default());
    let corpus = Corpus { files: vec![file], ..Corpus::default() };
    let report = lint(&corpus, &policy, now());
    report.findings.iter().find(|f| f.rule.code() == rule.code).map(|f| f.severity)
}

#[test]
fn minimal_and_strict_policies_keep_their_severities() {
    // Rules whose bad example is a policy cannot be tested this way.
    for rule in RULES.iter().filter(|rule| rule.bad.policy.is_empty()) {
        let family = rule.code.chars().next().unwrap();
        let kept = matches!(family, 'Y' | 'S' | 'X' | 'P')
            || matches!(rule.code, "L002" | "R007" | "E002" | "E005" | "C001");
        // These need a tenant in the policy, an earlier revision, a lock file or another path.
        if !matches!(rule.code, "N009" | "C006" | "C007" | "C008" | "S007") {
            assert_eq!(under("builtin:minimal", rule).is_some(), kept, "{}", rule.code);
            assert_eq!(under("builtin:recommended", rule), Some(rule.severity), "{}", rule.code);
            // A lifetime beyond the product's is also beyond the strict limit, which is reported
            // first.
            let strict = (rule.code != "E007").then_some(Severity::Error);
            let strict =
                if rule.severity == Severity::Info { Some(Severity::Info) } else { strict };
            assert_eq!(under("builtin:strict", rule), strict, "{}", rule.code);
        }
    }
}
