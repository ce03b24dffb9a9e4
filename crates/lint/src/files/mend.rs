//! Mending files: in memory first, then on disk, or as a diff.
//!
//! It refuses to write a file that changed since it was read, and standard input.

use std::collections::BTreeMap;
use std::fs;

use super::{FixMode, Options, load_policy};
use crate::corpus::{Corpus, CorpusFile};
use crate::fix;
use crate::judge::Ask;
use crate::policy::Policy;

/// Mends corpus and policy, and gives the diff. With [`FixMode::Diff`] both stay as they are.
pub(super) fn mend(
    options: &Options,
    chosen: &str,
    corpus: &mut Corpus,
    policy: &mut Policy,
    ask: &Ask<'_>,
    messages: &mut Vec<String>,
) -> Result<String, String> {
    let stdin = options.paths.iter().any(|path| path.as_os_str() == "-");
    if stdin && options.fix == FixMode::Write {
        return Err(
            "standard input cannot be mended in place; --diff shows what would change".into()
        );
    }
    let reload = |texts: &BTreeMap<String, String>| load_policy(options, chosen, texts).ok();
    let mended = fix::mend(corpus, policy, ask, options.unsafe_fixes, &options.limits, &reload);
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
    for (path, new) in &mended.texts {
        let Some((text, of_policy)) = old.get(path) else { continue };
        diff += &fix::diff(path, text, new, *of_policy);
    }
    if options.fix == FixMode::Diff {
        let would = if mended.count == 1 { "finding" } else { "findings" };
        messages.push(format!("{} {would} would be mended", mended.count));
        return Ok(diff);
    }
    for (path, new) in &mended.texts {
        let Some((text, _)) = old.get(path) else { continue };
        write(options, path, text, new)?;
    }
    for file in &mut corpus.files {
        if let Some(new) = mended.texts.get(&file.path) {
            let bytes = new.clone().into_bytes();
            let fresh = CorpusFile::new(file.path.clone(), bytes, &options.limits);
            *file = CorpusFile { id: file.id.take(), reported: file.reported, ..fresh };
        }
    }
    *policy = load_policy(options, chosen, &BTreeMap::new())?;
    if mended.count > 0 {
        let (count, files) = (mended.count, mended.texts.len());
        let plural = |count: usize| if count == 1 { "" } else { "s" };
        messages.push(format!(
            "mended {count} finding{} in {files} file{}",
            plural(count),
            plural(files)
        ));
    }
    Ok(diff)
}

/// Writes a file beside itself first, so that it is whole at any moment.
fn write(options: &Options, path: &str, old: &str, new: &str) -> Result<(), String> {
    let failed = |error: std::io::Error| format!("cannot write {path}: {error}");
    // A link stays a link.
    let file = fs::canonicalize(options.folder.join(path)).map_err(failed)?;
    if fs::read(&file).map_err(failed)? != old.as_bytes() {
        return Err(format!("{path} changed while it was being mended; run it again"));
    }
    let rights = fs::metadata(&file).map_err(failed)?.permissions();
    let mut name = file.file_name().unwrap_or_default().to_os_string();
    name.push(".cortexkey-tmp");
    let beside = file.with_file_name(name);
    let written = fs::write(&beside, new)
        .and_then(|()| fs::set_permissions(&beside, rights))
        .and_then(|()| fs::rename(&beside, &file));
    written.map_err(|error| {
        let _ = fs::remove_file(&beside);
        failed(error)
    })
}
