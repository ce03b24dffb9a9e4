//! No input from other programs makes the client panic, and no input within the size limits keeps
//! it busy for long.

use std::fmt::Write as _;

use cortexkey_client::Config;
use cortexkey_client::doctor::{Cause, examine_requests, read_requests};
use cortexkey_core::auth::Level;
use proptest::prelude::*;

const OF_REQUESTS: &[&str] = &[
    "x-xdr-auth-id: 7\n",
    "x-xdr-auth-id: ",
    "x-xdr-nonce: a\n",
    "X-XDR-Timestamp: 1700000000000\r\n",
    "x-xdr-timestamp: ١٢٣\n",
    "Authorization: \n",
    "authorization: Bearer 'é'\n",
    "authorization:\u{a0}",
    "Host: api-.xdr.us.paloaltonetworks.com\n",
    ":authority: \n",
    "POST / HTTP/1.1\n",
    "> ",
    "< ",
    "< date: Tue, 14 Nov 2023 22:13:20 GMT\n",
    "< date: Fri, 31 Dec 9999 23:59:60 GMT\n",
    "* ",
    "\n",
    "\u{1b}[2J",
    "\0",
    "{",
    "}",
    "[",
    "]",
    "\"headers\":",
    "{\"headers\": {\"Authorization\": [\"a\", 1e999, null]}}",
    ",",
    "𝄞",
];

const OF_SETTINGS: &[&str] = &[
    "default_profile = ",
    "[profiles.a]\n",
    "[profiles.\"\u{1b}\"]\n",
    "[[profiles]]\n",
    "fqdn = ",
    "key_id = ",
    "level = ",
    "key_file = ",
    "key_command = ",
    "\"~/\"",
    "\"a\"",
    "['a', '']",
    "{ a = 1 }",
    "-1",
    "9223372036854775808",
    "1979-05-27T07:32:00Z",
    "true",
    "\n",
    "#é",
    "'''",
    "\\u0000",
    "\0",
    ".",
    "=",
];

fn of(pieces: &'static [&'static str]) -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => prop::sample::select(pieces).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn requests_are_examined_whatever_they_are(
        text in of(OF_REQUESTS),
        key in prop::option::of(prop::collection::vec(any::<u8>(), 0..8)),
        level in prop::option::of(prop::sample::select(&[Level::Standard, Level::Advanced][..])),
    ) {
        if let Ok(requests) = read_requests(text.as_bytes()) {
            let diagnosis = examine_requests(&requests, key.as_deref(), level);
            for finding in &diagnosis.findings {
                prop_assert!(!finding.evidence.contains(char::is_control), "{}", finding.evidence);
            }
        }
    }

    #[test]
    fn bytes_are_requests_or_refused(bytes: Vec<u8>) {
        let _ = read_requests(&bytes);
    }

    #[test]
    fn settings_are_read_or_refused(text in of(OF_SETTINGS)) {
        if let Err(problem) = Config::parse(&text, None, None) {
            prop_assert!(!problem.to_string().contains(char::is_control), "{problem}");
        }
    }
}

#[test]
fn a_megabyte_of_requests_is_compared_with_itself_once() {
    // Comparing each with each took more than a minute.
    let mut text = String::new();
    for at in 0..47_000 {
        writeln!(text, "x-xdr-nonce: {at}\n").unwrap();
    }
    let requests = read_requests(text.as_bytes()).unwrap();
    let diagnosis = examine_requests(&requests, None, None);
    assert_eq!(requests.len(), 47_000);
    assert!(diagnosis.findings.iter().all(|finding| finding.cause != Cause::ReusedNonce));
}
