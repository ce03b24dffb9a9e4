//! Which calls are retried, and what happens if the clock is wrong.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use cortexkey_client::{
    Call, CallError, CallNotice, ChildTenant, Client, ClientOptions, Method, Observer, Retry,
};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_tenant::{Clock, Options, SettableClock, Tenant};

const KEY: &[u8] = b"DCdIeow0xm73EwnxjPza1tdHTfZQv2eH";

/// A server with these responses, one per connection; `None` closes the connection.
fn answering(answers: &[Option<&str>]) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let heads = Arc::clone(&seen);
    let answers = answers.iter().map(|a| a.map(str::to_owned));
    let answers: Vec<_> = answers.collect();
    std::thread::spawn(move || {
        for answer in answers {
            let mut reader = BufReader::new(listener.accept().unwrap().0);
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let length = head.to_ascii_lowercase();
            let length = length.split("content-length: ").nth(1);
            let length = length.and_then(|l| l.lines().next()?.parse().ok()).unwrap_or(0);
            reader.read_exact(&mut vec![0; length]).unwrap();
            heads.lock().unwrap().push(head);
            if let Some(answer) = answer {
                let answer = format!("HTTP/1.1 {answer}\r\nConnection: close\r\n");
                let length = "Content-Length: 6\r\n\r\n\"true\"";
                reader.get_mut().write_all((answer + length).as_bytes()).unwrap();
            }
        }
    });
    (url, seen)
}

fn client(url: &str, options: ClientOptions) -> Client {
    let signer = Signer::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(KEY).unwrap());
    Client::new(url.parse().unwrap(), signer, options)
}

fn options() -> ClientOptions {
    let base = Duration::from_millis(2);
    let retry = Retry { retries: 2, base, wait_max: Duration::from_secs(1) };
    ClientOptions { retry, timeout: Duration::from_secs(5), ..ClientOptions::default() }
}

fn nonce(head: &str) -> String {
    head.to_ascii_lowercase().split("x-xdr-nonce: ").nth(1).unwrap()[..64].to_owned()
}

/// How often a server with this response is called, by a call that may or may not be retried.
fn attempts(first: Option<&str>, repeatable: bool) -> usize {
    let (url, seen) = answering(&[first, Some("200 OK"), Some("200 OK")]);
    let method = Method::Post;
    let path = "/x";
    let _ = client(&url, options()).send(&Call { method, path, body: None, repeatable });
    let heads = seen.lock().unwrap();
    if let [first, second] = heads.as_slice() {
        assert_ne!(nonce(first), nonce(second), "signed anew");
    }
    heads.len()
}

#[test]
fn only_safe_calls_are_retried() {
    for (first, repeatable, expected) in [
        (Some("429 Too Many\r\nRetry-After: 0"), false, 2),
        (Some("503 Busy"), true, 2),
        (Some("503 Busy"), false, 1),
        (Some("502 Bad"), true, 2),
        (Some("504 Late"), false, 1),
        (None, true, 2),
        (None, false, 1),
        (Some("401 No"), true, 1),
        (Some("403 No"), true, 1),
        (Some("500 Error"), true, 1),
        (Some("400 Bad"), true, 1),
        (Some("302 Found\r\nLocation: /x"), true, 1),
        (Some("200 OK"), true, 1),
        // Longer than a user would wait.
        (Some("429 Too Many\r\nRetry-After: 3600"), true, 1),
    ] {
        assert_eq!(attempts(first, repeatable), expected, "{first:?} {repeatable}");
    }
}

#[test]
fn a_call_is_given_up_after_its_retries_with_the_last_error() {
    let busy = Some("503 Busy");
    let (url, seen) = answering(&[busy, busy, busy, Some("200 OK")]);
    let reported = Arc::new(Mutex::new(0));
    let count = Arc::clone(&reported);
    let observer = Observer::new(move |notice| {
        assert!(matches!(notice, CallNotice::Again { .. }));
        *count.lock().unwrap() += 1;
    });
    let options = ClientOptions { observer: Some(observer), ..options() };
    let error = client(&url, options).ping().unwrap_err();
    assert_eq!(error.status(), Some(503));
    assert_eq!((seen.lock().unwrap().len(), *reported.lock().unwrap()), (3, 2));
}

#[test]
fn the_tenants_clock_is_taken_once() {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    let now_ms = u64::try_from(now.as_millis()).unwrap();
    for (off_ms, corrected) in
        [(3_600_000, true), (-600_000, true), (0, false), (172_800_000, false)]
    {
        let clock = SettableClock::at(now_ms.saturating_add_signed(off_ms));
        let options = Options { clock: Clock::Settable(clock), ..Options::default() };
        let tenant = Tenant::start(options).unwrap();
        let seeded = &tenant.seeded_keys().unwrap().advanced;
        let reported = Arc::new(Mutex::new(Vec::new()));
        let notices = Arc::clone(&reported);
        let observer = Observer::new(move |notice| {
            if let CallNotice::ClockCorrected { offset_ms } = notice {
                notices.lock().unwrap().push(*offset_ms);
            }
        });
        let options = ClientOptions { observer: Some(observer), ..self::options() };
        let key = Key::new(seeded.expose().as_bytes()).unwrap();
        let signer = Signer::new(seeded.id(), Level::Advanced, key);
        let client = Client::new(tenant.url().parse().unwrap(), signer, options);
        let first = client.ping();
        let second = client.ping();
        let reported = reported.lock().unwrap();
        let expect_good = corrected || off_ms == 0;
        assert_eq!(
            (first.is_ok(), second.is_ok()),
            (expect_good, expect_good),
            "{off_ms} {first:?}"
        );
        assert_eq!(reported.len(), usize::from(corrected), "{off_ms}");
        if let [offset_ms] = reported.as_slice() {
            assert!((offset_ms - off_ms).abs() < 2000, "{offset_ms} {off_ms}");
        }
        if let Err(error) = first {
            assert!(matches!(error, CallError::Refused(_)));
        }
    }
}

#[test]
fn every_call_names_the_child_tenant() {
    let (url, seen) = answering(&[Some("200 OK")]);
    let child_tenant = ChildTenant::new("child-9");
    client(&url, ClientOptions { child_tenant, ..options() }).ping().unwrap();
    assert!(
        seen.lock().unwrap()[0].to_ascii_lowercase().contains("x-child-tenant-id: child-9\r\n")
    );
}
