//! Signing and verifying as firmware links them, without the standard library and an allocator. The
//! gate checks which symbols the functions reach and how much stack they use. A panic that the
//! optimizer cannot exclude is an undefined symbol.

#![cfg_attr(not(ctgrind), no_std)]

#[cfg(ctgrind)]
mod constant_time;

use core::convert::Infallible;

use cortexkey_core::auth::{
    Key, KeyId, Level, NonceLengths, Request, Signer, StoredKey, Timestamp, Verdict, Verifier,
};
use cortexkey_core::replay::NoReplayGuard;
use rand_core::{TryCryptoRng, TryRng};

/// A key with its id and level.
#[repr(C)]
pub struct ProbeKey {
    id: u64,
    is_advanced: bool,
    len: usize,
    bytes: [u8; 256],
}

/// The headers of a request, each with its length; a length of 0 omits the header.
#[repr(C)]
pub struct ProbeHeaders {
    lens: [usize; 4],
    values: [[u8; 256]; 4],
}

const NAMES: [&str; 4] = ["x-xdr-auth-id", "Authorization", "x-xdr-nonce", "x-xdr-timestamp"];

impl ProbeKey {
    fn level(&self) -> Level {
        if self.is_advanced { Level::Advanced } else { Level::Standard }
    }

    fn parts(&self) -> Option<(KeyId, Key<'_>)> {
        Some((KeyId::new(self.id)?, Key::new(self.bytes.get(..self.len)?).ok()?))
    }
}

/// Signs a request. Returns 0, or -1 if the key or the time is invalid.
#[unsafe(no_mangle)]
pub extern "C" fn probe_sign(
    key: &ProbeKey,
    now_ms: u64,
    seed: u64,
    headers: &mut ProbeHeaders,
) -> i32 {
    let (Some((id, bytes)), Ok(now)) = (key.parts(), Timestamp::from_ms(now_ms)) else { return -1 };
    let signer = Signer::new(id, key.level(), bytes);
    let signed = signer.sign(&mut Counter(seed), now);
    let values =
        [Some(signed.key_id()), Some(signed.authorization()), signed.nonce(), signed.timestamp()];
    for ((value, place), len) in values.iter().zip(&mut headers.values).zip(&mut headers.lens) {
        let value = value.unwrap_or_default().as_bytes();
        place.iter_mut().zip(value).for_each(|(place, byte)| *place = *byte);
        *len = value.len();
    }
    0
}

/// Verifies a request. Returns the verdict's number, or -1 if the key is invalid.
#[unsafe(no_mangle)]
pub extern "C" fn probe_verify(key: &ProbeKey, now_ms: u64, headers: &ProbeHeaders) -> i32 {
    let Some((id, bytes)) = key.parts() else { return -1 };
    let stored = StoredKey::new(id, key.level(), bytes);
    headers
        .request()
        .and_then(|request| Verifier::new().verify(&request, Some(&stored), now_ms, &NoReplayGuard))
        .err()
        .unwrap_or(Verdict::Accept)
        .number()
}

impl ProbeHeaders {
    fn request(&self) -> Result<Request<'_>, Verdict> {
        let values = self.values.iter().zip(self.lens).map(|(value, len)| value.get(..len));
        let headers = NAMES.into_iter().zip(values);
        let present = headers.filter_map(|(name, value)| Some((name, value?)));
        Request::parse(present.filter(|(_, value)| !value.is_empty()), NonceLengths::EXACT)
    }
}

/// Stands for the machine's generator. It counts, which a real one must not.
struct Counter(u64);

impl TryRng for Counter {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| (number >> 32) as u32)
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        Ok(mixed ^ (mixed >> 27))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for byte in bytes {
            *byte = (self.try_next_u64()? >> 56) as u8;
        }
        Ok(())
    }
}

impl TryCryptoRng for Counter {}

#[cfg(not(ctgrind))]
unsafe extern "C" {
    /// Defined nowhere, so that code that reaches it cannot be linked.
    safe fn a_panic_is_reachable() -> !;
}

#[cfg(not(ctgrind))]
#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    a_panic_is_reachable()
}
