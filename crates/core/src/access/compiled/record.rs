//! One key's record: read from its bytes, and lent as the core decides with.
//!
//! It refuses bytes that the form does not have, and bytes behind a record's end.

use alloc::vec::Vec;

use super::{CompiledKey, KeyEntry, NAME_BYTES_MAX};
use crate::access::{
    Actions, Area, Axis, CasesAndIssues, Certainty, DatasetScope, EndpointScope, Grant,
    KeyDefinition, KnownLevel, Permission, Role, Sbac, Scope, TagMode, Tenant,
};
use crate::auth::{KeyId, Level};
use crate::lifecycle::Expiry;

/// What can be known of a level; its place is its code.
pub(super) const LEVELS: [KnownLevel; 6] = [
    KnownLevel::exactly(Permission::None),
    KnownLevel::exactly(Permission::View),
    KnownLevel::exactly(Permission::Edit),
    KnownLevel::at_least(Permission::View),
    KnownLevel::at_most(Permission::View),
    KnownLevel::UNKNOWN,
];

/// What a [`CompiledKey`] borrows.
pub(super) struct Record<'a> {
    entry: KeyEntry<'a>,
    key_ids: Vec<KeyId>,
    settings: Tenant,
    older_scopes: bool,
    roles: Vec<RoleRecord<'a>>,
    scope: Option<ScopeRecord<'a>>,
}

struct RoleRecord<'a> {
    name: &'a str,
    holds_all: bool,
    grants: Vec<Grant<'a>>,
    others: KnownLevel,
    held_actions: Vec<&'a str>,
    lacked_actions: Vec<&'a str>,
    actions_are_complete: bool,
}

struct ScopeRecord<'a> {
    assets: Selected<'a>,
    cases_and_issues: Selected<'a>,
    unreferenced: bool,
    endpoint_groups: Selected<'a>,
    endpoint_tags: Selected<'a>,
    datasets: Option<Datasets<'a>>,
}

/// Whether all rows are let in, and filters by dataset.
type Datasets<'a> = (bool, Vec<(&'a str, &'a str)>);

/// A mode, and the names that it selects.
struct Selected<'a> {
    mode: u8,
    names: Vec<&'a str>,
}

impl<'a> Record<'a> {
    /// Reads a whole record; none where the bytes are not one.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let mut cursor = Cursor(bytes);
        let entry = cursor.entry()?;
        let key_ids = entry.key_ids().collect();
        let older_scopes = cursor.flag()?;
        let settings = Tenant {
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

    pub(super) fn entry(&self) -> KeyEntry<'a> {
        self.entry
    }

    pub(super) fn roles(&self) -> Vec<Role<'_>> {
        self.roles.iter().map(RoleRecord::lend).collect()
    }

    /// With the roles that [`roles`](Self::roles) made.
    pub(super) fn lend<'s>(&'s self, name: &'s str, roles: &'s [Role<'s>]) -> CompiledKey<'s> {
        CompiledKey {
            tenant: self.entry.tenant,
            key_ids: &self.key_ids,
            definition: KeyDefinition {
                name,
                level: self.entry.level,
                expiry: self.entry.expiry,
                lifetime_ms: self.entry.lifetime_ms,
                roles,
                scope: self.scope.as_ref().map(ScopeRecord::lend),
            },
            settings: self.settings,
            older_scopes: self.older_scopes,
        }
    }
}

impl RoleRecord<'_> {
    fn lend(&self) -> Role<'_> {
        Role {
            name: self.name,
            holds_all: self.holds_all,
            grants: &self.grants,
            others: self.others,
            actions: Actions {
                held: &self.held_actions,
                lacked: &self.lacked_actions,
                is_complete: self.actions_are_complete,
            },
        }
    }
}

impl ScopeRecord<'_> {
    fn lend(&self) -> Scope<'_> {
        Scope {
            assets: self.assets.area(),
            cases_and_issues: CasesAndIssues {
                area: self.cases_and_issues.area(),
                unreferenced: self.unreferenced,
            },
            endpoints: EndpointScope {
                groups: self.endpoint_groups.axis(),
                tags: self.endpoint_tags.axis(),
            },
            datasets: self
                .datasets
                .as_ref()
                .map(|(all, filters)| DatasetScope { all: *all, filters }),
        }
    }
}

impl Selected<'_> {
    fn area(&self) -> Area<'_> {
        match self.mode {
            1 => Area::All,
            2 => Area::Select(&self.names),
            _ => Area::None,
        }
    }

    fn axis(&self) -> Axis<'_> {
        match self.mode {
            1 => Axis::SeeAll,
            2 => Axis::Any,
            3 => Axis::Scope(&self.names),
            _ => Axis::NoScope,
        }
    }
}

/// The bytes that are still to be read.
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
        let mut list = Vec::new();
        for _ in 0..count {
            list.push(one(self)?);
        }
        Some(list)
    }

    /// A record, as far as it says which key it is.
    pub(super) fn entry(&mut self) -> Option<KeyEntry<'a>> {
        let (tenant, name) = (self.name()?, self.name()?);
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

    fn role(&mut self) -> Option<RoleRecord<'a>> {
        let name = self.text()?;
        let flags = self.byte().filter(|flags| *flags < 4)?;
        Some(RoleRecord {
            name,
            holds_all: flags & 1 != 0,
            actions_are_complete: flags & 2 != 0,
            others: self.level()?,
            grants: self.list(Self::grant)?,
            held_actions: self.list(Self::text)?,
            lacked_actions: self.list(Self::text)?,
        })
    }

    fn grant(&mut self) -> Option<Grant<'a>> {
        let component = self.text()?;
        let level = self.level()?;
        Some(Grant { component, level, certainty: Certainty::Listed, source: "" })
    }

    fn level(&mut self) -> Option<KnownLevel> {
        let code = usize::from(self.byte()?);
        LEVELS.get(code).copied()
    }

    fn scope(&mut self) -> Option<ScopeRecord<'a>> {
        let scope = ScopeRecord {
            assets: self.selected(2)?,
            cases_and_issues: self.selected(2)?,
            unreferenced: self.flag()?,
            endpoint_groups: self.selected(3)?,
            endpoint_tags: self.selected(3)?,
            datasets: self.datasets()?,
        };
        Some(scope)
    }

    /// Modes go up to the one that selects names.
    fn selected(&mut self, selects: u8) -> Option<Selected<'a>> {
        let mode = self.byte()?;
        let names = self.list(Self::text)?;
        let fits = mode == selects || (mode < selects && names.is_empty());
        fits.then_some(Selected { mode, names })
    }

    #[expect(clippy::option_option, reason = "no such scope, and no such bytes")]
    fn datasets(&mut self) -> Option<Option<Datasets<'a>>> {
        let default = self.byte()?;
        let filters = self.list(|cursor| Some((cursor.text()?, cursor.text()?)))?;
        match default {
            0 if filters.is_empty() => Some(None),
            1 | 2 => Some(Some((default == 2, filters))),
            _ => None,
        }
    }
}
