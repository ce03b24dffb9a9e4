//! The same work with each kind of kernel that this processor supports, which shows what users of
//! other processors get.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cortexkey_core::auth::{
    Headers, Key, KeyId, Level, NonceLengths, Request, Signature, StoredKey, Verifier,
};
use cortexkey_core::replay::NoReplayGuard;
use cortexkey_kernels::Path;

use super::cases::{group, now, one, signer_of};
use super::hashing::paths;
use super::{BY_PATH, Extent, Group, by_path};
use crate::measure::Case;
use crate::peers::{TypicalVerifier, naive_a};
use crate::{KEY, now_ms};

pub(super) fn all(extent: Extent) -> Vec<Group> {
    let groups = BY_PATH.into_iter().map(|(operation, peer)| {
        let cases = match operation {
            "sign one" => sign_one(peer),
            "sign 64" => sign_batch(peer, 64),
            "sign 1,024" => sign_batch(peer, 1_024),
            "verify one" => return verify(extent, operation, peer, 1),
            _ => return verify(extent, operation, peer, 256),
        };
        group(extent, &by_path(operation), cases)
    });
    let groups = groups.collect();
    Path::Avx512.limit();
    groups
}

/// A case that runs on one path.
fn on<'a>(path: Path, operations: usize, mut operation: impl FnMut() + 'a) -> Case<'a> {
    Case::timed(path.to_string(), operations as u64, move |repetitions| {
        path.limit();
        timed(repetitions, &mut operation)
    })
}

fn timed(repetitions: u64, operation: &mut impl FnMut()) -> Duration {
    let start = Instant::now();
    for _ in 0..repetitions {
        operation();
    }
    start.elapsed()
}

fn sign_one(peer: &str) -> Vec<Case<'static>> {
    let ours = paths().map(|path| {
        let signer = signer_of(KEY);
        on(path, 1, move || {
            let headers = black_box(&signer).sign_from_thread(now());
            black_box(one(&headers.expect("the system has randomness")));
        })
    });
    ours.chain([naive(peer)]).collect()
}

fn sign_batch(peer: &str, size: usize) -> Vec<Case<'static>> {
    let ours = paths().map(|path| {
        let signer = signer_of(KEY);
        let mut batch = vec![Signature::EMPTY; size];
        on(path, size, move || {
            let advanced = black_box(&signer).advanced().expect("an Advanced key");
            advanced.sign_batch_from_thread(now(), &mut batch).expect("the system has randomness");
        })
    });
    ours.chain([naive(peer)]).collect()
}

fn naive(name: &str) -> Case<'static> {
    Case::new(name, || naive_a(black_box(KEY), 7))
}

/// Verifies a number of requests at a time: parsing and checking, as in the groups without paths.
fn verify(extent: Extent, operation: &str, peer: &str, size: usize) -> Group {
    let id = KeyId::new(7).expect("not 0");
    let stored = StoredKey::new(id, Level::Advanced, Key::new(KEY.as_bytes()).expect("a key"));
    let signer = signer_of(KEY);
    let now_ms = now_ms();
    let all: Vec<_> = (0..256).map(|_| signer.sign_from_thread(now()).expect("random")).collect();
    let values: Vec<_> = all.iter().map(Headers::values).collect();
    let texts: Vec<_> = all
        .iter()
        .map(|headers| (headers.authorization(), headers.nonce(), headers.timestamp()))
        .collect();
    let verifier = Verifier::new();
    let typical = TypicalVerifier::new(KEY);
    let stored = &stored;
    let values = &values;
    let verifier = &verifier;
    let parse = |values| Request::from_values(values, NonceLengths::EXACT).expect("good");
    let ours = paths().map(|path| {
        let mut requests = Vec::with_capacity(256);
        on(path, 256, move || {
            if size == 1 {
                for values in black_box(values) {
                    let answer =
                        verifier.verify(&parse(values), Some(stored), now_ms, &NoReplayGuard);
                    assert!(black_box(answer).is_ok());
                }
                return;
            }
            requests.clear();
            requests.extend(black_box(values).iter().map(parse));
            let mut accepted = 0_usize;
            let each = |_, answer: Result<_, _>| accepted += usize::from(answer.is_ok());
            verifier.verify_batch(&requests, |_| Some(stored), now_ms, &NoReplayGuard, each);
            assert_eq!(accepted, requests.len());
        })
    });
    let peer = Case::new(peer, || {
        for (authorization, nonce, timestamp) in black_box(&texts) {
            let nonce = nonce.expect("signed");
            let timestamp = timestamp.expect("signed");
            assert!(typical.verify(authorization, nonce, timestamp, now_ms));
        }
    })
    .of(256);
    group(extent, &by_path(operation), ours.chain([peer]).collect())
}
