//! Family S: the form of a definition. Its rules report the reader's mistakes.

pub(crate) mod s001_unknown_field;
pub(crate) mod s002_missing_field;
pub(crate) mod s003_wrong_type;
pub(crate) mod s004_bad_value;
pub(crate) mod s005_unsupported_version;
pub(crate) mod s006_field_order;
pub(crate) mod s007_outside_corpus;
pub(crate) mod s008_modeline;
