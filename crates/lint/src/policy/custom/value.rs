//! A definition as expressions see it: what is written, under the names and kinds of the format.
//!
//! Nothing is filled in, except for the tenant where the policy has just one, and for optional lists
//! and mappings, which are empty. A value that its field does not take is not there.

use std::collections::HashMap;

use cel::Value;
use cortexkey_manifest::definition::{lifetime, moment};
use cortexkey_manifest::format::{FieldSpec, ITEMS_MAX, KEY, Kind, Mapping, Presence};
use cortexkey_manifest::yaml::{NodeId, NodeKind, Tree};

type Map = HashMap<String, Value>;

/// The value of `key`: the document with this root.
pub(super) fn of(tree: &Tree, root: Option<NodeId>, tenant: Option<&str>) -> Value {
    let document = Document { tree, tenant };
    let key = root.and_then(|root| document.fields(root, &KEY));
    Value::from(key.unwrap_or_default())
}

struct Document<'a> {
    tree: &'a Tree,
    /// The tenant of keys that name none.
    tenant: Option<&'a str>,
}

impl Document<'_> {
    fn fields(&self, id: NodeId, mapping: &Mapping) -> Option<Map> {
        let NodeKind::Mapping { entries, .. } = &self.tree.node(id).kind else { return None };
        let value = |field: &FieldSpec| {
            let entry = entries.iter().find(|e| self.tree.text_of(e.key) == Some(field.name));
            let written = entry.and_then(|entry| self.value(entry.value, &field.kind));
            let value = written.or_else(|| self.default(field))?;
            Some((field.name.to_owned(), value))
        };
        Some(mapping.fields.iter().filter_map(value).collect())
    }

    fn default(&self, field: &FieldSpec) -> Option<Value> {
        match (field.presence, field.kind) {
            (Presence::Optional, Kind::List(_)) => Some(Value::from(Vec::<Value>::new())),
            (Presence::Optional, Kind::Map(_)) => Some(Value::from(Map::new())),
            _ if field.name == "tenant" => self.tenant.map(Value::from),
            _ => None,
        }
    }

    fn value(&self, id: NodeId, kind: &Kind) -> Option<Value> {
        let tree = self.tree;
        let text = || tree.text_of(id).filter(|_| !tree.is_empty_value(id));
        match kind {
            Kind::Const(_) | Kind::Text | Kind::Pattern(_) => text().map(Value::from),
            Kind::Flag => text()?.parse::<bool>().ok().map(Value::from),
            Kind::Number => text()?.parse::<u64>().ok().map(Value::from),
            Kind::Choice(words) => {
                let text = text().filter(|text| words().contains(text))?;
                Some(text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from))
            }
            Kind::Expiry if text() == Some("never") => Some(Value::from("never")),
            Kind::Moment | Kind::Expiry => {
                moment(text()?).ok().map(|time| Value::from(time.to_string()))
            }
            Kind::Duration => {
                lifetime(text()?).ok().map(|time| Value::from(format!("{}m", time.as_mins())))
            }
            Kind::List(item) => self.list(id, item),
            Kind::Map(item) => self.map(id, item),
            Kind::Fields(mapping) => self.fields(id, mapping).map(Value::from),
            Kind::NameOr(mapping) => {
                text().map(Value::from).or_else(|| self.fields(id, mapping)?.remove("name"))
            }
            // Of policies alone.
            Kind::OneOrMore | Kind::Rules(_) => None,
        }
    }

    fn list(&self, id: NodeId, item: &Kind) -> Option<Value> {
        let NodeKind::Sequence { items, .. } = &self.tree.node(id).kind else { return None };
        let values = items.iter().filter_map(|id| self.value(*id, item));
        (items.len() <= ITEMS_MAX).then(|| Value::from(values.collect::<Vec<_>>()))
    }

    /// Of two entries with one name the first counts.
    fn map(&self, id: NodeId, item: &Kind) -> Option<Value> {
        let NodeKind::Mapping { entries, .. } = &self.tree.node(id).kind else { return None };
        let mut map = Map::new();
        for entry in entries {
            let Some(name) = self.tree.text_of(entry.key) else { continue };
            if let Some(value) = self.value(entry.value, item) {
                map.entry(name.to_owned()).or_insert(value);
            }
        }
        Some(Value::from(map))
    }
}
