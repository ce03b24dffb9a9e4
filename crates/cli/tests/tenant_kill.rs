//! Kills a tenant with a data folder at random moments: no acknowledged key is lost, no deleted key
//! comes back, and no accepted request is accepted again.
//!
//! `CORTEXKEY_KILLS` sets the number of kills; 20 by default.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use common::{cortexkey, signed};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use serde_json::{Value, json};

const WORKERS: u64 = 4;

struct Tenant {
    process: Child,
    address: String,
    ready: Value,
}

impl Tenant {
    fn start(folder: &Path) -> Self {
        let folder = folder.to_str().unwrap();
        let mut command = cortexkey(&["tenant", "--quiet", "--data", folder]);
        let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        let address = ready["url"].as_str().unwrap()["http://".len()..].to_owned();
        Self { process, address, ready }
    }

    /// Like `kill -9`, also if a test fails.
    fn kill(self) {
        drop(self);
    }
}

impl Drop for Tenant {
    fn drop(&mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

/// One POST; `None` if the tenant was killed before the response was complete.
fn post(address: &str, headers: &str, path: &str, body: &Value) -> Option<(u16, Value)> {
    let mut stream = TcpStream::connect(address).ok()?;
    let body = body.to_string();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: application/json\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.get(9..12)?.parse().ok()?;
    Some((status, serde_json::from_str(body).ok()?))
}

/// The changes that the tenant acknowledged.
#[derive(Default)]
struct Acknowledged {
    made: BTreeSet<u64>,
    deleted: BTreeSet<u64>,
    /// Their deletion was requested without a response, so they may or may not exist.
    in_doubt: BTreeSet<u64>,
    /// The headers of accepted Advanced requests.
    accepted: Vec<String>,
}

/// Generates keys, uses them and deletes every other one until the tenant is killed.
fn load(address: &str, admin: &str, stop: &AtomicBool, known: &Mutex<Acknowledged>) {
    let generate = json!({ "request_data": { "roles": ["Viewer"], "security_level": "advanced" } });
    while !stop.load(Ordering::Relaxed) {
        let made = post(address, admin, "/public_api/v1/api_keys/generate", &generate);
        let Some((200, answer)) = made else { continue };
        let id = answer["reply"]["id"].as_u64().unwrap();
        known.lock().unwrap().made.insert(id);
        let key = answer["reply"]["key"].as_str().unwrap().to_owned();
        let key = Key::new(key.as_bytes()).unwrap();
        let signer = Signer::new(KeyId::new(id).unwrap(), Level::Advanced, key);
        for _ in 0..2 {
            let headers = signed(&signer);
            let answer = post(address, &headers, "/api_keys/validate/", &json!({}));
            // Without a response, the result is unknown.
            if matches!(answer, Some((200, _))) {
                known.lock().unwrap().accepted.push(headers);
            }
        }
        if id % 2 == 0 {
            known.lock().unwrap().in_doubt.insert(id);
            let filter = json!({ "field": "id", "operator": "in", "value": [id] });
            let delete = json!({ "request_data": { "filters": [filter] } });
            let deleted = post(address, admin, "/public_api/v1/api_keys/delete", &delete);
            if let Some((200, answer)) = deleted {
                assert_eq!(answer["reply"]["update_count"], 1);
                let mut known = known.lock().unwrap();
                known.in_doubt.remove(&id);
                known.deleted.insert(id);
            }
        }
    }
}

/// Compares a restarted tenant with what the previous one acknowledged.
fn check(tenant: &Tenant, admin: &str, known: &Acknowledged) {
    let list = json!({ "request_data": { "filters": [] } });
    let (status, answer) =
        post(&tenant.address, admin, "/public_api/v1/api_keys/get_api_keys", &list).unwrap();
    assert_eq!(status, 200, "{answer}");
    let data = answer["reply"]["DATA"].as_array().unwrap();
    let there: BTreeSet<u64> = data.iter().map(|key| key["id"].as_u64().unwrap()).collect();
    let back: Vec<_> = known.deleted.intersection(&there).collect();
    assert!(back.is_empty(), "deleted and back: {back:?}");
    let gone = |id: &&u64| !known.deleted.contains(id) && !known.in_doubt.contains(id);
    let missing: Vec<_> = known.made.difference(&there).filter(gone).collect();
    assert!(missing.is_empty(), "acknowledged and lost: {missing:?}");
    for headers in &known.accepted {
        let (status, _) =
            post(&tenant.address, headers, "/api_keys/validate/", &json!({})).unwrap();
        assert_eq!(status, 401, "accepted a second time: {headers}");
    }
}

#[test]
fn a_killed_emulator_loses_no_answered_change() {
    let kills = std::env::var("CORTEXKEY_KILLS").map_or(20, |kills| kills.parse().unwrap());
    let folder = tempfile::tempdir().unwrap();
    let mut tenant = Tenant::start(folder.path());
    let standard = &tenant.ready["keys"]["standard"];
    let key = standard["key"].as_str().unwrap();
    let admin = format!("x-xdr-auth-id: {}\r\nAuthorization: {key}\r\n", standard["id"]);
    let known = Mutex::new(Acknowledged::default());
    let mut made = 0;
    let mut accepted = 0;
    let mut chance = 0x9e37_79b9_u64;
    for _ in 0..kills {
        chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let life = Duration::from_micros(10_000 + (chance >> 33) % 100_000);
        let stop = AtomicBool::new(false);
        let address = tenant.address.clone();
        std::thread::scope(|scope| {
            for _ in 0..WORKERS {
                scope.spawn(|| load(&address, &admin, &stop, &known));
            }
            std::thread::sleep(life);
            tenant.kill();
            stop.store(true, Ordering::Relaxed);
        });
        tenant = Tenant::start(folder.path());
        let mut known = known.lock().unwrap();
        check(&tenant, &admin, &known);
        made += known.made.len();
        accepted += known.accepted.len();
        // Older keys have been checked. They are deleted so that the tenant's limit on keys is not
        // reached.
        let old: Vec<u64> = known.made.iter().copied().collect();
        let filter = json!({ "field": "id", "operator": "in", "value": old });
        let delete = json!({ "request_data": { "filters": [filter] } });
        post(&tenant.address, &admin, "/public_api/v1/api_keys/delete", &delete).unwrap();
        let deleted = std::mem::take(&mut known.made);
        *known = Acknowledged { deleted, ..Acknowledged::default() };
    }
    println!("{kills} kills, {made} keys, {accepted} accepted requests");
    assert!(made > kills && accepted > kills);
    tenant.kill();
}
