//! The commands on the documentation pages: the program accepts each of them, and those of the
//! pages about the client and its keys run against a tenant.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::common::definitions::World;
use crate::common::{Ran, Tenant, finish, run};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// All pages in a folder and below.
fn pages(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            pages(&path, out);
        } else if path.extension().is_some_and(|end| end == "md") {
            out.push(path);
        }
    }
}

/// The arguments of each command of the program that a page shows, in a block for a shell or a span
/// of code.
fn commands(page: &str) -> Vec<Vec<String>> {
    let mut shown = Vec::new();
    let mut prose = String::new();
    for (at, part) in page.split("```").enumerate() {
        let (language, block) = part.split_once('\n').unwrap_or_default();
        if at % 2 == 0 {
            prose += part;
        } else if matches!(language, "sh" | "bash" | "console") {
            let block = block.replace("\\\n", " ");
            shown.extend(block.lines().map(|line| line.trim_start_matches("$ ").to_owned()));
        }
    }
    // A span may continue on the next line.
    let spans = prose.split('`').skip(1).step_by(2);
    shown.extend(spans.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")));
    let arguments = shown.iter().filter_map(|line| line.trim_start().strip_prefix("cortexkey "));
    arguments.map(words).collect()
}

/// The words of a command, split as a shell does.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quote = None;
    for c in command.chars() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '<' | ';' | '&' | '#') => break,
            (None, ' ') => words.extend(word.take()),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[test]
fn words_are_those_of_a_shell() {
    assert_eq!(
        words(r#"call --data '{"a": 1}'  -x "b c" d'e'  # why"#),
        ["call", "--data", r#"{"a": 1}"#, "-x", "b c", "de"]
    );
    assert_eq!(words("sign ''| curl x"), ["sign", ""]);
    let page = "Text `cortexkey a\n b` and `other`.\n```sh\ncortexkey c \\\n  d > e\nls\n```\n\
                ```text\ncortexkey no\n```\n`cortexkey f`\n";
    assert_eq!(commands(page), [vec!["c", "d"], vec!["a", "b"], vec!["f"]]);
}

/// After all arguments, `--help` ends a command before it does anything, unless an argument is
/// invalid.
#[test]
fn every_command_of_the_pages_is_valid() {
    let mut all = vec!["README.md", "CONTRIBUTING.md", "SECURITY.md"];
    all.retain(|name| root().join(name).is_file());
    let mut all: Vec<PathBuf> = all.iter().map(|name| root().join(name)).collect();
    pages(&root().join("docs"), &mut all);
    let mut count = 0;
    for page in all {
        for mut arguments in commands(&fs::read_to_string(&page).unwrap()) {
            // Arguments after `--` belong to another program.
            let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
            arguments.insert(end, "--help".to_owned());
            let value = |word| if word == "ID" { "7" } else { word };
            let arguments: Vec<&str> = arguments.iter().map(|word| value(word.as_str())).collect();
            let ran = run(&arguments);
            assert_eq!(ran.code, 0, "{}: {arguments:?}: {}", page.display(), ran.stderr);
            count += 1;
        }
    }
    assert!(count > 40, "{count} commands were found");
    assert_eq!(run(&["keys", "list", "--no-such-option", "--help"]).code, 2);
}

/// Runs a command of a page with values for its placeholders.
fn run_shown(world: &World, shown: &[String]) -> Ran {
    let key = world.make("Viewer", "Throwaway. SEC-1").to_string();
    let mut arguments: Vec<&str> = Vec::new();
    for word in shown {
        match word.as_str() {
            "ID" => arguments.push(&key),
            "FILE" => arguments.push("inventory.json"),
            "PATH" => arguments.push("/api_keys/validate/"),
            "OPTIONS…" => arguments.extend(["--silent", "--fail", "--data", "{}"]),
            other => arguments.push(other),
        }
    }
    let asks = matches!(shown.join(" ").as_str(), "keys rotate ID" | "keys delete ID" | "apply");
    arguments.extend(asks.then_some("--yes"));
    finish(world.command(&arguments).env("XDG_STATE_HOME", world.path("state")))
}

/// Runs a command in a folder with the files that `import` wrote.
fn after_import(world: &World, arguments: &[impl AsRef<OsStr>]) -> Ran {
    let empty = tempfile::tempdir().unwrap();
    assert_eq!(finish(world.command(&["import"]).current_dir(empty.path())).code, 0);
    finish(world.command(&[]).args(arguments).current_dir(empty.path()))
}

#[test]
fn the_commands_of_the_clients_pages_run() {
    let world = World::new();
    let commands = commands(concat!(
        include_str!("../../../../docs/client.md"),
        include_str!("../../../../docs/keys.md"),
        include_str!("../../../../docs/definitions.md"),
        include_str!("../../../../docs/troubleshooting.md"),
    ));
    assert!(commands.iter().any(|words| words.iter().any(|word| word.ends_with("asset-groups"))));
    for shown in &commands {
        let ran = match shown.join(" ").as_str() {
            // A name without its arguments, and a command that runs until it is stopped.
            "keys rotate" | "console" => continue,
            // It runs until it is stopped; its file is the one that `import --inventory` wrote
            // before.
            "tenant --inventory FILE" => {
                let file = world.path("inventory.json");
                drop(Tenant::start_with(&["--inventory", file.to_str().unwrap()]));
                continue;
            }
            // After an import, without a policy.
            "policy init" => after_import(&world, &["policy", "init"]),
            // Commands about definitions, with the profile of the test's configuration.
            words if words.starts_with("report") || words.starts_with("keys inventory") => {
                let of_test =
                    |word: &String| if word == "prod" { "p".into() } else { word.clone() };
                let words: Vec<String> = shown.iter().map(of_test).collect();
                after_import(&world, &words)
            }
            _ => run_shown(&world, shown),
        };
        // A report ends with the linter's findings, and what `import` wrote has some.
        let is_fine = ran.code == 0 || shown[0] == "report" && ran.code == 1;
        assert!(is_fine, "{shown:?}: {ran:?}");
    }
}
