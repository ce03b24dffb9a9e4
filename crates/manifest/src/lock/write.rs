//! Writes a lock file: sorted, with one line per key where nothing is in progress.

use core::fmt::Write as _;

use cortexkey_core::auth::KeyId;
use jiff::Timestamp;

use super::{KIND, Lock, LockedKey};
use crate::definition::API_VERSION;
use crate::scalar;

pub(super) fn lock(lock: &Lock) -> String {
    let mut out = String::from(
        "# The key id of each definition. Written by cortexkey; commit it. It contains no secret.\n",
    );
    let _ = writeln!(out, "apiVersion: {API_VERSION}\nkind: {KIND}");
    if lock.tenants.is_empty() {
        out.push_str("tenants: {}\n");
        return out;
    }
    out.push_str("tenants:\n");
    for (name, tenant) in &lock.tenants {
        let _ = writeln!(out, "  {}:\n    host: {}", scalar(name), scalar(&tenant.host));
        if tenant.keys.is_empty() {
            out.push_str("    keys: {}\n");
            continue;
        }
        out.push_str("    keys:\n");
        for (name, key) in &tenant.keys {
            let _ = writeln!(out, "      {}: {{ {} }}", scalar(name), entry(key));
        }
    }
    out
}

fn entry(key: &LockedKey) -> String {
    let mut fields: Vec<String> = Vec::new();
    fields.extend(key.id.map(|id| format!("id: {id}")));
    fields.extend(key.applied.as_ref().map(|digest| format!("applied: {}", scalar(digest))));
    fields.extend(key.unreferenced.map(|flag| format!("unreferenced: {flag}")));
    if let Some(pending) = &key.pending {
        let mut inner = vec![
            format!("expires: {}", pending.expires_ms),
            format!("requested: {}", scalar(&pending.request_digest)),
            format!("by: {}", pending.by),
        ];
        if !pending.besides.is_empty() {
            inner.push(format!("besides: {}", ids(&pending.besides)));
        }
        inner.extend(pending.id.map(|id| format!("id: {id}")));
        if pending.delivering {
            inner.push("delivering: true".to_owned());
        }
        fields.push(format!("pending: {{ {} }}", inner.join(", ")));
    }
    if !key.doubtful.is_empty() {
        fields.push(format!("doubtful: {}", ids(&key.doubtful)));
    }
    if !key.retiring.is_empty() {
        let items = key.retiring.iter().map(|old| {
            // Whole seconds, rounded up.
            let second = i64::try_from(old.after_ms.div_ceil(1000)).unwrap_or(i64::MAX);
            // Times beyond the year 9999 cannot be written; such a key is never due for deletion.
            let after = Timestamp::from_second(second).unwrap_or(Timestamp::MAX);
            format!("{{ id: {}, after: \"{after}\" }}", old.id)
        });
        fields.push(format!("retiring: [{}]", items.collect::<Vec<_>>().join(", ")));
    }
    fields.join(", ")
}

fn ids(ids: &[KeyId]) -> String {
    let ids: Vec<String> = ids.iter().map(KeyId::to_string).collect();
    format!("[{}]", ids.join(", "))
}

#[cfg(test)]
mod tests {
    use core::ops::Range;

    use super::super::{LockedTenant, PendingKey, Retiring, read};
    use super::*;
    use crate::yaml::{YamlLimits, parse};
    use proptest::prelude::*;

    fn read_back(text: &str) -> (Option<Lock>, Vec<String>) {
        let parsed = parse(text, &YamlLimits::default());
        assert!(parsed.problems.is_empty(), "{text}: {:?}", parsed.problems);
        let lowered = read(&parsed.tree, parsed.tree.documents()[0]);
        (lowered.lock, lowered.problems.into_iter().map(|problem| problem.message).collect())
    }

    fn without_places(mut lock: Lock) -> Lock {
        for key in lock.tenants.values_mut().flat_map(|tenant| tenant.keys.values_mut()) {
            key.place = crate::Span::default();
        }
        lock
    }

    fn key_id(range: Range<u64>) -> impl Strategy<Value = KeyId> {
        range.prop_map(|id| KeyId::new(id).unwrap())
    }

    fn some_key() -> impl Strategy<Value = LockedKey> {
        let pending = (
            "[a-z0-9]{1,20}",
            any::<bool>(),
            proptest::collection::vec(key_id(1..9), 0..3),
            1..u64::MAX,
        )
            .prop_map(|(request_digest, delivering, besides, number)| PendingKey {
                expires_ms: number,
                request_digest,
                by: KeyId::new(number / 2 + 1).unwrap(),
                besides,
                id: KeyId::new(number).filter(|_| number % 2 == 0),
                delivering,
            });
        let retiring = (key_id(1..u64::MAX), 0..200_000_000_000_u64)
            .prop_map(|(id, after_s)| Retiring { id, after_ms: after_s * 1000 });
        (
            key_id(1..u64::MAX),
            proptest::option::of("[0-9a-f]{1,64}"),
            any::<Option<bool>>(),
            proptest::option::of(pending),
            proptest::collection::vec(retiring, 0..3),
            proptest::collection::vec(key_id(1..9), 0..3),
        )
            .prop_map(|(id, applied, unreferenced, pending, retiring, doubtful)| {
                LockedKey {
                    id: (pending.is_none() || id.get() % 2 == 0).then_some(id),
                    applied,
                    unreferenced,
                    pending,
                    doubtful,
                    retiring,
                    ..LockedKey::default()
                }
            })
    }

    proptest! {
        #[test]
        fn written_data_is_read_back(
            name in "\\PC{1,20}",
            host in "[a-z.]{1,20}",
            keys in proptest::collection::btree_map("\\PC{1,20}", some_key(), 0..4),
        ) {
            // Names of tenants and definitions are never empty.
            prop_assume!(!name.trim().is_empty() && keys.keys().all(|key| !key.trim().is_empty()));
            let mut lock = Lock::default();
            lock.tenants.insert(name, LockedTenant { host, keys });
            let (back, problems) = read_back(&lock.to_yaml());
            prop_assert_eq!(problems, Vec::<String>::new());
            prop_assert_eq!(back.map(without_places), Some(lock));
        }
    }

    #[test]
    fn an_empty_lock_file_is_one() {
        let (back, problems) = read_back(&Lock::default().to_yaml());
        assert_eq!((back, problems.len()), (Some(Lock::default()), 0));
    }

    #[test]
    fn the_old_name_of_the_request_is_read_and_the_new_one_is_written() {
        let text = |name: &str| {
            format!(
                "apiVersion: cortexkey/v1\nkind: Lock\ntenants:\n  eu:\n    host: api-x\n    keys:\n      \
                 a: {{ pending: {{ expires: 9, {name}: m, by: 2 }} }}\n"
            )
        };
        let (old, problems) = read_back(&text("asked"));
        assert_eq!(problems, Vec::<String>::new());
        let (new, problems) = read_back(&text("requested"));
        assert_eq!(problems, Vec::<String>::new());
        let (old, new) = (without_places(old.unwrap()), without_places(new.unwrap()));
        assert_eq!(old, new);
        let pending = old.tenants["eu"].keys["a"].pending.as_ref().unwrap();
        assert_eq!(pending.request_digest, "m");
        assert_eq!(old.to_yaml(), new.to_yaml());
        assert!(old.to_yaml().contains("requested: m,"));
    }

    #[test]
    fn mistakes_name_their_entry_and_the_rest_is_read() {
        let text = "apiVersion: cortexkey/v1\nkind: Lock\ntenants:\n  eu:\n    host: api-x\n    \
                    keys:\n      a: { id: 7 }\n      b: { id: 0 }\n      c: {}\n      \
                    d: { id: 9, key: leak }\n      e: { id: 3, retiring: [{ id: 1, after: soon }] }\n      \
                    f: { id: 007 }\n      g: { pending: { expires: soon, requested: a, by: 2 } }\n      h: { pending: { expires: 9, by: 2 } }\n";
        let (lock, problems) = read_back(text);
        let keys = &lock.unwrap().tenants["eu"].keys;
        assert_eq!(keys.keys().collect::<Vec<_>>(), ["a"]);
        insta::assert_debug_snapshot!(problems);
    }
}
