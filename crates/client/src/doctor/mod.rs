//! The doctor: names the cause of a refusal, with the evidence and the remedy.
//!
//! A tenant answers every mistake with the same 401, so what lies behind it must be found from
//! outside: [`examine`] calls the tenant, changes one thing at a time and sees what helps;
//! [`examine_requests`] looks at requests that another client sent.

mod cause;
mod digest;
mod key;
mod live;
mod report;
mod request;

use serde::Serialize;

pub use cause::Cause;
pub use live::{LiveOptions, examine};
pub use report::{Program, Report, ReportedFinding, SettingState};
pub use request::{ObservedRequest, RequestsError, examine_requests, read_requests};

/// How sure a finding is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Certainty {
    /// The evidence leaves no other reading.
    Certain,
    /// It is so often enough to look there first.
    Likely,
    /// It cannot be told from here.
    Possible,
}

impl Certainty {
    /// The word that JSON has for it.
    pub const fn code(self) -> &'static str {
        match self {
            Self::Certain => "certain",
            Self::Likely => "likely",
            Self::Possible => "possible",
        }
    }
}

/// Something that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Finding {
    /// What it is.
    pub cause: Cause,
    /// How sure it is.
    pub certainty: Certainty,
    /// What was seen.
    pub evidence: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// What came of an examination: what was looked at, and what was found.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Diagnosis {
    /// What was done and what it said, in order.
    pub steps: Vec<String>,
    /// What was found, the surest first; nothing where nothing is wrong.
    pub findings: Vec<Finding>,
}

impl Diagnosis {
    /// Whether nothing is wrong.
    pub fn is_healthy(&self) -> bool {
        self.findings.is_empty()
    }

    fn step(&mut self, text: impl Into<String>) {
        self.steps.push(text.into());
    }

    fn find(&mut self, cause: Cause, certainty: Certainty, evidence: impl Into<String>) {
        let is_same = |known: &&mut Finding| known.cause == cause;
        match self.findings.iter_mut().find(is_same) {
            // The surer word on one cause counts.
            Some(known) if known.certainty <= certainty => {}
            Some(known) => {
                known.certainty = certainty;
                known.evidence = evidence.into();
            }
            None => {
                let (evidence, remedy) = (evidence.into(), cause.remedy());
                self.findings.push(Finding { cause, certainty, evidence, remedy });
            }
        }
    }

    fn is_certain(&self) -> bool {
        self.findings.iter().any(|finding| finding.certainty == Certainty::Certain)
    }

    /// The surest first; guesses fall away beside what is certain.
    fn finish(mut self) -> Self {
        if self.is_certain() {
            self.findings.retain(|finding| finding.certainty == Certainty::Certain);
        }
        self.findings.sort_by_key(|finding| finding.certainty);
        self
    }
}
