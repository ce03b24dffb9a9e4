//! [`Apply`]: carries out a plan, one key after another.
//!
//! The caller shows the plan and asks for confirmation first. A run can be interrupted anywhere and
//! started again: each step is recorded before the next one, and a step that was not recorded is
//! detected.

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::role::RoleName;
use cortexkey_core::auth::{KeyId, Level};
use cortexkey_manifest::lock::LockedKey;
use thiserror::Error;

use super::lock_file::{LockFile, LockFileError};
use super::renewal::{self, KeyDelivery, RenewError, Renewal};
use crate::plan::{Action, ActionKind, ActionStep, Desired, Plan, locked_host};
use crate::resources::{EditError, KeyEdit, ScopeError};
use crate::sink::Sink;
use crate::transport::{CallError, Client};

/// Carries plans out.
pub struct Apply<'a> {
    /// Calls the tenant, and creates and delivers keys.
    pub renewal: Renewal<'a>,
    /// The sink of new keys; `None` if no action generates one.
    pub sink: Option<&'a Sink>,
    /// The lock file, held.
    pub lock: &'a mut LockFile,
    /// The lock file's name for the tenant.
    pub tenant: &'a str,
    /// The grace period of replaced keys, in milliseconds.
    pub grace_ms: u64,
    /// The time, in milliseconds since 1970.
    pub now_ms: u64,
}

/// Why an action of a plan was not carried out.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ApplyError {
    /// A new key is not in place.
    #[error(transparent)]
    Renew(RenewError),
    /// A call failed.
    #[error(transparent)]
    Call(CallError),
    /// Roles or comment do not match.
    #[error(transparent)]
    Edit(EditError),
    /// The scope does not match.
    #[error(transparent)]
    Scope(ScopeError),
    /// A key cannot be generated, because it has no sink.
    #[error("the new key has no sink")]
    NoSink,
    /// The lock file cannot be written.
    #[error(transparent)]
    Lock(LockFileError),
}

impl Apply<'_> {
    /// Finishes interrupted runs, key by key; a plan is made afterwards. A run that cannot be
    /// finished does not stop the others: its name is returned with the reason.
    pub fn settle(&mut self) -> Vec<(String, ApplyError)> {
        let keys = self.lock.lock().tenants.get(self.tenant);
        let pending = keys.iter().flat_map(|tenant| &tenant.keys);
        let pending = pending.filter(|(_, entry)| entry.pending.is_some());
        let names: Vec<String> = pending.map(|(name, _)| name.clone()).collect();
        let host = self.host();
        let mut failed = Vec::new();
        for name in names {
            let mut entry = self.lock.entry(self.tenant, &name);
            let mut journal = self.lock.journal(self.tenant, &host, &name);
            if let Err(error) = self.renewal.settle(&mut entry, &mut journal) {
                failed.push((name, ApplyError::Renew(error)));
            }
        }
        failed
    }

    /// Carries out one action of the plan.
    pub fn carry_out(&mut self, action: &Action, desired: &[Desired]) -> Result<(), ApplyError> {
        let host = self.host();
        let name = action.key.as_str();
        let desired = desired.iter().find(|key| key.name == name);
        let mut entry = self.lock.entry(self.tenant, name);
        match action.step() {
            ActionStep::Renew(new) => {
                if action.action == ActionKind::Generate {
                    // A key that is gone from the tenant needs no retirement.
                    entry.id = None;
                }
                let sink = self.sink.ok_or(ApplyError::NoSink)?;
                let mut journal = self.lock.journal(self.tenant, &host, name);
                let grace_ms = self.grace_ms;
                let now_ms = self.now_ms;
                let delivery = KeyDelivery { sink, grace_ms, now_ms };
                self.renewal
                    .run(&mut entry, new, &delivery, &mut journal)
                    .map_err(ApplyError::Renew)?;
                if grace_ms == 0 {
                    let retired = self.renewal.retire(&mut entry, now_ms, &mut journal);
                    retired.map_err(ApplyError::Renew)?;
                }
            }
            ActionStep::Edit { roles, comment } => {
                let level = desired.map(|key| key.level);
                self.edit(&entry, roles, level, comment.clone())?;
            }
            ActionStep::Scope(scope) => {
                if let Some(id) = entry.id {
                    self.client().replace_scope(id, scope).map_err(ApplyError::Scope)?;
                }
            }
            ActionStep::Delete(ids) => {
                let ids: Vec<KeyId> = ids.iter().filter_map(|id| KeyId::new(*id)).collect();
                self.client().ensure_deleted(&ids).map_err(ApplyError::Call)?;
                for id in ids {
                    (self.renewal.on_step)(renewal::RenewalStep::Deleted(id));
                }
                return self.record(&host, name, None);
            }
            ActionStep::Retire => {
                let mut journal = self.lock.journal(self.tenant, &host, name);
                let now_ms = self.now_ms;
                return self
                    .renewal
                    .retire(&mut entry, now_ms, &mut journal)
                    .map_err(ApplyError::Renew);
            }
            ActionStep::Forget => return self.record(&host, name, None),
            ActionStep::Nothing => return Ok(()),
        }
        if let (Some(desired), ActionStep::Renew(_) | ActionStep::Scope(_)) =
            (desired, action.step())
        {
            entry.unreferenced = desired.unreferenced();
        }
        self.record(&host, name, Some(entry))
    }

    /// Records that definitions are in place, so that a later difference is drift: those whose
    /// actions were all carried out, and those that needed none.
    pub fn applied<'d>(
        &mut self,
        desired: impl IntoIterator<Item = &'d Desired>,
    ) -> Result<(), ApplyError> {
        let host = self.host();
        for key in desired {
            let mut entry = self.lock.entry(self.tenant, &key.name);
            if entry.id.is_some() && entry.applied.as_deref() != Some(key.digest()) {
                entry.applied = Some(key.digest().to_owned());
                self.record(&host, &key.name, Some(entry))?;
            }
        }
        Ok(())
    }

    fn edit(
        &self,
        entry: &LockedKey,
        roles: &[String],
        level: Option<Level>,
        comment: Option<String>,
    ) -> Result<(), ApplyError> {
        let Some(id) = entry.id else { return Ok(()) };
        let record = self.client().find_key(id).map_err(ApplyError::Call)?;
        // One that disappeared meanwhile is left to the next plan.
        let Some(record) = record else { return Ok(()) };
        let roles = roles.iter().map(RoleName::new).collect();
        // An edit replaces the level too: the definition's, which the plan found unchanged.
        let level = level.map_or(record.security_level, Into::into);
        let edit = KeyEdit { roles, level, comment: CommentEdit::Set(comment) };
        self.client().edit_key(id, &edit).map(|_| ()).map_err(ApplyError::Edit)
    }

    fn record(
        &mut self,
        host: &str,
        name: &str,
        entry: Option<LockedKey>,
    ) -> Result<(), ApplyError> {
        let is_known = self.lock.lock().key(self.tenant, name).is_some();
        if entry.is_none() && !is_known {
            return Ok(());
        }
        self.lock.set(self.tenant, host, name, entry).map_err(ApplyError::Lock)
    }

    fn client(&self) -> &Client {
        self.renewal.client
    }

    fn host(&self) -> String {
        locked_host(self.client().address())
    }
}

impl Plan {
    /// The definitions that need nothing beyond these actions.
    pub fn done<'d>(
        &self,
        desired: &'d [Desired],
        failed: &[&str],
    ) -> impl Iterator<Item = &'d Desired> {
        let refused: Vec<&str> = self
            .actions
            .iter()
            .filter(|action| action.action == ActionKind::Refuse)
            .map(|action| action.key.as_str())
            .chain(failed.iter().copied())
            .collect();
        let refused: Vec<String> = refused.into_iter().map(str::to_owned).collect();
        desired.iter().filter(move |key| !refused.contains(&key.name))
    }
}
