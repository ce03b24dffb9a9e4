//! Keeps each file of a corpus once, whatever links lead to it.

use std::collections::HashMap;
use std::path::PathBuf;

use super::search::Wanted;

pub(super) fn dedup_paths(wanted: &mut Vec<Wanted>) {
    wanted.sort_by(|a, b| (&a.path, a.role).cmp(&(&b.path, b.role)));
    wanted.dedup_by(|again, kept| {
        let same = again.path == kept.path;
        kept.reported |= same && again.reported;
        same
    });
}

pub(super) fn dedup_targets(wanted: &mut Vec<Wanted>) {
    let own = wanted.iter().filter(|file| !file.is_alias);
    let mut reported: HashMap<PathBuf, bool> =
        own.filter_map(|file| Some((file.real.clone()?, false))).collect();
    // A file that only links lead to is kept under the first of them.
    wanted.retain(|file| {
        let Some(real) = file.real.as_ref().filter(|_| file.is_alias) else { return true };
        if let Some(reported) = reported.get_mut(real) {
            *reported |= file.reported;
            return false;
        }
        reported.insert(real.clone(), file.reported);
        true
    });
    for file in wanted.iter_mut() {
        file.reported |= file.real.as_ref().is_some_and(|real| reported.get(real) == Some(&true));
    }
}
