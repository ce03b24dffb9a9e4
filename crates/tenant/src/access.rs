//! A caller's permissions. The emulator's calls use the core's decisions only through this module.
//! Any answer but *allowed* becomes a 403, or hides the object.

use std::borrow::Cow;

use cortexkey_api::scope::ScopeWrite;
use cortexkey_api::scope_mapping::from_write;
use cortexkey_core::access::{
    AccessKey, Answer, Decision, Permission, Question, Rights, Role, Scope,
    TenantSettings as Settings, decide,
};

use crate::hidden::Hidden;
use crate::inventory::Inventory;
use crate::refusal::Refusal;

/// A caller's roles and scope, looked up.
pub(crate) struct CallerAccess<'a> {
    roles: Vec<Role<Cow<'a, str>>>,
    scope: Option<Scope<Cow<'a, str>>>,
    settings: Settings,
}

impl<'a> CallerAccess<'a> {
    pub(crate) fn new(
        roles: Vec<Role<Cow<'a, str>>>,
        scope: Option<&'a ScopeWrite>,
        inventory: &'a Inventory,
        settings: Settings,
    ) -> Self {
        let group = |id| inventory.group(id).map(|group| group.record.name.as_str());
        Self { roles, scope: scope.map(|scope| from_write(scope, group)), settings }
    }

    /// Refuses a caller whose roles are not known to grant a component at a level.
    pub(crate) fn require(&self, name: &str, permission: Permission) -> Result<(), Refusal> {
        self.ask(&Question::Component { name, permission })
    }

    /// Refuses a caller whose roles are not known to grant a named action.
    pub(crate) fn require_action(&self, name: &str) -> Result<(), Refusal> {
        self.ask(&Question::Action { name })
    }

    /// Whether the caller may see an object.
    pub(crate) fn may_see(&self, question: &Question<'_>) -> bool {
        self.decide(question).answer() == Answer::Allowed
    }

    /// Whether the caller may see an object; otherwise `hidden` records why.
    pub(crate) fn sees(&self, name: &str, question: &Question<'_>, hidden: &mut Hidden) -> bool {
        let decision = self.decide(question);
        let allowed = decision.answer() == Answer::Allowed;
        if !allowed {
            hidden.add(|| format!("{name}: {decision}"));
        }
        allowed
    }

    /// Refuses a caller who may not generate, change or delete keys with these roles: only
    /// administrators may assign the administrators' roles.
    pub(crate) fn require_handling(&self, touched: &[Role<Cow<'_, str>>]) -> Result<(), Refusal> {
        let protected = |role: &&Role<Cow<'_, str>>| role.holds_all;
        let held = Rights(&self.roles);
        if touched.iter().filter(protected).all(|role| held.may_assign(&role.name) == Some(true)) {
            return Ok(());
        }
        let remedy =
            "only a key with the role Instance Administrator may assign or remove that role";
        Err(Refusal::forbidden(remedy))
    }

    fn decide<'q>(&'q self, question: &Question<'q>) -> Decision<'q> {
        let key = AccessKey { roles: &self.roles, scope: self.scope.as_ref() };
        decide(&key, &self.settings, question)
    }

    fn ask(&self, question: &Question<'_>) -> Result<(), Refusal> {
        let decision = self.decide(question);
        match decision.answer() {
            Answer::Allowed => Ok(()),
            _ => Err(Refusal::forbidden(decision.to_string())),
        }
    }
}
