//! Remote policies: what `policy update` fetches, and which copies the linter accepts.

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use sha2::{Digest as _, Sha256};

use crate::common::{Ran, cortexkey, finish};

const BASE: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: base }\n\
    extends: [builtin:minimal, ../shared/more.yaml]\n";
const MORE: &str = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: more }\n\
    keys: [\"x/*.yaml\"]\ntests: [\"t/*.yaml\"]\n\
    rules: { expiry-too-long: { enabled: true, severity: error, max: 10d } }\n";
const KEY: &str = "apiVersion: cortexkey/v1\nkind: ApiKey\n\
    metadata: { name: svc-export-prod, owner: team-a, tenant: prod-eu }\n\
    spec:\n  securityLevel: advanced\n  roles: [Viewer]\n  lifetime: 90d\n";

/// A repository with keys, and next to it one with policies.
struct World {
    folder: tempfile::TempDir,
}

fn git(folder: &Path, args: &[&str]) -> String {
    let mut command = Command::new("git");
    command.args(["-c", "user.name=t", "-c", "user.email=t@example.com"]).args(args);
    command.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    let output = command.current_dir(folder).output().unwrap();
    assert!(output.status.success(), "{args:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

impl World {
    fn new() -> Self {
        let world = Self { folder: tempfile::tempdir().unwrap() };
        for name in ["policies/shared", "policies/team", "keys/keys"] {
            fs::create_dir_all(world.path(name)).unwrap();
        }
        git(&world.path("policies"), &["init", "--quiet"]);
        git(&world.path("keys"), &["init", "--quiet"]);
        world.write("policies/team/base.yaml", BASE);
        world.write("policies/shared/more.yaml", MORE);
        world.write("keys/keys/a.yaml", KEY);
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    fn commit(&self) -> String {
        git(&self.path("policies"), &["add", "--all"]);
        git(&self.path("policies"), &["commit", "--quiet", "-m", "x"]);
        git(&self.path("policies"), &["rev-parse", "HEAD"])
    }

    /// The policy of the keys, which extends this.
    fn extend(&self, parent: &str) {
        let policy = format!(
            "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: {{ name: keys }}\n\
             extends:\n  - {parent}\nkeys: [\"keys/*.yaml\"]\n\
             tenants: {{ prod-eu: {{ product: xsiam }} }}\n"
        );
        self.write("keys/cortexkey.yaml", &policy);
    }

    fn at(&self, rev: &str, path: &str) -> String {
        let url = format!("file://{}", self.path("policies").display());
        format!("{{ git: \"{url}\", rev: \"{rev}\", path: {path} }}")
    }

    fn run(&self, args: &[&str]) -> Ran {
        let mut command = cortexkey(args);
        command.current_dir(self.path("keys")).env("HOME", self.folder.path());
        finish(command.env("GIT_CONFIG_NOSYSTEM", "1"))
    }

    fn lint(&self) -> Ran {
        self.run(&["lint", "--format", "concise", "--now", "2026-01-01T00:00:00Z"])
    }

    /// All copies and their lock.
    fn copies(&self) -> Vec<(PathBuf, Vec<u8>)> {
        let mut found = Vec::new();
        let mut open = vec![self.path("keys/.cortexkey")];
        while let Some(at) = open.pop() {
            for entry in fs::read_dir(at).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    open.push(path);
                } else if !path.ends_with(".gitattributes") {
                    found.push((path.clone(), fs::read(path).unwrap()));
                }
            }
        }
        found.sort();
        found
    }
}

#[test]
fn a_policy_of_another_repository_governs_keys_here() {
    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    let ran = world.lint();
    assert!(ran.code == 2 && ran.stdout.contains("policies.lock"), "{ran:?}");
    assert_eq!(world.run(&["policy", "update", "--check"]).code, 1);

    let ran = world.run(&["policy", "update", "--format", "json"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    let printed: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    assert_eq!(printed["policies"].as_array().unwrap().len(), 2, "{printed}");
    // The policy that the fetched one extends is in force, without the network.
    fs::rename(world.path("policies"), world.path("gone")).unwrap();
    let ran = world.lint();
    assert!(ran.code == 1 && ran.stdout.contains("expiry-too-long"), "{ran:?}");
    assert!(!ran.stdout.contains("X002"), "{ran:?}");
    assert_eq!(world.run(&["policy", "update", "--check"]).code, 0);
    let before = world.copies();
    assert_eq!(before.len(), 3);
    let ran = world.run(&["policy", "update"]);
    assert!(ran.code == 0 && ran.stdout.contains("unchanged"), "{ran:?}");
    assert_eq!(world.copies(), before);
    // The lock is one that other tools read.
    let check = ["--check", "--strict", "policies.lock"];
    let mut sums = Command::new("sha256sum");
    let output = sums.args(check).current_dir(world.path("keys/.cortexkey")).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

#[test]
fn a_copy_that_is_missing_changed_or_stale_stops_linting() {
    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    let copies = world.copies();
    for (path, bytes) in &copies {
        fs::write(path, [&bytes[..], b"# x\n"].concat()).unwrap();
        let ran = world.lint();
        let is_lock = path.ends_with("policies.lock");
        assert_eq!(ran.code == 2, !is_lock, "{}: {ran:?}", path.display());
        fs::remove_file(path).unwrap();
        let ran = world.lint();
        assert_eq!(ran.code, 2, "{}: {ran:?}", path.display());
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(world.lint().code, 1);
    let digit = if rev.starts_with('0') { "1" } else { "0" };
    world.extend(&world.at(&rev.replace(&rev[..1], digit), "team/base.yaml"));
    let ran = world.lint();
    assert!(ran.code == 2 && ran.stdout.contains("[S004 "), "{ran:?}");
    // A commit that does not exist changes nothing.
    let ran = world.run(&["policy", "update"]);
    assert_eq!((ran.code, world.copies()), (1, copies), "{ran:?}");
}

#[test]
fn a_new_revision_is_fetched_and_the_old_one_pruned_on_request() {
    let world = World::new();
    let first = world.commit();
    world.extend(&world.at(&first, "team/base.yaml"));
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    world.write("policies/shared/more.yaml", &MORE.replace("10d", "180d"));
    let second = world.commit();
    world.extend(&world.at(&second, "team/base.yaml"));
    assert_eq!(world.lint().code, 2);
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    assert_eq!((world.lint().code, world.copies().len()), (0, 5));
    assert_eq!(world.run(&["policy", "update", "--prune"]).code, 0);
    assert_eq!((world.lint().code, world.copies().len()), (0, 3));
}

#[test]
fn forbidden_repository_features_are_refused() {
    let world = World::new();
    world.write("policies/team/out.yaml", &BASE.replace("../shared/more.yaml", "../../../x.yaml"));
    world.write("policies/team/paths.yaml", &BASE.replace("builtin:minimal, ../shared/more.yaml", "builtin:minimal").replace(
        "metadata",
        "rules: { expiry-too-long: { overrides: [{ match: { path: a }, enabled: false }] } }\nmetadata",
    ));
    world.write("policies/team/bad.yaml", "not: a policy\n");
    std::os::unix::fs::symlink("/etc/passwd", world.path("policies/team/link.yaml")).unwrap();
    world.write("policies/team/large.yaml", &format!("{BASE}# {}\n", "x".repeat(3 << 20)));
    let rev = world.commit();
    for (path, code) in [
        ("team/out.yaml", 2),
        ("team/bad.yaml", 2),
        ("team/link.yaml", 1),
        ("team/large.yaml", 1),
        ("team", 1),
        ("team/none.yaml", 1),
    ] {
        world.extend(&world.at(&rev, path));
        let ran = world.run(&["policy", "update"]);
        assert_eq!((ran.code, world.copies()), (code, Vec::new()), "{path}: {ran:?}");
    }
    world.extend(&world.at(&rev, "team/paths.yaml"));
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    let ran = world.lint();
    assert!(ran.code == 2 && ran.stdout.contains("[S004 "), "{ran:?}");
    for parent in [
        "https://example.com/policy.yaml".to_owned(),
        "{ git: \"https://example.com/x\", rev: main, path: a.yaml }".to_owned(),
        "{ git: \"ext::sh -c id\", rev: 0123456789abcdef0123456789abcdef01234567, path: a }"
            .to_owned(),
        "oci://ghcr.io/acme/policy:latest".to_owned(),
        "{ git: \"https://example.com/x\", rev: 0123456789abcdef0123456789abcdef01234567 }"
            .to_owned(),
    ] {
        world.extend(&parent);
        assert_eq!(world.run(&["policy", "update"]).code, 2, "{parent}");
        assert_eq!(world.lint().code, 2, "{parent}");
    }
}

#[test]
fn git_hooks_and_settings_have_no_effect() {
    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    // Neither those of the repository here, nor variables that lead to another one.
    let hook = world.path("keys/.git/hooks/reference-transaction");
    fs::create_dir_all(hook.parent().unwrap()).unwrap();
    fs::write(&hook, format!("#!/bin/sh\ntouch {}\n", world.path("ran").display())).unwrap();
    fs::set_permissions(&hook, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let mut command = cortexkey(&["policy", "update"]);
    command.current_dir(world.path("keys")).env("HOME", world.folder.path());
    command.env("GIT_DIR", world.path("keys/.git")).env("GIT_ALLOW_PROTOCOL", "ext");
    let ran = finish(&mut command);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(!world.path("ran").exists());
    assert!(git(&world.path("keys"), &["count-objects"]).starts_with("0 objects"));
}

/// All files below a folder except those of git, with their bytes; links are not followed.
fn files(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(at) = open.pop() {
        for entry in fs::read_dir(at).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            if kind.is_dir() {
                open.push(entry.path());
            } else if kind.is_file() {
                found.push((entry.path(), fs::read(entry.path()).unwrap()));
            }
        }
    }
    found.sort();
    found
}

const MODES: [&[&str]; 4] = [&[], &["--prune"], &["--check"], &["--verify"]];

#[test]
fn links_in_the_copies_folder_are_errors() {
    use std::os::unix::fs::symlink;

    let places = [
        (".cortexkey", ".."),
        (".cortexkey", "keys"),
        (".cortexkey/policies", ".."),
        (".cortexkey/policies", "../../outside"),
        (".cortexkey/policies", "/nowhere/at/all"),
        (".cortexkey/policies/git", "../../../outside"),
        (".cortexkey/policies.lock", "../cortexkey.yaml"),
        (".cortexkey/policies.lock", "/dev/zero"),
    ];
    for (link, target) in places {
        let world = World::new();
        let rev = world.commit();
        world.extend(&world.at(&rev, "team/base.yaml"));
        fs::create_dir(world.path("outside")).unwrap();
        world.write("outside/other.policy", "x");
        let link = world.path("keys").join(link);
        fs::create_dir_all(link.parent().unwrap()).unwrap();
        symlink(target, &link).unwrap();
        let before = files(world.folder.path());
        for mode in MODES {
            let ran = world.run(&[&["policy", "update"], mode].concat());
            assert_eq!(ran.code, 2, "{} -> {target} {mode:?}: {ran:?}", link.display());
            assert_eq!(files(world.folder.path()), before, "{} {mode:?}", link.display());
            assert!(link.symlink_metadata().unwrap().is_symlink());
        }
    }
}

#[test]
fn a_copy_or_lock_that_is_no_file_is_never_read() {
    use std::os::unix::fs::symlink;

    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    let copies = world.copies();
    for (path, bytes) in &copies {
        let is_lock = path.ends_with("policies.lock");
        fs::remove_file(path).unwrap();
        // Also a link to the right bytes, within the repository.
        let moved = world.path("keys/moved");
        fs::write(&moved, bytes).unwrap();
        for target in [Path::new("/dev/zero"), &moved] {
            symlink(target, path).unwrap();
            for mode in MODES {
                let ran = world.run(&[&["policy", "update"], mode].concat());
                assert_eq!(ran.code, 2, "{} {mode:?}: {ran:?}", path.display());
            }
            fs::remove_file(path).unwrap();
        }
        assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
        for mode in MODES {
            let ran = world.run(&[&["policy", "update"], mode].concat());
            let code = if is_lock { 2 } else { 1 };
            assert_eq!(ran.code, code, "{} {mode:?}: {ran:?}", path.display());
        }
        fs::remove_file(path).unwrap();
        // Larger than any policy or lock.
        fs::File::create(path).unwrap().set_len(64 << 20).unwrap();
        assert_eq!(world.run(&["policy", "update", "--check"]).code, if is_lock { 2 } else { 1 });
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(world.run(&["policy", "update", "--check"]).code, 0);
}

#[test]
fn a_policy_outside_the_repository_gets_no_copies() {
    use std::os::unix::fs::symlink;

    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    fs::create_dir(world.path("outside")).unwrap();
    let policy = fs::read_to_string(world.path("keys/cortexkey.yaml")).unwrap();
    world.write("outside/x.yaml", &policy);
    symlink("../outside", world.path("keys/linked")).unwrap();
    world.write("keys/inner.yaml", &policy);
    symlink("../keys/inner.yaml", world.path("outside/back.yaml")).unwrap();
    for parent in ["../outside/x.yaml", "linked/x.yaml", "linked/back.yaml"] {
        world.extend(parent);
        let before = files(world.folder.path());
        let ran = world.run(&["policy", "update"]);
        assert_eq!(ran.code, 2, "{parent}: {ran:?}");
        assert_eq!(files(world.folder.path()), before, "{parent}");
    }
    // A submodule belongs to the repository that the command runs in.
    world.extend(&world.at(&rev, "team/base.yaml"));
    fs::create_dir(world.path("keys/sub")).unwrap();
    git(&world.path("keys/sub"), &["init", "--quiet"]);
    let child = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: sub }\n\
                 extends: [../cortexkey.yaml]\n";
    world.write("keys/sub/cortexkey.yaml", child);
    let ran = world.run(&["policy", "update", "--policy", "sub/cortexkey.yaml"]);
    assert!(ran.code == 0 && !world.copies().is_empty(), "{ran:?}");
}

#[test]
fn a_copy_and_its_lock_edited_together_fail_verification() {
    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    // Nothing is there yet.
    assert_eq!(world.run(&["policy", "update", "--verify"]).code, 1);
    assert!(world.copies().is_empty());
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    assert_eq!(world.run(&["policy", "update", "--verify"]).code, 0);

    let copies = world.copies();
    let more = copies.iter().find(|(path, _)| path.ends_with("shared/more.yaml.policy")).unwrap();
    let edited = String::from_utf8(more.1.clone()).unwrap().replace("10d", "900d");
    let lock = world.path("keys/.cortexkey/policies.lock");
    let text = fs::read_to_string(&lock).unwrap();
    fs::write(&lock, text.replace(&sha256(&more.1), &sha256(edited.as_bytes()))).unwrap();
    fs::write(&more.0, &edited).unwrap();
    assert_eq!(world.run(&["policy", "update", "--check"]).code, 0);
    let before = world.copies();
    let ran = world.run(&["policy", "update", "--verify", "--format", "json"]);
    assert_eq!(ran.code, 1, "{ran:?}");
    let printed: serde_json::Value = serde_json::from_str(&ran.stdout).unwrap();
    let different = printed["different"].as_array().unwrap();
    assert!(different.len() == 1 && different[0].as_str().unwrap().ends_with("shared/more.yaml"));
    assert_eq!(world.copies(), before);

    // An unreachable source is an error.
    for (path, bytes) in &copies {
        fs::write(path, bytes).unwrap();
    }
    assert_eq!(world.run(&["policy", "update", "--verify"]).code, 0);
    fs::rename(world.path("policies"), world.path("gone")).unwrap();
    assert_eq!(world.run(&["policy", "update", "--verify"]).code, 1);
}

/// As on Windows, where git writes CR LF unless told otherwise.
#[test]
fn a_checkout_with_other_line_endings_does_not_change_the_copies() {
    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    git(&world.path("keys"), &["add", "--all"]);
    git(&world.path("keys"), &["commit", "--quiet", "-m", "x"]);
    let clone = ["-c", "core.autocrlf=true", "clone", "--quiet", "keys", "clone"];
    git(world.folder.path(), &clone);
    let policy = fs::read_to_string(world.path("clone/cortexkey.yaml")).unwrap();
    assert!(policy.contains("\r\n"), "{policy:?}");
    for (path, bytes) in world.copies() {
        let name = path.strip_prefix(world.path("keys")).unwrap();
        assert_eq!(fs::read(world.path("clone").join(name)).unwrap(), bytes, "{name:?}");
    }
    // Attributes that are there stay.
    world.write("keys/.cortexkey/.gitattributes", "* text\n");
    fs::remove_file(world.path("keys/.cortexkey/policies.lock")).unwrap();
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    let attributes = fs::read_to_string(world.path("keys/.cortexkey/.gitattributes")).unwrap();
    assert_eq!(attributes, "* text\n");
}

#[test]
fn pruning_removes_only_unused_copies() {
    let world = World::new();
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    world.write("keys/.cortexkey/policies/README.md", "x");
    world.extend("builtin:minimal");
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    assert_eq!(world.copies().len(), 4);
    assert_eq!(world.run(&["policy", "update", "--prune"]).code, 0);
    let names: Vec<_> = world.copies().into_iter().map(|(path, _)| path).collect();
    assert_eq!(names, [world.path("keys/.cortexkey/policies/README.md")]);
    assert!(!world.path("keys/.cortexkey/policies/git").exists());
    assert!(!world.path("keys/.cortexkey/.gitattributes").exists());
    fs::remove_dir_all(world.path("keys/.cortexkey")).unwrap();
    assert_eq!(world.run(&["policy", "update", "--prune"]).code, 0);
    let ran = world.run(&["policy", "update", "--policy", "builtin:strict"]);
    assert_eq!(ran.code, 2, "{ran:?}");
    wording!(ran.stderr);
}

/// A registry on loopback with one artifact. It asks for a token and redirects to its storage.
struct Registry {
    port: u16,
    logins: Arc<AtomicUsize>,
}

fn sha256(bytes: &[u8]) -> String {
    let hex: Vec<String> = Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    hex.concat()
}

fn manifest(layer: &[u8]) -> String {
    let digest = sha256(layer);
    format!(
        "{{\"schemaVersion\":2,\"layers\":[{{\"digest\":\"sha256:{digest}\",\"size\":{}}}]}}",
        layer.len()
    )
}

impl Registry {
    fn start(manifest: String, layer: Vec<u8>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let logins = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&logins);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                answer(stream.unwrap(), port, &manifest, &layer, &counted);
            }
        });
        Self { port, logins }
    }
}

fn answer(mut stream: TcpStream, port: u16, manifest: &str, layer: &[u8], logins: &AtomicUsize) {
    let mut lines = BufReader::new(stream.try_clone().unwrap()).lines().map_while(Result::ok);
    let Some(first) = lines.next() else { return };
    let head: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    let path = first.split(' ').nth(1).unwrap().to_owned();
    let has = |text: &str| head.iter().any(|line| line.eq_ignore_ascii_case(text));
    let (status, extra, body) = if path
        .starts_with("/token?service=s&scope=repository:acme/policy:pull")
    {
        logins.fetch_add(1, Ordering::SeqCst);
        (200, String::new(), b"{\"token\":\"t0ken\"}".to_vec())
    } else if path.starts_with("/storage/") {
        let is_clean = !head.iter().any(|line| line.to_lowercase().starts_with("authorization"));
        (if is_clean { 200 } else { 400 }, String::new(), layer.to_vec())
    } else if !has("authorization: Bearer t0ken") {
        let realm = format!("http://127.0.0.1:{port}/token");
        let asked = format!("www-authenticate: Bearer realm=\"{realm}\",service=\"s\"\r\n");
        (401, asked, Vec::new())
    } else if path.starts_with("/v2/acme/policy/manifests/") {
        (200, String::new(), manifest.as_bytes().to_vec())
    } else {
        let to = format!("location: http://127.0.0.1:{port}/storage/x?sig=1\r\n");
        (307, to, Vec::new())
    };
    let head = format!(
        "HTTP/1.1 {status} X\r\n{extra}content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(&[head.as_bytes(), &body].concat());
}

#[test]
fn an_artifact_of_a_registry_is_fetched_by_its_digest() {
    let world = World::new();
    let manifest = manifest(MORE.as_bytes());
    let registry = Registry::start(manifest.clone(), MORE.as_bytes().to_vec());
    let url =
        |digest: &str| format!("oci://127.0.0.1:{}/acme/policy@sha256:{digest}", registry.port);
    world.extend(&format!("\"{}\"", url(&sha256(manifest.as_bytes()))));
    let ran = world.run(&["policy", "update"]);
    assert_eq!(ran.code, 0, "{ran:?}");
    assert!(registry.logins.load(Ordering::SeqCst) > 0);
    let ran = world.lint();
    assert!(ran.code == 1 && ran.stdout.contains("expiry-too-long"), "{ran:?}");

    // A digest other than that of the registry's response.
    let before = world.copies();
    world.extend(&format!("\"{}\"", url(&"0".repeat(64))));
    let ran = world.run(&["policy", "update"]);
    assert!(ran.code == 1 && ran.stderr.contains("digest"), "{ran:?}");
    assert_eq!(world.copies(), before);
    world.extend("\"oci://127.0.0.1:1/acme/policy@sha256:0000000000000000000000000000000000000000000000000000000000000000\"");
    let ran = world.run(&["policy", "update"]);
    assert!(ran.code == 1 && !ran.stderr.contains("tenant"), "{ran:?}");
}

#[test]
fn a_layer_with_other_bytes_or_a_second_layer_is_refused() {
    let manifest = manifest(MORE.as_bytes());
    let two = manifest.replace("}]}", "},{}]}");
    for (manifest, layer) in [(manifest, b"other".to_vec()), (two, MORE.as_bytes().to_vec())] {
        let world = World::new();
        let digest = sha256(manifest.as_bytes());
        let registry = Registry::start(manifest, layer);
        let parent = format!("oci://127.0.0.1:{}/acme/policy@sha256:{digest}", registry.port);
        world.extend(&format!("\"{parent}\""));
        let ran = world.run(&["policy", "update"]);
        assert_eq!((ran.code, world.copies()), (1, Vec::new()), "{ran:?}");
    }
}

#[test]
fn a_waiver_is_not_written_into_the_copy_of_a_remote_policy() {
    let world = World::new();
    let locked = MORE.replace("severity: error,", "severity: error, locked: true,");
    world.write("policies/shared/more.yaml", &locked);
    let rev = world.commit();
    world.extend(&world.at(&rev, "team/base.yaml"));
    assert_eq!(world.run(&["policy", "update"]).code, 0);
    let before = world.copies();
    let own = fs::read(world.path("keys/cortexkey.yaml")).unwrap();
    let waive = ["waive", "svc-export-prod", "expiry-too-long", "--reason", "SEC-7"];
    let more = ["--until", "2026-06-30", "--approved-by", "ciso", "--now", "2026-01-01"];
    let ran = world.run(&[&waive[..], &more].concat());
    assert_eq!(ran.code, 2, "{ran:?}");
    assert_eq!(world.copies(), before);
    assert_eq!(fs::read(world.path("keys/cortexkey.yaml")).unwrap(), own);
    wording!(ran.stderr);
}
