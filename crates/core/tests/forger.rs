//! A forger: creates requests from captured ones without the key, using every weakness of the
//! scheme. None is accepted.
//!
//! `CORTEXKEY_FORGERIES` sets the number of captured requests (10,000 by default), and
//! `CORTEXKEY_FORGER_SEED` the seed, which is printed.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says its seed"
)]

use chacha20::ChaCha20Rng;
use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, StoredKey, Timestamp, Verdict,
    Verifier,
};
use cortexkey_core::replay::NoReplayGuard;
use rand_core::{Rng as _, SeedableRng as _};
use sha2::block_api::compress256;

const NOW_MS: u64 = 1_790_611_732_512;

/// What a forger captures, and what else it knows.
struct Captured {
    key_len: usize,
    nonce: Vec<u8>,
    timestamp: Vec<u8>,
    digest: [u8; 32],
}

#[test]
fn no_forgery_is_accepted() {
    let count: u64 =
        std::env::var("CORTEXKEY_FORGERIES").map_or(10_000, |text| text.parse().unwrap());
    let seed: u64 =
        std::env::var("CORTEXKEY_FORGER_SEED").map_or(20_261_123, |text| text.parse().unwrap());
    println!("seed {seed}");
    let mut rng = ChaCha20Rng::seed_from_u64(seed);
    for round in 0..count {
        let key_len = usize::try_from(round % 256).unwrap() + 1;
        let key: Vec<u8> = (0..key_len).map(|_| below(&mut rng, 94) + b'!').collect();
        let key = Key::new(&key).unwrap();
        let id = KeyId::new(7).unwrap();
        let captured = capture(&Signer::new(id, Level::Advanced, key), key_len, &mut rng);
        let stored = StoredKey::new(id, Level::Advanced, key);
        for (way, (nonce, timestamp, digest)) in forgeries(&captured, &mut rng) {
            for lengths in [NonceLengths::EXACT, NonceLengths::LENIENT] {
                let verdict = verdict_of(&stored, &nonce, &timestamp, &digest, lengths);
                assert_ne!(verdict, Verdict::Accept, "{way}, seed {seed}, round {round}");
            }
        }
    }
}

/// Tests the forger itself: its extension of a digest is one that the key would produce.
#[test]
fn an_extension_is_a_true_digest() {
    use sha2::{Digest as _, Sha256};
    for key_len in 1..=256 {
        let key = vec![b'k'; key_len];
        let signer = Signer::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(&key).unwrap());
        let mut rng = ChaCha20Rng::seed_from_u64(1);
        let (nonce, timestamp, digest) = extend(&capture(&signer, key_len, &mut rng));
        let expected = Sha256::new().chain_update(&key).chain_update(nonce).chain_update(timestamp);
        assert_eq!(hex::encode(expected.finalize()).as_bytes(), digest);
    }
}

type Forgery = (Vec<u8>, Vec<u8>, Vec<u8>);

fn capture(signer: &Signer, key_len: usize, rng: &mut ChaCha20Rng) -> Captured {
    let nonce = Nonce::generate(rng);
    let headers = signer.sign_with(nonce, Timestamp::from_ms(NOW_MS).unwrap());
    let mut digest = [0; 32];
    hex::decode_to_slice(headers.authorization(), &mut digest).unwrap();
    let timestamp = headers.timestamp().unwrap().into();
    Captured { key_len, nonce: nonce.as_bytes().to_vec(), timestamp, digest }
}

fn forgeries(captured: &Captured, rng: &mut ChaCha20Rng) -> [(&'static str, Forgery); 6] {
    let hex = hex::encode(captured.digest).into_bytes();
    let fresh = (NOW_MS + 1).to_string().into_bytes();
    let longer = [&captured.nonce[..], &captured.timestamp[..1]].concat();
    let shorter = captured.nonce[..63].to_vec();
    let moved = [&captured.nonce[63..], &captured.timestamp[..]].concat();
    [
        ("extension", extend(captured)),
        ("new time, old digest", (captured.nonce.clone(), fresh, hex.clone())),
        ("digit to the nonce", (longer, captured.timestamp[1..].to_vec(), hex.clone())),
        ("digit to the time", (shorter, moved, hex.clone())),
        ("upper case", (captured.nonce.clone(), captured.timestamp.clone(), upper(&hex))),
        ("mutation", mutate(captured, &hex, rng)),
    ]
}

/// Extends the digest by a timestamp that the forger chooses: the old nonce, the old timestamp and
/// the padding become the new nonce.
fn extend(captured: &Captured) -> Forgery {
    let message_len = captured.key_len + captured.nonce.len() + captured.timestamp.len();
    let mut nonce = [&captured.nonce[..], &captured.timestamp[..]].concat();
    nonce.push(0x80);
    let padded_len = (message_len + 9).next_multiple_of(64);
    nonce.resize(padded_len - captured.key_len - 8, 0);
    nonce.extend_from_slice(&(message_len as u64 * 8).to_be_bytes());

    let timestamp = (NOW_MS + 5_000).to_string().into_bytes();
    let mut block = [0; 64];
    block[..13].copy_from_slice(&timestamp);
    block[13] = 0x80;
    block[56..].copy_from_slice(&((padded_len + 13) as u64 * 8).to_be_bytes());
    let (words, _) = captured.digest.as_chunks::<4>();
    let mut state = [0; 8];
    for (word, bytes) in state.iter_mut().zip(words) {
        *word = u32::from_be_bytes(*bytes);
    }
    compress256(&mut state, &[block]);
    let digest: Vec<u8> = state.iter().flat_map(|word| word.to_be_bytes()).collect();
    (nonce, timestamp, hex::encode(digest).into_bytes())
}

/// One byte changed somewhere.
fn mutate(captured: &Captured, hex: &[u8], rng: &mut ChaCha20Rng) -> Forgery {
    let mut parts = [captured.nonce.clone(), captured.timestamp.clone(), hex.to_vec()];
    let part = &mut parts[usize::from(below(rng, 3))];
    let at = usize::from(below(rng, u8::try_from(part.len()).unwrap()));
    part[at] ^= below(rng, 255) + 1;
    let [nonce, timestamp, digest] = parts;
    (nonce, timestamp, digest)
}

fn verdict_of(
    stored: &StoredKey,
    nonce: &[u8],
    timestamp: &[u8],
    digest: &[u8],
    lengths: NonceLengths,
) -> Verdict {
    let headers = [
        ("x-xdr-auth-id", &b"7"[..]),
        ("Authorization", digest),
        ("x-xdr-nonce", nonce),
        ("x-xdr-timestamp", timestamp),
    ];
    Request::parse(headers, lengths)
        .and_then(|request| Verifier::new().verify(&request, Some(stored), NOW_MS, &NoReplayGuard))
        .err()
        .unwrap_or(Verdict::Accept)
}

fn upper(hex: &[u8]) -> Vec<u8> {
    // Only letters change; a digest without letters has a probability of 10^-13.
    hex.to_ascii_uppercase()
}

fn below(rng: &mut ChaCha20Rng, limit: u8) -> u8 {
    u8::try_from(rng.next_u32() % u32::from(limit)).unwrap()
}
