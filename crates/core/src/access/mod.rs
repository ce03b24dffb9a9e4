//! What a key may do and see: roles, scopes, decisions.
//!
//! Roles say what a key may **do** ([`Rights`]); a scope (SBAC) says what it may **see**
//! ([`Scope`]). They are queried separately: whether a key may see a case depends on its scope, and
//! whether it may open cases at all on the component *Cases and Issues*. A component that is not
//! listed is *unknown*, and so is a decision that depends on it: nothing is guessed.
//!
//! Everything that handles roles and scopes uses these types: definitions, the product's JSON,
//! compiled files, plans, the emulator and the C library. [`Text`] explains how they store strings;
//! a decision needs no allocator, clock or I/O.
//!
//! ```
//! use cortexkey_core::access::{
//!     AccessKey, Answer, Area, CasesAndIssues, EndpointScope, Question, Reference, Scope, TenantSettings,
//!     Unreferenced, decide,
//! };
//!
//! let scope = Scope {
//!     assets: Area::select(&["prod-eu"]),
//!     cases_and_issues: CasesAndIssues { area: Area::All, unreferenced: Unreferenced::No },
//!     endpoints: EndpointScope::none(),
//!     datasets: None,
//! };
//! let key = AccessKey { roles: &[], scope: Some(&scope) };
//! let issue = Question::Issue {
//!     domain: "Posture",
//!     references: &[Reference::Asset { groups: &["prod-us"], endpoint: None }],
//! };
//! let decision = decide(&key, &TenantSettings::enforcing(), &issue);
//! assert_eq!(decision.answer(), Answer::Refused);
//! assert_eq!(
//!     decision.to_string(),
//!     "refused: cases and issues: all cases and issues are in scope; assets: none of its groups \
//!      (prod-us) is selected; the scope selects 1 group; it would be allowed with: \
//!      asset group prod-us added to the scope"
//! );
//! ```
//!
//! With the feature `serde`, decisions and their parts can be serialized but not deserialized; only
//! [`AreaMode`] and [`AxisMode`], the product's own words, can be read, too. Names are in
//! `camelCase`, enumerated values in `kebab-case`, and the modes of endpoint axes in `snake_case`.
//! Keys and headers cannot be serialized at all.

/// Copies a view of any string type.
macro_rules! copy {
    ($($view:ident),*) => {$(
        #[expect(clippy::expl_impl_clone_on_copy, reason = "a derive would ask `S: Copy`")]
        impl<S: $crate::access::Text> Clone for $view<'_, S> {
            fn clone(&self) -> Self {
                *self
            }
        }

        impl<S: $crate::access::Text> Copy for $view<'_, S> {}
    )*};
}

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
mod text;
mod trace;

#[cfg(feature = "alloc")]
pub use compare::{Gain, KeyDefinition, Widening, compare};
pub use component::{COMPONENTS, Component, ComponentLevels, Permission, ScopeBypass};
pub use decide::{AccessKey, Question, Reference, Sbac, TagMode, TenantSettings, decide};
pub use filter::{FILTER_FIELDS, FilterError, FilterOperator, RowFilter};
pub use grants::RoleGrants;
pub use known::{Certainty, Grant, KnownLevel};
pub use predefined::{PREDEFINED_ROLES, PredefinedRole};
pub use product::Product;
pub use role::{Actions, Rights, Role, scope_bypasses};
pub use scope::{
    Area, AreaMode, Axis, AxisMode, BUILT_IN_DOMAINS, CasesAndIssues, DatasetScope, Endpoint,
    EndpointMode, EndpointScope, Scope, Unreferenced,
};
pub use text::Text;
pub use trace::{AccessChange, Answer, Decision, Reason, Trace, TraceStep};
