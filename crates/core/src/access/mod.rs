//! What a key may do and see: roles, scopes, decisions.
//!
//! It refuses to guess. A component that nobody listed is *unknown*, and a decision that hangs on
//! it says so. It refuses clocks, I/O and, for an answer, allocation.
//!
//! Roles say what a key may **do** ([`Rights`]); a scope (SBAC) says what it may **see**
//! ([`Scope`]). They are asked apart: whether a key may see a case is a question of its scope,
//! whether it may open cases at all one of the component *Cases and Issues*.
//!
//! ```
//! use cortexkey_core::access::{
//!     AccessKey, Answer, Area, CasesAndIssues, EndpointScope, Question, Reference, Scope, Tenant,
//!     decide,
//! };
//!
//! let scope = Scope {
//!     assets: Area::Select(&["prod-eu"]),
//!     cases_and_issues: CasesAndIssues { area: Area::All, unreferenced: false },
//!     endpoints: EndpointScope::none(),
//!     datasets: None,
//! };
//! let key = AccessKey { roles: &[], scope: Some(scope) };
//! let issue = Question::Issue {
//!     domain: "Posture",
//!     references: &[Reference::Asset { groups: &["prod-us"], endpoint: None }],
//! };
//! let decision = decide(&key, &Tenant::enforcing(), &issue);
//! assert_eq!(decision.answer(), Answer::Refused);
//! assert_eq!(
//!     decision.to_string(),
//!     "refused: cases and issues: all cases and issues let it in; assets: none of its groups \
//!      (prod-us) is among the 1 selected; it would be allowed with: \
//!      asset group prod-us added to the scope"
//! );
//! ```
//!
//! With the feature `serde`, decisions and what they are made of can be written, not read. Names
//! are in `camelCase`, values that are one of a few words in `kebab-case`; the modes of endpoint
//! axes are the product's own, in `snake_case`. Keys and headers cannot be written at all.

#[cfg(feature = "alloc")]
mod compare;
#[cfg(feature = "alloc")]
pub mod compiled;
mod component;
mod decide;
mod filter;
mod grants;
#[cfg(feature = "serde")]
mod json;
mod known;
mod predefined;
mod product;
mod role;
mod scope;
mod trace;

#[cfg(feature = "alloc")]
pub use compare::{Gain, KeyDefinition, Widening, compare};
pub use component::{COMPONENTS, Component, ComponentLevels, Permission, ScopeBypass};
pub use decide::{AccessKey, Question, Reference, Sbac, TagMode, Tenant, decide};
pub use filter::{FILTER_FIELDS, FilterError, FilterOperator, RowFilter};
pub use grants::RoleGrants;
pub use known::{Certainty, Grant, KnownLevel};
pub use predefined::{PREDEFINED_ROLES, PredefinedRole};
pub use product::Product;
pub use role::{Actions, Rights, Role, scope_bypasses};
pub use scope::{
    Area, Axis, BUILT_IN_DOMAINS, CasesAndIssues, DatasetScope, Endpoint, EndpointScope, Scope,
};
pub use trace::{Answer, Change, Decision, Reason, Step, Trace};
