//! A tenant that is slow, refuses, answers nonsense or goes away: each page says so, and each form
//! keeps what was typed.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use cortexkey_client::{ClientOptions, Retry};

use crate::site::{Browser, Request, Site, answered, client, client_with};

/// How a tenant answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    AsItDoes,
    /// Later than the client waits.
    TooLate,
    Refuses,
    /// A page for people, such as a proxy's.
    Page,
    /// JSON of another form.
    OtherJson,
    /// An answer that is no HTTP.
    NoHttp,
    HangsUp,
}

const FAILING: [Way; 5] = [Way::Refuses, Way::Page, Way::OtherJson, Way::NoHttp, Way::HangsUp];

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

/// A console for a tenant that answers as `way` says, and how long it waits for an answer.
fn site(way: &Arc<Mutex<Way>>, folder: &tempfile::TempDir, timeout: Duration) -> Site {
    let policy = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
                  extends: [builtin:minimal]\nkeys: [\"*.key.yaml\"]\n";
    std::fs::write(folder.path().join("cortexkey.yaml"), policy).unwrap();
    Site::start_between(
        |tenant| {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            let own = format!("http://{}", listener.local_addr().unwrap());
            let behind = tenant.url().strip_prefix("http://").unwrap().to_owned();
            let way = Arc::clone(way);
            std::thread::spawn(move || {
                for stream in listener.incoming() {
                    let behind = behind.clone();
                    let way = *way.lock().unwrap();
                    std::thread::spawn(move || answer(stream.unwrap(), &behind, way));
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

fn answer(mut stream: TcpStream, behind: &str, way: Way) {
    let Some(request) = Request::read(&stream) else { return };
    let text = match way {
        Way::AsItDoes => {
            let answer = request.pass_on(behind);
            answered(answer.status, &answer.body)
        }
        Way::TooLate => {
            std::thread::sleep(LONG);
            return;
        }
        Way::Refuses => answered(403, r#"{"reply":{"err_code":403,"err_msg":"Forbidden"}}"#),
        Way::Page => answered(200, "<!doctype html><title>Sign in</title>"),
        Way::OtherJson => answered(200, r#"{"reply":[1,{"DATA":null}],"data":7}"#),
        Way::NoHttp => "SSH-2.0-OpenSSH_9.2\r\n".to_owned(),
        Way::HangsUp => return,
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

/// Each form, with what is typed into it and stays there.
fn forms(browser: &Browser<'_>, once: &str) {
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
        assert!(answer.body.contains("class=\"note bad\" role=\"alert\""), "{once} {path}");
        for text in typed {
            assert!(answer.body.contains(text), "{once} {path}: {text:?}\n{}", answer.body);
        }
        assert!(!answer.body.contains("id=\"new-key\""), "{once} {path}");
    }
}

#[test]
fn each_page_names_a_tenant_that_fails_and_each_form_keeps_what_was_typed() {
    let way = Arc::new(Mutex::new(Way::AsItDoes));
    let folder = tempfile::tempdir().unwrap();
    let site = site(&way, &folder, LONG);
    generate(&site);
    let browser = site.enter();
    let before = client(&site.tenant).all_keys(&[]).unwrap();
    for failing in FAILING {
        *way.lock().unwrap() = failing;
        for path in PAGES {
            let page = browser.get(path).body;
            assert!(page.contains("could not be read"), "{failing:?} {path}: {page}");
        }
        assert!(
            browser.get("/keys").body.contains("Instance Administrator"),
            "what was read stays"
        );
        forms(&browser, &format!("{failing:?}"));
        *way.lock().unwrap() = Way::AsItDoes;
        assert!(!browser.get("/keys?fresh=1").body.contains("could not be read"), "{failing:?}");
        assert_eq!(client(&site.tenant).all_keys(&[]).unwrap(), before, "{failing:?}");
    }
}

#[test]
fn a_tenant_that_is_too_slow_is_named_and_what_was_typed_stays() {
    let way = Arc::new(Mutex::new(Way::TooLate));
    let folder = tempfile::tempdir().unwrap();
    let site = site(&way, &folder, Duration::from_millis(200));
    let browser = site.enter();
    for path in ["/keys", "/keys/3", "/keys/new", "/notifications"] {
        assert!(browser.get(path).body.contains("could not be read"), "{path}");
    }
    let form = "level=standard&role=Viewer&comment=typed+comment&has-date=1&once=1";
    let answer = browser.post("/keys/new", form);
    assert_eq!(answer.status, 422);
    assert!(answer.body.contains("typed comment"), "{}", answer.body);
}

/// Nothing was read yet: what is not known is not said to be so.
#[test]
fn a_tenant_that_was_never_read_is_not_said_to_have_no_keys() {
    let way = Arc::new(Mutex::new(Way::HangsUp));
    let folder = tempfile::tempdir().unwrap();
    let site = site(&way, &folder, LONG);
    let browser = site.enter();
    let page = browser.get("/keys").body;
    assert!(page.contains("could not be read") && !page.contains("has no keys"), "{page}");
    let key = browser.get("/keys/3");
    assert_eq!(key.status, 502);
    assert!(!key.body.contains("shows no key"), "{}", key.body);
}
