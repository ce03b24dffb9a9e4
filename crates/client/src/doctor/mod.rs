//! The doctor: names the cause of a refusal, with the evidence and the remedy.
//!
//! A tenant answers every authentication error with the same 401, so the cause must be found from
//! outside: [`examine`] calls the tenant, changes one thing at a time and reports what helps;
//! [`examine_requests`] analyses requests that another client sent.

mod cause;
mod digest;
mod key;
mod live;
mod report;
mod request;

use core::error::Error;
use std::borrow::Cow;

use cortexkey_system::message_and_help;
use serde::Serialize;

pub use cause::Cause;
pub use live::{LiveOptions, examine};
pub use report::{DoctorReport, ProgramInfo, ReportedFinding, SettingState};
pub use request::{ObservedRequest, RequestsError, examine_requests, read_requests};

/// How certain a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Likelihood {
    /// The evidence allows no other explanation.
    Certain,
    /// A common cause.
    Likely,
    /// Cannot be determined from here.
    Possible,
}

impl Likelihood {
    /// The word in JSON.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// A cause that was found, with its evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct DoctorFinding {
    /// The cause.
    pub cause: Cause,
    /// How certain it is.
    pub certainty: Likelihood,
    /// The evidence.
    pub evidence: String,
    /// The remedy.
    pub remedy: Cow<'static, str>,
}

/// The result of an examination: its steps and findings.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The steps and their results, in order.
    pub steps: Vec<String>,
    /// The findings, the most certain first; empty if nothing is wrong.
    pub findings: Vec<DoctorFinding>,
}

impl Diagnosis {
    /// Whether there are no findings.
    pub fn is_healthy(&self) -> bool {
        self.findings.is_empty()
    }

    fn step(&mut self, text: impl Into<String>) {
        self.steps.push(text.into());
    }

    fn find(&mut self, cause: Cause, certainty: Likelihood, evidence: impl Into<String>) {
        let is_same = |known: &&mut DoctorFinding| known.cause == cause;
        match self.findings.iter_mut().find(is_same) {
            // For one cause, the more certain finding counts.
            Some(known) if known.certainty <= certainty => {}
            Some(known) => {
                known.certainty = certainty;
                known.evidence = evidence.into();
            }
            None => {
                let evidence = evidence.into();
                let remedy = Cow::Borrowed(cause.remedy());
                self.findings.push(DoctorFinding { cause, certainty, evidence, remedy });
            }
        }
    }

    /// A certain finding, whose evidence is an error. The error's own remedy replaces the general one
    /// about settings.
    fn find_error(&mut self, cause: Cause, error: &(dyn Error + 'static)) {
        let (evidence, help) = message_and_help(error);
        self.find(cause, Likelihood::Certain, evidence);
        let is_general =
            |known: &&mut DoctorFinding| known.cause == cause && cause == Cause::Settings;
        let found = self.findings.iter_mut().find(is_general);
        if let (Some(found), [_, ..]) = (found, help.as_slice()) {
            found.remedy = Cow::Owned(help.join(", and "));
        }
    }

    fn is_certain(&self) -> bool {
        self.findings.iter().any(|finding| finding.certainty == Likelihood::Certain)
    }

    /// The most certain first; guesses are dropped next to certain findings.
    fn finish(mut self) -> Self {
        if self.is_certain() {
            self.findings.retain(|finding| finding.certainty == Likelihood::Certain);
        }
        self.findings.sort_by_key(|finding| finding.certainty);
        self
    }
}
