//! The key definition in the README has no findings.

use cortexkey_lint::report::Format;
use cortexkey_lint::{Corpus, CorpusFile, Policy, lint};
use cortexkey_manifest::yaml::YamlLimits;

const README: &str = include_str!("../../../../README.md");

/// The text of each definition in the YAML blocks.
fn examples() -> Vec<&'static str> {
    let blocks = README.split("```yaml\n").skip(1);
    let texts = blocks.filter_map(|rest| rest.split("```").next());
    texts.filter(|text| text.contains("kind: ApiKey")).collect()
}

#[test]
fn the_definition_in_the_readme_has_no_finding() {
    let policy = Policy::builtin("builtin:recommended").unwrap_or_else(|| unreachable!());
    let examples = examples();
    assert!(!examples.is_empty());
    for text in examples {
        let file = CorpusFile::new(
            "svc-siem-export-prod.yaml",
            text.as_bytes().to_vec(),
            &YamlLimits::default(),
        );
        let corpus = Corpus { files: vec![file], ..Corpus::default() };
        let report = lint(&corpus, &policy, "2026-01-01T00:00:00Z".parse().unwrap_or_default());
        let found = report.render(Format::Human, false);
        assert!(report.findings.is_empty(), "{found}");
    }
}
