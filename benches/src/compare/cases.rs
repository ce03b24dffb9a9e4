//! The cases in Rust, by group. All cases of a group do the same work.

#[path = "../../../crates/core/src/auth/digits.rs"]
#[allow(dead_code, reason = "the core's own file, of which one function is measured")]
mod digits;

use std::hint::black_box;
use std::time::Instant;

use chacha20::ChaCha20Rng;
use cortexkey_core::access::{
    AccessKey, Area, CasesAndIssues, EndpointScope, PredefinedRole, Question, Reference, Scope,
    TenantSettings, Unreferenced, decide,
};
use cortexkey_core::auth::{
    Headers, Key, KeyId, Level, Nonce, NonceLengths, Request, Signature, Signer, StoredKey,
    Timestamp, Verifier,
};
use cortexkey_core::replay::{NoReplayGuard, Quota};
use rand::SeedableRng as _;
use rand::distr::{Alphanumeric, SampleString as _};
use sha2::block_api::compress256;

use super::{Extent, Group};
use crate::guard::{CHUNK, Inserting, LockedMap};
use crate::measure::{Case, side_by_side};
use crate::peers::{TypicalVerifier, naive_a, naive_b};
use crate::{KEY, now_ms};

/// The build, appended to the names of groups that are measured with and without kernels.
pub(super) const BUILD: &str = if cfg!(feature = "kernels") { "" } else { ", core alone" };

pub(super) fn all(extent: Extent) -> Vec<Group> {
    let mut groups = vec![sign_one(extent)];
    groups.extend([8, 64, 1_024].map(|size| sign_batch(extent, size)));
    groups.extend([key_lengths(extent), verify_one(extent), verify_256(extent), nonce(extent)]);
    if cfg!(feature = "kernels") {
        groups.extend([guard(extent), hex(extent), decisions(extent)]);
    }
    #[cfg(feature = "peers")]
    groups.push(super::calls::calls(extent));
    groups
}

pub(super) fn group(extent: Extent, name: &str, cases: Vec<Case<'_>>) -> Group {
    Group::of(&format!("{name}{BUILD}"), &side_by_side(cases, extent.rounds))
}

/// One clock cycle. In each iteration one step waits for the other: an "or" takes one cycle, a
/// multiplication three, on every processor of the last ten years that this runs on; and the
/// compiler cannot predict the result.
pub(super) fn cycle_ns() -> f64 {
    const COUNT: u32 = 3_000_000;
    let turn = || {
        let mut number = black_box(3_u64);
        let start = Instant::now();
        for _ in 0..COUNT {
            number = number.wrapping_mul(number | 2);
        }
        black_box(number);
        start.elapsed().as_secs_f64() * 1e9 / f64::from(4 * COUNT)
    };
    (0..9).map(|_| turn()).fold(f64::INFINITY, f64::min)
}

pub(super) fn signer_of(key: &str) -> Signer {
    let id = KeyId::new(7).expect("not 0");
    Signer::new(id, Level::Advanced, Key::new(key.as_bytes()).expect("a key"))
}

pub(super) fn now() -> Timestamp {
    Timestamp::from_ms(now_ms()).expect("13 digits")
}

fn rng() -> ChaCha20Rng {
    ChaCha20Rng::from_rng(&mut rand::rng())
}

fn sign_one(extent: Extent) -> Group {
    let signer = signer_of(KEY);
    let mut caller = rng();
    let mut state = [1_u32; 8];
    let blocks = [[7; 64]; 2];
    let mut cases = vec![
        #[cfg(feature = "kernels")]
        Case::new("cortexkey, the thread's generator", || {
            one(&black_box(&signer).sign_from_thread(now()).expect("the system has randomness"))
        }),
        Case::new("cortexkey, caller's ChaCha20", || {
            one(&black_box(&signer).sign(&mut caller, now()))
        }),
        Case::new("cortexkey, the system's randomness", || {
            one(&black_box(&signer).sign_from_system(now()).expect("the system has randomness"))
        }),
        Case::new(FLOOR, || {
            state[0] ^= u32::try_from(now_ms() & 0xffff).unwrap_or(0);
            compress256(&mut state, black_box(&blocks));
            state[0]
        }),
        Case::new(NAIVE_A, || naive_a(black_box(KEY), 7)),
        Case::new("slow Rust implementation: rand by character, format! by byte", || {
            naive_b(black_box(KEY), 7)
        }),
    ];
    #[cfg(feature = "peers")]
    {
        let random = ring::rand::SystemRandom::new();
        cases.push(Case::new("ring, with its SystemRandom", move || {
            crate::peers::ring(black_box(KEY), 7, &random)
        }));
        cases.push(Case::new("aws-lc-rs, with its rand", || {
            crate::peers::aws_lc(black_box(KEY), 7)
        }));
    }
    cases.shrink_to_fit();
    group(extent, "sign one", cases)
}

/// The minimum for any signer: the time, and two dependent blocks.
pub(super) const FLOOR: &str = "floor: clock and two dependent SHA-256 blocks";
/// The group with a case for each length of key.
pub(super) const KEY_LENGTHS: &str = "sign 256, by length of key";
/// The peer for most ratios.
pub(super) const NAIVE_A: &str =
    "typical Rust implementation: rand's Alphanumeric, format!, sha2, hex::encode";
/// The peer for the verifier's ratios.
pub(super) const TYPICAL: &str =
    "typical Rust verifier: sha2 with the key hashed in, hex::decode, subtle";
/// The peer for the guard's ratio.
pub(super) const LOCKED_MAP: &str = "Mutex<HashMap<String, u64>>";

/// A value of the headers, so that they are computed.
pub(super) fn one(headers: &Headers<'_>) -> Option<u8> {
    headers.values().authorization?.get(5).copied()
}

fn sign_batch(extent: Extent, size: usize) -> Group {
    let signer = signer_of(KEY);
    let advanced = signer.advanced().expect("an Advanced key");
    let mut caller = rng();
    let mut by_caller = vec![Signature::EMPTY; size];
    #[cfg(feature = "kernels")]
    let mut by_thread = by_caller.clone();
    let count = size as u64;
    let cases = vec![
        #[cfg(feature = "kernels")]
        Case::new("cortexkey, the thread's generator", || {
            let done = black_box(advanced).sign_batch_from_thread(now(), &mut by_thread);
            done.expect("the system has randomness");
        })
        .of(count),
        Case::new("cortexkey, caller's ChaCha20", || {
            black_box(advanced).sign_batch(&mut caller, now(), &mut by_caller);
        })
        .of(count),
        Case::new(NAIVE_A, || naive_a(black_box(KEY), 7)),
    ];
    group(extent, &format!("sign {}", with_commas(size)), cases)
}

fn with_commas(number: usize) -> String {
    if number < 1_000 {
        number.to_string()
    } else {
        format!("{},{:03}", number / 1_000, number % 1_000)
    }
}

/// The common length first, then those that need another block or start to.
fn key_lengths(extent: Extent) -> Group {
    let long = KEY.repeat(2);
    let lengths = [128, 1, 16, 42, 43, 63, 64, 65, 100, 127, 129, 171, 192, 255, 256];
    let signers = lengths.map(|len| signer_of(&long[..len]));
    let mut caller = rng();
    let mut batches = lengths.map(|_| vec![Signature::EMPTY; 256]);
    let mut rngs = lengths.map(|_| ChaCha20Rng::from_rng(&mut caller));
    let cases = lengths.iter().zip(&signers).zip(&mut batches).zip(&mut rngs);
    let cases = cases.map(|(((len, signer), batch), rng)| {
        let advanced = signer.advanced().expect("an Advanced key");
        Case::new(format!("a key of {len}"), move || advanced.sign_batch(rng, now(), batch)).of(256)
    });
    group(extent, KEY_LENGTHS, cases.collect())
}

fn verify_one(extent: Extent) -> Group {
    let id = KeyId::new(7).expect("not 0");
    let stored = StoredKey::new(id, Level::Advanced, Key::new(KEY.as_bytes()).expect("a key"));
    let [key_id, authorization, nonce, timestamp] = naive_a(KEY, 7);
    let headers = [
        ("x-xdr-auth-id", key_id.as_bytes()),
        ("authorization", authorization.as_bytes()),
        ("x-xdr-nonce", nonce.as_bytes()),
        ("x-xdr-timestamp", timestamp.as_bytes()),
    ];
    let signer = signer_of(KEY);
    let headers_of_ours = signer.sign_with(
        Nonce::new(nonce.as_bytes()).expect("a nonce"),
        Timestamp::parse(timestamp.as_bytes()).expect("13 digits"),
    );
    let now_ms = now_ms();
    let verifier = Verifier::new();
    let typical = TypicalVerifier::new(KEY);
    let verify = |request: Result<Request<'_>, _>| {
        let request = request.expect("a request");
        let principal = verifier.verify(&request, Some(&stored), now_ms, &NoReplayGuard);
        principal.expect("a good request").key_id()
    };
    let values = headers_of_ours.values();
    let mut state = [1_u32; 8];
    let blocks = [[7; 64]; 2];
    let cases = vec![
        Case::new("cortexkey, given the headers' values", || {
            verify(Request::from_values(black_box(&values), NonceLengths::EXACT))
        }),
        Case::new("cortexkey, looking the headers up", || {
            let headers = black_box(&headers).iter().copied();
            verify(Request::parse(headers, NonceLengths::EXACT))
        }),
        Case::new("floor: two dependent SHA-256 blocks", || {
            compress256(&mut state, black_box(&blocks));
            state[0]
        }),
        Case::new(TYPICAL, || {
            assert!(typical.verify(black_box(&authorization), &nonce, &timestamp, now_ms));
        }),
    ];
    group(extent, "verify one", cases)
}

fn verify_256(extent: Extent) -> Group {
    let id = KeyId::new(7).expect("not 0");
    let stored = StoredKey::new(id, Level::Advanced, Key::new(KEY.as_bytes()).expect("a key"));
    let signer = signer_of(KEY);
    let now_ms = now_ms();
    let verifier = Verifier::new();
    let typical = TypicalVerifier::new(KEY);
    let all: Vec<_> = (0..256).map(|_| signer.sign_from_system(now()).expect("random")).collect();
    let parse = |headers: &Headers<'_>| {
        let values = headers.values();
        Request::from_values(&values, NonceLengths::EXACT).map(|request| request.key_id())
    };
    assert!(all.iter().all(|headers| parse(headers).is_ok()));
    let count = |requests: &[Request<'_>]| {
        let mut accepted = 0_usize;
        let each = |_, answer: Result<_, _>| accepted += usize::from(answer.is_ok());
        verifier.verify_batch(requests, |_| Some(&stored), now_ms, &NoReplayGuard, each);
        assert_eq!(accepted, requests.len());
    };
    let values: Vec<_> = all.iter().map(Headers::values).collect();
    let texts: Vec<_> = all
        .iter()
        .map(|headers| (headers.authorization(), headers.nonce(), headers.timestamp()))
        .collect();
    let mut requests = Vec::with_capacity(256);
    #[cfg_attr(not(feature = "kernels"), expect(unused_mut, reason = "floors are added"))]
    let mut cases = vec![
        Case::new("cortexkey, given the headers' values", || {
            let parse = |values| Request::from_values(values, NonceLengths::EXACT).expect("good");
            requests.clear();
            requests.extend(black_box(&values).iter().map(parse));
            count(&requests);
        })
        .of(256),
        Case::new(TYPICAL, || {
            for (authorization, nonce, timestamp) in black_box(&texts) {
                let (nonce, timestamp) = (nonce.expect("signed"), timestamp.expect("signed"));
                assert!(typical.verify(authorization, nonce, timestamp, now_ms));
            }
        })
        .of(256),
    ];
    #[cfg(feature = "kernels")]
    cases.extend(super::hashing::hashing_alone());
    group(extent, "verify 256", cases)
}

fn nonce(extent: Extent) -> Group {
    let mut caller = rng();
    let mut peer = rng();
    let cases = vec![
        Case::new("cortexkey, caller's ChaCha20", || Nonce::generate(&mut caller)),
        Case::new("rand's Alphanumeric, the same ChaCha20", || {
            Alphanumeric.sample_string(&mut peer, 64)
        }),
    ];
    group(extent, "nonce", cases)
}

fn guard(extent: Extent) -> Group {
    let mut plain = Inserting::new(None);
    let quota = Quota { uses_per_key: u32::MAX, keys: 1_000 };
    let mut with_quota = Inserting::new(Some(quota));
    let mut map = LockedMap::new();
    let cases = vec![
        Case::timed("cortexkey", CHUNK, |count| (0..count).map(|_| plain.chunk()).sum()),
        Case::timed("cortexkey, with a quota for each key", CHUNK, |count| {
            (0..count).map(|_| with_quota.chunk()).sum()
        }),
        Case::timed(LOCKED_MAP, CHUNK, |count| (0..count).map(|_| map.chunk()).sum()),
    ];
    group(extent, "replay guard, insert at a million", cases)
}

fn hex(extent: Extent) -> Group {
    let digest: [u8; 32] = std::array::from_fn(|i| u8::try_from(i * 7).unwrap_or(0));
    let mut text = [0; 64];
    let cases = vec![
        Case::new("cortexkey", || digits::encode_hex(black_box(&digest))),
        Case::new("hex::encode_to_slice", || {
            hex::encode_to_slice(black_box(digest), &mut text).expect("it fits");
            text[5]
        }),
        Case::new("hex::encode", || hex::encode(black_box(digest))),
    ];
    group(extent, "hexadecimal of a digest", cases)
}

fn decisions(extent: Extent) -> Group {
    let groups: Vec<String> = (0..10).map(|i| format!("asset-group-{i}")).collect();
    let groups: Vec<&str> = groups.iter().map(String::as_str).collect();
    let roles = [PredefinedRole::by_name("Viewer").expect("a role").role_in(None)];
    let scope = Scope {
        assets: Area::select(&groups),
        cases_and_issues: CasesAndIssues { area: Area::All, unreferenced: Unreferenced::No },
        endpoints: EndpointScope::none(),
        datasets: None,
    };
    let key = AccessKey { roles: &roles, scope: Some(&scope) };
    let reference = [Reference::Asset { groups: &["asset-group-9"], endpoint: None }];
    let question = Question::Issue { domain: "Posture", references: &reference };
    let tenant = TenantSettings::enforcing();
    let cases =
        vec![Case::new("an issue, a key with ten groups of which the last matches", || {
            decide(black_box(&key), &tenant, black_box(&question)).answer()
        })];
    group(extent, "decide", cases)
}
