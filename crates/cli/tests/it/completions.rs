//! Completions in the installed shells, as a user types them.

#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use tempfile::TempDir;

const BINARY: &str = env!("CARGO_BIN_EXE_cortexkey");

const CONFIG: &str = r#"
[profiles.prod]
fqdn = "acme.xdr.us.paloaltonetworks.com"
key_id = 7
[profiles.preview]
fqdn = "preview.xdr.us.paloaltonetworks.com"
key_command = ["sh", "-c", "touch key-was-read"]
[profiles."pr$(touch injected)"]
fqdn = "acme.xdr.us.paloaltonetworks.com"
[profiles."pr;touch injected"]
fqdn = "acme.xdr.us.paloaltonetworks.com"
[profiles."-pr"]
fqdn = "acme.xdr.us.paloaltonetworks.com"
"#;

const POLICY: &str = "\
apiVersion: cortexkey/v1
kind: Policy
metadata: { name: acme }
extends: [builtin:recommended]
keys: [keys/**/*.yaml]
tenants:
  prod: { product: xsiam }
catalog:
  teams: [team-detection]
customRules:
  - { id: ORG001, name: few-roles, message: few, severity: error, assert: size(key.spec.roles) < 3 }
";

const KEY: &str = "\
apiVersion: cortexkey/v1
kind: ApiKey
metadata: { name: svc-export, owner: team-detection, tenant: prod }
spec: { securityLevel: advanced, comment: Exports incidents, lifetime: 90d, roles: [Viewer],
  scope: { assets: { mode: none }, casesAndIssues: { mode: none }, endpoints: { mode: none } } }
";

const LOCK: &str = "\
apiVersion: cortexkey/v1
kind: Lock
tenants:
  prod:
    host: api-acme.xdr.us.paloaltonetworks.com
    keys:
      svc-export: { id: 17 }
      svc-siem: { id: 170 }
";

/// A line: the text before the tab, and the words that a shell adds or offers.
const LINES: [(&str, &str); 12] = [
    ("cortexkey keys list --profile pre", "preview"),
    ("cortexkey keys list --profile=pre", "preview"),
    ("cortexkey keys watch --profiles prod,pre", "prod,preview"),
    ("cortexkey doctor --ask pro", "prod"),
    ("cortexkey keys show 170", "170"),
    ("cortexkey keys rotate svc-s", "svc-siem"),
    ("cortexkey plan --tenant p", "prod"),
    ("cortexkey waive svc", "svc-export"),
    ("cortexkey waive svc-export expiry-too", "expiry-too-long"),
    ("cortexkey lint --select ORG", "ORG001"),
    ("cortexkey lint --format rdj", "rdjson"),
    ("cortexkey keys generate --owner team", "team-detection"),
];

/// A folder with definitions, and with the user's configuration.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("config/cortexkey/config.toml", CONFIG);
    write("cortexkey.yaml", POLICY);
    write("cortexkey.lock", LOCK);
    write("keys/a.yaml", KEY);
    folder
}

fn command(folder: &Path, program: &str) -> Command {
    let programs = Path::new(BINARY).parent().unwrap();
    let path = format!("{}:{}", programs.display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(program);
    command.current_dir(folder).env("PATH", path).env("TERM", "xterm");
    command.env("XDG_CONFIG_HOME", folder.join("config")).env("HOME", folder);
    command
}

/// Whether a program is installed. In CI it must be.
fn has(program: &str) -> bool {
    let is_here = Command::new(program).arg("--version").stdout(Stdio::null()).status().is_ok();
    assert!(is_here || std::env::var_os("CI").is_none(), "{program} is missing");
    is_here
}

fn nothing_ran(folder: &Path) {
    for file in ["injected", "key-was-read"] {
        assert!(!folder.join(file).exists(), "{file}");
    }
}

/// Types lines with a tab into an interactive shell, which writes each completed line to a file.
fn typed(shell: &str, setup: &str) {
    let folder = folder();
    let typed: Vec<String> = LINES.iter().map(|(line, _)| format!("{line}\t\u{14}")).collect();
    let keys = format!("{setup}{}exit\n", typed.concat());
    let mut script = command(folder.path(), "script");
    script.args(["-qec", shell, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut running = script.spawn().unwrap();
    running.stdin.take().unwrap().write_all(keys.as_bytes()).unwrap();
    running.wait().unwrap();
    let lines = fs::read_to_string(folder.path().join("lines")).unwrap();
    let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
    let begun = |line: &str| line.rsplit_once([' ', '=']).unwrap().0.len() + 1;
    let wanted: Vec<String> =
        LINES.iter().map(|(line, word)| format!("{}{word}", &line[..begun(line)])).collect();
    assert_eq!(lines, wanted);
    nothing_ran(folder.path());
}

#[test]
fn bash_completes_values() {
    typed(
        "bash --norc --noprofile -i",
        "source <(cortexkey completions bash)\n\
         dump() { printf '%s\\n' \"$READLINE_LINE\" >> lines; READLINE_LINE=; }\n\
         bind -x '\"\\C-t\": dump'\n",
    );
}

#[test]
fn zsh_completes_values() {
    if !has("zsh") {
        return;
    }
    typed(
        "zsh -f -i",
        "autoload -U compinit; compinit -D -u\n\
         source <(cortexkey completions zsh)\n\
         dump() { print -r -- \"$BUFFER\" >> lines; BUFFER= }\n\
         zle -N dump; bindkey '^T' dump\n",
    );
}

#[test]
fn fish_completes_values() {
    if !has("fish") {
        return;
    }
    let folder = folder();
    let lines: Vec<String> =
        LINES.iter().map(|(line, _)| format!("complete -C '{line}'; echo -\n")).collect();
    let lines = format!("cortexkey completions fish | source\n{}", lines.concat());
    let output =
        command(folder.path(), "fish").args(["--no-config", "-c", &lines]).output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    for ((line, word), offered) in LINES.iter().zip(output.split("-\n")) {
        let offered: Vec<&str> = offered.lines().map(|it| it.split('\t').next().unwrap()).collect();
        let offered: Vec<&str> =
            offered.iter().map(|it| it.strip_prefix("--profile=").unwrap_or(it)).collect();
        assert_eq!(offered, [*word], "{line}");
    }
    nothing_ran(folder.path());
}

/// The program's completions for a line, as fish requests them.
fn offered(folder: &Path, words: &[&str]) -> Vec<String> {
    let mut program = command(folder, BINARY);
    let output = program.env("CORTEXKEY_COMPLETE", "fish").arg("--").args(words).output().unwrap();
    assert!(output.status.success());
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| line.split('\t').next().unwrap().to_owned()).collect()
}

#[test]
fn only_plain_values_are_offered() {
    let folder = folder();
    let profiles = offered(folder.path(), &["cortexkey", "keys", "list", "--profile", ""]);
    assert_eq!(profiles, ["preview", "prod"]);
    let ids = offered(folder.path(), &["cortexkey", "keys", "delete", "17", "1"]);
    assert_eq!(ids, ["17", "170"]);
    nothing_ran(folder.path());
}

#[test]
fn files_with_mistakes_offer_nothing_and_break_nothing() {
    let folder = folder();
    for file in ["config/cortexkey/config.toml", "cortexkey.lock", "cortexkey.yaml"] {
        fs::write(folder.path().join(file), "][").unwrap();
    }
    for words in [
        ["keys", "list", "--profile", ""],
        ["keys", "rotate", "--grace", "1d"],
        ["plan", "--diff", "--tenant", ""],
    ] {
        let words: Vec<&str> = std::iter::once("cortexkey").chain(words).collect();
        let all = offered(folder.path(), &words);
        assert!(!all.iter().any(|it| ["prod", "17", "svc-export"].contains(&it.as_str())));
    }
    let mut unknown = command(folder.path(), BINARY);
    let output = unknown.env("CORTEXKEY_COMPLETE", "tcsh").arg("lint").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
}
