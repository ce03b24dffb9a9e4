//! What is masked and what is not.

use super::*;
use crate::yaml::secret_ranges;

#[test]
fn masking_keeps_offsets() {
    let text = format!("a: {}\nb: 1\n", "k9".repeat(30));
    let masked = mask_tokens(&text);
    assert_eq!(masked.len(), text.len());
    assert!(!masked.contains("k9") && masked.contains("b: 1"));
    assert_eq!(blank("é: ü\n", std::slice::from_ref(&(4..6))), "é: **\n");
}

#[test]
fn keys_of_many_vendors_are_masked() {
    for secret in [
        "S3cr3tS3cr3tS3cr3tS3cr3t",
        "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "d41d8cd98f00b204e9800998ecf8427e",
        "q7Hx2-Lm9Zt4_Vb6Nc8Rw1Ys3",
        "dGhpcyBpcyBhIHNlY3JldCE5OTk3Nw==",
        "zXcVbNmAsDfGhJkLqWeRtYuIoP",
        "ghp_abcdefghijklmnop",
        "github_pat_11ABCDEFG",
        "xoxb-1234-5678-abcd",
        "AKIAIOSFODNN7EXAMPLE",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "sk-proj-a1b2c3d4e5f6g7h8",
        "glpat-xxxxxxxxxxxxxxxxxxxx",
    ] {
        for text in [secret.to_owned(), format!("see {secret}, please"), format!("'{secret}'")] {
            let masked = mask_tokens(&text);
            assert_eq!(masked.len(), text.len());
            for part in secret.split('.').filter(|part| part.len() > 3) {
                assert!(!masked.contains(part), "{masked}");
            }
        }
    }
    let pem = "a: |\n  -----BEGIN PRIVATE KEY-----\n  abc\n  -----END PRIVATE KEY-----\nb: 1\n";
    let masked = mask_tokens(pem);
    assert!(!masked.contains("abc") && masked.contains("\nb: 1\n"), "{masked}");
    assert!(!mask_tokens("-----BEGIN PRIVATE KEY-----\nabc\n").contains("abc"));
}

#[test]
fn no_known_prefix_is_skipped() {
    for (prefix, least, ..) in PREFIXES {
        let token = format!("{prefix}{}", "a1B2c3D4e5F6".repeat(2));
        assert!(token.len() > prefix.len() + least);
        assert!(!prefixed(&token).is_empty(), "{prefix}");
    }
}

#[test]
fn ordinary_text_is_not_masked() {
    for plain in [
        "svc-siem-export-prod",
        "svc-siem-export-prod-eu2",
        "level-standard-with-privileged-role",
        "organisation2024-reporting-service",
        "keys/production/team-detection/svc-siem-export-prod2.yaml",
        "/usr/lib/x86_64-linux-gnu/cortexkey/policies",
        "CortexXsoarIncidentsExportService2",
        "Privileged Security Admin",
        "Instance Administrator",
        "2027-03-01T00:00:00.000Z",
        "2027-03-01T23:59:59+02:00",
        "20270301T000000Z",
        "internationalizationservice",
        "EU-Prod-K8s-Cluster1-Nodes",
        "sk-export-production-eu",
        "ASIA-PACIFIC-PRODUCTION",
        "cases_and_issues_unreferenced",
        "https://vault.example.com/v1/secret/cortex/prod",
        "ciso@security-operations.example.com",
        "_vendor = \"acme\" and _product = \"firewall9000\"",
        "builtin:recommended",
        "-------------------------------------",
    ] {
        assert_eq!(mask_tokens(plain), plain);
        assert_eq!(mask_path(plain), plain);
    }
}

#[test]
fn a_key_given_as_a_path_is_masked() {
    for key in
        ["aB3".repeat(43), "a1".repeat(12), "Qw".repeat(12), "mixedwithone7digitinside".into()]
    {
        assert!(!mask_path(&format!("keys/{key}.yaml")).contains(&key), "{key}");
    }
    assert_eq!(mask_path("keys/a1b2c3.yaml"), "keys/a1b2c3.yaml");
}

#[test]
fn the_revision_in_the_path_of_a_remote_policy_is_shown() {
    let path = ".cortexkey/policies/git/git.example.com/p.git/9f2c61d07ba34e58/base.yaml.policy";
    for text in [path.to_owned(), format!("sub/{path} was changed")] {
        assert_eq!(mask_path(&text), text);
        assert_eq!(mask_tokens(&text), text);
    }
    let key = "9f2c61d07ba34e5890d1fe27c3b8a645";
    for text in [format!(".cortexkey/policies/{key}/x"), format!("a .cortexkey/policies b/{key}/x")]
    {
        assert!(!mask_path(&text).contains(key), "{text}");
    }
}

#[test]
fn values_of_secret_names_are_found_without_a_tree() {
    let text =
        "spec:\n  api_key: hunter2\n  # Password = abc\n  token: |\n    l1\n    l2\n  x: 1\n";
    let masked = blank(text, &secret_ranges(text, None, false));
    for secret in ["hunter2", "abc", "l1", "l2"] {
        assert!(!masked.contains(secret), "{masked}");
    }
    assert!(masked.contains("x: 1"));
    let waiver = "- { rule: x, key: prod/svc }\n";
    assert!(secret_ranges(waiver, None, true).is_empty());
    assert!(!secret_ranges(waiver, None, false).is_empty());
}

#[test]
fn values_that_a_field_does_not_accept_are_found() {
    let text = "spec: { mode: S3cr3tS3cr3tS3cr3t, expires: 2027-03-01T00:00:00Z }\nlifetime: \"S3cr3tS3cr3tS3cr3t\"\n";
    let masked = blank(text, &secret_ranges(text, None, false));
    assert!(!masked.contains("S3cr3t") && masked.contains("2027-03-01T00:00:00Z }"), "{masked}");
    let parsed = crate::yaml::parse(
        "lifetime:\n  S3cr3tS3cr3tS3cr3t\n",
        &crate::yaml::YamlLimits::default(),
    );
    let ranges = secret_ranges(parsed.tree.source(), Some(&parsed.tree), false);
    assert_eq!(ranges, vec![12_usize..30; 1]);
}

#[test]
fn the_longest_runs_are_those_that_a_search_finds() {
    let texts = ["", "-", "a1", "a_b+c/d=", "é", "ab cd-ef.gh", "x é y-z", "\u{80}a\u{ff}bc"];
    for text in texts {
        let longest = |belongs: fn(char) -> bool| {
            let parts = text.split(|c| !belongs(c));
            parts.map(str::len).max().unwrap_or_default()
        };
        let letters = longest(|c| c.is_ascii_alphanumeric());
        let run = longest(|c| c.is_ascii_alphanumeric() || "_-+/=".contains(c));
        assert_eq!(Longest::of(text), Longest { letters, run }, "{text}");
    }
}

#[test]
fn marks_and_case_hide_no_secret_name() {
    for name in SECRETS {
        let marked: String = name.chars().flat_map(|c| [c.to_ascii_uppercase(), '_']).collect();
        assert!(SecretFieldName::is_name(name) && SecretFieldName::is_name(&marked), "{name}");
        assert!(!SecretFieldName::is_name(&format!("{name}s")), "{name}");
    }
    assert!(!SecretFieldName::is_name("") && !SecretFieldName::is_name("a".repeat(1000).as_str()));
}
