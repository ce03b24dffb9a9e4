//! The replay guard and decisions, beside what one would write without cortexkey.
//!
//! `cargo bench -p cortexkey-benches --bench replay`. Each insert is of a new request; the guard
//! and the map hold about a million.

#![allow(missing_docs, clippy::unwrap_used, reason = "criterion's macros; a benchmark may panic")]

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
    Headers, Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp,
    Verifier,
};
use cortexkey_core::replay::{MemoryGuard, MemoryGuardConfig, Quota, Start, Unguarded};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

criterion_group!(benches, insert, decisions);
criterion_main!(benches);

const LIVE: u64 = 1_000_000;
/// Requests in one measurement; the clock is read twice for all of them.
const CHUNK: u64 = 512;
const NOW_MS: u64 = 1_790_611_732_512;

/// Checks requests that differ in their nonces and come in the order of their times, as a service
/// sees them; a fresh guard takes over before the old one is full.
struct Checking {
    signer: Signer,
    stored: StoredKey,
    quota: Option<Quota>,
    guard: Option<MemoryGuard>,
    next: u64,
}

impl Checking {
    fn new(guarded: bool, quota: Option<Quota>) -> Self {
        let (id, key) = (KeyId::new(7).unwrap(), Key::new(KEY.as_bytes()).unwrap());
        let signer = Signer::new(id, Level::Advanced, key);
        let stored = StoredKey::new(id, Level::Advanced, key);
        let mut checking = Self { signer, stored, quota, guard: None, next: 0 };
        if guarded {
            checking.fill();
        }
        checking
    }

    /// A guard with room for two million, half full.
    fn fill(&mut self) {
        let guard = MemoryGuard::new(MemoryGuardConfig {
            entries: usize::try_from(2 * LIVE).unwrap(),
            skew: Skew::DEFAULT,
            start: Start::First,
            secret: MemoryGuardConfig::secret_from_system().unwrap(),
        });
        self.guard = Some(match self.quota {
            Some(quota) => guard.with_quota(quota),
            None => guard,
        });
        self.next = 0;
        while self.next < LIVE {
            self.chunk();
        }
    }

    /// How long one chunk took, all of it new to the guard.
    fn chunk(&mut self) -> Duration {
        if self.next + CHUNK > LIVE + LIVE / 2 {
            self.next = 0;
            if self.guard.is_some() {
                self.fill();
            }
        }
        let numbers = self.next..self.next + CHUNK;
        self.next += CHUNK;
        let headers: Vec<_> = numbers.map(|number| self.sign(number)).collect();
        let requests: Vec<_> = headers
            .iter()
            .map(|headers| {
                let pairs = headers.iter().map(|(name, value)| (name, value.as_bytes()));
                Request::parse(pairs, NonceLengths::EXACT).unwrap()
            })
            .collect();
        let verifier = Verifier::new();
        let start = Instant::now();
        for request in &requests {
            let verdict = match &self.guard {
                Some(guard) => verifier.verify(request, Some(&self.stored), NOW_MS, guard),
                None => verifier.verify(request, Some(&self.stored), NOW_MS, &Unguarded),
            };
            black_box(verdict.unwrap());
        }
        start.elapsed()
    }

    fn sign(&self, number: u64) -> Headers<'_> {
        let nonce = Nonce::new(format!("{number:064}").as_bytes()).unwrap();
        // Two million in the two minutes of the window, one after the other.
        let signed_ms = NOW_MS - 60_000 + number * 120_000 / (2 * LIVE);
        self.signer.sign_with(nonce, Timestamp::from_ms(signed_ms).unwrap())
    }
}

/// The guard is reached through a verifier only, so an insert costs the difference of a
/// verification with and without it.
fn insert(c: &mut Criterion) {
    let mut group = c.benchmark_group("guard insert at 1 million");
    group.sample_size(20).throughput(Throughput::Elements(CHUNK));
    let quota = Quota { uses_per_key: u32::MAX, keys: 1_000 };
    for (name, guarded, quota) in [
        ("512: verify, no guard", false, None),
        ("512: verify and insert", true, None),
        ("512: verify and insert, with a quota", true, Some(quota)),
    ] {
        let mut checking = Checking::new(guarded, quota);
        group.bench_function(name, |b| {
            b.iter_custom(|count| (0..count).map(|_| checking.chunk()).sum());
        });
    }
    let map: Mutex<HashMap<String, u64>> = Mutex::default();
    let mut number = 0;
    let mut chunk = || {
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
    group.bench_function("512: Mutex<HashMap<String, u64>>", |b| {
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
