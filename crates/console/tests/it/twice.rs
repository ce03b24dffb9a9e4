//! A form that is sent twice, as a double click without the script does: the browser drops the
//! response to the first request and shows that to the second.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use cortexkey_tenant::{Fault, FaultKind};

use crate::forms::{form, secret, site};
use crate::site::{Browser, Site, client};

const GENERATE: &str = "/public_api/v1/api_keys/generate";

/// A form, as a browser sends it.
fn request(browser: &Browser<'_>, path: &str, fields: &str) -> Vec<u8> {
    let host = &browser.site.host;
    let body = format!("token={}&{fields}", browser.token);
    format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nCookie: {}\r\nOrigin: http://{host}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        browser.cookie,
        body.len()
    )
    .into_bytes()
}

/// Sends a form and closes the connection: immediately, when the response begins, or when it is
/// complete.
#[derive(Clone, Copy, Debug)]
enum HangUp {
    AtOnce,
    AtItsFirstByte,
    AfterIt,
}

fn send_and_drop(browser: &Browser<'_>, path: &str, fields: &str, when: HangUp) -> String {
    let port = browser.site.host.rsplit(':').next().unwrap();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.write_all(&request(browser, path, fields)).unwrap();
    let mut read = vec![0; 64 * 1024];
    let count = match when {
        HangUp::AtOnce => 0,
        HangUp::AtItsFirstByte => stream.read(&mut read[..1]).unwrap(),
        HangUp::AfterIt => stream.read(&mut read).unwrap(),
    };
    let _ = stream.shutdown(Shutdown::Both);
    String::from_utf8_lossy(&read[..count]).into_owned()
}

fn count(site: &Site) -> usize {
    client(&site.tenant).all_keys(&[]).unwrap().len()
}

/// Generating takes this long.
fn slow(site: &Site) {
    let kind = FaultKind::Slow { delay_ms: 300 };
    let fault = Fault { path: GENERATE.to_owned(), times: None, ..Fault::new(kind) };
    site.tenant.set_faults(vec![fault]).unwrap();
}

#[test]
fn the_second_request_leads_to_the_key_of_the_first() {
    for when in [HangUp::AtOnce, HangUp::AtItsFirstByte, HangUp::AfterIt] {
        let (site, _folder) = site();
        let browser = site.enter();
        slow(&site);
        let dropped = send_and_drop(&browser, "/keys/new", &form("1"), when);
        if matches!(when, HangUp::AtOnce) {
            // It is in progress when the second request arrives.
            std::thread::sleep(Duration::from_millis(50));
        }
        let second = browser.post("/keys/new", &form("1"));
        assert_eq!(secret(&second), None, "{when:?}");
        let page = browser.follow(&second);
        let key = secret(&page).unwrap();
        assert_eq!(key.len(), 128, "{when:?}");
        assert!(!dropped.contains(&key) && !second.body.contains(&key), "{when:?}");
        assert_eq!(count(&site), 3, "{when:?}");
        // The key is shown once.
        let again = browser.follow(&second);
        assert_eq!((again.status, secret(&again)), (410, None), "{when:?}");
        let third = browser.post("/keys/new", &form("1"));
        assert_eq!(secret(&browser.follow(&third)), None, "{when:?}");
        assert_eq!(count(&site), 3, "{when:?}");
    }
}

#[test]
fn many_requests_at_once_generate_one_key() {
    let (site, _folder) = site();
    let browser = site.enter();
    slow(&site);
    let answers: Vec<_> = std::thread::scope(|scope| {
        let sends = (0..5).map(|_| scope.spawn(|| browser.post("/keys/new", &form("1"))));
        let sends: Vec<_> = sends.collect();
        sends.into_iter().map(|send| send.join().unwrap()).collect()
    });
    let keys = answers.iter().filter_map(|answer| secret(&browser.follow(answer)));
    assert_eq!(keys.count(), 1);
    assert_eq!(count(&site), 3);
}

#[test]
fn only_the_session_that_generated_a_key_sees_it_and_only_by_its_page() {
    let (site, _folder) = site();
    let browser = site.enter();
    let sent = browser.post("/keys/new", &form("1"));
    let path = sent.header("refresh").unwrap().strip_prefix("0; url=").unwrap().to_owned();
    site.get("/keys", &[]);
    let address = site.reported.lock().unwrap().last().unwrap().clone();
    let entry = address.split_once(&site.host).unwrap().1.to_owned();
    let other = site.enter_at(&entry);
    assert_eq!(secret(&other.get(&path)), None);
    assert_eq!(site.get(&path, &[]).status, 401);
    // A request without a response to show does not consume it.
    let headers = [("Host", site.host.as_str()), ("Cookie", browser.cookie.as_str())];
    assert_eq!(site.raw("HEAD", &path, &headers, "").status, 405);
    let prefetch = [("Cookie", browser.cookie.as_str()), ("Sec-Purpose", "prefetch")];
    assert_eq!(site.get(&path, &prefetch).status, 403);
    assert!(secret(&browser.get(&path)).is_some());
}

#[test]
fn a_session_that_ends_leaves_no_key_behind() {
    let (site, _folder) = site();
    let browser = site.enter();
    let sent = browser.post("/keys/new", &form("1"));
    assert_eq!(browser.post("/leave", "").status, 200);
    let path = sent.header("refresh").unwrap().strip_prefix("0; url=").unwrap();
    assert_eq!(browser.get(path).status, 401);
}

#[test]
fn a_form_that_was_refused_can_be_sent_again() {
    let (site, _folder) = site();
    let browser = site.enter();
    let fault = Fault { path: GENERATE.to_owned(), ..Fault::new(FaultKind::status(500)).times(9) };
    site.tenant.set_faults(vec![fault]).unwrap();
    assert_eq!(browser.post("/keys/new", &form("1")).status, 422);
    site.tenant.set_faults(Vec::new()).unwrap();
    let sent = browser.post("/keys/new", &form("1"));
    assert!(secret(&browser.follow(&sent)).is_some());
    assert_eq!(count(&site), 3);
}

#[test]
fn a_rotation_that_is_sent_twice_rotates_once() {
    let (site, _folder) = site();
    let browser = site.enter();
    browser.post("/keys/new", &form("1"));
    // Afterwards there is no key 3.
    let sent = [(); 2].map(|()| browser.post("/keys/3/rotate", "grace=0&unreferenced=yes&once=2"));
    let keys = sent.iter().filter_map(|answer| secret(&browser.follow(answer)));
    assert_eq!(keys.count(), 1);
    assert_eq!(count(&site), 3);
}

#[test]
fn other_forms_that_are_sent_twice_are_carried_out_once() {
    let (site, _folder) = site();
    let browser = site.enter();
    browser.post("/keys/new", &form("1"));
    for path in ["/keys/3/edit", "/keys/3/delete"] {
        let fields = format!("level=advanced&role=Viewer&comment=x&confirm=3&once=2{path}");
        let sent = [(); 2].map(|()| browser.post(path, &fields).status);
        assert_eq!(sent, [303, 303], "{path}");
    }
    assert_eq!(count(&site), 2);
    let fault = "set=fault&kind=status&value=503&times=1";
    for once in ["3", "3", "4"] {
        assert_eq!(browser.post("/settings", &format!("{fault}&once={once}")).status, 303);
    }
    assert_eq!(site.tenant.controls().faults().len(), 2);
}

/// Each rendering of a page has its own number.
#[test]
fn each_form_that_changes_something_has_a_number() {
    let (site, _folder) = site();
    let browser = site.enter();
    browser.post("/keys/new", &form("1"));
    let numbers = |path: &str| -> Vec<String> {
        let page = browser.get(path).body;
        let after = page.split("name=\"once\" value=\"").skip(1);
        after.map(|rest| rest.split('"').next().unwrap().to_owned()).collect()
    };
    for path in ["/keys/new", "/keys/3/edit", "/keys/3/rotate", "/keys/3/delete"] {
        let found = [numbers(path), numbers(path)].concat();
        assert!(
            found.len() == 2 && found[0] != found[1] && found[0].len() == 32,
            "{path}: {found:?}"
        );
    }
    assert!(numbers("/settings").len() >= 4);
}
