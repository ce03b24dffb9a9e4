//! [`decide`] answers a [`Question`] about a key.
//!
//! It is pure: no clock, no I/O, no allocation. Where the product's documents leave a point open,
//! it takes the narrower reading; `docs/access.md` lists those.

use super::component::Permission;
use super::filter::RowFilter;
use super::role::{Rights, Role};
use super::scope::{Area, Axis, Endpoint, EndpointScope, Scope};
use super::trace::{Answer, Change, Decision, Reason, Trace};

/// A key, as far as decisions look at it.
#[derive(Clone, Copy, Debug)]
pub struct AccessKey<'a> {
    /// Its roles; its rights are their union.
    pub roles: &'a [Role<'a>],
    /// Its scope. Without one it sees nothing where scopes are enforced.
    pub scope: Option<Scope<'a>>,
}

/// The settings of a tenant that decisions hang on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Tenant {
    /// Whether scopes are enforced.
    pub sbac: Sbac,
    /// How endpoint tags are matched.
    pub tags: TagMode,
    /// Whether there are scopes for rows of datasets.
    pub datasets: bool,
}

impl Tenant {
    /// A tenant that enforces scopes, with tags permissive and no scopes for rows.
    pub const fn enforcing() -> Self {
        Self { sbac: Sbac::Enforced, tags: TagMode::Permissive, datasets: false }
    }
}

/// Whether a tenant enforces scopes. The product's default is that it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Sbac {
    /// They are.
    Enforced,
    /// They are stored, and without effect.
    Disabled,
    /// Nobody said; decided as if they were.
    Unknown,
}

/// How the tags of an endpoint are matched with the selected ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum TagMode {
    /// One of its tags is enough.
    Permissive,
    /// All of its tags must be selected.
    Restrictive,
}

/// What may be asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Question<'a> {
    /// Does the key hold a component at a level?
    Component {
        /// The component's name in the console.
        name: &'a str,
        /// The level.
        permission: Permission,
    },
    /// Does the key hold a named action?
    Action {
        /// The action's name in the console.
        name: &'a str,
    },
    /// May the key see an asset?
    Asset {
        /// The asset groups that it is in.
        groups: &'a [&'a str],
    },
    /// May the key see a finding?
    Finding {
        /// The groups of the asset that it is about.
        asset_groups: &'a [&'a str],
    },
    /// May the key see an issue?
    Issue {
        /// Its domain.
        domain: &'a str,
        /// What it references.
        references: &'a [Reference<'a>],
    },
    /// May the key see a case?
    Case {
        /// Its domain.
        domain: &'a str,
        /// Its issues: the domain of each and what it references.
        issues: &'a [(&'a str, &'a [Reference<'a>])],
    },
    /// May the key see an endpoint?
    Endpoint(Endpoint<'a>),
    /// May the key manage an endpoint and its policies, as far as its scope goes?
    ManageEndpoint(Endpoint<'a>),
    /// May the key see a row of a dataset?
    DatasetRow {
        /// The dataset.
        dataset: &'a str,
        /// The row's fields and values, as far as filters look at them.
        row: &'a [(&'a str, &'a str)],
    },
}

/// What an issue references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// An asset of the inventory.
    Asset {
        /// The asset groups that it is in.
        groups: &'a [&'a str],
        /// Its endpoint, where it has an agent.
        endpoint: Option<Endpoint<'a>>,
    },
    /// An asset that was deleted. The documents disagree on whether such an issue needs the switch
    /// for what references nothing known; here it does, which is the narrower reading.
    Deleted,
    /// Something that no inventory knows.
    Unknown,
}

/// Answers a question about a key in a tenant.
pub fn decide<'a>(key: &AccessKey<'a>, tenant: &Tenant, question: &Question<'a>) -> Decision<'a> {
    let mut judge = Judge { tenant: *tenant, scope: Scope::NONE, trace: Trace::new() };
    let rights = Rights(key.roles);
    let answer = match *question {
        Question::Component { name, permission } => judge.component(rights, name, permission),
        Question::Action { name } => judge.action(rights, name),
        _ => return judge.in_scope(key.scope, question),
    };
    Decision { answer, if_enforced: answer, scopes_off: false, trace: judge.trace }
}

struct Judge<'a> {
    tenant: Tenant,
    scope: Scope<'a>,
    trace: Trace<'a>,
}

impl<'a> Judge<'a> {
    fn component(&mut self, rights: Rights<'a>, name: &'a str, wanted: Permission) -> Answer {
        let settled = rights.reaches(name, wanted);
        let answer = settled.map_or(Answer::Unknown, |(reached, _)| Answer::of(reached));
        if answer != Answer::Allowed {
            self.trace.change(Change::Component { component: name, permission: wanted });
        }
        let reason = Reason::Component {
            component: name,
            held: rights.component(name),
            wanted,
            certainty: settled.map(|(_, certainty)| certainty),
            assumed: rights.assumed(name).filter(|_| settled.is_none()),
        };
        self.trace.step("roles", reason, answer)
    }

    fn action(&mut self, rights: Rights<'a>, name: &'a str) -> Answer {
        let answer = rights.action(name).map_or(Answer::Unknown, Answer::of);
        if answer != Answer::Allowed {
            self.trace.change(Change::Action(name));
        }
        self.trace.step("roles", Reason::Action { action: name }, answer)
    }

    /// A question of what may be seen.
    fn in_scope(mut self, scope: Option<Scope<'a>>, question: &Question<'a>) -> Decision<'a> {
        match scope {
            Some(scope) => self.scope = scope,
            None => {
                self.trace.step("scope", Reason::NoScope, Answer::Refused);
            }
        }
        let if_enforced = match *question {
            Question::Asset { groups } | Question::Finding { asset_groups: groups } => {
                self.any_asset(core::iter::once(groups))
            }
            Question::Issue { domain, references } => {
                let domain_answer = self.domain(domain);
                domain_answer.and(self.issues(core::iter::once((domain, references))))
            }
            Question::Case { domain, issues } => {
                let domain_answer = self.domain(domain);
                domain_answer.and(self.issues(issues.iter().copied()))
            }
            Question::Endpoint(endpoint) | Question::ManageEndpoint(endpoint) => {
                self.any_endpoint(core::iter::once(endpoint))
            }
            Question::DatasetRow { dataset, row } => self.dataset_row(dataset, row),
            // Answered by the roles.
            Question::Component { .. } | Question::Action { .. } => Answer::Unknown,
        };
        let scopes_off = self.tenant.sbac == Sbac::Disabled;
        let answer = if scopes_off { Answer::Allowed } else { if_enforced };
        Decision { answer, if_enforced, scopes_off, trace: self.trace }
    }

    fn domain(&mut self, domain: &'a str) -> Answer {
        let (reason, answer) = match self.scope.cases_and_issues.area {
            Area::All => (Reason::All, Answer::Allowed),
            Area::None => (Reason::Nothing, Answer::Refused),
            Area::Select(names) if names.contains(&domain) => {
                (Reason::Selected { name: domain }, Answer::Allowed)
            }
            Area::Select(_) => (Reason::DomainNotSelected { domain }, Answer::Refused),
        };
        if answer == Answer::Refused {
            self.trace.change(Change::Domain(domain));
        }
        self.trace.step("cases and issues", reason, answer)
    }

    /// Every area that the issues ask must hold at least one of what they reference there; an
    /// issue asked for by itself is the only one.
    fn issues(
        &mut self,
        issues: impl Iterator<Item = (&'a str, &'a [Reference<'a>])> + Clone,
    ) -> Answer {
        let asked = issues.flat_map(|(domain, references)| Asked::by(domain, references));
        let assets = asked.clone().filter_map(Asked::asset);
        let endpoints = asked.clone().filter_map(Asked::endpoint);
        let mut answer = Answer::Allowed;
        if assets.clone().next().is_some() {
            answer = answer.and(self.any_asset(assets));
        }
        if endpoints.clone().next().is_some() {
            answer = answer.and(self.any_endpoint(endpoints));
        }
        if asked.clone().next().is_some() {
            return answer;
        }
        self.unreferenced()
    }

    fn unreferenced(&mut self) -> Answer {
        let cases = self.scope.cases_and_issues;
        let answer = Answer::of(cases.unreferenced && cases.area != Area::None);
        if !cases.unreferenced {
            self.trace.change(Change::Unreferenced);
        }
        self.trace.step("cases and issues", Reason::Unreferenced, answer)
    }

    fn any_asset(&mut self, assets: impl Iterator<Item = &'a [&'a str]> + Clone) -> Answer {
        let (reason, answer) = match self.scope.assets {
            Area::All => (Reason::All, Answer::Allowed),
            Area::None => (Reason::Nothing, Answer::Refused),
            Area::Select(selected) => select(selected, assets.clone()),
        };
        if answer == Answer::Refused {
            let group = assets.flatten().next();
            self.trace.change(group.map_or(Change::AllAssets, |name| Change::AssetGroup(name)));
        }
        self.trace.step("assets", reason, answer)
    }

    /// One of the endpoints must be let in by both axes. Where none is, the one that asks for the
    /// least is shown.
    fn any_endpoint(&mut self, endpoints: impl Iterator<Item = Endpoint<'a>> + Clone) -> Answer {
        let changes = |endpoint: &Endpoint<'a>| self.endpoint_changes(endpoint);
        let Some(shown) = endpoints.min_by_key(|endpoint| weight(changes(endpoint))) else {
            return Answer::Refused;
        };
        for change in changes(&shown).into_iter().flatten() {
            self.trace.change(change);
        }
        let by_groups = self.endpoint_groups(shown.groups);
        let by_tags = self.endpoint_tags(shown.tags);
        by_groups.and(by_tags)
    }

    fn endpoint_groups(&mut self, groups: &'a [&'a str]) -> Answer {
        let (reason, answer) = match self.scope.endpoints.groups {
            Axis::SeeAll | Axis::Any => (Reason::All, Answer::Allowed),
            Axis::NoScope => (Reason::Nothing, Answer::Refused),
            Axis::Scope(selected) => select(selected, core::iter::once(groups)),
        };
        self.trace.step("endpoints", reason, answer)
    }

    fn endpoint_tags(&mut self, tags: &'a [&'a str]) -> Answer {
        let axis = self.scope.endpoints.tags;
        let (reason, answer) = match axis {
            // An axis that does not restrict says nothing worth a step.
            Axis::SeeAll | Axis::Any => return Answer::Allowed,
            Axis::NoScope => (Reason::Nothing, Answer::Refused),
            Axis::Scope(_) if tags_fit(axis, tags, self.tenant.tags) => {
                (Reason::TagsFit, Answer::Allowed)
            }
            Axis::Scope(_) => (Reason::TagsDoNotFit { tags }, Answer::Refused),
        };
        self.trace.step("endpoint tags", reason, answer)
    }

    /// What would let an endpoint in; nothing where it is.
    fn endpoint_changes(&self, endpoint: &Endpoint<'a>) -> [Option<Change<'a>>; 2] {
        let EndpointScope { groups, tags } = self.scope.endpoints;
        let ask_group = !groups_fit(groups, endpoint.groups);
        let ask_tags = !tags_fit(tags, endpoint.tags, self.tenant.tags);
        let group = endpoint.groups.first().map(|name| Change::EndpointGroup(name));
        let tag = match (endpoint.tags, self.tenant.tags) {
            ([], _) => None,
            (tags, TagMode::Permissive) => Some(Change::EndpointTags(&tags[..1])),
            (tags, TagMode::Restrictive) => Some(Change::EndpointTags(tags)),
        };
        let all = Some(Change::AllEndpoints);
        if holds_nothing(groups) && holds_nothing(tags) {
            // What is selected first leaves the other axis open.
            return [group.or(tag).or(all), None];
        }
        if (ask_group && group.is_none()) || (ask_tags && tag.is_none()) {
            return [all, None];
        }
        [group.filter(|_| ask_group), tag.filter(|_| ask_tags)]
    }

    fn dataset_row(&mut self, dataset: &'a str, row: &'a [(&'a str, &'a str)]) -> Answer {
        if !self.tenant.datasets {
            return self.trace.step("datasets", Reason::DatasetsUnscoped, Answer::Allowed);
        }
        let scope = self.scope.datasets.or(Scope::NONE.datasets);
        let filters = scope.map_or(&[][..], |scope| scope.filters);
        let mut of_dataset = filters.iter().filter(|(name, _)| *name == dataset).peekable();
        let (reason, answer) = if of_dataset.peek().is_none() {
            (Reason::DatasetDefault, Answer::of(scope.is_some_and(|scope| scope.all)))
        } else {
            let mut worst = (Reason::DatasetDefault, Answer::Allowed);
            for (_, filter) in of_dataset {
                let fits = RowFilter::parse(filter).ok().and_then(|filter| filter.fits(row));
                let answer = fits.map_or(Answer::Unknown, Answer::of);
                if worst.1.and(answer) != worst.1 || worst.0 == Reason::DatasetDefault {
                    worst = (Reason::DatasetFilter { filter }, worst.1.and(answer));
                }
            }
            worst
        };
        if answer != Answer::Allowed {
            self.trace.change(Change::Dataset(dataset));
        }
        self.trace.step("datasets", reason, answer)
    }
}

/// In which area a reference is looked for.
#[derive(Clone, Copy)]
enum Asked<'a> {
    Asset(&'a [&'a str]),
    Endpoint(Endpoint<'a>),
}

impl<'a> Asked<'a> {
    /// What an issue asks for, leaving out references that lead to nothing known. One of the
    /// Security domain on an asset with an agent goes by endpoints alone.
    fn by(
        domain: &str,
        references: &'a [Reference<'a>],
    ) -> impl Iterator<Item = Self> + Clone + use<'a> {
        let has_agent = |r: &Reference<'_>| matches!(r, Reference::Asset { endpoint: Some(_), .. });
        let by_endpoints = domain == "Security" && references.iter().any(has_agent);
        references.iter().filter_map(move |reference| match *reference {
            Reference::Asset { endpoint, .. } if by_endpoints => endpoint.map(Self::Endpoint),
            Reference::Asset { groups, .. } => Some(Self::Asset(groups)),
            Reference::Deleted | Reference::Unknown => None,
        })
    }

    fn asset(self) -> Option<&'a [&'a str]> {
        match self {
            Self::Asset(groups) => Some(groups),
            Self::Endpoint(_) => None,
        }
    }

    fn endpoint(self) -> Option<Endpoint<'a>> {
        match self {
            Self::Asset(_) => None,
            Self::Endpoint(endpoint) => Some(endpoint),
        }
    }
}

/// How much wider a scope gets by changes: all endpoints are more than a group and tags.
fn weight(changes: [Option<Change<'_>>; 2]) -> usize {
    changes.iter().flatten().map(|c| if *c == Change::AllEndpoints { 3 } else { 1 }).sum()
}

fn holds_nothing(axis: Axis<'_>) -> bool {
    matches!(axis, Axis::NoScope | Axis::Scope([]))
}

/// What a selection says of things, each in some groups: one in a selected group is enough.
fn select<'a>(
    selected: &'a [&'a str],
    mut things: impl Iterator<Item = &'a [&'a str]> + Clone,
) -> (Reason<'a>, Answer) {
    let mut names = things.clone().flatten();
    if let Some(name) = names.find(|name| selected.contains(name)) {
        return (Reason::Selected { name }, Answer::Allowed);
    }
    let names = things.find(|groups| !groups.is_empty()).unwrap_or(&[]);
    (Reason::NotSelected { names, selected: selected.len() }, Answer::Refused)
}

fn groups_fit(axis: Axis<'_>, groups: &[&str]) -> bool {
    match axis {
        Axis::SeeAll | Axis::Any => true,
        Axis::NoScope => false,
        Axis::Scope(selected) => groups.iter().any(|group| selected.contains(group)),
    }
}

fn tags_fit(axis: Axis<'_>, tags: &[&str], mode: TagMode) -> bool {
    match (axis, mode) {
        (Axis::SeeAll | Axis::Any, _) => true,
        (Axis::NoScope, _) => false,
        (Axis::Scope(selected), TagMode::Permissive) => {
            tags.iter().any(|tag| selected.contains(tag))
        }
        // Something without tags fits no selection of tags.
        (Axis::Scope(selected), TagMode::Restrictive) => {
            !tags.is_empty() && tags.iter().all(|tag| selected.contains(tag))
        }
    }
}
