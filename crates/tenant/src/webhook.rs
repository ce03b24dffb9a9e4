//! Tells another program of each notice, by HTTP POST, one after the other.
//!
//! A receiver that is slow or away holds up nothing else: notices wait in a queue with a limit, and
//! one that does not fit is given up at once.

use core::time::Duration;
use std::io;

use crate::background::Queue;
use crate::notices::Notification;

const ATTEMPTS: u32 = 3;
/// The first pause between tries; the second is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_secs(5);
/// How many notices wait.
const WAITING_MAX: usize = 100;

/// Where notices go.
pub(crate) struct Webhook(Queue<Notification>);

impl Webhook {
    /// Starts the sender. It calls `given_up` for each notice that was not taken, with the reason and
    /// without the address, which may hold a secret.
    pub(crate) fn new(
        url: String,
        given_up: impl Fn(&Notification, &str) + Send + 'static,
    ) -> io::Result<Self> {
        let config = ureq::Agent::config_builder().max_redirects(0).timeout_global(Some(TIME));
        let agent: ureq::Agent = config.build().into();
        let work = move |notification: Notification, _| {
            if let Err(why) = send(&agent, &url, &notification) {
                given_up(&notification, &why);
            }
        };
        Ok(Self(Queue::new("cortexkey-webhook", WAITING_MAX, work)?))
    }

    /// Queues a notice; why it was given up where too many wait.
    pub(crate) fn send(&self, notification: &Notification) -> Result<(), String> {
        if self.0.add(notification.clone()) {
            Ok(())
        } else {
            Err(format!("{WAITING_MAX} notices wait already"))
        }
    }

    /// Sends nothing more that is not under way.
    pub(crate) fn close(&self) {
        self.0.close(Duration::ZERO);
    }
}

/// Sends one notice; it blocks.
fn send(agent: &ureq::Agent, url: &str, notification: &Notification) -> Result<(), String> {
    let mut why = String::new();
    for attempt in 1..=ATTEMPTS {
        why = match agent.post(url).send_json(notification) {
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
