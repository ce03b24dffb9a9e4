//! [`Sink`]: where a new key goes. It is settled, and tried as far as can be, before there is one.
//!
//! It refuses to lose a key in silence: what fails says so, and whoever asked deletes the key. It
//! refuses a shell, a file that others can read, and a pipe or log in place of a terminal.

mod file;

use core::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use cortexkey_api::Secret;
use cortexkey_core::auth::{KeyId, Level};

use crate::process::{Program, ProgramError};
use file::NewFile;
pub(crate) use file::sync_folder;

/// Where a new key goes.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Sink {
    /// To a program's standard input, without a line end. `{name}`, `{key_id}`, `{level}` and
    /// `{host}` in its arguments are replaced.
    Command(Program),
    /// Into a file that only its owner can read, without a line end.
    File {
        /// The file.
        path: PathBuf,
        /// Whether a file that is there is replaced.
        replace: bool,
    },
    /// Into a folder, one such file a key, named after it; a file that is there is replaced.
    Folder(PathBuf),
    /// To somebody who looks.
    Show(Show),
}

/// Shows a key to somebody who looks.
#[derive(Clone)]
pub struct Show(Arc<ShowKey>);

type ShowKey = dyn Fn(&str) -> io::Result<()> + Send + Sync;

impl Show {
    /// Has keys shown by `show`, which sees to it that it is a terminal.
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
pub struct About {
    /// The name of its definition, where it has one.
    pub name: Option<String>,
    /// The host of its tenant.
    pub host: String,
    /// Its security level.
    pub level: Level,
}

/// A sink that waits for its key. Dropped without one, it leaves nothing behind.
pub struct Prepared {
    way: Way,
    about: About,
}

enum Way {
    Command(Program),
    File(NewFile),
    /// In a folder; the name is that of the definition, else of the key.
    InFolder(NewFile, PathBuf),
    Show(Show),
}

/// Why a key cannot go, or did not.
#[derive(Debug)]
#[non_exhaustive]
pub enum SinkError {
    /// The program is not found.
    NoProgram {
        /// Its name.
        program: String,
    },
    /// The name of the key cannot be an argument or a file.
    Name,
    /// The program failed.
    Program {
        /// Its name.
        program: String,
        /// What went wrong.
        error: ProgramError,
    },
    /// The file is there already.
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be made or written.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        error: io::Error,
    },
    /// It could not be shown.
    Show(io::Error),
}

impl Sink {
    /// Sees to it that a key can go there.
    pub fn prepare(&self, about: About) -> Result<Prepared, SinkError> {
        let way = match self {
            Self::Command(program) => {
                check_program(program)?;
                let names = program.arguments().iter().any(|text| text.contains("{name}"));
                if names && !about.name.as_deref().is_none_or(is_name) {
                    return Err(SinkError::Name);
                }
                Way::Command(program.clone())
            }
            Self::File { path, replace } => Way::File(NewFile::beside(path, *replace)?),
            Self::Folder(folder) => {
                let name = about.name.as_deref().unwrap_or("new-key");
                if !is_name(name) {
                    return Err(SinkError::Name);
                }
                Way::InFolder(NewFile::beside(&folder.join(name), true)?, folder.clone())
            }
            Self::Show(show) => Way::Show(show.clone()),
        };
        Ok(Prepared { way, about })
    }
}

impl fmt::Display for Sink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Command(program) => write!(f, "the program {}", program.name()),
            Self::File { path, .. } => write!(f, "the file {}", path.display()),
            Self::Folder(folder) => write!(f, "the folder {}", folder.display()),
            Self::Show(_) => f.write_str("the terminal"),
        }
    }
}

impl Prepared {
    /// Hands the key over.
    pub fn deliver(self, id: KeyId, key: &Secret) -> Result<(), SinkError> {
        let about = self.about;
        match self.way {
            Way::Command(program) => {
                let of_program =
                    |error| SinkError::Program { program: program.name().to_owned(), error };
                let name = about.name.clone().unwrap_or_else(|| format!("key-{id}"));
                let fill = |argument: &String| {
                    argument
                        .replace("{key_id}", &id.to_string())
                        .replace("{level}", about.level.as_str())
                        .replace("{host}", &about.host)
                        // Last: a name may hold what looks like another of these.
                        .replace("{name}", &name)
                };
                let arguments = program.arguments().iter().map(fill).collect();
                let environment = [
                    ("CORTEXKEY_NEW_KEY_ID", id.to_string()),
                    ("CORTEXKEY_NEW_KEY_NAME", name.clone()),
                    ("CORTEXKEY_NEW_KEY_LEVEL", about.level.to_string()),
                    ("CORTEXKEY_NEW_KEY_HOST", about.host.clone()),
                ];
                let program = program.with_arguments(arguments);
                program.write(key.expose().as_bytes(), &environment).map_err(of_program)
            }
            Way::File(file) => file.finish(key.expose().as_bytes(), None),
            Way::InFolder(file, folder) => {
                let to = about.name.is_none().then(|| folder.join(format!("key-{id}")));
                file.finish(key.expose().as_bytes(), to.as_deref())
            }
            Way::Show(show) => (show.0)(key.expose()).map_err(SinkError::Show),
        }
    }
}

/// Whether a definition's name can stand in an argument or be a file's, and lead nowhere else.
fn is_name(name: &str) -> bool {
    !name.starts_with(['.', '-'])
        && name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.@".contains(c))
}

/// A program by its path, or one that the search path has.
fn check_program(program: &Program) -> Result<(), SinkError> {
    let name = Path::new(program.name());
    let search = std::env::var_os("PATH").unwrap_or_default();
    let found = if name.components().count() > 1 {
        name.is_file()
    } else {
        std::env::split_paths(&search).any(|folder| {
            folder.join(name).is_file()
                || cfg!(windows) && folder.join(name).with_extension("exe").is_file()
        })
    };
    if found { Ok(()) } else { Err(SinkError::NoProgram { program: program.name().to_owned() }) }
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoProgram { program } => write!(
                f,
                "the program {program}, which new keys go to, is not found; give its full path"
            ),
            Self::Name => f.write_str(
                "the name of the key cannot stand in the sink's arguments or be a file's name; give \
                 it one of letters, digits, `-`, `_`, `.` and `@`",
            ),
            Self::Program { program, error } => {
                write!(f, "the program {program}, which the new key was handed to, {error}")
            }
            Self::Exists { path } => write!(
                f,
                "{} is there already, and may hold a key that is in use; name another file",
                path.display()
            ),
            Self::File { path, error } => {
                write!(f, "the file {} cannot be written: {error}", path.display())
            }
            Self::Show(error) => write!(f, "the key could not be shown: {error}"),
        }
    }
}

impl core::error::Error for SinkError {}
