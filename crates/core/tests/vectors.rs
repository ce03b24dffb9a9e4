//! The known answers in `vectors/auth.json`, through the core.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use cortexkey_core::auth::{
    Key, KeyId, Level, Nonce, NonceLengths, Request, Signer, Skew, StoredKey, Timestamp, Verdict,
    Verifier,
};
use cortexkey_core::lifecycle::Expiry;
use cortexkey_core::replay::NoReplayGuard;
use serde_json::Value;

fn vectors(section: &str) -> Vec<Value> {
    let text = include_str!("../../../vectors/auth.json");
    let all: Value = serde_json::from_str(text).unwrap();
    all[section].as_array().unwrap().clone()
}

fn text<'a>(case: &'a Value, field: &str) -> &'a str {
    case[field].as_str().unwrap_or_else(|| panic!("{field} of {case}"))
}

fn level(case: &Value) -> Level {
    text(case, "level").parse().unwrap()
}

fn key_id(case: &Value) -> KeyId {
    KeyId::new(case["key_id"].as_u64().unwrap()).unwrap()
}

#[test]
fn every_signing_vector_matches() {
    let cases = vectors("signing");
    assert!(cases.len() >= 65);
    for case in &cases {
        let signer =
            Signer::new(key_id(case), level(case), Key::new(text(case, "key").as_bytes()).unwrap());
        let (nonce, timestamp) = match level(case) {
            Level::Advanced => (
                Nonce::new(text(case, "nonce").as_bytes()).unwrap(),
                Timestamp::from_ms(case["timestamp_ms"].as_u64().unwrap()).unwrap(),
            ),
            Level::Standard => {
                (Nonce::new(&[b'n'; 64]).unwrap(), Timestamp::from_ms(1_700_000_000_000).unwrap())
            }
        };
        let headers = signer.sign_with(nonce, timestamp);
        let name = text(case, "name");
        assert_eq!(headers.authorization(), text(case, "authorization"), "{name}");
        assert_eq!(headers.key_id(), case["key_id"].to_string(), "{name}");
        assert_eq!(headers.nonce(), case["nonce"].as_str(), "{name}");
        let timestamp = case["timestamp_ms"].as_u64().map(|ms| ms.to_string());
        assert_eq!(headers.timestamp(), timestamp.as_deref(), "{name}");
    }
}

#[test]
fn every_verifying_vector_matches() {
    let cases = vectors("verifying");
    assert!(cases.len() >= 92);
    for case in &cases {
        let verdict = verify(case).err().unwrap_or(Verdict::Accept);
        assert_eq!(verdict.code(), text(case, "verdict"), "{}", text(case, "name"));
    }
}

fn verify(case: &Value) -> Result<(), Verdict> {
    let headers = headers(&case["request"]);
    let stored = (!case["stored"].is_null()).then(|| stored(&case["stored"]));
    let skew = Skew::from_ms(case["skew_ms"].as_u64().unwrap()).unwrap();
    let request = Request::parse(
        headers.iter().map(|(name, value)| (name, value.as_slice())),
        NonceLengths::EXACT,
    )?;
    let now_ms = case["now_ms"].as_u64().unwrap();
    let verifier = Verifier::new().with_skew(skew);
    verifier.verify(&request, stored.as_ref(), now_ms, &NoReplayGuard).map(drop)
}

fn stored(stored: &Value) -> StoredKey {
    let key = Key::new(text(stored, "key").as_bytes()).unwrap();
    let expiry = stored["expires_ms"].as_u64().map_or(Expiry::Never, |ms| Expiry::At { ms });
    let key = StoredKey::new(key_id(stored), level(stored), key).expiring(expiry);
    if stored["revoked"].as_bool().unwrap() {
        key.revoke();
    }
    key
}

/// A value represents bytes as U+0000 to U+00FF; a list is a header that occurs several times.
fn headers(request: &Value) -> Vec<(String, Vec<u8>)> {
    let bytes = |value: &Value| -> Vec<u8> {
        value.as_str().unwrap().chars().map(|c| u8::try_from(c).unwrap()).collect()
    };
    let mut headers = Vec::new();
    for (name, value) in request.as_object().unwrap() {
        match value.as_array() {
            Some(values) => headers.extend(values.iter().map(|v| (name.clone(), bytes(v)))),
            None => headers.push((name.clone(), bytes(value))),
        }
    }
    headers
}
