//! The corpus of real repositories: whatever hides a definition from the work tree, the run finds
//! the definition or does not start.

use std::fs;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

use crate::common::{HEAD, code, commit, found, git, key, lint, lint_with, repository, write};

fn policy() -> String {
    format!("{HEAD}keys: ['**/keys/**/*.yaml']\n")
}

fn faulty_key(name: &str) -> String {
    key(name).replace("advanced", "standard")
}

/// A repository with a good key, and a bad one that its index has and `.gitignore` names.
fn forced_in() -> TempDir {
    repository(&[
        ("cortexkey.yaml", &policy()),
        ("keys/dev/a.yaml", &key("a")),
        ("keys/prod/b.yaml", &faulty_key("b")),
        (".gitignore", "keys/prod/\n"),
    ])
}

fn is_found(folder: &Path) {
    for paths in [&[][..], &["keys"], &["keys/prod/b.yaml"]] {
        let outcome = lint_with(folder, paths, |_| {});
        let lines = found(&outcome).join("\n");
        assert!(code(&outcome) == 1 && lines.contains("L001"), "{paths:?} {lines}");
    }
}

#[test]
fn ignore_patterns_from_outside_hide_nothing() {
    is_found(forced_in().path());
    let outer = tempfile::tempdir().unwrap();
    write(outer.path(), ".gitignore", b"prod/\n");
    let inner = outer.path().join("repo");
    write(&inner, "cortexkey.yaml", policy().as_bytes());
    write(&inner, "keys/prod/b.yaml", faulty_key("b").as_bytes());
    git(&inner, &["init", "--quiet"]);
    is_found(&inner);
    // Git interprets neither of these as a pattern for the file.
    for (pattern, name) in
        [("keys/{b,c}.yaml", "keys/b.yaml"), ("[[:digit:]]x.yaml", "keys/d]x.yaml")]
    {
        let folder = repository(&[("cortexkey.yaml", &policy()), (name, &faulty_key("b"))]);
        write(folder.path(), ".gitignore", format!("{pattern}\n").as_bytes());
        assert_eq!(code(&lint(&folder, &[])), 1, "{pattern}");
    }
}

#[cfg(unix)]
#[test]
fn a_linked_file_of_patterns_is_not_read() {
    let folder = repository(&[("cortexkey.yaml", &policy()), ("patterns", "b.yaml\n")]);
    write(folder.path(), "keys/b.yaml", faulty_key("b").as_bytes());
    std::os::unix::fs::symlink("../patterns", folder.path().join("keys/.gitignore")).unwrap();
    assert_eq!(code(&lint(&folder, &[])), 1);
}

#[cfg(target_os = "linux")]
#[test]
fn file_names_are_bytes() {
    use std::os::unix::ffi::OsStrExt as _;
    let folder = repository(&[("cortexkey.yaml", &policy()), (".gitignore", "keys/b*\n")]);
    for name in [&b"keys/b\xff/x.yaml"[..], b"keys/b\xff.yaml", b"keys/b\n.yaml", b"keys/b\\c.yaml"]
    {
        let path = folder.path().join(std::ffi::OsStr::from_bytes(name));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, faulty_key("b")).unwrap();
        commit(folder.path());
        let lines = found(&lint(&folder, &[])).join("\n");
        assert!(lines.contains("L001"), "{name:?} {lines}");
        // A backslash in a name is not a separator.
        assert!(!lines.contains("b/c.yaml"), "{lines}");
        git(folder.path(), &["rm", "-q", "-r", "keys"]);
    }
}

#[test]
fn a_sparse_checkout_excludes_no_definition() {
    let folder = forced_in();
    git(folder.path(), &["sparse-checkout", "set", "--no-cone", "/*", "!/keys/prod"]);
    assert!(!folder.path().join("keys/prod").exists());
    is_found(folder.path());
    // A file that is not in the work tree cannot be fixed there.
    let twice = key("c").replace("[Viewer]", "[Viewer, Viewer]");
    git(folder.path(), &["sparse-checkout", "disable"]);
    write(folder.path(), "keys/prod/b.yaml", twice.as_bytes());
    commit(folder.path());
    git(folder.path(), &["sparse-checkout", "set", "--no-cone", "/*", "!/keys/prod"]);
    let fix = |options: &mut cortexkey_lint::files::Options| {
        options.fix = cortexkey_lint::files::FixMode::Write;
    };
    let outcome = lint_with(folder.path(), &[], fix);
    let said = outcome.messages.join(" ");
    assert_eq!(code(&outcome), 2, "{said}");
    wording!(said);
    // Without the policy, there is nothing to check against.
    write(folder.path(), "keys/dev/cortexkey.yaml", policy().as_bytes());
    git(folder.path(), &["add", "--sparse", "--force", "keys/dev/cortexkey.yaml"]);
    git(folder.path(), &["commit", "--quiet", "--message", "b"]);
    git(folder.path(), &["sparse-checkout", "set", "--no-cone", "/*", "!/keys/dev/cortexkey.yaml"]);
    let outcome = lint(&folder, &[]);
    assert_eq!(code(&outcome), 2, "{:?}", outcome.messages);
}

/// As in a repository that came from a Mac or from Windows.
#[cfg(target_os = "linux")]
#[test]
fn a_definition_renamed_in_case_only_is_found() {
    let folder =
        repository(&[("cortexkey.yaml", &policy()), ("keys/prod/b.yaml", &faulty_key("b"))]);
    git(folder.path(), &["config", "core.ignoreCase", "true"]);
    for (old, new) in [("keys/prod/b.yaml", "keys/prod/B.yaml"), ("keys/prod", "keys/PROD")] {
        fs::rename(folder.path().join(old), folder.path().join(new)).unwrap();
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome).join("\n");
        assert!(code(&outcome) == 1 && lines.contains("L001"), "{new}: {lines}");
    }
}

#[test]
fn a_submodule_is_part_of_the_corpus() {
    let inner = repository(&[
        (".gitignore", "*.local.yaml\n"),
        ("keys/b.local.yaml", &faulty_key("b")),
        ("keys/fine.yaml", &key("fine")),
    ]);
    let folder = repository(&[("cortexkey.yaml", &policy()), (".gitignore", "*.local.yaml\n")]);
    let source = inner.path().to_str().unwrap();
    git(folder.path(), &["submodule", "--quiet", "add", source, "team"]);
    commit(folder.path());
    for paths in [&[][..], &["team"], &["team/keys/b.local.yaml"], &["team/keys"]] {
        let outcome = lint(&folder, paths);
        let lines = found(&outcome).join("\n");
        assert!(lines.contains("team/keys/b.local.yaml:5:18: error[L001"), "{paths:?} {lines}");
        assert_eq!(code(&outcome), 1);
    }
    // A submodule that is not checked out may contain anything.
    git(folder.path(), &["submodule", "--quiet", "deinit", "--force", "team"]);
    let lines = found(&lint(&folder, &[])).join("\n");
    assert!(lines.contains("team:1:1: error[Y001"), "{lines}");
    wording!(lines);
    // Outside the patterns in `keys`, it does not matter.
    let narrow = format!("{HEAD}keys: ['keys/*.yaml']\n");
    write(folder.path(), "cortexkey.yaml", narrow.as_bytes());
    write(folder.path(), "keys/a.yaml", key("a").as_bytes());
    assert_eq!(code(&lint(&folder, &[])), 0);
}

#[test]
fn a_nested_repository_without_submodule_is_checked() {
    let folder = repository(&[("cortexkey.yaml", &policy())]);
    write(folder.path(), "team/keys/b.yaml", faulty_key("b").as_bytes());
    write(folder.path(), "team/keys/draft.yaml", b"a: [");
    write(folder.path(), "team/.gitignore", b"draft.yaml\n");
    git(&folder.path().join("team"), &["init", "--quiet"]);
    let lines = found(&lint(&folder, &[]));
    assert!(lines.len() == 1 && lines[0].contains("L001"), "{lines:?}");
}

#[test]
fn a_git_failure_stops_the_run() {
    let refuses = |folder: &TempDir, expected: &str| {
        for paths in [&[][..], &["keys/dev/a.yaml"], &["keys"]] {
            let outcome = lint(folder, paths);
            let said = outcome.messages.join(" ");
            assert!(code(&outcome) == 2 && said.contains(expected), "{paths:?} {said}");
            assert!(outcome.report.is_none() && outcome.help.is_some());
        }
    };
    let folder = forced_in();
    write(folder.path(), ".git/index", b"x");
    refuses(&folder, "index");
    // Git would continue and find a repository above this one.
    let outer = forced_in();
    let inner = outer.path().join("inner");
    write(&inner, "cortexkey.yaml", policy().as_bytes());
    git(&inner, &["init", "--quiet"]);
    fs::remove_file(inner.join(".git/HEAD")).unwrap();
    let outcome = lint_with(&inner, &[], |_| {});
    assert!(code(&outcome) == 2 && outcome.help.is_some(), "{:?}", outcome.messages);
}

#[test]
fn a_deleted_file_is_gone_and_an_unmerged_one_is_there_once() {
    let folder = repository(&[("cortexkey.yaml", &policy()), ("keys/a.yaml", &key("a"))]);
    write(folder.path(), "keys/b.yaml", faulty_key("b").as_bytes());
    commit(folder.path());
    fs::remove_file(folder.path().join("keys/b.yaml")).unwrap();
    assert_eq!(code(&lint(&folder, &[])), 0);
    git(folder.path(), &["checkout", "--quiet", "-b", "other"]);
    write(folder.path(), "keys/a.yaml", key("a").replace("90d", "30d").as_bytes());
    commit(folder.path());
    git(folder.path(), &["checkout", "--quiet", "main"]);
    write(folder.path(), "keys/a.yaml", key("a").replace("90d", "60d").as_bytes());
    commit(folder.path());
    let mut merge = Command::new("git");
    merge.arg("-C").arg(folder.path()).args(["-c", "user.name=t", "-c", "user.email=t@x.example"]);
    let merged = merge.args(["merge", "--quiet", "other"]).output().unwrap();
    assert!(!merged.status.success());
    let outcome = lint(&folder, &[]);
    let report = outcome.report.as_ref().unwrap();
    assert_eq!((code(&outcome), report.summary.files), (1, 1), "{:?}", found(&outcome));
}

#[cfg(target_os = "linux")]
/// The repository's own settings are not committed, but they must not hide what is in its folder.
#[test]
fn a_work_tree_elsewhere_hides_nothing() {
    let folder = repository(&[("cortexkey.yaml", &policy())]);
    let elsewhere = tempfile::tempdir().unwrap();
    write(folder.path(), "keys/svc-abc.yaml", faulty_key("svc-abc").as_bytes());
    git(folder.path(), &["config", "core.worktree", elsewhere.path().to_str().unwrap()]);
    let outcome = lint(&folder, &[]);
    assert!(code(&outcome) == 1 && found(&outcome)[0].contains("L001"), "{:?}", found(&outcome));
}

#[test]
fn a_path_beyond_the_systems_limit_is_an_error() {
    use rustix::fs::{CWD, Mode, OFlags, mkdirat, openat};
    // Such a path is too long to be opened directly, so it is entered step by step.
    let nested = |folder: &Path| {
        let name = "d".repeat(200);
        let mut at = openat(CWD, folder.join("keys"), OFlags::DIRECTORY, Mode::empty()).unwrap();
        for _ in 0..25 {
            mkdirat(&at, &name, Mode::RWXU).unwrap();
            at = openat(&at, &name, OFlags::DIRECTORY, Mode::empty()).unwrap();
        }
        let file = openat(&at, "evil.yaml", OFlags::CREATE | OFlags::WRONLY, Mode::RWXU).unwrap();
        rustix::io::write(file, b"a: [").unwrap();
    };
    let files = [("cortexkey.yaml", policy()), ("keys/a.yaml", key("a"))];
    let files = files.each_ref().map(|(path, text)| (*path, text.as_str()));
    for folder in [crate::common::folder(&files), repository(&files)] {
        nested(folder.path());
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome).join("\n");
        assert!(code(&outcome) == 1 && lines.contains("error[Y001"), "{lines}");
        let mut remove = Command::new("rm");
        assert!(remove.arg("-rf").arg(folder.path().join("keys")).status().unwrap().success());
    }
}
