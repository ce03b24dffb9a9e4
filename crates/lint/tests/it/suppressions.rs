//! Comments that suppress findings: what they cover, and the findings about invalid ones.

use crate::common::{HEAD, code, folder, found, key, lint, lint_with};
use cortexkey_lint::report::Format;

/// A key with a standard level and a comment on that line and one above.
fn with(trailing: &str, above: &str) -> String {
    key("abc").replace(
        "  securityLevel: advanced",
        &format!("{above}  securityLevel: standard{trailing}"),
    )
}

fn policy(rules: &str) -> String {
    format!("{HEAD}keys: ['*.key']\nrules: {{ {rules} }}\n")
}

fn lint_text(rules: &str, text: &str) -> Vec<String> {
    let folder = folder(&[("cortexkey.yaml", &policy(rules)), ("abc.key", text)]);
    found(&lint(&folder, &[]))
}

const GOOD: &str = "# cortexkey: ignore[L001] reason=\"SEC-77\" until=2026-03-31";

#[test]
fn a_comment_covers_its_line_or_the_node_below() {
    for text in [
        with(&format!("  {GOOD}"), ""),
        with("", &format!("  {GOOD}\n")),
        with("", &format!("  {GOOD}\n  # another comment\n")),
        with("", "").replace("spec:\n", &format!("{GOOD}\nspec:\n")),
        with("", &format!("  {}\n", GOOD.replace("L001", "E003, level-standard-forbidden"))),
    ] {
        let lines = lint_text("suppression-unused: { enabled: false }", &text);
        assert!(lines.is_empty(), "{lines:?}\n{text}");
    }
    // One line further down it covers nothing, which is reported.
    let far = with("", "").replace("  lifetime: 90d", &format!("  lifetime: 90d  {GOOD}"));
    let lines = lint_text("", &far);
    assert!(lines[0].contains("L001") && lines[1].contains("P005"), "{lines:?}");
}

#[test]
fn a_comment_above_an_item_covers_the_item() {
    let text = key("abc").replace(
        "  roles: [Viewer]",
        "  roles:\n    - Viewer\n    # cortexkey: ignore[R001] reason=\"soon\" until=2026-03-31\n    \
         - Nobody\n    - Nothing",
    );
    let lines = lint_text("", &text);
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("Nothing"), "{lines:?}");
}

#[test]
fn suppressed_findings_are_counted_and_in_json() {
    let folder =
        folder(&[("cortexkey.yaml", &policy("")), ("abc.key", &with(&format!("  {GOOD}"), ""))]);
    let outcome = lint(&folder, &[]);
    let report = outcome.report.as_ref().unwrap();
    assert_eq!((code(&outcome), report.summary.waived), (0, 1));
    let json = report.render(Format::Json, false);
    assert!(json.contains("\"by\": \"comment\""), "{json}");
    // With suppressions ignored, their findings appear, and nothing is reported about the comments.
    let outcome = lint_with(folder.path(), &[], |options| options.comments = false);
    assert_eq!((code(&outcome), found(&outcome).len()), (1, 1), "{:?}", found(&outcome));
}

#[test]
fn invalid_comments_are_findings_and_suppress_nothing() {
    let until = "until=2026-03-31";
    let mut shown = Vec::new();
    for (comment, rule) in [
        (format!("ignore[L001] {until}"), "P009"),
        ("ignore[L001] reason=\"x\"".to_owned(), "P009"),
        (format!("ignore[L001] reason=\"\" {until}"), "P009"),
        (format!("ignore[L001 reason=x {until}"), "P009"),
        (format!("ignore[L001] reason=\"x {until}"), "P009"),
        (format!("ignore L001 reason=x {until}"), "P009"),
        (format!("ignore[] reason=x {until}"), "P009"),
        (format!("ignore[L001] resaon=x {until}"), "P009"),
        (format!("ignore[L001] reason=x until=2025-12-30 {until}"), "P009"),
        (format!("ignore[L001] reason=x {until} reason=y"), "P009"),
        ("ignore[L001] reason=x until=soon".to_owned(), "P009"),
        ("ignore[L001] reason=x until=2025-12-30".to_owned(), "P001"),
        (format!("ignore[L0O1] reason=x {until}"), "P006"),
        ("ignore[L001] reason=x until=2031-01-01".to_owned(), "P003"),
    ] {
        let lines = lint_text("", &with(&format!("  # cortexkey: {comment}"), ""));
        let said = lines.iter().find(|line| line.contains(rule)).unwrap_or(&lines[0]);
        assert!(said.contains(rule), "{comment}: {lines:?}");
        shown.push(format!("{comment}\n  {said}\n"));
        let silenced = !lines.iter().any(|line| line.contains("L001 level"));
        assert_eq!(silenced, rule == "P003", "{comment}: {lines:?}");
    }
    insta::assert_snapshot!(shown.concat());
    let folder = folder(&[
        ("cortexkey.yaml", &policy("")),
        ("abc.key", &with(&format!("  # cortexkey: ignore[nope] reason=x {until}"), "")),
    ]);
    assert_eq!(code(&lint(&folder, &[])), 2);
}

#[test]
fn comments_cannot_suppress_locked_rules() {
    for rules in ["L001: { waivable: false }", "L001: { locked: true }"] {
        let lines = lint_text(rules, &with(&format!("  {GOOD}"), ""));
        assert!(lines.iter().any(|line| line.contains("L001 level-standard-forbidden]")));
        assert!(lines.iter().any(|line| line.contains("P004")), "{lines:?}");
    }
    // What cannot be checked is never suppressed.
    let text = "# cortexkey: ignore[Y001] reason=\"x\" until=2026-03-31\nspec: [\n";
    let lines = lint_text("", text);
    assert!(lines.iter().any(|line| line.contains("Y001 yaml-syntax]: not YAML")), "{lines:?}");
}

#[test]
fn child_waivers_cannot_override_a_parent_lock() {
    let waiver =
        "waivers: [{ rule: L001, key: abc, reason: r, approvedBy: b, expires: 2026-02-01 }]\n";
    let parent = |waiver: &str| format!("{HEAD}rules: {{ L001: {{ locked: true }} }}\n{waiver}");
    let child = |waiver: &str| format!("{HEAD}extends: [base.yaml]\nkeys: ['*.key']\n{waiver}");
    let run = |of_parent: &str, of_child: &str| {
        let folder = folder(&[
            ("cortexkey.yaml", &child(of_child)),
            ("base.yaml", &parent(of_parent)),
            ("abc.key", &with("", "")),
        ]);
        found(&lint(&folder, &[]))
    };
    assert!(run(waiver, "").is_empty());
    let lines = run("", waiver).join("\n");
    assert!(lines.contains("P004") && lines.contains("L001 level"), "{lines}");
}
