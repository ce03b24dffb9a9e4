//! From a definition and what the policy knows to what the core decides with.
//!
//! It refuses definitions that leave a point open which a decision may hang on, and names the
//! place; all that is wrong with them is the linter's to say. It refuses to guess what a role
//! holds: a role that neither the catalogue nor the product's documents know is unknown.

use std::collections::HashSet;

use cortexkey_core::access::{
    AccessKey, Actions, Area, Axis, CasesAndIssues, Certainty, Component, DatasetScope,
    EndpointScope, Grant, KnownLevel, PredefinedRole, Product, Role, Sbac, Scope, TagMode, Tenant,
};

use crate::definition::{self, Definition, EndpointMode, Mode, RawMode, Unreferenced};
use crate::policy;
use crate::{Field, Span, Spanned, quote};

/// A point of a definition that a decision may hang on and that it leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// Where.
    pub span: Span,
    /// What is open.
    pub message: String,
}

impl Gap {
    fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into() }
    }
}

/// What a key may do and see, as far as its definition and the policy say; owned.
#[derive(Clone, Debug)]
pub struct Access {
    /// Its roles, those that they imply after them.
    pub roles: Vec<HeldRole>,
    /// Its scope.
    pub scope: Option<HeldScope>,
    /// Its tenant.
    pub tenant: TenantFacts,
}

/// A role that a key holds.
#[derive(Clone, Debug)]
pub struct HeldRole {
    /// Its display name.
    pub name: String,
    /// Who describes it.
    pub origin: Origin,
    /// The role that brings it, where the definition does not name it itself.
    pub implied_by: Option<String>,
    /// Whether it is one to give with care.
    pub privileged: bool,
    /// Whether it is meant for machines.
    pub machine: bool,
    /// Whether it holds everything.
    pub holds_all: bool,
    /// The components of which something is known.
    pub grants: Vec<HeldGrant>,
    /// What is known of every other component.
    pub others: KnownLevel,
    /// Its named actions.
    pub actions: HeldActions,
}

/// What is known of a role's named actions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldActions {
    /// Those that it holds.
    pub held: Vec<String>,
    /// Those that it is known not to hold.
    pub lacked: Vec<String>,
    /// Whether `held` is all of them.
    pub is_complete: bool,
}

/// What a role grants on one component.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldGrant {
    /// The component's name in the console.
    pub component: String,
    /// The level, or its bound.
    pub level: KnownLevel,
    /// How certain the level is.
    pub certainty: Certainty,
    /// The title of the document or report that says it; empty for what a policy lists.
    pub source: &'static str,
}

/// Who describes a role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// The policy's catalogue.
    Catalogue,
    /// The product's documents.
    Predefined,
    /// Nobody.
    Unknown,
}

/// The scope of a key.
#[derive(Clone, Debug)]
pub struct HeldScope {
    /// Which assets, by asset group.
    pub assets: Selection,
    /// Which cases and issues, by domain.
    pub cases_and_issues: Selection,
    /// Whether those that reference nothing known are let in. Unknown is decided as no.
    pub unreferenced: Unreferenced,
    /// Which endpoints, by group.
    pub endpoint_groups: EndpointAxis,
    /// Which endpoints, by tag.
    pub endpoint_tags: EndpointAxis,
    /// Which rows of datasets: the default, and filters by dataset.
    pub datasets: Option<(bool, Vec<(String, String)>)>,
}

/// None, all, or what is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selection {
    /// Nothing.
    None,
    /// Everything.
    All,
    /// What is named.
    Select(Vec<String>),
}

/// One axis of the endpoints: the product's mode, and the names that `scope` selects.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EndpointAxis {
    /// The mode.
    pub mode: RawMode,
    /// The names.
    pub names: Vec<String>,
}

/// What is known of a key's tenant.
#[derive(Clone, Debug)]
pub struct TenantFacts {
    /// Its name.
    pub name: Option<String>,
    /// Whether the policy has it.
    pub listed: bool,
    /// Its product.
    pub product: Option<Product>,
    /// How scopes are in that product.
    pub scopes: ScopeModel,
    /// The settings to decide with.
    pub settings: Tenant,
    /// Whether the policy says how tags are matched; else they are taken to be restrictive.
    pub tags_said: bool,
    /// Whether the policy says if there are scopes for rows; else the key's scope settles it.
    pub datasets_said: bool,
}

/// How scopes are in a product.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ScopeModel {
    /// As they are decided here.
    Areas,
    /// There are none: roles alone limit a key.
    NoScopes,
    /// There is an older model, of which nothing is decided here.
    Older,
}

impl Access {
    /// Takes a definition. `catalogue` holds the policy's roles, the nearest layer's first;
    /// `tenant` is the key's tenant by name, with the policy's entry where there is one.
    pub fn of(
        definition: &Definition,
        catalogue: &[&policy::Role],
        tenant: Option<(&str, Option<&policy::Tenant>)>,
    ) -> Result<Self, Gap> {
        let Some(spec) = &definition.spec else {
            return Err(Gap::new(definition.place, "`spec` cannot be read"));
        };
        let scope = match &spec.scope {
            Field::Present { value, .. } => Some(HeldScope::of(&value.value)?),
            Field::Absent | Field::Empty(_) => None,
            Field::Bad(span) => return Err(Gap::new(*span, "`spec.scope` cannot be read")),
        };
        let names = present(&spec.roles, spec.place, "spec.roles")?;
        let mut tenant = facts(tenant);
        if !tenant.datasets_said {
            tenant.settings.datasets = scope.as_ref().is_some_and(|s| s.datasets.is_some());
        }
        let names = names.iter().map(|name| name.value.as_str());
        let roles = HeldRole::all(names, catalogue, tenant.product);
        Ok(Self { roles, scope, tenant })
    }

    /// Lends what [`decide`](cortexkey_core::access::decide) asks for.
    pub fn lend<R>(&self, ask: impl FnOnce(&AccessKey<'_>, &Tenant) -> R) -> R {
        HeldRole::lend(&self.roles, |roles| match &self.scope {
            None => ask(&AccessKey { roles, scope: None }, &self.tenant.settings),
            Some(scope) => scope
                .lend(|scope| ask(&AccessKey { roles, scope: Some(scope) }, &self.tenant.settings)),
        })
    }
}

impl HeldRole {
    /// A role by name: the catalogue's, else a predefined one of the product, else unknown.
    #[must_use]
    pub fn of(name: &str, catalogue: &[&policy::Role], product: Option<Product>) -> Self {
        let listed = catalogue.iter().find(|role| role.name.value == name);
        let predefined = PredefinedRole::by_name(name).filter(|role| may_have(product, role));
        let public = predefined.map_or(Role::unknown(""), |role| role.role_in(product));
        let mut role = Self {
            name: name.to_owned(),
            origin: match (listed, predefined) {
                (Some(_), _) => Origin::Catalogue,
                (None, Some(_)) => Origin::Predefined,
                (None, None) => Origin::Unknown,
            },
            implied_by: None,
            privileged: predefined.is_some_and(|role| role.privileged),
            machine: predefined.is_some_and(|role| role.machine),
            holds_all: public.holds_all,
            grants: Vec::new(),
            others: public.others,
            actions: HeldActions {
                held: texts(public.actions.held),
                lacked: texts(public.actions.lacked),
                is_complete: public.actions.is_complete,
            },
        };
        if let Some(listed) = listed {
            role.list(listed);
        }
        // A catalogue completes what is public of a predefined role.
        for grant in public.grants {
            role.add_missing(HeldGrant {
                component: grant.component.to_owned(),
                level: grant.level,
                certainty: grant.certainty,
                source: grant.source,
            });
        }
        role
    }

    /// Takes over what a catalogue says of the role.
    fn list(&mut self, listed: &policy::Role) {
        self.privileged |= listed.privileged.get() == Some(&true);
        for (name, level) in &listed.components {
            let renamed = Component::renamed(&name.value);
            let itself = renamed.is_empty().then_some(name.value.as_str());
            for component in renamed.iter().copied().chain(itself) {
                self.add_missing(HeldGrant {
                    component: component.to_owned(),
                    level: KnownLevel::exactly(*level),
                    certainty: Certainty::Listed,
                    source: "",
                });
            }
        }
        // An empty list is what a role without `actions` has, too.
        if !listed.actions.is_empty() {
            let held = owned(&listed.actions);
            self.actions = HeldActions { held, lacked: Vec::new(), is_complete: true };
        }
    }

    fn add_missing(&mut self, grant: HeldGrant) {
        if !self.grants.iter().any(|known| known.component == grant.component) {
            self.grants.push(grant);
        }
    }

    /// The roles named, and all that they imply; each once.
    pub fn all<'n>(
        names: impl IntoIterator<Item = &'n str>,
        catalogue: &[&policy::Role],
        product: Option<Product>,
    ) -> Vec<Self> {
        let mut held: Vec<Self> = Vec::new();
        let mut seen: HashSet<&str> = HashSet::new();
        for name in names {
            if seen.insert(name) {
                held.push(Self::of(name, catalogue, product));
            }
        }
        let mut seen: HashSet<String> = seen.into_iter().map(str::to_owned).collect();
        let mut at = 0;
        while let Some(role) = held.get(at) {
            let by = role.name.clone();
            let listed = catalogue.iter().find(|role| role.name.value == by);
            for implied in listed.map_or(&[][..], |role| &role.implies) {
                if seen.insert(implied.value.clone()) {
                    let mut role = Self::of(&implied.value, catalogue, product);
                    role.implied_by = Some(by.clone());
                    held.push(role);
                }
            }
            at += 1;
        }
        held
    }

    /// Lends roles in the core's form.
    pub fn lend<R>(roles: &[Self], ask: impl FnOnce(&[Role<'_>]) -> R) -> R {
        let lists: Vec<Lists<'_>> = roles.iter().map(Lists::of).collect();
        let roles: Vec<Role<'_>> =
            roles.iter().zip(&lists).map(|(r, lists)| r.with(lists)).collect();
        ask(&roles)
    }

    fn with<'r>(&'r self, lists: &'r Lists<'r>) -> Role<'r> {
        Role {
            name: &self.name,
            holds_all: self.holds_all,
            grants: &lists.grants,
            others: self.others,
            actions: Actions {
                held: &lists.held,
                lacked: &lists.lacked,
                is_complete: self.actions.is_complete,
            },
        }
    }
}

/// A role's lists, in the core's form.
struct Lists<'r> {
    grants: Vec<Grant<'r>>,
    held: Vec<&'r str>,
    lacked: Vec<&'r str>,
}

impl<'r> Lists<'r> {
    fn of(role: &'r HeldRole) -> Self {
        let grant = |grant: &'r HeldGrant| Grant {
            component: &grant.component,
            level: grant.level,
            certainty: grant.certainty,
            source: grant.source,
        };
        Self {
            grants: role.grants.iter().map(grant).collect(),
            held: borrowed(&role.actions.held),
            lacked: borrowed(&role.actions.lacked),
        }
    }
}

impl HeldScope {
    /// Takes the scope of a definition.
    pub fn of(scope: &definition::Scope) -> Result<Self, Gap> {
        let assets = present(&scope.assets, scope.place, "scope.assets")?;
        let groups = names(&assets.groups, "assets.groups", |group| group.name.value.clone())?;
        let mode = *present(&assets.mode, assets.place, "scope.assets.mode")?;
        let selected_assets = selection(mode, groups, assets.place, "scope.assets")?;
        let cases = present(&scope.cases, scope.place, "scope.casesAndIssues")?;
        let domains = names(&cases.domains, "casesAndIssues.domains", |name| name.value.clone())?;
        let mode = *present(&cases.mode, cases.place, "scope.casesAndIssues.mode")?;
        let unreferenced = match mode {
            Mode::None => Unreferenced::No,
            _ => *present(&cases.unreferenced, cases.place, "scope.casesAndIssues.unreferenced")?,
        };
        let cases_and_issues = selection(mode, domains, cases.place, "scope.casesAndIssues")?;
        let (endpoint_groups, endpoint_tags) =
            endpoints(present(&scope.endpoints, scope.place, "scope.endpoints")?)?;
        let datasets = match &scope.datasets {
            Field::Absent | Field::Empty(_) => None,
            field => Some(datasets(present(field, scope.place, "scope.datasets")?)?),
        };
        Ok(Self {
            assets: selected_assets,
            cases_and_issues,
            unreferenced,
            endpoint_groups,
            endpoint_tags,
            datasets,
        })
    }

    /// Lends the core's form.
    pub fn lend<R>(&self, ask: impl FnOnce(Scope<'_>) -> R) -> R {
        let (assets, domains) = (self.assets.names(), self.cases_and_issues.names());
        let (groups, tags) =
            (borrowed(&self.endpoint_groups.names), borrowed(&self.endpoint_tags.names));
        let filters: Vec<(&str, &str)> = self
            .datasets
            .iter()
            .flat_map(|(_, filters)| filters)
            .map(|(dataset, filter)| (dataset.as_str(), filter.as_str()))
            .collect();
        ask(Scope {
            assets: self.assets.area(&assets),
            cases_and_issues: CasesAndIssues {
                area: self.cases_and_issues.area(&domains),
                unreferenced: self.unreferenced == Unreferenced::Yes,
            },
            endpoints: EndpointScope {
                groups: self.endpoint_groups.axis(&groups),
                tags: self.endpoint_tags.axis(&tags),
            },
            datasets: self
                .datasets
                .as_ref()
                .map(|(all, _)| DatasetScope { all: *all, filters: &filters }),
        })
    }
}

impl Selection {
    fn names(&self) -> Vec<&str> {
        if let Self::Select(names) = self { borrowed(names) } else { Vec::new() }
    }

    fn area<'a>(&self, names: &'a [&'a str]) -> Area<'a> {
        match self {
            Self::None => Area::None,
            Self::All => Area::All,
            Self::Select(_) => Area::Select(names),
        }
    }
}

impl EndpointAxis {
    fn bare(mode: RawMode) -> Self {
        Self { mode, names: Vec::new() }
    }

    fn axis<'a>(&self, names: &'a [&'a str]) -> Axis<'a> {
        match self.mode {
            RawMode::NoScope => Axis::NoScope,
            RawMode::SeeAll => Axis::SeeAll,
            RawMode::Any => Axis::Any,
            RawMode::Scope => Axis::Scope(names),
        }
    }
}

/// Where the product is not known, or its roles are not published in full, all roles count.
fn may_have(product: Option<Product>, role: &PredefinedRole) -> bool {
    product
        .filter(|product| product.publishes_roles())
        .is_none_or(|product| role.products.contains(&product))
}

fn facts(tenant: Option<(&str, Option<&policy::Tenant>)>) -> TenantFacts {
    let listed = tenant.and_then(|(_, tenant)| tenant);
    let product = listed.and_then(|tenant| tenant.product.get().copied());
    let scopes = match product {
        Some(Product::Xpanse) => ScopeModel::Older,
        Some(product) if !product.has_scopes() => ScopeModel::NoScopes,
        _ => ScopeModel::Areas,
    };
    let said = listed.and_then(|tenant| tenant.sbac.get().copied());
    let tags = listed.and_then(|tenant| tenant.tags.get().copied());
    let datasets = listed.and_then(|tenant| tenant.datasets.get().copied());
    TenantFacts {
        name: tenant.map(|(name, _)| name.to_owned()),
        listed: listed.is_some(),
        product,
        scopes,
        settings: Tenant {
            sbac: match scopes {
                ScopeModel::NoScopes => Sbac::Disabled,
                _ => said.unwrap_or(Sbac::Unknown),
            },
            // Not said: the narrower of the two.
            tags: tags.unwrap_or(TagMode::Restrictive),
            datasets: datasets.unwrap_or(false),
        },
        tags_said: tags.is_some(),
        datasets_said: datasets.is_some(),
    }
}

fn selection(mode: Mode, names: Vec<String>, place: Span, path: &str) -> Result<Selection, Gap> {
    match (mode, names.is_empty()) {
        (Mode::Select, _) => Ok(Selection::Select(names)),
        (Mode::None, true) => Ok(Selection::None),
        (Mode::All, true) => Ok(Selection::All),
        (_, false) => Err(conflict(place, path)),
    }
}

fn conflict(place: Span, path: &str) -> Gap {
    Gap::new(place, format!("`{path}` selects beside a mode that takes no selection"))
}

fn endpoints(endpoints: &definition::Endpoints) -> Result<(EndpointAxis, EndpointAxis), Gap> {
    let place = endpoints.place;
    let groups = names(&endpoints.groups, "endpoints.groups", |name| name.value.clone())?;
    let tags = names(&endpoints.tags, "endpoints.tags", |name| name.value.clone())?;
    let mode = *present(&endpoints.mode, place, "scope.endpoints.mode")?;
    let both = |mode| (EndpointAxis::bare(mode), EndpointAxis::bare(mode));
    let scope = |names| EndpointAxis { mode: RawMode::Scope, names };
    match mode {
        EndpointMode::None | EndpointMode::All if !(groups.is_empty() && tags.is_empty()) => {
            Err(conflict(place, "scope.endpoints"))
        }
        EndpointMode::None => Ok(both(RawMode::NoScope)),
        EndpointMode::All => Ok(both(RawMode::SeeAll)),
        EndpointMode::Select => Ok(match (groups.is_empty(), tags.is_empty()) {
            (false, true) => (scope(groups), EndpointAxis::bare(RawMode::Any)),
            (true, false) => (EndpointAxis::bare(RawMode::Any), scope(tags)),
            _ => (scope(groups), scope(tags)),
        }),
        EndpointMode::Raw => {
            let groups_mode =
                *present(&endpoints.groups_mode, place, "scope.endpoints.groupsMode")?;
            let tags_mode = *present(&endpoints.tags_mode, place, "scope.endpoints.tagsMode")?;
            Ok((
                EndpointAxis { mode: groups_mode, names: groups },
                EndpointAxis { mode: tags_mode, names: tags },
            ))
        }
    }
}

fn datasets(datasets: &definition::Datasets) -> Result<(bool, Vec<(String, String)>), Gap> {
    let default = *present(&datasets.default, datasets.place, "scope.datasets.default")?;
    let mut filters = Vec::new();
    for filter in &datasets.filters {
        let dataset = present(&filter.dataset, datasets.place, "scope.datasets.filters.dataset")?;
        let text = present(&filter.filter, datasets.place, "scope.datasets.filters.filter")?;
        filters.push((dataset.clone(), text.clone()));
    }
    Ok((default == Mode::All, filters))
}

/// The value of a field that a decision hangs on.
fn present<'f, T>(field: &'f Field<T>, place: Span, path: &str) -> Result<&'f T, Gap> {
    match field {
        Field::Present { value, .. } => Ok(&value.value),
        Field::Absent => Err(Gap::new(place, format!("{} is missing", quote(path)))),
        Field::Empty(span) => Err(Gap::new(*span, format!("{} has no value", quote(path)))),
        Field::Bad(span) => Err(Gap::new(*span, format!("{} cannot be read", quote(path)))),
    }
}

/// The names of a list that may be left out.
fn names<T>(
    field: &Field<Vec<T>>,
    path: &str,
    name: impl Fn(&T) -> String,
) -> Result<Vec<String>, Gap> {
    match field {
        Field::Present { value, .. } => Ok(value.value.iter().map(name).collect()),
        Field::Absent | Field::Empty(_) => Ok(Vec::new()),
        Field::Bad(span) => Err(Gap::new(*span, format!("`scope.{path}` cannot be read"))),
    }
}

fn owned(names: &[Spanned<String>]) -> Vec<String> {
    names.iter().map(|name| name.value.clone()).collect()
}

fn borrowed(names: &[String]) -> Vec<&str> {
    names.iter().map(String::as_str).collect()
}

fn texts(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[cfg(test)]
mod tests;
