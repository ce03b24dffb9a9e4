//! Finds the policy in force and the definition of a key.
//!
//! The linter finds and reads the policy and the corpus; this module uses what it read. A policy or
//! definition with mistakes ends the command, and `cortexkey lint` reports the mistakes.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use cortexkey_core::access::Product;
use cortexkey_lint::files::{DEFAULT_POLICY, Options, run as run_files};
use cortexkey_lint::{Corpus, CorpusFile, KeyDocument, Policy, Report, Timestamp};
use cortexkey_manifest::access::{KeyAccess, ResolvedRole, RoleOrigin};
use cortexkey_manifest::definition::Definition;
use cortexkey_manifest::policy;
use cortexkey_manifest::yaml::{Tree, YamlLimits};
use cortexkey_manifest::{Span, closest, quote};
use cortexkey_system::counted;
use thiserror::Error;

use crate::exit::{Exit, Failure};
use crate::surroundings;

/// The policy in force.
pub(crate) struct PolicyInForce {
    pub(crate) policy: Policy,
    /// Those of other files of the corpus.
    others: Vec<Policy>,
    /// The files of its corpus, if they were requested.
    pub(crate) corpus: Corpus,
}

impl PolicyInForce {
    /// Finds the policy: the named one, otherwise the nearest to `beside` or to the current folder.
    pub(crate) fn policy(named: Option<&Path>, beside: Option<&Path>) -> Result<Self, Failure> {
        // With an empty standard input the linter finds the policy and reports on no file.
        Self::run(named, |options| {
            options.paths = vec![PathBuf::from("-")];
            options.stdin_filename = beside.map(Path::to_path_buf);
        })
    }

    /// Reads the policy and its corpus.
    fn with_corpus(named: Option<&Path>) -> Result<Self, Failure> {
        Self::run(named, |_| {})
    }

    /// Reads the policy and its corpus, and reports on these files and folders.
    pub(crate) fn with_paths(named: Option<&Path>, paths: &[PathBuf]) -> Result<Self, Failure> {
        Self::run(named, |options| options.paths = paths.to_vec())
    }

    fn run(named: Option<&Path>, ask: impl FnOnce(&mut Options)) -> Result<Self, Failure> {
        let folder = surroundings::current_folder()?;
        // No answer here depends on the time.
        let mut options = Options::new(&folder, Timestamp::UNIX_EPOCH);
        options.policy = named.map(Path::to_path_buf);
        ask(&mut options);
        let outcome = run_files(&options, &mut io::empty());
        if outcome.report.is_none() {
            return Err(Failure::from_outcome(&outcome));
        }
        match (outcome.report, outcome.policy) {
            (Some(report), _) if outcome.usage_error => Err(policy_mistake(&report)),
            (_, Some(policy)) => {
                Ok(Self { policy, others: outcome.others, corpus: outcome.corpus })
            }
            _ => Err(Failure::usage_error("no policy was read")),
        }
    }

    /// The policy that governs a file of the corpus, and the corpus.
    pub(crate) fn of(mut self, file: &CorpusFile) -> Self {
        if let Some(other) = file.policy.checked_sub(1)
            && other < self.others.len()
        {
            self.policy = self.others.swap_remove(other);
        }
        self
    }

    /// Borrows the policy that governs a file.
    pub(crate) fn policy_of(&self, file: &CorpusFile) -> &Policy {
        let other = file.policy.checked_sub(1).and_then(|other| self.others.get(other));
        other.unwrap_or(&self.policy)
    }

    /// The policy itself.
    pub(crate) fn into_policy(self) -> Policy {
        self.policy
    }

    /// Its path as output shows it, or `builtin:…`.
    pub(crate) fn path(&self) -> &str {
        self.policy.path().unwrap_or_default()
    }

    /// Whether the policy comes from a file rather than being the built-in default.
    pub(crate) fn is_default(&self) -> bool {
        self.path() == DEFAULT_POLICY
    }

    /// The catalog's roles; those of the nearest layer come first.
    pub(crate) fn catalog(&self) -> Vec<&policy::CatalogRole> {
        self.policy.roles().collect()
    }

    /// The roles in the catalog of the policy that governs a file.
    pub(crate) fn catalog_of(&self, file: &CorpusFile) -> Vec<&policy::CatalogRole> {
        self.policy_of(file).roles().collect()
    }

    /// What the catalog says of a role.
    pub(crate) fn listed(&self, name: &str) -> Option<&policy::CatalogRole> {
        self.policy.roles().find(|role| role.name.value == name)
    }
}

/// A key's definition and the policy's facts about it.
pub(super) struct Located {
    pub(super) found: PolicyInForce,
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) access: KeyAccess,
}

/// Finds a key by a file or by its name.
pub(super) fn locate(
    key: &str,
    name: Option<&str>,
    named: Option<&Path>,
) -> Result<Located, Failure> {
    let path = Path::new(key);
    let by_file = path.is_file() || path.extension().is_some_and(|e| e == "yaml" || e == "yml");
    if path.is_dir() {
        return Err(Failure::usage_error(format!("{} is a folder", quote(key)))
            .help("give a file with a key definition, or a key's name"));
    }
    if !by_file {
        if name.is_some() {
            return Err(Failure::usage_error("--name selects a key of a file")
                .help("cortexkey access FILE --name NAME"));
        }
        return by_name(key, PolicyInForce::with_corpus(named)?);
    }
    let bytes = read(path).map_err(|error| Failure::from_error(Exit::NoInput, &error))?;
    let found = PolicyInForce::policy(named, Some(path))?;
    let file = CorpusFile::new(key, bytes, &YamlLimits::default());
    let document = in_file(&file, name)?;
    lower(found, &file, document)
}

fn by_name(key: &str, mut found: PolicyInForce) -> Result<Located, Failure> {
    let mut all: Vec<String> = Vec::new();
    let mut hits: Vec<(&CorpusFile, &KeyDocument)> = Vec::new();
    let corpus = core::mem::take(&mut found.corpus);
    let unread = corpus.files.iter().filter(|file| !file.problems.is_empty()).count();
    for file in &corpus.files {
        for document in &file.documents {
            let Some(definition) = &document.definition else { continue };
            let Some(name) = definition.name() else { continue };
            let tenant = definition.tenant().or_else(|| found.policy_of(file).only_tenant());
            if name == key || tenant.is_some_and(|tenant| key == format!("{tenant}/{name}")) {
                hits.push((file, document));
            }
            all.push(name.to_owned());
        }
    }
    match hits.as_slice() {
        [] => Err(no_such_key(key, &found, &all, unread)),
        [(file, document)] => {
            sound(file)?;
            lower(found.of(file), file, document)
        }
        several => {
            let mut files: Vec<&str> = several.iter().map(|(file, _)| file.path.as_str()).collect();
            files.dedup();
            Err(Failure::usage_error(format!(
                "{} definitions are named {}, in {}",
                several.len(),
                quote(key),
                files.join(", ")
            ))
            .help("give TENANT/NAME, or the file and --name NAME"))
        }
    }
}

fn no_such_key(key: &str, found: &PolicyInForce, all: &[String], unread: usize) -> Failure {
    if all.is_empty() {
        let nowhere = "no policy was found, and this folder";
        let whose = if found.is_default() { nowhere } else { found.path() };
        return Failure::new(
            Exit::NoInput,
            format!("{whose} has no key definition that could be read"),
        )
        .help("give a file, or the policy with --policy FILE");
    }
    let mut message = format!(
        "there is no key {} among the {} of {}",
        quote(key),
        counted(all.len(), "definition"),
        found.path()
    );
    if unread > 0 {
        message += &format!(", and {} could not be read", counted(unread, "file"));
    }
    let near = closest(key, all.iter().map(String::as_str));
    let help = match near {
        Some(near) => format!("did you mean {}?", quote(near)),
        None if unread > 0 => "run `cortexkey lint` first".to_owned(),
        None => "give a key's name, or a file with its definition".to_owned(),
    };
    Failure::usage_error(message).help(help)
}

/// The selected document.
fn in_file<'f>(file: &'f CorpusFile, name: Option<&str>) -> Result<&'f KeyDocument, Failure> {
    sound(file)?;
    let name_of = |document: &KeyDocument| {
        document.definition.as_ref().and_then(Definition::name).map(str::to_owned)
    };
    let Some(name) = name else {
        return match file.documents.as_slice() {
            [one] => Ok(one),
            several => {
                let names: Vec<String> =
                    several.iter().filter_map(name_of).map(|name| quote(&name)).collect();
                Err(Failure::usage_error(format!(
                    "{} holds {} definitions: {}",
                    file.path,
                    several.len(),
                    names.join(", ")
                ))
                .help("select one with --name NAME"))
            }
        };
    };
    let found = file.documents.iter().find(|document| name_of(document).as_deref() == Some(name));
    found.ok_or_else(|| {
        let names: Vec<String> = file.documents.iter().filter_map(name_of).collect();
        let failure = Failure::usage_error(format!("{} defines no key {}", file.path, quote(name)));
        match closest(name, names.iter().map(String::as_str)) {
            Some(near) => failure.help(format!("did you mean {}?", quote(near))),
            None => failure.help(format!("its keys are {}", names.join(", "))),
        }
    })
}

/// A file whose YAML has no syntax errors.
pub(crate) fn sound(file: &CorpusFile) -> Result<(), Failure> {
    match file.problems.first() {
        Some(problem) => Err(broken(&file.path, &file.tree, problem.span, &problem.message)),
        None => Ok(()),
    }
}

/// Every key of the policy's corpus. A definition that cannot be used is an error, because an
/// answer about all keys must not skip one.
pub(super) fn every(named: Option<&Path>) -> Result<(PolicyInForce, Vec<Key>), Failure> {
    let mut found = PolicyInForce::with_corpus(named)?;
    let corpus = core::mem::take(&mut found.corpus);
    let mut keys = Vec::new();
    for file in &corpus.files {
        sound(file)?;
        for document in &file.documents {
            keys.push(lower_key(&found, file, document)?);
        }
    }
    if keys.is_empty() {
        let message = format!("{} has no key definition that could be read", found.path());
        return Err(Failure::new(Exit::NoInput, message).help("give the policy with --policy FILE"));
    }
    Ok((found, keys))
}

/// A key of the corpus, its place, and what it may do and see.
pub(super) struct Key {
    pub(super) name: String,
    pub(super) file: String,
    pub(super) line: usize,
    pub(super) access: KeyAccess,
}

fn lower(
    found: PolicyInForce,
    file: &CorpusFile,
    document: &KeyDocument,
) -> Result<Located, Failure> {
    let Key { name, file, line, access } = lower_key(&found, file, document)?;
    Ok(Located { found, name, file, line, access })
}

fn lower_key(
    found: &PolicyInForce,
    file: &CorpusFile,
    document: &KeyDocument,
) -> Result<Key, Failure> {
    let refuse = |span, message: &str| broken(&file.path, &file.tree, span, message);
    if let Some(problem) = document.problems.first() {
        return Err(refuse(problem.span, &problem.message));
    }
    let definition = document.definition.as_ref();
    let definition = definition.ok_or_else(|| refuse(document.span, "no key definition"))?;
    let tenant = definition.tenant().or_else(|| found.policy.only_tenant());
    let tenant = tenant.map(|name| (name, found.policy.tenant(name)));
    let access = KeyAccess::from_definition(definition, &found.catalog(), tenant)
        .map_err(|field| refuse(field.span, &field.message))?;
    Ok(Key {
        name: definition.name().unwrap_or_default().to_owned(),
        file: file.path.clone(),
        line: file.tree.position(definition.place.start).line,
        access,
    })
}

/// A definition that cannot be decided on.
pub(crate) fn broken(path: &str, tree: &Tree, span: Span, message: &str) -> Failure {
    let at = tree.position(span.start);
    Failure::usage_error(format!(
        "the definition has a mistake: {path}:{}:{}: {message}",
        at.line, at.column
    ))
    .help(format!("run `cortexkey lint {path}` first"))
}

/// A role by name, with its public facts for a product.
pub(crate) fn role_named(
    found: &PolicyInForce,
    name: &str,
    product: Option<Product>,
) -> Option<ResolvedRole> {
    let role = ResolvedRole::resolve(name, found.listed(name), product);
    (role.facts.origin != RoleOrigin::Unknown).then_some(role)
}

/// The first mistake of the policy, whose files are the first sources.
fn policy_mistake(report: &Report) -> Failure {
    let first = report.findings.iter().min_by_key(|finding| finding.location.source);
    let message = first.map_or_else(String::new, |finding| {
        let source = &report.sources[finding.location.source];
        let at = source.positions(finding.location.span).0;
        format!(": {}:{}:{}: {}", source.path, at.line, at.column, finding.message)
    });
    Failure::usage_error(format!("the policy has a mistake{message}"))
        .help("run `cortexkey lint` first")
}

/// Why a file or stream is not read; `shown` is its name in messages.
#[derive(Debug, Error)]
pub(crate) enum ReadError {
    #[error("cannot read {shown}: there is no such file")]
    NotFound { shown: String },
    #[error("cannot read {shown}: it is not a file")]
    NotAFile { shown: String },
    #[error("cannot read {shown}: it is larger than {limit} bytes")]
    TooLarge { shown: String, limit: usize },
    #[error("cannot read {shown}")]
    System { shown: String, source: io::Error },
}

impl ReadError {
    fn system(shown: &str, source: io::Error) -> Self {
        let shown = shown.to_owned();
        match source.kind() {
            io::ErrorKind::NotFound => Self::NotFound { shown },
            _ => Self::System { shown, source },
        }
    }
}

/// The bytes of a regular file within the limits.
pub(crate) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let shown = quote(&path.to_string_lossy());
    let failed = |error| ReadError::system(&shown, error);
    // Checked before opening: opening a FIFO waits for a writer.
    if !fs::metadata(path).map_err(failed)?.is_file() {
        return Err(ReadError::NotAFile { shown });
    }
    bounded(&mut File::open(path).map_err(failed)?, &shown)
}

/// The bytes of a stream within the limits.
pub(super) fn bounded(from: &mut dyn io::Read, shown: &str) -> Result<Vec<u8>, ReadError> {
    let limit = YamlLimits::default().bytes;
    let mut bytes = Vec::new();
    let read = from.take(limit as u64 + 1).read_to_end(&mut bytes);
    read.map_err(|error| ReadError::system(shown, error))?;
    if bytes.len() > limit {
        return Err(ReadError::TooLarge { shown: shown.to_owned(), limit });
    }
    Ok(bytes)
}
