//! Compiled definitions: what was written is read back, and nothing else is accepted.

#![cfg(feature = "std")]
#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::sync::LazyLock;

use cortexkey_core::access::compiled::{
    CompileError, CompiledDefinitions, CompiledError, CompiledKey, Compiler, Lookup, NAME_BYTES_MAX,
};
use cortexkey_core::access::{
    Actions, Area, Axis, CasesAndIssues, DatasetScope, EndpointScope, Grant, KeyDefinition,
    KnownLevel, Permission, Role, Sbac, Scope, TagMode, TenantSettings, Text, Unreferenced,
    compare,
};
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_core::lifecycle::Expiry;
use proptest::prelude::*;
use sha2::{Digest as _, Sha256};

const NAMES: &[&[&str]] = &[&[], &["prod-eu"], &["a", "", "Ünïcode", "with/slash"]];
static IDS: LazyLock<[KeyId; 2]> =
    LazyLock::new(|| [7, u64::MAX].map(|id| KeyId::new(id).unwrap()));
const HEAD_BYTES: usize = 48;

const ROLES: &[Role<&'static str>] = &[
    Role::unknown("Viewer"),
    Role { holds_all: true, ..Role::unknown("Instance Administrator") },
    Role {
        grants: &[
            Grant::listed("Auditing", Permission::View),
            Grant::listed("Public API", Permission::None),
        ],
        actions: Actions::only(&[]),
        ..Role::unknown("SIEM Export")
    },
    Role {
        grants: &[Grant {
            level: KnownLevel::at_least(Permission::View),
            ..Grant::listed("Jobs", Permission::Edit)
        }],
        others: KnownLevel::at_most(Permission::View),
        actions: Actions { held: &["Live Terminal"], lacked: &["Isolate"], is_complete: false },
        ..Role::unknown("Ops")
    },
];

static SCOPES: LazyLock<Vec<Option<Scope<&str>>>> =
    LazyLock::new(|| (0..SEEDS).map(scope).collect());
const SEEDS: usize = 3 * 5 * 11 * 4 * 7;

fn scope(seed: usize) -> Option<Scope<&'static str>> {
    type Names = &'static str;
    let names = NAMES[seed % NAMES.len()];
    let area = |n: usize| [Area::<Names>::None, Area::All, Area::Select(names)][n % 3];
    let axis =
        |n: usize| [Axis::<Names>::NoScope, Axis::SeeAll, Axis::Any, Axis::Scope(names)][n % 4];
    let filters: &[_] = &[("xdr_data", "_vendor = acme"), ("xdr_data", "_product in (a, b)")];
    (!seed.is_multiple_of(7)).then(|| Scope {
        assets: area(seed),
        cases_and_issues: CasesAndIssues {
            area: area(seed / 3),
            unreferenced: Unreferenced::from(seed % 2 == 1),
        },
        endpoints: EndpointScope { groups: axis(seed / 5), tags: axis(seed / 11) },
        datasets: [
            None,
            Some(DatasetScope::<Names> { all: true, filters: &[] }),
            Some(DatasetScope { all: false, filters }),
        ][seed % 3],
    })
}

fn key<'a>(tenant: &'a str, name: &'a str, seed: usize) -> CompiledKey<'a, &'static str> {
    CompiledKey {
        tenant,
        key_ids: &IDS[..seed % 3],
        definition: KeyDefinition {
            name,
            level: [Level::Standard, Level::Advanced][seed % 2],
            expiry: [Expiry::Never, Expiry::At { ms: seed as u64 }][seed / 2 % 2],
            lifetime_ms: (seed / 2).is_multiple_of(4).then_some(90 * 86_400_000),
            roles: &ROLES[..seed % (ROLES.len() + 1)],
            scope: SCOPES[seed % SEEDS].as_ref(),
        },
        settings: TenantSettings {
            sbac: [Sbac::Enforced, Sbac::Disabled, Sbac::Unknown][seed % 3],
            tags: [TagMode::Permissive, TagMode::Restrictive][seed % 2],
            datasets: seed % 5 == 1,
        },
        older_scopes: seed.is_multiple_of(6),
    }
}

fn compile<S: Text>(keys: &[CompiledKey<'_, S>]) -> Result<Vec<u8>, CompileError> {
    let mut compiler = Compiler::new();
    keys.iter().try_for_each(|key| compiler.add(key))?;
    Ok(compiler.finish())
}

/// A complete key, as text.
fn shown<S: Text>(key: &CompiledKey<'_, S>) -> String {
    format!("{key:?}")
}

fn shown_at(definitions: &CompiledDefinitions, at: usize) -> Option<String> {
    definitions.record(at).map(|record| shown(&record.key()))
}

fn gains(before: &CompiledDefinitions, after: &CompiledDefinitions) -> Vec<String> {
    let [before, after] = [before, after].map(|definitions| {
        let records = definitions.records();
        records.map(|record| (record.qualified_name(), record)).collect::<Vec<_>>()
    });
    let [before, after] = [&before, &after]
        .map(|keys| keys.iter().map(|(name, record)| record.definition(name)).collect::<Vec<_>>());
    compare(&before, &after).iter().map(ToString::to_string).collect()
}

#[test]
fn compiled_definitions_are_read_back() {
    let names: Vec<String> = (0..1_000).map(|n| format!("key-{n:04}")).collect();
    let keys: Vec<CompiledKey<'_, &str>> = names
        .iter()
        .enumerate()
        .map(|(seed, name)| key(["", "prod-eu", "prod-us"][seed % 3], name, seed))
        .collect();
    let mut reversed = keys.clone();
    reversed.reverse();
    let bytes = compile(&keys).unwrap();
    assert_eq!(bytes, compile(&reversed).unwrap(), "equal definitions are equal bytes");
    let read = CompiledDefinitions::read(&bytes).unwrap();
    assert_eq!(read.len(), keys.len());
    for key in &keys {
        let Lookup::Found(at) = read.find(key.definition.name) else {
            panic!("{key:?} is not there")
        };
        // With a lifetime there is no expiry.
        let mut expected = *key;
        if key.definition.lifetime_ms.is_some() {
            expected.definition.expiry = Expiry::Never;
        }
        assert_eq!(shown_at(&read, at), Some(shown(&expected)));
        let entry = read.entry(at).unwrap();
        assert_eq!((entry.tenant, entry.name), (key.tenant, key.definition.name));
    }
    let later = read.entry(read.len());
    assert_eq!((later, shown_at(&read, read.len())), (None, None));
    assert_eq!(gains(&read, &read), [""; 0]);
}

#[test]
fn a_name_finds_one_key_none_or_several() {
    let keys = [key("eu", "a", 1), key("us", "a", 1), key("us", "b", 1), key("", "us/b", 1)];
    let read = CompiledDefinitions::read(&compile(&keys).unwrap()).unwrap();
    assert_eq!(read.find("a"), Lookup::Ambiguous);
    assert_eq!(read.find("us/b"), Lookup::Ambiguous);
    for (name, tenant) in [("eu/a", "eu"), ("us/a", "us"), ("b", "us")] {
        let Lookup::Found(at) = read.find(name) else { panic!("{name}") };
        assert_eq!(read.entry(at).unwrap().tenant, tenant);
    }
    for nothing in ["", "/", "eu/", "/a", "eu/b", "A", "us/b/", "//us/b"] {
        assert_eq!(read.find(nothing), Lookup::NotFound, "{nothing}");
    }
}

#[test]
fn a_key_id_finds_its_key() {
    let [seven, last] = *IDS;
    // The seed determines how many ids a key has.
    let keys = [key("eu", "a", 1), key("us", "a", 2), key("us", "b", 3)];
    let read = CompiledDefinitions::read(&compile(&keys).unwrap()).unwrap();
    assert_eq!(read.find_id(last, None), Lookup::Found(1));
    assert_eq!(read.find_id(seven, None), Lookup::Ambiguous);
    assert_eq!(read.find_id(seven, Some("eu")), Lookup::Found(0));
    assert_eq!(read.find_id(seven, Some("us")), Lookup::Found(1));
    assert_eq!(read.find_id(last, Some("eu")), Lookup::NotFound);
    let ids: Vec<KeyId> = read.entry(1).unwrap().key_ids().collect();
    assert_eq!(ids, *IDS);
}

#[test]
fn gains_name_the_tenant() {
    let before = compile(&[key("eu", "a", 1)]).unwrap();
    let after = compile(&[key("eu", "a", 1), key("us", "a", 1)]).unwrap();
    let [before, after] = [before, after].map(|bytes| CompiledDefinitions::read(&bytes).unwrap());
    assert_eq!(gains(&before, &after), ["us/a: the key is new"]);
}

#[test]
fn keys_that_the_format_cannot_represent_are_refused() {
    let long = "n".repeat(NAME_BYTES_MAX + 1);
    let most = "n".repeat(NAME_BYTES_MAX);
    assert!(compile(&[key("eu", &most, 1)]).is_ok());
    let message = |keys: &[CompiledKey<'_, &str>]| compile(keys).unwrap_err().to_string();
    let messages = [
        message(&[key("eu", &long, 1)]),
        message(&[key(&long, "a", 1)]),
        message(&[key("eu", "", 1)]),
        message(&[key("eu", "a", 1), key("eu", "a", 2)]),
    ];
    // Each has a different meaning.
    let different: std::collections::BTreeSet<&String> = messages.iter().collect();
    assert_eq!(different.len(), messages.len(), "{messages:?}");
}

#[test]
fn any_damaged_byte_is_detected() {
    let bytes = compile(&[key("eu", "a", 17), key("eu", "b", 5)]).unwrap();
    for at in 0..bytes.len() {
        assert!(CompiledDefinitions::read(&bytes[..at]).is_err(), "cut at {at}");
        for bit in 0..8 {
            let mut damaged = bytes.clone();
            damaged[at] ^= 1 << bit;
            assert!(CompiledDefinitions::read(&damaged).is_err(), "bit {bit} of byte {at}");
        }
    }
    let longer = [bytes.as_slice(), &[0]].concat();
    assert_eq!(CompiledDefinitions::read(&longer).err(), Some(CompiledError::Damaged));
    assert_eq!(CompiledDefinitions::read(b"apiVersion: 1").err(), Some(CompiledError::NotCompiled));
    let mut newer = bytes;
    newer[8] = 3;
    assert_eq!(
        CompiledDefinitions::read(&newer).err(),
        Some(CompiledError::Version { version: 3 })
    );
}

/// With the right length and digest, as in a forged file.
fn sealed(body: &[u8], original: &[u8]) -> Vec<u8> {
    let len = u32::try_from(body.len()).unwrap();
    [&original[..12], &len.to_le_bytes(), &Sha256::digest(body), body].concat()
}

/// Reads definitions, and queries everything in them.
fn survives(bytes: &[u8]) {
    let Ok(read) = CompiledDefinitions::read(bytes) else { return };
    for at in 0..read.len() {
        let entry = read.entry(at).unwrap();
        assert_ne!(read.find(entry.name), Lookup::NotFound);
        assert!(shown_at(&read, at).is_some());
    }
    assert_eq!(gains(&read, &read), [""; 0]);
    // Valid definitions have only one form.
    for (at, record) in read.records().enumerate() {
        let again = CompiledDefinitions::read(&compile(&[record.key()]).unwrap()).unwrap();
        assert_eq!(shown_at(&again, 0), shown_at(&read, at));
    }
}

proptest! {
    #[test]
    fn forged_bytes_cause_no_crash(
        seeds in proptest::collection::vec(0_usize..1_000, 1..4),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
    ) {
        let names: Vec<String> = (0..seeds.len()).map(|n| n.to_string()).collect();
        let keys: Vec<_> =
            seeds.iter().zip(&names).map(|(seed, name)| key("eu", name, *seed)).collect();
        let bytes = compile(&keys).unwrap();
        let mut body = bytes[HEAD_BYTES..].to_vec();
        for (at, byte) in &edits {
            let at = at.index(body.len());
            body[at] = *byte;
        }
        survives(&sealed(&body, &bytes));
    }

    #[test]
    fn any_bytes_break_nothing(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let bytes = compile::<&str>(&[]).unwrap();
        survives(&sealed(&body, &bytes));
        survives(&body);
    }
}
