//! [`Roots`]: certificates to trust instead of the system's.
//!
//! A file without a certificate is an error.

use std::io;
use std::path::Path;

use cortexkey_system::{ReadError, io_reason, read};
use thiserror::Error;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

/// The largest file with certificates.
pub(crate) const ROOTS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Certificates of authorities, such as a company's or the emulator's.
#[derive(Clone, Debug)]
pub struct Roots(Vec<Certificate<'static>>);

/// Why there are no certificates; a phrase that follows the file's name.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootsError {
    /// It cannot be read.
    #[error("cannot be read: {}", io_reason(.0))]
    Io(io::Error),
    /// It is not a regular file, or is larger than 16 MiB.
    #[error("is not a file of at most {ROOTS_BYTES_MAX} bytes")]
    NoFile,
    /// It is not PEM.
    #[error("is not in PEM form (-----BEGIN CERTIFICATE-----)")]
    Pem,
    /// It contains no certificate.
    #[error("contains no certificate (-----BEGIN CERTIFICATE-----)")]
    Empty,
}

impl Roots {
    /// Reads certificates in PEM form.
    pub fn from_file(path: &Path) -> Result<Self, RootsError> {
        let pem = read(path, ROOTS_BYTES_MAX).map_err(|error| match error {
            ReadError::NotAFile | ReadError::TooLarge { .. } => RootsError::NoFile,
            error => RootsError::Io(error.into()),
        })?;
        Self::from_pem(&pem)
    }

    /// Parses certificates in PEM form; anything else in the text is skipped.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        let mut roots = Vec::new();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|_| RootsError::Pem)? {
                roots.push(certificate);
            }
        }
        if roots.is_empty() { Err(RootsError::Empty) } else { Ok(Self(roots)) }
    }

    pub(crate) fn as_ureq(&self) -> RootCerts {
        RootCerts::new_with_certs(&self.0)
    }
}
