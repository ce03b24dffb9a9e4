//! Fixes files: in memory first, then on disk or as a diff.
//!
//! A file that changed since it was read is not written, nor is one outside the repository.

use std::collections::BTreeMap;
use std::path::Path;

use cortexkey_manifest::policy::pinned::is_copy;
use cortexkey_system::{Links, ReadError, WriteOptions, counted, io_reason, read, replace};

use super::boundary::Boundary;
use super::{FixMode, Options, RunError, load_policy};
use crate::engine::fix::{self, FixOptions, Fixed};
use crate::engine::{LintOptions, LintSession};
use crate::model::{Corpus, Finding, SourceId};
use crate::policy::Policy;

/// Fixes corpus and policy, and gives the diff. With [`FixMode::Diff`] both stay as they are.
pub(super) fn fix(
    options: &Options,
    chosen: &str,
    corpus: &mut Corpus,
    policy: &mut Policy,
    lint_options: &LintOptions<'_>,
    messages: &mut Vec<String>,
) -> Result<String, RunError> {
    let stdin = options.paths.iter().any(|path| path.as_os_str() == "-");
    if stdin && options.fix == FixMode::Write {
        return Err(RunError::new("standard input cannot be fixed in place")
            .help("--diff shows what would change"));
    }
    let fixed = fix_in_memory(options, chosen, corpus, policy, lint_options);
    let changes = changes(&fixed, corpus, policy);
    messages.extend(fixed.withheld.iter().cloned());
    let diff = changes.iter().map(Change::diff).collect();
    if options.fix == FixMode::Diff {
        messages.push(format!("{} would be fixed", counted(fixed.count, "finding")));
        return Ok(diff);
    }
    for change in &changes {
        change.write(options, corpus)?;
    }
    for file in &mut corpus.files {
        if let Some(new) = fixed.texts.get(&file.path) {
            *file = file.with_bytes(new.clone().into_bytes(), &options.limits);
        }
    }
    *policy = load_policy(options, chosen, policy.number, &BTreeMap::new())?;
    if fixed.count > 0 {
        let findings = counted(fixed.count, "finding");
        messages.push(format!("fixed {findings} in {}", counted(fixed.texts.len(), "file")));
    }
    Ok(diff)
}

fn fix_in_memory(
    options: &Options,
    chosen: &str,
    corpus: &Corpus,
    policy: &Policy,
    lint_options: &LintOptions<'_>,
) -> Fixed {
    let paths: BTreeMap<SourceId, &str> =
        corpus.files.iter().map(|file| (SourceId::File(file.id), file.path.as_str())).collect();
    let is_accepted = |path: &str, finding: &Finding| {
        options.accepted_fixes.contains(&(path.to_owned(), finding.fingerprint.clone()))
    };
    let accepts = |finding: &Finding| {
        let source = finding.location.source;
        let path = paths.get(&source).copied().or_else(|| policy.path_of(source));
        // A copy of a remote policy is fixed in its own repository.
        !policy.path_of(source).is_some_and(is_copy)
            && options.selection.shows(finding, policy)
            && (options.unsafe_fixes
                || finding.fix.as_ref().is_some_and(|fix| fix.safe)
                || path.is_some_and(|path| is_accepted(path, finding)))
    };
    let reload =
        |texts: &BTreeMap<String, String>| load_policy(options, chosen, policy.number, texts).ok();
    // A fix that would bring a finding that is not shown is withheld too.
    let lint_options = LintOptions { selection: None, ..*lint_options };
    let session = LintSession::new(corpus.clone(), policy, &lint_options);
    let request = FixOptions { accepts: &accepts, limits: options.limits, reload: &reload };
    fix::fix(session, &request)
}

/// The old and new text of a file.
struct Change {
    path: String,
    old: String,
    new: String,
    of_policy: bool,
}

/// What was fixed, in the order of the paths.
fn changes(fixed: &Fixed, corpus: &Corpus, policy: &Policy) -> Vec<Change> {
    let definitions = corpus.files.iter().map(|file| (file.path.as_str(), &file.tree, false));
    let policies = policy.sources().map(|(path, tree)| (path, tree, true));
    let sources: BTreeMap<_, _> = policies
        .chain(definitions)
        .map(|(path, tree, of_policy)| (path, (tree.source(), of_policy)))
        .collect();
    let changes = fixed.texts.iter().filter_map(|(path, new)| {
        let (old, of_policy) = *sources.get(path.as_str())?;
        Some(Change { path: path.clone(), old: old.to_owned(), new: new.clone(), of_policy })
    });
    changes.collect()
}

impl Change {
    fn diff(&self) -> String {
        fix::diff(&self.path, &self.old, &self.new, self.of_policy)
    }

    fn write(&self, options: &Options, corpus: &Corpus) -> Result<(), RunError> {
        let own = options.folder.join(&self.path);
        let file = corpus.files.iter().find(|file| file.path == self.path);
        let place = match file {
            Some(file) if !self.of_policy => file.disk_path.as_deref(),
            _ => Some(own.as_path()),
        };
        write(&self.path, place, &self.old, &self.new)
    }
}

/// Writes a file, unless it changed since it was read or is outside the repository.
pub(super) fn write(
    path: &str,
    place: Option<&Path>,
    old: &str,
    new: &str,
) -> Result<(), RunError> {
    let Some(place) = place else {
        return Err(RunError::new(format!(
            "{path} is not in the work tree, and cannot be fixed there"
        ))
        .help("add it to the checkout with `git sparse-checkout add`"));
    };
    let failed = |why: &str| RunError::new(format!("cannot write {path}: {why}"));
    let boundary = Boundary::around(place.parent().unwrap_or(place))?;
    let changed =
        || RunError::new(format!("{path} changed while it was being fixed")).help("run it again");
    match read(place, old.len() as u64) {
        Ok(bytes) if bytes == old.as_bytes() => {}
        Ok(_) | Err(ReadError::TooLarge { .. }) => return Err(changed()),
        Err(ReadError::System(error)) => return Err(failed(&io_reason(&error))),
        Err(error) => return Err(failed(&error.to_string())),
    }
    // A link stays a link.
    replace(place, new.as_bytes(), WriteOptions::new(Links::Within(&boundary.root)))
        .map_err(|error| failed(&error.reason()))
}
