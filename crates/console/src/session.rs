//! Access control: one-time tokens in the address, sessions in a cookie, a form token in each form.
//!
//! All three are 256 random bits and are compared in constant time.

use core::fmt;
use core::time::Duration;
use std::time::Instant;

use subtle::ConstantTimeEq as _;
use zeroize::Zeroizing;

/// The cookie of a session.
pub(crate) const COOKIE: &str = "cortexkey_console";
/// More browsers than a user has open at a time.
const SESSIONS_MAX: usize = 16;
/// The idle time after which a session ends.
const IDLE_MAX: Duration = Duration::from_secs(12 * 60 * 60);

/// A secret of 256 random bits in hexadecimal. It is wiped on drop.
#[derive(Clone)]
pub(crate) struct Token(Zeroizing<String>);

impl Token {
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(&mut *bytes)?;
        Ok(Self(Zeroizing::new(hex::encode(*bytes))))
    }

    /// The token itself. Named so that its uses can be found.
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }

    pub(crate) fn is(&self, given: &str) -> bool {
        self.0.as_bytes().ct_eq(given.as_bytes()).into()
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Token")
    }
}

/// A browser's session.
struct Session {
    id: Token,
    form: Token,
    used: Instant,
}

/// Sessions, and the token that waits to start one.
pub(crate) struct Sessions {
    waiting: Option<Token>,
    open: Vec<Session>,
}

/// The result of a one-time token.
pub(crate) enum Entry {
    /// A session started; the value of its cookie.
    Begun(Token),
    /// The token is unknown or was used.
    Refused,
}

impl Sessions {
    /// No sessions, and one waiting token.
    pub(crate) fn new() -> Result<Self, getrandom::Error> {
        Ok(Self { waiting: Some(Token::new()?), open: Vec::new() })
    }

    /// The token that waits to start a session.
    pub(crate) fn waiting(&self) -> Option<&Token> {
        self.waiting.as_ref()
    }

    /// A new token, unless one is already waiting.
    pub(crate) fn renew(&mut self) -> Option<&Token> {
        if self.waiting.is_some() {
            return None;
        }
        self.waiting = Token::new().ok();
        self.waiting.as_ref()
    }

    /// Consumes a one-time token. It starts one session.
    pub(crate) fn enter(&mut self, given: &str) -> Entry {
        if !self.waiting.as_ref().is_some_and(|waiting| waiting.is(given)) {
            return Entry::Refused;
        }
        let (Ok(id), Ok(form)) = (Token::new(), Token::new()) else { return Entry::Refused };
        self.waiting = None;
        self.drop_idle();
        if self.open.len() >= SESSIONS_MAX {
            self.open.remove(0);
        }
        self.open.push(Session { id: id.clone(), form, used: Instant::now() });
        Entry::Begun(id)
    }

    /// The form token of a session, if the cookie names an open one.
    pub(crate) fn form_token(&mut self, cookie: &str) -> Option<Token> {
        self.drop_idle();
        let session = self.open.iter_mut().find(|session| session.id.is(cookie))?;
        session.used = Instant::now();
        Some(session.form.clone())
    }

    /// Whether the session with this form token is open. This call does not prolong it.
    pub(crate) fn is_open(&mut self, form: &Token) -> bool {
        self.drop_idle();
        self.open.iter().any(|session| session.form.is(form.expose()))
    }

    /// Ends the session with this form token.
    pub(crate) fn end(&mut self, form: &Token) {
        self.open.retain(|session| !session.form.is(form.expose()));
    }

    fn drop_idle(&mut self) {
        self.open.retain(|session| session.used.elapsed() < IDLE_MAX);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    #[test]
    fn a_token_begins_one_session() {
        let mut sessions = Sessions::new().unwrap();
        let token = sessions.waiting().unwrap().clone();
        assert!(matches!(sessions.enter(&"0".repeat(64)), Entry::Refused));
        let Entry::Begun(id) = sessions.enter(token.expose()) else { panic!("refused") };
        assert!(matches!(sessions.enter(token.expose()), Entry::Refused));
        let form = sessions.form_token(id.expose()).unwrap();
        assert!(sessions.form_token(form.expose()).is_none());
        sessions.end(&form);
        assert!(sessions.form_token(id.expose()).is_none());
    }

    #[test]
    fn one_token_waits_at_a_time_and_sessions_are_limited() {
        let mut sessions = Sessions::new().unwrap();
        assert!(sessions.renew().is_none());
        let mut ids = Vec::new();
        for _ in 0..=SESSIONS_MAX {
            let token = sessions.waiting().unwrap().clone();
            let Entry::Begun(id) = sessions.enter(token.expose()) else { panic!("refused") };
            ids.push(id);
            assert!(sessions.renew().is_some());
        }
        assert!(sessions.form_token(ids[0].expose()).is_none());
        assert!(sessions.form_token(ids[1].expose()).is_some());
    }
}
