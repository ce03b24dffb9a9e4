//! Family S: the form of a definition. Its rules take over what the reader found.

pub(super) mod s001_unknown_field;
pub(super) mod s002_missing_field;
pub(super) mod s003_wrong_type;
pub(super) mod s004_bad_value;
pub(super) mod s005_unsupported_version;
pub(super) mod s006_field_order;
pub(super) mod s007_outside_corpus;
