//! Watches keys: sends each due notice once to each target, and publishes metrics and a calendar.
//!
//! A run is a straight line: [`Observation`]s at tenants, [`due`] notices, messages queued in the
//! [`NoticeJournal`], and [`deliver`]. The journal is on disk before each step that cannot be
//! undone, so a run that is killed anywhere loses nothing: the next one continues where it stopped.
//! If a response never arrived, it is unknown whether the target got the message. Such a message is
//! sent again with the same id, marked as a possible repeat.

mod calendar;
mod journal;
mod message;
mod metrics;
mod notice;
mod observation;
mod scrape;
mod send;

pub use calendar::calendar;
pub use journal::{
    DeliveryLog, DeliveryOutcome, JournalError, NoticeDelivery, NoticeJournal, deliver,
};
pub use message::NoticeMessage;
pub use metrics::{TargetState, metrics};
pub use notice::{Due, NoticeKind, Threshold, ThresholdError, Thresholds, WatchNotice, due};
pub use observation::{
    Observation, ObservationError, ObservedTenant, WatchedDefinition, WatchedKey,
};
pub use scrape::Scrape;
pub use send::{SendError, Sender};
