//! The findings about the policy's own files and the lock file.

use std::cell::OnceCell;

use super::run::Run;
use crate::model::{Finding, FindingBuilder, RuleId, SourceId};
use crate::rule::{FileContext, FindingSink, PolicyContext, RuleCheck};
use crate::rules::{self, RULES};

use cortexkey_manifest::Problem;
use cortexkey_manifest::policy::{Severity, is_builtin};

/// Mistakes of the policy's files and of the lock file. No setting changes their severity: with such a
/// mistake, the policy's intent is unknown.
pub(super) fn mistakes(run: &Run<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    let layers = run.policy.layers.len();
    for (at, fault) in run.policy.faults.iter().enumerate() {
        let source = run.policy.source(layers + at);
        out.extend(fault.problems.iter().filter_map(|problem| of_problem(source, problem)));
    }
    for mistake in &run.policy.mistakes {
        let location = run.policy.location(mistake.at);
        let mut finding = FindingBuilder::new(location, mistake.message.clone());
        if let Some(help) = &mistake.help {
            finding = finding.help(help.clone());
        }
        out.push(unchanged(rules::of_mistake(mistake.kind).id(), finding));
    }
    let lock = SourceId::Lock { policy: run.policy.number };
    let problems = run.corpus.lock.iter().flat_map(|lock| &lock.problems);
    out.extend(problems.filter_map(|problem| of_problem(lock, problem)));
    out
}

fn of_problem(source: SourceId, problem: &Problem) -> Option<Finding> {
    let rule = rules::of_problem(problem)?;
    Some(unchanged(rule.id(), FindingBuilder::of_problem(source, problem)))
}

fn unchanged(rule: RuleId, finding: FindingBuilder) -> Finding {
    finding.unchecked().finish(rule, Severity::Error)
}

/// The findings of the rules that look at the policy.
pub(super) fn rules_on_policy(run: &Run<'_>) -> Vec<Finding> {
    let mut out = Vec::new();
    let cx = PolicyContext { policy: run.policy, now: run.now, corpus: run.corpus };
    for rule in RULES {
        let settings = run.policy.settings(rule);
        if !settings.enabled {
            continue;
        }
        let mut sink = FindingSink { rule, settings, out: &mut out };
        match rule.check {
            RuleCheck::Policy(check) => check(&cx, &mut sink),
            RuleCheck::Text(check) => {
                // The built-in policies are tested by this project.
                let own = run.policy.sources().enumerate();
                for (layer, (path, tree)) in own.filter(|(_, (path, _))| !is_builtin(path)) {
                    let source = run.policy.source(layer);
                    let cx =
                        FileContext { tree, documents: &[], source, path, tokens: OnceCell::new() };
                    check(&cx, &mut sink);
                }
            }
            _ => {}
        }
    }
    out
}
