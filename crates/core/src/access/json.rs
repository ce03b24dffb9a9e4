//! JSON for decisions and their values, behind the feature `serde`.
//!
//! Types whose fields match their JSON derive it where they are defined; the impls here are for
//! types with a code, and for those whose JSON differs. Types that contain a secret (`Key`,
//! `Signer`, `StoredKey`, `GeneratedKey`, `Headers`) have no JSON.
//!
//! A decision is
//! `{"answer", "ifEnforced", "scopesOff", "steps": [{"subject", "answer", "reason", …, "message"}],
//! "changes": [{"change", …, "message"}]}`. Fields are only ever added.

use core::fmt;

use serde::ser::{Serialize, SerializeMap, SerializeSeq, SerializeStruct as _, Serializer};

use super::component::Permission;
use super::known::{Certainty, KnownLevel};
use super::product::Product;
use super::scope::Unreferenced;
use super::trace::{AccessChange, Answer, Decision, Reason, StepText, TraceStep};
use crate::auth::{KeyId, Level, Verdict};
use crate::lifecycle::{Expiry, ExpiryState};

/// Serializes types as their name.
macro_rules! as_code {
    ($($type:ty: $code:ident),* $(,)?) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.$code())
            }
        }
    )*};
}

as_code!(
    Answer: as_str,
    Certainty: as_str,
    Permission: as_str,
    Product: as_str,
    Level: as_str,
    ExpiryState: as_str,
    Verdict: code,
);

/// As the number.
impl Serialize for KeyId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.get())
    }
}

/// As `true`, `false` or `"unknown"`.
impl Serialize for Unreferenced {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Yes => serializer.serialize_bool(true),
            Self::No => serializer.serialize_bool(false),
            Self::Unknown => serializer.serialize_str("unknown"),
        }
    }
}

/// Milliseconds since 1970, or `null` for never, as in the product's records.
impl Serialize for Expiry {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Never => serializer.serialize_none(),
            Self::At { ms } => serializer.serialize_u64(*ms),
        }
    }
}

impl Serialize for Decision<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("Decision", 5)?;
        fields.serialize_field("answer", &self.answer())?;
        fields.serialize_field("ifEnforced", &self.if_enforced())?;
        fields.serialize_field("scopesOff", &self.scopes_are_off())?;
        fields.serialize_field("steps", &Steps(self))?;
        fields.serialize_field("changes", &Changes(self))?;
        fields.end()
    }
}

struct Steps<'s, 'a>(&'s Decision<'a>);

impl Serialize for Steps<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        list(serializer, self.0.trace().steps())
    }
}

struct Changes<'s, 'a>(&'s Decision<'a>);

impl Serialize for Changes<'_, '_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        list(serializer, self.0.trace().changes())
    }
}

fn list<S: Serializer, T: Serialize>(
    serializer: S,
    items: impl Iterator<Item = T>,
) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(None)?;
    for item in items {
        list.serialize_element(&item)?;
    }
    list.end()
}

impl Serialize for TraceStep<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("subject", self.subject)?;
        // The former name of the same field.
        map.serialize_entry("asked", self.subject)?;
        map.serialize_entry("answer", &self.answer)?;
        reason(&mut map, &self.reason)?;
        message(&mut map, &StepText(self))?;
        map.end()
    }
}

impl Serialize for Reason<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        reason(&mut map, self)?;
        map.end()
    }
}

fn reason<M: SerializeMap>(map: &mut M, reason: &Reason<'_>) -> Result<(), M::Error> {
    let code = match reason {
        Reason::Component { .. } => "component",
        Reason::Action { .. } => "action",
        Reason::All => "all",
        Reason::Nothing => "nothing",
        Reason::Selected { .. } => "selected",
        Reason::NotSelected { .. } => "not-selected",
        Reason::DomainNotSelected { .. } => "domain-not-selected",
        Reason::TagsFit => "tags-fit",
        Reason::TagsDoNotFit { .. } => "tags-do-not-fit",
        Reason::Unreferenced => "unreferenced",
        Reason::DatasetsUnscoped => "datasets-unscoped",
        Reason::DatasetDefault => "dataset-default",
        Reason::DatasetFilter { .. } => "dataset-filter",
        Reason::NoScope => "no-scope",
    };
    map.serialize_entry("reason", code)?;
    match reason {
        Reason::Component { component, held, wanted, certainty, assumed } => {
            map.serialize_entry("component", component)?;
            map.serialize_entry("held", &held_for_certain(*held))?;
            map.serialize_entry("atMost", &held.highest())?;
            map.serialize_entry("wanted", wanted)?;
            map.serialize_entry("certainty", certainty)?;
            map.serialize_entry("assumed", assumed)
        }
        Reason::Action { action } => map.serialize_entry("action", action),
        Reason::Selected { name } => map.serialize_entry("name", name),
        Reason::NotSelected { names, selected } => {
            map.serialize_entry("names", names)?;
            map.serialize_entry("selected", selected)
        }
        Reason::DomainNotSelected { domain } => map.serialize_entry("domain", domain),
        Reason::TagsDoNotFit { tags } => map.serialize_entry("tags", tags),
        Reason::DatasetFilter { filter } => map.serialize_entry("filter", filter),
        _ => Ok(()),
    }
}

/// The level that is certainly held; `None` if nothing is known.
fn held_for_certain(held: KnownLevel) -> Option<Permission> {
    let lowest = held.lowest();
    (lowest > Permission::None || held.exact().is_some()).then_some(lowest)
}

/// As `{"atLeast", "atMost"}`, each one of `none`, `view` and `edit`.
impl Serialize for KnownLevel {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut fields = serializer.serialize_struct("KnownLevel", 2)?;
        fields.serialize_field("atLeast", &self.lowest())?;
        fields.serialize_field("atMost", &self.highest())?;
        fields.end()
    }
}

impl Serialize for AccessChange<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        let mut one = |code: &str, field: &str, name: &str| {
            map.serialize_entry("change", code)?;
            map.serialize_entry(field, name)
        };
        match self {
            Self::Component { component, permission } => {
                one("component", "component", component)?;
                map.serialize_entry("permission", permission)?;
            }
            Self::Action(name) => one("action", "action", name)?,
            Self::AssetGroup(name) => one("asset-group", "name", name)?,
            Self::Domain(name) => one("domain", "name", name)?,
            Self::EndpointGroup(name) => one("endpoint-group", "name", name)?,
            Self::Dataset(name) => one("dataset", "dataset", name)?,
            Self::EndpointTags(names) => {
                map.serialize_entry("change", "endpoint-tags")?;
                map.serialize_entry("names", names)?;
            }
            Self::AllAssets => map.serialize_entry("change", "all-assets")?,
            Self::AllEndpoints => map.serialize_entry("change", "all-endpoints")?,
            Self::Unreferenced => map.serialize_entry("change", "unreferenced")?,
        }
        message(&mut map, self)?;
        map.end()
    }
}

/// Adds the text of an entry.
fn message<M: SerializeMap>(map: &mut M, words: &dyn fmt::Display) -> Result<(), M::Error> {
    map.serialize_entry("message", &format_args!("{words}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{
        AccessKey, Area, Axis, CasesAndIssues, EndpointScope, Question, Reference, Role, Scope,
        TenantSettings, Unreferenced, decide,
    };
    use alloc::string::ToString as _;
    use alloc::vec::Vec;
    use serde_json::{json, to_value};

    #[test]
    fn a_decision_is_written_with_its_steps_and_changes() {
        let scope: Scope<&str> = Scope {
            assets: Area::select(&["prod-eu"]),
            cases_and_issues: CasesAndIssues { area: Area::All, unreferenced: Unreferenced::No },
            endpoints: EndpointScope::<&str>::select(&["servers"], &[]),
            datasets: None,
        };
        let key = AccessKey { roles: &[Role::unknown("Viewer")], scope: Some(&scope) };
        let references = &[Reference::Asset { groups: &["prod-us"], endpoint: None }];
        let issue = Question::Issue { domain: "Posture", references };
        assert_eq!(
            to_value(decide(&key, &TenantSettings::enforcing(), &issue)).unwrap(),
            json!({
                "answer": "refused", "ifEnforced": "refused", "scopesOff": false,
                "steps": [
                    { "subject": "cases and issues", "asked": "cases and issues", "answer": "allowed", "reason": "all",
                      "message": "all cases and issues are in scope" },
                    { "subject": "assets", "asked": "assets", "answer": "refused", "reason": "not-selected",
                      "names": ["prod-us"], "selected": 1,
                      "message": "none of its groups (prod-us) is selected; the scope selects 1 group" },
                ],
                "changes": [{ "change": "asset-group", "name": "prod-us",
                              "message": "asset group prod-us added to the scope" }],
            })
        );
        let asked = Question::Component { name: "Public API", permission: Permission::Edit };
        let decision = to_value(decide(&key, &TenantSettings::enforcing(), &asked)).unwrap();
        assert_eq!(decision["steps"][0]["held"], json!(null));
        assert_eq!(decision["changes"][0]["permission"], "edit");
    }

    #[test]
    fn every_reason_and_change_has_its_fields() {
        let decisions = crate::access::trace::tests::every_decision();
        let lines: Vec<_> = decisions
            .iter()
            .map(|decision| {
                let mut json = to_value(decision).unwrap();
                // Its words are in a snapshot of their own.
                for list in ["steps", "changes"] {
                    for entry in json[list].as_array_mut().unwrap() {
                        entry.as_object_mut().unwrap().remove("message").unwrap();
                    }
                }
                // Without this, the order depends on the features that other packages enable.
                json.sort_all_objects();
                json.to_string()
            })
            .collect();
        insta::assert_snapshot!(lines.join("\n"));
    }

    #[test]
    fn scopes_are_written_by_area() {
        assert_eq!(
            to_value(Scope::<&str> {
                assets: Area::select(&["a"]),
                endpoints: EndpointScope { groups: Axis::SeeAll, tags: Axis::scope(&["t"]) },
                ..Scope::NONE
            })
            .unwrap(),
            json!({
                "assets": { "mode": "select", "names": ["a"] },
                "casesAndIssues": { "area": { "mode": "none" }, "unreferenced": false },
                "endpoints": {
                    "groups": { "mode": "see_all" },
                    "tags": { "mode": "scope", "names": ["t"] },
                },
                "datasets": { "all": false, "filters": [] },
            })
        );
    }

    #[test]
    fn codes_are_texts() {
        assert_eq!(to_value(Product::Xdr5).unwrap(), "xdr-5");
        assert_eq!(to_value(Level::Advanced).unwrap(), "advanced");
        assert_eq!(to_value(Verdict::TimestampStale).unwrap(), "timestamp-stale");
        assert_eq!(to_value(KeyId::new(7)).unwrap(), 7);
        assert_eq!(to_value(Expiry::Never).unwrap(), json!(null));
        assert_eq!(to_value(Expiry::At { ms: 5 }).unwrap(), 5);
        assert_eq!(to_value(ExpiryState::ExpiresWithinDay).unwrap(), "expires-within-day");
    }

    #[cfg(feature = "alloc")]
    #[test]
    fn gains_are_written_with_their_code() {
        use crate::access::{Gain, Widening};
        let widening =
            Widening::ComponentRaised { component: "Auditing", from: None, to: Permission::View };
        assert_eq!(
            to_value(Gain { key: "export", widening }).unwrap(),
            json!({ "key": "export", "widening": {
                "gain": "component-raised", "component": "Auditing", "from": null, "to": "view",
            } })
        );
        let ended = Widening::ExpiryLater { from_ms: 1, to_ms: 2 };
        assert_eq!(
            to_value(ended).unwrap(),
            json!({ "gain": "expiry-later", "fromMs": 1, "toMs": 2 })
        );
    }
}
