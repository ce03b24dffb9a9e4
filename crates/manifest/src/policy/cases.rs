//! Cases of a policy: a definition, a time, and the findings that are expected.
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
//! Read with the strictness of policies. Refuses nothing about rules: the linter knows them.

use super::rules::{SEVERITIES, Severity};
use crate::definition::moment;
use crate::reader::{Reader, into_list};
use crate::yaml::{Document, NodeId, Tree};
use crate::{Field, Problem, ProblemKind, Span, quote_refused};

/// The kind of a file with cases.
pub const CASES_KIND: &str = "PolicyTest";

/// One finding that is expected.
#[derive(Clone, Debug)]
pub struct Expected {
    /// Where it stands.
    pub span: Span,
    /// The rule, by name or code.
    pub rule: Field<String>,
    /// The line in the definition, from 1.
    pub line: Field<u64>,
    /// How grave.
    pub severity: Field<Severity>,
}

/// One case.
#[derive(Clone, Debug)]
pub struct Case {
    /// Where it stands.
    pub span: Span,
    /// What it shows.
    pub name: Field<String>,
    /// The time.
    pub now: Field<jiff::Timestamp>,
    /// The path that the definition is judged under.
    pub path: Field<String>,
    /// The text of the definition's file.
    pub definition: Field<String>,
    /// All findings, in any order.
    pub expect: Field<Vec<Expected>>,
}

/// What came of a file with cases.
#[derive(Clone, Debug)]
pub struct LoweredCases {
    /// The cases.
    pub cases: Vec<Case>,
    /// All mistakes of the document.
    pub problems: Vec<Problem>,
}

/// Reads one document as cases.
#[must_use]
pub fn read_cases(tree: &Tree, document: Document) -> LoweredCases {
    let mut reader = Reader::new(tree);
    let cases = cases(&mut reader, document).unwrap_or_default();
    LoweredCases { cases, problems: reader.problems }
}

fn cases(reader: &mut Reader<'_>, document: Document) -> Option<Vec<Case>> {
    let place = crate::definition::top_place(reader.tree, document.root);
    let fields = reader.mapping(document.root, place, "", &["apiVersion", "kind", "cases"])?;
    if !crate::definition::header(reader, &fields, CASES_KIND) {
        return None;
    }
    let cases = reader.list(&fields, "cases", case);
    let cases = reader.required(cases, &fields, "cases", "cases: []");
    Some(into_list(cases))
}

fn case(reader: &mut Reader<'_>, id: NodeId, path: &str) -> Option<Case> {
    let known = ["name", "now", "path", "definition", "expect"];
    let fields = reader.mapping(id, reader.span(id), path, &known)?;
    let name = reader.text(&fields, "name");
    let name = reader.required(name, &fields, "name", "name: production keys are advanced");
    let now = reader.field(&fields, "now", |reader, entry, path| {
        let text = reader.text_at(entry.value, path)?;
        let time = moment(text);
        if let Err(error) = &time {
            let message = format!("{} in `{path}`: {}", quote_refused(text), error.message);
            let span = reader.span(entry.value);
            reader.report_help(ProblemKind::BadExpiry, span, message, error.help.clone());
        }
        time.ok()
    });
    let now = reader.required(now, &fields, "now", "now: 2026-01-01T00:00:00Z");
    let definition = reader.text(&fields, "definition");
    let definition = reader.required(definition, &fields, "definition", "definition: |");
    let expect = reader.list(&fields, "expect", |reader, id, path| {
        let fields = reader.mapping(id, reader.span(id), path, &["rule", "line", "severity"])?;
        let rule = reader.text(&fields, "rule");
        let rule = reader.required(rule, &fields, "rule", "rule: expiry-too-long");
        let line = reader.number(&fields, "line");
        let severity = super::read::refill(reader, &fields, "severity", SEVERITIES);
        Some(Expected { span: fields.span, rule, line, severity })
    });
    let expect = reader.required(expect, &fields, "expect", "expect: []");
    let path = reader.filled_text(&fields, "path");
    Some(Case { span: fields.span, name, now, path, definition, expect })
}
