//! [`Sink`]: where a new key goes. It is chosen, and tried as far as possible, before the key
//! exists.
//!
//! If a key is not delivered, the caller gets an error and deletes it from the tenant. Programs run
//! without a shell. An existing secret is replaced only by the rotation of its own key: in files by
//! [`file`], in a store by a user's program that reports whether it exists.

mod file;
mod store;

use core::fmt;
use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use cortexkey_api::Secret;
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_system::text_with_help;

use crate::process::{Program, ProgramError};
use crate::store::{StoreError, StoreUrlError};
use file::{InFolder, NewFile};
use store::PreparedStore;
use thiserror::Error;

pub use store::StoreSink;

/// Where a new key goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Sink {
    /// To a program's standard input, without a line ending. `{name}`, `{key_id}`, `{level}` and
    /// `{host}` in its arguments are replaced.
    Command(Program),
    /// A program, run after another program reported whether a secret of this name exists: exit
    /// code 0 for yes, 1 for no. The same placeholders apply.
    Guarded {
        /// Receives the key.
        command: Program,
        /// Reports whether the secret exists.
        exists: Program,
    },
    /// To a file that only its owner can read, without a line ending.
    File {
        /// The file.
        path: PathBuf,
        /// Whether an existing file is replaced.
        replace: bool,
    },
    /// To a folder, one such file per key, with its name. An existing file is replaced only by the
    /// same tenant's key of that name.
    Folder(PathBuf),
    /// Into a secret store, with its id, level, host, owner and expiry.
    Store(StoreSink),
    /// To a terminal or page, shown once.
    Show(Show),
}

/// Shows a key to a person.
#[derive(Clone)]
pub struct Show(Arc<ShowKey>);

type ShowKey = dyn Fn(&str) -> io::Result<()> + Send + Sync;

impl Show {
    /// Shows keys with `show`, which ensures that the output is a terminal.
    pub fn new(show: impl Fn(&str) -> io::Result<()> + Send + Sync + 'static) -> Self {
        Self(Arc::new(show))
    }
}

impl fmt::Debug for Show {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Show")
    }
}

/// What is known of a key before it exists.
#[derive(Clone, Debug)]
pub struct KeyInfo {
    /// The name of its definition, if it has one.
    pub name: Option<String>,
    /// The host of its tenant.
    pub host: String,
    /// The address of its tenant, including the port.
    pub tenant: String,
    /// The id of the replaced key, if there is one.
    pub replaces: Option<u64>,
    /// Keys that an interrupted run may have delivered in its place.
    pub doubtful: Vec<u64>,
    /// Its security level.
    pub level: Level,
    /// The owner of its definition.
    pub owner: Option<String>,
    /// When it expires, in milliseconds since 1970, once that is settled.
    pub expires_ms: Option<u64>,
}

impl KeyInfo {
    /// Its name; one without a definition is named after its id.
    fn name_with(&self, id: Option<KeyId>) -> String {
        let id = || id.map(|id| id.to_string()).unwrap_or_default();
        self.name.clone().unwrap_or_else(|| format!("key-{}", id()))
    }

    /// A text with `{key_id}`, `{level}`, `{host}` and `{name}` filled in.
    fn fill(&self, text: &str, id: Option<KeyId>) -> String {
        text.replace("{key_id}", &id.map(|id| id.to_string()).unwrap_or_default())
            .replace("{level}", self.level.as_str())
            .replace("{host}", &self.host)
            // Last: a name may hold what looks like another of these.
            .replace("{name}", &self.name_with(id))
    }
}

/// A sink that is ready for its key. Dropping it unused removes everything that it created.
pub struct Prepared {
    sink: PreparedSink,
    info: KeyInfo,
}

enum PreparedSink {
    Command {
        program: Program,
        exists: Option<Program>,
    },
    File(NewFile),
    /// The name of the definition, otherwise of the key.
    InFolder(InFolder),
    Store(PreparedStore),
    Show(Show),
}

/// Why a key cannot be delivered, or was not.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SinkError {
    /// The program is not found.
    #[error("the sink's program {program} is not found\nhelp: give its full path")]
    NoProgram {
        /// The program's name.
        program: String,
    },
    /// The key's name is not valid as an argument or a file name.
    #[error(
        "the name of the key is not valid in the sink's arguments or as a file name\nhelp: use only \
         letters, digits, `-`, `_`, `.` and `@`"
    )]
    Name,
    /// The program failed.
    #[error("the sink's program {program} {error}")]
    Program {
        /// The program's name.
        program: String,
        /// What went wrong.
        error: ProgramError,
    },
    /// The file already exists.
    #[error(
        "{} already exists and may contain a key that is in use\nhelp: name another file",
        path.display()
    )]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file exists, and nothing shows that it is this key's.
    #[error("{} already exists and {}", path.display(), whose(owner.as_deref()))]
    Foreign {
        /// The file.
        path: PathBuf,
        /// The tenant whose key it is, if known.
        owner: Option<String>,
    },
    /// The store has a secret of this name, and this is not its rotation.
    #[error(
        "the secret already exists according to the program {program}, and may be a key that is \
         in use\nhelp: choose another name, or delete the secret first"
    )]
    SecretExists {
        /// The program that reported it.
        program: String,
    },
    /// The file cannot be created or written.
    #[error("the file {} cannot be written", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// The system's error.
        #[source]
        error: io::Error,
    },
    /// The store does not take it.
    #[error("{url} {}", text_with_help(error))]
    Store {
        /// The address in the store.
        url: String,
        /// What is wrong.
        error: StoreError,
    },
    /// The address of the store is invalid once it is filled in.
    #[error("the address of the secret store {0}")]
    StoreUrl(StoreUrlError),
    /// It could not be shown.
    #[error("the key could not be shown")]
    Show(#[source] io::Error),
}

impl SinkError {
    /// Whether the key may have arrived despite the error.
    pub fn may_have_delivered(&self) -> bool {
        match self {
            Self::Store { error, .. } => error.may_have_stored(),
            Self::Program { error, .. } => error.may_continue(),
            _ => false,
        }
    }
}

impl Sink {
    /// Checks that a key can be delivered.
    pub fn prepare(&self, info: KeyInfo) -> Result<Prepared, SinkError> {
        let sink = match self {
            Self::Command(program) => PreparedSink::command(program, None, &info)?,
            Self::Guarded { command, exists } => {
                PreparedSink::command(command, Some(exists), &info)?
            }
            Self::File { path, replace } => {
                file::check_owner(path, &info.tenant)?;
                PreparedSink::File(NewFile::at(path, *replace)?)
            }
            Self::Folder(folder) => PreparedSink::InFolder(match info.name.as_deref() {
                Some(name) if is_name(name) => InFolder::named(folder, name, &info.tenant)?,
                Some(_) => return Err(SinkError::Name),
                None => InFolder::unnamed(folder, &info.tenant)?,
            }),
            Self::Store(store) => PreparedSink::Store(store.prepare(&info)?),
            Self::Show(show) => PreparedSink::Show(show.clone()),
        };
        Ok(Prepared { sink, info })
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(program) | Self::Guarded { command: program, .. } => {
                write!(f, "the program {}", program.name())
            }
            Self::File { path, .. } => write!(f, "the file {}", path.display()),
            Self::Folder(folder) => write!(f, "the folder {}", folder.display()),
            Self::Store(store) => write!(f, "the secret store ({store})"),
            Self::Show(_) => f.write_str("the terminal"),
        }
    }
}

impl Prepared {
    /// With the time at which the key expires, in milliseconds since 1970.
    #[must_use]
    pub fn expiring(mut self, ms: u64) -> Self {
        self.info.expires_ms = Some(ms);
        self
    }

    /// Hands the key over.
    pub fn deliver(self, id: KeyId, key: &Secret) -> Result<(), SinkError> {
        let info = self.info;
        match self.sink {
            PreparedSink::Command { program, exists } => {
                // If its name was known, this was checked before the key existed.
                if let Some(exists) = exists.filter(|_| info.name.is_none()) {
                    check_free(&exists, &info, Some(id))?;
                }
                let of_program =
                    |error| SinkError::Program { program: program.name().to_owned(), error };
                let (program, environment) = filled(&program, &info, Some(id));
                program.write(key.expose().as_bytes(), &environment).map_err(of_program)
            }
            PreparedSink::File(file) => file.finish(key.expose().as_bytes()),
            PreparedSink::InFolder(file) => {
                let name = info.name.unwrap_or_else(|| format!("key-{id}"));
                file.finish(key.expose().as_bytes(), &name)
            }
            PreparedSink::Store(store) => store.deliver(&info, id, key),
            PreparedSink::Show(show) => (show.0)(key.expose()).map_err(SinkError::Show),
        }
    }
}

impl PreparedSink {
    fn command(
        program: &Program,
        exists: Option<&Program>,
        info: &KeyInfo,
    ) -> Result<Self, SinkError> {
        for program in [program].into_iter().chain(exists) {
            check_program(program)?;
            let names = program.arguments().iter().any(|text| text.contains("{name}"));
            if names && !info.name.as_deref().is_none_or(is_name) {
                return Err(SinkError::Name);
            }
        }
        if let Some(exists) = exists.filter(|_| info.name.is_some()) {
            check_free(exists, info, None)?;
        }
        Ok(Self::Command { program: program.clone(), exists: exists.cloned() })
    }
}

/// Checks that a store has no secret of this name. A rotation replaces its own: the program gets
/// the id of the old key and can check whose secret it is.
fn check_free(exists: &Program, info: &KeyInfo, id: Option<KeyId>) -> Result<(), SinkError> {
    let name = || exists.name().to_owned();
    let (program, environment) = filled(exists, info, id);
    match program.write(b"", &environment) {
        Ok(()) => Err(SinkError::SecretExists { program: name() }),
        Err(ProgramError::Failed { code: Some(1) }) => Ok(()),
        Err(error) => Err(SinkError::Program { program: name(), error }),
    }
}

/// A program with its arguments filled in, and its variables.
fn filled(
    program: &Program,
    info: &KeyInfo,
    id: Option<KeyId>,
) -> (Program, Vec<(&'static str, String)>) {
    let arguments = program.arguments().iter().map(|text| info.fill(text, id)).collect();
    let name = info.name_with(id);
    let id = id.map(|id| id.to_string()).unwrap_or_default();
    let replaces = info.replaces.map(|id| id.to_string()).unwrap_or_default();
    let environment = vec![
        ("CORTEXKEY_NEW_KEY_ID", id),
        ("CORTEXKEY_NEW_KEY_NAME", name),
        ("CORTEXKEY_NEW_KEY_LEVEL", info.level.to_string()),
        ("CORTEXKEY_NEW_KEY_HOST", info.host.clone()),
        ("CORTEXKEY_REPLACED_KEY_ID", replaces),
    ];
    (program.with_arguments(arguments), environment)
}

/// Whether a definition's name is safe as an argument and as a file name.
pub(crate) fn is_name(name: &str) -> bool {
    let is_device = cfg!(windows) && cortexkey_system::is_reserved(name);
    !is_device
        && !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c))
}

/// A program by its path, or one on the search path.
fn check_program(program: &Program) -> Result<(), SinkError> {
    which::which(program.name())
        .map(|_| ())
        .map_err(|_| SinkError::NoProgram { program: program.name().to_owned() })
}

fn whose(owner: Option<&str>) -> String {
    match owner {
        Some(owner) => format!("contains a key of {owner}\nhelp: name another file"),
        None => {
            "nothing shows that it is this tenant's key\nhelp: name it with --sink-file to replace \
                 it"
            .to_owned()
        }
    }
}
