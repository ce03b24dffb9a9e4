//! [`decide`] answers a [`Question`] about a key.
//!
//! There is no clock, no I/O and no allocation. Where the product's documents are ambiguous, the
//! narrower reading applies; `docs/access.md` lists those cases.

use super::component::Permission;
use super::filter::RowFilter;
use super::role::{Rights, Role};
use super::scope::{Area, Axis, Endpoint, Scope, Unreferenced};
use super::text::{Text, has};
use super::trace::{AccessChange, Answer, Decision, Reason, Trace};

/// The part of a key that decisions depend on.
#[derive(Debug)]
pub struct AccessKey<'a, S: Text> {
    /// Its roles; its rights are their union.
    pub roles: &'a [Role<S>],
    /// Its scope. Without one it sees nothing if scopes are enforced.
    pub scope: Option<&'a Scope<S>>,
}

copy!(AccessKey);

/// The settings of a tenant that decisions depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct TenantSettings {
    /// Whether scopes are enforced.
    pub sbac: Sbac,
    /// How endpoint tags are matched.
    pub tags: TagMode,
    /// Whether there are scopes for rows of datasets.
    pub datasets: bool,
}

impl TenantSettings {
    /// A tenant that enforces scopes, with permissive tags and without scopes for rows.
    pub const fn enforcing() -> Self {
        Self { sbac: Sbac::Enforced, tags: TagMode::Permissive, datasets: false }
    }
}

/// Whether a tenant enforces scopes. The product's default is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum Sbac {
    /// Scopes are enforced.
    Enforced,
    /// Scopes are stored, without effect.
    Disabled,
    /// Unknown; decided as if they were enforced.
    Unknown,
}

/// How the tags of an endpoint are matched with the selected tags.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize), serde(rename_all = "kebab-case"))]
pub enum TagMode {
    /// One of its tags is enough.
    Permissive,
    /// All of its tags must be selected.
    Restrictive,
}

/// A question about a key.
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
    /// May the key manage an endpoint and its policies, as far as its scope decides?
    ManageEndpoint(Endpoint<'a>),
    /// May the key see a row of a dataset?
    DatasetRow {
        /// The dataset.
        dataset: &'a str,
        /// The row's fields and values, for the filters.
        row: &'a [(&'a str, &'a str)],
    },
}

impl Question<'_> {
    /// Whether the scope answers it, rather than the roles.
    pub const fn is_about_scope(&self) -> bool {
        !matches!(self, Self::Component { .. } | Self::Action { .. })
    }
}

/// What an issue references.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reference<'a> {
    /// An asset of the inventory.
    Asset {
        /// The asset groups that it is in.
        groups: &'a [&'a str],
        /// Its endpoint, if it has an agent.
        endpoint: Option<Endpoint<'a>>,
    },
    /// An asset that was deleted. The documents disagree on whether such an issue needs the switch
    /// for unreferenced issues; here it does, which is the narrower reading.
    Deleted,
    /// An object that no inventory has.
    Unknown,
}

/// Answers a question about a key in a tenant.
pub fn decide<'a, S: Text>(
    key: &AccessKey<'a, S>,
    tenant: &TenantSettings,
    question: &Question<'a>,
) -> Decision<'a> {
    let mut evaluation = Evaluation { tenant: *tenant, scope: key.scope, trace: Trace::new() };
    if question.is_about_scope() && key.scope.is_none() {
        evaluation.trace.step("scope", Reason::NoScope, Answer::Refused);
    }
    let if_enforced = evaluation.answer(Rights(key.roles), question);
    let scopes_off = question.is_about_scope() && tenant.sbac == Sbac::Disabled;
    let answer = if scopes_off { Answer::Allowed } else { if_enforced };
    Decision { answer, if_enforced, scopes_off, trace: evaluation.trace }
}

struct Evaluation<'a, S: Text> {
    tenant: TenantSettings,
    scope: Option<&'a Scope<S>>,
    trace: Trace<'a>,
}

impl<'a, S: Text> Evaluation<'a, S> {
    fn answer(&mut self, rights: Rights<'a, S>, question: &Question<'a>) -> Answer {
        match *question {
            Question::Component { name, permission } => self.component(rights, name, permission),
            Question::Action { name } => self.action(rights, name),
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
        }
    }

    fn component(&mut self, rights: Rights<'a, S>, name: &'a str, wanted: Permission) -> Answer {
        let settled = rights.reaches(name, wanted);
        let answer = settled.map_or(Answer::Unknown, |(reached, _)| Answer::of(reached));
        if answer != Answer::Allowed {
            self.trace.change(AccessChange::Component { component: name, permission: wanted });
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

    fn action(&mut self, rights: Rights<'a, S>, name: &'a str) -> Answer {
        let answer = rights.action(name).map_or(Answer::Unknown, Answer::of);
        if answer != Answer::Allowed {
            self.trace.change(AccessChange::Action(name));
        }
        self.trace.step("roles", Reason::Action { action: name }, answer)
    }

    fn domain(&mut self, domain: &'a str) -> Answer {
        let area = self.scope.map_or(&Area::None, |scope| &scope.cases_and_issues.area);
        let (reason, answer) = match area {
            Area::All => (Reason::All, Answer::Allowed),
            Area::None => (Reason::Nothing, Answer::Refused),
            Area::Select(names) if has(names, domain) => {
                (Reason::Selected { name: domain }, Answer::Allowed)
            }
            Area::Select(_) => (Reason::DomainNotSelected { domain }, Answer::Refused),
        };
        if answer == Answer::Refused {
            self.trace.change(AccessChange::Domain(domain));
        }
        self.trace.step("cases and issues", reason, answer)
    }

    /// Of the objects that the issues reference in an area, at least one must be in scope.
    fn issues(
        &mut self,
        issues: impl Iterator<Item = (&'a str, &'a [Reference<'a>])> + Clone,
    ) -> Answer {
        let requested =
            issues.flat_map(|(domain, references)| RequestedArea::of(domain, references));
        let assets = requested.clone().filter_map(RequestedArea::asset);
        let endpoints = requested.clone().filter_map(RequestedArea::endpoint);
        let mut answer = Answer::Allowed;
        if assets.clone().next().is_some() {
            answer = answer.and(self.any_asset(assets));
        }
        if endpoints.clone().next().is_some() {
            answer = answer.and(self.any_endpoint(endpoints));
        }
        if requested.clone().next().is_some() {
            return answer;
        }
        self.unreferenced()
    }

    fn unreferenced(&mut self) -> Answer {
        let (visible, closed) = self.scope.map_or((false, true), |scope| {
            let cases = &scope.cases_and_issues;
            (cases.unreferenced == Unreferenced::Yes, matches!(cases.area, Area::None))
        });
        let answer = Answer::of(visible && !closed);
        if !visible {
            self.trace.change(AccessChange::Unreferenced);
        }
        self.trace.step("cases and issues", Reason::Unreferenced, answer)
    }

    fn any_asset(&mut self, assets: impl Iterator<Item = &'a [&'a str]> + Clone) -> Answer {
        let (reason, answer) = match self.scope.map_or(&Area::None, |scope| &scope.assets) {
            Area::All => (Reason::All, Answer::Allowed),
            Area::None => (Reason::Nothing, Answer::Refused),
            Area::Select(selected) => select(selected, assets.clone()),
        };
        if answer == Answer::Refused {
            let group = assets.flatten().next();
            self.trace.change(
                group.map_or(AccessChange::AllAssets, |name| AccessChange::AssetGroup(name)),
            );
        }
        self.trace.step("assets", reason, answer)
    }

    /// One of the endpoints must be in both axes. If none is, the trace shows the one that needs
    /// the smallest change.
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

    /// The axes of endpoints: groups and tags.
    fn axes(&self) -> (&'a Axis<S>, &'a Axis<S>) {
        let endpoints = self.scope.map(|scope| &scope.endpoints);
        endpoints.map_or((&Axis::NoScope, &Axis::NoScope), |both| (&both.groups, &both.tags))
    }

    fn endpoint_groups(&mut self, groups: &'a [&'a str]) -> Answer {
        let (reason, answer) = match self.axes().0 {
            Axis::SeeAll | Axis::Any => (Reason::All, Answer::Allowed),
            Axis::NoScope => (Reason::Nothing, Answer::Refused),
            Axis::Scope(selected) => select(selected, core::iter::once(groups)),
        };
        self.trace.step("endpoints", reason, answer)
    }

    fn endpoint_tags(&mut self, tags: &'a [&'a str]) -> Answer {
        let axis = self.axes().1;
        let (reason, answer) = match axis {
            // An axis that does not restrict needs no step.
            Axis::SeeAll | Axis::Any => return Answer::Allowed,
            Axis::NoScope => (Reason::Nothing, Answer::Refused),
            Axis::Scope(_) if tags_match(axis, tags, self.tenant.tags) => {
                (Reason::TagsFit, Answer::Allowed)
            }
            Axis::Scope(_) => (Reason::TagsDoNotFit { tags }, Answer::Refused),
        };
        self.trace.step("endpoint tags", reason, answer)
    }

    /// The changes that would allow an endpoint; `None` if it is allowed.
    fn endpoint_changes(&self, endpoint: &Endpoint<'a>) -> [Option<AccessChange<'a>>; 2] {
        let (groups, tags) = self.axes();
        let ask_group = !groups_match(groups, endpoint.groups);
        let ask_tags = !tags_match(tags, endpoint.tags, self.tenant.tags);
        let group = endpoint.groups.first().map(|name| AccessChange::EndpointGroup(name));
        let tag = match (endpoint.tags, self.tenant.tags) {
            ([], _) => None,
            (tags, TagMode::Permissive) => Some(AccessChange::EndpointTags(&tags[..1])),
            (tags, TagMode::Restrictive) => Some(AccessChange::EndpointTags(tags)),
        };
        let all = Some(AccessChange::AllEndpoints);
        if holds_nothing(groups) && holds_nothing(tags) {
            // Selecting by the first axis leaves the other open.
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
        let scope = self.scope.and_then(|scope| scope.datasets.as_ref());
        let filters = scope.map_or(&[][..], |scope| &scope.filters);
        let mut of_dataset = filters.iter().filter(|(name, _)| **name == *dataset).peekable();
        let (reason, answer) = if of_dataset.peek().is_none() {
            (Reason::DatasetDefault, Answer::of(scope.is_some_and(|scope| scope.all)))
        } else {
            let mut worst = (Reason::DatasetDefault, Answer::Allowed);
            for (_, filter) in of_dataset {
                let matches = RowFilter::parse(filter).ok().and_then(|filter| filter.matches(row));
                let answer = matches.map_or(Answer::Unknown, Answer::of);
                if worst.1.and(answer) != worst.1 || worst.0 == Reason::DatasetDefault {
                    worst = (Reason::DatasetFilter { filter }, worst.1.and(answer));
                }
            }
            worst
        };
        if answer != Answer::Allowed {
            self.trace.change(AccessChange::Dataset(dataset));
        }
        self.trace.step("datasets", reason, answer)
    }
}

/// The area in which a reference is searched.
#[derive(Clone, Copy)]
enum RequestedArea<'a> {
    Asset(&'a [&'a str]),
    Endpoint(Endpoint<'a>),
}

impl<'a> RequestedArea<'a> {
    /// The areas of an issue's references, except those to unknown objects. An issue of the
    /// Security domain on an asset with an agent is decided by endpoints only.
    fn of(
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

/// How much changes widen a scope: all endpoints is more than a group and tags.
fn weight(changes: [Option<AccessChange<'_>>; 2]) -> usize {
    changes.iter().flatten().map(|c| if *c == AccessChange::AllEndpoints { 3 } else { 1 }).sum()
}

fn holds_nothing<S: Text>(axis: &Axis<S>) -> bool {
    match axis {
        Axis::NoScope => true,
        Axis::Scope(names) => names.is_empty(),
        Axis::SeeAll | Axis::Any => false,
    }
}

/// Whether a selection matches objects, each in some groups: one selected group is enough.
fn select<'a, S: Text>(
    selected: &[S],
    mut things: impl Iterator<Item = &'a [&'a str]> + Clone,
) -> (Reason<'a>, Answer) {
    let mut names = things.clone().flatten();
    if let Some(name) = names.find(|name| has(selected, name)) {
        return (Reason::Selected { name }, Answer::Allowed);
    }
    let names = things.find(|groups| !groups.is_empty()).unwrap_or(&[]);
    (Reason::NotSelected { names, selected: selected.len() }, Answer::Refused)
}

fn groups_match<S: Text>(axis: &Axis<S>, groups: &[&str]) -> bool {
    match axis {
        Axis::SeeAll | Axis::Any => true,
        Axis::NoScope => false,
        Axis::Scope(selected) => groups.iter().any(|group| has(selected, group)),
    }
}

fn tags_match<S: Text>(axis: &Axis<S>, tags: &[&str], mode: TagMode) -> bool {
    match (axis, mode) {
        (Axis::SeeAll | Axis::Any, _) => true,
        (Axis::NoScope, _) => false,
        (Axis::Scope(selected), TagMode::Permissive) => tags.iter().any(|tag| has(selected, tag)),
        // An object without tags matches no selection of tags.
        (Axis::Scope(selected), TagMode::Restrictive) => {
            !tags.is_empty() && tags.iter().all(|tag| has(selected, tag))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::access::{DatasetScope, EndpointScope};

    const ENFORCING: TenantSettings = TenantSettings::enforcing();

    #[test]
    fn the_smallest_change_among_endpoints_is_suggested() {
        let scope: Scope<&str> = Scope {
            endpoints: EndpointScope::<&str>::select(&["servers"], &["eu"]),
            ..Scope::NONE
        };
        let key = AccessKey { roles: &[], scope: Some(&scope) };
        let none = Endpoint { groups: &[], tags: &[] };
        let group_and_tag = Endpoint { groups: &["laptops"], tags: &["us"] };
        let group = Endpoint { groups: &["desktops"], tags: &["eu"] };
        let of = |endpoints: [Endpoint<'static>; 2]| {
            let references = endpoints
                .map(|endpoint| Reference::Asset { groups: &[], endpoint: Some(endpoint) });
            let issue = Question::Issue { domain: "Security", references: &references };
            let decision = decide(&key, &ENFORCING, &issue);
            let of_endpoints = |change: &&AccessChange<'_>| {
                !matches!(change, AccessChange::Domain(_) | AccessChange::Unreferenced)
            };
            let changes = decision.trace().changes().filter(of_endpoints).copied();
            changes.map(|change| change_code(&change)).collect::<alloc::vec::Vec<_>>()
        };
        for [one, other, smallest] in [
            [none, group_and_tag, group_and_tag],
            [none, group, group],
            [group_and_tag, group, group],
            [none, none, none],
        ] {
            let wanted = match smallest.groups {
                [] => &["all-endpoints"][..],
                ["laptops"] => &["group laptops", "tags"],
                _ => &["group desktops"],
            };
            assert_eq!(of([one, other]), wanted);
            assert_eq!(of([other, one]), wanted);
        }
    }

    fn change_code(change: &AccessChange<'_>) -> &'static str {
        match change {
            AccessChange::AllEndpoints => "all-endpoints",
            AccessChange::EndpointGroup("laptops") => "group laptops",
            AccessChange::EndpointGroup("desktops") => "group desktops",
            AccessChange::EndpointTags(_) => "tags",
            _ => "other",
        }
    }

    #[test]
    fn the_first_filter_with_the_worst_answer_is_the_reason() {
        let row: &[(&str, &str)] = &[("_vendor", "acme")];
        let reason = |filters: &[(&'static str, &'static str)]| {
            let datasets = Some(DatasetScope { all: true, filters });
            let scope: Scope<&str> = Scope { datasets, ..Scope::NONE };
            let key = AccessKey { roles: &[], scope: Some(&scope) };
            let settings = TenantSettings { datasets: true, ..ENFORCING };
            let question = Question::DatasetRow { dataset: "d", row };
            let decision = decide(&key, &settings, &question);
            let step = decision.trace().steps().next().copied().unwrap();
            match step.reason {
                Reason::DatasetFilter { filter } => (filter.len(), step.answer),
                _ => (0, step.answer),
            }
        };
        let matches = "_vendor = acme";
        let also = "_vendor  =  acme";
        let fails = "_vendor = other";
        let unknown = "_product = x";
        assert_eq!(reason(&[]), (0, Answer::Allowed));
        assert_eq!(reason(&[("e", fails)]), (0, Answer::Allowed));
        assert_eq!(reason(&[("d", matches)]), (matches.len(), Answer::Allowed));
        assert_eq!(reason(&[("d", matches), ("d", also)]), (matches.len(), Answer::Allowed));
        assert_eq!(reason(&[("d", matches), ("d", unknown)]), (unknown.len(), Answer::Unknown));
        assert_eq!(reason(&[("d", unknown), ("d", fails)]), (fails.len(), Answer::Refused));
        assert_eq!(reason(&[("d", fails), ("d", unknown)]), (fails.len(), Answer::Refused));
    }

    #[test]
    fn roles_answer_components_and_actions_and_the_scope_the_rest() {
        let row = Question::DatasetRow { dataset: "d", row: &[] };
        let issue = Question::Issue { domain: "IT", references: &[] };
        let component = Question::Component { name: "Auditing", permission: Permission::View };
        let action = Question::Action { name: "Isolate" };
        assert!(row.is_about_scope() && issue.is_about_scope());
        assert!(!component.is_about_scope() && !action.is_about_scope());
    }
}
