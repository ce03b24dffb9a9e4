//! Fingerprints: by which a finding is known again in another run, and in other programs.
//!
//! They refuse line numbers and the time: an edit elsewhere in a file, or another day, must not
//! make an old finding a new one. They refuse secrets: the text is masked first.

use std::collections::HashMap;

use cortexkey_manifest::{blank, secret_ranges};
use sha2::{Digest, Sha256};

use crate::finding::Finding;
use crate::report::Source;

/// Gives each finding its fingerprint: rule, key (or file, where it is about none), and what stands
/// at the place; a running number tells apart what is the same in all of these.
pub(crate) fn fingerprints<'f>(
    sources: &[Source],
    findings: impl Iterator<Item = &'f mut Finding>,
) {
    let mut seen: HashMap<[u8; 32], usize> = HashMap::new();
    let mut masked: HashMap<usize, String> = HashMap::new();
    for finding in findings {
        let source = &sources[finding.place.source];
        let text = masked.entry(finding.place.source).or_insert_with(|| source.masked());
        let about = finding.key.as_deref().unwrap_or(&source.id);
        let value = finding.place.span.slice(text);
        let mut hash = Sha256::new();
        for part in [&*finding.code, about, value, &finding.about] {
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

impl Source {
    /// The text with everything that may be a secret as asterisks, byte for byte as long.
    #[must_use]
    pub fn masked(&self) -> String {
        let text = self.tree.source();
        let ranges = secret_ranges(text, Some(&self.tree), self.policy);
        if ranges.is_empty() { text.to_owned() } else { blank(text, &ranges) }
    }
}
