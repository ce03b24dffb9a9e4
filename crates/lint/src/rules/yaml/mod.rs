//! Family Y: the file as YAML. Its rules take over what the reader found.

pub(super) mod y001_syntax;
pub(super) mod y002_duplicate_key;
pub(super) mod y003_parser_disagreement;
pub(super) mod y004_ambiguous_scalar;
pub(super) mod y005_invisible_character;
pub(super) mod y006_alias_in_key;
pub(super) mod y007_multiple_documents;
pub(super) mod y008_line_endings;
