//! `cortexkey policy eval`: tries an expression on key definitions.

use std::io;
use std::path::PathBuf;

use cortexkey_lint::files::{Options, run as run_files};
use cortexkey_lint::{Evaluation, evaluate};
use cortexkey_manifest::{escape, mask_path};
use serde_json::{Value, json};

use crate::exit::{Exit, Failure};
use crate::surroundings;
use crate::text::{self, BAD, DIM, Format, GOOD};

/// Evaluate an expression (CEL) for each key, as a custom rule would
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey policy eval 'size(key.spec.roles) <= 3' keys/prod
  cortexkey policy eval \"permission('Public API')\"
  cortexkey policy eval \"has(key.spec.expires) && timestamp(key.spec.expires) - now < duration('30d')\"

docs/linting.md lists all functions and variables.

Exit codes: 0 success; 1 the result is false or an error for any key; 2 usage error, an invalid expression or
policy; 3 no key.")]
pub(crate) struct Args {
    /// The expression
    #[arg(value_name = "EXPR")]
    expression: String,

    /// Files and folders with keys [default: all keys of the policy]
    #[arg(value_name = "PATH")]
    paths: Vec<PathBuf>,

    /// The policy's file or `builtin:…` [default: the nearest cortexkey.yaml in this folder or
    /// above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Evaluate as of this time (RFC 3339) instead of `SOURCE_DATE_EPOCH` or the clock
    #[arg(long, value_name = "TIME")]
    now: Option<String>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

pub(super) fn run(args: &Args) -> Result<Exit, Failure> {
    let folder = surroundings::current_folder()?;
    let now = surroundings::time(args.now.as_deref())?;
    let mut options = Options::new(folder, now);
    options.paths.clone_from(&args.paths);
    options.policy.clone_from(&args.policy);
    let outcome = run_files(&options, &mut io::empty());
    if outcome.report.is_none() {
        return Err(Failure::from_outcome(&outcome));
    }
    let mut all = Vec::new();
    for policy in outcome.policy.iter().chain(&outcome.others) {
        if !policy.is_valid() {
            return Err(Failure::usage_error("the policy has mistakes")
                .help("`cortexkey policy check` lists them"));
        }
        let answers = evaluate(&args.expression, &outcome.corpus, policy, now);
        all.extend(answers.map_err(|error| {
            let failure = Failure::usage_error(error.to_string());
            match error.help() {
                Some(help) => failure.help(help),
                None => failure,
            }
        })?);
    }
    if all.is_empty() {
        return Err(Failure::new(Exit::NoInput, "no key could be read")
            .help("name files or folders with key definitions"));
    }
    all.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    text::print(&match args.format {
        Format::Text => all.iter().map(line).collect::<String>(),
        Format::Json => {
            let answers: Vec<Value> = all.iter().map(object).collect();
            text::pretty_json(&json!({ "version": 1, "answers": answers }))
        }
    })?;
    let is_good = |one: &Evaluation| one.answer.as_ref().is_ok_and(|value| *value != json!(false));
    Ok(if all.iter().all(is_good) { Exit::Done } else { Exit::Findings })
}

fn line(one: &Evaluation) -> String {
    let answer = match &one.answer {
        Ok(Value::Bool(false)) => format!("{BAD}false{BAD:#}"),
        Ok(Value::Bool(true)) => format!("{GOOD}true{GOOD:#}"),
        Ok(value) => escape(&value.to_string()),
        Err(error) => format!("{BAD}no answer{BAD:#}: {}", escape(&error.to_string())),
    };
    let file = escape(&mask_path(&one.file));
    let key = one.key.as_deref().unwrap_or("a key");
    format!("{DIM}{file}:{}:{DIM:#} {}: {answer}\n", one.line, escape(key))
}

fn object(one: &Evaluation) -> Value {
    json!({
        "file": one.file, "line": one.line, "key": one.key,
        "value": one.answer.as_ref().ok(), "error": one.answer.as_ref().err().map(ToString::to_string),
    })
}
