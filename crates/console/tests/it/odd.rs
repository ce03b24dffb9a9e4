//! A tenant whose answers lack something, or that answers when a test lets it: nothing that was not
//! read is shown as if it were.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};

use cortexkey_client::{ClientOptions, Retry};
use serde_json::{Value, json};

use crate::forms::form;
use crate::site::{Browser, Request, Site, answered, client_with};

/// Changes an answer: its status and its body.
type Change = Box<dyn Fn(&str, u16, Value) -> (u16, Value) + Send>;

/// A tenant in front of the emulator.
#[derive(Clone, Default)]
struct Odd {
    change: Arc<Mutex<Option<Change>>>,
    /// The calls so far, each by its first line.
    calls: Arc<Mutex<Vec<String>>>,
    /// While it is closed, no call is answered.
    gate: Arc<(Mutex<bool>, Condvar)>,
}

impl Odd {
    fn site(&self) -> Site {
        let odd = self.clone();
        Site::start_between(
            move |tenant| {
                let listener = TcpListener::bind("127.0.0.1:0").unwrap();
                let own = format!("http://{}", listener.local_addr().unwrap());
                let behind = tenant.url().strip_prefix("http://").unwrap().to_owned();
                std::thread::spawn(move || {
                    for stream in listener.incoming() {
                        let (odd, behind) = (odd.clone(), behind.clone());
                        std::thread::spawn(move || odd.answer(stream.unwrap(), &behind));
                    }
                });
                let options = ClientOptions { retry: Retry::NEVER, ..ClientOptions::default() };
                client_with(tenant, &own, options)
            },
            |_| {},
        )
    }

    fn answer(&self, mut stream: TcpStream, behind: &str) {
        let Some(request) = Request::read(&stream) else { return };
        let line = request.line().to_owned();
        self.calls.lock().unwrap().push(line.clone());
        let (is_closed, opened) = &*self.gate;
        drop(opened.wait_while(is_closed.lock().unwrap(), |is_closed| *is_closed).unwrap());
        let answer = request.pass_on(behind);
        let body = serde_json::from_str(&answer.body).unwrap_or_default();
        let (status, body) = match &*self.change.lock().unwrap() {
            Some(change) => change(&line, answer.status, body),
            None => (answer.status, body),
        };
        let _ = stream.write_all(answered(status, &body.to_string()).as_bytes());
    }

    fn change(&self, change: impl Fn(&str, u16, Value) -> (u16, Value) + Send + 'static) {
        *self.change.lock().unwrap() = Some(Box::new(change));
    }

    /// Changes each record of a key.
    fn change_keys(&self, change: impl Fn(&mut Value) + Send + 'static) {
        self.change(move |line, status, mut body| {
            if line.contains("/get_api_keys") {
                for key in body["reply"]["DATA"].as_array_mut().into_iter().flatten() {
                    change(key);
                }
            }
            (status, body)
        });
    }

    fn set_closed(&self, closed: bool) {
        *self.gate.0.lock().unwrap() = closed;
        self.gate.1.notify_all();
    }

    fn calls(&self, part: &str) -> usize {
        self.calls.lock().unwrap().iter().filter(|line| line.contains(part)).count()
    }
}

#[test]
fn records_that_cannot_be_read_are_not_shown_as_no_keys() {
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    odd.change_keys(|key| key["security_level"] = json!("quantum"));
    let page = browser.get("/keys?fresh=1").body;
    assert!(page.contains("data-unseen=\"2\""), "{page}");
    assert!(!page.contains("data-none"), "{page}");
    assert!(!browser.get("/notifications").body.contains("data-none"));
    assert_eq!(browser.get("/keys/2").status, 502, "not 404: it may be one of them");
    let file = browser.get("/keys/export?format=csv");
    let name = file.header("content-disposition").unwrap();
    assert!(name.contains("api-keys-incomplete.csv"), "{name}");
}

#[test]
fn a_time_that_the_tenant_does_not_say_is_unknown_and_not_1970() {
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    odd.change_keys(|key| key["creation_time"] = Value::Null);
    for path in ["/keys?fresh=1", "/keys/2", "/keys/export?format=csv"] {
        let page = browser.get(path).body;
        assert!(!page.contains("1970"), "{path}: {page}");
    }
    let until = browser.get("/keys?f.created=2001-01-01&o.created=until").body;
    assert!(!until.contains("<tr data-id"), "{until}");
    let or_empty = browser.get("/keys?f.created=2001-01-01&o.created=until&empty=1").body;
    assert!(or_empty.contains("<tr data-id=\"1\""), "{or_empty}");
}

#[test]
fn an_export_of_keys_that_were_never_read_is_an_error() {
    let odd = Odd::default();
    odd.change(|_, _, body| (403, body));
    let site = odd.site();
    let browser = site.enter();
    let file = browser.get("/keys/export?format=csv");
    assert_eq!((file.status, file.header("content-disposition")), (502, None));
}

#[test]
fn an_old_export_names_its_time() {
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    odd.change(|_, _, body| (403, body));
    browser.get("/keys?fresh=1");
    let file = browser.get("/keys/export?format=tsv");
    let name = file.header("content-disposition").unwrap();
    assert!(name.contains("api-keys-as-of-20"), "{name}");
}

#[test]
fn a_key_whose_scope_may_not_be_read_shows_what_its_roles_allow() {
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    odd.change(
        |line, status, body| if line.contains("/scope/") { (403, body) } else { (status, body) },
    );
    let page = browser.get("/keys/2").body;
    assert!(page.contains("id=\"may-do\""), "{page}");
    assert!(page.contains("data-fault=\"scope\""), "{page}");
    assert!(!page.contains("id=\"may-see\""), "{page}");
    let page = browser.get("/keys/2/rotate").body;
    assert!(page.contains("data-fault=\"scope\""), "{page}");
}

#[test]
fn roles_that_cannot_be_read_are_not_shown_as_all_roles() {
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    assert!(!browser.get("/keys/new").body.contains("data-fault=\"roles\""));
    odd.change(|line, status, body| {
        if line.starts_with("GET /platform/iam/v1/role ") { (403, body) } else { (status, body) }
    });
    browser.get("/keys?fresh=1");
    let page = browser.get("/keys/new").body;
    assert!(page.contains("data-fault=\"roles\""), "{page}");
    assert!(page.contains("value=\"Instance Administrator\""), "{page}");
}

#[test]
fn a_rule_without_a_state_is_not_called_disabled() {
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    odd.change(|line, status, body| {
        let rules = json!({ "data": [{ "name": "r", "forward_type": "audit" }] });
        if line.contains("/list-rules") { (200, rules) } else { (status, body) }
    });
    let page = browser.get("/notifications").body;
    assert!(page.contains("unknown") && !page.contains("disabled"), "{page}");
}

#[test]
fn filling_in_a_form_calls_no_tenant() {
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    for path in ["/keys/new", "/keys/2/edit"] {
        browser.get(path);
        let before = odd.calls("");
        for _ in 0..3 {
            assert_eq!(browser.post(&format!("{path}/check"), &form("1")).status, 200);
        }
        assert_eq!(odd.calls(""), before, "{path}");
    }
}

#[test]
fn filters_do_not_wait_for_the_tenant_and_pages_share_its_answer() {
    const PAGES: usize = 12;
    let odd = Odd::default();
    let site = odd.site();
    let browser = site.enter();
    let lists = || odd.calls("/get_api_keys");
    let before = lists();
    odd.set_closed(true);
    std::thread::scope(|scope| {
        for _ in 0..PAGES {
            scope.spawn(|| browser.get("/keys?fresh=1"));
        }
        while lists() == before {
            std::thread::yield_now();
        }
        // More pages wait than are rendered at a time.
        for _ in 0..PAGES {
            let filtered = browser.live("/keys?f.id=2");
            assert!(filtered.body.contains("<tr data-id=\"2\""), "{}", filtered.body);
        }
        odd.set_closed(false);
    });
    // Entering read them once.
    let reads = (lists() - before) / before;
    assert!(reads <= PAGES / 2, "{reads} reads for {PAGES} pages");
}

/// Waits are shared when the tenant fails, too: otherwise each page waits for a timeout of its own.
#[test]
fn pages_that_wait_share_a_failure() {
    const PAGES: usize = 8;
    let odd = Odd::default();
    let site = odd.site();
    let browser: &Browser<'_> = &site.enter();
    let lists = || odd.calls("/get_api_keys");
    let before = lists();
    odd.change(|_, _, body| (500, body));
    odd.set_closed(true);
    std::thread::scope(|scope| {
        let pages: Vec<_> =
            (0..PAGES).map(|_| scope.spawn(|| browser.get("/keys?fresh=1").body)).collect();
        while lists() == before {
            std::thread::yield_now();
        }
        for _ in 0..PAGES {
            browser.live("/keys");
        }
        odd.set_closed(false);
        for page in pages {
            assert!(page.join().unwrap().contains("data-fault=\"tenant\""));
        }
    });
    assert!(lists() - before <= PAGES / 2, "{} calls for {PAGES} pages", lists() - before);
}
