//! The emulator's requests: the page shows what `/_cortexkey/requests` returns, and new requests
//! arrive in the same form.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use cortexkey_core::auth::Timestamp;

use crate::site::{Browser, Site, client};

/// The numbers of the rows, in their order.
fn shown(html: &str) -> Vec<u64> {
    let rows = html.split("<tr data-request=\"").skip(1);
    rows.map(|row| row.split('"').next().unwrap().parse().unwrap()).collect()
}

fn of(browser: &Browser<'_>, query: &str) -> Vec<u64> {
    let whole = shown(&browser.get(&format!("/requests?{query}")).body);
    assert_eq!(shown(&browser.live(&format!("/requests?{query}")).body), whole, "{query}");
    whole
}

/// Sends a request that the Advanced key signed at the given time; returns the status.
fn sent(site: &Site, stamp_ms: u64, path: &str) -> u16 {
    let client = client(&site.tenant);
    let stamp = Timestamp::from_ms(stamp_ms).unwrap();
    let headers = client.signer().sign_from_system(stamp).unwrap();
    let lines: String =
        headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let address = site.tenant.url().strip_prefix("http://").unwrap().to_owned();
    let mut stream = TcpStream::connect(address).unwrap();
    let request = format!("GET {path} HTTP/1.1\r\nHost: x\r\n{lines}Connection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).unwrap();
    let mut first = String::new();
    BufReader::new(stream).read_line(&mut first).unwrap();
    first.split(' ').nth(1).unwrap().parse().unwrap()
}

#[test]
fn the_page_shows_recorded_requests_with_reasons() {
    let site = Site::start();
    let now = site.tenant.controls().now_ms();
    assert_eq!(sent(&site, now, "/public_api/v1/healthcheck"), 200);
    assert_eq!(sent(&site, now - 3_600_000, "/public_api/v1/healthcheck"), 401);
    assert_eq!(sent(&site, now, "/'onerror='alert(1)"), 404);
    let browser = site.enter();
    let lines = site.tenant.requests(usize::MAX);
    let ids: Vec<u64> = lines.iter().rev().map(|line| line.id).collect();
    assert_eq!(of(&browser, ""), ids);
    let page = browser.get("/requests").body;
    for line in &lines {
        assert!(page.contains(line.verdict.code()), "{line}");
        if !line.verdict.is_accept() {
            assert!(page.contains(line.verdict.cause()), "{line}");
            assert!(page.contains(line.verdict.remedy()), "{line}");
        }
    }
    assert!(page.contains("1 hour behind"), "the skew is shown");
    assert!(page.contains("cortexkey curl --fqdn http://127.0.0.1:"), "a call can be copied");
    assert!(page.contains("/'onerror='alert(1)"), "within double quotes and text alone");
    assert!(!page.contains("-- /'onerror"), "and in no command for a shell");
    let stale: Vec<u64> =
        lines.iter().filter(|line| line.status == 401).map(|line| line.id).collect();
    assert_eq!(of(&browser, "verdict=rejected"), stale);
    assert_eq!(of(&browser, "verdict=timestamp-stale"), stale);
    assert_eq!(of(&browser, "key=2"), ids);
    assert!(of(&browser, "key=3").is_empty());
    for nonsense in ["key=x", "verdict=x"] {
        assert!(of(&browser, nonsense).is_empty(), "{nonsense}");
        assert!(browser.get(&format!("/requests?{nonsense}")).body.contains("class=\"bad\""));
    }
}

/// Opens a stream, and reads up to the first event.
fn stream(browser: &Browser<'_>, query: &str) -> BufReader<TcpStream> {
    let port = browser.site.host.rsplit(':').next().unwrap();
    let mut stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
    let request = format!(
        "GET /requests/stream?{query} HTTP/1.1\r\nHost: {}\r\nCookie: {}\r\n\r\n",
        browser.site.host, browser.cookie
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    assert!(line.contains(" 200 "), "{line}");
    while line != "\r\n" {
        line.clear();
        reader.read_line(&mut line).unwrap();
    }
    reader
}

/// The next event's data; `None` if the stream ends.
fn event(reader: &mut BufReader<TcpStream>) -> Option<String> {
    loop {
        let mut line = String::new();
        // The last chunk is empty.
        if reader.read_line(&mut line).unwrap() == 0 || line == "0\r\n" {
            return None;
        }
        if let Some(data) = line.strip_prefix("data: ") {
            return Some(data.trim_end().to_owned());
        }
    }
}

#[test]
fn requests_are_streamed_and_filtered() {
    let site = Site::start();
    let browser = site.enter();
    let mut all = stream(&browser, "");
    let mut rejected = stream(&browser, "verdict=rejected");
    let now = site.tenant.controls().now_ms();
    sent(&site, now, "/public_api/v1/healthcheck");
    sent(&site, now - 3_600_000, "/public_api/v1/healthcheck");
    let ids: Vec<u64> = site.tenant.requests(2).iter().map(|line| line.id).collect();
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let parts = event(&mut all).unwrap();
        assert!(parts.starts_with("<template data-part=\"rows\" data-way=\"before\">"), "{parts}");
        seen.extend(shown(&parts));
    }
    seen.sort_unstable();
    assert_eq!(seen, ids);
    assert_eq!(shown(&event(&mut rejected).unwrap()), ids[1..]);
}

#[test]
fn a_stream_needs_a_session_and_ends_with_it() {
    let site = Site::start();
    assert_eq!(site.get("/requests/stream", &[]).status, 401);
    let browser = site.enter();
    let mut reader = stream(&browser, "");
    browser.post("/leave", "");
    sent(&site, site.tenant.controls().now_ms(), "/public_api/v1/healthcheck");
    assert_eq!(event(&mut reader), None);
}

#[test]
fn a_console_for_a_profile_has_no_page_of_the_emulator() {
    let site = Site::start_with(|options| {
        options.kind = cortexkey_console::TenantKind::Profile(None);
    });
    let browser = site.enter();
    for path in ["/requests", "/requests/stream", "/settings", "/settings/scopes"] {
        assert_eq!(browser.get(path).status, 404, "{path}");
    }
    assert!(!browser.get("/keys").body.contains("/settings"));
}

#[test]
fn an_invalid_key_id_stays_in_its_field() {
    let site = Site::start();
    let browser = site.enter();
    let page = browser.get("/requests?key=abc").body;
    assert!(page.contains("value=\"abc\"") && shown(&page).is_empty(), "{page}");
}
