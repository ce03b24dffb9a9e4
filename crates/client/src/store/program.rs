//! [`StoreTool`]: the official program of a store. Secrets go through its standard input and output,
//! never through its arguments, and are never reported.

use core::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

use super::{SECRET_BYTES_MAX, StoreError, plain};
use crate::process::{Exchanged, Program, ProgramError};

const TIMEOUT: Duration = Duration::from_secs(60);
/// A run of letters and digits that may be a secret.
const RUN_MIN: usize = 40;

/// A store's program that was found.
pub(super) struct StoreTool {
    name: &'static str,
    environment: Vec<(&'static str, String)>,
}

/// The result of a run.
pub(super) struct ToolRun {
    name: &'static str,
    exchanged: Exchanged,
}

impl StoreTool {
    pub(super) fn find(name: &'static str) -> Result<Self, StoreError> {
        match which::which(name) {
            Ok(_) => Ok(Self { name, environment: Vec::new() }),
            Err(_) => Err(StoreError::NoProgram { program: name }),
        }
    }

    /// Sets a variable in the program's environment.
    pub(super) fn with(mut self, name: &'static str, value: &str) -> Self {
        self.environment.push((name, value.to_owned()));
        self
    }

    /// Runs the program, whatever its exit code.
    pub(super) fn run(&self, arguments: &[&str], input: &[u8]) -> Result<ToolRun, StoreError> {
        let mut argv = vec![self.name.to_owned()];
        argv.extend(arguments.iter().map(|&argument| argument.to_owned()));
        let program = Program::new(argv, TIMEOUT);
        let program = program.ok_or(StoreError::NoProgram { program: self.name })?;
        let exchanged = program.exchange(input, &self.environment, SECRET_BYTES_MAX);
        match exchanged {
            Ok(exchanged) => Ok(ToolRun { name: self.name, exchanged }),
            Err(error) => {
                Err(StoreError::Program { program: self.name, error, detail: String::new() })
            }
        }
    }

    /// Runs the program; a failure is an error.
    pub(super) fn done(&self, arguments: &[&str], input: &[u8]) -> Result<(), StoreError> {
        self.run(arguments, input)?.output().map(|_| ())
    }
}

impl ToolRun {
    /// Its output, if it succeeded.
    pub(super) fn output(&self) -> Result<Zeroizing<String>, StoreError> {
        if self.exchanged.code != Some(0) {
            return Err(self.failure());
        }
        let text = core::str::from_utf8(&self.exchanged.stdout);
        let text = text.map_err(|_| StoreError::Answer { expected: "text" })?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Its output as JSON.
    pub(super) fn json(&self) -> Result<Value, StoreError> {
        let expected = "JSON";
        serde_json::from_str(&self.output()?).map_err(|_| StoreError::Answer { expected })
    }

    /// Whether it failed and reported one of these.
    pub(super) fn reports(&self, words: &[&str]) -> bool {
        self.exchanged.code != Some(0)
            && words.iter().any(|word| self.exchanged.stderr.contains(word))
    }

    /// Whether it exited with this code and without a message.
    pub(super) fn is_silent(&self, code: i32) -> bool {
        self.exchanged.code == Some(code) && self.exchanged.stderr.trim().is_empty()
    }

    pub(super) fn code(&self) -> Option<i32> {
        self.exchanged.code
    }

    /// Why it failed.
    pub(super) fn failure(&self) -> StoreError {
        StoreError::Program {
            program: self.name,
            error: ProgramError::Failed { code: self.exchanged.code },
            detail: detail(&self.exchanged.stderr),
        }
    }
}

/// The last line that a program reported, after a colon. A line that may contain a secret is
/// hidden.
pub(super) fn detail(messages: &str) -> String {
    let line = messages.lines().rev().map(str::trim).find(|line| !line.is_empty());
    let Some(line) = line else { return String::new() };
    let is_other = |c: char| !c.is_ascii_alphanumeric() && !"+=".contains(c);
    if line.split(is_other).any(|run| run.len() >= RUN_MIN) {
        return ": (message hidden: it may contain a secret)".to_owned();
    }
    format!(": {}", plain(line).trim())
}

pub(super) fn encode(text: &str) -> String {
    BASE64_STANDARD.encode(text)
}

pub(super) fn decode(text: &str) -> Result<Zeroizing<String>, StoreError> {
    let expected = "text in base64";
    let bytes = BASE64_STANDARD.decode(text).map_err(|_| StoreError::Answer { expected })?;
    let text = String::from_utf8(bytes).map_err(|_| StoreError::Answer { expected })?;
    Ok(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_line_is_reported_unless_it_may_hold_a_secret() {
        assert_eq!(detail("first\nNot logged in\u{7}\n\n"), ": Not logged in");
        assert_eq!(detail(""), "");
        let key = "a1".repeat(64);
        for line in [key.clone(), format!("bad value \"{key}\""), encode(&key)] {
            assert!(!detail(&line).contains("a1"), "{line}");
            assert!(detail(&line).starts_with(": (message hidden"));
        }
    }
}
