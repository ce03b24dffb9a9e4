//! [`Submissions`]: makes sure that a form takes effect only once.
//!
//! After a second click on a form's button, a browser drops the response to the first one and sends
//! the form again. The second request waits for the first and leads to the same page. Forms that
//! create keys lead to a page that shows the key once (`new_keys`), so that no response that a
//! browser may drop contains a key.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::page_request::Fields;
use crate::response::{Destination, Response};

/// The field with the random number of a form.
pub(crate) const FIELD: &str = "once";
/// How many forms are remembered.
const SUBMISSIONS_MAX: usize = 1000;

/// The forms that were submitted last.
#[derive(Default)]
pub(crate) struct Submissions(Mutex<VecDeque<Submission>>);

struct Submission {
    /// The digest of the number, which may be of any length.
    number: [u8; 32],
    /// Locked while the form is carried out; set once it was.
    done: Arc<Mutex<Option<Done>>>,
}

struct Done {
    fields: [u8; 32],
    destination: Destination,
}

/// The outcome of a form.
pub(crate) enum Submitted {
    /// It was carried out now.
    Now(Response),
    /// It was carried out before, and led to this page.
    Before(Destination),
    /// It was carried out before, but not completely; what it did is unknown.
    Unknown,
}

impl Submissions {
    /// Carries out a form unless it was carried out before.
    pub(crate) fn once(&self, form: &Fields, carry_out: impl FnOnce() -> Response) -> Submitted {
        let Some(number) = form.get(FIELD) else { return Submitted::Now(carry_out()) };
        let done = self.find(number);
        // It panicked while the lock was held.
        let Ok(mut done) = done.lock() else { return Submitted::Unknown };
        let fields = Sha256::digest(form.to_query()).into();
        if let Some(done) = &*done
            // A form that creates a key creates only one, even if its fields were changed in
            // between.
            && (done.fields == fields || done.destination.is_new_key())
        {
            return Submitted::Before(done.destination.clone());
        }
        let response = carry_out();
        // A refused form leads nowhere; its page has a new number.
        let destination = response.extensions().get::<Destination>().cloned();
        if let Some(destination) = destination {
            *done = Some(Done { fields, destination });
        }
        Submitted::Now(response)
    }

    fn find(&self, number: &str) -> Arc<Mutex<Option<Done>>> {
        let number = Sha256::digest(number).into();
        let mut sent = self.lock();
        if let Some(known) = sent.iter().find(|known| known.number == number) {
            return Arc::clone(&known.done);
        }
        if sent.len() >= SUBMISSIONS_MAX {
            sent.pop_front();
        }
        let done = Arc::default();
        sent.push_back(Submission { number, done: Arc::clone(&done) });
        done
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Submission>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use core::cell::Cell;

    use axum::http::StatusCode;
    use axum::response::IntoResponse as _;

    use super::*;
    use crate::response::redirect;

    fn form(fields: &str) -> Fields {
        Fields::parse(fields.as_bytes()).unwrap()
    }

    fn new_key(path: &str) -> Response {
        let mut response = StatusCode::OK.into_response();
        response.extensions_mut().insert(Destination::NewKey(path.to_owned()));
        response
    }

    /// Where a form leads.
    fn path(submitted: Submitted) -> String {
        let destination = match submitted {
            Submitted::Now(response) => response.extensions().get().cloned().unwrap(),
            Submitted::Before(destination) => destination,
            Submitted::Unknown => panic!("unknown"),
        };
        let (Destination::Page(path) | Destination::NewKey(path)) = destination;
        path
    }

    #[test]
    fn a_form_that_succeeded_leads_to_the_same_page_again() {
        let submissions = Submissions::default();
        let runs = Cell::new(0);
        let send = |fields: &str| {
            path(submissions.once(&form(fields), || {
                runs.set(runs.get() + 1);
                redirect(&format!("/{}", runs.get()))
            }))
        };
        assert_eq!([send("once=a&x=1"), send("once=a&x=1")], ["/1", "/1"]);
        // With other values, another number or no number, it is a different form.
        assert_eq!([send("once=a&x=2"), send("once=b&x=1")], ["/2", "/3"]);
        assert_eq!([send("x=1"), send("x=1")], ["/4", "/5"]);
    }

    #[test]
    fn a_form_that_creates_a_key_creates_one() {
        let submissions = Submissions::default();
        assert_eq!(path(submissions.once(&form("once=a&x=1"), || new_key("/1"))), "/1");
        assert_eq!(path(submissions.once(&form("once=a&x=2"), || new_key("/2"))), "/1");
    }

    #[test]
    fn a_refused_form_is_carried_out_again() {
        let submissions = Submissions::default();
        let form = form("once=a");
        let refused = submissions.once(&form, || StatusCode::UNPROCESSABLE_ENTITY.into_response());
        assert!(matches!(refused, Submitted::Now(response) if response.status() == 422));
        assert_eq!(path(submissions.once(&form, || redirect("/"))), "/");
    }

    #[test]
    fn a_form_whose_handler_panicked_is_not_carried_out_again() {
        let submissions = Submissions::default();
        let form = form("once=a");
        let send = || submissions.once(&form, || panic!("it does"));
        assert!(std::panic::catch_unwind(core::panic::AssertUnwindSafe(send)).is_err());
        let again = submissions.once(&form, || redirect("/"));
        assert!(matches!(again, Submitted::Unknown));
    }

    #[test]
    fn a_form_that_is_sent_meanwhile_waits() {
        let submissions = Submissions::default();
        let (started, starts) = std::sync::mpsc::channel();
        let (finish, finishes) = std::sync::mpsc::channel();
        let form = &form("once=a");
        std::thread::scope(|scope| {
            let first = scope.spawn(|| {
                path(submissions.once(form, move || {
                    started.send(()).unwrap();
                    finishes.recv().unwrap();
                    redirect("/first")
                }))
            });
            starts.recv().unwrap();
            let second = scope.spawn(|| path(submissions.once(form, || redirect("/second"))));
            finish.send(()).unwrap();
            assert_eq!([first.join().unwrap(), second.join().unwrap()], ["/first", "/first"]);
        });
    }
}
