//! [`Request`]: the authentication headers of a request, read and found well-formed.
//!
//! It refuses everything that the grammar refuses, before any hash, byte by byte: a request with
//! a stray byte, a header twice or a timestamp in seconds never becomes a `Request`.

use super::digits::decode_hex;
use super::key::{Key, KeyId};
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
#[non_exhaustive]
pub enum Form<'a> {
    /// The key was sent as it is.
    Standard {
        /// The key that was presented.
        key: Key<'a>,
    },
    /// A digest was sent.
    Advanced {
        /// The nonce, of a length that the verifier takes.
        nonce: &'a [u8],
        /// The time at which the client says it signed.
        timestamp: Timestamp,
        /// The digest that was presented.
        digest: [u8; 32],
    },
}

impl<'a> Request<'a> {
    /// Reads the authentication headers among `headers`: names in any case, values as bytes.
    ///
    /// A server strips the white space round a value first, as HTTP says; here it is refused.
    /// A header that came more than once is given as often as it came.
    pub fn parse<N, V>(
        headers: impl IntoIterator<Item = (N, &'a V)>,
        nonce_lengths: NonceLengths,
    ) -> Result<Self, Verdict>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let found = Found::among(headers)?;
        let key_id = found.key_id.ok_or(Verdict::MissingHeader)?;
        let authorization = found.authorization.ok_or(Verdict::MissingHeader)?;
        let stamp = match (found.nonce, found.timestamp) {
            (Some(nonce), Some(timestamp)) => Some((nonce, timestamp)),
            (None, None) => None,
            _ => return Err(Verdict::MissingHeader),
        };

        let key_id = KeyId::parse(key_id).map_err(|_| Verdict::BadKeyId)?;
        let form = if let Some((nonce, timestamp)) = stamp {
            nonce_lengths.check(nonce).map_err(|_| Verdict::BadNonce)?;
            let timestamp = Timestamp::parse(timestamp).map_err(|_| Verdict::BadTimestamp)?;
            let digest = decode_hex(authorization).ok_or(Verdict::BadAuthorization)?;
            Form::Advanced { nonce, timestamp, digest }
        } else {
            let key = Key::new(authorization).map_err(|_| Verdict::BadAuthorization)?;
            Form::Standard { key }
        };
        Ok(Self { key_id, form })
    }

    /// The key that the request names.
    pub fn key_id(&self) -> KeyId {
        self.key_id
    }

    /// What was presented.
    pub fn form(&self) -> &Form<'a> {
        &self.form
    }
}

/// Each header at most once.
#[derive(Default)]
struct Found<'a> {
    key_id: Option<&'a [u8]>,
    authorization: Option<&'a [u8]>,
    nonce: Option<&'a [u8]>,
    timestamp: Option<&'a [u8]>,
}

impl<'a> Found<'a> {
    fn among<N, V>(headers: impl IntoIterator<Item = (N, &'a V)>) -> Result<Self, Verdict>
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]> + ?Sized + 'a,
    {
        let mut found = Self::default();
        for (name, value) in headers {
            let Some(place) = found.place(name.as_ref()) else { continue };
            if place.replace(value.as_ref()).is_some() {
                return Err(Verdict::DuplicateHeader);
            }
        }
        Ok(found)
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

/// Whether a name of `N` bytes is the wanted one, in any case. The library's own comparison takes
/// longer than a hash, byte by byte; this one becomes a few vector instructions.
#[inline]
fn is<const N: usize>(name: &[u8], wanted: &str) -> bool {
    let (Some(name), Some(wanted)) =
        (name.first_chunk::<N>(), wanted.as_bytes().first_chunk::<N>())
    else {
        return false;
    };
    let mut difference = 0;
    for (byte, wanted) in name.iter().zip(wanted) {
        // Upper and lower case of a letter differ in this bit alone.
        let case = if wanted.is_ascii_alphabetic() { 0x20 } else { 0 };
        difference |= (byte ^ wanted) & !case;
    }
    difference == 0
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
                    let found = Found::among([(&name, b"value")]).map(|found| {
                        [found.key_id, found.authorization, found.nonce, found.timestamp]
                            .iter()
                            .any(Option::is_some)
                    });
                    let same = name.eq_ignore_ascii_case(wanted.as_bytes());
                    assert_eq!(found, Ok(same), "{wanted} with {byte:#x} at {at}");
                }
            }
        }
    }
}
