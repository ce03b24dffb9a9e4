//! [`CompiledRecord`]: parses one key. Invalid bytes, and bytes past a record's end, are errors.

use alloc::borrow::Cow;
use alloc::vec::Vec;

use super::{CompiledKey, NAME_BYTES_MAX};
use crate::access::{
    Actions, Area, AreaMode, Axis, AxisMode, CasesAndIssues, Certainty, DatasetScope,
    EndpointScope, Grant, KeyDefinition, KnownLevel, Permission, Role, Sbac, Scope, TagMode,
    TenantSettings, Unreferenced,
};
use crate::auth::{KeyId, Level};
use crate::lifecycle::Expiry;

/// The modes of an area; the index is the code.
pub(super) const AREA_MODES: [AreaMode; 3] = [AreaMode::None, AreaMode::All, AreaMode::Select];

/// The modes of an axis; the index is the code.
pub(super) const AXIS_MODES: [AxisMode; 4] =
    [AxisMode::NoScope, AxisMode::SeeAll, AxisMode::Any, AxisMode::Scope];

/// The bounds of a level; the index is the code.
pub(super) const LEVELS: [KnownLevel; 6] = [
    KnownLevel::exactly(Permission::None),
    KnownLevel::exactly(Permission::View),
    KnownLevel::exactly(Permission::Edit),
    KnownLevel::at_least(Permission::View),
    KnownLevel::at_most(Permission::View),
    KnownLevel::UNKNOWN,
];

/// The key of a record, and when it expires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyEntry<'a> {
    /// Its tenant; empty where it has none.
    pub tenant: &'a str,
    /// Its name.
    pub name: &'a str,
    /// Its ids, eight bytes each.
    ids: &'a [u8],
    /// Its security level.
    pub level: Level,
    /// When it expires.
    pub expiry: Expiry,
    /// How long the key is valid after it is generated, in milliseconds; set if the definition has
    /// a lifetime instead of an expiry.
    pub lifetime_ms: Option<u64>,
}

impl<'a> KeyEntry<'a> {
    /// The ids that it has in its tenant, the one in use first; empty if unknown.
    pub fn key_ids(&self) -> impl Iterator<Item = KeyId> + use<'a> {
        self.ids.as_chunks::<8>().0.iter().filter_map(|id| KeyId::new(u64::from_le_bytes(*id)))
    }
}

/// A key of compiled definitions. Its strings are in the file; [`key`](Self::key) is the form to
/// decide with.
#[derive(Clone, Debug)]
pub struct CompiledRecord<'a> {
    entry: KeyEntry<'a>,
    key_ids: Vec<KeyId>,
    settings: TenantSettings,
    older_scopes: bool,
    roles: Vec<Role<Cow<'a, str>>>,
    scope: Option<Scope<Cow<'a, str>>>,
}

impl<'a> CompiledRecord<'a> {
    /// Parses a whole record; `None` if the bytes are not one.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let entry = cursor.entry()?;
        let key_ids = entry.key_ids().collect();
        let older_scopes = cursor.flag()?;
        let settings = TenantSettings {
            sbac: match cursor.byte()? {
                0 => Sbac::Enforced,
                1 => Sbac::Disabled,
                2 => Sbac::Unknown,
                _ => return None,
            },
            tags: if cursor.flag()? { TagMode::Restrictive } else { TagMode::Permissive },
            datasets: cursor.flag()?,
        };
        let roles = cursor.list(Cursor::role)?;
        let scope = if cursor.flag()? { Some(cursor.scope()?) } else { None };
        cursor.0.is_empty().then_some(Self { entry, key_ids, settings, older_scopes, roles, scope })
    }

    /// The key with everything that was compiled.
    pub fn key(&self) -> CompiledKey<'_, Cow<'a, str>> {
        CompiledKey {
            tenant: self.entry.tenant,
            key_ids: &self.key_ids,
            definition: self.definition(self.entry.name),
            settings: self.settings,
            older_scopes: self.older_scopes,
        }
    }

    /// The definition, with a name for comparisons.
    pub fn definition<'s>(&'s self, name: &'s str) -> KeyDefinition<'s, Cow<'a, str>> {
        KeyDefinition {
            name,
            level: self.entry.level,
            expiry: self.entry.expiry,
            lifetime_ms: self.entry.lifetime_ms,
            roles: &self.roles,
            scope: self.scope.as_ref(),
        }
    }

    /// The key's name with its tenant, if it has one: `prod/export`.
    pub fn qualified_name(&self) -> Cow<'a, str> {
        match self.entry.tenant {
            "" => self.entry.name.into(),
            tenant => [tenant, "/", self.entry.name].concat().into(),
        }
    }

    pub(super) fn entry(&self) -> KeyEntry<'a> {
        self.entry
    }
}

/// The bytes that are not parsed yet.
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.take(N)?.try_into().ok()
    }

    fn byte(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    fn short(&mut self) -> Option<usize> {
        self.array().map(u16::from_le_bytes).map(usize::from)
    }

    pub(super) fn word(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn flag(&mut self) -> Option<bool> {
        match self.byte()? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        }
    }

    fn text(&mut self) -> Option<&'a str> {
        let len = self.short()?;
        core::str::from_utf8(self.take(len)?).ok()
    }

    fn name(&mut self) -> Option<&'a str> {
        self.text().filter(|name| name.len() <= NAME_BYTES_MAX)
    }

    fn list<T>(&mut self, one: impl Fn(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        let count = self.short()?;
        // Every item has at least one byte, so a forged count cannot allocate memory.
        let mut list = Vec::with_capacity(count.min(self.0.len()));
        for _ in 0..count {
            list.push(one(self)?);
        }
        Some(list)
    }

    /// Reads only the part of a record that identifies the key.
    pub(super) fn entry(&mut self) -> Option<KeyEntry<'a>> {
        let tenant = self.name()?;
        let name = self.name()?;
        let ids = self.short()?;
        let ids = self.take(ids * size_of::<u64>())?;
        let mut known = ids.as_chunks::<8>().0.iter();
        if known.any(|id| u64::from_le_bytes(*id) == 0) {
            return None;
        }
        let level = match self.byte()? {
            1 => Level::Standard,
            2 => Level::Advanced,
            _ => return None,
        };
        let (expiry, lifetime_ms) = match (self.byte()?, self.array().map(u64::from_le_bytes)?) {
            (0, 0) => (Expiry::Never, None),
            (1, ms) => (Expiry::At { ms }, None),
            (2, ms) => (Expiry::Never, Some(ms)),
            _ => return None,
        };
        Some(KeyEntry { tenant, name, ids, level, expiry, lifetime_ms })
    }

    fn names(&mut self) -> Option<Vec<Cow<'a, str>>> {
        self.list(|cursor| cursor.text().map(Cow::Borrowed))
    }

    fn role(&mut self) -> Option<Role<Cow<'a, str>>> {
        let name = self.text()?.into();
        let flags = self.byte().filter(|flags| *flags < 4)?;
        Some(Role {
            name,
            holds_all: flags & 1 != 0,
            others: self.level()?,
            grants: self.list(Self::grant)?,
            actions: Actions {
                held: self.names()?,
                lacked: self.names()?,
                is_complete: flags & 2 != 0,
            },
        })
    }

    fn grant(&mut self) -> Option<Grant<Cow<'a, str>>> {
        let component = self.text()?.into();
        let level = self.level()?;
        Some(Grant { component, level, certainty: Certainty::Listed, source: "" })
    }

    fn level(&mut self) -> Option<KnownLevel> {
        let code = usize::from(self.byte()?);
        LEVELS.get(code).copied()
    }

    fn scope(&mut self) -> Option<Scope<Cow<'a, str>>> {
        Some(Scope {
            assets: self.area()?,
            cases_and_issues: CasesAndIssues {
                area: self.area()?,
                unreferenced: Unreferenced::from(self.flag()?),
            },
            endpoints: EndpointScope { groups: self.axis()?, tags: self.axis()? },
            datasets: self.datasets()?,
        })
    }

    fn area(&mut self) -> Option<Area<Cow<'a, str>>> {
        let mode = *AREA_MODES.get(usize::from(self.byte()?))?;
        let names = self.names()?;
        let is_empty = names.is_empty();
        let area = Area::new(mode, || names);
        (is_empty || mode == AreaMode::Select).then_some(area)
    }

    fn axis(&mut self) -> Option<Axis<Cow<'a, str>>> {
        let mode = *AXIS_MODES.get(usize::from(self.byte()?))?;
        let names = self.names()?;
        let is_empty = names.is_empty();
        let axis = Axis::new(mode, || names);
        (is_empty || mode == AxisMode::Scope).then_some(axis)
    }

    #[expect(clippy::option_option, reason = "no such scope, and no such bytes")]
    fn datasets(&mut self) -> Option<Option<DatasetScope<Cow<'a, str>>>> {
        let default = self.byte()?;
        let filters = self.list(|cursor| Some((cursor.text()?.into(), cursor.text()?.into())))?;
        match default {
            0 if filters.is_empty() => Some(None),
            1 | 2 => Some(Some(DatasetScope { all: default == 2, filters })),
            _ => None,
        }
    }
}
