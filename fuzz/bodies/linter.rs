//! Properties of the linter that hold for any input: the bodies of its fuzz targets, which the gate
//! also runs over the corpora and over mutations of them.
//!
//! They use no files, clock or randomness: the same input gives the same result.

use std::collections::{BTreeMap, HashMap};

use cortexkey_lint::fix::{self, FixOptions};
use cortexkey_lint::report::Format;
use cortexkey_lint::{
    Corpus, CorpusFile, Family, Finding, LintOptions, LintSession, Policy, Report, Timestamp, lint,
};
use cortexkey_manifest::yaml::{Comment, YamlLimits};

/// A property of any bytes.
type Body = fn(&[u8]);

/// A body, by the name of its target and of its corpus.
pub(crate) const BODIES: [(&str, Body); 5] = [
    ("reader", reader),
    ("policy", policy),
    ("expression", expression),
    ("suppression", suppression),
    ("fix", fixing),
];

/// Longer inputs find nothing new and take long.
const LENGTH_MAX: usize = 20_000;

const HEAD: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: fuzz }\n\
    extends: ['builtin:recommended']\n";

fn now() -> Timestamp {
    Timestamp::from_second(1_767_225_600).unwrap_or_default()
}

fn corpus_of(bytes: &[u8]) -> Corpus {
    let file = CorpusFile::new("svc-abc.yaml", bytes.to_vec(), &YamlLimits::default());
    Corpus { files: vec![file], ..Corpus::default() }
}

/// Every location is within its file and on character boundaries, and every format can be written.
fn sound(report: &Report) {
    let texts: HashMap<_, String> =
        report.sources.iter().map(|source| (source.id, source.masked())).collect();
    for finding in &report.findings {
        let locations = finding.related.iter().map(|second| second.location);
        for location in locations.chain([finding.location]) {
            let text = &texts[&location.source];
            assert!(text.get(location.span.range()).is_some(), "{} {location:?}", finding.rule);
        }
    }
    for (_, format) in Format::ALL {
        let text = report.render(format, false);
        assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
    }
}

/// Any bytes as a file of the corpus.
pub(crate) fn reader(bytes: &[u8]) {
    if bytes.len() > LENGTH_MAX {
        return;
    }
    let Some(policy) = Policy::builtin("builtin:recommended") else { return };
    let report = lint(&corpus_of(bytes), &policy, now());
    sound(&report);
    // A file without a finding about its form is YAML for libYAML, too.
    if let Ok(text) = std::str::from_utf8(bytes) {
        let (_, difference) = cortexkey_manifest::yaml::plain_form(text, &YamlLimits::default());
        assert!(difference.is_none(), "{text:?} {difference:?}");
    }
    if let Ok(text) = std::str::from_utf8(bytes)
        && report.findings.iter().all(|finding| finding.rule.family() != Some(Family::Yaml))
    {
        let body = text.strip_prefix('\u{feff}').unwrap_or(text);
        for document in serde_yaml::Deserializer::from_str(body) {
            let value = <serde_yaml::Value as serde::Deserialize>::deserialize(document);
            assert!(value.is_ok(), "{text:?} {value:?}");
        }
    }
}

/// Any bytes as a policy, and a definition checked against it.
pub(crate) fn policy(bytes: &[u8]) {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LENGTH_MAX) else {
        return;
    };
    let policy = Policy::from_text("cortexkey.yaml", text);
    sound(&lint(&corpus_of(KEY.as_bytes()), &policy, now()));
    if policy.is_valid() {
        let _ = policy.effective();
    }
}

/// Any text as the expression of a rule.
pub(crate) fn expression(bytes: &[u8]) {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LENGTH_MAX) else {
        return;
    };
    let quoted = cortexkey_manifest::quoted(text);
    let rule =
        format!("customRules: [{{ id: ORG001, name: own-rule, message: m, assert: {quoted} }}]\n");
    let policy = Policy::from_text("cortexkey.yaml", &format!("{HEAD}{rule}"));
    sound(&lint(&corpus_of(KEY.as_bytes()), &policy, now()));
}

/// Any text as a comment for the linter.
pub(crate) fn suppression(bytes: &[u8]) {
    let Some(text) = std::str::from_utf8(bytes).ok().filter(|text| text.len() <= LENGTH_MAX) else {
        return;
    };
    let comment = format!("  lifetime: 9000d  # cortexkey: {}\n", text.replace(['\n', '\r'], " "));
    let Some(policy) = Policy::builtin("builtin:recommended") else { return };
    sound(&lint(
        &corpus_of(KEY.replace("  lifetime: 9000d\n", &comment).as_bytes()),
        &policy,
        now(),
    ));
}

/// Fixing a file causes no finding, loses no comment, and is idempotent.
pub(crate) fn fixing(bytes: &[u8]) {
    if bytes.len() > 4000 {
        return;
    }
    let text = format!(
        "{HEAD}tenants: {{ main: {{ product: xsiam, assetGroups: [{{ name: prod-eu }}] }} }}\n\
         rules: {{ E005: {{ offset: Z }}, E006: {{ weekend: [saturday, sunday] }} }}\n\
         catalog: {{ roles: [{{ name: Old, deprecated: {{ use: Viewer }} }}, {{ name: Export, id: r1 }}] }}\n"
    );
    let policy = Policy::from_text("cortexkey.yaml", &text);
    let limits = YamlLimits::default();
    let fix_bytes = |bytes: &[u8]| {
        let reload = |_: &BTreeMap<String, String>| None;
        let corpus = corpus_of(bytes);
        let session = LintSession::new(corpus, &policy, &LintOptions::at(now()));
        let options = FixOptions { accepts: &|_| true, limits, reload: &reload };
        let fixed = fix::fix(session, &options);
        fixed.texts.get("svc-abc.yaml").cloned()
    };
    let Some(fixed) = fix_bytes(bytes) else { return };
    let before = lint(&corpus_of(bytes), &policy, now());
    let after = lint(&corpus_of(fixed.as_bytes()), &policy, now());
    let count = |report: &Report, code: &str| {
        report.findings.iter().filter(|finding| finding.rule.code() == code).count()
    };
    // If more of a file can be checked than before, more may be found.
    let unchecked =
        |report: &Report| report.findings.iter().filter(|finding| finding.unchecked).count();
    assert!(unchecked(&after) <= unchecked(&before), "{fixed}");
    let same = unchecked(&after) == unchecked(&before);
    // What no key has is reported only if every file could be read as it was meant.
    let was_doubtful = before.findings.iter().any(|finding| finding.rule.code().starts_with('Y'));
    let is_absence = |finding: &Finding| matches!(finding.rule.code(), "C003" | "C007" | "P008");
    let compared = |finding: &&Finding| same && !(was_doubtful && is_absence(finding));
    for finding in after.findings.iter().filter(compared) {
        let old = count(&before, finding.rule.code());
        let new = count(&after, finding.rule.code());
        assert!(new <= old, "{} {new} > {old}\n{fixed}", finding.rule.code());
    }
    // A suppression may go once everything that it could be about was checked.
    let kept = |text: &str| {
        let parsed = cortexkey_manifest::yaml::parse(text, &limits);
        let comments = parsed.tree.comments();
        let is_kept = |comment: &&Comment| !comment.span.slice(text).contains("cortexkey:");
        comments.iter().filter(is_kept).count()
    };
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(kept(&fixed) >= kept(text), "{text}\n{fixed}");
    }
    assert_eq!(fix_bytes(fixed.as_bytes()), None, "{fixed}");
    sound(&after);
}

const KEY: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-abc
  owner: team-detection
  labels: { env: prod }
spec:
  securityLevel: advanced
  comment: Exports incidents to the SIEM
  lifetime: 9000d
  roles: [Viewer]
  scope:
    assets: { mode: select, groups: [prod-eu] }
    casesAndIssues: { mode: select, domains: [Security], unreferenced: false }
    endpoints: { mode: none }
";
