//! Family Y: the file as YAML. Its rules take over what the reader found.

pub(super) mod y001_syntax;
pub(super) mod y002_duplicate_key;
pub(super) mod y003_parser_disagreement;
pub(super) mod y006_alias_in_key;
