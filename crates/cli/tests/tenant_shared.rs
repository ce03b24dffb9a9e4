//! Eight tenants with the same keys, each in its own process, share one replay guard on a
//! redis-server that is killed and restarted meanwhile: of equal requests, at most one is accepted,
//! and none while the server is down.
//!
//! `CORTEXKEY_DUPLICATES` sets how many requests are sent to all eight; 5,000 by default.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

mod common;
#[path = "../../tenant/tests/it/redis_server.rs"]
mod redis_server;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use common::{cortexkey, signed};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use redis_server::RedisServer;
use serde_json::Value;

const TENANTS: usize = 8;
/// How many requests are sent at a time.
const ROUND: usize = 250;
const SKEW_MS: u64 = 2_000;
/// How a running server loses data: all of it, the accepted uses, or its history.
const LOSSES: [&[&str]; 3] = [
    &["FLUSHALL"],
    &["DEL {cortexkey-replay}:used"],
    &["REPLICAOF 127.0.0.1 1", "REPLICAOF NO ONE"],
];

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

fn tenant(folder: &Path, replay: &str) -> (Process, Value) {
    let folder = folder.to_str().unwrap();
    let skew = SKEW_MS.to_string();
    let args = ["tenant", "--quiet", "--data", folder, "--replay", replay, "--skew-ms", &skew];
    let mut process =
        cortexkey(&args).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Process(process), serde_json::from_str(&line).unwrap())
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir(to).unwrap();
    for file in std::fs::read_dir(from).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
    }
}

/// One connection to one tenant.
struct Connection {
    reader: BufReader<TcpStream>,
}

impl Connection {
    fn new(address: &str) -> Self {
        Self { reader: BufReader::new(TcpStream::connect(address).unwrap()) }
    }

    /// The status of one request.
    fn send(&mut self, headers: &str) -> u16 {
        let request = format!("GET /api_keys/validate HTTP/1.1\r\nHost: x\r\n{headers}\r\n");
        self.reader.get_mut().write_all(request.as_bytes()).unwrap();
        let mut status = 0;
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.reader.read_line(&mut line).unwrap();
            if line.starts_with("HTTP/1.1 ") {
                status = line[9..12].parse().unwrap();
            } else if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            } else if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        self.reader.read_exact(&mut body).unwrap();
        status
    }
}

fn wait_until_accepted(address: &str, signer: &Signer) {
    let until = Instant::now() + Duration::from_secs(20);
    while Connection::new(address).send(&signed(signer)) != 200 {
        assert!(Instant::now() < until, "nothing is accepted");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn eight_emulators_accept_equal_requests_at_most_once() {
    let duplicates =
        std::env::var("CORTEXKEY_DUPLICATES").map_or(5_000, |count| count.parse().unwrap());
    let mut redis = RedisServer::start();
    let replay = redis.url();
    let folder = tempfile::tempdir().unwrap();
    let first = folder.path().join("0");
    let (process, ready) = tenant(&first, &replay);
    drop(process);
    let key = &ready["keys"]["advanced"];
    let id = KeyId::new(key["id"].as_u64().unwrap()).unwrap();
    let text = key["key"].as_str().unwrap().to_owned();
    let signer = Signer::new(id, Level::Advanced, Key::new(text.as_bytes()).unwrap());
    for number in 1..TENANTS {
        copy(&first, &folder.path().join(number.to_string()));
    }
    let tenants: Vec<_> = (0..TENANTS)
        .map(|number| tenant(&folder.path().join(number.to_string()), &replay))
        .collect();
    let address = |ready: &Value| ready["url"].as_str().unwrap()["http://".len()..].to_owned();
    let addresses: Vec<_> = tenants.iter().map(|(_, ready)| address(ready)).collect();

    let mut sent = 0;
    let mut accepted = 0;
    let mut kills = 0;
    let mut losses = 0;
    let mut last: Vec<String> = Vec::new();
    while sent < duplicates {
        // A new guard is empty, and accepts nothing for a while.
        for address in &addresses {
            wait_until_accepted(address, &signer);
        }
        let begun = Instant::now();
        let requests: Vec<_> = (0..ROUND).map(|_| signed(&signer)).collect();
        let accepts: Vec<_> = (0..ROUND).map(|_| AtomicUsize::new(0)).collect();
        // In some rounds the server is killed in the middle, in others it loses data and keeps
        // running.
        let forgets = sent % (9 * ROUND) == 5 * ROUND;
        let dies = sent % (9 * ROUND) == ROUND;
        let is_away = AtomicBool::new(false);
        std::thread::scope(|scope| {
            for address in &addresses {
                let requests = &requests;
                let accepts = &accepts;
                let is_away = &is_away;
                scope.spawn(move || {
                    let mut connection = Connection::new(address);
                    for (headers, accepts) in requests.iter().zip(accepts) {
                        let was_away = is_away.load(Ordering::SeqCst);
                        if connection.send(headers) == 200 {
                            assert!(!was_away, "accepted while the server was away");
                            accepts.fetch_add(1, Ordering::Relaxed);
                        }
                    }
                });
            }
            if dies {
                std::thread::sleep(Duration::from_millis(20));
                redis.end();
                is_away.store(true, Ordering::SeqCst);
            }
            if forgets {
                std::thread::sleep(Duration::from_millis(20));
                let loss = LOSSES[losses % LOSSES.len()];
                assert!(loss.iter().all(|command| redis.lines(command).unwrap().next().is_some()));
                losses += 1;
            }
        });
        // On a busy machine, requests may become stale before they are sent; then no tenant accepts
        // them.
        let was_in_time = begun.elapsed() < Duration::from_millis(SKEW_MS);
        let counts: Vec<_> = accepts.into_iter().map(AtomicUsize::into_inner).collect();
        assert!(counts.iter().all(|count| *count <= 1), "accepted by several: {counts:?}");
        accepted += counts.iter().sum::<usize>();
        if dies {
            kills += 1;
            redis.start_again();
            // What the server has forgotten is not accepted a second time, from the moment
            // it is back.
            let used: Vec<_> = (last.iter().take(20))
                .chain(
                    requests.iter().zip(&counts).filter(|(_, n)| **n > 0).map(|(h, _)| h).take(20),
                )
                .collect();
            let mut connection = Connection::new(&addresses[0]);
            while connection.send(&signed(&signer)) != 200 {
                for headers in &used {
                    assert_ne!(connection.send(headers), 200, "accepted again after a restart");
                }
            }
        } else if !forgets && was_in_time {
            assert_eq!(counts.iter().sum::<usize>(), ROUND, "each by one");
        }
        sent += ROUND;
        last = requests;
    }
    println!(
        "{sent} requests to {TENANTS} tenants, {accepted} accepts, {kills} kills, {losses} losses"
    );
    assert!(accepted > sent / 2);
}
