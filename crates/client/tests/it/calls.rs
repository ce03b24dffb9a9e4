//! Calls to a tenant, and to servers that are not a tenant.

use std::io::{BufRead, BufReader, Read as _, Write};
use std::net::TcpListener;
use std::thread::JoinHandle;
use std::time::Duration;

use cortexkey_api::api_keys::{Filter, GenerateRequest, ListRequest, SecurityLevel};
use cortexkey_client::{CallError, Client, ClientOptions, Method, Retry};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{Options, SeededKey, Tenant};

use crate::{NOBODY, alone, passed};

const KEY: &[u8] = b"DCdIeow0xm73EwnxjPza1tdHTfZQv2eH";

fn signer_of(seeded: &SeededKey) -> Signer {
    Signer::new(seeded.id(), seeded.level(), Key::new(seeded.expose().as_bytes()).unwrap())
}

fn client(url: &str, signer: Signer) -> Client {
    let timeout = Duration::from_secs(5);
    let options = ClientOptions { timeout, retry: Retry::NEVER, ..ClientOptions::default() };
    Client::new(url.parse().unwrap(), signer, options)
}

fn of(tenant: &Tenant, level: Level) -> Client {
    let keys = tenant.seeded_keys().unwrap();
    let seeded = if level == Level::Standard { &keys.standard } else { &keys.advanced };
    client(tenant.url(), signer_of(seeded))
}

/// A server that reads one request and responds with these bytes.
fn answering(bytes: Vec<u8>, hold: Duration) -> (Client, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut reader = BufReader::new(stream);
        let mut head = String::new();
        while reader.read_line(&mut head).unwrap() > 2 {}
        // Closing with an unread body would reset the connection.
        let lower = head.to_ascii_lowercase();
        let length = lower.lines().find_map(|line| line.strip_prefix("content-length: "));
        let length = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
        let _ = reader.by_ref().take(length).read_to_end(&mut Vec::new());
        std::thread::sleep(hold);
        let _ = reader.get_mut().write_all(&bytes);
        head
    });
    let signer = Signer::new(KeyId::new(7).unwrap(), Level::Standard, Key::new(KEY).unwrap());
    let options = ClientOptions {
        timeout: Duration::from_secs(2),
        max_answer_bytes: 1000,
        retry: Retry::NEVER,
        ..ClientOptions::default()
    };
    (Client::new(url.parse().unwrap(), signer, options), server)
}

fn error_of(answer: &str) -> (CallError, String) {
    let (client, _server) = answering(answer.replace('\n', "\r\n").into_bytes(), Duration::ZERO);
    let error = client.ping().unwrap_err();
    let text = error.to_string();
    assert!(!text.contains(std::str::from_utf8(KEY).unwrap()), "{text}");
    assert!(!format!("{error:?}").contains(std::str::from_utf8(KEY).unwrap()), "{error:?}");
    (error, text)
}

/// The text with a fixed port, for snapshots.
fn without_port(text: &str) -> String {
    let mut parts = text.split("127.0.0.1:");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| {
        text + "127.0.0.1:PORT" + part.trim_start_matches(|c: char| c.is_ascii_digit())
    })
}

#[test]
fn both_levels_ping_as_often_as_they_like() {
    let tenant = Tenant::start(Options::default()).unwrap();
    for level in [Level::Standard, Level::Advanced] {
        let client = of(&tenant, level);
        for _ in 0..3 {
            let ping = client.ping().unwrap();
            assert!(ping.clock_offset_ms.unwrap().abs() < 3000, "{ping:?}");
            assert!(ping.round_trip < Duration::from_secs(5));
        }
        assert!(!format!("{client:?}").contains(tenant.seeded_keys().unwrap().standard.expose()));
    }
}

#[test]
fn keys_are_generated_listed_used_and_deleted() {
    let tenant = Tenant::start(Options::default()).unwrap();
    let admin = of(&tenant, Level::Advanced);
    let request = GenerateRequest {
        roles: vec!["Instance Administrator".into()],
        security_level: SecurityLevel::Advanced,
        expiration: None,
        comment: Some("a pipeline".into()),
    };
    let made = admin.generate_key(&request).unwrap();
    let id = KeyId::new(made.id).unwrap();
    let key = Key::new(made.key.expose().as_bytes()).unwrap();
    let other = client(tenant.url(), Signer::new(id, Level::Advanced, key));

    let request = ListRequest { filters: vec![Filter::IdIn(vec![made.id])], ..Default::default() };
    let listed = other.list_keys(&request).unwrap();
    assert_eq!(listed.keys[0].comment.as_deref(), Some("a pipeline"));
    assert_eq!((listed.filter_count, listed.total_count), (Some(1), Some(3)));

    assert_eq!(admin.delete_keys(&[id]).unwrap(), 1);
    assert_eq!(other.ping().unwrap_err().status(), Some(401));
}

#[test]
fn a_401_lists_the_usual_causes() {
    let tenant = Tenant::start(Options::default()).unwrap();
    let key = tenant.seeded_keys().unwrap().advanced.expose().as_bytes();
    let wrong_level = Signer::new(KeyId::new(2).unwrap(), Level::Standard, Key::new(key).unwrap());
    let error = client(tenant.url(), wrong_level).ping().unwrap_err().to_string();
    insta::assert_snapshot!("a 401", error);
    assert!(!error.contains("clock"), "{error}");

    // A local tenant's explanation is believed.
    let tenant = Tenant::start(Options { explain: true, ..Options::default() }).unwrap();
    let signer = Signer::new(KeyId::new(9).unwrap(), Level::Standard, Key::new(KEY).unwrap());
    let error = client(tenant.url(), signer).ping().unwrap_err().to_string();
    assert!(error.contains("(unknown-key)"), "{error}");
    wording!(error);
}

#[test]
fn a_clock_that_is_off_is_reported() {
    let (_, text) = error_of(
        "HTTP/1.1 401 Unauthorized\nDate: Sun, 06 Nov 1994 08:49:37 GMT\nContent-Length: 0\n\n",
    );
    // The difference varies between runs.
    let start = text.find("this machine's clock").unwrap_or_else(|| panic!("{text}"));
    wording!(text[start..].replace(|c: char| c.is_ascii_digit(), ""));
}

#[test]
fn other_refusals_state_the_next_step() {
    let mut texts = Vec::new();
    for (status, header, body) in [
        (402, "", ""),
        (403, "", r#"{"reply":{"err_msg":"Insufficient permissions for api key"}}"#),
        (403, "", ""),
        (404, "", "<html>"),
        (429, "Retry-After: 30\n", ""),
        (500, "", r#"{"error":"Unknown custom roles"}"#),
        (503, "", ""),
    ] {
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\n{header}Content-Length: {length}\n\n{body}");
        let (error, text) = error_of(&answer);
        assert_eq!(error.status(), Some(status));
        texts.push(text);
    }
    insta::assert_snapshot!("refusals", texts.join("\n"));
}

#[test]
fn headers_echoed_by_the_server_are_removed() {
    let key = std::str::from_utf8(KEY).unwrap();
    let body = format!(r#"{{"error":"bad\u202e\u001b[31m{key}","details":{{"seen":"{key}"}}}}"#);
    let length = body.len();
    let (_, text) = error_of(&format!(
        "HTTP/1.1 400 X\nx-cortexkey-verdict: {key}\nContent-Length: {length}\n\n{body}"
    ));
    wording!(text);
}

#[test]
fn a_secret_is_removed_anywhere() {
    let quoted = r#"q"uo\te"#;
    for (key, shown) in [
        (quoted, r#"q\"uo\\te"#),
        // An object's name, and a number.
        ("31415926535897", "31415926535897"),
    ] {
        let number = if key == quoted { "7" } else { key };
        let body = format!(
            r#"{{"err_code":"E\u001b[2J {shown}","err_msg":"m {shown}","details":[{{"{shown}":
            "{shown}\u0007"}},["{{\"in\":{shown}}}"],{number}]}}"#
        )
        .replace('\n', " ");
        let answer = format!("HTTP/1.1 400 X\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        });
        let key = Key::new(key.as_bytes()).unwrap();
        let signer = Signer::new(KeyId::new(7).unwrap(), Level::Standard, key);
        let error = client(&url, signer).ping().unwrap_err();
        server.join().unwrap();
        let text = error.to_string();
        let debug = format!("{error:?}");
        for secret in [quoted, r#"q\"uo\\te"#, "31415926535897"] {
            assert!(!text.contains(secret) && !debug.contains(secret), "{text} {debug}");
        }
        assert!(text.matches("(secret removed)").count() >= 5, "{text}");
        assert!(!text.contains(['\u{1b}', '\u{7}']), "{text}");
    }
}

#[test]
fn an_unusable_proxy_is_not_bypassed() {
    let marker = "CORTEXKEY_TEST_PROXIED";
    if std::env::var_os(marker).is_some() {
        let key = Key::new(KEY).unwrap();
        let signer = Signer::new(KeyId::new(7).unwrap(), Level::Standard, key);
        let error = client("api-none.invalid", signer).ping().unwrap_err();
        assert!(matches!(error, CallError::UnusableProxy { variable: "ALL_PROXY" }), "{error:?}");
        let text = error.to_string();
        assert!(!text.contains("hunter2") && !format!("{error:?}").contains("hunter2"));
        return;
    }
    passed(
        alone("calls::an_unusable_proxy_is_not_bypassed")
            .env(marker, "1")
            .env("ALL_PROXY", "socks5://me:hunter2@127.0.0.1:1")
            .env_remove("NO_PROXY")
            .env_remove("no_proxy"),
    );
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let to = elsewhere.local_addr().unwrap();
    for status in [301, 302, 307, 308] {
        let (error, text) = error_of(&format!(
            "HTTP/1.1 {status} X\nLocation: http://{to}/login\nContent-Length: 0\n\n"
        ));
        assert!(matches!(error, CallError::Redirected { .. }), "{error:?}");
        assert!(text.contains(&to.to_string()), "{text}");
    }
    assert!(elsewhere.accept().is_err(), "somebody went there");
}

#[test]
fn invalid_responses_have_their_own_messages() {
    let large = format!("HTTP/1.1 200 OK\nContent-Length: 2000\n\n{}", " ".repeat(2000));
    let mut texts = Vec::new();
    for answer in [
        "HTTP/1.1 200 OK\nContent-Length: 100\n\n\"tr",
        "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n6\n\"tr",
        "",
        "HTTP/1.1 200 OK\nContent-Type: text/html\nContent-Length: 6\n\n<html>",
        "HTTP/1.1 200 OK\nContent-Length: 0\n\n",
        "HTTP/1.1 200 OK\nContent-Length: 7\n\n\"false\"",
        "HTTP/1.1 200 OK\nContent-Length: 7\n\n[1,2,3]",
        "SSH-2.0-OpenSSH_9.2\n\n",
        &large,
    ] {
        texts.push(without_port(&error_of(answer).1));
    }
    insta::assert_snapshot!("invalid answers", texts.join("\n"));
    // The product returns a string; some of its clients also accept this value.
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ntrue".to_vec();
    assert!(answering(answer, Duration::ZERO).0.ping().is_ok());
}

#[test]
fn slow_and_absent_servers_are_distinguished() {
    let (client, _server) = answering(Vec::new(), Duration::from_secs(20));
    let error = client.ping().unwrap_err();
    assert!(matches!(error, CallError::Timeout { .. }), "{error:?}");

    let url = format!("http://{NOBODY}");
    let signer = || Signer::new(KeyId::new(7).unwrap(), Level::Standard, Key::new(KEY).unwrap());
    let error = self::client(&url, signer()).ping().unwrap_err();
    assert!(matches!(error, CallError::Unreachable { .. }), "{error:?}");

    let error = self::client("api-none.invalid", signer()).ping().unwrap_err();
    // If a proxy is set, the proxy resolves the name.
    let proxied =
        ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "http_proxy", "HTTP_PROXY"]
            .into_iter()
            .any(|name| std::env::var_os(name).is_some());
    assert!(proxied || matches!(error, CallError::UnknownHost { .. }), "{error:?}");
}

#[test]
fn a_server_without_tls_is_refused_before_anything_is_sent() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("https://{}", listener.local_addr().unwrap());
    let server = std::thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
    });
    let signer = Signer::new(KeyId::new(7).unwrap(), Level::Standard, Key::new(KEY).unwrap());
    let text = client(&url, signer).ping().unwrap_err().to_string();
    assert!(text.contains("TLS connection"), "{text}");
    server.join().unwrap();
}

#[test]
fn no_proxy_is_used_for_loopback() {
    let nobody = format!("http://{NOBODY}");
    let variables = ["http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"];
    passed(
        alone("calls::both_levels_ping_as_often_as_they_like")
            .envs(variables.map(|name| (name, &nobody)))
            .env_remove("NO_PROXY")
            .env_remove("no_proxy"),
    );
}

#[test]
fn paths_and_bodies_are_checked_before_anything_is_sent() {
    let (client, _server) = answering(Vec::new(), Duration::ZERO);
    assert!(matches!(client.call(Method::Get, "@evil.example", None), Err(CallError::Path(_))));
    let error = client.call(Method::Get, "/x", Some(b"{}")).unwrap_err();
    assert!(matches!(error, CallError::BodyNotAllowed { .. }), "{error:?}");
    assert!("post".parse::<Method>().is_ok() && "BREW".parse::<Method>().is_err());
}

#[test]
fn requests_carry_the_documented_headers() {
    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\n\"true\"".to_vec();
    let (client, server) = answering(answer, Duration::ZERO);
    client.ping().unwrap();
    let head = server.join().unwrap().to_ascii_lowercase();
    for line in [
        "post /api_keys/validate/ http/1.1\r\n",
        "\r\nx-xdr-auth-id: 7\r\n",
        "\r\nauthorization: dcdieow0xm73ewnxjpza1tdhtfzqv2eh\r\n",
        "\r\ncontent-type: application/json\r\n",
        "\r\ncontent-length: 2\r\n",
        "\r\nuser-agent: cortexkey/",
    ] {
        assert!(head.contains(line), "{line} in {head}");
    }
}

/// The output of `cortexkey examples rust`.
#[test]
fn the_example_in_rust_works() {
    let tenant = Tenant::start(Options::default()).unwrap();
    let keys = tenant.seeded_keys().unwrap();
    // Cargo builds it together with the tests: target/PROFILE/examples.
    let program = std::env::current_exe().unwrap();
    let program = program.ancestors().nth(2).unwrap().join("examples/first_call");
    for seeded in [&keys.standard, &keys.advanced] {
        let output = std::process::Command::new(&program)
            .env("CORTEXKEY_API_URL", tenant.url())
            .env("CORTEXKEY_API_KEY_ID", seeded.id().to_string())
            .env("CORTEXKEY_API_KEY_TYPE", seeded.level().as_str())
            .env("CORTEXKEY_API_KEY", seeded.expose())
            .env("XDG_CONFIG_HOME", "/nonexistent")
            .output()
            .expect("cargo builds it with all tests: cargo test -p cortexkey-client");
        let text = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success() && !text.is_empty(), "{output:?}");
    }
}
