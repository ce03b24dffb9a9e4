//! How a command ends: [`Exit`] and [`Failure`].
//!
//! There are only the five documented exit codes. A message names the next step, if there is one.

use std::error::Error;
use std::io;
use std::process::ExitCode;

use anstyle::{AnsiColor, Style};
#[cfg(feature = "lint")]
use cortexkey_lint::files::{RunError, RunOutcome};
use cortexkey_system::chain;

use crate::text;

/// An error of any type, for the functions that parse arguments: clap prints its message.
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
    /// Success, except for a part that the key may not do, which the output names.
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
    help: Option<String>,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), help: None }
    }

    /// An error with its causes.
    pub(crate) fn from_error(exit: Exit, error: &dyn Error) -> Self {
        Self::new(exit, chain(error))
    }

    /// With a hint for the next step.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
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
    pub(crate) fn usage(error: impl Error) -> Self {
        Self::from_error(Exit::UsageError, &error)
    }

    /// Why the linter cannot read or write a file.
    #[cfg(feature = "lint")]
    pub(crate) fn from_run_error(error: &RunError) -> Self {
        let help = error.next_step().map(str::to_owned);
        Self { help, ..Self::from_error(Exit::UsageError, error) }
    }

    /// The linter could not start.
    #[cfg(feature = "lint")]
    pub(crate) fn from_outcome(outcome: &RunOutcome) -> Self {
        let failure = Self::usage_error(outcome.messages.join("; "));
        Self { help: outcome.help.clone(), ..failure }
    }

    /// Standard output is closed or cannot be written.
    pub(crate) fn output(error: &io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            // The reader has read enough, like `head`.
            Self::new(Exit::Findings, "")
        } else {
            Self::new(Exit::Findings, format!("cannot write to standard output: {error}"))
        }
    }

    /// The message.
    pub(crate) fn message(&self) -> &str {
        &self.message
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
        if let Some(help) = &self.help {
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
