//! Fingerprints identify a finding in another run, and in other programs.
//!
//! They include neither line numbers nor the time: an edit elsewhere in a file, or another day,
//! must not turn an old finding into a new one. The text is masked first, so that they include no
//! secret.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::finding::Finding;
use super::source::{SourceId, Sources};

/// Gives each finding its fingerprint: rule, key (or file, if it is about none), and the text at
/// the location; a running number distinguishes findings that are equal in all of these.
pub(crate) fn fingerprints<'f>(sources: &Sources, findings: impl Iterator<Item = &'f mut Finding>) {
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
        let base: [u8; 32] = hash.clone().finalize().into();
        let count = seen.entry(base).or_default();
        if *count > 0 {
            hash.update(count.to_string().as_bytes());
        }
        *count += 1;
        finding.fingerprint = hex::encode(hash.finalize());
    }
}
