//! `cargo xtask prose`: checks the spelling of all files and the grammar of the Markdown ones.
//!
//! Both programs run without the network. `.typos.toml` lists accepted spellings with reasons; the
//! word list of `words.rs` is checked by `tidy`.

use std::path::Path;
use std::process::Command;

use crate::run::{capture, check};
use crate::tools;

/// The grammar rules that find mistakes; rules about style are off.
const GRAMMAR: &[&str] = &[
    "AllowTo",
    "AnA",
    "AsOfLately",
    "CorrectNumberSuffix",
    "Didnt",
    "DoubleNegative",
    "EveryTime",
    "HaveNegNoAny",
    "InterestedIn",
    "ItsPossessive",
    "LetsConfusion",
    "MultipleSequentialPronouns",
    "PronounVerbAgreement",
    "RepeatedWords",
    "ThenThan",
    "TheyreConfusions",
    "UnclosedQuotes",
    "WrongApostrophe",
];

/// A generated page with the product's wording.
const NOT_OURS: &str = ":!docs/roles.md";

/// Checks spelling and grammar.
pub(crate) fn run(root: &Path) -> Result<(), String> {
    let programs = tools::environment(root, "prose")?;
    let mut typos = Command::new(programs.join("typos"));
    let spelling = capture(typos.args(["--format", "brief"]).current_dir(root));
    if !spelling.success {
        return Err(format!("spelling:\n{}", spelling.all()));
    }
    let mut git = Command::new("git");
    let documents = check(git.args(["ls-files", "--", "*.md", NOT_OURS]).current_dir(root))?;
    let mut harper = Command::new(programs.join("harper"));
    harper.args(["lint", "--no-color", "--quiet", "--format", "compact", "--dialect", "british"]);
    for rule in GRAMMAR {
        harper.args(["--only", rule]);
    }
    let grammar = capture(harper.args(documents.lines()).current_dir(root));
    if grammar.success { Ok(()) } else { Err(format!("grammar:\n{}", grammar.all())) }
}
