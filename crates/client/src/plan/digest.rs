//! The digest of a definition, which a lock file records once the definition is applied.
//!
//! It distinguishes drift (the tenant differs from what was applied) from a changed definition. The
//! second form is `v2-` and the first 32 digits of SHA-256 over these lines, each ending with a
//! line feed, and the scope in its [`canonical`] form:
//!
//! ```text
//! cortexkey definition 2
//! level advanced
//! roles 6:Viewer 9:Responder
//! comment 15:Exports. SEC-1
//! end after 7776000000
//! asset-group-ids 7:prod-eu=16
//! assets select 7:prod-eu
//! …
//! ```
//!
//! The first form covered text that the compiler chose. It is still recognised, so that an upgrade
//! plans nothing; the next run that applies the definition records the second form.

use cortexkey_core::access::{Area, Axis, AxisMode, Scope, Unreferenced};
use cortexkey_core::auth::Level;
use cortexkey_manifest::access::canonical;
use cortexkey_manifest::definition::{self, Definition};
use cortexkey_manifest::{Field, Spanned};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::end::End;
use super::scope::GroupIds;

/// How many digits are kept: enough to avoid collisions between definitions of a key.
const DIGEST_LEN: usize = 32;

/// The part of a definition that digests cover.
pub(super) struct Applied<'a> {
    pub(super) level: Level,
    pub(super) roles: &'a [String],
    pub(super) comment: Option<&'a str>,
    pub(super) end: End,
    pub(super) group_ids: &'a GroupIds,
    pub(super) scope: Option<&'a Scope<String>>,
}

/// Both forms of one definition's digest.
#[derive(Clone, Debug)]
pub(super) struct Digests {
    pub(super) second: String,
    first: String,
}

impl Digests {
    pub(super) fn new(applied: &Applied<'_>, definition: &Definition) -> Self {
        let second = format!("v2-{}", hashed(&text(applied)));
        Self { second, first: hashed(&first_text(applied, definition)) }
    }

    /// Whether a digest from a lock file is this definition's.
    pub(super) fn include(&self, digest: &str) -> bool {
        digest == self.second || digest == self.first
    }
}

fn hashed(text: &str) -> String {
    let mut digest = hex::encode(Sha256::digest(text));
    digest.truncate(DIGEST_LEN);
    digest
}

fn text(applied: &Applied<'_>) -> String {
    let (kind, ms) = end(applied.end);
    let mut group_ids: Vec<String> = applied
        .group_ids
        .iter()
        .map(|(name, id)| format!(" {}={id}", canonical::string(name)))
        .collect();
    group_ids.sort();
    [
        "cortexkey definition 2".to_owned(),
        format!("level {}", applied.level.as_str()),
        format!("roles{}", canonical::names(applied.roles)),
        format!("comment {}", canonical::string(applied.comment.unwrap_or_default())),
        format!("end {kind} {ms}"),
        format!("asset-group-ids{}", group_ids.concat()),
        applied.scope.map_or_else(|| "no scope\n".to_owned(), canonical::scope),
    ]
    .join("\n")
}

fn end(end: End) -> (&'static str, u64) {
    match end {
        End::Never => ("never", 0),
        End::At { ms } => ("at", ms),
        End::After { ms } => ("after", ms),
    }
}

/// The text of the first form: JSON whose scope is the output of Rust's `Debug` at that time.
fn first_text(applied: &Applied<'_>, definition: &Definition) -> String {
    let mut roles = applied.roles.to_vec();
    roles.sort();
    let (kind, ms) = end(applied.end);
    let written = definition.spec.as_ref().and_then(|spec| spec.scope.get());
    let scope = applied.scope.zip(written).map(|(scope, written)| first_scope(scope, written));
    let fields = [
        ("level", json!(applied.level.as_str())),
        ("roles", json!(roles)),
        ("comment", json!(applied.comment)),
        ("end", json!([kind, ms])),
        ("groupIds", json!(applied.group_ids)),
        ("scope", json!(scope)),
    ];
    let fields = fields.map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", fields.join(","))
}

fn first_scope(scope: &Scope<String>, written: &definition::ScopeSpec) -> String {
    let area = |area: &Area<String>| match area {
        Area::None => "None".to_owned(),
        Area::All => "All".to_owned(),
        Area::Select(names) => format!("Select({names:?})"),
    };
    let unreferenced = match scope.cases_and_issues.unreferenced {
        Unreferenced::Yes => "Yes",
        Unreferenced::No => "No",
        Unreferenced::Unknown => "Unknown",
    };
    let endpoints = written.endpoints.get();
    let axis = |axis: &Axis<String>, names: Option<&Field<Vec<Spanned<String>>>>| {
        let mode = match axis.mode() {
            AxisMode::NoScope => "NoScope",
            AxisMode::SeeAll => "SeeAll",
            AxisMode::Scope => "Scope",
            AxisMode::Any => "Any",
        };
        // It kept names with modes that have none.
        let names = names.and_then(Field::get).into_iter().flatten();
        let names: Vec<&str> = names.map(|name| name.value.as_str()).collect();
        format!("EndpointAxis {{ mode: {mode}, names: {names:?} }}")
    };
    let datasets = scope.datasets.as_ref().map(|datasets| (datasets.all, &datasets.filters));
    format!(
        "HeldScope {{ assets: {}, cases_and_issues: {}, unreferenced: {unreferenced}, \
         endpoint_groups: {}, endpoint_tags: {}, datasets: {datasets:?} }}",
        area(&scope.assets),
        area(&scope.cases_and_issues.area),
        axis(&scope.endpoints.groups, endpoints.map(|endpoints| &endpoints.groups)),
        axis(&scope.endpoints.tags, endpoints.map(|endpoints| &endpoints.tags)),
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_manifest::definition::read;
    use cortexkey_manifest::yaml::{YamlLimits, parse};

    use super::super::Desired;

    fn desired(spec: &str) -> Desired {
        let text = format!(
            "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: {{ name: k, owner: t }}\nspec:\n{spec}"
        );
        let tree = parse(&text, &YamlLimits::default()).tree;
        let definition = read(&tree, tree.documents()[0]).definition.unwrap();
        Desired::from_definition(&definition, &[], None, "k.yaml", 1).unwrap()
    }

    const EXPORT: &str = r#"
  securityLevel: advanced
  comment: "Exports \"é\". SEC-1"
  lifetime: 90d
  roles: [Viewer, Responder]
  scope:
    assets: { mode: select, groups: [prod-us, { name: prod-eu, id: 16 }] }
    casesAndIssues: { mode: select, domains: [Security, IT], unreferenced: false }
    endpoints: { mode: select, groups: [servers-eu] }
"#;
    const PLAIN: &str = "  securityLevel: standard\n  lifetime: 30d\n  roles: [Viewer]\n";
    const RAW: &str = r#"
  securityLevel: advanced
  comment: Reads cases for the archive
  lifetime: 30d
  roles: [Viewer]
  scope:
    assets: { mode: none }
    casesAndIssues: { mode: all, unreferenced: true }
    endpoints: { mode: raw, groupsMode: see_all, groups: ["é \"q\"\\", "a\tb"], tagsMode: any }
"#;

    /// The first form is from lock files written by earlier releases; the second was computed from
    /// the description above by another program.
    #[test]
    fn both_forms_are_the_known_answers() {
        for (spec, first, second) in [
            (EXPORT, "cd2d53e153af045a6da86991f104677d", "v2-e68e64449344ca1ee97d31e586458719"),
            (PLAIN, "ed14f612c071270349f1a444acb48376", "v2-7cc1977675b3b0e44260488bec1d525e"),
            (RAW, "06ff4131873660f24f48a2812666ab32", "v2-98ec87e44df63628ac531261de8c0fdd"),
        ] {
            let key = desired(spec);
            assert_eq!(key.digest(), second, "{spec}");
            assert!(key.was_applied(Some(first)) && key.was_applied(Some(second)), "{spec}");
            assert!(!key.was_applied(None) && !key.was_applied(Some("v3-")), "{spec}");
        }
    }

    #[test]
    fn only_a_change_and_not_order_changes_the_digest() {
        let digest = |from: &str, to: &str| {
            let spec = EXPORT.replace(from, to);
            assert!(from.is_empty() || spec != EXPORT, "{from}");
            desired(&spec).digest().to_owned()
        };
        let same = digest("", "");
        assert_eq!(digest("[Viewer, Responder]", "[Responder, Viewer]"), same);
        assert_eq!(digest("[Security, IT]", "[IT, Security]"), same);
        for (from, to) in [
            ("advanced", "standard"),
            ("SEC-1", "SEC-2"),
            ("90d", "91d"),
            ("[Viewer, Responder]", "[Viewer]"),
            ("id: 16", "id: 17"),
            ("prod-us, ", ""),
            ("[Security, IT]", "[Security]"),
            ("unreferenced: false", "unreferenced: true"),
            ("groups: [servers-eu]", "tags: [servers-eu]"),
        ] {
            assert_ne!(digest(from, to), same, "{from}");
        }
    }
}
