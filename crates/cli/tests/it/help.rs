//! The help of every command in one snapshot, so that a change of wording is one review.

use crate::common::{cortexkey, finish};

/// Adds a command's help and that of the commands below it.
fn add(command: &[&str], all: &mut String) {
    let ran = finish(&mut cortexkey(&[command, &["--help"]].concat()));
    assert_eq!(ran.code, 0, "{command:?}: {ran:?}");
    let line = [command, &["--help"]].concat().join(" ");
    all.extend(["$ cortexkey ", &line, "\n", &ran.stdout, "\n"]);
    let mut names = ran.stdout.lines().skip_while(|line| *line != "Commands:").skip(1);
    while let Some(name) = names.next().and_then(|line| line.strip_prefix("  ")) {
        let name = name.split(' ').next().unwrap();
        // A continued description is indented further.
        if !name.is_empty() && name != "help" {
            add(&[command, &[name]].concat(), all);
        }
    }
}

#[test]
fn help_of_every_command() {
    let mut all = String::new();
    add(&[], &mut all);
    for command in ["console", "exec", "keys rotate", "lint", "lsp", "proxy", "tenant"] {
        assert!(all.contains(&format!("$ cortexkey {command} --help\n")), "{command}");
    }
    insta::assert_snapshot!(all);
}
