//! The linter: one file, ten thousand files, and the worst case within the limits, from bytes to
//! findings, with all rules of the recommended policy and the second reading of the YAML.
//!
//! `cargo bench -p cortexkey-benches --bench lint`. Peers are whole programs, which are measured
//! from outside.

#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a benchmark may panic")]

use std::hint::black_box;

use cortexkey_lint::{Corpus, CorpusFile, Policy, Timestamp, lint};
use cortexkey_manifest::yaml::YamlLimits;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

criterion_group!(benches, one_file, ten_thousand_files, worst_legal_file);
criterion_main!(benches);

fn definition(number: usize) -> String {
    format!(
        "apiVersion: cortexkey/v1\n\
         kind: ApiKey\n\
         metadata:\n  name: svc-siem-export-{number:05}-prod\n  owner: team-detection-{number:05}\n\
         spec:\n  securityLevel: advanced\n\
         \x20 comment: Exports incidents to the SIEM. SEC-{number}\n\
         \x20 lifetime: 90d\n  roles: [Viewer]\n\
         \x20 scope:\n    assets: {{ mode: none }}\n\
         \x20   casesAndIssues: {{ mode: select, domains: [Security], unreferenced: false }}\n\
         \x20   endpoints: {{ mode: none }}\n"
    )
}

/// From bytes to findings.
fn lint_all(texts: &[String], policy: &Policy) -> usize {
    let file = |(number, text): (usize, &String)| {
        CorpusFile::new(format!("keys/{number}.yaml"), text.clone().into(), &YamlLimits::default())
    };
    let files = texts.iter().enumerate().map(file).collect();
    let corpus = Corpus { files, ..Corpus::default() };
    let now = "2026-11-24T00:00:00Z".parse::<Timestamp>().unwrap();
    lint(&corpus, policy, now).findings.len()
}

fn measure(c: &mut Criterion, name: &str, count: usize, samples: usize) {
    let policy = Policy::builtin("builtin:recommended").unwrap();
    let texts: Vec<String> = (0..count).map(definition).collect();
    let mut group = c.benchmark_group("lint");
    group.sample_size(samples).throughput(Throughput::Elements(count as u64));
    group.bench_function(name, |b| b.iter(|| lint_all(black_box(&texts), &policy)));
    group.finish();
}

fn one_file(c: &mut Criterion) {
    measure(c, "one file", 1, 100);
}

fn ten_thousand_files(c: &mut Criterion) {
    measure(c, "10,000 files", 10_000, 10);
}

/// Nearly 1 MiB of keys with as many roles as a list may have, none of which is known. It must stay
/// below one second.
fn worst_legal_file(c: &mut Criterion) {
    let policy = Policy::builtin("builtin:recommended").unwrap();
    let roles: Vec<String> = (0..9_999).map(|number| format!("r{number}")).collect();
    let key = |number| definition(number).replace("[Viewer]", &format!("[{}]", roles.join(",")));
    let text = (0..15).map(key).collect::<Vec<_>>().join("---\n");
    assert!(text.len() < YamlLimits::default().bytes);
    let mut group = c.benchmark_group("lint");
    group.sample_size(10).throughput(Throughput::Bytes(text.len() as u64));
    let texts = [text];
    group.bench_function("worst legal file", |b| b.iter(|| lint_all(black_box(&texts), &policy)));
    group.finish();
}
