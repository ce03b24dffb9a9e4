//! [`Imported`]: definitions written from a tenant's keys.
//!
//! What the tenant does not return is marked in the definition, and the linter reports it. Names
//! are valid file names on every system.

use core::fmt::Write as _;
use std::collections::BTreeSet;

use cortexkey_api::api_keys::ApiKeyRecord;
use cortexkey_api::scope::{AssetGroup, AxisMode, ScopeRead, Tagged};
use cortexkey_api::scope_mapping::{MappingError, axis_names, from_read};
use cortexkey_core::access::{Area, DatasetScope, EndpointMode, Unreferenced};
use cortexkey_core::auth::Level;
use cortexkey_manifest::definition::UNASSIGNED;
use cortexkey_manifest::scalar;
use regex::Regex;

use crate::resources::ObservedScope;

const NAME_CHARS_MAX: usize = 63;

/// The definition of an existing key.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Imported {
    /// The name of the definition, and of its file without `.yaml`.
    pub name: String,
    /// The key's id.
    pub id: u64,
    /// The definition's text.
    pub yaml: String,
    /// What the tenant does not return, in words.
    pub unknown: Vec<String>,
}

/// Writes definitions. Names are unique, also among `taken`.
pub struct Import<'a> {
    /// How names and owners are written in comments: the groups `name` and `owner`.
    pub pattern: Option<&'a Regex>,
    /// The policy's name for the tenant, if definitions must contain it.
    pub tenant: Option<&'a str>,
    /// Names that existing definitions have, in lower case: on some systems, names that differ in
    /// their case only are the same file.
    pub taken: BTreeSet<String>,
}

impl Import<'_> {
    /// The definition of one key. The scope is `None` if the product has no such call, and an error
    /// text if it cannot be read.
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
        let mut unique = name;
        while !self.taken.insert(unique.to_lowercase()) {
            unique = format!("{unique}-{id}");
        }
        unique
    }

    /// The definition of a key that is about to be generated, with its complete scope; `None` if no
    /// scope is sent. Without an owner the field is omitted. `unreferenced` says whether the key
    /// sees cases and issues that reference no known object.
    pub fn definition(
        &self,
        name: &str,
        owner: &str,
        record: &ApiKeyRecord,
        scope: Option<&ScopeRead>,
        unreferenced: bool,
    ) -> String {
        let mut out = self.head(name, Some(owner).filter(|owner| !owner.is_empty()), record);
        if let Some(scope) = scope {
            let known = if unreferenced { Unreferenced::Yes } else { Unreferenced::No };
            // What a definition cannot express is omitted, and the linter reports it.
            let _ = write_scope(&mut out, scope, Some(known), &mut Vec::new());
        }
        out
    }

    /// Everything except the scope.
    fn head(&self, name: &str, owner: Option<&str>, record: &ApiKeyRecord) -> String {
        let mut out = format!(
            "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata:\n  name: {}\n",
            scalar(name)
        );
        if let Some(owner) = owner {
            let _ = writeln!(out, "  owner: {}", scalar(owner));
        }
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
        let _ = writeln!(out, "  roles: {}", list(&record.roles));
        out
    }

    fn yaml(
        &self,
        name: &str,
        owner: &str,
        record: &ApiKeyRecord,
        scope: Result<Option<&ScopeRead>, &str>,
        unknown: &mut Vec<String>,
    ) -> String {
        let mut out = format!("# Key {} of the tenant, imported.\n", record.id);
        out += &self.head(name, Some(owner), record);
        let scope = match scope {
            Ok(scope) => scope,
            Err(why) => {
                unknown.push(format!("its scope: {why}"));
                // A scope that cannot be read must be neither replaced nor removed.
                out.push_str(
                    "  # scope: unknown; it could not be read. Write it before you apply.\n",
                );
                return out;
            }
        };
        if scope.is_some_and(|scope| ObservedScope::from(scope).is_nothing()) {
            // The product shows a key without a scope as one that sees nothing.
            unknown.push("whether a scope was set: the tenant shows none".to_owned());
            out.push_str("  # scope: the tenant shows none; possibly none was set.\n");
            return out;
        }
        if let Some(scope) = scope
            && let Err(error) = write_scope(&mut out, scope, None, unknown)
        {
            unknown.push(format!("its scope: {error}"));
        }
        out
    }
}

fn write_scope(
    out: &mut String,
    read: &ScopeRead,
    known: Option<Unreferenced>,
    unknown: &mut Vec<String>,
) -> Result<(), MappingError> {
    let scope = from_read(read)?;
    let assets = match scope.assets {
        Area::None => "mode: none".to_owned(),
        Area::All => "mode: all".to_owned(),
        Area::Select(_) => {
            let groups: Vec<String> = read.assets.asset_groups.iter().map(group).collect();
            format!("mode: select, groups: [{}]", groups.join(", "))
        }
    };
    let mut cases = match &scope.cases_and_issues.area {
        Area::None => "mode: none".to_owned(),
        Area::All => "mode: all".to_owned(),
        Area::Select(domains) => format!("mode: select, domains: {}", list(domains)),
    };
    if scope.cases_and_issues.area != Area::None {
        let unreferenced = known.unwrap_or(scope.cases_and_issues.unreferenced);
        let _ = write!(cases, ", unreferenced: {}", unreferenced.as_str());
        if unreferenced == Unreferenced::Unknown {
            unknown
                .push("whether it sees cases and issues that reference no known object".to_owned());
        }
    }
    let endpoints = endpoints(scope.endpoints.mode(), read, unknown);
    let _ = writeln!(out, "  scope:\n    assets: {{ {assets} }}");
    let _ = writeln!(out, "    casesAndIssues: {{ {cases} }}");
    let _ = writeln!(out, "    endpoints: {{ {endpoints} }}");
    if let Some(datasets) = &scope.datasets {
        write_datasets(out, datasets);
    }
    Ok(())
}

/// The fields of the endpoints' scope.
fn endpoints(mode: EndpointMode, read: &ScopeRead, unknown: &mut Vec<String>) -> String {
    let groups = &read.endpoints.endpoint_groups;
    let tags = &read.endpoints.endpoint_tags;
    // A tenant may store names with a mode that has none; definitions cannot express those.
    let has_stray_names =
        |axis: &Tagged<AxisMode>| axis.mode != AxisMode::Scope && !axis_names(axis).is_empty();
    match mode {
        _ if has_stray_names(groups) || has_stray_names(tags) => raw_endpoints(read, unknown),
        EndpointMode::Raw => raw_endpoints(read, unknown),
        EndpointMode::None => "mode: none".to_owned(),
        EndpointMode::All => "mode: all".to_owned(),
        EndpointMode::Select => {
            let mut text = "mode: select".to_owned();
            for (field, axis) in [("groups", groups), ("tags", tags)] {
                if axis.mode == AxisMode::Scope {
                    let _ = write!(text, ", {field}: {}", list(&axis_names(axis)));
                }
            }
            text
        }
    }
}

/// Both axes as the tenant stores them.
fn raw_endpoints(read: &ScopeRead, unknown: &mut Vec<String>) -> String {
    unknown.push("how its endpoint groups and tags combine: they are kept unchanged".to_owned());
    let axis = |axis: &Tagged<AxisMode>| (axis.mode.as_str(), list(&axis_names(axis)));
    let (groups_mode, groups) = axis(&read.endpoints.endpoint_groups);
    let (tags_mode, tags) = axis(&read.endpoints.endpoint_tags);
    format!(
        "mode: raw, groupsMode: {groups_mode}, groups: {groups}, tagsMode: {tags_mode}, \
         tags: {tags}"
    )
}

fn write_datasets(out: &mut String, datasets: &DatasetScope<String>) {
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

fn list(names: &[String]) -> String {
    let names: Vec<String> = names.iter().map(|name| scalar(name)).collect();
    format!("[{}]", names.join(", "))
}

/// A valid file name made from a comment.
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

/// Whether Windows reserves a name for a device, whatever follows a dot.
fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let numbered = stem.strip_prefix("com").or_else(|| stem.strip_prefix("lpt"));
    matches!(stem.as_str(), "con" | "prn" | "aux" | "nul")
        || numbered.is_some_and(|rest| rest.len() == 1 && rest.bytes().all(|b| b.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::{Import, name_of};

    #[test]
    fn names_differ_in_more_than_their_case() {
        let taken = BTreeSet::from(["svc".to_owned()]);
        let mut import = Import { pattern: None, tenant: None, taken };
        let mut unique = |name: &str, id| import.unique(name.to_owned(), id);
        assert_eq!(unique("Svc", 4), "Svc-4");
        assert_eq!(unique("svc-5", 6), "svc-5");
        assert_eq!(unique("SVC", 5), "SVC-5-5");
        assert_eq!(unique("other", 7), "other");
    }

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
