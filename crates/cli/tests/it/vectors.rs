//! The known answers in `vectors/auth.json`, through the binary.

#![allow(clippy::format_collect, reason = "a test fails by panicking")]

use std::collections::BTreeSet;

use cortexkey_core::auth::{Key, KeyId, Level, Nonce, Signer, Timestamp, Verdict};
use serde_json::{Value, json};

use crate::common::{CANARY, run_with};

fn vectors(section: &str) -> Vec<Value> {
    let all: Value = serde_json::from_str(include_str!("../../../../vectors/auth.json")).unwrap();
    all[section].as_array().unwrap().clone()
}

#[test]
fn the_binary_matches_the_vectors() {
    for case in vectors("signing") {
        let id = case["key_id"].to_string();
        let level = case["level"].as_str().unwrap();
        let timestamp = case["timestamp_ms"].as_u64().unwrap_or(1_700_000_000_000).to_string();
        let filler = "n".repeat(64);
        let nonce = case["nonce"].as_str().unwrap_or(&filler);
        let args = [
            "sign",
            "--key-id",
            &id,
            "--level",
            level,
            "--key-stdin",
            "--nonce",
            nonce,
            "--timestamp-ms",
            &timestamp,
            "--format",
            "json",
        ];
        let ran = run_with(&args, case["key"].as_str().unwrap().as_bytes());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", case["name"]);
        let mut expected = json!({
            "x-xdr-auth-id": id,
            "Authorization": case["authorization"],
        });
        if level == "advanced" {
            expected["x-xdr-nonce"] = case["nonce"].clone();
            expected["x-xdr-timestamp"] = timestamp.into();
        }
        let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
        assert_eq!(printed, expected, "{}", case["name"]);
    }

    let cases = vectors("verifying");
    let lines: String = cases.iter().map(|case| format!("{}\n", line(case))).collect();
    let ran = run_with(&["verify"], lines.as_bytes());
    assert_eq!((ran.code, ran.stderr.as_str()), (1, ""));
    let verdicts = answers(&ran.stdout);
    assert_eq!(verdicts.len(), cases.len());
    for (case, answer) in cases.iter().zip(verdicts) {
        assert_eq!(answer["verdict"], case["verdict"], "{}", case["name"]);
    }
}

/// The file's own lines, with the names of the cases and the expected results.
#[test]
fn vectors_are_taken_as_they_are() {
    let cases = vectors("verifying");
    let lines: String = cases.iter().map(|case| format!("{case}\n")).collect();
    let ran = run_with(&["verify"], lines.as_bytes());
    for (case, answer) in cases.iter().zip(answers(&ran.stdout)) {
        assert_eq!(answer["verdict"], case["verdict"], "{}", case["name"]);
        assert_eq!(answer["name"], case["name"]);
    }
}

#[test]
fn lines_are_independent_unless_replay_is_checked() {
    let good = &vectors("verifying")[0];
    let lines = format!("{0}\n{0}\n", line(good));
    let ran = run_with(&["verify"], lines.as_bytes());
    assert_eq!(ran.code, 0);
    let ran = run_with(&["verify", "--replay"], lines.as_bytes());
    assert_eq!(ran.code, 1);
    let verdicts: Vec<_> =
        answers(&ran.stdout).iter().map(|a| a["verdict"].as_str().unwrap().to_owned()).collect();
    assert_eq!(verdicts, ["accept", "replayed"]);
}

/// The vectors reach most verdicts; those of the guard need a guard that is full, new or too small.
#[test]
fn every_verdict_is_reached() {
    let mut reached: BTreeSet<String> =
        vectors("verifying").iter().map(|case| case["verdict"].as_str().unwrap().into()).collect();
    let good: Vec<Value> = vectors("verifying")
        .into_iter()
        .filter(|case| case["verdict"] == "accept" && case["stored"]["level"] == "advanced")
        .collect();
    let line = format!("{}\n", good[0]);
    let now_ms = good[0]["now_ms"].to_string();
    let mut reach = |args: &[&str], lines: &str| {
        let ran = run_with(&[&["verify", "--replay"], args].concat(), lines.as_bytes());
        reached
            .extend(answers(&ran.stdout).iter().map(|a| a["verdict"].as_str().unwrap().to_owned()));
    };
    reach(&[], &line.repeat(2));
    reach(&["--replay-start-ms", &now_ms], &line);
    reach(&["--replay-skew-ms", "1000"], &line);
    // Requests of one moment, more than the smallest guard has room for.
    reach(&["--replay-entries", "1"], &signed_lines(20_000));
    // One run has one client and therefore no quota; the tenant's tests reach this verdict.
    reached.insert(Verdict::ReplayGuardQuota.code().to_owned());
    let all: BTreeSet<String> = Verdict::ALL.iter().map(|v| v.code().to_owned()).collect();
    assert_eq!(reached, all);
}

fn signed_lines(count: u64) -> String {
    let id = KeyId::new(7).unwrap();
    let key = Key::new(CANARY.as_bytes()).unwrap();
    let signer = Signer::new(id, Level::Advanced, key);
    let now = Timestamp::from_ms(1_790_611_732_512).unwrap();
    (0..count)
        .map(|number| {
            let nonce = Nonce::new(format!("{number:064}").as_bytes()).unwrap();
            let headers = signer.sign_with(nonce, now);
            let pairs = headers.iter().map(|(name, value)| (name.to_owned(), Value::from(value)));
            let request: Value = pairs.collect();
            let stored = json!({
                "key_id": 7, "key": CANARY, "level": "advanced", "expires_ms": null, "revoked": false,
            });
            let line = json!({
                "stored": stored, "now_ms": now.as_ms(), "skew_ms": 60_000, "request": request,
            });
            format!("{line}\n")
        })
        .collect()
}

/// Each line has one mistake; the last line is valid and still gets its result.
#[test]
fn a_bad_line_is_reported_and_the_next_is_answered() {
    let good = line(&vectors("verifying")[0]);
    let mut lines = Vec::new();
    let mut push = |text: String| lines.push(text);
    push(String::new());
    push("{".into());
    push("[]".into());
    push(changed(&good, |line| drop(line.remove("now_ms"))));
    push(changed(&good, |line| drop(line.insert("nowms".into(), 5.into()))));
    push(changed(&good, |line| drop(line.insert(CANARY.into(), 5.into()))));
    push(changed(&good, |line| line["now_ms"] = CANARY.into()));
    push(changed(&good, |line| line["now_ms"] = (-5).into()));
    push(changed(&good, |line| line["skew_ms"] = 5.into()));
    push(changed(&good, |line| line["stored"]["level"] = CANARY.into()));
    push(changed(&good, |line| line["stored"]["key"] = format!("{CANARY} ").into()));
    push(changed(&good, |line| line["stored"]["key_id"] = 0.into()));
    push(changed(&good, |line| line["stored"]["revoked"] = CANARY.into()));
    push(changed(&good, |line| line["request"] = CANARY.into()));
    push(changed(&good, |line| line["request"]["x-xdr-nonce"] = 5.into()));
    push(changed(&good, |line| line["request"]["x-xdr-nonce"] = "\u{100}".into()));
    push(good.replacen("\"now_ms\"", "\"now_ms\":1,\"now_ms\"", 1));
    push(changed(&good, |line| line["request"][CANARY] = 5.into()));
    push(format!("{good}{}G", " ".repeat(1024 * 1024 - good.len())));
    push(format!("\"{}\"", "k".repeat(10 * 1024 * 1024)));
    push("\"".repeat(1024 * 1024));
    push(good);
    let ran = run_with(&["verify"], lines.join("\n").as_bytes());
    assert_eq!(ran.code, 1);
    assert!(!ran.stdout.contains("CANARY") && !ran.stderr.contains("CANARY"));
    insta::assert_snapshot!(ran.stdout);
}

#[test]
fn verify_reports_that_there_are_no_requests() {
    let ran = run_with(&["verify"], b"");
    assert_eq!(ran.code, 3);
    insta::assert_snapshot!(ran.stderr, @r"
    error: there is no request to check
     help: give one JSON object per line, as in `cortexkey verify --help`
    ");
}

/// A case without the fields that the command does not read.
fn line(case: &Value) -> String {
    let fields = ["stored", "now_ms", "skew_ms", "request"];
    Value::Object(fields.iter().map(|f| ((*f).into(), case[*f].clone())).collect()).to_string()
}

fn changed(line: &str, change: impl FnOnce(&mut serde_json::Map<String, Value>)) -> String {
    let mut line: Value = serde_json::from_str(line).unwrap();
    change(line.as_object_mut().unwrap());
    line.to_string()
}

fn answers(stdout: &str) -> Vec<Value> {
    stdout.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
