//! The forms of output for programs: as their readers take them, and as they look.

use crate::common::{HEAD, folder, key, lint};
use cortexkey_lint::report::{Format, Report};
use serde_sarif::sarif::{ResultLevel, Sarif};

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
    for format in [Format::Junit, Format::Github, Format::Gitlab, Format::Concise] {
        insta::assert_snapshot!(format.word(), report.render(format, true));
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
