//! [`Verifier`]: checks whether a well-formed request is authentic, and returns the [`Principal`].
//!
//! Its timing does not reveal whether a key id exists or which level it has. It does reveal the
//! key's number of SHA-256 blocks: each further 64 bytes of key add one block.

use core::fmt;
use core::hint::black_box;

use subtle::ConstantTimeEq;

use super::digits::encode_hex;
use super::guard::{GuardRefusal, ReplayGuard, VerifiedUse};
use super::key::{KeyId, Level};
use super::midstate::{CHUNK, Digest, Expected, HashMidstate, ManyExpected};
use super::nonce::NonceLengths;
use super::request::{AuthForm, Request};
use super::stored::{Material, StoredKey};
use super::timestamp::Timestamp;
use super::verdict::Verdict;
use crate::expiry::Expiry;

/// How far a request's timestamp may be from the verifier's clock in either direction: 1 to 300
/// seconds, 60 by default.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skew(u32);

impl Skew {
    /// 60 seconds.
    pub const DEFAULT: Self = Self(60_000);
    /// 300 seconds.
    pub const MAX: Self = Self(300_000);

    /// Checks a skew in milliseconds, 1,000 to 300,000.
    pub const fn from_ms(ms: u64) -> Result<Self, SkewError> {
        match ms {
            #[expect(clippy::cast_possible_truncation, reason = "at most 300,000")]
            1_000..=300_000 => Ok(Self(ms as u32)),
            _ => Err(SkewError),
        }
    }

    /// The skew in milliseconds.
    pub const fn as_ms(self) -> u64 {
        self.0 as u64
    }
}

impl Default for Skew {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// The skew is not between 1 and 300 seconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SkewError;

impl fmt::Display for SkewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the skew is not between 1 and 300 seconds (1000 to 300000 ms)")
    }
}

impl core::error::Error for SkewError {}

/// Verifies requests. It holds only settings, so all threads can share one.
///
/// ```
/// use cortexkey_core::auth::{
///     Key, KeyId, Level, NonceLengths, Request, StoredKey, Verdict, Verifier,
/// };
/// use cortexkey_core::replay::NoReplayGuard;
///
/// let id = KeyId::new(7).ok_or("a key id is never 0")?;
/// let stored = StoredKey::new(id, Level::Standard, Key::new(b"test-api-key")?);
/// let headers = [("x-xdr-auth-id", "7"), ("Authorization", "test-api-key")];
///
/// let request = Request::parse(headers, NonceLengths::EXACT)
///     .map_err(|verdict| verdict.message())?;
/// // A Standard request needs no replay guard; an Advanced one does.
/// let principal = Verifier::new().verify(&request, Some(&stored), 1_790_611_727_783, &NoReplayGuard);
/// assert_eq!(principal.map(|p| p.key_id()), Ok(id));
///
/// let unknown = Verifier::new().verify(&request, None, 1_790_611_727_783, &NoReplayGuard);
/// assert_eq!(unknown.err(), Some(Verdict::UnknownKey));
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Verifier {
    skew: Skew,
    nonce_lengths: NonceLengths,
}

impl Verifier {
    /// A verifier with a skew of 60 seconds and nonces of exactly 64 characters.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the skew.
    #[must_use]
    pub fn with_skew(mut self, skew: Skew) -> Self {
        self.skew = skew;
        self
    }

    /// Sets the accepted lengths of nonces, for clients that send 32 hexadecimal digits.
    #[must_use]
    pub fn with_nonce_lengths(mut self, lengths: NonceLengths) -> Self {
        self.nonce_lengths = lengths;
        self
    }

    /// How far a timestamp may be from the clock.
    pub fn skew(&self) -> Skew {
        self.skew
    }

    /// The lengths to pass to [`Request::parse`].
    pub fn nonce_lengths(&self) -> NonceLengths {
        self.nonce_lengths
    }

    /// Checks a request against the key that is stored under its id; `None` if there is none.
    ///
    /// `now_ms` is milliseconds since 1970. The guard is called last, and only for requests that
    /// are otherwise authentic, so unauthenticated clients cannot fill it.
    #[expect(clippy::inline_always, reason = "the result would be moved by way of memory")]
    #[inline(always)]
    pub fn verify<G: ReplayGuard + ?Sized>(
        &self,
        request: &Request<'_>,
        stored: Option<&StoredKey>,
        now_ms: u64,
        guard: &G,
    ) -> Result<Principal, Verdict> {
        let stored = stored_for(request, stored);
        let expected = Expected::not_compared(expected_digest(request, stored));
        self.conclude(request, stored, &expected, now_ms, guard)
    }

    /// Checks many requests at the time `now_ms`, in order, and passes each result to `each` with
    /// the index of its request.
    ///
    /// The results are those of [`verify`](Self::verify) for one request after another: of two
    /// equal requests, only the first is accepted.
    pub fn verify_batch<'k, G: ReplayGuard + ?Sized>(
        &self,
        requests: &[Request<'_>],
        mut stored: impl FnMut(KeyId) -> Option<&'k StoredKey>,
        now_ms: u64,
        guard: &G,
        mut each: impl FnMut(usize, Result<Principal, Verdict>),
    ) {
        #[cfg(feature = "kernels")]
        let mut kernels = super::multi::BatchVerifier::new();
        for (chunk, requests) in requests.chunks(CHUNK).enumerate() {
            let mut keys = [None; CHUNK];
            for (key, request) in keys.iter_mut().zip(requests) {
                *key = stored_for(request, stored(request.key_id()));
            }
            // All hashes first: those of two requests do not depend on each other.
            let mut expected = ManyExpected::UNKNOWN;
            #[cfg(feature = "kernels")]
            kernels.check(requests, |index| key_or_dummy(keys[index]), &mut expected);
            expected
                .complete(requests.len(), |index| expected_digest(&requests[index], keys[index]));
            for (index, request) in requests.iter().enumerate() {
                let expected = expected.of(index);
                let answer = self.conclude(request, keys[index], &expected, now_ms, guard);
                each(chunk * CHUNK + index, answer);
            }
        }
    }

    /// All checks after the hash.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn conclude<G: ReplayGuard + ?Sized>(
        self,
        request: &Request<'_>,
        stored: Option<&StoredKey>,
        expected: &Expected,
        now_ms: u64,
        guard: &G,
    ) -> Result<Principal, Verdict> {
        let Some(stored) = stored else {
            dummy_compare(request, expected);
            return Err(Verdict::UnknownKey);
        };
        let timestamp = match (request.form(), stored.material()) {
            (
                AuthForm::Standard(_),
                Material::Standard { digest }
                | Material::Editable { level: Level::Standard, digest, .. },
            ) => {
                require(equal_in_constant_time(&expected.digest.to_bytes(), digest))?;
                None
            }
            (
                AuthForm::Advanced(signed),
                Material::Advanced { .. } | Material::Editable { level: Level::Advanced, .. },
            ) => {
                require(matches_digest(signed.digest, expected))?;
                Some(signed.timestamp)
            }
            _ => {
                dummy_compare(request, expected);
                return Err(Verdict::LevelMismatch);
            }
        };
        check_live(stored, now_ms)?;
        if let Some(timestamp) = timestamp {
            self.check_window(timestamp, now_ms)?;
            guard
                .check_and_insert(&VerifiedUse {
                    key_id: stored.key_id(),
                    key_created_ms: stored.created_ms(),
                    digest: expected.digest.to_bytes(),
                    timestamp_ms: timestamp.as_ms(),
                    skew_ms: self.skew.as_ms(),
                    now_ms,
                })
                .map_err(GuardRefusal::verdict)?;
        }
        Ok(Principal {
            key_id: stored.key_id(),
            level: stored.level(),
            expiry: stored.expiry(),
            signed_ms: timestamp.map(Timestamp::as_ms),
        })
    }

    fn check_window(self, timestamp: Timestamp, now_ms: u64) -> Result<(), Verdict> {
        let skew_ms = self.skew.as_ms();
        if timestamp.as_ms() < now_ms.saturating_sub(skew_ms) {
            Err(Verdict::TimestampStale)
        } else if timestamp.as_ms() > now_ms.saturating_add(skew_ms) {
            Err(Verdict::TimestampFuture)
        } else {
            Ok(())
        }
    }
}

/// The sender of an accepted request; nothing else creates one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Principal {
    key_id: KeyId,
    level: Level,
    expiry: Expiry,
    signed_ms: Option<u64>,
}

impl Principal {
    /// The key's id.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The key's security level.
    pub fn level(&self) -> Level {
        self.level
    }

    /// The key's expiry.
    pub fn expiry(&self) -> Expiry {
        self.expiry
    }

    /// When the client claims to have signed, in milliseconds since 1970; `None` with a Standard key.
    pub fn signed_ms(&self) -> Option<u64> {
        self.signed_ms
    }
}

fn require(equal: bool) -> Result<(), Verdict> {
    // The only bit that depends on the key and is made public: whether the request is authentic.
    #[cfg(ctgrind)]
    let equal = crate::ctgrind::public(equal);
    if equal { Ok(()) } else { Err(Verdict::WrongSignature) }
}

fn check_live(stored: &StoredKey, now_ms: u64) -> Result<(), Verdict> {
    if stored.is_revoked() {
        Err(Verdict::KeyRevoked)
    } else if stored.expiry().is_expired(now_ms) {
        Err(Verdict::KeyExpired)
    } else {
        Ok(())
    }
}

/// Whether the hexadecimal digits of a request are those of the digest, in constant time.
fn matches_digest(presented: &[u8; 64], expected: &Expected) -> bool {
    if let Some(answer) = expected.matches {
        return answer;
    }
    #[cfg(feature = "kernels")]
    if let Some(answer) = cortexkey_kernels::is_hex_of(&expected.digest.0, presented) {
        return answer;
    }
    equal_in_constant_time(presented, &encode_hex(&expected.digest.to_bytes()))
}

/// Folds the words first, since `subtle` on a slice takes longer than the hash.
fn equal_in_constant_time<const N: usize>(a: &[u8; N], b: &[u8; N]) -> bool {
    const { assert!(N.is_multiple_of(8), "every byte is compared") };
    let words = a.as_chunks::<8>().0.iter().zip(b.as_chunks::<8>().0);
    let difference = words.fold(0, |difference, (a, b)| {
        difference | (u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b))
    });
    difference.ct_eq(&0).into()
}

/// Protects against a lookup that returns another key.
fn stored_for<'k>(request: &Request<'_>, stored: Option<&'k StoredKey>) -> Option<&'k StoredKey> {
    stored.filter(|stored| stored.key_id() == request.key_id())
}

/// The digest that a request is checked against: that of the key that it presents, or that of the
/// message that an Advanced key would have signed. For an unknown key, or a key of the other level,
/// it takes as long as for an Advanced key of 128 bytes.
#[inline]
fn expected_digest(request: &Request<'_>, stored: Option<&StoredKey>) -> Digest {
    match request.form() {
        AuthForm::Standard(key) => HashMidstate::digest_of(*key),
        AuthForm::Advanced(signed) => {
            key_or_dummy(stored).digest(signed.nonce, signed.timestamp_digits)
        }
    }
}

fn key_or_dummy(stored: Option<&StoredKey>) -> &HashMidstate {
    static DUMMY: HashMidstate = HashMidstate::dummy();
    match stored.map(StoredKey::material) {
        Some(
            Material::Advanced { midstate }
            | Material::Editable { level: Level::Advanced, midstate, .. },
        ) => midstate,
        _ => black_box(&DUMMY),
    }
}

/// Takes as long as the comparison for a key that exists and has the request's level.
fn dummy_compare(request: &Request<'_>, expected: &Expected) {
    black_box(match request.form() {
        AuthForm::Advanced(signed) => matches_digest(signed.digest, expected),
        AuthForm::Standard(_) => {
            equal_in_constant_time(&expected.digest.to_bytes(), black_box(&[0; 32]))
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::auth::guard::NoReplayGuard;
    use crate::auth::{Key, Nonce, Signer, Timestamp};

    const NOW_MS: u64 = 1_700_000_000_000;

    #[test]
    fn settings_are_kept() {
        let lengths = NonceLengths::LENIENT;
        let skew = Skew::from_ms(2_000).unwrap();
        let verifier = Verifier::new().with_skew(skew).with_nonce_lengths(lengths);
        assert_eq!(verifier.skew(), skew);
        assert_eq!(verifier.nonce_lengths(), lengths);
        assert_ne!((skew, lengths), (Skew::default(), NonceLengths::default()));
    }

    #[test]
    fn a_principal_is_what_was_verified() {
        let id = KeyId::new(7).unwrap();
        for level in [Level::Standard, Level::Advanced] {
            let key = || Key::new(b"test-api-key").unwrap();
            let signer = Signer::new(id, level, key());
            let nonce = Nonce::new(&[b'a'; 64]).unwrap();
            let headers = signer.sign_with(nonce, Timestamp::from_ms(NOW_MS - 5).unwrap());
            let values = headers.values();
            let request = Request::from_values(&values, NonceLengths::EXACT).unwrap();
            let signed_ms = (level == Level::Advanced).then_some(NOW_MS - 5);
            assert_eq!(request.timestamp().map(Timestamp::as_ms), signed_ms);
            let stored = StoredKey::new(id, level, key());
            let verified = Verifier::new().verify(&request, Some(&stored), NOW_MS, &NoReplayGuard);
            let principal = verified.unwrap();
            assert_eq!((principal.key_id(), principal.level()), (id, level));
            assert_eq!(principal.signed_ms(), signed_ms);
        }
    }
}
