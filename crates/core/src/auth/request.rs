//! [`Request`]: the well-formed authentication headers of a request.
//!
//! The grammar is checked before any hash: a request with a stray byte, a duplicate header or a
//! timestamp in seconds never becomes a `Request`.

use super::digits::is_hex;
use super::header_names::{HEADER_AUTHORIZATION, HEADER_KEY_ID, HEADER_NONCE, HEADER_TIMESTAMP};
use super::key::{Key, KeyId, Level};
use super::nonce::NonceLengths;
use super::timestamp::Timestamp;
use super::verdict::Verdict;

/// A well-formed request, not yet verified.
///
/// ```
/// use cortexkey_core::auth::{NonceLengths, Request, Verdict};
///
/// let headers = [("X-XDR-Auth-ID", "007"), ("authorization", "key")];
/// let refused = Request::parse(headers, NonceLengths::EXACT).err();
/// assert_eq!(refused, Some(Verdict::BadKeyId));
/// ```
#[derive(Clone, Copy)]
pub struct Request<'a> {
    key_id: KeyId,
    form: AuthForm<'a>,
}

/// How a request is authenticated.
#[derive(Clone, Copy)]
pub(super) enum AuthForm<'a> {
    /// The key itself was sent.
    Standard(Key<'a>),
    /// A digest was sent.
    Advanced(AdvancedFields<'a>),
}

/// The values of an Advanced request.
#[derive(Clone, Copy)]
pub(super) struct AdvancedFields<'a> {
    /// 64 letters and digits, or another length that the verifier accepts.
    pub(super) nonce: &'a [u8],
    pub(super) timestamp: Timestamp,
    /// The digits as received, which are hashed.
    pub(super) timestamp_digits: &'a [u8; 13],
    /// Lower-case hexadecimal digits.
    pub(super) digest: &'a [u8; 64],
}

impl<'a> Request<'a> {
    /// Finds and parses the authentication headers in `headers`: names in any case, values as bytes.
    ///
    /// Strip the white space around a value first, as HTTP requires; here it is an error. Pass a
    /// header that was received twice as two headers.
    #[expect(clippy::inline_always, reason = "the result would be moved by way of memory")]
    #[inline(always)]
    pub fn parse<N, V>(
        headers: impl IntoIterator<Item = (N, &'a V)>,
        nonce_lengths: NonceLengths,
    ) -> Result<Self, Verdict>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let mut values = HeaderValues::default();
        values.look_up(headers)?;
        Self::from_values(&values, nonce_lengths)
    }

    /// Like [`parse`](Self::parse), for a caller that has already looked up the headers and
    /// rejected duplicates.
    #[expect(clippy::inline_always, reason = "the result would be moved by way of memory")]
    #[inline(always)]
    pub fn from_values(
        values: &HeaderValues<'a>,
        nonce_lengths: NonceLengths,
    ) -> Result<Self, Verdict> {
        let key_id = values.key_id.ok_or(Verdict::MissingHeader)?;
        let authorization = values.authorization.ok_or(Verdict::MissingHeader)?;
        let stamp = match (values.nonce, values.timestamp) {
            (Some(nonce), Some(timestamp)) => Some((nonce, timestamp)),
            (None, None) => None,
            _ => return Err(Verdict::MissingHeader),
        };

        let key_id = KeyId::parse(key_id).map_err(|_| Verdict::BadKeyId)?;
        let form = match stamp {
            Some((nonce, timestamp)) => AuthForm::Advanced(AdvancedFields::new(
                nonce,
                timestamp,
                authorization,
                nonce_lengths,
            )?),
            None => {
                AuthForm::Standard(Key::new(authorization).map_err(|_| Verdict::BadAuthorization)?)
            }
        };
        Ok(Self { key_id, form })
    }

    /// The key that the request names.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The level of key that the request was signed for: Advanced if it carries a digest.
    pub fn level(&self) -> Level {
        match self.form {
            AuthForm::Standard(_) => Level::Standard,
            AuthForm::Advanced(_) => Level::Advanced,
        }
    }

    /// The time at which the client claims to have signed; `None` if the key itself was sent.
    pub fn timestamp(&self) -> Option<Timestamp> {
        match self.form {
            AuthForm::Standard(_) => None,
            AuthForm::Advanced(signed) => Some(signed.timestamp),
        }
    }

    pub(super) fn form(&self) -> &AuthForm<'a> {
        &self.form
    }
}

impl<'a> AdvancedFields<'a> {
    fn new(
        nonce: &'a [u8],
        timestamp: &'a [u8],
        authorization: &'a [u8],
        nonce_lengths: NonceLengths,
    ) -> Result<Self, Verdict> {
        let is_valid = has_valid_characters(nonce, authorization);
        if !is_valid {
            nonce_lengths.check(nonce).map_err(|_| Verdict::BadNonce)?;
        }
        let timestamp_digits = timestamp.try_into().map_err(|_| Verdict::BadTimestamp)?;
        let timestamp = Timestamp::parse(timestamp).map_err(|_| Verdict::BadTimestamp)?;
        let digest = authorization.try_into().map_err(|_| Verdict::BadAuthorization)?;
        if !is_valid && !is_hex(digest) {
            return Err(Verdict::BadAuthorization);
        }
        Ok(Self { nonce, timestamp, timestamp_digits, digest })
    }
}

/// Whether a kernel finds nonce and digest valid: 64 characters each, which every verifier accepts. If not,
/// the separate checks say why.
#[inline]
fn has_valid_characters(nonce: &[u8], digest: &[u8]) -> bool {
    #[cfg(feature = "kernels")]
    if let (Ok(nonce), Ok(digest)) = (nonce.try_into(), digest.try_into()) {
        return cortexkey_kernels::are_nonce_and_digest(nonce, digest).unwrap_or(false);
    }
    let _ = (nonce, digest);
    false
}

/// The values of the authentication headers as received; `None` for a header that is missing.
///
/// They may contain a Standard key, so they have no `Debug`.
#[derive(Clone, Copy, Default)]
pub struct HeaderValues<'a> {
    /// `x-xdr-auth-id`.
    pub key_id: Option<&'a [u8]>,
    /// `Authorization`.
    pub authorization: Option<&'a [u8]>,
    /// `x-xdr-nonce`.
    pub nonce: Option<&'a [u8]>,
    /// `x-xdr-timestamp`.
    pub timestamp: Option<&'a [u8]>,
}

impl<'a> HeaderValues<'a> {
    /// Finds the authentication headers among all headers of a request, each at most once.
    fn look_up<N, V>(
        &mut self,
        headers: impl IntoIterator<Item = (N, &'a V)>,
    ) -> Result<(), Verdict>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        for (name, value) in headers {
            let Some(slot) = self.slot(name.as_ref()) else { continue };
            if slot.replace(value.as_ref()).is_some() {
                return Err(Verdict::DuplicateHeader);
            }
        }
        Ok(())
    }

    fn slot(&mut self, name: &[u8]) -> Option<&mut Option<&'a [u8]>> {
        // Length and first letter leave at most one name to compare with, and none for most other
        // headers.
        let (same, slot) = match (name.len(), name.first()) {
            (13, Some(b'x' | b'X')) => (is_name::<13>(name, HEADER_KEY_ID), &mut self.key_id),
            (13, Some(b'a' | b'A')) => {
                (is_name::<13>(name, HEADER_AUTHORIZATION), &mut self.authorization)
            }
            (11, Some(b'x' | b'X')) => (is_name::<11>(name, HEADER_NONCE), &mut self.nonce),
            (15, Some(b'x' | b'X')) => (is_name::<15>(name, HEADER_TIMESTAMP), &mut self.timestamp),
            _ => return None,
        };
        same.then_some(slot)
    }
}

/// Whether a name of `N` bytes, 8 to 16, equals `wanted` in any case. `eq_ignore_ascii_case` compares
/// byte by byte and takes longer than a hash.
#[inline]
fn is_name<const N: usize>(name: &[u8], wanted: &str) -> bool {
    let (Ok(name), Ok(wanted)) =
        (<&[u8; N]>::try_from(name), <&[u8; N]>::try_from(wanted.as_bytes()))
    else {
        return false;
    };
    // Upper and lower case differ in one bit.
    let case = wanted.map(|byte| if byte.is_ascii_alphabetic() { 0x20 } else { 0 });
    let [a, b] = words(name);
    let [wanted_a, wanted_b] = words(wanted);
    let [case_a, case_b] = words(&case);
    ((a ^ wanted_a) & !case_a) | ((b ^ wanted_b) & !case_b) == 0
}

/// The first and the last eight bytes, which may overlap.
fn words<const N: usize>(bytes: &[u8; N]) -> [u64; 2] {
    const { assert!(N >= 8 && N <= 16, "the two words meet") };
    [bytes.first_chunk(), bytes.last_chunk()]
        .map(|word| word.map_or(0, |word| u64::from_le_bytes(*word)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_as_the_library_does() {
        for wanted in [HEADER_KEY_ID, HEADER_AUTHORIZATION, HEADER_NONCE, HEADER_TIMESTAMP] {
            for at in 0..wanted.len() {
                for byte in 0..=255 {
                    let mut name = wanted.as_bytes().to_vec();
                    name[at] = byte;
                    let mut values = HeaderValues::default();
                    values.look_up([(&name, b"value")]).unwrap();
                    let found =
                        [values.key_id, values.authorization, values.nonce, values.timestamp];
                    let same = name.eq_ignore_ascii_case(wanted.as_bytes());
                    let found = found.iter().any(Option::is_some);
                    assert_eq!(found, same, "{wanted} with {byte:#x} at {at}");
                }
            }
        }
    }
}
