//! The vocabulary of the other layers: files, findings and reports. Nothing here checks anything.

mod builder;
mod claims;
mod corpus;
mod duration;
mod edits;
mod finding;
mod fingerprint;
mod report;
mod role_name;
mod rule_id;
mod source;
mod tally;

pub(crate) use builder::FindingBuilder;
pub(crate) use claims::{Claim, may_claim};
pub(crate) use corpus::document_at;
pub use corpus::{Corpus, CorpusFile, EarlierCorpus, KeyDocument, LockedKeys};
pub(crate) use duration::{duration_beyond, duration_in_words};
pub(crate) use edits::{
    add_after, end_of_line, entry_span, in_json, remove_entry, remove_item, remove_waiver,
};
pub use finding::{Edit, Finding, Fix, Related, WaivedBy, WaivedFinding};
pub(crate) use fingerprint::fingerprints;
pub(crate) use report::Coverage;
pub use report::{Report, Summary};
pub(crate) use role_name::{folded, same_role};
pub use rule_id::{Family, RuleId};
pub use source::{FileId, Location, SourceId, SourceText, Sources};
pub use tally::{Tallies, Tally};
