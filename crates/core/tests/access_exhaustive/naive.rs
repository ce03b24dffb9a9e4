//! The naive evaluator: the access rules in plain loops over owned data.
//!
//! It is deliberately simple, and was written only from the rules. Where the rules are ambiguous, a
//! comment says which reading it uses.

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Sbac {
    On,
    Off,
    Unknown,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Answer {
    Allowed,
    Refused,
    Unknown,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Area {
    None,
    All,
    Select(Vec<String>),
}

impl Area {
    pub(crate) fn names(&self) -> &[String] {
        if let Self::Select(list) = self { list } else { &[] }
    }

    fn has(&self, one: &str) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::Select(list) => list.iter().any(|held| held == one),
        }
    }

    fn has_one_of(&self, some: &[String]) -> bool {
        *self == Self::All || some.iter().any(|one| self.has(one))
    }
}

/// One of the two axes of an endpoint scope.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Axis {
    NoScope,
    SeeAll,
    Any,
    Scope(Vec<String>),
}

impl Axis {
    pub(crate) fn names(&self) -> &[String] {
        if let Self::Scope(list) = self { list } else { &[] }
    }
}

#[derive(Clone, Debug)]
pub(crate) struct Tenant {
    pub sbac: Sbac,
    pub restrictive: bool,
    pub datasets: bool,
}

#[derive(Clone, Debug)]
pub(crate) struct Scope {
    pub assets: Area,
    pub domains: Area,
    pub unreferenced: bool,
    pub groups: Axis,
    pub tags: Axis,
    /// Whether datasets without a filter are visible; `None` if the scope does not set it.
    pub datasets: Option<bool>,
    /// Dataset, field, and the required value.
    pub filters: Vec<(String, String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) struct Endpoint {
    pub groups: Vec<String>,
    pub tags: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Asset {
    pub groups: Vec<String>,
}

#[derive(Clone, Debug)]
pub(crate) struct Issue {
    pub domain: String,
    /// Whether it is on an asset with an agent.
    pub agent: bool,
    /// Only the known ones.
    pub assets: Vec<Asset>,
    /// Only the known ones.
    pub endpoints: Vec<Endpoint>,
}

#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub domain: String,
    pub issues: Vec<Issue>,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub dataset: String,
    pub fields: Vec<(String, String)>,
}

#[derive(Clone, Debug)]
pub(crate) enum Target {
    Asset(Asset),
    /// On this asset.
    Finding(Asset),
    Issue(Issue),
    Case(Case),
    Endpoint(Endpoint),
    Manage(Endpoint),
    Row(Row),
}

pub(crate) fn visible(tenant: &Tenant, scope: Option<&Scope>, target: &Target) -> Answer {
    // Ambiguous: whether scopes are enforced if this is unknown. Narrower: they are.
    if tenant.sbac == Sbac::Off {
        return Answer::Allowed;
    }
    if let Target::Row(row) = target {
        return row_visible(tenant, scope, row);
    }
    // Ambiguous: what a key without a scope sees. Narrower: nothing.
    let Some(scope) = scope else { return Answer::Refused };
    if in_scope(tenant, scope, target) { Answer::Allowed } else { Answer::Refused }
}

fn in_scope(tenant: &Tenant, scope: &Scope, target: &Target) -> bool {
    match target {
        Target::Asset(asset) | Target::Finding(asset) => asset_in(scope, asset),
        Target::Endpoint(endpoint) | Target::Manage(endpoint) => {
            endpoint_in(tenant, scope, endpoint)
        }
        Target::Issue(issue) => issue_in(tenant, scope, issue),
        Target::Case(case) => case_in(tenant, scope, case),
        Target::Row(_) => unreachable!("answered before"),
    }
}

fn asset_in(scope: &Scope, asset: &Asset) -> bool {
    scope.assets.has_one_of(&asset.groups)
}

fn endpoint_in(tenant: &Tenant, scope: &Scope, endpoint: &Endpoint) -> bool {
    let group_fits = match &scope.groups {
        Axis::NoScope => false,
        Axis::SeeAll | Axis::Any => true,
        Axis::Scope(groups) => endpoint.groups.iter().any(|group| groups.contains(group)),
    };
    let tags_fit = match &scope.tags {
        Axis::NoScope => false,
        Axis::SeeAll | Axis::Any => true,
        Axis::Scope(_) if endpoint.tags.is_empty() => false,
        Axis::Scope(tags) if tenant.restrictive => {
            endpoint.tags.iter().all(|tag| tags.contains(tag))
        }
        Axis::Scope(tags) => endpoint.tags.iter().any(|tag| tags.contains(tag)),
    };
    group_fits && tags_fit
}

fn issue_in(tenant: &Tenant, scope: &Scope, issue: &Issue) -> bool {
    if !scope.domains.has(&issue.domain) {
        return false;
    }
    // The documents disagree about an issue of a deleted asset. Narrower: a deleted asset is not a
    // known object, and a known asset of the same issue limits it.
    if issue.assets.is_empty() && issue.endpoints.is_empty() {
        return scope.unreferenced;
    }
    if asks_endpoints(issue) {
        issue.endpoints.iter().any(|one| endpoint_in(tenant, scope, one))
    } else {
        issue.assets.iter().any(|one| asset_in(scope, one))
    }
}

fn asks_endpoints(issue: &Issue) -> bool {
    issue.domain == "Security" && issue.agent
}

fn case_in(tenant: &Tenant, scope: &Scope, case: &Case) -> bool {
    if !scope.domains.has(&case.domain) {
        return false;
    }
    let mut assets = Vec::new();
    let mut endpoints = Vec::new();
    let mut asked_assets = false;
    let mut asked_endpoints = false;
    for issue in &case.issues {
        if issue.assets.is_empty() && issue.endpoints.is_empty() {
            // It references no known object, so no area decides.
        } else if asks_endpoints(issue) {
            asked_endpoints = true;
            endpoints.extend(issue.endpoints.clone());
        } else {
            asked_assets = true;
            assets.extend(issue.assets.clone());
        }
    }
    if !asked_assets && !asked_endpoints {
        return scope.unreferenced;
    }
    let assets_hold = !asked_assets || assets.iter().any(|one| asset_in(scope, one));
    let endpoints_hold =
        !asked_endpoints || endpoints.iter().any(|one| endpoint_in(tenant, scope, one));
    assets_hold && endpoints_hold
}

fn row_visible(tenant: &Tenant, scope: Option<&Scope>, row: &Row) -> Answer {
    // Without scopes for rows, only roles limit them.
    if !tenant.datasets {
        return Answer::Allowed;
    }
    let Some(Scope { datasets: Some(default), filters, .. }) = scope else {
        return Answer::Refused;
    };
    let of_dataset: Vec<_> = filters.iter().filter(|(name, ..)| *name == row.dataset).collect();
    // The mode is the default of datasets without a filter.
    if of_dataset.is_empty() {
        return if *default { Answer::Allowed } else { Answer::Refused };
    }
    let mut answer = Answer::Allowed;
    for (_, field, value) in of_dataset {
        match row.fields.iter().find(|(name, _)| name == field) {
            Some((_, held)) if held == value => {}
            Some(_) => return Answer::Refused,
            // The row lacks the field.
            None => answer = Answer::Unknown,
        }
    }
    answer
}

#[derive(Clone, Debug)]
pub(crate) struct Role {
    /// The possible levels of the components about which something is known: 0 none, 1 view,
    /// 2 edit.
    pub components: Vec<(String, Vec<u8>)>,
    /// The possible levels of every other component.
    pub others: Vec<u8>,
    pub actions: Vec<String>,
    /// Actions that it is known not to hold; `None` if it holds no other action.
    pub lacked: Option<Vec<String>>,
}

/// Tries every combination of possible levels, which must all give the same answer.
pub(crate) fn component(roles: &[Role], name: &str, wanted: u8) -> Answer {
    let mut worlds = vec![0];
    for role in roles {
        let listed = role.components.iter().find(|(held, _)| held == name);
        let levels = listed.map_or(&role.others, |(_, levels)| levels);
        let with = |held: u8| levels.iter().map(move |level| held.max(*level));
        worlds = worlds.iter().flat_map(|held| with(*held)).collect();
    }
    match worlds.iter().filter(|held| **held >= wanted).count() {
        0 => Answer::Refused,
        n if n == worlds.len() => Answer::Allowed,
        _ => Answer::Unknown,
    }
}

pub(crate) fn action(roles: &[Role], name: &str) -> Answer {
    let is = |one: &String| one == name;
    let mut answer = Answer::Refused;
    for role in roles {
        if role.actions.iter().any(is) {
            return Answer::Allowed;
        }
        if role.lacked.as_ref().is_some_and(|lacked| !lacked.iter().any(is)) {
            answer = Answer::Unknown;
        }
    }
    answer
}
