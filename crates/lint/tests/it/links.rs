//! Symbolic links: their targets within the repository are checked once, and targets outside it are
//! neither read nor written.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use cortexkey_lint::files::{FixMode, Options, RunOutcome};
use cortexkey_lint::report::Format;
use tempfile::TempDir;

use crate::common::{HEAD, code, commit, folder, found, key, lint, lint_with, repository, write};

fn policy() -> String {
    format!("{HEAD}keys: ['keys/**/*.yaml']\n")
}

fn faulty_key(name: &str) -> String {
    key(name).replace("advanced", "standard")
}

fn link(folder: &TempDir, target: impl AsRef<Path>, path: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    symlink(target, path).unwrap();
}

/// All output of a run, in every format.
fn all_output(outcome: &RunOutcome) -> String {
    let report = outcome.report.iter();
    let rendered = report.flat_map(|r| Format::ALL.map(|(_, format)| r.render(format, false)));
    let messages = outcome.messages.iter().chain(&outcome.help).cloned();
    rendered.chain(messages).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_linked_folder_or_file_of_the_corpus_is_checked_once() {
    let folder = repository(&[("cortexkey.yaml", &policy()), ("keys/b/x.yaml", &faulty_key("x"))]);
    link(&folder, "b", "keys/a");
    link(&folder, "b/x.yaml", "keys/c.yaml");
    for _ in ["not committed", "committed"] {
        let lines = found(&lint(&folder, &[]));
        assert!(lines.len() == 1 && lines[0].starts_with("keys/b/x.yaml:5"), "{lines:?}");
        for path in ["keys/a", "keys/a/x.yaml", "keys/c.yaml", "keys/b"] {
            let lines = found(&lint(&folder, &[path]));
            assert!(lines.len() == 1 && lines[0].contains("L001"), "{path} {lines:?}");
        }
        commit(folder.path());
    }
}

#[test]
fn files_reached_only_by_a_link_are_checked() {
    let folder = repository(&[
        ("cortexkey.yaml", &policy()),
        ("other/x.yaml", &faulty_key("x")),
        ("shared/deep/y.yaml", &faulty_key("y")),
        ("shared/z.txt", "none of ours"),
    ]);
    link(&folder, "../other/x.yaml", "keys/x.yaml");
    link(&folder, "../shared", "keys/shared");
    link(&folder, "../shared", "keys/again");
    link(&folder, "../../other", "shared/deep/other");
    let lines = found(&lint(&folder, &[]));
    let keys: Vec<&str> = lines.iter().filter(|l| l.contains("L001")).map(String::as_str).collect();
    assert_eq!(keys.len(), 2, "{lines:?}");
    assert!(keys.iter().any(|line| line.starts_with("keys/again/deep/y.yaml:")), "{keys:?}");
    assert!(!lines.iter().any(|line| line.contains("C001")), "{lines:?}");
}

#[test]
fn files_linked_into_the_corpus_are_not_outside_it() {
    let folder = repository(&[
        ("cortexkey.yaml", &policy()),
        ("other/x.yaml", &key("x")),
        ("other/y.yaml", &key("y")),
    ]);
    link(&folder, "../other/x.yaml", "keys/x.yaml");
    let lines = found(&lint(&folder, &[]));
    let outside: Vec<_> = lines.iter().filter(|line| line.contains("S007")).collect();
    assert!(outside.len() == 1 && outside[0].starts_with("other/y.yaml:"), "{lines:?}");
}

#[test]
fn linked_corpus_files_are_not_reported_as_outside() {
    let files = [
        ("cortexkey.yaml", policy()),
        ("o/x.yaml", faulty_key("x")),
        ("o/deep/y.yaml", faulty_key("y")),
    ];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    let s007 = |folder: &TempDir, paths: &[&str]| {
        let lines = found(&lint(folder, paths)).into_iter();
        lines.filter(|line| line.contains("[S007 ")).collect::<Vec<_>>()
    };
    // Without a link, both are outside the corpus.
    assert_eq!(s007(&repository(&files), &[]).len(), 2);
    for (target, path, left) in
        [("../o/x.yaml", "keys/x.yaml", 1), ("../o/deep", "keys/deep", 1), ("../o", "keys/o", 0)]
    {
        let folder = repository(&files);
        link(&folder, target, path);
        for _ in ["not committed", "committed"] {
            assert_eq!(s007(&folder, &[]).len(), left, "{path}");
            commit(folder.path());
        }
        // Named by its own path, it is still a file of the corpus.
        let given = if path == "keys/deep" { "o/deep/y.yaml" } else { "o/x.yaml" };
        let outcome = lint(&folder, &[given]);
        let lines = found(&outcome);
        assert!(code(&outcome) == 1 && lines.iter().any(|l| l.contains("L001")), "{lines:?}");
        assert_eq!(s007(&folder, &[given]), [""; 0]);
    }
    // A link that no corpus names does not bring its target into a corpus.
    let folder = repository(&files);
    link(&folder, "../o/x.yaml", "docs/x.yaml");
    assert_eq!(s007(&folder, &[]).len(), 2);
}

#[test]
fn a_link_replacing_a_folder_outside_the_corpus_is_not_followed() {
    let outside = folder(&[("x.yaml", &key("outside-and-secret"))]);
    let folder = repository(&[("cortexkey.yaml", &policy()), ("o/x.yaml", &key("x"))]);
    fs::remove_dir_all(folder.path().join("o")).unwrap();
    link(&folder, outside.path(), "o");
    let said = all_output(&lint(&folder, &[]));
    assert!(!said.contains("secret") && !said.contains("S007"), "{said}");
}

#[test]
fn a_folder_of_links_to_itself_ends() {
    let folder = repository(&[("cortexkey.yaml", &policy()), ("keys/a/x.yaml", &key("x"))]);
    link(&folder, "..", "keys/up");
    link(&folder, ".", "keys/here");
    link(&folder, "../b", "keys/a/b");
    link(&folder, "../a", "keys/b/a");
    link(&folder, "round", "keys/round.yaml");
    let outcome = lint(&folder, &[]);
    let lines = found(&outcome);
    assert_eq!((code(&outcome), lines.len()), (1, 1), "{lines:?}");
    assert!(lines[0].starts_with("keys/round.yaml:1:1: error[Y001"), "{lines:?}");
}

#[test]
fn nothing_outside_is_read_through_a_link() {
    let secret = "outside-and-secret: [";
    let outside = folder(&[("keys/x.yaml", secret), ("x.yaml", secret)]);
    let target = |path: &str| outside.path().join(path);
    for (path, to) in [
        ("keys/e.yaml", target("x.yaml")),
        ("keys/e.yaml", "/proc/self/environ".into()),
        ("keys/e.yaml", "../.git/config".into()),
        ("keys/deep", target("keys")),
        ("keys", target("keys")),
        ("cortexkey.lock", target("x.yaml")),
        ("cortexkey.yaml", target("x.yaml")),
    ] {
        for is_repository in [true, false] {
            let files = [("cortexkey.yaml", policy()), ("keep.txt", String::new())];
            let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
            let folder = if is_repository { repository(&files) } else { folder(&files) };
            if path == "cortexkey.yaml" {
                fs::remove_file(folder.path().join(path)).unwrap();
            }
            // A link into `.git` is dangling if there is no `.git`.
            if !is_repository && to.starts_with("..") {
                continue;
            }
            link(&folder, &to, path);
            for paths in [&[][..], &[path]] {
                let outcome = lint(&folder, paths);
                let said = all_output(&outcome);
                assert!(!said.contains("secret") && !said.contains("repositoryformat"), "{said}");
                assert!(!said.contains(outside.path().to_str().unwrap()), "{said}");
                assert!(!said.contains("PATH="), "{said}");
                assert!(said.contains(path), "{path} {said}");
                assert_ne!(code(&outcome), 0, "{path} {paths:?} {said}");
            }
        }
    }
}

#[test]
fn a_parent_outside_of_the_repository_is_not_read() {
    let outside = folder(&[("p.yaml", "outside-and-secret: [")]);
    for parent in ["/proc/self/environ".into(), outside.path().join("p.yaml")] {
        let policy = format!("{HEAD}extends: ['{}']\nkeys: ['*.key']\n", parent.display());
        let folder = repository(&[("cortexkey.yaml", &policy), ("a.key", &key("a"))]);
        let outcome = lint(&folder, &[]);
        let said = all_output(&outcome);
        assert_eq!(code(&outcome), 2, "{said}");
        assert!(!said.contains("secret") && !said.contains("PATH="), "{said}");
    }
}

#[test]
fn outside_links_that_no_corpus_reaches_are_ignored() {
    let folder = repository(&[("cortexkey.yaml", &policy()), ("keys/a.yaml", &key("a"))]);
    link(&folder, "/etc", "docs/etc");
    link(&folder, "/proc/self/environ", "docs/e.yaml");
    for paths in [&[][..], &["docs/etc", "keys/a.yaml"]] {
        assert_eq!(code(&lint(&folder, paths)), 0, "{paths:?}");
    }
    // A link named on the command line with a definition's name cannot be read.
    assert_eq!(code(&lint(&folder, &["docs/e.yaml", "keys/a.yaml"])), 1);
}

fn fix(folder: &Path, paths: &[&str]) -> RunOutcome {
    lint_with(folder, paths, |options: &mut Options| options.fix = FixMode::Write)
}

#[test]
fn fixes_stay_within_the_repository_and_use_random_names() {
    let twice = key("a").replace("[Viewer]", "[Viewer, Viewer]");
    let outside = folder(&[("precious", "mine"), ("x.yaml", &twice)]);
    let kept = || {
        assert_eq!(fs::read_to_string(outside.path().join("precious")).unwrap(), "mine");
        assert_eq!(fs::read_to_string(outside.path().join("x.yaml")).unwrap(), twice);
    };
    let folder = repository(&[("cortexkey.yaml", &policy()), ("keys/a.yaml", &twice)]);
    let own = folder.path().join("keys/a.yaml.cortexkey-tmp");
    symlink(outside.path().join("precious"), &own).unwrap();
    link(&folder, outside.path().join("x.yaml"), "keys/x.yaml");
    assert_eq!(code(&fix(folder.path(), &[])), 1);
    kept();
    assert!(own.is_symlink() && folder.path().join("keys/x.yaml").is_symlink());
    let fixed = folder.path().join("keys/a.yaml");
    assert!(!fs::read_to_string(&fixed).unwrap().contains("Viewer, Viewer"));

    fs::remove_file(&own).unwrap();
    fs::write(&own, "somebody's").unwrap();
    fs::write(&fixed, &twice).unwrap();
    fix(folder.path(), &[]);
    assert_eq!(fs::read_to_string(&own).unwrap(), "somebody's");
    assert_eq!(fs::read_dir(folder.path().join("keys")).unwrap().count(), 3);
}

#[test]
fn a_fix_through_a_link_keeps_the_link_and_the_mode() {
    use std::os::unix::fs::PermissionsExt as _;
    let twice = key("a").replace("[Viewer]", "[Viewer, Viewer]");
    let folder = repository(&[("cortexkey.yaml", &policy()), ("o/a.yaml", &twice)]);
    let real = folder.path().join("o/a.yaml");
    fs::set_permissions(&real, fs::Permissions::from_mode(0o640)).unwrap();
    link(&folder, "../o/a.yaml", "keys/a.yaml");
    assert_eq!(code(&fix(folder.path(), &[])), 0);
    assert!(folder.path().join("keys/a.yaml").is_symlink());
    assert!(!fs::read_to_string(&real).unwrap().contains("Viewer, Viewer"));
    assert_eq!(fs::metadata(&real).unwrap().permissions().mode() & 0o777, 0o640);
}

#[test]
fn a_link_replacing_a_tracked_folder_is_not_followed() {
    let outside = folder(&[("b.yaml", "outside-and-secret: [")]);
    let folder = repository(&[
        ("cortexkey.yaml", &policy()),
        ("keys/a.yaml", &key("a")),
        ("keys/prod/b.yaml", &key("b")),
    ]);
    fs::remove_dir_all(folder.path().join("keys/prod")).unwrap();
    link(&folder, outside.path(), "keys/prod");
    let outcome = lint(&folder, &[]);
    let said = all_output(&outcome);
    assert_eq!(code(&outcome), 1, "{said}");
    assert!(said.contains("keys/prod:1:1: error[Y001 "), "{said}");
    assert!(!said.contains("secret"), "{said}");
    write(folder.path(), "keys/a.yaml", key("a").as_bytes());
}
