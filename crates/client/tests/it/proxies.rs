//! Calls through a proxy: they are inside TLS, so the proxy sees neither headers nor bodies.

use std::io::{BufRead, BufReader, Write, copy};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cortexkey_client::{CallError, Client, ClientOptions, Retry, Roots};
use cortexkey_core::auth::{Key, Signer};
use cortexkey_tenant::{Options, Tenant};

use crate::{NOBODY, alone, passed};

/// A proxy that connects to one address, whatever is requested, or refuses. Returns what was
/// requested.
fn proxy(to: Option<String>) -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let asked = Arc::new(Mutex::new(Vec::new()));
    let lines = Arc::clone(&asked);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap_or(0) > 2 {}
            lines.lock().unwrap().push(head);
            let Some(to) = &to else {
                let _ = (&stream).write_all(b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n");
                continue;
            };
            let upstream = TcpStream::connect(to).unwrap();
            (&stream).write_all(b"HTTP/1.1 200 OK\r\n\r\n").unwrap();
            let mut from = stream.try_clone().unwrap();
            let mut into = upstream.try_clone().unwrap();
            std::thread::spawn(move || copy(&mut from, &mut into));
            let mut from = upstream;
            let mut into = stream;
            std::thread::spawn(move || copy(&mut from, &mut into));
        }
    });
    (port, asked)
}

/// Calls a tenant under another name from a separate process, with these variables.
const URL: &str = "CORTEXKEY_TEST_PROXY_URL";
const CA: &str = "CORTEXKEY_TEST_PROXY_CA";
const EXPECTED: &str = "CORTEXKEY_TEST_PROXY_EXPECTED";

#[test]
fn calls_never_bypass_the_proxy() {
    if let Some(url) = std::env::var_os(URL) {
        return call(url.to_str().unwrap());
    }
    let tenant = Tenant::start(Options { tls: Some(Vec::new()), ..Options::default() }).unwrap();
    let place = tenant.url().strip_prefix("https://").unwrap().to_owned();
    let port = place.rsplit(':').next().unwrap();
    // Not recognisable as this machine, so that a proxy may be used for it.
    let url = format!("https://api-tenant.localhost:{port}");
    let run = |variables: &[(&str, String)], expected: &str| {
        let mut command = alone("proxies::calls_never_bypass_the_proxy");
        for name in ["ALL_PROXY", "all_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"]
        {
            command.env_remove(name);
        }
        command.env(URL, &url).env(CA, tenant.ca_path().unwrap()).env(EXPECTED, expected);
        passed(command.envs(variables.iter().map(|(n, v)| (n, v))));
    };
    let (good, asked) = proxy(Some(place.clone()));
    run(&[("HTTPS_PROXY", format!("http://me:leak@127.0.0.1:{good}"))], "answered");
    let asked = asked.lock().unwrap().join("\n");
    assert!(asked.starts_with(&format!("CONNECT api-tenant.localhost:{port} HTTP/1.1")), "{asked}");
    assert!(!asked.to_ascii_lowercase().contains("x-xdr"), "{asked}");
    let (refusing, _) = proxy(None);
    run(&[("HTTPS_PROXY", format!("http://127.0.0.1:{refusing}"))], "proxy");
    run(&[("ALL_PROXY", format!("http://{NOBODY}"))], "unreachable");
}

fn call(url: &str) {
    let key = Key::new(b"any-key").unwrap();
    let signer = Signer::new("7".parse().unwrap(), "standard".parse().unwrap(), key);
    let roots = Roots::from_file(std::env::var_os(CA).unwrap().as_ref()).unwrap();
    let options = ClientOptions {
        roots: Some(roots),
        retry: Retry::NEVER,
        timeout: Duration::from_secs(5),
        ..ClientOptions::default()
    };
    let error = Client::new(url.parse().unwrap(), signer, options).ping().unwrap_err();
    let seen = match &error {
        CallError::Refused(_) => "answered",
        CallError::Proxy { .. } => "proxy",
        CallError::Unreachable { .. } => "unreachable",
        _ => "something else",
    };
    assert_eq!(seen, std::env::var(EXPECTED).unwrap(), "{error:?}");
    assert!(!error.to_string().contains("leak"), "{error}");
    let names_variable = error.to_string().contains("PROXY");
    assert_eq!(names_variable, seen != "answered", "{error}");
}
