//! [`Roots`]: certificates to trust instead of the system's.
//!
//! It refuses a file without one.

use std::io;
use std::path::Path;

use thiserror::Error;
use ureq::tls::{Certificate, PemItem, RootCerts, parse_pem};

const ROOTS_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Certificates of authorities, such as a company's or a local tenant's.
#[derive(Clone, Debug)]
pub struct Roots(Vec<Certificate<'static>>);

/// Why there are no certificates. The file is named before it.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum RootsError {
    /// It cannot be read.
    #[error("cannot be read: {0}")]
    Io(io::Error),
    /// It is no file, or has over 16 MiB.
    #[error("is no file of at most {ROOTS_BYTES_MAX} bytes")]
    NoFile,
    /// It is not PEM.
    #[error("is not in PEM form (-----BEGIN CERTIFICATE-----)")]
    Pem,
    /// It holds no certificate.
    #[error("holds no certificate (-----BEGIN CERTIFICATE-----)")]
    Empty,
}

impl Roots {
    /// Reads certificates in PEM form.
    pub fn from_file(path: &Path) -> Result<Self, RootsError> {
        let metadata = std::fs::metadata(path).map_err(RootsError::Io)?;
        if !metadata.is_file() || metadata.len() > ROOTS_BYTES_MAX {
            return Err(RootsError::NoFile);
        }
        Self::from_pem(&std::fs::read(path).map_err(RootsError::Io)?)
    }

    /// Takes certificates in PEM form; what else is in it is passed over.
    pub fn from_pem(pem: &[u8]) -> Result<Self, RootsError> {
        let mut roots = Vec::new();
        for item in parse_pem(pem) {
            if let PemItem::Certificate(certificate) = item.map_err(|_| RootsError::Pem)? {
                roots.push(certificate);
            }
        }
        if roots.is_empty() { Err(RootsError::Empty) } else { Ok(Self(roots)) }
    }

    pub(super) fn as_ureq(&self) -> RootCerts {
        RootCerts::new_with_certs(&self.0)
    }
}
