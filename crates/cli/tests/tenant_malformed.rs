//! Malformed requests on raw connections: no panic, no response but a refusal, bounded memory, and
//! a well-behaved client gets its responses throughout.
//!
//! `CORTEXKEY_MALFORMED` sets the number of requests; 20,000 by default.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "a test starts programs itself")]

mod common;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use common::cortexkey;
use serde_json::Value;

const WORKERS: u64 = 8;
/// How many connections of slow senders each worker keeps open.
const SLOW: usize = 20;
const MEMORY_KB_MAX: u64 = 64 * 1024;

/// A pseudo-random generator, the same in each run.
struct TestRng(u64);

impl TestRng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> usize {
        usize::try_from(self.next() % end).unwrap()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| self.next().to_le_bytes()[0]).collect()
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len() as u64)]
    }
}

const CHUNKS: [&str; 8] = [
    "zz\r\nabc\r\n0\r\n\r\n",
    "ffffffffffffffffff\r\nabc\r\n",
    "-1\r\nabc\r\n0\r\n\r\n",
    "3\r\nabcdef\r\n0\r\n\r\n",
    "3\nabc\n0\n\n",
    "3 \r\nabc\r\n0\r\n\r\n",
    "3;x=\"\r\nabc\r\n0\r\n\r\n",
    "",
];
const BROKEN_HEADERS: [&str; 10] = [
    "x-xdr-auth-id: 1\r\nx-xdr-auth-id: 1",
    "x-xdr-auth-id: 1\r\n 2",
    "x-xdr-auth-id : 1",
    ": 1",
    "no-colon",
    "x-xdr-nonce: \u{0}",
    "Authorization: \u{7f}\u{1}",
    "Content-Length: 5\r\nContent-Length: 6",
    "Content-Length: -1",
    "Transfer-Encoding: chunked\r\nContent-Length: 3",
];
const LINES: [&str; 8] = [
    "GET / HTTP/9.9",
    "GET  / HTTP/1.1",
    "GET /",
    "G\u{0}T / HTTP/1.1",
    "GET /\u{1}\u{2} HTTP/1.1",
    "GET http://[::1 HTTP/1.1",
    "\u{16}\u{3}\u{1}\u{2}\u{0}\u{1}\u{0}\u{1}",
    "PRI * HTTP/2.0",
];

/// One malformed request.
fn malformed(chance: &mut TestRng) -> Vec<u8> {
    let host = "Host: x\r\nConnection: close\r\n";
    match chance.below(8) {
        0 => {
            let header = chance.of(&BROKEN_HEADERS);
            format!("GET /api_keys/validate HTTP/1.1\r\n{host}{header}\r\n\r\n").into_bytes()
        }
        1 => format!("{}\r\n{host}\r\n", chance.of(&LINES)).into_bytes(),
        2 => {
            let chunks = chance.of(&CHUNKS);
            let head = format!("POST / HTTP/1.1\r\n{host}Transfer-Encoding: chunked\r\n\r\n");
            (head + chunks).into_bytes()
        }
        3 => {
            // A head that is too large: its first line, a header, or the number of headers.
            let long = "x".repeat(66_000);
            match chance.below(3) {
                0 => format!("GET /{long} HTTP/1.1\r\n{host}\r\n").into_bytes(),
                1 => format!("GET / HTTP/1.1\r\n{host}long: {long}\r\n\r\n").into_bytes(),
                _ => format!("GET / HTTP/1.1\r\n{host}{}\r\n", "a: b\r\n".repeat(200)).into_bytes(),
            }
        }
        4 => {
            // Truncated anywhere.
            let whole = format!("POST / HTTP/1.1\r\n{host}Content-Length: 10\r\n\r\n0123456789");
            let end = chance.below(whole.len() as u64);
            whole.into_bytes()[..end].to_vec()
        }
        5 => {
            let count = 1 + chance.below(2_000);
            chance.bytes(count)
        }
        6 => {
            // A well-formed request with an unknown key, with some bytes changed.
            let mut whole = format!(
                "POST /public_api/v1/api_keys/generate HTTP/1.1\r\n{host}x-xdr-auth-id: 2\r\n\
                 x-xdr-nonce: {}\r\nx-xdr-timestamp: 1790611727783\r\nAuthorization: {}\r\n\
                 Content-Length: 2\r\n\r\n{{}}",
                "n".repeat(64),
                "0".repeat(64)
            )
            .into_bytes();
            for _ in 0..chance.below(4) {
                let at = chance.below(whole.len() as u64);
                whole[at] = chance.bytes(1)[0];
            }
            whole
        }
        _ => {
            let ids = ["1", "01", "-1", "99999999999999999999", "１", ""];
            let nonce = chance.below(200);
            format!(
                "GET /api_keys/validate HTTP/1.1\r\n{host}x-xdr-auth-id: {}\r\nx-xdr-nonce: {}\r\n\
                 x-xdr-timestamp: {}\r\nAuthorization: {}\r\n\r\n",
                chance.of(&ids),
                "a".repeat(nonce),
                chance.next(),
                "f".repeat(64)
            )
            .into_bytes()
        }
    }
}

/// Sends a request and reads the response; returns the status, if there is one.
fn send(address: &str, request: &[u8]) -> Option<u16> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
    // The tenant may already have closed the connection.
    let _ = stream.write_all(request);
    let _ = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ = stream.take(4096).read_to_end(&mut answer);
    let status = answer.strip_prefix(b"HTTP/1.1 ")?.get(..3)?;
    std::str::from_utf8(status).ok()?.parse().ok()
}

fn memory_kb(pid: u64, name: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with(name)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// Sends malformed requests, sometimes together with many slow senders.
fn attack(address: &str, worker: u64, count: u64) {
    let mut chance = TestRng(0x9e37_79b9_7f4a_7c15 ^ (worker + 1));
    let mut slow: Vec<TcpStream> = Vec::new();
    for number in 0..count {
        let request = malformed(&mut chance);
        let status = send(address, &request);
        let is_refused = status.is_none_or(|status| (400..500).contains(&status) || status == 505);
        assert!(is_refused, "{status:?}: {}", String::from_utf8_lossy(&request));
        if number % 50 == 0 {
            if slow.len() >= SLOW {
                slow.clear();
            }
            let mut stream = TcpStream::connect(address).unwrap();
            stream.write_all(b"GET / HTTP/1.1\r\nHo").unwrap();
            slow.push(stream);
        }
        // One more byte from each slow sender.
        for stream in &mut slow {
            let _ = stream.write_all(b"s");
        }
    }
}

#[test]
fn malformed_requests_affect_no_other_client() {
    let count: u64 =
        std::env::var("CORTEXKEY_MALFORMED").map_or(20_000, |count| count.parse().unwrap());
    let mut process = cortexkey(&["tenant", "--quiet"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let mut log = BufReader::new(process.stderr.take().unwrap());
    // Responses are read as they arrive; otherwise the tenant would wait.
    let log = std::thread::spawn(move || {
        let mut panics = Vec::new();
        let mut line = Vec::new();
        while log.read_until(b'\n', &mut line).unwrap() > 0 {
            let text = String::from_utf8_lossy(&line);
            if text.contains("panicked") {
                panics.push(text.into_owned());
            }
            line.clear();
        }
        panics
    });
    let ready: Value = serde_json::from_str(&line).unwrap();
    let address = ready["url"].as_str().unwrap()["http://".len()..].to_owned();
    let key = ready["keys"]["standard"]["key"].as_str().unwrap();
    let good = format!(
        "GET /api_keys/validate HTTP/1.1\r\nHost: x\r\nx-xdr-auth-id: 1\r\nAuthorization: {key}\r\n\
         Connection: close\r\n\r\n"
    );
    let stop = AtomicBool::new(false);
    let answered = AtomicU64::new(0);
    let slowest_ms = AtomicU64::new(0);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::Relaxed) {
                let started = Instant::now();
                assert_eq!(send(&address, good.as_bytes()), Some(200), "a good client is refused");
                let took = u64::try_from(started.elapsed().as_millis()).unwrap();
                slowest_ms.fetch_max(took, Ordering::Relaxed);
                answered.fetch_add(1, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(5));
            }
        });
        let address = &address;
        let attackers: Vec<_> = (0..WORKERS)
            .map(|worker| scope.spawn(move || attack(address, worker, count / WORKERS)))
            .collect();
        let outcomes: Vec<_> =
            attackers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        stop.store(true, Ordering::Relaxed);
        for outcome in outcomes {
            outcome.unwrap();
        }
    });
    if cfg!(target_os = "linux") {
        let pid = u64::from(process.id());
        let peak = memory_kb(pid, "VmHWM");
        let now = memory_kb(pid, "VmRSS");
        println!(
            "{count} malformed requests; {} good ones, the slowest {} ms; {peak} kB at most, {now} \
             kB in the end",
            answered.load(Ordering::Relaxed),
            slowest_ms.load(Ordering::Relaxed)
        );
        assert!(peak < MEMORY_KB_MAX, "{peak} kB");
    }
    let pid = process.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(process.wait().unwrap().success());
    let panics = log.join().unwrap();
    assert!(panics.is_empty(), "{panics:?}");
}
