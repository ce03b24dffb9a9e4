//! What a caller may do and see: the one way from the tenant's calls to the core's decisions.
//!
//! It refuses to decide: it asks the core, and turns anything but an *allowed* into a 403 or leaves
//! the thing out.

use cortexkey_core::access::{
    AccessKey, Answer, Permission, Question, Rights, Role, Tenant as Settings, decide,
};

use crate::http::Refusal;

/// A caller's roles, looked up.
pub(crate) struct Access<'a> {
    roles: Vec<Role<'a>>,
    settings: Settings,
}

impl<'a> Access<'a> {
    pub(crate) fn new(roles: Vec<Role<'a>>, settings: Settings) -> Self {
        Self { roles, settings }
    }

    /// Refuses a caller whose roles are not known to hold a component at a level.
    pub(crate) fn require(&self, name: &str, permission: Permission) -> Result<(), Refusal> {
        let key = AccessKey { roles: &self.roles, scope: None };
        let decision = decide(&key, &self.settings, &Question::Component { name, permission });
        match decision.answer() {
            Answer::Allowed => Ok(()),
            _ => Err(Refusal::forbidden(decision.to_string())),
        }
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
        Err(Refusal::forbidden(remedy).with_extra(remedy))
    }
}
