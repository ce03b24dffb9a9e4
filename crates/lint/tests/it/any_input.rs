//! No file makes the linter panic, and the output does not depend on the order of files.

use cortexkey_lint::report::Format;
use cortexkey_lint::{Corpus, CorpusFile, Policy, Report, Timestamp, example, lint};
use cortexkey_manifest::yaml::YamlLimits;
use proptest::prelude::*;

const PIECES: &[&str] = &[
    "\n",
    " ",
    ": ",
    "- ",
    "#",
    "'",
    "\"",
    "[",
    "]",
    "{",
    "}",
    "&a ",
    "*a",
    "!t ",
    "---\n",
    "|\n",
    "\u{85}",
    "é",
    "𝄞",
    "never",
    "90d",
    "9000d",
    "2020-01-01",
    "standard",
    "mode: all",
    "key: s3cr3tw0rd",
    "  token: s3cr3tw0rd\n",
    "Viewr",
    "\u{1b}[2J",
    "\"\\e[2J\"",
    "unknown",
    "\r",
    "\t",
];

fn lint_text(texts: &[String], policy: &Policy) -> Report {
    let files = texts.iter().enumerate().map(|(at, text)| {
        CorpusFile::new(format!("{at}.yaml"), text.clone().into_bytes(), &YamlLimits::default())
    });
    let corpus = Corpus { files: files.collect(), ..Corpus::default() };
    lint(&corpus, policy, Timestamp::UNIX_EPOCH)
}

fn mutate(base: &str, edits: &[(prop::sample::Index, usize, &str)]) -> String {
    let mut text = base.to_owned();
    for (at, length, piece) in edits {
        let floor = |mut at: usize| {
            while !text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(at.index(text.len() + 1));
        let end = floor((start + length).min(text.len())).max(start);
        text.replace_range(start..end, piece);
    }
    text
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn any_keys_and_policies(
        edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..9, prop::sample::select(PIECES)), 0..10),
        policy_edits in prop::collection::vec(
            (any::<prop::sample::Index>(), 0_usize..9, prop::sample::select(PIECES)), 0..2),
    ) {
        let policy = Policy::from_text("cortexkey.yaml", &mutate(example::FILES[0].1, &policy_edits));
        let texts: Vec<String> =
            example::FILES[1..].iter().map(|(_, text)| mutate(text, &edits)).collect();
        let report = lint_text(&texts, &policy);
        for (_, format) in Format::ALL {
            let out = report.render(format, false);
            prop_assert!(!out.contains('\u{1b}'), "{out}");
        }
        let places: Vec<_> = report
            .findings
            .iter()
            .map(|f| (report.sources[f.location.source].path.clone(), f.location.span, f.rule.clone()))
            .collect();
        prop_assert!(places.is_sorted(), "{places:?}");
        let mut prints: Vec<&str> = report.findings.iter().map(|f| f.fingerprint.as_str()).collect();
        prints.sort_unstable();
        prints.dedup();
        prop_assert_eq!(prints.len(), report.findings.len());
    }
}
