//! A replay guard on a real redis-server: refused while the server is away, full, read-only or set
//! to evict, and what was accepted is not accepted again.

use std::time::{Duration, Instant};

use cortexkey_core::auth::Level;
use cortexkey_tenant::{Clock, Options, RedisFault, StartError, Tenant};
use serde_json::json;

use crate::common::{Fixture, Headers, VALIDATE, start};
use crate::redis_server::RedisServer;

impl RedisServer {
    /// Says something to the server; its first line.
    fn say(&self, command: &str) -> String {
        self.lines(command).unwrap().next().unwrap().unwrap().trim().to_owned()
    }

    fn set(&self, name: &str, value: &str) {
        assert_eq!(self.say(&format!("CONFIG SET {name} {value}")), "+OK");
    }
}

fn tenant(server: &RedisServer) -> Fixture {
    start(|options| {
        options.replay_server = Some(server.url());
        options.clock = Clock::System;
        options.explain = true;
    })
}

fn now_ms() -> u64 {
    Clock::System.now_ms()
}

fn fresh(f: &Fixture) -> Headers {
    crate::common::sign_at(&f.advanced(), now_ms())
}

fn verdict(f: &Fixture, headers: &Headers) -> String {
    f.send(headers, VALIDATE, "{}").header("x-cortexkey-verdict").unwrap().to_owned()
}

/// Waits until fresh requests get a verdict.
fn wait_for(f: &Fixture, wanted: &str) {
    wait_with(f, || fresh(f), wanted);
}

fn wait_with(f: &Fixture, headers: impl Fn() -> Headers, wanted: &str) {
    let until = Instant::now() + Duration::from_secs(20);
    let mut last = String::new();
    while Instant::now() < until {
        last = verdict(f, &headers());
        if last == wanted {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("{last}, not {wanted}");
}

#[test]
fn it_refuses_while_the_server_cannot_be_relied_on() {
    let server = RedisServer::start();
    let f = tenant(&server);
    let used = fresh(&f);
    assert_eq!(verdict(&f, &used), "accept");
    assert_eq!(verdict(&f, &used), "replayed");

    server.set("maxmemory-policy", "allkeys-lru");
    wait_for(&f, "replay-guard-unavailable");
    server.set("maxmemory-policy", "noeviction");
    wait_for(&f, "accept");

    server.set("maxmemory", "1");
    wait_for(&f, "replay-guard-full");
    server.set("maxmemory", "0");
    wait_for(&f, "accept");

    assert_eq!(server.say("REPLICAOF 127.0.0.1 1"), "+OK");
    wait_for(&f, "replay-guard-unavailable");
    assert_eq!(server.say("REPLICAOF NO ONE"), "+OK");
    wait_for(&f, "accept");

    assert_eq!(server.say("CLIENT PAUSE 1500 ALL"), "+OK");
    assert_eq!(verdict(&f, &fresh(&f)), "replay-guard-unavailable");
    wait_for(&f, "accept");
    // Through all of it.
    wait_with(&f, || used.clone(), "replayed");
}

#[test]
fn a_server_that_starts_again_may_have_forgotten_and_nothing_from_before_is_accepted() {
    let mut server = RedisServer::start();
    let f = tenant(&server);
    let used = fresh(&f);
    assert_eq!(verdict(&f, &used), "accept");
    server.end();
    wait_for(&f, "replay-guard-unavailable");
    server.start_again();
    wait_for(&f, "replay-guard-starting");
    assert_eq!(verdict(&f, &used), "replay-guard-starting");
    // What is made since cannot have been used before.
    let request = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    let body = json!({ "request_data": request }).to_string();
    let answer = f.send(&f.sign(&f.standard()), crate::common::GENERATE, &body).json();
    let key = answer["reply"]["key"].as_str().unwrap();
    let key = cortexkey_core::auth::Key::new(key.as_bytes()).unwrap();
    let id = cortexkey_core::auth::KeyId::new(3).unwrap();
    let signer = cortexkey_core::auth::Signer::new(id, Level::Advanced, key);
    let made_since = crate::common::sign_at(&signer, now_ms());
    assert_eq!(verdict(&f, &made_since), "accept");
    assert_eq!(verdict(&f, &made_since), "replayed");
}

#[test]
fn a_server_that_is_none_for_this_is_refused_at_the_start() {
    let fault = |url: String| {
        let error = Tenant::start(Options { replay_server: Some(url), ..Options::default() });
        match error.unwrap_err() {
            StartError::ReplayServer(fault) => fault,
            other => panic!("{other}"),
        }
    };
    let mut server = RedisServer::start();
    server.set("maxmemory-policy", "volatile-ttl");
    assert_eq!(fault(server.url()), RedisFault::Evicts);
    server.set("maxmemory-policy", "noeviction");
    assert_eq!(server.say("REPLICAOF 127.0.0.1 1"), "+OK");
    assert_eq!(fault(server.url()), RedisFault::Replica);
    assert_eq!(server.say("REPLICAOF NO ONE"), "+OK");
    server.set("requirepass", "hush");
    assert_eq!(fault(server.url()), RedisFault::Denied);
    assert_eq!(fault("redis://".into()), RedisFault::Address);
    server.end();
    let away = fault(server.url());
    assert!(matches!(away, RedisFault::Away | RedisFault::Silent), "{away:?}");
}
