//! [`Imported`]: definitions of the keys that a tenant has.
//!
//! It refuses to guess: what the tenant does not tell is marked in the definition, and the linter
//! finds it. It refuses names that cannot be a file's.

use core::fmt::Write as _;
use std::collections::BTreeSet;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::scope::{AssetGroup, AxisMode, ScopeRead};
use cortexkey_api::scope_mapping::{
    Datasets, Endpoints, RawAxis, ScopeAsRead, Selection, Unreferenced,
};
use cortexkey_core::auth::Level;
use cortexkey_manifest::definition::UNASSIGNED;
use cortexkey_manifest::scalar;
use regex::Regex;

use crate::resources::Seen;

const NAME_CHARS_MAX: usize = 63;

/// A definition of a key that the tenant has.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The name of the definition, and of its file without `.yaml`.
    pub name: String,
    /// The key's id.
    pub id: u64,
    /// The definition.
    pub yaml: String,
    /// What the tenant does not tell, in words.
    pub unknown: Vec<String>,
}

/// Writes definitions. Names are unique among themselves and beside `taken`.
pub struct Import<'a> {
    /// How names and owners stand in comments: the groups `name` and `owner`.
    pub pattern: Option<&'a Regex>,
    /// The policy's name of the tenant, where definitions must say it.
    pub tenant: Option<&'a str>,
    /// Names that there are already.
    pub taken: BTreeSet<String>,
}

impl Import<'_> {
    /// The definition of one key. The scope is none where the product has no such call, and an error
    /// in words where it cannot be read.
    pub fn key(
        &mut self,
        record: &ApiKeyRecord,
        scope: Result<Option<&ScopeRead>, &str>,
    ) -> Imported {
        let comment = record.comment.as_deref().unwrap_or_default();
        let found = self.pattern.and_then(|pattern| pattern.captures(comment));
        let group = |name: &str| {
            let found = found.as_ref().and_then(|found| found.name(name));
            found.map(|text| text.as_str().trim().to_owned()).filter(|text| !text.is_empty())
        };
        let name = group("name").and_then(|name| name_of(&name));
        let name = self.unique(name.unwrap_or_else(|| format!("key-{}", record.id)), record.id);
        let owner = group("owner").unwrap_or_else(|| UNASSIGNED.to_owned());
        let mut unknown = Vec::new();
        if owner == UNASSIGNED {
            unknown.push("its owner".to_owned());
        }
        let yaml = self.yaml(&name, &owner, record, scope, &mut unknown);
        Imported { name, id: record.id, yaml, unknown }
    }

    fn unique(&mut self, name: String, id: u64) -> String {
        let name = if self.taken.contains(&name) { format!("{name}-{id}") } else { name };
        self.taken.insert(name.clone());
        name
    }

    fn yaml(
        &self,
        name: &str,
        owner: &str,
        record: &ApiKeyRecord,
        scope: Result<Option<&ScopeRead>, &str>,
        unknown: &mut Vec<String>,
    ) -> String {
        let mut out = format!(
            "# Key {} of the tenant, imported.\napiVersion: cortexkey/v1\nkind: ApiKey\nmetadata:\n  \
             name: {}\n  owner: {}\n",
            record.id,
            scalar(name),
            scalar(owner)
        );
        if let Some(tenant) = self.tenant {
            let _ = writeln!(out, "  tenant: {}", scalar(tenant));
        }
        let _ = writeln!(out, "spec:\n  securityLevel: {}", Level::from(record.security_level));
        if let Some(comment) = record.comment.as_ref().filter(|comment| !comment.is_empty()) {
            let _ = writeln!(out, "  comment: {}", scalar(comment));
        }
        let expires = record.expiration.map_or_else(
            || "never".to_owned(),
            |ms| {
                let time = i64::try_from(ms)
                    .ok()
                    .and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
                time.map_or_else(|| "never".to_owned(), |time| format!("\"{time}\""))
            },
        );
        let _ = writeln!(out, "  expires: {expires}");
        let _ = writeln!(out, "  roles: {}", list(record.roles.iter()));
        let scope = match scope {
            Ok(scope) => scope,
            Err(why) => {
                unknown.push(format!("its scope: {why}"));
                // What cannot be read is no scope to put in place, and no scope to take away.
                out.push_str(
                    "  # scope: unknown; it could not be read. Write it before you apply.\n",
                );
                return out;
            }
        };
        if scope.is_some_and(|scope| Seen::from(scope).is_nothing()) {
            // A key that nobody scoped is shown as one that sees nothing.
            unknown.push("whether anybody scoped it: the tenant shows nothing".to_owned());
            out.push_str("  # scope: the tenant shows none; perhaps nobody has set one.\n");
            return out;
        }
        match scope.map(ScopeAsRead::from_read) {
            None => {}
            Some(Ok(read)) => write_scope(&mut out, &read, unknown),
            Some(Err(error)) => unknown.push(format!("its scope: {error}")),
        }
        out
    }
}

fn write_scope(out: &mut String, scope: &ScopeAsRead, unknown: &mut Vec<String>) {
    out.push_str("  scope:\n");
    let assets = match &scope.assets {
        Selection::None => "mode: none".to_owned(),
        Selection::All => "mode: all".to_owned(),
        Selection::Select(groups) => {
            let groups: Vec<String> = groups.iter().map(group).collect();
            format!("mode: select, groups: [{}]", groups.join(", "))
        }
    };
    let _ = writeln!(out, "    assets: {{ {assets} }}");
    let mut cases = match &scope.cases_and_issues {
        Selection::None => "mode: none".to_owned(),
        Selection::All => "mode: all".to_owned(),
        Selection::Select(domains) => format!("mode: select, domains: {}", list(domains.iter())),
    };
    if scope.cases_and_issues != Selection::None {
        let flag = match scope.unreferenced {
            Unreferenced::Yes => "true",
            Unreferenced::No => "false",
            Unreferenced::Unknown => "unknown",
        };
        let _ = write!(cases, ", unreferenced: {flag}");
        if scope.unreferenced == Unreferenced::Unknown {
            unknown
                .push("whether it sees cases and issues that reference nothing known".to_owned());
        }
    }
    let _ = writeln!(out, "    casesAndIssues: {{ {cases} }}");
    let endpoints = match &scope.endpoints {
        Endpoints::None => "mode: none".to_owned(),
        Endpoints::All => "mode: all".to_owned(),
        Endpoints::Select { groups, tags } => {
            let mut text = "mode: select".to_owned();
            for (field, names) in [("groups", groups), ("tags", tags)] {
                if !names.is_empty() {
                    let _ = write!(text, ", {field}: {}", list(names.iter()));
                }
            }
            text
        }
        Endpoints::Raw { groups, tags } => {
            unknown
                .push("what its endpoint axes mean together: they are kept as they are".to_owned());
            let axis = |axis: &RawAxis| (mode(axis.mode), list(axis.names.iter()));
            let ((groups_mode, groups), (tags_mode, tags)) = (axis(groups), axis(tags));
            format!(
                "mode: raw, groupsMode: {groups_mode}, groups: {groups}, tagsMode: {tags_mode}, \
                 tags: {tags}"
            )
        }
    };
    let _ = writeln!(out, "    endpoints: {{ {endpoints} }}");
    if let Some(datasets) = &scope.datasets {
        write_datasets(out, datasets);
    }
}

fn write_datasets(out: &mut String, datasets: &Datasets) {
    let default = if datasets.all { "all" } else { "none" };
    let filters = datasets.filters.iter().map(|(dataset, filter)| {
        format!("{{ dataset: {}, filter: {} }}", scalar(dataset), scalar(filter))
    });
    let filters: Vec<String> = filters.collect();
    let _ =
        writeln!(out, "    datasets: {{ default: {default}, filters: [{}] }}", filters.join(", "));
}

fn group(group: &AssetGroup) -> String {
    format!("{{ name: {}, id: {} }}", scalar(&group.asset_group_name), group.asset_group_id)
}

const fn mode(mode: AxisMode) -> &'static str {
    match mode {
        AxisMode::NoScope => "no_scope",
        AxisMode::SeeAll => "see_all",
        AxisMode::Scope => "scope",
        AxisMode::Any => "any",
    }
}

fn list<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<String> = names.map(|name| scalar(name)).collect();
    format!("[{}]", names.join(", "))
}

/// A name that can be a file's, from what a comment has.
fn name_of(text: &str) -> Option<String> {
    let mut name = String::new();
    for c in text.chars() {
        if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') {
            name.push(c);
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    let name: String = name.chars().take(NAME_CHARS_MAX).collect();
    let name = name.trim_matches(['-', '.']);
    if is_device(name) {
        return Some(format!("key-{name}"));
    }
    (!name.is_empty()).then(|| name.to_owned())
}

/// Whether Windows takes a name for a device's, whatever stands after a dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || numbered.is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn names_can_be_files_everywhere() {
        for (text, name) in [
            ("svc export", Some("svc-export")),
            ("../etc", Some("etc")),
            ("con", Some("key-con")),
            ("NUL", Some("key-NUL")),
            ("aux.x", Some("key-aux.x")),
            ("com1", Some("key-com1")),
            ("Lpt9.a.b", Some("key-Lpt9.a.b")),
            ("com10", Some("com10")),
            ("console", Some("console")),
            ("x.con", Some("x.con")),
            ("--", None),
        ] {
            assert_eq!(name_of(text).as_deref(), name, "{text}");
        }
    }
}
