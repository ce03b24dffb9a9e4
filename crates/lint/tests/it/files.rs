//! Finding and reading files: which are checked, which are skipped, and which are errors.

use std::fs;

use crate::common::{HEAD, code, folder, found, git, key, lint, lint_with, write};
use cortexkey_lint::Timestamp;
use cortexkey_lint::files::{Options, run};
use cortexkey_lint::report::Format;

#[test]
fn the_corpus_is_what_the_policy_names() {
    let policy = format!("{HEAD}keys: [\"keys/*.yaml\"]\n");
    let folder = folder(&[
        ("cortexkey.yaml", &policy),
        ("keys/a.yaml", &key("a")),
        ("keys/deep/b.yaml", "not a key: ["),
        ("compose.yaml", "services: ["),
    ]);
    let outcome = lint(&folder, &[]);
    assert_eq!((code(&outcome), found(&outcome).len()), (0, 0), "{:?}", found(&outcome));
    assert_eq!(outcome.report.as_ref().unwrap().summary.files, 1);

    // The arguments of pre-commit: a part of the corpus, and unrelated files.
    let outcome = lint(&folder, &["compose.yaml", "keys/a.yaml"]);
    let summary = outcome.report.as_ref().unwrap().summary;
    assert_eq!((code(&outcome), summary.files, summary.skipped), (0, 1, 1));
    let outcome = lint(&folder, &["compose.yaml"]);
    assert_eq!((code(&outcome), outcome.report.unwrap().summary.skipped), (0, 1));

    // A policy among the paths means all of it.
    let outcome = lint(&folder, &["cortexkey.yaml"]);
    assert_eq!(outcome.report.unwrap().summary.files, 1);
}

#[test]
fn paths_narrow_the_report_and_not_the_corpus() {
    let policy = format!("{HEAD}keys: [\"keys/**/*.yaml\"]\n");
    let folder = folder(&[
        (".cortexkey.yaml", &policy),
        ("keys/a.yaml", &key("same")),
        ("keys/b/b.yaml", &key("SAME")),
        ("keys/b/c.yaml", "spec: ["),
    ]);
    let outcome = lint(&folder, &["keys/a.yaml"]);
    let lines = found(&outcome);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("keys/a.yaml:3:19: error[C001 duplicate-name]"), "{lines:?}");
    let lines = found(&lint(&folder, &["keys/b"]));
    assert!(lines[0].starts_with("keys/b/b.yaml:3:19: error[C001"), "{lines:?}");
    assert!(lines[1].contains("keys/b/c.yaml") && lines[1].contains("Y001"), "{lines:?}");
    // From below the policy, paths are relative to where the command runs.
    let outcome = lint_with(&folder.path().join("keys/b"), &[], |_| {});
    assert!(found(&outcome)[0].starts_with("b.yaml:3:19"), "{:?}", found(&outcome));
}

#[test]
fn ignored_files_are_not_in_the_corpus() {
    let policy = format!("{HEAD}keys: [\"**/*.yaml\"]\n");
    let folder = folder(&[
        ("cortexkey.yaml", &policy),
        (".gitignore", "drafts/\n"),
        ("a.yaml", &key("a")),
        ("drafts/b.yaml", "x: ["),
    ]);
    // Only git decides which files those are.
    assert_eq!(code(&lint(&folder, &[])), 1);
    git(folder.path(), &["init", "--quiet"]);
    assert_eq!(code(&lint(&folder, &[])), 0);
}

#[test]
fn ignored_tracked_files_are_checked() {
    let policy = format!("{HEAD}keys: [\"keys/*.yaml\"]\n");
    let wrong = key("b").replace("advanced", "standard");
    let folder = folder(&[
        ("cortexkey.yaml", &policy),
        ("keys/a.yaml", &key("a")),
        ("keys/.gitignore", "*.yaml\n"),
        ("keys/b.yaml", &wrong),
        ("keys/draft.yaml", "x: ["),
    ]);
    git(folder.path(), &["init", "--quiet"]);
    git(folder.path(), &["add", "--force", "keys/a.yaml", "keys/b.yaml"]);
    let outcome = lint(&folder, &[]);
    let lines = found(&outcome);
    assert_eq!((code(&outcome), lines.len()), (1, 1), "{lines:?}");
    assert!(lines[0].starts_with("keys/b.yaml:5:18: error[L001"), "{lines:?}");
    assert_eq!((outcome.report.unwrap().summary.files, outcome.messages.len()), (2, 0));
    // If git fails, nothing is checked.
    write(folder.path(), ".git/config", b"[");
    let outcome = lint(&folder, &[]);
    let said = outcome.messages.join(" ");
    assert_eq!(code(&outcome), 2);
    assert!(outcome.report.is_none(), "{said}");
    assert!(outcome.help.is_some());
}

#[test]
fn without_a_policy_the_recommended_one_applies_with_a_note() {
    let folder = folder(&[("a.yaml", &key("a")), ("b.yml", &key("b"))]);
    let outcome = lint(&folder, &[]);
    assert_eq!((code(&outcome), outcome.report.unwrap().summary.files), (0, 2));
    assert!(outcome.messages[0].contains("builtin:recommended"), "{:?}", outcome.messages);
}

#[test]
fn the_search_upwards_stops_at_the_repository() {
    let outer = folder(&[("cortexkey.yaml", "not: a policy\n")]);
    write(outer.path(), "repo/keys/a.yaml", key("a").as_bytes());
    git(&outer.path().join("repo"), &["init", "--quiet"]);
    let outcome = lint_with(&outer.path().join("repo/keys"), &[], |_| {});
    assert_eq!(code(&outcome), 0, "{:?}", outcome.messages);
}

#[test]
fn standard_input_is_checked_under_its_name() {
    let policy = format!("{HEAD}keys: [\"keys/*.yaml\"]\n");
    let folder = folder(&[("cortexkey.yaml", &policy), ("keys/a.yaml", "broken: [")]);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let stdin = |name: Option<&str>| {
        let mut options = Options::new(folder.path(), now);
        options.paths = vec!["-".into()];
        options.stdin_filename = name.map(Into::into);
        let text = key("a").replace("advanced", "standard");
        run(&options, &mut text.as_bytes())
    };
    let lines = found(&stdin(Some("keys/a.yaml")));
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].starts_with("keys/a.yaml:5:18: error[L001"), "{lines:?}");
    assert_eq!(stdin(Some("other/a.yaml")).report.unwrap().summary.skipped, 1);
    assert!(found(&stdin(None))[0].starts_with("<stdin>:5:18: error[L001"));
}

#[test]
fn an_unreadable_file_is_a_finding_and_alone_exits_with_three() {
    let folder = folder(&[("a.yaml", &key("a"))]);
    write(folder.path(), "latin.yaml", b"a: caf\xe9\n");
    write(folder.path(), "binary.yaml", b"a: \0\x01\n");
    write(folder.path(), "huge.yaml", &vec![b'#'; (1 << 20) + 1]);
    write(folder.path(), "empty.yaml", b"");
    let outcome = lint(&folder, &[]);
    let lines = found(&outcome).join("\n");
    for expected in [
        "latin.yaml:1:7: error[Y001 ",
        "binary.yaml:1:4: error[Y001 ",
        "huge.yaml:1:1: error[Y001 ",
        "empty.yaml:1:1: error[S002 ",
    ] {
        assert!(lines.contains(expected), "{expected}\n{lines}");
    }
    wording!(lines);
    assert_eq!(code(&outcome), 1);

    let outcome = lint(&folder, &["missing.yaml"]);
    wording!(found(&outcome)[0]);
    assert_eq!(code(&outcome), 3);
    assert_eq!(code(&lint(&folder, &["missing.yaml", "a.yaml"])), 1);
    fs::create_dir(folder.path().join("none")).unwrap();
    let outcome = lint(&folder, &["none"]);
    wording!(outcome.messages.join("\n"));
    assert_eq!(code(&outcome), 3);
}

#[test]
fn a_named_file_that_does_not_exist_is_an_error() {
    let policy = format!("{HEAD}keys: [\"keys/**/*.yaml\"]\n");
    let folder = folder(&[
        ("cortexkey.yaml", &policy),
        ("keys/good.yaml", &key("good")),
        ("docs/notes.txt", "none of our business"),
        ("compose.yaml", "services: ["),
    ]);
    for paths in [&["keyz/"][..], &["nope.yaml"], &["keys/nope/"], &["keys/nope.yaml"]] {
        let outcome = lint(&folder, paths);
        let lines = found(&outcome);
        assert_eq!(code(&outcome), 3, "{paths:?} {lines:?}");
        assert!(lines[0].contains(": error[Y001 "), "{lines:?}");
    }
    for paths in
        [&["keys/nope/", "keys/good.yaml"], &["nope.yaml", "keys"], &["x.txt", "compose.yaml"]]
    {
        let outcome = lint(&folder, paths);
        assert_eq!((code(&outcome), found(&outcome).len()), (1, 1), "{paths:?}");
    }
    // A folder without files of the corpus is reported; if it is the only path, nothing was read.
    let outcome = lint(&folder, &["docs"]);
    assert_eq!(code(&outcome), 3);
    let said = outcome.messages.join("\n");
    wording!(said);
    assert_eq!(code(&lint(&folder, &["docs", "keys"])), 0);
}

#[test]
fn a_finding_about_an_unread_file_has_help_and_no_source_line() {
    let folder = folder(&[]);
    let report = lint(&folder, &["gone.yaml"]).report.unwrap();
    let text = report.render(Format::Human, false);
    assert!(text.contains("--> gone.yaml\n") && !text.contains('^'), "{text}");
    wording!(text);
}

#[cfg(unix)]
#[test]
fn a_permission_error_is_an_error() {
    use std::os::unix::fs::PermissionsExt as _;
    let policy = format!("{HEAD}keys: [\"keys/**/*.yaml\"]\n");
    let folder = folder(&[
        ("cortexkey.yaml", &policy),
        ("keys/a.yaml", &key("a")),
        ("keys/closed/b.yaml", &key("b")),
        ("other/closed/c.yaml", &key("c")),
        ("closed.yaml", "a: 1"),
    ]);
    let close = |path: &str, mode: u32| {
        fs::set_permissions(folder.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    close("keys/closed", 0);
    close("other/closed", 0);
    close("closed.yaml", 0);
    // A user who may read everything, such as root, gets no error.
    if fs::read(folder.path().join("closed.yaml")).is_err() {
        let lines = found(&lint(&folder, &[]));
        assert!(lines[0].contains("keys/closed") && lines[0].contains("listed"), "{lines:?}");
        assert_eq!((code(&lint(&folder, &[])), lines.len()), (1, 1));
        for path in ["closed.yaml", "other/closed"] {
            let outcome = lint(&folder, &[path, "keys/a.yaml"]);
            assert!(found(&outcome)[0].contains(": error[Y001 "), "{:?}", found(&outcome));
            assert_eq!(code(&outcome), 1);
        }
    }
    close("keys/closed", 0o700);
    close("other/closed", 0o700);
}

#[test]
fn paths_in_different_repositories_are_refused() {
    let strict = format!("{HEAD}extends: ['builtin:strict']\nkeys: ['*.yaml']\n");
    let folder = folder(&[
        ("here/keys/a.yaml", &key("a")),
        ("there/cortexkey.yaml", &strict),
        ("there/chart.yaml", &key("chart")),
    ]);
    let here = folder.path().join("here");
    git(&here, &["init", "--quiet"]);
    git(&folder.path().join("there"), &["init", "--quiet"]);
    let outcome = lint_with(&here, &["keys/a.yaml", "../there/chart.yaml"], |_| {});
    assert_eq!(code(&outcome), 2);
    let said = outcome.messages.join("\n");
    wording!(said);
    // A folder with its own policy does not change that either.
    write(&here, "cortexkey.yaml", format!("{HEAD}keys: ['keys/*.yaml']\n").as_bytes());
    let both = ["../there/chart.yaml", "keys/a.yaml"];
    assert_eq!(code(&lint_with(&here, &both, |_| {})), 2);
    assert_eq!(
        code(&lint_with(&here, &both, |options| options.policy = Some("cortexkey.yaml".into()))),
        1
    );
    // Another user's policy is used only for that user's files, and reported.
    let outcome = lint_with(&here, &["../there/chart.yaml"], |_| {});
    let said = outcome.messages.join("\n");
    assert!(code(&outcome) == 0 && said.contains("against ../there/cortexkey.yaml"), "{said}");
    assert!(lint_with(&here, &["keys/a.yaml"], |_| {}).messages.is_empty());
    assert!(lint_with(&here.join("keys"), &["a.yaml"], |_| {}).messages.is_empty());
}

#[test]
fn a_policy_extends_the_policy_above_it() {
    let outer = format!("{HEAD}extends: ['builtin:strict']\nkeys: ['keys/**/*.yaml']\n");
    let weak = format!("{HEAD}extends: ['builtin:minimal']\nkeys: ['a.yaml']\n");
    let wrong = key("a").replace("advanced", "standard");
    let folder = folder(&[
        ("cortexkey.yaml", &outer),
        ("keys/x/cortexkey.yaml", &weak),
        ("keys/x/a.yaml", &wrong),
    ]);
    let path = "keys/x/a.yaml";
    let outcome = lint(&folder, &[path]);
    let said = outcome.messages.join(" ");
    assert_eq!(code(&outcome), 2);
    wording!(said);
    let named = lint_with(folder.path(), &[path], |o| o.policy = Some("cortexkey.yaml".into()));
    assert!(found(&named).join(" ").contains("L001"));
    // A run over everything has the same result.
    let outcome = lint(&folder, &[]);
    assert_eq!((code(&outcome), outcome.report.is_none()), (2, true), "{:?}", outcome.messages);
    let child = weak.replace("builtin:minimal", "../../cortexkey.yaml");
    write(folder.path(), "keys/x/cortexkey.yaml", child.as_bytes());
    assert!(found(&lint(&folder, &[path])).join(" ").contains("L001"));
    // A nested repository is separate, but does not exclude files that the outer policy names.
    write(folder.path(), "keys/x/cortexkey.yaml", weak.as_bytes());
    let inner = folder.path().join("keys/x");
    git(&inner, &["init", "--quiet"]);
    assert_eq!(code(&lint_with(&inner, &[], |_| {})), 0);
    for paths in [&[path][..], &[]] {
        assert!(found(&lint(&folder, paths)).join(" ").contains("L001"));
    }
}

#[test]
fn two_policies_in_one_folder_are_refused() {
    let files = [("cortexkey.yaml", HEAD), (".cortexkey.yaml", HEAD), ("a.yaml", &key("a"))];
    let folder = folder(&files);
    let outcome = lint(&folder, &[]);
    assert_eq!(code(&outcome), 2);
    let said = outcome.messages.join(" ");
    wording!(said);
}

#[test]
fn a_path_outside_of_the_repository_is_skipped_and_counted() {
    let policy = format!("{HEAD}keys: [\"keys/*.yaml\"]\n");
    let outer = folder(&[("repo/cortexkey.yaml", &policy)]);
    write(outer.path(), "repo/keys/a.yaml", key("a").as_bytes());
    git(&outer.path().join("repo"), &["init", "--quiet"]);
    write(outer.path(), "keys/b.yaml", b"x: [");
    let named = |paths: &[&str]| {
        lint_with(&outer.path().join("repo"), paths, |o| o.policy = Some("cortexkey.yaml".into()))
    };
    let outcome = named(&["../keys/b.yaml", "keys/a.yaml"]);
    assert_eq!((code(&outcome), outcome.report.unwrap().summary.skipped), (0, 1));
    // Without the policy, the file outside belongs to no corpus.
    let outcome = lint_with(&outer.path().join("repo"), &["../keys/b.yaml", "keys/a.yaml"], |_| {});
    assert_eq!((code(&outcome), outcome.report.unwrap().summary.skipped), (0, 1));
}

#[cfg(target_os = "linux")]
#[test]
fn files_larger_than_reported_are_read_up_to_the_limit() {
    let folder = folder(&[("keys/a.yaml", &key("a"))]);
    let sparse = fs::File::create(folder.path().join("keys/sparse.yaml")).unwrap();
    sparse.set_len(1 << 30).unwrap();
    let limit = |options: &mut Options| options.limits.bytes = 3000;
    // It reports a length of zero, like a file that is just being written.
    let lines = found(&lint_with(folder.path(), &["/proc/self/maps"], limit)).join("\n");
    assert!(lines.contains("/maps:1:1: error[Y001 ") && lines.contains(" 3001 "), "{lines}");
    let outcome = lint_with(folder.path(), &[], limit);
    let lines = found(&outcome).join("\n");
    wording!(lines);
    assert_eq!(code(&outcome), 1);
}

#[test]
fn keys_given_as_paths_are_printed_in_no_format() {
    let token = "aB3dE5fG7h".repeat(13);
    let folder = folder(&[("a.yaml", &key("a"))]);
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let tries: [&dyn Fn(&mut Options); 4] = [
        &|options| options.paths = vec![token.clone().into()],
        &|options| options.paths = vec!["a.yaml".into(), format!("keys/{token}.yaml").into()],
        &|options| options.policy = Some(token.clone().into()),
        &|options| {
            options.paths = vec!["-".into()];
            options.stdin_filename = Some(token.clone().into());
        },
    ];
    for change in tries {
        let mut options = Options::new(folder.path(), now);
        change(&mut options);
        let outcome = run(&options, &mut "apiKey: x".as_bytes());
        assert_ne!(code(&outcome), 0);
        let mut said = outcome.messages.join("\n");
        for (_, format) in Format::ALL {
            said += &outcome.report.as_ref().map_or(String::new(), |r| r.render(format, true));
        }
        assert!(!said.contains("aB3dE5"), "{said}");
    }
}

#[cfg(unix)]
#[test]
fn a_broken_policy_is_named_as_given_and_counts_no_files() {
    let folder = folder(&[("p.yaml", "a: [")]);
    let with = |policy: &str| lint_with(folder.path(), &[], |o| o.policy = Some(policy.into()));
    let said = with("/dev/null").messages.join("\n");
    wording!(said);
    // What it would take is not known, so nothing is said about it.
    let broken = with("p.yaml");
    assert_eq!((code(&broken), broken.messages.len()), (2, 1), "{:?}", broken.messages);
    let text = broken.report.unwrap().render(Format::Concise, false);
    wording!(text);
}

#[cfg(unix)]
#[test]
fn links_and_fifos_neither_hang_nor_vanish() {
    use std::os::unix::fs::symlink;
    let folder = folder(&[("keys/a.yaml", &key("a"))]);
    symlink("..", folder.path().join("keys/loop")).unwrap();
    symlink("gone.yaml", folder.path().join("keys/dangling.yaml")).unwrap();
    let fifo = folder.path().join("keys/pipe.yaml");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let outcome = lint(&folder, &[]);
    let lines = found(&outcome).join("\n");
    assert!(lines.contains("keys/dangling.yaml:1:1: error[Y001"), "{lines}");
    wording!(lines);
    wording!(outcome.messages.join("\n"));
    let outcome = lint(&folder, &["/dev/zero"]);
    assert!(found(&outcome)[0].contains("/dev/zero:1:1: error[Y001 "), "{:?}", found(&outcome));
}

#[test]
fn an_invalid_policy_exits_with_two() {
    let mut all = String::new();
    let mut check = |policy: &str, expected: &str| {
        let folder = folder(&[("cortexkey.yaml", policy), ("keys/a.yaml", &key("a"))]);
        let outcome = lint(&folder, &[]);
        let lines = found(&outcome).join("\n");
        assert!(lines.contains(expected), "{expected}\n{lines}");
        assert_eq!(code(&outcome), 2, "{lines}");
        all.extend([format!("{lines}\n")]);
    };
    check("a: [", "cortexkey.yaml:1:4: error[Y001 ");
    check("", "cortexkey.yaml:1:1: error[");
    check("kind: ApiKey\napiVersion: cortexkey/v1\n", "error[S005 ");
    check(&format!("{HEAD}rule: {{}}\n"), "error[S001 ");
    check(&format!("{HEAD}rules: {{ expiry-to-long: {{ max: 1d }} }}\n"), "error[P006 ");
    check(&format!("{HEAD}rules: {{ E003: {{ maximum: 1d }} }}\n"), "error[P006 ");
    check(&format!("{HEAD}rules: {{ E003: {{ max: soon }} }}\n"), "error[S004 ");
    check(
        &format!(
            "{HEAD}rules: {{ E003: {{ overrides: [{{ match: {{ lables: {{}} }}, max: 1d }}] }} }}\n"
        ),
        "error[S001 ",
    );
    check(&format!("{HEAD}extends: [cortexkey.yaml]\n"), "error[S004 ");
    check(&format!("{HEAD}extends: [gone.yaml]\n"), "error[S004 ");
    check(&format!("{HEAD}extends: [builtin:recomended]\n"), "error[S004 ");
    wording!(all);

    let folder = folder(&[("a.yaml", &key("a"))]);
    for policy in ["gone.yaml", "builtin:none", "."] {
        let outcome = lint_with(folder.path(), &[], |options| options.policy = Some(policy.into()));
        assert_eq!(code(&outcome), 2, "{policy}");
        assert_eq!(outcome.messages.len(), 1, "{:?}", outcome.messages);
    }
}

#[test]
fn without_keys_in_the_policy_the_paths_are_the_corpus() {
    let folder = folder(&[
        ("p.yaml", &format!("{HEAD}extends: ['builtin:strict']\n")),
        ("x/svc.key", &key("svc")),
    ]);
    let outcome =
        lint_with(folder.path(), &["x/svc.key"], |options| options.policy = Some("p.yaml".into()));
    assert_eq!((code(&outcome), outcome.report.unwrap().summary.files), (0, 1));
    let outcome = lint_with(folder.path(), &["x/svc.key", "p.yaml"], |options| {
        options.policy = Some("builtin:minimal".into());
    });
    assert_eq!(outcome.report.unwrap().summary.skipped, 1);
}

#[test]
fn waivers_hold_for_their_key_their_rule_and_their_time() {
    let policy = |expires: &str, key: &str| {
        format!(
            "{HEAD}keys: ['*.key']\nwaivers: [{{ rule: L001, key: {key}, reason: r, \
             approvedBy: b, expires: {expires} }}]\n"
        )
    };
    let standard = key("a").replace("advanced", "standard");
    let run = |policy: &str| {
        let folder = folder(&[("cortexkey.yaml", policy), ("a.key", &standard)]);
        lint(&folder, &[])
    };
    let outcome = run(&policy("2026-02-01", "a"));
    assert_eq!((code(&outcome), found(&outcome).len()), (0, 0), "{:?}", found(&outcome));
    let json = outcome.report.unwrap().render(Format::Json, false);
    assert!(json.contains("\"by\": \"waiver\"") && json.contains("\"waived\": 1"), "{json}");
    let lines = found(&run(&policy("2025-12-30", "a"))).join("\n");
    assert!(lines.contains("L001") && lines.contains("P001"), "{lines}");
    let lines = found(&run(&policy("2026-02-01", "b"))).join("\n");
    assert!(lines.contains("L001") && lines.contains("P009"), "{lines}");
}

#[test]
fn secrets_are_printed_in_no_format() {
    let secret = "S3cr3tV4lue";
    let token = "aB3".repeat(43);
    let text = key("a")
        .replace("  lifetime", &format!("  apiKey: {secret}\n  comment: {token}\n  lifetyme"))
        .replace("[Viewer]", &format!("[{token}]"))
        + &format!("  token: |\n    {secret}\n# password: {secret}\n  {token}: x\n");
    let broken = format!("spec:\n  apiKey: {secret}\n  password: [{secret}, {token}\n  x: }}\n");
    let folder = folder(&[("a.yaml", &text), ("b.yaml", &broken)]);
    let report = lint(&folder, &[]).report.unwrap();
    assert!(report.findings.len() > 4, "{}", report.render(Format::Concise, false));
    for (_, format) in Format::ALL {
        let out = report.render(format, true);
        assert!(!out.contains(secret) && !out.contains("aB3aB3aB3"), "{out}");
    }
    insta::assert_snapshot!(report.render(Format::Human, false));
}

#[test]
fn one_thread_can_be_requested_repeatedly() {
    let folder = folder(&[("cortexkey.yaml", HEAD), ("a.yaml", &key("a"))]);
    for jobs in [Some(1), Some(1), None, Some(2), Some(1)] {
        let outcome = lint_with(folder.path(), &[], |options| options.jobs = jobs);
        let report = outcome.report.expect("a report, whatever ran before");
        assert_eq!((report.summary.files, outcome.messages), (1, Vec::new()));
    }
}

/// Returns the first part of a definition, and then an error.
struct Broken(&'static [u8]);

impl std::io::Read for Broken {
    fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
        let read = std::io::Read::read(&mut self.0, into)?;
        if read == 0 { Err(std::io::Error::other("the pipe broke")) } else { Ok(read) }
    }
}

#[test]
fn standard_input_that_breaks_off_is_never_taken_for_a_file() {
    let folder = folder(&[("cortexkey.yaml", HEAD)]);
    for jobs in [None, Some(1), Some(4)] {
        let mut options = Options::new(folder.path(), Timestamp::UNIX_EPOCH);
        options.paths = vec!["-".into()];
        options.jobs = jobs;
        let outcome = run(&options, &mut Broken(b"apiVersion: v1\n"));
        let found = found(&outcome);
        assert!(found.len() == 1 && found[0].contains("[Y001 "), "{jobs:?}: {found:?}");
        assert_ne!(code(&outcome), 0);
    }
}
