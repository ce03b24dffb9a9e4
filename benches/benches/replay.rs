//! The replay guard and decisions, compared with code that does not use cortexkey.
//!
//! `cargo bench -p cortexkey-benches --bench replay`. Each insert is of a new request; the guard
//! and the map hold about a million.

#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a benchmark may panic")]

use std::hint::black_box;

use cortexkey_benches::guard::{CHUNK, Inserting, LockedMap};
use cortexkey_core::access::{
    AccessKey, Area, CasesAndIssues, EndpointScope, PredefinedRole, Question, Reference, Scope,
    TenantSettings, Unreferenced, decide,
};
use cortexkey_core::replay::Quota;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

criterion_group!(benches, insert, decisions);
criterion_main!(benches);

fn insert(c: &mut Criterion) {
    let mut group = c.benchmark_group("guard insert at 1 million");
    group.throughput(Throughput::Elements(CHUNK));
    let quota = Quota { uses_per_key: u32::MAX, keys: 1_000 };
    for (name, quota) in [("no quota", None), ("with a quota", Some(quota))] {
        let mut inserting = Inserting::new(quota);
        group.bench_function(name, |b| {
            b.iter_custom(|count| (0..count).map(|_| inserting.chunk()).sum());
        });
    }
    let mut map = LockedMap::new();
    group.bench_function("Mutex<HashMap<String, u64>>", |b| {
        b.iter_custom(|count| (0..count).map(|_| map.chunk()).sum());
    });
    group.finish();
}

fn decisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    let groups: Vec<String> = (0..10).map(|i| format!("asset-group-{i}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let roles = [PredefinedRole::by_name("Viewer").unwrap().role_in(None)];
    let scope = Scope {
        assets: Area::select(&groups),
        cases_and_issues: CasesAndIssues { area: Area::All, unreferenced: Unreferenced::No },
        endpoints: EndpointScope::none(),
        datasets: None,
    };
    let key = AccessKey { roles: &roles, scope: Some(&scope) };
    let reference = [Reference::Asset { groups: &["asset-group-9"], endpoint: None }];
    let question = Question::Issue { domain: "Posture", references: &reference };
    group.bench_function("an issue, a key with ten groups, the last matches", |b| {
        b.iter(|| {
            decide(black_box(&key), &TenantSettings::enforcing(), black_box(&question)).answer()
        });
    });
    group.finish();
}
