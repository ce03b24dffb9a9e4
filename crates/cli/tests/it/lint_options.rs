//! The options of `cortexkey lint` for interactive use.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::Value;

use crate::lint::{POLICY, folder, key, run};

const NOW: [&str; 2] = ["--now", "2026-01-01"];

fn two() -> tempfile::TempDir {
    folder(&[
        ("cortexkey.yaml".into(), POLICY.into()),
        ("keys/svc-a.yaml".into(), key("svc-a", "standard")),
        ("keys/svc-b.yaml".into(), key("svc-b", "advanced")),
    ])
}

fn lint(folder: &Path, args: &[&str]) -> (i32, String, String) {
    run(folder, &[&["lint"][..], args, &NOW].concat())
}

#[test]
fn a_report_goes_to_a_file_and_findings_need_not_fail() {
    let folder = two();
    let there = lint(folder.path(), &["--format", "json"]);
    let (code, out, _) = lint(folder.path(), &["--format", "json", "--output-file", "out.json"]);
    assert_eq!((code, out.as_str()), (1, ""));
    assert_eq!(fs::read_to_string(folder.path().join("out.json")).unwrap(), there.1);
    let (code, out, _) = lint(folder.path(), &["--exit-zero", "--format", "concise"]);
    assert!(code == 0 && out.contains("L001"), "{out}");
    // Errors that are not findings still fail.
    assert_eq!(lint(folder.path(), &["--exit-zero", "--policy", "builtin:none"]).0, 2);
    fs::write(folder.path().join("cortexkey.yaml"), format!("{POLICY}rules: {{ x: {{}} }}\n"))
        .unwrap();
    assert_eq!(lint(folder.path(), &["--exit-zero"]).0, 2);
    fs::write(folder.path().join("cortexkey.yaml"), POLICY).unwrap();
    assert_eq!(lint(folder.path(), &["--exit-zero", "--exclude", "keys"]).0, 3);
}

#[test]
fn files_are_listed_and_findings_are_counted() {
    let folder = two();
    let (code, out, _) = lint(folder.path(), &["--show-files"]);
    assert_eq!((code, out.as_str()), (0, "keys/svc-a.yaml\nkeys/svc-b.yaml\n"));
    let (code, out, _) = lint(folder.path(), &["--show-files", "--exclude", "keys/*a.yaml"]);
    assert_eq!((code, out.as_str()), (0, "keys/svc-b.yaml\n"));
    assert_eq!(lint(folder.path(), &["--show-files", "--exclude", "keys"]).0, 3);
    let (code, out, _) = lint(folder.path(), &["--statistics"]);
    assert!(code == 1 && out.starts_with("1  L001 level-standard-forbidden (error"), "{out}");
    let (code, out, _) = lint(folder.path(), &["--statistics", "--format", "json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["rules"][0]["code"]), (1, &"L001".into()), "{out}");
    let (code, _, said) = lint(folder.path(), &["--statistics", "--format", "sarif"]);
    assert_eq!(code, 2, "{said}");
    wording!(said);
}

#[test]
fn a_selection_is_checked_and_announced() {
    let folder = two();
    let (code, out, _) = lint(folder.path(), &["--select", "E,role-unknown"]);
    assert_eq!(code, 0, "{out}");
    wording!(out);
    let (code, _, said) = lint(folder.path(), &["--ignore", "level-standart-forbidden"]);
    assert_eq!(code, 2, "{said}");
    wording!(said);
    for option in ["--select=E", "--ignore=E", "--exclude=keys/*"] {
        assert_eq!(lint(folder.path(), &["--write-baseline", option]).0, 2, "{option}");
    }
    assert!(!folder.path().join("cortexkey-baseline.json").exists());
}

fn answering(folder: &Path, answers: &str) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortexkey"));
    command.args(["lint", "--fix", "--interactive"]).args(NOW).current_dir(folder);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(answers.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout) + &text(&output.stderr))
}

#[test]
fn fixes_that_need_a_decision_ask_for_confirmation() {
    let read = |folder: &Path, name: &str| {
        fs::read_to_string(folder.join(format!("keys/{name}.yaml"))).unwrap()
    };
    for (answers, a, b) in [
        ("y\nn\n", true, false),
        ("n\ny\n", false, true),
        ("a\n", true, true),
        ("maybe\nyes\nq\n", true, false),
        ("q\n", false, false),
        ("", false, false),
        ("y", true, false),
    ] {
        let folder = folder(&[
            ("cortexkey.yaml".into(), POLICY.into()),
            (
                "keys/svc-a.yaml".into(),
                key("svc-a", "standard").replace("[Viewer]", "[Viewer, Viewer]"),
            ),
            ("keys/svc-b.yaml".into(), key("svc-b", "standard")),
        ]);
        let (code, said) = answering(folder.path(), answers);
        assert_eq!(code, i32::from(!(a && b)), "{answers:?}: {said}");
        assert!(said.contains("+  securityLevel: advanced"), "{said}");
        let is_fixed = |name: &str| read(folder.path(), name).contains("advanced");
        assert_eq!((is_fixed("svc-a"), is_fixed("svc-b")), (a, b), "{answers:?}: {said}");
        // Safe fixes need no decision.
        assert!(read(folder.path(), "svc-a").contains("roles: [Viewer]"));
    }
    let folder = two();
    for args in [&["--interactive"][..], &["--fix", "--interactive", "--unsafe-fixes"]] {
        assert_eq!(lint(folder.path(), args).0, 2, "{args:?}");
    }
}

/// A command that ends with the test.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[test]
fn watching_checks_again_after_each_change() {
    let folder = two();
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortexkey"));
    command.args(["lint", "--watch", "--format", "concise"]).args(NOW).current_dir(folder.path());
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let _running = Running(child);
    let (sender, summaries) = mpsc::channel();
    std::thread::spawn(move || {
        for line in stdout.lines().map_while(Result::ok).filter(|line| !line.contains(": ")) {
            let _ = sender.send(line);
        }
    });
    // A change during a run starts another one with the same result.
    let wait_for = |wanted: &str| {
        loop {
            let line = summaries.recv_timeout(Duration::from_secs(120)).unwrap();
            if line == wanted {
                break;
            }
        }
    };
    let write = |path: &str, text: String| fs::write(folder.path().join(path), text).unwrap();
    wait_for("1 error in 2 files");
    write("keys/svc-a.yaml", key("svc-a", "advanced"));
    wait_for("no findings in 2 files");
    // New files in new folders.
    fs::create_dir_all(folder.path().join("keys/new/one")).unwrap();
    write("keys/new/one/svc-c.yaml", key("svc-c", "standard"));
    wait_for("1 error in 3 files");
    // The policy.
    let off = format!("{POLICY}rules: {{ L001: {{ enabled: false }} }}\n");
    write("cortexkey.yaml", format!("{off}x: [\n"));
    wait_for("1 error in the policy");
    write("cortexkey.yaml", off);
    wait_for("no findings in 3 files");
    fs::remove_file(folder.path().join("keys/svc-b.yaml")).unwrap();
    wait_for("no findings in 2 files");
}

#[test]
fn an_expression_is_tried_on_keys() {
    let folder = two();
    let eval = |args: &[&str]| run(folder.path(), &[&["policy", "eval"][..], args, &NOW].concat());
    let (code, out, _) = eval(&["key.spec.securityLevel == 'advanced'"]);
    let lines = "keys/svc-a.yaml:3: svc-a: false\nkeys/svc-b.yaml:3: svc-b: true\n";
    assert_eq!((code, out.as_str()), (1, lines));
    let (code, out, _) = eval(&["now + size(key.spec.roles)", "keys/svc-b.yaml", "--format=json"]);
    let json: Value = serde_json::from_str(&out).unwrap();
    assert_eq!((code, &json["answers"][0]["value"]), (0, &1_767_312_001_i64.into()), "{out}");
    let (code, out, _) = eval(&["timestamp(key.spec.comment)", "keys/svc-b.yaml"]);
    assert_eq!(code, 1, "{out}");
    wording!(out);
    let (code, _, said) = eval(&["size(key.spec.rols)"]);
    assert_eq!(code, 2, "{said}");
    wording!(said);
    assert_eq!(eval(&["size(key.spec.roles)", "cortexkey.yaml"]).0, 0);
    fs::remove_dir_all(folder.path().join("keys")).unwrap();
    assert_eq!(eval(&["size(key.spec.roles)"]).0, 3);
}

#[test]
fn arguments_accept_names_from_a_policy() {
    let folder = two();
    assert_eq!(lint(folder.path(), &["--format", "json=a.json", "--select", "E003"]).0, 0);
}

#[test]
fn a_report_never_replaces_an_input() {
    let folder = two();
    assert_eq!(lint(folder.path(), &["--write-baseline"]).0, 0);
    fs::write(folder.path().join("cortexkey.lock"), "").unwrap();
    let inputs =
        ["cortexkey.yaml", "keys/svc-a.yaml", "keys/../keys/svc-b.yaml", "cortexkey-baseline.json"];
    for input in inputs {
        let before = fs::read(folder.path().join(input)).unwrap();
        for option in [format!("--output-file={input}"), format!("--format=json={input}")] {
            let (code, _, err) = lint(folder.path(), &[&option]);
            assert!(code == 2 && err.contains("input"), "{option} {code} {err}");
            // Even if the paths exclude the file from the report.
            assert_eq!(lint(folder.path(), &["keys/svc-b.yaml", &option]).0, 2, "{option}");
            assert_eq!(fs::read(folder.path().join(input)).unwrap(), before, "{option}");
        }
    }
    // A report of an earlier run is not input.
    for _ in 0..2 {
        assert_eq!(lint(folder.path(), &["--format=json=keys/report.json"]).0, 0);
    }
}
