//! A tenant that is slow, refuses, sends invalid responses or closes the connection: each page shows
//! an error, and each form keeps its input.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cortexkey_client::{ClientOptions, Retry};

use crate::site::{Browser, Request, Site, answered, client, client_with};

/// How a tenant responds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Behaviour {
    Normal,
    /// Responds after the client's timeout.
    Timeout,
    Refused,
    /// An HTML page, such as a proxy's.
    Html,
    /// JSON with another structure.
    OtherJson,
    NotHttp,
    Closed,
}

const FAILING: [Behaviour; 5] = [
    Behaviour::Refused,
    Behaviour::Html,
    Behaviour::OtherJson,
    Behaviour::NotHttp,
    Behaviour::Closed,
];

/// The box that says that the tenant could not be read.
const UNREAD: &str = "data-fault=\"tenant\"";

/// The box with an error.
const ALERT: &str = "class=\"note bad\" role=\"alert\"";

/// Longer than any test waits.
const LONG: Duration = Duration::from_secs(60);

const PAGES: [&str; 10] = [
    "/keys?fresh=1",
    "/keys/3",
    "/keys/3/edit",
    "/keys/3/rotate",
    "/keys/3/delete",
    "/keys/new",
    "/overview?fresh=1",
    "/plan?fresh=1",
    "/findings?fresh=1",
    "/notifications?fresh=1",
];

/// A console for a tenant that responds as `behaviour` says, and the client's timeout.
fn site(behaviour: &Arc<Mutex<Behaviour>>, folder: &tempfile::TempDir, timeout: Duration) -> Site {
    let policy = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
                  extends: [builtin:minimal]\nkeys: [\"*.key.yaml\"]\n";
    std::fs::write(folder.path().join("cortexkey.yaml"), policy).unwrap();
    Site::start_between(
        |tenant| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let own = format!("http://{}", listener.local_addr().unwrap());
            let behind = tenant.url().strip_prefix("http://").unwrap().to_owned();
            let behaviour = Arc::clone(behaviour);
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let behind = behind.clone();
                    let behaviour = *behaviour.lock().unwrap();
                    std::thread::spawn(move || answer(stream.unwrap(), &behind, behaviour));
                }
            });
            let retry = Retry::NEVER;
            let options = ClientOptions { timeout, retry, ..ClientOptions::default() };
            client_with(tenant, &own, options)
        },
        |options| {
            options.keys = Some(folder.path().to_owned());
            options.state_folder = Some(folder.path().join("state"));
        },
    )
}

fn answer(mut stream: TcpStream, behind: &str, behaviour: Behaviour) {
    let Some(request) = Request::read(&stream) else { return };
    let text = match behaviour {
        Behaviour::Normal => {
            let answer = request.pass_on(behind);
            answered(answer.status, &answer.body)
        }
        Behaviour::Timeout => {
            std::thread::sleep(LONG);
            return;
        }
        Behaviour::Refused => answered(403, r#"{"reply":{"err_code":403,"err_msg":"Forbidden"}}"#),
        Behaviour::Html => answered(200, "<!doctype html><title>Sign in</title>"),
        Behaviour::OtherJson => answered(200, r#"{"reply":[1,{"DATA":null}],"data":7}"#),
        Behaviour::NotHttp => "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        Behaviour::Closed => return,
    };
    let _ = stream.write_all(text.as_bytes());
}

fn generate(site: &Site) {
    use cortexkey_api::api_keys::{GenerateRequest, SecurityLevel};
    let request = GenerateRequest {
        roles: vec!["Viewer".to_owned()],
        security_level: SecurityLevel::Advanced,
        expiration: None,
        comment: None,
    };
    client(&site.tenant).generate_key(&request).unwrap();
}

/// Sends each form, and checks that its input stays.
fn check_forms(browser: &Browser<'_>, once: &str) {
    for (path, form, typed) in [
        (
            "/keys/new",
            "level=standard&role=Viewer&role=Typed+role&comment=typed+comment&has-scope=1\
             &assets=select&group=16&group=4711&cases=select&domain=typed-domain&endpoints=select\
             &endpoint-tag=typed-tag&name=typed-name&owner=typed-owner",
            vec![
                "Typed role",
                "typed comment",
                "value=\"16\" checked",
                "value=\"4711\" checked",
                "typed-domain",
                "typed-tag",
                "typed-name",
                "typed-owner",
            ],
        ),
        (
            "/keys/3/edit",
            "level=standard&role=Viewer&comment=typed+comment",
            vec!["typed comment", "value=\"standard\" checked"],
        ),
        (
            "/keys/3/rotate",
            "grace=7d&lifetime=77d&unreferenced=no",
            vec!["value=\"7d\" selected", "77d", "value=\"no\" selected"],
        ),
        ("/keys/3/delete", "confirm=3", vec!["value=\"3\""]),
    ] {
        let answer = browser.post(path, &format!("{form}&once={once}{path}"));
        assert!(matches!(answer.status, 422 | 502), "{once} {path}: {answer:?}");
        assert!(answer.body.contains(ALERT), "{once} {path}");
        for text in typed {
            assert!(answer.body.contains(text), "{once} {path}: {text:?}\n{}", answer.body);
        }
        assert!(!answer.body.contains("id=\"new-key\""), "{once} {path}");
    }
}

#[test]
fn pages_report_a_failing_tenant_and_forms_keep_their_input() {
    let behaviour = Arc::new(Mutex::new(Behaviour::Normal));
    let folder = tempfile::tempdir().unwrap();
    let site = site(&behaviour, &folder, LONG);
    generate(&site);
    let browser = site.enter();
    let before = client(&site.tenant).all_keys(&[]).unwrap();
    for failing in FAILING {
        *behaviour.lock().unwrap() = failing;
        for path in PAGES {
            let page = browser.get(path).body;
            assert!(page.contains(UNREAD), "{failing:?} {path}: {page}");
        }
        assert!(
            browser.get("/keys").body.contains("Instance Administrator"),
            "what was read stays"
        );
        check_forms(&browser, &format!("{failing:?}"));
        *behaviour.lock().unwrap() = Behaviour::Normal;
        assert!(!browser.get("/keys?fresh=1").body.contains(UNREAD), "{failing:?}");
        assert_eq!(client(&site.tenant).all_keys(&[]).unwrap(), before, "{failing:?}");
    }
}

#[test]
fn pages_report_a_slow_tenant_and_forms_keep_their_input() {
    let behaviour = Arc::new(Mutex::new(Behaviour::Timeout));
    let folder = tempfile::tempdir().unwrap();
    let site = site(&behaviour, &folder, Duration::from_millis(200));
    let browser = site.enter();
    for path in ["/keys", "/keys/3", "/keys/new", "/notifications"] {
        assert!(browser.get(path).body.contains(UNREAD), "{path}");
    }
    let form = "level=standard&role=Viewer&comment=typed-comment&has-date=1&once=1";
    let answer = browser.post("/keys/new", form);
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("typed-comment"), "{}", answer.body);
}

#[test]
fn a_tenant_that_was_never_read_is_not_shown_as_empty() {
    let behaviour = Arc::new(Mutex::new(Behaviour::Closed));
    let folder = tempfile::tempdir().unwrap();
    let site = site(&behaviour, &folder, LONG);
    let browser = site.enter();
    let page = browser.get("/keys").body;
    assert!(page.contains(UNREAD), "{page}");
    assert!(page.contains("data-unread"), "{page}");
    let key = browser.get("/keys/3");
    assert_eq!(key.status, 502, "not 404: {}", key.body);
}
