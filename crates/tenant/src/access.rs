//! What a caller may do and see: the one way from the tenant's calls to the core's decisions.
//!
//! It refuses to decide: it asks the core, and turns anything but an *allowed* into a 403 or leaves
//! the thing out.

use cortexkey_api::scope::{AxisMode, Mode, ScopeWrite};
use cortexkey_core::access::{
    AccessKey, Answer, Area, Axis, CasesAndIssues, DatasetScope, Decision, EndpointScope,
    Permission, Question, Rights, Role, Scope, Tenant as Settings, decide,
};

use crate::hidden::Hidden;
use crate::inventory::Inventory;
use crate::refusal::Refusal;

/// A caller's roles and scope, looked up.
pub(crate) struct Access<'a> {
    roles: Vec<Role<'a>>,
    scope: Option<Lent<'a>>,
    settings: Settings,
}

impl<'a> Access<'a> {
    pub(crate) fn new(
        roles: Vec<Role<'a>>,
        scope: Option<&'a ScopeWrite>,
        inventory: &'a Inventory,
        settings: Settings,
    ) -> Self {
        Self { roles, scope: scope.map(|scope| Lent::new(scope, inventory)), settings }
    }

    /// Refuses a caller whose roles are not known to hold a component at a level.
    pub(crate) fn require(&self, name: &str, permission: Permission) -> Result<(), Refusal> {
        self.ask(&Question::Component { name, permission })
    }

    /// Refuses a caller whose roles are not known to hold a named action.
    pub(crate) fn require_action(&self, name: &str) -> Result<(), Refusal> {
        self.ask(&Question::Action { name })
    }

    /// Whether the caller may see a thing.
    pub(crate) fn may_see(&self, question: &Question<'_>) -> bool {
        self.decide(question).answer() == Answer::Allowed
    }

    /// Whether the caller may see a thing; where not, `hidden` keeps why.
    pub(crate) fn sees(&self, name: &str, question: &Question<'_>, hidden: &mut Hidden) -> bool {
        let decision = self.decide(question);
        let allowed = decision.answer() == Answer::Allowed;
        if !allowed {
            hidden.add(|| format!("{name}: {decision}"));
        }
        allowed
    }

    /// Refuses a caller who may not make, change or delete keys with these roles: the
    /// administrators' roles are for administrators.
    pub(crate) fn require_handling(&self, touched: &[Role<'_>]) -> Result<(), Refusal> {
        let protected = |role: &&Role<'_>| role.holds_all;
        let held = Rights(&self.roles);
        if touched.iter().filter(protected).all(|role| held.may_assign(role.name) == Some(true)) {
            return Ok(());
        }
        let remedy = "only a key with the role Instance Administrator gives or takes that role";
        Err(Refusal::forbidden(remedy))
    }

    fn decide<'q>(&'q self, question: &Question<'q>) -> Decision<'q> {
        let scope = self.scope.as_ref().map(Lent::scope);
        decide(&AccessKey { roles: &self.roles, scope }, &self.settings, question)
    }

    fn ask(&self, question: &Question<'_>) -> Result<(), Refusal> {
        let decision = self.decide(question);
        match decision.answer() {
            Answer::Allowed => Ok(()),
            _ => Err(Refusal::forbidden(decision.to_string())),
        }
    }
}

/// A scope as it is kept, with its names as the core borrows them.
struct Lent<'a> {
    kept: &'a ScopeWrite,
    groups: Vec<&'a str>,
    domains: Vec<&'a str>,
    endpoint_groups: Vec<&'a str>,
    endpoint_tags: Vec<&'a str>,
    filters: Vec<(&'a str, &'a str)>,
}

impl<'a> Lent<'a> {
    fn new(kept: &'a ScopeWrite, inventory: &'a Inventory) -> Self {
        let texts = |names: &'a [String]| names.iter().map(String::as_str).collect();
        let group = |id: &u64| inventory.group(*id).map(|group| group.record.name.as_str());
        let rows = kept.datasets_rows.as_ref();
        let filters = rows.map_or(&[][..], |rows| &rows.filters);
        Self {
            kept,
            groups: kept.assets.asset_group_ids.iter().filter_map(group).collect(),
            domains: texts(&kept.cases_issues.names),
            endpoint_groups: texts(&kept.endpoints.endpoint_groups.names),
            endpoint_tags: texts(&kept.endpoints.endpoint_tags.names),
            filters: filters.iter().map(|f| (f.dataset.as_str(), f.filter.as_str())).collect(),
        }
    }

    fn scope(&self) -> Scope<'_> {
        Scope {
            assets: area(self.kept.assets.mode, &self.groups),
            cases_and_issues: CasesAndIssues {
                area: area(self.kept.cases_issues.mode, &self.domains),
                unreferenced: self.kept.cases_issues.include_cases_issues_empty_entities,
            },
            endpoints: EndpointScope {
                groups: axis(self.kept.endpoints.endpoint_groups.mode, &self.endpoint_groups),
                tags: axis(self.kept.endpoints.endpoint_tags.mode, &self.endpoint_tags),
            },
            datasets: self.kept.datasets_rows.as_ref().map(|rows| DatasetScope {
                all: rows.default_filter_mode == Mode::SeeAll,
                filters: &self.filters,
            }),
        }
    }
}

fn area<'a>(mode: Mode, names: &'a [&'a str]) -> Area<'a> {
    match mode {
        Mode::NoScope => Area::None,
        Mode::SeeAll => Area::All,
        Mode::Scope => Area::Select(names),
    }
}

fn axis<'a>(mode: AxisMode, names: &'a [&'a str]) -> Axis<'a> {
    match mode {
        AxisMode::NoScope => Axis::NoScope,
        AxisMode::SeeAll => Axis::SeeAll,
        AxisMode::Any => Axis::Any,
        AxisMode::Scope => Axis::Scope(names),
    }
}
