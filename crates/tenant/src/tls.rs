//! TLS with the tenant's own local authority, for clients that require https.

use core::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cortexkey_system::{Links, WriteOptions, replace};
use rcgen::{
    BasicConstraints, CertificateParams, CidrSubnet, DnType, ExtendedKeyUsagePurpose,
    GeneralSubtree, IsCa, Issuer, KeyPair, KeyUsagePurpose, NameConstraints, SanType,
};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use zeroize::Zeroizing;

use crate::store::{Disk, DiskError};
use thiserror::Error;

/// Names that are always served. Clients of the product put `api-` before a tenant's name.
const HOSTS: [&str; 2] = ["localhost", "api-tenant.localhost"];
const CA_FILE: &str = "ca.pem";
const VALID_DAYS: i64 = 365;
/// The row on disk that stores the authority.
const ROW: (&str, u64) = ("tls", 1);

/// What a tenant with TLS serves, and what clients must trust.
pub(crate) struct Tls {
    pub(crate) config: Arc<ServerConfig>,
    /// The authority's certificate.
    pub(crate) ca_path: PathBuf,
    /// The names that are served.
    pub(crate) hosts: Vec<String>,
    /// A folder that is removed with the tenant, if there is no data folder.
    _folder: Option<TemporaryFolder>,
}

impl Tls {
    /// An authority, and a certificate for these names besides this machine's own. With a data
    /// folder the authority stays the same across starts.
    pub(crate) fn new(
        more_hosts: &[String],
        kept: Option<(&Path, &Disk)>,
    ) -> Result<Self, TlsError> {
        let mut hosts: Vec<String> = HOSTS.map(str::to_owned).to_vec();
        for host in more_hosts {
            if !is_host(host) {
                return Err(TlsError::Host);
            }
            if !hosts.contains(host) {
                hosts.push(host.clone());
            }
        }
        let authority = match kept {
            Some((_, disk)) => Authority::kept(disk, &hosts)?,
            None => Authority::new(&hosts)?,
        };
        let config = Arc::new(authority.serve(&hosts)?);
        let temporary = if kept.is_none() { Some(TemporaryFolder::new()?) } else { None };
        let kept = kept.map(|(folder, _)| folder);
        let made = temporary.as_ref().map(|folder| folder.0.as_path());
        // One of the two exists.
        let folder = kept.or(made).unwrap_or(Path::new("."));
        let ca_path = folder.join(CA_FILE);
        let how = WriteOptions::new(Links::Replace).durable();
        replace(&ca_path, authority.certificate_pem.as_bytes(), how)
            .map_err(std::io::Error::from)?;
        let ca_path = std::path::absolute(ca_path)?;
        Ok(Self { config, ca_path, hosts, _folder: temporary })
    }
}

/// The issuer of the tenant's certificates.
struct Authority {
    key: KeyPair,
    params: CertificateParams,
    certificate: CertificateDer<'static>,
    certificate_pem: String,
}

impl Authority {
    fn new(hosts: &[String]) -> Result<Self, TlsError> {
        Self::with(KeyPair::generate()?, hosts)
    }

    /// The stored one for these names, or a new one if the names differ.
    fn kept(disk: &Disk, hosts: &[String]) -> Result<Self, TlsError> {
        let names = hosts.join(" ");
        if let Some(row) = disk.row(ROW.0, ROW.1)? {
            let mut parts = row.splitn(3, |byte| *byte == b'\n');
            let known = parts.next();
            let pem = parts.next();
            let key = parts.next();
            if let (true, Some(pem), Some(key)) = (known == Some(names.as_bytes()), pem, key) {
                let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).ok();
                let certificate_pem = hex::decode(pem).ok().and_then(|pem| text(&pem));
                let key = hex::decode(key).map(Zeroizing::new).map_err(|_| DiskError::Damaged)?;
                let key = KeyPair::try_from(key.as_slice())?;
                let mut authority = Self::with(key, hosts)?;
                authority.certificate_pem = certificate_pem.ok_or(DiskError::Damaged)?;
                return Ok(authority);
            }
        }
        let authority = Self::new(hosts)?;
        let row = format!(
            "{names}\n{}\n{}",
            hex::encode(&authority.certificate_pem),
            hex::encode(authority.key.serialized_der())
        );
        disk.set_row(ROW.0, ROW.1, Zeroizing::new(row.into_bytes()))?;
        Ok(authority)
    }

    fn with(key: KeyPair, hosts: &[String]) -> Result<Self, TlsError> {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "cortexkey local tenant");
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let names = hosts.iter().map(|host| GeneralSubtree::DnsName(host.clone()));
        let loopback = CidrSubnet::V4([127, 0, 0, 0], [255, 0, 0, 0]);
        params.name_constraints = Some(NameConstraints {
            permitted_subtrees: names.chain([GeneralSubtree::IpAddress(loopback)]).collect(),
            excluded_subtrees: Vec::new(),
        });
        for_a_year(&mut params);
        let certificate = params.self_signed(&key)?;
        let der = certificate.der().clone();
        let certificate_pem = certificate.pem();
        Ok(Self { key, params, certificate: der, certificate_pem })
    }

    /// A server's configuration with a new certificate for these names.
    fn serve(&self, hosts: &[String]) -> Result<ServerConfig, TlsError> {
        let mut params = CertificateParams::new(hosts.to_vec())?;
        params.subject_alt_names.push(SanType::IpAddress(Ipv4Addr::LOCALHOST.into()));
        params.distinguished_name.push(DnType::CommonName, "cortexkey tenant");
        params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
        params.use_authority_key_identifier_extension = true;
        for_a_year(&mut params);
        let key = KeyPair::generate()?;
        let issuer = Issuer::from_params(&self.params, &self.key);
        let certificate = params.signed_by(&key, &issuer)?;
        let chain = vec![certificate.der().clone(), self.certificate.clone()];
        let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_single_cert(chain, key)?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(config)
    }
}

/// Valid from yesterday on, because clocks differ.
fn for_a_year(params: &mut CertificateParams) {
    let day = jiff::SignedDuration::from_hours(24);
    let date = |days: i64| {
        let time = jiff::Timestamp::now() + day * i32::try_from(days).unwrap_or(0);
        let date = time.to_zoned(jiff::tz::TimeZone::UTC).date();
        let part = |number: i8| u8::try_from(number).unwrap_or(1);
        rcgen::date_time_ymd(date.year().into(), part(date.month()), part(date.day()))
    };
    params.not_before = date(-1);
    params.not_after = date(VALID_DAYS);
}

fn is_host(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// A folder for the authority's certificate, removed with the tenant.
struct TemporaryFolder(PathBuf);

impl TemporaryFolder {
    fn new() -> Result<Self, TlsError> {
        let mut chance = [0; 8];
        getrandom::fill(&mut chance).map_err(|_| DiskError::NoRandom)?;
        let name = format!("cortexkey-tenant-{}", hex::encode(chance));
        let folder = std::env::temp_dir().join(name);
        #[cfg_attr(not(unix), expect(unused_mut, reason = "there is no mode to set"))]
        let mut builder = std::fs::DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            // No other user must be able to replace the authority.
            builder.mode(0o700);
        }
        // It fails if the path already exists.
        builder.create(&folder)?;
        Ok(Self(folder))
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // What cannot be removed is a certificate that no client trusts.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// Why TLS could not be set up.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TlsError {
    /// A name is not a valid host name.
    #[error(
        "a name to serve is not a host name\nhelp: give one such as \
         api-acme.xdr.us.paloaltonetworks.com, without port and path"
    )]
    Host,
    /// A certificate cannot be created.
    #[error("the certificate cannot be created")]
    Certificate(#[from] rcgen::Error),
    /// The certificate cannot be served.
    #[error("the certificate cannot be served")]
    Server(#[from] rustls::Error),
    /// The authority cannot be stored.
    #[error(transparent)]
    Disk(#[from] DiskError),
}

impl From<std::io::Error> for TlsError {
    fn from(error: std::io::Error) -> Self {
        Self::Disk(error.into())
    }
}
