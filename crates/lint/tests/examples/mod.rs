//! Runs the examples of the rules' pages.

#![allow(dead_code, reason = "each test program needs some of these")]

use cortexkey_lint::rules::RuleExample;
use cortexkey_lint::{
    Corpus, CorpusFile, EarlierCorpus, LockedKeys, Policy, Report, Timestamp, lint,
};
use cortexkey_manifest::policy::load;
use cortexkey_manifest::yaml::YamlLimits;

/// The parent policy for examples that need a locked rule.
const LOCKED: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: acme }\n\
    extends: [builtin:recommended]\nrules: { expiry-too-long: { max: 180d, locked: true } }\n";

pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

pub(crate) fn policy(example: &RuleExample) -> Policy {
    let mut read = |path: &str| match path {
        "team/cortexkey.yaml" => Ok(example.policy_text().into_bytes()),
        "acme.yaml" => Ok(LOCKED.as_bytes().to_vec()),
        _ => Err(format!("cannot read {path}").into()),
    };
    Policy::new(load("team/cortexkey.yaml", &YamlLimits::default(), &mut read).unwrap())
}

pub(crate) fn corpus(example: &RuleExample) -> Corpus {
    let limits = YamlLimits::default();
    let name = example.file_name();
    let bytes = example.document().into_bytes();
    let file = if example.is_outside {
        CorpusFile::outside(name, bytes, &limits).unwrap()
    } else {
        CorpusFile::new(name, bytes, &limits)
    };
    let before = (!example.before.is_empty()).then(|| {
        let text = example.document_before();
        let files = vec![CorpusFile::new(example.file_name(), text.into_bytes(), &limits)];
        EarlierCorpus { revision: "main".into(), files }
    });
    let lock = (!example.lock.is_empty())
        .then(|| LockedKeys::new("cortexkey.lock", example.lock.as_bytes().to_vec(), &limits));
    Corpus { files: vec![file], before, lock, ..Corpus::default() }
}

pub(crate) fn run(example: &RuleExample) -> Report {
    lint(&corpus(example), &policy(example), now())
}
