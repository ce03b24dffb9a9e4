//! The position of each finding: the value itself, and the second location that matters.

use std::fmt::Write as _;

use crate::examples::run;
use cortexkey_lint::report::Format;
use cortexkey_lint::rules::RULES;

/// The text under each finding of a rule's bad example and under its labels, one line per rule.
#[test]
fn each_rule_reports_the_position_of_its_value() {
    let mut out = String::new();
    for rule in RULES {
        let report = run(&rule.bad);
        for finding in report.findings.iter().filter(|finding| finding.rule.code() == rule.code) {
            let text = |place: cortexkey_lint::Location| {
                let source = &report.sources[place.source];
                let (start, end) = source.positions(place.span);
                let masked = source.masked();
                let text = place.span.slice(&masked).replace('\n', "\\n");
                let name = source.path.rsplit('/').next().unwrap().to_owned();
                let text: String = text.chars().take(40).collect();
                format!(
                    "{name}:{}:{}-{}:{} `{text}`",
                    start.line, start.column, end.line, end.column
                )
            };
            let labels: Vec<String> = finding
                .related
                .iter()
                .map(|second| format!("\n     {} {}", text(second.location), second.message))
                .collect();
            let place = text(finding.location);
            let labels = labels.concat();
            let message = &finding.message;
            writeln!(out, "{} {place}{labels}\n     {message}", rule.code).unwrap();
        }
    }
    insta::assert_snapshot!(out);
}

/// Every format prints every rule's finding, and none prints a control character.
#[test]
fn each_finding_is_printed_in_each_format() {
    for rule in RULES {
        let report = run(&rule.bad);
        for (_, format) in Format::ALL {
            let text = report.render(format, false);
            assert!(text.contains(rule.code), "{text}");
            assert!(!text.contains('\u{1b}'), "{text}");
        }
    }
}
