//! Files on Windows: who may read them, and what happens while another program has them open.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use cortexkey_system::{
    Access, Links, Write, WriteError, hold, make_private, others_with, replace,
};

const PLAIN: Write<'static> = Write::new(Links::Refuse);

fn others(path: &Path, access: Access) -> Option<String> {
    others_with(&File::open(path).unwrap(), access).unwrap()
}

#[test]
fn a_private_file_is_the_users_alone_and_stays_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    replace(&path, b"one", PLAIN.private()).unwrap();
    assert_eq!(others(&path, Access::Read), None);
    replace(&path, b"two", PLAIN).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(others(&path, Access::Read), None);
    assert_eq!(others(&path, Access::Write), None);
}

#[test]
fn a_read_only_file_is_not_replaced_and_nothing_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "old").unwrap();
    let mut rights = fs::metadata(&path).unwrap().permissions();
    rights.set_readonly(true);
    fs::set_permissions(&path, rights.clone()).unwrap();
    let error = replace(&path, b"new", PLAIN).unwrap_err();
    assert!(matches!(error, WriteError::System { .. }), "{error}");
    assert_eq!(fs::read(&path).unwrap(), b"old");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    #[expect(clippy::permissions_set_readonly_false, reason = "on Windows it is an attribute")]
    rights.set_readonly(false);
    fs::set_permissions(&path, rights).unwrap();
}

#[test]
fn a_file_that_another_program_holds_is_waited_for_and_not_for_ever() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    fs::write(&path, "old").unwrap();
    let open = || OpenOptions::new().read(true).share_mode(1).open(&path).unwrap();
    let held = open();
    let release = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(50));
        drop(held);
    });
    replace(&path, b"new", PLAIN).unwrap();
    release.join().unwrap();
    let held = open();
    replace(&path, b"third", PLAIN).unwrap_err();
    drop(held);
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn one_process_holds_a_path_and_leaves_nothing() -> io::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("cortexkey.lock");
    let held = hold(&path)?;
    assert!(held.is_some());
    assert!(hold(&path)?.is_none());
    drop(held);
    assert!(hold(&path)?.is_some());
    assert_eq!(fs::read_dir(folder.path())?.count(), 0);
    Ok(())
}

#[test]
fn a_private_folder_hands_its_rights_on() {
    let folder = tempfile::tempdir().unwrap();
    let inner = folder.path().join("data");
    fs::create_dir(&inner).unwrap();
    make_private(&inner).unwrap();
    fs::write(inner.join("seal.key"), "x").unwrap();
    assert_eq!(others(&inner.join("seal.key"), Access::Read), None);
}
