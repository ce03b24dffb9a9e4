//! Evaluates an expression for each key, to try it before it becomes a rule.

use cortexkey_manifest::Span;
use cortexkey_manifest::definition::Definition;
use jiff::Timestamp;

use super::file::FileLinter;
use super::owners::Owners;
use super::run::LintOptions;
use crate::model::{Corpus, CorpusFile};
use crate::policy::Policy;
use crate::policy::custom::{Budget, to_json};

/// The answer for one key.
#[derive(Clone, Debug)]
pub struct Evaluation {
    /// The file's path as output shows it.
    pub file: String,
    /// The line of the key's name, or of its definition.
    pub line: usize,
    /// The key's name.
    pub key: Option<String>,
    /// The value, or why there is none.
    pub answer: Result<serde_json::Value, EvaluationError>,
}

/// Why an expression is invalid, or has no value for a key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EvaluationError {
    message: String,
    help: Option<String>,
}

impl EvaluationError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

/// Evaluates an expression for each reported key that a policy governs, as a rule of that policy
/// would be.
pub fn evaluate(
    expression: &str,
    corpus: &Corpus,
    policy: &Policy,
    now: Timestamp,
) -> Result<Vec<Evaluation>, EvaluationError> {
    let expression = policy
        .expression(expression)
        .map_err(|error| EvaluationError { message: error.message, help: error.help })?;
    let owners = Owners::new(corpus, policy);
    let linter = FileLinter::new(policy, &LintOptions::at(now));
    let governed =
        |file: &&CorpusFile| file.reported && !file.is_outside() && file.policy == policy.number;
    let mut all = Vec::new();
    for file in corpus.files.iter().filter(governed) {
        let budget = Budget::of_file();
        let definitions = file.documents.iter().filter_map(|document| document.definition.as_ref());
        for definition in definitions {
            let keys = owners.keys(definition, policy.only_tenant());
            let cx = linter.custom_context(file, definition, &budget, Some(&keys));
            let answer = cx.with_seen(|seen| expression.evaluate(seen, &budget));
            all.push(Evaluation {
                file: file.path.clone(),
                line: file.tree.position(place(definition).start).line,
                key: definition.name().map(str::to_owned),
                answer: answer
                    .map(|value| to_json(&value))
                    .map_err(|error| EvaluationError { message: error.to_string(), help: None }),
            });
        }
    }
    Ok(all)
}

/// The key's name, or where a definition without one would have it.
fn place(definition: &Definition) -> Span {
    let name = definition.metadata.as_ref().and_then(|metadata| metadata.name.spanned());
    name.map_or(definition.place, |name| name.span)
}
