//! Which files a change can affect: [`Neighbours`].
//!
//! Rules that compare files, waivers and fingerprints compare only keys of one [`Group`]. A change
//! therefore affects the file itself, the files with a key in a group that it had before or has
//! now, and the files with a key of the same name as one of these: fingerprints number equal
//! findings about one name.

use std::collections::{BTreeSet, HashMap, HashSet};

use cortexkey_manifest::definition::Definition;

use crate::model::{CorpusFile, FileId};
use crate::rules::corpus::{Group, groups};

/// The files of each group.
#[derive(Debug)]
pub(super) struct Neighbours {
    /// The position of each file in the corpus.
    at: HashMap<FileId, usize>,
    members: HashMap<Group, BTreeSet<usize>>,
}

impl Neighbours {
    pub(super) fn new(files: &[CorpusFile]) -> Self {
        let at = files.iter().enumerate().map(|(at, file)| (file.id, at)).collect();
        let mut neighbours = Self { at, members: HashMap::new() };
        for (at, file) in files.iter().enumerate() {
            neighbours.enter(at, file);
        }
        neighbours
    }

    /// The position of a file.
    pub(super) fn position(&self, file: FileId) -> Option<usize> {
        self.at.get(&file).copied()
    }

    /// The positions of the files that share a group with a file, including the file itself.
    pub(super) fn beside(&self, file: &CorpusFile) -> BTreeSet<usize> {
        let members = groups_of(file).filter_map(|group| self.members.get(&group)).flatten();
        members.chain(self.at.get(&file.id)).copied().collect()
    }

    /// Adds the positions of the files that have a key of the same name as one of these files.
    pub(super) fn add_namesakes(&self, positions: &mut BTreeSet<usize>, files: &[CorpusFile]) {
        let groups = positions.iter().flat_map(|at| groups_of(&files[*at]));
        let names: HashSet<Group> = groups.filter(|it| matches!(it, Group::Name(_))).collect();
        positions.extend(names.iter().filter_map(|name| self.members.get(name)).flatten());
    }

    /// Adds a file to its groups.
    pub(super) fn enter(&mut self, at: usize, file: &CorpusFile) {
        for group in groups_of(file) {
            self.members.entry(group).or_default().insert(at);
        }
    }

    /// Removes a file from its groups.
    pub(super) fn leave(&mut self, at: usize, file: &CorpusFile) {
        for group in groups_of(file) {
            if let Some(members) = self.members.get_mut(&group) {
                members.remove(&at);
                if members.is_empty() {
                    self.members.remove(&group);
                }
            }
        }
    }
}

fn groups_of(file: &CorpusFile) -> impl Iterator<Item = Group> {
    let definitions = file.documents.iter().filter_map(|document| document.definition.as_ref());
    definitions.flat_map(|definition: &Definition| groups(definition))
}
