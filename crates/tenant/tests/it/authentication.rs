//! Which requests are accepted, which are rejected, and what an unauthenticated client can learn.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::sync::{Arc, Barrier};
use std::time::{Duration, Instant};

use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{Options, ReplayMode, StartError, Tenant};
use serde_json::json;

use crate::common::{
    Answer, Fixture, Headers, LIST, NOW_MS, VALIDATE, sign_at, start, stops_promptly, with, without,
};

const SECRET: [&str; 2] = ["Authorization", "x-xdr-nonce"];
const UNAUTHORIZED: &str =
    r#"{"reply":{"err_code":401,"err_msg":"Public API request unauthorized","err_extra":null}}"#;

#[test]
fn both_levels_pass_every_validation() {
    let f = start(|_| {});
    for path in [
        "/api_keys/validate",
        "/api_keys/validate/",
        "/public_api/v1/api_keys/validate/",
        "/xsoar/public/v1/api_keys/validate",
        "/xsiam/public/v1/api_keys/validate/",
        "/xsoar/api_keys/validate/",
    ] {
        for signer in [f.standard(), f.advanced()] {
            let posted = f.send(&f.sign(&signer), path, "{}");
            assert_eq!((posted.status, posted.body.as_str()), (200, "\"true\""), "{path}");
            let got = f.get(&f.sign(&signer), path);
            assert_eq!((got.status, got.body.as_str()), (200, "\"true\""), "{path}");
            assert_eq!(got.header("content-type"), Some("application/json"));
        }
    }
    // Clients set their clocks by it.
    let dated = f.get(&f.sign(&f.standard()), "/api_keys/validate");
    assert_eq!(dated.header("date"), Some("Mon, 28 Sep 2026 16:08:47 GMT"));
    let health = f.get(&f.sign(&f.standard()), "/public_api/v1/health_check/").json();
    assert_eq!(
        (&health["reply"]["status"], &health["reply"]["timestamp"]),
        (&json!("available"), &json!(NOW_MS))
    );
    let health = f.get(&f.sign(&f.standard()), "/public_api/v1/healthcheck");
    assert_eq!((health.status, health.body.as_str()), (200, r#"{"status":"available"}"#));
}

/// How many requests [`refusals`] makes.
const REFUSALS_CALLS: usize = 2;

/// Each reason for a refusal, with its code.
fn refusals(f: &Fixture) -> Vec<(&'static str, Headers)> {
    let standard = f.standard();
    let advanced = f.advanced();
    let signed = || f.sign(&advanced);
    let short_lived = json!({
        "roles": ["Viewer"], "security_level": "standard", "expiration": NOW_MS + 1000,
    });
    let expired = f.generate(&short_lived, Level::Standard);
    f.clock.advance(2000);
    let replayed = signed();
    assert_eq!(f.send(&replayed, VALIDATE, "{}").status, 200);
    let key = Key::new(&[b'x'; 128]).unwrap();
    let id = |id| KeyId::new(id).unwrap();
    let standard_key = f.tenant.seeded_keys().unwrap().standard.expose().as_bytes();
    let advanced_key = f.tenant.seeded_keys().unwrap().advanced.expose().as_bytes();
    let now_ms = f.clock.now_ms();
    let seconds = (now_ms / 1000).to_string();
    vec![
        ("missing-header", vec![]),
        ("missing-header", without(signed(), "Authorization")),
        ("missing-header", without(signed(), "x-xdr-nonce")),
        ("bad-key-id", with(signed(), "x-xdr-auth-id", "02")),
        ("bad-nonce", with(signed(), "x-xdr-nonce", &"n".repeat(65))),
        ("bad-timestamp", with(signed(), "x-xdr-timestamp", &seconds)),
        ("bad-authorization", with(f.sign(&standard), "Authorization", "Bearer abc")),
        ("unknown-key", f.sign(&Signer::new(id(99), Level::Standard, key))),
        ("unknown-key", f.sign(&Signer::new(id(99), Level::Advanced, key))),
        (
            "level-mismatch",
            f.sign(&Signer::new(id(1), Level::Advanced, Key::new(standard_key).unwrap())),
        ),
        (
            "level-mismatch",
            f.sign(&Signer::new(id(2), Level::Standard, Key::new(advanced_key).unwrap())),
        ),
        ("wrong-signature", f.sign(&Signer::new(id(1), Level::Standard, key))),
        ("wrong-signature", f.sign(&Signer::new(id(2), Level::Advanced, key))),
        ("key-expired", f.sign(&expired)),
        ("timestamp-stale", sign_at(&advanced, now_ms - 60_001)),
        ("timestamp-future", sign_at(&advanced, now_ms + 60_001)),
        ("replayed", replayed),
    ]
}

#[test]
fn all_refusals_look_alike() {
    let f = start(|_| {});
    let answers: Vec<(_, Answer)> = refusals(&f)
        .into_iter()
        .map(|(code, headers)| (code, f.send(&headers, VALIDATE, "{}")))
        .collect();
    for (code, answer) in &answers {
        assert_eq!((answer.status, answer.body.as_str()), (401, UNAUTHORIZED), "{code}");
        assert_eq!(answer.without_date(), answers[0].1.without_date(), "{code}");
    }
}

#[test]
fn explained_refusals_state_reason_and_remedy() {
    let f = start(|options| options.explain = true);
    for (code, headers) in refusals(&f) {
        let answer = f.send(&headers, VALIDATE, "{}");
        assert_eq!((answer.status, answer.body.as_str()), (401, UNAUTHORIZED), "{code}");
        assert_eq!(answer.header("x-cortexkey-verdict"), Some(code));
        assert!(answer.header("x-cortexkey-remedy").is_some_and(|text| !text.is_empty()), "{code}");
    }
    let good = f.send(&f.sign(&f.advanced()), VALIDATE, "{}");
    assert_eq!(good.header("x-cortexkey-verdict"), Some("accept"));
    assert_eq!(good.header("x-cortexkey-remedy"), None);
}

#[test]
fn the_log_contains_the_verdict_and_no_secret() {
    let (send, logged) = channel();
    let f = start(|options| {
        options.log = Some(Arc::new(move |line| {
            let text = format!("{line} {line:?}");
            send.send((line.id, line.verdict.code(), text)).unwrap();
        }));
    });
    let requests = refusals(&f);
    for (_, headers) in &requests {
        f.send(headers, &format!("{VALIDATE}?key=leak"), "{}");
    }
    // A separate thread writes the log, possibly after the response and in another order.
    let next = || logged.recv_timeout(Duration::from_secs(20)).unwrap();
    let mut lines: Vec<_> = (0..REFUSALS_CALLS + requests.len()).map(|_| next()).collect();
    lines.sort();
    let lines = &lines[REFUSALS_CALLS..];
    for ((code, headers), (_, logged, text)) in requests.iter().zip(lines) {
        assert_eq!(code, logged);
        assert!(!text.contains("leak"), "{text}");
        for (name, value) in headers.iter().filter(|(name, _)| SECRET.contains(&name.as_str())) {
            assert!(!text.contains(value.as_str()), "{name} in {text}");
        }
    }
    assert!(logged.try_recv().is_err(), "one line a request");
}

#[test]
fn a_repeated_header_is_refused() {
    let f = start(|options| options.explain = true);
    let key = f.tenant.seeded_keys().unwrap().standard.expose();
    let request = |id: &str| {
        format!(
            "GET /api_keys/validate/ HTTP/1.1\r\nHost: x\r\n{id}\r\nAuthorization:  {key} \t\r\n\
             Connection: close\r\n\r\n"
        )
    };
    // White space around a value is not part of it.
    let once = f.raw(request("X-XDR-Auth-Id: 1").as_bytes());
    assert!(once.starts_with("HTTP/1.1 200"), "{once}");
    for twice in [
        "x-xdr-auth-id: 1\r\nX-Xdr-Auth-Id: 1",
        "x-xdr-auth-id: 1\r\nX-Xdr-Auth-Id: 2",
        "x-xdr-auth-id: 1\r\nauthorization: other",
    ] {
        let answer = f.raw(request(twice).as_bytes());
        assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
        assert!(answer.contains("x-cortexkey-verdict: duplicate-header"), "{answer}");
    }
    // Bytes above ASCII reach the grammar, and it refuses them.
    let mut bytes = request("x-xdr-auth-id: 1").into_bytes();
    let at = bytes.windows(15).position(|part| part == b"Authorization: ").unwrap() + 17;
    bytes[at] = 0xe9;
    let answer = f.raw(&bytes);
    assert!(answer.contains("x-cortexkey-verdict: bad-authorization"), "{answer}");
}

#[test]
fn one_of_concurrent_duplicates_is_accepted() {
    const THREADS: usize = 8;
    let f = Arc::new(start(|_| {}));
    let signer = f.advanced();
    for _ in 0..25 {
        let headers = f.sign(&signer);
        let accepted = AtomicUsize::new(0);
        let barrier = Barrier::new(THREADS);
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    if f.send(&headers, VALIDATE, "{}").status == 200 {
                        accepted.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        assert_eq!(accepted.into_inner(), 1);
    }
}

#[test]
fn replays_are_observed_or_ignored_on_demand() {
    let f = start(|options| {
        options.replay = ReplayMode::Observe;
        options.explain = true;
    });
    let headers = f.sign(&f.advanced());
    let first = f.send(&headers, VALIDATE, "{}");
    assert_eq!((first.status, first.header("x-cortexkey-observed")), (200, None));
    let second = f.send(&headers, VALIDATE, "{}");
    assert_eq!((second.status, second.header("x-cortexkey-observed")), (200, Some("replayed")));

    let f = start(|options| options.replay = ReplayMode::Off);
    let headers = f.sign(&f.advanced());
    for _ in 0..2 {
        assert_eq!(f.send(&headers, VALIDATE, "{}").status, 200);
    }
}

#[test]
fn unauthenticated_clients_cannot_tell_which_paths_exist() {
    let f = start(|_| {});
    let nobody = f.get(&vec![], "/public_api/v1/no_such_call");
    assert_eq!(nobody.without_date(), f.get(&vec![], LIST).without_date());
    assert_eq!(nobody.status, 401);

    let unknown = f.get(&f.sign(&f.advanced()), "/public_api/v1/no_such_call");
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.json()["reply"]["err_code"], 404);
    let wrong_method = f.get(&f.sign(&f.advanced()), LIST);
    assert_eq!(wrong_method.status, 405);
    assert_eq!(wrong_method.json()["reply"]["err_code"], 405);
    assert_eq!(wrong_method.header("allow"), Some("POST"));
}

#[test]
fn the_ready_line_is_the_documented_one() {
    let f = start(|_| {});
    let keys = f.tenant.seeded_keys().unwrap();
    let expected = format!(
        r#"{{"url":"{}","pid":{},"keys":{{"standard":{{"id":1,"key":"{}"}},"advanced":{{"id":2,"key":"{}"}}}}}}"#,
        f.tenant.url(),
        std::process::id(),
        keys.standard.expose(),
        keys.advanced.expose(),
    );
    assert_eq!(f.tenant.ready_line(), expected);
}

#[test]
fn it_listens_on_this_machine_only() {
    let listen = "0.0.0.0:0".parse().unwrap();
    let error = Tenant::start(Options { listen, ..Options::default() }).unwrap_err();
    assert!(matches!(error, StartError::NotLoopback { .. }));
    assert!(error.to_string().contains("127.0.0.1:0"), "{error}");

    let first = Tenant::start(Options::default()).unwrap();
    let listen = first.url()["http://".len()..].parse().unwrap();
    let error = Tenant::start(Options { listen, ..Options::default() }).unwrap_err();
    assert!(matches!(error, StartError::Listen { .. }), "{error}");
}

#[test]
fn it_stops_promptly_with_connections_open() {
    stops_promptly(|| {
        let f = start(|_| {});
        let address = f.tenant.url()["http://".len()..].to_owned();
        let _idle = std::net::TcpStream::connect(&address).unwrap();
        assert_eq!(f.send(&f.sign(&f.standard()), VALIDATE, "{}").status, 200);
        let started = Instant::now();
        f.tenant.stop();
        let took = started.elapsed();
        assert!(std::net::TcpStream::connect(&address).is_err());
        took
    });
}
