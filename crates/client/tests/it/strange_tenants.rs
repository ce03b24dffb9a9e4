//! Tenants with answers that the product never gives: short pages, endless lists, new keys that are
//! missing from the list.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::api_keys::SecurityLevel;
use cortexkey_client::{
    CallError, Client, ClientOptions, Deletion, EditError, KeyDelivery, KeyEdit, KnownScopes,
    LockFile, NewKey, RenewError, Renewal, RenewalStep, ReplacementOptions, Retry, RotateError,
    Rotation, Sink, StatePlaces, TenantState,
};
use cortexkey_core::auth::{Key, KeyId, Level, Signer};
use cortexkey_manifest::lock::{LockedKey, PendingKey, Retiring};
use serde_json::{Value, json};

/// A client of a tenant that answers each call with the `reply` that the closure returns for the
/// path and `request_data`.
fn tenant(reply: impl Fn(&str, &Value) -> Value + Send + 'static) -> Client {
    tenant_with_statuses(move |path, request| (200, reply(path, request)))
}

/// Like [`tenant`], with a status for each answer.
fn tenant_with_statuses(reply: impl Fn(&str, &Value) -> (u16, Value) + Send + 'static) -> Client {
    tenant_with_headers("", reply)
}

/// Like [`tenant_with_statuses`], with further headers, each with its line ending.
fn tenant_with_headers(
    headers: &str,
    reply: impl Fn(&str, &Value) -> (u16, Value) + Send + 'static,
) -> Client {
    let headers = headers.to_owned();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap() > 2 {}
            let path = head.split(' ').nth(1).unwrap();
            let lower = head.to_ascii_lowercase();
            let length =
                lower.split("content-length: ").nth(1).and_then(|rest| rest.lines().next());
            let mut body = vec![0; length.map_or(0, |length| length.parse().unwrap())];
            reader.read_exact(&mut body).unwrap();
            let body: Value = serde_json::from_slice(&body).unwrap_or_default();
            let (status, reply) = reply(path, &body["request_data"]);
            let answer = json!({ "reply": reply }).to_string();
            let head = format!(
                "HTTP/1.1 {status} x\r\nLocation: /other\r\nConnection: close\r\n{headers}"
            );
            let answer = format!("{head}Content-Length: {}\r\n\r\n{answer}", answer.len());
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

fn bounds(request: &Value) -> (u64, u64) {
    (request["search_from"].as_u64().unwrap(), request["search_to"].as_u64().unwrap())
}

#[test]
fn a_list_is_whole_however_long_its_pages_are() {
    for page in [1, 7, 99, 100, 1000] {
        let client = tenant(move |_, request| {
            let (from, to) = bounds(request);
            keys((from + 1..=250).take(usize::try_from((to - from).min(page)).unwrap()), 250)
        });
        let ids: Vec<u64> = client.all_keys(&[]).unwrap().iter().map(|key| key.id).collect();
        assert_eq!(ids, (1..=250).collect::<Vec<_>>(), "{page}");
    }
    // One tenant ignores the range, the other reports more keys than it has.
    assert_eq!(tenant(|_, _| keys(1..=250, 250)).all_keys(&[]).unwrap().len(), 250);
    assert_eq!(tenant(|_, _| keys(1..=3, 9)).all_keys(&[]).unwrap().len(), 3);
}

/// The keys of a page, from 1 to `last`, for a tenant that applies no filter.
fn unfiltered(request: &Value, last: u64) -> Value {
    let (from, to) = bounds(request);
    let mut page = keys(from + 1..=to.min(last), 0);
    page["FILTER_COUNT"] = Value::Null;
    page["TOTAL_COUNT"] = Value::Null;
    page
}

#[test]
fn a_key_is_gone_only_where_a_list_shows_that() {
    let gone = KeyId::new(300).unwrap();
    let there = KeyId::new(200).unwrap();
    // The filter has no effect, and nothing is deleted.
    let client = tenant(|path, request| {
        if path.ends_with("/delete") {
            json!({ "update_count": 0 })
        } else {
            unfiltered(request, 250)
        }
    });
    assert_eq!(client.find_key(there).unwrap().unwrap().id, 200);
    assert!(client.find_key(gone).unwrap().is_none());
    assert!(client.ensure_deleted(&[there]).is_err());
    client.ensure_deleted(&[gone]).unwrap();

    // A list of exactly one page, and a tenant that returns the same page again and again.
    let client = tenant(|_, request| unfiltered(request, 100));
    assert_eq!(client.key_list(&[]).unwrap().missing, 0);
    assert!(client.find_key(there).unwrap().is_none());
    let client = tenant(|_, _| unfiltered(&json!({ "search_from": 0, "search_to": 100 }), 250));
    assert_eq!(client.key_list(&[]).unwrap().missing, 1);
    assert!(client.find_key(there).is_err());
}

#[test]
fn a_tenant_that_hides_the_signing_key_is_not_planned_for() {
    let read = |client: &Client| {
        let known = KnownScopes::new();
        TenantState::read(client, [], &known, [KeyId::new(3).unwrap()], false)
    };
    // Without the key that signs, an error comes before any other call.
    let hides = |read: Result<TenantState, CallError>| {
        matches!(read, Err(CallError::UnexpectedAnswer { .. }))
    };
    let empty = tenant(|_, _| keys(std::iter::empty(), 0));
    assert_eq!(empty.key_list(&[]).unwrap().missing, 1);
    assert!(hides(read(&empty)));
    assert!(hides(read(&tenant(|_, _| json!({ "DATA": null })))));
    // If the list is too short, the key that signs is queried by its id.
    let short =
        tenant(|path, request| match (path.ends_with("get_api_keys"), &request["filters"]) {
            (false, _) => json!([]),
            (true, Value::Array(filters)) if !filters.is_empty() => {
                let id = filters[0]["value"][0].as_u64().unwrap();
                keys([7].into_iter().filter(|key| *key == id), u64::from(id == 7))
            }
            _ => keys(std::iter::once(8), 2),
        });
    assert!(!hides(read(&short)));
}

#[test]
fn an_endless_list_is_an_error() {
    let client = tenant(|_, request| {
        let (from, _) = bounds(request);
        keys(from + 1..=from + 20_000, u64::MAX)
    });
    let error = client.all_keys(&[]).unwrap_err();
    assert!(matches!(error, CallError::UnexpectedAnswer { .. }), "{error:?}");
}

#[test]
fn a_new_key_that_is_not_listed_is_still_deleted() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let client = tenant(move |path, request| {
        let call = path.rsplit('/').next().unwrap().to_owned();
        seen.lock().unwrap().push((call.clone(), request.clone()));
        match call.as_str() {
            "generate" => json!({ "id": 5, "key": "never shown" }),
            "delete" => json!({ "update_count": 1 }),
            _ => keys(std::iter::empty(), 0),
        }
    });
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::File { path: folder.path().join("key"), replace: false };
    let steps = Mutex::new(Vec::new());
    let on_step = |step| steps.lock().unwrap().push(step);
    let renewal = Renewal { client: &client, on_step: &on_step };
    let new = viewer();
    let mut file = LockFile::hold(&folder.path().join("cortexkey.lock")).unwrap();
    let mut entry = LockedKey::default();
    let delivery = KeyDelivery { sink: &sink, grace_ms: 0, now_ms: 0 };
    let error = renewal.run(&mut entry, &new, &delivery, &mut file.journal("eu", "h", "svc"));
    let error = error.unwrap_err();
    assert!(matches!(error, RenewError::NotAsRequested { .. }), "{error:?}");
    let id = KeyId::new(5).unwrap();
    assert_eq!(*steps.lock().unwrap(), [RenewalStep::Generated(id), RenewalStep::DeletedAgain(id)]);
    let calls = calls.lock().unwrap();
    let deleted: Vec<_> = calls.iter().filter(|(call, _)| call == "delete").collect();
    let filter = json!([{ "field": "id", "operator": "in", "value": [5] }]);
    assert!(matches!(deleted[..], [(_, request)] if request["filters"] == filter), "{deleted:?}");
    assert_eq!(entry, LockedKey::default());
}

/// A tenant with the keys 3, 7 (which signs the calls) and 8 (the product's), and with key 9 once it
/// was asked to generate one.
#[derive(Default)]
struct Strange {
    /// The expiry of key 9.
    generated: Mutex<Option<Value>>,
    /// The ids in requests to delete.
    deleted: Mutex<Vec<Value>>,
    /// The calls that change something.
    changes: Mutex<Vec<String>>,
}

impl Strange {
    /// A client of this tenant; `generated` is the answer to `generate`.
    fn client(self: &Arc<Self>, status: u16, generated: Value) -> Client {
        self.client_with_headers("", status, generated)
    }

    fn client_with_headers(
        self: &Arc<Self>,
        headers: &str,
        status: u16,
        generated: Value,
    ) -> Client {
        let tenant = Arc::clone(self);
        tenant_with_headers(headers, move |path, request| {
            let call = path.trim_end_matches('/').rsplit('/').next().unwrap().to_owned();
            let reply = match call.as_str() {
                "generate" => {
                    *tenant.generated.lock().unwrap() = Some(request["expiration"].clone());
                    return (status, generated.clone());
                }
                "delete" => {
                    let ids = request["filters"][0]["value"].as_array().unwrap().clone();
                    let count = ids.len();
                    tenant.generated.lock().unwrap().take_if(|_| ids.contains(&json!(9)));
                    tenant.deleted.lock().unwrap().extend(ids);
                    json!({ "update_count": count })
                }
                "get_api_keys" => tenant.list(request),
                _ => {
                    tenant.changes.lock().unwrap().push(call);
                    json!({})
                }
            };
            (200, reply)
        })
    }

    fn list(&self, request: &Value) -> Value {
        let key = |id: u64, role: &str, expiration: Value| {
            json!({
                "id": id, "roles": [role], "security_level": "advanced", "comment": null,
                "expiration": expiration,
            })
        };
        let mut data = vec![
            key(3, "Viewer", json!(1_900_000_000_000_u64)),
            key(7, "Instance Administrator", Value::Null),
            key(8, "App Service Account", Value::Null),
        ];
        data.extend(self.generated.lock().unwrap().clone().map(|ms| key(9, "Viewer", ms)));
        data.retain(|key| !self.deleted.lock().unwrap().contains(&key["id"]));
        if let Some(ids) = request["filters"].get(0).map(|filter| &filter["value"]) {
            data.retain(|key| ids.as_array().unwrap().contains(&key["id"]));
        }
        json!({ "FILTER_COUNT": data.len(), "DATA": data })
    }
}

fn viewer() -> NewKey {
    NewKey {
        owner: None,
        name: None,
        roles: vec!["Viewer".into()],
        level: Level::Advanced,
        comment: None,
        expiration_ms: None,
        scope: None,
    }
}

/// Generates a key. Returns why it is not in place, and the state that is left.
fn failed_generation(client: &Client) -> (RenewError, LockedKey) {
    let folder = tempfile::tempdir().unwrap();
    let sink = Sink::File { path: folder.path().join("key"), replace: false };
    let renewal = Renewal { client, on_step: &|_| {} };
    let new = viewer();
    let mut file = LockFile::hold(&folder.path().join("cortexkey.lock")).unwrap();
    let mut entry = LockedKey::default();
    let delivery = KeyDelivery { sink: &sink, grace_ms: 0, now_ms: 1_800_000_000_000 };
    let made = renewal.run(&mut entry, &new, &delivery, &mut file.journal("eu", "h", "svc"));
    assert!(!folder.path().join("key").exists());
    (made.unwrap_err(), entry)
}

#[test]
fn a_key_is_not_deleted_for_a_generation_that_returned_its_id() {
    for id in [3, 7, 8] {
        let tenant = Arc::new(Strange::default());
        let client = tenant.client(200, json!({ "id": id, "key": "never shown" }));
        let (error, entry) = failed_generation(&client);
        assert!(matches!(error, RenewError::NotAsRequested { .. }), "{id}: {error:?}");
        assert_eq!(*tenant.deleted.lock().unwrap(), [json!(9)], "{id}");
        assert_eq!(*tenant.changes.lock().unwrap(), [""; 0], "{id}");
        assert_eq!(entry, LockedKey::default(), "{id}");
    }
}

/// A program between client and tenant answers instead of the tenant, after the tenant generated
/// the key.
#[test]
fn no_key_is_left_behind_by_a_refused_generation() {
    for status in [302, 400, 401, 403, 404, 408, 429, 500, 503] {
        let tenant = Arc::new(Strange::default());
        let client = tenant.client(status, json!({ "err_code": status, "err_msg": "no" }));
        let (error, entry) = failed_generation(&client);
        assert!(!error.leaves_something(), "{status}: {error:?}");
        assert_eq!(*tenant.deleted.lock().unwrap(), [json!(9)], "{status}");
        assert_eq!(entry, LockedKey::default(), "{status}");
    }
}

/// An id in a lock file is only a number: a merge or an edit may have put another one there.
#[test]
fn an_interrupted_run_deletes_only_the_key_that_it_generated() {
    let expires_ms = 1_850_000_000_123_u64;
    let pending = |id| PendingKey {
        expires_ms,
        request_digest: String::new(),
        by: KeyId::new(7).unwrap(),
        besides: Vec::new(),
        id: KeyId::new(id),
        delivering: false,
    };
    for (id, deleted) in [(3, None), (7, None), (8, None), (9, Some(9)), (50, None)] {
        let tenant = Arc::new(Strange::default());
        *tenant.generated.lock().unwrap() = Some(json!(expires_ms));
        let client = tenant.client(200, json!({}));
        let folder = tempfile::tempdir().unwrap();
        let mut file = LockFile::hold(&folder.path().join("cortexkey.lock")).unwrap();
        let mut entry = LockedKey { pending: Some(pending(id)), ..LockedKey::default() };
        let renewal = Renewal { client: &client, on_step: &|_| {} };
        renewal.settle(&mut entry, &mut file.journal("eu", "h", "svc")).unwrap();
        assert_eq!(*tenant.deleted.lock().unwrap(), Vec::from_iter(deleted), "{id}");
        assert_eq!(entry.pending, None, "{id}");
    }
}

#[test]
fn a_replaced_key_of_the_product_is_not_deleted() {
    let tenant = Arc::new(Strange::default());
    let client = tenant.client(200, json!({}));
    let folder = tempfile::tempdir().unwrap();
    let mut file = LockFile::hold(&folder.path().join("cortexkey.lock")).unwrap();
    let old = |id| Retiring { id: KeyId::new(id).unwrap(), after_ms: 0 };
    let mut entry = LockedKey { retiring: vec![old(3), old(8)], ..LockedKey::default() };
    let renewal = Renewal { client: &client, on_step: &|_| {} };
    let retired = renewal.retire(&mut entry, 1, &mut file.journal("eu", "h", "svc"));
    assert!(matches!(retired, Err(RenewError::System(id)) if id.get() == 8), "{retired:?}");
    assert!(tenant.deleted.lock().unwrap().is_empty());
    assert_eq!(entry.retiring.len(), 2);
}

/// Retires key 3. Returns what came of it, and how many keys still wait for their deletion.
fn retired(client: &Client) -> (Result<(), RenewError>, usize) {
    let folder = tempfile::tempdir().unwrap();
    let mut file = LockFile::hold(&folder.path().join("cortexkey.lock")).unwrap();
    let old = Retiring { id: KeyId::new(3).unwrap(), after_ms: 0 };
    let mut entry = LockedKey { retiring: vec![old], ..LockedKey::default() };
    let renewal = Renewal { client, on_step: &|_| {} };
    let retired = renewal.retire(&mut entry, 1, &mut file.journal("eu", "h", "svc"));
    (retired, entry.retiring.len())
}

#[test]
fn a_deletion_that_is_only_claimed_is_an_error() {
    let client = tenant(|path, _| {
        if path.ends_with("/delete") {
            return json!({ "update_count": 100 });
        }
        let mut list = keys([3, 7].into_iter(), 2);
        list["DATA"][0]["user_name"] = json!("Ada");
        list
    });
    let id = KeyId::new(3).unwrap();
    let deleted = client.ensure_deleted(&[id]);
    assert!(
        matches!(deleted, Err(CallError::NotDeleted { id: left }) if left == id),
        "{deleted:?}"
    );
    let deleted = Deletion::prepare(&client, &[id]).unwrap().run();
    assert!(matches!(deleted, Err(CallError::NotDeleted { .. })), "{deleted:?}");
    let (retired, left) = retired(&client);
    let is_not_deleted =
        matches!(&retired, Err(RenewError::Call { error: CallError::NotDeleted { .. }, .. }));
    assert!(is_not_deleted && left == 1, "{retired:?}");
}

/// A tenant may list a deleted key for another moment.
#[test]
fn a_deletion_that_shows_late_is_waited_for() {
    let looks = Arc::new(Mutex::new(0));
    let seen = Arc::clone(&looks);
    let client = tenant(move |path, _| {
        if path.ends_with("/delete") {
            return json!({ "update_count": 1 });
        }
        *seen.lock().unwrap() += 1;
        keys((3..4).take(2_usize.saturating_sub(*seen.lock().unwrap())), 0)
    });
    let retry = Retry { retries: 3, base: Duration::from_millis(1), wait_max: Duration::ZERO };
    let signer = Signer::new(KeyId::new(7).unwrap(), Level::Advanced, Key::new(b"k").unwrap());
    let options = ClientOptions { retry, ..client.options().clone() };
    let client = Client::new(client.address().clone(), signer, options);
    client.ensure_deleted(&[KeyId::new(3).unwrap()]).unwrap();
    assert_eq!(*looks.lock().unwrap(), 2);
}

/// It may be the product's own.
#[test]
fn a_replaced_key_that_cannot_be_recognised_is_not_deleted() {
    let changes: [fn(&mut Value); 3] = [
        |key| key["roles"] = Value::Null,
        |key| key["security_level"] = json!("quantum"),
        |key| key["expiration"] = json!(1_900_000_000),
    ];
    for change in changes {
        let deleted = Arc::new(Mutex::new(false));
        let seen = Arc::clone(&deleted);
        let client = tenant(move |path, _| {
            *seen.lock().unwrap() |= path.ends_with("/delete");
            let mut list = keys([3, 7].into_iter(), 2);
            list["DATA"][0]["roles"] = json!(["Viewer"]);
            change(&mut list["DATA"][0]);
            list
        });
        let (retired, left) = retired(&client);
        assert!(matches!(retired, Err(RenewError::NotShown(id)) if id.get() == 3), "{retired:?}");
        assert!(left == 1 && !*deleted.lock().unwrap());
    }
}

#[test]
fn nothing_is_due_by_a_clock_that_is_ahead() {
    for (minutes, is_ahead) in [(-10, true), (-2, false), (10, false)] {
        let theirs = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(minutes);
        let date = theirs.strftime("Date: %a, %d %b %Y %H:%M:%S GMT\r\n").to_string();
        let tenant = Arc::new(Strange::default());
        let client = tenant.client_with_headers(&date, 200, json!({}));
        let (retired, left) = retired(&client);
        let is_refused =
            matches!(&retired, Err(RenewError::Call { error: CallError::ClockAhead { .. }, .. }));
        assert_eq!((is_refused, left == 1), (is_ahead, is_ahead), "{minutes} {retired:?}");
        let expected = if is_ahead { Vec::new() } else { vec![json!(3)] };
        assert_eq!(*tenant.deleted.lock().unwrap(), expected, "{minutes}");
        let read = TenantState::read(&client, [], &KnownScopes::new(), [], false);
        let is_refused = matches!(read, Err(CallError::ClockAhead { .. }));
        assert_eq!(is_refused, is_ahead, "{minutes} {read:?}");
    }
}

/// The id in the answer may be of no key, or of one that a short list did not show.
#[test]
fn the_generated_key_is_deleted_whatever_id_the_tenant_returned() {
    let tenant = Arc::new(Strange::default());
    let client = tenant.client(200, json!({ "id": 99, "key": "never shown" }));
    let (error, entry) = failed_generation(&client);
    assert!(!error.leaves_something(), "{error:?}");
    assert_eq!(*tenant.deleted.lock().unwrap(), [json!(99), json!(9)]);
    assert_eq!(entry, LockedKey::default());

    let tenant = Arc::new(Strange::default());
    let behind = Arc::clone(&tenant);
    let client = tenant_with_statuses(move |path, request| {
        if path.ends_with("/generate") {
            *behind.generated.lock().unwrap() = Some(request["expiration"].clone());
            return (200, json!({ "id": 3, "key": "never shown" }));
        }
        if path.ends_with("/delete") {
            behind.deleted.lock().unwrap().push(request["filters"][0]["value"][0].clone());
            return (200, json!({ "update_count": 1 }));
        }
        let mut list = behind.list(request);
        if request["filters"].get(0).is_none() {
            list["FILTER_COUNT"] = json!(4);
            list["DATA"].as_array_mut().unwrap().retain(|key| key["id"] != json!(3));
        }
        (200, list)
    });
    let (error, _) = failed_generation(&client);
    assert!(matches!(error, RenewError::NotAsRequested { .. }), "{error:?}");
    assert_eq!(*tenant.deleted.lock().unwrap(), [json!(9)]);
}

/// A tenant may list roles as `null`.
#[test]
fn roles_that_are_not_shown_are_not_taken_away() {
    let calls = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&calls);
    let client = tenant(move |path, _| {
        seen.lock().unwrap().push(path.to_owned());
        keys(1..=7, 7)
    });
    let id = KeyId::new(3).unwrap();
    let edit = KeyEdit {
        roles: Vec::new(),
        level: SecurityLevel::Advanced,
        comment: CommentEdit::Set(Some("ci".into())),
    };
    let edited = client.edit_key(id, &edit);
    assert!(matches!(edited, Err(EditError::NoRole)), "{edited:?}");
    let folder = tempfile::tempdir().unwrap();
    let state_folder = Some(folder.path().to_owned());
    let renewal = Renewal { client: &client, on_step: &|_| {} };
    let places = StatePlaces { lock_file: None, state_folder };
    let rotation = Rotation::open(renewal, "3", &places).unwrap();
    let replacement = rotation.replacement(&ReplacementOptions::default(), 0);
    assert!(matches!(replacement, Err(RotateError::NoRoles(key)) if key == id), "{replacement:?}");
    let calls = calls.lock().unwrap();
    assert!(calls.iter().all(|path| path.ends_with("get_api_keys")), "{calls:?}");
}

/// A client of a server that answers every request with the same bytes. If `endless`, it repeats
/// those after the last `|`.
fn server(bytes: Vec<u8>, endless: bool) -> Client {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let mut reader = BufReader::new(stream.unwrap());
            let mut head = String::new();
            while reader.read_line(&mut head).unwrap_or(0) > 2 {}
            // The write fails once the client has closed the connection.
            let mut sent = reader.get_mut().write_all(&bytes);
            let tail = bytes.rsplitn(2, |byte| *byte == b'|').next().unwrap_or_default();
            while endless && sent.is_ok() {
                sent = reader.get_mut().write_all(tail);
            }
        }
    });
    let signer = Signer::new(KeyId::new(7).unwrap(), Level::Standard, Key::new(KEY).unwrap());
    let options = ClientOptions {
        timeout: Duration::from_millis(500),
        max_answer_bytes: 100_000,
        retry: Retry::NEVER,
        ..ClientOptions::default()
    };
    Client::new(url.parse().unwrap(), signer, options)
}

const KEY: &[u8] = b"DCdIeow0xm73EwnxjPza1tdHTfZQv2eH";

#[test]
fn hostile_answers_are_masked_escaped_and_limited() {
    let escapes = "\u{1b}]0;x\u{7}\u{202e}\u{9b}31m\u{200b}\\r\\n";
    let body = |status: &str, body: &str| {
        format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
    };
    let list = |key: &str| {
        let text = format!(r#"{{"reply":{{"DATA":[{key}],"FILTER_COUNT":1,"TOTAL_COUNT":1}}}}"#);
        body("200 OK", &text)
    };
    let key = |id: &str| format!(r#"{{"id":{id},"roles":[],"security_level":"advanced"}}"#);
    let error = format!(r#"{{"reply":{{"err_code":"{escapes}","err_msg":"{escapes}"}}}}"#);
    let error = error.replace('\u{1b}', "\\u001b").replace('\u{7}', "\\u0007");
    let answers: Vec<(Vec<u8>, bool)> = vec![
        (body("500 X", &error), false),
        (body("401 X", &error), false),
        (body("200 OK", &"[".repeat(90_000)), false),
        (body("200 OK", &"{\"reply\":".repeat(9_000)), false),
        (body("200 OK", &"\0".repeat(100)), false),
        (body("200 OK", "\u{feff}{}"), false),
        (body("307 X\r\nLocation: https://evil.example/\u{1b}[31m", ""), false),
        (body("307 X\r\nLocation: https://evil.example/?\u{202e}", ""), false),
        (body("099 X", "{}"), false),
        (body("204 X", ""), false),
        (body("200 OK\r\nContent-Encoding: gzip", "{}"), false),
        (body("200 OK\r\nContent-Length: 9", "{}"), false),
        (list(&key("-5")), false),
        (list(&key("1.5")), false),
        (list(&key("18446744073709551616")), false),
        (list(&format!("{},{}", key("1"), key("\"x\""))), false),
        (b"HTTP/1.1 200 OK\r\n\r\n| [[[[[[[[".to_vec(), true),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n|1\r\n[\r\n".to_vec(), true),
        (b"HTTP/1.1 200 OK\r\n|X-A: bbbbbbbbbbbbbbbbbbbbbbbb\r\n".to_vec(), true),
        (b"|HTTP/1.1 100 Continue\r\n\r\n".to_vec(), true),
        (b"SSH-2.0-OpenSSH_9.2\r\n".to_vec(), false),
    ];
    // In parallel, since some wait for their time-out.
    std::thread::scope(|scope| {
        for (answer, endless) in answers {
            scope.spawn(move || {
                let shown = String::from_utf8_lossy(&answer).chars().take(80).collect::<String>();
                let client = server(answer, endless);
                let errors = [
                    Some(client.ping().map(|_| ()).unwrap_err()),
                    // Unreadable records are listed; they are no error.
                    client.all_keys(&[]).err(),
                    Some(client.roles().map(|_| ()).unwrap_err()),
                ];
                for error in errors.into_iter().flatten() {
                    let text = error.to_string();
                    let is_plain = |c: char| c == '\n' || !cortexkey_manifest::is_invisible(c);
                    assert!(text.chars().all(is_plain), "{shown}: {text:?}");
                    let all = format!("{text} {error:?}");
                    assert!(!all.contains(std::str::from_utf8(KEY).unwrap()), "{shown}: {all}");
                }
            });
        }
    });
}
