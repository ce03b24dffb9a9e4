//! Replacing files on a real file system, with links, modes and reserved names.
#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use cortexkey_system::{Links, PendingFile, WriteError, WriteOptions, replace};

const PLAIN: WriteOptions<'static> = WriteOptions::new(Links::Refuse);

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn count(folder: &Path) -> usize {
    fs::read_dir(folder).unwrap().count()
}

#[test]
fn a_file_is_replaced_whole_and_keeps_its_mode() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    for kept in [0o600, 0o640, 0o644, 0o755, 0o400] {
        let _ = fs::remove_file(&path);
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(kept)).unwrap();
        for how in [PLAIN, PLAIN.private(), PLAIN.durable()] {
            replace(&path, b"new", how).unwrap();
            assert_eq!((fs::read(&path).unwrap(), mode(&path)), (b"new".to_vec(), kept));
        }
    }
    assert_eq!(count(folder.path()), 1);
}

#[test]
fn a_new_file_has_the_mode_of_the_umask_or_is_private() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("plain"), "").unwrap();
    let a = folder.path().join("a");
    let b = folder.path().join("b");
    replace(&a, b"", PLAIN).unwrap();
    replace(&b, b"", PLAIN.private()).unwrap();
    assert_eq!(mode(&a), mode(&folder.path().join("plain")));
    assert_eq!(mode(&b), 0o600);
}

#[test]
fn an_old_reader_keeps_the_old_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "old").unwrap();
    let open = fs::File::open(&path).unwrap();
    replace(&path, b"new and longer", PLAIN).unwrap();
    assert_eq!(std::io::read_to_string(open).unwrap(), "old");
    // A hard link to the file is not written through either.
    fs::hard_link(&path, folder.path().join("b")).unwrap();
    replace(&path, b"third", PLAIN).unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("b")).unwrap(), "new and longer");
}

#[test]
fn links_are_refused_replaced_or_followed_as_requested() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    let link = folder.path().join("link");
    let set = || {
        let _ = fs::remove_file(&link);
        fs::write(&file, "old").unwrap();
        symlink("file", &link).unwrap();
    };
    set();
    assert!(matches!(replace(&link, b"new", PLAIN), Err(WriteError::Link { .. })));
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");

    replace(&link, b"new", WriteOptions::new(Links::Follow)).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&file).unwrap(), "new");

    set();
    replace(&link, b"new", WriteOptions::new(Links::Replace)).unwrap();
    assert!(link.symlink_metadata().unwrap().is_file());
    assert_eq!(fs::read_to_string(&file).unwrap(), "old");

    // A dangling link does not create its target.
    fs::remove_file(&file).unwrap();
    fs::remove_file(&link).unwrap();
    symlink("file", &link).unwrap();
    assert!(replace(&link, b"new", WriteOptions::new(Links::Follow)).is_err());
    assert!(!file.exists());
}

#[test]
fn folder_containment_resolves_every_link() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("root");
    let outside = folder.path().join("outside");
    fs::create_dir_all(root.join("keys")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("victim"), "old").unwrap();
    fs::write(root.join("keys/real"), "old").unwrap();
    symlink("../../outside/victim", root.join("keys/link")).unwrap();
    symlink("../outside", root.join("folder")).unwrap();
    symlink("keys/real", root.join("inside")).unwrap();
    symlink("root", folder.path().join("alias")).unwrap();
    let how = WriteOptions::new(Links::Within(&root));
    for path in ["keys/link", "folder/victim", "folder/new", "keys/../../outside/victim"] {
        let refused = replace(&root.join(path), b"new", how);
        assert!(matches!(refused, Err(WriteError::Outside { .. })), "{path}: {refused:?}");
    }
    assert_eq!(fs::read_to_string(outside.join("victim")).unwrap(), "old");
    assert_eq!(count(&outside), 1);
    for path in ["keys/real", "inside", "keys/new", "../alias/keys/real"] {
        replace(&root.join(path), path.as_bytes(), how).unwrap();
        assert_eq!(fs::read_to_string(root.join(path)).unwrap(), path);
    }
    assert!(root.join("inside").symlink_metadata().unwrap().is_symlink());
}

#[test]
fn only_regular_files_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("fifo");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &fifo,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RWXU,
        0,
    )
    .unwrap();
    fs::create_dir(folder.path().join("sub")).unwrap();
    let sub = folder.path().join("sub");
    for path in [fifo.as_path(), &sub, Path::new("/dev/null"), Path::new("/"), Path::new("..")] {
        for links in [Links::Refuse, Links::Replace, Links::Follow] {
            let refused = replace(path, b"new", WriteOptions::new(links));
            assert!(matches!(refused, Err(WriteError::NotAFile { .. })), "{path:?}: {refused:?}");
        }
    }
}

#[test]
#[cfg(target_os = "linux")]
fn an_open_file_is_not_replaced_through_proc() {
    use std::os::fd::AsRawFd as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("open");
    let link = folder.path().join("link");
    let open = fs::File::create(&path).unwrap();
    let proc = format!("/proc/self/fd/{}", open.as_raw_fd());
    symlink(&proc, &link).unwrap();
    for path in [Path::new(&proc), &link] {
        for links in [Links::Follow, Links::Within(Path::new("/"))] {
            let refused = replace(path, b"new", WriteOptions::new(links));
            assert!(matches!(refused, Err(WriteError::NotAFile { .. })), "{path:?}: {refused:?}");
        }
    }
    // A cycle of links is detected.
    symlink("b", folder.path().join("a")).unwrap();
    symlink("a", folder.path().join("b")).unwrap();
    assert!(replace(&folder.path().join("a"), b"new", WriteOptions::new(Links::Follow)).is_err());
    assert_eq!(fs::read(&path).unwrap(), b"");
}

#[test]
fn no_temporary_name_can_be_foreseen_and_none_is_left() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    let names: Vec<_> = (0..2)
        .map(|_| {
            let pending = PendingFile::begin(&path, PLAIN).unwrap();
            let entries = fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().file_name());
            let names: Vec<_> = entries.collect();
            assert_eq!(names.len(), 1);
            drop(pending);
            names
        })
        .collect();
    assert_ne!(names[0], names[1]);
    assert_eq!(count(folder.path()), 0);
    // The temporary file's name fits even for the longest possible name.
    replace(&folder.path().join("x".repeat(255)), b"", PLAIN).unwrap();
    assert!(replace(&folder.path().join("x".repeat(256)), b"", PLAIN).is_err());
    assert_eq!(count(folder.path()), 1);
}

#[test]
fn creating_never_replaces_what_came_meanwhile() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    let pending = PendingFile::begin(&path, PLAIN.private().durable()).unwrap();
    fs::write(&path, "somebody's").unwrap();
    assert!(matches!(pending.create(b"mine"), Err(WriteError::Exists { .. })));
    assert_eq!(fs::read_to_string(&path).unwrap(), "somebody's");

    let mut pending = PendingFile::begin(&path, PLAIN.private()).unwrap();
    pending.rename("other".as_ref());
    pending.create(b"mine").unwrap();
    assert_eq!(fs::read_to_string(folder.path().join("other")).unwrap(), "mine");
    assert_eq!(count(folder.path()), 2);
}

#[test]
fn a_missing_folder_is_an_error_with_its_cause() {
    let folder = tempfile::tempdir().unwrap();
    let error = replace(&folder.path().join("no/such"), b"", PLAIN).unwrap_err();
    let cause = core::error::Error::source(&error).unwrap();
    assert_eq!(
        cause.downcast_ref::<std::io::Error>().unwrap().kind(),
        std::io::ErrorKind::NotFound
    );
}

#[test]
fn root_keeps_the_owner() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a");
    fs::write(&path, "old").unwrap();
    // Only root can give a file away; for others there is nothing to keep.
    if std::os::unix::fs::chown(&path, Some(12345), Some(12346)).is_err() {
        return;
    }
    replace(&path, b"new", PLAIN).unwrap();
    let about = fs::metadata(&path).unwrap();
    assert_eq!((about.uid(), about.gid()), (12345, 12346));
}

#[test]
fn only_files_of_killed_processes_are_removed() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let left = at(".cortexkey-0123456789abcdEF");
    let others = [".cortexkey-short", ".cortexkey-0123456789abcde-", ".svc.cortexkey-tenant", "a"];
    for name in others {
        fs::write(at(name), "somebody's").unwrap();
    }
    symlink("a", at(".cortexkey-aaaaaaaaaaaaaaaa")).unwrap();
    fs::create_dir(at(".cortexkey-bbbbbbbbbbbbbbbb")).unwrap();
    fs::write(&left, "a key").unwrap();
    // A write without a secret does not search for leftover files.
    replace(&at("b"), b"", PLAIN).unwrap();
    assert!(left.exists());

    // Another write that is still in progress.
    let pending = PendingFile::begin(&at("c"), PLAIN.private()).unwrap();
    assert!(!left.exists());
    replace(&at("d"), b"", PLAIN.private()).unwrap();
    pending.create(b"c").unwrap();
    assert_eq!(fs::read(at("c")).unwrap(), b"c");
    for name in others {
        assert_eq!(fs::read_to_string(at(name)).unwrap(), "somebody's", "{name}");
    }
    assert_eq!(count(folder.path()), others.len() + 2 + 3);
}

#[test]
fn writes_to_one_folder_at_a_time_are_in_no_others_way() {
    let folder = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for thread in 0..4 {
            let path = folder.path().join(format!("{thread}"));
            scope.spawn(move || {
                for round in 0..200 {
                    replace(&path, format!("{round}").as_bytes(), PLAIN.private()).unwrap();
                }
            });
        }
    });
    assert_eq!(count(folder.path()), 4);
}
