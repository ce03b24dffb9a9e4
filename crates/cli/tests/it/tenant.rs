//! `cortexkey tenant`, and the README's commands against it.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::common::{Tenant, cortexkey, finish};

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
fn a_call_prints_the_response_and_why_it_was_refused() {
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

#[test]
fn a_small_guard_refuses_what_it_has_no_room_for() {
    let tenant = Tenant::start_with(&["--guard-entries", "4"]);
    for accepted in [true, true, false] {
        let ran = finish(&mut tenant.with_key("advanced", &["ping", "--retries", "0"]));
        assert_eq!(ran.code == 0, accepted, "{}", ran.stderr);
        assert_eq!(ran.stderr.contains("replay-guard-quota"), !accepted, "{}", ran.stderr);
    }
    // Only a guard in memory has a size.
    for replay in ["off", "redis://127.0.0.1:1"] {
        let ran = finish(&mut cortexkey(&["tenant", "--guard-entries", "4", "--replay", replay]));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""));
        assert!(ran.stderr.contains("--guard-entries"), "{ran:?}");
    }
}

#[test]
fn a_log_for_machines_has_one_object_a_request_and_no_secret() {
    let mut command = cortexkey(&["tenant", "--log-format", "json"]);
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut ready = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut ready).unwrap();
    let ready: Value = serde_json::from_str(&ready).unwrap();
    let mut tenant = Tenant { process, ready };
    finish(&mut tenant.with_key("advanced", &["ping"]));
    let mut line = String::new();
    let mut log = BufReader::new(tenant.process.stderr.take().unwrap());
    log.read_line(&mut line).unwrap();
    let (_, key) = tenant.key("advanced");
    assert!(!line.contains(&key), "{line}");
    let line: Value = serde_json::from_str(&line).unwrap();
    assert_eq!((&line["keyId"], &line["verdict"]), (&2.into(), &"accept".into()));
}

#[cfg(target_os = "linux")]
#[test]
fn a_crash_leaves_no_core_with_keys() {
    use std::os::unix::process::ExitStatusExt as _;

    let folder = tempfile::tempdir().unwrap();
    // If core dumps are allowed at all.
    let script = "ulimit -c unlimited 2>/dev/null; exec \"$0\" tenant --quiet";
    let mut command = Command::new("sh");
    command.args(["-c", script, env!("CARGO_BIN_EXE_cortexkey")]).current_dir(folder.path());
    let mut process = command.stdout(Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let killed = Command::new("kill").args(["-ABRT", &process.id().to_string()]).status().unwrap();
    assert!(killed.success());
    let status = process.wait().unwrap();
    assert!(status.signal() == Some(6) && !status.core_dumped(), "{status}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

/// The second block of the tenant's page, except for the address.
#[test]
fn the_first_calls_of_the_tenants_page_work() {
    let page = include_str!("../../../../docs/tenant.md");
    let block = page.split("```sh\n").nth(2).unwrap().split("```").next().unwrap();
    let tenant = Tenant::start();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("ready.json"), tenant.ready.to_string()).unwrap();
    let binary = std::path::Path::new(env!("CARGO_BIN_EXE_cortexkey")).parent().unwrap();
    let path = std::env::join_paths(
        std::iter::once(binary.to_owned())
            .chain(std::env::split_paths(&std::env::var_os("PATH").unwrap())),
    );
    let mut shell = Command::new("sh");
    shell.args(["-eu", "-c", &block.replace("http://127.0.0.1:8080", tenant.url())]);
    shell.current_dir(folder.path()).env("PATH", path.unwrap());
    let output = finish(&mut shell);
    assert_eq!(output.code, 0, "{}", output.stderr);
    for said in [
        "x-cortexkey-verdict: accept",
        r#"{"status":"available"}"#,
        "Instance Administrator",
        "x-cortexkey-verdict: level-mismatch",
        r#""verdict":"level-mismatch""#,
    ] {
        assert!(output.stdout.contains(said), "{said}: {}", output.stdout);
    }
}

/// The library that reads the file panics on some of them.
#[test]
fn a_damaged_data_file_gives_one_message() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    drop(Tenant::start_with(&["--data", data.to_str().unwrap()]));
    let file = data.join("tenant.redb");
    let whole = std::fs::read(&file).unwrap();
    for part in 1..6 {
        std::fs::write(&file, &whole[..whole.len() / 6 * part]).unwrap();
        let ran = crate::common::run(&["tenant", "--data", data.to_str().unwrap()]);
        assert_eq!((ran.code, ran.stdout.as_str()), (1, ""), "{ran:?}");
        assert_eq!(ran.stderr.lines().filter(|line| line.starts_with("error: ")).count(), 1);
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
    }
}
