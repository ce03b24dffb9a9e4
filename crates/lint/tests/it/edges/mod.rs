//! Each rule's condition at its edges, a file for each family: what the pages' examples and the
//! places do not tell apart. A change of a condition that passes here unseen is a case that is
//! missing; `cargo xtask campaign mutants` looks for them.

use cortexkey_lint::{Corpus, CorpusFile, Policy, Report, lint};
use cortexkey_manifest::yaml::Limits;

mod expiry;

const POLICY: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
    extends: ['builtin:recommended']\n";
const NOW: &str = "2026-01-01T00:00:00Z";

/// The definition that no rule finds fault with.
const KEY: &str = "apiVersion: cortexkey/v1
kind: ApiKey
metadata:
  name: svc-a
  owner: team-a
spec:
  securityLevel: advanced
  comment: For this test
  lifetime: 90d
  roles: [Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: none }
    endpoints: { mode: none }
";

/// The definition with one text of it replaced, which must be there.
fn key(old: &str, new: &str) -> String {
    assert!(KEY.contains(old), "{old}");
    KEY.replace(old, new)
}

/// Files held against the recommended policy with these lines behind it.
fn judge_files(policy: &str, files: &[(&str, &str)]) -> Report {
    let policy = Policy::from_text("cortexkey.yaml", &format!("{POLICY}{policy}"));
    let limits = Limits::default();
    let file =
        |(path, text): &(&str, &str)| CorpusFile::new(*path, text.as_bytes().to_vec(), &limits);
    let corpus = Corpus { files: files.iter().map(file).collect(), ..Corpus::default() };
    lint(&corpus, &policy, NOW.parse().unwrap())
}

fn judge(policy: &str, text: &str) -> Report {
    judge_files(policy, &[("svc-a.yaml", text)])
}

/// What a rule says of a definition, each finding's message.
fn said(rule: &str, policy: &str, text: &str) -> Vec<String> {
    let findings = judge(policy, text).findings;
    let of_rule = findings.into_iter().filter(|finding| finding.code == rule);
    of_rule.map(|finding| finding.message).collect()
}

/// The definition with the mending of a rule's first finding done, where it has one.
fn mended(rule: &str, policy: &str, text: &str) -> Option<String> {
    let findings = judge(policy, text).findings;
    let fix = findings.into_iter().find(|finding| finding.code == rule)?.fix?;
    let mut edits = fix.edits;
    edits.sort_by_key(|edit| std::cmp::Reverse(edit.span.start));
    let mut text = text.to_owned();
    for edit in edits {
        text.replace_range(edit.span.range(), &edit.text);
    }
    Some(text)
}

#[test]
fn nothing_is_said_of_the_definition_that_the_others_change() {
    assert_eq!(judge("", KEY).findings, []);
}
