//! `cortexkey explain RULE`: a rule's page, in the terminal.
//!
//! It refuses to hold a word of the page itself: the linter's rules do.

use cortexkey_lint::rules::{self, page_url};
use cortexkey_manifest::did_you_mean;
use serde_json::json;

use crate::exit::{Exit, Failure};
use crate::text;

/// Say what a rule of the linter finds, why it matters, and how to mend it
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey explain E003
  cortexkey explain expiry-too-long --format markdown

Exit codes: 0 done; 2 wrong use, or no such rule.")]
pub(crate) struct Args {
    /// A rule, by its code or its name
    rule: String,

    /// text for people, markdown, or json for machines
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Markdown,
    Json,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let upper = args.rule.to_uppercase();
    let found = rules::find(&args.rule).or_else(|| rules::find(&upper));
    let Some(rule) = found else {
        let failure = Failure::wrong_use("there is no rule of this name");
        let hint = did_you_mean(&args.rule, &rules::all_ids());
        return Err(
            failure.help(hint.unwrap_or_else(|| "`cortexkey rules` lists all rules".into()))
        );
    };
    let out = match args.format {
        Format::Text => rule.text(),
        Format::Markdown => rule.markdown(),
        Format::Json => {
            let options: Vec<_> = rule
                .options
                .iter()
                .map(|o| json!({ "name": o.name, "default": o.default, "takes": o.kind.expected(), "what": o.what }))
                .collect();
            let [minimal, recommended, strict] = rule.levels();
            let json = json!({
                "version": 1, "code": rule.code, "name": rule.name, "summary": rule.summary,
                "why": rule.why, "mend": rule.mend, "options": options, "page": page_url(rule.name),
                "severity": { "minimal": minimal, "recommended": recommended, "strict": strict },
            });
            format!("{json:#}\n")
        }
    };
    text::print(&out)?;
    Ok(Exit::Done)
}
