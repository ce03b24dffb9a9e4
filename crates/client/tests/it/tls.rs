//! Trusted certificates: the system's store or a file in its place, and no others.

use std::ffi::OsString;

use cortexkey_client::doctor::{Cause, Likelihood, LiveOptions, examine};
use cortexkey_client::{
    CallError, Client, ClientOptions, Connection, ExplicitSettings, Retry, Roots, RootsError,
};
use cortexkey_core::auth::{Key, Signer};
use cortexkey_tenant::{Options, Tenant};

use crate::{alone, passed};

fn tenant() -> Tenant {
    Tenant::start(Options { tls: Some(Vec::new()), ..Options::default() }).unwrap()
}

fn client(tenant: &Tenant, roots: Option<Roots>) -> Client {
    let seeded = &tenant.seeded_keys().unwrap().advanced;
    let key = Key::new(seeded.expose().as_bytes()).unwrap();
    let signer = Signer::new(seeded.id(), seeded.level(), key);
    let options = ClientOptions { roots, retry: Retry::NEVER, ..ClientOptions::default() };
    Client::new(tenant.url().parse().unwrap(), signer, options)
}

#[test]
fn only_known_certificate_authorities_are_trusted() {
    let tenant = tenant();
    let error = client(&tenant, None).ping().unwrap_err();
    assert!(matches!(error, CallError::Tls { .. }), "{error:?}");
    let path = tenant.ca_path().unwrap();
    client(&tenant, Some(Roots::from_file(path).unwrap())).ping().unwrap();
    // One tenant's authority is not trusted for another tenant.
    let other = self::tenant();
    let roots = Roots::from_file(path).unwrap();
    assert!(matches!(client(&other, Some(roots)).ping(), Err(CallError::Tls { .. })));
}

#[test]
fn the_doctor_names_it() {
    let tenant = tenant();
    let seeded = &tenant.seeded_keys().unwrap().advanced;
    let environment = |name: &str| -> Option<OsString> {
        match name {
            "CORTEXKEY_FQDN" => Some(tenant.url().into()),
            "CORTEXKEY_API_KEY_ID" => Some(seeded.id().to_string().into()),
            "CORTEXKEY_API_KEY" => Some(seeded.expose().into()),
            "CORTEXKEY_API_KEY_TYPE" => Some("advanced".into()),
            _ => None,
        }
    };
    let of = |given: &ExplicitSettings| {
        examine(given, &environment, &mut std::io::empty(), &LiveOptions::default())
    };
    let diagnosis = of(&ExplicitSettings::default());
    let [finding] = diagnosis.findings.as_slice() else { panic!("{diagnosis:?}") };
    assert_eq!((finding.cause, finding.certainty), (Cause::Tls, Likelihood::Certain));
    let ca_file = tenant.ca_path().map(Into::into);
    let given = ExplicitSettings { ca_file, ..ExplicitSettings::default() };
    assert!(of(&given).is_healthy());
    let connection = Connection::resolve(&given, &environment, &mut std::io::empty()).unwrap();
    connection.client().ping().unwrap();
}

/// On Linux, these two variables set the system's store.
#[cfg(target_os = "linux")]
#[test]
fn the_systems_store_is_used() {
    const URL: &str = "CORTEXKEY_TEST_TLS_URL";
    if let Some(url) = std::env::var_os(URL) {
        let key = Key::new(b"any-key").unwrap();
        let signer = Signer::new("7".parse().unwrap(), "standard".parse().unwrap(), key);
        let options = ClientOptions { retry: Retry::NEVER, ..ClientOptions::default() };
        let url = url.to_str().unwrap().parse().unwrap();
        // A client that gets a response has accepted the server's certificate.
        let error = Client::new(url, signer, options).ping().unwrap_err();
        assert_eq!(error.status(), Some(401), "{error}");
        return;
    }
    let tenant = tenant();
    let asking = |store: &std::path::Path| {
        let mut test = alone("tls::the_systems_store_is_used");
        test.env(URL, tenant.url()).env("SSL_CERT_FILE", store).env_remove("SSL_CERT_DIR");
        test
    };
    passed(&mut asking(tenant.ca_path().unwrap()));
    let other = self::tenant();
    let output = asking(other.ca_path().unwrap()).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).contains("1 failed"), "{output:?}");
}

#[test]
fn files_without_certificates_are_distinguished() {
    assert!(matches!(Roots::from_pem(b""), Err(RootsError::Empty)));
    assert!(matches!(Roots::from_pem(b"no certificate"), Err(RootsError::Empty)));
    let broken = b"-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n";
    assert!(matches!(Roots::from_pem(broken), Err(RootsError::Pem)));
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(Roots::from_file(folder.path()), Err(RootsError::NoFile)));
    assert!(matches!(Roots::from_file(&folder.path().join("x")), Err(RootsError::Io(_))));
}
