//! Tells another program of each notice, by HTTP POST.
//!
//! It refuses to follow a redirect, to wait for more than a few seconds, and to try for ever.

use core::time::Duration;

use crate::notices::Notification;

const ATTEMPTS: u32 = 3;
/// The first pause between tries; the second is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
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

    /// Sends one notice; it blocks. Why it was given up, without the address, which may hold a
    /// secret.
    pub(crate) fn send(&self, notification: &Notification) -> Result<(), String> {
        let mut why = String::new();
        for attempt in 1..=ATTEMPTS {
            let sent = self.agent.post(&self.url).send_json(notification);
            why = match sent {
                Ok(_) => return Ok(()),
                Err(ureq::Error::StatusCode(status)) => format!("it answered {status}"),
                Err(ureq::Error::Timeout(_)) => "it did not answer in time".to_owned(),
                Err(_) => "it cannot be reached".to_owned(),
            };
            if attempt < ATTEMPTS {
                std::thread::sleep(PAUSE * attempt);
            }
        }
        Err(format!("{why}; given up after {ATTEMPTS} tries"))
    }
}
