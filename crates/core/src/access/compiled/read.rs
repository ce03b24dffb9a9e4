//! [`CompiledDefinitions`]: reads compiled definitions.
//!
//! Every record is validated before the first is returned, so that a damaged file is rejected as a
//! whole.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;
use core::ops::Range;

use sha2::{Digest as _, Sha256};

use super::record::{CompiledRecord, Cursor, KeyEntry};
use super::{COMPILED_BYTES_MAX, COMPILED_KEYS_MAX, HEAD_BYTES, MAGIC, VERSION};
use crate::auth::KeyId;

/// Compiled definitions. They never change, so threads can share them.
///
/// ```
/// use cortexkey_core::access::compiled::{CompiledKey, Compiler, CompiledDefinitions, Lookup};
/// use cortexkey_core::access::{
///     Answer, Grant, KeyDefinition, Permission, Question, Role, TenantSettings, decide,
/// };
/// use cortexkey_core::auth::Level;
/// use cortexkey_core::lifecycle::Expiry;
///
/// let grants = [Grant::listed("Auditing", Permission::View)];
/// let viewer: Role<&str> = Role { grants: &grants, ..Role::unknown("Viewer") };
/// let definition = KeyDefinition {
///     name: "export",
///     level: Level::Advanced,
///     expiry: Expiry::Never,
///     lifetime_ms: None,
///     roles: &[viewer],
///     scope: None,
/// };
/// let settings = TenantSettings::enforcing();
/// let mut compiler = Compiler::new();
/// compiler.add(&CompiledKey {
///     tenant: "prod",
///     key_ids: &[],
///     definition,
///     settings,
///     older_scopes: false,
/// })?;
/// let definitions = CompiledDefinitions::read(&compiler.finish())?;
///
/// let Lookup::Found(at) = definitions.find("prod/export") else { return Err("not found".into()) };
/// let record = definitions.record(at).ok_or("not found")?;
/// let question = Question::Component { name: "Auditing", permission: Permission::View };
/// let key = record.key();
/// let decision = decide(&key.access(), &key.settings, &question);
/// assert_eq!(decision.answer(), Answer::Allowed);
/// # Ok::<(), Box<dyn core::error::Error>>(())
/// ```
pub struct CompiledDefinitions {
    bytes: Box<[u8]>,
    /// The position of each record, in the order of tenant and name.
    records: Vec<Range<usize>>,
    /// The records in the order of their names only.
    by_name: Vec<u32>,
}

/// The result of looking up a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lookup {
    /// One key: its index.
    Found(usize),
    /// No key.
    NotFound,
    /// Several keys.
    Ambiguous,
}

impl Lookup {
    fn of(mut indices: impl Iterator<Item = usize>) -> Self {
        match (indices.next(), indices.next()) {
            (None, _) => Self::NotFound,
            (Some(at), None) => Self::Found(at),
            (Some(_), Some(_)) => Self::Ambiguous,
        }
    }
}

impl CompiledDefinitions {
    /// Reads compiled definitions.
    pub fn read(bytes: &[u8]) -> Result<Self, CompiledError> {
        let body = body(bytes)?;
        let records = records(body).ok_or(CompiledError::Damaged)?;
        let mut by_name = Vec::new();
        for at in 0..records.len() {
            by_name.push(u32::try_from(at).map_err(|_| CompiledError::Damaged)?);
        }
        let mut definitions = Self { bytes: body.into(), records, by_name: Vec::new() };
        by_name.sort_by_key(|at| definitions.name(*at));
        definitions.by_name = by_name;
        Ok(definitions)
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The identity of the key with an index; `None` past the last one.
    pub fn entry(&self, at: usize) -> Option<KeyEntry<'_>> {
        Cursor(self.bytes(at)?).entry()
    }

    /// Finds a key by its name, or by its tenant, a slash and its name.
    pub fn find(&self, text: &str) -> Lookup {
        let named = self.by_name.partition_point(|at| self.name(*at) < text);
        let named = self.by_name.get(named..).unwrap_or_default();
        let named = named.iter().take_while(|at| self.name(**at) == text);
        let named = named.filter_map(|at| usize::try_from(*at).ok());
        let slashes = text.match_indices('/').filter_map(|(at, _)| {
            let wanted = (text.get(..at)?, text.get(at + 1..)?);
            self.records.binary_search_by(|range| self.names(range).cmp(&wanted)).ok()
        });
        Lookup::of(named.chain(slashes.filter(|at| self.has_tenant(*at))))
    }

    /// Finds a key by its id in a tenant, or in any if none is given.
    pub fn find_id(&self, key_id: KeyId, tenant: Option<&str>) -> Lookup {
        let has_id = |entry: &KeyEntry<'_>| entry.key_ids().any(|id| id == key_id);
        let is_wanted = |entry: &KeyEntry<'_>| tenant.is_none_or(|tenant| tenant == entry.tenant);
        let indices = 0..self.len();
        Lookup::of(
            indices.filter(|at| self.entry(*at).is_some_and(|e| is_wanted(&e) && has_id(&e))),
        )
    }

    /// The key with an index; `None` past the last one.
    pub fn record(&self, at: usize) -> Option<CompiledRecord<'_>> {
        CompiledRecord::read(self.bytes(at)?)
    }

    /// All keys, in the order of tenant and name.
    pub fn records(&self) -> impl Iterator<Item = CompiledRecord<'_>> {
        (0..self.len()).filter_map(|at| self.record(at))
    }

    fn bytes(&self, at: usize) -> Option<&[u8]> {
        self.bytes.get(self.records.get(at)?.clone())
    }

    fn names(&self, range: &Range<usize>) -> (&str, &str) {
        let entry = self.bytes.get(range.clone()).and_then(|bytes| Cursor(bytes).entry());
        entry.map_or(("", ""), |entry| (entry.tenant, entry.name))
    }

    fn name(&self, at: u32) -> &str {
        let range = usize::try_from(at).ok().and_then(|at| self.records.get(at));
        range.map_or("", |range| self.names(range).1)
    }

    fn has_tenant(&self, at: usize) -> bool {
        self.entry(at).is_some_and(|entry| !entry.tenant.is_empty())
    }
}

/// The bytes after the digest, once they are known to be undamaged.
fn body(bytes: &[u8]) -> Result<&[u8], CompiledError> {
    if bytes.len() > COMPILED_BYTES_MAX {
        return Err(CompiledError::TooLarge);
    }
    if !bytes.starts_with(&MAGIC) {
        return Err(CompiledError::NotCompiled);
    }
    let (head, body) = bytes.split_at_checked(HEAD_BYTES).ok_or(CompiledError::Damaged)?;
    let mut cursor = Cursor(head.get(MAGIC.len()..).unwrap_or_default());
    match cursor.word() {
        Some(VERSION) => {}
        Some(version) => return Err(CompiledError::Version { version }),
        None => return Err(CompiledError::Damaged),
    }
    let len = cursor.word().and_then(|len| usize::try_from(len).ok());
    if len != Some(body.len()) || Sha256::digest(body).as_slice() != cursor.0 {
        return Err(CompiledError::Damaged);
    }
    Ok(body)
}

/// The positions of the records in the body, each validated, in their order.
fn records(body: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut cursor = Cursor(body);
    let count = usize::try_from(cursor.word()?).ok().filter(|n| *n <= COMPILED_KEYS_MAX)?;
    let mut records = Vec::new();
    let mut last: Option<(&str, &str)> = None;
    for _ in 0..count {
        let len = usize::try_from(cursor.word()?).ok()?;
        let start = body.len() - cursor.0.len();
        let (record, rest) = cursor.0.split_at_checked(len)?;
        cursor.0 = rest;
        let entry = CompiledRecord::read(record)?.entry();
        let names = (entry.tenant, entry.name);
        if entry.name.is_empty() || last.is_some_and(|last| last >= names) {
            return None;
        }
        last = Some(names);
        records.push(start..start + len);
    }
    cursor.0.is_empty().then_some(records)
}

/// Why bytes are not compiled definitions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CompiledError {
    /// They do not start like compiled definitions.
    NotCompiled,
    /// They have another version.
    Version {
        /// The version found.
        version: u32,
    },
    /// They were changed or damaged.
    Damaged,
    /// They have more than [`COMPILED_BYTES_MAX`] bytes.
    TooLarge,
}

impl fmt::Display for CompiledError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotCompiled => f.write_str(
                "these are not compiled definitions; `cortexkey compile` creates them from YAML",
            ),
            Self::Version { version } => write!(
                f,
                "the definitions have format version {version}, and this release reads {VERSION}; \
                 compile them with this release"
            ),
            Self::Damaged => f.write_str(
                "the compiled definitions are damaged: a byte is missing, or is not what was \
                 written; copy them again, as bytes and not as text",
            ),
            Self::TooLarge => {
                write!(f, "the compiled definitions are larger than {COMPILED_BYTES_MAX} bytes")
            }
        }
    }
}

impl core::error::Error for CompiledError {}
