//! Reads the secrets of targets.

use thiserror::Error;
use zeroize::Zeroizing;

use super::Environment;
use super::key_source::{self, KeyProblem};
use super::target::SecretSource;

/// Why a secret cannot be used. It never holds the secret.
#[derive(Debug, Error)]
#[error("{place} {problem}")]
pub struct SecretError {
    place: String,
    problem: String,
}

impl SecretSource {
    /// Reads the secret: one line of text.
    pub fn read(&self, environment: &Environment<'_>) -> Result<Zeroizing<String>, SecretError> {
        let read = match self {
            Self::Variable(name) => key_source::of_variable(name, environment),
            Self::File(path) => key_source::of_file(path),
            Self::Command(program) => key_source::of_program(program),
            Self::Store(url) => key_source::of_store(url, environment),
        };
        let failed = |problem: String| SecretError { place: self.to_string(), problem };
        let bytes = read.map_err(|problem| failed(problem_text(&problem)))?.key;
        let text = core::str::from_utf8(&bytes)
            .map_err(|_| failed("does not hold one line of text".to_owned()))?;
        Ok(Zeroizing::new(text.to_owned()))
    }
}

/// Errors that are specific to secrets other than keys.
fn problem_text(problem: &KeyProblem) -> String {
    match problem {
        KeyProblem::Empty => "is empty or not set".to_owned(),
        KeyProblem::Readable { mode, path } => format!(
            "can be read or changed by group or others (mode {mode:04o})\nhelp: run `chmod 600 {}`",
            path.display()
        ),
        KeyProblem::Missing
        | KeyProblem::Directory
        | KeyProblem::Io(_)
        | KeyProblem::Store(_)
        | KeyProblem::Program(_) => problem.to_string(),
        _ => "does not hold one line of text".to_owned(),
    }
}
