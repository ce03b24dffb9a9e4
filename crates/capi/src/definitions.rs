//! Compiled definitions: loading them, finding keys in them, and comparing two versions.

use core::ffi::{c_char, c_void};
use core::fmt::Write as _;
use std::borrow::Cow;

use cortexkey_core::access::compiled::{
    COMPILED_BYTES_MAX, CompiledDefinitions, CompiledError, CompiledRecord, KeyEntry, Lookup,
};
use cortexkey_core::access::{AccessKey, KeyDefinition, Role, Scope, TenantSettings, compare};
use cortexkey_core::auth::KeyId;

use crate::expiry::expires_ms_of;
use crate::handle::{self, FEW_BYTES, Handle};
use crate::input;
use crate::output::{self, OneLine, Text, ZeroIsValid, put};
use crate::signer::{cxk_level, number_of};
use crate::status::{
    CXK_AMBIGUOUS_NAME, CXK_INVALID_DEFINITIONS, CXK_INVALID_TEXT, CXK_NOT_FOUND, CXK_OK,
    CXK_TOO_LARGE, CXK_UNSUPPORTED_FORMAT, cxk_status,
};

/// Key definitions from `cortexkey compile`. They never change, so any number of threads may use
/// them at once.
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_definitions {
    _private: [u8; 0],
}

/// Size in bytes of the name of a key or tenant, including NUL.
pub const CXK_NAME_SIZE: usize = 256;
/// The largest length of a string in a question, in bytes.
pub const CXK_TEXT_MAX: usize = 4_096;
/// Size in bytes of a buffer for the explanation of a decision. An explanation with very long or
/// very many names is truncated.
pub const CXK_LINE_SIZE: usize = 16_384;

/// A key definition; all zeros if a call fails.
#[repr(C)]
#[allow(non_camel_case_types, reason = "C's name")]
pub struct cxk_definition {
    /// The key's id in its tenant; 0 if the lock file does not list the key.
    pub key_id: u64,
    /// When the key expires, in milliseconds since 1970; `CXK_NEVER` if it never expires, or if it
    /// has a lifetime instead.
    pub expires_ms: u64,
    /// The key's lifetime in milliseconds, from the moment it is generated; 0 if it has none.
    pub lifetime_ms: u64,
    /// The key's security level.
    pub level: cxk_level,
    /// Always 0.
    pub reserved: u32,
    /// The key's name.
    pub name: [c_char; CXK_NAME_SIZE],
    /// The key's tenant; empty if the definition names none.
    pub tenant: [c_char; CXK_NAME_SIZE],
}

/// Compiled definitions with the facts that decisions need, read once when they are loaded, so that
/// a decision parses and allocates nothing.
pub(crate) struct LoadedDefinitions {
    definitions: CompiledDefinitions,
    /// The keys, in the order of the definitions.
    keys: Vec<LoadedKey>,
}

/// What a decision needs to know about a key.
pub(crate) struct LoadedKey {
    roles: Vec<Role<String>>,
    scope: Option<Scope<String>>,
    pub(crate) settings: TenantSettings,
    pub(crate) older_scopes: bool,
}

impl LoadedDefinitions {
    fn new(definitions: CompiledDefinitions) -> Self {
        let keys = definitions.records().map(|record| LoadedKey::of(&record)).collect();
        Self { definitions, keys }
    }

    /// The key at an index.
    pub(crate) fn key(&self, at: usize) -> Option<&LoadedKey> {
        self.keys.get(at)
    }
}

impl LoadedKey {
    fn of(record: &CompiledRecord<'_>) -> Self {
        let key = record.key();
        Self {
            roles: key.definition.roles.iter().map(Role::to_owned).collect(),
            scope: key.definition.scope.map(Scope::to_owned),
            settings: key.settings,
            older_scopes: key.older_scopes,
        }
    }

    /// The key as [`decide`](cortexkey_core::access::decide()) takes it.
    pub(crate) fn access(&self) -> AccessKey<'_, String> {
        AccessKey { roles: &self.roles, scope: self.scope.as_ref() }
    }
}

/// How much memory loaded definitions take, as a multiple of their bytes.
const MEMORY_FACTOR: usize = 8;

impl Handle for LoadedDefinitions {
    type Opaque = cxk_definitions;
    const TAG: u64 = u64::from_be_bytes(*b"cxkdefns");
}

// SAFETY: NULL is a pointer.
unsafe impl ZeroIsValid for *mut cxk_definitions {}
// SAFETY: numbers and characters; zeros are both.
unsafe impl ZeroIsValid for cxk_definition {}
// SAFETY: zero is a number.
unsafe impl ZeroIsValid for usize {}

/// An invalid index, which `cxk_definitions_find()` sets if it fails.
pub const CXK_NOWHERE: usize = usize::MAX;

/// Loads compiled definitions and keeps a copy.
///
/// - Ownership: the caller owns `*out` and frees it with `cxk_definitions_free()`; it is NULL if
///   the call fails. The bytes stay the caller's.
/// - Threads: any.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_TOO_LARGE` (`len` above 64 MiB),
///   `CXK_INVALID_DEFINITIONS`, `CXK_UNSUPPORTED_FORMAT`, `CXK_NO_MEMORY`.
///
/// ```c
/// char bytes[4096];
/// FILE *file = fopen("keys.ckc", "rb");
/// size_t len = file == NULL ? 0 : fread(bytes, 1, sizeof bytes, file);
/// cxk_definitions *mine = NULL;
/// if (cxk_definitions_load(bytes, len, &mine) != CXK_OK) exit(2);
/// cxk_definitions_free(mine);
/// ```
///
/// # Safety
///
/// `bytes` points to `len` readable bytes. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_definitions_load(
    bytes: *const c_void,
    len: usize,
    out: *mut *mut cxk_definitions,
) -> cxk_status {
    let load = |out: &mut *mut cxk_definitions| {
        // SAFETY: this function's contract.
        let bytes = unsafe { input::bytes(bytes.cast(), len, COMPILED_BYTES_MAX, CXK_TOO_LARGE) }?;
        handle::has_memory(FEW_BYTES + MEMORY_FACTOR * bytes.len())?;
        let definitions = CompiledDefinitions::read(bytes).map_err(|error| match error {
            CompiledError::Version { .. } => CXK_UNSUPPORTED_FORMAT,
            _ => CXK_INVALID_DEFINITIONS,
        })?;
        *out = handle::new(LoadedDefinitions::new(definitions))?;
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, load) }
}

/// Returns the definition at an index, counted from 0, to iterate over all of them.
///
/// - Ownership: `out` is the caller's memory; all zeros if the call fails.
/// - Threads: any number may call it at once.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND` (after the last).
///
/// ```c
/// cxk_definition definition;
/// for (size_t at = 0; cxk_definitions_get(definitions, at, &definition) == CXK_OK; at++)
///   puts(definition.name);
/// ```
///
/// # Safety
///
/// `definitions` comes from `cxk_definitions_load()` and was not freed. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_definitions_get(
    definitions: *const cxk_definitions,
    at: usize,
    out: *mut cxk_definition,
) -> cxk_status {
    let get = |out: &mut cxk_definition| {
        // SAFETY: this function's contract.
        let LoadedDefinitions { definitions, .. } = unsafe { handle::get(definitions) }?;
        out.put(&definitions.entry(at).ok_or(CXK_NOT_FOUND)?)
    };
    // SAFETY: this function's contract.
    unsafe { output::fill(out, get) }
}

/// Finds the index of the definition with the given name, which is `name` or `tenant/name`.
///
/// - Ownership: `out` is the caller's memory; `CXK_NOWHERE` if the call fails.
/// - Threads: any number may call it at once.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_INVALID_TEXT`,
///   `CXK_NOT_FOUND`, `CXK_AMBIGUOUS_NAME`.
///
/// ```c
/// size_t at;
/// if (cxk_definitions_find(definitions, "prod-eu/export", 14, &at) != CXK_OK) exit(2);
/// ```
///
/// # Safety
///
/// `definitions` comes from `cxk_definitions_load()` and was not freed. `name` points to `name_len`
/// readable bytes. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_definitions_find(
    definitions: *const cxk_definitions,
    name: *const c_char,
    name_len: usize,
    out: *mut usize,
) -> cxk_status {
    let find = |out: &mut usize| {
        // SAFETY: this function's contract.
        let LoadedDefinitions { definitions, .. } = unsafe { handle::get(definitions) }?;
        // SAFETY: as above.
        let name = unsafe { input::bytes(name, name_len, CXK_TEXT_MAX, CXK_INVALID_TEXT) }?;
        let name = core::str::from_utf8(name).map_err(|_| CXK_INVALID_TEXT)?;
        *out = place(definitions.find(name))?;
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { fill_number(out, find) }
}

/// Finds the index of the definition for a key id, for example a principal's. The ids come from the
/// lock file at compile time and include replaced keys that are in their grace period.
///
/// - Ownership: `out` is the caller's memory; `CXK_NOWHERE` if the call fails.
/// - Threads: any number may call it at once.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_NOT_FOUND`,
///   `CXK_AMBIGUOUS_NAME` (several tenants have a key with this id: compile the definitions of one
///   tenant only).
///
/// ```c
/// size_t at;
/// if (cxk_definitions_find_id(definitions, 7, &at) != CXK_OK) puts("key 7 has no definition");
/// ```
///
/// # Safety
///
/// `definitions` comes from `cxk_definitions_load()` and was not freed. `out` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_definitions_find_id(
    definitions: *const cxk_definitions,
    key_id: u64,
    out: *mut usize,
) -> cxk_status {
    let find = |out: &mut usize| {
        // SAFETY: this function's contract.
        let LoadedDefinitions { definitions, .. } = unsafe { handle::get(definitions) }?;
        let key_id = KeyId::new(key_id).ok_or(CXK_NOT_FOUND)?;
        *out = place(definitions.find_id(key_id, None))?;
        Ok(())
    };
    // SAFETY: this function's contract.
    unsafe { fill_number(out, find) }
}

/// Compares two versions of the definitions and reports what keys gain: one line per gain, with its
/// code (`role-added`), the key and a sentence, separated by tabs.
///
/// - Ownership: `text` is the caller's buffer of `text_size` bytes. It is always terminated by NUL,
///   and truncated if it is too small. `gains` counts all gains, including those whose lines did
///   not fit. If the call fails, `text` is all zeros and `gains` is `CXK_NOWHERE`.
/// - Threads: any number may call it at once.
/// - Errors: `CXK_NULL_ARG`, `CXK_BAD_ARG`, `CXK_WRONG_HANDLE`, `CXK_BUFFER_TOO_SMALL` (no room for
///   NUL), `CXK_TOO_LARGE` (`text_size` above 64 MiB).
///
/// ```c
/// char text[4096];
/// size_t gains;
/// if (cxk_compare(definitions, definitions, text, sizeof text, &gains) != CXK_OK) exit(2);
/// if (gains > 0) fputs(text, stderr);
/// ```
///
/// # Safety
///
/// `before` and `after` come from `cxk_definitions_load()` and were not freed. `text` points to
/// `text_size` writable bytes, and `gains` is writable.
#[unsafe(no_mangle)]
#[must_use]
pub unsafe extern "C" fn cxk_compare(
    before: *const cxk_definitions,
    after: *const cxk_definitions,
    text: *mut c_char,
    text_size: usize,
    gains: *mut usize,
) -> cxk_status {
    // SAFETY: this function's contract.
    unsafe { output::clear(gains, 1, 1) };
    let compare = |place: &mut [c_char]| {
        let mut text = Text::in_place(place)?;
        let count = |count: &mut usize| {
            // SAFETY: this function's contract.
            let before: &LoadedDefinitions = unsafe { handle::get(before) }?;
            // SAFETY: as above.
            let after: &LoadedDefinitions = unsafe { handle::get(after) }?;
            let before = named(&before.definitions);
            let after = named(&after.definitions);
            let gains = self::compare(&definitions(&before), &definitions(&after));
            *count = gains.len();
            for gain in gains {
                // Text beyond the end of the buffer is dropped; the count stays right.
                let key = OneLine(gain.key);
                let what = OneLine(gain.widening);
                let _ = writeln!(text, "{}\t{key}\t{what}", gain.code());
            }
            Ok(())
        };
        // SAFETY: this function's contract.
        match unsafe { output::fill(gains, count) } {
            CXK_OK => Ok(()),
            status => Err(status),
        }
    };
    // SAFETY: this function's contract.
    let status = unsafe { output::fill_all(text, text_size, COMPILED_BYTES_MAX, compare) };
    if status != CXK_OK {
        // SAFETY: this function's contract.
        unsafe { output::overwrite(gains, CXK_NOWHERE) };
    }
    status
}

/// Frees definitions.
///
/// - Ownership: the definitions must not be used afterwards. NULL is ignored.
/// - Threads: only when no other thread uses the definitions.
/// - Errors: none.
///
/// # Safety
///
/// `definitions` is NULL, or comes from `cxk_definitions_load()` and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn cxk_definitions_free(definitions: *mut cxk_definitions) {
    // SAFETY: this function's contract.
    unsafe { handle::free::<LoadedDefinitions>(definitions) };
}

impl cxk_definition {
    fn put(&mut self, entry: &KeyEntry<'_>) -> Result<(), cxk_status> {
        self.key_id = entry.key_ids().next().map_or(0, KeyId::get);
        self.expires_ms = expires_ms_of(entry.expiry);
        self.lifetime_ms = entry.lifetime_ms.unwrap_or(0);
        self.level = number_of(entry.level);
        put(&mut self.name, &[entry.name])?;
        put(&mut self.tenant, &[entry.tenant])
    }
}

/// Like [`output::fill`], for an index or count: sets [`CXK_NOWHERE`] if the call fails, since 0 is
/// valid.
///
/// # Safety
///
/// As [`output::fill`].
unsafe fn fill_number(
    out: *mut usize,
    write: impl FnOnce(&mut usize) -> Result<(), cxk_status>,
) -> cxk_status {
    // SAFETY: this function's contract.
    let status = unsafe { output::fill(out, write) };
    if status != CXK_OK {
        // SAFETY: this function's contract.
        unsafe { output::overwrite(out, CXK_NOWHERE) };
    }
    status
}

/// All keys by their names with their tenants.
fn named(definitions: &CompiledDefinitions) -> Vec<(Cow<'_, str>, CompiledRecord<'_>)> {
    definitions.records().map(|record| (record.qualified_name(), record)).collect()
}

fn definitions<'a, 'd>(
    named: &'a [(Cow<'d, str>, CompiledRecord<'d>)],
) -> Vec<KeyDefinition<'a, Cow<'d, str>>> {
    named.iter().map(|(name, record)| record.definition(name)).collect()
}

fn place(lookup: Lookup) -> Result<usize, cxk_status> {
    match lookup {
        Lookup::Found(at) => Ok(at),
        Lookup::NotFound => Err(CXK_NOT_FOUND),
        Lookup::Ambiguous => Err(CXK_AMBIGUOUS_NAME),
    }
}
