//! `cortexkey exec`: the environment that a program gets, and the variables that it does not get.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use serde_json::Value;

use crate::common::{CANARY, Tenant, cortexkey, finish};

fn with_settings(level: &str, args: &[&str]) -> Command {
    let mut command = cortexkey(args);
    command
        .env("CORTEXKEY_FQDN", "acme.xdr.us.paloaltonetworks.com")
        .env("CORTEXKEY_API_KEY_ID", "7")
        .env("CORTEXKEY_API_KEY_TYPE", level)
        .env("CORTEXKEY_API_KEY", CANARY)
        .env("DEMISTO_PASSWORD", "another-secret");
    command
}

/// The environment that a program gets.
fn environment(level: &str, tool: &str) -> Vec<(String, String)> {
    let ran = finish(&mut with_settings(level, &["exec", "--as", tool, "--", "env"]));
    assert_eq!(ran.code, 0, "{ran:?}");
    let lines = ran.stdout.lines().filter_map(|line| line.split_once('='));
    let mut all: Vec<_> = lines.map(|(name, value)| (name.into(), value.into())).collect();
    all.retain(|(name, _)| name != "PATH");
    all.sort();
    all
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect()
}

const URL: &str = "https://api-acme.xdr.us.paloaltonetworks.com";

#[test]
fn each_tool_gets_its_own_variables_and_no_other_secret() {
    let sdk = [("DEMISTO_API_KEY", CANARY), ("DEMISTO_BASE_URL", URL), ("XSIAM_AUTH_ID", "7")];
    assert_eq!(environment("standard", "demisto-sdk"), pairs(&sdk));
    let generic = [
        ("CORTEXKEY_API_KEY", CANARY),
        ("CORTEXKEY_API_KEY_ID", "7"),
        ("CORTEXKEY_API_KEY_TYPE", "advanced"),
        ("CORTEXKEY_API_URL", URL),
    ];
    assert_eq!(environment("advanced", "generic"), pairs(&generic));
    for (tool, key) in [
        ("demisto-py", "DEMISTO_ADVANCED_API_KEY"),
        ("terraform", "CORTEXCLOUD_API_KEY"),
        ("mcp", "CORTEX_MCP_PAPI_AUTH_HEADER"),
    ] {
        let all = environment("advanced", tool);
        let holders: Vec<_> = all.iter().filter(|(_, value)| value == CANARY).collect();
        assert_eq!(holders.len(), 1, "{tool}");
        assert_eq!(holders[0].0, key);
        assert!(!all.iter().any(|(_, value)| value == "another-secret"));
    }
}

/// Names from which the tools read an address or credentials in addition to those that they get.
const STEERING: [&str; 18] = [
    "CORTEX_CLOUD_FQDN",
    "CORTEX_CLOUD_API_URL",
    "CORTEX_CLOUD_API_KEY",
    "CORTEX_CLOUD_API_KEY_ID",
    "CORTEX_CLOUD_API_KEY_TYPE",
    "CORTEXCLOUD_FQDN",
    "CORTEXCLOUD_CONFIG_FILE",
    "CORTEX_FQDN",
    "CORTEX_API_URL",
    "CORTEX_API_KEY_ID",
    "CORTEX_MCP_PAPI_AUTH_ID",
    "CORTEXKEY_PROFILE",
    "DEMISTO_BASE_URL",
    "DEMISTO_USERNAME",
    "DEMISTO_HTTP_HEADERS",
    "DEMISTO_API_KEY_ID",
    "XSIAM_AUTH_ID",
    "XSOAR_HOST",
];

#[test]
fn other_environment_variables_cannot_redirect_the_key() {
    const ELSEWHERE: &str = "elsewhere.example";
    let kept =
        [("CORTEX_CLOUD_SKIP_SSL_VERIFY", "false"), ("DEMISTO_VERIFY_SSL", "true"), ("MINE", "1")];
    for tool in ["demisto-sdk", "demisto-py", "terraform", "cortex-cli", "mcp", "generic"] {
        let run = |args: &[&str]| {
            let mut command = with_settings("standard", args);
            command.args(["--fqdn", "acme.xdr.us.paloaltonetworks.com"]);
            command.args(["--key-id", "7", "--level", "standard"]).envs(kept);
            // The settings of this run would contradict each other.
            for name in STEERING.into_iter().filter(|name| *name != "CORTEXKEY_PROFILE") {
                command.env(name, ELSEWHERE);
            }
            command
        };
        let ran = finish(run(&["exec", "--as", tool]).args(["--", "env"]));
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(!ran.stdout.contains(ELSEWHERE), "{tool}: {ran:?}");
        for (name, value) in kept {
            assert!(ran.stdout.contains(&format!("{name}={value}\n")), "{tool}: {name}");
        }
        let ran = finish(&mut run(&["exec", "--as", tool, "--dry-run", "--format", "json"]));
        let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
        let removed: Vec<_> =
            printed["removed"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert!(removed.contains(&"CORTEX_CLOUD_FQDN") && removed.contains(&"DEMISTO_PASSWORD"));
        let is_set = |name: &&str| printed["variables"].get(*name).is_some();
        assert!(!removed.iter().any(is_set), "{tool}: {printed}");
    }
}

/// A proxy for HTTP would get the key on its way to this machine.
#[test]
fn no_http_proxy_gets_a_request_to_this_machine() {
    let script = "echo \"$NO_PROXY|$no_proxy\"";
    let args =
        ["exec", "--as", "generic", "--fqdn", "http://127.0.0.1:9", "--", "sh", "-c", script];
    let mut command = with_settings("standard", &args);
    command.env_remove("CORTEXKEY_FQDN").env("NO_PROXY", "corp.example");
    let ran = finish(&mut command);
    assert_eq!(ran.stdout, "corp.example,127.0.0.1,localhost|127.0.0.1,localhost\n", "{ran:?}");
    let args = ["exec", "--as", "generic", "--", "sh", "-c", script];
    assert_eq!(finish(&mut with_settings("standard", &args)).stdout, "|\n");
}

#[test]
fn a_tool_that_signs_with_standard_keys_only_gets_no_advanced_key() {
    for tool in ["demisto-sdk", "cortex-cli"] {
        let ran = finish(&mut with_settings("advanced", &["exec", "--as", tool, "--", "env"]));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
}

#[test]
fn a_program_does_not_call_the_parent_in_place_of_a_child() {
    for more in [&["--dry-run"][..], &["--", "env"]] {
        let args = [&["exec", "--as", "generic", "--child-tenant", "9"][..], more].concat();
        let ran = finish(&mut with_settings("standard", &args));
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
    }
}

#[test]
fn an_unknown_option_is_not_run_as_a_program() {
    for options in [&["--no-such-option"][..], &["--timeout-ms", "1"], &["--retries", "0"]] {
        for command in ["exec", "proxy"] {
            let args = [&[command, "--as", "generic"], options, &["sh", "-c", "exit 7"]].concat();
            // The proxy makes calls, each once.
            let is_known = command == "proxy" && options[0] == "--timeout-ms";
            let ran = finish(&mut with_settings("standard", &args));
            assert_eq!(ran.code, if is_known { 7 } else { 2 }, "{args:?}: {ran:?}");
        }
    }
}

#[test]
fn the_dry_run_shows_names_and_hides_the_key() {
    let ran = finish(&mut with_settings(
        "advanced",
        &["exec", "--as", "terraform", "--dry-run", "--format", "json"],
    ));
    assert_eq!(ran.code, 0, "{ran:?}");
    let printed: Value = serde_json::from_str(&ran.stdout).unwrap();
    let variables = &printed["variables"];
    assert_eq!(variables["CORTEXCLOUD_API_URL"]["value"], URL);
    assert_eq!(variables["CORTEXCLOUD_API_KEY"]["is_key"], true);
    assert!(!ran.stdout.contains(CANARY));
}

#[test]
fn exit_code_and_arguments_are_the_programs() {
    let script = "printf '%s|' \"$@\"; exit 42";
    let args = ["exec", "--as", "generic", "--", "sh", "-c", script, "x", "--level", "-v"];
    let ran = finish(&mut with_settings("standard", &args));
    assert_eq!((ran.code, ran.stdout.as_str()), (42, "--level|-v|"), "{ran:?}");
    let ran =
        finish(&mut with_settings("standard", &["exec", "--as", "generic", "--", "no-such-x"]));
    assert_eq!(ran.code, 1);
    let ran = finish(&mut with_settings("standard", &["exec", "--as", "nobody", "--", "env"]));
    assert_eq!(ran.code, 2);
    assert!(ran.stderr.contains("demisto-sdk"));
}

#[test]
fn a_profile_maps_a_custom_tool() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("cortexkey")).unwrap();
    let path = folder.path().join("cortexkey/config.toml");
    let key = folder.path().join("key");
    fs::write(&key, CANARY).unwrap();
    fs::set_permissions(&key, fs::Permissions::from_mode(0o600)).unwrap();
    let run = |mapping: &str| {
        let text = format!(
            "[profiles.p]\nfqdn = \"acme.xdr.us.paloaltonetworks.com\"\nkey_id = 3\n\
             level = \"advanced\"\nkey_file = \"{}\"\n[profiles.p.exec.mine]\n{mapping}\n",
            key.display()
        );
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let mut command = cortexkey(&["exec", "--profile", "p", "--as", "mine", "--", "env"]);
        finish(command.env("XDG_CONFIG_HOME", folder.path()))
    };
    let ran = run("key = \"MINE_SECRET\"\nkey_id = \"MINE_ID\"\napi_url = \"MINE_URL\"");
    assert_eq!(ran.code, 0, "{ran:?}");
    for line in [&format!("MINE_SECRET={CANARY}"), "MINE_ID=3", &format!("MINE_URL={URL}")] {
        assert!(ran.stdout.lines().any(|found| found == line), "{line}");
    }
    for wrong in [
        "key_id = \"X\"",
        "key = \"1X\"",
        "key = \"A B\"",
        "key = \"K\"\nother = \"X\"",
        "key = \"K\"\nkey_id = \"K\"",
    ] {
        let ran = run(wrong);
        assert_eq!(ran.code, 2, "{wrong}: {ran:?}");
    }
    let ran = run(&format!("key = \"{CANARY}\""));
    assert_eq!(ran.code, 2);
    assert!(!ran.stderr.contains(CANARY));
}

/// demisto-sdk loads such a file over its environment.
#[test]
fn a_file_that_would_send_the_key_elsewhere_is_an_error() {
    let repository = tempfile::tempdir().unwrap();
    let below = repository.path().join("Packs/Mine");
    fs::create_dir_all(&below).unwrap();
    fs::create_dir(repository.path().join(".git")).unwrap();
    let file = repository.path().join(".env");
    let run = |tool: &str, text: &str| {
        fs::write(&file, text).unwrap();
        let args = ["exec", "--as", tool, "--", "env"];
        finish(with_settings("standard", &args).current_dir(&below))
    };
    for text in ["DEMISTO_BASE_URL=https://x.example", "A=1\nexport XSIAM_AUTH_ID='1'\n"] {
        let ran = run("demisto-sdk", text);
        assert_eq!((ran.code, ran.stdout.as_str()), (2, ""), "{ran:?}");
        assert!(ran.stderr.contains(".env sets "), "{ran:?}");
        assert_eq!(run("terraform", text).code, 0);
    }
    let harmless = "# DEMISTO_BASE_URL=x\nDEMISTO_SDK_GITHUB_TOKEN=1\nDEMISTO_VERIFY_SSL=true\n";
    assert_eq!(run("demisto-sdk", harmless).code, 0);
    fs::remove_file(&file).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &file).unwrap();
    let args = ["exec", "--as", "demisto-sdk", "--", "env"];
    assert_eq!(finish(with_settings("standard", &args).current_dir(&below)).code, 2);
}

#[test]
fn our_own_command_works_as_the_child() {
    let tenant = Tenant::start();
    let binary = env!("CARGO_BIN_EXE_cortexkey");
    for level in ["standard", "advanced"] {
        let mut command =
            tenant.with_key(level, &["exec", "--as", "generic", "--", binary, "ping"]);
        let ran = finish(&mut command);
        assert_eq!(ran.code, 0, "{ran:?}");
    }
}

#[test]
fn a_program_gets_the_key_in_no_other_variable() {
    let header = format!("Authorization: {CANARY}");
    let spread = |command: &mut Command| {
        command.env("CORTEX_X", CANARY).env("MY_NOTES", CANARY).env("MY_HEADER", &header);
        command.env("MY_EMPTY", "").env("MY_OTHER", "kept");
        finish(command)
    };
    let names = |ran: &crate::common::Ran, text: &str| -> Vec<String> {
        let lines = ran.stdout.lines().filter(|line| line.contains(text));
        lines.filter_map(|line| Some(line.split_once('=')?.0.to_owned())).collect()
    };
    let ran = spread(&mut with_settings("standard", &["exec", "--as", "generic", "--", "env"]));
    assert_eq!(names(&ran, CANARY), ["CORTEXKEY_API_KEY"], "{ran:?}");
    assert_eq!(names(&ran, "MY_"), ["MY_EMPTY", "MY_OTHER"]);
    let ran = spread(&mut with_settings("standard", &["exec", "--as", "generic", "--dry-run"]));
    assert!(ran.stdout.contains("CORTEX_X, ") && ran.stdout.contains("MY_NOTES"), "{ran:?}");
    let ran = spread(&mut with_settings("standard", &["proxy", "--as", "generic", "--", "env"]));
    assert_eq!((names(&ran, CANARY).len(), ran.code), (0, 0), "{ran:?}");

    // A short key may be part of any value.
    let mut command = with_settings("standard", &["exec", "--as", "generic", "--", "env"]);
    command.env("CORTEXKEY_API_KEY", "a").env("MY_NOTES", "abc").env("MY_KEY", "a");
    let ran = finish(&mut command);
    assert_eq!(names(&ran, "MY_"), ["MY_NOTES"], "{ran:?}");
}
