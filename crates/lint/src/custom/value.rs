//! A definition as expressions see it: what is written, under the names of the format.
//!
//! Refuses to fill in what is not there, but for the tenant where the policy has just one.

use std::collections::HashMap;

use cel::Value;
use cortexkey_manifest::definition::{
    Definition, EndpointMode, Expiry, Mode, RawMode, Unreferenced,
};
use cortexkey_manifest::{Field, Spanned, TextPair};

type Map = HashMap<String, Value>;

/// The value of `key`.
pub(super) fn of(definition: &Definition, tenant: Option<&str>) -> Value {
    let mut key = Map::new();
    if let Some(metadata) = &definition.metadata {
        let mut map = Map::new();
        text(&mut map, "name", metadata.name.get().map(String::as_str));
        text(&mut map, "owner", metadata.owner.get().map(String::as_str));
        text(&mut map, "tenant", metadata.tenant.get().map(String::as_str).or(tenant));
        map.insert("labels".into(), pairs(&metadata.labels));
        map.insert("annotations".into(), pairs(&metadata.annotations));
        let approvals = metadata.approvals.iter().map(|approval| {
            let mut map = Map::new();
            text(&mut map, "by", approval.by.get().map(String::as_str));
            text(&mut map, "ticket", approval.ticket.get().map(String::as_str));
            Value::from(map)
        });
        map.insert("approvals".into(), Value::from(approvals.collect::<Vec<_>>()));
        key.insert("metadata".into(), Value::from(map));
    }
    if let Some(spec) = &definition.spec {
        let mut map = Map::new();
        text(&mut map, "securityLevel", spec.level.get().map(|level| level.as_str()));
        text(&mut map, "comment", spec.comment.get().map(String::as_str));
        for (name, field) in [("expires", &spec.expires), ("lifetime", &spec.lifetime)] {
            let end = field.get().map(|end| match end {
                Expiry::At(moment) => moment.to_string(),
                Expiry::After(lifetime) => format!("{}m", lifetime.as_mins()),
                Expiry::Never => "never".to_owned(),
            });
            text(&mut map, name, end.as_deref());
        }
        list(&mut map, "roles", &spec.roles);
        if let Some(inner) = spec.scope.get() {
            map.insert("scope".into(), scope(inner));
        }
        key.insert("spec".into(), Value::from(map));
    }
    Value::from(key)
}

fn scope(scope: &cortexkey_manifest::definition::Scope) -> Value {
    let mut out = Map::new();
    if let Some(assets) = scope.assets.get() {
        let mut map = Map::new();
        text(&mut map, "mode", assets.mode.get().copied().map(mode));
        if let Some(groups) = assets.groups.get() {
            let names = groups.iter().map(|group| Value::from(group.name.value.as_str()));
            map.insert("groups".into(), Value::from(names.collect::<Vec<_>>()));
        }
        out.insert("assets".into(), Value::from(map));
    }
    if let Some(cases) = scope.cases.get() {
        let mut map = Map::new();
        text(&mut map, "mode", cases.mode.get().copied().map(mode));
        list(&mut map, "domains", &cases.domains);
        let unreferenced = cases.unreferenced.get().map(|unreferenced| match unreferenced {
            Unreferenced::Yes => Value::from(true),
            Unreferenced::No => Value::from(false),
            Unreferenced::Unknown => Value::from("unknown"),
        });
        map.extend(unreferenced.map(|value| ("unreferenced".to_owned(), value)));
        out.insert("casesAndIssues".into(), Value::from(map));
    }
    if let Some(endpoints) = scope.endpoints.get() {
        let mut map = Map::new();
        let word = |mode: &EndpointMode| match mode {
            EndpointMode::None => "none",
            EndpointMode::All => "all",
            EndpointMode::Select => "select",
            EndpointMode::Raw => "raw",
        };
        text(&mut map, "mode", endpoints.mode.get().map(word));
        list(&mut map, "groups", &endpoints.groups);
        list(&mut map, "tags", &endpoints.tags);
        text(&mut map, "groupsMode", endpoints.groups_mode.get().copied().map(raw));
        text(&mut map, "tagsMode", endpoints.tags_mode.get().copied().map(raw));
        out.insert("endpoints".into(), Value::from(map));
    }
    if let Some(datasets) = scope.datasets.get() {
        let mut map = Map::new();
        text(&mut map, "default", datasets.default.get().copied().map(mode));
        let filters = datasets.filters.iter().map(|filter| {
            let mut map = Map::new();
            text(&mut map, "dataset", filter.dataset.get().map(String::as_str));
            text(&mut map, "filter", filter.filter.get().map(String::as_str));
            Value::from(map)
        });
        map.insert("filters".into(), Value::from(filters.collect::<Vec<_>>()));
        out.insert("datasets".into(), Value::from(map));
    }
    Value::from(out)
}

fn text(map: &mut Map, name: &str, value: Option<&str>) {
    map.extend(value.map(|value| (name.to_owned(), Value::from(value))));
}

fn list(map: &mut Map, name: &str, field: &Field<Vec<Spanned<String>>>) {
    let texts = field.get().map(|texts| {
        let texts = texts.iter().map(|text| Value::from(text.value.as_str()));
        Value::from(texts.collect::<Vec<_>>())
    });
    map.extend(texts.map(|texts| (name.to_owned(), texts)));
}

fn pairs(pairs: &[TextPair]) -> Value {
    let pairs = pairs.iter().map(|(name, text)| (name.value.clone(), Value::from(&*text.value)));
    Value::from(pairs.collect::<Map>())
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::None => "none",
        Mode::All => "all",
        Mode::Select => "select",
    }
}

fn raw(mode: RawMode) -> &'static str {
    match mode {
        RawMode::NoScope => "no_scope",
        RawMode::SeeAll => "see_all",
        RawMode::Scope => "scope",
        RawMode::Any => "any",
    }
}
