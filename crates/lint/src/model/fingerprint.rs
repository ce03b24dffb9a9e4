//! Fingerprints identify a finding in another run, and in other programs.
//!
//! They include neither line numbers nor the time: an edit elsewhere in a file, or another day,
//! must not turn an old finding into a new one. The text is masked first, so that they include no
//! secret.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::corpus::{CorpusFile, document_at};
use super::finding::Finding;
use super::source::{SourceId, Sources};

/// Gives each finding its fingerprint: rule, key with the tenant that its definition names (or file,
/// if it is about none), and the text at the location; a running number distinguishes findings that are
/// equal in all of these.
pub(crate) fn fingerprints<'f>(
    sources: &Sources,
    files: &[CorpusFile],
    findings: impl Iterator<Item = &'f mut Finding>,
) {
    let files: HashMap<SourceId, &CorpusFile> =
        files.iter().map(|file| (SourceId::File(file.id), file)).collect();
    let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
    let mut masked: HashMap<SourceId, String> = HashMap::new();
    for finding in findings {
        let source = &sources[finding.location.source];
        let text = masked.entry(finding.location.source).or_insert_with(|| source.masked());
        let about = finding.key.as_deref().unwrap_or(&source.policy_path);
        let value = finding.location.span.slice(text);
        let mut hash = Sha256::new();
        for part in [finding.rule.code(), about, value, &finding.detail] {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        // Two tenants may each have a key of this name.
        if let Some(tenant) = files.get(&finding.location.source).and_then(|file| {
            document_at(&file.documents, finding.location.span)?.definition.as_ref()?.tenant()
        }) {
            hash.update(tenant.as_bytes());
            hash.update([0]);
        }
        let base: [u8; 32] = hash.clone().finalize().into();
        let count = seen.entry(base).or_default();
        if *count > 0 {
            hash.update(count.to_string().as_bytes());
        }
        *count += 1;
        finding.fingerprint = hex::encode(hash.finalize());
    }
}
