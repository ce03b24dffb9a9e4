//! A definition as expressions see it: what is written, under the names and kinds of the format.
//!
//! Nothing is filled in except the tenant, if the policy has only one, and optional lists and
//! mappings, which are empty. A value that its field does not accept is absent. A role has its name
//! from the catalog or the product, so that another spelling cannot evade an expression.

use std::collections::HashMap;

use cel::Value;
use cortexkey_manifest::definition::{lifetime, moment};
use cortexkey_manifest::format::{FieldKind, FieldSpec, ITEMS_MAX, KEY, Mapping, Presence};
use cortexkey_manifest::policy::CatalogTenant;
use cortexkey_manifest::yaml::{NodeId, NodeKind, Tree};
use cortexkey_manifest::{Keyword, Spanned, mask_tokens};

type Map = HashMap<String, Value>;

/// The value of `key`: the document with this root. `role_name` gives the name of a role as written.
pub(super) fn of(
    tree: &Tree,
    root: Option<NodeId>,
    tenant: Option<&str>,
    role_name: &dyn Fn(&str) -> String,
) -> Value {
    let document = Document { tree, tenant, role_name };
    let key = root.and_then(|root| document.fields(root, &KEY));
    Value::from(key.unwrap_or_default())
}

/// The facts of a tenant under the names of the policy.
pub(super) fn tenant(name: Option<&str>, facts: Option<&CatalogTenant>) -> Value {
    let mut map = Map::new();
    map.extend(name.map(|name| ("name".to_owned(), Value::from(name))));
    let Some(facts) = facts else { return Value::from(map) };
    let words = [
        ("product", facts.product.get().map(|it| it.as_str())),
        ("sbac", facts.sbac.get().map(|it| it.as_str())),
        ("tags", facts.tags.get().map(|it| it.as_str())),
    ];
    let words = words.into_iter().filter_map(|(name, word)| Some((name, Value::from(word?))));
    map.extend(words.map(|(name, word)| (name.to_owned(), word)));
    map.extend(facts.datasets.get().map(|has| ("datasets".to_owned(), Value::from(*has))));
    let names = facts.asset_groups.iter().filter_map(|group| group.name.get().cloned());
    let texts = |all: &[Spanned<String>]| all.iter().map(|text| text.value.clone()).collect();
    let lists: [(&str, Vec<String>); 4] = [
        ("assetGroups", names.collect()),
        ("endpointGroups", texts(&facts.endpoint_groups)),
        ("endpointTags", texts(&facts.endpoint_tags)),
        ("domains", texts(&facts.domains)),
    ];
    for (name, items) in lists {
        let items: Vec<Value> = items.into_iter().map(Value::from).collect();
        map.insert(name.to_owned(), Value::from(items));
    }
    Value::from(map)
}

/// A tenant of which everything is known.
pub(super) fn sample_tenant() -> Value {
    let words =
        [("name", "prod-eu"), ("product", "xsiam"), ("sbac", "enforced"), ("tags", "permissive")];
    let mut map: Map =
        words.into_iter().map(|(name, word)| (name.to_owned(), Value::from(word))).collect();
    map.insert("datasets".to_owned(), Value::from(true));
    for name in ["assetGroups", "endpointGroups", "endpointTags", "domains"] {
        map.insert(name.to_owned(), Value::from(Vec::<Value>::new()));
    }
    Value::from(map)
}

/// A value for people and programs, with what may be a secret masked.
pub(crate) fn to_json(value: &Value) -> serde_json::Value {
    use serde_json::json;
    match value {
        Value::List(items) => items.iter().map(to_json).collect(),
        Value::Map(map) => {
            let mut entries: Vec<(String, &Value)> =
                map.map.iter().map(|(key, value)| (mask_tokens(&key.to_string()), value)).collect();
            entries.sort_by(|(a, _), (b, _)| a.cmp(b));
            entries.into_iter().map(|(key, value)| (key, to_json(value))).collect()
        }
        Value::Int(number) => json!(number),
        Value::UInt(number) => json!(number),
        Value::Float(number) => json!(number),
        Value::String(text) => json!(mask_tokens(text)),
        Value::Bool(flag) => json!(flag),
        Value::Null => serde_json::Value::Null,
        other => json!(other.type_of().to_string()),
    }
}

struct Document<'a> {
    tree: &'a Tree,
    /// The tenant of keys that name none.
    tenant: Option<&'a str>,
    role_name: &'a dyn Fn(&str) -> String,
}

impl Document<'_> {
    fn fields(&self, id: NodeId, mapping: &Mapping) -> Option<Map> {
        let NodeKind::Mapping { entries, .. } = &self.tree.node(id).kind else { return None };
        let value = |field: &FieldSpec| {
            let entry = entries.iter().find(|e| self.tree.text_of(e.key) == Some(field.name));
            let written = entry.and_then(|entry| match field.name {
                "roles" => self.roles(entry.value),
                _ => self.value(entry.value, &field.kind),
            });
            let value = written.or_else(|| self.default(field))?;
            Some((field.name.to_owned(), value))
        };
        Some(mapping.fields.iter().filter_map(value).collect())
    }

    fn default(&self, field: &FieldSpec) -> Option<Value> {
        match (field.presence, field.kind) {
            (Presence::Optional, FieldKind::List(_)) => Some(Value::from(Vec::<Value>::new())),
            (Presence::Optional, FieldKind::Map(_)) => Some(Value::from(Map::new())),
            _ if field.name == "tenant" => self.tenant.map(Value::from),
            _ => None,
        }
    }

    fn value(&self, id: NodeId, kind: &FieldKind) -> Option<Value> {
        let tree = self.tree;
        let text = || tree.text_of(id).filter(|_| !tree.is_empty_value(id));
        match kind {
            FieldKind::Const(_) | FieldKind::Text | FieldKind::Pattern(_) => {
                text().map(Value::from)
            }
            FieldKind::Flag => text()?.parse::<bool>().ok().map(Value::from),
            FieldKind::Number => text()?.parse::<u64>().ok().map(Value::from),
            FieldKind::Choice(words) => {
                let text = text().filter(|text| words().contains(text))?;
                Some(text.parse::<bool>().map_or_else(|_| Value::from(text), Value::from))
            }
            FieldKind::Expiry if text() == Some("never") => Some(Value::from("never")),
            FieldKind::Moment | FieldKind::Expiry => {
                moment(text()?).ok().map(|time| Value::from(time.to_string()))
            }
            FieldKind::Duration => {
                lifetime(text()?).ok().map(|time| Value::from(format!("{}m", time.as_mins())))
            }
            FieldKind::List(item) => self.list(id, item),
            FieldKind::Map(item) => self.map(id, item),
            FieldKind::Fields(mapping) => self.fields(id, mapping).map(Value::from),
            FieldKind::NameOr(mapping) => {
                text().map(Value::from).or_else(|| self.fields(id, mapping)?.remove("name"))
            }
            // Of policies alone.
            FieldKind::OneOrMore | FieldKind::Rules(_) => None,
        }
    }

    fn roles(&self, id: NodeId) -> Option<Value> {
        let NodeKind::Sequence { items, .. } = &self.tree.node(id).kind else { return None };
        let written = items.iter().filter(|id| !self.tree.is_empty_value(**id));
        let names = written.filter_map(|id| self.tree.text_of(*id).map(self.role_name));
        let names = names.map(Value::from).collect::<Vec<_>>();
        (items.len() <= ITEMS_MAX).then(|| Value::from(names))
    }

    fn list(&self, id: NodeId, item: &FieldKind) -> Option<Value> {
        let NodeKind::Sequence { items, .. } = &self.tree.node(id).kind else { return None };
        let values = items.iter().filter_map(|id| self.value(*id, item));
        (items.len() <= ITEMS_MAX).then(|| Value::from(values.collect::<Vec<_>>()))
    }

    /// Of two entries with one name the first counts.
    fn map(&self, id: NodeId, item: &FieldKind) -> Option<Value> {
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
