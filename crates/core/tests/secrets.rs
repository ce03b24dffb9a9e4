//! Secrets cannot be printed, copied or serialized, and leave nothing in memory.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fmt::{Debug, Display};

use cortexkey_core::auth::{Headers, Key, Signer, StoredKey};
use cortexkey_core::lifecycle::GeneratedKey;

/// Does not compile where the type has one of the traits: then two implementations of `Either`
/// fit, and the compiler cannot choose.
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
    use cortexkey_core::auth::{KeyId, Level, NonceLengths, Request, Timestamp, Verifier};
    use cortexkey_core::replay::Unguarded;

    let now_ms = 1_790_611_732_512;
    let id = KeyId::new(7).unwrap();
    // The canaries are told apart from this program's own text by being drawn, and kept here with
    // every bit turned.
    let turned: Vec<[u8; 128]> = (0..1_000)
        .map(|_| {
            let generated = GeneratedKey::from_system().unwrap();
            let stored = generated.stored(id, Level::Advanced);
            generated.reveal(|key| {
                for level in [Level::Advanced, Level::Standard] {
                    let key = Key::new(key.as_bytes()).unwrap();
                    let signer = Signer::new(id, level, key);
                    let headers =
                        signer.sign_from_system(Timestamp::from_ms(now_ms).unwrap()).unwrap();
                    let pairs = headers.iter().map(|(name, value)| (name, value.as_bytes()));
                    let request = Request::parse(pairs, NonceLengths::EXACT).unwrap();
                    let _ = Verifier::new().verify(&request, Some(&stored), now_ms, &Unguarded);
                }
                let mut turned = [0; 128];
                turned.iter_mut().zip(key.bytes()).for_each(|(to, from)| *to = !from);
                turned
            })
        })
        .collect();
    assert_eq!(found_in_memory(&turned), 0);
    // The search itself finds what is there.
    let kept: Vec<u8> = turned[500].iter().map(|byte| !byte).collect();
    assert!(found_in_memory(&turned) >= 1);
    drop(kept);
}

/// How many places of this process's memory hold the first 48 bytes of a canary.
#[cfg(target_os = "linux")]
fn found_in_memory(turned: &[[u8; 128]]) -> usize {
    use std::collections::HashSet;
    use std::io::{Read as _, Seek as _, SeekFrom};

    const PART: usize = 48;
    // The first eight bytes, turned, so that the set itself is no hit.
    let heads: HashSet<[u8; 8]> = turned.iter().map(|key| *key.first_chunk().unwrap()).collect();
    let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
    let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
    let mut hits = 0;
    for line in maps.lines().filter(|line| line.contains("rw-p")) {
        let (start, end) = line.split(' ').next().unwrap().split_once('-').unwrap();
        let number = |text| u64::from_str_radix(text, 16).unwrap();
        let (start, end) = (number(start), number(end));
        // One page at a time, turned as it is read, so that the buffer holds no canary either.
        let mut page = vec![0; 4096 + PART];
        for at in (start..end).step_by(4096) {
            page.fill(0);
            if memory.seek(SeekFrom::Start(at)).is_err() {
                break;
            }
            let len = memory.read(&mut page).unwrap_or(0);
            page[..len].iter_mut().for_each(|byte| *byte = !*byte);
            let here = page[..len].windows(PART).take(4096).filter(|window| {
                let head: [u8; 8] = *window.first_chunk().unwrap();
                heads.contains(&head) && turned.iter().any(|key| key[..PART] == **window)
            });
            hits += here.count();
            // Turned back for a moment only to be overwritten: the next read fills it.
            page.fill(0);
        }
    }
    hits
}
