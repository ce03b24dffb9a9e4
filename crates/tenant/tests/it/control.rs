//! Calls that the product does not have: the last requests, the clock, notices, faults, settings.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::time::{Duration, Instant};

use cortexkey_core::auth::Level;
use cortexkey_tenant::{Control, Fault, FaultKind, ReplayMode};
use serde_json::{Value, json};

use crate::common::{
    Fixture, GENERATE, Headers, LIST, NOW_MS, VALIDATE, sign_at, start, stops_promptly,
};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

fn controlled() -> Fixture {
    start(|options| {
        options.control = Control::Change;
        options.explain = true;
    })
}

fn get(f: &Fixture, path: &str) -> Value {
    let answer = f.get(&vec![], path);
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json()
}

fn ping(f: &Fixture) -> crate::common::Answer {
    f.send(&f.sign(&f.advanced()), VALIDATE, "{}")
}

/// One exchange over a raw connection: the response, or that the connection was reset.
fn by_hand(f: &Fixture) -> std::io::Result<String> {
    let key = f.tenant.seeded_keys().unwrap().standard.expose();
    let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..])?;
    let request = format!(
        "GET /public_api/v1/healthcheck HTTP/1.1\r\nHost: x\r\nx-xdr-auth-id: 1\r\n\
         Authorization: {key}\r\nConnection: close\r\n\r\n"
    );
    stream.write_all(request.as_bytes())?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

#[test]
fn recorded_requests_have_their_results_and_no_secret() {
    let f = controlled();
    let good = f.sign(&f.advanced());
    assert_eq!(f.send(&good, VALIDATE, "{}").header("x-cortexkey-request"), Some("1"));
    let again = f.send(&good, VALIDATE, "{}");
    assert_eq!(again.header("x-cortexkey-repeats"), Some("1"));
    let request = json!({ "roles": ["Viewer"], "security_level": "standard" });
    let viewer = f.generate(&request, Level::Standard);
    f.call(&viewer, GENERATE, &request);
    let all = get(&f, "/_cortexkey/requests");
    let list = all["requests"].as_array().unwrap();
    assert_eq!(list.len(), 4, "requests for the list itself are not in it");
    assert_eq!(list[1]["verdict"], "replayed");
    assert_eq!((&list[1]["repeats"], &list[1]["keyId"]), (&json!(1), &json!(2)));
    assert_eq!(list[0]["skewMs"], 0, "signed at the tenant's time");
    assert!(list[1]["remedy"].as_str().unwrap().contains("again"));
    assert_eq!(list[3]["status"], 403);
    assert!(list[3]["reason"].as_str().unwrap().contains("Public API"), "{}", list[3]);
    for (name, value) in good.iter().chain(f.sign(&viewer).iter()) {
        if name == "Authorization" || name == "x-xdr-nonce" {
            assert!(!all.to_string().contains(value.as_str()), "{name}");
        }
    }
    let latest = get(&f, "/_cortexkey/requests?last=1");
    assert_eq!(latest["requests"], json!([list[3]]));
    assert_eq!(f.tenant.requests(9).len(), 4);
}

#[test]
fn an_observed_replay_names_the_repeated_request() {
    let f = start(|options| {
        options.replay = ReplayMode::Observe;
        options.explain = true;
    });
    let headers = f.sign(&f.advanced());
    for repeats in [None, Some("1"), Some("1")] {
        let answer = f.send(&headers, VALIDATE, "{}");
        assert_eq!((answer.status, answer.header("x-cortexkey-repeats")), (200, repeats));
    }
}

#[test]
fn followers_receive_requests_and_do_not_block_the_tenant() {
    stops_promptly(|| {
        let f = controlled();
        let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..]).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
        let request = "GET /_cortexkey/requests/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        assert!(
            lines.by_ref().take_while(|line| !line.is_empty()).any(|l| l.contains("event-stream"))
        );
        ping(&f);
        let event = lines.find(|line| line.starts_with("data: ")).unwrap();
        let event: Value = serde_json::from_str(&event["data: ".len()..]).unwrap();
        assert_eq!((&event["id"], &event["verdict"]), (&json!(1), &json!("accept")));
        let started = Instant::now();
        f.tenant.stop();
        started.elapsed()
    });
}

#[test]
fn it_is_off_by_default_and_on_loopback_only() {
    let f = start(|_| {});
    for path in ["/_cortexkey/requests", "/_cortexkey/clock", "/_cortexkey/nothing"] {
        assert_eq!(f.get(&vec![], path).status, 401, "{path}");
    }
    let f = start(|options| options.control = Control::Read);
    assert_eq!(f.get(&vec![], "/_cortexkey/requests").status, 200);
    assert_eq!(f.get(&vec![], "/_cortexkey/clock").status, 401);
    let f = controlled();
    for header in [
        "Host: evil.example",
        "Host: localhost\r\nOrigin: http://localhost:3000",
        "Host: localhost\r\nSec-Fetch-Site: same-site",
        "Host: localhost\r\nSec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors",
        "Host: localhost\r\nHost: localhost",
        "Accept: */*",
    ] {
        let request =
            format!("GET /_cortexkey/requests HTTP/1.1\r\n{header}\r\nConnection: close\r\n\r\n");
        assert!(f.raw(request.as_bytes()).starts_with("HTTP/1.1 403"), "{header}");
    }
}

#[test]
fn a_clock_that_is_put_back_accepts_what_is_signed_from_then_on() {
    let f = controlled();
    let set = |now_ms: u64| {
        let moved = f.put(&vec![], "/_cortexkey/clock", &json!({ "nowMs": now_ms }));
        assert_eq!(moved.status, 200);
    };
    let sign = |at_ms: u64| sign_at(&f.advanced(), at_ms);
    let status = |headers: &Headers| f.send(headers, VALIDATE, "{}").status;
    let first = sign(NOW_MS);
    assert_eq!(status(&first), 200);
    set(NOW_MS + 7 * DAY_MS);
    assert_eq!(status(&sign(NOW_MS + 7 * DAY_MS)), 200);
    for now_ms in [NOW_MS + 1_000, NOW_MS - 400 * DAY_MS] {
        set(now_ms);
        assert_eq!(status(&first), 401, "nothing is accepted twice");
        let new = sign(now_ms);
        assert_eq!([status(&new), status(&new)], [200, 401], "{now_ms}");
        assert_eq!(status(&sign(now_ms - 1)), 401, "it may have been accepted before");
    }
}

#[test]
fn keys_expire_by_the_emulators_clock() {
    let f = controlled();
    let made =
        f.generate(&json!({ "roles": ["Viewer"], "security_level": "standard" }), Level::Standard);
    assert_eq!(get(&f, "/_cortexkey/clock"), json!({ "nowMs": NOW_MS }));
    let put = |change: Value| f.put(&vec![], "/_cortexkey/clock", &change);
    assert_eq!(put(json!({ "advanceMs": 7 * DAY_MS - 1 })).status, 200);
    assert_eq!(f.send(&f.sign(&made), VALIDATE, "{}").status, 200);
    let moved = put(json!({ "nowMs": NOW_MS + 7 * DAY_MS }));
    assert_eq!(moved.json(), json!({ "nowMs": NOW_MS + 7 * DAY_MS }));
    let dead = f.send(&f.sign(&made), VALIDATE, "{}");
    assert_eq!(dead.header("x-cortexkey-verdict"), Some("key-expired"));
    for bad in [json!({}), json!({ "nowMs": -1 }), json!({ "now": 1 })] {
        assert_eq!(put(bad.clone()).status, 400, "{bad}");
    }
}

/// Accepts one POST, responds with a status, and returns its body.
fn take(listener: &TcpListener, status: &str) -> Value {
    let (mut stream, _) = listener.accept().unwrap();
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").unwrap();
    serde_json::from_slice(&body).unwrap()
}

#[test]
fn notices_come_a_week_and_a_day_before_and_go_to_the_webhook() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/hook", listener.local_addr().unwrap());
    let f = start(|options| {
        options.control = Control::Change;
        options.webhook = Some(url);
    });
    let request = json!({ "roles": ["Viewer"], "security_level": "standard", "comment": "ci",
        "expiration": NOW_MS + 30 * DAY_MS });
    f.generate(&request, Level::Standard);
    assert_eq!(get(&f, "/_cortexkey/notifications"), json!({ "notifications": [] }));
    // By the tenant's own timer, and by ours.
    f.clock.set(NOW_MS + 23 * DAY_MS);
    // The first response is an error, so the notice is sent again.
    let first = take(&listener, "500 Error");
    let second = take(&listener, "200 OK");
    assert_eq!(first, second);
    assert_eq!(first["notice"], "one-week-before");
    f.put(&vec![], "/_cortexkey/clock", &json!({ "nowMs": NOW_MS + 29 * DAY_MS }));
    assert_eq!(take(&listener, "204 No Content")["notice"], "one-day-before");
    let all = get(&f, "/_cortexkey/notifications")["notifications"].clone();
    assert_eq!(
        all[1],
        json!({
            "id": 2, "kind": "API Key Expiration", "notice": "one-day-before", "keyId": 3,
            "comment": "ci", "expirationMs": NOW_MS + 30 * DAY_MS, "timeMs": NOW_MS + 29 * DAY_MS,
            "message": "API key 3 expires: this is the notice one day before",
        })
    );
    assert_eq!(f.tenant.notifications().len(), 2);
}

#[test]
fn a_failing_webhook_is_reported() {
    // No process listens on this port, and no system assigns it.
    let port = 1;
    let (reported, tells) = std::sync::mpsc::channel();
    let f = start(move |options| {
        options.control = Control::Change;
        options.webhook = Some(format!("http://127.0.0.1:{port}/secret"));
        options.webhook_log = Some(std::sync::Arc::new(move |notification, why| {
            reported.send((notification.id, why.to_owned())).unwrap();
        }));
    });
    let request = json!({ "roles": ["Viewer"], "security_level": "standard",
        "expiration": NOW_MS + 30 * DAY_MS });
    f.generate(&request, Level::Standard);
    f.put(&vec![], "/_cortexkey/clock", &json!({ "nowMs": NOW_MS + 24 * DAY_MS }));
    let (id, why) = tells.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!((id, why.as_str()), (1, "it could not be reached; given up after 3 attempts"));
    let all = get(&f, "/_cortexkey/notifications")["notifications"].clone();
    assert_eq!(all[0]["webhookError"], why);
}

#[test]
fn each_fault_occurs_as_often_as_requested() {
    let f = controlled();
    let fault = |fault: Fault| f.tenant.set_faults(vec![fault]).unwrap();

    fault(Fault::new(FaultKind::too_many_requests(7)).times(2));
    for _ in 0..2 {
        let answer = ping(&f);
        assert_eq!((answer.status, answer.header("retry-after")), (429, Some("7")));
        assert_eq!(answer.json()["reply"]["err_code"], 429);
    }
    assert_eq!(ping(&f).status, 200);

    fault(Fault::new(FaultKind::status(503)).on_path("/public_api"));
    assert_eq!(ping(&f).status, 200, "another path");
    let list = || f.call(&f.advanced(), LIST, &json!({ "filters": [] }));
    assert_eq!((list().status, list().status), (503, 200));

    fault(Fault::new(FaultKind::Redirect { location: "http://127.0.0.1:9/x".into() }));
    // Over a raw connection, because the test's client would follow redirects.
    let answer = by_hand(&f).unwrap();
    assert!(
        answer.starts_with("HTTP/1.1 307") && answer.contains("location: http://127.0.0.1:9/x")
    );

    fault(Fault::new(FaultKind::Truncated));
    let answer = by_hand(&f).unwrap();
    let body = answer.split("\r\n\r\n").nth(1).unwrap();
    assert!(answer.contains("content-length: 22") && body.len() == 11, "{answer}");

    fault(Fault::new(FaultKind::Reset));
    assert_eq!(by_hand(&f).unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);

    fault(Fault::new(FaultKind::Slow { delay_ms: 300 }));
    let started = Instant::now();
    assert_eq!(ping(&f).status, 200);
    assert!(started.elapsed() >= Duration::from_millis(300));

    fault(Fault::new(FaultKind::SkewedDate { by_ms: -3_600_000 }));
    assert_eq!(ping(&f).header("date"), Some("Mon, 28 Sep 2026 15:08:47 GMT"));
    assert_eq!(ping(&f).header("date"), Some("Mon, 28 Sep 2026 16:08:47 GMT"));

    // An unauthenticated client gets the usual response, and consumes no fault.
    fault(Fault::new(FaultKind::status(500)));
    assert_eq!(f.send(&vec![], VALIDATE, "{}").status, 401);
    assert_eq!(ping(&f).status, 500);
}

#[test]
fn an_answer_can_be_lost_after_the_work_is_done() {
    let f = controlled();
    let keys = || f.call(&f.standard(), LIST, &json!({ "filters": [] })).json();
    let request = json!({ "roles": ["Viewer"], "security_level": "standard" });
    for (after, total) in [(false, 2), (true, 3)] {
        let mut fault = Fault::new(FaultKind::status(500)).on_path(GENERATE);
        fault.after = after;
        f.tenant.set_faults(vec![fault]).unwrap();
        assert_eq!(f.call(&f.standard(), GENERATE, &request).status, 500);
        assert_eq!(keys()["reply"]["TOTAL_COUNT"], total);
    }
}

#[test]
fn faults_and_settings_are_set_by_http() {
    let f = controlled();
    let faults = json!({ "faults": [
        { "kind": { "status": { "status": 500, "envelope": "app-sec" } }, "times": null },
        { "kind": "reset", "path": "/x", "after": true },
    ] });
    assert_eq!(f.put(&vec![], "/_cortexkey/faults", &faults).status, 200);
    assert_eq!(ping(&f).json()["errorCode"], 500);
    assert_eq!(ping(&f).status, 500, "for ever");
    assert_eq!(get(&f, "/_cortexkey/faults")["faults"][1]["kind"], "reset");
    for bad in [
        json!({ "faults": [{ "kind": "explode" }] }),
        json!({ "faults": [{ "kind": { "status": { "status": 200 } } }] }),
    ] {
        assert_eq!(f.put(&vec![], "/_cortexkey/faults", &bad).status, 400, "{bad}");
    }
    f.put(&vec![], "/_cortexkey/faults", &json!({ "faults": [] }));
    assert_eq!(ping(&f).status, 200);

    let assets = || f.call(&f.advanced(), "/public_api/v1/assets", &json!({})).json();
    assert_eq!(assets()["reply"]["metadata"]["total_count"], 7);
    let change = json!({ "enforceScopes": true, "tags": "restrictive" });
    let answer = f.put(&vec![], "/_cortexkey/settings", &change);
    assert_eq!(
        answer.json(),
        json!({
            "hasScopes": true,
            "enforceScopes": true,
            "tags": "restrictive",
            "scopedDatasets": false,
            "keysWithoutScope": [1, 2],
        })
    );
    assert_eq!(assets()["reply"]["metadata"]["total_count"], 0);
}
