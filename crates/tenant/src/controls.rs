//! [`Controls`]: what `/_cortexkey/` offers, for the program that started the tenant.
//!
//! The calls under `/_cortexkey/` and a console in this process both go through it, so that they
//! cannot differ. [`Control`](crate::Control) limits other programs of this machine, not this one.

use core::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use cortexkey_api::api_keys::GenerateReply;
use cortexkey_core::access::TagMode;
use tokio::runtime::Handle;

use crate::faults::{Fault, FaultError};
use crate::http::{App, make_in_console};
use crate::inspect::Follower;
use crate::log::LogLine;
use crate::notices::Notification;
use crate::settings::{ClockChange, ConsoleKey, ControlError, ServerSettings};

/// Controls a running tenant. Clones control the same tenant.
#[derive(Clone)]
pub struct Controls {
    app: Arc<App>,
    runtime: Handle,
}

impl Controls {
    pub(crate) fn new(app: Arc<App>, runtime: Handle) -> Self {
        Self { app, runtime }
    }

    /// The last requests, at most so many, the earliest first.
    pub fn requests(&self, last: usize) -> Vec<Arc<LogLine>> {
        self.app.inspector.last(last)
    }

    /// The requests from now on.
    pub fn follow(&self) -> Follower {
        self.app.follow()
    }

    /// The notices that keys are about to expire, the earliest first.
    pub fn notifications(&self) -> Vec<Notification> {
        let _inside = self.runtime.enter();
        self.app.create_due_notices();
        self.app.notices().last().cloned().collect()
    }

    /// Whether notices are sent to a webhook. Its address may contain a secret, and is never
    /// returned.
    pub fn has_webhook(&self) -> bool {
        self.app.webhook.get().is_some()
    }

    /// A number that changes with each change of keys, scopes and roles: an equal number means that
    /// nothing changed.
    pub fn changes(&self) -> u64 {
        self.app.changes.load(Ordering::Acquire)
    }

    /// The tenant's time, in milliseconds since 1970.
    pub fn now_ms(&self) -> u64 {
        self.app.clock.now_ms()
    }

    /// Sets the clock, to milliseconds since 1970.
    pub fn set_clock(&self, now_ms: u64) -> Result<(), ControlError> {
        let _inside = self.runtime.enter();
        self.app.change_clock(ClockChange::NowMs(now_ms))
    }

    /// Advances the clock.
    pub fn advance_clock(&self, by_ms: u64) -> Result<(), ControlError> {
        let _inside = self.runtime.enter();
        self.app.change_clock(ClockChange::AdvanceMs(by_ms))
    }

    /// The waiting faults.
    pub fn faults(&self) -> Vec<Fault> {
        self.app.faults.waiting()
    }

    /// Replaces the waiting faults.
    pub fn set_faults(&self, faults: Vec<Fault>) -> Result<(), FaultError> {
        self.app.faults.set(faults)
    }

    /// The server settings.
    pub fn settings(&self) -> ServerSettings {
        self.app.settings()
    }

    /// Turns scopes on or off.
    pub fn enforce_scopes(&self, on: bool) -> Result<(), ControlError> {
        self.app.change_settings(Some(on), None)
    }

    /// Sets how the tags of an endpoint are matched with those of a scope.
    pub fn match_tags(&self, tags: TagMode) -> Result<(), ControlError> {
        self.app.change_settings(None, Some(tags))
    }

    /// Generates a key as the product's dialog does: with any role, and without an expiry if none
    /// is given.
    pub fn generate_key(&self, key: ConsoleKey) -> Result<GenerateReply, ControlError> {
        let made = self.app.change(|store| make_in_console(store, key, self.app.clock.now_ms()));
        made.map_err(|refusal| ControlError::Refused(refusal.to_text()))
    }
}

impl fmt::Debug for Controls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Controls").finish_non_exhaustive()
    }
}
