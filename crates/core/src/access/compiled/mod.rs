//! Compiled definitions: what keys may do and see, in a binary form that needs no YAML parser.
//!
//! Equal definitions are equal bytes, and a damaged file is rejected. Compiled definitions contain
//! no secret and are not signed: anyone who can change the file can change what keys may do.
//!
//! # Format
//!
//! Numbers are little-endian; a string is a `u16` with its length in bytes, and UTF-8.
//!
//! | bytes | content |
//! |---|---|
//! | 8 | `89 43 4b 43 0d 0a 1a 0a` |
//! | 4 | the version of the format, 2 |
//! | 4 | number of bytes after the digest |
//! | 32 | SHA-256 of these bytes |
//! | 4 | number of keys |
//! | | the keys, each a `u32` with its length in bytes, and its record; sorted by tenant and name, without duplicates |
//!
//! A record consists of these fields in order:
//!
//! | field | encoding |
//! |---|---|
//! | tenant, empty if it has none; name | two strings of at most 255 bytes |
//! | key ids, if known, the one in use first | `u16` count, and each a `u64` above 0 |
//! | level | `u8`: 1 standard, 2 advanced |
//! | expiry | `u8`: 0 never, 1 at a time, 2 lifetime; `u64` milliseconds, 0 with never |
//! | scopes of its product | `u8`: 0 current model, 1 older model |
//! | whether scopes are enforced | `u8`: 0 enforced, 1 off, 2 unknown |
//! | how tags are matched | `u8`: 0 permissive, 1 restrictive |
//! | whether the tenant has row scopes | `u8`: 0 no, 1 yes |
//! | roles | `u16` count, then each: name; `u8` flags (1 grants everything, 2 its actions are listed completely); level of unlisted components; `u16` count of components, each a string and a level; `u16` count of actions that it grants, strings; `u16` count of actions that it does not grant, strings |
//! | a level, as far as known | `u8`: 0 none, 1 view, 2 edit, 3 at least view, 4 at most view, 5 unknown |
//! | whether it has a scope | `u8`: 0 no, 1 yes, and then: |
//! | assets, cases and issues | each `u8` (0 none, 1 all, 2 select) and `u16` count of names, strings |
//! | unreferenced | `u8`: 0 no, 1 yes |
//! | endpoint groups, endpoint tags | each `u8` (0 `no_scope`, 1 `see_all`, 2 `any`, 3 `scope`) and `u16` count of names, strings |
//! | rows of datasets | `u8`: 0 not set, 1 default none, 2 default all; `u16` count of filters, each dataset and filter |

mod read;
mod record;
mod write;

pub use read::{CompiledDefinitions, CompiledError, Lookup};
pub use record::{CompiledRecord, KeyEntry};
pub use write::{CompileError, Compiler};

use super::compare::KeyDefinition;
use super::decide::{AccessKey, TenantSettings};
use super::text::Text;
use crate::auth::KeyId;

const MAGIC: [u8; 8] = *b"\x89CKC\r\n\x1a\n";
const VERSION: u32 = 2;
const HEAD_BYTES: usize = 48;

/// The longest name of a key or of a tenant, in bytes.
pub const NAME_BYTES_MAX: usize = 255;
/// The most bytes of compiled definitions.
pub const COMPILED_BYTES_MAX: usize = 64 << 20;
/// The most keys of compiled definitions.
pub const COMPILED_KEYS_MAX: usize = 100_000;

/// The compiled part of a key.
#[derive(Debug)]
pub struct CompiledKey<'a, S: Text> {
    /// Its tenant; empty if it has none.
    pub tenant: &'a str,
    /// Its ids in its tenant, the current one first; empty if unknown.
    pub key_ids: &'a [KeyId],
    /// Its definition.
    pub definition: KeyDefinition<'a, S>,
    /// The settings of its tenant.
    pub settings: TenantSettings,
    /// Whether its product has an older model of scopes, for which nothing is decided.
    pub older_scopes: bool,
}

copy!(CompiledKey);

impl<'a, S: Text> CompiledKey<'a, S> {
    /// The key in the form that [`decide`](super::decide()) takes.
    pub fn access(&self) -> AccessKey<'a, S> {
        AccessKey { roles: self.definition.roles, scope: self.definition.scope }
    }
}
