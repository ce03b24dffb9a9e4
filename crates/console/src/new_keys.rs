//! [`NewKeys`]: keys that were generated and wait for the page that shows them, once.
//!
//! The response to the form that generates a key redirects to that page and does not contain the
//! key, because a browser drops the response if the user clicks again. The page itself has nothing
//! to click, so the user sees the response to its request.

use core::time::Duration;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use cortexkey_core::auth::KeyId;
use maud::Markup;
use zeroize::Zeroizing;

use crate::session::Token;

/// More keys than ever wait at a time.
const KEYS_MAX: usize = 16;
/// How long a key waits: a browser asks for it at once.
pub(crate) const WAIT_MAX: Duration = Duration::from_secs(5 * 60);

/// What the page of a new key shows.
pub(crate) struct NewKeyPage {
    pub(crate) id: KeyId,
    /// The key, unless it went to the profile's sink.
    pub(crate) key: Option<Zeroizing<String>>,
    /// The name of that sink.
    pub(crate) sink: Option<String>,
    /// Shown below it.
    pub(crate) more: Markup,
}

struct Waiting {
    ticket: Token,
    /// The form token of its session.
    session: Token,
    since: Instant,
    page: NewKeyPage,
}

/// The keys that wait.
#[derive(Default)]
pub(crate) struct NewKeys(Mutex<Vec<Waiting>>);

impl NewKeys {
    /// Keeps a key until the session asks for it with the ticket.
    pub(crate) fn add(&self, session: &Token, ticket: Token, page: NewKeyPage) {
        let mut waiting = self.lock();
        if waiting.len() >= KEYS_MAX {
            waiting.remove(0);
        }
        let since = Instant::now();
        waiting.push(Waiting { ticket, session: session.clone(), since, page });
    }

    /// Takes the key of a ticket, once, and only for its session.
    pub(crate) fn take(&self, session: &Token, ticket: &str) -> Option<NewKeyPage> {
        let mut waiting = self.lock();
        let is_it = |one: &Waiting| one.ticket.is(ticket) && one.session.is(session.expose());
        let at = waiting.iter().position(is_it)?;
        Some(waiting.remove(at).page)
    }

    /// Drops the keys of a session that has ended.
    pub(crate) fn end(&self, session: &Token) {
        self.lock().retain(|one| !one.session.is(session.expose()));
    }

    /// Drops the keys that nobody asked for.
    pub(crate) fn drop_old(&self) {
        self.lock().retain(|one| one.since.elapsed() < WAIT_MAX);
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Waiting>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use maud::html;

    use super::*;

    fn page(id: u64) -> NewKeyPage {
        NewKeyPage { id: KeyId::new(id).unwrap(), key: None, sink: None, more: html! {} }
    }

    #[test]
    fn a_key_is_given_once_to_its_session() {
        let keys = NewKeys::default();
        let [session, other, ticket] = core::array::from_fn(|_| Token::new().unwrap());
        keys.add(&session, ticket.clone(), page(7));
        assert!(keys.take(&other, ticket.expose()).is_none());
        assert!(keys.take(&session, other.expose()).is_none());
        assert_eq!(keys.take(&session, ticket.expose()).unwrap().id.get(), 7);
        assert!(keys.take(&session, ticket.expose()).is_none());
    }

    #[test]
    fn keys_are_dropped_with_their_session_and_beyond_the_limit() {
        let keys = NewKeys::default();
        let [session, other] = core::array::from_fn(|_| Token::new().unwrap());
        let tickets: Vec<Token> = (0..=KEYS_MAX).map(|_| Token::new().unwrap()).collect();
        for (ticket, id) in tickets.iter().zip(1..) {
            keys.add(if id % 2 == 0 { &session } else { &other }, ticket.clone(), page(id));
        }
        assert!(keys.take(&other, tickets[0].expose()).is_none());
        keys.end(&other);
        assert!(keys.take(&other, tickets[2].expose()).is_none());
        assert!(keys.take(&session, tickets[1].expose()).is_some());
        keys.drop_old();
        assert!(keys.take(&session, tickets[3].expose()).is_some());
    }
}
