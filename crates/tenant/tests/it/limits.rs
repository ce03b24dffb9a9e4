//! Requests that are too large, too slow or malformed get an answer, and the tenant keeps running.

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;
use std::sync::Arc;

use cortexkey_core::auth::{Level, Signer};
use cortexkey_tenant::{Control, LogLine};
use serde_json::json;

use crate::common::{DELETE, Fixture, GENERATE, LIST, VALIDATE, start};

fn still_there(f: &Fixture) {
    assert_eq!(f.send(&f.sign(&f.advanced()), VALIDATE, "{}").status, 200);
}

#[test]
fn large_bodies_are_refused() {
    let f = start(|_| {});
    for size in [1024 * 1024 + 1, 4 * 1024 * 1024] {
        let answer = f.send(&f.sign(&f.advanced()), LIST, &" ".repeat(size));
        assert_eq!(answer.status, 413, "{size}");
        assert_eq!(answer.json()["reply"]["err_code"], 413);
        // An unauthenticated client learns nothing about the limit.
        assert_eq!(f.send(&vec![], LIST, &" ".repeat(size)).status, 401);
    }
    let mut fits = r#"{"request_data":{"filters":[]}}"#.to_owned();
    fits.push_str(&" ".repeat(1024 * 1024 - fits.len()));
    assert_eq!(f.send(&f.sign(&f.advanced()), LIST, &fits).status, 200);
}

#[test]
fn invalid_json_is_refused() {
    let f = start(|_| {});
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["{", "nonsense", "{\"request_data\": }", "\u{0}", deep.as_str()] {
        let answer = f.send(&f.sign(&f.advanced()), LIST, body);
        assert_eq!(answer.status, 400, "{}", &body[..body.len().min(20)]);
        let message = &answer.json()["reply"]["err_msg"];
        assert_eq!(message, "Bad Request. Got an invalid JSON.");
    }
    // Valid JSON that the call does not accept: the product answers 500.
    for body in ["{}", "[]", "7", r#"{"request_data":[7]}"#] {
        assert_eq!(f.send(&f.sign(&f.advanced()), LIST, body).status, 500, "{body}");
    }
    assert_eq!(f.send(&f.sign(&f.advanced()), VALIDATE, "{").status, 400);
}

#[test]
fn a_body_must_be_declared_as_json() {
    let f = start(|_| {});
    let key = f.tenant.seeded_keys().unwrap().standard.expose();
    let post = |path: &str, kind: &str, body: &str| {
        let request = format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nx-xdr-auth-id:1\r\nAuthorization:{key}\r\n{kind}\
             Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        f.raw(request.as_bytes())[9..12].to_owned()
    };
    assert_eq!(post(VALIDATE, "Content-Type:application/json; charset=utf-8\r\n", "{}"), "200");
    assert_eq!(post(VALIDATE, "", ""), "200");
    assert_eq!(post(VALIDATE, "", "{}"), "415");
    assert_eq!(post(LIST, "", ""), "200", "its body is optional");
    assert_eq!(post(LIST, "", "{}"), "415");
    assert_eq!(post(DELETE, "", ""), "400");
    assert_eq!(post(LIST, "Content-Type: application/x-www-form-urlencoded\r\n", "{}"), "415");
}

/// `{"request_data":{"roles":["Viewer"],"security_level":"standard"}}`, as gzip writes it.
const ZIPPED: &[u8] = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x05\xc1\x41\x0a\x80\x30\x0c\x04\
    \xc0\xbf\xec\xd9\x17\xf4\x21\x5e\x44\x4a\x30\x7b\x28\x04\xc5\x24\x55\xa4\xf4\xef\xce\x0c\
    \x38\xef\xce\xc8\xaa\x92\x82\x32\xe0\x97\x31\x50\x36\xac\x8d\x2f\x1d\xfb\x82\xe0\xd1\xbd\
    \xe5\x57\x8d\x0f\x0d\x05\x91\x72\xaa\xb8\x62\xce\x1f\xbe\xd1\xeb\x19\x41\x00\x00\x00";

/// Covers every way in which calls read a body.
#[test]
fn an_encoded_body_is_refused_and_has_no_effect() {
    let f = start(|options| options.control = Control::Change);
    let key = f.tenant.seeded_keys().unwrap().standard.expose();
    let send = |call: &str, key: &str, encoding: &str, body: &[u8]| {
        let head = format!(
            "{call} HTTP/1.1\r\nHost: localhost\r\nx-xdr-auth-id: 1\r\nAuthorization: {key}\r\n\
             Content-Type: application/json\r\n{encoding}Content-Length: {}\r\n\
             Connection: close\r\n\r\n",
            body.len()
        );
        f.raw(&[head.as_bytes(), body].concat())
    };
    let status = |answer: &str| answer.get(9..12).unwrap_or_default().to_owned();
    let keys = || f.call(&f.advanced(), LIST, &json!({ "filters": [] })).json();
    let before = keys();
    let plain = br#"{"request_data":{"roles":["Viewer"],"security_level":"standard"}}"#;
    let calls = [
        &format!("POST {VALIDATE}"),
        &format!("POST {LIST}"),
        &format!("POST {GENERATE}"),
        "POST /public_api/v1/rbac/get_roles",
        "POST /public_api/v1/audits/management_logs",
        "POST /public_api/v1/asset-groups",
        "POST /public_api/v1/asset-groups/create",
        "PUT /platform/iam/v1/api-key/1",
        "PUT /platform/iam/v1/scope/api-key/1",
        "POST /platform/iam/v1/user-group",
        "PUT /_cortexkey/settings",
    ];
    for call in calls {
        for encoding in ["gzip", "GZIP", "deflate", "br", "zstd", "x-gzip", "gzip, identity", ""] {
            let header = format!("Content-Encoding: {encoding}\r\n");
            // Whether the body is what the header says makes no difference.
            for body in [ZIPPED, plain] {
                let answer = send(call, key, &header, body);
                assert_eq!(status(&answer), "415", "{call}, {encoding}: {answer}");
                assert!(answer.contains("without Content-Encoding"), "{call}: {answer}");
            }
        }
        let two = "Content-Encoding: identity\r\nContent-Encoding: gzip\r\n";
        assert_eq!(status(&send(call, key, two, ZIPPED)), "415", "{call}");
        // Without the header, the compressed bytes are read as JSON, and are invalid.
        let bare = status(&send(call, key, "", ZIPPED));
        assert!(["400", "500"].contains(&&*bare), "{call}: {bare}");
    }
    assert_eq!(keys(), before, "nothing was generated or edited");
    // Only the tenant's own page needs no key.
    let gated = &calls[..calls.len() - 1];
    for call in gated {
        let answer = send(call, "no-key", "Content-Encoding: gzip\r\n", ZIPPED);
        assert_eq!(status(&answer), "401", "{call}: unauthenticated clients learn nothing");
    }
    let identity = send(gated[2], key, "Content-Encoding: Identity\r\n", plain);
    assert_eq!(status(&identity), "200", "{identity}");
    still_there(&f);
}

#[test]
fn malformed_http_is_refused() {
    let f = start(|_| {});
    let mut many = "GET / HTTP/1.1\r\nHost: x\r\n".to_owned();
    for n in 0..100 {
        write!(many, "h{n}: x\r\n").unwrap();
    }
    for (request, status) in [
        ("nonsense\r\n\r\n", "400"),
        ("GET / HTTP/1.1\r\nx-xdr-auth-id: 1\u{0}\r\n\r\n", "400"),
        (&format!("{many}\r\n"), "431"),
    ] {
        let answer = f.raw(request.as_bytes());
        assert_eq!(answer.get(9..12), Some(status), "{answer}");
    }
    // At the limit and above it, in one piece and in several.
    let sized = |bytes: usize| {
        let fixed = "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nlong: \r\n\r\n".len();
        let long = "x".repeat(bytes - fixed);
        format!("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nlong: {long}\r\n\r\n")
    };
    for (bytes, status) in [(60_000, "401"), (65_000, "401"), (66_000, "431"), (100_000, "431")] {
        let answer = f.raw(sized(bytes).as_bytes());
        assert_eq!(answer.get(9..12), Some(status), "{bytes}: {answer}");
    }
    // Endless headers: the tenant closes the connection, with or without a response.
    let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..]).unwrap();
    let endless = format!("GET / HTTP/1.1\r\nlong: {}", "x".repeat(1_000_000));
    let cut_off = (0..10).any(|_| stream.write_all(endless.as_bytes()).is_err());
    assert!(cut_off);
    // Connections that close in the middle of the headers or the body.
    for part in ["POST / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"] {
        let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..]).unwrap();
        stream.write_all(part.as_bytes()).unwrap();
    }
    still_there(&f);
}

#[test]
fn requests_with_an_ambiguous_end_are_refused() {
    let f = start(|_| {});
    let key = f.tenant.seeded_keys().unwrap().standard.expose();
    let head = format!(
        "POST /api_keys/validate/ HTTP/1.1\r\nHost: x\r\nx-xdr-auth-id: 1\r\nAuthorization: {key}\r\n\
         Content-Type: application/json\r\nConnection: close\r\n"
    );
    let smuggled = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n";
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (rest, status) in [
        ("Content-Length: 2\r\n\r\n{}".to_owned(), "200"),
        (format!("{chunked}\r\n2\r\n{{}}\r\n0\r\n\r\n"), "200"),
        (format!("{chunked}Content-Length: 2\r\n\r\n0\r\n\r\n{smuggled}"), "400"),
        (format!("Content-Length: 5\r\n{chunked}\r\n0\r\n\r\n{smuggled}"), "400"),
        ("Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}".to_owned(), "400"),
        ("Content-Length: 2\n\r\n{}".to_owned(), "400"),
        ("Content-Length: 2\r\n\n{}".to_owned(), "400"),
        (format!("{chunked}\r\n2\n{{}}\r\n0\r\n\r\n"), "400"),
        ("Transfer-Encoding: identity, chunked\r\n\r\n0\r\n\r\n".to_owned(), "400"),
    ] {
        let answer = f.raw(format!("{head}{rest}").as_bytes());
        assert_eq!(answer.get(9..12), Some(status), "{rest:?}: {answer}");
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{rest:?}: {answer}");
    }
    let bare = format!("{head}\r\n").replace("Host: x\r\n", "Host: x\n");
    assert_eq!(f.raw(bare.as_bytes()).get(9..12), Some("400"));
    still_there(&f);
}

#[test]
fn an_unread_log_blocks_nothing() {
    use std::sync::atomic::{AtomicU64, Ordering};

    let (go, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let dropped = Arc::new(AtomicU64::new(0));
    let count = Arc::clone(&dropped);
    let f = start(|options| {
        options.log = Some(Arc::new(move |_: &LogLine| {
            let _ = wait.lock().unwrap().recv();
        }));
        options.dropped_log = Some(Arc::new(move |more| {
            count.fetch_add(more, Ordering::SeqCst);
        }));
    });
    let key = f.tenant.seeded_keys().unwrap().standard.expose().to_owned();
    let one = format!(
        "GET /api_keys/validate/ HTTP/1.1\r\nHost: x\r\nx-xdr-auth-id: 1\r\nAuthorization: {key}\r\n\r\n"
    );
    let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..]).unwrap();
    let mut reader = std::io::BufReader::new(stream.try_clone().unwrap());
    for _ in 0..100 {
        stream.write_all(one.repeat(50).as_bytes()).unwrap();
        let mut answers = 0;
        while answers < 50 {
            let mut line = String::new();
            std::io::BufRead::read_line(&mut reader, &mut line).unwrap();
            answers += usize::from(line.contains("HTTP/1.1 200"));
        }
    }
    still_there(&f);
    // The number of dropped lines is reported once the log is read again.
    drop(go);
    let until = std::time::Instant::now() + std::time::Duration::from_secs(20);
    while dropped.load(Ordering::SeqCst) == 0 {
        assert!(std::time::Instant::now() < until, "nothing was dropped");
        still_there(&f);
    }
}

#[test]
fn a_list_of_many_keys_is_whole_and_in_order() {
    let f = start(|_| {});
    let comment = "é".repeat(500);
    for _ in 0..200 {
        let about =
            json!({ "roles": ["Viewer"], "security_level": "standard", "comment": comment });
        assert_eq!(f.call(&f.standard(), GENERATE, &about).status, 200);
    }
    let sort = json!({ "field": "expiration", "keyword": "asc" });
    let answer = f.call(&f.standard(), LIST, &json!({ "filters": [], "sort": sort }));
    assert!(answer.body.len() > 100_000 && answer.header("content-length").is_none());
    let reply = &answer.json()["reply"];
    let ids: std::collections::BTreeSet<_> =
        reply["DATA"].as_array().unwrap().iter().map(|key| key["id"].as_u64().unwrap()).collect();
    assert_eq!(ids, (1..=202).collect());
    assert_eq!((&reply["TOTAL_COUNT"], &reply["FILTER_COUNT"]), (&json!(202), &json!(202)));
}

#[test]
fn filter_size_is_limited() {
    let f = start(|_| {});
    let ask = |bytes: usize| {
        let filter =
            json!({ "field": "email", "operator": "in", "value": ["É".repeat(bytes / 2)] });
        let path = "/public_api/v1/audits/management_logs";
        f.call(&f.standard(), path, &json!({ "filters": [filter] }))
    };
    let fits = ask(16_000);
    assert_eq!(fits.status, 200, "{}", fits.body);
    let refused = ask(500_000);
    assert_eq!(refused.status, 500);
    assert!(refused.body.contains("16384 bytes"), "{}", refused.body);
}

#[test]
fn idle_connections_do_not_keep_others_out() {
    let f = start(|_| {});
    let address = &f.tenant.url()["http://".len()..];
    let _idle: Vec<_> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    still_there(&f);
}

#[test]
fn one_key_does_not_fill_the_guard_for_the_others() {
    let f = start(|options| options.guard_entries = 100);
    let other =
        f.generate(&json!({ "roles": ["Viewer"], "security_level": "advanced" }), Level::Advanced);
    let ping = |signer: &Signer| f.send(&f.sign(signer), VALIDATE, "{}").status;
    // One use generated the other key.
    let taken = (0..100).filter(|_| ping(&f.advanced()) == 200).count();
    assert_eq!(taken, 49);
    assert_eq!(ping(&other), 200);
}

#[test]
fn keys_to_delete_have_a_limit() {
    let f = start(|_| {});
    let delete = |ids: &[u64]| {
        let filters = json!([{ "field": "id", "operator": "in", "value": ids }]);
        f.call(&f.advanced(), DELETE, &json!({ "filters": filters }))
    };
    let answer = delete(&vec![1; 10_001]);
    assert_eq!(answer.status, 500);
    assert_eq!(answer.json()["reply"]["err_extra"], "a request names at most 10000 keys");
    // The same id, as often as a request allows, is one key.
    assert_eq!(delete(&vec![1; 10_000]).json()["reply"]["update_count"], 1);
}

#[test]
fn an_invalid_method_is_not_logged() {
    let (send, lines) = std::sync::mpsc::channel();
    let f = start(|options| {
        options.log = Some(Arc::new(move |line: &LogLine| send.send(line.to_string()).unwrap()));
    });
    let key = f.tenant.seeded_keys().unwrap().standard.expose();
    for (method, logged) in [(key, "1 OTHER /"), ("get", "2 OTHER /"), ("PATCH", "3 PATCH /")] {
        let auth = format!("x-xdr-auth-id: 1\r\nAuthorization: {key}\r\n");
        let answer = f.raw(
            format!("{method} / HTTP/1.1\r\nHost: x\r\n{auth}Connection: close\r\n\r\n").as_bytes(),
        );
        let line = lines.recv().unwrap();
        assert!(line.starts_with(logged) && !line.contains(key), "{line}");
        assert!(answer.contains("404") && !answer.contains(key), "{answer}");
    }
}
