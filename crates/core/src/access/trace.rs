//! [`Decision`]: the answer, the steps behind it, and what would change it.
//!
//! A trace allocates nothing: it has a fixed capacity for the steps of every question.

use core::fmt;

use super::component::Permission;
use super::known::{Certainty, KnownLevel};

/// The answer to a question.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Answer {
    /// Yes.
    Allowed,
    /// No.
    Refused,
    /// It depends on something that is not listed.
    Unknown,
}

impl Answer {
    /// The name in JSON: `allowed`, `refused`, `unknown`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
        }
    }

    /// Allowed only if both are.
    pub(super) const fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Refused, _) | (_, Self::Refused) => Self::Refused,
            (Self::Unknown, _) | (_, Self::Unknown) => Self::Unknown,
            (Self::Allowed, Self::Allowed) => Self::Allowed,
        }
    }

    pub(super) const fn of(allowed: bool) -> Self {
        if allowed { Self::Allowed } else { Self::Refused }
    }
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// One area of the scope, or the roles, and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TraceStep<'a> {
    /// An area of the scope, or `roles`.
    pub subject: &'static str,
    /// The reason for its answer.
    pub reason: Reason<'a>,
    /// Its answer.
    pub answer: Answer,
}

/// The reason for the answer of an area or a component.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Reason<'a> {
    /// How much of a component the roles grant, if known.
    Component {
        /// The component.
        component: &'a str,
        /// The known bounds of the level.
        held: KnownLevel,
        /// The required level.
        wanted: Permission,
        /// How certain the answer is; `None` if it is unknown.
        certainty: Option<Certainty>,
        /// What the documents suggest, if the answer is unknown.
        assumed: Option<KnownLevel>,
    },
    /// Whether the roles grant an action.
    Action {
        /// The action.
        action: &'a str,
    },
    /// Everything in the area is in scope.
    All,
    /// Nothing in the area is in scope.
    Nothing,
    /// The area selects a match.
    Selected {
        /// The match.
        name: &'a str,
    },
    /// The area selects no match.
    NotSelected {
        /// What would match.
        names: &'a [&'a str],
        /// How many the area selects.
        selected: usize,
    },
    /// The domain is not among the selected ones.
    DomainNotSelected {
        /// The domain.
        domain: &'a str,
    },
    /// The endpoint's tags match the selected ones.
    TagsFit,
    /// The endpoint's tags do not match the selected ones.
    TagsDoNotFit {
        /// The endpoint's tags.
        tags: &'a [&'a str],
    },
    /// No known object is referenced; the switch for that is on or off.
    Unreferenced,
    /// The tenant has no scopes for dataset rows.
    DatasetsUnscoped,
    /// The dataset has no filter, so the default applies.
    DatasetDefault,
    /// Whether the row matches the filter of the dataset.
    DatasetFilter {
        /// The filter.
        filter: &'a str,
    },
    /// The key has no scope, so it sees nothing if scopes are enforced.
    NoScope,
}

/// A change that helps to turn a refusal into an allowed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum AccessChange<'a> {
    /// A role that grants the component at this level.
    Component {
        /// The component.
        component: &'a str,
        /// The level.
        permission: Permission,
    },
    /// A role that grants the action.
    Action(&'a str),
    /// The asset group, selected.
    AssetGroup(&'a str),
    /// All assets, because the asset is in no group.
    AllAssets,
    /// The domain, selected.
    Domain(&'a str),
    /// The switch for cases and issues that reference no known object.
    Unreferenced,
    /// The endpoint group, selected.
    EndpointGroup(&'a str),
    /// The endpoint tags, selected.
    EndpointTags(&'a [&'a str]),
    /// All endpoints, because the endpoint has neither a group nor a tag that could be selected.
    AllEndpoints,
    /// A filter that matches the row.
    Dataset(&'a str),
}

/// The steps of a decision, and the changes that would turn a refusal into an allowed answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trace<'a> {
    steps: [Option<TraceStep<'a>>; STEPS_MAX],
    changes: [Option<AccessChange<'a>>; STEPS_MAX],
}

/// The most steps: a case has steps for its domain, its assets, and the groups and tags of its
/// endpoints, with a step for a key without a scope.
const STEPS_MAX: usize = 6;

impl<'a> Trace<'a> {
    pub(super) const fn new() -> Self {
        Self { steps: [None; STEPS_MAX], changes: [None; STEPS_MAX] }
    }

    pub(super) fn step(
        &mut self,
        subject: &'static str,
        reason: Reason<'a>,
        answer: Answer,
    ) -> Answer {
        push(&mut self.steps, TraceStep { subject, reason, answer });
        answer
    }

    pub(super) fn change(&mut self, change: AccessChange<'a>) {
        if !self.changes.contains(&Some(change)) {
            push(&mut self.changes, change);
        }
    }

    /// The steps, in order.
    pub fn steps(&self) -> impl Iterator<Item = &TraceStep<'a>> {
        self.steps.iter().flatten()
    }

    /// The smallest set of changes that would allow it; empty if it is allowed.
    pub fn changes(&self) -> impl Iterator<Item = &AccessChange<'a>> {
        self.changes.iter().flatten()
    }
}

fn push<T>(places: &mut [Option<T>], value: T) {
    let free = places.iter_mut().find(|place| place.is_none());
    debug_assert!(free.is_some(), "a trace has room for every question");
    if let Some(place) = free {
        *place = Some(value);
    }
}

/// The answer to a question, with its reasons.
///
/// Its `Display` is one line for people.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decision<'a> {
    pub(super) answer: Answer,
    pub(super) if_enforced: Answer,
    pub(super) scopes_off: bool,
    pub(super) trace: Trace<'a>,
}

impl<'a> Decision<'a> {
    /// The answer.
    pub fn answer(&self) -> Answer {
        self.answer
    }

    /// What the answer would be if scopes were enforced; it differs only where they are off.
    pub fn if_enforced(&self) -> Answer {
        self.if_enforced
    }

    /// Whether the tenant does not enforce scopes, so that the trace has no effect.
    pub fn scopes_are_off(&self) -> bool {
        self.scopes_off
    }

    /// The steps behind the answer.
    pub fn trace(&self) -> &Trace<'a> {
        &self.trace
    }
}

impl fmt::Display for Decision<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.answer)?;
        if self.scopes_off {
            write!(f, ": scopes are off in this tenant; with scopes on, {}", self.if_enforced)?;
        }
        let mut separator = ": ";
        for step in self.trace.steps() {
            write!(f, "{separator}{}: {}", step.subject, StepText(step))?;
            separator = "; ";
        }
        let mut separator = "; it would be allowed with: ";
        for change in self.trace.changes() {
            write!(f, "{separator}{change}")?;
            separator = ", ";
        }
        Ok(())
    }
}

/// A step in words.
pub(super) struct StepText<'s, 'a>(pub(super) &'s TraceStep<'a>);

impl fmt::Display for StepText<'_, '_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let allowed = self.0.answer == Answer::Allowed;
        match self.0.reason {
            Reason::Component { component, held, wanted, certainty: Some(certainty), .. } => {
                write!(f, "{component} is held at {}; {wanted} is required", LevelText(held))?;
                match certainty {
                    Certainty::Observed => f.write_str(" (observed, not documented)"),
                    _ => Ok(()),
                }
            }
            Reason::Component { component, wanted, assumed, .. } => {
                write!(f, "no source says whether {component} is held at {wanted}")?;
                match assumed {
                    Some(level) => write!(f, "; the documents suggest {}", LevelText(level)),
                    None => Ok(()),
                }
            }
            Reason::Action { action } => match self.0.answer {
                Answer::Allowed => write!(f, "{action} is held"),
                Answer::Refused => write!(f, "{action} is not held"),
                Answer::Unknown => write!(f, "no source says whether {action} is held"),
            },
            Reason::All => write!(f, "all {} are in scope", self.0.subject),
            Reason::Nothing => write!(f, "no {} are in scope", self.0.subject),
            Reason::Selected { name } => write!(f, "{name} is selected"),
            Reason::NotSelected { names: [], .. } => {
                f.write_str("it is in no group that could be selected")
            }
            Reason::NotSelected { names, selected } => {
                f.write_str("none of its groups (")?;
                list(f, names)?;
                let plural = if selected == 1 { "" } else { "s" };
                write!(f, ") is selected; the scope selects {selected} group{plural}")
            }
            Reason::DomainNotSelected { domain } => write!(f, "domain {domain} is not selected"),
            Reason::TagsFit => f.write_str("its tags match"),
            Reason::TagsDoNotFit { tags: [] } => {
                f.write_str("it has no tags, but tags are selected")
            }
            Reason::TagsDoNotFit { tags } => {
                f.write_str("its tags (")?;
                list(f, tags)?;
                f.write_str(") do not match the selected ones")
            }
            Reason::Unreferenced if allowed => {
                f.write_str("what references no known object is in scope")
            }
            Reason::Unreferenced => f.write_str("what references no known object is not in scope"),
            Reason::DatasetsUnscoped => f.write_str("this tenant has no scopes for dataset rows"),
            Reason::DatasetDefault if allowed => f.write_str("all rows are in scope"),
            Reason::DatasetDefault => f.write_str("no rows are in scope"),
            Reason::DatasetFilter { filter } => match self.0.answer {
                Answer::Allowed => write!(f, "the row matches {filter}"),
                Answer::Refused => write!(f, "the row does not match {filter}"),
                Answer::Unknown => write!(f, "it is unknown whether the row matches {filter}"),
            },
            Reason::NoScope => f.write_str("the key has no scope"),
        }
    }
}

/// A level after the word "at".
struct LevelText(KnownLevel);

impl fmt::Display for LevelText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let lowest = self.0.lowest();
        let highest = self.0.highest();
        match self.0.exact() {
            Some(level) => write!(f, "{level}"),
            None if highest == Permission::Edit => write!(f, "{lowest} or higher"),
            None => write!(f, "{highest} at most"),
        }
    }
}

impl fmt::Display for AccessChange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Component { component, permission } => {
                write!(f, "a role that grants {component} at {permission}")
            }
            Self::Action(action) => write!(f, "a role that grants {action}"),
            Self::AssetGroup(name) => write!(f, "asset group {name} added to the scope"),
            Self::AllAssets => f.write_str("all assets in scope"),
            Self::Domain(name) => write!(f, "domain {name} added to the scope"),
            Self::Unreferenced => {
                f.write_str("cases and issues that reference no known object added to the scope")
            }
            Self::EndpointGroup(name) => write!(f, "endpoint group {name} added to the scope"),
            Self::EndpointTags(tags) => {
                f.write_str("endpoint tags ")?;
                list(f, tags)?;
                f.write_str(" added to the scope")
            }
            Self::AllEndpoints => f.write_str("all endpoints in scope"),
            Self::Dataset(name) => write!(f, "a filter for dataset {name} that matches the row"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, names: &[&str]) -> fmt::Result {
    for (i, name) in names.iter().enumerate() {
        write!(f, "{}{name}", if i == 0 { "" } else { ", " })?;
    }
    Ok(())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    /// A decision for each reason in each wording, and for each change.
    pub(crate) fn every_decision() -> Vec<Decision<'static>> {
        let component = |held, certainty, assumed| Reason::Component {
            component: "Auditing",
            held,
            wanted: Permission::Edit,
            certainty,
            assumed,
        };
        let view = KnownLevel::exactly(Permission::View);
        let held = |level| component(level, Some(Certainty::Listed), None);
        let yes = Answer::Allowed;
        let no = Answer::Refused;
        let unknown = Answer::Unknown;
        let action = Reason::Action { action: "Isolate" };
        let filter = Reason::DatasetFilter { filter: "_vendor = acme" };
        let steps = [
            (no, held(view)),
            (no, held(KnownLevel::at_most(Permission::View))),
            (yes, held(KnownLevel::at_least(Permission::View))),
            (yes, component(view, Some(Certainty::Observed), None)),
            (unknown, component(KnownLevel::UNKNOWN, None, None)),
            (unknown, component(KnownLevel::UNKNOWN, None, Some(view))),
            (yes, action),
            (no, action),
            (unknown, action),
            (yes, Reason::All),
            (no, Reason::Nothing),
            (yes, Reason::Selected { name: "prod" }),
            (no, Reason::NotSelected { names: &[], selected: 1 }),
            (no, Reason::NotSelected { names: &["a"], selected: 1 }),
            (no, Reason::NotSelected { names: &["a", "b"], selected: 2 }),
            (no, Reason::DomainNotSelected { domain: "IT" }),
            (yes, Reason::TagsFit),
            (no, Reason::TagsDoNotFit { tags: &[] }),
            (no, Reason::TagsDoNotFit { tags: &["a", "b"] }),
            (yes, Reason::Unreferenced),
            (no, Reason::Unreferenced),
            (yes, Reason::DatasetsUnscoped),
            (yes, Reason::DatasetDefault),
            (no, Reason::DatasetDefault),
            (yes, filter),
            (no, filter),
            (unknown, filter),
            (no, Reason::NoScope),
        ];
        let changes = [
            AccessChange::Component { component: "Auditing", permission: Permission::Edit },
            AccessChange::Action("Isolate"),
            AccessChange::AssetGroup("a"),
            AccessChange::AllAssets,
            AccessChange::Domain("IT"),
            AccessChange::Unreferenced,
            AccessChange::EndpointGroup("a"),
            AccessChange::EndpointTags(&["a", "b"]),
            AccessChange::AllEndpoints,
            AccessChange::Dataset("xdr_data"),
        ];
        let of_step = steps.map(|(answer, reason)| {
            let mut trace = Trace::new();
            trace.step("things", reason, answer);
            Decision { answer, if_enforced: answer, scopes_off: false, trace }
        });
        let of_change = changes.map(|change| {
            let mut trace = Trace::new();
            trace.change(change);
            Decision { answer: no, if_enforced: no, scopes_off: false, trace }
        });
        of_step.into_iter().chain(of_change).collect()
    }

    #[test]
    fn every_reason_and_change_has_its_own_words() {
        let lines: Vec<_> = every_decision().iter().map(Decision::to_string).collect();
        insta::assert_snapshot!(lines.join("\n"));
        for (i, line) in lines.iter().enumerate() {
            assert!(!lines[..i].contains(line), "{line}");
        }
    }

    #[test]
    fn scopes_that_are_off_are_said_with_what_would_be() {
        let mut off = Decision {
            answer: Answer::Allowed,
            if_enforced: Answer::Refused,
            scopes_off: true,
            trace: Trace::new(),
        };
        assert!(off.scopes_are_off());
        insta::assert_snapshot!(off.to_string());
        off.scopes_off = false;
        assert!(!off.scopes_are_off());
        assert_eq!(off.to_string(), "allowed");
    }
}
