//! Access control: only pages of this console, opened by its user, may send requests.

use crate::site::Site;

const FORM: &str = "application/x-www-form-urlencoded";

#[test]
fn nothing_is_shown_without_a_session() {
    let site = Site::start();
    for path in ["/", "/keys", "/keys/1", "/keys/export?format=csv", "/a/0/console.css", "/nothing"]
    {
        let answer = site.get(path, &[]);
        assert_eq!(answer.status, 401, "{path}");
        assert!(!answer.body.contains("Instance Administrator"), "{path}");
    }
    let wrong = format!("cortexkey_console={}", "0".repeat(64));
    assert_eq!(site.get("/keys", &[("Cookie", &wrong)]).status, 401);
}

#[test]
fn an_address_works_once_and_the_terminal_shows_a_new_one() {
    let site = Site::start();
    assert_eq!(site.get("/enter?token=guess", &[]).status, 403);
    assert_eq!(site.get("/enter", &[]).status, 403);
    let first = site.enter();
    assert_eq!(site.get(&site.entry, &[]).status, 403);
    assert_eq!(first.get("/keys").status, 200);
    let reported = site.reported.lock().unwrap().clone();
    assert_eq!(reported.len(), 1, "once, although it was requested twice");
    assert_eq!(site.get("/keys", &[]).status, 401);
    assert_eq!(site.reported.lock().unwrap().len(), 1);
    let (_, entry) = reported[0].strip_prefix("http://").unwrap().split_once('/').unwrap();
    let second = site.enter_at(&format!("/{entry}"));
    assert_eq!(second.get("/keys").status, 200);
    assert_ne!(second.cookie, first.cookie);
    assert_ne!(second.token, first.token);
}

#[test]
fn head_requests_and_prefetches_do_not_use_up_the_address() {
    let site = Site::start();
    let host = [("Host", site.host.as_str())];
    assert_eq!(site.raw("HEAD", &site.entry, &host, "").status, 403);
    assert_eq!(site.get(&site.entry, &[("Sec-Purpose", "prefetch")]).status, 403);
    site.enter();
}

#[test]
fn another_host_name_is_misdirected() {
    let site = Site::start();
    let browser = site.enter();
    let port = site.host.rsplit(':').next().unwrap();
    let cookie = ("Cookie", browser.cookie.as_str());
    let names = [
        format!("127.0.0.1:{port}"),
        format!("localhost:{port}"),
        format!("evil.example:{port}"),
        site.host.split(':').next().unwrap().to_owned(),
        site.host.to_uppercase(),
    ];
    for name in &names {
        assert_eq!(site.raw("GET", "/keys", &[("Host", name), cookie], "").status, 421, "{name}");
    }
    // Two of them, none, and a whole address in the first line.
    let twice = [("Host", site.host.as_str()), ("Host", "evil.example"), cookie];
    assert!(matches!(site.raw("GET", "/keys", &twice, "").status, 400 | 421));
    assert!(matches!(site.raw("GET", "/keys", &[cookie], "").status, 400 | 421));
    let own = [("Host", site.host.as_str()), cookie];
    assert_eq!(site.raw("GET", "http://evil.example/keys", &own, "").status, 421);
    let whole = format!("http://{}/keys", site.host);
    assert_eq!(site.raw("GET", &whole, &own, "").status, 200);
}

#[test]
fn requests_from_other_sites_are_refused() {
    let site = Site::start();
    let browser = site.enter();
    let origin = format!("http://{}", site.host);
    let body = format!("token={}&confirm=1", browser.token);
    let send = |method: &str, more: &[(&str, &str)]| {
        let own = [("Host", site.host.as_str()), ("Cookie", browser.cookie.as_str())];
        let body = if method == "POST" { body.as_str() } else { "" };
        site.raw(method, "/keys/1/delete", &[&own, more].concat(), body).status
    };
    let form = ("Content-Type", FORM);
    for (what, headers) in [
        ("no origin", vec![form]),
        ("foreign", vec![form, ("Origin", "http://evil.example")]),
        ("another port", vec![form, ("Origin", "http://localhost:1")]),
        ("https", vec![form, ("Origin", &origin.replace("http:", "https:"))]),
        ("null alone", vec![form, ("Origin", "null")]),
        ("null, cross-site", vec![form, ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]),
        ("twice", vec![form, ("Origin", &origin), ("Origin", &origin)]),
        ("same-site", vec![form, ("Origin", &origin), ("Sec-Fetch-Site", "same-site")]),
    ] {
        assert_eq!(send("POST", &headers), 403, "{what}");
    }
    for site in ["cross-site", "same-site", "nonsense"] {
        assert_eq!(send("GET", &[("Sec-Fetch-Site", site)]), 403, "{site}");
    }
    assert_eq!(send("GET", &[("Origin", "http://evil.example")]), 403);
    assert_eq!(send("GET", &[("Sec-Fetch-Site", "none")]), 200);
    for method in ["PUT", "DELETE", "OPTIONS", "PATCH", "TRACE"] {
        assert_eq!(send(method, &[("Origin", &origin)]), 405, "{method}");
    }
    // A valid request reaches the page, which asks the user to type the key's id.
    let good = [form, ("Origin", "null"), ("Sec-Fetch-Site", "same-origin")];
    assert_ne!(send("POST", &good), 403);
}

#[test]
fn a_form_without_its_token_is_refused() {
    let site = Site::start();
    let browser = site.enter();
    let origin = format!("http://{}", site.host);
    let send = |kind: &str, body: &str| {
        let headers = [
            ("Host", site.host.as_str()),
            ("Cookie", browser.cookie.as_str()),
            ("Origin", origin.as_str()),
            ("Content-Type", kind),
        ];
        site.raw("POST", "/keys/1/delete", &headers, body).status
    };
    assert_eq!(send(FORM, "confirm=1"), 403);
    assert_eq!(send(FORM, &format!("confirm=1&token={}", "0".repeat(64))), 403);
    let body = format!("token={}&confirm=1", browser.token);
    for kind in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        assert_eq!(send(kind, &body), 415, "{kind}");
    }
    let large = format!("{body}&x={}", "x".repeat(70_000));
    assert_eq!(send(FORM, &large), 413);
    let keys = crate::site::client(&site.tenant).all_keys(&[]).unwrap();
    assert_eq!(keys.len(), 2, "nothing was deleted");
}

#[test]
fn every_response_has_the_security_headers() {
    let site = Site::start();
    let browser = site.enter();
    let page = browser.get("/keys");
    let asset = page.body.split("href=\"/a/").nth(1).unwrap().split('"').next().unwrap();
    let asset = browser.get(&format!("/a/{asset}"));
    assert_eq!(asset.status, 200);
    assert!(asset.header("cache-control").unwrap().contains("immutable"));
    let answers = [
        page,
        asset,
        browser.get("/nothing"),
        browser.get("/keys/export?format=csv"),
        site.get("/keys", &[]),
        site.get("/enter?token=x", &[]),
        site.raw("GET", "/keys", &[("Host", "evil.example")], ""),
        site.raw("DELETE", "/keys", &[("Host", &site.host)], ""),
        browser.post("/keys", ""),
    ];
    for answer in answers {
        let csp = answer.header("content-security-policy").unwrap();
        assert!(csp.starts_with("default-src 'none';") && !csp.contains("unsafe"), "{answer:?}");
        for (name, value) in [
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "no-referrer"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
        ] {
            assert_eq!(answer.header(name), Some(value), "{answer:?}");
        }
        let kept = answer.header("cache-control").unwrap();
        assert!(kept == "no-store" || kept.contains("immutable"), "{answer:?}");
        assert!(answer.header("access-control-allow-origin").is_none());
    }
}

#[test]
fn signing_out_ends_the_session() {
    let site = Site::start();
    let browser = site.enter();
    let left = browser.post("/leave", "");
    assert_eq!(left.status, 200);
    assert!(left.header("clear-site-data").is_some());
    assert_eq!(browser.get("/keys").status, 401);
}

#[test]
fn a_form_with_too_many_fields_is_refused_and_not_cut() {
    let site = Site::start();
    let browser = site.enter();
    let many = "role=&".repeat(9000);
    assert_eq!(browser.post("/keys/new", &many).status, 413);
}
