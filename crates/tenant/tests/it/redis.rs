//! A replay guard on a real redis-server and valkey-server: requests are refused while the server
//! is down, full, read-only or set to evict, and accepted requests are not accepted again, whatever
//! happens to clocks, skews, processes and modes.

use std::path::Path;
use std::time::{Duration, Instant};

use cortexkey_core::auth::{Level, Signer, Skew};
use cortexkey_tenant::{Clock, Control, Options, RedisFault, ReplayMode, StartError, Tenant};
use serde_json::json;

use crate::common::{Fixture, Headers, VALIDATE, start};
use crate::redis_server::{RedisServer, valkey};

impl RedisServer {
    /// Sends a command to the server; returns the first line of the reply.
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
        options.skew = Skew::from_ms(1_000).unwrap();
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

/// Waits until new requests get a verdict.
fn wait_for(f: &Fixture, wanted: &str) {
    wait_with(f, || fresh(f), wanted);
}

fn wait_with(f: &Fixture, headers: impl Fn() -> Headers, wanted: &str) {
    wait_until(f, &mut || headers(), wanted);
}

fn wait_until(f: &Fixture, headers: &mut dyn FnMut() -> Headers, wanted: &str) {
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
fn an_unreliable_server_is_refused() {
    for server in RedisServer::start_each() {
        relies_on(&server);
    }
}

fn relies_on(server: &RedisServer) {
    let f = tenant(server);
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
    // Throughout, although it has become too old meanwhile.
    assert_ne!(verdict(&f, &used), "accept");
    let keys = server.lines("ZCARD {cortexkey-replay}:used").unwrap().next().unwrap().unwrap();
    assert!(keys.trim_start_matches(':').parse::<u32>().unwrap() > 1, "{keys}");
}

#[test]
fn a_restarted_server_accepts_nothing_from_before() {
    let mut server = RedisServer::start();
    let f = tenant(&server);
    let used = fresh(&f);
    assert_eq!(verdict(&f, &used), "accept");
    server.end();
    wait_for(&f, "replay-guard-unavailable");
    server.start_again();
    wait_for(&f, "replay-guard-starting");
    assert_eq!(verdict(&f, &used), "replay-guard-starting");
    // A key generated since then cannot have been used before.
    let request = json!({ "roles": ["Viewer"], "security_level": "advanced" });
    let body = json!({ "request_data": request }).to_string();
    let answer = f.send(&f.sign(&f.standard()), crate::common::GENERATE, &body).json();
    let key = answer["reply"]["key"].as_str().unwrap();
    let key = cortexkey_core::auth::Key::new(key.as_bytes()).unwrap();
    let id = cortexkey_core::auth::KeyId::new(3).unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    let mut made_since = Headers::new();
    let mut sign = || {
        made_since = crate::common::sign_at(&signer, now_ms());
        made_since.clone()
    };
    wait_until(&f, &mut sign, "accept");
    assert_eq!(verdict(&f, &made_since), "replayed");
}

/// A tenant with a data folder, in the given mode.
fn on_disk(folder: &Path, change: impl FnOnce(&mut Options)) -> Fixture {
    start(|options| {
        options.data = Some(folder.to_owned());
        options.clock = Clock::System;
        options.explain = true;
        change(options);
    })
}

#[test]
fn a_request_with_another_skew_is_remembered() {
    let server = RedisServer::start();
    let folder = tempfile::tempdir().unwrap();
    let with_skew = |ms: u64| {
        on_disk(folder.path(), |options| {
            options.replay_server = Some(server.url());
            options.skew = Skew::from_ms(ms).unwrap();
        })
    };
    let f = with_skew(1_000);
    let signer = f.advanced();
    let used = crate::common::sign_at(&signer, now_ms());
    assert_eq!(verdict(&f, &used), "accept");
    f.tenant.stop();
    std::thread::sleep(Duration::from_millis(1_500));
    let f = with_skew(60_000);
    wait_with(&f, || crate::common::sign_at(&signer, now_ms()), "accept");
    assert_eq!(verdict(&f, &used), "replayed");
}

#[test]
fn the_servers_clock_has_no_effect() {
    let folder = tempfile::tempdir().unwrap();
    let clock = folder.path().join("clock");
    let set = |ahead: &str| {
        let new = folder.path().join("new");
        std::fs::write(&new, ahead).unwrap();
        std::fs::rename(new, &clock).unwrap();
    };
    for program in [Some("redis-server".into()), valkey()].into_iter().flatten() {
        set("0");
        let server = RedisServer::start_with_clock(&program, &clock);
        let f = tenant(&server);
        let time = || {
            let answer = server.lines("TIME").unwrap().nth(2).unwrap().unwrap();
            answer.trim().parse::<u64>().unwrap()
        };
        let mut used = Vec::new();
        for ahead in ["0", "300", "-300", "90000", "0"] {
            set(ahead);
            std::thread::sleep(Duration::from_millis(300));
            let expected: i64 = ahead.parse().unwrap();
            let is_set = time().cast_signed() - (now_ms() / 1_000).cast_signed() - expected;
            assert!(is_set.abs() < 60, "the server's clock is not set: {is_set}");
            let mut last = Headers::new();
            let mut sign = || {
                last = fresh(&f);
                last.clone()
            };
            wait_until(&f, &mut sign, "accept");
            used.push(last);
            for headers in &used {
                assert_ne!(verdict(&f, headers), "accept", "{ahead}");
            }
        }
    }
}

#[test]
fn a_clock_that_is_ahead_does_not_lock_out_other_tenants() {
    const HOUR_MS: u64 = 3_600_000;
    let server = RedisServer::start();
    let f = tenant(&server);
    let ahead = start(|options| {
        options.replay_server = Some(server.url());
        options.clock = Clock::System;
        options.control = Control::Change;
        options.explain = true;
    });
    for by_ms in [120_000, 2 * HOUR_MS, 48 * HOUR_MS] {
        let change = json!({ "nowMs": now_ms() + by_ms });
        assert_eq!(ahead.put(&vec![], "/_cortexkey/clock", &change).status, 200);
        let sign = || crate::common::sign_at(&ahead.advanced(), now_ms() + by_ms);
        wait_with(&ahead, sign, "accept");
        wait_for(&f, "accept");
    }
    ahead.tenant.stop();
    wait_for(&f, "accept");
}

#[test]
fn a_clock_jump_around_a_data_loss_accepts_nothing_twice() {
    const HOUR_MS: u64 = 3_600_000;
    let mut server = RedisServer::start();
    let f = start(|options| {
        options.replay_server = Some(server.url());
        options.clock = Clock::System;
        options.control = Control::Change;
        options.explain = true;
    });
    let set = |ms: u64| {
        let change = json!({ "nowMs": ms });
        assert_eq!(f.put(&vec![], "/_cortexkey/clock", &change).status, 200);
    };
    set(now_ms() + HOUR_MS);
    let used = crate::common::sign_at(&f.advanced(), now_ms() + HOUR_MS + 50_000);
    wait_with(&f, || crate::common::sign_at(&f.advanced(), now_ms() + HOUR_MS), "accept");
    assert_eq!(verdict(&f, &used), "accept");
    set(now_ms());
    server.start_again();
    wait_for(&f, "replay-guard-starting");
    set(now_ms() + HOUR_MS);
    for _ in 0..30 {
        assert_ne!(verdict(&f, &used), "accept");
        std::thread::sleep(Duration::from_millis(100));
    }
}

#[test]
fn evictions_between_polls_are_detected() {
    let server = RedisServer::start();
    let f = tenant(&server);
    let used = fresh(&f);
    assert_eq!(verdict(&f, &used), "accept");
    for key in ["used", "state"] {
        server.set("maxmemory-policy", "allkeys-lru");
        assert_eq!(server.say(&format!("DEL {{cortexkey-replay}}:{key}")), ":1");
        server.set("maxmemory-policy", "noeviction");
        assert_eq!(server.say("CONFIG RESETSTAT"), "+OK");
        assert_ne!(verdict(&f, &used), "accept", "{key}");
    }
}

#[test]
fn changing_the_mode_accepts_no_request_again() {
    let server = RedisServer::start();
    let set = |mode: &str, options: &mut Options| match mode {
        "shared" => options.replay_server = Some(server.url()),
        "observe" => options.replay = ReplayMode::Observe,
        "off" => options.replay = ReplayMode::Off,
        _ => {}
    };
    for before in ["shared", "enforce", "observe", "off"] {
        for after in ["shared", "enforce"] {
            let folder = tempfile::tempdir().unwrap();
            let f = on_disk(folder.path(), |options| set(before, options));
            let signer = f.advanced();
            let used = crate::common::sign_at(&signer, now_ms() + 20_000);
            assert_eq!(verdict(&f, &used), "accept", "{before}");
            f.tenant.stop();
            let f = on_disk(folder.path(), |options| set(after, options));
            for _ in 0..35 {
                assert_ne!(verdict(&f, &used), "accept", "{before}, then {after}");
                std::thread::sleep(Duration::from_millis(100));
            }
        }
    }
}

#[test]
fn an_unsuitable_server_is_refused_at_the_start() {
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
    server.set("requirepass", "leak");
    assert_eq!(fault(server.url()), RedisFault::Denied);
    assert_eq!(fault("redis://".into()), RedisFault::Address);
    server.end();
    let away = fault(server.url());
    assert!(matches!(away, RedisFault::Away | RedisFault::Silent), "{away:?}");
}
