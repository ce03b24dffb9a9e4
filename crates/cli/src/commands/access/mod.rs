//! `cortexkey access`: what a key may see and do, and why.
//!
//! The core decides. An invalid definition or policy is an error, and unknown never counts as yes.

mod files;
mod layout;
mod losses;
mod question;
mod show;
#[cfg(feature = "client")]
mod suggest;

use std::path::PathBuf;

use clap::ArgGroup;
use cortexkey_core::access::{Answer, Component, Product};
use cortexkey_manifest::access::KeyAccess;
use cortexkey_manifest::{closest, mask_tokens};
use serde_json::{Value, json};

use self::files::{Key, Located, every, locate};
pub(crate) use self::files::{PolicyInForce, broken, read, role_named, sound};
pub(crate) use self::layout::{plain, row, rows_aligned};
use self::losses::{losses_json, losses_text};
use self::question::{EndpointOf, JsonQuestion};
use self::show::{Overview, head_json, notes, notes_text};
pub(crate) use self::show::{marked, marks, role_json};
use crate::exit::{Exit, Failure};
use crate::text::{self, BAD, BOLD, Format, GOOD};

/// Show what a key may see and do, and why
///
/// Decides from the key's definition and the policy: roles, tenants, whether scopes are enforced.
/// No tenant is called. What neither of them lists is reported as unknown.
///
/// With a question, prints the answer, its reasons, and the smallest change that would allow it.
/// --component and --action ask about permissions, the other options about the scope.
#[derive(clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(group(ArgGroup::new("ask").args(["component", "action", "asset", "endpoint", "question"])))]
#[command(after_help = r#"Examples:
  cortexkey access svc-siem-export-prod
  cortexkey access keys/svc-siem-export-prod.yaml --component "Public API=edit"
  cortexkey access svc-siem-export-prod --action "Live Terminal"
  cortexkey access svc-siem-export-prod --asset prod-us,prod-ap --format json
  cortexkey access bot-triage-prod --endpoint servers-eu --tag vip
  cortexkey access --all --if-enforced           what every key would lose with scopes on
  echo '{"issue":{"domain":"Posture","references":[{"asset":{"groups":["prod-us"]}}]}}' |
    cortexkey access svc-siem-export-prod --question -

Questions as JSON, one object; every field is required except `endpoint` of an asset:
  {"issue":{"domain":"Security","references":[
     {"asset":{"groups":["prod-eu"],"endpoint":{"groups":["servers-eu"],"tags":[]}}},
     "deleted","unknown"]}}
  {"case":{"domain":"Security","issues":[{"domain":"Security","references":[]}]}}
  {"finding":{"assetGroups":["prod-eu"]}}
  {"dataset-row":{"dataset":"xdr_data","row":{"_vendor":"acme"}}}
  {"manage-endpoint":{"groups":["servers-eu"],"tags":[]}}
  also component, action, asset and endpoint, like the options

Exit codes: 0 allowed, or no question; 1 refused or unknown; 2 usage error, or an invalid definition
or policy; 3 nothing could be read."#)]
pub(crate) struct Args {
    #[command(subcommand)]
    command: Option<Subcommand>,

    /// The key: NAME or TENANT/NAME in the policy's corpus, or a file with its definition
    #[arg(value_name = "KEY_OR_FILE", required_unless_present = "all")]
    key: Option<String>,

    /// With --if-enforced: every key of the policy's corpus
    #[arg(long, requires = "if_enforced", conflicts_with_all = ["key", "name", "ask"])]
    all: bool,

    /// Show what the key would lose if the tenant enforced scopes
    #[arg(long, conflicts_with = "ask")]
    if_enforced: bool,

    /// The key's name, if the file defines several
    #[arg(long, value_name = "NAME")]
    name: Option<String>,

    /// The policy's file or `builtin:…` [default: the nearest cortexkey.yaml in this folder or
    /// above]
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Does the key hold this component at this level (view or edit)?
    #[arg(long, value_name = "NAME=LEVEL")]
    component: Option<String>,

    /// Does the key hold this action?
    #[arg(long, value_name = "NAME")]
    action: Option<String>,

    /// May the key see an asset in these groups? '' is an asset in none
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    asset: Option<Vec<String>>,

    /// May the key see and manage an endpoint in these groups? '' is an endpoint in none
    #[arg(long, value_name = "GROUP,…", value_delimiter = ',')]
    endpoint: Option<Vec<String>>,

    /// The endpoint's tags
    #[arg(long, value_name = "TAG,…", value_delimiter = ',', requires = "endpoint")]
    #[arg(conflicts_with_all = ["component", "action", "asset", "question"])]
    tag: Vec<String>,

    /// Read a question as JSON from this file; `-` is standard input
    #[arg(long, value_name = "FILE")]
    question: Option<PathBuf>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

#[derive(clap::Subcommand)]
enum Subcommand {
    #[cfg(feature = "client")]
    Suggest(suggest::Args),
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    match &args.command {
        #[cfg(feature = "client")]
        Some(Subcommand::Suggest(args)) => return suggest::run(args),
        _ => {}
    }
    let question = question_of(args)?;
    let policy = args.policy.as_deref();
    let Some(key) = &args.key else {
        let (found, keys) = every(policy)?;
        return if_enforced(&found, &keys, args.format);
    };
    let located = locate(key, args.name.as_deref(), policy)?;
    if args.if_enforced {
        let Located { found, name, file, line, access } = located;
        return if_enforced(&found, &[Key { name, file, line, access }], args.format);
    }
    let Some(question) = question else {
        let overview = Overview::of(&located);
        text::print(&match args.format {
            Format::Text => overview.text(),
            Format::Json => line(&overview.json()),
        })?;
        return Ok(Exit::Done);
    };
    let outcome = answer(&located.access, &question)?;
    text::print(&match args.format {
        Format::Text => outcome.text(&located, &question),
        Format::Json => line(&outcome.json(&located, &question)),
    })?;
    Ok(if outcome.answer == Answer::Allowed { Exit::Done } else { Exit::Findings })
}

/// Prints what keys would lose if their tenants enforced scopes.
fn if_enforced(found: &PolicyInForce, keys: &[Key], format: Format) -> Result<Exit, Failure> {
    text::print(&match format {
        Format::Text => losses_text(keys),
        Format::Json => line(&json!({
            "version": 1,
            "policy": found.path(),
            "keys": keys.iter().map(losses_json).collect::<Vec<_>>(),
        })),
    })?;
    Ok(Exit::Done)
}

/// JSON for programs, indented so that people can read it. Possible secrets are masked.
pub(crate) fn line(json: &Value) -> String {
    mask_tokens(&text::visible(&format!("{json:#}\n")))
}

fn question_of(args: &Args) -> Result<Option<JsonQuestion>, Failure> {
    let names = |names: &[String]| -> Vec<String> {
        names.iter().map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
    };
    if let Some(component) = &args.component {
        return JsonQuestion::component(component).map(Some);
    }
    if let Some(action) = &args.action {
        return Ok(Some(JsonQuestion::Action { name: action.clone() }));
    }
    if let Some(groups) = &args.asset {
        return Ok(Some(JsonQuestion::Asset { groups: names(groups) }));
    }
    if let Some(groups) = &args.endpoint {
        let endpoint = EndpointOf { groups: names(groups), tags: names(&args.tag) };
        return Ok(Some(JsonQuestion::Endpoint(endpoint)));
    }
    args.question.as_deref().map(JsonQuestion::read).transpose()
}

/// The result of a question.
struct Outcome {
    answer: Answer,
    /// The core's decision as JSON; null for a product without scopes of this form.
    decision: Value,
    notes: Vec<String>,
}

fn answer(access: &KeyAccess, question: &JsonQuestion) -> Result<Outcome, Failure> {
    let mut notes = if question.is_about_scope() { notes(access) } else { Vec::new() };
    if let JsonQuestion::Component { name, .. } = question {
        notes.extend(component_note(access, name)?);
    }
    let (answer, decision) = question.with_core(|core| {
        let (answer, decision) = access.decide(core);
        (answer, json!(decision))
    });
    Ok(Outcome { answer, decision, notes })
}

/// A component that is in neither the product's documents nor any role: most likely a typo.
fn component_note(access: &KeyAccess, name: &str) -> Result<Option<String>, Failure> {
    let grants = access.roles.iter().flat_map(|role| &role.grants);
    let listed: Vec<&str> = grants.map(|grant| grant.component.as_str()).collect();
    let known = Component::for_product(access.tenant.product.unwrap_or(Product::Xsiam));
    let known = || known.iter().map(|component| component.name).chain(listed.iter().copied());
    if known().any(|known| known == name) {
        return Ok(None);
    }
    let renamed = Component::renamed(name);
    if !renamed.is_empty() {
        return Err(Failure::usage_error(format!("{} is a former name", plain(name)))
            .help(format!("ask for {}", renamed.join(", or "))));
    }
    match closest(name, known()) {
        Some(near) => Err(Failure::usage_error(format!("there is no component {}", plain(name)))
            .help(format!(
                "did you mean \"{near}\"? Names match exactly, including case and spaces"
            ))),
        None => Ok(Some(format!("no public document and no role names a component {name}"))),
    }
}

impl Outcome {
    fn json(&self, located: &Located, question: &JsonQuestion) -> Value {
        let mut json = head_json(located);
        json["question"] = json!(question);
        json["answer"] = json!(self.answer);
        json["decision"] = self.decision.clone();
        json["notes"] = json!(self.notes);
        json
    }

    fn text(&self, located: &Located, question: &JsonQuestion) -> String {
        let (color, verb) = match self.answer {
            Answer::Allowed => (GOOD, "may"),
            Answer::Refused => (BAD, "may not"),
            Answer::Unknown => (BAD, "may or may not"),
        };
        let name = plain(&located.name);
        let words = plain(&question.to_text());
        let mut out = format!("{color}{}{color:#}: {name} {verb} {words}\n", self.answer);
        if self.decision["scopesOff"] == true {
            let enforced = self.decision["ifEnforced"].as_str().unwrap_or_default();
            out += &format!("with scopes on: {enforced}\n");
        }
        for step in self.list("steps") {
            let subject = step["subject"].as_str().unwrap_or_default();
            out += &row(subject, step["message"].as_str().unwrap_or_default());
        }
        if self.list("changes").next().is_some() {
            out += &format!("{BOLD}It would be allowed with{BOLD:#}\n");
            for change in self.list("changes") {
                let message = change["message"].as_str().unwrap_or_default();
                out += &format!("  {}\n", plain(message));
            }
        }
        out + &notes_text(&self.notes)
    }

    fn list(&self, name: &str) -> impl Iterator<Item = &Value> {
        self.decision[name].as_array().into_iter().flatten()
    }
}
