//! Generating, editing and rotating keys in the console has the same effect as with the client.

use cortexkey_api::api_key::CommentEdit;
use cortexkey_api::api_keys::SecurityLevel;
use cortexkey_api::role::RoleName;
use cortexkey_client::{KeyEdit, ObservedScope};
use cortexkey_core::auth::KeyId;
use cortexkey_tenant::{Fault, FaultKind};

use crate::site::{Answer, Browser, Site, client};

/// A site that stores unfinished work in a temporary folder.
pub(crate) fn site() -> (Site, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().to_owned();
    (Site::start_with(|options| options.state_folder = Some(state)), folder)
}

const FORM: &str = "level=advanced&role=Viewer&comment=SEC-1&has-date=1&date=2099-01-01&time=00:00\
                    &has-scope=1&assets=select&group=16&cases=select&domain=Security&unreferenced=1\
                    &endpoints=all&name=svc-x-prod&owner=team-a";

/// The form with an expiration that the API accepts, and a submission number.
pub(crate) fn form(once: &str) -> String {
    let in_90_days = cortexkey_client::time::now_ms() + 90 * 24 * 60 * 60 * 1000;
    let date = cortexkey_client::time::time_text(in_90_days);
    FORM.replace("2099-01-01", &date[..10]) + "&once=" + once
}

pub(crate) fn secret(answer: &Answer) -> Option<String> {
    let (_, rest) = answer.body.split_once("id=\"new-key\"")?;
    let (_, rest) = rest.split_once('>')?;
    Some(rest.split('<').next().unwrap().to_owned())
}

fn generate(browser: &Browser<'_>, once: &str) -> (u64, String) {
    let answer = browser.follow(&browser.post("/keys/new", &form(once)));
    assert_eq!(answer.status, 200, "{}", answer.body);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let keys = client(&browser.site.tenant).all_keys(&[]).unwrap();
    (keys.last().unwrap().id, secret(&answer).unwrap())
}

#[test]
fn a_generated_key_is_scoped_and_shown_in_one_response() {
    let (site, folder) = site();
    let browser = site.enter();
    let (id, key) = generate(&browser, "1");
    assert_eq!(key.len(), 128);
    let client = client(&site.tenant);
    let record = client.find_key(KeyId::new(id).unwrap()).unwrap().unwrap();
    assert_eq!(
        (record.roles, record.comment),
        (vec!["Viewer".to_owned()], Some("SEC-1".to_owned()))
    );
    let scope = client.scope(KeyId::new(id).unwrap()).unwrap().unwrap();
    let groups = &scope.assets.asset_groups;
    assert_eq!(groups.iter().map(|group| group.asset_group_id).collect::<Vec<_>>(), [16]);
    assert_eq!(scope.cases_issues.tags[0].tag_name, "Security");
    assert!(!ObservedScope::from(&scope).is_nothing());
    // The key is nowhere else, and no state is left.
    for path in ["/keys", "/keys?f.comment=SEC", "/keys/export?format=csv"] {
        assert!(!browser.get(path).body.contains(&key), "{path}");
    }
    for path in ["", "/edit", "/rotate", "/delete", "/examples"] {
        assert!(!browser.get(&format!("/keys/{id}{path}")).body.contains(&key), "{path}");
    }
    for entry in walk(folder.path()) {
        assert!(!std::fs::read_to_string(&entry).unwrap_or_default().contains(&key), "{entry:?}");
    }
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { walk(&path) } else { vec![path] }).collect()
}

#[test]
fn checking_a_form_generates_nothing_and_shows_findings() {
    let (site, _folder) = site();
    let browser = site.enter();
    let checked = browser.post("/keys/new/check", &form("1").replace("owner=team-a", "owner="));
    assert_eq!(checked.status, 200);
    let at_owner = checked.body.split("data-part=\"at-owner\">").nth(1).unwrap();
    assert!(at_owner.split("</template>").next().unwrap().contains("N004"), "{}", checked.body);
    assert!(checked.body.contains("name: svc-x-prod"));
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 2);
}

#[test]
fn a_locked_rule_blocks_a_key() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("cortexkey.yaml"),
        "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\nextends: [builtin:minimal]\n\
         keys: [\"*.key.yaml\"]\nrules:\n  level-standard-forbidden: { enabled: true, severity: error, locked: true }\n",
    )
    .unwrap();
    let keys = folder.path().to_owned();
    let site = Site::start_with(|options| {
        options.keys = Some(keys.clone());
        options.state_folder = Some(keys.join("state"));
    });
    let browser = site.enter();
    let standard = form("1").replace("level=advanced", "level=standard");
    let checked = browser.post("/keys/new/check", &standard);
    assert!(checked.body.contains("data-may-be-sent=\"false\""), "{}", checked.body);
    assert_eq!(browser.post("/keys/new", &standard).status, 422);
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 2);
    generate(&browser, "2");
}

#[test]
fn an_edit_changes_only_the_edited_fields() {
    let (site, _folder) = site();
    let browser = site.enter();
    let (id, _) = generate(&browser, "1");
    let path = format!("/keys/{id}/edit");
    let key = KeyId::new(id).unwrap();
    let client = client(&site.tenant);
    let before = client.scope(key).unwrap();
    let edited = browser.post(&path, "level=advanced&role=Responder&comment=new");
    assert_eq!(
        (edited.status, edited.header("location")),
        (303, Some(format!("/keys/{id}").as_str()))
    );
    let record = client.find_key(key).unwrap().unwrap();
    assert_eq!(
        (record.roles, record.comment),
        (vec!["Responder".to_owned()], Some("new".to_owned()))
    );
    assert_eq!(client.scope(key).unwrap(), before);
    let scoped = browser.post(
        &path,
        "level=advanced&role=Responder&comment=new&has-scope=1&assets=all&cases=none&endpoints=none",
    );
    assert_eq!(scoped.status, 303, "{}", scoped.body);
    assert_ne!(client.scope(key).unwrap(), before);
    // An invalid form is refused, and its input stays.
    let refused = browser.post(&path, "level=advanced&comment=typed-text");
    assert_eq!(refused.status, 422);
    assert!(refused.body.contains("typed-text"));
    // The key that signs keeps its level.
    let own = browser.post("/keys/2/edit", "level=standard&role=Instance+Administrator");
    assert_eq!(own.status, 422);
}

/// The fields by which a form knows what its key was when it was opened.
fn seen(page: &Answer) -> String {
    let field = |name: &str| {
        let (_, rest) = page.body.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        format!("&{name}={}", rest.split('"').next().unwrap())
    };
    field("seen") + &field("seen-scope")
}

#[test]
fn an_edit_does_not_undo_what_others_changed_meanwhile() {
    let (site, _folder) = site();
    let browser = site.enter();
    let (id, _) = generate(&browser, "1");
    let path = format!("/keys/{id}/edit");
    let key = KeyId::new(id).unwrap();
    let client = client(&site.tenant);
    let roles = || client.find_key(key).unwrap().unwrap().roles;
    let to = |role: &str| KeyEdit {
        roles: vec![RoleName::new(role)],
        level: SecurityLevel::Advanced,
        comment: CommentEdit::Set(Some("SEC-1".to_owned())),
    };
    client.edit_key(key, &to("Privileged Responder")).unwrap();
    let opened = browser.get(&path);
    // Somebody takes the role away while the form is open.
    client.edit_key(key, &to("Viewer")).unwrap();
    let form = "level=advanced&role=Privileged+Responder&comment=typed";
    let refused = browser.post(&path, &format!("{form}&once=2{}", seen(&opened)));
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert!(refused.body.contains(">typed</textarea>"), "{}", refused.body);
    assert_eq!(roles(), ["Viewer"]);
    // Who saw it may save it.
    let saved = browser.post(&path, &format!("{form}&once=3{}", seen(&refused)));
    assert_eq!(saved.status, 303, "{}", saved.body);
    assert_eq!(roles(), ["Privileged Responder"]);
}

#[test]
fn an_edit_does_not_undo_a_scope_that_others_set_meanwhile() {
    let (site, _folder) = site();
    let browser = site.enter();
    let (id, _) = generate(&browser, "1");
    let path = format!("/keys/{id}/edit");
    let key = KeyId::new(id).unwrap();
    let client = client(&site.tenant);
    let opened = browser.get(&path);
    let elsewhere = "level=advanced&role=Viewer&comment=SEC-1&has-scope=1&endpoints=none&once=2";
    assert_eq!(browser.post(&path, elsewhere).status, 303);
    let narrowed = client.scope(key).unwrap();
    let form = "level=advanced&role=Viewer&comment=SEC-1&has-scope=1&endpoints=all&once=3";
    let refused = browser.post(&path, &format!("{form}{}", seen(&opened)));
    assert_eq!(refused.status, 409, "{}", refused.body);
    assert_eq!(client.scope(key).unwrap(), narrowed);
    // Without the scope it is no matter.
    let comment = "level=advanced&role=Viewer&comment=other&once=4";
    assert_eq!(browser.post(&path, &format!("{comment}{}", seen(&opened))).status, 303);
}

#[test]
fn words_that_no_form_has_generate_no_key() {
    let (site, _folder) = site();
    let browser = site.enter();
    for (from, to) in [
        ("level=advanced", "level=ultra"),
        ("assets=select", "assets=everything"),
        ("cases=select", "cases=SELECT"),
        ("endpoints=all", "endpoints=some"),
        ("group=16", "group=16&group=x"),
    ] {
        let refused = browser.post("/keys/new", &form(to).replace(from, to));
        assert_eq!(refused.status, 422, "{to}");
    }
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 2);
}

#[test]
fn a_rule_that_was_locked_after_the_form_was_opened_blocks_it() {
    let folder = tempfile::tempdir().unwrap();
    let policy = |rules: &str| {
        let text = format!(
            "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: {{ name: t }}\n\
             extends: [builtin:minimal]\nkeys: [\"*.key.yaml\"]\n{rules}"
        );
        std::fs::write(folder.path().join("cortexkey.yaml"), text).unwrap();
    };
    policy("");
    let keys = folder.path().to_owned();
    let site = Site::start_with(|options| {
        options.keys = Some(keys.clone());
        options.state_folder = Some(keys.join("state"));
    });
    let browser = site.enter();
    let (id, _) = generate(&browser, "1");
    browser.get("/keys/new");
    policy(
        "rules:\n  level-standard-forbidden: { enabled: true, severity: error, locked: true }\n\
         \x20 expiry-too-long: { enabled: true, severity: error, locked: true, max: 30d }\n",
    );
    let standard = form("2").replace("level=advanced", "level=standard");
    assert_eq!(browser.post("/keys/new", &standard).status, 422);
    let rotate = format!("/keys/{id}/rotate");
    let long = browser.post(&rotate, "grace=0&lifetime=90d&unreferenced=no&once=3");
    assert_eq!(long.status, 422, "{}", long.body);
    let odd = browser.post(&rotate, "grace=0&lifetime=20d&unreferenced=maybe&once=4");
    assert_eq!(odd.status, 422);
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 3);
    let short = browser.post(&rotate, "grace=0&lifetime=20d&unreferenced=no&once=5");
    assert_eq!(browser.follow(&short).status, 200);
}

#[test]
fn a_rotation_replaces_the_key_and_deletes_the_old_one() {
    let (site, _folder) = site();
    let browser = site.enter();
    let (id, old) = generate(&browser, "1");
    let path = format!("/keys/{id}/rotate");
    // The tenant does not return whether the old key sees issues that reference no known object.
    let unclear = browser.post(&path, "grace=0&once=2");
    assert_eq!(unclear.status, 422);
    let rotated = browser.follow(&browser.post(&path, "grace=0&unreferenced=yes&once=3"));
    assert_eq!(rotated.status, 200, "{}", rotated.body);
    let new = secret(&rotated).unwrap();
    assert_ne!(new, old);
    let keys = client(&site.tenant).all_keys(&[]).unwrap();
    assert!(keys.iter().all(|key| key.id != id));
    assert_eq!(keys.last().unwrap().comment.as_deref(), Some("SEC-1"));
}

#[test]
fn a_failing_tenant_keeps_the_input_and_creates_no_key() {
    let (site, _folder) = site();
    let browser = site.enter();
    let elsewhere = FaultKind::Redirect { location: "http://192.0.2.1/".to_owned() };
    let kinds = [FaultKind::status(500), FaultKind::Reset, FaultKind::Truncated, elsewhere];
    for (at, kind) in kinds.into_iter().enumerate() {
        let fault = Fault {
            path: "/public_api/v1/api_keys/generate".to_owned(),
            ..Fault::new(kind.clone()).times(9)
        };
        site.tenant.set_faults(vec![fault]).unwrap();
        let failed = browser.post("/keys/new", &form(&at.to_string()));
        assert_eq!(failed.status, 422, "{kind:?}");
        assert!(failed.body.contains("svc-x-prod") && failed.body.contains("SEC-1"), "{kind:?}");
        assert_eq!(secret(&failed), None);
    }
    site.tenant.set_faults(Vec::new()).unwrap();
    generate(&browser, "last");
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 3);
}

#[test]
fn each_page_reports_an_unreadable_tenant() {
    let (site, _folder) = site();
    let browser = site.enter();
    let fault = Fault {
        path: "/public_api/v1/api_keys/get_api_keys".to_owned(),
        times: None,
        ..Fault::new(FaultKind::Truncated)
    };
    site.tenant.set_faults(vec![fault]).unwrap();
    let paths = [
        "/keys?fresh=1",
        "/keys/1",
        "/keys/1/edit",
        "/keys/1/delete",
        "/keys/new",
        "/notifications",
        "/settings",
    ];
    for path in paths {
        let page = browser.get(path);
        assert!(page.body.contains("role=\"alert\""), "{path}");
    }
    // The last snapshot is still shown, with its age.
    assert!(browser.get("/keys").body.contains("Instance Administrator"));
}

/// A tenant that is slow, refuses, sends invalid responses or disconnects, on the other pages.
#[test]
fn a_failing_call_is_reported_and_the_rest_of_the_page_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let policy = "apiVersion: cortexkey/v1\nkind: Policy\nmetadata: { name: t }\n\
                  extends: [builtin:minimal]\nkeys: [\"*.key.yaml\"]\n";
    std::fs::write(folder.path().join("cortexkey.yaml"), policy).unwrap();
    let definition = "apiVersion: cortexkey/v1\nkind: ApiKey\nmetadata: { name: svc-a }\nspec:\n  \
                      securityLevel: advanced\n  lifetime: 90d\n  roles: [Viewer]\n";
    std::fs::write(folder.path().join("a.key.yaml"), definition).unwrap();
    let keys = folder.path().to_owned();
    let site = Site::start_with(|options| options.keys = Some(keys));
    let browser = site.enter();
    assert!(browser.get("/plan").body.contains("data-action=\"generate\""));
    // Nothing may follow the redirect.
    let elsewhere = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let kinds = [
        FaultKind::status(500),
        FaultKind::status(403),
        FaultKind::Reset,
        FaultKind::Truncated,
        FaultKind::Redirect { location: format!("http://{}/", elsewhere.local_addr().unwrap()) },
    ];
    for kind in kinds {
        let fault = Fault { times: None, ..Fault::new(kind.clone()) };
        site.tenant.set_faults(vec![fault]).unwrap();
        for path in ["/plan?fresh=1", "/findings?fresh=1", "/notifications?fresh=1"] {
            let page = browser.get(path).body;
            assert!(page.contains("role=\"alert\""), "{kind:?} {path}");
        }
        // Pages that need no call work: the faults can be removed.
        assert!(browser.get("/requests").body.contains("data-request="), "{kind:?}");
        assert!(browser.get("/settings").body.contains("Remove all"), "{kind:?}");
    }
    assert!(elsewhere.accept().is_err(), "the console called another host");
    let slow = FaultKind::Slow { delay_ms: 300 };
    site.tenant.set_faults(vec![Fault { times: None, ..Fault::new(slow) }]).unwrap();
    assert!(browser.get("/plan?fresh=1").body.contains("data-action=\"generate\""));
    assert_eq!(browser.post("/settings", "set=no-faults").status, 303);
    assert!(!browser.get("/plan?fresh=1").body.contains("role=\"alert\""));
}

#[test]
fn an_edit_of_a_key_that_is_gone_keeps_what_was_typed() {
    let (site, _folder) = site();
    let browser = site.enter();
    let (id, _) = generate(&browser, "1");
    let path = format!("/keys/{id}/edit");
    let page = browser.get(&path).body;
    let field = |name: &str| {
        let (_, rest) = page.split_once(&format!("name=\"{name}\" value=\"")).unwrap();
        rest.split('"').next().unwrap().to_owned()
    };
    let typed = format!(
        "seen={}&seen-scope={}&level=standard&role=Responder&comment=typed&cases=select\
         &domain=Security&name=svc-typed&once=2",
        field("seen"),
        field("seen-scope")
    );
    client(&site.tenant).ensure_deleted(&[KeyId::new(id).unwrap()]).unwrap();
    // The check of the form leaves the form in place.
    browser.get("/keys?fresh=1");
    let checked = browser.post(&format!("{path}/check"), &typed).body;
    assert!(checked.contains("data-part=\"hint\"") && !checked.contains("dialog"), "{checked}");
    let gone = browser.post(&path, &typed);
    assert_eq!(gone.status, 404);
    assert!(gone.body.contains("action=\"/keys/new\""), "{}", gone.body);
    for kept in [
        "name=\"level\" value=\"standard\" checked",
        "name=\"role\" value=\"Responder\" checked",
        ">typed</textarea>",
        "name=\"domain\" value=\"Security\" checked",
        "name=\"name\" value=\"svc-typed\"",
        "name=\"has-scope\" value=\"1\" checked",
        "name=\"has-date\" value=\"1\" checked",
    ] {
        assert!(gone.body.contains(kept), "{kept}: {}", gone.body);
    }
    // Nothing is generated by that.
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 2);
    assert!(!browser.get(&path).body.contains("action=\"/keys/new\""));
}

/// The open tab, and the names of the fields with the focus.
fn shown_first(page: &str) -> (Option<String>, Vec<String>) {
    let tags = || page.split('<').map(|tag| tag.split('>').next().unwrap());
    let name = |tag: &str, of: &str| {
        let (_, rest) = tag.split_once(&format!("{of}=\""))?;
        Some(rest.split('"').next().unwrap().to_owned())
    };
    let open = tags().find(|tag| tag.contains(" data-open")).and_then(|tag| name(tag, "id"));
    let focused = tags().filter(|tag| tag.contains(" autofocus"));
    (open, focused.map(|tag| name(tag, "name").unwrap_or("alert".into())).collect())
}

#[test]
fn a_refused_form_opens_at_its_first_fault() {
    let (site, _folder) = site();
    let browser = site.enter();
    let (id, _) = generate(&browser, "1");
    let good = form("x");
    for (at, (from, to, tab, field)) in [
        ("role=Viewer&", "", "tab-role", "role"),
        ("level=advanced", "level=ultra", "tab-role", "level"),
        ("comment=SEC-1", "comment=a%00b", "tab-role", "comment"),
        (
            "comment=SEC-1",
            "comment=ghp_16C7e42F292c6912E7710c838347Ae178B4a",
            "tab-role",
            "comment",
        ),
        ("has-date=1&date=20", "has-date=1&date=19", "tab-role", "date"),
        ("&group=16", "", "tab-scope", "assets"),
        ("&domain=Security", "", "tab-scope", "cases"),
        ("endpoints=all", "endpoints=select", "tab-scope", "endpoints"),
        ("endpoints=all", "endpoints=all&has-datasets=1&filters=x", "tab-scope", "filters"),
    ]
    .into_iter()
    .enumerate()
    {
        let refused = browser
            .post("/keys/new", &good.replace(from, to).replace("once=x", &format!("once={at}x")));
        assert_eq!(refused.status, 422, "{to}");
        let expected = (Some(format!("{tab}-tab")), vec![field.to_owned()]);
        assert_eq!(shown_first(&refused.body), expected, "{from} {to}");
    }
    let edited = browser.post(&format!("/keys/{id}/edit"), "role=Viewer&has-scope=1&cases=select");
    assert_eq!(
        shown_first(&edited.body),
        (Some("tab-scope-tab".to_owned()), vec!["cases".to_owned()])
    );
    // Without a fault of a field, the reason has the focus.
    let fault = Fault {
        path: "/public_api/v1/api_keys/generate".to_owned(),
        ..Fault::new(FaultKind::status(500)).times(9)
    };
    site.tenant.set_faults(vec![fault]).unwrap();
    let refused = browser.post("/keys/new", &form("last"));
    assert_eq!(shown_first(&refused.body), (None, vec!["alert".to_owned()]));
    assert_eq!(shown_first(&browser.get("/keys/new").body), (None, vec![]));
}

#[test]
fn a_new_key_is_shown_although_the_old_one_could_not_be_deleted() {
    let (site, _folder) = site();
    let browser = site.enter();
    let (id, _) = generate(&browser, "1");
    let fault = Fault {
        path: "/public_api/v1/api_keys/delete".to_owned(),
        ..Fault::new(FaultKind::status(500)).times(9)
    };
    site.tenant.set_faults(vec![fault]).unwrap();
    let path = format!("/keys/{id}/rotate");
    let rotated = browser.follow(&browser.post(&path, "grace=0&unreferenced=yes&once=2"));
    let new = secret(&rotated).unwrap();
    assert_eq!(new.len(), 128);
    assert!(rotated.body.contains("role=\"alert\""), "{}", rotated.body);
    assert_eq!(client(&site.tenant).all_keys(&[]).unwrap().len(), 4);
    site.tenant.set_faults(Vec::new()).unwrap();
    let finished = browser.follow(&browser.post(&path, "grace=0&unreferenced=yes&once=3"));
    assert_eq!((finished.status, secret(&finished)), (200, None));
    let keys = client(&site.tenant).all_keys(&[]).unwrap();
    assert_eq!(keys.len(), 3);
    assert!(keys.iter().all(|key| key.id != id));
}
