//! What is too large, too slow or malformed ends in an answer, and the tenant goes on.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::fmt::Write as _;
use std::io::Write as _;
use std::net::TcpStream;

use common::{Fixture, LIST, VALIDATE, start};

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
        // A stranger learns nothing of the limit.
        assert_eq!(f.send(&vec![], LIST, &" ".repeat(size)).status, 401);
    }
    let mut fits = r#"{"request_data":{"filters":[]}}"#.to_owned();
    fits.push_str(&" ".repeat(1024 * 1024 - fits.len()));
    assert_eq!(f.send(&f.sign(&f.advanced()), LIST, &fits).status, 200);
}

#[test]
fn what_is_no_json_is_refused() {
    let f = start(|_| {});
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for body in ["", "{", "nonsense", "{\"request_data\": }", "\u{0}", deep.as_str()] {
        let answer = f.send(&f.sign(&f.advanced()), LIST, body);
        assert_eq!(answer.status, 400, "{}", &body[..body.len().min(20)]);
        let message = &answer.json()["reply"]["err_msg"];
        assert_eq!(message, "Bad Request. Got an invalid JSON.");
    }
    // JSON, but not what the call takes: the product says 500.
    for body in ["{}", "[]", "7", r#"{"request_data":[7]}"#] {
        assert_eq!(f.send(&f.sign(&f.advanced()), LIST, body).status, 500, "{body}");
    }
    assert_eq!(f.send(&f.sign(&f.advanced()), VALIDATE, "{").status, 400);
}

#[test]
fn a_body_must_say_that_it_is_json() {
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
    assert_eq!(post(LIST, "", ""), "415");
    assert_eq!(post(LIST, "Content-Type: application/x-www-form-urlencoded\r\n", "{}"), "415");
}

#[test]
fn malformed_http_is_refused_and_harms_nobody() {
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
    // Headers without end: cut off, with an answer or without.
    let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..]).unwrap();
    let endless = format!("GET / HTTP/1.1\r\nlong: {}", "x".repeat(1_000_000));
    let cut_off = (0..10).any(|_| stream.write_all(endless.as_bytes()).is_err());
    assert!(cut_off);
    // Hung up in the middle of headers, and of a body.
    for part in ["POST / HTTP/1.1\r\nHo", "POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{"] {
        let mut stream = TcpStream::connect(&f.tenant.url()["http://".len()..]).unwrap();
        stream.write_all(part.as_bytes()).unwrap();
    }
    still_there(&f);
}

#[test]
fn idle_connections_do_not_keep_others_out() {
    let f = start(|_| {});
    let address = &f.tenant.url()["http://".len()..];
    let _idle: Vec<_> = (0..200).map(|_| TcpStream::connect(address).unwrap()).collect();
    still_there(&f);
}
