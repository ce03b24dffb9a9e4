//! `cortexkey tenant`, and what the README's lines do against it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod common;

use std::process::Command;

use common::{Tenant, finish};
use serde_json::Value;

#[test]
fn the_ready_line_is_the_only_output_and_both_keys_are_good() {
    let tenant = Tenant::start();
    assert_eq!(tenant.ready["pid"], tenant.process.id());
    for level in ["standard", "advanced"] {
        let ran = finish(&mut tenant.with_key(level, &["ping", "--format", "json"]));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
        let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!((&answer["ok"], &answer["level"]), (&true.into(), &level.into()));
    }
}

#[test]
fn a_call_prints_the_answer_and_a_refusal_says_why() {
    let tenant = Tenant::start();
    let list = ["call", "POST", "/public_api/v1/api_keys/get_api_keys", "--data"];
    let args = [&list[..], &[r#"{"request_data":{"filters":[]}}"#]].concat();
    let ran = finish(&mut tenant.with_key("advanced", &args));
    let answer: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!((ran.code, &answer["reply"]["TOTAL_COUNT"]), (0, &2.into()));

    let mut wrong_level = tenant.with_key("advanced", &["ping"]);
    let ran = finish(wrong_level.env("CORTEXKEY_API_KEY_TYPE", "standard"));
    assert_eq!((ran.code, ran.stdout.as_str()), (1, ""));
    assert!(ran.stderr.contains("level-mismatch"), "{}", ran.stderr);
    let key = tenant.ready["keys"]["advanced"]["key"].as_str().unwrap();
    assert!(!ran.stderr.contains(key));
}

/// The README's line for Advanced keys with curl, but for the address.
#[test]
fn the_readmes_line_for_curl_works() {
    let readme = include_str!("../../../README.md");
    let shown = "curl -K - https://api-acme.xdr.us.paloaltonetworks.com/api_keys/validate/ -d '{}'";
    assert!(readme.contains(shown));
    let tenant = Tenant::start();
    for level in ["standard", "advanced"] {
        let ran = finish(&mut tenant.with_key(level, &["sign", "--format", "curl"]));
        let line = shown.replace("https://api-acme.xdr.us.paloaltonetworks.com", tenant.url());
        let mut shell = Command::new("sh");
        let output = common::finish_with(shell.args(["-c", &line]), ran.stdout.as_bytes());
        assert_eq!(output.stdout, "\"true\"", "{}", output.stderr);
    }
}
