//! Decides which files are checked, and which of them are reported on.
//!
//! The corpus is the files of the boundary that the policies' `keys` name; for a policy without
//! `keys`, its YAML files. Paths on the command line limit what is reported, not what is checked. A
//! given path that does not exist or cannot be read is an error, and so is any part of the corpus
//! that cannot be read.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use cortexkey_manifest::policy::is_policy;
use walkdir::WalkDir;

use super::boundary::Boundary;
use super::listing::{Blob, ListedFile, Listing};
use super::names::{has_policy_name, is_yaml, may_define};
use super::paths::{absolute, shown, shown_whole};
use super::policy_set::{Governed, PRIMARY, PolicySet};
use super::to_read::{FileToRead, Origin, Role, dedup_paths, dedup_targets};
use super::{Options, RunError, Stdin, open};
use crate::model::CorpusFile;

/// How many links to folders a path may contain.
const LINKS_MAX: usize = 8;
/// The maximum number of files that links to folders may lead to.
const LINKED_MAX: usize = 100_000;

/// The result of a search.
#[derive(Default)]
pub(super) struct SearchResult {
    /// Each file once, in the order of their paths.
    pub(super) wanted: Vec<FileToRead>,
    pub(super) messages: Vec<String>,
    /// Files that were named and belong to no corpus.
    pub(super) skipped: usize,
    /// The named files that are not read.
    pub(super) unread: Vec<PathBuf>,
    /// The policies that are reported on.
    pub(super) policies: BTreeSet<usize>,
    /// Whether some files of the corpus are not reported on.
    pub(super) is_partial: bool,
}

/// Finds the corpus.
pub(super) struct Search<'a, 'b> {
    pub(super) options: &'a Options,
    pub(super) boundary: &'a Boundary,
    pub(super) policy_set: &'b mut PolicySet<'a>,
    pub(super) listing: Rc<Listing>,
    found: SearchResult,
    /// Folders with their links resolved.
    folders: HashMap<PathBuf, PathBuf>,
    /// The index of each wanted file, by its path and by its resolved path.
    by_path: HashMap<PathBuf, usize>,
    by_place: HashMap<PathBuf, usize>,
    /// How many files links to folders have led to.
    linked: usize,
}

impl<'a, 'b> Search<'a, 'b> {
    pub(super) fn new(
        options: &'a Options,
        boundary: &'a Boundary,
        policy_set: &'b mut PolicySet<'a>,
        listing: Rc<Listing>,
    ) -> Self {
        Self {
            options,
            boundary,
            policy_set,
            listing,
            found: SearchResult::default(),
            folders: HashMap::new(),
            by_path: HashMap::new(),
            by_place: HashMap::new(),
            linked: 0,
        }
    }

    /// Finds the files below these folders, and applies the paths of the command line.
    pub(super) fn run(
        mut self,
        scopes: &[PathBuf],
        mut stdin: Stdin,
    ) -> Result<SearchResult, RunError> {
        let mut all = self.options.paths.is_empty();
        self.listed(scopes, all)?;
        self.unseen(scopes, all)?;
        self.each_once();
        for path in &self.options.paths {
            if path.as_os_str() == "-" {
                let Some(bytes) = stdin.take() else {
                    return Err(RunError::new("standard input (`-`) is given twice"));
                };
                all |= self.stdin(bytes)?;
                continue;
            }
            all |= self.given(&absolute(&self.options.folder, path))?;
        }
        let mut found = self.found;
        found.wanted.sort_by(|a, b| (&a.path, a.role).cmp(&(&b.path, b.role)));
        found.policies.extend(found.wanted.iter().filter(|file| file.reported).map(|file| file.by));
        found.is_partial = !all || found.wanted.iter().any(|file| !file.reported);
        Ok(found)
    }

    /// Adds the listed files that belong to a corpus.
    fn listed(&mut self, scopes: &[PathBuf], all: bool) -> Result<(), RunError> {
        let listing = Rc::clone(&self.listing);
        for file in &listing.files {
            if scopes.iter().any(|scope| file.path.starts_with(scope)) {
                self.take(file, &file.path, all, 0)?;
            }
        }
        Ok(())
    }

    /// Adds a file under a path, which differs from the file's own path if links lead to it.
    fn take(
        &mut self,
        file: &ListedFile,
        path: &Path,
        reported: bool,
        links: usize,
    ) -> Result<(), RunError> {
        if self.policy_set.is_of_policy(path) {
            return Ok(());
        }
        let Some(governed) = self.policy_set.governs(path)? else { return Ok(()) };
        let is_link = file.is_link.unwrap_or_else(|| path.is_symlink());
        // Without `keys`, the named files are the corpus.
        let is_named = self.policy_set.loaded[governed.by].patterns.any() || reported;
        if governed.in_corpus && is_named {
            return self.candidate(file, path, governed, reported, links);
        }
        if is_link {
            return self.link(path, governed, reported, links);
        }
        if reported && !governed.in_corpus && self.is_searched(path, governed.by) {
            // If a link replaced one of its folders, another file is there.
            let real = if file.sparse.is_some() { None } else { self.real(path, links > 0).ok() };
            if real != Some(None) {
                let wanted = self.outsider(path, governed.by, file.sparse.clone());
                self.push(FileToRead { real: real.flatten(), is_alias: links > 0, ..wanted });
            }
        }
        Ok(())
    }

    /// Whether a file outside the corpus is searched for a definition: its name allows one, or it is
    /// where definitions are. A definition must not disappear when its name changes.
    fn is_searched(&self, path: &Path, by: usize) -> bool {
        let has_keys = self.policy_set.loaded[by].patterns.any();
        may_define(path) || (has_keys && self.policy_set.is_below_keys(path))
    }

    /// A file that is only searched for definitions.
    fn outsider(&self, path: &Path, by: usize, sparse: Option<Blob>) -> FileToRead {
        let is_open = self.policy_set.takes_definitions_only(by);
        let role = if is_open { Role::Perhaps } else { Role::Outside };
        let origin = sparse.map_or(Origin::Disk, Origin::Index);
        FileToRead { origin, ..FileToRead::new(path, by, true, role) }
    }

    fn push(&mut self, wanted: FileToRead) {
        let at = self.found.wanted.len();
        self.by_path.insert(wanted.path.clone(), at);
        if let Some(real) = &wanted.real {
            self.by_place.insert(real.clone(), at);
        }
        self.found.wanted.push(wanted);
    }

    /// Adds a file that a corpus names.
    fn candidate(
        &mut self,
        file: &ListedFile,
        path: &Path,
        governed: Governed,
        reported: bool,
        links: usize,
    ) -> Result<(), RunError> {
        let mut wanted = FileToRead {
            is_alias: links > 0,
            ..FileToRead::new(path, governed.by, reported, Role::Corpus)
        };
        if let Some(blob) = &file.sparse {
            wanted.origin = Origin::Index(blob.clone());
            self.push(wanted);
            return Ok(());
        }
        match wanted.path.symlink_metadata() {
            Ok(about) if about.is_symlink() => {
                return self.link(&wanted.path, governed, reported, links);
            }
            Ok(_) => match self.real(&wanted.path, links > 0) {
                Ok(Some(real)) => wanted.real = Some(real),
                // A link replaced one of its folders: git does not see the file any more.
                Ok(None) if links == 0 => return Ok(()),
                Ok(None) => wanted.origin = Origin::Unreadable(open::OpenError::Leaves),
                Err(error) => wanted.origin = Origin::Unreadable(open::OpenError::system(error)),
            },
            // Git still lists a file that was just deleted; an editor has texts that are not saved yet.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let Some(text) = self.options.texts.get(&wanted.path) else { return Ok(()) };
                wanted.origin = Origin::Bytes(Ok(text.clone().into_bytes()));
            }
            Err(error) => wanted.origin = Origin::Unreadable(open::OpenError::system(error)),
        }
        self.push(wanted);
        Ok(())
    }

    /// A file's resolved path; `None` if a link among its folders leads elsewhere.
    fn real(&mut self, path: &Path, through_links: bool) -> io::Result<Option<PathBuf>> {
        let folder = path.parent().unwrap_or(path);
        let name = path.file_name().unwrap_or_default();
        if !self.folders.contains_key(folder) {
            let real = fs::canonicalize(folder)?;
            self.folders.insert(folder.to_path_buf(), real);
        }
        let real = &self.folders[folder];
        let boundary = self.boundary;
        let is_there = if through_links {
            boundary.real(folder)?.is_some()
        } else {
            folder
                .strip_prefix(&boundary.root)
                .is_ok_and(|below| *real == boundary.real.join(below))
        };
        Ok(is_there.then(|| real.join(name)))
    }

    /// Adds a symbolic link to a file of the corpus, or to a folder that may contain some.
    fn link(
        &mut self,
        path: &Path,
        governed: Governed,
        reported: bool,
        links: usize,
    ) -> Result<(), RunError> {
        // Git still lists a link that was just deleted.
        if path.symlink_metadata().is_err() {
            return Ok(());
        }
        let is_folder = path.is_dir();
        let may_hold = governed.in_corpus
            || (is_folder && self.policy_set.reaches(path))
            // Its folder may be in a submodule that is not checked out.
            || (fs::metadata(path).is_err() && self.policy_set.keys_reach(path));
        if !may_hold {
            if reported && !is_folder && self.is_searched(path, governed.by) {
                self.link_outside(path, governed.by);
            }
            return Ok(());
        }
        let new = FileToRead::new(path, governed.by, reported, Role::Corpus);
        let mut wanted = FileToRead { is_alias: true, ..new };
        match self.boundary.real(path) {
            Ok(Some(real)) if is_folder => {
                return self.linked_folder(path, &real, reported, links);
            }
            Ok(Some(real)) => wanted.real = Some(real),
            Ok(None) => wanted.origin = Origin::Unreadable(open::OpenError::Leaves),
            Err(error) => wanted.origin = Origin::Unreadable(open::OpenError::system(error)),
        }
        self.push(wanted);
        Ok(())
    }

    /// Adds a link to a file that no corpus names, and that a reader finds under the link's name.
    fn link_outside(&mut self, path: &Path, by: usize) {
        match self.boundary.real(path) {
            Ok(real @ Some(_)) => {
                let wanted = self.outsider(path, by, None);
                self.push(FileToRead { real, is_alias: true, ..wanted });
            }
            // Links out of the repository are common, but not among definitions.
            Ok(None) if may_define(path) && self.policy_set.is_below_keys(path) => {
                self.want(path, by, true, Origin::Unreadable(open::OpenError::Leaves));
            }
            Ok(None) | Err(_) => {}
        }
    }

    /// Adds the files behind a link to a folder, under the link's path.
    fn linked_folder(
        &mut self,
        path: &Path,
        real: &Path,
        reported: bool,
        links: usize,
    ) -> Result<(), RunError> {
        let here = fs::canonicalize(path.parent().unwrap_or(path)).unwrap_or_default();
        if here.starts_with(real) || links >= LINKS_MAX {
            self.found.messages.push(format!(
                "{} is a link back to {}; it is not followed",
                shown(&self.options.folder, path),
                shown(&self.options.folder, &self.lexical(real))
            ));
            return Ok(());
        }
        let target = self.lexical(real);
        for file in self.below(&target)? {
            self.linked += 1;
            if self.linked > LINKED_MAX {
                return Err(RunError::new(format!(
                    "symbolic links lead to more than {LINKED_MAX} files, {} among them",
                    shown(&self.options.folder, path)
                ))
                .help("remove links to folders from the corpus"));
            }
            let below = file.path.strip_prefix(&target).unwrap_or(&file.path);
            self.take(&file, &path.join(below), reported, links + 1)?;
        }
        Ok(())
    }

    /// A resolved path as the listing has it.
    fn lexical(&self, real: &Path) -> PathBuf {
        let below = real.strip_prefix(&self.boundary.real).unwrap_or(real);
        self.boundary.root.join(below)
    }

    /// The listed files below a folder; all files on the disk if git ignores the folder.
    fn below(&self, folder: &Path) -> Result<Vec<ListedFile>, RunError> {
        let listed = self.listing.below_folder(folder);
        if !listed.is_empty() {
            return Ok(listed.to_vec());
        }
        let mut out = Vec::new();
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.map_err(|error| {
                RunError::new(format!("cannot list {}: {error}", folder.display()))
            })?;
            if !entry.file_type().is_dir() {
                let is_link = Some(entry.path_is_symlink());
                out.push(ListedFile { path: entry.into_path(), is_link, sparse: None });
            }
        }
        Ok(out)
    }

    /// Adds what could not be listed and may contain a part of the corpus.
    fn unseen(&mut self, scopes: &[PathBuf], reported: bool) -> Result<(), RunError> {
        let listing = Rc::clone(&self.listing);
        for (path, why) in &listing.unseen {
            let near = |scope: &PathBuf| path.starts_with(scope) || scope.starts_with(path);
            let Some(governed) = self.policy_set.governs(path)? else { continue };
            let may_hold = governed.in_corpus
                || self.policy_set.reaches(path)
                || self.policy_set.takes_definitions_only(governed.by);
            if may_hold && scopes.iter().any(near) {
                self.want(path, governed.by, reported, Origin::Unreadable(why.clone()));
            }
        }
        Ok(())
    }

    fn want(&mut self, path: &Path, by: usize, reported: bool, origin: Origin) {
        self.push(FileToRead { origin, ..FileToRead::new(path, by, reported, Role::Corpus) });
    }

    /// Applies a path of the command line; true if it means the whole corpus.
    fn given(&mut self, path: &Path) -> Result<bool, RunError> {
        if self.is_of_policy(path)? {
            let of = self.policy_set.of_policy(path);
            for wanted in &mut self.found.wanted {
                wanted.reported |= of.contains(&wanted.by);
            }
            self.found.policies.extend(of);
            return Ok(true);
        }
        if self.report_at(self.by_path.get(path).copied()) {
            return Ok(false);
        }
        // A sparse checkout may leave out a folder.
        if path.symlink_metadata().is_err() && self.report(&|wanted| wanted.path.starts_with(path))
        {
            return Ok(false);
        }
        let governed = self.policy_set.governs(path)?;
        let by = governed.map_or(PRIMARY, |governed| governed.by);
        let real = if self.boundary.holds(path) { self.boundary.real(path).ok() } else { None };
        if let Some(None) = real {
            let is_folder = path.is_dir();
            let named = governed.is_some_and(|governed| {
                governed.in_corpus || self.policy_set.takes_definitions_only(governed.by)
            });
            let may_define = !is_folder && may_define(path);
            if named || may_define || (is_folder && self.policy_set.reaches(path)) {
                self.instead(path, by, Origin::Unreadable(open::OpenError::Leaves));
            } else {
                self.skip(path);
            }
            return Ok(false);
        }
        let real = real.flatten();
        match open::check_readable(path) {
            // A named path that cannot be read is an error, in the corpus or not.
            Err(why) => self.instead(path, by, Origin::Unreadable(why)),
            Ok(open::PathKind::Folder) => self.given_folder(path, real.as_deref())?,
            Ok(open::PathKind::File) => self.given_file(path, real.as_deref(), governed),
        }
        Ok(false)
    }

    fn is_of_policy(&mut self, path: &Path) -> Result<bool, RunError> {
        // Loads a policy that no listing contains.
        self.policy_set.above(path.parent().unwrap_or(path))?;
        Ok(self.policy_set.is_of_policy(path))
    }

    fn given_file(&mut self, path: &Path, real: Option<&Path>, governed: Option<Governed>) {
        // It is known under another path, such as a link's.
        if self.report_at(real.and_then(|real| self.by_place.get(real).copied())) {
            return;
        }
        let Some(Governed { by, in_corpus }) = governed else {
            self.skip(path);
            return;
        };
        if in_corpus {
            self.instead(path, by, Origin::Disk);
        } else {
            self.search(path, by, Origin::Disk);
        }
    }

    /// Adds a given file that is outside the corpus; without `keys` it belongs to it if it contains a
    /// definition.
    fn search(&mut self, path: &Path, by: usize, origin: Origin) {
        let has_keys = self.policy_set.loaded[by].patterns.any();
        self.found.skipped += usize::from(has_keys);
        let role = if has_keys { Role::Outside } else { Role::Perhaps };
        self.push(FileToRead { origin, ..FileToRead::new(path, by, true, role) });
    }

    /// Counts a given file or folder that is not read.
    fn skip(&mut self, path: &Path) {
        self.found.skipped += 1;
        self.found.unread.push(path.to_path_buf());
    }

    fn given_folder(&mut self, folder: &Path, real: Option<&Path>) -> Result<(), RunError> {
        let below = |wanted: &FileToRead| {
            let through = wanted.real.as_deref().zip(real);
            wanted.path.starts_with(folder)
                || through.is_some_and(|(wanted, real)| wanted.starts_with(real))
        };
        let mut holds = self.report(&below);
        let by = self.policy_set.above(folder)?.first().copied();
        let is_named = by.is_some_and(|by| self.policy_set.loaded[by].patterns.any());
        if is_named {
            self.outsiders(folder)?;
        } else {
            holds |= self.all_yaml(folder)?;
        }
        if holds {
            return Ok(());
        }
        let nobodys = self.listing.below_folder(folder).iter();
        let nobodys = nobodys.filter(|file| is_yaml(&file.path)).count();
        self.found.skipped += nobodys;
        let what = if is_named {
            "contains no file that matches the policy's `keys`"
        } else {
            "contains no YAML file"
        };
        if nobodys == 0 {
            let folder = shown(&self.options.folder, folder);
            self.found.messages.push(format!("the folder {folder} {what}"));
        }
        Ok(())
    }

    /// With `keys`, the other files of a named folder should contain no definition.
    fn outsiders(&mut self, folder: &Path) -> Result<(), RunError> {
        for file in self.listing.below_folder(folder).to_vec() {
            if !self.by_path.contains_key(&file.path) {
                self.take(&file, &file.path, true, 0)?;
            }
        }
        self.each_once();
        Ok(())
    }

    /// Without `keys`, the YAML files of a named folder are the corpus.
    fn all_yaml(&mut self, folder: &Path) -> Result<bool, RunError> {
        let mut files = self.listing.below_folder(folder).to_vec();
        if files.is_empty() {
            // No listing contains it: it is elsewhere, or git ignores it.
            let mut listing = Listing::default();
            listing.folder(folder)?;
            files = listing.files;
            let by = self.policy_set.above(folder)?.first().copied();
            for (path, why) in listing.unseen {
                self.want(&path, by.unwrap_or(PRIMARY), true, Origin::Unreadable(why));
            }
        }
        let before = self.found.wanted.len();
        for file in files {
            self.take(&file, &file.path, true, 0)?;
        }
        let any = self.found.wanted.len() > before;
        self.each_once();
        Ok(any)
    }

    /// Keeps each file once: under its own path, and not also under that of a link.
    fn each_once(&mut self) {
        let mut wanted = std::mem::take(&mut self.found.wanted);
        dedup_paths(&mut wanted);
        if wanted.iter().any(|wanted| wanted.is_alias) {
            dedup_targets(&mut wanted);
            self.drop_linked_outsiders(&mut wanted);
        }
        self.by_path.clear();
        self.by_place.clear();
        for wanted in wanted {
            self.push(wanted);
        }
    }

    /// A file that a link brings into a corpus is part of the corpus, not outside it.
    fn drop_linked_outsiders(&self, wanted: &mut Vec<FileToRead>) {
        let linked = wanted.iter().filter(|file| file.role != Role::Outside);
        let linked = linked.filter_map(|file| file.real.as_deref());
        let linked: HashSet<PathBuf> = linked.map(|real| self.lexical(real)).collect();
        wanted.retain(|file| file.role != Role::Outside || !linked.contains(&file.path));
    }

    /// Marks files as reported; true if there are any.
    fn report(&mut self, which: &dyn Fn(&FileToRead) -> bool) -> bool {
        let mut any = false;
        for wanted in self.found.wanted.iter_mut().filter(|wanted| which(wanted)) {
            wanted.reported = true;
            any = true;
        }
        any
    }

    fn report_at(&mut self, at: Option<usize>) -> bool {
        let wanted = at.and_then(|at| self.found.wanted.get_mut(at));
        wanted.map(|wanted| wanted.reported = true).is_some()
    }

    /// Adds a file, or replaces where its bytes come from.
    fn instead(&mut self, path: &Path, by: usize, origin: Origin) {
        if let Some(at) = self.by_path.get(path).copied() {
            let known = &mut self.found.wanted[at];
            known.by = by;
            known.reported = true;
            known.origin = origin;
            return;
        }
        self.want(path, by, true, origin);
    }

    /// Applies standard input; true if it means the whole corpus.
    fn stdin(&mut self, bytes: Result<Vec<u8>, open::OpenError>) -> Result<bool, RunError> {
        let Some(name) = &self.options.stdin_filename else {
            let by = self.policy_set.above(&self.options.folder)?.first().copied();
            let by = by.unwrap_or(PRIMARY);
            self.want(Path::new("<stdin>"), by, true, Origin::Bytes(bytes));
            return Ok(false);
        };
        let path = absolute(&self.options.folder, name);
        let governed = self.policy_set.governs(&path)?;
        if self.is_of_policy(&path)? || has_policy_name(&path) {
            return self.policy_from_stdin(&path);
        }
        match governed {
            // Standard input is checked, whatever its name.
            Some(Governed { by, in_corpus })
                if in_corpus || !self.policy_set.loaded[by].patterns.any() =>
            {
                self.instead(&path, by, Origin::Bytes(bytes));
            }
            Some(Governed { by, .. }) => self.search(&path, by, Origin::Bytes(bytes)),
            None => self.skip(&path),
        }
        Ok(false)
    }

    /// Reports on a policy whose text was read from standard input, if the run could read it so.
    fn policy_from_stdin(&mut self, path: &Path) -> Result<bool, RunError> {
        let is_read = self.options.texts.contains_key(path)
            && self.policy_set.loaded.iter().any(|loaded| loaded.sources.contains(path));
        if is_read {
            return self.given(path);
        }
        let path = shown(&self.options.folder, path);
        Err(RunError::new(format!("{path} cannot be checked from standard input"))
            .help(format!("save it, and run `cortexkey lint {path}`")))
    }
}

/// True for a file that contains policies and nothing else. One that could not be read to its end, or
/// that YAML readers disagree about, may contain a key too.
pub(super) fn is_policy_alone(file: &CorpusFile) -> bool {
    let documents = file.tree.documents();
    let all = documents.iter().all(|document| is_policy(&file.tree, *document));
    all && !documents.is_empty() && file.problems.is_empty()
}

/// False for a file with the name of a policy, which nobody expects to define a key.
pub(super) fn is_worth_a_message(options: &Options, item: &FileToRead) -> bool {
    let mut given = options.paths.iter().map(|path| absolute(&options.folder, path));
    !has_policy_name(&item.path) || given.any(|path| path == item.path)
}

/// A file's path as output shows it.
pub(super) fn name(options: &Options, path: &Path) -> String {
    shown_whole(&options.folder, path).unwrap_or_else(|| path.to_string_lossy().into_owned())
}
