//! No name, mistake, encoding or link, and no way of passing a file, hides a definition.

use std::fs;
use std::path::Path;

use cortexkey_lint::Timestamp;
use cortexkey_lint::files::{DefinitionFiles, Options, RunOutcome, run};
use tempfile::TempDir;

use crate::common::{HEAD, code, commit, folder, found, key, lint, repository, write};

fn policy() -> String {
    format!("{HEAD}keys: ['keys/**/*.yaml']\n")
}

fn own() -> TempDir {
    repository(&[("cortexkey.yaml", &policy()), ("keys/a.yaml", &key("a"))])
}

/// Whether the run reports these files, and nothing else, as definitions outside the corpus.
fn reports(outcome: &RunOutcome, paths: &[&str]) {
    let lines = found(outcome);
    assert_eq!((code(outcome), lines.len()), (1, paths.len()), "{lines:?} {:?}", outcome.messages);
    for (line, path) in lines.iter().zip(paths) {
        assert!(line.starts_with(&format!("{path}:")) && line.contains("S007"), "{lines:?}");
    }
}

fn utf16(text: &str, mark: &[u8], order: fn(u16) -> [u8; 2]) -> Vec<u8> {
    [mark, &text.encode_utf16().flat_map(order).collect::<Vec<_>>()].concat()
}

fn utf32(text: &str, order: fn(u32) -> [u8; 4]) -> Vec<u8> {
    text.chars().flat_map(|c| order(c.into())).collect()
}

/// A definition in spellings that some reader of YAML accepts.
fn spellings(name: &str) -> Vec<Vec<u8>> {
    let text = key(name);
    let folded = text.replacen("cortexkey/v1", "\"cort\\\n  exkey/v1\"", 1);
    let octets = text.replacen("cortexkey/v1", "\"\\x63\\u006frtexkey\\/v1\"", 1);
    vec![
        utf16(&text, &[0xff, 0xfe], u16::to_le_bytes),
        utf16(&text, &[0xfe, 0xff], u16::to_be_bytes),
        utf16(&text, &[], u16::to_le_bytes),
        utf16(&folded, &[0xff, 0xfe], u16::to_le_bytes),
        utf32(&text, u32::to_le_bytes),
        utf32(&text, u32::to_be_bytes),
        folded.into_bytes(),
        octets.into_bytes(),
    ]
}

#[test]
fn a_mistake_hides_no_definition() {
    let folder = own();
    let mistakes: [(&str, &[u8]); 15] = [
        ("", b"x: &a 1\n"),
        ("", b"kind: ApiKey\n"),
        ("", b"kind: Policy\n"),
        ("", b"x: !r 1\n"),
        ("", b"<<: { a: b }\n"),
        ("", b"x:\n\ty: 1\n"),
        ("", b"x: a\xc2\x85b\n"),
        ("", b"x: \x07\n"),
        ("", b"x: \0\n"),
        ("", b"x: \xff\n"),
        ("%FOO\n---\n", b""),
        ("%YAML 3.1\n---\n", b""),
        ("", b"---\na: [\n"),
        ("", b"x: [\n"),
        ("{{ if .Values.x }}\n", b"{{ end }}\n"),
    ];
    for path in ["keys/b.txt", "keys/b", "keys/b.yaml.off"] {
        for (before, after) in mistakes {
            let text = [before.as_bytes(), key("b").as_bytes(), after].concat();
            write(folder.path(), path, &text);
            for paths in [&[][..], &[path]] {
                reports(&lint(&folder, paths), &[path]);
            }
        }
        fs::remove_file(folder.path().join(path)).unwrap();
    }
    // Elsewhere a file is searched if it is given.
    write(folder.path(), "b.txt", format!("{}x: [\n", key("b")).as_bytes());
    assert_eq!(code(&lint(&folder, &[])), 0);
    reports(&lint(&folder, &["b.txt"]), &["b.txt"]);
}

#[test]
fn a_spelling_hides_no_definition() {
    let own = own();
    let without_policy = folder(&[]);
    for bytes in spellings("b") {
        for path in ["keys/b.off", "other/b.yaml"] {
            write(own.path(), path, &bytes);
            for paths in [&[][..], &[path]] {
                reports(&lint(&own, paths), &[path]);
            }
            fs::remove_file(own.path().join(path)).unwrap();
        }
        // Without a policy, it is a file of the corpus.
        write(without_policy.path(), "k.txt", &bytes);
        let outcome = lint(&without_policy, &["k.txt"]);
        assert_eq!(outcome.report.as_ref().unwrap().summary.files, 1, "{bytes:?}");
    }
}

#[test]
fn a_renamed_definition_is_found_alone_in_its_folder() {
    for name in ["b.txt", "b.yam", "b.yaml~", "b.yaml.off", "b.yaml.j2", "b", "deep/b.YAML.bak"] {
        let folder = own();
        let path = format!("keys/prod/{name}");
        write(folder.path(), &path, key("b").as_bytes());
        for paths in [&[][..], &["."], &["keys"], &["keys/prod"], &[&path]] {
            reports(&lint(&folder, paths), &[&path]);
        }
        commit(folder.path());
        crate::common::git(
            folder.path(),
            &["sparse-checkout", "set", "--no-cone", "/*", "!/keys/prod"],
        );
        reports(&lint(&folder, &[]), &[&path]);
    }
    // A large one is found too.
    let folder = own();
    let large = format!("# {}\n{}", "x".repeat(3 << 20), key("b"));
    write(folder.path(), "keys/prod/b.off", large.as_bytes());
    reports(&lint(&folder, &[]), &["keys/prod/b.off"]);
}

#[test]
fn files_without_definitions_stay_unreported() {
    let text = key("b");
    let binary =
        |size: usize| [b"\x7fELF\x02\x01\0\0".repeat(size), text.clone().into_bytes()].concat();
    let folder = repository(&[("cortexkey.yaml", &format!("{HEAD}keys: ['**/keys/*.yaml']\n"))]);
    let root = folder.path();
    write(root, "keys/a.yaml", key("a").as_bytes());
    write(root, "keys/README.md", format!("# Keys\n\n```yaml\n{text}---\n{text}```\n").as_bytes());
    write(
        root,
        "keys/new.sh",
        format!("#!/bin/sh\ncat > a <<EOF\n{text}---\n{text}EOF\n").as_bytes(),
    );
    write(
        root,
        "keys/test.py",
        format!("\"\"\"Tests: keys.\"\"\"\nKEY = '''\n{text}'''\n").as_bytes(),
    );
    write(root, "keys/cortexkey", &binary(1));
    write(root, "bin/cortexkey", &binary(1 << 18));
    write(
        root,
        "package-lock.json",
        b"{\"name\": \"x\", \"lockfileVersion\": 3, \"url\": \"https:\\/\\/x\"}\n",
    );
    write(root, "chart/Chart.yaml", b"apiVersion: v2\nname: x\nversion: 1.0.0\n");
    write(
        root,
        "chart/templates/pod.yaml",
        b"{{- if .Values.x }}\napiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n{{- end }}\n",
    );
    write(root, "chart/templates/_x.tpl", b"{{- define \"x\" }}\napiVersion: apps/v1\n{{ end }}\n");
    let indented = text.replace('\n', "\n    ");
    let map = format!("apiVersion: v1\nkind: ConfigMap\ndata:\n  key: |\n    {indented}\n");
    write(root, "k8s/map.yaml", map.as_bytes());
    write(root, "k8s/map.tpl", format!("{map}  x: [\n").as_bytes());
    for paths in [&[][..], &["."], &["keys", "bin", "chart"]] {
        let outcome = lint(&folder, paths);
        assert_eq!((code(&outcome), found(&outcome).len()), (0, 0), "{:?}", found(&outcome));
    }
}

#[cfg(unix)]
#[test]
fn a_link_is_searched_like_a_file_of_its_name() {
    use std::os::unix::fs::symlink;

    let outside = folder(&[("x", "outside-and-secret: [")]);
    let folder = own();
    let at = |path: &str| folder.path().join(path);
    write(folder.path(), "data/b.txt", key("b").as_bytes());
    assert_eq!(code(&lint(&folder, &[])), 0);
    for name in ["keys/b.yml", "other/b.json", "keys/b.off"] {
        fs::create_dir_all(at("other")).unwrap();
        symlink("../data/b.txt", at(name)).unwrap();
        for _ in ["not committed", "committed"] {
            for paths in [&[][..], &[name]] {
                reports(&lint(&folder, paths), &[name]);
            }
            commit(folder.path());
        }
        fs::remove_file(at(name)).unwrap();
    }
    // Two links to a file, or a link to a file of the corpus, are one file.
    symlink("../data/b.txt", at("keys/b.yml")).unwrap();
    symlink("../data/b.txt", at("keys/c.yml")).unwrap();
    symlink("a.yaml", at("keys/a.yml")).unwrap();
    reports(&lint(&folder, &[]), &["keys/b.yml"]);
    fs::remove_file(at("keys/b.yml")).unwrap();
    fs::remove_file(at("keys/c.yml")).unwrap();
    assert_eq!(code(&lint(&folder, &[])), 0);
    // What is outside is not read, and is an error where a definition may be.
    for (name, paths) in
        [("keys/b.yml", &[][..]), ("keys/b.yml", &["keys/b.yml"]), ("x.yml", &["x.yml"])]
    {
        symlink(outside.path().join("x"), at(name)).unwrap();
        let outcome = lint(&folder, paths);
        let lines = found(&outcome).join("\n");
        assert!(lines.starts_with(&format!("{name}:1:1: error[Y001")), "{paths:?} {lines}");
        assert!(code(&outcome) != 0 && !lines.contains("secret"), "{lines}");
        fs::remove_file(at(name)).unwrap();
    }
    symlink(outside.path().join("x"), at("x.yml")).unwrap();
    assert_eq!(code(&lint(&folder, &[])), 0);
}

fn piped(folder: &Path, name: &str, text: &str) -> RunOutcome {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut options = Options::new(folder, now);
    options.paths = vec!["-".into()];
    options.stdin_filename = Some(name.into());
    run(&options, &mut text.as_bytes())
}

#[test]
fn standard_input_is_searched_like_the_file_that_it_is_named_after() {
    let folder = own();
    for name in ["other/b.yaml", "keys/b.yml", "b.txt", "keys/b.off"] {
        reports(&piped(folder.path(), name, &key("b")), &[name]);
    }
    let outcome = piped(folder.path(), "k8s/pod.yaml", "apiVersion: v1\nkind: Pod\n");
    assert_eq!((code(&outcome), outcome.report.unwrap().summary.skipped), (0, 1));
    assert!(outcome.messages.join("\n").contains("k8s/pod.yaml"), "{:?}", outcome.messages);
    // A policy is checked as it is piped.
    assert_eq!(code(&piped(folder.path(), "cortexkey.yaml", &policy())), 0);
    let outcome = piped(folder.path(), "cortexkey.yaml", "kind: Policy\nmetadata: [\n");
    assert_eq!(code(&outcome), 2);
    let strict = format!("{}rules: {{ role-forbidden: {{ roles: [Viewer] }} }}\n", policy());
    let lines = found(&piped(folder.path(), "cortexkey.yaml", &strict)).join("\n");
    assert!(lines.contains("keys/a.yaml") && lines.contains("R002"), "{lines}");
    // One that no run would read is an error, not a pass.
    for name in ["cortexkey.lock", "deep/cortexkey.yaml", ".cortexkey.yaml"] {
        let outcome = piped(folder.path(), name, "kind: Policy\nmetadata: [\n");
        assert_eq!(code(&outcome), 2, "{name} {:?}", outcome.messages);
        assert!(outcome.help.is_some_and(|help| help.contains(name)), "{name}");
    }
}

#[test]
fn given_files_that_are_not_checked_are_named() {
    let guide = format!("# Keys\n\n```yaml\n{}```\n", key("b"));
    let files = [("README.md", guide.as_str()), ("notes", "cortexkey/v1"), ("a/b.json", "{}")];
    let own = own();
    let none = folder(&files);
    for (path, text) in files {
        write(own.path(), path, text.as_bytes());
    }
    write(none.path(), "x.png", b"\x89PNG\0\xff");
    for paths in [&["README.md"][..], &["notes", "README.md"], &["a/b.json"]] {
        let outcome = lint(&own, paths);
        let said = outcome.messages.join("\n");
        assert_eq!((code(&outcome), found(&outcome).len()), (0, 0), "{said}");
        assert!(paths.iter().all(|path| said.contains(path)), "{said}");
        // Without `keys` they are the corpus, and nothing could be read.
        let outcome = lint(&none, paths);
        let said = outcome.messages.join("\n");
        assert_eq!(code(&outcome), 3, "{said}");
        assert!(paths.iter().all(|path| said.contains(path)), "{said}");
    }
    assert_eq!(code(&lint(&none, &["x.png"])), 3);
    // If something was checked, the rest is still reported.
    let outcome = lint(&own, &["README.md", "keys/a.yaml"]);
    assert_eq!(code(&outcome), 0);
    assert!(outcome.messages.join("\n").contains("README.md"), "{:?}", outcome.messages);
}

/// Why the key `b` is kept, according to the repository.
fn kept(folder: &TempDir) -> bool {
    let now: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let options = Options::new(folder.path(), now);
    let policy = lint(folder, &[]).policy.unwrap();
    DefinitionFiles::find(&options, &policy).unwrap().why_kept("main", "b").is_some()
}

#[test]
fn no_spelling_hides_a_definition_that_git_has() {
    for (nth, bytes) in spellings("b").into_iter().enumerate() {
        let folder = own();
        assert!(!kept(&folder));
        write(folder.path(), "keys/b.off", &bytes);
        assert!(kept(&folder), "{nth}: in the work tree");
        commit(folder.path());
        fs::remove_file(folder.path().join("keys/b.off")).unwrap();
        assert!(kept(&folder), "{nth}: in the index");
        crate::common::git(folder.path(), &["rm", "-q", "--cached", "keys/b.off"]);
        assert!(kept(&folder), "{nth}: in HEAD");
        commit(folder.path());
        assert!(!kept(&folder), "{nth}");
    }
}
