//! [`Compiler`] writes definitions in the form that [`CompiledDefinitions`](super::CompiledDefinitions) reads.
//!
//! Two keys of the same name in a tenant, and values that exceed the format's limits, are errors.

use alloc::collections::BTreeMap;
use alloc::collections::btree_map::Entry;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;
use core::fmt;

use sha2::{Digest as _, Sha256};

use super::record::{AREA_MODES, AXIS_MODES, LEVELS};
use super::{COMPILED_BYTES_MAX, COMPILED_KEYS_MAX, CompiledKey, MAGIC, NAME_BYTES_MAX, VERSION};
use crate::access::{
    Area, Axis, Certainty, Grant, KnownLevel, Role, Sbac, Scope, TagMode, Text, Unreferenced,
};
use crate::auth::Level;
use crate::lifecycle::Expiry;

/// Compiles definitions, which may come in any order.
///
/// See [`CompiledDefinitions`](super::CompiledDefinitions) for an example.
#[derive(Default)]
pub struct Compiler {
    /// By tenant and name.
    records: BTreeMap<(String, String), Vec<u8>>,
    bytes: usize,
}

impl Compiler {
    /// A compiler without keys.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a key.
    pub fn add<S: Text>(&mut self, key: &CompiledKey<'_, S>) -> Result<(), CompileError> {
        let refuse = |message: &str| CompileError::of(key, message);
        let record = record(key).map_err(|error| refuse(&error.message))?;
        self.bytes += size_of::<u32>() + record.len();
        if self.records.len() >= COMPILED_KEYS_MAX || self.bytes > COMPILED_BYTES_MAX - 64 {
            return Err(refuse("there are more than 100,000 keys, or more than 64 MiB of them"));
        }
        match self.records.entry((key.tenant.into(), key.definition.name.into())) {
            Entry::Occupied(_) => Err(refuse("it is defined twice")),
            Entry::Vacant(place) => {
                place.insert(record);
                Ok(())
            }
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether there are no keys.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The compiled definitions.
    pub fn finish(&self) -> Vec<u8> {
        let mut body = length(self.records.len()).to_vec();
        for record in self.records.values() {
            body.extend_from_slice(&length(record.len()));
            body.extend_from_slice(record);
        }
        let mut bytes = MAGIC.to_vec();
        bytes.extend_from_slice(&VERSION.to_le_bytes());
        bytes.extend_from_slice(&length(body.len()));
        bytes.extend_from_slice(&Sha256::digest(&body));
        bytes.extend_from_slice(&body);
        bytes
    }
}

/// A count or a length, which `add` limits to below 64 Mi.
fn length(number: usize) -> [u8; 4] {
    u32::try_from(number).unwrap_or(u32::MAX).to_le_bytes()
}

/// Why keys cannot be compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CompileError {
    message: String,
}

impl CompileError {
    fn new(message: &str) -> Self {
        Self { message: message.into() }
    }

    fn of<S: Text>(key: &CompiledKey<'_, S>, message: &str) -> Self {
        let name = key.definition.name;
        Self { message: alloc::format!("the key {name:?} cannot be compiled: {message}") }
    }
}

impl fmt::Display for CompileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl core::error::Error for CompileError {}

fn record<S: Text>(key: &CompiledKey<'_, S>) -> Result<Vec<u8>, CompileError> {
    let mut out = Vec::new();
    for (what, name) in [("tenant", key.tenant), ("name", key.definition.name)] {
        if name.len() > NAME_BYTES_MAX {
            let limit = NAME_BYTES_MAX.to_string();
            return Err(CompileError::new(
                &["its ", what, " has more than ", &limit, " bytes"].concat(),
            ));
        }
        text(&mut out, name)?;
    }
    if key.definition.name.is_empty() {
        return Err(CompileError::new("it has no name"));
    }
    list(&mut out, key.key_ids, |out, id| {
        out.extend_from_slice(&id.get().to_le_bytes());
        Ok(())
    })?;
    out.push(match key.definition.level {
        Level::Standard => 1,
        Level::Advanced => 2,
    });
    let (kind, ms) = match (key.definition.lifetime_ms, key.definition.expiry) {
        (Some(ms), _) => (2, ms),
        (None, Expiry::At { ms }) => (1, ms),
        (None, Expiry::Never) => (0, 0),
    };
    out.push(kind);
    out.extend_from_slice(&ms.to_le_bytes());
    out.push(u8::from(key.older_scopes));
    out.push(match key.settings.sbac {
        Sbac::Enforced => 0,
        Sbac::Disabled => 1,
        Sbac::Unknown => 2,
    });
    out.push(u8::from(key.settings.tags == TagMode::Restrictive));
    out.push(u8::from(key.settings.datasets));
    list(&mut out, key.definition.roles, role)?;
    out.push(u8::from(key.definition.scope.is_some()));
    key.definition.scope.map_or(Ok(()), |held| scope(&mut out, held))?;
    Ok(out)
}

fn role<S: Text>(out: &mut Vec<u8>, role: &Role<S>) -> Result<(), CompileError> {
    text(out, &role.name)?;
    out.push(u8::from(role.holds_all) | u8::from(role.actions.is_complete) << 1);
    out.push(level(role.others));
    // What is only assumed decides nothing, so it is not stored.
    let certain = |grant: &&Grant<S>| grant.certainty < Certainty::Assumed;
    let grants: Vec<&Grant<S>> = role.grants.iter().filter(certain).collect();
    list(out, &grants, |out, grant| {
        text(out, &grant.component)?;
        out.push(level(grant.level));
        Ok(())
    })?;
    names(out, &role.actions.held)?;
    names(out, &role.actions.lacked)
}

fn level(level: KnownLevel) -> u8 {
    code(&LEVELS, &level)
}

/// The index in a table that contains every possible value.
fn code<T: PartialEq>(table: &[T], value: &T) -> u8 {
    let code = table.iter().position(|known| known == value);
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)
}

fn scope<S: Text>(out: &mut Vec<u8>, scope: &Scope<S>) -> Result<(), CompileError> {
    area(out, &scope.assets)?;
    area(out, &scope.cases_and_issues.area)?;
    out.push(match scope.cases_and_issues.unreferenced {
        Unreferenced::No => 0,
        Unreferenced::Yes => 1,
        Unreferenced::Unknown => {
            return Err(CompileError::new(
                "it is unknown whether it sees what references no known object",
            ));
        }
    });
    axis(out, &scope.endpoints.groups)?;
    axis(out, &scope.endpoints.tags)?;
    let datasets = scope.datasets.as_ref();
    out.push(datasets.map_or(0, |datasets| 1 + u8::from(datasets.all)));
    let filters = datasets.map_or(&[][..], |datasets| &datasets.filters);
    list(out, filters, |out, (dataset, filter)| {
        text(out, dataset)?;
        text(out, filter)
    })
}

fn area<S: Text>(out: &mut Vec<u8>, area: &Area<S>) -> Result<(), CompileError> {
    out.push(code(&AREA_MODES, &area.mode()));
    names(out, area.names())
}

fn axis<S: Text>(out: &mut Vec<u8>, axis: &Axis<S>) -> Result<(), CompileError> {
    out.push(code(&AXIS_MODES, &axis.mode()));
    names(out, axis.names())
}

fn names<S: Text>(out: &mut Vec<u8>, names: &[S]) -> Result<(), CompileError> {
    list(out, names, |out, name| text(out, name))
}

fn list<T>(
    out: &mut Vec<u8>,
    items: &[T],
    mut one: impl FnMut(&mut Vec<u8>, &T) -> Result<(), CompileError>,
) -> Result<(), CompileError> {
    let count = u16::try_from(items.len())
        .map_err(|_| CompileError::new("a list has more than 65,535 entries"))?;
    out.extend_from_slice(&count.to_le_bytes());
    items.iter().try_for_each(|item| one(out, item))
}

fn text(out: &mut Vec<u8>, text: &str) -> Result<(), CompileError> {
    let len = u16::try_from(text.len())
        .map_err(|_| CompileError::new("a string has more than 65,535 bytes"))?;
    out.extend_from_slice(&len.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    Ok(())
}
