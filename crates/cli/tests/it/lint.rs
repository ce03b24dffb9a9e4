//! The linter's commands through the binary.

#![allow(clippy::print_stdout, reason = "what is skipped is said")]

// A failed step of a test is a failed test.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

pub(crate) const POLICY: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: acme }\n\
    extends: [builtin:recommended]\nkeys: [\"keys/**/*.yaml\"]\n";

pub(crate) fn key(name: &str, level: &str) -> String {
    format!(
        "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: {name}, owner: team-{name} }}\n\
         spec:\n  securityLevel: {level}\n  comment: Exports incidents to the SIEM\n  lifetime: 90d\n  \
         roles: [Viewer]\n  scope:\n    assets: {{ mode: none }}\n    casesAndIssues: {{ mode: none }}\n    \
         endpoints: {{ mode: none }}\n"
    )
}

pub(crate) fn folder(files: &[(String, String)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join(".git")).unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    folder
}

fn many(count: usize) -> TempDir {
    let mut files = vec![("cortexkey.yaml".to_owned(), POLICY.to_owned())];
    for number in 0..count {
        let level = if number % 7 == 0 { "standard" } else { "advanced" };
        let name = format!("svc-many-{number}");
        files.push((format!("keys/{}/{name}.yaml", number % 10), key(&name, level)));
    }
    folder(&files)
}

fn run_with(folder: &Path, args: &[&str], change: impl FnOnce(&mut Command)) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_cortexkey"));
    command.args(args).current_dir(folder).env_remove("SOURCE_DATE_EPOCH");
    change(&mut command);
    command.output().unwrap()
}

pub(crate) fn run(folder: &Path, args: &[&str]) -> (i32, String, String) {
    let output = run_with(folder, args, |_| {});
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_output_is_the_same_for_any_number_of_jobs() {
    let folder = many(300);
    for format in ["human", "json", "sarif"] {
        let now = ["lint", "--now", "2026-01-01", "--format", format, "--jobs"];
        let one = run(folder.path(), &[&now[..], &["1"]].concat());
        assert_eq!(one.0, 1);
        for jobs in ["2", "8"] {
            assert_eq!(run(folder.path(), &[&now[..], &[jobs]].concat()), one, "{format} {jobs}");
        }
    }
}

#[test]
fn standard_input_is_read_with_any_number_of_jobs() {
    use std::io::Write as _;
    let folder = many(1);
    for jobs in ["1", "4"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cortexkey"));
        command.args(["lint", "-", "--stdin-filename", "keys/svc-x.yaml", "--jobs", jobs]);
        command.args(["--format", "concise"]).current_dir(folder.path());
        command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
        let mut child = command.spawn().unwrap();
        let text = key("svc-x", "standard");
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        assert!(said.starts_with("keys/svc-x.yaml:5:18: error[L001"), "{said}");
    }
}

#[test]
fn usage_errors_are_code_two_with_a_next_step() {
    let folder = many(3);
    let mut all = String::new();
    for args in [
        &["lint", "--unsafe-fixes"][..],
        &["lint", "--fix", "--diff"],
        &["lint", "--format", "yaml"],
        &["lint", "--jobs", "0"],
        &["lint", "--now", "soon"],
        &["lint", "--since", "main"],
        &["lint", "--baseline", "none.json"],
        &["lint", "keys/1", "--write-baseline"],
        &["lint", "--policy", "builtin:strct"],
        &["explain", "E0O3"],
        &["policy", "show", "--why", "expiry-to-long"],
        &["policy", "init", "keys"],
    ] {
        let (code, _, said) = run(folder.path(), args);
        assert_eq!(code, 2, "{args:?}: {said}");
        all.extend([format!("{args:?}\n{said}")]);
    }
    wording!(all);
}

#[test]
fn without_git_a_comparison_is_refused() {
    let folder = many(3);
    let (code, _, said) = run(folder.path(), &["lint", "--since", "HEAD"]);
    assert_eq!(code, 2, "{said}");
    wording!(said);
    // A repository cannot be listed either.
    let mut git = cortexkey_system::command("git");
    assert!(git.args(["init", "--quiet"]).current_dir(folder.path()).status().unwrap().success());
    let mut all = String::new();
    for args in
        [&["lint"][..], &["lint", "--since", "HEAD"], &["compile", "-o", "x"], &["access", "svc-1"]]
    {
        let output = run_with(folder.path(), args, |command| {
            command.env("PATH", folder.path());
        });
        let said = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?} {said}");
        all.extend([format!("{args:?}\n{said}")]);
    }
    wording!(all);
}

#[test]
fn a_policy_is_begun_checked_shown_and_tested() {
    let folder = many(12);
    let (code, text, _) = run(folder.path(), &["policy", "init", "keys", "--output", "new.yaml"]);
    assert_eq!(code, 0, "{text}");
    // A missing policy is not checked.
    assert_eq!(run(tempfile::tempdir().unwrap().path(), &["policy", "check"]).0, 2);
    let (code, said, _) = run(folder.path(), &["policy", "check", "new.yaml"]);
    assert_eq!(code, 0, "{said}");
    let args = ["lint", "--policy", "new.yaml", "--format", "concise"];
    let (code, said, _) = run(folder.path(), &args);
    assert_eq!(code, 1, "{said}");
    assert!(
        said.lines().filter(|line| line.contains("error[")).all(|line| line.contains("L001")),
        "{said}"
    );
    let (code, said, _) = run(folder.path(), &["policy", "show", "--why", "E003"]);
    assert!(code == 0 && said.contains("builtin:recommended:19"), "{said}");
    let (code, said, _) = run(folder.path(), &["policy", "show", "--effective"]);
    assert!(code == 0 && said.contains("expiry-too-long:"), "{said}");
    let (code, _, said) = run(folder.path(), &["policy", "test"]);
    assert_eq!(code, 3, "{said}");
    wording!(said);
}

#[test]
fn the_schema_of_a_policy_is_written_checked_and_named_by_definitions() {
    let folder = many(2);
    let policy = format!(
        "{POLICY}tenants: {{ prod-eu: {{ product: xsiam }} }}\n\
         rules: {{ schema-modeline: {{ schema: schemas/key.json, severity: error }} }}\n"
    );
    fs::write(folder.path().join("cortexkey.yaml"), &policy).unwrap();
    fs::create_dir(folder.path().join("schemas")).unwrap();
    let write = ["policy", "schema", "--output", "schemas/key.json"];
    let check = ["policy", "schema", "--output", "schemas/key.json", "--check"];
    assert_eq!(run(folder.path(), &check).0, 2);
    assert_eq!(run(folder.path(), &write).0, 0);
    assert_eq!(run(folder.path(), &check).0, 0);
    let text = fs::read_to_string(folder.path().join("schemas/key.json")).unwrap();
    let schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    let tenant = &schema["properties"]["metadata"]["properties"]["tenant"];
    assert_eq!(tenant["enum"], serde_json::json!(["prod-eu"]));
    assert_eq!(run(folder.path(), &["policy", "schema"]).1, text);
    fs::write(folder.path().join("cortexkey.yaml"), policy.replace("prod-eu", "prod-us")).unwrap();
    assert_eq!(run(folder.path(), &check).0, 1);
    assert_eq!(run(folder.path(), &["policy", "schema", "--check"]).0, 2);

    let lint = ["lint", "--format", "concise"];
    assert!(run(folder.path(), &lint).1.contains("S008"));
    run(folder.path(), &["lint", "--fix"]);
    let fixed = fs::read_to_string(folder.path().join("keys/1/svc-many-1.yaml")).unwrap();
    let modeline = "# yaml-language-server: $schema=../../schemas/key.json\napiVersion:";
    assert!(fixed.starts_with(modeline), "{fixed}");
    assert!(!run(folder.path(), &lint).1.contains("S008"));
    // A line that names another schema is replaced, and nothing else.
    let other = fixed.replace("../../schemas/key.json", "key.v1.json");
    fs::write(folder.path().join("keys/1/svc-many-1.yaml"), other).unwrap();
    run(folder.path(), &["lint", "--fix"]);
    assert_eq!(fs::read_to_string(folder.path().join("keys/1/svc-many-1.yaml")).unwrap(), fixed);
}

#[test]
fn each_rule_is_explained_and_listed() {
    let folder = many(0);
    let (code, list, _) = run(folder.path(), &["rules"]);
    assert_eq!(code, 0);
    for rule in cortexkey_lint::rules::RULES {
        assert!(list.contains(rule.code) && list.contains(rule.name));
        let (code, page, _) = run(folder.path(), &["explain", rule.name]);
        assert!(code == 0 && page.starts_with(rule.code), "{page}");
        assert!(page.lines().all(|line| line.chars().count() < 180), "{page}");
    }
}

#[test]
fn a_files_name_is_not_an_option() {
    let folder = many(3);
    let mut all = String::new();
    for name in ["--policy=builtin:minimal", "--fix", "-h", "--version"] {
        fs::write(folder.path().join(name), "").unwrap();
        let (code, out, said) = run(folder.path(), &["lint", name]);
        assert!(code == 2 && out.is_empty(), "{name} {said}");
        all += &said;
        // After `--` it is a path like any other.
        let (code, out, _) = run(folder.path(), &["lint", "--format", "concise", "--", name]);
        assert_eq!(code, 0, "{name} {out}");
        all += &out;
        fs::remove_file(folder.path().join(name)).unwrap();
    }
    wording!(all);
}

#[cfg(unix)]
#[test]
fn a_report_keeps_the_link_that_it_is_written_through() {
    let folder = many(3);
    std::os::unix::fs::symlink("real.json", folder.path().join("link.json")).unwrap();
    fs::write(folder.path().join("real.json"), "old").unwrap();
    for file in ["link.json", "new.json", "/dev/null"] {
        let (code, _, said) = run(folder.path(), &["lint", &format!("--format=json={file}")]);
        assert_eq!(code, 1, "{said}");
    }
    assert!(folder.path().join("link.json").is_symlink());
    let real = fs::read_to_string(folder.path().join("real.json")).unwrap();
    assert_eq!(real, fs::read_to_string(folder.path().join("new.json")).unwrap());
    let (code, _, said) = run(folder.path(), &["lint", "--format=json=keys"]);
    assert_eq!(code, 2, "{said}");
    wording!(said);
}

/// Changes the owner of a folder and its contents; returns false without permission.
#[cfg(unix)]
fn give_away(folder: &Path) -> bool {
    let mut chown = Command::new("chown");
    let output = chown.args(["-R", "-h", "54321:54321"]).arg(folder).output();
    output.is_ok_and(|output| output.status.success())
}

#[cfg(unix)]
#[test]
fn another_users_repository_is_read_once_git_trusts_it() {
    let folder = many(3);
    fs::remove_dir(folder.path().join(".git")).unwrap();
    let home = tempfile::tempdir().unwrap();
    let own_git = |command: &mut Command| {
        // Independent of the git settings of the machine and the user.
        let unset = ["GIT_CONFIG_GLOBAL", "GIT_CONFIG_COUNT", "GIT_CONFIG_PARAMETERS", "SUDO_UID"];
        for name in unset {
            command.env_remove(name);
        }
        command
            .env_remove("XDG_CONFIG_HOME")
            .env("HOME", home.path())
            .env("GIT_CONFIG_NOSYSTEM", "1");
    };
    let mut git = cortexkey_system::command("git");
    own_git(&mut git);
    assert!(git.args(["init", "--quiet"]).current_dir(folder.path()).status().unwrap().success());
    let run = |args: &[&str]| {
        let output = run_with(folder.path(), args, own_git);
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
    };
    assert_eq!(run(&["lint"]).0, 1);
    if !give_away(folder.path()) {
        assert!(std::env::var("CI").is_err(), "no folder can be given to another user");
        println!("skipped: only root can give a folder to another user");
        return;
    }
    let mut helps = Vec::new();
    for args in [
        &["lint"][..],
        &["lint", "keys"],
        &["lint", "keys/1/svc-many-1.yaml"],
        &["compile", "-o", "keys.ckc"],
    ] {
        let (code, out, said) = run(args);
        assert!(code == 2 && out.is_empty(), "{args:?} {code} {out} {said}");
        let help = said.lines().find_map(|line| line.trim().strip_prefix("help: "));
        helps.push(help.unwrap_or_else(|| panic!("{said}")).to_owned());
    }
    assert!(!folder.path().join("keys.ckc").exists());
    // The remedy is a command that can be run unchanged, and afterwards the keys are checked.
    assert!(helps.iter().all(|help| *help == helps[0]), "{helps:?}");
    let mut remedy = cortexkey_system::command("sh");
    own_git(&mut remedy);
    assert!(remedy.args(["-c", &helps[0]]).status().unwrap().success(), "{}", helps[0]);
    let (code, out, said) = run(&["lint", "--format", "concise"]);
    assert!(code == 1 && out.contains("L001"), "{code} {out} {said}");
}

/// The paths in each format for reviews.
fn review_paths(folder: &Path, args: &[&str], change: impl Fn(&mut Command)) -> Vec<Vec<String>> {
    let of = |format: &str, before: &str, after: char| -> Vec<String> {
        let args = [&["lint", "--format", format][..], args].concat();
        let output = run_with(folder, &args, |command| change(command));
        let text = String::from_utf8(output.stdout).unwrap();
        let found =
            text.split(before).skip(1).map(|rest| rest.split(after).next().unwrap().to_owned());
        let mut found: Vec<String> =
            found.filter(|path| path.contains("svc") || path.contains("keys")).collect();
        found.sort();
        found.dedup();
        found
    };
    vec![
        of("github", "file=", ','),
        of("gitlab", "\"path\": \"", '"'),
        of("sarif", "\"uri\": \"", '"'),
    ]
}

#[test]
fn paths_of_reviews_start_at_the_repositorys_root() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("re po");
    let inner = root.join("infra/cortex");
    fs::create_dir_all(inner.join("keys")).unwrap();
    fs::create_dir_all(root.join("ci")).unwrap();
    let policy =
        "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\nkeys: ['keys/*.yaml']\n";
    fs::write(inner.join("cortexkey.yaml"), policy).unwrap();
    fs::write(inner.join("keys/svc-a.yaml"), "apiVersion: cortexkey/v1\nkind: ApiKey\n").unwrap();
    let mut git = cortexkey_system::command("git");
    assert!(git.args(["init", "--quiet"]).current_dir(&root).status().unwrap().success());
    let policy = inner.join("cortexkey.yaml");
    let policy = policy.to_str().unwrap();
    let wanted = "infra/cortex/keys/svc-a.yaml".to_owned();
    let places = [
        (&inner, &[][..]),
        (&inner.join("keys"), &[]),
        (&root, &[]),
        (&root.join("ci"), &["--policy", policy]),
    ];
    for (place, args) in &places {
        for project in
            [None, Some(root.as_path()), Some(folder.path()), Some(Path::new("/nowhere"))]
        {
            for variable in ["GITHUB_WORKSPACE", "CI_PROJECT_DIR"] {
                let paths = review_paths(place, args, |command| {
                    command.env_remove("GITHUB_WORKSPACE").env_remove("CI_PROJECT_DIR");
                    command.envs(project.map(|project| (variable, project)));
                });
                assert_eq!(paths, vec![vec![wanted.clone()]; 3], "{place:?} {project:?}");
            }
        }
    }
    // Without a repository the service's folder counts.
    fs::remove_dir_all(root.join(".git")).unwrap();
    let paths = review_paths(&inner, &[], |command| {
        command.env("CI_PROJECT_DIR", &root).env_remove("GITHUB_WORKSPACE");
    });
    assert_eq!(paths, vec![vec![wanted]; 3]);
}
