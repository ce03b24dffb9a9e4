//! The replay guard and decisions, beside what one would write without cortexkey.
//!
//! `cargo bench -p cortexkey-benches --bench replay`. Each insert is of a new request; the guard
//! and the map hold about a million.

#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a benchmark may panic")]

use std::cell::RefCell;
use std::collections::HashMap;
use std::hint::black_box;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use cortexkey_benches::KEY;
use cortexkey_core::access::{
    AccessKey, Area, CasesAndIssues, EndpointScope, PredefinedRole, Question, Reference, Scope,
    Tenant, decide,
};
use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verifier,
};
use cortexkey_core::replay::{
    GuardRefusal, MemoryGuard, MemoryGuardConfig, Quota, ReplayGuard, Start, VerifiedUse,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

criterion_group!(benches, insert, decisions);
criterion_main!(benches);

const LIVE: u64 = 1 << 20;
/// Inserts in one measurement: enough for the caches to be a service's own, not those of the
/// preparation.
const CHUNK: u64 = 1 << 15;
const NOW_MS: u64 = 1_790_611_732_512;

/// Makes uses that a guard is asked about: verified requests with nonces of their own, that come in
/// the order of their times, as a service sees them. A fresh guard takes over before the old one
/// is full.
struct Inserting {
    signer: Signer,
    stored: StoredKey,
    quota: Option<Quota>,
    guard: MemoryGuard,
    next: u64,
}

/// Only a verifier makes what a guard is asked about; this notes it down.
#[derive(Default)]
struct Recorder(RefCell<Vec<VerifiedUse>>);

impl ReplayGuard for Recorder {
    fn check_and_insert(&self, verified: &VerifiedUse) -> Result<(), GuardRefusal> {
        self.0.borrow_mut().push(*verified);
        Ok(())
    }
}

impl Inserting {
    fn new(quota: Option<Quota>) -> Self {
        let (id, key) = (KeyId::new(7).unwrap(), Key::new(KEY.as_bytes()).unwrap());
        let signer = Signer::new(id, Level::Advanced, key);
        let stored = StoredKey::new(id, Level::Advanced, key);
        let mut inserting = Self { signer, stored, quota, guard: guard(quota), next: 0 };
        inserting.fill();
        inserting
    }

    /// A guard with room for two million, half full.
    fn fill(&mut self) {
        self.guard = guard(self.quota);
        self.next = 0;
        while self.next < LIVE {
            self.chunk();
        }
    }

    /// How long one chunk took, all of it new to the guard.
    fn chunk(&mut self) -> Duration {
        if self.next + CHUNK > LIVE + LIVE / 2 {
            self.fill();
        }
        let recorder = Recorder::default();
        for number in self.next..self.next + CHUNK {
            let nonce = Nonce::new(format!("{number:064}").as_bytes()).unwrap();
            // Two million in the two minutes of the window, one after the other.
            let signed_ms = NOW_MS - 60_000 + number * 120_000 / (2 * LIVE);
            let headers = self.signer.sign_with(nonce, Timestamp::from_ms(signed_ms).unwrap());
            let pairs = headers.iter().map(|(name, value)| (name, value.as_bytes()));
            let request = Request::parse(pairs, NonceLengths::EXACT).unwrap();
            Verifier::new().verify(&request, Some(&self.stored), NOW_MS, &recorder).unwrap();
        }
        self.next += CHUNK;
        let uses = recorder.0.into_inner();
        let start = Instant::now();
        for verified in &uses {
            self.guard.check_and_insert(black_box(verified)).unwrap();
        }
        start.elapsed()
    }
}

fn guard(quota: Option<Quota>) -> MemoryGuard {
    let guard = MemoryGuard::new(MemoryGuardConfig {
        entries: usize::try_from(2 * LIVE).unwrap(),
        skew: Skew::DEFAULT,
        start: Start::First,
        secret: MemoryGuardConfig::secret_from_system().unwrap(),
    });
    match quota {
        Some(quota) => guard.with_quota(quota),
        None => guard,
    }
}

fn insert(c: &mut Criterion) {
    let mut group = c.benchmark_group("guard insert at 1 million");
    group.sample_size(10).throughput(Throughput::Elements(CHUNK));
    let quota = Quota { uses_per_key: u32::MAX, keys: 1_000 };
    for (name, quota) in [("no quota", None), ("with a quota", Some(quota))] {
        let mut inserting = Inserting::new(quota);
        group.bench_function(name, |b| {
            b.iter_custom(|count| (0..count).map(|_| inserting.chunk()).sum());
        });
    }
    let map: Mutex<HashMap<String, u64>> = Mutex::default();
    let mut number = 0;
    let mut chunk = || {
        if number >= LIVE + LIVE / 2 {
            map.lock().unwrap().clear();
            number = 0;
        }
        let nonces: Vec<_> = (number..number + CHUNK).map(|n| format!("{n:064}")).collect();
        number += CHUNK;
        let start = Instant::now();
        for nonce in nonces {
            assert!(map.lock().unwrap().insert(nonce, NOW_MS).is_none());
        }
        start.elapsed()
    };
    for _ in 0..LIVE / CHUNK {
        chunk();
    }
    group.bench_function("Mutex<HashMap<String, u64>>", |b| {
        b.iter_custom(|count| (0..count).map(|_| chunk()).sum());
    });
    group.finish();
}

fn decisions(c: &mut Criterion) {
    let mut group = c.benchmark_group("decide");
    let groups: Vec<String> = (0..10).map(|i| format!("asset-group-{i}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let roles = [PredefinedRole::by_name("Viewer").unwrap().role()];
    let key = AccessKey {
        roles: &roles,
        scope: Some(Scope {
            assets: Area::Select(&groups),
            cases_and_issues: CasesAndIssues { area: Area::All, unreferenced: false },
            endpoints: EndpointScope::none(),
            datasets: None,
        }),
    };
    let reference = [Reference::Asset { groups: &["asset-group-9"], endpoint: None }];
    let question = Question::Issue { domain: "Posture", references: &reference };
    group.bench_function("an issue, a key with ten groups, the last fits", |b| {
        b.iter(|| decide(black_box(&key), &Tenant::enforcing(), black_box(&question)).answer());
    });
    group.finish();
}
