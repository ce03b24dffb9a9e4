//! `cortexkey quickstart` shows what it promises, whatever is installed, and leaves no files
//! behind.

use crate::common::{cortexkey, finish};

#[test]
fn it_shows_the_whole_path_and_leaves_nothing() {
    let temp = tempfile::tempdir().unwrap();
    let ran = finish(cortexkey(&["quickstart"]).env("TMPDIR", temp.path()));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    for shown in [
        "x-xdr-nonce: ",
        "200 accepted  \"true\"",
        "401 refused",
        "why: replayed",
        "L001",
        "level-standard-forbidden",
        "E003",
        "Try next",
    ] {
        assert!(ran.stdout.contains(shown), "{shown} is not in:\n{}", ran.stdout);
    }
    assert!(!ran.stdout.contains('\u{1b}'), "colours in a pipe");
    assert_eq!(std::fs::read_dir(temp.path()).unwrap().count(), 0);
}

#[test]
fn curl_is_optional() {
    let ran = finish(cortexkey(&["quickstart"]).env("PATH", "/nonexistent"));
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let about: Vec<&str> = ran.stdout.lines().filter(|line| line.contains("curl")).collect();
    wording!(about.join("\n"));
}
