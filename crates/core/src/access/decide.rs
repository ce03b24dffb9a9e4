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
    /// An asset that was deleted.
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
        let (held, sure) = rights.component(name);
        let answer = match (held.unwrap_or(Permission::None) >= wanted, sure) {
            (true, _) => Answer::Allowed,
            (false, true) => Answer::Refused,
            (false, false) => Answer::Unknown,
        };
        // Without a role, nothing is held, and that is known.
        let held = if sure { Some(held.unwrap_or(Permission::None)) } else { held };
        if answer != Answer::Allowed {
            self.trace.change(Change::Component { component: name, permission: wanted });
        }
        self.trace.step("roles", Reason::Component { component: name, held, wanted }, answer)
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
                self.one_asset(&[groups])
            }
            Question::Issue { domain, references } => {
                let domain_answer = self.domain(domain);
                domain_answer.and(self.issue(domain, references))
            }
            Question::Case { domain, issues } => {
                let domain_answer = self.domain(domain);
                domain_answer.and(self.case(issues))
            }
            Question::Endpoint(endpoint) | Question::ManageEndpoint(endpoint) => {
                self.one_endpoint(core::iter::once(endpoint))
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

    /// One of the known references must be visible, each in the area that holds for it.
    fn issue(&mut self, domain: &str, references: &'a [Reference<'a>]) -> Answer {
        if references.contains(&Reference::Deleted) {
            return self.trace.step("assets", Reason::DeletedAsset, Answer::Allowed);
        }
        let mut first = None;
        for reference in references {
            let Some(asked) = Asked::of(domain, reference) else { continue };
            // Each reference is tried on a trace of its own; one that is let in is enough.
            let mut attempt = Judge { trace: self.trace, ..*self };
            let answer = attempt.asked(asked);
            if answer == Answer::Allowed {
                self.trace = attempt.trace;
                return answer;
            }
            first.get_or_insert(attempt.trace);
        }
        match first {
            Some(trace) => {
                self.trace = trace;
                Answer::Refused
            }
            None => self.unreferenced(),
        }
    }

    /// Every area that the issues ask must hold at least one of what they reference there.
    fn case(&mut self, issues: &'a [(&'a str, &'a [Reference<'a>])]) -> Answer {
        let references = || {
            issues.iter().flat_map(|(domain, references)| {
                references.iter().map(move |reference| (*domain, reference))
            })
        };
        let asked = || references().filter_map(|(domain, r)| Asked::of(domain, r));
        let assets = || asked().filter_map(Asked::asset);
        let endpoints = || asked().filter_map(Asked::endpoint);
        if asked().next().is_none() {
            return if references().any(|(_, reference)| *reference == Reference::Deleted) {
                self.trace.step("assets", Reason::DeletedAsset, Answer::Allowed)
            } else {
                self.unreferenced()
            };
        }
        let mut answer = Answer::Allowed;
        if assets().next().is_some() {
            answer = answer.and(self.any_asset(assets()));
        }
        if endpoints().next().is_some() {
            answer = answer.and(self.one_endpoint(endpoints()));
        }
        answer
    }

    fn asked(&mut self, asked: Asked<'a>) -> Answer {
        match asked {
            Asked::Asset(groups) => self.one_asset(&[groups]),
            Asked::Endpoint(endpoint) => self.one_endpoint(core::iter::once(endpoint)),
        }
    }

    fn unreferenced(&mut self) -> Answer {
        let cases = self.scope.cases_and_issues;
        let answer = Answer::of(cases.unreferenced && cases.area != Area::None);
        if answer == Answer::Refused {
            self.trace.change(Change::Unreferenced);
        }
        self.trace.step("cases and issues", Reason::Unreferenced, answer)
    }

    fn one_asset(&mut self, assets: &[&'a [&'a str]]) -> Answer {
        self.any_asset(assets.iter().copied())
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

    /// One of the endpoints must be let in by both axes.
    fn one_endpoint(&mut self, endpoints: impl Iterator<Item = Endpoint<'a>> + Clone) -> Answer {
        let EndpointScope { groups, tags } = self.scope.endpoints;
        let fits = |endpoint: &Endpoint<'a>| {
            groups_fit(groups, endpoint.groups) && tags_fit(tags, endpoint.tags, self.tenant.tags)
        };
        let mut rest = endpoints.clone();
        let Some(shown) = rest.find(fits).or_else(|| {
            let mut all = endpoints;
            all.next()
        }) else {
            return Answer::Refused;
        };
        let by_groups = self.endpoint_groups(groups, shown.groups);
        let by_tags = self.endpoint_tags(tags, shown.tags);
        by_groups.and(by_tags)
    }

    fn endpoint_groups(&mut self, axis: Axis<'a>, groups: &'a [&'a str]) -> Answer {
        let (reason, answer) = match axis {
            Axis::SeeAll | Axis::Any => (Reason::All, Answer::Allowed),
            Axis::NoScope => (Reason::Nothing, Answer::Refused),
            Axis::Scope(selected) => select(selected, core::iter::once(groups)),
        };
        if answer == Answer::Refused {
            let group = groups.first();
            self.trace.change(group.map_or(Change::AllEndpoints, |g| Change::EndpointGroup(g)));
        }
        self.trace.step("endpoints", reason, answer)
    }

    fn endpoint_tags(&mut self, axis: Axis<'a>, tags: &'a [&'a str]) -> Answer {
        // An axis that does not restrict says nothing worth a step.
        let (reason, answer) = match axis {
            Axis::SeeAll | Axis::Any => return Answer::Allowed,
            Axis::NoScope => (Reason::Nothing, Answer::Refused),
            Axis::Scope(_) if tags_fit(axis, tags, self.tenant.tags) => {
                (Reason::TagsFit, Answer::Allowed)
            }
            Axis::Scope(_) => (Reason::TagsDoNotFit { tags }, Answer::Refused),
        };
        if answer == Answer::Refused {
            self.trace.change(match (tags, self.tenant.tags) {
                ([], _) => Change::AllEndpoints,
                (tags, TagMode::Permissive) => Change::EndpointTags(&tags[..1]),
                (tags, TagMode::Restrictive) => Change::EndpointTags(tags),
            });
        }
        self.trace.step("endpoint tags", reason, answer)
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
    /// `None` where the reference leads to nothing known.
    fn of(domain: &str, reference: &Reference<'a>) -> Option<Self> {
        match *reference {
            // Issues of the Security domain on assets with agents go by endpoints.
            Reference::Asset { endpoint: Some(endpoint), .. } if domain == "Security" => {
                Some(Self::Endpoint(endpoint))
            }
            Reference::Asset { groups, .. } => Some(Self::Asset(groups)),
            Reference::Deleted | Reference::Unknown => None,
        }
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
