//! What the name of a file says about its content.

use std::path::Path;

/// Names of a policy file.
pub const POLICY_NAMES: [&str; 2] = ["cortexkey.yaml", ".cortexkey.yaml"];

/// Whether a file is YAML.
pub(super) fn is_yaml(path: &Path) -> bool {
    has_end(path, &["yaml", "yml"])
}

/// Whether a file's name allows a definition.
pub(super) fn may_define(path: &Path) -> bool {
    has_end(path, &["yaml", "yml", "json"])
}

fn has_end(path: &Path, ends: &[&str]) -> bool {
    let end = path.extension().and_then(|end| end.to_str()).unwrap_or_default();
    ends.iter().any(|known| end.eq_ignore_ascii_case(known))
}

/// Whether a file has the name of a policy.
pub(super) fn has_policy_name(path: &Path) -> bool {
    path.file_name().is_some_and(|name| POLICY_NAMES.iter().any(|known| name == *known))
}
