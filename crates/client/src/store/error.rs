//! [`StoreError`]: why a secret was not read or not stored. Each message is the end of a sentence
//! that begins with the secret's address. It contains no secret.

use std::io;
use std::path::PathBuf;

use cortexkey_system::{WriteError, message_and_help, with_help};
use thiserror::Error;

use crate::process::ProgramError;
use crate::transport::CallError;

/// Why a secret was not read or not stored.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum StoreError {
    /// There is no such secret.
    #[error("does not exist")]
    Missing,
    /// The secret does not have the field.
    #[error(
        "has no string in the field `{field}`\nhelp: name the field that holds the key after `#`"
    )]
    NoField {
        /// The field.
        field: String,
    },
    /// A variable that the store needs is missing or invalid.
    #[error("cannot be reached: {0}")]
    Setting(String),
    /// The store's program is not installed.
    #[error("needs the program {program}, which is not found\nhelp: install it, or put it on PATH")]
    NoProgram {
        /// Its name.
        program: &'static str,
    },
    /// The store's program failed.
    #[error("cannot be reached: {}", of_program(program, error, detail))]
    Program {
        /// Its name.
        program: &'static str,
        /// The cause.
        error: ProgramError,
        /// What the program reported, after a colon.
        detail: String,
    },
    /// The store cannot be called.
    #[error("cannot be reached")]
    Call(#[source] CallError),
    /// The store refused the call.
    #[error("was refused by the store with status {status}{detail}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What the store reported, after a colon.
        detail: String,
    },
    /// The response is not in the expected form.
    #[error("returned something other than {expected}")]
    Answer {
        /// What was expected.
        expected: &'static str,
    },
    /// The file cannot be read.
    #[error("cannot be read")]
    Read(#[source] io::Error),
    /// Other users can read or change the file.
    #[error(
        "can be read or changed by group or others (mode {mode:04o})\nhelp: run `chmod 600` on it"
    )]
    Readable {
        /// Its mode.
        mode: u32,
    },
    /// The file cannot be written.
    #[error("cannot be written")]
    Write(#[source] WriteError),
    /// The stored secret is too large.
    #[error("is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
    /// A key is stored there that the new one does not replace.
    #[error(
        "already contains {holds}, and a stored key is replaced only by its own rotation\nhelp: choose \
         another place, or delete the secret first"
    )]
    Taken {
        /// What is stored there.
        holds: String,
    },
    /// Somebody changed the secret while the key was being stored.
    #[error("was changed by someone else in the meantime; nothing was written")]
    Changed,
    /// What was read back is not what was written.
    #[error("does not contain what was written to it")]
    NotKept,
    /// It is unknown whether the key arrived.
    #[error("may or may not contain the new key")]
    Unknown(#[source] Box<Self>),
    /// The file that keeps two runs from writing at the same time cannot be locked.
    #[error("was not written: {} cannot be locked", path.display())]
    Lock {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// The store is locked, so it is unknown what it contains.
    #[error("cannot be read: the {0} is locked\nhelp: unlock it first")]
    Locked(&'static str),
}

/// A program's failure with what it reported, before the remedy.
fn of_program(program: &str, error: &ProgramError, detail: &str) -> String {
    let (message, remedies) = message_and_help(error);
    with_help(format!("{program} {message}{detail}"), &remedies)
}

impl StoreError {
    /// Whether the store may contain the new key despite the error.
    pub fn may_have_stored(&self) -> bool {
        matches!(self, Self::Unknown(_))
    }

    /// Whether a write that failed in this way may take effect later: the call had no answer, or
    /// the program was stopped, and a process that it started may continue.
    pub(super) fn may_still_write(&self) -> bool {
        match self {
            Self::Call(error) => !error.had_no_effect(),
            // Vault itself answers 503 while it is sealed.
            Self::Refused { status, .. } => *status >= 500 && *status != 503,
            Self::Program { error, .. } => error.may_continue(),
            _ => false,
        }
    }
}
