//! Files on Windows: who can read them, and what happens while another program has them open.
#![cfg(windows)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::windows::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use cortexkey_system::{
    FileAccess, Links, PendingFile, WriteError, WriteOptions, hold, make_private, others_with,
    replace,
};
use tempfile::TempDir;
use windows_permissions::constants::{SeObjectType, SecurityInformation};
use windows_permissions::utilities::current_process_sid;
use windows_permissions::wrappers::{ConvertSidToStringSid, SetNamedSecurityInfo};
use windows_permissions::{LocalBox, SecurityDescriptor};

const FILE_FLAG_BACKUP_SEMANTICS: u32 = 0x0200_0000;
const ERROR_SHARING_VIOLATION: i32 = 32;
const PLAIN: WriteOptions<'static> = WriteOptions::new(Links::Refuse);

fn others(path: &Path, access: FileAccess) -> Option<String> {
    let mut open = OpenOptions::new();
    // Folders open with this flag alone.
    let file = open.read(true).custom_flags(FILE_FLAG_BACKUP_SEMANTICS).open(path).unwrap();
    others_with(&file, access).unwrap()
}

/// A folder in which no other account has access. wine copies the entries of a folder into the list of a file
/// in it, even if that list is protected.
fn folder_of_this_user() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    make_private(folder.path()).unwrap();
    assert_eq!(others(folder.path(), FileAccess::Read), None);
    folder
}

/// Whether the tests run under wine, which stores a file's list as its Unix mode.
fn skip_under_wine(reason: &str) -> bool {
    let under_wine = std::env::var_os("CORTEXKEY_UNDER_WINE").is_some();
    if under_wine {
        println!("skipped: {reason}");
    }
    under_wine
}

#[test]
fn a_private_file_stays_private() {
    let folder = folder_of_this_user();
    let path = folder.path().join("key");
    replace(&path, b"one", PLAIN.private()).unwrap();
    assert_eq!(others(&path, FileAccess::Read), None);
    replace(&path, b"two", PLAIN).unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"two");
    assert_eq!(others(&path, FileAccess::Read), None);
    assert_eq!(others(&path, FileAccess::Write), None);
}

#[test]
fn making_a_file_private_removes_access() {
    let folder = folder_of_this_user();
    let path = folder.path().join("key");
    fs::write(&path, "x").unwrap();
    grant_everyone(&path);
    assert_eq!(others(&path, FileAccess::Read).as_deref(), Some("Everyone"));
    assert_eq!(others(&path, FileAccess::Write), None);
    make_private(&path).unwrap();
    assert_eq!(others(&path, FileAccess::Read), None);
}

#[test]
fn a_private_file_inherits_nothing_from_a_shared_folder() {
    let folder = tempfile::tempdir().unwrap();
    grant_everyone(folder.path());
    assert_eq!(others(folder.path(), FileAccess::Read).as_deref(), Some("Everyone"));
    if skip_under_wine("SetNamedSecurityInfo of wine ignores that a list is protected") {
        return;
    }
    let path = folder.path().join("key");
    replace(&path, b"one", PLAIN.private()).unwrap();
    assert_eq!(others(&path, FileAccess::Read), None);
}

#[test]
fn no_program_can_open_a_file_that_is_not_in_place_yet() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let pending = PendingFile::begin(&path, PLAIN.private().durable()).unwrap();
    let temporary = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let error = File::open(&temporary).unwrap_err();
    assert_eq!(error.raw_os_error(), Some(ERROR_SHARING_VIOLATION));
    pending.create(b"one").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"one");
    // If it is dropped, the file is removed.
    drop(PendingFile::begin(&path, PLAIN).unwrap());
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Lets everyone read a file or folder, and what is created in it.
fn grant_everyone(path: &Path) {
    let user = current_process_sid().unwrap();
    let user = ConvertSidToStringSid(&*user).unwrap().into_string().unwrap();
    let list = format!("D:(A;OICI;FA;;;{user})(A;OICI;FR;;;WD)");
    let list: LocalBox<SecurityDescriptor> = list.parse().unwrap();
    let what = SecurityInformation::Dacl;
    SetNamedSecurityInfo(path, SeObjectType::SE_FILE_OBJECT, what, None, None, list.dacl(), None)
        .unwrap();
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
fn waiting_for_a_locked_file_times_out() {
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
fn a_path_lock_is_exclusive_and_leaves_no_file() -> io::Result<()> {
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
fn a_private_folder_passes_on_its_permissions() {
    let folder = folder_of_this_user();
    let inner = folder.path().join("data");
    fs::create_dir(&inner).unwrap();
    make_private(&inner).unwrap();
    assert_eq!(others(&inner, FileAccess::Read), None);
    if skip_under_wine("a new file under wine has the mode of the umask, whatever its folder") {
        return;
    }
    fs::write(inner.join("seal.key"), "x").unwrap();
    assert_eq!(others(&inner.join("seal.key"), FileAccess::Read), None);
}
