//! What keys gain since an earlier revision, in a real repository.

use std::fs;

use crate::common::{HEAD, code, commit, found, git, key, lint_with, repository, write};
use cortexkey_lint::files::RunOutcome;
use tempfile::TempDir;

fn since(folder: &TempDir, revision: &str) -> RunOutcome {
    lint_with(folder.path(), &[], |options| options.since = Some(revision.to_owned()))
}

fn policy() -> String {
    format!(
        "{HEAD}keys: ['keys/*.yaml']\ncatalog: {{ roles: [{{ name: Small, actions: [a], components: {{}} }}] }}\n"
    )
}

#[test]
fn gains_of_a_key_are_reported_at_their_position() {
    let policy = policy();
    let folder = repository(&[
        ("repo/cortexkey.yaml", &policy),
        ("repo/keys/svc-abc.yaml", &key("svc-abc")),
        ("repo/keys/svc-def.yaml", &key("svc-def").replace("90d", "120d")),
        ("repo/other.yaml", "not: ours"),
    ]);
    let inner = folder.path().join("repo");
    let run = || {
        lint_with(&inner, &[], |options| {
            options.since = Some("HEAD".to_owned());
            options.policy = Some("cortexkey.yaml".into());
        })
    };
    let outcome = run();
    assert_eq!((code(&outcome), found(&outcome).len()), (0, 1), "{:?}", found(&outcome));
    assert!(found(&outcome)[0].contains("C003"), "the catalog's role is not used");
    let wide = key("svc-abc")
        .replace("90d", "200d")
        .replace("[Viewer]", "[Viewer, Responder]")
        .replace("assets: { mode: none }", "assets: { mode: select, groups: [prod-eu] }")
        .replace("advanced", "standard");
    write(&inner, "keys/svc-abc.yaml", wide.as_bytes());
    write(&inner, "keys/svc-new.yaml", key("svc-new").as_bytes());
    let lines: Vec<String> =
        found(&run()).into_iter().filter(|line| line.contains("C006")).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn definitions_behind_links_and_in_submodules_are_compared_with_themselves() {
    let inner = repository(&[("keys/svc-sub.yaml", &key("svc-sub"))]);
    let folder = repository(&[
        ("cortexkey.yaml", &policy().replace("keys/*.yaml", "**/keys/**/*.yaml")),
        ("other/svc-file.yaml", &key("svc-file")),
        ("shared/a/svc-folder.yaml", &key("svc-folder")),
    ]);
    let at = folder.path();
    fs::create_dir(at.join("keys")).unwrap();
    std::os::unix::fs::symlink("../other/svc-file.yaml", at.join("keys/chain.yaml")).unwrap();
    std::os::unix::fs::symlink("chain.yaml", at.join("keys/svc-file.yaml")).unwrap();
    std::os::unix::fs::symlink("../shared", at.join("keys/shared")).unwrap();
    let source = inner.path().to_str().unwrap();
    git(at, &["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", source, "sub"]);
    commit(at);
    let gains = || {
        let lines = found(&since(&folder, "HEAD"));
        lines.into_iter().filter(|line| line.contains("C006")).collect::<Vec<_>>()
    };
    assert_eq!(gains(), Vec::<String>::new());
    for path in ["other/svc-file.yaml", "shared/a/svc-folder.yaml", "sub/keys/svc-sub.yaml"] {
        let text = fs::read_to_string(at.join(path)).unwrap();
        fs::write(at.join(path), text.replace("90d", "200d")).unwrap();
    }
    assert_eq!(gains().len(), 3, "{:?}", gains());
}

/// Asset groups of one name differ only in their ids.
#[test]
fn another_asset_group_of_the_same_name_is_a_gain() {
    let with = |groups: &str| {
        key("svc-abc").replace(
            "assets: { mode: none }",
            &format!("assets: {{ mode: select, groups: [{groups}] }}"),
        )
    };
    let gains = |before: &str, after: &str| {
        let files = [("cortexkey.yaml", policy()), ("keys/svc-abc.yaml", with(before))];
        let folder = repository(&files.each_ref().map(|(path, text)| (*path, text.as_str())));
        write(folder.path(), "keys/svc-abc.yaml", with(after).as_bytes());
        let lines = found(&since(&folder, "HEAD"));
        lines.iter().filter(|line| line.contains("C006")).count()
    };
    let one = "{ name: twin, id: 1 }";
    let two = "{ name: twin, id: 2 }";
    let both = format!("{one}, {two}");
    for (before, after, count) in [
        (one, two, 1),
        (both.as_str(), two, 0),
        (one, both.as_str(), 1),
        ("twin", two, 0),
        (one, "twin", 0),
        (one, one, 0),
    ] {
        assert_eq!(gains(before, after), count, "{before} to {after}");
    }
}

#[test]
fn a_narrower_grant_is_not_a_gain() {
    let folder = repository(&[
        ("cortexkey.yaml", &policy()),
        ("keys/svc-abc.yaml", &key("svc-abc").replace("[Viewer]", "[Viewer, Responder]")),
        ("keys/svc-def.yaml", &key("svc-def")),
    ]);
    write(folder.path(), "keys/svc-abc.yaml", key("svc-abc").replace("90d", "30d").as_bytes());
    fs::remove_file(folder.path().join("keys/svc-def.yaml")).unwrap();
    let lines = found(&since(&folder, "main")).join("\n");
    assert!(!lines.contains("C006"), "{lines}");
}

#[test]
fn invalid_revisions_are_refused() {
    let folder =
        repository(&[("cortexkey.yaml", &policy()), ("keys/svc-abc.yaml", &key("svc-abc"))]);
    for revision in ["no-such-branch", "--output=x", "HEAD:keys", "", "a b"] {
        let outcome = since(&folder, revision);
        assert_eq!(code(&outcome), 2, "{revision}");
        let said = outcome.messages.join(" ");
        assert!(said.contains("git"), "{said}");
    }
    assert!(!folder.path().join("x").exists());
    // Outside of any repository.
    let bare = tempfile::tempdir().unwrap();
    write(bare.path(), "cortexkey.yaml", policy().as_bytes());
    write(bare.path(), "keys/svc-abc.yaml", key("svc-abc").as_bytes());
    let outcome = since(&bare, "HEAD");
    assert_eq!(code(&outcome), 2, "{:?}", outcome.messages);
}
