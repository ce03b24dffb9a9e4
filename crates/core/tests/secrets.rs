//! Secrets cannot be printed, copied or serialized, and leave nothing in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::{Debug, Display};

use cortexkey_core::auth::{Headers, Key, Signer, StoredKey};
use cortexkey_core::lifecycle::GeneratedKey;

/// Does not compile if the type has one of the traits: then two implementations of `Either`
/// match, and the compiler cannot choose.
macro_rules! has_none_of {
    ($type:ty: $($trait:path),+) => {$(
        const _: fn() = || {
            trait Either<A> {
                fn choose() {}
            }
            impl<T: ?Sized> Either<()> for T {}
            struct Has;
            impl<T: ?Sized + $trait> Either<Has> for T {}
            <$type as Either<_>>::choose();
        };
    )+};
}

has_none_of!(Key<'static>: Debug, Display, ToString, AsRef<[u8]>, AsRef<str>);
has_none_of!(Signer: Debug, Display, Clone, AsRef<[u8]>);
has_none_of!(Headers<'static>: Debug, Display, Clone);
has_none_of!(StoredKey: Debug, Display, Clone, AsRef<[u8]>);
has_none_of!(GeneratedKey: Debug, Display, Clone, AsRef<[u8]>, AsRef<str>);

#[test]
#[cfg(target_os = "linux")]
fn no_key_stays_in_memory() {
    // Each key is created, used and dropped separately, so that no later one overwrites what it
    // left.
    // `CORTEXKEY_CANARIES` sets how many keys there are; 36 unless set.
    let rounds = std::env::var("CORTEXKEY_CANARIES")
        .map_or(1, |text| text.parse::<usize>().unwrap().div_ceil(36));
    for (what, use_key) in memory::USES.into_iter().cycle().take(6 * rounds) {
        for len in [32, 64, 100, 120, 128, 255] {
            let turned = memory::used_and_dropped(len, use_key);
            assert_eq!(memory::found(&turned), [0; 3], "{what}, a key of {len} characters");
        }
    }
    // The search finds a key that is in memory.
    let turned = memory::used_and_dropped(64, |_| {});
    let kept = turned.each_ref().map(|secret| secret.iter().map(|byte| !byte).collect::<Vec<_>>());
    assert!(memory::found(&turned).iter().all(|places| *places >= 1));
    drop(kept);
}

#[cfg(target_os = "linux")]
mod memory {
    use std::collections::HashSet;
    use std::io::{Read as _, Seek as _, SeekFrom};

    use cortexkey_core::auth::{
        HeaderValues, Key, KeyId, Level, NonceLengths, Request, Signature, Signer, StoredKey,
        Timestamp, Verifier,
    };
    use cortexkey_core::lifecycle::GeneratedKey;
    use cortexkey_core::replay::NoReplayGuard;
    use sha2::block_api::compress256;
    use zeroize::Zeroizing;

    const SHA256_START: [u32; 8] = [
        0x6a09_e667,
        0xbb67_ae85,
        0x3c6e_f372,
        0xa54f_f53a,
        0x510e_527f,
        0x9b05_688c,
        0x1f83_d9ab,
        0x5be0_cd19,
    ];
    const NOW_MS: u64 = 1_790_611_732_512;
    /// This many consecutive bytes of a key count as found.
    const PART: usize = 16;

    type Use = fn(Key<'_>);

    pub(super) const USES: [(&str, Use); 6] = [
        ("a Standard signer", |key| drop(sign(key, Level::Standard))),
        ("an Advanced signer", |key| drop(sign(key, Level::Advanced))),
        ("a stored Standard key", |key| verify(key, Level::Standard)),
        ("a stored Advanced key", |key| verify(key, Level::Advanced)),
        ("a signed batch", |key| drop(sign_batch(key))),
        ("a verified batch", verify_batch),
    ];

    fn id() -> KeyId {
        KeyId::new(7).unwrap()
    }

    /// The headers, wiped on drop.
    fn sign(key: Key<'_>, level: Level) -> Vec<(&'static str, Zeroizing<Vec<u8>>)> {
        let signer = Box::new(Signer::new(id(), level, key));
        let headers = signer.sign_from_system(Timestamp::from_ms(NOW_MS).unwrap()).unwrap();
        headers
            .iter()
            .map(|(name, value)| (name, Zeroizing::new(value.as_bytes().to_vec())))
            .collect()
    }

    fn verify(key: Key<'_>, level: Level) {
        let stored = Box::new(StoredKey::editable(id(), level, key));
        let headers = sign(key, level);
        let pairs = headers.iter().map(|(name, value)| (*name, value.as_slice()));
        let request = Request::parse(pairs, NonceLengths::EXACT).unwrap();
        assert!(Verifier::new().verify(&request, Some(&stored), NOW_MS, &NoReplayGuard).is_ok());
    }

    /// Large enough for the vector kernels, with a remainder that is not.
    fn sign_batch(key: Key<'_>) -> Vec<Signature> {
        let mut batch = vec![Signature::EMPTY; 40];
        let signer = Box::new(Signer::new(id(), Level::Advanced, key));
        let now = Timestamp::from_ms(NOW_MS).unwrap();
        let advanced = signer.advanced().unwrap();
        advanced.try_sign_batch(&mut getrandom::SysRng, now, &mut batch).unwrap();
        batch
    }

    fn verify_batch(key: Key<'_>) {
        let stored = Box::new(StoredKey::new(id(), Level::Advanced, key));
        let batch = sign_batch(key);
        let requests: Vec<_> = batch
            .iter()
            .map(|signature| {
                let values = HeaderValues {
                    key_id: Some(b"7"),
                    authorization: Some(signature.authorization().as_bytes()),
                    nonce: Some(signature.nonce().as_bytes()),
                    timestamp: Some(b"1790611732512"),
                };
                Request::from_values(&values, NonceLengths::EXACT).unwrap()
            })
            .collect();
        let each = |_, answer: Result<_, _>| assert!(answer.is_ok());
        Verifier::new().verify_batch(&requests, |_| Some(&stored), NOW_MS, &NoReplayGuard, each);
    }

    /// A key, its words in SHA-256, and its midstate after the
    /// whole blocks, which can also sign. Every bit is inverted, so that they are not found
    /// by the search.
    pub(super) type Turned = [Vec<u8>; 3];

    /// Draws a key, passes it on, and returns what must not remain in memory.
    #[inline(never)]
    pub(super) fn used_and_dropped(len: usize, use_key: Use) -> Turned {
        let mut text = Zeroizing::new(Vec::with_capacity(256));
        for _ in 0..2 {
            GeneratedKey::from_system()
                .unwrap()
                .reveal(|key| text.extend_from_slice(key.as_bytes()));
        }
        let key = &text[..len];
        let words = key.as_chunks::<4>().0.iter();
        let words = words.flat_map(|word| (!u32::from_be_bytes(*word)).to_ne_bytes()).collect();
        let turned = [key.iter().map(|byte| !byte).collect(), words, turned_state(key)];
        use_key(Key::new(key).unwrap());
        turned
    }

    /// Without whole blocks there is no secret midstate; the bytes found then occur nowhere else.
    fn turned_state(key: &[u8]) -> Vec<u8> {
        let mut state = Zeroizing::new(SHA256_START);
        compress256(&mut state, key.as_chunks().0);
        if key.len() < 64 {
            state.fill(u32::from_ne_bytes(*b"none"));
        }
        // In order, and in the order that x86's SHA-256 instructions need.
        let orders = [[0, 1, 2, 3], [4, 5, 6, 7], [5, 4, 1, 0], [7, 6, 3, 2]];
        orders.as_flattened().iter().flat_map(|at| (!state[*at]).to_ne_bytes()).collect()
    }

    /// How often any sixteen consecutive bytes of each occur in this process's memory.
    pub(super) fn found(turned: &Turned) -> [usize; 3] {
        turned.each_ref().map(|turned| found_one(turned))
    }

    fn found_one(turned: &[u8]) -> usize {
        let parts: HashSet<&[u8]> = turned.windows(PART).collect();
        // Most positions differ in the first byte; without this check, the search takes half a
        // minute.
        let mut begins = [false; 256];
        for part in &parts {
            begins[usize::from(part[0])] = true;
        }
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
        let mut hits = 0;
        for line in maps.lines().filter(|line| line.contains("rw-p")) {
            let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
            let number = |text| u64::from_str_radix(text, 16).unwrap();
            // One page at a time, inverted as soon as it is read, so that the buffer is not found.
            let mut page = vec![0; 4096 + PART - 1];
            for at in (number(start)..number(end)).step_by(4096) {
                page.fill(0);
                if memory.seek(SeekFrom::Start(at)).is_err() {
                    break;
                }
                let len = memory.read(&mut page).unwrap_or(0);
                page[..len].iter_mut().for_each(|byte| *byte = !*byte);
                let candidates =
                    page[..len].windows(PART).filter(|window| begins[usize::from(window[0])]);
                hits += candidates.filter(|window| parts.contains(window)).count();
            }
        }
        hits
    }
}
