//! The output formats for programs: valid for their consumers, and as snapshots.

use std::path::Path;

use crate::common::{HEAD, folder, key, lint};
use cortexkey_lint::report::Format;
use cortexkey_lint::{Finding, Related, Report, Severity, WaivedFinding};
use serde_json::Value;
use serde_sarif::sarif::{ResultLevel, Sarif};

/// GitHub's limits for one run: results, and locations of one result.
const RESULTS: usize = 25_000;
const RELATED: usize = 1000;

fn report() -> Report {
    let policy = format!(
        "{HEAD}keys: ['keys/*.yaml']\nwaivers: [{{ rule: L001, key: svc-waived, reason: r, \
         approvedBy: b, expires: 2026-02-01 }}]\n"
    );
    let standard = |name: &str| key(name).replace("advanced", "standard");
    let folder = folder(&[
        ("cortexkey.yaml", &policy),
        ("keys/svc-abc.yaml", &standard("svc-abc").replace("[Viewer]", "[viewer, Viewer]")),
        ("keys/svc-good.yaml", &key("svc-good")),
        ("keys/svc-waived.yaml", &standard("svc-waived")),
        ("keys/svc x&y.yaml", "a: <\n\t"),
    ]);
    lint(&folder, &[]).report.unwrap()
}

#[test]
fn forms_for_programs() {
    let report = report();
    let all = [
        Format::Junit,
        Format::Github,
        Format::Gitlab,
        Format::Concise,
        Format::Grouped,
        Format::Markdown,
        Format::Rdjson,
        Format::Checkstyle,
    ];
    for format in all {
        insta::assert_snapshot!(format.as_str(), report.render(format, true));
    }
}

#[test]
fn sarif_is_read_as_it_was_meant() {
    let report = report();
    let text = report.render(Format::Sarif, false);
    let log: Sarif = serde_json::from_str(&text).unwrap();
    let results = log.runs[0].results.as_ref().unwrap();
    assert_eq!(results.len(), report.findings.len() + report.waived.len());
    let waived = results.iter().filter(|result| result.suppressions.is_some()).count();
    assert_eq!(waived, report.waived.len());
    let rules = log.runs[0].tool.driver.rules.as_ref().unwrap();
    for result in results {
        let index = usize::try_from(result.rule_index.unwrap()).unwrap();
        assert_eq!(Some(&rules[index].id), result.rule_id.as_ref());
        assert!(rules[index].help_uri.is_some(), "{}", rules[index].id);
        assert!(result.partial_fingerprints.as_ref().is_some_and(|prints| prints.len() == 1));
    }
    let level = |code: &str| {
        let found = results.iter().find(|result| result.rule_id.as_deref() == Some(code));
        found.and_then(|result| result.level)
    };
    assert!(matches!(level("L001"), Some(ResultLevel::Error)));
    assert!(matches!(level("R003"), Some(ResultLevel::Warning)));
    insta::assert_snapshot!("sarif", text);
}

fn sarif(report: &Report) -> Value {
    serde_json::from_str(&report.render(Format::Sarif, false)).unwrap()
}

/// A report with this many errors, warnings and waived findings, the errors last.
fn report_of(errors: usize, warnings: usize, waived: usize) -> Report {
    let mut report = report();
    let one = |severity: Severity| {
        let found = report.findings.iter().find(|finding| finding.severity == severity);
        // Short, as there are many.
        Finding { help: None, related: Vec::new(), fix: None, ..found.unwrap().clone() }
    };
    let error = one(Severity::Error);
    let warning = one(Severity::Warning);
    let finding = Finding { help: None, related: Vec::new(), ..report.waived[0].finding.clone() };
    let known = WaivedFinding { finding, ..report.waived[0] };
    report.findings = vec![warning; warnings];
    report.findings.extend(vec![error; errors]);
    report.waived = vec![known; waived];
    report
}

/// The numbers of errors, warnings and suppressed results.
fn counts(log: &Value) -> [usize; 3] {
    let results = log["runs"][0]["results"].as_array().unwrap();
    let (known, new): (Vec<_>, Vec<_>) =
        results.iter().partition(|result| result.get("suppressions").is_some());
    let of = |level: &str| new.iter().filter(|result| result["level"] == level).count();
    [of("error"), of("warning"), known.len()]
}

#[test]
fn sarif_stays_below_the_limit_and_reports_what_was_cut() {
    // At the limit, all results are included, and there is no notification.
    let log = sarif(&report_of(2_000, 22_990, 10));
    assert_eq!(counts(&log), [2_000, 22_990, 10]);
    assert_eq!(log["runs"][0].get("invocations"), None);
    for ([errors, warnings, waived], left) in
        [([2_000, 22_990, 500], [2_000, 22_990, 10]), ([24_000, 2_000, 3], [24_000, 1_000, 0])]
    {
        let log = sarif(&report_of(errors, warnings, waived));
        assert_eq!(counts(&log), left);
        let invocation = &log["runs"][0]["invocations"][0];
        assert_eq!(invocation["executionSuccessful"], true);
        let notification = &invocation["toolExecutionNotifications"][0];
        assert_eq!(notification["level"], "warning");
        let all = errors + warnings + waived;
        let text = notification["message"]["text"].as_str().unwrap();
        assert!(text.starts_with(&format!("{} of {all} ", all - RESULTS)), "{text}");
        // The rules are those of the remaining results, which refer to them.
        let rules = log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap();
        for result in log["runs"][0]["results"].as_array().unwrap() {
            let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
            assert_eq!(rules[index]["id"], result["ruleId"]);
        }
    }
}

#[test]
fn sarif_stays_below_the_limit_of_bytes_and_of_places() {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    let mut report = report_of(100, 900, 0);
    // 20 MB of text that hardly compresses.
    let mut state = 1_u64;
    let mut byte = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 56) as u8
    };
    for finding in &mut report.findings {
        let bytes: Vec<u8> = core::iter::repeat_with(&mut byte).take(15_000).collect();
        finding.message = STANDARD.encode(bytes);
    }
    let text = report.render(Format::Sarif, false);
    let log: Value = serde_json::from_str(&text).unwrap();
    let [errors, warnings, _] = counts(&log);
    assert_eq!(errors, 100);
    // Of 15 MB of incompressible text, at most 10 MB remain, and not much less than possible.
    assert!((450..667).contains(&(errors + warnings)), "{errors} {warnings}");
    let notification = &log["runs"][0]["invocations"][0]["toolExecutionNotifications"][0];
    let said = notification["message"]["text"].as_str().unwrap();
    assert!(said.starts_with(&format!("{} of 1000 ", 1000 - errors - warnings)), "{said}");

    let mut report = report_of(1, 0, 0);
    let location = report.findings[0].location;
    let message = "here".to_owned();
    let related = Related { location, message };
    report.findings[0].related = vec![related; RELATED + 1];
    let log = sarif(&report);
    let related = log["runs"][0]["results"][0]["relatedLocations"].as_array().unwrap();
    assert_eq!(related.len(), RELATED);
}

/// Each `artifactLocation` of a log.
fn artifacts<'l>(value: &'l Value, out: &mut Vec<&'l Value>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| artifacts(value, out)),
        Value::Object(fields) => {
            out.extend(fields.get("artifactLocation"));
            fields.values().for_each(|value| artifacts(value, out));
        }
        _ => {}
    }
}

#[test]
fn a_built_in_policy_is_no_file_of_the_repository() {
    let definition = key("svc-long").replace("90d", "900d");
    let extends = format!("{HEAD}extends: ['builtin:strict']\nkeys: ['keys/*.yaml']\n");
    for policy in [None, Some(("cortexkey.yaml", extends.as_str()))] {
        let files = policy.into_iter().chain([("keys/svc-long.yaml", definition.as_str())]);
        let folder = folder(&files.collect::<Vec<_>>());
        let report = lint(&folder, &[]).report.unwrap();
        let log = sarif(&report);
        let results = log["runs"][0]["results"].as_array().unwrap();
        let result = results.iter().find(|result| result["ruleId"] == "E003").unwrap();
        // The limit is from the built-in policy, which the message names.
        let text = result["message"]["text"].as_str().unwrap();
        assert!(text.contains("builtin:"), "{text}");
        let mut found = Vec::new();
        artifacts(&log, &mut found);
        assert!(!found.is_empty());
        for artifact in found {
            let uri = artifact["uri"].as_str().unwrap();
            assert!(artifact["uriBaseId"] == "SRCROOT" && !uri.contains("builtin"), "{artifact}");
            assert!(folder.path().join(Path::new(uri)).is_file(), "{uri}");
        }
        for format in [Format::Github, Format::Gitlab] {
            let text = report.render(format, false);
            let names = |before: &str| text.contains(&format!("{before}builtin"));
            assert!(!names("file=") && !names("\"path\": \""), "{text}");
        }
    }
}

#[cfg(unix)]
#[test]
fn a_file_name_starts_no_line() {
    let waiver =
        "waivers: [{ rule: L001, key: svc-b, reason: r, approvedBy: b, expires: 2026-02-01 }]";
    let standard = |name: &str| key(name).replace("advanced", "standard");
    let folder = folder(&[
        ("cortexkey.yaml", &format!("{HEAD}keys: ['keys/**/*.yaml']\n{waiver}\n")),
        ("keys/nl\n::error::a.yaml", &standard("svc-a")),
        ("keys/nl\n::error::b.yaml", &standard("svc-b")),
        ("keys/nl\n::error::c.yaml", &key("svc-c")),
    ]);
    let report = lint(&folder, &[]).report.unwrap();
    assert_eq!((report.summary.errors, report.summary.waived), (1, 1));
    for (word, format) in Format::ALL.iter().filter(|(word, _)| *word != "github") {
        let text = report.render(*format, false);
        assert!(!text.lines().any(|line| line.trim_start().starts_with("::")), "{word} {text}");
    }
}
