//! [`Disk`]: the store's file. A change is acknowledged only once it is on disk.
//!
//! A second tenant on the same folder, files of other users and tampered rows are errors.

use core::cell::Cell;
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::path::{Path, PathBuf};
use std::sync::{Once, PoisonError, RwLock, RwLockReadGuard};

use redb::{Builder, Database, ReadableTableMetadata as _, TableDefinition};
use zeroize::Zeroizing;

use super::disk_error::{DiskError, FORMAT};
use super::private;
use super::reserve::Reserve;
use super::seal::Seal;
use crate::clock::SettableClock;

/// The number that stores how far a running clock is ahead of the machine's, in milliseconds.
const CLOCK_AHEAD: &str = "clock-ahead-ms";
/// The name of the file in the folder.
const FILE: &str = "tenant.redb";
/// Numbers by name.
const NUMBERS: TableDefinition<'_, &str, u64> = TableDefinition::new("numbers");
/// Sealed rows, by table and id.
const ROWS: TableDefinition<'_, (&str, u64), &[u8]> = TableDefinition::new("rows");

/// The contents of a row before it is sealed; wiped on drop.
pub(crate) type Row = Zeroizing<Vec<u8>>;

/// A change.
pub(super) enum Write {
    /// Writes a row.
    Row(&'static str, u64, Row),
    /// Deletes a row.
    NoRow(&'static str, u64),
    /// Writes a number.
    Number(&'static str, u64),
}

/// The store's file.
pub(crate) struct Disk {
    /// Present until it is dropped, or could not be reopened.
    database: RwLock<Option<Database>>,
    path: PathBuf,
    seal: Seal,
    reserve: Reserve,
}

impl Drop for Disk {
    fn drop(&mut self) {
        let database = self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take();
        // The library tidies the file up, and panics if it is damaged.
        let _ = quietly(|| drop(database));
    }
}

impl Disk {
    /// Opens the file of a folder, or creates both.
    pub(crate) fn open(folder: &Path) -> Result<Self, DiskError> {
        private::folder(folder)?;
        let path = folder.join(FILE);
        let database = match private::open(&path)? {
            Some(file) => existing(file, &path)?,
            // A file that contains keys is never mistaken for one that was not created yet.
            None if Seal::has_file(folder) => return Err(DiskError::Missing(path)),
            None => new(folder, &path)?,
        };
        let seal = Seal::open(folder, is_empty(&database)?)?;
        let reserve = Reserve::new(folder);
        // Without it, a full disk is noticed when a key is generated.
        let _ = reserve.keep();
        let disk = Self { database: RwLock::new(Some(database)), path, seal, reserve };
        disk.check_format()?;
        Ok(disk)
    }

    /// Whether there is room for more keys. On a full disk keys can still be changed and deleted.
    pub(crate) fn has_room(&self) -> bool {
        self.reserve.keep()
    }

    /// Applies changes, all or none. When it returns they are on disk. If the disk is full, the
    /// reserve makes room.
    pub(super) fn commit(&self, writes: &[Write]) -> Result<(), DiskError> {
        match self.try_to_commit(writes) {
            Err(error) if error.is_full() && self.reserve.give_up() => {
                self.open_again()?;
                self.try_to_commit(writes)
            }
            done => done,
        }
    }

    /// After a system error the library requires the file to be reopened.
    fn open_again(&self) -> Result<(), DiskError> {
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        let before = database.take();
        let _ = quietly(|| drop(before));
        let file = private::open(&self.path)?.ok_or(DiskError::Broken)?;
        *database = Some(existing(file, &self.path)?);
        Ok(())
    }

    fn try_to_commit(&self, writes: &[Write]) -> Result<(), DiskError> {
        without_panic(|| {
            let database = self.database();
            let transaction = database.as_ref().ok_or(DiskError::Broken)?.begin_write()?;
            {
                let mut rows = transaction.open_table(ROWS)?;
                let mut numbers = transaction.open_table(NUMBERS)?;
                for write in writes {
                    match write {
                        Write::Row(table, id, plain) => {
                            let sealed = self.seal.seal(&place(table, *id), plain)?;
                            rows.insert((*table, *id), sealed.as_slice())?;
                        }
                        Write::NoRow(table, id) => drop(rows.remove((*table, *id))?),
                        Write::Number(name, number) => drop(numbers.insert(*name, *number)?),
                    }
                }
            }
            transaction.commit()?;
            Ok(())
        })
    }

    /// Writes one number.
    pub(crate) fn set_number(&self, name: &'static str, number: u64) -> Result<(), DiskError> {
        self.commit(&[Write::Number(name, number)])
    }

    /// Writes some numbers, all or none.
    pub(crate) fn set_numbers(
        &self,
        numbers: &[Option<(&'static str, u64)>],
    ) -> Result<(), DiskError> {
        let write = |(name, number): &(&'static str, u64)| Write::Number(name, *number);
        self.commit(&numbers.iter().flatten().map(write).collect::<Vec<_>>())
    }

    /// A number; `None` if it was never written.
    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, DiskError> {
        without_panic(|| {
            let database = self.database();
            let transaction = database.as_ref().ok_or(DiskError::Broken)?.begin_read()?;
            let numbers = transaction.open_table(NUMBERS)?;
            Ok(numbers.get(name)?.map(|number| number.value()))
        })
    }

    /// Restores the offset of a running clock from the last run on this disk.
    pub(crate) fn restore_clock(&self, clock: &SettableClock) -> Result<(), DiskError> {
        if let Some(ahead_ms) = self.number(CLOCK_AHEAD)? {
            clock.set_ahead_ms(ahead_ms.cast_signed());
        }
        Ok(())
    }

    /// Stores the offset of a running clock.
    pub(crate) fn keep_clock(&self, clock: &SettableClock) -> Result<(), DiskError> {
        match clock.ahead_ms() {
            Some(ahead_ms) => self.set_number(CLOCK_AHEAD, ahead_ms.cast_unsigned()),
            None => Ok(()),
        }
    }

    /// Writes one row.
    pub(crate) fn set_row(&self, table: &'static str, id: u64, row: Row) -> Result<(), DiskError> {
        self.commit(&[Write::Row(table, id, row)])
    }

    /// One row of a table.
    pub(crate) fn row(&self, table: &str, id: u64) -> Result<Option<Row>, DiskError> {
        without_panic(|| {
            let database = self.database();
            let transaction = database.as_ref().ok_or(DiskError::Broken)?.begin_read()?;
            let rows = transaction.open_table(ROWS)?;
            let sealed = rows.get((table, id))?;
            sealed.map(|sealed| self.seal.unseal(&place(table, id), sealed.value())).transpose()
        })
    }

    /// The rows of a table, by id.
    pub(super) fn rows(&self, table: &str) -> Result<Vec<(u64, Row)>, DiskError> {
        without_panic(|| {
            let database = self.database();
            let transaction = database.as_ref().ok_or(DiskError::Broken)?.begin_read()?;
            let rows = transaction.open_table(ROWS)?;
            let mut found = Vec::new();
            for row in rows.range((table, 0)..=(table, u64::MAX))? {
                let (key, sealed) = row?;
                let (_, id) = key.value();
                found.push((id, self.seal.unseal(&place(table, id), sealed.value())?));
            }
            Ok(found)
        })
    }

    fn database(&self) -> RwLockReadGuard<'_, Option<Database>> {
        self.database.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn check_format(&self) -> Result<(), DiskError> {
        match self.number("format")? {
            None => Err(DiskError::Broken),
            Some(FORMAT) => Ok(()),
            Some(format) => Err(DiskError::Format(format)),
        }
    }
}

/// Opens an existing file.
fn existing(file: File, path: &Path) -> Result<Database, DiskError> {
    // The library would mistake it for a new one.
    if file.metadata()?.len() == 0 {
        return Err(DiskError::Empty(path.to_owned()));
    }
    database(file, path)
}

/// Creates a file. It gets its name when it is complete, so that an incomplete one is damage.
fn new(folder: &Path, path: &Path) -> Result<Database, DiskError> {
    let unfinished = path.with_extension("redb.new");
    let database = database(private::create(&unfinished)?, path)?;
    without_panic(|| {
        let transaction = database.begin_write()?;
        transaction.open_table(ROWS)?;
        transaction.open_table(NUMBERS)?.insert("format", FORMAT)?;
        transaction.commit()?;
        Ok(())
    })?;
    std::fs::rename(unfinished, path)?;
    private::sync_folder(folder)?;
    Ok(database)
}

fn database(file: File, path: &Path) -> Result<Database, DiskError> {
    without_panic(|| {
        Builder::new().create_file(file).map_err(|error| match error {
            redb::DatabaseError::DatabaseAlreadyOpen => {
                DiskError::InUse(path.parent().unwrap_or(path).to_owned())
            }
            other => DiskError::File(Box::new(other.into())),
        })
    })
}

/// Whether the file contains no rows.
fn is_empty(database: &Database) -> Result<bool, DiskError> {
    without_panic(|| match database.begin_read()?.open_table(ROWS) {
        Ok(rows) => Ok(rows.is_empty()?),
        Err(redb::TableError::TableDoesNotExist(_)) => Err(DiskError::Broken),
        Err(error) => Err(error.into()),
    })
}

/// The library panics over some files that are truncated or changed.
fn without_panic<T>(work: impl FnOnce() -> Result<T, DiskError>) -> Result<T, DiskError> {
    quietly(work).unwrap_or(Err(DiskError::Broken))
}

thread_local! {
    /// Whether a panic of this thread is the library's over a file, which our error reports.
    static QUIET: Cell<bool> = const { Cell::new(false) };
}

/// Catches a panic, and keeps its message off standard error; those of other threads stay.
fn quietly<T>(work: impl FnOnce() -> T) -> std::thread::Result<T> {
    static HOOK: Once = Once::new();
    // A panicking thread cannot set a hook.
    if !std::thread::panicking() {
        HOOK.call_once(|| {
            let before = take_hook();
            set_hook(Box::new(move |info| {
                if !QUIET.get() {
                    before(info);
                }
            }));
        });
    }
    let was = QUIET.replace(true);
    let done = catch_unwind(AssertUnwindSafe(work));
    QUIET.set(was);
    done
}

/// The context that a row is sealed with: it can be opened only as this row.
fn place(table: &str, id: u64) -> String {
    format!("cortexkey-tenant/{FORMAT}/{table}/{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn committed_data_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        let row = |text: &[u8]| Zeroizing::new(text.to_vec());
        {
            let disk = Disk::open(folder.path()).unwrap();
            disk.commit(&[
                Write::Row("a", 1, row(b"one")),
                Write::Row("a", u64::MAX, row(b"last")),
                Write::Row("b", 1, row(b"other")),
                Write::Number("n", 7),
            ])
            .unwrap();
            disk.commit(&[Write::NoRow("a", 1)]).unwrap();
            let second = Disk::open(folder.path()).err().unwrap();
            assert!(matches!(second, DiskError::InUse(_)), "{second}");
        }
        let disk = Disk::open(folder.path()).unwrap();
        assert_eq!(disk.rows("a").unwrap(), [(u64::MAX, row(b"last"))]);
        assert_eq!((disk.number("n").unwrap(), disk.number("m").unwrap()), (Some(7), None));
    }

    #[test]
    fn data_without_its_key_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("seal.key");
        let open = || Disk::open(folder.path()).map(|disk| disk.rows("a").map(drop));
        {
            let disk = Disk::open(folder.path()).unwrap();
            disk.commit(&[Write::Row("a", 1, Zeroizing::new(b"one".to_vec()))]).unwrap();
        }
        let good = std::fs::read_to_string(&key).unwrap();
        assert_eq!(good.len(), 65);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!((mode(&key), mode(&folder.path().join(FILE))), (0o600, 0o600));
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
            assert!(matches!(open(), Err(DiskError::ReadableSealKey)));
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        std::fs::write(&key, "x").unwrap();
        assert!(matches!(open(), Err(DiskError::BadSealKey)));
        std::fs::write(&key, "00".repeat(32)).unwrap();
        assert!(matches!(open(), Ok(Err(DiskError::Damaged))));
        std::fs::remove_file(&key).unwrap();
        assert!(matches!(open(), Err(DiskError::NoSealKey)));
        std::fs::write(&key, good).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
        assert!(matches!(open(), Ok(Ok(()))));
    }

    /// The file with a change; returns the result of opening and reading it.
    fn changed(
        whole: &[u8],
        key: &str,
        change: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), DiskError> {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = whole.to_vec();
        change(&mut bytes);
        std::fs::write(folder.path().join(FILE), bytes).unwrap();
        write_key(folder.path(), key);
        let disk = Disk::open(folder.path())?;
        disk.rows("a")?;
        disk.set_number("n", 1)
    }

    fn write_key(folder: &Path, key: &str) {
        let path = folder.join("seal.key");
        std::fs::write(&path, key).unwrap();
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        }
    }

    #[test]
    fn a_truncated_or_changed_file_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        {
            let disk = Disk::open(folder.path()).unwrap();
            for id in 0..200 {
                disk.set_row("a", id, Zeroizing::new(vec![7; 1_000])).unwrap();
            }
        }
        let whole = std::fs::read(folder.path().join(FILE)).unwrap();
        let key = std::fs::read_to_string(folder.path().join("seal.key")).unwrap();
        assert!(changed(&whole, &key, |_| {}).is_ok());
        for part in 1..6 {
            let end = whole.len() / 6 * part;
            let error = changed(&whole, &key, |bytes| bytes.truncate(end)).err().unwrap();
            assert!(matches!(error, DiskError::Broken | DiskError::File(_)), "{end}: {error}");
        }
        // Any page may be replaced, even an unused one.
        for page in (1..whole.len() / 4096).step_by(whole.len() / 4096 / 8) {
            let _ = changed(&whole, &key, |bytes| bytes.copy_within(..4096, page * 4096));
        }
    }

    fn made() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        Disk::open(folder.path()).unwrap().set_row("a", 1, Zeroizing::new(vec![7])).unwrap();
        folder
    }

    #[test]
    fn a_sealing_key_without_its_data_file_is_damage() {
        let folder = made();
        let file = folder.path().join(FILE);
        std::fs::write(&file, "").unwrap();
        assert!(matches!(Disk::open(folder.path()), Err(DiskError::Empty(_))));
        assert_eq!(std::fs::read(&file).unwrap(), b"", "left as it is");
        std::fs::remove_file(&file).unwrap();
        assert!(matches!(Disk::open(folder.path()), Err(DiskError::Missing(_))));
        assert!(!file.exists());
        // After a first start that was interrupted before the key was written, there is no data.
        std::fs::remove_file(folder.path().join("seal.key")).unwrap();
        std::fs::write(folder.path().join("tenant.redb.new"), "half").unwrap();
        drop(Disk::open(folder.path()).unwrap());
        std::fs::remove_file(folder.path().join("seal.key")).unwrap();
        assert!(Disk::open(folder.path()).is_ok());
    }

    #[cfg(unix)]
    #[test]
    fn links_and_other_users_files_are_refused() {
        use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
        let elsewhere = tempfile::tempdir().unwrap();
        let victim = elsewhere.path().join("victim");
        for name in [FILE, "seal.key"] {
            let folder = made();
            let path = folder.path().join(name);
            std::fs::rename(&path, &victim).unwrap();
            symlink(&victim, &path).unwrap();
            let before = std::fs::read(&victim).unwrap();
            assert!(matches!(Disk::open(folder.path()), Err(DiskError::Link(_))), "{name}");
            assert_eq!(std::fs::read(&victim).unwrap(), before);
            std::fs::remove_file(&path).unwrap();
            std::fs::rename(&victim, &path).unwrap();
            assert!(Disk::open(folder.path()).is_ok());

            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o620)).unwrap();
            let error = Disk::open(folder.path()).err().unwrap();
            assert!(matches!(error, DiskError::Writable(_) | DiskError::ReadableSealKey), "{name}");
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
            // Only root can change the owner of files.
            for given in [path.as_path(), folder.path()] {
                if chown(given, Some(65_534), None).is_ok() {
                    assert!(matches!(Disk::open(folder.path()), Err(DiskError::NotOurs(_))));
                    chown(given, Some(rustix::process::geteuid().as_raw()), None).unwrap();
                }
            }
        }
        let folder = made();
        let link = elsewhere.path().join("folder");
        symlink(folder.path(), &link).unwrap();
        assert!(matches!(Disk::open(&link), Err(DiskError::Link(_))));
        // A dangling link in place of the data file creates nothing at its target.
        let new = tempfile::tempdir().unwrap();
        symlink(elsewhere.path().join("made"), new.path().join(FILE)).unwrap();
        assert!(Disk::open(new.path()).is_err() && !elsewhere.path().join("made").exists());
        let pipe = new.path().join(FILE);
        std::fs::remove_file(&pipe).unwrap();
        std::fs::create_dir(&pipe).unwrap();
        assert!(Disk::open(new.path()).is_err());
    }

    #[cfg(unix)]
    #[test]
    fn a_world_writable_folder_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        for mode in [0o777, 0o770, 0o720, 0o702] {
            let mode = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(folder.path(), mode).unwrap();
            assert!(matches!(Disk::open(folder.path()), Err(DiskError::WritableFolder)));
        }
        assert!(Disk::open(&folder.path().join("within")).is_ok());
    }
}
