//! The policy in force: its layers merged, the settings of each rule, and the rules that it
//! defines. A policy knows which rules exist, but not how they check.

mod check;
pub(crate) mod custom;
mod declare;
mod in_force;
mod match_paths;
mod matches;
mod options;
mod patterns;
mod registry;
mod selection;
mod settings;
mod show;
mod subject;
mod waivers;

pub(crate) use check::MistakeKind;
pub use custom::{Custom, FUNCTIONS, Function, VARIABLES};
pub(crate) use declare::rule_options;
pub use in_force::Policy;
pub(crate) use options::{Digest, InForce, OptionField, Period};
pub use options::{OptionDoc, OptionType, StricterWhen, WEEKDAYS};
pub(crate) use patterns::Pattern;
pub(crate) use registry::RuleSpec;
pub use selection::Selection;
pub(crate) use selection::SelectionError;
pub(crate) use settings::EffectiveSettings;
pub use settings::Settings;
pub use show::{Fact, level};
pub(crate) use subject::Subject;
pub(crate) use waivers::{lacking, names_key};
