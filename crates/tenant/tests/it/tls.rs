//! TLS with a local authority: the certificate that clients trust, and that no other name is
//! served.

use std::path::Path;
use std::process::Command;

use cortexkey_tenant::{Options, StartError, Tenant, TlsError};
use serde_json::Value;

use crate::common::start;

const ACME: &str = "api-acme.xdr.us.paloaltonetworks.com";

fn secured(data: Option<&Path>) -> crate::common::Fixture {
    start(|options| {
        options.tls = Some(vec![ACME.to_owned()]);
        options.data = data.map(Path::to_owned);
    })
}

/// The output of curl, with a trusted certificate and a name for the tenant.
fn curl(f: &crate::common::Fixture, ca: &Path, host: &str) -> (bool, String) {
    let port = f.tenant.url().rsplit(':').next().unwrap();
    let headers = f.sign(&f.advanced());
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--show-error", "--noproxy", "*", "--cacert"]).arg(ca);
    curl.args(["--resolve", &format!("{host}:{port}:127.0.0.1")]);
    for (name, value) in headers {
        curl.args(["-H", &format!("{name}: {value}")]);
    }
    let output = curl.arg(format!("https://{host}:{port}/api_keys/validate")).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.success(), text)
}

#[test]
fn clients_that_trust_the_authority_are_served_under_each_name() {
    let f = secured(None);
    let ca = f.tenant.ca_path().unwrap().to_owned();
    assert_eq!(f.tenant.hosts(), ["localhost", "api-tenant.localhost", ACME]);
    for host in ["127.0.0.1", "localhost", "api-tenant.localhost", ACME] {
        assert_eq!(curl(&f, &ca, host), (true, "\"true\"".into()), "{host}");
    }
    let (served, said) = curl(&f, &ca, "other.example");
    assert!(!served, "{said}");
    let other = secured(None);
    let (served, said) = curl(&f, other.tenant.ca_path().unwrap(), "localhost");
    assert!(!served, "another tenant's authority: {said}");

    let line: Value = serde_json::from_str(&f.tenant.ready_line()).unwrap();
    assert!(line["url"].as_str().unwrap().starts_with("https://127.0.0.1:"));
    assert_eq!(line["ca"], ca.to_str().unwrap());
    assert_eq!(line["hosts"][2], ACME);
    f.tenant.stop();
    assert!(!ca.exists(), "gone with the tenant");
}

#[test]
fn the_authority_of_a_data_folder_stays_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let f = secured(Some(folder.path()));
    let ca = f.tenant.ca_path().unwrap().to_owned();
    let before = std::fs::read(&ca).unwrap();
    let keys = crate::common::signer_of(&f.tenant.seeded_keys().unwrap().standard);
    f.tenant.stop();
    let f = secured(Some(folder.path()));
    assert_eq!(std::fs::read(&ca).unwrap(), before);
    let port = f.tenant.url().rsplit(':').next().unwrap();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--noproxy", "*", "--cacert"]).arg(&ca);
    for (name, value) in f.sign(&keys) {
        curl.args(["-H", &format!("{name}: {value}")]);
    }
    let url = format!("https://127.0.0.1:{port}/api_keys/validate");
    assert_eq!(curl.arg(url).output().unwrap().stdout, b"\"true\"");
}

#[test]
fn invalid_names_are_refused_and_plain_http_is_not_tls() {
    for host in ["", "a b", "https://a", "a/b", "a:1", "*.a", &"a".repeat(64)] {
        let options = Options { tls: Some(vec![host.to_owned()]), ..Options::default() };
        let error = Tenant::start(options).unwrap_err();
        assert!(matches!(error, StartError::Tls(TlsError::Host)), "{host}: {error}");
    }
    let f = secured(None);
    let address = &f.tenant.url()["https://".len()..];
    let mut stream = std::net::TcpStream::connect(address).unwrap();
    std::io::Write::write_all(&mut stream, b"GET / HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    // A TLS alert, or nothing at all, but no HTTP.
    let _ = std::io::Read::read_to_end(&mut stream, &mut answer);
    assert!(!answer.starts_with(b"HTTP"));
}
