//! Attacks on the output, with a seed and a limit: a key in every argument and variable, and
//! comments with hostile characters in every format.
//!
//! `CORTEXKEY_ATTACKS` sets the number of rounds, and `CORTEXKEY_ATTACK_SEED` the seed; `cargo
//! xtask campaign attack` runs many rounds.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::process::{Command, Stdio};

use crate::common::{Ran, Tenant, cortexkey, finish};

/// Random numbers from a seed, so that a failure can be repeated.
struct TestRng(u64);

impl TestRng {
    fn new() -> Self {
        Self(number("CORTEXKEY_ATTACK_SEED", 1).wrapping_mul(2).wrapping_add(1))
    }

    fn below(&mut self, end: usize) -> usize {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).unwrap() % end
    }

    fn key(&mut self, length: usize) -> String {
        const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
        (0..length).map(|_| char::from(LETTERS[self.below(LETTERS.len())])).collect()
    }
}

fn number(name: &str, unless_said: u64) -> u64 {
    std::env::var(name).map_or(unless_said, |value| value.parse().unwrap())
}

/// Every command with every option that takes a value, as the help lists them.
fn options() -> Vec<(Vec<String>, String)> {
    let mut found = Vec::new();
    let mut commands: Vec<Vec<String>> = vec![Vec::new()];
    while let Some(path) = commands.pop() {
        let words: Vec<&str> = path.iter().map(String::as_str).collect();
        let help = finish(&mut cortexkey(&[&words[..], &["--help"]].concat())).stdout;
        let mut in_commands = false;
        for line in help.lines() {
            if !line.starts_with(' ') {
                in_commands = line.starts_with("Commands:");
            }
            let word = line.split_whitespace().next().unwrap_or_default();
            if in_commands && line.starts_with("  ") && !line.starts_with("   ") && word != "help" {
                commands.push([&path[..], &[word.to_owned()]].concat());
            }
            let mut words = line.split_whitespace().map(|word| word.trim_end_matches(','));
            if let Some(option) = words.find(|word| word.starts_with("--"))
                && line.trim_start().starts_with('-')
                && line.contains('<')
            {
                found.push((path.clone(), option.to_owned()));
            }
        }
    }
    found
}

#[test]
fn no_command_prints_a_key() {
    let options = options();
    let names: BTreeSet<&str> = options.iter().map(|(_, option)| option.as_str()).collect();
    assert!(options.len() > 100 && names.contains("--key-file"), "{}", options.len());
    let mut chance = TestRng::new();
    let lengths = [16, 20, 24, 32, 36, 40, 63, 64, 65, 100, 127, 128, 255, 256];
    let folder = tempfile::tempdir().unwrap();
    let known = chance.key(128);
    let rounds = number("CORTEXKEY_ATTACKS", 1);
    for round in 0..rounds {
        // Some of them in the gate, all of them in a campaign.
        let stride = if rounds == 1 { 4 } else { 1 };
        for (command, option) in options.iter().skip(chance.below(stride)).step_by(stride) {
            let length = lengths[chance.below(lengths.len())];
            let key = chance.key(length);
            let mut words: Vec<&str> = command.iter().map(String::as_str).collect();
            // They print their own keys, or a nonce that was passed in order to be printed.
            let prints = matches!(words.first(), Some(&("quickstart" | "tenant")));
            if prints || option == "--nonce" {
                continue;
            }
            let joined = format!("{option}={key}");
            match chance.below(3) {
                0 => words.push(&joined),
                1 => words.extend([option, key.as_str()]),
                _ => words.extend([key.as_str(), option, "x"]),
            }
            let mut command = cortexkey(&words);
            command.env("CORTEXKEY_API_KEY", &known).env("CORTEXKEY_FQDN", "http://127.0.0.1:1");
            command.env("CORTEXKEY_API_KEY_ID", "7").env("CORTEXKEY_API_KEY_TYPE", "advanced");
            command.env("XDG_STATE_HOME", folder.path()).current_dir(folder.path());
            // These run until they are stopped.
            let serves = matches!(words.first(), Some(&("console" | "lsp" | "proxy")));
            let ran = if serves { until_it_speaks(&mut command) } else { finish(&mut command) };
            for hidden in [&key, &known] {
                let shown =
                    ran.stdout.contains(hidden.as_str()) || ran.stderr.contains(hidden.as_str());
                assert!(!shown, "round {round}: {words:?}: {ran:?}");
            }
            assert!(!ran.stderr.contains("panicked"), "{words:?}: {ran:?}");
        }
    }
}

/// Runs a command until it ends or writes to standard output, and ends it then.
fn until_it_speaks(command: &mut Command) -> Ran {
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut out = process.stdout.take().unwrap();
    let mut err = process.stderr.take().unwrap();
    let (spoke, heard) = std::sync::mpsc::channel();
    let out = std::thread::spawn(move || {
        let mut text = vec![0; 1];
        let count = out.read(&mut text).unwrap();
        text.truncate(count);
        // The process may have ended.
        let _ = spoke.send(());
        out.read_to_end(&mut text).unwrap();
        String::from_utf8(text).unwrap()
    });
    let err = std::thread::spawn(move || {
        let mut text = String::new();
        err.read_to_string(&mut text).unwrap();
        text
    });
    // The output ends with the process, and is read to its end.
    heard.recv().unwrap();
    let _ = process.kill();
    let code = process.wait().unwrap().code().unwrap_or(-1);
    Ran { code, stdout: out.join().unwrap(), stderr: err.join().unwrap() }
}

#[test]
fn a_key_in_any_variable_is_printed_by_no_command() {
    let mut chance = TestRng::new();
    let variables = [
        "CORTEXKEY_FQDN",
        "CORTEXKEY_API_URL",
        "CORTEXKEY_API_KEY_ID",
        "CORTEXKEY_API_KEY_TYPE",
        "CORTEXKEY_API_KEY",
        "CORTEXKEY_PROFILE",
        "CORTEXCLOUD_API_URL",
        "CORTEXCLOUD_API_KEY",
        "CORTEXCLOUD_API_KEY_ID",
        "XDG_CONFIG_HOME",
        "XDG_STATE_HOME",
        "HOME",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "SSL_CERT_FILE",
    ];
    for variable in variables {
        for words in [
            &["ping", "--retries", "0"][..],
            &["doctor"],
            &["config", "explain"],
            &["config", "explain", "--format", "json"],
            &["keys", "list"],
            &["examples", "curl"],
            &["curl", "/x"],
        ] {
            let length = [20, 64, 128][chance.below(3)];
            let key = chance.key(length);
            let mut command = cortexkey(words);
            command.env("CORTEXKEY_API_KEY_ID", "7").env("CORTEXKEY_API_KEY_TYPE", "advanced");
            command.env("CORTEXKEY_FQDN", "http://127.0.0.1:1").env(variable, &key);
            let ran = finish(&mut command);
            let shown = ran.stdout.contains(&key) || ran.stderr.contains(&key);
            assert!(!shown, "{variable}: {words:?}: {ran:?}");
        }
    }
}

#[test]
fn hostile_comments_are_escaped_in_every_list() {
    let tenant = Tenant::start();
    let folder = tempfile::tempdir().unwrap();
    let hostile = [
        '\u{1b}',
        '\u{9b}',
        '\u{7}',
        '\u{8}',
        '\u{200b}',
        '\u{200e}',
        '\u{202e}',
        '\u{2066}',
        '\u{feff}',
        '\u{e0041}',
        '\u{e007f}',
        '\u{e0100}',
        '\u{3164}',
        '\u{2028}',
        '\u{ad}',
        '\u{180e}',
    ];
    for (number, c) in hostile.into_iter().enumerate() {
        let comment = format!("a{c}b{c}[31m");
        let file = format!("k{number}");
        let made = finish(
            tenant
                .with_key(
                    "advanced",
                    &[
                        "keys",
                        "generate",
                        "--role",
                        "Viewer",
                        "--security-level",
                        "advanced",
                        "--lifetime",
                        "30d",
                        "--comment",
                        &comment,
                        "--sink-file",
                        &file,
                    ],
                )
                .env("XDG_STATE_HOME", folder.path())
                .current_dir(folder.path()),
        );
        // A tenant may refuse the comment; its message is output too.
        assert!(!made.stdout.contains(c) && !made.stderr.contains(c), "{c:?}: {made:?}");
    }
    for format in ["table", "row", "json", "csv"] {
        let ran = finish(&mut tenant.with_key("advanced", &["keys", "list", "--format", format]));
        assert_eq!(ran.code, 0, "{ran:?}");
        for c in hostile {
            assert!(!ran.stdout.contains(c), "{format}: {c:?} in {:?}", ran.stdout);
        }
        if format == "json" {
            let value: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
            assert!(value["keys"].as_array().unwrap().len() > 2, "{value}");
        }
    }
    assert!(fs::read_dir(folder.path()).unwrap().count() > 2);
}
