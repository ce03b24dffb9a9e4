//! Sends each notice to another program, by HTTP POST, one after another.
//!
//! A slow or unreachable receiver delays nothing else: notices wait in a bounded queue, and a
//! notice that does not fit is dropped immediately.

use core::time::Duration;
use std::io;

use thiserror::Error;

use crate::background::Queue;
use crate::notices::Notification;

const ATTEMPTS: u32 = 3;
/// The first pause between attempts; the second is twice as long.
const PAUSE: Duration = Duration::from_millis(500);
const TIME: Duration = Duration::from_secs(5);
/// How many notices may wait.
const WAITING_MAX: usize = 100;

/// Why a notice was not accepted. It does not contain the address, which may contain a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum DeliveryError {
    #[error("{WAITING_MAX} notices are already waiting")]
    QueueFull,
    #[error("{0}; given up after {ATTEMPTS} attempts")]
    Attempts(Attempt),
}

/// How an attempt failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Attempt {
    #[error("it responded with {0}")]
    Status(u16),
    #[error("it did not respond in time")]
    Silent,
    #[error("it could not be reached")]
    Unreachable,
}

/// The destination of notices.
pub(crate) struct Webhook(Queue<Notification>);

impl Webhook {
    /// Starts the sender. It calls `given_up` for each notice that was not accepted, with the
    /// reason and without the address, which may contain a secret.
    pub(crate) fn new(
        url: String,
        given_up: impl Fn(&Notification, DeliveryError) + Send + 'static,
    ) -> io::Result<Self> {
        let config = ureq::Agent::config_builder().max_redirects(0).timeout_global(Some(TIME));
        let agent: ureq::Agent = config.build().into();
        let work = move |notification: Notification, _| {
            if let Err(why) = send(&agent, &url, &notification) {
                given_up(&notification, why);
            }
        };
        Ok(Self(Queue::new("cortexkey-webhook", WAITING_MAX, work)?))
    }

    /// Queues a notice; returns why it is not delivered if too many wait.
    pub(crate) fn send(&self, notification: &Notification) -> Result<(), DeliveryError> {
        if self.0.add(notification.clone()) { Ok(()) } else { Err(DeliveryError::QueueFull) }
    }

    /// Sends nothing more, except what is in progress.
    pub(crate) fn close(&self) {
        self.0.close(Duration::ZERO);
    }
}

/// Sends one notice; it blocks.
fn send(agent: &ureq::Agent, url: &str, notification: &Notification) -> Result<(), DeliveryError> {
    let mut last = Attempt::Unreachable;
    for attempt in 1..=ATTEMPTS {
        last = match agent.post(url).send_json(notification) {
            Ok(_) => return Ok(()),
            Err(ureq::Error::StatusCode(status)) => Attempt::Status(status),
            Err(ureq::Error::Timeout(_)) => Attempt::Silent,
            Err(_) => Attempt::Unreachable,
        };
        if attempt < ATTEMPTS {
            std::thread::sleep(PAUSE * attempt);
        }
    }
    Err(DeliveryError::Attempts(last))
}
