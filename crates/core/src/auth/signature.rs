//! [`Signature`]: the two values of a request that differ from one request of a batch to the next.

use super::alphanumeric::PART_BYTES;

/// Where a batch writes a signature: a [`Signature`], or a structure with room for its two values.
pub trait SignatureSlot {
    /// The nonce that [`nonce_mut`](Self::nonce_mut) wrote.
    fn nonce(&self) -> &[u8; PART_BYTES];
    /// Room for the nonce.
    fn nonce_mut(&mut self) -> &mut [u8; PART_BYTES];
    /// Room for the digest in hexadecimal. It is only written to.
    fn authorization_mut(&mut self) -> &mut [u8; 64];
}

/// One signature of a batch.
///
/// Until it is used it is as good as a password for one request, so it has no `Debug`.
#[derive(Clone)]
#[repr(C)]
#[cfg_attr(feature = "kernels", repr(align(64)))] // a kernel stores 64 bytes at once
pub struct Signature {
    pub(super) authorization: [u8; 64],
    pub(super) nonce: [u8; PART_BYTES],
}

impl Signature {
    /// A slot that is not signed yet.
    pub const EMPTY: Self = Self { authorization: [b'0'; 64], nonce: [b'0'; PART_BYTES] };

    /// `Authorization`: the digest in hexadecimal.
    pub fn authorization(&self) -> &str {
        ascii(&self.authorization)
    }

    /// `x-xdr-nonce`.
    pub fn nonce(&self) -> &str {
        ascii(&self.nonce)
    }

    /// Both as bytes.
    pub fn as_bytes(&self) -> (&[u8; 64], &[u8; PART_BYTES]) {
        (&self.authorization, &self.nonce)
    }
}

impl SignatureSlot for Signature {
    fn nonce(&self) -> &[u8; PART_BYTES] {
        &self.nonce
    }

    fn nonce_mut(&mut self) -> &mut [u8; PART_BYTES] {
        &mut self.nonce
    }

    fn authorization_mut(&mut self) -> &mut [u8; 64] {
        &mut self.authorization
    }
}

/// Bytes that are ASCII by construction.
pub(super) fn ascii(bytes: &[u8]) -> &str {
    core::str::from_utf8(bytes).unwrap_or_default()
}
