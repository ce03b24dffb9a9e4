//! [`Loader`]: reads folders in a separate thread, so that the server can process messages
//! meanwhile.
//!
//! A burst of changes, such as typing in a policy or a checkout, is read once, after it has ended.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::mem;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, bounded, never};

use crate::workspace::Root;

/// Folders are read again when none of their files has changed for this long.
const QUIET: Duration = Duration::from_millis(200);

/// Decides when folders are read, and reads them.
#[derive(Default)]
pub(crate) struct Loader {
    /// When to read the folders; `None` if the last reading is current.
    due: Option<Instant>,
    running: Option<Receiver<Vec<Root>>>,
    /// The documents that changed while the folders were read.
    changed: BTreeSet<PathBuf>,
}

impl Loader {
    /// Requests the first reading.
    pub(crate) fn new() -> Self {
        Self { due: Some(Instant::now()), ..Self::default() }
    }

    /// Requests another reading, which starts once there has been no such call for some time.
    pub(crate) fn request(&mut self) {
        self.due = Some(Instant::now() + QUIET);
    }

    /// Whether the folders are as they were read last.
    pub(crate) fn is_current(&self) -> bool {
        self.due.is_none() && self.running.is_none()
    }

    /// Whether they changed since the last reading began.
    pub(crate) fn is_due(&self) -> bool {
        self.due.is_some()
    }

    /// When to call [`Self::start`].
    pub(crate) fn due(&self) -> Option<Instant> {
        self.due.filter(|_| self.running.is_none())
    }

    /// Starts to read the folders, with the editor's texts in place of files.
    pub(crate) fn start(
        &mut self,
        folders: Vec<PathBuf>,
        texts: HashMap<PathBuf, String>,
    ) -> io::Result<()> {
        let (sender, receiver) = bounded(1);
        let read = move || {
            let roots = folders.iter().map(|folder| Root::load(folder, &texts)).collect();
            // The server may have ended.
            let _ = sender.send(roots);
        };
        std::thread::Builder::new().name("load".to_owned()).spawn(read)?;
        self.due = None;
        self.running = Some(receiver);
        self.changed.clear();
        Ok(())
    }

    /// The folders that are being read. It disconnects if the reader fails.
    pub(crate) fn loaded(&self) -> Receiver<Vec<Root>> {
        self.running.clone().unwrap_or_else(never)
    }

    /// Records that a document changed.
    pub(crate) fn note(&mut self, path: PathBuf) {
        if self.running.is_some() {
            self.changed.insert(path);
        }
    }

    /// Ends a reading, and returns the documents that changed meanwhile.
    pub(crate) fn finish(&mut self) -> BTreeSet<PathBuf> {
        self.running = None;
        mem::take(&mut self.changed)
    }
}
