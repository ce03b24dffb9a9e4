//! How fast the emulator starts, how much memory it takes, and how many Advanced requests it
//! verifies per second over loopback, compared with a plain `FastAPI` server that does the same
//! check.
//!
//! `cargo xtask campaign tenant-speed` sets up its requirements: the binary in `CORTEXKEY_BIN`, and
//! in `CORTEXKEY_PYTHON` a Python interpreter with `FastAPI`. Clients and server share the machine.

#![allow(clippy::unwrap_used, reason = "a benchmark fails by panicking")]
#![allow(clippy::print_stdout, reason = "it prints what it measured")]
#![allow(clippy::disallowed_methods, reason = "a benchmark starts its peers")]

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use cortexkey_benches::now_ms;
use cortexkey_core::auth::{Key, KeyId, Level, Signer, Timestamp};
use serde_json::Value;

const CONNECTIONS: usize = 16;
const TIME: Duration = Duration::from_secs(2);
const ROUNDS: usize = 3;

struct Process(Child);

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a program, and waits for its first line.
fn start(command: &mut Command) -> (Process, String, Duration) {
    let started = Instant::now();
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    (Process(process), line, started.elapsed())
}

fn request(signer: &Signer, into: &mut Vec<u8>) {
    let headers = signer.sign_from_system(Timestamp::from_ms(now_ms()).unwrap()).unwrap();
    into.extend_from_slice(b"GET /api_keys/validate HTTP/1.1\r\nHost: x\r\n");
    for (name, value) in headers.iter() {
        write!(into, "{name}: {value}\r\n").unwrap();
    }
    into.extend_from_slice(b"\r\n");
}

/// One connection with this many requests at a time, until it is stopped; returns how many were
/// accepted.
fn client(address: &str, signer: &Signer, at_a_time: usize, stop: &AtomicBool) -> u64 {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    let mut sent = Vec::new();
    let mut buffer = vec![0; 64 * 1024];
    let mut accepted = 0;
    while !stop.load(Ordering::Relaxed) {
        sent.clear();
        (0..at_a_time).for_each(|_| request(signer, &mut sent));
        stream.write_all(&sent).unwrap();
        let mut answers = 0;
        let mut filled = 0;
        while answers < at_a_time {
            let count = stream.read(&mut buffer[filled..]).unwrap();
            assert!(count > 0, "the server hung up");
            filled += count;
            // Each body ends with the same six bytes.
            answers = buffer[..filled].windows(6).filter(|part| *part == b"\"true\"").count();
            assert!(!buffer[..filled].windows(4).any(|part| part == b" 401"), "refused");
        }
        accepted += at_a_time as u64;
    }
    accepted
}

/// Accepted requests per second.
fn rate(address: &str, signer: &Signer, at_a_time: usize) -> f64 {
    let stop = AtomicBool::new(false);
    let accepted = AtomicU64::new(0);
    let started = Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| {
                accepted.fetch_add(client(address, signer, at_a_time, &stop), Ordering::Relaxed)
            });
        }
        std::thread::sleep(TIME);
        stop.store(true, Ordering::Relaxed);
    });
    #[expect(clippy::cast_precision_loss, reason = "a rate is no count")]
    let count = accepted.load(Ordering::Relaxed) as f64;
    count / started.elapsed().as_secs_f64()
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn memory_kb(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

fn main() {
    let Some(binary) = std::env::var_os("CORTEXKEY_BIN") else {
        println!("skipped: `cargo xtask campaign tenant-speed` sets up its requirements");
        return;
    };
    let tenant = || {
        let mut command = Command::new(&binary);
        // A guard of a million entries is for a million requests in a window of twice the skew;
        // with the shortest window the processor limits the rate.
        command.args(["tenant", "--quiet", "--skew-ms", "1000"]).stderr(Stdio::null());
        command
    };
    let ready: Vec<_> = (0..20).map(|_| start(&mut tenant()).2.as_secs_f64() * 1e3).collect();
    println!("ready, median of 20 starts: {:.1} ms", median(ready));

    let python = std::env::var_os("CORTEXKEY_PYTHON");
    if let Some(python) = &python {
        let versions = "import fastapi, uvicorn, sys; print('FastAPI', fastapi.__version__, \
                        'uvicorn', uvicorn.__version__, 'Python', sys.version.split()[0])";
        let said = Command::new(python).args(["-c", versions]).output().unwrap();
        println!("peer: {}", String::from_utf8_lossy(&said.stdout).trim());
    }
    for at_a_time in [1, 16] {
        // Created anew each time, since one key gets only half of a guard.
        let (process, line, _) = start(&mut tenant());
        let line: Value = serde_json::from_str(&line).unwrap();
        let address = line["url"].as_str().unwrap()["http://".len()..].to_owned();
        let seeded = &line["keys"]["advanced"];
        let id = seeded["id"].as_u64().unwrap();
        let key = seeded["key"].as_str().unwrap();
        let signer = Signer::new(
            KeyId::new(id).unwrap(),
            Level::Advanced,
            Key::new(key.as_bytes()).unwrap(),
        );
        std::thread::sleep(Duration::from_secs(1));
        println!("memory at rest: {} kB", memory_kb(process.0.id()));
        let peer = python.as_ref().map(|python| peer(python, id, key));
        let mut ours = Vec::new();
        let mut theirs = Vec::new();
        // One after another in each round, so that both see the same machine.
        for _ in 0..ROUNDS {
            ours.push(rate(&address, &signer, at_a_time));
            if let Some((_, address)) = &peer {
                theirs.push(rate(address, &signer, at_a_time));
            }
        }
        let ours = median(ours);
        print!("{CONNECTIONS} connections, {at_a_time} at a time: {ours:.0} accepted a second");
        if peer.is_some() {
            let theirs = median(theirs);
            print!(", the peer {theirs:.0}, ratio {:.1}", ours / theirs);
        }
        println!();
        println!("memory after it: {} kB", memory_kb(process.0.id()));
    }
}

/// The peer, and its address once it accepts connections.
fn peer(python: &OsStr, id: u64, key: &str) -> (Process, String) {
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peers/fastapi_server.py");
    let (peer, port, _) = start(Command::new(python).args([script, &id.to_string(), key]));
    let address = format!("127.0.0.1:{}", port.trim());
    while TcpStream::connect(&address).is_err() {
        std::thread::sleep(Duration::from_millis(50));
    }
    (peer, address)
}
