//! The built-in policies; their texts are files of the repository.

/// Whether a name or path means a built-in policy, existing or not.
#[must_use]
pub fn is_builtin(name: &str) -> bool {
    name.starts_with("builtin:")
}

/// Name and text of each built-in policy.
pub const BUILTINS: [(&str, &str); 3] = [
    ("builtin:minimal", include_str!("../../../../policies/minimal.yaml")),
    ("builtin:recommended", include_str!("../../../../policies/recommended.yaml")),
    ("builtin:strict", include_str!("../../../../policies/strict.yaml")),
];

/// The text of a built-in policy, by its full name.
#[must_use]
pub fn builtin(name: &str) -> Option<&'static str> {
    BUILTINS.iter().find(|(known, _)| *known == name).map(|(_, text)| *text)
}
