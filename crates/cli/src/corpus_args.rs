//! The arguments of commands that show keys with their definitions, and the output of such a
//! command.

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use cortexkey_client::{CallError, Client, Connection};
use cortexkey_core::auth::KeyId;
use cortexkey_fleet::{ComparedDefinitions, DefinitionSource, Scopes, Snapshot, TenantReport};
use cortexkey_lint::files::{DEFAULT_POLICY, Options, RunOutcome, run};
use cortexkey_lint::report::Format;
use cortexkey_system::io_reason;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::connection::call_failure;
use crate::exit::{Exit, Failure};
use crate::surroundings;
use crate::{mask, output_file, progress, text};

/// Which definitions.
#[derive(clap::Args)]
pub(crate) struct CorpusArgs {
    /// The folder with the key definitions and their policy [default: the current folder, if it has
    /// any]
    #[arg(long, value_name = "FOLDER", help_heading = "Definitions")]
    keys: Option<PathBuf>,

    /// The policy [default: the nearest cortexkey.yaml in the folder or above]
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    policy: Option<PathBuf>,

    /// The linter's baseline, as in `lint --baseline`
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    baseline: Option<PathBuf>,

    /// The policy's name for the tenant [default: the profile's, or the policy's only tenant]
    #[arg(long, value_name = "NAME", help_heading = "Definitions")]
    tenant: Option<String>,

    /// The lock file [default: cortexkey.lock next to the policy]
    #[arg(long, value_name = "FILE", help_heading = "Definitions")]
    lock_file: Option<PathBuf>,
}

/// Where the output goes.
#[derive(clap::Args)]
pub(crate) struct OutArgs {
    /// Write to this file instead of standard output
    #[arg(long, alias = "output", value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the file if it exists
    #[arg(long, requires = "out")]
    overwrite: bool,
}

/// The definitions of a folder, checked by the linter.
pub(crate) struct CheckedDefinitions {
    source: DefinitionSource,
    outcome: RunOutcome,
}

impl CorpusArgs {
    /// Reads the definitions. `None` if there are none and no option names any. With `needed`,
    /// missing definitions are an error.
    pub(crate) fn read(&self, needed: bool) -> Result<Option<CheckedDefinitions>, Failure> {
        let folder = surroundings::keys_folder(self.keys.as_deref())?;
        let time = surroundings::time(None)?;
        let mut options = Options::new(folder.clone(), time);
        options.policy.clone_from(&self.policy);
        options.baseline.clone_from(&self.baseline);
        let outcome = run(&options, &mut io::empty());
        if outcome.usage_error || outcome.policy.is_none() {
            // The policy has mistakes, which the report contains.
            if let Some(report) = &outcome.report {
                text::eprint(&report.render(Format::Human, io::stderr().is_terminal()));
            }
            return Err(Failure::from_outcome(&outcome));
        }
        if outcome.no_input {
            let policy = outcome.policy.as_ref().and_then(|policy| policy.path());
            let is_named = self.keys.is_some() || self.policy.is_some() || needed;
            if !is_named && policy == Some(DEFAULT_POLICY) {
                return Ok(None);
            }
            // Otherwise a pattern that matches no file would look like deleted definitions.
            return Err(Failure::new(Exit::NoInput, "there are no definitions")
                .help("pass the folder with your key definitions with --keys"));
        }
        let source = DefinitionSource {
            folder,
            policy: self.policy.clone(),
            baseline: self.baseline.clone(),
            tenant: self.tenant.clone(),
            lock_file: self.lock_file.clone(),
            scopes_max: None,
        };
        Ok(Some(CheckedDefinitions { source, outcome }))
    }

    /// Whether an option names definitions.
    pub(crate) fn is_given(&self) -> bool {
        let files = [&self.keys, &self.policy, &self.baseline, &self.lock_file];
        files.iter().any(|file| file.is_some())
    }

    /// The policy's name for a tenant: the given one, or the profile's.
    fn tenant(&self, connection: &Connection) -> Option<String> {
        self.tenant.clone().or_else(|| connection.tenant.clone())
    }
}

impl CheckedDefinitions {
    /// Only the definitions.
    pub(crate) fn definitions(self, now_ms: u64) -> ComparedDefinitions {
        ComparedDefinitions::from_outcome(
            self.outcome,
            &self.source,
            None,
            &Scopes::default(),
            now_ms,
        )
    }
}

/// A tenant that was read.
pub(crate) struct ReadTenant {
    pub(crate) client: Client,
    /// The policy's name for it, if given.
    pub(crate) tenant: Option<String>,
    pub(crate) snapshot: Snapshot,
    pub(crate) scopes: Scopes,
}

impl ReadTenant {
    /// Reads a tenant, with its definitions if there are any.
    pub(crate) fn new(
        connection: Connection,
        args: &CorpusArgs,
        corpus: Option<CheckedDefinitions>,
        now_ms: u64,
    ) -> Result<Self, Failure> {
        let tenant = args.tenant(&connection);
        let client = connection.client();
        let mut scopes = Scopes::default();
        // The comparison needs some of the scopes, and does not read them again.
        let load = |ids: &[KeyId]| {
            scopes = read_scopes(&client, ids)?;
            Ok(match corpus {
                None => ComparedDefinitions::load(None, None, &scopes, now_ms),
                Some(CheckedDefinitions { source, outcome }) => {
                    let source = DefinitionSource { tenant: tenant.clone(), ..source };
                    ComparedDefinitions::from_outcome(
                        outcome,
                        &source,
                        Some(&client),
                        &scopes,
                        now_ms,
                    )
                }
            })
        };
        let snapshot = Snapshot::read_with(&client, load, now_ms);
        let snapshot = snapshot.map_err(|error| call_failure(&error))?;
        Ok(Self { client, tenant, snapshot, scopes })
    }

    /// Overview, keys and findings.
    pub(crate) fn report(&self) -> TenantReport {
        TenantReport::of_tenant(&self.client, &self.snapshot, &self.scopes, self.tenant.as_deref())
    }

    /// Whether the definitions could not be compared with the tenant.
    pub(crate) fn is_uncompared(&self) -> bool {
        !self.snapshot.definitions.faults.is_empty()
    }
}

/// Reads the scopes of keys, one call each, and shows progress.
fn read_scopes(client: &Client, ids: &[KeyId]) -> Result<Scopes, CallError> {
    let done = AtomicUsize::new(0);
    let on_scope = || {
        done.fetch_add(1, Ordering::Relaxed);
    };
    let counts = || (done.load(Ordering::Relaxed), ids.len());
    progress::shown("scopes", counts, || Scopes::read(client, ids.iter().copied(), &on_scope))
}

impl OutArgs {
    /// Fails if the file exists and must not be replaced. Checked first, because reading a tenant
    /// may take long.
    pub(crate) fn check(&self) -> Result<(), Failure> {
        match &self.out {
            Some(path) if !self.overwrite && path.symlink_metadata().is_ok() => Err(exists(path)),
            _ => Ok(()),
        }
    }

    /// Writes the output.
    pub(crate) fn write(&self, output: &str) -> Result<(), Failure> {
        let bytes = mask::hide_known(output.as_bytes());
        let Some(path) = &self.out else { return Ok(text::print_bytes(&bytes)?) };
        let written = if self.overwrite {
            output_file::write(path, &bytes)
        } else {
            output_file::create(path, &bytes)
        };
        written.map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                return exists(path);
            }
            let why = io_reason(&error);
            Failure::new(Exit::Findings, format!("cannot write {}: {why}", path.display()))
        })
    }
}

fn exists(path: &Path) -> Failure {
    Failure::usage_error(format!("{} already exists", path.display()))
        .help("--overwrite replaces it")
}
