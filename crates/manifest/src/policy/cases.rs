//! Test cases of a policy: a definition, a time, and the expected findings.
//!
//! ```yaml
//! apiVersion: cortexkey/v1
//! kind: PolicyTest
//! cases:
//!   - name: production keys are advanced
//!     now: 2026-01-01T00:00:00Z
//!     definition: |
//!       apiVersion: cortexkey/v1
//!       …
//!     expect: [{ rule: ORG001, line: 6, severity: error }]
//! ```
//!
//! The linter checks the rules that a case names.

use super::Severity;
use crate::definition::moment;
use crate::format::CASES;
use crate::reader::{Fields, Reader};
use crate::yaml::{Document, Tree};
use crate::{Field, Problem, ProblemKind, Span};

/// An expected finding.
#[derive(Clone, Debug)]
pub struct ExpectedFinding {
    /// Its position.
    pub span: Span,
    /// The rule, by name or code.
    pub rule: Field<String>,
    /// The line in the definition, from 1.
    pub line: Field<u64>,
    /// Its severity.
    pub severity: Field<Severity>,
}

/// A test case.
#[derive(Clone, Debug)]
pub struct PolicyCase {
    /// Its position.
    pub span: Span,
    /// Its name: what the case shows.
    pub name: Field<String>,
    /// The time at which the definition is checked.
    pub now: Field<jiff::Timestamp>,
    /// The path under which the definition is checked.
    pub path: Field<String>,
    /// The text of the definition's file.
    pub definition: Field<String>,
    /// All expected findings, in any order.
    pub expect: Field<Vec<ExpectedFinding>>,
}

/// The result of reading a file with cases.
#[derive(Clone, Debug)]
pub struct LoweredCases {
    /// The cases.
    pub cases: Vec<PolicyCase>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}

/// Reads one document as cases.
#[must_use]
pub fn read_cases(tree: &Tree, document: Document) -> LoweredCases {
    let mut reader = Reader::new(tree);
    let fields = reader.document(document, &CASES);
    let cases = fields.map(|fields| reader.mappings(&fields, "cases", case).into_list());
    LoweredCases { cases: cases.unwrap_or_default(), problems: reader.problems }
}

fn case<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> PolicyCase {
    PolicyCase {
        span: fields.span,
        name: reader.text(fields, "name"),
        now: reader.time(fields, "now", ProblemKind::BadExpiry, moment),
        definition: reader.text(fields, "definition"),
        expect: reader.mappings(fields, "expect", expected),
        path: reader.text(fields, "path"),
    }
}

fn expected<'t>(reader: &mut Reader<'t>, fields: &Fields<'t>) -> ExpectedFinding {
    ExpectedFinding {
        span: fields.span,
        rule: reader.text(fields, "rule"),
        line: reader.number(fields, "line"),
        severity: reader.choice(fields, "severity"),
    }
}
