//! Attacks on the tenant over raw connections, with a seed and a limit: requests forged from
//! captured ones, headers in every notation, and bodies whose end is ambiguous. This file decides
//! by its own implementation of the scheme what may be accepted.
//!
//! `CORTEXKEY_ATTACKS` sets the number of attacks; 3,000 by default.

use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use cortexkey_core::auth::Signer;
use sha2::{Digest as _, Sha256};

use crate::common::{Fixture, NOW_MS, sign_at, start};

/// A generator whose runs are always the same (xorshift).
struct TestRng(u64);

impl TestRng {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.next() % end as u64).unwrap()
    }

    fn of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

/// The four values of an Advanced request.
#[derive(Clone)]
struct Parts {
    id: String,
    authorization: String,
    nonce: String,
    timestamp: String,
}

impl Parts {
    fn signed(signer: &Signer, now_ms: u64) -> Self {
        let headers = sign_at(signer, now_ms);
        let value = |name: &str| {
            let found = headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
            found.unwrap().1.clone()
        };
        Self {
            id: value("x-xdr-auth-id"),
            authorization: value("authorization"),
            nonce: value("x-xdr-nonce"),
            timestamp: value("x-xdr-timestamp"),
        }
    }

    /// Whether the key may have signed it, according to the scheme's definition.
    fn is_genuine(&self, id: &str, key: &str) -> bool {
        let digest = Sha256::new()
            .chain_update(key)
            .chain_update(&self.nonce)
            .chain_update(&self.timestamp)
            .finalize();
        let window = NOW_MS - 60_000..=NOW_MS + 60_000;
        self.id == id
            && self.authorization == hex::encode(digest)
            && self.nonce.len() == 64
            && self.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric())
            && self.timestamp.len() == 13
            && self.timestamp.bytes().all(|byte| byte.is_ascii_digit())
            && self.timestamp.parse().is_ok_and(|time: u64| window.contains(&time))
    }

    /// Another request, forged from this one without the key.
    fn forged(&self, rng: &mut TestRng, other: &Self) -> Self {
        let mut forged = self.clone();
        match rng.below(12) {
            // Digits and letters move between nonce and timestamp: the digest stays right.
            0 => {
                forged.timestamp.insert(0, forged.nonce.pop().unwrap());
            }
            1 => {
                let digit = forged.timestamp.remove(0);
                forged.nonce.push(digit);
            }
            2 => {
                forged.nonce = format!("{}{}", forged.nonce, forged.timestamp);
                forged.timestamp = String::new();
            }
            3 => forged.timestamp.clone_from(&other.timestamp),
            4 => forged.nonce.clone_from(&other.nonce),
            5 => forged.authorization.clone_from(&other.authorization),
            6 => rng.of(&["1", "3", "02", "+2", "2;", "0x2", "2.0", ""]).clone_into(&mut forged.id),
            7 => forged.authorization = forged.authorization.to_uppercase(),
            8 => forged.authorization.truncate(rng.below(64)),
            9 => forged.timestamp = format!("{}0", &forged.timestamp[..12]),
            10 => {
                let at = rng.below(64);
                let new = rng.of(&["a", "Z", "0", "-", "_", "~"]);
                forged.nonce.replace_range(at..=at, new);
            }
            _ => {
                let at = rng.below(64);
                forged.authorization.replace_range(at..=at, rng.of(&["0", "f", "A", "g"]));
            }
        }
        forged
    }

    /// The headers in one of many notations, and whether the notation changes their meaning.
    fn written(&self, rng: &mut TestRng) -> (String, bool) {
        let mut lines = vec![
            ("x-xdr-auth-id", self.id.clone()),
            ("Authorization", self.authorization.clone()),
            ("x-xdr-nonce", self.nonce.clone()),
            ("x-xdr-timestamp", self.timestamp.clone()),
        ];
        let at = rng.below(4);
        let mut is_spoiled = true;
        let (name, value) = lines[at].clone();
        match rng.below(14) {
            0 => lines.push((name, value)),
            1 => lines.push((name, String::new())),
            2 => lines[at].1 = format!("{value},{value}"),
            3 => lines[at].1 = format!("{value}\u{e9}"),
            4 => lines[at].1 = format!("\"{value}\""),
            5 => lines[at].1 = format!("{value}\r\n "),
            6 if value.len() > 1 => lines[at].1.insert(value.len() / 2, ' '),
            7 => drop(lines.remove(at)),
            8 => lines[1].1 = format!("Bearer {}", self.authorization),
            _ => is_spoiled = false,
        }
        let texts: Vec<String> = lines
            .iter()
            .map(|(name, value)| {
                let name = match rng.below(3) {
                    0 => name.to_uppercase(),
                    1 => name.to_lowercase(),
                    _ => (*name).to_owned(),
                };
                let space = rng.of(&["", " ", "\t", "  \t "]);
                format!("{name}:{space}{value}{}\r\n", rng.of(&["", " ", "\t"]))
            })
            .collect();
        (texts.concat(), is_spoiled)
    }
}

/// The statuses of all responses to some bytes; nothing else may be received.
fn statuses(f: &Fixture, bytes: &[u8]) -> Vec<u16> {
    let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..]).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // It may be refused before all of it is sent.
    let _ = stream.write_all(bytes).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    let answer = String::from_utf8_lossy(&answer);
    let status = |part: &str| part.get(..3).and_then(|digits| digits.parse().ok());
    answer.split("HTTP/1.1 ").skip(1).map(|part| status(part).unwrap()).collect()
}

fn attacks() -> usize {
    std::env::var("CORTEXKEY_ATTACKS").map_or(3_000, |count| count.parse().unwrap())
}

#[test]
fn no_forged_or_spoiled_request_is_accepted() {
    let f = start(|_| {});
    let seeded = &f.tenant.seeded_keys().unwrap().advanced;
    let id = seeded.id().to_string();
    let key = seeded.expose().to_owned();
    let signer = f.advanced();
    let mut rng = TestRng(0x5eed_0fa7_7ac4);
    let mut used = BTreeSet::new();
    let mut accepted = 0;
    let mut captured = Parts::signed(&signer, NOW_MS - 1);
    for attack in 0..attacks() {
        let fresh = Parts::signed(&signer, NOW_MS + rng.next() % 50_000);
        // A captured request was accepted, or never arrived.
        let base = if rng.below(3) == 0 { captured.clone() } else { fresh.clone() };
        let parts = if rng.below(4) == 0 { base } else { base.forged(&mut rng, &captured) };
        let (headers, is_spoiled) = parts.written(&mut rng);
        let may = !is_spoiled
            && parts.is_genuine(&id, &key)
            && !used.contains(&(parts.authorization.clone()));
        let request = format!(
            "GET /api_keys/validate/ HTTP/1.1\r\nHost: x\r\n{headers}Connection: close\r\n\r\n"
        );
        let status = statuses(&f, request.as_bytes());
        assert_eq!(status.len(), 1, "attack {attack}: {request:?}");
        assert_eq!(status[0] == 200, may, "attack {attack}: {}: {request:?}", status[0]);
        if may {
            used.insert(parts.authorization.clone());
            accepted += 1;
            captured = parts;
        }
    }
    // A valid request is accepted throughout.
    assert!(accepted > attacks() / 20, "{accepted}");
}

#[test]
fn no_request_hides_in_the_body_of_another() {
    let f = start(|_| {});
    let key = f.tenant.seeded_keys().unwrap().standard.expose().to_owned();
    let auth = format!("x-xdr-auth-id: 1\r\nAuthorization: {key}\r\n");
    let hidden = format!("GET /api_keys/validate/ HTTP/1.1\r\nHost: x\r\n{auth}\r\n");
    let mut rng = TestRng(0x000f_ace5);
    let ends = ["\r\n", "\r\n", "\r\n", "\n", "\r", "\r\r\n"];
    let lengths = ["0", "2", "00", "+0", " 0", "0 ", "0,0", "-0", "0x0", "2\t", "1e1", ""];
    let codings = [
        "chunked",
        "Chunked",
        "chunked ",
        "\tchunked",
        "xchunked",
        "chunked, identity",
        "identity, chunked",
        "chunked;q=1",
        "\"chunked\"",
        "gzip, chunked",
        "",
    ];
    let names =
        ["Transfer-Encoding", "transfer-encoding", "Transfer-Encoding ", "Transfer_Encoding"];
    for attack in 0..attacks() {
        let mut head = String::new();
        let mut says = |rng: &mut TestRng, line: String| {
            head.push_str(&line);
            head.push_str(rng.of(&ends));
        };
        says(&mut rng, "POST /api_keys/validate/ HTTP/1.1".to_owned());
        says(&mut rng, "Host: x".to_owned());
        says(&mut rng, "Content-Type: application/json".to_owned());
        for _ in 0..rng.below(3) {
            let name = rng.of(&["Content-Length", "content-length"]);
            let value = rng.of(&lengths);
            says(&mut rng, format!("{name}: {value}"));
        }
        for _ in 0..rng.below(3) {
            let name = rng.of(&names);
            let value = rng.of(&codings);
            says(&mut rng, format!("{name}: {value}"));
        }
        let body = rng.of(&["0\r\n\r\n", "{}", "2\r\n{}\r\n0\r\n\r\n", "2\n{}\n0\n\n", ""]);
        let is_clear = !head.replace("\r\n", "").contains(['\r', '\n']);
        let count = |name: &str| head.to_lowercase().matches(name).count();
        let both = count("content-length:") > 0 && count("transfer-encoding") > 0;
        let status = statuses(&f, format!("{head}{auth}\r\n{body}{hidden}").as_bytes());
        let request = format!("attack {attack}: {head:?} {body:?}: {status:?}");
        // An ambiguous request ends the connection before anything after it is read.
        if !is_clear || both || count("content-length:") > 1 {
            assert!(status.iter().all(|status| *status == 400) && status.len() <= 1, "{request}");
        }
        assert!(status.len() <= 2, "{request}");
    }
}
