//! The words of errors and verdicts, in one snapshot each. Everything else asserts codes and structure.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeSet;
use std::fmt::Display;

use cortexkey_core::access::compiled::CompiledError;
use cortexkey_core::access::{KnownLevel, Permission, Widening};
use cortexkey_core::auth::{
    BadKeyMaterial, KeyByte, KeyError, KeyIdError, LevelEditRefused, LevelError, NonceError,
    SkewError, TimestampError, Verdict,
};

/// One line each, of which no two are equal.
fn lines<T: Display>(all: &[T]) -> String {
    let lines: Vec<_> = all.iter().map(ToString::to_string).collect();
    let different: BTreeSet<_> = lines.iter().filter(|line| !line.is_empty()).collect();
    assert_eq!(different.len(), lines.len(), "{lines:#?}");
    lines.join("\n")
}

#[test]
fn errors_of_keys_and_headers() {
    let bad = |kind| KeyError::BadByte { position: 3, kind };
    let of_keys = [
        KeyError::Empty,
        KeyError::TooLong { len: 300 },
        bad(KeyByte::Space),
        bad(KeyByte::LineEnd),
        bad(KeyByte::Control),
        bad(KeyByte::NotAscii),
    ];
    let of_ids = [
        KeyIdError::Empty,
        KeyIdError::Zero,
        KeyIdError::LeadingZero,
        KeyIdError::NotDigits,
        KeyIdError::TooLarge,
    ];
    let of_nonces = [NonceError::BadLength { len: 63 }, NonceError::BadCharacter { position: 9 }];
    let others: [&dyn Display; 5] =
        [&LevelError, &SkewError, &TimestampError, &BadKeyMaterial, &LevelEditRefused];
    let all = [lines(&of_keys), lines(&of_ids), lines(&of_nonces), lines(&others)];
    insta::assert_snapshot!(all.join("\n"));
}

#[test]
fn verdicts() {
    insta::assert_snapshot!(lines(Verdict::ALL));
}

#[test]
fn errors_of_compiled_definitions() {
    insta::assert_snapshot!(lines(&[
        CompiledError::NotCompiled,
        CompiledError::Version { version: 99 },
        CompiledError::Damaged,
        CompiledError::TooLarge,
    ]));
}

#[test]
fn gains() {
    let raised =
        |from| Widening::ComponentRaised { component: "Auditing", from, to: Permission::Edit };
    insta::assert_snapshot!(lines(&[
        Widening::NewKey,
        Widening::RoleAdded { role: "Viewer" },
        raised(Some(Permission::View)),
        raised(None),
        Widening::ActionGained { action: "Isolate" },
        Widening::ScopeDropped,
        Widening::ScopeGiven,
        Widening::AreaWidened { area: "assets" },
        Widening::AssetGroupAdded { name: "a" },
        Widening::DomainAdded { name: "IT" },
        Widening::EndpointGroupAdded { name: "a" },
        Widening::EndpointTagAdded { name: "a" },
        Widening::UnreferencedAllowed,
        Widening::DatasetsOpened,
        Widening::DatasetOpened { dataset: "d" },
        Widening::DatasetFilterDropped { dataset: "d" },
        Widening::DatasetFilterChanged { dataset: "d" },
        Widening::ExpiryLater { from_ms: 1, to_ms: 2 },
        Widening::ExpiryRemoved,
        Widening::LifetimeLonger { from_ms: 1, to_ms: 2 },
        Widening::ExpiryKindChanged,
        Widening::LevelWeakened,
    ]));
}

#[test]
fn levels_and_their_bounds() {
    insta::assert_snapshot!(lines(&[
        KnownLevel::UNKNOWN,
        KnownLevel::exactly(Permission::None),
        KnownLevel::exactly(Permission::View),
        KnownLevel::exactly(Permission::Edit),
        KnownLevel::at_least(Permission::View),
        KnownLevel::at_most(Permission::View),
    ]));
}
