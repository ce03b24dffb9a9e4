//! [`KeyForm`]: the values of a form as typed, and what the client gets from them.

use cortexkey_api::api_keys::{ApiKeyRecord, SecurityLevel};
use cortexkey_api::asset_group::AssetGroupRecord;
use cortexkey_api::scope::{
    AreaMode, AssetGroup, AssetsRead, AssetsWrite, AxisMode, AxisWrite, CasesIssuesWrite,
    DatasetFilter, DatasetsRows, EndpointsRead, EndpointsWrite, ScopeRead, ScopeWrite, Tag, Tagged,
};
use cortexkey_client::check_comment;
use cortexkey_client::time::time_ms;
use cortexkey_core::auth::Level;

use super::fields::{FormFault, FormField};
use crate::error::BoxError;
use crate::page_request::Fields;
use crate::records::time;

const DAY_MS: u64 = 24 * 60 * 60 * 1000;
/// The defaults of a new form.
const LIFETIME_MS: u64 = 90 * DAY_MS;
/// The API's default for a form without a date.
const WEEK_MS: u64 = 7 * DAY_MS;

/// The values of a form.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a check box")]
pub(in crate::pages) struct KeyForm {
    pub(super) level: Level,
    pub(super) roles: Vec<String>,
    pub(super) comment: String,
    pub(super) has_date: bool,
    pub(super) date: String,
    pub(super) time: String,
    pub(super) has_scope: bool,
    pub(super) assets: AreaMode,
    pub(super) groups: Vec<u64>,
    pub(super) cases: AreaMode,
    pub(super) domains: Vec<String>,
    pub(super) unreferenced: bool,
    pub(super) endpoints: AreaMode,
    pub(super) endpoint_groups: Vec<String>,
    pub(super) endpoint_tags: Vec<String>,
    pub(super) has_datasets: bool,
    pub(super) datasets: AreaMode,
    /// `dataset: filter`, one per line.
    pub(super) filters: String,
    pub(in crate::pages) name: String,
    pub(super) owner: String,
    /// What no browser sends for this form. It is never taken for something else.
    unknown: Vec<FormFault>,
}

/// The mode of one axis, and its selection.
type AxisValues<'a> = (AxisMode, &'a [String]);

impl KeyForm {
    /// An empty form at a time, for a product with or without scopes.
    pub(in crate::pages) fn new(now_ms: u64, has_scopes: bool) -> Self {
        let mut form = Self::from_fields(&Fields::default());
        form.has_scope = has_scopes;
        form.set_expiration(Some(now_ms.saturating_add(LIFETIME_MS)));
        form
    }

    /// The values that a browser sent.
    pub(in crate::pages) fn from_fields(fields: &Fields) -> Self {
        let text = |name: &str| fields.get(name).unwrap_or_default().trim().to_owned();
        let names = |name: &str| -> Vec<String> {
            let lines = fields.all(name).flat_map(str::lines).map(str::trim);
            lines.filter(|line| !line.is_empty()).map(str::to_owned).collect()
        };
        let mut unknown = Vec::new();
        let mut mode = |at: FormField, name: &str, modes: &[AreaMode]| {
            let Some(word) = fields.get(name) else { return AreaMode::None };
            let known = modes.iter().copied().find(|mode| mode.as_str() == word);
            known.unwrap_or_else(|| {
                unknown.push(FormFault::new(at, format!("`{name}` has no option `{word}`")));
                AreaMode::None
            })
        };
        let all = [AreaMode::None, AreaMode::All, AreaMode::Select];
        let assets = mode(FormField::Assets, "assets", &all);
        let cases = mode(FormField::Cases, "cases", &all);
        let endpoints = mode(FormField::Endpoints, "endpoints", &all);
        let datasets = mode(FormField::Datasets, "datasets", &[AreaMode::None, AreaMode::All]);
        let level = fields.get("level").unwrap_or(Level::Advanced.as_str());
        let level = level.parse().unwrap_or_else(|_| {
            let text = format!("there is no security level `{level}`");
            unknown.push(FormFault::new(FormField::Level, text));
            Level::Advanced
        });
        let mut groups = Vec::new();
        for id in fields.all("group") {
            match id.parse() {
                Ok(id) => groups.push(id),
                Err(_) => unknown.push(FormFault::new(
                    FormField::Assets,
                    format!("`{id}` is not the id of an asset group"),
                )),
            }
        }
        // The names of roles are the tenant's, with any spaces at their ends.
        let roles = fields.all("role").filter(|role| !role.is_empty()).map(str::to_owned);
        Self {
            level,
            roles: roles.collect(),
            comment: text("comment"),
            has_date: fields.has("has-date"),
            date: text("date"),
            time: text("time"),
            has_scope: fields.has("has-scope"),
            assets,
            groups,
            cases,
            domains: names("domain"),
            unreferenced: fields.has("unreferenced"),
            endpoints,
            endpoint_groups: names("endpoint-group"),
            endpoint_tags: names("endpoint-tag"),
            has_datasets: fields.has("has-datasets"),
            datasets,
            filters: text("filters"),
            name: text("name"),
            owner: text("owner"),
            unknown,
        }
    }

    /// The same for a new key with the values of an edit: with the default expiration, and with a
    /// scope if the product has scopes.
    #[must_use]
    pub(in crate::pages) fn into_new(mut self, now_ms: u64, has_scopes: bool) -> Self {
        self.has_scope = has_scopes;
        self.set_expiration(Some(now_ms.saturating_add(LIFETIME_MS)));
        self
    }

    /// The values of an existing key.
    pub(in crate::pages) fn from_key(key: &ApiKeyRecord, scope: Option<&ScopeRead>) -> Self {
        let mut form = Self::from_fields(&Fields::default());
        form.level = key.security_level.into();
        form.roles.clone_from(&key.roles);
        form.comment = key.comment.clone().unwrap_or_default();
        form.set_expiration(key.expiration);
        if let Some(scope) = scope {
            form.set_scope(scope);
        }
        form
    }

    fn set_expiration(&mut self, ms: Option<u64>) {
        self.has_date = ms.is_some();
        let Some(ms) = ms else { return };
        let text = time(ms);
        text.get(..10).unwrap_or_default().clone_into(&mut self.date);
        text.get(11..16).unwrap_or_default().clone_into(&mut self.time);
    }

    fn set_scope(&mut self, scope: &ScopeRead) {
        let names = |tags: &[Tag]| tags.iter().map(|tag| tag.tag_name.clone()).collect();
        let groups = &scope.endpoints.endpoint_groups;
        let tags = &scope.endpoints.endpoint_tags;
        self.assets = scope.assets.mode;
        self.groups = scope.assets.asset_groups.iter().map(|group| group.asset_group_id).collect();
        self.cases = scope.cases_issues.mode;
        self.domains = names(&scope.cases_issues.tags);
        self.endpoints = match (groups.mode, tags.mode) {
            (AxisMode::Scope, _) | (_, AxisMode::Scope) => AreaMode::Select,
            (AxisMode::SeeAll, AxisMode::SeeAll) => AreaMode::All,
            _ => AreaMode::None,
        };
        self.endpoint_groups =
            if groups.mode == AxisMode::Scope { names(&groups.tags) } else { vec![] };
        self.endpoint_tags = if tags.mode == AxisMode::Scope { names(&tags.tags) } else { vec![] };
        if let Some(rows) = &scope.datasets_rows {
            self.has_datasets = true;
            self.datasets = rows.default_filter_mode;
            let lines = rows.filters.iter().map(|row| format!("{}: {}\n", row.dataset, row.filter));
            self.filters = lines.collect();
        }
    }

    /// The selected roles.
    pub(in crate::pages) fn roles(&self) -> &[String] {
        &self.roles
    }

    /// The selected level.
    pub(in crate::pages) fn level(&self) -> Level {
        self.level
    }

    /// Whether the scope is set, too.
    pub(in crate::pages) fn has_scope(&self) -> bool {
        self.has_scope
    }

    /// The owner, if there is one.
    pub(in crate::pages) fn owner(&self) -> Option<String> {
        Some(self.owner.clone()).filter(|owner| !owner.is_empty())
    }

    /// Fills in the owner.
    pub(in crate::pages) fn set_owner(&mut self, owner: Option<&str>) {
        owner.unwrap_or_default().clone_into(&mut self.owner);
    }

    /// Whether the key has these roles, this level and this comment.
    pub(in crate::pages) fn is_as(&self, key: &ApiKeyRecord) -> bool {
        // A form keeps neither the order of roles nor spaces around a comment.
        let sorted = |roles: &[String]| {
            let mut roles = roles.to_vec();
            roles.sort();
            roles
        };
        let comment = key.comment.as_deref().unwrap_or_default().replace("\r\n", "\n");
        sorted(&self.roles) == sorted(&key.roles)
            && self.level == Level::from(key.security_level)
            && self.comment == comment.trim()
    }

    /// The form of an existing key: it has no field for the expiration.
    #[must_use]
    pub(in crate::pages) fn with_fixed_fields(mut self, key: &ApiKeyRecord) -> Self {
        self.set_expiration(key.expiration);
        self
    }

    /// The comment, if there is one.
    pub(in crate::pages) fn comment(&self) -> Option<String> {
        Some(self.comment.clone()).filter(|comment| !comment.is_empty())
    }

    /// When the key expires; without a date, the API's default of one week.
    pub(in crate::pages) fn expiration_ms(&self, now_ms: u64) -> Result<u64, BoxError> {
        if !self.has_date {
            return Ok(now_ms.saturating_add(WEEK_MS));
        }
        let clock = if self.time.is_empty() { "23:59" } else { &self.time };
        let ms = time_ms(&format!("{}T{clock}:00Z", self.date))?;
        if ms <= now_ms {
            return Err("the expiration has passed; choose a later date".into());
        }
        Ok(ms)
    }

    /// What is missing or invalid; empty if the form can be sent.
    pub(in crate::pages) fn faults(&self, now_ms: u64) -> Vec<FormFault> {
        let mut faults = self.edit_faults();
        let expiration = self.expiration_ms(now_ms).err();
        faults
            .extend(expiration.map(|error| FormFault::new(FormField::Expires, error.to_string())));
        faults.sort_by_key(|fault| fault.at);
        faults
    }

    /// Like [`faults`](Self::faults), for editing, which does not change the expiration.
    pub(in crate::pages) fn edit_faults(&self) -> Vec<FormFault> {
        let mut faults = self.unknown.clone();
        if self.roles.is_empty() {
            faults.push(FormFault::new(FormField::Roles, "choose at least one role"));
        }
        if let Err(error) = check_comment(&self.comment) {
            let text = error.to_string().replace("\nhelp:", ";");
            faults.push(FormFault::new(FormField::Comment, text));
        }
        if self.has_scope {
            faults.extend(self.scope_faults());
        }
        // In the order of the form, so that the first one gets the focus.
        faults.sort_by_key(|fault| fault.at);
        faults
    }

    fn scope_faults(&self) -> Vec<FormFault> {
        let mut faults = Vec::new();
        let mut needs = |at: FormField, mode: AreaMode, is_empty: bool, what: &str| {
            if mode == AreaMode::Select && is_empty {
                let text = format!("select at least one {what}, or another option");
                faults.push(FormFault::new(at, text));
            }
        };
        needs(FormField::Assets, self.assets, self.groups.is_empty(), "asset group");
        needs(FormField::Cases, self.cases, self.domains.is_empty(), "domain");
        let is_empty = self.endpoint_groups.is_empty() && self.endpoint_tags.is_empty();
        needs(FormField::Endpoints, self.endpoints, is_empty, "endpoint group or tag");
        if self.has_datasets {
            let rows = self.rows().err();
            faults.extend(rows.map(|error| FormFault::new(FormField::Datasets, error.to_string())));
        }
        faults
    }

    /// The scope in the tenant's form.
    pub(in crate::pages) fn scope(&self) -> Result<Option<ScopeWrite>, BoxError> {
        if !self.has_scope {
            return Ok(None);
        }
        let chosen = |mode: AreaMode, names: &[String]| {
            if mode == AreaMode::Select { names.to_vec() } else { Vec::new() }
        };
        let (groups, tags) = self.axes();
        let axis = |(mode, names): AxisValues<'_>| AxisWrite { mode, names: names.to_vec() };
        Ok(Some(ScopeWrite {
            assets: AssetsWrite {
                mode: self.assets,
                asset_group_ids: if self.assets == AreaMode::Select {
                    self.groups.clone()
                } else {
                    vec![]
                },
            },
            cases_issues: CasesIssuesWrite {
                mode: self.cases,
                names: chosen(self.cases, &self.domains),
                include_cases_issues_empty_entities: self.lets_unreferenced_in(),
            },
            endpoints: EndpointsWrite { endpoint_groups: axis(groups), endpoint_tags: axis(tags) },
            datasets_rows: if self.has_datasets { Some(self.rows()?) } else { None },
        }))
    }

    pub(super) fn lets_unreferenced_in(&self) -> bool {
        self.unreferenced && self.cases != AreaMode::None
    }

    /// The two axes of the endpoints: one without a selection does not restrict.
    fn axes(&self) -> (AxisValues<'_>, AxisValues<'_>) {
        let axis = |names: &'_ Vec<String>| {
            if names.is_empty() { AxisMode::Any } else { AxisMode::Scope }
        };
        match self.endpoints {
            AreaMode::None => ((AxisMode::NoScope, &[]), (AxisMode::NoScope, &[])),
            AreaMode::All => ((AxisMode::SeeAll, &[]), (AxisMode::SeeAll, &[])),
            AreaMode::Select => (
                (axis(&self.endpoint_groups), &self.endpoint_groups),
                (axis(&self.endpoint_tags), &self.endpoint_tags),
            ),
        }
    }

    fn rows(&self) -> Result<DatasetsRows, BoxError> {
        let filters = self.filters.lines().filter(|line| !line.trim().is_empty()).map(|line| {
            let (dataset, filter) =
                line.split_once(':').ok_or("a line of the filters is `dataset: filter`")?;
            let dataset = dataset.trim().to_owned();
            let filter = filter.trim().to_owned();
            Ok(DatasetFilter { dataset, filter })
        });
        let filters = filters.collect::<Result<_, BoxError>>()?;
        let default_filter_mode =
            if self.datasets == AreaMode::All { AreaMode::All } else { AreaMode::None };
        Ok(DatasetsRows { default_filter_mode, filters })
    }

    /// The key as the tenant would return it, for its definition.
    pub(super) fn record(&self, now_ms: u64) -> ApiKeyRecord {
        ApiKeyRecord {
            id: 0,
            creation_time: Some(now_ms),
            created_by: None,
            user_name: None,
            roles: self.roles.clone(),
            security_level: SecurityLevel::from(self.level),
            comment: self.comment(),
            expiration: self.expiration_ms(now_ms).ok(),
        }
    }

    /// The scope as the tenant would return it, for the key's definition.
    pub(super) fn scope_read(&self, known: &[AssetGroupRecord]) -> Option<ScopeRead> {
        if !self.has_scope {
            return None;
        }
        let name = |id: u64| {
            let group = known.iter().find(|group| group.id == id);
            group.map_or_else(|| format!("group {id}"), |group| group.name.clone())
        };
        let tags = |names: &[String]| {
            let tag =
                |name: &String| Tag { tag_id: serde_json::Value::Null, tag_name: name.clone() };
            names.iter().map(tag).collect()
        };
        let (groups, endpoint_tags) = self.axes();
        let axis = |(mode, names): AxisValues<'_>| Tagged { mode, tags: tags(names) };
        Some(ScopeRead {
            assets: AssetsRead {
                mode: self.assets,
                asset_groups: self
                    .groups
                    .iter()
                    .filter(|_| self.assets == AreaMode::Select)
                    .map(|id| AssetGroup { asset_group_id: *id, asset_group_name: name(*id) })
                    .collect(),
            },
            cases_issues: Tagged {
                mode: self.cases,
                tags: if self.cases == AreaMode::Select { tags(&self.domains) } else { Vec::new() },
            },
            endpoints: EndpointsRead {
                endpoint_groups: axis(groups),
                endpoint_tags: axis(endpoint_tags),
            },
            datasets_rows: if self.has_datasets { self.rows().ok() } else { None },
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use cortexkey_client::ObservedScope;

    use super::*;

    fn form(text: &str) -> KeyForm {
        KeyForm::from_fields(&Fields::parse(text.as_bytes()).unwrap())
    }

    #[test]
    fn a_scope_is_sent_as_it_would_be_read() {
        for text in [
            "has-scope=1",
            "has-scope=1&assets=all&cases=all&unreferenced=1&endpoints=all",
            "has-scope=1&assets=select&group=16&group=17&cases=select&domain=IT%0D%0AHealth\
             &endpoints=select&endpoint-group=servers",
            "has-scope=1&endpoints=select&endpoint-tag=vip&endpoint-group=a",
            "has-scope=1&assets=none&group=16&has-datasets=1&datasets=all&filters=xdr_data:+a+%3D+1",
        ] {
            let form = form(text);
            assert_eq!(form.scope_faults(), [], "{text}");
            let write = form.scope().unwrap().unwrap();
            let read = form.scope_read(&[]).unwrap();
            assert_eq!(ObservedScope::from(&write), ObservedScope::from(&read), "{text}");
            let again =
                KeyForm { has_scope: true, ..KeyForm::from_key(&form.record(0), Some(&read)) };
            assert_eq!(
                ObservedScope::from(&again.scope().unwrap().unwrap()),
                ObservedScope::from(&write),
                "{text}"
            );
        }
    }

    #[test]
    fn empty_selections_and_filters_without_a_dataset_are_errors() {
        for text in [
            "has-scope=1&assets=select",
            "has-scope=1&cases=select",
            "has-scope=1&endpoints=select",
            "has-scope=1&has-datasets=1&filters=nothing",
        ] {
            assert_eq!(form(text).scope_faults().len(), 1, "{text}");
        }
        assert_eq!(
            form("").faults(0),
            [FormFault::new(FormField::Roles, "choose at least one role")]
        );
    }

    #[test]
    fn faults_are_in_the_order_of_the_form() {
        let all = form("comment=a%00b&has-scope=1&endpoints=select&assets=select&level=ultra");
        let places: Vec<FormField> = all.faults(0).iter().map(|fault| fault.at).collect();
        assert_eq!(
            places,
            [
                FormField::Level,
                FormField::Roles,
                FormField::Comment,
                FormField::Assets,
                FormField::Endpoints
            ]
        );
        for comment in ["a%0D%0Ab", "a%09b", "%C3%A9", ""] {
            assert_eq!(form(&format!("role=Viewer&comment={comment}")).edit_faults(), []);
        }
        for comment in ["a%00b", "a%1Bb", "a%7Fb", "a%C2%85b"] {
            assert_eq!(form(&format!("role=Viewer&comment={comment}")).edit_faults().len(), 1);
        }
    }

    #[test]
    fn words_that_no_browser_sends_are_errors() {
        for text in [
            "role=Viewer&level=ultra",
            "role=Viewer&assets=everything",
            "role=Viewer&cases=All",
            "role=Viewer&endpoints=some",
            "role=Viewer&datasets=select",
            "role=Viewer&has-scope=1&assets=select&group=16&group=x",
        ] {
            assert_eq!(form(text).edit_faults().len(), 1, "{text}");
        }
        assert_eq!(form("role=Viewer&role=+Ops+").roles, ["Viewer", " Ops "]);
    }

    #[test]
    fn a_form_is_as_its_key_whatever_the_order_of_roles() {
        let key = ApiKeyRecord {
            comment: Some(" a\r\nb ".to_owned()),
            ..form("role=Viewer&role=Responder").record(0)
        };
        assert!(form("role=Responder&role=Viewer&comment=a%0D%0Ab").is_as(&key));
        assert!(!form("role=Responder&comment=a%0D%0Ab").is_as(&key));
        assert!(!form("role=Responder&role=Viewer&comment=a").is_as(&key));
        assert!(!form("role=Responder&role=Viewer&comment=a%0D%0Ab&level=standard").is_as(&key));
    }

    #[test]
    fn an_expiration_is_a_date_and_a_time_in_utc() {
        let dated = |text: &str| form(text).expiration_ms(0).ok();
        assert_eq!(
            dated("has-date=1&date=2027-03-01&time=12:30"),
            time_ms("2027-03-01T12:30:00Z").ok()
        );
        assert_eq!(dated("date=2027-03-01"), Some(WEEK_MS));
        assert!(dated("has-date=1&date=1970-01-01&time=00:00").is_none());
        assert!(dated("has-date=1&date=soon").is_none());
        let again = KeyForm::new(1_790_000_000_000, true);
        assert_eq!(
            again.expiration_ms(0).unwrap() / 60_000,
            (1_790_000_000_000 + LIFETIME_MS) / 60_000
        );
    }
}
