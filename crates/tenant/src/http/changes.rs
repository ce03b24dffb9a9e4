//! Changes of the tenant itself, which no call of the product makes: its clock and its settings.

use cortexkey_core::access::{Sbac, TagMode};

use super::App;
use crate::clock::Clock;
use crate::inspect::Follower;
use crate::settings::{ClockChange, ControlError, ServerSettings};

impl App {
    pub(crate) fn follow(&self) -> Follower {
        Follower::new(self.inspector.follow(), self.stopping.clone())
    }

    /// Changes the clock, stores it on disk if there is one, and creates the notices that are due.
    pub(crate) fn change_clock(&self, change: ClockChange) -> Result<(), ControlError> {
        let Clock::Settable(clock) = &self.clock else { return Err(ControlError::NoSettableClock) };
        let before_ms = clock.now_ms();
        match change {
            ClockChange::NowMs(now_ms) => clock.set(now_ms),
            ClockChange::AdvanceMs(by_ms) => clock.advance(by_ms),
        }
        let now_ms = clock.now_ms();
        if now_ms < before_ms {
            // Parent and children share the clock.
            self.replay.set_back(now_ms)?;
            self.children.values().try_for_each(|child| child.replay.set_back(now_ms))?;
        }
        if let Some(disk) = &self.disk {
            disk.keep_clock(clock)
                .map_err(|error| ControlError::Disk(cortexkey_system::chain(&error)))?;
        }
        self.create_due_notices();
        Ok(())
    }

    pub(crate) fn settings(&self) -> ServerSettings {
        let store = self.store();
        let settings = store.settings;
        let unscoped = store.entries().filter(|entry| entry.scope.is_none());
        ServerSettings {
            has_scopes: store.roles.product().has_scopes(),
            enforce_scopes: settings.sbac == Sbac::Enforced,
            tags: settings.tags,
            scoped_datasets: settings.datasets,
            keys_without_scope: unscoped.map(|entry| entry.record.key_id.get()).collect(),
        }
    }

    /// Changes the settings; `None` leaves one as it is.
    pub(crate) fn change_settings(
        &self,
        enforce_scopes: Option<bool>,
        tags: Option<TagMode>,
    ) -> Result<(), ControlError> {
        let mut store = self.store_mut();
        if enforce_scopes == Some(true) && !store.roles.product().has_scopes() {
            return Err(ControlError::NoScopes);
        }
        if let Some(on) = enforce_scopes {
            store.settings.sbac = if on { Sbac::Enforced } else { Sbac::Disabled };
        }
        if let Some(tags) = tags {
            store.settings.tags = tags;
        }
        Ok(())
    }
}
