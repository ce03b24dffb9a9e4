//! Family S: the form of a definition.

use super::{KEY, fixed, key, lint_files, messages, shown};

#[test]
fn misspelt_fields_and_words_have_fixes() {
    let text = key("comment:", "commnet:");
    assert_eq!(shown("S001", "", &text).len(), 1);
    assert_eq!(fixed("S001", "", &text).as_deref(), Some(KEY));
    let text = key("advanced", "advnaced");
    assert_eq!(fixed("S004", "", &text).as_deref(), Some(KEY));
    // A name that resembles no known one gets no suggestion.
    assert_eq!(messages("S001", "", &key("comment:", "zzz:")).len(), 1);
    assert_eq!(fixed("S001", "", &key("comment:", "zzz:")), None);
    assert_eq!(messages("S004", "", &key("advanced", "zzz")).len(), 1);
    assert_eq!(fixed("S004", "", &key("advanced", "zzz")), None);
}

#[test]
fn each_mistake_of_form_is_one_rules() {
    for (rule, old, new) in [
        ("S001", "comment:", "commnet:"),
        ("S002", "  name: svc-a\n", ""),
        ("S003", "[Viewer]", "Viewer"),
        ("S004", "advanced", "advnaced"),
        ("S005", "cortexkey/v1", "cortexkey/v2"),
        ("Y001", "[Viewer]", "[Viewer"),
        ("Y002", "  owner: team-a\n", "  owner: team-a\n  owner: team-a\n"),
        ("Y003", "apiVersion", "%FOO bar\n---\napiVersion"),
        ("Y006", "For this test", "&a For this test"),
    ] {
        let text = key(old, new);
        for other in ["S001", "S002", "S003", "S004", "S005", "Y001", "Y002", "Y003", "Y006"] {
            let count = usize::from(other == rule);
            assert_eq!(messages(other, "", &text).len(), count, "{other} of {text}");
        }
    }
}

const ROOT: &str = "the order is apiVersion, kind, metadata, spec";

#[test]
fn the_first_field_out_of_order_is_reported_in_each_mapping() {
    let metadata = "the order is name, owner, tenant, labels, annotations, approvals";
    let spec = "the order is securityLevel, comment, expires, lifetime, roles, scope";
    let scope = "the order is assets, casesAndIssues, endpoints, datasets";
    for (old, new, reported) in [
        (
            "apiVersion: cortexkey/v1\nkind: ApiKey\n",
            "kind: ApiKey\napiVersion: cortexkey/v1\n",
            format!(
                "2 `apiVersion` | `apiVersion` must come before `kind` | {ROOT} | \
                 `kind`: this field"
            ),
        ),
        (
            "  name: svc-a\n  owner: team-a\n",
            "  owner: team-a\n  name: svc-a\n",
            format!(
                "5 `name` | `name` must come before `owner` | {metadata} | \
                 `owner`: this field"
            ),
        ),
        (
            "  lifetime: 90d\n  roles: [Viewer]\n",
            "  roles: [Viewer]\n  lifetime: 90d\n",
            format!(
                "10 `lifetime` | `lifetime` must come before `roles` | {spec} | \
                 `roles`: this field"
            ),
        ),
        (
            "    casesAndIssues: { mode: none }\n    endpoints: { mode: none }\n",
            "    endpoints: { mode: none }\n    casesAndIssues: { mode: none }\n",
            format!(
                "14 `casesAndIssues` | `casesAndIssues` must come before `endpoints` | \
                 {scope} | `endpoints`: this field"
            ),
        ),
    ] {
        let text = key(old, new);
        assert_eq!(shown("S006", "", &text), [reported]);
        assert_eq!(fixed("S006", "", &text).as_deref(), Some(KEY));
    }
}

#[test]
fn duplicate_and_unknown_fields_are_in_order() {
    let twice = key("  owner: team-a\n", "  owner: team-a\n  owner: team-a\n");
    let unknown = key("  owner: team-a\n", "  zzz: 1\n  owner: team-a\n");
    for text in [twice, unknown] {
        assert_eq!(messages("S006", "", &text), [""; 0]);
    }
}

/// The fields of the root in two orders.
fn turned(name: &str) -> String {
    let text = KEY.replace("svc-a", name);
    text.replace(
        "apiVersion: cortexkey/v1\nkind: ApiKey\n",
        "kind: ApiKey\napiVersion: cortexkey/v1\n",
    )
}

#[test]
fn each_document_of_a_file_is_looked_at() {
    let text =
        format!("{}---\n{KEY}---\n{}---\n{}", turned("svc-b"), turned("svc-c"), turned("svc-d"));
    let findings = lint_files("", &[("svc-a.yaml", &text)]).findings;
    let keys = findings.iter().filter(|finding| finding.rule.code() == "S006");
    let keys: Vec<&str> = keys.filter_map(|finding| finding.key.as_deref()).collect();
    assert_eq!(keys, ["svc-b", "svc-c", "svc-d"]);
    for first in [true, false] {
        let a = turned("svc-b");
        let b = KEY.to_owned();
        let text = if first { format!("{a}---\n{b}") } else { format!("{b}---\n{a}") };
        assert_eq!(messages("S006", "", &text).len(), 1, "{first}");
    }
}

/// The first lines of a definition after the fix; they contain two fields.
fn moved(lines: &str) -> Option<String> {
    let head = "apiVersion: cortexkey/v1\nkind: ApiKey\n";
    let text = fixed("S006", "", &key(head, lines))?;
    let rest = KEY.strip_prefix(head).unwrap();
    Some(text.strip_suffix(rest).unwrap_or(&text).to_owned())
}

#[test]
fn a_field_moves_with_the_comments_above_it() {
    for (lines, wanted) in [
        (
            "kind: ApiKey\n# one\n# two\napiVersion: cortexkey/v1 # three\n",
            "# one\n# two\napiVersion: cortexkey/v1 # three\nkind: ApiKey\n",
        ),
        // A blank line is not a comment.
        (
            "\n# one\n\nkind: ApiKey\napiVersion: cortexkey/v1\n",
            "\n# one\n\napiVersion: cortexkey/v1\nkind: ApiKey\n",
        ),
        // Neither is a comment with another indentation.
        (
            "kind: ApiKey\n  # one\napiVersion: cortexkey/v1\n",
            "apiVersion: cortexkey/v1\n  # one\nkind: ApiKey\n",
        ),
        // A comment at the top of a file is about the file, in one line or several.
        (
            "# one\nkind: ApiKey\napiVersion: cortexkey/v1\n",
            "# one\napiVersion: cortexkey/v1\nkind: ApiKey\n",
        ),
        (
            "# one\n# two\nkind: ApiKey\napiVersion: cortexkey/v1\n",
            "# one\n# two\napiVersion: cortexkey/v1\nkind: ApiKey\n",
        ),
        (
            "\n# one\nkind: ApiKey\napiVersion: cortexkey/v1\n",
            "\napiVersion: cortexkey/v1\n# one\nkind: ApiKey\n",
        ),
    ] {
        assert_eq!(moved(lines).as_deref(), Some(wanted));
    }
}

#[test]
fn a_block_of_text_moves_whole() {
    let text = key(
        "  securityLevel: advanced\n  comment: For this test\n",
        "  comment: |\n    For\n\n    this test\n  # level\n  securityLevel: advanced\n",
    );
    let wanted = key(
        "  securityLevel: advanced\n  comment: For this test\n",
        "  # level\n  securityLevel: advanced\n  comment: |\n    For\n\n    this test\n",
    );
    assert_eq!(fixed("S006", "", &text), Some(wanted));
}

#[test]
fn nothing_is_moved_that_shares_a_line_or_is_not_known() {
    for (old, new) in [
        // In braces, where commas are between the fields.
        (
            "metadata:\n  name: svc-a\n  owner: team-a\n",
            "metadata: { owner: team-a, name: svc-a }\n",
        ),
        (
            "metadata:\n  name: svc-a\n  owner: team-a\n",
            "metadata: {\n  owner: team-a,\n  name: svc-a\n}\n",
        ),
        // After a byte order mark, which belongs to the first line.
        (
            "apiVersion: cortexkey/v1\nkind: ApiKey\n",
            "\u{feff}kind: ApiKey\napiVersion: cortexkey/v1\n",
        ),
        ("  name: svc-a\n  owner: team-a\n", "  owner: team-a\n  name: svc-a\n  zzz: 1\n"),
    ] {
        let text = key(old, new);
        assert_eq!(messages("S006", "", &text).len(), 1, "{text}");
        assert_eq!(fixed("S006", "", &text), None, "{text}");
    }
}
