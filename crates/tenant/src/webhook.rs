//! Tells another program of each notice, by HTTP POST.
//!
//! It refuses to follow a redirect, to wait for more than a few seconds, and to try for ever.

use core::time::Duration;

use crate::notices::Notification;

const ATTEMPTS: u32 = 3;
const TIME: Duration = Duration::from_secs(5);

/// Where notices go.
pub(crate) struct Webhook {
    url: String,
    agent: ureq::Agent,
}

impl Webhook {
    pub(crate) fn new(url: String) -> Self {
        let config = ureq::Agent::config_builder().max_redirects(0).timeout_global(Some(TIME));
        Self { url, agent: config.build().into() }
    }

    /// Sends one notice; it blocks.
    pub(crate) fn send(&self, notification: &Notification) {
        for attempt in 1..=ATTEMPTS {
            let sent = self.agent.post(&self.url).send_json(notification);
            if sent.is_ok() {
                return;
            }
            if attempt < ATTEMPTS {
                std::thread::sleep(Duration::from_secs(u64::from(attempt)));
            }
        }
    }
}
