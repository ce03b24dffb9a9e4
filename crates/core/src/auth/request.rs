//! [`Request`]: the authentication headers of a request, read and found well-formed.
//!
//! It refuses everything that the grammar refuses, before any hash, byte by byte: a request with
//! a stray byte, a header twice or a timestamp in seconds never becomes a `Request`.

use super::digits::is_hex;
use super::key::{Key, KeyId, Level};
use super::nonce::NonceLengths;
use super::timestamp::Timestamp;
use super::verdict::Verdict;
use super::{HEADER_AUTHORIZATION, HEADER_KEY_ID, HEADER_NONCE, HEADER_TIMESTAMP};

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
    form: Form<'a>,
}

/// How a request is authenticated.
#[derive(Clone, Copy)]
pub(super) enum Form<'a> {
    /// The key was sent as it is.
    Standard(Key<'a>),
    /// A digest was sent.
    Advanced(Signed<'a>),
}

/// What an Advanced request carries.
#[derive(Clone, Copy)]
pub(super) struct Signed<'a> {
    /// Of a length that the verifier takes.
    pub(super) nonce: &'a [u8],
    pub(super) timestamp: Timestamp,
    /// The timestamp as it came, so that it need not be written again to be hashed.
    pub(super) timestamp_digits: &'a [u8; 13],
    /// In lower-case hexadecimal digits.
    pub(super) digest: &'a [u8; 64],
}

impl<'a> Request<'a> {
    /// Reads the authentication headers among `headers`: names in any case, values as bytes.
    ///
    /// A server strips the white space round a value first, as HTTP says; here it is refused.
    /// A header that came more than once is given as often as it came.
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

    /// As [`parse`](Self::parse), for a caller who has looked the headers up, and has refused a
    /// request that has one of them twice.
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
            Some((nonce, timestamp)) => {
                Form::Advanced(Signed::new(nonce, timestamp, authorization, nonce_lengths)?)
            }
            None => Form::Standard(Key::new(authorization).map_err(|_| Verdict::BadAuthorization)?),
        };
        Ok(Self { key_id, form })
    }

    /// The key that the request names.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// The level of key that the request is made for: Advanced where it carries a digest.
    pub fn level(&self) -> Level {
        match self.form {
            Form::Standard(_) => Level::Standard,
            Form::Advanced(_) => Level::Advanced,
        }
    }

    /// When the client says it signed; none where the key was sent as it is.
    pub fn timestamp(&self) -> Option<Timestamp> {
        match self.form {
            Form::Standard(_) => None,
            Form::Advanced(signed) => Some(signed.timestamp),
        }
    }

    pub(super) fn form(&self) -> &Form<'a> {
        &self.form
    }
}

impl<'a> Signed<'a> {
    fn new(
        nonce: &'a [u8],
        timestamp: &'a [u8],
        authorization: &'a [u8],
        nonce_lengths: NonceLengths,
    ) -> Result<Self, Verdict> {
        nonce_lengths.check(nonce).map_err(|_| Verdict::BadNonce)?;
        let timestamp_digits = timestamp.try_into().map_err(|_| Verdict::BadTimestamp)?;
        let timestamp = Timestamp::parse(timestamp).map_err(|_| Verdict::BadTimestamp)?;
        let digest = authorization.try_into().map_err(|_| Verdict::BadAuthorization)?;
        if !is_hex(digest) {
            return Err(Verdict::BadAuthorization);
        }
        Ok(Self { nonce, timestamp, timestamp_digits, digest })
    }
}

/// The values of the authentication headers, as they came; `None` for one that did not come.
///
/// With a Standard key they hold the key itself, so they have no `Debug`.
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
    /// Finds the authentication headers among all of a request, each at most once.
    fn look_up<N, V>(
        &mut self,
        headers: impl IntoIterator<Item = (N, &'a V)>,
    ) -> Result<(), Verdict>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        for (name, value) in headers {
            let Some(place) = self.place(name.as_ref()) else { continue };
            if place.replace(value.as_ref()).is_some() {
                return Err(Verdict::DuplicateHeader);
            }
        }
        Ok(())
    }

    fn place(&mut self, name: &[u8]) -> Option<&mut Option<&'a [u8]>> {
        // Length and first letter leave at most one to compare with, and of other headers, which
        // are most of a request, none.
        let (same, place) = match (name.len(), name.first()) {
            (13, Some(b'x' | b'X')) => (is::<13>(name, HEADER_KEY_ID), &mut self.key_id),
            (13, Some(b'a' | b'A')) => {
                (is::<13>(name, HEADER_AUTHORIZATION), &mut self.authorization)
            }
            (11, Some(b'x' | b'X')) => (is::<11>(name, HEADER_NONCE), &mut self.nonce),
            (15, Some(b'x' | b'X')) => (is::<15>(name, HEADER_TIMESTAMP), &mut self.timestamp),
            _ => return None,
        };
        same.then_some(place)
    }
}

/// Whether a name of `N` bytes, 8 to 16, is the wanted one, in any case. The library's own
/// comparison goes byte by byte and takes longer than a hash.
#[inline]
fn is<const N: usize>(name: &[u8], wanted: &str) -> bool {
    let (Ok(name), Ok(wanted)) =
        (<&[u8; N]>::try_from(name), <&[u8; N]>::try_from(wanted.as_bytes()))
    else {
        return false;
    };
    // Upper and lower case of a letter differ in one bit.
    let case = wanted.map(|byte| if byte.is_ascii_alphabetic() { 0x20 } else { 0 });
    let ([a, b], [wanted_a, wanted_b], [case_a, case_b]) =
        (words(name), words(wanted), words(&case));
    ((a ^ wanted_a) & !case_a) | ((b ^ wanted_b) & !case_b) == 0
}

/// The first eight bytes and the last eight, which may overlap.
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
