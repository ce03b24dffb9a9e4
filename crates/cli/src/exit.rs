//! How a command ends: [`Exit`] and [`Failure`].
//!
//! There are only the five documented exit codes. A message names the next step, if there is one.

#[cfg(feature = "client")]
use core::fmt::Display;
use std::error::Error;
use std::io;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
#[cfg(feature = "lint")]
use cortexkey_lint::files::{RunError, RunOutcome};
use cortexkey_system::{io_reason, message_and_help};

use crate::text;

/// An error of any type, for the functions that parse arguments; clap prints its message.
pub(crate) type BoxError = Box<dyn Error + Send + Sync>;

/// The exit codes, the same for every command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Success, without findings.
    Done = 0,
    /// Findings, a refusal or a failed call.
    Findings = 1,
    /// A usage error, or an invalid policy or configuration.
    UsageError = 2,
    /// Nothing could be read.
    NoInput = 3,
    /// Partial success: the output names what the key was not allowed to do.
    Partly = 4,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

/// Why a command failed.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    help: Vec<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: Vec::new() }
    }

    /// An error with its causes and remedies.
    pub(crate) fn from_error(exit: Exit, error: &(dyn Error + 'static)) -> Self {
        let (message, help) = message_and_help(error);
        Self { exit, message, help }
    }

    /// What failed, because of an error.
    #[cfg(feature = "client")]
    pub(crate) fn because(exit: Exit, what: impl Display, error: &(dyn Error + 'static)) -> Self {
        let failure = Self::from_error(exit, error);
        Self { message: format!("{what}: {}", failure.message), ..failure }
    }

    /// With a hint for the next step.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// With an additional fact.
    pub(crate) fn after(mut self, more: impl AsRef<str>) -> Self {
        self.message = format!("{}\n{}", self.message, more.as_ref());
        self
    }

    /// A usage error, or invalid settings.
    pub(crate) fn usage_error(message: impl Into<String>) -> Self {
        Self::new(Exit::UsageError, message)
    }

    /// A usage error, or invalid settings, with its causes.
    pub(crate) fn usage(error: impl Error + 'static) -> Self {
        Self::from_error(Exit::UsageError, &error)
    }

    /// Why the linter cannot read or write a file.
    #[cfg(feature = "lint")]
    pub(crate) fn from_run_error(error: &RunError) -> Self {
        let failure = Self::from_error(Exit::UsageError, error);
        match error.next_step() {
            Some(help) => failure.help(help),
            None => failure,
        }
    }

    /// The linter could not start.
    #[cfg(feature = "lint")]
    pub(crate) fn from_outcome(outcome: &RunOutcome) -> Self {
        // The last message is the error; notes precede it.
        let messages = outcome.messages.iter().rev().map(String::as_str);
        let failure = Self::usage_error(messages.collect::<Vec<_>>().join("\n"));
        Self { help: outcome.help.iter().cloned().collect(), ..failure }
    }

    /// Standard output is closed or cannot be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // The reader has read enough, like `head`.
            Self::new(Exit::Findings, "")
        } else {
            Self::new(
                Exit::Findings,
                format!("cannot write to standard output: {}", io_reason(error)),
            )
        }
    }

    /// The message, without remedies.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// The message and the remedies, each on a line of its own.
    #[cfg(feature = "client")]
    pub(crate) fn plain_text(&self) -> String {
        let help = self.help.iter().map(|help| format!("\n help: {help}"));
        format!("{}{}", self.message, help.collect::<String>())
    }

    /// Prints the failure on standard error, and ends with its code.
    pub(crate) fn report(self) -> ExitCode {
        self.print();
        self.exit.into()
    }

    /// Prints the failure on standard error.
    pub(crate) fn print(&self) {
        if self.message.is_empty() {
            return;
        }
        let red = Style::new().fg_color(Some(AnsiColor::Red.into())).bold();
        let cyan = Style::new().fg_color(Some(AnsiColor::Cyan.into())).bold();
        let mut text = format!("{red}error{red:#}: {}\n", self.message);
        for help in &self.help {
            text += &format!("{cyan} help{cyan:#}: {help}\n");
        }
        text::eprint(&text);
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::output(&error)
    }
}
