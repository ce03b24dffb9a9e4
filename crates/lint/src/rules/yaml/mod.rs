//! Family Y: the file as YAML. Its rules report the reader's mistakes.

pub(crate) mod y001_syntax;
pub(crate) mod y002_duplicate_key;
pub(crate) mod y003_parser_disagreement;
pub(crate) mod y004_ambiguous_scalar;
pub(crate) mod y005_invisible_character;
pub(crate) mod y006_alias_in_key;
pub(crate) mod y007_multiple_documents;
pub(crate) mod y008_line_endings;
