//! Runs the rules, on each file by itself and then on all files together; removes the findings that
//! waivers, comments and the baseline cover; and applies fixes. Opens no file and reads no clock.

mod baseline;
mod evaluate;
mod file;
pub mod fix;
mod fix_plan;
mod lint;
mod neighbours;
mod objection;
mod owners;
mod policy;
mod run;
mod seen;
mod session;
mod suppressions;
mod waivers;

pub use baseline::{Baseline, BaselineError, KnownFinding};
pub use evaluate::{Evaluation, EvaluationError, evaluate};
pub(crate) use file::{FileLinter, FileResult};
pub(crate) use lint::{assemble, lint_all};
pub use lint::{lint, lint_with};
pub use run::LintOptions;
pub use session::{LintSession, SessionPolicy};
