//! [`View`]: the inventory in the form of the core's questions.
//!
//! Built once per request, because the core borrows its names.

use cortexkey_core::access::{Endpoint, Question, Reference};

use crate::access::CallerAccess;
use crate::hidden::Hidden;
use crate::inventory::{Case, Inventory, Issue, IssueSubject};

/// The names that scopes use, by the index of each object.
pub(crate) struct View<'a> {
    inventory: &'a Inventory,
    asset_groups: Vec<Vec<&'a str>>,
    endpoint_groups: Vec<Vec<&'a str>>,
    endpoint_tags: Vec<Vec<&'a str>>,
}

impl<'a> View<'a> {
    pub(crate) fn new(inventory: &'a Inventory) -> Self {
        fn texts(names: &[String]) -> Vec<&str> {
            names.iter().map(String::as_str).collect()
        }
        let groups = inventory
            .assets
            .iter()
            .map(|asset| asset.groups.iter().map(|(_, name)| name.as_str()).collect());
        Self {
            inventory,
            asset_groups: groups.collect(),
            endpoint_groups: inventory.endpoints.iter().map(|agent| texts(&agent.groups)).collect(),
            endpoint_tags: inventory.endpoints.iter().map(|agent| texts(&agent.tags)).collect(),
        }
    }

    /// May a key see this asset?
    pub(crate) fn asset(&self, at: usize) -> Question<'_> {
        Question::Asset { groups: self.groups(at) }
    }

    /// May a key see a finding about this asset?
    pub(crate) fn finding(&self, asset: usize) -> Question<'_> {
        Question::Finding { asset_groups: self.groups(asset) }
    }

    /// The endpoint with this index.
    pub(crate) fn endpoint(&self, at: usize) -> Endpoint<'_> {
        Endpoint { groups: &self.endpoint_groups[at], tags: &self.endpoint_tags[at] }
    }

    /// Whether a key sees this issue; otherwise `hidden` records why.
    pub(crate) fn sees_issue(
        &self,
        access: &CallerAccess<'_>,
        issue: &Issue,
        hidden: &mut Hidden,
    ) -> bool {
        let references = self.references(issue);
        let question = Question::Issue { domain: &issue.domain, references: &references };
        access.sees(&format!("issue {}", issue.id), &question, hidden)
    }

    /// Whether a key sees this case; otherwise `hidden` records why.
    pub(crate) fn sees_case(
        &self,
        access: &CallerAccess<'_>,
        case: &Case,
        hidden: &mut Hidden,
    ) -> bool {
        let issues = case.issues.iter().map(|at| &self.inventory.issues[*at]);
        let parts: Vec<_> =
            issues.map(|issue| (issue.domain.as_str(), self.references(issue))).collect();
        let parts: Vec<_> =
            parts.iter().map(|(domain, references)| (*domain, references.as_slice())).collect();
        let question = Question::Case { domain: &case.domain, issues: &parts };
        access.sees(&format!("case {}", case.id), &question, hidden)
    }

    fn references(&self, issue: &Issue) -> Vec<Reference<'_>> {
        let reference = |about: &IssueSubject| match about {
            IssueSubject::Asset(at) => Reference::Asset {
                groups: self.groups(*at),
                endpoint: self.inventory.assets[*at].agent.map(|agent| self.endpoint(agent)),
            },
            IssueSubject::Deleted(_) => Reference::Deleted,
            IssueSubject::Unknown(_) => Reference::Unknown,
        };
        issue.about.iter().map(reference).collect()
    }

    fn groups(&self, asset: usize) -> &[&'a str] {
        &self.asset_groups[asset]
    }
}
