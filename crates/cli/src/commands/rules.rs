//! `cortexkey rules`: lists the linter's rules and their severities.

use std::path::PathBuf;

use cortexkey_lint::rules::page::{POLICIES, level};
use cortexkey_lint::rules::{Fixes, RULES, Rule};
use cortexkey_lint::{Custom, Policy};
use cortexkey_manifest::policy::BUILTINS;
use serde_json::{Value, json};

use crate::commands::access::PolicyInForce;
use crate::exit::{Exit, Failure};
use crate::text::{self, BOLD, DIM, Format};

/// List the rules of the linter, with their severity in each built-in policy
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  cortexkey rules
  cortexkey rules --policy cortexkey.yaml      also show this policy's severities
  cortexkey rules --format json

Exit codes: 0 success; 2 usage error, or an invalid policy.")]
pub(crate) struct Args {
    /// Also show the severities of this policy
    #[arg(long, value_name = "FILE")]
    policy: Option<PathBuf>,

    /// Output format
    #[arg(long, default_value = "text")]
    format: Format,
}

pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    let own = match &args.policy {
        Some(path) => Some(PolicyInForce::policy(Some(path), None)?),
        None => None,
    };
    let mut columns: Vec<(&str, Policy)> = Vec::new();
    for (name, (full_name, _)) in POLICIES.into_iter().zip(BUILTINS) {
        columns.extend(Policy::builtin(full_name).map(|policy| (name, policy)));
    }
    if let Some(own) = own {
        columns.push(("this policy", own.into_policy()));
    }
    let out = match args.format {
        Format::Text => list(&columns),
        Format::Json => {
            let known = RULES.iter().map(|rule| rule_json(rule, &columns));
            let rules: Vec<Value> = known.chain(own_rules(&columns).map(own_json)).collect();
            text::pretty_json(&json!({ "version": 1, "rules": rules }))
        }
    };
    text::print(&out)?;
    Ok(Exit::Done)
}

fn severity(rule: &Rule, policy: &Policy) -> &'static str {
    let settings = policy.settings(rule);
    level(settings.enabled, settings.severity)
}

fn list(columns: &[(&str, Policy)]) -> String {
    let mut out = format!("{BOLD}{:<5} {:<35}", "code", "name");
    for (name, _) in columns {
        out += &format!(" {name:<11}");
    }
    out += &format!(" fix{BOLD:#}\n");
    for rule in RULES {
        out += &format!("{:<5} {:<35}", rule.code, rule.name);
        for (_, policy) in columns {
            out += &format!(" {:<11}", severity(rule, policy));
        }
        let fix = match rule.fixes {
            Fixes::No => "",
            Fixes::Safe => " safe",
            Fixes::Unsafe => " unsafe",
        };
        out += &format!("{fix}\n");
    }
    for (custom, level) in own_rules(columns) {
        out += &format!("{:<5} {:<35}", custom.id().code(), custom.id().name());
        out += &POLICIES.map(|_| format!(" {:<11}", "-")).concat();
        out += &format!(" {level:<11}\n");
    }
    let waits = "name-pattern, ticket-missing, name-environment-mismatch, owner-key-quota and \
                 expiry-off-hours report nothing until a policy sets their options";
    out + &format!("\n{DIM}`cortexkey explain RULE` has the details; {waits}.{DIM:#}\n")
}

/// The policy's custom rules, with their severities.
fn own_rules<'a>(
    columns: &'a [(&str, Policy)],
) -> impl Iterator<Item = (&'a Custom, &'static str)> {
    columns.iter().flat_map(|(_, policy)| {
        policy.custom_rules().map(|custom| {
            let settings = policy.custom_settings(custom);
            (custom, level(settings.enabled, settings.severity))
        })
    })
}

fn own_json((custom, level): (&Custom, &'static str)) -> Value {
    json!({
        "code": custom.id().code(), "name": custom.id().name(), "summary": custom.message(),
        "fix": Value::Null, "severity": { "policy": level },
    })
}

fn rule_json(rule: &Rule, columns: &[(&str, Policy)]) -> Value {
    let severities = columns.iter().map(|(name, policy)| {
        let name = if *name == "this policy" { "policy" } else { name };
        (name.to_owned(), Value::from(severity(rule, policy)))
    });
    let fix = match rule.fixes {
        Fixes::No => Value::Null,
        Fixes::Safe => json!("safe"),
        Fixes::Unsafe => json!("unsafe"),
    };
    json!({
        "code": rule.code, "name": rule.name, "summary": rule.summary, "fix": fix,
        "severity": severities.collect::<serde_json::Map<_, _>>(),
    })
}
