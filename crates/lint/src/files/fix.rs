//! Fixes files: in memory first, then on disk or as a diff.
//!
//! A file that changed since it was read is not written, nor is one outside the repository.

use std::collections::BTreeMap;
use std::path::Path;

use cortexkey_system::{Links, ReadError, Write, read, replace};

use super::boundary::Boundary;
use super::open::reason;
use super::{FixMode, Options, RunError, load_policy};
use crate::engine::fix::{self, FixOptions};
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
    let number = policy.number;
    let reload =
        |texts: &BTreeMap<String, String>| load_policy(options, chosen, number, texts).ok();
    let paths: BTreeMap<SourceId, &str> =
        corpus.files.iter().map(|file| (SourceId::File(file.id), file.path.as_str())).collect();
    let is_accepted = |finding: &Finding| {
        let path = paths.get(&finding.location.source).copied();
        let path = path.or_else(|| policy.path_of(finding.location.source));
        let fix = path.map(|path| (path.to_owned(), finding.fingerprint.clone()));
        fix.is_some_and(|fix| options.accepted_fixes.contains(&fix))
    };
    let is_copy = |finding: &Finding| {
        let path = policy.path_of(finding.location.source);
        path.is_some_and(cortexkey_manifest::policy::pinned::is_copy)
    };
    let accepts = |finding: &Finding| {
        let is_safe = finding.fix.as_ref().is_some_and(|fix| fix.safe);
        // A copy of a remote policy is fixed in its own repository.
        !is_copy(finding)
            && options.selection.shows(finding, policy)
            && (is_safe || options.unsafe_fixes || is_accepted(finding))
    };
    let request = FixOptions { accepts: &accepts, limits: options.limits, reload: &reload };
    // A fix that would bring a finding that is not shown is withheld too.
    let lint_options = LintOptions { selection: None, ..*lint_options };
    let session = LintSession::new(corpus.clone(), &*policy, &lint_options);
    let fixed = fix::fix(session, &request);
    let old: BTreeMap<String, (String, bool)> = policy
        .sources()
        .map(|(path, tree)| (path.to_owned(), (tree.source().to_owned(), true)))
        .chain(
            corpus
                .files
                .iter()
                .map(|file| (file.path.clone(), (file.tree.source().to_owned(), false))),
        )
        .collect();
    let mut diff = String::new();
    for (path, new) in &fixed.texts {
        let Some((text, of_policy)) = old.get(path) else { continue };
        diff += &fix::diff(path, text, new, *of_policy);
    }
    messages.extend(fixed.withheld.iter().cloned());
    if options.fix == FixMode::Diff {
        let would = if fixed.count == 1 { "finding" } else { "findings" };
        messages.push(format!("{} {would} would be fixed", fixed.count));
        return Ok(diff);
    }
    for (path, new) in &fixed.texts {
        let Some((text, of_policy)) = old.get(path) else { continue };
        let file = corpus.files.iter().find(|file| file.path == *path);
        let own = options.folder.join(path);
        let place = match file {
            Some(file) if !of_policy => file.disk_path.as_deref(),
            _ => Some(own.as_path()),
        };
        write(path, place, text, new)?;
    }
    for file in &mut corpus.files {
        if let Some(new) = fixed.texts.get(&file.path) {
            *file = file.with_bytes(new.clone().into_bytes(), &options.limits);
        }
    }
    *policy = load_policy(options, chosen, number, &BTreeMap::new())?;
    if fixed.count > 0 {
        let count = fixed.count;
        let files = fixed.texts.len();
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        messages.push(format!(
            "fixed {count} finding{} in {files} file{}",
            plural(count),
            plural(files)
        ));
    }
    Ok(diff)
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
    let boundary = Boundary::of(place.parent().unwrap_or(place))?;
    let changed =
        || RunError::new(format!("{path} changed while it was being fixed; run it again"));
    match read(place, old.len() as u64) {
        Ok(bytes) if bytes == old.as_bytes() => {}
        Ok(_) | Err(ReadError::TooLarge { .. }) => return Err(changed()),
        Err(ReadError::System(error)) => return Err(failed(&reason(&error))),
        Err(error) => return Err(failed(&error.to_string())),
    }
    // A link stays a link.
    replace(place, new.as_bytes(), Write::new(Links::Within(&boundary.root)))
        .map_err(|error| failed(&error.reason()))
}
