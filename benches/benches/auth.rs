//! Signing and verifying, compared with code that does not use cortexkey.
//!
//! `cargo bench -p cortexkey-benches --bench auth`. Criterion does not interleave its cases, so
//! small differences mean nothing; `cargo xtask compare` does, and docs/performance.md has its
//! figures.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "criterion's macros; a benchmark may panic"
)]

use std::hint::black_box;

use chacha20::ChaCha20Rng;
use cortexkey_benches::peers::{TypicalVerifier, naive_a, naive_b};
use cortexkey_benches::{KEY, now_ms};
use cortexkey_core::auth::{
    Headers, Key, KeyId, Level, Nonce, NonceLengths, Request, Signature, Signer, StoredKey,
    Timestamp, Verifier,
};
use cortexkey_core::replay::NoReplayGuard;
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng as _;
use rand::distr::{Alphanumeric, SampleString as _};

criterion_group!(benches, sign_one, sign_batches, verify_one, verify_256, nonce);
criterion_main!(benches);

/// A figure is only useful with its processor.
fn print_processor() {
    eprintln!("processor: {}", cortexkey_kernels::Processor::detect());
}

fn signer() -> Signer {
    Signer::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(KEY.as_bytes()).unwrap())
}

fn stored() -> StoredKey {
    StoredKey::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(KEY.as_bytes()).unwrap())
}

fn now() -> Timestamp {
    Timestamp::from_ms(now_ms()).unwrap()
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_rng(&mut rand::rng())
}

fn one(headers: &Headers<'_>) -> Option<u8> {
    headers.values().authorization.map(|value| value[5])
}

fn sign_one(c: &mut Criterion) {
    print_processor();
    let mut group = c.benchmark_group("sign one");
    let signer = signer();
    let mut rng = rng();
    #[cfg(feature = "kernels")]
    group.bench_function("cortexkey, the thread's generator", |b| {
        b.iter(|| one(&black_box(&signer).sign_from_thread(now()).unwrap()));
    });
    group.bench_function("cortexkey, caller's ChaCha20", |b| {
        b.iter(|| one(&black_box(&signer).sign(&mut rng, now())));
    });
    group.bench_function("cortexkey, the system's randomness", |b| {
        b.iter(|| one(&black_box(&signer).sign_from_system(now()).unwrap()));
    });
    group.bench_function(
        "typical Rust implementation: rand 0.10 + format! + sha2 0.11 + hex 0.4",
        |b| {
            b.iter(|| naive_a(black_box(KEY), 7));
        },
    );
    group.bench_function("slow Rust implementation: a draw a character, {:02x} a byte", |b| {
        b.iter(|| naive_b(black_box(KEY), 7));
    });
    group.finish();
}

fn sign_batches(c: &mut Criterion) {
    let signer = signer();
    let mut rng = rng();
    let advanced = signer.advanced().unwrap();
    for size in [8, 64, 1_024] {
        let mut group = c.benchmark_group(format!("sign {size}"));
        group.throughput(Throughput::Elements(size));
        let mut batch = vec![Signature::EMPTY; usize::try_from(size).unwrap()];
        #[cfg(feature = "kernels")]
        group.bench_function("cortexkey, the thread's generator", |b| {
            b.iter(|| advanced.sign_batch_from_thread(now(), black_box(&mut batch)).unwrap());
        });
        group.bench_function("cortexkey, caller's ChaCha20", |b| {
            b.iter(|| advanced.sign_batch(&mut rng, now(), black_box(&mut batch)));
        });
        group.bench_function("typical Rust implementation", |b| {
            b.iter(|| (0..size).for_each(|_| drop(black_box(naive_a(black_box(KEY), 7)))));
        });
        group.finish();
    }
}

fn verify_one(c: &mut Criterion) {
    let mut group = c.benchmark_group("verify one");
    let stored = stored();
    let verifier = Verifier::new();
    let typical = TypicalVerifier::new(KEY);
    let [key_id, authorization, nonce, timestamp] = naive_a(KEY, 7);
    let headers = [
        ("x-xdr-auth-id", key_id.as_bytes()),
        ("authorization", authorization.as_bytes()),
        ("x-xdr-nonce", nonce.as_bytes()),
        ("x-xdr-timestamp", timestamp.as_bytes()),
    ];
    let now_ms = now_ms();
    group.bench_function("cortexkey, from headers to principal, no guard", |b| {
        b.iter(|| {
            let headers = black_box(&headers).iter().copied();
            let request = Request::parse(headers, NonceLengths::EXACT).unwrap();
            verifier.verify(&request, Some(&stored), now_ms, &NoReplayGuard).unwrap()
        });
    });
    group.bench_function("typical: sha2 clone + hex::decode + subtle", |b| {
        b.iter(|| typical.verify(black_box(&authorization), &nonce, &timestamp, now_ms));
    });
    group.finish();
}

fn verify_256(c: &mut Criterion) {
    let mut group = c.benchmark_group("verify 256");
    group.throughput(Throughput::Elements(256));
    let signer = signer();
    let stored = stored();
    let verifier = Verifier::new();
    let all: Vec<_> = (0..256).map(|_| signer.sign_from_system(now()).unwrap()).collect();
    let values: Vec<_> = all.iter().map(Headers::values).collect();
    let now_ms = now_ms();
    group.bench_function("cortexkey, from values to principals, no guard", |b| {
        b.iter(|| {
            let parse = |values| Request::from_values(values, NonceLengths::EXACT).unwrap();
            let requests: Vec<Request<'_>> = black_box(&values).iter().map(parse).collect();
            let each = |_, answer: Result<_, _>| assert!(answer.is_ok());
            verifier.verify_batch(&requests, |_| Some(&stored), now_ms, &NoReplayGuard, each);
        });
    });
    group.finish();
}

fn nonce(c: &mut Criterion) {
    let mut group = c.benchmark_group("nonce");
    let mut ours = rng();
    let mut peer = rng();
    group.bench_function("cortexkey, caller's ChaCha20", |b| {
        b.iter_batched(|| (), |()| Nonce::generate(&mut ours), BatchSize::SmallInput);
    });
    group.bench_function("rand 0.10's Alphanumeric, the same ChaCha20", |b| {
        b.iter(|| Alphanumeric.sample_string(&mut peer, 64));
    });
    group.finish();
}
