//! Invalid input: each kind gets one clear message and the documented exit code, and no message
//! repeats a key.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::{CANARY, Ran, cortexkey, finish, finish_with, run, run_with};

const WITH_KEY: [&str; 5] = ["sign", "--key-id", "7", "--level", "advanced"];

/// A folder with a file that only its owner can read.
fn key_file(content: &[u8]) -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key.txt");
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
    (folder, path)
}

fn sign_with_file(path: &Path) -> Ran {
    let mut args = WITH_KEY.to_vec();
    args.extend(["--key-file", path.to_str().unwrap()]);
    run(&args)
}

fn sign_with_key(key: &[u8]) -> Ran {
    let mut args = WITH_KEY.to_vec();
    args.push("--key-stdin");
    run_with(&args, key)
}

/// All output on standard error, for one snapshot of all messages.
fn reported(what: &str, expected_code: i32, ran: &Ran, all: &mut String) {
    assert_eq!(ran.code, expected_code, "{what}: {ran:?}");
    assert!(ran.stdout.is_empty(), "{what}: {ran:?}");
    assert!(!ran.stderr.contains("CANARY"), "{what}: {ran:?}");
    assert!(!ran.stderr.contains("panicked"), "{what}: {ran:?}");
    all.extend([what, "\n", &ran.stderr, "\n"]);
}

#[test]
fn no_message_repeats_a_key() {
    let mut all = String::new();
    let file = key_file(CANARY.as_bytes());
    let path = file.1.to_str().unwrap();
    for args in [
        &["sign", "--key", CANARY][..],
        &["sign", &format!("--key={CANARY}")],
        &["sign", &format!("--api-key={CANARY}")],
        &["sign", CANARY],
        &[CANARY],
        &["ping", "--level", CANARY],
        &["call", "GET", "/", CANARY],
        &["tenant", "--listen", CANARY],
        &["tenant", "--replay", CANARY],
        &["sign", "--key-id", CANARY, "--level", "advanced", "--key-file", path],
        &["sign", "--key-id", "7", "--level", "advanced", "--key-file", path, "--nonce", CANARY],
        &["sign", "--timestamp-ms", CANARY, "--nonce", "n"],
        &["call", CANARY, "/"],
        &["ping", "--fqdn", &format!("https://user:{CANARY}@x"), "--key-id", "7"],
        &[
            "ping",
            "--fqdn",
            "x.example",
            "--key-id",
            "7",
            "--level",
            "advanced",
            "--key-file",
            CANARY,
        ],
        &["man", &format!("/nonexistent/{CANARY}")],
        &["lint", "--now", CANARY],
        &["lint", "--format", CANARY],
        &["examples", CANARY],
        &["ping", "--profile", CANARY],
        &["ping", "--fqdn", "x.example", "--child-tenant", &format!("{CANARY} {CANARY}")],
        &["ping", "--fqdn", "x.example", "--ca-file", CANARY],
        &["keys", "show", CANARY],
        &["keys", "list", "--id", CANARY],
        &["keys", "list", "--from", CANARY],
        &["keys", "generate", "--role", "Viewer", "--security-level", CANARY],
        &["keys", "generate", "--role", "Viewer", "--expires", CANARY],
        &["import", "--comment-pattern", &format!("({CANARY}")],
        &["plan", "--rotate-before", CANARY],
        &["config", "explain", "--profile", CANARY],
        &["curl", "/x", CANARY],
        &["curl", "/x", "-H", CANARY],
    ] {
        let shown: Vec<_> = args.iter().map(|arg| arg.replace(CANARY, "KEY")).collect();
        let shown = shown.join(" ").replace(path, "key.txt");
        reported(&shown, 2, &run(args), &mut all);
    }
    reported("doctor --request KEY", 3, &run(&["doctor", "--request", CANARY]), &mut all);
    reported("verify KEY", 3, &run(&["verify", CANARY]), &mut all);
    reported(
        "call --data-file KEY",
        3,
        &run(&["call", "POST", "/", "--data-file", CANARY]),
        &mut all,
    );
    for name in ["CORTEXKEY_API_KEY_ID", "CORTEXKEY_API_KEY_TYPE", "CORTEXKEY_FQDN"] {
        let mut command = cortexkey(&["ping"]);
        command.env("CORTEXKEY_FQDN", "x.example").env("CORTEXKEY_API_KEY_ID", "7");
        command.env(name, format!("{CANARY} "));
        reported(&format!("{name}=KEY ping"), 2, &finish(&mut command), &mut all);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn invalid_keys() {
    let mut all = String::new();
    for (what, key) in [
        ("a key with a space", format!("{CANARY} {CANARY}")),
        ("a newline inside", format!("{CANARY}\n{CANARY}")),
        ("two newlines at the end", format!("{CANARY}\n\n")),
        ("300 bytes", "k".repeat(300)),
        ("nothing", String::new()),
        ("a newline alone", "\n".into()),
        ("a key with é", format!("{CANARY}é")),
        ("with NUL", format!("{CANARY}\0")),
    ] {
        reported(what, 2, &sign_with_key(key.as_bytes()), &mut all);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn one_line_ending_is_removed() {
    for end in ["", "\n", "\r\n"] {
        let ran = sign_with_key(format!("{CANARY}{end}").as_bytes());
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

#[test]
fn invalid_key_files() {
    let mut all = String::new();
    let folder = tempfile::tempdir().unwrap();
    let mut tell = |what: &str, path: &Path| {
        let mut ran = sign_with_file(path);
        ran.stderr = ran.stderr.replace(folder.path().to_str().unwrap(), "DIR");
        ran.stderr = ran.stderr.replace(path.parent().unwrap().to_str().unwrap(), "DIR");
        reported(what, 2, &ran, &mut all);
    };
    tell("missing", &folder.path().join("none.txt"));
    tell("a folder", folder.path());
    let (_kept, path) = key_file(b"");
    tell("empty", &path);
    let (_kept, path) = key_file(&vec![b'k'; 100_000]);
    tell("huge", &path);
    let (_kept, path) = key_file(b"\x7fELF\x02\x01\x01\0\0\0");
    tell("binary", &path);
    let (_kept, path) = key_file(CANARY.as_bytes());
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    tell("readable by others", &path);
    tell("a device", Path::new("/dev/null"));
    insta::assert_snapshot!(all);

    let mut args = WITH_KEY.to_vec();
    args.extend(["--key-file", path.to_str().unwrap(), "--allow-readable-key-file"]);
    assert_eq!(run(&args).code, 0);
}

#[test]
fn invalid_key_ids() {
    let mut all = String::new();
    for id in ["0", "-1", "007", "+7", "", "1e3", "18446744073709551616"] {
        let ran = run_with(
            &["sign", "--key-id", id, "--level", "advanced", "--key-stdin"],
            CANARY.as_bytes(),
        );
        reported(&format!("--key-id '{id}'"), 2, &ran, &mut all);
    }
    insta::assert_snapshot!(all);
}

#[test]
fn settings_that_are_missing() {
    let mut all = String::new();
    reported("ping", 2, &run(&["ping"]), &mut all);
    reported("with a tenant", 2, &run(&["ping", "--fqdn", "x.example"]), &mut all);
    let with_id = ["ping", "--fqdn", "x.example", "--key-id", "7"];
    reported("and an id", 2, &run(&with_id), &mut all);
    let with_level = ["ping", "--fqdn", "x.example", "--key-id", "7", "--level", "advanced"];
    reported("and a level", 2, &run(&with_level), &mut all);
    insta::assert_snapshot!(all);
}

#[test]
fn an_unreachable_host() {
    // No process listens on this port, and no system assigns it.
    let nobody = "127.0.0.1:1";
    let mut command = cortexkey(&["ping", "--retries", "0", "--fqdn", &format!("http://{nobody}")]);
    command.env("CORTEXKEY_API_KEY", CANARY).env("CORTEXKEY_API_KEY_ID", "7");
    command.env("CORTEXKEY_API_KEY_TYPE", "advanced");
    let mut ran = finish(&mut command);
    ran.stderr = ran.stderr.replace(nobody, "HOST");
    let mut all = String::new();
    reported("unreachable", 1, &ran, &mut all);
    insta::assert_snapshot!(all);
}

#[test]
fn a_closed_standard_output() {
    for args in [&["man"][..], &["completions", "bash"], &["--help"], &["quickstart"]] {
        let mut child =
            cortexkey(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(child.stdout.take());
        let ran = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(ran.stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{args:?}: {stderr}");
        // Sometimes the input fits into the pipe before it is closed.
        let code = ran.status.code().unwrap();
        assert!(code == 0 || code == 1);
        assert_eq!(stderr, "", "{args:?}");
    }
    let mut sign = cortexkey(&WITH_KEY);
    sign.arg("--key-stdin").stdout(fs::File::options().write(true).open("/dev/full").unwrap());
    sign.stdin(Stdio::piped()).stderr(Stdio::piped());
    let mut child = sign.spawn().unwrap();
    std::io::Write::write_all(&mut child.stdin.take().unwrap(), CANARY.as_bytes()).unwrap();
    let ran = child.wait_with_output().unwrap();
    assert_eq!(ran.status.code(), Some(1));
    wording!(String::from_utf8(ran.stderr).unwrap());
}

/// As curl reads a file.
#[test]
fn a_body_that_names_a_file_is_a_usage_error() {
    for (body, names_option) in [("@body.json", true), ("{", false)] {
        let ran = run(&["call", "POST", "/x", "--data", body]);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert_eq!(ran.stderr.contains("--data-file"), names_option, "{ran:?}");
    }
}

#[test]
fn two_readers_of_standard_input() {
    let mut command = cortexkey(&["call", "POST", "/x", "--data-file", "-", "--key-stdin"]);
    let ran = finish_with(&mut command, CANARY.as_bytes());
    let mut all = String::new();
    reported("key and body from standard input", 2, &ran, &mut all);
    insta::assert_snapshot!(all);
}
