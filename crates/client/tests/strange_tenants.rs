//! Tenants that answer what the product does not: short pages, lists without an end, new keys that
//! they do not list.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use cortexkey_client::{Client, ClientOptions, LockFile, NewKey, Renewal, Retry, Sink, Step};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_manifest::lock::LockedKey;
use serde_json::{Value, json};

/// A client of a tenant that answers each call, by its path and `request_data`, with a `reply`.
fn tenant(reply: impl Fn(&str, &Value) -> Value + Send + 'static) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let path = head.split(' ').nth(1).unwrap();
            let lower = head.to_ascii_lowercase();
            let length = lower.split("content-length: ").nth(1).unwrap();
            let mut body = vec![0; length.lines().next().unwrap().parse().unwrap()];
            reader.read_exact(&mut body).unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap();
            let answer = json!({ "reply": reply(path, &body["request_data"]) }).to_string();
            let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ";
            let answer = format!("{head}{}\r\n\r\n{answer}", answer.len());
            reader.get_mut().write_all(answer.as_bytes()).unwrap();
        }
    });
    let signer = Signer::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(b"k").unwrap());
    let options = ClientOptions { retry: Retry::NEVER, ..ClientOptions::default() };
    Client::new(url.parse().unwrap(), signer, options)
}

fn keys(ids: impl Iterator<Item = u64>, count: u64) -> Value {
    let key = |id| json!({ "id": id, "roles": [], "security_level": "advanced", "comment": null });
    let data: Vec<Value> = ids.map(key).collect();
    json!({ "DATA": data, "FILTER_COUNT": count, "TOTAL_COUNT": count })
}

fn bounds(asked: &Value) -> (u64, u64) {
    (asked["search_from"].as_u64().unwrap(), asked["search_to"].as_u64().unwrap())
}

#[test]
fn a_list_is_whole_however_long_its_pages_are() {
    for page in [1, 7, 99, 100, 1000] {
        let client = tenant(move |_, asked| {
            let (from, to) = bounds(asked);
            keys((from + 1..=250).take(usize::try_from((to - from).min(page)).unwrap()), 250)
        });
        let ids: Vec<u64> = client.all_keys(&[]).unwrap().iter().map(|key| key.id).collect();
        assert_eq!(ids, (1..=250).collect::<Vec<_>>(), "{page}");
    }
    // One that knows no pages, and one that promises more than there is.
    assert_eq!(tenant(|_, _| keys(1..=250, 250)).all_keys(&[]).unwrap().len(), 250);
    assert_eq!(tenant(|_, _| keys(1..=3, 9)).all_keys(&[]).unwrap().len(), 3);
}

#[test]
fn a_list_without_an_end_is_an_error() {
    let client = tenant(|_, asked| {
        let (from, _) = bounds(asked);
        keys(from + 1..=from + 20_000, u64::MAX)
    });
    let error = client.all_keys(&[]).unwrap_err().to_string();
    assert!(error.starts_with("the answer is not a list with an end"), "{error}");
}

#[test]
fn a_new_key_that_is_not_listed_is_deleted_all_the_same() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let client = tenant(move |path, asked| {
        let call = path.rsplit('/').next().unwrap().to_owned();
        seen.lock().unwrap().push((call.clone(), asked.clone()));
        match call.as_str() {
            "generate" => json!({ "id": 5, "key": "never shown" }),
            "delete" => json!({ "update_count": 1 }),
            _ => keys(std::iter::empty(), 0),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::File { path: folder.path().join("key"), replace: false };
    let steps = Mutex::new(Vec::new());
    let told = |step| steps.lock().unwrap().push(step);
    let renewal = Renewal { client: &client, sink: &sink, told: &told };
    let new = NewKey {
        name: None,
        roles: vec!["Viewer".into()],
        level: Level::Advanced,
        comment: None,
        expiration_ms: None,
        scope: None,
    };
    let mut file = LockFile::hold(&folder.path().join("cortexkey.lock")).unwrap();
    let mut entry = LockedKey::default();
    let error = renewal.run(&mut entry, &new, 0, 0, &mut file.journal("eu", "h", "svc"));
    let error = error.unwrap_err().to_string();
    assert!(error.contains("was deleted: the tenant does not list it"), "{error}");
    let id = KeyId::new(5).unwrap();
    assert_eq!(*steps.lock().unwrap(), [Step::Generated(id), Step::TakenBack(id)]);
    let calls = calls.lock().unwrap();
    let deleted: Vec<_> = calls.iter().filter(|(call, _)| call == "delete").collect();
    let filter = json!([{ "field": "id", "operator": "in", "value": [5] }]);
    assert!(matches!(deleted[..], [(_, asked)] if asked["filters"] == filter), "{deleted:?}");
    assert_eq!(entry, LockedKey::default());
}
