//! `cortexkey explain RULE`: shows a rule's page in the terminal.

use std::path::PathBuf;

use cortexkey_lint::rules::{self, page_url};
use cortexkey_manifest::{did_you_mean, quote};
use serde_json::json;

use crate::commands::access::PolicyInForce;
use crate::exit::{Exit, Failure};
use crate::text;

/// Explain a rule: what it finds, why it matters, and how to fix it
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey explain E003
  cortexkey explain expiry-too-long --format markdown
  cortexkey explain ORG001                     a custom rule of the nearest policy

Exit codes: 0 success; 2 usage error, or no such rule.")]
pub(crate) struct Args {
    /// A rule's code or name
    rule: String,

    /// The policy with your custom rules [default: the nearest cortexkey.yaml in this folder or
    /// above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Output format
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
        if let Some(own) = own_rule(args)? {
            text::print(&own)?;
            return Ok(Exit::Done);
        }
        let failure = Failure::usage_error(format!("there is no rule {}", quote(&args.rule)));
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
                "why": rule.why, "remedy": rule.remedy, "mend": rule.remedy, "options": options, "page": page_url(rule.name),
                "severity": { "minimal": minimal, "recommended": recommended, "strict": strict },
            });
            text::pretty_json(&json)
        }
    };
    text::print(&out)?;
    Ok(Exit::Done)
}

/// The page of a custom rule, from the policy. None if no policy can be read.
fn own_rule(args: &Args) -> Result<Option<String>, Failure> {
    let found = match (PolicyInForce::policy(args.policy.as_deref(), None), &args.policy) {
        (Ok(found), _) => found,
        (Err(failure), Some(_)) => return Err(failure),
        (Err(_), None) => return Ok(None),
    };
    let policy = found.into_policy();
    let Some(rule) = policy.custom(&args.rule) else { return Ok(None) };
    let facts = policy.custom_facts(rule);
    Ok(Some(match args.format {
        Format::Json => {
            let settings = facts.iter().map(|fact| {
                json!({ "what": fact.what, "value": fact.value, "match": fact.keys, "at": fact.at })
            });
            let json = json!({
                "version": 1, "code": rule.id().code(), "name": rule.id().name(), "summary": rule.message(),
                "settings": settings.collect::<Vec<_>>(),
            });
            text::pretty_json(&json)
        }
        Format::Text | Format::Markdown => {
            let mut out = format!("{}\n{}\n\n", rule.id(), rule.message());
            for fact in facts {
                let keys = fact.keys.map_or(String::new(), |keys| format!(" for {keys}"));
                let at = fact.at.map_or(String::new(), |at| format!("  ({at})"));
                out += &format!("- {}: {}{keys}{at}\n", fact.what, fact.value);
            }
            out
        }
    }))
}
