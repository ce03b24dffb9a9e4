//! Signing and verifying, beside what one would write without cortexkey.
//!
//! `cargo bench -p cortexkey-benches`. Criterion does not interleave its cases, so take small
//! differences for nothing; `docs/assurance.md` has figures and says how they were measured.

#![allow(
    missing_docs,
    clippy::unwrap_used,
    clippy::print_stderr,
    reason = "criterion's macros; a benchmark may panic"
)]

use std::hint::black_box;

use chacha20::ChaCha20Rng;
use cortexkey_benches::{KEY, TypicalVerifier, naive_a, naive_b, now_ms};
use cortexkey_core::auth::{
    Key, KeyId, Level, NonceLengths, Request, Signer, StoredKey, Timestamp, Verifier,
};
use cortexkey_core::replay::Unguarded;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rand::SeedableRng as _;

criterion_group!(benches, sign_one, sign_1024, verify_one);
criterion_main!(benches);

/// A figure without its processor says little.
fn print_processor() {
    eprintln!("processor: {}", cortexkey_kernels::Processor::detect());
}

fn signer() -> Signer {
    Signer::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(KEY.as_bytes()).unwrap())
}

fn now() -> Timestamp {
    Timestamp::from_ms(now_ms()).unwrap()
}

fn sign_one(c: &mut Criterion) {
    print_processor();
    let mut group = c.benchmark_group("sign one");
    let signer = signer();
    let mut rng = ChaCha20Rng::from_rng(&mut rand::rng());
    group.bench_function("cortexkey, caller's ChaCha20", |b| {
        b.iter(|| black_box(&signer).sign(&mut rng, now()).authorization().len());
    });
    group.bench_function("cortexkey, nonce from the system", |b| {
        b.iter(|| black_box(&signer).sign_from_system(now()).unwrap().authorization().len());
    });
    group.bench_function("naive A: rand 0.10 + format! + sha2 0.11 + hex 0.4", |b| {
        b.iter(|| naive_a(black_box(KEY), 7));
    });
    group.bench_function("naive B: a draw a character, {:02x} a byte", |b| {
        b.iter(|| naive_b(black_box(KEY), 7));
    });
    group.finish();
}

fn sign_1024(c: &mut Criterion) {
    let mut group = c.benchmark_group("sign 1,024");
    group.throughput(Throughput::Elements(1024));
    let signer = signer();
    let mut rng = ChaCha20Rng::from_rng(&mut rand::rng());
    group.bench_function("cortexkey, caller's ChaCha20, one clock", |b| {
        b.iter(|| {
            let now = now();
            for _ in 0..1024 {
                black_box(black_box(&signer).sign(&mut rng, now).authorization().len());
            }
        });
    });
    group.bench_function("naive A", |b| {
        b.iter(|| (0..1024).for_each(|_| drop(black_box(naive_a(black_box(KEY), 7)))));
    });
    group.finish();
}

fn verify_one(c: &mut Criterion) {
    let mut group = c.benchmark_group("verify one");
    let id = KeyId::new(7).unwrap();
    let stored = StoredKey::new(id, Level::Advanced, Key::new(KEY.as_bytes()).unwrap());
    let [key_id, authorization, nonce, timestamp] = naive_a(KEY, 7);
    let headers = [
        ("x-xdr-auth-id", key_id.as_bytes()),
        ("authorization", authorization.as_bytes()),
        ("x-xdr-nonce", nonce.as_bytes()),
        ("x-xdr-timestamp", timestamp.as_bytes()),
    ];
    let now_ms = now_ms();
    let verifier = Verifier::new();
    group.bench_function("cortexkey, headers to principal, no guard", |b| {
        b.iter(|| {
            let request = Request::parse(black_box(headers), NonceLengths::EXACT).unwrap();
            verifier.verify(&request, Some(&stored), now_ms, &Unguarded).unwrap()
        });
    });
    let typical = TypicalVerifier::new(KEY);
    assert!(typical.verify(&authorization, &nonce, &timestamp, now_ms));
    group.bench_function("typical: sha2 clone + hex::decode + subtle", |b| {
        b.iter(|| typical.verify(black_box(&authorization), &nonce, &timestamp, now_ms));
    });
    group.finish();
}
